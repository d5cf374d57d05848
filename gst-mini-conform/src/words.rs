//! Events, flow results and buffers between a recording's words and ours.
//!
//! Invariant: what is read and written again is the same object.
//! Left out: fields that only one kind has.

use gst_mini_core::buffer::{Buffer, BufferFlags};
use gst_mini_core::caps::Caps;
use gst_mini_core::error::{FlowError, FlowResult};
use gst_mini_core::event::{CustomKind, Event, EventKind};
use gst_mini_core::segment::Format;
use gst_mini_core::structure::Structure;
use gst_mini_core::time::ClockTime;
use serde_json::{Map, Value as Json, json};

use crate::kinds::segment::{json_of, segment_of};

/// The event of a step or of an output.
///
/// # Errors
/// A sentence, for an event that is none of the format's.
pub fn event_of(json: &Json) -> Result<Event, String> {
    let text = |key: &str| json[key].as_str().ok_or(format!("no {key} in {json}"));
    let time = |key: &str| json[key].as_u64().map(ClockTime::from_nanos);
    let custom = |kind| Ok::<_, String>(EventKind::Custom(kind, Structure::new(text("name")?)));
    let kind = match text("event")? {
        "stream-start" => return Ok(Event::stream_start(text("stream_id")?)),
        "caps" => EventKind::Caps(Caps::parse(text("caps")?).map_err(|error| error.to_string())?),
        "segment" => EventKind::Segment(segment_of(&json["segment"])),
        "gap" => {
            let pts = time("pts").ok_or("a gap without a time")?;
            EventKind::Gap { pts, duration: time("duration") }
        }
        "eos" => EventKind::Eos,
        "tag" => EventKind::Tag(Structure::new("taglist").with("title", text("title")?)),
        "flush-start" => EventKind::FlushStart,
        "flush-stop" => EventKind::FlushStop { reset_time: json["reset_time"] == true },
        "segment-done" => {
            let position = json["position"].as_u64().ok_or("no position")?;
            EventKind::SegmentDone { format: Format::Time, position }
        }
        "custom" => custom(CustomKind::Downstream)?,
        "custom-sticky" => custom(CustomKind::DownstreamSticky)?,
        "custom-oob" => custom(CustomKind::DownstreamOob)?,
        other => return Err(format!("no event {other}")),
    };
    Ok(Event::new(kind))
}

/// An event in the words of a recording.
pub fn json_of_event(event: &Event) -> Json {
    let mut out = Map::new();
    let mut set = |key: &str, value: Json| out.insert(key.to_owned(), value);
    set("event", json!(name_of_event(event)));
    match &event.kind {
        EventKind::StreamStart { stream_id, .. } => set("stream_id", json!(**stream_id)),
        EventKind::Caps(caps) => set("caps", json!(caps.to_string())),
        EventKind::Segment(segment) => set("segment", json_of(segment)),
        EventKind::Gap { pts, duration } => {
            set("pts", json!(pts.nanos()));
            set("duration", json!(duration.map(ClockTime::nanos)))
        }
        EventKind::Tag(tags) => set("title", json!(tags.str("title"))),
        EventKind::FlushStop { reset_time } => set("reset_time", json!(reset_time)),
        EventKind::SegmentDone { position, .. } => set("position", json!(position)),
        EventKind::Latency(latency) => set("latency", json!(latency.nanos())),
        EventKind::Custom(_, structure) => set("name", json!(structure.name())),
        _ => None,
    };
    Json::Object(out)
}

/// The word for an event's kind.
pub fn name_of_event(event: &Event) -> &str {
    match &event.kind {
        EventKind::Custom(CustomKind::DownstreamSticky, _) => "custom-sticky",
        EventKind::Custom(CustomKind::DownstreamOob | CustomKind::BothOob, _) => "custom-oob",
        EventKind::Custom(..) => "custom",
        _ => event.name(),
    }
}

/// The flow result of that name.
///
/// # Errors
/// A sentence, if nothing is called so.
pub fn flow_of(json: &Json) -> Result<FlowResult, String> {
    use FlowError::*;
    let all =
        [NotLinked, Flushing, Eos, NotNegotiated, Error, NotSupported, CustomSuccess, CustomError];
    match json.as_str() {
        Some("ok") => Ok(Ok(())),
        Some(name) => {
            let known = all.into_iter().find(|flow| flow.name() == name);
            known.map(Err).ok_or(format!("no flow {name}"))
        }
        None => Err(format!("{json} is no flow")),
    }
}

/// The name of a flow result.
pub fn name_of_flow(flow: FlowResult) -> &'static str {
    flow.map_or_else(FlowError::name, |()| "ok")
}

/// The buffer of a step. Its `id` is its offset.
pub fn buffer_of(json: &Json) -> Buffer {
    let time = |key: &str| json[key].as_u64().map(ClockTime::from_nanos);
    let size = json["size"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    let mut buf = Buffer::from_vec(vec![0; size]);
    buf.set_offset(json["id"].as_u64());
    buf.set_pts(time("pts"));
    buf.set_dts(time("dts"));
    buf.set_duration(time("duration"));
    for flag in json["flags"].as_array().into_iter().flatten() {
        match flag.as_str() {
            Some("discont") => buf.set_flags(BufferFlags::DISCONT),
            Some("header") => buf.set_flags(BufferFlags::HEADER),
            Some("delta-unit") => buf.set_flags(BufferFlags::DELTA_UNIT),
            _ => {}
        }
    }
    buf
}
