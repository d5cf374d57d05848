//! Pull mode: who may pull what, ranges, probes, flushes, and pipelines whose sink or parser drives.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::element::Direction;
use gst_mini_core::element_prelude::Scheduling;
use gst_mini_core::pad::{PadCore, PadMode};
use gst_mini_core::prelude::*;
use gst_mini_core::segment::{Format, SeekFlags, SeekType};
use gst_mini_elements::app::AppSink;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    test();
    for seed in 0..20 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

struct File {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn file(bytes: &[u8]) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    std::fs::write(&path, bytes).unwrap();
    File { path, _folder: folder }
}

fn numbered(count: usize) -> File {
    file(&(0..count).map(|n| (n % 251) as u8).collect::<Vec<u8>>())
}

/// A clip of ten frames a second, each full of its number.
fn clip(frames: u8) -> File {
    let mut bytes = b"YUV4MPEG2 W4 H2 F10:1 Cmono\n".to_vec();
    for number in 0..frames {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend([number; 8]);
    }
    file(&bytes)
}

fn scheduling(line: &str) -> Option<String> {
    let pipeline = launch(line);
    pipeline.set_state(State::Ready);
    let element = pipeline.by_name("x").unwrap();
    let pads = element.pads();
    let src = pads.iter().find(|pad| pad.direction() == Direction::Src).unwrap();
    let mut query = Query::scheduling();
    let answered = src.query(&mut query);
    pipeline.set_state(State::Null);
    let Query::Scheduling(way) = query else { panic!("another query") };
    assert_eq!(way, Scheduling { min_size: 1, max_size: None, align: 0, ..way });
    let words = [
        (way.seekable, "seekable"),
        (way.sequential, "sequential"),
        (way.push, "push"),
        (way.pull, "pull"),
    ];
    let said: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    answered.then(|| said.join(" "))
}

/// Answers of GStreamer 1.22.
#[test]
fn each_element_says_how_its_data_can_be_had() {
    let bytes = numbered(100);
    everywhere(|| {
        let at = bytes.path.display();
        for (line, said) in [
            (format!("filesrc location={at} name=x ! fakesink"), Some("seekable push pull")),
            ("filesrc location=/nowhere name=x ! fakesink".into(), Some("seekable push")),
            ("fdsrc name=x ! fakesink".into(), Some("sequential push")),
            ("fakesrc name=x ! fakesink".into(), Some("seekable push pull")),
            ("fakesrc can-activate-pull=false name=x ! fakesink".into(), Some("seekable push")),
            ("fakesrc format=time name=x ! fakesink".into(), Some("seekable push")),
            ("videotestsrc name=x ! fakesink".into(), Some("sequential push")),
            ("audiotestsrc name=x ! fakesink".into(), Some("seekable push")),
            ("appsrc name=x ! fakesink".into(), Some("seekable push")),
            (
                format!("filesrc location={at} ! identity ! capsfilter name=x ! fakesink"),
                Some("seekable push pull"),
            ),
            (format!("filesrc location={at} ! queue name=x ! fakesink"), Some("push")),
            (format!("filesrc location={at} ! tee name=x ! fakesink"), Some("")),
            (format!("filesrc location={at} ! funnel name=x ! fakesink"), None),
            (format!("filesrc location={at} ! wavparse name=x ! fakesink"), None),
            (format!("filesrc location={at} ! y4mdec name=x ! fakesink"), None),
            ("identity name=x ! fakesink".into(), None),
        ] {
            assert_eq!(scheduling(&line).as_deref(), said, "{line}");
        }
    });
}

/// A file's source pad with a pad of the application's own behind it.
fn reader(bytes: &File) -> (ElementRef, Arc<PadCore>, Arc<PadCore>) {
    let source = make("filesrc", Some("f")).unwrap();
    source.set("location", bytes.path.display()).unwrap();
    source.set_state(State::Ready);
    let (src, sink) = (source.static_pad("src").unwrap(), PadCore::bare("in", Direction::Sink));
    src.link(&sink).unwrap();
    (source, src, sink)
}

