//! The line of `--messages`, with the types GStreamer's messages have.
//!
//! Invariant: a kind of message that GStreamer has, has its structure's name, fields and types here.
//! In GStreamer: `gst/gstmessage.c`, `gst/gstquark.c`.
//! Left out: numbers of tasks by the order they were made in; a task is named after its pad.

use super::from;
use gst_mini_core::prelude::*;
use gst_mini_core::value::quote;

/// `Got message #12 from element "fakesrc0" (state-changed): GstMessageStateChanged, …;`
pub fn message(pipeline: &Bin, message: &Message) -> String {
    let from = from(pipeline, &message.source);
    let details = match &message.kind {
        MessageKind::StreamStatus { status, owner } => {
            let kind = pipeline.by_name(owner).map(|owner| owner.factory().type_name.clone());
            let kind = kind.unwrap_or_else(|| "GstElement".to_owned());
            Some(stream_status(*status, &format!("({kind}) {owner}"), &message.source))
        }
        kind => details(kind),
    };
    let details = details.unwrap_or_else(|| "no message details".to_owned());
    format!("Got message #{} from {from} ({}): {details}", message.seqnum, message.name())
}

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

fn story(name: &str, error: &ElementError) -> String {
    Line::new(name)
        .field("kind", "string", quote(error.kind.name()))
        .field("text", "string", quote(&error.text))
        .field("debug", "string", quote(&error.debug))
        .end()
}

/// `"\(GstSystemClock\)\ GstSystemClock"`
fn object(name: &str) -> String {
    quote(&format!("({name}) {name}"))
}

/// The task is named as its thread is: `queue0:src`.
fn stream_status(status: StreamStatus, owner: &str, pad: &str) -> String {
    let task =
        pad.rsplit_once('.').map_or_else(|| pad.to_owned(), |(of, pad)| format!("{of}:{pad}"));
    Line::new("GstMessageStreamStatus")
        .field("type", "GstStreamStatusType", status.name())
        .field("owner", "GstElement", quote(owner))
        .field("object", "GstTask", quote(&format!("(GstTask) {task}")))
        .end()
}

fn nanos(time: Option<u64>) -> u64 {
    time.unwrap_or(u64::MAX)
}

fn step_fields(line: Line, step: &Step) -> Line {
    line.field("format", "GstFormat", step.format.nick())
        .field("amount", "guint64", nanos(step.amount))
        .field("rate", "double", Value::from(step.rate))
        .field("flush", "boolean", step.flush)
        .field("intermediate", "boolean", step.intermediate)
}

fn details(kind: &MessageKind) -> Option<String> {
    Some(match kind {
        MessageKind::Error(error) => story("GstMessageError", error),
        MessageKind::Warning(error) => story("GstMessageWarning", error),
        MessageKind::Info(error) => story("GstMessageInfo", error),
        MessageKind::StateChanged { old, new, pending } => Line::new("GstMessageStateChanged")
            .field("old-state", "GstState", old.name())
            .field("new-state", "GstState", new.name())
            .field("pending-state", "GstState", pending.map_or("void-pending", State::name))
            .end(),
        MessageKind::AsyncDone { running_time } => Line::new("GstMessageAsyncDone")
            .field("running-time", "guint64", nanos(running_time.map(RunningTime::nanos)))
            .end(),
        MessageKind::NewClock(clock) => {
            Line::new("GstMessageNewClock").field("clock", "GstClock", object(clock)).end()
        }
        MessageKind::ClockProvide(clock) => Line::new("GstMessageClockProvide")
            .field("clock", "GstClock", object(clock))
            .field("ready", "boolean", true)
            .end(),
        MessageKind::ClockLost(clock) => {
            Line::new("GstMessageClockLost").field("clock", "GstClock", object(clock)).end()
        }
        MessageKind::Qos {
            live,
            running_time,
            stream_time,
            timestamp,
            duration,
            jitter,
            proportion,
            processed,
            dropped,
        } => Line::new("GstMessageQOS")
            .field("live", "boolean", live)
            .field("running-time", "guint64", nanos(running_time.map(RunningTime::nanos)))
            .field("stream-time", "guint64", nanos(*stream_time))
            .field("timestamp", "guint64", nanos(timestamp.map(ClockTime::nanos)))
            .field("duration", "guint64", nanos(duration.map(ClockTime::nanos)))
            .field("jitter", "gint64", jitter)
            .field("proportion", "double", Value::from(*proportion))
            .field("quality", "int", 1_000_000)
            .field("format", "GstFormat", "buffers")
            .field("processed", "guint64", processed)
            .field("dropped", "guint64", dropped)
            .end(),
        MessageKind::Buffering { percent } => Line::new("GstMessageBuffering")
            .field("buffer-percent", "int", percent)
            .field("buffering-mode", "GstBufferingMode", "stream")
            .field("avg-in-rate", "int", -1)
            .field("avg-out-rate", "int", -1)
            .field("buffering-left", "gint64", 0)
            .end(),
        MessageKind::RequestState(state) => {
            Line::new("GstMessageRequestState").field("new-state", "GstState", state.name()).end()
        }
        MessageKind::PropertyNotify { name, value } => {
            let line =
                Line::new("GstMessagePropertyNotify").field("property-name", "string", quote(name));
            // Caps of pads travel as text.
            let caps = value.as_ref().and_then(Value::as_str).filter(|_| name == "caps");
            match (caps, value) {
                (Some(caps), _) => line.field("property-value", "GstCaps", quote(caps)).end(),
                (None, Some(value)) => {
                    format!("{}, property-value={};", line.0, value.serialize_typed())
                }
                (None, None) => line.end(),
            }
        }
        MessageKind::SegmentStart { format, position } => Line::new("GstMessageSegmentStart")
            .field("format", "GstFormat", format.nick())
            .field("position", "gint64", position)
            .end(),
        MessageKind::SegmentDone { format, position } => Line::new("GstMessageSegmentDone")
            .field("format", "GstFormat", format.nick())
            .field("position", "gint64", position)
            .end(),
        MessageKind::StepStart { active, step } => {
            step_fields(Line::new("GstMessageStepStart").field("active", "boolean", active), step)
                .end()
        }
        MessageKind::StepDone { step, duration, eos } => {
            step_fields(Line::new("GstMessageStepDone"), step)
                .field("duration", "guint64", duration.nanos())
                .field("eos", "boolean", eos)
                .end()
        }
        MessageKind::ResetTime(running_time) => Line::new("GstMessageResetTime")
            .field("running-time", "guint64", running_time.nanos())
            .end(),
        MessageKind::Tag(tags) => {
            let mut list = Structure::new("taglist");
            for (name, value) in tags.fields() {
                list.set(name, value.clone());
            }
            let list = quote(&list.to_string());
            Line::new("GstMessageTag").field("taglist", "taglist", list).end()
        }
        MessageKind::Element(structure) | MessageKind::Application(structure) => {
            structure.to_string()
        }
        MessageKind::StreamStart { group_id } => {
            let line = Line::new("GstMessageStreamStart");
            match group_id {
                Some(group_id) => line.field("group-id", "uint", group_id).end(),
                None => line.end(),
            }
        }
        // Told above, with the type of its owner.
        MessageKind::StreamStatus { .. }
        | MessageKind::Eos
        | MessageKind::AsyncStart
        | MessageKind::Latency
        | MessageKind::DurationChanged => return None,
    })
}
