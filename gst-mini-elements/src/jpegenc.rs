//! `jpegenc` makes a JPEG file of each picture.
//!
//! Invariant: one picture in, one whole file out, at the same time.
//! In GStreamer: `ext/jpeg/gstjpegenc.c` (`gst_jpegenc_handle_frame`.
//! Left out: YUV input, `idct-method`.
//!
//! ```text
//! videotestsrc num-buffers=1 ! videoconvert ! jpegenc ! fakesink
//! ```

use crate::video::{VideoInfo, caps, still};
use gst_mini_core::element_prelude::*;

pub struct JpegEnc {
    quality: i32,
    snapshot: bool,
    info: Option<VideoInfo>,
}

impl Default for JpegEnc {
    fn default() -> Self {
        JpegEnc { quality: 85, snapshot: false, info: None }
    }
}

impl Element for JpegEnc {
    const NAME: &str = "jpegenc";
    const SUMMARY: &str = "Encodes pictures as JPEG files";
    const LONG_NAME: &str = "JPEG image encoder";
    const CLASS: &str = "Codec/Encoder/Image";
    const PADS: &[PadTemplate] = &[
        PadTemplate::sink(
            "video/x-raw, format={ RGB, GRAY8 }, width=[ 1, 16384 ], height=[ 1, 16384 ], framerate=[ 0/1, 2147483647/1 ]",
        ),
        PadTemplate::src(
            "image/jpeg, width=[ 1, 16384 ], height=[ 1, 16384 ], framerate=[ 0/1, 2147483647/1 ]",
        ),
    ];
    const PROPS: &[Prop<Self>] = &[
        Prop::int("quality", "Quality of encoding", |e: &mut Self| &mut e.quality)
            .range("0", "100"),
        Prop::boolean("snapshot", "End the stream after one picture", |e: &mut Self| {
            &mut e.snapshot
        }),
    ];
}

impl Transform for JpegEnc {
    fn transform_caps(_: &Cx, direction: Direction, caps: &Caps) -> Caps {
        let other = match direction {
            Direction::Sink => "image/jpeg",
            Direction::Src => "video/x-raw",
        };
        caps::renamed(caps, other)
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, _: &Caps) -> FlowResult {
        let info = caps::read(input)
            .map_err(|error| cx.error(ErrorKind::Negotiation, error.to_string()))?;
        self.info = Some(info);
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some(info) = &self.info else { return Err(FlowError::NotNegotiated) };
        let file = still::encode_jpeg(info, buf.data(), self.quality.clamp(1, 100) as u8)
            .map_err(|error| cx.error(ErrorKind::Encode, error.to_string()))?;
        let mut out = Buffer::from_vec(file);
        out.copy_header_from(&buf);
        if self.snapshot {
            cx.output(SECOND_PAD, out);
            return Err(FlowError::Eos);
        }
        Ok(Some(out))
    }
}
