//! How full a `multiqueue` is, for an application that waits until it has gathered enough.
//!
//! Buffering begins when a queue falls below the low mark while none is at the high one, and ends when one
//! gets there; the percentage is that of the high mark.
//!
//! Invariant: while buffering goes on the percentage does not fall.
//! In GStreamer: `plugins/elements/gstmultiqueue.c` (`update_buffering`, `recheck_buffering_status`).
//! Left out: nothing.

use super::State;
use super::settings::{FULL, Settings};
use super::single::Single;
use gst_mini_core::element_prelude::*;
use gst_mini_core::time::scale;

#[derive(Default)]
pub struct Buffering {
    is_on: bool,
    percent: i32,
    has_changed: bool,
}

impl Buffering {
    fn set(&mut self, percent: i32) {
        self.has_changed |= percent != self.percent;
        self.percent = percent;
    }

    /// What the application has not been told.
    pub fn take_news(&mut self) -> Option<i32> {
        std::mem::take(&mut self.has_changed).then_some(self.percent)
    }
}

fn level(single: &Single) -> u64 {
    if single.is_eos || single.is_segment_done || single.result == Err(FlowError::NotLinked) {
        return FULL;
    }
    let (level, limit) = (single.level(), single.limit);
    let part = |level, limit| scale(level, FULL, limit).unwrap_or(0);
    let time = if limit.time > 0 { part(level.time, limit.time) } else { 0 };
    let bytes = if limit.bytes > 0 { part(level.bytes, limit.bytes) } else { 0 };
    time.max(bytes)
}

impl State {
    /// A level changed.
    pub fn update_buffering(&mut self, at: usize, settings: &Settings) {
        if !settings.use_buffering.get() {
            return;
        }
        let own = level(&self.queues[at]);
        let (low, high) = (settings.low.level(), settings.high.level());
        let percent = scale(own, 100, high).map_or(100, |percent| percent.min(100) as i32);
        if self.buffering.is_on {
            self.buffering.is_on = own < high;
            self.buffering.set(percent.max(self.buffering.percent));
        } else if own < low && self.queues.iter().all(|single| level(single) < high) {
            self.buffering.is_on = true;
            self.buffering.set(percent);
        }
    }

    /// Marks, or whether to buffer at all, were set.
    pub fn recheck_buffering(&mut self, settings: &Settings) {
        if settings.use_buffering.get() {
            self.buffering.percent = 0;
            for at in 0..self.queues.len() {
                self.update_buffering(at, settings);
            }
        } else if std::mem::take(&mut self.buffering.is_on) {
            self.buffering.set(100);
        }
        self.wakes.room = true;
    }
}
