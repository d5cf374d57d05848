//! What the elements share that lead several streams through one pad.
//!
//! Invariant: who has the [`Turn`] holds no lock, so it may push and wait.
//! In GStreamer: `GST_PAD_STREAM_LOCK` on a source pad, `gst/gstpad.c` (`gst_pad_use_fixed_caps`).
//! Left out: nothing.

use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;

/// One stream at a time has its turn at the source pad. A flush of the pad that waits ends its wait.
#[derive(Default)]
pub struct Turn(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    taken: bool,
    waiting: u32,
}

/// The turn, until it is dropped.
pub struct Taken<'a> {
    turn: &'a Turn,
    cx: &'a Cx<'a>,
    waiter: u32,
}

impl Turn {
    /// Waits for the turn in waiter `waiter` of the element.
    pub fn take<'a>(&'a self, cx: &'a Cx<'a>, waiter: u32) -> FlowResult<Taken<'a>> {
        let mut queue = self.0.lock();
        while std::mem::replace(&mut queue.taken, true) {
            queue.waiting += 1;
            let ticket = cx.ticket(waiter);
            drop(queue);
            let woken = cx.wait(waiter, ticket, None);
            queue = self.0.lock();
            queue.waiting -= 1;
            woken?;
        }
        Ok(Taken { turn: self, cx, waiter })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut queue = self.turn.0.lock();
            queue.taken = false;
            queue.waiting > 0
        };
        if waiting {
            self.cx.wake(self.waiter);
        }
    }
}

/// Answers a caps query at a source pad that has its stream's caps and no others, whatever the sink
/// pads could have; other queries are left to the host.
pub fn fixed_caps(cx: &Cx, pad: PadId, query: &mut Query) -> bool {
    let Query::Caps { filter, result } = query else { return false };
    if cx.pad() != pad {
        return false;
    }
    let caps = cx.pad_caps(pad).unwrap_or_else(Caps::any);
    *result = Some(match filter {
        Some(filter) => filter.intersect_first(&caps),
        None => caps,
    });
    true
}
