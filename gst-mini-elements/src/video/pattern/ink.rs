//! The colors of the test pictures, in the components they are painted with.
//!
//! Invariant: bars are tables, because broadcast bars are defined by their code values; only the
//! user's two colors are computed.
//! In GStreamer: `gst/videotestsrc/videotestsrc.c` (`vts_colors_bt601_ycbcr_100`, `videotestsrc_setup_paintinfo`).
//! Left out: full-range YUV.

use super::Colors;
use crate::video::color::Colorimetry;
use crate::video::info::VideoInfo;

pub use crate::video::line::{Ink, Line};

/// The colors of one picture, in its own components.
pub struct Palette {
    /// White, yellow, cyan, green, magenta, red, blue.
    pub bars: [Ink; 7],
    /// The same at 75 %.
    pub bars_75: [Ink; 7],
    /// Black and white of the bars, whatever the user's colors are.
    pub black: Ink,
    /// -I, white, +Q.
    pub burst: [Ink; 3],
    /// Blacker than black, black, and a little lighter.
    pub pluge: [Ink; 3],
    /// The user's colors.
    pub foreground: Ink,
    /// See `foreground`.
    pub background: Ink,
    /// `background` to `foreground` in 256 steps.
    pub ramp: [Ink; 256],
}

const fn opaque(colors: [[u8; 3]; 7]) -> [Ink; 7] {
    let mut inks = [[0; 4]; 7];
    let mut i = 0;
    while i < 7 {
        inks[i] = [colors[i][0], colors[i][1], colors[i][2], 255];
        i += 1;
    }
    inks
}

const RGB_100: [Ink; 7] = opaque([
    [255, 255, 255],
    [255, 255, 0],
    [0, 255, 255],
    [0, 255, 0],
    [255, 0, 255],
    [255, 0, 0],
    [0, 0, 255],
]);
const RGB_75: [Ink; 7] = opaque([
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
]);
const BT601_100: [Ink; 7] = opaque([
    [235, 128, 128],
    [210, 16, 146],
    [170, 166, 16],
    [145, 54, 34],
    [106, 202, 222],
    [81, 90, 240],
    [41, 240, 110],
]);
const BT601_75: [Ink; 7] = opaque([
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
]);
const BT709_100: [Ink; 7] = opaque([
    [235, 128, 128],
    [219, 16, 138],
    [188, 154, 16],
    [173, 42, 26],
    [78, 214, 230],
    [63, 102, 240],
    [32, 240, 118],
]);
const BT709_75: [Ink; 7] = opaque([
    [180, 128, 128],
    [168, 44, 136],
    [145, 147, 44],
    [133, 63, 52],
    [63, 193, 204],
    [51, 109, 212],
    [28, 212, 120],
]);

impl Palette {
    pub fn new(info: &VideoInfo, colors: Colors) -> Self {
        let rgb = info.format.is_rgb();
        let standard = info.colorimetry.matrix == Colorimetry::BT601.matrix;
        let (bars, bars_75) = match (rgb, standard) {
            (true, _) => (RGB_100, RGB_75),
            (false, false) => (BT709_100, BT709_75),
            (false, true) => (BT601_100, BT601_75),
        };
        let user = |argb: u32| if rgb { rgb_of(argb) } else { yuv_of(argb, standard) };
        let (foreground, background) = (user(colors.foreground), user(colors.background));
        let ramp = std::array::from_fn(|step| blend(background, foreground, step as u32));
        let (black, burst, pluge) = if rgb {
            (
                [0, 0, 0, 255],
                [[0, 0, 128, 255], [255, 255, 255, 255], [0, 128, 255, 255]],
                [[0, 0, 0, 255], [0, 0, 0, 255], [19, 19, 19, 255]],
            )
        } else {
            (
                [16, 128, 128, 255],
                [[16, 198, 21, 255], [235, 128, 128, 255], [16, 235, 198, 255]],
                [[0, 128, 128, 255], [16, 128, 128, 255], [32, 128, 128, 255]],
            )
        };
        Palette { bars, bars_75, black, burst, pluge, foreground, background, ramp }
    }

    /// A row of background.
    pub fn line(&self, width: u32) -> Line {
        vec![self.background; width as usize]
    }

    /// Makes a row one of background again.
    pub fn clear(&self, line: &mut Line) {
        line.fill(self.background);
    }
}

fn rgb_of(argb: u32) -> Ink {
    let [a, r, g, b] = argb.to_be_bytes();
    [r, g, b, a]
}

/// Coefficients in 1/1024; luma from 16 to 235, whatever the picture's range is.
fn yuv_of(argb: u32, standard: bool) -> Ink {
    let [a, r, g, b] = argb.to_be_bytes();
    let rgb = [i32::from(r), i32::from(g), i32::from(b)];
    let fix = |part: f64, of: f64| (part * of / 255.0 * 1024.0 + 0.5) as i32;
    let parts = match standard {
        true => [[0.299, 0.587, 0.114], [-0.16874, -0.33126, 0.5], [0.5, -0.41869, -0.08131]],
        false => {
            [[0.2126, 0.7152, 0.0722], [-0.114572, -0.385427, 0.5], [0.5, -0.454153, -0.045847]]
        }
    };
    let sum = |parts: [f64; 3], of: f64| -> i32 {
        let signed = |part: f64| if part < 0.0 { -fix(-part, of) } else { fix(part, of) };
        parts.iter().zip(rgb).map(|(part, value)| signed(*part) * value).sum()
    };
    let luma = (sum(parts[0], 219.0) + 512 + (16 << 10)) >> 10;
    let chroma = |parts| ((sum(parts, 224.0) + 511) >> 10) + 128;
    let [y, u, v] =
        [luma, chroma(parts[1]), chroma(parts[2])].map(|value| value.clamp(0, 255) as u8);
    [y, u, v, a]
}

fn blend(from: Ink, to: Ink, step: u32) -> Ink {
    std::array::from_fn(|i| {
        ((u32::from(from[i]) * (255 - step) + u32::from(to[i]) * step + 127) / 255) as u8
    })
}
