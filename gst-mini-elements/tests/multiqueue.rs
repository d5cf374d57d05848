//! `multiqueue`: streams side by side, under every schedule.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod routing_support;

use gst_mini_core::prelude::*;
use gst_mini_core::runtime::Sim;
use routing_support::{Log, end, everywhere, in_sim, launch, run, until, watch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// `n` buffers of 100 ms.
fn timed(n: u32) -> String {
    format!("fakesrc num-buffers={n} format=time datarate=1000 sizetype=fixed sizemax=100")
}

fn at_each(n: u64) -> String {
    let buffer = |i: u64| format!("buf{}@{}", if i == 0 { "!" } else { "" }, i * 100);
    (0..n).map(buffer).collect::<Vec<_>>().join(" ")
}

fn play(line: &str) -> [Log; 2] {
    let pipeline = launch(line);
    let logs = [watch(&pipeline, "a"), watch(&pipeline, "b")];
    pipeline.set_state(State::Playing);
    assert_eq!(end(&pipeline), MessageKind::Eos, "{line}");
    pipeline.set_state(State::Null);
    logs
}

fn under_200_schedules(test: impl Fn()) {
    gst_mini_elements::register();
    for seed in 1..=200 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

#[test]
fn each_stream_leaves_whole_and_in_order_under_every_schedule() {
    under_200_schedules(|| {
        let line = format!(
            "multiqueue name=m {} ! m. {} ! m. m. ! fakesink name=a m. ! fakesink name=b",
            timed(12),
            timed(3)
        );
        let [a, b] = play(&line);
        assert_eq!(a.text(), format!("stream-start segment+0 {} eos", at_each(12)));
        assert_eq!(b.text(), format!("stream-start segment+0 {} eos", at_each(3)));
    });
}

#[test]
fn a_full_queue_grows_while_another_is_empty_so_both_sinks_preroll() {
    under_200_schedules(|| {
        // One thread brings all of the first stream before anything of the second.
        let pipeline = launch(&format!(
            "{} ! output-selector name=o multiqueue name=m max-size-buffers=2 o. ! m. o. ! m. \
             m. ! fakesink name=a m. ! fakesink name=b",
            timed(22)
        ));
        let logs = [watch(&pipeline, "a"), watch(&pipeline, "b")];
        let selector = pipeline.by_name("o").unwrap();
        let (sink, count) = (selector.static_pad("sink").unwrap(), AtomicU32::new(0));
        let choice = selector.downgrade();
        sink.add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                if count.fetch_add(1, Ordering::Relaxed) == 20 {
                    choice.upgrade().unwrap().set("active-pad", "src_1").unwrap();
                }
                ProbeReturn::Ok
            }),
        );
        selector.set("active-pad", "src_0").unwrap();
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(logs.map(|log| log.of("buf").len()), [20, 2]);
    });
}

