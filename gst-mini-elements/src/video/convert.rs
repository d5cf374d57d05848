//! A [`Converter`] turns a picture of one format into the same picture in another.
//!
//! Gray goes from 0 to 255 as red, green and blue do; only between gray and BT.601 is luma taken as it
//! is, from 16 to 235. That is how `videoconvert` of GStreamer 1.22 treats caps without a colorimetry.
//!
//! Invariant: white is white and black is black in every format, to the last bit; between formats
//! of one kind (YUV, RGB) samples are moved and not computed.
//! In GStreamer: `gst-libs/gst/video/video-converter.c` (`gst_video_converter_new`, `convert_I420_BGRA`).
//! Left out: other sizes, dithering, gamma, full-range YUV, smoother chroma than a sample for four pixels.

use super::info::{Colorimetry, VideoError, VideoFormat, VideoInfo};
use super::pattern::ink::{Ink, Line};
use super::pattern::rows;
use dcv_color_primitives as dcp;

/// Converts frames between two pictures of one size.
pub struct Converter {
    from: VideoInfo,
    to: VideoInfo,
    way: Way,
}

enum Way {
    /// The bytes are the same.
    Copy,
    /// Only the chroma samples lie elsewhere; gray has none, or gets neutral ones.
    Repack,
    /// Red, green, blue and alpha change places.
    Swizzle,
    /// What the SIMD library knows; through this matrix where it would be wrong.
    Library(Matrix),
    /// Row pair by row pair, through this matrix.
    Rows(Matrix),
}

impl Converter {
    /// Chooses the way; an error if the sizes differ.
    pub fn new(from: VideoInfo, to: VideoInfo) -> Result<Self, VideoError> {
        if (from.width, from.height) != (to.width, to.height) {
            return Err(VideoError::SizesDiffer(from.width, from.height, to.width, to.height));
        }
        let same_kind = from.format.is_rgb() == to.format.is_rgb();
        let way = if same_kind && from.format.is_rgb() {
            if from.format == to.format { Way::Copy } else { Way::Swizzle }
        } else if same_kind && (matrix_of(&from) == matrix_of(&to)) {
            if from.format == to.format { Way::Copy } else { Way::Repack }
        } else if from.format.is_yuv() && to.format.is_rgb() && from.width > 1 && from.height > 1 {
            Way::Library(Matrix::new(&from, &to))
        } else {
            Way::Rows(Matrix::new(&from, &to))
        };
        Ok(Converter { from, to, way })
    }

    /// The picture that comes out.
    pub fn to(&self) -> &VideoInfo {
        &self.to
    }

    /// Converts one frame; both slices hold at least one frame of their format.
    pub fn convert(&self, src: &[u8], dst: &mut [u8]) -> Result<(), VideoError> {
        self.from.check(src)?;
        self.to.check(dst)?;
        match &self.way {
            Way::Copy => dst[..self.to.size()].copy_from_slice(&src[..self.from.size()]),
            Way::Repack => self.repack(src, dst),
            Way::Swizzle => self.swizzle(src, dst),
            Way::Library(_) if self.library_can(src)? => self.library(src, dst)?,
            Way::Library(matrix) => self.rows(matrix, src, dst),
            Way::Rows(matrix) => self.rows(matrix, src, dst),
        }
        Ok(())
    }

    fn repack(&self, src: &[u8], dst: &mut [u8]) {
        let (from, to) = (self.from.planes(), self.to.planes());
        for row in 0..from[0].height {
            let (at, into) = (row * from[0].stride, row * to[0].stride);
            let bytes = from[0].row_bytes;
            dst[into..into + bytes].copy_from_slice(&src[at..at + bytes]);
        }
        let columns = self.to.chroma_width();
        for row in 0..self.to.chroma_height() {
            let read = |plane: usize, bytes: usize| {
                let start = from[plane].offset + row * from[plane].stride;
                &src[start..start + bytes]
            };
            let starts = [1, 2].map(|plane: usize| to[plane].offset + row * to[plane].stride);
            match (self.from.format, self.to.format) {
                (VideoFormat::I420, VideoFormat::Nv12) => {
                    let pairs = dst[starts[0]..starts[0] + columns * 2].chunks_exact_mut(2);
                    let samples = read(1, columns).iter().zip(read(2, columns));
                    pairs.zip(samples).for_each(|(pair, (u, v))| pair.copy_from_slice(&[*u, *v]));
                }
                (VideoFormat::Nv12, VideoFormat::I420) => {
                    for (i, pair) in read(1, columns * 2).chunks_exact(2).enumerate() {
                        (dst[starts[0] + i], dst[starts[1] + i]) = (pair[0], pair[1]);
                    }
                }
                (_, VideoFormat::Nv12) => dst[starts[0]..starts[0] + columns * 2].fill(128),
                (_, VideoFormat::I420) => {
                    starts.iter().for_each(|start| dst[*start..start + columns].fill(128));
                }
                _ => {}
            }
        }
    }

