//! `videotestsrc` makes test pictures.
//!
//! Invariant: frame `n` starts at `n / fps` exactly, whatever was sought or sent before it.
//! In GStreamer: `gst/videotestsrc/gstvideotestsrc.c` (`gst_video_test_src_create`, `gst_video_test_src_do_seek`).
//! Left out: the patterns that `Painter` does not draw, `animation-mode`, `motion`, `flip`,
//! `horizontal-speed`, zone plates, Bayer pictures.
//!
//! ```text
//! videotestsrc pattern=ball num-buffers=10 ! video/x-raw,format=RGBA,width=64,height=48 ! fakesink
//! ```

use crate::video::pattern::{Colors, Painter, Pattern};
use crate::video::{VideoFormat, VideoInfo, caps};
use gst_mini_core::element_prelude::*;

/// GStreamer's numbers, with gaps where a pattern is left out.
const PATTERN: &str = "enum:smpte=0,snow=1,black=2,white=3,red=4,green=5,blue=6,checkers-1=7,checkers-2=8,\
    checkers-4=9,checkers-8=10,blink=12,smpte75=13,solid-color=17,ball=18,smpte100=19,bar=20,gradient=23";
const NUMBERS: [(i32, Pattern); 18] = [
    (0, Pattern::Smpte),
    (1, Pattern::Snow),
    (2, Pattern::Black),
    (3, Pattern::White),
    (4, Pattern::Red),
    (5, Pattern::Green),
    (6, Pattern::Blue),
    (7, Pattern::Checkers1),
    (8, Pattern::Checkers2),
    (9, Pattern::Checkers4),
    (10, Pattern::Checkers8),
    (12, Pattern::Blink),
    (13, Pattern::Smpte75),
    (17, Pattern::SolidColor),
    (18, Pattern::Ball),
    (19, Pattern::Smpte100),
    (20, Pattern::Bar),
    (23, Pattern::Gradient),
];
const KEPT_FRAMES: usize = 16;

pub struct VideoTestSrc {
    pattern: i32,
    is_live: bool,
    timestamp_offset: i64,
    foreground: u32,
    background: u32,
    frame: u64,
    /// Frames left to the start of the segment, when playing backwards.
    backwards: Option<u64>,
    /// A segment that was asked for before the rate was decided.
    sought: Option<Segment>,
    studio: Option<Studio>,
}

struct Studio {
    painter: Painter,
    pool: BufferPool,
    /// What the painter was made with; properties may change between frames.
    look: (i32, u32, u32),
}

impl Default for VideoTestSrc {
    fn default() -> Self {
        let Colors { foreground, background } = Colors::default();
        VideoTestSrc {
            pattern: 0,
            is_live: false,
            timestamp_offset: 0,
            foreground,
            background,
            frame: 0,
            backwards: None,
            sought: None,
            studio: None,
        }
    }
}

impl Element for VideoTestSrc {
    const NAME: &str = "videotestsrc";
    const SUMMARY: &str = "Creates a test video stream";
    const LONG_NAME: &str = "Video test source";
    const CLASS: &str = "Source/Video";
    const PADS: &[PadTemplate] = &[PadTemplate::src(caps::MADE)];
    const PROPS: &[Prop<Self>] = &[
        Prop::choice("pattern", PATTERN, "Type of test pattern to generate", |e: &mut Self| {
            &mut e.pattern
        }),
        Prop::boolean("is-live", "Whether to act as a live source", |e: &mut Self| &mut e.is_live)
            .ready_only(),
        Prop::int64("timestamp-offset", "An offset added to timestamps", |e: &mut Self| {
            &mut e.timestamp_offset
        })
        .unit("ns")
        .range("0", "9223372036854775807"),
        Prop::uint("foreground-color", "Foreground color, 0xAARRGGBB", |e: &mut Self| {
            &mut e.foreground
        }),
        Prop::uint("background-color", "Background color, 0xAARRGGBB", |e: &mut Self| {
            &mut e.background
        }),
    ];
}

impl VideoTestSrc {
    fn look(&self) -> (i32, u32, u32) {
        (self.pattern, self.foreground, self.background)
    }

    fn painter(&self, info: VideoInfo) -> Painter {
        let known = NUMBERS.iter().find(|(number, _)| *number == self.pattern);
        let pattern = known.map_or(Pattern::Smpte, |(_, pattern)| *pattern);
        let colors = Colors { foreground: self.foreground, background: self.background };
        Painter::new(pattern, info, colors)
    }
}

/// Leaves the formats that have alpha, if downstream takes any.
fn with_alpha(caps: &mut Caps) {
    let has_alpha = |name: &Value| {
        let format = name.as_str().and_then(|name| name.parse::<VideoFormat>().ok());
        format.is_some_and(|format| format.layout().has_alpha)
    };
    let mut left = Caps::empty();
    for (structure, features) in caps.iter() {
        let formats: Vec<Value> = match structure.get("format") {
            Some(Value::List(names)) => {
                names.iter().filter(|name| has_alpha(name)).cloned().collect()
            }
            Some(name) if has_alpha(name) => vec![name.clone()],
            _ => Vec::new(),
        };
        if !formats.is_empty() {
            let mut structure = structure.clone();
            structure.set("format", Value::list(formats));
            left.push(structure, features.clone());
        }
    }
    if !left.is_empty() {
        *caps = left;
    }
}

/// Rate of a picture as positive numbers; `None` for a still.
fn rate(info: &VideoInfo) -> Option<(u64, u64)> {
    let (num, den) = (u64::try_from(info.fps.0).ok()?, u64::try_from(info.fps.1).ok()?);
    (num > 0 && den > 0).then_some((num, den))
}

