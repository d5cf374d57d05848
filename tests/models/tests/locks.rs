//! Stream locks that lean to a thread, and routes, which rest on them.

use gst_mini_core::event::Event;
use gst_mini_core::pad::{Pad, ProbeData, ProbeReturn, ProbeType};
use gst_mini_core::prelude::*;
use gst_mini_core::runtime::{self, StreamLock};
use models::{explore, launch, seen};
use shuttle::rand::Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A lock, and whether anybody is in.
#[derive(Default)]
struct Guarded {
    lock: StreamLock,
    is_inside: AtomicBool,
    times: AtomicU32,
}

impl Guarded {
    fn visit(&self) {
        assert!(!self.is_inside.swap(true, Ordering::SeqCst), "two are in");
        shuttle::thread::yield_now();
        self.times.fetch_add(1, Ordering::SeqCst);
        self.is_inside.store(false, Ordering::SeqCst);
    }
}

#[test]
fn a_lock_that_leans_lets_one_in_at_a_time() {
    explore(3000, || {
        let guarded = Arc::new(Guarded::default());
        // The first comes often enough for the lock to lean to it, and to lean again after a call.
        let tasks: Vec<_> = [6, 2, 1]
            .into_iter()
            .map(|times| {
                let guarded = guarded.clone();
                let task = runtime::spawn("visitor", move || {
                    for _ in 0..times {
                        let _held = guarded.lock.lock().expect("it is not held by this thread");
                        guarded.visit();
                    }
                });
                task.expect("a task")
            })
            .collect();
        assert!(tasks.into_iter().all(|task| task.join().is_none()));
        assert_eq!(guarded.times.load(Ordering::SeqCst), 9);
        assert!(!guarded.lock.is_locked());
    });
}

#[test]
fn who_only_tries_a_lock_that_leans_gets_it_alone_or_not_at_all() {
    explore(3000, || {
        let guarded = Arc::new(Guarded::default());
        let theirs = guarded.clone();
        let task = runtime::spawn("streaming", move || {
            for _ in 0..5 {
                let held = theirs.lock.lock().expect("it is not held by this thread");
                assert!(theirs.lock.lock().is_err() && theirs.lock.is_mine());
                theirs.visit();
                drop(held);
            }
        });
        for _ in 0..3 {
            if let Some(_held) = guarded.lock.try_lock() {
                guarded.visit();
            }
        }
        assert_eq!(task.expect("a task").join(), None);
        assert!(guarded.times.load(Ordering::SeqCst) >= 5);
        assert!(guarded.lock.try_lock().is_some());
    });
}

const ROW: &str = "numbers count=9 ! pass name=a ! pass name=b ! counted name=out sync=false";

#[test]
fn a_row_of_transforms_is_stopped_in_any_moment_and_runs_again() {
    explore(1800, || {
        let pipeline = launch(ROW);
        pipeline.set_state(State::Playing);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        pipeline.set_state(State::Playing);
        assert_eq!(pipeline.wait_for_end(None).map(|end| end.kind), Some(MessageKind::Eos));
        assert_eq!(seen(&pipeline), 9);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn what_is_set_or_probed_while_a_row_streams_loses_and_doubles_nothing() {
    explore(1800, || {
        let pipeline = launch(ROW);
        let (first, second) = (pipeline.by_name("a"), pipeline.by_name("b"));
        let (first, second) = first.zip(second).expect("both are there");
        let probed = Arc::new(AtomicU32::new(0));
        let seen_by_probe = probed.clone();
        let task = runtime::spawn("other", move || {
            first.set("offset", "100").expect("it is a property");
            let pad = second.pad("sink").expect("it has one");
            let id = pad.add_probe(
                ProbeType::BUFFER,
                Box::new(move |_| {
                    seen_by_probe.fetch_add(1, Ordering::SeqCst);
                    ProbeReturn::Ok
                }),
            );
            // Takes the stream lock of a pad in the middle of the row.
            second.send_event(Event::flush_start());
            second.send_event(Event::flush_stop(false));
            pad.remove_probe(id);
        });
        pipeline.set_state(State::Playing);
        assert_eq!(task.expect("a task").join(), None);
        pipeline.set_state(State::Null);
        assert!(probed.load(Ordering::SeqCst) <= 9);
    });
}

#[test]
fn a_tee_that_a_row_goes_through_is_linked_elsewhere_in_any_moment() {
    explore(1800, || {
        let pipeline = launch(
            "numbers count=9 ! pass name=a ! tee name=t ! counted name=out sync=false  pass name=b offset=100",
        );
        let pad = |element: &str, name: &str| {
            let element = pipeline.by_name(element).expect("it is there");
            element.pad(name).expect("it has one")
        };
        // Once all of it has begun: who is linked in before is not in the order in which a bin starts its elements.
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).0, StateReturn::Success);
        let (from, to) = (pad("t", "src_0"), pad("out", "sink"));
        let (detour, back) = (pad("b", "sink"), pad("b", "src"));
        let (some, rendered) = (shuttle::rand::thread_rng().gen_range(1..8), pipeline.clone());
        let task = runtime::spawn("other", move || {
            while seen(&rendered) < some {
                shuttle::thread::yield_now();
            }
            let way = from.clone();
            let relink = move |_: ProbeData<'_>| {
                assert!(way.unlink());
                way.link(&detour).expect("it was free");
                back.link(&to).expect("it is free now");
                ProbeReturn::Remove
            };
            from.add_probe(ProbeType::IDLE, Box::new(relink));
        });
        pipeline.set_state(State::Playing);
        assert_eq!(task.expect("a task").join(), None);
        assert_eq!(pipeline.wait_for_end(None).map(|end| end.kind), Some(MessageKind::Eos));
        assert_eq!(seen(&pipeline), 9);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn a_tee_that_a_row_goes_through_gets_a_second_branch_and_a_probe_in_any_moment() {
    explore(1800, || {
        let pipeline = launch(
            "numbers count=9 ! pass name=a ! tee name=t ! counted name=out sync=false \
             counted name=also sync=false async=false",
        );
        let tee = pipeline.by_name("t").expect("it is there");
        let first = pipeline.by_name("a").expect("it is there");
        let probed_pad = first.pad("src").expect("it has one");
        let probed = Arc::new(AtomicU32::new(0));
        let seen_by_probe = probed.clone();
        let also = pipeline.by_name("also").expect("it is there");
        let to = also.pad("sink").expect("it has one");
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).0, StateReturn::Success);
        let (some, rendered) = (shuttle::rand::thread_rng().gen_range(1..8), pipeline.clone());
        let task = runtime::spawn("other", move || {
            while seen(&rendered) < some {
                shuttle::thread::yield_now();
            }
            let branch = tee.request_pad("src_%u").expect("a tee has as many as are asked for");
            branch.link(&to).expect("it is free");
            let probe = move |_: ProbeData<'_>| {
                seen_by_probe.fetch_add(1, Ordering::SeqCst);
                ProbeReturn::Ok
            };
            probed_pad.add_probe(ProbeType::BUFFER, Box::new(probe));
        });
        pipeline.set_state(State::Playing);
        assert_eq!(task.expect("a task").join(), None);
        let before = seen(&pipeline);
        let ended = pipeline.wait_for_end(None).map(|end| end.kind);
        assert_eq!(ended, Some(MessageKind::Eos));
        assert_eq!(seen(&pipeline), 9);
        // The one under way may have gone by them.
        let those_after = 8 - before.min(8)..=9;
        assert!(also.get_as("seen").is_some_and(|seen| those_after.contains(&seen)));
        assert!(those_after.contains(&probed.load(Ordering::SeqCst)));
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}
