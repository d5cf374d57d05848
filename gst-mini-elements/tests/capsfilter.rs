//! `capsfilter`: what passes, what data without a format becomes, and what a changed filter asks for.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod routing_support;

use gst_mini_core::prelude::*;
use routing_support::{end, everywhere, in_sim, launch, run, watch};

#[track_caller]
fn fails(line: &str) -> ElementError {
    let pipeline = launch(line);
    pipeline.set_state(State::Playing);
    let end = end(&pipeline);
    pipeline.set_state(State::Null);
    match end {
        MessageKind::Error(error) => error,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn data_without_a_format_gets_the_only_one_possible_before_its_segment() {
    everywhere(|| {
        let log =
            run("fakesrc num-buffers=1 ! capsfilter ! capsfilter caps=a/b,c=1 ! fakesink name=out");
        assert_eq!(log.text(), "stream-start caps(a/b, c=(int)1) segment+0 buf! eos");
    });
}

#[test]
fn data_without_a_format_is_refused_where_several_are_possible() {
    everywhere(|| {
        for line in [
            "fakesrc num-buffers=1 ! capsfilter ! fakesink",
            "fakesrc num-buffers=1 ! capsfilter caps=a/b,c=1 ! a/b,d=[1,2] ! fakesink",
        ] {
            let error = fails(line);
            assert_eq!(error.kind, ErrorKind::Format);
            assert_eq!(error.text, "Filter caps do not completely specify the output format");
        }
    });
}

#[test]
fn a_stream_without_data_needs_no_format() {
    everywhere(|| {
        let log = run("fakesrc num-buffers=0 ! capsfilter ! fakesink name=out");
        assert_eq!(log.text(), "stream-start eos");
    });
}

#[test]
fn converters_refuse_data_without_a_format() {
    everywhere(|| {
        for element in ["videoconvert", "videoscale", "audioconvert", "audioresample", "videorate"]
        {
            let error = fails(&format!("fakesrc num-buffers=1 format=time ! {element} ! fakesink"));
            assert!(error.text.contains("not-negotiated"), "{}", error.text);
        }
    });
}

/// The widths that arrive when the filter is set to the second after some buffers of the first.
fn widths_over_a_change(mode: &str) -> Vec<String> {
    let pipeline = launch(&format!(
        "videotestsrc num-buffers=20 ! capsfilter name=f caps=video/x-raw,width=16,height=16 \
         caps-change-mode={mode} ! queue max-size-buffers=1 ! fakesink name=out sync=true"
    ));
    let log = watch(&pipeline, "out");
    pipeline.set_state(State::Playing);
    let soon = gst_mini_core::runtime::now() + ClockTime::from_millis(100);
    gst_mini_core::runtime::sleep_until(soon);
    pipeline.by_name("f").unwrap().set("caps", "video/x-raw,width=32,height=16").unwrap();
    assert_eq!(end(&pipeline), MessageKind::Eos);
    pipeline.set_state(State::Null);
    let caps = log.of("caps");
    let width = |text: &String| text.split("width=(int)").nth(1).unwrap()[..2].to_owned();
    assert_eq!(log.of("buf").len(), 20, "{mode}");
    caps.iter().map(width).collect()
}

#[test]
fn a_changed_filter_makes_upstream_negotiate_again() {
    in_sim(|| {
        assert_eq!(widths_over_a_change("delayed"), ["16", "32"]);
        assert_eq!(widths_over_a_change("immediate"), ["16", "32"]);
    });
}
