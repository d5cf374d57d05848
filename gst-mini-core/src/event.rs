//! Events travel along the stream, or around it, between the buffers.
//!
//! Serialized events keep their place among the buffers; sticky ones are remembered by each pad and
//! replayed, in [`Event::sticky_order`], to whoever is linked later; the others overtake.
//!
//! Invariant: stream-start comes before caps, caps before segment, segment before data.
//! In GStreamer: `gst/gstevent.c` (`gst_event_new_segment`), `gst/gstevent.h` (`GstEventType`).
//! Left out: toc, protection, instant-rate-change, buffer-size.

mod description;
mod text;

use crate::caps::Caps;
use crate::error::FlowError;
use crate::segment::{Format, SeekFlags, SeekType, Segment};
use crate::structure::Structure;
use crate::time::ClockTime;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Relates events and messages that belong to one cause, such as a seek and its flushes.
pub type Seqnum = u32;

/// A sequence number nobody had before.
pub fn next_seqnum() -> Seqnum {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A group id nobody had before; streams of one group play together.
pub fn next_group_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A name for a stream that has no URI: 32 hexadecimal digits as GStreamer's, but out of the element's name
/// and a number, so that a run can be repeated.
#[cfg(feature = "host")]
pub(crate) fn stream_id(element: &str, number: Seqnum) -> Arc<str> {
    let seed = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(number);
    let mix = |seed: u64| {
        element.bytes().fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        })
    };
    let first = mix(seed);
    format!("{first:016x}{:016x}", mix(first)).into()
}

/// What sort of quality-of-service report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QosType {
    /// The sink is faster than the stream.
    Overflow,
    /// The sink is too slow.
    Underflow,
    /// The application asked for a lower rate.
    Throttle,
}

impl QosType {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            QosType::Overflow => "overflow",
            QosType::Underflow => "underflow",
            QosType::Throttle => "throttle",
        }
    }
}

/// A request to play another part of the stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Seek {
    /// Playback rate; negative plays backwards; never 0.
    pub rate: f64,
    /// Unit of `start` and `stop`.
    pub format: Format,
    /// How.
    pub flags: SeekFlags,
    /// What `start` means.
    pub start_type: SeekType,
    /// Signed; -1 is none.
    pub start: i64,
    /// What `stop` means.
    pub stop_type: SeekType,
    /// Signed; -1 is none.
    pub stop: i64,
}

impl Seek {
    /// A flushing seek to a time.
    pub fn to(position: ClockTime) -> Seek {
        Seek {
            rate: 1.0,
            format: Format::Time,
            flags: SeekFlags::FLUSH,
            start_type: SeekType::Set,
            start: i64::try_from(position.nanos()).unwrap_or(i64::MAX),
            stop_type: SeekType::None,
            stop: -1,
        }
    }

    fn to_structure(&self) -> Structure {
        Structure::new("seek")
            .with("rate", self.rate)
            .with("format", self.format.nick())
            .with("flags", self.flags.bits())
            .with("start-type", self.start_type.nick())
            .with("start", self.start)
            .with("stop-type", self.stop_type.nick())
            .with("stop", self.stop)
    }

    fn from_structure(read: &Structure) -> Option<Seek> {
        let seek_type = |field: &str| read.str(field)?.parse::<SeekType>().ok();
        Some(Seek {
            rate: read.get("rate")?.as_f64()?,
            format: read.str("format")?.parse().ok()?,
            flags: SeekFlags::from_bits(read.get("flags")?.as_u64()? as u32),
            start_type: seek_type("start-type")?,
            start: read.get("start")?.as_i64()?,
            stop_type: seek_type("stop-type")?,
            stop: read.get("stop")?.as_i64()?,
        })
    }
}

/// A request to skip a part of the stream, or to show that much of it and stop again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Unit of `amount`: [`Format::Buffers`] or [`Format::Time`].
    pub format: Format,
    /// How much, in buffers or in nanoseconds of running time; `None` is for ever.
    pub amount: Option<u64>,
    /// Playback rate of the step, a factor on that of the segment; above 0.
    pub rate: f64,
    /// What is stepped over is dropped at once, and takes no running time.
    pub flush: bool,
    /// More steps follow: the sink goes on at once instead of showing where it came to.
    pub intermediate: bool,
}

impl Step {
    /// Shows the picture that is `count` buffers on.
    pub fn buffers(count: u64) -> Step {
        Step {
            format: Format::Buffers,
            amount: Some(count),
            rate: 1.0,
            flush: true,
            intermediate: false,
        }
    }

