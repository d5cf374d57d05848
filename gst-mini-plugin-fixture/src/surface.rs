//! What an element can do besides passing buffers on: each thing once.
//!
//! Invariant: whatever it does can be seen from outside, so that a test can compare linked and loaded.
//! In GStreamer: nothing; its elements exist in one form only.
//! Left out: what the elements of `lib` show already.

use gst_mini_core::element_prelude::*;
use gst_mini_core::message::MessageKind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Sends buffers on in lists of two, and takes lists.
#[derive(Default)]
pub struct FixturePairs {
    held: Mutex<Vec<Buffer>>,
}

impl Element for FixturePairs {
    const NAME: &str = "fixturepairs";
    const SUMMARY: &str = "Sends buffers on in lists of two";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
}

impl MultiPad for FixturePairs {
    const TAKES_LISTS: bool = true;

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let pair = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.push(buf);
            if held.len() < 2 {
                return Ok(());
            }
            std::mem::take(&mut *held)
        };
        cx.push_list(SECOND_PAD, pair.into())
    }

    fn chain_list(&self, cx: &Cx, list: BufferList) -> FlowResult {
        cx.post_element(Structure::new("list").with("length", list.len() as u64));
        cx.push_list(SECOND_PAD, list)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if event.kind == EventKind::Eos {
            let held =
                std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
            if !held.is_empty() {
                cx.push_list(SECOND_PAD, held.into())?;
            }
        }
        cx.event_default(&event);
        Ok(())
    }

    fn flush(&self, _: &Cx) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A property of every type; answers queries and actions, asks by a signal, offers a clock, and posts a
/// message of every kind that an element may post.
#[derive(Default)]
pub struct FixtureAll {
    switch: bool,
    int: i32,
    uint: u32,
    int64: i64,
    uint64: u64,
    double: f64,
    float: f64,
    time: ClockTime,
    text: String,
    fraction: Fraction,
    caps: Caps,
    choice: i32,
    flags: u32,
    secret: String,
    reach: Arc<AllReach>,
}

/// What any thread may reach of it.
#[derive(Default)]
pub struct AllReach {
    live: Live<u32>,
    kept: Mutex<Option<Buffer>>,
    ticks: AtomicU64,
}

impl Shared for AllReach {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        match query {
            Query::Custom(question) if question.name() == "live" => {
                *query = Query::Custom(Structure::new("answer").with("live", self.live.get()));
                true
            }
            Query::Position { .. } => cx.query_default(query),
            _ => false,
        }
    }

    fn action(&self, cx: &Cx, action: &mut Action) -> FlowResult {
        if action.name != "swap" {
            return Err(FlowError::NotSupported);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *kept, &mut action.buf);
        let least = action.args.as_ref().and_then(|args| args.int("least")).unwrap_or(-1);
        action.answer = Some(Structure::new("swapped").with("least", least));
        cx.log(Level::Info, || "swapped".to_owned());
        Ok(())
    }

    fn provide_clock(&self) -> Option<String> {
        (self.live.get() == 7).then(|| "FixtureClock".to_owned())
    }

    fn clock_now(&self) -> u64 {
        self.ticks.fetch_add(1_000_000, Ordering::Relaxed)
    }
}

impl Element for FixtureAll {
    const NAME: &str = "fixtureall";
    const SUMMARY: &str = "Has one of everything";
    const CLASS: &str = "Sink/Test";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::boolean("switch", "A switch", |e: &mut Self| &mut e.switch),
        Prop::int("int", "A number", |e: &mut Self| &mut e.int).range("-5", "5"),
        Prop::uint("uint", "A number", |e: &mut Self| &mut e.uint),
        Prop::int64("int64", "A number", |e: &mut Self| &mut e.int64),
        Prop::uint64("uint64", "A number", |e: &mut Self| &mut e.uint64),
        Prop::double("double", "A number", |e: &mut Self| &mut e.double),
        Prop::float("float", "A number", |e: &mut Self| &mut e.float),
        Prop::time("time", "A time", |e: &mut Self| &mut e.time),
        Prop::string("text", "A text", |e: &mut Self| &mut e.text),
        Prop::fraction("fraction", "A fraction", |e: &mut Self| &mut e.fraction),
        Prop::caps("caps", "Formats", |e: &mut Self| &mut e.caps),
        Prop::choice("choice", "enum:one=1,two=2:NUMBER_TWO", "A choice", |e: &mut Self| {
            &mut e.choice
        }),
        Prop::flags("flags", "flags:a=1,b=2,c=4", "Flags", |e: &mut Self| &mut e.flags),
        Prop::string("secret", "A key", |e: &mut Self| &mut e.secret).secret(),
        Prop::live("live", types::UINT, "Set at once", |e: &Self| &e.reach.live),
        Prop::published("facts", types::STRUCTURE, "What it saw", ""),
        Prop::published("fields", types::STRING, "All fields as they are", ""),
    ];
    const SIGNALS: &[Signal] = &[
        Signal::action("swap", "Keeps a buffer, gives the last"),
        Signal::emitted("ask", "Asks a number"),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.reach.clone())
    }
}

