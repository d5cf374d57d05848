//! One suite over one list of elements, twice: linked into this program, and loaded from the plugin.
//!
//! Every scenario runs on simulated time with both forms, and what can be observed from outside (the
//! trace, messages, signals, property values) must be equal byte for byte.

use gst_mini_plugin_fixture as linked;

mod support;

use gst_mini_core::prelude::*;
use gst_mini_core::registry::factory::FactoryInfo;
use gst_mini_core::tracer;
use parking::Lines;
use std::sync::{Mutex, MutexGuard};
use support::{Form, element, factory};

mod parking {
    //! Lines that several threads write.
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    pub struct Lines(Arc<Mutex<Vec<String>>>);

    impl Lines {
        pub fn add(&self, line: String) {
            self.0.lock().expect("nobody panics with it").push(line);
        }
        pub fn extend_with(&self, source: &str, kind: &gst_mini_core::message::MessageKind) {
            if let Some(text) = kind.to_text() {
                self.add(format!("{source}: {text}"));
            }
        }
        pub fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().expect("nobody panics with it"))
        }
    }
}

/// One trace at a time in a process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs the scenario with both forms, on many seeds; what it observed must be equal.
#[track_caller]
fn alike(scenario: impl Fn(Form, &Lines)) -> Vec<String> {
    let _alone = alone();
    let mut last = Vec::new();
    for seed in 0..8 {
        let [linked, loaded] = [Form::Linked, Form::Loaded].map(|form| {
            let lines = Lines::default();
            let trace = lines.clone();
            tracer::trace_to(Some(Box::new(move |line| trace.add(line.to_owned()))));
            Sim::new(seed).run(|| scenario(form, &lines)).expect("no deadlock");
            tracer::trace_to(None);
            lines.take()
        });
        assert!(!linked.is_empty());
        assert_eq!(linked, loaded, "seed {seed}");
        last = linked;
    }
    last
}

fn play(elements: &[&ElementRef], lines: &Lines) {
    let pipeline = Bin::pipeline("suite");
    for element in elements {
        pipeline.add(element).expect("a free name");
    }
    pipeline.link(elements).expect("they fit");
    finish(&pipeline, lines);
}

fn finish(pipeline: &Bin, lines: &Lines) {
    pipeline.set_state(State::Playing);
    loop {
        let message = pipeline.bus().timed_pop(Some(ClockTime::from_secs(60))).expect("an end");
        match &message.kind {
            MessageKind::Element(structure) => {
                lines.add(format!("{}: {structure}", message.source))
            }
            MessageKind::Error(error) => {
                lines.add(format!(
                    "{}: error {}: {}",
                    message.source,
                    error.kind.name(),
                    error.text
                ));
                break;
            }
            MessageKind::Eos => break,
            MessageKind::StateChanged { .. } | MessageKind::AsyncDone { .. } => {}
            // The rest in the words that cross the boundary.
            other => lines.extend_with(&message.source, other),
        }
    }
    for child in pipeline.children() {
        for spec in child.properties() {
            let value = child.get_shown(&spec.name).expect("a property");
            lines.add(format!("{}.{} = {value}", child.name(), spec.name));
        }
    }
    pipeline.set_state(State::Null);
}

fn has(lines: &[String], text: &str) {
    assert!(lines.iter().any(|line| line.contains(text)), "{text} is not in\n{}", lines.join("\n"));
}

#[test]
fn the_descriptions_are_equal() {
    for raw in linked::FACTORIES {
        // SAFETY: statics of this program.
        let name = unsafe { FactoryInfo::read(raw.0, "linked") }.expect("well formed").name;
        let [linked, loaded] = [Form::Linked, Form::Loaded].map(|form| {
            let mut info = (*factory(form, &name)).clone();
            info.plugin = String::new();
            let props: Vec<_> = info.props.iter().map(|prop| format!("{prop:?}")).collect();
            let pads: Vec<_> = info.pads.iter().map(|pad| format!("{pad:?}")).collect();
            let signals: Vec<_> = info.signals.iter().map(|signal| format!("{signal:?}")).collect();
            (
                info.long_name,
                info.klass,
                info.description,
                info.rank,
                info.role,
                props,
                pads,
                signals,
            )
        });
        assert_eq!(linked, loaded);
    }
}

