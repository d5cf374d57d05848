//! What an element tells: messages, its log, values of its properties, signals.
//!
//! Invariant: a text is made only for somebody who takes it.
//! In GStreamer: `gst/gstelement.c` (`gst_element_post_message`, `gst_element_message_full`), `g_signal_emit`.
//! Left out: nothing.

use super::{Cx, Level, Poster};
use crate::buffer::Buffer;
use crate::error::{ElementError, ErrorKind, FlowError};
use crate::message::MessageKind;
use crate::plugin::abi::{GM_TIME_NONE, GmCx, GmPoster, GmStr, GmText};
use crate::structure::Structure;
use crate::time::ClockTime;
use crate::value::Value;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

impl Cx<'_> {
    /// Posts a message on the bus.
    pub fn post(&self, message: MessageKind) {
        let (Some(post), Some(text)) = (self.vtable().post, message.to_text()) else { return };
        // SAFETY: the text lives for the call.
        unsafe { post(self.raw, GmStr::new(&text)) }
    }

    /// Posts an element message with this structure.
    pub fn post_element(&self, structure: Structure) {
        self.post(MessageKind::Element(structure));
    }

    /// Posts an error and gives the flow result to return: `return Err(cx.fail(…))`.
    pub fn fail(&self, error: ElementError) -> FlowError {
        let flow = match error.kind {
            ErrorKind::Negotiation => FlowError::NotNegotiated,
            _ => FlowError::Error,
        };
        self.post(MessageKind::Error(error));
        flow
    }

    /// [`Cx::fail`] with a kind and a sentence.
    pub fn error(&self, kind: ErrorKind, text: impl Into<String>) -> FlowError {
        self.fail(ElementError::new(kind, text))
    }

    /// Posts a warning.
    pub fn warning(&self, kind: ErrorKind, text: impl Into<String>) {
        self.post(MessageKind::Warning(ElementError::new(kind, text)));
    }

    /// Writes to the log under the element's factory name. The text is only made when it is kept.
    pub fn log(&self, level: Level, text: impl FnOnce() -> String) {
        let (Some(log), Some(enabled)) = (self.vtable().log, self.vtable().log_enabled) else {
            return;
        };
        // SAFETY: the text lives for the call.
        unsafe {
            if enabled(self.raw, level as u32) != 0 {
                let text = text();
                log(self.raw, level as u32, GmStr::new(&text));
            }
        }
    }

    /// The present value of one of this element's properties, as text, as the host has it. Any thread.
    pub fn property(&self, name: &str) -> Option<String> {
        let property = self.vtable().property?;
        // SAFETY: name and place live for the call.
        self.text(|out| unsafe { property(self.raw, GmStr::new(name), out) })
    }

    /// [`Cx::property`], read as a number or switch.
    pub fn property_as<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        unsafe extern "C" fn read<T: std::str::FromStr>(
            obj: *mut c_void,
            ptr: *const u8,
            len: usize,
        ) {
            // SAFETY: `property_as` made `obj` from its own place, which outlives the call; the writer passes
            // readable bytes.
            let (place, text) =
                unsafe { (&mut *obj.cast::<Option<T>>(), GmStr { ptr, len }.to_str()) };
            // A panic of the type's own must not go through the host.
            *place = text.and_then(|text| {
                std::panic::catch_unwind(|| text.parse().ok()).unwrap_or_default()
            });
        }
        let property = self.vtable().property?;
        let mut value = None::<T>;
        let mut place = GmText { obj: (&raw mut value).cast(), write: Some(read::<T>) };
        // SAFETY: name and place live for the call.
        let told = unsafe { property(self.raw, GmStr::new(name), &mut place) } != 0;
        value.filter(|_| told)
    }

    /// Publishes the value of a read-only property.
    pub fn publish(&self, name: &str, value: impl ToString) {
        if let Some(publish) = self.vtable().publish {
            let text = value.to_string();
            // SAFETY: both texts live for the call.
            unsafe { publish(self.raw, GmStr::new(name), GmStr::new(&text)) }
        }
    }

    /// Emits a signal; handlers run on this thread before it returns.
    #[inline]
    pub fn emit(&self, signal: &str, args: Option<&Structure>) {
        if self.is_heard() {
            self.emit_heard(signal, args);
        }
    }

    /// Whether signals of this element may have handlers: where not, emitting does nothing.
    #[inline]
    pub fn is_heard(&self) -> bool {
        let has_field = self.raw.struct_size as usize > std::mem::offset_of!(GmCx, listeners);
        // SAFETY: the host's counter lives as long as the element, and is only read atomically.
        !has_field
            || self.raw.listeners.is_null()
            || unsafe { AtomicUsize::from_ptr(self.raw.listeners.cast_mut()) }
                .load(Ordering::Relaxed)
                != 0
    }

    fn emit_heard(&self, signal: &str, args: Option<&Structure>) {
        if let Some(emit) = self.vtable().emit {
            let args = args.map(Structure::to_string).unwrap_or_default();
            // SAFETY: both texts live for the call.
            unsafe { emit(self.raw, GmStr::new(signal), GmStr::new(&args)) }
        }
    }

    /// [`Cx::emit`] for a signal whose handlers answer: what the one that was connected last gave
    /// back, or `None` if none did.
    pub fn emit_for(&self, signal: &str, args: Option<&Structure>) -> Option<Value> {
        let emit_for = self.vtable().emit_for?;
        let args = args.map(Structure::to_string).unwrap_or_default();
        // SAFETY: texts and place live for the call.
        let answer = self.text(|out| unsafe {
            emit_for(self.raw, GmStr::new(signal), GmStr::new(&args), out)
        })?;
        answer.parse::<Structure>().ok()?.get("value").cloned()
    }

    /// Declares that this element holds data for `min` to `max`; the pipeline asks again for its
    /// latency.
    pub fn set_latency(&self, min: ClockTime, max: Option<ClockTime>) {
        if let Some(set_latency) = self.vtable().set_latency {
            let max = max.map_or(GM_TIME_NONE, ClockTime::nanos);
            // SAFETY: the host's own context.
            unsafe { set_latency(self.raw, min.nanos(), max) }
        }
    }

    /// Says that the element throws `buf` away on purpose, and why, in a word or two: for traces, and so that
    /// whoever looks for lost buffers does not accuse it. A [`Transform`](crate::element::Transform)'s next
    /// buffer carries DISCONT then. May be called under the element's own lock.
    pub fn dropped(&self, buf: &Buffer, why: &str) {
        if let Some(dropped) = self.vtable().dropped {
            // SAFETY: the host's own context; the buffer and the text live for the call.
            unsafe { dropped(self.raw, buf.as_raw(), GmStr::new(why)) }
        }
    }

    /// A handle with which a thread of the element's own posts messages and wakes waits.
    pub fn poster(&self) -> Option<Poster> {
        let poster = self.vtable().poster?;
        let mut raw = GmPoster { obj: std::ptr::null_mut(), vtable: std::ptr::null() };
        // SAFETY: the place lives for the call.
        let given = unsafe { poster(self.raw, &mut raw) } != 0;
        (given && !raw.vtable.is_null()).then_some(Poster(raw))
    }
}
