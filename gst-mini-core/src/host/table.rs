//! What the host gives a plugin once: its log, buffers and pools.
//!
//! An element in Rust makes buffers by itself; these are for who has no such library at hand.
//!
//! Invariant: any thread may call these at any time, and none unwinds into the plugin.
//! In GStreamer: none; plugins call libgstreamer directly.
//! Left out: extensions; `get_extension` is there for those to come.

use super::context::{level_of, read};
use crate::buffer::Buffer;
use crate::log;
use crate::plugin::abi::*;
use crate::pool::BufferPool;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What plugins are given once, valid for the process.
pub(crate) fn host() -> *const GmHost {
    &raw const HOST
}

static HOST: GmHost = GmHost {
    struct_size: size_of::<GmHost>() as u32,
    abi_major: GM_ABI_MAJOR,
    abi_minor: GM_ABI_MINOR,
    log: Some(write_log),
    get_extension: None,
    buffer_new: Some(buffer_new),
    buffer_writable: Some(buffer_writable),
    buffer_add_meta: Some(buffer_add_meta),
    pool_new: Some(pool_new),
    pool_acquire: Some(pool_acquire),
    pool_free: Some(pool_free),
    #[cfg(gst_mini_abi_next)]
    next: crate::plugin::abi::NEXT,
};

/// The longest buffer that is made on demand; a larger number is a mistake.
pub(super) const MAX_LEN: usize = 1 << 40;

/// Runs what an element called, so that no panic of the host or the application unwinds into it. What was thrown is
/// let go of unseen: its own drop could panic again.
pub(super) fn guarded<R>(fallback: R, call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        fallback
    })
}

/// Zeroed memory, or none: an allocation that fails would end the program.
fn zeroed(len: usize) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    data.try_reserve_exact(len.min(MAX_LEN + 1)).ok().filter(|()| len <= MAX_LEN)?;
    data.resize(len, 0);
    Some(data)
}

// SAFETY of all functions below: a plugin passes texts and data readable for the call, and buffers
// and pools whose reference it owns.

unsafe extern "C" fn write_log(level: u32, category: GmStr, text: GmStr) {
    // SAFETY: see above.
    let (category, text) = unsafe { (read(category), read(text)) };
    let level = level_of(level);
    guarded((), || {
        if log::enabled(category, level) {
            log::write(category, level, "", text);
        }
    });
}

unsafe extern "C" fn buffer_new(len: usize) -> *mut GmBuffer {
    guarded(std::ptr::null_mut(), || match zeroed(len) {
        Some(data) => Buffer::from_vec(data).into_raw(),
        None => std::ptr::null_mut(),
    })
}

unsafe extern "C" fn buffer_writable(buf: *mut GmBuffer) -> *mut GmBuffer {
    // SAFETY: see above.
    let Some(mut buf) = (unsafe { Buffer::from_raw(buf) }) else { return std::ptr::null_mut() };
    guarded(std::ptr::null_mut(), || {
        let _ = buf.data_mut();
        buf.into_raw()
    })
}

unsafe extern "C" fn buffer_add_meta(
    buf: *mut GmBuffer,
    id: GmStr,
    data: *const c_void,
    len: usize,
) {
    // SAFETY: see above; the caller keeps its reference.
    let Some(mut buf) = (unsafe { Buffer::from_raw(buf) }).map(ManuallyDrop::new) else { return };
    guarded((), || {
        // SAFETY: see above.
        let (id, bytes) = unsafe {
            let bytes = match (data.is_null(), len) {
                (true, _) | (_, 0) => &[][..],
                _ => std::slice::from_raw_parts(data.cast::<u8>(), len),
            };
            (read(id), bytes)
        };
        if buf.is_writable() {
            buf.set_meta(id, bytes.to_vec());
        } else {
            let text = "a meta was not added: somebody else sees that buffer";
            log::write("plugin", crate::cx::Level::Warning, "", text);
        }
    });
}

unsafe extern "C" fn pool_new(len: usize, keep: usize) -> *mut c_void {
    guarded(std::ptr::null_mut(), || {
        if zeroed(len).is_none() {
            return std::ptr::null_mut();
        }
        Box::into_raw(Box::new(BufferPool::new(len, keep.min(1024)))).cast()
    })
}

unsafe extern "C" fn pool_acquire(pool: *mut c_void) -> *mut GmBuffer {
    // SAFETY: see above.
    let Some(pool) = (unsafe { pool.cast::<BufferPool>().as_ref() }) else {
        return std::ptr::null_mut();
    };
    guarded(std::ptr::null_mut(), || pool.acquire().into_raw())
}

unsafe extern "C" fn pool_free(pool: *mut c_void) {
    if !pool.is_null() {
        // SAFETY: see above; once.
        guarded((), || drop(unsafe { Box::from_raw(pool.cast::<BufferPool>()) }));
    }
}
