//! Seeks on real elements, simulated: in time and bytes, forwards and back, with and without flush,
//! segment after segment.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::element_prelude::BufferFlags;
use gst_mini_core::event::Event;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use gst_mini_core::segment::{Format, SeekFlags, SeekType};
use gst_mini_elements::app::{AppSink, AppSrc};
use std::sync::{Arc, Mutex};

fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    for seed in 0..12 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn sink(pipeline: &Bin) -> AppSink {
    pipeline.by_name("sink").as_ref().and_then(AppSink::from).expect("the line has an appsink")
}

fn millis(time: Option<ClockTime>) -> Option<u64> {
    time.map(|time| time.nanos() / 1_000_000)
}

fn prerolled(pipeline: &Bin) -> Option<u64> {
    assert_eq!(pipeline.state(None).1, State::Paused);
    millis(sink(pipeline).pull_preroll().expect("a buffer is held").buffer.pts())
}

fn position(pipeline: &Bin) -> Option<u64> {
    let mut query = Query::position();
    pipeline.query(&mut query);
    let Query::Position { position, .. } = query else { panic!("another query") };
    position.map(|at| at / 1_000_000)
}

fn part(rate: f64, flags: SeekFlags, start_ms: i64, stop_ms: Option<i64>) -> Seek {
    Seek {
        rate,
        format: Format::Time,
        flags,
        start_type: SeekType::Set,
        start: start_ms * 1_000_000,
        stop_type: if stop_ms.is_some() { SeekType::Set } else { SeekType::None },
        stop: stop_ms.map_or(-1, |stop| stop * 1_000_000),
    }
}

/// What arrived at the sink: times of buffers in ms, running times in brackets, events by name.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn at(pipeline: &Bin) -> Seen {
        let seen = Seen::default();
        let (log, mut segment) = (seen.0.clone(), Segment::time());
        let pad = pipeline.by_name("sink").unwrap().static_pad("sink").unwrap();
        pad.add_probe(
            ProbeType::BUFFER | ProbeType::EVENT_DOWNSTREAM,
            Box::new(move |data| {
                let entry = match data {
                    ProbeData::Buffer(buf) => {
                        let due = buf.pts().and_then(|pts| segment.to_running_time(pts));
                        let due = due.map_or(-1, |due| (due.nanos() / 1_000_000) as i64);
                        let mark = if buf.has(BufferFlags::DISCONT) { "!" } else { "" };
                        format!("{}{mark}[{due}]", millis(buf.pts()).unwrap_or(0))
                    }
                    ProbeData::Event(event) => match &event.kind {
                        EventKind::Segment(new) => {
                            segment = *new;
                            return ProbeReturn::Ok;
                        }
                        EventKind::Eos | EventKind::SegmentDone { .. } => event.name().to_owned(),
                        _ => return ProbeReturn::Ok,
                    },
                    _ => return ProbeReturn::Ok,
                };
                log.lock().unwrap().push(entry);
                ProbeReturn::Ok
            }),
        );
        seen
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

