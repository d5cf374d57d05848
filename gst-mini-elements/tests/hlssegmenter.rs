//! `hlssegmenter` in pipelines: real H.264 in, objects out, every playlist judged.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod hls_support;
mod video_support;

use gst_mini_core::element_prelude::*;
use gst_mini_core::prelude::{Pipeline, Seek, Sim, parse_launch};
use gst_mini_elements::hls::{Chunk, Object, Role};
use hls_support::{Store, clip};
use video_support::{Run, Seen, run_here, run_keeping, run_pipeline_with};

gst_mini_core::register![Factory::source::<ClipSrc>()];

/// Plays the clip of the repository, each frame at its time if it is live, `loops` times.
#[derive(Default)]
struct ClipSrc {
    next: u64,
    loops: u32,
    is_live: bool,
    without_pts: bool,
}

impl Element for ClipSrc {
    const NAME: &str = "clipsrc";
    const SUMMARY: &str = "The clip of the tests";
    const PADS: &[PadTemplate] = &[PadTemplate::src("video/x-h264")];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("loops", "How often", |e: &mut Self| &mut e.loops),
        Prop::boolean("is-live", "At the clock's pace", |e: &mut Self| &mut e.is_live),
        Prop::boolean("without-pts", "Forget timestamps", |e: &mut Self| &mut e.without_pts),
    ];
    const UPSTREAM_EVENTS: &str = "GstForceKeyUnit";
}

impl Source for ClipSrc {
    const SEEKABLE: bool = true;

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
        cx.property_as("is-live").unwrap_or(false)
    }
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.next = 0;
        Ok(())
    }
    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        let samples = clip().samples;
        let (frame, round) = (self.next % 72, self.next / 72);
        if round >= u64::from(self.loops.max(1)) {
            return Err(FlowError::Eos);
        }
        self.next += 1;
        let sample = &samples[frame as usize];
        // The clip's timestamps begin at ten seconds.
        let at = |time: ClockTime| {
            time.saturating_sub(ClockTime::from_secs(10))
                + ClockTime::from_nanos(3_003_000_000 * round)
        };
        let mut buf = Buffer::from_vec(sample.data.clone());
        buf.set_pts((!self.without_pts).then(|| at(sample.pts)));
        buf.set_dts(sample.dts.map(at));
        buf.set_duration(sample.duration);
        if !sample.is_sync {
            buf.set_flags(BufferFlags::DELTA_UNIT);
        }
        Ok(buf)
    }
    fn seek(&mut self, _: &mut Cx, _: &Segment) -> bool {
        self.next = 0;
        true
    }
    fn src_event(&mut self, cx: &mut Cx, event: &Event) {
        if let EventKind::Custom(_, structure) = &event.kind {
            cx.post_element(structure.clone());
        }
    }
}

/// What a store gets; every version of the playlist is judged.
#[track_caller]
fn stored(run: &Run) -> Store {
    let mut store = Store::default();
    for Seen { buf, .. } in &run.seen {
        let meta = ObjectMeta::of(buf).expect("a named object");
        let role = match meta.role {
            ObjectRole::Init => Role::Init,
            ObjectRole::Segment => Role::Segment,
            _ => Role::Playlist,
        };
        store.put(vec![Object {
            name: meta.name,
            role,
            cache_control: meta.cache_control,
            chunks: vec![Chunk::Made(buf.data().to_vec())],
            first_pts: buf.pts().unwrap_or_default(),
            duration: buf.duration().unwrap_or_default(),
            frames: 0,
            last: meta.ends,
            removed: Vec::new(),
        }]);
    }
    store
}

fn frames(run: &Run) -> Vec<u64> {
    run.reports("hls-segment").iter().map(|report| report.uint64("frames").unwrap()).collect()
}

fn names(run: &Run) -> Vec<String> {
    run.seen.iter().map(|seen| ObjectMeta::of(&seen.buf).unwrap().name).collect()
}

