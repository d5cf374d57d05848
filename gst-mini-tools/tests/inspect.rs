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
fn whether_an_element_exists_is_an_exit_code_and_nothing_is_printed() {
    let place = Place::new();
    place.compile("some-name", &[]);
    let own = env!("CARGO_PKG_VERSION");
    let cases: &[(&[&str], i32)] = &[
        (&["--exists", "identity"], 0),
        (&["--exists", "identiti"], 1),
        // Plugins are no elements, as in gst-inspect.
        (&["--exists", "gst-mini-elements"], 1),
        (&["--exists", "identity", "--atleast-version", own], 0),
        (&["--exists", "identity", "--atleast-version", "999.0"], 1),
        (&["--exists", "identity", "--atleast-version", "9"], 2),
        (&["--exists"], 2),
    ];
    for (arguments, code) in cases {
        let ran = place.run(&[&["inspect"], *arguments].concat());
        assert_eq!(ran.code, Some(*code), "{arguments:?}: {ran:?}");
        assert_eq!(ran.out, "", "{arguments:?}");
    }
    assert_eq!(place.examined(), 1, "the first of these examined it, the others read the cache");
}

#[test]
fn all_elements_are_printed_each_line_with_its_name() {
    let ran = Place::new().run(&["inspect", "-a"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for part in [
        "identity: Factory Details:\n",
        "tee:     Availability: On request\n",
        "queue:   \"overrun\" : ",
        "appsrc: Element Actions:\n",
    ] {
        assert!(ran.out.contains(part), "{part}");
    }
    let names: Vec<&str> =
        ran.out.lines().filter_map(|line| line.strip_suffix(": Factory Details:")).collect();
    assert!(names.len() > 30 && names.is_sorted(), "{names:?}");
}

#[test]
fn files_that_are_not_used_are_a_list_of_their_own() {
    let place = Place::new();
    let none = place.run(&["inspect", "-b"]).out;
    assert_eq!(none, "Blacklisted files:\n\nTotal count: 0 blacklisted files\n");
    std::fs::write(place.plugin("text"), "hello").expect("writable");
    let one = place.run(&["inspect", "--print-blacklist"]).out;
    assert!(one.contains("libgstminitext.so: not a plugin: "), "{one}");
    assert!(one.ends_with("\nTotal count: 1 blacklisted file\n"), "{one}");
}

#[test]
fn elements_are_listed_by_words_of_their_class() {
    let ran = Place::new().run(&["inspect", "-t", "Sink/File"]);
    assert!(ran.out.contains("  filesink: ") && ran.out.contains("  dirsink: "), "{}", ran.out);
    assert!(!ran.out.contains("fakesink") && !ran.out.contains("filesrc"), "{}", ran.out);
}

#[test]
fn an_installer_of_plugins_gets_a_line_a_feature() {
    let place = Place::new();
    let ran = place.run(&["inspect", "--print-plugin-auto-install-info", "gst-mini-elements"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for line in
        ["element-queue\n", "element-jpegenc\nencoder-image/jpeg\n", "decoder-audio/x-wav\n"]
    {
        assert!(ran.out.contains(line), "{line}{}", ran.out);
    }
    assert_eq!(place.run(&["inspect", "--print-plugin-auto-install-info", "nope"]).code, Some(1));
}

#[test]
fn a_rank_is_the_users_if_there_is_one() {
    let place = Place::new();
    let mut command = place.command(&["inspect", "dirsink"]);
    command.env("GST_MINI_PLUGIN_FEATURE_RANK", "dirsink:PRIMARY,other:3,wrong");
    let ran = support::Ran::from(command.output().expect("gst-mini starts"));
    let line = "Rank                     primary (256), by GST_MINI_PLUGIN_FEATURE_RANK; its own is secondary (128)\n";
    assert!(ran.out.contains(line), "{}", ran.out);
    assert!(ran.err.contains("\"wrong\" is no rank"), "{}", ran.err);
}

/// The filter in C of the examples as another plugin, with an element of another name.
fn filter(place: &Place, plugin: &str, element: &str) {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/c/filter.c");
    let text = std::fs::read_to_string(examples).expect("readable");
    let text = text
        .replace("GM_PLUGIN (cgain)", &format!("GM_PLUGIN ({plugin})"))
        .replace("GM_STR (\"cgain\"), .version", &format!("GM_STR (\"{plugin}\"), .version"))
        .replace("GM_STR (\"cgain\"),\n", &format!("GM_STR (\"{element}\"),\n"));
    let source = place.path(&format!("{plugin}.c"));
    std::fs::write(&source, text).expect("writable");
    let ran = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-fvisibility=hidden", "-I"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../include"))
        .arg(source)
        .arg("-o")
        .arg(place.plugin(plugin))
        .output()
        .expect("cc starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn an_element_that_hides_another_is_told_in_the_list_and_on_its_page() {
    let place = Place::new();
    filter(&place, "one", "louder");
    filter(&place, "two", "louder");
    filter(&place, "three", "identity");
    let listed = place.run(&["inspect"]).out;
    let between = "element \"louder\" from ";
    let builtin = "element \"identity\" from ";
    for (element, told) in [("louder", between), ("identity", builtin)] {
        let lines: Vec<&str> = listed.lines().filter(|line| line.starts_with(told)).collect();
        assert_eq!(lines.len(), 1, "{listed}");
        assert!(lines[0].contains(" is hidden by the one "), "{lines:?}");
        let page = place.run(&["inspect", element]).out;
        assert!(page.contains(lines[0]), "{page}");
    }
    assert!(place.run(&["inspect", "identity"]).out.contains("(linked into this program)"));
}

#[test]
fn a_second_listing_examines_nothing() {
    let place = Place::new();
    place.compile("some-name", &[]);
    for _ in 0..3 {
        assert_eq!(place.run(&["inspect"]).code, Some(0));
        assert_eq!(place.run(&["inspect", "some-name"]).code, Some(0));
    }
    assert_eq!(place.examined(), 1);
}

#[test]
fn properties_have_flags_bits_and_a_name() {
    let page = Place::new().run(&["inspect", "identity"]).out;
    assert!(page.contains("Flags. Default: \"(none)\"\n"), "{page}");
    assert!(page.contains("(0x00000040): discont          - GST_BUFFER_FLAG_DISCONT\n"), "{page}");
    assert!(page.contains("String. Default: \"identity0\"\n"), "{page}");
    assert!(page.contains("Element has no URI handling capabilities.\n"), "{page}");
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
