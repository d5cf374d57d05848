//! `multiqueue` is several queues side by side, one for each stream, that let each other grow.
//!
//! ```text
//!   sink_0 ─chain─▶ [ items ] ─produce─▶ src_0        a queue that is full grows while another one is empty;
//!   sink_1 ─chain─▶ [ items ] ─produce─▶ src_1        one whose output nobody takes stays behind the others
//! ```
//!
//! Invariant: items of a stream leave in the order they came; with `sync-by-running-time` a stream that nobody
//! takes never runs ahead of those that somebody does.
//! In GStreamer: `plugins/elements/gstmultiqueue.c` (`gst_multi_queue_loop`, `gst_multi_queue_chain`).
//! Left out: the allocation query, to which nothing is offered; the properties of its pads (`group-id`, and levels, which `stats` has); sparse streams. As there,
//! the properties `extra-size-…` have no effect.
//!
//! ```text
//! multiqueue name=m fakesrc num-buffers=3 ! m. fakesrc num-buffers=3 ! m. m. ! fakesink m. ! fakesink
//! ```

mod buffering;
mod facts;
mod interleave;
mod settings;
mod single;
mod turns;

use crate::queued::{Item, Question, complain, reaches, tell_untold};
use gst_mini_core::element_prelude::*;
use gst_mini_core::message::MessageKind;
use parking_lot::{Mutex, MutexGuard};
use settings::Settings;
use single::{Single, Step};
use std::sync::Arc;

/// Waiters: room for a chain, an item for a task, a task's turn, an answer for who asked.
const ROOM: u32 = 0;
const ITEM: u32 = 1;
const TURN: u32 = 2;
const ANSWER: u32 = 3;

pub struct MultiQueue {
    settings: Settings,
    stats: facts::Stats,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// In the order of their numbers.
    queues: Vec<Single>,
    /// Items numbered so far.
    count: u64,
    front: turns::Front,
    buffering: buffering::Buffering,
    interleave: interleave::Interleave,
    wakes: Wakes,
}

/// Who is to be woken when the lock is given up.
#[derive(Clone, Copy, Default)]
struct Wakes {
    room: bool,
    item: bool,
    turn: bool,
    answer: bool,
}

impl Wakes {
    const ALL: Wakes = Wakes { room: true, item: true, turn: true, answer: true };
}

type Locked<'a> = MutexGuard<'a, State>;

impl State {
    fn of_sink(&self, pad: PadId) -> FlowResult<usize> {
        let at = self.queues.iter().position(|single| single.sink == pad);
        at.ok_or(FlowError::Flushing)
    }

    fn of_src(&self, pad: PadId) -> Option<usize> {
        self.queues.iter().position(|single| single.src == Some(pad))
    }

