//! `wavparse` takes the bytes of a WAVE file and gives its samples.
//!
//! Invariant: byte `n` of the samples is heard at `n / (rate · bytes a frame)`, whatever pieces the file comes
//! in, and a buffer holds whole frames.
//! In GStreamer: `gst/wavparse/gstwavparse.c` (`gst_wavparse_stream_data`, `gst_wavparse_perform_seek`).
//! Left out: compressed formats, tags and tables of contents inside the file, DTS in disguise,
//! playing backwards.
//!
//! ```text
//! filesrc location=tone.wav ! wavparse ! fakesink
//! ```

use crate::audio::wav::{HeaderParser, WavError, WavHeader};
use gst_mini_core::element_prelude::*;
use gst_mini_core::event::{Seek, Seqnum};
use gst_mini_core::time::scale_ceil;
use std::sync::Arc;

const SECOND: u64 = ClockTime::SECOND.nanos();
/// A buffer holds 40 ms, but at least this many bytes.
const PIECE_NANOS: u64 = 40_000_000;
const PIECE_BYTES: u64 = 4096;
/// However fast it is played.
const PIECE_MOST: u64 = 1 << 24;
const KEPT_BUFFERS: usize = 8;

#[derive(Default)]
pub struct WavParse {
    ignore_length: bool,
    parser: HeaderParser,
    stream: Option<Stream>,
    facts: Arc<Facts>,
    discont: bool,
    /// Told the application of a damaged file.
    failed: bool,
}

/// The samples of a file whose header was read.
struct Stream {
    frame: u64,
    bytes_a_second: u64,
    data_start: u64,
    /// Where the samples end in the file, if that is known.
    data_end: Option<u64>,
    duration: Option<u64>,
    /// Of the next byte in the file, and where to stop.
    offset: u64,
    end: Option<u64>,
    /// What goes downstream, and whether it has.
    segment: Segment,
    is_announced: bool,
    piece: u64,
    pool: BufferPool,
    filling: Option<(Buffer, usize)>,
}

/// What seeks and queries are answered from, on any thread.
#[derive(Default)]
struct Facts {
    is_known: Live<bool>,
    data_start: Live<u64>,
    frame: Live<u64>,
    bytes_a_second: Live<u64>,
    /// 0 when unknown.
    duration: Live<u64>,
}

impl Shared for Facts {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        match query {
            Query::Duration { format: Format::Time, duration } => {
                *duration = Some(self.duration.get()).filter(|d| self.is_known.get() && *d > 0);
                duration.is_some()
            }
            Query::Seeking { format: Format::Time, seekable, start, end } => {
                // Whoever has the bytes must be able to go to them.
                let format = Format::Bytes;
                let mut asked = Query::Seeking { format, seekable: false, start: 0, end: None };
                let is_answered = cx.peer_query(FIRST_PAD, &mut asked);
                let is_possible = matches!(asked, Query::Seeking { seekable: true, .. });
                *seekable = self.is_known.get() && is_answered && is_possible;
                *start = 0;
                *end = Some(self.duration.get()).filter(|d| *d > 0);
                true
            }
            // Upstream counts bytes, which is of no use to who asks for times.
            Query::Duration { .. } | Query::Seeking { .. } => false,
            _ => false,
        }
    }

    fn seek(&self, _: &Cx, seek: &Seek, _: Seqnum) -> Option<Seek> {
        if !self.is_known.get() || seek.format != Format::Time || seek.rate < 0.0 {
            return None;
        }
        let byte = |time: i64| match u64::try_from(time) {
            Err(_) => Some(-1),
            Ok(time) => {
                let byte = scale_ceil(time, self.bytes_a_second.get(), SECOND)?;
                let whole = byte - byte % self.frame.get().max(1);
                i64::try_from(whole.saturating_add(self.data_start.get())).ok()
            }
        };
        let (start, stop) = (byte(seek.start)?, byte(seek.stop)?);
        Some(Seek { format: Format::Bytes, start, stop, ..seek.clone() })
    }
}

