//! A [`Painter`] draws the test pictures of `videotestsrc`.
//!
//! Invariant: frame `n` of a pattern depends on nothing but `n`, the picture's description and the
//! two colors; painting the same frame twice gives the same bytes.
//! In GStreamer: `gst/videotestsrc/videotestsrc.c` (`gst_video_test_src_smpte` and its neighbors),
//! `GstVideoTestSrcPattern` for the names.
//! Left out: zone plates and the patterns derived from them (`circular`, `chroma-zone-plate`),
//! `gamut`, `pinwheel`, `spokes`, `colors`, `smpte-rp-219`; horizontal scrolling; other ball motions.

pub(super) mod ink;
pub(super) mod rows;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::info::{VideoError, VideoInfo};
use ink::Palette;

/// What to draw, named as `videotestsrc` names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Color bars over reverse bars over -I, white, +Q, three blacks and noise.
    #[default]
    Smpte,
    /// Noise between background and foreground.
    Snow,
    /// The background color everywhere.
    Black,
    /// The foreground color everywhere.
    White,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Red and green squares of one pixel.
    Checkers1,
    /// Red and green squares of two pixels.
    Checkers2,
    /// Red and green squares of four pixels.
    Checkers4,
    /// Red and green squares of eight pixels.
    Checkers8,
    /// Background and foreground in turn, one frame each.
    Blink,
    /// Full-height bars at 75 %.
    Smpte75,
    /// The foreground color everywhere.
    SolidColor,
    /// A ball of the foreground color, moving over the background color.
    Ball,
    /// Full-height bars at 100 %.
    Smpte100,
    /// A vertical bar of the foreground color at the left.
    Bar,
    /// From the background color at the top to the foreground color at the bottom.
    Gradient,
}

impl Pattern {
    /// Every pattern with its name, in the order of `videotestsrc`.
    pub const ALL: [(Pattern, &str); 18] = [
        (Pattern::Smpte, "smpte"),
        (Pattern::Snow, "snow"),
        (Pattern::Black, "black"),
        (Pattern::White, "white"),
        (Pattern::Red, "red"),
        (Pattern::Green, "green"),
        (Pattern::Blue, "blue"),
        (Pattern::Checkers1, "checkers-1"),
        (Pattern::Checkers2, "checkers-2"),
        (Pattern::Checkers4, "checkers-4"),
        (Pattern::Checkers8, "checkers-8"),
        (Pattern::Blink, "blink"),
        (Pattern::Smpte75, "smpte75"),
        (Pattern::SolidColor, "solid-color"),
        (Pattern::Ball, "ball"),
        (Pattern::Smpte100, "smpte100"),
        (Pattern::Bar, "bar"),
        (Pattern::Gradient, "gradient"),
    ];

    /// The pattern's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(pattern, _)| *pattern == self).map_or("smpte", |(_, name)| name)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Pattern {
    type Err = UnknownPattern;

    fn from_str(name: &str) -> Result<Self, UnknownPattern> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(pattern, _)| *pattern)
            .ok_or_else(|| UnknownPattern(name.to_owned()))
    }
}

/// A pattern name that is not drawn here; the sentence lists those that are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPattern(pub String);

impl fmt::Display for UnknownPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Pattern::ALL.map(|(_, name)| name).join(", ");
        write!(f, "pattern '{}' is not supported; supported are {names}", self.0)
    }
}

impl std::error::Error for UnknownPattern {}

/// The two colors a user chooses, as 0xAARRGGBB; alpha is kept in RGBA and BGRA and ignored elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colors {
    /// Of the ball, the bar, the lower end of the gradient.
    pub foreground: u32,
    /// Behind them.
    pub background: u32,
}

impl Default for Colors {
    fn default() -> Self {
        Colors { foreground: 0xffff_ffff, background: 0xff00_0000 }
    }
}

/// Draws the frames of one pattern into byte slices laid out as its [`VideoInfo`] says.
pub struct Painter {
    pattern: Pattern,
    info: VideoInfo,
    palette: Palette,
    /// Frame 0, of which every other frame is a copy but for its moving rows.
    still: Vec<u8>,
}

impl Painter {
    /// Paints the part of the picture that stands still, once.
    pub fn new(pattern: Pattern, info: VideoInfo, colors: Colors) -> Self {
        let palette = Palette::new(&info, colors);
        let mut painter = Painter { pattern, info, palette, still: Vec::new() };
        let mut still = vec![0; painter.info.size()];
        painter.paint_rows(0, 0..painter.info.height, &mut still);
        painter.still = still;
        painter
    }

    /// The picture this painter draws.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// Draws frame number `frame` into the first [`VideoInfo::size`] bytes of `out`.
    pub fn paint(&self, frame: u64, out: &mut [u8]) -> Result<(), VideoError> {
        self.info.check(out)?;
        let moving = self.moving_rows(frame);
        if moving.len() < self.info.height as usize {
            out[..self.still.len()].copy_from_slice(&self.still);
            // Frame 0 is in the still picture, and may have left something where nothing is now.
            self.paint_rows(frame, self.moving_rows(0), out);
        }
        self.paint_rows(frame, moving, out);
        Ok(())
    }

    /// Gives up the painter for frame 0.
    pub fn into_still(self) -> Vec<u8> {
        self.still
    }

    fn moving_rows(&self, frame: u64) -> Range<u32> {
        let height = self.info.height;
        match self.pattern {
            Pattern::Smpte => rows::smpte_split(height).1..height,
            Pattern::Snow | Pattern::Blink => 0..height,
            Pattern::Ball => rows::ball_rows(&self.info, frame),
            _ => 0..0,
        }
    }

    /// Paints whole pairs of rows, so that a chroma row is made from both of its luma rows.
    fn paint_rows(&self, frame: u64, rows: Range<u32>, out: &mut [u8]) {
        let height = self.info.height;
        let mut pair = [self.palette.line(self.info.width), self.palette.line(self.info.width)];
        for y in ((rows.start & !1)..rows.end).step_by(2) {
            for (row, line) in (y..height.min(y + 2)).zip(pair.iter_mut()) {
                rows::draw(self.pattern, &self.info, &self.palette, frame, row, line);
            }
            rows::pack(&self.info, 0, y, &mut pair, out);
        }
    }
}

#[cfg(test)]
mod tests;
