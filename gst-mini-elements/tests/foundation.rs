//! What the framework promises whoever writes elements or drives pipelines, shown on both runtimes.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::element_prelude as author;
use gst_mini_core::element_prelude::{Cx, Element, Factory, PadTemplate, Prop, Sink, Transform};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Asks upstream for its caps from inside every chain call.
#[derive(Default)]
struct AskingSink {
    answers: u64,
}

impl Element for AskingSink {
    const NAME: &str = "askingsink";
    const SUMMARY: &str = "Queries caps upstream from inside its chain";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(author::ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::published("answers", author::types::UINT64, "Answers got", "0")];
}

impl Sink for AskingSink {
    const SYNC: bool = false;
    fn render(&mut self, cx: &mut Cx, _: Buffer) -> FlowResult {
        let mut query = Query::caps(None);
        if cx.peer_query(author::FIRST_PAD, &mut query) {
            self.answers += 1;
            cx.publish("answers", self.answers);
        }
        Ok(())
    }
}

/// Panics at the third buffer.
#[derive(Default)]
struct Panics {
    seen: u32,
}

impl Element for Panics {
    const NAME: &str = "panics";
    const SUMMARY: &str = "Panics at the third buffer";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(author::ANY), PadTemplate::src(author::ANY)];
}

impl Transform for Panics {
    fn transform(&mut self, _: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.seen += 1;
        assert!(self.seen < 3, "the third buffer");
        Ok(Some(buf))
    }
}

register![Factory::sink::<AskingSink>(), Factory::transform::<Panics>()];

fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    test();
    for seed in 0..20 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn end(pipeline: &Bin) -> MessageKind {
    pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end within a minute").kind
}