fn pulled(sink: &PadCore, offset: u64, size: u32) -> String {
    match sink.pull_range(offset, size) {
        Ok(buf) => format!("{}+{} from {}", offset, buf.size(), buf.data()[0]),
        Err(flow) => flow.to_string(),
    }
}

#[test]
fn a_range_is_what_was_asked_for_and_short_only_at_the_end() {
    let bytes = numbered(100);
    everywhere(|| {
        let (source, src, sink) = reader(&bytes);
        assert_eq!(pulled(&sink, 0, 10), FlowError::Flushing.to_string());
        assert!(sink.activate_mode(PadMode::Pull, true));
        assert_eq!((src.mode(), sink.mode()), (PadMode::Pull, PadMode::Pull));
        // Its own way to PAUSED finds it active.
        assert_eq!(source.set_state(State::Paused), StateReturn::Success);
        assert_eq!(src.mode(), PadMode::Pull);
        assert_eq!(pulled(&sink, 50, 10), "50+10 from 50");
        assert_eq!(pulled(&sink, 0, 10), "0+10 from 0");
        assert_eq!(pulled(&sink, 95, 10), "95+5 from 95");
        assert_eq!(pulled(&sink, 0, u32::MAX), "0+100 from 0");
        assert_eq!(pulled(&sink, 100, 10), FlowError::Eos.to_string());
        assert_eq!(sink.last_flow(), Err(FlowError::Eos));
        let first = sink.pull_range(0, 7).unwrap();
        assert_eq!((first.offset(), first.offset_end()), (Some(0), Some(7)));
        assert_eq!(first.dts(), Some(ClockTime::ZERO));
        assert_eq!(sink.pull_range(7, 7).unwrap().dts(), None);
        // Nothing of a stream comes down.
        assert!(sink.sticky_events().is_empty());
        assert!(sink.activate_mode(PadMode::Pull, false));
        assert_eq!((src.mode(), sink.mode()), (PadMode::None, PadMode::None));
        assert_eq!(pulled(&sink, 0, 10), FlowError::Flushing.to_string());
        source.set_state(State::Null);
    });
}

#[test]
fn a_link_carries_data_in_the_mode_of_its_pads_only() {
    let bytes = numbered(100);
    everywhere(|| {
        let (source, src, sink) = reader(&bytes);
        sink.set_active(true);
        assert_eq!(pulled(&sink, 0, 10), FlowError::Error.to_string());
        // From one mode to the other by way of none.
        assert!(sink.activate_mode(PadMode::Pull, true));
        assert_eq!(sink.chain_buffer(Buffer::from_vec(vec![1])), Err(FlowError::NotLinked));
        src.unlink();
        assert_eq!(pulled(&sink, 0, 10), FlowError::NotLinked.to_string());
        source.set_state(State::Null);
        // A pad whose owner gives no ranges cannot be pulled from.
        let (source, sink) =
            (make("videotestsrc", Some("v")).unwrap(), PadCore::bare("in", Direction::Sink));
        source.set_state(State::Ready);
        source.static_pad("src").unwrap().link(&sink).unwrap();
        assert!(!sink.activate_mode(PadMode::Pull, true));
        assert_eq!(sink.mode(), PadMode::None);
        source.set_state(State::Null);
        let alone = PadCore::bare("in", Direction::Sink);
        assert!(!alone.activate_mode(PadMode::Pull, true));
    });
}

#[test]
fn a_flush_from_who_pulls_ends_and_begins_ranges() {
    let bytes = numbered(100);
    everywhere(|| {
        let (source, src, sink) = reader(&bytes);
        assert!(sink.activate_mode(PadMode::Pull, true));
        sink.push_event(Event::flush_start());
        assert!(src.is_flushing());
        assert_eq!(pulled(&sink, 0, 10), FlowError::Flushing.to_string());
        sink.push_event(Event::flush_stop(true));
        assert_eq!(pulled(&sink, 20, 10), "20+10 from 20");
        sink.activate_mode(PadMode::Pull, false);
        source.set_state(State::Null);
    });
}

