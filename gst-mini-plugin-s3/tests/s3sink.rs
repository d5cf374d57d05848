//! `s3sink` in pipelines: on threads against memory, files and a signing server with faults, and on
//! simulated time.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do, by panicking")]

mod server;

use gst_mini_core::element_prelude::*;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use gst_mini_plugin_s3::location::memory_store;
use gst_mini_plugin_s3::s3sink::S3Sink;
use server::{ACCESS_KEY, BUCKET, Mishap, SECRET_KEY, Server};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

gst_mini_core::register![Factory::sink::<S3Sink>(), Factory::source::<ObjectSrc>()];

const SIZE: usize = 10_000;

/// Makes `init.mp4`, then `count` times a segment in two buffers and a playlist of all segments.
struct ObjectSrc {
    count: u32,
    interval: ClockTime,
    is_live: bool,
    /// Ends within the last segment.
    is_cut: bool,
    at: u32,
    worst_lateness: u64,
}

impl Default for ObjectSrc {
    fn default() -> Self {
        let interval = ClockTime::from_nanos(200_000_000);
        ObjectSrc { count: 5, interval, is_live: false, is_cut: false, at: 0, worst_lateness: 0 }
    }
}

impl Element for ObjectSrc {
    const NAME: &str = "objectsrc";
    const SUMMARY: &str = "Makes named objects";
    const PADS: &[PadTemplate] = &[PadTemplate::src(OBJECT_CAPS)];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("count", "Segments", |e: &mut Self| &mut e.count),
        Prop::time("interval", "Length of a segment", |e: &mut Self| &mut e.interval),
        Prop::boolean("is-live", "One at a time", |e: &mut Self| &mut e.is_live),
        Prop::boolean("is-cut", "End within an object", |e: &mut Self| &mut e.is_cut),
        Prop::published("worst-lateness", types::UINT64, "Of a live segment", "0"),
    ];
}

fn object(name: &str, role: ObjectRole, last: bool, body: Vec<u8>, pts: ClockTime) -> Buffer {
    let mut buf = Buffer::from_vec(body);
    buf.set_pts(Some(pts));
    let meta = ObjectMeta {
        name: name.into(),
        content_type: "video/mp4".into(),
        cache_control: "max-age=1".into(),
        role,
        last,
        ends: false,
    };
    meta.attach(&mut buf);
    buf
}

impl Source for ObjectSrc {
    fn is_live(cx: &Cx) -> bool {
        cx.property_as("is-live").unwrap_or(false)
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.at, self.worst_lateness) = (0, 0);
        Ok(())
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let at = self.at;
        self.at += 1;
        if at == 0 {
            return Ok(object("init.mp4", ObjectRole::Init, true, vec![0; 700], ClockTime::ZERO));
        }
        let (number, part) = ((at - 1) / 3, (at - 1) % 3);
        if number == self.count || self.is_cut && number + 1 == self.count && part == 1 {
            return Err(FlowError::Eos);
        }
        let pts = ClockTime::from_nanos(self.interval.nanos() * u64::from(number));
        if self.is_live && part == 0 {
            let now = cx.running_time().map_or(0, |now| now.nanos());
            self.worst_lateness = self.worst_lateness.max(now.saturating_sub(pts.nanos()));
            cx.publish("worst-lateness", self.worst_lateness);
        }
        let name = format!("segment_{number:05}.cmfv");
        let half = vec![number as u8; SIZE / 2];
        Ok(match part {
            0 => object(&name, ObjectRole::Segment, false, half, pts),
            1 => object(&name, ObjectRole::Segment, true, half, pts),
            _ => object("index.m3u8", ObjectRole::Playlist, true, playlist(number).into(), pts),
        })
    }
}

fn playlist(up_to: u32) -> String {
    let segments = (0..=up_to).map(|n| format!("#EXTINF:2.0,\nsegment_{n:05}.cmfv\n"));
    std::iter::once("#EXTM3U\n".to_owned()).chain(segments).collect()
}

