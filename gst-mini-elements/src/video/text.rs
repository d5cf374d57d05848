//! Large legible digits for test pictures: a bitmap font, each dot blown up to a square.
//!
//! Invariant: text and its box are clipped to the picture, so no text, scale or position can write
//! outside of it.
//! In GStreamer: `timeoverlay` and `clockoverlay` (`ext/pango`), which this stands in for.
//! Left out: fonts of any size, other scripts, alpha.

use std::fmt;
use std::ops::Range;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_10X20;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::text::{Baseline, Text};

use super::info::VideoInfo;
use super::line::{self, Ink};

/// Width of a character in dots.
pub const GLYPH_WIDTH: usize = 10;
/// Height of a character in dots.
pub const GLYPH_HEIGHT: usize = 20;
/// Dots of box left free around a text.
pub const PADDING: usize = 2;

const FIRST: u8 = b' ';
const LAST: u8 = b'~';

/// One bit a dot, the leftmost dot in the highest of ten bits.
#[derive(Clone, Copy, Default)]
struct Glyph([u16; GLYPH_HEIGHT]);

impl Dimensions for Glyph {
    fn bounding_box(&self) -> embedded_graphics::primitives::Rectangle {
        let size = Size::new(GLYPH_WIDTH as u32, GLYPH_HEIGHT as u32);
        embedded_graphics::primitives::Rectangle::new(Point::zero(), size)
    }
}

impl DrawTarget for Glyph {
    type Color = BinaryColor;
    type Error = std::convert::Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Self::Error> {
        for Pixel(at, color) in pixels {
            let inside = (0..GLYPH_WIDTH as i32).contains(&at.x);
            if let (true, Some(row)) = (inside, self.0.get_mut(at.y as usize)) {
                let bit = 1 << (GLYPH_WIDTH as i32 - 1 - at.x);
                *row = if color.is_on() { *row | bit } else { *row & !bit };
            }
        }
        Ok(())
    }
}

/// The printable ASCII characters, rendered once.
pub struct Font {
    glyphs: Vec<Glyph>,
}

impl Default for Font {
    fn default() -> Self {
        Self::new()
    }
}

impl Font {
    /// Renders the characters.
    pub fn new() -> Self {
        let style = MonoTextStyle::new(&FONT_10X20, BinaryColor::On);
        let glyphs = (FIRST..=LAST).map(|code| {
            let mut glyph = Glyph::default();
            let letter = [code];
            let letter = std::str::from_utf8(&letter).unwrap_or(" ");
            let text = Text::with_baseline(letter, Point::zero(), style, Baseline::Top);
            match text.draw(&mut glyph) {
                Ok(_) => glyph,
                Err(never) => match never {},
            }
        });
        Font { glyphs: glyphs.collect() }
    }

    /// The size in pixels of a text's box, padding included.
    pub fn box_size(text: &str, scale: usize) -> (usize, usize) {
        let dots = text.len() * GLYPH_WIDTH + 2 * PADDING;
        (dots * scale, (GLYPH_HEIGHT + 2 * PADDING) * scale)
    }

    /// Draws a box of color `paper` at (`x`, `y`) and in it `text`, in `ink`, each dot `scale` pixels wide.
    ///
    /// In YUV pictures the box is widened to even coordinates, and takes the color of `paper`, while
    /// the text changes luma alone. Characters outside of printable ASCII show as `?`.
    /// `out` holds at least [`VideoInfo::size`] bytes, or nothing is drawn.
    #[allow(clippy::too_many_arguments)]
    pub fn draw(
        &self,
        text: &str,
        scale: usize,
        (x, y): (usize, usize),
        (ink, paper): (Ink, Ink),
        info: &VideoInfo,
        out: &mut [u8],
    ) {
        if out.len() < info.size() || scale == 0 {
            return;
        }
        fill(info, (x, y), Self::box_size(text, scale), paper, out);
        let (left, top) = (x + PADDING * scale, y + PADDING * scale);
        let plane = info.planes()[0];
        let pixel = info.format.pixel_stride();
        for (i, code) in text.bytes().enumerate() {
            let glyph_left = left + i * GLYPH_WIDTH * scale;
            let code = if (FIRST..=LAST).contains(&code) { code } else { b'?' };
            let glyph = &self.glyphs[usize::from(code - FIRST)];
            for (dot_y, bits) in glyph.0.iter().enumerate().filter(|(_, bits)| **bits != 0) {
                let rows = top + dot_y * scale..(top + (dot_y + 1) * scale).min(plane.height);
                for dots in runs(*bits) {
                    let at = |dot: usize| (glyph_left + dot * scale).min(info.width as usize);
                    let (from, to) = (at(dots.start), at(dots.end));
                    for row in rows.clone() {
                        let start = plane.offset + row * plane.stride;
                        let bytes = &mut out[start + from * pixel..start + to * pixel];
                        dot(info, ink, bytes);
                    }
                }
            }
        }
    }
}

