//! A [`Y4mParser`] takes a `yuv4mpegpipe` stream in pieces of any size and gives its frames.
//!
//! Invariant: each byte is copied once into its frame, whatever the pieces; what the header asks for is
//! checked before memory is taken; frames come out laid out as [`VideoInfo`] says.
//! In GStreamer: `gst/y4m/gsty4mdec.c` (`y4mdec`).
//! Left out: interlaced pictures, 4:2:2 and 4:4:4, more than 8 bits a sample, pixel aspect ratios.

use std::mem;

use super::{VideoFormat, VideoInfo};

/// What is wrong with a stream, and at which byte of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a usable yuv4mpeg stream: byte {offset}: {what}")]
pub struct Y4mError {
    /// Counted from the first byte pushed.
    pub offset: u64,
    /// A clause without a full stop.
    pub what: String,
}

/// The longest side a header may ask for, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// The longest header line, in bytes.
pub const MAX_LINE: usize = 1024;

const MAGIC: &str = "YUV4MPEG2";

/// Reads one stream; after an error it gives nothing more.
#[derive(Debug, Default)]
pub struct Y4mParser {
    offset: u64,
    state: State,
    /// The line being collected, or nothing.
    line: Vec<u8>,
    info: Option<VideoInfo>,
    frames: u64,
    failed: Option<Y4mError>,
    /// Bytes of the header, and of the line before each frame; `None` when those differ.
    header: u64,
    frame_line: Option<u64>,
}

/// Where the frames of a stream are: all of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Y4mLayout {
    /// Bytes before the first frame.
    pub header: u64,
    /// Bytes of a frame with its line.
    pub frame: u64,
}

impl Y4mLayout {
    /// The byte a frame begins at.
    pub fn byte_of(&self, frame: u64) -> u64 {
        self.header.saturating_add(self.frame.saturating_mul(frame))
    }

    /// Frames that begin before `byte`.
    pub fn frames_before(&self, byte: u64) -> u64 {
        byte.saturating_sub(self.header).div_ceil(self.frame)
    }
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Header,
    FrameLine,
    Samples {
        /// The frame, at its full size.
        frame: Vec<u8>,
        /// Sample bytes taken, padding not counted.
        taken: usize,
    },
}

impl Y4mParser {
    /// A parser at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture, once the header has been read.
    pub fn info(&self) -> Option<&VideoInfo> {
        self.info.as_ref()
    }

    /// Where the frames are, as far as the lines read before them tell: once one was read.
    pub fn layout(&self) -> Option<Y4mLayout> {
        let info = self.info.as_ref()?;
        let frame = self.frame_line? + sample_bytes(info) as u64;
        Some(Y4mLayout { header: self.header, frame })
    }

    /// What is pushed next begins with the line of frame `number`.
    pub fn resume(&mut self, number: u64) {
        self.offset = self.layout().map_or(self.offset, |layout| layout.byte_of(number));
        self.line.clear();
        self.frames = number;
        self.failed = None;
        if self.info.is_some() {
            self.state = State::FrameLine;
        }
    }

