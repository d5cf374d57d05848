//! The sink base around a test element, on a clock that is moved by hand.
//!
//! Invariant: what is driven is a real sink in a real pipeline; upstream is a pad of the test's own.
//! In GStreamer: `libs/gst/base/gstbasesink.c`.
//! Left out: nothing of the format.

use std::sync::Arc;

use gst_mini_core::element_prelude::{
    self as author, Cx, Element, Factory, PadTemplate, Signal, Sink,
};
use gst_mini_core::event::{Event, EventKind};
use gst_mini_core::pad::{PadCore, PadHandler};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use gst_mini_core::runtime;
use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Difference, compare_step};
use crate::scenario::{Log, Worker, event_json, message_json, put, state_of, state_return, states};
use crate::words::{buffer_of, event_of, name_of_flow};

/// Says what it is given. A buffer's number is its offset.
#[derive(Default)]
struct ConformSink;

fn number(buf: &Buffer) -> Structure {
    let pts = buf.pts().map_or(u64::MAX, ClockTime::nanos);
    Structure::new("buffer").with("id", buf.offset().unwrap_or_default()).with("pts", pts)
}

impl Element for ConformSink {
    const NAME: &str = "conformsink";
    const SUMMARY: &str = "Says what it is given";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(author::ANY)];
    const SIGNALS: &[Signal] =
        &[Signal::emitted("preroll", "A buffer is held"), Signal::emitted("render", "It is due")];
}

impl Sink for ConformSink {
    fn preroll(&mut self, cx: &mut Cx, buf: &Buffer) -> FlowResult {
        cx.emit("preroll", Some(&number(buf)));
        Ok(())
    }
    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        cx.emit("render", Some(&number(&buf)));
        Ok(())
    }
}

register![Factory::sink::<ConformSink>()];

/// What is upstream of the sink.
struct Upstream {
    latency: Query,
    log: Log,
}

impl PadHandler for Upstream {
    fn chain(&self, _: &PadCore, _: Buffer) -> FlowResult {
        Err(FlowError::NotSupported)
    }
    fn event(&self, _: &PadCore, event: Event) -> FlowResult {
        if matches!(event.kind, EventKind::Qos { .. }) {
            self.log.add(json!({"upstream": event_json(&event)}));
        }
        Ok(())
    }
    fn query(&self, _: &PadCore, query: &mut Query) -> bool {
        let answers = matches!(query, Query::Latency { .. });
        if answers {
            *query = self.latency.clone();
        }
        answers
    }
}

struct Bench {
    pipeline: Bin,
    sink: ElementRef,
    src: Arc<PadCore>,
    clock: Arc<TestClock>,
    log: Log,
    streamer: Worker,
    flusher: Worker,
    last_state: [Json; 2],
    /// Kept alive for `src`.
    _upstream: Arc<Upstream>,
}

impl Bench {
    fn new(config: &Json) -> Bench {
        let log = Log::default();
        let start = config["clock_start"].as_u64().unwrap_or(0);
        let clock = Arc::new(TestClock::new(AbsoluteTime::from_nanos(start)));
        let pipeline = Bin::pipeline("pipeline");
        let sink = make("conformsink", Some("sink")).expect("it is registered above");
        for (name, value) in config.as_object().into_iter().flatten() {
            if !matches!(name.as_str(), "clock_start" | "upstream_latency") {
                sink.set(name, value).expect("a property that sinks have");
            }
        }
        pipeline.add(&sink).expect("an empty pipeline");
        pipeline.use_clock(Some(clock.clone()));
        let messages = log.clone();
        pipeline.bus().set_sync_handler(move |message| {
            if let Some(entry) = message_json(message) {
                messages.add(entry);
            }
            false
        });
        let id = |args: Option<&Structure>| args.and_then(|args| args.uint64("id"));
        let seen = log.clone();
        sink.connect("preroll", move |args| seen.add(json!({"preroll": id(args)})));
        let (seen, watch) = (log.clone(), clock.clone());
        sink.connect("render", move |args| {
            let now = watch.now().nanos();
            seen.add(json!({"render": id(args), "clock": now}));
        });
        let answer = &config["upstream_latency"];
        let nanos = |key: &str| answer[key].as_u64().map(ClockTime::from_nanos);
        let latency = Query::Latency {
            live: answer["live"] == true,
            min: nanos("min").unwrap_or(ClockTime::ZERO),
            max: nanos("max"),
        };
        let upstream = Arc::new(Upstream { latency, log: log.clone() });
        let src = PadCore::new(author::PadId(0), "upstream", "src", Direction::Src, Caps::any());
        let handler: Arc<dyn PadHandler> = upstream.clone();
        src.set_handler(Arc::downgrade(&handler));
        src.set_active(true);
        src.link(&sink.static_pad("sink").expect("a sink has it")).expect("both take anything");
        let [_, current, pending] = states(&sink);
        Bench {
            pipeline,
            sink,
            src,
            clock,
            log,
            streamer: Worker::new("streamer"),
            flusher: Worker::new("flusher"),
            last_state: [current, pending],
            _upstream: upstream,
        }
    }

