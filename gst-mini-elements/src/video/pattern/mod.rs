//! A [`Painter`] draws the test pictures of `videotestsrc`.
//!
//! Invariant: a frame depends on nothing but its moment, the picture's description and the [`Look`]; painting the same frame twice gives the same bytes.
//! In GStreamer: `gst/videotestsrc/videotestsrc.c` (`gst_video_test_src_smpte` and its neighbors),
//! `GstVideoTestSrcPattern` for the names.
//! Left out: Bayer pictures.

pub(super) mod ball;
pub(super) mod ink;
pub(super) mod rows;
mod rp219;
mod wave;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::info::{VideoError, VideoInfo};
pub use ball::Motion;
use ink::{Line, Palette};
use parking_lot::Mutex;
pub use wave::Zone;

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
    /// Rings of waves, each ring shorter ones.
    Circular,
    /// Waves whose length is a function of place and time.
    ZonePlate,
    /// Colors in range beside colors that leave it.
    Gamut,
    /// A zone plate in color differences.
    ChromaZonePlate,
    /// Nineteen blades.
    Pinwheel,
    /// Nineteen thin lines through the middle.
    Spokes,
    /// All colors there are.
    Colors,
    /// The bars of SMPTE RP 219.
    SmpteRp219,
}

impl Pattern {
    /// Every pattern with its name, in the order and with the numbers of `videotestsrc`.
    pub const ALL: [(Pattern, &str); 26] = [
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
        (Pattern::Circular, "circular"),
        (Pattern::Blink, "blink"),
        (Pattern::Smpte75, "smpte75"),
        (Pattern::ZonePlate, "zone-plate"),
        (Pattern::Gamut, "gamut"),
        (Pattern::ChromaZonePlate, "chroma-zone-plate"),
        (Pattern::SolidColor, "solid-color"),
        (Pattern::Ball, "ball"),
        (Pattern::Smpte100, "smpte100"),
        (Pattern::Bar, "bar"),
        (Pattern::Pinwheel, "pinwheel"),
        (Pattern::Spokes, "spokes"),
        (Pattern::Gradient, "gradient"),
        (Pattern::Colors, "colors"),
        (Pattern::SmpteRp219, "smpte-rp-219"),
    ];

    /// By `videotestsrc`'s number.
    pub fn from_number(number: i32) -> Option<Pattern> {
        let index = usize::try_from(number).ok()?;
        Self::ALL.get(index).map(|(pattern, _)| *pattern)
    }

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

/// Everything that decides what is painted but the picture's format.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Look {
    /// What to draw.
    pub pattern: Pattern,
    /// In which colors.
    pub colors: Colors,
    /// How the ball moves.
    pub motion: Motion,
    /// The ball's colors change places every other time.
    pub flip: bool,
    /// Pixels a frame by which the picture is moved to the left.
    pub horizontal_speed: i32,
    /// Coefficients of the zone plates.
    pub zone: Zone,
}

/// When a frame is shown, as far as the ball goes by it.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Frame number.
    pub frame: u64,
    /// Turns of the ball since the beginning.
    pub turns: f64,
    /// Whether colors have changed places, if they do.
    pub odd: bool,
}

impl Moment {
    /// One turn in 200 frames, another color every 50.
    pub fn of_frame(frame: u64) -> Moment {
        Moment { frame, turns: frame as f64 / 200.0, odd: frame / 50 % 2 == 1 }
    }

    /// One turn a second, another color every second.
    pub fn of_time(frame: u64, seconds: f64) -> Moment {
        Moment { frame, turns: seconds, odd: seconds.max(0.0) as u64 % 2 == 1 }
    }
}

/// Draws the frames of one pattern into byte slices laid out as its [`VideoInfo`] says.
pub struct Painter {
    look: Look,
    info: VideoInfo,
    palette: Palette,
    /// Frame 0, of which every other frame is a copy but for its moving rows.
    still: Vec<u8>,
    /// What a pair of rows is drawn in; kept, so that a frame allocates nothing.
    pair: Mutex<[Line; 2]>,
}

