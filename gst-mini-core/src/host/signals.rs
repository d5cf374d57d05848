//! The handlers an application has connected to an element's signals.
//!
//! Invariant: handlers run on the thread that emits, in the order they were connected, under no
//! lock: they may connect, disconnect and set properties.
//! In GStreamer: GObject's signals (`g_signal_connect`, `g_signal_emit`), `gst/gstelement.c` (`gst_element_add_pad`).
//! Left out: accumulators other than "the last answer counts", blocking a handler, detailed signals.

use crate::structure::Structure;
use crate::value::Value;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Signals that every element has. Their argument is `pad`, the pad's name.
pub(crate) const PAD_ADDED: &str = "pad-added";
pub(crate) const PAD_REMOVED: &str = "pad-removed";
pub(crate) const NO_MORE_PADS: &str = "no-more-pads";

pub(crate) type Handler = Arc<dyn Fn(Option<&Structure>) -> Option<Value> + Send + Sync>;

/// The handlers of one element.
#[derive(Default)]
pub(crate) struct Signals {
    handlers: Mutex<Vec<(u64, String, Handler)>>,
    /// How many there are, so that a signal nobody hears costs one load.
    listeners: AtomicUsize,
}

impl Signals {
    /// Adds a handler; the number is for [`Signals::disconnect`].
    pub fn connect(&self, signal: &str, handler: Handler) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut handlers = self.handlers.lock();
        handlers.push((id, signal.to_owned(), handler));
        self.listeners.store(handlers.len(), Ordering::Release);
        id
    }

    /// Takes a handler away. An emission that is under way on another thread may still call it.
    pub fn disconnect(&self, id: u64) {
        let mut handlers = self.handlers.lock();
        handlers.retain(|(other, _, _)| *other != id);
        self.listeners.store(handlers.len(), Ordering::Release);
    }

    /// Whether anybody hears anything of this element.
    #[inline]
    pub fn has_listeners(&self) -> bool {
        self.listeners.load(Ordering::Acquire) != 0
    }

    /// Where their number stands, for elements to look at. Valid as long as this.
    pub fn listeners(&self) -> *const usize {
        self.listeners.as_ptr()
    }

    /// Calls the handlers of a signal; `args` is a structure's text, or empty.
    #[inline]
    pub fn emit(&self, signal: &str, args: &str) {
        if self.has_listeners() {
            self.emit_for(signal, args);
        }
    }

    /// [`Signals::emit`]; what the last handler that answered gave back.
    pub fn emit_for(&self, signal: &str, args: &str) -> Option<Value> {
        if !self.has_listeners() {
            return None;
        }
        // Most signals have none, and a refusal is a text.
        let args: Option<Structure> = if args.is_empty() { None } else { args.parse().ok() };
        let all = self.handlers.lock();
        let of_signal = all.iter().filter(|(_, name, _)| name == signal);
        let present: Vec<Handler> = of_signal.map(|(_, _, handler)| handler.clone()).collect();
        drop(all);
        present.iter().fold(None, |last, handler| handler(args.as_ref()).or(last))
    }

    /// Tells of a pad that came or went.
    pub fn emit_pad(&self, signal: &str, pad: &str) {
        if self.has_listeners() {
            self.emit_for(signal, &Structure::new(signal).with("pad", pad).to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_handler_that_answers_is_the_one_that_counts() {
        let signals = Signals::default();
        assert_eq!(signals.emit_for("ask", ""), None);
        let first = signals.connect("ask", Arc::new(|_| Some(Value::from(1))));
        signals.connect("ask", Arc::new(|_| None));
        signals.connect("other", Arc::new(|_| Some(Value::from(9))));
        assert_eq!(signals.emit_for("ask", ""), Some(Value::from(1)));
        signals.disconnect(first);
        assert_eq!(signals.emit_for("ask", ""), None);
    }

    #[test]
    fn a_handler_may_disconnect_itself() {
        let signals = Arc::new(Signals::default());
        let (inside, id) = (Arc::downgrade(&signals), Arc::new(AtomicU64::new(0)));
        let (own, count) = (id.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = count.clone();
        let handler = move |_: Option<&Structure>| {
            counted.fetch_add(1, Ordering::Relaxed);
            if let Some(signals) = inside.upgrade() {
                signals.disconnect(own.load(Ordering::Relaxed));
            }
            None
        };
        id.store(signals.connect("once", Arc::new(handler)), Ordering::Relaxed);
        signals.emit("once", "");
        signals.emit("once", "");
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
