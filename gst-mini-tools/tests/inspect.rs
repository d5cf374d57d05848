//! `gst-mini inspect`: what it shows, and with which code it ends.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use support::Place;

#[test]
fn everything_is_listed_with_its_plugin_and_counted() {
    let ran = Place::new().run(&["inspect"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("gst-mini-elements:  fakesink: Fake Sink\n"), "{}", ran.out);
    let features = ran.out.lines().filter(|line| line.contains(":  ")).count();
    assert!(
        ran.out.contains(&format!("\nTotal count: 1 plugin, {features} features\n")),
        "{}",
        ran.out
    );
}

#[test]
fn an_element_is_shown_with_pads_properties_and_signals() {
    let ran = Place::new().run(&["inspect", "fakesink"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in [
        "Factory Details:\n  Rank                     none (0)\n  Long-name                Fake Sink\n",
        "  SINK template: 'sink'\n    Availability: Always\n    Capabilities:\n      ANY\n",
        "Pads:\n  SINK: 'sink'\n    Pad Template: 'sink'\n",
        "  sync                : ",
        "                        Boolean. Default: false\n",
        "                        Integer. Range: -1 - 2147483647 Default: -1\n",
        "Element Signals:\n  \"handoff\" : ",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
}

#[test]
fn units_choices_and_request_pads_are_shown() {
    let queue = Place::new().run(&["inspect", "queue"]).out;
    assert!(queue.contains("Unit: ns\n"), "{queue}");
    assert!(queue.contains("Enum. Default: 0, \"no\"\n"), "{queue}");
    assert!(queue.contains("(2): downstream\n"), "{queue}");
    assert!(Place::new().run(&["inspect", "tee"]).out.contains("Availability: On request\n"));
}

#[test]
fn a_builtin_crate_is_shown_as_a_plugin() {
    let ran = Place::new().run(&["inspect", "gst-mini-elements"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("  fakesrc: Fake Source\n") && ran.out.contains("features:\n"));
}

#[test]
fn an_unknown_name_is_code_1_with_the_nearest_names_and_the_refused_plugins() {
    let place = Place::new();
    std::fs::write(place.plugin("text"), "hello").expect("writable");
    let ran = place.run(&["inspect", "qeueu"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.starts_with("No such element or plugin 'qeueu'; did you mean queue"),
        "{ran:?}"
    );
    assert!(ran.err.contains("first bytes 68 65 6c 6c"), "{ran:?}");
    let refused = place.run(&["inspect", "text"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("first bytes 68 65 6c 6c"), "{refused:?}");
}

#[test]
fn a_refused_plugin_is_listed_with_its_reason_and_is_no_failure() {
    let place = Place::new();
    std::fs::write(place.plugin("text"), "hello").expect("writable");
    let ran = place.run(&["inspect"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("(1 not loaded)") && ran.out.contains("first bytes 68 65 6c 6c"));
}

#[test]
fn a_file_is_shown_by_its_path() {
    let place = Place::new();
    let file = place.compile("some-name", &[]);
    let ran = place.run(&["inspect", file.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("  Name                     some-name\n"), "{}", ran.out);
    assert!(ran.out.contains("  Built with               a C compiler\n"), "{}", ran.out);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut child = place
        .command(&["inspect"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("gst-mini starts");
    drop(child.stdout.take());
    let ran = support::Ran::from(child.wait_with_output().expect("ended"));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}
