//! What went through a transform that only passes buffers on, whoever passed them: the element or, where that lets it,
//! the host alone.
//!
//! Invariant: one thread at a time counts, the one that streams through the element; any thread may read.
//! In GStreamer: `plugins/elements/gstidentity.c` (`gst_identity_create_stats`).
//! Left out: consistency between two fields that are read while a buffer passes.

use super::Buffer;
use crate::plugin::abi::{GM_TIME_NONE, GmBuffer, GmPassed};
use crate::time::ClockTime;
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// A count of what passed, and the times of the last buffer. Clones are the same count.
///
/// Counts that are made one after the other lie side by side, a cache line each, as the elements of a long chain are
/// made and then counted for in their order.
#[derive(Clone)]
pub struct Passed {
    page: Arc<Page>,
    at: usize,
}

/// How many counts are made at once.
const PAGE: usize = 64;

struct Page([Line; PAGE]);

#[repr(align(64))]
struct Line(UnsafeCell<GmPassed>);

// SAFETY: all fields are read and written atomically.
unsafe impl Sync for Page {}
// SAFETY: they belong to no thread.
unsafe impl Send for Page {}

/// The page that the next count is on, and where.
static NEXT: Mutex<Option<(Weak<Page>, usize)>> = Mutex::new(None);

/// What the last buffer said of its place in the stream. `None`: it did not, or there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Presentation time.
    pub pts: Option<ClockTime>,
    /// Duration.
    pub duration: Option<ClockTime>,
    /// In the source's own unit.
    pub offset: Option<u64>,
    /// Of its end.
    pub offset_end: Option<u64>,
}

impl Default for Passed {
    fn default() -> Self {
        let mut next = NEXT.lock();
        let begun = next.as_ref().filter(|(_, at)| *at < PAGE);
        let begun = begun.and_then(|(page, at)| Some((page.upgrade()?, *at)));
        let (page, at) = begun.unwrap_or_else(|| (Arc::new(Page::new()), 0));
        *next = Some((Arc::downgrade(&page), at + 1));
        Passed { page, at }
    }
}

impl Page {
    fn new() -> Page {
        let stamps = Stamps::NONE;
        Page(std::array::from_fn(|_| {
            Line(UnsafeCell::new(GmPassed {
                buffers: 0,
                bytes: 0,
                pts: stamps.pts,
                dts: stamps.dts,
                duration: stamps.duration,
                offset: stamps.offset,
                offset_end: stamps.offset_end,
                reserved: 0,
            }))
        }))
    }
}

/// # Safety
/// `field` is alive and only touched atomically.
#[inline]
unsafe fn at<'a>(field: *mut u64) -> &'a AtomicU64 {
    // SAFETY: the caller's promise.
    unsafe { AtomicU64::from_ptr(field) }
}

/// Counts one more for each, and notes where it is.
///
/// # Safety
/// All are alive, and this thread is the only one that counts there.
#[inline]
pub(crate) unsafe fn count_for(all: &[*mut GmPassed], buf: *const GmBuffer) {
    // SAFETY: the caller's promise: who may change a buffer that is on its way is this thread.
    let (bytes, place) = unsafe { ((*buf).len as u64, Stamps::of(&*buf)) };
    for passed in all {
        // SAFETY: the caller's promise.
        unsafe {
            add(*passed, bytes);
            place.note(*passed);
        }
    }
}

/// The fields of a buffer that are noted.
#[derive(Clone, Copy)]
struct Stamps {
    pts: u64,
    dts: u64,
    duration: u64,
    offset: u64,
    offset_end: u64,
}

impl Stamps {
    const NONE: Stamps = Stamps {
        pts: GM_TIME_NONE,
        dts: GM_TIME_NONE,
        duration: GM_TIME_NONE,
        offset: u64::MAX,
        offset_end: u64::MAX,
    };

    #[inline]
    fn of(buf: &GmBuffer) -> Stamps {
        let GmBuffer { pts, dts, duration, offset, offset_end, .. } = *buf;
        Stamps { pts, dts, duration, offset, offset_end }
    }

    /// # Safety
    /// As [`count_for`].
    #[inline]
    unsafe fn note(self, passed: *mut GmPassed) {
        let note = |field: *mut u64, value: u64| {
            // SAFETY: the caller's promise.
            unsafe { at(field) }.store(value, Ordering::Relaxed);
        };
        // SAFETY: the fields of what is alive.
        unsafe {
            note(&raw mut (*passed).pts, self.pts);
            note(&raw mut (*passed).dts, self.dts);
            note(&raw mut (*passed).duration, self.duration);
            note(&raw mut (*passed).offset, self.offset);
            note(&raw mut (*passed).offset_end, self.offset_end);
        }
    }
}