#[test]
fn a_sink_may_query_caps_upstream_from_inside_its_chain() {
    everywhere(|| {
        let pipeline =
            launch("fakesrc num-buffers=5 ! identity ! queue ! identity ! askingsink name=s");
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        assert_eq!(pipeline.by_name("s").unwrap().get_as::<u64>("answers"), Some(5));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_property_set_while_a_buffer_is_held_in_preroll_returns_at_once_and_takes_effect() {
    everywhere(|| {
        let pipeline = launch("fakesrc num-buffers=20 ! identity name=i ! fakesink name=s");
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        let identity = pipeline.by_name("i").unwrap();
        identity.set("drop-probability", 1.0).unwrap();
        assert_eq!(identity.get_as::<f64>("drop-probability"), Some(1.0), "visible at once");
        let seen = Arc::new(AtomicU64::new(0));
        let sink = pipeline.by_name("s").unwrap();
        let counted = seen.clone();
        sink.connect("handoff", move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        sink.set("signal-handoffs", true).unwrap();
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        assert!(seen.load(Ordering::Relaxed) <= 2, "only what was under way passed");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn an_application_may_seek_or_be_refused_while_every_pad_is_busy() {
    everywhere(|| {
        let pipeline = launch(
            "fakesrc ! queue max-size-buffers=2 ! identity sleep-time=100 ! queue max-size-buffers=2 ! fakesink",
        );
        pipeline.set_state(State::Playing);
        pipeline.state(None);
        // fakesrc cannot seek: the answer is no, and it comes although all queues are full.
        assert!(!pipeline.seek(Seek::to(ClockTime::SECOND)));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn stopping_ends_every_wait() {
    everywhere(|| {
        for line in [
            "fakesrc ! queue max-size-buffers=1 ! fakesink",
            "fakesrc ! fakesink sync=true",
            "fakesrc sizetype=fixed sizemax=1000 format=time datarate=1000 ! queue ! fakesink sync=true",
            "fakesrc ! identity sleep-time=60000000 ! fakesink",
        ] {
            for state in [State::Paused, State::Playing] {
                let pipeline = launch(line);
                pipeline.set_state(state);
                pipeline.state(Some(ClockTime::from_millis(20)));
                assert_eq!(pipeline.set_state(State::Null), StateReturn::Success, "{line}");
            }
        }
    });
}

#[test]
fn running_time_stands_still_while_paused() {
    Sim::new(1)
        .run(|| {
            gst_mini_elements::register();
            let pipeline = launch("fakesrc is-live=true format=time datarate=1000 sizetype=fixed sizemax=1000 ! fakesink sync=true");
            pipeline.set_state(State::Playing);
            gst_mini_core::runtime::sleep_until(gst_mini_core::runtime::now() + ClockTime::from_secs(3));
            pipeline.set_state(State::Paused);
            pipeline.bus().timed_pop_filtered(Some(ClockTime::from_secs(100)), |_| false);
            pipeline.set_state(State::Playing);
            let running_time = pipeline.running_time().unwrap();
            assert_eq!(running_time.nanos() / 1_000_000, 3_000, "100 s of pause do not count");
            pipeline.set_state(State::Null);
        })
        .unwrap();
}

#[test]
fn a_live_source_gives_no_preroll() {
    everywhere(|| {
        let pipeline = launch("fakesrc is-live=true ! fakesink");
        assert_eq!(pipeline.set_state(State::Paused), StateReturn::NoPreroll);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn end_of_stream_comes_from_all_sinks() {
    everywhere(|| {
        let pipeline = launch(
            "fakesrc num-buffers=5 ! fakesink fakesrc num-buffers=20 format=time datarate=1000 sizetype=fixed sizemax=100 ! fakesink sync=true",
        );
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        let running_time = pipeline.running_time().unwrap();
        assert!(running_time >= RunningTime::from_nanos(1_900_000_000), "{running_time}");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_panic_becomes_an_error_that_names_the_element_and_the_process_lives() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! panics name=p ! fakesink");
        pipeline.set_state(State::Playing);
        let message = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).unwrap();
        assert_eq!(message.source, "p");
        let MessageKind::Error(error) = message.kind else { panic!("{:?}", message.kind) };
        assert!(error.text.contains("the third buffer"), "{error}");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_flow_error_names_the_element_that_refused_first() {
    everywhere(|| {
        let pipeline =
            launch("fakesrc ! identity ! queue ! identity name=bad error-after=3 ! fakesink");
        pipeline.set_state(State::Playing);
        let message = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).unwrap();
        assert_eq!(message.source, "bad");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn an_unlinked_pad_is_named() {
    everywhere(|| {
        let pipeline = launch("fakesrc name=a ! identity name=b");
        pipeline.set_state(State::Playing);
        let message = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).unwrap();
        let MessageKind::Error(error) = message.kind else { panic!("{:?}", message.kind) };
        assert!(error.text.contains("b:src is not linked"), "{error}");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn formats_that_do_not_fit_are_refused_with_both_sides_and_the_field() {
    gst_mini_elements::register();
    let error = parse_launch(
        "fakesrc ! capsfilter caps=video/x-raw,format=I420 ! capsfilter caps=video/x-raw,format=RGBA ! fakesink",
    )
    .unwrap_err()
    .to_string();
    assert!(error.contains("capsfilter0") && error.contains("capsfilter1"), "{error}");
    assert!(error.contains("format") && error.contains("videoconvert"), "{error}");
}

#[test]
fn a_misspelt_element_or_property_gets_the_nearest_names() {
    gst_mini_elements::register();
    let error = |line: &str| parse_launch(line).unwrap_err().to_string();
    assert!(error("fakesorc ! fakesink").contains("fakesrc"));
    assert!(error("fakesrc num-bufers=3 ! fakesink").contains("num-buffers"));
    assert!(error("fakesrc ! queue leaky=sideways ! fakesink").contains("upstream"));
    assert!(error("fakesrc name=a ! fakesink aa. ! fakesink").contains("\"a\""));
}

#[test]
fn a_capsfilter_names_the_format_of_data_that_has_none() {
    everywhere(|| {
        let pipeline =
            launch("fakesrc num-buffers=3 ! application/x-test,rate=5 ! fakesink name=s");
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        let caps = pipeline.by_name("s").unwrap().static_pad("sink").unwrap().current_caps();
        assert_eq!(
            caps.map(|caps| caps.to_string()).as_deref(),
            Some("application/x-test, rate=(int)5")
        );
        pipeline.set_state(State::Null);
    });
}

#[test]
fn an_application_may_seek_while_every_pad_is_busy() {
    everywhere(|| {
        let pipeline = launch(
            "videotestsrc ! video/x-raw,width=16,height=16 ! queue max-size-buffers=2 ! identity sleep-time=100 ! queue max-size-buffers=2 ! fakesink sync=true name=s",
        );
        pipeline.set_state(State::Playing);
        pipeline.state(None);
        for second in [5, 2, 9] {
            assert!(pipeline.seek(Seek::to(ClockTime::from_secs(second))));
            assert_eq!(pipeline.state(None).1, State::Playing, "PLAYING again by itself");
            let mut query = Query::position();
            assert!(pipeline.query(&mut query));
            let Query::Position { position: Some(position), .. } = query else {
                panic!("{query:?}")
            };
            assert_eq!(position / 1_000_000_000, second, "{position}");
        }
        pipeline.set_state(State::Null);
    });
}
