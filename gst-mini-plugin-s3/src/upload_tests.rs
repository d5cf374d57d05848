//! The uploader on stores without a server: memory, slow memory and a directory.

use super::*;
use crate::location::{Environment, Settings, memory_store};
use gst_mini_core::error::ErrorKind;
use object_store::ObjectStoreExt;
use std::sync::mpsc;

fn object(name: &str, role: Role, body: &str) -> Object {
    let (first, second) = body.split_at(body.len() / 2);
    Object {
        name: name.into(),
        content_type: Some("video/mp4".into()),
        cache_control: Some("max-age=1".into()),
        role,
        running_time: None,
        body: vec![
            Bytes::copy_from_slice(first.as_bytes()),
            Bytes::copy_from_slice(second.as_bytes()),
        ],
    }
}

fn segment(number: usize) -> Object {
    object(&format!("segment_{number:05}.cmfv"), Role::Segment, &format!("media {number}"))
}

fn slow(milliseconds: u64) -> Settings {
    Settings { store_delay: Duration::from_millis(milliseconds), ..Settings::default() }
}

fn uploader(url: &str, settings: &Settings, options: Options) -> (Uploader, mpsc::Receiver<Event>) {
    let location = Location::open(url, settings, &Environment::default()).unwrap();
    let (sender, events) = mpsc::channel();
    let listener = move |event| sender.send(event).unwrap();
    (Uploader::new(location, options, Box::new(listener)).unwrap(), events)
}

fn content(store: &str, path: &str) -> Option<String> {
    let runtime = Builder::new_current_thread().build().unwrap();
    let bytes = runtime
        .block_on(async { memory_store(store).get(&path.into()).await.ok()?.bytes().await.ok() })?;
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn objects_reach_memory_with_their_attributes_and_are_counted() {
    for inline in [false, true] {
        let name = format!("counted-{inline}");
        let options = Options { inline, ..Options::default() };
        let (uploader, events) =
            uploader(&format!("memory://{name}/run"), &Settings::default(), options);
        assert!(!uploader.exists("index.m3u8").unwrap());
        for number in 0..20 {
            uploader.submit(segment(number)).unwrap();
            uploader
                .submit(object("index.m3u8", Role::Playlist, &format!("up to {number}")))
                .unwrap();
        }
        uploader.finish().unwrap();
        assert!(uploader.exists("index.m3u8").unwrap());
        assert_eq!(content(&name, "run/segment_00019.cmfv").unwrap(), "media 19");
        assert_eq!(
            content(&name, "run/index.m3u8").unwrap(),
            "up to 19",
            "the final version is stored"
        );
        let runtime = Builder::new_current_thread().build().unwrap();
        let stored = runtime.block_on(memory_store(&name).get(&"run/index.m3u8".into())).unwrap();
        let attribute = |key| stored.attributes.get(&key).map(|value| value.to_string());
        assert_eq!(attribute(object_store::Attribute::ContentType).unwrap(), "video/mp4");
        assert_eq!(attribute(object_store::Attribute::CacheControl).unwrap(), "max-age=1");

        let report = uploader.stop();
        assert_eq!(report.submitted, 40);
        assert_eq!(report.objects + report.playlists_skipped, 40);
        assert_eq!((report.retries, report.abandoned, report.backlog), (0, 0, 0));
        assert_eq!(
            events.try_iter().count() as u64,
            report.objects,
            "one event each, all told by now"
        );
    }
}

#[test]
fn objects_reach_a_directory_in_folders_with_and_without_fsync() {
    for fsync in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("file://{}/new/place", dir.path().display());
        let (uploader, _events) =
            uploader(&url, &Settings { fsync, ..Settings::default() }, Options::default());
        uploader.submit(object("video/init.cmfv", Role::Init, "moov")).unwrap();
        let mut large = object("video/large.cmfv", Role::Segment, "");
        large.body = vec![Bytes::from(vec![7; 5 << 20]); 2];
        uploader.submit(large).unwrap();
        uploader.submit(object("index.m3u8", Role::Playlist, "#EXTM3U")).unwrap();
        uploader.finish().unwrap();
        assert!(uploader.exists("index.m3u8").unwrap() && !uploader.exists("other").unwrap());
        let place = dir.path().join("new/place");
        assert_eq!(std::fs::read_to_string(place.join("index.m3u8")).unwrap(), "#EXTM3U");
        assert_eq!(std::fs::metadata(place.join("video/large.cmfv")).unwrap().len(), 10 << 20);
        assert_eq!(
            std::fs::read_dir(place.join("video")).unwrap().count(),
            2,
            "no staging file stays"
        );
    }
}

