//! An event as text, which is how it crosses the plugin boundary, and back.
//!
//! Invariant: what is written is read as the same event, `None` fields and the sequence number included.
//! In GStreamer: `gst/gstevent.c` (`gst_event_get_structure`).
//! Left out: GStreamer's own fields and names; [`Event::description`] has those.

use super::{CustomKind, Event, EventKind, QosType, Seek, Step};
use crate::caps::Caps;
use crate::crossing::Last;
use crate::structure::{ScratchText, Structure, StructureText};
use crate::time::ClockTime;
use std::rc::Rc;

thread_local! {
    static LAST: Last<Event> = const { Last::new() };
}

impl Event {
    /// The text that crosses the plugin boundary.
    pub fn to_text(&self) -> Rc<str> {
        Rc::from(&**self.text())
    }

    /// [`Event::to_text`], shared with whoever asks next.
    pub(crate) fn text(&self) -> Rc<ScratchText> {
        let text = LAST.try_with(|last| last.text(self, || self.written()));
        text.unwrap_or_else(|_| Rc::new(self.written()))
    }

    /// This thread gives up what it remembers of texts.
    #[cfg(feature = "host")]
    pub(crate) fn forget_text() {
        // A thread that ends does so anyway.
        let _ = LAST.try_with(Last::forget);
    }

    fn written(&self) -> ScratchText {
        let mut out = StructureText::new(self.kind.type_name());
        out.set("seqnum", self.seqnum);
        match &self.kind {
            EventKind::StreamStart { stream_id, group_id } => {
                out.set_str("stream-id", stream_id);
                if let Some(group_id) = group_id {
                    out.set("group-id", *group_id);
                }
            }
            EventKind::Caps(caps) => out.set_caps("caps", caps),
            EventKind::Segment(segment) => out.set_str("segment", &segment.to_string()),
            EventKind::Tag(tags) => out.set_str("structure", &tags.to_string()),
            EventKind::Gap { pts, duration } => {
                out.set("pts", pts.nanos());
                if let Some(duration) = duration {
                    out.set("duration", duration.nanos());
                }
            }
            EventKind::FlushStop { reset_time } => out.set("reset-time", *reset_time),
            EventKind::SegmentDone { format, position } => {
                out.set("format", format.nick());
                out.set("position", *position);
            }
            EventKind::Latency(latency) => out.set("latency", latency.nanos()),
            EventKind::Qos { kind, proportion, diff, timestamp } => {
                out.set("type", kind.name());
                out.set("proportion", *proportion);
                out.set("diff", *diff);
                if let Some(timestamp) = timestamp {
                    out.set("timestamp", timestamp.nanos());
                }
            }
            EventKind::Seek(seek) => out.set_str("seek", &seek.to_structure().to_string()),
            EventKind::Step(step) => {
                out.set("format", step.format.nick());
                if let Some(amount) = step.amount {
                    out.set("amount", amount);
                }
                out.set("rate", step.rate);
                out.set("flush", step.flush);
                out.set("intermediate", step.intermediate);
            }
            EventKind::Custom(_, structure) => out.set_str("structure", &structure.to_string()),
            EventKind::Eos | EventKind::FlushStart | EventKind::Reconfigure => {}
        }
        out.end()
    }

    /// [`Event::from_text`] of what may not be text at all.
    pub(crate) fn from_bytes(text: &[u8]) -> Option<Event> {
        let known = LAST.try_with(|last| last.known(text)).ok().flatten();
        known.or_else(|| Event::from_text(std::str::from_utf8(text).ok()?))
    }

    /// Reads the text that crossed the plugin boundary; `None` if it is not an event's.
    pub fn from_text(text: &str) -> Option<Event> {
        LAST.try_with(|last| last.value(text, || Event::read(text)))
            .unwrap_or_else(|_| Event::read(text))
    }

