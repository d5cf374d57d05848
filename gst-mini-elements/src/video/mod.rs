//! Raw pictures as byte slices: how they lie in memory, how they are drawn, converted and read.
//!
//! Invariant: nothing here knows elements, buffers or time; a function takes bytes and gives bytes,
//! and no size, offset or line taken from outside can make it panic or allocate without a limit.
//! In GStreamer: `gst-libs/gst/video` and `gst/videotestsrc` of gst-plugins-base.
//! Left out: interlaced and multiview pictures, more than 8 bits a sample, palettes.

pub mod camera;
pub mod caps;
pub mod convert;
pub mod info;
pub mod pattern;
pub mod still;
pub mod text;
pub mod y4m;

pub use info::{Colorimetry, VideoError, VideoFormat, VideoInfo};
