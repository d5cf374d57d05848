//! Tasks as OS threads, and what every thread knows about itself.
//!
//! Invariant: a thread past the process's limit is refused with a sentence, before the system aborts.
//! In GStreamer: `gst/gsttaskpool.c` (`default_push`).
//! Left out: reuse of threads; starting one costs about as much as one frame's wake-ups.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::prim::{thread, thread_local};
use super::{Form, Task, os, prompt, sim, stack};
use crate::error::{ElementError, ErrorKind};
use crate::time::AbsoluteTime;

/// Tasks alive, of both forms.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static ME: RefCell<Option<Me>> = const { RefCell::new(None) };
    /// The mark of the fiber that runs here. Zero: this thread is no worker, and the address of this is its mark,
    /// which tells live threads apart. Its size keeps the low bits of that address free.
    static MARK: Cell<usize> = const { Cell::new(0) };
    /// The number of a thread that is no task.
    static NUMBER: u64 = new_id();
}

/// The number of this thread as such.
pub(super) fn own_number() -> u64 {
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

/// What a thread that is a task knows.
pub(super) struct Me {
    pub(super) id: u64,
    pub(super) name: Arc<str>,
    pub(super) sim: Option<sim::Current>,
}

/// Gives `f` what this thread knows; `None` on a thread that is no task, or that is being torn down.
pub(super) fn with_me<R>(f: impl FnOnce(Option<&Me>) -> R) -> R {
    let mut f = Some(f);
    let seen = ME.try_with(|me| f.take().map(|f| f(me.borrow().as_ref())));
    match (seen, f) {
        (Ok(Some(result)), _) => result,
        (_, Some(f)) => f(None),
        // `f` was taken, so it ran, so there is a result.
        (_, None) => unreachable!("a closure that ran has a result"),
    }
}

/// Makes this thread the task `me` and gives back what it was.
pub(super) fn become_task(me: Option<Me>) -> Option<Me> {
    ME.with(|slot| slot.replace(me))
}

pub(super) fn new_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// Never zero; unique among live threads and fibers.
#[inline]
pub(super) fn thread_mark() -> usize {
    let mark = MARK.try_with(|mark| match mark.get() {
        0 => std::ptr::from_ref(mark).addr(),
        fiber => fiber,
    });
    mark.unwrap_or(8)
}

/// The mark of the fiber that runs here from now on; zero for none. Gives back the one before.
pub(super) fn set_mark(mark: usize) -> usize {
    MARK.with(|now| now.replace(mark))
}

/// How many tasks with a thread each may live at once in this process: three quarters of what its memory mappings
/// allow (a thread takes four). Past them the system aborts inside the new thread instead of refusing it.
pub fn task_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| os::max_mappings().unwrap_or(40_000) / 4 / 4 * 3)
}

pub(super) fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> Result<Task, ElementError> {
    let id = new_id();
    let shared_name: Arc<str> = name.into();
    let handle = start(id, shared_name.clone(), None, f)?;
    Ok(Task { id, name: shared_name, form: Form::Thread(handle) })
}

/// Starts the thread of a task of either form.
pub(super) fn start(
    id: u64,
    name: Arc<str>,
    sim: Option<sim::Current>,
    f: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, ElementError> {
    let place = Place::take(&LIVE, task_limit(), &name)?;
    let builder = thread::Builder::new().name(thread_name(&name)).stack_size(stack::STACK_SIZE);
    let for_thread = name.clone();
    let as_usual = prompt::for_new_thread();
    // Boxed: on its way to where it runs, `std` would leave copies of it on the stack.
    let body: Box<dyn FnOnce() + Send> = Box::new(move || {
        let _place = place;
        stack::begin_task();
        as_usual();
        become_task(Some(Me { id, name: for_thread, sim }));
        f();
    });
    builder.spawn(body).map_err(|cause| {
        refused(&name, "the system refuses one more thread").with_debug(cause.to_string())
    })
}

/// One of the places that a limit allows.
pub(super) struct Place {
    taken: &'static AtomicUsize,
}

impl Place {
    pub(super) fn take(
        taken: &'static AtomicUsize,
        limit: usize,
        name: &str,
    ) -> Result<Self, ElementError> {
        let place = Place { taken };
        if taken.fetch_add(1, Ordering::Relaxed) < limit {
            return Ok(place);
        }
        let why = format!(
            "{limit} tasks run already, which is as many as this process can hold; use fewer \
             sources and queues, or more processes"
        );
        Err(refused(name, &why))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn refused(name: &str, why: &str) -> ElementError {
    ElementError::new(ErrorKind::Core, format!("Could not start task {name}: {why}."))
}

/// A name `std` takes: it refuses zero bytes.
pub(super) fn thread_name(name: &str) -> String {
    name.replace('\0', "?")
}

/// The text of a panic, as far as it has one.
pub(super) fn panic_text(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without text").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "this is the wait the others are told to use")]
pub(super) fn sleep_until(deadline: AbsoluteTime) {
    loop {
        let ahead = deadline.nanos().saturating_sub(os::monotonic_nanos());
        if ahead == 0 {
            return;
        }
        thread::sleep(Duration::from_nanos(ahead));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_task_too_many_is_refused_with_a_sentence_and_a_free_place_is_taken_again() {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        let first = Place::take(&TAKEN, 2, "a").unwrap();
        let _second = Place::take(&TAKEN, 2, "b").unwrap();
        let refused = Place::take(&TAKEN, 2, "queue0:src").err().unwrap();
        assert_eq!(
            refused.text,
            "Could not start task queue0:src: 2 tasks run already, which is as many as this \
             process can hold; use fewer sources and queues, or more processes."
        );
        drop(first);
        assert!(Place::take(&TAKEN, 2, "c").is_ok());
        assert!((1_000..1_000_000).contains(&task_limit()), "{}", task_limit());
    }
}
