//! Why a pipeline stands still: which task waits where for what, and who could end that wait.
//!
//! ```text
//!   fakesrc0:src waits in fakesink0 for PLAYING, with an object held in preroll
//!       ended by PLAYING, once fakesink1 has its first buffer, which fakesrc0:src brings
//! ```
//!
//! Invariant: it only looks. Any thread may ask, also while every task of the pipeline is blocked.
//! In GStreamer: none; a debugger and the dot files of `GST_DEBUG_DUMP_DOT_DIR` are what there is.
//! Left out: waits outside [`runtime`], which nobody sees.

mod graph;

use crate::base::multi::PAD_RESTS;
use crate::base::pull::PULLER_RESTS;
use crate::base::sink::preroll::HELD;
use crate::base::source::SOURCE_RESTS;
use crate::element::Direction;
use crate::handle::ElementRef;
use crate::host::context::OF_AN_ELEMENT;
use crate::pad::{Pad, PadCore};
use crate::pipeline::{Bin, Pipeline};
use crate::plugin::abi::GM_PROP_WRITABLE;
use crate::registry::factory::{Presence, RoleKind};
use crate::runtime::{self, Deadlock, TaskWait};
use crate::state::StateReturn;
use crate::time::ClockTime;
use crate::tracer::audit::{Link, Topology};
use std::collections::BTreeSet;
use std::sync::Arc;

pub use graph::deadlock;

