//! `audiotestsrc`: samples, times, formats, seeks.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use gst_mini_core::segment::{Format, SeekFlags, SeekType};
use std::sync::{Arc, Mutex};
use video_support::{run, run_keeping};

/// FNV-1a.
fn hash(run: &video_support::Run) -> (usize, u64) {
    let bytes = || run.seen.iter().flat_map(|seen| seen.buf.data());
    let hash = bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (bytes().count(), hash)
}

/// Settings, format, bytes of three stereo buffers at 44100 Hz and their hash, as GStreamer 1.22 made them.
#[rustfmt::skip]
const RECORDED: &[(&str, &str, usize, u64)] = &[
    ("wave=sine freq=1234.5", "S16LE", 12288, 0x7e5dc3fd9d2ff891),
    ("wave=square freq=1234.5", "S16LE", 12288, 0x19b20182cc88fea9),
    ("wave=saw freq=1234.5", "S16LE", 12288, 0x7f13127154dde969),
    ("wave=triangle freq=1234.5", "S16LE", 12288, 0xc03a9ab681b46295),
    ("wave=silence freq=1234.5", "S16LE", 12288, 0x6e431751526de325),
    ("wave=sine-table freq=1234.5", "S16LE", 12288, 0x67c7e9203cd538e9),
    ("wave=ticks tick-interval=30000000 apply-tick-ramp=true marker-tick-period=2 freq=1234.5", "S16LE", 12288, 0x1fa0b7adc1913805),
    ("wave=ticks tick-interval=20000000 sine-periods-per-tick=3 freq=500", "S16LE", 12288, 0xc242336d519444a5),
    ("wave=saw volume=0.5", "S16BE", 12288, 0xbd5c25bc2b44ab35),
    ("wave=saw volume=0.5", "U16LE", 12288, 0x4931b17f08c0623d),
    ("wave=saw volume=0.5", "S24_32LE", 24576, 0x2093d47cdd25c3a9),
    ("wave=saw volume=0.5", "S24_32BE", 24576, 0x804f4dc3529b441),
    ("wave=saw volume=0.5", "U24_32LE", 24576, 0x20d79ae52833f2ad),
    ("wave=saw volume=0.5", "S32LE", 24576, 0xdb2699c37e0dd8a5),
    ("wave=saw volume=0.5", "U32BE", 24576, 0xa3f1069646b858bd),
    ("wave=saw volume=0.5", "S24LE", 18432, 0xa0cdf829ddc59ecf),
    ("wave=saw volume=0.5", "U24BE", 18432, 0xa8a62679bad12867),
    ("wave=saw volume=0.5", "S20LE", 18432, 0xa850ebd2538db589),
    ("wave=saw volume=0.5", "U20BE", 18432, 0x73fff20f660cad01),
    ("wave=saw volume=0.5", "S18BE", 18432, 0xb8f200ef3c4e3f93),
    ("wave=saw volume=0.5", "U18LE", 18432, 0x21902a1cf31eaa07),
    ("wave=saw volume=0.5", "F32LE", 24576, 0xf5491464b46cb11),
    ("wave=saw volume=0.5", "F32BE", 24576, 0x431fbf3529516c51),
    ("wave=saw volume=0.5", "F64LE", 49152, 0xc64a3246bc9c5b7d),
    ("wave=saw volume=0.5", "S8", 6144, 0x97e4a3c4aad3061b),
    ("wave=saw volume=0.5", "U8", 6144, 0x410e0a087937541b),
];

#[test]
fn audiotestsrc_samples_are_those_of_gstreamer() {
    for (settings, format, bytes, expected) in RECORDED {
        let run = run_keeping(&format!(
            "audiotestsrc num-buffers=3 {settings} ! audio/x-raw,format={format},rate=44100,channels=2 ! fakesink name=out"
        ));
        assert_eq!(hash(&run), (*bytes, *expected), "{settings} {format}");
    }
}

#[test]
fn audiotestsrc_without_a_wish_is_mono_at_44100() {
    let run = run(1, "audiotestsrc num-buffers=100 ! fakesink name=out");
    assert_eq!(
        run.caps[0].to_string(),
        "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int)44100, channels=(int)1"
    );
    let at = |sample: u64| ClockTime::from_nanos(sample * 1_000_000_000 / 44_100);
    for (n, seen) in (0..).zip(&run.seen) {
        assert_eq!((seen.buf.pts(), seen.buf.offset()), (Some(at(n * 1024)), Some(n * 1024)));
        assert_eq!(seen.buf.duration(), Some(at((n + 1) * 1024) - at(n * 1024)));
        assert_eq!(seen.buf.offset_end(), Some((n + 1) * 1024));
    }
    assert_eq!(run.seen.len(), 100);
}

