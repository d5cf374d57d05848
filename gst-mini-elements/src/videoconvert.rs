//! `videoconvert` changes how the samples of a picture are stored, and not what it shows.
//!
//! Invariant: times, flags and metas are those of the input; where both sides take the format that
//! comes in, the very buffer is passed on.
//! In GStreamer: `gst/videoconvertscale/gstvideoconvert.c`, `gstvideoconvertscale.c` (`gst_video_convert_scale_fixate_caps`).
//! Left out: dithering, `alpha-mode`, `gamma-mode`, `primaries-mode`; other formats than those of `VideoFormat`;
//! more than one thread.
//!
//! ```text
//! videotestsrc num-buffers=3 ! videoconvert ! video/x-raw,format=RGBA ! fakesink
//! ```

use crate::frames::Frames;
use crate::video::convert::Converter;
use crate::video::options::{Options, with_options};
use crate::video::{caps, choose};
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

#[derive(Default)]
pub struct VideoConvert {
    options: Options,
    /// Without a format nothing can be made.
    has_format: bool,
    /// With the bytes of its output; none while the input is passed on.
    work: Option<(Converter, usize)>,
}

impl Element for VideoConvert {
    const NAME: &str = "videoconvert";
    const SUMMARY: &str = "Converts video from one colorspace to another";
    const LONG_NAME: &str = "Video colorspace converter";
    const CLASS: &str = "Filter/Converter/Video/Colorspace";
    const RANK: u32 = 64;
    const PADS: &[PadTemplate] = &[PadTemplate::sink(caps::RAW), PadTemplate::src(caps::RAW)];
    const PROPS: &[Prop<Self>] = with_options![];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(Arc::new(Frames))
    }
}

impl Transform for VideoConvert {
    fn transform_caps(_: &Cx, _: Direction, caps: &Caps) -> Caps {
        choose::other_side(caps, true, false)
    }

    fn fixate(_: &Cx, input: &Caps, caps: Caps) -> Caps {
        choose::fixate(input, caps)
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        let refused = self.options.refused();
        refused.map_or(Ok(()), |text| Err(ElementError::new(ErrorKind::Settings, text)))
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.work, self.has_format) = (None, false);
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        (self.work, self.has_format) = (None, true);
        if input == output {
            return Ok(());
        }
        let refused = |error: String| cx.error(ErrorKind::Negotiation, error);
        let from = caps::read(input).map_err(|error| refused(error.to_string()))?;
        let to = caps::read(output).map_err(|error| refused(error.to_string()))?;
        let size = to.size();
        let converter = Converter::with(from, to, self.options.way())
            .map_err(|error| refused(error.to_string()))?;
        self.work = Some((converter, size));
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some((converter, size)) = &mut self.work else {
            return if self.has_format { Ok(Some(buf)) } else { Err(FlowError::NotNegotiated) };
        };
        let mut out = cx.acquire(*size);
        converter
            .convert(buf.data(), out.data_mut())
            .map_err(|error| cx.error(ErrorKind::Failed, error.to_string()))?;
        out.copy_header_from(&buf);
        Ok(Some(out))
    }

    fn passes(&mut self, _: &Cx) -> Passing {
        if self.has_format && self.work.is_none() { Passing::Uncounted } else { Passing::No }
    }
}