/// The first frame that starts at or after `position`.
fn frame_from(position: u64, (num, den): (u64, u64)) -> u64 {
    let mut frame =
        gst_mini_core::time::scale(position, num, den * ClockTime::SECOND.nanos()).unwrap_or(0);
    while ClockTime::of_frame(frame, num, den).nanos() < position {
        frame += 1;
    }
    frame
}

impl Source for VideoTestSrc {
    const SEEKABLE: bool = true;

    fn is_live(cx: &Cx) -> bool {
        cx.property_as("is-live").unwrap_or(false)
    }

    fn fixate(cx: &Cx, mut caps: Caps) -> Caps {
        let see_through =
            cx.property_as("foreground-color").is_some_and(|color: u32| color >> 24 != 255);
        if see_through {
            with_alpha(&mut caps);
        }
        caps.truncate(1);
        if let Some(structure) = caps.structure_mut(0) {
            structure.fixate_field_nearest_int("width", 320);
            structure.fixate_field_nearest_int("height", 240);
            for (field, fraction) in [("framerate", (30, 1)), ("pixel-aspect-ratio", (1, 1))] {
                let fraction = Fraction::new(fraction.0, fraction.1);
                match structure.has(field) {
                    true => drop(structure.fixate_field_nearest_fraction(field, fraction)),
                    false => structure.set(field, fraction),
                }
            }
            structure.fixate_field_string("colorimetry", "bt601");
            structure.fixate_field_string("chroma-site", "mpeg2");
            for (field, text) in [("interlace-mode", "progressive"), ("multiview-mode", "mono")] {
                match structure.has(field) {
                    true => drop(structure.fixate_field_string(field, text)),
                    false => structure.set(field, text),
                }
            }
        }
        caps.fixate()
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.frame, self.backwards, self.sought) = (0, None, None);
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.studio = None;
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, format: &Caps) -> FlowResult {
        let info = caps::read(format)
            .map_err(|error| cx.error(ErrorKind::Negotiation, error.to_string()))?;
        // Another rate counts on from the same time.
        if let (Some(old), Some(new)) =
            (self.studio.as_ref().and_then(|studio| rate(studio.painter.info())), rate(&info))
            && old != new
        {
            self.frame = frame_from(ClockTime::of_frame(self.frame, old.0, old.1).nanos(), new);
        }
        self.studio = Some(Studio {
            pool: BufferPool::new(info.size(), KEPT_FRAMES),
            painter: self.painter(info),
            look: self.look(),
        });
        if let Some(segment) = self.sought.take() {
            self.seek(cx, &segment);
        }
        Ok(())
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let look = self.look();
        if let Some(info) = self
            .studio
            .as_ref()
            .filter(|studio| studio.look != look)
            .map(|studio| studio.painter.info().clone())
        {
            let painter = self.painter(info);
            if let Some(studio) = &mut self.studio {
                (studio.painter, studio.look) = (painter, look);
            }
        }
        let Some(studio) = &self.studio else { return Err(FlowError::NotNegotiated) };
        let rate = rate(studio.painter.info());
        let is_over = match rate {
            Some(_) => self.backwards == Some(0),
            None => self.frame > 0,
        };
        if is_over {
            return Err(FlowError::Eos);
        }
        let frame = self.frame;
        let mut buf = studio.pool.acquire();
        studio
            .painter
            .paint(frame, buf.data_mut())
            .map_err(|error| cx.error(ErrorKind::Failed, error.to_string()))?;
        let offset = ClockTime::from_nanos(self.timestamp_offset.max(0) as u64);
        match rate {
            Some((num, den)) => {
                let at = |frame| ClockTime::of_frame(frame, num, den);
                buf.set_pts(Some(at(frame) + offset));
                buf.set_duration(Some(at(frame + 1) - at(frame)));
            }
            None => buf.set_pts(Some(offset)),
        }
        buf.set_offset(Some(frame));
        buf.set_offset_end(Some(frame + 1));
        match &mut self.backwards {
            Some(left) => {
                *left -= 1;
                self.frame = frame.saturating_sub(1);
            }
            None => self.frame = frame + 1,
        }
        Ok(buf)
    }

    fn seek(&mut self, _: &mut Cx, segment: &Segment) -> bool {
        let Some(studio) = &self.studio else {
            // Nothing was sent yet, and the rate is not decided.
            self.sought = Some(*segment);
            return segment.rate > 0.0 || segment.stop.is_some();
        };
        let Some(rate) = rate(studio.painter.info()) else {
            (self.frame, self.backwards) = (0, None);
            return segment.rate > 0.0;
        };
        if segment.rate > 0.0 {
            let position = segment.position.unwrap_or(segment.start);
            // The frame that is shown at the position, though it began before.
            let next = frame_from(position, rate);
            let begins_there = ClockTime::of_frame(next, rate.0, rate.1).nanos() == position;
            self.frame = if begins_there { next } else { next.saturating_sub(1) };
            self.backwards = None;
            return true;
        }
        let Some(stop) = segment.stop else { return false };
        // From the last frame that begins before the end to the one shown at the start.
        let first = frame_from(segment.start, rate);
        let begins_there = ClockTime::of_frame(first, rate.0, rate.1).nanos() == segment.start;
        let first = if begins_there { first } else { first.saturating_sub(1) };
        let end = frame_from(stop, rate);
        self.backwards = Some(end.saturating_sub(first));
        self.frame = end.saturating_sub(1);
        true
    }
}
