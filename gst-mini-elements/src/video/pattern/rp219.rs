//! The bars of SMPTE RP 219, four patterns one above the other.
//!
//! ```text
//!   40 % | white yellow cyan green magenta red blue | 40 %      half of the height, and a little
//!   cyan | -I | 75 % white                          | blue      a twelfth each
//!   yell | +Q | ramp from black to white    | white | red
//!   15 % | black   | white  | black, three near-blacks, black | 15 %
//! ```
//!
//! Invariant: the colors are the standard's code values for BT.709, in every colorimetry.
//! In GStreamer: `gst/videotestsrc/videotestsrc.c` (`gst_video_test_src_smpte_rp_219`).
//! Left out: nothing.

use super::ink::{Ink, Line, Palette};
use crate::video::info::VideoInfo;

/// Luma and chroma, red, green and blue.
type Color = [u8; 6];

const GRAY_40: Color = [104, 128, 128, 102, 102, 102];
const BARS_75: [Color; 7] = [
    [180, 128, 128, 191, 191, 191],
    [168, 44, 136, 190, 203, 8],
    [145, 147, 44, 16, 211, 189],
    [133, 63, 52, 15, 223, 5],
    [63, 193, 204, 176, 0, 186],
    [51, 109, 212, 175, 0, 2],
    [28, 212, 120, 1, 0, 183],
];
const CYAN: Color = [188, 154, 16, 22, 255, 253];
const WHITE: Color = [235, 128, 128, 255, 255, 255];
const MINUS_I: Color = [61, 153, 99, 6, 66, 103];
const BLUE: Color = [32, 240, 118, 3, 0, 245];
const YELLOW: Color = [219, 16, 138, 252, 255, 10];
const BLACK: Color = [16, 128, 128, 0, 0, 0];
const PLUS_Q: Color = [35, 174, 152, 60, 0, 115];
const RED: Color = [63, 102, 240, 233, 0, 2];
const GRAY_15: Color = [49, 128, 128, 38, 38, 38];
const VALLEY: Color = [1, 128, 128, 0, 0, 0];
const PEAK: Color = [254, 128, 128, 255, 255, 255];
const BELOW: Color = [12, 128, 128, 0, 0, 0];
const ABOVE_2: Color = [20, 128, 128, 5, 5, 5];
const ABOVE_4: Color = [25, 128, 128, 10, 11, 10];

/// Which of seven columns, or six rows, take one of the pixels left over.
const COLUMN_REST: [[usize; 7]; 7] = [
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 0, 0],
    [1, 0, 0, 0, 0, 0, 1],
    [0, 1, 0, 1, 0, 1, 0],
    [1, 0, 1, 0, 1, 0, 1],
    [0, 1, 1, 1, 1, 1, 0],
    [1, 1, 1, 0, 1, 1, 1],
];
const ROW_REST: [[usize; 6]; 6] = [
    [0, 0, 0, 0, 0, 0],
    [0, 1, 0, 0, 0, 0],
    [0, 1, 1, 0, 0, 0],
    [0, 0, 0, 1, 1, 1],
    [0, 1, 1, 1, 0, 1],
    [0, 1, 1, 1, 1, 1],
];
const THIRD_REST: [[usize; 3]; 3] = [[0, 0, 0], [0, 1, 0], [1, 0, 1]];

/// Fills a line from left to right.
struct Brush<'a> {
    line: &'a mut Line,
    at: usize,
    rgb: bool,
}

impl Brush<'_> {
    fn ink(&self, color: Color) -> Ink {
        let [y, u, v, r, g, b] = color;
        if self.rgb { [r, g, b, 255] } else { [y, u, v, 255] }
    }

    fn take(&mut self, width: usize) -> &mut [Ink] {
        let from = self.at.min(self.line.len());
        self.at = self.at.saturating_add(width);
        let to = self.at.min(self.line.len());
        &mut self.line[from..to]
    }

    fn fill(&mut self, width: usize, color: Color) {
        let ink = self.ink(color);
        self.take(width).fill(ink);
    }

    /// From `first` on the left to almost `last`.
    fn ramp(&mut self, width: usize, first: Color, last: Color) {
        let (first, last) = (self.ink(first), self.ink(last));
        for (x, pixel) in self.take(width).iter_mut().enumerate() {
            let step = (255 * x / width) as u32;
            *pixel = std::array::from_fn(|k| {
                let sum = u32::from(last[k]) * step + u32::from(first[k]) * (255 - step);
                ((sum + 127) / 255) as u8
            });
        }
    }
}

/// Draws row `y`.
#[inline(never)]
pub fn draw(info: &VideoInfo, _: &Palette, y: u32, line: &mut Line) {
    let (width, height, y) = (info.width as usize, info.height as usize, y as usize);
    let lower = height - height / 2;
    let mut ends = [0; 6];
    let mut end = height / 2;
    for (index, place) in ends.iter_mut().enumerate() {
        end += lower / 6 + ROW_REST[lower % 6][index];
        *place = end;
    }
    let side = width / 8;
    let inner = width - 2 * side;
    let column: [usize; 7] = std::array::from_fn(|i| inner / 7 + COLUMN_REST[inner % 7][i]);
    let white = column[0] + column[1];
    let black = (width / 2).saturating_sub(side + white);
    let part = |i: usize| column[5] / 3 + THIRD_REST[column[5] % 3][i];
    let parts = [part(0), part(1), part(2), part(1), part(2)];
    let rest = (width - width / 2).saturating_sub(side + parts.iter().sum::<usize>() + column[5]);
    let mut brush = Brush { line, at: 0, rgb: info.format.is_rgb() };
    match ends.iter().position(|end| y < *end) {
        Some(0) => {
            brush.fill(side, GRAY_40);
            column.iter().zip(BARS_75).for_each(|(width, color)| brush.fill(*width, color));
            brush.fill(side, GRAY_40);
        }
        Some(1) => {
            brush.fill(side, CYAN);
            brush.fill(column[0], MINUS_I);
            brush.fill(column[1..].iter().sum(), BARS_75[0]);
            brush.fill(side, BLUE);
        }
        Some(2) => {
            brush.fill(side, YELLOW);
            brush.fill(column[0], PLUS_Q);
            brush.ramp(column[1..6].iter().sum(), BLACK, WHITE);
            brush.fill(column[6], WHITE);
            brush.fill(side, RED);
        }
        row => {
            brush.fill(side, GRAY_15);
            if row == Some(4) {
                brush.ramp(black / 2, BLACK, VALLEY);
                brush.ramp(black - black / 2, VALLEY, BLACK);
                brush.ramp(white / 2, WHITE, PEAK);
                brush.ramp(white - white / 2, PEAK, WHITE);
            } else {
                brush.fill(black, BLACK);
                brush.fill(white, WHITE);
            }
            brush.fill(rest, BLACK);
            for (width, color) in parts.into_iter().zip([BELOW, BLACK, ABOVE_2, BELOW, ABOVE_4]) {
                brush.fill(width, color);
            }
            brush.fill(column[5], BLACK);
            brush.fill(side, GRAY_15);
        }
    }
}
