//! A [`Clock`] says what time it is and lets a thread wait for a time.
//!
//! A wait has a handle, [`ClockWait`], through which any thread ends it early: that is how a flush or a
//! state change reaches a sink that waits to show a frame.
//!
//! ```
//! use gst_mini_core::clock::{Clock, ClockReturn, ClockWait, TestClock};
//! use gst_mini_core::time::AbsoluteTime;
//! let clock = TestClock::new(AbsoluteTime::from_nanos(100));
//! let wait = ClockWait::new();
//! let waited = clock.wait_until(AbsoluteTime::from_nanos(60), &wait);
//! assert_eq!((waited.result, waited.jitter), (ClockReturn::Early, 40));
//! wait.unschedule();
//! let waited = clock.wait_until(AbsoluteTime::from_nanos(200), &wait);
//! assert_eq!((waited.result, waited.jitter), (ClockReturn::Unscheduled, -100));
//! ```
//!
//! Invariant: an unscheduled wait returns, and so does every later wait on that handle until it is reset.
//! In GStreamer: `gst/gstclock.c` (`gst_clock_id_wait`), `gst/gstsystemclock.c`, `libs/gst/check/gsttestclock.c`.
//! Left out: calibration against a master clock, periodic and asynchronous waits, `GST_CLOCK_BADTIME`
//! (a target is never "none").

mod system;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use system::SystemClock;

use crate::runtime::prim::AtomicBool;
use crate::runtime::{self, Monitor};
use crate::time::{AbsoluteTime, ClockTime};

/// Where a pipeline's time comes from. Called from any thread, at any time.
pub trait Clock: Send + Sync {
    /// The present reading. Between two readings by one thread a clock does not go back, unless its
    /// documentation says that it may.
    fn now(&self) -> AbsoluteTime;

    /// Blocks the calling thread until the clock reads `target` or `wait` is unscheduled. One thread
    /// at a time waits on one handle. Called by sinks and live sources, once per buffer.
    fn wait_until(&self, target: AbsoluteTime, wait: &ClockWait) -> ClockWaited;

    /// The name a user is shown, as in `New clock: GstSystemClock`.
    fn name(&self) -> &str;

    /// Sets a property, given as text. From any thread; waits that go on keep what they began with.
    ///
    /// # Errors
    /// A sentence: there is no such property, or that is no value of it.
    fn set_property(&self, name: &str, value: &str) -> Result<(), String> {
        let _ = value;
        Err(format!("{} has no property \"{name}\"", self.name()))
    }

    /// The value of a property as text; `None` if there is no such property.
    fn property(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
}

/// How a wait on a clock went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockWaited {
    /// Why it ended.
    pub result: ClockReturn,
    /// The clock's reading minus the target when the wait began, in nanoseconds: how late the caller
    /// came when positive, how long there was to wait when negative.
    pub jitter: i64,
}

/// Why a wait on a clock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockReturn {
    /// The clock reached the target during the wait, or just when it began.
    Ok,
    /// The clock had passed the target before the wait began: the caller is late. (GStreamer's word; it
    /// is the wait that would have been over early.)
    Early,
    /// The handle was unscheduled, before or during the wait.
    Unscheduled,
}

/// A handle on one wait at a time. Clones share it.
#[derive(Clone, Default)]
pub struct ClockWait {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Written under the lock; read without it by a wait that spins.
    unscheduled: AtomicBool,
    /// Whether a clock that is moved by hand has released this wait.
    released: Monitor<bool>,
    /// How late the system wakes whoever waits here.
    wakes: system::Wakes,
}

impl ClockReturn {
    /// How a wait went that found the clock at or past its target when it began.
    const fn at_once(jitter: i64) -> ClockReturn {
        if jitter > 0 { ClockReturn::Early } else { ClockReturn::Ok }
    }
}

impl ClockWait {
    /// A handle that nothing waits on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the wait that is going on, and makes every later one return at once until
    /// [`reset`](Self::reset). From any thread.
    pub fn unschedule(&self) {
        let mut released = self.shared.released.lock();
        self.shared.unscheduled.store(true, Ordering::Release);
        released.notify_all();
    }

    /// Makes the handle usable again.
    pub fn reset(&self) {
        let _released = self.shared.released.lock();
        self.shared.unscheduled.store(false, Ordering::Release);
    }

    /// Whether it was unscheduled since the last reset.
    pub fn is_unscheduled(&self) -> bool {
        self.shared.unscheduled.load(Ordering::Acquire)
    }

    fn release(&self) {
        let mut released = self.shared.released.lock();
        *released = true;
        released.notify_all();
    }
}

impl fmt::Debug for ClockWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClockWait").field("unscheduled", &self.is_unscheduled()).finish()
    }
}

/// A clock that is read through a function: one that an element provides, for example.
///
/// It may go faster or slower than the runtime's; a wait looks at it again when it should be over.
pub struct ReadClock {
    name: String,
    read: Box<dyn Fn() -> AbsoluteTime + Send + Sync>,
}

impl ReadClock {
    /// A clock of that name. `read` is called from any thread, and must not go back.
    pub fn new(
        name: impl Into<String>,
        read: impl Fn() -> AbsoluteTime + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), read: Box::new(read) }
    }
}

