//! What a pool keeps: a list of who acquires, and a stack of what other threads gave back, which that one takes over as a
//! whole when its list is empty.
//!
//! Invariant: the list is used by one thread at a time, and nobody waits for it; a return is one atomic instruction.
//! In GStreamer: the queue and the poll of `gst/gstbufferpool.c` (`default_acquire_buffer`, `default_release_buffer`).
//! Left out: nothing.

use super::AllocationParams;
use super::pooled::{CLOSED, GIVEN, Pooled, pop, pop_all};
use crate::buffer::free_metas;
use crate::plugin::abi::GmBuffer;
use crate::prefetch;
use std::cell::UnsafeCell;
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Fewer at a time are not worth the visit to what other threads gave back.
const FEW: u32 = 8;
/// After so many such visits more are made, but no more than these.
const SCARCE: u32 = 16;
const SPARES: usize = 48;
const SPARE_BYTES: usize = 64 * 1024;

/// What is only read while buffers come and go, what their user writes, and what others write lie in cache lines of
/// their own.
#[repr(C)]
pub(super) struct Stock {
    pub size: usize,
    /// Made when the pool is switched on.
    pub min: usize,
    keep: usize,
    pub params: AllocationParams,
    pub active: AtomicBool,
    /// Those that exist, idle or out.
    made: AtomicUsize,
    /// The mark of the thread that acquired last: what it gives back goes onto its list.
    user: AtomicUsize,
    own: Apart<Own>,
    /// Stack of what other threads gave back.
    returned: Apart<AtomicPtr<Pooled>>,
}

#[repr(align(64))]
struct Apart<T>(T);

/// What the user touches.
struct Own {
    /// Somebody uses `list`; nobody waits for that, but does without.
    busy: AtomicBool,
    list: UnsafeCell<List>,
}

// SAFETY: `list` is used by who set `busy`; the nodes of a stack belong to who has taken it.
unsafe impl Sync for Stock {}
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for Stock {}

struct List {
    /// Boxed: a header keeps its address while it is out.
    #[allow(clippy::vec_box, reason = "buffers point at the boxed headers")]
    free: Vec<Box<Pooled>>,
    /// What is left of a stack that was taken over.
    taken: *mut Pooled,
    /// How many of it were lent.
    loans: u32,
    /// How often they were few.
    scarce: u32,
    /// How many more to make.
    spares: u32,
}

thread_local! {
    /// Its address tells threads apart.
    static MARK: u8 = const { 0 };
}

#[inline]
fn mark() -> usize {
    MARK.try_with(|mark| ptr::from_ref(mark).addr()).unwrap_or(0)
}

/// Frees a buffer of a pool: what its header says of that.
pub(super) unsafe extern "C" fn give_back(buf: *mut GmBuffer) {
    // SAFETY: `Pooled::new` made it as the first field of a boxed `Pooled`, and the last reference is gone.
    let mut pooled = unsafe { Box::from_raw(buf.cast::<Pooled>()) };
    if !pooled.header.metas.is_null() {
        // SAFETY: the last reference is gone.
        unsafe { free_metas(pooled.header.metas) };
        pooled.header.metas = ptr::null_mut();
    }
    let pool: *const Stock = pooled.header.owner.cast();
    // SAFETY: it is the node's pool, as `Pooled::new` set it; the node keeps it, and `put` touches it no more once the node is given on.
    unsafe { &*pool }.put(pooled);
}

impl Stock {
    /// Nothing yet, and switched off. `min` are made when it is switched on, at most `keep` kept.
    pub fn new(size: usize, min: usize, keep: usize, params: AllocationParams) -> Stock {
        let list =
            List { free: Vec::new(), taken: ptr::null_mut(), loans: 0, scarce: 0, spares: 0 };
        let own = Own { busy: AtomicBool::new(false), list: UnsafeCell::new(list) };
        Stock {
            size,
            min,
            keep,
            params,
            active: AtomicBool::new(false),
            made: AtomicUsize::new(0),
            user: AtomicUsize::new(0),
            own: Apart(own),
            returned: Apart(AtomicPtr::new(CLOSED)),
        }
    }

