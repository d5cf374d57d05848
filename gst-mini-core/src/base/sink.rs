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
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_chain_unlocked`, `gst_base_sink_default_event`).
//! Left out: buffer lists, last-sample.

mod position;
pub(crate) mod preroll;
mod pull;
mod qos;
mod settings;
mod step;
mod sync;

pub(crate) use settings::base_props;

use crate::base::pull::PullTask;
use crate::base::{Behavior, negotiate};
use crate::buffer::Buffer;
use crate::caps::Caps;
use crate::clock::ClockWait;
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::{Event, EventKind, Seqnum, next_seqnum};
use crate::handle::{ElementInner, ElementRef};
use crate::host::context::{Context, drain, trace_drop};
use crate::host::core::ElementCore;
use crate::message::{Message, MessageKind};
use crate::pad::{Pad, PadCore, PadHandler};
use crate::query::Query;
use crate::segment::{Format, Segment};
use crate::state::{StateReturn, Transition};
use crate::time::ClockTime;
use position::Shown;
use preroll::Gate;
use qos::{Qos, Told};
use settings::Settings;
use std::cell::UnsafeCell;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock, Weak};

pub(crate) struct SinkBase {
    core: Arc<ElementCore>,
    settings: Settings,
    sink: Arc<PadCore>,
    /// Used under the sink pad's stream lock.
    streaming: UnsafeCell<Streaming>,
    /// What the streaming thread and state changes agree on.
    preroll: Gate,
    /// What control threads want the streaming thread to forget; see `sync`.
    orders: AtomicU32,
    /// The wait for the clock that the streaming thread is in.
    clock_wait: ClockWait,
    shown: Shown,
    told: Told,
    /// What pulls in pull mode.
    pull: PullTask,
    myself: Weak<SinkBase>,
    handle: OnceLock<Weak<ElementInner>>,
}

// SAFETY: `streaming` is used under the sink pad's stream lock alone.
unsafe impl Sync for SinkBase {}
// SAFETY: all parts may move between threads.
unsafe impl Send for SinkBase {}

struct Streaming {
    cx: Box<Context>,
    /// What running times are told by: upstream's, changed by steps.
    segment: Segment,
    have_segment: bool,
    qos: Qos,
    step: Option<step::Current>,
    /// Running times of the object under way, ns.
    current_start: Option<u64>,
    current_stop: Option<u64>,
    /// How late it was, ns.
    current_jitter: i64,
    /// Running time at which the end of the stream is due: when the last object ends.
    end_due: Option<u64>,
    rate_control: RateControl,
    /// In pull mode: the byte that comes next, and the cause of the segment.
    pulled_to: u64,
    pull_seqnum: Seqnum,
}

/// Keeps to `max-bitrate`.
#[derive(Default)]
struct RateControl {
    /// Running time the count began at, ns.
    began: u64,
    bytes: u64,
    /// When the next buffer may be rendered.
    next: Option<u64>,
}

/// What is on its way through the sink and takes part in preroll.
enum Item<'a> {
    Buffer(&'a Buffer),
    Gap(ClockTime, Option<ClockTime>),
    Eos,
}

impl Streaming {
    fn new(cx: Box<Context>) -> Streaming {
        Streaming {
            cx,
            segment: Segment::new(Format::Undefined),
            have_segment: false,
            qos: Qos::default(),
            step: None,
            current_start: None,
            current_stop: None,
            current_jitter: 0,
            end_due: None,
            rate_control: RateControl::default(),
            pulled_to: 0,
            pull_seqnum: next_seqnum(),
        }
    }

    /// READY to PAUSED: nothing is known.
    fn restart(&mut self) {
        self.segment = Segment::new(Format::Undefined);
        self.have_segment = false;
        self.qos = Qos::default();
        self.step = None;
        self.end_due = None;
        self.rate_control = RateControl::default();
    }
}

impl SinkBase {
    pub fn new(core: Arc<ElementCore>, sink: Arc<PadCore>) -> Arc<SinkBase> {
        let settings = Settings::default();
        settings.read(&core);
        Arc::new_cyclic(|myself| SinkBase {
            settings,
            streaming: UnsafeCell::new(Streaming::new(Context::new(&core, Some(sink.clone())))),
            preroll: Gate::default(),
            orders: AtomicU32::new(0),
            clock_wait: ClockWait::new(),
            shown: Shown::default(),
            told: Told::default(),
            pull: PullTask::default(),
            myself: myself.clone(),
            handle: OnceLock::new(),
            core,
            sink,
        })
    }

    /// Says which handle commits this sink's state.
    pub fn set_handle(&self, handle: Weak<ElementInner>) {
        let _ = self.handle.set(handle);
    }

    /// # Safety
    /// Under the sink pad's stream lock.
    #[allow(clippy::mut_from_ref, reason = "the stream lock makes it sole")]
    unsafe fn streaming(&self) -> &mut Streaming {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.streaming.get() }
    }

    #[inline]
    fn render(&self, buf: Buffer) -> FlowResult {
        // SAFETY: chain is called under the stream lock.
        let s = unsafe { self.streaming() };
        if s.have_segment
            && (!self.settings.clips.get() || is_inside(&s.segment, &buf))
            && let Some(late) = self.sync_plainly(s, &buf)
        {
            return self.finish(s, buf, late);
        }
        self.render_looking(s, buf)
    }

    /// What becomes of a buffer whose time has come.
    #[inline(always)]
    fn finish(&self, s: &mut Streaming, buf: Buffer, late: bool) -> FlowResult {
        let flow = self.show_or_drop(s, buf, late);
        if flow != Err(FlowError::Flushing) {
            self.report(s, late);
        }
        flow
    }

    /// [`SinkBase::render`] where a buffer may be held, waited for, or stepped over.
    #[inline(never)]
    fn render_looking(&self, s: &mut Streaming, buf: Buffer) -> FlowResult {
        if !s.have_segment {
            self.assume_segment(s);
        }
        if self.settings.clips.get() && !is_inside(&s.segment, &buf) {
            trace_drop(&self.core, &self.sink, &buf, "outside the segment");
            return Ok(());
        }
        let mut buf = buf;
        loop {
            let synced = self.sync(s, &Item::Buffer(&buf))?;
            if !synced.step_ended {
                return self.finish(s, buf, synced.late);
            }
            // A step that shows what it goes over ends in the middle of a buffer; what follows is
            // shown again.
            let rest = buf.clone();
            let _ = self.show_or_drop(s, buf, synced.late);
            let (start, stop) = (s.current_start, s.current_stop);
            self.end_step(s, start, stop, false);
            buf = rest;
        }
    }

    #[inline(always)]
    fn show_or_drop(&self, s: &mut Streaming, buf: Buffer, late: bool) -> FlowResult {
        if late {
            trace_drop(&self.core, &self.sink, &buf, "too late");
            self.drop_late(s, &buf);
            return Ok(());
        }
        self.count_bytes(s, &buf);
        let flow = self.show(s, buf);
        Told::count(&self.told.rendered);
        flow
    }

    #[inline]
    fn show(&self, s: &Streaming, buf: Buffer) -> FlowResult {
        self.core.attend_if_needed(&s.cx);
        let flow = self.core.instance().render(&s.cx, buf);
        if s.cx.has_outputs() {
            // SAFETY: under the stream lock; a sink's outputs are upstream events.
            unsafe { drain(&self.core, &s.cx) }?;
        }
        flow.map_err(|flow| self.core.explain(flow, "render"))
    }

    #[inline]
    fn count_bytes(&self, s: &mut Streaming, buf: &Buffer) {
        let bits = self.settings.max_bitrate.get();
        if bits == 0 {
            s.rate_control.next = None;
            return;
        }
        s.rate_control.bytes += buf.size() as u64;
        let taken = crate::time::scale(s.rate_control.bytes, 8 * ClockTime::SECOND.nanos(), bits);
        s.rate_control.next = taken.map(|taken| s.rate_control.began.saturating_add(taken));
    }

    /// Data without a segment: as if it began at 0.
    #[cold]
    fn assume_segment(&self, s: &mut Streaming) {
        if self.settings.sync.get() {
            self.core.post(MessageKind::Warning(
                ElementError::new(ErrorKind::Failed, "data came before a segment event")
                    .with_debug("timestamps are taken to start from 0"),
            ));
        }
        s.segment.start = 0;
        s.segment.stop = None;
        s.have_segment = true;
        self.shown.set_segment(s.segment);
    }

    fn sink_event(&self, event: Event) -> FlowResult {
        match &event.kind {
            EventKind::FlushStart => {
                self.start_flush();
                return Ok(());
            }
            EventKind::FlushStop { reset_time } => {
                // SAFETY: flush-stop comes under the stream lock.
                self.stop_flush(unsafe { self.streaming() }, *reset_time);
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
            EventKind::Segment(segment) => {
                let mut segment = *segment;
                let position = segment.position.unwrap_or(u64::MAX);
                let within = position.max(segment.start).min(segment.stop.unwrap_or(u64::MAX));
                segment.position = (within != u64::MAX).then_some(within);
                s.segment = segment;
                s.have_segment = true;
                s.qos = Qos::default();
                self.told.restart();
                self.shown.set_segment(segment);
            }
            EventKind::Gap { pts, duration } => {
                self.sync(s, &Item::Gap(*pts, *duration))?;
            }
            EventKind::Eos => return self.end(s, event),
            EventKind::StreamStart { group_id, .. } => {
                let kind = MessageKind::StreamStart { group_id: *group_id };
                let message = Message::new(&*self.core.name, kind);
                self.core.post_message(message.with_seqnum(event.seqnum));
            }
            EventKind::Tag(tags) => self.core.post(MessageKind::Tag(tags.clone())),
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
            let peer = self.sink.peer();
            let from = peer.map_or("upstream".to_owned(), |peer| peer.path());
            let to = self.sink.path();
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
        self.preroll.lock().received_eos = true;
        self.sync(s, &Item::Eos)?;
        let flow = self.core.instance().sink_event(&s.cx, &event);
        if let Err(flow) = flow {
            return Err(self.core.explain(flow, "sink_event"));
        }
        self.shown.set_eos(true);
        self.preroll.lock().told_eos = Some(event.seqnum);
        self.post_eos(event.seqnum);
        Ok(())
    }
}

/// Whether any part of the buffer is inside the segment; one without a time always is.
#[inline]
fn is_inside(segment: &Segment, buf: &Buffer) -> bool {
    let Some(due) = buf.dts().or(buf.pts()).filter(|_| segment.format == Format::Time) else {
        return true;
    };
    let start = buf.pts().unwrap_or(due);
    let stop = buf.duration().map(|duration| (start + duration).nanos());
    segment.clip(Some(start.nanos()), stop).is_some()
}

impl PadHandler for SinkBase {
    fn chain(&self, _: &PadCore, buf: Buffer) -> FlowResult {
        self.render(buf)
    }

    fn event(&self, _: &PadCore, event: Event) -> FlowResult {
        self.sink_event(event)
    }

    fn query(&self, pad: &PadCore, query: &mut Query) -> bool {
        let pad_of_call = Some(self.sink.clone());
        if Context::lend(&self.core, pad_of_call, |cx| self.core.instance().query(cx, query)) {
            return true;
        }
        match query {
            Query::Caps { .. } | Query::AcceptCaps { .. } => {
                negotiate::answer(&self.core, pad, query)
            }
            Query::Position { .. } => self.position_query(query),
            Query::Latency { .. } => self.latency_query(query),
            // What was sent before has been rendered, as this came behind it.
            Query::Drain => true,
            _ => false,
        }
    }

    fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        self.core.caps_changed(pad, caps);
    }

    fn report(&self, error: ElementError) {
        self.core.post_error(error);
    }
}

impl Behavior for SinkBase {
    fn change_state(&self, handle: &ElementRef, transition: Transition) -> StateReturn {
        self.change(handle, transition)
    }

    fn configured_latency(&self) -> Option<ClockTime> {
        Some(self.preroll.lock().latency)
    }

    fn send_event(&self, event: Event) -> bool {
        match event.kind {
            EventKind::Latency(latency) => {
                let forward = {
                    let mut preroll = self.preroll.lock();
                    preroll.latency = latency;
                    preroll.have_latency
                };
                if forward {
                    self.sink.push_event(event);
                }
                true
            }
            EventKind::Step(step) => self.ask_step(step, event.seqnum),
            EventKind::Seek(ref seek) if self.is_pulling() => self.seek(seek, event.seqnum),
            _ if event.is_upstream() && !matches!(event.kind, EventKind::FlushStart) => {
                self.sink.push_event(event)
            }
            _ => self.sink.receive_event(event).is_ok(),
        }
    }

    fn query(&self, query: &mut Query) -> bool {
        match query {
            Query::Position { .. } => self.position_query(query),
            Query::Latency { .. } => self.latency_query(query),
            Query::Caps { .. } | Query::AcceptCaps { .. } => {
                PadHandler::query(self, &self.sink, query)
            }
            _ => PadHandler::query(self, &self.sink, query) || self.sink.peer_query(query),
        }
    }

    fn base_property(&self, name: &str) -> Option<String> {
        (name == "stats").then(|| self.told.text())
    }

    fn base_property_changed(&self, name: &str) {
        self.settings.read(&self.core);
        // A wait that is not wanted any more is over; what else a wait depends on is read when it
        // begins.
        if name == "sync" && !self.settings.sync.get() {
            self.clock_wait.unschedule();
        }
    }
}
