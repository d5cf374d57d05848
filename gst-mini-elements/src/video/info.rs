//! [`VideoInfo`] says how a raw picture lies in memory: its planes, their strides, its size.
//!
//! Invariant: strides, offsets and sizes are those GStreamer computes for the same format, width
//! and height, so frames can be exchanged with it byte for byte, odd sizes included.
//! In GStreamer: `gst-libs/gst/video/video-info.c` (`gst_video_info_set_format`, `fill_planes`).
//! Left out: interlacing, multiview, pixel aspect ratio other than 1/1, strides of one's own.

use std::fmt;
use std::str::FromStr;

/// Why a picture description was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VideoError {
    /// The format name is not one of [`VideoFormat::ALL`].
    #[error(
        "video format '{0}' is not supported; supported are I420, NV12, RGBA, BGRA, RGB, GRAY8"
    )]
    Format(String),
    /// Width or height is zero or beyond [`MAX_SIDE`].
    #[error("a picture of {0}x{1} is not supported; both sides must be between 1 and 32767")]
    Size(u32, u32),
    /// The colorimetry is neither a known name nor a range:matrix:transfer:primaries it stands for.
    #[error("colorimetry '{0}' is not supported; supported are bt601, bt709 and sRGB")]
    Colorimetry(String),
    /// A byte slice is too short for the picture it is said to hold.
    #[error("a {what} frame needs {need} bytes, {have} were given")]
    Short {
        /// Format and size, for example `I420 320x240`.
        what: String,
        /// Bytes needed.
        need: usize,
        /// Bytes given.
        have: usize,
    },
    /// Two pictures that must have the same size do not.
    #[error(
        "the source is {0}x{1} and the destination {2}x{3}; insert `videoscale` to change the size"
    )]
    SizesDiffer(u32, u32, u32, u32),
    /// A conversion that is not offered.
    #[error("cannot convert: {0}")]
    Convert(String),
}

/// The longest side a picture may have, in pixels.
pub const MAX_SIDE: u32 = 32_767;

/// The order and subsampling of a picture's samples, named as in caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoFormat {
    /// Planes Y, U, V; U and V at half width and half height.
    I420,
    /// A plane Y, and a half-size plane of U,V pairs.
    Nv12,
    /// Four bytes a pixel: red, green, blue, alpha.
    Rgba,
    /// Four bytes a pixel: blue, green, red, alpha.
    Bgra,
    /// Three bytes a pixel: red, green, blue.
    Rgb,
    /// One luma byte a pixel.
    Gray8,
}

impl VideoFormat {
    /// Every supported format, the preferred one first.
    pub const ALL: [VideoFormat; 6] = [
        VideoFormat::I420,
        VideoFormat::Nv12,
        VideoFormat::Rgba,
        VideoFormat::Bgra,
        VideoFormat::Rgb,
        VideoFormat::Gray8,
    ];

    /// The name used in caps.
    pub fn name(self) -> &'static str {
        match self {
            VideoFormat::I420 => "I420",
            VideoFormat::Nv12 => "NV12",
            VideoFormat::Rgba => "RGBA",
            VideoFormat::Bgra => "BGRA",
            VideoFormat::Rgb => "RGB",
            VideoFormat::Gray8 => "GRAY8",
        }
    }

    /// Whether samples are red, green and blue.
    pub fn is_rgb(self) -> bool {
        matches!(self, VideoFormat::Rgba | VideoFormat::Bgra | VideoFormat::Rgb)
    }

    /// Whether samples are luma and subsampled chroma.
    pub fn is_yuv(self) -> bool {
        matches!(self, VideoFormat::I420 | VideoFormat::Nv12)
    }

    /// Bytes one pixel takes in plane 0.
    pub fn pixel_stride(self) -> usize {
        match self {
            VideoFormat::Rgba | VideoFormat::Bgra => 4,
            VideoFormat::Rgb => 3,
            VideoFormat::I420 | VideoFormat::Nv12 | VideoFormat::Gray8 => 1,
        }
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

/// What the samples mean as light: matrix and range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Colorimetry {
    /// Standard definition; luma from 16 to 235.
    Bt601,
    /// High definition; luma from 16 to 235.
    Bt709,
    /// Red, green and blue from 0 to 255.
    Srgb,
}

