//! [`Shared`]: many tasks on few threads, for processes with more live streams than a thread each can carry.
//!
//! ```text
//!   worker 0   ── task a ──┐ waits   ┌── task c ──┐ waits          ┌── task a ──┐      one thread of the system
//!                          └── task b ────────────┘ sleeps ········┘ a was due, or somebody woke it
//! ```
//!
//! Each task is a *fiber*: it has a stack of its own, and belongs to one worker thread for its whole life. Where it
//! waits in this module its worker goes on with another one, and with none left it sleeps until the next deadline.
//! What a thread per stream costs is waking it, not its work; here all that is due shares one wake-up.
//!
//! ```
//! use gst_mini_core::runtime::{self, Shared};
//! use gst_mini_core::time::ClockTime;
//! let shared = Shared::new(1)?;
//! let task = shared.run(|| {
//!     runtime::spawn("a task", || runtime::sleep_until(runtime::now() + ClockTime::from_millis(1)))
//! });
//! assert_eq!(task?.join(), None);
//! # Ok::<(), gst_mini_core::error::ElementError>(())
//! ```
//!
//! Invariant: a fiber runs on its worker alone, and is given up only when its body has ended; no real lock that
//! another task may want is held while it does not run, but for stream locks, whose waiters do not block.
//! In GStreamer: `gst/gsttaskpool.c` (`gst_shared_task_pool_new`) shares threads between tasks that do not wait; the
//! plugin `threadshare` has elements of its own that do.
//! Left out: moving tasks to a worker that has less to do; a worker in the place of one that blocks in foreign work.

mod fiber;
mod line;
mod seldom;
mod sleepers;
mod stacks;
mod worker;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use self::fiber::{Ended, Fiber};
use self::worker::Worker;
use super::prim;
use super::threads::{self, Me};
use super::{Form, Task, os};
use crate::error::ElementError;
use crate::time::{AbsoluteTime, ClockTime};

pub(super) use self::fiber::Handle;
pub(super) use self::line::Line;
pub(super) use self::sleepers::Sleepers;

/// Workers look at what is due at multiples of this, so that all that is due by then shares one wake-up.
const GRAIN: ClockTime = ClockTime::from_millis(1);

/// Whether there ever was a [`Shared`] in this process. While there was none, the other forms pay one relaxed load.
static IS_ON: AtomicBool = AtomicBool::new(false);
/// Fibers alive.
static LIVE: AtomicUsize = AtomicUsize::new(0);
/// For threads that are in no [`Shared::run`].
static INSTALLED: Mutex<Option<Arc<Crew>>> = Mutex::new(None);

thread_local! {
    /// Where tasks that this thread spawns go, if not to threads of their own.
    static SPAWNS: RefCell<Option<Spawns>> = const { RefCell::new(None) };
}

struct Spawns {
    crew: Arc<Crew>,
    /// The worker of all that is spawned in the present [`together`].
    near: Option<usize>,
}

/// Worker threads on which many tasks run.
///
/// It is opted into, because one task that blocks its thread holds up all tasks of that worker: every wait must be the
/// runtime's, as those of queues, clocks, sinks and states are. File I/O blocks for as long as the disk takes, and
/// [`foreign`](super::foreign) work (uploads) for as long as it takes; such pipelines are better left to threads. A
/// task that computes without waiting gives way at its next buffer once it has run for a millisecond.
///
/// Deadlines are met on a grid of 1 ms, and never before time. The stack of a task is
/// [`STACK_SIZE`](super::STACK_SIZE) divided by eight, of which touched pages alone take memory. All tasks that one
/// `set_state` of a pipeline starts share a worker, so that handing a buffer over wakes no thread.
///
/// Dropping it lets its tasks run to their end; then the workers end.
pub struct Shared {
    crew: Arc<Crew>,
}

/// The workers of one [`Shared`].
struct Crew {
    workers: Vec<Arc<Worker>>,
}

impl Shared {
    /// That many worker threads; 0: as many as there are cores.
    ///
    /// # Errors
    /// A sentence when the system refuses a thread, or has no way to switch stacks.
    pub fn new(workers: usize) -> Result<Shared, ElementError> {
        Shared::with_grain(workers, GRAIN)
    }