#[test]
fn slow_store_skips_playlist_versions_unless_all_are_kept() {
    for keep_every_version in [false, true] {
        let options = Options { keep_every_version, ..Options::default() };
        let name = format!("memory://skip-{keep_every_version}");
        let (uploader, _events) = uploader(&name, &slow(30), options);
        for number in 0..8 {
            uploader.submit(segment(number)).unwrap();
            uploader.submit(object("index.m3u8", Role::Playlist, &number.to_string())).unwrap();
        }
        uploader.finish().unwrap();
        let report = uploader.report();
        assert_eq!(report.playlists_written + report.playlists_skipped, 8);
        assert_eq!(report.playlists_skipped == 0, keep_every_version, "{report}");
        assert!(
            report.worst_delay >= Duration::from_millis(60),
            "a segment and its playlist: {report}"
        );
    }
}

#[test]
fn full_backlog_blocks_submit_until_the_store_catches_up() {
    let options = Options { max_backlog: 20, workers: 1, ..Options::default() };
    let (uploader, _events) = uploader("memory://backlog", &slow(10), options);
    for number in 0..10 {
        uploader.submit(segment(number)).unwrap();
        assert!(uploader.report().backlog <= 20);
    }
    uploader.finish().unwrap();
    let report = uploader.report();
    assert!(report.peak_backlog <= 20 && report.peak_backlog > 10, "{report:?}");
    assert_eq!(report.objects, 10);
}

#[test]
fn without_backlog_submit_returns_when_the_object_is_stored() {
    let options = Options { max_backlog: 0, ..Options::default() };
    let (uploader, _events) = uploader("memory://direct", &slow(5), options);
    uploader.submit(segment(1)).unwrap();
    assert_eq!(content("direct", "segment_00001.cmfv").unwrap(), "media 1");
    uploader.submit(object("index.m3u8", Role::Playlist, "1")).unwrap();
    assert_eq!(content("direct", "index.m3u8").unwrap(), "1");
}

#[test]
fn unlock_wakes_a_blocked_submit_and_nothing_accepted_is_lost() {
    let options = Options { max_backlog: 10, workers: 1, ..Options::default() };
    let (uploader, _events) = uploader("memory://unlock", &slow(300), options);
    let result = std::thread::scope(|scope| {
        let (about_to_block, blocks) = mpsc::channel();
        let streaming = scope.spawn(|| {
            uploader.submit(segment(1)).unwrap();
            let about_to_block = about_to_block;
            about_to_block.send(()).unwrap();
            uploader.submit(segment(2))
        });
        blocks.recv().unwrap();
        uploader.unlock();
        streaming.join().unwrap()
    });
    assert_eq!(result, Err(SubmitError::Flushing));
    assert_eq!(uploader.finish(), Err(SubmitError::Flushing));
    uploader.unlock_stop();
    uploader.submit(segment(3)).unwrap();
    uploader.finish().unwrap();
    assert_eq!(content("unlock", "segment_00001.cmfv").unwrap(), "media 1");
    assert_eq!(content("unlock", "segment_00002.cmfv"), None, "refused, so not stored");
    assert_eq!(content("unlock", "segment_00003.cmfv").unwrap(), "media 3");
}