#[test]
fn a_source_a_transform_and_a_sink_render_the_same_at_the_same_times() {
    let lines = alike(|form, lines| {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "25"), ("start-at", "7")]);
        let xor = element(form, "fixturexor", "xor", &[("key", "85")]);
        let sink = element(form, "fixturesink", "sink", &[]);
        let heard = lines.clone();
        sink.connect("handoff", move |facts| {
            heard.add(format!("handoff {}", facts.expect("facts")))
        });
        play(&[&src, &xor, &sink], lines);
    });
    has(&lines, "sink.count = 25");
    has(&lines, "has-meta=(boolean)true");
    has(&lines, "application/x-fixture, rate=(int)1");
}

#[test]
fn request_pads_deal_the_same_buffers() {
    let lines = alike(|form, lines| {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "9")]);
        let deal = element(form, "fixturedeal", "deal", &[]);
        let sinks =
            ["a", "b"].map(|name| element(form, "fixturesink", name, &[("async", "false")]));
        let pipeline = Bin::pipeline("suite");
        for element in [&src, &deal, &sinks[0], &sinks[1]] {
            pipeline.add(element).expect("a free name");
        }
        pipeline.link(&[&src, &deal]).expect("they fit");
        for sink in &sinks {
            deal.link(sink).expect("a request pad");
        }
        finish(&pipeline, lines);
    });
    has(&lines, "a.count = 5");
    has(&lines, "b.count = 4");
}

#[test]
fn pads_that_appear_are_linked_by_who_hears_of_them() {
    let lines = alike(|form, lines| {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "9")]);
        let split = element(form, "fixturesplit", "split", &[]);
        let sinks =
            ["a", "b"].map(|name| element(form, "fixturesink", name, &[("async", "false")]));
        let pipeline = Bin::pipeline("suite");
        for element in [&src, &split, &sinks[0], &sinks[1]] {
            pipeline.add(element).expect("a free name");
        }
        pipeline.link(&[&src, &split]).expect("they fit");
        split.connect_answering("choose", |asked| {
            asked.and_then(|asked| asked.int("least")).map(|least| Value::from(least + 1))
        });
        let (heard, free) = (lines.clone(), sinks.clone());
        let weak = split.downgrade();
        split.connect("pad-added", move |facts| {
            heard.add(format!("{}", facts.expect("facts")));
            let split = weak.upgrade().expect("it emits");
            let name = facts.and_then(|facts| facts.str("pad")).expect("a name").to_owned();
            let pad = split.static_pad(&name).expect("it is there");
            heard.add(format!("{name} has {}", pad.current_caps().expect("caps")));
            let sink = free.iter().find(|sink| sink.pads()[0].peer().is_none()).expect("free");
            pad.link(&sink.pads()[0]).expect("they fit");
        });
        for signal in ["pad-removed", "no-more-pads"] {
            let heard = lines.clone();
            split.connect(signal, move |facts| heard.add(format!("{signal} {facts:?}")));
        }
        finish(&pipeline, lines);
        lines.add(format!("{} pads are left", split.pads().len()));
    });
    has(&lines, "kind_1 has application/x-fixture, rate=(int)2");
    has(&lines, "no-more-pads");
    has(&lines, "pad-removed");
    has(&lines, "1 pads are left");
    has(&lines, "a.count = 5");
    has(&lines, "b.count = 4");
}

