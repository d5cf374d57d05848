//! An [`Audit`] looks at all that happens in a run and finds what may never happen: a buffer lost or doubled,
//! time that runs backwards, events out of order.
//!
//! Losses that are meant are told apart by who reports them: an element that throws a buffer away says so with
//! `Cx::dropped`, the sink's base for late ones, and what is refused downstream is nobody's loss.
//!
//! Invariant: a run that does what its elements promise is not accused; what cannot be judged is left alone.
//! In GStreamer: none; `tests/check` looks at single elements.
//! Left out: what elements with formats of their own make of buffers (encoders, converters, muxers).

use super::{Seen, What};
use crate::event::{Event, EventKind};
use crate::segment::Segment;
use crate::state::State;
use crate::time::{AbsoluteTime, ClockTime};
use std::collections::BTreeMap;
use std::fmt;

/// Who feeds whom, as far as the rules need it.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// Elements that pass on what they get: each buffer in is one out, or is reported as dropped.
    pub passing: Vec<String>,
    /// From an element to a sink pad of another.
    pub links: Vec<Link>,
}

/// One link of a [`Topology`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The element that pushes.
    pub from: String,
    /// The element that is pushed to.
    pub to: String,
    /// Its sink pad.
    pub pad: String,
}

/// Something that may never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// When it was noticed, on the runtime's clock.
    pub at: AbsoluteTime,
    /// What, and where.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", ClockTime::from_nanos(self.at.nanos()), self.text)
    }
}

/// The rules, and what they remember of a run.
#[derive(Debug, Default)]
pub struct Audit {
    topology: Topology,
    elements: BTreeMap<String, Element>,
    findings: Vec<Finding>,
}

#[derive(Debug, Default)]
struct Element {
    pads: BTreeMap<String, Pad>,
    dropped: u64,
}

#[derive(Debug, Default)]
struct Pad {
    started: bool,
    has_caps: bool,
    segment: bool,
    eos: bool,
    /// Buffers since the stream began here.
    arrived: u64,
    /// A buffer did not get through; counts behind it prove nothing.
    refused: bool,
    last: Option<u64>,
    /// Time has gone back here, by right or not.
    unordered: bool,
}

impl Audit {
    /// Rules for a run of these elements.
    pub fn new(topology: Topology) -> Audit {
        Audit { topology, ..Audit::default() }
    }

