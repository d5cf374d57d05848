//! A [`Monitor`] is a value behind a lock, with a place to wait until it changes.
//!
//! ```text
//! task A   lock ── look ── wait ·············· look again ── go on
//! task B                    lock ── change ── notify_all ── unlock
//! ```
//!
//! Invariant: between looking and waiting nobody else gets the lock, so no change is missed.
//! In GStreamer: `GMutex` with `GCond`, as in `gst/gsttask.c` (`GST_TASK_WAIT`).
//! Left out: waking one waiter only; waiters may wait for different things.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::near::Near;
use super::patience::Patience;
use super::prim::{BriefGuard, BriefMutex, Condvar};
use super::shared::{self, Sleepers};
use super::{observer, prompt, sim, stack};
use crate::time::AbsoluteTime;

/// A value behind a lock that tasks can wait on. The lock is for short looks and changes: a guard is
/// never held across another wait.
///
/// Waiting may end for no reason, so it belongs in a loop that looks again. Under Sim, waiters are
/// known by the monitor's address; only tasks of the same simulation wake each other.
#[derive(Default)]
pub struct Monitor<T> {
    changed: Condvar,
    /// Who waits without a thread of its own.
    sleepers: Sleepers,
    value: BriefMutex<T>,
}

impl<T> Monitor<T> {
    /// A monitor over `value`.
    pub const fn new(value: T) -> Self {
        Self { changed: Condvar::new(), sleepers: Sleepers::new(), value: BriefMutex::new(value) }
    }

    /// The value, once nobody can lock it any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T> Monitor<T> {
    /// Locks the value. Under Sim another task may run first.
    pub fn lock(&self) -> MonitorGuard<'_, T> {
        let (value, is_simulated) = match sim::current() {
            Some(sim) => (sim.lock(self.lock_key(), || self.value.lock()), true),
            None => (self.lock_real(), false),
        };
        MonitorGuard { monitor: self, value: Some(value), notify: false, is_simulated }
    }

    fn lock_real(&self) -> BriefGuard<'_, T> {
        if shared::is_on() { shared::lock(&self.value) } else { self.value.lock() }
    }

    fn wake_all(&self) {
        self.changed.notify_all();
        if shared::is_on() {
            self.sleepers.wake_all();
        }
    }

    /// Wakes every task that waits here. Call it after the change, with or without the lock.
    pub fn notify_all(&self) {
        self.wake_all();
        if let Some(sim) = sim::current() {
            sim.notify(self.wait_key());
            sim.maybe_switch();
        }
    }

    /// The value without locking, as nobody else can have it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    fn lock_key(&self) -> usize {
        std::ptr::from_ref(&self.value).addr()
    }

    fn wait_key(&self) -> usize {
        std::ptr::from_ref(&self.changed).addr()
    }
}

impl<T: fmt::Debug> fmt::Debug for Monitor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.try_lock() {
            Some(value) => f.debug_tuple("Monitor").field(&&*value).finish(),
            None => f.write_str("Monitor(<locked>)"),
        }
    }
}

/// The lock of a [`Monitor`].
pub struct MonitorGuard<'a, T> {
    monitor: &'a Monitor<T>,
    /// Given up in `drop`, and while a fiber waits, so that a simulated switch comes after the unlocking.
    value: Option<BriefGuard<'a, T>>,
    /// Others are to be woken when the lock is free: who is woken before finds it taken, and sleeps again.
    notify: bool,
    /// By a task of a simulation, which it stays with.
    is_simulated: bool,
}

impl<T> MonitorGuard<'_, T> {
    /// Gives the lock up, waits for [`notify_all`](Monitor::notify_all), and takes the lock again.
    /// May return for no reason. `why` names the wait in traces and in the graph of a deadlock.
    pub fn wait(&mut self, why: &'static str) {
        self.block(None, why);
    }

    /// As [`wait`](Self::wait), but at most until the runtime's clock reads `deadline`. Whether it was
    /// woken; `false`: the deadline came. The deadline is absolute, so waiting again does not drift.
    pub fn wait_until(&mut self, deadline: AbsoluteTime, why: &'static str) -> bool {
        self.block(Some(deadline), why)
    }

    /// As [`wait_until`](Self::wait_until) with a deadline that may be absent.
    pub fn wait_maybe(&mut self, deadline: Option<AbsoluteTime>, why: &'static str) -> bool {
        self.block(deadline, why)
    }

    /// Wakes every task that waits here. They go on when this guard is dropped.
    pub fn notify_all(&mut self) {
        self.notify = true;
        if let Some(sim) = sim::current() {
            sim.notify(self.monitor.wait_key());
        }
    }

    fn block(&mut self, deadline: Option<AbsoluteTime>, why: &'static str) -> bool {
        let monitor = self.monitor;
        if self.notify && !self.is_simulated {
            self.notify = false;
            monitor.wake_all();
        }
        if !self.is_simulated && shared::is_here() {
            let woken = observer::wait(why, deadline, || {
                monitor.sleepers.wait(deadline, || self.value = None)
            });
            self.value = Some(monitor.lock_real());
            return woken;
        }
        let value = &mut self.value;
        let take =
            |value: &mut Option<_>| value.take().expect("a guard has its lock until it is dropped");
        observer::wait(why, deadline, || match (sim::current(), deadline) {
            (Some(sim), _) => {
                drop(take(value));
                let woken = sim.wait(monitor.wait_key(), monitor.lock_key(), deadline, why);
                *value = Some(monitor.value.lock());
                woken
            }
            (None, Some(deadline)) => {
                stack::about_to_wait();
                let left = deadline.since(super::now());
                let left = Duration::from_nanos(left.nanos());
                let (held, is_over) = monitor.changed.wait_for(take(value), left);
                *value = Some(held);
                !is_over
            }
            (None, None) => {
                stack::about_to_wait();
                *value = Some(monitor.changed.wait(take(value)));
                true
            }
        })
    }
}