impl Element for WavParse {
    const NAME: &str = "wavparse";
    const SUMMARY: &str = "Parse a .wav file into raw audio";
    const LONG_NAME: &str = "WAV audio demuxer";
    const CLASS: &str = "Codec/Demuxer/Audio";
    const RANK: u32 = 256;
    const PADS: &[PadTemplate] = &[
        PadTemplate::sink("audio/x-wav; audio/x-rf64"),
        PadTemplate::src(
            "audio/x-raw, format={ U8, S16LE, S24LE, S32LE, F32LE, F64LE }, layout=interleaved, \
             channels=[ 1, 65535 ], rate=[ 1, 2147483647 ]",
        ),
    ];
    const PROPS: &[Prop<Self>] = &[Prop::boolean(
        "ignore-length",
        "Read on after the end that the header tells",
        |e: &mut Self| &mut e.ignore_length,
    )];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.facts.clone())
    }
}

impl Stream {
    fn new(header: &WavHeader, data_size: Option<u64>, ignores_length: bool) -> Stream {
        let info = header.info;
        let frame = (info.frame_bytes() as u64).max(1);
        let bytes_a_second = frame * u64::from(info.rate);
        let duration = data_size
            .filter(|_| !ignores_length)
            .and_then(|size| scale_ceil(size, SECOND, bytes_a_second));
        let data_end = data_size.map(|size| header.data_start.saturating_add(size));
        let mut stream = Stream {
            frame,
            bytes_a_second,
            data_start: header.data_start,
            data_end,
            duration,
            offset: header.data_start,
            end: data_end,
            segment: Segment { position: Some(0), duration, ..Segment::time() },
            is_announced: false,
            piece: 0,
            pool: BufferPool::new(0, 0),
            filling: None,
        };
        stream.measure();
        stream
    }

    /// How large buffers are at the rate of the segment.
    fn measure(&mut self) {
        let usual =
            scale_ceil(PIECE_NANOS, self.bytes_a_second, SECOND).unwrap_or(0).max(PIECE_BYTES);
        let usual = usual - usual % self.frame;
        let piece = (usual as f64 * self.segment.rate.abs()).min(PIECE_MOST as f64) as u64;
        let piece = (piece - piece % self.frame).max(self.frame);
        if piece != self.piece {
            self.piece = piece;
            self.pool = BufferPool::new(piece as usize, KEPT_BUFFERS);
        }
    }

    fn left(&self) -> u64 {
        self.end.map_or(u64::MAX, |end| end.saturating_sub(self.offset))
    }

    /// The time of a place in the file.
    fn time_of(&self, offset: u64) -> u64 {
        let into = offset.saturating_sub(self.data_start);
        scale_ceil(into, SECOND, self.bytes_a_second).unwrap_or(0)
    }

    /// The buffer that was begun, cut to whole frames.
    fn take_filled(&mut self) -> Option<Buffer> {
        let (mut buf, filled) = self.filling.take()?;
        let whole = filled as u64 - filled as u64 % self.frame;
        if whole == 0 {
            return None;
        }
        buf.truncate(whole as usize);
        let begin = self.offset - filled as u64;
        let end = begin + whole;
        let (from, to) = (self.time_of(begin), self.time_of(end));
        buf.set_pts(Some(ClockTime::from_nanos(from)));
        buf.set_duration(Some(ClockTime::from_nanos(to - from)));
        buf.set_offset(Some((begin - self.data_start) / self.frame));
        buf.set_offset_end(Some((end - self.data_start) / self.frame));
        if to >= self.segment.start {
            self.segment.position = Some(to);
        }
        Some(buf)
    }

    /// Bytes of `data` that lie before the samples, or before the next whole frame.
    fn misplaced(&self) -> u64 {
        if self.filling.is_some() {
            return 0;
        }
        match self.offset.checked_sub(self.data_start) {
            None => self.data_start - self.offset,
            Some(into) => (self.frame - into % self.frame) % self.frame,
        }
    }

