//! A [`Cover`] lies over a row of locks and words that one thread passes for every buffer: one word to look at, and one
//! to say how far it is, in place of each of theirs.
//!
//! ```text
//!   the thread      depth = n ─▶ word is 0? ─▶ in the first n places      plain store, plain look
//!   somebody else   takes the lock at place p, or raises a bit there: word = 1, all cores see it,
//!                   and for the lock waits until depth <= p
//! ```
//!
//! A lock that leans (see `lean`) costs its thread a store and three looks at a cache line of its own, and the bits of
//! attention beside it as many again. Where a row of them is passed in one loop, whoever is rare pays for all: who
//! wants one of the locks, or raises a bit, breaks the cover of the whole row, and from then on each place is looked
//! at by itself until the thread lays a new one.
//!
//! Invariant: once a cover was broken it stays broken; and who broke it at a place knows whether the thread is in there.
//! In GStreamer: none; each pad's lock and flags are taken and read for each buffer.
//! Left out: what a lock that leans leaves out: simulations, and systems without a barrier of all threads.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{Ordering, compiler_fence};

use super::monitor::Monitor;
use super::os;
use super::prim::{AtomicU32, AtomicUsize, Mutex, thread_local};

/// One word for a row of places.
#[derive(Default)]
pub(crate) struct Cover {
    /// Not zero: broken.
    word: AtomicU32,
    /// The first so many places the thread is in. Written by that thread alone.
    depth: AtomicUsize,
    /// The locks in the row, told apart by address.
    locks: Box<[usize]>,
    /// Where who broke it waits until the thread is out.
    leaving: Monitor<()>,
}

impl Cover {
    /// For a row of locks with those addresses.
    pub(crate) fn new(locks: Box<[usize]>) -> Cover {
        Cover { locks, ..Cover::default() }
    }

    /// Whether nobody broke it.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }

    /// Something in the row is not as usual. Any thread.
    #[cold]
    pub fn tear(&self) {
        self.word.fetch_or(1, Ordering::SeqCst);
    }

    /// The thread is in the first `depth` places, if this is whole; otherwise it stays in the first `before`.
    #[inline]
    fn enter(&self, before: usize, depth: usize) -> bool {
        self.depth.store(depth, Ordering::Relaxed);
        // The barrier of who tears it stands for the fence that is wanted here, as in `Lean::enter`.
        compiler_fence(Ordering::SeqCst);
        if self.is_whole() {
            return true;
        }
        self.leave(before);
        false
    }

    /// The thread is in the first `depth` places only. Whether this is whole.
    #[inline]
    fn leave(&self, depth: usize) -> bool {
        self.depth.store(depth, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        let is_whole = self.is_whole();
        if !is_whole {
            self.tell_left();
        }
        is_whole
    }

    #[cold]
    fn tell_left(&self) {
        self.leaving.lock().notify_all();
    }

    /// Makes sure that the thread is not at `place` and does not come there unseen; for who has the mutex of the lock
    /// there. `false` if it is, and that is not to be waited for.
    #[cold]
    pub(super) fn call_out(&self, place: usize, is_mine: bool, wait: bool) -> bool {
        self.tear();
        if is_mine {
            // A thread knows where it is, and it is not there.
            return true;
        }
        os::barrier_of_all();
        if self.is_at(place) {
            if !wait {
                return false;
            }
            let mut leaving = self.leaving.lock();
            while self.is_at(place) {
                leaving.wait("a stream lock");
            }
        }
        true
    }

    /// Whether the thread is at that place.
    pub(super) fn is_at(&self, place: usize) -> bool {
        self.depth.load(Ordering::Acquire) > place
    }

    /// Whether the thread is in a lock.
    fn is_in(&self, lock: usize) -> bool {
        let depth = self.depth.load(Ordering::Relaxed);
        self.locks.iter().take(depth).any(|known| *known == lock)
    }
}

thread_local! {
    /// The innermost walk of this thread under a cover.
    static INSIDE: Cell<*const Walk<'static>> = const { Cell::new(ptr::null()) };
}

/// A thread on its way through a row under a cover. It stays on the stack where it began.
pub(crate) struct Walk<'a> {
    cover: &'a Cover,
    /// Further up the stack.
    outer: *const Walk<'static>,
}

impl Walk<'_> {
    /// Runs `walk` with this thread on its way through the row, at its beginning.
    #[inline]
    pub fn along<R>(cover: &Cover, walk: impl FnOnce(&Walk<'_>) -> R) -> R {
        let inside = Walk { cover, outer: INSIDE.with(Cell::get) };
        INSIDE.with(|innermost| innermost.set((&raw const inside).cast()));
        walk(&inside)
    }

    /// Goes on into the first `depth` places, having been in the first `before`. `false`: the cover was torn, and it
    /// stays where it was.
    #[inline]
    pub fn enter(&self, before: usize, depth: usize) -> bool {
        self.cover.enter(before, depth)
    }

    /// Out of all places but the first `depth`. Whether the cover is whole.
    #[inline]
    pub fn leave(&self, depth: usize) -> bool {
        self.cover.leave(depth)
    }
}

impl Drop for Walk<'_> {
    #[inline]
    fn drop(&mut self) {
        // After a panic.
        if self.cover.depth.load(Ordering::Relaxed) > 0 {
            self.cover.leave(0);
        }
        INSIDE.with(|innermost| innermost.set(self.outer));
    }
}

