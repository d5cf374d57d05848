//! `videorate`: which frames come out when. What is compared here was seen with GStreamer 1.22.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use gst_mini_core::segment::{SeekFlags, SeekType};
use video_support::{Run, run};

const SMALL: &str = "format=GRAY8,width=8,height=8";

/// Frames of `from` a second, through `videorate` with `settings`, to `to` a second.
fn at(count: u32, from: &str, settings: &str, to: &str) -> Run {
    run(
        1,
        &format!(
            "videotestsrc num-buffers={count} ! video/x-raw,{SMALL},framerate={from} ! \
             videorate name=rate {settings} ! video/x-raw,framerate={to} ! fakesink name=out"
        ),
    )
}

fn counters(run: &Run) -> [u64; 4] {
    let rate = run.pipeline.by_name("rate").unwrap();
    ["in", "out", "drop", "duplicate"].map(|name| rate.get(name).unwrap().as_u64().unwrap())
}

#[track_caller]
fn on_grid(run: &Run, count: u64, num: u64, den: u64) {
    assert_eq!(run.seen.len() as u64, count);
    for (index, seen) in (0..).zip(&run.seen) {
        let pts = ClockTime::of_frame(index, num, den);
        assert_eq!(seen.buf.pts(), Some(pts));
        assert_eq!(seen.buf.duration(), Some(ClockTime::of_frame(index + 1, num, den) - pts));
        assert_eq!(seen.buf.offset(), Some(index));
        assert_eq!(seen.buf.has(BufferFlags::DISCONT), index == 0);
    }
}

#[test]
fn same_rate_passes_every_frame() {
    let run = at(30, "30/1", "", "30/1");
    on_grid(&run, 30, 30, 1);
    assert_eq!(counters(&run), [30, 30, 0, 0]);
}

#[test]
fn lower_rate_drops_the_frames_that_are_farther_from_the_grid() {
    let run = at(30, "30/1", "", "10/1");
    on_grid(&run, 11, 10, 1);
    assert_eq!(counters(&run), [30, 11, 19, 0]);
    assert!(run.seen.iter().all(|seen| !seen.buf.has(BufferFlags::GAP)));
}

#[test]
fn higher_rate_repeats_frames_and_marks_the_copies() {
    let run = at(10, "10/1", "", "30/1");
    on_grid(&run, 27, 30, 1);
    assert_eq!(counters(&run), [10, 27, 0, 17]);
    let copies = run.seen.iter().filter(|seen| seen.buf.has(BufferFlags::GAP)).count();
    assert_eq!(copies, 17);
}

#[test]
fn rates_without_a_common_grid_never_drift() {
    on_grid(&at(240, "24000/1001", "", "25/1"), 250, 25, 1);
    on_grid(&at(100, "25/1", "", "30000/1001"), 120, 30_000, 1001);
}

#[test]
fn drop_only_repeats_nothing_and_leaves_times_alone() {
    let run = at(30, "30/1", "drop-only=true", "10/1");
    let every_third: Vec<u64> =
        (0..10).map(|n| ClockTime::of_frame(3 * n, 30, 1).nanos()).collect();
    assert_eq!(run.pts(), every_third);
    let run = run_line("framerate=10/1", "drop-only=true");
    assert_eq!(run.seen.len(), 10);
}

fn run_line(wish: &str, settings: &str) -> Run {
    run(
        1,
        &format!(
            "videotestsrc num-buffers=10 timestamp-offset=1000000000 ! video/x-raw,{SMALL},{wish} ! \
             videorate name=rate {settings} ! fakesink name=out"
        ),
    )
}

#[test]
fn frames_before_the_first_one_are_filled_up_unless_skip_to_first() {
    let run = run_line("framerate=10/1", "");
    assert_eq!((run.pts()[0], run.seen.len()), (0, 20));
    let run = run_line("framerate=10/1", "skip-to-first=true");
    assert_eq!((run.pts()[0], run.seen.len()), (1_000_000_000, 10));
}

#[test]
fn max_rate_limits_what_is_negotiated() {
    let run = run_line("framerate=30/1", "max-rate=10 skip-to-first=true");
    let rate = run.caps[0].structure(0).unwrap().fraction("framerate");
    assert_eq!(rate, Some(Fraction::new(10, 1)));
}

#[test]
fn gap_longer_than_max_duplication_time_stays_open() {
    let run = at(5, "1/1", "max-duplication-time=500000000", "5/1");
    assert_eq!(counters(&run)[3], 0);
    assert_eq!(run.seen.len(), 5);
    assert!(
        run.seen.iter().all(|seen| seen.buf.has(BufferFlags::DISCONT) || seen.buf.pts().is_some())
    );
}

#[test]
fn twice_the_speed_sends_half_the_frames() {
    let run = at(30, "30/1", "rate=2", "30/1");
    on_grid(&run, 16, 30, 1);
}

#[test]
fn still_picture_of_no_rate_is_repeated_up_to_the_end_of_its_segment() {
    let frames = Sim::new(1)
        .run(|| {
            gst_mini_elements::register();
            let line = format!(
                "videotestsrc ! video/x-raw,{SMALL},framerate=10/1 ! videorate name=rate ! \
                 video/x-raw,framerate=20/1 ! fakesink name=out sync=true"
            );
            let pipeline = parse_launch(&line).unwrap();
            pipeline.set_state(State::Paused);
            pipeline.state(None);
            let seek = Seek {
                flags: SeekFlags::FLUSH,
                stop_type: SeekType::Set,
                stop: 1_500_000_000,
                ..Seek::to(ClockTime::SECOND)
            };
            assert!(pipeline.seek(seek));
            let run = video_support::run_pipeline(pipeline, false);
            run.pts()
        })
        .unwrap();
    let frames: Vec<u64> = frames.into_iter().filter(|pts| *pts >= 1_000_000_000).collect();
    let wanted: Vec<u64> = (20..30).map(|n| ClockTime::of_frame(n, 20, 1).nanos()).collect();
    assert_eq!(frames, wanted);
}

#[test]
fn input_without_a_rate_gets_the_rate_of_its_first_frames() {
    let line = format!(
        "videotestsrc num-buffers=5 ! video/x-raw,{SMALL},framerate=10/1 ! \
         videorate ! video/x-raw,framerate=0/1 ! videorate ! fakesink name=out"
    );
    let run = run(1, &line);
    assert_eq!(run.error(), None);
    assert_eq!(run.seen.len(), 5);
}

#[test]
fn any_seed_gives_the_same_frames() {
    let line = format!(
        "videotestsrc is-live=true num-buffers=40 ! video/x-raw,{SMALL},framerate=30/1 ! queue ! \
         videorate ! video/x-raw,framerate=12/1 ! queue ! fakesink name=out sync=true"
    );
    let pts: Vec<_> = (0..20).map(|seed| run(seed, &line).pts()).collect();
    assert!(pts.windows(2).all(|pair| pair[0] == pair[1]));
}
