//! What the host lends, asked for by linked and by loaded elements, and panics of the host under their calls.

mod support;

use gst_mini_core::event::{CustomKind, EventKind, Seek};
use gst_mini_core::pad::{ProbeReturn, ProbeType};
use gst_mini_core::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};
use support::{Form, element};

/// The simulator is one for the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pipeline_of(elements: &[&ElementRef]) -> Bin {
    let pipeline = Bin::pipeline("lent");
    for element in elements {
        pipeline.add(element).expect("a free name");
    }
    pipeline.link(elements).expect("they fit");
    pipeline
}

/// Plays to the end and tells what was told, with what the sink got.
fn told(pipeline: &Bin) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let message = pipeline.bus().timed_pop(Some(ClockTime::from_secs(60))).expect("an end");
        match &message.kind {
            MessageKind::Element(told) => lines.push(format!("{}: {told}", message.source)),
            MessageKind::Error(error) => {
                lines.push(format!("{}: {} {}", message.source, error.kind.name(), error.text));
                return lines;
            }
            MessageKind::Eos => return lines,
            _ => {}
        }
    }
}

/// With both forms, on several seeds.
fn alike(scenario: impl Fn(Form) -> Vec<String>) -> Vec<String> {
    let _alone = alone();
    let mut last = Vec::new();
    for seed in 0..8 {
        let run =
            |form| Sim::new(seed).run(|| scenario(form)).unwrap_or_else(|dead| panic!("{dead}"));
        last = run(Form::Linked);
        assert_eq!(last, run(Form::Loaded), "seed {seed}");
    }
    last
}

#[track_caller]
fn has(lines: &[String], text: &str) {
    assert!(lines.iter().any(|line| line.contains(text)), "{text} is not in\n{}", lines.join("\n"));
}

#[test]
fn buffers_events_and_facts_are_lent_alike() {
    let lines = alike(|form| {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "7")]);
        let lent = element(form, "fixturelent", "lent", &[]);
        let sink = element(form, "fixturesink", "sink", &[]);
        let pipeline = pipeline_of(&[&src, &lent, &sink]);
        pipeline.set_state(State::Playing);
        let hello = EventKind::Custom(CustomKind::Upstream, Structure::new("hello"));
        sink.pads()[0].push_event(Event::new(hello));
        let mut latency = Query::Latency { live: false, min: ClockTime::ZERO, max: None };
        let answered = pipeline.query(&mut latency);
        let mut lines = told(&pipeline);
        lines.push(format!("{answered} {latency:?}"));
        pipeline.set_state(State::Null);
        lines
    });
    let rendered = lines.iter().filter(|line| line.starts_with("sink: rendered")).count();
    assert_eq!(rendered, 8, "three twice, two once, two not at all\n{}", lines.join("\n"));
    has(&lines, "runtime=(guint64)");
    has(&lines, "simulated=(boolean)true, flushing=(boolean)false");
    has(&lines, "lent: heard, event=(string)hello");
}

#[test]
fn a_task_waits_in_every_way_and_is_started_again() {
    let lines = alike(|form| {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "12")]);
        let task = element(form, "fixturetask", "task", &[]);
        let sink = element(form, "fixturesink", "sink", &[("sync", "false")]);
        let pipeline = pipeline_of(&[&src, &task, &sink]);
        pipeline.set_state(State::Playing);
        let lines = told(&pipeline);
        pipeline.set_state(State::Null);
        lines
    });
    has(&lines, "task: stored, done=(boolean)true");
    has(&lines, "task: woken, how=(string)TimedOut");
    has(&lines, "task: restarted, done=(boolean)true");
    let rendered = lines.iter().filter(|line| line.starts_with("sink: rendered")).count();
    assert_eq!(rendered, 12, "{}", lines.join("\n"));
}

