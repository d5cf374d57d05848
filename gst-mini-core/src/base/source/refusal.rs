//! The story of a stream that stopped: who refused first, and why.
//!
//! Invariant: one story for one stop; an element that told its own is left to it.
//! In GStreamer: `gst/gstelement.h` (`GST_ELEMENT_FLOW_ERROR`), as `libs/gst/base/gstbasesrc.c` uses it.
//! Left out: nothing.

use super::SourceBase;
use crate::error::{ElementError, ErrorKind, FlowError};
use crate::pad::Pad;
use std::sync::atomic::Ordering;

impl SourceBase {
    /// Posts what stopped the stream, if the element that refused first has not.
    pub(super) fn tell(&self, flow: FlowError) {
        let told = self.core.told_error.load(Ordering::Relaxed)
            || self.core.lent().messages.is_some_and(|messages| messages.told_error());
        if told {
            return;
        }
        // The refusal came up through every pad on its way: the last one that has it is where it began.
        let mut at = self.src.clone();
        while let Some(next) = at
            .linked_peer()
            .and_then(|peer| peer.onward().into_iter().find(|next| next.last_flow() == Err(flow)))
        {
            at = next;
        }
        let text = match (flow, at.linked_peer()) {
            (FlowError::NotLinked, None) => format!(
                "{} is not linked, so the stream from {} goes nowhere; link it, or end it in a fakesink",
                at.path(),
                self.core.name
            ),
            (_, Some(peer)) => format!(
                "the stream from {} stopped at {}: reason {} ({})",
                self.core.name,
                peer.path(),
                flow,
                flow.code()
            ),
            _ => format!(
                "the stream from {} stopped: reason {} ({})",
                self.core.name,
                flow,
                flow.code()
            ),
        };
        let kind = if flow == FlowError::NotNegotiated {
            ErrorKind::Negotiation
        } else {
            ErrorKind::Failed
        };
        self.core.post_error(ElementError::new(kind, text));
    }
}
