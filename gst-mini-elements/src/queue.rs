//! `queue` is a thread boundary: what comes in is pushed on by a thread of its own.
//!
//! ```text
//!   upstream's thread ─chain─▶ [ buffers, bytes, time ] ─produce─▶ the queue's thread
//! ```
//!
//! Full, it makes upstream wait, or leaks: the new buffer (`upstream`) or the oldest
//! (`downstream`). The buffer after a hole carries DISCONT.
//!
//! Invariant: items leave in the order they came; levels count what is inside, not what downstream
//! has in hand.
//! In GStreamer: `plugins/elements/gstqueue.c` (`gst_queue_chain_buffer_or_list`, `gst_queue_loop`).
//! Left out: nothing; `dropped` is an addition.
//!
//! ```text
//! fakesrc num-buffers=10 ! queue max-size-buffers=3 leaky=downstream ! fakesink
//! ```

mod contents;
mod entry;
mod exit;
mod line;
mod settings;

use crate::queued::{Item, tell_untold};
use gst_mini_core::element_prelude::*;
use line::{Both, Line, State};
use settings::{LEAKY, LEAKY_DOWNSTREAM, LEAKY_NO, Settings};
use std::sync::Arc;

/// Waiters: room for the chain, an item for the task, an answer for who asked.
const ROOM: u32 = 0;
const ITEM: u32 = 1;
const ANSWER: u32 = 2;
const SINK: PadId = FIRST_PAD;
const SRC: PadId = SECOND_PAD;

pub struct Queue {
    settings: Settings,
    line: Arc<Line>,
}

impl Default for Queue {
    fn default() -> Self {
        let line = Arc::<Line>::default();
        Queue { settings: Settings::new(&line), line }
    }
}

impl Element for Queue {
    const NAME: &str = "queue";
    const SUMMARY: &str = "Simple data queue";
    const LONG_NAME: &str = "Queue";
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(ANY).with_allocation(), PadTemplate::src(ANY).with_task()];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("current-level-buffers", types::UINT, "Buffers inside", |e: &Self| {
            &e.settings.level_buffers
        })
        .read_only(),
        Prop::live("current-level-bytes", types::UINT, "Bytes inside", |e: &Self| {
            &e.settings.level_bytes
        })
        .unit("bytes")
        .read_only(),
        Prop::live("current-level-time", types::UINT64, "Time inside", |e: &Self| {
            &e.settings.level_time
        })
        .unit("ns")
        .read_only(),
        Prop::live("max-size-buffers", types::UINT, "Most buffers, 0: no limit", |e: &Self| {
            &e.settings.max_buffers
        }),
        Prop::live("max-size-bytes", types::UINT, "Most bytes, 0: no limit", |e: &Self| {
            &e.settings.max_bytes
        })
        .unit("bytes"),
        Prop::live("max-size-time", types::UINT64, "Most time, 0: no limit", |e: &Self| {
            &e.settings.max_time
        })
        .unit("ns"),
        Prop::live(
            "min-threshold-buffers",
            types::UINT,
            "Buffers to gather before any goes out",
            |e: &Self| &e.settings.min_buffers,
        ),
        Prop::live(
            "min-threshold-bytes",
            types::UINT,
            "Bytes to gather before any go out",
            |e: &Self| &e.settings.min_bytes,
        )
        .unit("bytes"),
        Prop::live(
            "min-threshold-time",
            types::UINT64,
            "Time to gather before any goes out",
            |e: &Self| &e.settings.min_time,
        )
        .unit("ns"),
        Prop::live("leaky", LEAKY, "Where the queue leaks when it is full", |e: &Self| {
            &e.settings.leaky
        }),
        Prop::live("silent", types::BOOLEAN, "Don't emit signals", |e: &Self| &e.settings.silent),
        Prop::live(
            "flush-on-eos",
            types::BOOLEAN,
            "Throw the contents away at end of stream",
            |e: &Self| &e.settings.flush_on_eos,
        ),
        Prop::live("dropped", types::UINT64, "Buffers leaked so far", |e: &Self| {
            &e.settings.dropped
        })
        .read_only(),
    ];
    const SIGNALS: &[Signal] = &[
        Signal::emitted("overrun", "A buffer came and the queue was full"),
        Signal::emitted("underrun", "The queue is empty"),
        Signal::emitted("running", "There is enough inside to go on"),
        Signal::emitted("pushing", "Something is about to be pushed"),
    ];
}

impl Queue {
    fn is_full(&self, state: &State) -> bool {
        state.contents.level().reaches(&self.settings.limit())
    }

    /// Nothing inside, or less than the thresholds ask for. What ends in an event goes out at once.
    fn is_empty(&self, state: &Both<'_>) -> bool {
        if state.is_void() {
            return true;
        }
        if !state.ends_in_data() {
            return false;
        }
        let (level, least) = (state.contents.level(), state.threshold);
        let is_under =
            level.buffers < least.buffers || level.bytes < least.bytes || level.time < least.time;
        is_under && !self.is_full(state)
    }

    /// Emits signals under no lock; handlers may set properties.
    fn signal<'a>(&'a self, cx: &Cx, state: Both<'a>, names: &[&str]) -> FlowResult<Both<'a>> {
        if self.settings.silent.get() || !cx.is_heard() {
            return Ok(state);
        }
        drop(state);
        for name in names {
            cx.emit(name, None);
        }
        self.relock()
    }

