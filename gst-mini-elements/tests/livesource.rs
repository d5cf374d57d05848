//! `livesource`: its grid, its holes, its counters.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use video_support::{Run, run, run_here, run_keeping};

const SMALL: &str = "width=64 height=36";

fn count(run: &Run, name: &str) -> u64 {
    run.pipeline.by_name("cam").unwrap().get_as(name).unwrap()
}

/// Every buffer is in the slot its offset names, and what is between two of them is marked.
#[track_caller]
fn check_grid(run: &Run, fps_n: u64, fps_d: u64) {
    let at = |slot| ClockTime::of_frame(slot, fps_n, fps_d);
    let mut expected = 0;
    for (i, seen) in run.seen.iter().enumerate() {
        let buf = &seen.buf;
        let slot = buf.offset().unwrap();
        assert!(slot >= expected, "slot {slot} after {expected}");
        assert_eq!(buf.pts(), Some(at(slot)));
        assert_eq!(buf.duration(), Some(at(slot + 1) - at(slot)));
        let hole = i == 0 || slot > expected;
        assert_eq!(buf.has(BufferFlags::DISCONT), hole, "DISCONT at slot {slot}");
        expected = slot + 1;
    }
    assert_eq!(count(run, "generated"), run.seen.len() as u64);
    assert_eq!(count(run, "generated") + count(run, "missed"), expected, "slots gone by");
}

#[test]
fn livesource_taken_in_time_keeps_the_grid_exactly_for_two_minutes() {
    for (fps, fps_n, fps_d) in
        [("30", 30, 1), ("30000/1001", 30_000, 1001), ("24000/1001", 24_000, 1001)]
    {
        let run = run(
            1,
            &format!("livesource name=cam num-buffers=3600 fps={fps} {SMALL} ! fakesink name=out"),
        );
        assert_eq!(run.seen.len(), 3600);
        check_grid(&run, fps_n, fps_d);
        assert_eq!(count(&run, "missed"), 0);
        for seen in &run.seen {
            let due = seen.buf.pts().unwrap();
            assert_eq!(seen.running_time.unwrap().nanos(), due.nanos(), "sent when due");
        }
    }
}

#[test]
fn livesource_held_up_without_a_queue_makes_holes_that_are_counted() {
    // 80 ms for each frame of 33.3 ms: two of five slots find somebody to take them.
    let line = format!(
        "livesource name=cam num-buffers=200 {SMALL} ! identity sleep-time=80000 ! fakesink name=out"
    );
    let held_up = run(1, &line);
    check_grid(&held_up, 30, 1);
    assert_eq!(held_up.seen.len(), 200);
    let missed = count(&held_up, "missed");
    assert!((270..=300).contains(&missed), "{missed} missed");
    let again = run(2, &line);
    assert_eq!(again.pts(), held_up.pts(), "time alone decides, not the order of tasks");
}

#[test]
fn livesource_with_a_queue_loses_nothing_to_a_slow_start() {
    let line = format!(
        "livesource name=cam num-buffers=300 {SMALL} ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! identity sleep-time=30000 ! fakesink name=out"
    );
    let run = run(1, &line);
    check_grid(&run, 30, 1);
    assert_eq!(count(&run, "missed"), 0);
}

#[test]
fn livesource_frame_that_just_fits_its_slot_is_no_hole() {
    let slot = 40_000;
    let run = run(
        1,
        &format!(
            "livesource name=cam fps=25 num-buffers=50 {SMALL} ! identity sleep-time={} ! fakesink name=out",
            slot - 1
        ),
    );
    assert_eq!((run.seen.len(), count(&run, "missed")), (50, 0));
    check_grid(&run, 25, 1);
}

#[test]
fn livesource_reports_each_second_of_running_time() {
    let run = run(1, &format!("livesource name=cam num-buffers=100 {SMALL} ! fakesink name=out"));
    let reports = run.reports("livesource-stats");
    let read = |report: &Structure| {
        (
            report.uint64("running-time").unwrap(),
            report.uint64("generated").unwrap(),
            report.uint64("missed").unwrap(),
        )
    };
    let read: Vec<_> = reports.iter().map(read).collect();
    assert_eq!(read, [(1_000_000_000, 30, 0), (2_000_000_000, 60, 0), (3_000_000_000, 90, 0)]);
}

#[test]
fn livesource_gives_exactly_the_format_of_its_properties() {
    let run =
        run(1, "livesource width=642 height=358 fps=30000/1001 num-buffers=2 ! fakesink name=out");
    assert_eq!(run.caps.len(), 1);
    let format = run.caps[0].structure(0).unwrap();
    assert_eq!(
        (format.int("width"), format.int("height"), format.str("format")),
        (Some(642), Some(358), Some("I420"))
    );
    assert_eq!(format.fraction("framerate"), Some(Fraction::new(30_000, 1001)));
    let refused =
        parse_launch("livesource ! video/x-raw,width=320 ! fakesink").unwrap_err().to_string();
    assert!(refused.contains("width: 1280 against 320"), "{refused}");
}

#[test]
fn livesource_pictures_differ_from_frame_to_frame_and_fill_their_buffers() {
    let run = run_keeping("livesource num-buffers=5 width=160 height=90 ! fakesink name=out");
    assert_eq!(run.seen.len(), 5);
    for pair in run.seen.windows(2) {
        assert_eq!(pair[0].buf.size(), 160 * 90 + 2 * 80 * 45);
        assert!(pair[0].buf.data() != pair[1].buf.data());
    }
}

#[test]
fn livesource_paused_in_between_goes_on_with_the_next_slot() {
    let seen = Sim::new(3).run(|| {
        gst_mini_elements::register();
        let line = format!("livesource name=cam num-buffers=60 {SMALL} ! fakesink name=out");
        let pipeline = parse_launch(&line).unwrap();
        assert_eq!(pipeline.set_state(State::Paused), StateReturn::NoPreroll);
        let nap = |ms| {
            gst_mini_core::runtime::sleep_until(
                gst_mini_core::runtime::now() + ClockTime::from_millis(ms),
            )
        };
        pipeline.set_state(State::Playing);
        nap(500);
        pipeline.set_state(State::Paused);
        nap(10_000);
        pipeline.set_state(State::Playing);
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
        assert!(matches!(end.kind, MessageKind::Eos));
        let counts = (count_of(&pipeline, "generated"), count_of(&pipeline, "missed"));
        pipeline.set_state(State::Null);
        counts
    });
    assert_eq!(seen.unwrap(), (60, 0), "running time stands still while paused");
}

fn count_of(pipeline: &Bin, name: &str) -> u64 {
    pipeline.by_name("cam").unwrap().get_as(name).unwrap()
}

#[test]
fn livesource_on_threads_keeps_the_grid_too() {
    let run = run_here(
        &format!("livesource name=cam num-buffers=20 fps=100 {SMALL} ! fakesink name=out"),
        false,
    );
    check_grid(&run, 100, 1);
}
