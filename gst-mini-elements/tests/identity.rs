//! `identity`, `clocksync` and `fakesink`: what their properties do.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod routing_support;

use gst_mini_core::prelude::*;
use routing_support::{end, everywhere, in_sim, launch, run, watch};

/// `n` buffers of 100 ms.
fn timed(n: u32) -> String {
    format!("fakesrc num-buffers={n} format=time datarate=1000 sizetype=fixed sizemax=100")
}

#[test]
fn eos_after_ends_before_that_buffer() {
    everywhere(|| {
        let log = run(&format!("{} ! identity eos-after=3 ! fakesink name=out", timed(10)));
        assert_eq!(log.text(), "stream-start segment+0 buf!@0 buf@100 eos");
    });
}

#[test]
fn a_dropped_buffer_leaves_a_gap() {
    everywhere(|| {
        let log = run(&format!("{} ! identity drop-probability=1 ! fakesink name=out", timed(2)));
        assert_eq!(log.text(), "stream-start segment+0 gap@0 gap@100 eos");
        let log =
            run(&format!("{} ! identity drop-buffer-flags=discont ! fakesink name=out", timed(2)));
        assert_eq!(log.text(), "stream-start segment+0 gap@0 buf!@100 eos");
    });
}

#[test]
fn single_segment_stamps_with_running_times() {
    everywhere(|| {
        let log = run(&format!(
            "concat name=c ! identity single-segment=true ! fakesink name=out {} ! c. {} ! c.",
            timed(2),
            timed(1)
        ));
        assert_eq!(log.of("segment"), ["segment+0"]);
        assert_eq!(log.of("buf"), ["buf!@0", "buf@100", "buf!@200"]);
    });
}

#[test]
fn datarate_stamps_bytes() {
    everywhere(|| {
        let log = run(
            "fakesrc num-buffers=3 sizetype=fixed sizemax=50 ! identity datarate=100 ! fakesink name=out",
        );
        assert_eq!(log.of("buf"), ["buf!@0", "buf@500", "buf@1000"]);
    });
}

#[test]
fn imperfect_streams_are_told() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "concat name=c adjust-base=false ! identity name=i check-imperfect-timestamp=true ! \
             identity drop-probability=0 ! fakesink {} ! identity name=hole ! c.",
            timed(3)
        ));
        let hole = pipeline.by_name("hole").unwrap();
        hole.static_pad("src").unwrap().add_probe(
            ProbeType::BUFFER,
            Box::new(|data| match data {
                ProbeData::Buffer(buf) if buf.pts() == Some(ClockTime::from_millis(100)) => {
                    ProbeReturn::Drop
                }
                _ => ProbeReturn::Ok,
            }),
        );
        pipeline.set_state(State::Playing);
        let told = pipeline.bus().timed_pop_filtered(Some(ClockTime::from_secs(60)), |message| {
            matches!(message.kind, MessageKind::Element(_) | MessageKind::Eos)
        });
        let Some(MessageKind::Element(told)) = told.map(|message| message.kind) else {
            panic!("nothing was told");
        };
        assert_eq!(told.name(), "imperfect-timestamp");
        assert_eq!(told.get("delta").and_then(|delta| delta.as_i64()), Some(100_000_000));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn stats_count_what_passed() {
    everywhere(|| {
        let pipeline = launch(&format!("{} ! identity name=i ! fakesink", timed(3)));
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        let stats = pipeline.by_name("i").unwrap().get_as::<String>("stats").unwrap();
        assert!(stats.contains("num-bytes=(guint64)300, num-buffers=(guint64)3"), "{stats}");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn stats_of_a_sink_count_what_it_rendered_and_dropped() {
    in_sim(|| {
        let line = format!("{} ! identity sleep-time=150000 ! fakesink name=out", timed(5));
        let pipeline = launch(&format!("{line} sync=true max-lateness=0 qos=true"));
        let stats = || -> Structure {
            pipeline.by_name("out").unwrap().get_as::<String>("stats").unwrap().parse().unwrap()
        };
        assert_eq!(stats().get("average-rate").and_then(Value::as_f64), Some(0.0));
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        let told = stats();
        assert_eq!(told.name(), "application/x-gst-base-sink-stats");
        let (rendered, dropped) =
            (told.uint64("rendered").unwrap(), told.uint64("dropped").unwrap());
        assert!(rendered > 0 && dropped > 0 && rendered + dropped == 5, "{told}");
        assert!(told.get("average-rate").and_then(Value::as_f64) > Some(1.0), "{told}");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn identity_and_clocksync_let_a_buffer_go_when_it_is_due() {
    for sync in ["identity sync=true", "clocksync"] {
        in_sim(|| {
            let pipeline = launch(&format!("{} ! {sync} ! fakesink name=out", timed(5)));
            assert_eq!(pipeline.set_state(State::Paused), StateReturn::NoPreroll, "{sync}");
            let log = watch(&pipeline, "out");
            pipeline.set_state(State::Playing);
            assert_eq!(end(&pipeline), MessageKind::Eos);
            let ran = pipeline.running_time().unwrap().nanos();
            assert!((400_000_000..500_000_000).contains(&ran), "{sync}: {ran}");
            assert_eq!(log.of("buf").len(), 5);
            pipeline.set_state(State::Null);
        });
    }
}

#[test]
fn clocksync_ends_its_wait_when_it_is_stopped() {
    everywhere(|| {
        let pipeline =
            launch(&format!("{} ! clocksync ts-offset=3600000000000 ! fakesink", timed(5)));
        for state in [State::Paused, State::Playing] {
            pipeline.set_state(state);
            pipeline.state(Some(ClockTime::from_millis(20)));
            assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        }
    });
}

#[test]
fn clocksync_passes_at_once_when_it_is_not_in_sync() {
    everywhere(|| {
        let log = run(&format!("{} ! clocksync sync=false ! fakesink name=out", timed(5)));
        assert_eq!(log.of("buf").len(), 5);
    });
}

#[test]
fn fakesink_fails_the_state_change_it_is_told_to() {
    everywhere(|| {
        for (error, last) in [
            ("null-to-ready", State::Ready),
            ("ready-to-paused", State::Paused),
            ("paused-to-playing", State::Playing),
        ] {
            let pipeline = launch(&format!("fakesrc ! fakesink async=false state-error={error}"));
            for state in [State::Ready, State::Paused, State::Playing] {
                let came = pipeline.set_state(state);
                assert_eq!(came == StateReturn::Failure, state == last, "{error}: {state:?}");
                if state == last {
                    break;
                }
            }
            pipeline.set_state(State::Null);
        }
    });
}

#[test]
fn the_buffer_behind_dropped_ones_carries_discont() {
    everywhere(|| {
        let line = "fakesrc num-buffers=3 filltype=zero sizetype=fixed sizemax=1 \
             ! identity drop-buffer-flags=discont ! identity ! fakesink name=out";
        assert_eq!(run(line).of("buf"), ["buf!", "buf"]);
    });
}

#[test]
fn clocksync_has_no_property_qos() {
    gst_mini_elements::register();
    let refused = parse_launch("fakesrc ! clocksync qos=true ! fakesink").err().unwrap();
    assert_eq!(refused.class(), "no-such-property");
}