impl Colorimetry {
    /// What caps without a colorimetry mean: sRGB for RGB, BT.709 for YUV above 576 lines, else
    /// BT.601 (gray of any size included).
    pub fn default_for(format: VideoFormat, height: u32) -> Self {
        match format {
            f if f.is_rgb() => Colorimetry::Srgb,
            f if f.is_yuv() && height > 576 => Colorimetry::Bt709,
            _ => Colorimetry::Bt601,
        }
    }

    /// The name used in caps.
    pub fn name(self) -> &'static str {
        match self {
            Colorimetry::Bt601 => "bt601",
            Colorimetry::Bt709 => "bt709",
            Colorimetry::Srgb => "sRGB",
        }
    }
}

impl fmt::Display for Colorimetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Colorimetry {
    type Err = VideoError;

    /// A name, or `range:matrix:transfer:primaries` in GStreamer's numbers, where transfer and
    /// primaries are read and not used.
    fn from_str(text: &str) -> Result<Self, VideoError> {
        match text {
            "bt601" => return Ok(Colorimetry::Bt601),
            "bt709" => return Ok(Colorimetry::Bt709),
            "sRGB" => return Ok(Colorimetry::Srgb),
            _ => {}
        }
        let mut numbers = text.split(':').map(str::parse::<u8>);
        let fields = [numbers.next(), numbers.next(), numbers.next(), numbers.next()];
        match (fields, numbers.next()) {
            ([Some(Ok(range)), Some(Ok(matrix)), Some(Ok(_)), Some(Ok(_))], None) => {
                match (range, matrix) {
                    (2, 4) => Ok(Colorimetry::Bt601),
                    (2, 3) => Ok(Colorimetry::Bt709),
                    (1, 1) => Ok(Colorimetry::Srgb),
                    _ => Err(VideoError::Colorimetry(text.to_owned())),
                }
            }
            _ => Err(VideoError::Colorimetry(text.to_owned())),
        }
    }
}

/// Where one plane of a frame lies; all figures in bytes but `height`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plane {
    /// First byte, from the start of the frame.
    pub offset: usize,
    /// Distance between the starts of two rows.
    pub stride: usize,
    /// Bytes of a row that hold samples; the rest of the stride is padding.
    pub row_bytes: usize,
    /// Rows that hold samples.
    pub height: usize,
}

/// A picture format with size, rate and colorimetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoInfo {
    /// Sample order.
    pub format: VideoFormat,
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Frames per second, numerator and denominator; 0/1 is "variable".
    pub fps: (i32, i32),
    /// Matrix and range.
    pub colorimetry: Colorimetry,
}