#[test]
fn waits_of_a_task_end_with_a_flush_and_with_the_stream() {
    let lines = alike(|form| {
        let src = element(Form::Linked, "fixturepanicsrc", "src", &[("num-buffers", "100")]);
        let task = element(form, "fixturetask", "task", &[]);
        let lent = element(form, "fixturelent", "lent", &[]);
        let sink = element(form, "fixturesink", "sink", &[]);
        let pipeline = pipeline_of(&[&src, &task, &lent, &sink]);
        pipeline.set_state(State::Playing);
        pipeline.state(Some(ClockTime::SECOND));
        for millis in [10, 200, 30] {
            pipeline.bus().timed_pop(Some(ClockTime::from_millis(millis)));
            let taken = pipeline.seek(Seek::to(ClockTime::from_millis(millis)));
            assert!(taken, "{form:?}");
        }
        pipeline.set_state(State::Null);
        vec![format!("{:?}", pipeline.state(None))]
    });
    has(&lines, "Null");
}

/// An application that panics in what an element calls: the element goes on, as with a handler that said nothing.
#[test]
fn a_panic_of_the_application_under_a_call_of_an_element_is_contained() {
    let _alone = alone();
    for form in [Form::Linked, Form::Loaded] {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "3")]);
        let all = element(form, "fixtureall", "all", &[]);
        all.connect_answering("ask", |_| -> Option<Value> { panic!("told to, in a handler") });
        let pipeline = pipeline_of(&[&src, &all]);
        pipeline.set_state(State::Playing);
        let lines = told(&pipeline);
        has(&lines, "all: facts, asked=(string)nobody");
        pipeline.set_state(State::Null);
        // What is thrown is not dropped either.
        let thrower = element(form, "fixtureall", "thrower", &[]);
        struct Grenade;
        impl Drop for Grenade {
            fn drop(&mut self) {
                panic!("a payload was dropped");
            }
        }
        thrower.connect_answering("ask", |_| -> Option<Value> { std::panic::panic_any(Grenade) });
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "3")]);
        let pipeline = pipeline_of(&[&src, &thrower]);
        pipeline.set_state(State::Playing);
        has(&told(&pipeline), "thrower: facts, asked=(string)nobody");
        pipeline.set_state(State::Null);
    }
}

/// In a push of the element's own, which ends with an error of its flow instead.
#[test]
fn a_panic_of_a_probe_under_a_push_of_an_element_is_contained() {
    let _alone = alone();
    for form in [Form::Linked, Form::Loaded] {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "3")]);
        let deal = element(form, "fixturedeal", "deal", &[]);
        let sink = element(form, "fixturesink", "sink", &[("sync", "false")]);
        let pipeline = pipeline_of(&[&src, &deal, &sink]);
        let probed = sink.pads()[0].add_probe(
            ProbeType::BUFFER,
            Box::new(|_| -> ProbeReturn { panic!("told to, in a probe") }),
        );
        pipeline.set_state(State::Playing);
        let lines = told(&pipeline);
        has(&lines, "deal: failed failed in chain and did not say why");
        pipeline.set_state(State::Null);
        // The same elements play on without it.
        sink.pads()[0].remove_probe(probed);
        pipeline.set_state(State::Playing);
        assert!(told(&pipeline).iter().any(|line| line.starts_with("sink: rendered")), "{form:?}");
        pipeline.set_state(State::Null);
    }
}

/// So what is lent is used by some element of the fixture, which the suites run in both forms.
#[test]
fn there_is_nothing_lent_that_is_not_used() {
    let header = include_str!("../../include/gst_mini.h");
    let sources = [
        include_str!("../src/lib.rs"),
        include_str!("../src/surface.rs"),
        include_str!("../src/lent.rs"),
        include_str!("../src/panics.rs"),
    ]
    .concat();
    for (table, receivers) in [("GmCxVTable", &["cx."][..]), ("GmPosterVTable", &["poster."])] {
        let table = header.split_once(&format!("struct {table} {{")).expect("the table").1;
        let table = table.split_once("\n};").expect("its end").0;
        let named = |line: &'static str| Some(line.split_once("(*")?.1.split_once(')')?.0);
        let functions = table.lines().filter_map(named);
        let mut count = 0;
        for function in functions {
            count += 1;
            let called = match function {
                "clock_wait" => "wait_clock",
                "simulated" => "is_simulated",
                "flushing" => "is_flushing",
                "sticky_event" => "sticky_events",
                "log_enabled" => "log",
                // A handle's own copies and its end.
                "clone" | "unref" => continue,
                other => other,
            };
            let is_used = receivers.iter().any(|cx| sources.contains(&format!("{cx}{called}(")));
            assert!(is_used, "{function}");
        }
        assert!(count > 5);
    }
}
