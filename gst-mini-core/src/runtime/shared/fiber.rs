//! A [`Fiber`] is what others know of a task that shares its thread: how to wake it, and whether it has ended.
//!
//! ```text
//!   word   ticket of the wait, and two bits: waiting, timed out
//!          who clears the first, and nobody else, makes it go on
//! ```
//!
//! Invariant: each wait has a ticket of its own, so who comes late with an old one wakes nobody.
//! In GStreamer: `gst/gsttask.c` (`GstTask::cond`).
//! Left out: priorities.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::worker::Worker;
use crate::runtime::Monitor;

const WAITING: u64 = 1;
const TIMED_OUT: u64 = 2;
const NEXT: u64 = 4;

/// One task, as seen from any thread.
pub(super) struct Fiber {
    home: Arc<Worker>,
    /// The place of its stack among those of its worker; set there.
    pub slot: AtomicUsize,
    /// The ticket of the last wait: a number times [`NEXT`], and the two bits.
    word: AtomicU64,
}

impl Fiber {
    pub fn new(home: Arc<Worker>) -> Arc<Fiber> {
        Arc::new(Fiber { home, slot: AtomicUsize::new(usize::MAX), word: AtomicU64::new(0) })
    }

    /// Unique among live fibers and threads; its low bits are zero.
    pub fn mark(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    /// A wait begins. On its worker, which looks at what woke it only once it is suspended.
    pub fn begin_wait(&self) -> u64 {
        let ticket = (self.word.load(Ordering::Relaxed) & !TIMED_OUT | WAITING) + NEXT;
        self.word.store(ticket, Ordering::SeqCst);
        ticket
    }

    /// Ends that wait because its time came, if it goes on. Whether it did.
    pub fn time_out(&self, ticket: u64) -> bool {
        self.end_wait(ticket, ticket & !WAITING | TIMED_OUT)
    }

    /// Whether the last wait ended because its time came.
    pub fn timed_out(&self) -> bool {
        self.word.load(Ordering::Relaxed) & TIMED_OUT != 0
    }

    fn end_wait(&self, ticket: u64, over: u64) -> bool {
        self.word.compare_exchange(ticket, over, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// Whether that wait goes on.
    pub fn waits(&self, ticket: u64) -> bool {
        self.word.load(Ordering::Relaxed) == ticket
    }

    /// Lets it go on if it is in that wait. Any thread. Whether it was.
    pub fn wake(self: Arc<Self>, ticket: u64) -> bool {
        let woken = self.end_wait(ticket, ticket & !WAITING);
        if woken {
            self.home.clone().ready(self);
        }
        woken
    }
}

/// How a fiber ended, once it has.
#[derive(Default)]
pub(super) struct Ended(Monitor<Option<Option<String>>>);

impl Ended {
    /// It ended; with the text of its panic.
    pub fn tell(&self, panic: Option<String>) {
        let mut ended = self.0.lock();
        *ended = Some(panic);
        ended.notify_all();
    }
}

/// A fiber as seen by who spawned it.
pub(in super::super) struct Handle(pub(super) Arc<Ended>);

impl Handle {
    pub fn is_finished(&self) -> bool {
        self.0.0.lock().is_some()
    }

    /// Waits for its end; the text of its panic.
    pub fn join(self) -> Option<String> {
        let mut ended = self.0.0.lock();
        loop {
            match ended.take() {
                Some(panic) => return panic,
                None => ended.wait("a task to end"),
            }
        }
    }
}

impl fmt::Debug for Fiber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.load(Ordering::Relaxed);
        f.debug_struct("Fiber").field("waits", &(word & WAITING != 0)).finish_non_exhaustive()
    }
}
