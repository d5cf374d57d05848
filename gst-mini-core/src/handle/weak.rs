//! A [`WeakElement`] names an element without keeping it alive.
//!
//! Invariant: it never makes an element live longer than the last [`ElementRef`].
//! In GStreamer: `g_object_add_weak_pointer`, `GWeakRef`.
//! Left out: nothing.

use super::{ElementInner, ElementRef};
use std::sync::{Arc, Weak};

/// What a signal handler keeps of the element it is connected to: an [`ElementRef`] there would keep
/// the element alive for ever, because the element keeps its handlers.
#[derive(Clone)]
pub struct WeakElement(Weak<ElementInner>);

impl WeakElement {
    /// The element, if it is still there.
    pub fn upgrade(&self) -> Option<ElementRef> {
        self.0.upgrade().map(ElementRef)
    }
}

impl ElementRef {
    /// A handle that does not keep the element alive.
    pub fn downgrade(&self) -> WeakElement {
        WeakElement(Arc::downgrade(&self.0))
    }
}
