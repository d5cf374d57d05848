//! The four waiters of `Cx::wait`, which most elements never use.
//!
//! Invariant: a ticket that was taken before a wake is used up by it, whether or not the waiters were there.
//! In GStreamer: a `GCond` of each element that waits (`plugins/elements/gstqueue.c`).
//! Left out: nothing.

use crate::runtime::{self, EventCount};
use crate::time::AbsoluteTime;
use std::sync::OnceLock;
use std::sync::atomic::{Ordering, fence};

/// Made when a ticket is first taken.
#[derive(Default)]
pub(crate) struct Waiters(OnceLock<Box<[EventCount; 4]>>);

impl Waiters {
    fn all(&self) -> &[EventCount; 4] {
        self.0.get_or_init(Box::default)
    }

    /// [`EventCount::ticket`] of one of them.
    pub fn ticket(&self, n: usize) -> u64 {
        let ticket = self.all()[n].ticket();
        // Who wakes looks whether they are there after its change, and who has a ticket looks for a change after this.
        fence(Ordering::SeqCst);
        ticket
    }

    /// [`EventCount::wait`] of one of them.
    pub fn wait(
        &self,
        n: usize,
        ticket: u64,
        deadline: Option<AbsoluteTime>,
        why: &'static str,
    ) -> bool {
        self.all()[n].wait(ticket, deadline, why)
    }

    /// [`EventCount::wait_to_take`] of one of them.
    pub fn wait_to_take(
        &self,
        n: usize,
        ticket: u64,
        deadline: Option<AbsoluteTime>,
        why: &'static str,
    ) -> bool {
        self.all()[n].wait_to_take(ticket, deadline, why)
    }

    /// [`EventCount::wake`] of one of them.
    pub fn wake(&self, n: usize) {
        if let Some(all) = self.present() {
            all[n].wake();
        }
    }

    /// Wakes all.
    pub fn wake_all(&self) {
        for waiter in self.present().into_iter().flatten() {
            waiter.wake();
        }
    }

    /// They, unless nobody has a ticket.
    #[inline]
    fn present(&self) -> Option<&[EventCount; 4]> {
        match self.0.get() {
            Some(all) => Some(all),
            None => self.look_again(),
        }
    }

    #[cold]
    fn look_again(&self) -> Option<&[EventCount; 4]> {
        // A wake is a place to switch tasks there, for whomever it is.
        if runtime::is_simulated() {
            return Some(self.all());
        }
        fence(Ordering::SeqCst);
        self.0.get().map(|all| &**all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn the_first_ticket_is_not_missed_by_a_wake_that_comes_at_the_same_time() {
        for _ in 0..200 {
            let shared = Arc::new((Waiters::default(), AtomicBool::new(false)));
            let theirs = shared.clone();
            let waker = runtime::spawn("waker", move || {
                theirs.1.store(true, Ordering::Release);
                theirs.0.wake(2);
            });
            let (waiters, is_over) = &*shared;
            loop {
                let ticket = waiters.ticket(2);
                if is_over.load(Ordering::Acquire) {
                    break;
                }
                waiters.wait(2, ticket, None, "the waker");
            }
            assert_eq!(waker.unwrap().join(), None);
        }
    }
}
