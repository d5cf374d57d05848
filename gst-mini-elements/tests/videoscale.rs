//! `videoscale`: what it negotiates, what it passes on and what it refuses.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use video_support::{Run, run_keeping};

fn scaled(input: &str, settings: &str, wish: &str) -> Run {
    run_keeping(&format!(
        "videotestsrc num-buffers=3 pattern=white ! video/x-raw,format=I420,{input} ! \
         videoscale {settings} ! video/x-raw{wish} ! fakesink name=out"
    ))
}

fn sides(run: &Run) -> (i32, i32, Fraction) {
    let caps = run.caps[0].structure(0).unwrap();
    let side = |side| caps.int(side).unwrap();
    (side("width"), side("height"), caps.fraction("pixel-aspect-ratio").unwrap())
}

const SD: &str = "width=320,height=240";

#[test]
fn one_side_alone_keeps_the_shape_by_the_shape_of_pixels() {
    assert_eq!(sides(&scaled(SD, "", ",width=200")), (200, 240, Fraction::new(8, 5)));
    assert_eq!(sides(&scaled(SD, "", ",height=100")), (320, 100, Fraction::new(5, 12)));
}

#[test]
fn square_pixels_keep_the_shape_by_the_other_side() {
    let run = scaled(SD, "", ",width=200,pixel-aspect-ratio=1/1");
    assert_eq!(sides(&run), (200, 150, Fraction::new(1, 1)));
}

#[test]
fn both_sides_are_taken_and_times_stay() {
    let run = scaled(SD, "", ",width=64,height=48,framerate=25/1");
    assert_eq!(sides(&run), (64, 48, Fraction::new(1, 1)));
    assert_eq!(run.pts(), [0, 40_000_000, 80_000_000]);
    assert!(run.seen.iter().all(|seen| seen.buf.size() == 64 * 48 * 3 / 2));
    assert!(run.seen[0].buf.data()[..64 * 48].iter().all(|luma| *luma == 235));
}

#[test]
fn borders_fill_what_the_shape_leaves_free_unless_they_are_not_wanted() {
    let wish = ",width=64,height=64,pixel-aspect-ratio=1/1";
    let run = scaled("width=64,height=32", "", wish);
    let luma = |run: &Run, row: usize| run.seen[0].buf.data()[row * 64 + 5];
    assert_eq!([0, 15, 16, 47, 48].map(|row| luma(&run, row)), [16, 16, 235, 235, 16]);
    let run = scaled("width=64,height=32", "add-borders=false", wish);
    assert_eq!([0, 63].map(|row| luma(&run, row)), [235, 235]);
}

#[test]
fn the_size_that_comes_in_is_passed_on() {
    assert_eq!(sides(&scaled(SD, "", "")), (320, 240, Fraction::new(1, 1)));
}

#[test]
fn methods_and_values_that_are_not_offered_are_refused_with_those_that_are() {
    for (settings, what) in [
        ("method=sinc", "lanczos"),
        ("method=4-tap", "lanczos"),
        ("gamma-decode=true", "gamma-decode"),
        ("envelope=3", "envelope"),
        ("alpha-mode=set", "copy"),
    ] {
        let error = scaled(SD, settings, ",width=64").error().expect(settings);
        assert!(error.contains(what), "{settings}: {error}");
    }
}

#[test]
fn every_format_is_scaled_by_every_method_that_is_offered() {
    for format in ["ABGR64_LE", "RGB", "BGRx", "YUY2", "UYVY", "NV12", "NV21", "Y41B", "GRAY8"] {
        for method in [0, 1, 3, 4, 6, 7, 8, 9] {
            let run = run_keeping(&format!(
                "videotestsrc num-buffers=1 ! video/x-raw,format={format},width=37,height=19 ! \
                 videoscale method={method} ! video/x-raw,width=23,height=41 ! fakesink name=out"
            ));
            assert_eq!((run.error(), run.seen.len()), (None, 1), "{format} {method}");
        }
    }
}
