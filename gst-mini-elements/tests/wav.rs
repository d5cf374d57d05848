//! `wavenc` and `wavparse`: files that others wrote, and files that others read.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use gst_mini_core::segment::SeekType;
use gst_mini_elements::audio::wav::{header, header_with};
use gst_mini_elements::audio::{AudioFormat, AudioInfo};
use proptest::prelude::*;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use video_support::{Run, run, run_keeping};

fn write(dir: &Path, line: &str) -> Vec<u8> {
    let file = dir.join("out.wav");
    let line = format!("{line} ! filesink name=out location={}", file.display());
    let run = run(1, &line);
    assert_eq!(run.error(), None, "{line}");
    std::fs::read(file).unwrap()
}

fn read(dir: &Path, bytes: &[u8], settings: &str) -> Run {
    let file = dir.join("in.wav");
    std::fs::write(&file, bytes).unwrap();
    run_keeping(&format!("filesrc location={} {settings} ! fakesink name=out", file.display()))
}

fn samples(run: &Run) -> Vec<u8> {
    run.seen.iter().flat_map(|seen| seen.buf.data().to_vec()).collect()
}

#[test]
fn wavenc_completes_its_header_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "audiotestsrc num-buffers=3 ! audio/x-raw,format=S16LE ! wavenc");
    // The source's description is no tag that WAVE has a place for, which leaves an empty list.
    let tags = b"LIST\x04\0\0\0INFO";
    assert_eq!(file[..44], header_with(&AudioInfo::new(AudioFormat::S16LE, 44_100, 1), 6144, 12));
    assert_eq!((file.len(), &file[44 + 6144..]), (44 + 6144 + 12, &tags[..]));
    let gstreamer = b"RIFF\x30\x18\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\x18\0\0";
    assert_eq!(file[..44], *gstreamer);
}

#[test]
fn wavenc_keeps_its_first_header_where_it_cannot_go_back() {
    let run = run_keeping("audiotestsrc num-buffers=2 ! wavenc ! fakesink name=out");
    let sizes: Vec<usize> = run.seen.iter().map(|seen| seen.buf.size()).collect();
    // A sink that says nothing is sent both.
    assert_eq!((run.segments.len(), sizes.first(), sizes.last()), (2, Some(&44), Some(&44)));
    assert!(
        run.segments.iter().all(|segment| segment.format == gst_mini_core::segment::Format::Bytes)
    );
    let (mut pipe, end) = std::io::pipe().unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&end);
    let line = format!(
        "audiotestsrc num-buffers=2 ! audio/x-raw,format=U8 ! wavenc ! fdsink name=out fd={fd}"
    );
    assert_eq!(video_support::run(1, &line).error(), None);
    drop(end);
    let mut written = Vec::new();
    std::io::Read::read_to_end(&mut pipe, &mut written).unwrap();
    assert_eq!(written.len(), 44 + 2048 + 12);
}

#[test]
fn wavparse_gives_back_what_wavenc_took() {
    let dir = tempfile::tempdir().unwrap();
    for format in ["U8", "S16LE", "S24LE", "S32LE", "F32LE", "F64LE"] {
        for channels in [1, 2, 6, 8] {
            let source = format!(
                "audiotestsrc num-buffers=5 ! audio/x-raw,format={format},channels={channels}"
            );
            let file = write(dir.path(), &format!("{source} ! wavenc"));
            let original = samples(&run_keeping(&format!("{source} ! fakesink name=out")));
            for blocksize in [1000, 100_000] {
                let run = read(dir.path(), &file, &format!("blocksize={blocksize} ! wavparse"));
                assert_eq!(run.error(), None);
                assert!(samples(&run) == original, "{format} {channels}");
                let info = AudioInfo::from_caps(&run.caps[0]).unwrap();
                assert_eq!(info, AudioInfo::new(format.parse().unwrap(), 44_100, channels));
            }
        }
    }
}

/// Size, time, length and numbers of a buffer.
type Row = (usize, u64, u64, u64, u64);

fn row(buf: &Buffer) -> Row {
    let (pts, duration) = (buf.pts().unwrap().nanos(), buf.duration().unwrap().nanos());
    (buf.size(), pts, duration, buf.offset().unwrap(), buf.offset_end().unwrap())
}

fn rows(run: &Run) -> Vec<Row> {
    run.seen.iter().map(|seen| row(&seen.buf)).collect()
}