    fn read(text: &str) -> Option<Event> {
        let read: Structure = text.parse().ok()?;
        let time = |field: &str| read.uint64(field).map(ClockTime::from_nanos);
        let inner = || read.str("structure")?.parse::<Structure>().ok();
        let kind = match read.name() {
            "stream-start" => EventKind::StreamStart {
                stream_id: read.str("stream-id")?.into(),
                group_id: read.get("group-id").and_then(|v| v.as_u64()).map(|v| v as u32),
            },
            "caps" => EventKind::Caps(Caps::parse(read.str("caps")?).ok()?),
            "segment" => EventKind::Segment(read.str("segment")?.parse().ok()?),
            "tag" => EventKind::Tag(inner()?),
            "gap" => EventKind::Gap { pts: time("pts")?, duration: time("duration") },
            "eos" => EventKind::Eos,
            "flush-start" => EventKind::FlushStart,
            "flush-stop" => EventKind::FlushStop { reset_time: read.bool("reset-time")? },
            "segment-done" => EventKind::SegmentDone {
                format: read.str("format")?.parse().ok()?,
                position: read.uint64("position")?,
            },
            "reconfigure" => EventKind::Reconfigure,
            "latency" => EventKind::Latency(time("latency")?),
            "qos" => EventKind::Qos {
                kind: [QosType::Overflow, QosType::Underflow, QosType::Throttle]
                    .into_iter()
                    .find(|kind| Some(kind.name()) == read.str("type"))?,
                proportion: read.get("proportion")?.as_f64()?,
                diff: read.get("diff")?.as_i64()?,
                timestamp: time("timestamp"),
            },
            "seek" => EventKind::Seek(Seek::from_structure(&read.str("seek")?.parse().ok()?)?),
            "step" => EventKind::Step(Step {
                format: read.str("format")?.parse().ok()?,
                amount: read.uint64("amount"),
                rate: read.get("rate")?.as_f64()?,
                flush: read.bool("flush")?,
                intermediate: read.bool("intermediate")?,
            }),
            custom => {
                let (kind, _) = CustomKind::NAMES.into_iter().find(|(_, name)| *name == custom)?;
                EventKind::Custom(kind, inner()?)
            }
        };
        let seqnum = read.get("seqnum").and_then(|v| v.as_u64()).map_or(0, |v| v as u32);
        Some(Event::with(kind, seqnum))
    }
}

impl EventKind {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            EventKind::StreamStart { .. } => "stream-start",
            EventKind::Caps(_) => "caps",
            EventKind::Segment(_) => "segment",
            EventKind::Tag(_) => "tag",
            EventKind::Gap { .. } => "gap",
            EventKind::Eos => "eos",
            EventKind::FlushStart => "flush-start",
            EventKind::FlushStop { .. } => "flush-stop",
            EventKind::SegmentDone { .. } => "segment-done",
            EventKind::Reconfigure => "reconfigure",
            EventKind::Latency(_) => "latency",
            EventKind::Qos { .. } => "qos",
            EventKind::Seek(_) => "seek",
            EventKind::Step(_) => "step",
            EventKind::Custom(kind, _) => kind.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{Format, Segment};

    #[test]
    fn every_kind_survives_the_text_form() {
        let structure = Structure::new("note").with("text", "a \"quoted\", thing;").with("n", 3);
        let kinds = [
            EventKind::StreamStart { stream_id: "a/b, c".into(), group_id: Some(4) },
            EventKind::Caps(
                Caps::parse("video/x-raw, format={ I420, NV12 }, width=[ 1, 20 ]").unwrap(),
            ),
            EventKind::Segment(Segment::default()),
            EventKind::Tag(structure.clone()),
            EventKind::Gap { pts: ClockTime::SECOND, duration: None },
            EventKind::Eos,
            EventKind::FlushStart,
            EventKind::FlushStop { reset_time: true },
            EventKind::SegmentDone { format: Format::Time, position: 9 },
            EventKind::Reconfigure,
            EventKind::Seek(Seek::to(ClockTime::SECOND)),
            EventKind::Step(Step { amount: None, rate: 2.0, ..Step::buffers(1) }),
            EventKind::Latency(ClockTime::MSECOND),
            EventKind::Qos { kind: QosType::Underflow, proportion: 0.1, diff: -5, timestamp: None },
            EventKind::Custom(CustomKind::DownstreamSticky, structure),
        ];
        for kind in kinds {
            let event = Event::new(kind);
            assert_eq!(
                Event::from_text(&event.to_text()).as_ref(),
                Some(&event),
                "{}",
                event.to_text()
            );
        }
    }

    #[test]
    fn an_event_that_is_changed_leaves_those_it_was_shared_with_as_they_are() {
        let first = Event::segment(Segment::default());
        let text = first.to_text();
        let mut second = first.clone();
        let EventKind::Segment(segment) = &mut second.kind else { panic!("{second:?}") };
        segment.base = 7;
        assert!(first != second && first.to_text() == text && second.to_text() != text);
        assert_eq!(Event::from_text(&second.to_text()), Some(second));
    }

    #[test]
    fn data_that_is_no_event_is_refused() {
        for text in ["", "caps", "caps, caps=(string)\"", "segment, segment=(string)x", "nonsense"]
        {
            assert_eq!(Event::from_text(text), None, "{text}");
        }
    }
}