impl Painter {
    /// Paints the part of the picture that stands still, once.
    pub fn new(pattern: Pattern, info: VideoInfo, colors: Colors) -> Self {
        Painter::with(Look { pattern, colors, ..Look::default() }, info)
    }

    /// [`Painter::new`] with everything that can be chosen.
    pub fn with(look: Look, info: VideoInfo) -> Self {
        let palette = Palette::new(&info, look.colors);
        let pair = Mutex::new([palette.line(info.width), palette.line(info.width)]);
        let mut painter = Painter { look, info, palette, still: Vec::new(), pair };
        let mut still = vec![0; painter.info.size()];
        painter.paint_rows(Moment::of_frame(0), 0..painter.info.height, &mut still);
        painter.still = still;
        painter
    }

    /// The picture this painter draws.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// What it draws.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Draws frame number `frame` into the first [`VideoInfo::size`] bytes of `out`.
    pub fn paint(&self, frame: u64, out: &mut [u8]) -> Result<(), VideoError> {
        self.paint_at(Moment::of_frame(frame), out)
    }

    /// Draws what is seen at a moment into the first [`VideoInfo::size`] bytes of `out`.
    pub fn paint_at(&self, moment: Moment, out: &mut [u8]) -> Result<(), VideoError> {
        self.info.check(out)?;
        let moving = self.moving_rows(moment);
        if moving.len() < self.info.height as usize {
            out[..self.still.len()].copy_from_slice(&self.still);
            // Frame 0 is in the still picture, and may have left something where nothing is now.
            self.paint_rows(moment, self.moving_rows(Moment::of_frame(0)), out);
        }
        self.paint_rows(moment, moving, out);
        Ok(())
    }

    /// Gives up the painter for frame 0.
    pub fn into_still(self) -> Vec<u8> {
        self.still
    }

    fn moving_rows(&self, moment: Moment) -> Range<u32> {
        let height = self.info.height;
        let never_scrolls =
            matches!(self.look.pattern, Pattern::SmpteRp219 | Pattern::SolidColor | Pattern::Black);
        if self.look.horizontal_speed != 0 && !never_scrolls {
            return 0..height;
        }
        match self.look.pattern {
            Pattern::Smpte => rows::smpte_split(height).1..height,
            Pattern::Snow | Pattern::Blink => 0..height,
            Pattern::Ball if self.look.flip => 0..height,
            Pattern::Ball => ball::rows(self.look.motion, &self.info, moment),
            Pattern::ZonePlate | Pattern::ChromaZonePlate if self.look.zone.moves() => 0..height,
            _ => 0..0,
        }
    }

    /// Paints whole pairs of rows, so that a chroma row is made from both of its luma rows.
    fn paint_rows(&self, moment: Moment, rows: Range<u32>, out: &mut [u8]) {
        if rows.is_empty() {
            return;
        }
        let height = self.info.height;
        let mut pair = self.pair.lock();
        pair.iter_mut().for_each(|line| self.palette.clear(line));
        let scene = Scene { look: &self.look, info: &self.info, palette: &self.palette, moment };
        let shift = i64::from(self.look.horizontal_speed)
            .wrapping_mul(moment.frame as i64)
            .rem_euclid(i64::from(self.info.width)) as usize;
        for y in ((rows.start & !1)..rows.end).step_by(2) {
            for (row, line) in (y..height.min(y + 2)).zip(pair.iter_mut()) {
                scene.draw(row, line);
                line.rotate_left(shift);
            }
            rows::pack(&self.info, 0, y, &mut pair, out);
        }
    }
}

/// What rows are drawn from.
pub(super) struct Scene<'a> {
    look: &'a Look,
    info: &'a VideoInfo,
    palette: &'a Palette,
    moment: Moment,
}

#[cfg(test)]
mod tests;
