//! What the loader says about plugin files of every kind, seen through the programs.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use std::os::unix::fs::PermissionsExt;
use support::{Place, compile};

/// `gst-mini scan` refuses the file with exactly this sentence.
#[track_caller]
fn refused(place: &Place, name: &str, why: &str) {
    let file = place.plugin(name);
    let ran = place.run(&["scan", file.to_str().expect("UTF-8")]);
    let last = ran.err.lines().last().unwrap_or_default();
    assert_eq!(last, format!("plugin \"{}\": {why}", file.display()), "{ran:?}");
    assert_eq!(ran.code, Some(1));
}

fn set_mode(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode set");
}

#[test]
fn a_good_plugin_is_listed_explained_and_examined_once() {
    let place = Place::new();
    place.compile("good", &["NOISE"]);
    let first = place.run(&["inspect", "good"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    for line in ["  Version                  1.2.3", "  License                  MIT"] {
        assert!(first.out.contains(line), "{first:?}");
    }
    assert!(!first.out.contains("NOISE") && first.err.contains("NOISE"), "{first:?}");
    assert_eq!(place.examined(), 1);
    assert_eq!(place.run(&["inspect", "good"]).out, first.out);
    assert_eq!(place.examined(), 1);
}

#[test]
fn a_changed_file_is_examined_again_even_within_a_second_and_with_its_size() {
    let place = Place::new();
    let file = place.compile("good", &[]);
    place.run(&["inspect"]);
    let bytes = std::fs::read(&file).expect("readable");
    let meta = std::fs::metadata(&file).expect("there");
    std::fs::write(&file, bytes).expect("writable");
    let times = std::fs::FileTimes::new().set_modified(meta.modified().expect("a time"));
    std::fs::File::options().write(true).open(&file).and_then(|f| f.set_times(times)).expect("set");
    place.run(&["inspect"]);
    assert_eq!(place.examined(), 2);
}

#[test]
fn files_that_are_no_libraries_are_told_apart() {
    let place = Place::new();
    let not_elf = "not a plugin: the file is not an ELF shared library";
    std::fs::write(place.plugin("text"), "hello").expect("writable");
    refused(&place, "text", &format!("{not_elf} (first bytes 68 65 6c 6c)"));
    std::fs::write(place.plugin("empty"), "").expect("writable");
    refused(&place, "empty", &format!("{not_elf} (the file is empty)"));
    std::fs::create_dir(place.plugin("folder")).expect("a folder");
    refused(&place, "folder", "not a plugin: this is not a regular file");
    let program = "not a plugin: this is a program, not a shared library";
    compile(&place.plugin("program"), "program", &["PROGRAM"], &["-fPIE", "-pie"]);
    refused(&place, "program", program);
    compile(&place.plugin("fixed"), "fixed", &["PROGRAM"], &["-no-pie"]);
    refused(&place, "fixed", program);
    compile(&place.plugin("object"), "object", &[], &["-c"]);
    refused(&place, "object", program);
    assert_eq!(place.examined(), 0);
}

#[test]
fn a_pipe_does_not_make_the_search_wait() {
    let place = Place::new();
    let status = std::process::Command::new("mkfifo").arg(place.plugin("pipe")).status();
    assert!(status.expect("mkfifo starts").success());
    refused(&place, "pipe", "not a plugin: this is not a regular file");
}

#[test]
fn every_truncation_is_a_sentence() {
    let place = Place::new();
    let whole = std::fs::read(place.compile("whole", &[])).expect("readable");
    let lengths = (4..64).chain((64..whole.len()).step_by(509)).chain([whole.len() - 1]);
    let count = lengths
        .map(|length| {
            let name = format!("cut{length}");
            std::fs::write(place.plugin(&name), &whole[..length]).expect("writable");
        })
        .count();
    let ran = place.run(&["inspect"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let damaged = ran.out.matches("damaged: the header promises").count();
    assert_eq!(damaged, count, "{}", ran.out);
    assert!(ran.out.contains(&format!("({count} not loaded)")), "{}", ran.out);
    let text = format!("the file has {}; install it again", whole.len() - 1);
    assert!(ran.out.contains(&text), "{}", ran.out);
}

#[test]
fn another_architecture_is_named() {
    let place = Place::new();
    let mut bytes = std::fs::read(place.compile("good", &[])).expect("readable");
    let (here, machine, name) = match std::env::consts::ARCH {
        "aarch64" => ("aarch64", 62_u16, "x86_64"),
        here => (here, 183, "aarch64"),
    };
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    std::fs::write(place.plugin("other"), &bytes).expect("writable");
    let why = format!(
        "built for {name}, this program is {here}; use a plugin built for {here}-unknown-linux-gnu"
    );
    refused(&place, "other", &why);
}

#[test]
fn another_width_and_byte_order_are_named() {
    let place = Place::new();
    let whole = std::fs::read(place.compile("good", &[])).expect("readable");
    for (name, at, byte, other) in [("narrow", 4, 1, "32-bit"), ("swapped", 5, 2, "big-endian")] {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        std::fs::write(place.plugin(name), &bytes).expect("writable");
        let why = format!("built for {other} machines, this program is 64-bit little-endian");
        refused(&place, name, &why);
    }
}

#[test]
fn files_that_others_can_write_are_refused() {
    let place = Place::new();
    let file = place.compile("open", &[]);
    set_mode(&file, 0o777);
    let why = format!(
        "refused: the file {} can be written by other users (mode 0777); run chmod go-w",
        file.display()
    );
    refused(&place, "open", &why);
    set_mode(&file, 0o755);
    let folder = place.path("plugins");
    set_mode(&folder, 0o1777);
    let why = format!(
        "refused: the directory {} can be written by other users (mode 1777); run chmod go-w",
        folder.display()
    );
    refused(&place, "open", &why);
}

#[test]
fn an_unreadable_file_is_told_as_such() {
    let place = Place::new();
    let file = place.compile("closed", &[]);
    set_mode(&file, 0o000);
    // The superuser reads it all the same; `rights.rs` asks as another user.
    if std::fs::File::open(&file).is_err() {
        refused(&place, "closed", "cannot be read: Permission denied (os error 13)");
    }
    std::os::unix::fs::symlink(place.plugin("loop"), place.plugin("loop")).expect("a link");
    let ran = place.run(&["scan", place.plugin("loop").to_str().expect("UTF-8")]);
    assert!(ran.err.contains("cannot be read: "), "{ran:?}");
}

#[test]
fn descriptors_of_others_are_refused_with_what_to_do() {
    let place = Place::new();
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "none",
            &["NO_DESCRIPTOR"],
            "not a GstMini plugin: symbol gst_mini_plugin_none not found; if the file was renamed, restore its name",
        ),
        ("magic", &["MAGIC=7"], "the descriptor is damaged or from another product"),
        ("size", &["SIZE=20"], "the descriptor is damaged or from another product"),
        ("odd", &["SIZE=161"], "the descriptor is damaged or from another product"),
        (
            "major",
            &["MAJOR=2"],
            concat!(
                "needs plugin ABI 2, this program offers ABI 0; rebuild it against gst-mini-core ",
                env!("CARGO_PKG_VERSION")
            ),
        ),
        (
            "newer",
            &["NEEDS=9"],
            "needs plugin ABI 0.9 or later, this program offers 0.3; update the program, or use an older plugin",
        ),
        (
            "older",
            &["MINOR=2", "NEEDS=0"],
            concat!(
                "needs plugin ABI 0.2, this program offers 0.3; rebuild it against gst-mini-core ",
                env!("CARGO_PKG_VERSION")
            ),
        ),
        ("nosize", &["SIZE=0"], "the descriptor is damaged or from another product"),
        ("huge", &["SIZE=0xfffffff8"], "the descriptor is damaged or from another product"),
        ("nameless", &["NO_TEXTS"], "the descriptor's name is invalid; refused"),
        ("other", &["OWN_NAME=\"else\""], "the descriptor's name is invalid; refused"),
        ("utf8", &["OWN_NAME=\"\\xff\""], "the descriptor's name is invalid; refused"),
        (
            "many",
            &["FACTORIES=0xffffffff"],
            "the descriptor's number of elements is invalid; refused",
        ),
        ("null", &["FACTORIES=3"], "the descriptor's list of elements is missing; refused"),
        ("symbol", &["MISSING_SYMBOL"], "cannot load: undefined symbol no_such_function"),
    ];
    for (name, defines, why) in cases {
        place.compile(name, defines);
        refused(&place, name, why);
    }
}

#[test]
fn a_renamed_plugin_and_one_that_only_needs_a_plugin_are_no_plugins() {
    let place = Place::new();
    let good = place.compile("good", &[]);
    std::fs::copy(&good, place.plugin("renamed")).expect("copied");
    refused(
        &place,
        "renamed",
        "not a GstMini plugin: symbol gst_mini_plugin_renamed not found; if the file was renamed, restore its name",
    );
    // The real one stands elsewhere, under the name that the other library asks for.
    let real = place.path("libgstminiproxy.so");
    compile(&real, "proxy", &[], &["-shared", "-fPIC"]);
    let real = real.to_str().expect("UTF-8");
    let flags = ["-shared", "-fPIC", "-Wl,--no-as-needed", real];
    compile(&place.plugin("proxy"), "proxy", &["NO_DESCRIPTOR"], &flags);
    refused(&place, "proxy", &format!("not a plugin itself: the descriptor belongs to {real}"));
}

#[test]
fn a_missing_dependency_is_named() {
    let place = Place::new();
    let needed = place.path("libgone.so");
    compile(&needed, "gone", &[], &["-shared", "-fPIC", "-Wl,-soname,libgone.so.3"]);
    let flags = ["-shared", "-fPIC", "-Wl,--no-as-needed", needed.to_str().expect("UTF-8")];
    compile(&place.plugin("needy"), "needy", &[], &flags);
    refused(&place, "needy", "cannot load: libgone.so.3 is missing (needed by the plugin)");
}

#[test]
fn plugins_that_misbehave_are_told_once_and_the_good_one_is_found() {
    let place = Place::new();
    place.compile("crash", &["CRASH"]);
    place.compile("fork", &["FORK"]);
    place.compile("good", &[]);
    place.compile("leave", &["LEAVE"]);
    place.compile("close", &["CLOSE"]);
    let ran = place.run(&["inspect"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let crash = place.plugin("crash");
    let sentences = [
        format!(
            "plugin \"{0}\": crashed while being examined (signal 11, SIGSEGV); it is skipped until the file changes. Details: gst-mini scan {0}",
            crash.display()
        ),
        "ended without a complete answer (exit code 0); skipped".to_owned(),
        "ended without a complete answer (exit code 7); skipped".to_owned(),
        "(4 not loaded)".to_owned(),
        format!("plugin \"{}\": crashed while", place.plugin("close").display()),
    ];
    for sentence in sentences {
        assert!(ran.out.contains(&sentence), "{sentence}\n{ran:?}");
    }
    assert_eq!(place.examined(), 5);
    assert_eq!(place.run(&["inspect"]).out, ran.out);
    assert_eq!(place.examined(), 5);
    place.compile("crash", &[]);
    let ran = place.run(&["inspect", "crash"]);
    assert_eq!((ran.code, place.examined()), (Some(0), 6), "{ran:?}");
}

#[test]
fn a_plugin_that_hangs_is_given_up_after_five_seconds() {
    let place = Place::new();
    place.compile("hang", &["HANG"]);
    refused(&place, "hang", "did not finish within 5 s; skipped until the file changes");
}

#[test]
fn without_the_scanner_new_plugins_are_named_and_known_ones_are_used() {
    let place = Place::new();
    place.compile("known", &[]);
    place.run(&["inspect"]);
    place.compile("new", &[]);
    let without = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("GST_MINI_PLUGIN_SCANNER", place.path("nothing"));
        support::Ran::from(command.output().expect("gst-mini starts"))
    };
    let ran = without(&["inspect"]);
    let why = "the helper gst-mini-scanner was not found (GST_MINI_PLUGIN_SCANNER); new plugins are not examined";
    assert!(ran.out.contains(&format!("plugin \"{}\": {why}", place.plugin("new").display())));
    assert_eq!(without(&["inspect", "known"]).code, Some(0));
    // It was not remembered as a fault of the plugin.
    assert_eq!(place.run(&["inspect", "new"]).code, Some(0));
}

#[test]
fn in_process_examination_must_be_asked_for() {
    let place = Place::new();
    place.compile("good", &[]);
    let mut command = place.command(&["inspect", "good"]);
    command.env("GST_MINI_PLUGIN_SCANNER", place.path("nothing"));
    command.env("GST_MINI_SCAN_INPROCESS", "yes");
    let ran = support::Ran::from(command.output().expect("gst-mini starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_damaged_cache_is_built_anew_and_an_unwritable_one_is_no_error() {
    let place = Place::new();
    place.compile("good", &[]);
    let first = place.run(&["inspect", "good"]);
    let cache = place.path("registry.bin");
    for bytes in [b"".as_slice(), b"nonsense", &[0xff; 4000]] {
        std::fs::write(&cache, bytes).expect("writable");
        assert_eq!(place.run(&["inspect", "good"]).out, first.out);
    }
    assert_eq!(place.examined(), 4);
    let mut command = place.command(&["inspect", "good"]);
    command.env("GST_MINI_REGISTRY", "/proc/no/such/place");
    let ran = support::Ran::from(command.output().expect("gst-mini starts"));
    assert_eq!((ran.code, ran.out), (Some(0), first.out));
}

#[test]
fn the_first_folder_wins_and_the_other_file_is_named() {
    let place = Place::new();
    place.compile("good", &[]);
    let other = place.path("other");
    std::fs::create_dir(&other).expect("a folder");
    compile(&other.join("libgstminigood.so"), "good", &["CRASH"], &["-shared", "-fPIC"]);
    let folders = std::env::join_paths([place.path("plugins"), other.clone()]).expect("a list");
    let mut command = place.command(&["inspect"]);
    command.env("GST_MINI_PLUGIN_PATH", folders);
    let ran = support::Ran::from(command.output().expect("gst-mini starts"));
    let sentence = format!(
        "plugin \"{}\" is hidden by \"{}\"; remove one, or change GST_MINI_PLUGIN_PATH",
        other.join("libgstminigood.so").display(),
        place.plugin("good").display()
    );
    assert!(ran.out.contains(&sentence), "{ran:?}");
    assert_eq!(place.examined(), 1);
}
