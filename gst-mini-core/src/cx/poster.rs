//! What an element's own threads may do: post, log, publish, wake.
//!
//! Invariant: it keeps alive what it posts to.
//! In GStreamer: any thread may call `gst_element_post_message` with a reference of its own.
//! Left out: data; what a thread has made is pushed by a call of the host.

use super::Level;
use crate::message::MessageKind;
use crate::plugin::abi::{GmPoster, GmPosterVTable, GmStr};

/// Posts from threads that an element owns (an upload's), until it is dropped.
pub struct Poster(pub(super) GmPoster);

// SAFETY: the host's functions in it may be called from any thread.
unsafe impl Send for Poster {}
// SAFETY: as above.
unsafe impl Sync for Poster {}

impl Poster {
    fn vtable(&self) -> &GmPosterVTable {
        // SAFETY: checked for null where it was given; the host's table lives for the process.
        unsafe { &*self.0.vtable }
    }
    /// Posts a message on the bus.
    pub fn post(&self, message: MessageKind) {
        if let (Some(post), Some(text)) = (self.vtable().post, message.to_text()) {
            // SAFETY: `obj` is alive while this handle is; the text lives for the call.
            unsafe { post(self.0.obj, GmStr::new(&text)) }
        }
    }
    /// Writes to the log.
    pub fn log(&self, level: Level, text: &str) {
        if let Some(log) = self.vtable().log {
            // SAFETY: as above.
            unsafe { log(self.0.obj, level as u32, GmStr::new(text)) }
        }
    }
    /// Publishes the value of a read-only property.
    pub fn publish(&self, name: &str, value: impl ToString) {
        if let Some(publish) = self.vtable().publish {
            let text = value.to_string();
            // SAFETY: as above.
            unsafe { publish(self.0.obj, GmStr::new(name), GmStr::new(&text)) }
        }
    }
    /// Wakes everybody who waits on the element's waiter `n`.
    pub fn wake(&self, n: u32) {
        if let Some(wake) = self.vtable().wake {
            // SAFETY: as above.
            unsafe { wake(self.0.obj, n) }
        }
    }
}

impl Clone for Poster {
    fn clone(&self) -> Self {
        if let Some(clone) = self.vtable().clone {
            // SAFETY: as above; the copy owns the added reference.
            unsafe { clone(self.0.obj) }
        }
        Poster(GmPoster { ..self.0 })
    }
}

impl Drop for Poster {
    fn drop(&mut self) {
        if let Some(unref) = self.vtable().unref {
            // SAFETY: this handle's own reference, given back once.
            unsafe { unref(self.0.obj) }
        }
    }
}