#[test]
fn wavparse_cuts_and_stamps_as_gstreamer_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = header(&AudioInfo::new(AudioFormat::S16LE, 44_100, 1), 18_432);
    file.resize(44 + 18_432, 0);
    let run = read(dir.path(), &file, "! wavparse");
    let rows_seen = rows(&run);
    assert_eq!(rows_seen[0], (4096, 0, 46_439_910, 0, 2048));
    assert_eq!(rows_seen[1], (4096, 46_439_910, 46_439_909, 2048, 4096));
    assert_eq!(rows_seen[4], (2048, 185_759_638, 23_219_954, 8192, 9216));
    assert!(
        run.seen[0].buf.has(BufferFlags::DISCONT) && !run.seen[1].buf.has(BufferFlags::DISCONT)
    );
    assert_eq!(run.segments[0].duration, Some(208_979_592));
    assert_eq!(
        run.caps[0].to_string(),
        "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, channels=(int)1, rate=(int)44100"
    );
    let mut file = header(&AudioInfo::new(AudioFormat::S16LE, 44_100, 2), 36_864);
    file.resize(44 + 36_864, 0);
    let run = read(dir.path(), &file, "! wavparse");
    assert_eq!(rows(&run)[0], (7056, 0, 40_000_000, 0, 1764));
    assert_eq!(rows(&run).last(), Some(&(1584, 200_000_000, 8_979_592, 8820, 9216)));
}

#[test]
fn wavparse_reads_streams_of_unknown_length_and_files_that_were_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    for declared in [0u32, u32::MAX, 1_000_000] {
        let mut file = header(&AudioInfo::new(AudioFormat::S16LE, 8000, 2), 0);
        file[40..44].copy_from_slice(&declared.to_le_bytes());
        file.resize(44 + 4001, 7);
        let run = read(dir.path(), &file, "! wavparse");
        assert_eq!((run.error(), samples(&run).len()), (None, 4000), "{declared}");
        assert_eq!(run.segments[0].duration, Some(125_031_250), "{declared}");
        // Through a pipe nobody knows how long it is.
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, &file).unwrap();
        drop(writer);
        let fd = std::os::fd::AsRawFd::as_raw_fd(&reader);
        let run = run_keeping(&format!("fdsrc fd={fd} ! wavparse ! fakesink name=out"));
        assert_eq!((run.error(), samples(&run).len()), (None, 4000), "{declared}");
    }
}

#[test]
fn wavparse_stops_at_the_end_of_the_data_unless_told_to_ignore_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = header(&AudioInfo::new(AudioFormat::U8, 8000, 1), 1000);
    file.resize(44 + 1000, 7);
    file.extend_from_slice(b"LIST\x04\0\0\0INFO");
    let run = read(dir.path(), &file, "! wavparse");
    assert_eq!((samples(&run).len(), run.segments[0].duration), (1000, Some(125_000_000)));
    let run = read(dir.path(), &file, "! wavparse ignore-length=true");
    assert_eq!((samples(&run).len(), run.segments[0].duration), (1012, None));
}

#[test]
fn wavparse_says_what_is_wrong_with_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let good = header(&AudioInfo::new(AudioFormat::S16LE, 8000, 1), 0);
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    for (bytes, sentence) in [
        (b"OggS and so on, for a while".to_vec(), "OggS"),
        (good[..30].to_vec(), "no complete fmt chunk"),
        (good[..40].to_vec(), "no data chunk"),
        (with(20, 0x55), "MP3"),
        (with(22, 0), "0 channels"),
        (with(32, 5), "samples of 40 bits are not supported"),
        (Vec::new(), "first 12 bytes"),
    ] {
        let error = read(dir.path(), &bytes, "! wavparse").error().unwrap_or_default();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
}

