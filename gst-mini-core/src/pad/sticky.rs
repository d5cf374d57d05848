//! What a pad remembers of its stream: the sticky events, in their order.
//!
//! Invariant: an event is replayed to a peer once, after every sticky event that stands before it.
//! In GStreamer: `gst/gstpad.c` (`store_sticky_event`, `push_sticky`, `events_foreach`).
//! Left out: pad offsets applied to segments.

use crate::caps::Caps;
use crate::event::{Event, EventKind};
use crate::segment::Segment;

/// The sticky events of one pad.
#[derive(Default)]
pub(super) struct Store {
    events: Vec<Stored>,
}

struct Stored {
    event: Event,
    /// Whether the present peer took it. Source pads only.
    received: bool,
}

impl Store {
    /// Remembers a sticky event in the place of the one it replaces. Several tags (and several
    /// custom events) stand beside each other when their structures have different names.
    pub fn store(&mut self, event: Event, received: bool) {
        let Some(order) = event.sticky_order() else { return };
        if matches!(event.kind, EventKind::StreamStart { .. }) {
            // A new stream begins: the end of the old one, and its tags, are no longer true.
            self.events.retain(|stored| !matches!(stored.event.kind, EventKind::Eos));
        }
        let same = |stored: &Stored| match (&stored.event.kind, &event.kind) {
            (EventKind::Custom(_, old), EventKind::Custom(_, new)) => old.name() == new.name(),
            _ => stored.event.sticky_order() == Some(order),
        };
        match self.events.iter().position(same) {
            Some(at) => {
                let unchanged = self.events[at].event == event && self.events[at].received;
                self.events[at] = Stored { event, received: received || unchanged };
            }
            None => {
                let at = self
                    .events
                    .iter()
                    .position(|stored| stored.event.sticky_order() > Some(order))
                    .unwrap_or(self.events.len());
                self.events.insert(at, Stored { event, received });
            }
        }
    }

    /// The first event the peer has not taken, with its place.
    pub fn next_unreceived(&self) -> Option<(usize, Event)> {
        self.events
            .iter()
            .enumerate()
            .find(|(_, stored)| !stored.received)
            .map(|(at, stored)| (at, stored.event.clone()))
    }

    /// The peer took the event at that place, if it is still this one.
    pub fn mark_received(&mut self, at: usize, event: &Event) {
        if let Some(stored) = self.events.get_mut(at).filter(|stored| stored.event == *event) {
            stored.received = true;
        }
    }

    /// A new peer has seen nothing.
    pub fn forget_received(&mut self) {
        for stored in &mut self.events {
            stored.received = false;
        }
    }

    /// Whether anything is there to be replayed.
    pub fn has_unreceived(&self) -> bool {
        self.events.iter().any(|stored| !stored.received)
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
