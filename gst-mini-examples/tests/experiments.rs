//! The five experiments of `docs/tour.md`, and the lesson about the queue, on simulated time: exact
//! figures, the same every time.
//!
//! They run the whole job with the loaded plugins, so those must be there: `cargo xtask plugins`.

use clap::Parser;
use gst_mini_core::prelude::*;
use gst_mini_examples::flags::Flags;
use gst_mini_examples::job::{Demo, Numbers};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

#[allow(dead_code, reason = "the demo's own main is not called here")]
#[path = "../examples/01_simple_sync.rs"]
mod simple_sync;

/// The tracer, which the numbers come from, serves one run at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
static RUNS: AtomicU32 = AtomicU32::new(0);

fn demo(queue: bool) -> Demo {
    Demo {
        name: "experiment",
        duration: ClockTime::from_secs(20),
        target_duration: ClockTime::from_secs(6),
        queue,
    }
}

/// Runs the job on simulated time with small pictures and a store in memory.
fn run(queue: bool, flags: &str) -> Numbers {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    gst_mini_elements::register();
    for element in ["openh264enc", "s3sink"] {
        if let Err(error) = registry().factory(element) {
            panic!("{error}\nbuild the plugins first: cargo xtask plugins (cargo xtask test does)");
        }
    }
    let mut words = vec!["demo", "--size", "64x36", "--bitrate", "200000"];
    words.extend(flags.split_whitespace());
    let flags = Flags::parse_from(words);
    let demo = demo(queue);
    let nth = RUNS.fetch_add(1, Ordering::Relaxed);
    let line = demo.launch_line(&flags, &format!("memory://experiment{nth}/"));
    let numbers = Sim::new(7)
        .run(|| demo.run(&flags, &line, false))
        .unwrap_or_else(|deadlock| panic!("{line}\n{deadlock}"));
    assert_eq!(numbers.error, None, "{line}");
    numbers
}

fn lengths(numbers: &Numbers) -> Vec<u64> {
    numbers.segments.iter().map(|length| (length.nanos() + 500_000) / 1_000_000).collect()
}

#[test]
fn the_main_job_stores_every_frame_in_segments_of_six_seconds() {
    let numbers = run(true, "");
    assert_eq!((numbers.generated, numbers.missed, numbers.dropped), (600, 0, 0));
    assert_eq!(numbers.stored, 600);
    assert_eq!(lengths(&numbers), [6000, 6000, 6000, 2000]);
}

#[test]
fn the_main_job_twice_gives_the_same_numbers() {
    let (first, second) = (run(true, ""), run(true, ""));
    assert_eq!(first.waits, second.waits);
    assert_eq!((first.objects, first.bytes), (second.objects, second.bytes));
}

#[test]
fn without_a_queue_a_slow_store_makes_the_camera_miss_frames_and_with_one_it_misses_none() {
    let without = run(false, "--store-delay 500ms");
    let with = run(true, "--store-delay 500ms");
    assert_eq!(with.missed, 0);
    assert_eq!(with.stored, 600);
    assert!(without.missed > 60, "{} missed", without.missed);
    assert_eq!(without.generated + without.missed, 600, "every slot of the grid is accounted for");
    assert_eq!(without.stored, without.generated);
}

#[test]
fn the_segmenters_latency_is_what_lets_the_sink_wait() {
    let with = run(true, "");
    let without = run(true, "--no-latency");
    assert!(with.waits.iter().all(|(_, jitter)| *jitter <= 0), "on time: {:?}", with.waits);
    // An object begins when its segment does, and is complete when the next one begins.
    let (_, first) = without.waits[0];
    assert_eq!(first / 1_000_000_000, 6, "late by the length of a segment: {:?}", without.waits);
}

#[test]
fn without_sync_the_sink_waits_for_nothing() {
    let numbers = run(true, "--sink-sync false");
    assert!(numbers.waits.is_empty());
    assert_eq!(numbers.stored, 600);
}