    fn next_id(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn is_full(&self, at: usize, settings: &Settings) -> bool {
        let single = &self.queues[at];
        let (level, limit) = (single.level(), single.limit);
        if single.is_eos || single.is_segment_done {
            return true;
        }
        // While it gathers time, or bytes, the number of buffers does not matter.
        if !settings.use_buffering.get() && reaches(level.buffers, limit.buffers) {
            return true;
        }
        let by_time = settings.sync_by_running_time.get();
        if by_time && single.result == Err(FlowError::NotLinked) {
            // A stream that nobody takes may be behind by the cache time on top.
            return match level.time.checked_sub(settings.unlinked_cache_time.get()) {
                Some(time) if time > 0 => {
                    reaches(level.bytes, limit.bytes) || reaches(time, limit.time)
                }
                _ => false,
            };
        }
        reaches(level.bytes, limit.bytes) || reaches(level.time, limit.time)
    }

    /// A queue is full: it may have one more buffer while another one is empty. `false`: it has, and nobody
    /// need be told.
    fn overrun(&mut self, at: usize) -> bool {
        let single = &self.queues[at];
        let (level, limit) = (single.level(), single.limit);
        if single.is_eos || reaches(level.bytes, limit.bytes) || reaches(level.time, limit.time) {
            return true;
        }
        let starves = |(other, single): (usize, &Single)| {
            other != at && single.result != Err(FlowError::NotLinked) && single.is_empty()
        };
        if self.queues.iter().enumerate().any(starves) && reaches(level.buffers, limit.buffers) {
            self.queues[at].limit.buffers = level.buffers + 1;
            return false;
        }
        true
    }

    /// A queue is empty: those that are full may have one more buffer. `true`: all are empty.
    fn underrun(&mut self, at: usize, settings: &Settings) -> bool {
        if self.queues[at].result == Err(FlowError::NotLinked) {
            return false;
        }
        for other in 0..self.queues.len() {
            let level = self.queues[other].level();
            let has_all = reaches(level.buffers, self.queues[other].limit.buffers);
            if has_all && self.is_full(other, settings) {
                self.queues[other].limit.buffers = level.buffers + 1;
                self.wakes.room = true;
            }
        }
        self.queues.iter().all(Single::is_empty)
    }

    /// The time inside a queue may have changed.
    fn measure(&mut self, at: usize, settings: &Settings) {
        let has_input = self.queues[at].measure();
        if has_input && settings.use_interleave.get() {
            self.queues[at].input_time = self.queues[at].input_running_time();
            self.calculate_interleave(Some(at), settings);
        }
        self.update_buffering(at, settings);
    }

    /// Something is about to come in: streams of one thread may be further apart than before.
    fn look_ahead(&mut self, at: usize, step: &Step, settings: &Settings) {
        if !settings.use_interleave.get() {
            return;
        }
        let single = &mut self.queues[at];
        let segment = single.input.segment();
        let step = match *step {
            Step::Data(None, duration) => Step::Data(segment.position, duration),
            step => step,
        };
        if let Some(time) = step.running_time(&segment, true) {
            single.input_time = Some(time);
            self.calculate_interleave(Some(at), settings);
        }
    }

    fn came_in(&mut self, at: usize, step: &Step, settings: &Settings) {
        self.queues[at].moves_in(step);
        self.measure(at, settings);
    }

    fn goes_out(&mut self, at: usize, step: &Step, settings: &Settings) {
        self.queues[at].moves_out(step);
        self.measure(at, settings);
        self.wakes.room |= self.queues[at].waits_room;
    }

    /// Nothing comes in or goes out any more.
    fn close(&mut self, at: usize) {
        self.queues[at].is_closed = true;
        self.wakes = Wakes::ALL;
    }
}

impl MultiQueue {
    fn by_time(&self) -> bool {
        self.settings.sync_by_running_time.get()
    }

    /// Gives the lock up, wakes who waits for what has changed, and tells how full it is.
    fn unlock(&self, cx: &Cx, mut state: Locked<'_>) {
        let wakes = std::mem::take(&mut state.wakes);
        let percent = state.buffering.take_news();
        drop(state);
        let waiters =
            [(wakes.room, ROOM), (wakes.item, ITEM), (wakes.turn, TURN), (wakes.answer, ANSWER)];
        for (_, waiter) in waiters.into_iter().filter(|(wakes, _)| *wakes) {
            cx.wake(waiter);
        }
        if let Some(percent) = percent {
            cx.post(MessageKind::Buffering { percent });
        }
    }

    /// Gives the lock up and waits.
    fn wait<'a>(&'a self, cx: &Cx, state: Locked<'a>, waiter: u32) -> FlowResult<Locked<'a>> {
        let ticket = cx.ticket(waiter);
        self.unlock(cx, state);
        let woken = cx.wait(waiter, ticket, None);
        woken.map(|_| self.state.lock())
    }

    /// Puts an item in as soon as there is room.
    fn put<'a>(
        &'a self,
        cx: &Cx,
        mut state: Locked<'a>,
        item: Item,
        id: u64,
    ) -> FlowResult<(Locked<'a>, usize)> {
        let open = |state: &State| {
            let at = state.of_sink(cx.pad())?;
            let single = &state.queues[at];
            if single.is_closed { Err(single.refusal()) } else { Ok(at) }
        };
        let mut at = open(&state)?;
        if state.is_full(at, &self.settings) {
            let is_told = state.overrun(at);
            self.unlock(cx, state);
            if is_told {
                cx.emit("overrun", None);
            }
            state = self.state.lock();
            at = open(&state)?;
            while state.is_full(at, &self.settings) {
                state.queues[at].waits_room = true;
                state = self.wait(cx, state, ROOM)?;
                at = open(&state)?;
            }
            state.queues[at].waits_room = false;
        }
        state.queues[at].put(item, id);
        state.wakes.item |= std::mem::take(&mut state.queues[at].waits_item);
        Ok((state, at))
    }

