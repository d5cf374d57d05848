//! From a graph description to a pipeline, through the registry.
//!
//! Invariant: elements are made, named, put into bins and linked in the order in which GStreamer does it,
//! so automatic names agree.
//! In GStreamer: `gst/gstparse.c` (`gst_parse_launch_full`), `gst/parse/grammar.y.in` (`gst_parse_element_make`, `gst_parse_perform_link`), `tools/gst-launch.c`.
//! Left out: nothing of its own; which pads are linked is `connect`, those that appear later are `delayed`.

use super::connect::{Linked, Linker, Names, Side};
use crate::caps::Caps;
use crate::cx::Level;
use crate::handle::ElementRef;
use crate::host::props::{PropertyError, hint};
use crate::launch::{
    self, EndPoint, Fault, Graph, LaunchError, LinkDesc, Node, PropDesc, Span, Target, delayed,
};
use crate::pipeline::{Bin, Pipeline};
use crate::registry::registry;
use crate::suggest::nearest;
use std::collections::HashMap;

/// Builds a pipeline from a launch line. What is no pipeline, such as `( … )`, is put into one, as
/// `gst-launch-1.0` does.
///
/// # Errors
/// As [`parse_launch_element`].
pub fn parse_launch(text: &str) -> Result<Bin, LaunchError> {
    let element = parse_launch_element(text)?;
    match Bin::from_element(&element) {
        Some(bin) if bin.is_pipeline() => Ok(bin),
        _ => {
            let pipeline = Bin::pipeline("pipeline0");
            let whole = Fault::new(format!("{} is in a bin", element.name()), text, 0..text.len());
            pipeline.add(&element).map_err(|_| LaunchError::Other(whole))?;
            Ok(pipeline)
        }
    }
}

/// What a launch line describes: its only element or bin, or a pipeline around several.
///
/// What GStreamer passes over in silence (a value out of its range, a second element of the same name
/// in a bin) is passed over too, with a line in the log.
///
/// # Errors
/// What is wrong with the line, with its place; the first thing in the order in which GStreamer
/// meets them.
pub fn parse_launch_element(text: &str) -> Result<ElementRef, LaunchError> {
    let (graph, syntax) = launch::parse_prefix(text);
    let mut builder = Builder {
        text,
        graph: &graph,
        names: Names::Line(HashMap::new()),
        elements: vec![None; graph.elements.len()],
        bins: vec![None; graph.bins.len()],
    };
    builder.make_all()?;
    if let Some(error) = syntax {
        return Err(error);
    }
    let top = builder.gather()?;
    for link in &graph.links {
        builder.link(&top, link)?;
    }
    Ok(top)
}

struct Builder<'a> {
    text: &'a str,
    graph: &'a Graph,
    names: Names,
    elements: Vec<Option<ElementRef>>,
    bins: Vec<Option<ElementRef>>,
}

