//! Elements that let the host pass buffers on by itself: what they would have done, seen from outside, stays done.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod routing_support;

use gst_mini_core::element_prelude as author;
use gst_mini_core::element_prelude::{
    Cx, Element, Factory, Live, PadTemplate, Passed, Passing, Prop, Source, Transform,
};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use routing_support::{end, everywhere, launch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const BUFFERS: u64 = 2_000;
const MIDDLE: u64 = 1_000;

/// Frames of 10 ms without a gap, but for a second before number [`MIDDLE`].
#[derive(Default)]
struct Jumping {
    made: u64,
}

impl Element for Jumping {
    const NAME: &str = "jumpingsrc";
    const SUMMARY: &str = "Makes frames with a hole in the middle";
    const PADS: &[PadTemplate] = &[PadTemplate::src(author::ANY)];
}

impl Source for Jumping {
    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        if self.made == BUFFERS {
            return Err(FlowError::Eos);
        }
        let hole = if self.made < MIDDLE { 0 } else { 1_000 };
        let mut buf = Buffer::from_vec(vec![0; 3]);
        buf.set_pts(Some(ClockTime::from_millis(10 * self.made + hole)));
        buf.set_duration(Some(ClockTime::from_millis(10)));
        self.made += 1;
        Ok(buf)
    }
}

/// Lets the host pass buffers on, and tells how many it was asked about itself.
#[derive(Default)]
struct Glass {
    opaque: bool,
    asked: Live<u64>,
    passed: Passed,
}

impl Element for Glass {
    const NAME: &str = "glass";
    const SUMMARY: &str = "Is not there";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(author::ANY), PadTemplate::src(author::ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::boolean("opaque", "Sees each buffer", |e: &mut Self| &mut e.opaque),
        Prop::live("asked", author::types::UINT64, "Buffers it saw", |e: &Self| &e.asked),
    ];
}

impl Transform for Glass {
    fn transform(&mut self, _: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.asked.set(self.asked.get() + 1);
        self.passed.count(&buf);
        Ok(Some(buf))
    }
    fn passes(&mut self, _: &Cx) -> Passing {
        if self.opaque { Passing::No } else { Passing::Counted(self.passed.clone()) }
    }
    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        if matches!(event.kind, EventKind::Eos) {
            let seen = (self.passed.buffers(), self.passed.bytes());
            assert_eq!(seen, (BUFFERS, 3 * BUFFERS));
            assert_eq!(self.passed.last().duration, Some(ClockTime::from_millis(10)));
        }
        let _ = cx;
        Ok(true)
    }
}

register![Factory::source::<Jumping>(), Factory::transform::<Glass>()];

/// Starts a line; `act` is called on the streaming thread, when the sink has buffer number [`MIDDLE`] `- 1`.
fn begin(line: &str, act: impl Fn(&Bin) + Send + Sync + 'static) -> Bin {
    let pipeline = launch(&format!("jumpingsrc ! {line} ! fakesink name=out signal-handoffs=true"));
    let seen = AtomicU64::new(0);
    let inside = pipeline.clone();
    pipeline.by_name("out").unwrap().connect("handoff", move |_| {
        if seen.fetch_add(1, Ordering::Relaxed) + 1 == MIDDLE {
            act(&inside);
        }
    });
    pipeline.set_state(State::Playing);
    pipeline
}

/// As [`begin`], to the end.
fn run(line: &str, act: impl Fn(&Bin) + Send + Sync + 'static) -> Bin {
    let pipeline = begin(line, act);
    assert_eq!(end(&pipeline), MessageKind::Eos, "{line}");
    pipeline
}

fn asked(pipeline: &Bin, name: &str) -> u64 {
    pipeline.by_name(name).unwrap().get_as("asked").unwrap()
}

fn stop(pipeline: &Bin) {
    pipeline.set_state(State::Null);
}

