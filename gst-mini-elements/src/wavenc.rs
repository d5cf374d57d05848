//! `wavenc` puts a WAVE header before raw samples.
//!
//! The header is sent twice: first with no size, and at the end, behind a segment that goes back to the
//! first byte, with the right one. A sink that cannot go back keeps the first.
//!
//! Invariant: samples are passed on as they are.
//! In GStreamer: `gst/wavenc/gstwavenc.c` (`gst_wavenc_chain`, `gst_wavenc_push_header`).
//! Left out: A-law and mu-law, RF64, dates among the tags, tables of contents; places of channels whose order differs in WAVE.
//!
//! ```text
//! audiotestsrc num-buffers=100 ! wavenc ! filesink location=tone.wav
//! ```

use crate::audio::AudioInfo;
use crate::audio::wav::{WRITTEN, header_with, tags_chunk};
use gst_mini_core::element_prelude::*;

#[derive(Default)]
pub struct WavEnc {
    info: Option<AudioInfo>,
    written: u64,
    has_begun: bool,
    /// What came last of tags, and how long the chunk with them is.
    tags: Option<Structure>,
    tags_length: u64,
}

impl Element for WavEnc {
    const NAME: &str = "wavenc";
    const SUMMARY: &str = "Encode raw audio into WAV";
    const LONG_NAME: &str = "WAV audio muxer";
    const CLASS: &str = "Codec/Muxer/Audio";
    const RANK: u32 = 256;
    const PADS: &[PadTemplate] = &[PadTemplate::sink(WRITTEN), PadTemplate::src("audio/x-wav")];
}

impl WavEnc {
    /// Sends the chunk with the tags, an empty one too, as GStreamer 1.22 does.
    fn put_tags(&mut self, cx: &Cx) {
        let Some(tags) = &self.tags else { return };
        let texts = tags.fields().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let chunk = tags_chunk(texts);
        self.tags_length = chunk.len() as u64;
        cx.output(SECOND_PAD, Buffer::from_vec(chunk));
    }

    /// Sends the header to the first byte of the file; its length.
    fn put_header(&self, cx: &Cx, info: &AudioInfo) -> u64 {
        let header = header_with(info, self.written, self.tags_length);
        let length = header.len() as u64;
        cx.output_event(SECOND_PAD, Event::segment(Segment::new(Format::Bytes)));
        let mut buf = Buffer::from_vec(header);
        buf.set_offset(Some(0));
        cx.output(SECOND_PAD, buf);
        length
    }
}

/// Whether whoever takes the bytes says that it cannot go back.
fn cannot_go_back(cx: &Cx) -> bool {
    let format = Format::Bytes;
    let mut asked = Query::Seeking { format, seekable: true, start: 0, end: None };
    cx.peer_query(SECOND_PAD, &mut asked) && matches!(asked, Query::Seeking { seekable: false, .. })
}

impl Transform for WavEnc {
    const QOS: bool = false;

    fn transform_caps(_: &Cx, direction: Direction, _: &Caps) -> Caps {
        match direction {
            Direction::Sink => Caps::new(Structure::new("audio/x-wav")),
            Direction::Src => Caps::parse(WRITTEN).unwrap_or_else(|_| Caps::empty()),
        }
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        *self = WavEnc::default();
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, _: &Caps) -> FlowResult {
        let info = AudioInfo::from_caps(input)
            .map_err(|error| cx.error(ErrorKind::Negotiation, error.to_string()))?;
        if self.has_begun && self.info != Some(info) {
            let text =
                format!("a WAVE file has one format; it cannot become {input} in the middle");
            return Err(cx.error(ErrorKind::Negotiation, text));
        }
        self.info = Some(info);
        Ok(())
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            // What goes on counts bytes.
            EventKind::Segment(_) => Ok(false),
            EventKind::Tag(tags) => {
                self.tags = Some(tags.clone());
                Ok(true)
            }
            EventKind::Eos => {
                if self.info.is_some() {
                    self.put_tags(cx);
                }
                if let Some(info) = &self.info
                    && !(self.has_begun && cannot_go_back(cx))
                {
                    if self.written > u64::from(u32::MAX) {
                        let text = "the file is longer than 4 GiB, which its header cannot say";
                        cx.warning(ErrorKind::Format, text);
                    }
                    self.put_header(cx, info);
                }
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn transform(&mut self, cx: &mut Cx, mut buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some(info) = &self.info else { return Err(FlowError::NotNegotiated) };
        let length = if std::mem::replace(&mut self.has_begun, true) {
            if info.channels > 2 { 80 } else { 44 }
        } else {
            self.put_header(cx, info)
        };
        buf.set_offset(Some(length + self.written));
        buf.set_offset_end(None);
        self.written += buf.size() as u64;
        Ok(Some(buf))
    }
}
