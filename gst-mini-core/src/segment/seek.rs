//! How a seek, or a shift of running time, makes a new segment out of the current one.
//!
//! Invariant: a seek that is refused leaves the segment as it was.
//! In GStreamer: `gst/gstsegment.c` (`gst_segment_do_seek`, `gst_segment_offset_running_time`).
//! Left out: instant rate changes, which keep the segment and are refused here as in GStreamer.

use super::{NONE, SeekFlags, SeekType, Segment, SegmentFlags};
use crate::time::RunningTime;

impl Segment {
    /// Makes this the segment that a seek asks for. `Some(true)` when the position moved, so that
    /// the element must go there; `None` when refused: a rate of 0, a start after the stop, or an
    /// instant rate change.
    ///
    /// `start` and `stop` are in the segment's format; -1 with [`SeekType::Set`] is the beginning
    /// or no stop, and with [`SeekType::End`] they count from the end, so usually negative.
    /// Without `flush` the new segment follows the running time reached at `position`.
    pub fn do_seek(
        &mut self,
        rate: f64,
        flags: SeekFlags,
        start_type: SeekType,
        start: i64,
        stop_type: SeekType,
        stop: i64,
    ) -> Option<bool> {
        if rate == 0.0 || rate.is_nan() || flags.contains(SeekFlags::INSTANT_RATE_CHANGE) {
            return None;
        }
        let (start, moves_start) = self.seek_start(start_type, start);
        let (stop, moves_stop) = self.seek_stop(stop_type, stop);
        if stop.is_some_and(|stop| start > stop) {
            return None;
        }

        let mut position = self.position.unwrap_or(NONE);
        let base = if flags.contains(SeekFlags::FLUSH) {
            0
        } else {
            position = position.min(self.stop.unwrap_or(NONE)).max(self.start);
            // GStreamer stores "unknown" here; every later running time would be off by one then.
            self.running_time_of(position).unwrap_or(0)
        };
        if rate > 0.0 && moves_start {
            position = start;
        }
        if rate < 0.0 && moves_stop {
            position = stop.or(self.duration).unwrap_or(0);
        }

        let update = position != self.position.unwrap_or(NONE);
        self.flags = SegmentFlags::of_seek(flags);
        self.rate = rate;
        self.applied_rate = 1.0;
        self.base = base;
        self.offset = if rate > 0.0 {
            position.wrapping_sub(start)
        } else {
            stop.or(self.duration).map_or(0, |end| end.wrapping_sub(position))
        };
        self.start = start;
        self.stop = stop;
        self.time = Some(start);
        self.position = (position != NONE).then_some(position);
        Some(update)
    }

    /// Moves every running time of this segment by `offset`, in the segment's unit. Returns whether
    /// that was possible; a segment cannot start before running time 0 by more than its own length,
    /// and `base` is then used up all the same.
    pub fn offset_running_time(&mut self, offset: i64) -> bool {
        let amount = offset.unsigned_abs();
        if offset >= 0 {
            self.base = self.base.wrapping_add(amount);
        } else if self.base > amount {
            self.base -= amount;
        } else {
            let rest = amount - self.base;
            self.base = 0;
            match self.position_of_running_time(rest) {
                Some(position) => self.offset = position - self.start,
                None => return false,
            }
        }
        true
    }

    /// Cuts the segment so that playback of it begins at `running_time`. Returns `false`, and
    /// changes nothing, when no position of it is due then.
    pub fn set_running_time(&mut self, running_time: RunningTime) -> bool {
        let Some(position) = self.position_of_running_time(running_time.nanos()) else {
            return false;
        };
        let forwards = self.rate > 0.0;
        let start = if forwards { position } else { self.start };
        self.time = self.stream_time_of(start);
        if forwards {
            self.start = position;
        } else {
            self.stop = Some(position);
        }
        self.base = running_time.nanos();
        true
    }

    /// The new start, and whether the seek moves it.
    fn seek_start(&self, start_type: SeekType, start: i64) -> (u64, bool) {
        let (start, moves) = match (start_type, self.duration) {
            (SeekType::Set, _) if start == -1 => (0, true),
            (SeekType::Set, _) => (start as u64, true),
            (SeekType::End, Some(duration)) => (duration.wrapping_add_signed(start), true),
            (SeekType::None, _) | (SeekType::End, None) => (self.start, false),
        };
        let start = match self.duration {
            Some(duration) => start.min(duration),
            None => at_least_zero(start),
        };
        (start, moves)
    }

    /// The new stop, and whether the seek moves it.
    fn seek_stop(&self, stop_type: SeekType, stop: i64) -> (Option<u64>, bool) {
        let (stop, moves) = match (stop_type, self.duration) {
            (SeekType::Set, _) => ((stop != -1).then_some(stop as u64), true),
            (SeekType::End, Some(duration)) => {
                let stop = duration.wrapping_add_signed(stop);
                ((stop != NONE).then_some(stop), true)
            }
            (SeekType::None, _) | (SeekType::End, None) => (self.stop, false),
        };
        let stop = stop.map(|stop| match self.duration {
            Some(duration) => at_least_zero(stop).min(duration),
            None => at_least_zero(stop),
        });
        (stop, moves)
    }
}

/// Values of half the range and more stand for negative ones.
fn at_least_zero(value: u64) -> u64 {
    (value as i64).max(0) as u64
}
