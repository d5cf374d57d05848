//! Which pads two elements are linked by, when a line names both, one, or none.
//!
//! Free pads that exist are tried first, the source's before the sink's; then pads are asked for. A pad
//! that was asked for in vain is given back.
//!
//! Invariant: after a link that failed there are the pads that were there before.
//! In GStreamer: `gst/gstutils.c` (`gst_element_link_pads_full`, `gst_element_get_compatible_pad`).
//! Left out: nothing.

use super::meant;
use crate::caps::Caps;
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind};
use crate::handle::{ElementRef, HandleError};
use crate::message::{Message, MessageKind};
use crate::pad::{LinkError, Pad, PadCore};
use crate::pipeline::{Bin, Pipeline};
use crate::registry::factory::Presence;
use crate::registry::registry;
use crate::time::ClockTime;
use std::collections::HashMap;
use std::sync::Arc;

/// Where automatic names come from.
pub(super) enum Names {
    /// While a line is built every count begins at 0.
    Line(HashMap<String, u32>),
    /// Later, when a pad has appeared: the counts of the process.
    Process,
}

impl Names {
    fn number(&mut self, stem: &str) -> Option<u32> {
        let Names::Line(counts) = self else { return None };
        let count = counts.entry(stem.to_owned()).or_default();
        *count += 1;
        Some(*count - 1)
    }

    /// The next name of an element of that factory.
    pub fn element(&mut self, factory: &str) -> String {
        let stem = factory.replace('-', "");
        match self.number(&stem) {
            Some(number) => format!("{stem}{number}"),
            None => registry().number(factory),
        }
    }

    fn ghost(&mut self) -> String {
        match self.number("ghost") {
            Some(number) => format!("ghost{number}"),
            None => crate::bin::ghosts::next_name(),
        }
    }
}

/// One side of a link as it is written: an element, and perhaps a pad of it.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub element: &'a ElementRef,
    pub pad: Option<&'a str>,
}

/// How a link was made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Linked {
    /// One of the pads was there.
    Once,
    /// Both were asked for; that could go on without an end.
    Endless,
}

/// A pad, and whether it was made for this link.
struct Found {
    pad: Arc<PadCore>,
    is_new: bool,
}

/// What the link stands in.
pub(super) struct Linker<'a> {
    /// All elements of the line are below it.
    pub root: &'a ElementRef,
    pub names: &'a mut Names,
}

