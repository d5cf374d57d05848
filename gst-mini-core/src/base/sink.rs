//! Around a [`Sink`](crate::element::Sink): preroll, the wait for the clock, end of stream.
//!
//! ```text
//!   chain ─▶ clip ─▶ [PAUSED: hold the first buffer until PLAYING] ─▶ wait until due ─▶ render
//! ```
//!
//! A sink is in PAUSED when it holds a buffer (or the end), and its state change to PAUSED is async
//! until then. A flush, a stop or a change of state ends every wait here without the element's help.
//!
//! Invariant: a buffer is rendered in PLAYING only, or as the preroll of PAUSED; in stream order.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_do_preroll`, `gst_base_sink_chain_unlocked`, `gst_base_sink_change_state`).
//! Left out: pull mode, stepping, last-sample.

use crate::base::{Behavior, negotiate, position, sink_sync};
use crate::buffer::Buffer;
use crate::caps::Caps;
use crate::clock::ClockWait;
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind, Seqnum};
use crate::handle::ElementRef;
use crate::host::context::{Context, drain, trace_drop};
use crate::host::core::ElementCore;
use crate::message::{Message, MessageKind};
use crate::pad::{PadCore, PadHandler};
use crate::plugin::abi::{GM_ROLE_ASYNC, GM_ROLE_SYNC};
use crate::property::Live;
use crate::query::Query;
use crate::registry::factory::{FactoryInfo, PropInfo};
use crate::runtime::Monitor;
use crate::segment::{Format, Segment};
use crate::state::{State, StateReturn, Transition};
use crate::time::{ClockTime, RunningTime};
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::sync::{Arc, OnceLock, Weak};

/// Properties every sink has, with the element's own defaults for `sync` and `async`.
pub(crate) fn base_props(factory: &FactoryInfo) -> Vec<PropInfo> {
    let flag = |bit: u32| if factory.role_flags & bit != 0 { "true" } else { "false" };
    let prop = super::prop;
    vec![
        prop("sync", "boolean", "Wait for the clock before each buffer", "", flag(GM_ROLE_SYNC)),
        prop(
            "async",
            "boolean",
            "Going to PAUSED waits for the first buffer",
            "",
            flag(GM_ROLE_ASYNC),
        ),
        prop("max-lateness", "int64", "A buffer later than this is dropped, -1: never", "ns", "-1"),
        prop("qos", "boolean", "Report lateness upstream", "", "false"),
        prop("ts-offset", "int64", "Added to each buffer's time", "ns", "0"),
        prop("render-delay", "uint64", "Render this much later", "ns", "0"),
        prop(
            "throttle-time",
            "uint64",
            "Least time between two buffers asked for by QoS, 0: any",
            "ns",
            "0",
        ),
        prop(
            "processing-deadline",
            "uint64",
            "Longest time rendering may take; part of the latency",
            "ns",
            "20000000",
        ),
    ]
}

/// The base's properties as the streaming thread reads them: each one load.
#[derive(Default)]
pub(super) struct Settings {
    pub sync: Live<bool>,
    pub is_async: Live<bool>,
    pub qos: Live<bool>,
    pub max_lateness: Live<i64>,
    pub ts_offset: Live<i64>,
    pub render_delay: Live<u64>,
    pub processing_deadline: Live<u64>,
}

impl Settings {
    fn read(&self, core: &ElementCore) {
        self.sync.set(core.number("sync").unwrap_or(true));
        self.is_async.set(core.number("async").unwrap_or(true));
        self.qos.set(core.number("qos").unwrap_or(false));
        self.max_lateness.set(core.number("max-lateness").unwrap_or(-1));
        self.ts_offset.set(core.number("ts-offset").unwrap_or(0));
        self.render_delay.set(core.number("render-delay").unwrap_or(0));
        self.processing_deadline.set(core.number("processing-deadline").unwrap_or(0));
    }
}

pub(crate) struct SinkBase {
    pub(super) core: Arc<ElementCore>,
    pub(super) settings: Settings,
    pub(super) sink: Arc<PadCore>,
    /// Used under the sink pad's stream lock.
    streaming: UnsafeCell<Streaming>,
    /// What the streaming thread and state changes agree on.
    pub(super) preroll: Monitor<Preroll>,
    /// The wait for the clock that the streaming thread is in.
    pub(super) clock_wait: ClockWait,
    /// Where playback is, for queries of any thread.
    pub(super) place: Mutex<Place>,
    handle: OnceLock<Weak<crate::handle::ElementInner>>,
}

