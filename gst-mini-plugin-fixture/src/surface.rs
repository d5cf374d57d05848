//! What an element can do besides passing buffers on: each thing once.
//!
//! Invariant: whatever it does can be seen from outside, so that a test can compare linked and loaded.
//! In GStreamer: nothing; its elements exist in one form only.
//! Left out: what the elements of `lib` show already.

use gst_mini_core::element_prelude::*;
use std::sync::{Mutex, PoisonError};

/// Sends buffers on in lists of two, and takes lists.
#[derive(Default)]
pub struct FixturePairs {
    held: Mutex<Vec<Buffer>>,
}

impl Element for FixturePairs {
    const NAME: &str = "fixturepairs";
    const SUMMARY: &str = "Sends buffers on in lists of two";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
}

impl MultiPad for FixturePairs {
    const TAKES_LISTS: bool = true;

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let pair = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.push(buf);
            if held.len() < 2 {
                return Ok(());
            }
            std::mem::take(&mut *held)
        };
        cx.push_list(SECOND_PAD, pair.into())
    }

    fn chain_list(&self, cx: &Cx, list: BufferList) -> FlowResult {
        cx.post_element(Structure::new("list").with("length", list.len() as u64));
        cx.push_list(SECOND_PAD, list)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if event.kind == EventKind::Eos {
            let held =
                std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
            if !held.is_empty() {
                cx.push_list(SECOND_PAD, held.into())?;
            }
        }
        cx.event_default(&event);
        Ok(())
    }

    fn flush(&self, _: &Cx) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
