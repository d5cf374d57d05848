//! Whole pipelines of the simplest elements, on simulated time and on threads.

use gst_mini_core::prelude::*;

fn run_to_end(line: &str) -> Bin {
    gst_mini_elements::register();
    let pipeline = parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(3600))).expect("an end in an hour");
    assert!(matches!(end.kind, MessageKind::Eos), "{line}: {end:?}");
    pipeline.set_state(State::Null);
    pipeline
}

fn everywhere(line: &str) {
    run_to_end(line);
    for seed in 0..20 {
        Sim::new(seed)
            .run(|| run_to_end(line))
            .unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

#[test]
fn a_source_and_a_sink_reach_the_end() {
    everywhere("fakesrc num-buffers=10 ! fakesink");
}

#[test]
fn a_synced_sink_reaches_the_end() {
    everywhere(
        "fakesrc num-buffers=10 sizetype=fixed sizemax=100 format=time datarate=100000 ! fakesink sync=true",
    );
}

#[test]
fn a_queue_passes_everything_on() {
    everywhere("fakesrc num-buffers=100 ! queue max-size-buffers=3 ! identity ! fakesink");
}

#[test]
fn a_tee_with_queues_feeds_both_branches() {
    everywhere(
        "fakesrc num-buffers=50 ! tee name=t t. ! queue ! fakesink t. ! queue ! fakesink sync=true",
    );
}
