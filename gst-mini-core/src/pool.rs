//! A [`BufferPool`] takes buffers back instead of freeing them.
//!
//! The last reference to a pooled buffer, on whatever thread it is dropped, hands header and data
//! back to the pool they came from, so a stream in steady state allocates nothing.
//!
//! Whoever is to take the buffers may offer a pool in an allocation query; whoever makes them switches it on
//! for as long as it uses it.
//!
//! Who acquires keeps a list of its own; what other threads give back goes onto a stack that is taken over as a
//! whole when that list is empty. So a buffer's return costs one atomic instruction, and no lock is waited for.
//!
//! Invariant: memory outlives the pool's handle; buffers still out there are freed when they return to a
//! pool that is gone or switched off.
//! In GStreamer: `gst/gstbufferpool.c` (`gst_buffer_pool_acquire_buffer`, `gst_buffer_pool_set_active`).
//! Left out: a maximum that makes `acquire` wait: it bounds what the pool keeps, and the queue behind a
//! source bounds what is out. Buffers of one pool are of one size.

use crate::buffer::{Buffer, blank_header, free_metas};
use crate::plugin::abi::GmBuffer;
use crate::prefetch;
use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Buffers of one size, reused.
#[derive(Clone)]
pub struct BufferPool(Arc<Handle>);

/// What handles share. The last one switches the pool off.
struct Handle(Arc<Shared>);

/// What is only read while buffers come and go, what their user writes, and what others write lie in cache lines of
/// their own.
#[repr(C)]
struct Shared {
    size: usize,
    /// Made when the pool is switched on.
    min: usize,
    keep: usize,
    params: AllocationParams,
    active: AtomicBool,
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
unsafe impl Sync for Shared {}
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for Shared {}

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
/// Fewer at a time are not worth the visit to what other threads gave back.
const FEW: u32 = 8;
/// After so many such visits more are made, but no more than these.
const SCARCE: u32 = 16;
const SPARES: usize = 48;
const SPARE_BYTES: usize = 64 * 1024;
/// What a pool without a maximum keeps; a queue of the default size never holds more.
const KEPT: usize = 256;

/// A header with its data. It keeps what is shared for as long as it exists, so that a loan counts nothing.
///
/// What changes from loan to loan lies in the first two cache lines, so that no more of it goes from core to core; lines
/// come in pairs, so what stays has a pair of its own.
#[repr(C, align(128))]
struct Pooled {
    /// `owner` is what is shared, so that who gives it back need not look further. While it is on a stack, `parent` is the
    /// next one there, and `cap` the address of one further down, or 0.
    header: GmBuffer,
    /// Keeps the bytes; never touched.
    _data: Vec<u8>,
    /// Where in them the buffer begins.
    place: *mut u8,
    /// Keeps what is shared.
    pool: Arc<Shared>,
}

// SAFETY: it belongs to who has the box, with its bytes.
unsafe impl Send for Pooled {}

thread_local! {
    /// Its address tells threads apart.
    static MARK: u8 = const { 0 };
    static GIVEN: Given = const { Given::new() };
}

/// How many loans before its own a node is fetched.
const AHEAD: usize = 4;

/// What this thread gave back last to a stack of a pool: each node is told the address of one that lies further down, so
/// that who walks the stack can fetch that in time, where the next one would come too late.
struct Given {
    pool: Cell<*const Shared>,
    count: Cell<usize>,
    nodes: [Cell<*mut Pooled>; AHEAD],
}

impl Given {
    const fn new() -> Given {
        Given {
            pool: Cell::new(ptr::null()),
            count: Cell::new(0),
            nodes: [const { Cell::new(ptr::null_mut()) }; AHEAD],
        }
    }

