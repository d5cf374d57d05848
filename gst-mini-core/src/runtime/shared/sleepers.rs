//! [`Sleepers`]: the fibers that wait for one thing, beside the condition variable that threads wait at.
//!
//! Invariant: who changes something and then wakes, wakes every fiber that was added before it looked.
//! In GStreamer: `GCond`.
//! Left out: waking one alone; who waits looks again.

use std::sync::Arc;

use parking_lot::Mutex;

use super::fiber::Fiber;
use super::worker;
use crate::time::AbsoluteTime;

/// Fibers that wait, each with the ticket of its wait.
#[derive(Debug, Default)]
pub(in super::super) struct Sleepers(Mutex<Vec<(Arc<Fiber>, u64)>>);

impl Sleepers {
    pub const fn new() -> Self {
        Sleepers(Mutex::new(Vec::new()))
    }

    /// Suspends this fiber until it is woken here, or the deadline comes; whether it was woken. Once it would be,
    /// `unlock` lets others make their changes.
    pub fn wait(&self, deadline: Option<AbsoluteTime>, unlock: impl FnOnce()) -> bool {
        let mut own = None;
        let woken = worker::wait(deadline, |(fiber, ticket)| {
            own = Some(ticket);
            self.0.lock().push((fiber, ticket));
            unlock();
        });
        if !woken {
            self.0.lock().retain(|(fiber, ticket)| Some(*ticket) != own || !worker::is_current(fiber));
        }
        woken
    }

    /// Takes on this fiber what `attempt` gives as soon as it gives it; whoever makes that possible wakes it here.
    pub fn take<R>(&self, attempt: impl Fn() -> Option<R>) -> R {
        loop {
            let mut got = None;
            worker::wait(None, |(fiber, ticket)| {
                self.0.lock().push((fiber.clone(), ticket));
                // After it was added, so that nobody gives it back unseen.
                got = attempt();
                if got.is_some() {
                    self.0.lock().retain(|(other, old)| *old != ticket || !Arc::ptr_eq(other, &fiber));
                    fiber.wake(ticket);
                }
            });
            if let Some(got) = got {
                return got;
            }
        }
    }

    /// Wakes all. Any thread. Whether there was one.
    pub fn wake_all(&self) -> bool {
        let mut sleeping = self.0.lock();
        let had_some = !sleeping.is_empty();
        for (fiber, ticket) in sleeping.drain(..) {
            fiber.wake(ticket);
        }
        had_some
    }
}
