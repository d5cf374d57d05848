//! A [`Segment`] says which part of a stream plays, how fast, and where it lies on the other timelines.
//!
//! Three timelines meet in it. A *position* is a buffer's timestamp; *running time* is how long the
//! pipeline has been playing when that position is due; *stream time* is what a progress bar shows.
//!
//! ```
//! use gst_mini_core::segment::Segment;
//! use gst_mini_core::time::{ClockTime, RunningTime};
//! let mut segment = Segment { rate: 2.0, base: 5_000_000_000, ..Segment::time() };
//! segment.start = 1_000_000_000;
//! let due = segment.to_running_time(ClockTime::from_secs(3));
//! assert_eq!(due, Some(RunningTime::from_nanos(6_000_000_000)));
//! assert_eq!(segment.to_string().parse(), Ok(segment));
//! ```
//!
//! Invariant: within one segment, timestamps in playback order give running times that never go back.
//! In GStreamer: `gst/gstsegment.c` (`gst_segment_to_running_time_full`), design page `segments`.
//! Left out: the `format` argument of every function, a position is taken in the segment's own format.

mod flags;
mod seek;
mod text;

pub use flags::{Format, ParseWordError, SeekFlags, SeekType, SegmentFlags};
pub use text::ParseSegmentError;

use crate::time::{ClockTime, RunningTime};

/// A part of a stream, with the rules that turn its timestamps into running time and stream time.
///
/// All counts are in the unit of `format`: nanoseconds for [`Format::Time`], bytes for
/// [`Format::Bytes`]. `None` means unknown or unlimited. A value, without locks: each pad keeps its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// The unit of every count below.
    pub format: Format,
    /// What the consumer should know about how this segment came to be played.
    pub flags: SegmentFlags,
    /// Playback speed still to be applied downstream; negative plays backwards, never 0.
    pub rate: f64,
    /// Speed already applied to the data upstream; it only matters to stream time.
    pub applied_rate: f64,
    /// Running time at which this segment begins: what earlier segments used up.
    pub base: u64,
    /// How much of the segment was skipped before playback of it began.
    pub offset: u64,
    /// First position inside.
    pub start: u64,
    /// Last position; `None` is open-ended.
    pub stop: Option<u64>,
    /// Stream time of `start`.
    pub time: Option<u64>,
    /// Where playback is. Elements keep it up to date; conversions do not read it.
    pub position: Option<u64>,
    /// Length of the whole stream, needed to seek relative to its end.
    pub duration: Option<u64>,
}

impl Segment {
    /// From 0 without end, at normal speed, in `format`.
    pub const fn new(format: Format) -> Self {
        Self {
            format,
            flags: SegmentFlags::empty(),
            rate: 1.0,
            applied_rate: 1.0,
            base: 0,
            offset: 0,
            start: 0,
            stop: None,
            time: Some(0),
            position: Some(0),
            duration: None,
        }
    }

    /// From 0 without end, at normal speed, in nanoseconds.
    pub const fn time() -> Self {
        Self::new(Format::Time)
    }

    /// When the timestamp `position` is due. `None` outside the segment, before running time 0, and
    /// in a segment that is not in time.
    pub fn to_running_time(&self, position: ClockTime) -> Option<RunningTime> {
        self.require_time()?;
        self.running_time_of(position.nanos()).map(RunningTime::from_nanos)
    }

    /// When the timestamp `position` is due, also outside the segment: `(1, t)` is `t` and
    /// `(-1, t)` is `-t`, in nanoseconds; `(0, _)` is undefined.
    pub fn to_running_time_full(&self, position: ClockTime) -> (i32, u64) {
        match self.require_time() {
            Some(()) => self.running_time_full_of(position.nanos()),
            None => UNDEFINED,
        }
    }

