//! A named object on its way to a store: an init segment, a media segment or a playlist.
//!
//! Invariant: an object is whole; its bytes never change under one name, playlists excepted.
//! In GStreamer: the `get-fragment-stream` and `get-playlist-stream` signals of gst-plugins-rs
//! `net/hlssink3` (`HlsBaseSink`), which hand out byte streams instead.
//! Left out: partial objects.

use gst_mini_core::time::ClockTime;

use super::playlist::Removed;

/// What an object is for, which decides how it may be cached and overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Codec setup that segments refer to.
    Init,
    /// Media.
    Segment,
    /// The playlist; the only object that is written again under the same name.
    Playlist,
}

impl Role {
    /// The role in text, as elements pass it on.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Init => "init",
            Role::Segment => "segment",
            Role::Playlist => "playlist",
        }
    }

    /// The media type a store should answer with.
    ///
    /// Segments are `video/mp4`, as CMAF (ISO/IEC 23000-19, 7.3.3) and RFC 8216 have it:
    /// `video/iso.segment` is DASH's and unknown to some servers and players.
    pub const fn content_type(self) -> &'static str {
        match self {
            Role::Init | Role::Segment => "video/mp4",
            Role::Playlist => "application/vnd.apple.mpegurl",
        }
    }
}

/// A stretch of an object's bytes: written by the muxer, or a sample's payload as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk<P> {
    /// Boxes or text.
    Made(Vec<u8>),
    /// Payload, passed on without a copy.
    Payload(P),
}

impl<P: AsRef<[u8]>> AsRef<[u8]> for Chunk<P> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Chunk::Made(bytes) => bytes,
            Chunk::Payload(payload) => payload.as_ref(),
        }
    }
}

/// A named object with what a store and a deleter want to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<P> {
    /// Name relative to the recording, with `/` between folders. Not escaped.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Value for the Cache-Control header.
    pub cache_control: String,
    /// The bytes, in order.
    pub chunks: Vec<Chunk<P>>,
    /// Timestamp of the first frame, on the stream's own timeline. For a playlist: of its newest segment.
    pub first_pts: ClockTime,
    /// How long its media plays. Zero for an init segment; for a playlist: of its newest segment.
    pub duration: ClockTime,
    /// Frames inside.
    pub frames: u32,
    /// Whether nothing follows in this recording.
    pub last: bool,
    /// On a playlist: what it no longer lists, and how long that must still be fetchable.
    pub removed: Vec<Removed>,
}

impl<P: AsRef<[u8]>> Object<P> {
    /// Value for the Content-Type header.
    pub fn content_type(&self) -> &'static str {
        self.role.content_type()
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.as_ref().len()).sum()
    }

    /// The object in one piece. This is the one copy of the payload a sink needs, if any.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size());
        for chunk in &self.chunks {
            bytes.extend_from_slice(chunk.as_ref());
        }
        bytes
    }
}