#[test]
fn a_stream_nobody_takes_stays_behind_in_running_time_and_stops_nobody() {
    under_200_schedules(|| {
        let pipeline = launch(&format!(
            "{} ! tee name=t multiqueue name=m sync-by-running-time=true unlinked-cache-time=0 \
             t. ! m. t. ! m. m.src_0 ! fakesink name=a sync=true",
            timed(30)
        ));
        let log = watch(&pipeline, "a");
        let [taken, behind, early] = [(); 3].map(|()| Arc::new(AtomicU32::new(0)));
        let count = |pad: &str, into: &Arc<AtomicU32>| {
            let (into, other, early) = (into.clone(), taken.clone(), early.clone());
            let is_untaken = pad == "src_1";
            pipeline.by_name("m").unwrap().static_pad(pad).unwrap().add_probe(
                ProbeType::BUFFER,
                Box::new(move |_| {
                    let n = into.fetch_add(1, Ordering::Relaxed) + 1;
                    // The first ones tell that it is not linked; one is about to be pushed.
                    if is_untaken && n > 2 && n > other.load(Ordering::Relaxed) + 2 {
                        early.fetch_add(1, Ordering::Relaxed);
                    }
                    ProbeReturn::Ok
                }),
            );
        };
        count("src_0", &taken);
        count("src_1", &behind);
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(log.of("buf").len(), 30);
        assert!(behind.load(Ordering::Relaxed) > 20);
        assert_eq!(early.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_flush_of_one_stream_leaves_the_other_alone() {
    in_sim(|| {
        let pipeline = launch(
            "multiqueue name=m audiotestsrc num-buffers=50 ! m. audiotestsrc num-buffers=50 ! m. \
             m. ! fakesink name=a sync=true m. ! fakesink name=b sync=true",
        );
        let logs = [watch(&pipeline, "a"), watch(&pipeline, "b")];
        pipeline.set_state(State::Paused);
        pipeline.state(None);
        let seek = Seek::to(ClockTime::ZERO);
        assert!(pipeline.by_name("a").unwrap().send_event(Event::new(EventKind::Seek(seek))));
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(logs.each_ref().map(|log| log.of("segment").len()), [2, 1]);
        assert_eq!(logs[1].of("buf").len(), 50);
    });
}

#[test]
fn buffering_is_told_until_it_is_done() {
    in_sim(|| {
        let pipeline = launch(
            "fakesrc num-buffers=40 sizetype=fixed sizemax=100 ! multiqueue use-buffering=true \
             max-size-bytes=1000 ! fakesink",
        );
        pipeline.set_state(State::Paused);
        let mut told = Vec::new();
        until("all is gathered", || {
            while let Some(message) = pipeline.bus().pop() {
                if let MessageKind::Buffering { percent } = message.kind {
                    told.push(percent);
                }
            }
            told.last() == Some(&100)
        });
        pipeline.set_state(State::Null);
        assert!(told.is_sorted(), "{told:?}");
    });
}

#[test]
fn percents_and_watermarks_are_one_number() {
    let pipeline = launch("multiqueue name=m low-percent=20 high-watermark=0.5");
    let get = |name: &str| pipeline.by_name("m").unwrap().get_as::<f64>(name).unwrap();
    assert_eq!((get("low-watermark"), get("high-percent")), (0.2, 50.0));
}

#[test]
fn pads_come_in_pairs_and_go_in_pairs() {
    let pipeline = launch("multiqueue name=m");
    let element = pipeline.by_name("m").unwrap();
    let names = || {
        let mut names: Vec<_> = element.pads().iter().map(|pad| pad.name().to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    let first = element.request_pad("sink_%u").unwrap();
    element.request_pad("sink_4").unwrap();
    assert!(element.request_pad("sink_4").is_err());
    element.request_pad("sink_%u").unwrap();
    assert_eq!(names(), "sink_0 sink_1 sink_4 src_0 src_1 src_4");
    element.release_pad(&first);
    assert_eq!(names(), "sink_1 sink_4 src_1 src_4");
    // The lowest number that is free.
    assert_eq!(element.request_pad("sink_%u").unwrap().name(), "sink_0");
}

#[test]
fn a_stream_may_come_and_go_while_the_others_play() {
    everywhere(|| {
        let pipeline = launch("fakesrc num-buffers=200 ! multiqueue name=m ! fakesink name=a");
        pipeline.set_state(State::Playing);
        let element = pipeline.by_name("m").unwrap();
        for _ in 0..5 {
            let pad = element.request_pad("sink_%u").unwrap();
            element.release_pad(&pad);
        }
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn overrun_is_told_when_nobody_starves_and_underrun_when_all_are_empty() {
    in_sim(|| {
        let pipeline = launch("fakesrc num-buffers=20 ! multiqueue name=m ! fakesink name=a");
        let element = pipeline.by_name("m").unwrap();
        let counts = ["overrun", "underrun"].map(|signal| {
            let count = Arc::new(AtomicU32::new(0));
            let into = count.clone();
            element.connect(signal, move |_| _ = into.fetch_add(1, Ordering::Relaxed));
            count
        });
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        for count in counts {
            assert!(count.load(Ordering::Relaxed) > 0);
        }
    });
}

#[test]
fn interleave_sets_the_time_to_hold() {
    in_sim(|| {
        let pipeline = launch(&format!(
            "multiqueue name=m use-interleave=true {} ! m. {} ! m. m. ! fakesink m. ! fakesink",
            timed(5),
            timed(5)
        ));
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        // Each thread brings one stream, which is not apart from itself.
        let time: u64 = pipeline.by_name("m").unwrap().get_as("max-size-time").unwrap();
        pipeline.set_state(State::Null);
        assert!((250_000_000..=5_000_000_000).contains(&time), "{time}");
    });
}

#[test]
fn an_error_downstream_reaches_every_source() {
    everywhere(|| {
        let pipeline = launch(
            "multiqueue name=m fakesrc ! m. fakesrc ! m. m. ! identity error-after=3 ! fakesink \
             m. ! fakesink",
        );
        pipeline.set_state(State::Playing);
        assert!(matches!(end(&pipeline), MessageKind::Error(_)));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn events_keep_their_place_and_a_stream_that_ended_takes_no_more() {
    everywhere(|| {
        let log = run(&format!("{} ! a/b,c=1 ! multiqueue ! fakesink name=out", timed(2)));
        assert_eq!(log.text(), "stream-start caps(a/b, c=(int)1) segment+0 buf!@0 buf@100 eos");
    });
}

#[test]
fn a_question_among_the_data_is_answered_after_all_that_was_sent_before() {
    gst_mini_elements::register();
    for element in ["queue", "multiqueue", "identity", "queue ! multiqueue ! queue"] {
        for seed in 1..=40 {
            let check = || {
                let line = format!("fakesrc num-buffers=20 name=s ! {element} ! fakesink name=o");
                let pipeline = parse_launch(&line).unwrap();
                let arrived = Arc::new(AtomicU32::new(0));
                let into = arrived.clone();
                let sink = pipeline.by_name("o").unwrap().static_pad("sink").unwrap();
                sink.add_probe(
                    ProbeType::BUFFER,
                    Box::new(move |_| {
                        into.fetch_add(1, Ordering::Relaxed);
                        ProbeReturn::Ok
                    }),
                );
                let source = pipeline.by_name("s").unwrap().static_pad("src").unwrap();
                let (sent, answers) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
                let (asker, answered) = (Arc::downgrade(&source), answers.clone());
                source.add_probe(
                    ProbeType::BUFFER,
                    Box::new(move |_| {
                        let before = sent.fetch_add(1, Ordering::Relaxed);
                        let is_used = asker.upgrade().unwrap().peer_query(&mut Query::Drain);
                        assert_eq!(arrived.load(Ordering::Relaxed), before);
                        answered.fetch_add(is_used.into(), Ordering::Relaxed);
                        ProbeReturn::Ok
                    }),
                );
                pipeline.set_state(State::Playing);
                let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).unwrap();
                assert_eq!(end.kind, MessageKind::Eos);
                pipeline.set_state(State::Null);
                assert_eq!(answers.load(Ordering::Relaxed), 20, "{element}");
            };
            Sim::new(seed).run(check).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
        }
    }
}
