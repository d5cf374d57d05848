//! Where playback is, for position queries.
//!
//! Invariant: a position is stream time; it stands still while running time does.
//! In GStreamer: `gstbasesink.c` (`gst_base_sink_get_position`), `gstbasesrc.c` (`gst_base_src_default_query`).
//! Left out: positions in formats other than time.

use crate::pad::PadCore;
use crate::segment::{Format, Segment};
use crate::time::{ClockTime, RunningTime};

/// A source's: as far as it has pushed.
pub(crate) fn of_source(pad: &PadCore) -> Option<u64> {
    let segment = pad.segment().filter(|segment| segment.format == Format::Time)?;
    segment.stream_time_of(segment.position?)
}

/// A sink's while PLAYING: what the clock says, within what it was given.
pub(crate) fn by_clock(segment: &Segment, now: RunningTime, latency: ClockTime) -> Option<u64> {
    let running_time = RunningTime::from_nanos(now.nanos().saturating_sub(latency.nanos()));
    let position = segment.position_of_running_time(running_time.nanos()).or_else(|| {
        // Past the end of the segment the position stays there.
        (segment.rate > 0.0).then_some(segment.stop).flatten()
    })?;
    segment.stream_time_of(position)
}

/// A sink's while not PLAYING: the buffer it holds, or the last one it rendered.
pub(crate) fn by_data(segment: &Segment) -> Option<u64> {
    segment.stream_time_of(segment.position?)
}
