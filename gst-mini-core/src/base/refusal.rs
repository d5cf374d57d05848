//! The story of a stream that stopped: who refused first, and why.
//!
//! Invariant: one story for one stop; an element that told its own is left to it.
//! In GStreamer: `gst/gstelement.h` (`GST_ELEMENT_FLOW_ERROR`), as `libs/gst/base/gstbasesrc.c` uses it.
//! Left out: nothing.

use crate::error::{ElementError, ErrorKind, FlowError};
use crate::host::core::ElementCore;
use crate::pad::{Pad, PadCore};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Posts what stopped the stream that `core` sends out of `src`, if the element that refused first has not.
pub(crate) fn tell(core: &ElementCore, src: &Arc<PadCore>, flow: FlowError) {
    if is_told(core) {
        return;
    }
    // The refusal came up through every pad on its way: the last one that has it is where it began.
    let mut at = src.clone();
    while let Some(next) = at
        .linked_peer()
        .and_then(|peer| peer.onward().into_iter().find(|next| next.last_flow() == Err(flow)))
    {
        at = next;
    }
    let (name, code) = (&core.name, flow.code());
    let text = match (flow, at.linked_peer()) {
        (FlowError::NotLinked, None) => format!(
            "{} is not linked, so the stream from {name} goes nowhere; link it, or end it in a fakesink",
            at.path(),
        ),
        (_, Some(peer)) => {
            let there = peer.path();
            format!("the stream from {name} stopped at {there}: reason {flow} ({code})")
        }
        _ => format!("the stream from {name} stopped: reason {flow} ({code})"),
    };
    post(core, flow, text);
}

/// Posts what stopped the stream that `core` pulls through `sink`, if nobody else has.
pub(crate) fn tell_pulled(core: &ElementCore, sink: &PadCore, flow: FlowError) {
    if is_told(core) {
        return;
    }
    let from = sink.linked_peer().map_or_else(|| "nothing".to_owned(), |peer| peer.path());
    let (name, code) = (&core.name, flow.code());
    post(
        core,
        flow,
        format!("the stream that {name} pulls from {from} stopped: reason {flow} ({code})"),
    );
}

fn is_told(core: &ElementCore) -> bool {
    core.told_error.load(Ordering::Relaxed)
        || core.lent().messages.is_some_and(|messages| messages.told_error())
}

fn post(core: &ElementCore, flow: FlowError, text: String) {
    let kind =
        if flow == FlowError::NotNegotiated { ErrorKind::Negotiation } else { ErrorKind::Failed };
    core.post_error(ElementError::new(kind, text));
}