/// The runs of set dots of one row of a character.
fn runs(bits: u16) -> impl Iterator<Item = Range<usize>> {
    let is_set = move |x: usize| x < GLYPH_WIDTH && bits >> (GLYPH_WIDTH - 1 - x) & 1 == 1;
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = (next..GLYPH_WIDTH).find(|x| is_set(*x))?;
        next = (start..=GLYPH_WIDTH).find(|x| !is_set(*x))?;
        Some(start..next)
    })
}

/// Writes the samples of plane 0 that every pixel has to a run of pixels; not alpha.
fn dot(info: &VideoInfo, ink: Ink, bytes: &mut [u8]) {
    let layout = info.format.layout();
    for (sample, value) in layout.samples[..3].iter().zip(ink) {
        if let Some(sample) = sample.filter(|sample| sample.plane == 0 && sample.across == 0) {
            let low = usize::from(layout.bits == 16);
            let at = usize::from(sample.at) - low;
            if sample.step == 1 {
                bytes.fill(value);
                continue;
            }
            bytes
                .chunks_exact_mut(usize::from(sample.step))
                .for_each(|pixel| pixel[at..=at + low].fill(value));
        }
    }
}

/// Fills a rectangle, clipped to the picture; in YUV pictures its edges move out to even coordinates.
///
/// `out` holds at least [`VideoInfo::size`] bytes, or nothing is drawn.
pub fn fill(
    info: &VideoInfo,
    (x, y): (usize, usize),
    (width, height): (usize, usize),
    ink: Ink,
    out: &mut [u8],
) {
    let (right, bottom) = (info.width as usize, info.height as usize);
    if out.len() < info.size() || x >= right || y >= bottom {
        return;
    }
    let (across, down) = info.format.subsampling();
    let edge = |at: usize, power: u8, up: bool, end: usize| {
        let step = 1 << power;
        let at = at.min(end);
        if up { at.next_multiple_of(step).min(end) } else { at / step * step }
    };
    let (x0, y0) = (edge(x, across, false, right), edge(y, down, false, bottom));
    let x1 = edge(x.saturating_add(width), across, true, right);
    let y1 = edge(y.saturating_add(height), down, true, bottom);
    let planes = info.planes();
    let layout = info.format.layout();
    let is_planar = layout.bits == 8 && layout.samples.iter().flatten().all(|s| s.step == 1);
    let run = [ink; 64];
    for row in y0..y1 {
        if is_planar {
            for (sample, value) in layout.samples.iter().zip(ink) {
                let Some(sample) = sample.filter(|s| row & ((1 << s.down) - 1) == 0) else {
                    continue;
                };
                let plane = planes[usize::from(sample.plane)];
                let start = plane.offset + (row >> sample.down) * plane.stride;
                let end = start + ((x1 + (1 << sample.across) - 1) >> sample.across);
                out[start + (x0 >> sample.across)..end].fill(value);
            }
            continue;
        }
        for x in (x0..x1).step_by(run.len()) {
            line::pack(info, x, row, &run[..run.len().min(x1 - x)], out);
        }
    }
}

