//! From a graph description to a pipeline, through the registry.
//!
//! Invariant: elements are made and named in the order GStreamer makes them, so automatic names agree.
//! In GStreamer: `gst/gstparse.c` (`gst_parse_launch_full`), `gst/parse/grammar.y.in` (`gst_parse_element_make`, `gst_parse_perform_link`).
//! Left out: nothing of its own; links to pads that appear later are `delayed`.

use crate::caps::Caps;
use crate::element::Direction;
use crate::handle::{ElementRef, HandleError};
use crate::host::props::{PropertyError, hint};
use crate::launch::{
    self, EndPoint, Fault, Graph, LaunchError, LinkDesc, Node, Span, Target, delayed,
};
use crate::pad::{LinkError, Pad, PadCore};
use crate::pipeline::{Bin, Pipeline};
use crate::registry::registry;
use crate::suggest::nearest;
use std::collections::HashMap;
use std::sync::Arc;

/// Builds a pipeline from a launch line.
///
/// # Errors
/// What is wrong with the line, with its place; the first thing in the order in which GStreamer
/// meets them.
pub fn parse_launch(text: &str) -> Result<Bin, LaunchError> {
    let (graph, syntax) = launch::parse_prefix(text);
    let mut builder = Builder {
        text,
        graph: &graph,
        numbers: HashMap::new(),
        elements: vec![None; graph.elements.len()],
        bins: vec![None; graph.bins.len()],
        top: Bin::pipeline("pipeline0"),
    };
    for node in graph.creation_order() {
        match node {
            Node::Element(index) => builder.make_element(index)?,
            Node::Bin(index) => builder.make_bin(index)?,
        }
    }
    if let Some(error) = syntax {
        return Err(error);
    }
    for link in &graph.links {
        builder.link(link)?;
    }
    Ok(builder.top)
}

struct Builder<'a> {
    text: &'a str,
    graph: &'a Graph,
    /// As GStreamer counts: every automatic name of a line begins at 0.
    numbers: HashMap<String, u32>,
    elements: Vec<Option<ElementRef>>,
    bins: Vec<Option<Bin>>,
    top: Bin,
}

