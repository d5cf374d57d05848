//! Names that many have in common: of media types, of fields, of pads.
//!
//! Invariant: two names of equal text may or may not be one; only their text counts.
//! In GStreamer: `gst/gstquark.c`, and GLib's quarks.
//! Left out: a table that grows. A name that is not listed belongs to those who use it and goes with them, so that a
//! stream with ever new names fills nothing.

use std::sync::{Arc, LazyLock};

/// The most frequent ones first, as they are looked for in this order.
const COMMON: [&str; 24] = [
    "format",
    "width",
    "height",
    "framerate",
    "video/x-raw",
    "src",
    "sink",
    "pixel-aspect-ratio",
    "interlace-mode",
    "colorimetry",
    "chroma-site",
    "multiview-mode",
    "rate",
    "channels",
    "layout",
    "channel-mask",
    "audio/x-raw",
    "stream-format",
    "alignment",
    "profile",
    "level",
    "codec_data",
    "video/x-h264",
    "caps",
];

/// `name`, shared with others of that name where it is a frequent one.
pub(crate) fn shared(name: &str) -> Arc<str> {
    static KEPT: LazyLock<[Arc<str>; COMMON.len()]> = LazyLock::new(|| COMMON.map(Arc::from));
    let known = COMMON.iter().position(|known| *known == name);
    known.map_or_else(|| name.into(), |at| KEPT[at].clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequent_name_is_one_and_another_belongs_to_its_users() {
        assert!(Arc::ptr_eq(&shared("width"), &shared("width")));
        let own = shared("x-of-nobody-else");
        assert_eq!(&*own, "x-of-nobody-else");
        assert_eq!(Arc::strong_count(&own), 1);
    }
}