/// Nanoseconds since midnight, shown as `HH:MM:SS.mmm`; whole days are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(pub u64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0 / 1_000_000 % 86_400_000;
        let (s, m, h) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
        write!(f, "{h:02}:{m:02}:{s:02}.{:03}", ms % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::VideoFormat;

    const WHITE: Ink = [235, 128, 128, 255];
    const BLACK: Ink = [16, 128, 128, 255];

    /// The luma plane as text, one character per dot.
    fn read_back(info: &VideoInfo, out: &[u8]) -> Vec<String> {
        let plane = info.planes()[0];
        let row = |y: usize| &out[y * plane.stride..y * plane.stride + plane.row_bytes];
        let dot = |v: &u8| if *v == 235 { '#' } else { '.' };
        (0..plane.height).map(|y| row(y).iter().map(dot).collect()).collect()
    }

    #[test]
    fn digit_seven_is_legible() {
        let info = VideoInfo::new(VideoFormat::Gray8, 14, 24).unwrap();
        let mut out = vec![100; info.size()];
        Font::new().draw("7", 1, (0, 0), (WHITE, BLACK), &info, &mut out);
        let picture = read_back(&info, &out);
        let lit: Vec<_> = picture.iter().filter(|row| row.contains('#')).collect();
        assert!(lit.len() >= 12, "{picture:#?}");
        let width = |row: &str| row.matches('#').count();
        assert!(width(lit[0]) >= 7 && width(lit[lit.len() - 1]) <= 3, "{picture:#?}");
        assert!(!out[..14].contains(&100), "the box covers what was there");
    }

    #[test]
    fn scale_three_makes_every_dot_a_three_by_three_square() {
        let font = Font::new();
        let small = VideoInfo::new(VideoFormat::Gray8, 44, 24).unwrap();
        let large = VideoInfo::new(VideoFormat::Gray8, 132, 72).unwrap();
        let (mut a, mut b) = (vec![0; small.size()], vec![0; large.size()]);
        font.draw("12:9", 1, (0, 0), (WHITE, BLACK), &small, &mut a);
        font.draw("12:9", 3, (0, 0), (WHITE, BLACK), &large, &mut b);
        for y in 0..72 {
            for x in 0..132 {
                assert_eq!(b[y * 132 + x], a[y / 3 * 44 + x / 3], "{x},{y}");
            }
        }
    }

    #[test]
    fn text_beyond_every_edge_is_clipped_in_every_format() {
        let font = Font::new();
        for format in VideoFormat::ALL {
            let info = VideoInfo::new(format, 33, 17).unwrap();
            let mut out = vec![0; info.size()];
            for at in [(0, 0), (30, 10), (33, 17), (1000, 1000), (7, 3)] {
                font.draw("88:88\u{e9}", 5, at, (WHITE, BLACK), &info, &mut out);
            }
            assert!(out.contains(&16), "{format}");
            font.draw("8", 1, (0, 0), (WHITE, BLACK), &info, &mut []);
        }
    }

    #[test]
    fn box_in_yuv_takes_the_color_out_of_what_is_behind() {
        for format in [VideoFormat::I420, VideoFormat::Nv12] {
            let info = VideoInfo::new(format, 64, 64).unwrap();
            let mut out = vec![77; info.size()];
            fill(&info, (3, 3), (10, 10), BLACK, &mut out);
            let lumas = out[..64 * 64].iter().filter(|v| **v == 16).count();
            let chromas = out[64 * 64..].iter().filter(|v| **v == 128).count();
            assert_eq!((lumas, chromas), (12 * 12, 2 * 6 * 6), "{format}");
        }
    }

    #[test]
    fn filling_by_planes_is_filling_by_pixels() {
        let ink = [10, 60, 110, 160];
        for format in VideoFormat::ALL {
            for (width, height) in [(1, 1), (33, 17), (64, 8)] {
                let info = VideoInfo::new(format, width, height).unwrap();
                let (mut filled, mut packed) = (vec![7; info.size()], vec![7; info.size()]);
                fill(&info, (4, 4), (9, 3), ink, &mut filled);
                let right =
                    (13_usize.next_multiple_of(1 << format.subsampling().0)).min(width as usize);
                let line = vec![ink; right.saturating_sub(4)];
                let bottom = 7_usize.next_multiple_of(1 << format.subsampling().1);
                for row in 4..bottom.min(height as usize) {
                    line::pack(&info, 4, row, &line, &mut packed);
                }
                assert!(filled == packed, "{format} {width}x{height}");
            }
        }
    }

    #[test]
    fn time_of_day_shows_milliseconds_and_wraps_at_midnight() {
        let ns = ((13 * 60 + 4) * 60 + 5) * 1_000_000_000 + 67_999_999;
        assert_eq!(TimeOfDay(ns).to_string(), "13:04:05.067");
        assert_eq!(TimeOfDay(86_400_000_000_000 + 1_000_000).to_string(), "00:00:00.001");
        assert_eq!(TimeOfDay(u64::MAX).to_string().len(), 12);
    }
}