// SAFETY: `streaming` is used under the sink pad's stream lock alone.
unsafe impl Sync for SinkBase {}
// SAFETY: all parts may move between threads.
unsafe impl Send for SinkBase {}

pub(super) struct Streaming {
    pub cx: Box<Context>,
    pub qos: sink_sync::Qos,
    /// Running time at which the last buffer ends: when the end of the stream is due.
    pub end_running_time: Option<u64>,
}

#[derive(Default)]
pub(super) struct Preroll {
    /// The next buffer is held until PLAYING.
    pub need_preroll: bool,
    /// A buffer (or the end) is held.
    pub have_preroll: bool,
    /// The element is on its way to PLAYING and waits for a buffer.
    pub playing_async: bool,
    /// The next buffer is to be shown to the element as preroll.
    pub call_preroll: bool,
    pub flushing: bool,
    /// The end of the stream arrived here.
    pub eos: Option<Seqnum>,
    /// Latency of the pipeline.
    pub latency: ClockTime,
}

#[derive(Default, Clone, Copy)]
pub(super) struct Place {
    pub segment: Option<Segment>,
    pub eos: bool,
}

/// What is on its way through the sink: a buffer, or an event that has a time.
pub(super) enum Item<'a> {
    Buffer(&'a Buffer),
    Gap(ClockTime, Option<ClockTime>),
    Eos,
    Other,
}

impl SinkBase {
    pub fn new(core: Arc<ElementCore>, sink: Arc<PadCore>) -> Arc<SinkBase> {
        let settings = Settings::default();
        settings.read(&core);
        Arc::new(SinkBase {
            settings,
            streaming: UnsafeCell::new(Streaming {
                cx: Context::new(&core, Some(sink.clone())),
                qos: sink_sync::Qos::default(),
                end_running_time: None,
            }),
            preroll: Monitor::new(Preroll::default()),
            clock_wait: ClockWait::new(),
            place: Mutex::default(),
            handle: OnceLock::new(),
            core,
            sink,
        })
    }

    /// Says which handle commits this sink's state.
    pub fn set_handle(&self, handle: Weak<crate::handle::ElementInner>) {
        let _ = self.handle.set(handle);
    }

