//! A [`BufferPool`] takes buffers back instead of freeing them.
//!
//! The last reference to a pooled buffer, on whatever thread it is dropped, hands header and data
//! back to the pool they came from, so a stream in steady state allocates nothing.
//!
//! Invariant: memory outlives the pool's handle; buffers still out there are freed when they return.
//! In GStreamer: `gst/gstbufferpool.c` (`gst_buffer_pool_acquire_buffer`).
//! Left out: a maximum that makes `acquire` wait; the queue behind a source bounds what is out.

use crate::buffer::{Buffer, blank_header, free_metas, set_owner};
use crate::plugin::abi::GmBuffer;
use parking_lot::Mutex;
use std::sync::Arc;

/// Buffers of one size, reused.
#[derive(Clone)]
pub struct BufferPool(Arc<Shared>);

struct Shared {
    size: usize,
    keep: usize,
    /// Boxed: a header keeps its address while it is out.
    #[allow(clippy::vec_box, reason = "buffers point at the boxed headers")]
    free: Mutex<Vec<Box<Pooled>>>,
}

/// A header with its data and, while it is out, a reference to its pool in `owner`.
#[repr(C)]
struct Pooled {
    header: GmBuffer,
    data: Vec<u8>,
}

// SAFETY: a pooled buffer in the free list belongs to the list alone.
unsafe impl Send for Pooled {}

unsafe extern "C" fn give_back(buf: *mut GmBuffer) {
    // SAFETY: `acquire` made it from a box of `Pooled` and put a counted `Shared` into `owner`.
    let (mut pooled, pool) = unsafe {
        (Box::from_raw(buf.cast::<Pooled>()), Arc::from_raw((*buf).owner.cast::<Shared>()))
    };
    // SAFETY: the last reference is gone.
    unsafe { free_metas(pooled.header.metas) };
    pooled.header.metas = std::ptr::null_mut();
    let mut free = pool.free.lock();
    if free.len() < pool.keep {
        free.push(pooled);
    }
}

impl BufferPool {
    /// A pool of buffers of `size` bytes that keeps at most `keep` of them when they come back.
    pub fn new(size: usize, keep: usize) -> BufferPool {
        BufferPool(Arc::new(Shared { size, keep, free: Mutex::new(Vec::with_capacity(keep)) }))
    }

    /// Bytes of each buffer.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// A buffer with no times and no flags. Its bytes are those of its last use.
    pub fn acquire(&self) -> Buffer {
        let reused = self.0.free.lock().pop();
        let mut pooled = reused.unwrap_or_else(|| {
            Box::new(Pooled { header: blank_header(), data: vec![0; self.0.size] })
        });
        pooled.header = blank_header();
        pooled.header.free = Some(give_back);
        pooled.header.data = pooled.data.as_mut_ptr();
        pooled.header.len = pooled.data.len();
        pooled.header.cap = pooled.data.len();
        set_owner(&mut pooled.header, Arc::into_raw(self.0.clone()).cast_mut().cast());
        // SAFETY: a fresh header with one reference.
        unsafe { Buffer::from_header(Box::into_raw(pooled).cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::ClockTime;

    #[test]
    fn a_dropped_buffer_comes_back_clean() {
        let pool = BufferPool::new(16, 2);
        let mut first = pool.acquire();
        first.set_pts(Some(ClockTime::SECOND));
        first.set_meta("x", vec![1]);
        let at = first.data().as_ptr();
        drop(first);
        let again = pool.acquire();
        assert_eq!(again.data().as_ptr(), at);
        assert_eq!((again.pts(), again.meta("x"), again.size()), (None, None, 16));
    }

    #[test]
    fn a_buffer_outlives_its_pool() {
        let pool = BufferPool::new(4, 1);
        let buf = pool.acquire().sub_buffer(1, 2);
        drop(pool);
        assert_eq!(buf.size(), 2);
    }
}
