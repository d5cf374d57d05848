//! Preroll: in PAUSED a sink holds the first object it gets, and only then has it reached PAUSED.
//!
//! ```text
//!   set_state(PAUSED) ── async ──▶ first object: shown to the element, state committed, held ── PLAYING ──▶ goes on
//!          flush ── state lost ──▶ the next one does the same again
//! ```
//!
//! Invariant: a sink's state is committed by the streaming thread in one step, against which a
//! state change comes wholly before or wholly after.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_do_preroll`, `gst_base_sink_commit_state`, `gst_base_sink_change_state`).
//! Left out: `unlock` on the way to PAUSED; an element that renders when PAUSED is asked for finishes it.

use super::step::Pending;
use super::sync::{FORGET_QOS, FORGET_STEP};
use super::{Item, SinkBase, Streaming};
use crate::base::pull;
use crate::error::{FlowError, FlowResult};
use crate::event::Seqnum;
use crate::handle::{Committed, ElementRef};
use crate::host::context::Context;
use crate::message::{Message, MessageKind};
use crate::runtime::{self, Monitor, MonitorGuard};
use crate::segment::{Format, Segment};
use crate::state::{State, StateReturn, Transition};
use crate::time::{ClockTime, RunningTime};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

/// What a sink waits for while it holds a buffer, or the end, in PAUSED.
pub(crate) const HELD: &str = "PLAYING, with an object held in preroll";

/// What the streaming thread and control threads agree on.
#[derive(Default)]
pub(in crate::base) struct Preroll {
    /// The next object is held until PLAYING.
    pub need_preroll: bool,
    /// An object is held.
    pub have_preroll: bool,
    /// The next object commits the state.
    pub playing_async: bool,
    /// The state change under way, or the last one, was committed.
    pub committed: bool,
    /// The next buffer held is to be shown to the element.
    pub call_preroll: bool,
    pub flushing: bool,
    /// The end of the stream arrived here.
    pub received_eos: bool,
    /// The end of the stream was told to the application.
    pub told_eos: Option<Seqnum>,
    /// Latency can be asked for: prerolled, or never going to.
    pub have_latency: bool,
    /// Latency of the pipeline.
    pub latency: ClockTime,
    pub(super) pending_step: Option<Pending>,
    /// A flushing step ends the hold.
    pub step_unlock: bool,
}

impl Preroll {
    fn needs_preroll(&self) -> bool {
        !self.have_preroll && !self.received_eos
    }
}

/// [`Preroll`] behind its lock, and whether a buffer that comes now has anything to do with it.
#[derive(Default)]
pub(in crate::base) struct Gate {
    preroll: Monitor<Preroll>,
    /// Nothing is held, flushed or stepped: what the lock says, for who only looks.
    is_open: AtomicBool,
}

/// The lock of a [`Gate`].
pub(in crate::base) struct GateGuard<'a> {
    gate: &'a Gate,
    preroll: MonitorGuard<'a, Preroll>,
}

impl Gate {
    pub fn lock(&self) -> GateGuard<'_> {
        GateGuard { gate: self, preroll: self.preroll.lock() }
    }

    /// Whether it was open a moment ago, as whoever had locked it then would have found it.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }
}

impl GateGuard<'_> {
    fn show(&self) {
        let this = &*self.preroll;
        let is_open = !this.need_preroll && !this.flushing && this.pending_step.is_none();
        self.gate.is_open.store(is_open, Ordering::Release);
    }

    fn wait(&mut self, why: &'static str) {
        self.show();
        self.preroll.wait(why);
    }

    pub fn notify_all(&mut self) {
        self.preroll.notify_all();
    }
}

impl Deref for GateGuard<'_> {
    type Target = Preroll;
    fn deref(&self) -> &Preroll {
        &self.preroll
    }
}

impl DerefMut for GateGuard<'_> {
    fn deref_mut(&mut self) -> &mut Preroll {
        &mut self.preroll
    }
}

