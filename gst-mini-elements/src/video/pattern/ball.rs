//! The ball: where it is at a moment, and how a row of it looks.
//!
//! Invariant: rows outside of [`rows`] are those of the background.
//! In GStreamer: `gst/videotestsrc/videotestsrc.c` (`gst_video_test_src_ball`).
//! Left out: nothing.

use std::f64::consts::{PI, SQRT_2};
use std::ops::Range;

use super::ink::{Line, Palette};
use super::{Look, Moment};
use crate::video::info::VideoInfo;

/// How the ball moves, named as `videotestsrc` names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Motion {
    /// To and fro, up and down, in periods without a common multiple.
    #[default]
    Wavy,
    /// In a circle.
    Sweep,
    /// In half a circle, again and again.
    HalfSweep,
}

impl Motion {
    /// By `videotestsrc`'s number.
    pub fn from_number(number: i32) -> Motion {
        match number {
            1 => Motion::Sweep,
            2 => Motion::HalfSweep,
            _ => Motion::Wavy,
        }
    }
}

struct Ball {
    x: f64,
    y: f64,
    radius: f64,
}

fn place(motion: Motion, info: &VideoInfo, moment: Moment) -> Ball {
    let (width, height) = (f64::from(info.width), f64::from(info.height));
    let turns = match motion {
        Motion::HalfSweep => {
            let half = moment.turns / 2.0;
            half - (2.0 * half).floor() / 2.0
        }
        _ => moment.turns,
    };
    let angle = 2.0 * PI * turns;
    if motion == Motion::Wavy {
        let radius = 20.0;
        let along =
            |side: f64, angle: f64| radius + (0.5 + 0.5 * angle.sin()) * (side - 2.0 * radius);
        return Ball { x: along(width, angle), y: along(height, angle * SQRT_2), radius };
    }
    let radius = f64::from(info.width.min(info.height) / 4);
    let middle = |side: u32| f64::from(side / 2);
    Ball {
        x: middle(info.width) + angle.sin() * radius,
        y: middle(info.height) - angle.cos() * radius,
        radius,
    }
}

/// The rows that are not all background.
pub fn rows(motion: Motion, info: &VideoInfo, moment: Moment) -> Range<u32> {
    if motion != Motion::Wavy {
        // The line down the middle.
        return 0..info.height;
    }
    let ball = place(motion, info, moment);
    let clamp = |row: f64| row.clamp(0.0, f64::from(info.height)) as u32;
    clamp((ball.y - ball.radius).floor())..clamp((ball.y + ball.radius).ceil() + 1.0)
}

/// Draws row `y`.
#[inline(never)]
pub fn draw(
    look: &Look,
    info: &VideoInfo,
    palette: &Palette,
    moment: Moment,
    y: u32,
    line: &mut Line,
) {
    let ball = place(look.motion, info, moment);
    let flipped = look.flip && moment.odd;
    let ink = |cover: usize| palette.ramp[if flipped { 255 - cover } else { cover }];
    line.fill(ink(0));
    let row = f64::from(y);
    let sweeps = look.motion != Motion::Wavy;
    if sweeps && (y == info.height / 2 || y == ball.y.max(0.0) as u32) {
        return line.fill(ink(255));
    }
    if row >= ball.y - ball.radius && row <= ball.y + ball.radius {
        let dy = row - ball.y;
        let half = (ball.radius * ball.radius - dy * dy).max(0.0).sqrt().round_ties_even();
        let column = |x: f64| x.clamp(0.0, f64::from(info.width)) as usize;
        let (from, to) = (column(ball.x - half), column(ball.x + half + 1.0));
        for (x, pixel) in line[..to].iter_mut().enumerate().skip(from) {
            let distance = (x as f64 - ball.x).hypot(dy);
            let cover = ((ball.radius - distance) * 128.0).clamp(0.0, 255.0);
            *pixel = ink(cover as usize);
        }
    }
    if sweeps {
        for x in [(info.width / 2) as usize, ball.x.max(0.0) as usize] {
            if let Some(pixel) = line.get_mut(x) {
                *pixel = ink(255);
            }
        }
    }
}
