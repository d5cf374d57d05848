//! Around a [`Transform`](crate::element::Transform): negotiation, pushing, events in their order.
//!
//! Invariant: what a callback gives back is pushed after it returned; queued output goes first.
//! In GStreamer: `libs/gst/base/gstbasetransform.c` (`gst_base_transform_chain`, `gst_base_transform_sink_eventfunc`).
//! Left out: in-place and passthrough modes as such; a buffer that is not shared is changed in place.

mod pull;
mod qos;

pub(crate) use qos::base_props;

use crate::base::pull::{PullTask, end as end_pull};
use crate::base::{Behavior, default, negotiate};
use crate::buffer::{Buffer, BufferFlags};
use crate::caps::Caps;
use crate::element::Direction;
use crate::error::{ElementError, FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::handle::ElementRef;
use crate::host::context::{Context, drain};
use crate::host::core::ElementCore;
use crate::host::instance::Given;
use crate::pad::route::{Call, Stage};
use crate::pad::{Pad, PadCore, PadHandler, PadMode, attention};
use crate::plugin::abi::{GM_ROLE_OWN_ORDER, GmFlowBuf, GmPassed};
use crate::property::Live;
use crate::query::Query;
use crate::state::{StateReturn, Transition};
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

pub(crate) struct TransformBase {
    core: Arc<ElementCore>,
    sink: Arc<PadCore>,
    src: Arc<PadCore>,
    /// Used under the sink pad's stream lock.
    streaming: UnsafeCell<Streaming>,
    /// The property `qos`.
    qos: Live<bool>,
    report: Mutex<Option<qos::Report>>,
    /// What drives the input in pull mode.
    pull: PullTask,
    /// The element was started.
    is_open: AtomicBool,
    myself: Weak<TransformBase>,
}

// SAFETY: `streaming` is used under the sink pad's stream lock alone.
unsafe impl Sync for TransformBase {}
// SAFETY: all parts may move between threads.
unsafe impl Send for TransformBase {}

struct Streaming {
    cx: Box<Context>,
    negotiated: bool,
    /// The element takes any format, and none was announced.
    input: Option<Caps>,
    /// The sink has said how late it is, so each buffer is looked at.
    is_behind: bool,
    /// A buffer was dropped before the next one that goes out.
    discont: bool,
    dropped: u64,
    /// Where the task is that pulls the input.
    pulled: Option<Box<pull::Pulled>>,
}

impl TransformBase {
    pub fn new(
        core: Arc<ElementCore>,
        sink: Arc<PadCore>,
        src: Arc<PadCore>,
    ) -> Arc<TransformBase> {
        Arc::new_cyclic(|myself| TransformBase {
            streaming: UnsafeCell::new(Streaming {
                cx: Context::new(&core, Some(sink.clone())),
                negotiated: false,
                input: None,
                is_behind: false,
                discont: false,
                dropped: 0,
                pulled: None,
            }),
            qos: Live::new(core.number("qos").unwrap_or(false)),
            report: Mutex::new(None),
            pull: PullTask::default(),
            is_open: AtomicBool::new(false),
            myself: myself.clone(),
            core,
            sink,
            src,
        })
    }

    /// # Safety
    /// Under the sink pad's stream lock.
    #[allow(clippy::mut_from_ref, reason = "the stream lock makes it sole")]
    unsafe fn streaming(&self) -> &mut Streaming {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.streaming.get() }
    }

    /// Everything before a transform call that does not happen for every buffer.
    ///
    /// # Safety
    /// Under the sink pad's stream lock.
    #[cold]
    unsafe fn prepare(&self) -> FlowResult {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        self.core.attend_if_needed(&s.cx);
        if self.src.take_reconfigure() || !s.negotiated {
            if let Some(input) = s.input.clone() {
                negotiate::transform(&self.core, &self.sink, &self.src, &s.cx, &input)?;
            }
            s.negotiated = true;
        }
        s.is_behind = self.has_report();
        Ok(())
    }

    /// Formats the pad could have, seen through the element from the other side.
    fn possible(&self, cx: &Context, pad: &PadCore, filter: Option<&Caps>) -> Caps {
        let (other, there) = match pad.direction() {
            Direction::Sink => (&self.src, Direction::Src),
            Direction::Src => (&self.sink, Direction::Sink),
        };
        let instance = self.core.instance();
        let template = pad.template_caps();
        let across = match filter {
            Some(filter) => {
                let here = filter.intersect_first(&template);
                instance.transform_caps(cx, there.opposite(), &here)
            }
            None => Caps::any(),
        };
        let across = across.intersect_first(&other.template_caps());
        let peer = negotiate::peer_caps(other, &across).intersect_first(&other.template_caps());
        let back = instance.transform_caps(cx, there, &peer);
        let back = match filter {
            Some(filter) => filter.intersect_first(&back),
            None => back,
        };
        let mut back = back.intersect_first(&template);
        if self.core.factory.role_flags & GM_ROLE_OWN_ORDER != 0 {
            return back;
        }
        // What the other side has comes first, where it can be had: then nothing need be done here.
        let mut unchanged = peer.intersect_first(&back);
        if !unchanged.is_empty() {
            unchanged.merge(&back);
            back = unchanged;
        }
        back
    }

    /// Whether the element can do something with a format of the pad. What its neighbors say to that is asked
    /// when the format comes, by each of its own peer: else every one on the way would ask all beyond it.
    fn accepts(&self, cx: &Context, pad: &PadCore, caps: &Caps) -> bool {
        let other = match pad.direction() {
            Direction::Sink => &self.src,
            Direction::Src => &self.sink,
        };
        let across = |caps: &Caps| self.core.instance().transform_caps(cx, pad.direction(), caps);
        caps.can_intersect(&pad.template_caps())
            && across(caps).can_intersect(&other.template_caps())
    }

    fn query_with(&self, cx: &Context, pad: &PadCore, query: &mut Query) -> bool {
        if self.core.instance().query(cx, query) {
            return true;
        }
        if cx.was_refused() {
            // In a chain of such elements twice for each would be without end.
            return false;
        }
        match query {
            Query::Caps { filter, result } => {
                *result = Some(self.possible(cx, pad, filter.as_ref()));
                true
            }
            Query::AcceptCaps { caps, accepted } => {
                *accepted = self.accepts(cx, pad, caps);
                true
            }
            // An element that makes other buffers wants nothing of those it gets, once it knows its formats.
            Query::Allocation(_) => {
                pad.direction() == Direction::Sink && self.src.current_caps().is_some()
            }
            Query::Scheduling(_) if pad.direction() == Direction::Src => {
                self.scheduling_query(query)
            }
            // As GStreamer's base class asks only the peer: no peer, no answer.
            Query::Latency { .. }
                if pad.direction() == Direction::Src && !self.sink.is_linked() =>
            {
                false
            }
            _ => default::query(&self.core, pad, query),
        }
    }

    fn sink_event(&self, event: Event) -> FlowResult {
        match &event.kind {
            EventKind::FlushStart => {
                self.core.interrupt(true);
                self.src.push_event(event);
                return Ok(());
            }
            EventKind::FlushStop { .. } => {
                self.core.interrupt(false);
                // SAFETY: a flush-stop comes under the stream lock.
                let s = unsafe { self.streaming() };
                s.cx.stage.is_plain.set(false);
                self.core.instance().flush(&s.cx);
                self.forget_qos(s);
                s.discont = false;
                s.cx.take_outputs();
                self.src.push_event(event);
                return Ok(());
            }
            _ if !event.is_serialized() => {
                self.src.push_event_full(event)?;
                return Ok(());
            }
            _ => {}
        }
        // SAFETY: serialized events come under the stream lock.
        let s = unsafe { self.streaming() };
        s.cx.stage.is_plain.set(false);
        self.core.attend_if_needed(&s.cx);
        self.core.instance().event_arrives(&s.cx, &event);
        if matches!(event.kind, EventKind::Segment(_)) {
            self.forget_qos(s);
        }
        if let EventKind::Caps(caps) = &event.kind {
            s.input = Some(caps.clone());
            self.src.take_reconfigure();
            negotiate::transform(&self.core, &self.sink, &self.src, &s.cx, caps)?;
            s.negotiated = true;
            // What the element sent itself (a decoder's own format) goes after.
            // SAFETY: under the stream lock.
            return unsafe { drain(&self.core, &s.cx) };
        }
        let forward = self.core.instance().sink_event(&s.cx, &event);
        // SAFETY: under the stream lock.
        let drained = unsafe { drain(&self.core, &s.cx) };
        let forward = forward.map_err(|flow| self.core.explain(flow, "sink_event"));
        match forward {
            Ok(true) => {
                // What could not be drained does not keep the end from those downstream.
                let sent = self.src.push_event_full(event.clone());
                if event.is_sticky() { Ok(()) } else { sent.or(drained) }
            }
            Ok(false) => drained,
            // Those downstream must hear of the end even when the last data failed.
            Err(flow) if matches!(event.kind, EventKind::Eos) => {
                self.src.push_event(event);
                Err(flow)
            }
            Err(flow) => Err(flow),
        }
    }

    /// One buffer through the element and on. Under the sink pad's stream lock.
    #[inline]
    fn flow(&self, buf: Buffer) -> FlowResult {
        // SAFETY: chain is called under the stream lock.
        let s = unsafe { self.streaming() };
        s.cx.stage.is_plain.set(false);
        if self.core.attention.get() != 0
            || !s.negotiated
            || s.is_behind
            || self.src.has(attention::RECONFIGURE)
        {
            // SAFETY: under the stream lock.
            unsafe { self.prepare() }?;
            if s.is_behind && self.is_late(s, &buf) {
                return Ok(());
            }
        }
        s.cx.stage.came(1);
        let given = self.core.instance().transform(&s.cx, buf);
        self.go_on(s, given)
    }

    /// What comes behind the call of the element. Under the sink pad's stream lock.
    #[inline]
    fn go_on(&self, s: &mut Streaming, given: FlowResult<Given>) -> FlowResult {
        if s.cx.has_outputs() {
            // SAFETY: under the stream lock.
            unsafe { drain(&self.core, &s.cx) }?;
        }
        match given {
            Ok(Given::Buffer(mut buf)) => {
                if std::mem::take(&mut s.discont) && !buf.has(BufferFlags::DISCONT) {
                    buf.set_flags(BufferFlags::DISCONT);
                }
                s.cx.stage.is_plain.set(s.negotiated && !s.is_behind);
                // SAFETY: under the stream lock of the pad that feeds this one.
                unsafe { self.src.push(buf) }
            }
            Ok(Given::Nothing) => {
                s.discont |= s.cx.take_dropped();
                s.cx.stage.is_plain.set(s.negotiated && !s.is_behind && !s.discont);
                Ok(())
            }
            Err(flow) => Err(self.core.explain(flow, "transform")),
        }
    }

    /// Makes everything ready for the first buffer, or the first range. It says itself what goes wrong.
    fn open(&self) -> bool {
        self.core.interrupt(false);
        let Ok(_streaming) = self.sink.stream_lock().lock() else { return false };
        // SAFETY: the lock above.
        let s = unsafe { self.streaming() };
        (s.negotiated, s.input) = (false, None);
        (s.dropped, s.discont) = (0, false);
        s.cx.stage.restart();
        s.pulled = None;
        self.forget_qos(s);
        self.core.attend_if_needed(&s.cx);
        if let Err(flow) = self.core.instance().start(&s.cx) {
            self.core.explain(flow, "start");
            return false;
        }
        self.is_open.store(true, Ordering::Release);
        true
    }

    /// Ends what [`TransformBase::open`] began. Nothing comes through any more.
    fn close(&self) -> StateReturn {
        if !self.is_open.swap(false, Ordering::AcqRel) {
            return StateReturn::Success;
        }
        if let Ok(_streaming) = self.sink.stream_lock().lock() {
            // SAFETY: the lock above.
            unsafe { self.streaming() }.cx.supply.agree(None);
        }
        let cx = Context::detached(&self.core);
        match self.core.instance().stop(&cx) {
            Ok(()) => StateReturn::Success,
            Err(flow) => {
                self.core.explain(flow, "stop");
                StateReturn::Failure
            }
        }
    }
}

