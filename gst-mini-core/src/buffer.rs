//! A [`Buffer`] is a reference to data with its times; who holds the only reference may change it.
//!
//! The header is [`GmBuffer`], the same in every image, so a buffer made by a plugin is used here
//! without conversion and freed by the plugin. Timestamps of a shared buffer are changed on a new
//! header over the same data; data is copied only when somebody else can see it.
//!
//! ```
//! use gst_mini_core::{buffer::Buffer, time::ClockTime};
//! let mut buf = Buffer::from_vec(vec![1, 2, 3, 4]);
//! buf.set_pts(Some(ClockTime::from_millis(40)));
//! let part = buf.sub_buffer(1, 2);
//! assert_eq!((part.data(), part.pts()), (&[2u8, 3][..], None));
//! ```
//!
//! Invariant: a reference is counted in `refcount` only, and whoever made the memory frees it.
//! In GStreamer: `gst/gstbuffer.c` (`gst_buffer_copy_region`), `gst/gstminiobject.c` (`gst_mini_object_make_writable`).
//! Left out: several memories in one buffer.

mod count;
mod flags;
mod list;
mod meta;
mod passed;

pub use flags::BufferFlags;
pub use list::BufferList;
pub(crate) use meta::free_metas;
pub use passed::{Passed, Passing, Place};
pub(crate) use passed::{count_for as count_passed, raw_of as raw_passing};

use crate::plugin::abi::{GM_TIME_NONE, GmBuffer};
use crate::prefetch;
use crate::time::ClockTime;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicUsize;

/// What `count` is made of.
mod atomic {
    pub use std::sync::atomic::{AtomicUsize, Ordering, fence};
}

/// A counted reference to a header and its data.
pub struct Buffer(NonNull<GmBuffer>);

// SAFETY: the count is atomic, everything else is changed only through the sole reference.
unsafe impl Send for Buffer {}
// SAFETY: through `&Buffer` only reading and atomic counting are possible.
unsafe impl Sync for Buffer {}

/// A header with the vector that holds its data, freed together.
#[repr(C)]
struct Owned {
    header: GmBuffer,
    data: Vec<u8>,
}

unsafe extern "C" fn free_owned(buf: *mut GmBuffer) {
    // SAFETY: `from_vec` made it from a box of `Owned`, whose first field the header is.
    let owned = unsafe { Box::from_raw(buf.cast::<Owned>()) };
    // SAFETY: the last reference is gone.
    unsafe { free_metas(owned.header.metas) };
}

/// A header over another buffer's data.
unsafe extern "C" fn free_view(buf: *mut GmBuffer) {
    // SAFETY: `view` made it from a box of a header.
    let header = unsafe { Box::from_raw(buf) };
    // SAFETY: the last reference is gone.
    unsafe { free_metas(header.metas) };
    if let Some(parent) = NonNull::new(header.parent) {
        drop(Buffer(parent));
    }
}

pub(crate) fn blank_header() -> GmBuffer {
    GmBuffer {
        refcount: 1,
        flags: 0,
        reserved0: 0,
        free: None,
        owner: ptr::null_mut(),
        parent: ptr::null_mut(),
        data: ptr::null_mut(),
        len: 0,
        cap: 0,
        pts: GM_TIME_NONE,
        dts: GM_TIME_NONE,
        duration: GM_TIME_NONE,
        offset: u64::MAX,
        offset_end: u64::MAX,
        metas: ptr::null_mut(),
        reserved: [0; 4],
    }
}

const fn to_raw(time: Option<ClockTime>) -> u64 {
    match time {
        Some(time) => time.nanos(),
        None => GM_TIME_NONE,
    }
}

const fn from_raw_time(raw: u64) -> Option<ClockTime> {
    if raw == GM_TIME_NONE { None } else { Some(ClockTime::from_nanos(raw)) }
}

impl Buffer {
    /// A buffer without data.
    pub fn new() -> Buffer {
        Buffer::from_vec(Vec::new())
    }

    /// A buffer that owns `data`; nothing is copied.
    pub fn from_vec(data: Vec<u8>) -> Buffer {
        let mut owned = Box::new(Owned { header: blank_header(), data });
        owned.header.free = Some(free_owned);
        owned.header.data = owned.data.as_mut_ptr();
        owned.header.len = owned.data.len();
        owned.header.cap = owned.data.capacity();
        // SAFETY: a box is never null.
        Buffer(unsafe { NonNull::new_unchecked(Box::into_raw(owned).cast()) })
    }

    /// Takes over a reference that crossed the boundary; `None` for null.
    ///
    /// # Safety
    /// `raw` must be null or a valid header of which the caller owns one reference.
    #[inline]
    pub unsafe fn from_raw(raw: *mut GmBuffer) -> Option<Buffer> {
        NonNull::new(raw).map(Buffer)
    }

    /// Gives the reference away, to cross the boundary.
    #[inline]
    pub fn into_raw(self) -> *mut GmBuffer {
        let raw = self.0.as_ptr();
        std::mem::forget(self);
        raw
    }

