//! [`BufferFlags`]: what is special about a buffer, in one word.
//!
//! Invariant: bits and names are GStreamer's.
//! In GStreamer: `gst/gstbuffer.h` (`GstBufferFlags`), `gst/gstminiobject.h`.
//! Left out: flags of media types (interlacing, channel order).

use crate::plugin::abi::*;
use std::fmt;

/// Bits of a buffer's `flags`, with GStreamer's names and values (`GstBufferFlags`).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BufferFlags(pub u32);

impl BufferFlags {
    /// Nothing set.
    pub const NONE: Self = Self(0);
    /// Made by a live source.
    pub const LIVE: Self = Self(GM_BUFFER_LIVE);
    /// Decode, but do not show.
    pub const DECODE_ONLY: Self = Self(GM_BUFFER_DECODE_ONLY);
    /// Something is missing before this buffer.
    pub const DISCONT: Self = Self(GM_BUFFER_DISCONT);
    /// Timestamps may be off.
    pub const RESYNC: Self = Self(GM_BUFFER_RESYNC);
    /// The data is damaged.
    pub const CORRUPTED: Self = Self(GM_BUFFER_CORRUPTED);
    /// The end of a unit is in this buffer.
    pub const MARKER: Self = Self(GM_BUFFER_MARKER);
    /// Stream headers.
    pub const HEADER: Self = Self(GM_BUFFER_HEADER);
    /// Neutral content that may be skipped.
    pub const GAP: Self = Self(GM_BUFFER_GAP);
    /// May be dropped without harm.
    pub const DROPPABLE: Self = Self(GM_BUFFER_DROPPABLE);
    /// Needs earlier buffers to be decoded: not a key frame.
    pub const DELTA_UNIT: Self = Self(GM_BUFFER_DELTA_UNIT);
    /// Its memory is not that of the pool it came from.
    pub const TAG_MEMORY: Self = Self(GM_BUFFER_TAG_MEMORY);
    /// Write it out at once.
    pub const SYNC_AFTER: Self = Self(GM_BUFFER_SYNC_AFTER);
    /// No other buffer depends on it.
    pub const NON_DROPPABLE: Self = Self(GM_BUFFER_NON_DROPPABLE);

    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::LIVE, "live"),
        (Self::DECODE_ONLY, "decode-only"),
        (Self::DISCONT, "discont"),
        (Self::RESYNC, "resync"),
        (Self::CORRUPTED, "corrupted"),
        (Self::MARKER, "marker"),
        (Self::HEADER, "header"),
        (Self::GAP, "gap"),
        (Self::DROPPABLE, "droppable"),
        (Self::DELTA_UNIT, "delta-unit"),
        (Self::TAG_MEMORY, "tag-memory"),
        (Self::SYNC_AFTER, "sync-after"),
        (Self::NON_DROPPABLE, "non-droppable"),
    ];

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for BufferFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for BufferFlags {
    /// Nick names in the order of the bits, space separated, as `fakesink` prints them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (flag, name) in Self::NAMES {
            if self.contains(*flag) {
                write!(f, "{separator}{name}")?;
                separator = " ";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for BufferFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({self})")
    }
}
