//! GstMini.
pub mod hls;
