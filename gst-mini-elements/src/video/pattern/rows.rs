//! How each pattern draws one row, and how two rows become luma and chroma.
//!
//! Invariant: a row depends on the frame number and its own number only, so rows can be drawn in
//! any order; noise gets there by jumping ahead in its sequence.
//! In GStreamer: `gst/videotestsrc/videotestsrc.c` (`convert_hline_generic`, `videotestsrc_blend_line`,
//! `random_char`).
//! Left out: chroma that sits on the upper one of two rows.

use super::ink::{Ink, Line, Palette};
use super::wave::Sheet;
use super::{Pattern, Scene, ball, rp219};
use crate::video::chroma::Chroma;
use crate::video::info::VideoInfo;
use crate::video::line;

/// The first row of the reverse bars and of the bottom part.
pub fn smpte_split(height: u32) -> (u32, u32) {
    ((u64::from(height) * 2 / 3) as u32, (u64::from(height) * 3 / 4) as u32)
}

impl Scene<'_> {
    /// Draws row `y`; `line` has the picture's width. Each pattern in a function of its own: together they would take
    /// the stack of the largest, once for each live source.
    pub fn draw(&self, y: u32, line: &mut Line) {
        let (info, palette, frame) = (self.info, self.palette, self.moment.frame);
        match self.look.pattern {
            Pattern::Smpte => smpte(info, palette, frame, y, line),
            Pattern::Snow => {
                let width = u64::from(info.width);
                let before = frame
                    .wrapping_mul(u64::from(info.height))
                    .wrapping_add(u64::from(y))
                    .wrapping_mul(width);
                noise(before, &palette.ramp, line);
            }
            Pattern::Black => line.fill(palette.background),
            Pattern::White | Pattern::SolidColor => line.fill(palette.foreground),
            Pattern::Red => line.fill(palette.bars[5]),
            Pattern::Green => line.fill(palette.bars[3]),
            Pattern::Blue => line.fill(palette.bars[6]),
            Pattern::Checkers1 => checkers(palette, 0, y, line),
            Pattern::Checkers2 => checkers(palette, 1, y, line),
            Pattern::Checkers4 => checkers(palette, 2, y, line),
            Pattern::Checkers8 => checkers(palette, 3, y, line),
            Pattern::Blink if frame.is_multiple_of(2) => line.fill(palette.background),
            Pattern::Blink => line.fill(palette.foreground),
            Pattern::Smpte75 => bars(&palette.bars_75, line),
            Pattern::Smpte100 => bars(&palette.bars, line),
            Pattern::Ball => ball::draw(self.look, info, palette, self.moment, y, line),
            Pattern::Bar => {
                line.fill(palette.background);
                let end = line.len() / 7;
                line[..end].fill(palette.foreground);
            }
            Pattern::Gradient => {
                let step = u64::from(y) * 255 / u64::from(info.height);
                line.fill(palette.ramp[step as usize]);
            }
            Pattern::Gamut => gamut(info, palette, y, line),
            Pattern::Colors => colors(info, y, line),
            Pattern::SmpteRp219 => rp219::draw(info, palette, y, line),
            Pattern::Circular
            | Pattern::ZonePlate
            | Pattern::ChromaZonePlate
            | Pattern::Pinwheel
            | Pattern::Spokes => Sheet::shared().draw(self.look, info, palette, frame, y, line),
        }
    }
}

/// Black, white, red and blue from top to bottom, in squares with what is just beyond them.
#[inline(never)]
fn gamut(info: &VideoInfo, palette: &Palette, y: u32, line: &mut Line) {
    let (inside, component, beyond) = match u64::from(y) * 4 / u64::from(info.height) {
        0 => (palette.black, 0, 0),
        1 => (palette.bars[0], 0, 255),
        2 => (palette.bars[5], 2, 255),
        _ => (palette.bars[6], 1, 255),
    };
    let mut outside = inside;
    if !info.format.is_rgb() {
        outside[component] = beyond;
    }
    for (x, pixels) in line.chunks_mut(8).enumerate() {
        let x = (x * 8) as u32;
        pixels.fill(if (x ^ y) & 16 != 0 { inside } else { outside });
    }
}

/// Two components in steps of their own, the third in both at once.
#[inline(never)]
fn colors(info: &VideoInfo, y: u32, line: &mut Line) {
    let (width, height) = (u64::from(info.width), u64::from(info.height));
    let y = u64::from(y);
    for (x, pixel) in (0..).zip(line.iter_mut()) {
        let both = ((y * 16 / height) << 4) | (x * 16 / width);
        *pixel = [(x * 4096 / width) as u8, both as u8, (y * 4096 / height) as u8, 255];
    }
}

