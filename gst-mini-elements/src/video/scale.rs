//! A [`Scaler`] makes a picture of another size, in the same format, with black borders if need be.
//!
//! Invariant: every plane is scaled alone, so chroma stays at the same place of the picture.
//! In GStreamer: `gst-libs/gst/video/video-scaler.c`, `gst/videoconvertscale/gstvideoconvertscale.c`
//! (`gst_video_convert_scale_set_info`).
//! Left out: `4-tap` and `sinc`, whose filters end abruptly; gamma; more than one thread.

use super::convert::Converter;
use super::format::VideoFormat;
use super::info::{VideoError, VideoInfo};
use super::matrix::Matrix;
use super::text;
use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::{U8, U8x4, U16};
use fast_image_resize::{Filter, FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use std::error::Error;

/// How a sample is made from those around it; `videoscale` names them so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The nearest one.
    NearestNeighbour,
    /// Of the two nearest in each direction, also where many are skipped.
    Bilinear,
    /// Lanczos with two lobes.
    Lanczos,
    /// Linear over all that lie between.
    Bilinear2,
    /// Cubic, B = 0, C = 0.
    Hermite,
    /// Cubic, B = 1, C = 0.
    Spline,
    /// Cubic, B = 0, C = 1/2.
    Catrom,
    /// Cubic, B = 1/3, C = 1/3.
    Mitchell,
}

impl Method {
    /// By the number of `videoscale`'s property; `None` for those that are not offered.
    pub fn from_number(number: i32) -> Option<Method> {
        Some(match number {
            0 => Method::NearestNeighbour,
            1 => Method::Bilinear,
            3 => Method::Lanczos,
            4 => Method::Bilinear2,
            6 => Method::Hermite,
            7 => Method::Spline,
            8 => Method::Catrom,
            9 => Method::Mitchell,
            _ => return None,
        })
    }

    fn algorithm(self) -> ResizeAlg {
        let custom = |name, function, reach| {
            // A filter that reaches nowhere would be refused; these reach 1 and 2.
            let filter = Filter::new(name, function, reach).map(FilterType::Custom);
            ResizeAlg::Convolution(filter.unwrap_or(FilterType::Bilinear))
        };
        match self {
            Method::NearestNeighbour => ResizeAlg::Nearest,
            Method::Bilinear => ResizeAlg::Interpolation(FilterType::Bilinear),
            Method::Bilinear2 => ResizeAlg::Convolution(FilterType::Bilinear),
            Method::Catrom => ResizeAlg::Convolution(FilterType::CatmullRom),
            Method::Mitchell => ResizeAlg::Convolution(FilterType::Mitchell),
            Method::Lanczos => custom("lanczos2", lanczos2, 2.0),
            Method::Hermite => custom("hermite", |x| cubic(x, 0.0, 0.0), 1.0),
            Method::Spline => custom("spline", |x| cubic(x, 1.0, 0.0), 2.0),
        }
    }
}

fn lanczos2(x: f64) -> f64 {
    let sinc = |x: f64| {
        let angle = x * std::f64::consts::PI;
        if angle == 0.0 { 1.0 } else { angle.sin() / angle }
    };
    if x.abs() < 2.0 { sinc(x) * sinc(x / 2.0) } else { 0.0 }
}

/// The cubic filters of Mitchell and Netravali.
fn cubic(x: f64, b: f64, c: f64) -> f64 {
    let x = x.abs();
    let value = if x < 1.0 {
        ((12.0 - 9.0 * b - 6.0 * c) * x - 18.0 + 12.0 * b + 6.0 * c) * x * x + 6.0 - 2.0 * b
    } else if x < 2.0 {
        (((-b - 6.0 * c) * x + 6.0 * b + 30.0 * c) * x - 12.0 * b - 48.0 * c) * x
            + 8.0 * b
            + 24.0 * c
    } else {
        0.0
    };
    value / 6.0
}

