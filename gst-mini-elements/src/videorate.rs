//! `videorate` makes a stream of regular frames: it drops, repeats and stamps anew.
//!
//! Invariant: with a rate, output times lie on the grid of that rate; pictures are never changed.
//! In GStreamer: `gst/videorate/gstvideorate.c` (`gst_video_rate_transform_caps`, `gst_video_rate_sink_event`).
//! Left out: `qos`; seeks through an element whose `rate` is not 1, which are refused.
//!
//! ```text
//! videotestsrc num-buffers=30 ! videorate ! video/x-raw,framerate=10/1 ! fakesink
//! ```

mod average;
mod guess;
mod pace;

use gst_mini_core::caps::CapsFeatures;
use gst_mini_core::element_prelude::*;
use pace::{Counts, Pace, Refusal, Settings};
use std::sync::Arc;

const ANY_RATE: &str = "video/x-raw(ANY); video/x-bayer(ANY); image/jpeg(ANY); image/png(ANY)";
const FASTEST: i32 = i32::MAX;

pub struct VideoRate {
    settings: Settings,
    silent: bool,
    max_rate: i32,
    new_pref: f64,
    taken: Live<u64>,
    sent: Live<u64>,
    dropped: Live<u64>,
    duplicated: Live<u64>,
    told: Counts,
    pace: Pace,
    /// The output's caps when its rate is variable and to be guessed.
    guess: Option<Caps>,
    /// The format changed since the last frame.
    changed: bool,
    /// There is a format.
    has_rate: bool,
    out: Vec<Buffer>,
}

impl Default for VideoRate {
    fn default() -> Self {
        VideoRate {
            settings: Settings {
                skip_to_first: false,
                drop_only: false,
                average_period: 0,
                max_duplication_time: 0,
                max_closing_duplication: 1_000_000_000,
                rate: 1.0,
            },
            silent: true,
            max_rate: FASTEST,
            new_pref: 1.0,
            taken: Live::new(0),
            sent: Live::new(0),
            dropped: Live::new(0),
            duplicated: Live::new(0),
            told: Counts::default(),
            pace: Pace::default(),
            guess: None,
            changed: false,
            has_rate: false,
            out: Vec::new(),
        }
    }
}

impl Element for VideoRate {
    const NAME: &str = "videorate";
    const SUMMARY: &str =
        "Drops/duplicates/adjusts timestamps on video frames to make a perfect stream";
    const LONG_NAME: &str = "Video rate adjuster";
    const CLASS: &str = "Filter/Effect/Video";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY_RATE), PadTemplate::src(ANY_RATE)];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("in", types::UINT64, "Number of input frames", |e: &Self| &e.taken).read_only(),
        Prop::live("out", types::UINT64, "Number of output frames", |e: &Self| &e.sent).read_only(),
        Prop::live("duplicate", types::UINT64, "Number of duplicated frames", |e: &Self| {
            &e.duplicated
        })
        .read_only(),
        Prop::live("drop", types::UINT64, "Number of dropped frames", |e: &Self| &e.dropped)
            .read_only(),
        Prop::boolean(
            "silent",
            "Don't emit notify for dropped and duplicated frames",
            |e: &mut Self| &mut e.silent,
        ),
        Prop::double(
            "new-pref",
            "Value indicating how much to prefer new frames (unused)",
            |e: &mut Self| &mut e.new_pref,
        )
        .range("0", "1"),
        Prop::boolean(
            "skip-to-first",
            "Don't produce buffers before the first one we receive",
            |e: &mut Self| &mut e.settings.skip_to_first,
        ),
        Prop::boolean(
            "drop-only",
            "Only drop frames, no duplicates are produced",
            |e: &mut Self| &mut e.settings.drop_only,
        ),
        Prop::uint64(
            "average-period",
            "Period over which to average the framerate (0 = disabled)",
            |e: &mut Self| &mut e.settings.average_period,
        )
        .unit("ns")
        .range("0", "9223372036854775807"),
        Prop::int(
            "max-rate",
            "Maximum framerate allowed to pass through (in frames per second)",
            |e: &mut Self| &mut e.max_rate,
        )
        .range("1", "2147483647"),
        Prop::double("rate", "Factor of speed for frame displaying", |e: &mut Self| {
            &mut e.settings.rate
        })
        .range("0", "1.7976931348623157e+308")
        .ready_only(),
        Prop::uint64(
            "max-duplication-time",
            "Do not duplicate frames if the gap exceeds this period (0 = disabled)",
            |e: &mut Self| &mut e.settings.max_duplication_time,
        )
        .unit("ns"),
        Prop::uint64(
            "max-closing-segment-duplication-duration",
            "Maximum duration of duplicated buffers to close current segment",
            |e: &mut Self| &mut e.settings.max_closing_duplication,
        )
        .unit("ns"),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(Arc::new(NoSeeksAtOtherSpeeds))
    }
}

