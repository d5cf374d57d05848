//! An element's way from state to state: one step at a time, and what goes on by itself.
//!
//! ```text
//!   set_state(PLAYING):  NULL ─▶ READY ─▶ PAUSED ┄ async: the first buffer commits it ┄▶ PLAYING
//!                                          ▲──────────── a flush loses it ──────────────────┘
//! ```
//!
//! A step ends in one of four ways. *Success* and *no-preroll* commit it, and the next step follows.
//! *Async* leaves it open: a sink's streaming thread commits it later, and a bin's is committed when its
//! last child is done. *Failure* ends the change where it is.
//!
//! Invariant: changes of one element come one at a time, under its state lock; its data (where it is,
//! where it goes) has a lock of its own, which is never held across a call.
//! In GStreamer: `gst/gstelement.c` (`gst_element_set_state_func`, `gst_element_continue_state`, `gst_element_lost_state`).
//! Left out: a change of state from inside a change of the same element, which is refused.

mod children;

use super::ElementRef;
use crate::cx::Level;
use crate::error::{ElementError, ErrorKind};
use crate::host::context::Context;
use crate::message::MessageKind;
use crate::runtime;
use crate::state::{State, StateReturn, Transition};
use crate::time::ClockTime;
use crate::tracer;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stands in an element's way from state to state: is called for each step instead of the element,
/// which the last argument asks to make it. As a subclass's `change_state` in GStreamer.
pub type StateHook = dyn Fn(Transition, &dyn Fn() -> StateReturn) -> StateReturn + Send + Sync;

/// A change of state that takes longer is told about.
const PATIENCE: ClockTime = ClockTime::from_secs(10);

pub(super) struct StateData {
    current: State,
    /// Where the step under way goes.
    next: Option<State>,
    /// Where the change under way goes.
    pending: Option<State>,
    /// Where it was last asked to go.
    target: State,
    /// How the last step ended.
    last: StateReturn,
    /// Another one for each new target: who goes on later looks whether it is still wanted.
    cookie: u64,
    children: Children,
}

/// What a bin waits for. Empty in other elements.
#[derive(Default)]
struct Children {
    /// Names of children in an async change.
    busy: HashSet<String>,
    /// A step of the bin is under way, so what children say waits for its end.
    changing: bool,
    /// All were done while it was.
    done_meanwhile: bool,
}

impl Default for StateData {
    fn default() -> Self {
        StateData {
            current: State::Null,
            next: None,
            pending: None,
            target: State::Null,
            last: StateReturn::Success,
            cookie: 0,
            children: Children::default(),
        }
    }
}

/// What a sink's streaming thread found when it came to commit a state.
pub(crate) enum Committed {
    /// A state change is done.
    To {
        /// Where it was.
        old: State,
        /// Where the step under way was going.
        next: State,
        /// Where it is now.
        to: State,
    },
    /// There was none under way.
    Already(State),
    /// On the way down nobody waits for data.
    GoingDown,
}

/// Where an element is, as a bin asks before it changes it.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    pub current: State,
    pub pending: Option<State>,
    pub last: StateReturn,
}

impl ElementRef {
    /// The state it is in, without waiting.
    pub fn current_state(&self) -> State {
        self.0.state.lock().current
    }

    /// How the last change ended, the state it is in and the one it is going to; waits at most
    /// `timeout` for an async change to end (`None`: for ever). A change to another target meanwhile
    /// ends the wait with a failure, as it did not become of the change what it was asked about.
    pub fn state(&self, timeout: Option<ClockTime>) -> (StateReturn, State, Option<State>) {
        let deadline = timeout.map(|timeout| runtime::now() + timeout);
        let mut state = self.0.state.lock();
        let cookie = state.cookie;
        while state.last == StateReturn::Async && state.pending.is_some() {
            if deadline.is_some_and(|deadline| runtime::now() >= deadline) {
                break;
            }
            state.wait_maybe(deadline, "a state change to end");
            if state.cookie != cookie {
                return (StateReturn::Failure, state.current, state.pending);
            }
        }
        (state.last, state.current, state.pending)
    }

    /// Goes towards a state, step by step. From any thread but one that changes this element's state
    /// just now.
    pub fn set_state(&self, target: State) -> StateReturn {
        let (_in_time, has_begun) = self.expect_in_time(target);
        let Ok(_one_at_a_time) = self.0.state_lock.lock() else {
            return self.refuse_nested_change();
        };
        has_begun.store(true, Ordering::Relaxed);
        *self.0.changed_by.lock() = Some(runtime::shared_task_name());
        runtime::together(|| self.set_state_locked(target))
    }

