//! Tasks, queues and states: whole pipelines of the real elements.

use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use models::{explore, launch, seen};

#[test]
fn a_queue_gives_everything_on_in_order_and_then_the_end() {
    explore(3600, || {
        let pipeline =
            launch("numbers count=4 ! queue max-size-buffers=2 ! counted name=out sync=false");
        pipeline.set_state(State::Playing);
        let end = pipeline.wait_for_end(None).expect("it waits for ever");
        assert_eq!(end.kind, MessageKind::Eos);
        assert_eq!(seen(&pipeline), 4);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn a_stop_ends_a_queue_that_is_full_and_one_that_is_empty() {
    explore(3600, || {
        let pipeline =
            launch("numbers count=5 ! queue max-size-buffers=1 ! counted name=out sync=false");
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        pipeline.set_state(State::Playing);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn a_source_is_paused_played_and_stopped_in_any_moment() {
    explore(3600, || {
        let pipeline = launch("numbers count=3 ! counted name=out sync=false");
        let other = pipeline.clone();
        let task = runtime::spawn("other", move || {
            other.set_state(State::Playing);
            other.set_state(State::Paused);
        });
        pipeline.set_state(State::Playing);
        assert_eq!(task.expect("a task").join(), None);
        pipeline.set_state(State::Playing);
        let (came_to, now, _) = pipeline.state(None);
        assert_eq!((came_to, now), (StateReturn::Success, State::Playing));
        assert_eq!(pipeline.wait_for_end(None).map(|end| end.kind), Some(MessageKind::Eos));
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn what_a_sink_holds_in_paused_waits_until_it_plays_however_soon_it_was_paused_again() {
    explore(3600, || {
        let pipeline = launch("numbers count=50 ! counted name=out sync=false");
        let goes_to = |state| {
            pipeline.set_state(state);
            assert_eq!(pipeline.state(None), (StateReturn::Success, state, None));
        };
        goes_to(State::Playing);
        goes_to(State::Paused);
        let held = seen(&pipeline);
        for _ in 0..20 {
            shuttle::thread::yield_now();
        }
        assert_eq!(seen(&pipeline), held, "rendered in PAUSED");
        goes_to(State::Playing);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn a_branch_that_comes_or_goes_while_it_streams_stops_nobody() {
    explore(3600, || {
        let pipeline = launch("numbers count=6 ! tee name=t ! counted name=out sync=false");
        pipeline.set_state(State::Playing);
        let tee = pipeline.by_name("t").expect("a tee");
        for _ in 0..2 {
            let branch = tee.request_pad("src_%u").expect("a pad");
            tee.release_pad(&branch);
        }
        assert_eq!(pipeline.wait_for_end(None).map(|end| end.kind), Some(MessageKind::Eos));
        assert_eq!(seen(&pipeline), 6);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}