/// A seek would have to be scaled by `rate`; events on their way up are not changed here.
struct NoSeeksAtOtherSpeeds;

impl Shared for NoSeeksAtOtherSpeeds {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        match query {
            Query::Seeking { seekable, .. }
                if cx.property_as::<f64>("rate").is_some_and(|rate| rate != 1.0) =>
            {
                *seekable = false;
                true
            }
            _ => false,
        }
    }
}

fn rate_of(structure: &Structure) -> Option<(u64, u64)> {
    let rate = structure.fraction("framerate")?;
    Some((u64::try_from(rate.num).ok()?, u64::try_from(rate.den).ok().filter(|den| *den > 0)?))
}

fn range(min: Fraction, max: Fraction) -> Value {
    if min == max { Value::from(min) } else { Value::fraction_range(min, max) }
}

/// The bounds of a field's fractions.
fn extremes(value: &Value) -> Option<(Fraction, Fraction)> {
    match value {
        Value::Fraction(one) => Some((*one, *one)),
        Value::FractionRange { min, max } => Some((*min, *max)),
        Value::List(values) => values
            .iter()
            .filter_map(extremes)
            .reduce(|(low, high), (min, max)| (low.min(min), high.max(max))),
        _ => None,
    }
}

/// The structures that `one` becomes on the other side.
fn other_side(one: &Structure, direction: Direction, drop_only: bool, most: i32) -> Vec<Structure> {
    let zero = Fraction::new(0, 1);
    let limit = Fraction::new(most, 1);
    let endless = Fraction::new(i32::MAX, 1);
    let with = |value: Value| {
        let mut other = one.clone();
        other.set("framerate", value);
        other
    };
    // The same rates, as far as they are allowed.
    let own = one.get("framerate");
    let allowed = own.and_then(|own| own.intersect(&range(zero, limit)));
    let (low, high) = match (&allowed, own.and_then(extremes)) {
        (Some(allowed), Some((_, high))) => {
            (extremes(allowed).map_or(zero, |(low, _)| low), high.min(limit))
        }
        _ => (zero, if drop_only { limit } else { endless }),
    };
    let mut all: Vec<Structure> = allowed.map(&with).into_iter().collect();
    match (drop_only, direction) {
        (true, Direction::Src) => {
            if all.is_empty() && most != FASTEST {
                all.push(with(range(low, limit)));
            }
            all.push(with(range(low, endless)));
            if low != zero {
                all.push(with(Value::from(zero)));
            }
        }
        (true, Direction::Sink) if high == zero => all.push(one.clone()),
        (true, Direction::Sink) => all.push(with(range(zero, high))),
        (false, Direction::Sink) => all.push(with(range(zero, limit))),
        (false, Direction::Src) => {
            all.truncate(0);
            all.push(one.clone());
            all.push(with(range(zero, endless)));
        }
    }
    all
}

impl Transform for VideoRate {
    fn transform_caps(cx: &Cx, direction: Direction, caps: &Caps) -> Caps {
        if caps.is_any() {
            return Caps::any();
        }
        let drop_only = cx.property_as("drop-only").unwrap_or(false);
        let most = cx.property_as("max-rate").unwrap_or(FASTEST);
        let mut all = Caps::empty();
        for (structure, features) in caps.iter() {
            for other in other_side(structure, direction, drop_only, most) {
                let mut one = Caps::empty();
                one.push(other, CapsFeatures::clone(features));
                all.merge(&one);
            }
        }
        all
    }

