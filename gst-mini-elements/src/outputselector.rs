//! `output-selector` sends its stream to one of its source pads.
//!
//! Invariant: a buffer leaves through the active pad, after every sticky event of the stream.
//! In GStreamer: `plugins/elements/gstoutputselector.c`.
//! Left out: forgetting the latest buffer when a drain is asked for.
//!
//! ```text
//! fakesrc num-buffers=3 ! output-selector name=o o. ! fakesink o. ! fakesink async=false
//! ```

use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;

const NEGOTIATION: &str = "enum:none=0:None,all=1:All,active=2:Active";
const NONE: i32 = 0;
const ALL: i32 = 1;
const SINK: PadId = FIRST_PAD;

pub struct OutputSelector {
    resend_latest: Live<bool>,
    negotiation: Live<i32>,
    outputs: Outputs,
}

/// The source pads; as a property, the name of the active one.
#[derive(Default)]
struct Outputs(Mutex<State>);

#[derive(Default)]
struct State {
    /// Number, name, and whether it lacks sticky events.
    pads: Vec<(PadId, String, bool)>,
    active: Option<PadId>,
    /// Active from the next buffer on.
    pending: Option<PadId>,
    named: u32,
    segment: Option<Segment>,
    latest: Option<Buffer>,
    /// The last seek that went upstream; others of the same cause are its echoes.
    seek: Option<u32>,
}

impl State {
    fn shown(&self) -> Option<PadId> {
        self.pending.or(self.active)
    }
}

impl LiveField for Outputs {
    fn set_text(&self, text: &str) -> Result<(), String> {
        let mut state = self.0.lock();
        let Some(id) = state.pads.iter().find(|pad| pad.1 == text).map(|pad| pad.0) else {
            return Err("it is the name of a source pad".to_owned());
        };
        state.pending = (state.active != Some(id)).then_some(id);
        Ok(())
    }
    fn text(&self) -> String {
        let state = self.0.lock();
        let active = state.pads.iter().find(|pad| Some(pad.0) == state.shown());
        active.map(|pad| pad.1.clone()).unwrap_or_default()
    }
}

impl Default for OutputSelector {
    fn default() -> Self {
        OutputSelector {
            resend_latest: Live::new(false),
            negotiation: Live::new(ALL),
            outputs: Outputs::default(),
        }
    }
}

impl Element for OutputSelector {
    const NAME: &str = "output-selector";
    const SUMMARY: &str = "1-to-N output stream selector";
    const LONG_NAME: &str = "Output selector";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::request_src("src_%u", ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("active-pad", types::PAD, "Name of the source pad in use", |e: &Self| {
            &e.outputs
        }),
        Prop::live(
            "resend-latest",
            types::BOOLEAN,
            "Resend latest buffer after a switch to a new pad",
            |e: &Self| &e.resend_latest,
        ),
        Prop::live(
            "pad-negotiation-mode",
            NEGOTIATION,
            "Which pads are asked for formats, and get the end of the stream",
            |e: &Self| &e.negotiation,
        ),
    ];
}

impl OutputSelector {
    /// Sends the stream's sticky events to a pad that lacks them.
    fn introduce(&self, cx: &Cx, pad: PadId) {
        let lacks = {
            let mut state = self.outputs.0.lock();
            let entry = state.pads.iter_mut().find(|entry| entry.0 == pad);
            entry.is_some_and(|entry| std::mem::take(&mut entry.2))
        };
        if lacks {
            for event in cx.sticky_events(SINK) {
                cx.push_event(pad, &event);
            }
        }
    }

