//! What a pad remembers of its stream: the sticky events, in their order.
//!
//! Invariant: an event is replayed to a peer once, after every sticky event that stands before it.
//! In GStreamer: `gst/gstpad.c` (`store_sticky_event`, `schedule_events`, `remove_event_by_type`).
//! Left out: nothing.

use crate::caps::Caps;
use crate::event::{Event, EventKind};
use crate::segment::Segment;

/// The sticky events of one pad.
#[derive(Default)]
pub(super) struct Store {
    events: Vec<Stored>,
    /// Another one for each peer that the events were scheduled for.
    pub links: u32,
}

struct Stored {
    event: Event,
    /// Whether the present peer took it. Source pads only.
    received: bool,
}

impl Store {
    /// Remembers a sticky event in the place of the one it replaces; whether anything changed. Several
    /// tags (and several custom events) stand beside each other when their structures have different
    /// names.
    pub fn store(&mut self, event: Event) -> bool {
        let Some(order) = event.sticky_order() else { return false };
        let same = |stored: &Stored| match (&stored.event.kind, &event.kind) {
            (EventKind::Custom(_, old), EventKind::Custom(_, new))
            | (EventKind::Tag(old), EventKind::Tag(new)) => old.name() == new.name(),
            _ => stored.event.sticky_order() == Some(order),
        };
        if let Some(at) = self.events.iter().position(same) {
            if self.events[at].event == event {
                return false;
            }
            self.events[at] = Stored { event, received: false };
            return true;
        }
        // Nothing stands behind the end of the stream.
        let stands_after = |stored: &Stored| {
            stored.event.sticky_order() > Some(order) || matches!(stored.event.kind, EventKind::Eos)
        };
        let at = self.events.iter().position(stands_after).unwrap_or(self.events.len());
        if self.events.len() == self.events.capacity() {
            // Most streams have three, on each of many pads.
            self.events.reserve_exact(if self.events.is_empty() { 3 } else { 2 });
        }
        self.events.insert(at, Stored { event, received: false });
        true
    }

    /// A new stream begins: the end of the old one and its tags are no longer true.
    pub fn begin_stream(&mut self) {
        self.events
            .retain(|stored| !matches!(stored.event.kind, EventKind::Eos | EventKind::Tag(_)));
    }

    /// The first event from place `after` on that the peer has not taken, with its place.
    pub fn next_unreceived(&self, after: usize) -> Option<(usize, Event)> {
        self.events
            .iter()
            .enumerate()
            .skip(after)
            .find(|(_, stored)| !stored.received)
            .map(|(at, stored)| (at, stored.event.clone()))
    }

    /// The end of the stream, if there is one that the peer has not taken.
    pub fn unreceived_end(&self) -> Option<Event> {
        let is_end =
            |stored: &&Stored| !stored.received && matches!(stored.event.kind, EventKind::Eos);
        self.events.iter().find(is_end).map(|stored| stored.event.clone())
    }

    /// The peer took this event, if both are still there: `links` is as it was before it was sent.
    pub fn mark_received(&mut self, event: &Event, links: u32) {
        if links != self.links {
            return;
        }
        if let Some(stored) = self.events.iter_mut().find(|stored| stored.event == *event) {
            stored.received = true;
        }
    }

    /// A peer that has these events (`None`: one that has seen nothing) needs the others; whether there
    /// are any.
    pub fn schedule(&mut self, theirs: Option<&[Event]>) -> bool {
        self.links = self.links.wrapping_add(1);
        let mut pending = false;
        for stored in &mut self.events {
            if !theirs.is_some_and(|theirs| theirs.contains(&stored.event)) {
                stored.received = false;
                pending = true;
            }
        }
        pending
    }

    /// After a flush: the segment and the end are no longer true, the rest is.
    pub fn flush(&mut self) {
        self.events
            .retain(|stored| !matches!(stored.event.kind, EventKind::Segment(_) | EventKind::Eos));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.events.clear();
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.iter().map(|stored| stored.event.clone()).collect()
    }

    pub fn event(&self, at: usize) -> Option<Event> {
        self.events.get(at).map(|stored| stored.event.clone())
    }

    pub fn caps(&self) -> Option<Caps> {
        self.events.iter().find_map(|stored| match &stored.event.kind {
            EventKind::Caps(caps) => Some(caps.clone()),
            _ => None,
        })
    }

    pub fn segment(&self) -> Option<Segment> {
        self.events.iter().find_map(|stored| match &stored.event.kind {
            EventKind::Segment(segment) => Some(*segment),
            _ => None,
        })
    }
}
