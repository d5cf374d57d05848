//! One row of a picture as pixels of four samples, read out of any format and written into any.
//!
//! Invariant: reading gives each pixel the chroma sample that stands for it; writing takes a chroma sample
//! from the first pixel it stands for. Whoever wants smoother chroma resamples in between.
//! In GStreamer: `gst-libs/gst/video/video-format.c` (`unpack_planar_420`, `pack_planar_420`).
//! Left out: the low bytes of samples of 16 bits: writing repeats the high ones.

use super::info::VideoInfo;

/// Three components and alpha: Y, U, V for YUV and gray, red, green, blue for RGB.
pub type Ink = [u8; 4];

/// One row of pixels.
pub type Line = Vec<Ink>;

/// Reads row `y` of `src`; `line` has the picture's width.
pub fn unpack(info: &VideoInfo, y: usize, src: &[u8], line: &mut [Ink]) {
    let layout = info.format.layout();
    let planes = info.planes();
    for (index, sample) in layout.samples.iter().enumerate() {
        let missing = if index == 3 { 255 } else { 128 };
        let Some(sample) = sample.filter(|_| index < 3 || layout.has_alpha) else {
            line.iter_mut().for_each(|ink| ink[index] = missing);
            continue;
        };
        let plane = planes[usize::from(sample.plane)];
        let start = plane.offset + (y >> sample.down) * plane.stride;
        let row = &src[start + usize::from(sample.at)..];
        let values = row.iter().step_by(usize::from(sample.step));
        match sample.across {
            0 => line.iter_mut().zip(values).for_each(|(ink, value)| ink[index] = *value),
            across => {
                for (inks, value) in line.chunks_mut(1 << across).zip(values) {
                    inks.iter_mut().for_each(|ink| ink[index] = *value);
                }
            }
        }
    }
}

/// Writes row `y` from column `x` on, which is even (a multiple of four for 4:1:1).
pub fn pack(info: &VideoInfo, x: usize, y: usize, line: &[Ink], out: &mut [u8]) {
    let layout = info.format.layout();
    let planes = info.planes();
    let width = line.len().min((info.width as usize).saturating_sub(x));
    let line = &line[..width];
    if width == 0 {
        return;
    }
    for (index, sample) in layout.samples.iter().enumerate() {
        let Some(sample) = sample.filter(|sample| y & ((1 << sample.down) - 1) == 0) else {
            continue;
        };
        let plane = planes[usize::from(sample.plane)];
        let step = usize::from(sample.step);
        let start = plane.offset
            + (y >> sample.down) * plane.stride
            + (x >> sample.across) * step
            + usize::from(sample.at);
        let inks = line.iter().step_by(1 << sample.across);
        if layout.bits == 16 {
            // The low byte lies before the high one.
            let pairs = out[start - 1..].chunks_mut(step);
            pairs.zip(inks).for_each(|(to, ink)| to[..2].fill(ink[index]));
            continue;
        }
        let out = &mut out[start..];
        match (step, sample.across) {
            (1, 0) => out.iter_mut().zip(line).for_each(|(to, ink)| *to = ink[index]),
            _ => out.iter_mut().step_by(step).zip(inks).for_each(|(to, ink)| *to = ink[index]),
        }
    }
}
