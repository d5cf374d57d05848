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
//! Left out: queries kept in order with the data.
//!
//! ```text
//! fakesrc num-buffers=10 ! queue max-size-buffers=3 leaky=downstream ! fakesink
//! ```

use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;
use std::collections::VecDeque;

const LEAKY: &str = "enum:no=0:Not Leaky,upstream=1:Leaky on upstream (new buffers),\
    downstream=2:Leaky on downstream (old buffers)";
const LEAKY_UPSTREAM: i32 = 1;
const LEAKY_DOWNSTREAM: i32 = 2;
/// Waiters: room for the chain, an item for the task.
const ROOM: u32 = 0;
const ITEM: u32 = 1;
const SINK: PadId = FIRST_PAD;
const SRC: PadId = SECOND_PAD;

pub struct Queue {
    max_buffers: Live<u32>,
    max_bytes: Live<u32>,
    max_time: Live<u64>,
    min_buffers: Live<u32>,
    min_bytes: Live<u32>,
    min_time: Live<u64>,
    leaky: Live<i32>,
    silent: Live<bool>,
    flush_on_eos: Live<bool>,
    level_buffers: Live<u32>,
    level_bytes: Live<u32>,
    level_time: Live<u64>,
    dropped: Live<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    buffers: u32,
    bytes: u64,
    /// Running time of what came in last and went out last; their distance is the level in time.
    sink_time: Option<i64>,
    src_time: Option<i64>,
    sink_segment: Option<Segment>,
    src_segment: Option<Segment>,
    /// The next buffer in (tail) or out (head) follows a hole.
    tail_discont: bool,
    head_discont: bool,
    eos: bool,
    /// Why downstream takes nothing more.
    refused: Option<FlowError>,
}

enum Item {
    Buffer(Buffer),
    Event(Event),
}

impl Default for Queue {
    fn default() -> Self {
        Queue {
            max_buffers: Live::new(200),
            max_bytes: Live::new(10 * 1024 * 1024),
            max_time: Live::new(ClockTime::SECOND.nanos()),
            min_buffers: Live::new(0),
            min_bytes: Live::new(0),
            min_time: Live::new(0),
            leaky: Live::new(0),
            silent: Live::new(false),
            flush_on_eos: Live::new(false),
            level_buffers: Live::new(0),
            level_bytes: Live::new(0),
            level_time: Live::new(0),
            dropped: Live::new(0),
            state: Mutex::default(),
        }
    }
}

impl Element for Queue {
    const NAME: &str = "queue";
    const SUMMARY: &str = "Simple data queue";
    const LONG_NAME: &str = "Queue";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY).with_task()];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("current-level-buffers", types::UINT, "Buffers inside", |e: &Self| {
            &e.level_buffers
        })
        .read_only(),
        Prop::live("current-level-bytes", types::UINT, "Bytes inside", |e: &Self| &e.level_bytes)
            .unit("bytes")
            .read_only(),
        Prop::live("current-level-time", types::UINT64, "Time inside", |e: &Self| &e.level_time)
            .unit("ns")
            .read_only(),
        Prop::live("max-size-buffers", types::UINT, "Most buffers, 0: no limit", |e: &Self| {
            &e.max_buffers
        }),
        Prop::live("max-size-bytes", types::UINT, "Most bytes, 0: no limit", |e: &Self| {
            &e.max_bytes
        })
        .unit("bytes"),
        Prop::live("max-size-time", types::UINT64, "Most time, 0: no limit", |e: &Self| {
            &e.max_time
        })
        .unit("ns"),
        Prop::live(
            "min-threshold-buffers",
            types::UINT,
            "Buffers to gather before any goes out",
            |e: &Self| &e.min_buffers,
        ),
        Prop::live(
            "min-threshold-bytes",
            types::UINT,
            "Bytes to gather before any go out",
            |e: &Self| &e.min_bytes,
        )
        .unit("bytes"),
        Prop::live(
            "min-threshold-time",
            types::UINT64,
            "Time to gather before any goes out",
            |e: &Self| &e.min_time,
        )
        .unit("ns"),
        Prop::live("leaky", LEAKY, "Where the queue leaks when it is full", |e: &Self| &e.leaky),
        Prop::live("silent", types::BOOLEAN, "Don't emit signals", |e: &Self| &e.silent),
        Prop::live(
            "flush-on-eos",
            types::BOOLEAN,
            "Throw the contents away at end of stream",
            |e: &Self| &e.flush_on_eos,
        ),
        Prop::live("dropped", types::UINT64, "Buffers leaked so far", |e: &Self| &e.dropped)
            .read_only(),
    ];
    const SIGNALS: &[Signal] = &[
        Signal::emitted("overrun", "A buffer came and the queue was full"),
        Signal::emitted("underrun", "The queue is empty"),
        Signal::emitted("running", "There is enough inside to go on"),
        Signal::emitted("pushing", "Something is about to be pushed"),
    ];
}

