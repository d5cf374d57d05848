//! The three timelines of a pipeline, each a type of its own, in integer nanoseconds.
//!
//! [`ClockTime`] counts on a stream's own timeline (timestamps) or is a length (durations).
//! [`RunningTime`] is how long a pipeline has been playing. [`AbsoluteTime`] is what a clock reads.
//! They meet in one sentence: *absolute time = running time + base time*.
//!
//! ```
//! use gst_mini_core::time::{AbsoluteTime, ClockTime, RunningTime};
//! let base_time = AbsoluteTime::from_nanos(5_000_000_000);
//! let due = RunningTime::ZERO + ClockTime::from_millis(40);
//! assert_eq!(due.at(base_time), AbsoluteTime::from_nanos(5_040_000_000));
//! assert_eq!(ClockTime::from_millis(40).to_string(), "0:00:00.040000000");
//! ```
//!
//! Invariant: a timestamp and a clock reading cannot be compared; "no time" is `Option`, never a number.
//! In GStreamer: `gst/gstclock.h` (`GstClockTime`), `gst/gstutils.c` (`gst_util_uint64_scale`).
//! Left out: hours above 2^64 ns, which is 584 years.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};

macro_rules! nanos_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The origin of this timeline.
            pub const ZERO: Self = Self(0);
            /// From nanoseconds.
            pub const fn from_nanos(nanos: u64) -> Self {
                Self(nanos)
            }
            /// In nanoseconds.
            pub const fn nanos(self) -> u64 {
                self.0
            }
            /// In seconds, for printing; arithmetic stays in nanoseconds.
            pub fn seconds_f64(self) -> f64 {
                self.0 as f64 / 1e9
            }
            /// `self + length`, or `None` past the end of the timeline.
            pub const fn checked_add(self, length: ClockTime) -> Option<Self> {
                match self.0.checked_add(length.0) {
                    Some(nanos) => Some(Self(nanos)),
                    None => None,
                }
            }
            /// `self - length`, or `None` before the origin.
            pub const fn checked_sub(self, length: ClockTime) -> Option<Self> {
                match self.0.checked_sub(length.0) {
                    Some(nanos) => Some(Self(nanos)),
                    None => None,
                }
            }
            /// `self - length`, stopping at the origin.
            pub const fn saturating_sub(self, length: ClockTime) -> Self {
                Self(self.0.saturating_sub(length.0))
            }
            /// The length from `earlier` to `self`; zero when `earlier` is later.
            pub const fn since(self, earlier: Self) -> ClockTime {
                ClockTime(self.0.saturating_sub(earlier.0))
            }
            /// The signed difference `self - other` in nanoseconds, saturating.
            pub fn diff(self, other: Self) -> i64 {
                let diff = i128::from(self.0) - i128::from(other.0);
                diff.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
            }
            /// `self + offset` for a signed offset in nanoseconds; `None` outside the timeline.
            pub const fn checked_offset(self, offset: i64) -> Option<Self> {
                match self.0.checked_add_signed(offset) {
                    Some(nanos) => Some(Self(nanos)),
                    None => None,
                }
            }
        }

        impl Add<ClockTime> for $name {
            type Output = Self;
            /// Saturates at the end of the timeline.
            fn add(self, length: ClockTime) -> Self {
                Self(self.0.saturating_add(length.0))
            }
        }

        impl AddAssign<ClockTime> for $name {
            fn add_assign(&mut self, length: ClockTime) {
                *self = *self + length;
            }
        }

        impl fmt::Display for $name {
            /// As GStreamer prints it: `h:mm:ss.nnnnnnnnn`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let seconds = self.0 / 1_000_000_000;
                write!(
                    f,
                    "{}:{:02}:{:02}.{:09}",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60,
                    self.0 % 1_000_000_000
                )
            }
        }
    };
}

nanos_type!(
    /// A timestamp on a stream's own timeline (pts, dts, segment start, position), or a length of
    /// time (duration, latency). Nanoseconds.
    ClockTime
);
nanos_type!(
    /// How long the pipeline has been in PLAYING, as seen by a buffer or by the clock. Nanoseconds.
    /// Made by [`Segment::to_running_time`](crate::segment::Segment) or from a clock reading.
    RunningTime
);
nanos_type!(
    /// What a clock reads. Only differences between readings of one clock mean anything. Nanoseconds.
    AbsoluteTime
);

