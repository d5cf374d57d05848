//! What the tests of the routing elements share: run a line on both runtimes and read what arrived.
#![allow(dead_code, reason = "each test file uses its part")]

use gst_mini_core::prelude::*;
use parking_lot::Mutex;
use std::sync::Arc;

/// What arrived at one pad, a word for each buffer and event.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn words(&self) -> Vec<String> {
        self.0.lock().clone()
    }
    /// Only what begins with `start`.
    pub fn of(&self, start: &str) -> Vec<String> {
        self.words().into_iter().filter(|word| word.starts_with(start)).collect()
    }
    pub fn text(&self) -> String {
        self.words().join(" ")
    }
}

fn millis(nanos: u64) -> u64 {
    nanos / 1_000_000
}

fn word(data: &ProbeData<'_>) -> Option<String> {
    Some(match data {
        ProbeData::Buffer(buf) => {
            let discont = if buf.has(BufferFlags::DISCONT) { "!" } else { "" };
            match buf.pts() {
                Some(pts) => format!("buf{discont}@{}", millis(pts.nanos())),
                None => format!("buf{discont}"),
            }
        }
        ProbeData::Event(event) => match &event.kind {
            EventKind::Segment(segment) => format!("segment+{}", millis(segment.base)),
            EventKind::Gap { pts, .. } => format!("gap@{}", millis(pts.nanos())),
            EventKind::Caps(caps) => format!("caps({caps})"),
            _ => event.name().to_owned(),
        },
        _ => return None,
    })
}

/// Writes down what passes the sink pad of element `name`.
pub fn watch(pipeline: &Bin, name: &str) -> Log {
    let log = Log::default();
    let into = log.clone();
    let element = pipeline.by_name(name).unwrap_or_else(|| panic!("an element {name}"));
    element.static_pad("sink").expect("a sink pad").add_probe(
        ProbeType::DATA_DOWNSTREAM,
        Box::new(move |data| {
            into.0.lock().extend(word(&data));
            ProbeReturn::Ok
        }),
    );
    log
}

#[track_caller]
pub fn launch(line: &str) -> Bin {
    gst_mini_elements::register();
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Runs a line to its end; what arrived at the sink named `out`.
#[track_caller]
pub fn run(line: &str) -> Log {
    let pipeline = launch(line);
    let log = watch(&pipeline, "out");
    pipeline.set_state(State::Playing);
    assert_eq!(end(&pipeline), MessageKind::Eos, "{line}");
    pipeline.set_state(State::Null);
    log
}

#[track_caller]
pub fn end(pipeline: &Bin) -> MessageKind {
    pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end within a minute").kind
}

/// Waits, at most a minute, until something is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..60_000 {
        if is_so() {
            return;
        }
        let now = gst_mini_core::runtime::now();
        gst_mini_core::runtime::sleep_until(now + ClockTime::from_millis(1));
    }
    panic!("never: {what}");
}

/// On threads, and in the simulator with several seeds.
#[track_caller]
pub fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    test();
    in_sim(test);
}

/// In the simulator with several seeds.
#[track_caller]
pub fn in_sim(test: impl Fn()) {
    gst_mini_elements::register();
    for seed in 0..20 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}
