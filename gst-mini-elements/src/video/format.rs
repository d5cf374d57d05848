//! A [`VideoFormat`] says what samples a picture has and in which byte each of them lies.
//!
//! ```text
//!   I420   Y Y Y Y | U U | V V      planes, chroma for squares of four pixels
//!   YUY2   Y U Y V                  one plane, chroma for pairs
//!   BGRx   B G R -                  one plane, four bytes a pixel
//! ```
//!
//! Invariant: a format is its row of the table; nothing else knows where samples lie.
//! In GStreamer: `gst-libs/gst/video/video-format.c` (`formats`, `gst_video_format_get_info`).
//! Left out: formats of more than 8 bits a sample but the one GStreamer names first, tiles, palettes.

use super::info::VideoError;
use std::fmt;
use std::str::FromStr;

/// What the first three samples of a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Luma and two color differences.
    Yuv,
    /// Red, green, blue.
    Rgb,
    /// Luma alone.
    Gray,
}

/// Where one of a pixel's four samples lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Plane.
    pub plane: u8,
    /// First byte in the row, of the byte that counts most.
    pub at: u8,
    /// Bytes from one sample to the next.
    pub step: u8,
    /// Columns it stands for, as a power of two.
    pub across: u8,
    /// Rows it stands for, as a power of two.
    pub down: u8,
}

/// A format's row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The name in caps.
    pub name: &'static str,
    /// See [`Kind`].
    pub kind: Kind,
    /// Whether the fourth sample means anything.
    pub has_alpha: bool,
    /// 1 to 3.
    pub planes: u8,
    /// Y, U, V or red, green, blue; then alpha, or what stands in its place.
    pub samples: [Option<Sample>; 4],
    /// 8, or 16 of which 8 are looked at.
    pub bits: u8,
}

const fn sample(plane: u8, at: u8, step: u8, across: u8, down: u8) -> Option<Sample> {
    Some(Sample { plane, at, step, across, down })
}

const fn layout(
    name: &'static str,
    kind: Kind,
    has_alpha: bool,
    planes: u8,
    samples: [Option<Sample>; 4],
) -> Layout {
    Layout { name, kind, has_alpha, planes, samples, bits: 8 }
}

/// One plane; `at` are the places of the samples, 9 for none.
const fn packed(name: &'static str, kind: Kind, has_alpha: bool, step: u8, at: [u8; 4]) -> Layout {
    const fn one(at: u8, step: u8) -> Option<Sample> {
        if at == 9 { None } else { sample(0, at, step, 0, 0) }
    }
    let samples = [one(at[0], step), one(at[1], step), one(at[2], step), one(at[3], step)];
    layout(name, kind, has_alpha, 1, samples)
}

/// Luma, and chroma for pairs, in one plane.
const fn pairs(name: &'static str, y: u8, u: u8, v: u8) -> Layout {
    let samples = [sample(0, y, 2, 0, 0), sample(0, u, 4, 1, 0), sample(0, v, 4, 1, 0), None];
    layout(name, Kind::Yuv, false, 1, samples)
}

/// Three planes of one byte samples, in this order.
const fn planar(name: &'static str, kind: Kind, order: [u8; 3], across: u8, down: u8) -> Layout {
    let first = match kind {
        Kind::Rgb => sample(order[0], 0, 1, 0, 0),
        _ => sample(0, 0, 1, 0, 0),
    };
    let samples =
        [first, sample(order[1], 0, 1, across, down), sample(order[2], 0, 1, across, down), None];
    layout(name, kind, false, 3, samples)
}

/// A plane of luma, and one with both color differences.
const fn two_planes(name: &'static str, u: u8, v: u8, across: u8, down: u8) -> Layout {
    let samples =
        [sample(0, 0, 1, 0, 0), sample(1, u, 2, across, down), sample(1, v, 2, across, down), None];
    layout(name, Kind::Yuv, false, 2, samples)
}

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $layout:expr;)*) => {
        /// The order and subsampling of a picture's samples, named as in caps.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum VideoFormat {
            $($(#[$doc])* $variant,)*
        }

        impl VideoFormat {
            /// Every supported format, in the order of GStreamer's templates: what says most first.
            pub const ALL: [VideoFormat; [$(stringify!($variant)),*].len()] =
                [$(VideoFormat::$variant),*];

            const LAYOUTS: [Layout; Self::ALL.len()] = [$($layout),*];
        }
    };
}