/// # Safety
/// As [`count_for`].
#[inline]
unsafe fn add(passed: *mut GmPassed, bytes: u64) {
    // No other thread adds, so that no instruction need lock anything.
    let add = |field: *mut u64, more: u64| {
        // SAFETY: the caller's promise.
        let field = unsafe { at(field) };
        field.store(field.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    };
    // SAFETY: the fields of what is alive.
    unsafe {
        add(&raw mut (*passed).buffers, 1);
        add(&raw mut (*passed).bytes, bytes);
    }
}

impl Passed {
    /// Counts a buffer that is passed on, and notes its place. The thread that streams.
    #[inline]
    pub fn count(&self, buf: &Buffer) {
        self.add(buf);
        self.note(buf);
    }

    /// Counts a buffer that is passed on, whose place was noted when it came. The thread that streams.
    pub fn add(&self, buf: &Buffer) {
        // SAFETY: it is borrowed; who streams is one thread at a time.
        unsafe { add(self.as_raw(), buf.size() as u64) }
    }

    /// Notes the place of a buffer that came, and may go on or not. The thread that streams.
    pub fn note(&self, buf: &Buffer) {
        // SAFETY: as above; the buffer is borrowed.
        unsafe { Stamps::of(&*buf.as_raw()).note(self.as_raw()) }
    }

    /// Buffers so far.
    pub fn buffers(&self) -> u64 {
        // SAFETY: it is borrowed.
        unsafe { at(&raw mut (*self.as_raw()).buffers) }.load(Ordering::Relaxed)
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        // SAFETY: it is borrowed.
        unsafe { at(&raw mut (*self.as_raw()).bytes) }.load(Ordering::Relaxed)
    }

    /// Where the last buffer was. The thread that streams.
    pub fn last(&self) -> Place {
        let raw = self.as_raw();
        // SAFETY: it is borrowed.
        let read = |field: *mut u64| unsafe { at(field) }.load(Ordering::Relaxed);
        let number = |field| Some(read(field)).filter(|value| *value != u64::MAX);
        let time = |field| number(field).map(ClockTime::from_nanos);
        // SAFETY: the fields of what is borrowed.
        unsafe {
            Place {
                pts: time(&raw mut (*raw).pts),
                duration: time(&raw mut (*raw).duration),
                offset: number(&raw mut (*raw).offset),
                offset_end: number(&raw mut (*raw).offset_end),
            }
        }
    }

    /// The next buffer follows none. The thread that streams.
    pub fn forget_last(&self) {
        // SAFETY: it is borrowed; who streams is one thread at a time.
        unsafe { Stamps::NONE.note(self.as_raw()) }
    }

    /// As if nothing had passed. The thread that streams, or none does.
    pub fn restart(&self) {
        let raw = self.as_raw();
        // SAFETY: the fields of what is borrowed.
        unsafe {
            at(&raw mut (*raw).buffers).store(0, Ordering::Relaxed);
            at(&raw mut (*raw).bytes).store(0, Ordering::Relaxed);
        }
        self.forget_last();
    }

    /// As it crosses the boundary.
    #[inline]
    pub(crate) fn as_raw(&self) -> *mut GmPassed {
        self.page.0[self.at].0.get()
    }
}

impl std::fmt::Debug for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} buffers, {} bytes", self.buffers(), self.bytes())
    }
}

/// Whether the host may pass buffers on by itself, and where it counts them. See [`Passing`].
pub(crate) fn raw_of(passing: &Passing) -> *mut GmPassed {
    match passing {
        Passing::No => ptr::null_mut(),
        Passing::Uncounted => ptr::without_provenance_mut(crate::plugin::abi::GM_PASSED_UNCOUNTED),
        Passing::Counted(passed) => passed.as_raw(),
    }
}

/// What a transform says when it is asked whether the host may pass buffers on without asking it.
#[derive(Clone, Debug, Default)]
pub enum Passing {
    /// It wants to see each.
    #[default]
    No,
    /// It may, and nobody wants to know how many.
    Uncounted,
    /// It may, and counts them there.
    Counted(Passed),
}