/// What the bus said up to the end of the stream or the first error.
struct Run {
    pipeline: Bin,
    messages: Vec<Message>,
}

impl Run {
    fn of(line: &str) -> Run {
        gst_mini_elements::register();
        let pipeline = parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        pipeline.set_state(State::Playing);
        let mut run = Run { pipeline, messages: Vec::new() };
        run.listen();
        run
    }

    fn listen(&mut self) {
        let bus = self.pipeline.bus();
        loop {
            let message = bus.timed_pop(Some(ClockTime::from_secs(60))).expect("an end in time");
            let is_end = matches!(message.kind, MessageKind::Eos | MessageKind::Error(_));
            self.messages.push(message);
            if is_end {
                break;
            }
        }
    }

    #[track_caller]
    fn to_end(line: &str) -> Run {
        let run = Run::of(line);
        let end = run.messages.last().unwrap();
        assert!(matches!(end.kind, MessageKind::Eos), "{line}: {end:?}");
        run
    }

    #[track_caller]
    fn to_error(line: &str) -> (Run, ElementError) {
        let run = Run::of(line);
        let end = run.messages.last().unwrap();
        let MessageKind::Error(error) = &end.kind else { panic!("{line}: {end:?}") };
        let error = error.clone();
        assert!(end.source == "s" || end.source.starts_with("s3sink"), "{end:?}");
        no_credentials_in(&format!("{:?}", run.messages));
        (run, error)
    }

    fn structures(&self, name: &str) -> Vec<&Structure> {
        let structures = self.messages.iter().filter_map(|message| match &message.kind {
            MessageKind::Element(structure) => Some(structure),
            _ => None,
        });
        structures.filter(|structure| structure.name() == name).collect()
    }

