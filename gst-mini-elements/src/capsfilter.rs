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
}

impl Default for CapsFilter {
    fn default() -> Self {
        CapsFilter { caps: Caps::any() }
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
    fn transform_caps(cx: &Cx, _: Direction, caps: &Caps) -> Caps {
        match cx.property("caps").and_then(|text| Caps::parse(&text).ok()) {
            Some(filter) => filter.intersect_first(caps),
            None => caps.clone(),
        }
    }
    fn transform(&mut self, _: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        Ok(Some(buf))
    }
}
