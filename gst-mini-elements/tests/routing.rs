//! `valve`, `funnel`, `concat`: several streams and one pad.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod routing_support;

use gst_mini_core::prelude::*;
use routing_support::{end, everywhere, launch, run, watch};

/// `n` buffers of 100 ms.
fn timed(n: u32) -> String {
    format!("fakesrc num-buffers={n} format=time datarate=1000 sizetype=fixed sizemax=100")
}

#[test]
fn concat_plays_its_streams_in_the_order_of_their_pads_and_joins_their_running_times() {
    everywhere(|| {
        let log =
            run(&format!("concat name=c ! fakesink name=out {} ! c. {} ! c.", timed(2), timed(1)));
        assert_eq!(
            log.text(),
            "stream-start segment+0 buf!@0 buf@100 stream-start segment+200 buf!@0 eos"
        );
    });
}

#[test]
fn concat_without_adjust_base_leaves_running_times_alone() {
    everywhere(|| {
        let line = format!(
            "concat name=c adjust-base=false ! fakesink name=out {} ! c. {} ! c.",
            timed(2),
            timed(1)
        );
        assert_eq!(run(&line).of("segment"), ["segment+0", "segment+0"]);
    });
}

#[test]
fn concat_names_pads_itself_and_tells_which_one_sends() {
    everywhere(|| {
        let line = format!(
            "{} ! c.sink_7 concat name=c ! fakesink name=out {} ! queue ! c.",
            timed(1),
            timed(1)
        );
        let pipeline = launch(&line);
        let concat = pipeline.by_name("c").unwrap();
        assert!(concat.static_pad("sink_0").unwrap().is_linked());
        assert!(concat.static_pad("sink_1").unwrap().is_linked());
        assert_eq!(concat.get_as::<String>("active-pad").as_deref(), Some("sink_0"));
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        assert_eq!(concat.get_as::<String>("active-pad").as_deref(), Some(""));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn concat_refuses_a_stream_in_another_unit() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "concat name=c ! fakesink fakesrc num-buffers=1 ! c. {} ! c.",
            timed(1)
        ));
        pipeline.set_state(State::Playing);
        assert!(matches!(end(&pipeline), MessageKind::Error(_)));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn concat_stops_while_a_stream_waits_for_its_turn_and_starts_again_with_the_first() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "concat name=c ! fakesink name=out {} ! c. {} ! c.",
            timed(3),
            timed(2)
        ));
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        let log = watch(&pipeline, "out");
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(log.of("buf").len(), 5);
        assert_eq!(log.of("segment"), ["segment+0", "segment+300"]);
    });
}

#[test]
fn concat_gives_the_turn_on_when_the_pad_that_sends_is_released() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "concat name=c ! fakesink name=out fakesrc format=time is-live=true name=s ! c. {} ! c.",
            timed(2)
        ));
        let log = watch(&pipeline, "out");
        pipeline.set_state(State::Paused);
        let (concat, source) = (pipeline.by_name("c").unwrap(), pipeline.by_name("s").unwrap());
        let pad = concat.static_pad("sink_0").unwrap();
        source.set_state(State::Null);
        source.set_locked_state(true);
        concat.release_pad(&pad);
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(log.of("buf").len(), 2);
    });
}

#[test]
fn funnel_sends_each_buffer_after_the_events_of_its_own_stream() {
    everywhere(|| {
        let line = format!("funnel name=f ! fakesink name=out {} ! f. {} ! f.", timed(3), timed(4));
        let words = run(&line).words();
        assert_eq!(words.iter().filter(|word| word.starts_with("buf")).count(), 7);
        assert_eq!(words.last().unwrap(), "eos");
        assert_eq!(words.iter().filter(|word| *word == "eos").count(), 1);
        let starts = words.iter().filter(|word| *word == "stream-start").count();
        assert!(starts >= 2, "both streams began: {words:?}");
        assert_eq!(words[..2], ["stream-start", "segment+0"]);
    });
}

#[test]
fn funnel_without_sticky_events_has_those_of_the_first_stream_only() {
    everywhere(|| {
        let line = format!(
            "funnel name=f forward-sticky-events=false ! fakesink name=out {} ! f. {} ! f.",
            timed(3),
            timed(4)
        );
        let log = run(&line);
        assert_eq!(log.of("buf").len(), 7);
        assert_eq!(log.of("stream-start").len(), 1);
    });
}

#[test]
fn funnel_ends_when_the_last_pad_that_had_not_ended_is_released() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "funnel name=f ! fakesink name=out {} ! f. fakesrc is-live=true name=s ! f.",
            timed(2)
        ));
        let log = watch(&pipeline, "out");
        pipeline.set_state(State::Paused);
        let (funnel, source) = (pipeline.by_name("f").unwrap(), pipeline.by_name("s").unwrap());
        source.set_locked_state(true);
        source.set_state(State::Null);
        pipeline.set_state(State::Playing);
        routing_support::until("both buffers passed", || log.of("buf").len() == 2);
        funnel.release_pad(&funnel.static_pad("funnelpad1").unwrap());
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn valve_that_drops_lets_nothing_through_until_it_is_opened_then_all_events_and_a_discont() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "{} ! identity name=i ! valve name=v drop=true ! fakesink name=out async=false",
            timed(5)
        ));
        let log = watch(&pipeline, "out");
        let valve = pipeline.by_name("v").unwrap();
        let (mut seen, opened) = (0, valve.clone());
        pipeline.by_name("i").unwrap().static_pad("sink").unwrap().add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                seen += 1;
                if seen == 4 {
                    opened.set("drop", false).unwrap();
                }
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(log.text(), "stream-start segment+0 buf!@300 buf@400 eos");
    });
}

#[test]
fn valve_in_each_mode_drops_what_the_mode_says() {
    everywhere(|| {
        for (mode, words) in [
            ("forward-sticky-events", "stream-start segment+0 eos"),
            ("transform-to-gap", "stream-start segment+0 gap@0 gap@100 eos"),
        ] {
            let line =
                format!("{} ! valve drop=true drop-mode={mode} ! fakesink name=out", timed(2));
            assert_eq!(run(&line).text(), words, "{mode}");
        }
    });
}

#[test]
fn valve_passes_on_what_downstream_says_only_while_it_is_open() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "{} ! valve drop=true ! fakesink name=out async=false num-buffers=0",
            timed(3)
        ));
        let log = watch(&pipeline, "out");
        pipeline.set_state(State::Playing);
        // Nothing gets out, the end neither; the source comes to its end all the same.
        routing_support::until("the source is through", || {
            let source = pipeline.by_name("fakesrc0").unwrap();
            source
                .static_pad("src")
                .unwrap()
                .sticky_events()
                .iter()
                .any(|e| e.kind == EventKind::Eos)
        });
        assert_eq!(log.text(), "");
        pipeline.set_state(State::Null);
    });
}
