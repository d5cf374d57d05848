//! `videotestsrc` makes test pictures.
//!
//! Invariant: frame `n` starts at `n / fps` exactly, whatever was sought or sent before it.
//! In GStreamer: `gst/videotestsrc/gstvideotestsrc.c` (`gst_video_test_src_create`, `gst_video_test_src_do_seek`).
//! Left out: Bayer pictures, controlled properties; a still refuses the latency query there, and has none here.
//!
//! ```text
//! videotestsrc pattern=ball num-buffers=10 ! video/x-raw,format=RGBA,width=64,height=48 ! fakesink
//! ```

use crate::video::pattern::{Colors, Look, Moment, Motion, Painter, Pattern, Zone};
use crate::video::{VideoFormat, VideoInfo, caps};
use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

const PATTERN: &str = "enum:smpte,snow,black,white,red,green,blue,checkers-1,checkers-2,checkers-4,checkers-8,\
    circular,blink,smpte75,zone-plate,gamut,chroma-zone-plate,solid-color,ball,smpte100,bar,pinwheel,spokes,\
    gradient,colors,smpte-rp-219";
const ANIMATION: &str = "enum:frames,wall-time,running-time";
const MOTION: &str = "enum:wavy,sweep,hsweep";

#[derive(Default)]
pub struct VideoTestSrc {
    pattern: i32,
    is_live: bool,
    timestamp_offset: i64,
    colors: Colors,
    animation: i32,
    motion: i32,
    flip: bool,
    horizontal_speed: i32,
    zone: Zone,
    frame: u64,
    /// Frames left to the start of the segment, when playing backwards.
    backwards: Option<u64>,
    /// A segment that was asked for before the rate was decided.
    sought: Option<Segment>,
    studio: Option<Arc<Studio>>,
    latency: Arc<Latency>,
}

/// What the latency query is answered from, on any thread: a picture is there when its time is over.
#[derive(Default)]
struct Latency {
    /// ns; 0: there is no picture yet, or it is a still.
    picture: Live<u64>,
    is_live: Live<bool>,
}

impl Shared for Latency {
    fn query(&self, _: &Cx, query: &mut Query) -> bool {
        let Query::Latency { live, min, max } = query else { return false };
        let picture = self.picture.get();
        (*live, *min, *max) = (self.is_live.get(), ClockTime::from_nanos(picture), None);
        picture > 0
    }
}

/// Sources of the same picture have one.
struct Studio {
    painter: Painter,
    /// Bytes of a frame.
    size: usize,
}

/// Those in use.
static STUDIOS: Mutex<Vec<Weak<Studio>>> = Mutex::new(Vec::new());

