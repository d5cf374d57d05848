//! The uploader against an S3 server that checks signatures, on real sockets, with faults.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do, by panicking")]

mod server;

use bytes::Bytes;
use gst_mini_core::error::ErrorKind;
use gst_mini_plugin_s3::fault::UploadError;
use gst_mini_plugin_s3::location::{Environment, Location, Settings};
use gst_mini_plugin_s3::report::{Event, Report};
use gst_mini_plugin_s3::upload::{Object, Options, Role, SubmitError, Uploader};
use server::{ACCESS_KEY, BUCKET, Mishap, SECRET_KEY, Server};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Events = Arc<Mutex<Vec<Event>>>;

fn settings(server: &Server) -> Settings {
    Settings {
        endpoint: Some(server.endpoint()),
        access_key: Some(ACCESS_KEY.into()),
        secret_access_key: Some(SECRET_KEY.into()),
        ..Settings::default()
    }
}

fn quick() -> Options {
    Options {
        try_timeout: Duration::from_millis(500),
        retry_timeout: Some(Duration::from_secs(20)),
        ..Options::default()
    }
}

fn uploader(url: &str, settings: &Settings, options: Options) -> (Uploader, Events) {
    let location = Location::open(url, settings, &Environment::default()).unwrap();
    let events = Events::default();
    let sink = events.clone();
    let listener = move |event| sink.lock().unwrap().push(event);
    (Uploader::new(location, options, Box::new(listener)).unwrap(), events)
}

fn at(server: &Server, options: Options) -> (Uploader, Events) {
    uploader(&format!("s3://{BUCKET}/run"), &settings(server), options)
}

fn segment(number: usize, size: usize) -> Object {
    Object {
        name: format!("segment_{number:05}.cmfv"),
        content_type: Some("video/mp4".into()),
        cache_control: Some("public, max-age=31536000, immutable".into()),
        role: Role::Segment,
        running_time: None,
        body: vec![Bytes::from(vec![number as u8; size])],
    }
}

fn playlist(up_to: usize, is_last: bool) -> Object {
    let mut text = String::from("#EXTM3U\n");
    for number in up_to.saturating_sub(4)..=up_to {
        text += &format!("#EXTINF:2.0,\nsegment_{number:05}.cmfv\n");
    }
    if is_last {
        text += "#EXT-X-ENDLIST\n";
    }
    Object {
        name: "index.m3u8".into(),
        content_type: Some("application/vnd.apple.mpegurl".into()),
        cache_control: Some("max-age=1".into()),
        role: Role::Playlist,
        running_time: None,
        body: vec![Bytes::from(text)],
    }
}

/// Records `count` segments with a playlist after each, and checks that all of it arrived in order.
#[track_caller]
fn record(server: &Server, uploader: &Uploader, count: usize) -> Report {
    for number in 0..count {
        uploader.submit(segment(number, 10_000)).unwrap();
        uploader.submit(playlist(number, number + 1 == count)).unwrap();
    }
    uploader.finish().unwrap();
    let stored = server.stored("run");
    for number in 0..count {
        assert_eq!(
            stored.get(&format!("segment_{number:05}.cmfv")),
            Some(&10_000),
            "segment {number}"
        );
    }
    assert_eq!(server.violations(), Vec::<String>::new());
    assert!(
        server.playlists().last().unwrap().ends_with("#EXT-X-ENDLIST\n"),
        "the final version is stored"
    );
    let report = uploader.report();
    assert_eq!(report.objects + report.playlists_skipped, 2 * count as u64);
    assert_eq!((report.backlog, report.abandoned), (0, 0));
    report
}

