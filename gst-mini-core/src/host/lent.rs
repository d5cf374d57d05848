//! What a bin lends its children, and the pads an element has: seldom changed, and looked at for each buffer.
//!
//! Invariant: what a buffer needs to know of either is one load; the rest is behind a lock.
//! In GStreamer: `gst/gstelement.c` (`gst_element_set_clock`, `gst_element_set_base_time`), `GST_ELEMENT_PADS`.
//! Left out: nothing.

use crate::clock::Clock;
use crate::host::core::MessageSink;
use crate::pad::PadCore;
use crate::time::{AbsoluteTime, RunningTime};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// What an element is lent by whoever contains it.
#[derive(Clone)]
pub(crate) struct Lent {
    pub clock: Option<Arc<dyn Clock>>,
    pub base_time: Option<AbsoluteTime>,
    pub start_time: Option<RunningTime>,
    pub messages: Option<Arc<dyn MessageSink>>,
    /// Name of what contains the element.
    pub parent: Option<Arc<str>>,
}

/// [`Lent`] behind its lock, and whether there is a running time now.
#[derive(Default)]
pub(crate) struct LentLock {
    lent: RwLock<Lent>,
    has_running_time: AtomicBool,
}

/// For changing what is lent.
pub(crate) struct LentGuard<'a> {
    lent: RwLockWriteGuard<'a, Lent>,
    has_running_time: &'a AtomicBool,
}

impl LentLock {
    pub fn read(&self) -> RwLockReadGuard<'_, Lent> {
        self.lent.read()
    }

    pub fn write(&self) -> LentGuard<'_> {
        LentGuard { lent: self.lent.write(), has_running_time: &self.has_running_time }
    }

    /// Whether there are a clock and a base time.
    #[inline]
    pub fn has_running_time(&self) -> bool {
        self.has_running_time.load(Ordering::Acquire)
    }
}

impl Deref for LentGuard<'_> {
    type Target = Lent;
    fn deref(&self) -> &Lent {
        &self.lent
    }
}

impl DerefMut for LentGuard<'_> {
    fn deref_mut(&mut self) -> &mut Lent {
        &mut self.lent
    }
}

impl Drop for LentGuard<'_> {
    fn drop(&mut self) {
        let has = self.lent.clock.is_some() && self.lent.base_time.is_some();
        self.has_running_time.store(has, Ordering::Release);
    }
}

impl Default for Lent {
    /// As nothing was lent yet: no clock, and running time at its beginning.
    fn default() -> Self {
        Lent {
            clock: None,
            base_time: Some(AbsoluteTime::ZERO),
            start_time: Some(RunningTime::ZERO),
            messages: None,
            parent: None,
        }
    }
}

/// The pads of an element, and how often they changed.
#[derive(Default)]
pub(crate) struct Pads {
    list: RwLock<Vec<Arc<PadCore>>>,
    changed: AtomicU32,
}

impl Pads {
    pub fn read(&self) -> RwLockReadGuard<'_, Vec<Arc<PadCore>>> {
        self.list.read()
    }

    /// For changing them.
    pub fn write(&self) -> RwLockWriteGuard<'_, Vec<Arc<PadCore>>> {
        let list = self.list.write();
        // Before the change: who sees the new number waits for the lock to read.
        self.changed.fetch_add(1, Ordering::AcqRel);
        list
    }

    /// Another number whenever they may be others.
    #[inline]
    pub fn changed(&self) -> u32 {
        self.changed.load(Ordering::Acquire)
    }
}
