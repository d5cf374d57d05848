//! One element of each role, as a plugin and as a crate to link: what the tests of the boundary run.
//!
//! Invariant: nothing here depends on how it got into the process.
//! In GStreamer: nothing; its elements exist in one form only.
//! Left out: anything useful.

mod lent;
mod panics;
mod surface;
pub mod wrong;

use gst_mini_core::element_prelude::*;
use lent::{FixtureLent, FixtureTask};
use panics::{PanicFilter, PanicMake, PanicMulti, PanicPuller, PanicRanges, PanicSink, PanicSrc};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use surface::{
    FixtureAll, FixtureBlock, FixtureGather, FixtureNull, FixturePairs, FixturePool, FixtureThread,
    FixtureThrough,
};

gst_mini_core::plugin! {
    name: "fixture",
    description: "One element of each role, for tests",
    elements: [
        Factory::source::<FixtureSrc>(),
        Factory::transform::<FixtureXor>(),
        Factory::sink::<FixtureSink>(),
        Factory::multi_pad::<FixtureDeal>(),
        Factory::multi_pad::<FixtureSplit>(),
        Factory::multi_pad::<FixturePairs>(),
        Factory::transform::<FixtureLent>(),
        Factory::multi_pad::<FixtureTask>(),
        Factory::sink::<FixtureAll>(),
        Factory::multi_pad::<FixtureGather>(),
        Factory::source::<FixturePool>(),
        Factory::source::<FixtureBlock>(),
        Factory::sink::<FixtureThread>(),
        Factory::source::<PanicSrc>(),
        Factory::source::<PanicRanges>(),
        Factory::transform::<PanicPuller>(),
        Factory::transform::<FixtureThrough>(),
        Factory::sink::<FixtureNull>(),
        Factory::transform::<PanicFilter>(),
        Factory::sink::<PanicSink>(),
        Factory::multi_pad::<PanicMulti>(),
        Factory::sink::<PanicMake>(),
    ],
}

const CAPS: &str = "application/x-fixture, rate=(int)[1,1000]";
const FIXED_OR_ANY_RATE: &str = "application/x-fixture";

/// Makes buffers of 8 bytes that count, on a grid of its rate.
#[derive(Default)]
pub struct FixtureSrc {
    next: u64,
    rate: u64,
    start_at: u64,
}

impl Element for FixtureSrc {
    const NAME: &str = "fixturesrc";
    const SUMMARY: &str = "Counts";
    const LONG_NAME: &str = "Fixture source";
    const CLASS: &str = "Source/Test";
    const RANK: u32 = 64;
    const PADS: &[PadTemplate] = &[PadTemplate::src(CAPS)];
    const PROPS: &[Prop<Self>] =
        &[Prop::uint64("start-at", "First number", |e: &mut Self| &mut e.start_at)];
}

impl Source for FixtureSrc {
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.next = 0;
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, caps: &Caps) -> FlowResult {
        let rate = caps.structures().first().and_then(|first| first.int("rate"));
        let rate = rate.ok_or_else(|| cx.error(ErrorKind::Negotiation, "caps without a rate"))?;
        self.rate = rate.unsigned_abs().into();
        Ok(())
    }

    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        let mut buf = Buffer::from_vec((self.start_at + self.next).to_be_bytes().to_vec());
        let at = |index| ClockTime::of_frame(index, self.rate, 1);
        buf.set_pts(Some(at(self.next)));
        buf.set_duration(Some(at(self.next + 1).saturating_sub(at(self.next))));
        buf.set_offset(Some(self.next));
        buf.set_meta("gst-mini.fixture", vec![1, 2, 3]);
        self.next += 1;
        Ok(buf)
    }
}

/// Changes every byte in place; can fail or panic on the way.
#[derive(Default)]
pub struct FixtureXor {
    key: u32,
    mode: i32,
    seen: u32,
    trouble_at: u32,
}

impl Element for FixtureXor {
    const NAME: &str = "fixturexor";
    const SUMMARY: &str = "Changes every byte";
    const LONG_NAME: &str = "Fixture transform";
    const CLASS: &str = "Filter/Test";
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(FIXED_OR_ANY_RATE), PadTemplate::src(FIXED_OR_ANY_RATE)];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("key", "What each byte is combined with", |e: &mut Self| &mut e.key)
            .range("0", "255"),
        Prop::choice(
            "trouble",
            "enum:none=0,error=1,panic=2,drop=3,payload=4",
            "What goes wrong",
            |e: &mut Self| &mut e.mode,
        ),
        Prop::uint("trouble-at", "At which buffer", |e: &mut Self| &mut e.trouble_at),
    ];
}

impl Transform for FixtureXor {
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.seen = 0;
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, mut buf: Buffer) -> FlowResult<Option<Buffer>> {
        let is_now = self.seen == self.trouble_at;
        self.seen += 1;
        match self.mode {
            1 if is_now => return Err(cx.error(ErrorKind::Decode, "the fixture was told to fail")),
            2 if is_now => panic!("the fixture was told to panic"),
            3 if is_now => return Ok(None),
            4 if is_now => std::panic::panic_any(Grenade),
            _ => {}
        }
        for byte in buf.data_mut() {
            *byte ^= self.key as u8;
        }
        Ok(Some(buf))
    }
}

