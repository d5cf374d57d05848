//! What only real threads show: blocking that `unlock` ends, threads of an element's own, and many streams at once.

mod support;

use gst_mini_core::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use support::{Form, element};

const FORMS: [Form; 2] = [Form::Linked, Form::Loaded];

fn pipeline_of(elements: &[&ElementRef]) -> Bin {
    let pipeline = Bin::pipeline("threads");
    for element in elements {
        pipeline.add(element).expect("a free name");
    }
    pipeline.link(elements).expect("they fit");
    pipeline
}

/// Waits for the element message of that name.
fn element_message(pipeline: &Bin, name: &str) -> bool {
    let found = |message: Message| match message.kind {
        MessageKind::Element(structure) => structure.name() == name,
        _ => false,
    };
    let next = || pipeline.bus().timed_pop(Some(ClockTime::from_secs(30)));
    std::iter::from_fn(next).any(found)
}

#[test]
fn blocking_io_ends_when_the_pipeline_stops() {
    for form in FORMS {
        for _ in 0..20 {
            let src = element(form, "fixtureblock", "src", &[]);
            let sink = element(form, "fixtureall", "sink", &[("async", "false")]);
            let pipeline = pipeline_of(&[&src, &sink]);
            pipeline.set_state(State::Playing);
            assert!(element_message(&pipeline, "blocking"));
            assert_eq!(pipeline.set_state(State::Null), StateReturn::Success, "{form:?}");
        }
    }
}

#[test]
fn a_thread_of_an_element_posts_until_it_is_joined() {
    for form in FORMS {
        let src = element(form, "fixturesrc", "src", &[]);
        let sink = element(form, "fixturethread", "sink", &[]);
        let pipeline = pipeline_of(&[&src, &sink]);
        pipeline.set_state(State::Playing);
        assert!(element_message(&pipeline, "posted"));
        pipeline.set_state(State::Null);
        let posted = || sink.get_as::<u64>("posted").expect("a number");
        let (before, _) = (posted(), std::thread::yield_now());
        assert_eq!(posted(), before, "{form:?}");
    }
}

#[test]
fn a_thread_left_running_posts_into_nothing_and_ends_nobody() {
    for form in FORMS {
        for _ in 0..5 {
            let src = element(form, "fixturesrc", "src", &[]);
            let sink = element(form, "fixturethread", "sink", &[("forgets", "true")]);
            let pipeline = pipeline_of(&[&src, &sink]);
            pipeline.set_state(State::Playing);
            assert!(element_message(&pipeline, "posted"));
            assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
            let bus = pipeline.bus();
            drop((pipeline, src, sink));
            // It is still at work, and everything it reached for is gone.
            drop(bus);
        }
        // Another pipeline is not disturbed by them.
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "3")]);
        let sink = element(form, "fixturesink", "sink", &[("sync", "false")]);
        let pipeline = pipeline_of(&[&src, &sink]);
        pipeline.set_state(State::Playing);
        assert!(matches!(pipeline.wait_for_end(None).map(|end| end.kind), Some(MessageKind::Eos)));
        pipeline.set_state(State::Null);
    }
}

#[test]
fn a_panic_in_a_thread_of_an_element_is_that_threads_end() {
    for form in FORMS {
        let src = element(form, "fixturesrc", "src", &[]);
        let sink = element(form, "fixturethread", "sink", &[("panics", "true")]);
        let pipeline = pipeline_of(&[&src, &sink]);
        pipeline.set_auto_flush_bus(false);
        pipeline.set_state(State::Playing);
        pipeline.set_state(State::Null);
        let next = || pipeline.bus().timed_pop(Some(ClockTime::ZERO));
        let told = std::iter::from_fn(next).any(|message| match message.kind {
            MessageKind::Warning(error) => error.text == "its thread panicked",
            _ => false,
        });
        assert!(told, "{form:?}");
    }
}

