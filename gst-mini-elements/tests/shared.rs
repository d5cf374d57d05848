//! Pipelines whose tasks share one thread: states, seeks, flushes, ends, and a stream that never waits.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::prelude::*;
use gst_mini_core::runtime::{self, Shared};
use gst_mini_core::segment::{Format, SeekFlags, SeekType};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const A_MINUTE: Option<ClockTime> = Some(ClockTime::from_secs(60));

/// Runs `test` with the tasks of its pipelines on one worker, and sees that all of them end.
fn on_one_thread(test: impl FnOnce()) {
    gst_mini_elements::register();
    let shared = Shared::new(1).unwrap();
    shared.run(test);
    let give_up = runtime::now() + ClockTime::from_secs(60);
    while shared.tasks() > 0 {
        assert!(runtime::now() < give_up, "{shared:?}");
        runtime::sleep_until(runtime::now() + ClockTime::from_millis(1));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Counts buffers at the sink "s", whose tasks are fibers.
fn counted(pipeline: &Bin) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    pipeline.by_name("s").unwrap().static_pad("sink").unwrap().add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            assert!(runtime::is_shared());
            counter.fetch_add(1, Ordering::Relaxed);
            ProbeReturn::Ok
        }),
    );
    count
}

fn wait_for(count: &AtomicU64, more: u64) {
    let (wanted, give_up) =
        (count.load(Ordering::Relaxed) + more, runtime::now() + ClockTime::from_secs(60));
    while count.load(Ordering::Relaxed) < wanted {
        assert!(runtime::now() < give_up, "nothing comes any more");
        runtime::sleep_until(runtime::now() + ClockTime::from_millis(1));
    }
}

fn end(pipeline: &Bin) {
    let end = pipeline.wait_for_end(A_MINUTE).expect("an end");
    assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
}

const LIVE: &str = "videotestsrc is-live=true ! video/x-raw,width=16,height=16,framerate=500/1 \
                    ! queue ! fakesink name=s sync=true";

#[test]
fn live_stream_goes_up_and_down_again_and_again() {
    on_one_thread(|| {
        let pipeline = launch(LIVE);
        let count = counted(&pipeline);
        for round in 0..20 {
            assert_ne!(pipeline.set_state(State::Playing), StateReturn::Failure);
            wait_for(&count, round % 4);
            if round % 2 == 0 {
                pipeline.set_state(State::Paused);
                assert_ne!(pipeline.state(A_MINUTE).0, StateReturn::Failure);
            }
            if round % 3 == 0 {
                assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
            }
        }
        pipeline.set_state(State::Null);
    });
}

#[test]
fn synced_stream_is_sought_with_a_flush_while_it_plays_and_ends() {
    on_one_thread(|| {
        let pipeline = launch(
            "videotestsrc num-buffers=100000 ! video/x-raw,width=16,height=16,framerate=500/1 \
             ! queue ! fakesink name=s sync=true",
        );
        let count = counted(&pipeline);
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(A_MINUTE).1, State::Paused);
        pipeline.set_state(State::Playing);
        for second in 0..10 {
            wait_for(&count, 3);
            assert!(pipeline.seek(Seek {
                rate: 1.0,
                format: Format::Time,
                flags: SeekFlags::FLUSH | SeekFlags::ACCURATE,
                start_type: SeekType::Set,
                start: second * 1_000_000_000,
                stop_type: SeekType::None,
                stop: -1,
            }));
        }
        wait_for(&count, 3);
        assert!(pipeline.send_event(Event::eos()));
        end(&pipeline);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn stream_that_never_waits_leaves_time_to_the_others_of_its_thread() {
    on_one_thread(|| {
        let greedy = launch("fakesrc ! fakesink name=s");
        let count = counted(&greedy);
        greedy.set_state(State::Playing);
        wait_for(&count, 1_000);
        let polite = launch("fakesrc num-buffers=500 ! queue max-size-buffers=2 ! fakesink name=s");
        counted(&polite);
        polite.set_state(State::Playing);
        end(&polite);
        wait_for(&count, 1_000);
        for pipeline in [greedy, polite] {
            assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        }
    });
}

#[test]
fn branches_and_elements_with_many_tasks_end() {
    on_one_thread(|| {
        for line in [
            "fakesrc num-buffers=300 ! tee name=t t. ! queue ! fakesink name=s t. ! queue max-size-buffers=1 ! fakesink",
            "multiqueue name=m fakesrc num-buffers=200 ! m.sink_0 m.src_0 ! fakesink name=s \
             fakesrc num-buffers=200 ! m.sink_1 m.src_1 ! fakesink",
        ] {
            let pipeline = launch(line);
            let count = counted(&pipeline);
            pipeline.set_state(State::Playing);
            end(&pipeline);
            assert!(count.load(Ordering::Relaxed) >= 200);
            assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        }
    });
}

#[test]
fn hundred_pipelines_are_started_and_stopped_from_threads_while_they_stream() {
    on_one_thread(|| {
        let pipelines: Vec<_> = (0..100).map(|_| launch(LIVE)).collect();
        let count = counted(&pipelines[99]);
        pipelines.iter().for_each(|pipeline| {
            pipeline.set_state(State::Playing);
        });
        wait_for(&count, 5);
        std::thread::scope(|threads| {
            for some in pipelines.chunks(25) {
                threads.spawn(move || {
                    some.iter().for_each(|pipeline| {
                        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
                    });
                });
            }
        });
    });
}