fn failure(result: Result<(), SubmitError>) -> Arc<UploadError> {
    match result {
        Err(SubmitError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn no_credentials_in(text: &str) {
    assert!(!text.contains(SECRET_KEY) && !text.contains(ACCESS_KEY), "{text}");
}

#[test]
fn signed_recording_arrives_whole_and_playlists_list_only_what_is_there() {
    let server = Server::start();
    let (uploader, events) = at(&server, Options { keep_every_version: true, ..quick() });
    assert!(!uploader.exists("index.m3u8").unwrap());
    let report = record(&server, &uploader, 20);
    assert!(uploader.exists("index.m3u8").unwrap());
    assert_eq!((report.retries, report.playlists_written), (0, 20));
    assert_eq!(server.playlists().len(), 20);
    assert_eq!(events.lock().unwrap().len(), 40);
}

#[test]
fn inline_recording_is_stored_when_submit_returns() {
    let server = Server::start();
    let (uploader, _events) = at(&server, Options { inline: true, ..quick() });
    uploader.submit(segment(0, 10_000)).unwrap();
    assert_eq!(server.stored("run").len(), 1);
    let (uploader, _events) = at(&server, Options { inline: true, ..quick() });
    record(&server, &uploader, 5);
}

#[test]
fn object_above_8_mib_goes_in_parts() {
    let server = Server::start();
    let (uploader, _events) = at(&server, quick());
    uploader.submit(segment(1, (17 << 20) + 3)).unwrap();
    uploader.finish().unwrap();
    assert_eq!(server.stored("run").get("segment_00001.cmfv"), Some(&((17 << 20) + 3)));
    assert_eq!(server.puts("segment_00001.cmfv"), 3, "parts");
}

#[test]
fn failed_upload_in_parts_is_aborted_and_begins_again() {
    let server = Server::start();
    server.script([None, Some(Mishap::Status(503))]);
    let (uploader, _events) = at(&server, quick());
    uploader.submit(segment(1, 17 << 20)).unwrap();
    uploader.finish().unwrap();
    assert_eq!(server.stored("run").get("segment_00001.cmfv"), Some(&(17 << 20)));
    assert_eq!((server.aborted_uploads(), uploader.report().retries), (1, 1));
}

#[test]
fn every_kind_of_mishap_is_outlived_without_a_gap() {
    use Mishap::*;
    let cases: &[(&str, &[Mishap])] = &[
        ("overload", &[Status(503), Status(503), Status(503)]),
        ("too many requests", &[Status(429), Status(429)]),
        ("reset", &[Reset, Reset, Reset]),
        ("hang", &[Hang, Hang]),
        ("lost reply", &[LostReply, LostReply]),
        ("slow", &[Slow(300), Slow(300)]),
        ("all", &[Status(500), Reset, Hang, LostReply, Slow(100), Status(429), Reset]),
    ];
    for (name, mishaps) in cases {
        let server = Server::start();
        server.script(mishaps.iter().copied().map(Some));
        let (uploader, events) = at(&server, quick());
        let report = record(&server, &uploader, 6);
        let harmless = mishaps.iter().filter(|mishap| matches!(mishap, Slow(_))).count();
        assert_eq!(report.retries as usize, mishaps.len() - harmless, "{name}: {report}");
        let retrying = events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| matches!(event, Event::Retrying { .. }))
            .count();
        assert_eq!(retrying as u64, report.retries, "{name}");
    }
}

#[test]
fn seeded_faults_lose_nothing() {
    for seed in 1..=3u64 {
        let server = Server::start();
        let mut state = seed;
        let mishaps: Vec<Option<Mishap>> = (0..150)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                match (state >> 33) % 20 {
                    0 => Some(Mishap::Status(503)),
                    1 => Some(Mishap::Status(429)),
                    2 => Some(Mishap::Reset),
                    3 => Some(Mishap::LostReply),
                    4 => Some(Mishap::Slow((state >> 40) % 100)),
                    5 if (state >> 50).is_multiple_of(4) => Some(Mishap::Hang),
                    _ => None,
                }
            })
            .collect();
        server.script(mishaps);
        let (uploader, _events) =
            at(&server, Options { seed, keep_every_version: true, ..quick() });
        let report = record(&server, &uploader, 60);
        assert!(report.retries > 5, "seed {seed}: {report}");
        println!("seed {seed}: {report}");
    }
}

