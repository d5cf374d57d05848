//! Clocks that a bin's children provide, and which of them the bin provides.
//!
//! ```text
//!   sink (clock A) ◀── filter ◀── source (clock B)        B: the one farthest upstream
//! ```
//!
//! Invariant: a choice is kept until a provider comes, goes, or says that its clock is lost.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_provide_clock_func`, `GST_MESSAGE_CLOCK_LOST`), `gst/gstelement.c` (`gst_element_provide_clock`).
//! Left out: elements that require a clock, or refuse one.

use super::BinCore;
use crate::clock::Clock;
use crate::handle::ElementRef;
use crate::message::{Message, MessageKind};
use crate::state::State;
use std::sync::Arc;

/// What the bin chose among its children's clocks.
#[derive(Default)]
pub(super) struct Provided {
    is_known: bool,
    choice: Option<Choice>,
}

struct Choice {
    clock: Arc<dyn Clock>,
    provider: ElementRef,
}

/// The clock that an element, or a bin's children, can provide now.
fn provided_by(element: &ElementRef) -> Option<Arc<dyn Clock>> {
    match element.behavior().as_bin() {
        Some(bin) => bin.provided_clock(),
        None => element.core().provide_clock(),
    }
}

impl BinCore {
    /// The clock of the last child, from the sinks to the sources, that has one.
    pub(super) fn provided_clock(&self) -> Option<Arc<dyn Clock>> {
        {
            let provided = self.provided.lock();
            if provided.is_known {
                return provided.choice.as_ref().map(|choice| choice.clock.clone());
            }
        }
        // No lock of ours while elements are asked.
        let mut choice = None;
        for child in self.sinks_first() {
            if let Some(clock) = provided_by(&child) {
                choice = Some(Choice { clock, provider: child });
            }
        }
        let clock = choice.as_ref().map(|choice| choice.clock.clone());
        *self.provided.lock() = Provided { is_known: true, choice };
        clock
    }

    /// The choice may be another one the next time.
    pub(super) fn look_for_clock_again(&self) {
        self.provided.lock().is_known = false;
    }

    /// An element in here has lost its clock. Whether those above, or the application, are to know.
    pub(super) fn lost_clock(&self, this: &ElementRef, element: &str) -> bool {
        let children = self.children();
        if let Some(child) = children.iter().find(|child| child.name() == element) {
            child.core().forget_clock();
        }
        let was_ours = {
            let mut provided = self.provided.lock();
            provided.is_known = false;
            let is_it = |provider: &ElementRef| {
                provider.name() == element || provider.behavior().as_bin().is_some()
            };
            provided.choice.take_if(|choice| is_it(&choice.provider)).is_some()
        };
        // An application pauses and plays when it hears of it, so it hears of it in PLAYING only.
        was_ours && (!self.is_toplevel() || this.current_state() == State::Playing)
    }

    /// A child was added; it may have a clock.
    pub(super) fn provider_came(&self, child: &ElementRef) {
        self.look_for_clock_again();
        if let Some(clock) = provided_by(child) {
            let offer = MessageKind::ClockProvide(clock.name().to_owned());
            if !self.is_toplevel() {
                self.forward(Message::new(child.name(), offer));
            }
        }
    }

    /// A child was taken out, and the clock it provided is no longer ours to give.
    pub(super) fn provider_left(&self, child: &ElementRef) {
        let lost = {
            let mut provided = self.provided.lock();
            provided.is_known &=
                !provided.choice.as_ref().is_some_and(|choice| choice.provider.is_same(child));
            provided.choice.take_if(|choice| choice.provider.is_same(child))
        };
        if let Some(choice) = lost {
            self.core.post(MessageKind::ClockLost(choice.clock.name().to_owned()));
        }
    }
}
