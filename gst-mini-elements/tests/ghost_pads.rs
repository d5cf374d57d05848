//! Bins in bins, and the ghost pads in their walls, on threads and simulated.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::pad::PadCore;
use gst_mini_core::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn everywhere(test: impl Fn() + Send + Sync) {
    gst_mini_elements::register();
    test();
    for seed in 0..8 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn element(factory: &str, name: &str) -> ElementRef {
    make(factory, Some(name)).unwrap()
}

/// `src ! [ outer [ inner identity ] ] ! sink`, with ghost pads in both walls.
struct Nested {
    pipeline: Bin,
    outer: Bin,
    inner: Bin,
    src: ElementRef,
    filter: ElementRef,
    sink: ElementRef,
}

fn nested(buffers: i32) -> Nested {
    let pipeline = Bin::pipeline("top");
    let (outer, inner) = (Bin::inner("outer"), Bin::inner("inner"));
    let src = element("fakesrc", "src");
    src.set("num-buffers", buffers).unwrap();
    let (filter, sink) = (element("identity", "filter"), element("fakesink", "sink"));
    inner.add(&filter).unwrap();
    outer.add(inner.element()).unwrap();
    for part in [&src, outer.element(), &sink] {
        pipeline.add(part).unwrap();
    }
    Nested { pipeline, outer, inner, src, filter, sink }
}

fn count(pad: &Arc<PadCore>) -> Arc<AtomicU64> {
    let seen = Arc::new(AtomicU64::new(0));
    let own = seen.clone();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            own.fetch_add(1, Ordering::Relaxed);
            ProbeReturn::Ok
        }),
    );
    seen
}

fn plays_to_the_end(pipeline: &Bin) {
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(20))).unwrap();
    assert_eq!(end.name(), "eos", "{end:?}");
    pipeline.set_state(State::Null);
}

#[test]
fn links_across_two_walls_make_a_ghost_pad_in_each() {
    everywhere(|| {
        let n = nested(5);
        n.pipeline.link(&[&n.src, &n.filter, &n.sink]).unwrap();
        let outside = n.outer.pads();
        assert_eq!(outside.len(), 2);
        for ghost in &outside {
            let inner = ghost.ghost_target().unwrap();
            assert_eq!((ghost.owner(), inner.owner()), ("outer", "inner"));
            assert_eq!(ghost.real().unwrap().owner(), "filter");
            assert_eq!(inner.ghost_target().unwrap().owner(), "filter");
        }
        assert_eq!(n.inner.pads().len(), 2);
        assert_eq!(n.src.static_pad("src").unwrap().peer().unwrap().owner(), "outer");
        let seen = count(&outside[0]);
        plays_to_the_end(&n.pipeline);
        assert_eq!(seen.load(Ordering::Relaxed), 5);
    });
}

#[test]
fn a_refused_link_leaves_no_ghost_pad_behind() {
    let n = nested(1);
    n.pipeline.link(&[&n.src, &n.filter]).unwrap();
    let (from, to) = (element("fakesrc", "other"), n.filter.static_pad("sink").unwrap());
    n.pipeline.add(&from).unwrap();
    let pad = from.static_pad("src").unwrap();
    let mut names = (0..).map(|number| format!("extra{number}"));
    let refused =
        n.pipeline.link_across((&from, &pad), (&n.filter, &to), &mut || names.next().unwrap());
    assert!(refused.unwrap_err().to_string().contains("linked already"));
    assert_eq!((n.outer.pads().len(), n.inner.pads().len()), (1, 1));
}