    /// A change that takes too long is told about, with where it is; it goes on all the same.
    /// The flag is to be set when it is this one's turn.
    fn expect_in_time(&self, target: State) -> (runtime::Expected, Arc<AtomicBool>) {
        let (element, task) = (self.downgrade(), runtime::shared_task_name());
        let has_begun = Arc::new(AtomicBool::new(false));
        let begun = has_begun.clone();
        let in_time = runtime::expect_within(PATIENCE, move || {
            let Some(element) = element.upgrade() else { return };
            let text = element.overdue(&task, target, begun.load(Ordering::Relaxed));
            element.0.core.log(Level::Warning, || text.clone());
            element.0.core.post(MessageKind::Warning(ElementError::new(ErrorKind::Core, text)));
        });
        (in_time, has_begun)
    }

    /// Who holds up a change, and where.
    fn overdue(&self, task: &str, target: State, has_begun: bool) -> String {
        let holder = self.0.changed_by.lock().clone();
        let holder = holder.as_deref().unwrap_or_default();
        let mut at = self.clone();
        while let Some(child) =
            at.0.behavior.as_bin().and_then(|bin| {
                bin.children().into_iter().find(|child| child.0.state_lock.is_locked())
            })
        {
            at = child;
        }
        let standing = at.standing();
        let next = at.0.state.lock().next.unwrap_or(standing.current);
        let place = format!("\"{}\", on its way from {} to {next}", at.name(), standing.current);
        let seconds = PATIENCE.nanos() / 1_000_000_000;
        if has_begun {
            format!(
                "going to {target} has taken {seconds} s already; task {task} is at {place}: it or a \
                 streaming thread in it has not come back"
            )
        } else {
            format!(
                "task {task} has waited {seconds} s to bring it to {target}: task {holder} changes its \
                 state, and is at {place}"
            )
        }
    }

    pub(crate) fn refuse_nested_change(&self) -> StateReturn {
        self.0.core.post_error(ElementError::new(
            ErrorKind::Core,
            "its state was changed from inside a change of its state; do it from another thread",
        ));
        StateReturn::Failure
    }

    /// Goes to where the bin it is in is, or is going.
    pub fn sync_state_with_parent(&self) -> StateReturn {
        let wanted = self.0.core.lent().messages.and_then(|parent| parent.wanted_state());
        wanted.map_or(StateReturn::Failure, |target| self.set_state(target))
    }

    /// Keeps the element out of its bin's state changes.
    pub fn set_locked_state(&self, locked: bool) {
        self.0.locked.store(locked, Ordering::Release);
    }

    /// Whether the element stays out of its bin's state changes.
    pub fn is_locked_state(&self) -> bool {
        self.0.locked.load(Ordering::Acquire)
    }

    /// Calls `hook` for each step of this element's state from now on; one at a time.
    pub fn hook_state(
        &self,
        hook: impl Fn(Transition, &dyn Fn() -> StateReturn) -> StateReturn + Send + Sync + 'static,
    ) {
        *self.0.state_hook.write() = Some(Arc::new(hook));
    }

    /// [`ElementRef::set_state`] under the state lock.
    pub(crate) fn set_state_locked(&self, target: State) -> StateReturn {
        let transition = {
            let mut state = self.0.state.lock();
            if state.last == StateReturn::Failure {
                state.next = None;
                state.pending = None;
                state.last = StateReturn::Success;
            }
            if state.target != target {
                state.target = target;
                state.cookie += 1;
            }
            let mut from = state.current;
            if let Some(old) = state.pending.replace(target) {
                // Going up already, as far or farther, or there already: it goes on by itself.
                if old <= target || state.next == Some(target) {
                    state.last = StateReturn::Async;
                    return StateReturn::Async;
                }
                // Turned round on the way up: the step under way counts as made.
                if let Some(next) = state.next.filter(|next| *next > target)
                    && state.last == StateReturn::Async
                {
                    from = next;
                }
            }
            let to = from.next_towards(target);
            state.next = Some(to);
            if from != to {
                state.last = StateReturn::Async;
            }
            state.notify_all();
            Transition { from, to }
        };
        self.step(transition)
    }

    fn step(&self, transition: Transition) -> StateReturn {
        if tracer::is_on() {
            tracer::state(self.name(), transition);
        }
        self.0.core.log(Level::Debug, || format!("{transition}"));
        if transition == Transition::READY_TO_PAUSED {
            self.0.core.told_error.store(false, Ordering::Relaxed);
        }
        match self.carry_out(transition) {
            StateReturn::Failure => {
                let mut state = self.0.state.lock();
                if state.pending.is_some() {
                    state.last = StateReturn::Failure;
                }
                state.notify_all();
                StateReturn::Failure
            }
            StateReturn::Async => {
                if self.target_state() > State::Ready {
                    return StateReturn::Async;
                }
                // On the way down nobody waits for data.
                self.commit(StateReturn::Success)
            }
            done => self.commit(done),
        }
    }

    fn carry_out(&self, transition: Transition) -> StateReturn {
        let own = || {
            let stays = transition.from == transition.to;
            if stays && self.0.behavior.as_bin().is_none() {
                return self.last_return();
            }
            self.change_element(transition)
        };
        let hook = self.0.state_hook.read().clone();
        match hook {
            Some(hook) => hook(transition, &own),
            None => own(),
        }
    }