    /// Notes one more; what it gives lies that far below it, or is null. It is an address and may be stale.
    #[inline]
    fn note(&self, pool: &Shared, node: *mut Pooled, is_first: bool) -> *mut Pooled {
        if is_first || !ptr::eq(self.pool.get(), pool) {
            self.pool.set(pool);
            self.count.set(0);
        }
        let count = self.count.get();
        self.count.set(count + 1);
        let further = self.nodes[count % AHEAD].replace(node);
        if count < AHEAD { ptr::null_mut() } else { further }
    }
}

#[inline]
fn mark() -> usize {
    MARK.try_with(|mark| ptr::from_ref(mark).addr()).unwrap_or(0)
}

unsafe extern "C" fn give_back(buf: *mut GmBuffer) {
    // SAFETY: `make` made it as the first field of a boxed `Pooled`, and the last reference is gone.
    let mut pooled = unsafe { Box::from_raw(buf.cast::<Pooled>()) };
    if !pooled.header.metas.is_null() {
        // SAFETY: the last reference is gone.
        unsafe { free_metas(pooled.header.metas) };
        pooled.header.metas = ptr::null_mut();
    }
    let pool: *const Shared = pooled.header.owner.cast();
    // SAFETY: it is the node's pool, as `make` set it; the node keeps it, and `put` touches it no more once the node is given on.
    unsafe { &*pool }.put(pooled);
}

impl Shared {
    #[cold]
    fn make(self: &Arc<Self>) -> Box<Pooled> {
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        // Room for all there are, so that what comes back allocates nothing.
        self.try_list(|list| {
            let missing = made.min(self.keep).saturating_sub(list.free.len());
            list.free.reserve(missing);
        });
        let AllocationParams { align, prefix, padding } = self.params;
        let room = align.saturating_add(prefix).saturating_add(padding);
        let mut data = vec![0; self.size.saturating_add(room)];
        let start = if align == 0 { 0 } else { data.as_ptr().align_offset(align + 1) };
        // There is room for that before the end, whatever the address.
        let start = start.min(align) + prefix;
        let place = data[start..].as_mut_ptr();
        let pool = self.clone();
        let header = GmBuffer { owner: Arc::as_ptr(&pool).cast_mut().cast(), ..blank_header() };
        Box::new(Pooled { header, _data: data, place, pool })
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
    fn take(&self) -> Option<Box<Pooled>> {
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
            let node = unsafe { pop(&mut list.taken) };
            list.loans += 1;
            if let Some(node) = &node {
                // Another core wrote it last, and getting it takes longer than all the rest of a loan.
                let further: *mut Pooled = ptr::without_provenance_mut(node.header.cap);
                let next = if further.is_null() { list.taken } else { further };
                if !next.is_null() {
                    fetch_to_write(next);
                }
            }
            node
        })?
    }

