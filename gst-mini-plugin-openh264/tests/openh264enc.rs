//! The encoder in pipelines on simulated time.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use gst_mini_core::prelude::*;
use support::{Seen, run, run_with, simulated};

const CAMERA: &str = "livesource width=320 height=240 fps=30 num-buffers";

#[test]
fn caps_come_before_the_segment_and_tell_what_the_stream_is() {
    let seen = run(&format!(
        "{CAMERA}=3 ! openh264enc ! video/x-h264,stream-format=avc ! fakesink name=out"
    ));
    let names: Vec<_> = seen.events().iter().map(|event| event.name().to_owned()).collect();
    assert_eq!(names, ["stream-start", "caps", "segment", "eos"]);
    let caps = &seen.caps()[0];
    assert_eq!(caps.name(), "video/x-h264");
    for (field, value) in [
        ("stream-format", "avc"),
        ("alignment", "au"),
        ("profile", "constrained-baseline"),
        ("level", "1.3"),
    ] {
        assert_eq!(caps.str(field), Some(value), "{field}");
    }
    assert_eq!((caps.int("width"), caps.int("height")), (Some(320), Some(240)));
    assert_eq!(caps.fraction("framerate"), Some(Fraction::new(30, 1)));
    assert!(caps.str("codec_data").unwrap().starts_with("0142c00d"));
}

#[test]
fn byte_stream_is_the_default_and_has_start_codes_and_no_codec_data() {
    let seen = run(&format!("{CAMERA}=3 ! openh264enc ! fakesink name=out"));
    assert_eq!(seen.caps()[0].str("stream-format"), Some("byte-stream"));
    assert!(!seen.caps()[0].has("codec_data"));
    for buf in seen.buffers() {
        assert_eq!(buf.data()[..4], [0, 0, 0, 1]);
    }
}

#[test]
fn every_frame_comes_out_with_its_times_and_only_key_frames_are_no_delta_units() {
    let seen = run(&format!("{CAMERA}=65 ! openh264enc gop-size=30 ! fakesink name=out"));
    let buffers = seen.buffers();
    assert_eq!(buffers.len(), 65);
    for (number, buf) in buffers.iter().enumerate() {
        let at = ClockTime::of_frame(number as u64, 30, 1);
        assert_eq!((buf.pts(), buf.dts()), (Some(at), Some(at)));
        assert_eq!(buf.offset(), Some(number as u64));
        assert!(buf.duration().is_some());
    }
    assert_eq!(seen.key_frames(), [0, 30, 60]);
}

#[test]
fn odd_sides_are_refused_with_a_sentence_that_names_videoscale() {
    let seen =
        run("livesource width=641 height=358 num-buffers=3 ! openh264enc ! fakesink name=out");
    let error = seen.error().unwrap();
    assert!(error.contains("videoscale ! video/x-raw,width=642,height=358"), "{error}");
}

#[test]
fn whole_chain_makes_a_recording_that_keeps_the_rules() {
    let seen = run(&format!(
        "{CAMERA}=300 ! queue ! openh264enc bitrate=300000 ! hlssegmenter target-duration=4 ! fakesink name=out sync=true"
    ));
    assert_eq!(seen.error(), None);
    let objects = seen.objects();
    let names: Vec<_> = objects.iter().map(|(meta, _)| meta.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "init.mp4",
            "segment_00000.cmfv",
            "index.m3u8",
            "segment_00001.cmfv",
            "index.m3u8",
            "segment_00002.cmfv",
            "index.m3u8"
        ]
    );
    let frames: Vec<_> =
        seen.reports("hls-segment").iter().map(|report| report.uint64("frames").unwrap()).collect();
    assert_eq!(frames, [120, 120, 60]);
    assert!(seen.seen.iter().any(|seen| matches!(seen, Seen::Event(_))));
    assert!(seen.playlist().ends_with("#EXT-X-ENDLIST\n"));
}

/// A run during which something is done at each second of running time.
fn each_second(line: &'static str, mut act: impl FnMut(&Bin, u64) + Send) -> support::Run {
    simulated(1, || {
        run_with(line, |pipeline, message| {
            if let MessageKind::Element(report) = &message.kind
                && report.name() == "livesource-stats"
            {
                act(pipeline, report.uint64("running-time").unwrap() / 1_000_000_000);
            }
        })
    })
}

