//! The line of a queue and its two locks: one for each end, so that upstream's thread and the task seldom meet.
//!
//! ```text
//!   chain ─[ state ]─▶ contents ═══ all at once, when the front is used up ═══▶ front ─[ task ]─▶ pushed on
//! ```
//!
//! A buffer is put in under the lock of the state alone, and sent under that of the task alone. Everything else takes
//! both: first the task's, then the state's.
//!
//! Invariant: under both locks the contents know what was sent, so levels and limits are exact; under that of the
//! state alone the levels are those of a moment ago, never lower than they are. What the task has sent can be read
//! while it goes on, so a line that seems full is looked at again before both locks are taken.
//! In GStreamer: none; `plugins/elements/gstqueue.c` has one lock (`GST_QUEUE_MUTEX_LOCK`).
//! Left out: nothing.

use super::contents::{Contents, Front, Sent};
use crate::queued::{Amount, Item};
use gst_mini_core::element_prelude::*;
use parking_lot::{Mutex, MutexGuard};
use std::ops::{Deref, DerefMut};

/// Looks at a lock before waiting for it.
const SPINS: u32 = 100;
/// How long the task lets more come, some 100 ns, when it found little: each visit takes the state from upstream's cache, so
/// one for each item costs both more than this.
const PAUSES: u32 = 8;

/// Both ends, each in cache lines of its own.
#[derive(Default)]
pub struct Line {
    task: Apart<(Sent, Mutex<Task>)>,
    state: Apart<Mutex<State>>,
}

#[derive(Default)]
#[repr(align(64))]
struct Apart<T>(T);

/// The task's end.
#[derive(Default)]
pub struct Task {
    front: Front,
    /// The task is sending: `true` data, `false` an event.
    pub under_way: Option<bool>,
    /// Whether the chain waits for room.
    pub waits_room: bool,
}

/// Upstream's end, and what both ends have in common. What is touched when the front is used up comes first, so that it
/// crosses between the cores in few cache lines.
#[repr(C)]
pub struct State {
    /// What the last push came to: what upstream is told.
    pub result: FlowResult,
    /// The end is in the queue: nothing comes after it.
    pub eos: bool,
    /// Downstream has ended: it takes nothing but a new segment.
    pub unexpected: bool,
    /// Whether the task waits for an item.
    pub waits_item: bool,
    /// Whether somebody waits for an answer.
    pub waits_answer: bool,
    /// Buffers may go out as they are.
    is_plain: bool,
    /// What must be inside before anything goes out. The end of the stream takes it to nothing, and a
    /// flush, or setting a property, back.
    pub threshold: Amount,
    pub contents: Contents,
}

impl Default for State {
    fn default() -> Self {
        State {
            result: Ok(()),
            eos: false,
            unexpected: false,
            waits_item: false,
            waits_answer: false,
            is_plain: true,
            contents: Contents::default(),
            threshold: Amount::default(),
        }
    }
}

/// Both locks.
pub struct Both<'a> {
    sent: &'a Sent,
    pub task: MutexGuard<'a, Task>,
    state: MutexGuard<'a, State>,
}

/// Both ends use a lock for every buffer, each for some dozens of nanoseconds: giving up the core, as the lock soon does,
/// takes ten times as long as waiting for the other.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    for _ in 0..SPINS {
        if let Some(guard) = mutex.try_lock() {
            return guard;
        }
        std::hint::spin_loop();
    }
    mutex.lock()
}

impl Line {
    /// The lock of who brings a buffer.
    #[inline]
    pub fn lock_state(&self) -> MutexGuard<'_, State> {
        lock(&self.state.0)
    }

    pub fn lock(&self) -> Both<'_> {
        let task = lock(&self.task.0.1);
        self.lock_with(task)
    }

    fn lock_with<'a>(&'a self, task: MutexGuard<'a, Task>) -> Both<'a> {
        let mut state = self.lock_state();
        self.settle(&mut state);
        Both { sent: &self.task.0.0, task, state }
    }

    /// Lets the levels be those of now.
    #[inline]
    pub fn settle(&self, state: &mut State) {
        state.contents.settle(&self.task.0.0);
    }

    /// Gives the task some 200 ns to send what makes the line full: a task that is busy with it has done so before upstream
    /// has told it that it waits.
    #[cold]
    pub fn let_go<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        drop(state);
        (0..2 * PAUSES).for_each(|_| std::hint::spin_loop());
        let mut state = self.lock_state();
        self.settle(&mut state);
        state
    }

    /// The next buffer for the task to send, and whether the chain waits for its room; both locks, if there is more to
    /// it than that.
    #[inline]
    pub fn next_buffer(&self) -> Result<(Buffer, bool), Both<'_>> {
        let mut task = lock(&self.task.0.1);
        if task.front.is_used_up() {
            if task.front.had_few() {
                (0..PAUSES).for_each(|_| std::hint::spin_loop());
            }
            let mut state = self.lock_state();
            self.settle(&mut state);
            if !state.is_plain
                || state.result.is_err()
                || !state.contents.hand_over(&mut task.front)
            {
                return Err(Both { sent: &self.task.0.0, task, state });
            }
            // Upstream may go on: what follows is a look at the buffer, which is not at hand yet.
        }
        match task.front.next_buffer(&self.task.0.0) {
            Some(buf) => {
                task.under_way = Some(true);
                Ok((buf, std::mem::take(&mut task.waits_room)))
            }
            None => Err(self.lock_with(task)),
        }
    }
}

