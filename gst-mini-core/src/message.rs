//! Messages tell the application, over the bus, what happened in the pipeline.
//!
//! Invariant: a message carries the name of its source, never the source itself.
//! In GStreamer: `gst/gstmessage.c` (`gst_message_new_error`), design page `messages`.
//! Left out: buffering, toc, streams, redirect, device messages, need-context.

use crate::error::{ElementError, ErrorKind};
use crate::event::{Seqnum, Step, next_seqnum};
use crate::segment::Format;
use crate::state::State;
use crate::structure::Structure;
use crate::time::{ClockTime, RunningTime};
use crate::value::Value;

/// What became of a streaming task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    /// It was made, and is about to run.
    Create,
    /// Its thread runs; posted from there.
    Enter,
    /// Its thread is about to end; posted from there.
    Leave,
}

impl StreamStatus {
    /// Its name, as in GStreamer.
    pub fn name(self) -> &'static str {
        match self {
            StreamStatus::Create => "create",
            StreamStatus::Enter => "enter",
            StreamStatus::Leave => "leave",
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageKind {
    /// Something failed; the pipeline should be stopped.
    Error(ElementError),
    /// Something is wrong, but it goes on.
    Warning(ElementError),
    /// Something worth knowing.
    Info(ElementError),
    /// All sinks have rendered everything.
    Eos,
    /// A streaming task begins or ends. From the pad it works for.
    StreamStatus {
        /// What became of it.
        status: StreamStatus,
        /// Name of the element the pad belongs to.
        owner: String,
    },
    /// An element changed its state.
    StateChanged {
        /// From.
        old: State,
        /// To.
        new: State,
        /// On the way to; `None` when there.
        pending: Option<State>,
    },
    /// An element begins a state change in its own thread. Internal to bins.
    AsyncStart,
    /// The state change is done; all sinks are prerolled.
    AsyncDone {
        /// Running time to go on with; `None`: as it was.
        running_time: Option<RunningTime>,
    },
    /// All sinks have seen the start of their stream.
    StreamStart {
        /// Streams that belong together have the same.
        group_id: Option<u32>,
    },
    /// The pipeline chose this clock.
    NewClock(String),
    /// An element has a clock to offer. Internal to bins.
    ClockProvide(String),
    /// The clock in use is going away.
    ClockLost(String),
    /// Somebody's latency changed.
    Latency,
    /// A sink dropped or was late.
    Qos {
        /// Whether it was a live stream.
        live: bool,
        /// Of the buffer.
        running_time: Option<RunningTime>,
        /// Of the buffer.
        stream_time: Option<u64>,
        /// Its pts.
        timestamp: Option<ClockTime>,
        /// Its duration.
        duration: Option<ClockTime>,
        /// Lateness, ns.
        jitter: i64,
        /// See [`crate::event::EventKind::Qos`].
        proportion: f64,
        /// Rendered so far.
        processed: u64,
        /// Dropped so far.
        dropped: u64,
    },
    /// Metadata found in the stream.
    Tag(Structure),
    /// A segment seek began to play.
    SegmentStart {
        /// Unit of `position`.
        format: Format,
        /// Where.
        position: u64,
    },
    /// A segment seek played to its end.
    SegmentDone {
        /// Unit of `position`.
        format: Format,
        /// Where.
        position: u64,
    },
    /// A step was asked for, or begins to be carried out.
    StepStart {
        /// Whether it begins; else it waits for its turn.
        active: bool,
        /// Which.
        step: Step,
    },
    /// A step was carried out.
    StepDone {
        /// Which.
        step: Step,
        /// How much running time it went over.
        duration: ClockTime,
        /// Whether it ended with the stream.
        eos: bool,
    },
    /// A flush set running time back. For the pipeline, which decides the base time.
    ResetTime(RunningTime),
    /// The duration is to be asked again.
    DurationChanged,
    /// An element gathers data. An application pauses a pipeline that is not live until it is at 100.
    Buffering {
        /// How far it is, 0 to 100.
        percent: i32,
    },
    /// An element wishes the application to change the pipeline's state.
    RequestState(State),
    /// A property's new value, where notifications were asked for.
    PropertyNotify {
        /// Which.
        name: String,
        /// Its value, unless it is secret.
        value: Option<Value>,
    },
    /// An element's own; see its documentation for the structure.
    Element(Structure),
    /// The application's own.
    Application(Structure),
}

/// What happened, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Name of the element it comes from.
    pub source: String,
    /// Cause.
    pub seqnum: Seqnum,
    /// Content.
    pub kind: MessageKind,
}

impl Message {
    /// A message with a new sequence number.
    pub fn new(source: impl Into<String>, kind: MessageKind) -> Message {
        Message { source: source.into(), seqnum: next_seqnum(), kind }
    }

    /// The same message as part of another cause.
    pub fn with_seqnum(mut self, seqnum: Seqnum) -> Message {
        self.seqnum = seqnum;
        self
    }