#[test]
fn clip_becomes_the_objects_of_a_recording_in_order() {
    let run = run_keeping("clipsrc loops=2 ! hlssegmenter target-duration=2 ! fakesink name=out");
    assert_eq!(run.error(), None);
    let store = stored(&run);
    assert_eq!(
        names(&run),
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
    assert!(store.text().contains("#EXT-X-PLAYLIST-TYPE:EVENT"), "{}", store.text());
    assert!(store.text().ends_with("#EXT-X-ENDLIST\n"), "{}", store.text());
    let metas: Vec<_> = run.seen.iter().map(|seen| ObjectMeta::of(&seen.buf).unwrap()).collect();
    assert_eq!(metas.iter().filter(|meta| meta.ends).count(), 1);
    assert!(metas[6].ends && metas.iter().all(|meta| meta.last));
    assert_eq!(metas[1].role, ObjectRole::Segment);
    assert_eq!(metas[2].content_type, "application/vnd.apple.mpegurl");
    let reports = run.reports("hls-segment");
    assert_eq!(frames(&run), [48, 48, 48]);
    assert_eq!(reports[1].uint64("duration"), Some(2_002_000_000));
    assert_eq!(reports[1].str("name"), Some("segment_00001.cmfv"));
    assert_eq!(reports[1].uint64("bytes"), Some(run.seen[3].buf.size() as u64));
    let segmenter = run.pipeline.by_name("hlssegmenter0").unwrap();
    let counters = (segmenter.get_as("segments"), segmenter.get_as("frames"));
    assert_eq!(counters, (Some(3), Some(144)));
}

#[test]
fn objects_carry_the_time_of_their_first_frame_and_the_init_segment_none() {
    let run = run_keeping("clipsrc ! hlssegmenter target-duration=1 ! fakesink name=out");
    let times: Vec<_> = run.seen.iter().map(|seen| (seen.buf.pts(), seen.buf.duration())).collect();
    let second = ClockTime::from_nanos(1_001_000_000);
    assert_eq!(times[0], (None, None));
    assert!(run.seen[0].buf.has(BufferFlags::HEADER));
    let first = times[1].0.unwrap();
    assert_eq!((times[1], times[2]), ((Some(first), Some(second)), (Some(first), Some(second))));
    assert_eq!(times[3].0, Some(first + second));
}

#[test]
fn key_frames_are_asked_for_where_the_next_segment_shall_begin() {
    let run = run_keeping("clipsrc ! hlssegmenter target-duration=1 ! fakesink name=out");
    let first = run.seen[1].buf.pts().unwrap().nanos();
    let requests = run.reports("GstForceKeyUnit");
    let asked: Vec<_> = requests.iter().map(|request| request.uint64("running-time")).collect();
    let at = |n: u64| Some(first + n * 1_001_000_000 + 1_000_000_000);
    assert_eq!(asked, [at(0), at(1), at(2)]);
}

#[test]
fn vod_playlist_comes_once_and_a_live_one_lists_a_window() {
    let run = run_keeping(
        "clipsrc ! hlssegmenter target-duration=1 playlist-type=vod ! fakesink name=out",
    );
    let playlists = |run: &Run| names(run).iter().filter(|name| *name == "index.m3u8").count();
    assert_eq!(playlists(&run), 1);
    assert!(stored(&run).text().contains("#EXT-X-PLAYLIST-TYPE:VOD"));
    let run = run_keeping(
        "clipsrc loops=2 ! hlssegmenter target-duration=1 playlist-type=live playlist-length=3 ! fakesink name=out",
    );
    let store = stored(&run);
    assert!(store.text().contains("#EXT-X-MEDIA-SEQUENCE:3"), "{}", store.text());
}

#[test]
fn what_cannot_be_recorded_is_refused_with_a_sentence() {
    let error = |line: &str| run_keeping(line).error().unwrap_or_default();
    let refused = error("clipsrc without-pts=true ! hlssegmenter ! fakesink name=out");
    assert!(refused.contains("no timestamp"), "{refused}");
    let line =
        "fakesrc ! video/x-h264,stream-format=avc,alignment=au ! hlssegmenter ! fakesink name=out";
    let refused = error(line);
    assert!(refused.contains("codec_data"), "{refused}");
    // A key frame comes every second: a segment of half a second cannot be.
    let refused = error("clipsrc ! hlssegmenter target-duration=0.3 ! fakesink name=out");
    assert_eq!(refused, "", "TARGETDURATION is whole seconds");
    let refused = error("clipsrc ! hlssegmenter playlist-length=3 ! fakesink name=out");
    assert!(refused.contains("playlist-type=live"), "{refused}");
    let refused = error("clipsrc ! hlssegmenter playlist-name=a/b ! fakesink name=out");
    assert!(refused.contains("playlist-name"), "{refused}");
}

#[test]
fn stream_without_a_frame_gives_no_object() {
    let run = run_keeping("clipsrc num-buffers=0 ! hlssegmenter ! fakesink name=out");
    assert!(run.seen.is_empty());
}

#[test]
fn dates_follow_the_moment_each_frame_was_due() {
    let text = |line: &str| stored(&run_keeping(line)).text().to_owned();
    let dates = |text: &str| -> Vec<u64> {
        let lines = text.lines().filter_map(|line| line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:"));
        let read = gst_mini_elements::hls::date::from_iso8601_millis;
        lines.map(|date| read(date).unwrap() / 1_000_000).collect()
    };
    // However late the frames come to the segmenter, and however fast: it is when they are due.
    let live =
        dates(&text("clipsrc is-live=true ! hlssegmenter target-duration=1 ! fakesink name=out"));
    let held = dates(&text(
        "clipsrc is-live=true ! queue ! identity sleep-time=50000 ! hlssegmenter target-duration=1 ! fakesink name=out",
    ));
    assert_eq!(live.len(), 3);
    assert_eq!(live, held);
    assert_eq!(live[1] - live[0], 1001);
}

#[test]
fn flushing_seek_ends_the_segment_and_goes_on_after_a_discontinuity() {
    let job = || {
        gst_mini_elements::register();
        let line = "clipsrc ! identity sleep-time=40000 ! hlssegmenter target-duration=2 ! fakesink name=out";
        let pipeline = parse_launch(line).unwrap();
        run_pipeline_with(pipeline, true, |pipeline| {
            // Nothing is posted that this waits for: it lets time pass until after the 59th frame.
            let _ =
                pipeline.bus().timed_pop_filtered(Some(ClockTime::from_millis(2390)), |_| false);
            assert!(pipeline.seek(Seek::to(ClockTime::ZERO)));
        })
    };
    let run = Sim::new(3).run(job).unwrap_or_else(|dead| panic!("{dead}"));
    assert_eq!(run.error(), None);
    let store = stored(&run);
    assert_eq!(store.text().matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{}", store.text());
    // The report of the first segment went while the time passed.
    assert_eq!((store.segments.len(), frames(&run)), (4, vec![11, 48, 24]));
}

#[test]
fn recording_into_a_place_that_has_one_gets_a_run_id_in_all_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let line = format!("clipsrc ! hlssegmenter target-duration=1 ! dirsink name=out location={at}");
    let runs: Vec<_> = (0..3)
        .map(|_| Sim::new(1).run(|| run_here(&line, true)).unwrap_or_else(|dead| panic!("{dead}")))
        .collect();
    let mut all: Vec<String> = runs.iter().flat_map(names).collect();
    let objects = all.len();
    assert_eq!(objects, 3 * 7);
    all.sort();
    all.dedup();
    // The playlists alone come again, three versions of each.
    assert_eq!(all.len(), 3 * 5);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3 * 5);
    for run in &runs {
        assert!(stored(run).text().ends_with("#EXT-X-ENDLIST\n"));
    }
    let second = runs[1].reports("hls-recording")[0].str("run-id").unwrap().to_owned();
    assert_eq!((second.len(), &second[8..9], &second[15..]), (16, "T", "Z"), "{second}");
    assert!(all.contains(&format!("index_{second}.m3u8")), "{all:?}");
    // Simulated time begins at the same moment each time.
    assert!(all.contains(&format!("init_{second}-2.mp4")), "{all:?}");
    let line = line.replace("target", &format!("run-id={second} target"));
    let refused = Sim::new(1).run(|| run_here(&line, true)).unwrap_or_else(|dead| panic!("{dead}"));
    assert!(refused.error().unwrap().contains(&second));
}
