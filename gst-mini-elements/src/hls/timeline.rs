//! The grid of ticks between two discontinuities, and the samples waiting on it.
//!
//! Invariant: positions are rounded once, from nanoseconds; every duration is a difference of
//! positions, so a day of frames ends where it should.
//! In GStreamer: gst-plugins-rs `mux/isobmff`, which rounds durations the same way.
//! Left out: timelines that begin anywhere but at tick 0.

use gst_mini_core::time::ClockTime;

use super::cmaf::{self, FragmentSample, TrackError};
use super::recording::Sample;

/// Where the ticks of the current stretch, from one discontinuity to the next, begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    pub timescale: u32,
    pub first_pts: ClockTime,
    pub first_dts: ClockTime,
    pub utc: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Pending<P> {
    /// Decode position in ticks; the first sample of a timeline is at 0.
    pub tick: u64,
    /// Where it ends by its own account.
    pub natural_end: u64,
    pub composition_offset: i32,
    pub pts: ClockTime,
    pub is_sync: bool,
    pub data: P,
}

impl Timeline {
    pub(super) fn ticks_since_first_dts(self, dts: ClockTime) -> i64 {
        cmaf::ticks_from_nanos(dts.diff(self.first_dts), self.timescale)
    }

    pub(super) fn decode_tick<P>(self, sample: &Sample<P>) -> i64 {
        self.ticks_since_first_dts(sample.dts.unwrap_or(sample.pts))
    }

    pub(super) fn presentation_tick<P>(self, sample: &Sample<P>) -> i64 {
        cmaf::ticks_from_nanos(sample.pts.diff(self.first_pts), self.timescale)
    }

    pub(super) fn time(self, ticks: u64) -> ClockTime {
        cmaf::time_from_ticks(ticks, self.timescale)
    }

    /// The length from `start` to `end` as EXTINF has it: the difference of rounded positions.
    pub(super) fn micros(self, start: u64, end: u64) -> u64 {
        let position = |tick: u64| {
            let timescale = u128::from(self.timescale);
            ((u128::from(tick) * 1_000_000 + timescale / 2) / timescale) as u64
        };
        position(end).saturating_sub(position(start))
    }
}

/// The samples of a segment that ends at the tick `end`; a hole lengthens the sample before it.
pub(super) fn fragment_samples<P: AsRef<[u8]>>(
    samples: &[Pending<P>],
    end: u64,
) -> Result<Vec<FragmentSample>, TrackError> {
    let ends = samples.iter().skip(1).map(|sample| sample.tick).chain([end]);
    let size = |sample: &Pending<P>| u32::try_from(sample.data.as_ref().len());
    samples
        .iter()
        .zip(ends)
        .map(|(sample, end)| {
            Ok(FragmentSample {
                duration: u32::try_from(end - sample.tick)
                    .map_err(|_| TrackError::TooLarge("a sample's duration"))?,
                size: size(sample).map_err(|_| TrackError::TooLarge("a sample"))?,
                composition_offset: sample.composition_offset,
                is_sync: sample.is_sync,
            })
        })
        .collect()
}
