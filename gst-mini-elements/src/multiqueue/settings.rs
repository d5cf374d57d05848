//! What can be set on a `multiqueue`, read by its threads at any time.
//!
//! Invariant: `low-percent` and `low-watermark` are one number, and so are the high ones.
//! In GStreamer: `plugins/elements/gstmultiqueue.c` (`gst_multi_queue_set_property`).
//! Left out: nothing.

use crate::queued::Amount;
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

/// The level at which a queue is full, as buffering counts.
pub const FULL: u64 = 1_000_000;
const PERCENT: u64 = FULL / 100;

pub struct Settings {
    pub max_buffers: Live<u32>,
    pub max_bytes: Live<u32>,
    pub max_time: Live<u64>,
    pub extra_buffers: Live<u32>,
    pub extra_bytes: Live<u32>,
    pub extra_time: Live<u64>,
    pub use_buffering: Live<bool>,
    pub low: Mark,
    pub high: Mark,
    pub sync_by_running_time: Live<bool>,
    pub use_interleave: Live<bool>,
    pub unlinked_cache_time: Live<u64>,
    pub min_interleave_time: Live<u64>,
}

/// A level that says when buffering begins or ends.
pub struct Mark {
    level: Arc<Live<u64>>,
    /// The same as a part of one.
    pub watermark: Watermark,
    /// The same in percent.
    pub percent: Percent,
}

pub struct Watermark(Arc<Live<u64>>);
pub struct Percent(Arc<Live<u64>>);

impl Mark {
    fn new(percent: u64) -> Mark {
        let level = Arc::new(Live::new(percent * PERCENT));
        Mark { watermark: Watermark(level.clone()), percent: Percent(level.clone()), level }
    }
    pub fn level(&self) -> u64 {
        self.level.get()
    }
}

impl LiveField for Watermark {
    fn set_text(&self, text: &str) -> Result<(), String> {
        let part: f64 = text.parse().map_err(|_| format!("cannot read \"{text}\""))?;
        self.0.set((part * FULL as f64) as u64);
        Ok(())
    }
    fn text(&self) -> String {
        format!("{:?}", self.0.get() as f64 / FULL as f64)
    }
}

impl LiveField for Percent {
    fn set_text(&self, text: &str) -> Result<(), String> {
        let percent: u64 = text.parse().map_err(|_| format!("cannot read \"{text}\""))?;
        self.0.set(percent.saturating_mul(PERCENT));
        Ok(())
    }
    fn text(&self) -> String {
        (self.0.get() / PERCENT).to_string()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_buffers: Live::new(5),
            max_bytes: Live::new(10 * 1024 * 1024),
            max_time: Live::new(2 * ClockTime::SECOND.nanos()),
            extra_buffers: Live::new(5),
            extra_bytes: Live::new(10 * 1024 * 1024),
            extra_time: Live::new(3 * ClockTime::SECOND.nanos()),
            use_buffering: Live::new(false),
            low: Mark::new(1),
            high: Mark::new(99),
            sync_by_running_time: Live::new(false),
            use_interleave: Live::new(false),
            unlinked_cache_time: Live::new(ClockTime::from_millis(250).nanos()),
            min_interleave_time: Live::new(ClockTime::from_millis(250).nanos()),
        }
    }
}

impl Settings {
    /// What each queue may hold to begin with.
    pub fn limit(&self) -> Amount {
        Amount {
            buffers: self.max_buffers.get().into(),
            bytes: self.max_bytes.get().into(),
            time: self.max_time.get(),
        }
    }
}
