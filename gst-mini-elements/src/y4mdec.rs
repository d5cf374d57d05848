//! `y4mdec` takes the bytes of a `yuv4mpegpipe` stream and gives its pictures.
//!
//! So any clip or camera that ffmpeg can read is an input:
//! `ffmpeg -i CLIP -pix_fmt yuv420p -f yuv4mpegpipe -` into a file or a pipe.
//!
//! A seek in time becomes one in bytes, as all frames are of one size; what comes back from there is
//! stamped by the frame's number again.
//!
//! Invariant: frame `n` is stamped `n / fps` exactly, the first one 0, whatever the pieces the bytes came in.
//! In GStreamer: `gst/y4m/gsty4mdec.c` (`gst_y4m_dec_chain`, `gst_y4m_dec_src_event`).
//! Left out: playing backwards, 4:1:1 pictures, interlaced pictures.
//!
//! ```text
//! filesrc location=clip.y4m ! y4mdec ! fakesink
//! ```

mod place;

use crate::video::y4m::{Y4mError, Y4mParser};
use crate::video::{VideoInfo, caps};
use gst_mini_core::element_prelude::*;
use gst_mini_core::event::Seqnum;
use gst_mini_core::segment::SegmentFlags;
use place::{Frames, Inner, Place};
use std::sync::Arc;

const HOW: &str = "have ffmpeg write it with `-pix_fmt yuv420p -f yuv4mpegpipe`";
/// First bytes kept, to name what came instead.
const SHOWN: usize = 16;

#[derive(Default)]
pub struct Y4mDec {
    parser: Y4mParser,
    info: Option<VideoInfo>,
    /// Frames sent since the start of the stream.
    frames: u64,
    first_bytes: Vec<u8>,
    discont: bool,
    /// Told the application of a damaged stream.
    failed: bool,
    /// Found behind frames of the same piece of the stream; told once they have left.
    damage: Option<Y4mError>,
    /// Bytes to the next frame, after a jump to the middle of one.
    skip: u64,
    place: Arc<Place>,
}

impl Element for Y4mDec {
    const NAME: &str = "y4mdec";
    const SUMMARY: &str = "Demuxes/decodes YUV4MPEG streams";
    const LONG_NAME: &str = "YUV4MPEG demuxer/decoder";
    const CLASS: &str = "Codec/Demuxer";
    const RANK: u32 = 128;
    const PADS: &[PadTemplate] = &[
        PadTemplate::sink("application/x-yuv4mpeg"),
        PadTemplate::src(
            "video/x-raw, format={ I420, Y42B, Y444, GRAY8 }, width=[ 1, 16384 ], height=[ 1, 16384 ], framerate=[ 0/1, 2147483647/1 ]",
        ),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.place.clone())
    }
}

impl Y4mDec {
    fn restart(&mut self) {
        *self.place.inner.lock() = Inner::default();
        *self = Y4mDec { place: self.place.clone(), ..Y4mDec::default() };
    }

    /// Announces the format, once the header has been read; and once a frame was, where they are.
    fn announce(&mut self, cx: &Cx) {
        if let (None, Some(info)) = (&self.info, self.parser.info()) {
            cx.output_event(SECOND_PAD, Event::caps(caps::fixed(info)));
            cx.output_event(SECOND_PAD, Event::segment(Segment::time()));
            self.info = Some(info.clone());
        }
        let Some((info, layout)) = self.info.as_ref().zip(self.parser.layout()) else { return };
        let rate = u64::try_from(info.fps.0).ok().zip(u64::try_from(info.fps.1).ok());
        let rate = rate.filter(|(num, den)| *num > 0 && *den > 0);
        self.place.inner.lock().frames = rate.map(|fps| Frames { layout, fps });
    }

    /// Upstream goes on at a byte; what is sent on counts time.
    fn go_to(&mut self, cx: &Cx, segment: &Segment, seqnum: Seqnum) {
        let mut inner = self.place.inner.lock();
        let sought = inner.sought.take().filter(|(sought, _)| *sought == seqnum);
        let Some(frames) = inner.frames else { return };
        let byte = segment.position.unwrap_or(segment.start);
        let first = frames.layout.frames_before(byte);
        self.skip = frames.layout.byte_of(first) - byte;
        self.frames = first;
        let next = match sought {
            Some((_, mut next)) => {
                // Without a flush running time goes on from where it came to meanwhile.
                if !next.flags.contains(SegmentFlags::RESET) {
                    let reached = inner.segment;
                    let end = reached.position.and_then(|at| reached.running_time_of(at));
                    next.base = end.unwrap_or(next.base);
                }
                next
            }
            None => {
                let start = frames.time_of(first);
                Segment {
                    start,
                    time: Some(start),
                    position: Some(start),
                    rate: segment.rate,
                    ..Segment::time()
                }
            }
        };
        inner.segment = next;
        drop(inner);
        self.parser.resume(first);
        self.damage = None;
        cx.output_event(SECOND_PAD, Event::segment(next).with_seqnum(seqnum));
    }

