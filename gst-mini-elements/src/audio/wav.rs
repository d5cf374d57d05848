//! The headers of WAVE files, read and written.
//!
//! ```text
//!   RIFF size WAVE │ fmt  … │ other chunks, skipped │ data size │ samples
//! ```
//!
//! Invariant: whatever bytes come, in whatever pieces, the parser takes them without a panic and keeps at
//! most one chunk header or format of them.
//! In GStreamer: `gst/wavparse/gstwavparse.c` (`gst_wavparse_stream_headers`), `gst/wavenc/gstwavenc.c`
//! (`gst_wavenc_create_header_buf`), `gst-libs/gst/riff/riff-media.c` (`gst_riff_create_audio_caps`).
//! Left out: compressed formats; what LIST, cue and other chunks tell when they are read; writing RF64.

use super::format::AudioFormat;
use super::info::{AudioInfo, fallback_mask};

/// Why bytes are no WAVE file that can be read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// Another kind of file.
    #[error("this is no WAVE file: it begins with \"{0}\", not with RIFF, a size and WAVE")]
    NotWave(String),
    /// The stream ends before its samples begin.
    #[error("the file ends before its samples begin, {0}")]
    Short(&'static str),
    /// Samples come before it is said what they are.
    #[error("the data chunk comes before the fmt chunk")]
    NoFormat,
    /// The fmt chunk contradicts itself.
    #[error("the fmt chunk is wrong: {0}")]
    Format(String),
    /// Samples that are not PCM.
    #[error("samples of format {0:#06x}{1} are not supported; only PCM and floats are")]
    Codec(u16, &'static str),
}

/// What a header said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavHeader {
    /// What the samples are.
    pub info: AudioInfo,
    /// Whether it was a WAVE_FORMAT_EXTENSIBLE.
    pub is_extensible: bool,
    /// Bits that were declared for a sample.
    pub bits: u16,
    /// Where the samples begin in the file.
    pub data_start: u64,
    /// How many bytes of samples were declared; `None`: up to the end of the stream.
    pub data_size: Option<u64>,
}

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xfffe;
/// The part of a format's GUID behind the number of the format.
const GUID_REST: [u8; 14] = *b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";
/// Size of a chunk that goes on to the end of the stream, and of one whose size is in `ds64`.
const UNKNOWN_SIZE: u32 = u32::MAX;
const FORMAT_READ: u64 = 40;
const DS64_READ: u64 = 28;

#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    #[default]
    Riff,
    Chunk,
    /// The bytes of `fmt `, and how many follow that are not read.
    Format(u64),
    Ds64(u64),
}

/// Reads up to the samples.
#[derive(Debug, Default)]
pub struct HeaderParser {
    stage: Stage,
    pending: Vec<u8>,
    /// Bytes to be passed over.
    skip: u64,
    offset: u64,
    format: Option<(AudioInfo, bool, u16)>,
    ds64: Option<u64>,
}

