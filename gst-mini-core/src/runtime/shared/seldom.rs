//! What each lock and monitor might need for fibers, and nearly none ever does: a pointer, until it is needed.
//!
//! Invariant: who changed something and then finds nothing here did so before anybody who comes here looks at that.
//! In GStreamer: nothing.
//! Left out: taking it away again.

use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering, fence};

/// A boxed value that is made when it is first asked for.
pub(super) struct Seldom<T>(AtomicPtr<T>);

impl<T> Seldom<T> {
    pub const fn new() -> Self {
        Seldom(AtomicPtr::new(ptr::null_mut()))
    }

    /// The value, if there is one.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        let found = self.load();
        if found.is_some() {
            return found;
        }
        // Of this and the fence below one comes first.
        fence(Ordering::SeqCst);
        self.load()
    }

    fn load(&self) -> Option<&T> {
        // SAFETY: null, or a box's that lives as long as this.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }
}

impl<T: Default> Seldom<T> {
    /// The value; what is read after this is read behind what was written before a [`get`](Self::get) that found none.
    pub fn get_or_make(&self) -> &T {
        let value = self.load().unwrap_or_else(|| self.make());
        fence(Ordering::SeqCst);
        value
    }

    #[cold]
    fn make(&self) -> &T {
        let new = Box::into_raw(Box::<T>::default());
        let none = ptr::null_mut();
        match self.0.compare_exchange(none, new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it is this value's from here on, and stays.
            Ok(_) => unsafe { &*new },
            Err(other) => {
                // SAFETY: nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: as above, of who was faster.
                unsafe { &*other }
            }
        }
    }
}

impl<T> Drop for Seldom<T> {
    fn drop(&mut self) {
        let made = *self.0.get_mut();
        if !made.is_null() {
            // SAFETY: it came from a box, and nobody has this any more.
            drop(unsafe { Box::from_raw(made) });
        }
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Seldom::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Seldom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seldom").field(&self.load()).finish()
    }
}

// SAFETY: it is a box that is reached through shared references.
unsafe impl<T: Send + Sync> Sync for Seldom<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Seldom<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::sync::Arc;

    #[test]
    fn all_who_come_at_once_find_the_same() {
        let seldom = Arc::new(Seldom::<Mutex<u32>>::new());
        assert!(seldom.get().is_none());
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let seldom = seldom.clone();
                let count = move || (0..1000).for_each(|_| *seldom.get_or_make().lock() += 1);
                crate::runtime::spawn("counting", count).unwrap()
            })
            .collect();
        for task in tasks {
            assert_eq!(task.join(), None);
        }
        assert_eq!(*seldom.get().unwrap().lock(), 4000);
    }
}
