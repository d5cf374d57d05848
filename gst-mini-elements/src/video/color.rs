//! A [`Colorimetry`] says what samples mean as light: range, matrix, transfer curve, primaries.
//!
//! Invariant: red, green and blue have no matrix; luma and chroma always have one.
//! In GStreamer: `gst-libs/gst/video/video-color.c` (`gst_video_colorimetry_from_string`,
//! `gst_video_color_matrix_get_Kr_Kb`).
//! Left out: what transfer curve and primaries would change; they are read, kept and written.

use super::format::{Kind, VideoFormat};
use super::info::VideoError;
use std::fmt;
use std::str::FromStr;

/// GStreamer's numbers for each part; 0 is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colorimetry {
    /// 1: 0 to 255; 2: luma from 16 to 235, chroma from 16 to 240.
    pub range: u8,
    /// 1: none, as in RGB; 2 FCC, 3 BT.709, 4 BT.601, 5 SMPTE 240M, 6 BT.2020.
    pub matrix: u8,
    /// Transfer curve.
    pub transfer: u8,
    /// Primaries.
    pub primaries: u8,
}

/// Full range, as a number.
pub const FULL: u8 = 1;
const RGB_MATRIX: u8 = 1;
const HIGHEST: [u8; 4] = [2, 6, 18, 11];

impl Colorimetry {
    /// Standard definition; luma from 16 to 235.
    pub const BT601: Self = Self::new(2, 4, 16, 4);
    /// High definition; luma from 16 to 235.
    pub const BT709: Self = Self::new(2, 3, 5, 1);
    /// Red, green and blue from 0 to 255.
    pub const SRGB: Self = Self::new(1, 1, 7, 1);
    /// Gray from 0 to 255.
    pub const GRAY: Self = Self::new(1, 4, 0, 0);

    const NAMED: [(&'static str, Self); 8] = [
        ("bt601", Self::BT601),
        ("bt709", Self::BT709),
        ("smpte240m", Self::new(2, 5, 6, 5)),
        ("sRGB", Self::SRGB),
        ("bt2020", Self::new(2, 6, 11, 7)),
        ("bt2020-10", Self::new(2, 6, 13, 7)),
        ("bt2100-pq", Self::new(2, 6, 14, 7)),
        ("bt2100-hlg", Self::new(2, 6, 15, 7)),
    ];

    const fn new(range: u8, matrix: u8, transfer: u8, primaries: u8) -> Self {
        Colorimetry { range, matrix, transfer, primaries }
    }

    /// What caps without a colorimetry mean: sRGB for RGB, BT.709 for YUV above 576 lines, else
    /// BT.601; gray of any size goes from 0 to 255.
    pub fn default_for(format: VideoFormat, height: u32) -> Self {
        match format.layout().kind {
            Kind::Rgb => Self::SRGB,
            Kind::Gray => Self::GRAY,
            Kind::Yuv if height > 576 => Self::BT709,
            Kind::Yuv => Self::BT601,
        }
    }

    /// As it must be for samples of this kind: RGB has no matrix, YUV has one of its own.
    pub fn valid_for(self, format: VideoFormat, height: u32) -> Self {
        match format.layout().kind {
            Kind::Rgb => Colorimetry { matrix: RGB_MATRIX, ..self },
            Kind::Yuv if self.matrix <= RGB_MATRIX => Self::default_for(format, height),
            _ => self,
        }
    }

    /// Shares of red and blue in luma; those of BT.601 where none are known.
    pub fn shares(self) -> (f64, f64) {
        match self.matrix {
            2 => (0.30, 0.11),
            3 => (0.2126, 0.0722),
            5 => (0.212, 0.087),
            6 => (0.2627, 0.0593),
            _ => (0.299, 0.114),
        }
    }

    /// Whether samples use all values from 0 to 255.
    pub fn is_full(self) -> bool {
        self.range != 2
    }
}

impl fmt::Display for Colorimetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(_, known)| known == self) {
            Some((name, _)) => f.write_str(name),
            None => {
                write!(f, "{}:{}:{}:{}", self.range, self.matrix, self.transfer, self.primaries)
            }
        }
    }
}

impl FromStr for Colorimetry {
    type Err = VideoError;

    /// A name, or `range:matrix:transfer:primaries` in GStreamer's numbers.
    fn from_str(text: &str) -> Result<Self, VideoError> {
        if let Some((_, known)) = Self::NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(*known);
        }
        let unknown = || VideoError::Colorimetry(text.to_owned());
        let numbers: Vec<u8> =
            text.split(':').map(str::parse).collect::<Result<_, _>>().map_err(|_| unknown())?;
        match numbers.as_slice() {
            &[range, matrix, transfer, primaries]
                if numbers.iter().zip(HIGHEST).all(|(number, highest)| *number <= highest) =>
            {
                Ok(Self::new(range, matrix, transfer, primaries))
            }
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_follows_kind_and_height() {
        let default = Colorimetry::default_for;
        assert_eq!(default(VideoFormat::I420, 576), Colorimetry::BT601);
        assert_eq!(default(VideoFormat::Nv12, 577), Colorimetry::BT709);
        assert_eq!(default(VideoFormat::Gray8, 720), Colorimetry::GRAY);
        assert_eq!(default(VideoFormat::Rgb, 240), Colorimetry::SRGB);
    }

    #[test]
    fn names_and_numbers_are_read_and_written() {
        assert_eq!("bt709".parse(), Ok(Colorimetry::BT709));
        assert_eq!("2:4:16:4".parse(), Ok(Colorimetry::BT601));
        for text in ["bt601", "bt709", "sRGB", "bt2020", "1:1:5:1", "1:4:0:0", "smpte240m"] {
            let read: Colorimetry = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
        for bad in ["", "bt9", "2:4:5", "2:4:5:4:1", "a:b:c:d", "9:4:5:4", "2:44:5:4"] {
            assert!(bad.parse::<Colorimetry>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_matrix_is_what_the_kind_of_samples_allows() {
        let rgb = Colorimetry::BT709.valid_for(VideoFormat::Rgb, 720);
        assert_eq!(rgb.to_string(), "2:1:5:1");
        assert_eq!(Colorimetry::SRGB.valid_for(VideoFormat::I420, 720), Colorimetry::BT709);
    }
}
