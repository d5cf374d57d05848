//! The one module through which everything blocks, spawns and reads time.
//!
//! It has three forms. *Threads*: OS threads and the monotonic clock. *Shared*, when asked for: many tasks on few
//! threads, each with a stack of its own, see [`Shared`]. *Sim*: the same code, but one task runs at a time, a seed
//! chooses the next one, and time jumps to the next deadline when all tasks wait. The *current thread* decides which
//! form applies: tasks of a [`Sim`] carry a pointer to it, workers of a [`Shared`] know that they are, every other
//! thread is of the first form. So no handle is passed around; and tasks of the first two forms wake each other.
//!
//! ```
//! use gst_mini_core::runtime::{self, Monitor, Sim};
//! use gst_mini_core::time::{AbsoluteTime, ClockTime};
//! use std::sync::Arc;
//! let woke_at = Sim::new(1).run(|| {
//!     let bell = Arc::new(Monitor::new(false));
//!     let ringer = bell.clone();
//!     let task = runtime::spawn("ringer", move || {
//!         runtime::sleep_until(AbsoluteTime::ZERO + ClockTime::from_secs(3600));
//!         *ringer.lock() = true;
//!         ringer.notify_all();
//!     });
//!     let mut rung = bell.lock();
//!     while !*rung {
//!         rung.wait("the bell");
//!     }
//!     drop(rung);
//!     task.map(|task| task.join()).expect("the simulator starts tasks");
//!     runtime::now()
//! });
//! assert_eq!(woke_at.expect("no deadlock"), AbsoluteTime::from_nanos(3_600_000_000_000));
//! ```
//!
//! Invariant: a task that waits does so here, under a name; a plain mutex is never held across a
//! call into this module (under Sim the task that holds it may be the one that is not chosen).
//! In GStreamer: `gst/gsttask.c` (`gst_task_func`), `gst/gsttaskpool.c`, `gst/gstsystemclock.c`.
//! Left out: task pools, priorities.

mod cover;
mod lean;
mod lock;
mod monitor;
mod near;
mod observer;
mod os;
mod overdue;
mod patience;
mod place;
pub(crate) mod prim;
mod prompt;
mod schedule;
mod shared;
mod sim;
mod stack;
mod threads;
mod watchdog;

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::error::ElementError;
use crate::time::{AbsoluteTime, ClockTime};

pub(crate) use cover::{Attention, Cover, Walk};
pub(crate) use lean::Me;
pub use lock::{Reentered, StreamGuard, StreamLock};
pub use monitor::{EventCount, Monitor, MonitorGuard};
pub use observer::{Moment, Observed, Observer, note_waits, set_observer};
pub use overdue::{Expected, expect_within};
pub use place::at;
pub use shared::Shared;
pub use sim::{Deadlock, Sim, TaskWait};
pub(crate) use stack::when_settled;
pub use stack::{STACK_SIZE, has_stack, stack_left};
pub use threads::task_limit;

/// Does early what would hold up a stream later: a process that has threads is registered for barriers only after some
/// milliseconds, one that has none yet in no time.
pub(crate) fn prepare() {
    os::has_barrier_of_all();
}

/// What the clock of this runtime reads: `CLOCK_MONOTONIC`, or the simulation's virtual time, which
/// starts at zero and stands still while a task runs.
pub fn now() -> AbsoluteTime {
    match sim::current() {
        Some(sim) => sim.now(),
        // Models are about orders, and the same order must give the same run.
        None if cfg!(gst_mini_shuttle) => AbsoluteTime::from_nanos(1_000_000_000),
        None => AbsoluteTime::from_nanos(os::monotonic_nanos()),
    }
}

/// Wall-clock time in nanoseconds since the Unix epoch. In a simulation: 2025-01-01T00:00:00Z plus
/// its virtual time. For naming things and dating them, never for waiting.
pub fn utc_now() -> u64 {
    match sim::current() {
        Some(sim) => sim::UTC_EPOCH.saturating_add(sim.now().nanos()),
        None => os::utc_nanos(),
    }
}

/// Who waits for what at this moment: in a simulation all its tasks, on threads those whose waits began while
/// [`note_waits`] was on.
pub fn waits() -> Vec<TaskWait> {
    match sim::current() {
        Some(sim) => sim.waits(),
        None => observer::noted(),
    }
}

/// Starts a task: a thread of [`STACK_SIZE`] bytes of stack, named `name`, or a fiber of a [`Shared`] where that was
/// asked for.
///
/// Dropping the [`Task`] lets it run on by itself. A panic in `f` ends that task alone; its text is
/// what [`Task::join`] gives.
///
/// # Errors
/// A sentence when the system or [`task_limit`] refuses one more thread, or [`Shared::task_limit`] one more fiber.
pub fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> Result<Task, ElementError> {
    let task = match sim::current() {
        Some(sim) => sim.spawn(name, Box::new(f)),
        None => match shared::spawn(name, f) {
            Ok(task) => task,
            Err(f) => threads::spawn(name, f),
        },
    }?;
    observer::notice(Moment::Spawn { name });
    Ok(task)
}

/// The name of the task that asks; `main` on a thread that is no task.
pub fn task_name() -> String {
    threads::with_me(|me| me.map_or_else(|| "main".to_owned(), |me| me.name.to_string()))
}

