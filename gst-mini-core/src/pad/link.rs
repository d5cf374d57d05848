//! Linking two pads, and the checks that come first.
//!
//! Invariant: both ends agree about the link; the streaming thread adopts a change at its next push.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_link_full`, `gst_pad_unlink`).
//! Left out: links between pads of different bins without ghost pads are not refused here.

use super::{Link, PadCore, Peer, attention};
use crate::caps::Caps;
use crate::element::Direction;
use crate::event::{Event, EventKind};
use crate::pad::Pad;
use std::sync::Arc;

/// Why two pads could not be linked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// One of them has a peer already.
    #[error("{0} is linked already, to {1}")]
    WasLinked(String, String),
    /// Two sources or two sinks.
    #[error("{0} and {1} are both {2} pads")]
    WrongDirection(String, String, &'static str),
    /// Only pads of bins can stand for others.
    #[error("{0} is no ghost pad, so it cannot stand for another pad")]
    NoGhost(String),
    /// A ghost pad has the direction of its target.
    #[error("{0} is a {2} pad and cannot stand for {1}, which is none")]
    GhostDirection(String, String, &'static str),
    /// Ghosts in a circle.
    #[error("{0} cannot stand for {1}, which is or stands for {0} itself")]
    GhostOfItself(String, String),
    /// The formats have nothing in common.
    #[error(
        "{src} and {sink} have no format in common: {difference}\n  {src}: {src_caps}\n  {sink}: {sink_caps}"
    )]
    NoFormat {
        /// Path of the source pad.
        src: String,
        /// Path of the sink pad.
        sink: String,
        /// What the source pad could have.
        src_caps: String,
        /// What the sink pad could take.
        sink_caps: String,
        /// The first thing that differs.
        difference: String,
    },
}

impl LinkError {
    /// GStreamer's name for it.
    pub const fn name(&self) -> &'static str {
        match self {
            LinkError::WasLinked(..) => "was-linked",
            LinkError::WrongDirection(..) => "wrong-direction",
            LinkError::NoFormat { .. } => "noformat",
            LinkError::NoGhost(_)
            | LinkError::GhostDirection(..)
            | LinkError::GhostOfItself(..) => "refused",
        }
    }
}

impl PadCore {
    /// Links source pad `self` to `sink`.
    pub fn link(self: &Arc<Self>, sink: &Arc<PadCore>) -> Result<(), LinkError> {
        for (pad, wanted) in [(self, Direction::Src), (sink, Direction::Sink)] {
            if pad.direction != wanted {
                let kind = pad.direction.name();
                return Err(LinkError::WrongDirection(self.path(), sink.path(), kind));
            }
        }
        // Said rather than what else is wrong; a link that comes meanwhile is seen below.
        for pad in [self, sink] {
            if let Some(other) = pad.peer.lock().upgrade() {
                return Err(LinkError::WasLinked(pad.path(), other.path()));
            }
        }
        self.check_formats(sink)?;
        {
            // Source before sink, here and in `unlink`.
            let mut our_peer = self.peer.lock();
            let mut their_peer = sink.peer.lock();
            for (pad, peer) in [(self, &*our_peer), (sink, &*their_peer)] {
                if let Some(other) = peer.upgrade() {
                    return Err(LinkError::WasLinked(pad.path(), other.path()));
                }
            }
            *our_peer = Peer::Sink(sink.clone());
            *their_peer = Peer::Src(Arc::downgrade(self));
        }
        if let Some(feeding) = self.real() {
            feeding.adopt_link();
        }
        Ok(())
    }

    /// The way from this real source pad has changed: the streaming thread looks it up anew, and tells
    /// whoever is there now what it has not seen of the stream.
    pub(super) fn adopt_link(&self) {
        self.raise(attention::RELINK | attention::RECONFIGURE);
        let peer = self.linked_peer();
        let theirs = peer.map(|peer| {
            peer.clear(attention::MOVED);
            peer.sticky_events()
        });
        self.schedule_sticky(theirs.as_deref());
        if self.is_active() && theirs.is_some() {
            // Whoever decides the format upstream has somebody else to ask now.
            let _ = self.receive_event(Event::new(EventKind::Reconfigure));
        }
    }

    /// Unlinks source pad `self` from its peer; `false` if it had none. Does not wait for a buffer
    /// that is under way.
    pub fn unlink(&self) -> bool {
        let mut our_peer = self.peer.lock();
        let Peer::Sink(sink) = &*our_peer else { return false };
        *sink.peer.lock() = Peer::None;
        *our_peer = Peer::None;
        drop(our_peer);
        match &self.ghost {
            None => self.raise(attention::RELINK),
            Some(_) => {
                if let Some(feeding) = self.ghost_target().and_then(|target| target.real()) {
                    feeding.raise(attention::RELINK);
                }
            }
        }
        true
    }

    /// Whether there is a peer; the ghost pad of a target is one.
    pub fn is_linked(&self) -> bool {
        self.nominal_peer().is_some()
    }

    pub(super) fn nominal_peer(&self) -> Option<Arc<PadCore>> {
        self.peer.lock().upgrade()
    }

    /// What the streaming thread pushes through, made from `peer`.
    pub(super) fn fresh_link(&self) -> Option<Link> {
        let peer = self.linked_peer()?;
        let handler = peer.handler()?;
        Some(Link { peer, handler, route: None, since: 0, counted_at: 0 })
    }

    /// What this pad could have, as its owner says.
    pub(crate) fn possible_caps(&self) -> Caps {
        let mut query = crate::query::Query::caps(None);
        match (self.answer(&mut query), query) {
            (true, crate::query::Query::Caps { result: Some(caps), .. }) => caps,
            _ => self.template_caps.clone(),
        }
    }
}

impl Peer {
    pub(super) fn upgrade(&self) -> Option<Arc<PadCore>> {
        match self {
            Peer::None => None,
            Peer::Sink(pad) => Some(pad.clone()),
            Peer::Src(pad) | Peer::Ghost(pad) => pad.upgrade(),
        }
    }
}
