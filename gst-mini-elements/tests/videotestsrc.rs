//! `videotestsrc`: formats, times, seeks.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use gst_mini_core::segment::{SeekFlags, SeekType};
use std::sync::{Arc, Mutex};
use video_support::{run, run_keeping};

#[test]
fn videotestsrc_without_a_wish_is_320_by_240_at_30() {
    let run = run(1, "videotestsrc num-buffers=90 ! fakesink name=out");
    assert_eq!(
        run.caps[0].to_string(),
        "video/x-raw, format=(string)ABGR64_LE, width=(int)320, height=(int)240, framerate=(fraction)30/1, \
         multiview-mode=(string)mono, pixel-aspect-ratio=(fraction)1/1, interlace-mode=(string)progressive"
    );
    let at = |frame| ClockTime::of_frame(frame, 30, 1);
    for (frame, seen) in (0..).zip(&run.seen) {
        assert_eq!((seen.buf.pts(), seen.buf.offset()), (Some(at(frame)), Some(frame)));
        assert_eq!(seen.buf.duration(), Some(at(frame + 1) - at(frame)));
    }
    assert_eq!(run.seen.len(), 90);
}

#[test]
fn videotestsrc_takes_what_downstream_wants() {
    for (wish, size) in [
        ("format=NV12,width=642,height=358,framerate=24000/1001", 644 * 358 + 644 * 179),
        ("format=RGBA,width=[1,100]", 100 * 4 * 240),
        ("format={GRAY8,RGB},height=7", 320 * 3 * 7),
        ("format=BGRA,width=3,height=3,framerate=[1/1,10/1]", 36),
        ("format=RGB,width=5,height=2", 32),
    ] {
        let run = run_keeping(&format!(
            "videotestsrc num-buffers=2 ! video/x-raw,{wish} ! fakesink name=out"
        ));
        assert_eq!(run.error(), None, "{wish}");
        assert_eq!(run.seen[1].buf.size(), size, "{wish}");
    }
}

#[test]
fn videotestsrc_pattern_colors_and_offset_are_those_of_the_properties() {
    let line = "videotestsrc num-buffers=1 pattern=solid-color foreground-color=0xffff4020 timestamp-offset=500 \
                ! video/x-raw,format=RGB,width=4,height=1 ! fakesink name=out";
    let run = run_keeping(line);
    assert_eq!(run.pts(), [500]);
    assert_eq!(run.seen[0].buf.data()[..6], [0xff, 0x40, 0x20, 0xff, 0x40, 0x20]);
}

#[test]
fn videotestsrc_at_rate_zero_is_one_still_picture() {
    let run = run(1, "videotestsrc ! video/x-raw,framerate=0/1 ! fakesink name=out");
    assert_eq!((run.seen.len(), run.error()), (1, None));
    assert_eq!(run.seen[0].buf.duration(), None);
}

#[test]
fn videotestsrc_live_is_sent_when_due_and_misses_nothing() {
    let run = run(1, "videotestsrc is-live=true num-buffers=60 ! fakesink name=out");
    for seen in &run.seen {
        assert_eq!(seen.running_time.unwrap().nanos(), seen.buf.pts().unwrap().nanos());
    }
    assert_eq!(run.seen.len(), 60);
}

#[test]
fn videotestsrc_pattern_set_while_playing_shows_in_a_later_frame() {
    let seen = Sim::new(1).run(|| {
        gst_mini_elements::register();
        let line = "videotestsrc name=src is-live=true pattern=black num-buffers=60 ! video/x-raw,format=GRAY8 ! fakesink name=out";
        let pipeline = parse_launch(line).unwrap();
        let lumas = watch(&pipeline, |buf| u64::from(buf.data()[0]));
        pipeline.set_state(State::Playing);
        gst_mini_core::runtime::sleep_until(gst_mini_core::runtime::now() + ClockTime::SECOND);
        pipeline.by_name("src").unwrap().set("pattern", "white").unwrap();
        pipeline.wait_for_end(None);
        pipeline.set_state(State::Null);
        lumas.lock().unwrap().clone()
    });
    let seen = seen.unwrap();
    assert_eq!((seen[0], seen[59]), (16, 235));
}

