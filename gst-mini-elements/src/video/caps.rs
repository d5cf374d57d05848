//! [`VideoInfo`] as caps, and back.
//!
//! Invariant: `read(&fixed(info))` is `info` again, with the default colorimetry where it is not named.
//! In GStreamer: `gst-libs/gst/video/video-info.c` (`gst_video_info_from_caps`, `gst_video_info_to_caps`).
//! Left out: interlacing, views; a chroma site counts only beside a colorimetry, as in GStreamer.

use super::color::Colorimetry;
use super::format::VideoFormat;
use super::info::{LEFT, VideoError, VideoInfo};
use gst_mini_core::caps::Caps;
use gst_mini_core::structure::Structure;
use gst_mini_core::value::{Fraction, Value};

macro_rules! every_format {
    ($rest:literal) => {
        concat!(
            "video/x-raw, format={ ABGR64_LE, ABGR, VUYA, BGRA, AYUV, ARGB, RGBA, Y444, RGBP, GBR, BGRP, NV24, \
             xBGR, BGRx, xRGB, RGBx, BGR, v308, RGB, Y42B, NV61, NV16, VYUY, UYVY, YVYU, YUY2, I420, YV12, NV21, \
             NV12, Y41B, GRAY8 }, ",
            $rest
        )
    };
}

/// Caps of every raw picture that is handled here, for pad templates.
pub const RAW: &str =
    every_format!("width=[ 1, 32767 ], height=[ 1, 32767 ], framerate=[ 0/1, 2147483647/1 ]");

/// Caps of every raw picture that is made here, for pad templates of sources.
pub const MADE: &str = every_format!(
    "width=[ 1, 32767 ], height=[ 1, 32767 ], framerate=[ 0/1, 2147483647/1 ], \
     multiview-mode={ mono, left, right }"
);

/// Why caps are no picture that can be handled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapsError {
    /// Another media type, or a field is missing or not fixed.
    #[error("{0} is no fixed raw video format: {1}")]
    Incomplete(String, &'static str),
    /// The fields are there, but not supported.
    #[error(transparent)]
    Unsupported(#[from] VideoError),
}

/// Fixed caps of a picture; the colorimetry is named where it is not the default one.
pub fn fixed(info: &VideoInfo) -> Caps {
    let mut structure = Structure::new("video/x-raw")
        .with("format", info.format.name())
        .with("width", side(info.width))
        .with("height", side(info.height))
        .with("framerate", Fraction::new(info.fps.0, info.fps.1))
        .with("multiview-mode", "mono")
        .with("pixel-aspect-ratio", Fraction::new(info.par.0, info.par.1))
        .with("interlace-mode", "progressive");
    if info.colorimetry != Colorimetry::default_for(info.format, info.height) {
        structure.set("colorimetry", info.colorimetry.to_string());
    }
    Caps::new(structure)
}

fn side(pixels: u32) -> Value {
    Value::from(i32::try_from(pixels).unwrap_or(i32::MAX))
}

/// The picture that fixed caps describe.
pub fn read(caps: &Caps) -> Result<VideoInfo, CapsError> {
    let incomplete = |what| CapsError::Incomplete(caps.to_string(), what);
    let structure = match caps.structures() {
        [only] if only.name() == "video/x-raw" => only,
        _ => return Err(incomplete("one structure video/x-raw is needed")),
    };
    let format: VideoFormat =
        structure.str("format").ok_or_else(|| incomplete("it has no format"))?.parse()?;
    let side = |field| structure.int(field).and_then(|side| u32::try_from(side).ok());
    let width = side("width").ok_or_else(|| incomplete("it has no width"))?;
    let height = side("height").ok_or_else(|| incomplete("it has no height"))?;
    let mut info = VideoInfo::new(format, width, height)?;
    let rate = structure.fraction("framerate").unwrap_or(Fraction::new(0, 1));
    info.fps = (rate.num.max(0), rate.den);
    if let Some(par) = structure.fraction("pixel-aspect-ratio") {
        info.par = (par.num, par.den);
    }
    let site = structure.str("chroma-site").map(site_of);
    if let Some(name) = structure.str("colorimetry") {
        info.colorimetry = name.parse::<Colorimetry>()?.valid_for(format, height);
        info.chroma_site = site.unwrap_or(0);
    }
    match structure.str("interlace-mode") {
        None | Some("progressive") => Ok(info),
        Some(other) => Err(VideoError::Interlaced(other.to_owned()).into()),
    }
}

/// GStreamer's flags for the names of where chroma sits; 0 for unknown ones.
fn site_of(name: &str) -> u8 {
    match name {
        "jpeg" | "none" => 1,
        "mpeg2" => LEFT,
        "cosited" => LEFT | 4,
        "dv" => LEFT | 4 | 8,
        _ => 0,
    }
}

/// What is left of caps when a picture becomes a file or back: media type `name`, size and rate.
pub fn renamed(caps: &Caps, name: &str) -> Caps {
    if caps.is_any() {
        return Caps::new(Structure::new(name));
    }
    let keep = |structure: &Structure| {
        let mut renamed = Structure::new(name);
        for field in ["width", "height", "framerate"] {
            if let Some(value) = structure.get(field) {
                renamed.set(field, value.clone());
            }
        }
        renamed
    };
    caps.structures().iter().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_its_caps() {
        for format in VideoFormat::ALL {
            let info = VideoInfo::new(format, 642, 1080).unwrap().with_fps(30_000, 1001);
            let caps = fixed(&info);
            assert!(caps.is_fixed() && caps.is_subset_of(&Caps::parse(RAW).unwrap()), "{caps}");
            assert_eq!(read(&caps), Ok(info));
        }
        let sd = VideoInfo::new(VideoFormat::I420, 1280, 720).unwrap();
        let sd = sd.with_colorimetry(Colorimetry::BT601);
        assert_eq!(read(&fixed(&sd)), Ok(sd));
    }

    #[test]
    fn templates_have_every_format_in_its_place() {
        let names: Vec<_> = VideoFormat::ALL.iter().map(|format| format.name()).collect();
        for template in [RAW, MADE] {
            let caps = Caps::parse(template).unwrap();
            assert_eq!(caps.structures()[0].get("format"), Some(&Value::list(names.clone())));
        }
    }

    #[track_caller]
    fn refused(caps: &str) -> String {
        read(&Caps::parse(caps).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_picture_is_refused_with_the_field_that_is_wrong() {
        assert!(refused("audio/x-raw").contains("video/x-raw is needed"));
        assert!(refused("video/x-raw, format=I420, width=4").contains("no height"));
        assert!(refused("video/x-raw, format=I420, width=[ 1, 4 ], height=4").contains("no width"));
        assert!(refused("video/x-raw, format=v210, width=4, height=4").contains("v210"));
        assert!(refused("video/x-raw, format=I420, width=-4, height=4").contains("no width"));
    }
}
