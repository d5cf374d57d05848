//! `appsrc` and `appsink`: the application's ends, on threads and on simulated time.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use gst_mini_core::segment::Format;
use gst_mini_elements::app::{AppSink, AppSrc};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn everywhere(check: impl Fn()) {
    for _ in 0..5 {
        check();
    }
    for seed in 0..30 {
        Sim::new(seed).run(&check).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    gst_mini_elements::register();
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn src(pipeline: &Bin) -> AppSrc {
    pipeline.by_name("src").as_ref().and_then(AppSrc::from).expect("the line has an appsrc")
}

fn sink(pipeline: &Bin) -> AppSink {
    pipeline.by_name("sink").as_ref().and_then(AppSink::from).expect("the line has an appsink")
}

fn frame(n: u64) -> Buffer {
    let mut buf = Buffer::from_vec(vec![n as u8; 10]);
    buf.set_pts(Some(ClockTime::from_millis(40 * n)));
    buf.set_duration(Some(ClockTime::from_millis(40)));
    buf
}

/// First bytes of all that comes until the end.
fn rest(sink: &AppSink) -> Vec<u8> {
    sink.samples().map(|sample| sample.buffer.data()[0]).collect()
}

fn started(pipeline: &Bin) {
    assert_ne!(pipeline.set_state(State::Playing), StateReturn::Failure);
}

fn stopped(pipeline: &Bin) {
    assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
}

#[test]
fn what_is_pushed_is_pulled_in_order_with_caps_and_segment() {
    everywhere(|| {
        let pipeline = launch("appsrc name=src format=time ! queue ! appsink name=sink sync=false");
        let (src, sink) = (src(&pipeline), sink(&pipeline));
        let [red, blue] = ["color/x-red, n=(int)1", "color/x-blue, n=(int)2"]
            .map(|text| Caps::parse(text).unwrap());
        src.set_caps(&red).unwrap();
        started(&pipeline);
        src.push(frame(1)).unwrap();
        src.push(frame(2)).unwrap();
        src.set_caps(&blue).unwrap();
        src.push(frame(3)).unwrap();
        src.end_of_stream().unwrap();
        assert_eq!(src.push(frame(4)), Err(FlowError::Eos));
        let samples: Vec<_> = sink.samples().collect();
        let caps: Vec<_> = samples.iter().map(|sample| sample.caps.clone().unwrap()).collect();
        assert_eq!(caps, [red.clone(), red, blue]);
        let times: Vec<_> =
            samples.iter().map(|s| s.running_time().unwrap().nanos() / 1_000_000).collect();
        assert_eq!(times, [40, 80, 120]);
        assert!(sink.is_eos());
        assert!(matches!(pipeline.wait_for_end(None).unwrap().kind, MessageKind::Eos));
        stopped(&pipeline);
    });
}

#[test]
fn appsrc_sends_bytes_unless_told_otherwise() {
    everywhere(|| {
        let pipeline = launch("appsrc name=src ! appsink name=sink");
        started(&pipeline);
        src(&pipeline).push(frame(1)).unwrap();
        let sample = sink(&pipeline).pull().unwrap();
        assert_eq!(sample.segment.map(|segment| segment.format), Some(Format::Bytes));
        stopped(&pipeline);
    });
}

#[test]
fn a_blocked_push_goes_on_when_there_is_room_and_ends_with_a_stop() {
    everywhere(|| {
        let pipeline = launch(
            "appsrc name=src block=true max-buffers=2 format=time ! appsink name=sink sync=false max-buffers=1",
        );
        let (src, sink) = (src(&pipeline), sink(&pipeline));
        started(&pipeline);
        let task = runtime::spawn("pusher", move || {
            for n in 0..50 {
                src.push(frame(n)).unwrap();
            }
            src.end_of_stream().unwrap();
            assert_eq!(src.push(frame(50)), Err(FlowError::Eos));
        });
        assert_eq!(rest(&sink), (0..50).collect::<Vec<u8>>());
        assert_eq!(task.unwrap().join(), None);
        stopped(&pipeline);

        let src = self::src(&pipeline);
        started(&pipeline);
        let pusher = src.clone();
        let task = runtime::spawn("pusher", move || {
            while pusher.push(frame(0)).is_ok() {}
            assert_eq!(pusher.push(frame(0)), Err(FlowError::Flushing));
        });
        runtime::settle();
        stopped(&pipeline);
        assert_eq!(task.unwrap().join(), None);
    });
}

#[test]
fn a_pull_ends_when_the_pipeline_stops_and_outside_of_it() {
    everywhere(|| {
        let pipeline = launch("appsrc name=src ! appsink name=sink");
        let sink = sink(&pipeline);
        assert!(sink.is_eos() && sink.pull().is_none(), "in NULL");
        pipeline.set_state(State::Ready);
        assert!(sink.pull().is_none(), "in READY");
        started(&pipeline);
        assert!(!sink.is_eos());
        assert_eq!(sink.try_pull(ClockTime::from_millis(2)).map(|s| s.is_some()), Ok(false));
        let puller = sink.clone();
        let task = runtime::spawn("puller", move || assert!(puller.pull().is_none()));
        runtime::settle();
        stopped(&pipeline);
        assert_eq!(task.unwrap().join(), None);
        assert!(matches!(sink.try_pull(ClockTime::SECOND), Err(FlowError::Eos)));
    });
}

#[test]
fn a_pull_outlasts_a_flush() {
    everywhere(|| {
        let pipeline = launch("appsrc name=src format=time ! appsink name=sink sync=false");
        let (src, sink) = (src(&pipeline), sink(&pipeline));
        started(&pipeline);
        src.push(frame(1)).unwrap();
        assert_eq!(sink.pull().unwrap().buffer.data()[0], 1);
        let puller = sink.clone();
        let task = runtime::spawn("puller", move || assert!(puller.pull().is_none(), "stopped"));
        let pad = sink.element().static_pad("sink").unwrap();
        let peer = pad.peer().unwrap();
        peer.push_event(Event::flush_start());
        runtime::settle();
        peer.push_event(Event::flush_stop(true));
        runtime::settle();
        assert!(!task.as_ref().unwrap().is_finished());
        stopped(&pipeline);
        assert_eq!(task.unwrap().join(), None);
    });
}

#[test]
fn a_full_appsink_drops_the_oldest_when_asked() {
    everywhere(|| {
        let pipeline = launch(
            "appsrc name=src format=time ! appsink name=sink sync=false drop=true max-buffers=2 wait-on-eos=false",
        );
        let src = src(&pipeline);
        started(&pipeline);
        for n in 0..9 {
            src.push(frame(n)).unwrap();
        }
        src.end_of_stream().unwrap();
        pipeline.wait_for_end(None).unwrap();
        assert_eq!(rest(&sink(&pipeline)), [7, 8]);
        stopped(&pipeline);
    });
}

#[test]
fn a_full_appsrc_leaks_what_leaky_type_says() {
    for (leaky, kept) in [("upstream", [0, 1]), ("downstream", [3, 4])] {
        everywhere(|| {
            let pipeline = launch(&format!(
                "appsrc name=src format=time max-buffers=2 leaky-type={leaky} ! appsink name=sink sync=false"
            ));
            let src = src(&pipeline);
            let full = Arc::new(AtomicU32::new(0));
            let count = full.clone();
            src.element().connect("enough-data", move |_| {
                count.fetch_add(1, Ordering::SeqCst);
            });
            for n in 0..5 {
                src.push(frame(n)).unwrap();
            }
            assert_eq!(full.load(Ordering::SeqCst), 3);
            assert_eq!(src.element().get_as::<u64>("current-level-buffers"), Some(2));
            assert_eq!(src.element().get_as::<u64>("current-level-time"), Some(80_000_000));
            src.end_of_stream().unwrap();
            started(&pipeline);
            assert_eq!(rest(&sink(&pipeline)), kept);
            stopped(&pipeline);
        });
    }
}

#[test]
fn need_data_and_new_sample_drive_an_application_without_threads() {
    everywhere(|| {
        let pipeline =
            launch("appsrc name=src format=time ! appsink name=sink sync=false emit-signals=true");
        let (src, sink) = (src(&pipeline), sink(&pipeline));
        let (feeder, next) = (src.clone(), AtomicU32::new(0));
        src.element().connect("need-data", move |args| {
            assert_eq!(args.and_then(|args| args.uint64("length")), Some(4096));
            let done = match next.fetch_add(1, Ordering::SeqCst) {
                n @ 0..5 => feeder.push(frame(u64::from(n))),
                _ => feeder.end_of_stream(),
            };
            done.unwrap();
        });
        let (taker, seen) = (sink.clone(), Arc::new(AtomicU32::new(0)));
        let count = seen.clone();
        sink.element().connect("new-sample", move |_| {
            let sample = taker.pull().expect("the signal says that there is one");
            assert_eq!(u32::from(sample.buffer.data()[0]), count.fetch_add(1, Ordering::SeqCst));
        });
        started(&pipeline);
        let end = pipeline.wait_for_end(None).unwrap();
        assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
        assert_eq!(seen.load(Ordering::SeqCst), 5);
        stopped(&pipeline);
    });
}

#[test]
fn need_data_is_told_before_the_queue_is_empty_when_min_percent_says_so() {
    for (limits, asked) in [
        ("max-bytes=40 min-percent=50", 2),
        ("max-bytes=0 max-buffers=4 min-percent=25", 1),
        ("max-bytes=40", 0),
    ] {
        everywhere(|| {
            let pipeline = launch(&format!(
                "appsrc name=src format=time {limits} ! appsink name=sink sync=false"
            ));
            let (src, sink) = (src(&pipeline), sink(&pipeline));
            // Told while something is left; the last is told by the empty queue.
            let (feeder, early) = (src.clone(), Arc::new(AtomicU32::new(0)));
            let count = early.clone();
            src.element().connect("need-data", move |_| {
                let level: u64 = feeder.element().get_as("current-level-buffers").unwrap();
                count.fetch_add(u32::from(level > 0), Ordering::SeqCst);
            });
            (0..4).for_each(|n| src.push(frame(n)).unwrap());
            src.end_of_stream().unwrap();
            started(&pipeline);
            assert_eq!(rest(&sink).len(), 4);
            assert_eq!(early.load(Ordering::SeqCst), asked, "{limits}");
            stopped(&pipeline);
        });
    }
}

#[test]
fn appsink_shows_the_preroll_and_takes_only_its_caps() {
    everywhere(|| {
        let pipeline = launch("appsrc name=src format=time ! appsink name=sink sync=false");
        let (src, sink) = (src(&pipeline), sink(&pipeline));
        assert_eq!(pipeline.set_state(State::Paused), StateReturn::Async);
        src.push(frame(3)).unwrap();
        assert_eq!(sink.pull_preroll().unwrap().buffer.data()[0], 3);
        assert_eq!(
            sink.try_pull(ClockTime::ZERO).map(|s| s.is_some()),
            Ok(false),
            "not rendered yet"
        );
        started(&pipeline);
        assert_eq!(sink.pull().unwrap().buffer.data()[0], 3);
        stopped(&pipeline);

        sink.element().set("caps", "video/x-raw").unwrap();
        src.set_caps(&Caps::parse("audio/x-raw").unwrap()).unwrap();
        started(&pipeline);
        src.push(frame(1)).unwrap();
        let end = pipeline.wait_for_end(None).unwrap();
        assert!(
            matches!(&end.kind, MessageKind::Error(error) if error.kind == ErrorKind::Negotiation),
            "{end:?}"
        );
        stopped(&pipeline);
    });
}

#[test]
fn a_raised_limit_lets_a_waiting_stream_go_on() {
    everywhere(|| {
        let pipeline =
            launch("fakesrc num-buffers=4 ! appsink name=sink max-buffers=1 wait-on-eos=false");
        started(&pipeline);
        runtime::settle();
        sink(&pipeline).element().set("max-buffers", 0).unwrap();
        let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("nothing holds it");
        assert!(matches!(end.kind, MessageKind::Eos));
        stopped(&pipeline);
    });
}

#[test]
fn caps_that_are_no_single_format_are_refused() {
    gst_mini_elements::register();
    let src = AppSrc::from(&make("appsrc", None).unwrap()).unwrap();
    assert!(src.set_caps(&Caps::parse("video/x-raw, width=[1, 5]").unwrap()).is_err());
    assert!(AppSink::from(src.element()).is_none());
}