    /// One more.
    #[cold]
    pub fn make(self: &Arc<Self>) -> Box<Pooled> {
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        // Room for all there are, so that what comes back allocates nothing.
        self.try_list(|list| {
            let missing = made.min(self.keep).saturating_sub(list.free.len());
            list.free.reserve(missing);
        });
        Pooled::new(self)
    }

    /// Runs `f` on the list, unless somebody is at it.
    #[inline]
    fn try_list<R>(&self, f: impl FnOnce(&mut List) -> R) -> Option<R> {
        if self.own.0.busy.swap(true, Ordering::Acquire) {
            return None;
        }
        // SAFETY: who set the flag is alone with the list.
        let result = f(unsafe { &mut *self.own.0.list.get() });
        self.own.0.busy.store(false, Ordering::Release);
        Some(result)
    }

    /// One that is not used.
    #[inline]
    pub fn take(&self) -> Option<Box<Pooled>> {
        let me = mark();
        if self.user.load(Ordering::Relaxed) != me {
            self.user.store(me, Ordering::Relaxed);
        }
        self.try_list(|list| {
            if let Some(own) = list.free.pop() {
                return Some(own);
            }
            if list.taken.is_null() {
                if self.wants_more(list) {
                    return None;
                }
                list.taken = self.take_over();
            }
            // SAFETY: what was taken over is the list's.
            let node = unsafe { pop(&mut list.taken) }?;
            list.loans += 1;
            node.fetch_further(list.taken);
            Some(node)
        })?
    }

    /// Whether to make one more rather than to take over what was given back: few at a time are taken over, again and
    /// again. A source that waits for each of its buffers takes over one, which is no reason.
    #[inline]
    fn wants_more(&self, list: &mut List) -> bool {
        let loans = mem::take(&mut list.loans);
        if list.spares > 0 {
            list.spares -= 1;
            return true;
        }
        if (2..FEW).contains(&loans) {
            list.scarce += 1;
        } else {
            list.scarce = list.scarce.saturating_sub(1);
        }
        if list.scarce < SCARCE {
            return false;
        }
        list.scarce = 0;
        let made = self.made.load(Ordering::Relaxed);
        if made < SPARES.min(self.keep) && made.saturating_mul(self.size) < SPARE_BYTES {
            list.spares = FEW;
        }
        false
    }

    /// Takes the stack of what was given back.
    pub fn take_over(&self) -> *mut Pooled {
        prefetch::to_write(&self.returned);
        let mut top = self.returned.0.load(Ordering::Relaxed);
        while top != CLOSED && !top.is_null() {
            let (none, taken) = (ptr::null_mut(), Ordering::Acquire);
            match self.returned.0.compare_exchange_weak(top, none, taken, Ordering::Relaxed) {
                Ok(top) => return top,
                Err(now) => top = now,
            }
        }
        ptr::null_mut()
    }

    /// Those that wait to be used.
    pub fn idle(&self) -> usize {
        let count = |list: &mut List| {
            list.gather();
            // SAFETY: the stack was taken.
            unsafe { pop_all(self.take_over(), &mut list.free) };
            list.free.len()
        };
        self.try_list(count).unwrap_or(0)
    }

    /// Puts some on the list, unless somebody is at it.
    #[allow(clippy::vec_box, reason = "as in the list")]
    pub fn fill(&self, mut with: Vec<Box<Pooled>>) {
        self.try_list(|list| mem::swap(&mut list.free, &mut with));
    }

    /// Keeps one for its next use; frees it if there are enough. Nothing of `self` is touched once it is kept: who
    /// frees it may free the pool.
    #[inline]
    fn put(&self, pooled: Box<Pooled>) {
        if self.made.load(Ordering::Relaxed) > self.keep {
            return self.free(pooled);
        }
        if self.user.load(Ordering::Relaxed) != mark() {
            return self.put_aside(pooled);
        }
        let mut pooled = Some(pooled);
        self.try_list(|list| {
            if self.active.load(Ordering::Relaxed) {
                list.free.extend(pooled.take());
            }
        });
        if let Some(pooled) = pooled {
            self.put_aside(pooled);
        }
    }