    /// The oldest item, as soon as there is one.
    fn take<'a>(&'a self, cx: &Cx) -> FlowResult<(Locked<'a>, usize, Item, u64)> {
        let mut state = self.state.lock();
        let mut is_first = true;
        loop {
            let Some(at) = state.of_src(cx.pad()) else {
                // The pad is not in place yet.
                state = self.wait(cx, state, ITEM)?;
                continue;
            };
            if state.queues[at].is_flushing || state.queues[at].is_closed {
                return Err(state.queues[at].refusal());
            }
            if let Some((item, id)) = state.queues[at].take() {
                state.wakes.room |= state.queues[at].waits_room;
                return Ok((state, at, item, id));
            }
            if std::mem::take(&mut is_first) {
                let is_told = state.underrun(at, &self.settings);
                self.unlock(cx, state);
                if is_told {
                    cx.emit("underrun", None);
                }
                state = self.state.lock();
                continue;
            }
            state.queues[at].waits_item = true;
            state = self.wait(cx, state, ITEM)?;
        }
    }

    /// Lets a stream that nobody takes wait until it is not ahead of the others any more.
    fn take_turn<'a>(
        &'a self,
        cx: &Cx,
        mut state: Locked<'a>,
        id: u64,
        next_time: Option<i64>,
    ) -> FlowResult<Locked<'a>> {
        let by_time = self.by_time();
        let at = state.of_src(cx.pad()).ok_or(FlowError::Flushing)?;
        if !state.concerns_others(at, id) {
            return Ok(state);
        }
        state.ask_turn(at, id, next_time, self.settings.unlinked_cache_time.get());
        state.find_front(by_time);
        if state.queues[at].result == Err(FlowError::NotLinked) {
            loop {
                let at = state.of_src(cx.pad()).ok_or(FlowError::Flushing)?;
                if state.queues[at].is_flushing {
                    return Err(FlowError::Flushing);
                }
                if !state.must_wait(at, id, by_time) {
                    break;
                }
                state.wake_unlinked(by_time);
                state.queues[at].waits_turn = true;
                state = self.wait(cx, state, TURN)?;
                if let Some(at) = state.of_src(cx.pad()) {
                    state.queues[at].waits_turn = false;
                }
                state.find_front(by_time);
            }
            state.find_front(by_time);
        } else {
            state.wake_unlinked(by_time);
        }
        let at = state.of_src(cx.pad()).ok_or(FlowError::Flushing)?;
        state.end_turn(at);
        Ok(state)
    }

    /// Sends one item on. `drops`: downstream has ended, and takes nothing but a new beginning or the end.
    fn send<'a>(
        &'a self,
        cx: &Cx,
        mut state: Locked<'a>,
        at: usize,
        item: Item,
        drops: &mut bool,
    ) -> (Locked<'a>, FlowResult) {
        let mut result = state.queues[at].result;
        state.goes_out(at, &Step::of(&item), &self.settings);
        match item {
            Item::Event(event) => {
                match event.kind {
                    EventKind::SegmentDone { .. } => *drops = false,
                    EventKind::Eos => {
                        (result, *drops) = (Err(FlowError::Eos), false);
                        state.queues[at].has_ended = true;
                    }
                    EventKind::StreamStart { .. } => {
                        (result, *drops) = (Ok(()), false);
                        state.queues[at].has_ended = false;
                    }
                    EventKind::Segment(_) if *drops => (result, *drops) = (Ok(()), false),
                    _ => {}
                }
                self.unlock(cx, state);
                if !*drops {
                    cx.push_event(cx.pad(), &event);
                }
            }
            Item::Query(question) => {
                self.unlock(cx, state);
                let Question { number, mut query } = *question;
                let is_answered = !*drops && cx.peer_query(cx.pad(), &mut query);
                let mut state = self.state.lock();
                if let Some(at) = state.of_src(cx.pad()) {
                    state.queues[at].questions.answer(number, is_answered.then_some(query));
                }
                state.wakes.answer = true;
                return (state, result);
            }
            data => {
                self.unlock(cx, state);
                if *drops {
                    data.buffers().iter().for_each(|buf| cx.dropped(buf, "downstream has ended"));
                } else {
                    result = match data {
                        Item::Buffer(buf) => cx.push(cx.pad(), buf),
                        Item::List(list) => cx.push_list(cx.pad(), *list),
                        Item::Event(_) | Item::Query(_) => result,
                    };
                }
            }
        }
        (self.state.lock(), result)
    }

    /// Puts a question in line, behind the data, and waits until downstream has answered it.
    fn ask(&self, cx: &Cx, query: &Query) -> FlowResult<Option<Query>> {
        let mut state = self.state.lock();
        let at = state.of_sink(cx.pad())?;
        state.queues[at].result?;
        if self.settings.use_buffering.get() && !state.queues[at].is_empty() {
            // What gathers may wait for more than would come while somebody waits for an answer.
            return Ok(None);
        }
        let (id, number) = (state.next_id(), state.queues[at].questions.ask());
        let (mut state, mut at) = self.put(cx, state, Item::question(number, query), id)?;
        loop {
            if let Some(answer) = state.queues[at].questions.take(number) {
                self.unlock(cx, state);
                return Ok(answer);
            }
            state.queues[at].result?;
            state = self.wait(cx, state, ANSWER)?;
            at = state.of_sink(cx.pad())?;
        }
    }

    /// Takes items and sends them on until one was sent that downstream took, or that ends it.
    fn send_next(&self, cx: &Cx) -> FlowResult {
        let (by_time, mut drops) = (self.by_time(), false);
        loop {
            let (state, at, item, id) = self.take(cx)?;
            let step = Step::of(&item);
            let next_time = step.running_time(&state.queues[at].output_segment(), false);
            let mut state = self.take_turn(cx, state, id, next_time)?;
            let at = state.of_src(cx.pad()).ok_or(FlowError::Flushing)?;
            if state.queues[at].is_flushing {
                return Err(FlowError::Flushing);
            }
            if let Some(end) = step.running_time(&state.queues[at].output_segment(), true) {
                state.reach(at, end, by_time);
            }
            let is_data = item.is_data();
            let (mut state, mut result) = self.send(cx, state, at, item, &mut drops);
            let at = state.of_src(cx.pad()).ok_or(FlowError::Flushing)?;
            let before = state.queues[at].result;
            if state.queues[at].is_flushing {
                return Err(FlowError::Flushing);
            }
            let is_lost = state.queues[at].has_pushed
                && before.is_ok()
                && result == Err(FlowError::NotLinked);
            if is_lost {
                state.find_front(by_time);
                state.lost_taker();
            }
            state.queues[at].has_pushed |= is_data;
            // Upstream may be at another segment already, so the end is not told at once.
            if result == Err(FlowError::Eos) && !drops && before != Err(FlowError::NotLinked) {
                (drops, result) = (true, before);
            } else if drops && state.queues[at].is_empty() {
                (drops, result) = (false, Err(FlowError::Eos));
            }
            state.queues[at].result = result;
            state.queues[at].place.last = Some(id);
            if is_lost {
                state.update_buffering(at, &self.settings);
            }
            if state.queues[at].has_ended || result == Err(FlowError::Eos) {
                state.find_front(by_time);
                state.wake_unlinked(by_time);
            }
            self.unlock(cx, state);
            if drops {
                continue;
            }
            return match result {
                Ok(()) | Err(FlowError::NotLinked | FlowError::Eos) => Ok(()),
                refused => refused,
            };
        }
    }

    /// The task rests. Upstream must hear of a failure soon, but may be stuck in another queue that is full:
    /// so this one is emptied, and the others grow.
    fn give_up(&self, cx: &Cx) {
        let state = self.state.lock();
        let Some(at) = state.of_src(cx.pad()) else { return };
        let single = &state.queues[at];
        let failed = single.result.err().filter(|why| why.code() < FlowError::Eos.code());
        let failed = failed.filter(|_| single.is_eos || single.is_segment_done);
        drop(state);
        if let Some(why) = failed {
            complain(cx, why);
        }
        let mut state = self.state.lock();
        let Some(at) = state.of_src(cx.pad()) else { return };
        let untold = state.queues[at].clear();
        state.update_buffering(at, &self.settings);
        let is_told = state.underrun(at, &self.settings);
        state.close(at);
        self.unlock(cx, state);
        tell_untold(cx, cx.pad(), untold);
        if is_told {
            cx.emit("underrun", None);
        }
    }

    /// The end of a stream or segment is in: the queue is full now, whatever it holds.
    fn filled(&self, cx: &Cx, mut state: Locked<'_>, at: usize) {
        let failed = state.queues[at].result.err();
        let failed =
            failed.filter(|why| state.queues[at].is_eos && why.code() < FlowError::Eos.code());
        state.update_buffering(at, &self.settings);
        let is_told = state.overrun(at);
        self.unlock(cx, state);
        if let Some(why) = failed {
            complain(cx, why);
        }
        if is_told {
            cx.emit("overrun", None);
        }
    }
}