#[test]
fn a_small_leaky_queue_drops_when_the_store_is_slow_and_a_large_one_does_not() {
    let small = run(true, "--queue-size 3 --store-delay 500ms");
    assert_eq!(small.missed, 0, "the camera never waits for a leaky queue");
    assert!(small.dropped > 0);
    assert_eq!(small.stored + small.dropped, 600);
    let large = run(true, "--queue-size 100 --leaky no --store-delay 500ms");
    assert_eq!((large.missed, large.dropped, large.stored), (0, 0, 600));
}

#[test]
fn a_queue_that_leaks_downstream_drops_the_oldest() {
    let numbers = run(true, "--queue-size 3 --leaky downstream --store-delay 500ms");
    assert_eq!(numbers.missed, 0);
    assert!(numbers.dropped > 0);
    assert_eq!(numbers.stored + numbers.dropped, 600);
}

#[test]
fn more_frames_and_shorter_segments_make_more_segments() {
    let numbers = run(true, "--fps 60 --target-duration 2");
    assert_eq!(numbers.stored, 1200);
    assert_eq!(lengths(&numbers), [2000; 10]);
}

#[test]
fn at_segment_rate_one_half_buffers_pushed_by_hand_take_twice_as_long() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for (rate, expected) in [(1.0, "2.000 s"), (0.5, "4.000 s")] {
        let took = Sim::new(7).run(|| {
            gst_mini_elements::register();
            simple_sync::by_hand(rate)
        });
        assert_eq!(took.unwrap_or_else(|deadlock| panic!("{deadlock}")), expected, "rate {rate}");
    }
}

/// The job's own line into a real folder; every version of the playlist is read back the moment its
/// storing is announced, and judged together with what lies in the folder then.
#[test]
fn every_version_of_the_playlist_that_the_main_job_stores_keeps_all_rules() {
    use gst_mini_elements::hls::rules::{Checker, Fetched};
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    gst_mini_elements::register();
    let folder = std::env::temp_dir().join(format!("gst-mini-versions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the recording");
    let flags = Flags::parse_from(["demo", "--size", "64x36", "--bitrate", "200000"]);
    let line = demo(true).launch_line(&flags, &format!("file://{}", folder.display()));
    let mut checker = Checker::new();
    let mut versions = Vec::new();
    let outcome = Sim::new(7).run(|| {
        let pipeline = parse_launch(&line).unwrap_or_else(|error| panic!("{error}"));
        pipeline.set_state(State::Playing);
        let bus = pipeline.bus();
        let mut end = Some(ClockTime::from_millis(19_985));
        loop {
            let Some(message) = bus.timed_pop(end) else {
                pipeline.send_event(Event::eos());
                end = None;
                continue;
            };
            if let (Some(total), Some(at)) = (end, pipeline.running_time()) {
                let left = 19_985_000_000_u64.saturating_sub(at.nanos());
                end = Some(total.min(ClockTime::from_nanos(left)));
            }
            match &message.kind {
                MessageKind::Eos => break,
                MessageKind::Error(error) => panic!("{error}"),
                MessageKind::Element(told) if told.name() == "object-stored" => {
                    if told.str("role") != Some("playlist") {
                        continue;
                    }
                    let name = told.str("name").expect("a stored object has a name");
                    let text = std::fs::read_to_string(folder.join(name)).expect("it is stored");
                    let at = pipeline.running_time().map_or(0, |at| at.nanos());
                    checker.publish(&text, ClockTime::from_nanos(at), |uri| {
                        std::fs::read(folder.join(uri)).map_or(Fetched::Missing, Fetched::Bytes)
                    });
                    versions.push(text);
                }
                _ => {}
            }
        }
        pipeline.set_state(State::Null);
    });
    let _ = std::fs::remove_dir_all(&folder);
    outcome.unwrap_or_else(|deadlock| panic!("{deadlock}"));
    assert_eq!(checker.violations(), []);
    let listed: Vec<usize> = versions.iter().map(|text| text.matches("#EXTINF").count()).collect();
    assert!(listed.is_sorted() && listed.last() == Some(&4), "{listed:?}");
    assert!(versions.len() >= 4, "one version for each segment: {listed:?}");
    assert!(versions.last().is_some_and(|text| text.ends_with("#EXT-X-ENDLIST\n")));
}
