//! Goes on with a playlist that an earlier run left behind without ENDLIST.
//!
//! Invariant: what is read back is written again byte for byte; text that this writer did not
//! write is refused, because going on with half of it would break promises made to players.
//! In GStreamer: nothing; every HLS sink starts again at number 0.
//! Left out: playlists of other writers, and going on after ENDLIST (RFC 8216, 6.2.1).

use std::collections::VecDeque;

use super::{Entry, Listed, Playlist};
use crate::hls::date;

/// Why a playlist is not continued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeError {
    /// It has ended.
    #[error("the old playlist has ended; start a recording under another name")]
    Ended,
    /// Not what this writer writes with these settings.
    #[error("the old playlist was not written with these settings; it would become {0:?} here")]
    Different(String),
}

impl Playlist {
    /// This playlist, which must be empty, going on where `text` stopped. Kind and target duration
    /// must be the same as before; the length may differ. The next entry must carry a discontinuity.
    pub fn resume(mut self, text: &str) -> Result<Self, ResumeError> {
        if text.lines().any(|line| line == "#EXT-X-ENDLIST") {
            return Err(ResumeError::Ended);
        }
        self.read(text);
        // Writing it again is the whole proof that nothing was overlooked.
        if self.text() != text {
            let rewritten = self.text();
            let differs = |(old, new): &(&str, &str)| old != new;
            let first = text.lines().zip(rewritten.lines()).find(differs);
            return Err(ResumeError::Different(first.map_or("", |(_, new)| new).to_owned()));
        }
        Ok(self)
    }

    fn read(&mut self, text: &str) {
        let mut next = Entry::default();
        self.listed = VecDeque::new();
        for line in text.lines() {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                "#EXT-X-MEDIA-SEQUENCE" => self.media_sequence = value.parse().unwrap_or(0),
                "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                    self.discontinuity_sequence = value.parse().unwrap_or(0);
                }
                "#EXT-X-DISCONTINUITY" => next.discontinuity = true,
                "#EXT-X-GAP" => next.gap = true,
                "#EXT-X-MAP" => {
                    let uri = value.strip_prefix("URI=\"").and_then(|uri| uri.strip_suffix('"'));
                    next.init = unescape_uri(uri.unwrap_or(""));
                }
                "#EXT-X-PROGRAM-DATE-TIME" => next.utc = date::from_iso8601_millis(value),
                "#EXTINF" => {
                    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                    next.micros = digits.parse().unwrap_or(0);
                }
                _ if !line.starts_with('#') => {
                    next.name = unescape_uri(line);
                    self.micros = self.micros.saturating_add(next.micros);
                    let following = Entry { init: next.init.clone(), ..Entry::default() };
                    let entry = std::mem::replace(&mut next, following);
                    self.listed.push_back(Listed { entry, longest: 0 });
                }
                _ => {}
            }
        }
        for listed in &mut self.listed {
            listed.longest = self.micros;
        }
    }
}

/// The name that [`escape_uri`](super::escape_uri) turned into this URI.
pub fn unescape_uri(uri: &str) -> String {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