#[test]
fn errors_and_dropped_buffers_are_told_alike() {
    let with = |trouble: &'static str| {
        move |form, lines: &Lines| {
            let src = element(form, "fixturesrc", "src", &[("num-buffers", "5")]);
            let properties = [("trouble", trouble), ("trouble-at", "3")];
            let xor = element(form, "fixturexor", "xor", &properties);
            let sink = element(form, "fixturesink", "sink", &[]);
            play(&[&src, &xor, &sink], lines);
        }
    };
    has(&alike(with("error")), "xor: error decode: the fixture was told to fail");
    has(&alike(with("drop")), "sink.count = 4");
}

#[test]
fn a_panic_stops_the_element_and_nothing_else() {
    let lines = alike(|form, lines| {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "5")]);
        let xor = element(form, "fixturexor", "xor", &[("trouble", "panic"), ("trouble-at", "2")]);
        let sink = element(form, "fixturesink", "sink", &[]);
        play(&[&src, &xor, &sink], lines);
    });
    has(&lines, "xor: error panic: panicked");
    has(&lines, "the fixture was told to panic");
}

#[test]
fn whatever_a_panic_throws_is_not_dropped_where_it_could_panic_again() {
    let lines = alike(|form, lines| {
        let src = element(form, "fixturesrc", "src", &[("num-buffers", "5")]);
        let xor = element(form, "fixturexor", "xor", &[("trouble", "payload")]);
        let sink = element(form, "fixturesink", "sink", &[]);
        play(&[&src, &xor, &sink], lines);
    });
    has(&lines, "xor: error panic: panicked in transform: a panic without text");
}

#[test]
fn misuse_is_refused_with_the_same_sentences() {
    alike(|form, lines| {
        let xor = element(form, "fixturexor", "xor", &[]);
        for (property, value) in [("kye", "1"), ("key", "256"), ("key", "x"), ("trouble", "some")] {
            lines.add(xor.set(property, value).expect_err("refused").to_string());
        }
        let sink = element(form, "fixturesink", "sink", &[]);
        lines.add(sink.set("count", "1").expect_err("read-only").to_string());
        lines.add(sink.link(&xor).expect_err("a sink has no source pad").to_string());
        let deal = element(form, "fixturedeal", "deal", &[]);
        lines.add(deal.pad("src").map(|_| ()).expect_err("no such pad").to_string());
    });
}

#[test]
fn both_forms_work_in_one_pipeline() {
    let _alone = alone();
    for seed in 0..8 {
        let count = Sim::new(seed).run(|| {
            let src = element(Form::Loaded, "fixturesrc", "src", &[("num-buffers", "10")]);
            let first = element(Form::Linked, "fixturexor", "first", &[("key", "3")]);
            let second = element(Form::Loaded, "fixturexor", "second", &[("key", "3")]);
            let sink = element(Form::Linked, "fixturesink", "sink", &[]);
            play(&[&src, &first, &second, &sink], &Lines::default());
            (sink.get_as::<u64>("count"), sink.get_as::<u64>("sum"))
        });
        assert_eq!(count.expect("no deadlock"), (Some(10), Some(45)), "seed {seed}");
    }
}