    /// Takes the next bytes and appends the frames they complete to `frames`.
    ///
    /// Frames completed before an error stay in `frames`; an error is given again at each later call.
    pub fn push(&mut self, mut bytes: &[u8], frames: &mut Vec<Vec<u8>>) -> Result<(), Y4mError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        while !bytes.is_empty() {
            let used = self.step(bytes, frames).inspect_err(|e| self.failed = Some(e.clone()))?;
            self.offset += used as u64;
            bytes = &bytes[used..];
        }
        Ok(())
    }

    /// Says whether the stream ended where a stream may end, after a whole frame.
    pub fn finish(&self) -> Result<(), Y4mError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let what = match &self.state {
            State::FrameLine if self.line.is_empty() => return Ok(()),
            State::Header if self.offset == 0 => "the stream is empty".to_owned(),
            State::Header => "the stream ends within its header".to_owned(),
            State::FrameLine => {
                format!("the stream ends within the header of frame {}", self.frames)
            }
            State::Samples { taken, .. } => {
                let need = self.info.as_ref().map_or(0, sample_bytes);
                let number = self.frames;
                format!("the stream ends within frame {number}, after {taken} of its {need} bytes")
            }
        };
        Err(Y4mError { offset: self.offset, what })
    }

    /// Uses some of `bytes`, at least one.
    fn step(&mut self, bytes: &[u8], frames: &mut Vec<Vec<u8>>) -> Result<usize, Y4mError> {
        if let (State::Samples { frame, taken }, Some(info)) = (&mut self.state, &self.info) {
            let used = fill(info, frame, *taken, bytes);
            *taken += used;
            if *taken == sample_bytes(info) {
                frames.push(mem::take(frame));
                self.frames += 1;
                self.state = State::FrameLine;
            }
            return Ok(used);
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let start = self.offset - self.line.len() as u64;
        if self.line.len() + part.len() > MAX_LINE {
            let what = format!("a header line of more than {MAX_LINE} bytes");
            return Err(Y4mError { offset: start, what });
        }
        self.line.extend_from_slice(part);
        if end.is_some() {
            let line = mem::take(&mut self.line);
            self.end_line(&line).map_err(|what| Y4mError { offset: start, what })?;
        }
        Ok(part.len() + usize::from(end.is_some()))
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(line).map_err(|_| "a header line that is not text")?;
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or("");
        match &self.info {
            None if first != MAGIC => Err(format!("the stream does not begin with {MAGIC}")),
            None => {
                self.info = Some(parse_header(words)?);
                self.header = line.len() as u64 + 1;
                self.state = State::FrameLine;
                Ok(())
            }
            Some(_) if first != "FRAME" => {
                Err(format!("FRAME expected before frame {}", self.frames))
            }
            Some(info) => {
                if words.any(|word| word.starts_with('I') && !word.starts_with("Ip")) {
                    return Err(interlaced());
                }
                let length = line.len() as u64 + 1;
                let same = self.frames == 0 || self.frame_line == Some(length);
                self.frame_line = same.then_some(length);
                self.state = State::Samples { frame: vec![0; info.size()], taken: 0 };
                Ok(())
            }
        }
    }
}

fn parse_header<'a>(words: impl Iterator<Item = &'a str>) -> Result<VideoInfo, String> {
    let (mut width, mut height, mut fps, mut format) = (None, None, (25, 1), VideoFormat::I420);
    let mut par = (1, 1);
    for word in words {
        let mut chars = word.chars();
        let tag = chars.next().unwrap_or(' ');
        let value = chars.as_str();
        let side = || match value.parse::<u32>() {
            Ok(side @ 1..=MAX_SIDE) => Ok(Some(side)),
            _ => Err(format!("{word}: a side must be between 1 and {MAX_SIDE}")),
        };
        match tag {
            'W' => width = side()?,
            'H' => height = side()?,
            'F' => fps = rate(value).ok_or_else(|| format!("{word}: not a frame rate"))?,
            'I' if matches!(value, "p" | "?" | "") => {}
            'I' => return Err(interlaced()),
            'C' => {
                format = match value {
                    "420" | "420jpeg" | "420mpeg2" | "420paldv" => VideoFormat::I420,
                    "422" => VideoFormat::Y42b,
                    "444" => VideoFormat::Y444,
                    "mono" => VideoFormat::Gray8,
                    _ => {
                        return Err(format!(
                            "colorspace {value} is not supported; have ffmpeg write it with `-pix_fmt yuv420p`"
                        ));
                    }
                }
            }
            // 0:0 is an unknown shape of pixels.
            'A' => par = rate(value).filter(|par| par.0 > 0).unwrap_or((1, 1)),
            // Comments change nothing here; unknown tags are to be passed over.
            _ => {}
        }
    }
    let (Some(width), Some(height)) = (width, height) else {
        return Err("the header gives no width (W) or no height (H)".to_owned());
    };
    let info = VideoInfo::new(format, width, height).map_err(|error| error.to_string())?;
    Ok(VideoInfo { par, ..info.with_fps(fps.0, fps.1) })
}

