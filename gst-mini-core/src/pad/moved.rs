//! Moving a link from one pad to another while a stream goes through it.
//!
//! ```text
//!   src ──▶ old        a thread that looked up `old` just before the move comes to a pad that is
//!     └───▶ new        marked as moved: it turns round there, and pushes again, to `new`
//! ```
//!
//! Invariant: what reaches a pad after its link was moved away is given back to the pusher untouched; so a
//! buffer reaches exactly one of the two.
//! In GStreamer: none; a push that has looked up its peer goes there whatever becomes of the link.
//! Left out: moving a link whose pads are already streaming elsewhere; who moves it holds the stream first.

use super::{LinkError, Pad, PadCore, Peer, attention};
use crate::buffer::{Buffer, BufferList};
use crate::element::Direction;
use crate::error::{FlowError, FlowResult};
use crate::event::Event;
use std::cell::RefCell;
use std::sync::Arc;

/// What came to a pad whose link was moved away.
pub(super) enum Turned {
    Buffer(Buffer),
    List(BufferList),
    Event(Event),
}

crate::runtime::prim::thread_local! {
    /// Between the pad that turned it round and the pusher, which is a return away.
    static TURNED: RefCell<Option<Turned>> = const { RefCell::new(None) };
}

/// Gives it back to the pusher, with a refusal that makes it look.
#[cold]
pub(super) fn turn_round(what: Turned) -> FlowResult {
    TURNED.with(|turned| *turned.borrow_mut() = Some(what));
    Err(FlowError::Flushing)
}

/// What the pad that refused it gave back.
#[cold]
pub(super) fn turned() -> Option<Turned> {
    TURNED.with(|turned| turned.borrow_mut().take())
}

impl PadCore {
    /// Whether the formats of a source pad and a sink pad have anything in common.
    ///
    /// # Errors
    /// [`LinkError::NoFormat`] with the first difference.
    pub(crate) fn check_formats(&self, sink: &PadCore) -> Result<(), LinkError> {
        let (ours, theirs) = (self.possible_caps(), sink.possible_caps());
        if ours.can_intersect(&theirs) {
            return Ok(());
        }
        Err(LinkError::NoFormat {
            src: self.path(),
            sink: sink.path(),
            difference: crate::caps::first_difference(&ours, &theirs).unwrap_or_default(),
            src_caps: ours.to_string(),
            sink_caps: theirs.to_string(),
        })
    }

    /// The ghost pad that stands for this pad, if there is one.
    fn ghost_above(&self) -> Option<Arc<PadCore>> {
        match &*self.peer.lock() {
            Peer::Ghost(ghost) => ghost.upgrade(),
            _ => None,
        }
    }

    /// Gives the link of `old` to this pad, which has none: its peer, or its place behind a ghost pad.
    /// The new link is as any other: sticky events are told again, and upstream is asked to negotiate.
    /// A buffer or event that is on its way to a sink pad `old` goes to this one.
    ///
    /// # Errors
    /// As linking; then `old` has its link still, or again.
    pub(crate) fn take_link_of(self: &Arc<Self>, old: &Arc<PadCore>) -> Result<(), LinkError> {
        let peer = old.peer();
        let is_sink = self.direction == Direction::Sink;
        if is_sink {
            old.mark_moved(true);
        }
        let moved = match (old.ghost_above(), peer) {
            (Some(ghost), _) => ghost.set_ghost_target(Some(self)),
            (None, Some(peer)) => {
                let (src, from, to) =
                    if is_sink { (&peer, old, self) } else { (old, &peer, &peer) };
                src.unlink();
                let new_src = if is_sink { src } else { self };
                new_src.link(to).inspect_err(|_| {
                    // They were linked a moment ago.
                    let _ = src.link(from);
                })
            }
            (None, None) => Ok(()),
        };
        if moved.is_err() {
            old.mark_moved(false);
        }
        moved
    }

    /// Whoever comes to this sink pad by a link turns round, from now on or no more.
    pub(crate) fn mark_moved(self: &Arc<Self>, on: bool) {
        let Some(real) = self.real() else { return };
        // Whoever gets the lock after this sees the mark.
        let _streaming = real.stream_lock.lock();
        if on {
            real.raise(attention::MOVED);
        } else {
            real.clear(attention::MOVED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caps::Caps;
    use crate::cx::PadId;
    use crate::pad::PadHandler;
    use crate::query::Query;
    use parking_lot::Mutex;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl PadHandler for Seen {
        fn chain(&self, _: &PadCore, buf: Buffer) -> FlowResult {
            self.0.lock().push(format!("{:?}", buf.offset()));
            Ok(())
        }
        fn event(&self, _: &PadCore, event: Event) -> FlowResult {
            self.0.lock().push(event.name().to_owned());
            Ok(())
        }
        fn query(&self, _: &PadCore, _: &mut Query) -> bool {
            false
        }
    }

    fn sink(name: &str, seen: &Arc<Seen>) -> Arc<PadCore> {
        let pad = PadCore::new(PadId(0), name, "sink", Direction::Sink, Caps::any());
        pad.set_handler(Arc::downgrade(seen) as _);
        pad.set_active(true);
        pad
    }

    #[test]
    fn buffer_under_way_when_the_link_moves_reaches_the_new_pad_with_all_sticky_events() {
        let src = PadCore::bare("src", Direction::Src);
        src.set_active(true);
        let (first, second) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
        let (old, new) = (sink("old", &first), sink("new", &second));
        src.link(&old).expect("any caps");
        src.push_event(Event::stream_start("s"));
        src.push_event(Event::segment(crate::segment::Segment::time()));
        src.push_buffer(Buffer::new()).expect("linked");
        new.take_link_of(&old).expect("any caps");
        // As a pusher that looked its peer up before: the copy of the link is put back.
        src.clear(attention::RELINK);
        let mut late = Buffer::new();
        late.set_offset(Some(7));
        src.push_buffer(late).expect("it turned round");
        let mut all = vec!["stream-start", "segment"];
        assert_eq!(*first.0.lock(), [&all[..], &["None"]].concat());
        all.push("Some(7)");
        assert_eq!(*second.0.lock(), all);
    }
}
