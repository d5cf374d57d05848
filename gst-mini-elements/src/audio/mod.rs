//! Raw sound as byte slices: formats, channels, and what is done to samples.
//!
//! Invariant: nothing here knows elements, buffers or threads; a function takes bytes and gives bytes, and
//! no size or value taken from outside can make it panic or allocate without a limit.
//! In GStreamer: `gst-libs/gst/audio` and `gst/audiotestsrc` of gst-plugins-base.
//! Left out: planar (non-interleaved) samples, compressed formats.

pub mod format;
pub mod info;
pub mod wave;

pub use format::AudioFormat;
pub use info::{AudioError, AudioInfo};
