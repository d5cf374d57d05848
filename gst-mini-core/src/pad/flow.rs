//! Buffers, lists of them and queries crossing a link.
//!
//! Invariant: a buffer reaches a sink pad after every sticky event that came before it, or not at all.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_push_data`, `gst_pad_chain_data_unchecked`, `gst_pad_query`).
//! Left out: nothing.

use super::events::Replay;
use super::moved::{self, Turned};
use super::probe::Outcome;
use super::route::{Route, Walked};
use super::{Link, PadCore, PadHandler, PadMode, ProbeData, ProbeType, attention};
use crate::buffer::{Buffer, BufferList};
use crate::caps::Caps;
use crate::element::Direction;
use crate::error::{FlowError, FlowResult};
use crate::query::Query;
use crate::runtime;
use crate::tracer;
use std::sync::atomic::Ordering;

/// Links settle with the first buffers.
const SETTLED: u32 = if cfg!(gst_mini_shuttle) { 1 } else { 4 };

impl PadCore {
    /// Pushes a buffer out of this source pad.
    ///
    /// # Safety
    /// One thread at a time: the caller is the pad's task, holds the stream lock of the sink pad that
    /// feeds it, or holds this pad's own.
    #[inline]
    pub(crate) unsafe fn push(&self, buf: Buffer) -> FlowResult {
        // SAFETY: the caller's promise.
        unsafe { self.push_with(buf, self.attention.get()) }
    }

    /// Pushes a buffer that this pad's probes have seen.
    ///
    /// # Safety
    /// As [`PadCore::push`].
    pub(super) unsafe fn push_probed(&self, buf: Buffer) -> FlowResult {
        // SAFETY: the caller's promise.
        unsafe { self.push_with(buf, self.attention.get() & !attention::PROBES) }
    }

    /// Runs the probes for a buffer that is about to be pushed. The error is what the pusher gets.
    pub(super) fn probe_pushed(&self, buf: &mut Buffer) -> Result<(), FlowResult> {
        let what = ProbeType::BUFFER | ProbeType::PUSH;
        match self.probe(what, &mut ProbeData::Buffer(buf)) {
            Ok(Outcome::Go) => Ok(()),
            Ok(Outcome::Dropped) => Err(Ok(())),
            Ok(Outcome::Handled(flow)) => Err(flow),
            Err(flow) => Err(Err(flow)),
        }
    }

    /// # Safety
    /// As [`PadCore::push`].
    #[inline]
    unsafe fn push_with(&self, mut buf: Buffer, bits: u32) -> FlowResult {
        // RECONFIGURE is the business of whoever negotiates.
        if bits & !attention::RECONFIGURE != 0 {
            let mut data = ProbeData::Buffer(&mut buf);
            if let Err(stopped) = self.push_attention(bits, ProbeType::BUFFER, &mut data) {
                self.remember(stopped);
                return stopped;
            }
        }
        // SAFETY: the caller's promise: nobody else touches `link`. A push that re-enters this pad
        // while this borrow is alive would have to pass the peer's stream lock, which refuses.
        let flow = match unsafe { &*self.link.get() } {
            Some(link) => link.peer.chain(&*link.handler, buf),
            None => Err(FlowError::NotLinked),
        };
        if flow.is_err()
            && let Some(Turned::Buffer(buf)) = moved::turned()
        {
            // Whatever it knows of the link is old.
            self.raise(attention::RELINK);
            // SAFETY: the caller's promise.
            return unsafe { self.push(buf) };
        }
        self.remember(flow);
        if bits & attention::IDLE != 0 || self.has(attention::IDLE) {
            self.after_push();
        }
        flow
    }

