//! An event as GStreamer describes it: `caps (12814), GstEventCaps, caps=(GstCaps)"…";`.
//!
//! People know these lines from `last-message` of `fakesink` and `identity`, and compare them with GStreamer's.
//!
//! Invariant: the same text as GStreamer's for every kind of event that exists here, but for addresses.
//! In GStreamer: `gst/gstevent.h` (`GstEventType`), `gst/gstevent.c`, `gst/gststructure.c` (`gst_structure_to_string`).
//! Left out: reading it back; [`Event::to_text`] is for that.

use super::{Event, EventKind, QosType, Seek};
use crate::segment::{SeekFlags, Segment, SegmentFlags};
use crate::structure::Structure;
use crate::time::ClockTime;
use crate::value::quote;

const UPSTREAM: u32 = 1;
const DOWNSTREAM: u32 = 2;
const SERIALIZED: u32 = 4;
const STICKY: u32 = 8;
/// Several of the kind are remembered side by side.
const MULTI: u32 = 16;

/// `name, field=(type)value, …;`
struct Line(String);

impl Line {
    fn new(name: &str) -> Line {
        Line(name.to_owned())
    }
    fn field(mut self, name: &str, kind: &str, value: impl std::fmt::Display) -> Line {
        self.0.push_str(&format!(", {name}=({kind}){value}"));
        self
    }
    fn end(mut self) -> String {
        self.0.push(';');
        self.0
    }
}

fn maybe(value: Option<u64>) -> u64 {
    value.unwrap_or(u64::MAX)
}

fn nanos(time: Option<ClockTime>) -> u64 {
    maybe(time.map(ClockTime::nanos))
}

/// GStreamer's long names of flags, joined; its name for none.
fn flags(prefix: &str, nicks: &str) -> String {
    let long = |nick: &str| format!("{prefix}{}", nick.to_ascii_uppercase().replace('-', "_"));
    let names: Vec<String> = nicks.split('+').filter(|nick| !nick.is_empty()).map(long).collect();
    if names.is_empty() { format!("{prefix}NONE") } else { names.join("+") }
}

fn segment_flags(set: SegmentFlags) -> String {
    let nicks = if set == SegmentFlags::default() { String::new() } else { set.to_string() };
    flags("GST_SEGMENT_FLAG_", &nicks)
}

fn seek_flags(set: SeekFlags) -> String {
    let nicks = if set == SeekFlags::default() { String::new() } else { set.to_string() };
    flags("GST_SEEK_FLAG_", &nicks)
}

fn segment(segment: &Segment) -> String {
    let s = segment;
    let rate = crate::value::Value::from(s.rate).to_string();
    let applied = crate::value::Value::from(s.applied_rate).to_string();
    Line::new("segment")
        .field("flags", "GstSegmentFlags", segment_flags(s.flags))
        .field("rate", "double", rate)
        .field("applied-rate", "double", applied)
        .field("format", "GstFormat", s.format.nick())
        .field("base", "guint64", s.base)
        .field("offset", "guint64", s.offset)
        .field("start", "guint64", s.start)
        .field("stop", "guint64", maybe(s.stop))
        .field("time", "guint64", maybe(s.time))
        .field("position", "guint64", maybe(s.position))
        .field("duration", "guint64", maybe(s.duration))
        .end()
}

fn seek(seek: &Seek) -> String {
    Line::new("GstEventSeek")
        .field("rate", "double", crate::value::Value::from(seek.rate))
        .field("format", "GstFormat", seek.format.nick())
        .field("flags", "GstSeekFlags", seek_flags(seek.flags))
        .field("cur-type", "GstSeekType", seek.start_type.nick())
        .field("cur", "gint64", seek.start)
        .field("stop-type", "GstSeekType", seek.stop_type.nick())
        .field("stop", "gint64", seek.stop)
        .field("trickmode-interval", "guint64", 0)
        .end()
}

fn tags(tags: &Structure) -> String {
    let mut list = Structure::new("taglist");
    for (name, value) in tags.fields() {
        list.set(name, value.clone());
    }
    Line::new("GstTagList-stream").field("taglist", "taglist", quote(&list.to_string())).end()
}