impl Drop for GateGuard<'_> {
    fn drop(&mut self) {
        self.show();
    }
}

impl SinkBase {
    pub(super) fn handle(&self) -> Option<ElementRef> {
        self.handle.get().and_then(std::sync::Weak::upgrade).map(ElementRef::from)
    }

    /// Holds an object while the sink is to be in PAUSED: shows it to the element, commits the
    /// state, waits for PLAYING. Gives a step that is to begin with it.
    #[inline]
    pub(super) fn hold(&self, s: &mut Streaming, item: &Item) -> FlowResult<Option<Pending>> {
        if self.preroll.is_open() {
            self.obey(s);
            return Ok(None);
        }
        self.hold_closed(s, item)
    }

    #[inline(never)]
    fn hold_closed(&self, s: &mut Streaming, item: &Item) -> FlowResult<Option<Pending>> {
        let mut preroll = self.preroll.lock();
        loop {
            if preroll.flushing {
                return Err(FlowError::Flushing);
            }
            if !preroll.need_preroll {
                self.obey(s);
                return Ok(preroll.pending_step.take_if(|_| s.step.is_none()));
            }
            if preroll.call_preroll
                && let Item::Buffer(buf) = item
            {
                preroll.call_preroll = false;
                drop(preroll);
                self.core.attend_if_needed(&s.cx);
                if let Err(flow) = self.core.instance().preroll(&s.cx, buf) {
                    self.preroll.lock().call_preroll = true;
                    return Err(self.core.explain(flow, "preroll"));
                }
                preroll = self.preroll.lock();
            }
            if preroll.playing_async && !preroll.flushing {
                preroll = self.commit(preroll)?;
                // A change of state may have asked for another commit meanwhile.
                continue;
            }
            if preroll.need_preroll && !preroll.flushing {
                preroll.have_preroll = true;
                while preroll.need_preroll && !preroll.flushing && !preroll.step_unlock {
                    runtime::at(&self.core.name, || preroll.wait(HELD));
                }
                preroll.have_preroll = false;
                preroll.step_unlock = false;
            }
        }
    }

    /// The sink is where its state change was going.
    fn commit<'a>(&'a self, mut preroll: GateGuard<'a>) -> FlowResult<GateGuard<'a>> {
        preroll.playing_async = false;
        let Some(handle) = self.handle() else { return Ok(preroll) };
        match handle.commit_streaming() {
            Committed::To { old, next, to } => {
                preroll.have_latency = true;
                preroll.committed = true;
                if to == State::Playing {
                    preroll.need_preroll = false;
                }
                // Whoever hears of it may go on to PLAYING before this thread waits.
                preroll.have_preroll = to == State::Paused;
                drop(preroll);
                let changed = |old, new, pending| {
                    self.core.post(MessageKind::StateChanged { old, new, pending });
                };
                if to == State::Paused || old == State::Ready {
                    changed(old, next, (to != next).then_some(to));
                }
                self.core.post(MessageKind::AsyncDone { running_time: None });
                if to == State::Playing && old == State::Ready {
                    // From READY at once: what goes with the second step is still to be done.
                    self.preroll.lock().have_preroll = true;
                    handle.extra_step(Transition { from: next, to });
                    if self.preroll.lock().flushing {
                        return Err(FlowError::Flushing);
                    }
                    changed(next, to, None);
                } else if to == State::Playing {
                    changed(old, to, None);
                }
            }
            Committed::Already(state) => {
                match state {
                    State::Playing => preroll.need_preroll = false,
                    State::Paused => {
                        preroll.need_preroll = true;
                        preroll.have_preroll = true;
                    }
                    State::Ready | State::Null => {
                        preroll.need_preroll = false;
                        preroll.flushing = true;
                    }
                }
                preroll.have_latency = true;
                drop(preroll);
            }
            Committed::GoingDown => {
                preroll.need_preroll = false;
                preroll.flushing = true;
                return Err(FlowError::Flushing);
            }
        }
        self.core.post(MessageKind::Latency);
        let mut preroll = self.preroll.lock();
        preroll.have_preroll = false;
        Ok(preroll)
    }

