//! The C boundary: every struct and constant that host and plugin both look at.
//!
//! One representation serves linked and loaded elements alike. Growable structs begin with their
//! size and are only ever reached through pointers; frozen ones are read without a check. Buffers
//! and flow codes are binary because they are hot. Caps, events, queries, messages and property
//! values cross as canonical text: they are rare, and text has no layout to break.
//!
//! Invariant: nothing here has behavior; fixed-width integers, raw pointers and `Option`s of
//! `extern "C"` functions only. A lock is operated only by the image that made it.
//! In GStreamer: `gst/gstplugin.h` (`GstPluginDesc`), `gst/gstelement.h` (`GstElementClass`).
//! Left out: unloading. A plugin stays mapped until the process ends.

use std::ffi::c_void;

/// First word of every plugin descriptor: "GSTMINI\0" in memory order.
pub const GM_MAGIC: u64 = u64::from_le_bytes(*b"GSTMINI\0");
/// Descriptors of another major are refused.
pub const GM_ABI_MAJOR: u16 = 0;
/// While the major is 0 the minor must be equal.
pub const GM_ABI_MINOR: u16 = 2;

/// No time: what `GST_CLOCK_TIME_NONE` is.
pub const GM_TIME_NONE: u64 = u64::MAX;

/// Flow code of success; the others are GStreamer's numbers (-1 … -6, 100 and -100).
pub const GM_FLOW_OK: i32 = 0;
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

/// Descriptor flags.
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

/// A buffer's header. **Frozen for the major**: the hot path checks no sizes.
///
/// `refcount` is only touched atomically: increments relaxed, decrements release, and whoever
/// reaches zero makes an acquire fence and calls `free`. Times are ns or [`GM_TIME_NONE`].
#[repr(C)]
pub struct GmBuffer {
    /// References; at least 1.
    pub refcount: usize,
    /// [`crate::buffer::BufferFlags`] bits.
    pub flags: u32,
    /// Zero.
    pub reserved0: u32,
    /// Releases header, metas and data; belongs to the image that made the buffer.
    pub free: Option<unsafe extern "C" fn(buf: *mut GmBuffer)>,
    /// For the maker's use (its pool).
    pub owner: *mut c_void,
    /// The buffer whose data this one shows a part of, kept alive by a reference; or null.
    pub parent: *mut GmBuffer,
    /// First byte of the data.
    pub data: *mut u8,
    /// Bytes of data.
    pub len: usize,
    /// Bytes that may be used from `data` on.
    pub cap: usize,
    /// Presentation time.
    pub pts: u64,
    /// Decoding time.
    pub dts: u64,
    /// Duration.
    pub duration: u64,
    /// Position in units of the stream (frames, bytes), or all ones.
    pub offset: u64,
    /// Position of the end, or all ones.
    pub offset_end: u64,
    /// First of a list of metas, or null.
    pub metas: *mut GmMeta,
    /// Zero.
    pub reserved: [u64; 4],
}

/// Extra information on a buffer, one of a list.
#[repr(C)]
pub struct GmMeta {
    /// Of this struct.
    pub struct_size: u32,
    /// Zero.
    pub flags: u32,
    /// What it is, in reverse-DNS or a short well-known word; lives as long as the meta.
    pub id: GmStr,
    /// Its content, plain bytes or text.
    pub data: GmStr,
    /// Releases this meta (not the next).
    pub free: Option<unsafe extern "C" fn(meta: *mut GmMeta)>,
    /// The next one, or null.
    pub next: *mut GmMeta,
}

/// What a streaming callback gives back: a code, and with `GM_FLOW_OK` a buffer. Two registers. Frozen.
#[repr(C)]
pub struct GmFlowBuf {
    /// Flow code.
    pub code: i64,
    /// The buffer, owned by the receiver; null unless `code` is `GM_FLOW_OK`.
    pub buf: *mut GmBuffer,
}

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
            template: GmStr,
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
}

