//! Each rule of the checker can fail: a good history passes, and one change to it is found.
#![allow(clippy::unwrap_used)]

mod hls_support;

use std::collections::HashMap;

use gst_mini_core::time::ClockTime;
use gst_mini_elements::hls::rules::{Fetched, Published, Rule, check};
use gst_mini_elements::hls::{PlaylistKind, Recording, Settings};
use hls_support::{Store, frames, track};

/// A recording with everything in it: a window, a break, a new format, dates and an end.
struct History {
    versions: Vec<Published>,
    objects: HashMap<String, Vec<u8>>,
    /// URIs that are gone from a version on.
    gone: HashMap<String, usize>,
}

fn history() -> History {
    let settings = Settings {
        target_duration: ClockTime::SECOND,
        kind: PlaylistKind::Live,
        playlist_length: 4,
        ..Settings::default()
    };
    let (mut store, mut recording) = (Store::default(), Recording::new(settings));
    recording.set_wall_clock(ClockTime::ZERO, 1_700_000_000_123_400_000);
    for (rate, range) in [((30, 1), 0..105), ((25, 1), 100..325)] {
        store.put(recording.set_track(track(rate)).unwrap());
        for sample in frames(rate, rate.0.into(), range) {
            store.put(recording.push(sample).unwrap());
        }
    }
    store.put(recording.finish().unwrap());
    History { versions: store.playlists, objects: store.objects, gone: HashMap::new() }
}

impl History {
    fn violated(&self) -> Vec<Rule> {
        let violations = check(&self.versions, |version, uri| {
            match (self.objects.get(uri), self.gone.get(uri)) {
                (Some(bytes), gone) if gone.is_none_or(|from| version < *from) => {
                    Fetched::Bytes(bytes.clone())
                }
                _ => Fetched::Missing,
            }
        });
        violations.into_iter().map(|violation| violation.rule).collect()
    }

    /// Replaces text in the versions of a range; it must be there.
    fn replace(
        &mut self,
        range: impl std::slice::SliceIndex<[Published], Output = [Published]>,
        from: &str,
        to: &str,
    ) {
        let mut found = false;
        for version in &mut self.versions[range] {
            found |= version.text.contains(from);
            version.text = version.text.replace(from, to);
        }
        assert!(found, "{from:?} is nowhere");
    }
}

#[track_caller]
fn check_change(rule: Rule, change: impl FnOnce(&mut History)) {
    let mut history = history();
    change(&mut history);
    let violated = history.violated();
    assert!(violated.contains(&rule), "{rule:?} was not found, only {violated:?}");
}

#[test]
fn unchanged_history_breaks_no_rule() {
    let history = history();
    assert_eq!(history.violated(), []);
    assert!(history.versions.len() > 10);
}

#[test]
fn syntax_errors_are_found() {
    check_change(Rule::Syntax, |h| h.replace(1..2, "#EXTM3U\n", ""));
    check_change(Rule::Syntax, |h| h.replace(1..2, "#EXT-X-TARGETDURATION:1\n", ""));
    check_change(Rule::Syntax, |h| h.replace(1..2, "#EXTINF:1.000000,\n", ""));
    check_change(Rule::Syntax, |h| h.replace(1..2, "#EXTINF:1.000000,", "#EXTINF:one,"));
    check_change(Rule::Syntax, |h| h.versions[1].text += "#EXT-X-MEDIA-SEQUENCE:1\n");
}

#[test]
fn segment_that_rounds_above_the_target_is_found() {
    check_change(Rule::SegmentFitsTarget, |h| h.replace(.., "#EXTINF:1.000000", "#EXTINF:1.5"));
}

