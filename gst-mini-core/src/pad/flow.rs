//! Buffers, events and queries crossing a link.
//!
//! Invariant: a buffer reaches a sink pad after every sticky event that came before it, or not at all.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_push_data`, `gst_pad_push_event_unchecked`, `gst_pad_send_event_unchecked`).
//! Left out: buffer lists (their buffers are pushed one by one).

use super::{Pad, PadCore, PadHandler, ProbeData, ProbeType, attention};
use crate::buffer::Buffer;
use crate::element::Direction;
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::query::Query;
use crate::tracer;
use std::sync::atomic::Ordering;

impl PadCore {
    /// Pushes a buffer out of this source pad.
    ///
    /// # Safety
    /// One thread at a time: the caller is the pad's task, holds the stream lock of the sink pad that
    /// feeds it, or holds this pad's own.
    #[inline]
    pub(crate) unsafe fn push(&self, mut buf: Buffer) -> FlowResult {
        let bits = self.attention.load(Ordering::Acquire);
        // RECONFIGURE is the business of whoever negotiates.
        if bits & !attention::RECONFIGURE != 0
            && let Err(flow) = self.push_attention(bits, &mut buf)
        {
            // A probe that dropped the buffer is a success to whoever pushed.
            let flow = flow.map_or(Ok(()), Err);
            self.remember(flow);
            return flow;
        }
        // SAFETY: the caller's promise: nobody else touches `link`. A push that re-enters this pad
        // while this borrow is alive would have to pass the peer's stream lock, which refuses.
        let flow = match unsafe { &*self.link.get() } {
            Some(link) => link.peer.chain(&*link.handler, buf),
            None => Err(FlowError::NotLinked),
        };
        self.remember(flow);
        flow
    }

    /// Pushes a buffer out of a source pad of the application's own, one call at a time.
    pub fn push_buffer(&self, buf: Buffer) -> FlowResult {
        let Ok(_streaming) = self.stream_lock.lock() else { return Err(FlowError::Error) };
        // SAFETY: the lock above; a pad of the application's own has no other pusher.
        unsafe { self.push(buf) }
    }

    #[inline]
    fn remember(&self, flow: FlowResult) {
        let code = flow.map_or_else(FlowError::code, |()| 0);
        self.last_flow.store(code, Ordering::Relaxed);
    }

    /// The rare cases before a push. `Err(None)`: a probe dropped the buffer.
    #[cold]
    fn push_attention(&self, bits: u32, buf: &mut Buffer) -> Result<(), Option<FlowError>> {
        if bits & attention::FLUSHING != 0 {
            return Err(Some(FlowError::Flushing));
        }
        if bits & attention::EOS != 0 {
            return Err(Some(FlowError::Eos));
        }
        if bits & attention::RELINK != 0 {
            // Cleared first: a change that comes later raises it again.
            self.clear(attention::RELINK);
            let fresh = self.fresh_link();
            // SAFETY: `push`'s contract; no borrow of `link` is alive here.
            unsafe { *self.link.get() = fresh };
        }
        if self.has(attention::STICKY) {
            // Without a peer there is nobody to tell; the push itself says not-linked.
            match self.push_sticky(None) {
                Ok(()) | Err(FlowError::NotLinked) => {}
                Err(FlowError::Flushing) => return Err(Some(FlowError::Flushing)),
                Err(other) => return Err(Some(other)),
            }
        }
        if bits & attention::PROBES != 0 {
            match self.run_probes(ProbeType::BUFFER, ProbeData::Buffer(buf)) {
                Ok(true) => {}
                Ok(false) => return Err(None),
                Err(flow) => return Err(Some(flow)),
            }
            // What the probe waited for may have been a new link.
            if self.has(attention::RELINK | attention::FLUSHING) {
                let bits = self.attention.load(Ordering::Acquire) & !attention::PROBES;
                return self.push_attention(bits, buf);
            }
        }
        Ok(())
    }

    /// A buffer arrives at this sink pad.
    #[inline]
    fn chain(&self, handler: &dyn PadHandler, mut buf: Buffer) -> FlowResult {
        let Ok(_streaming) = self.stream_lock.lock() else {
            // The buffer came back to an element further up this very call: a link cycle.
            return Err(FlowError::Error);
        };
        let bits = self.attention.load(Ordering::Acquire);
        if bits != 0 {
            if bits & attention::FLUSHING != 0 {
                return Err(FlowError::Flushing);
            }
            if bits & attention::EOS != 0 {
                return Err(FlowError::Eos);
            }
            if bits & attention::PROBES != 0
                && !self.run_probes(ProbeType::BUFFER, ProbeData::Buffer(&mut buf))?
            {
                return Ok(());
            }
        }
        if tracer::is_on() {
            tracer::buffer(&self.owner, &self.name, &buf, self.segment());
        }
        handler.chain(self, buf)
    }

    /// A buffer arrives at this sink pad, pushed by whoever holds no source pad (tests).
    pub fn chain_buffer(&self, buf: Buffer) -> FlowResult {
        let Some(handler) = self.handler() else { return Err(FlowError::NotLinked) };
        self.chain(&*handler, buf)
    }

    /// Sends an event out of this pad: from a source pad downstream, from a sink pad upstream.
    /// Serialized events come from the streaming thread.
    pub fn push_event(&self, event: Event) -> bool {
        self.push_event_full(event).is_ok()
    }