    fn step(&mut self, step: &Json) -> Map<String, Json> {
        let mut out = Map::new();
        let src = self.src.clone();
        let number = |key: &str| step[key].as_u64().unwrap_or_default();
        match step["op"].as_str().unwrap_or_default() {
            "set_state" => {
                let ret = self.pipeline.set_state(state_of(&step["state"]));
                put(&mut out, "ret", Some(state_return(ret)));
                if step["state"] == "playing" {
                    let now = self.clock.now().nanos();
                    let running_time = self.pipeline.running_time();
                    // Before it has played, GStreamer's is 0.
                    let base_time = running_time.map_or(0, |played| now - played.nanos());
                    put(&mut out, "base_time", Some(json!(base_time)));
                }
            }
            "push_buffer" => {
                let buf = buffer_of(step);
                let result = self.streamer.run(move || json!(name_of_flow(src.push_buffer(buf))));
                put(&mut out, "result", Some(result));
            }
            "push_event" => {
                let event = event_of(step).expect("an event of the format");
                let flushes =
                    matches!(event.kind, EventKind::FlushStart | EventKind::FlushStop { .. });
                let worker = if flushes { &mut self.flusher } else { &mut self.streamer };
                let result = worker.run(move || json!(src.push_event(event)));
                put(&mut out, "result", Some(result));
            }
            "advance" => self.clock.set_time(AbsoluteTime::from_nanos(number("to"))),
            "set_latency" => {
                let latency = ClockTime::from_nanos(number("latency"));
                self.sink.send_event(Event::new(EventKind::Latency(latency)));
            }
            "set_property" => {
                let name = step["name"].as_str().unwrap_or_default();
                self.sink.set(name, &step["value"]).expect("a property that sinks have");
            }
            "query_position" => {
                let mut query = Query::position();
                self.sink.query(&mut query);
                let Query::Position { position, .. } = query else { panic!("another query") };
                put(&mut out, "position", Some(json!(position)));
            }
            other => panic!("no op {other}"),
        }
        runtime::settle();
        put(&mut out, "unblocked", self.streamer.finished());
        put(&mut out, "log", self.log.take());
        let [_, current, pending] = states(&self.sink);
        if self.last_state != [current.clone(), pending.clone()] {
            self.last_state = [current, pending];
            put(&mut out, "sink_state", Some(json!(self.last_state)));
        }
        let wait = self.clock.waits().first().map(|target| target.nanos());
        put(&mut out, "wait", Some(json!(wait)));
        out
    }

    fn end(self) {
        self.pipeline.set_state(State::Null);
        self.streamer.quit();
        self.flusher.quit();
        self.src.unlink();
    }
}

const INPUTS: &[&str] = &[
    "op",
    "state",
    "event",
    "stream_id",
    "segment",
    "id",
    "pts",
    "dts",
    "duration",
    "reset_time",
    "to",
    "latency",
    "name",
    "value",
    "caps",
    "title",
];

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let played = case.sim().run(|| {
        let mut bench = Bench::new(&case.json["config"]);
        let steps = case.json["steps"].as_array().map_or(&[][..], Vec::as_slice);
        let mut result = Ok(());
        for (number, step) in steps.iter().enumerate() {
            let got = bench.step(step);
            // What a query answers, an event says.
            let position = ["position"];
            let said = if step["op"] == "push_event" { &position[..] } else { &[] };
            result = compare_step(number, step, &[INPUTS, said].concat(), &got);
            if result.is_err() {
                break;
            }
        }
        bench.end();
        result
    });
    played.unwrap_or_else(|deadlock| Err(Difference::impossible(deadlock.to_string())))
}
