//! How a sink judges its own speed: what is too late, and what it tells upstream.
//!
//! ```text
//!   processing time = when a buffer entered - when the one before left
//!   proportion      = average processing time / average distance of two buffers
//! ```
//!
//! Invariant: nothing here waits; lateness is what it was when the wait for the clock began.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_is_too_late`, `gst_base_sink_perform_qos`, `gst_base_sink_reset_qos`).
//! Left out: instant rate changes.

use super::{SinkBase, Streaming};
use crate::buffer::Buffer;
use crate::clock::ClockReturn;
use crate::error::{ElementError, ErrorKind};
use crate::event::{Event, EventKind, QosType};
use crate::message::MessageKind;
use crate::property::Live;
use crate::structure::Structure;
use crate::time::{ClockTime, RunningTime};

/// What a sink remembers to judge its speed. Times are running times, in ns.
#[derive(Clone, Debug)]
pub(in crate::base) struct Qos {
    last_render: Option<u64>,
    /// Where the object before this one began.
    before: Option<u64>,
    /// Before this nothing is rendered: throttling.
    earliest: Option<u64>,
    /// When the last buffer left the sink.
    left: Option<u64>,
    processing: Option<u64>,
    /// Average distance between the starts of two objects.
    spacing: Option<u64>,
    /// Below 0: not known yet.
    proportion: f64,
}

impl Default for Qos {
    fn default() -> Self {
        Qos {
            last_render: None,
            before: None,
            earliest: None,
            left: None,
            processing: None,
            spacing: None,
            proportion: -1.0,
        }
    }
}

/// What the property `stats` says, counted by the streaming thread and read by any.
pub(in crate::base) struct Told {
    pub rendered: Live<u64>,
    pub dropped: Live<u64>,
    /// The proportion; below 0: not known, as nothing is reported; 0 before the first start.
    pub average_rate: Live<f64>,
}

impl Default for Told {
    fn default() -> Self {
        let (rendered, dropped) = (Live::new(0), Live::new(0));
        Told { rendered, dropped, average_rate: Live::new(0.0) }
    }
}

impl Told {
    /// One buffer more of the streaming thread, which alone counts.
    #[inline]
    pub fn count(counter: &Live<u64>) {
        counter.set(counter.get() + 1);
    }

    /// As a structure's text.
    pub fn text(&self) -> String {
        Structure::new("application/x-gst-base-sink-stats")
            .with("average-rate", self.average_rate.get())
            .with("dropped", self.dropped.get())
            .with("rendered", self.rendered.get())
            .to_string()
    }

    /// READY to PAUSED.
    pub fn restart(&self) {
        self.rendered.set(0);
        self.dropped.set(0);
        self.average_rate.set(-1.0);
    }
}

/// A running average over the last eight or so.
fn average(old: u64, new: u64) -> u64 {
    new.wrapping_add(old.wrapping_mul(7)) / 8
}

/// What a wait for the clock came to.
#[derive(Clone, Copy)]
pub(super) struct Waited {
    pub result: ClockReturn,
    /// ns; positive is late.
    pub jitter: i64,
}

impl Qos {
    /// An object that begins at `start` is on its way. `false` when it comes sooner after the last
    /// one than throttling allows.
    #[inline]
    pub fn arrives(&mut self, start: Option<u64>) -> bool {
        if let (Some(before), Some(start)) = (self.before, start)
            && before < start
        {
            let distance = start - before;
            self.spacing = Some(self.spacing.map_or(distance, |old| average(old, distance)));
        }
        self.before = start;
        self.earliest.zip(start).is_none_or(|(earliest, start)| start >= earliest)
    }