    /// A flush begins: every wait ends, and the state is lost with the object that PAUSED needs.
    pub(super) fn start_flush(&self) {
        let is_async = self.settings.is_async.get();
        {
            let mut preroll = self.preroll.lock();
            preroll.flushing = true;
            preroll.need_preroll = true;
            preroll.received_eos = false;
            preroll.told_eos = None;
            preroll.have_preroll = false;
            preroll.step_unlock = false;
            preroll.have_latency &= !is_async;
            preroll.notify_all();
        }
        self.shown.set_eos(false);
        self.core.interrupt(true);
        self.clock_wait.unschedule();
        // Every wait under it was ended just now. When this thread has it already, it is the
        // streaming thread that flushes itself.
        let _streaming = self.sink.stream_lock().lock();
        self.orders.fetch_or(FORGET_QOS, Ordering::AcqRel);
        self.preroll.lock().playing_async = true;
        if is_async {
            if let Some(handle) = self.handle() {
                self.note_start_time(&handle);
                handle.lost_state();
            }
        } else {
            self.core.lent.write().start_time = Some(RunningTime::ZERO);
            self.preroll.lock().have_latency = true;
        }
    }

    /// A flush ends. Under the stream lock.
    pub(super) fn stop_flush(&self, s: &mut Streaming, reset_time: bool) {
        self.core.interrupt(false);
        self.clock_wait.reset();
        self.core.instance().flush(&s.cx);
        s.end_due = None;
        s.have_segment = false;
        s.step = None;
        self.shown.forget_object();
        if reset_time {
            s.segment = Segment::new(Format::Undefined);
        }
        self.shown.forget_segment();
        {
            let mut preroll = self.preroll.lock();
            preroll.flushing = false;
            preroll.call_preroll = true;
            preroll.pending_step = None;
        }
        if reset_time {
            self.core.lent.write().start_time = Some(RunningTime::ZERO);
            self.core.post(MessageKind::ResetTime(RunningTime::ZERO));
        }
    }

    pub(super) fn change(&self, handle: &ElementRef, transition: Transition) -> StateReturn {
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
            Transition::READY_TO_PAUSED => self.go_paused(),
            Transition::PAUSED_TO_PLAYING => self.go_playing(),
            Transition::PLAYING_TO_PAUSED => self.leave_playing(handle),
            Transition::PAUSED_TO_READY => {
                self.sink.start_flushing();
                {
                    let mut preroll = self.preroll.lock();
                    preroll.flushing = true;
                    preroll.have_latency = false;
                    preroll.notify_all();
                }
                self.clock_wait.unschedule();
                self.core.interrupt(true);
                if self.pull.is_there() {
                    pull::end(self);
                }
                self.sink.deactivate();
                self.core.interrupt(false);
                self.shown.forget_object();
                self.shown.forget_segment();
                self.end_uncommitted();
                StateReturn::Success
            }
            Transition::READY_TO_NULL => {
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
            _ => StateReturn::Success,
        }
    }

    /// The change to PAUSED or PLAYING will not be committed any more; whoever waits for it need not.
    fn end_uncommitted(&self) {
        let committed = std::mem::replace(&mut self.preroll.lock().committed, true);
        if !committed && self.settings.is_async.get() {
            let (old, new) = (State::Playing, State::Paused);
            let pending = Some(State::Ready);
            self.core.post(MessageKind::StateChanged { old, new, pending });
            self.core.post(MessageKind::AsyncDone { running_time: None });
        }
    }

