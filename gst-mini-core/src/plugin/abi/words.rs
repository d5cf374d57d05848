//! Numbers and texts of the boundary: what all other parts of it are written in.
//!
//! Invariant: a number keeps its meaning within a major; a text is UTF-8 and valid for the call that passes it,
//! or for ever where a descriptor points at it.
//! In GStreamer: `gst/gstpad.h` (`GstFlowReturn`), `gst/gstplugin.h`.
//! Left out: owned text; whoever needs it longer copies it.

use std::ffi::c_void;

/// First word of every plugin descriptor: "GSTMINI\0" in memory order.
pub const GM_MAGIC: u64 = u64::from_le_bytes(*b"GSTMINI\0");
/// Descriptors of another major are refused.
pub const GM_ABI_MAJOR: u16 = 0;
/// While the major is 0 the minor must be equal.
pub const GM_ABI_MINOR: u16 = 3;

/// No time: what `GST_CLOCK_TIME_NONE` is.
pub const GM_TIME_NONE: u64 = u64::MAX;

/// Flow code of success; the others up to the custom ones have GStreamer's numbers.
pub const GM_FLOW_OK: i32 = 0;
/// The pad has no peer.
pub const GM_FLOW_NOT_LINKED: i32 = -1;
/// The pad is flushing or not active.
pub const GM_FLOW_FLUSHING: i32 = -2;
/// The stream has ended.
pub const GM_FLOW_EOS: i32 = -3;
/// No format both sides accept.
pub const GM_FLOW_NOT_NEGOTIATED: i32 = -4;
/// Something failed; an error message says what.
pub const GM_FLOW_ERROR: i32 = -5;
/// The operation does not exist here.
pub const GM_FLOW_NOT_SUPPORTED: i32 = -6;
/// An agreement between two elements that stops a stream without an error.
pub const GM_FLOW_CUSTOM_SUCCESS: i32 = 100;
/// An agreement between two elements about a failure.
pub const GM_FLOW_CUSTOM_ERROR: i32 = -100;
/// The instance panicked earlier, or just now; it must only be destroyed.
pub const GM_FLOW_PANICKED: i32 = -1000;
/// A transform that keeps the buffer, or a task with nothing but queued output: no buffer follows.
pub const GM_FLOW_DROPPED: i32 = 1000;

/// Roles: which base runs in the host around the element's callbacks.
pub const GM_ROLE_MULTI: u32 = 0;
/// Produces buffers.
pub const GM_ROLE_SOURCE: u32 = 1;
/// One buffer in, any number out.
pub const GM_ROLE_TRANSFORM: u32 = 2;
/// Consumes buffers, synchronized to the clock.
pub const GM_ROLE_SINK: u32 = 3;

/// Role flags: default of a sink's `sync`.
pub const GM_ROLE_SYNC: u32 = 1;
/// Default of a sink's `async`.
pub const GM_ROLE_ASYNC: u32 = 2;
/// A source that can seek.
pub const GM_ROLE_SEEKABLE: u32 = 4;
/// The transform orders formats itself; those of the other side do not go first.
pub const GM_ROLE_OWN_ORDER: u32 = 256;
/// The transform has no property `qos`, and drops nothing for being late.
pub const GM_ROLE_NO_QOS: u32 = 512;
/// The transform hands ranges through: who pulls from it pulls what is before it.
pub const GM_ROLE_RANGES: u32 = 1024;
/// Bits of `modes`: the pad can be used in push mode.
pub const GM_MODE_PUSH: u32 = 1;
/// It can be used in pull mode.
pub const GM_MODE_PULL: u32 = 2;

/// Given by `passes`: what is passed on need not be counted.
pub const GM_PASSED_UNCOUNTED: usize = 1;

/// Pad directions and presences.
pub const GM_PAD_SRC: u32 = 1;
/// A pad that receives.
pub const GM_PAD_SINK: u32 = 2;
/// The pad exists as long as the element.
pub const GM_PRESENCE_ALWAYS: u32 = 0;
/// The pad appears when the stream is known.
pub const GM_PRESENCE_SOMETIMES: u32 = 1;
/// The pad is made when asked for.
pub const GM_PRESENCE_REQUEST: u32 = 2;
/// A streaming task of the host runs `produce` for this source pad.
pub const GM_TEMPLATE_TASK: u32 = 1;
/// The pad's caps have nothing to do with those of the element's other pads.
pub const GM_TEMPLATE_OWN_CAPS: u32 = 2;
/// What comes in at the pad leaves by the pad of the other direction that has the same number.
pub const GM_TEMPLATE_PAIRED: u32 = 4;
/// What comes in here goes out unchanged, so who sends it may use the memory that those beyond offer.
pub const GM_TEMPLATE_ALLOCATION: u32 = 8;