fn bars(inks: &[Ink; 7], line: &mut Line) {
    let width = line.len();
    for (i, ink) in inks.iter().enumerate() {
        line[i * width / 7..(i + 1) * width / 7].fill(*ink);
    }
}

#[inline(never)]
fn checkers(palette: &Palette, shift: u32, y: u32, line: &mut Line) {
    let (red, green) = (palette.bars[5], palette.bars[3]);
    for (x, pixel) in line.iter_mut().enumerate() {
        let odd = ((x as u32 >> shift) ^ (y >> shift)) & 1;
        *pixel = if odd == 1 { green } else { red };
    }
}

#[inline(never)]
fn smpte(info: &VideoInfo, palette: &Palette, frame: u64, y: u32, line: &mut Line) {
    let width = line.len();
    let (reverse, bottom) = smpte_split(info.height);
    if y < reverse {
        bars(&palette.bars, line);
    } else if y < bottom {
        for i in 0..7 {
            let ink = if i & 1 == 1 { palette.black } else { palette.bars[6 - i] };
            line[i * width / 7..(i + 1) * width / 7].fill(ink);
        }
    } else {
        for (i, ink) in palette.burst.iter().enumerate() {
            line[i * width / 6..(i + 1) * width / 6].fill(*ink);
        }
        for (i, ink) in palette.pluge.iter().enumerate() {
            line[width / 2 + i * width / 12..width / 2 + (i + 1) * width / 12].fill(*ink);
        }
        let start = width * 3 / 4;
        let columns = (width - start) as u64;
        let rows = u64::from(info.height - bottom);
        let before =
            frame.wrapping_mul(rows).wrapping_add(u64::from(y - bottom)).wrapping_mul(columns);
        noise(before, &palette.ramp, &mut line[start..]);
    }
}

const NOISE_FACTOR: u32 = 1_103_515_245;
const NOISE_STEP: u32 = 12_345;

/// Numbers made at a time, each lane by steps of its own, so that none waits for the one before.
const LANES: usize = 8;

/// Fills with bits 16 to 23 of the C standard's sample generator, started `before` numbers in.
fn noise(before: u64, ramp: &[Ink; 256], out: &mut [Ink]) {
    let step = |state: u32| state.wrapping_mul(NOISE_FACTOR).wrapping_add(NOISE_STEP);
    let mut last = noise_state(before);
    let mut lanes: [u32; LANES] = std::array::from_fn(|_| {
        last = step(last);
        last
    });
    let (factor, leap) = (0..LANES)
        .fold((1u32, 0u32), |(factor, leap), _| (factor.wrapping_mul(NOISE_FACTOR), step(leap)));
    for pixels in out.chunks_mut(LANES) {
        for (pixel, lane) in pixels.iter_mut().zip(&lanes) {
            *pixel = ramp[(lane >> 16) as usize & 0xff];
        }
        lanes = lanes.map(|lane| lane.wrapping_mul(factor).wrapping_add(leap));
    }
}

/// The generator's state after `count` numbers, by repeated squaring of its step.
fn noise_state(mut count: u64) -> u32 {
    let (mut state, mut factor, mut step) = (0u32, NOISE_FACTOR, NOISE_STEP);
    while count > 0 {
        if count & 1 == 1 {
            state = state.wrapping_mul(factor).wrapping_add(step);
        }
        step = step.wrapping_mul(factor).wrapping_add(step);
        factor = factor.wrapping_mul(factor);
        count >>= 1;
    }
    state
}

/// Packs rows `y` and `y + 1` (the last row alone at an odd height) into `out`, laid out as `info`;
/// gathers their chroma in place.
///
/// The lines begin at column `x`; `x` and `y` are even, so that chroma is made from whole squares.
pub fn pack(info: &VideoInfo, x: usize, y: u32, pair: &mut [Line; 2], out: &mut [u8]) {
    let chroma = Chroma::of(info);
    let y = y as usize;
    let has_lower = y + 1 < info.height as usize;
    let [upper, lower] = pair;
    if chroma.down > 0 {
        chroma.gather_pair(upper, has_lower.then_some(&lower[..]));
    } else {
        chroma.gather(upper);
        chroma.gather(lower);
    }
    line::pack(info, x, y, upper, out);
    if has_lower {
        line::pack(info, x, y + 1, lower, out);
    }
}
