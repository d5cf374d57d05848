//! `onecount`: counts what goes through.

use gst_mini_core::element_prelude::*;

/// What went through.
#[derive(Default)]
pub struct OneCount {
    count: u64,
}

impl Element for OneCount {
    const NAME: &str = "onecount";
    const SUMMARY: &str = "Counts what goes through";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[Prop::published("count", types::UINT64, "So many", "0")];
}

impl Transform for OneCount {
    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.count += 1;
        cx.publish("count", self.count);
        Ok(Some(buf))
    }
}

gst_mini_core::plugin! {
    name: "one",
    description: "Counts what goes through",
    elements: [Factory::transform::<OneCount>()],
}