    /// What was found so far, the first one first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn accuse(&mut self, at: AbsoluteTime, text: String) {
        self.findings.push(Finding { at, text });
    }

    fn pad(&mut self, element: &str, pad: &str) -> &mut Pad {
        if !self.elements.contains_key(element) {
            self.elements.insert(element.to_owned(), Element::default());
        }
        let owner = self.elements.get_mut(element).expect("it is there, or was put there");
        if !owner.pads.contains_key(pad) {
            owner.pads.insert(pad.to_owned(), Pad::default());
        }
        owner.pads.get_mut(pad).expect("it is there, or was put there")
    }

    /// Takes note of something that happened.
    pub fn see(&mut self, seen: &Seen<'_>) {
        let (at, element, pad) = (seen.at, seen.element, seen.pad);
        match seen.what {
            What::Buffer { buf, segment } => {
                let place = buf.dts_or_pts();
                self.buffer(at, element, pad, place, segment);
            }
            What::Event(event) => self.event(at, element, pad, event),
            What::Refused(_) => self.pad(element, pad).refused = true,
            What::Drop { .. } => {
                self.elements.entry(element.to_owned()).or_default().dropped += 1;
            }
            What::State(State::Ready | State::Null) => {
                if let Some(owner) = self.elements.get_mut(element) {
                    owner.pads.clear();
                    owner.dropped = 0;
                }
            }
            What::State(_) | What::Wait { .. } | What::Wake { .. } | What::Message(_) => {}
        }
    }

    fn buffer(
        &mut self,
        at: AbsoluteTime,
        element: &str,
        name: &str,
        place: Option<ClockTime>,
        segment: Option<Segment>,
    ) {
        let pad = self.pad(element, name);
        pad.arrived += 1;
        let fault = match pad {
            Pad { started: false, .. } => Some("a buffer before stream-start"),
            Pad { segment: false, .. } => Some("a buffer before a segment"),
            Pad { eos: true, .. } => Some("a buffer after the end of the stream"),
            _ => None,
        };
        let forward = segment.filter(|segment| segment.rate > 0.0);
        let now = place.zip(forward).and_then(|(place, segment)| segment.to_running_time(place));
        let now = now.map(|now| now.nanos());
        let before = pad.last;
        pad.last = now.or(before);
        if let Some(fault) = fault {
            self.accuse(at, format!("{element}:{name} got {fault}"));
        }
        if let (Some(before), Some(now)) = (before, now)
            && now < before
        {
            let by_right = self.mixes(element, name);
            self.pad(element, name).unordered = true;
            if !by_right {
                let (now, before) = (ClockTime::from_nanos(now), ClockTime::from_nanos(before));
                self.accuse(
                    at,
                    format!("time runs backwards at {element}:{name}: a buffer of running time {now} after one of {before}"),
                );
            }
        }
    }

    /// Whether what feeds this pad has several inputs, or one that is out of order itself.
    fn mixes(&self, element: &str, pad: &str) -> bool {
        let links = &self.topology.links;
        let Some(feeder) = links.iter().find(|link| link.to == element && link.pad == pad) else {
            return true;
        };
        let inputs: Vec<&Link> = links.iter().filter(|link| link.to == feeder.from).collect();
        let unordered = |link: &&Link| {
            let pads = self.elements.get(&link.to).map(|owner| &owner.pads);
            pads.and_then(|pads| pads.get(&link.pad)).is_some_and(|pad| pad.unordered)
        };
        inputs.len() > 1 || inputs.iter().any(unordered)
    }

    fn event(&mut self, at: AbsoluteTime, element: &str, name: &str, event: &Event) {
        if !event.is_downstream() {
            return;
        }
        let pad = self.pad(element, name);
        let fault = match &event.kind {
            EventKind::FlushStart => {
                pad.refused = true;
                return;
            }
            EventKind::FlushStop { .. } => {
                (pad.segment, pad.eos, pad.last) = (false, false, None);
                return;
            }
            _ if !event.is_serialized() => return,
            EventKind::StreamStart { .. } => {
                (pad.started, pad.eos) = (true, false);
                None
            }
            _ if pad.eos => Some("after the end of the stream"),
            _ if event.is_sticky() && !pad.started => Some("before stream-start"),
            EventKind::Caps(_) if pad.segment && !pad.has_caps && pad.arrived == 0 => {
                Some("after the segment it belongs before")
            }
            _ => None,
        };
        match &event.kind {
            EventKind::Caps(_) => pad.has_caps = true,
            EventKind::Segment(_) => pad.segment = true,
            EventKind::Eos => pad.eos = true,
            _ => {}
        }
        if let Some(fault) = fault {
            self.accuse(at, format!("{element}:{name} got {} {fault}", event.name()));
        }
    }

    /// The run came to the end of its streams: who kept or multiplied buffers?
    pub fn ended(&mut self, at: AbsoluteTime) {
        let mut accusations = Vec::new();
        for name in &self.topology.passing {
            let Some(element) = self.elements.get(name) else { continue };
            let arrived: u64 = element.pads.values().map(|pad| pad.arrived).sum();
            let outs: Vec<_> =
                self.topology.links.iter().filter(|link| link.from == *name).collect();
            let mut counts = Vec::new();
            let mut is_proof = !outs.is_empty();
            for link in outs {
                let pads = self.elements.get(&link.to).map(|owner| &owner.pads);
                let pad = pads.and_then(|pads| pads.get(&link.pad));
                is_proof &= pad.is_some_and(|pad| pad.eos && !pad.refused);
                counts.push(pad.map_or(0, |pad| pad.arrived));
            }
            is_proof &= element.pads.values().all(|pad| !pad.refused);
            let expected = arrived.saturating_sub(element.dropped);
            let to_each = counts.iter().all(|count| *count == expected);
            let to_one = counts.iter().sum::<u64>() == expected;
            if !is_proof || to_each || to_one {
                continue;
            }
            let sent: Vec<String> = counts.iter().map(u64::to_string).collect();
            let verb =
                if counts.iter().any(|count| *count > expected) { "doubled" } else { "lost" };
            accusations.push(format!(
                "{name} {verb} buffers: {arrived} came in, {} were reported as dropped, {} went out",
                element.dropped,
                sent.join(" and ")
            ));
        }
        for text in accusations {
            self.accuse(at, text);
        }
    }
}

#[cfg(test)]
mod tests;
