//! A [`Lean`] makes a lock cheap for the one thread that takes it again and again.
//!
//! ```text
//!   one thread, again and again   two plain stores and two loads: the lock leans to that thread
//!   another thread comes          calls it out: raises a flag, makes every core see it, waits until it left
//! ```
//!
//! A pad's lock is taken for every buffer by the same thread, and by others at a seek or a stop. So after some
//! times in a row the lock *leans* to a thread: that one says "inside" with a plain store and looks whether it
//! was called, and no instruction waits for the other cores. Whoever else comes has taken the mutex beside it,
//! raises the flag, and pays for both with a barrier across all threads of the process (`os::barrier_of_all`),
//! after which either the leaned-to thread sees the flag or its "inside" is seen.
//!
//! Invariant: `lean` changes under the mutex beside it alone, and never to a thread while another is inside.
//! In GStreamer: none; a `GRecMutex` is two atomic instructions for each buffer and pad.
//! Left out: simulations, whose tasks switch at each lock, and systems without such a barrier: there no lock leans.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{Ordering, compiler_fence};

use super::cover::{self, Cover};
use super::monitor::Monitor;
use super::prim::{AtomicBool, AtomicUsize};
use super::{os, sim, threads};

const NOBODY: usize = 0;
/// Bit of [`Lean::lean`] beside the mark, whose low bits are zero: come out, somebody waits.
const CALLED: usize = 1;
/// Another bit there: whether that thread is in, a cover says.
const COVERED: usize = 2;
/// How often one thread in a row before the lock leans to it; doubled each time it was called out.
const HABIT: u32 = if cfg!(gst_mini_shuttle) { 1 } else { 32 };
const MOST_HABIT: u32 = if cfg!(gst_mini_shuttle) { 1 } else { 1 << 16 };

/// The mark of the thread that asks, looked up once for many locks.
#[derive(Clone, Copy)]
pub(crate) struct Me(pub(super) usize);

impl Me {
    #[inline]
    pub fn here() -> Me {
        Me(threads::thread_mark())
    }

    /// For who keeps it.
    pub fn mark(self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.0)
    }
}

/// The way in without the mutex.
#[derive(Default)]
#[repr(C)]
pub(super) struct Lean {
    /// The mark of the thread it leans to, and [`CALLED`].
    lean: AtomicUsize,
    /// That thread is in. Written by that thread alone.
    inside: AtomicBool,
    /// Where who called waits until the other is out.
    leaving: Monitor<()>,
}

/// Who took the mutex lately; under it.
pub(super) struct Habit {
    last: usize,
    times: u32,
    /// Times in a row until it leans.
    wanted: u32,
    /// What lies over the lock, and the place of the lock there.
    cover: Option<(Arc<Cover>, usize)>,
}

impl Default for Habit {
    fn default() -> Self {
        Habit::new()
    }
}

impl Habit {
    pub const fn new() -> Self {
        Habit { last: NOBODY, times: 0, wanted: HABIT, cover: None }
    }

    /// A thread has the mutex.
    pub fn note(&mut self, Me(me): Me) {
        if self.last == me {
            self.times = self.times.saturating_add(1);
        } else {
            (self.last, self.times) = (me, 0);
        }
    }
}

impl Lean {
    pub const fn new() -> Self {
        Self {
            lean: AtomicUsize::new(NOBODY),
            inside: AtomicBool::new(false),
            leaving: Monitor::new(()),
        }
    }

    /// Goes in if it leans to this thread, which is not in, and nobody calls. Then [`Lean::leave`].
    #[inline]
    pub fn enter(&self, Me(me): Me) -> bool {
        if self.lean.load(Ordering::Relaxed) != me || self.inside.load(Ordering::Relaxed) {
            return false;
        }
        self.inside.store(true, Ordering::Relaxed);
        // The barrier of who calls stands for the fence that is wanted here.
        compiler_fence(Ordering::SeqCst);
        if self.lean.load(Ordering::Acquire) == me {
            return true;
        }
        self.leave();
        false
    }

    #[inline]
    pub fn leave(&self) {
        self.inside.store(false, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        if self.lean.load(Ordering::Relaxed) & CALLED != 0 {
            self.tell_left();
        }
    }

    #[cold]
    fn tell_left(&self) {
        self.leaving.lock().notify_all();
    }

    /// Whether this thread is in.
    #[inline]
    pub fn is_in(&self, Me(me): Me) -> bool {
        let lean = self.lean.load(Ordering::Relaxed);
        lean & !(CALLED | COVERED) == me
            && if lean & COVERED == 0 {
                self.inside.load(Ordering::Relaxed)
            } else {
                cover::holds(self.address())
            }
    }

    /// Whether a thread is in, for who has the mutex.
    pub fn is_inside(&self, habit: &Habit) -> bool {
        let is_covered = || habit.cover.as_ref().is_some_and(|(cover, place)| cover.is_at(*place));
        self.inside.load(Ordering::Relaxed) || is_covered()
    }

    /// What a cover knows the lock by.
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Puts a cover over the lock if it leans to this thread, which is not in; for who has the mutex.
    pub fn lay(&self, Me(me): Me, habit: &mut Habit, cover: &Arc<Cover>, place: usize) -> bool {
        let leans = self.lean.load(Ordering::Relaxed) == me;
        if leans && !self.inside.load(Ordering::Relaxed) {
            habit.cover = Some((cover.clone(), place));
            self.lean.store(me | COVERED, Ordering::Release);
            return true;
        }
        false
    }

    /// Makes sure that nobody is in, and that nobody comes in; for who has the mutex. `false` if somebody is, and
    /// that is not to be waited for.
    #[inline]
    pub fn call_out(&self, me: Me, habit: &mut Habit, wait: bool) -> bool {
        let leaned = self.lean.load(Ordering::Relaxed);
        leaned == NOBODY || self.call_out_of(leaned, me, habit, wait)
    }

    #[cold]
    fn call_out_of(&self, leaned: usize, Me(me): Me, habit: &mut Habit, wait: bool) -> bool {
        if leaned & COVERED != 0 {
            let is_mine = leaned == me | COVERED;
            if let Some((cover, place)) = &habit.cover
                && !cover.call_out(*place, is_mine, wait)
            {
                return false;
            }
            habit.cover = None;
        } else if leaned != me {
            self.lean.fetch_or(CALLED, Ordering::SeqCst);
            os::barrier_of_all();
            if self.inside.load(Ordering::Acquire) {
                if !wait {
                    self.lean.store(leaned, Ordering::Release);
                    return false;
                }
                let mut leaving = self.leaving.lock();
                while self.inside.load(Ordering::Acquire) {
                    leaving.wait("a stream lock");
                }
            }
            habit.wanted = habit.wanted.saturating_mul(2).min(MOST_HABIT);
        }
        self.lean.store(NOBODY, Ordering::Release);
        true
    }

    /// Leans to who has the mutex, and gives it up now, if that is its habit.
    #[inline]
    pub fn maybe_lean(&self, habit: &Habit) {
        if habit.times >= habit.wanted {
            self.lean_to(habit.last);
        }
    }

    #[cold]
    fn lean_to(&self, thread: usize) {
        if sim::current().is_none() && os::has_barrier_of_all() {
            self.lean.store(thread, Ordering::Release);
        }
    }
}
