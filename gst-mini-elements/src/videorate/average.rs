//! An [`Average`] of the distances between frames, which lets a few come early.
//!
//! Invariant: the mean moves towards the latest distance by its share of the period.
//! In GStreamer: `gst/videorate/gstvideorate.c` (`gst_video_rate_trans_ip_max_avg`).
//! Left out: nothing.

use gst_mini_core::time::scale_round;

/// All lengths in ns; a period of 0 is off.
#[derive(Clone, Copy, Default)]
pub struct Average {
    pub period: u64,
    /// 0: no distance was seen yet.
    pub mean: u64,
}

impl Average {
    /// Whether a frame `since` after the one before may pass, where `wanted` would be regular.
    pub fn admits(&mut self, since: u64, wanted: u64) -> bool {
        if since < wanted && self.mean < wanted {
            return false;
        }
        self.mean = match self.mean {
            0 => since,
            mean => {
                let weight = wanted.min(self.period);
                let share = |of, weight| scale_round(of, weight, self.period).unwrap_or(0);
                share(mean, self.period - weight).saturating_add(share(since, weight))
            }
        };
        true
    }
}