/// Scales frames of one picture to another of the same format.
pub struct Scaler {
    from: VideoInfo,
    to: VideoInfo,
    /// Where the picture lies in the output: left, top, width, height.
    place: [u32; 4],
    options: ResizeOptions,
    resizer: Resizer,
    /// Formats with chroma between luma are taken apart first, and put together again.
    apart: Option<Box<Apart>>,
    source: Vec<u8>,
    scaled: Vec<u8>,
}

struct Apart {
    open: Converter,
    close: Converter,
    inner: Scaler,
    opened: Vec<u8>,
    made: Vec<u8>,
}

impl Scaler {
    /// An error if the formats differ.
    pub fn new(
        from: VideoInfo,
        to: VideoInfo,
        method: Method,
        add_borders: bool,
    ) -> Result<Scaler, VideoError> {
        if from.format != to.format {
            let text = format!("{} to {}; put `videoconvert` before", from.format, to.format);
            return Err(VideoError::Convert(text));
        }
        let (across, _) = from.format.subsampling();
        let apart = if across > 0 && from.plane_count() == 1 {
            let planar = |info: &VideoInfo| VideoInfo { format: VideoFormat::Y42b, ..info.clone() };
            let (open, close) = (planar(&from), planar(&to));
            Some(Box::new(Apart {
                opened: vec![0; open.size()],
                made: vec![0; close.size()],
                open: Converter::new(from.clone(), open.clone())?,
                close: Converter::new(close.clone(), to.clone())?,
                inner: Scaler::new(open, close, method, add_borders)?,
            }))
        } else {
            None
        };
        let place = if add_borders { place(&from, &to) } else { [0, 0, to.width, to.height] };
        Ok(Scaler {
            from,
            to,
            place,
            options: ResizeOptions::new().resize_alg(method.algorithm()).use_alpha(false),
            resizer: Resizer::new(),
            apart,
            source: Vec::new(),
            scaled: Vec::new(),
        })
    }

    /// Scales one frame; both slices hold at least one frame of their picture.
    pub fn scale(&mut self, src: &[u8], dst: &mut [u8]) -> Result<(), VideoError> {
        self.from.check(src)?;
        self.to.check(dst)?;
        if let Some(apart) = &mut self.apart {
            apart.open.convert(src, &mut apart.opened)?;
            apart.inner.scale(&apart.opened, &mut apart.made)?;
            return apart.close.convert(&apart.made, dst);
        }
        if self.place != [0, 0, self.to.width, self.to.height] {
            let black = black(&self.to);
            let all = (self.to.width as usize, self.to.height as usize);
            text::fill(&self.to, (0, 0), all, black, dst);
        }
        for plane in 0..self.from.plane_count() {
            self.scale_plane(plane, src, dst)?;
        }
        Ok(())
    }

    fn scale_plane(&mut self, plane: usize, src: &[u8], dst: &mut [u8]) -> Result<(), VideoError> {
        let (from, to) = (self.from.planes()[plane], self.to.planes()[plane]);
        let samples = self.from.format.layout().samples;
        let sample = samples.iter().flatten().find(|sample| usize::from(sample.plane) == plane);
        let Some(sample) = sample else { return Ok(()) };
        let kind = Kind::of(sample.step, self.from.format.layout().bits);
        let pixel = usize::from(sample.step);
        let [left, top, width, height] = self.place;
        let whole = |length: u32, power: u8| length.div_ceil(1 << power) as usize;
        let (columns, rows) = (whole(width, sample.across), whole(height, sample.down));
        let (left, top) = ((left >> sample.across) as usize, (top >> sample.down) as usize);
        let columns = columns.min(to.row_bytes / pixel - left);
        let rows = rows.min(to.height - top);
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let failed = |error: Box<dyn Error>| VideoError::Convert(format!("scaling: {error}"));
        self.scaled.resize(columns * rows * kind.pixel(), 0);
        for part in 0..kind.parts() {
            // Rows without padding between them, at an address that fits the samples.
            self.source.clear();
            for row in 0..from.height {
                let start = from.offset + row * from.stride;
                kind.open(part, &src[start..start + from.row_bytes], &mut self.source);
            }
            let source = (side(from.row_bytes / pixel), side(from.height), &mut self.source[..]);
            let scaled = (side(columns), side(rows), &mut self.scaled[..]);
            kind.resize(&mut self.resizer, &self.options, source, scaled).map_err(failed)?;
            for (row, made) in self.scaled.chunks_exact(columns * kind.pixel()).enumerate() {
                let start = to.offset + (top + row) * to.stride + left * pixel;
                kind.close(part, made, &mut dst[start..start + columns * pixel]);
            }
        }
        Ok(())
    }
}

