//! The encoder in pipelines on simulated time.

mod support;

use gst_mini_core::prelude::*;
use support::{Seen, run};

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
