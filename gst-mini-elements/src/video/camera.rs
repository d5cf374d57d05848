//! The picture of the simulated camera: something that moves, the frame number, the time of day.
//!
//! Invariant: a frame is a function of its number and the time printed on it; what stands still is
//! painted once and copied, so a frame costs little more than the copy.
//! In GStreamer: `videotestsrc is-live=true ! timeoverlay` comes close.
//! Left out: sound.

use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

use super::info::{VideoError, VideoInfo};
use super::line::{self, Line};
use super::pattern::ink::Palette;
use super::pattern::{Colors, Painter, Pattern, rows};
use super::text::{self, Font, TimeOfDay};

/// What the camera looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Scene {
    /// A ball bouncing over a shaded background with a grid.
    #[default]
    Ball,
    /// Color bars with a white bar wandering over them.
    Smpte,
    /// Gray noise: the worst a codec can meet.
    Noise,
}

impl Scene {
    /// Every scene with its name.
    pub const ALL: [(Scene, &str); 3] =
        [(Scene::Ball, "ball"), (Scene::Smpte, "smpte"), (Scene::Noise, "noise")];
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(scene, _)| scene == self);
        f.write_str(named.map_or("ball", |(_, name)| name))
    }
}

impl FromStr for Scene {
    type Err = UnknownScene;

    fn from_str(name: &str) -> Result<Self, UnknownScene> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(scene, _)| *scene)
            .ok_or_else(|| UnknownScene(name.to_owned()))
    }
}

/// A scene name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("camera scene '{0}' is not known; known are ball, smpte, noise")]
pub struct UnknownScene(pub String);

/// Paints camera frames into byte slices laid out as its [`VideoInfo`] says.
pub struct Camera {
    info: VideoInfo,
    scene: Scene,
    palette: Palette,
    still: Vec<u8>,
    /// One row of noise and as much again to start anywhere in it, in the format's pixels.
    noise: Vec<u8>,
    font: Font,
    /// Pixels a dot of the digits takes.
    scale: usize,
}

/// Characters in a time of day.
const TIME_LENGTH: usize = 12;

impl Camera {
    /// Paints what stands still, once.
    pub fn new(scene: Scene, info: VideoInfo) -> Self {
        let palette = Palette::new(&info, Colors::default());
        let (width, height) = (info.width as usize, info.height as usize);
        let fits = width / (TIME_LENGTH * text::GLYPH_WIDTH + 2 * text::PADDING);
        let scale = (height / 180).clamp(1, fits.max(1));
        let still = vec![0; info.size()];
        let mut camera =
            Camera { info, scene, palette, still, noise: Vec::new(), font: Font::new(), scale };
        match scene {
            Scene::Ball => {
                let mut still = std::mem::take(&mut camera.still);
                let mut pair = [Line::new(), Line::new()];
                for row in (0..height).step_by(2) {
                    camera.paint_rows(None, (0, width), row, &mut pair, &mut still);
                }
                camera.still = still;
            }
            Scene::Smpte => {
                let bars = Painter::new(Pattern::Smpte, camera.info.clone(), Colors::default());
                camera.still = bars.into_still();
            }
            Scene::Noise => {
                let gray = [128, 128, 128, 255];
                text::fill(&camera.info, (0, 0), (width, height), gray, &mut camera.still);
                camera.noise = noise_row(&camera.info, &camera.palette);
            }
        }
        camera
    }

    /// The picture this camera gives.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// Paints frame number `frame` into the first [`VideoInfo::size`] bytes of `out`, and prints on
    /// it the number and, if given, the time of day.
    pub fn paint(
        &self,
        frame: u64,
        time_of_day: Option<TimeOfDay>,
        out: &mut [u8],
    ) -> Result<(), VideoError> {
        self.info.check(out)?;
        out[..self.still.len()].copy_from_slice(&self.still);
        let (width, height) = (self.info.width as usize, self.info.height as usize);
        match self.scene {
            Scene::Ball => {
                let radius = self.radius();
                let x = bounce(frame, width / 160 + 1, width.saturating_sub(2 * radius)) + radius;
                let y = bounce(frame, height / 120 + 1, height.saturating_sub(2 * radius)) + radius;
                self.paint_ball((x, y), out);
            }
            Scene::Smpte => {
                let bar = (width / 16).max(2);
                let x = bounce(frame, width / 160 + 1, width.saturating_sub(bar));
                text::fill(&self.info, (x, 0), (bar, height), self.palette.foreground, out);
            }
            Scene::Noise => self.paint_noise(frame, out),
        }
        self.paint_caption(frame, time_of_day, out);
        Ok(())
    }

    fn radius(&self) -> usize {
        (self.info.width.min(self.info.height) as usize / 10).max(1)
    }