/// Says of each sink that keeps a pipeline from being prerolled what it waits for, and who upstream stopped;
/// `None` if there is none. On threads call [`note_waits`](runtime::note_waits) before the pipeline is started,
/// or it is not known where the tasks are.
pub fn preroll(pipeline: &Bin) -> Option<String> {
    let parts = Parts::of(pipeline);
    let waits = runtime::waits();
    let lines: Vec<String> =
        parts.unprerolled().iter().map(|sink| parts.why_empty(sink, &waits)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// What an [`Audit`](crate::tracer::audit::Audit) must know of a pipeline.
pub fn topology(pipeline: &Bin) -> Topology {
    let parts = Parts::of(pipeline);
    let mut topology = Topology::default();
    for element in &parts.elements {
        let factory = element.factory();
        let ways = |direction| {
            let templates = factory.pads.iter().filter(|pad| pad.direction == direction);
            let mut caps = templates.map(|pad| pad.caps.is_any()).peekable();
            caps.peek().is_some() && caps.all(|any| any)
        };
        // A selector lets through what the application chooses.
        let selects = (element.properties().iter())
            .any(|prop| prop.name == "active-pad" && prop.has(GM_PROP_WRITABLE));
        // Whoever takes and gives anything cannot make anything else of it.
        if ways(Direction::Sink) && ways(Direction::Src) && !selects {
            topology.passing.push(element.name().to_owned());
        }
        for pad in pads(element, Direction::Src) {
            if let Some(peer) = pad.linked_peer() {
                topology.links.push(Link {
                    from: element.name().to_owned(),
                    to: peer.owner().to_owned(),
                    pad: peer.name().to_owned(),
                });
            }
        }
    }
    topology
}

fn pads(element: &ElementRef, direction: Direction) -> Vec<Arc<PadCore>> {
    let mut pads = element.pads();
    pads.retain(|pad| pad.direction() == direction);
    pads
}

/// The elements of a pipeline that are no bins, in the order they were added.
struct Parts {
    elements: Vec<ElementRef>,
}

impl Parts {
    fn of(pipeline: &Bin) -> Parts {
        fn gather(bin: &Bin, elements: &mut Vec<ElementRef>) {
            for child in bin.children() {
                match Bin::from_element(&child) {
                    Some(inner) => gather(&inner, elements),
                    None => elements.push(child),
                }
            }
        }
        let mut elements = Vec::new();
        gather(pipeline, &mut elements);
        Parts { elements }
    }

    fn named(&self, name: &str) -> Option<&ElementRef> {
        self.elements.iter().find(|element| element.name() == name)
    }

    /// Sinks whose change to PAUSED has not ended: they have no buffer yet.
    fn unprerolled(&self) -> Vec<&ElementRef> {
        let is_waiting =
            |sink: &&ElementRef| sink.state(Some(ClockTime::ZERO)).0 == StateReturn::Async;
        self.elements.iter().filter(|element| element.is_sink()).filter(is_waiting).collect()
    }

    /// The tasks that push into this element, and the elements the data passes on the way, from this one up.
    fn feeders(&self, element: &ElementRef) -> (BTreeSet<String>, Vec<String>) {
        let (mut tasks, mut passed) = (BTreeSet::new(), vec![element.name().to_owned()]);
        let mut next = pads(element, Direction::Sink);
        while let Some(pad) = next.pop() {
            let Some(src) = pad.linked_peer() else { continue };
            let Some(owner) = self.named(src.owner()) else { continue };
            if passed.iter().any(|name| name == owner.name()) {
                continue;
            }
            passed.push(owner.name().to_owned());
            if has_task(owner, &src) {
                tasks.insert(task_name(owner, &src));
            } else {
                next.extend(pads(owner, Direction::Sink));
            }
        }
        (tasks, passed)
    }

    /// The tasks the host runs for an element's own source pads.
    fn own_tasks(&self, element: &ElementRef) -> BTreeSet<String> {
        let pads = pads(element, Direction::Src);
        let with_task = pads.iter().filter(|pad| has_task(element, pad));
        with_task.map(|pad| task_name(element, pad)).collect()
    }

    fn why_empty(&self, sink: &ElementRef, waits: &[TaskWait]) -> String {
        let name = sink.name();
        let head = format!("{name} waits for its first buffer");
        if let Some(pad) =
            pads(sink, Direction::Sink).iter().find(|pad| pad.linked_peer().is_none())
        {
            return format!("{head}, but {} is not linked.", pad.path());
        }
        let (tasks, passed) = self.feeders(sink);
        if tasks.is_empty() {
            return format!("{head}, but no source feeds it.");
        }
        let mut text = format!("{head}, which {} brings.", names(&tasks));
        for task in &tasks {
            match waits.iter().find(|wait| wait.task == *task) {
                Some(wait) => {
                    text.push_str(&format!(" {}.{}", self.wait(wait), self.level(&wait.place)));
                    let between = &passed[1..passed.len() - 1];
                    if rests(wait) && !between.is_empty() {
                        text.push_str(&format!(" What it sent stayed in {}.", between.join(", ")));
                    }
                }
                None => text.push_str(&format!(" {task} does not wait: it works, or has ended.")),
            }
            if let Some(advice) = self.queue_advice(&passed, task, waits) {
                text.push_str(&format!(" {advice}"));
            }
        }
        for name in &passed {
            if let Some(why) = self.named(name).and_then(|element| element.inner().core.last_drop())
            {
                text.push_str(&format!(" {name} dropped what came: {why}."));
            }
        }
        text
    }

    /// A tee without queues: the task that should feed one sink is held in another.
    fn queue_advice(&self, passed: &[String], task: &str, waits: &[TaskWait]) -> Option<String> {
        let held = waits.iter().find(|wait| wait.task == task && wait.why == HELD)?;
        let (_, other) = self.feeders(self.named(&held.place)?);
        let fork = passed.iter().find(|name| other.contains(name))?;
        Some(format!(
            "{fork} sends to its branches one after the other, all in {task}: give each branch a queue of its own."
        ))
    }

    /// A wait in words.
    fn wait(&self, wait: &TaskWait) -> String {
        let (task, place) = (&wait.task, &wait.place);
        if rests(wait) {
            return format!("{task} rests: its stream has ended, or was refused");
        }
        if !wait.why.ends_with(OF_AN_ELEMENT) {
            return wait.to_string();
        }
        let own = self.named(place).is_some_and(|element| self.own_tasks(element).contains(task));
        let why = if own { "something to send" } else { "what it pushes to be taken" };
        let until = wait.deadline.map_or(String::new(), |deadline| format!(", until {deadline}"));
        format!("{task} waits in {place} for {why}{until}")
    }

    /// How full an element is, if it says so: ` queue0 holds 5 of at most 5 buffers.`
    fn level(&self, name: &str) -> String {
        let parts: Vec<String> = self.full(name).into_iter().map(|(_, text)| text).collect();
        if parts.is_empty() {
            return String::new();
        }
        format!(" {name} holds {}.", parts.join(" and "))
    }

    /// The limits an element has reached: `buffers`, and `5 of at most 5 buffers`.
    fn full(&self, name: &str) -> Vec<(&'static str, String)> {
        let Some(element) = self.named(name) else { return Vec::new() };
        let reached = |(unit, what): (&'static str, &str)| {
            let most: u64 = element.get_as(&format!("max-size-{unit}"))?;
            let now: u64 = element.get_as(&format!("current-level-{unit}"))?;
            (most > 0 && now >= most).then(|| (unit, format!("{now} of at most {most} {what}")))
        };
        let units = [("buffers", "buffers"), ("bytes", "bytes"), ("time", "ns")];
        units.into_iter().filter_map(reached).collect()
    }
}

/// Whether the task has nothing to do until it is started again.
fn rests(wait: &TaskWait) -> bool {
    [SOURCE_RESTS, PAD_RESTS, PULLER_RESTS].contains(&wait.why.as_str())
}

fn has_task(element: &ElementRef, pad: &PadCore) -> bool {
    let factory = element.factory();
    if factory.role == RoleKind::Source {
        return true;
    }
    let is_it = |name: &str, presence| name == pad.name() || presence != Presence::Always;
    factory.pads.iter().any(|template| {
        template.task
            && template.direction == Direction::Src
            && is_it(&template.name, template.presence)
    })
}

fn task_name(element: &ElementRef, pad: &PadCore) -> String {
    format!("{}:{}", element.name(), pad.name())
}

fn names(tasks: &BTreeSet<String>) -> String {
    tasks.iter().map(String::as_str).collect::<Vec<_>>().join(" or ")
}