#[test]
fn changed_target_or_type_is_found() {
    check_change(Rule::TargetIsConstant, |h| h.replace(3.., "DURATION:1\n", "DURATION:2\n"));
    check_change(Rule::TargetIsConstant, |h| {
        h.replace(3.., "#EXT-X-INDEP", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEP");
    });
}

#[test]
fn sequence_that_miscounts_is_found_also_at_the_end() {
    let last = |h: &History| {
        let text = &h.versions.last().unwrap().text;
        text.lines().find(|line| line.contains("MEDIA-SEQUENCE")).unwrap().to_owned()
    };
    check_change(Rule::SequenceCountsRemoved, |h| {
        let (line, count) = (last(h), h.versions.len());
        h.replace(count - 1.., &line, &format!("{line}1"));
    });
    check_change(Rule::SequenceCountsRemoved, |h| {
        h.replace(7.., "MEDIA-SEQUENCE:", "MEDIA-SEQUENCE:0*")
    });
    check_change(Rule::SequenceCountsRemoved, |h| h.versions.swap(7, 9));
}

#[test]
fn sequence_number_with_another_uri_is_found() {
    check_change(Rule::SequenceNamesOneSegment, |h| {
        h.objects.insert("other".into(), h.objects["segment_00002.cmfv"].clone());
        h.replace(4.., "segment_00002.cmfv", "other");
    });
}

#[test]
fn listed_segment_and_init_segment_that_are_missing_are_found_unless_declared() {
    check_change(Rule::ListedIsFetchable, |h| drop(h.objects.remove("segment_00001.cmfv")));
    check_change(Rule::ListedIsFetchable, |h| drop(h.objects.remove("init_1.mp4")));
    let mut declared = history();
    declared.objects.remove("segment_00006.cmfv");
    for version in &mut declared.versions {
        let with_gap = "#EXT-X-GAP\n#EXTINF:1.000000,\nsegment_00006.cmfv";
        version.text = version.text.replace("#EXTINF:1.000000,\nsegment_00006.cmfv", with_gap);
    }
    assert_eq!(declared.violated(), []);
}

#[test]
fn removed_segment_that_goes_too_early_is_found_and_later_it_may_go() {
    let uri = "segment_00000.cmfv";
    let mut history = history();
    let removal = history.versions.iter().position(|version| !version.text.contains(uri)).unwrap();
    history.gone.insert(uri.into(), removal);
    assert!(history.violated().contains(&Rule::RemovedStaysFetchable));
    let removed_at = history.versions[removal].at;
    // Its own second, and the longest list it was in: three of a second, one of half a second.
    let may_go =
        history.versions.iter().position(|v| v.at > removed_at + ClockTime::from_millis(4500));
    history.gone.insert(uri.into(), may_go.unwrap());
    assert_eq!(history.violated(), []);
    history.gone.insert(uri.into(), may_go.unwrap() - 1);
    assert!(history.violated().contains(&Rule::RemovedStaysFetchable));
}

#[test]
fn break_without_a_tag_is_found_by_decode_times_and_by_codec_setup() {
    check_change(Rule::BreakIsMarked, |h| h.replace(.., "#EXT-X-DISCONTINUITY\n", ""));
    let mut same_setup = history();
    same_setup.replace(.., "#EXT-X-DISCONTINUITY\n", "");
    let init = same_setup.objects["init.mp4"].clone();
    same_setup.objects.insert("init_1.mp4".into(), init);
    assert!(same_setup.violated().contains(&Rule::BreakIsMarked), "decode times alone tell");
    check_change(Rule::BreakIsMarked, |h| {
        h.replace(.., "#EXT-X-DISCONTINUITY\n", "");
        let unread =
            |version: &Published| check(std::slice::from_ref(version), |_, _| Fetched::Exists);
        let found = h.versions.iter().flat_map(unread).any(|v| v.rule == Rule::BreakIsMarked);
        assert!(found, "a new init segment alone tells");
    });
}

#[test]
fn duration_that_the_boxes_contradict_is_found() {
    check_change(Rule::DurationIsExact, |h| h.replace(.., "#EXTINF:1.000000", "#EXTINF:1.000600"));
}

#[test]
fn discontinuity_that_is_not_counted_is_found() {
    check_change(Rule::DiscontinuitiesAreCounted, |h| {
        h.replace(.., "#EXT-X-DISCONTINUITY-SEQUENCE:1\n", "");
    });
}

#[test]
fn change_after_the_end_is_found() {
    check_change(Rule::EndIsFinal, |h| {
        let mut after = h.versions.last().unwrap().clone();
        after.text = after.text.replace("#EXT-X-ENDLIST\n", "");
        h.versions.push(after);
    });
}

#[test]
fn version_below_what_the_tags_need_is_found() {
    check_change(Rule::VersionFitsTags, |h| h.replace(.., "VERSION:6", "VERSION:5"));
}

#[test]
fn dates_that_do_not_follow_durations_are_found() {
    check_change(Rule::DatesFollowDurations, |h| h.replace(1..2, "21.123Z", "21.125Z"));
}

#[test]
fn live_window_below_three_targets_is_found() {
    check_change(Rule::WindowIsLongEnough, |h| {
        let Published { text, at } = h.versions[3].clone();
        let (head, _) = text.split_once("#EXT-X-PROGRAM").unwrap();
        let (_, tail) = text.rsplit_once("#EXT-X-PROGRAM").unwrap();
        let text = format!("{head}#EXT-X-PROGRAM{tail}").replace("SEQUENCE:0", "SEQUENCE:3");
        h.versions[4] = Published { text, at };
    });
}

#[test]
fn event_playlist_that_loses_entries_is_found() {
    check_change(Rule::TypedListsOnlyGrow, |h| {
        h.replace(.., "#EXT-X-INDEP", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEP");
    });
}

#[test]
fn arbitrary_text_and_bytes_never_panic() {
    let texts =
        ["", "#EXTM3U\n#EXTINF:99999999999999999999,\n", "#EXT-X-PROGRAM-DATE-TIME:--T::Z\nx"];
    let text = history().versions[8].text.clone();
    let cut = (0..text.len()).filter_map(|end| text.get(..end));
    for text in texts.into_iter().chain(cut) {
        let version = [Published { text: text.into(), at: ClockTime::ZERO }];
        check(&version, |_, uri| Fetched::Bytes(uri.repeat(9).into_bytes()));
    }
}
