//! Text into caps.
//!
//! Invariant: no input panics; an error names the column it was found at.
//! In GStreamer: `gst/gstcaps.c` (`gst_caps_from_string`).
//! Left out: nothing.

use std::str::FromStr;

use super::{Caps, CapsFeatures, CapsParseError, memo};
use crate::structure::Structure;
use crate::value::parse::Cursor;

impl Caps {
    /// Reads a text as it came over the plugin boundary. One that is known need not be looked at for UTF-8.
    pub(crate) fn from_bytes(text: &[u8]) -> Option<Caps> {
        memo::known(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())
    }
}

impl FromStr for Caps {
    type Err = CapsParseError;

    fn from_str(text: &str) -> Result<Self, CapsParseError> {
        match text {
            "ANY" => return Ok(Self::any()),
            "EMPTY" | "NONE" => return Ok(Self::empty()),
            _ => {}
        }
        memo::read(text, structures)
    }
}

/// Reads one structure after the other.
fn structures(text: &str) -> Result<Caps, CapsParseError> {
    let mut cursor = Cursor::new(text)?;
    let mut caps = Caps::empty();
    loop {
        cursor.skip_spaces();
        if cursor.peek() == 0 {
            return Ok(caps);
        }
        let mut structure = Structure::parse_name(&mut cursor)?;
        let features = match cursor.peek() {
            b'(' => features(&mut cursor)?,
            _ => CapsFeatures::default(),
        };
        structure.parse_fields(&mut cursor)?;
        caps.push(structure, features);
    }
}

/// Reads features in parentheses. At the end of the text the closing one may be missing.
fn features(cursor: &mut Cursor<'_>) -> Result<CapsFeatures, CapsParseError> {
    cursor.advance(1);
    let rest = cursor.rest();
    let end = rest.find(')').unwrap_or(rest.len());
    let features = rest[..end].parse().map_err(|what: CapsParseError| cursor.error(what.what))?;
    cursor.advance(end + 1);
    Ok(features)
}