fn interlaced() -> String {
    "interlaced pictures are not supported; have ffmpeg write them with `-vf yadif`".to_owned()
}

/// `n:d`, where `0:0` is an unknown rate.
fn rate(value: &str) -> Option<(i32, i32)> {
    let (numerator, denominator) = value.split_once(':')?;
    match (numerator.parse().ok()?, denominator.parse().ok()?) {
        (0, 0) => Some((0, 1)),
        (numerator, denominator) if numerator > 0 && denominator > 0 => {
            Some((numerator, denominator))
        }
        _ => None,
    }
}

/// Bytes of a frame in the stream, where rows follow each other without padding.
fn sample_bytes(info: &VideoInfo) -> usize {
    let planes = info.planes();
    planes[..info.plane_count()].iter().map(|plane| plane.row_bytes * plane.height).sum()
}

/// Copies what fits of `bytes` to where sample byte `taken` and those after it belong.
fn fill(info: &VideoInfo, frame: &mut [u8], taken: usize, bytes: &[u8]) -> usize {
    let planes = info.planes();
    let (mut used, mut before) = (0, 0);
    for plane in &planes[..info.plane_count()] {
        let size = plane.row_bytes * plane.height;
        while taken + used < before + size && used < bytes.len() {
            let at = taken + used - before;
            let (row, column) = (at / plane.row_bytes, at % plane.row_bytes);
            // Without padding the rest of the plane is one piece.
            let piece =
                if plane.stride == plane.row_bytes { size - at } else { plane.row_bytes - column };
            let count = piece.min(bytes.len() - used);
            let to = plane.offset + row * plane.stride + column;
            frame[to..to + count].copy_from_slice(&bytes[used..used + count]);
            used += count;
        }
        before += size;
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(stream: &[u8], chunk: usize) -> (Vec<Vec<u8>>, Result<(), Y4mError>, Y4mParser) {
        let (mut parser, mut frames) = (Y4mParser::new(), Vec::new());
        let fed = stream.chunks(chunk).try_for_each(|bytes| parser.push(bytes, &mut frames));
        let result = fed.and_then(|()| parser.finish());
        (frames, result, parser)
    }

    fn stream(header: &str, frame_line: &str, frame_bytes: usize, count: usize) -> Vec<u8> {
        let mut stream = format!("YUV4MPEG2 {header}\n").into_bytes();
        for number in 0..count {
            stream.extend_from_slice(format!("{frame_line}\n").as_bytes());
            // Line feeds among the samples must not be taken for the end of a line.
            stream.extend((0..frame_bytes).map(|i| ((i + number) % 23) as u8));
        }
        stream
    }

    #[track_caller]
    fn refused(stream: &[u8]) -> String {
        let (_, result, _) = parse(stream, 7);
        result.unwrap_err().to_string()
    }

    #[test]
    fn frames_are_the_same_whatever_the_pieces() {
        let stream = stream("W6 H3 F30000:1001 Ip A1:1 C420jpeg XYSCSS=420JPEG", "FRAME", 30, 3);
        let (whole, result, parser) = parse(&stream, stream.len());
        assert_eq!(result, Ok(()));
        assert_eq!(parser.info().unwrap().fps, (30_000, 1001));
        assert_eq!(whole.len(), 3);
        for chunk in 1..stream.len() {
            assert_eq!(parse(&stream, chunk).0, whole, "pieces of {chunk}");
        }
    }

    #[test]
    fn rows_are_moved_to_padded_strides() {
        let (frames, result, parser) = parse(&stream("W5 H3 F25:1", "FRAME Ip", 27, 1), 4);
        assert_eq!(result, Ok(()));
        let planes = parser.info().unwrap().planes();
        let sample = |plane: usize, x: usize, y: usize| {
            frames[0][planes[plane].offset + y * planes[plane].stride + x]
        };
        assert_eq!((sample(0, 0, 1), sample(0, 4, 2)), (5, 14));
        assert_eq!((sample(1, 0, 0), sample(1, 2, 1)), (15, 20));
        assert_eq!((sample(2, 0, 0), sample(2, 2, 1)), (21, 26 % 23));
    }

    #[test]
    fn chroma_of_half_and_full_width_and_the_shape_of_pixels_are_read() {
        for (tag, format, bytes) in
            [("C422", VideoFormat::Y42b, 16), ("C444", VideoFormat::Y444, 24)]
        {
            let header = format!("W4 H2 F25:1 A4:3 {tag}");
            let (frames, result, parser) = parse(&stream(&header, "FRAME", bytes, 2), 5);
            assert_eq!((frames.len(), result), (2, Ok(())));
            let info = parser.info().unwrap();
            assert_eq!((info.format, info.par), (format, (4, 3)));
        }
    }

    #[test]
    fn mono_is_gray() {
        let (frames, result, parser) = parse(&stream("W4 H2 F1:1 Cmono", "FRAME", 8, 2), 3);
        assert_eq!((frames.len(), result), (2, Ok(())));
        assert_eq!(parser.info().unwrap().format, VideoFormat::Gray8);
    }

    #[test]
    fn truncated_last_frame_is_reported_and_the_others_kept() {
        let mut stream = stream("W4 H4 F25:1", "FRAME", 24, 2);
        stream.truncate(stream.len() - 10);
        let (frames, result, _) = parse(&stream, 5);
        assert_eq!(frames.len(), 1);
        let error = result.unwrap_err();
        assert_eq!(error.offset, stream.len() as u64);
        assert!(error.what.ends_with("within frame 1, after 14 of its 24 bytes"), "{error}");
    }

    #[test]
    fn unsupported_streams_are_refused_with_what_to_do() {
        assert!(refused(b"YUV4MPEG2 W4 H4 F25:1 C411\n").contains("-pix_fmt yuv420p"));
        assert!(refused(b"YUV4MPEG2 W4 H4 F25:1 C420p10\n").contains("420p10"));
        assert!(refused(b"YUV4MPEG2 W4 H4 F25:1 It\n").contains("yadif"));
        assert!(refused(b"YUV4MPEG2 W4 F25:1\n").contains("height"));
        assert!(refused(b"YUV4MPEG2 W4 H4 F25:0\n").contains("frame rate"));
        assert!(refused(b"RIFF....\n").contains("begin with YUV4MPEG2"));
        assert!(refused(b"").contains("empty"));
        let error = refused(&[&stream("W4 H4", "FRAME", 24, 1)[..], b"FRUME\n"].concat());
        assert!(error.contains("byte 46: FRAME expected before frame 1"), "{error}");
    }

    #[test]
    fn hostile_headers_take_no_memory() {
        assert!(refused(b"YUV4MPEG2 W4000000000 H4 F25:1\n").contains("16384"));
        assert!(refused(b"YUV4MPEG2 W16385 H1\n").contains("16384"));
        assert!(refused(&vec![b'Y'; 1 << 20]).contains("more than 1024 bytes"));
        let (_, _, parser) = parse(&vec![b'Y'; 1 << 20], 100);
        assert!(parser.line.capacity() <= 2 * MAX_LINE);
    }

    #[test]
    fn error_is_given_again_after_it_happened() {
        let mut parser = Y4mParser::new();
        let mut frames = Vec::new();
        let first = parser.push(b"nonsense\n", &mut frames).unwrap_err();
        assert_eq!(parser.push(b"YUV4MPEG2 W4 H4\n", &mut frames), Err(first.clone()));
        assert_eq!(parser.finish(), Err(first));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), chunk in 1usize..40) {
            let _ = parse(&bytes, chunk);
            let _ = parse(&[b"YUV4MPEG2 W4 H4 F25:1\n", &bytes[..]].concat(), chunk);
        }

        #[test]
        fn random_header_words_never_panic(words in "[WHFICAX0-9:a-z ]{0,60}", chunk in 1usize..40) {
            let words = words.replace(['W', 'H'], "W1 H9 ");
            let _ = parse(format!("YUV4MPEG2 {words}\nFRAME\n0123456789").as_bytes(), chunk);
        }
    }
}
