//! `capsfilter` lets only some formats through a link.
//!
//! Invariant: data is never changed; only negotiation is.
//! In GStreamer: `plugins/elements/gstcapsfilter.c`.
//! Left out: `caps-change-mode`.
//!
//! ```text
//! videotestsrc num-buffers=1 ! capsfilter caps=video/x-raw,width=64,height=36 ! fakesink
//! ```

use gst_mini_core::element_prelude::*;

pub struct CapsFilter {
    caps: Caps,
    /// Whether the format of this stream was looked at.
    checked: bool,
}

impl Default for CapsFilter {
    fn default() -> Self {
        CapsFilter { caps: Caps::any(), checked: false }
    }
}

impl Element for CapsFilter {
    const NAME: &str = "capsfilter";
    const SUMMARY: &str = "Pass data without modification, limiting formats";
    const LONG_NAME: &str = "CapsFilter";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[Prop::caps("caps", "Formats that may pass", |e| &mut e.caps)];
}

impl Transform for CapsFilter {
    const PREFER_PASSTHROUGH: bool = false;

    fn transform_caps(cx: &Cx, _: Direction, caps: &Caps) -> Caps {
        match cx.property("caps").and_then(|text| Caps::parse(&text).ok()) {
            Some(filter) => filter.intersect_first(caps),
            None => caps.clone(),
        }
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.checked = false;
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        // Data without a format, from a file say, gets the filter's, if that is a single one.
        if !std::mem::replace(&mut self.checked, true)
            && cx.pad_caps(FIRST_PAD).is_none()
            && self.caps.is_fixed()
        {
            cx.output_event(SECOND_PAD, Event::caps(self.caps.clone()));
        }
        Ok(Some(buf))
    }
}