/// What a panic throws that panics again when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("a payload was dropped");
    }
}

/// Tells what it was given: in properties, by a signal and by messages.
#[derive(Default)]
pub struct FixtureSink {
    count: u64,
    sum: u64,
}

impl Element for FixtureSink {
    const NAME: &str = "fixturesink";
    const SUMMARY: &str = "Adds up what it is given";
    const LONG_NAME: &str = "Fixture sink";
    const CLASS: &str = "Sink/Test";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(CAPS)];
    const PROPS: &[Prop<Self>] = &[
        Prop::published("count", types::UINT64, "Buffers rendered", "0"),
        Prop::published("sum", types::UINT64, "Their bytes, added up", "0").unit("bytes"),
    ];
    const SIGNALS: &[Signal] = &[Signal::emitted("handoff", "A buffer was rendered")];
}

impl Sink for FixtureSink {
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.count, self.sum) = (0, 0);
        Ok(())
    }

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        self.count += 1;
        self.sum += buf.data().iter().map(|byte| u64::from(*byte)).sum::<u64>();
        cx.publish("count", self.count);
        cx.publish("sum", self.sum);
        let facts = Structure::new("rendered")
            .with("pts", buf.pts().map_or(u64::MAX, ClockTime::nanos))
            .with("running-time", cx.running_time().map_or(u64::MAX, RunningTime::nanos))
            .with("has-meta", buf.meta("gst-mini.fixture") == Some(&[1, 2, 3]));
        cx.emit("handoff", Some(&facts));
        cx.post_element(facts);
        Ok(())
    }
}

/// Deals buffers to its source pads in turn.
#[derive(Default)]
pub struct FixtureDeal {
    next: AtomicUsize,
}

impl Element for FixtureDeal {
    const NAME: &str = "fixturedeal";
    const SUMMARY: &str = "Deals buffers to its source pads in turn";
    const LONG_NAME: &str = "Fixture with several pads";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::request_src("src_%u", ANY)];
}

impl MultiPad for FixtureDeal {
    fn start(&self, _: &Cx) -> Result<(), ElementError> {
        self.next.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let targets: Vec<PadId> = cx
            .pads()
            .into_iter()
            .filter(|(_, name, _)| name.starts_with("src_"))
            .map(|(pad, _, _)| pad)
            .collect();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        match targets.get(turn % targets.len().max(1)) {
            Some(pad) => cx.push(*pad, buf),
            None => Err(FlowError::NotLinked),
        }
    }
}

/// Sorts buffers by the remainder of their number to pads that appear when the first of their kind
/// comes, and go when the element stops.
#[derive(Default)]
pub struct FixtureSplit {
    kinds: AtomicU64,
    pads: Mutex<Vec<PadId>>,
}

impl Element for FixtureSplit {
    const NAME: &str = "fixturesplit";
    const SUMMARY: &str = "Sorts buffers to pads that appear";
    const LONG_NAME: &str = "Fixture with pads that come and go";
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(CAPS), PadTemplate::sometimes_src("kind_%u", CAPS).with_own_caps()];
    const SIGNALS: &[Signal] = &[Signal::emitted("choose", "Asks how many kinds there are")];
}

impl MultiPad for FixtureSplit {
    fn start(&self, cx: &Cx) -> Result<(), ElementError> {
        let asked = cx.emit_for("choose", Some(&Structure::new("choose").with("least", 1)));
        let kinds = asked.and_then(|answer| answer.as_u64()).unwrap_or(1);
        self.kinds.store(kinds.max(1), Ordering::Relaxed);
        Ok(())
    }

    fn stop(&self, cx: &Cx) -> Result<(), ElementError> {
        let pads = std::mem::take(&mut *self.pads.lock().unwrap_or_else(PoisonError::into_inner));
        for pad in pads {
            cx.remove_pad(pad);
        }
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let kinds = self.kinds.load(Ordering::Relaxed);
        let kind = buf.offset().unwrap_or(0) % kinds;
        let known = || self.pads.lock().unwrap_or_else(PoisonError::into_inner).clone();
        while (known().len() as u64) <= kind {
            let number = known().len();
            let caps = Caps::parse(&format!("application/x-fixture, rate=(int){}", number + 1));
            let caps = caps.map_err(|error| cx.error(ErrorKind::Core, error.to_string()))?;
            let segment = cx.pad_segment(FIRST_PAD).unwrap_or_else(Segment::time);
            let events = [
                Event::stream_start(format!("kind/{number}")),
                Event::caps(caps),
                Event::segment(segment),
            ];
            let pad = cx.add_pad("kind_%u", &format!("kind_{number}"), &events);
            let pad = pad.ok_or_else(|| cx.error(ErrorKind::Core, "a pad was refused"))?;
            self.pads.lock().unwrap_or_else(PoisonError::into_inner).push(pad);
            if known().len() as u64 == kinds {
                cx.no_more_pads();
            }
        }
        cx.push(known()[kind as usize], buf)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        // The pads have a stream of their own; its end is everybody's.
        if matches!(event.kind, EventKind::Eos) {
            cx.event_default(&event);
        }
        Ok(())
    }
}