    /// Paints a ball over the background: its rim pixel by pixel, what is inside by the run.
    fn paint_ball(&self, (x, y): (usize, usize), out: &mut [u8]) {
        let (width, height) = (self.info.width as usize, self.info.height as usize);
        let radius = self.radius();
        let reach = |row: usize| {
            let off = row.abs_diff(y);
            (row < height && off <= radius).then(|| (radius * radius - off * off).isqrt())
        };
        // Whole groups of pixels that share chroma, and one more, so that beyond it nothing is mixed.
        let before = |column: usize| (column & !3).saturating_sub(4);
        let behind = |column: usize| (column.next_multiple_of(4) + 4).min(width);
        let mut pair = [Line::new(), Line::new()];
        for row in ((y - radius) & !1..=y + radius).step_by(2) {
            let reaches = [reach(row), reach(row + 1)];
            let Some(outer) = reaches.into_iter().flatten().max() else { continue };
            let all = (before(x - outer), behind(x + outer + 1));
            let inside = match reaches {
                [Some(upper), Some(lower)] => {
                    let inner = upper.min(lower);
                    behind(x - inner)..before(x + inner + 1)
                }
                _ => 0..0,
            };
            if inside.is_empty() {
                self.paint_rows(Some((x, y)), all, row, &mut pair, out);
                continue;
            }
            self.paint_rows(Some((x, y)), (all.0, inside.start), row, &mut pair, out);
            let size = (inside.len(), 2);
            text::fill(&self.info, (inside.start, row), size, self.palette.bars[1], out);
            self.paint_rows(Some((x, y)), (inside.end, all.1), row, &mut pair, out);
        }
    }

    /// Paints the background and the ball, if there is one, into these columns of the rows `top` and `top + 1`;
    /// both numbers start groups of pixels that share chroma.
    fn paint_rows(
        &self,
        ball: Option<(usize, usize)>,
        (left, right): (usize, usize),
        top: usize,
        pair: &mut [Line; 2],
        out: &mut [u8],
    ) {
        let (height, grid) = (self.info.height as usize, (self.info.height as usize / 9).max(8));
        let paper = &self.palette.ramp;
        let color = self.palette.bars[1];
        let reach = (self.radius() * self.radius()) as i64;
        for (y, line) in (top..).zip(pair.iter_mut()) {
            let shade = 40 + y.min(height - 1) * 80 / height;
            let ruled = y % grid == 0;
            line.clear();
            line.extend((left..right).map(|x| {
                let lit = if ruled || x % grid == 0 { shade + 40 } else { shade };
                let inside = ball.is_some_and(|(center_x, center_y)| {
                    let (dx, dy) = (x as i64 - center_x as i64, y as i64 - center_y as i64);
                    dx * dx + dy * dy <= reach
                });
                if inside { color } else { paper[lit] }
            }));
        }
        rows::pack(&self.info, left, top as u32, pair, out);
    }

    /// Each row is a stretch of the same noise, begun at another place.
    fn paint_noise(&self, frame: u64, out: &mut [u8]) {
        let plane = self.info.planes()[0];
        // Where pairs of pixels share chroma, rows begin with whole pairs.
        let shares =
            if self.info.plane_count() == 1 { self.info.format.subsampling().0 } else { 0 };
        let pixel = self.info.format.pixel_stride() << shares;
        let starts = ((self.noise.len() - plane.row_bytes) / pixel).max(1);
        let mut state = frame.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for row in 0..plane.height {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let from = (state as usize % starts) * pixel;
            let to = plane.offset + row * plane.stride;
            out[to..to + plane.row_bytes]
                .copy_from_slice(&self.noise[from..from + plane.row_bytes]);
        }
    }

    fn paint_caption(&self, frame: u64, time_of_day: Option<TimeOfDay>, out: &mut [u8]) {
        let inks = (self.palette.foreground, self.palette.black);
        let margin = 8 * self.scale;
        let mut y = margin;
        let mut caption = String::with_capacity(24);
        // A String takes whatever is written to it.
        let _ = write!(caption, "#{frame:06}");
        self.font.draw(&caption, self.scale, (margin, y), inks, &self.info, out);
        if let Some(time_of_day) = time_of_day {
            y += Font::box_size(&caption, self.scale).1;
            caption.clear();
            let _ = write!(caption, "{time_of_day}");
            self.font.draw(&caption, self.scale, (margin, y), inks, &self.info, out);
        }
    }
}

/// Goes from `reach` to 0 and back in steps of `step`; the far end is away from the caption.
fn bounce(frame: u64, step: usize, reach: usize) -> usize {
    if reach == 0 {
        return 0;
    }
    let period = 2 * reach as u64;
    let at = (frame % period) * step as u64 % period;
    at.abs_diff(reach as u64) as usize
}

