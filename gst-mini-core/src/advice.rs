//! What would help, asked of those who know it: which element changes a field of a format.
//!
//! Invariant: who asks stands below who answers, and knows no element by name.
//! In GStreamer: none; `gst-launch-1.0` leaves the user alone with `not-negotiated`.
//! Left out: advice about anything but formats.

use std::sync::OnceLock;

static CONVERTERS: OnceLock<fn(&str) -> Option<String>> = OnceLock::new();

/// Says who knows which element changes a field of a format: the registry, once, when it is made.
pub(crate) fn set_converters(find: fn(&str) -> Option<String>) {
    // The registry is made once.
    let _ = CONVERTERS.set(find);
}

/// The element that could change `field` of a format, among those that are there.
pub(crate) fn converter(field: &str) -> Option<String> {
    CONVERTERS.get().and_then(|find| find(field))
}
