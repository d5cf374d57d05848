//! `imagefreeze`: one picture at a rate, in segments of any kind.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use gst_mini_core::segment::{SeekFlags, SeekType};
use video_support::{Run, run, run_here, run_pipeline};

fn frozen(wish: &str, settings: &str) -> Run {
    run(1, &line(wish, settings))
}

fn line(wish: &str, settings: &str) -> String {
    format!(
        "videotestsrc num-buffers=3 ! video/x-raw,format=GRAY8,width=8,height=8 ! \
         imagefreeze {settings} ! video/x-raw{wish} ! fakesink name=out"
    )
}

#[test]
fn one_picture_is_repeated_at_the_rate_downstream_takes_or_25() {
    let run = frozen("", "num-buffers=4");
    assert_eq!(run.pts(), [0, 40_000_000, 80_000_000, 120_000_000]);
    let rate = run.caps[0].structure(0).unwrap().fraction("framerate");
    assert_eq!((rate, run.error()), (Some(Fraction::new(25, 1)), None));
    let run = frozen(",framerate=30000/1001", "num-buffers=3");
    let on_grid: Vec<u64> = (0..3).map(|n| ClockTime::of_frame(n, 30_000, 1001).nanos()).collect();
    assert_eq!(run.pts(), on_grid);
    for (index, seen) in (0..).zip(&run.seen) {
        assert_eq!((seen.buf.offset(), seen.buf.offset_end()), (Some(index), Some(index + 1)));
        assert_eq!(seen.buf.has(BufferFlags::DISCONT), index == 0);
    }
}

#[test]
fn rate_zero_is_one_frame() {
    let run = frozen(",framerate=0/1", "");
    assert_eq!((run.pts(), run.error()), (vec![0], None));
    assert_eq!(run.seen[0].buf.duration(), None);
}

#[test]
fn end_without_a_picture_goes_on() {
    let line = "videotestsrc num-buffers=0 ! imagefreeze ! fakesink name=out";
    let run = run(1, line);
    assert_eq!((run.seen.len(), run.error()), (0, None));
}

#[test]
fn live_is_refused_with_what_helps() {
    let error = frozen("", "is-live=true").error().unwrap();
    assert!(error.contains("identity sync=true"), "{error}");
}

#[test]
fn threads_stop_while_the_picture_is_repeated_without_end() {
    gst_mini_elements::register();
    let pipeline = parse_launch(&line("", "")).unwrap();
    pipeline.set_state(State::Playing);
    pipeline.state(None);
    pipeline.set_state(State::Null);
    let run = run_here(&line("", "num-buffers=2"), false);
    assert_eq!(run.seen.len(), 2);
}

fn after_seek(rate: f64, start_ms: i64, stop_ms: i64) -> Vec<u64> {
    Sim::new(1)
        .run(move || {
            gst_mini_elements::register();
            let line = line(",framerate=10/1", "");
            let pipeline = parse_launch(&format!("{line} sync=true")).unwrap();
            pipeline.set_state(State::Paused);
            pipeline.state(None);
            let seek = Seek {
                rate,
                flags: SeekFlags::FLUSH,
                stop_type: SeekType::Set,
                stop: stop_ms * 1_000_000,
                ..Seek::to(ClockTime::from_millis(start_ms as u64))
            };
            assert!(pipeline.seek(seek));
            run_pipeline(pipeline, false).pts()
        })
        .unwrap()
}

#[test]
fn seek_plays_the_part_asked_for_and_clips_its_frames() {
    let ms = |times: &[u64]| times.iter().map(|ms| ms * 1_000_000).collect::<Vec<_>>();
    let seen = after_seek(1.0, 1000, 1250);
    assert_eq!(seen[seen.len() - 3..], ms(&[1000, 1100, 1200]));
    let seen = after_seek(1.0, 1050, 1100);
    assert_eq!(seen[seen.len() - 1..], ms(&[1050]));
    let seen = after_seek(-1.0, 1000, 1200);
    assert_eq!(seen[seen.len() - 2..], ms(&[1100, 1000]));
}
