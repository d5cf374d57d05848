//! A [`Matrix`] turns the components of one picture into those of another.
//!
//! Invariant: white is white and black is black, to the last bit.
//! In GStreamer: `gst-libs/gst/video/video-converter.c` (`compute_matrix_to_RGB`, `compute_matrix_to_YUV`).
//! Left out: other primaries and transfer curves, which GStreamer leaves alone by default too.

use super::format::Kind;
use super::info::VideoInfo;
use super::line::Ink;

/// Three rows of coefficients with their offset, in 1/65536.
pub struct Matrix([[i32; 4]; 3]);

type Real = [[f64; 4]; 3];

/// What the values of the three samples begin at, and how far they go.
fn nominal(info: &VideoInfo) -> [(f64, f64); 3] {
    let kind = info.format.layout().kind;
    match (kind, info.colorimetry.is_full()) {
        (Kind::Rgb, true) => [(0.0, 255.0); 3],
        (Kind::Rgb, false) => [(16.0, 219.0); 3],
        (_, true) => [(0.0, 255.0), (128.0, 255.0), (128.0, 255.0)],
        (_, false) => [(16.0, 219.0), (128.0, 224.0), (128.0, 224.0)],
    }
}

impl Matrix {
    /// From samples of `from` to samples of `to`; `None` where they mean the same, or as good as.
    pub fn between(from: &VideoInfo, to: &VideoInfo) -> Option<Matrix> {
        // Full range against 16 to 235 is left alone then, as GStreamer does it.
        (from.colorimetry.matrix != to.colorimetry.matrix).then(|| Matrix::new(from, to))
    }

    pub fn new(from: &VideoInfo, to: &VideoInfo) -> Matrix {
        product(&to_components(to), &from_components(from))
    }

    /// For each sample of what comes out: the shares of the three that go in, and what is added; all in 1/65536.
    pub fn rows(&self) -> &[[i32; 4]; 3] {
        &self.0
    }

    pub fn apply(&self, ink: Ink) -> Ink {
        let [a, b, c, alpha] = ink;
        let (a, b, c) = (i32::from(a), i32::from(b), i32::from(c));
        let cell = |row: &[i32; 4]| {
            ((row[0] * a + row[1] * b + row[2] * c + row[3]) >> 16).clamp(0, 255) as u8
        };
        [cell(&self.0[0]), cell(&self.0[1]), cell(&self.0[2]), alpha]
    }
}

// The three steps stay apart: put into one function and unrolled, they made LLVM 22 (rustc 1.95)
// crash in its register coalescer.

/// Samples to red, green and blue from 0 to 1.
#[inline(never)]
fn from_components(info: &VideoInfo) -> Real {
    let mut to_rgb = match info.format.layout().kind {
        Kind::Rgb => UNIT,
        _ => yuv_to_rgb(info.colorimetry.shares()),
    };
    for (column, (offset, scale)) in nominal(info).into_iter().enumerate() {
        for row in &mut to_rgb {
            row[column] /= scale;
            row[3] -= offset * row[column];
        }
    }
    to_rgb
}

/// Red, green and blue from 0 to 1 to samples.
#[inline(never)]
fn to_components(info: &VideoInfo) -> Real {
    let mut from_rgb = match info.format.layout().kind {
        Kind::Rgb => UNIT,
        _ => rgb_to_yuv(info.colorimetry.shares()),
    };
    for (row, (offset, scale)) in from_rgb.iter_mut().zip(nominal(info)) {
        row.iter_mut().for_each(|cell| *cell *= scale);
        row[3] = offset;
    }
    from_rgb
}

/// The second matrix first, then the first, in fixed point and rounded.
#[inline(never)]
fn product(outer: &Real, inner: &Real) -> Matrix {
    let mut fixed = [[0; 4]; 3];
    for (row, outer) in fixed.iter_mut().zip(outer) {
        for (column, cell) in row.iter_mut().enumerate() {
            let sum: f64 = (0..3).map(|i| outer[i] * inner[i][column]).sum();
            let offset = if column == 3 { outer[3] + 0.5 } else { 0.0 };
            *cell = ((sum + offset) * 65536.0).round() as i32;
        }
    }
    Matrix(fixed)
}

const UNIT: Real = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];

/// Components from 0 to 1, color differences from -1/2 to 1/2 (ITU-R BT.601-7, 2.5).
fn rgb_to_yuv((red, blue): (f64, f64)) -> Real {
    let green = 1.0 - red - blue;
    let (u, v) = (0.5 / (1.0 - blue), 0.5 / (1.0 - red));
    [
        [red, green, blue, 0.0],
        [-u * red, -u * green, u * (1.0 - blue), 0.0],
        [v * (1.0 - red), -v * green, -v * blue, 0.0],
    ]
}

fn yuv_to_rgb((red, blue): (f64, f64)) -> Real {
    let green = 1.0 - red - blue;
    let (r, b) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
    [[1.0, 0.0, r, 0.0], [1.0, -b * blue / green, -r * red / green, 0.0], [1.0, b, 0.0, 0.0]]
}