    fn stamp(&mut self, frame: Vec<u8>) -> Buffer {
        let mut buf = Buffer::from_vec(frame);
        let (fps_n, fps_d) = self.info.as_ref().map_or((0, 1), |info| info.fps);
        let number = self.frames;
        self.frames += 1;
        // An unknown rate says when the first frame is shown, and nothing of the others.
        if fps_n > 0 {
            let at = |number| ClockTime::of_frame(number, fps_n as u64, fps_d.max(1) as u64);
            buf.set_pts(Some(at(number)));
            buf.set_duration(Some(at(number + 1) - at(number)));
            self.place.inner.lock().segment.position = Some(at(number + 1).nanos());
        } else if number == 0 {
            buf.set_pts(Some(ClockTime::ZERO));
        }
        buf.set_offset(Some(number));
        buf.set_offset_end(Some(number + 1));
        if std::mem::take(&mut self.discont) {
            buf.set_flags(BufferFlags::DISCONT);
        }
        buf
    }

    fn fail(&mut self, cx: &Cx, error: &Y4mError) -> FlowError {
        if std::mem::replace(&mut self.failed, true) {
            return FlowError::Error;
        }
        let found = if self.info.is_none() { self.found() } else { String::new() };
        // A reason that says what to do already is left at that.
        let how = if error.what.contains("ffmpeg") { String::new() } else { format!("; {HOW}") };
        cx.error(ErrorKind::Format, format!("{error}{found}{how}"))
    }

    fn found(&self) -> String {
        if self.first_bytes.is_empty() || self.first_bytes.starts_with(b"YUV4MPEG2") {
            return String::new();
        }
        let bytes = self.first_bytes.as_slice();
        let kind = match bytes {
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => " (an MP4 file)",
            [0x1a, 0x45, 0xdf, 0xa3, ..] => " (a Matroska or WebM file)",
            [b'R', b'I', b'F', b'F', ..] => " (a RIFF file, such as AVI or WAV)",
            [0x89, b'P', b'N', b'G', ..] => " (a PNG picture)",
            [0xff, 0xd8, 0xff, ..] => " (a JPEG picture)",
            [0, 0, 0, 1, ..] | [0, 0, 1, ..] => " (an elementary stream, such as H.264)",
            [0x47, ..] => " (perhaps an MPEG transport stream)",
            _ => "",
        };
        format!("; it begins with \"{}\"{kind}", bytes.escape_ascii())
    }
}

impl Transform for Y4mDec {
    const QOS: bool = false;
    const PULLS: bool = true;

    fn transform_caps(_: &Cx, direction: Direction, _: &Caps) -> Caps {
        let side = match direction {
            Direction::Sink => "video/x-raw",
            Direction::Src => "application/x-yuv4mpeg",
        };
        Caps::new(Structure::new(side))
    }

    /// The stream's header decides, not the negotiation.
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
        if let Some(error) = self.damage.take() {
            return Err(self.fail(cx, &error));
        }
        let missing = SHOWN.saturating_sub(self.first_bytes.len()).min(buf.size());
        self.first_bytes.extend_from_slice(&buf.data()[..missing]);
        if buf.has(BufferFlags::DISCONT) {
            self.discont = true;
        }
        let mut frames = Vec::new();
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(buf.size());
        self.skip -= skipped as u64;
        let parsed = self.parser.push(&buf.data()[skipped..], &mut frames);
        self.announce(cx);
        let any = !frames.is_empty();
        for frame in frames {
            let frame = self.stamp(frame);
            cx.output(SECOND_PAD, frame);
        }
        match parsed {
            Ok(()) => Ok(None),
            // Who hears of it stops everything, and these frames leave only after this call.
            Err(error) if any => {
                self.damage = Some(error);
                Ok(None)
            }
            Err(error) => Err(self.fail(cx, &error)),
        }
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            // Upstream counts bytes; what is sent on counts time, and begins with the header.
            EventKind::Segment(segment) => {
                if segment.format == Format::Bytes && self.info.is_some() {
                    self.go_to(cx, segment, event.seqnum);
                }
                Ok(false)
            }
            EventKind::SegmentDone { .. } => {
                let segment = self.place.inner.lock().segment;
                let position = segment.stop.or(segment.position).unwrap_or(0);
                let done = EventKind::SegmentDone { format: Format::Time, position };
                cx.output_event(SECOND_PAD, Event::new(done).with_seqnum(event.seqnum));
                Ok(false)
            }
            EventKind::Eos => {
                if let Some(error) = self.damage.take() {
                    return Err(self.fail(cx, &error));
                }
                if let Err(error) = self.parser.finish()
                    && !self.failed
                {
                    if self.frames == 0 {
                        return Err(self.fail(cx, &error));
                    }
                    let kept = self.frames;
                    cx.warning(
                        ErrorKind::Format,
                        format!("{error}; the {kept} frames before it were complete and are kept"),
                    );
                }
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    /// What was begun is dropped. The header stays, if there was one.
    fn flush(&mut self, _: &mut Cx) {
        if self.info.is_none() {
            self.restart();
            return;
        }
        self.parser.resume(self.frames);
        self.damage = None;
        (self.failed, self.skip) = (false, 0);
    }
}
