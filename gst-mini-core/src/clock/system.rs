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

/// What is left of a wait is burned rather than slept when it is no more than this.
const BURNED: ClockTime = ClockTime::from_micros(20);

/// How late the system has woken a thread, and how much sooner it is therefore asked to.
///
/// ```text
///   asked for            woken        due
///     ├───── late ─────────┤           │       the least late of the last waits, or a little more: that much
///     ├────────── lead ────────────────┤       sooner is the next one asked for
/// ```
///
/// An idle core of a virtual machine takes a tenth of a millisecond to wake up, much the same each time. It is told
/// of any wake that comes sooner, and forgets that within some dozens of them.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    /// ns
    late: AtomicU64,
}

impl Wakes {
    /// Of what is certain, an eighth is left for the system to be quicker.
    fn lead(&self) -> ClockTime {
        ClockTime::from_nanos(self.late.load(Ordering::Relaxed) / 8 * 7)
    }

    /// A thread was woken that much later than it asked for.
    fn note(&self, late: ClockTime) {
        let (known, late) = (self.late.load(Ordering::Relaxed), late.nanos().min(MOST_LATE));
        let next = if late < known { late } else { known + (late - known) / 16 };
        self.late.store(next, Ordering::Relaxed);
    }
}

/// Later than this is somebody else's work on the core.
const MOST_LATE: u64 = 500_000;

/// The clock of the runtime: `CLOCK_MONOTONIC`, which never goes backwards whatever happens to the
/// calendar, or a simulation's virtual time.
///
/// A wait asks the system to wake it as much sooner as the waits before it were woken late, and burns the few
/// microseconds that may be left.
///
/// It has two properties, in nanoseconds, which each wait reads when it begins. At most one of them helps.
///
/// - `spin`: the end of a wait that is burned on the waiting thread's core instead of being slept, so that the wait
///   ends less than a microsecond late. What the thread does next is then as late as its memory is cold. 100 µs
///   cost under 1 % of a core at 100 waits a second. With one core it only takes time from the thread that is waited for,
///   and where tasks share threads (`runtime::Shared`) it would take it from all of them: there it does nothing.
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
        let spin = if is_coarse() { 0 } else { self.spin.load(Ordering::Relaxed) };
        target.saturating_sub(ClockTime::from_nanos(spin))
    }
}

/// Whether a wait is left to the runtime as it is: burning time moves no virtual time, and where tasks share a thread
/// it takes from the others, whose deadlines share a grid anyway.
fn is_coarse() -> bool {
    runtime::is_simulated() || runtime::is_shared()
}

impl Clock for SystemClock {
    fn now(&self) -> AbsoluteTime {
        runtime::now()
    }

    fn wait_until(&self, target: AbsoluteTime, wait: &ClockWait) -> ClockWaited {
        let mut guard = wait.shared.released.lock();
        let began = self.now();
        let ended = |result| ClockWaited { result, jitter: began.diff(target) };
        let wakes = &wait.shared.wakes;
        let wanted = self.asleep_until(target);
        // A grid is for waking together with others.
        let mut lead = (wanted <= target && !is_coarse()).then(|| wakes.lead());
        let mut asleep_until = wanted.saturating_sub(lead.unwrap_or(ClockTime::ZERO));
        let mut slept = false;
        loop {
            if wait.is_unscheduled() {
                return ended(ClockReturn::Unscheduled);
            }
            if began >= target {
                return ended(ClockReturn::at_once(began.diff(target)));
            }
            let now = self.now();
            if now >= asleep_until {
                if lead.take().is_some() && slept {
                    wakes.note(now.since(asleep_until));
                }
                if wanted.since(now) <= BURNED {
                    break;
                }
                // The system was quicker than it uses to be.
                asleep_until = wanted;
            }
            guard.wait_until(asleep_until, "the clock");
            slept = true;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lead_grows_to_what_wakes_are_late_and_falls_at_once() {
        let wakes = Wakes::default();
        assert_eq!(wakes.lead(), ClockTime::ZERO);
        (0..200).for_each(|_| wakes.note(ClockTime::from_micros(80)));
        assert!((69_000..=70_000).contains(&wakes.lead().nanos()), "{:?}", wakes.lead());
        wakes.note(ClockTime::from_micros(16));
        assert_eq!(wakes.lead(), ClockTime::from_micros(14));
        // What somebody else did with the core for a second is not taken for the system's way.
        (0..1_000).for_each(|_| wakes.note(ClockTime::SECOND));
        assert!(wakes.lead().nanos() <= MOST_LATE);
    }

    #[test]
    fn a_wait_that_is_asked_for_sooner_does_not_end_sooner() {
        let (clock, wait) = (SystemClock::new(), ClockWait::new());
        wait.shared.wakes.late.store(MOST_LATE, Ordering::Relaxed);
        for _ in 0..20 {
            let target = clock.now() + ClockTime::from_millis(1);
            assert_eq!(clock.wait_until(target, &wait).result, ClockReturn::Ok);
            assert!(clock.now() >= target);
            wait.shared.wakes.late.store(MOST_LATE, Ordering::Relaxed);
        }
    }
}