#[test]
fn refused_connections_for_a_while_lose_nothing_and_do_not_block_submit() {
    let server = Server::start();
    let (uploader, events) = at(&server, quick());
    record(&server, &uploader, 2);
    server.close();
    let before = Instant::now();
    for number in 2..12 {
        uploader.submit(segment(number, 10_000)).unwrap();
        uploader.submit(playlist(number, number == 11)).unwrap();
    }
    assert!(before.elapsed() < Duration::from_millis(500), "submit did not wait for the store");
    server.reopen_after(Duration::from_secs(2));
    uploader.finish().unwrap();
    let report = uploader.report();
    assert_eq!(server.stored("run").keys().filter(|name| name.starts_with("segment")).count(), 12);
    assert_eq!(server.violations(), Vec::<String>::new());
    assert!(report.retries >= 8 && report.playlists_skipped >= 9, "{report}");
    let events = events.lock().unwrap();
    let reason = events.iter().find_map(|event| match event {
        Event::Retrying { reason, .. } if reason.contains("cannot connect") => Some(reason),
        _ => None,
    });
    assert!(reason.unwrap().contains("refused"), "{reason:?}");
}

#[test]
fn store_that_stays_down_fails_after_retry_timeout_with_the_whole_story() {
    let server = Server::start();
    server.script(vec![Some(Mishap::Status(503)); 100]);
    let (uploader, events) =
        at(&server, Options { retry_timeout: Some(Duration::from_secs(1)), ..quick() });
    uploader.submit(segment(3, 10)).unwrap();
    uploader.submit(playlist(3, true)).unwrap();
    let error = failure(uploader.finish());
    let text = error.to_string();
    assert!(text.starts_with("s3://bucket/run/segment_00003.cmfv: attempt "), "{text}");
    assert!(
        text.contains(" after 1.") && text.contains("503 Service Unavailable (Mishap)"),
        "{text}"
    );
    assert!(text.contains("within retry-timeout"), "{text}");
    assert!(error.attempts >= 4 && error.tried_for >= Duration::from_secs(1), "{error:?}");
    assert_eq!(failure(uploader.submit(segment(4, 10))), error, "and stays failed");
    assert!(server.playlists().is_empty(), "nothing missing was listed");
    let last = events.lock().unwrap().last().map(ToString::to_string);
    assert_eq!(last, Some(text));
    assert_eq!(uploader.stop().abandoned, 2);
}

#[test]
fn wrong_secret_fails_at_once_and_is_not_shown() {
    let server = Server::start();
    let wrong =
        Settings { secret_access_key: Some("wrong-secret-0123".into()), ..settings(&server) };
    let (uploader, _events) = uploader(&format!("s3://{BUCKET}/run"), &wrong, quick());
    let preflight = uploader.exists("index.m3u8").unwrap_err();
    uploader.submit(segment(1, 10)).unwrap();
    let error = failure(uploader.finish());
    for error in [&preflight, &*error] {
        let text = format!("{error} {error:?}");
        assert_eq!((error.attempts, error.fault.kind), (1, ErrorKind::NotAuthorized), "{text}");
        assert!(text.contains("403 Forbidden (SignatureDoesNotMatch)"), "{text}");
        assert!(text.contains("check access-key, secret-access-key"), "{text}");
        assert!(!text.contains("wrong-secret"), "{text}");
        no_credentials_in(&text);
    }
}

#[test]
fn missing_bucket_fails_at_once() {
    let server = Server::start();
    let (uploader, _events) = uploader("s3://nowhere/run", &settings(&server), quick());
    let preflight = uploader.exists("index.m3u8").unwrap_err();
    assert!(preflight.to_string().contains("NoSuchBucket"), "not merely absent: {preflight}");
    uploader.submit(segment(1, 10)).unwrap();
    let error = failure(uploader.finish());
    let text = error.to_string();
    assert_eq!((error.attempts, error.fault.kind), (1, ErrorKind::NotFound), "{text}");
    assert!(text.starts_with("s3://nowhere/run/segment_00001.cmfv: attempt 1"), "{text}");
    assert!(
        text.contains("404 Not Found (NoSuchBucket)") && text.contains("create the bucket"),
        "{text}"
    );
    no_credentials_in(&format!("{error:?}"));
}

