//! The simulator: one task runs at a time, a seed chooses which, and time jumps when all wait.
//!
//! Tasks are OS threads that hand one baton around, so any code runs unchanged under it. Whoever has
//! the baton keeps it until it waits, ends, or comes to a place where a switch would be possible on real
//! cores (spawn, notify, stream locks, now and then any lock), where the seed decides.
//!
//! Invariant: all timers due at one instant are released before the next task is chosen; otherwise
//! there is nothing to choose, and two seeds give one trace.
//! In GStreamer: `libs/gst/check/gsttestclock.c` simulates the clock alone; threads run freely there.
//! Left out: fibers (five times faster, but a plugin's thread-locals would be shared by all tasks).

use std::cell::Cell;
use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use parking_lot::{Mutex, MutexGuard};

use super::schedule::{On, Slot, State, Wait, Wakeup};
use super::threads::{self, Me};
use super::{Form, Moment, Task, observer, os, prim, stack, watchdog};
use crate::error::ElementError;
use crate::time::AbsoluteTime;

pub use super::schedule::{Deadlock, TaskWait};

/// 2025-01-01T00:00:00Z in nanoseconds since the Unix epoch: where a simulation's calendar begins.
pub(super) const UTC_EPOCH: u64 = 1_735_689_600_000_000_000;

/// Simulations running in this process. While it is zero, the other form pays one relaxed load.
static ACTIVE_SIMS: AtomicUsize = AtomicUsize::new(0);

/// A simulation.
///
/// Tasks that are alive when [`run`](Self::run) returns never run again; their threads stay parked
/// until the process ends ([`leaked`](Self::leaked) names them).
pub struct Sim {
    shared: Arc<Mutex<State>>,
}

impl Sim {
    /// A simulation whose choices come from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { shared: Arc::new(Mutex::new(State::new(Some(seed)))) }
    }

    /// A simulation in which nothing is left to choose: who runs goes on until it waits, and who could
    /// go on first goes on next. So it is on a machine where a thread that is woken takes its time.
    pub fn in_turn() -> Self {
        Self { shared: Arc::new(Mutex::new(State::new(None))) }
    }

    /// The same, but virtual time that would pass `limit` is reported as a deadlock: something waits
    /// for what never comes, while a clock ticks on.
    pub fn with_limit(self, limit: AbsoluteTime) -> Self {
        self.shared.lock().limit = limit.nanos();
        self
    }

    /// Runs `f` as the task `main` of this simulation, on the calling thread.
    ///
    /// # Errors
    /// [`Deadlock`] when all tasks, `main` included, waited without a deadline. `main` is then unwound
    /// (quietly) while the others stay where they are. Destructors run during that; one that waits again
    /// for what never comes ends the process with the graph on stderr, because a second unwinding is not
    /// possible. So destructors do not wait while `std::thread::panicking()`; where they do,
    /// [`run_apart`](Self::run_apart) is the better one.
    ///
    /// # Panics
    /// A panic of `f` goes on here. Inside another simulation.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> Result<R, Deadlock> {
        assert!(current().is_none(), "a simulation does not run inside another one");
        let id = threads::new_id();
        let slot = Arc::new(Slot::default());
        slot.set_thread(prim::thread::current());
        let main = {
            let mut state = self.shared.lock();
            state.deadlock = None;
            let main = state.add("main".into(), slot.clone());
            state.main = main;
            main
        };
        watchdog::watch(&self.shared);
        let _pinned = os::Pinned::here();
        let sim = Current { shared: self.shared.clone(), me: main, slot };
        let _active = Active::enter(Me { id, name: "main".into(), sim: Some(sim) });
        let result = catch_unwind(AssertUnwindSafe(f));
        let mut state = self.shared.lock();
        state.tasks[main].finished = true;
        match (state.deadlock.take(), result) {
            (Some(deadlock), _) => Err(deadlock),
            (None, Ok(result)) => Ok(result),
            (None, Err(cause)) => {
                drop(state);
                resume_unwind(cause)
            }
        }
    }

    /// As [`run`](Self::run), but `main` has a thread of its own, and after a deadlock it stays where it
    /// is like the others: nothing is unwound, no destructor runs. For hunting through many seeds.
    ///
    /// # Errors
    /// [`Deadlock`], or one that says so when the thread could not be started.
    ///
    /// # Panics
    /// A panic of `f` goes on here.
    pub fn run_apart<R: Send + 'static>(
        &self,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Deadlock> {
        let (answer, result) = mpsc::channel();
        let deadlocked = answer.clone();
        self.shared.lock().report = Some(Box::new(move |deadlock| {
            // Nobody listens only if the caller is gone, and then nobody wants to know.
            let _ = deadlocked.send(Ok(Err(deadlock)));
        }));
        let sim = Sim { shared: self.shared.clone() };
        let started = std::thread::Builder::new()
            .name("main".to_owned())
            .stack_size(stack::STACK_SIZE)
            .spawn(move || {
                let result = catch_unwind(AssertUnwindSafe(|| sim.run(f)));
                let _ = answer.send(result);
            });
        let failed = Deadlock::at_start("the thread of main could not be started");
        let result = started.ok().and_then(|_| result.recv().ok()).unwrap_or(Ok(Err(failed)));
        result.unwrap_or_else(|cause| resume_unwind(cause))
    }

    /// How often more than one task could have been chosen. A scenario with none proves nothing.
    pub fn choices(&self) -> u64 {
        self.shared.lock().choices
    }

    /// How often the baton was given to a task.
    pub fn picks(&self) -> u64 {
        self.shared.lock().picks
    }

    /// The names of tasks that have not ended.
    pub fn leaked(&self) -> Vec<String> {
        let state = self.shared.lock();
        let alive = state.tasks.iter().filter(|task| !task.finished);
        alive.map(|task| task.name.to_string()).collect()
    }
}