#[test]
fn one_of_everything_is_the_same_on_both_sides() {
    let lines = alike(|form, lines| {
        let values = [
            ("switch", "true"),
            ("int", "-4"),
            ("uint", "4000000000"),
            ("int64", "-9000000000000000000"),
            ("uint64", "18000000000000000000"),
            ("double", "0.125"),
            ("float", "1.5"),
            ("time", "40000000"),
            ("text", "a \"text\", with ü and \n"),
            ("fraction", "30000/1001"),
            ("caps", "video/x-raw, width=(int)[ 1, 9 ]"),
            ("choice", "NUMBER_TWO"),
            ("flags", "a+c"),
            ("secret", "hush"),
            ("live", "7"),
        ];
        let pool = element(form, "fixturepool", "pool", &[("num-buffers", "3")]);
        let pairs = element(form, "fixturepairs", "pairs", &[]);
        let again = element(form, "fixturepairs", "again", &[]);
        let all = element(form, "fixtureall", "all", &values);
        all.connect_answering("ask", |asked| Some(Value::from(asked?.uint64("size")?)));
        let mut question = Query::Custom(Structure::new("live"));
        lines.add(format!("{} {question:?}", all.query(&mut question)));
        for number in [1, 2] {
            let buf = Some(Buffer::from_vec(vec![number]));
            let args = Some(Structure::new("args").with("least", i32::from(number)));
            let mut action = Action { name: "swap".to_owned(), args, buf, answer: None };
            let done = all.act(&mut action);
            let data = action.buf.map(|buf| buf.data().to_vec());
            lines.add(format!("{done:?} {data:?} {:?}", action.answer));
        }
        play(&[&pool, &pairs, &again, &all], lines);
    });
    for text in [
        "all: warning, ",
        "all: info, ",
        "all: duration-changed;",
        "all: tag, ",
        "all: application, ",
        "all: request-state, state=(string)paused;",
        "all: qos, ",
        "all: facts, asked=(string)64",
        "sticky=(string)stream-start+segment",
        "Ok(()) Some([1])",
        "again: list, length=(guint64)2",
    ] {
        assert!(
            lines.iter().any(|line| line.contains(text)),
            "{text} is not in\n{}",
            lines.join("\n")
        );
    }
    has(&lines, "all.secret = ***");
    has(&lines, "true Custom");
    let fields = "all.fields = true -4 4000000000 -9000000000000000000 18000000000000000000 0.125 1.5 0:00:00.040000000";
    has(&lines, fields);
}

#[test]
fn a_clock_of_an_element_is_offered_and_read() {
    let _alone = alone();
    for form in [Form::Linked, Form::Loaded] {
        let read = Sim::new(1).run(|| {
            let src = element(form, "fixturepool", "src", &[]);
            let all = element(form, "fixtureall", "all", &[("live", "7")]);
            let pipeline = Bin::pipeline("suite");
            pipeline.add(&src).and_then(|()| pipeline.add(&all)).expect("free names");
            pipeline.link(&[&src, &all]).expect("they fit");
            pipeline.set_state(State::Paused);
            pipeline.state(Some(ClockTime::SECOND));
            pipeline.set_state(State::Playing);
            let clock = pipeline.clock().expect("the element's");
            let (first, second) = (clock.now(), clock.now());
            pipeline.set_state(State::Null);
            (clock.name().to_owned(), second > first)
        });
        assert_eq!(read.expect("no deadlock"), ("FixtureClock".to_owned(), true), "{form:?}");
    }
}

#[test]
fn request_pads_for_sinks_are_named_refused_and_taken_away_alike() {
    let lines = alike(|form, lines| {
        let pipeline = Bin::pipeline("suite");
        let gather = element(form, "fixturegather", "gather", &[]);
        let sink = element(form, "fixturesink", "sink", &[]);
        let sources =
            ["a", "b"].map(|name| element(form, "fixturesrc", name, &[("num-buffers", "4")]));
        for element in [&gather, &sink, &sources[0], &sources[1]] {
            pipeline.add(element).expect("a free name");
        }
        pipeline.link(&[&gather, &sink]).expect("they fit");
        for source in &sources {
            source.link(&gather).expect("a request pad");
        }
        lines.add(format!("{:?}", gather.request_pad("in_13").map(|pad| pad.name().to_owned())));
        let spare = gather.request_pad("in_7").expect("welcome");
        gather.release_pad(&spare);
        let names: Vec<String> = gather.pads().iter().map(|pad| pad.name().to_owned()).collect();
        lines.add(names.join(" "));
        finish(&pipeline, lines);
    });
    has(&lines, "src in_10 in_11");
    has(&lines, "sink.count = 8");
}