    /// Shows the picture that is due `length` later.
    pub fn time(length: ClockTime) -> Step {
        Step { format: Format::Time, amount: Some(length.nanos()), ..Step::buffers(0) }
    }
}

/// Which way an event of an element's own goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomKind {
    /// Downstream, in order with the data.
    Downstream,
    /// Downstream, in order, and remembered.
    DownstreamSticky,
    /// Downstream, around the data.
    DownstreamOob,
    /// Upstream.
    Upstream,
    /// Both ways, in order.
    Both,
    /// Both ways, around the data.
    BothOob,
}

impl CustomKind {
    const NAMES: [(CustomKind, &'static str); 6] = [
        (CustomKind::Downstream, "custom-downstream"),
        (CustomKind::DownstreamSticky, "custom-downstream-sticky"),
        (CustomKind::DownstreamOob, "custom-downstream-oob"),
        (CustomKind::Upstream, "custom-upstream"),
        (CustomKind::Both, "custom-both"),
        (CustomKind::BothOob, "custom-both-oob"),
    ];
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("custom-both", |(_, name)| name)
    }
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// A new stream begins. Sticky, serialized.
    StreamStart {
        /// Unique name of the stream.
        stream_id: Arc<str>,
        /// Streams of one group play together.
        group_id: Option<u32>,
    },
    /// The format of the buffers that follow. Sticky, serialized.
    Caps(Caps),
    /// What part of the stream follows, and when it plays. Sticky, serialized.
    Segment(Segment),
    /// Metadata. Sticky, serialized.
    Tag(Structure),
    /// Nothing for a while: no buffer is to be expected until `pts + duration`. Serialized.
    Gap {
        /// Where the gap begins.
        pts: ClockTime,
        /// How long it is.
        duration: Option<ClockTime>,
    },
    /// No more data. Sticky, serialized.
    Eos,
    /// Drop everything and return at once. Out of band.
    FlushStart,
    /// Data may flow again. Serialized.
    FlushStop {
        /// Whether running time starts again at zero.
        reset_time: bool,
    },
    /// A segment seek has reached its end, at this position. Serialized.
    SegmentDone {
        /// Unit of `position`.
        format: Format,
        /// Where playback stopped.
        position: u64,
    },
    /// Renegotiate before the next buffer. Upstream.
    Reconfigure,
    /// The latency all sinks add. Upstream, from the pipeline.
    Latency(ClockTime),
    /// How late or early the sink was. Upstream.
    Qos {
        /// Why it is sent.
        kind: QosType,
        /// How fast upstream should be: below 1 is slack, above 1 too slow.
        proportion: f64,
        /// Lateness of the last buffer, ns; negative when early.
        diff: i64,
        /// Its running time.
        timestamp: Option<ClockTime>,
    },
    /// Play another part. Upstream.
    Seek(Seek),
    /// Step in the stream. Upstream, and taken by sinks.
    Step(Step),
    /// An element's own.
    Custom(CustomKind, Structure),
}

/// What an event says and which cause it belongs to. Cloning shares, as every pad on the way keeps what is sticky;
/// changing a field copies first if the event is shared.
#[derive(Clone)]
pub struct Event(Arc<EventContent>);

/// The fields of an [`Event`].
#[derive(Clone, Debug, PartialEq)]
pub struct EventContent {
    /// Content.
    pub kind: EventKind,
    /// Cause.
    pub seqnum: Seqnum,
}

impl Deref for Event {
    type Target = EventContent;
    fn deref(&self) -> &EventContent {
        &self.0
    }
}

impl DerefMut for Event {
    fn deref_mut(&mut self) -> &mut EventContent {
        Arc::make_mut(&mut self.0)
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Event) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("kind", &self.kind).field("seqnum", &self.seqnum).finish()
    }
}

