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

mod pooled;
mod stock;

use crate::buffer::Buffer;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stock::Stock;

/// Buffers of one size, reused.
#[derive(Clone)]
pub struct BufferPool(Arc<Handle>);

/// What handles share. The last one switches the pool off.
struct Handle(Arc<Stock>);

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

impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.0.switch(false));
    }
}

impl BufferPool {
    /// A pool of buffers of `size` bytes that keeps at most `keep` of them when they come back.
    pub fn new(size: usize, keep: usize) -> BufferPool {
        let pool = BufferPool::make(size, 0, keep, AllocationParams::default());
        pool.set_active(true);
        pool
    }

    fn make(size: usize, min: usize, keep: usize, params: AllocationParams) -> BufferPool {
        BufferPool(Arc::new(Handle(Arc::new(Stock::new(size, min, keep, params)))))
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
        BufferPool::make(size, bounded(min).min(keep), keep, params)
    }

    /// Switches it on or off. Switched off it keeps nothing: what comes back is freed, and what is acquired is
    /// made for that once. Any thread.
    pub fn set_active(&self, active: bool) {
        let stock = &self.0.0;
        if stock.active.swap(active, Ordering::AcqRel) == active {
            return;
        }
        let mut kept = stock.switch(active);
        if !active {
            kept.into_iter().for_each(|pooled| stock.free(pooled));
            return;
        }
        while kept.len() < stock.min {
            kept.push(stock.make());
        }
        stock.fill(kept);
    }

    /// Whether it keeps what comes back.
    pub fn is_active(&self) -> bool {
        self.0.0.active.load(Ordering::Relaxed)
    }

    /// Buffers that wait in it.
    pub fn idle(&self) -> usize {
        self.0.0.idle()
    }

    /// Whether it is the same pool.
    pub fn is_same(&self, other: &BufferPool) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Bytes of each buffer.
    pub fn size(&self) -> usize {
        self.0.0.size
    }

    /// A buffer with no times and no flags. Its bytes are those of its last use.
    #[inline]
    pub fn acquire(&self) -> Buffer {
        let stock = &self.0.0;
        let mut pooled = stock.take().unwrap_or_else(|| stock.make());
        pooled.lend(stock);
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
        write!(f, "BufferPool of {} bytes", self.size())
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