/// Lets a thread that the element owns post and wake, until the element is destroyed.
#[repr(C)]
pub struct GmPoster {
    /// The host's object, one reference owned.
    pub obj: *mut c_void,
    /// Posts a message (text). Any thread.
    pub post: Option<unsafe extern "C" fn(obj: *mut c_void, message: GmStr)>,
    /// Writes to the log. Any thread.
    pub log: Option<unsafe extern "C" fn(obj: *mut c_void, level: u32, text: GmStr)>,
    /// Publishes a read-only property. Any thread.
    pub publish: Option<unsafe extern "C" fn(obj: *mut c_void, name: GmStr, value: GmStr)>,
    /// Wakes waiter `n` of the element. Any thread.
    pub wake: Option<unsafe extern "C" fn(obj: *mut c_void, n: u32)>,
    /// Another reference.
    pub clone: Option<unsafe extern "C" fn(obj: *mut c_void)>,
    /// Gives a reference back.
    pub unref: Option<unsafe extern "C" fn(obj: *mut c_void)>,
}

/// Arguments and answer of an action (`push-buffer`, `pull-sample`). Text, and a buffer both ways.
#[repr(C)]
pub struct GmAction {
    /// Of this struct.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Which action.
    pub name: GmStr,
    /// Arguments as a structure's text; may be empty.
    pub args: GmStr,
    /// A buffer passed in (taken) and, afterwards, the one given back (owned by the caller); or null.
    pub buf: *mut GmBuffer,
    /// Where the answer's structure goes.
    pub answer: *mut GmText,
}

/// An instance. Frozen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GmElement {
    /// The element's object.
    pub obj: *mut c_void,
    /// Its functions, valid for ever.
    pub vtable: *const GmElementVTable,
}