#[test]
fn unreachable_host_is_a_sentence_and_not_an_absent_object() {
    let server = Server::start();
    server.close();
    let (uploader, _events) = at(&server, quick());
    let error = uploader.exists("index.m3u8").unwrap_err();
    assert!(!error.fault.permanent);
    assert!(error.to_string().contains("cannot connect: Connection refused"), "{error}");
    assert!(error.to_string().ends_with("check the endpoint, and that the store is up"), "{error}");
    no_credentials_in(&format!("{error:?}"));

    let nowhere =
        Settings { endpoint: Some("http://no-such-host.invalid".into()), ..settings(&server) };
    let (uploader, _events) = uploader_of(&nowhere);
    let text = uploader.exists("index.m3u8").unwrap_err().to_string();
    assert!(text.contains("cannot connect") || text.contains("no answer"), "{text}");
}

#[test]
fn encrypted_connection_to_a_plain_server_ends_in_the_handshake() {
    let server = Server::start();
    let endpoint = Some(server.endpoint().replace("http:", "https:"));
    let (uploader, _events) = uploader_of(&Settings { endpoint, ..settings(&server) });
    let text = uploader.exists("index.m3u8").unwrap_err().to_string();
    assert!(text.contains("cannot connect: received corrupt message"), "{text}");
}

#[test]
fn missing_credentials_are_named_when_no_service_hands_them_out() {
    let server = Server::start();
    let env: Environment =
        [("AWS_METADATA_ENDPOINT".to_owned(), server.endpoint().replace("127.0.0.1", "127.0.0.2"))]
            .into_iter()
            .collect();
    let none = Settings { endpoint: Some(server.endpoint()), ..Settings::default() };
    let location = Location::open(&format!("s3://{BUCKET}/run"), &none, &env).unwrap();
    let uploader = Uploader::new(location, quick(), Box::new(|_| {})).unwrap();
    let error = uploader.exists("index.m3u8").unwrap_err();
    assert_eq!(error.fault.kind, ErrorKind::NotAuthorized, "{error}");
    assert!(error.to_string().contains("set access-key and secret-access-key"), "{error}");
}

fn uploader_of(settings: &Settings) -> (Uploader, Events) {
    uploader(&format!("s3://{BUCKET}/run"), settings, quick())
}

#[test]
fn full_backlog_while_the_store_is_down_blocks_submit_until_unlock_or_stop() {
    let server = Server::start();
    server.close();
    let (uploader, _events) = at(&server, Options { max_backlog: 25_000, ..quick() });
    uploader.submit(segment(0, 10_000)).unwrap();
    uploader.submit(segment(1, 10_000)).unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| uploader.submit(segment(2, 10_000)));
        uploader.unlock();
        assert_eq!(blocked.join().unwrap(), Err(SubmitError::Flushing));
        uploader.unlock_stop();
        let blocked = scope.spawn(|| uploader.finish());
        let before = Instant::now();
        let report = uploader.stop();
        assert!(before.elapsed() < Duration::from_secs(3), "stop does not wait for the store");
        assert_eq!(blocked.join().unwrap(), Err(SubmitError::Stopped));
        assert_eq!((report.abandoned, report.backlog), (2, 0), "{report:?}");
    });
}

#[test]
fn usual_environment_variables_stand_in_for_settings() {
    let server = Server::start();
    let env: Environment = [
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_ENDPOINT_URL", &server.endpoint()),
        ("AWS_REGION", "eu-central-1"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let location =
        Location::open(&format!("s3://{BUCKET}/run"), &Settings::default(), &env).unwrap();
    let uploader = Uploader::new(location, quick(), Box::new(|_| {})).unwrap();
    record(&server, &uploader, 3);
}
