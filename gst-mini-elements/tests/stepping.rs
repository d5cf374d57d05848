//! Frame stepping on real elements, simulated.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::event::Event;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use gst_mini_core::segment::Format;
use gst_mini_elements::app::AppSink;
use std::sync::{Arc, Mutex};

fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    for seed in 0..12 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn step(pipeline: &Bin, step: Step) {
    assert!(pipeline.send_event(Event::new(EventKind::Step(step))));
}

/// The buffer that is held, and where the pipeline says it is; ms.
fn held(pipeline: &Bin) -> (u64, u64) {
    assert_eq!(pipeline.state(None).1, State::Paused);
    let sink = AppSink::from(&pipeline.by_name("sink").unwrap()).unwrap();
    let pts = sink.pull_preroll().expect("a buffer is held").buffer.pts().unwrap();
    let mut query = Query::position();
    pipeline.query(&mut query);
    let Query::Position { position: Some(position), .. } = query else { panic!("no position") };
    (pts.nanos() / 1_000_000, position / 1_000_000)
}

/// Steps begun and done since the last look, with their lengths in ms.
fn told(pipeline: &Bin) -> Vec<String> {
    let bus = pipeline.bus();
    std::iter::from_fn(|| bus.pop())
        .filter_map(|message| match message.kind {
            MessageKind::StepStart { active, .. } => Some(format!("start {active}")),
            MessageKind::StepDone { duration, eos, .. } => {
                Some(format!("done {} {eos}", duration.nanos() / 1_000_000))
            }
            _ => None,
        })
        .collect()
}

const LINE: &str = "videotestsrc num-buffers=20 ! video/x-raw,width=16,height=16,framerate=10/1 ! appsink name=sink wait-on-eos=false";

#[test]
fn stepping_by_buffers_in_paused_shows_one_after_the_other() {
    everywhere(|| {
        let pipeline = launch(LINE);
        pipeline.set_state(State::Paused);
        assert_eq!(held(&pipeline), (0, 0));
        told(&pipeline);
        for n in 1..4 {
            step(&pipeline, Step::buffers(1));
            assert_eq!(held(&pipeline), (100 * n, 100 * n));
            assert_eq!(told(&pipeline), ["start false", "start true", "done 100 false"]);
        }
        step(&pipeline, Step::buffers(5));
        assert_eq!(held(&pipeline), (800, 800));
        // Figure for figure what GStreamer says.
        let quarter = Step::time(ClockTime::from_millis(250));
        step(&pipeline, quarter);
        assert_eq!(held(&pipeline), (1000, 1050));
        step(&pipeline, Step { rate: 2.0, ..quarter });
        assert_eq!(held(&pipeline), (1500, 1550));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn what_was_stepped_over_takes_no_running_time() {
    everywhere(|| {
        let pipeline = launch(LINE);
        pipeline.set_state(State::Paused);
        assert_eq!(held(&pipeline), (0, 0));
        step(&pipeline, Step::buffers(15));
        assert_eq!(held(&pipeline), (1500, 1500));
        let began = runtime::now();
        pipeline.set_state(State::Playing);
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        assert_eq!(runtime::now().since(began), ClockTime::from_millis(500));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn stepping_by_time_ends_within_a_buffer() {
    everywhere(|| {
        let pipeline = launch(LINE);
        pipeline.set_state(State::Paused);
        assert_eq!(held(&pipeline), (0, 0));
        told(&pipeline);
        step(&pipeline, Step::time(ClockTime::from_millis(250)));
        assert_eq!(held(&pipeline), (200, 250));
        assert_eq!(told(&pipeline), ["start false", "start true", "done 250 false"]);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_step_beyond_the_end_ends_there() {
    everywhere(|| {
        let pipeline = launch(LINE);
        pipeline.set_state(State::Paused);
        assert_eq!(held(&pipeline), (0, 0));
        told(&pipeline);
        step(&pipeline, Step::buffers(100));
        assert_eq!(pipeline.state(None).1, State::Paused);
        let told = told(&pipeline);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[2].ends_with("true"), "{told:?}");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_step_without_flush_shows_what_it_goes_over_and_goes_on() {
    everywhere(|| {
        let pipeline = launch(LINE);
        let rendered = Arc::new(Mutex::new(Vec::new()));
        let noted = rendered.clone();
        let pad = pipeline.by_name("sink").unwrap().static_pad("sink").unwrap();
        pad.add_probe(
            ProbeType::BUFFER,
            Box::new(move |data| {
                if let ProbeData::Buffer(buf) = data {
                    noted.lock().unwrap().push(buf.pts().unwrap().nanos() / 1_000_000);
                }
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Paused);
        assert_eq!(held(&pipeline), (0, 0));
        told(&pipeline);
        step(
            &pipeline,
            Step { flush: false, rate: 2.0, ..Step::time(ClockTime::from_millis(500)) },
        );
        let began = runtime::now();
        pipeline.set_state(State::Playing);
        let done = pipeline.bus().timed_pop_filtered(None, |message| {
            matches!(message.kind, MessageKind::StepDone { .. })
        });
        assert!(done.is_some());
        assert_eq!(runtime::now().since(began), ClockTime::from_millis(500));
        assert_eq!(*rendered.lock().unwrap().last().unwrap(), 900, "twice as fast");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_step_while_playing_goes_on_playing_from_there() {
    everywhere(|| {
        let pipeline = launch(LINE);
        pipeline.set_state(State::Playing);
        runtime::run_until(AbsoluteTime::from_nanos(250_000_000));
        let began = runtime::now();
        step(&pipeline, Step::buffers(10));
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        // 300 ms was waited for; 1300 ms is shown at once, and 0.7 s are left.
        let took = runtime::now().since(began).nanos() / 1_000_000;
        assert_eq!(took, 700);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_step_that_no_sink_can_make_is_refused() {
    everywhere(|| {
        let pipeline = launch(LINE);
        pipeline.set_state(State::Paused);
        assert_eq!(held(&pipeline), (0, 0));
        for wrong in [
            Step { format: Format::Bytes, ..Step::buffers(1) },
            Step { rate: 0.0, ..Step::buffers(1) },
            Step { rate: -1.0, ..Step::buffers(1) },
        ] {
            assert!(!pipeline.send_event(Event::new(EventKind::Step(wrong))), "{wrong:?}");
        }
        pipeline.set_state(State::Null);
    });
}
