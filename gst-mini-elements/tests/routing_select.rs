//! `input-selector`, `output-selector`, `streamiddemux`: which stream goes where.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod routing_support;

use gst_mini_core::prelude::*;
use routing_support::{Log, end, everywhere, in_sim, launch, until, watch};

/// `n` buffers of 100 ms.
fn timed(n: u32) -> String {
    format!("fakesrc num-buffers={n} format=time datarate=1000 sizetype=fixed sizemax=100")
}

fn buffers(log: &Log) -> usize {
    log.of("buf").len()
}

/// Does something when buffer `n` (from 1) passes the sink pad of element `name`.
fn at_buffer(pipeline: &Bin, name: &str, n: u32, then: impl Fn() + Send + 'static) {
    let mut seen = 0;
    pipeline.by_name(name).unwrap().static_pad("sink").unwrap().add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            seen += 1;
            if seen == n {
                then();
            }
            ProbeReturn::Ok
        }),
    );
}

#[test]
fn input_selector_lets_its_first_pad_through_and_ends_when_all_have_ended() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "input-selector name=s ! fakesink name=out {} ! s. {} ! s.",
            timed(3),
            timed(5)
        ));
        let log = watch(&pipeline, "out");
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert!(matches!(buffers(&log), 3 | 5), "one stream alone: {:?}", log.words());
        assert_eq!(log.of("eos").len(), 1);
        assert_eq!(log.of("segment").len(), 1);
    });
}

#[test]
fn input_selector_switched_goes_on_at_the_same_time_with_a_discont() {
    in_sim(|| {
        let pipeline = launch(&format!(
            "input-selector name=s ! identity name=i ! fakesink name=out sync=true {} ! s. {} ! s.",
            timed(20),
            timed(20)
        ));
        let selector = pipeline.by_name("s").unwrap();
        selector.set("active-pad", "sink_0").unwrap();
        let log = watch(&pipeline, "out");
        let switched = selector.clone();
        at_buffer(&pipeline, "i", 10, move || switched.set("active-pad", "sink_1").unwrap());
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(selector.get_as::<String>("active-pad").as_deref(), Some("sink_1"));
        // The other stream waited where the active one was, a few buffers more or less.
        let words = log.of("buf");
        assert!((20..=24).contains(&words.len()), "{words:?}");
        assert_eq!(words.iter().filter(|word| word.starts_with("buf!")).count(), 2, "{words:?}");
        assert_eq!(log.of("segment").len(), 2, "{:?}", log.words());
    });
}

#[test]
fn input_selector_that_is_not_in_sync_drops_what_the_others_bring() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "input-selector name=s sync-streams=false ! fakesink name=out {} name=a ! s. {} name=b ! s.",
            timed(5),
            timed(500)
        ));
        let log = watch(&pipeline, "out");
        pipeline.by_name("s").unwrap().set("active-pad", "sink_0").unwrap();
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(buffers(&log), 5);
    });
}

#[test]
fn input_selector_in_clock_mode_drops_inactive_buffers_when_they_are_due() {
    in_sim(|| {
        let pipeline = launch(&format!(
            "input-selector name=s sync-mode=clock ! fakesink name=out sync=true {} ! s. {} ! s.",
            timed(10),
            timed(20)
        ));
        let log = watch(&pipeline, "out");
        pipeline.by_name("s").unwrap().set("active-pad", "sink_0").unwrap();
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        // The active stream's end is the end, although the other has more.
        let ran = pipeline.running_time().unwrap().nanos();
        assert!((900_000_000..1_100_000_000).contains(&ran), "{ran}");
        pipeline.set_state(State::Null);
        assert_eq!(buffers(&log), 10);
    });
}

#[test]
fn input_selector_names_pads_in_order_and_refuses_one_that_is_not_there() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! s.sink_4 fakesrc ! s. input-selector name=s ! fakesink");
        let selector = pipeline.by_name("s").unwrap();
        assert!(selector.static_pad("sink_0").is_some() && selector.static_pad("sink_1").is_some());
        assert_eq!(selector.get_as::<u32>("n-pads"), Some(2));
        assert!(selector.set("active-pad", "sink_7").is_err());
        selector.set("active-pad", "sink_1").unwrap();
        assert_eq!(selector.get_as::<String>("active-pad").as_deref(), Some("sink_1"));
        selector.release_pad(&selector.static_pad("sink_1").unwrap());
        assert_eq!(selector.get_as::<String>("active-pad").as_deref(), Some(""));
    });
}

