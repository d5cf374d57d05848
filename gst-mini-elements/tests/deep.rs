//! How long a chain of elements may be that one thread runs: events and queries go through it in nested calls.

use gst_mini_core::prelude::*;
use gst_mini_core::runtime;

const FILTER: &str = "capsfilter caps=video/x-raw,format=I420,width=16,height=16";

fn chain(source: &str, element: &str, count: usize) -> Bin {
    gst_mini_elements::register();
    let chain = format!("{element} ! ").repeat(count);
    parse_launch(&format!("{source} num-buffers=3 ! {chain}fakesink")).expect("a good line")
}

/// In a task, whose stack does not depend on what runs the test.
#[test]
fn a_thousand_elements_are_no_trouble() {
    let task = runtime::spawn("application", || {
        let pipeline = chain("fakesrc", "identity", 1000);
        pipeline.set_state(State::Playing);
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(300))).expect("an end");
        assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
        pipeline.set_state(State::Null);
    });
    assert_eq!(task.expect("one more task is allowed").join(), None);
}

#[test]
fn a_chain_too_long_for_the_stack_is_refused_with_a_sentence() {
    is_refused(chain("videotestsrc", FILTER, 200));
    // Each `identity` asks upstream itself: if the host asked again where that failed, they would ask 2^200 times.
    is_refused(chain("fakesrc", "identity", 200));
}

fn is_refused(pipeline: Bin) {
    pipeline.set_state(State::Paused);
    assert_eq!(pipeline.state(None).1, State::Paused);
    let asked = pipeline.clone();
    // A thread of an application that has hardly more than an element may want for itself.
    let small = std::thread::Builder::new().stack_size(if cfg!(debug_assertions) {
        768 << 10
    } else {
        320 << 10
    });
    let asking = small.spawn(move || asked.query(&mut Query::latency()));
    asking.expect("a thread").join().expect("no panic");
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("a message");
    let MessageKind::Error(error) = &end.kind else { panic!("{end:?}") };
    assert!(error.text.contains("comes after more elements than fit the stack"), "{error:?}");
    // The process lives, and so does the pipeline.
    assert!(pipeline.query(&mut Query::latency()));
    pipeline.set_state(State::Null);
}
