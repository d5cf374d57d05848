//! What an H.264 stream says about itself in its `codec_data` and sequence parameter set.
//!
//! Invariant: any bytes may come in; the answer is a [`StreamInfo`] or an error, never a panic.
//! In GStreamer: `gst-libs/gst/codecparsers/gsth264parser.c` (`gst_h264_parser_parse_sps`),
//! `gst-libs/gst/pbutils/codec-utils.c` (`gst_codec_utils_caps_get_mime_codec`).
//! Left out: everything a muxer does not need, such as timing, HRD and the picture parameter sets.

/// The part of the sequence parameter set that the sample description repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Width in pixels after cropping.
    pub width: u32,
    /// Height in pixels after cropping.
    pub height: u32,
    /// Pixel aspect ratio, horizontal to vertical; 1:1 when the stream does not say.
    pub pixel_aspect_ratio: (u32, u32),
    /// The colors, when the stream says which.
    pub color: Option<Color>,
}

/// Color description in the code points of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    /// Color primaries.
    pub primaries: u16,
    /// Transfer characteristics.
    pub transfer: u16,
    /// Matrix coefficients.
    pub matrix: u16,
    /// Whether sample values use the full range.
    pub full_range: bool,
}

/// Why codec data was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AvcError {
    /// Not an AVC decoder configuration record, or one cut short.
    #[error("codec_data is not an AVC decoder configuration record (stream-format=avc is needed)")]
    NotAvcc,
    /// The record has no sequence parameter set.
    #[error("codec_data has no sequence parameter set (avc3, with in-band sets, is not supported)")]
    NoSps,
    /// NAL units must have four-byte lengths, as every encoder writes them.
    #[error("codec_data announces {0}-byte NAL lengths; only 4 are supported")]
    LengthSize(u8),
    /// The sequence parameter set ends early or contradicts itself.
    #[error("the sequence parameter set is damaged")]
    BadSps,
}

/// The RFC 6381 codecs string of `codec_data`, for example `avc1.42E01E`.
pub fn codecs_string(codec_data: &[u8]) -> Result<String, AvcError> {
    match codec_data {
        [1, profile, constraints, level, ..] => {
            Ok(format!("avc1.{profile:02X}{constraints:02X}{level:02X}"))
        }
        _ => Err(AvcError::NotAvcc),
    }
}

/// Reads the first sequence parameter set inside `codec_data`.
pub fn stream_info(codec_data: &[u8]) -> Result<StreamInfo, AvcError> {
    let [1, _, _, _, lengths, count, rest @ ..] = codec_data else {
        return Err(AvcError::NotAvcc);
    };
    if lengths & 3 != 3 {
        return Err(AvcError::LengthSize((lengths & 3) + 1));
    }
    if count & 0x1f == 0 {
        return Err(AvcError::NoSps);
    }
    let [high, low, rest @ ..] = rest else { return Err(AvcError::NotAvcc) };
    let size = usize::from(u16::from_be_bytes([*high, *low]));
    parse_sps(rest.get(..size).ok_or(AvcError::NotAvcc)?).ok_or(AvcError::BadSps)
}

