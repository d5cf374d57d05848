//! The line of a queue and its two locks: one for each end, so that upstream's thread and the task seldom meet.
//!
//! ```text
//!   chain ─[ state ]─▶ contents ═══ all at once, when the front is used up ═══▶ front ─[ task ]─▶ pushed on
//! ```
//!
//! A buffer is put in under the lock of the state alone, and sent under that of the task alone. Everything else takes
//! both: first the task's, then the state's.
//!
//! What it costs is cache lines that go from core to core, 50 to 150 ns each. So the task comes for more when there is some,
//! lines are asked for before they are used, and what it has sent lies in a line of its own.
//!
//! Invariant: under both locks the contents know what was sent, so levels and limits are exact; under that of the
//! state alone the levels are those of a moment ago, never lower than they are. What the task has sent can be read
//! while it goes on, so a line that seems full is looked at again before both locks are taken.
//! In GStreamer: none; `plugins/elements/gstqueue.c` has one lock (`GST_QUEUE_MUTEX_LOCK`).
//! Left out: nothing.

use super::contents::{Contents, Front, Sent};
use crate::queued::{Amount, Item};
use gst_mini_core::element_prelude::*;
use gst_mini_core::prefetch;
use parking_lot::{Mutex, MutexGuard};
use std::ops::{Deref, DerefMut};
use std::ptr;

/// Looks at a lock before waiting for it.
const LOOKS: u32 = 32;
/// Pauses of the processor between two looks, some 50 ns: each look takes the line from who is at work.
const BETWEEN: u32 = 4;
/// How long the task lets more come when it found little, 100 ns to 2 us, if it was there lately: each visit takes the state from
/// upstream's cache, so one for every few items costs both more than this.
const LEAST_PAUSES: u32 = 8;
const MOST_PAUSES: u32 = 128;
const LATELY: ClockTime = ClockTime::from_micros(20);
/// So often upstream looks whether there is room again, in all for 1 us: to be put to sleep and woken takes ten times as long.
const LOOKS_FOR_ROOM: u32 = 16;

/// Both ends, each in cache lines of its own.
#[derive(Default)]
pub struct Line {
    task: Apart<Mutex<Task>>,
    sent: Apart<Sent>,
    state: Apart<Mutex<State>>,
}

#[derive(Default)]
#[repr(align(64))]
struct Apart<T>(T);

/// The task's end.
#[derive(Default)]
pub struct Task {
    front: Front,
    /// How long it let more come last time.
    pauses: u32,
    /// When it last found little.
    came: AbsoluteTime,
    /// Upstream was full when the front was taken over.
    is_pressed: bool,
    /// The task is sending: `true` data, `false` an event.
    pub under_way: Option<bool>,
    /// Whether the chain waits for room.
    pub waits_room: bool,
}

/// Upstream's end, and what both ends have in common. What is touched when the front is used up comes first: two cache lines,
/// with the lock.
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
    /// Upstream was full since the front was taken over.
    pub is_pressed: bool,
    pub contents: Contents,
    /// What must be inside before anything goes out. The end of the stream takes it to nothing, and a
    /// flush, or setting a property, back.
    pub threshold: Amount,
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
            is_pressed: false,
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
    for _ in 0..LOOKS {
        if let Some(guard) = mutex.try_lock() {
            return guard;
        }
        pause(BETWEEN);
    }
    mutex.lock()
}

fn pause(times: u32) {
    (0..times).for_each(|_| std::hint::spin_loop());
}

