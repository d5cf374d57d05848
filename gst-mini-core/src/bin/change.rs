//! A bin's step from state to state: each child's, in order, and what they come to together.
//!
//! Invariant: a child that is locked, busy or there already is left alone; a step up that one of them
//! fails is taken back by all.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_change_state_func`, `gst_bin_element_set_state`).
//! Left out: nothing of the order; GStreamer also starts anew when a link changes meanwhile.

use super::BinCore;
use crate::cx::Level;
use crate::error::{ElementError, ErrorKind};
use crate::handle::ElementRef;
use crate::message::MessageKind;
use crate::state::{State, StateReturn, Transition};
use std::sync::atomic::Ordering;

impl BinCore {
    pub(super) fn change_state(&self, this: &ElementRef, transition: Transition) -> StateReturn {
        if let Some(top) = &self.top {
            self.before_step(top, transition);
        }
        match transition.to {
            State::Playing => {
                if self.sees_to_async() {
                    self.recalculate_latency();
                }
                if self.handles_async() {
                    self.core.post(MessageKind::Latency);
                }
            }
            State::Paused => {
                if transition.from == State::Ready {
                    self.told_error.store(false, Ordering::Relaxed);
                }
                self.told.lock().begin(transition.from == State::Ready);
            }
            State::Ready | State::Null => {
                self.told.lock().begin(true);
                this.forget_busy();
            }
        }
        this.begin_step();
        let result = self.change_children(this, transition);
        this.end_step(result, self.sees_to_async());
        if let Some(top) = &self.top {
            self.after_step(top, transition, result);
        }
        result
    }

    fn change_children(&self, this: &ElementRef, transition: Transition) -> StateReturn {
        let mut any_async = false;
        let mut any_no_preroll;
        'anew: loop {
            any_no_preroll = false;
            let structure = self.structure.load(Ordering::Acquire);
            for child in self.sinks_first() {
                match self.change_child(this, &child, transition) {
                    StateReturn::Success => {}
                    StateReturn::Async => any_async = true,
                    StateReturn::NoPreroll => any_no_preroll = true,
                    StateReturn::Failure => {
                        // One that was taken out meanwhile, perhaps because of its error, is no matter.
                        if self.children().iter().any(|other| other.is_same(&child)) {
                            self.tell_failure(&child, transition);
                            self.take_back(transition);
                            return StateReturn::Failure;
                        }
                    }
                }
                if self.structure.load(Ordering::Acquire) != structure {
                    continue 'anew;
                }
            }
            break;
        }
        if any_no_preroll {
            StateReturn::NoPreroll
        } else if any_async {
            StateReturn::Async
        } else if transition.from == transition.to {
            this.last_return()
        } else {
            StateReturn::Success
        }
    }

    fn change_child(
        &self,
        this: &ElementRef,
        child: &ElementRef,
        transition: Transition,
    ) -> StateReturn {
        let Ok(_one_at_a_time) = child.inner().state_lock.lock() else {
            return child.refuse_nested_change();
        };
        {
            let (base_time, start_time) = {
                let ours = self.core.lent.read();
                (ours.base_time, ours.start_time)
            };
            let mut lent = child.core().lent.write();
            lent.base_time = base_time;
            lent.start_time = start_time;
        }
        let at = child.standing();
        if child.is_locked_state() {
            // An old failure of somebody who takes no part is no failure of the bin.
            return match at.last {
                StateReturn::Failure => StateReturn::Success,
                last => last,
            };
        }
        // What gives no preroll anyway is not waited for.
        if at.last != StateReturn::NoPreroll {
            let to = transition.to;
            if child.behavior().as_bin().is_none() {
                if at.current == to && at.pending.is_none() {
                    return at.last;
                }
                if is_past(transition, at.current, at.pending) {
                    return StateReturn::Success;
                }
            }
            if transition.is_upward() && this.is_busy(child.name()) {
                return StateReturn::Async;
            }
        }
        match child.set_state_locked(transition.to) {
            // It is not waited for. (GStreamer tries the step again and again until the bin is there.)
            StateReturn::Async if child.behavior().as_bin().is_some_and(BinCore::handles_async) => {
                StateReturn::Success
            }
            result => result,
        }
    }

    /// A step up that failed: all children go back to where it began.
    fn take_back(&self, transition: Transition) {
        if !transition.is_upward() {
            return;
        }
        for child in self.sinks_first() {
            if child.set_state(transition.from) == StateReturn::Failure {
                self.core.log(Level::Warning, || {
                    format!("{} could not go back to {}", child.name(), transition.from)
                });
            }
        }
    }

    /// A failed state change has a reason; if nobody told it, this much can be said.
    fn tell_failure(&self, child: &ElementRef, transition: Transition) {
        self.core.log(Level::Info, || format!("{} failed {transition}", child.name()));
        let told = self.told_error.load(Ordering::Relaxed)
            || child.core().told_error.load(Ordering::Relaxed);
        if !told && child.behavior().as_bin().is_none() {
            child.core().post_error(ElementError::new(
                ErrorKind::Failed,
                format!("could not go from {} to {}", transition.from, transition.to),
            ));
        }
    }
}

/// Whether a child is farther on the way already than this step goes, or goes there by itself.
fn is_past(step: Transition, current: State, pending: Option<State>) -> bool {
    let to = step.to;
    if step.is_upward() {
        match pending {
            Some(pending) if pending > current => current >= to,
            _ => current > to,
        }
    } else if step.from > to {
        match pending {
            Some(pending) if pending < current => current <= to,
            _ => current < to,
        }
    } else {
        false
    }
}
