//! When a buffer is rendered: its running time, plus what the pipeline and the user add, on the clock.
//!
//! ```text
//!   pts ─segment─▶ running time + latency + ts-offset + render-delay ─+ base time─▶ clock reading to wait for
//! ```
//!
//! Invariant: this is the only place where a sink waits for the clock.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_do_sync`, `gst_base_sink_is_too_late`, `gst_base_sink_perform_qos`).
//! Left out: throttling by max-bitrate, stepping.

use crate::base::sink::{Item, SinkBase, Streaming};
use crate::clock::ClockReturn;
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind, QosType};
use crate::message::MessageKind;
use crate::segment::{Format, Segment};
use crate::time::{ClockTime, RunningTime};
use crate::tracer;

/// The running times an item begins and ends at; `None` without a time.
#[derive(Clone, Copy, Default)]
pub(super) struct Timing {
    start: Option<u64>,
    stop: Option<u64>,
    pts: Option<ClockTime>,
}

impl Timing {
    pub fn end_running_time(&self) -> Option<u64> {
        self.stop.or(self.start)
    }
}

/// Something without a place in the stream, due at a running time.
pub(super) fn at_running_time(running_time: Option<u64>) -> Timing {
    Timing { start: running_time, stop: running_time, pts: None }
}

/// The running times of an item in a segment.
pub(super) fn timing(segment: Option<&Segment>, item: &Item) -> Timing {
    let Some(segment) = segment.filter(|segment| segment.format != Format::Undefined) else {
        return Timing::default();
    };
    let (start, duration) = match item {
        Item::Buffer(buf) => (buf.pts().or(buf.dts()), buf.duration()),
        Item::Gap(pts, duration) => (Some(*pts), *duration),
        Item::Eos | Item::Other => (None, None),
    };
    let Some(pts) = start else { return Timing::default() };
    let stop = duration.map(|duration| (pts + duration).nanos());
    let Some((start, stop)) = segment.clip(Some(pts.nanos()), stop.or(Some(pts.nanos()))) else {
        return Timing::default();
    };
    // Played backwards a buffer begins at its end.
    let (first, last) = if segment.rate > 0.0 { (start, stop) } else { (stop, start) };
    let at =
        |position: Option<u64>| position.and_then(|position| segment.running_time_of(position));
    Timing { start: at(first), stop: at(last), pts: Some(pts) }
}

/// What a sink remembers to judge its own lateness.
#[derive(Clone, Debug, Default)]
pub(super) struct Qos {
    processed: u64,
    dropped: u64,
    last_render: Option<RunningTime>,
    average_duration: Option<u64>,
    average_jitter: f64,
}

impl Qos {
    pub fn rendered(&mut self) {
        self.processed += 1;
    }
}

impl SinkBase {
    /// Holds the item in PAUSED, waits for its time in PLAYING. `Ok(false)`: it is too late to be
    /// rendered.
    pub(super) fn wait_until_due(
        &self,
        s: &mut Streaming,
        item: &Item,
        timing: &Timing,
    ) -> FlowResult<bool> {
        loop {
            self.hold(s, item)?;
            let Some(start) = timing.start else { return Ok(true) };
            if !self.settings.sync.get() {
                return Ok(true);
            }
            let lent = self.core.lent();
            let (Some(clock), Some(base_time)) = (lent.clock, lent.base_time) else {
                return Ok(true);
            };
            let latency = self.preroll.lock().latency;
            let offset = self.settings.ts_offset.get();
            let delay = self.settings.render_delay.get();
            let late_by = i128::from(latency.nanos()) + i128::from(delay) + i128::from(offset);
            let at = (i128::from(start) + late_by).max(0);
            let due = RunningTime::from_nanos(u64::try_from(at).unwrap_or(u64::MAX));
            let target = due.at(base_time);
            if tracer::is_on() {
                tracer::wait(&self.core.name, timing.pts, Some(start), target);
            }
            let waited = clock.wait_until(target, &self.clock_wait);
            if tracer::is_on() {
                tracer::wake(&self.core.name, timing.pts, Some(start), waited.jitter);
            }
            if self.preroll.lock().flushing {
                return Err(FlowError::Flushing);
            }
            if waited.result == ClockReturn::Unscheduled {
                // A change of state, or of a property that the wait depends on: look again.
                if !self.preroll.lock().need_preroll {
                    self.clock_wait.reset();
                }
                continue;
            }
            self.core.log(crate::cx::Level::Debug, || {
                format!("due at running time {due}, jitter {} ns", waited.jitter)
            });
            return Ok(!self.judge(s, item, timing, waited.jitter));
        }
    }

    /// Judges the lateness of a buffer whose wait began `jitter` ns after its time. `true`: drop it.
    fn judge(&self, s: &mut Streaming, item: &Item, timing: &Timing, jitter: i64) -> bool {
        let Item::Buffer(buf) = item else { return false };
        let Some(start) = timing.start else { return false };
        let max_lateness = self.settings.max_lateness.get();
        let now = RunningTime::from_nanos(start.saturating_add_signed(jitter));
        let too_late = max_lateness >= 0
            && jitter > 0
            && now.nanos() > timing.stop.unwrap_or(start).saturating_add(max_lateness as u64);
        // A picture a second is shown even by a sink that is always late.
        let starved = s.qos.last_render.is_some_and(|last| now.since(last) > ClockTime::SECOND);
        let drop_it = too_late && !starved;
        if !drop_it {
            s.qos.last_render = Some(now);
        }
        if drop_it {
            s.qos.dropped += 1;
        }
        self.report(s, buf.pts(), buf.duration(), timing, jitter, drop_it);
        drop_it
    }

    fn report(
        &self,
        s: &mut Streaming,
        pts: Option<ClockTime>,
        duration: Option<ClockTime>,
        timing: &Timing,
        jitter: i64,
        dropped: bool,
    ) {
        let qos = &mut s.qos;
        // A slow average, so that one late buffer is not a trend.
        qos.average_jitter = (7.0 * qos.average_jitter + jitter as f64) / 8.0;
        if let Some(duration) = duration {
            let last = qos.average_duration.unwrap_or(duration.nanos());
            qos.average_duration = Some((7 * last + duration.nanos()) / 8);
        }
        let proportion = match qos.average_duration {
            Some(duration) if duration > 0 => (1.0 + qos.average_jitter / duration as f64).max(0.0),
            _ => 1.0,
        };
        if self.settings.qos.get() {
            let kind = if jitter > 0 { QosType::Underflow } else { QosType::Overflow };
            let timestamp = timing.start.map(ClockTime::from_nanos);
            let event = EventKind::Qos { kind, proportion, diff: jitter, timestamp };
            self.sink.push_event(Event::new(event));
        }
        if dropped {
            let segment = self.sink.segment();
            self.core.post(MessageKind::Qos {
                live: false,
                running_time: timing.start.map(RunningTime::from_nanos),
                stream_time: pts
                    .zip(segment)
                    .and_then(|(pts, segment)| segment.stream_time_of(pts.nanos())),
                timestamp: pts,
                duration,
                jitter,
                proportion,
                processed: s.qos.processed,
                dropped: s.qos.dropped,
            });
        }
    }
}