#[test]
fn what_the_host_passes_on_is_counted_for_the_element() {
    everywhere(|| {
        let pipeline = run("glass ! glass name=a ! identity name=i ! glass", |_| {});
        let stats: String = pipeline.by_name("i").unwrap().get_as("stats").unwrap();
        assert!(stats.contains("num-bytes=(guint64)6000, num-buffers=(guint64)2000"), "{stats}");
        stop(&pipeline);
    });
}

#[test]
fn on_threads_it_is_not_asked_again() {
    let pipeline = run("glass name=a ! glass name=b", |_| {});
    assert!(asked(&pipeline, "a") < MIDDLE / 2 && asked(&pipeline, "b") < MIDDLE / 2);
    stop(&pipeline);
}

#[test]
fn one_that_does_not_let_it_is_asked_between_those_that_do() {
    everywhere(|| {
        let pipeline = run("glass ! glass name=wall opaque=true ! glass ! glass", |_| {});
        assert_eq!(asked(&pipeline, "wall"), BUFFERS);
        stop(&pipeline);
    });
}

#[test]
fn a_property_is_heard_with_the_next_buffer() {
    everywhere(|| {
        let pipeline = run("glass name=a ! glass name=b", |pipeline| {
            let element = pipeline.by_name("b").unwrap();
            element.set("asked", 0).unwrap();
            element.set("opaque", true).unwrap();
        });
        assert_eq!(asked(&pipeline, "b"), BUFFERS - MIDDLE);
        stop(&pipeline);
    });
}

