//! Elements without a role that let the host pass buffers through their only source pad, a tee with one branch above all.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod routing_support;

use gst_mini_core::element_prelude as author;
use gst_mini_core::element_prelude::{
    Cx, Element, FIRST_PAD, Factory, Live, MultiPad, PadTemplate, Prop, SECOND_PAD,
};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use gst_mini_core::runtime;
use routing_support::{end, everywhere, launch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const BUFFERS: u64 = 2_000;
const MIDDLE: u64 = 1_000;

/// Lets the host pass buffers on, and tells how many it was asked about itself.
#[derive(Default)]
struct Window {
    opaque: Live<bool>,
    asked: Live<u64>,
}

impl Element for Window {
    const NAME: &str = "window";
    const SUMMARY: &str = "Is not there";
    const PADS: &[PadTemplate] = &[
        PadTemplate::sink(author::ANY),
        PadTemplate::src(author::ANY),
        PadTemplate::sometimes_src("more_%u", author::ANY),
    ];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("opaque", author::types::BOOLEAN, "Sees each buffer", |e: &Self| &e.opaque),
        Prop::live("asked", author::types::UINT64, "Buffers it saw", |e: &Self| &e.asked),
    ];
}

impl MultiPad for Window {
    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        self.asked.set(self.asked.get() + 1);
        cx.push(SECOND_PAD, buf)
    }
    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        match event.kind {
            EventKind::Custom(..) => cx.add_pad("more_%u", "more_0", &[]).is_some(),
            _ => cx.event_default(event),
        }
    }
    fn passes(&self, cx: &Cx) -> bool {
        assert_eq!(cx.pad(), FIRST_PAD);
        !self.opaque.get()
    }
}

register![Factory::multi_pad::<Window>()];

/// Plays a line to its end; `act` is called on the streaming thread, when the sink "out" has buffer number
/// [`MIDDLE`] `- 1`.
fn run(line: &str, act: impl Fn(&Bin) + Send + Sync + 'static) -> (Bin, MessageKind) {
    let pipeline = launch(&format!("fakesrc num-buffers={BUFFERS} ! {line}"));
    let seen = AtomicU64::new(0);
    let inside = pipeline.clone();
    let out = pipeline.by_name("out").unwrap();
    out.set("signal-handoffs", true).unwrap();
    out.connect("handoff", move |_| {
        if seen.fetch_add(1, Ordering::Relaxed) + 1 == MIDDLE {
            act(&inside);
        }
    });
    pipeline.set_state(State::Playing);
    let ended = end(&pipeline);
    (pipeline, ended)
}

/// The stream of a sink that nobody feeds any more ends, once this call of its handler is over.
fn end_of(pipeline: &Bin, sink: &str) {
    let sink = pipeline.by_name(sink).unwrap();
    runtime::spawn("end", move || {
        sink.send_event(Event::eos());
    })
    .unwrap();
}

fn rendered(pipeline: &Bin, sink: &str) -> u64 {
    let stats: String = pipeline.by_name(sink).unwrap().get_as("stats").unwrap();
    let stats: Structure = stats.parse().unwrap();
    stats.get("rendered").and_then(Value::as_u64).unwrap()
}

fn asked(pipeline: &Bin, name: &str) -> u64 {
    pipeline.by_name(name).unwrap().get_as("asked").unwrap()
}

/// Buffers that came to both sinks, in a line that ends well.
fn both(line: &str, act: impl Fn(&Bin) + Send + Sync + 'static) -> (u64, u64) {
    let (pipeline, ended) = run(line, act);
    assert_eq!(ended, MessageKind::Eos, "{line}");
    let both = (rendered(&pipeline, "out"), rendered(&pipeline, "second"));
    pipeline.set_state(State::Null);
    both
}

#[test]
fn on_threads_it_is_not_called_for_each_buffer() {
    let (pipeline, ended) = run(
        "identity ! window name=a ! tee ! window name=b ! identity ! fakesink name=out",
        |_| {},
    );
    assert_eq!((ended, rendered(&pipeline, "out")), (MessageKind::Eos, BUFFERS));
    assert!(asked(&pipeline, "a") < MIDDLE / 2 && asked(&pipeline, "b") < MIDDLE / 2);
    pipeline.set_state(State::Null);
}

