//! An object sink in the place of another while frames come: two recordings, each whole in its own store, and every
//! frame in one of them.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod hls_support;

use gst_mini_core::element_prelude::*;
use gst_mini_core::prelude::{
    Bin, ElementRef, MessageKind, Pad, Pipeline, ProbeReturn, ProbeType, ReplaceError, Sim, make,
    parse_launch,
};
use gst_mini_core::runtime;
use hls_support::{Clip, clip};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

gst_mini_core::register![Factory::source::<Frames>()];

/// The clip of the repository over and over: a key frame every 24 frames, 24000/1001 a second. At the clock's pace, or
/// as fast as they are taken.
#[derive(Default)]
struct Frames {
    next: u64,
    live: bool,
}

impl Element for Frames {
    const NAME: &str = "frames";
    const SUMMARY: &str = "The clip of the tests, for ever";
    const PADS: &[PadTemplate] = &[PadTemplate::src("video/x-h264")];
    const PROPS: &[Prop<Self>] =
        &[Prop::boolean("live", "At the clock's pace", |e: &mut Self| &mut e.live)];
}

impl Source for Frames {
    fn caps(_: &Cx) -> Option<Caps> {
        let track = clip().track;
        let codec_data: String =
            track.codec_data.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Caps::new(
            Structure::new("video/x-h264")
                .with("stream-format", "avc")
                .with("alignment", "au")
                .with("width", track.width as i32)
                .with("height", track.height as i32)
                .with("framerate", Fraction::new(24_000, 1001))
                .with("codec_data", codec_data),
        ))
    }
    fn is_live(cx: &Cx) -> bool {
        cx.property_as("live") == Some(true)
    }
    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        thread_local!(static CLIP: Clip = clip());
        let (frame, round) = (self.next % 72, self.next / 72);
        self.next += 1;
        Ok(CLIP.with(|clip| {
            let sample = &clip.samples[frame as usize];
            let at = |time: ClockTime| {
                time.saturating_sub(ClockTime::from_secs(10))
                    + ClockTime::from_nanos(3_003_000_000 * round)
            };
            let mut buf = Buffer::from_vec(sample.data.clone());
            buf.set_pts(Some(at(sample.pts)));
            buf.set_dts(sample.dts.map(at));
            buf.set_duration(sample.duration);
            if !sample.is_sync {
                buf.set_flags(BufferFlags::DELTA_UNIT);
            }
            buf
        }))
    }
}

fn sink(name: &str, folder: &Path) -> ElementRef {
    let sink = make("dirsink", Some(name)).unwrap();
    sink.set("location", folder.display()).unwrap();
    sink
}

fn pause(millis: u64) {
    runtime::sleep_until(runtime::now() + ClockTime::from_millis(millis));
}

/// The job with a queue before the sink or without; counts the frames that come to the segmenter.
fn job(folder: &Path, queue: bool) -> (Bin, Arc<AtomicU64>) {
    job_of("frames live=true", folder, queue)
}

fn job_of(frames: &str, folder: &Path, queue: bool) -> (Bin, Arc<AtomicU64>) {
    gst_mini_elements::register();
    let queue = if queue { " ! queue max-size-buffers=8" } else { "" };
    let line = format!(
        "{frames} ! hlssegmenter name=seg target-duration=2{queue} ! dirsink name=s0 location={}",
        folder.display()
    );
    let pipeline = parse_launch(&line).unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    pipeline.by_name("seg").unwrap().static_pad("sink").unwrap().add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            ProbeReturn::Ok
        }),
    );
    (pipeline, count)
}

fn end(pipeline: &Bin) {
    pipeline.send_event(Event::eos());
    let ended = pipeline.wait_for_end(Some(ClockTime::from_secs(60)));
    assert!(matches!(ended.as_ref().map(|ended| &ended.kind), Some(MessageKind::Eos)), "{ended:?}");
    pipeline.set_state(State::Null);
}

/// Frames in the recordings of a folder; each ends with ENDLIST and lists only what is there, and there is nothing
/// that none lists.
#[track_caller]
fn frames_in(folder: &Path, recordings: usize) -> u64 {
    let all: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let playlists: Vec<&String> = all.iter().filter(|name| name.ends_with(".m3u8")).collect();
    assert_eq!(playlists.len(), recordings, "{all:?}");
    let (mut frames, mut listed) = (0, playlists.len());
    for name in playlists {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
        let init = text.split_once("URI=\"").unwrap().1.split_once('"').unwrap().0;
        let mut bytes = std::fs::read(folder.join(init)).unwrap();
        listed += 1;
        for uri in text.lines().filter(|line| !line.starts_with('#')) {
            bytes.extend(std::fs::read(folder.join(uri)).unwrap());
            listed += 1;
        }
        let clip = Clip::read(&bytes, (24_000, 1001));
        assert!(clip.samples[0].is_sync);
        frames += clip.samples.len() as u64;
    }
    assert_eq!(listed, all.len(), "{all:?}");
    frames
}