#[test]
fn unlock_interrupts_an_inline_put_that_a_later_one_makes_up_for() {
    let options = Options { inline: true, ..Options::default() };
    let (uploader, _events) = uploader("memory://inline-unlock", &slow(200), options);
    std::thread::scope(|scope| {
        let streaming = scope.spawn(|| uploader.submit(segment(1)));
        while uploader.report().submitted == 0 {
            std::thread::yield_now();
        }
        uploader.unlock();
        assert_eq!(streaming.join().unwrap(), Err(SubmitError::Flushing));
    });
    assert_eq!(content("inline-unlock", "segment_00001.cmfv"), None);
    uploader.unlock_stop();
    uploader.finish().unwrap();
    assert_eq!(content("inline-unlock", "segment_00001.cmfv").unwrap(), "media 1");
    assert_eq!(uploader.report().objects, 1);
}

#[test]
fn stop_calls_off_what_is_not_stored_and_counts_it() {
    let options = Options { workers: 1, ..Options::default() };
    let (uploader, _events) = uploader("memory://stop", &slow(60_000), options);
    uploader.submit(segment(1)).unwrap();
    uploader.submit(segment(2)).unwrap();
    let report = uploader.stop();
    assert_eq!((report.abandoned, report.objects, report.backlog), (2, 0, 0), "{report:?}");
    assert_eq!(uploader.submit(segment(3)), Err(SubmitError::Stopped));
    assert_eq!(uploader.finish(), Err(SubmitError::Stopped));
    assert!(uploader.exists("a").is_err());
}

#[test]
fn body_is_freed_when_the_object_is_acknowledged() {
    struct Chunk {
        _alive: Arc<()>,
    }
    impl AsRef<[u8]> for Chunk {
        fn as_ref(&self) -> &[u8] {
            b"media"
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", dir.path().display());
    let (uploader, _events) = uploader(&url, &Settings::default(), Options::default());
    let alive = Arc::new(());
    let mut object = segment(1);
    object.body = vec![Bytes::from_owner(Chunk { _alive: alive.clone() })];
    uploader.submit(object).unwrap();
    uploader.finish().unwrap();
    uploader.stop();
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn bad_object_name_is_refused_at_once() {
    let (uploader, _events) = uploader("memory://names", &Settings::default(), Options::default());
    let Err(SubmitError::Failed(error)) = uploader.submit(object("../up", Role::Other, "x")) else {
        panic!("accepted");
    };
    assert_eq!(error.fault.kind, ErrorKind::Settings);
    assert!(error.to_string().starts_with("memory://names/../up: not a name"), "{error}");
}

#[test]
fn directory_that_turned_into_a_file_fails_at_once_and_stays_failed() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", dir.path().display());
    let (uploader, events) = uploader(&url, &Settings::default(), Options::default());
    std::fs::write(dir.path().join("video"), "in the way").unwrap();
    uploader.submit(object("video/init.cmfv", Role::Init, "moov")).unwrap();
    let Err(SubmitError::Failed(error)) = uploader.finish() else { panic!("stored") };
    assert_eq!(error.attempts, 1, "{error}");
    assert!(error.to_string().contains("check the directory"), "{error}");
    assert_eq!(uploader.submit(segment(1)), Err(SubmitError::Failed(error.clone())));
    assert!(events.try_iter().any(|event| matches!(event, Event::Failed(_))));
    assert_eq!(error.to_element_error().kind, error.fault.kind);
}

#[test]
fn listener_that_panics_does_not_hold_up_the_upload() {
    let location =
        Location::open("memory://panic", &Settings::default(), &Environment::default()).unwrap();
    let uploader =
        Uploader::new(location, Options::default(), Box::new(|_| panic!("listener"))).unwrap();
    uploader.submit(segment(1)).unwrap();
    uploader.finish().unwrap();
    assert_eq!(uploader.report().objects, 1);
}
