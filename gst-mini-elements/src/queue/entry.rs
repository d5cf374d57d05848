//! What upstream's thread does with a queue: it puts in line, waits for room, or leaks.
//!
//! Invariant: the lock is held by nobody who waits, emits a signal or wakes.
//! In GStreamer: `plugins/elements/gstqueue.c` (`gst_queue_chain_buffer_or_list`, `gst_queue_handle_sink_event`).
//! Left out: nothing.

use super::line::Both;
use super::settings::{LEAKY_DOWNSTREAM, LEAKY_NO, LEAKY_UPSTREAM};
use super::{ANSWER, ITEM, Queue, ROOM, SRC, begins_or_ends};
use crate::queued::{Amount, Item, complain};
use gst_mini_core::element_prelude::*;

impl Queue {
    /// Puts data in line, if there is room and nobody says no.
    #[inline]
    pub(super) fn put_data(&self, cx: &Cx, item: Item) -> FlowResult {
        let mut state = self.line.lock_state();
        if self.is_full(&state) {
            self.line.settle(&mut state);
            if self.is_full(&state) && self.settings.leaky.get() == LEAKY_NO {
                state.is_pressed = true;
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

    /// Puts an event in line; one that begins something lets the task go on after an end.
    pub(super) fn put_event(&self, cx: &Cx, event: Event) -> FlowResult {
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

    /// Puts a question in line, behind the data, and waits until downstream has answered it.
    pub(super) fn ask(&self, cx: &Cx, query: &Query) -> FlowResult<Option<Query>> {
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

    /// Waits until the events that came before a query are sent, so that those beyond know what it is
    /// about. `false` if data is inside, or nothing goes out any more.
    pub(super) fn lets_events_out(&self, cx: &Cx) -> bool {
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

    /// Throws the oldest items away until there is room.
    pub(super) fn leak_oldest(&self, cx: &Cx, state: &mut Both<'_>) {
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

    /// Gives the lock up and waits for room.
    fn wait_room<'a>(&'a self, cx: &Cx, mut state: Both<'a>) -> FlowResult<Both<'a>> {
        state.task.waits_room = true;
        let ticket = cx.ticket(ROOM);
        drop(state);
        cx.wait(ROOM, ticket, None)?;
        self.relock()
    }
}
