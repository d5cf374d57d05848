//! Puts what happens in a pipeline into words, as `gst-launch-1.0` does.
//!
//! ```text
//! /GstPipeline:pipeline0/GstFakeSink:fakesink0: last-message = chain   ******* …
//! ERROR: from element /GstPipeline:pipeline0/GstFileSrc:filesrc0: …
//! Got message #12 from element "fakesrc0" (state-changed): GstMessageStateChanged, old-state=(GstState)null, …;
//! ```
//!
//! Invariant: no value of a secret property is written.
//! In GStreamer: `tools/gst-launch.c` (`bus_sync_handler`, `bus_handler`), `gst/gstobject.c` (`gst_object_get_path_string`).
//! Left out: addresses; they differ from run to run.

mod message;

pub use message::message;

use gst_mini_core::prelude::*;
use gst_mini_core::registry::factory::Presence;

/// Where an element stands: `/GstPipeline:pipeline0/GstQueue:queue0`.
pub fn path(pipeline: &Bin, element: &str) -> String {
    let top = format!("/{}:{}", pipeline.factory().type_name, pipeline.name());
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
        let here = format!("/{}:{}", child.factory().type_name, child.name());
        if child.name() == element {
            return Some(here);
        }
        Some(here + &below(&Bin::from_element(child)?, element)?)
    })
}

/// Who a message is from. Messages name their source `queue0`, or `queue0.src` when it is a pad.
pub enum Source {
    /// An element or bin.
    Element,
    /// A pad: its element, and its own name.
    Pad(String, String),
}

/// Tells pads from elements; a name with a dot in it may be either.
pub fn source(pipeline: &Bin, name: &str) -> Source {
    let is_element = name == pipeline.name() || pipeline.by_name(name).is_some();
    match name.rsplit_once('.').filter(|_| !is_element) {
        Some((element, pad)) => Source::Pad(element.to_owned(), pad.to_owned()),
        None => Source::Element,
    }
}

/// `element "queue0"`, or `pad "queue0:src"`.
pub fn from(pipeline: &Bin, name: &str) -> String {
    match source(pipeline, name) {
        Source::Element => format!("element \"{name}\""),
        Source::Pad(element, pad) => format!("pad \"{element}:{pad}\""),
    }
}

/// The path of an element, or of one of its pads: `….GstPad:src`.
pub fn source_path(pipeline: &Bin, name: &str) -> String {
    let Source::Pad(element, pad) = source(pipeline, name) else { return path(pipeline, name) };
    if element.contains('.') && pipeline.by_name(&element).is_none() {
        // The inner side of a ghost pad.
        return format!("{}.GstProxyPad:{pad}", source_path(pipeline, &element));
    }
    let owner = if element == pipeline.name() {
        Some(pipeline.element().clone())
    } else {
        pipeline.by_name(&element)
    };
    let kind = owner.map_or_else(|| "GstPad".to_owned(), |owner| pad_type(&owner, &pad));
    format!("{}.{kind}:{pad}", path(pipeline, &element))
}

fn pad_type(owner: &ElementRef, pad: &str) -> String {
    if Bin::from_element(owner).is_some() {
        return "GstGhostPad".to_owned();
    }
    let factory = owner.factory();
    // An element may name its request pads otherwise than their template.
    let requested = || {
        let direction = owner.static_pad(pad)?.direction();
        let mut templates = factory.pads.iter().filter(|template| {
            template.direction == direction && template.presence != Presence::Always
        });
        templates.next()
    };
    let template = factory.template_for(pad).or_else(requested);
    template.map_or_else(|| "GstPad".to_owned(), |template| template.pad_type.clone())
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
        Some(Value::String(text)) => text.as_deref().unwrap_or("null").to_owned(),
        Some(other) => other.serialize(),
    };
    format!("{place}: {name} = {shown}")
}

/// The line of the position: `0:00:01.2 / 0:00:10.0 (12.0 %)`.
pub fn position(position: u64, duration: Option<u64>) -> String {
    let short = |nanos: u64| {
        let mut text = ClockTime::from_nanos(nanos).to_string();
        text.truncate(9);
        text
    };
    let shown = short(position);
    match duration {
        Some(duration) if duration > 0 && duration >= position => {
            let percent = 100.0 * position as f64 / duration as f64;
            format!("{shown} / {} ({percent:.1} %)", short(duration))
        }
        Some(duration) => format!("{shown} / {}", short(duration)),
        None => format!("{shown} / 99:99:99."),
    }
}

/// A tag's value, as in `--tags`: text as it is, other things as in a structure.
pub fn tag(name: &str, value: &Value) -> String {
    let shown = match value {
        Value::String(Some(text)) => text.to_string(),
        other => other.to_string(),
    };
    // GStreamer prints a tag's title, which for most tags is its name with spaces.
    format!("{:>16}: {shown}", name.replace('-', " "))
}
