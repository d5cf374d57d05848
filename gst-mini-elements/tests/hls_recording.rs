//! What a recording cuts, names, times and counts. Every playlist version is judged by the rules.
#![allow(clippy::unwrap_used)]

mod hls_support;

use gst_mini_core::time::ClockTime;
use gst_mini_elements::hls::{
    PlaylistError, PlaylistKind, Recording, RecordingError, ResumeError, Role, Sample, Settings,
    Track,
};
use hls_support::{Store, clip, frames, track};
use mp4_atom::{Any, Colr, Decode};
use proptest::prelude::*;

const FPS_30: (u32, u32) = (30, 1);
const UTC: u64 = 1_700_000_000_123_000_000;

fn settings(seconds: u64, kind: PlaylistKind, playlist_length: usize) -> Settings {
    let target_duration = ClockTime::from_secs(seconds);
    Settings { target_duration, kind, playlist_length, ..Settings::default() }
}

/// Records all samples in one format and judges every playlist.
#[track_caller]
fn record(
    settings: Settings,
    track: Track,
    samples: impl IntoIterator<Item = Sample<Vec<u8>>>,
) -> (Store, Recording<Vec<u8>>) {
    let (mut store, mut recording) = (Store::default(), Recording::new(settings));
    recording.set_wall_clock(ClockTime::ZERO, UTC);
    store.put(recording.set_track(track).unwrap());
    for sample in samples {
        store.put(recording.push(sample).unwrap());
    }
    store.put(recording.finish().unwrap());
    (store, recording)
}

fn later(sample: Sample<Vec<u8>>, offset: ClockTime) -> Sample<Vec<u8>> {
    Sample { pts: sample.pts + offset, ..sample }
}

#[test]
fn key_frames_at_the_target_give_segments_of_exactly_the_target() {
    let (store, _) =
        record(settings(2, PlaylistKind::Event, 0), track(FPS_30), frames(FPS_30, 30, 0..150));
    assert_eq!(store.frames(), [60, 60, 30]);
    assert_eq!(
        store.text(),
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-MAP:URI=\"init.mp4\"\n\
         #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.123Z\n#EXTINF:2.000000,\nsegment_00000.cmfv\n\
         #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.123Z\n#EXTINF:2.000000,\nsegment_00001.cmfv\n\
         #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.123Z\n#EXTINF:1.000000,\nsegment_00002.cmfv\n\
         #EXT-X-ENDLIST\n"
    );
}

#[test]
fn real_reordered_frames_become_boxes_that_another_reader_agrees_with() {
    let clip = clip();
    let samples = clip.samples.clone();
    let (store, _) = record(settings(1, PlaylistKind::Vod, 0), clip.track.clone(), clip.samples);
    assert_eq!(store.frames(), [24, 24, 24]);
    assert_eq!(store.playlists.len(), 1, "a VOD playlist is written once");

    let mut init = store.objects["init.mp4"].as_slice();
    let Any::Ftyp(ftyp) = Any::decode(&mut init).unwrap() else { panic!() };
    assert!(ftyp.compatible_brands.contains(&b"cmfc".into()));
    let Any::Moov(moov) = Any::decode(&mut init).unwrap() else { panic!() };
    let mdia = &moov.trak[0].mdia;
    assert_eq!(mdia.mdhd.timescale, 24_000);
    let mp4_atom::Codec::Avc1(avc1) = &mdia.minf.stbl.stsd.codecs[0] else { panic!() };
    assert_eq!((avc1.visual.width, avc1.visual.height), (64, 48));
    assert_eq!(avc1.colr, Some(Colr::new(1, 1, 1, false).unwrap()));
    assert_eq!(clip.track.codecs().unwrap(), "avc1.64000A");

    let (mut decode_time, mut presented, mut payloads) = (0, Vec::new(), Vec::new());
    for (index, segment) in store.segments.iter().enumerate() {
        let bytes = segment.to_bytes();
        let mut rest = bytes.as_slice();
        let Any::Styp(_) = Any::decode(&mut rest).unwrap() else { panic!() };
        let moof_and_mdat = rest;
        let Any::Moof(moof) = Any::decode(&mut rest).unwrap() else { panic!() };
        let Any::Mdat(mdat) = Any::decode(&mut rest).unwrap() else { panic!() };
        assert!(rest.is_empty());
        assert_eq!(moof.mfhd.sequence_number, index as u32 + 1);
        let traf = &moof.traf[0];
        assert!(traf.tfhd.default_base_is_moof);
        assert_eq!(traf.tfdt.as_ref().unwrap().base_media_decode_time, decode_time);
        let offset = traf.trun[0].data_offset.unwrap() as usize;
        assert!(moof_and_mdat[offset..].starts_with(&mdat.data));
        let mut payload = mdat.data.as_slice();
        for (frame, entry) in traf.trun[0].samples.iter().enumerate() {
            assert_eq!(entry.duration, Some(1001));
            assert_eq!(entry.flags, Some(if frame == 0 { 0x0200_0000 } else { 0x0101_0000 }));
            presented.push(decode_time as i64 + entry.cts.unwrap());
            decode_time += 1001;
            let (sample, rest) = payload.split_at(entry.size.unwrap() as usize);
            payloads.push(sample.to_vec());
            payload = rest;
        }
        assert!(payload.is_empty());
    }
    assert!(payloads.iter().eq(samples.iter().map(|sample| &sample.data)));
    presented.sort();
    assert!(
        presented.into_iter().eq((0..72).map(|frame| frame * 1001)),
        "first frame at 0, no hole"
    );
}

