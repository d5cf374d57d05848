//! `videoconvert` changes how the samples of a picture are stored, and not what it shows.
//!
//! Invariant: times, flags and metas are those of the input; where both sides take the format that
//! comes in, the very buffer is passed on.
//! In GStreamer: `gst/videoconvertscale/gstvideoconvert.c`, `gstvideoconvertscale.c` (`gst_video_convert_scale_fixate_caps`).
//! Left out: `dither`, `chroma-resampler`, `alpha-mode`, `matrix-mode`, `gamma-mode`, `n-threads`; other formats
//! than those of `Converter`.
//!
//! ```text
//! videotestsrc num-buffers=3 ! videoconvert ! video/x-raw,format=RGBA ! fakesink
//! ```

use crate::video::convert::Converter;
use crate::video::{VideoFormat, caps};
use gst_mini_core::caps::CapsFeatures;
use gst_mini_core::element_prelude::*;

const KEPT_FRAMES: usize = 8;
/// Fields that say how a picture is stored.
const STORAGE: [&str; 3] = ["format", "colorimetry", "chroma-site"];

#[derive(Default)]
pub struct VideoConvert {
    /// None while the input is passed on.
    work: Option<(Converter, BufferPool)>,
}

impl Element for VideoConvert {
    const NAME: &str = "videoconvert";
    const SUMMARY: &str = "Converts video from one colorspace to another";
    const LONG_NAME: &str = "Video colorspace converter";
    const CLASS: &str = "Filter/Converter/Video/Colorspace";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(caps::RAW), PadTemplate::src(caps::RAW)];
}

/// Formats by how little is lost on the way to them, the one that comes in first.
fn preference(format: VideoFormat) -> [VideoFormat; 6] {
    use VideoFormat::*;
    match format {
        I420 => [I420, Nv12, Rgba, Bgra, Rgb, Gray8],
        Nv12 => [Nv12, I420, Rgba, Bgra, Rgb, Gray8],
        Rgba => [Rgba, Bgra, Rgb, I420, Nv12, Gray8],
        Bgra => [Bgra, Rgba, Rgb, I420, Nv12, Gray8],
        Rgb => [Rgb, Rgba, Bgra, I420, Nv12, Gray8],
        Gray8 => [Gray8, I420, Nv12, Rgb, Rgba, Bgra],
    }
}

impl Transform for VideoConvert {
    fn transform_caps(_: &Cx, _: Direction, caps: &Caps) -> Caps {
        if caps.is_any() {
            return Caps::any();
        }
        // As it is, so that passing on is found first; then stored in any other way.
        let mut possible = caps.clone();
        for (structure, features) in caps.iter() {
            if structure.name() != "video/x-raw" || *features != CapsFeatures::default() {
                continue;
            }
            let mut free = structure.clone();
            for field in STORAGE {
                free.remove(field);
            }
            free.set("format", Value::list(VideoFormat::ALL.map(VideoFormat::name)));
            possible.push(free, features.clone());
        }
        possible
    }

    fn fixate(_: &Cx, input: &Caps, mut caps: Caps) -> Caps {
        let Ok(info) = caps::read(input) else { return caps.fixate() };
        // The first structure that can have the best format.
        let allows = |structure: &Structure, format: VideoFormat| {
            let name = Value::from(format.name());
            structure.get("format").is_none_or(|allowed| allowed.intersect(&name).is_some())
        };
        let best = preference(info.format).into_iter().find_map(|format| {
            let index = caps.structures().iter().position(|structure| allows(structure, format))?;
            Some((format, index))
        });
        let Some((format, index)) = best else { return caps.fixate() };
        let Some(mut chosen) = caps.structure_mut(index).map(|structure| structure.clone()) else {
            return caps.fixate();
        };
        chosen.set("format", format.name());
        let same_kind = format.is_rgb() == info.format.is_rgb();
        if let (true, Some(colorimetry)) = (same_kind, input.structures()[0].str("colorimetry"))
            && !chosen.fixate_field_string("colorimetry", colorimetry)
            && !chosen.has("colorimetry")
        {
            chosen.set("colorimetry", colorimetry);
        }
        Caps::new(chosen).fixate()
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.work = None;
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        self.work = None;
        if input == output {
            return Ok(());
        }
        let refused = |error: String| cx.error(ErrorKind::Negotiation, error);
        let from = caps::read(input).map_err(|error| refused(error.to_string()))?;
        let to = caps::read(output).map_err(|error| refused(error.to_string()))?;
        let pool = BufferPool::new(to.size(), KEPT_FRAMES);
        let converter = Converter::new(from, to).map_err(|error| refused(error.to_string()))?;
        self.work = Some((converter, pool));
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some((converter, pool)) = &self.work else { return Ok(Some(buf)) };
        let mut out = pool.acquire();
        converter
            .convert(buf.data(), out.data_mut())
            .map_err(|error| cx.error(ErrorKind::Failed, error.to_string()))?;
        out.copy_header_from(&buf);
        Ok(Some(out))
    }
}