#[test]
fn queries_caps_and_events_pass_the_wall_both_ways() {
    everywhere(|| {
        let pipeline = Bin::pipeline("top");
        let wall = Bin::inner("wall");
        let src = element("videotestsrc", "src");
        src.set("num-buffers", 3).unwrap();
        let filter = element("identity", "filter");
        let caps = element("capsfilter", "caps");
        caps.set("caps", "video/x-raw,format=I420,width=64,height=48,framerate=25/1").unwrap();
        let sink = element("fakesink", "sink");
        wall.add(&filter).unwrap();
        for part in [&src, wall.element(), &caps, &sink] {
            pipeline.add(part).unwrap();
        }
        let into = wall.add_ghost_pad("in", &filter.static_pad("sink").unwrap()).unwrap();
        let out = wall.add_ghost_pad("out", &filter.static_pad("src").unwrap()).unwrap();
        pipeline.link(&[&src, wall.element(), &caps, &sink]).unwrap();
        let mut query = Query::caps(None);
        assert!(into.query(&mut query));
        let Query::Caps { result: Some(caps), .. } = query else { panic!("no caps") };
        assert!(caps.to_string().contains("width=(int)64"), "{caps}");
        pipeline.set_state(State::Paused);
        let (came_to, state, _) = pipeline.state(Some(ClockTime::from_secs(20)));
        assert_eq!((came_to, state), (StateReturn::Success, State::Paused));
        for pad in [&into, &out] {
            assert!(pad.current_caps().unwrap().to_string().contains("I420"));
            assert!(pad.segment().is_some());
        }
        let mut latency = Query::latency();
        assert!(out.query(&mut latency), "upstream of the wall answers");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_running_stream_goes_to_the_new_target() {
    everywhere(|| {
        let pipeline = Bin::pipeline("top");
        let wall = Bin::inner("wall");
        let src = element("fakesrc", "src");
        let (one, two) = (element("fakesink", "one"), element("fakesink", "two"));
        for sink in [&one, &two] {
            sink.set("async", false).unwrap();
            sink.set("sync", false).unwrap();
            wall.add(sink).unwrap();
        }
        pipeline.add(&src).unwrap();
        pipeline.add(wall.element()).unwrap();
        let (first, second) = (one.static_pad("sink").unwrap(), two.static_pad("sink").unwrap());
        let ghost = wall.add_ghost_pad("sink", &first).unwrap();
        pipeline.link(&[&src, wall.element()]).unwrap();
        let at_two = count(&second);
        let at_ghost = count(&ghost);
        let arrived = Arc::new(AtomicU64::new(0));
        // The streaming thread itself asks for the change, so that this needs no timing.
        let (own, moved) = (arrived.clone(), ghost.clone());
        let target = second.clone();
        src.static_pad("src").unwrap().add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                if own.fetch_add(1, Ordering::Relaxed) == 10 {
                    moved.set_ghost_target(Some(&target)).unwrap();
                }
                ProbeReturn::Ok
            }),
        );
        src.set("num-buffers", 30).unwrap();
        pipeline.set_state(State::Playing);
        // The first sink never sees the end, so there is no EOS message to wait for.
        while at_two.load(Ordering::Relaxed) < 20 {
            assert!(
                pipeline
                    .bus()
                    .timed_pop(Some(ClockTime::from_millis(20)))
                    .is_none_or(|m| { !matches!(m.kind, MessageKind::Error(_)) })
            );
        }
        assert_eq!(at_ghost.load(Ordering::Relaxed), 30, "the probe moved along");
        assert!(first.peer().is_none() && !first.is_linked());
        assert!(second.sticky_events().iter().any(|event| event.name() == "segment"));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_child_that_leaves_its_bin_leaves_its_ghost_pad_without_target() {
    let n = nested(1);
    n.pipeline.link(&[&n.src, &n.filter, &n.sink]).unwrap();
    n.inner.remove(&n.filter).unwrap();
    assert!(n.filter.pads().iter().all(|pad| !pad.is_linked()));
    assert!(n.inner.pads().iter().all(|pad| pad.ghost_target().is_none()));
    assert!(n.outer.pads().iter().all(|pad| pad.real().is_none()));
    assert!(n.src.static_pad("src").unwrap().linked_peer().is_none());
}

#[test]
fn ghost_pads_refuse_what_they_cannot_stand_for() {
    let n = nested(1);
    let pad = n.filter.static_pad("sink").unwrap();
    let ghost = n.inner.add_ghost_pad("in", &pad).unwrap();
    let said = |result: Result<(), String>| result.unwrap_err();
    assert!(
        said(
            ghost.set_ghost_target(n.filter.static_pad("src").as_ref()).map_err(|e| e.to_string())
        )
        .contains("cannot stand for")
    );
    assert!(
        said(ghost.set_ghost_target(Some(&ghost)).map_err(|e| e.to_string())).contains("itself")
    );
    assert!(said(pad.set_ghost_target(None).map_err(|e| e.to_string())).contains("no ghost pad"));
    assert!(
        said(n.inner.add_ghost_pad("in", &pad).map(drop).map_err(|e| e.to_string()))
            .contains("already")
    );
    assert!(
        said(n.inner.add_ghost_pad("other", &pad).map(drop).map_err(|e| e.to_string()))
            .contains("linked already")
    );
}

#[test]
fn end_of_stream_of_a_sink_in_a_bin_in_a_bin_reaches_the_application_once() {
    everywhere(|| {
        let pipeline = Bin::pipeline("top");
        let (outer, inner) = (Bin::inner("outer"), Bin::inner("inner"));
        let (src, inside) = (element("fakesrc", "src"), element("fakesink", "inside"));
        src.set("num-buffers", 3).unwrap();
        // From the inside: a bin is a sink from when it holds one, and what holds the bin learns it only then.
        inner.add(&inside).unwrap();
        outer.add(inner.element()).unwrap();
        pipeline.add(outer.element()).unwrap();
        pipeline.add(&src).unwrap();
        pipeline.link(&[&src, &inside]).unwrap();
        pipeline.set_state(State::Playing);
        let bus = pipeline.bus();
        let mut ends = Vec::new();
        while let Some(message) =
            bus.timed_pop(Some(ClockTime::from_secs(if ends.is_empty() { 20 } else { 0 })))
        {
            if message.kind == MessageKind::Eos {
                ends.push(message.source.clone());
            }
        }
        assert_eq!(ends, ["top"]);
        pipeline.set_state(State::Null);
    });
}