impl Linker<'_> {
    /// Links the two sides, through a capsfilter if there are caps.
    pub fn link(
        &mut self,
        from: Side<'_>,
        to: Side<'_>,
        caps: Option<&Caps>,
    ) -> Result<Linked, String> {
        match caps {
            Some(caps) => self.link_filtered(from, to, caps),
            None => self.link_pads(from, to),
        }
    }

    fn link_filtered(
        &mut self,
        from: Side<'_>,
        to: Side<'_>,
        caps: &Caps,
    ) -> Result<Linked, String> {
        let parent = self
            .parent(from.element)
            .ok_or_else(|| format!("{} is in no bin", from.element.name()))?;
        let name = loop {
            let name = self.names.element("capsfilter");
            // The counts of a line and of the process know nothing of each other.
            let is_taken = parent.children().iter().any(|child| child.name() == name);
            if !is_taken || matches!(self.names, Names::Line(_)) {
                break name;
            }
        };
        let filter =
            registry().make("capsfilter", Some(&name)).map_err(|error| error.to_string())?;
        filter.set("caps", caps).map_err(|error| error.to_string())?;
        parent.add(&filter).map_err(|error| error.to_string())?;
        let (_, current, pending) = parent.state(Some(ClockTime::ZERO));
        filter.set_state(pending.unwrap_or(current));
        let sink = Side { element: &filter, pad: Some("sink") };
        let src = Side { element: &filter, pad: Some("src") };
        let neighbors = [beside(from.element, Direction::Src), beside(to.element, Direction::Sink)];
        let linked = self.link_pads(from, sink).and_then(|_| self.link_pads(src, to));
        if linked.is_ok()
            && let Some(text) = meant::strange_field(caps, &neighbors)
            && let Some(bin) = Bin::from_element(self.root)
        {
            let warning = ElementError::new(ErrorKind::Negotiation, text);
            bin.bus().post(Message::new(&name, MessageKind::Warning(warning)));
        }
        let linked = linked.map_err(|why| with_hint(&why, &meant::instead(caps, &neighbors)));
        if linked.is_err() {
            let pads: Vec<_> = filter.pads();
            let pads: Vec<_> = pads.iter().filter_map(|pad| Some((pad, pad.peer()?))).collect();
            for (pad, _) in pads {
                pad.detach();
            }
            filter.set_state(crate::state::State::Null);
            let _ = parent.remove(&filter);
        }
        linked
    }

    /// The bin an element is in.
    fn parent(&self, element: &ElementRef) -> Option<Bin> {
        let way = self.root.behavior().as_bin()?.way_to(element)?;
        Bin::from_element(way.last().unwrap_or(self.root))
    }

    fn link_pads(&mut self, from: Side<'_>, to: Side<'_>) -> Result<Linked, String> {
        let named_src = from.pad.map(|name| self.named(from.element, name, Direction::Src));
        let named_src = named_src.transpose()?;
        let named_sink = to.pad.map(|name| self.named(to.element, name, Direction::Sink));
        let named_sink = match named_sink.transpose() {
            Ok(found) => found,
            Err(why) => {
                give_back(from.element, named_src.as_ref());
                return Err(why);
            }
        };
        let mut why = None;
        if let (Some(src), Some(sink)) = (&named_src, &named_sink) {
            let linked = self.join(from.element, &src.pad, to.element, &sink.pad);
            return linked.map(|()| Linked::Once).inspect_err(|_| {
                give_back(from.element, named_src.as_ref());
                give_back(to.element, named_sink.as_ref());
            });
        }
        if self.try_each_src(from, to, named_src.as_ref(), named_sink.as_ref(), &mut why) {
            return Ok(Linked::Once);
        }
        give_back(from.element, named_src.as_ref());
        if named_src.is_none() {
            if self.try_each_sink(from, to, named_sink.as_ref(), &mut why) {
                return Ok(Linked::Once);
            }
            if named_sink.is_some() {
                give_back(to.element, named_sink.as_ref());
                return Err(why.unwrap_or_else(|| no_free(from.element, Direction::Src)));
            }
        }
        if self.ask_both(from.element, to.element, &mut why) {
            return Ok(Linked::Endless);
        }
        Err(why.unwrap_or_else(|| {
            let lacks = |element: &ElementRef, direction| {
                !element.pads().iter().any(|p| p.direction() == direction && !p.is_linked())
            };
            if lacks(from.element, Direction::Src) {
                no_free(from.element, Direction::Src)
            } else {
                no_free(to.element, Direction::Sink)
            }
        }))
    }

    /// A free pad of that name, which is asked for if it does not exist.
    fn named(
        &mut self,
        element: &ElementRef,
        name: &str,
        direction: Direction,
    ) -> Result<Found, String> {
        let found = match element.static_pad(name) {
            Some(pad) => Found { pad, is_new: false },
            None => Found {
                pad: self.ask(element, name).map_err(|error| error.to_string())?,
                is_new: true,
            },
        };
        if found.pad.direction() != direction {
            give_back(element, Some(&found));
            return Err(format!("{} is no {} pad", found.pad.path(), direction.name()));
        }
        match found.pad.peer() {
            Some(other) => Err(LinkError::WasLinked(found.pad.path(), other.path()).to_string()),
            None => Ok(found),
        }
    }

    fn ask(&mut self, element: &ElementRef, name: &str) -> Result<Arc<PadCore>, HandleError> {
        let names = &mut *self.names;
        element.request_pad_numbered(name, &mut |pattern| names.number(pattern))
    }

    /// Every free source pad (or the one that is named) with whatever fits on the other side.
    fn try_each_src(
        &mut self,
        from: Side<'_>,
        to: Side<'_>,
        src: Option<&Found>,
        sink: Option<&Found>,
        why: &mut Option<String>,
    ) -> bool {
        let pads = src.map_or_else(|| from.element.pads(), |found| vec![found.pad.clone()]);
        for src in pads.iter().filter(|pad| is_free(pad, Direction::Src)) {
            let other = match sink {
                Some(sink) => Some(Found { pad: sink.pad.clone(), is_new: false }),
                None => self.fitting(to.element, src, why),
            };
            let Some(other) = other else { continue };
            match self.join(from.element, src, to.element, &other.pad) {
                Ok(()) => return true,
                Err(reason) => _ = why.get_or_insert(reason),
            }
            give_back(to.element, Some(&other));
        }
        false
    }

    /// Every free sink pad (or the one that is named) with whatever fits on the source's side.
    fn try_each_sink(
        &mut self,
        from: Side<'_>,
        to: Side<'_>,
        sink: Option<&Found>,
        why: &mut Option<String>,
    ) -> bool {
        let pads = sink.map_or_else(|| to.element.pads(), |found| vec![found.pad.clone()]);
        for sink in pads.iter().filter(|pad| is_free(pad, Direction::Sink)) {
            let Some(other) = self.fitting(from.element, sink, why) else { continue };
            match self.join(from.element, &other.pad, to.element, sink) {
                Ok(()) => return true,
                Err(reason) => _ = why.get_or_insert(reason),
            }
            give_back(from.element, Some(&other));
        }
        false
    }

    /// A new pad on either side.
    fn ask_both(&mut self, from: &ElementRef, to: &ElementRef, why: &mut Option<String>) -> bool {
        for (ours, caps) in requestable(from, Direction::Src) {
            for (theirs, other_caps) in requestable(to, Direction::Sink) {
                if !caps.is_always_compatible(&other_caps) {
                    continue;
                }
                let new = |pad| Found { pad, is_new: true };
                let src = self.ask(from, &ours).ok().map(new);
                let sink = self.ask(to, &theirs).ok().map(new);
                if let (Some(src), Some(sink)) = (&src, &sink) {
                    match self.join(from, &src.pad, to, &sink.pad) {
                        Ok(()) => return true,
                        Err(reason) => _ = why.get_or_insert(reason),
                    }
                }
                give_back(from, src.as_ref());
                give_back(to, sink.as_ref());
            }
        }
        false
    }

    /// A free pad of `element` that could be linked to `pad`: one that exists, or a new one.
    fn fitting(
        &mut self,
        element: &ElementRef,
        pad: &Arc<PadCore>,
        why: &mut Option<String>,
    ) -> Option<Found> {
        let direction = pad.direction().opposite();
        let caps = pad.possible_caps();
        let pads = element.pads();
        // An element is not linked to itself, except by two names.
        let is_own = pads.iter().any(|other| Arc::ptr_eq(other, pad));
        for other in pads.iter().filter(|other| !is_own && is_free(other, direction)) {
            let theirs = other.possible_caps();
            if caps.can_intersect(&theirs) {
                return Some(Found { pad: other.clone(), is_new: false });
            }
            let (src, sink) =
                if direction == Direction::Sink { (pad, other) } else { (other, pad) };
            why.get_or_insert_with(|| no_format(src, sink));
        }
        let templates = &element.factory().pads;
        let template = templates.iter().find(|template| {
            template.direction == direction && template.caps.can_intersect(&caps)
        })?;
        if template.presence != Presence::Request {
            return None;
        }
        let name = template.name.clone();
        Some(Found { pad: self.ask(element, &name).ok()?, is_new: true })
    }

    /// Links two pads, with ghost pads where walls of bins are between them.
    fn join(
        &mut self,
        from: &ElementRef,
        src: &Arc<PadCore>,
        to: &ElementRef,
        sink: &Arc<PadCore>,
    ) -> Result<(), String> {
        let told = |error: LinkError| match error {
            LinkError::NoFormat { .. } => no_format(src, sink),
            other => other.to_string(),
        };
        let root = self.root.behavior().as_bin();
        let is_below = |element| root.is_some_and(|root| root.way_to(element).is_some());
        match (root, is_below(from), is_below(to)) {
            (Some(root), true, true) => {
                let names = &mut *self.names;
                root.link_across((from, src), (to, sink), &mut || names.ghost()).map_err(|error| {
                    match error {
                        HandleError::Link(error) => told(error),
                        other => other.to_string(),
                    }
                })
            }
            // Neither is in a bin: both were refused because of their names.
            (_, false, false) if !from.is_same(to) => src.link(sink).map_err(told),
            _ => Err(format!("{} and {} are in no common bin", from.name(), to.name())),
        }
    }
}