    /// # Safety
    /// Under the sink pad's stream lock.
    #[allow(clippy::mut_from_ref, reason = "the stream lock makes it sole")]
    pub(super) unsafe fn streaming(&self) -> &mut Streaming {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.streaming.get() }
    }

    /// Whether the sink must see a buffer before it is in PAUSED.
    fn needs_preroll(&self, preroll: &Preroll) -> bool {
        let prerolled = preroll.have_preroll || preroll.eos.is_some();
        !prerolled && self.settings.is_async.get()
    }

    /// Holds what arrived while the sink is to be in PAUSED: shows it to the element, commits the
    /// state, waits for PLAYING.
    pub(super) fn hold(&self, s: &Streaming, item: &Item) -> FlowResult {
        loop {
            let mut preroll = self.preroll.lock();
            if preroll.flushing {
                return Err(FlowError::Flushing);
            }
            if !preroll.need_preroll {
                return Ok(());
            }
            if std::mem::take(&mut preroll.call_preroll)
                && let Item::Buffer(buf) = item
            {
                drop(preroll);
                self.core.attend_if_needed(&s.cx);
                self.core
                    .instance()
                    .preroll(&s.cx, buf)
                    .map_err(|flow| self.core.explain(flow, "preroll"))?;
                preroll = self.preroll.lock();
            }
            if !preroll.have_preroll || preroll.playing_async {
                preroll.have_preroll = true;
                if preroll.playing_async {
                    preroll.playing_async = false;
                    preroll.need_preroll = false;
                }
                drop(preroll);
                self.commit();
                preroll = self.preroll.lock();
            }
            if preroll.flushing {
                return Err(FlowError::Flushing);
            }
            if !preroll.need_preroll {
                preroll.have_preroll = false;
                return Ok(());
            }
            preroll.have_preroll = true;
            while preroll.need_preroll && !preroll.flushing {
                preroll.wait("PLAYING, with a buffer held in preroll");
            }
            preroll.have_preroll = false;
        }
    }

    /// The sink is where its state change was going; the handle says so to its bin.
    fn commit(&self) {
        if let Some(handle) = self.handle.get().and_then(Weak::upgrade) {
            crate::handle::ElementRef::from(handle).commit_async(None);
        }
    }

    fn render(&self, buf: Buffer) -> FlowResult {
        // SAFETY: chain is called under the stream lock.
        let s = unsafe { self.streaming() };
        let segment = self.sink.segment();
        if let Some(segment) = segment
            && segment.format == Format::Time
            && !is_inside(&segment, &buf)
        {
            trace_drop(&self.core, &self.sink, &buf, "outside the segment");
            return Ok(());
        }
        let item = Item::Buffer(&buf);
        let timing = sink_sync::timing(segment.as_ref(), &item);
        if let Some(end) = timing.end_running_time() {
            s.end_running_time = Some(end);
        }
        if !self.wait_until_due(s, &item, &timing)? {
            trace_drop(&self.core, &self.sink, &buf, "too late");
            return Ok(());
        }
        self.core.attend_if_needed(&s.cx);
        self.note_position(segment, &buf);
        let flow = self.core.instance().render(&s.cx, buf);
        if s.cx.has_outputs() {
            // SAFETY: under the stream lock; a sink's outputs are upstream events.
            unsafe { drain(&self.core, &s.cx) }?;
        }
        flow.map_err(|flow| self.core.explain(flow, "render"))?;
        s.qos.rendered();
        Ok(())
    }

    fn note_position(&self, segment: Option<Segment>, buf: &Buffer) {
        let Some(mut segment) = segment else { return };
        if segment.format == Format::Time
            && let Some(start) = buf.dts_or_pts()
        {
            let end = start + buf.duration().unwrap_or(ClockTime::ZERO);
            let at = if segment.rate > 0.0 { end } else { start };
            segment.position = Some(at.nanos());
        }
        self.place.lock().segment = Some(segment);
    }

    fn sink_event(&self, event: Event) -> FlowResult {
        match &event.kind {
            EventKind::FlushStart => {
                self.preroll.lock().flushing = true;
                self.preroll.notify_all();
                self.core.interrupt(true);
                self.clock_wait.unschedule();
                self.lose_state();
                return Ok(());
            }
            EventKind::FlushStop { reset_time } => {
                self.flushed(*reset_time);
                return Ok(());
            }
            _ if !event.is_serialized() => return Ok(()),
            _ => {}
        }
        // SAFETY: serialized events come under the stream lock.
        let s = unsafe { self.streaming() };
        self.core.attend_if_needed(&s.cx);
        self.core.instance().event_arrives(&s.cx, &event);
        match &event.kind {
            EventKind::Caps(caps) => return self.set_caps(s, caps),
            EventKind::Segment(segment) => self.place.lock().segment = Some(*segment),
            EventKind::Gap { pts, duration } => {
                let item = Item::Gap(*pts, *duration);
                let timing = sink_sync::timing(self.sink.segment().as_ref(), &item);
                self.wait_until_due(s, &item, &timing)?;
            }
            EventKind::Eos => return self.end(s, event),
            EventKind::SegmentDone { format, position } => {
                let timing = sink_sync::at_running_time(s.end_running_time);
                self.wait_until_due(s, &Item::Other, &timing)?;
                let done = MessageKind::SegmentDone { format: *format, position: *position };
                self.core.post_message(
                    Message::new(self.core.name.as_str(), done).with_seqnum(event.seqnum),
                );
            }
            EventKind::StreamStart { .. } => {
                self.core.post_message(
                    Message::new(self.core.name.as_str(), MessageKind::StreamStart)
                        .with_seqnum(event.seqnum),
                );
            }
            _ => {}
        }
        self.core
            .instance()
            .sink_event(&s.cx, &event)
            .map(|_| ())
            .map_err(|flow| self.core.explain(flow, "sink_event"))
    }

    fn set_caps(&self, s: &Streaming, caps: &Caps) -> FlowResult {
        let own = negotiate::own_caps(&self.core, &self.sink);
        if !caps.is_subset_of(&own) {
            let peer = crate::pad::Pad::peer(&*self.sink);
            let from = peer.map_or("upstream".to_owned(), |peer| crate::pad::Pad::path(&*peer));
            let to = crate::pad::Pad::path(&*self.sink);
            self.core.post_error(negotiate::mismatch(&from, caps, "comes out here", &to, &own));
            return Err(FlowError::NotNegotiated);
        }
        self.core
            .instance()
            .set_caps(&s.cx, Some(caps), None)
            .map_err(|flow| self.core.explain(flow, "set_caps"))
    }

    /// End of stream: held in PAUSED like a buffer, due when the last buffer ends, told to the
    /// application when everything is stored.
    fn end(&self, s: &mut Streaming, event: Event) -> FlowResult {
        self.preroll.lock().eos = Some(event.seqnum);
        self.place.lock().eos = true;
        let timing = sink_sync::at_running_time(s.end_running_time);
        self.wait_until_due(s, &Item::Eos, &timing)?;
        let flow = self.core.instance().sink_event(&s.cx, &event);
        if let Err(flow) = flow {
            return Err(self.core.explain(flow, "sink_event"));
        }
        // In PLAYING now: PAUSED held it above.
        self.core.post_message(
            Message::new(self.core.name.as_str(), MessageKind::Eos).with_seqnum(event.seqnum),
        );
        Ok(())
    }

    fn flushed(&self, reset_time: bool) {
        // SAFETY: flush-stop comes under the stream lock.
        let s = unsafe { self.streaming() };
        self.core.interrupt(false);
        self.clock_wait.reset();
        s.qos = sink_sync::Qos::default();
        s.end_running_time = None;
        self.core.instance().flush(&s.cx);
        *self.place.lock() = Place::default();
        {
            let mut preroll = self.preroll.lock();
            preroll.flushing = false;
            preroll.eos = None;
            preroll.have_preroll = false;
            preroll.call_preroll = true;
        }
        if reset_time {
            self.core.lent.write().start_time = Some(RunningTime::ZERO);
        }
    }

    /// A flush takes the buffer that PAUSED needs: the next one prerolls again, and the bin goes back
    /// to PLAYING by itself.
    fn lose_state(&self) {
        // Every wait under it was ended just now. When this thread has it already, it is the
        // streaming thread that flushes itself.
        let _streaming = self.sink.stream_lock().lock();
        if self.settings.is_async.get() {
            let mut preroll = self.preroll.lock();
            preroll.need_preroll = true;
            preroll.playing_async = false;
            drop(preroll);
            if let Some(handle) = self.handle.get().and_then(Weak::upgrade) {
                ElementRef::from(handle).lost_state();
            }
        }
    }

    fn change(&self, transition: Transition) -> StateReturn {
        let cx = Context::detached(&self.core);
        match transition {
            Transition::NULL_TO_READY => {
                self.core.interrupt(false);
                let Ok(_streaming) = self.sink.stream_lock().lock() else {
                    return StateReturn::Failure;
                };
                self.core.attend_if_needed(&cx);
                if let Err(flow) = self.core.instance().start(&cx) {
                    self.core.explain(flow, "start");
                    return StateReturn::Failure;
                }
                StateReturn::Success
            }
            Transition::READY_TO_PAUSED => {
                let is_async = self.settings.is_async.get();
                {
                    let mut preroll = self.preroll.lock();
                    let latency = preroll.latency;
                    *preroll = Preroll {
                        need_preroll: true,
                        call_preroll: true,
                        latency,
                        ..Preroll::default()
                    };
                }
                self.clock_wait.reset();
                self.core.interrupt(false);
                *self.place.lock() = Place::default();
                if let Ok(_streaming) = self.sink.stream_lock().lock() {
                    // SAFETY: the lock above.
                    let s = unsafe { self.streaming() };
                    s.qos = sink_sync::Qos::default();
                    s.end_running_time = None;
                }
                self.sink.activate();
                if is_async { StateReturn::Async } else { StateReturn::Success }
            }
            Transition::PAUSED_TO_PLAYING => self.go_playing(),
            Transition::PLAYING_TO_PAUSED => {
                let mut preroll = self.preroll.lock();
                preroll.need_preroll = true;
                preroll.playing_async = false;
                preroll.call_preroll = true;
                let needs = self.needs_preroll(&preroll);
                drop(preroll);
                // A buffer that waits for its time becomes the preroll.
                self.clock_wait.unschedule();
                if needs { StateReturn::Async } else { StateReturn::Success }
            }
            Transition::PAUSED_TO_READY => {
                self.sink.start_flushing();
                self.preroll.lock().flushing = true;
                self.preroll.notify_all();
                self.clock_wait.unschedule();
                self.core.interrupt(true);
                self.sink.deactivate();
                self.core.interrupt(false);
                StateReturn::Success
            }
            _ => {
                let Ok(_streaming) = self.sink.stream_lock().lock() else {
                    return StateReturn::Failure;
                };
                match self.core.instance().stop(&cx) {
                    Ok(()) => StateReturn::Success,
                    Err(flow) => {
                        self.core.explain(flow, "stop");
                        StateReturn::Failure
                    }
                }
            }
        }
    }

    fn go_playing(&self) -> StateReturn {
        self.clock_wait.reset();
        let mut preroll = self.preroll.lock();
        if self.needs_preroll(&preroll) {
            // The next buffer commits PLAYING.
            preroll.need_preroll = true;
            preroll.playing_async = true;
            preroll.call_preroll = true;
            return StateReturn::Async;
        }
        preroll.need_preroll = false;
        preroll.playing_async = false;
        preroll.notify_all();
        StateReturn::Success
    }
}

