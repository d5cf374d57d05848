//! Steps: a sink skips, or shows, an amount of the stream and stops again.
//!
//! ```text
//!   STEP ─▶ pending ── the next look at an object ─▶ current ── amount reached ─▶ STEP_DONE, and held in PAUSED
//! ```
//!
//! A flushing step drops what it goes over and moves the segment, so that it takes no running time. One
//! that does not flush renders it.
//!
//! Invariant: the current step is the streaming thread's; others leave a pending one for it.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_perform_step`, `start_stepping`, `handle_stepping`, `stop_stepping`).
//! Left out: steps in formats other than buffers and time, which are refused.

use super::sync::{FORGET_QOS, FORGET_STEP};
use super::{SinkBase, Streaming};
use crate::event::{Seqnum, Step};
use crate::handle::ElementRef;
use crate::message::{Message, MessageKind};
use crate::segment::{Format, Segment};
use crate::state::State;
use crate::time::{ClockTime, RunningTime};
use std::sync::atomic::Ordering;

/// A step that the streaming thread has not begun.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    step: Step,
    seqnum: Seqnum,
    /// The sink is to hold a buffer again when it is done.
    need_preroll: bool,
}

/// The step under way.
pub(in crate::base) struct Current {
    pub(super) step: Step,
    seqnum: Seqnum,
    need_preroll: bool,
    /// Running time at which it began, ns.
    start: u64,
    /// How far it came, in its own unit.
    position: u64,
    /// What it changed in the segment.
    rate_before: f64,
    stop_before: Option<u64>,
    start_before: u64,
}

/// Where an object lies: clipped positions, and their running times.
pub(super) struct Span {
    pub start: Option<u64>,
    pub stop: Option<u64>,
    pub running_start: Option<u64>,
    pub running_stop: Option<u64>,
}

const NONE: u64 = u64::MAX;

impl SinkBase {
    /// A STEP event from the application. `false` if it cannot be carried out.
    pub(super) fn ask_step(&self, step: Step, seqnum: Seqnum) -> bool {
        let possible = matches!(step.format, Format::Buffers | Format::Time) && step.rate > 0.0;
        let Some(handle) = self.handle().filter(|_| possible) else { return false };
        self.post_step(MessageKind::StepStart { active: false, step }, seqnum);
        let is_async = self.settings.is_async.get();
        if !step.flush {
            let pending = Pending { step, seqnum, need_preroll: false };
            self.preroll.lock().pending_step = Some(pending);
            return true;
        }
        if is_async {
            // Before the streaming thread hears of it: it commits the state again.
            self.note_start_time(&handle);
            handle.lost_state();
        }
        self.shown.forget_object();
        self.orders.fetch_or(FORGET_STEP | FORGET_QOS, Ordering::AcqRel);
        let mut preroll = self.preroll.lock();
        preroll.pending_step = Some(Pending { step, seqnum, need_preroll: is_async });
        preroll.need_preroll = false;
        preroll.playing_async |= is_async;
        preroll.have_latency |= !is_async;
        preroll.call_preroll = true;
        preroll.step_unlock = preroll.have_preroll;
        preroll.notify_all();
        drop(preroll);
        self.clock_wait.unschedule();
        true
    }

    /// Remembers the running time at which a sink that is PLAYING was stopped.
    pub(super) fn note_start_time(&self, handle: &ElementRef) {
        if handle.current_state() == State::Playing
            && let Some(now) = self.core.running_time_now()
        {
            self.core.lent.write().start_time = Some(now);
        }
    }

    /// Begins a step with the object that is held.
    pub(super) fn start_step(&self, s: &mut Streaming, pending: Pending) {
        let Pending { step, seqnum, need_preroll } = pending;
        self.post_step(MessageKind::StepStart { active: true, step }, seqnum);
        let start = self.core.lent.read().start_time.unwrap_or(RunningTime::ZERO).nanos();
        let segment = &mut s.segment;
        segment.set_running_time(RunningTime::from_nanos(start));
        s.step = Some(Current {
            step,
            seqnum,
            need_preroll,
            start,
            position: 0,
            rate_before: segment.rate,
            stop_before: segment.stop,
            start_before: segment.start,
        });
        segment.rate *= step.rate;
        if step.format == Format::Time && !step.flush {
            // What lies behind the step is cut off, until it is over.
            let end = step
                .amount
                .and_then(|amount| segment.position_of_running_time(start.saturating_add(amount)));
            if segment.rate > 0.0 {
                segment.stop = if step.amount.is_some() { end } else { segment.stop };
                segment.position = segment.stop;
            } else if let Some(end) = end {
                segment.time = Some(end);
                segment.start = end;
                segment.position = Some(end);
            }
        }
        self.shown.set_segment(s.segment);
    }

    /// The step under way is done, at an object of these running times.
    pub(super) fn end_step(
        &self,
        s: &mut Streaming,
        running_start: Option<u64>,
        running_stop: Option<u64>,
        eos: bool,
    ) {
        let Some(current) = s.step.take() else { return };
        let segment = &mut s.segment;
        let at = if segment.rate > 0.0 { running_start } else { running_stop };
        let duration = match at {
            Some(at) => at.saturating_sub(current.start),
            None => current.position,
        };
        let position = RunningTime::from_nanos(current.start.saturating_add(duration));
        segment.set_running_time(position);
        if current.step.flush {
            // What was dropped took no time.
            segment.base = current.start;
        } else {
            self.core.lent.write().start_time = Some(position);
        }
        segment.rate = current.rate_before;
        if segment.rate > 0.0 {
            segment.stop = current.stop_before;
        } else {
            segment.start = current.start_before;
        }
        self.shown.set_segment(s.segment);
        let duration = ClockTime::from_nanos(duration);
        let done = MessageKind::StepDone { step: current.step, duration, eos };
        self.post_step(done, current.seqnum);
        if !current.step.intermediate {
            self.preroll.lock().need_preroll = current.need_preroll;
        }
    }

    fn post_step(&self, kind: MessageKind, seqnum: Seqnum) {
        let message = Message::new(&*self.core.name, kind);
        self.core.post_message(message.with_seqnum(seqnum));
    }
}

/// Takes an object into account for a step; `true` when the step ends in it, and then `span` begins
/// where it does.
pub(super) fn reaches_end(segment: &Segment, current: &mut Current, span: &mut Span) -> bool {
    let Some(amount) = current.step.amount else { return false };
    if current.step.format != Format::Time {
        if current.position < amount {
            current.position += 1;
            return false;
        }
        return true;
    }
    let forwards = segment.rate > 0.0;
    let (mut start, mut stop) =
        (span.running_start.unwrap_or(NONE), span.running_stop.unwrap_or(NONE));
    // The last object of the segment always reaches far enough.
    if forwards && segment.stop == span.stop {
        stop = start.saturating_add(amount);
    } else if !forwards && Some(segment.start) == span.start {
        start = stop.saturating_add(amount);
    }
    let (first, last) = if forwards { (start, stop) } else { (stop, start) };
    let end = current.start.saturating_add(amount);
    let gone = first.saturating_sub(current.start);
    let rate = segment.rate.abs();
    current.position = if rate == 1.0 { gone } else { (gone as f64 / rate) as u64 };
    let ended = (current.step.flush && current.position >= amount) || last >= end;
    if ended {
        let at = segment.position_of_running_time(end);
        if forwards {
            (start, span.start) = (end, at);
        } else {
            (stop, span.stop) = (end, at);
        }
    }
    let known = |time: u64| (time != NONE).then_some(time);
    (span.running_start, span.running_stop) = (known(start), known(stop));
    ended
}