/// The walks of a task, to be kept while another one has its thread.
#[derive(Clone, Copy)]
pub(super) struct Walks(*const Walk<'static>);

impl Walks {
    /// Of a task that begins.
    pub const NONE: Walks = Walks(ptr::null());

    /// Gives the thread these and takes what it had.
    pub fn swap(&mut self) {
        self.0 = INSIDE.with(|innermost| innermost.replace(self.0));
    }
}

/// Whether this thread is in the lock of that address, on a walk under a cover.
#[cold]
pub(super) fn holds(lock: usize) -> bool {
    let mut next = INSIDE.with(Cell::get);
    // SAFETY: each is on this thread's stack, further up, and was taken out of the list before it went.
    while let Some(walk) = unsafe { next.as_ref() } {
        if walk.cover.is_in(lock) {
            return true;
        }
        next = walk.outer;
    }
    false
}

/// A word of bits, each of which is rare: raising one tears the cover that lies over the word.
#[derive(Default)]
pub(crate) struct Attention {
    bits: AtomicU32,
    cover: Mutex<Option<Arc<Cover>>>,
}

impl Attention {
    pub const fn new(bits: u32) -> Attention {
        Attention { bits: AtomicU32::new(bits), cover: Mutex::new(None) }
    }

    #[inline]
    pub fn get(&self) -> u32 {
        self.bits.load(Ordering::Acquire)
    }

    /// Any thread.
    pub fn raise(&self, bits: u32) {
        self.bits.fetch_or(bits, Ordering::AcqRel);
        self.tear();
    }

    /// The bits before.
    pub fn clear(&self, bits: u32) -> u32 {
        self.bits.fetch_and(!bits, Ordering::AcqRel)
    }

    /// The bits before, as something that was said of one of them is not so any more.
    pub fn retract(&self, bits: u32) -> u32 {
        let before = self.clear(bits);
        self.tear();
        before
    }

    fn tear(&self) {
        // Who lays a cover puts it here before it looks at the bits.
        if let Some(cover) = self.cover.lock().take() {
            cover.tear();
        }
    }

    /// Puts a cover over the word. The bits that are set.
    pub(crate) fn lay(&self, cover: &Arc<Cover>) -> u32 {
        *self.cover.lock() = Some(cover.clone());
        self.get()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Me, StreamLock};
    use super::*;
    use crate::runtime;
    use std::sync::atomic::AtomicBool;

    /// Locks that lean to this thread, under a cover; nothing where no lock leans.
    fn covered() -> Option<(Arc<[StreamLock; 3]>, Arc<Cover>)> {
        let locks = Arc::new([const { StreamLock::new() }; 3]);
        for lock in locks.iter() {
            (0..100).for_each(|_| drop(lock.lock().unwrap()));
        }
        let cover = Arc::new(Cover::new(locks.iter().map(StreamLock::address).collect()));
        let mut places = locks.iter().enumerate();
        let is_laid = places.all(|(place, lock)| lock.lay(Me::here(), &cover, place, || true));
        assert_eq!(is_laid, os::has_barrier_of_all());
        is_laid.then_some((locks, cover))
    }

    #[test]
    fn a_thread_has_the_locks_that_it_passed_and_no_others() {
        let Some((locks, cover)) = covered() else { return };
        Walk::along(&cover, |walk| {
            assert!(walk.enter(0, 1) && walk.enter(1, 2));
            assert!(locks[0].is_mine() && locks[1].lock().is_err() && !locks[2].is_mine());
            assert!(cover.is_whole(), "asking for what one has tears nothing");
            assert!(locks[2].try_lock().is_some());
            assert!(!walk.enter(2, 3) && !cover.is_whole());
            assert!(locks[1].is_mine() && !locks[2].is_mine());
            walk.leave(0);
        });
        assert!(locks.iter().all(|lock| !lock.is_mine() && lock.lock().is_ok()));
    }

    #[test]
    fn who_comes_gets_what_is_free_at_once_and_the_rest_when_the_thread_is_out() {
        let Some((locks, cover)) = covered() else { return };
        let was_in = Arc::new(AtomicBool::new(false));
        let waiting = Walk::along(&cover, |walk| {
            assert!(walk.enter(0, 1) && walk.enter(1, 2));
            let theirs = locks.clone();
            let trying = move || {
                assert!(theirs[0].try_lock().is_none() && theirs[2].try_lock().is_some());
            };
            assert_eq!(runtime::spawn("trying", trying).unwrap().join(), None);
            assert!(!walk.enter(2, 3));
            let (theirs, seen) = (locks.clone(), was_in.clone());
            let waiting = runtime::spawn("waiting", move || {
                let _held = theirs[1].lock().unwrap();
                seen.store(true, Ordering::SeqCst);
            });
            (0..100).for_each(|_| os::yield_core());
            assert!(!was_in.load(Ordering::SeqCst), "two are in");
            walk.leave(1);
            waiting.unwrap()
        });
        assert_eq!(waiting.join(), None);
        assert!(was_in.load(Ordering::SeqCst));
    }

    #[test]
    fn a_bit_that_is_raised_tears_the_cover_over_its_word() {
        let (word, cover) = (Attention::new(0), Arc::new(Cover::default()));
        assert!(word.lay(&cover) == 0 && cover.is_whole());
        word.raise(4);
        assert_eq!((word.get(), cover.is_whole()), (4, false));
        assert_eq!(word.lay(&Arc::new(Cover::default())), 4, "it is raised");
        assert_eq!((word.clear(4), word.get()), (4, 0));
    }
}
