//! `videoscale` makes pictures of another size.
//!
//! Invariant: times, flags and metas are those of the input; a picture that has the size asked for is
//! passed on as it is.
//! In GStreamer: `gst/videoconvertscale/gstvideoscale.c`, `gstvideoconvertscale.c`.
//! Left out: the methods `4-tap` and `sinc`, `gamma-decode`; QoS events pass, nothing is skipped for them.
//!
//! ```text
//! videotestsrc num-buffers=3 ! videoscale ! video/x-raw,width=160,height=90 ! fakesink
//! ```

use crate::frames::Frames;
use crate::video::options::{Options, with_options};
use crate::video::scale::{Method, Scaler};
use crate::video::{caps, choose};
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

#[derive(Default)]
pub struct VideoScale {
    options: Options,
    gamma_decode: bool,
    /// Without a format nothing can be made.
    has_format: bool,
    /// With the bytes of its output; none while the input is passed on.
    work: Option<(Scaler, usize)>,
}

impl Element for VideoScale {
    const NAME: &str = "videoscale";
    const SUMMARY: &str = "Resizes video";
    const LONG_NAME: &str = "Video scaler";
    const CLASS: &str = "Filter/Converter/Video/Scaler";
    const RANK: u32 = 64;
    const PADS: &[PadTemplate] = &[PadTemplate::sink(caps::RAW), PadTemplate::src(caps::RAW)];
    const PROPS: &[Prop<Self>] = with_options![Prop::boolean(
        "gamma-decode",
        "Decode gamma before scaling",
        |e: &mut Self| &mut e.gamma_decode
    )];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(Arc::new(Frames))
    }
}

impl Transform for VideoScale {
    fn transform_caps(_: &Cx, _: Direction, caps: &Caps) -> Caps {
        choose::other_side(caps, false, true)
    }

    fn fixate(_: &Cx, input: &Caps, caps: Caps) -> Caps {
        choose::fixate(input, caps)
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        let refused = match (self.gamma_decode, Method::from_number(self.options.method)) {
            (true, _) => Some("gamma-decode is not supported".to_owned()),
            (_, None) => {
                Some("the methods 4-tap and sinc are not supported; lanczos is".to_owned())
            }
            _ => self.options.refused(),
        };
        refused.map_or(Ok(()), |text| Err(ElementError::new(ErrorKind::Settings, text)))
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.work, self.has_format) = (None, false);
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        (self.work, self.has_format) = (None, true);
        let refused = |error: String| cx.error(ErrorKind::Negotiation, error);
        let from = caps::read(input).map_err(|error| refused(error.to_string()))?;
        let to = caps::read(output).map_err(|error| refused(error.to_string()))?;
        if from == to {
            return Ok(());
        }
        let size = to.size();
        let method = Method::from_number(self.options.method).unwrap_or(Method::Bilinear);
        let scaler = Scaler::new(from, to, method, self.options.add_borders)
            .map_err(|error| refused(error.to_string()))?;
        self.work = Some((scaler, size));
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some((scaler, size)) = &mut self.work else {
            return if self.has_format { Ok(Some(buf)) } else { Err(FlowError::NotNegotiated) };
        };
        let mut out = cx.acquire(*size);
        scaler
            .scale(buf.data(), out.data_mut())
            .map_err(|error| cx.error(ErrorKind::Failed, error.to_string()))?;
        out.copy_header_from(&buf);
        Ok(Some(out))
    }

    fn passes(&mut self, _: &Cx) -> Passing {
        if self.has_format && self.work.is_none() { Passing::Uncounted } else { Passing::No }
    }
}
