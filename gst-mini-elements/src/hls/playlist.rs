//! A media playlist: what it lists now, as text, and what it has stopped listing.
//!
//! Invariant: TARGETDURATION never changes; MEDIA-SEQUENCE rises by exactly the number of entries
//! removed; nothing changes after ENDLIST; EXTINF is written in whole microseconds, differences of
//! rounded positions, so that any sum of them is right to a microsecond.
//! In GStreamer: `ext/hls/gstm3u8playlist.c`, gst-plugins-rs `net/hlssink3/src/playlist.rs`.
//! Left out: byte ranges, encryption, I-frame lists, low-latency tags.

mod resume;

use std::collections::VecDeque;
use std::fmt::Write;

use gst_mini_core::time::ClockTime;

use super::date::iso8601_millis;
pub use resume::{ResumeError, unescape_uri};

/// How a playlist lives (RFC 8216, 4.3.3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PlaylistKind {
    /// A window that slides: no PLAYLIST-TYPE.
    #[default]
    Live,
    /// Only ever grows.
    Event,
    /// Written once, complete.
    Vod,
}

/// Why a segment is not listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaylistError {
    /// The segment would break the promise of TARGETDURATION, which must not change.
    #[error(
        "segment {name} (number {sequence}) would be {} s long, and EXT-X-TARGETDURATION is {target}: \
         have the encoder make key frames at least every {target} s (it ignored the requests), \
         or set a longer target-duration",
        seconds(*.micros)
    )]
    SegmentTooLong {
        /// Name of the segment.
        name: String,
        /// Its media sequence number.
        sequence: u64,
        /// Its length in microseconds.
        micros: u64,
        /// The target duration in seconds.
        target: u64,
    },
    /// The playlist has ended.
    #[error("the playlist has ended (ENDLIST is written); segment {0} begins a new recording")]
    Ended(String),
}

/// A segment as the playlist lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Object name, unescaped, relative to the playlist.
    pub name: String,
    /// Name of the init segment it needs.
    pub init: String,
    /// Length in microseconds: the difference of its rounded end and start.
    pub micros: u64,
    /// Whether timestamps or codec setup do not continue those of the segment before.
    pub discontinuity: bool,
    /// When its first frame was taken, nanoseconds since 1970 UTC.
    pub utc: Option<u64>,
    /// Whether the media is missing, and players shall not ask for it (EXT-X-GAP).
    pub gap: bool,
}

/// An object no playlist lists any more, and how long it must stay fetchable after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Object name, unescaped.
    pub name: String,
    /// Its own duration plus that of the longest playlist that listed it (RFC 8216, 6.2.2).
    pub keep_for: ClockTime,
}

#[derive(Clone, Debug)]
struct Listed {
    entry: Entry,
    /// Microseconds of the longest playlist that listed it.
    longest: u64,
}

/// A media playlist under construction. No I/O: text comes out of [`text`](Self::text).
#[derive(Clone, Debug)]
pub struct Playlist {
    kind: PlaylistKind,
    target: u64,
    length: usize,
    media_sequence: u64,
    discontinuity_sequence: u64,
    listed: VecDeque<Listed>,
    micros: u64,
    ended: bool,
}

impl Playlist {
    /// An empty playlist. `target` is in whole seconds, at least 1; `length` is the number of
    /// segments a live playlist lists, 0 for all of them.
    ///
    /// A live playlist keeps more than `length` while it would otherwise play for less than three
    /// target durations, which RFC 8216 (6.2.2) forbids.
    pub fn new(kind: PlaylistKind, target: u64, length: usize) -> Self {
        Self {
            kind,
            target: target.max(1),
            length,
            media_sequence: 0,
            discontinuity_sequence: 0,
            listed: VecDeque::new(),
            micros: 0,
            ended: false,
        }
    }

    /// Continues the numbers of an earlier playlist under the same name.
    pub fn starting_at(mut self, media_sequence: u64, discontinuity_sequence: u64) -> Self {
        self.media_sequence = media_sequence;
        self.discontinuity_sequence = discontinuity_sequence;
        self
    }

    /// The number of the first entry.
    pub fn media_sequence(&self) -> u64 {
        self.media_sequence
    }

    /// How many discontinuities lie before the first entry.
    pub fn discontinuity_sequence(&self) -> u64 {
        self.discontinuity_sequence
    }

    /// The number the next entry will get.
    pub fn next_sequence(&self) -> u64 {
        self.media_sequence + self.listed.len() as u64
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.listed.iter().map(|listed| &listed.entry)
    }

    /// EXT-X-TARGETDURATION in seconds. Constant, except that a VOD playlist, which is written
    /// once, takes its longest segment into account.
    pub fn target(&self) -> u64 {
        match self.kind {
            PlaylistKind::Live | PlaylistKind::Event => self.target,
            PlaylistKind::Vod => {
                self.entries().map(|e| rounded_seconds(e.micros)).fold(self.target, u64::max)
            }
        }
    }