    fn stored(&self) -> Vec<String> {
        let stored = self.structures("object-stored");
        stored.iter().map(|stored| stored.str("name").unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn check_report(&self) -> Structure {
        let stored = self.structures("object-stored");
        let [report] = self.structures("sink-report")[..] else { panic!("{:?}", self.messages) };
        assert_eq!(report.uint64("objects"), Some(stored.len() as u64));
        let bytes = stored.iter().map(|stored| stored.uint64("bytes").unwrap()).sum::<u64>();
        assert_eq!(report.uint64("bytes"), Some(bytes));
        let worst = stored.iter().map(|stored| stored.uint64("delay").unwrap()).max();
        assert_eq!(report.uint64("worst-delay"), worst);
        assert_eq!(report.uint64("retries"), Some(self.structures("object-retry").len() as u64));
        report.clone()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.pipeline.set_state(State::Null);
    }
}

#[track_caller]
fn no_credentials_in(text: &str) {
    assert!(!text.contains(SECRET_KEY) && !text.contains(ACCESS_KEY), "{text}");
}

fn names(count: u32) -> BTreeSet<String> {
    let segments = (0..count).map(|number| format!("segment_{number:05}.cmfv"));
    segments.chain(["init.mp4".into(), "index.m3u8".into()]).collect()
}

fn content(store: &str, path: &str) -> Option<Vec<u8>> {
    use object_store::ObjectStoreExt;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let read = async { memory_store(store).get(&path.into()).await.ok()?.bytes().await.ok() };
    runtime.block_on(read).map(Vec::from)
}

fn at(server: &Server) -> String {
    format!(
        "s3sink name=s sync=false location=s3://{BUCKET}/run endpoint={} access-key={ACCESS_KEY} \
         secret-access-key={SECRET_KEY}",
        server.endpoint()
    )
}

#[track_caller]
fn check_server(server: &Server, count: u32) {
    let stored = server.stored("run");
    assert_eq!(stored.keys().cloned().collect::<BTreeSet<_>>(), names(count));
    assert!(
        stored.iter().filter(|(name, _)| name.ends_with("cmfv")).all(|(_, n)| *n == SIZE as u64)
    );
    assert_eq!(server.violations(), Vec::<String>::new());
    assert_eq!(server.playlists().last().unwrap(), &playlist(count - 1));
}

#[test]
fn objects_of_several_buffers_reach_memory_whole_and_are_reported() {
    let run = Run::to_end("objectsrc ! s3sink name=s sync=false location=memory://threads/a/b");
    assert_eq!(run.stored().into_iter().collect::<BTreeSet<_>>(), names(5));
    let segment = content("threads", "a/b/segment_00003.cmfv").unwrap();
    assert_eq!(segment, vec![3; SIZE]);
    assert_eq!(content("threads", "a/b/index.m3u8").unwrap(), playlist(4).into_bytes());
    for stored in run.structures("object-stored") {
        if stored.str("name") == Some("segment_00003.cmfv") {
            assert_eq!(stored.uint64("running-time"), Some(600_000_000));
            assert_eq!(stored.str("role"), Some("segment"));
        }
    }
    let report = run.check_report();
    let sink = run.pipeline.by_name("s").unwrap();
    for figure in ["objects", "bytes", "retries", "worst-delay"] {
        assert_eq!(Some(&sink.get(figure).unwrap()), report.get(figure), "{figure}");
    }
}

#[test]
fn objects_reach_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("new/place");
    for fsync in [false, true] {
        let line = format!(
            "objectsrc count=3 ! s3sink sync=false fsync={fsync} location=file://{}",
            place.display()
        );
        Run::to_end(&line).check_report();
        let files = std::fs::read_dir(&place).unwrap();
        let found: BTreeSet<_> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(found, names(3));
    }
}

#[test]
fn signed_recording_is_stored_when_the_end_of_stream_is_posted() {
    let server = Server::start();
    server.script([None, Some(Mishap::Slow(300)), None, Some(Mishap::Slow(200))]);
    let run = Run::to_end(&format!("objectsrc count=20 ! queue ! {}", at(&server)));
    check_server(&server, 20);
    run.check_report();
    no_credentials_in(&format!("{:?}", run.messages));
    let sink = run.pipeline.by_name("s").unwrap();
    for secret in ["access-key", "secret-access-key"] {
        assert_eq!(sink.get_shown(secret).unwrap(), "***");
    }
}

#[test]
fn faults_are_told_and_outlived() {
    let server = Server::start();
    let faults = [Mishap::Status(503), Mishap::Reset, Mishap::LostReply];
    server.script(faults.into_iter().flat_map(|fault| [Some(fault), None]));
    let run = Run::to_end(&format!("objectsrc ! {}", at(&server)));
    check_server(&server, 5);
    let report = run.check_report();
    assert!(report.uint64("retries").unwrap() >= 3, "{report}");
    let retries = run.structures("object-retry");
    let is_overload = |retry: &&&Structure| retry.str("reason").unwrap().contains("503");
    let retry = retries.iter().find(is_overload).expect("the 503 is told");
    assert_eq!(retry.get("attempt"), Some(&Value::from(1u32)));
    assert!(retry.uint64("next-delay").unwrap() > 0);
    let once = Value::from(1u32);
    assert!(run.structures("object-stored").iter().any(|s| s.get("attempts") != Some(&once)));
}

#[test]
fn live_recording_outlives_a_store_that_refuses_connections_for_5_seconds() {
    let server = Server::start();
    let run = std::thread::scope(|scope| {
        let line = format!("objectsrc is-live=true count=35 name=o ! {}", at(&server));
        let line = line.replace("sync=false", "sync=true");
        let running = scope.spawn(move || Run::to_end(&line));
        server.wait_for_puts("segment_00002.cmfv");
        server.close();
        server.reopen_after(Duration::from_secs(5));
        running.join().unwrap()
    });
    check_server(&server, 35);
    let report = run.check_report();
    assert!(
        report.uint64("retries").unwrap() > 0
            && report.uint64("worst-delay").unwrap() > 4_000_000_000
    );
    let source = run.pipeline.by_name("o").unwrap();
    let lateness: u64 = source.get_as("worst-lateness").unwrap();
    assert!(lateness < 1_000_000_000, "the source was held up for {lateness} ns");
}

#[test]
fn refused_object_stops_the_pipeline_and_nothing_lists_it() {
    let server = Server::start();
    server.script([None, None, None, None, Some(Mishap::Status(403))]);
    let line = format!("objectsrc is-live=true count=1000 interval=50000000 ! {}", at(&server));
    let (run, error) = Run::to_error(&line);
    assert_eq!(error.kind, ErrorKind::NotAuthorized);
    assert!(
        error.text.contains("s3://bucket/run/") && error.text.contains("403"),
        "{}",
        error.text
    );
    assert_eq!(server.violations(), Vec::<String>::new());
    drop(run);
}

#[test]
fn failure_of_the_last_object_is_an_error_and_not_an_end() {
    let server = Server::start();
    server.script([None, None, Some(Mishap::Status(501))]);
    let (_, error) = Run::to_error(&format!("objectsrc count=1 ! {}", at(&server)));
    assert!(error.text.contains("index.m3u8") && error.text.contains("501"), "{}", error.text);
}

#[test]
fn wrong_secret_fails_at_start_and_is_not_shown() {
    let server = Server::start();
    let line = format!("objectsrc ! {}", at(&server)).replace(SECRET_KEY, "wrong-wrong-wrong");
    let (run, error) = Run::to_error(&line);
    assert_eq!(error.kind, ErrorKind::NotAuthorized, "{}", error.text);
    assert!(
        error.text.contains("403") && error.text.contains("secret-access-key"),
        "{}",
        error.text
    );
    assert!(!format!("{:?}", run.messages).contains("wrong-wrong"));
    assert_eq!(server.puts(""), 0, "refused before anything is sent");
}

#[test]
fn missing_bucket_fails_at_start() {
    let server = Server::start();
    let line = format!("objectsrc ! {}", at(&server)).replace("//bucket/", "//nowhere/");
    let (_, error) = Run::to_error(&line);
    assert_eq!(error.kind, ErrorKind::NotFound, "{}", error.text);
    assert!(error.text.contains("create the bucket"), "{}", error.text);
}

#[test]
fn unreachable_store_is_a_warning_at_start_and_an_error_after_retry_timeout() {
    let server = Server::start();
    server.close();
    let line = format!("objectsrc ! {} retry-timeout=300000000", at(&server));
    let (run, error) = Run::to_error(&line);
    let is_warned = run.messages.iter().any(|message| {
        matches!(&message.kind, MessageKind::Warning(w) if w.text.contains("cannot connect"))
    });
    assert!(is_warned, "{:?}", run.messages);
    assert!(
        error.text.contains("cannot connect") && error.text.contains("retry-timeout"),
        "{}",
        error.text
    );
}

#[test]
fn malformed_locations_are_refused_with_a_sentence() {
    for (location, part) in [
        ("", "no location is set"),
        ("recordings", "not a URL"),
        ("ftp://host/dir", "not a kind of store"),
        ("s3://key:pass-pass@bucket/x", "credentials do not belong in the URL"),
        ("file:///proc/none", "choose a directory"),
    ] {
        let (run, error) = Run::to_error(&format!("objectsrc ! s3sink location=\"{location}\""));
        assert_eq!(error.kind, ErrorKind::Settings, "{location}");
        assert!(error.text.contains(part), "{location}: {}", error.text);
        assert!(!format!("{:?}", run.messages).contains("pass-pass"));
    }
}

#[test]
fn buffers_that_are_no_objects_and_cut_objects_are_refused() {
    let (_, error) = Run::to_error("fakesrc num-buffers=1 ! s3sink location=memory://unnamed");
    assert!(error.text.contains("hlssegmenter"), "{}", error.text);
    let (_, error) =
        Run::to_error("objectsrc is-cut=true ! s3sink sync=false location=memory://cut");
    assert!(error.text.contains("segment_00004.cmfv"), "{}", error.text);
    assert_eq!(content("cut", "segment_00004.cmfv"), None);
}

#[test]
fn null_returns_at_once_while_the_store_hangs() {
    for max_backlog in [0, 15_000, 64 << 20] {
        let server = Server::start();
        server.script(std::iter::repeat_n(Some(Mishap::Hang), 100));
        let line = format!("objectsrc count=100 ! {} max-backlog={max_backlog}", at(&server));
        let pipeline = parse_launch(&line).unwrap();
        pipeline.set_state(State::Playing);
        server.wait_for_puts("init.mp4");
        let begin = Instant::now();
        pipeline.set_state(State::Null);
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    }
}

#[test]
fn question_whether_an_object_exists_is_answered_while_recording_goes_on() {
    let ask = |run: &Run, name: &str| {
        let mut query = Query::Custom(Structure::new("object-exists").with("name", name));
        assert!(run.pipeline.by_name("s").unwrap().query(&mut query));
        let Query::Custom(answer) = query else { unreachable!() };
        answer
    };
    let server = Server::start();
    for line in [
        "objectsrc ! s3sink name=s sync=false location=memory://exists",
        &format!("objectsrc ! {}", at(&server)),
    ] {
        let run = Run::to_end(line);
        assert_eq!(ask(&run, "index.m3u8").bool("exists"), Some(true));
        assert_eq!(ask(&run, "other.m3u8").bool("exists"), Some(false));
    }
}

#[test]
fn simulated_store_delay_passes_exactly_and_messages_repeat() {
    let record = |name: &str| {
        Sim::new(7)
            .run(|| {
                let run = Run::to_end(&format!(
                    "objectsrc count=3 ! s3sink sync=false max-backlog=0 store-delay=500000000 \
                     location=memory://{name}"
                ));
                let took = runtime::now();
                run.check_report();
                let told: Vec<_> =
                    run.structures("object-stored").into_iter().map(Structure::to_string).collect();
                (took, told, run.structures("sink-report")[0].to_string())
            })
            .unwrap_or_else(|dead| panic!("{dead}"))
    };
    let real = Instant::now();
    let first = record("sim-1");
    assert_eq!(first.0, AbsoluteTime::from_nanos(7 * 500_000_000));
    assert!(
        first.1.iter().all(|told| told.contains("delay=(guint64)500000000")
            || told.contains("delay=(uint64)500000000")),
        "{:?}",
        first.1
    );
    assert_eq!(first.1.len(), 7);
    assert_eq!(content("sim-1", "index.m3u8").unwrap(), playlist(2).into_bytes());
    assert_eq!(first, record("sim-2"));
    assert!(real.elapsed() < Duration::from_secs(2), "no real delay");
}

#[test]
fn simulated_live_recording_waits_for_each_objects_time() {
    for seed in 0..20 {
        let (took, stored) = Sim::new(seed)
            .run(|| {
                let run = Run::to_end(&format!(
                    "objectsrc is-live=true count=10 ! queue ! s3sink location=memory://live-{seed}"
                ));
                (runtime::now(), run.stored().len())
            })
            .unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
        assert_eq!(stored, 21);
        // The last segment's time, and the latency of the sink.
        assert_eq!(took, AbsoluteTime::from_nanos(9 * 200_000_000 + 20_000_000), "seed {seed}");
    }
}

#[test]
fn simulated_stop_in_mid_recording_leaves_nothing_at_work() {
    for seed in 0..20 {
        Sim::new(seed)
            .run(|| {
                let pipeline = parse_launch(&format!(
                    "objectsrc is-live=true count=100 ! queue ! s3sink store-delay=300000000 \
                     location=memory://stop-{seed}"
                ))
                .unwrap();
                pipeline.set_state(State::Playing);
                runtime::run_until(AbsoluteTime::from_nanos(1_500_000_000));
                pipeline.set_state(State::Null);
            })
            .unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
        assert!(content(&format!("stop-{seed}"), "segment_00000.cmfv").is_some());
    }
}