fn noise_row(info: &VideoInfo, palette: &Palette) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let wide = VideoInfo { width: info.width * 2, height: 1, ..info.clone() };
    let line: Line = (0..wide.width)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            palette.ramp[(state >> 32) as usize & 0xff]
        })
        .collect();
    let mut row = vec![0; wide.size()];
    line::pack(&wide, 0, 0, &line, &mut row);
    row.truncate(wide.planes()[0].row_bytes);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::VideoFormat;

    fn camera(scene: Scene, format: VideoFormat, width: u32, height: u32) -> Camera {
        Camera::new(scene, VideoInfo::new(format, width, height).unwrap())
    }

    fn frame(camera: &Camera, number: u64, ms: u64) -> Vec<u8> {
        let mut out = vec![0; camera.info().size()];
        camera.paint(number, Some(TimeOfDay(ms * 1_000_000)), &mut out).unwrap();
        out
    }

    #[test]
    fn same_frame_and_time_give_the_same_bytes_over_dirty_memory() {
        for (scene, _) in Scene::ALL {
            for format in VideoFormat::ALL {
                let camera = camera(scene, format, 80, 46);
                let clean = frame(&camera, 7, 1234);
                let mut dirty = frame(&camera, 900, 1);
                camera.paint(7, Some(TimeOfDay(1_234_000_000)), &mut dirty).unwrap();
                assert_eq!(clean, dirty, "{scene} {format}");
            }
        }
    }

    #[test]
    fn a_ball_painted_by_runs_is_the_one_painted_row_by_row() {
        for format in VideoFormat::ALL {
            for (width, height) in [(1, 1), (2, 3), (31, 17), (82, 46), (240, 136), (241, 135)] {
                let camera = camera(Scene::Ball, format, width, height);
                let radius = camera.radius();
                let (width, height) = (width as usize, height as usize);
                for (x, y) in [(0, 0), (1, 0), (0, 1), (3, 5), (usize::MAX, usize::MAX)] {
                    let at = |off: usize, side: usize| {
                        radius + off.min(side.saturating_sub(2 * radius + 1))
                    };
                    let ball = (at(x, width), at(y, height));
                    let mut by_runs = camera.still.clone();
                    camera.paint_ball(ball, &mut by_runs);
                    let mut by_rows = camera.still.clone();
                    let mut pair = [Line::new(), Line::new()];
                    for row in (0..height).step_by(2) {
                        camera.paint_rows(Some(ball), (0, width), row, &mut pair, &mut by_rows);
                    }
                    assert!(by_runs == by_rows, "{format} {width}x{height} {ball:?}");
                }
            }
        }
    }

    #[test]
    fn consecutive_frames_differ_outside_of_the_caption() {
        for (scene, _) in Scene::ALL {
            let camera = camera(scene, VideoFormat::Gray8, 640, 360);
            let beside_caption = |number| {
                let data = frame(&camera, number, 0);
                data.chunks(640).flat_map(|row| row[320..].to_vec()).collect::<Vec<u8>>()
            };
            let mut last = beside_caption(0);
            for number in 1..40 {
                let next = beside_caption(number);
                assert_ne!(last, next, "{scene} frame {number}");
                last = next;
            }
        }
    }

    #[test]
    fn frame_number_and_time_each_change_their_own_line() {
        let camera = camera(Scene::Smpte, VideoFormat::I420, 640, 360);
        let line = |data: &[u8], rows: std::ops::Range<usize>| {
            data[rows.start * 640..rows.end * 640].to_vec()
        };
        let (first, later) = (frame(&camera, 5, 1000), frame(&camera, 5, 1001));
        assert_eq!(line(&first, 0..64), line(&later, 0..64));
        assert_ne!(line(&first, 64..112), line(&later, 64..112));
    }

    #[test]
    fn any_size_and_any_frame_number_can_be_painted() {
        for (scene, _) in Scene::ALL {
            for format in VideoFormat::ALL {
                for (width, height) in [(1, 1), (2, 3), (17, 5), (31, 17)] {
                    let camera = camera(scene, format, width, height);
                    for number in [0, 1, 99, u64::MAX] {
                        frame(&camera, number, u64::MAX / 1_000_000);
                    }
                }
            }
        }
    }

    #[test]
    fn scene_names_round_trip_and_unknown_ones_are_refused() {
        for (scene, name) in Scene::ALL {
            assert_eq!(name.parse(), Ok(scene));
            assert_eq!(scene.to_string(), name);
        }
        let error = "sunset".parse::<Scene>().unwrap_err().to_string();
        assert_eq!(error, "camera scene 'sunset' is not known; known are ball, smpte, noise");
    }
}
