//! `pngenc` makes a PNG file of each picture.
//!
//! Invariant: one picture in, one whole file out, at the same time.
//! In GStreamer: `ext/libpng/gstpngenc.c` (`gst_pngenc_handle_frame`.
//! Left out: 16 bits a sample.
//!
//! ```text
//! videotestsrc num-buffers=1 ! videoconvert ! pngenc ! fakesink
//! ```

use crate::video::{VideoInfo, caps, still};
use gst_mini_core::element_prelude::*;

pub struct PngEnc {
    level: u32,
    snapshot: bool,
    info: Option<VideoInfo>,
}

impl Default for PngEnc {
    fn default() -> Self {
        PngEnc { level: 6, snapshot: false, info: None }
    }
}

impl Element for PngEnc {
    const NAME: &str = "pngenc";
    const SUMMARY: &str = "Encodes pictures as PNG files";
    const LONG_NAME: &str = "PNG image encoder";
    const CLASS: &str = "Codec/Encoder/Image";
    const PADS: &[PadTemplate] = &[
        PadTemplate::sink(
            "video/x-raw, format={ RGBA, RGB, GRAY8 }, width=[ 1, 16384 ], height=[ 1, 16384 ], framerate=[ 0/1, 2147483647/1 ]",
        ),
        PadTemplate::src(
            "image/png, width=[ 1, 16384 ], height=[ 1, 16384 ], framerate=[ 0/1, 2147483647/1 ]",
        ),
    ];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("compression-level", "PNG compression level, 0: none", |e: &mut Self| {
            &mut e.level
        })
        .range("0", "9"),
        Prop::boolean("snapshot", "End the stream after one picture", |e: &mut Self| {
            &mut e.snapshot
        }),
    ];
}

impl Transform for PngEnc {
    fn transform_caps(_: &Cx, direction: Direction, caps: &Caps) -> Caps {
        let other = match direction {
            Direction::Sink => "image/png",
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
        let file = still::encode_png(info, buf.data(), self.level)
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