#[test]
fn a_property_is_heard_with_the_next_buffer() {
    everywhere(|| {
        let (pipeline, ended) =
            run("window name=a ! tee ! window name=b ! fakesink name=out", |pipeline| {
                let element = pipeline.by_name("b").unwrap();
                element.set("asked", 0).unwrap();
                element.set("opaque", true).unwrap();
            });
        assert_eq!((ended, asked(&pipeline, "b")), (MessageKind::Eos, BUFFERS - MIDDLE));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn one_that_gets_another_source_pad_is_called_again() {
    everywhere(|| {
        let before = Arc::new(AtomicU64::new(0));
        let noted = before.clone();
        let (pipeline, ended) =
            run("identity ! window name=a ! identity ! fakesink name=out", move |pipeline| {
                noted.store(asked(pipeline, "a"), Ordering::Relaxed);
                // Nothing but the pad tells that it is so no more.
                let sink = pipeline.by_name("out").unwrap().static_pad("sink").unwrap();
                assert!(sink.push_event(Event::force_key_unit(None, 0)));
            });
        let since = asked(&pipeline, "a") - before.load(Ordering::Relaxed);
        assert_eq!((ended, since), (MessageKind::Eos, BUFFERS - MIDDLE));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_tee_that_is_to_tell_tells_of_the_next_buffer() {
    everywhere(|| {
        let (pipeline, _) = run("tee name=t ! fakesink name=out", |pipeline| {
            pipeline.by_name("t").unwrap().set("silent", false).unwrap();
        });
        let told: String = pipeline.by_name("t").unwrap().get_as("last-message").unwrap();
        assert!(told.contains("chain"), "{told}");
        pipeline.set_state(State::Null);
    });
}

const TWO: &str = "tee name=t ! identity ! fakesink name=out async=false \
                   identity name=way ! fakesink name=second async=false";

#[test]
fn a_second_branch_gets_the_next_buffer() {
    everywhere(|| {
        let line = TWO;
        let seen = both(line, |pipeline| {
            let branch = pipeline.by_name("t").unwrap().request_pad("src_%u").unwrap();
            let way = pipeline.by_name("way").unwrap().static_pad("sink").unwrap();
            branch.link(&way).unwrap();
        });
        assert_eq!(seen, (BUFFERS, BUFFERS - MIDDLE));
    });
}

#[test]
fn a_branch_that_is_left_alone_gets_every_buffer() {
    everywhere(|| {
        let line = "tee name=t ! identity ! fakesink name=out async=false \
                    t. ! identity ! fakesink name=second async=false";
        let seen = both(line, |pipeline| {
            let tee = pipeline.by_name("t").unwrap();
            let second = tee.pads().into_iter().find(|pad| pad.name() == "src_1").unwrap();
            tee.release_pad(&second);
            end_of(pipeline, "second");
        });
        assert_eq!(seen, (BUFFERS, MIDDLE - 1));
    });
}

#[test]
fn a_tee_in_front_of_another_follows_its_branches() {
    everywhere(|| {
        let line = "tee ! tee name=t ! tee ! fakesink name=out async=false \
                    identity name=way ! tee ! fakesink name=second async=false";
        let seen = both(line, |pipeline| {
            let tee = pipeline.by_name("t").unwrap();
            let way = pipeline.by_name("way").unwrap().static_pad("sink").unwrap();
            tee.request_pad("src_%u").unwrap().link(&way).unwrap();
            // Alone again for a moment, and not.
            let third = tee.request_pad("src_%u").unwrap();
            tee.release_pad(&third);
        });
        assert_eq!(seen, (BUFFERS, BUFFERS - MIDDLE));
    });
}

#[test]
fn a_branch_that_is_linked_to_somebody_else_goes_there() {
    everywhere(|| {
        let seen = both(TWO, |pipeline| {
            let tee = pipeline.by_name("t").unwrap();
            let branch = tee.pads().into_iter().find(|pad| pad.name() == "src_0").unwrap();
            branch.unlink();
            let way = pipeline.by_name("way").unwrap().static_pad("sink").unwrap();
            branch.link(&way).unwrap();
            end_of(pipeline, "out");
        });
        assert_eq!(seen, (MIDDLE, BUFFERS - MIDDLE));
    });
}

#[test]
fn a_branch_that_leads_nowhere_is_an_error_unless_that_is_allowed() {
    everywhere(|| {
        for allowed in [false, true] {
            let line = format!("tee name=t allow-not-linked={allowed} ! fakesink name=out");
            let (pipeline, ended) = run(&line, move |pipeline| {
                let tee = pipeline.by_name("t").unwrap();
                let branch = tee.pads().into_iter().find(|pad| pad.name() == "src_0").unwrap();
                branch.unlink();
                if allowed {
                    end_of(pipeline, "out");
                }
            });
            assert_eq!(matches!(ended, MessageKind::Error(_)), !allowed, "{ended:?}");
            assert_eq!(rendered(&pipeline, "out"), MIDDLE);
            pipeline.set_state(State::Null);
        }
    });
}

#[test]
fn a_probe_behind_it_sees_each_buffer_once() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "fakesrc num-buffers={BUFFERS} ! tee name=t ! tee ! fakesink name=out"
        ));
        let seen = Arc::new(AtomicU64::new(0));
        let count = seen.clone();
        let tee = pipeline.by_name("t").unwrap();
        let branch = tee.pads().into_iter().find(|pad| pad.name() == "src_0").unwrap();
        branch.add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| match count.fetch_add(1, Ordering::Relaxed) % 2 {
                0 => ProbeReturn::Drop,
                _ => ProbeReturn::Ok,
            }),
        );
        pipeline.set_state(State::Playing);
        assert_eq!(end(&pipeline), MessageKind::Eos);
        assert_eq!(seen.load(Ordering::Relaxed), BUFFERS);
        assert_eq!(rendered(&pipeline, "out"), BUFFERS / 2);
        pipeline.set_state(State::Null);
    });
}
