//! A [`Converter`] turns a picture of one format into the same picture in another.
//!
//! Gray goes from 0 to 255 as red, green and blue do; only between gray and BT.601, which share their
//! matrix, luma is taken as it is. That is how `videoconvert` of GStreamer 1.22 treats caps without a
//! colorimetry.
//!
//! Invariant: between formats whose samples mean the same and are shared alike, samples are moved and
//! not computed.
//! In GStreamer: `gst-libs/gst/video/video-converter.c` (`gst_video_converter_new`, `convert_I420_BGRA`).
//! Left out: other sizes, dithering, gamma, alpha other than as it is.

use super::chroma::Chroma;
use super::color::Colorimetry;
use super::format::{Kind, VideoFormat};
use super::info::{VideoError, VideoInfo};
use super::line::{Ink, Line, pack, unpack};
use super::matrix::Matrix;
use super::packed::Packed;
use dcv_color_primitives as dcp;

/// Whether chroma is smoothed where it becomes denser, and where it becomes sparser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Smoothing {
    /// On its way to more samples.
    pub spread: bool,
    /// On its way to fewer samples.
    pub gather: bool,
}

const PLAIN: Smoothing = Smoothing { spread: false, gather: false };

/// What may be chosen about a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// How chroma is treated.
    pub smoothing: Smoothing,
    /// Samples are taken as they are, whatever matrix they are meant in.
    pub same_matrix: bool,
}

impl Default for Way {
    fn default() -> Self {
        Way { smoothing: Smoothing { spread: true, gather: true }, same_matrix: false }
    }
}

/// Converts frames between two pictures of one size.
pub struct Converter {
    from: VideoInfo,
    to: VideoInfo,
    path: Path,
    smoothing: Smoothing,
    /// Rows that are worked on.
    lines: [Line; 4],
}

enum Path {
    /// The bytes are the same.
    Copy,
    /// The samples are the same, and lie elsewhere.
    Move,
    /// What the SIMD library knows; through this matrix where it would be wrong.
    Library(Matrix),
    /// Rows without the detour, from packed pixels.
    Packed(Box<Packed>),
    /// Row by row, through this matrix if samples mean something else.
    Rows(Option<Matrix>),
}

impl Converter {
    /// In the usual way; an error if the sizes differ.
    pub fn new(from: VideoInfo, to: VideoInfo) -> Result<Self, VideoError> {
        Self::with(from, to, Way::default())
    }

    /// In a chosen way; an error if the sizes differ.
    pub fn with(from: VideoInfo, to: VideoInfo, way: Way) -> Result<Self, VideoError> {
        if (from.width, from.height) != (to.width, to.height) {
            return Err(VideoError::SizesDiffer(from.width, from.height, to.width, to.height));
        }
        let is_gray = |info: &VideoInfo| info.format.layout().kind == Kind::Gray;
        let alike = from.format.subsampling() == to.format.subsampling()
            && (!from.format.is_yuv() || Chroma::of(&from) == Chroma::of(&to));
        let matrix = if way.same_matrix { None } else { Matrix::between(&from, &to) };
        let smoothing = usual(&from, &to, matrix.is_some(), way.smoothing);
        let path = match matrix {
            None if from.format == to.format && alike => Path::Copy,
            None if alike || is_gray(&from) || is_gray(&to) => Path::Move,
            Some(matrix) if smoothing == PLAIN && library_knows(&from, &to) => {
                Path::Library(matrix)
            }
            Some(matrix) if smoothing.gather => match Packed::new(&from, &to, &matrix) {
                Some(packed) => Path::Packed(Box::new(packed)),
                None => Path::Rows(Some(matrix)),
            },
            matrix => Path::Rows(matrix),
        };
        let lines = std::array::from_fn(|_| Line::new());
        Ok(Converter { from, to, path, smoothing, lines })
    }

    /// The picture that comes out.
    pub fn to(&self) -> &VideoInfo {
        &self.to
    }