impl Event {
    /// An event with a new sequence number.
    pub fn new(kind: EventKind) -> Event {
        Event::with(kind, next_seqnum())
    }
    /// An event with that sequence number.
    fn with(kind: EventKind, seqnum: Seqnum) -> Event {
        Event(Arc::new(EventContent { kind, seqnum }))
    }
    /// The same event as part of another cause.
    pub fn with_seqnum(mut self, seqnum: Seqnum) -> Event {
        self.seqnum = seqnum;
        self
    }
    /// Stream start.
    pub fn stream_start(stream_id: impl Into<Arc<str>>) -> Event {
        Event::new(EventKind::StreamStart { stream_id: stream_id.into(), group_id: None })
    }
    /// Caps.
    pub fn caps(caps: Caps) -> Event {
        Event::new(EventKind::Caps(caps))
    }
    /// Segment.
    pub fn segment(segment: Segment) -> Event {
        Event::new(EventKind::Segment(segment))
    }
    /// End of stream.
    pub fn eos() -> Event {
        Event::new(EventKind::Eos)
    }
    /// Flush start.
    pub fn flush_start() -> Event {
        Event::new(EventKind::FlushStart)
    }
    /// Flush stop.
    pub fn flush_stop(reset_time: bool) -> Event {
        Event::new(EventKind::FlushStop { reset_time })
    }
    /// Asks an encoder upstream for a key frame at `running_time` (at once when `None`).
    /// The structure is GStreamer's (`gst_video_event_new_upstream_force_key_unit`).
    pub fn force_key_unit(running_time: Option<ClockTime>, count: u32) -> Event {
        Event::new(EventKind::Custom(
            CustomKind::Upstream,
            Structure::new("GstForceKeyUnit")
                .with("running-time", running_time.map_or(u64::MAX, ClockTime::nanos))
                .with("all-headers", false)
                .with("count", count),
        ))
    }

    /// Its name, as in GStreamer (`stream-start`, `caps`, …); a custom event's is its structure's.
    pub fn name(&self) -> &str {
        match &self.kind {
            EventKind::Custom(_, structure) => structure.name(),
            other => other.type_name(),
        }
    }

    /// What a pad returns for this event when its owner did not take it.
    pub fn refusal(&self) -> FlowError {
        match self.kind {
            EventKind::Caps(_) => FlowError::NotNegotiated,
            _ => FlowError::Error,
        }
    }

    /// Whether it travels downstream.
    pub fn is_downstream(&self) -> bool {
        !matches!(
            self.kind,
            EventKind::Reconfigure
                | EventKind::Latency(_)
                | EventKind::Qos { .. }
                | EventKind::Seek(_)
                | EventKind::Step(_)
                | EventKind::Custom(CustomKind::Upstream, _)
        )
    }

    /// Whether it travels upstream.
    pub fn is_upstream(&self) -> bool {
        !self.is_downstream()
            || matches!(
                self.kind,
                EventKind::FlushStart
                    | EventKind::FlushStop { .. }
                    | EventKind::Custom(CustomKind::Both | CustomKind::BothOob, _)
            )
    }

    /// Whether it keeps its place among the buffers.
    pub fn is_serialized(&self) -> bool {
        !matches!(
            self.kind,
            EventKind::FlushStart
                | EventKind::Reconfigure
                | EventKind::Latency(_)
                | EventKind::Qos { .. }
                | EventKind::Seek(_)
                | EventKind::Step(_)
                | EventKind::Custom(
                    CustomKind::DownstreamOob | CustomKind::Upstream | CustomKind::BothOob,
                    _
                )
        )
    }

    /// Whether pads remember it.
    pub fn is_sticky(&self) -> bool {
        self.sticky_order().is_some()
    }

    /// The place among a pad's sticky events: lower ones are replayed first.
    pub fn sticky_order(&self) -> Option<u32> {
        let is_sticky = matches!(
            self.kind,
            EventKind::StreamStart { .. }
                | EventKind::Caps(_)
                | EventKind::Segment(_)
                | EventKind::Tag(_)
                | EventKind::Eos
                | EventKind::Custom(CustomKind::DownstreamSticky, _)
        );
        is_sticky.then(|| self.number())
    }

    /// GStreamer's number for the kind of event, by which events are ordered.
    pub(crate) fn number(&self) -> u32 {
        match &self.kind {
            EventKind::FlushStart => 10,
            EventKind::FlushStop { .. } => 20,
            EventKind::StreamStart { .. } => 40,
            EventKind::Caps(_) => 50,
            EventKind::Segment(_) => 70,
            EventKind::Tag(_) => 80,
            EventKind::Eos => 110,
            EventKind::SegmentDone { .. } => 150,
            EventKind::Gap { .. } => 160,
            EventKind::Qos { .. } => 190,
            EventKind::Seek(_) => 200,
            EventKind::Latency(_) => 220,
            EventKind::Step(_) => 230,
            EventKind::Reconfigure => 240,
            EventKind::Custom(CustomKind::Upstream, _) => 270,
            EventKind::Custom(CustomKind::Downstream, _) => 280,
            EventKind::Custom(CustomKind::DownstreamOob, _) => 290,
            EventKind::Custom(CustomKind::DownstreamSticky, _) => 300,
            EventKind::Custom(CustomKind::Both, _) => 310,
            EventKind::Custom(CustomKind::BothOob, _) => 320,
        }
    }
}