#[test]
fn a_handler_hears_each_buffer_after_it_was_connected() {
    everywhere(|| {
        let heard = Arc::new(AtomicU64::new(0));
        let count = heard.clone();
        let pipeline = run("identity ! identity name=i", move |pipeline| {
            let count = count.clone();
            pipeline.by_name("i").unwrap().connect("handoff", move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(heard.load(Ordering::Relaxed), BUFFERS - MIDDLE);
        stop(&pipeline);
    });
}

#[test]
fn what_comes_next_is_compared_with_what_was_passed_on() {
    everywhere(|| {
        let pipeline = begin("identity name=i", |pipeline| {
            pipeline.by_name("i").unwrap().set("check-imperfect-timestamp", true).unwrap();
        });
        let told = pipeline.bus().timed_pop_filtered(None, |message| {
            matches!(message.kind, MessageKind::Element(_) | MessageKind::Eos)
        });
        let Some(MessageKind::Element(told)) = told.map(|message| message.kind) else {
            panic!("nothing was told");
        };
        let last = 10_000_000 * (MIDDLE - 1);
        assert!(told.to_string().contains(&format!("prev-timestamp=(guint64){last}")), "{told}");
        stop(&pipeline);
    });
}

#[test]
fn the_nth_buffer_is_the_nth_of_all() {
    everywhere(|| {
        let pipeline = begin("identity name=i", |pipeline| {
            pipeline.by_name("i").unwrap().set("eos-after", MIDDLE + 101).unwrap();
        });
        assert_eq!(end(&pipeline), MessageKind::Eos);
        let stats: String = pipeline.by_name("out").unwrap().get_as("stats").unwrap();
        let stats: Structure = stats.parse().unwrap();
        let rendered = stats.get("rendered").and_then(Value::as_u64);
        assert_eq!(rendered, Some(MIDDLE + 100));
        stop(&pipeline);
    });
}

/// Counts what passes the source pad of an element, and answers as `answer` says.
fn probe(
    pipeline: &Bin,
    name: &str,
    answer: impl Fn(u64) -> ProbeReturn + Send + 'static,
) -> Arc<AtomicU64> {
    let seen = Arc::new(AtomicU64::new(0));
    let count = seen.clone();
    let pad = pipeline.by_name(name).unwrap().static_pad("src").unwrap();
    let look = move |_: ProbeData<'_>| answer(count.fetch_add(1, Ordering::Relaxed) + 1);
    pad.add_probe(ProbeType::BUFFER, Box::new(look));
    seen
}

fn rendered(pipeline: &Bin) -> u64 {
    let stats: String = pipeline.by_name("out").unwrap().get_as("stats").unwrap();
    let stats: Structure = stats.parse().unwrap();
    stats.get("rendered").and_then(Value::as_u64).unwrap()
}

/// What probes inside a row saw of a stream to its end, each with its own place.
fn probed(line: &str, probes: &[(&str, fn(u64) -> ProbeReturn)]) -> (Vec<u64>, u64) {
    let pipeline = launch(&format!("jumpingsrc ! {line} ! fakesink name=out"));
    let seen: Vec<_> =
        probes.iter().map(|(name, answer)| probe(&pipeline, name, *answer)).collect();
    pipeline.set_state(State::Playing);
    assert_eq!(end(&pipeline), MessageKind::Eos, "{line}");
    let seen = seen.iter().map(|seen| seen.load(Ordering::Relaxed)).collect();
    let rendered = rendered(&pipeline);
    stop(&pipeline);
    (seen, rendered)
}

#[test]
fn probes_inside_a_row_see_each_buffer_once() {
    everywhere(|| {
        let all = |_| ProbeReturn::Ok;
        let seen = probed("identity name=a ! identity name=b", &[("a", all), ("b", all)]);
        assert_eq!(seen, (vec![BUFFERS, BUFFERS], BUFFERS));
    });
}

#[test]
fn what_a_probe_inside_a_row_drops_goes_no_further() {
    everywhere(|| {
        let every_second = |n| if n % 2 == 0 { ProbeReturn::Drop } else { ProbeReturn::Ok };
        let all = |_| ProbeReturn::Ok;
        let seen = probed("identity name=a ! identity name=b", &[("a", every_second), ("b", all)]);
        assert_eq!(seen, (vec![BUFFERS, BUFFERS / 2], BUFFERS / 2));
    });
}

#[test]
fn what_a_probe_inside_a_row_handles_is_what_the_source_gets() {
    everywhere(|| {
        let ends = |n| {
            if n > MIDDLE { ProbeReturn::Handled(Err(FlowError::Eos)) } else { ProbeReturn::Ok }
        };
        let seen = probed("identity name=a ! identity name=b", &[("b", ends)]);
        assert_eq!(seen, (vec![MIDDLE + 1], MIDDLE));
    });
}

#[test]
fn a_probe_inside_a_row_takes_itself_away() {
    everywhere(|| {
        let leaves = |n| if n == MIDDLE { ProbeReturn::Remove } else { ProbeReturn::Ok };
        let all = |_| ProbeReturn::Ok;
        let seen = probed("identity name=a ! identity name=b", &[("a", leaves), ("b", all)]);
        assert_eq!(seen, (vec![MIDDLE, BUFFERS], BUFFERS));
    });
}

#[test]
fn a_probe_that_disturbs_the_row_behind_it_is_not_called_again() {
    everywhere(|| {
        let pipeline = launch("jumpingsrc ! glass name=a ! glass name=b ! fakesink name=out");
        let behind = pipeline.by_name("b").unwrap();
        let seen = probe(&pipeline, "a", move |n| {
            if n % 500 == 0 {
                behind.set("opaque", n % 1_000 == 0).unwrap();
            }
            ProbeReturn::Ok
        });
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        assert_eq!((seen.load(Ordering::Relaxed), rendered(&pipeline)), (BUFFERS, BUFFERS));
        stop(&pipeline);
    });
}

#[test]
fn a_probe_that_blocks_holds_a_row_that_runs() {
    everywhere(|| {
        let held = Arc::new(AtomicU64::new(0));
        let count = held.clone();
        let pipeline = begin("identity name=a ! identity name=b", move |pipeline| {
            let count = count.clone();
            let pad = pipeline.by_name("a").unwrap().static_pad("src").unwrap();
            let look = move |_: ProbeData<'_>| {
                count.fetch_add(1, Ordering::Relaxed);
                ProbeReturn::Remove
            };
            pad.add_probe(ProbeType::BLOCK | ProbeType::BUFFER, Box::new(look));
        });
        assert_eq!(end(&pipeline), MessageKind::Eos);
        assert_eq!((held.load(Ordering::Relaxed), rendered(&pipeline)), (1, BUFFERS));
        stop(&pipeline);
    });
}
