//! The frame rate that two times are most likely to come from.
//!
//! Invariant: a rate that explains the times to the nanosecond is preferred to a rounder one.
//! In GStreamer: `gst-libs/gst/video/video.c` (`gst_video_guess_framerate`).
//! Left out: more than two times.

use gst_mini_core::value::Fraction;

/// The usual rate whose frames last about `duration` ns.
pub fn guess_rate(duration: u64) -> Option<Fraction> {
    if duration == 0 {
        return None;
    }
    let precise = duration <= 100_000;
    let unit = if precise { 1 } else { 10_000 };
    let mut best = (1_000_000_000 / unit, duration / unit);
    let mut best_error = u64::MAX;
    for den in [1u64, 2, 3, 4, 1001] {
        let mut num = gst_mini_core::time::scale_round(den, 1_000_000_000, duration)?;
        if den == 1001 {
            num = (num + 500) / 1000 * 1000;
        }
        if num == 0 {
            continue;
        }
        let error = (1_000_000_000 * den / num).abs_diff(duration);
        if error < 2 {
            best = (num, den);
            break;
        }
        if error.saturating_mul(1000) < duration && error < best_error {
            (best, best_error) = ((num, den), error);
        }
    }
    Some(Fraction::new(i32::try_from(best.0).ok()?, i32::try_from(best.1).ok()?))
}