formats! {
    /// Eight bytes a pixel: alpha, blue, green, red, 16 bits each, little end first.
    Abgr64Le = {
        let samples =
            [sample(0, 7, 8, 0, 0), sample(0, 5, 8, 0, 0), sample(0, 3, 8, 0, 0), sample(0, 1, 8, 0, 0)];
        let mut deep = layout("ABGR64_LE", Kind::Rgb, true, 1, samples);
        deep.bits = 16;
        deep
    };
    /// Alpha, blue, green, red.
    Abgr = packed("ABGR", Kind::Rgb, true, 4, [3, 2, 1, 0]);
    /// V, U, Y, alpha.
    Vuya = packed("VUYA", Kind::Yuv, true, 4, [2, 1, 0, 3]);
    /// Blue, green, red, alpha.
    Bgra = packed("BGRA", Kind::Rgb, true, 4, [2, 1, 0, 3]);
    /// Alpha, Y, U, V.
    Ayuv = packed("AYUV", Kind::Yuv, true, 4, [1, 2, 3, 0]);
    /// Alpha, red, green, blue.
    Argb = packed("ARGB", Kind::Rgb, true, 4, [1, 2, 3, 0]);
    /// Red, green, blue, alpha.
    Rgba = packed("RGBA", Kind::Rgb, true, 4, [0, 1, 2, 3]);
    /// Planes Y, U, V of one size.
    Y444 = planar("Y444", Kind::Yuv, [0, 1, 2], 0, 0);
    /// Planes red, green, blue.
    Rgbp = planar("RGBP", Kind::Rgb, [0, 1, 2], 0, 0);
    /// Planes green, blue, red.
    Gbr = planar("GBR", Kind::Rgb, [2, 0, 1], 0, 0);
    /// Planes blue, green, red.
    Bgrp = planar("BGRP", Kind::Rgb, [2, 1, 0], 0, 0);
    /// A plane Y, and one of U,V pairs for each pixel.
    Nv24 = two_planes("NV24", 0, 1, 0, 0);
    /// Nothing, blue, green, red.
    Xbgr = packed("xBGR", Kind::Rgb, false, 4, [3, 2, 1, 0]);
    /// Blue, green, red, nothing.
    Bgrx = packed("BGRx", Kind::Rgb, false, 4, [2, 1, 0, 3]);
    /// Nothing, red, green, blue.
    Xrgb = packed("xRGB", Kind::Rgb, false, 4, [1, 2, 3, 0]);
    /// Red, green, blue, nothing.
    Rgbx = packed("RGBx", Kind::Rgb, false, 4, [0, 1, 2, 3]);
    /// Blue, green, red.
    Bgr = packed("BGR", Kind::Rgb, false, 3, [2, 1, 0, 9]);
    /// Y, U, V.
    V308 = packed("v308", Kind::Yuv, false, 3, [0, 1, 2, 9]);
    /// Red, green, blue.
    Rgb = packed("RGB", Kind::Rgb, false, 3, [0, 1, 2, 9]);
    /// Planes Y, U, V; U and V at half width.
    Y42b = planar("Y42B", Kind::Yuv, [0, 1, 2], 1, 0);
    /// A plane Y, and one of V,U pairs at half width.
    Nv61 = two_planes("NV61", 1, 0, 1, 0);
    /// A plane Y, and one of U,V pairs at half width.
    Nv16 = two_planes("NV16", 0, 1, 1, 0);
    /// V, Y, U, Y for two pixels.
    Vyuy = pairs("VYUY", 1, 2, 0);
    /// U, Y, V, Y for two pixels.
    Uyvy = pairs("UYVY", 1, 0, 2);
    /// Y, V, Y, U for two pixels.
    Yvyu = pairs("YVYU", 0, 3, 1);
    /// Y, U, Y, V for two pixels.
    Yuy2 = pairs("YUY2", 0, 1, 3);
    /// Planes Y, U, V; U and V at half width and half height.
    I420 = planar("I420", Kind::Yuv, [0, 1, 2], 1, 1);
    /// Planes Y, V, U; V and U at half width and half height.
    Yv12 = planar("YV12", Kind::Yuv, [0, 2, 1], 1, 1);
    /// A plane Y, and a half-size plane of V,U pairs.
    Nv21 = two_planes("NV21", 1, 0, 1, 1);
    /// A plane Y, and a half-size plane of U,V pairs.
    Nv12 = two_planes("NV12", 0, 1, 1, 1);
    /// Planes Y, U, V; U and V at a quarter of the width.
    Y41b = planar("Y41B", Kind::Yuv, [0, 1, 2], 2, 0);
    /// One luma byte a pixel.
    Gray8 = packed("GRAY8", Kind::Gray, false, 1, [0, 9, 9, 9]);
}

impl VideoFormat {
    /// Where the samples lie.
    pub fn layout(self) -> &'static Layout {
        const LAYOUTS: &[Layout] = &VideoFormat::LAYOUTS;
        &LAYOUTS[self as usize]
    }

    /// The name used in caps.
    pub fn name(self) -> &'static str {
        self.layout().name
    }

    /// Whether samples are red, green and blue.
    pub fn is_rgb(self) -> bool {
        self.layout().kind == Kind::Rgb
    }

    /// Whether samples are luma and chroma.
    pub fn is_yuv(self) -> bool {
        self.layout().kind == Kind::Yuv
    }

    /// Bytes one pixel takes in plane 0.
    pub fn pixel_stride(self) -> usize {
        self.layout().samples[0].map_or(1, |first| usize::from(first.step))
    }

    /// How many columns and rows a chroma sample stands for, as powers of two.
    pub fn subsampling(self) -> (u8, u8) {
        self.layout().samples[1].map_or((0, 0), |chroma| (chroma.across, chroma.down))
    }
}

impl fmt::Display for VideoFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for VideoFormat {
    type Err = VideoError;

    /// Case matters, as in caps.
    fn from_str(name: &str) -> Result<Self, VideoError> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| VideoError::Format(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_names_round_trip_and_unknown_ones_are_refused() {
        for format in VideoFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "I422_10LE".parse::<VideoFormat>().unwrap_err().to_string();
        assert!(error.contains("I422_10LE") && error.contains("I420"), "{error}");
        assert!("i420".parse::<VideoFormat>().is_err());
    }

    #[test]
    fn no_two_samples_of_a_pixel_share_a_byte() {
        for format in VideoFormat::ALL {
            let samples: Vec<_> = format.layout().samples.iter().flatten().collect();
            for (i, one) in samples.iter().enumerate() {
                for other in &samples[i + 1..] {
                    assert!((one.plane, one.at) != (other.plane, other.at), "{format}");
                }
                assert!(one.plane < format.layout().planes, "{format}");
            }
        }
    }
}
