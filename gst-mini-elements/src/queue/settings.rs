//! What can be set on a `queue` and read of it, at any time and by any thread.
//!
//! Invariant: a level is read where it is kept, exactly.
//! In GStreamer: `plugins/elements/gstqueue.c` (`gst_queue_set_property`, `gst_queue_get_property`).
//! Left out: nothing.

use super::line::Line;
use crate::queued::Amount;
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

pub const LEAKY: &str = "enum:no=0:Not Leaky,upstream=1:Leaky on upstream (new buffers),\
    downstream=2:Leaky on downstream (old buffers)";
pub const LEAKY_NO: i32 = 0;
pub const LEAKY_UPSTREAM: i32 = 1;
pub const LEAKY_DOWNSTREAM: i32 = 2;

pub struct Settings {
    pub max_buffers: Live<u32>,
    pub max_bytes: Live<u32>,
    pub max_time: Live<u64>,
    pub min_buffers: Live<u32>,
    pub min_bytes: Live<u32>,
    pub min_time: Live<u64>,
    pub leaky: Live<i32>,
    pub silent: Live<bool>,
    pub flush_on_eos: Live<bool>,
    pub level_buffers: Inside,
    pub level_bytes: Inside,
    pub level_time: Inside,
    pub dropped: Live<u64>,
}

/// A level, read where it is kept when somebody asks for it.
pub struct Inside {
    line: Arc<Line>,
    which: fn(&Amount) -> u64,
}

impl LiveField for Inside {
    fn set_text(&self, _: &str) -> Result<(), String> {
        Err("it is read-only".to_owned())
    }
    fn text(&self) -> String {
        (self.which)(&self.line.lock().contents.level()).to_string()
    }
}

impl Settings {
    pub fn new(line: &Arc<Line>) -> Self {
        let inside = |which| Inside { line: line.clone(), which };
        Settings {
            max_buffers: Live::new(200),
            max_bytes: Live::new(10 * 1024 * 1024),
            max_time: Live::new(ClockTime::SECOND.nanos()),
            min_buffers: Live::new(0),
            min_bytes: Live::new(0),
            min_time: Live::new(0),
            leaky: Live::new(0),
            silent: Live::new(false),
            flush_on_eos: Live::new(false),
            level_buffers: inside(|level| level.buffers.min(u32::MAX.into())),
            level_bytes: inside(|level| level.bytes.min(u32::MAX.into())),
            level_time: inside(|level| level.time),
            dropped: Live::new(0),
        }
    }

    /// What the line may hold; 0 is no limit.
    pub fn limit(&self) -> Amount {
        Amount {
            buffers: self.max_buffers.get().into(),
            bytes: self.max_bytes.get().into(),
            time: self.max_time.get(),
        }
    }

    /// What is to gather before anything goes out.
    pub fn threshold(&self) -> Amount {
        Amount {
            buffers: self.min_buffers.get().into(),
            bytes: self.min_bytes.get().into(),
            time: self.min_time.get(),
        }
    }
}