#[test]
fn objects_carry_what_a_store_wants_to_know() {
    let mut recording = Recording::new(Settings {
        run_id: Some("r7".into()),
        ..settings(2, PlaylistKind::Live, 5)
    });
    recording.set_track(track(FPS_30)).unwrap();
    let mut objects = Vec::new();
    for sample in frames(FPS_30, 60, 0..90) {
        objects.extend(recording.push(later(sample, ClockTime::SECOND)).unwrap());
    }
    objects.extend(recording.finish().unwrap());
    let rows: Vec<String> = objects
        .iter()
        .map(|o| {
            let (name, role, kind, cache) =
                (&o.name, o.role.name(), o.content_type(), &o.cache_control);
            let (pts, duration) = (o.first_pts.nanos() / 1_000_000, o.duration.nanos() / 1_000_000);
            format!(
                "{name} {role} {kind} [{cache}] {pts}+{duration} ms, {} frames, {}",
                o.frames, o.last
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "init_r7.mp4 init video/mp4 [public, max-age=31536000, immutable] 1000+0 ms, 0 frames, false",
            "segment_r7_00000.cmfv segment video/mp4 [public, max-age=31536000, immutable] 1000+2000 ms, 60 frames, false",
            "index_r7.m3u8 playlist application/vnd.apple.mpegurl [public, max-age=1] 1000+2000 ms, 60 frames, false",
            "segment_r7_00001.cmfv segment video/mp4 [public, max-age=31536000, immutable] 3000+1000 ms, 30 frames, false",
            "index_r7.m3u8 playlist application/vnd.apple.mpegurl [public, max-age=3600] 3000+1000 ms, 30 frames, true",
        ]
    );
    assert!(objects.iter().all(|object| object.size() == object.to_bytes().len()));
}

#[test]
fn payload_is_passed_on_without_a_copy() {
    let data: Vec<std::sync::Arc<[u8]>> = (0..61).map(|n| vec![n; 100].into()).collect();
    let mut recording = Recording::new(settings(2, PlaylistKind::Live, 5));
    recording.set_track(track(FPS_30)).unwrap();
    let mut objects = Vec::new();
    for (sample, data) in frames(FPS_30, 60, 0..61).zip(&data) {
        let Sample { pts, dts, duration, is_sync, .. } = sample;
        let sample = Sample { pts, dts, duration, is_sync, data: data.clone() };
        objects.extend(recording.push(sample).unwrap());
    }
    let segment = objects.iter().find(|object| object.role == Role::Segment).unwrap();
    let chunks = segment.chunks.iter().skip(1).map(|chunk| chunk.as_ref().as_ptr());
    assert!(chunks.eq(data.iter().take(60).map(|payload| payload.as_ptr())));
}

#[test]
fn stream_without_frames_leaves_nothing_behind() {
    let (store, _) = record(settings(2, PlaylistKind::Live, 5), track(FPS_30), []);
    assert!(store.objects.is_empty() && store.playlists.is_empty());
    let delta_only = frames(FPS_30, 60, 1..40);
    let (store, recording) = record(settings(2, PlaylistKind::Live, 5), track(FPS_30), delta_only);
    assert!(store.objects.is_empty() && store.playlists.is_empty());
    assert_eq!(recording.stats().dropped_before_key_frame, 39);
}

#[test]
fn frames_before_the_first_key_frame_are_dropped_and_counted() {
    let (store, recording) =
        record(settings(1, PlaylistKind::Live, 5), track(FPS_30), frames(FPS_30, 30, 20..90));
    assert_eq!(store.frames(), [30, 30]);
    assert_eq!(recording.stats().dropped_before_key_frame, 10);
    assert_eq!(store.segments[0].first_pts, ClockTime::from_secs(1));
}

#[test]
fn missing_frames_lengthen_the_frame_before_them() {
    let gaps = [10, 59, 60, 61, 100];
    let samples = (frames(FPS_30, 30, 0..120).enumerate())
        .filter(|(index, _)| !gaps.contains(index))
        .map(|(_, sample)| sample);
    let (store, recording) = record(settings(2, PlaylistKind::Event, 0), track(FPS_30), samples);
    assert_eq!(recording.stats().discontinuities, 0);
    // The key frame at 60 is missing, the next is at 90: too long for a target of 2, so the cut is
    // at the key frame at 30.
    assert_eq!(store.frames(), [29, 57, 29]);
    let extinfs: Vec<&str> = store.text().lines().filter(|l| l.starts_with("#EXTINF")).collect();
    assert_eq!(extinfs, ["#EXTINF:1.000000,", "#EXTINF:2.000000,", "#EXTINF:1.000000,"]);
}

#[test]
fn hole_longer_than_a_segment_is_a_discontinuity_not_a_long_segment() {
    let samples = frames(FPS_30, 30, 0..600).enumerate();
    let samples = samples.filter(|(n, _)| !(75..305).contains(n)).map(|(_, sample)| sample);
    let (store, recording) = record(settings(2, PlaylistKind::Event, 0), track(FPS_30), samples);
    assert_eq!(recording.stats().discontinuities, 1);
    assert_eq!(recording.stats().dropped_before_key_frame, 25);
    assert_eq!(&store.frames()[..3], [60, 15, 60]);
    let text = store.text();
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1);
    assert_eq!(text.matches("#EXT-X-MAP").count(), 1, "the same init segment goes on");
    assert!(text.contains("DATE-TIME:2023-11-14T22:13:31.123Z"), "real time goes on: {text}");
}