    /// As [`new`](Self::new), with deadlines met at multiples of `grain` instead of 1 ms. Finer ones are more exact
    /// and take more wake-ups: with 1,000 streams a quarter of a millisecond costs about a fifth more. Zero: none.
    ///
    /// # Errors
    /// As there.
    pub fn with_grain(workers: usize, grain: ClockTime) -> Result<Shared, ElementError> {
        if cfg!(gst_mini_shuttle) {
            return Err(threads::refused("shared-0", "models have threads only"));
        }
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let count = if workers == 0 { cores() } else { workers };
        turn_on();
        let mut crew = Crew { workers: Vec::new() };
        for at in 0..count {
            let worker = Arc::new(Worker::new(grain));
            let for_thread = worker.clone();
            let name = format!("shared-{at}");
            let started = std::thread::Builder::new()
                .name(name.clone())
                .spawn(move || worker::work(&for_thread));
            match started {
                Ok(_) => crew.workers.push(worker),
                Err(cause) => {
                    let why = "the system refuses one more thread";
                    return Err(threads::refused(&name, why).with_debug(cause.to_string()));
                }
            }
        }
        Ok(Shared { crew: Arc::new(crew) })
    }

    /// Runs `f`; tasks that the calling thread spawns meanwhile run on these workers, and so do all that those spawn
    /// in turn. A simulation inside comes first.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        let _scope = Scope::enter(Some(Spawns { crew: self.crew.clone(), near: None }));
        f()
    }

    /// From now on every task of this process runs on these workers, unless it is spawned in a [`run`](Self::run) of
    /// another one or in a simulation. Tasks that run stay where they are.
    pub fn install(self) {
        *INSTALLED.lock() = Some(self.crew.clone());
    }

    /// How many tasks run on these workers.
    pub fn tasks(&self) -> usize {
        self.crew.workers.iter().map(|worker| worker.load()).sum()
    }

    /// How many tasks may live at once on the workers of this process: three quarters of what its memory mappings
    /// allow, of which each takes two, its stack and the page that guards it.
    pub fn task_limit() -> usize {
        static LIMIT: OnceLock<usize> = OnceLock::new();
        *LIMIT.get_or_init(|| os::max_mappings().unwrap_or(40_000) / 2 / 4 * 3)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = self.crew.workers.len();
        f.debug_struct("Shared").field("workers", &workers).field("tasks", &self.tasks()).finish()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.workers.iter().for_each(|worker| worker.close());
    }
}

impl Crew {
    /// The worker with the fewest tasks.
    fn least_loaded(&self) -> usize {
        let loads = self.workers.iter().enumerate().map(|(at, worker)| (worker.load(), at));
        loads.min().map_or(0, |(_, at)| at)
    }
}

/// Puts back where tasks went before.
struct Scope {
    before: Option<Spawns>,
}

impl Scope {
    fn enter(spawns: Option<Spawns>) -> Scope {
        Scope { before: SPAWNS.with(|now| now.replace(spawns)) }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let before = self.before.take();
        // A thread that is being torn down spawns nothing any more.
        let _ = SPAWNS.try_with(|now| now.replace(before));
    }
}

/// What threads do with locks is from now on to be seen by fibers that wait for them.
fn turn_on() {
    IS_ON.store(true, Ordering::SeqCst);
    // A thread that gave a lock back and found this off did so before any fiber can want that lock.
    os::barrier_of_all();
}

/// Whether anything here is to be looked at.
#[inline]
pub(super) fn is_on() -> bool {
    !cfg!(gst_mini_shuttle) && IS_ON.load(Ordering::Relaxed)
}

/// Whether the current task is a fiber.
#[inline]
pub(super) fn is_here() -> bool {
    is_on() && worker::is_here()
}

