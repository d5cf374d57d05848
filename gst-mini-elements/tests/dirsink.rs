//! `dirsink`: whole objects, in order, or a sentence.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::element_prelude::{ObjectMeta, ObjectRole};
use gst_mini_core::prelude::*;
use std::path::Path;

fn object(name: &str, role: ObjectRole, data: &[u8], last: bool) -> Buffer {
    let mut buf = Buffer::from_vec(data.to_vec());
    let (content_type, cache_control) = ("video/mp4".to_owned(), String::new());
    ObjectMeta { name: name.into(), content_type, cache_control, role, last, ends: false }
        .attach(&mut buf);
    buf
}

fn segment(name: &str, data: &[u8]) -> Buffer {
    object(name, ObjectRole::Segment, data, true)
}

/// Runs `objects` through `dirsink` and gives all messages.
fn run(location: &Path, settings: &str, objects: Vec<Buffer>) -> Vec<Message> {
    gst_mini_elements::register();
    let (count, location) = (objects.len(), location.display());
    let line = format!(
        "fakesrc num-buffers={count} ! dirsink name=sink location=\"{location}\" {settings}"
    );
    let pipeline = parse_launch(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let sink = pipeline.by_name("sink").expect("it is in the line");
    let pad = sink.static_pad("sink").expect("a sink has a pad");
    let mut left = objects.into_iter();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |data| {
            if let (ProbeData::Buffer(buf), Some(object)) = (data, left.next()) {
                *buf = object;
            }
            ProbeReturn::Ok
        }),
    );
    let bus = pipeline.bus();
    pipeline.set_state(State::Playing);
    let mut messages = Vec::new();
    while let Some(message) = bus.timed_pop(Some(ClockTime::from_secs(60))) {
        let is_end = matches!(message.kind, MessageKind::Eos | MessageKind::Error(_));
        messages.push(message);
        if is_end {
            break;
        }
    }
    pipeline.set_state(State::Null);
    messages
}

fn everywhere(check: impl Fn()) {
    check();
    for seed in 0..5 {
        Sim::new(seed).run(&check).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn error_of(messages: &[Message]) -> &ElementError {
    match messages.last().map(|message| &message.kind) {
        Some(MessageKind::Error(error)) => error,
        other => panic!("no error, but {other:?}"),
    }
}

fn structures<'a>(messages: &'a [Message], name: &str) -> Vec<&'a Structure> {
    let structure = |message: &'a Message| match &message.kind {
        MessageKind::Element(structure) => Some(structure),
        _ => None,
    };
    messages.iter().filter_map(structure).filter(|found| found.name() == name).collect()
}

/// Names of everything below `folder`, sorted.
fn listing(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => names.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }
    names.sort();
    names
}

#[test]
fn dirsink_stores_each_object_whole_and_reports() {
    everywhere(|| {
        let temp = tempfile::tempdir().unwrap();
        let place = temp.path().join("a/new/folder");
        let messages = run(
            &place,
            "fsync=true",
            vec![
                object("init.mp4", ObjectRole::Init, b"ini", false),
                object("init.mp4", ObjectRole::Init, b"tial", true),
                segment("run/segment_00000.cmfv", b"first"),
                object("index.m3u8", ObjectRole::Playlist, b"one", true),
                object("index.m3u8", ObjectRole::Playlist, b"one and two", true),
            ],
        );
        assert_eq!(listing(&place), ["index.m3u8", "init.mp4", "run/segment_00000.cmfv"]);
        assert_eq!(std::fs::read(place.join("init.mp4")).unwrap(), b"initial");
        assert_eq!(std::fs::read(place.join("index.m3u8")).unwrap(), b"one and two");
        let stored: Vec<_> = structures(&messages, "object-stored")
            .into_iter()
            .map(|s| (s.str("name").unwrap(), s.str("role").unwrap(), s.uint64("bytes").unwrap()))
            .collect();
        assert_eq!(
            stored,
            [
                ("init.mp4", "init", 7),
                ("run/segment_00000.cmfv", "segment", 5),
                ("index.m3u8", "playlist", 3),
                ("index.m3u8", "playlist", 11),
            ]
        );
        let report = structures(&messages, "sink-report")[0];
        assert_eq!((report.uint64("objects"), report.uint64("bytes")), (Some(4), Some(26)));
        assert_eq!(report.uint64("retries"), Some(0));
        assert!(report.uint64("worst-delay").is_some());
    });
}

