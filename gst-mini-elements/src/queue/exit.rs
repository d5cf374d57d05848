//! What the queue's own thread does: it takes the next item and pushes it, and rests when downstream takes no more.
//!
//! Invariant: the lock is held by nobody who waits, pushes or emits a signal.
//! In GStreamer: `plugins/elements/gstqueue.c` (`gst_queue_loop`, `gst_queue_push_one`).
//! Left out: nothing.

use super::line::Both;
use super::{ITEM, Queue, ROOM, SRC, begins_or_ends};
use crate::queued::{Item, Question, complain, tell_untold};
use gst_mini_core::element_prelude::*;

impl Queue {
    /// Waits for the next item and pushes it.
    pub(super) fn push_next(&self, cx: &Cx) -> FlowResult {
        match self.line.next_buffer(self.limit(), || cx.runtime_now()) {
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

    /// How many buffers there may be.
    #[inline]
    fn limit(&self) -> usize {
        match self.settings.max_buffers.get() {
            0 => usize::MAX,
            most => most as usize,
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
    pub(super) fn rest(&self, cx: &Cx, why: FlowError) {
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
}
