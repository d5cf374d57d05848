//! Seeks through a pipeline with a real source base, a real sink base and perhaps a real queue.
//!
//! Invariant: the source element only goes where its base tells it; segments, flushes, ends and
//! messages are the mechanisms' own.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_perform_seek`).
//! Left out: nothing of the format.

use std::sync::Arc;

use gst_mini_core::element_prelude::{
    self as author, Cx, Element, Factory, PadTemplate, Prop, Source,
};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use gst_mini_core::runtime;
use gst_mini_core::segment::{Format, SeekFlags, SeekType};
use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Difference, compare_step};
use crate::scenario::{Log, Worker, event_json, message_json, put, state_of, state_return, states};

/// Buffers on a grid, of a stream of known length.
#[derive(Default)]
struct ConformSrc {
    duration: u64,
    buffer_duration: u64,
    seekable: bool,
    backwards: bool,
    /// Number of the next buffer, unless there is none.
    next: Option<u64>,
    /// Where it ends: forwards the stop, backwards the start.
    end: u64,
}

impl Element for ConformSrc {
    const NAME: &str = "conformsrc";
    const SUMMARY: &str = "Buffers on a grid, of a stream of known length";
    const PADS: &[PadTemplate] = &[PadTemplate::src(author::ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint64("duration", "Length", |e: &mut Self| &mut e.duration),
        Prop::uint64("buffer-duration", "Of a buffer", |e: &mut Self| &mut e.buffer_duration),
        Prop::boolean("seekable", "Whether one can seek", |e: &mut Self| &mut e.seekable),
    ];
}

impl Source for ConformSrc {
    fn is_seekable(cx: &Cx) -> bool {
        cx.property_as("seekable").unwrap_or(false)
    }
    fn duration(cx: &Cx) -> Option<u64> {
        cx.property_as("duration")
    }
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.backwards, self.next, self.end) = (false, Some(0), self.duration);
        Ok(())
    }
    fn seek(&mut self, _: &mut Cx, segment: &Segment) -> bool {
        let position = segment.position.unwrap_or(0);
        self.backwards = segment.rate < 0.0;
        if self.backwards {
            self.next = position.div_ceil(self.buffer_duration).checked_sub(1);
            self.end = segment.start;
        } else {
            self.next = Some(position / self.buffer_duration);
            self.end = segment.stop.unwrap_or(u64::MAX).min(self.duration);
        }
        true
    }
    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        let number = self.next.ok_or(FlowError::Eos)?;
        let pts = number * self.buffer_duration;
        let is_over =
            if self.backwards { pts + self.buffer_duration <= self.end } else { pts >= self.end };
        if is_over {
            return Err(FlowError::Eos);
        }
        self.next = if self.backwards { number.checked_sub(1) } else { Some(number + 1) };
        let mut buf = Buffer::from_vec(Vec::new());
        buf.set_pts(Some(ClockTime::from_nanos(pts)));
        buf.set_duration(Some(ClockTime::from_nanos(self.buffer_duration)));
        Ok(buf)
    }
}

register![Factory::source::<ConformSrc>()];

struct Bench {
    pipeline: Bin,
    clock: Arc<TestClock>,
    log: Log,
    seeker: Worker,
}