/// Whether any part of the buffer is inside the segment; one without a time always is.
fn is_inside(segment: &Segment, buf: &Buffer) -> bool {
    let Some(start) = buf.pts().or(buf.dts()) else { return true };
    let stop = buf.duration().map(|duration| (start + duration).nanos());
    segment.clip(Some(start.nanos()), stop.or(Some(start.nanos()))).is_some()
}

impl PadHandler for SinkBase {
    fn chain(&self, _: &PadCore, buf: Buffer) -> FlowResult {
        self.render(buf)
    }

    fn event(&self, _: &PadCore, event: Event) -> FlowResult {
        self.sink_event(event)
    }

    fn query(&self, pad: &PadCore, query: &mut Query) -> bool {
        let cx = Context::new(&self.core, Some(self.sink.clone()));
        if self.core.instance().query(&cx, query) {
            return true;
        }
        match query {
            Query::Caps { filter, result } => {
                let own = negotiate::own_caps(&self.core, pad);
                *result = Some(match filter {
                    Some(filter) => filter.intersect_first(&own),
                    None => own,
                });
                true
            }
            Query::AcceptCaps { caps, accepted } => {
                *accepted = caps.is_subset_of(&negotiate::own_caps(&self.core, pad));
                true
            }
            Query::Latency { .. } => self.latency_query(query),
            _ => false,
        }
    }

    fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        self.core.caps_changed(pad, caps);
    }
}

impl Behavior for SinkBase {
    fn change_state(&self, _: &ElementRef, transition: Transition) -> StateReturn {
        self.change(transition)
    }

    fn send_event(&self, event: Event) -> bool {
        match event.kind {
            EventKind::Latency(latency) => {
                self.preroll.lock().latency = latency;
                self.sink.push_event(event);
                true
            }
            _ if event.is_upstream() && !matches!(event.kind, EventKind::FlushStart) => {
                self.sink.push_event(event)
            }
            _ => self.sink.receive_event(event).is_ok(),
        }
    }

    fn query(&self, query: &mut Query) -> bool {
        match query {
            Query::Position { format: Format::Time, position } => {
                *position = self.position();
                position.is_some() || crate::pad::Pad::peer_query(&*self.sink, query)
            }
            Query::Latency { .. } => self.latency_query(query),
            Query::Caps { .. } | Query::AcceptCaps { .. } => {
                PadHandler::query(self, &self.sink, query)
            }
            _ => {
                PadHandler::query(self, &self.sink, query)
                    || crate::pad::Pad::peer_query(&*self.sink, query)
            }
        }
    }

    fn base_property_changed(&self, name: &str) {
        self.settings.read(&self.core);
        // A wait that the change may have ended looks again.
        if matches!(name, "sync" | "ts-offset" | "render-delay" | "max-lateness") {
            self.clock_wait.unschedule();
        }
    }
}

impl SinkBase {
    fn position(&self) -> Option<u64> {
        let place = *self.place.lock();
        let segment = place.segment?;
        if place.eos {
            return position::by_data(&segment);
        }
        let handle = self.handle.get().and_then(Weak::upgrade).map(ElementRef::from)?;
        let latency = self.preroll.lock().latency;
        if handle.current_state() == State::Playing
            && self.settings.sync.get()
            && let Some(now) = self.core.running_time_now()
        {
            return position::by_clock(&segment, now, latency);
        }
        position::by_data(&segment)
    }

    fn latency_query(&self, query: &mut Query) -> bool {
        let mut upstream = Query::latency();
        let asked = crate::pad::Pad::peer_query(&*self.sink, &mut upstream);
        let synced = self.settings.sync.get();
        let Query::Latency { live, min, max } = upstream else { return false };
        let (mut own_min, mut own_max) = if asked { (min, max) } else { (ClockTime::ZERO, None) };
        let is_live = asked && live && synced;
        if is_live {
            let delay = ClockTime::from_nanos(self.settings.render_delay.get());
            own_min += ClockTime::from_nanos(self.settings.processing_deadline.get());
            own_min += delay;
            own_max = own_max.map(|max| max + delay);
        } else if !synced {
            (own_min, own_max) = (ClockTime::ZERO, None);
        }
        *query = Query::Latency { live: is_live, min: own_min, max: own_max };
        true
    }
}
