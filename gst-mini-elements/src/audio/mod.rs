//! Raw sound as byte slices: formats, channels, and what is done to samples.
//!
//! Invariant: nothing here knows elements, buffers or threads; a function takes bytes and gives bytes, and
//! no size or value taken from outside can make it panic or allocate without a limit.
//! In GStreamer: `gst-libs/gst/audio` and `gst/audiotestsrc` of gst-plugins-base.
//! Left out: planar (non-interleaved) samples, compressed formats.

pub mod clip;
pub mod convert;
pub mod dither;
pub mod format;
pub mod info;
pub mod mix;
pub mod resample;
pub mod wav;
pub mod wave;

pub use format::AudioFormat;
pub use info::{AudioError, AudioInfo};

use gst_mini_core::value::Value;

/// The rows of a matrix that is written as `<<1.0, 0.0>, <0.0, 1.0>>`; `None` for an empty text.
pub(crate) fn rows_of(text: &str) -> Result<Option<Vec<Vec<f32>>>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || format!("\"{text}\" is no matrix; it is written as <<1.0, 0.0>, <0.0, 1.0>>");
    let Ok(Value::Array(rows)) = Value::parse_typed(text) else { return Err(wrong()) };
    let number = |value: &Value| value.as_f64().filter(|n| n.is_finite()).map(|n| n as f32);
    let row = |row: &Value| match row {
        Value::Array(row) => row.iter().map(number).collect::<Option<Vec<f32>>>(),
        _ => None,
    };
    rows.iter().map(row).collect::<Option<_>>().map(Some).ok_or_else(wrong)
}
