//! Puts what happens in a pipeline into words, as `gst-launch-1.0` does.
//!
//! ```text
//! /GstPipeline:pipeline0/fakesink:fakesink0: last-message = chain   ******* …
//! ERROR: from element /GstPipeline:pipeline0/filesrc:filesrc0: …
//! ```
//!
//! Invariant: no value of a secret property is written.
//! In GStreamer: `tools/gst-launch.c` (`bus_sync_handler`, `event_loop`).
//! Left out: pointers; they differ from run to run.

use gst_mini_core::prelude::*;

/// Where an element stands: `/GstPipeline:pipeline0/queue:queue0`. Bins bear their type's name, elements
/// their factory's.
pub fn path(pipeline: &Bin, element: &str) -> String {
    let top = format!("/GstPipeline:{}", pipeline.name());
    if element == pipeline.name() {
        return top;
    }
    match below(pipeline, element) {
        Some(rest) => top + &rest,
        None => format!("{top}/{element}"),
    }
}

fn below(bin: &Bin, element: &str) -> Option<String> {
    bin.children().iter().find_map(|child| {
        let inner = Bin::from_element(child);
        let kind = if inner.is_some() { "GstBin" } else { child.factory().name.as_str() };
        let here = format!("/{kind}:{}", child.name());
        if child.name() == element {
            return Some(here);
        }
        Some(here + &below(&inner?, element)?)
    })
}

/// The same for an element or one of its pads, as messages name them: `queue0` or `queue0.src`.
pub fn source_path(pipeline: &Bin, source: &str) -> String {
    let is_element = source == pipeline.name() || pipeline.by_name(source).is_some();
    match source.rsplit_once('.').filter(|_| !is_element) {
        Some((element, pad)) => format!("{}.GstPad:{pad}", path(pipeline, element)),
        None => path(pipeline, source),
    }
}

/// An error, warning or info: two channels, one for the user and one for who looks closer.
pub fn story(level: &str, place: &str, error: &ElementError) -> String {
    let mut text = format!("{level}: from element {place}: {}", error.text);
    if !error.debug.is_empty() {
        text.push_str(&format!("\nAdditional debug info:\n{}", error.debug));
    }
    text
}

/// A property's new value.
pub fn property(place: &str, name: &str, value: Option<&Value>) -> String {
    let shown = match value {
        None => "***".to_owned(),
        // As it is, not quoted: these are made to be read.
        Some(Value::String(text)) => text.clone().unwrap_or_else(|| "null".to_owned()),
        Some(other) => other.to_string(),
    };
    format!("{place}: {name} = {shown}")
}

/// The line of `--messages`.
pub fn message(message: &Message) -> String {
    let kind = if message.source.contains('.') { "pad" } else { "element" };
    let details = details(&message.kind)
        .map_or_else(|| "no message details".to_owned(), |details| details.to_string());
    format!(
        "Got message #{} from {kind} \"{}\" ({}): {details}",
        message.seqnum,
        message.source,
        message.name()
    )
}

fn details(kind: &MessageKind) -> Option<Structure> {
    let story = |name: &'static str, error: &ElementError| {
        Structure::new(name)
            .with("kind", error.kind.name())
            .with("text", error.text.as_str())
            .with("debug", error.debug.as_str())
    };
    Some(match kind {
        MessageKind::Error(error) => story("GstMessageError", error),
        MessageKind::Warning(error) => story("GstMessageWarning", error),
        MessageKind::Info(error) => story("GstMessageInfo", error),
        MessageKind::StateChanged { old, new, pending } => Structure::new("GstMessageStateChanged")
            .with("old-state", old.name())
            .with("new-state", new.name())
            .with("pending-state", pending.map_or("void-pending", State::name)),
        MessageKind::AsyncDone { running_time } => Structure::new("GstMessageAsyncDone")
            .with("running-time", running_time.map_or(u64::MAX, RunningTime::nanos)),
        MessageKind::NewClock(clock) => {
            Structure::new("GstMessageNewClock").with("clock", clock.as_str())
        }
        MessageKind::ClockProvide(clock) | MessageKind::ClockLost(clock) => {
            Structure::new("GstMessageClock").with("clock", clock.as_str())
        }
        MessageKind::Qos { live, running_time, jitter, proportion, processed, dropped, .. } => {
            Structure::new("GstMessageQOS")
                .with("live", *live)
                .with("running-time", running_time.map_or(u64::MAX, RunningTime::nanos))
                .with("jitter", *jitter)
                .with("proportion", *proportion)
                .with("processed", *processed)
                .with("dropped", *dropped)
        }
        MessageKind::RequestState(state) => {
            Structure::new("GstMessageRequestState").with("new-state", state.name())
        }
        MessageKind::PropertyNotify { name, value } => {
            let line =
                Structure::new("GstMessagePropertyNotify").with("property-name", name.as_str());
            match value {
                Some(value) => line.with("property-value", value.clone()),
                None => line,
            }
        }
        MessageKind::SegmentStart { position, .. } | MessageKind::SegmentDone { position, .. } => {
            Structure::new("GstMessageSegment").with("position", *position)
        }
        MessageKind::Tag(structure)
        | MessageKind::Element(structure)
        | MessageKind::Application(structure) => structure.clone(),
        MessageKind::Eos
        | MessageKind::AsyncStart
        | MessageKind::StreamStart
        | MessageKind::Latency
        | MessageKind::DurationChanged => return None,
    })
}
