//! Buffers and their metas, and what a streaming callback gives back: the hot part, binary and frozen.
//!
//! Invariant: no size is checked on the hot path, so these change with the major only.
//! In GStreamer: `gst/gstbuffer.h` (`GstBuffer`), `gst/gstmeta.h`.
//! Left out: memories; a buffer has one piece of data.

use super::words::GmStr;
use std::ffi::c_void;

/// A buffer's header. **Frozen for the major**: the hot path checks no sizes.
///
/// `refcount` is only touched atomically: increments relaxed, decrements release, and whoever
/// reaches zero makes an acquire fence and calls `free`. Times are ns or [`GM_TIME_NONE`].
#[repr(C)]
pub struct GmBuffer {
    /// References; at least 1.
    pub refcount: usize,
    /// [`crate::buffer::BufferFlags`] bits.
    pub flags: u32,
    /// Zero.
    pub reserved0: u32,
    /// Releases header, metas and data; belongs to the image that made the buffer.
    pub free: Option<unsafe extern "C" fn(buf: *mut GmBuffer)>,
    /// For the maker's use (its pool).
    pub owner: *mut c_void,
    /// The buffer whose data this one shows a part of, kept alive by a reference; or null.
    pub parent: *mut GmBuffer,
    /// First byte of the data.
    pub data: *mut u8,
    /// Bytes of data.
    pub len: usize,
    /// Bytes that may be used from `data` on.
    pub cap: usize,
    /// Presentation time.
    pub pts: u64,
    /// Decoding time.
    pub dts: u64,
    /// Duration.
    pub duration: u64,
    /// Position in units of the stream (frames, bytes), or all ones.
    pub offset: u64,
    /// Position of the end, or all ones.
    pub offset_end: u64,
    /// First of a list of metas, or null.
    pub metas: *mut GmMeta,
    /// Zero.
    pub reserved: [u64; 4],
}

/// Extra information on a buffer, one of a list.
#[repr(C)]
pub struct GmMeta {
    /// Of this struct.
    pub struct_size: u32,
    /// Zero.
    pub flags: u32,
    /// What it is, in reverse-DNS or a short well-known word; lives as long as the meta.
    pub id: GmStr,
    /// Its content, plain bytes or text.
    pub data: GmStr,
    /// Releases this meta (not the next).
    pub free: Option<unsafe extern "C" fn(meta: *mut GmMeta)>,
    /// The next one, or null.
    pub next: *mut GmMeta,
}

/// What a streaming callback gives back: a code, and with `GM_FLOW_OK` a buffer. Two registers. Frozen.
#[repr(C)]
pub struct GmFlowBuf {
    /// Flow code.
    pub code: i64,
    /// The buffer, owned by the receiver; null unless `code` is `GM_FLOW_OK`.
    pub buf: *mut GmBuffer,
}