type Seen = Arc<Mutex<Vec<u64>>>;

fn watch(pipeline: &Bin, read: impl Fn(&Buffer) -> u64 + Send + 'static) -> Seen {
    let seen = Seen::default();
    let into = seen.clone();
    pipeline.by_name("out").unwrap().pad("sink").unwrap().add_probe(
        ProbeType::BUFFER,
        Box::new(move |data| {
            if let ProbeData::Buffer(buf) = data {
                into.lock().unwrap().push(read(buf));
            }
            ProbeReturn::Ok
        }),
    );
    seen
}

/// Offsets of the frames that arrive after a seek in PAUSED.
fn after_seek(seek: Seek) -> (bool, Vec<u64>) {
    Sim::new(1)
        .run(move || {
            gst_mini_elements::register();
            let pipeline = parse_launch(
                "videotestsrc ! video/x-raw,framerate=25/1 ! fakesink name=out sync=true",
            )
            .unwrap();
            let frames = watch(&pipeline, |buf| buf.offset().unwrap());
            pipeline.set_state(State::Paused);
            pipeline.state(None);
            frames.lock().unwrap().clear();
            let done = pipeline.seek(seek);
            if done {
                pipeline.set_state(State::Playing);
                pipeline.wait_for_end(Some(ClockTime::from_secs(100))).expect("an end");
            }
            pipeline.set_state(State::Null);
            let frames = frames.lock().unwrap().clone();
            (done, frames)
        })
        .unwrap()
}

fn part(rate: f64, start_ms: i64, stop_ms: Option<i64>) -> Seek {
    Seek {
        rate,
        format: gst_mini_core::segment::Format::Time,
        flags: SeekFlags::FLUSH,
        start_type: SeekType::Set,
        start: start_ms * 1_000_000,
        stop_type: if stop_ms.is_some() { SeekType::Set } else { SeekType::None },
        stop: stop_ms.map_or(-1, |stop| stop * 1_000_000),
    }
}

#[test]
fn videotestsrc_seek_plays_exactly_the_part_asked_for() {
    assert_eq!(after_seek(part(1.0, 1000, Some(1200))), (true, (25..30).collect()));
    assert_eq!(after_seek(part(2.0, 4000, Some(4120))), (true, (100..103).collect()));
}

#[test]
fn videotestsrc_seek_between_frames_begins_with_the_one_that_is_shown_there() {
    assert_eq!(after_seek(part(1.0, 1010, Some(1100))), (true, vec![25, 26, 27]));
}

#[test]
fn videotestsrc_seek_backwards_plays_the_part_from_its_end() {
    assert_eq!(after_seek(part(-1.0, 1000, Some(1200))), (true, (25..30).rev().collect()));
    assert!(!after_seek(part(-1.0, 1000, None)).0, "there is no end to begin at");
}

/// As measured with GStreamer 1.22: the source alone, and with the sink's processing deadline.
#[test]
fn videotestsrc_tells_a_latency_of_one_picture() {
    gst_mini_elements::register();
    let asked = |line: &str| {
        let pipeline = parse_launch(line).unwrap();
        pipeline.set_state(State::Playing);
        pipeline.by_name("sink").unwrap().state(None);
        let ask = |element: &ElementRef| {
            let mut latency = Query::latency();
            element.query(&mut latency).then_some(latency)
        };
        let answers = (ask(&pipeline.by_name("src").unwrap()), ask(&pipeline));
        pipeline.set_state(State::Null);
        answers
    };
    let told =
        |live, min| Some(Query::Latency { live, min: ClockTime::from_nanos(min), max: None });
    for (live, rate, wanted) in [
        ("true", "30/1", (told(true, 33_333_333), told(true, 53_333_333))),
        ("false", "30/1", (told(false, 33_333_333), told(true, 0))),
    ] {
        let line = format!(
            "videotestsrc name=src is-live={live} ! video/x-raw,width=16,height=16,framerate={rate} ! queue ! \
             fakesink name=sink sync=true"
        );
        let sim = Sim::new(1).run(|| assert_eq!(asked(&line), wanted, "{line}"));
        sim.unwrap_or_else(|dead| panic!("{dead}"));
    }
}
