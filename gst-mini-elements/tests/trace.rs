//! A trace is the same for one seed. Alone in its program: the tracer hears everything in a process.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::prelude::*;
use std::sync::Arc;

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn end(pipeline: &Bin) -> MessageKind {
    pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end within a minute").kind
}

#[test]
fn one_seed_gives_one_trace_and_two_seeds_differ() {
    gst_mini_elements::register();
    let trace = |seed: u64| {
        let lines = Arc::new(parking_lot::Mutex::new(String::new()));
        let out = lines.clone();
        gst_mini_core::tracer::trace_to(Some(Box::new(move |line| {
            out.lock().push_str(line);
            out.lock().push('\n');
        })));
        let sim = Sim::new(seed);
        sim.run(|| {
            let pipeline = launch(
                "fakesrc num-buffers=50 sizetype=fixed sizemax=100 format=time datarate=10000 ! tee name=t t. ! queue max-size-buffers=3 ! fakesink sync=true t. ! queue ! fakesink",
            );
            pipeline.set_state(State::Playing);
            assert_eq!(end(&pipeline), MessageKind::Eos);
            pipeline.set_state(State::Null);
        })
        .unwrap();
        gst_mini_core::tracer::trace_to(None);

        lines.lock().clone()
    };
    let first = trace(7);
    assert!(first.lines().count() > 100, "a trace of something");
    assert_eq!(first, trace(7));
    assert!((0..20).any(|seed| trace(seed) != first), "other seeds choose otherwise");
}