    /// [`PadCore::push_event`] with the reason.
    pub(crate) fn push_event_full(&self, event: Event) -> FlowResult {
        if let Some(target) = self.ghost_target() {
            return target.push_event_full(event);
        }
        let upstream = self.direction == Direction::Sink;
        let goes_this_way = if upstream { event.is_upstream() } else { event.is_downstream() };
        if !goes_this_way {
            return Err(FlowError::NotSupported);
        }
        match event.kind {
            EventKind::FlushStart => self.start_flushing(),
            EventKind::FlushStop { .. } => self.stop_flushing(),
            _ if self.is_flushing() => return Err(FlowError::Flushing),
            // After the end nothing follows but a new stream.
            EventKind::StreamStart { .. } => {
                self.clear(attention::EOS);
            }
            _ if !upstream && event.is_serialized() && self.has(attention::EOS) => {
                return Err(FlowError::Eos);
            }
            _ => {}
        }
        if self.has(attention::PROBES) {
            let what =
                if upstream { ProbeType::EVENT_UPSTREAM } else { ProbeType::EVENT_DOWNSTREAM };
            if !self.run_probes(what, ProbeData::Event(&event))? {
                return Ok(());
            }
        }
        if !upstream && event.is_sticky() {
            let is_eos = matches!(event.kind, EventKind::Eos);
            self.keep(event.clone(), false);
            self.raise(attention::STICKY);
            let sent = self.push_sticky(Some(&event));
            if is_eos {
                self.raise(attention::EOS);
            }
            return match sent {
                // Stored, and told to the next peer: that is what sticky means. But an end of
                // stream nobody heard of is not.
                Err(FlowError::NotLinked) if !is_eos => Ok(()),
                other => other,
            };
        }
        if !upstream && event.is_serialized() && self.has(attention::STICKY) {
            match self.push_sticky(None) {
                Ok(()) | Err(FlowError::NotLinked) => {}
                other => return other,
            }
        }
        let peer = self.linked_peer().ok_or(FlowError::NotLinked)?;
        peer.receive_event(event)
    }

    /// Tells the peer every sticky event it has not taken, in order; with `last`, only up to that
    /// one's place.
    pub(crate) fn push_sticky(&self, last: Option<&Event>) -> FlowResult {
        let Some(peer) = self.linked_peer() else { return Err(FlowError::NotLinked) };
        let limit = last.and_then(Event::sticky_order);
        loop {
            let next = self.stored.lock().next_unreceived();
            let Some((at, event)) = next else {
                self.clear(attention::STICKY);
                return Ok(());
            };
            if limit.is_some() && event.sticky_order() > limit {
                return Ok(());
            }
            peer.receive_event(event.clone())?;
            self.stored.lock().mark_received(at, &event);
        }
    }

    /// An event arrives at this pad from its peer, or from outside.
    pub(crate) fn receive_event(&self, event: Event) -> FlowResult {
        if let Some(target) = self.ghost_target() {
            return target.receive_event(event);
        }
        let handler = self.handler().ok_or(FlowError::NotLinked)?;
        let downstream = self.direction == Direction::Sink;
        if tracer::is_on() {
            tracer::event(&self.owner, &self.name, &event);
        }
        match event.kind {
            EventKind::FlushStart => {
                self.start_flushing();
                return handler.event(self, event);
            }
            EventKind::FlushStop { .. } if downstream => {
                let _streaming = self.stream_lock.lock().map_err(|_| FlowError::Error)?;
                self.stop_flushing();
                return handler.event(self, event);
            }
            _ => {}
        }
        if !(downstream && event.is_serialized()) {
            if self.is_flushing() {
                return Err(FlowError::Flushing);
            }
            if matches!(event.kind, EventKind::Reconfigure) && !downstream {
                self.mark_reconfigure();
            }
            if self.has(attention::PROBES)
                && !self.run_probes(
                    if downstream {
                        ProbeType::EVENT_DOWNSTREAM
                    } else {
                        ProbeType::EVENT_UPSTREAM
                    },
                    ProbeData::Event(&event),
                )?
            {
                return Ok(());
            }
            return handler.event(self, event);
        }
        let _streaming = self.stream_lock.lock().map_err(|_| FlowError::Error)?;
        if self.is_flushing() {
            return Err(FlowError::Flushing);
        }
        match event.kind {
            EventKind::StreamStart { .. } => {
                self.clear(attention::EOS);
            }
            _ if self.has(attention::EOS) => return Err(FlowError::Eos),
            _ => {}
        }
        if self.has(attention::PROBES)
            && !self.run_probes(ProbeType::EVENT_DOWNSTREAM, ProbeData::Event(&event))?
        {
            return Ok(());
        }
        let sticky = event.is_sticky().then(|| event.clone());
        let is_eos = matches!(event.kind, EventKind::Eos);
        handler.event(self, event)?;
        if let Some(event) = sticky {
            self.keep(event, true);
        }
        if is_eos {
            self.raise(attention::EOS);
        }
        Ok(())
    }

    /// Remembers a sticky event, and tells the owner of a new format.
    fn keep(&self, event: Event, received: bool) {
        let changed = match &event.kind {
            EventKind::Caps(caps) if self.current_caps().as_ref() != Some(caps) => {
                Some(caps.clone())
            }
            _ => None,
        };
        self.stored.lock().store(event, received);
        if let Some(caps) = changed
            && let Some(handler) = self.handler()
        {
            handler.caps_changed(self, &caps);
        }
    }

    /// Asks this pad's owner.
    pub(super) fn answer(&self, query: &mut Query) -> bool {
        if let Some(target) = self.ghost_target() {
            return target.answer(query);
        }
        if self.has(attention::PROBES) {
            let _ = self.run_probes(ProbeType::QUERY, ProbeData::Query(query));
        }
        self.handler().is_some_and(|handler| handler.query(self, query))
    }
}
