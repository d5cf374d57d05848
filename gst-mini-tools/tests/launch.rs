//! `gst-mini launch`: what it says, and with which code it ends.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use support::{Place, Ran};

fn launch(arguments: &[&str]) -> Ran {
    let mut all = vec!["launch"];
    all.extend(arguments);
    Place::new().run(&all)
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

#[test]
fn a_line_is_played_to_its_end_with_the_words_of_gst_launch() {
    let ran = launch(&["fakesrc", "num-buffers=3", "!", "queue", "!", "fakesink"]);
    in_order(
        &ran.out,
        &[
            "Setting pipeline to PAUSED ...\n",
            "Pipeline is PREROLLING ...\n",
            "Pipeline is PREROLLED ...\n",
            "Setting pipeline to PLAYING ...\n",
            "Got EOS from element \"pipeline0\".\n",
            "Execution ended after 0:00:0",
            "Setting pipeline to NULL ...\n",
            "Freeing pipeline ...\n",
        ],
    );
    assert!(ran.out.contains("New clock: GstSystemClock\n"), "{ran:?}");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn a_line_may_be_one_argument_or_many() {
    let one = launch(&["-q", "fakesrc num-buffers=1 ! fakesink"]);
    assert_eq!((one.code, one.out.as_str(), one.err.as_str()), (Some(0), "", ""));
}

#[test]
fn verbose_tells_properties_and_caps_with_their_paths() {
    let ran =
        launch(&["-v", "fakesrc", "num-buffers=1", "!", "fakesink", "silent=false", "name=end"]);
    let place = "/GstPipeline:pipeline0/GstFakeSink:end: last-message = chain   ******* (end:sink) (0 bytes";
    assert!(ran.out.contains(place), "{}", ran.out);
    let without = launch(&[
        "-v",
        "-X",
        "last-message",
        "fakesrc",
        "num-buffers=1",
        "!",
        "fakesink",
        "silent=false",
    ]);
    assert!(!without.out.contains("last-message"), "{}", without.out);
}

#[test]
fn messages_are_told_with_number_source_and_content() {
    let ran = launch(&["-m", "fakesrc", "num-buffers=1", "!", "fakesink"]);
    for part in [
        " from element \"fakesink0\" (state-changed): GstMessageStateChanged, old-state=(GstState)null, new-state=(GstState)ready, pending-state=(GstState)void-pending;",
        " from element \"pipeline0\" (eos): no message details",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
}

#[test]
fn an_error_names_its_element_and_ends_with_code_1() {
    let ran = launch(&["fakesrc", "!", "identity", "error-after=3", "name=bad", "!", "fakesink"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let story = "ERROR: from element /GstPipeline:pipeline0/GstIdentity:bad: ";
    assert!(ran.err.starts_with(story), "{ran:?}");
    in_order(&ran.out, &["Execution ended after", "Setting pipeline to NULL", "Freeing"]);
}

#[test]
fn a_file_that_is_not_there_keeps_the_pipeline_from_pausing() {
    let ran = launch(&["filesrc", "location=no/such/file", "!", "fakesink"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    in_order(
        &ran.err,
        &[
            "ERROR: from element /GstPipeline:pipeline0/GstFileSrc:filesrc0: ",
            "ERROR: pipeline doesn't want to preroll.\nFailed to set pipeline to PAUSED.\n",
        ],
    );
    assert!(ran.err.contains("no/such/file"), "{ran:?}");
}

#[test]
fn what_is_misspelt_is_said_with_the_nearest_name_and_its_place() {
    for (line, sentence) in [
        (
            "faksrc ! fakesink",
            "no element \"faksrc\"; did you mean one of \"fakesrc\", \"fdsrc\"?\n  faksrc ! fakesink\n  ^^^^^^",
        ),
        (
            "fakesrc ! fakesink snyc=true",
            "no property \"snyc\" in element \"fakesink0\"; did you mean one of \"sync\", \"async\"?",
        ),
        ("fakesrc num-buffers=some ! fakesink", "to \"some\": it takes an int"),
        (
            "fakesrc num-buffers=1 ! video/x-raw,width=(int)wide ! fakesink",
            "ERROR: pipeline could not be constructed: ",
        ),
        ("fakesrc !", "ERROR: pipeline could not be constructed: "),
    ] {
        let ran = launch(&[line]);
        assert_eq!(ran.code, Some(1), "{line}: {ran:?}");
        assert!(ran.err.contains(sentence), "{line}: {ran:?}");
    }
}

#[test]
fn wrong_options_end_with_code_2() {
    assert_eq!(launch(&[]).code, Some(2));
    assert_eq!(launch(&["--no-such-option", "fakesrc"]).code, Some(2));
    assert_eq!(launch(&["--seed", "3", "fakesrc ! fakesink"]).code, Some(2));
    assert_eq!(Place::new().run(&["nonsense"]).code, Some(2));
}

#[test]
fn clock_properties_are_taken_and_others_are_refused() {
    let place = Place::new();
    let trace = place.path("grid.jsonl");
    let ran = place.run(&[
        "launch", "--sim", "--clock", "grid=20000000", "--trace", trace.to_str().expect("UTF-8"),
        "fakesrc num-buffers=3 sizetype=fixed sizemax=1000 format=time datarate=1000000 ! fakesink sync=true",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // What is due after one and after two milliseconds comes after twenty.
    let trace = std::fs::read_to_string(trace).expect("a trace");
    assert!(trace.matches(r#""t":20000000,"#).count() > 1, "{trace}");
    let ran = launch(&["--clock", "speed=2", "fakesrc num-buffers=1 ! fakesink"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("has no property \"speed\"; it has spin and grid"), "{}", ran.err);
    let ran = launch(&["--clock", "spin", "fakesrc num-buffers=1 ! fakesink"]);
    assert!(ran.err.contains("no PROPERTY=VALUE"), "{}", ran.err);
}

#[test]
fn tasks_share_threads_when_asked_to_and_other_forms_are_refused() {
    let line = "fakesrc num-buffers=20 ! queue max-size-buffers=2 ! fakesink";
    let ran = launch(&["--runtime", "shared", line]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("Got EOS"), "{}", ran.out);
    assert_eq!(launch(&["--runtime", "green", line]).code, Some(2));
    assert_eq!(launch(&["--runtime", "shared", "--sim", line]).code, Some(2));
}

#[test]
fn a_simulated_run_takes_no_time_and_leaves_the_same_trace_twice() {
    let place = Place::new();
    let run = |file: &str| {
        let trace = place.path(file);
        let ran = place.run(&[
            "launch", "--sim", "--seed", "7", "--trace", trace.to_str().expect("UTF-8"),
            "fakesrc num-buffers=100 sizetype=fixed sizemax=1000 format=time datarate=1000 ! queue ! fakesink sync=true",
        ]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains("Execution ended after 0:01:"), "{}", ran.out);
        std::fs::read(trace).expect("a trace")
    };
    let first = run("a.jsonl");
    assert!(first.len() > 10_000);
    assert_eq!(first, run("b.jsonl"));
}

#[test]
fn statistics_tell_what_elements_counted() {
    let ran = launch(&["--stats", "fakesrc", "num-buffers=3", "!", "queue", "!", "fakesink"]);
    in_order(&ran.out, &["Statistics:\n", "queue0", "dropped"]);
}

#[test]
fn who_drops_all_that_a_sink_waits_for_is_named() {
    let ran = launch(&[
        "--sim",
        "fakesrc num-buffers=5 is-live=false ! valve drop=true ! fakesink async=true",
    ]);
    in_order(
        &ran.err,
        &["fakesink0 waits for its first buffer", "valve0 dropped what came: the valve is closed."],
    );
}

#[test]
fn a_sink_that_never_gets_data_is_named_while_the_preroll_is_waited_for() {
    // On simulated time nobody waits five seconds, and the simulator then names what is stuck.
    let ran = launch(&[
        "--sim",
        "fakesrc num-buffers=5 ! tee name=t t. ! fakesink name=first t. ! fakesink name=second",
    ]);
    in_order(
        &ran.err,
        &[
            "Pipeline has not prerolled after 5 s.\nsecond waits for its first buffer, which fakesrc0:src brings. ",
            "fakesrc0:src waits in first for PLAYING, with an object held in preroll.",
            "ERROR: Deadlock at 0:00:05",
            "ended by PLAYING, once second has its first buffer, which fakesrc0:src brings\n",
            "t sends to its branches one after the other, all in fakesrc0:src: give each branch a queue of its own.",
        ],
    );
    assert_eq!(ran.code, Some(1));
}

/// Starts an endless pipeline, sends signals at the given lines, and gives all it said.
fn interrupted(line: &str, at: &[&str]) -> (String, Option<i32>) {
    let place = Place::new();
    let mut command = place.command(&["launch", "-v", line]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("gst-mini starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut text = String::new();
    for mark in at {
        loop {
            let mut one = String::new();
            assert!(
                out.read_line(&mut one).expect("readable") > 0,
                "{mark:?} did not come\n{text}"
            );
            text.push_str(&one);
            if one.contains(mark) {
                break;
            }
        }
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill starts").success());
    }
    out.read_to_string(&mut text).expect("readable");
    (text, child.wait().expect("ended").code())
}

#[test]
fn ctrl_c_lets_the_stream_end_and_is_a_success() {
    let line = "fakesrc format=time datarate=1000 sizetype=fixed sizemax=10 ! fakesink sync=true silent=false";
    let (text, code) = interrupted(line, &["= chain"]);
    in_order(
        &text,
        &["Waiting for EOS...", "Got EOS from element", "EOS received - stopping pipeline..."],
    );
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_second_ctrl_c_stops_at_once() {
    // A buffer is due in an hour, and the end of the stream behind it.
    let line = "fakesrc format=time datarate=1 sizetype=fixed sizemax=3600 num-buffers=-1 ! queue ! fakesink sync=true silent=false";
    let (text, code) = interrupted(line, &["= chain", "Waiting for EOS..."]);
    assert!(text.contains("Interrupt while waiting for EOS"), "{text}");
    assert_eq!(code, Some(2), "{text}");
}