impl HeaderParser {
    /// Takes bytes. `Some`: the header, and how many of the bytes belonged to it; the parser is done.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<(WavHeader, usize)>, WavError> {
        let mut rest = bytes;
        loop {
            let passed = self.skip.min(rest.len() as u64);
            (self.skip, self.offset) = (self.skip - passed, self.offset.saturating_add(passed));
            rest = &rest[passed as usize..];
            let missing = self.wanted().saturating_sub(self.pending.len()).min(rest.len());
            self.pending.extend_from_slice(&rest[..missing]);
            self.offset = self.offset.saturating_add(missing as u64);
            rest = &rest[missing..];
            if self.skip > 0 || self.pending.len() < self.wanted() {
                return Ok(None);
            }
            let piece = std::mem::take(&mut self.pending);
            if let Some(data_size) = self.take(&piece)? {
                let Some((info, is_extensible, bits)) = self.format else {
                    return Err(WavError::NoFormat);
                };
                let data_start = self.offset;
                let header = WavHeader { info, is_extensible, bits, data_start, data_size };
                return Ok(Some((header, bytes.len() - rest.len())));
            }
            self.pending = piece;
            self.pending.clear();
        }
    }

    /// What is wrong when the stream ends here.
    pub fn finish(&self) -> WavError {
        WavError::Short(match (self.stage, self.format) {
            (Stage::Riff, _) => "and even before its first 12 bytes",
            (_, None) => "and has no complete fmt chunk",
            (_, Some(_)) => "and has no data chunk",
        })
    }

    fn wanted(&self) -> usize {
        (match self.stage {
            Stage::Riff => 12,
            Stage::Chunk => 8,
            Stage::Format(size) => size.min(FORMAT_READ),
            Stage::Ds64(size) => size.min(DS64_READ),
        }) as usize
    }

    /// One piece; `Some` at the samples, with their size.
    fn take(&mut self, piece: &[u8]) -> Result<Option<Option<u64>>, WavError> {
        match self.stage {
            Stage::Riff => {
                let is_wave = matches!(&piece[..4], b"RIFF" | b"RF64") && &piece[8..] == b"WAVE";
                if !is_wave {
                    return Err(WavError::NotWave(piece.escape_ascii().to_string()));
                }
                self.stage = Stage::Chunk;
            }
            Stage::Chunk => return self.chunk(&piece[..4], u32_at(piece, 4)),
            Stage::Format(size) => {
                self.format = Some(read_format(piece)?);
                self.skip = (size + (size & 1)) - piece.len() as u64;
                self.stage = Stage::Chunk;
            }
            Stage::Ds64(size) => {
                let size_at =
                    |at| u64::from(u32_at(piece, at)) | u64::from(u32_at(piece, at + 4)) << 32;
                self.ds64 = Some(size_at(8)).filter(|size| *size > 0);
                self.skip = (size + (size & 1)) - piece.len() as u64;
                self.stage = Stage::Chunk;
            }
        }
        Ok(None)
    }

    fn chunk(&mut self, tag: &[u8], size: u32) -> Result<Option<Option<u64>>, WavError> {
        let length = u64::from(size);
        match tag {
            b"data" => {
                return Ok(Some(match (size, self.ds64) {
                    (UNKNOWN_SIZE, Some(size)) => Some(size),
                    (0 | UNKNOWN_SIZE, _) => None,
                    _ => Some(length),
                }));
            }
            b"fmt " if size < 16 => {
                return Err(WavError::Format(format!("it has {size} bytes, 16 are needed")));
            }
            b"fmt " if self.format.is_none() => self.stage = Stage::Format(length),
            b"ds64" if size >= 16 => self.stage = Stage::Ds64(length),
            _ => self.skip = length + (length & 1),
        }
        Ok(None)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn codec_name(codec: u16) -> &'static str {
    match codec {
        2 | 0x11 => " (ADPCM)",
        6 => " (A-law)",
        7 => " (mu-law)",
        0x31 => " (GSM)",
        0x50 => " (MPEG layer 2)",
        0x55 => " (MP3)",
        0xff => " (AAC)",
        _ => "",
    }
}

fn read_format(chunk: &[u8]) -> Result<(AudioInfo, bool, u16), WavError> {
    let (tag, channels, rate) = (u16_at(chunk, 0), u16_at(chunk, 2), u32_at(chunk, 4));
    let (block, bits) = (u32::from(u16_at(chunk, 12)), u16_at(chunk, 14));
    let wrong = |why: String| Err(WavError::Format(why));
    let is_extensible = tag == EXTENSIBLE;
    let codec = match is_extensible {
        true if chunk.len() < 40 => {
            return wrong(format!("an extensible one has 40 bytes, this has {}", chunk.len()));
        }
        true if chunk[26..40] != GUID_REST => return Err(WavError::Codec(tag, "")),
        true => u16_at(chunk, 24),
        false => tag,
    };
    if !matches!(codec, PCM | FLOAT) {
        return Err(WavError::Codec(codec, codec_name(codec)));
    }
    if channels == 0 || rate == 0 || rate > i32::MAX as u32 {
        return wrong(format!("it says {channels} channels at {rate} Hz"));
    }
    let channels = u32::from(channels);
    // The room that a sample has counts, not the bits that are used of it.
    let width = match block {
        0 => u32::from(bits).div_ceil(8) * 8,
        _ => block * 8 / channels,
    };
    if block != 0 && !(block * 8).is_multiple_of(channels * 8) {
        return wrong(format!("{block} bytes cannot be shared by {channels} channels"));
    }
    let format = match (codec, width) {
        (PCM, 8) => AudioFormat::U8,
        (PCM, 16) => AudioFormat::S16LE,
        (PCM, 24) => AudioFormat::S24LE,
        (PCM, 32) => AudioFormat::S32LE,
        (FLOAT, 32) => AudioFormat::F32LE,
        (FLOAT, 64) => AudioFormat::F64LE,
        _ => return wrong(format!("samples of {width} bits are not supported")),
    };
    let mask = match is_extensible {
        true => placed(channels, u32_at(chunk, 20)),
        false => (channels > 1).then(|| fallback_mask(channels)),
    };
    Ok((AudioInfo { format, rate, channels, mask }, is_extensible, bits))
}