/// How the pixels of a plane are given to the library.
///
/// It compiles its loops anew for each kind of pixel, thirty times for eight-bit ones: with one function for each
/// kind of plane they were six tenths of all machine code of this crate, and pixels of four deep samples bring a
/// table of half a megabyte for an alpha that is not asked for. So there are three, and the rarer planes are
/// rearranged to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One byte.
    Byte,
    /// Two bytes, each scaled alone.
    Pair,
    /// Three bytes, scaled as four.
    Three,
    Four,
    /// Four samples of 16 bits, each scaled alone.
    Deep,
}

impl Kind {
    fn of(step: u8, bits: u8) -> Kind {
        match (step, bits) {
            (8, 16) => Kind::Deep,
            (4, _) => Kind::Four,
            (3, _) => Kind::Three,
            (2, _) => Kind::Pair,
            _ => Kind::Byte,
        }
    }

    /// How often a plane is scaled.
    fn parts(self) -> usize {
        match self {
            Kind::Pair => 2,
            Kind::Deep => 4,
            _ => 1,
        }
    }

    /// Bytes of a pixel as the library sees it.
    fn pixel(self) -> usize {
        match self {
            Kind::Byte | Kind::Pair => 1,
            Kind::Three | Kind::Four => 4,
            Kind::Deep => 2,
        }
    }

    /// Appends a row of the plane, as the library sees it.
    fn open(self, part: usize, row: &[u8], into: &mut Vec<u8>) {
        match self {
            Kind::Pair => into.extend(row.chunks_exact(2).map(|pixel| pixel[part])),
            Kind::Three => {
                into.extend(
                    row.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 0]),
                );
            }
            Kind::Deep => {
                into.extend(
                    row.chunks_exact(8).flat_map(|pixel| [pixel[2 * part], pixel[2 * part + 1]]),
                );
            }
            _ => into.extend_from_slice(row),
        }
    }

    /// Puts a row that the library made into the plane.
    fn close(self, part: usize, made: &[u8], row: &mut [u8]) {
        match self {
            Kind::Pair => {
                for (pixel, byte) in row.chunks_exact_mut(2).zip(made) {
                    pixel[part] = *byte;
                }
            }
            Kind::Three => {
                for (pixel, four) in row.chunks_exact_mut(3).zip(made.chunks_exact(4)) {
                    pixel.copy_from_slice(&four[..3]);
                }
            }
            Kind::Deep => {
                for (pixel, sample) in row.chunks_exact_mut(8).zip(made.chunks_exact(2)) {
                    pixel[2 * part..2 * part + 2].copy_from_slice(sample);
                }
            }
            _ => row.copy_from_slice(made),
        }
    }

    fn resize(
        self,
        resizer: &mut Resizer,
        options: &ResizeOptions,
        source: (u32, u32, &mut [u8]),
        scaled: (u32, u32, &mut [u8]),
    ) -> Result<(), Box<dyn Error>> {
        match self {
            Kind::Byte | Kind::Pair => resize::<U8>(resizer, options, source, scaled),
            Kind::Three | Kind::Four => resize::<U8x4>(resizer, options, source, scaled),
            Kind::Deep => resize::<U16>(resizer, options, source, scaled),
        }
    }
}