#[test]
fn time_that_goes_back_begins_anew_after_a_discontinuity() {
    let again = frames(FPS_30, 30, 0..60);
    let samples = frames(FPS_30, 30, 0..75).chain(again);
    let (store, recording) = record(settings(2, PlaylistKind::Event, 0), track(FPS_30), samples);
    assert_eq!(recording.stats().discontinuities, 1);
    assert_eq!(store.frames(), [60, 15, 60]);
}

#[test]
fn repeated_timestamps_are_moved_one_tick_on_and_counted() {
    let mut samples: Vec<_> = frames(FPS_30, 30, 0..60).collect();
    samples[7].pts = samples[6].pts;
    samples[20].data.clear();
    let (store, recording) = record(settings(2, PlaylistKind::Event, 0), track(FPS_30), samples);
    assert_eq!(recording.stats().repaired, 1);
    assert_eq!(recording.stats().dropped_empty, 1);
    assert_eq!(store.frames(), [59]);
}

#[test]
fn key_frames_that_miss_the_target_are_cut_early_enough() {
    let (store, recording) =
        record(settings(6, PlaylistKind::Live, 5), track(FPS_30), frames(FPS_30, 120, 0..600));
    assert_eq!(store.frames(), [120, 120, 120, 120, 120]);
    assert_eq!(recording.stats().cut_early, 4);
}

#[test]
fn segment_that_cannot_be_cut_is_a_named_error_and_what_was_taken_is_kept() {
    let mut store = Store::default();
    let mut recording = Recording::new(settings(2, PlaylistKind::Live, 5));
    store.put(recording.set_track(track(FPS_30)).unwrap());
    let mut refused = None;
    for sample in frames(FPS_30, 1000, 0..200) {
        match recording.push(sample) {
            Ok(objects) => store.put(objects),
            Err(error) => {
                refused.get_or_insert(error);
            }
        }
    }
    let Some(RecordingError::Playlist(error)) = refused else { panic!("{refused:?}") };
    assert!(matches!(error, PlaylistError::SegmentTooLong { sequence: 0, target: 2, .. }));
    let text = error.to_string();
    assert!(text.contains("segment_00000.cmfv") && text.contains("2.500000 s"), "{text}");
    store.put(recording.finish().unwrap());
    assert_eq!(store.frames(), [74], "2.467 s, which still rounds to 2");
}