impl ClockTime {
    /// One second.
    pub const SECOND: Self = Self(1_000_000_000);
    /// One millisecond.
    pub const MSECOND: Self = Self(1_000_000);
    /// One microsecond.
    pub const USECOND: Self = Self(1_000);

    /// From whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }
    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    /// From microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }
    /// The time of frame `index` on a grid of `fps_n / fps_d` frames a second, rounded down as
    /// GStreamer's sources do (`gst_util_uint64_scale`). A rate of zero gives the origin.
    pub fn of_frame(index: u64, fps_n: u64, fps_d: u64) -> Self {
        Self(scale(index, fps_d.saturating_mul(1_000_000_000), fps_n).unwrap_or(0))
    }
    /// `self * num / denom` with 128 bits inside, rounded down, saturating; `None` if `denom` is 0.
    pub fn mul_div(self, num: u64, denom: u64) -> Option<Self> {
        scale(self.0, num, denom).map(Self)
    }
}

impl Sub<ClockTime> for ClockTime {
    type Output = Self;
    /// Saturates at zero.
    fn sub(self, length: ClockTime) -> Self {
        Self(self.0.saturating_sub(length.0))
    }
}

impl SubAssign<ClockTime> for ClockTime {
    fn sub_assign(&mut self, length: ClockTime) {
        *self = *self - length;
    }
}

impl RunningTime {
    /// The clock reading at which this running time comes round: running time + base time.
    pub const fn at(self, base_time: AbsoluteTime) -> AbsoluteTime {
        let reading = self.0.wrapping_add(base_time.0);
        // A base time before the clock's zero is written modulo 2^64.
        if reading as i64 >= 0 {
            AbsoluteTime(reading)
        } else if (base_time.0 as i64) < 0 {
            AbsoluteTime::ZERO
        } else {
            AbsoluteTime(self.0.saturating_add(base_time.0))
        }
    }
}

impl AbsoluteTime {
    /// The running time at this reading; zero before the base time.
    pub const fn running_time(self, base_time: AbsoluteTime) -> RunningTime {
        let length = self.0.wrapping_sub(base_time.0);
        RunningTime(if length as i64 >= 0 { length } else { 0 })
    }
}

/// `value * num / denom` with 128 bits inside, rounded down, saturating at 2^64 - 1.
/// `None` if `denom` is 0.
pub fn scale(value: u64, num: u64, denom: u64) -> Option<u64> {
    scale_with(value, num, denom, 0)
}

/// As [`scale`], rounded to nearest.
pub fn scale_round(value: u64, num: u64, denom: u64) -> Option<u64> {
    scale_with(value, num, denom, u128::from(denom >> 1))
}

/// As [`scale`], rounded up.
pub fn scale_ceil(value: u64, num: u64, denom: u64) -> Option<u64> {
    scale_with(value, num, denom, u128::from(denom.saturating_sub(1)))
}

fn scale_with(value: u64, num: u64, denom: u64, correction: u128) -> Option<u64> {
    if denom == 0 {
        return None;
    }
    let product = u128::from(value) * u128::from(num) + correction;
    Some(u64::try_from(product / u128::from(denom)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_times_of_ntsc_stay_exact_over_a_day() {
        let index = 24_000 * 3600;
        assert_eq!(
            ClockTime::of_frame(index, 24_000, 1001),
            ClockTime::from_secs(1001 * 3600),
            "no drift after an hour of rational frames"
        );
        assert_eq!(ClockTime::of_frame(1, 24_000, 1001).nanos(), 41_708_333);
    }

    #[test]
    fn running_time_and_base_time_make_a_clock_reading_and_back() {
        let base_time = AbsoluteTime::from_nanos(7);
        let running_time = RunningTime::from_nanos(35);
        assert_eq!(running_time.at(base_time).running_time(base_time), running_time);
    }

    #[test]
    fn scaling_saturates_and_refuses_a_zero_denominator() {
        assert_eq!(scale(u64::MAX, u64::MAX, 1), Some(u64::MAX));
        assert_eq!(scale(1, 1, 0), None);
        assert_eq!(
            (scale(5, 1, 2), scale_round(5, 1, 2), scale_ceil(5, 1, 2)),
            (Some(2), Some(3), Some(3))
        );
    }
}
