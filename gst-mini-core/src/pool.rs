//! A [`BufferPool`] takes buffers back instead of freeing them.
//!
//! The last reference to a pooled buffer, on whatever thread it is dropped, hands header and data
//! back to the pool they came from, so a stream in steady state allocates nothing.
//!
//! Whoever is to take the buffers may offer a pool in an allocation query; whoever makes them switches it on
//! for as long as it uses it.
//!
//! Invariant: memory outlives the pool's handle; buffers still out there are freed when they return to a
//! pool that is gone or switched off.
//! In GStreamer: `gst/gstbufferpool.c` (`gst_buffer_pool_acquire_buffer`, `gst_buffer_pool_set_active`).
//! Left out: a maximum that makes `acquire` wait: it bounds what the pool keeps, and the queue behind a
//! source bounds what is out. Buffers of one pool are of one size.

use crate::buffer::{Buffer, blank_header, free_metas, set_owner};
use crate::plugin::abi::GmBuffer;
use parking_lot::Mutex;
use std::sync::Arc;

/// Buffers of one size, reused.
#[derive(Clone)]
pub struct BufferPool(Arc<Shared>);

struct Shared {
    size: usize,
    /// Made when the pool is switched on.
    min: usize,
    keep: usize,
    params: AllocationParams,
    inner: Mutex<Inner>,
}

struct Inner {
    active: bool,
    /// Boxed: a header keeps its address while it is out.
    #[allow(clippy::vec_box, reason = "buffers point at the boxed headers")]
    free: Vec<Box<Pooled>>,
}

/// How memory is to lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocationParams {
    /// Where it begins: at an address without these bits, which are all those below a power of two. 0: anywhere.
    pub align: usize,
    /// Bytes of room before the data.
    pub prefix: usize,
    /// Bytes of room behind the data.
    pub padding: usize,
}

/// More alignment than any hardware asks for.
const MAX_ALIGN: usize = (1 << 20) - 1;
/// What a pool without a maximum keeps; a queue of the default size never holds more.
const KEPT: usize = 256;

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
    let mut inner = pool.inner.lock();
    if inner.active && inner.free.len() < pool.keep {
        inner.free.push(pooled);
    }
}

impl Shared {
    fn make(&self) -> Box<Pooled> {
        let AllocationParams { align, prefix, padding } = self.params;
        let room = align.saturating_add(prefix).saturating_add(padding);
        let data = vec![0; self.size.saturating_add(room)];
        Box::new(Pooled { header: blank_header(), data })
    }
}

impl BufferPool {
    /// A pool of buffers of `size` bytes that keeps at most `keep` of them when they come back.
    pub fn new(size: usize, keep: usize) -> BufferPool {
        let inner = Inner { active: true, free: Vec::with_capacity(keep) };
        let (min, params, inner) = (0, AllocationParams::default(), Mutex::new(inner));
        BufferPool(Arc::new(Shared { size, min, keep, params, inner }))
    }

    /// A pool to be offered to whoever makes the buffers, switched off: `size` bytes each, `min` of them made
    /// when it is switched on, at most `max` kept (0: as many as come back).
    pub fn with_limits(size: usize, min: u32, max: u32, params: AllocationParams) -> BufferPool {
        let bounded = |n: u32| usize::try_from(n).unwrap_or(KEPT).min(4096);
        let keep = if max == 0 { KEPT.max(bounded(min)) } else { bounded(max) };
        let align = params.align.min(MAX_ALIGN);
        let align =
            if (align + 1).is_power_of_two() { align } else { align.next_power_of_two() - 1 };
        let params = AllocationParams { align, ..params };
        let inner = Mutex::new(Inner { active: false, free: Vec::new() });
        BufferPool(Arc::new(Shared { size, min: bounded(min).min(keep), keep, params, inner }))
    }

    /// Switches it on or off. Switched off it keeps nothing: what comes back is freed, and what is acquired is
    /// made for that once. Any thread.
    pub fn set_active(&self, active: bool) {
        let mut inner = self.0.inner.lock();
        if inner.active == active {
            return;
        }
        inner.active = active;
        let freed = if active {
            inner.free.reserve(self.0.keep);
            inner.free.extend((0..self.0.min).map(|_| self.0.make()));
            Vec::new()
        } else {
            std::mem::take(&mut inner.free)
        };
        drop(inner);
        drop(freed);
    }

    /// Whether it keeps what comes back.
    pub fn is_active(&self) -> bool {
        self.0.inner.lock().active
    }

    /// Buffers that wait in it.
    pub fn idle(&self) -> usize {
        self.0.inner.lock().free.len()
    }

    /// Whether it is the same pool.
    pub fn is_same(&self, other: &BufferPool) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Bytes of each buffer.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// A buffer with no times and no flags. Its bytes are those of its last use.
    pub fn acquire(&self) -> Buffer {
        let reused = self.0.inner.lock().free.pop();
        let mut pooled = reused.unwrap_or_else(|| self.0.make());
        pooled.header = blank_header();
        pooled.header.free = Some(give_back);
        let AllocationParams { align, prefix, padding } = self.0.params;
        let start = if align == 0 { 0 } else { pooled.data.as_ptr().align_offset(align + 1) };
        // There is room for that before the end, whatever the address.
        let start = start.min(align) + prefix;
        let data = &mut pooled.data[start..start + self.0.size + padding];
        (pooled.header.data, pooled.header.len) = (data.as_mut_ptr(), self.0.size);
        pooled.header.cap = data.len();
        set_owner(&mut pooled.header, Arc::into_raw(self.0.clone()).cast_mut().cast());
        // SAFETY: a fresh header with one reference.
        unsafe { Buffer::from_header(Box::into_raw(pooled).cast()) }
    }
}

impl PartialEq for BufferPool {
    fn eq(&self, other: &BufferPool) -> bool {
        self.is_same(other)
    }
}

impl std::fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BufferPool of {} bytes", self.0.size)
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
    fn memory_lies_as_it_was_asked_for() {
        let params = AllocationParams { align: 4095, prefix: 8, padding: 3 };
        let pool = BufferPool::with_limits(10, 2, 3, params);
        assert_eq!((pool.is_active(), pool.idle()), (false, 0));
        pool.set_active(true);
        assert_eq!(pool.idle(), 2);
        let out: Vec<Buffer> = (0..5).map(|_| pool.acquire()).collect();
        for buf in &out {
            assert_eq!((buf.data().as_ptr() as usize) % 4096, 8);
            assert_eq!(buf.size(), 10);
        }
        drop(out);
        assert_eq!(pool.idle(), 3);
        let out = pool.acquire();
        pool.set_active(false);
        assert_eq!(pool.idle(), 0);
        drop(out);
        assert_eq!(pool.idle(), 0);
    }

    #[test]
    fn a_buffer_outlives_its_pool() {
        let pool = BufferPool::new(4, 1);
        let buf = pool.acquire().sub_buffer(1, 2);
        drop(pool);
        assert_eq!(buf.size(), 2);
    }
}