impl Builder<'_> {
    fn fault(&self, why: impl std::fmt::Display, span: &Span) -> Fault {
        Fault::new(why.to_string(), self.text, span.clone())
    }

    fn warn(&self, element: &str, text: &str) {
        crate::log::write("launch", Level::Warning, element, text);
    }

    /// Makes all elements and bins of what could be read.
    fn make_all(&mut self) -> Result<(), LaunchError> {
        for node in self.graph.creation_order() {
            match node {
                Node::Element(index) => self.make_element(index)?,
                Node::Bin(index) => self.make_bin(index)?,
            }
        }
        Ok(())
    }

    fn caps(&self, link: &LinkDesc) -> Result<Option<Caps>, LaunchError> {
        let Some(text) = &link.caps else { return Ok(None) };
        let caps = Caps::parse(text).map_err(|error| {
            LaunchError::Link(self.fault(format!("could not parse the caps: {error}"), &link.span))
        })?;
        Ok(Some(caps))
    }

    fn make_element(&mut self, index: usize) -> Result<(), LaunchError> {
        let desc = &self.graph.elements[index];
        let factory = registry().factory(&desc.factory);
        factory.map_err(|error| LaunchError::NoSuchElement(self.fault(error, &desc.span)))?;
        let name = desc.name.clone().unwrap_or_else(|| self.names.element(&desc.factory));
        let element = registry()
            .make(&desc.factory, Some(&name))
            .map_err(|error| LaunchError::NoSuchElement(self.fault(error, &desc.span)))?;
        self.set_all(&element, &desc.props)?;
        self.elements[index] = Some(element);
        Ok(())
    }

    fn make_bin(&mut self, index: usize) -> Result<(), LaunchError> {
        let desc = &self.graph.bins[index];
        let factory = registry().factory(&desc.factory);
        factory.map_err(|error| LaunchError::NoSuchElement(self.fault(error, &desc.span)))?;
        let name = desc.name.clone().unwrap_or_else(|| self.names.element(&desc.factory));
        let bin = registry()
            .make(&desc.factory, Some(&name))
            .map_err(|error| LaunchError::NoSuchElement(self.fault(error, &desc.span)))?;
        if Bin::from_element(&bin).is_some() {
            self.fill(&bin, Some(index), &desc.span)?;
        } else {
            // GStreamer makes the element and nothing comes of the rest; write `( … )` or `bin.( … )`.
            let why = format!("a {} is no bin; what stands in it is left out", desc.factory);
            self.warn(&name, &why);
        }
        self.set_all(&bin, &desc.props)?;
        self.bins[index] = Some(bin);
        Ok(())
    }

    fn set_all(&self, element: &ElementRef, props: &[PropDesc]) -> Result<(), LaunchError> {
        for prop in props {
            match element.set(&prop.name.replace('_', "-"), &prop.value) {
                Ok(()) => {}
                // GStreamer ignores these without a word; here it is said, and the line is still built.
                Err(
                    error @ (PropertyError::OutOfRange { .. } | PropertyError::ReadOnly { .. }),
                ) => self.warn(element.name(), &error.to_string()),
                Err(error @ PropertyError::Unknown { .. }) => {
                    return Err(LaunchError::NoSuchProperty(self.fault(error, &prop.span)));
                }
                Err(error) => {
                    return Err(LaunchError::CouldNotSetProperty(self.fault(error, &prop.span)));
                }
            }
        }
        Ok(())
    }

    fn made(&self, node: Node) -> Option<&ElementRef> {
        match node {
            Node::Element(index) => self.elements[index].as_ref(),
            Node::Bin(index) => self.bins[index].as_ref(),
        }
    }

    /// Puts what stands in a bin into it.
    fn fill(&self, bin: &ElementRef, index: Option<usize>, span: &Span) -> Result<(), LaunchError> {
        let Some(bin) = Bin::from_element(bin) else {
            return Err(LaunchError::Other(self.fault("a bin was expected", span)));
        };
        for child in self.graph.children(index) {
            // A second one of the same name stays outside, and cannot be linked to those inside.
            if let Some(child) = self.made(child)
                && let Err(error) = bin.add(child)
            {
                self.warn(child.name(), &format!("{error}; it is left out"));
            }
        }
        Ok(())
    }

    /// The only thing at the top, or a pipeline around all.
    fn gather(&mut self) -> Result<ElementRef, LaunchError> {
        if let [only] = self.graph.children(None)[..]
            && let Some(only) = self.made(only)
        {
            return Ok(only.clone());
        }
        let pipeline = Bin::pipeline(&self.names.element("pipeline"));
        self.fill(pipeline.element(), None, &(0..self.text.len()))?;
        Ok(pipeline.element().clone())
    }

    fn resolve(&self, top: &ElementRef, end: &EndPoint) -> Result<ElementRef, LaunchError> {
        let name = match &end.target {
            Target::Element(index) => {
                return self.elements[*index].clone().ok_or_else(|| {
                    LaunchError::Other(self.fault("the element was not made", &end.span))
                });
            }
            Target::Name(name) => name,
        };
        let found = match Bin::from_element(top) {
            Some(bin) => below(&bin, name),
            None => (top.name() == name).then(|| top.clone()),
        };
        found.ok_or_else(|| {
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

    fn link(&mut self, top: &ElementRef, link: &LinkDesc) -> Result<(), LaunchError> {
        let caps = self.caps(link)?;
        let from = self.resolve(top, &link.from)?;
        let to = self.resolve(top, &link.to)?;
        let refused = |why: String| {
            let why = format!("could not link {} to {}: {why}", from.name(), to.name());
            LaunchError::Link(Fault::new(why, self.text, link.span.clone()))
        };
        let (srcs, sinks) = (&link.from.pads, &link.to.pads);
        // Names on one side only: the first one counts.
        let pairs = match (srcs.len(), sinks.len()) {
            (0, _) | (_, 0) => 1,
            (srcs, sinks) if srcs == sinks => srcs,
            (srcs, sinks) => {
                return Err(refused(format!("{srcs} pads are named before it and {sinks} after")));
            }
        };
        for i in 0..pairs {
            let ours = Side { element: &from, pad: srcs.get(i).map(String::as_str) };
            let theirs = Side { element: &to, pad: sinks.get(i).map(String::as_str) };
            let mut linker = Linker { root: top, names: &mut self.names };
            let linked = linker.link(ours, theirs, caps.as_ref());
            let goes_on = link.all_pads && (srcs.is_empty() || sinks.is_empty());
            if goes_on {
                let mut last = linked.as_ref().ok().copied();
                while last == Some(Linked::Once) {
                    last = linker.link(ours, theirs, caps.as_ref()).ok();
                }
            } else if linked.is_ok() {
                continue;
            }
            let is_delayed = delayed::link(top, ours, theirs, caps.as_ref(), link.all_pads);
            if !is_delayed && !goes_on {
                linked.map_err(refused)?;
            }
        }
        Ok(())
    }
}

/// The element of that name: the newest first, a bin before what is in it.
fn below(bin: &Bin, name: &str) -> Option<ElementRef> {
    bin.children().into_iter().rev().find_map(|child| {
        if child.name() == name {
            return Some(child);
        }
        Bin::from_element(&child).and_then(|bin| below(&bin, name))
    })
}