impl PadHandler for TransformBase {
    fn chain(&self, _: &PadCore, buf: Buffer) -> FlowResult {
        self.flow(buf)
    }

    fn stage(&self, _: &PadCore) -> Option<(Stage, Arc<PadCore>)> {
        // SAFETY: the stream lock is held.
        let s = unsafe { self.streaming() };
        let (call, obj) = self.core.instance().transform_function()?;
        let stage = Stage::Call(Call {
            call,
            obj,
            cx: s.cx.raw(),
            attention: &raw const self.core.attention,
            state: &raw const s.cx.stage,
        });
        Some((stage, self.src.clone()))
    }

    fn passing(&self, _: &PadCore) -> *mut GmPassed {
        // SAFETY: the stream lock is held.
        let s = unsafe { self.streaming() };
        self.core.instance().passes(&s.cx)
    }

    fn resume(&self, _: &PadCore, given: GmFlowBuf) -> FlowResult {
        // SAFETY: the stream lock is held.
        let s = unsafe { self.streaming() };
        s.cx.stage.is_plain.set(false);
        self.go_on(s, Given::from_raw(given))
    }

    fn get_range(&self, _: &PadCore, offset: u64, size: u32) -> FlowResult<Buffer> {
        self.range(offset, size)
    }

    fn switch(&self, pad: &PadCore, mode: PadMode, active: bool) -> bool {
        self.switch_mode(pad, mode, active)
    }