impl Event {
    /// GStreamer's number for the type of event: its order, and bits for the way it goes.
    pub fn type_number(&self) -> u32 {
        let multi = matches!(
            self.kind,
            EventKind::Tag(_) | EventKind::Custom(super::CustomKind::DownstreamSticky, _)
        );
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        (self.number() << 8)
            | bit(self.is_upstream(), UPSTREAM)
            | bit(self.is_downstream(), DOWNSTREAM)
            | bit(self.is_serialized(), SERIALIZED)
            | bit(self.is_sticky(), STICKY)
            | bit(multi, MULTI)
    }

    /// The event's type, number and content, as GStreamer's elements print them.
    pub fn description(&self) -> String {
        let content = match &self.kind {
            EventKind::StreamStart { stream_id, group_id } => {
                let line = Line::new("GstEventStreamStart")
                    .field("stream-id", "string", quote(stream_id))
                    .field("flags", "GstStreamFlags", "GST_STREAM_FLAG_NONE");
                match group_id {
                    Some(group) => line.field("group-id", "uint", group).end(),
                    None => line.end(),
                }
            }
            EventKind::Caps(caps) => {
                Line::new("GstEventCaps").field("caps", "GstCaps", quote(&caps.to_string())).end()
            }
            EventKind::Segment(inner) => Line::new("GstEventSegment")
                .field("segment", "GstSegment", format!("\"{}\"", segment(inner)))
                .end(),
            EventKind::Tag(list) => tags(list),
            EventKind::Gap { pts, duration } => Line::new("GstEventGap")
                .field("timestamp", "guint64", pts.nanos())
                .field("duration", "guint64", nanos(*duration))
                .end(),
            EventKind::FlushStop { reset_time } => {
                Line::new("GstEventFlushStop").field("reset-time", "boolean", reset_time).end()
            }
            EventKind::SegmentDone { format, position } => Line::new("GstEventSegmentDone")
                .field("format", "GstFormat", format.nick())
                .field("position", "gint64", *position as i64)
                .end(),
            EventKind::Latency(latency) => {
                Line::new("GstEventLatency").field("latency", "guint64", latency.nanos()).end()
            }
            EventKind::Qos { kind, proportion, diff, timestamp } => Line::new("GstEventQOS")
                .field("type", "GstQOSType", QosType::name(*kind))
                .field("proportion", "double", crate::value::Value::from(*proportion))
                .field("diff", "gint64", diff)
                .field("timestamp", "guint64", nanos(*timestamp))
                .end(),
            EventKind::Seek(inner) => seek(inner),
            EventKind::Step(step) => Line::new("GstEventStep")
                .field("format", "GstFormat", step.format.nick())
                .field("amount", "guint64", nanos(step.amount.map(ClockTime::from_nanos)))
                .field("rate", "double", crate::value::Value::from(step.rate))
                .field("flush", "boolean", step.flush)
                .field("intermediate", "boolean", step.intermediate)
                .end(),
            EventKind::Custom(_, structure) => structure.to_string(),
            EventKind::Eos | EventKind::FlushStart | EventKind::Reconfigure => String::new(),
        };
        let name = match &self.kind {
            EventKind::Custom(kind, _) => kind.name(),
            other => other.type_name(),
        };
        format!("{name} ({}), {content}", self.type_number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_described_as_gstreamer_does() {
        let is = |event: Event, text: &str| assert_eq!(event.description(), text);
        is(Event::eos(), "eos (28174), ");
        is(
            Event::new(EventKind::Latency(ClockTime::ZERO)),
            "latency (56321), GstEventLatency, latency=(guint64)0;",
        );
        is(
            Event::caps("audio/x-raw,rate=(int)44100".parse().unwrap()),
            "caps (12814), GstEventCaps, caps=(GstCaps)\"audio/x-raw\\,\\ rate\\=\\(int\\)44100\";",
        );
        is(
            Event::segment(Segment::time()),
            "segment (17934), GstEventSegment, segment=(GstSegment)\"segment, \
             flags=(GstSegmentFlags)GST_SEGMENT_FLAG_NONE, rate=(double)1, applied-rate=(double)1, \
             format=(GstFormat)time, base=(guint64)0, offset=(guint64)0, start=(guint64)0, \
             stop=(guint64)18446744073709551615, time=(guint64)0, position=(guint64)0, \
             duration=(guint64)18446744073709551615;\";",
        );
        is(
            Event::new(EventKind::Tag(
                Structure::new("taglist").with("description", "audiotest wave"),
            )),
            "tag (20510), GstTagList-stream, taglist=(taglist)\
             \"taglist\\,\\ description\\=\\(string\\)\\\"audiotest\\\\\\ wave\\\"\\;\";",
        );
    }
}
