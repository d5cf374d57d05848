//! When an object is rendered: its running time, plus what the pipeline and the user add, on the clock.
//!
//! ```text
//!   time ─segment─▶ running time + latency + ts-offset - render-delay ─+ base time─▶ clock reading to wait for
//! ```
//!
//! Invariant: this is the only place where a sink waits for the clock.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_get_sync_times`, `gst_base_sink_do_sync`, `gst_base_sink_adjust_time`).
//! Left out: instant rate changes.

use super::qos::Waited;
use super::step::{Span, reaches_end};
use super::{Item, SinkBase, Streaming};
use crate::buffer::Buffer;
use crate::clock::ClockReturn;
use crate::error::{FlowError, FlowResult};
use crate::runtime;
use crate::segment::Segment;
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use crate::tracer;
use std::sync::atomic::Ordering;

/// Bits of [`SinkBase::orders`]: what the streaming thread is to forget when it next looks.
pub(super) const FORGET_QOS: u32 = 1;
pub(super) const FORGET_STEP: u32 = 2;

/// When an object is due, and where in the stream it lies. All in ns.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    /// Stream times.
    shown: (Option<u64>, Option<u64>),
    /// Running times.
    pub start: Option<u64>,
    pub stop: Option<u64>,
    /// When what follows it is due.
    next: Option<u64>,
    /// Whether it has a time at all.
    is_timed: bool,
}

enum Place {
    /// Neither waited for nor held.
    Nowhere,
    /// A step goes over it.
    SteppedOver,
    At(Times),
}

/// What became of an object.
#[derive(Clone, Copy, Default)]
pub(super) struct Synced {
    /// It is not to be rendered.
    pub late: bool,
    /// A step that is not flushing ended in it.
    pub step_ended: bool,
}

/// What a wait for the clock that was not made says.
const NO_WAIT: Option<Waited> = None;

impl SinkBase {
    /// Whether a buffer that is neither held nor waited for comes too soon after the one before it; `None`: it is to
    /// be looked at with [`SinkBase::sync`].
    #[inline(always)]
    pub(super) fn sync_plainly(&self, s: &mut Streaming, buf: &Buffer) -> Option<bool> {
        if self.settings.sync.get()
            || !self.preroll.is_open()
            || self.orders.load(Ordering::Acquire) != 0
            || s.step.is_some()
        {
            return None;
        }
        let times = place_plainly(&mut s.segment, buf)?;
        let late = !arrives(s, &times);
        if !late {
            self.note(&times);
        }
        Some(late)
    }

