//! `y4mdec`: frames, times and what it says about streams that are none.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::element_prelude::{
    ANY, Cx, Element, ElementError, Factory, PadTemplate, Prop, Source,
};
use gst_mini_core::prelude::*;
use gst_mini_core::{register, segment::Format};
use std::path::PathBuf;
use video_support::{Run, run_here, run_keeping};

register![Factory::source::<BytesSrc>()];

/// The bytes of a file in pieces of any size, in a segment that counts bytes and without caps.
#[derive(Default)]
struct BytesSrc {
    location: String,
    piece: u32,
    caps: String,
    bytes: Vec<u8>,
    at: usize,
}

impl Element for BytesSrc {
    const NAME: &str = "testbytessrc";
    const SUMMARY: &str = "Bytes in pieces";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::string("location", "File", |e: &mut Self| &mut e.location),
        Prop::uint("piece", "Bytes a buffer", |e: &mut Self| &mut e.piece),
        Prop::string("announce", "Caps to send", |e: &mut Self| &mut e.caps),
    ];
}

impl Source for BytesSrc {
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.bytes = std::fs::read(&self.location).expect("the test's file");
        self.at = 0;
        Ok(())
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        if self.at == 0 {
            if !self.caps.is_empty() {
                cx.output_event(cx.pad(), Event::caps(Caps::parse(&self.caps).unwrap()));
            }
            cx.output_event(cx.pad(), Event::segment(Segment::new(Format::Bytes)));
        }
        let end = self.bytes.len().min(self.at + self.piece.max(1) as usize);
        if self.at == end {
            return Err(FlowError::Eos);
        }
        let piece = self.bytes[self.at..end].to_vec();
        self.at = end;
        Ok(Buffer::from_vec(piece))
    }
}