    /// Whether to make one more rather than to take over what was given back: few at a time are taken over, again and
    /// again. A source that waits for each of its buffers takes over one, which is no reason.
    #[inline]
    fn wants_more(&self, list: &mut List) -> bool {
        let loans = std::mem::take(&mut list.loans);
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
    fn take_over(&self) -> *mut Pooled {
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

    #[cold]
    fn free(&self, pooled: Box<Pooled>) {
        self.made.fetch_sub(1, Ordering::Relaxed);
        // With it may go the pool.
        drop(pooled);
    }

    /// Opens or closes the stack, and gives what was on it and on the list.
    #[allow(clippy::vec_box, reason = "as in the list")]
    fn switch(&self, active: bool) -> Vec<Box<Pooled>> {
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

/// On top of the stack of a pool that is switched off.
const CLOSED: *mut Pooled = ptr::without_provenance_mut(1);

/// Takes the first node off a stack.
///
/// # Safety
/// The stack is null or one of nodes that belong to the caller.
#[inline]
unsafe fn pop(stack: &mut *mut Pooled) -> Option<Box<Pooled>> {
    if stack.is_null() {
        return None;
    }
    // SAFETY: a node on a stack is a box, which belongs to who has the stack.
    let node = unsafe { Box::from_raw(*stack) };
    *stack = node.header.parent.cast();
    Some(node)
}

/// Moves the nodes of a stack to a list.
///
/// # Safety
/// As [`pop`].
#[allow(clippy::vec_box, reason = "as in the list")]
unsafe fn pop_all(mut stack: *mut Pooled, list: &mut Vec<Box<Pooled>>) {
    // SAFETY: the caller's promise.
    list.extend(std::iter::from_fn(|| unsafe { pop(&mut stack) }));
}

impl Pooled {
    /// A header as it is in a new buffer. Fields one by one: what is reserved is zero anyway, and lies in a line that
    /// need not be written.
    #[inline]
    fn lend(&mut self, shared: &Shared) {
        let blank = blank_header();
        let header = &mut self.header;
        (header.refcount, header.flags) = (blank.refcount, blank.flags);
        header.free = Some(give_back);
        header.parent = blank.parent;
        (header.data, header.len) = (self.place, shared.size);
        header.cap = shared.size + shared.params.padding;
        (header.pts, header.dts, header.duration) = (blank.pts, blank.dts, blank.duration);
        (header.offset, header.offset_end) = (blank.offset, blank.offset_end);
        header.metas = blank.metas;
    }
}

impl List {
    /// Moves what was taken over to what is free.
    fn gather(&mut self) {
        let taken = std::mem::replace(&mut self.taken, ptr::null_mut());
        // SAFETY: what was taken over is the list's.
        unsafe { pop_all(taken, &mut self.free) };
    }
}

/// Begins to bring the lines that a loan writes to this core.
#[inline]
fn fetch_to_write(node: *mut Pooled) {
    prefetch::to_write(node);
    prefetch::to_write(node.cast::<u8>().wrapping_add(64));
}

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
        BufferPool(Arc::new(Handle(Arc::new(Shared {
            size,
            min,
            keep,
            params,
            active: AtomicBool::new(false),
            made: AtomicUsize::new(0),
            user: AtomicUsize::new(0),
            own: Apart(Own {
                busy: AtomicBool::new(false),
                list: UnsafeCell::new(List {
                    free: Vec::new(),
                    taken: ptr::null_mut(),
                    loans: 0,
                    scarce: 0,
                    spares: 0,
                }),
            }),
            returned: Apart(AtomicPtr::new(CLOSED)),
        }))))
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
        let shared = &self.0.0;
        if shared.active.swap(active, Ordering::AcqRel) == active {
            return;
        }
        let mut kept = shared.switch(active);
        if !active {
            kept.into_iter().for_each(|pooled| shared.free(pooled));
            return;
        }
        while kept.len() < shared.min {
            kept.push(shared.make());
        }
        shared.try_list(|list| std::mem::swap(&mut list.free, &mut kept));
    }

    /// Whether it keeps what comes back.
    pub fn is_active(&self) -> bool {
        self.0.0.active.load(Ordering::Relaxed)
    }

    /// Buffers that wait in it.
    pub fn idle(&self) -> usize {
        let shared = &self.0.0;
        let count = |list: &mut List| {
            list.gather();
            // SAFETY: the stack was taken.
            unsafe { pop_all(shared.take_over(), &mut list.free) };
            list.free.len()
        };
        shared.try_list(count).unwrap_or(0)
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
        let shared = &self.0.0;
        let mut pooled = shared.take().unwrap_or_else(|| shared.make());
        pooled.lend(shared);
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
    fn what_another_thread_gives_back_knows_what_lies_further_down() {
        let pool = BufferPool::new(16, 16);
        let out: Vec<Buffer> = (0..10).map(|_| pool.acquire()).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(out));
        });
        let shared = &pool.0.0;
        let mut stack = shared.take_over();
        // SAFETY: the stack was taken over.
        let nodes: Vec<Box<Pooled>> = std::iter::from_fn(|| unsafe { pop(&mut stack) }).collect();
        assert_eq!(nodes.len(), 10);
        for (node, further) in nodes.iter().zip(nodes.iter().skip(AHEAD)) {
            assert_eq!(node.header.cap, ptr::from_ref(&**further).addr());
        }
        assert!(nodes[10 - AHEAD..].iter().all(|node| node.header.cap == 0));
        nodes.into_iter().for_each(|node| shared.free(node));
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
