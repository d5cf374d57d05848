//! A panic in any callback stops that element and nothing else: the bus names plugin, element and callback.

mod support;

use gst_mini_core::event::CustomKind;
use gst_mini_core::prelude::*;
use std::sync::{Mutex, PoisonError};
use support::{Form, element, factory};

const SRC: &[&str] = &[
    "change_state",
    "is_live",
    "info",
    "caps",
    "fixate",
    "start",
    "set_caps",
    "create",
    "seek",
    "src_event",
    "stop",
    "unlock",
    "query",
    "action",
    "set_property",
    "get_property",
    "provide_clock",
    "clock_now",
    "destroy",
];
const FILTER: &[&str] = &[
    "change_state",
    "transform_caps",
    "instance_caps",
    "fixate",
    "start",
    "set_caps",
    "transform",
    "foreign",
    "event_arrives",
    "sink_event",
    "src_event",
    "seek_through",
    "flush",
    "stop",
    "unlock",
    "query",
    "action",
    "set_property",
    "get_property",
    "provide_clock",
    "clock_now",
    "destroy",
];
const SINK: &[&str] = &[
    "change_state",
    "caps",
    "start",
    "set_caps",
    "preroll",
    "render",
    "event_arrives",
    "sink_event",
    "flush",
    "stop",
    "unlock",
    "query",
    "action",
    "set_property",
    "get_property",
    "provide_clock",
    "clock_now",
    "destroy",
];
const MULTI: &[&str] = &[
    "change_state",
    "start",
    "chain",
    "chain_list",
    "produce",
    "stopped",
    "sink_event",
    "src_event",
    "query",
    "flush",
    "oob_event",
    "property_changed",
    "pad_name",
    "pad_added",
    "pad_removed",
    "action",
    "stop",
    "unlock",
    "set_property",
    "get_property",
    "provide_clock",
    "clock_now",
    "destroy",
];

const PULLED: &[(&str, &str)] = &[
    ("ranges", "modes"),
    ("ranges", "get_range"),
    ("puller", "next_range"),
    ("puller", "transform"),
];

/// What is asked only on threads, when a stream has run for a while.
const SETTLED: &[&str] = &["passes"];

/// What thunks call a callback whose trait has another name for it.
fn told_as(callback: &str) -> &str {
    match callback {
        "foreign" => "transform",
        "instance_caps" => "transform_caps",
        "property_changed" => "set_property",
        other => other,
    }
}