    /// Begins to bring the header to this core, for who will look at a buffer that another thread wrote in some dozens
    /// of nanoseconds. A hint: nothing waits, and nothing depends on it.
    #[inline]
    pub fn prefetch(&self) {
        let header = self.0.as_ptr();
        // The count is written; times lie in the next line.
        prefetch::to_write(header);
        prefetch::to_read(header.cast::<u8>().wrapping_add(64));
    }

    /// The header, borrowed.
    pub fn as_raw(&self) -> *mut GmBuffer {
        self.0.as_ptr()
    }

    #[inline]
    fn header(&self) -> &GmBuffer {
        // SAFETY: a live reference keeps the header alive; it is written only by a sole owner.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn count(&self) -> &AtomicUsize {
        // SAFETY: the field is aligned, alive, and only ever accessed atomically once shared.
        unsafe { AtomicUsize::from_ptr(&raw mut (*self.0.as_ptr()).refcount) }
    }

    /// Whether this is the only reference, so that the header may be changed in place.
    #[inline]
    pub fn is_writable(&self) -> bool {
        count::is_sole(self.count())
    }

    /// The header for changing; a shared buffer first becomes a new header over the same data.
    #[inline]
    fn header_mut(&mut self) -> &mut GmBuffer {
        if !self.is_writable() {
            self.become_view();
        }
        // SAFETY: this is the sole reference now.
        unsafe { self.0.as_mut() }
    }

    #[cold]
    fn become_view(&mut self) {
        *self = self.view(0, self.size(), true);
    }

    /// A new header over `len` bytes from `at`, keeping this buffer alive.
    fn view(&self, at: usize, len: usize, with_header: bool) -> Buffer {
        let parent = self.clone();
        let from = self.header();
        let mut header = blank_header();
        header.free = Some(free_view);
        // SAFETY: callers pass a range inside the data.
        header.data = if from.data.is_null() { from.data } else { unsafe { from.data.add(at) } };
        header.len = len;
        header.cap = len;
        if with_header {
            (header.flags, header.offset, header.offset_end) =
                (from.flags, from.offset, from.offset_end);
            (header.pts, header.dts, header.duration) = (from.pts, from.dts, from.duration);
        }
        header.parent = parent.into_raw();
        let boxed = Box::new(header);
        // SAFETY: a box is never null.
        let mut view = Buffer(unsafe { NonNull::new_unchecked(Box::into_raw(boxed)) });
        if with_header {
            for (id, data) in self.metas() {
                view.set_meta(id, data.to_vec());
            }
        }
        view
    }