    /// Makes the pad that was asked for the active one.
    fn switch(&self, cx: &Cx) {
        loop {
            let Some(pad) = self.outputs.0.lock().pending else { return };
            // Only what is linked answers.
            let is_linked = cx.peer_query(pad, &mut Query::caps(None));
            let (latest, segment) = {
                let mut state = self.outputs.0.lock();
                if state.pending != Some(pad) {
                    continue;
                }
                state.pending = None;
                if !is_linked {
                    drop(state);
                    cx.log(Level::Warning, || "the new active pad is not linked".to_owned());
                    continue;
                }
                state.active = Some(pad);
                let latest = state.latest.clone().filter(|_| self.resend_latest.get());
                let mut segment = state.segment;
                if let (Some(segment), Some(pts)) =
                    (&mut segment, latest.as_ref().and_then(Buffer::pts))
                {
                    segment.position = Some(pts.nanos());
                    state.segment = Some(*segment);
                }
                if let Some(entry) = state.pads.iter_mut().find(|entry| entry.0 == pad) {
                    entry.2 = false;
                }
                (latest, segment)
            };
            cx.publish("active-pad", self.outputs.text());
            for event in cx.sticky_events(SINK) {
                cx.push_event(pad, &event);
            }
            if let Some(segment) = segment {
                cx.push_event(pad, &Event::segment(segment));
            }
            if let Some(latest) = latest {
                // What becomes of it is said again by the next buffer.
                let _ = cx.push(pad, latest);
            }
        }
    }

    fn send_event(&self, cx: &Cx, event: &Event) -> bool {
        let Some(active) = self.outputs.0.lock().shown() else { return true };
        self.introduce(cx, active);
        cx.push_event(active, event)
    }
}

impl MultiPad for OutputSelector {
    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        let mut state = self.outputs.0.lock();
        (state.pending, state.latest) = (None, None);
        (state.segment, state.seek) = (None, None);
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        self.switch(cx);
        let active = {
            let mut state = self.outputs.0.lock();
            let Some(active) = state.active else { return Ok(()) };
            state.latest = self.resend_latest.get().then(|| buf.clone());
            if let (Some(segment), Some(pts)) = (&mut state.segment, buf.pts()) {
                let end = pts + buf.duration().unwrap_or(ClockTime::ZERO);
                segment.position = Some(end.nanos());
            }
            active
        };
        self.introduce(cx, active);
        cx.push(active, buf)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if let EventKind::Segment(segment) = event.kind {
            self.outputs.0.lock().segment = Some(segment);
        }
        let taken = match (&event.kind, self.negotiation.get()) {
            (EventKind::Eos, ALL) => {
                let pads: Vec<_> = self.outputs.0.lock().pads.iter().map(|pad| pad.0).collect();
                pads.iter().for_each(|pad| self.introduce(cx, *pad));
                cx.event_default(&event)
            }
            (EventKind::Eos, NONE) => true,
            _ => self.send_event(cx, &event),
        };
        if taken { Ok(()) } else { Err(FlowError::Error) }
    }

    fn oob_event(&self, cx: &Cx, event: &Event) -> bool {
        self.send_event(cx, event);
        false
    }

    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        if matches!(event.kind, EventKind::Seek(_))
            && self.outputs.0.lock().seek.replace(event.seqnum) == Some(event.seqnum)
        {
            return true;
        }
        cx.event_default(event)
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        let Query::Caps { filter, result } = query else { return false };
        if cx.pad() != SINK || self.negotiation.get() == ALL {
            return false;
        }
        let active = self.outputs.0.lock().shown();
        let active = active.filter(|_| self.negotiation.get() != NONE);
        let mut ask = Query::caps(filter.clone());
        let answered = active.is_some_and(|active| cx.peer_query(active, &mut ask));
        *result = Some(match ask {
            Query::Caps { result: Some(caps), .. } if answered => caps,
            _ => filter.clone().unwrap_or_else(Caps::any),
        });
        true
    }

    fn pad_name(&self, _: &Cx, _: &str) -> Option<String> {
        // The order counts, not what was asked for.
        Some(format!("src_{}", self.outputs.0.lock().named))
    }

    fn pad_added(&self, cx: &Cx, name: &str) -> bool {
        let is_first = {
            let mut state = self.outputs.0.lock();
            state.named += 1;
            state.pads.push((cx.pad(), name.to_owned(), true));
            let is_first = state.active.is_none();
            if is_first {
                state.active = Some(cx.pad());
            }
            is_first
        };
        if is_first {
            cx.publish("active-pad", name);
        }
        true
    }

    fn pad_removed(&self, cx: &Cx) {
        let mut state = self.outputs.0.lock();
        state.pads.retain(|pad| pad.0 != cx.pad());
        let was_active = state.active == Some(cx.pad());
        state.active = state.active.filter(|active| *active != cx.pad());
        state.pending = state.pending.filter(|pending| *pending != cx.pad());
        drop(state);
        if was_active {
            cx.publish("active-pad", self.outputs.text());
        }
    }
}