    /// Converts one frame; both slices hold at least one frame of their format.
    pub fn convert(&mut self, src: &[u8], dst: &mut [u8]) -> Result<(), VideoError> {
        self.from.check(src)?;
        self.to.check(dst)?;
        if let Path::Packed(packed) = &mut self.path {
            packed.convert(&self.from, src, &self.to, dst);
            return Ok(());
        }
        let mut lines = std::mem::take(&mut self.lines);
        match &self.path {
            Path::Packed(_) => {}
            Path::Copy => dst[..self.to.size()].copy_from_slice(&src[..self.from.size()]),
            Path::Move => self.move_samples(src, dst),
            Path::Library(_) if self.library_can(src)? => self.library(src, dst)?,
            // As plainly as the library does it.
            Path::Library(matrix) => self.rows(Some(matrix), PLAIN, &mut lines, src, dst),
            Path::Rows(matrix) => self.rows(matrix.as_ref(), self.smoothing, &mut lines, src, dst),
        }
        self.lines = lines;
        Ok(())
    }

    fn move_samples(&self, src: &[u8], dst: &mut [u8]) {
        let (from, to) = (self.from.planes(), self.to.planes());
        let (read, write) = (self.from.format.layout(), self.to.format.layout());
        for (index, into) in write.samples.iter().enumerate() {
            let Some(into) = into else { continue };
            let taken = read.samples[index].filter(|_| index < 3 || read.has_alpha);
            let plane = to[usize::from(into.plane)];
            let columns = (self.to.width as usize).div_ceil(1 << into.across);
            let low = usize::from(write.bits == 16);
            for row in 0..plane.height {
                let start = plane.offset + row * plane.stride + usize::from(into.at) - low;
                let out = &mut dst[start..];
                let step = usize::from(into.step);
                let Some(sample) = taken else {
                    let value = if index == 3 { 255 } else { 128 };
                    out.chunks_mut(step).take(columns).for_each(|to| to[..=low].fill(value));
                    continue;
                };
                let other = from[usize::from(sample.plane)];
                let values = &src[other.offset + row * other.stride + usize::from(sample.at)..];
                if (step, sample.step) == (1, 1) {
                    out[..columns].copy_from_slice(&values[..columns]);
                    continue;
                }
                let values = values.iter().step_by(usize::from(sample.step)).take(columns);
                out.chunks_mut(step).zip(values).for_each(|(to, value)| to[..=low].fill(*value));
            }
        }
    }

    /// The library adds in 16 bits, of which 7 hold the fraction: from twice white on it wraps to black.
    /// No color of RGB gets there, and noise does.
    fn library_can(&self, src: &[u8]) -> Result<bool, VideoError> {
        let [luma, u, v] = self.from.split(src)?;
        let highest = |samples: &[u8]| samples.iter().fold(0, |most: u8, byte| most.max(*byte));
        let chroma = highest(u).max(highest(v));
        // The largest coefficients of both matrices, in 1/1024.
        let reach = 1192 * (i32::from(highest(luma)) - 16) + 2166 * (i32::from(chroma) - 128);
        Ok(reach < 508 * 1024)
    }

    fn library(&self, src: &[u8], dst: &mut [u8]) -> Result<(), VideoError> {
        let planes = self.from.split(src)?;
        let count = self.from.plane_count();
        let strides = self.from.planes().map(|plane| plane.stride);
        let from = dcp::ImageFormat {
            pixel_format: match self.from.format {
                VideoFormat::Nv12 => dcp::PixelFormat::Nv12,
                _ => dcp::PixelFormat::I420,
            },
            color_space: match self.from.colorimetry.matrix {
                BT709 => dcp::ColorSpace::Bt709,
                _ => dcp::ColorSpace::Bt601,
            },
            num_planes: count as u32,
        };
        let to = dcp::ImageFormat {
            pixel_format: match self.to.format {
                VideoFormat::Bgra => dcp::PixelFormat::Bgra,
                VideoFormat::Rgb => dcp::PixelFormat::Rgb,
                _ => dcp::PixelFormat::Rgba,
            },
            color_space: dcp::ColorSpace::Rgb,
            num_planes: 1,
        };
        let to_stride = [self.to.planes()[0].stride];
        dcp::convert_image(
            self.from.width,
            self.from.height,
            &from,
            Some(&strides[..count]),
            &planes[..count],
            &to,
            Some(&to_stride),
            &mut [&mut dst[..self.to.size()]],
        )
        .map_err(|error| {
            VideoError::Convert(format!("{} to {}: {error}", self.from.format, self.to.format))
        })
    }