/// Profiles whose sequence parameter set carries the chroma format (H.264, 7.3.2.1.1).
const PROFILES_WITH_CHROMA: &[u32] =
    &[100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

fn parse_sps(nal: &[u8]) -> Option<StreamInfo> {
    let [header, payload @ ..] = nal else { return None };
    if header & 0x1f != 7 {
        return None;
    }
    let rbsp = without_emulation_prevention(payload);
    let mut bits = Bits { bytes: &rbsp, position: 0 };
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.unsigned()?;
    let mut chroma_format = 1;
    if PROFILES_WITH_CHROMA.contains(&profile) {
        chroma_format = bits.unsigned()?;
        if chroma_format == 3 && bits.flag()? {
            // Separate planes are coded, and cropped, like monochrome.
            chroma_format = 0;
        }
        bits.unsigned()?;
        bits.unsigned()?;
        bits.take(1)?;
        if bits.flag()? {
            let lists = if chroma_format == 3 { 12 } else { 8 };
            for list in 0..lists {
                if bits.flag()? {
                    skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.unsigned()?;
    match bits.unsigned()? {
        0 => {
            bits.unsigned()?;
        }
        1 => {
            bits.take(1)?;
            bits.unsigned()?;
            bits.unsigned()?;
            for _ in 0..bits.unsigned()?.min(256) {
                bits.unsigned()?;
            }
        }
        _ => {}
    }
    bits.unsigned()?;
    bits.take(1)?;
    let width = bits.unsigned()?.checked_add(1)?.checked_mul(16)?;
    let map_units = bits.unsigned()?.checked_add(1)?;
    let frame_mbs_only = bits.take(1)?;
    if frame_mbs_only == 0 {
        bits.take(1)?;
    }
    let height = map_units.checked_mul(16)?.checked_mul(2 - frame_mbs_only)?;
    bits.take(1)?;
    let (mut crop_x, mut crop_y) = (0, 0);
    if bits.flag()? {
        let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
        let unit_y = (if chroma_format == 1 { 2 } else { 1 }) * (2 - frame_mbs_only);
        crop_x = bits.unsigned()?.checked_add(bits.unsigned()?)?.checked_mul(unit_x)?;
        crop_y = bits.unsigned()?.checked_add(bits.unsigned()?)?.checked_mul(unit_y)?;
    }
    let mut info = StreamInfo {
        width: width.checked_sub(crop_x)?,
        height: height.checked_sub(crop_y)?,
        pixel_aspect_ratio: (1, 1),
        color: None,
    };
    if bits.flag()? {
        parse_vui(&mut bits, &mut info)?;
    }
    Some(info)
}

/// The sample aspect ratios that have a number of their own (H.264, table E-1).
const ASPECT_RATIOS: [(u32, u32); 17] = [
    (1, 1),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

fn parse_vui(bits: &mut Bits, info: &mut StreamInfo) -> Option<()> {
    if bits.flag()? {
        let index = bits.take(8)?;
        let ratio = if index == 255 {
            (bits.take(16)?, bits.take(16)?)
        } else {
            *ASPECT_RATIOS.get(index as usize).unwrap_or(&(1, 1))
        };
        if ratio.0 > 0 && ratio.1 > 0 {
            info.pixel_aspect_ratio = ratio;
        }
    }
    if bits.flag()? {
        bits.take(1)?;
    }
    if bits.flag()? {
        bits.take(3)?;
        let full_range = bits.flag()?;
        if bits.flag()? {
            let mut code_point = || bits.take(8).map(|value| value as u16);
            info.color = Some(Color {
                primaries: code_point()?,
                transfer: code_point()?,
                matrix: code_point()?,
                full_range,
            });
        }
    }
    Some(())
}

fn skip_scaling_list(bits: &mut Bits, size: usize) -> Option<()> {
    let (mut last, mut next) = (8_i32, 8_i32);
    for _ in 0..size {
        if next != 0 {
            next = last.wrapping_add(bits.signed()?).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

/// Takes out the 3 that an encoder puts after two zeros so that no start code appears (7.4.1).
fn without_emulation_prevention(payload: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for &byte in payload {
        if byte == 3 && zeros >= 2 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.position / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Some(value)
    }

    /// An Exp-Golomb code, ue(v).
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u32 << zeros) - 1 + self.take(zeros)?)
    }

    /// An Exp-Golomb code, se(v).
    fn signed(&mut self) -> Option<i32> {
        let code = i64::from(self.unsigned()?);
        let magnitude = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { magnitude } else { -magnitude }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 1920x1080, High, level 4.0, as x264 writes it: 1088 lines coded, 8 cropped, BT.709.
    const AVCC_1080P: &[u8] = &[
        1, 0x64, 0, 0x28, 0xff, 0xe1, 0, 0x1b, 0x67, 0x64, 0, 0x28, 0xac, 0xd9, 0x40, 0x78, 2,
        0x27, 0xe5, 0xc0, 0x5a, 0x80, 0x80, 0x80, 0xa0, 0, 0, 3, 0, 0x20, 0, 0, 7, 0x81, 0xe3, 6,
        0x32, 0xc0, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0,
    ];

    #[test]
    fn cropped_high_profile_stream_tells_its_size() {
        let info = stream_info(AVCC_1080P).unwrap();
        assert_eq!((info.width, info.height), (1920, 1080));
        assert_eq!(info.pixel_aspect_ratio, (1, 1));
        assert_eq!(codecs_string(AVCC_1080P).unwrap(), "avc1.640028");
    }

    #[test]
    fn records_that_cannot_be_used_are_refused_by_name() {
        let with = |index: usize, byte: u8| {
            let mut bytes = AVCC_1080P.to_vec();
            bytes[index] = byte;
            stream_info(&bytes).unwrap_err()
        };
        assert_eq!(with(0, 0), AvcError::NotAvcc, "byte stream");
        assert_eq!(with(4, 0xfd), AvcError::LengthSize(2));
        assert_eq!(with(5, 0xe0), AvcError::NoSps);
        assert_eq!(with(8, 0x68), AvcError::BadSps);
        assert_eq!(stream_info(&[]).unwrap_err(), AvcError::NotAvcc);
    }

    #[test]
    fn record_cut_anywhere_is_an_error_or_an_answer() {
        for end in 0..AVCC_1080P.len() {
            let _ = stream_info(&AVCC_1080P[..end]);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_parameter_sets_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut record = vec![1, 100, 0, 40, 0xff, 0xe1, 0, bytes.len() as u8 + 1, 0x67];
            record.extend(bytes);
            let _ = stream_info(&record);
        }
    }
}