    /// Where on the stream's own scale the timestamp `position` lies. `None` outside the segment,
    /// before stream time 0, and in a segment that is not in time.
    pub fn to_stream_time(&self, position: ClockTime) -> Option<ClockTime> {
        self.require_time()?;
        self.stream_time_of(position.nanos()).map(ClockTime::from_nanos)
    }

    /// As [`to_stream_time`](Self::to_stream_time), also outside the segment; signed as in
    /// [`to_running_time_full`](Self::to_running_time_full).
    pub fn to_stream_time_full(&self, position: ClockTime) -> (i32, u64) {
        match self.require_time() {
            Some(()) => self.stream_time_full_of(position.nanos()),
            None => UNDEFINED,
        }
    }

    /// The timestamp that is due at `running_time`; `None` when none in the segment is.
    pub fn position_from_running_time(&self, running_time: RunningTime) -> Option<ClockTime> {
        self.require_time()?;
        self.position_of_running_time(running_time.nanos()).map(ClockTime::from_nanos)
    }

    /// As [`position_from_running_time`](Self::position_from_running_time), also outside the
    /// segment; signed as in [`to_running_time_full`](Self::to_running_time_full).
    pub fn position_from_running_time_full(&self, running_time: RunningTime) -> (i32, u64) {
        match self.require_time() {
            Some(()) => self.position_full_of_running_time(running_time.nanos()),
            None => UNDEFINED,
        }
    }

    /// The timestamp that lies at `stream_time`; `None` when none in the segment does.
    pub fn position_from_stream_time(&self, stream_time: ClockTime) -> Option<ClockTime> {
        self.require_time()?;
        self.position_of_stream_time(stream_time.nanos()).map(ClockTime::from_nanos)
    }

    /// As [`position_from_stream_time`](Self::position_from_stream_time), also outside the segment;
    /// signed as in [`to_running_time_full`](Self::to_running_time_full).
    pub fn position_from_stream_time_full(&self, stream_time: ClockTime) -> (i32, u64) {
        match self.require_time() {
            Some(()) => self.position_full_of_stream_time(stream_time.nanos()),
            None => UNDEFINED,
        }
    }

    /// [`to_running_time`](Self::to_running_time) in any format.
    #[inline]
    pub fn running_time_of(&self, position: u64) -> Option<u64> {
        self.inside(position).and_then(|position| positive(self.running_time_full_of(position)))
    }

    /// [`to_running_time_full`](Self::to_running_time_full) in any format.
    #[inline]
    pub fn running_time_full_of(&self, position: u64) -> (i32, u64) {
        if position == NONE {
            return UNDEFINED;
        }
        let (ahead, distance) = if self.rate > 0.0 {
            distance(position, self.start.wrapping_add(self.offset))
        } else {
            let end = self.duration.map(|duration| self.start.wrapping_add(duration));
            match self.stop.or(end).and_then(|stop| stop.checked_sub(self.offset)) {
                Some(stop) => distance(stop, position),
                None => return UNDEFINED,
            }
        };
        signed_sum(ahead, unscale(distance, self.rate), self.base)
    }

    /// [`to_stream_time`](Self::to_stream_time) in any format.
    #[inline]
    pub fn stream_time_of(&self, position: u64) -> Option<u64> {
        self.inside(position).and_then(|position| positive(self.stream_time_full_of(position)))
    }

    /// [`to_stream_time_full`](Self::to_stream_time_full) in any format.
    #[inline]
    pub fn stream_time_full_of(&self, position: u64) -> (i32, u64) {
        let Some(time) = self.time.filter(|_| position != NONE) else { return UNDEFINED };
        // Data already played backwards upstream has rising timestamps and falling stream time.
        let (ahead, distance) = if self.applied_rate > 0.0 {
            distance(position, self.start)
        } else {
            match self.stop {
                Some(stop) => distance(stop, position),
                None => return UNDEFINED,
            }
        };
        signed_sum(ahead, scale(distance, self.applied_rate), time)
    }

