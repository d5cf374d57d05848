//! Where playback is, for position queries.
//!
//! Invariant: a position is stream time; it stands still while running time does.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_default_query`).
//! Left out: positions in formats other than time.

use crate::pad::PadCore;
use crate::segment::Format;

/// A source's: as far as it has pushed.
pub(crate) fn of_source(pad: &PadCore) -> Option<u64> {
    let segment = pad.segment().filter(|segment| segment.format == Format::Time)?;
    segment.stream_time_of(segment.position?)
}
