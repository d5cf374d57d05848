//! Quality of service: what a sink that cannot keep up says, and what comes of it, simulated.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Buffers that reached the sink, and the QoS messages of each element, of 40 pictures in 4 seconds
/// through something that takes 150 ms for each.
fn played(before: &str, sink: &str) -> (u64, Vec<(String, u64)>) {
    let line = format!(
        "videotestsrc num-buffers=40 ! video/x-raw,width=16,height=16,framerate=10/1 ! {before} \
         ! identity sleep-time=150000 ! fakesink name=sink sync=true {sink}"
    );
    let play = move || {
        gst_mini_elements::register();
        let pipeline = parse_launch(&line).unwrap();
        let arrived = Arc::new(AtomicU64::new(0));
        let count = arrived.clone();
        let pad = pipeline.by_name("sink").unwrap().static_pad("sink").unwrap();
        pad.add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Playing);
        let mut told: Vec<(String, u64)> = Vec::new();
        loop {
            let message = pipeline.bus().timed_pop(None).unwrap();
            match message.kind {
                MessageKind::Eos => break,
                MessageKind::Error(error) => panic!("{error}"),
                MessageKind::Qos { dropped, .. } => match told.last_mut() {
                    Some(last) if last.0 == message.source => last.1 = dropped,
                    _ => told.push((message.source, dropped)),
                },
                _ => {}
            }
        }
        pipeline.set_state(State::Null);
        (arrived.load(Ordering::Relaxed), told)
    };
    Sim::new(1).run(play).unwrap_or_else(|dead| panic!("{dead}"))
}

#[test]
fn a_sink_that_is_too_late_drops_and_says_so() {
    let (arrived, told) = played("capsfilter", "max-lateness=20000000 qos=true");
    assert_eq!(arrived, 40);
    assert!(told.iter().all(|(source, _)| source == "sink"), "{told:?}");
    assert!(told.last().unwrap().1 > 10, "{told:?}");
}

#[test]
fn a_transform_with_qos_drops_before_the_work_is_done() {
    let (arrived, told) = played("capsfilter name=early qos=true", "qos=true");
    assert!((20..35).contains(&arrived), "{arrived} of 40 arrived");
    let early = told.iter().filter(|(source, _)| source == "early").map(|(_, dropped)| *dropped);
    assert_eq!(early.max(), Some(40 - arrived), "{told:?}");
}

#[test]
fn nothing_is_dropped_where_nobody_asked_for_it() {
    assert_eq!(played("capsfilter qos=true", ""), (40, vec![]));
    assert_eq!(played("capsfilter", "qos=true").0, 40);
}
