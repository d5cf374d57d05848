//! The [`Bus`]: messages from any thread, read by the application in its own.
//!
//! Invariant: posting never blocks; messages of one thread keep their order.
//! In GStreamer: `gst/gstbus.c` (`gst_bus_timed_pop_filtered`, `gst_bus_set_sync_handler`).
//! Left out: a file descriptor for main loops.

mod letter;

use crate::message::Message;
use crate::runtime::{self, EventCount};
use crate::time::ClockTime;
use letter::Letters;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type SyncHandler = Arc<dyn Fn(&Message) -> bool + Send + Sync>;

/// A mailbox for messages.
pub struct Bus {
    /// Locked to put one in or take one out, and for nothing else.
    messages: Mutex<Letters>,
    /// Wakes a waiting reader.
    arrived: EventCount,
    flushing: AtomicBool,
    sync_handler: Mutex<Option<SyncHandler>>,
}

impl Default for Bus {
    fn default() -> Self {
        Bus {
            messages: Mutex::default(),
            arrived: EventCount::new(),
            flushing: AtomicBool::new(false),
            sync_handler: Mutex::new(None),
        }
    }
}

impl Bus {
    /// Posts a message. Any thread.
    pub fn post(&self, message: Message) {
        if self.flushing.load(Ordering::Acquire) {
            return;
        }
        let handler = self.sync_handler.lock().clone();
        if handler.is_some_and(|handler| !handler(&message)) {
            return;
        }
        self.messages.lock().put(message);
        self.arrived.wake();
    }

    /// A function that sees each message first, on the thread that posts it; `false` keeps it off
    /// the bus.
    pub fn set_sync_handler(&self, handler: impl Fn(&Message) -> bool + Send + Sync + 'static) {
        *self.sync_handler.lock() = Some(Arc::new(handler));
    }

    /// The next message if there is one.
    pub fn pop(&self) -> Option<Message> {
        self.messages.lock().take()
    }

    /// Waits for the next message, at most `timeout`; `None` as timeout waits for ever.
    pub fn timed_pop(&self, timeout: Option<ClockTime>) -> Option<Message> {
        self.timed_pop_filtered(timeout, |_| true)
    }

    /// As [`Bus::timed_pop`], throwing away messages that `wanted` does not want.
    pub fn timed_pop_filtered(
        &self,
        timeout: Option<ClockTime>,
        wanted: impl Fn(&Message) -> bool,
    ) -> Option<Message> {
        let deadline = timeout.map(|timeout| runtime::now() + timeout);
        loop {
            let ticket = self.arrived.ticket();
            while let Some(message) = self.pop() {
                if wanted(&message) {
                    return Some(message);
                }
            }
            if deadline.is_some_and(|deadline| runtime::now() >= deadline) {
                return None;
            }
            self.arrived.wait(ticket, deadline, "a message on the bus");
        }
    }

    /// Drops all messages, now and until it is switched off: a pipeline in NULL.
    pub fn set_flushing(&self, flushing: bool) {
        self.flushing.store(flushing, Ordering::Release);
        if flushing {
            let dropped = std::mem::take(&mut *self.messages.lock());
            drop(dropped);
        }
    }
}
