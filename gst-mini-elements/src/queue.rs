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
mod line;
mod settings;

use crate::queued::{Amount, Item, Question, complain, tell_untold};
use gst_mini_core::element_prelude::*;
use line::{Both, Line, State};
use settings::{LEAKY, LEAKY_DOWNSTREAM, LEAKY_NO, LEAKY_UPSTREAM, Settings};
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

    /// Gives the lock up and waits for room.
    fn wait_room<'a>(&'a self, cx: &Cx, mut state: Both<'a>) -> FlowResult<Both<'a>> {
        state.task.waits_room = true;
        let ticket = cx.ticket(ROOM);
        drop(state);
        cx.wait(ROOM, ticket, None)?;
        self.relock()
    }

    /// Gives the lock up and waits for an item. What else wakes this element, a property that was set,
    /// is none.
    fn wait_item<'a>(&'a self, cx: &Cx, mut state: Both<'a>) -> FlowResult<Both<'a>> {
        state.waits_item = true;
        while state.waits_item {
            let ticket = cx.ticket(ITEM);
            drop(state);
            cx.wait(ITEM, ticket, None)?;
            state = self.relock()?;
        }
        Ok(state)
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

    /// Puts a question in line, behind the data, and waits until downstream has answered it.
    fn ask(&self, cx: &Cx, query: &Query) -> FlowResult<Option<Query>> {
        let mut state = self.relock()?;
        let number = state.contents.questions.ask();
        state.put(Item::question(number, query));
        self.unlock(cx, state);
        loop {
            let mut state = self.relock()?;
            if let Some(answer) = state.contents.questions.take(number) {
                return Ok(answer);
            }
            state.waits_answer = true;
            let ticket = cx.ticket(ANSWER);
            drop(state);
            cx.wait(ANSWER, ticket, None)?;
        }
    }

    /// Throws the oldest items away until there is room.
    fn leak_oldest(&self, cx: &Cx, state: &mut Both<'_>) {
        while self.is_full(state) {
            let Some(item) = state.leak() else { break };
            self.count_dropped(cx, &item, "leaked: the oldest of a full queue");
        }
        cx.log(Level::Debug, || format!("leaked, {} dropped so far", self.settings.dropped.get()));
    }

    fn count_dropped(&self, cx: &Cx, item: &Item, why: &str) {
        for buf in item.buffers() {
            cx.dropped(buf, why);
        }
        self.settings.dropped.set(self.settings.dropped.get() + item.buffers().len() as u64);
    }

    /// Puts data in line, if there is room and nobody says no.
    #[inline]
    fn put_data(&self, cx: &Cx, item: Item) -> FlowResult {
        let mut state = self.line.lock_state();
        if self.is_full(&state) {
            self.line.settle(&mut state);
            if self.is_full(&state) && self.settings.leaky.get() == LEAKY_NO {
                state = self.line.let_go(state);
            }
        }
        if state.result.is_err() || state.eos || state.unexpected || self.is_full(&state) {
            drop(state);
            return self.put_data_looking(cx, item);
        }
        state.contents.put_behind(item);
        let is_waited_for = std::mem::take(&mut state.waits_item);
        drop(state);
        if is_waited_for {
            cx.wake(ITEM);
        }
        Ok(())
    }

    /// [`Queue::put_data`] with the levels as they are now.
    #[inline(never)]
    fn put_data_looking(&self, cx: &Cx, item: Item) -> FlowResult {
        let mut state = self.relock()?;
        if state.eos || state.unexpected {
            return Err(FlowError::Eos);
        }
        while self.is_full(&state) {
            state = self.signal(cx, state, &["overrun"])?;
            if !self.is_full(&state) {
                break;
            }
            match self.settings.leaky.get() {
                LEAKY_UPSTREAM => {
                    state.contents.tail_discont = true;
                    drop(state);
                    self.count_dropped(cx, &item, "leaked: new at a full queue");
                    cx.log(Level::Debug, || "full: what came is dropped".to_owned());
                    return Ok(());
                }
                LEAKY_DOWNSTREAM => self.leak_oldest(cx, &mut state),
                _ => {
                    while self.is_full(&state) {
                        state = self.wait_room(cx, state)?;
                    }
                    state = self.signal(cx, state, &["running"])?;
                }
            }
        }
        state.put(item);
        self.unlock(cx, state);
        Ok(())
    }

    /// Waits until the events that came before a query are sent, so that those beyond know what it is
    /// about. `false` if data is inside, or nothing goes out any more.
    fn lets_events_out(&self, cx: &Cx) -> bool {
        let Ok(mut state) = self.relock() else { return false };
        loop {
            if state.contents.level().buffers > 0 || state.task.under_way == Some(true) {
                return false;
            }
            if state.is_void() && state.task.under_way.is_none() {
                return true;
            }
            match self.wait_room(cx, state) {
                Ok(woken) => state = woken,
                Err(_) => return false,
            }
        }
    }

    /// Throws everything away; the thresholds count again.
    fn clear(&self, state: &mut Both<'_>) {
        state.clear();
        state.threshold = self.settings.threshold();
    }

    /// Asks downstream what stood in line. Not on the stack of who pushes a buffer.
    #[cold]
    #[inline(never)]
    fn pass_question(&self, cx: &Cx, question: Question) -> FlowResult {
        let Question { number, mut query } = question;
        let answer = cx.peer_query(SRC, &mut query).then_some(query);
        let mut state = self.lock();
        state.contents.questions.answer(number, answer);
        let result = state.result;
        self.unlock(cx, state);
        result
    }

    /// Waits for the next item and pushes it.
    fn push_next(&self, cx: &Cx) -> FlowResult {
        match self.line.next_buffer() {
            Ok((buf, is_room_awaited)) => {
                if is_room_awaited {
                    cx.wake(ROOM);
                }
                self.obey(cx, cx.push(SRC, buf))
            }
            Err(state) => self.push_next_looking(cx, state),
        }
    }

    /// [`Queue::push_next`] where more is to be seen to.
    #[inline(never)]
    fn push_next_looking<'a>(&'a self, cx: &Cx, mut state: Both<'a>) -> FlowResult {
        state.result?;
        if state.task.under_way.take().is_some() && state.task.waits_room {
            // A query may wait for that.
            self.unlock(cx, state);
            state = self.relock()?;
        }
        while self.is_empty(&state) {
            state = self.signal(cx, state, &["underrun"])?;
            while self.is_empty(&state) {
                state = self.wait_item(cx, state)?;
            }
            state = self.signal(cx, state, &["running", "pushing"])?;
        }
        match state.take() {
            Some(item) => self.send(cx, state, item),
            None => Ok(()),
        }
    }

    fn send(&self, cx: &Cx, mut state: Both<'_>, item: Item) -> FlowResult {
        state.task.under_way = Some(item.is_data());
        let untold = state.contents.take_untold();
        self.unlock(cx, state);
        tell_untold(cx, SRC, untold);
        match item {
            Item::Buffer(buf) => self.obey(cx, cx.push(SRC, buf)),
            Item::List(list) => self.obey(cx, cx.push_list(SRC, *list)),
            Item::Query(question) => self.pass_question(cx, *question),
            Item::Event(event) => {
                cx.push_event(SRC, &event);
                drop(self.relock()?);
                if matches!(event.kind, EventKind::Eos) { Err(FlowError::Eos) } else { Ok(()) }
            }
        }
    }

    /// What becomes of a push. The next call looks whether the queue still goes.
    #[inline]
    fn obey(&self, cx: &Cx, flow: FlowResult) -> FlowResult {
        match flow {
            Ok(()) => Ok(()),
            Err(refused) => self.obey_refusal(cx, refused),
        }
    }

    #[cold]
    #[inline(never)]
    fn obey_refusal(&self, cx: &Cx, refused: FlowError) -> FlowResult {
        let mut state = self.relock()?;
        if refused != FlowError::Eos {
            return Err(refused);
        }
        // Downstream has ended. What it still takes is a new beginning, or the end.
        while let Some(item) = state.take_in_vain() {
            if let Item::Event(event) = &item
                && begins_or_ends(event)
            {
                return self.send(cx, state, item).and(Err(refused));
            }
        }
        state.unexpected = true;
        self.unlock(cx, state);
        Ok(())
    }

    /// The task rests: upstream must hear why.
    fn rest(&self, cx: &Cx, why: FlowError) {
        let is_flushed = why == FlowError::Flushing && cx.is_flushing();
        let mut state = self.lock();
        // While the pad flushes, the reason is the flush, and its end takes it back.
        if !is_flushed {
            state.result = Err(why);
        }
        let ended = state.eos;
        let mut untold = Vec::new();
        if why == FlowError::Flushing {
            self.clear(&mut state);
            untold = state.contents.take_untold();
        }
        (state.task.waits_room, state.task.under_way) = (true, None);
        self.unlock(cx, state);
        tell_untold(cx, SRC, untold);
        let is_untold_upstream =
            !matches!(why, FlowError::Flushing | FlowError::Eos | FlowError::CustomSuccess);
        if ended && is_untold_upstream {
            complain(cx, why);
            cx.push_event(SRC, &Event::eos());
        }
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
        let mut state = self.lock();
        let is_end = matches!(event.kind, EventKind::Eos);
        let begins = begins_or_ends(&event) && !is_end;
        if state.result == Err(FlowError::Eos) && begins {
            state.result = Ok(());
        }
        if let Err(refused) = state.result {
            // A sticky event is kept: it causes a better error with the data behind it.
            if !event.is_sticky() || is_end {
                drop(state);
                if is_end && !matches!(refused, FlowError::Flushing | FlowError::Eos) {
                    complain(cx, refused);
                }
                return Err(refused);
            }
        }
        let mut starts = false;
        if state.eos {
            if !begins {
                return Err(FlowError::Eos);
            }
            (state.result, state.eos, state.unexpected) = (Ok(()), false, false);
            starts = true;
        }
        match event.kind {
            EventKind::Eos => {
                if self.settings.flush_on_eos.get() {
                    self.clear(&mut state);
                } else {
                    state.threshold = Amount::default();
                }
                state.eos = true;
            }
            EventKind::Segment(_) => state.unexpected = false,
            _ => {}
        }
        state.put(Item::Event(Box::new(event)));
        self.unlock(cx, state);
        if starts {
            cx.start_task(SRC);
        }
        Ok(())
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
