//! `videoconvert`: what it negotiates, and that times pass unchanged.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use video_support::{Run, run, run_keeping};

fn format(run: &Run) -> String {
    run.caps[0].structure(0).unwrap().str("format").unwrap().to_owned()
}

fn between(src: &str, sink: &str) -> Run {
    run_keeping(&format!(
        "videotestsrc num-buffers=3 ! video/x-raw,{src},width=65,height=33,framerate=24000/1001 ! videoconvert ! video/x-raw,{sink} ! fakesink name=out"
    ))
}

#[test]
fn videoconvert_every_pair_of_formats_keeps_times_and_size() {
    let formats = ["I420", "NV12", "RGBA", "BGRA", "RGB", "GRAY8"];
    for src in formats {
        for sink in formats {
            let run = between(&format!("format={src}"), &format!("format={sink}"));
            assert_eq!(run.error(), None, "{src} to {sink}");
            assert_eq!(run.seen.len(), 3);
            assert_eq!(run.pts(), [0, 41_708_333, 83_416_666]);
            assert_eq!(run.seen[2].buf.offset(), Some(2));
            assert!(
                run.seen[0].buf.has(BufferFlags::DISCONT)
                    && !run.seen[1].buf.has(BufferFlags::DISCONT)
            );
            let caps = run.caps[0].structure(0).unwrap();
            assert_eq!(caps.str("format"), Some(sink));
            assert_eq!((caps.int("width"), caps.int("height")), (Some(65), Some(33)));
            assert_eq!(caps.fraction("framerate"), Some(Fraction::new(24_000, 1001)));
        }
    }
}

#[test]
fn videoconvert_passes_on_what_downstream_takes() {
    assert_eq!(format(&between("format=RGB", "format={I420,RGB}")), "RGB");
    assert_eq!(format(&between("format=NV12", "format={RGBA,GRAY8,NV12}")), "NV12");
    let run = run(1, "videotestsrc num-buffers=1 ! videoconvert ! fakesink name=out");
    assert_eq!(format(&run), "ABGR64_LE");
}

#[test]
fn videoconvert_picks_the_format_that_loses_least() {
    assert_eq!(format(&between("format=RGBA", "format={GRAY8,I420,RGB,BGRA}")), "BGRA");
    assert_eq!(format(&between("format=I420", "format={GRAY8,RGB,NV12}")), "NV12");
    assert_eq!(format(&between("format=GRAY8", "format={RGB,I420}")), "RGB");
}

#[test]
fn videoconvert_colorimetry_asked_for_changes_the_samples() {
    let line = |wish| {
        format!(
            "videotestsrc num-buffers=1 pattern=red ! video/x-raw,format=RGB,width=4,height=4 ! videoconvert ! video/x-raw,format=I420{wish} ! fakesink name=out"
        )
    };
    let luma = |wish| run_keeping(&line(wish)).seen[0].buf.data()[0];
    assert_eq!((luma(""), luma(",colorimetry=bt601"), luma(",colorimetry=bt709")), (81, 81, 63));
}

#[test]
fn videoconvert_another_size_is_refused_with_both_sizes() {
    gst_mini_elements::register();
    let line = "videotestsrc ! video/x-raw,width=64 ! videoconvert ! video/x-raw,width=32 ! fakesink name=out";
    let error = match parse_launch(line) {
        Err(error) => error.to_string(),
        Ok(_) => run_keeping(line).error().expect("a refusal"),
    };
    assert!(error.contains("width: 64 against 32"), "{error}");
}