#[test]
fn new_format_brings_a_new_init_segment_and_a_discontinuity() {
    let mut store = Store::default();
    let mut recording = Recording::new(settings(1, PlaylistKind::Live, 3));
    store.put(recording.set_track(track(FPS_30)).unwrap());
    for sample in frames(FPS_30, 30, 0..75) {
        store.put(recording.push(sample).unwrap());
    }
    assert!(recording.set_track(track(FPS_30)).unwrap().is_empty(), "the same format again");
    store.put(recording.set_track(track((25, 1))).unwrap());
    assert_eq!(recording.next_key_frame_at(), None);
    for sample in frames((25, 1), 25, 0..250) {
        let objects = recording.push(later(sample, ClockTime::from_millis(2500))).unwrap();
        let removed: Vec<_> = objects.iter().flat_map(|object| &object.removed).collect();
        if let Some(index) = removed.iter().position(|removed| removed.name == "init.mp4") {
            let before = &removed[index - 1].name;
            assert_eq!(before, "segment_00002.cmfv", "not while a segment needs it");
        }
        store.put(objects);
    }
    store.put(recording.finish().unwrap());
    assert!(store.objects.contains_key("init_1.mp4"));
    assert!(store.text().contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"));
    assert!(store.playlists.iter().any(|version| {
        version.text.contains("#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init_1.mp4\"\n")
    }));
}

#[test]
fn next_key_frame_is_wanted_one_target_after_the_segment_start() {
    let mut recording = Recording::new(settings(2, PlaylistKind::Live, 5));
    recording.set_track(track(FPS_30)).unwrap();
    assert_eq!(recording.next_key_frame_at(), None);
    for sample in frames(FPS_30, 60, 0..61) {
        recording.push(later(sample, ClockTime::SECOND)).unwrap();
    }
    assert_eq!(recording.next_key_frame_at(), Some(ClockTime::from_secs(5)));
}

#[test]
fn frames_without_format_and_frames_after_the_end_are_refused() {
    let mut recording = Recording::new(Settings::default());
    let sample = || frames(FPS_30, 1, 0..1).next().unwrap();
    assert_eq!(recording.push(sample()).unwrap_err(), RecordingError::NoTrack);
    recording.set_track(track(FPS_30)).unwrap();
    recording.push(sample()).unwrap();
    assert_eq!(recording.finish().unwrap().len(), 2);
    assert_eq!(recording.finish().unwrap(), []);
    assert_eq!(recording.push(sample()).unwrap_err(), RecordingError::Finished);
}

#[test]
fn ten_thousand_segments_drift_by_less_than_a_millisecond() {
    for rate in [(24_000, 1001), (30_000, 1001), (25, 1), (30, 1), (60, 1), (7, 3)] {
        for known in [true, false] {
            let mut recording = Recording::new(settings(2, PlaylistKind::Live, 5));
            let frame_rate = known.then_some(rate);
            recording.set_track(Track { frame_rate, ..track(rate) }).unwrap();
            let gop = u64::from(2 * rate.0 / rate.1).max(1);
            let (mut segments, mut sum) = (0_u64, 0.0);
            let few = |sample: &(usize, _)| sample.0 as u64 % gop < 2;
            let samples = frames(rate, gop, 0..gop * 10_000 + 1).enumerate().filter(few);
            for (_, sample) in samples {
                for object in recording.push(sample).unwrap() {
                    if object.role == Role::Playlist {
                        segments += 1;
                        let newest = recording.playlist().entries().last().unwrap();
                        sum += newest.micros as f64 / 1e6;
                    }
                }
            }
            // A whole number of frames can be shorter than the target by more than half a frame.
            assert!((5_000..=10_000).contains(&segments), "{rate:?}: {segments}");
            let first = recording.next_key_frame_at().unwrap() - ClockTime::from_secs(2);
            assert!((first.seconds_f64() - sum).abs() < 1e-3, "{rate:?} {known}: {first} {sum}");
        }
    }
}

#[test]
fn recording_goes_on_where_a_killed_one_stopped() {
    let mut store = Store::default();
    for (run, unlisted) in [("a", 40), ("b", 0), ("c", 17)] {
        let settings = Settings {
            run_id: Some(run.into()),
            playlist_name: Some("index.m3u8".into()),
            ..settings(1, PlaylistKind::Live, 3)
        };
        let mut recording = match store.text() {
            "" => Recording::new(settings),
            text => Recording::resume(settings, text).unwrap(),
        };
        recording
            .set_wall_clock(ClockTime::ZERO, UTC + 60_000_000_000 * store.playlists.len() as u64);
        store.put(recording.set_track(track(FPS_30)).unwrap());
        for sample in frames(FPS_30, 30, 0..150 + unlisted) {
            store.put(recording.push(sample).unwrap());
        }
    }
    assert!(store.text().contains("#EXT-X-MEDIA-SEQUENCE:12\n"), "{}", store.text());
    assert!(store.text().contains("\nsegment_c_00014.cmfv\n"));
    assert!(store.text().contains("#EXT-X-DISCONTINUITY-SEQUENCE:2\n"));
}

#[test]
fn playlist_that_has_ended_or_differs_is_not_resumed() {
    let settings = || settings(1, PlaylistKind::Live, 3);
    let (store, _) = record(settings(), track(FPS_30), frames(FPS_30, 30, 0..90));
    let resume = |text: &str| Recording::<Vec<u8>>::resume(settings(), text).unwrap_err();
    assert_eq!(resume(store.text()), ResumeError::Ended);
    let open = store.text().replace("#EXT-X-ENDLIST\n", "");
    assert!(Recording::<Vec<u8>>::resume(settings(), &open).is_ok());
    let changed = open.replace("DURATION:1", "DURATION:4");
    assert_eq!(resume(&changed), ResumeError::Different("#EXT-X-TARGETDURATION:1".into()));
    for end in 0..open.len() - 1 {
        let cut = Recording::<Vec<u8>>::resume(settings(), &open[..end]);
        assert!(
            cut.is_err() || open[..end].ends_with(".cmfv\n") || open[..end].ends_with("SEGMENTS\n")
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_stream_of_frames_gives_a_recording_that_keeps_all_rules(
        steps in proptest::collection::vec((0_u64..4, 0_u64..100_000_000, 0_u8..14), 1..300),
        kind in 0_usize..3, length in 0_usize..6, seconds in 1_u64..4, known in any::<bool>(),
    ) {
        let kind = [PlaylistKind::Live, PlaylistKind::Event, PlaylistKind::Vod][kind];
        let (mut store, mut recording) = (Store::default(), Recording::new(settings(seconds, kind, length)));
        recording.set_wall_clock(ClockTime::ZERO, UTC);
        let frame_rate = known.then_some(FPS_30);
        store.put(recording.set_track(Track { frame_rate, ..track(FPS_30) }).unwrap());
        let mut pts = ClockTime::from_secs(100);
        let mut pushed = 0;
        for (index, (holes, jitter, what)) in steps.into_iter().enumerate() {
            pts += ClockTime::from_millis(33) + ClockTime::from_millis(33 * holes) + ClockTime::from_nanos(jitter);
            match what {
                11 => pts -= ClockTime::from_secs(2),
                12 => pts += ClockTime::from_secs(5),
                13 => store.put(recording.interrupt().unwrap()),
                _ => {}
            }
            let sample = Sample { pts, dts: None, duration: None, is_sync: index == 0 || what < 2, data: vec![1; 9] };
            pushed += 1;
            match recording.push(sample) {
                Ok(objects) => store.put(objects),
                Err(error) => {
                    let is_too_long = matches!(error, RecordingError::Playlist(_));
                    prop_assert!(is_too_long, "{error}");
                }
            }
        }
        store.put(recording.finish().unwrap());
        let stats = recording.stats();
        prop_assert_eq!(stats.frames + stats.dropped_before_key_frame + stats.refused, pushed);
        prop_assert_eq!(u64::from(store.frames().iter().sum::<u32>()), stats.frames);
        prop_assert!(store.text().ends_with("#EXT-X-ENDLIST\n"));
    }
}