    /// Tells the bin that the state change goes on in the streaming thread. Before that thread could
    /// be done with it.
    fn announce_async(&self) -> bool {
        let is_async = self.settings.is_async.get();
        if is_async {
            self.core.post(MessageKind::AsyncStart);
        }
        is_async
    }

    fn go_paused(&self) -> StateReturn {
        let is_async = self.settings.is_async.get();
        *self.preroll.lock() = Preroll {
            need_preroll: true,
            playing_async: true,
            call_preroll: true,
            have_latency: !is_async,
            ..Preroll::default()
        };
        self.clock_wait.reset();
        self.core.interrupt(false);
        self.shown.forget_object();
        self.shown.forget_segment();
        self.shown.set_eos(false);
        if let Ok(_streaming) = self.sink.stream_lock().lock() {
            // SAFETY: the lock above.
            unsafe { self.streaming() }.restart();
            self.told.restart();
        }
        self.orders.fetch_or(FORGET_QOS | FORGET_STEP, Ordering::AcqRel);
        let pulls = match self.activate_input() {
            Ok(pulls) => pulls,
            Err(error) => {
                self.core.post_error(error);
                return StateReturn::Failure;
            }
        };
        let is_async = self.announce_async();
        if !is_async {
            self.core.post(MessageKind::Latency);
        }
        if !pulls {
            self.sink.activate();
        } else if let Err(error) = self.begin_pull() {
            self.core.post_error(error);
            return StateReturn::Failure;
        }
        if is_async { StateReturn::Async } else { StateReturn::Success }
    }

    fn go_playing(&self) -> StateReturn {
        self.pull.set_playing(true);
        self.clock_wait.reset();
        let needs = self.preroll.lock().needs_preroll();
        let announced = needs && self.announce_async();
        let mut preroll = self.preroll.lock();
        if needs && preroll.needs_preroll() {
            // The next object commits PLAYING.
            preroll.need_preroll = true;
            preroll.playing_async = true;
            preroll.committed = false;
            preroll.call_preroll = true;
            return if announced { StateReturn::Async } else { StateReturn::Success };
        }
        preroll.playing_async = false;
        preroll.need_preroll = false;
        let told_eos = preroll.told_eos;
        preroll.notify_all();
        drop(preroll);
        if announced {
            // An object came meanwhile.
            self.core.post(MessageKind::AsyncDone { running_time: None });
        }
        if let Some(seqnum) = told_eos {
            self.post_eos(seqnum);
        }
        StateReturn::Success
    }

    fn leave_playing(&self, handle: &ElementRef) -> StateReturn {
        self.pull.set_playing(false);
        let is_wanted = handle.target_state() > State::Ready;
        let (mut has_said, mut announced) = (false, false);
        let still_needs = loop {
            let mut preroll = self.preroll.lock();
            // The end may have come since it was said: then nothing follows that could be held.
            let needs = preroll.needs_preroll();
            if needs && !has_said {
                // What was held when PLAYING came may go on any moment: both are asked in one look.
                drop(preroll);
                has_said = true;
                announced = is_wanted && self.announce_async();
                continue;
            }
            preroll.playing_async = needs;
            // Who holds an object may not yet know that it was let go. (GStreamer forgets that it is to be held.)
            preroll.need_preroll = needs || preroll.have_preroll;
            preroll.call_preroll |= needs;
            preroll.committed &= !needs;
            break needs;
        };
        self.orders.fetch_or(FORGET_QOS, Ordering::AcqRel);
        // A buffer that waits for its time becomes the preroll.
        self.clock_wait.unschedule();
        if announced && !still_needs {
            self.core.post(MessageKind::AsyncDone { running_time: None });
        }
        if announced && still_needs { StateReturn::Async } else { StateReturn::Success }
    }

    pub(super) fn post_eos(&self, seqnum: Seqnum) {
        let message = Message::new(&*self.core.name, MessageKind::Eos);
        self.core.post_message(message.with_seqnum(seqnum));
    }
}
