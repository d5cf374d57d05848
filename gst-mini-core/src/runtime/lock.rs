//! A [`StreamLock`] is held by the thread that streams, waits and calls into elements included.
//!
//! Invariant: the thread that holds it is told so when it comes again, instead of waiting for itself.
//! In GStreamer: `gst/gstpad.h` (`GST_PAD_STREAM_LOCK`), there a `GRecMutex`.
//! Left out: recursion. A push that comes back to where it is, is a loop in the links.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::prim::{Mutex, MutexGuard};
use super::{observer, sim, threads};

const NOBODY: usize = 0;

/// A lock that may be held across waits.
#[derive(Default)]
pub struct StreamLock {
    /// The mark of the thread that holds it. Relaxed is enough: a thread reads its own mark only if it
    /// wrote it itself, and any other value means "not me".
    owner: AtomicUsize,
    lock: Mutex<()>,
}

/// The thread that asks for a [`StreamLock`] has it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this thread holds that stream lock already")]
pub struct Reentered;

impl StreamLock {
    /// A lock nobody holds.
    pub const fn new() -> Self {
        Self { owner: AtomicUsize::new(NOBODY), lock: Mutex::new(()) }
    }

    /// Takes the lock, waiting while another thread has it. Under Sim another task may run first.
    ///
    /// # Errors
    /// [`Reentered`] when this thread has it already.
    #[inline]
    pub fn lock(&self) -> Result<StreamGuard<'_>, Reentered> {
        if self.is_mine() {
            return Err(Reentered);
        }
        let held = match sim::current() {
            Some(sim) => {
                sim.maybe_switch();
                sim.lock(self.key(), || self.lock.lock())
            }
            None => match self.lock.try_lock() {
                Some(held) => held,
                None => self.lock_slow(),
            },
        };
        Ok(self.taken(held))
    }

    /// Takes the lock if nobody has it.
    pub fn try_lock(&self) -> Option<StreamGuard<'_>> {
        let held = match sim::current() {
            Some(sim) => {
                sim.maybe_switch();
                sim.try_lock(self.key(), || self.lock.try_lock())?
            }
            None => self.lock.try_lock()?,
        };
        Some(self.taken(held))
    }

    /// Whether this thread holds it.
    #[inline]
    pub fn is_mine(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == threads::thread_mark()
    }

    /// Whether any thread holds it at this moment.
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    #[inline]
    fn taken<'a>(&'a self, held: MutexGuard<'a, ()>) -> StreamGuard<'a> {
        self.owner.store(threads::thread_mark(), Ordering::Relaxed);
        StreamGuard { lock: self, held: Some(held) }
    }

    #[cold]
    fn lock_slow(&self) -> MutexGuard<'_, ()> {
        let mut held = None;
        observer::wait("a stream lock", None, || {
            held = Some(self.lock.lock());
            true
        });
        held.expect("the wait above ends with the lock")
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(&self.lock).addr()
    }
}

impl fmt::Debug for StreamLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamLock").field("locked", &self.is_locked()).finish()
    }
}

/// Holds a [`StreamLock`] until it is dropped. It stays on its thread.
#[derive(Debug)]
pub struct StreamGuard<'a> {
    lock: &'a StreamLock,
    held: Option<MutexGuard<'a, ()>>,
}

impl Drop for StreamGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lock.owner.store(NOBODY, Ordering::Relaxed);
        self.held = None;
        if let Some(sim) = sim::current() {
            sim.unlocked(self.lock.key());
            sim.maybe_switch();
        }
    }
}
