//! An instance and its functions: what the host calls.
//!
//! Invariant: a null function means its documented default.
//! In GStreamer: `gst/gstelement.h` (`GstElementClass`) and the classes of `libs/gst/base`.
//! Left out: signals' handlers, which are the application's.

use super::buffer::{GmBuffer, GmFlowBuf, GmPassed};
use super::cx::GmCx;
use super::words::{GmStr, GmText};
use std::ffi::c_void;

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
    /// Transform: as `transform_caps`, and asked instead of it, with what the instance knows. Any, also
    /// beside every other call.
    pub instance_caps: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            direction: u32,
            caps: GmStr,
            out: *mut GmText,
        ) -> u8,
    >,
    /// Source role: the range of `size` bytes from `offset`, shorter at the end; behind it the code of
    /// EOS. Streaming, may block if `unlock` breaks it. Null: nobody can pull.
    pub get_range: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            offset: u64,
            size: u32,
        ) -> GmFlowBuf,
    >,
    /// Transform role: which range it wants next; the places hold the default, the bytes behind the
    /// last range. Streaming. Flow code. Null: it does not pull.
    pub next_range: Option<
        unsafe extern "C" fn(
            obj: *mut c_void,
            cx: *const GmCx,
            offset: *mut u64,
            size: *mut u32,
        ) -> i32,
    >,
    /// Source and sink role: the modes its pad can be used in, `GM_MODE_…`, with the present property
    /// values. Class function. Any. Null: push.
    pub modes: Option<unsafe extern "C" fn(cx: *const GmCx) -> u32>,
    /// Transform role: whether the host may pass on by itself what comes next, unchanged and without asking,
    /// until it calls a streaming function of the element again. That it does for each event, each property that
    /// is set, each change of format or state, and with the next buffer when a handler was connected to a signal.
    /// What it passed on it counts in what is given, which stays valid until the next call of this function, or
    /// not, where that is `GM_PASSED_UNCOUNTED`. No role: whether what arrives at sink pad `cx.pad` goes on so through
    /// the only source pad there is, and what comes of that push is what `chain` would give; counted is nothing.
    /// Streaming, must not call the host. Null, or null given: no.
    pub passes: Option<unsafe extern "C" fn(obj: *mut c_void, cx: *const GmCx) -> *mut GmPassed>,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: Option<unsafe extern "C" fn(obj: *mut c_void) -> u32>,
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
