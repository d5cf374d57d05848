//! Switching a pad on and off, and its flushing flag.
//!
//! Invariant: a pad without a mode is flushing, stores no event and takes no flush-stop; what waited in
//! it has returned when deactivation has.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_set_active`, `activate_mode_internal`, `pre_activate`, `post_activate`).
//! Left out: nothing.

use super::{PadCore, PadMode, attention};
use crate::element::Direction;
use crate::error::FlowError;
use std::sync::atomic::Ordering;

impl PadCore {
    /// How data goes through the pad now.
    pub fn mode(&self) -> PadMode {
        PadMode::from_raw(self.mode.load(Ordering::Acquire))
    }

    /// Whether data may go through the pad, unless it is flushing.
    pub fn is_active(&self) -> bool {
        self.mode() != PadMode::None
    }

    /// Whether nothing passes now.
    pub fn is_flushing(&self) -> bool {
        self.has(attention::FLUSHING)
    }

    /// Active in push mode: data may pass. Nothing happens to a pad that is active already, in either
    /// mode.
    pub(crate) fn activate(&self) {
        self.begin(PadMode::Push);
    }

    /// `false` if the pad is active already.
    fn begin(&self, mode: PadMode) -> bool {
        let (none, wanted) = (PadMode::None as u8, mode as u8);
        let (done, failed) = (Ordering::AcqRel, Ordering::Acquire);
        if self.mode.compare_exchange(none, wanted, done, failed).is_err() {
            return false;
        }
        self.clear(attention::FLUSHING | attention::EOS);
        self.last_flow.store(0, Ordering::Relaxed);
        // A sink pad that begins anew has seen nothing of what its peer remembers.
        if self.direction == Direction::Sink
            && let Some(peer) = self.linked_peer()
        {
            peer.schedule_sticky(None);
        }
        true
    }

    /// Switches a pad on or off in one mode; one that is active in the other mode is switched off first.
    /// Pull mode reaches up: a sink pad switches its peer first, and a source pad asks its owner, which
    /// switches what it pulls from itself. For whoever drives the pad; holding no lock. `false` if the
    /// pad, or one above it, cannot.
    pub fn activate_mode(&self, mode: PadMode, active: bool) -> bool {
        if let Some(target) = self.ghost_target() {
            return target.activate_mode(mode, active);
        }
        let (now, wanted) = (self.mode(), if active { mode } else { PadMode::None });
        if now == wanted {
            return true;
        }
        if active && now != PadMode::None && !self.activate_mode(now, false) {
            return false;
        }
        if mode == PadMode::Pull && self.direction == Direction::Sink {
            let switched = self.linked_peer().map(|peer| peer.activate_mode(mode, active));
            // Who is unlinked while it pulls finds out at its next range.
            if !switched.unwrap_or(!active) {
                return false;
            }
        }
        if !active {
            // Whoever is in the pad leaves it, then its owner puts away what it read from.
            self.start_flushing();
            let done = self.handler().is_none_or(|owner| owner.switch(self, mode, false));
            self.deactivate();
            return done;
        }
        let can_pull = || self.direction == Direction::Sink;
        let begun = match self.handler() {
            Some(owner) => owner.switch(self, mode, true),
            None => mode != PadMode::Pull || can_pull(),
        };
        begun && (self.begin(mode) || self.mode() == mode)
    }

    /// Inactive: everything that waits in this pad returns, then the pad forgets its stream. Waits
    /// for a streaming call that is in the pad to leave it.
    pub(crate) fn deactivate(&self) {
        self.mode.store(PadMode::None as u8, Ordering::Release);
        self.start_flushing();
        self.last_flow.store(FlowError::Flushing.code(), Ordering::Relaxed);
        // A call by the streaming thread itself (an element that stops itself) holds the lock.
        if let Ok(_streaming) = self.stream_lock.lock() {
            // What is kept there may keep this pad.
            // SAFETY: the lock above.
            drop(unsafe { self.scratch() }.take());
        }
        self.stored.lock().clear();
        self.clear(attention::EOS | attention::STICKY);
    }

    /// Switches a pad of the application's own on or off.
    pub fn set_active(&self, active: bool) {
        if active {
            self.activate();
        } else if self.mode() == PadMode::Pull {
            self.activate_mode(PadMode::Pull, false);
        } else if self.is_active() {
            self.deactivate();
        }
    }

    /// Its element gives it back. A push that has the pad in hand is answered as if nobody were behind it, not
    /// that it flushes, which would stop the stream of the others.
    pub(crate) fn release(&self) {
        self.raise(attention::RELEASED);
        self.wake_blocked();
        self.detach();
    }

    /// Sets the flushing flag and wakes whoever is blocked by a probe.
    pub(crate) fn start_flushing(&self) {
        self.raise(attention::FLUSHING);
        self.wake_blocked();
    }

    pub(super) fn stop_flushing(&self) {
        self.clear(attention::FLUSHING | attention::EOS);
        self.stored.lock().flush();
        self.last_flow.store(0, Ordering::Relaxed);
    }
}