/// Scales pixels of one kind, given with width and height.
///
/// The source is only read; it is of the type that the library takes for its own pictures, or every loop would be
/// there twice.
fn resize<P: PixelTrait>(
    resizer: &mut Resizer,
    options: &ResizeOptions,
    (width, height, source): (u32, u32, &mut [u8]),
    (columns, rows, scaled): (u32, u32, &mut [u8]),
) -> Result<(), Box<dyn Error>> {
    let source = TypedImage::<P>::from_buffer(width, height, source)?;
    let mut image = TypedImage::<P>::from_buffer(columns, rows, scaled)?;
    Ok(resizer.resize_typed(&source, &mut image, Some(options))?)
}

/// Black, in the picture's own samples.
fn black(info: &VideoInfo) -> [u8; 4] {
    let rgb = VideoInfo {
        format: VideoFormat::Rgb,
        colorimetry: super::Colorimetry::SRGB,
        ..info.clone()
    };
    let ink = [0, 0, 0, 255];
    Matrix::between(&rgb, info).map_or(ink, |matrix| matrix.apply(ink))
}

/// The part of the output that has the input's shape, in its middle.
fn place(from: &VideoInfo, to: &VideoInfo) -> [u32; 4] {
    let shape = |info: &VideoInfo| {
        let positive = |number: i32| u128::try_from(number.max(1)).unwrap_or(1);
        (
            u128::from(info.width) * positive(info.par.0),
            u128::from(info.height) * positive(info.par.1),
        )
    };
    let ((n, d), (to_n, to_d)) = (shape(from), shape(to));
    if n * to_d == to_n * d {
        return [0, 0, to.width, to.height];
    }
    // The input's shape in pixels of the output.
    let positive = |number: i32| u128::try_from(number.max(1)).unwrap_or(1);
    let (n, d) = (n * positive(to.par.1), d * positive(to.par.0));
    let side = |length: u128| u32::try_from(length.max(1)).unwrap_or(u32::MAX);
    let height = side(u128::from(to.width) * d / n);
    if height <= to.height {
        let border = to.height - height;
        return [0, border / 2, to.width, height];
    }
    let width = side(u128::from(to.height) * n / d).min(to.width);
    [(to.width - width) / 2, 0, width, to.height]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
        VideoInfo::new(format, width, height).unwrap()
    }

    #[test]
    fn a_flat_picture_stays_flat_in_every_format_and_method() {
        for format in VideoFormat::ALL {
            for number in (0..10).filter(|number| Method::from_number(*number).is_some()) {
                for (width, height) in [(1, 1), (5, 3), (33, 17), (64, 48)] {
                    let (from, to) = (info(format, 17, 9), info(format, width, height));
                    let method = Method::from_number(number).unwrap();
                    let mut scaler = Scaler::new(from.clone(), to.clone(), method, false).unwrap();
                    let mut dst = vec![100; to.size()];
                    scaler.scale(&vec![100; from.size()], &mut dst).unwrap();
                    let worst = dst.iter().map(|byte| byte.abs_diff(100)).max();
                    assert!(worst <= Some(1), "{format} {method:?} {width}x{height}: {worst:?}");
                }
            }
        }
    }

    #[test]
    fn borders_keep_the_shape_and_are_black() {
        let (from, to) = (info(VideoFormat::Gray8, 40, 20), info(VideoFormat::Gray8, 40, 40));
        let mut scaler = Scaler::new(from.clone(), to.clone(), Method::Bilinear, true).unwrap();
        let mut dst = vec![77; to.size()];
        scaler.scale(&vec![200; from.size()], &mut dst).unwrap();
        let column: Vec<u8> = dst.chunks(40).map(|row| row[7]).collect();
        assert_eq!((column[9], column[10], column[29], column[30]), (0, 200, 200, 0));
        assert_eq!(
            place(&info(VideoFormat::I420, 320, 240), &info(VideoFormat::I420, 640, 240)),
            [160, 0, 320, 240]
        );
    }

    #[test]
    fn another_format_is_refused() {
        let (from, to) = (info(VideoFormat::Gray8, 4, 4), info(VideoFormat::Rgb, 4, 4));
        let error = Scaler::new(from, to, Method::Bilinear, true).err().unwrap().to_string();
        assert!(error.contains("videoconvert"), "{error}");
    }
}
