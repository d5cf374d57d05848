//! What the tests of the video elements share: run a line on simulated time and look at what arrives.
#![allow(dead_code, reason = "each test file uses its part")]

use gst_mini_core::prelude::*;
use std::sync::{Arc, Mutex};

/// A buffer that arrived at the sink named `out`.
#[derive(Clone)]
pub struct Seen {
    pub buf: Buffer,
    /// When it arrived.
    pub running_time: Option<RunningTime>,
}

pub struct Run {
    pub pipeline: Bin,
    pub seen: Vec<Seen>,
    /// Caps and segment as they passed.
    pub caps: Vec<Caps>,
    pub segments: Vec<Segment>,
    /// Everything that was posted, up to the end.
    pub messages: Vec<Message>,
}

impl Run {
    pub fn pts(&self) -> Vec<u64> {
        self.seen.iter().map(|seen| seen.buf.pts().expect("a pts").nanos()).collect()
    }
    pub fn error(&self) -> Option<String> {
        self.messages.iter().find_map(|message| match &message.kind {
            MessageKind::Error(error) => Some(error.text.clone()),
            _ => None,
        })
    }
    pub fn warnings(&self) -> Vec<String> {
        let text = |message: &Message| match &message.kind {
            MessageKind::Warning(error) => Some(error.text.clone()),
            _ => None,
        };
        self.messages.iter().filter_map(text).collect()
    }
    pub fn reports(&self, name: &str) -> Vec<Structure> {
        let report = |message: &Message| match &message.kind {
            MessageKind::Element(structure) if structure.name() == name => Some(structure.clone()),
            _ => None,
        };
        self.messages.iter().filter_map(report).collect()
    }
}

#[derive(Default)]
struct Record {
    seen: Vec<Seen>,
    caps: Vec<Caps>,
    segments: Vec<Segment>,
}

/// Runs a line with a sink named `out` until it ends; keeps the data of buffers if `keep` is set.
#[track_caller]
pub fn run_here(line: &str, keep: bool) -> Run {
    gst_mini_elements::register();
    let pipeline = parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    run_pipeline(pipeline, keep)
}

pub fn run_pipeline(pipeline: Bin, keep: bool) -> Run {
    run_pipeline_with(pipeline, keep, |_| {})
}

/// [`run_pipeline`], with something done to the pipeline after it was set to PLAYING.
pub fn run_pipeline_with(pipeline: Bin, keep: bool, then: impl FnOnce(&Bin)) -> Run {
    let record = Arc::new(Mutex::new(Record::default()));
    let pad = pipeline.by_name("out").expect("a sink named out").pad("sink").unwrap();
    let (into, weak) = (record.clone(), pipeline.clone());
    let probe = pad.add_probe(
        ProbeType::DATA_DOWNSTREAM,
        Box::new(move |data| {
            let running_time = weak.running_time();
            let mut record = into.lock().unwrap();
            match data {
                ProbeData::Buffer(buf) => {
                    let mut buf = buf.clone();
                    if !keep {
                        buf.truncate(0);
                        let mut bare = Buffer::new();
                        bare.copy_header_from(&buf);
                        buf = bare;
                    }
                    record.seen.push(Seen { buf, running_time });
                }
                ProbeData::Event(event) => match &event.kind {
                    EventKind::Caps(caps) => record.caps.push(caps.clone()),
                    EventKind::Segment(segment) => record.segments.push(*segment),
                    _ => {}
                },
                _ => {}
            }
            ProbeReturn::Ok
        }),
    );
    pipeline.set_state(State::Playing);
    then(&pipeline);
    let bus = pipeline.bus();
    let mut messages = Vec::new();
    loop {
        let Some(message) = bus.timed_pop_filtered(Some(ClockTime::from_secs(36_000)), |_| true)
        else {
            panic!("no end in ten hours");
        };
        let ends = matches!(message.kind, MessageKind::Eos | MessageKind::Error(_));
        messages.push(message);
        if ends {
            break;
        }
    }
    pipeline.set_state(State::Null);
    pad.remove_probe(probe);
    let Record { seen, caps, segments } = std::mem::take(&mut *record.lock().unwrap());
    Run { pipeline, seen, caps, segments, messages }
}

/// The same in a simulation.
#[track_caller]
pub fn run(seed: u64, line: &str) -> Run {
    Sim::new(seed)
        .run(|| run_here(line, false))
        .unwrap_or_else(|dead| panic!("seed {seed}: {dead}"))
}

/// The same, with the data of each buffer.
#[track_caller]
pub fn run_keeping(line: &str) -> Run {
    Sim::new(1).run(|| run_here(line, true)).unwrap_or_else(|dead| panic!("{dead}"))
}