    /// The element's own word on a step, and the base's.
    fn change_element(&self, transition: Transition) -> StateReturn {
        let core = &self.0.core;
        let own = match &core.instance {
            Some(instance) => Context::lend(core, None, |cx| instance.change_state(cx, transition)),
            None => Ok(StateReturn::Success),
        };
        let Ok(own) = own else { return StateReturn::Failure };
        match self.0.behavior.change_state(self, transition) {
            StateReturn::Success => own,
            other => other,
        }
    }

    /// Goes down to NULL, if it has not got there, without a word of the element or its hook: only its
    /// base is stopped, which frees the threads in it.
    pub(crate) fn stop_anyway(&self) {
        let Ok(_one_at_a_time) = self.0.state_lock.lock() else { return };
        loop {
            let from = self.current_state();
            let to = from.next_towards(State::Null);
            if from == to {
                return;
            }
            self.0.behavior.change_state(self, Transition { from, to });
            let mut state = self.0.state.lock();
            state.current = to;
            state.next = None;
            state.pending = None;
            state.notify_all();
        }
    }

    /// A step that was carried out outside [`ElementRef::step`]: a sink that is committed to PLAYING
    /// at once from READY.
    pub(crate) fn extra_step(&self, transition: Transition) -> StateReturn {
        if tracer::is_on() {
            tracer::state(self.name(), transition);
        }
        self.carry_out(transition)
    }

    /// The step under way is made; makes the next one if there is one.
    fn commit(&self, result: StateReturn) -> StateReturn {
        let (old, new, pending, old_last) = {
            let mut state = self.0.state.lock();
            let old_last = std::mem::replace(&mut state.last, result);
            let Some(pending) = state.pending else { return result };
            let old = state.current;
            let new = state.next.unwrap_or(old);
            state.current = new;
            if new == pending {
                state.next = None;
                state.pending = None;
            } else {
                state.next = Some(new.next_towards(pending));
                state.last = StateReturn::Async;
            }
            (old, new, state.pending, old_last)
        };
        if old != new || pending.is_some() || old_last == StateReturn::Async {
            self.post_changed(old, new, pending);
        }
        // Whoever waited for the state finds the message on the bus.
        self.0.state.notify_all();
        match pending {
            None => result,
            Some(pending) => self.step(Transition { from: new, to: new.next_towards(pending) }),
        }
    }

    fn post_changed(&self, old: State, new: State, pending: Option<State>) {
        self.0.core.post(MessageKind::StateChanged { old, new, pending });
        if let Some(bin) = self.0.behavior.as_bin() {
            bin.told_state(self, new, pending);
        }
    }

    /// A sink's streaming thread has what the state change under way waited for: the sink is where
    /// the change was going, at once. A concurrent `set_state` finds it before or after that.
    pub(crate) fn commit_streaming(&self) -> Committed {
        let mut state = self.0.state.lock();
        let old = state.current;
        let Some(to) = state.pending else { return Committed::Already(old) };
        if to < State::Paused {
            return Committed::GoingDown;
        }
        let next = state.next.unwrap_or(to);
        state.current = to;
        state.next = None;
        state.pending = None;
        state.last = StateReturn::Success;
        state.notify_all();
        Committed::To { old, next, to }
    }

    /// A flush took the data that PAUSED needs: back to PAUSED, async, until the next buffer.
    pub(crate) fn lost_state(&self) {
        let new = {
            let mut state = self.0.state.lock();
            if state.last == StateReturn::Failure || state.current < State::Paused {
                return;
            }
            state.lose()
        };
        if let Some(new) = new {
            self.0.core.post(MessageKind::StateChanged { old: new, new, pending: Some(new) });
        }
        self.0.core.post(MessageKind::AsyncStart);
    }

    /// Whether it is in PLAYING and not on its way anywhere.
    pub(crate) fn rests_in_playing(&self) -> bool {
        let state = self.0.state.lock();
        state.current == State::Playing && state.pending.is_none_or(|to| to == State::Playing)
    }

    /// The state it was last asked to go to.
    pub(crate) fn target_state(&self) -> State {
        self.0.state.lock().target
    }

    /// How the last step ended.
    pub(crate) fn last_return(&self) -> StateReturn {
        self.0.state.lock().last
    }

    pub(crate) fn standing(&self) -> Standing {
        let state = self.0.state.lock();
        Standing { current: state.current, pending: state.pending, last: state.last }
    }
}

impl StateData {
    /// Back to PAUSED, async; `None` if a change is under way, which goes on as it is.
    fn lose(&mut self) -> Option<State> {
        if self.pending.is_some() {
            return None;
        }
        let new = self.current.min(State::Paused);
        self.current = new;
        self.next = Some(new);
        self.pending = Some(new);
        self.last = StateReturn::Async;
        Some(new)
    }
}