/// GStreamer's mask for the one of an extensible format.
fn placed(channels: u32, wave_mask: u32) -> Option<u64> {
    let wave_mask = match (wave_mask, channels) {
        (0, 1) => return None,
        // What Microsoft takes for granted.
        (0, 3) => 0xb,
        (0, 2 | 4 | 6 | 8 | 9 | 11) => (1 << channels) - 1,
        (mask, _) => mask,
    };
    let places = PLACES.iter().enumerate().filter(|(bit, _)| wave_mask >> bit & 1 == 1);
    let mask = places.fold(0, |mask, (_, place)| mask | 1u64 << place);
    Some(if mask.count_ones() == channels { mask } else { 0 })
}

/// The bit in GStreamer's mask for each bit of Microsoft's.
const PLACES: [u32; 18] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 15, 12, 14, 13, 16, 20, 17];

/// Microsoft's mask for GStreamer's, if both name the same places in the same order; else 0.
fn wave_mask(mask: u64) -> u32 {
    let bits = (0..64).filter(|bit| mask >> bit & 1 == 1);
    let found: Option<Vec<usize>> =
        bits.map(|bit| PLACES.iter().position(|place| *place == bit)).collect();
    match found {
        Some(found) if found.is_sorted() => found.iter().fold(0, |mask, bit| mask | 1 << bit),
        _ => 0,
    }
}

/// Formats that can be written, for pad templates.
pub const WRITTEN: &str = "audio/x-raw, rate=[ 1, 2147483647 ], channels=[ 1, 65535 ], \
    format={ S32LE, S24LE, S16LE, U8, F32LE, F64LE }, layout=interleaved";

/// [`header_with`] nothing behind the samples.
pub fn header(info: &AudioInfo, data_size: u64) -> Vec<u8> {
    header_with(info, data_size, 0)
}

/// The chunk that keeps each tag, by its name in GStreamer.
const TAGS: [([u8; 4], &str); 11] = [
    (*b"IARL", "location"),
    (*b"IART", "artist"),
    (*b"ICMT", "comment"),
    (*b"ICOP", "copyright"),
    (*b"IGNR", "genre"),
    (*b"IKEY", "keywords"),
    (*b"INAM", "title"),
    (*b"IPRD", "album"),
    (*b"ISBJ", "album-artist"),
    (*b"ISFT", "encoder"),
    (*b"ISRC", "isrc"),
];

/// The chunk behind the samples that keeps tags; those that WAVE has no place for are not in it.
pub fn tags_chunk<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut out = b"LIST\0\0\0\0INFO".to_vec();
    for (name, text) in tags {
        let Some((tag, _)) = TAGS.iter().find(|(_, known)| *known == name) else { continue };
        // With the zero that ends it, and an even length.
        let length = (text.len() + 1).next_multiple_of(2);
        out.extend_from_slice(tag);
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
        out.resize(out.len() + length - text.len(), 0);
    }
    let length = u32::try_from(out.len() - 8).unwrap_or(u32::MAX);
    out[4..8].copy_from_slice(&length.to_le_bytes());
    out
}

