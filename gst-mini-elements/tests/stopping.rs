//! A pipeline that is stopped stays stopped, however early.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::prelude::*;

fn stop_at_the_end(line: &str) {
    let pipeline = parse_launch(line).unwrap();
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
    assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
    assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    // What still was on its way up has had its turn when the simulation is at rest.
    gst_mini_core::runtime::run_until_idle();
    for element in pipeline.children() {
        assert_eq!(element.current_state(), State::Null, "{element:?} in {line}");
    }
}

#[test]
fn a_stop_during_the_last_step_up_is_not_undone() {
    gst_mini_elements::register();
    for line in ["fakesrc num-buffers=1 ! fakesink", "fakesrc num-buffers=1 ! queue ! fakesink"] {
        for _ in 0..100 {
            stop_at_the_end(line);
        }
        for seed in 0..200 {
            Sim::new(seed).run(|| stop_at_the_end(line)).unwrap_or_else(|d| panic!("{seed}: {d}"));
        }
    }
}