/// Drives a pipeline with the element through everything there is, and gives the errors that were posted.
fn exercise(form: Form, role: &str, callback: &str) -> Vec<String> {
    let subject = element(form, &format!("fixturepanic{role}"), "subject", &[]);
    let pipeline = Bin::pipeline("panics");
    pipeline.set_auto_flush_bus(false);
    let src = element(Form::Linked, "fixturepanicsrc", "src", &[("num-buffers", "50")]);
    let sink = element(Form::Linked, "fixturesink", "sink", &[]);
    pipeline.add(&subject).expect("a free name");
    match role {
        "src" => {
            subject.set("num-buffers", 50).expect("a property of the base");
            pipeline.add(&sink).and_then(|()| pipeline.link(&[&subject, &sink])).expect("they fit");
        }
        "sink" => {
            pipeline.add(&src).and_then(|()| pipeline.link(&[&src, &subject])).expect("they fit");
        }
        "multi" => {
            let pairs = element(Form::Linked, "fixturepairs", "pairs", &[]);
            for element in [&src, &sink] {
                pipeline.add(element).expect("a free name");
            }
            if callback != "chain" {
                pipeline.add(&pairs).expect("a free name");
            }
            match callback {
                "chain" => pipeline.link(&[&src, &subject]).expect("they fit"),
                _ => pipeline.link(&[&src, &pairs, &subject]).expect("they fit"),
            }
            subject.set("panic-in", callback).expect("a property");
            // A panic while a pad is made or named is an error of who asks for it.
            let _ = pipeline.link(&[&subject, &sink]);
        }
        _ => {
            pipeline.add(&src).and_then(|()| pipeline.add(&sink)).expect("free names");
            pipeline.link(&[&src, &subject, &sink]).expect("they fit");
        }
    }
    let mut worked = None;
    if role != "multi" {
        subject.set("panic-in", callback).expect("a property");
    } else {
        worked = subject.request_pad("work_%u").ok();
    }
    let _ = subject.set("trigger", "x");
    let _ = subject.get("trigger");
    pipeline.set_state(State::Paused);
    pipeline.state(Some(ClockTime::SECOND));
    let custom = || EventKind::Custom(CustomKind::Upstream, Structure::new("hello"));
    if let Some(pad) = sink.pads().first().filter(|pad| pad.peer().is_some()) {
        pad.push_event(Event::new(custom()));
    }
    if role == "sink" {
        subject.send_event(Event::new(custom()));
    }
    pipeline.seek(Seek::to(ClockTime::from_millis(20)));
    pipeline.set_state(State::Playing);
    let _ = subject.query(&mut Query::Custom(Structure::new("question")));
    let _ = subject.act(&mut Action { name: "act".to_owned(), ..Action::default() });
    if let Some(clock) = pipeline.clock() {
        clock.now();
    }
    pipeline.bus().timed_pop(Some(ClockTime::from_millis(50)));
    let mut errors = Vec::new();
    let mut note = |timeout| {
        while let Some(message) = pipeline.bus().timed_pop(timeout) {
            match &message.kind {
                MessageKind::Error(error) => {
                    errors.push(format!(
                        "{} {}: {}",
                        message.source,
                        error.kind.name(),
                        error.text
                    ));
                }
                MessageKind::Eos => break,
                _ => {}
            }
        }
    };
    note(Some(ClockTime::SECOND));
    // What had no way to the bus is told by the next call that has one.
    let _ = subject.query(&mut Query::Custom(Structure::new("question")));
    note(Some(ClockTime::ZERO));
    if let Some(pad) = worked {
        subject.release_pad(&pad);
    }
    note(Some(ClockTime::ZERO));
    let stopped = pipeline.set_state(State::Null);
    note(Some(ClockTime::ZERO));
    let state = pipeline.state(Some(ClockTime::SECOND)).1;
    if callback != "change_state" {
        assert_eq!((stopped, state), (StateReturn::Success, State::Null), "{role} {callback}");
    }
    errors
}

/// The simulator is one for the process.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn every_callback_of(role: &'static str, callbacks: &[&'static str]) {
    let _alone = alone();
    let mut missing = Vec::new();
    for form in [Form::Linked, Form::Loaded] {
        for callback in callbacks {
            let errors = Sim::new(1).run(|| exercise(form, role, callback)).expect("no deadlock");
            let wanted = format!("subject panic: panicked in {}: told to", told_as(callback));
            let origin = format!("(element fixturepanic{role} of plugin fixture)");
            let told =
                errors.iter().any(|error| error.starts_with(&wanted) && error.ends_with(&origin));
            // What happens in `destroy` is told in the log: the bus is gone.
            if !told && *callback != "destroy" {
                missing.push(format!("{form:?} {role} {callback}: {errors:?}"));
            }
            let plain = Sim::new(1).run(|| exercise(form, role, "")).expect("no deadlock");
            assert!(plain.is_empty(), "{role} without a panic: {plain:?}");
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_panic_in_any_callback_of_a_source_is_told() {
    every_callback_of("src", SRC);
}

#[test]
fn a_panic_in_any_callback_of_a_transform_is_told() {
    every_callback_of("filter", FILTER);
}

#[test]
fn a_panic_in_any_callback_of_a_sink_is_told() {
    every_callback_of("sink", SINK);
}

#[test]
fn a_panic_in_any_callback_of_an_element_with_several_pads_is_told() {
    every_callback_of("multi", MULTI);
}

/// Pulls through both elements; `element` is the one that panics.
fn pull(form: Form, subject: &str, callback: &str) -> Vec<String> {
    let pipeline = Bin::pipeline("panics");
    pipeline.set_auto_flush_bus(false);
    let src = element(form, "fixturepanicranges", "ranges", &[]);
    let puller = element(form, "fixturepanicpuller", "puller", &[]);
    let sink = element(form, "fixturenull", "sink", &[("sync", "false")]);
    for element in [&src, &puller, &sink] {
        pipeline.add(element).expect("a free name");
    }
    pipeline.link(&[&src, &puller, &sink]).expect("they fit");
    let subject = if subject == "ranges" { &src } else { &puller };
    subject.set("panic-in", callback).expect("a property");
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::SECOND)).map(|end| end.kind);
    let mut errors = Vec::new();
    if let Some(MessageKind::Error(error)) = end {
        errors.push(format!("{} {}", error.kind.name(), error.text));
    }
    assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    errors
}