    fn put_aside(&self, pooled: Box<Pooled>) {
        let node = Box::into_raw(pooled);
        prefetch::to_write(&self.returned);
        let mut top = self.returned.0.load(Ordering::Relaxed);
        let further = GIVEN.try_with(|given| given.note(self, node, top.is_null()));
        // SAFETY: until it is on the stack it is ours.
        unsafe { (*node).header.cap = further.map_or(0, |further| further.addr()) };
        while top != CLOSED {
            // SAFETY: as above.
            unsafe { (*node).header.parent = top.cast() };
            match self.returned.0.compare_exchange_weak(
                top,
                node,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => top = now,
            }
        }
        // SAFETY: it was not put anywhere.
        self.free(unsafe { Box::from_raw(node) });
    }

    /// Does without one.
    #[cold]
    pub fn free(&self, pooled: Box<Pooled>) {
        self.made.fetch_sub(1, Ordering::Relaxed);
        // With it may go the pool.
        drop(pooled);
    }

    /// Opens or closes the stack, and gives what was on it and on the list.
    #[allow(clippy::vec_box, reason = "as in the list")]
    pub fn switch(&self, active: bool) -> Vec<Box<Pooled>> {
        self.active.store(active, Ordering::Relaxed);
        let top = if active { ptr::null_mut() } else { CLOSED };
        let mut returned = self.returned.0.swap(top, Ordering::Acquire);
        if returned == CLOSED {
            returned = ptr::null_mut();
        }
        let mut out = Vec::new();
        // SAFETY: the stack was taken.
        unsafe { pop_all(returned, &mut out) };
        let mut take = || {
            self.try_list(|list| {
                list.gather();
                out.append(&mut list.free);
            })
        };
        while take().is_none() {
            // Whoever is at it is at a few instructions.
            std::hint::spin_loop();
        }
        out
    }
}

impl List {
    /// Moves what was taken over to what is free.
    fn gather(&mut self) {
        let taken = mem::replace(&mut self.taken, ptr::null_mut());
        // SAFETY: what was taken over is the list's.
        unsafe { pop_all(taken, &mut self.free) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::BufferPool;
    use super::*;
    use crate::buffer::Buffer;
    use crate::pool::pooled::AHEAD;

    #[test]
    fn what_another_thread_gives_back_knows_what_lies_further_down() {
        let pool = BufferPool::new(16, 16);
        let out: Vec<Buffer> = (0..10).map(|_| pool.acquire()).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(out));
        });
        let stock = &pool.0.0;
        let mut stack = stock.take_over();
        // SAFETY: the stack was taken over.
        let nodes: Vec<Box<Pooled>> = std::iter::from_fn(|| unsafe { pop(&mut stack) }).collect();
        assert_eq!(nodes.len(), 10);
        for (node, further) in nodes.iter().zip(nodes.iter().skip(AHEAD)) {
            assert_eq!(node.header.cap, ptr::from_ref(&**further).addr());
        }
        assert!(nodes[10 - AHEAD..].iter().all(|node| node.header.cap == 0));
        nodes.into_iter().for_each(|node| stock.free(node));
    }

    /// Lets another thread give back so many buffers, so many times; how many exist then.
    fn made_after(pool: &BufferPool, at_a_time: usize, times: usize) -> usize {
        for _ in 0..times {
            let out: Vec<Buffer> = (0..at_a_time).map(|_| pool.acquire()).collect();
            std::thread::scope(|scope| {
                scope.spawn(|| drop(out));
            });
        }
        pool.0.0.made.load(Ordering::Relaxed)
    }

    #[test]
    fn where_few_come_back_at_a_time_there_are_more_but_not_where_it_is_one_or_they_are_large() {
        let made = made_after(&BufferPool::new(16, 256), 3, 300);
        assert!((FEW as usize..SPARES + FEW as usize).contains(&made), "{made}");
        assert_eq!(made_after(&BufferPool::new(16, 256), 1, 300), 1);
        assert_eq!(made_after(&BufferPool::new(SPARE_BYTES, 256), 3, 300), 3);
        assert_eq!(made_after(&BufferPool::new(16, 4), 3, 300), 4);
    }
}
