//! How much stack a thread has, and whether there is enough of it left to call on into another element.
//!
//! ```text
//!   top ─▶ source ─▶ element ─▶ element ─▶ … ─▶ lowest that may call on │ reserve │ end: the process dies
//! ```
//!
//! Events and queries go through a chain in nested calls, so how long a chain may be is a question of stack.
//!
//! Invariant: whoever asks [`has_stack`] before each nested call never runs into the end of the stack, as long as what
//! it calls needs no more than the reserve for itself.
//! In GStreamer: none; a chain that is too long ends the process.
//! Left out: systems other than Linux, where threads that are no tasks are not watched.

use std::cell::Cell;
use std::sync::OnceLock;

use super::os;

/// The stack of a task, in bytes, stated so that neither the environment nor the system's limit changes how long
/// a chain of elements may be. Only pages that were touched take memory. Frames of unoptimised code are many times
/// larger.
pub const STACK_SIZE: usize = if cfg!(debug_assertions) { 64 << 20 } else { 8 << 20 };

/// What is left to the last call: for an element's own work, and to say why it goes no further.
const RESERVE: usize = if cfg!(debug_assertions) { 512 << 10 } else { 192 << 10 };

/// How far a thread of unknown size goes down before the system is asked, which takes long.
const TRUSTED: usize = 64 << 10;

#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Nothing is called on from below this address. Zero: not known yet.
    lowest: usize,
    /// Whether that is the last word.
    exact: bool,
}

/// After so many waits a task has found its way, and what it needed of its stack to begin is given back.
pub(super) const SETTLED: u32 = 8;
/// And once more after so many: that wait may have been a deep one.
const LONG_SETTLED: u32 = 64;

thread_local! {
    /// Waits of a task with a thread of its own; at the greatest number nobody counts.
    static WAITS: Cell<u32> = const { Cell::new(u32::MAX) };
    static BOUNDS: Cell<Bounds> = const { Cell::new(Bounds { lowest: 0, exact: false }) };
}

fn here() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// A task begins: its stack is known.
pub(super) fn begin_task() {
    let lowest = here().saturating_sub(STACK_SIZE).saturating_add(RESERVE);
    BOUNDS.with(|bounds| bounds.set(Bounds { lowest, exact: true }));
    WAITS.with(|waits| waits.set(0));
}

/// A task with a thread of its own is about to wait.
#[inline]
pub(super) fn about_to_wait() {
    let count = |waits: &Cell<u32>| waits.replace(waits.get().saturating_add(1));
    if let Ok(waits @ (0..=SETTLED | LONG_SETTLED)) = WAITS.try_with(count) {
        settle(waits);
    }
}

/// What a task that has found its way forgets, beside its stack.
static FORGET: OnceLock<fn()> = OnceLock::new();

/// Names what that is; the first one to say so counts.
pub(crate) fn when_settled(forget: fn()) {
    FORGET.get_or_init(|| forget);
}

/// What is forgotten before each of the first waits is used by the next task to begin. Kept until all have found their
/// way, it was two texts for each of them at a time: half a megabyte for a hundred streams, which the allocator kept.
#[cold]
#[inline(never)]
fn settle(waits: u32) {
    if let Some(forget) = FORGET.get() {
        forget();
    }
    if waits >= SETTLED {
        give_back(BOUNDS.with(Cell::get).lowest);
    }
}

/// Gives what is not in use of this stack back to the system, from `end` on; untouched pages stay what they are.
#[cold]
pub(super) fn give_back(end: usize) {
    const PAGE: usize = 4096;
    // What this function and the call below have on the stack; what else was there is over.
    const OWN: usize = if cfg!(debug_assertions) { 512 } else { 256 };
    let (from, to) = (end.next_multiple_of(PAGE), here().saturating_sub(OWN) / PAGE * PAGE);
    // A model's tasks have stacks of their own.
    if from < to && !cfg!(gst_mini_shuttle) {
        // SAFETY: both lie within the stack that runs this, below all frames that are in use.
        unsafe { os::give_back(from, to - from) };
    }
}

/// The bounds of a stack whose lowest usable address is `end`.
pub(super) const fn bounds_above(end: usize) -> Bounds {
    Bounds { lowest: end.saturating_add(RESERVE), exact: true }
}

/// This thread goes on on another stack; gives back the bounds of the one before.
pub(super) fn swap_bounds(bounds: Bounds) -> Bounds {
    BOUNDS.with(|now| now.replace(bounds))
}

/// Whether this thread may go one call deeper into a chain of elements.
#[inline]
pub fn has_stack() -> bool {
    // A model's tasks have stacks of their own.
    cfg!(gst_mini_shuttle)
        || BOUNDS
            .try_with(|bounds| here() >= bounds.get().lowest && bounds.get().lowest != 0)
            .unwrap_or(true)
        || look_again()
}

/// The first call of a thread that is no task, or one far down.
#[cold]
fn look_again() -> bool {
    let here = here();
    let bounds = BOUNDS.with(Cell::get);
    let next = match (bounds.lowest, bounds.exact) {
        (0, _) => Bounds { lowest: here.saturating_sub(TRUSTED), exact: false },
        (_, true) => return false,
        (_, false) => {
            // Unknown: there is nothing to watch.
            let end = os::stack_end().map_or(1, |end| end.saturating_add(RESERVE));
            Bounds { lowest: end, exact: true }
        }
    };
    BOUNDS.with(|bounds| bounds.set(next));
    here >= next.lowest
}

/// How many bytes of stack this thread has left for calls into elements; `None` where that is not known.
pub fn stack_left() -> Option<usize> {
    let bounds = BOUNDS.with(Cell::get);
    bounds.exact.then(|| here().saturating_sub(bounds.lowest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn dive(depth: u32) -> u32 {
        // Something that is on the stack and not optimised away.
        let frame = std::hint::black_box([depth; 64]);
        if has_stack() { dive(depth + 1) + std::hint::black_box(frame[3]) % 2 } else { depth }
    }

    #[test]
    fn a_dive_ends_before_the_stack_does_in_tasks_and_elsewhere() {
        let task = super::super::spawn("deep", || {
            let left = stack_left().unwrap();
            assert!(left <= STACK_SIZE && left > STACK_SIZE / 2, "{left}");
            assert!(dive(0) > 1000);
        });
        assert_eq!(task.unwrap().join(), None);
        let bare = std::thread::Builder::new().stack_size(4 << 20).spawn(|| {
            assert!(has_stack());
            assert!(dive(0) > 100);
            assert!(stack_left().unwrap() > 3 << 20);
        });
        bare.unwrap().join().unwrap();
    }
}
