//! [`Patience`]: whether a thread that waits should yield its core a few times before it blocks.
//!
//! ```text
//!   blocked 8 times in a row, each for less than 250 µs      yield up to 50 times, looking after each, then block
//!   blocked for longer once                                  block at once again
//!   a yield took more than 100 µs: others want the core      no yield for 10 ms; twice as long each time, at most 1 s:
//!                                                            look for 13 µs, then block
//! ```
//!
//! Two threads at the ends of a full queue hand over every few hundred nanoseconds, and waking one that
//! sleeps on another core takes ten microseconds or more; there yielding is fifty times faster. A live stream's
//! waits are long, so it never yields, and keeps the system's latency and burns nothing. Where other threads
//! want the cores, a yield gives away a whole slice, which is what the last rule is about. There looking for as
//! long as it costs to be put to sleep and woken is the better bet: a tee to eight queues on two cores takes 1.6 µs a buffer
//! with 13 µs of it, 2.2 with 5 or 54, and several times as much with none.
//!
//! Invariant: what is right does not depend on it. Its numbers are hints, which threads may overwrite for each other.
//! In GStreamer: none; `g_cond_wait` blocks.
//! Left out: spinning instead of yielding, which is best for two threads on two cores and bad for everything else.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::os;

/// Waits of less are short, ns.
pub(super) const SHORT: u64 = 250_000;
const ARMED: u32 = 8;
const YIELDS: u32 = 50;
const SPIN: u64 = 13_000;
const LOOKS: u32 = 32;
const LONG_YIELD: u64 = 100_000;
const LEAST_BAN: u64 = 10_000_000;
const MOST_BAN: u64 = 1_000_000_000;

#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Short blocks in a row.
    short: AtomicU32,
    /// Length of the last ban, and when it ends, ns.
    ban: AtomicU64,
    banned_until: AtomicU64,
}

impl Patience {
    pub const fn new() -> Self {
        Patience {
            short: AtomicU32::new(0),
            ban: AtomicU64::new(0),
            banned_until: AtomicU64::new(0),
        }
    }

    /// Yields for a while, if that is promising, until `is_over`. Whether it was.
    #[inline]
    pub fn yields_until(&self, is_over: impl Fn() -> bool) -> bool {
        // Under Shuttle orders are what is explored; yields would be noise.
        !cfg!(gst_mini_shuttle)
            && self.short.load(Ordering::Relaxed) >= ARMED
            && self.yield_until(is_over)
    }

    fn yield_until(&self, is_over: impl Fn() -> bool) -> bool {
        let mut before = os::monotonic_nanos();
        if before < self.banned_until.load(Ordering::Relaxed) {
            return spin_until(before + SPIN, is_over);
        }
        for _ in 0..YIELDS {
            os::yield_core();
            let is_over = is_over();
            let after = os::monotonic_nanos();
            if after - before > LONG_YIELD {
                let ban = (self.ban.load(Ordering::Relaxed) * 2).clamp(LEAST_BAN, MOST_BAN);
                self.ban.store(ban, Ordering::Relaxed);
                self.banned_until.store(after + ban, Ordering::Relaxed);
                self.short.store(0, Ordering::Relaxed);
                return is_over;
            }
            if is_over {
                return true;
            }
            before = after;
        }
        false
    }

    /// A wait that blocked is over.
    pub fn blocked_for(&self, nanos: u64) {
        let short = if nanos < SHORT { self.short.load(Ordering::Relaxed) + 1 } else { 0 };
        self.short.store(short.min(ARMED), Ordering::Relaxed);
    }
}

/// Looks again and again until the clock reads `end`. Whether it was over.
fn spin_until(end: u64, is_over: impl Fn() -> bool) -> bool {
    let look = || {
        std::hint::spin_loop();
        is_over()
    };
    while os::monotonic_nanos() < end {
        if (0..LOOKS).any(|_| look()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn it_yields_where_waits_are_short_and_stops_at_the_first_long_one() {
        let patience = Patience::new();
        let looks = Cell::new(0);
        let look = || {
            looks.set(looks.get() + 1);
            looks.get() % 3 == 0
        };
        assert!(!patience.yields_until(look));
        assert_eq!(looks.get(), 0, "nothing is known yet");
        (0..ARMED).for_each(|_| patience.blocked_for(1_000));
        // On a busy machine a yield may take long, which is the third rule.
        patience.yields_until(look);
        assert!(looks.get() > 0);
        let before = looks.get();
        patience.blocked_for(SHORT);
        assert!(!patience.yields_until(look));
        assert_eq!(looks.get(), before);
    }
}
