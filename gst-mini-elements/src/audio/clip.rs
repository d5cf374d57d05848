//! Cutting a buffer of samples to its segment.
//!
//! Invariant: what is left begins and ends inside the segment, give or take a sample, and its times say so.
//! In GStreamer: `gst-libs/gst/audio/audio.c` (`gst_audio_buffer_clip`).
//! Left out: segments that count samples.

use gst_mini_core::buffer::Buffer;
use gst_mini_core::segment::{Format, Segment};
use gst_mini_core::time::{ClockTime, scale};

/// The part of a buffer that lies in a segment of times; `None` if nothing does. A buffer without a
/// timestamp, or a segment of another unit, is left alone.
pub fn clip(mut buf: Buffer, segment: &Segment, rate: u32, frame_bytes: usize) -> Option<Buffer> {
    let Some(pts) = buf.pts().filter(|_| segment.format == Format::Time) else { return Some(buf) };
    let frames = (buf.size() / frame_bytes.max(1)) as u64;
    if frames == 0 {
        return Some(buf);
    }
    let (rate, second) = (u64::from(rate), ClockTime::SECOND.nanos());
    let known = buf.duration();
    let length = known.map(ClockTime::nanos).or_else(|| scale(frames, second, rate))?;
    let (start, stop) = (pts.nanos(), pts.nanos().saturating_add(length));
    let (Some(begin), Some(end)) = segment.clip(Some(start), Some(stop))? else { return Some(buf) };
    if (begin, end) == (start, stop) {
        return Some(buf);
    }
    let frames_of = |nanos: u64| scale(nanos, rate, second).unwrap_or(0).min(frames);
    let head = frames_of(begin.saturating_sub(start));
    let tail = frames_of(stop.saturating_sub(end)).min(frames - head);
    let (offset, offset_end) = (buf.offset(), buf.offset_end());
    if head > 0 || tail > 0 {
        let kept = (frames - head - tail) as usize * frame_bytes;
        let part = buf.sub_buffer(head as usize * frame_bytes, kept);
        let whole = std::mem::replace(&mut buf, part);
        buf.copy_header_from(&whole);
        buf.set_offset(offset.map(|offset| offset + head));
        buf.set_offset_end(offset_end.map(|end| end.saturating_sub(tail)));
    }
    buf.set_pts(Some(ClockTime::from_nanos(begin)));
    if known.is_some() {
        buf.set_duration(Some(ClockTime::from_nanos(end - begin)));
    }
    Some(buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64, samples: usize) -> Buffer {
        let mut buf = Buffer::from_vec((0..samples).map(|n| n as u8).collect());
        buf.set_pts(Some(ClockTime::from_millis(ms)));
        buf.set_duration(Some(ClockTime::from_millis(samples as u64)));
        buf.set_offset(Some(ms));
        buf.set_offset_end(Some(ms + samples as u64));
        buf
    }

    fn segment(start: u64, stop: u64) -> Segment {
        let ms = |ms| ClockTime::from_millis(ms).nanos();
        Segment { start: ms(start), stop: Some(ms(stop)), ..Segment::time() }
    }

    #[test]
    fn a_buffer_across_both_ends_keeps_its_middle() {
        let buf = clip(at(100, 20), &segment(103, 115), 1000, 1).unwrap();
        assert_eq!(buf.data(), (3..15).collect::<Vec<u8>>());
        assert_eq!(
            (buf.pts(), buf.duration()),
            (Some(ClockTime::from_millis(103)), Some(ClockTime::from_millis(12)))
        );
        assert_eq!((buf.offset(), buf.offset_end()), (Some(103), Some(115)));
    }

    #[test]
    fn a_buffer_outside_is_gone_and_one_inside_untouched() {
        assert!(clip(at(100, 20), &segment(0, 90), 1000, 1).is_none());
        let inside = at(100, 20);
        let data = inside.data().as_ptr();
        assert_eq!(clip(inside, &segment(0, 200), 1000, 1).unwrap().data().as_ptr(), data);
    }

    #[test]
    fn a_buffer_without_a_time_is_taken_to_be_inside() {
        let mut buf = at(100, 20);
        buf.set_pts(None);
        assert_eq!(clip(buf, &segment(0, 90), 1000, 1).unwrap().size(), 20);
    }
}