#[test]
fn input_selector_stops_while_streams_wait_in_it() {
    everywhere(|| {
        for line in ["", "sync-mode=clock", "cache-buffers=true"] {
            let pipeline = launch(&format!(
                "input-selector name=s {line} ! fakesink {} ! s. {} ! s. {} ! s.",
                timed(50),
                timed(3),
                timed(50)
            ));
            for state in [State::Paused, State::Playing] {
                pipeline.set_state(state);
                pipeline.state(Some(ClockTime::from_millis(20)));
                assert_eq!(pipeline.set_state(State::Null), StateReturn::Success, "{line}");
            }
        }
    });
}

#[test]
fn input_selector_that_keeps_buffers_goes_on_with_what_had_not_ended() {
    in_sim(|| {
        let pipeline = launch(&format!(
            "input-selector name=s sync-mode=clock cache-buffers=true ! identity name=i ! fakesink name=out \
             {} ! s. {} ! s.",
            timed(10),
            timed(10)
        ));
        let selector = pipeline.by_name("s").unwrap();
        selector.set("active-pad", "sink_0").unwrap();
        let log = watch(&pipeline, "out");
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(buffers(&log), 10);
    });
}

#[test]
fn output_selector_sends_to_the_pad_that_was_chosen() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "{} ! identity name=i ! output-selector name=o \
             o. ! fakesink name=left async=false o. ! fakesink name=right async=false",
            timed(10)
        ));
        let selector = pipeline.by_name("o").unwrap();
        assert_eq!(selector.get_as::<String>("active-pad").as_deref(), Some("src_0"));
        assert!(selector.set("active-pad", "src_9").is_err());
        let (left, right) = (watch(&pipeline, "left"), watch(&pipeline, "right"));
        at_buffer(&pipeline, "i", 4, move || selector.set("active-pad", "src_1").unwrap());
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(left.text(), "stream-start segment+0 buf!@0 buf@100 buf@200 eos");
        assert_eq!(right.of("buf").len(), 7);
        assert_eq!(right.words()[..2], ["stream-start", "segment+0"]);
        assert_eq!(right.words().last().unwrap(), "eos");
    });
}

#[test]
fn output_selector_resends_the_latest_buffer_after_a_switch() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "{} ! identity name=i ! output-selector name=o resend-latest=true \
             o. ! fakesink name=left async=false o. ! fakesink name=right async=false",
            timed(4)
        ));
        let right = watch(&pipeline, "right");
        let selector = pipeline.by_name("o").unwrap();
        at_buffer(&pipeline, "i", 3, move || selector.set("active-pad", "src_1").unwrap());
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        pipeline.set_state(State::Null);
        assert_eq!(right.of("buf"), ["buf@100", "buf@200", "buf@300"]);
    });
}

#[test]
fn output_selector_in_active_mode_ends_the_active_stream_only() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "{} ! output-selector name=o pad-negotiation-mode=active \
             o. ! fakesink name=left async=false o. ! fakesink name=right async=false",
            timed(2)
        ));
        let (left, right) = (watch(&pipeline, "left"), watch(&pipeline, "right"));
        pipeline.set_state(State::Playing);
        until("the end came", || !left.of("eos").is_empty());
        pipeline.set_state(State::Null);
        assert_eq!(right.text(), "");
    });
}

#[test]
fn streamiddemux_gives_each_stream_a_pad_of_its_own() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "concat name=c ! streamiddemux name=d \
             d. ! queue ! fakesink name=first async=false d. ! queue ! fakesink name=second async=false \
             {} ! c. {} ! c.",
            timed(2),
            timed(3)
        ));
        let (first, second) = (watch(&pipeline, "first"), watch(&pipeline, "second"));
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        assert_eq!(first.text(), "stream-start segment+0 buf!@0 buf@100 eos");
        assert_eq!(second.text(), "stream-start segment+200 buf!@0 buf@100 buf@200 eos");
        let demux = pipeline.by_name("d").unwrap();
        assert_eq!(demux.get_as::<String>("active-pad").as_deref(), Some("src_1"));
        pipeline.set_state(State::Null);
        assert_eq!(demux.pads().len(), 1);
    });
}
