//! The order of puts as text: what starts when, for scripts of submissions and acknowledgments.

use super::*;

/// Runs a script: `+x` submits, `-x` acknowledges, `!x` fails, `?` starts what may start. Names with
/// a capital letter are playlists, told apart by the version after it. Gives what each `?` started.
#[track_caller]
fn check(workers: usize, keep_every_version: bool, script: &str, expected: &[&str]) -> Report {
    let mut schedule = Schedule::new(workers, keep_every_version);
    let mut running: Vec<(String, Job)> = Vec::new();
    let mut started = Vec::new();
    for (seq, word) in script.split_whitespace().enumerate() {
        let (action, label) = word.split_at(1);
        let position =
            |running: &[(String, Job)]| running.iter().position(|(name, _)| name == label).unwrap();
        match action {
            "+" => {
                let is_playlist = label.starts_with(char::is_uppercase);
                let name = if is_playlist { &label[..1] } else { label };
                schedule.submit(Job {
                    seq: seq as u64,
                    name: name.into(),
                    path: object_store::path::Path::from(name),
                    role: if is_playlist { Role::Playlist } else { Role::Segment },
                    running_time: None,
                    content_type: Some(label.to_owned()),
                    cache_control: None,
                    body: PutPayload::from_static(b"12345"),
                    submitted: Instant::now(),
                });
            }
            "-" => {
                let (_, job) = running.remove(position(&running));
                schedule.stored(&job, Duration::ZERO);
            }
            "!" => {
                let (_, job) = running.remove(position(&running));
                schedule.failed(&job);
            }
            _ => {
                let mut labels = Vec::new();
                while let Some(job) = schedule.start() {
                    let label = job.content_type.clone().unwrap();
                    labels.push(label.clone());
                    running.push((label, job));
                }
                started.push(labels.join(" "));
            }
        }
    }
    assert_eq!(started, expected, "{script}");
    schedule.report()
}

#[test]
fn media_start_in_order_up_to_the_number_of_workers() {
    check(2, false, "+a +b +c ? -b ?", &["a b", "c"]);
}

#[test]
fn playlist_waits_for_all_media_before_it_and_for_none_after() {
    check(4, false, "+a +b +P1 +c ? -b ? -a ?", &["a b c", "", "P1"]);
}

#[test]
fn waiting_playlist_is_replaced_by_its_newest_version() {
    let report =
        check(4, false, "+a +P1 +b +P2 +c +P3 ? -a ? -b -c ? -P3 ?", &["a b c", "", "P3", ""]);
    assert_eq!((report.playlists_written, report.playlists_skipped, report.backlog), (1, 2, 0));
}

#[test]
fn one_playlist_is_on_its_way_at_a_time_and_the_last_version_follows() {
    check(4, false, "+P1 ? +P2 +P3 ? -P1 ?", &["P1", "", "P3"]);
}

#[test]
fn every_version_goes_in_order_when_all_are_kept() {
    let report = check(4, true, "+P1 +P2 +P3 ? -P1 ? -P2 ?", &["P1", "P2", "P3"]);
    assert_eq!(report.playlists_skipped, 0);
}

#[test]
fn multivariant_playlist_waits_for_a_first_version_of_the_one_it_lists() {
    check(4, false, "+a +V1 +M1 +b +V2 ? -a ? -V1 ? -b -M1 ?", &["a b", "V1", "M1", "V2"]);
}

#[test]
fn replacing_between_two_renditions_never_deadlocks() {
    let report = check(
        4,
        false,
        "+a +V1 +b +A1 +c +V2 +d +A2 +e +V3 ? -a ? -b -c -d -e ? -V1 ? -A1 ? -V3 -A2 ?",
        &["a b c d", "V1 e", "", "A1", "A2 V3", ""],
    );
    assert_eq!((report.objects, report.backlog), (9, 0));
}

#[test]
fn second_object_of_one_name_waits_for_the_first() {
    check(4, false, "+a +a +b ? -a ?", &["a b", "a"]);
}

#[test]
fn failure_gives_up_what_waits_but_not_what_is_on_its_way() {
    let report = check(2, false, "+a +b +c +P1 ? !a ? -b ?", &["a b", "", ""]);
    assert_eq!((report.objects, report.abandoned, report.backlog), (1, 3, 0));
}

#[test]
fn object_larger_than_the_limit_goes_alone() {
    let schedule = Schedule::new(1, false);
    assert!(schedule.has_room(100, 10));
    assert!(schedule.has_room(100, 0));
}

#[test]
fn random_scripts_store_everything_in_order_and_end_drained() {
    for seed in 0..500u64 {
        let mut state = seed;
        let mut random = move |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut schedule = Schedule::new(1 + random(4), false);
        let mut running: Vec<Job> = Vec::new();
        let mut stored_media: BTreeSet<u64> = BTreeSet::new();
        let mut stored: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let mut newest: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let mut media = Vec::new();
        let mut next_seq = 0;
        while next_seq < 40 || !schedule.is_drained() {
            if next_seq < 40 && random(2) == 0 {
                let playlist = ["V", "A", "M"].get(random(6));
                let name: Arc<str> =
                    playlist.map_or_else(|| next_seq.to_string().into(), |name| (*name).into());
                if playlist.is_some() {
                    newest.insert(name.clone(), next_seq);
                } else {
                    media.push(next_seq);
                }
                schedule.submit(Job {
                    seq: next_seq,
                    path: object_store::path::Path::from(&*name),
                    name,
                    role: if playlist.is_some() { Role::Playlist } else { Role::Segment },
                    running_time: None,
                    content_type: None,
                    cache_control: None,
                    body: PutPayload::new(),
                    submitted: Instant::now(),
                });
                next_seq += 1;
            }
            while let Some(job) = schedule.start() {
                if job.is_playlist() {
                    assert!(
                        media
                            .iter()
                            .filter(|seq| **seq < job.seq)
                            .all(|seq| stored_media.contains(seq)),
                        "seed {seed}: {} lists what is not stored",
                        job.name
                    );
                }
                assert!(running.iter().all(|other| other.name != job.name), "seed {seed}");
                running.push(job);
            }
            assert!(schedule.is_drained() || !running.is_empty(), "seed {seed}: deadlock");
            if !running.is_empty() && random(2) == 0 {
                let job = running.swap_remove(random(running.len()));
                schedule.stored(&job, Duration::ZERO);
                if job.is_playlist() {
                    let before = stored.insert(job.name.clone(), job.seq);
                    assert!(
                        before.is_none_or(|before| before < job.seq),
                        "seed {seed}: older over newer"
                    );
                } else {
                    stored_media.insert(job.seq);
                }
            }
        }
        assert_eq!(stored, newest, "seed {seed}: the newest version of each playlist is stored");
        assert_eq!(stored_media.len(), media.len());
    }
}
