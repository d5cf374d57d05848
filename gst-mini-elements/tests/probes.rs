//! Probes, lists and links on pads of a running pipeline, on threads and simulated.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::pad::{PadCore, ProbeId};
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    test();
    for seed in 0..20 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn pad(pipeline: &Bin, element: &str, name: &str) -> Arc<PadCore> {
    pipeline.by_name(element).unwrap().static_pad(name).unwrap()
}

fn play(pipeline: &Bin) {
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
    assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
    pipeline.set_state(State::Null);
}

/// Counts what a probe of that kind sees on that pad while the line plays.
fn count(line: &str, element: &str, name: &str, mask: ProbeType) -> u64 {
    let pipeline = launch(line);
    let seen = Arc::new(AtomicU64::new(0));
    let own = seen.clone();
    pad(&pipeline, element, name).add_probe(
        mask,
        Box::new(move |_| {
            own.fetch_add(1, Ordering::Relaxed);
            ProbeReturn::Ok
        }),
    );
    play(&pipeline);
    seen.load(Ordering::Relaxed)
}

#[test]
fn a_probe_sees_what_its_mask_names_and_nothing_else() {
    everywhere(|| {
        let line = "fakesrc num-buffers=3 ! identity name=i ! fakesink name=s";
        assert_eq!(count(line, "i", "src", ProbeType::BUFFER), 3);
        assert_eq!(count(line, "s", "sink", ProbeType::BUFFER_LIST), 0);
        // Stream-start, segment, end.
        assert_eq!(count(line, "s", "sink", ProbeType::EVENT_DOWNSTREAM), 3);
        assert_eq!(count(line, "s", "sink", ProbeType::EVENT_FLUSH), 0);
        assert_eq!(count(line, "s", "sink", ProbeType::BUFFER | ProbeType::PULL), 0);
    });
}

#[test]
fn a_probe_drops_replaces_and_handles_buffers() {
    everywhere(|| {
        let pipeline = launch("fakesrc num-buffers=6 ! identity name=i ! fakesink name=s");
        let mut number = 0;
        pad(&pipeline, "i", "src").add_probe(
            ProbeType::BUFFER,
            Box::new(move |data| {
                let ProbeData::Buffer(buf) = data else { panic!("not asked for") };
                number += 1;
                match number {
                    2 => ProbeReturn::Drop,
                    3 => {
                        *buf = Buffer::from_vec(vec![7; 7]);
                        ProbeReturn::Ok
                    }
                    5 => ProbeReturn::Handled(Ok(())),
                    _ => ProbeReturn::Ok,
                }
            }),
        );
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let own = sizes.clone();
        pad(&pipeline, "s", "sink").add_probe(
            ProbeType::BUFFER,
            Box::new(move |data| {
                if let ProbeData::Buffer(buf) = data {
                    own.lock().unwrap().push(buf.size());
                }
                ProbeReturn::Ok
            }),
        );
        play(&pipeline);
        assert_eq!(*sizes.lock().unwrap(), [0, 7, 0, 0]);
    });
}