/// The header before `data_size` bytes of samples and `more` bytes of chunks behind them. Sizes that
/// are too large for it say that the samples go on to the end of the file.
pub fn header_with(info: &AudioInfo, data_size: u64, more: u64) -> Vec<u8> {
    let is_extensible = info.channels > 2;
    let codec = if info.format.is_float() { FLOAT } else { PCM };
    let bits = info.format.width() as u16;
    let block = u16::try_from(info.frame_bytes()).unwrap_or(0);
    let channels = u16::try_from(info.channels).unwrap_or(u16::MAX);
    let size32 = |size: u64| u32::try_from(size).unwrap_or(UNKNOWN_SIZE).to_le_bytes();
    let length: u64 = if is_extensible { 80 } else { 44 };
    let mut out = Vec::with_capacity(length as usize);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&size32(data_size.saturating_add(length - 8).saturating_add(more)));
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&size32(if is_extensible { 40 } else { 16 }));
    out.extend_from_slice(&(if is_extensible { EXTENSIBLE } else { codec }).to_le_bytes());
    out.extend_from_slice(&channels.to_le_bytes());
    out.extend_from_slice(&info.rate.to_le_bytes());
    out.extend_from_slice(&u32::from(block).wrapping_mul(info.rate).to_le_bytes());
    out.extend_from_slice(&block.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    if is_extensible {
        out.extend_from_slice(&22u16.to_le_bytes());
        out.extend_from_slice(&bits.to_le_bytes());
        out.extend_from_slice(&wave_mask(info.mask.unwrap_or(0)).to_le_bytes());
        out.extend_from_slice(&codec.to_le_bytes());
        out.extend_from_slice(&GUID_REST);
        out.extend_from_slice(b"fact");
        out.extend_from_slice(&4u32.to_le_bytes());
        out.extend_from_slice(&size32(data_size / u64::from(block).max(1)));
    }
    out.extend_from_slice(b"data");
    out.extend_from_slice(&size32(data_size));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(bytes: &[u8], piece: usize) -> Result<Option<WavHeader>, WavError> {
        let mut parser = HeaderParser::default();
        for bytes in bytes.chunks(piece.max(1)) {
            if let Some((header, used)) = parser.push(bytes)? {
                assert!(used <= bytes.len());
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    #[test]
    fn a_written_header_is_read_back_in_pieces_of_any_size() {
        for name in ["U8", "S16LE", "S24LE", "S32LE", "F32LE", "F64LE"] {
            for channels in [1, 2, 3, 4, 6, 8] {
                let info = AudioInfo::new(name.parse().unwrap(), 44_100, channels);
                let bytes = header(&info, 12_000);
                for piece in [1, 3, 44, 100] {
                    let read = parse(&bytes, piece).unwrap().unwrap();
                    assert_eq!((read.info, read.data_size), (info, Some(12_000)));
                    assert_eq!(read.data_start, bytes.len() as u64);
                }
            }
        }
    }

    #[test]
    fn other_chunks_are_passed_over_and_unknown_sizes_understood() {
        let plain = header(&AudioInfo::new(AudioFormat::S16LE, 8000, 1), 0);
        let mut bytes = plain[..12].to_vec();
        bytes.extend_from_slice(b"JUNK\x03\x00\x00\x00abc\x00");
        bytes.extend_from_slice(&plain[12..36]);
        bytes.extend_from_slice(b"LIST\x04\x00\x00\x00INFO");
        for size in [0u32, u32::MAX] {
            let mut bytes = bytes.clone();
            bytes.extend_from_slice(b"data");
            bytes.extend_from_slice(&size.to_le_bytes());
            let read = parse(&bytes, 5).unwrap().unwrap();
            assert_eq!((read.data_size, read.data_start), (None, 68));
        }
    }

    #[test]
    fn an_rf64_file_has_its_size_in_ds64() {
        let plain = header(&AudioInfo::new(AudioFormat::S16LE, 8000, 1), 0);
        let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64\x1c\x00\x00\x00".to_vec();
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&5_000_000_000u64.to_le_bytes());
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&plain[12..36]);
        bytes.extend_from_slice(b"data\xff\xff\xff\xff");
        assert_eq!(parse(&bytes, 7).unwrap().unwrap().data_size, Some(5_000_000_000));
    }

    #[test]
    fn tags_are_kept_where_wave_has_a_place_for_them() {
        let tags = [("title", "Tone"), ("description", "audiotest wave"), ("artist", "Me!")];
        let expected = b"LIST\x1e\0\0\0INFOINAM\x06\0\0\0Tone\0\0IART\x04\0\0\0Me!\0";
        assert_eq!(tags_chunk(tags.into_iter()), expected);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |bytes: &[u8]| parse(bytes, 64).unwrap_err().to_string();
        assert!(said(b"OggS\0\0\0\0\0\0\0\0").contains("OggS"));
        assert!(said(b"RIFF\0\0\0\0WAVEdata\0\0\0\0").contains("before the fmt chunk"));
        let mut bytes = header(&AudioInfo::new(AudioFormat::S16LE, 8000, 1), 0);
        bytes[20] = 0x55;
        assert!(said(&bytes).contains("0x0055 (MP3)"));
        bytes[20] = 1;
        bytes[22] = 0;
        assert!(said(&bytes).contains("0 channels at 8000"));
        assert!(HeaderParser::default().finish().to_string().contains("first 12 bytes"));
    }

    proptest! {
        #[test]
        fn random_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), piece in 1usize..50) {
            let _ = parse(&bytes, piece);
        }

        #[test]
        fn a_damaged_header_is_taken_or_refused_alike_in_any_pieces(
            channels in 1u32..12, at in 0usize..80, value: u8, cut in 0usize..100, piece in 1usize..50,
        ) {
            let mut bytes = header(&AudioInfo::new(AudioFormat::S16LE, 8000, channels), 4000);
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(cut.max(1));
            prop_assert_eq!(parse(&bytes, piece), parse(&bytes, bytes.len()));
        }
    }
}
