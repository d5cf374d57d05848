//! Buffers and their metas, and what a streaming callback gives back: the hot part, binary and frozen.
//!
//! Invariant: no size is checked on the hot path, so these change with the major only.
//! In GStreamer: `gst/gstbuffer.h` (`GstBuffer`), `gst/gstmeta.h`.
//! Left out: memories; a buffer has one piece of data.

use super::words::GmStr;
use std::ffi::c_void;

// Bits of a buffer's flags, GStreamer's.

/// Made by a live source.
pub const GM_BUFFER_LIVE: u32 = 1 << 4;
/// Decode, but do not show.
pub const GM_BUFFER_DECODE_ONLY: u32 = 1 << 5;
/// Something is missing before this buffer.
pub const GM_BUFFER_DISCONT: u32 = 1 << 6;
/// Timestamps may be off.
pub const GM_BUFFER_RESYNC: u32 = 1 << 7;
/// The data is damaged.
pub const GM_BUFFER_CORRUPTED: u32 = 1 << 8;
/// The end of a unit is in this buffer.
pub const GM_BUFFER_MARKER: u32 = 1 << 9;
/// Stream headers.
pub const GM_BUFFER_HEADER: u32 = 1 << 10;
/// Neutral content that may be skipped.
pub const GM_BUFFER_GAP: u32 = 1 << 11;
/// May be dropped without harm.
pub const GM_BUFFER_DROPPABLE: u32 = 1 << 12;
/// Needs earlier buffers to be decoded: not a key frame.
pub const GM_BUFFER_DELTA_UNIT: u32 = 1 << 13;
/// Its memory is not that of the pool it came from.
pub const GM_BUFFER_TAG_MEMORY: u32 = 1 << 14;
/// Write it out at once.
pub const GM_BUFFER_SYNC_AFTER: u32 = 1 << 15;
/// No other buffer depends on it.
pub const GM_BUFFER_NON_DROPPABLE: u32 = 1 << 16;

/// A buffer's header. **Frozen for the major**: the hot path checks no sizes.
///
/// `refcount` is only touched atomically: increments relaxed, decrements release, and whoever
/// reaches zero makes an acquire fence and calls `free`. Times are ns or `GM_TIME_NONE`.
#[repr(C)]
pub struct GmBuffer {
    /// References; at least 1.
    pub refcount: usize,
    /// `GM_BUFFER_…` bits.
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

/// What the host passed on for a transform that let it. **Frozen for the major.** Written by the streaming thread, each
/// field atomically, relaxed, so that any thread may read it.
#[repr(C)]
pub struct GmPassed {
    /// Buffers, of whoever passed them on, the host or the element.
    pub buffers: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The last one's fields, as in [`GmBuffer`].
    pub pts: u64,
    /// As above.
    pub dts: u64,
    /// As above.
    pub duration: u64,
    /// As above.
    pub offset: u64,
    /// As above.
    pub offset_end: u64,
    /// Zero.
    pub reserved: u64,
}