impl Clock for ReadClock {
    fn now(&self) -> AbsoluteTime {
        (self.read)()
    }

    fn wait_until(&self, target: AbsoluteTime, wait: &ClockWait) -> ClockWaited {
        let began = self.now();
        let ended = |result| ClockWaited { result, jitter: began.diff(target) };
        if wait.is_unscheduled() {
            return ended(ClockReturn::Unscheduled);
        }
        loop {
            let now = self.now();
            if now >= target {
                return ended(ClockReturn::at_once(began.diff(target)));
            }
            // One that stands still is not asked without a pause.
            let left = target.since(now).max(ClockTime::from_micros(100));
            let mut guard = wait.shared.released.lock();
            if wait.is_unscheduled() {
                return ended(ClockReturn::Unscheduled);
            }
            guard.wait_until(runtime::now() + left, "an element's clock");
        }
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// A clock that stands still until it is moved by hand.
///
/// Unlike GStreamer's, moving it releases every wait whose target it passes, as a real clock would.
#[derive(Default)]
pub struct TestClock {
    state: Monitor<TestState>,
}

#[derive(Default)]
struct TestState {
    now: AbsoluteTime,
    /// In the order they began.
    waits: Vec<(AbsoluteTime, ClockWait)>,
}

impl TestClock {
    /// A clock that reads `now`.
    pub const fn new(now: AbsoluteTime) -> Self {
        Self { state: Monitor::new(TestState { now, waits: Vec::new() }) }
    }

    /// Moves the clock forward to `now` and releases the waits it passes. An earlier time changes
    /// nothing: clocks do not go back by accident.
    pub fn set_time(&self, now: AbsoluteTime) {
        self.move_to(|before| now.max(before));
    }

    /// Moves the clock forward by `length`.
    pub fn advance(&self, length: ClockTime) {
        self.move_to(|before| before + length);
    }

    fn move_to(&self, now: impl FnOnce(AbsoluteTime) -> AbsoluteTime) {
        let mut state = self.state.lock();
        let now = now(state.now);
        state.now = now;
        state.waits.retain(|(target, wait)| {
            let due = *target <= now;
            if due {
                wait.release();
            }
            !due
        });
    }

    /// What no clock should do: moves it to an earlier time. Waits that go on stay as they are, and
    /// take that much longer.
    pub fn set_time_back(&self, now: AbsoluteTime) {
        let mut state = self.state.lock();
        state.now = state.now.min(now);
    }

    /// The earliest target anyone waits for.
    pub fn peek_next_wait(&self) -> Option<AbsoluteTime> {
        self.state.lock().waits.iter().map(|(target, _)| *target).min()
    }

    /// The targets of all waits that go on, earliest first.
    pub fn waits(&self) -> Vec<AbsoluteTime> {
        let mut targets: Vec<_> =
            self.state.lock().waits.iter().map(|(target, _)| *target).collect();
        targets.sort();
        targets
    }

    /// Blocks the caller until `count` waits go on at once.
    pub fn wait_for_waits(&self, count: usize) {
        let mut state = self.state.lock();
        while state.waits.len() < count {
            state.wait("waits on the test clock");
        }
    }

    /// Blocks the caller until someone waits, moves the clock to the earliest target, and tells it.
    pub fn crank(&self) -> AbsoluteTime {
        loop {
            self.wait_for_waits(1);
            // Unscheduled in between: look again.
            if let Some(target) = self.try_crank() {
                return target;
            }
        }
    }

    /// As [`crank`](Self::crank), but `None` at once when nobody waits.
    pub fn try_crank(&self) -> Option<AbsoluteTime> {
        let target = self.peek_next_wait()?;
        self.set_time(target);
        Some(target)
    }

    fn forget(&self, wait: &ClockWait) {
        let mut state = self.state.lock();
        state.waits.retain(|(_, other)| !Arc::ptr_eq(&other.shared, &wait.shared));
    }
}

impl Clock for TestClock {
    fn now(&self) -> AbsoluteTime {
        self.state.lock().now
    }

    /// Lock order: the clock, then the wait.
    fn wait_until(&self, target: AbsoluteTime, wait: &ClockWait) -> ClockWaited {
        let mut state = self.state.lock();
        let jitter = state.now.diff(target);
        let ended = |result| ClockWaited { result, jitter };
        if wait.is_unscheduled() {
            return ended(ClockReturn::Unscheduled);
        }
        if jitter >= 0 {
            return ended(ClockReturn::at_once(jitter));
        }
        *wait.shared.released.lock() = false;
        state.waits.push((target, wait.clone()));
        state.notify_all();
        drop(state);

        let mut released = wait.shared.released.lock();
        while !*released && !wait.is_unscheduled() {
            released.wait("the test clock");
        }
        let result = if *released { ClockReturn::Ok } else { ClockReturn::Unscheduled };
        drop(released);
        if result == ClockReturn::Unscheduled {
            self.forget(wait);
        }
        ended(result)
    }

    fn name(&self) -> &str {
        "GstTestClock"
    }
}