#[test]
fn key_frame_comes_with_the_first_frame_at_or_after_the_running_time_asked_for() {
    let line = "livesource width=320 height=240 fps=30 num-buffers=120 ! openh264enc name=encoder gop-size=0 \
                ! fakesink name=out";
    let seen = each_second(line, |pipeline, second| {
        let encoder = pipeline.by_name("encoder").unwrap();
        let at = ClockTime::from_millis(second * 1000 + 510);
        match second {
            // Frame 45 is due at 1.500 s, frame 46 at 1.533 s.
            1 => assert!(encoder.send_event(Event::force_key_unit(Some(at), 7))),
            3 => assert!(encoder.send_event(Event::force_key_unit(None, 8))),
            _ => {}
        }
    });
    let keys = seen.key_frames();
    assert_eq!((keys[0], keys[1], keys.len()), (0, 46, 3), "{keys:?}");
    assert!((90..=92).contains(&keys[2]), "{keys:?}");
    // Downstream is told right before the key frame.
    let told = seen
        .seen
        .iter()
        .position(|seen| matches!(seen, Seen::Event(event) if event.name() == "GstForceKeyUnit"));
    let before = &seen.seen[..told.unwrap()];
    assert_eq!(before.iter().filter(|seen| matches!(seen, Seen::Buffer(_))).count(), 46);
    let told = seen.events().into_iter().find(|event| event.name() == "GstForceKeyUnit").unwrap();
    let EventKind::Custom(_, told) = &told.kind else { panic!("{told:?}") };
    assert_eq!((told.uint64("running-time"), told.uint64("count")), (Some(1_533_333_333), Some(7)));
}

#[test]
fn bitrate_may_change_while_playing() {
    let line = "livesource width=640 height=360 fps=30 num-buffers=180 ! openh264enc name=encoder \
                bitrate=300000 gop-size=0 ! fakesink name=out";
    let seen = each_second(line, |pipeline, second| {
        if second == 2 {
            pipeline.by_name("encoder").unwrap().set("bitrate", 100_000).unwrap();
        }
    });
    assert_eq!(seen.error(), None);
    let buffers = seen.buffers();
    let bytes =
        |range: std::ops::Range<usize>| buffers[range].iter().map(|buf| buf.size()).sum::<usize>();
    assert!(bytes(140..180) * 3 < bytes(20..60) * 2, "{} {}", bytes(20..60), bytes(140..180));
}

#[test]
fn segmenter_gets_its_key_frames_though_the_encoder_would_make_none() {
    for (fps, target, frames) in
        [("30", 2, vec![60, 60, 30]), ("24000/1001", 2, vec![48, 48, 48, 6])]
    {
        let seen = run(&format!(
            "livesource width=320 height=240 fps={fps} num-buffers=150 ! openh264enc gop-size=0 bitrate=300000 \
             ! hlssegmenter target-duration={target} ! fakesink name=out"
        ));
        let reports = seen.reports("hls-segment");
        let found: Vec<_> = reports.iter().map(|report| report.uint64("frames").unwrap()).collect();
        assert_eq!(found, frames, "{fps}");
        seen.objects();
    }
}

#[test]
fn latency_of_the_pipeline_is_the_target_duration_beside_the_camera() {
    let mut latency = None;
    let line = "livesource width=320 height=240 fps=30 num-buffers=60 ! openh264enc ! hlssegmenter target-duration=1 \
                ! fakesink name=out sync=true";
    each_second(line, |pipeline, _| {
        let mut query = Query::latency();
        assert!(pipeline.query(&mut query));
        latency = Some(query);
    });
    let Some(Query::Latency { live, min, .. }) = latency else { panic!("{latency:?}") };
    assert!(live && min >= ClockTime::SECOND && min < ClockTime::from_millis(1100), "{min}");
}

#[test]
fn new_level_in_the_middle_gives_a_new_init_segment_after_a_discontinuity() {
    let line = "livesource width=320 height=240 fps=30 num-buffers=120 ! openh264enc name=encoder bitrate=300000 \
                ! hlssegmenter target-duration=2 ! fakesink name=out";
    let seen = each_second(line, |pipeline, second| {
        if second == 3 {
            pipeline.by_name("encoder").unwrap().set("bitrate", 5_000_000).unwrap();
        }
    });
    assert_eq!(seen.error(), None);
    let objects = seen.objects();
    let inits: Vec<_> = objects
        .iter()
        .filter(|(meta, _)| meta.name.ends_with(".mp4"))
        .map(|(meta, _)| meta.name.as_str())
        .collect();
    assert_eq!(inits, ["init.mp4", "init_1.mp4"]);
    assert_eq!(seen.playlist().matches("#EXT-X-DISCONTINUITY\n").count(), 1);
    let frames: u64 =
        seen.reports("hls-segment").iter().map(|report| report.uint64("frames").unwrap()).sum();
    assert_eq!(frames, 120);
}