    fn swizzle(&self, src: &[u8], dst: &mut [u8]) {
        let (from, to) = (self.from.planes()[0], self.to.planes()[0]);
        let pixels = [self.from.format.pixel_stride(), self.to.format.pixel_stride()];
        // Where red, green, blue and alpha lie; past the end there is no alpha.
        let place = |format| if format == VideoFormat::Bgra { [2, 1, 0, 3] } else { [0, 1, 2, 3] };
        let (read, write) = (place(self.from.format), place(self.to.format));
        for row in 0..from.height {
            let src = &src[row * from.stride..row * from.stride + from.row_bytes];
            let dst = &mut dst[row * to.stride..row * to.stride + to.row_bytes];
            for (src, dst) in src.chunks_exact(pixels[0]).zip(dst.chunks_exact_mut(pixels[1])) {
                for i in 0..pixels[1] {
                    dst[write[i]] = src.get(read[i]).copied().unwrap_or(255);
                }
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
            color_space: match matrix_of(&self.from) {
                Colorimetry::Bt709 => dcp::ColorSpace::Bt709,
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

    fn rows(&self, matrix: &Matrix, src: &[u8], dst: &mut [u8]) {
        let width = self.from.width as usize;
        let mut pair: [Line; 2] = [vec![[0; 4]; width], vec![[0; 4]; width]];
        for y in (0..self.from.height as usize).step_by(2) {
            for (row, line) in (y..self.from.height as usize).zip(pair.iter_mut()) {
                unpack(&self.from, row, src, line);
                line.iter_mut().for_each(|ink| *ink = matrix.apply(*ink));
            }
            // Caps that name no chroma site get the plain mean, at any height.
            rows::pack_sited(&self.to, false, 0, y as u32, &pair, dst);
        }
    }
}

/// The matrix that YUV samples are meant in.
fn matrix_of(info: &VideoInfo) -> Colorimetry {
    match info.colorimetry {
        Colorimetry::Srgb => Colorimetry::default_for(info.format, info.height),
        named => named,
    }
}

/// Reads one row, each chroma sample for the pixels it covers.
fn unpack(info: &VideoInfo, row: usize, src: &[u8], line: &mut Line) {
    let planes = info.planes();
    let first = &src[planes[0].offset + row * planes[0].stride..][..planes[0].row_bytes];
    let chroma = |plane: usize| {
        &src[planes[plane].offset + row / 2 * planes[plane].stride..][..planes[plane].row_bytes]
    };
    match info.format {
        VideoFormat::I420 => {
            let samples = chroma(1).iter().zip(chroma(2));
            let pairs = line.chunks_mut(2).zip(first.chunks(2)).zip(samples);
            for ((pixels, lumas), (u, v)) in pairs {
                pixels.iter_mut().zip(lumas).for_each(|(ink, y)| *ink = [*y, *u, *v, 255]);
            }
        }
        VideoFormat::Nv12 => {
            let pairs = line.chunks_mut(2).zip(first.chunks(2)).zip(chroma(1).chunks_exact(2));
            for ((pixels, lumas), uv) in pairs {
                pixels.iter_mut().zip(lumas).for_each(|(ink, y)| *ink = [*y, uv[0], uv[1], 255]);
            }
        }
        VideoFormat::Gray8 => {
            line.iter_mut().zip(first).for_each(|(ink, y)| *ink = [*y, 128, 128, 255]);
        }
        VideoFormat::Rgba => {
            let pixels = first.chunks_exact(4);
            line.iter_mut().zip(pixels).for_each(|(ink, p)| *ink = [p[0], p[1], p[2], p[3]]);
        }
        VideoFormat::Bgra => {
            let pixels = first.chunks_exact(4);
            line.iter_mut().zip(pixels).for_each(|(ink, p)| *ink = [p[2], p[1], p[0], p[3]]);
        }
        VideoFormat::Rgb => {
            let pixels = first.chunks_exact(3);
            line.iter_mut().zip(pixels).for_each(|(ink, p)| *ink = [p[0], p[1], p[2], 255]);
        }
    }
}

/// Three rows of coefficients with their offset, in 1/65536.
struct Matrix([[i32; 4]; 3]);

type Real = [[f64; 4]; 3];

impl Matrix {
    fn new(from: &VideoInfo, to: &VideoInfo) -> Matrix {
        let to_rgb = match from.format {
            VideoFormat::Gray8 => GRAY_TO_RGB,
            format if format.is_rgb() => UNIT,
            _ => yuv_to_rgb(matrix_of(from)),
        };
        let from_rgb = match to.format {
            VideoFormat::Gray8 => rgb_to_gray(),
            format if format.is_rgb() => UNIT,
            _ => rgb_to_yuv(matrix_of(to)),
        };
        let mut fixed = [[0; 4]; 3];
        for (row, from_rgb) in fixed.iter_mut().zip(&from_rgb) {
            for (column, cell) in row.iter_mut().enumerate() {
                let sum: f64 = (0..3).map(|i| from_rgb[i] * to_rgb[i][column]).sum();
                let offset = if column == 3 { from_rgb[3] + 0.5 } else { 0.0 };
                *cell = ((sum + offset) * 65536.0).round() as i32;
            }
        }
        Matrix(fixed)
    }

    fn apply(&self, ink: Ink) -> Ink {
        let [a, b, c, alpha] = ink;
        let (a, b, c) = (i32::from(a), i32::from(b), i32::from(c));
        let cell = |row: &[i32; 4]| {
            ((row[0] * a + row[1] * b + row[2] * c + row[3]) >> 16).clamp(0, 255) as u8
        };
        [cell(&self.0[0]), cell(&self.0[1]), cell(&self.0[2]), alpha]
    }
}

const UNIT: Real = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];

const GRAY_TO_RGB: Real = [[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]];

fn rgb_to_gray() -> Real {
    let (red, blue) = shares(Colorimetry::Bt601);
    [[red, 1.0 - red - blue, blue, 0.0], [0.0, 0.0, 0.0, 128.0], [0.0, 0.0, 0.0, 128.0]]
}

/// Shares of red and blue in luma (ITU-R BT.601-7 and BT.709-6).
fn shares(matrix: Colorimetry) -> (f64, f64) {
    if matrix == Colorimetry::Bt709 { (0.2126, 0.0722) } else { (0.299, 0.114) }
}

fn rgb_to_yuv(matrix: Colorimetry) -> Real {
    let (red, blue) = shares(matrix);
    let green = 1.0 - red - blue;
    let (luma, chroma) = (219.0 / 255.0, 224.0 / 255.0);
    let (u, v) = (chroma / (2.0 * (1.0 - blue)), chroma / (2.0 * (1.0 - red)));
    [
        [luma * red, luma * green, luma * blue, 16.0],
        [-u * red, -u * green, u * (1.0 - blue), 128.0],
        [v * (1.0 - red), -v * green, -v * blue, 128.0],
    ]
}

fn yuv_to_rgb(matrix: Colorimetry) -> Real {
    let (red, blue) = shares(matrix);
    let green = 1.0 - red - blue;
    let (luma, chroma) = (255.0 / 219.0, 255.0 / 224.0);
    let (r, b) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
    let with_offset = |u: f64, v: f64| [luma, u, v, -16.0 * luma - 128.0 * (u + v)];
    [with_offset(0.0, r), with_offset(-b * blue / green, -r * red / green), with_offset(b, 0.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        let matrix = Matrix::new(&rgb_info, info);
        let ink = [rgb[0], rgb[1], rgb[2], 255];
        let line = vec![matrix.apply(ink); info.width as usize];
        for y in (0..info.height).step_by(2) {
            rows::pack(info, 0, y, &[line.clone(), line.clone()], &mut out);
        }
        out
    }

    /// The largest difference in bytes that hold samples.
    fn worst(info: &VideoInfo, a: &[u8], b: &[u8]) -> u8 {
        let mut worst = 0;
        for plane in &info.planes()[..info.plane_count()] {
            for row in 0..plane.height {
                let at = plane.offset + row * plane.stride;
                let rows = a[at..at + plane.row_bytes].iter().zip(&b[at..at + plane.row_bytes]);
                worst = rows.map(|(a, b)| a.abs_diff(*b)).fold(worst, u8::max);
            }
        }
        worst
    }

    #[test]
    fn every_pair_keeps_a_flat_color_at_any_size() {
        for (width, height) in
            [(1, 1), (2, 1), (1, 2), (2, 2), (7, 5), (66, 50), (5, 580), (67, 579)]
        {
            for from in VideoFormat::ALL {
                for to in VideoFormat::ALL {
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
        for height in [48, 720] {
            for from in VideoFormat::ALL {
                for to in VideoFormat::ALL {
                    let (from, to) = (info(from, 64, height), info(to, 64, height));
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

    /// Gray beside BT.601, where 16 to 235 stays what it is.
    fn luma_is_copied(from: &VideoInfo, to: &VideoInfo) -> bool {
        let gray = |info: &VideoInfo| info.format == VideoFormat::Gray8;
        let standard = |info: &VideoInfo| info.format.is_yuv() && info.height <= 576;
        (gray(from) && standard(to)) || (gray(to) && standard(from))
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
            let converter = Converter::new(from.clone(), to.clone()).unwrap();
            for legal in [false, true] {
                if legal {
                    src.iter_mut().for_each(|byte| *byte = (*byte).clamp(16, 235));
                    prop_assert!(converter.library_can(&src).unwrap());
                }
                converter.rows(&Matrix::new(&from, &to), &src, &mut rows);
                let off = worst(&to, &convert(&from, &to, &src), &rows);
                prop_assert!(off <= 1, "{off}");
            }
        }

        #[test]
        fn short_slices_are_refused_and_nothing_panics(
            from in formats(), to in formats(), width in 1u32..20, height in 1u32..20, cut in 0usize..2000,
        ) {
            let (from, to) = (info(from, width, height), info(to, width, height));
            let converter = Converter::new(from.clone(), to.clone()).unwrap();
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