/// Property flags.
pub const GM_PROP_READABLE: u32 = 1;
/// May be set.
pub const GM_PROP_WRITABLE: u32 = 2;
/// The element answers reads itself, from any thread.
pub const GM_PROP_VOLATILE: u32 = 4;
/// Never printed: keys and tokens.
pub const GM_PROP_SECRET: u32 = 8;
/// `set_property` may be called from any thread at any time.
pub const GM_PROP_LIVE: u32 = 16;
/// Setting it has an effect only before the element leaves READY.
pub const GM_PROP_READY_ONLY: u32 = 32;

/// Log levels, GStreamer's numbers: something failed.
pub const GM_LOG_ERROR: u32 = 1;
/// Something is wrong, but it goes on.
pub const GM_LOG_WARNING: u32 = 2;
/// A known gap was met.
pub const GM_LOG_FIXME: u32 = 3;
/// Something that happens once.
pub const GM_LOG_INFO: u32 = 4;
/// What an element's author wants to see.
pub const GM_LOG_DEBUG: u32 = 5;
/// Each buffer.
pub const GM_LOG_LOG: u32 = 6;
/// Everything.
pub const GM_LOG_TRACE: u32 = 7;

/// Descriptor flags: built with panic=abort.
pub const GM_PLUGIN_PANIC_ABORT: u32 = 1;

/// A borrowed UTF-8 text. Frozen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GmStr {
    /// First byte; may be null when `len` is 0.
    pub ptr: *const u8,
    /// Bytes.
    pub len: usize,
}

/// A place to write text to: the receiver's string, reached through its own function. Frozen.
#[repr(C)]
pub struct GmText {
    /// The receiver's object.
    pub obj: *mut c_void,
    /// Replaces the text with `len` bytes at `ptr`.
    pub write: Option<unsafe extern "C" fn(obj: *mut c_void, ptr: *const u8, len: usize)>,
}

// SAFETY: a text of the boundary is plain bytes.
unsafe impl Sync for GmStr {}
// SAFETY: as above.
unsafe impl Send for GmStr {}

impl GmStr {
    /// No text.
    pub const EMPTY: GmStr = GmStr { ptr: std::ptr::null(), len: 0 };

    /// Borrows a text. The caller sees to it that the result is not used after the text is gone.
    pub const fn new(text: &str) -> GmStr {
        GmStr { ptr: text.as_ptr(), len: text.len() }
    }

    /// The text, if it is UTF-8.
    ///
    /// # Safety
    /// `ptr` must point to `len` readable bytes that live and stay unchanged for `'a`.
    pub unsafe fn to_str<'a>(self) -> Option<&'a str> {
        // SAFETY: the caller's promise.
        std::str::from_utf8(unsafe { self.to_bytes() }).ok()
    }

    /// The text before anybody has looked whether it is UTF-8.
    ///
    /// # Safety
    /// As [`GmStr::to_str`].
    pub unsafe fn to_bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

unsafe extern "C" fn write_string(obj: *mut c_void, ptr: *const u8, len: usize) {
    // SAFETY: `GmText::for_string` made `obj` from a `&mut String` that outlives the call.
    let target = unsafe { &mut *obj.cast::<String>() };
    target.clear();
    // SAFETY: the writer passes readable bytes.
    if let Some(text) = unsafe { GmStr { ptr, len }.to_str() } {
        target.push_str(text);
    }
}

impl GmText {
    /// A place that writes into `target`; text that is not UTF-8 leaves it empty.
    pub fn for_string(target: &mut String) -> GmText {
        GmText { obj: std::ptr::from_mut(target).cast(), write: Some(write_string) }
    }

    /// Writes `text` there, if there is a place.
    ///
    /// # Safety
    /// `this` must be null or point to a text place that is still alive.
    pub unsafe fn put(this: *mut GmText, text: &str) {
        if this.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        let place = unsafe { &*this };
        if let Some(write) = place.write {
            // SAFETY: the bytes are readable for the call, and the receiver wrote the function.
            unsafe { write(place.obj, text.as_ptr(), text.len()) }
        }
    }
}