impl<T> Deref for MonitorGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("a guard has its lock until it is dropped")
    }
}

impl<T> DerefMut for MonitorGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a guard has its lock until it is dropped")
    }
}

impl<T> Drop for MonitorGuard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        if self.notify {
            self.monitor.wake_all();
        }
        if !self.is_simulated {
            return;
        }
        if let Some(sim) = sim::current() {
            sim.unlocked(self.monitor.lock_key());
            if self.notify {
                sim.maybe_switch();
            }
        }
    }
}

/// Counts wake-ups, for waiting on a state that is not behind the monitor: across the plugin
/// boundary, or in atomics. Take a [`ticket`](Self::ticket), look at the state, then wait on the ticket.
///
/// Who waits yields a little before it blocks, where lately it was woken soon after blocking: waking a thread
/// that sleeps on another core takes longer than most of what it waits for. See `patience`.
#[derive(Debug, Default)]
pub struct EventCount {
    /// Read without a lock: a ticket is taken under a lock of the element's own, where a switch of task could
    /// not be allowed.
    generation: AtomicU64,
    /// How many are about to block, or do.
    blocked: AtomicU32,
    waiting: Monitor<Near>,
    patience: Patience,
}

impl EventCount {
    /// A count that nobody has woken yet.
    pub const fn new() -> Self {
        Self {
            generation: AtomicU64::new(0),
            blocked: AtomicU32::new(0),
            waiting: Monitor::new(Near::new()),
            patience: Patience::new(),
        }
    }

    /// The present generation. Take it *before* looking at the state. Takes no lock and never
    /// switches tasks.
    #[inline]
    pub fn ticket(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Waits until there was a [`wake`](Self::wake) after `ticket` was taken (at once if there has
    /// been one), or the deadline comes. Whether there was one.
    pub fn wait(&self, ticket: u64, deadline: Option<AbsoluteTime>, why: &'static str) -> bool {
        self.wait_as(ticket, deadline, why, false)
    }

    /// As [`wait`](Self::wait), for the thread of a task that waits for what it takes from others.
    pub(crate) fn wait_to_take(
        &self,
        ticket: u64,
        deadline: Option<AbsoluteTime>,
        why: &'static str,
    ) -> bool {
        self.wait_as(ticket, deadline, why, true)
    }

    fn wait_as(
        &self,
        ticket: u64,
        deadline: Option<AbsoluteTime>,
        why: &'static str,
        takes: bool,
    ) -> bool {
        if self.ticket() != ticket {
            return true;
        }
        let is_threaded = sim::current().is_none() && !shared::is_here();
        if is_threaded && self.patience.yields_until(|| self.ticket() != ticket) {
            return true;
        }
        if !is_threaded {
            return self.block(ticket, deadline, why, None);
        }
        let began = super::now().nanos();
        let woken = self.block(ticket, deadline, why, takes.then_some(began));
        let blocked = super::now().nanos().saturating_sub(began);
        self.patience.blocked_for(blocked);
        if takes {
            prompt::blocked_for(blocked);
        }
        woken
    }

    /// `takes`: when a thread of its own began to wait for what it takes from others.
    fn block(
        &self,
        ticket: u64,
        deadline: Option<AbsoluteTime>,
        why: &'static str,
        takes: Option<u64>,
    ) -> bool {
        let mut waiting = self.waiting.lock();
        let lies_down = takes.is_some_and(|began| waiting.lies_down(began));
        // Who wakes looks at this after it changed the generation, and this looks at the generation after.
        self.blocked.fetch_add(1, Ordering::SeqCst);
        let woken = loop {
            if self.generation.load(Ordering::SeqCst) != ticket {
                break true;
            }
            if !waiting.wait_maybe(deadline, why) {
                break self.ticket() != ticket;
            }
        };
        if lies_down {
            waiting.gets_up();
        }
        self.blocked.fetch_sub(1, Ordering::SeqCst);
        woken
    }

    /// Ends every wait on a ticket taken so far. Call it *after* changing the state.
    pub fn wake(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        if self.blocked.load(Ordering::SeqCst) != 0 || sim::current().is_some() {
            let mut waiting = self.waiting.lock();
            let began = waiting.is_woken();
            waiting.notify_all();
            drop(waiting);
            if began.is_some_and(Near::went_on) {
                self.waiting.lock().was_in_the_way();
            }
        }
    }
}
