//! Single pictures as PNG and JPEG files.
//!
//! Invariant: a file says how large its picture is before memory for it is taken, and more than
//! [`MAX_SIDE`] a side is refused.
//! In GStreamer: `ext/libpng`, `ext/jpeg` of gst-plugins-good.
//! Left out: 16 bits a sample, palettes and alpha in gray (read as the nearest format there is), animations.

use super::{VideoFormat, VideoInfo};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The longest side that is read, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// The most memory a decoder may take, in bytes.
const MAX_MEMORY: u64 = 1 << 30;

/// Why a picture could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// Neither PNG nor JPEG.
    #[error("neither a PNG nor a JPEG picture; it begins with \"{0}\"")]
    Unknown(String),
    /// What the library said.
    #[error("{0}")]
    Image(#[from] image::ImageError),
    /// The picture's description does not fit its bytes or the file's format.
    #[error("{0}")]
    Video(#[from] super::info::VideoError),
    /// A format that such a file cannot hold.
    #[error("{0} cannot be stored in such a file; put `videoconvert` before it")]
    Format(VideoFormat),
}

/// How a file begins and ends; `None` for other kinds.
fn kind(bytes: &[u8]) -> Option<(ImageFormat, &'static [u8])> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => {
            Some((ImageFormat::Png, b"IEND\xae\x42\x60\x82"))
        }
        [0xff, 0xd8, 0xff, ..] => Some((ImageFormat::Jpeg, b"\xff\xd9")),
        _ => None,
    }
}

/// Whether a file that begins with these bytes can be read; true as long as they are too few to say.
pub fn may_begin(bytes: &[u8]) -> bool {
    bytes.len() < 8 || kind(bytes).is_some()
}

/// Whether these bytes end as a whole file does.
pub fn looks_whole(bytes: &[u8]) -> bool {
    kind(bytes).is_some_and(|(_, end)| bytes.ends_with(end))
}

/// Reads a picture into a frame laid out as its [`VideoInfo`] says, at rate 0/1.
pub fn decode(bytes: &[u8]) -> Result<(VideoInfo, Vec<u8>), StillError> {
    let Some((format, _)) = kind(bytes) else {
        let begin = &bytes[..bytes.len().min(16)];
        return Err(StillError::Unknown(begin.escape_ascii().to_string()));
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture = reader.decode()?;
    let (width, height) = (picture.width(), picture.height());
    let (format, tight) = match picture {
        DynamicImage::ImageLuma8(gray) => (VideoFormat::Gray8, gray.into_raw()),
        DynamicImage::ImageLuma16(_) => (VideoFormat::Gray8, picture.into_luma8().into_raw()),
        DynamicImage::ImageRgb8(rgb) => (VideoFormat::Rgb, rgb.into_raw()),
        DynamicImage::ImageRgb16(_) => (VideoFormat::Rgb, picture.into_rgb8().into_raw()),
        other => (VideoFormat::Rgba, other.into_rgba8().into_raw()),
    };
    let info = VideoInfo::new(format, width, height)?.with_fps(0, 1);
    let plane = info.planes()[0];
    if plane.stride == plane.row_bytes {
        return Ok((info, tight));
    }
    let mut frame = vec![0; info.size()];
    for (to, row) in frame.chunks_exact_mut(plane.stride).zip(tight.chunks_exact(plane.row_bytes)) {
        to[..plane.row_bytes].copy_from_slice(row);
    }
    Ok((info, frame))
}

/// The rows of a frame without padding between them.
fn tight(info: &VideoInfo, data: &[u8]) -> Result<(Vec<u8>, ExtendedColorType), StillError> {
    info.check(data)?;
    let color = match info.format {
        VideoFormat::Rgba => ExtendedColorType::Rgba8,
        VideoFormat::Rgb => ExtendedColorType::Rgb8,
        VideoFormat::Gray8 => ExtendedColorType::L8,
        other => return Err(StillError::Format(other)),
    };
    let plane = info.planes()[0];
    let rows = data[..info.size()].chunks_exact(plane.stride);
    Ok((rows.flat_map(|row| &row[..plane.row_bytes]).copied().collect(), color))
}

/// Writes RGBA, RGB or GRAY8 as a PNG file; `level` 0 is uncompressed, 9 the smallest.
pub fn encode_png(info: &VideoInfo, data: &[u8], level: u32) -> Result<Vec<u8>, StillError> {
    let (rows, color) = tight(info, data)?;
    let level = match level {
        0 => CompressionType::Uncompressed,
        level => CompressionType::Level(level.min(9) as u8),
    };
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, level, FilterType::Adaptive).write_image(
        &rows,
        info.width,
        info.height,
        color,
    )?;
    Ok(file)
}