#[test]
fn a_name_that_leaves_the_directory_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let place = temp.path().join("in");
    let messages = run(&place, "", vec![segment("../out.cmfv", b"x")]);
    let error = error_of(&messages);
    assert!(error.text.contains("\"../out.cmfv\" leads out of"), "{}", error.text);
    assert_eq!(listing(temp.path()), Vec::<String>::new());
}

#[test]
fn an_object_that_is_not_complete_leaves_nothing_behind() {
    everywhere(|| {
        let temp = tempfile::tempdir().unwrap();
        let half = || object("half.cmfv", ObjectRole::Segment, b"ha", false);
        let messages = run(temp.path(), "", vec![segment("a.cmfv", b"a"), half()]);
        let warned = messages.iter().any(|message| match &message.kind {
            MessageKind::Warning(warning) => warning.text.contains("inside object \"half.cmfv\""),
            _ => false,
        });
        assert!(warned, "{messages:?}");
        assert_eq!(listing(temp.path()), ["a.cmfv"]);
        let messages = run(temp.path(), "", vec![half(), segment("b.cmfv", b"b")]);
        assert!(error_of(&messages).text.contains("began before \"half.cmfv\" was complete"));
        assert_eq!(listing(temp.path()), ["a.cmfv"]);
    });
}

#[test]
fn a_stream_without_objects_is_refused_with_what_to_do() {
    let temp = tempfile::tempdir().unwrap();
    let messages = run(temp.path(), "", vec![Buffer::from_vec(vec![1])]);
    assert!(error_of(&messages).text.contains("put hlssegmenter before dirsink"));
}

#[test]
fn a_file_in_the_place_of_the_directory_is_a_sentence() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    for place in [file.clone(), file.join("below")] {
        let messages = run(&place, "", vec![segment("a", b"a")]);
        let text = &error_of(&messages).text;
        assert!(
            text.starts_with(&format!(
                "cannot store in \"{}\": a file is in the way",
                place.display()
            )),
            "{text}"
        );
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    // Nor is a folder replaced by an object.
    std::fs::create_dir(temp.path().join("name")).unwrap();
    let messages = run(temp.path(), "", vec![segment("name", b"a")]);
    assert!(error_of(&messages).text.contains("it is a directory"), "{messages:?}");
    assert_eq!(listing(temp.path()), ["file"]);
}

#[test]
fn object_exists_is_answered_without_streaming() {
    gst_mini_elements::register();
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("index.m3u8"), "x").unwrap();
    let sink = make("dirsink", None).unwrap();
    sink.set("location", temp.path().display()).unwrap();
    let ask = |name: &str| {
        let mut query = Query::Custom(Structure::new("object-exists").with("name", name));
        let answered = sink.query(&mut query);
        match query {
            Query::Custom(answer) if answered => answer.bool("exists"),
            _ => None,
        }
    };
    assert_eq!((ask("index.m3u8"), ask("other.m3u8")), (Some(true), Some(false)));
    assert_eq!(ask("../index.m3u8"), None);
}

#[test]
fn figures_are_properties() {
    gst_mini_elements::register();
    let sink = make("dirsink", None).unwrap();
    assert_eq!(
        sink.get_as::<bool>("sync"),
        Some(true),
        "as the object store's sink, so that one word swaps them"
    );
    for name in ["objects", "bytes", "worst-delay"] {
        assert_eq!(sink.get_as::<u64>(name), Some(0));
        assert!(sink.set(name, "1").is_err());
    }
}
