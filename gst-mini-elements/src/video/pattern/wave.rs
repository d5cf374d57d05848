//! Patterns of waves and rays: rings, zone plates, the pinwheel, the spokes.
//!
//! Invariant: arithmetic wraps as 32 bits do, so that any coefficient gives a picture.
//! In GStreamer: `gst/videotestsrc/videotestsrc.c` (`gst_video_test_src_zoneplate`,
//! `gst_video_test_src_circular`, `gst_video_test_src_pinwheel`).
//! Left out: nothing.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::ink::{Line, Palette};
use super::{Look, Pattern};
use crate::video::info::VideoInfo;

const RAYS: usize = 19;

/// Coefficients of a zone plate's phase, in 1/256 of a wave; see the properties of `videotestsrc`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the coefficient its name says")]
pub struct Zone {
    pub k0: i32,
    pub kx: i32,
    pub ky: i32,
    pub kt: i32,
    pub kxt: i32,
    pub kyt: i32,
    pub kxy: i32,
    pub kx2: i32,
    pub ky2: i32,
    pub kt2: i32,
    pub xoffset: i32,
    pub yoffset: i32,
}

impl Zone {
    /// Whether one frame differs from the next.
    pub fn moves(&self) -> bool {
        [self.kxt, self.kyt, self.kt, self.kt2].iter().any(|k| *k != 0)
    }

    /// The phase along row `y` of frame `t`.
    fn phases(&self, info: &VideoInfo, t: u64, y: u32) -> impl Iterator<Item = u8> {
        let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
        let (width, height, t) = (side(info.width), side(info.height), t as i32);
        let mul = i32::wrapping_mul;
        let zone = *self;
        let left = (-(width / 2)).wrapping_sub(zone.xoffset);
        let rows = side(y).wrapping_add(1);
        let y = (-(height / 2)).wrapping_sub(zone.yoffset).wrapping_add(side(y));
        let across = mul(mul(zone.kxy, y), 0xffff / (width / 2).max(1));
        let of_row = zone
            .k0
            .wrapping_add(mul(zone.ky, rows))
            .wrapping_add(mul(mul(zone.kyt, t), rows))
            .wrapping_add(mul(zone.kt, t))
            .wrapping_add(mul(mul(zone.ky2, y), y).wrapping_div(height.max(1)))
            .wrapping_add(mul(mul(zone.kt2, t), t) >> 1);
        let curve = 0xffff / width.max(1);
        (0..width).map(move |i| {
            let (x, columns) = (left.wrapping_add(i), i.wrapping_add(1));
            let product = mul(across, left).wrapping_add(mul(across, columns));
            let phase = of_row
                .wrapping_add(mul(zone.kx, columns))
                .wrapping_add(mul(mul(zone.kxt, t), columns))
                .wrapping_add(product >> 16)
                .wrapping_add(mul(mul(mul(zone.kx2, x), x), curve) >> 16);
            phase as u8
        })
    }
}

/// What is computed once, for all pictures.
///
/// Only the patterns that are drawn from it ask for it: a sine brings a quarter of a megabyte of the C library's tables and
/// code into a process that paints nothing but bars.
pub struct Sheet {
    /// One wave.
    sine: [u8; 256],
    /// Direction of each ray.
    rays: [(f64, f64); RAYS],
}

impl Sheet {
    pub fn shared() -> &'static Sheet {
        static SHARED: OnceLock<Sheet> = OnceLock::new();
        SHARED.get_or_init(Sheet::new)
    }

    fn new() -> Sheet {
        let sine = std::array::from_fn(|i| {
            (128.0 + 128.0 * (2.0 * PI * i as f64 / 256.0).sin()).floor().clamp(0.0, 255.0) as u8
        });
        Sheet { sine, rays: rays(0.0) }
    }

    /// Draws row `y`. Its rays, two kilobytes, are not to be on the stack of who draws something else.
    #[inline(never)]
    pub fn draw(
        &self,
        look: &Look,
        info: &VideoInfo,
        palette: &Palette,
        frame: u64,
        y: u32,
        line: &mut Line,
    ) {
        match look.pattern {
            Pattern::ZonePlate => {
                for (pixel, phase) in line.iter_mut().zip(look.zone.phases(info, frame, y)) {
                    *pixel = palette.ramp[usize::from(self.sine[usize::from(phase)])];
                }
            }
            Pattern::ChromaZonePlate => {
                for (pixel, phase) in line.iter_mut().zip(look.zone.phases(info, frame, y)) {
                    let wave = self.sine[usize::from(phase)];
                    *pixel = match info.format.is_rgb() {
                        true => [128, 128, wave, 255],
                        false => [128, wave, wave, 255],
                    };
                }
            }
            Pattern::Circular => self.rings(info, palette, y, line),
            _ => {
                // A picture that stands still is painted at time 0, whatever `kt` is.
                let turning = look.zone.kt != 0 && look.horizontal_speed != 0 && frame > 0;
                let rays = match turning {
                    true => rays(0.001 * f64::from(look.zone.kt) * frame as f64),
                    false => self.rays,
                };
                let spokes = look.pattern == Pattern::Spokes;
                fan(&rays, spokes, info, palette, y, line);
            }
        }
    }

    fn rings(&self, info: &VideoInfo, palette: &Palette, y: u32, line: &mut Line) {
        let (width, height) = (f64::from(info.width), f64::from(info.height));
        let dy = 2.0 * f64::from(y) - height;
        for (x, pixel) in (0..info.width).zip(line.iter_mut()) {
            let dx = 2.0 * f64::from(x) - width;
            let distance = (dx * dx + dy * dy).sqrt() / (2.0 * width);
            let ring = (distance * 16.0).floor();
            let wave = if (1.0..8.0).contains(&ring) {
                let frequency = 200.0 * 2f64.powf(-(ring - 1.0) / 4.0);
                let phase = (256.0 * distance * frequency + 0.5).floor();
                self.sine[(phase as i64 & 0xff) as usize]
            } else {
                0
            };
            *pixel = palette.ramp[usize::from(wave)];
        }
    }
}

fn rays(turn: f64) -> [(f64, f64); RAYS] {
    std::array::from_fn(|k| {
        let angle = PI / RAYS as f64 * k as f64 + turn;
        (angle.cos(), angle.sin())
    })
}

/// Blades between the rays, or lines along them.
fn fan(
    rays: &[(f64, f64); RAYS],
    spokes: bool,
    info: &VideoInfo,
    palette: &Palette,
    y: u32,
    line: &mut Line,
) {
    let dy = f64::from(y) - 0.5 * f64::from(info.height);
    for (x, pixel) in (0..info.width).zip(line.iter_mut()) {
        let dx = f64::from(x) - 0.5 * f64::from(info.width);
        let mut sum = 0.0;
        for (k, (cos, sin)) in rays.iter().enumerate() {
            let across = cos * dx + sin * dy;
            if spokes {
                sum += (1.0 - across.abs() + 0.5).clamp(0.0, 1.0);
            } else {
                let side = across.clamp(-1.0, 1.0);
                sum += if k & 1 == 1 { -side } else { side };
            }
        }
        let value = if spokes { sum * 255.0 } else { sum * 128.0 + 128.0 };
        let value = value.round_ties_even().clamp(0.0, 255.0);
        *pixel = palette.ramp[value as usize];
    }
}
