//! How far the streams of one thread are apart, which is how much time each queue must hold.
//!
//! Invariant: what is asked for is half as much again as the distance, and the least interleave on top.
//! In GStreamer: `plugins/elements/gstmultiqueue.c` (`calculate_interleave`).
//! Left out: sparse streams.

use super::State;
use super::settings::Settings;
use gst_mini_core::element_prelude::*;

#[derive(Default)]
pub struct Interleave {
    time: u64,
    last_update: Option<i64>,
    /// Some streams had nothing to go by.
    is_incomplete: bool,
}

impl State {
    /// The input of stream `at` moved; `None`: a setting changed, and all streams count as of one thread.
    pub fn calculate_interleave(&mut self, at: Option<usize>, settings: &Settings) {
        let thread = at.map(|at| self.queues[at].thread);
        let (mut low, mut high) = (None::<i64>, None::<i64>);
        let (mut others, mut is_incomplete) = (0, false);
        for single in &self.queues {
            if !single.is_active {
                is_incomplete = true;
                continue;
            }
            if thread.is_some_and(|thread| thread != single.thread) {
                others = others.max(single.interleave);
                continue;
            }
            if let Some(time) = single.input_time.filter(|_| !single.is_eos) {
                low = Some(low.map_or(time, |low| low.min(time)));
                high = Some(high.map_or(time, |high| high.max(time)));
                // Before the segment nothing says that the streams go together.
                is_incomplete |= time < 0;
            }
        }
        let Some((low, high)) = low.zip(high) else { return };
        let distance = high.abs_diff(low);
        let mut interleave =
            (distance.saturating_mul(3) / 2).saturating_add(settings.min_interleave_time.get());
        if let Some(at) = at {
            self.queues[at].interleave = interleave;
        }
        interleave = interleave.max(others);
        let before = self.interleave.time;
        let mut updates = low == high;
        if is_incomplete && interleave <= before {
            // Streams that have not come yet may need more.
            let more = before.saturating_add(ClockTime::from_millis(500).nanos());
            interleave = more.min(5 * ClockTime::SECOND.nanos());
            updates = true;
        }
        updates |=
            std::mem::replace(&mut self.interleave.is_incomplete, is_incomplete) != is_incomplete;
        let patience = 2 * before.min(ClockTime::SECOND.nanos()) as i64;
        let is_past = self.interleave.last_update.is_none_or(|last| last + patience < low);
        if updates || interleave > before || is_past && interleave < before / 4 * 3 {
            self.interleave.time = interleave;
            self.interleave.last_update = Some(high);
            settings.max_time.set(interleave);
            self.set_max_time(interleave, settings);
        }
    }

    /// Every queue may hold that much time.
    pub fn set_max_time(&mut self, time: u64, settings: &Settings) {
        for at in 0..self.queues.len() {
            self.queues[at].limit.time = time;
            self.update_buffering(at, settings);
        }
        self.wakes.room = true;
    }

    /// The streams begin anew.
    pub fn forget_interleave(&mut self) {
        self.interleave.is_incomplete = false;
    }
}