#[test]
fn a_probe_that_returns_remove_is_called_once() {
    everywhere(|| {
        let pipeline = launch("fakesrc num-buffers=5 ! fakesink name=s");
        let seen = Arc::new(AtomicU64::new(0));
        let own = seen.clone();
        pad(&pipeline, "s", "sink").add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                own.fetch_add(1, Ordering::Relaxed);
                ProbeReturn::Remove
            }),
        );
        play(&pipeline);
        assert_eq!(seen.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_blocked_stream_is_relinked_and_the_new_sink_hears_of_it() {
    everywhere(|| {
        let pipeline =
            launch("fakesrc num-buffers=10 ! queue name=q ! fakesink name=old async=false");
        let src = pad(&pipeline, "q", "src");
        let blocked = Arc::new(AtomicU64::new(0));
        let own = blocked.clone();
        let probe = src.add_probe(
            ProbeType::BLOCK | ProbeType::BUFFER,
            Box::new(move |_| {
                own.fetch_add(1, Ordering::Relaxed);
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Playing);
        while blocked.load(Ordering::Relaxed) == 0 {
            let soon = runtime::now() + ClockTime::from_millis(1);
            runtime::sleep_until(soon);
        }
        let new = make("fakesink", Some("new")).unwrap();
        new.set("async", false).unwrap();
        pipeline.add(&new).unwrap();
        assert!(src.unlink());
        src.link(&new.static_pad("sink").unwrap()).unwrap();
        // The old one is told that nothing more comes.
        let old = pipeline.by_name("old").unwrap();
        old.set_state(State::Null);
        pipeline.remove(&old).unwrap();
        new.set_state(State::Playing);
        src.remove_probe(probe);
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
        assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
        assert_eq!(blocked.load(Ordering::Relaxed), 1, "each probe is asked once");
        let events = new.static_pad("sink").unwrap().sticky_events();
        let names: Vec<&str> = events.iter().map(|event| event.name()).collect();
        // The end is stored when the sink is through with it.
        assert_eq!(names[..2], ["stream-start", "segment"]);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_flush_frees_a_blocked_stream() {
    everywhere(|| {
        let pipeline = launch("videotestsrc num-buffers=100 ! queue name=q ! fakesink name=s");
        let src = pad(&pipeline, "q", "src");
        let probe = src.add_probe(
            ProbeType::BLOCK | ProbeType::DATA_DOWNSTREAM,
            Box::new(|_| ProbeReturn::Ok),
        );
        pipeline.set_state(State::Playing);
        assert!(pad(&pipeline, "q", "sink").peer().unwrap().is_active());
        // Stopping deactivates the pads, which is a flush.
        pipeline.set_state(State::Null);
        src.remove_probe(probe);
    });
}

#[test]
fn an_idle_probe_runs_at_once_on_an_idle_pad_and_after_the_push_on_a_busy_one() {
    everywhere(|| {
        let pipeline = launch("fakesrc num-buffers=3 ! identity name=i ! fakesink name=s");
        let src = pad(&pipeline, "i", "src");
        let calls = Arc::new(Mutex::new(Vec::new()));
        let idle = |what: &'static str, at: &Arc<PadCore>| -> ProbeId {
            let own = calls.clone();
            at.add_probe(
                ProbeType::IDLE,
                Box::new(move |data| {
                    assert!(matches!(data, ProbeData::Idle));
                    own.lock().unwrap().push(what);
                    ProbeReturn::Remove
                }),
            )
        };
        idle("at once", &src);
        assert_eq!(*calls.lock().unwrap(), ["at once"]);
        // From within the push, the pad is busy.
        let (own, busy) = (calls.clone(), Arc::downgrade(&src));
        pad(&pipeline, "s", "sink").add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                let later = own.clone();
                busy.upgrade().unwrap().add_probe(
                    ProbeType::IDLE,
                    Box::new(move |_| {
                        later.lock().unwrap().push("after the push");
                        ProbeReturn::Remove
                    }),
                );
                own.lock().unwrap().push("in the push");
                ProbeReturn::Remove
            }),
        );
        play(&pipeline);
        assert_eq!(*calls.lock().unwrap(), ["at once", "in the push", "after the push"]);
    });
}

#[test]
fn an_idle_probe_is_called_once_and_may_link_its_pad_elsewhere_while_it_streams() {
    const BUFFERS: u64 = 50;
    everywhere(|| {
        let pipeline = launch(&format!(
            "fakesrc num-buffers={BUFFERS} ! identity ! tee name=t ! fakesink name=s  identity name=b"
        ));
        let seen = Arc::new(AtomicU64::new(0));
        let own = seen.clone();
        pad(&pipeline, "s", "sink").add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                own.fetch_add(1, Ordering::Relaxed);
                ProbeReturn::Ok
            }),
        );
        let from = pipeline.by_name("t").unwrap().pad("src_0").unwrap();
        let to = pad(&pipeline, "s", "sink");
        let (detour, back) = (pad(&pipeline, "b", "sink"), pad(&pipeline, "b", "src"));
        let calls = Arc::new(AtomicU64::new(0));
        let own = calls.clone();
        let other = runtime::spawn("other", move || {
            let way = from.clone();
            let relink = move |_: ProbeData<'_>| {
                own.fetch_add(1, Ordering::Relaxed);
                assert!(way.unlink(), "called twice");
                way.link(&detour).unwrap();
                back.link(&to).unwrap();
                ProbeReturn::Remove
            };
            from.add_probe(ProbeType::IDLE, Box::new(relink));
        });
        play(&pipeline);
        assert_eq!(other.unwrap().join(), None);
        assert_eq!((seen.load(Ordering::Relaxed), calls.load(Ordering::Relaxed)), (BUFFERS, 1));
    });
}

