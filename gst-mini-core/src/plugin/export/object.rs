//! An instance on the author's side, and what thunks do around a callback.
//!
//! Invariant: no panic leaves; a failed instance is only destroyed.
//! In GStreamer: nothing; a crash of an element is the program's.
//! Left out: the thunks themselves: one file for each role.

use super::common::Common;
use crate::buffer::{Buffer, BufferList};
use crate::caps::Caps;
use crate::cx::{Cx, Level};
use crate::element::{Action, Element, Shared};
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::Event;
use crate::message::MessageKind;
use crate::plugin::abi::*;
use crate::query::Query;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// An instance as the host holds it. What it has in common with all others comes first, so that a thunk which
/// needs no more is compiled once, not for each element.
#[repr(C)]
pub(super) struct Object<E> {
    pub(super) common: Common,
    pub(super) element: UnsafeCell<E>,
}

impl<E: Element> Object<E> {
    /// # Safety
    /// `obj` must be an instance of this factory that is not destroyed.
    #[inline]
    pub(super) unsafe fn of<'a>(obj: *mut c_void) -> &'a Object<E> {
        // SAFETY: the caller's promise.
        unsafe { &*obj.cast::<Object<E>>() }
    }

    /// # Safety
    /// Only from streaming and control calls, which the host makes one at a time.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "the host's serialization is what makes it sole")]
    pub(super) unsafe fn exclusive(&self) -> &mut E {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.element.get() }
    }
}

/// Writes to the host's log, which is there also where there is no way to the bus.
pub(super) fn log(host: *const GmHost, category: &str, text: &str) {
    // SAFETY: the host's table is valid for the process.
    if let Some(log) = unsafe { host.as_ref() }.and_then(|host| host.log) {
        // SAFETY: both texts live for the call.
        unsafe { log(GM_LOG_ERROR, GmStr::new(category), GmStr::new(text)) }
    }
}

/// Drops an instance; a panic on the way is told in the log.
///
/// # Safety
/// `obj` must be an instance of this factory, which nothing uses afterwards.
pub(super) unsafe fn destroy<E: Element>(obj: *mut c_void) {
    // SAFETY: the caller's promise.
    let object = unsafe { Box::from_raw(obj.cast::<Object<E>>()) };
    let Object { common: Common { shared, host, name, .. }, element } = *object;
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop((element, shared)))) {
        log(host, name, &story("common_destroy", payload));
    }
}

/// What happened in which callback. The payload is let go of unseen: its own drop could panic again.
pub(super) fn story(thunk: &str, payload: Box<dyn std::any::Any + Send>) -> String {
    let text = panic_text(&*payload);
    std::mem::forget(payload);
    let callback = thunk.split_once('_').map_or(thunk, |(_, callback)| callback);
    format!("panicked in {callback}: {text}; the element is stopped")
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without text".to_owned())
}

/// Makes an instance's element; what a panic said otherwise.
pub(super) fn made<E: Element>() -> Result<(E, Option<Arc<dyn Shared>>), String> {
    let make = || {
        let element = E::default();
        let shared = element.shared();
        (element, shared)
    };
    catch_unwind(make).map_err(unmade)
}

#[cold]
fn unmade(payload: Box<dyn std::any::Any + Send>) -> String {
    let text = panic_text(&*payload);
    std::mem::forget(payload);
    format!("panicked while it was made: {text}")
}

/// Runs a class function so that no panic leaves; one is told on the bus where there is a context.
pub(super) fn guard_class<R>(
    cx: *const GmCx,
    thunk: &'static str,
    fallback: R,
    call: impl FnOnce() -> R,
) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        tell_of_class(cx, thunk, payload);
        fallback
    })
}

#[cold]
fn tell_of_class(cx: *const GmCx, thunk: &'static str, payload: Box<dyn std::any::Any + Send>) {
    let story = story(thunk, payload);
    // SAFETY: the host's context is valid for the call we are in.
    if let Some(cx) = unsafe { Cx::from_raw(cx) } {
        cx.log(Level::Error, || story.clone());
        cx.post(MessageKind::Error(ElementError::new(ErrorKind::Panic, story)));
    }
}

/// Modes as they cross the boundary.
pub(super) fn mode_bits(push: bool, pull: bool) -> u32 {
    (u32::from(push) * GM_MODE_PUSH) | (u32::from(pull) * GM_MODE_PULL)
}

#[inline]
pub(super) fn code(result: FlowResult) -> i32 {
    match result {
        Ok(()) => GM_FLOW_OK,
        Err(error) => error.code(),
    }
}

#[inline]
pub(super) fn flow_buf(result: FlowResult<Option<Buffer>>) -> GmFlowBuf {
    match result {
        Ok(Some(buf)) => GmFlowBuf { code: i64::from(GM_FLOW_OK), buf: buf.into_raw() },
        Ok(None) => GmFlowBuf { code: i64::from(GM_FLOW_DROPPED), buf: std::ptr::null_mut() },
        Err(error) => GmFlowBuf { code: i64::from(error.code()), buf: std::ptr::null_mut() },
    }
}

/// What a callback without a result gives back when it may not be called.
pub(super) const NOTHING: () = ();
pub(super) const PANICKED: GmFlowBuf =
    GmFlowBuf { code: GM_FLOW_PANICKED as i64, buf: std::ptr::null_mut() };