/// An element's functions. A null one means its documented default.
///
/// *Streaming* calls come one at a time for an element with a role, for one pad otherwise.
/// *Control* calls are serialized by the host, and no streaming call runs meanwhile unless noted.
/// *Any* calls come from any thread at any time between create and destroy.
#[repr(C)]
pub struct GmElementVTable {
    /// Of this struct.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Frees the instance. Control, once, last.
    pub destroy: Option<unsafe extern "C" fn(obj: *mut c_void)>,
    /// READY to PAUSED. Control. Flow code; an error message was posted before a negative one.
    pub start: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx) -> i32>,
    /// PAUSED to READY, all pads inactive. Control.
    pub stop: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx) -> i32>,
    /// Breaks a blocking call inside a streaming callback (1), or allows blocking again (0). Any.
    pub unlock: Option<unsafe extern "C" fn(obj: *mut c_void, on: u8)>,
    /// Sets a property from text. Streaming, or any for `GM_PROP_LIVE`. 1 if taken, else the
    /// reason is written.
    pub set_property: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            name: GmStr,
            value: GmStr,
            why: *mut GmText,
        ) -> u8,
    >,
    /// Reads a property as text. Control; any for `GM_PROP_VOLATILE`.
    pub get_property:
        Option<unsafe extern "C" fn(obj: *mut c_void, name: GmStr, out: *mut GmText) -> u8>,
    /// The caps this pad could have, given property values; class function, `obj` unused. Any.
    /// Default: the template's.
    pub pad_caps: Option<unsafe extern "C" fn(cx: *const GmCx, pad: u32, out: *mut GmText) -> u8>,
    /// What `caps` on one side (`direction`) become on the other. Class function. Any.
    /// Default: the same caps.
    pub transform_caps: Option<
        unsafe extern "C" fn(cx: *const GmCx, direction: u32, caps: GmStr, out: *mut GmText) -> u8,
    >,
    /// Picks one format; for a transform `input` are the fixed caps at its sink pad. Class function.
    pub fixate: Option<
        unsafe extern "C" fn(cx: *const GmCx, input: GmStr, caps: GmStr, out: *mut GmText) -> u8,
    >,
    /// The formats are decided: `input` for sinks and transforms, `output` for sources and
    /// transforms (else empty). Streaming. Flow code.
    pub set_caps: Option<
        unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, input: GmStr, output: GmStr) -> i32,
    >,
    /// Source role: makes the next buffer. Streaming, may block if `unlock` breaks it.
    pub create: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx) -> GmFlowBuf>,
    /// Source role: takes a new segment (text). Streaming. 1 if seeked.
    pub seek: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, segment: GmStr) -> u8>,
    /// Transform role: takes the buffer, gives back one, or `GM_FLOW_DROPPED`. Streaming.
    pub transform: Option<
        unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, buf: *mut GmBuffer) -> GmFlowBuf,
    >,
    /// Sink role: sees the first buffer in PAUSED. Borrows it. Streaming.
    pub preroll:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, buf: *mut GmBuffer) -> i32>,
    /// Sink role: the buffer's time has come. Takes it. Streaming.
    pub render:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, buf: *mut GmBuffer) -> i32>,
    /// No role: a buffer arrived at `cx.pad`. Takes it. Streaming.
    pub chain:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, buf: *mut GmBuffer) -> i32>,
    /// No role: the next buffer for the task of `cx.pad`; queued output is sent first. Streaming, may
    /// block in `cx.wait`, and may push through its own pad with `cx.push`. After an error the task
    /// rests until a flush ends or `cx.start_task` is called.
    pub produce: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx) -> GmFlowBuf>,
    /// No role: the task of `cx.pad` stopped because a push returned `code`. Source role: the buffer
    /// made last was not sent, because of `code`. Streaming.
    pub stopped: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, code: i32)>,
    /// A serialized event arrived at a sink pad; for role elements before it is passed on.
    /// Streaming. Flow code; `GM_FLOW_DROPPED` keeps the event from going on.
    pub sink_event:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, event: GmStr) -> i32>,
    /// An upstream or out-of-band event. Role elements get those they list in
    /// `GmFactory.upstream_events`, at their next streaming call; others at once, any thread. 1 if taken.
    pub src_event:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, event: GmStr) -> u8>,
    /// A query at `cx.pad`; 0 leaves it to the host. Any.
    pub query: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            query: GmStr,
            out: *mut GmText,
        ) -> u8,
    >,
    /// The stream was flushed: forget what is held. Streaming.
    pub flush: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx)>,
    /// An action of the application. Any. Flow code.
    pub action: Option<
        unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, action: *mut GmAction) -> i32,
    >,
    /// No role: a request pad `name` was made and is number `cx.pad`. Control. 1 if welcome.
    pub pad_added:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, name: GmStr) -> u8>,
    /// No role: pad `cx.pad` is going away. Control.
    pub pad_removed: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx)>,
    /// Source role: 1 if frames exist only while PLAYING. Class function. Any.
    pub is_live: Option<unsafe extern "C" fn(cx: *const GmCx) -> u8>,
    /// Source role: what its stream is, with the present property values. Class function. Any. 1 if
    /// told; default: time, and what the factory's flags say.
    pub source_info: Option<unsafe extern "C" fn(cx: *const GmCx, out: *mut GmSourceInfo) -> u8>,
    /// Transform role: a seek (event text) came from downstream. Writes what goes on upstream in its
    /// place, and gives 1; or 0: refused. Any.
    pub seek_through: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            event: GmStr,
            out: *mut GmText,
        ) -> u8,
    >,
    /// Sink and transform role: a serialized event arrived, and nothing was done about it yet. Streaming.
    pub event_arrives:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, event: GmStr)>,
    /// No role: flush-start, flush-stop or an event out of band (text) arrived at sink pad `cx.pad`.
    /// 1: it goes on through the source pads, which is the default. Any; flush-stop: streaming.
    pub oob_event:
        Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx, event: GmStr) -> u8>,
    /// Any role: a step between two states (0 NULL to 3 PLAYING) begins. Class function. Control. 0: as
    /// usual; 1: done without preroll, if nothing fails; negative: refused, and the error was posted.
    pub change_state: Option<unsafe extern "C" fn(cx: *const GmCx, from: u32, to: u32) -> i32>,
    /// No role: how a pad asked for as `wanted` (a name, or a template's pattern) is to be called;
    /// `%u` in the answer stands for the next number. 0 leaves it to the host. Control.
    pub pad_name: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            wanted: GmStr,
            out: *mut GmText,
        ) -> u8,
    >,
    /// No role: `n` buffers arrived at `cx.pad` in one go. Takes the buffers, not the array. Streaming.
    /// Flow code. Default: `chain` for each.
    pub chain_list: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            bufs: *const *mut GmBuffer,
            n: u32,
        ) -> i32,
    >,
    /// Any role: writes the name of the clock the element can provide now, and gives 1; 0: none. Any.
    pub provide_clock: Option<unsafe extern "C" fn(obj: *mut c_void, out: *mut GmText) -> u8>,
    /// Any role: what that clock reads, in nanoseconds. Any, also beside every other call.
    pub clock_now: Option<unsafe extern "C" fn(obj: *mut c_void) -> u64>,
}

