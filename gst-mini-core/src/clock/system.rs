//! The [`SystemClock`]: the runtime's time, and how exactly a wait for it ends.
//!
//! ```
//! use gst_mini_core::clock::{Clock, SystemClock};
//! let clock = SystemClock::new();
//! clock.set_property("spin", "100000")?;
//! assert_eq!(clock.property("spin").as_deref(), Some("100000"));
//! assert!(clock.set_property("spin", "soon").is_err());
//! # Ok::<(), String>(())
//! ```
//!
//! Invariant: a wait never ends before its target, whatever the properties are.
//! In GStreamer: `gst/gstsystemclock.c` (`gst_system_clock_id_wait_jitter_unlocked`). `spin` and `grid` are our own.
//! Left out: `clock-type`; the time is always the monotonic one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::{Clock, ClockReturn, ClockWait, ClockWaited};
use crate::runtime;
use crate::time::{AbsoluteTime, ClockTime};

/// The clock of the runtime: `CLOCK_MONOTONIC`, which never goes backwards whatever happens to the
/// calendar, or a simulation's virtual time.
///
/// It has two properties, in nanoseconds, which each wait reads when it begins. At most one of them helps.
///
/// - `spin`: the end of a wait that is burned on the waiting thread's core instead of being slept, so that it
///   ends less than a microsecond late. 100 µs take the median there for under 1 % of a core at 100 waits
///   a second. With one core it only takes time from the thread that is waited for.
/// - `grid`: waits end at multiples of it, up to that much late, so that all that are due between two of them
///   share one wake-up of the core. It is for many live streams in one process.
#[derive(Debug, Default)]
pub struct SystemClock {
    spin: AtomicU64,
    grid: AtomicU64,
}

impl SystemClock {
    /// A clock whose waits sleep until the target: tens of microseconds late, at no cost.
    pub const fn new() -> Self {
        Self { spin: AtomicU64::new(0), grid: AtomicU64::new(0) }
    }

    /// A clock with that `spin`.
    pub const fn with_spin(spin: ClockTime) -> Self {
        Self { spin: AtomicU64::new(spin.nanos()), grid: AtomicU64::new(0) }
    }

    /// A clock with that `grid`.
    pub const fn with_grid(grid: ClockTime) -> Self {
        Self { spin: AtomicU64::new(0), grid: AtomicU64::new(grid.nanos()) }
    }

    /// The clock of this process, shared by all pipelines that choose none. Setting its properties sets them
    /// for all of these.
    pub fn obtain() -> Arc<dyn Clock> {
        static SYSTEM: OnceLock<Arc<SystemClock>> = OnceLock::new();
        SYSTEM.get_or_init(|| Arc::new(SystemClock::new())).clone()
    }

    fn cell(&self, name: &str) -> Option<&AtomicU64> {
        match name {
            "spin" => Some(&self.spin),
            "grid" => Some(&self.grid),
            _ => None,
        }
    }

    /// Until when a wait for `target` sleeps.
    fn asleep_until(&self, target: AbsoluteTime) -> AbsoluteTime {
        let grid = self.grid.load(Ordering::Relaxed);
        if grid > 0 {
            let next = target.nanos().checked_next_multiple_of(grid);
            return AbsoluteTime::from_nanos(next.unwrap_or(u64::MAX));
        }
        // Spinning moves no virtual time.
        let spin = if runtime::is_simulated() { 0 } else { self.spin.load(Ordering::Relaxed) };
        target.saturating_sub(ClockTime::from_nanos(spin))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> AbsoluteTime {
        runtime::now()
    }

    fn wait_until(&self, target: AbsoluteTime, wait: &ClockWait) -> ClockWaited {
        let mut guard = wait.shared.released.lock();
        let began = self.now();
        let ended = |result| ClockWaited { result, jitter: began.diff(target) };
        let asleep_until = self.asleep_until(target);
        loop {
            if wait.is_unscheduled() {
                return ended(ClockReturn::Unscheduled);
            }
            if began >= target {
                return ended(ClockReturn::at_once(began.diff(target)));
            }
            if self.now() >= asleep_until {
                break;
            }
            guard.wait_until(asleep_until, "the clock");
        }
        drop(guard);
        while self.now() < target {
            if wait.is_unscheduled() {
                return ended(ClockReturn::Unscheduled);
            }
            std::hint::spin_loop();
        }
        ended(ClockReturn::Ok)
    }

    fn name(&self) -> &str {
        "GstSystemClock"
    }

    fn set_property(&self, name: &str, value: &str) -> Result<(), String> {
        let cell = self.cell(name).ok_or_else(|| {
            format!("{} has no property \"{name}\"; it has spin and grid, in ns", self.name())
        })?;
        let nanos = value.trim().parse().map_err(|_| {
            format!(
                "{name}={value}: nanoseconds are wanted, as 100000 for a tenth of a millisecond"
            )
        })?;
        cell.store(nanos, Ordering::Relaxed);
        Ok(())
    }

    fn property(&self, name: &str) -> Option<String> {
        Some(self.cell(name)?.load(Ordering::Relaxed).to_string())
    }
}
