//! GstMini's core.
pub mod error;
pub mod time;