#[test]
fn an_idle_probe_may_add_another_one_and_take_itself_away() {
    everywhere(|| {
        let pipeline = launch("fakesrc num-buffers=3 ! identity name=i ! fakesink");
        let src = pad(&pipeline, "i", "src");
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (own, same) = (calls.clone(), Arc::downgrade(&src));
        src.add_probe(
            ProbeType::IDLE,
            Box::new(move |_| {
                own.lock().unwrap().push("first");
                let later = own.clone();
                same.upgrade().unwrap().add_probe(
                    ProbeType::IDLE,
                    Box::new(move |_| {
                        later.lock().unwrap().push("second");
                        ProbeReturn::Remove
                    }),
                );
                ProbeReturn::Remove
            }),
        );
        assert_eq!(*calls.lock().unwrap(), ["first", "second"]);
        play(&pipeline);
        assert_eq!(calls.lock().unwrap().len(), 2);
    });
}

#[test]
fn a_query_probe_answers_in_place_of_the_element() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! identity name=i ! fakesink");
        let sink = pad(&pipeline, "i", "sink");
        let mut asked = Query::duration();
        sink.peer_query(&mut asked);
        sink.peer().unwrap().add_probe(
            ProbeType::QUERY_UPSTREAM | ProbeType::PUSH,
            Box::new(|data| match data {
                ProbeData::Query(Query::Duration { duration, .. }) => {
                    *duration = Some(5);
                    ProbeReturn::Handled(Ok(()))
                }
                _ => ProbeReturn::Ok,
            }),
        );
        assert!(sink.peer_query(&mut asked));
        assert!(matches!(asked, Query::Duration { duration: Some(5), .. }));
    });
}

#[test]
fn a_list_crosses_a_queue_in_one_go_and_a_tee_to_every_branch() {
    everywhere(|| {
        let pipeline =
            launch("tee name=t t. ! queue name=q ! fakesink name=a t. ! queue ! fakesink name=b");
        let lists = Arc::new(AtomicU64::new(0));
        let own = lists.clone();
        pad(&pipeline, "q", "src").add_probe(
            ProbeType::BUFFER_LIST,
            Box::new(move |data| {
                if let ProbeData::List(list) = data {
                    own.fetch_add(list.len() as u64, Ordering::Relaxed);
                }
                ProbeReturn::Ok
            }),
        );
        let single = Arc::new(AtomicU64::new(0));
        for sink in ["a", "b"] {
            let own = single.clone();
            pad(&pipeline, sink, "sink").add_probe(
                ProbeType::BUFFER,
                Box::new(move |_| {
                    own.fetch_add(1, Ordering::Relaxed);
                    ProbeReturn::Ok
                }),
            );
        }
        pipeline.set_state(State::Playing);
        let feed = PadCore::bare("feed", Direction::Src);
        feed.set_active(true);
        feed.link(&pad(&pipeline, "t", "sink")).unwrap();
        feed.push_event(Event::stream_start("lists"));
        feed.push_event(Event::segment(Segment::time()));
        let list: BufferList = (0..4).map(|n| Buffer::from_vec(vec![0; n])).collect();
        assert_eq!(feed.push_buffer_list(list), Ok(()));
        feed.push_event(Event::eos());
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
        assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
        pipeline.set_state(State::Null);
        assert_eq!((lists.load(Ordering::Relaxed), single.load(Ordering::Relaxed)), (4, 8));
    });
}

#[test]
fn a_pad_offset_moves_the_running_time_of_what_passes() {
    everywhere(|| {
        let pipeline = launch("videotestsrc num-buffers=2 ! identity name=i ! fakesink name=s");
        pad(&pipeline, "i", "src").set_offset(500);
        play_and_look(&pipeline, |segment| {
            assert_eq!(
                segment.to_running_time(ClockTime::ZERO),
                Some(RunningTime::from_nanos(500))
            );
        });
    });
}

fn play_and_look(pipeline: &Bin, look: impl Fn(&Segment)) {
    pipeline.set_state(State::Playing);
    pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
    look(&pad(pipeline, "s", "sink").segment().expect("a segment"));
    pipeline.set_state(State::Null);
}