#[test]
fn probes_see_ranges_before_and_buffers_after_they_are_pulled() {
    let bytes = numbered(100);
    everywhere(|| {
        let (source, src, sink) = reader(&bytes);
        let log = Arc::new(Mutex::new(Vec::new()));
        for (name, pad) in [("sink", &sink), ("src", &src)] {
            for mask in [ProbeType::PULL | ProbeType::BLOCK, ProbeType::PULL | ProbeType::BUFFER] {
                let log = log.clone();
                pad.add_probe(
                    mask,
                    Box::new(move |data| {
                        log.lock().unwrap().push(match data {
                            ProbeData::Range { offset, size, .. } => {
                                format!("{name} asks {size} at {offset}")
                            }
                            ProbeData::Buffer(buf) => format!("{name} has {}", buf.size()),
                            _ => return ProbeReturn::Pass,
                        });
                        ProbeReturn::Pass
                    }),
                );
            }
            let log = log.clone();
            pad.add_probe(
                ProbeType::PUSH | ProbeType::BUFFER,
                Box::new(move |_| {
                    log.lock().unwrap().push(format!("{name} is pushed to"));
                    ProbeReturn::Ok
                }),
            );
        }
        assert!(sink.activate_mode(PadMode::Pull, true));
        log.lock().unwrap().clear();
        assert_eq!(pulled(&sink, 90, 20), "90+10 from 90");
        let seen = ["sink asks 20 at 90", "src asks 20 at 90", "src has 10", "sink has 10"];
        assert_eq!(*log.lock().unwrap(), seen);
        sink.activate_mode(PadMode::Pull, false);
        source.set_state(State::Null);
    });
}

#[test]
fn a_probe_that_drops_a_range_ends_the_stream_unless_it_gives_a_buffer() {
    let bytes = numbered(100);
    everywhere(|| {
        let (source, src, sink) = reader(&bytes);
        assert!(sink.activate_mode(PadMode::Pull, true));
        let mut own = Some(Buffer::from_vec(vec![7; 3]));
        src.add_probe(
            ProbeType::PULL | ProbeType::BLOCK,
            Box::new(move |data| {
                if let ProbeData::Range { buf, .. } = data {
                    *buf = own.take();
                }
                ProbeReturn::Drop
            }),
        );
        assert_eq!(pulled(&sink, 0, 10), "0+3 from 7");
        assert_eq!(pulled(&sink, 0, 10), FlowError::Eos.to_string());
        sink.activate_mode(PadMode::Pull, false);
        source.set_state(State::Null);
        let (source, _, sink) = reader(&bytes);
        assert!(sink.activate_mode(PadMode::Pull, true));
        sink.add_probe(ProbeType::PULL | ProbeType::BUFFER, Box::new(|_| ProbeReturn::Drop));
        assert_eq!(pulled(&sink, 0, 10), FlowError::Eos.to_string());
        sink.activate_mode(PadMode::Pull, false);
        source.set_state(State::Null);
    });
}

/// What arrived at the sink until the end: places and sizes of buffers, events by name.
fn arrives(line: &str, mode: PadMode) -> Vec<String> {
    let pipeline = launch(line);
    let pad = pipeline.by_name("s").unwrap().static_pad("sink").unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let own = log.clone();
    pad.add_probe(
        ProbeType::BUFFER | ProbeType::EVENT_DOWNSTREAM,
        Box::new(move |data| {
            own.lock().unwrap().push(match data {
                ProbeData::Buffer(buf) => format!("{:?}+{}", buf.offset(), buf.size()),
                ProbeData::Event(event) => event.name().to_owned(),
                _ => return ProbeReturn::Ok,
            });
            ProbeReturn::Ok
        }),
    );
    assert_eq!(pipeline.set_state(State::Paused), StateReturn::Async, "{line}");
    assert_eq!(pad.mode(), mode, "{line}");
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
    assert!(matches!(end.kind, MessageKind::Eos), "{line}: {end:?}");
    pipeline.set_state(State::Null);
    assert_eq!(pad.mode(), PadMode::None);
    log.lock().unwrap().clone()
}

