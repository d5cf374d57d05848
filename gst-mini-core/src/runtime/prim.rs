//! What the form *threads* is made of: locks, conditions, threads and the atomics of hand-offs.
//!
//! ```text
//!   usually                     parking_lot where a lock may be held for long, std where it is waited on
//!   --cfg gst_mini_shuttle      Shuttle's, which runs one task at a time and tries orders: `tests/models`
//! ```
//!
//! Invariant: both have the same calls, so the code above knows no difference. Under Shuttle time stands still:
//! a deadline never comes, so whatever waits with one must be woken.
//! In GStreamer: nothing; `GMutex`, `GCond` and `GThread` are used as they are.
//! Left out: weak memory; Shuttle's atomics are sequentially consistent.

#[cfg(not(gst_mini_shuttle))]
mod chosen {
    pub use parking_lot::{Mutex, MutexGuard};
    pub use std::sync::MutexGuard as BriefGuard;
    pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
    pub use std::{thread, thread_local};

    use std::sync::atomic::Ordering;
    use std::sync::{self, PoisonError};
    use std::time::Duration;

    /// Whether the thread has ended.
    pub fn is_finished(thread: &thread::JoinHandle<()>) -> bool {
        thread.is_finished()
    }

    /// A lock that is held for short looks and changes, by whoever comes first. Who waits for it, or with it, leaves
    /// nothing anywhere but a word in the lock: `parking_lot` would keep a table for as many threads as ever waited.
    #[derive(Default)]
    pub struct BriefMutex<T>(sync::Mutex<T>);

    impl<T> BriefMutex<T> {
        pub const fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }
        pub fn into_inner(self) -> T {
            self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
        }
        #[inline]
        pub fn lock(&self) -> BriefGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
        #[inline]
        pub fn try_lock(&self) -> Option<BriefGuard<'_, T>> {
            match self.0.try_lock() {
                Ok(held) => Some(held),
                Err(sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(sync::TryLockError::WouldBlock) => None,
            }
        }
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// What is waited for with a [`BriefMutex`]. Telling nobody calls nothing of the system, as `std` alone would.
    #[derive(Default)]
    pub struct Condvar {
        changed: sync::Condvar,
        /// Changed under the mutex. Who tells of a change made that under it, so it sees who waited before.
        waiting: AtomicU32,
    }

    impl Condvar {
        pub const fn new() -> Self {
            Self { changed: sync::Condvar::new(), waiting: AtomicU32::new(0) }
        }
        #[inline]
        pub fn notify_all(&self) {
            if self.waiting.load(Ordering::SeqCst) != 0 {
                self.changed.notify_all();
            }
        }
        pub fn wait<'a, T>(&self, held: BriefGuard<'a, T>) -> BriefGuard<'a, T> {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let held = self.changed.wait(held).unwrap_or_else(PoisonError::into_inner);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            held
        }
        /// The lock again, and whether the time was over.
        pub fn wait_for<'a, T>(
            &self,
            held: BriefGuard<'a, T>,
            time: Duration,
        ) -> (BriefGuard<'a, T>, bool) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let waited = self.changed.wait_timeout(held, time);
            let waited = waited.unwrap_or_else(PoisonError::into_inner);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            (waited.0, waited.1.timed_out())
        }
    }
}

#[cfg(gst_mini_shuttle)]
#[allow(missing_docs, reason = "for models only, with the calls of parking_lot")]
mod chosen {
    pub use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
    pub use shuttle::{thread, thread_local};

    use shuttle::sync;
    use std::fmt;
    use std::ops::{Deref, DerefMut};
    use std::time::Duration;

    /// Shuttle does not tell.
    pub fn is_finished(_: &thread::JoinHandle<()>) -> bool {
        unreachable!("a model joins its tasks")
    }

    /// As `parking_lot::Mutex`.
    #[derive(Default)]
    pub struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }
        pub fn into_inner(self) -> T {
            self.0.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
        }
    }

    impl<T> Mutex<T> {
        pub fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())))
        }
        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
        }
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner())
        }
        pub fn is_locked(&self) -> bool {
            self.0.try_lock().is_err()
        }
    }

    impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    /// As `parking_lot::MutexGuard`. Empty only while its condition waits.
    pub struct MutexGuard<'a, T>(Option<sync::MutexGuard<'a, T>>);

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.0.as_ref().expect("held")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("held")
        }
    }

    impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    pub use self::{Mutex as BriefMutex, MutexGuard as BriefGuard};

    /// What is waited for with a [`BriefMutex`].
    #[derive(Default)]
    pub struct Condvar(sync::Condvar);

    impl Condvar {
        pub const fn new() -> Self {
            Self(sync::Condvar::new())
        }
        pub fn notify_all(&self) {
            self.0.notify_all();
        }
        pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            let held = guard.0.take().expect("held");
            let held = self.0.wait(held).unwrap_or_else(|poisoned| poisoned.into_inner());
            guard.0 = Some(held);
            guard
        }
        pub fn wait_for<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            _: Duration,
        ) -> (MutexGuard<'a, T>, bool) {
            (self.wait(guard), false)
        }
    }
}

pub use chosen::*;
