//! A header with its data, and the stack of them that threads give back to.
//!
//! ```text
//!   top ─▶ node ─▶ node ─▶ node ─▶ node ─▶ node
//!           └──── names one that lies four down ──▶┘   so that who walks it fetches that in time
//! ```
//!
//! Invariant: a node on a stack belongs to who has the stack; off it to who has its box.
//! In GStreamer: none; a pool keeps a queue of pointers (`gst/gstbufferpool.c`, `default_release_buffer`).
//! Left out: nothing.

use super::AllocationParams;
use super::stock::{Stock, give_back};
use crate::buffer::blank_header;
use crate::plugin::abi::GmBuffer;
use crate::prefetch;
use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

/// A header with its data. It keeps the stock for as long as it exists, so that a loan counts nothing.
///
/// What changes from loan to loan lies in the first two cache lines, so that no more of it goes from core to core; lines
/// come in pairs, so what stays has a pair of its own.
#[repr(C, align(128))]
pub(super) struct Pooled {
    /// `owner` is the stock, so that who gives it back need not look further. While it is on a stack, `parent` is the
    /// next one there, and `cap` the address of one further down, or 0.
    pub header: GmBuffer,
    /// Keeps the bytes; never touched.
    _data: Vec<u8>,
    /// Where in them the buffer begins.
    place: *mut u8,
    /// Keeps the stock.
    pool: Arc<Stock>,
}

// SAFETY: it belongs to who has the box, with its bytes.
unsafe impl Send for Pooled {}

thread_local! {
    pub(super) static GIVEN: Given = const { Given::new() };
}

/// How many loans before its own a node is fetched.
pub(super) const AHEAD: usize = 4;

/// What this thread gave back last to a stack of a pool: each node is told the address of one that lies further down, so
/// that who walks the stack can fetch that in time, where the next one would come too late.
pub(super) struct Given {
    pool: Cell<*const Stock>,
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
    pub fn note(&self, pool: &Stock, node: *mut Pooled, is_first: bool) -> *mut Pooled {
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

/// On top of the stack of a pool that is switched off.
pub(super) const CLOSED: *mut Pooled = ptr::without_provenance_mut(1);

/// Takes the first node off a stack.
///
/// # Safety
/// The stack is null or one of nodes that belong to the caller.
#[inline]
pub(super) unsafe fn pop(stack: &mut *mut Pooled) -> Option<Box<Pooled>> {
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
pub(super) unsafe fn pop_all(mut stack: *mut Pooled, list: &mut Vec<Box<Pooled>>) {
    // SAFETY: the caller's promise.
    list.extend(std::iter::from_fn(|| unsafe { pop(&mut stack) }));
}

impl Pooled {
    /// A new one, all zero.
    pub fn new(stock: &Arc<Stock>) -> Box<Pooled> {
        let AllocationParams { align, prefix, padding } = stock.params;
        let room = align.saturating_add(prefix).saturating_add(padding);
        let mut data = vec![0; stock.size.saturating_add(room)];
        let start = if align == 0 { 0 } else { data.as_ptr().align_offset(align + 1) };
        // There is room for that before the end, whatever the address.
        let start = start.min(align) + prefix;
        let place = data[start..].as_mut_ptr();
        let pool = stock.clone();
        let header = GmBuffer { owner: Arc::as_ptr(&pool).cast_mut().cast(), ..blank_header() };
        Box::new(Pooled { header, _data: data, place, pool })
    }

    /// Begins to bring the one to this core that is lent some loans later, or that is next: another core wrote it last, and
    /// getting it takes longer than all the rest of a loan.
    #[inline]
    pub fn fetch_further(&self, next: *mut Pooled) {
        let further: *mut Pooled = ptr::without_provenance_mut(self.header.cap);
        let node = if further.is_null() { next } else { further };
        if !node.is_null() {
            prefetch::to_write(node);
            prefetch::to_write(node.cast::<u8>().wrapping_add(64));
        }
    }

    /// A header as it is in a new buffer. Fields one by one: what is reserved is zero anyway, and lies in a line that
    /// need not be written.
    #[inline]
    pub fn lend(&mut self, stock: &Stock) {
        let blank = blank_header();
        let header = &mut self.header;
        (header.refcount, header.flags) = (blank.refcount, blank.flags);
        header.free = Some(give_back);
        header.parent = blank.parent;
        (header.data, header.len) = (self.place, stock.size);
        header.cap = stock.size + stock.params.padding;
        (header.pts, header.dts, header.duration) = (blank.pts, blank.dts, blank.duration);
        (header.offset, header.offset_end) = (blank.offset, blank.offset_end);
        header.metas = blank.metas;
    }
}