impl Bench {
    fn new(config: &Json) -> Bench {
        let log = Log::default();
        let start = config["clock_start"].as_u64().unwrap_or(0);
        let clock = Arc::new(TestClock::new(AbsoluteTime::from_nanos(start)));
        let pipeline = Bin::pipeline("pipeline");
        let src = make("conformsrc", Some("src")).expect("it is registered above");
        for (name, key) in [
            ("duration", "duration"),
            ("buffer-duration", "buffer_duration"),
            ("seekable", "seekable"),
        ] {
            src.set(name, &config[key]).expect("a property of the source");
        }
        let sink = make("conformsink", Some("sink")).expect("it is registered with its kind");
        for element in [&src, &sink] {
            pipeline.add(element).expect("a free name");
        }
        let before = if config["queue"] == true {
            let queue = make("queue", Some("queue")).expect("an element of ours");
            for (name, limit) in
                [("max-size-buffers", 2), ("max-size-bytes", 0), ("max-size-time", 0)]
            {
                queue.set(name, limit).expect("a property of the queue");
            }
            pipeline.add(&queue).expect("a free name");
            src.link(&queue).expect("both take anything");
            queue
        } else {
            src
        };
        before.link(&sink).expect("both take anything");
        pipeline.use_clock(Some(clock.clone()));
        let seen = log.clone();
        pipeline.bus().set_sync_handler(move |message| {
            if let Some(mut entry) = message_json(message)
                && entry["message"] != "warning"
            {
                if let Some(entry) = entry.as_object_mut() {
                    entry.remove("running_time");
                }
                seen.add(entry);
            }
            false
        });
        let seen = log.clone();
        let pts = |args: Option<&Structure>| args.and_then(|args| args.uint64("pts"));
        sink.connect("preroll", move |args| seen.add(json!({"preroll": pts(args)})));
        let (seen, watch) = (log.clone(), clock.clone());
        sink.connect("render", move |args| {
            let now = watch.now().nanos();
            seen.add(json!({"render": pts(args), "clock": now}));
        });
        let seen = log.clone();
        before.static_pad("src").expect("it has one").add_probe(
            ProbeType::BUFFER | ProbeType::EVENT_DOWNSTREAM | ProbeType::EVENT_FLUSH,
            Box::new(move |data| {
                match data {
                    ProbeData::Buffer(buf) => {
                        let mut entry = json!({"buffer": buf.pts().map(ClockTime::nanos)});
                        if buf.has(author::BufferFlags::DISCONT) {
                            entry["discont"] = json!(true);
                        }
                        seen.add(entry);
                    }
                    ProbeData::Event(event) => seen.add(event_json(event)),
                    _ => {}
                }
                ProbeReturn::Ok
            }),
        );
        Bench { pipeline, clock, log, seeker: Worker::new("seeker") }
    }

    fn step(&mut self, step: &Json) -> Map<String, Json> {
        let mut out = Map::new();
        match step["op"].as_str().unwrap_or_default() {
            "set_state" => {
                let ret = self.pipeline.set_state(state_of(&step["state"]));
                put(&mut out, "ret", Some(state_return(ret)));
            }
            "advance" => {
                let to = step["to"].as_u64().expect("a time");
                self.clock.set_time(AbsoluteTime::from_nanos(to));
            }
            "seek" => {
                let (pipeline, seek) = (self.pipeline.clone(), seek_of(step));
                let result = self.seeker.run(move || json!(pipeline.seek(seek)));
                put(&mut out, "result", Some(result));
            }
            other => panic!("no op {other}"),
        }
        runtime::settle();
        put(&mut out, "unblocked", self.seeker.finished());
        put(&mut out, "log", self.log.take());
        let mut query = Query::position();
        self.pipeline.query(&mut query);
        if let Query::Position { position, .. } = query {
            put(&mut out, "position", Some(json!(position)));
        }
        put(&mut out, "after", Some(json!(states(&self.pipeline))));
        let running_time = self.pipeline.running_time().map(RunningTime::nanos);
        put(&mut out, "running_time", Some(json!(running_time)));
        let wait = self.clock.waits().first().map(|target| target.nanos());
        put(&mut out, "wait", Some(json!(wait)));
        out
    }

    fn end(self) {
        self.pipeline.set_state(State::Null);
        self.seeker.quit();
    }
}

fn seek_of(step: &Json) -> Seek {
    let kind = |key: &str| -> SeekType {
        step[key].as_str().and_then(|word| word.parse().ok()).expect("a seek type")
    };
    let flags = step["flags"].as_array().expect("flags").iter().map(|word| -> SeekFlags {
        word.as_str().and_then(|word| word.parse().ok()).expect("a seek flag")
    });
    Seek {
        rate: step["rate"].as_f64().expect("a rate"),
        format: Format::Time,
        flags: flags.fold(SeekFlags::empty(), |all, flag| all | flag),
        start_type: kind("start_type"),
        start: step["start"].as_i64().expect("a time"),
        stop_type: kind("stop_type"),
        stop: step["stop"].as_i64().expect("a time"),
    }
}

const INPUTS: &[&str] =
    &["op", "state", "to", "rate", "flags", "start_type", "start", "stop_type", "stop"];

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let played = case.sim().run(|| {
        let mut bench = Bench::new(&case.json["config"]);
        let steps = case.json["steps"].as_array().map_or(&[][..], Vec::as_slice);
        let mut result = Ok(());
        for (number, step) in steps.iter().enumerate() {
            let got = bench.step(step);
            result = compare_step(number, step, INPUTS, &got);
            if result.is_err() {
                break;
            }
        }
        bench.end();
        result
    });
    played.unwrap_or_else(|deadlock| Err(Difference::impossible(deadlock.to_string())))
}