    /// Holds an object in PAUSED, and waits for its time in PLAYING.
    pub(super) fn sync(&self, s: &mut Streaming, item: &Item) -> FlowResult<Synced> {
        'placed: loop {
            self.obey(s);
            s.current_start = None;
            let mut step_ended = false;
            let times = match self.place(s, item, &mut step_ended) {
                Place::Nowhere => return Ok(Synced { late: false, step_ended }),
                Place::SteppedOver => return Ok(Synced { late: true, step_ended }),
                Place::At(times) => times,
            };
            if !arrives(s, &times) {
                return Ok(Synced { late: true, step_ended });
            }
            loop {
                if let Some(pending) = self.hold(s, item)? {
                    self.start_step(s, pending);
                    continue 'placed;
                }
                self.note(&times);
                if !times.is_timed || !self.settings.sync.get() {
                    return Ok(Synced { late: false, step_ended });
                }
                let due = self.rate_controlled(s, times.start);
                let Some(waited) = self.wait_for(s, item, due)? else {
                    return Ok(Synced { late: false, step_ended });
                };
                if waited.result == ClockReturn::Unscheduled {
                    // A change of state, a step, or a property: look again.
                    let mut preroll = self.preroll.lock();
                    preroll.call_preroll = true;
                    if !preroll.need_preroll {
                        self.clock_wait.reset();
                    }
                    continue;
                }
                s.current_jitter = waited.jitter;
                let is_buffer = matches!(item, Item::Buffer(_));
                let late = self.is_too_late(s, is_buffer, (times.start, times.stop), waited);
                return Ok(Synced { late, step_ended });
            }
        }
    }

    #[inline]
    fn note(&self, times: &Times) {
        self.shown.note(times.shown.0, times.shown.1.or(times.shown.0));
    }

    /// Does what control threads could not, because it is the streaming thread's.
    #[inline]
    pub(super) fn obey(&self, s: &mut Streaming) {
        if self.orders.load(Ordering::Acquire) != 0 {
            let orders = self.orders.swap(0, Ordering::AcqRel);
            if orders & FORGET_QOS != 0 {
                s.qos = Default::default();
                self.told.restart();
            }
            if orders & FORGET_STEP != 0 {
                s.step = None;
            }
        }
    }

    /// Where an object lies in the segment, and what a step makes of it.
    #[inline]
    fn place(&self, s: &mut Streaming, item: &Item, step_ended: &mut bool) -> Place {
        if let Item::Buffer(buf) = item
            && s.step.is_none()
            && let Some(times) = place_plainly(&mut s.segment, buf)
        {
            return Place::At(times);
        }
        self.place_in_steps(s, item, step_ended)
    }

    /// Not on the stack of who waits.
    #[inline(never)]
    fn place_in_steps(&self, s: &mut Streaming, item: &Item, step_ended: &mut bool) -> Place {
        loop {
            let mut times = Times { is_timed: true, ..Times::default() };
            let mut stepped_over = false;
            let is_end = matches!(item, Item::Eos);
            if is_end {
                let (first, last) = self.shown.get();
                let shown = if s.segment.rate >= 0.0 {
                    last.or_else(|| s.segment.stop.and_then(|stop| s.segment.stream_time_of(stop)))
                } else {
                    first.or_else(|| s.segment.stream_time_of(s.segment.start))
                };
                times.shown = (shown, shown);
                (times.start, times.stop, times.next) = (s.end_due, s.end_due, s.end_due);
                times.is_timed = s.end_due.is_some();
                *step_ended = s.step.is_some();
            } else {
                let (start, stop) = match item {
                    Item::Buffer(buf) => span(buf.dts().or(buf.pts()), buf.duration()),
                    Item::Gap(pts, duration) => span(Some(*pts), *duration),
                    Item::Eos => (None, None),
                };
                times.is_timed = start.is_some() || matches!(item, Item::Gap(..));
                let clipped = match s.segment.clip(start, stop) {
                    Some(clipped) => {
                        s.segment.position = if stop.is_some() { clipped.1 } else { clipped.0 };
                        clipped
                    }
                    // A step that left the segment ends where that does.
                    None if s.step.is_some() => {
                        let end = if s.segment.rate > 0.0 {
                            s.segment.stop
                        } else {
                            Some(s.segment.start)
                        };
                        (end, end)
                    }
                    None => return Place::Nowhere,
                };
                let mut span = Span {
                    start: clipped.0,
                    stop: clipped.1,
                    running_start: running(&s.segment, clipped.0),
                    running_stop: running(&s.segment, clipped.1),
                };
                // Played backwards it begins at its end. Steps count on the other order.
                if s.segment.rate < 0.0 && span.running_stop.is_some() && s.step.is_none() {
                    std::mem::swap(&mut span.running_start, &mut span.running_stop);
                }
                times.next = if stop.is_some() { span.running_stop } else { span.running_start };
                if let Some(step) = &mut s.step {
                    *step_ended = reaches_end(&s.segment, step, &mut span);
                    stepped_over = !*step_ended && step.step.flush;
                }
                (times.start, times.stop) = (span.running_start, span.running_stop);
                let shown = |at: Option<u64>| at.and_then(|at| s.segment.stream_time_of(at));
                times.shown = (shown(span.start), shown(span.stop));
            }
            if *step_ended && s.step.as_ref().is_some_and(|step| step.step.flush) {
                self.end_step(s, times.start, times.stop, is_end);
                *step_ended = false;
                // The segment lost what was stepped over.
                if matches!(item, Item::Buffer(_)) {
                    continue;
                }
            }
            return if stepped_over { Place::SteppedOver } else { Place::At(times) };
        }
    }

    /// The running time to wait for, moved back to keep to the bit rate.
    #[inline(never)]
    fn rate_controlled(&self, s: &mut Streaming, start: Option<u64>) -> Option<u64> {
        let start = start?;
        let latency = self.preroll.lock().latency;
        let offset = i128::from(self.settings.ts_offset.get());
        let at = (i128::from(start) + i128::from(latency.nanos()) + offset).max(0);
        // The latency has the render delay in it: rendering begins so much earlier.
        let at = (at - i128::from(self.settings.render_delay.get())).max(0);
        let due = u64::try_from(at).unwrap_or(u64::MAX);
        match s.rate_control.next.filter(|next| due < *next) {
            Some(next) => Some(next),
            None => {
                s.rate_control.began = due;
                s.rate_control.bytes = 0;
                Some(due)
            }
        }
    }

    /// Waits until the clock reads a running time; [`NO_WAIT`] without a time, a clock or `sync`.
    fn wait_for(&self, s: &Streaming, item: &Item, due: Option<u64>) -> FlowResult<Option<Waited>> {
        let Some(due) = due.filter(|_| self.settings.sync.get()) else { return Ok(NO_WAIT) };
        let (clock, base_time) = {
            let lent = self.core.lent.read();
            (lent.clock.clone(), lent.base_time)
        };
        let (Some(clock), Some(base_time)) = (clock, base_time) else { return Ok(NO_WAIT) };
        let due = RunningTime::from_nanos(due);
        let target: AbsoluteTime = due.at(base_time);
        let pts = match item {
            Item::Buffer(buf) => buf.pts().or(buf.dts()),
            Item::Gap(pts, _) => Some(*pts),
            Item::Eos => None,
        };
        if tracer::is_on() {
            tracer::wait(&self.core.name, pts, s.current_start, target);
        }
        let waited = runtime::at(&self.core.name, || clock.wait_until(target, &self.clock_wait));
        if tracer::is_on() {
            tracer::wake(&self.core.name, pts, s.current_start, waited.jitter);
        }
        if self.preroll.lock().flushing {
            return Err(FlowError::Flushing);
        }
        self.log_wait(due, waited.jitter);
        Ok(Some(Waited { result: waited.result, jitter: waited.jitter }))
    }

    /// A function of its own, as its text is not to be on the stack of who waits.
    #[inline(never)]
    fn log_wait(&self, due: RunningTime, jitter: i64) {
        self.core.log(crate::cx::Level::Debug, || {
            format!("due at running time {due}, jitter {jitter} ns")
        });
    }
}