    /// Another part of the file comes: the segment for downstream.
    fn go_to(&mut self, bytes: &Segment) {
        let time = |offset: u64| self.time_of(offset);
        let start = time(bytes.start);
        let stop = bytes.stop.filter(|stop| *stop > 0).map(time);
        let position = self.segment.position.unwrap_or(self.segment.start);
        let base = self.segment.running_time_of(position).unwrap_or(0);
        self.segment = Segment {
            format: Format::Time,
            start,
            stop,
            time: Some(start),
            position: Some(start),
            duration: self.duration,
            base,
            ..*bytes
        };
        self.is_announced = false;
        self.offset = bytes.start;
        self.end = match (bytes.stop.filter(|stop| *stop > 0), self.data_end) {
            (Some(stop), Some(end)) => Some(stop.min(end)),
            (stop, end) => stop.or(end),
        };
        self.filling = None;
        self.measure();
    }
}

/// Caps in the order of fields that GStreamer has them.
fn caps_of(header: &WavHeader) -> Caps {
    let info = &header.info;
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let mut structure = Structure::new("audio/x-raw")
        .with("format", info.format.name())
        .with("layout", "interleaved")
        .with("channels", number(info.channels));
    let mask = info.mask.map(Value::Bitmask);
    match (mask, header.is_extensible) {
        (Some(mask), false) => {
            structure.set("channel-mask", mask);
            structure.set("rate", number(info.rate));
        }
        (mask, _) => {
            structure.set("rate", number(info.rate));
            if let Some(mask) = mask {
                structure.set("channel-mask", mask);
            }
        }
    }
    Caps::new(structure)
}

fn tags_of(header: &WavHeader) -> Structure {
    let kind = if header.info.format.is_float() { "IEEE float" } else { "PCM" };
    let bitrate = header.info.frame_bytes() as u64 * u64::from(header.info.rate) * 8;
    Structure::new("taglist")
        .with("container-format", "WAV")
        .with("bitrate", u32::try_from(bitrate).unwrap_or(u32::MAX))
        .with("audio-codec", format!("Uncompressed {}-bit {kind} audio", header.bits))
}

impl WavParse {
    fn restart(&mut self) {
        self.parser = HeaderParser::default();
        (self.stream, self.discont, self.failed) = (None, true, false);
        self.facts.is_known.set(false);
    }

    fn fail(&mut self, cx: &Cx, error: &WavError) -> FlowError {
        if std::mem::replace(&mut self.failed, true) {
            return FlowError::Error;
        }
        cx.error(ErrorKind::Format, error.to_string())
    }

    fn begin(&mut self, cx: &Cx, header: &WavHeader) {
        let format = Format::Bytes;
        let mut asked = Query::Duration { format, duration: None };
        let whole = match (cx.peer_query(FIRST_PAD, &mut asked), asked) {
            (true, Query::Duration { duration, .. }) => duration,
            _ => None,
        };
        // A file that was cut off is shorter than it says.
        let there = whole.and_then(|whole| whole.checked_sub(header.data_start));
        let declared = header.data_size.filter(|_| !self.ignore_length);
        let size = match (declared, there) {
            (Some(declared), Some(there)) => Some(declared.min(there)),
            (declared, there) => declared.or(there),
        };
        let stream = Stream::new(header, size, self.ignore_length);
        self.facts.data_start.set(stream.data_start);
        self.facts.frame.set(stream.frame);
        self.facts.bytes_a_second.set(stream.bytes_a_second);
        self.facts.duration.set(stream.duration.unwrap_or(0));
        self.facts.is_known.set(true);
        cx.output_event(SECOND_PAD, Event::caps(caps_of(header)));
        cx.output_event(SECOND_PAD, Event::segment(stream.segment));
        cx.output_event(SECOND_PAD, Event::new(EventKind::Tag(tags_of(header))));
        self.discont = true;
        self.stream = Some(Stream { is_announced: true, ..stream });
    }