    /// Takes account of a buffer that began at `start` and is done with; gives the proportion once
    /// there is one.
    fn account(&mut self, start: u64, jitter: i64, dropped: bool) -> Option<f64> {
        let entered = start.saturating_add_signed(jitter);
        let left = start.saturating_add_signed(jitter.max(0));
        let processing = match self.left {
            Some(left) => Some(entered.saturating_sub(left)),
            None => self.processing,
        };
        self.processing = match (self.processing, processing) {
            (Some(old), Some(new)) => Some(average(old, new)),
            (None, new) => new,
            (old, None) => old,
        };
        let rate = match (self.processing, self.spacing) {
            (Some(processing), Some(spacing)) if spacing > 0 => processing as f64 / spacing as f64,
            _ => 1.0,
        };
        if self.left.is_some() {
            self.proportion = if dropped || self.proportion < 0.0 {
                rate
            } else {
                // Getting too slow is believed sooner than getting faster.
                let weight = if rate > 1.0 { 4.0 } else { 16.0 };
                (rate + (weight - 1.0) * self.proportion) / weight
            };
        }
        self.left = Some(left);
        (self.proportion >= 0.0).then_some(self.proportion)
    }
}

impl SinkBase {
    /// Whether a buffer that was waited for is too late to be rendered.
    pub(super) fn is_too_late(
        &self,
        s: &mut Streaming,
        is_buffer: bool,
        (start, stop): (Option<u64>, Option<u64>),
        waited: Waited,
    ) -> bool {
        let Some(start) = start else { return false };
        let limit = u64::try_from(self.settings.max_lateness.get());
        let mut late = false;
        if waited.result == ClockReturn::Early
            && let Ok(limit) = limit
        {
            if !is_buffer {
                return false;
            }
            let end = stop.unwrap_or_else(|| start.saturating_add(s.qos.spacing.unwrap_or(0)));
            late = start.saturating_add_signed(waited.jitter) > end.saturating_add(limit);
            // A picture a second is shown even by a sink that is always late. One from before the
            // last picture counts as that late, too.
            let starved = |last: u64| start.wrapping_sub(last) > ClockTime::SECOND.nanos();
            if late && s.qos.last_render.is_some_and(starved) {
                late = false;
                self.core.post(MessageKind::Warning(
                    ElementError::new(ErrorKind::Core, "a lot of buffers are being dropped")
                        .with_debug(
                            "there may be a problem with timestamps, or this computer is too slow",
                        ),
                ));
            }
        }
        if !late || s.qos.last_render.is_none() {
            s.qos.last_render = Some(start);
            let throttle = self.settings.throttle_time.get();
            if throttle > 0 {
                s.qos.earliest = Some(start.saturating_add(throttle));
            }
        }
        late
    }

    /// Tells upstream how the buffer that is done with fared.
    #[inline(always)]
    pub(super) fn report(&self, s: &mut Streaming, dropped: bool) {
        if s.step.is_none() && self.settings.qos.get() {
            self.report_late(s, dropped);
        }
    }

    #[inline(never)]
    fn report_late(&self, s: &mut Streaming, dropped: bool) {
        let Some(start) = s.current_start else { return };
        let Some(proportion) = s.qos.account(start, s.current_jitter, dropped) else { return };
        self.told.average_rate.set(proportion);
        // An event's timestamp and difference add up to no negative time.
        s.current_jitter = s.current_jitter.max(-i64::try_from(start).unwrap_or(i64::MAX));
        let throttle = self.settings.throttle_time.get();
        let (kind, diff) = match s.current_jitter {
            _ if throttle > 0 => (QosType::Throttle, i64::try_from(throttle).unwrap_or(i64::MAX)),
            late @ 1.. => (QosType::Underflow, late),
            early => (QosType::Overflow, early),
        };
        let timestamp = Some(ClockTime::from_nanos(start));
        self.sink.push_event(Event::new(EventKind::Qos { kind, proportion, diff, timestamp }));
    }

    /// Tells the application of a buffer that is not rendered.
    pub(super) fn drop_late(&self, s: &mut Streaming, buf: &Buffer) {
        Told::count(&self.told.dropped);
        if !self.settings.qos.get() {
            return;
        }
        self.core.post(MessageKind::Qos {
            live: self.settings.sync.get(),
            running_time: s.current_start.map(RunningTime::from_nanos),
            stream_time: self.shown.start(),
            timestamp: buf.pts(),
            duration: buf.duration(),
            jitter: s.current_jitter,
            proportion: s.qos.proportion,
            processed: self.told.rendered.get(),
            dropped: self.told.dropped.get(),
        });
    }
}