/// An object was placed. `false` if throttling does not want it.
#[inline]
fn arrives(s: &mut Streaming, times: &Times) -> bool {
    s.current_start = times.start;
    s.current_stop = times.stop.or(times.start);
    s.end_due = if times.is_timed { times.next } else { None };
    s.qos.arrives(times.start)
}

/// Where a buffer lies that is all inside a segment which neither speeds up nor turns round, or that has no time: as
/// the general way has it, in a few additions. `None`: it is to be gone.
#[inline(always)]
fn place_plainly(segment: &mut Segment, buf: &Buffer) -> Option<Times> {
    if segment.rate != 1.0 || segment.applied_rate != 1.0 || segment.offset != 0 {
        return None;
    }
    let (start, stop) = span(buf.dts().or(buf.pts()), buf.duration());
    let Some(start) = start else {
        if segment.stop.is_some() {
            return None;
        }
        segment.position = None;
        return Some(Times::default());
    };
    // The end of an object that has none is the segment's.
    let last = match (stop, segment.stop) {
        (Some(stop), Some(last)) if stop <= last => stop,
        (None, Some(_)) | (Some(_), Some(_)) => return None,
        (stop, None) => stop.unwrap_or(start),
    };
    let begins_inside = start >= segment.start && segment.stop.is_none_or(|end| start < end);
    if !begins_inside || last < start {
        return None;
    }
    let at = |origin: u64, position: u64| origin.checked_add(position - segment.start);
    let (first, end) = (at(segment.base, start)?, at(segment.base, last)?);
    let shown = |position: u64| segment.time.and_then(|time| at(time, position));
    let times = Times {
        shown: (shown(start), stop.and_then(shown)),
        start: Some(first),
        stop: stop.map(|_| end),
        next: Some(end),
        is_timed: true,
    };
    segment.position = Some(last);
    Some(times)
}

#[inline]
fn span(start: Option<ClockTime>, duration: Option<ClockTime>) -> (Option<u64>, Option<u64>) {
    let stop = start.zip(duration).map(|(start, duration)| (start + duration).nanos());
    (start.map(ClockTime::nanos), stop)
}

#[inline]
fn running(segment: &Segment, position: Option<u64>) -> Option<u64> {
    position.and_then(|position| segment.running_time_of(position))
}
