//! `gst-mini launch --sim`: one seed is one run, and many seeds find what is wrong with a line.
//!
//! Lines that end are not accused, whatever they drop on purpose; lines that cannot end are explained.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use support::{Place, Ran};

fn hunt(seeds: &str, line: &str) -> Ran {
    Place::new().run(&["launch", "--sim", "--seeds", seeds, line])
}

#[track_caller]
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at =
            rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing or early in\n{text}"));
        rest = &rest[at + part.len()..];
    }
}

fn trace(place: &Place, file: &str, seed: &str, line: &str) -> String {
    let file = place.path(file);
    let ran = place.run(&[
        "launch",
        "-q",
        "--sim",
        "--seed",
        seed,
        "--trace",
        file.to_str().unwrap(),
        line,
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn one_seed_gives_one_trace_byte_for_byte_and_another_seed_another() {
    let place = Place::new();
    let line = "livesource num-buffers=40 width=64 height=36 ! tee name=t \
                t. ! queue leaky=upstream max-size-buffers=2 ! identity sleep-time=50000 ! fakesink sync=true \
                t. ! queue ! fakesink sync=true max-lateness=0";
    let first = trace(&place, "a", "3", line);
    assert_eq!(first, trace(&place, "b", "3", line));
    assert_ne!(first, trace(&place, "c", "4", line));
    assert!(first.contains("\"what\":\"drop\""), "a queue that leaks says so");
    for line in first.lines() {
        assert!(line.starts_with("{\"t\":") && line.ends_with('}'), "{line}");
        assert!(!line.contains("0x"), "an address in {line}");
    }
}

#[test]
fn on_threads_the_same_things_are_traced() {
    let place = Place::new();
    let file = place.path("t");
    let line = "videotestsrc num-buffers=3 ! queue ! fakesink sync=true";
    let ran = place.run(&["launch", "--trace", file.to_str().unwrap(), line]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let threads = std::fs::read_to_string(file).unwrap();
    for what in ["buffer", "event", "wait", "wake", "state", "message"] {
        assert!(threads.contains(&format!("\"what\":\"{what}\"")), "{what} in\n{threads}");
    }
}

#[test]
fn branches_of_a_tee_without_queues_are_found_and_explained() {
    let ran = hunt("1..50", "fakesrc ! tee name=t t. ! fakesink t. ! fakesink");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    in_order(
        &ran.err,
        &[
            "Seed 1: Deadlock at ",
            "  fakesrc0:src waits in fakesink0 for PLAYING, with an object held in preroll\n",
            "ended by PLAYING, once fakesink1 has its first buffer, which fakesrc0:src brings\n",
            "The circle: fakesrc0:src → fakesrc0:src\n",
            "t sends to its branches one after the other, all in fakesrc0:src: give each branch a queue of its own.\n",
            "Again: gst-mini launch --sim --seeds 1 --trace FILE 'fakesrc ! tee",
        ],
    );
}

#[test]
fn queues_too_small_for_what_waits_behind_them_are_found_and_explained() {
    let ran = hunt(
        "1..50",
        "fakesrc num-buffers=100 ! tee name=t t. ! queue max-size-buffers=5 ! concat name=c ! fakesink \
         t. ! queue max-size-buffers=5 ! c.",
    );
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for part in [
        "queue0:src waits in queue0 for something to send\n      ended by data for queue0, which fakesrc0:src brings\n",
        "queue1:src waits in c for what it pushes to be taken\n      ended by queue0:src\n",
        "fakesrc0:src waits in queue1 for what it pushes to be taken; queue1 holds 5 of at most 5 buffers\n      ended by queue1:src\n",
        "The circle: fakesrc0:src → queue1:src → queue0:src → fakesrc0:src\n\
         queue1 is too small for what it waits for: raise its max-size-buffers, or 0 for no limit.\n",
    ] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
}

#[test]
fn what_drops_on_purpose_is_not_accused() {
    for line in [
        "fakesrc num-buffers=60 ! queue max-size-buffers=3 leaky=downstream ! fakesink",
        "fakesrc num-buffers=60 ! queue max-size-buffers=3 leaky=upstream ! queue ! fakesink",
        "fakesrc num-buffers=60 ! identity drop-probability=0.4 ! queue ! fakesink",
        "videotestsrc num-buffers=20 ! valve drop=true drop-mode=transform-to-gap ! fakesink",
        "videotestsrc num-buffers=30 ! identity sleep-time=100000 ! fakesink sync=true max-lateness=0",
        "livesource num-buffers=60 ! queue max-size-buffers=3 leaky=upstream ! identity sleep-time=50000 ! fakesink sync=true",
    ] {
        let ran = hunt("1..12", line);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{line}\n{ran:?}");
        assert!(ran.out.contains("12 seeds, "), "{ran:?}");
    }
}

#[test]
fn what_sorts_and_mixes_is_not_accused() {
    for line in [
        "fakesrc num-buffers=40 ! tee name=t t. ! queue ! fakesink t. ! queue ! fakesink sync=true",
        "videotestsrc num-buffers=20 ! funnel name=f ! queue ! fakesink videotestsrc num-buffers=20 ! queue ! f.",
        "videotestsrc num-buffers=10 ! concat name=c ! queue ! fakesink videotestsrc num-buffers=10 ! queue ! c.",
        "videotestsrc num-buffers=30 ! queue ! videorate ! video/x-raw,framerate=10/1 ! queue ! fakesink",
    ] {
        let ran = hunt("1..12", line);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{line}\n{ran:?}");
    }
}

#[test]
fn a_line_with_one_task_says_that_nothing_was_tried() {
    let ran = hunt("1..3", "fakesrc num-buffers=3 ! fakesink async=false");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("3 seeds, "), "{ran:?}");
}

#[test]
fn a_pipeline_that_fails_is_told_with_its_seed() {
    let ran = hunt("5..9", "fakesrc ! queue ! identity error-after=3 ! fakesink");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    in_order(
        &ran.err,
        &[
            "ERROR: from element /GstPipeline:pipeline0/GstIdentity:identity0",
            "Seed 5: the pipeline failed",
        ],
    );
}

#[test]
fn seeds_without_a_simulation_or_in_the_wrong_order_are_wrong_usage() {
    let code = |arguments: &[&str]| Place::new().run(arguments).code;
    assert_eq!(code(&["launch", "--seeds", "1..3", "fakesrc ! fakesink"]), Some(2));
    assert_eq!(code(&["launch", "--sim", "--seeds", "3..1", "fakesrc ! fakesink"]), Some(2));
}