#[test]
fn a_panic_while_ranges_are_pulled_is_told() {
    let _alone = alone();
    for form in [Form::Linked, Form::Loaded] {
        for (subject, callback) in PULLED {
            let errors = Sim::new(1).run(|| pull(form, subject, callback)).expect("no deadlock");
            let wanted = format!("panic panicked in {callback}: told to");
            let told = errors.iter().any(|error| error.starts_with(&wanted));
            assert!(told, "{form:?} {subject} {callback}: {errors:?}");
        }
        let plain = Sim::new(1).run(|| pull(form, "ranges", "")).expect("no deadlock");
        assert!(plain.is_empty(), "{plain:?}");
    }
}

#[test]
fn a_panic_of_an_element_that_is_asked_whether_it_passes_is_told() {
    let _alone = alone();
    for form in [Form::Linked, Form::Loaded] {
        for callback in SETTLED {
            let pipeline = Bin::pipeline("panics");
            let src = element(form, "fixturepanicsrc", "src", &[("num-buffers", "100000")]);
            let filter = element(form, "fixturepanicfilter", "filter", &[("panic-in", callback)]);
            let sink = element(form, "fixturenull", "sink", &[("sync", "false")]);
            for element in [&src, &filter, &sink] {
                pipeline.add(element).expect("a free name");
            }
            pipeline.link(&[&src, &filter, &sink]).expect("they fit");
            pipeline.set_state(State::Playing);
            let end = pipeline.wait_for_end(Some(ClockTime::from_secs(30)));
            let Some(MessageKind::Error(error)) = end.map(|end| end.kind) else {
                panic!("{form:?} {callback}: nothing was told");
            };
            let wanted = format!("panicked in {callback}: told to");
            assert!(error.text.starts_with(&wanted), "{form:?}: {}", error.text);
            assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        }
    }
}

#[test]
fn an_element_that_panics_while_it_is_made_is_refused_with_what_it_said() {
    for form in [Form::Linked, Form::Loaded] {
        let refused =
            ElementRef::make(&factory(form, "fixturepanicmake"), "x").expect_err("refused");
        assert_eq!(
            refused.to_string(),
            "element \"fixturepanicmake\" could not be made: panicked while it was made: told to, in the making"
        );
    }
}

/// So the other tests of this file have entered every one of them, in both forms.
#[test]
fn there_is_no_callback_that_is_not_tried() {
    let header = include_str!("../../include/gst_mini.h");
    let table = header.split_once("struct GmElementVTable {").expect("the table").1;
    let table = table.split_once("\n};").expect("its end").0;
    let named = |line: &'static str| Some(line.split_once("(*")?.1.split_once(')')?.0);
    let functions: Vec<&str> = table.lines().filter_map(named).collect();
    assert!(functions.len() > 30, "{functions:?}");
    let pulled = PULLED.iter().map(|(_, callback)| callback);
    let tried: Vec<&str> = [SRC, FILTER, SINK, MULTI]
        .into_iter()
        .flatten()
        .chain(pulled)
        .chain(SETTLED)
        .map(|callback| match *callback {
            "caps" => "pad_caps",
            "info" => "source_info",
            other => other,
        })
        .collect();
    let missing: Vec<_> = functions.iter().filter(|name| !tried.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