    fn send_filled(&mut self, cx: &Cx) {
        let Some(stream) = &mut self.stream else { return };
        let Some(mut buf) = stream.take_filled() else { return };
        if !std::mem::replace(&mut stream.is_announced, true) {
            cx.output_event(SECOND_PAD, Event::segment(stream.segment));
        }
        if std::mem::take(&mut self.discont) {
            buf.set_flags(BufferFlags::DISCONT);
        }
        cx.output(SECOND_PAD, buf);
    }

    fn feed(&mut self, cx: &Cx, mut data: &[u8]) -> FlowResult {
        loop {
            let Some(stream) = &mut self.stream else { return Ok(()) };
            let skip = stream.misplaced().min(data.len() as u64);
            stream.offset += skip;
            data = &data[skip as usize..];
            let left = stream.left();
            let filled = stream.filling.as_ref().map_or(0, |(_, filled)| *filled);
            if filled == 0 && left < stream.frame {
                return Err(FlowError::Eos);
            }
            if data.is_empty() {
                return Ok(());
            }
            // Whole frames, up to the end of what is to be played.
            let possible = left.saturating_add(filled as u64);
            let wanted = stream.piece.min(possible - possible % stream.frame) as usize;
            let (buf, filled) = stream.filling.get_or_insert_with(|| (stream.pool.acquire(), 0));
            let taken = wanted.saturating_sub(*filled).min(data.len());
            if let Some(room) = buf.data_mut().get_mut(*filled..*filled + taken) {
                room.copy_from_slice(&data[..taken]);
            }
            *filled += taken;
            let is_full = *filled >= wanted;
            stream.offset += taken as u64;
            data = &data[taken..];
            if is_full {
                self.send_filled(cx);
            }
        }
    }
}

impl Transform for WavParse {
    const QOS: bool = false;
    const PULLS: bool = true;

    fn transform_caps(_: &Cx, direction: Direction, _: &Caps) -> Caps {
        Caps::new(Structure::new(match direction {
            Direction::Sink => "audio/x-raw",
            Direction::Src => "audio/x-wav",
        }))
    }

    /// The file's header decides, not the negotiation.
    fn fixate(_: &Cx, _: &Caps, _: Caps) -> Caps {
        Caps::any()
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.restart();
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.restart();
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        if self.failed {
            return Err(FlowError::Error);
        }
        self.discont |= buf.has(BufferFlags::DISCONT);
        let mut data = buf.data();
        if self.stream.is_none() {
            match self.parser.push(data) {
                Err(error) => return Err(self.fail(cx, &error)),
                Ok(None) => return Ok(None),
                Ok(Some((header, used))) => {
                    self.begin(cx, &header);
                    data = &data[used..];
                }
            }
        }
        self.feed(cx, data).map(|()| None)
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            EventKind::StreamStart { .. } => self.restart(),
            EventKind::Segment(segment) => {
                // Upstream counts bytes; what goes on counts time, and begins with the header.
                if segment.format == Format::Bytes && self.stream.is_some() {
                    self.send_filled(cx);
                    if let Some(stream) = &mut self.stream {
                        stream.go_to(segment);
                    }
                }
                return Ok(false);
            }
            EventKind::Eos => {
                if self.stream.is_some() {
                    self.send_filled(cx);
                } else if !self.failed {
                    let error = self.parser.finish();
                    return Err(self.fail(cx, &error));
                }
            }
            _ => {}
        }
        Ok(true)
    }

    fn flush(&mut self, _: &mut Cx) {
        self.discont = true;
        match &mut self.stream {
            Some(stream) => {
                stream.filling = None;
                stream.segment =
                    Segment { position: Some(0), duration: stream.duration, ..Segment::time() };
            }
            None => self.parser = HeaderParser::default(),
        }
    }
}