impl Sink for FixtureAll {
    const SYNC: bool = false;

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let text = |name| Structure::new(name).with("of", "fixtureall");
        cx.warning(ErrorKind::Settings, "a warning");
        cx.post(MessageKind::Info(ElementError::new(ErrorKind::Core, "some information")));
        cx.post(MessageKind::Latency);
        cx.post(MessageKind::DurationChanged);
        cx.post(MessageKind::Tag(text("taglist")));
        cx.post(MessageKind::Application(text("application")));
        cx.post(MessageKind::RequestState(State::Paused));
        cx.post(MessageKind::Qos {
            live: true,
            running_time: cx.running_time(),
            stream_time: Some(4),
            timestamp: None,
            duration: Some(ClockTime::SECOND),
            jitter: -3,
            proportion: 0.5,
            processed: 8,
            dropped: 9,
        });
        Ok(())
    }

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        let asked =
            cx.emit_for("ask", Some(&Structure::new("ask").with("size", buf.size() as u64)));
        let mut latency = Query::Latency { live: false, min: ClockTime::ZERO, max: None };
        let answered = cx.peer_query(FIRST_PAD, &mut latency);
        let names =
            cx.sticky_events(FIRST_PAD).iter().map(Event::name).collect::<Vec<_>>().join("+");
        let facts = Structure::new("facts")
            .with("asked", asked.map_or("nobody".to_owned(), |value| value.to_string()))
            .with("latency", format!("{answered} {latency:?}"))
            .with("sticky", names)
            .with("caps", cx.pad_caps(FIRST_PAD).map_or("none".to_owned(), |caps| caps.to_string()))
            .with("segment", cx.pad_segment(FIRST_PAD).map_or("none".to_owned(), |s| s.to_string()))
            .with("utc", cx.utc_now())
            .with("metas", buf.metas().count() as u64);
        cx.publish("facts", &facts);
        cx.post_element(facts);
        cx.publish(
            "fields",
            format!(
                "{} {} {} {} {} {} {} {} {:?} {} {} {} {} {:?} {}",
                self.switch,
                self.int,
                self.uint,
                self.int64,
                self.uint64,
                self.double,
                self.float,
                self.time,
                self.text,
                self.fraction,
                self.caps,
                self.choice,
                self.flags,
                self.secret,
                self.reach.live.get()
            ),
        );
        Ok(())
    }
}

/// Sends on what comes to any of its request pads, which it names itself.
#[derive(Default)]
pub struct FixtureGather {
    ended: Mutex<Vec<PadId>>,
}

impl Element for FixtureGather {
    const NAME: &str = "fixturegather";
    const SUMMARY: &str = "Sends on what comes to any of its pads";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY), PadTemplate::request_sink("in_%u", ANY)];
}

impl MultiPad for FixtureGather {
    fn pad_name(&self, _: &Cx, wanted: &str) -> Option<String> {
        (wanted == "in_%u").then(|| "in_1%u".to_owned())
    }

    fn pad_added(&self, cx: &Cx, name: &str) -> bool {
        cx.post_element(Structure::new("added").with("name", name));
        name != "in_13"
    }

    fn pad_removed(&self, cx: &Cx) {
        cx.post_element(Structure::new("removed").with("pad", cx.pad().0));
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        cx.push(FIRST_PAD, buf)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        let first = cx.pads().iter().find(|(_, _, is_src)| !is_src).map(|(pad, ..)| *pad);
        if event.kind == EventKind::Eos {
            let inputs = cx.pads().len() - 1;
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.push(cx.pad());
            if ended.len() < inputs {
                return Ok(());
            }
        } else if first != Some(cx.pad()) {
            return Ok(());
        }
        cx.push_event(FIRST_PAD, &event);
        Ok(())
    }
}