/// As [`task_name`], shared with the task.
pub(crate) fn shared_task_name() -> Arc<str> {
    static MAIN: LazyLock<Arc<str>> = LazyLock::new(|| "main".into());
    threads::with_me(|me| me.map_or_else(|| &*MAIN, |me| &me.name).clone())
}

/// As [`task_name`], lending the name instead of copying it.
pub fn with_task_name<R>(f: impl FnOnce(&str) -> R) -> R {
    threads::with_me(|me| f(me.map_or("main", |me| &me.name)))
}

/// A number of the task that asks, or of the thread if that is no task; no other one has or had it in this process.
/// For telling whether two calls come from one stream.
pub fn task_number() -> u64 {
    threads::with_me(|me| me.map(|me| me.id)).unwrap_or_else(threads::own_number)
}

/// Whether the current thread is `task`. A task that stops itself must not join itself.
pub fn in_task(task: &Task) -> bool {
    threads::with_me(|me| me.is_some_and(|me| me.id == task.id))
}

/// Sleeps until the clock of [`now`] reads `deadline`; at once if it has passed. Nothing ends it
/// early, so it is for drivers that stand for hardware. Elements wait on a clock.
pub fn sleep_until(deadline: AbsoluteTime) {
    observer::wait("sleep", Some(deadline), || {
        match sim::current() {
            Some(sim) => sim.sleep(deadline),
            None if shared::sleep_until(deadline) => (),
            None => threads::sleep_until(deadline),
        }
        true
    });
}

/// Runs work that blocks outside this module (an upload, a codec's own threads).
///
/// Threads: just calls `f`. Shared: the same, and the other tasks of that worker wait meanwhile. Sim: `f` is finished before another task is chosen, then
/// `virtual_delay` passes, during which the others run. A thread that foreign code starts is no task
/// of the simulation: what it does must be done when `f` returns, and it can wake nobody here.
pub fn foreign<R>(virtual_delay: ClockTime, f: impl FnOnce() -> R) -> R {
    let result = f();
    if let Some(sim) = sim::current() {
        let deadline = sim.now() + virtual_delay;
        observer::wait("foreign work", Some(deadline), || {
            sim.sleep(deadline);
            true
        });
    }
    result
}

/// Whether the current thread is a task of a simulation.
pub fn is_simulated() -> bool {
    sim::current().is_some()
}

/// Whether the current task shares its thread with others: a fiber of a [`Shared`].
pub fn is_shared() -> bool {
    shared::is_here()
}

/// Tasks that `f` spawns in the shared form share a worker, because they hand things to each other.
pub(crate) fn together<R>(f: impl FnOnce() -> R) -> R {
    shared::together(f)
}

/// For a task's loop, once a buffer: in the shared form lets the others run if this one did for long without a wait.
#[inline]
pub(crate) fn breathe() {
    if shared::is_on() {
        shared::breathe();
    }
}

/// In a simulation: lets the other tasks run until none is ready, without letting time pass.
/// Elsewhere it does nothing.
pub fn settle() {
    if let Some(sim) = sim::current() {
        sim.rest(sim::Rest::Settle);
    }
}

/// In a simulation: a place where something takes a while, so that tasks that could go on do, each until
/// it waits or gives way in turn; the seed decides, where there is one. In the shared form: lets the tasks of this
/// worker that could go on do so. Elsewhere it does nothing.
pub fn give_way() {
    match sim::current() {
        Some(sim) => sim.give_way(),
        None => shared::give_way(),
    }
}

/// In a simulation: lets the other tasks run and time jump until every one of them waits without a
/// deadline. Elsewhere it does nothing. A live source never idles: use [`run_until`] there.
pub fn run_until_idle() {
    if let Some(sim) = sim::current() {
        sim.rest(sim::Rest::Idle);
    }
}

/// In a simulation: lets the other tasks run until virtual time is `limit`, everything due by then
/// included. Elsewhere it is [`sleep_until`].
pub fn run_until(limit: AbsoluteTime) {
    match sim::current() {
        Some(sim) => sim.rest(sim::Rest::Until(limit)),
        None => sleep_until(limit),
    }
}

/// A started task. Dropping it detaches.
pub struct Task {
    id: u64,
    name: Arc<str>,
    form: Form,
}

enum Form {
    Thread(prim::thread::JoinHandle<()>),
    Fiber(shared::Handle),
    Sim(sim::Handle),
}

impl Task {
    /// Waits until the task has ended. The text of the panic that ended it, if one did.
    ///
    /// Returns at once when the task itself asks, and when a task of a simulation that is over, or
    /// that is being unwound after a deadlock, can not end any more.
    pub fn join(self) -> Option<String> {
        if in_task(&self) {
            return None;
        }
        let form = match self.form {
            Form::Fiber(handle) => return handle.join(),
            form => form,
        };
        let mut panic = None;
        observer::wait("a task to end", None, || {
            panic = match form {
                Form::Thread(handle) => {
                    shared::wait_for_thread(&handle);
                    handle.join().err().map(|cause| threads::panic_text(&*cause))
                }
                Form::Fiber(handle) => handle.join(),
                Form::Sim(handle) => handle.join(),
            };
            true
        });
        panic
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        match &self.form {
            Form::Thread(handle) => prim::is_finished(handle),
            Form::Fiber(handle) => handle.is_finished(),
            Form::Sim(handle) => handle.is_finished(),
        }
    }

    /// The name it was spawned with.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}
