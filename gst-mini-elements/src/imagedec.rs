//! `imagedec` reads PNG and JPEG files, whole or in pieces, one picture each.
//!
//! What comes out is RGBA, RGB or GRAY8, as the file has it; `videoconvert` makes the rest.
//!
//! Invariant: a picture has the time of the first piece of its file.
//! In GStreamer: `pngdec` and `jpegdec`; here one element for both.
//! Left out: files that follow each other within one buffer; other formats than these two.
//!
//! ```text
//! videotestsrc num-buffers=3 ! videoconvert ! pngenc ! imagedec ! fakesink
//! ```

use crate::video::{VideoInfo, caps, still};
use gst_mini_core::element_prelude::*;

/// The longest file that is collected, in bytes.
const MAX_FILE: usize = 1 << 28;

#[derive(Default)]
pub struct ImageDec {
    /// The file, as far as it has come, and the first piece's header.
    held: Vec<u8>,
    first: Option<Buffer>,
    /// From the caps that came in.
    fps: Option<Fraction>,
    /// Upstream's, until it is sent; then nothing.
    segment: Option<Segment>,
    /// The format that was announced.
    info: Option<VideoInfo>,
    frames: u64,
}

impl Element for ImageDec {
    const NAME: &str = "imagedec";
    const SUMMARY: &str = "Decodes PNG and JPEG files";
    const LONG_NAME: &str = "PNG and JPEG image decoder";
    const CLASS: &str = "Codec/Decoder/Image";
    const PADS: &[PadTemplate] = &[
        PadTemplate::sink("image/png; image/jpeg"),
        PadTemplate::src(
            "video/x-raw, format={ RGBA, RGB, GRAY8 }, width=[ 1, 16384 ], height=[ 1, 16384 ], framerate=[ 0/1, 2147483647/1 ]",
        ),
    ];
}

impl ImageDec {
    /// Decodes what is held and sends it, caps and segment first where they are new.
    fn finish_file(&mut self, cx: &Cx) -> Result<Buffer, still::StillError> {
        let (mut info, frame) = still::decode(&self.held)?;
        self.held.clear();
        let rate = self.fps.unwrap_or(Fraction::new(0, 1));
        info.fps = (rate.num, rate.den);
        if self.info.as_ref() != Some(&info) {
            cx.output_event(SECOND_PAD, Event::caps(caps::fixed(&info)));
            self.info = Some(info);
        }
        if let Some(segment) = self.segment.take() {
            cx.output_event(SECOND_PAD, Event::segment(segment));
        }
        let mut out = Buffer::from_vec(frame);
        if let Some(first) = self.first.take() {
            out.copy_header_from(&first);
        }
        if out.pts().is_none() && self.frames == 0 {
            out.set_pts(Some(ClockTime::ZERO));
        }
        out.set_offset(Some(self.frames));
        out.set_offset_end(Some(self.frames + 1));
        self.frames += 1;
        Ok(out)
    }
}

impl Transform for ImageDec {
    fn transform_caps(_: &Cx, direction: Direction, caps: &Caps) -> Caps {
        match direction {
            Direction::Sink => caps::renamed(caps, "video/x-raw"),
            Direction::Src => ["image/png", "image/jpeg"]
                .iter()
                .flat_map(|name| caps::renamed(caps, name).structures().to_vec())
                .collect(),
        }
    }

    /// The file decides, not the negotiation.
    fn fixate(_: &Cx, _: &Caps, _: Caps) -> Caps {
        Caps::any()
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        *self = ImageDec::default();
        Ok(())
    }

    fn set_caps(&mut self, _: &mut Cx, input: &Caps, _: &Caps) -> FlowResult {
        self.fps = input.structure(0).and_then(|structure| structure.fraction("framerate"));
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.held.extend_from_slice(buf.data());
        self.first.get_or_insert(buf);
        if !still::may_begin(&self.held) || self.held.len() > MAX_FILE {
            let why = match still::decode(&self.held) {
                Err(error) => error.to_string(),
                Ok(_) => format!("the file is longer than {MAX_FILE} bytes"),
            };
            return Err(cx.error(ErrorKind::Decode, format!("picture {}: {why}", self.frames)));
        }
        if !still::looks_whole(&self.held) {
            return Ok(None);
        }
        // A preview inside of a file ends like a file; then more is to come.
        Ok(self.finish_file(cx).ok())
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            EventKind::Segment(segment) => {
                let in_time = segment.format == Format::Time;
                self.segment = Some(if in_time { *segment } else { Segment::time() });
                Ok(false)
            }
            EventKind::Eos if !self.held.is_empty() || self.frames == 0 => {
                if self.held.is_empty() {
                    return Err(cx.error(ErrorKind::Decode, "the stream ended without a picture"));
                }
                match self.finish_file(cx) {
                    Ok(out) => {
                        cx.output(SECOND_PAD, out);
                        Ok(true)
                    }
                    Err(error) => {
                        let number = self.frames;
                        Err(cx.error(ErrorKind::Decode, format!("picture {number}: {error}")))
                    }
                }
            }
            _ => Ok(true),
        }
    }

    fn flush(&mut self, _: &mut Cx) {
        self.held.clear();
        self.first = None;
    }
}