/// Undoes what made a thread the main task.
struct Active {
    before: Cell<Option<Me>>,
}

impl Active {
    fn enter(me: Me) -> Self {
        ACTIVE_SIMS.fetch_add(1, Ordering::Relaxed);
        Self { before: Cell::new(threads::become_task(Some(me))) }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        threads::become_task(self.before.take());
        ACTIVE_SIMS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The simulation of the current thread.
#[inline]
pub(super) fn current() -> Option<Current> {
    if ACTIVE_SIMS.load(Ordering::Relaxed) == 0 { None } else { of_this_thread() }
}

#[cold]
fn of_this_thread() -> Option<Current> {
    threads::with_me(|me| me?.sim.clone())
}

/// A task's place in its simulation.
#[derive(Clone)]
pub(super) struct Current {
    shared: Arc<Mutex<State>>,
    me: usize,
    slot: Arc<Slot>,
}

/// What [`Current::rest`] lets happen before it returns.
pub(super) enum Rest {
    Settle,
    Idle,
    Until(AbsoluteTime),
}

/// What main is unwound with after a deadlock.
struct Unwound;

impl Current {
    pub(super) fn now(&self) -> AbsoluteTime {
        AbsoluteTime::from_nanos(self.shared.lock().now)
    }

    pub(super) fn waits(&self) -> Vec<TaskWait> {
        self.shared.lock().describe("").waits
    }

    pub(super) fn spawn(
        &self,
        name: &str,
        f: Box<dyn FnOnce() + Send>,
    ) -> Result<Task, ElementError> {
        let id = threads::new_id();
        let name: Arc<str> = name.into();
        let slot = Arc::new(Slot::default());
        let index = self.shared.lock().add(name.clone(), slot.clone());
        let there = Current { shared: self.shared.clone(), me: index, slot: slot.clone() };
        let in_thread = there.clone();
        let started = threads::start(id, name.clone(), Some(there), move || {
            in_thread.slot.wait_for_baton();
            let result = catch_unwind(AssertUnwindSafe(f));
            in_thread.finish(result.err().map(|cause| threads::panic_text(&*cause)));
        });
        match started {
            Ok(handle) => slot.set_thread(handle.thread().clone()),
            Err(error) => {
                self.shared.lock().tasks[index].finished = true;
                return Err(error);
            }
        }
        self.shared.lock().ready.push(index);
        self.maybe_switch();
        let form = Form::Sim(Handle { shared: self.shared.clone(), index });
        Ok(Task { id, name, form })
    }

    pub(super) fn sleep(&self, deadline: AbsoluteTime) {
        let state = self.shared.lock();
        if deadline.nanos() <= state.now {
            drop(state);
            return self.maybe_switch();
        }
        self.wait_for(state, Wait::new(On::Nothing, Some(deadline), "a moment"));
    }

    pub(super) fn rest(&self, rest: Rest) {
        let mut state = self.shared.lock();
        let why = match rest {
            Rest::Settle => {
                state.settling.push(self.me);
                "the others to settle"
            }
            Rest::Idle => {
                state.idling.push((None, self.me));
                "the others to idle"
            }
            Rest::Until(limit) => {
                state.idling.push((Some(limit.nanos()), self.me));
                "virtual time"
            }
        };
        self.wait_for(state, Wait::new(On::Nothing, None, why));
    }

    /// Waits for a notification at `wait_key`. The monitor's lock is free when this is called, and free
    /// but promised to this task when it returns.
    pub(super) fn wait(
        &self,
        wait_key: usize,
        lock_key: usize,
        deadline: Option<AbsoluteTime>,
        why: &'static str,
    ) -> bool {
        let mut state = self.shared.lock();
        state.release(lock_key, self.me);
        let wakeup = if deadline.is_some_and(|deadline| deadline.nanos() <= state.now) {
            drop(state);
            self.maybe_switch();
            Wakeup::TimedOut
        } else {
            let wakeup = self.block(state, Wait::new(On::Change(wait_key), deadline, why));
            if wakeup == Wakeup::Never {
                self.give_up(Some(lock_key));
            }
            wakeup
        };
        self.reserve(lock_key);
        wakeup == Wakeup::Woken
    }

    pub(super) fn notify(&self, wait_key: usize) {
        self.shared.lock().wake_all(wait_key);
    }

    /// Takes a lock of any kind. `lock` is the real one; no task of this simulation has it by then.
    pub(super) fn lock<G>(&self, key: usize, lock: impl FnOnce() -> G) -> G {
        let mut state = self.shared.lock();
        if state.may_preempt() {
            self.switch(state);
        } else {
            drop(state);
        }
        self.reserve(key);
        lock()
    }

    pub(super) fn try_lock<G>(&self, key: usize, lock: impl FnOnce() -> Option<G>) -> Option<G> {
        let mut state = self.shared.lock();
        if state.holders.contains_key(&key) {
            return None;
        }
        let guard = lock()?;
        state.holders.insert(key, self.me);
        Some(guard)
    }

    pub(super) fn unlocked(&self, key: usize) {
        self.shared.lock().release(key, self.me);
    }

    /// A place where another task may go on, if the seed says so.
    pub(super) fn maybe_switch(&self) {
        // A destructor that runs during a panic keeps the baton: less can go wrong on the way out.
        if !std::thread::panicking() {
            let state = self.shared.lock();
            self.switch(state);
        }
    }

    /// The same, but without a seed the others go first.
    pub(super) fn give_way(&self) {
        let mut state = self.shared.lock();
        let next = state.choose_another(self.me);
        if let Some(next) = next {
            self.hand_over(state, next);
        }
    }

    fn switch(&self, mut state: MutexGuard<'_, State>) {
        if let Some(next) = state.choose_or_stay(self.me) {
            self.hand_over(state, next);
        }
    }

    fn reserve(&self, key: usize) {
        loop {
            let mut state = self.shared.lock();
            if let Entry::Vacant(free) = state.holders.entry(key) {
                free.insert(self.me);
                return;
            }
            drop(state);
            let why = "a lock";
            observer::notice(Moment::Wait { why, deadline: None });
            let state = self.shared.lock();
            self.wait_for(state, Wait::new(On::Lock(key), None, why));
            observer::notice(Moment::Wake { why, woken: true });
        }
    }

    /// Gives the baton away until the wait is over. Unwinds main when it will never be.
    fn wait_for(&self, state: MutexGuard<'_, State>, wait: Wait) -> Wakeup {
        let wakeup = self.block(state, wait);
        if wakeup == Wakeup::Never {
            self.give_up(None);
        }
        wakeup
    }

    fn block(&self, mut state: MutexGuard<'_, State>, wait: Wait) -> Wakeup {
        state.start_wait(self.me, wait);
        let next = state.next();
        if next == self.me {
            return state.end_wait(next);
        }
        self.hand_over(state, next);
        self.shared.lock().end_wait(self.me)
    }

    fn hand_over(&self, state: MutexGuard<'_, State>, next: usize) {
        let slot = state.tasks[next].slot.clone();
        drop(state);
        slot.pass_baton();
        self.slot.wait_for_baton();
    }

    /// Leaves a wait that cannot end. Unwinding out of a monitor takes its lock again, `relocks`.
    fn give_up(&self, relocks: Option<usize>) -> ! {
        let mut state = self.shared.lock();
        let graph = state.describe("and this wait of main, which is on its way out, cannot end");
        if let Some(report) = state.report.take() {
            let deadlock = state.deadlock.take().unwrap_or(graph);
            state.tasks[self.me].finished = true;
            drop(state);
            ACTIVE_SIMS.fetch_sub(1, Ordering::Relaxed);
            report(deadlock);
            loop {
                std::thread::park();
            }
        }
        let stuck = relocks.is_some_and(|key| state.holders.contains_key(&key));
        if stuck || std::thread::panicking() {
            super::os::last_words(&graph.to_string());
            std::process::abort();
        }
        drop(state);
        resume_unwind(Box::new(Unwound));
    }

    fn finish(&self, panic: Option<String>) {
        let mut state = self.shared.lock();
        state.finish(self.me, panic);
        let next = state.next();
        let slot = state.tasks[next].slot.clone();
        drop(state);
        slot.pass_baton();
    }
}

/// A task of a simulation, as seen by who spawned it.
pub(super) struct Handle {
    shared: Arc<Mutex<State>>,
    index: usize,
}

impl Handle {
    pub(super) fn is_finished(&self) -> bool {
        self.shared.lock().tasks[self.index].finished
    }

    pub(super) fn join(self) -> Option<String> {
        let inside = current().filter(|sim| Arc::ptr_eq(&sim.shared, &self.shared));
        if let Some(sim) = inside {
            while !self.is_finished() {
                let state = self.shared.lock();
                let wait = Wait::new(On::End(self.index), None, "a task to end");
                if sim.block(state, wait) == Wakeup::Never {
                    if std::thread::panicking() {
                        break;
                    }
                    sim.give_up(None);
                }
            }
        }
        self.shared.lock().tasks[self.index].panic.take()
    }
}