/// What the pads of one direction could have, all together; of those not there yet, their templates.
fn beside(element: &ElementRef, direction: Direction) -> Caps {
    let pads = element.pads();
    let mut pads = pads.iter().filter(|pad| pad.direction() == direction).peekable();
    let mut all = Caps::empty();
    if pads.peek().is_none() {
        let templates = element.factory().pads.iter();
        templates.filter(|t| t.direction == direction).for_each(|t| all.append(&t.caps));
    }
    pads.for_each(|pad| all.append(&pad.possible_caps()));
    all
}

/// The hint stands behind the sentence, before what follows in lines of its own.
fn with_hint(why: &str, hint: &str) -> String {
    let (sentence, rest) = why.split_at(why.find('\n').unwrap_or(why.len()));
    format!("{sentence}{hint}{rest}")
}

fn is_free(pad: &Arc<PadCore>, direction: Direction) -> bool {
    pad.direction() == direction && !pad.is_linked()
}

fn requestable(element: &ElementRef, direction: Direction) -> Vec<(String, Caps)> {
    let templates = element.factory().pads.iter().filter(|template| {
        template.presence == Presence::Request && template.direction == direction
    });
    templates.map(|template| (template.name.clone(), template.caps.clone())).collect()
}

fn give_back(element: &ElementRef, found: Option<&Found>) {
    if let Some(found) = found.filter(|found| found.is_new) {
        element.release_pad(&found.pad);
    }
}

fn no_free(element: &ElementRef, direction: Direction) -> String {
    format!("element \"{}\" has no free {} pad", element.name(), direction.name())
}

fn no_format(src: &Arc<PadCore>, sink: &Arc<PadCore>) -> String {
    let (ours, theirs) = (src.possible_caps(), sink.possible_caps());
    let story =
        crate::base::negotiate::mismatch(&src.path(), &ours, "comes out", &sink.path(), &theirs);
    format!("{}\n{}", story.text, story.debug)
}