    /// [`position_from_running_time`](Self::position_from_running_time) in any format.
    pub fn position_of_running_time(&self, running_time: u64) -> Option<u64> {
        positive(self.position_full_of_running_time(running_time))
            .and_then(|position| self.inside(position))
    }

    /// [`position_from_running_time_full`](Self::position_from_running_time_full) in any format.
    pub fn position_full_of_running_time(&self, running_time: u64) -> (i32, u64) {
        if running_time == NONE {
            return UNDEFINED;
        }
        let (ahead, distance) = distance(running_time, self.base);
        let distance = scale_up(distance, self.rate);
        if self.rate > 0.0 {
            return signed_sum(ahead, distance, self.start.wrapping_add(self.offset));
        }
        // An open end counts as the largest position, and sums wrap, as they do in GStreamer.
        let stop = self.stop.unwrap_or(NONE);
        if ahead {
            let gone = distance.wrapping_add(self.offset);
            if stop < gone { (-1, gone.wrapping_sub(stop)) } else { (1, stop - gone) }
        } else {
            let left = stop.wrapping_add(distance);
            if left >= self.offset { (1, left - self.offset) } else { (-1, self.offset - left) }
        }
    }

    /// [`position_from_stream_time`](Self::position_from_stream_time) in any format.
    pub fn position_of_stream_time(&self, stream_time: u64) -> Option<u64> {
        positive(self.position_full_of_stream_time(stream_time))
            .and_then(|position| self.inside(position))
    }

    /// [`position_from_stream_time_full`](Self::position_from_stream_time_full) in any format.
    pub fn position_full_of_stream_time(&self, stream_time: u64) -> (i32, u64) {
        let Some(time) = self.time.filter(|_| stream_time != NONE) else { return UNDEFINED };
        let (ahead, distance) = distance(stream_time, time);
        let distance = unscale(distance, self.applied_rate);
        if self.applied_rate > 0.0 {
            return signed_sum(ahead, distance, self.start);
        }
        match self.stop {
            Some(stop) => signed_sum(!ahead, distance, stop),
            None => UNDEFINED,
        }
    }

    /// The part of `start..stop` that lies in the segment, or `None` when no part does.
    ///
    /// An unknown `start` stays unknown; an unknown `stop` becomes the segment's.
    #[inline]
    pub fn clip(
        &self,
        start: Option<u64>,
        stop: Option<u64>,
    ) -> Option<(Option<u64>, Option<u64>)> {
        if let (Some(last), Some(start)) = (self.stop, start)
            && (start > last || (start == last && self.start != last))
        {
            return None;
        }
        // A zero-length piece that sits exactly on the segment's start is inside.
        if let Some(stop) = stop
            && (stop < self.start || (stop == self.start && start != Some(stop)))
        {
            return None;
        }
        let clipped_stop = match (stop, self.stop) {
            (Some(stop), Some(last)) => Some(stop.min(last)),
            (stop, last) => stop.or(last),
        };
        Some((start.map(|start| start.max(self.start)), clipped_stop))
    }

    fn require_time(&self) -> Option<()> {
        (self.format == Format::Time).then_some(())
    }

    #[inline]
    fn inside(&self, position: u64) -> Option<u64> {
        let after = self.stop.is_some_and(|stop| position > stop);
        (position >= self.start && !after).then_some(position)
    }
}

impl Default for Segment {
    /// [`Segment::time`].
    fn default() -> Self {
        Self::time()
    }
}

/// How a count that is unknown is written in arithmetic that follows GStreamer's.
const NONE: u64 = u64::MAX;
const UNDEFINED: (i32, u64) = (0, NONE);

#[inline]
fn positive((sign, value): (i32, u64)) -> Option<u64> {
    (sign == 1 && value != NONE).then_some(value)
}

/// `to - from` as "not negative" and magnitude.
#[inline]
fn distance(to: u64, from: u64) -> (bool, u64) {
    (to >= from, to.abs_diff(from))
}

