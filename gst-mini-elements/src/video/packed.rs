//! Packed red, green and blue into planes of luma and chroma for squares of four pixels: what every camera
//! picture goes through on its way to an encoder, in loops that a compiler can vectorize.
//!
//! Invariant: the bytes are those that the rows of [`Converter`](super::convert::Converter) would give.
//! In GStreamer: `gst-libs/gst/video/video-converter.c` (`video_orc_convert_BGRA_I420` has fewer pairs).
//! Left out: three bytes a pixel, other samplings.

use super::chroma::Chroma;
use super::format::VideoFormat;
use super::info::VideoInfo;
use super::matrix::Matrix;

/// Where one row's samples are put until its partner is there.
#[derive(Default)]
struct Row {
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Row {
    fn new(width: usize) -> Row {
        Row { u: vec![0; width], v: vec![0; width] }
    }
}

/// One pair of formats, ready to be converted.
pub struct Packed {
    /// The matrix with its columns in the order of a pixel's bytes.
    matrix: [[i32; 4]; 3],
    /// Bits before the first of the three bytes that count.
    first: u32,
    chroma: Chroma,
    rows: [Row; 2],
    /// Chroma of two rows, before it is put in its place.
    shared: Row,
}

impl Packed {
    /// `None` for pairs that this is not for.
    pub fn new(from: &VideoInfo, to: &VideoInfo, matrix: &Matrix) -> Option<Packed> {
        use VideoFormat::*;
        let is_known = matches!(from.format, Abgr | Bgra | Argb | Rgba | Xbgr | Bgrx | Xrgb | Rgbx)
            && matches!(to.format, I420 | Yv12 | Nv12 | Nv21);
        if !is_known {
            return None;
        }
        let [red, green, blue, _] = from.format.layout().samples;
        let at = [red?.at, green?.at, blue?.at];
        let first = at.into_iter().min()?;
        let columns = at.map(|at| usize::from(at - first));
        let mut ordered = *matrix.rows();
        for (ordered, row) in ordered.iter_mut().zip(matrix.rows()) {
            columns.iter().zip(row).for_each(|(column, cell)| ordered[*column] = *cell);
        }
        let width = from.width as usize;
        Some(Packed {
            matrix: ordered,
            first: u32::from(first) * 8,
            chroma: Chroma::of(to),
            rows: [Row::new(width), Row::new(width)],
            shared: Row::new(width.div_ceil(2)),
        })
    }

    /// Converts one frame; both slices hold one of their format.
    pub fn convert(&mut self, from: &VideoInfo, src: &[u8], to: &VideoInfo, dst: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: this processor has what the function was compiled for.
            return unsafe { self.frame_avx2(from, src, to, dst) };
        }
        self.frame(from, src, to, dst);
    }

    /// As [`frame`](Self::frame), in instructions that not every processor has.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn frame_avx2(&mut self, from: &VideoInfo, src: &[u8], to: &VideoInfo, dst: &mut [u8]) {
        self.frame(from, src, to, dst);
    }

    #[inline(always)]
    fn frame(&mut self, from: &VideoInfo, src: &[u8], to: &VideoInfo, dst: &mut [u8]) {
        let (width, height) = (from.width as usize, from.height as usize);
        let (read, planes) = (from.planes()[0], to.planes());
        let pixels = |y: usize| &src[read.offset + y * read.stride..][..4 * width];
        let luma = planes[0];
        for y in (0..height).step_by(2) {
            let [upper, lower] = &mut self.rows;
            let start = luma.offset + y * luma.stride;
            let out = [&mut dst[start..][..width], &mut upper.u, &mut upper.v];
            row(pixels(y), self.first, &self.matrix, out);
            if y + 1 < height {
                let out = [&mut dst[start + luma.stride..][..width], &mut lower.u, &mut lower.v];
                row(pixels(y + 1), self.first, &self.matrix, out);
                mean(&mut upper.u, &lower.u);
                mean(&mut upper.v, &lower.v);
            }
            let Row { u, v } = &mut self.shared;
            for (index, (line, shared)) in [(&upper.u, u), (&upper.v, v)].into_iter().enumerate() {
                gather(self.chroma.left, line, shared);
                let Some(sample) = to.format.layout().samples[index + 1] else { continue };
                let plane = planes[usize::from(sample.plane)];
                let start = plane.offset + y / 2 * plane.stride + usize::from(sample.at);
                let out = &mut dst[start..];
                match sample.step {
                    1 => out[..shared.len()].copy_from_slice(shared),
                    _ => out.iter_mut().step_by(2).zip(&*shared).for_each(|(to, of)| *to = *of),
                }
            }
        }
    }
}

/// Luma and chroma of each pixel of a row.
#[inline(always)]
fn row(pixels: &[u8], first: u32, matrix: &[[i32; 4]; 3], out: [&mut [u8]; 3]) {
    let [y, u, v] = out;
    let (pixels, _) = pixels.as_chunks::<4>();
    for (((pixel, y), u), v) in pixels.iter().zip(y).zip(u).zip(v) {
        let pixel = u32::from_le_bytes(*pixel) >> first;
        let [a, b, c] = [pixel, pixel >> 8, pixel >> 16].map(|bits| (bits & 255) as i32);
        let cell = |row: &[i32; 4]| {
            ((row[0] * a + row[1] * b + row[2] * c + row[3]) >> 16).clamp(0, 255) as u8
        };
        (*y, *u, *v) = (cell(&matrix[0]), cell(&matrix[1]), cell(&matrix[2]));
    }
}

#[inline(always)]
fn mean(upper: &mut [u8], lower: &[u8]) {
    for (upper, lower) in upper.iter_mut().zip(lower) {
        *upper = ((u16::from(*upper) + u16::from(*lower) + 1) >> 1) as u8;
    }
}

/// Chroma of pairs of pixels from that of each.
#[inline(always)]
fn gather(left: bool, line: &[u8], out: &mut [u8]) {
    let sum = |parts: [(u8, u16); 3]| -> u8 {
        ((parts.iter().map(|(of, share)| u16::from(*of) * share).sum::<u16>() + 2) / 4) as u8
    };
    let Some(last) = out.len().checked_sub(1) else { return };
    if !left {
        let (pairs, alone) = line.as_chunks::<2>();
        for (out, [a, b]) in out.iter_mut().zip(pairs) {
            *out = ((u16::from(*a) + u16::from(*b) + 1) >> 1) as u8;
        }
        if let Some(alone) = alone.first() {
            out[last] = *alone;
        }
        return;
    }
    let [first, second, ..] = *line else {
        return out.copy_from_slice(line);
    };
    out[0] = sum([(first, 3), (second, 1), (0, 0)]);
    // The one before each pair, and the pair.
    let befores = line[1..].iter().step_by(2);
    let (pairs, _) = line[2..].as_chunks::<2>();
    for ((out, before), [at, after]) in out[1..].iter_mut().zip(befores).zip(pairs) {
        *out = sum([(*before, 1), (*at, 2), (*after, 1)]);
    }
    if last > 0 {
        out[last] = sum([(line[2 * last - 1], 1), (line[2 * last], 3), (0, 0)]);
    }
}