#[test]
fn a_sink_that_may_pull_reads_blocksize_bytes_at_a_time() {
    let bytes = numbered(10_000);
    everywhere(|| {
        let at = bytes.path.display();
        let pulls = ["Some(0)+4096", "Some(4096)+4096", "Some(8192)+1808"];
        let line = format!("filesrc location={at} ! fakesink name=s can-activate-pull=true");
        assert_eq!(arrives(&line, PadMode::Pull), pulls);
        let line =
            format!("filesrc location={at} ! identity ! fakesink name=s can-activate-pull=true");
        assert_eq!(arrives(&line, PadMode::Pull), pulls);
        let line =
            format!("filesrc location={at} ! fakesink name=s can-activate-pull=true blocksize=0");
        assert_eq!(arrives(&line, PadMode::Pull), ["Some(0)+10000"]);
        let line = "fakesrc num-buffers=2 sizetype=fixed sizemax=10 ! fakesink name=s can-activate-pull=true";
        assert_eq!(arrives(line, PadMode::Pull), ["Some(0)+10", "Some(10)+10"]);
    });
}

#[test]
fn a_sink_that_cannot_pull_is_pushed_to() {
    let bytes = numbered(5000);
    everywhere(|| {
        let at = bytes.path.display();
        let pushes =
            ["stream-start", "segment", "Some(0)+4096", "Some(4096)+904", "eos"].map(String::from);
        for line in [
            format!("filesrc location={at} ! fakesink name=s"),
            format!("filesrc location={at} ! queue ! fakesink name=s can-activate-pull=true"),
            format!("filesrc location={at} ! tee ! fakesink name=s can-activate-pull=true"),
        ] {
            assert_eq!(arrives(&line, PadMode::Push), pushes, "{line}");
        }
        // A format that is to be agreed on is agreed on by pushing, as in GStreamer.
        let line =
            format!("filesrc location={at} ! some/format ! fakesink name=s can-activate-pull=true");
        assert_eq!(arrives(&line, PadMode::Push).len(), 6);
        let line = format!("filesrc location={at} ! fakesink can-activate-push=false");
        let pipeline = launch(&line);
        assert_eq!(pipeline.set_state(State::Playing), StateReturn::Failure);
        pipeline.set_state(State::Null);
        let pipeline = launch("fakesrc can-activate-push=false ! fakesink");
        assert_eq!(pipeline.set_state(State::Playing), StateReturn::Failure);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_file_that_is_pushed_counts_bytes() {
    let bytes = numbered(5000);
    everywhere(|| {
        let line = format!("filesrc location={} ! fakesink name=s", bytes.path.display());
        let pipeline = launch(&line);
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        let pad = pipeline.by_name("s").unwrap().static_pad("sink").unwrap();
        let duration = Some(5000);
        let whole = Segment { duration, ..Segment::new(Format::Bytes) };
        assert_eq!(pad.segment().unwrap(), whole);
        assert_eq!((whole.start, whole.stop, whole.time), (0, None, Some(0)));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn the_end_of_the_application_ends_what_is_pulled() {
    everywhere(|| {
        let pipeline = launch("fakesrc name=f ! fakesink name=s can-activate-pull=true");
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        assert!(pipeline.by_name("f").unwrap().send_event(Event::eos()));
        pipeline.set_state(State::Playing);
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
        assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
        pipeline.set_state(State::Null);
    });
}

fn part(format: Format, flags: SeekFlags, start: i64, stop: i64) -> Seek {
    let (start_type, stop_type) = (SeekType::Set, SeekType::Set);
    Seek { rate: 1.0, format, flags, start_type, start, stop_type, stop }
}

#[test]
fn a_pulling_sink_goes_where_a_seek_says_and_back_again() {
    let bytes = numbered(10_000);
    everywhere(|| {
        let line = format!(
            "filesrc location={} ! fakesink name=s can-activate-pull=true signal-handoffs=true",
            bytes.path.display()
        );
        for again in 0..2 {
            let pipeline = launch(&line);
            let sink = pipeline.by_name("s").unwrap();
            let log = Arc::new(Mutex::new(Vec::new()));
            let own = log.clone();
            sink.static_pad("sink").unwrap().add_probe(
                ProbeType::BUFFER,
                Box::new(move |data| {
                    if let ProbeData::Buffer(buf) = data {
                        own.lock().unwrap().push((buf.offset().unwrap(), buf.size()));
                    }
                    ProbeReturn::Ok
                }),
            );
            pipeline.set_state(State::Paused);
            assert_eq!(pipeline.state(None).1, State::Paused);
            let flush = SeekFlags::FLUSH;
            assert!(!pipeline.seek(part(Format::Time, flush, 0, 1)));
            assert!(pipeline.seek(part(Format::Bytes, flush, 5000, 9200)));
            assert_eq!(pipeline.state(None).1, State::Paused);
            pipeline.set_state(State::Playing);
            let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
            assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
            assert_eq!(*log.lock().unwrap(), [(0, 4096), (5000, 4096), (9096, 104)], "{again}");
            assert!(pipeline.seek(part(Format::Bytes, flush, 0, 10)));
            let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
            assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
            assert_eq!(log.lock().unwrap().last(), Some(&(0, 10)));
            pipeline.set_state(State::Null);
        }
    });
}

/// Pictures that come out of a clip: number and time in ms.
fn pictures(line: &str, seek: Option<Seek>) -> (PadMode, Vec<(u8, u64)>) {
    let pipeline = launch(line);
    let sink = AppSink::from(&pipeline.by_name("s").unwrap()).unwrap();
    pipeline.set_state(State::Paused);
    assert_eq!(pipeline.state(None).1, State::Paused);
    let mode = pipeline.by_name("d").unwrap().static_pad("sink").unwrap().mode();
    if let Some(seek) = seek {
        assert!(pipeline.seek(seek), "{line}");
        assert_eq!(pipeline.state(None).1, State::Paused);
    }
    pipeline.set_state(State::Playing);
    let mut seen = Vec::new();
    while let Some(sample) = sink.pull() {
        let at = sample.buffer.pts().unwrap().nanos() / 1_000_000;
        seen.push((sample.buffer.data()[0], at));
    }
    pipeline.set_state(State::Null);
    (mode, seen)
}

#[test]
fn a_parser_gives_the_same_pulled_as_pushed() {
    let clip = clip(20);
    everywhere(|| {
        let at = clip.path.display();
        let second = 1_000_000_000;
        let cases = [
            None,
            Some(part(Format::Time, SeekFlags::FLUSH, second / 2, second)),
            Some(part(Format::Time, SeekFlags::FLUSH, 3 * second / 2, -1)),
        ];
        for seek in cases {
            let end = "y4mdec name=d ! appsink name=s sync=false";
            let (mode, pulled) = pictures(&format!("filesrc location={at} ! {end}"), seek.clone());
            assert_eq!(mode, PadMode::Pull);
            let (mode, pushed) = pictures(&format!("filesrc location={at} ! queue ! {end}"), seek);
            assert_eq!(mode, PadMode::Push);
            assert_eq!(pulled, pushed);
            assert!(!pulled.is_empty());
        }
        let (mode, _) = pictures(
            &format!(
                "filesrc location={at} ! identity ! y4mdec name=d ! appsink name=s sync=false"
            ),
            None,
        );
        assert_eq!(mode, PadMode::Pull);
    });
}

#[test]
fn a_part_that_is_pulled_ends_with_segment_done_in_time() {
    let clip = clip(20);
    everywhere(|| {
        let line = format!("filesrc location={} ! y4mdec ! fakesink name=s", clip.path.display());
        let pipeline = launch(&line);
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        let second = 1_000_000_000;
        let flags = SeekFlags::FLUSH | SeekFlags::SEGMENT;
        assert!(pipeline.seek(part(Format::Time, flags, second, second * 3 / 2)));
        pipeline.set_state(State::Playing);
        let bus = pipeline.bus();
        let done = loop {
            let message =
                bus.timed_pop(Some(ClockTime::from_secs(60))).expect("the end of the part");
            match message.kind {
                MessageKind::SegmentDone { format, position } => break (format, position),
                MessageKind::Error(error) => panic!("{error:?}"),
                _ => {}
            }
        };
        assert_eq!(done, (Format::Time, 1_500_000_000));
        // Another part, from where the first one ended.
        assert!(pipeline.seek(part(Format::Time, SeekFlags::empty(), 0, second / 2)));
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
        assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
        pipeline.set_state(State::Null);
    });
}