    /// Whether a segment of this length keeps the promise of TARGETDURATION.
    pub fn fits(&self, micros: u64) -> bool {
        self.kind == PlaylistKind::Vod || rounded_seconds(micros) <= self.target
    }

    /// The named error for a segment that does not fit.
    pub fn check_length(&self, name: &str, micros: u64) -> Result<(), PlaylistError> {
        if self.fits(micros) {
            return Ok(());
        }
        Err(PlaylistError::SegmentTooLong {
            name: name.to_owned(),
            sequence: self.next_sequence(),
            micros,
            target: self.target,
        })
    }

    /// Lists a segment; answers what is no longer listed because of it, oldest first.
    pub fn add(&mut self, entry: Entry) -> Result<Vec<Removed>, PlaylistError> {
        if self.ended {
            return Err(PlaylistError::Ended(entry.name));
        }
        self.check_length(&entry.name, entry.micros)?;
        self.micros += entry.micros;
        self.listed.push_back(Listed { entry, longest: 0 });
        if self.kind != PlaylistKind::Live || self.length == 0 {
            return Ok(Vec::new());
        }
        let mut removed = Vec::new();
        while let Some(gone) = self.slide() {
            let micros = gone.entry.micros + gone.longest;
            let keep_for = ClockTime::from_micros(micros);
            let init_is_used = self.entries().any(|entry| entry.init == gone.entry.init);
            removed.push(Removed { name: gone.entry.name, keep_for });
            if !init_is_used {
                removed.push(Removed { name: gone.entry.init, keep_for });
            }
        }
        for listed in &mut self.listed {
            listed.longest = listed.longest.max(self.micros);
        }
        Ok(removed)
    }

    fn slide(&mut self) -> Option<Listed> {
        let oldest = self.listed.front()?;
        let left = self.micros - oldest.entry.micros;
        if self.listed.len() <= self.length || left < 3 * self.target * 1_000_000 {
            return None;
        }
        self.micros = left;
        self.media_sequence += 1;
        self.discontinuity_sequence += u64::from(oldest.entry.discontinuity);
        self.listed.pop_front()
    }

    /// Declares the media of a listed segment missing, before it is published; answers whether
    /// `sequence` is listed.
    pub fn mark_gap(&mut self, sequence: u64) -> bool {
        let index = sequence.checked_sub(self.media_sequence).and_then(|i| usize::try_from(i).ok());
        match index.and_then(|index| self.listed.get_mut(index)) {
            Some(listed) if !self.ended => {
                listed.entry.gap = true;
                true
            }
            _ => false,
        }
    }

    /// Writes ENDLIST from now on.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether the playlist has ended.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The playlist as it stands.
    pub fn text(&self) -> String {
        // Version 6 is the lowest that allows EXT-X-MAP outside an I-frame list, and nothing used
        // here asks for more (RFC 8216, 7); fractional EXTINF alone would be 3.
        let version = if self.is_empty() { 3 } else { 6 };
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{}\n\
             #EXT-X-MEDIA-SEQUENCE:{}\n",
            self.target(),
            self.media_sequence
        );
        if self.discontinuity_sequence > 0 {
            line(
                &mut text,
                format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{}", self.discontinuity_sequence),
            );
        }
        match self.kind {
            PlaylistKind::Live => {}
            PlaylistKind::Event => text.push_str("#EXT-X-PLAYLIST-TYPE:EVENT\n"),
            PlaylistKind::Vod => text.push_str("#EXT-X-PLAYLIST-TYPE:VOD\n"),
        }
        text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
        let mut init = None;
        for entry in self.entries() {
            if entry.discontinuity {
                text.push_str("#EXT-X-DISCONTINUITY\n");
            }
            if init != Some(&entry.init) {
                line(&mut text, format_args!("#EXT-X-MAP:URI=\"{}\"", escape_uri(&entry.init)));
                init = Some(&entry.init);
            }
            if let Some(utc) = entry.utc {
                line(&mut text, format_args!("#EXT-X-PROGRAM-DATE-TIME:{}", iso8601_millis(utc)));
            }
            if entry.gap {
                text.push_str("#EXT-X-GAP\n");
            }
            line(&mut text, format_args!("#EXTINF:{},", seconds(entry.micros)));
            line(&mut text, format_args!("{}", escape_uri(&entry.name)));
        }
        if self.ended {
            text.push_str("#EXT-X-ENDLIST\n");
        }
        text
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string cannot fail");
}

/// Microseconds as decimal seconds, all six digits.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Rounded half up, as the rule on TARGETDURATION is read by validators.
fn rounded_seconds(micros: u64) -> u64 {
    micros / 1_000_000 + u64::from(micros % 1_000_000 >= 500_000)
}

/// An object name as a relative URI reference (RFC 3986): `/` separates folders, everything that
/// could be read as something else is percent-encoded, `:` and a leading `/` included.
pub fn escape_uri(name: &str) -> String {
    let mut uri = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'/' if index > 0 => uri.push('/'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => uri.push(char::from(byte)),
            _ if b"-._~!$&'()*+,;=@".contains(&byte) => uri.push(char::from(byte)),
            _ => write!(uri, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
    uri
}