#[test]
fn a_recording_ends_in_one_store_and_another_begins_in_the_next_with_plain_names() {
    for queue in [false, true] {
        let folders: [_; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let run = || {
            let (pipeline, count) = job(folders[0].path(), queue);
            pipeline.set_state(State::Playing);
            let mut old = pipeline.by_name("s0").unwrap();
            for (name, folder) in [("s1", &folders[1]), ("s2", &folders[2])] {
                pause(4300);
                let new = sink(name, folder.path());
                pipeline.replace(&old, &new).unwrap();
                assert_eq!(old.current_state(), State::Null);
                old = new;
            }
            pause(3500);
            end(&pipeline);
            count.load(Ordering::Relaxed)
        };
        let count = Sim::new(7).run(run).unwrap_or_else(|dead| panic!("{dead}"));
        let frames: u64 = folders.iter().map(|folder| frames_in(folder.path(), 1)).sum();
        assert_eq!(frames, count);
        for folder in &folders {
            for name in ["init.mp4", "index.m3u8", "segment_00000.cmfv"] {
                assert!(folder.path().join(name).exists(), "{name}");
            }
        }
    }
}

#[test]
fn back_to_the_first_store_the_names_get_a_run_id() {
    let folders: [_; 2] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let run = || {
        let (pipeline, count) = job(folders[0].path(), false);
        pipeline.set_state(State::Playing);
        pause(3000);
        let (second, third) = (sink("s1", folders[1].path()), sink("s2", folders[0].path()));
        pipeline.replace(&pipeline.by_name("s0").unwrap(), &second).unwrap();
        pause(3000);
        pipeline.replace(&second, &third).unwrap();
        pause(3000);
        end(&pipeline);
        count.load(Ordering::Relaxed)
    };
    let count = Sim::new(7).run(run).unwrap_or_else(|dead| panic!("{dead}"));
    assert_eq!(frames_in(folders[0].path(), 2) + frames_in(folders[1].path(), 1), count);
}

/// `count` exchanges at moments that `moment` chooses; the frames of all stores are those of the camera.
fn exchange(frames: &str, count: usize, queue: bool, moment: &dyn Fn(usize) -> ClockTime) -> u64 {
    let folders: Vec<_> = (0..=count).map(|_| tempfile::tempdir().unwrap()).collect();
    let (pipeline, made) = job_of(frames, folders[0].path(), queue);
    pipeline.by_name("s0").unwrap().set("sync", frames.contains("live")).unwrap();
    pipeline.set_state(State::Playing);
    let mut old = pipeline.by_name("s0").unwrap();
    for (number, folder) in folders.iter().enumerate().skip(1) {
        runtime::sleep_until(runtime::now() + moment(number));
        let new = sink(&format!("s{number}"), folder.path());
        new.set("sync", frames.contains("live")).unwrap();
        pipeline.replace(&old, &new).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert_eq!(old.current_state(), State::Null);
        old = new;
    }
    runtime::sleep_until(runtime::now() + moment(0));
    end(&pipeline);
    let in_folder = |folder: &tempfile::TempDir| {
        // A store that was there for no frame at all has nothing.
        let is_empty = std::fs::read_dir(folder.path()).unwrap().next().is_none();
        if is_empty { 0 } else { frames_in(folder.path(), 1) }
    };
    let stored: u64 = folders.iter().map(in_folder).sum();
    assert_eq!(stored, made.load(Ordering::Relaxed));
    stored
}

/// A number below `end` that looks random.
fn dice(seed: u64, number: usize, end: u64) -> u64 {
    let mut x = (seed << 20 | number as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 29;
    x.wrapping_mul(0xBF58_476D_1CE4_E5B9) % end
}

#[test]
fn at_random_moments_the_frames_of_all_stores_add_up_to_the_cameras() {
    for seed in 0..50_u64 {
        let moment = |number| ClockTime::from_micros(dice(seed, number, 3_300_000));
        let run = || exchange("frames live=true", 10, seed % 2 == 0, &moment);
        Sim::new(seed).run(run).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

#[test]
fn on_threads_two_hundred_exchanges_of_stores_lose_and_double_no_frame() {
    for seed in 0..4_u64 {
        let moment = |number| ClockTime::from_micros(dice(seed, number, 3000));
        let frames = exchange("frames", 50, seed % 2 == 0, &moment);
        assert!(frames > 200, "{frames}");
    }
}

#[test]
fn a_store_that_cannot_be_opened_leaves_the_recording_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        let (pipeline, count) = job(folder.path(), false);
        pipeline.set_state(State::Playing);
        pause(2500);
        let bad = sink("bad", Path::new("/proc/nowhere"));
        let error = pipeline.replace(&pipeline.by_name("s0").unwrap(), &bad).unwrap_err();
        assert!(matches!(error, ReplaceError::Start { .. }), "{error}");
        pause(2500);
        end(&pipeline);
        count.load(Ordering::Relaxed)
    };
    let count = Sim::new(7).run(run).unwrap_or_else(|dead| panic!("{dead}"));
    assert_eq!(frames_in(folder.path(), 1), count);
}