    /// Pushes a buffer out of a pad that begins a stretch: through the row of transforms behind it in one
    /// loop, if all is as usual.
    ///
    /// # Safety
    /// As [`PadCore::push`].
    #[inline]
    pub(crate) unsafe fn push_along(&self, buf: Buffer) -> FlowResult {
        // SAFETY: the caller's promise; what it points to stays, as only `take_new_link` changes it, which
        // a push through this same pad does, and the loop makes none.
        let route = match unsafe { &*self.link.get() } {
            Some(Link { route: Some(route), .. }) => &**route,
            // SAFETY: the caller's promise.
            _ => return unsafe { self.push_and_look(buf) },
        };
        let bits = self.attention.get() & !attention::RECONFIGURE;
        let mut buf = buf;
        if bits == 0 && !tracer::is_on() {
            // SAFETY: the caller's promise.
            match unsafe { route.walk_covered(buf) } {
                Ok(flow) => {
                    self.remember(flow);
                    self.after_push();
                    return flow;
                }
                Err(back) => buf = back,
            }
        }
        // SAFETY: the caller's promise.
        unsafe { self.push_along_looking(route, bits, buf) }
    }

    /// # Safety
    /// As [`PadCore::push`].
    #[inline(never)]
    unsafe fn push_along_looking(&self, route: &Route, bits: u32, buf: Buffer) -> FlowResult {
        if bits == attention::PROBES && !tracer::is_on() {
            let mut buf = buf;
            if let Err(stopped) = self.probe_pushed(&mut buf) {
                self.remember(stopped);
                return stopped;
            }
            if self.has(!(attention::RECONFIGURE | attention::PROBES)) {
                // SAFETY: the caller's promise.
                return unsafe { self.push_probed(buf) };
            }
            // SAFETY: the caller's promise.
            return unsafe { self.walk_along(route, buf, true) };
        }
        if bits != 0 || route.is_empty() || tracer::is_on() {
            route.look_up();
            // SAFETY: the caller's promise.
            return unsafe { self.push(buf) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.walk_along(route, buf, false) }
    }

    /// Walks a buffer along a route, or pushes it where that cannot be. `is_probed`: the probes have seen it.
    ///
    /// # Safety
    /// As [`PadCore::push`].
    unsafe fn walk_along(&self, route: &Route, buf: Buffer, is_probed: bool) -> FlowResult {
        // SAFETY: the caller's promise.
        match unsafe { route.walk(self, buf) } {
            Walked::Done { flow, is_current } => {
                self.remember(flow);
                self.after_push();
                if !is_current {
                    self.forget_route();
                }
                flow
            }
            Walked::NotBegun { buf, is_current } => {
                if !is_current {
                    self.forget_route();
                }
                // SAFETY: the caller's promise.
                unsafe { if is_probed { self.push_probed(buf) } else { self.push(buf) } }
            }
        }
    }

    /// Pushes, and when the stream has run a little, looks where it goes.
    ///
    /// # Safety
    /// As [`PadCore::push`].
    #[inline(never)]
    unsafe fn push_and_look(&self, buf: Buffer) -> FlowResult {
        // SAFETY: the caller's promise.
        let flow = unsafe { self.push(buf) };
        // SAFETY: the caller's promise; no borrow of the link is alive.
        if let Some(link) = unsafe { &mut *self.link.get() } {
            link.since = if flow.is_ok() { link.since + 1 } else { 0 };
            if link.since >= SETTLED {
                // SAFETY: the caller's promise; `link` is not used any more.
                unsafe { self.look() };
            }
        }
        flow
    }

    /// Finds the route from here, for a stream that is in a hurry. Out of line: while a push waits, its frames are
    /// the stack of the thread.
    ///
    /// # Safety
    /// As [`PadCore::push`], between two pushes.
    #[cold]
    #[inline(never)]
    unsafe fn look(&self) {
        // SAFETY: the caller's promise; no borrow of the link is alive.
        let Some(link) = (unsafe { &mut *self.link.get() }) else { return };
        // What comes seldom gains less by a route than the memory of one costs.
        let now = (runtime::now().nanos() >> 20) as u32;
        let took = now.wrapping_sub(link.counted_at);
        (link.since, link.counted_at) = (0, now);
        if took > SETTLED && !cfg!(gst_mini_shuttle) {
            return;
        }
        // SAFETY: `find` reads the link, of which nothing is borrowed here.
        let route = Box::new(Route::find(self));
        link.route = Some(route);
    }

    #[cold]
    fn forget_route(&self) {
        // SAFETY: the contract of `push_along`, which alone calls this, behind its last use of the route.
        if let Some(link) = unsafe { &mut *self.link.get() } {
            link.route = None;
        }
    }

    /// Pushes buffers in one go.
    ///
    /// # Safety
    /// As [`PadCore::push`].
    pub(crate) unsafe fn push_list(&self, mut list: BufferList) -> FlowResult {
        let bits = self.attention.get();
        if bits & !attention::RECONFIGURE != 0 {
            let mut data = ProbeData::List(&mut list);
            if let Err(stopped) = self.push_attention(bits, ProbeType::BUFFER_LIST, &mut data) {
                self.remember(stopped);
                return stopped;
            }
        }
        // SAFETY: as in `push`.
        let flow = match unsafe { &*self.link.get() } {
            Some(link) => link.peer.chain_list(&*link.handler, list),
            None => Err(FlowError::NotLinked),
        };
        if flow.is_err()
            && let Some(Turned::List(list)) = moved::turned()
        {
            // Whatever it knows of the link is old.
            self.raise(attention::RELINK);
            // SAFETY: the caller's promise.
            return unsafe { self.push_list(list) };
        }
        self.remember(flow);
        self.after_push();
        flow
    }

    /// Pushes a buffer out of a source pad of the application's own, one call at a time.
    pub fn push_buffer(&self, buf: Buffer) -> FlowResult {
        let Ok(_streaming) = self.stream_lock.lock() else { return Err(FlowError::Error) };
        // SAFETY: the lock above; a pad of the application's own has no other pusher.
        unsafe { self.push(buf) }
    }

    /// Pushes buffers in one go out of a source pad of the application's own, one call at a time.
    pub fn push_buffer_list(&self, list: BufferList) -> FlowResult {
        let Ok(_streaming) = self.stream_lock.lock() else { return Err(FlowError::Error) };
        // SAFETY: as above.
        unsafe { self.push_list(list) }
    }

    #[inline]
    pub(super) fn remember(&self, flow: FlowResult) {
        self.remember_code(flow.map_or_else(FlowError::code, |()| 0));
    }

    #[inline]
    pub(super) fn remember_code(&self, code: i32) {
        self.last_flow.store(code, Ordering::Relaxed);
    }

    /// The rare cases before a push. The error is what the pusher gets: a success if a probe dropped
    /// or handled the data.
    #[cold]
    fn push_attention(
        &self,
        bits: u32,
        what: ProbeType,
        data: &mut ProbeData<'_>,
    ) -> Result<(), FlowResult> {
        if bits & attention::RELEASED != 0 {
            return Err(Err(FlowError::NotLinked));
        }
        if bits & attention::FLUSHING != 0 {
            return Err(Err(FlowError::Flushing));
        }
        if bits & attention::EOS != 0 {
            return Err(Err(FlowError::Eos));
        }
        if self.mode() == PadMode::Pull {
            return Err(Err(FlowError::Error));
        }
        self.take_new_link();
        self.push_sticky(Replay::All).map_err(Err)?;
        if bits & attention::PROBES != 0 {
            match self.probe(what | ProbeType::PUSH, data) {
                Ok(Outcome::Go) => {}
                Ok(Outcome::Dropped) => return Err(Ok(())),
                Ok(Outcome::Handled(flow)) => return Err(flow),
                Err(flow) => return Err(Err(flow)),
            }
            // What the probe waited for may have been a new link.
            const MORE: u32 =
                attention::RELINK | attention::FLUSHING | attention::STICKY | attention::RELEASED;
            if self.has(MORE) {
                let bits = self.attention.get() & !attention::PROBES;
                return self.push_attention(bits, what, data);
            }
        }
        Ok(())
    }

    /// Takes over a link that changed since the last push.
    fn take_new_link(&self) {
        // Cleared first: a change that comes later raises it again.
        if self.has(attention::RELINK) && self.clear(attention::RELINK) {
            let fresh = self.fresh_link();
            // SAFETY: `push`'s contract; no borrow of `link` is alive here.
            unsafe { *self.link.get() = fresh };
        }
    }

    /// A buffer arrives at this sink pad.
    #[inline]
    fn chain(&self, handler: &dyn PadHandler, mut buf: Buffer) -> FlowResult {
        let Ok(_streaming) = self.stream_lock.lock() else {
            // The buffer came back to an element further up this very call: a link cycle.
            return Err(FlowError::Error);
        };
        let bits = self.attention.get();
        if bits != 0 {
            if bits & attention::MOVED != 0 {
                return moved::turn_round(Turned::Buffer(buf));
            }
            let mut data = ProbeData::Buffer(&mut buf);
            if let Err(stopped) = self.chain_attention(bits, ProbeType::BUFFER, &mut data) {
                return self.told(stopped);
            }
        }
        if tracer::is_on() {
            tracer::buffer(&self.owner, &self.name, &buf, self.segment());
            return self.told(handler.chain(self, buf));
        }
        handler.chain(self, buf)
    }

    /// Tells who watches of each buffer of a list that its owner takes as one.
    #[cold]
    pub(crate) fn trace_list(&self, list: &BufferList) {
        for buf in list.iter() {
            tracer::buffer(&self.owner, &self.name, buf, self.segment());
        }
    }

    /// Tells who watches of a refusal.
    #[cold]
    fn told(&self, flow: FlowResult) -> FlowResult {
        if let Err(flow) = flow
            && tracer::is_on()
        {
            tracer::refused(&self.owner, &self.name, flow);
        }
        flow
    }

    /// Buffers arrive in one go.
    fn chain_list(&self, handler: &dyn PadHandler, mut list: BufferList) -> FlowResult {
        let Ok(_streaming) = self.stream_lock.lock() else { return Err(FlowError::Error) };
        let bits = self.attention.get();
        if bits != 0 {
            if bits & attention::MOVED != 0 {
                return moved::turn_round(Turned::List(list));
            }
            let mut data = ProbeData::List(&mut list);
            if let Err(stopped) = self.chain_attention(bits, ProbeType::BUFFER_LIST, &mut data) {
                return self.told(stopped);
            }
        }
        let flow = handler.chain_list(self, list);
        if flow.is_err() { self.told(flow) } else { flow }
    }

    /// Takes a list apart for an owner that gets buffers one by one: each passes this pad's probes, and
    /// the first refusal ends it.
    pub(crate) fn chain_each(
        &self,
        list: BufferList,
        mut chain: impl FnMut(Buffer) -> FlowResult,
    ) -> FlowResult {
        for mut buf in list {
            let bits = self.attention.get();
            if bits != 0 {
                let mut data = ProbeData::Buffer(&mut buf);
                match self.chain_attention(bits, ProbeType::BUFFER, &mut data) {
                    Ok(()) => {}
                    Err(Ok(())) => continue,
                    Err(refused) => return refused,
                }
            }
            if tracer::is_on() {
                tracer::buffer(&self.owner, &self.name, &buf, self.segment());
            }
            chain(buf)?;
        }
        Ok(())
    }

    /// The rare cases before a buffer gets to the owner. The error is what the pusher gets.
    #[cold]
    fn chain_attention(
        &self,
        bits: u32,
        what: ProbeType,
        data: &mut ProbeData<'_>,
    ) -> Result<(), FlowResult> {
        if bits & attention::RELEASED != 0 {
            return Err(Err(FlowError::NotLinked));
        }
        if bits & attention::FLUSHING != 0 {
            return Err(Err(FlowError::Flushing));
        }
        if bits & attention::EOS != 0 {
            return Err(Err(FlowError::Eos));
        }
        if self.mode() == PadMode::Pull {
            return Err(Err(FlowError::Error));
        }
        if bits & attention::PROBES == 0 {
            return Ok(());
        }
        match self.probe(what | ProbeType::PUSH, data) {
            Ok(Outcome::Go) => Ok(()),
            Ok(Outcome::Dropped) => Err(Ok(())),
            Ok(Outcome::Handled(flow)) => Err(flow),
            Err(flow) => Err(Err(flow)),
        }
    }

    /// A buffer arrives at this sink pad, pushed by whoever holds no source pad (tests).
    pub fn chain_buffer(&self, buf: Buffer) -> FlowResult {
        let Some(handler) = self.handler() else { return Err(FlowError::NotLinked) };
        // There is no pusher that it could be given back to.
        self.clear(attention::MOVED);
        self.chain(&*handler, buf)
    }

    /// Asks this pad's owner.
    pub(super) fn answer(&self, query: &mut Query) -> bool {
        if let Some(target) = self.ghost_target() {
            return target.answer(query);
        }
        let _streaming = if query.is_serialized() && self.direction == Direction::Sink {
            let Ok(streaming) = self.stream_lock.lock() else { return false };
            if self.has(attention::FLUSHING | attention::EOS) {
                return false;
            }
            Some(streaming)
        } else {
            None
        };
        let way = match self.direction {
            Direction::Src => ProbeType::QUERY_UPSTREAM,
            Direction::Sink => ProbeType::QUERY_DOWNSTREAM,
        };
        self.probed_query(way, query, |query| {
            self.handler().is_some_and(|handler| handler.query(self, query))
                || self.is_bare && self.answer_bare(query)
        })
    }

    /// What a pad without a template can have: what it has, if it has anything.
    pub(super) fn bare_caps(&self) -> Caps {
        self.stored.lock().caps().unwrap_or_else(Caps::any)
    }

    /// The answer of a pad without a template, where its owner has none.
    fn answer_bare(&self, query: &mut Query) -> bool {
        match query {
            Query::Caps { filter, result } => {
                let own = self.bare_caps();
                *result = Some(match filter {
                    Some(filter) => filter.intersect_first(&own),
                    None => own,
                });
                true
            }
            Query::AcceptCaps { caps, accepted } => {
                *accepted = caps.is_subset_of(&self.bare_caps());
                true
            }
            _ => false,
        }
    }

    /// Asks the owner of the pad this one is linked to.
    pub(crate) fn ask_peer(&self, query: &mut Query) -> bool {
        if !self.may_go_deeper() {
            return false;
        }
        let way = match self.direction {
            Direction::Src => ProbeType::QUERY_DOWNSTREAM,
            Direction::Sink => ProbeType::QUERY_UPSTREAM,
        };
        if query.is_serialized() && self.direction == Direction::Src {
            if self.is_flushing() {
                return false;
            }
            // It comes behind what was said before.
            let _ = self.push_sticky(Replay::All);
        }
        self.probed_query(way, query, |query| {
            self.linked_peer().is_some_and(|peer| peer.answer(query))
        })
    }

    /// Probes see the question with `PUSH`, and the answer with `PULL`.
    fn probed_query(
        &self,
        way: ProbeType,
        query: &mut Query,
        ask: impl FnOnce(&mut Query) -> bool,
    ) -> bool {
        if !self.has(attention::PROBES) {
            return ask(query);
        }
        match self.probe(way | ProbeType::PUSH, &mut ProbeData::Query(query)) {
            Ok(Outcome::Go) => {}
            Ok(Outcome::Handled(flow)) => return flow.is_ok(),
            Ok(Outcome::Dropped) | Err(_) => return false,
        }
        ask(query) && {
            // An answer is not held: who asked may hold what would let it go.
            let back = self.run_probes(way | ProbeType::PULL, &mut ProbeData::Query(query));
            matches!(back, Ok(Outcome::Go | Outcome::Handled(Ok(()))))
        }
    }
}