impl State {
    fn time_level(&self) -> u64 {
        match (self.sink_time, self.src_time) {
            (Some(sink), Some(src)) => u64::try_from(sink.saturating_sub(src)).unwrap_or(0),
            (Some(sink), None) => u64::try_from(sink).unwrap_or(0),
            _ => 0,
        }
    }

    fn clear(&mut self) {
        *self = State { tail_discont: self.tail_discont, ..State::default() };
    }
}

/// Running time of a position, negative before the segment.
fn running_time(segment: Option<&Segment>, at: ClockTime) -> Option<i64> {
    let segment = segment.filter(|segment| segment.format == Format::Time)?;
    let (sign, time) = segment.to_running_time_full(at);
    let time = i64::try_from(time).ok()?;
    (sign != 0).then_some(i64::from(sign) * time)
}

/// Where a buffer ends, for the level in time.
fn end_of(buf: &Buffer) -> Option<ClockTime> {
    let start = buf.dts_or_pts()?;
    Some(start + buf.duration().unwrap_or(ClockTime::ZERO))
}

impl Queue {
    fn is_full(&self, state: &State) -> bool {
        let over = |level: u64, max: u64| max > 0 && level >= max;
        over(u64::from(state.buffers), u64::from(self.max_buffers.get()))
            || over(state.bytes, u64::from(self.max_bytes.get()))
            || over(state.time_level(), self.max_time.get())
    }

    /// Nothing inside, or less than the thresholds ask for.
    fn is_empty(&self, state: &State) -> bool {
        if state.items.is_empty() {
            return true;
        }
        if state.eos {
            return false;
        }
        let under = |level: u64, min: u64| min > 0 && level < min;
        state.buffers > 0
            && (under(u64::from(state.buffers), u64::from(self.min_buffers.get()))
                || under(state.bytes, u64::from(self.min_bytes.get()))
                || under(state.time_level(), self.min_time.get()))
    }

    fn publish_levels(&self, state: &State) {
        self.level_buffers.set(state.buffers);
        self.level_bytes.set(u32::try_from(state.bytes).unwrap_or(u32::MAX));
        self.level_time.set(state.time_level());
    }

    fn signal(&self, cx: &Cx, name: &str) {
        if !self.silent.get() {
            cx.emit(name, None);
        }
    }

    /// Takes the oldest item out and accounts for it.
    fn take(&self, state: &mut State) -> Option<Item> {
        let item = state.items.pop_front()?;
        match &item {
            Item::Buffer(buf) => {
                state.buffers -= 1;
                state.bytes -= buf.size() as u64;
                if let Some(end) = end_of(buf) {
                    state.src_time =
                        running_time(state.src_segment.as_ref(), end).or(state.src_time);
                }
            }
            Item::Event(event) => match &event.kind {
                EventKind::Segment(segment) => {
                    state.src_segment = Some(*segment);
                    let start = ClockTime::from_nanos(segment.start);
                    state.src_time = running_time(Some(segment), start).or(state.src_time);
                }
                EventKind::Gap { pts, duration } => {
                    let end = *pts + duration.unwrap_or(ClockTime::ZERO);
                    state.src_time =
                        running_time(state.src_segment.as_ref(), end).or(state.src_time);
                }
                _ => {}
            },
        }
        if state.items.is_empty() {
            // What is empty holds no time, whatever the last timestamps were.
            state.src_time = state.sink_time.or(state.src_time);
        }
        self.publish_levels(state);
        Some(item)
    }

    /// Throws the oldest buffers away until there is room; events among them stay.
    fn leak_oldest(&self, cx: &Cx, state: &mut State) {
        let mut kept = Vec::new();
        while self.is_full(state) {
            match self.take(state) {
                Some(Item::Buffer(buf)) => {
                    cx.dropped(&buf, "leaked: the oldest of a full queue");
                    self.dropped.set(self.dropped.get() + 1);
                    state.head_discont = true;
                }
                Some(event) => kept.push(event),
                None => break,
            }
        }
        for event in kept.into_iter().rev() {
            state.items.push_front(event);
        }
        cx.log(Level::Debug, || format!("leaked, {} dropped so far", self.dropped.get()));
    }
}

