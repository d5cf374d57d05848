//! [`Sleepers`]: the fibers that wait for one thing, beside the condition variable that threads wait at.
//!
//! Invariant: who changes something and then wakes, wakes every fiber that was added before it looked.
//! In GStreamer: `GCond`.
//! Left out: waking one alone; who waits looks again.

use std::ptr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::fiber::Fiber;
use super::seldom::Seldom;
use super::worker;
use crate::time::AbsoluteTime;

/// A fiber with the ticket of its wait.
type Sleeper = (Arc<Fiber>, u64);

/// Fibers that wait.
#[derive(Debug, Default)]
pub(in super::super) struct Sleepers(Seldom<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    /// Nearly always there is one at most.
    first: Option<Sleeper>,
    #[allow(clippy::box_collection, reason = "it is seldom there, and each lock would be larger")]
    more: Option<Box<Vec<Sleeper>>>,
}

impl List {
    fn add(&mut self, sleeper: Sleeper) {
        match &mut self.first {
            None => self.first = Some(sleeper),
            Some(_) => self.more.get_or_insert_default().push(sleeper),
        }
    }

    fn remove(&mut self, fiber: &Arc<Fiber>, ticket: u64) {
        let is_it = |(other, old): &Sleeper| *old == ticket && Arc::ptr_eq(other, fiber);
        if self.first.as_ref().is_some_and(is_it) {
            self.first = None;
        } else if let Some(more) = &mut self.more {
            more.retain(|sleeper| !is_it(sleeper));
        }
    }
}

impl Sleepers {
    pub const fn new() -> Self {
        Sleepers(Seldom::new())
    }

    /// Suspends this fiber until it is woken here, or the deadline comes; whether it was woken. Once it would be,
    /// `unlock` lets others make their changes.
    pub fn wait(&self, deadline: Option<AbsoluteTime>, unlock: impl FnOnce()) -> bool {
        let mut own = None;
        let list = self.0.get_or_make();
        let looks_at = [ptr::from_ref(self).addr(), ptr::from_ref(list).addr()];
        let woken = worker::wait(deadline, looks_at, |fiber, ticket| {
            list.lock().add((fiber.clone(), ticket));
            own = Some(ticket);
            unlock();
        });
        if let Some(ticket) = own.filter(|_| !woken) {
            worker::with_current(|fiber| list.lock().remove(fiber, ticket));
        }
        woken
    }

    /// Wakes all. Any thread.
    pub fn wake_all(&self) {
        let Some(sleeping) = self.0.get() else { return };
        let mut sleeping = sleeping.lock();
        let (first, more) = (sleeping.first.take(), sleeping.more.take());
        for (fiber, ticket) in first.into_iter().chain(more.into_iter().flat_map(|more| *more)) {
            fiber.wake(ticket);
        }
    }
}
