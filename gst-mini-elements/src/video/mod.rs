//! Raw pictures as byte slices: how they lie in memory, how they are drawn, converted and read.
//!
//! Invariant: nothing here knows elements, buffers or time; a function takes bytes and gives bytes,
//! and no size, offset or line taken from outside can make it panic or allocate without a limit.
//! In GStreamer: `gst-libs/gst/video` and `gst/videotestsrc` of gst-plugins-base.
//! Left out: interlaced and multiview pictures, palettes; more than 8 bits a sample are cut to 8.

pub mod camera;
pub mod caps;
pub(crate) mod choose;
mod chroma;
pub mod color;
pub mod convert;
pub mod format;
pub mod info;
mod line;
mod matrix;
pub(crate) mod options;
mod packed;
pub mod pattern;
pub mod scale;
pub mod still;
pub mod text;
pub mod y4m;

pub use color::Colorimetry;
pub use format::VideoFormat;
pub use info::{VideoError, VideoInfo};