/// A clip of `frames` pictures, ten a second, each filled with its number.
fn clip(frames: u8) -> tempfile::NamedTempFile {
    let mut bytes = b"YUV4MPEG2 W4 H4 F10:1 C420jpeg\n".to_vec();
    for number in 0..frames {
        bytes.extend(b"FRAME\n");
        bytes.extend([number; 24]);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

const TEST_VIDEO: &str = "videotestsrc name=src ! video/x-raw,width=16,height=16,framerate=10/1 ! appsink name=sink wait-on-eos=false";

#[test]
fn a_flushing_seek_in_paused_prerolls_what_is_shown_there() {
    everywhere(|| {
        let pipeline = launch(TEST_VIDEO);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(0));
        assert!(pipeline.seek(part(1.0, SeekFlags::FLUSH, 1250, None)));
        assert_eq!(prerolled(&pipeline), Some(1200));
        assert_eq!(position(&pipeline), Some(1250));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_reverse_seek_plays_backwards_and_ends_at_its_start() {
    everywhere(|| {
        let pipeline = launch(TEST_VIDEO);
        let seen = Seen::at(&pipeline);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(0));
        seen.take();
        assert!(pipeline.seek(part(-2.0, SeekFlags::FLUSH, 1000, Some(1400))));
        pipeline.set_state(State::Playing);
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        assert_eq!(seen.take(), "1300![50] 1200![100] 1100![150] 1000![200] eos");
        assert_eq!(runtime::now().nanos() / 1_000_000, 200, "twice as fast");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_seek_without_flush_in_paused_returns_and_is_made_when_it_plays() {
    everywhere(|| {
        let pipeline = launch(TEST_VIDEO);
        let seen = Seen::at(&pipeline);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(0));
        assert!(pipeline.seek(part(1.0, SeekFlags::empty(), 5000, Some(5200))));
        pipeline.set_state(State::Playing);
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        // Running time goes on behind the buffer that was on its way.
        assert_eq!(seen.take(), "0![0] 5000![100] 5100[200] eos");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_seek_asked_of_a_source_in_ready_is_made_at_the_start() {
    everywhere(|| {
        let pipeline = launch(TEST_VIDEO);
        pipeline.set_state(State::Ready);
        let seek = part(1.0, SeekFlags::FLUSH, 2000, Some(2300));
        assert!(pipeline.by_name("src").unwrap().seek(seek));
        let seen = Seen::at(&pipeline);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(2000));
        pipeline.set_state(State::Playing);
        pipeline.wait_for_end(None).unwrap();
        assert_eq!(seen.take(), "2000![0] 2100[100] 2200[200] eos");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn segment_seeks_play_a_loop_without_a_gap() {
    everywhere(|| {
        let pipeline = launch(TEST_VIDEO);
        let seen = Seen::at(&pipeline);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(0));
        seen.take();
        let flags = SeekFlags::FLUSH | SeekFlags::SEGMENT;
        assert!(pipeline.seek(part(1.0, flags, 500, Some(700))));
        pipeline.set_state(State::Playing);
        for round in 0..3 {
            let done = pipeline.bus().timed_pop_filtered(None, |message| {
                matches!(message.kind, MessageKind::SegmentDone { .. } | MessageKind::Error(_))
            });
            let position = 700 * 1_000_000;
            let expected = MessageKind::SegmentDone { format: Format::Time, position };
            assert_eq!(done.unwrap().kind, expected, "round {round}");
            let last = if round == 2 { SeekFlags::empty() } else { SeekFlags::SEGMENT };
            assert!(pipeline.seek(part(1.0, last, 500, Some(700))));
        }
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        assert_eq!(
            seen.take(),
            "500![0] 600[100] segment-done 500![200] 600[300] segment-done 500![400] 600[500] \
             segment-done 500![600] 600[700] eos"
        );
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_file_of_pictures_is_sought_in_time() {
    everywhere(|| {
        let file = clip(20);
        let at = file.path().display();
        let pipeline = launch(&format!(
            "filesrc location={at} blocksize=37 ! y4mdec ! appsink name=sink wait-on-eos=false"
        ));
        let seen = Seen::at(&pipeline);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(0));
        let mut seeking =
            Query::Seeking { format: Format::Time, seekable: false, start: 1, end: None };
        assert!(pipeline.query(&mut seeking));
        let end = Some(2_000_000_000);
        assert_eq!(seeking, Query::Seeking { format: Format::Time, seekable: true, start: 0, end });
        let mut duration = Query::duration();
        assert!(pipeline.query(&mut duration));
        assert_eq!(duration, Query::Duration { format: Format::Time, duration: end });
        seen.take();

        assert!(pipeline.seek(part(1.0, SeekFlags::FLUSH, 1250, Some(1450))));
        let sample = {
            assert_eq!(pipeline.state(None).1, State::Paused);
            sink(&pipeline).pull_preroll().unwrap()
        };
        assert_eq!((millis(sample.buffer.pts()), sample.buffer.data()[0]), (Some(1200), 12));
        assert_eq!(sample.segment.unwrap().start, 1_250_000_000, "an exact seek");
        assert_eq!(position(&pipeline), Some(1250));
        pipeline.set_state(State::Playing);
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        assert_eq!(seen.take(), "1200![-1] 1300[50] 1400[150] eos");

        let flags = SeekFlags::FLUSH | SeekFlags::KEY_UNIT | SeekFlags::SNAP_AFTER;
        let to_the_end = Seek { stop_type: SeekType::Set, ..part(1.0, flags, 1750, None) };
        assert!(pipeline.seek(to_the_end));
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        assert_eq!(seen.take(), "1800![0] 1900[100] eos");
        assert!(!pipeline.seek(part(-1.0, SeekFlags::FLUSH, 0, Some(1000))), "not backwards");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_file_of_pictures_plays_segments_in_a_loop() {
    everywhere(|| {
        let file = clip(10);
        let at = file.path().display();
        let pipeline = launch(&format!(
            "filesrc location={at} ! y4mdec ! appsink name=sink wait-on-eos=false"
        ));
        let seen = Seen::at(&pipeline);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(0));
        seen.take();
        let flags = SeekFlags::FLUSH | SeekFlags::SEGMENT;
        assert!(pipeline.seek(part(1.0, flags, 300, Some(500))));
        pipeline.set_state(State::Playing);
        let done = pipeline.bus().timed_pop_filtered(None, |message| {
            matches!(message.kind, MessageKind::SegmentDone { .. } | MessageKind::Error(_))
        });
        assert!(matches!(done.unwrap().kind, MessageKind::SegmentDone { .. }));
        assert!(pipeline.seek(part(1.0, SeekFlags::empty(), 300, Some(500))));
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        assert_eq!(seen.take(), "300![0] 400[100] segment-done 300![200] 400[300] eos");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_file_is_sought_in_bytes_and_says_how_long_it_is() {
    everywhere(|| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), (0..100u8).collect::<Vec<_>>()).unwrap();
        let at = file.path().display();
        let pipeline = launch(&format!(
            "filesrc location={at} blocksize=16 ! appsink name=sink sync=false wait-on-eos=false"
        ));
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        let sample = sink(&pipeline).pull_preroll().unwrap();
        assert_eq!(sample.segment.unwrap().format, Format::Bytes);
        assert_eq!(sample.segment.unwrap().duration, Some(100));
        let seek = Seek {
            format: Format::Bytes,
            start: 40,
            stop_type: SeekType::Set,
            stop: 70,
            ..Seek::to(ClockTime::ZERO)
        };
        assert!(!pipeline.seek(Seek::to(ClockTime::SECOND)), "a file does not count time");
        assert!(pipeline.seek(seek));
        pipeline.set_state(State::Playing);
        let all: Vec<u8> =
            sink(&pipeline).samples().flat_map(|sample| sample.buffer.data().to_vec()).collect();
        assert_eq!(all, (40..70).collect::<Vec<_>>());
        pipeline.set_state(State::Null);
    });
}

#[test]
fn appsrc_asks_the_application_to_go_on_elsewhere() {
    everywhere(|| {
        let pipeline = launch(
            "appsrc name=src format=time stream-type=seekable ! appsink name=sink wait-on-eos=false",
        );
        let src = pipeline.by_name("src").as_ref().and_then(AppSrc::from).unwrap();
        let frame = |n: u64| {
            let mut buf = Buffer::from_vec(vec![n as u8]);
            buf.set_pts(Some(ClockTime::from_millis(100 * n)));
            buf.set_duration(Some(ClockTime::from_millis(100)));
            buf
        };
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        src.element().connect_answering("seek-data", move |args| {
            let offset = args.and_then(|args| args.uint64("offset")).unwrap();
            noted.lock().unwrap().push(offset);
            Some(Value::from(offset < 5_000_000_000))
        });
        pipeline.set_state(State::Paused);
        for n in 0..4 {
            src.push(frame(n)).unwrap();
        }
        assert_eq!(prerolled(&pipeline), Some(0));
        assert!(pipeline.seek(part(1.0, SeekFlags::FLUSH, 3000, None)));
        assert_eq!(*asked.lock().unwrap(), [3_000_000_000]);
        src.push(frame(30)).unwrap();
        assert_eq!(prerolled(&pipeline), Some(3000), "what was queued is gone");
        assert!(!pipeline.seek(part(1.0, SeekFlags::FLUSH, 6000, None)), "the application refuses");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn what_cannot_be_sought_says_so_and_flushes_nothing() {
    everywhere(|| {
        for line in [
            "fakesrc format=time ! appsink name=sink wait-on-eos=false",
            "videotestsrc is-live=true ! appsink name=sink wait-on-eos=false",
            "appsrc name=src format=time ! appsink name=sink wait-on-eos=false",
        ] {
            let pipeline = launch(line);
            pipeline.set_state(State::Playing);
            assert!(!pipeline.seek(part(1.0, SeekFlags::FLUSH, 1000, None)), "{line}");
            pipeline.set_state(State::Null);
        }
    });
}

#[test]
fn two_seeks_at_once_leave_a_stream_that_plays() {
    everywhere(|| {
        let pipeline = launch(TEST_VIDEO);
        pipeline.set_state(State::Playing);
        let other = pipeline.clone();
        let seeker = runtime::spawn("seeker", move || {
            for ms in [300, 2000, 900] {
                other.seek(part(1.0, SeekFlags::FLUSH, ms, None));
            }
        })
        .unwrap();
        for ms in [400, 1000] {
            pipeline.seek(part(1.0, SeekFlags::empty(), ms, None));
        }
        seeker.join();
        assert!(pipeline.seek(part(1.0, SeekFlags::FLUSH, 7000, Some(7200))));
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_flush_of_the_applications_own_goes_through_a_source_that_goes_on() {
    everywhere(|| {
        let pipeline = launch(TEST_VIDEO);
        pipeline.set_state(State::Paused);
        assert_eq!(prerolled(&pipeline), Some(0));
        let src = pipeline.by_name("src").unwrap();
        assert!(src.send_event(Event::flush_start()));
        assert!(src.send_event(Event::flush_stop(true)));
        assert_eq!(prerolled(&pipeline), Some(100), "the next one");
        pipeline.set_state(State::Null);
    });
}
