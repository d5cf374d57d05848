//! `capsfilter` lets only some formats through a link.
//!
//! Data that comes without a format, from a file say, gets the filter's, if filter and neighbors leave a
//! single one; otherwise it is refused. What is said about the stream waits until the format is known,
//! so that it goes behind it.
//!
//! Invariant: data is never changed; only negotiation is.
//! In GStreamer: `plugins/elements/gstcapsfilter.c` (`gst_capsfilter_transform_caps`, `gst_capsfilter_prepare_buf`).
//! Left out: nothing.
//!
//! ```text
//! videotestsrc num-buffers=1 ! capsfilter caps=video/x-raw,width=64,height=36 ! fakesink
//! ```

use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;
use std::sync::Arc;

const SINK: PadId = FIRST_PAD;
const SRC: PadId = SECOND_PAD;
const CHANGE_MODE: &str = "enum:immediate=0:Only accept the current filter caps,\
    delayed=1:Temporarily accept previous filter caps";
const DELAYED: i32 = 1;

pub struct CapsFilter {
    caps: FilterCaps,
    mode: ChangeMode,
    filter: Arc<Filter>,
    /// The stream has a format: one that came, or the filter's own.
    has_format: bool,
    /// Sticky events that wait for the format.
    held: Vec<Event>,
}

#[derive(Default)]
struct Filter(Mutex<Filters>);

struct Filters {
    caps: Caps,
    /// Somebody has asked since it was set.
    is_used: bool,
    mode: i32,
    /// What was set before and may still be coming, newest first; only if changes are delayed.
    previous: Vec<Caps>,
}

impl Default for Filters {
    fn default() -> Self {
        Filters { caps: Caps::any(), is_used: false, mode: 0, previous: Vec::new() }
    }
}

/// The property `caps`.
struct FilterCaps(Arc<Filter>);

impl LiveField for FilterCaps {
    fn set_text(&self, text: &str) -> Result<(), String> {
        let caps = Caps::parse(text).map_err(|error| error.to_string())?;
        let mut filters = self.0.0.lock();
        let before = std::mem::replace(&mut filters.caps, caps);
        let was_used = std::mem::replace(&mut filters.is_used, false);
        if filters.mode != DELAYED {
            filters.previous.clear();
        } else if was_used {
            filters.previous.insert(0, before);
        }
        Ok(())
    }
    fn text(&self) -> String {
        self.0.0.lock().caps.to_string()
    }
}

/// The property `caps-change-mode`.
struct ChangeMode(Arc<Filter>);

impl LiveField for ChangeMode {
    fn set_text(&self, text: &str) -> Result<(), String> {
        let mode = text.parse().map_err(|_| format!("cannot read \"{text}\""))?;
        let mut filters = self.0.0.lock();
        if std::mem::replace(&mut filters.mode, mode) != mode {
            filters.previous.clear();
        }
        Ok(())
    }
    fn text(&self) -> String {
        self.0.0.lock().mode.to_string()
    }
}

impl Shared for Filter {
    fn transform_caps(&self, _: &Cx, _: Direction, caps: &Caps) -> Option<Caps> {
        let mut filters = self.0.lock();
        filters.is_used = true;
        let passing = filters.caps.intersect_first(caps);
        if !passing.is_empty() || filters.mode != DELAYED {
            return Some(passing);
        }
        let mut before = Caps::empty();
        filters.previous.iter().for_each(|previous| before.merge(previous));
        Some(before.intersect_first(caps))
    }

    fn property_changed(&self, cx: &Cx, name: &str) {
        if name == "caps" {
            cx.push_event(SINK, &Event::new(EventKind::Reconfigure));
        }
    }
}

impl Filter {
    /// A format came. `false`: it fits only what was set before.
    fn came(&self, caps: &Caps) -> bool {
        let mut filters = self.0.lock();
        if filters.mode != DELAYED {
            return true;
        }
        let fits_before = filters.previous.iter().rposition(|before| before.can_intersect(caps));
        let fits = filters.caps.can_intersect(caps);
        match fits_before {
            Some(at) => filters.previous.truncate(at + 1),
            None if fits => {
                filters.previous.clear();
                filters.is_used = true;
            }
            None => {}
        }
        fits
    }
}

impl Default for CapsFilter {
    fn default() -> Self {
        let filter = Arc::<Filter>::default();
        CapsFilter {
            caps: FilterCaps(filter.clone()),
            mode: ChangeMode(filter.clone()),
            filter,
            has_format: false,
            held: Vec::new(),
        }
    }
}

impl Element for CapsFilter {
    const NAME: &str = "capsfilter";
    const SUMMARY: &str = "Pass data without modification, limiting formats";
    const LONG_NAME: &str = "CapsFilter";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("caps", types::CAPS, "Formats that may pass", |e: &Self| &e.caps),
        Prop::live(
            "caps-change-mode",
            CHANGE_MODE,
            "What becomes of the formats that might pass before the filter was changed",
            |e: &Self| &e.mode,
        ),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.filter.clone())
    }
}

impl CapsFilter {
    /// What filter and neighbors leave.
    fn allowed(&self, cx: &Cx) -> Caps {
        let mut allowed = self.filter.0.lock().caps.clone();
        for pad in [SINK, SRC] {
            let mut query = Query::caps(Some(allowed.clone()));
            if cx.peer_query(pad, &mut query)
                && let Query::Caps { result: Some(theirs), .. } = query
            {
                allowed = theirs;
            }
        }
        allowed.simplify()
    }

    /// Gives data that has no format the only one that is possible.
    fn give_format(&self, cx: &Cx) -> FlowResult {
        if cx.pad_caps(SINK).is_some() || cx.pad_caps(SRC).is_some() {
            return Ok(());
        }
        let caps = self.allowed(cx);
        if !caps.is_fixed() {
            let text = "Filter caps do not completely specify the output format";
            let error = ElementError::new(ErrorKind::Format, text);
            return Err(cx.fail(error.with_debug(format!("Output caps are unfixed: {caps}"))));
        }
        cx.output_event(SRC, Event::caps(caps));
        Ok(())
    }

    fn let_go(&mut self, cx: &Cx) {
        for event in self.held.drain(..) {
            cx.output_event(SRC, event);
        }
    }
}

impl Transform for CapsFilter {
    const PREFER_PASSTHROUGH: bool = false;
    const RANGES: bool = true;

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.has_format = false;
        self.held.clear();
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.held.clear();
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, _: &Caps) -> FlowResult {
        self.has_format = true;
        if !self.filter.came(input) {
            // Upstream still makes what the old filter asked for.
            cx.output_event(SINK, Event::new(EventKind::Reconfigure));
        }
        Ok(())
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        let belongs_behind =
            event.is_sticky() && !matches!(event.kind, EventKind::StreamStart { .. });
        if self.has_format || !belongs_behind {
            return Ok(true);
        }
        if matches!(event.kind, EventKind::Eos) {
            self.let_go(cx);
            return Ok(true);
        }
        self.held.push(event.clone());
        Ok(false)
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        if !self.has_format {
            self.give_format(cx)?;
            self.has_format = true;
        }
        if !self.held.is_empty() {
            self.let_go(cx);
        }
        Ok(Some(buf))
    }

    fn passes(&mut self, _: &Cx) -> Passing {
        if self.has_format && self.held.is_empty() { Passing::Uncounted } else { Passing::No }
    }

    fn flush(&mut self, _: &mut Cx) {
        self.held.retain(|event| !matches!(event.kind, EventKind::Segment(_) | EventKind::Eos));
    }
}
