//! `audioresample`: how many samples, when, and what they are.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use std::sync::{Arc, Mutex};
use video_support::{Run, run, run_keeping};

/// Frames, time, length and numbers of a buffer of doubles.
type Row = (usize, u64, u64, u64, u64);

fn row(buf: &Buffer) -> Row {
    let (pts, duration) = (buf.pts().unwrap(), buf.duration().unwrap());
    (
        buf.size() / 8,
        pts.nanos(),
        duration.nanos(),
        buf.offset().unwrap(),
        buf.offset_end().unwrap(),
    )
}

fn doubles(run: &Run) -> Vec<f64> {
    let bytes: Vec<u8> = run.seen.iter().flat_map(|seen| seen.buf.data().to_vec()).collect();
    bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn audioresample_makes_the_buffers_and_samples_that_gstreamer_makes() {
    let run = run_keeping(
        "audiotestsrc num-buffers=4 freq=700 ! audio/x-raw,format=F64LE,rate=44100 ! audioresample \
         ! audio/x-raw,rate=48000 ! fakesink name=out",
    );
    let rows: Vec<Row> = run.seen.iter().map(|seen| row(&seen.buf)).collect();
    assert_eq!(
        rows,
        [
            (1079, 0, 22_479_167, 0, 1079),
            (1115, 22_479_167, 23_229_166, 1079, 2194),
            (1114, 45_708_333, 23_208_334, 2194, 3308),
            (1115, 68_916_667, 23_229_166, 3308, 4423),
            (35, 92_145_833, 729_167, 4423, 4458),
        ]
    );
    assert!(
        run.seen[0].buf.has(BufferFlags::DISCONT) && !run.seen[1].buf.has(BufferFlags::DISCONT)
    );
    let samples = doubles(&run);
    let expected = [
        (0, 0.066_618_313_344_618_68),
        (1, 0.145_050_205_770_052_65),
        (2000, 0.725_066_007_050_742_9),
        (2003, 0.789_610_124_904_233_4),
        (4457, 0.072_925_025_484_709_78),
    ];
    for (at, sample) in expected {
        assert!((samples[at] - sample).abs() < 1e-12, "{at}: {} {sample}", samples[at]);
    }
}

#[test]
fn audioresample_of_every_format_gives_as_many_samples_as_the_rates_say() {
    for format in ["U8", "S16LE", "S24BE", "S32LE", "F32LE", "F64BE"] {
        for (from, to) in [(44_100u64, 48_000u64), (48_000, 8000), (8000, 44_100), (44_100, 44_099)]
        {
            let run = run_keeping(&format!(
                "audiotestsrc num-buffers=7 samplesperbuffer=333 ! audio/x-raw,format={format},channels=2,rate={from} \
                 ! audioresample ! audio/x-raw,rate={to} ! fakesink name=out"
            ));
            assert_eq!(run.error(), None);
            let frames: u64 = run
                .seen
                .iter()
                .map(|seen| seen.buf.offset_end().unwrap() - seen.buf.offset().unwrap())
                .sum();
            assert_eq!(frames, (7 * 333 - 1) * to / from + 1, "{format} {from} {to}");
        }
    }
}

#[test]
fn audioresample_filters_are_those_of_gstreamer() {
    // The 500th sample of 44100 to 48000 Hz in doubles, as GStreamer 1.22 made it.
    for (settings, sample) in RECORDED {
        let run = run_keeping(&format!(
            "audiotestsrc num-buffers=2 freq=700 ! audio/x-raw,format=F64LE,rate=44100 ! audioresample {settings} \
             ! audio/x-raw,rate=48000 ! fakesink name=out"
        ));
        let got = doubles(&run)[500];
        assert!((got - sample).abs() < 1e-12, "{settings}: {got} {sample}");
    }
}

const RECORDED: &[(&str, f64)] = &[
    ("", 0.7517714542207314),
    ("quality=0", 0.7550721428150403),
    ("quality=7", 0.7500339537804839),
    ("quality=10", 0.7491629667793989),
    ("resample-method=nearest", 0.7583418769336929),
    ("resample-method=linear", 0.747415428777054),
    ("resample-method=cubic", 0.747045062173868),
    ("resample-method=blackman-nuttall", 0.7517548279972825),
    ("resample-method=blackman-nuttall quality=9", 0.7491626027164228),
    ("sinc-filter-interpolation=linear", 0.7483051468377673),
    ("sinc-filter-mode=full sinc-filter-interpolation=none", 0.7483051468377673),
];

#[test]
fn audioresample_passes_on_what_has_the_right_rate() {
    let run = run(1, "audiotestsrc num-buffers=3 ! audioresample ! fakesink name=out");
    assert_eq!((run.seen.len(), run.seen[2].buf.offset()), (3, Some(2048)));
}

#[test]
fn audioresample_begins_anew_behind_a_seek() {
    let rows = Sim::new(1).run(|| {
        gst_mini_elements::register();
        let line = "audiotestsrc freq=700 ! audio/x-raw,format=F64LE,rate=44100 ! audioresample \
                    ! audio/x-raw,rate=48000 ! fakesink name=out sync=true";
        let pipeline = parse_launch(line).unwrap();
        let rows = Arc::new(Mutex::new(Vec::new()));
        let into = rows.clone();
        pipeline.by_name("out").unwrap().pad("sink").unwrap().add_probe(
            ProbeType::BUFFER,
            Box::new(move |data| {
                if let ProbeData::Buffer(buf) = data {
                    into.lock().unwrap().push(row(buf));
                }
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Paused);
        pipeline.state(None);
        rows.lock().unwrap().clear();
        let seek = Seek {
            stop_type: gst_mini_core::segment::SeekType::Set,
            stop: 1_050_000_000,
            ..Seek::to(ClockTime::SECOND)
        };
        assert!(pipeline.seek(seek));
        pipeline.set_state(State::Playing);
        pipeline.wait_for_end(None);
        pipeline.set_state(State::Null);
        rows.lock().unwrap().clone()
    });
    // Where the source stopped before the seek makes no difference. GStreamer goes on from the phase it was
    // in, a fraction of a sample.
    assert_eq!(
        rows.unwrap(),
        [
            (1079, 1_000_000_000, 22_479_167, 48_000, 49_079),
            (1115, 1_022_479_167, 23_229_166, 49_079, 50_194),
            (171, 1_045_708_333, 3_562_500, 50_194, 50_365),
            (34, 1_049_270_833, 708_334, 50_365, 50_399),
        ]
    );
}

#[test]
fn audioresample_tells_how_late_its_filter_is() {
    let latency = Sim::new(1).run(|| {
        gst_mini_elements::register();
        let line = "audiotestsrc is-live=true samplesperbuffer=480 ! audio/x-raw,rate=48000 ! audioresample name=it \
                    ! audio/x-raw,rate=44100 ! fakesink";
        let pipeline = parse_launch(line).unwrap();
        pipeline.set_state(State::Playing);
        pipeline.state(None);
        gst_mini_core::runtime::sleep_until(gst_mini_core::runtime::now() + ClockTime::SECOND);
        let mut latency = Query::latency();
        assert!(pipeline.by_name("it").unwrap().query(&mut latency));
        pipeline.set_state(State::Null);
        latency
    });
    // One buffer of the source, and half of the filter's 72 taps.
    let min = ClockTime::from_nanos(10_000_000 + 36 * 1_000_000_000 / 48_000);
    assert_eq!(latency.unwrap(), Query::Latency { live: true, min, max: None });
}

#[test]
fn audioresample_refuses_rates_that_are_too_far_apart() {
    let line = "audiotestsrc num-buffers=1 ! audio/x-raw,rate=2000000000 ! audioresample ! audio/x-raw,rate=1 ! fakesink name=out";
    let error = run(1, line).error().unwrap_or_default();
    assert!(error.contains("too far apart"), "{error}");
}
