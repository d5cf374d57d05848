//! A bin's own state: it waits for those of its children that change theirs in their own threads.
//!
//! ```text
//!   child: async start ─▶ the bin waits, or loses its state      child: async done ─▶ the last one: the bin goes on
//! ```
//!
//! Invariant: while a step of the bin is under way, what its children say is only noted, and seen to at its end.
//! In GStreamer: `gst/gstbin.c` (`bin_handle_async_start`, `bin_handle_async_done`, `gst_bin_continue_func`).
//! Left out: async changes that a bin makes up itself.

use super::StateData;
use crate::handle::ElementRef;
use crate::message::MessageKind;
use crate::runtime::{self, MonitorGuard};
use crate::state::{State, StateReturn, Transition};
use crate::time::RunningTime;
use std::sync::atomic::Ordering;

impl ElementRef {
    /// A step of the bin begins; what its children say is seen to at its end.
    pub(crate) fn begin_step(&self) {
        self.0.state.lock().children.changing = true;
    }

    /// A step of the bin has come to `result`. If that waits for nobody any more, it goes on.
    pub(crate) fn end_step(&self, result: StateReturn, toplevel: bool) {
        let mut state = self.0.state.lock();
        state.children.changing = false;
        let done_meanwhile = std::mem::take(&mut state.children.done_meanwhile);
        let waits = result == StateReturn::Async || done_meanwhile;
        if waits && state.target > State::Ready && state.children.busy.is_empty() {
            self.children_done(state, StateReturn::Success, false, None, toplevel);
        }
    }

    /// Nobody is waited for any more.
    pub(crate) fn forget_busy(&self) {
        self.0.state.lock().children.busy.clear();
    }

    /// Whether a child of that name is in an async change.
    pub(crate) fn is_busy(&self, child: &str) -> bool {
        self.0.state.lock().children.busy.contains(child)
    }

    /// A child went into an async change.
    pub(crate) fn child_began(&self, child: &str, toplevel: bool) {
        let lost = {
            let mut state = self.0.state.lock();
            if state.target <= State::Ready {
                return;
            }
            state.children.busy.insert(child.to_owned());
            match state.last {
                StateReturn::Failure => return,
                StateReturn::NoPreroll => None,
                _ if state.children.changing => None,
                _ => state.lose(),
            }
        };
        if let Some(new) = lost {
            self.post_changed(new, new, Some(new));
        }
        if !toplevel {
            self.0.core.post(MessageKind::AsyncStart);
        }
    }

    /// A child's async change is done.
    pub(crate) fn child_done(
        &self,
        child: &str,
        running_time: Option<RunningTime>,
        toplevel: bool,
    ) {
        let mut state = self.0.state.lock();
        if state.target <= State::Ready {
            return;
        }
        state.children.busy.remove(child);
        if state.children.busy.is_empty() {
            self.children_done(state, StateReturn::Success, true, running_time, toplevel);
        }
    }

    /// A child failed: so did whatever change the bin is in.
    pub(crate) fn child_failed(&self) {
        let mut state = self.0.state.lock();
        state.last = StateReturn::Failure;
        state.notify_all();
    }

    /// A child was added, which may be in an async change or give no preroll.
    pub(crate) fn child_added(&self, child: &ElementRef, toplevel: bool) {
        if self.last_return() == StateReturn::Failure {
            return;
        }
        match child.last_return() {
            StateReturn::Async => self.child_began(child.name(), toplevel),
            StateReturn::NoPreroll => {
                let state = self.0.state.lock();
                self.children_done(state, StateReturn::NoPreroll, false, None, toplevel);
            }
            _ => {}
        }
    }

    /// A child was taken out; `no_preroll`: one of the others gives none.
    pub(crate) fn child_removed(&self, child: &str, no_preroll: bool, toplevel: bool) {
        let mut state = self.0.state.lock();
        let was_busy = state.children.busy.remove(child);
        if state.last == StateReturn::Failure {
            return;
        }
        let others = !state.children.busy.is_empty();
        if was_busy && !others {
            let result = if no_preroll { StateReturn::NoPreroll } else { StateReturn::Success };
            self.children_done(state, result, false, None, toplevel);
        } else if no_preroll {
            state.last = StateReturn::NoPreroll;
        } else if others {
            if state.pending.is_none() {
                let current = state.current;
                state.next = Some(current);
                state.pending = Some(current);
            }
            state.last = StateReturn::Async;
        }
    }

    /// Nobody is waited for any more: the step under way is made. At the top the change goes on,
    /// in a thread of its own because this one is a child's streaming thread; further down the bin
    /// above sees to it.
    fn children_done(
        &self,
        mut state: MonitorGuard<'_, StateData>,
        result: StateReturn,
        remember: bool,
        running_time: Option<RunningTime>,
        toplevel: bool,
    ) {
        if state.last == StateReturn::Failure {
            return;
        }
        if state.children.changing {
            state.children.done_meanwhile |= remember;
            return;
        }
        if state.pending.is_none() {
            return;
        }
        let old_last = std::mem::replace(&mut state.last, result);
        let target = state.target;
        let old = state.current;
        let next = state.next.unwrap_or(old);
        if next != State::Playing {
            state.current = next;
        }
        let goes_on = state.current != target && toplevel;
        let cookie = state.cookie;
        if goes_on {
            state.pending = Some(target);
            // No step is under way until the thread comes: a change asked for meanwhile begins here.
            // (GStreamer names the step just made; asked for PAUSED then, it waits for ever.)
            state.next = None;
            state.last = StateReturn::Async;
        } else {
            state.pending = None;
            state.next = None;
        }
        let pending = state.pending;
        drop(state);
        if next != State::Playing && (old != next || old_last == StateReturn::Async) {
            self.post_changed(old, next, pending);
        }
        self.0.core.post(MessageKind::AsyncDone { running_time });
        self.0.state.notify_all();
        if goes_on {
            self.continue_later(cookie, target);
        }
    }

    fn continue_later(&self, cookie: u64, target: State) {
        let handle = self.clone();
        let name = format!("{}:continue", self.name());
        let spawned = runtime::spawn(&name, move || handle.continue_change(cookie, target));
        if let Err(error) = spawned {
            self.0.core.post_error(error);
        }
    }

    /// The change goes on where its children left it, unless another one came first.
    fn continue_change(&self, cookie: u64, target: State) {
        let (_in_time, has_begun) = self.expect_in_time(target);
        let Ok(_one_at_a_time) = self.0.state_lock.lock() else { return };
        has_begun.store(true, Ordering::Relaxed);
        *self.0.changed_by.lock() = Some(runtime::shared_task_name());
        let transition = {
            let mut state = self.0.state.lock();
            if state.cookie != cookie {
                return;
            }
            let from = state.current;
            let to = from.next_towards(target);
            state.next = Some(to);
            state.pending = Some(target);
            state.last = StateReturn::Async;
            Transition { from, to }
        };
        self.step(transition);
    }
}
