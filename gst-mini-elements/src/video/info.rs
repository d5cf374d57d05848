//! [`VideoInfo`] says how a raw picture lies in memory: its planes, their strides, its size.
//!
//! Invariant: strides, offsets and sizes are those GStreamer computes for the same format, width
//! and height, so frames can be exchanged with it byte for byte, odd sizes included.
//! In GStreamer: `gst-libs/gst/video/video-info.c` (`gst_video_info_set_format`, `fill_planes`).
//! Left out: interlacing, multiview, strides of one's own.

use super::color::Colorimetry;
use super::format::VideoFormat;

fn names() -> String {
    VideoFormat::ALL.map(VideoFormat::name).join(", ")
}

/// Why a picture description was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VideoError {
    /// The format name is not one of [`VideoFormat::ALL`].
    #[error("video format '{0}' is not supported; supported are {formats}", formats = names())]
    Format(String),
    /// Width or height is zero or beyond [`MAX_SIDE`].
    #[error("a picture of {0}x{1} is not supported; both sides must be between 1 and 32767")]
    Size(u32, u32),
    /// The colorimetry is neither a known name nor a range:matrix:transfer:primaries it stands for.
    #[error("'{0}' is no colorimetry; bt601, bt709, sRGB and range:matrix:transfer:primaries are")]
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
    /// A way the picture's lines are laid out in time that is not supported.
    #[error("interlace-mode '{0}' is not supported; pictures must be progressive")]
    Interlaced(String),
    /// A conversion that is not offered.
    #[error("cannot convert: {0}")]
    Convert(String),
}

/// The longest side a picture may have, in pixels.
pub const MAX_SIDE: u32 = 32_767;

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

/// Chroma sits on the left luma sample of those it stands for, as MPEG-2 has it.
pub const LEFT: u8 = 2;

/// A picture format with size, rate, shape of pixels, and what its samples mean.
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
    /// Width of a pixel against its height.
    pub par: (i32, i32),
    /// Matrix, range and what else samples mean.
    pub colorimetry: Colorimetry,
    /// GStreamer's flags for where chroma sits; 0 and 1 are in the middle, [`LEFT`] is left.
    pub chroma_site: u8,
}

impl VideoInfo {
    /// A picture at 30/1 frames a second, of square pixels, with the default colorimetry of its
    /// format and height.
    pub fn new(format: VideoFormat, width: u32, height: u32) -> Result<Self, VideoError> {
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(VideoError::Size(width, height));
        }
        let colorimetry = Colorimetry::default_for(format, height);
        let chroma_site = default_site(format, height);
        Ok(VideoInfo { format, width, height, fps: (30, 1), par: (1, 1), colorimetry, chroma_site })
    }

    /// The same picture at another rate.
    pub fn with_fps(mut self, numerator: i32, denominator: i32) -> Self {
        self.fps = (numerator, denominator);
        self
    }

    /// The same picture with another colorimetry; where that is named and chroma's place is not,
    /// chroma sits in the middle.
    pub fn with_colorimetry(mut self, colorimetry: Colorimetry) -> Self {
        let default = Colorimetry::default_for(self.format, self.height);
        self.chroma_site =
            if colorimetry == default { default_site(self.format, self.height) } else { 0 };
        self.colorimetry = colorimetry;
        self
    }

    /// Number of planes, 1 to 3.
    pub fn plane_count(&self) -> usize {
        usize::from(self.format.layout().planes)
    }

    /// Whether a chroma sample sits on the left luma sample of its pair, and not between the two.
    pub fn chroma_is_cosited(&self) -> bool {
        self.format.is_yuv() && self.chroma_site & LEFT != 0
    }

    /// The planes, of which the first [`plane_count`](Self::plane_count) are meaningful.
    pub fn planes(&self) -> [Plane; 3] {
        let (width, height) = (self.width as usize, self.height as usize);
        let layout = self.format.layout();
        let mut planes = [Plane::default(); 3];
        for sample in layout.samples.iter().flatten() {
            let plane = &mut planes[usize::from(sample.plane)];
            // Pairs of a packed format are whole.
            let columns = (width + (1 << sample.across) - 1) >> sample.across;
            let bytes = usize::from(sample.step).max(usize::from(layout.bits / 8));
            plane.row_bytes = plane.row_bytes.max(columns * bytes);
            plane.height = (height + (1 << sample.down) - 1) >> sample.down;
        }
        let mut offset = 0;
        for (index, plane) in planes.iter_mut().enumerate().take(self.plane_count()) {
            plane.stride = self.stride(index, plane.row_bytes);
            plane.offset = offset;
            // The luma plane of an odd height is followed by a row nobody uses.
            let even = self.format.subsampling().1 > 0 && index == 0;
            offset += plane.stride * if even { height.next_multiple_of(2) } else { plane.height };
        }
        planes
    }

    fn stride(&self, plane: usize, row_bytes: usize) -> usize {
        let width = self.width as usize;
        match (self.format, plane) {
            (VideoFormat::Y42b, 1..) => width.next_multiple_of(8) / 2,
            (VideoFormat::Y41b, 1..) => width.next_multiple_of(16) / 4,
            // Both planes are laid out alike.
            (VideoFormat::Nv12 | VideoFormat::Nv21 | VideoFormat::Nv16 | VideoFormat::Nv61, 1) => {
                width.next_multiple_of(4)
            }
            _ => row_bytes.next_multiple_of(4),
        }
    }

    /// Bytes of one frame.
    pub fn size(&self) -> usize {
        let last = self.planes()[self.plane_count() - 1];
        last.offset + last.stride * last.height
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

/// Where chroma of an unnamed colorimetry sits.
fn default_site(format: VideoFormat, height: u32) -> u8 {
    match format.is_yuv() {
        true if height > 576 => LEFT,
        true => 1,
        false => 0,
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
        check("Y42B", 35, 7, &[36, 20, 20], &[0, 252, 392], 532);
        check("Y41B", 35, 7, &[36, 12, 12], &[0, 252, 336], 420);
        check("NV16", 35, 7, &[36, 36], &[0, 252], 504);
        check("NV24", 35, 7, &[36, 72], &[0, 252], 756);
        check("YUY2", 35, 7, &[72], &[0], 504);
        check("BGR", 35, 7, &[108], &[0], 756);
        check("GBR", 35, 7, &[36, 36, 36], &[0, 252, 504], 756);
        check("ABGR64_LE", 35, 7, &[280], &[0], 1960);
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
