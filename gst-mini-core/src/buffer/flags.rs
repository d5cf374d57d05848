//! [`BufferFlags`]: what is special about a buffer, in one word.
//!
//! Invariant: bits and names are GStreamer's.
//! In GStreamer: `gst/gstbuffer.h` (`GstBufferFlags`), `gst/gstminiobject.h`.
//! Left out: flags of media types (interlacing, channel order).

use std::fmt;

/// Bits of a buffer's `flags`, with GStreamer's names and values (`GstBufferFlags`).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BufferFlags(pub u32);

impl BufferFlags {
    /// Nothing set.
    pub const NONE: Self = Self(0);
    /// Made by a live source.
    pub const LIVE: Self = Self(1 << 4);
    /// Decode, but do not show.
    pub const DECODE_ONLY: Self = Self(1 << 5);
    /// Something is missing before this buffer.
    pub const DISCONT: Self = Self(1 << 6);
    /// Timestamps may be off.
    pub const RESYNC: Self = Self(1 << 7);
    /// The data is damaged.
    pub const CORRUPTED: Self = Self(1 << 8);
    /// The end of a unit is in this buffer.
    pub const MARKER: Self = Self(1 << 9);
    /// Stream headers.
    pub const HEADER: Self = Self(1 << 10);
    /// Neutral content that may be skipped.
    pub const GAP: Self = Self(1 << 11);
    /// May be dropped without harm.
    pub const DROPPABLE: Self = Self(1 << 12);
    /// Needs earlier buffers to be decoded: not a key frame.
    pub const DELTA_UNIT: Self = Self(1 << 13);
    /// Its memory is not that of the pool it came from.
    pub const TAG_MEMORY: Self = Self(1 << 14);
    /// Write it out at once.
    pub const SYNC_AFTER: Self = Self(1 << 15);
    /// No other buffer depends on it.
    pub const NON_DROPPABLE: Self = Self(1 << 16);

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
