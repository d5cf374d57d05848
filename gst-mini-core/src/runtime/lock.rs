//! A [`StreamLock`] is held by the thread that streams, waits and calls into elements included.
//!
//! It *leans* to the thread that takes it for every buffer (see `lean`), so that it costs that thread no
//! instruction which other cores have to agree to.
//!
//! Invariant: the thread that holds it is told so when it comes again, instead of waiting for itself.
//! In GStreamer: `gst/gstpad.h` (`GST_PAD_STREAM_LOCK`), there a `GRecMutex`.
//! Left out: recursion. A push that comes back to where it is, is a loop in the links.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::cover::Cover;
use super::lean::{Habit, Lean, Me};
use super::prim::{AtomicUsize, Mutex, MutexGuard};
use super::shared::{self, Line};
use super::{observer, sim};

const NOBODY: usize = 0;

/// A lock that may be held across waits.
#[derive(Default)]
#[repr(C)]
pub struct StreamLock {
    lean: Lean,
    /// The mark of the thread that holds the mutex. Relaxed is enough: a thread reads its own mark only if it
    /// wrote it itself, and any other value means "not me".
    owner: AtomicUsize,
    lock: Mutex<Habit>,
    /// Fibers that wait for the mutex: it is held across waits, so they do not block their thread for it.
    line: Line,
}

/// The thread that asks for a [`StreamLock`] has it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this thread holds that stream lock already")]
pub struct Reentered;

impl StreamLock {
    /// A lock nobody holds.
    pub const fn new() -> Self {
        Self {
            lean: Lean::new(),
            owner: AtomicUsize::new(NOBODY),
            lock: Mutex::new(Habit::new()),
            line: Line::new(),
        }
    }

    /// Takes the lock, waiting while another thread has it. Under Sim another task may run first.
    ///
    /// # Errors
    /// [`Reentered`] when this thread has it already.
    #[inline]
    pub fn lock(&self) -> Result<StreamGuard<'_>, Reentered> {
        let me = Me::here();
        if self.lean.enter(me) {
            return Ok(StreamGuard { lock: self, held: ManuallyDrop::new(None) });
        }
        self.lock_mutex(me)
    }

    /// Takes the lock if it leans to this thread and nobody wants it. Then [`leave`](Self::leave) gives it back.
    #[inline]
    pub(crate) fn enter(&self, me: Me) -> bool {
        self.lean.enter(me)
    }

    /// Gives back what [`enter`](Self::enter) took.
    #[inline]
    pub(crate) fn leave(&self) {
        self.lean.leave();
    }

    #[cold]
    fn lock_mutex(&self, me: Me) -> Result<StreamGuard<'_>, Reentered> {
        if self.is_held_by(me) {
            return Err(Reentered);
        }
        let mut held = match sim::current() {
            Some(sim) => {
                sim.maybe_switch();
                sim.lock(self.key(), || self.lock.lock())
            }
            None => match self.try_mutex() {
                Some(held) => held,
                None => self.wait_for_mutex(),
            },
        };
        self.lean.call_out(me, &mut held, true);
        Ok(self.taken(me, held))
    }

    /// Takes the lock if nobody has it.
    pub fn try_lock(&self) -> Option<StreamGuard<'_>> {
        let me = Me::here();
        if self.lean.enter(me) {
            return Some(StreamGuard { lock: self, held: ManuallyDrop::new(None) });
        }
        if self.is_held_by(me) {
            return None;
        }
        let sim = sim::current();
        let mut held = match &sim {
            Some(sim) => {
                sim.maybe_switch();
                sim.try_lock(self.key(), || self.lock.try_lock())?
            }
            None => self.lock.try_lock()?,
        };
        if !self.lean.call_out(me, &mut held, false) {
            drop(held);
            if let Some(sim) = sim {
                sim.unlocked(self.key());
            }
            self.tell_line();
            return None;
        }
        Some(self.taken(me, held))
    }

    /// Whether this thread holds it.
    #[inline]
    pub fn is_mine(&self) -> bool {
        self.is_held_by(Me::here())
    }

    #[inline]
    fn is_held_by(&self, me: Me) -> bool {
        self.owner.load(Ordering::Relaxed) == me.0 || self.lean.is_in(me)
    }

    /// Whether any thread holds it at this moment.
    pub fn is_locked(&self) -> bool {
        self.lock.try_lock().is_none_or(|habit| self.lean.is_inside(&habit))
    }

    /// Puts a cover over it, if it leans to this thread, which is not in, and `is_usual` says so, which nobody is in
    /// the lock beside.
    pub(crate) fn lay(
        &self,
        me: Me,
        cover: &Arc<Cover>,
        place: usize,
        is_usual: impl FnOnce() -> bool,
    ) -> bool {
        let Some(mut habit) = self.lock.try_lock() else { return false };
        self.lean.lay(me, &mut habit, cover, place) && is_usual()
    }

    /// What a cover knows it by.
    pub(crate) fn address(&self) -> usize {
        self.lean.address()
    }

    fn taken<'a>(&'a self, me: Me, mut held: MutexGuard<'a, Habit>) -> StreamGuard<'a> {
        self.owner.store(me.0, Ordering::Relaxed);
        held.note(me);
        StreamGuard { lock: self, held: ManuallyDrop::new(Some(held)) }
    }

    #[cold]
    fn wait_for_mutex(&self) -> MutexGuard<'_, Habit> {
        let mut held = None;
        observer::wait("a stream lock", None, || {
            held = Some(if shared::is_here() {
                self.line.take(|| self.lock.try_lock())
            } else {
                self.lock.lock()
            });
            true
        });
        held.expect("the wait above ends with the lock")
    }

    /// Takes the mutex if it is free and no fiber stands in line before this one.
    fn try_mutex(&self) -> Option<MutexGuard<'_, Habit>> {
        if shared::is_here() && !self.line.is_empty() {
            return None;
        }
        self.lock.try_lock()
    }

    /// The mutex is free again.
    fn tell_line(&self) {
        if shared::is_on() {
            self.line.wake_first();
        }
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
pub struct StreamGuard<'a> {
    lock: &'a StreamLock,
    /// `None`: by leaning. Given up in `drop`, which has nothing else to do then.
    held: ManuallyDrop<Option<MutexGuard<'a, Habit>>>,
}

