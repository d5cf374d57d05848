//! How long a chain of elements may be that one thread runs: events and queries go through it in nested calls.

use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use std::sync::{Arc, Mutex};

/// Plays a chain with so many identities. In a task, whose stack does not depend on what runs the test.
fn play(identities: usize) -> MessageKind {
    let end = Arc::new(Mutex::new(None));
    let told = end.clone();
    let task = runtime::spawn("application", move || {
        gst_mini_elements::register();
        let line = format!("fakesrc num-buffers=3 ! {}fakesink", "identity ! ".repeat(identities));
        let pipeline = parse_launch(&line).expect("a good line");
        pipeline.set_state(State::Playing);
        let message = pipeline.wait_for_end(Some(ClockTime::from_secs(120))).expect("an end");
        pipeline.set_state(State::Null);
        *told.lock().expect("no panic") = Some(message.kind);
    });
    assert_eq!(task.expect("one more task is allowed").join(), None);
    end.lock().expect("no panic").take().expect("told")
}

#[test]
fn a_thousand_elements_are_no_trouble() {
    let end = play(1000);
    assert!(matches!(end, MessageKind::Eos), "{end:?}");
}

#[test]
fn a_chain_too_long_for_its_stack_is_refused_with_a_sentence() {
    let end = play(30_000);
    let MessageKind::Error(error) = end else { panic!("{end:?}") };
    assert!(error.text.contains("comes after more elements than fit the stack"), "{error:?}");
}