    fn fixate(_: &Cx, input: &Caps, mut caps: Caps) -> Caps {
        caps.truncate(1);
        let rate = input.structure(0).and_then(|input| input.fraction("framerate"));
        if let (Some(rate), Some(structure)) = (rate, caps.structure_mut(0)) {
            structure.fixate_field_nearest_fraction("framerate", rate);
            structure.fixate_field_nearest_fraction("pixel-aspect-ratio", Fraction::new(1, 1));
        }
        caps.fixate()
    }

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        self.pace = Pace::default();
        (self.guess, self.has_rate) = (None, false);
        self.publish(cx);
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.pace = Pace::default();
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        let rates = |caps: &Caps| caps.structure(0).and_then(rate_of);
        let (Some(from), Some(to)) = (rates(input), rates(output)) else {
            let text = format!("videorate needs a framerate on both sides: {input} and {output}");
            return Err(cx.error(ErrorKind::Negotiation, text));
        };
        self.pace.set_rate(to);
        (self.changed, self.has_rate) = (true, true);
        self.guess = (to.0 == 0).then(|| output.clone());
        let waits = !self.settings.drop_only && self.settings.average_period == 0 && from.0 > 0;
        let latency = match waits {
            true => ClockTime::SECOND.mul_div(from.1, from.0).unwrap_or(ClockTime::ZERO),
            false => ClockTime::ZERO,
        };
        cx.set_latency(latency, Some(latency));
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        if std::mem::take(&mut self.changed) {
            self.pace.forget_held();
        }
        if !self.has_rate {
            return Err(FlowError::NotNegotiated);
        }
        self.guess_rate(cx, &buf)?;
        let taken = self.pace.take(&self.settings, buf, &mut self.out);
        self.publish(cx);
        match taken {
            Ok(()) => {}
            Err(Refusal::NoTime) => {
                cx.log(Level::Warning, || "a frame without a time was dropped".to_owned());
            }
            Err(Refusal::Gap(frames)) => {
                let text = format!(
                    "the next frame comes after a gap that {frames} repeated frames would fill; \
                     set max-duplication-time to leave such gaps open"
                );
                return Err(cx.error(ErrorKind::Failed, text));
            }
        }
        let last = self.out.pop();
        self.flush_out(cx);
        Ok(last)
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            EventKind::Segment(segment) => {
                if segment.format != Format::Time {
                    let text = "videorate takes segments in time only".to_owned();
                    return Err(cx.error(ErrorKind::Format, text));
                }
                let segment = at_speed(*segment, self.settings.rate);
                self.pace.new_segment(&self.settings, segment, &mut self.out);
                self.flush_out(cx);
                self.publish(cx);
                cx.output_event(SECOND_PAD, Event::segment(segment).with_seqnum(event.seqnum));
                Ok(false)
            }
            EventKind::Eos | EventKind::SegmentDone { .. } => {
                self.pace.finish(&self.settings, &mut self.out);
                self.flush_out(cx);
                self.publish(cx);
                Ok(true)
            }
            // After this element there are no gaps.
            EventKind::Gap { .. } => Ok(false),
            _ => Ok(true),
        }
    }

    fn flush(&mut self, cx: &mut Cx) {
        self.pace.flush();
        self.out.clear();
        self.publish(cx);
    }
}

/// A segment seen at another speed.
fn at_speed(mut segment: Segment, rate: f64) -> Segment {
    if rate != 1.0 && rate > 0.0 {
        fn at(time: u64, rate: f64) -> u64 {
            (time as f64 / rate) as u64
        }
        segment.start = at(segment.start, rate);
        for time in [&mut segment.position, &mut segment.stop, &mut segment.time] {
            *time = time.map(|time| at(time, rate));
        }
    }
    segment
}

impl VideoRate {
    fn flush_out(&mut self, cx: &Cx) {
        for buf in self.out.drain(..) {
            cx.output(SECOND_PAD, buf);
        }
    }

    /// Shows the counters; with `silent=false` listeners hear of drops and duplicates.
    fn publish(&mut self, cx: &Cx) {
        let counts = self.pace.counts;
        self.taken.set(counts.taken);
        self.sent.set(counts.sent);
        self.dropped.set(counts.dropped);
        self.duplicated.set(counts.duplicated);
        let told = std::mem::replace(&mut self.told, counts);
        if self.silent {
            return;
        }
        if counts.dropped != told.dropped {
            cx.publish("drop", counts.dropped);
        }
        if counts.duplicated != told.duplicated {
            cx.publish("duplicate", counts.duplicated);
        }
    }

    /// A variable rate becomes that of the first two frames, if downstream takes it.
    fn guess_rate(&mut self, cx: &Cx, buf: &Buffer) -> FlowResult {
        let (Some(output), Some(held)) = (&self.guess, self.pace.held()) else { return Ok(()) };
        let (Some(first), Some(second)) = (held.pts(), buf.pts()) else {
            let text =
                "videorate needs a framerate on its output, or times on the first two frames";
            return Err(cx.error(ErrorKind::Failed, text));
        };
        let guessed = guess::guess_rate(second.nanos().saturating_sub(first.nanos()));
        let mut output = output.clone();
        self.guess = None;
        let Some(rate) = guessed else { return Ok(()) };
        output.set("framerate", rate);
        let mut query = Query::caps(None);
        let taken = match (cx.peer_query(SECOND_PAD, &mut query), query) {
            (true, Query::Caps { result: Some(theirs), .. }) => theirs.can_intersect(&output),
            _ => true,
        };
        if taken && let Some(to) = output.structure(0).and_then(rate_of) {
            self.pace.set_rate(to);
            cx.output_event(SECOND_PAD, Event::caps(output));
        }
        Ok(())
    }
}