struct Clip {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn clip(bytes: &[u8]) -> Clip {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.y4m");
    std::fs::write(&path, bytes).unwrap();
    Clip { path, _folder: folder }
}

fn made(header: &str, frame_bytes: usize, frames: usize) -> Vec<u8> {
    let mut bytes = format!("YUV4MPEG2 {header}\n").into_bytes();
    for number in 0..frames {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend((0..frame_bytes).map(|i| ((i + number) % 251) as u8));
    }
    bytes
}

fn line(clip: &Clip, piece: usize) -> String {
    format!(
        "testbytessrc location={} piece={piece} ! y4mdec ! fakesink name=out",
        clip.path.display()
    )
}

fn decode(bytes: &[u8], piece: usize) -> Run {
    run_keeping(&line(&clip(bytes), piece))
}

fn real() -> Vec<u8> {
    std::fs::read("tests/data/testsrc2_34x18.y4m").expect("the fixture")
}

#[test]
fn y4mdec_times_are_exact_for_film_pal_and_sixty() {
    for (rate, fps_n, fps_d) in [("24000:1001", 24_000, 1001), ("25:1", 25, 1), ("60:1", 60, 1)] {
        let run = decode(&made(&format!("W4 H4 F{rate} C420jpeg"), 24, 2000), 4096);
        assert_eq!(run.error(), None);
        let at = |number| ClockTime::of_frame(number, fps_n, fps_d);
        assert_eq!(run.seen.len(), 2000);
        for (number, seen) in (0..).zip(&run.seen) {
            assert_eq!(seen.buf.pts(), Some(at(number)));
            assert_eq!(seen.buf.duration(), Some(at(number + 1) - at(number)));
            assert_eq!(seen.buf.offset(), Some(number));
            assert_eq!(seen.buf.has(BufferFlags::DISCONT), number == 0);
        }
        let format = run.caps[0].structure(0).unwrap();
        assert_eq!(format.fraction("framerate"), Some(Fraction::new(fps_n as i32, fps_d as i32)));
    }
}

#[test]
fn y4mdec_segment_in_bytes_becomes_one_in_time() {
    let run = decode(&made("W4 H4 F25:1", 24, 3), 10);
    assert_eq!(run.segments, [Segment::time()]);
    assert_eq!(run.caps.len(), 1);
}

#[test]
fn y4mdec_frames_of_a_real_clip_are_the_same_in_pieces_of_any_size() {
    let bytes = real();
    let data = |run: &Run| run.seen.iter().map(|seen| seen.buf.data().to_vec()).collect::<Vec<_>>();
    let whole = decode(&bytes, bytes.len());
    assert_eq!(whole.seen.len(), 4);
    assert_eq!(whole.pts(), [0, 41_708_333, 83_416_666, 125_125_000]);
    // 34 luma and 17 chroma samples in rows of 36 and 20 bytes.
    assert_eq!(whole.seen[0].buf.size(), 36 * 18 + 2 * 20 * 9);
    for piece in [1, 7, 512, 4096] {
        assert_eq!(data(&decode(&bytes, piece)), data(&whole), "pieces of {piece}");
    }
}

#[test]
fn y4mdec_on_threads_gives_all_frames() {
    let run = run_here(&line(&clip(&real()), 100), false);
    assert_eq!((run.seen.len(), run.error()), (4, None));
}

#[test]
fn y4mdec_takes_a_stream_that_says_what_it_is() {
    let clip = clip(&real());
    let line = format!(
        "testbytessrc location={} piece=64 announce=application/x-yuv4mpeg,y4mversion=2 ! y4mdec ! fakesink name=out",
        clip.path.display()
    );
    let run = run_keeping(&line);
    assert_eq!((run.seen.len(), run.error()), (4, None));
    assert_eq!(run.caps[0].structure(0).unwrap().int("width"), Some(34));
}

#[test]
fn y4mdec_truncated_last_frame_is_a_warning_and_the_others_are_kept() {
    let mut bytes = real();
    bytes.truncate(bytes.len() - 100);
    let run = decode(&bytes, 256);
    assert_eq!((run.seen.len(), run.error()), (3, None));
    let warnings = run.warnings();
    let text = "the stream ends within frame 3, after 818 of its 918 bytes; the 3 frames before it were complete and are kept";
    assert!(warnings.len() == 1 && warnings[0].ends_with(text), "{warnings:?}");
}

#[track_caller]
fn refused(bytes: &[u8], frames: usize, parts: &[&str]) {
    let run = decode(bytes, 64);
    let error = run.error().expect("an error");
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    assert_eq!(run.seen.len(), frames);
}

#[test]
fn y4mdec_stream_of_another_kind_is_named_with_what_to_do() {
    let how = "-pix_fmt yuv420p -f yuv4mpegpipe";
    refused(
        b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41\n",
        0,
        &["(an MP4 file)", "ftypisom", how],
    );
    refused(b"\x1aE\xdf\xa3\x01\x00\x00\n", 0, &["Matroska", how]);
    refused(&[b'x'; 4000], 0, &["xxxx", how]);
    refused(b"", 0, &["the stream is empty", how]);
    refused(b"YUV4MPEG2 W4 H4 F25:1", 0, &["ends within its header", how]);
    refused(b"YUV4MPEG2 W4 H4 F25:1 C411\n", 0, &["colorspace 411", "-pix_fmt yuv420p"]);
    refused(b"YUV4MPEG2 W4 H4 F25:1 It\n", 0, &["yadif"]);
}

#[test]
fn y4mdec_frames_before_the_damage_are_kept() {
    let mut bytes = made("W4 H4 F25:1", 24, 3);
    bytes.extend_from_slice(b"FRUME\n");
    refused(&bytes, 3, &["FRAME expected before frame 3"]);
    // Whoever hears of the damage has them already, however the threads run.
    let clip = clip(&bytes);
    for (seed, piece) in (0..200).flat_map(|seed| [(seed, 64), (seed, 4096)]) {
        let run = Sim::new(seed).run(|| run_here(&line(&clip, piece), false));
        let run = run.unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
        assert!(run.error().is_some_and(|error| error.contains("before frame 3")), "seed {seed}");
        assert_eq!(run.seen.len(), 3, "seed {seed}");
    }
}

#[test]
fn y4mdec_is_not_linked_behind_pictures() {
    gst_mini_elements::register();
    let error = parse_launch("livesource ! y4mdec ! fakesink").unwrap_err().to_string();
    assert!(error.contains("video/x-raw") && error.contains("application/x-yuv4mpeg"), "{error}");
}