impl Both<'_> {
    pub fn is_void(&self) -> bool {
        self.state.contents.is_void(&self.task.front)
    }

    /// Whether the newest item is data.
    pub fn ends_in_data(&self) -> bool {
        self.state.contents.ends_in_data(&self.task.front)
    }

    pub fn put(&mut self, item: Item) {
        self.state.contents.put(&mut self.task.front, item);
    }

    /// Takes the oldest item out.
    pub fn take(&mut self) -> Option<Item> {
        self.state.contents.take(&mut self.task.front)
    }

    /// Takes the oldest item out of those that nobody takes any more.
    pub fn take_in_vain(&mut self) -> Option<Item> {
        self.state.contents.take_in_vain(&mut self.task.front)
    }

    /// Takes the oldest item out to throw it away.
    pub fn leak(&mut self) -> Option<Item> {
        self.state.contents.leak(&mut self.task.front)
    }

    /// Throws everything away but what the source pad has to tell all the same.
    pub fn clear(&mut self) {
        self.state.contents.clear(&mut self.task.front);
        self.sent.clear();
    }

    /// Everything as it is at the beginning.
    pub fn reset(&mut self, threshold: Amount) {
        *self.task = Task::default();
        *self.state = State { threshold, ..State::default() };
        self.sent.clear();
    }
}

impl Deref for Both<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Both<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Both<'_> {
    fn drop(&mut self) {
        let Both { sent, task, state } = self;
        sent.show(&task.front);
        state.is_plain = state.threshold == Amount::default() && state.contents.is_plain();
        task.front.is_plain = state.is_plain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A queue with one lock, of buffers in the segment from 0.
    #[derive(Default)]
    struct Plain {
        /// Size, and where each ends.
        items: VecDeque<(u64, u64)>,
        came_to: u64,
        went_to: u64,
        /// What was taken last left it empty.
        is_drained: bool,
    }

    impl Plain {
        fn level(&self) -> Amount {
            Amount {
                buffers: self.items.len() as u64,
                bytes: self.items.iter().map(|(size, _)| size).sum(),
                time: if self.is_drained { 0 } else { self.came_to.saturating_sub(self.went_to) },
            }
        }
    }

    #[test]
    fn levels_are_exact_under_both_locks_and_never_too_low_under_one() {
        let mut seed = 1u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let (line, mut plain) = (Line::default(), Plain::default());
        let (mut fast, mut slow) = (0, 0);
        for step in 0..20_000 {
            match random(8) {
                0..=3 => {
                    let size = random(9);
                    // Mostly onwards, at times back.
                    let pts = if random(10) == 0 { random(500) } else { plain.came_to + random(3) };
                    let mut buf = Buffer::from_vec(vec![0; size as usize]);
                    buf.set_pts(Some(ClockTime::from_nanos(pts)));
                    buf.set_duration(Some(ClockTime::from_nanos(5)));
                    line.lock_state().contents.put_behind(Item::Buffer(buf));
                    plain.items.push_back((size, pts + 5));
                    (plain.came_to, plain.is_drained) = (pts + 5, false);
                }
                4..=6 => {
                    let size = match line.next_buffer() {
                        Ok((buf, _)) => {
                            fast += 1;
                            Some(buf.size() as u64)
                        }
                        Err(mut both) => {
                            slow += 1;
                            both.take().map(|item| item.amount().1)
                        }
                    };
                    let wanted = plain.items.pop_front();
                    assert_eq!(size, wanted.map(|(size, _)| size), "step {step}");
                    if let Some((_, end)) = wanted {
                        (plain.went_to, plain.is_drained) = (end, plain.items.is_empty());
                    }
                }
                _ => assert_eq!(line.lock().contents.level(), plain.level(), "step {step}"),
            }
            let (told, is) = (line.lock_state().contents.level(), plain.level());
            let enough =
                told.buffers >= is.buffers && told.bytes >= is.bytes && told.time >= is.time;
            assert!(enough, "step {step}: {told:?} told of {is:?}");
        }
        assert!(fast > 1_000 && slow > 100, "both ways are taken: {fast}, {slow}");
    }

    #[test]
    fn a_stream_that_begins_behind_an_end_counts_down_to_nothing() {
        let line = Line::default();
        let mut both = line.lock();
        both.put(Item::Event(Box::new(Event::eos())));
        both.put(Item::Buffer(Buffer::from_vec(vec![0; 4])));
        assert_eq!(both.contents.level().buffers, 1);
        assert!(matches!(both.take(), Some(Item::Event(_))));
        assert_eq!((both.contents.level().buffers, both.contents.level().bytes), (1, 4));
        assert!(matches!(both.take(), Some(Item::Buffer(_))));
        assert_eq!(both.contents.level(), Amount::default());
    }
}