/// Tasks that are spawned in `f` share a worker, if any: for what belongs together and hands things over.
pub(super) fn together<R>(f: impl FnOnce() -> R) -> R {
    if !is_on() || worker::is_here() {
        return f();
    }
    let now =
        SPAWNS.with(|now| now.borrow().as_ref().map(|spawns| (spawns.crew.clone(), spawns.near)));
    let (crew, near) = match now {
        Some((_, Some(_))) => return f(),
        Some((crew, None)) => (Some(crew.clone()), crew.least_loaded()),
        None => {
            let crew = INSTALLED.lock().clone();
            let near = crew.as_ref().map_or(0, |crew| crew.least_loaded());
            (crew, near)
        }
    };
    let Some(crew) = crew else { return f() };
    let _scope = Scope::enter(Some(Spawns { crew, near: Some(near) }));
    f()
}

/// Where a task goes that is spawned here and now; `None`: to a thread of its own.
fn destination() -> Option<Arc<Worker>> {
    if let Some(worker) = worker::here() {
        return Some(worker);
    }
    let own = SPAWNS.with(|now| {
        let now = now.borrow();
        now.as_ref().map(|Spawns { crew, near }| {
            crew.workers[near.unwrap_or_else(|| crew.least_loaded())].clone()
        })
    });
    own.or_else(|| {
        let installed = INSTALLED.lock().clone();
        installed.map(|crew| crew.workers[crew.least_loaded()].clone())
    })
}

/// Spawns `f` as a fiber if that is where tasks go here; gives it back otherwise.
pub(super) fn spawn<F: FnOnce() + Send + 'static>(
    name: &str,
    f: F,
) -> Result<Result<Task, ElementError>, F> {
    match is_on().then(destination).flatten() {
        Some(worker) => Ok(spawn_on(&worker, name, f)),
        None => Err(f),
    }
}

fn spawn_on(
    worker: &Arc<Worker>,
    name: &str,
    f: impl FnOnce() + Send + 'static,
) -> Result<Task, ElementError> {
    let place = threads::Place::take(&LIVE, Shared::task_limit(), name)?;
    let stack = worker.stack().map_err(|cause| {
        let why = "the system refuses the memory of one more stack";
        threads::refused(name, why).with_debug(cause.to_string())
    })?;
    let id = threads::new_id();
    let shared_name: Arc<str> = name.into();
    let me = Me { id, name: shared_name.clone(), sim: None };
    let ended = Arc::new(Ended::default());
    let fiber = Fiber::new(worker.clone());
    let in_fiber = ended.clone();
    let body = move || {
        let cause = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).err();
        // Its place is free before anybody hears that it ended.
        drop(place);
        in_fiber.tell(cause.map(|cause| threads::panic_text(&*cause)));
    };
    worker.adopt(worker::Newcomer { fiber, me, stack, body: Box::new(body) });
    Ok(Task { id, name: shared_name, form: Form::Fiber(Handle(ended)) })
}

/// Suspends this fiber until `deadline`. Not on a fiber: `false` at once.
pub(super) fn sleep_until(deadline: AbsoluteTime) -> bool {
    if !is_here() {
        return false;
    }
    while super::now() < deadline {
        worker::wait(Some(deadline), [0; 2], |_, _| ());
    }
    true
}

/// Lets the other fibers of this worker run, if this one has run for long without a wait.
#[cold]
pub(super) fn breathe() {
    worker::breathe();
}

/// Lets the other fibers of this worker that could go on do so.
pub(super) fn give_way() {
    if is_here() {
        worker::give_way();
    }
}

/// Takes a lock that is held for short times only. A fiber does not wait for ever for one that another fiber of its
/// worker has, which would be an error of that one.
pub(super) fn lock<T>(mutex: &prim::BriefMutex<T>) -> prim::BriefGuard<'_, T> {
    if let Some(held) = mutex.try_lock() {
        return held;
    }
    if !is_here() {
        return mutex.lock();
    }
    loop {
        for _ in 0..50 {
            os::yield_core();
            if let Some(held) = mutex.try_lock() {
                return held;
            }
        }
        worker::give_way();
    }
}

/// Waits, on a fiber, for a thread that is a task or not. `false` at once where this is no fiber.
pub(super) fn wait_for_thread(thread: &prim::thread::JoinHandle<()>) -> bool {
    if !is_here() {
        return false;
    }
    // Threads end seldom, and tell nobody but who blocks for them.
    while !prim::is_finished(thread) {
        sleep_until(super::now() + ClockTime::from_millis(1));
    }
    true
}