impl MultiPad for Queue {
    fn start(&self, _: &Cx) -> Result<(), ElementError> {
        *self.state.lock() = State::default();
        self.publish_levels(&State::default());
        self.dropped.set(0);
        Ok(())
    }

    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        *self.state.lock() = State::default();
        self.publish_levels(&State::default());
        Ok(())
    }

    fn chain(&self, cx: &Cx, mut buf: Buffer) -> FlowResult {
        let mut told = false;
        loop {
            let mut state = self.state.lock();
            if let Some(refused) = state.refused {
                return Err(refused);
            }
            if state.eos {
                return Err(FlowError::Eos);
            }
            if self.is_full(&state) {
                if !std::mem::replace(&mut told, true) {
                    drop(state);
                    // A handler may make room by setting a property.
                    self.signal(cx, "overrun");
                    continue;
                }
                match self.leaky.get() {
                    LEAKY_UPSTREAM => {
                        state.tail_discont = true;
                        drop(state);
                        cx.dropped(&buf, "leaked: new at a full queue");
                        self.dropped.set(self.dropped.get() + 1);
                        cx.log(Level::Debug, || "full: the new buffer is dropped".to_owned());
                        return Ok(());
                    }
                    LEAKY_DOWNSTREAM => self.leak_oldest(cx, &mut state),
                    _ => {
                        let ticket = cx.ticket(ROOM);
                        drop(state);
                        cx.wait(ROOM, ticket, None)?;
                        continue;
                    }
                }
            }
            if std::mem::take(&mut state.tail_discont) {
                buf.set_flags(BufferFlags::DISCONT);
            }
            state.buffers += 1;
            state.bytes += buf.size() as u64;
            if let Some(end) = end_of(&buf) {
                let time = running_time(state.sink_segment.as_ref(), end);
                state.sink_time = time.max(state.sink_time);
            }
            state.items.push_back(Item::Buffer(buf));
            self.publish_levels(&state);
            drop(state);
            cx.wake(ITEM);
            return Ok(());
        }
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        let mut state = self.state.lock();
        match &event.kind {
            EventKind::StreamStart { .. } => {
                state.eos = false;
                if state.refused == Some(FlowError::Eos) {
                    state.refused = None;
                }
            }
            EventKind::Segment(segment) => {
                state.sink_segment = Some(*segment);
                let start = ClockTime::from_nanos(segment.start);
                state.sink_time = running_time(Some(segment), start);
                if state.items.is_empty() {
                    state.src_time = state.sink_time;
                }
            }
            EventKind::Gap { pts, duration } => {
                let end = *pts + duration.unwrap_or(ClockTime::ZERO);
                state.sink_time =
                    running_time(state.sink_segment.as_ref(), end).max(state.sink_time);
            }
            EventKind::Eos => {
                if self.flush_on_eos.get() {
                    state
                        .items
                        .retain(|item| matches!(item, Item::Event(event) if event.is_sticky()));
                    (state.buffers, state.bytes) = (0, 0);
                    state.src_time = state.sink_time;
                }
                state.eos = true;
            }
            _ => {}
        }
        if let Some(refused) = state.refused {
            return Err(refused);
        }
        state.items.push_back(Item::Event(event));
        self.publish_levels(&state);
        drop(state);
        cx.wake(ITEM);
        Ok(())
    }

    fn produce(&self, cx: &Cx) -> FlowResult<Option<Buffer>> {
        let mut was_empty = false;
        loop {
            let mut state = self.state.lock();
            if self.is_empty(&state) {
                let ticket = cx.ticket(ITEM);
                drop(state);
                if !std::mem::replace(&mut was_empty, true) {
                    self.signal(cx, "underrun");
                    // The handler may have changed a threshold.
                    continue;
                }
                cx.wait(ITEM, ticket, None)?;
                continue;
            }
            if was_empty {
                drop(state);
                self.signal(cx, "running");
                was_empty = false;
                self.signal(cx, "pushing");
                continue;
            }
            let item = self.take(&mut state);
            let head_discont = std::mem::take(&mut state.head_discont);
            drop(state);
            cx.wake(ROOM);
            return match item {
                Some(Item::Buffer(mut buf)) => {
                    if head_discont {
                        buf.set_flags(BufferFlags::DISCONT);
                    }
                    Ok(Some(buf))
                }
                Some(Item::Event(event)) => {
                    if head_discont {
                        self.state.lock().head_discont = true;
                    }
                    let ends = matches!(event.kind, EventKind::Eos);
                    cx.output_event(SRC, event);
                    if ends { Err(FlowError::Eos) } else { Ok(None) }
                }
                None => Ok(None),
            };
        }
    }

    fn stopped(&self, cx: &Cx, why: FlowError) {
        let mut state = self.state.lock();
        state.refused = Some(why);
        if why == FlowError::Eos {
            state.items.retain(|item| matches!(item, Item::Event(_)));
            (state.buffers, state.bytes) = (0, 0);
            self.publish_levels(&state);
        }
        drop(state);
        cx.wake(ROOM);
    }

    fn flush(&self, _: &Cx) {
        let mut state = self.state.lock();
        state.clear();
        self.publish_levels(&state);
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        // Upstream's latency, and what this queue can hold.
        if cx.pad() != SRC || !matches!(query, Query::Latency { .. }) {
            return false;
        }
        if !cx.peer_query(SINK, query) {
            return false;
        }
        if let Query::Latency { min, max, .. } = query {
            let most = self.max_time.get();
            *max = max.filter(|_| most > 0).map(|max| max + ClockTime::from_nanos(most));
            *min += ClockTime::from_nanos(self.min_time.get());
        }
        true
    }

    fn property_changed(&self, cx: &Cx, _: &str) {
        // A new limit may end a wait on either side.
        cx.wake(ROOM);
        cx.wake(ITEM);
    }
}