/// Reports what `start` or `stop` gave back.
pub(super) fn started(cx: &Cx, result: Result<(), ElementError>) -> i32 {
    #[cfg(gst_mini_abi_next)]
    assert_eq!(cx.next().map_or(NEXT, u64::from), NEXT, "the host's answer");
    match result {
        Ok(()) => GM_FLOW_OK,
        Err(error) => {
            cx.post(MessageKind::Error(error));
            FlowError::Error.code()
        }
    }
}

/// # Safety
/// `text` must be readable for the call.
pub(super) unsafe fn parse_caps(text: GmStr) -> Option<Caps> {
    // SAFETY: the caller's promise.
    Caps::from_bytes(unsafe { text.to_bytes() })
}

/// # Safety
/// `text` must be readable for the call.
pub(super) unsafe fn parse_event(text: GmStr) -> Option<Event> {
    // SAFETY: the caller's promise.
    Event::from_bytes(unsafe { text.to_bytes() })
}

/// Answers a query in text with a function on the parsed one.
///
/// # Safety
/// `query` must be readable and `out` null or a live place.
pub(super) unsafe fn answer(
    query: GmStr,
    out: *mut GmText,
    call: &mut dyn FnMut(&mut Query) -> bool,
) -> u8 {
    // SAFETY: the caller's promise.
    let Some(mut query) = Query::from_bytes(unsafe { query.to_bytes() }) else { return 0 };
    let answered = call(&mut query);
    if answered {
        // SAFETY: the caller's promise.
        unsafe { GmText::put(out, &query.text()) };
    }
    u8::from(answered)
}

/// Performs an action in text with a function on the parsed one.
///
/// # Safety
/// `raw` must point to a live action.
pub(super) unsafe fn perform(
    raw: *mut GmAction,
    call: &mut dyn FnMut(&mut Action) -> FlowResult,
) -> i32 {
    // SAFETY: the caller's promise; the texts live for the call and the buffer's reference moves.
    let (mut action, place) = unsafe {
        let Some(raw) = raw.as_mut() else { return FlowError::Error.code() };
        let buf = Buffer::from_raw(std::mem::replace(&mut raw.buf, std::ptr::null_mut()));
        let args = raw.args.to_str().and_then(|text| text.parse().ok());
        let name = raw.name.to_str().unwrap_or("").to_owned();
        (Action { name, args, buf, answer: None }, raw)
    };
    let result = call(&mut action);
    if let Some(answer) = action.answer {
        // SAFETY: the caller's promise.
        unsafe { GmText::put(place.answer, &answer.to_string()) };
    }
    place.buf = action.buf.map_or(std::ptr::null_mut(), Buffer::into_raw);
    code(result)
}

/// A thunk of a streaming or control callback: `thunk!(name(args) -> ret, panicked, |e, cx| body)`.
macro_rules! thunk {
    ($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty, $panicked:expr, |$e:ident, $cx:ident| $body:expr) => {
        unsafe extern "C" fn $name(obj: *mut std::ffi::c_void, cx: *const GmCx $(, $arg: $ty)*) -> $ret {
            // SAFETY: see the type.
            let object = unsafe { Object::<E>::of(obj) };
            object.common.guard(cx, stringify!($name), $panicked, || {
                // SAFETY: see the type.
                let Some(mut $cx) = (unsafe { Cx::from_raw(cx) }) else { return $panicked };
                let $cx = &mut $cx;
                // SAFETY: a streaming or control call of an element with a role.
                let $e = unsafe { object.exclusive() };
                $body
            })
        }
    };
}
pub(super) use thunk;

/// As `thunk!`, for elements without a role: through a shared reference.
macro_rules! shared_thunk {
    ($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty, $panicked:expr, |$e:ident, $cx:ident| $body:expr) => {
        unsafe extern "C" fn $name(obj: *mut std::ffi::c_void, cx: *const GmCx $(, $arg: $ty)*) -> $ret {
            // SAFETY: see the type.
            let object = unsafe { Object::<E>::of(obj) };
            object.common.guard(cx, stringify!($name), $panicked, || {
                // SAFETY: see the type.
                let Some($cx) = (unsafe { Cx::from_raw(cx) }) else { return $panicked };
                let $cx = &$cx;
                // SAFETY: an element without a role is only ever reached through `&E`, and is `Sync`.
                let $e = unsafe { &*object.element.get() };
                $body
            })
        }
    };
}
pub(super) use shared_thunk;

#[inline]
pub(super) fn buffer_of(raw: *mut GmBuffer) -> Option<Buffer> {
    // SAFETY: the host passes a reference that the callback takes.
    unsafe { Buffer::from_raw(raw) }
}

/// # Safety
/// `bufs` must point to `n` buffers whose references the callee takes.
pub(crate) unsafe fn list_of(bufs: *const *mut GmBuffer, n: u32) -> BufferList {
    // SAFETY: the caller's promise.
    (0..n as usize).filter_map(|i| unsafe { Buffer::from_raw(*bufs.add(i)) }).collect()
}

/// # Safety
/// `out` must be null or a live place.
pub(super) unsafe fn put_caps(caps: Option<Caps>, out: *mut GmText) -> u8 {
    match caps {
        Some(caps) => {
            // SAFETY: the caller's promise.
            unsafe { GmText::put(out, caps.text()) };
            1
        }
        None => 0,
    }
}
