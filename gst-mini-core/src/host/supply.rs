//! Where an element's output buffers come from: the pool agreed on with downstream, or one of its own.
//!
//! Invariant: an agreed pool is switched on for as long as it is agreed on.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_set_allocation`), the same in `gstbasetransform.c`.
//! Left out: allocators other than the heap.

use crate::buffer::Buffer;
use crate::pool::BufferPool;
use crate::query::Allocation;
use std::cell::RefCell;

/// What the element's own pool keeps; a queue of the default size never holds more.
const KEPT: usize = 256;

/// The supply of one streaming half.
#[derive(Default)]
pub(crate) struct Supply {
    agreed: RefCell<Option<BufferPool>>,
    own: RefCell<Option<BufferPool>>,
}

impl Supply {
    /// Takes over what downstream offered; `None`: nothing.
    pub fn agree(&self, answer: Option<Allocation>) {
        let pool = answer.and_then(first_pool);
        let mut agreed = self.agreed.borrow_mut();
        if let Some(old) = agreed.take().filter(|old| Some(old) != pool.as_ref()) {
            old.set_active(false);
        }
        if let Some(pool) = &pool {
            pool.set_active(true);
        }
        *agreed = pool;
    }

    /// A buffer of that size.
    pub fn acquire(&self, size: usize) -> Buffer {
        let cut = |pool: &BufferPool| {
            let mut buf = pool.acquire();
            buf.truncate(size);
            buf
        };
        if let Some(pool) = self.agreed.borrow().as_ref().filter(|pool| pool.size() >= size) {
            return cut(pool);
        }
        let mut own = self.own.borrow_mut();
        let pool = own.take().filter(|pool| pool.size() == size);
        cut(own.insert(pool.unwrap_or_else(|| BufferPool::new(size, KEPT))))
    }
}

impl Drop for Supply {
    fn drop(&mut self) {
        self.agree(None);
    }
}

/// The pool that was offered first, or one as it should be.
fn first_pool(answer: Allocation) -> Option<BufferPool> {
    let params = answer.params.first().copied().unwrap_or_default();
    let offer = answer.pools.into_iter().next()?;
    match offer.pool {
        Some(pool) => Some(pool),
        None if offer.size > 0 => {
            Some(BufferPool::with_limits(offer.size, offer.min, offer.max, params))
        }
        None => None,
    }
}
