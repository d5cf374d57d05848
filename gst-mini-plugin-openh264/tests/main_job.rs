//! The main job on simulated time: camera, queue, encoder, segmenter, a directory.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use std::sync::{Arc, Mutex};

use gst_mini_core::tracer;
use support::{run_with, simulated};

fn job(seed: u64) -> (Vec<String>, support::Run) {
    let folder = tempfile::tempdir().unwrap();
    // The place is the same each time, and empty.
    let at = folder.path().join("recording");
    let line = format!(
        "livesource width=160 height=120 fps=30 num-buffers=100 ! queue max-size-buffers=30 \
         ! openh264enc bitrate=300000 ! hlssegmenter target-duration=2 \
         ! dirsink name=out location=\"{}\"",
        at.display()
    );
    let lines = Arc::new(Mutex::new(Vec::new()));
    let into = lines.clone();
    tracer::trace_to(Some(Box::new(move |line| into.lock().unwrap().push(line.to_owned()))));
    let run = simulated(seed, || run_with(&line, |_, _| {}));
    tracer::trace_to(None);
    let lines = std::mem::take(&mut *lines.lock().unwrap());
    (lines, run)
}

#[test]
fn same_seed_gives_the_same_trace_and_the_same_objects() {
    let (first, one) = job(7);
    let (second, two) = job(7);
    assert!(first.len() > 300);
    for (number, (a, b)) in first.iter().zip(&second).enumerate() {
        assert_eq!(a, b, "line {number}");
    }
    assert_eq!(first.len(), second.len());
    assert_eq!(one.objects(), two.objects());
    for seed in 0..5 {
        let (_, run) = job(seed);
        assert_eq!(run.error(), None, "seed {seed}");
        assert!(run.playlist().ends_with("#EXT-X-ENDLIST\n"), "seed {seed}");
        let frames: u64 =
            run.reports("hls-segment").iter().map(|report| report.uint64("frames").unwrap()).sum();
        assert_eq!(frames, 100, "seed {seed}");
    }
}