/// What a source's stream is.
#[repr(C)]
pub struct GmSourceInfo {
    /// Of this struct; set by the host.
    pub struct_size: u32,
    /// GStreamer's number of the format that its segments count in: 2 bytes, 3 time.
    pub format: u32,
    /// 1 if `seek` does anything.
    pub seekable: u32,
    /// Zero.
    pub reserved: u32,
    /// Length in that format; all ones if unknown.
    pub duration: u64,
}

/// A pad before it exists.
#[repr(C)]
pub struct GmPadTemplate {
    /// Of this struct.
    pub struct_size: u32,
    /// `GM_PAD_SRC` or `GM_PAD_SINK`.
    pub direction: u32,
    /// `GM_PRESENCE_…`.
    pub presence: u32,
    /// `GM_TEMPLATE_…`.
    pub flags: u32,
    /// Name, with `%u` for a number in request pads.
    pub name: GmStr,
    /// Caps text.
    pub caps: GmStr,
    /// What GStreamer calls such a pad; empty: `GstPad`. Absent in older plugins.
    pub pad_type: GmStr,
}

/// A property's specification. Bounds and default are texts; an empty one is absent, an absent
/// default is read from a fresh instance.
#[repr(C)]
pub struct GmPropSpec {
    /// Of this struct.
    pub struct_size: u32,
    /// `GM_PROP_…`.
    pub flags: u32,
    /// Name, kebab-case.
    pub name: GmStr,
    /// `boolean int uint int64 uint64 double float string fraction caps structure pad`, or
    /// `enum:nick,nick,…`.
    pub type_name: GmStr,
    /// One sentence.
    pub blurb: GmStr,
    /// Unit: `ns`, `bytes`, `bit/s`, or empty.
    pub unit: GmStr,
    /// Smallest value.
    pub min: GmStr,
    /// Largest value.
    pub max: GmStr,
    /// Default.
    pub default: GmStr,
}

/// A signal or an action an element has.
#[repr(C)]
pub struct GmSignalSpec {
    /// Of this struct.
    pub struct_size: u32,
    /// 1 for an action.
    pub action: u32,
    /// Name, kebab-case.
    pub name: GmStr,
    /// One sentence.
    pub blurb: GmStr,
}

/// What can make elements of one kind. Lists are lists of pointers.
#[repr(C)]
pub struct GmFactory {
    /// Of this struct.
    pub struct_size: u32,
    /// `GM_ROLE_…`.
    pub role: u32,
    /// Rank.
    pub rank: u32,
    /// `GM_ROLE_SYNC` and the like.
    pub role_flags: u32,
    /// Factory name.
    pub name: GmStr,
    /// A few words.
    pub long_name: GmStr,
    /// `Source/Video` and the like.
    pub klass: GmStr,
    /// One sentence.
    pub description: GmStr,
    /// Who wrote it.
    pub author: GmStr,
    /// Names of upstream events a role element takes, separated by commas.
    pub upstream_events: GmStr,
    /// How many pad templates.
    pub n_pads: u32,
    /// How many properties.
    pub n_props: u32,
    /// How many signals and actions.
    pub n_signals: u32,
    /// Zero.
    pub reserved: u32,
    /// Pad templates.
    pub pads: *const *const GmPadTemplate,
    /// Properties.
    pub props: *const *const GmPropSpec,
    /// Signals and actions.
    pub signals: *const *const GmSignalSpec,
    /// Makes an instance; 1 on success.
    pub create: Option<unsafe extern "C" fn(host: *const GmHost, out: *mut GmElement) -> u8>,
    /// Class functions callable without an instance; valid for ever.
    pub vtable: *const GmElementVTable,
    /// Writes what GStreamer calls such an element, as `GstFakeSink`. Absent in older plugins.
    pub type_name: Option<unsafe extern "C" fn(out: *mut GmText)>,
}