impl Line {
    /// The lock of who brings a buffer.
    #[inline]
    pub fn lock_state(&self) -> MutexGuard<'_, State> {
        // Two lines come in the time of one, and at once to be written to.
        let state = ptr::from_ref(&self.state).cast::<u8>();
        prefetch::to_write(state);
        prefetch::to_write(state.wrapping_add(64));
        lock(&self.state.0)
    }

    pub fn lock(&self) -> Both<'_> {
        let task = lock(&self.task.0);
        self.lock_with(task)
    }

    fn lock_with<'a>(&'a self, task: MutexGuard<'a, Task>) -> Both<'a> {
        let state = self.lock_state();
        self.both(task, state)
    }

    fn both<'a>(
        &'a self,
        task: MutexGuard<'a, Task>,
        mut state: MutexGuard<'a, State>,
    ) -> Both<'a> {
        state.contents.settle_with(&task.front);
        Both { sent: &self.sent.0, task, state }
    }

    /// Lets the levels be those that were shown last.
    #[inline]
    pub fn settle(&self, state: &mut State) {
        state.contents.settle(&self.sent.0);
    }

    /// Gives the task some time to send what makes the line full: a task that is busy with it has done so before upstream has
    /// told it that it waits.
    #[cold]
    pub fn let_go<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        drop(state);
        let before = self.sent.0.buffers();
        for _ in 0..LOOKS_FOR_ROOM {
            pause(BETWEEN);
            if self.sent.0.buffers() != before {
                break;
            }
        }
        let mut state = self.lock_state();
        self.settle(&mut state);
        state
    }

    /// The next buffer for the task to send, and whether the chain waits for its room; both locks, if there is more to
    /// it than that. `limit`: how many buffers the queue holds; `now`: the time, which is not always asked for.
    #[inline]
    pub fn next_buffer(
        &self,
        limit: usize,
        now: impl FnOnce() -> AbsoluteTime,
    ) -> Result<(Buffer, bool), Both<'_>> {
        let mut task = lock(&self.task.0);
        if task.front.is_used_up() {
            task.let_come(limit, now);
            task.front.fetch_places();
            let mut state = self.lock_state();
            task.is_pressed = std::mem::take(&mut state.is_pressed);
            state.contents.settle_with(&task.front);
            if !state.is_plain
                || state.result.is_err()
                || !state.contents.hand_over(&mut task.front)
            {
                return Err(self.both(task, state));
            }
            // Upstream may go on: what follows is a look at the buffers, which are not at hand yet.
            drop(state);
            task.front.fetch_first();
        }
        match task.front.next_buffer(&self.sent.0, limit) {
            Some(buf) => {
                task.under_way = Some(true);
                Ok((buf, std::mem::take(&mut task.waits_room)))
            }
            None => Err(self.lock_with(task)),
        }
    }
}

impl Task {
    /// Waits a little if little was taken over last, a moment ago, though there was room for more: longer each time, until it
    /// is enough.
    #[inline]
    fn let_come(&mut self, limit: usize, now: impl FnOnce() -> AbsoluteTime) {
        if !self.front.had_few(limit) {
            self.pauses -= self.pauses / 8;
        } else {
            let now = now();
            let is_lately = now.since(self.came) < LATELY;
            self.came = now;
            self.pauses = match (is_lately, self.is_pressed) {
                (false, _) => 0,
                (true, true) => self.pauses / 4,
                (true, false) => (self.pauses * 2).clamp(LEAST_PAUSES, MOST_PAUSES),
            };
        }
        pause(self.pauses);
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
        let Both { task, state, .. } = self;
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
                    let limit = if random(2) == 0 { 10 } else { 200 };
                    let size = match line.next_buffer(limit, || AbsoluteTime::ZERO) {
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
            let is = plain.level();
            let check = |told: Amount| {
                let enough =
                    told.buffers >= is.buffers && told.bytes >= is.bytes && told.time >= is.time;
                assert!(enough, "step {step}: {told:?} told of {is:?}");
            };
            let mut state = line.lock_state();
            check(state.contents.level());
            if random(2) == 0 {
                line.settle(&mut state);
                check(state.contents.level());
            }
        }
        assert!(fast > 1_000 && slow > 100, "both ways are taken: {fast}, {slow}");
    }

    /// How long the task let more come after so many visits, `apart` from each other, that found one buffer each.
    fn pauses_after(visits: u64, apart: ClockTime) -> u32 {
        let line = Line::default();
        for visit in 1..=visits {
            line.lock_state().contents.put_behind(Item::Buffer(Buffer::from_vec(vec![0; 4])));
            let now = AbsoluteTime::from_nanos(apart.nanos() * visit);
            if let Err(mut both) = line.next_buffer(200, || now) {
                both.take();
            }
        }
        line.task.0.lock().pauses
    }

    #[test]
    fn a_task_lets_more_come_in_full_flow_but_never_in_a_live_stream() {
        assert_eq!(pauses_after(100, ClockTime::from_micros(1)), MOST_PAUSES);
        assert_eq!(pauses_after(100, ClockTime::from_millis(1)), 0);
    }

    #[test]
    fn what_makes_a_line_full_is_no_longer_waited_for() {
        let line = Line::default();
        let now = || AbsoluteTime::ZERO;
        for pressed in [false, false, false, false, true, false] {
            let mut state = line.lock_state();
            state.contents.put_behind(Item::Buffer(Buffer::from_vec(vec![0; 4])));
            state.is_pressed = pressed;
            drop(state);
            if let Err(mut both) = line.next_buffer(200, now) {
                both.take();
            }
        }
        // Doubled four times, from the second visit on; a quarter of it after upstream was held up.
        assert_eq!(line.task.0.lock().pauses, MOST_PAUSES / 4);
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
