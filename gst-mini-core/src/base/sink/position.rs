//! Where a sink is in the stream, and how late data reaches it, for queries of any thread.
//!
//! ```text
//!   PLAYING:  what the clock says, but no more than the end of what was last due
//!   PAUSED:   the same, for the running time at which it was paused
//!   at the end, or without a clock:  the last object itself
//! ```
//!
//! Invariant: a position is stream time; it stands still while running time does.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_get_position`, `gst_base_sink_query_latency`).
//! Left out: positions in segments that are not in time, which upstream is asked for.

use super::SinkBase;
use crate::error::{ElementError, ErrorKind};
use crate::message::MessageKind;
use crate::pad::Pad;
use crate::query::Query;
use crate::segment::{Format, Segment};
use crate::time::{ClockTime, RunningTime};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the streaming thread shows of where it is. A buffer costs two stores.
pub(super) struct Shown {
    segment: Mutex<Option<Segment>>,
    eos: AtomicBool,
    /// Stream times of the object that is, or was last, due.
    start: AtomicU64,
    stop: AtomicU64,
}

const NONE: u64 = u64::MAX;

impl Default for Shown {
    fn default() -> Self {
        Shown {
            segment: Mutex::new(None),
            eos: AtomicBool::new(false),
            start: AtomicU64::new(NONE),
            stop: AtomicU64::new(NONE),
        }
    }
}

impl Shown {
    pub fn set_segment(&self, segment: Segment) {
        *self.segment.lock() = Some(segment);
    }
    pub fn forget_segment(&self) {
        *self.segment.lock() = None;
    }
    pub fn set_eos(&self, eos: bool) {
        self.eos.store(eos, Ordering::Release);
    }
    #[inline]
    pub fn note(&self, start: Option<u64>, stop: Option<u64>) {
        self.start.store(start.unwrap_or(NONE), Ordering::Relaxed);
        self.stop.store(stop.unwrap_or(NONE), Ordering::Relaxed);
    }
    pub fn forget_object(&self) {
        self.note(None, None);
    }
    pub fn get(&self) -> (Option<u64>, Option<u64>) {
        let known = |time: u64| (time != NONE).then_some(time);
        (known(self.start.load(Ordering::Relaxed)), known(self.stop.load(Ordering::Relaxed)))
    }
    pub fn start(&self) -> Option<u64> {
        self.get().0
    }
}

/// What running time to go by.
enum Now {
    /// PLAYING, in time with the clock: as much as the pipeline has played.
    Clock(RunningTime),
    /// Standing still since then.
    Paused(RunningTime),
    Unknown,
}

impl SinkBase {
    /// Position in time, none before the stream began; `Err(true)`: upstream may know.
    fn time_position(&self) -> Result<Option<u64>, bool> {
        let segment = self.shown.segment.lock().ok_or(false)?;
        if segment.format != Format::Time {
            return Err(true);
        }
        let handle = self.handle().ok_or(false)?;
        let lent = self.core.lent();
        let with_clock = self.settings.sync.get() && lent.clock.is_some();
        let now = if !handle.rests_in_playing() {
            lent.start_time.map_or(Now::Unknown, Now::Paused)
        } else if with_clock {
            self.core.running_time_now().map_or(Now::Unknown, Now::Clock)
        } else {
            Now::Unknown
        };
        let (start, stop) = self.shown.get();
        let forwards = segment.rate > 0.0;
        let now = match now {
            Now::Clock(now) | Now::Paused(now) if !self.shown.eos.load(Ordering::Acquire) => now,
            _ => return if forwards { start } else { stop.or(start) }.ok_or(true).map(Some),
        };
        let last = if forwards { stop } else { start.or(stop) };
        let latency = self.preroll.lock().latency;
        Ok(by_running_time(&segment, now, latency, last))
    }

    /// Answers a position query.
    pub(super) fn position_query(&self, query: &mut Query) -> bool {
        let Query::Position { format, position } = query else { return false };
        match (*format, self.time_position()) {
            (Format::Time, Ok(at)) => {
                *position = at;
                true
            }
            (Format::Time, Err(false)) => false,
            _ => self.sink.peer_query(query),
        }
    }

    /// Answers a latency query: what upstream needs, and what rendering adds.
    pub(super) fn latency_query(&self, query: &mut Query) -> bool {
        let synced = self.settings.sync.get();
        let (mut least, mut most) = (ClockTime::ZERO, None);
        let mut upstream = Query::latency();
        let answered = self.preroll.lock().have_latency && self.sink.peer_query(&mut upstream);
        if answered && let Query::Latency { live, min, max } = upstream {
            if live {
                (least, most) = (min, max);
            }
            if live && synced {
                let deadline = ClockTime::from_nanos(self.settings.processing_deadline.get());
                match max.filter(|max| least + deadline > *max) {
                    None => least += deadline,
                    Some(max) => {
                        self.tell_shortened(deadline, max.saturating_sub(least));
                        least = max;
                    }
                }
            }
            if synced {
                let delay = ClockTime::from_nanos(self.settings.render_delay.get());
                least += delay;
                most = most.map(|most| most + delay);
            }
        }
        *query = Query::Latency { live: synced, min: least, max: most };
        answered || !synced
    }

    fn tell_shortened(&self, deadline: ClockTime, room: ClockTime) {
        let text = format!(
            "upstream can hold back {room} only, and a processing-deadline of {deadline} was asked for; it is shortened to that, or add queues where it is short"
        );
        self.core.post(MessageKind::Warning(ElementError::new(ErrorKind::Core, text)));
    }
}

/// The stream time that is due at a running time, within what has been seen; none that is negative.
fn by_running_time(
    segment: &Segment,
    now: RunningTime,
    latency: ClockTime,
    last: Option<u64>,
) -> Option<u64> {
    let rate = segment.rate * segment.applied_rate;
    let began = segment.base.saturating_add(latency.nanos());
    let played = now.nanos().saturating_sub(began) as f64 * rate;
    let mut origin = segment.time.unwrap_or(0);
    if rate < 0.0 {
        let length = segment.stop.map_or(0, |stop| stop.saturating_sub(segment.start));
        origin = origin.saturating_add(length);
    }
    // As a real number, as in GStreamer: a float's cast cuts off, and stops at the ends.
    let at = (origin.saturating_add(segment.offset) as f64 + played) as i64;
    match (u64::try_from(at).ok(), last) {
        (Some(at), Some(last)) if rate > 0.0 => Some(at.min(last)),
        (at, Some(last)) if rate < 0.0 => at.max(Some(last)),
        (at, _) => at,
    }
}
