//! The observer is told when a task waits and wakes; tracers draw timelines from it.
//!
//! Invariant: unset, it costs one relaxed load where a thread is about to block anyway.
//! In GStreamer: `gst/gsttracerutils.c` (`_priv_gst_tracing_init`).
//! Left out: several observers at once; a tracer fans out by itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};

use super::TaskWait;
use crate::time::AbsoluteTime;

static OBSERVED: AtomicBool = AtomicBool::new(false);
static OBSERVER: RwLock<Option<Observer>> = RwLock::new(None);

/// Called on the thread concerned, just before it blocks and just after. It must not block itself.
pub type Observer = fn(&Observed<'_>);

/// What an [`Observer`] is told.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The task concerned.
    pub task: &'a str,
    /// The runtime's clock, virtual in a simulation.
    pub now: AbsoluteTime,
    /// What happens to it.
    pub moment: Moment<'a>,
}

/// What happens to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment<'a> {
    /// It is about to block.
    Wait {
        /// What for.
        why: &'a str,
        /// When it will give up.
        deadline: Option<AbsoluteTime>,
    },
    /// It goes on.
    Wake {
        /// What it waited for.
        why: &'a str,
        /// Whether it was woken; otherwise its deadline came.
        woken: bool,
    },
    /// It started another task.
    Spawn {
        /// The new task.
        name: &'a str,
    },
}

/// Sets the observer of the whole process, or removes it.
pub fn set_observer(observer: Option<Observer>) {
    let mut current = OBSERVER.write();
    *current = observer;
    OBSERVED.store(observer.is_some(), Ordering::Relaxed);
}

pub(super) fn notice(moment: Moment<'_>) {
    if OBSERVED.load(Ordering::Relaxed) {
        tell(moment);
    }
}

/// Whether waits of threads are noted.
static NOTING: AtomicBool = AtomicBool::new(false);
/// The waits of threads, by task. In the order of names, so that a report reads the same twice.
static NOTES: Mutex<BTreeMap<String, TaskWait>> = Mutex::new(BTreeMap::new());

/// From now on keeps note of which thread waits for what, for [`waits`](super::waits); or no longer. Simulations
/// always know. It costs a lock where a thread is about to block anyway.
pub fn note_waits(on: bool) {
    NOTING.store(on, Ordering::Relaxed);
    if !on {
        NOTES.lock().clear();
    }
}

/// The waits that were noted and are not over.
pub(super) fn noted() -> Vec<TaskWait> {
    NOTES.lock().values().cloned().collect()
}

#[cold]
fn note(why: &str, deadline: Option<AbsoluteTime>, block: impl FnOnce() -> bool) -> bool {
    let task = super::task_name();
    let place = super::place::with(str::to_owned);
    let wait = TaskWait { task, place, why: why.to_owned(), holder: None, deadline };
    let task = wait.task.clone();
    NOTES.lock().insert(task.clone(), wait);
    let woken = block();
    NOTES.lock().remove(&task);
    woken
}

/// Tells of a wait around it. `block` says whether it was woken.
pub(super) fn wait(
    why: &str,
    deadline: Option<AbsoluteTime>,
    block: impl FnOnce() -> bool,
) -> bool {
    notice(Moment::Wait { why, deadline });
    let is_noted = NOTING.load(Ordering::Relaxed) && !super::is_simulated();
    let woken = if is_noted { note(why, deadline, block) } else { block() };
    notice(Moment::Wake { why, woken });
    woken
}

#[cold]
fn tell(moment: Moment<'_>) {
    // Copied out, so that an observer may remove itself.
    let Some(observer) = *OBSERVER.read() else { return };
    observer(&Observed { task: &super::task_name(), now: super::now(), moment });
}