impl Builder<'_> {
    fn fault(&self, why: impl std::fmt::Display, span: &Span) -> Fault {
        Fault::new(why.to_string(), self.text, span.clone())
    }

    fn name(&mut self, factory: &str, name: Option<&String>) -> String {
        match name {
            Some(name) => name.clone(),
            None => {
                let number = self.numbers.entry(factory.to_owned()).or_default();
                *number += 1;
                format!("{factory}{}", *number - 1)
            }
        }
    }

    fn make_element(&mut self, index: usize) -> Result<(), LaunchError> {
        let desc = &self.graph.elements[index];
        let name = self.name(&desc.factory, desc.name.as_ref());
        let element = registry()
            .make(&desc.factory, Some(&name))
            .map_err(|error| LaunchError::NoSuchElement(self.fault(error, &desc.span)))?;
        for prop in &desc.props {
            match element.set(&prop.name.replace('_', "-"), &prop.value) {
                Ok(()) => {}
                // GStreamer ignores a value out of range without a word; here it is said, and the
                // line is still built.
                Err(error @ PropertyError::OutOfRange { .. }) => {
                    let text = error.to_string();
                    crate::log::write("launch", crate::cx::Level::Warning, &name, &text);
                }
                Err(error @ PropertyError::Unknown { .. }) => {
                    return Err(LaunchError::NoSuchProperty(self.fault(error, &prop.span)));
                }
                Err(error) => {
                    return Err(LaunchError::CouldNotSetProperty(self.fault(error, &prop.span)));
                }
            }
        }
        if desc.bin.is_none() {
            self.add(&self.top.clone(), &element, &desc.span)?;
        }
        self.elements[index] = Some(element);
        Ok(())
    }

    fn make_bin(&mut self, index: usize) -> Result<(), LaunchError> {
        let desc = &self.graph.bins[index];
        if desc.factory != "bin" {
            let why =
                format!("\"{}\" is no kind of bin; write `( … )` or `bin.( … )`", desc.factory);
            return Err(LaunchError::NoSuchElement(self.fault(why, &desc.span)));
        }
        if let Some(prop) = desc.props.first() {
            let why = format!("a bin has no property \"{}\" but its name", prop.name);
            return Err(LaunchError::NoSuchProperty(self.fault(why, &prop.span)));
        }
        let name = self.name("bin", desc.name.as_ref());
        let bin = Bin::inner(&name);
        for node in self.graph.children(Some(index)) {
            let child = match node {
                Node::Element(child) => self.elements[child].clone(),
                Node::Bin(child) => self.bins[child].as_ref().map(|bin| bin.element().clone()),
            };
            if let Some(child) = child {
                self.add(&bin, &child, &desc.span)?;
            }
        }
        if desc.parent.is_none() {
            self.add(&self.top.clone(), bin.element(), &desc.span)?;
        }
        self.bins[index] = Some(bin);
        Ok(())
    }

    fn add(&self, bin: &Bin, element: &ElementRef, span: &Span) -> Result<(), LaunchError> {
        bin.add(element).map_err(|error| LaunchError::Other(self.fault(error, span)))
    }

    fn resolve(&self, end: &EndPoint) -> Result<ElementRef, LaunchError> {
        let found = match &end.target {
            Target::Element(index) => self.elements[*index].clone(),
            Target::Name(name) => self.top.by_name(name),
        };
        found.ok_or_else(|| {
            let Target::Name(name) = &end.target else {
                return LaunchError::Other(self.fault("the element was not made", &end.span));
            };
            let names: Vec<String> =
                self.elements.iter().flatten().map(|e| e.name().to_owned()).collect();
            let near: Vec<String> = nearest(name, names.iter().map(String::as_str))
                .into_iter()
                .map(str::to_owned)
                .collect();
            let why = format!("no element named \"{name}\"{}", hint(&near));
            LaunchError::NoSuchElement(self.fault(why, &end.span))
        })
    }

    fn link(&mut self, link: &LinkDesc) -> Result<(), LaunchError> {
        if link.all_pads {
            let why = "`:` links every pad that fits, which is not supported; write a `!` for each";
            return Err(LaunchError::Other(self.fault(why, &link.span)));
        }
        let mut from = self.resolve(&link.from)?;
        let to = self.resolve(&link.to)?;
        let mut pads = link.from.pads.clone();
        if let Some(caps) = &link.caps {
            let name = self.name("capsfilter", None);
            let filter = registry()
                .make("capsfilter", Some(&name))
                .map_err(|error| LaunchError::NoSuchElement(self.fault(error, &link.span)))?;
            filter.set("caps", caps).map_err(|error| {
                let why = format!("the caps between {} and {}: {error}", from.name(), to.name());
                LaunchError::CouldNotSetProperty(self.fault(why, &link.span))
            })?;
            self.add(&self.top.clone(), &filter, &link.span)?;
            connect(&from, &pads, &filter, &[])
                .map_err(|why| LaunchError::Link(self.fault(why, &link.span)))?;
            from = filter;
            pads.clear();
        }
        connect(&from, &pads, &to, &link.to.pads)
            .map_err(|why| LaunchError::Link(self.fault(why, &link.span)))
    }
}

/// Links pads by name, or whatever fits.
fn connect(
    from: &ElementRef,
    from_pads: &[String],
    to: &ElementRef,
    to_pads: &[String],
) -> Result<(), String> {
    let refused = |why: String| format!("could not link {} to {}: {why}", from.name(), to.name());
    let pairs = from_pads.len().max(to_pads.len()).max(1);
    for i in 0..pairs {
        let src = match pick(from, from_pads.get(i), Direction::Src) {
            Ok(src) => src,
            Err(_) if delayed::link(from, from_pads.get(i), to, to_pads.get(i)) => continue,
            Err(error) => return Err(refused(error.to_string())),
        };
        let sink = pick(to, to_pads.get(i), Direction::Sink).map_err(|e| refused(e.to_string()))?;
        src.link(&sink).map_err(|error| refused(explain(&error)))?;
    }
    Ok(())
}

pub(super) fn pick(
    element: &ElementRef,
    name: Option<&String>,
    direction: Direction,
) -> Result<Arc<PadCore>, HandleError> {
    match name {
        Some(name) => {
            let pad = element.pad(name)?;
            if pad.direction() == direction {
                Ok(pad)
            } else {
                Err(HandleError::NoPad {
                    element: element.name().to_owned(),
                    what: format!("{} pad \"{name}\"", direction.name()),
                    near: Vec::new(),
                })
            }
        }
        None => element.free_pad(direction),
    }
}

fn explain(error: &LinkError) -> String {
    match error {
        LinkError::NoFormat { src, sink, src_caps, sink_caps, .. } => {
            match (Caps::parse(src_caps), Caps::parse(sink_caps)) {
                (Ok(a), Ok(b)) => {
                    let story = crate::base::negotiate::mismatch(src, &a, "comes out", sink, &b);
                    format!("{}\n{}", story.text, story.debug)
                }
                _ => error.to_string(),
            }
        }
        other => other.to_string(),
    }
}