/// What a seek in PAUSED gives: the segment, and the buffers up to the end.
fn after_seek(dir: &Path, rate: f64, start: i64, stop: i64) -> Option<(Segment, Vec<Row>)> {
    let mut bytes = header(&AudioInfo::new(AudioFormat::S16LE, 44_100, 2), 36_864);
    bytes.resize(44 + 36_864, 0);
    // What comes behind the samples is no sound.
    bytes.extend_from_slice(b"LIST\x04\0\0\0INFO");
    let file = dir.join("in.wav");
    std::fs::write(&file, bytes).unwrap();
    let line =
        format!("filesrc location={} ! wavparse ! fakesink name=out sync=true", file.display());
    let seek = Seek {
        rate,
        stop_type: if stop < 0 { SeekType::None } else { SeekType::Set },
        start,
        stop,
        ..Seek::to(ClockTime::ZERO)
    };
    let seen = Sim::new(1).run(move || {
        gst_mini_elements::register();
        let pipeline = parse_launch(&line).unwrap();
        let seen = Arc::new(Mutex::new((None, Vec::new())));
        let into = seen.clone();
        pipeline.by_name("out").unwrap().pad("sink").unwrap().add_probe(
            ProbeType::DATA_DOWNSTREAM,
            Box::new(move |data| {
                let mut seen = into.lock().unwrap();
                match data {
                    ProbeData::Buffer(buf) => seen.1.push(row(buf)),
                    ProbeData::Event(event) => {
                        if let EventKind::Segment(segment) = &event.kind {
                            seen.0 = Some(*segment);
                        }
                    }
                    _ => {}
                }
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Paused);
        pipeline.state(None);
        let mut duration = Query::duration();
        assert!(pipeline.query(&mut duration));
        assert!(
            matches!(duration, Query::Duration { duration: Some(208_979_592), .. }),
            "{duration:?}"
        );
        let format = gst_mini_core::segment::Format::Time;
        let mut seeking = Query::Seeking { format, seekable: false, start: 1, end: None };
        assert!(pipeline.query(&mut seeking));
        assert_eq!(
            seeking,
            Query::Seeking { format, seekable: true, start: 0, end: Some(208_979_592) }
        );
        *seen.lock().unwrap() = (None, Vec::new());
        let done = pipeline.seek(seek);
        if done {
            pipeline.set_state(State::Playing);
            pipeline.wait_for_end(Some(ClockTime::from_secs(100))).expect("an end");
        }
        pipeline.set_state(State::Null);
        let (segment, rows) = seen.lock().unwrap().clone();
        done.then(|| (segment.expect("a segment"), rows))
    });
    seen.unwrap()
}

#[test]
fn wavparse_seeks_in_time_to_the_samples_that_gstreamer_plays() {
    let dir = tempfile::tempdir().unwrap();
    let (segment, rows) = after_seek(dir.path(), 1.0, 100_000_000, -1).unwrap();
    assert_eq!(
        rows,
        [
            (7056, 100_000_000, 40_000_000, 4410, 6174),
            (7056, 140_000_000, 40_000_000, 6174, 7938),
            (5112, 180_000_000, 28_979_592, 7938, 9216),
        ]
    );
    let (start, time, base) = (segment.start, segment.time, segment.base);
    assert_eq!((start, time, base, segment.stop), (100_000_000, Some(100_000_000), 0, None));
    let (segment, rows) = after_seek(dir.path(), 1.0, 100_000_000, 150_000_000).unwrap();
    assert_eq!(segment.stop, Some(150_000_000));
    assert_eq!(
        rows,
        [(7056, 100_000_000, 40_000_000, 4410, 6174), (1764, 140_000_000, 10_000_000, 6174, 6615)]
    );
    let (segment, rows) = after_seek(dir.path(), 2.0, 50_000_000, -1).unwrap();
    assert_eq!((segment.rate, segment.duration), (2.0, Some(208_979_592)));
    assert_eq!(
        rows,
        [
            (14_112, 50_000_000, 80_000_000, 2205, 5733),
            (13_932, 130_000_000, 78_979_592, 5733, 9216)
        ]
    );
    assert!(after_seek(dir.path(), -1.0, 0, 100_000_000).is_none(), "it does not play backwards");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn wavparse_takes_or_refuses_whatever_comes(
        at in 0usize..80, value: u8, cut in 0usize..400, noise in prop::collection::vec(any::<u8>(), 0..300),
        channels in 1u32..9, blocksize in 1usize..200,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut file = header(&AudioInfo::new(AudioFormat::S16LE, 8000, channels), noise.len() as u64);
        file.extend_from_slice(&noise);
        let at = at % file.len();
        file[at] = value;
        file.truncate(cut);
        let run = read(dir.path(), &file, &format!("blocksize={blocksize} ! wavparse"));
        if run.error().is_none() {
            prop_assert!(samples(&run).len() <= noise.len());
        }
    }
}

fn program(line: &str) -> String {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap();
    let output = Command::new(name).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("{name} could not be run: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{line}\n{text}");
    text
}

#[test]
#[ignore = "needs ffmpeg and GStreamer"]
fn others_read_our_files_and_we_read_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("out.wav"), dir.path().join("theirs.wav"));
    let back = dir.path().join("back.raw");
    for (format, codec) in [
        ("U8", "pcm_u8"),
        ("S16LE", "pcm_s16le"),
        ("S24LE", "pcm_s24le"),
        ("S32LE", "pcm_s32le"),
        ("F32LE", "pcm_f32le"),
        ("F64LE", "pcm_f64le"),
    ] {
        for channels in [1, 2, 6] {
            let source = format!(
                "audiotestsrc num-buffers=5 ! audio/x-raw,format={format},rate=48000,channels={channels}"
            );
            let original = samples(&run_keeping(&format!("{source} ! fakesink name=out")));
            write(dir.path(), &format!("{source} ! wavenc"));
            let facts = program(&format!(
                "ffprobe -v warning -show_entries stream=codec_name,channels,sample_rate,duration_ts -of csv=p=0 {}",
                ours.display()
            ));
            assert_eq!(facts.trim(), format!("{codec},48000,{channels},5120"));
            program(&format!(
                "gst-launch-1.0 -q filesrc location={} ! wavparse ! filesink location={}",
                ours.display(),
                back.display()
            ));
            assert!(std::fs::read(&back).unwrap() == original, "{format} {channels}");
            for line in [
                format!(
                    "gst-launch-1.0 -q {source} ! wavenc ! filesink location={}",
                    theirs.display()
                ),
                format!(
                    "ffmpeg -v error -y -i {} -c:a {codec} {}",
                    ours.display(),
                    theirs.display()
                ),
            ] {
                program(&line);
                let run = read(dir.path(), &std::fs::read(&theirs).unwrap(), "! wavparse");
                assert!(samples(&run) == original, "{line}");
            }
        }
    }
}