    /// A buffer over a part of this one's data, without a copy and without times or flags (those
    /// of the whole rarely fit a part). The range is clipped to the data.
    pub fn sub_buffer(&self, at: usize, len: usize) -> Buffer {
        let at = at.min(self.size());
        self.view(at, len.min(self.size() - at), false)
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &[u8] {
        let header = self.header();
        if header.data.is_null() {
            return &[];
        }
        // SAFETY: the maker promises `len` bytes at `data` for the life of the header.
        unsafe { std::slice::from_raw_parts(header.data, header.len) }
    }

    /// The data for changing, copied first if anybody else can see it.
    #[inline]
    pub fn data_mut(&mut self) -> &mut [u8] {
        if !self.is_writable() || !self.header().parent.is_null() {
            let mut copy = Buffer::from_vec(self.data().to_vec());
            copy.copy_header_from(self);
            *self = copy;
        }
        // SAFETY: sole reference, own data.
        unsafe {
            let header = self.0.as_mut();
            if header.data.is_null() {
                return &mut [];
            }
            std::slice::from_raw_parts_mut(header.data, header.len)
        }
    }

    /// Makes the data shorter; longer is not possible.
    pub fn truncate(&mut self, len: usize) {
        let header = self.header_mut();
        header.len = header.len.min(len);
    }

    /// Bytes of data.
    #[inline]
    pub fn size(&self) -> usize {
        self.header().len
    }

    /// Copies times, offsets, flags and metas of `other`.
    pub fn copy_header_from(&mut self, other: &Buffer) {
        let from = other.header();
        let header = self.header_mut();
        (header.flags, header.offset, header.offset_end) =
            (from.flags, from.offset, from.offset_end);
        (header.pts, header.dts, header.duration) = (from.pts, from.dts, from.duration);
        for (id, data) in other.metas() {
            self.set_meta(id, data.to_vec());
        }
    }

    /// Presentation time on the stream's timeline.
    #[inline]
    pub fn pts(&self) -> Option<ClockTime> {
        from_raw_time(self.header().pts)
    }
    /// Decoding time on the stream's timeline.
    #[inline]
    pub fn dts(&self) -> Option<ClockTime> {
        from_raw_time(self.header().dts)
    }
    /// The pts, or the dts where there is none.
    #[inline]
    pub fn dts_or_pts(&self) -> Option<ClockTime> {
        self.dts().or(self.pts())
    }
    /// How long this buffer lasts.
    #[inline]
    pub fn duration(&self) -> Option<ClockTime> {
        from_raw_time(self.header().duration)
    }
    /// Position in the stream's own unit (frames for video, bytes for files).
    #[inline]
    pub fn offset(&self) -> Option<u64> {
        Some(self.header().offset).filter(|offset| *offset != u64::MAX)
    }
    /// Position of the end in the stream's own unit.
    #[inline]
    pub fn offset_end(&self) -> Option<u64> {
        Some(self.header().offset_end).filter(|offset| *offset != u64::MAX)
    }
    /// Flags.
    #[inline]
    pub fn flags(&self) -> BufferFlags {
        BufferFlags(self.header().flags)
    }
    /// Whether all of `flags` are set.
    #[inline]
    pub fn has(&self, flags: BufferFlags) -> bool {
        self.flags().contains(flags)
    }

    /// Sets the presentation time.
    #[inline]
    pub fn set_pts(&mut self, pts: Option<ClockTime>) {
        self.header_mut().pts = to_raw(pts);
    }
    /// Sets the decoding time.
    #[inline]
    pub fn set_dts(&mut self, dts: Option<ClockTime>) {
        self.header_mut().dts = to_raw(dts);
    }
    /// Sets the duration.
    #[inline]
    pub fn set_duration(&mut self, duration: Option<ClockTime>) {
        self.header_mut().duration = to_raw(duration);
    }
    /// Sets the offset.
    #[inline]
    pub fn set_offset(&mut self, offset: Option<u64>) {
        self.header_mut().offset = offset.unwrap_or(u64::MAX);
    }
    /// Sets the end offset.
    #[inline]
    pub fn set_offset_end(&mut self, offset: Option<u64>) {
        self.header_mut().offset_end = offset.unwrap_or(u64::MAX);
    }
    /// Sets flags beside those that are set.
    #[inline]
    pub fn set_flags(&mut self, flags: BufferFlags) {
        self.header_mut().flags |= flags.0;
    }
    /// Clears flags.
    #[inline]
    pub fn unset_flags(&mut self, flags: BufferFlags) {
        self.header_mut().flags &= !flags.0;
    }
    /// Applies `f` to the pts and the dts, where they exist.
    pub fn map_time(&mut self, f: impl Fn(ClockTime) -> ClockTime) {
        let (pts, dts) = (self.pts(), self.dts());
        self.set_pts(pts.map(&f));
        self.set_dts(dts.map(&f));
    }

    /// For pools: a buffer over a header that somebody else manages.
    ///
    /// # Safety
    /// As [`Buffer::from_raw`], and `raw` is not null.
    pub(crate) unsafe fn from_header(raw: *mut GmBuffer) -> Buffer {
        // SAFETY: the caller's promise.
        Buffer(unsafe { NonNull::new_unchecked(raw) })
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer::new()
    }
}

impl Clone for Buffer {
    /// Another reference; data and header are shared.
    #[inline]
    fn clone(&self) -> Self {
        count::take(self.count());
        Buffer(self.0)
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        if !count::is_last(self.count()) {
            return;
        }
        if let Some(free) = self.header().free {
            // SAFETY: no reference is left, and the maker's function frees what it made.
            unsafe { free(self.0.as_ptr()) }
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: Option<ClockTime>| time.map_or("none".to_owned(), |t| t.to_string());
        write!(
            f,
            "buffer: pts {}, dts {}, dur {}, size {}, offset {}, flags {:?}",
            time(self.pts()),
            time(self.dts()),
            time(self.duration()),
            self.size(),
            self.offset().map_or("none".to_owned(), |offset| offset.to_string()),
            self.flags()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_a_time_on_a_shared_buffer_leaves_the_other_reference_alone() {
        let first = Buffer::from_vec(vec![1, 2, 3]);
        let mut second = first.clone();
        second.set_pts(Some(ClockTime::SECOND));
        assert_eq!((first.pts(), second.pts()), (None, Some(ClockTime::SECOND)));
        assert_eq!(first.data().as_ptr(), second.data().as_ptr(), "the data is still shared");
    }

    #[test]
    fn writing_shared_data_copies_it_and_keeps_the_header() {
        let mut first = Buffer::from_vec(vec![1, 2, 3]);
        first.set_flags(BufferFlags::HEADER);
        first.set_meta("colour", b"red".to_vec());
        let mut second = first.clone();
        second.data_mut()[0] = 9;
        assert_eq!((first.data()[0], second.data()[0]), (1, 9));
        assert!(second.has(BufferFlags::HEADER));
        assert_eq!(second.meta("colour"), Some(&b"red"[..]));
    }

    #[test]
    fn a_sub_buffer_keeps_its_parent_alive() {
        let whole = Buffer::from_vec((0..100).collect());
        let part = whole.sub_buffer(10, 1000).sub_buffer(5, 3);
        drop(whole);
        assert_eq!(part.data(), [15, 16, 17]);
    }

    #[test]
    fn a_sole_reference_is_changed_in_place() {
        let mut buf = Buffer::from_vec(vec![0; 8]);
        let at = buf.data().as_ptr();
        buf.data_mut()[3] = 1;
        buf.set_duration(Some(ClockTime::SECOND));
        assert_eq!(buf.data().as_ptr(), at);
        buf.truncate(2);
        assert_eq!(buf.size(), 2);
    }
}
