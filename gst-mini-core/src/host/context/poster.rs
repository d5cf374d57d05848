//! What an element's own threads are given to post, log and wake with: it may outlive the context and the element.
//!
//! Invariant: a poster keeps no element alive; through one that is left over nothing reaches the bus.
//! In GStreamer: `gst/gstelement.c` (`gst_element_post_message`), called with a reference to the element.
//! Left out: everything that a streaming call may do besides.

use super::{level_of, read, with};
use crate::cx::Level;
use crate::host::core::ElementCore;
use crate::host::table::guarded;
use crate::log;
use crate::message::{Message, MessageKind};
use crate::plugin::abi::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
// SAFETY of all functions below: the element passes its context or a poster, and texts readable for the call.

/// What a poster keeps: enough to post, without keeping the element alive.
struct PosterCore {
    core: Weak<ElementCore>,
    name: Arc<str>,
    /// Whether it was said that a thread outlived the element.
    told: AtomicBool,
}

static POSTER: GmPosterVTable = GmPosterVTable {
    struct_size: size_of::<GmPosterVTable>() as u32,
    reserved: 0,
    post: Some(poster_post),
    log: Some(poster_log),
    publish: Some(poster_publish),
    wake: Some(poster_wake),
    clone: Some(poster_clone),
    unref: Some(poster_unref),
};

pub(super) unsafe extern "C" fn poster(cx: *const GmCx, out: *mut GmPoster) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: every core lives in an `Arc`, see `handle.rs`; this adds a weak reference.
        let core = unsafe {
            Arc::increment_strong_count(cx.core);
            Arc::downgrade(&Arc::from_raw(cx.core))
        };
        let owner = Arc::new(PosterCore {
            core,
            name: cx.core().name.clone(),
            told: AtomicBool::new(false),
        });
        let obj = Arc::into_raw(owner).cast_mut().cast();
        let poster = GmPoster { obj, vtable: &POSTER };
        // SAFETY: the element passes a place for the poster.
        unsafe { out.write(poster) };
        1
    })
}

fn with_poster(obj: *mut c_void, call: impl FnOnce(&ElementCore)) {
    // SAFETY: `obj` is a counted `PosterCore`, alive while the poster is.
    let Some(poster) = (unsafe { obj.cast::<PosterCore>().as_ref() }) else { return };
    match poster.core.upgrade() {
        Some(core) => guarded((), || call(&core)),
        None if log::enabled("plugin", Level::Warning)
            && !poster.told.swap(true, Ordering::Relaxed) =>
        {
            let text = "a thread of this element still runs although the element is gone; \
                its plugin must join its threads before NULL is reached";
            log::write("plugin", Level::Warning, &poster.name, text);
        }
        None => {}
    }
}

unsafe extern "C" fn poster_post(obj: *mut c_void, message: GmStr) {
    // SAFETY: see above.
    if let Some(kind) = MessageKind::from_text(unsafe { read(message) }) {
        with_poster(obj, |core| core.post_message(Message::new(&*core.name, kind)));
    }
}
unsafe extern "C" fn poster_log(obj: *mut c_void, level: u32, text: GmStr) {
    // SAFETY: see above.
    let text = unsafe { read(text) };
    with_poster(obj, |core| core.log(level_of(level), || text.to_owned()));
}
unsafe extern "C" fn poster_publish(obj: *mut c_void, name: GmStr, value: GmStr) {
    // SAFETY: see above.
    let (name, value) = unsafe { (read(name), read(value)) };
    with_poster(obj, |core| core.publish(name, value));
}
unsafe extern "C" fn poster_wake(obj: *mut c_void, n: u32) {
    with_poster(obj, |core| core.waiters.wake(n as usize % 4));
}
unsafe extern "C" fn poster_clone(obj: *mut c_void) {
    // SAFETY: `obj` came from `Arc::into_raw`.
    unsafe { Arc::increment_strong_count(obj.cast::<PosterCore>()) }
}
unsafe extern "C" fn poster_unref(obj: *mut c_void) {
    // SAFETY: `obj` came from `Arc::into_raw`, and the poster gives its reference back once.
    unsafe { Arc::decrement_strong_count(obj.cast::<PosterCore>()) }
}