    fn event(&self, pad: &PadCore, event: Event) -> FlowResult {
        if pad.direction() == Direction::Sink {
            return self.sink_event(event);
        }
        if matches!(event.kind, EventKind::Reconfigure) {
            // The next buffer negotiates, and asks upstream only if it must.
            return Ok(());
        }
        self.note_qos(&event);
        if self.core.take_upstream(&event) {
            return Ok(());
        }
        if self.src.mode() == PadMode::Pull {
            self.flush_ranges(&event);
        }
        if matches!(event.kind, EventKind::Seek(_)) && self.pull.is_there() {
            return self.seek_input(event);
        }
        if !matches!(event.kind, EventKind::Seek(_)) {
            return self.sink.push_event_full(event);
        }
        let cx = Context::new(&self.core, Some(self.src.clone()));
        let onward = self.core.instance().seek_through(&cx, event);
        self.sink.push_event_full(onward.ok_or(FlowError::NotSupported)?)
    }

    fn query(&self, pad: &PadCore, query: &mut Query) -> bool {
        if let Query::Allocation(asked) = query
            && asked.caps == self.src.current_caps()
        {
            // What comes in goes out, so it may be the memory of those beyond.
            return pad.direction() == Direction::Sink && self.src.ask_peer(query);
        }
        Context::lend(&self.core, self.core.pad(pad.id()), |cx| self.query_with(cx, pad, query))
    }

    fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        self.core.caps_changed(pad, caps);
    }

    fn report(&self, error: ElementError) {
        self.core.post_error(error);
    }

    fn onward(&self, _: &PadCore) -> Vec<Arc<PadCore>> {
        vec![self.src.clone()]
    }
}

impl Behavior for TransformBase {
    fn change_state(&self, _: &ElementRef, transition: Transition) -> StateReturn {
        match transition {
            // Downstream, which pulls, did it.
            Transition::READY_TO_PAUSED if self.src.mode() == PadMode::Pull => StateReturn::Success,
            Transition::READY_TO_PAUSED => {
                if !self.open() {
                    return StateReturn::Failure;
                }
                self.src.activate();
                self.begin_input()
            }
            Transition::PAUSED_TO_READY if self.src.mode() == PadMode::Pull => {
                self.src.activate_mode(PadMode::Pull, false);
                StateReturn::Success
            }
            Transition::PAUSED_TO_READY => {
                self.sink.start_flushing();
                self.src.start_flushing();
                self.core.interrupt(true);
                if self.pull.is_there() {
                    end_pull(self);
                }
                self.sink.deactivate();
                self.src.deactivate();
                self.close()
            }
            Transition::PAUSED_TO_PLAYING => {
                self.core.set_playing(true);
                self.pull.set_playing(true);
                StateReturn::Success
            }
            Transition::PLAYING_TO_PAUSED => {
                self.core.set_playing(false);
                self.pull.set_playing(false);
                StateReturn::Success
            }
            _ => StateReturn::Success,
        }
    }

    fn send_event(&self, event: Event) -> bool {
        if event.is_upstream() {
            self.src.receive_event(event).is_ok()
        } else {
            self.sink.receive_event(event).is_ok()
        }
    }

    fn query(&self, query: &mut Query) -> bool {
        PadHandler::query(self, &self.src, query)
    }

    fn base_property_changed(&self, name: &str) {
        if name == "qos" {
            self.qos.set(self.core.number("qos").unwrap_or(false));
        }
    }
}

impl Drop for TransformBase {
    fn drop(&mut self) {
        // The link keeps the elements downstream alive; it goes with the element.
        self.src.unlink();
    }
}