#[test]
fn audiotestsrc_fixates_as_gstreamer_does() {
    for (wish, got) in [
        ("channels=2", "format=S16LE, layout=interleaved, rate=44100, channels=2"),
        (
            "channels=6",
            "format=S16LE, layout=interleaved, rate=44100, channels=6, channel-mask=(bitmask)0x3f",
        ),
        (
            "channels=[3,4]",
            "format=S16LE, layout=interleaved, rate=44100, channels=3, channel-mask=(bitmask)0xb",
        ),
        (
            "rate=[8000,16000],format={F32LE,S32LE}",
            "format=S32LE, layout=interleaved, rate=16000, channels=1",
        ),
    ] {
        let run =
            run(1, &format!("audiotestsrc num-buffers=1 ! audio/x-raw,{wish} ! fakesink name=out"));
        assert_eq!(run.caps[0], Caps::parse(&format!("audio/x-raw, {got}")).unwrap(), "{wish}");
    }
    let high = run(1, "audiotestsrc freq=40000 num-buffers=1 ! fakesink name=out");
    assert_eq!(high.caps[0].structures()[0].int("rate"), Some(80_000));
}

/// Mean, deviation, and how alike neighbors are, of a long noise.
fn character(wave: &str) -> (f64, f64, f64) {
    let line = format!(
        "audiotestsrc wave={wave} num-buffers=200 volume=0.5 ! audio/x-raw,format=F64LE ! fakesink name=out"
    );
    let run = run_keeping(&line);
    let samples: Vec<f64> = run
        .seen
        .iter()
        .flat_map(|seen| seen.buf.data().chunks_exact(8))
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / count;
    let pairs = samples.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>();
    (mean, variance.sqrt(), pairs / count / variance)
}

#[test]
fn audiotestsrc_noises_have_their_color() {
    let near = |got: f64, expected: f64, by: f64| (got - expected).abs() < by;
    let (mean, deviation, alike) = character("white-noise");
    assert!(
        near(mean, 0.0, 0.01) && near(deviation, 0.5 / 3f64.sqrt(), 0.01) && near(alike, 0.0, 0.02)
    );
    let (mean, deviation, alike) = character("gaussian-noise");
    assert!(near(mean, 0.0, 0.01) && near(deviation, 0.5, 0.01) && near(alike, 0.0, 0.02));
    let (_, pink, alike) = character("pink-noise");
    assert!(alike > 0.7, "{alike}");
    let (_, blue, alike) = character("blue-noise");
    assert!(alike < -0.7 && near(blue, pink, pink / 2.0), "{alike} {blue} {pink}");
    assert!(character("red-noise").2 > 0.95);
    assert!(character("violet-noise").2 < -0.95);
}

#[test]
fn audiotestsrc_silence_is_marked_as_a_gap() {
    for (settings, is_gap) in [("wave=silence", true), ("volume=0", true), ("volume=0.1", false)] {
        let run = run(1, &format!("audiotestsrc {settings} num-buffers=1 ! fakesink name=out"));
        assert_eq!(run.seen[0].buf.has(BufferFlags::GAP), is_gap, "{settings}");
    }
}

#[test]
fn audiotestsrc_live_is_sent_when_due_and_tells_a_latency_of_one_buffer() {
    let run = Sim::new(1).run(|| {
        gst_mini_elements::register();
        let pipeline = parse_launch("audiotestsrc is-live=true samplesperbuffer=441 num-buffers=9 name=src ! fakesink name=out").unwrap();
        video_support::run_pipeline_with(pipeline, false, |pipeline| {
            pipeline.state(None);
            let mut latency = Query::latency();
            let src = pipeline.by_name("src").unwrap();
            assert!(src.query(&mut latency));
            let ms = ClockTime::from_millis(10);
            assert_eq!(latency, Query::Latency { live: true, min: ms, max: None });
        })
    });
    for seen in &run.unwrap().seen {
        assert_eq!(seen.running_time.unwrap().nanos(), seen.buf.pts().unwrap().nanos());
    }
}

#[test]
fn audiotestsrc_offset_moves_times_only() {
    let run = run(
        1,
        "audiotestsrc num-buffers=2 timestamp-offset=500 samplesperbuffer=441 ! fakesink name=out",
    );
    assert_eq!(run.pts(), [500, 10_000_500]);
    assert_eq!(run.seen[1].buf.offset(), Some(441));
}

#[test]
fn audiotestsrc_refuses_what_it_cannot_do() {
    for (settings, sentence) in [
        ("can-activate-pull=true", "only pushes"),
        ("can-activate-push=false", "can-activate-push=false"),
        ("samplesperbuffer=2000000000", "samplesperbuffer"),
    ] {
        let error = run(1, &format!("audiotestsrc {settings} ! fakesink name=out")).error();
        assert!(
            error.as_ref().is_some_and(|error| error.contains(sentence)),
            "{settings}: {error:?}"
        );
    }
}

/// Time, duration and numbers of a buffer: a row of what a seek gave.
type Row = (u64, u64, u64, u64);

