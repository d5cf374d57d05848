//! `livesource` is a camera: a moving picture, with the frame number and the time of day drawn in.
//!
//! ```text
//!   frame      0     1     2     3     4     5     6
//!   due        0    1/f   2/f   3/f   4/f   5/f   6/f      running time, exact
//!   downstream ├─────┤├──────────────────────┤├─────
//!   sent       0     1     2     .     .     5 (DISCONT)   missed = 2
//! ```
//!
//! The pictures come on a grid. Frame `k` is due, and stamped, at running time `k / fps`; it is painted
//! ahead, and the host waits until it is due. If the slot is over before downstream takes the frame,
//! as with a camera, it never existed.
//!
//! Invariant: `generated + missed` is the number of slots gone by, and offset, pts and the number in
//! the picture name the same slot.
//! In GStreamer: `videotestsrc is-live=true ! timeoverlay` comes close, but slows down instead of missing frames.
//! Left out: the time drawn into a frame that was painted before a pause is not painted again after it.
//!
//! ```text
//! livesource num-buffers=30 width=320 height=180 ! fakesink
//! ```

use crate::video::camera::{Camera, Scene};
use crate::video::text::TimeOfDay;
use crate::video::{VideoFormat, VideoInfo, caps};
use gst_mini_core::element_prelude::*;

/// In the order of [`Scene::ALL`].
const PATTERN: &str = "enum:ball=0,smpte=1,noise=2";

pub struct LiveSource {
    width: u32,
    height: u32,
    fps: Fraction,
    pattern: i32,
    generated: Live<u64>,
    missed: Live<u64>,
    next_slot: u64,
    /// Running time in seconds of the next statistics.
    next_report: u64,
    studio: Option<Studio>,
}

/// What frames are made with, once the format is decided.
struct Studio {
    camera: Camera,
    /// Bytes of a frame.
    size: usize,
    grid: (u64, u64),
}

impl Default for LiveSource {
    fn default() -> Self {
        LiveSource {
            width: 1280,
            height: 720,
            fps: Fraction::new(30, 1),
            pattern: 0,
            generated: Live::new(0),
            missed: Live::new(0),
            next_slot: 0,
            next_report: 1,
            studio: None,
        }
    }
}

impl Element for LiveSource {
    const NAME: &str = "livesource";
    const SUMMARY: &str = "Simulates a camera: frames on a grid of running time, which it misses when nobody takes them";
    const LONG_NAME: &str = "Simulated camera";
    const CLASS: &str = "Source/Video";
    const PADS: &[PadTemplate] = &[PadTemplate::src(
        "video/x-raw, format=I420, width=[ 1, 32767 ], height=[ 1, 32767 ], framerate=[ 1/2147483647, 2147483647/1 ]",
    )];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("width", "Width of the picture", |e: &mut Self| &mut e.width)
            .unit("pixels")
            .range("1", "32767")
            .ready_only(),
        Prop::uint("height", "Height of the picture", |e: &mut Self| &mut e.height)
            .unit("pixels")
            .range("1", "32767")
            .ready_only(),
        Prop::fraction("fps", "Frames a second, as 30 or 30000/1001", |e: &mut Self| &mut e.fps)
            .unit("1/s")
            .range("1/3600", "1000/1")
            .ready_only(),
        Prop::choice("pattern", PATTERN, "What the camera looks at", |e: &mut Self| &mut e.pattern)
            .ready_only(),
        Prop::live("generated", types::UINT64, "Frames handed on so far", |e: &Self| &e.generated)
            .read_only(),
        Prop::live(
            "missed",
            types::UINT64,
            "Frames that nobody took in time so far",
            |e: &Self| &e.missed,
        )
        .read_only(),
    ];
}

fn fraction(text: &str) -> Option<Fraction> {
    Value::parse(types::FRACTION, text).ok()?.as_fraction()
}

