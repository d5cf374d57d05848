//! What instances have in common, and the thunks that need no more: compiled once, not for each element.
//!
//! Invariant: as in the module around: no panic leaves a thunk.
//! Left out: what depends on the element: `export` and the files of its roles.

use super::object::{answer, guard_class, log, perform, story};
use crate::buffer::Passing;
use crate::cx::Cx;
use crate::element::Shared;
use crate::error::{ElementError, ErrorKind, FlowError};
use crate::message::MessageKind;
use crate::plugin::abi::*;
use parking_lot::Mutex;
use std::any::Any;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What of an instance does not depend on its element.
pub(super) struct Common {
    pub(super) shared: Option<Arc<dyn Shared>>,
    /// What a transform gave the host to count in.
    pub(super) passing: UnsafeCell<Passing>,
    pub(super) failed: AtomicBool,
    /// What the panic said. Only code of this image touches it.
    pub(super) story: Mutex<String>,
    /// Whether the bus was told.
    pub(super) told: AtomicBool,
    /// The host's table, valid for the process; or null.
    pub(super) host: *const GmHost,
    /// Of the element's factory.
    pub(super) name: &'static str,
}

impl Common {
    /// # Safety
    /// `obj` must be an instance of an element of this image that is not destroyed.
    pub(super) unsafe fn of<'a>(obj: *mut c_void) -> &'a Common {
        // SAFETY: the caller's promise; an instance begins with this.
        unsafe { &*obj.cast::<Common>() }
    }

    /// Runs a callback so that no panic leaves; after one, nothing is called any more.
    ///
    /// `thunk` is the thunk's name, in which the callback's stands behind the role's. Without a
    /// context the story goes to the log, and to the bus with the next call that has one.
    #[inline(always)]
    pub(super) fn guard<R>(
        &self,
        cx: *const GmCx,
        thunk: &'static str,
        panicked: R,
        call: impl FnOnce() -> R,
    ) -> R {
        if self.failed.load(Ordering::Relaxed) {
            self.refuse(cx, thunk);
            return panicked;
        }
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(value) => value,
            Err(payload) => {
                self.fail(cx, thunk, payload);
                panicked
            }
        }
    }

    /// A callback panicked: told now, or with the next call that has a context.
    #[cold]
    fn fail(&self, cx: *const GmCx, thunk: &'static str, payload: Box<dyn Any + Send>) {
        let story = story(thunk, payload);
        log(self.host, self.name, &story);
        *self.story.lock() = story;
        self.failed.store(true, Ordering::Relaxed);
        self.tell(cx, false);
    }

    /// What was told while nobody listened is told again to who tries to start it.
    #[cold]
    fn refuse(&self, cx: *const GmCx, thunk: &'static str) {
        self.tell(cx, thunk.ends_with("_start"));
    }

    /// What became of a failed instance.
    pub(super) fn story(&self) -> String {
        self.story.lock().clone()
    }

    /// Posts what became of the element, once or `again`.
    #[cold]
    fn tell(&self, cx: *const GmCx, again: bool) {
        // SAFETY: the host's context is valid for the call we are in.
        let Some(cx) = (unsafe { Cx::from_raw(cx) }) else { return };
        if again || !self.told.swap(true, Ordering::Relaxed) {
            cx.post(MessageKind::Error(ElementError::new(ErrorKind::Panic, self.story())));
        }
    }

    /// Sets a property by `set`, which says whether it is a live one; `None` where there is no such property.
    ///
    /// # Safety
    /// As of the thunks, see [`Role`](super::Role).
    pub(super) unsafe fn set_property(
        &self,
        cx: *const GmCx,
        (name, value): (GmStr, GmStr),
        why: *mut GmText,
        set: &mut dyn FnMut(&str, &str) -> Option<Result<bool, String>>,
    ) -> u8 {
        let taken = self.guard(cx, "common_set_property", 0, || {
            // SAFETY: the caller's promise.
            let (name, value) = unsafe { (name.to_str(), value.to_str()) };
            let (Some(name), Some(value)) = (name, value) else { return 0 };
            match set(name, value) {
                Some(Ok(live)) => {
                    // SAFETY: the caller's promise.
                    let cx = unsafe { Cx::from_raw(cx) }.filter(|_| live);
                    if let (Some(shared), Some(cx)) = (&self.shared, cx) {
                        shared.property_changed(&cx, name);
                    }
                    1
                }
                Some(Err(reason)) => {
                    // SAFETY: the caller's promise.
                    unsafe { GmText::put(why, &reason) };
                    0
                }
                None => 0,
            }
        });
        if self.failed.load(Ordering::Relaxed) {
            // SAFETY: the caller's promise.
            unsafe { GmText::put(why, &self.story()) };
        }
        taken
    }

    /// Writes the text that `get` reads of a property, if there is one.
    ///
    /// # Safety
    /// As of the thunks, see [`Role`](super::Role).
    pub(super) unsafe fn get_property(
        &self,
        name: GmStr,
        out: *mut GmText,
        get: &mut dyn FnMut(&str) -> Option<String>,
    ) -> u8 {
        self.guard(std::ptr::null(), "common_get_property", 0, || {
            // SAFETY: the caller's promise.
            let Some(text) = unsafe { name.to_str() }.and_then(get) else { return 0 };
            // SAFETY: the caller's promise.
            unsafe { GmText::put(out, &text) };
            1
        })
    }
}

