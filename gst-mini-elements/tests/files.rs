//! `filesrc` and `filesink`: every byte, or a sentence.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::prelude::*;
use std::path::Path;

/// Runs a line to its end; `Err` is the error's text.
fn run(line: &str) -> Result<(), ElementError> {
    gst_mini_elements::register();
    let pipeline = parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60)));
    let stopped = pipeline.set_state(State::Null);
    assert_ne!(stopped, StateReturn::Failure, "{line}");
    match end.map(|end| end.kind) {
        Some(MessageKind::Eos) => Ok(()),
        Some(MessageKind::Error(error)) => Err(error),
        other => panic!("{line}: {other:?}"),
    }
}

fn everywhere(check: impl Fn()) {
    check();
    for seed in 0..5 {
        Sim::new(seed).run(&check).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn refused(line: &str, kind: ErrorKind, part: &str) {
    let error = run(line).expect_err(line);
    assert_eq!(error.kind, kind, "{}", error.text);
    assert!(error.text.contains(part), "{}", error.text);
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn copy(from: &Path, to: &Path, src: &str, middle: &str, sink: &str) {
    let (from, to) = (from.display(), to.display());
    run(&format!("filesrc location=\"{from}\" {src} ! {middle} filesink location=\"{to}\" {sink}"))
        .unwrap();
}

#[test]
fn a_file_is_copied_byte_for_byte_at_any_blocksize() {
    let temp = tempfile::tempdir().unwrap();
    let (from, to) = (temp.path().join("from"), temp.path().join("to"));
    everywhere(|| {
        for len in [0, 1, 4096, 300_001] {
            let data = noise(len);
            std::fs::write(&from, &data).unwrap();
            for (src, middle) in [("", ""), ("blocksize=100000", "queue !"), ("blocksize=997", "")]
            {
                copy(&from, &to, src, middle, "");
                let copied = std::fs::read(&to).unwrap();
                assert!(copied == data, "{len} {src}: {} bytes", copied.len());
            }
        }
    });
}

#[test]
fn filesrc_offsets_count_bytes_and_num_buffers_limits_them() {
    gst_mini_elements::register();
    let temp = tempfile::tempdir().unwrap();
    let from = temp.path().join("from");
    std::fs::write(&from, noise(10_000)).unwrap();
    let from = from.display();
    let line = format!("filesrc location=\"{from}\" num-buffers=3 ! fakesink name=s");
    let pipeline = parse_launch(&line).unwrap();
    let seen = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
    let pad = pipeline.by_name("s").unwrap().static_pad("sink").unwrap();
    let list = seen.clone();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |data| {
            if let ProbeData::Buffer(buf) = data {
                list.lock().push((buf.offset(), buf.offset_end(), buf.size()));
            }
            ProbeReturn::Ok
        }),
    );
    pipeline.set_state(State::Playing);
    pipeline.wait_for_end(Some(ClockTime::from_secs(60))).unwrap();
    pipeline.set_state(State::Null);
    assert_eq!(
        *seen.lock(),
        [
            (Some(0), Some(4096), 4096),
            (Some(4096), Some(8192), 4096),
            (Some(8192), Some(10_000), 1808)
        ]
    );
    let source = make("filesrc", None).unwrap();
    source.set("location", from).unwrap();
    let format = gst_mini_core::segment::Format::Bytes;
    let mut query = Query::Duration { format, duration: None };
    assert!(source.query(&mut query));
    assert_eq!(query, Query::Duration { format, duration: Some(10_000) });
}

#[test]
fn filesrc_says_what_is_wrong_with_its_file() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().display();
    refused("filesrc ! fakesink", ErrorKind::NotFound, "set location");
    refused(
        &format!("filesrc location=\"{dir}/none\" ! fakesink"),
        ErrorKind::NotFound,
        &format!("cannot open \"{dir}/none\" for reading: there is no such file"),
    );
    refused(
        &format!("filesrc location=\"{dir}\" ! fakesink"),
        ErrorKind::Open,
        &format!("cannot open \"{dir}\" for reading: it is a directory"),
    );
}

#[test]
fn filesink_appends_only_when_asked() {
    let temp = tempfile::tempdir().unwrap();
    let (from, to) = (temp.path().join("from"), temp.path().join("to"));
    std::fs::write(&from, "new").unwrap();
    std::fs::write(&to, "old and long ").unwrap();
    copy(&from, &to, "", "", "append=true");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "old and long new");
    copy(&from, &to, "", "", "");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "new");
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    everywhere(|| {
        for size in [10, 100_000] {
            let line = format!(
                "fakesrc num-buffers=9 sizetype=fixed sizemax={size} ! filesink location=/dev/full"
            );
            let text = "cannot write \"/dev/full\": no space is left on the device";
            refused(&line, ErrorKind::NoSpace, text);
        }
    });
}

#[test]
fn filesink_says_why_it_cannot_open_its_file() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().display();
    refused("fakesrc ! filesink", ErrorKind::NotFound, "set location");
    refused(
        &format!("fakesrc ! filesink location=\"{dir}/gone/out\""),
        ErrorKind::Open,
        "there is no such file or directory",
    );
    refused(
        &format!("fakesrc ! filesink location=\"{dir}\""),
        ErrorKind::Open,
        "it is a directory",
    );
}