    fn rows(
        &self,
        matrix: Option<&Matrix>,
        smoothing: Smoothing,
        lines: &mut [Line; 4],
        src: &[u8],
        dst: &mut [u8],
    ) {
        let (width, height) = (self.from.width as usize, self.from.height as usize);
        lines.iter_mut().for_each(|line| line.resize(width, [0; 4]));
        let [here, ahead, upper, lower] = lines;
        let (mut spread, mut gather) = (Chroma::of(&self.from), Chroma::of(&self.to));
        // Chroma that stays where it is need not be smoothed.
        let smooth = spread != gather;
        if matrix.is_none() && (spread.across, spread.left) == (gather.across, gather.left) {
            (spread.across, gather.across) = (0, 0);
        }
        let mut reader = Reader {
            info: &self.from,
            src,
            matrix,
            chroma: spread,
            smooth: smooth && smoothing.spread,
            lines: [here, ahead],
            ahead: false,
        };
        let step = 1 << gather.down;
        for y in (0..height).step_by(step) {
            reader.read(y, upper);
            let has_lower = step > 1 && y + 1 < height;
            if has_lower {
                reader.read(y + 1, lower);
            }
            if smooth && smoothing.gather && gather.is_shared() {
                gather.gather_pair(upper, has_lower.then_some(&lower[..]));
            }
            pack(&self.to, 0, y, upper, dst);
            if has_lower {
                pack(&self.to, 0, y + 1, lower, dst);
            }
        }
    }
}

const BT709: u8 = Colorimetry::BT709.matrix;
const BT601: u8 = Colorimetry::BT601.matrix;

/// What is smoothed of what may be: pairs that GStreamer has a short way for are not.
fn usual(from: &VideoInfo, to: &VideoInfo, computed: bool, asked: Smoothing) -> Smoothing {
    use VideoFormat::*;
    let planar = matches!(from.format, I420 | Yv12);
    let is_packed_rgb = to.format.is_rgb() && to.plane_count() == 1;
    if computed && planar && is_packed_rgb && to.format.layout().bits == 8 {
        return PLAIN;
    }
    let short = planar || matches!(from.format, Y42b | Y444 | Yuy2 | Uyvy | Ayuv);
    let repeats = !computed && short && matches!(to.format, Ayuv | Yuy2 | Uyvy);
    Smoothing { spread: asked.spread && !repeats, gather: asked.gather }
}

fn library_knows(from: &VideoInfo, to: &VideoInfo) -> bool {
    use VideoFormat::*;
    matches!(from.format, I420 | Nv12)
        && matches!(to.format, Rgba | Bgra | Rgb)
        && matches!(from.colorimetry.matrix, BT601 | BT709)
        && !from.colorimetry.is_full()
        && to.colorimetry.is_full()
        && from.width > 1
        && from.height > 1
}

/// Gives rows one after the other, with chroma spread over the pixels it stands for.
struct Reader<'a> {
    info: &'a VideoInfo,
    src: &'a [u8],
    matrix: Option<&'a Matrix>,
    chroma: Chroma,
    smooth: bool,
    /// Rows whose chroma was spread between them.
    lines: [&'a mut Line; 2],
    /// The second of them is not given yet.
    ahead: bool,
}

impl Reader<'_> {
    fn read(&mut self, y: usize, out: &mut [Ink]) {
        if std::mem::take(&mut self.ahead) {
            out.copy_from_slice(self.lines[1]);
        } else {
            unpack(self.info, y, self.src, self.lines[0]);
            if self.smooth {
                self.chroma.spread(self.lines[0]);
                // Between rows 1 and 2, 3 and 4 and so on runs a border of chroma samples.
                self.ahead =
                    self.chroma.down > 0 && y % 2 == 1 && y + 1 < self.info.height as usize;
            }
            if self.ahead {
                let [upper, lower] = &mut self.lines;
                unpack(self.info, y + 1, self.src, lower);
                self.chroma.spread(lower);
                Chroma::spread_rows(upper, lower);
            }
            out.copy_from_slice(self.lines[0]);
        }
        if let Some(matrix) = self.matrix {
            out.iter_mut().for_each(|ink| *ink = matrix.apply(*ink));
        }
    }
}

#[cfg(test)]
mod tests;
