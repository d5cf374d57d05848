//! GstMini's core.
pub mod buffer;
pub mod error;
pub mod plugin;
pub mod pool;
pub mod segment;
pub mod time;