    fn lock(&self) -> Both<'_> {
        self.line.lock()
    }

    fn relock(&self) -> FlowResult<Both<'_>> {
        let state = self.lock();
        state.result.map(|()| state)
    }

    /// Gives the lock up, and wakes who waits for what has changed.
    #[inline(always)]
    fn unlock(&self, cx: &Cx, mut state: Both<'_>) {
        let room = std::mem::take(&mut state.task.waits_room);
        let item = std::mem::take(&mut state.waits_item);
        let is_over = state.result.is_err() || state.contents.questions.is_answered();
        let answer = is_over && std::mem::take(&mut state.waits_answer);
        drop(state);
        if room {
            cx.wake(ROOM);
        }
        if item {
            cx.wake(ITEM);
        }
        if answer {
            cx.wake(ANSWER);
        }
    }

    /// Throws everything away; the thresholds count again.
    fn clear(&self, state: &mut Both<'_>) {
        state.clear();
        state.threshold = self.settings.threshold();
    }
}

fn begins_or_ends(event: &Event) -> bool {
    matches!(event.kind, EventKind::StreamStart { .. } | EventKind::Segment(_) | EventKind::Eos)
}

impl MultiPad for Queue {
    const TAKES_LISTS: bool = true;

    fn start(&self, _: &Cx) -> Result<(), ElementError> {
        self.lock().reset(self.settings.threshold());
        self.settings.dropped.set(0);
        Ok(())
    }

    fn stop(&self, cx: &Cx) -> Result<(), ElementError> {
        let dropped = self.settings.dropped.get();
        self.start(cx)?;
        self.settings.dropped.set(dropped);
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        self.put_data(cx, Item::Buffer(buf))
    }

    fn chain_list(&self, cx: &Cx, list: BufferList) -> FlowResult {
        self.put_data(cx, Item::List(Box::new(list)))
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        self.put_event(cx, event)
    }

    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        if matches!(event.kind, EventKind::Reconfigure) {
            let mut state = self.lock();
            if state.result == Err(FlowError::NotLinked) {
                // It is linked now, so it is tried again.
                state.result = Ok(());
                drop(state);
                cx.start_task(SRC);
            }
        }
        cx.event_default(event)
    }

    fn produce(&self, cx: &Cx) -> FlowResult<Option<Buffer>> {
        match self.push_next(cx) {
            Ok(()) => Ok(None),
            Err(why) => {
                self.rest(cx, why);
                Err(why)
            }
        }
    }

    fn flush(&self, cx: &Cx) {
        let mut state = self.lock();
        self.clear(&mut state);
        (state.result, state.eos, state.unexpected) = (Ok(()), false, false);
        let untold = state.contents.take_untold();
        self.unlock(cx, state);
        tell_untold(cx, SRC, untold);
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        if matches!(query, Query::Allocation(_)) {
            // Those beyond are asked, by the host; with data inside nobody is, and nothing is offered.
            return cx.pad() == SINK && !self.lets_events_out(cx);
        }
        if let Query::Scheduling(way) = query
            && cx.pad() == SRC
        {
            // Its task pushes, however it is fed.
            way.push = true;
            return true;
        }
        if cx.pad() == SINK && query.is_serialized() {
            let answer = self.ask(cx, query).ok().flatten();
            return answer.map(|answer| *query = answer).is_some();
        }
        let is_own = matches!(query, Query::Latency { .. } | Query::Position { .. });
        if cx.pad() != SRC || !is_own || !cx.peer_query(SINK, query) {
            return false;
        }
        let (limit, is_leaky) =
            (self.settings.max_time.get(), self.settings.leaky.get() != LEAKY_NO);
        match query {
            // What is inside has not been played.
            Query::Position { format, position: Some(position) } => {
                let level = self.lock().contents.level();
                let inside = match format {
                    Format::Time => level.time,
                    Format::Bytes => level.bytes,
                    _ => 0,
                };
                *position = position.saturating_sub(inside);
            }
            Query::Latency { min, max, .. } => {
                let limit = (limit > 0).then(|| ClockTime::from_nanos(limit));
                *max = match (*max, limit) {
                    (Some(max), Some(limit)) if is_leaky => Some(max.max(limit)),
                    (Some(max), Some(limit)) => Some(max + limit),
                    _ => None,
                };
                *min += ClockTime::from_nanos(self.settings.min_time.get());
            }
            _ => {}
        }
        true
    }

    fn property_changed(&self, cx: &Cx, name: &str) {
        let mut state = self.lock();
        let asked = self.settings.threshold();
        match name {
            "min-threshold-buffers" => state.threshold.buffers = asked.buffers,
            "min-threshold-bytes" => state.threshold.bytes = asked.bytes,
            "min-threshold-time" => state.threshold.time = asked.time,
            "max-size-buffers" | "max-size-bytes" | "max-size-time"
                if self.settings.leaky.get() == LEAKY_DOWNSTREAM =>
            {
                self.leak_oldest(cx, &mut state);
            }
            _ => {}
        }
        // A lower threshold may end the wait for an item, a higher limit that for room. That a queue counts
        // as no longer empty because it may hold less than it does is seen with the next item.
        let is_room = name.starts_with("max-size-") && std::mem::take(&mut state.task.waits_room);
        let is_item = name.starts_with("min-threshold-") && std::mem::take(&mut state.waits_item);
        drop(state);
        if is_room {
            cx.wake(ROOM);
        }
        if is_item {
            cx.wake(ITEM);
        }
    }
}
