//! The playlist writer against two independent parsers, and its window against the RFC.
#![allow(clippy::unwrap_used)]

use gst_mini_core::time::ClockTime;
use gst_mini_elements::hls::playlist::{Entry, Playlist, PlaylistError, PlaylistKind, escape_uri};
use proptest::prelude::*;

fn entry(number: u64, micros: u64) -> Entry {
    Entry {
        name: format!("segment_{number:05}.cmfv"),
        init: "init.mp4".into(),
        micros,
        ..Entry::default()
    }
}

/// Both parsers must accept the text and read the same values out of it.
#[track_caller]
fn check_with_oracles(playlist: &Playlist) {
    let text = playlist.text();
    let entries: Vec<&Entry> = playlist.entries().collect();

    let parsed = m3u8_rs::parse_media_playlist_res(text.as_bytes()).unwrap();
    assert_eq!(parsed.version, Some(if entries.is_empty() { 3 } else { 6 }));
    assert_eq!(parsed.media_sequence, playlist.media_sequence());
    assert_eq!(parsed.discontinuity_sequence, playlist.discontinuity_sequence());
    assert_eq!(parsed.target_duration, playlist.target());
    assert_eq!(parsed.end_list, playlist.is_ended());
    assert!(parsed.independent_segments);
    assert_eq!(parsed.segments.len(), entries.len());
    for (segment, entry) in parsed.segments.iter().zip(&entries) {
        assert_eq!(segment.uri, escape_uri(&entry.name));
        assert!((f64::from(segment.duration) - entry.micros as f64 / 1e6).abs() < 1e-5);
        assert_eq!(segment.discontinuity, entry.discontinuity);
        let millis = segment.program_date_time.map(|date| date.timestamp_millis());
        assert_eq!(millis, entry.utc.map(|utc| (utc as i64 + 500_000) / 1_000_000));
        assert_eq!(segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP"), entry.gap);
    }
    if let (Some(segment), Some(entry)) = (parsed.segments.first(), entries.first()) {
        assert_eq!(segment.map.as_ref().unwrap().uri, escape_uri(&entry.init));
    }

    if !entries.is_empty() {
        let parsed = hls_m3u8::MediaPlaylist::try_from(text.as_str()).unwrap();
        assert_eq!(parsed.target_duration.as_secs(), playlist.target());
        assert_eq!(parsed.media_sequence as u64, playlist.media_sequence());
        assert_eq!(parsed.has_end_list, playlist.is_ended());
        for ((_, segment), entry) in parsed.segments.iter().zip(&entries) {
            let micros = segment.duration.duration().as_nanos() as u64;
            assert!(micros.abs_diff(entry.micros * 1000) < 1000);
            assert_eq!(segment.uri(), &escape_uri(&entry.name));
        }
    }
}

#[test]
fn every_kind_of_playlist_is_read_alike_by_two_parsers() {
    for kind in [PlaylistKind::Live, PlaylistKind::Event, PlaylistKind::Vod] {
        let mut playlist = Playlist::new(kind, 4, 3);
        check_with_oracles(&playlist);
        for number in 0..9 {
            playlist
                .add(Entry {
                    discontinuity: number == 3 || number == 7,
                    init: if number < 3 { "init.mp4".into() } else { "init 1.mp4".into() },
                    utc: Some(1_700_000_000_000_000_000 + number * 4_004_000_000),
                    ..entry(number, 4_004_000)
                })
                .unwrap();
            if number == 8 {
                assert!(playlist.mark_gap(8) && !playlist.mark_gap(9));
            }
            check_with_oracles(&playlist);
        }
        playlist.end();
        check_with_oracles(&playlist);
        assert_eq!(playlist.entries().count(), if kind == PlaylistKind::Live { 3 } else { 9 });
        assert!(!playlist.mark_gap(8), "nothing changes after the end");
        let late = playlist.add(entry(9, 1)).unwrap_err();
        assert_eq!(late, PlaylistError::Ended("segment_00009.cmfv".into()));
    }
}

#[test]
fn removed_entries_are_counted_and_come_with_the_time_to_keep_them() {
    let mut playlist = Playlist::new(PlaylistKind::Live, 2, 3);
    for number in 0..3 {
        assert_eq!(playlist.add(entry(number, 2_000_000)).unwrap(), []);
    }
    let removed = playlist.add(entry(3, 2_000_000)).unwrap();
    assert_eq!(playlist.media_sequence(), 1);
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].name, "segment_00000.cmfv");
    assert_eq!(removed[0].keep_for, ClockTime::from_secs(2 + 6));
    playlist.end();
    assert_eq!(playlist.media_sequence(), 1, "ENDLIST removes nothing");
}

#[test]
fn window_keeps_three_target_durations_even_if_told_to_keep_less() {
    let mut playlist = Playlist::new(PlaylistKind::Live, 2, 1);
    for number in 0..20 {
        playlist.add(entry(number, 1_000_000)).unwrap();
    }
    assert_eq!(playlist.entries().count(), 6);
    assert_eq!(playlist.media_sequence(), 14);
}

#[test]
fn numbers_of_an_earlier_playlist_are_continued() {
    let mut playlist = Playlist::new(PlaylistKind::Live, 2, 5).starting_at(41, 3);
    playlist.add(Entry { discontinuity: true, ..entry(41, 2_000_000) }).unwrap();
    check_with_oracles(&playlist);
    assert_eq!(playlist.next_sequence(), 42);
    assert!(playlist.text().contains("#EXT-X-DISCONTINUITY-SEQUENCE:3\n"));
}

#[test]
fn segment_that_rounds_above_the_target_is_refused_and_half_a_second_rounds_up() {
    let mut playlist = Playlist::new(PlaylistKind::Live, 2, 5);
    playlist.add(entry(0, 2_499_999)).unwrap();
    let error = playlist.add(entry(1, 2_500_000)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "segment segment_00001.cmfv (number 1) would be 2.500000 s long, and \
         EXT-X-TARGETDURATION is 2: have the encoder make key frames at least every 2 s (it \
         ignored the requests), or set a longer target-duration"
    );
    let mut vod = Playlist::new(PlaylistKind::Vod, 2, 0);
    vod.add(entry(0, 9_700_000)).unwrap();
    assert_eq!(vod.target(), 10, "written once, so its target can be the truth");
    check_with_oracles(&vod);
}

#[test]
fn names_that_could_be_read_as_something_else_are_escaped() {
    for (name, uri) in [
        ("a/b_00001.cmfv", "a/b_00001.cmfv"),
        ("#EXT", "%23EXT"),
        ("http://x", "http%3A//x"),
        ("/top//x", "%2Ftop//x"),
        ("a \"b\"\n?%.mp4", "a%20%22b%22%0A%3F%25.mp4"),
        ("größe", "gr%C3%B6%C3%9Fe"),
    ] {
        assert_eq!(escape_uri(name), uri);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_playlist_is_read_alike_by_two_parsers(
        micros in proptest::collection::vec(1_u64..6_499_999, 1..40),
        length in 0_usize..8, names in proptest::collection::vec("[^\0]{1,12}", 40),
    ) {
        let mut playlist = Playlist::new(PlaylistKind::Live, 6, length);
        for (number, (micros, name)) in micros.into_iter().zip(names).enumerate() {
            let name = format!("{number}{name}");
            playlist.add(Entry { name, ..entry(0, micros) }).unwrap();
            check_with_oracles(&playlist);
        }
    }
}