    /// Its type's name, as in GStreamer.
    pub fn name(&self) -> &'static str {
        match self.kind {
            MessageKind::Error(_) => "error",
            MessageKind::Warning(_) => "warning",
            MessageKind::Info(_) => "info",
            MessageKind::Eos => "eos",
            MessageKind::StateChanged { .. } => "state-changed",
            MessageKind::StreamStatus { .. } => "stream-status",
            MessageKind::AsyncStart => "async-start",
            MessageKind::AsyncDone { .. } => "async-done",
            MessageKind::StreamStart { .. } => "stream-start",
            MessageKind::NewClock(_) => "new-clock",
            MessageKind::ClockProvide(_) => "clock-provide",
            MessageKind::ClockLost(_) => "clock-lost",
            MessageKind::Latency => "latency",
            MessageKind::Qos { .. } => "qos",
            MessageKind::Tag(_) => "tag",
            MessageKind::SegmentStart { .. } => "segment-start",
            MessageKind::SegmentDone { .. } => "segment-done",
            MessageKind::StepStart { .. } => "step-start",
            MessageKind::StepDone { .. } => "step-done",
            MessageKind::ResetTime(_) => "reset-time",
            MessageKind::DurationChanged => "duration-changed",
            MessageKind::Buffering { .. } => "buffering",
            MessageKind::RequestState(_) => "request-state",
            MessageKind::PropertyNotify { .. } => "property-notify",
            MessageKind::Element(_) => "element",
            MessageKind::Application(_) => "application",
        }
    }
}

/// The messages an element may post across the plugin boundary, as text.
impl MessageKind {
    /// The text; `None` for the kinds that only the host posts.
    pub fn to_text(&self) -> Option<String> {
        let story = |name: &'static str, error: &ElementError| {
            Structure::new(name)
                .with("kind", error.kind.name())
                .with("text", error.text.as_str())
                .with("debug", error.debug.as_str())
        };
        let out = match self {
            MessageKind::Error(error) => story("error", error),
            MessageKind::Warning(error) => story("warning", error),
            MessageKind::Info(error) => story("info", error),
            MessageKind::Latency => Structure::new("latency"),
            MessageKind::ClockProvide(name) => {
                Structure::new("clock-provide").with("clock", name.as_str())
            }
            MessageKind::ClockLost(name) => {
                Structure::new("clock-lost").with("clock", name.as_str())
            }
            MessageKind::DurationChanged => Structure::new("duration-changed"),
            MessageKind::Buffering { percent } => {
                Structure::new("buffering").with("percent", *percent)
            }
            MessageKind::Tag(s) => Structure::new("tag").with("structure", s.to_string()),
            MessageKind::Element(s) => Structure::new("element").with("structure", s.to_string()),
            MessageKind::Application(s) => {
                Structure::new("application").with("structure", s.to_string())
            }
            MessageKind::RequestState(state) => {
                Structure::new("request-state").with("state", state.name())
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
            } => {
                let mut out = Structure::new("qos")
                    .with("live", *live)
                    .with("jitter", *jitter)
                    .with("proportion", *proportion)
                    .with("processed", *processed)
                    .with("dropped", *dropped);
                let times = [
                    ("running-time", running_time.map(RunningTime::nanos)),
                    ("stream-time", *stream_time),
                    ("timestamp", timestamp.map(ClockTime::nanos)),
                    ("duration", duration.map(ClockTime::nanos)),
                ];
                for (field, value) in times {
                    if let Some(value) = value {
                        out.set(field, value);
                    }
                }
                out
            }
            _ => return None,
        };
        Some(out.to_string())
    }

    /// Reads the text; `None` if it is not a message's that an element may post.
    pub fn from_text(text: &str) -> Option<MessageKind> {
        let read: Structure = text.parse().ok()?;
        let story = || ElementError {
            kind: ErrorKind::from_name(read.str("kind").unwrap_or("")),
            text: read.str("text").unwrap_or("").to_owned(),
            debug: read.str("debug").unwrap_or("").to_owned(),
        };
        let inner = || read.str("structure")?.parse::<Structure>().ok();
        Some(match read.name() {
            "error" => MessageKind::Error(story()),
            "warning" => MessageKind::Warning(story()),
            "info" => MessageKind::Info(story()),
            "latency" => MessageKind::Latency,
            "clock-provide" => MessageKind::ClockProvide(read.str("clock")?.to_owned()),
            "clock-lost" => MessageKind::ClockLost(read.str("clock")?.to_owned()),
            "duration-changed" => MessageKind::DurationChanged,
            "buffering" => MessageKind::Buffering { percent: read.int("percent")? },
            "tag" => MessageKind::Tag(inner()?),
            "element" => MessageKind::Element(inner()?),
            "application" => MessageKind::Application(inner()?),
            "request-state" => MessageKind::RequestState(read.str("state")?.parse().ok()?),
            "qos" => MessageKind::Qos {
                live: read.bool("live")?,
                running_time: read.uint64("running-time").map(RunningTime::from_nanos),
                stream_time: read.uint64("stream-time"),
                timestamp: read.uint64("timestamp").map(ClockTime::from_nanos),
                duration: read.uint64("duration").map(ClockTime::from_nanos),
                jitter: read.get("jitter")?.as_i64()?,
                proportion: read.get("proportion")?.as_f64()?,
                processed: read.uint64("processed")?,
                dropped: read.uint64("dropped")?,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_text_form_with_quotes_and_lines() {
        let error = ElementError::new(ErrorKind::Write, "no \"room\" on\nthe disk, at 100 %")
            .with_debug("errno 28");
        let kind = MessageKind::Error(error);
        assert_eq!(MessageKind::from_text(&kind.to_text().unwrap()), Some(kind));
    }

    #[test]
    fn what_only_the_host_posts_does_not_cross() {
        assert_eq!(MessageKind::Eos.to_text(), None);
        assert_eq!(MessageKind::from_text("eos"), None);
    }
}
