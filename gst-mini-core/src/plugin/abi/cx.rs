//! What the host lends: a context for each call, and a handle for threads of the element's own.
//!
//! Invariant: functions of a context are called during the call it was lent for; those of a poster at any time.
//! In GStreamer: none; elements call libgstreamer directly.
//! Left out: nothing.

use super::buffer::GmBuffer;
use super::words::{GmStr, GmText};
use std::ffi::c_void;

/// What the host lends an element for one call: its own object and the functions on it.
#[repr(C)]
pub struct GmCx {
    /// Of this struct.
    pub struct_size: u32,
    /// The pad this call is about; pads are numbered by the host.
    pub pad: u32,
    /// The host's object.
    pub obj: *mut c_void,
    /// The host's functions.
    pub vtable: *const GmCxVTable,
    /// How many handlers the element's signals have: where it is 0, emitting does nothing. Read atomically,
    /// relaxed; null: not told.
    pub listeners: *const usize,
}

/// Functions of the host, valid during the call they were lent for, on the thread of that call.
/// Every one takes the context first.
#[repr(C)]
pub struct GmCxVTable {
    /// Of this struct.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Queues a buffer for pad `pad`, pushed after the callback returned. Takes the buffer.
    pub output: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, buf: *mut GmBuffer)>,
    /// Queues an event (text), sent from pad `pad` after the callback returned.
    pub output_event: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, event: GmStr)>,
    /// Pushes a buffer now. For elements without a role only. Takes the buffer. Flow code.
    pub push: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, buf: *mut GmBuffer) -> i32>,
    /// Sends an event from pad `pad` now; 1 if it was taken.
    pub push_event: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, event: GmStr) -> u8>,
    /// The host's default handling of an event that arrived at `pad`; 1 if it was taken.
    pub event_default: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, event: GmStr) -> u8>,
    /// Asks the peer of pad `pad`; 1 if answered, and the answered query is written.
    pub peer_query: Option<
        unsafe extern "C" fn(cx: *const GmCx, pad: u32, query: GmStr, out: *mut GmText) -> u8,
    >,
    /// The host's default answer to a query that arrived at `pad`.
    pub query_default: Option<
        unsafe extern "C" fn(cx: *const GmCx, pad: u32, query: GmStr, out: *mut GmText) -> u8,
    >,
    /// Posts a message (text) on the bus.
    pub post: Option<unsafe extern "C" fn(cx: *const GmCx, message: GmStr)>,
    /// Writes to the log: 1 error, 2 warning, 3 fixme, 4 info, 5 debug, 6 log, 7 trace.
    pub log: Option<unsafe extern "C" fn(cx: *const GmCx, level: u32, text: GmStr)>,
    /// 1 if a log line of this level would be kept.
    pub log_enabled: Option<unsafe extern "C" fn(cx: *const GmCx, level: u32) -> u8>,
    /// The host's present value of a property, as text; 1 if there is one.
    pub property:
        Option<unsafe extern "C" fn(cx: *const GmCx, name: GmStr, out: *mut GmText) -> u8>,
    /// Publishes a read-only property's value, as text.
    pub publish: Option<unsafe extern "C" fn(cx: *const GmCx, name: GmStr, value: GmStr)>,
    /// Emits a signal; arguments are a structure's text.
    pub emit: Option<unsafe extern "C" fn(cx: *const GmCx, signal: GmStr, args: GmStr)>,
    /// The pipeline clock's reading, ns; all ones without a clock.
    pub clock_now: Option<unsafe extern "C" fn(cx: *const GmCx) -> u64>,
    /// Base time, ns; all ones outside PLAYING and PAUSED.
    pub base_time: Option<unsafe extern "C" fn(cx: *const GmCx) -> u64>,
    /// Wall clock, ns since the Unix epoch (simulated under simulation).
    pub utc_now: Option<unsafe extern "C" fn(cx: *const GmCx) -> u64>,
    /// 1 when time is simulated: foreign threads must not be left at work.
    pub simulated: Option<unsafe extern "C" fn(cx: *const GmCx) -> u8>,
    /// Waits on the pipeline clock until `target`; `GM_FLOW_OK`, or flushing when interrupted.
    pub clock_wait: Option<unsafe extern "C" fn(cx: *const GmCx, target: u64) -> i32>,
    /// Waits for `nanos` without a clock; `GM_FLOW_OK`, or flushing when interrupted.
    pub sleep: Option<unsafe extern "C" fn(cx: *const GmCx, nanos: u64) -> i32>,
    /// Takes a ticket of waiter `n` (0 … 3) of this element.
    pub ticket: Option<unsafe extern "C" fn(cx: *const GmCx, n: u32) -> u64>,
    /// Waits until waiter `n` was woken after `ticket`, or `deadline` (runtime ns, all ones: none).
    /// 1 woken, 0 timed out, -2 this call's pad is flushing.
    pub wait:
        Option<unsafe extern "C" fn(cx: *const GmCx, n: u32, ticket: u64, deadline: u64) -> i32>,
    /// Wakes every wait on waiter `n`.
    pub wake: Option<unsafe extern "C" fn(cx: *const GmCx, n: u32)>,
    /// The runtime's monotonic time, ns, for deadlines of `wait`.
    pub runtime_now: Option<unsafe extern "C" fn(cx: *const GmCx) -> u64>,
    /// Caps of a pad as text; 1 if it has some.
    pub pad_caps: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, out: *mut GmText) -> u8>,
    /// Segment of a pad as text; 1 if it has one.
    pub pad_segment:
        Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, out: *mut GmText) -> u8>,
    /// All pads of the element: lines of `id name direction`.
    pub pads: Option<unsafe extern "C" fn(cx: *const GmCx, out: *mut GmText)>,
    /// This element adds `min` … `max` ns of latency (all ones: no maximum); posts a latency message.
    pub set_latency: Option<unsafe extern "C" fn(cx: *const GmCx, min: u64, max: u64)>,
    /// 1 while the pad of this call is flushing.
    pub flushing: Option<unsafe extern "C" fn(cx: *const GmCx) -> u8>,
    /// Calls `call(data)`, work outside the framework that may block; under simulation `virtual_ns` pass.
    pub foreign: Option<
        unsafe extern "C" fn(
            cx: *const GmCx,
            virtual_ns: u64,
            call: Option<unsafe extern "C" fn(data: *mut c_void)>,
            data: *mut c_void,
        ),
    >,
    /// A handle for posting messages from threads of the element's own. See [`GmPoster`].
    pub poster: Option<unsafe extern "C" fn(cx: *const GmCx, out: *mut GmPoster) -> u8>,
    /// Adds a pad `name` of the *sometimes* template `template`: active if the element is, with
    /// `n_events` sticky events (texts) stored on it; then tells who listens to `pad-added`. For
    /// elements without a role. The pad's number, all ones if it was refused.
    pub add_pad: Option<
        unsafe extern "C" fn(
            cx: *const GmCx,
            pad_template: GmStr,
            name: GmStr,
            events: *const GmStr,
            n_events: u32,
        ) -> u32,
    >,
    /// Takes a *sometimes* pad away: deactivates and unlinks it, then tells who listens to
    /// `pad-removed`. 1 if there was one.
    pub remove_pad: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32) -> u8>,
    /// Says that no further *sometimes* pads come.
    pub no_more_pads: Option<unsafe extern "C" fn(cx: *const GmCx)>,
    /// Emits a signal whose handlers give a value back: `return, value=…` is written, the answer
    /// of the handler connected last. 1 if there was one.
    pub emit_for: Option<
        unsafe extern "C" fn(cx: *const GmCx, signal: GmStr, args: GmStr, out: *mut GmText) -> u8,
    >,
    /// Waits for PLAYING, then for a running time (ns) on the clock, moved by `offset`. Flow code.
    pub sync: Option<unsafe extern "C" fn(cx: *const GmCx, running_time: u64, offset: i64) -> i32>,
    /// The `n`th sticky event of a pad as text, in their order; 1 if there is one.
    pub sticky_event:
        Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, n: u32, out: *mut GmText) -> u8>,
    /// Pushes `n` buffers now, in one go. For elements without a role only. Takes the buffers, not the
    /// array. Flow code.
    pub push_list: Option<
        unsafe extern "C" fn(cx: *const GmCx, pad: u32, bufs: *const *mut GmBuffer, n: u32) -> i32,
    >,
    /// Stores a sticky event (text) on source pad `pad`, to be sent before its next buffer. 1 if stored.
    pub store_event: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, event: GmStr) -> u8>,
    /// Starts the task of source pad `pad` again after `produce` gave back an error. 1 if it has one.
    pub start_task: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32) -> u8>,
    /// Says that the element threw a buffer away on purpose, and why. Borrows it.
    pub dropped: Option<unsafe extern "C" fn(cx: *const GmCx, buf: *mut GmBuffer, why: GmStr)>,
    /// Source and transform role: a buffer of `size` bytes for what goes out, from the pool agreed on with
    /// downstream where its buffers are large enough. For streaming calls. Null: too large.
    pub acquire: Option<unsafe extern "C" fn(cx: *const GmCx, size: usize) -> *mut GmBuffer>,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: Option<unsafe extern "C" fn(cx: *const GmCx) -> u32>,
}

/// Lets a thread that the element owns post and wake, until the element is destroyed. Frozen.
#[repr(C)]
pub struct GmPoster {
    /// The host's object, one reference owned.
    pub obj: *mut c_void,
    /// Its functions, valid for the process.
    pub vtable: *const GmPosterVTable,
}

/// What a thread of the element's own may do. Every one takes the poster's object first. Any thread.
#[repr(C)]
pub struct GmPosterVTable {
    /// Of this struct.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Posts a message (text).
    pub post: Option<unsafe extern "C" fn(obj: *mut c_void, message: GmStr)>,
    /// Writes to the log.
    pub log: Option<unsafe extern "C" fn(obj: *mut c_void, level: u32, text: GmStr)>,
    /// Publishes a read-only property.
    pub publish: Option<unsafe extern "C" fn(obj: *mut c_void, name: GmStr, value: GmStr)>,
    /// Wakes waiter `n` of the element.
    pub wake: Option<unsafe extern "C" fn(obj: *mut c_void, n: u32)>,
    /// Another reference.
    pub clone: Option<unsafe extern "C" fn(obj: *mut c_void)>,
    /// Gives a reference back.
    pub unref: Option<unsafe extern "C" fn(obj: *mut c_void)>,
}
