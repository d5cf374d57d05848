//! Events crossing a link: stored if they are sticky, replayed in order, delivered.
//!
//! ```text
//!   push_event ─▶ stored ─▶ every event the peer has not taken, in order ─▶ probes ─▶ peer
//! ```
//!
//! Invariant: a sticky event that could not be delivered stays, and is tried again before the next
//! serialized event or buffer.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_push_event`, `check_sticky`, `gst_pad_send_event_unchecked`).
//! Left out: nothing.

use super::moved::{self, Turned};
use super::probe::{Outcome, ProbeData, ProbeType};
use super::{PadCore, PadHandler, PadMode, attention};
use crate::element::Direction;
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::tracer;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl PadCore {
    /// Sends an event out of this pad: from a source pad downstream, from a sink pad upstream.
    /// Serialized events come from the streaming thread.
    ///
    /// `true` for a sticky event that was stored, whatever the peer said to it: it will be told
    /// again. `true` for the end of the stream only if the peer took it.
    pub fn push_event(&self, event: Event) -> bool {
        if let Some(target) = self.ghost_target() {
            return target.push_event(event);
        }
        let (is_sticky, is_eos) = (event.is_sticky(), matches!(event.kind, EventKind::Eos));
        match self.send_out(event) {
            Ok(()) => true,
            Err(Refusal::Stored(_)) => is_sticky && !is_eos,
            Err(Refusal::Here(_)) => false,
        }
    }

    /// [`PadCore::push_event`] with the reason, that of the peer included.
    pub(crate) fn push_event_full(&self, event: Event) -> FlowResult {
        if let Some(target) = self.ghost_target() {
            return target.push_event_full(event);
        }
        match self.send_out(event) {
            Ok(()) => Ok(()),
            Err(Refusal::Stored(flow) | Refusal::Here(flow)) => Err(flow),
        }
    }

    fn send_out(&self, event: Event) -> Result<(), Refusal> {
        let upstream = self.direction == Direction::Sink;
        let goes_this_way = if upstream { event.is_upstream() } else { event.is_downstream() };
        if !goes_this_way {
            return Err(Refusal::Here(FlowError::NotSupported));
        }
        if upstream || !event.is_sticky() {
            if !upstream && event.is_serialized() {
                // What it reports counts for the next buffer, not for this event.
                let _ = self.push_sticky(Replay::All);
            }
            return self.deliver(event).map_err(Refusal::Here);
        }
        self.store_sticky(&event).map_err(Refusal::Here)?;
        self.push_sticky(Replay::UpTo(&event)).map_err(Refusal::Stored)
    }

    /// Remembers a sticky event; on a source pad as one that the peer has not taken, to be sent before the
    /// next buffer.
    pub(crate) fn store_sticky(&self, event: &Event) -> FlowResult {
        if !self.is_active()
            || self.is_flushing() && matches!(event.kind, EventKind::Segment(_) | EventKind::Eos)
        {
            return Err(FlowError::Flushing);
        }
        let mut stored = self.stored.lock();
        if matches!(event.kind, EventKind::StreamStart { .. }) {
            stored.begin_stream();
            self.clear(attention::EOS);
        }
        if self.has(attention::EOS) {
            return Err(FlowError::Eos);
        }
        let changed = match &event.kind {
            EventKind::Caps(caps) => Some(caps).filter(|caps| stored.caps().as_ref() != Some(caps)),
            _ => None,
        };
        if stored.store(event.clone()) && self.direction == Direction::Src {
            self.raise(attention::STICKY);
        }
        drop(stored);
        if let (Some(caps), Some(handler)) = (changed, self.handler()) {
            handler.caps_changed(self, caps);
        }
        if matches!(event.kind, EventKind::Eos) {
            self.raise(attention::EOS);
            self.last_flow.store(FlowError::Eos.code(), Ordering::Relaxed);
        }
        if self.is_flushing() { Err(FlowError::Flushing) } else { Ok(()) }
    }

    /// Marks what a new peer has not seen, to be told before anything else.
    pub(super) fn schedule_sticky(&self, peer: Option<&[Event]>) {
        if self.stored.lock().schedule(peer) {
            self.raise(attention::STICKY);
        }
    }

    /// Tells the peer the sticky events it has not taken, in order.
    pub(super) fn push_sticky(&self, which: Replay<'_>) -> FlowResult {
        if !self.has(attention::STICKY) {
            return Ok(());
        }
        let opens = |event: &&Event| {
            matches!(
                event.kind,
                EventKind::StreamStart { .. } | EventKind::Caps(_) | EventKind::Segment(_)
            )
        };
        let limit = match which {
            Replay::All => None,
            Replay::UpTo(last) => Some(last).filter(opens).map(Event::number),
            Replay::Before(next) => Some(next.number() - 1),
        };
        self.clear(attention::STICKY);
        let mut after = 0;
        loop {
            let (next, links) = {
                let stored = self.stored.lock();
                (stored.next_unreceived(after), stored.links)
            };
            let Some((at, event)) = next else { return Ok(()) };
            if limit.is_some_and(|limit| event.number() > limit) {
                if matches!(which, Replay::UpTo(_)) {
                    self.raise(attention::STICKY);
                }
                return Ok(());
            }
            let is_eos = matches!(event.kind, EventKind::Eos);
            match self.deliver_probed(event.clone()) {
                Ok(Delivered::Taken) => self.stored.lock().mark_received(&event, links),
                // Who dropped it wanted it not to arrive now; it is tried again.
                Ok(Delivered::Dropped) => {
                    self.raise(attention::STICKY);
                    after = at + 1;
                }
                // A new link schedules it anew; an end of stream must be heard.
                Err(FlowError::NotLinked) if !is_eos => {
                    self.raise(attention::STICKY);
                    self.stored.lock().mark_received(&event, links);
                }
                Err(flow) => {
                    self.raise(attention::STICKY);
                    let is_aside = is_eos || matches!(which, Replay::Before(_));
                    return if is_aside { Err(flow) } else { self.push_end_all_the_same(flow) };
                }
            }
        }
    }

    /// A refused event must not keep the end of the stream from those downstream.
    fn push_end_all_the_same(&self, flow: FlowError) -> FlowResult {
        let end = self.stored.lock().unreceived_end();
        end.map_or(Err(flow), |end| self.deliver(end))
    }

    /// [`PadCore::deliver_probed`], where a probe that dropped the event is no error.
    fn deliver(&self, event: Event) -> FlowResult {
        self.deliver_probed(event).map(|_| ())
    }

    /// Sends an event to the peer.
    fn deliver_probed(&self, mut event: Event) -> FlowResult<Delivered> {
        if !self.may_go_deeper() {
            return Err(FlowError::Error);
        }
        let upstream = self.direction == Direction::Sink;
        match event.kind {
            EventKind::FlushStart => self.start_flushing(),
            EventKind::FlushStop { .. } if !self.is_active() => return Err(FlowError::Flushing),
            EventKind::FlushStop { .. } => self.stop_flushing(),
            _ if self.is_flushing() => return Err(FlowError::Flushing),
            _ => {}
        }
        if self.has(attention::PROBES) {
            let what = ProbeType::of_event(&event, upstream);
            match self.probe(what, &mut ProbeData::Event(&mut event))? {
                Outcome::Go => {}
                Outcome::Dropped => return Ok(Delivered::Dropped),
                Outcome::Handled(flow) => return flow.map(|()| Delivered::Taken),
            }
        }
        if !upstream && event.is_serialized() {
            // A probe may have made another link, whose peer knows nothing yet. Looked at as often as
            // in GStreamer: a peer that refuses an event is asked each time.
            if !matches!(event.kind, EventKind::FlushStop { .. }) {
                let _ = self.push_sticky(Replay::Before(&event));
            }
            let _ = self.push_sticky(Replay::Before(&event));
        }
        let Some(peer) = self.linked_peer() else {
            // An unlinked branch has no say in the latency.
            let is_latency = matches!(event.kind, EventKind::Latency(_));
            return if is_latency { Ok(Delivered::Taken) } else { Err(FlowError::NotLinked) };
        };
        let sent = if upstream {
            peer.receive_event(event)
        } else {
            peer.receive_linked(self.with_offset(event.clone()), Some(event))
        };
        if sent.is_err()
            && let Some(Turned::Event(event)) = moved::turned()
        {
            return self.deliver_probed(event);
        }
        self.after_push();
        match sent {
            Ok(()) => Ok(Delivered::Taken),
            // No failure and no success: as if it had not been sent.
            Err(FlowError::CustomSuccess) => Ok(Delivered::Dropped),
            Err(flow) => Err(flow),
        }
    }

    /// An event arrives at this pad from its peer, or from outside.
    pub(crate) fn receive_event(&self, event: Event) -> FlowResult {
        self.receive_linked(event, None)
    }

    /// [`PadCore::receive_event`]; `sent` is the event as its pusher has it, who takes it back if the link
    /// was moved away meanwhile.
    fn receive_linked(&self, event: Event, sent: Option<Event>) -> FlowResult {
        if let Some(target) = self.ghost_target() {
            return target.receive_linked(event, sent);
        }
        let handler = self.handler().ok_or(FlowError::NotLinked)?;
        let downstream = self.direction == Direction::Sink;
        if tracer::is_on() {
            tracer::event(&self.owner, &self.name, &event);
        }
        match event.kind {
            EventKind::FlushStart if self.is_flushing() => Err(FlowError::Flushing),
            EventKind::FlushStart => {
                self.start_flushing();
                self.handle(&handler, event)
            }
            EventKind::FlushStop { .. } if !self.is_active() => Err(FlowError::Flushing),
            EventKind::FlushStop { .. } if downstream => {
                let _streaming = self.stream_lock.lock().map_err(|_| FlowError::Error)?;
                self.stop_flushing();
                self.handle(&handler, event)
            }
            EventKind::FlushStop { .. } if self.mode() == PadMode::Pull => {
                self.stop_flushing();
                // Whoever was in here for a range came out at flush-start.
                drop(self.stream_lock.lock());
                self.handle(&handler, event)
            }
            _ if !(downstream && event.is_serialized()) => {
                if self.is_flushing() {
                    return Err(FlowError::Flushing);
                }
                if matches!(event.kind, EventKind::Reconfigure) && !downstream {
                    self.mark_reconfigure();
                }
                self.handle(&handler, event)
            }
            _ => {
                let _streaming = self.stream_lock.lock().map_err(|_| FlowError::Error)?;
                match sent {
                    Some(sent) if self.has(attention::MOVED) => {
                        moved::turn_round(Turned::Event(sent))
                    }
                    _ => self.receive_serialized(&handler, event),
                }
            }
        }
    }

    /// A serialized event at a sink pad, under its stream lock.
    fn receive_serialized(&self, handler: &Arc<dyn PadHandler>, event: Event) -> FlowResult {
        if self.is_flushing() {
            return Err(FlowError::Flushing);
        }
        if matches!(event.kind, EventKind::StreamStart { .. }) {
            self.stored.lock().begin_stream();
            self.clear(attention::EOS);
        } else if self.has(attention::EOS) {
            return Err(FlowError::Eos);
        }
        let event = self.with_offset(event);
        let sticky = event.is_sticky().then(|| event.clone());
        self.handle(handler, event)?;
        sticky.map_or(Ok(()), |event| self.store_sticky(&event))
    }

    /// Probes, then the owner.
    fn handle(&self, handler: &Arc<dyn PadHandler>, mut event: Event) -> FlowResult {
        if self.has(attention::PROBES) {
            let upstream = self.direction == Direction::Src;
            let what = ProbeType::of_event(&event, upstream);
            match self.probe(what, &mut ProbeData::Event(&mut event))? {
                Outcome::Go => {}
                Outcome::Dropped => return Ok(()),
                Outcome::Handled(flow) => return flow,
            }
        }
        if let EventKind::Caps(caps) = &event.kind
            && self.is_bare
            && !caps.is_subset_of(&self.bare_caps())
        {
            return Err(event.refusal());
        }
        handler.event(self, event)
    }

    /// The event as it reads beyond this pad's offset.
    fn with_offset(&self, mut event: Event) -> Event {
        let offset = self.offset.load(Ordering::Relaxed);
        if offset != 0
            && let EventKind::Segment(mut segment) = event.kind
        {
            segment.offset_running_time(offset);
            event.kind = EventKind::Segment(segment);
        }
        event
    }

    /// Shifts the running time of what passes by `offset` ns. A source pad tells its segment again
    /// before the next buffer.
    pub fn set_offset(&self, offset: i64) {
        if self.offset.swap(offset, Ordering::AcqRel) == offset {
            return;
        }
        match self.direction {
            Direction::Src => self.schedule_sticky(None),
            Direction::Sink => {
                if let Some(peer) = self.linked_peer() {
                    peer.schedule_sticky(None);
                }
            }
        }
    }

    /// What [`PadCore::set_offset`] set, ns.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }
}

/// Which sticky events the peer is to be told.
#[derive(Clone, Copy)]
pub(super) enum Replay<'a> {
    /// All it has not taken.
    All,
    /// If the event is one of those that open a stream, none that belongs behind it.
    UpTo(&'a Event),
    /// Those that belong before the event.
    Before(&'a Event),
}

/// Why an event did not leave.
enum Refusal {
    /// It is remembered, and will be told again.
    Stored(FlowError),
    /// This pad did not take it, or could not deliver it and forgets it.
    Here(FlowError),
}

enum Delivered {
    Taken,
    Dropped,
}