/// Where the property of that name stands. All of them point to specifications of this image.
pub(super) fn place_of(specs: &[*const GmPropSpec], name: &str) -> Option<usize> {
    // SAFETY: made from references and texts that live for ever.
    specs.iter().position(|spec| unsafe { (**spec).name.to_str() } == Some(name))
}

/// Writes the name of an element's type: what it states, or its Rust name behind `Gst`.
///
/// # Safety
/// `out` must be null or a live place.
pub(super) unsafe fn put_type_name(path: &'static str, stated: &'static str, out: *mut GmText) {
    guard_class(std::ptr::null(), "common_type_name", (), || {
        let path = path.split('<').next().unwrap_or_default();
        let own = path.rsplit("::").next().unwrap_or(path);
        let name = if stated.is_empty() { &format!("Gst{own}") } else { stated };
        // SAFETY: the caller's promise.
        unsafe { GmText::put(out, name) };
    });
}

pub(super) unsafe extern "C" fn provide_clock(obj: *mut c_void, out: *mut GmText) -> u8 {
    // SAFETY: see `Role`; what is read here never changes.
    let common = unsafe { Common::of(obj) };
    common.guard(std::ptr::null(), "common_provide_clock", 0, || {
        let Some(name) = common.shared.as_ref().and_then(|shared| shared.provide_clock()) else {
            return 0;
        };
        // SAFETY: see `Role`.
        unsafe { GmText::put(out, &name) };
        1
    })
}

pub(super) unsafe extern "C" fn clock_now(obj: *mut c_void) -> u64 {
    // SAFETY: see `Role`.
    let common = unsafe { Common::of(obj) };
    common.guard(std::ptr::null(), "common_clock_now", 0, || {
        common.shared.as_ref().map_or(0, |shared| shared.clock_now())
    })
}

pub(super) unsafe extern "C" fn unlock(obj: *mut c_void, on: u8) {
    // SAFETY: see `Role`.
    let common = unsafe { Common::of(obj) };
    common.guard(std::ptr::null(), "common_unlock", (), || {
        if let Some(shared) = &common.shared {
            shared.unlock(on != 0);
        }
    });
}

pub(super) unsafe extern "C" fn shared_query(
    obj: *mut c_void,
    cx: *const GmCx,
    query: GmStr,
    out: *mut GmText,
) -> u8 {
    // SAFETY: see `Role`.
    let common = unsafe { Common::of(obj) };
    common.guard(cx, "common_query", 0, || {
        // SAFETY: see `Role`.
        let (Some(shared), Some(cx)) = (&common.shared, unsafe { Cx::from_raw(cx) }) else {
            return 0;
        };
        // SAFETY: see `Role`.
        unsafe { answer(query, out, &mut |query| shared.query(&cx, query)) }
    })
}

pub(super) unsafe extern "C" fn shared_action(
    obj: *mut c_void,
    cx: *const GmCx,
    action: *mut GmAction,
) -> i32 {
    // SAFETY: see `Role`.
    let common = unsafe { Common::of(obj) };
    common.guard(cx, "common_action", GM_FLOW_PANICKED, || {
        // SAFETY: see `Role`.
        let (Some(shared), Some(cx)) = (&common.shared, unsafe { Cx::from_raw(cx) }) else {
            return FlowError::NotSupported.code();
        };
        // SAFETY: see `Role`.
        unsafe { perform(action, &mut |action| shared.action(&cx, action)) }
    })
}
