//! The way of messages of an element that comes or goes: what concerns the bin's own state and its end is kept
//! back, what the application wants to know goes on.
//!
//! Invariant: the bin neither waits for such an element nor ends with it.
//! In GStreamer: none.
//! Left out: what an element says before it is started, which is nothing.

use super::PATIENCE;
use crate::handle::{ElementInner, ElementRef};
use crate::host::core::MessageSink;
use crate::message::{Message, MessageKind};
use crate::runtime::{self, Monitor};
use std::sync::{Arc, Weak};

pub(super) struct Way {
    bin: Weak<ElementInner>,
    /// Its errors are the caller's to hear, not the application's.
    keeps_errors: bool,
    told: Monitor<Told>,
}

#[derive(Default)]
struct Told {
    error: Option<String>,
    ended: bool,
}

impl Way {
    pub fn arriving(bin: &ElementRef) -> Arc<Way> {
        Arc::new(Way {
            bin: Arc::downgrade(bin.inner()),
            keeps_errors: true,
            told: Monitor::default(),
        })
    }

    pub fn leaving(bin: &ElementRef) -> Arc<Way> {
        Arc::new(Way {
            bin: Arc::downgrade(bin.inner()),
            keeps_errors: false,
            told: Monitor::default(),
        })
    }

    /// The first error it told.
    pub fn error(&self) -> Option<String> {
        self.told.lock().error.clone()
    }

    /// Waits until it has told its end; `false` if it does not, or failed instead.
    pub fn wait_ended(&self) -> bool {
        let deadline = runtime::now() + PATIENCE;
        let mut told = self.told.lock();
        while !told.ended && told.error.is_none() {
            if !told.wait_until(deadline, "a sink that leaves to have finished") {
                break;
            }
        }
        told.ended
    }
}

impl MessageSink for Way {
    fn post(&self, message: Message) {
        match &message.kind {
            MessageKind::Error(error) => {
                {
                    let mut told = self.told.lock();
                    told.error.get_or_insert_with(|| error.to_string());
                }
                self.told.notify_all();
                if self.keeps_errors {
                    return;
                }
            }
            MessageKind::Eos => {
                self.told.lock().ended = true;
                self.told.notify_all();
                return;
            }
            MessageKind::AsyncStart
            | MessageKind::AsyncDone { .. }
            | MessageKind::StreamStart { .. }
            | MessageKind::SegmentStart { .. }
            | MessageKind::SegmentDone { .. }
            | MessageKind::ClockProvide(_)
            | MessageKind::ClockLost(_)
            | MessageKind::ResetTime(_)
            | MessageKind::Latency => return,
            _ => {}
        }
        let Some(inner) = self.bin.upgrade() else { return };
        if let Some(bin) = inner.behavior.as_bin() {
            bin.forward(message);
        }
        // Its last handle may have been given up meanwhile.
        drop(ElementRef::from(inner));
    }
}