/// Ends the program, with a sentence, if a test does not come to its end: a lock that two images operate hangs.
fn watchdog(seconds: u64) -> mpsc::Sender<()> {
    let (over, is_over) = mpsc::channel();
    std::thread::spawn(move || {
        let waited = is_over.recv_timeout(Duration::from_secs(seconds));
        if waited == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("no end within {seconds} s: somebody waits for ever");
            std::process::abort();
        }
    });
    over
}

#[test]
fn four_threads_send_a_hundred_thousand_buffers_each_through_one_pad() {
    const EACH: u64 = 100_000;
    let _over = watchdog(240);
    let gather = element(Form::Loaded, "fixturegather", "gather", &[]);
    let tail = [
        element(Form::Linked, "fixturethrough", "linked", &[]),
        element(Form::Loaded, "fixturethrough", "loaded", &[]),
        element(Form::Loaded, "fixturepairs", "pairs", &[]),
        element(Form::Loaded, "fixturenull", "null", &[("sync", "false")]),
    ];
    let list: Vec<&ElementRef> = std::iter::once(&gather).chain(&tail).collect();
    let pipeline = pipeline_of(&list);
    for number in 0..4_usize {
        let count = EACH.to_string();
        let name = format!("src{number}");
        let src = element(FORMS[number % 2], "fixturesrc", &name, &[("num-buffers", &count)]);
        pipeline.add(&src).expect("a free name");
        src.link(&gather).expect("a request pad");
    }
    let seen = Arc::new(AtomicU64::new(0));
    let counted = seen.clone();
    tail[0].static_pad("sink").expect("a pad").add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            ProbeReturn::Ok
        }),
    );
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(None).map(|end| end.kind);
    assert!(matches!(end, Some(MessageKind::Eos)), "{end:?}");
    assert_eq!(seen.load(Ordering::Relaxed), 4 * EACH);
    pipeline.set_state(State::Null);
}

#[test]
fn waits_on_the_clock_are_broken_off_on_four_threads_at_once() {
    let _over = watchdog(240);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                let forms = if worker % 2 == 0 { FORMS } else { [FORMS[1], FORMS[0]] };
                let src = element(forms[0], "fixturesrc", "src", &[]);
                let xor = element(Form::Loaded, "fixturexor", "xor", &[]);
                let sink = element(forms[1], "fixturesink", "sink", &[]);
                let pipeline = pipeline_of(&[&src, &xor, &sink]);
                for round in 0..100 {
                    // A buffer a second, so that the sink is nearly always waiting for the next one.
                    pipeline.set_state(State::Playing);
                    assert_eq!(pipeline.state(None).0, StateReturn::Success);
                    let down = if round % 5 == 0 { State::Ready } else { State::Paused };
                    pipeline.set_state(down);
                    assert_eq!(pipeline.state(None).0, StateReturn::Success);
                }
                pipeline.set_state(State::Null);
            });
        }
    });
}

#[test]
fn buffers_cross_both_images_on_four_threads_at_once() {
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                let forms = if worker % 2 == 0 { FORMS } else { [FORMS[1], FORMS[0]] };
                let make = |form, factory, name, props: &[_]| element(form, factory, name, props);
                let elements = [
                    make(forms[0], "fixturesrc", "src", &[("num-buffers", "20000")]),
                    make(forms[1], "fixturexor", "a", &[("key", "3")]),
                    make(forms[0], "fixturexor", "b", &[("key", "3")]),
                    make(forms[1], "fixturepairs", "pairs", &[]),
                    make(forms[1], "fixturesink", "sink", &[("sync", "false")]),
                ];
                let list: Vec<&ElementRef> = elements.iter().collect();
                let pipeline = pipeline_of(&list);
                pipeline.set_state(State::Playing);
                let end = pipeline.wait_for_end(Some(ClockTime::from_secs(120)));
                assert!(matches!(end.map(|end| end.kind), Some(MessageKind::Eos)));
                assert_eq!(elements[4].get_as::<u64>("count"), Some(20000));
                pipeline.set_state(State::Null);
            });
        }
    });
}