/// Makes buffers from a pool, with a meta each; tells how many pieces of memory it took.
#[derive(Default)]
pub struct FixturePool {
    pool: Option<BufferPool>,
    seen: Vec<usize>,
}

impl Element for FixturePool {
    const NAME: &str = "fixturepool";
    const SUMMARY: &str = "Makes buffers from a pool";
    const CLASS: &str = "Source/Test";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::published("pieces", types::UINT, "Of memory, in all", "0")];
}

impl Source for FixturePool {
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.pool = Some(BufferPool::new(64, 4));
        self.seen.clear();
        Ok(())
    }
    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.pool = None;
        Ok(())
    }
    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let pool = self.pool.as_ref().ok_or(FlowError::Error)?;
        let mut buf = pool.acquire();
        let at = buf.data().as_ptr().addr();
        if !self.seen.contains(&at) {
            self.seen.push(at);
        }
        cx.publish("pieces", self.seen.len());
        buf.set_meta("gst-mini.fixture", self.seen.len().to_string().into_bytes());
        Ok(buf)
    }
}

/// Blocks in what no framework can see, until `unlock`.
#[derive(Default)]
pub struct FixtureBlock {
    gate: Arc<Gate>,
}

/// A place to wait at.
#[derive(Default)]
pub struct Gate {
    is_open: Mutex<bool>,
    changed: Condvar,
}

impl Shared for Gate {
    fn unlock(&self, on: bool) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = on;
        self.changed.notify_all();
    }
}

impl Element for FixtureBlock {
    const NAME: &str = "fixtureblock";
    const SUMMARY: &str = "Blocks until it is told to stop";
    const CLASS: &str = "Source/Test";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.gate.clone())
    }
}

impl Source for FixtureBlock {
    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        cx.post_element(Structure::new("blocking"));
        let mut is_open = self.gate.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_open {
            is_open = self.gate.changed.wait(is_open).unwrap_or_else(PoisonError::into_inner);
        }
        Err(FlowError::Flushing)
    }
}

/// A sink with a thread of its own, which posts; joined in `stop` unless it is told to forget it.
#[derive(Default)]
pub struct FixtureThread {
    forgets: bool,
    panics: bool,
    quit: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Element for FixtureThread {
    const NAME: &str = "fixturethread";
    const SUMMARY: &str = "Has a thread of its own";
    const CLASS: &str = "Sink/Test";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::boolean("forgets", "Leaves the thread running", |e: &mut Self| &mut e.forgets),
        Prop::boolean("panics", "The thread panics", |e: &mut Self| &mut e.panics),
        Prop::published("posted", types::UINT64, "By the thread", "0"),
    ];
}

impl Sink for FixtureThread {
    const ASYNC: bool = false;

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let refused = |why: &str| ElementError::new(ErrorKind::Core, why);
        let poster = cx.poster().ok_or_else(|| refused("no poster"))?;
        self.quit = Arc::default();
        let (quit, panics) = (self.quit.clone(), self.panics);
        let work = move || {
            assert!(!panics, "told to, in a thread");
            let mut count = 0_u64;
            while !quit.load(Ordering::Relaxed) {
                count += 1;
                poster.publish("posted", count);
                poster.post(MessageKind::Element(Structure::new("posted").with("count", count)));
                poster.log(Level::Debug, "posted");
                poster.wake(0);
                std::thread::yield_now();
            }
        };
        let spawned = std::thread::Builder::new().spawn(work);
        self.thread = Some(spawned.map_err(|error| refused(&error.to_string()))?);
        Ok(())
    }

    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        if self.forgets {
            return Ok(());
        }
        self.quit.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            cx.warning(ErrorKind::Failed, "its thread panicked");
        }
        Ok(())
    }

    fn render(&mut self, _: &mut Cx, _: Buffer) -> FlowResult {
        Ok(())
    }
}

/// Does nothing, for measurements.
#[derive(Default)]
pub struct FixtureThrough;

impl Element for FixtureThrough {
    const NAME: &str = "fixturethrough";
    const SUMMARY: &str = "Does nothing";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
}

impl Transform for FixtureThrough {
    fn transform(&mut self, _: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        Ok(Some(buf))
    }
}

/// Takes everything and says nothing, for measurements.
#[derive(Default)]
pub struct FixtureNull;

impl Element for FixtureNull {
    const NAME: &str = "fixturenull";
    const SUMMARY: &str = "Takes everything";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
}

impl Sink for FixtureNull {
    fn render(&mut self, _: &mut Cx, _: Buffer) -> FlowResult {
        Ok(())
    }
}