/// Writes RGB or GRAY8 as a JPEG file; `quality` goes from 1 to 100.
pub fn encode_jpeg(info: &VideoInfo, data: &[u8], quality: u8) -> Result<Vec<u8>, StillError> {
    let (rows, color) = tight(info, data)?;
    if info.format == VideoFormat::Rgba {
        return Err(StillError::Format(info.format));
    }
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100)).write_image(
        &rows,
        info.width,
        info.height,
        color,
    )?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(format: VideoFormat, width: u32, height: u32) -> (VideoInfo, Vec<u8>) {
        let info = VideoInfo::new(format, width, height).unwrap().with_fps(0, 1);
        let mut data = vec![0; info.size()];
        let plane = info.planes()[0];
        for row in 0..plane.height {
            for byte in 0..plane.row_bytes {
                data[row * plane.stride + byte] = (row * 37 + byte * 3) as u8;
            }
        }
        (info, data)
    }

    #[test]
    fn png_gives_every_byte_back_at_odd_widths_too() {
        for format in [VideoFormat::Rgba, VideoFormat::Rgb, VideoFormat::Gray8] {
            for (width, height) in [(1, 1), (5, 3), (33, 17)] {
                let (info, data) = picture(format, width, height);
                let file = encode_png(&info, &data, 6).unwrap();
                assert!(looks_whole(&file));
                assert_eq!(decode(&file).unwrap(), (info, data));
            }
        }
    }

    #[test]
    fn jpeg_comes_back_nearly_the_same() {
        for format in [VideoFormat::Rgb, VideoFormat::Gray8] {
            let info = VideoInfo::new(format, 30, 20).unwrap().with_fps(0, 1);
            let data = vec![100; info.size()];
            let file = encode_jpeg(&info, &data, 90).unwrap();
            assert!(looks_whole(&file));
            let (read, frame) = decode(&file).unwrap();
            assert_eq!(read, info);
            let plane = info.planes()[0];
            for row in frame.chunks(plane.stride) {
                assert!(row[..plane.row_bytes].iter().all(|byte| byte.abs_diff(100) <= 3));
            }
        }
    }

    #[test]
    fn what_is_no_picture_or_fits_no_file_is_refused() {
        let error = decode(b"GIF89a..........").unwrap_err().to_string();
        assert!(error.contains("neither a PNG nor a JPEG") && error.contains("GIF89a"), "{error}");
        let (info, data) = picture(VideoFormat::I420, 4, 4);
        assert!(encode_png(&info, &data, 6).unwrap_err().to_string().contains("videoconvert"));
        let (info, data) = picture(VideoFormat::Rgba, 4, 4);
        assert!(encode_jpeg(&info, &data, 85).is_err());
        assert!(
            encode_png(&info, &data[..9], 6).unwrap_err().to_string().contains("needs 64 bytes")
        );
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let (info, data) = picture(VideoFormat::Rgb, 9, 7);
            for file in [encode_png(&info, &data, 6).unwrap(), encode_jpeg(&info, &data, 50).unwrap()] {
                let mut file = file;
                let place = at.index(file.len());
                file[place] = value;
                let _ = decode(&file);
                file.truncate(cut.index(file.len()));
                let _ = decode(&file);
            }
        }
    }
}
