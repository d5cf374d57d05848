//! Where the frames of a `yuv4mpegpipe` stream are: seeks and queries in time become ones in bytes.
//!
//! Invariant: the lock here is held by no call that leaves the element.
//! In GStreamer: `gst/y4m/gsty4mdec.c` (`gst_y4m_dec_timestamp_to_bytes`, `gst_y4m_dec_src_query`).
//! Left out: playing backwards, streams whose frame lines differ in length, which are not sought in.

use crate::video::y4m::Y4mLayout;
use gst_mini_core::element_prelude::*;
use gst_mini_core::event::{Seek, Seqnum};
use gst_mini_core::segment::{SeekFlags, SeekType};
use parking_lot::Mutex;

/// What those who seek and ask need to know of the stream.
#[derive(Default)]
pub(super) struct Place {
    pub inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub frames: Option<Frames>,
    /// What is sent on, with the position reached.
    pub segment: Segment,
    /// A seek on its way upstream: what its segment will be here.
    pub sought: Option<(Seqnum, Segment)>,
}

/// Frames as bytes and as time.
#[derive(Clone, Copy)]
pub(super) struct Frames {
    pub layout: Y4mLayout,
    pub fps: (u64, u64),
}

impl Frames {
    pub fn time_of(&self, frame: u64) -> u64 {
        ClockTime::of_frame(frame, self.fps.0, self.fps.1).nanos()
    }

    /// The frame that is shown at a time.
    fn at(&self, time: u64) -> u64 {
        let second = ClockTime::SECOND.nanos();
        let near = gst_mini_core::time::scale(time, self.fps.0, self.fps.1 * second).unwrap_or(0);
        if self.time_of(near + 1) <= time { near + 1 } else { near }
    }

    /// The first frame that begins at a time or later.
    fn from(&self, time: u64) -> u64 {
        let frame = self.at(time);
        if self.time_of(frame) < time { frame + 1 } else { frame }
    }

    /// Length of the stream, from its bytes.
    fn duration(&self, bytes: u64) -> u64 {
        self.time_of(bytes.saturating_sub(self.layout.header) / self.layout.frame)
    }
}

impl Place {
    /// Length of the stream in time, if upstream knows its bytes.
    fn duration(&self, cx: &Cx) -> Option<u64> {
        let frames = self.inner.lock().frames?;
        let mut query = Query::Duration { format: Format::Bytes, duration: None };
        let Query::Duration { duration, .. } = query_upstream(cx, &mut query)? else { return None };
        Some(frames.duration((*duration)?))
    }
}

fn query_upstream<'a>(cx: &Cx, query: &'a mut Query) -> Option<&'a Query> {
    cx.peer_query(FIRST_PAD, query).then_some(query)
}

/// The frame to go to for a position: with key-unit seeks the position moves to a frame's start.
fn snapped(frames: &Frames, segment: &mut Segment, flags: SeekFlags) -> u64 {
    let position = segment.position.unwrap_or(segment.start);
    let frame = frames.at(position);
    if !flags.contains(SeekFlags::KEY_UNIT) || frames.time_of(frame) == position {
        return frame;
    }
    let (before, after) =
        (flags.contains(SeekFlags::SNAP_BEFORE), flags.contains(SeekFlags::SNAP_AFTER));
    let is_nearer = position - frames.time_of(frame) > frames.time_of(frame + 1) - position;
    let frame = if after && (!before || is_nearer) { frame + 1 } else { frame };
    let start = frames.time_of(frame);
    (segment.start, segment.time, segment.position) = (start, Some(start), Some(start));
    frame
}

impl Shared for Place {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        match query {
            Query::Seeking { format: Format::Time, seekable, start, end } => {
                let mut bytes =
                    Query::Seeking { format: Format::Bytes, seekable: false, start: 0, end: None };
                let upstream = query_upstream(cx, &mut bytes);
                let length = self.duration(cx);
                let possible = matches!(upstream, Some(Query::Seeking { seekable: true, .. }));
                *seekable = possible && self.inner.lock().frames.is_some();
                (*start, *end) = (0, length);
                true
            }
            Query::Duration { format: Format::Time, duration } => {
                *duration = self.duration(cx);
                duration.is_some()
            }
            Query::Position { format: Format::Time, position } => {
                let segment = self.inner.lock().segment;
                *position = segment.position.and_then(|at| segment.stream_time_of(at));
                position.is_some()
            }
            _ => false,
        }
    }

    fn seek(&self, cx: &Cx, seek: &Seek, seqnum: Seqnum) -> Option<Seek> {
        if seek.format != Format::Time || seek.rate <= 0.0 {
            return None;
        }
        let duration = self.duration(cx);
        let mut inner = self.inner.lock();
        let frames = inner.frames?;
        let mut segment = inner.segment;
        segment.duration = duration;
        segment.do_seek(
            seek.rate,
            seek.flags,
            seek.start_type,
            seek.start,
            seek.stop_type,
            seek.stop,
        )?;
        let first = snapped(&frames, &mut segment, seek.flags);
        let byte = |frame| i64::try_from(frames.layout.byte_of(frame)).ok();
        let stop = match segment.stop {
            Some(stop) => byte(frames.from(stop))?,
            None => -1,
        };
        inner.sought = Some((seqnum, segment));
        Some(Seek {
            format: Format::Bytes,
            start_type: SeekType::Set,
            start: byte(first)?,
            stop_type: SeekType::Set,
            stop,
            ..*seek
        })
    }
}