/// `origin + distance`, or `origin - distance` when not `ahead`.
#[inline]
fn signed_sum(ahead: bool, distance: u64, origin: u64) -> (i32, u64) {
    if ahead {
        (1, origin.wrapping_add(distance))
    } else if origin >= distance {
        (1, origin - distance)
    } else {
        (-1, distance - origin)
    }
}

/// Through `f64` only when the rate asks for it, so that normal speed stays exact.
#[inline]
fn scale(value: u64, rate: f64) -> u64 {
    if rate.abs() == 1.0 { value } else { (value as f64 * rate.abs()) as u64 }
}

#[inline]
fn scale_up(value: u64, rate: f64) -> u64 {
    if rate.abs() == 1.0 { value } else { (value as f64 * rate.abs()).ceil() as u64 }
}

#[inline]
fn unscale(value: u64, rate: f64) -> u64 {
    if rate.abs() == 1.0 { value } else { (value as f64 / rate.abs()) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segments() -> impl Strategy<Value = Segment> {
        let counts = (0..1u64 << 40, 0..1u64 << 40, 0..1u64 << 40, 0..1u64 << 40);
        let maybe = || proptest::option::of(0..1u64 << 40);
        (counts, 0.1f64..8.0, any::<bool>(), maybe(), maybe(), maybe(), any::<f64>()).prop_map(
            |((base, offset, start, length), rate, reverse, time, position, duration, applied)| {
                Segment {
                    rate: if reverse { -rate } else { rate },
                    applied_rate: if applied.is_finite() { applied } else { 1.0 },
                    base,
                    offset: offset.min(length),
                    start,
                    stop: Some(start + length),
                    time,
                    position,
                    duration,
                    ..Segment::time()
                }
            },
        )
    }

    proptest! {
        #[test]
        fn running_time_never_goes_back_within_a_segment(
            segment in segments(),
            a in 0..1u64 << 41,
            b in 0..1u64 << 41,
        ) {
            let (first, second) = if (a <= b) == (segment.rate > 0.0) { (a, b) } else { (b, a) };
            let ticks = |position| {
                let (sign, value) = segment.running_time_full_of(position);
                i128::from(sign) * i128::from(value)
            };
            prop_assert!(ticks(first) <= ticks(second));
        }

        #[test]
        fn segment_text_form_reads_back_the_same(segment in segments(), bits in 0u32..1 << 11) {
            let segment = Segment { flags: SegmentFlags::from_bits(bits), ..segment };
            prop_assert_eq!(segment.to_string().parse::<Segment>(), Ok(segment));
        }

        #[test]
        fn segment_arithmetic_never_panics(
            counts in any::<[u64; 4]>(),
            ends in any::<[Option<u64>; 4]>(),
            rates in any::<[f64; 2]>(),
            value in any::<u64>(),
            signed in any::<[i64; 2]>(),
        ) {
            let mut segment = Segment {
                rate: rates[0], applied_rate: rates[1],
                base: counts[0], offset: counts[1], start: counts[2],
                stop: ends[0], time: ends[1], position: ends[2], duration: ends[3],
                ..Segment::time()
            };
            segment.running_time_full_of(value);
            segment.stream_time_full_of(value);
            segment.position_full_of_running_time(value);
            segment.position_full_of_stream_time(value);
            segment.clip(Some(value), ends[0]);
            segment.offset_running_time(signed[0]);
            segment.set_running_time(RunningTime::from_nanos(value));
            segment.do_seek(rates[1], SeekFlags::empty(), SeekType::End, signed[0], SeekType::Set, signed[1]);
        }
    }

    #[test]
    fn segment_in_bytes_gives_no_running_time() {
        let segment = Segment::new(Format::Bytes);
        assert_eq!(segment.to_running_time(ClockTime::ZERO), None);
        assert_eq!(segment.running_time_of(7), Some(7));
    }
}