impl fmt::Debug for StreamGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamGuard").field("leans", &self.held.is_none()).finish_non_exhaustive()
    }
}

impl StreamGuard<'_> {
    #[cold]
    #[inline(never)]
    fn release(lock: &StreamLock, held: MutexGuard<'_, Habit>) {
        lock.lean.maybe_lean(&held);
        lock.owner.store(NOBODY, Ordering::Relaxed);
        drop(held);
        if let Some(sim) = sim::current() {
            sim.unlocked(lock.key());
            sim.maybe_switch();
        }
        lock.tell_line();
    }
}

impl Drop for StreamGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the only place, and comes once.
        match unsafe { ManuallyDrop::take(&mut self.held) } {
            None => self.lock.lean.leave(),
            Some(held) => StreamGuard::release(self.lock, held),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{self, os};
    use std::sync::Arc;

    fn lean(lock: &StreamLock) {
        for _ in 0..100 {
            drop(lock.lock().unwrap());
        }
    }

    #[test]
    fn a_thread_that_comes_again_and_again_needs_no_mutex() {
        let lock = StreamLock::new();
        lean(&lock);
        let held = lock.lock().unwrap();
        assert_eq!(held.held.is_none(), os::has_barrier_of_all());
        assert!(lock.is_mine() && lock.is_locked());
        assert_eq!(lock.lock().unwrap_err(), Reentered);
        assert!(lock.try_lock().is_none());
        drop(held);
        assert!(!lock.is_mine() && !lock.is_locked());
    }

    #[test]
    fn another_thread_waits_until_the_one_it_leans_to_is_out() {
        #[derive(Default)]
        struct Counted {
            lock: StreamLock,
            count: std::cell::UnsafeCell<u64>,
        }
        // SAFETY: the cell is touched under the lock alone, which is what is tested.
        unsafe impl Sync for Counted {}
        impl Counted {
            fn count(&self, by: u64) -> u64 {
                let _held = self.lock.lock().unwrap();
                // SAFETY: under the lock.
                let count = unsafe { &mut *self.count.get() };
                *count += by;
                *count
            }
        }
        let counted = Arc::new(Counted::default());
        let tasks: Vec<_> = [200_000, 300]
            .into_iter()
            .map(|times| {
                let counted = counted.clone();
                let count = move || {
                    (0..times).for_each(|_| {
                        counted.count(1);
                    });
                };
                runtime::spawn("counting", count).unwrap()
            })
            .collect();
        for task in tasks {
            assert_eq!(task.join(), None);
        }
        assert_eq!(counted.count(0), 200_300);
    }

    #[test]
    fn who_only_tries_leaves_it_leaning() {
        let lock = Arc::new(StreamLock::new());
        lean(&lock);
        let held = lock.lock().unwrap();
        let theirs = lock.clone();
        let task = runtime::spawn("trying", move || assert!(theirs.try_lock().is_none())).unwrap();
        assert_eq!(task.join(), None);
        drop(held);
        assert_eq!(lock.lock().unwrap().held.is_none(), os::has_barrier_of_all());
        let theirs = lock.clone();
        let task = runtime::spawn("trying", move || assert!(theirs.try_lock().is_some())).unwrap();
        assert_eq!(task.join(), None);
        assert!(lock.lock().unwrap().held.is_some());
    }
}
