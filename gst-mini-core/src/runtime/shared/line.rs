//! A [`Line`] of fibers that want a lock which is held across waits.
//!
//! ```text
//!   gives it back ─▶ wakes the first, which stays in front until it has the lock
//!   comes anew    ─▶ somebody is in line: goes behind, even if the lock is free
//! ```
//!
//! Invariant: of fibers the first to come is the first to have it. A streaming task that gives a lock back and takes it
//! again at once would else always be quicker than who has to be woken for it.
//! In GStreamer: none; who gets a `GRecMutex` next is the system's choice.
//! Left out: threads. They wait in the mutex itself, and may come first.

use std::sync::Arc;

use parking_lot::Mutex;

use super::fiber::Fiber;
use super::seldom::Seldom;
use super::worker;

/// Fibers with the tickets of their waits, in the order they came.
#[derive(Debug, Default)]
pub(in super::super) struct Line(Seldom<Mutex<Vec<(Arc<Fiber>, u64)>>>);

impl Line {
    pub const fn new() -> Self {
        Line(Seldom::new())
    }

    pub fn is_empty(&self) -> bool {
        self.0.get().is_none_or(|line| line.lock().is_empty())
    }

    /// Takes on this fiber what `attempt` gives, when it is its turn. Whoever makes that possible calls
    /// [`wake_first`](Self::wake_first) then.
    pub fn take<R>(&self, attempt: impl Fn() -> Option<R>) -> R {
        loop {
            let mut got = None;
            worker::wait(None, [0; 2], |fiber, ticket| {
                // Before the attempt, so that nobody gives it back unseen.
                if self.stand(fiber, ticket) {
                    got = attempt();
                }
                if got.is_some() {
                    self.0.get_or_make().lock().remove(0);
                    fiber.clone().wake(ticket);
                }
            });
            if let Some(got) = got {
                return got;
            }
        }
    }

    /// That fiber waits in line with this ticket. Whether it is the first.
    fn stand(&self, fiber: &Arc<Fiber>, ticket: u64) -> bool {
        let mut line = self.0.get_or_make().lock();
        match line.iter().position(|(other, _)| Arc::ptr_eq(other, fiber)) {
            Some(at) => {
                line[at].1 = ticket;
                at == 0
            }
            None => {
                line.push((fiber.clone(), ticket));
                line.len() == 1
            }
        }
    }

    /// The lock is free. Any thread.
    pub fn wake_first(&self) {
        let Some(line) = self.0.get() else { return };
        if let Some((fiber, ticket)) = line.lock().first() {
            fiber.clone().wake(*ticket);
        }
    }
}
