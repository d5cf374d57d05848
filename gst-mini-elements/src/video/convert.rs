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
mod tests {
    use super::VideoFormat::*;
    use super::*;
    use proptest::prelude::*;

    fn lines() -> [Line; 4] {
        std::array::from_fn(|_| Line::new())
    }

    fn convert(from: &VideoInfo, to: &VideoInfo, src: &[u8]) -> Vec<u8> {
        let mut dst = vec![0xaa; to.size()];
        Converter::new(from.clone(), to.clone()).unwrap().convert(src, &mut dst).unwrap();
        dst
    }

    fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
        VideoInfo::new(format, width, height).unwrap()
    }

    /// A picture of one color, given in red, green and blue, through the plain rows.
    fn plain(info: &VideoInfo, rgb: [u8; 3]) -> Vec<u8> {
        let mut out = vec![0; info.size()];
        let rgb_info = VideoInfo::new(VideoFormat::Rgb, info.width, info.height).unwrap();
        let ink = [rgb[0], rgb[1], rgb[2], 255];
        let ink = Matrix::between(&rgb_info, info).map_or(ink, |matrix| matrix.apply(ink));
        for y in 0..info.height as usize {
            pack(info, 0, y, &vec![ink; info.width as usize], &mut out);
        }
        out
    }

    /// The largest difference between samples.
    fn worst(info: &VideoInfo, a: &[u8], b: &[u8]) -> u8 {
        let mut lines = [vec![[0; 4]; info.width as usize], vec![[0; 4]; info.width as usize]];
        let mut worst = 0;
        for y in 0..info.height as usize {
            unpack(info, y, a, &mut lines[0]);
            unpack(info, y, b, &mut lines[1]);
            let inks = lines[0].iter().zip(&lines[1]);
            let samples = inks.flat_map(|(a, b)| a.iter().zip(b));
            worst = samples.map(|(a, b)| a.abs_diff(*b)).fold(worst, u8::max);
        }
        worst
    }

    #[test]
    fn every_pair_keeps_a_flat_color_at_any_size() {
        const USUAL: &[VideoFormat] = &[
            VideoFormat::I420,
            VideoFormat::Nv12,
            VideoFormat::Yuy2,
            VideoFormat::Rgba,
            VideoFormat::Gray8,
        ];
        for (width, height, formats) in [
            (1, 1, &VideoFormat::ALL[..]),
            (2, 1, USUAL),
            (1, 2, USUAL),
            (7, 5, &VideoFormat::ALL[..]),
            (66, 50, USUAL),
            (5, 580, USUAL),
        ] {
            for from in formats.iter().copied() {
                for to in formats.iter().copied() {
                    let (from, to) = (info(from, width, height), info(to, width, height));
                    if luma_is_copied(&from, &to) {
                        continue;
                    }
                    let gray = [from.format, to.format].contains(&VideoFormat::Gray8);
                    let color = if gray { [200, 200, 200] } else { [200, 90, 30] };
                    let got = convert(&from, &to, &plain(&from, color));
                    let off = worst(&to, &got, &plain(&to, color));
                    assert!(
                        off <= 2,
                        "{} to {} at {width}x{height}: {off}",
                        from.format,
                        to.format
                    );
                }
            }
        }
    }

    #[test]
    fn black_and_white_stay_exact_in_both_matrices() {
        for height in [8, 577] {
            let formats = if height > 8 { &VideoFormat::ALL[20..] } else { &VideoFormat::ALL[..] };
            for from in formats.iter().copied() {
                for to in formats.iter().copied() {
                    let (from, to) = (info(from, 4, height), info(to, 4, height));
                    if luma_is_copied(&from, &to) {
                        continue;
                    }
                    for color in [[0, 0, 0], [255, 255, 255]] {
                        let got = convert(&from, &to, &plain(&from, color));
                        let off = worst(&to, &got, &plain(&to, color));
                        assert_eq!(off, 0, "{} to {} {color:?} {height}", from.format, to.format);
                    }
                }
            }
        }
    }

    /// One matrix in two ranges, where values stay what they are.
    fn luma_is_copied(from: &VideoInfo, to: &VideoInfo) -> bool {
        let (a, b) = (from.colorimetry, to.colorimetry);
        a.matrix == b.matrix && a.range != b.range
    }

    #[test]
    fn gray_is_full_range_but_beside_bt601() {
        let one = |from, to, height, luma: u8| {
            let (from, to) = (info(from, 2, height), info(to, 2, height));
            let mut src = vec![128; from.size()];
            src[..from.planes()[0].stride * height as usize].fill(luma);
            convert(&from, &to, &src)[0]
        };
        use VideoFormat::*;
        assert_eq!((one(Rgb, Gray8, 2, 255), one(Gray8, Rgb, 2, 77)), (255, 77));
        assert_eq!((one(I420, Gray8, 2, 16), one(Gray8, Nv12, 2, 235)), (16, 235));
        assert_eq!((one(I420, Gray8, 720, 16), one(I420, Gray8, 720, 235)), (0, 255));
    }

    #[test]
    fn alpha_is_kept_between_rgba_and_bgra_and_opaque_elsewhere() {
        let (rgba, bgra, rgb) = (
            info(VideoFormat::Rgba, 1, 1),
            info(VideoFormat::Bgra, 1, 1),
            info(VideoFormat::Rgb, 1, 1),
        );
        assert_eq!(convert(&rgba, &bgra, &[1, 2, 3, 4]), [3, 2, 1, 4]);
        assert_eq!(convert(&rgb, &bgra, &[1, 2, 3, 0]), [3, 2, 1, 255]);
        assert_eq!(convert(&bgra, &rgb, &[1, 2, 3, 4])[..3], [3, 2, 1]);
    }

    #[test]
    fn sizes_that_differ_are_refused_with_the_element_that_helps() {
        let result = Converter::new(info(VideoFormat::I420, 4, 4), info(VideoFormat::Rgb, 4, 8));
        assert!(result.err().unwrap().to_string().contains("videoscale"));
    }

    fn formats() -> impl Strategy<Value = VideoFormat> {
        prop::sample::select(VideoFormat::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn yuv_samples_moved_there_and_back_are_the_same(
            width in 1u32..40, height in 1u32..40, seed in any::<u64>(),
        ) {
            let (i420, nv12) = (info(VideoFormat::I420, width, height), info(VideoFormat::Nv12, width, height));
            let src = noise(&i420, seed);
            let back = convert(&nv12, &i420, &convert(&i420, &nv12, &src));
            prop_assert_eq!(worst(&i420, &src, &back), 0);
        }

        #[test]
        fn the_library_agrees_with_the_rows(
            width in 2u32..70, height in prop::sample::select(vec![2u32, 3, 16, 33, 578, 579]),
            nv12 in any::<bool>(), to in prop::sample::select(vec![VideoFormat::Rgb, VideoFormat::Rgba, VideoFormat::Bgra]),
            seed in any::<u64>(),
        ) {
            let from = info(if nv12 { VideoFormat::Nv12 } else { VideoFormat::I420 }, width, height);
            let to = info(to, width, height);
            let mut src = noise(&from, seed);
            let mut rows = vec![0; to.size()];
            let way = Way { smoothing: PLAIN, ..Way::default() };
            let mut converter = Converter::with(from.clone(), to.clone(), way).unwrap();
            let mut made = vec![0; to.size()];
            for legal in [false, true] {
                if legal {
                    src.iter_mut().for_each(|byte| *byte = (*byte).clamp(16, 235));
                    prop_assert!(converter.library_can(&src).unwrap());
                }
                converter.rows(Some(&Matrix::new(&from, &to)), PLAIN, &mut lines(), &src, &mut rows);
                converter.convert(&src, &mut made).unwrap();
                let off = worst(&to, &made, &rows);
                prop_assert!(off <= 1, "{off}");
            }
        }

        #[test]
        fn packed_pixels_give_what_the_rows_give(
            width in 1u32..70, height in prop::sample::select(vec![1u32, 2, 3, 16, 33, 578, 579]),
            from in prop::sample::select(vec![Rgba, Bgra, Argb, Abgr, Rgbx, Bgrx, Xrgb, Xbgr]),
            to in prop::sample::select(vec![I420, Yv12, Nv12, Nv21]),
            seed in any::<u64>(),
        ) {
            let (from, to) = (info(from, width, height), info(to, width, height));
            let src = noise(&from, seed);
            let mut converter = Converter::new(from.clone(), to.clone()).unwrap();
            prop_assert!(matches!(converter.path, Path::Packed(_)));
            let (mut made, mut rows) = (vec![0; to.size()], vec![0; to.size()]);
            for src in [&src[..], &noise(&from, !seed)] {
                let both = Smoothing { spread: true, gather: true };
                converter.rows(Some(&Matrix::new(&from, &to)), both, &mut lines(), src, &mut rows);
                converter.convert(src, &mut made).unwrap();
                prop_assert_eq!(&made, &rows);
            }
        }

        #[test]
        fn short_slices_are_refused_and_nothing_panics(
            from in formats(), to in formats(), width in 1u32..20, height in 1u32..20, cut in 0usize..2000,
        ) {
            let (from, to) = (info(from, width, height), info(to, width, height));
            let mut converter = Converter::new(from.clone(), to.clone()).unwrap();
            let (src, mut dst) = (vec![7; from.size().saturating_sub(cut)], vec![0; to.size()]);
            prop_assert_eq!(converter.convert(&src, &mut dst).is_ok(), cut == 0 );
        }
    }

    fn noise(info: &VideoInfo, mut seed: u64) -> Vec<u8> {
        (0..info.size())
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 56) as u8
            })
            .collect()
    }
}