impl LiveSource {
    /// Goes past the slots that are over at running time `now`; how many.
    fn skip_missed(&mut self, now: RunningTime, grid: (u64, u64)) -> u64 {
        let first = self.next_slot;
        let is_over =
            |slot: u64| now.nanos() >= ClockTime::of_frame(slot + 1, grid.0, grid.1).nanos();
        if is_over(first) {
            // The last slot that began by now, whatever the length of the gap; rounding can be off by one.
            let begun = ClockTime::from_nanos(now.nanos()).mul_div(grid.0, grid.1);
            let begun = begun.map_or(first, |scaled| scaled.nanos() / ClockTime::SECOND.nanos());
            self.next_slot = begun.max(first);
            while is_over(self.next_slot) {
                self.next_slot += 1;
            }
        }
        self.next_slot - first
    }

    fn report(&mut self, cx: &Cx, due: ClockTime) {
        let seconds = due.nanos() / ClockTime::SECOND.nanos();
        if seconds < self.next_report {
            return;
        }
        self.next_report = seconds + 1;
        cx.post_element(
            Structure::new("livesource-stats")
                .with("generated", self.generated.get())
                .with("missed", self.missed.get())
                .with("running-time", due.nanos()),
        );
    }
}

impl Source for LiveSource {
    fn caps(cx: &Cx) -> Option<Caps> {
        let info =
            VideoInfo::new(VideoFormat::I420, cx.property_as("width")?, cx.property_as("height")?);
        let fps = fraction(&cx.property("fps")?)?;
        Some(caps::fixed(&info.ok()?.with_fps(fps.num, fps.den)))
    }

    fn is_live(_: &Cx) -> bool {
        true
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.generated.set(0);
        self.missed.set(0);
        (self.next_slot, self.next_report) = (0, 1);
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.studio = None;
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, format: &Caps) -> FlowResult {
        let info = caps::read(format)
            .map_err(|error| cx.error(ErrorKind::Negotiation, error.to_string()))?;
        let scene =
            Scene::ALL.get(self.pattern.max(0) as usize).map_or(Scene::Ball, |(scene, _)| *scene);
        self.studio = Some(Studio {
            size: info.size(),
            grid: (info.fps.0.max(1) as u64, info.fps.1.max(1) as u64),
            camera: Camera::new(scene, info),
        });
        Ok(())
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let Some(grid) = self.studio.as_ref().map(|studio| studio.grid) else {
            return Err(FlowError::NotNegotiated);
        };
        let now = cx.running_time().unwrap_or(RunningTime::ZERO);
        let missed = self.skip_missed(now, grid);
        if missed > 0 {
            self.missed.set(self.missed.get() + missed);
            cx.log(Level::Debug, || format!("{missed} frames were not taken in time"));
        }
        let slot = self.next_slot;
        let due = ClockTime::of_frame(slot, grid.0, grid.1);
        self.report(cx, due);
        let Some(studio) = &self.studio else { return Err(FlowError::NotNegotiated) };
        let mut buf = cx.acquire(studio.size);
        // What the clock on the wall shows when the frame is due.
        let until_due = due.nanos() as i64 - now.nanos() as i64;
        let seen_at = cx.utc_now().saturating_add_signed(until_due);
        studio
            .camera
            .paint(slot, Some(TimeOfDay(seen_at)), buf.data_mut())
            .map_err(|error| cx.error(ErrorKind::Failed, error.to_string()))?;
        buf.set_pts(Some(due));
        buf.set_duration(Some(ClockTime::of_frame(slot + 1, grid.0, grid.1) - due));
        buf.set_offset(Some(slot));
        buf.set_offset_end(Some(slot + 1));
        if missed > 0 {
            buf.set_flags(BufferFlags::DISCONT);
        }
        self.next_slot = slot + 1;
        self.generated.set(self.generated.get() + 1);
        Ok(buf)
    }

    fn unsent(&mut self, _: &mut Cx) {
        self.generated.set(self.generated.get().saturating_sub(1));
    }
}