fn after_seek(rate: f64, start: i64, stop: Option<i64>) -> Option<Vec<Row>> {
    let seek = Seek {
        rate,
        format: Format::Time,
        flags: SeekFlags::FLUSH,
        start_type: SeekType::Set,
        start,
        stop_type: if stop.is_some() { SeekType::Set } else { SeekType::None },
        stop: stop.unwrap_or(-1),
    };
    Sim::new(1)
        .run(move || {
            gst_mini_elements::register();
            let line = "audiotestsrc samplesperbuffer=1000 ! audio/x-raw,rate=44100 ! fakesink name=out sync=true";
            let pipeline = parse_launch(line).unwrap();
            let rows = Arc::new(Mutex::new(Vec::new()));
            let into = rows.clone();
            pipeline.by_name("out").unwrap().pad("sink").unwrap().add_probe(
                ProbeType::BUFFER,
                Box::new(move |data| {
                    if let ProbeData::Buffer(buf) = data {
                        let row = (
                            buf.pts().unwrap().nanos(),
                            buf.duration().unwrap().nanos(),
                            buf.offset().unwrap(),
                            buf.offset_end().unwrap(),
                        );
                        into.lock().unwrap().push(row);
                    }
                    ProbeReturn::Ok
                }),
            );
            pipeline.set_state(State::Paused);
            pipeline.state(None);
            rows.lock().unwrap().clear();
            let done = pipeline.seek(seek);
            if done {
                pipeline.set_state(State::Playing);
                pipeline.wait_for_end(Some(ClockTime::from_secs(100))).expect("an end");
            }
            pipeline.set_state(State::Null);
            let rows = rows.lock().unwrap().clone();
            done.then_some(rows)
        })
        .unwrap()
}

#[test]
fn audiotestsrc_seek_plays_the_samples_that_gstreamer_plays() {
    assert_eq!(
        after_seek(1.0, 1_010_000_000, Some(1_100_000_000)).unwrap(),
        [
            (1_010_000_000, 22_675_736, 44_541, 45_541),
            (1_032_675_736, 22_675_737, 45_541, 46_541),
            (1_055_351_473, 22_675_737, 46_541, 47_541),
            (1_078_027_210, 21_972_790, 47_541, 48_510),
        ]
    );
    let twice = after_seek(2.0, 4_000_000_000, Some(4_120_000_000)).unwrap();
    assert_eq!((twice.len(), twice[5]), (6, (4_113_378_684, 6_621_316, 181_400, 181_692)));
}

#[test]
fn audiotestsrc_seek_backwards_plays_the_part_from_its_end() {
    assert_eq!(
        after_seek(-1.0, 0, Some(50_000_000)).unwrap(),
        [
            (27_324_263, 22_675_737, 2205, 1205),
            (4_648_526, 22_675_737, 1205, 205),
            (0, 4_648_526, 205, 0),
        ]
    );
    assert_eq!(after_seek(-1.0, 1_000_000_000, None), None, "there is no end to begin at");
}

#[test]
fn audiotestsrc_tags_come_between_segment_and_data() {
    let names = Sim::new(1).run(|| {
        gst_mini_elements::register();
        let pipeline = parse_launch("audiotestsrc num-buffers=1 ! fakesink name=out").unwrap();
        let names = Arc::new(Mutex::new(Vec::new()));
        let into = names.clone();
        pipeline.by_name("out").unwrap().pad("sink").unwrap().add_probe(
            ProbeType::DATA_DOWNSTREAM,
            Box::new(move |data| {
                let name = match data {
                    ProbeData::Event(event) => event.name().to_owned(),
                    _ => "data".to_owned(),
                };
                into.lock().unwrap().push(name);
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Playing);
        pipeline.wait_for_end(None);
        pipeline.set_state(State::Null);
        names.lock().unwrap().clone()
    });
    assert_eq!(names.unwrap(), ["stream-start", "caps", "segment", "tag", "data", "eos"]);
}

#[test]
fn samplesperbuffer_sets_blocksize_as_the_last_word() {
    gst_mini_elements::register();
    let blocksize = |line: &str| {
        let pipeline = parse_launch(&format!("audiotestsrc name=a num-buffers=2 {line}")).unwrap();
        let source = pipeline.by_name("a").unwrap();
        let before: u32 = source.get_as("blocksize").unwrap();
        pipeline.set_state(State::Paused);
        pipeline.state(None);
        let after: u32 = source.get_as("blocksize").unwrap();
        pipeline.set_state(State::Null);
        (before, after)
    };
    assert_eq!(blocksize("! fakesink"), (u32::MAX, 2048));
    assert_eq!(blocksize("samplesperbuffer=10 ! audio/x-raw,format=F64LE ! fakesink"), (0, 80));
    assert_eq!(
        blocksize("samplesperbuffer=10 blocksize=4 ! audio/x-raw,format=S8 ! fakesink"),
        (4, 10)
    );
}
