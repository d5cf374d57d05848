//! What would help, asked of those who know it: which element turns one format into another.
//!
//! Invariant: who asks stands below who answers, and knows no element by name.
//! In GStreamer: none; `gst-launch-1.0` leaves the user alone with `not-negotiated`.
//! Left out: advice about anything but formats.

use std::sync::OnceLock;

use crate::caps::Caps;

/// Names an element that makes something of the second caps out of the first.
pub(crate) type FindConverter = fn(&Caps, &Caps) -> Option<String>;

static CONVERTERS: OnceLock<FindConverter> = OnceLock::new();

/// Says who knows which element would do: the registry, once, when it is made.
pub(crate) fn set_converters(find: FindConverter) {
    // The registry is made once.
    let _ = CONVERTERS.set(find);
}

/// An element that would do between these two, among those that are linked in.
pub(crate) fn converter(from: &Caps, to: &Caps) -> Option<String> {
    CONVERTERS.get().and_then(|find| find(from, to))
}
