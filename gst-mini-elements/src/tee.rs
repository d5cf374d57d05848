//! `tee` sends every buffer to all its source pads, one after the other, in one thread.
//!
//! Invariant: no data is copied; each branch gets a reference.
//! In GStreamer: `plugins/elements/gsttee.c` (`gst_tee_handle_data`).
//! Left out: pull mode, `alloc-pad`.
//!
//! ```text
//! fakesrc num-buffers=3 ! tee name=t t. ! queue ! fakesink t. ! queue ! fakesink
//! ```

use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;

#[derive(Default)]
pub struct Tee {
    allow_not_linked: Live<bool>,
    branches: Mutex<Vec<PadId>>,
}

impl Element for Tee {
    const NAME: &str = "tee";
    const SUMMARY: &str = "1-to-N pipe fitting";
    const LONG_NAME: &str = "Tee pipe fitting";
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(ANY), PadTemplate::request_src("src_%u", ANY).of_type("GstTeePad")];
    const PROPS: &[Prop<Self>] = &[Prop::live(
        "allow-not-linked",
        types::BOOLEAN,
        "Return ok even if no source pad is linked",
        |e| &e.allow_not_linked,
    )];
}

impl Tee {
    /// Hands `data` to every branch. The last one gets it itself, so that it alone may write in place.
    fn deal<T: Clone>(&self, data: T, push: impl Fn(PadId, T) -> FlowResult) -> FlowResult {
        let branches = self.branches.lock().clone();
        let mut linked = self.allow_not_linked.get();
        let mut left = Some(data);
        for (i, pad) in branches.iter().enumerate() {
            let last = i + 1 == branches.len();
            let Some(data) = (if last { left.take() } else { left.clone() }) else { break };
            match push(*pad, data) {
                Ok(()) => linked = true,
                Err(FlowError::NotLinked) => {}
                // The first branch that refuses ends it; later ones do not see this data.
                Err(other) => return Err(other),
            }
        }
        if linked { Ok(()) } else { Err(FlowError::NotLinked) }
    }
}

impl MultiPad for Tee {
    const TAKES_LISTS: bool = true;

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        self.deal(buf, |pad, buf| cx.push(pad, buf))
    }

    fn chain_list(&self, cx: &Cx, list: BufferList) -> FlowResult {
        self.deal(list, |pad, list| cx.push_list(pad, list))
    }

    fn pad_added(&self, cx: &Cx, _: &str) -> bool {
        self.branches.lock().push(cx.pad());
        true
    }

    fn pad_removed(&self, cx: &Cx) {
        self.branches.lock().retain(|pad| *pad != cx.pad());
    }
}
