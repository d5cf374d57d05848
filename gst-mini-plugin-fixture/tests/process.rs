//! What only a whole process shows: its log, its end, and what stays mapped in it.

mod support;

use gst_mini_core::plugin::loader;
use gst_mini_core::prelude::*;
use std::process::{Command, Output};
use support::{Form, element, plugin_file};

/// Set in a process that is to do a test's work.
const CHILD: &str = "GST_MINI_TEST_CHILD";

/// Runs `work` in a process of its own, which is this program again with this test alone; `None` there.
fn in_child(test: &str, log: &str, work: impl FnOnce()) -> Option<Output> {
    if std::env::var(CHILD).is_ok_and(|name| name == test) {
        work();
        return None;
    }
    let mut child = Command::new(std::env::current_exe().expect("a path"));
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let child = child.env(CHILD, test).env("GST_MINI_DEBUG", log);
    Some(child.env("GST_MINI_TEST_FIXTURE", plugin_file()).output().expect("it starts"))
}

fn play(elements: &[&ElementRef]) -> Bin {
    let pipeline = Bin::pipeline("process");
    for element in elements {
        pipeline.add(element).expect("a free name");
    }
    pipeline.link(elements).expect("they fit");
    pipeline.set_state(State::Playing);
    pipeline.wait_for_end(Some(ClockTime::from_secs(30)));
    pipeline
}

#[test]
fn a_plugins_log_lines_and_the_place_of_its_panic_are_in_the_hosts_log() {
    let test = "a_plugins_log_lines_and_the_place_of_its_panic_are_in_the_hosts_log";
    let ran = in_child(test, "fixture*:5,plugin:1", || {
        let all = element(Form::Loaded, "fixtureall", "all", &[]);
        let mut action = Action { name: "swap".to_owned(), ..Action::default() };
        all.act(&mut action).expect("an action");
        let src = element(Form::Loaded, "fixturesrc", "src", &[("num-buffers", "3")]);
        let xor = element(Form::Loaded, "fixturexor", "xor", &[("trouble", "panic")]);
        let sink = element(Form::Loaded, "fixturesink", "sink", &[("sync", "false")]);
        play(&[&src, &xor, &sink]).set_state(State::Null);
    });
    let Some(ran) = ran else { return };
    let log = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{log}");
    let has = |words: &[&str]| log.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(has(&["INFO", " fixtureall ", "<all> swapped"]), "{log}");
    assert!(
        has(&["ERROR", " plugin ", "panicked at ", "gst-mini-plugin-fixture/src/lib.rs:"]),
        "{log}"
    );
    assert!(
        has(&["ERROR", " fixturexor ", "panicked in transform: the fixture was told to"]),
        "{log}"
    );
}

#[test]
fn a_thread_left_running_at_the_end_of_the_process_harms_nobody() {
    let test = "a_thread_left_running_at_the_end_of_the_process_harms_nobody";
    for _ in 0..5 {
        let ran = in_child(test, "", || {
            let src = element(Form::Loaded, "fixturesrc", "src", &[("num-buffers", "3")]);
            let sink = element(Form::Loaded, "fixturethread", "sink", &[("forgets", "true")]);
            play(&[&src, &sink]).set_state(State::Null);
        });
        let Some(ran) = ran else { return };
        assert!(ran.status.success(), "{ran:?}");
    }
}

#[test]
fn a_library_stays_when_nothing_of_it_is_left() {
    let folder = plugin_file().parent().expect("a folder").to_owned();
    let mapped = || {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("a system with /proc");
        maps.matches(&*plugin_file().canonicalize().expect("a path").to_string_lossy()).count()
    };
    let plugins = loader::discover_in(&[folder], None);
    assert_eq!(mapped(), 0, "listing opens nothing: {:?}", plugins.refused());
    let factory = plugins.factory("fixturexor").expect("found").expect("loaded");
    let made = ElementRef::make(&factory, "x").expect("an instance");
    let before = mapped();
    assert!(before > 0);
    drop((made, factory, plugins));
    assert_eq!(mapped(), before);
}