impl VideoInfo {
    /// A picture at 30/1 frames a second with the default colorimetry of its format and height.
    pub fn new(format: VideoFormat, width: u32, height: u32) -> Result<Self, VideoError> {
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(VideoError::Size(width, height));
        }
        let colorimetry = Colorimetry::default_for(format, height);
        Ok(VideoInfo { format, width, height, fps: (30, 1), colorimetry })
    }

    /// The same picture at another rate.
    pub fn with_fps(mut self, numerator: i32, denominator: i32) -> Self {
        self.fps = (numerator, denominator);
        self
    }

    /// The same picture with another colorimetry.
    pub fn with_colorimetry(mut self, colorimetry: Colorimetry) -> Self {
        self.colorimetry = colorimetry;
        self
    }

    /// Number of planes, 1 to 3.
    pub fn plane_count(&self) -> usize {
        match self.format {
            VideoFormat::I420 => 3,
            VideoFormat::Nv12 => 2,
            _ => 1,
        }
    }

    /// Width of a chroma plane, in samples: half of the width, rounded up.
    pub fn chroma_width(&self) -> usize {
        (self.width as usize).div_ceil(2)
    }

    /// Height of a chroma plane, in rows: half of the height, rounded up.
    pub fn chroma_height(&self) -> usize {
        (self.height as usize).div_ceil(2)
    }

    /// Whether a chroma sample sits on the left luma sample of its pair, as above 576 lines, and
    /// not between the two.
    pub fn chroma_is_cosited(&self) -> bool {
        self.format.is_yuv() && self.height > 576
    }

    /// The planes, of which the first [`plane_count`](Self::plane_count) are meaningful.
    pub fn planes(&self) -> [Plane; 3] {
        let (width, height) = (self.width as usize, self.height as usize);
        let (chroma_width, chroma_height) = (self.chroma_width(), self.chroma_height());
        let row_bytes = width * self.format.pixel_stride();
        let first = Plane { offset: 0, stride: row_bytes.next_multiple_of(4), row_bytes, height };
        // The luma plane of an odd height is followed by a row nobody uses.
        let chroma_start = first.stride * chroma_height * 2;
        match self.format {
            VideoFormat::I420 => {
                let stride = chroma_width.next_multiple_of(4);
                let u = Plane {
                    offset: chroma_start,
                    stride,
                    row_bytes: chroma_width,
                    height: chroma_height,
                };
                [first, u, Plane { offset: chroma_start + stride * chroma_height, ..u }]
            }
            VideoFormat::Nv12 => {
                let uv = Plane {
                    offset: chroma_start,
                    stride: first.stride,
                    row_bytes: chroma_width * 2,
                    height: chroma_height,
                };
                [first, uv, Plane::default()]
            }
            _ => [first, Plane::default(), Plane::default()],
        }
    }

    /// Bytes of one frame.
    pub fn size(&self) -> usize {
        let planes = self.planes();
        match self.format {
            VideoFormat::I420 => planes[2].offset + planes[2].stride * planes[2].height,
            VideoFormat::Nv12 => planes[1].offset + planes[1].stride * planes[1].height,
            _ => planes[0].stride * planes[0].height,
        }
    }

    /// Refuses a slice that is shorter than one frame.
    pub fn check(&self, data: &[u8]) -> Result<(), VideoError> {
        let need = self.size();
        if data.len() < need {
            let what = format!("{} {}x{}", self.format, self.width, self.height);
            return Err(VideoError::Short { what, need, have: data.len() });
        }
        Ok(())
    }

    /// The planes of `data` with their strides; those the format does not have are empty.
    pub fn split<'a>(&self, data: &'a [u8]) -> Result<[&'a [u8]; 3], VideoError> {
        self.check(data)?;
        let planes = self.planes();
        Ok(match self.plane_count() {
            1 => [&data[..self.size()], &[], &[]],
            2 => [&data[..planes[1].offset], &data[planes[1].offset..self.size()], &[]],
            _ => [
                &data[..planes[1].offset],
                &data[planes[1].offset..planes[2].offset],
                &data[planes[2].offset..self.size()],
            ],
        })
    }

    /// The planes of `data`, to be written; those the format does not have are empty.
    pub fn split_mut<'a>(&self, data: &'a mut [u8]) -> Result<[&'a mut [u8]; 3], VideoError> {
        self.check(data)?;
        let planes = self.planes();
        let data = &mut data[..self.size()];
        let (first, rest) =
            data.split_at_mut(if self.plane_count() > 1 { planes[1].offset } else { data.len() });
        let second =
            if self.plane_count() > 2 { planes[2].offset - planes[1].offset } else { rest.len() };
        let (second, third) = rest.split_at_mut(second);
        Ok([first, second, third])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        format: &str,
        width: u32,
        height: u32,
        strides: &[usize],
        offsets: &[usize],
        size: usize,
    ) {
        let info = VideoInfo::new(format.parse().unwrap(), width, height).unwrap();
        let planes = &info.planes()[..info.plane_count()];
        assert_eq!(planes.iter().map(|p| p.stride).collect::<Vec<_>>(), strides, "strides");
        assert_eq!(planes.iter().map(|p| p.offset).collect::<Vec<_>>(), offsets, "offsets");
        assert_eq!(info.size(), size, "size");
        let data = vec![0; size];
        let split = info.split(&data).unwrap();
        for (plane, bytes) in planes.iter().zip(split) {
            assert!(bytes.len() >= plane.stride * (plane.height - 1) + plane.row_bytes);
        }
        assert_eq!(split.iter().map(|p| p.len()).sum::<usize>(), size);
    }

    #[test]
    fn layout_even_sizes_are_tight() {
        check("I420", 320, 240, &[320, 160, 160], &[0, 76800, 96000], 115_200);
        check("NV12", 1280, 720, &[1280, 1280], &[0, 921_600], 1_382_400);
        check("RGBA", 320, 240, &[1280], &[0], 307_200);
        check("GRAY8", 320, 240, &[320], &[0], 76800);
    }

    #[test]
    fn layout_odd_sizes_round_strides_to_four_and_rows_to_two() {
        check("I420", 321, 241, &[324, 164, 164], &[0, 78408, 98252], 118_096);
        check("NV12", 321, 241, &[324, 324], &[0, 78408], 117_612);
        check("RGB", 321, 241, &[964], &[0], 232_324);
        check("GRAY8", 321, 241, &[324], &[0], 78084);
        check("I420", 1, 1, &[4, 4, 4], &[0, 8, 12], 16);
        check("I420", 642, 358, &[644, 324, 324], &[0, 230_552, 288_548], 346_544);
    }

    #[test]
    fn format_names_round_trip_and_unknown_ones_are_refused() {
        for format in VideoFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "YUY2".parse::<VideoFormat>().unwrap_err().to_string();
        assert!(error.contains("YUY2") && error.contains("I420"), "{error}");
        assert!("i420".parse::<VideoFormat>().is_err());
    }

    #[test]
    fn colorimetry_default_follows_format_and_height() {
        use Colorimetry::*;
        assert_eq!(Colorimetry::default_for(VideoFormat::I420, 576), Bt601);
        assert_eq!(Colorimetry::default_for(VideoFormat::Nv12, 577), Bt709);
        assert_eq!(Colorimetry::default_for(VideoFormat::Gray8, 720), Bt601);
        assert_eq!(Colorimetry::default_for(VideoFormat::Rgb, 240), Srgb);
    }

    #[test]
    fn colorimetry_reads_names_and_numbers() {
        assert_eq!("bt709".parse(), Ok(Colorimetry::Bt709));
        assert_eq!("2:4:5:4".parse(), Ok(Colorimetry::Bt601));
        assert_eq!("1:1:7:1".parse(), Ok(Colorimetry::Srgb));
        for bad in ["", "bt2020", "1:4:7:1", "2:4:5", "2:4:5:4:1", "a:b:c:d"] {
            assert!(bad.parse::<Colorimetry>().is_err(), "{bad}");
        }
    }

    #[test]
    fn size_zero_or_huge_is_refused() {
        for (width, height) in [(0, 1), (1, 0), (32_768, 1), (u32::MAX, u32::MAX)] {
            assert!(VideoInfo::new(VideoFormat::I420, width, height).is_err());
        }
    }

    #[test]
    fn split_of_a_short_slice_says_how_many_bytes_are_missing() {
        let info = VideoInfo::new(VideoFormat::I420, 320, 240).unwrap();
        let error = info.split(&[0; 100]).unwrap_err().to_string();
        assert_eq!(error, "a I420 320x240 frame needs 115200 bytes, 100 were given");
    }
}
