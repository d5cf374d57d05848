//! `fdsrc` and `fdsink` on pipes and files, and how a stop gets them out of a wait.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::prelude::*;
use gst_mini_elements::app::AppSink;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;

fn everywhere(check: impl Fn()) {
    check();
    for seed in 0..5 {
        Sim::new(seed).run(&check).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    gst_mini_elements::register();
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn end_of(pipeline: &Bin) -> Result<(), ElementError> {
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60)));
    assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    match end.map(|end| end.kind) {
        Some(MessageKind::Eos) => Ok(()),
        Some(MessageKind::Error(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[test]
fn a_pipe_is_read_to_its_end() {
    let data = noise(500_000);
    everywhere(|| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let feed = data.clone();
        let feeder = std::thread::spawn(move || writer.write_all(&feed).unwrap());
        let fd = reader.as_raw_fd();
        let pipeline =
            launch(&format!("fdsrc fd={fd} blocksize=10000 ! queue ! appsink name=sink"));
        pipeline.set_state(State::Playing);
        let sink = pipeline.by_name("sink").as_ref().and_then(AppSink::from).unwrap();
        let mut got = Vec::new();
        for sample in sink.samples() {
            assert_eq!(sample.buffer.offset(), Some(got.len() as u64));
            got.extend_from_slice(sample.buffer.data());
        }
        assert!(got == data, "{} bytes", got.len());
        pipeline.set_state(State::Null);
        feeder.join().unwrap();
    });
}

#[test]
fn a_file_is_read_and_written_through_descriptors() {
    let data = noise(100_000);
    everywhere(|| {
        let mut from = tempfile::tempfile().unwrap();
        let temp = tempfile::NamedTempFile::new().unwrap();
        from.write_all(&data).unwrap();
        std::io::Seek::rewind(&mut from).unwrap();
        let (src, sink) = (from.as_raw_fd(), temp.as_raw_fd());
        end_of(&launch(&format!("fdsrc fd={src} ! fdsink fd={sink}"))).unwrap();
        assert!(std::fs::read(temp.path()).unwrap() == data);
    });
}

#[test]
fn a_stop_ends_the_wait_for_a_pipe_that_never_delivers() {
    everywhere(|| {
        let (reader, _writer) = std::io::pipe().unwrap();
        let pipeline = launch(&format!("fdsrc fd={} ! fakesink", reader.as_raw_fd()));
        assert_eq!(pipeline.set_state(State::Playing), StateReturn::Async);
        assert!(pipeline.wait_for_end(Some(ClockTime::from_millis(30))).is_none());
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
    });
}

#[test]
fn an_end_asked_for_ends_the_wait_too() {
    everywhere(|| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"some").unwrap();
        let pipeline = launch(&format!("fdsrc fd={} ! fakesink", reader.as_raw_fd()));
        pipeline.set_state(State::Playing);
        assert_eq!(pipeline.state(None).0, StateReturn::Success);
        assert!(pipeline.send_event(Event::eos()));
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("the end");
        assert!(matches!(end.kind, MessageKind::Eos));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn fdsrc_tells_of_each_timeout_and_waits_on() {
    everywhere(|| {
        let (reader, writer) = std::io::pipe().unwrap();
        let pipeline = launch(&format!("fdsrc fd={} timeout=5000 ! fakesink", reader.as_raw_fd()));
        pipeline.set_state(State::Playing);
        for _ in 0..2 {
            let told = pipeline.bus().timed_pop_filtered(Some(ClockTime::from_secs(60)), |message| {
                matches!(&message.kind, MessageKind::Element(told) if told.name() == "GstFdSrcTimeout")
            });
            let Some(MessageKind::Element(told)) = told.map(|told| told.kind) else {
                panic!("none")
            };
            assert_eq!(told.uint64("timeout"), Some(5000));
        }
        drop(writer);
        assert!(pipeline.wait_for_end(Some(ClockTime::from_secs(60))).is_some());
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_stop_ends_the_wait_for_a_pipe_that_nobody_empties() {
    everywhere(|| {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let fd = writer.as_raw_fd();
        let pipeline = launch(&format!("fakesrc sizetype=fixed sizemax=100000 ! fdsink fd={fd}"));
        pipeline.set_state(State::Playing);
        assert!(pipeline.wait_for_end(Some(ClockTime::from_millis(30))).is_none());
        assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
        drop(writer);
        let mut left = Vec::new();
        reader.read_to_end(&mut left).unwrap();
        assert_eq!(left.len(), 65_536, "as much as a pipe holds");
    });
}

#[test]
fn a_reader_that_went_away_and_a_full_disk_are_sentences() {
    everywhere(|| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let line = |fd| format!("fakesrc sizetype=fixed num-buffers=9 ! fdsink fd={fd}");
        let fd = writer.as_raw_fd();
        let error = end_of(&launch(&line(fd))).unwrap_err();
        let expected =
            format!("cannot write to file descriptor {fd}: nobody reads from it any more");
        assert_eq!((error.kind, error.text), (ErrorKind::Write, expected));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = end_of(&launch(&line(full.as_raw_fd()))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoSpace, "{}", error.text);
        let error = end_of(&launch("fdsrc fd=1000 ! fakesink")).unwrap_err();
        assert!(error.text.contains("1000: it is not an open file descriptor"), "{}", error.text);
    });
}