/// What the host gives a plugin once, valid for the process.
#[repr(C)]
pub struct GmHost {
    /// Of this struct.
    pub struct_size: u32,
    /// The host's ABI.
    pub abi_major: u16,
    /// The host's ABI.
    pub abi_minor: u16,
    /// Writes to the host's log under a category.
    pub log: Option<unsafe extern "C" fn(level: u32, category: GmStr, text: GmStr)>,
    /// Extensions by id; null if unknown.
    pub get_extension: Option<unsafe extern "C" fn(id: GmStr) -> *const c_void>,
}

/// Exported as data under `gst_mini_plugin_<name>`. The first four fields are frozen for ever.
#[repr(C)]
pub struct GmPluginDesc {
    /// [`GM_MAGIC`].
    pub magic: u64,
    /// Built against.
    pub abi_major: u16,
    /// Built against.
    pub abi_minor: u16,
    /// Of this struct.
    pub struct_size: u32,
    /// Oldest minor of a host it works with.
    pub min_host_minor: u32,
    /// `GM_PLUGIN_…`.
    pub flags: u32,
    /// As in the symbol.
    pub name: GmStr,
    /// Of the plugin.
    pub version: GmStr,
    /// SPDX.
    pub license: GmStr,
    /// Where it comes from.
    pub source: GmStr,
    /// Compiler and target.
    pub build_info: GmStr,
    /// One sentence.
    pub description: GmStr,
    /// How many factories.
    pub n_factories: u32,
    /// Zero.
    pub reserved: u32,
    /// Pointers to factories.
    pub factories: *const *const GmFactory,
    /// Called once before the first create; 1 on success.
    pub init: Option<unsafe extern "C" fn(host: *const GmHost) -> u8>,
    /// Reserved.
    pub deinit: Option<unsafe extern "C" fn()>,
}

// SAFETY: all of these are immutable data whose pointers point to other immutable statics.
unsafe impl Sync for GmPluginDesc {}
// SAFETY: as above.
unsafe impl Sync for GmFactory {}
// SAFETY: as above.
unsafe impl Sync for GmPadTemplate {}
// SAFETY: as above.
unsafe impl Sync for GmPropSpec {}
// SAFETY: as above.
unsafe impl Sync for GmSignalSpec {}
// SAFETY: as above.
unsafe impl Sync for GmHost {}
// SAFETY: as above.
unsafe impl Sync for GmStr {}
// SAFETY: a text of the boundary is plain bytes.
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
        if self.ptr.is_null() || self.len == 0 {
            return Some("");
        }
        // SAFETY: the caller's promise.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(self.ptr, self.len) }).ok()
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

// The hot structs are frozen: a change of these numbers is a change of the major.
const _: () = {
    assert!(size_of::<GmBuffer>() == 144);
    assert!(std::mem::offset_of!(GmBuffer, data) == 40);
    assert!(std::mem::offset_of!(GmBuffer, pts) == 64);
    assert!(std::mem::offset_of!(GmBuffer, metas) == 104);
    assert!(size_of::<GmFlowBuf>() == 16);
    assert!(size_of::<GmStr>() == 16);
    assert!(size_of::<GmElement>() == 16);
    assert!(std::mem::offset_of!(GmPluginDesc, struct_size) == 12);
};
