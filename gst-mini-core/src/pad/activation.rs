//! Switching a pad on and off, and its flushing flag.
//!
//! Invariant: a pad without a mode is flushing, stores no event and takes no flush-stop; what waited in
//! it has returned when deactivation has.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_set_active`, `pre_activate`, `post_activate`).
//! Left out: activation in pull mode.

use super::{PadCore, PadMode, attention};
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

    /// Active: data may pass. Nothing happens to a pad that is active already.
    pub(crate) fn activate(&self) {
        if self.mode.swap(PadMode::Push as u8, Ordering::AcqRel) == PadMode::Push as u8 {
            return;
        }
        self.clear(attention::FLUSHING | attention::EOS);
        self.last_flow.store(0, Ordering::Relaxed);
        // A sink pad that begins anew has seen nothing of what its peer remembers.
        if self.direction == crate::element::Direction::Sink
            && let Some(peer) = self.linked_peer()
        {
            peer.schedule_sticky(None);
        }
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
        } else if self.is_active() {
            self.deactivate();
        }
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