impl Studio {
    /// Two kilobytes, which are not to be on the stack of who only draws.
    #[cold]
    #[inline(never)]
    fn open(look: Look, info: VideoInfo) -> Arc<Studio> {
        let is_it =
            |studio: &Arc<Studio>| *studio.painter.look() == look && *studio.painter.info() == info;
        let known = STUDIOS.lock().iter().filter_map(Weak::upgrade).find(is_it);
        known.unwrap_or_else(|| {
            let size = info.size();
            let new = Arc::new(Studio { size, painter: Painter::with(look, info) });
            let mut studios = STUDIOS.lock();
            studios.retain(|studio| studio.strong_count() > 0);
            studios.push(Arc::downgrade(&new));
            new
        })
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
        Prop::int64("timestamp-offset", "An offset added to timestamps", |e: &mut Self| {
            &mut e.timestamp_offset
        })
        .unit("ns")
        .range("0", "9223372036854775807"),
        Prop::boolean("is-live", "Whether to act as a live source", |e: &mut Self| &mut e.is_live)
            .ready_only(),
        Prop::int("k0", "Zoneplate zero order phase", |e: &mut Self| &mut e.zone.k0),
        Prop::int("kx", "Zoneplate 1st order x phase", |e: &mut Self| &mut e.zone.kx),
        Prop::int("ky", "Zoneplate 1st order y phase", |e: &mut Self| &mut e.zone.ky),
        Prop::int("kt", "Zoneplate 1st order t phase", |e: &mut Self| &mut e.zone.kt),
        Prop::int("kxt", "Zoneplate x*t product phase", |e: &mut Self| &mut e.zone.kxt),
        Prop::int("kyt", "Zoneplate y*t product phase", |e: &mut Self| &mut e.zone.kyt),
        Prop::int("kxy", "Zoneplate x*y product phase", |e: &mut Self| &mut e.zone.kxy),
        Prop::int("kx2", "Zoneplate 2nd order x phase", |e: &mut Self| &mut e.zone.kx2),
        Prop::int("ky2", "Zoneplate 2nd order y phase", |e: &mut Self| &mut e.zone.ky2),
        Prop::int("kt2", "Zoneplate 2nd order t phase", |e: &mut Self| &mut e.zone.kt2),
        Prop::int("xoffset", "Zoneplate 2nd order products x offset", |e: &mut Self| {
            &mut e.zone.xoffset
        }),
        Prop::int("yoffset", "Zoneplate 2nd order products y offset", |e: &mut Self| {
            &mut e.zone.yoffset
        }),
        Prop::uint("foreground-color", "Foreground color, 0xAARRGGBB", |e: &mut Self| {
            &mut e.colors.foreground
        }),
        Prop::uint("background-color", "Background color, 0xAARRGGBB", |e: &mut Self| {
            &mut e.colors.background
        }),
        Prop::int(
            "horizontal-speed",
            "Scroll image number of pixels per frame (positive is scroll to the left)",
            |e: &mut Self| &mut e.horizontal_speed,
        ),
        Prop::choice(
            "animation-mode",
            ANIMATION,
            "For pattern=ball, which counter defines the position of the ball",
            |e: &mut Self| &mut e.animation,
        ),
        Prop::choice("motion", MOTION, "For pattern=ball, what motion the ball does", |e| {
            &mut e.motion
        }),
        Prop::boolean("flip", "For pattern=ball, invert colors every second", |e: &mut Self| {
            &mut e.flip
        }),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.latency.clone())
    }
}

impl VideoTestSrc {
    fn look(&self) -> Look {
        Look {
            pattern: Pattern::from_number(self.pattern).unwrap_or_default(),
            colors: self.colors,
            motion: Motion::from_number(self.motion),
            flip: self.flip,
            horizontal_speed: self.horizontal_speed,
            zone: self.zone,
        }
    }

    /// What the ball goes by.
    fn moment(&self, cx: &Cx, frame: u64, pts: ClockTime) -> Moment {
        let seconds = |nanos: u64| nanos as f64 / 1e9;
        match self.animation {
            1 => Moment::of_time(frame, seconds(cx.utc_now() / 1000 * 1000)),
            2 => Moment::of_time(frame, seconds(pts.nanos())),
            _ => Moment::of_frame(frame),
        }
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
        let Some((offered, features)) = caps.iter().next() else { return caps };
        let mut structure = Structure::new(offered.name());
        for (field, value) in offered.fields() {
            // There are dozens of formats, of which the first is taken.
            let first = if field == "format" { value.fixate() } else { None };
            structure.set(field, first.unwrap_or_else(|| value.clone()));
        }
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
        Caps::with_features(structure, features.clone()).fixate()
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.frame, self.backwards, self.sought) = (0, None, None);
        self.latency.is_live.set(self.is_live);
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.studio = None;
        self.latency.picture.set(0);
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
        let picture = rate(&info).map(|(num, den)| ClockTime::of_frame(1, num, den).nanos());
        self.latency.picture.set(picture.unwrap_or(0));
        self.studio = Some(Studio::open(self.look(), info));
        if let Some(segment) = self.sought.take() {
            self.seek(cx, &segment);
        }
        Ok(())
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let look = self.look();
        if let Some(studio) = self.studio.as_mut().filter(|studio| *studio.painter.look() != look) {
            *studio = Studio::open(look, studio.painter.info().clone());
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
        let mut buf = cx.acquire(studio.size);
        let offset = ClockTime::from_nanos(self.timestamp_offset.max(0) as u64);
        let at = rate.map_or(ClockTime::ZERO, |(num, den)| ClockTime::of_frame(frame, num, den));
        studio
            .painter
            .paint_at(self.moment(cx, frame, at + offset), buf.data_mut())
            .map_err(|error| cx.error(ErrorKind::Failed, error.to_string()))?;
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
