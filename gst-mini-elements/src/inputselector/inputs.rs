//! What an `input-selector` knows of its sink pads.
//!
//! Invariant: nothing is pushed or waited for here; times are running times in ns.
//! In GStreamer: `plugins/elements/gstinputselector.c` (`GstSelectorPad`, `gst_input_selector_get_active_sinkpad`).
//! Left out: what a pad keeps beside its segment and end.

use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// The sink pads; as a property, the name of the active one.
#[derive(Default)]
pub(super) struct Inputs(pub(super) Mutex<State>);

pub(super) struct State {
    pub(super) pads: Vec<Input>,
    pub(super) active: Option<PadId>,
    /// The application chose it, so a stop keeps it.
    pub(super) chosen: bool,
    /// Asked for by the application, and not done yet.
    pub(super) wanted: Option<Option<PadId>>,
    pub(super) named: u32,
    /// All streams have ended.
    pub(super) ended: bool,
    /// Every stream so far said to which group it belongs.
    pub(super) grouped: bool,
    pub(super) upstream_latency: u64,
    pub(super) last_output: Option<u64>,
}

pub(super) struct Input {
    pub(super) id: PadId,
    pub(super) name: String,
    pub(super) segment: Segment,
    pub(super) seqnum: u32,
    pub(super) ended: bool,
    pub(super) end_sent: bool,
    /// Its sticky events are to be sent before its next buffer.
    pub(super) owes_events: bool,
    pub(super) discont: bool,
    pub(super) cached: VecDeque<(Buffer, Segment)>,
    /// Sent something since it became active.
    pub(super) pushed: bool,
}

impl Default for State {
    fn default() -> Self {
        State {
            pads: Vec::new(),
            active: None,
            chosen: false,
            wanted: None,
            named: 0,
            ended: false,
            grouped: true,
            upstream_latency: 0,
            last_output: None,
        }
    }
}

impl LiveField for Inputs {
    fn set_text(&self, text: &str) -> Result<(), String> {
        let mut state = self.0.lock();
        let wanted = match state.pads.iter().find(|input| input.name == text) {
            Some(input) => Some(input.id),
            None if text.is_empty() => None,
            None => return Err("it is the name of a sink pad".to_owned()),
        };
        state.wanted = Some(wanted);
        Ok(())
    }
    fn text(&self) -> String {
        let state = self.0.lock();
        let shown = state.wanted.unwrap_or(state.active);
        let active = state.pads.iter().find(|input| Some(input.id) == shown);
        active.map(|input| input.name.clone()).unwrap_or_default()
    }
}

impl Input {
    pub(super) fn new(id: PadId, name: &str) -> Input {
        Input {
            id,
            name: name.to_owned(),
            segment: Segment::new(Format::Undefined),
            seqnum: 0,
            ended: false,
            end_sent: false,
            owes_events: false,
            discont: false,
            cached: VecDeque::new(),
            pushed: false,
        }
    }
}

/// The running time at the end of a buffer, within its segment.
pub(super) fn end_time(segment: &Segment, buf: &Buffer) -> Option<u64> {
    let end = (buf.pts()? + buf.duration().unwrap_or(ClockTime::ZERO)).nanos();
    segment.running_time_of(segment.stop.map_or(end, |stop| end.min(stop)))
}

impl State {
    pub(super) fn input(&mut self, id: PadId) -> Option<&mut Input> {
        self.pads.iter_mut().find(|input| input.id == id)
    }

    /// The active pad; the first one if none was chosen.
    pub(super) fn active(&mut self) -> Option<PadId> {
        self.active = self.active.or_else(|| self.pads.first().map(|input| input.id));
        self.active
    }

    /// Where the active stream has got to.
    pub(super) fn active_time(&mut self) -> Option<u64> {
        let active = self.active()?;
        let segment = self.input(active)?.segment;
        (segment.format == Format::Time).then(|| segment.running_time_of(segment.position?))?
    }

    /// Forgets what was kept and is over.
    pub(super) fn forget_old(&mut self, now: Option<u64>) {
        let Some(now) = now else { return };
        for input in &mut self.pads {
            // Buffers without a time go with the first one after them that is over.
            let is_over = |(buf, segment): &(Buffer, Segment)| {
                end_time(segment, buf).is_some_and(|t| t < now)
            };
            let kept_from =
                input.cached.iter().position(|kept| kept.0.pts().is_some() && !is_over(kept));
            let last_over =
                input.cached.iter().take(kept_from.unwrap_or(usize::MAX)).rposition(is_over);
            if let Some(last) = last_over {
                input.cached.drain(..=last);
            }
        }
    }
}
