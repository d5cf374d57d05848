//! Real players judge the recordings: ffprobe, ffmpeg and GStreamer's playbin3.
//!
//! Ignored by default because the programs are not everywhere; when run (`--ignored`), a missing
//! program is a failure, never a pass.

// Test code outside of `#[test]` functions: clippy.toml's exception does not reach it.
#![allow(clippy::unwrap_used)]

mod hls_support;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use gst_mini_core::time::ClockTime;
use gst_mini_elements::hls::{Object, PlaylistKind, Recording, Settings};
use hls_support::Clip;

/// Runs a program in a folder; the line is split at spaces.
fn run(dir: &Path, line: &str) -> String {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap();
    let output = Command::new(program).args(words).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("{program} could not be run: {error}"));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{line}\n{text}");
    text
}

fn store(dir: &Path, objects: Vec<Object<Vec<u8>>>) {
    for object in objects {
        std::fs::write(dir.join(&object.name), object.to_bytes()).unwrap();
    }
}

fn encode(dir: &Path, rate: &str, seconds: u32, options: &str) -> Vec<u8> {
    run(
        dir,
        &format!(
            "ffmpeg -v error -y -f lavfi -i testsrc2=size=320x180:rate={rate} -t {seconds} -c:v libx264 \
         -pix_fmt yuv420p -sc_threshold 0 {options} -movflags frag_keyframe+empty_moov clip.mp4"
        ),
    );
    std::fs::read(dir.join("clip.mp4")).unwrap()
}

/// Counts decoded frames, lets ffmpeg complain, and plays with GStreamer.
fn judge(dir: &Path, frames: usize) {
    let count = run(
        dir,
        "ffprobe -v warning -count_frames -select_streams v:0 \
        -show_entries stream=nb_read_frames -of csv=p=0 index.m3u8",
    );
    let counts: Vec<&str> = count.split_whitespace().map(|c| c.trim_end_matches(',')).collect();
    assert!(!counts.is_empty() && counts.iter().all(|c| *c == frames.to_string()), "{count}");
    let complaints = run(dir, "ffmpeg -v warning -i index.m3u8 -f null -");
    assert_eq!(complaints, "");
    play(dir);
}

/// Plays with GStreamer to the end.
fn play(dir: &Path) {
    let uri = format!("uri=http://{}/index.m3u8", serve(dir.to_owned()));
    let played = run(dir, &format!("timeout 60 gst-launch-1.0 playbin3 {uri} video-sink=fakesink"));
    assert!(played.contains("EOS") && !played.contains("WARN"), "{played}");
}

/// Serves a folder over HTTP until the process ends: GStreamer's HLS demuxer takes nothing else.
fn serve(dir: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let dir = dir.clone();
            std::thread::spawn(move || answer(stream, &dir));
        }
    });
    address
}

fn answer(mut stream: TcpStream, dir: &Path) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let name = request.split_whitespace().nth(1).unwrap_or("/").trim_start_matches('/');
    let (status, body) = match std::fs::read(dir.join(name)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn record(rate: (u32, u32), options: &str, settings: Settings, seconds: u32) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let clip = Clip::read(&encode(dir, &format!("{}/{}", rate.0, rate.1), seconds, options), rate);
    let mut recording = Recording::new(settings);
    let frames = clip.samples.len();
    recording.set_wall_clock(ClockTime::ZERO, 1_700_000_000_000_000_000);
    store(dir, recording.set_track(clip.track).unwrap());
    for sample in clip.samples {
        store(dir, recording.push(sample).unwrap());
    }
    store(dir, recording.finish().unwrap());
    assert_eq!(recording.stats().frames, frames as u64);
    assert!(recording.stats().segments >= 2);
    judge(dir, frames);
}

fn two_seconds(kind: PlaylistKind) -> Settings {
    Settings {
        target_duration: ClockTime::from_secs(2),
        kind,
        playlist_length: 0,
        ..Settings::default()
    }
}

#[test]
#[ignore = "needs ffmpeg and gst-launch-1.0"]
fn baseline_30_fps_plays_whole() {
    record((30, 1), "-profile:v baseline -g 30", two_seconds(PlaylistKind::Vod), 6);
}

#[test]
#[ignore = "needs ffmpeg and gst-launch-1.0"]
fn reordered_frames_at_24000_1001_play_whole() {
    record((24_000, 1001), "-profile:v high -bf 3 -g 48", two_seconds(PlaylistKind::Event), 7);
}

#[test]
#[ignore = "needs ffmpeg and gst-launch-1.0"]
fn key_frames_that_miss_the_target_still_play_whole() {
    record((25, 1), "-profile:v main -bf 2 -g 33", two_seconds(PlaylistKind::Live), 9);
}

#[test]
#[ignore = "needs ffmpeg"]
fn size_aspect_and_color_are_read_as_ffmpeg_wrote_them() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for options in [
        "-s 1920x1080 -profile:v high",
        "-s 426x242 -profile:v high -x264-params cqm=jvt",
        "-s 720x576 -vf setsar=16/11 -profile:v main -flags +ildct+ilme",
        "-s 720x480 -vf setsar=37/41 -profile:v baseline",
        "-s 322x182 -pix_fmt yuv422p -profile:v high422",
        "-s 323x181 -pix_fmt yuv444p -profile:v high444",
    ] {
        let color = "-colorspace smpte170m -color_primaries bt470bg -color_trc gamma28";
        let clip = Clip::read(&encode(dir, "25", 1, &format!("{options} {color}")), (25, 1));
        std::fs::write(dir.join("init.mp4"), clip.track.init_segment().unwrap()).unwrap();
        let read = |name: &str| {
            run(
                dir,
                &format!(
                    "ffprobe -v error -show_entries stream=width,height,\
                sample_aspect_ratio,color_space,color_primaries,color_transfer {name}"
                ),
            )
        };
        assert_eq!(read("init.mp4"), read("clip.mp4"), "{options}");
        let info = clip.track.stream_info().unwrap();
        let (par_n, par_d) = info.pixel_aspect_ratio;
        let aspect = format!("sample_aspect_ratio={par_n}:{par_d}\n");
        assert!(read("clip.mp4").contains(&aspect), "{options}: {aspect}");
        let color = info.color.unwrap();
        assert_eq!((color.primaries, color.transfer, color.matrix), (5, 5, 6), "{options}");
    }
}

#[test]
#[ignore = "needs ffmpeg and gst-launch-1.0"]
fn two_formats_in_one_recording_play_on_across_the_discontinuity() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut recording = Recording::new(two_seconds(PlaylistKind::Vod));
    for (index, options) in ["-s 320x180 -g 50", "-s 640x360 -g 50 -bf 2"].iter().enumerate() {
        let clip = Clip::read(&encode(dir, "25", 4, options), (25, 1));
        store(dir, recording.set_track(clip.track).unwrap());
        for mut sample in clip.samples {
            let offset = ClockTime::from_secs(4 * index as u64);
            sample.pts += offset;
            sample.dts = sample.dts.map(|dts| dts + offset);
            store(dir, recording.push(sample).unwrap());
        }
    }
    store(dir, recording.finish().unwrap());
    assert_eq!(recording.stats().discontinuities, 1);
    // FFmpeg's demuxer keeps the codec setup of the first init segment, so it cannot judge this.
    play(dir);
}
