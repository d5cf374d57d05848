//! The main job: camera → queue → H.264 → HLS → store, with the flags of the experiments.

use crate::flags::Flags;
use crate::show;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// Frames the camera made.
    pub generated: u64,
    /// Frames the camera could not deliver in time: holes in its grid.
    pub missed: u64,
    /// Frames the queue threw away.
    pub dropped: u64,
    /// Frames in segments that the segmenter completed.
    pub segmented: u64,
    /// Frames in segments that the store has acknowledged.
    pub stored: u64,
    /// Segments stored, with their lengths.
    pub segments: Vec<ClockTime>,
    /// Objects and bytes stored.
    pub objects: u64,
    /// Bytes stored.
    pub bytes: u64,
    /// Store requests made again.
    pub retries: u64,
    /// Longest time from an object's arrival at the sink to the store's answer.
    pub worst_delay: ClockTime,
    /// For each object the sink waited for: its running time, and how late it came (ns, negative: the
    /// sink had time to wait).
    pub waits: Vec<(RunningTime, i64)>,
    /// Frames of each segment by its name, until it is stored.
    frames: HashMap<String, u64>,
    /// The playlist, once stored.
    pub playlist: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// A demo's own defaults.
pub struct Demo {
    /// Its name, also of its folder.
    pub name: &'static str,
    /// How long it records.
    pub duration: ClockTime,
    /// Length of its segments.
    pub target_duration: ClockTime,
    /// Whether there is a queue.
    pub queue: bool,
}

impl Demo {
    /// The folder the recording goes to unless a location is given. Emptied first: it is this demo's
    /// own, under `target`.
    pub fn default_folder(&self) -> PathBuf {
        let root = std::env::var_os("GST_MINI_DEMO_DIR").map_or_else(
            || {
                let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
                target.unwrap_or_else(|| PathBuf::from("target")).join("demo")
            },
            PathBuf::from,
        );
        root.join(self.name)
    }

    /// The place objects go to, as the sink wants it and as a person looks for it.
    fn location(&self, flags: &Flags) -> std::io::Result<(String, String)> {
        if let Some(given) = &flags.location {
            let shown = given.strip_prefix("file://").unwrap_or(given).to_owned();
            return Ok((given.clone(), shown));
        }
        let folder = self.default_folder();
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let shown = folder.display().to_string();
        let location =
            if flags.sink == "s3sink" { format!("file://{shown}") } else { shown.clone() };
        Ok((location, shown))
    }

    /// The launch line of the job.
    pub fn launch_line(&self, flags: &Flags, location: &str) -> String {
        let (width, height) = flags.size;
        let target = flags.target_duration.unwrap_or(self.target_duration);
        let (fps_n, fps_d) = flags.fraction();
        // A key frame where each segment begins; the segmenter asks for it, and this agrees.
        let gop =
            target.mul_div(fps_n, fps_d * 1_000_000_000).map_or(30, |frames| frames.nanos().max(1));
        let mut line =
            format!("livesource name=camera width={width} height={height} fps={}", flags.fps);
        if self.queue && !flags.no_queue {
            line += &format!(
                " ! queue name=queue max-size-buffers={} max-size-bytes=0 max-size-time=0 leaky={}",
                flags.queue_size, flags.leaky
            );
        }
        line += &format!(" ! openh264enc name=encoder bitrate={} gop-size={gop}", flags.bitrate);
        line += &format!(" ! hlssegmenter name=segmenter target-duration={}", target.seconds_f64());
        line += &format!(" ! {} name=sink sync={}", flags.sink, flags.sink_sync);
        if flags.sink != "fakesink" {
            line += &format!(" location=\"{location}\"");
        }
        if let Some(delay) = flags.store_delay.filter(|_| flags.sink == "s3sink") {
            line += &format!(" store-delay={} max-backlog=0", delay.nanos());
        }
        line
    }

    /// Runs the job with its log and tables. The process's exit code.
    pub fn main(&self, flags: &Flags) -> i32 {
        gst_mini_elements::register();
        let flags = &match flags.with_sink() {
            Ok(flags) => flags,
            Err(why) => {
                eprintln!("{why}");
                return 1;
            }
        };
        let (location, shown) = match self.location(flags) {
            Ok(place) => place,
            Err(error) => {
                eprintln!("the folder for the recording cannot be made: {error}");
                return 1;
            }
        };
        let line = self.launch_line(flags, &location);
        println!("gst-mini launch {line}");
        if let Some(delay) = flags.store_delay {
            if flags.sink == "s3sink" {
                println!(
                    "every store request is made {} slower by object_store's throttling wrapper, and max-backlog=0: \
                     a render returns when the store has acknowledged",
                    show::time(delay.nanos())
                );
            } else {
                println!("--store-delay is for s3sink; {} has no store to slow down", flags.sink);
            }
        }
        let numbers = match flags.sim {
            Some(seed) => match Sim::new(seed).run(|| self.run(flags, &line, false)) {
                Ok(numbers) => numbers,
                Err(deadlock) => {
                    eprintln!("{deadlock}");
                    return 1;
                }
            },
            None => self.run(flags, &line, true),
        };
        if numbers.error.is_none() || numbers.generated > 0 {
            self.tables(flags, &numbers);
        }
        if let Some(error) = &numbers.error {
            eprintln!("error: {error}");
            return 1;
        }
        if flags.sink != "fakesink" {
            println!("\nThe recording:");
            println!(
                "{}/{}",
                shown.trim_end_matches('/'),
                numbers.playlist.as_deref().unwrap_or("index.m3u8")
            );
        }
        0
    }

    /// Runs the job to its end and counts.
    pub fn run(&self, flags: &Flags, line: &str, interruptible: bool) -> Numbers {
        let waits = watch_waits(flags.trace.as_deref());
        let mut numbers = self.record(flags, line, interruptible);
        gst_mini_core::tracer::trace_to(None);
        numbers.waits = waits.lock().map(|waits| waits.clone()).unwrap_or_default();
        numbers
    }

    fn record(&self, flags: &Flags, line: &str, interruptible: bool) -> Numbers {
        let mut numbers = Numbers::default();
        let pipeline = match parse_launch(line) {
            Ok(pipeline) => pipeline,
            Err(error) => {
                numbers.error = Some(error.to_string());
                return numbers;
            }
        };
        if flags.no_latency {
            pipeline.set_latency(Some(ClockTime::ZERO));
        }
        if interruptible {
            drain_on_ctrl_c(&pipeline);
        }
        if let Some(queue) = pipeline.by_name("queue") {
            tell_when_full(&pipeline, &queue);
        }
        if pipeline.set_state(State::Playing) == StateReturn::Failure {
            numbers.error = pipeline.wait_for_end(Some(ClockTime::ZERO)).map_or_else(
                || Some("the pipeline did not start, and nobody said why".to_owned()),
                |message| Some(describe(&message)),
            );
            pipeline.set_state(State::Null);
            return numbers;
        }
        // The end is asked for in the middle of the last frame's slot, so that exactly the frames
        // that are due before it are recorded.
        let (fps_n, fps_d) = flags.fraction();
        let half = ClockTime::of_frame(1, fps_n * 2, fps_d);
        let duration = flags.duration.unwrap_or(self.duration);
        // Counted from the first frame's time: a store far away is asked before that, and takes its time.
        let now = runtime::now();
        let began = pipeline.running_time().map_or(now, |so_far| {
            AbsoluteTime::from_nanos(now.nanos().saturating_sub(so_far.nanos()))
        });
        self.follow(&pipeline, began + duration.saturating_sub(half), &mut numbers);
        numbers.generated = count(&pipeline, "camera", "generated");
        numbers.missed = count(&pipeline, "camera", "missed");
        numbers.dropped = count(&pipeline, "queue", "dropped");
        pipeline.set_state(State::Null);
        numbers
    }

    /// Prints and counts what the elements tell, until the end.
    fn follow(&self, pipeline: &Bin, end: AbsoluteTime, numbers: &mut Numbers) {
        let bus = pipeline.bus();
        let mut ending = false;
        loop {
            let left = if ending { None } else { Some(end.since(runtime::now())) };
            let Some(message) = bus.timed_pop(left) else {
                show::line(pipeline.running_time(), "demo", "the time is up; draining");
                pipeline.send_event(Event::eos());
                ending = true;
                continue;
            };
            match &message.kind {
                MessageKind::Eos => return,
                MessageKind::Error(_) => {
                    numbers.error = Some(describe(&message));
                    return;
                }
                MessageKind::Latency => {
                    pipeline.recalculate_latency();
                }
                MessageKind::Warning(warning) => {
                    show::line(
                        pipeline.running_time(),
                        &message.source,
                        &format!("warning: {warning}"),
                    );
                }
                MessageKind::Application(structure)
                    if structure.name() == "interrupt" && !ending =>
                {
                    show::line(
                        pipeline.running_time(),
                        "demo",
                        "interrupted; draining (once more stops at once)",
                    );
                    pipeline.send_event(Event::eos());
                    ending = true;
                }
                MessageKind::Application(structure) if structure.name() == "queue-full" => {
                    show::line(pipeline.running_time(), "queue", "FULL");
                }
                MessageKind::Element(structure) => {
                    note(pipeline.running_time(), &message.source, structure, numbers);
                }
                _ => {}
            }
        }
    }

    fn tables(&self, flags: &Flags, numbers: &Numbers) {
        let lengths: Vec<_> =
            numbers.segments.iter().map(|length| format!("{:.3}", length.seconds_f64())).collect();
        show::table(
            &format!("{}: what was recorded", self.name),
            &[
                ("frames the camera made", numbers.generated.to_string()),
                ("frames the camera missed", numbers.missed.to_string()),
                ("frames the queue dropped", numbers.dropped.to_string()),
                ("frames in segments", numbers.segmented.to_string()),
                ("frames stored", numbers.stored.to_string()),
                ("segments", format!("{} ({} s)", numbers.segments.len(), lengths.join(", "))),
                ("objects stored", numbers.objects.to_string()),
                ("bytes stored", show::bytes(numbers.bytes)),
                ("store requests repeated", numbers.retries.to_string()),
                ("longest store of an object", show::time(numbers.worst_delay.nanos())),
            ],
        );
        if numbers.waits.is_empty() || !flags.sink_sync {
            return;
        }
        let rows: Vec<(String, String)> = numbers
            .waits
            .iter()
            .map(|(running_time, jitter)| {
                let story = if *jitter < 0 {
                    format!("waited {}", show::time(jitter.unsigned_abs()))
                } else {
                    format!("late by {}", show::time(jitter.unsigned_abs()))
                };
                (format!("object of running time {:.3} s", running_time.seconds_f64()), story)
            })
            .collect();
        let rows: Vec<(&str, String)> =
            rows.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let title = if flags.no_latency {
            "the sink's clock waits, without the segmenter's latency"
        } else {
            "the sink's clock waits, with the segmenter's latency"
        };
        show::table(title, &rows);
    }
}

fn count(pipeline: &Bin, element: &str, property: &str) -> u64 {
    pipeline.by_name(element).and_then(|element| element.get_as(property)).unwrap_or(0)
}

/// An error with the element that refused first.
fn describe(message: &Message) -> String {
    match &message.kind {
        MessageKind::Error(error) if error.debug.is_empty() => {
            format!("from element {}: {error}", message.source)
        }
        MessageKind::Error(error) => {
            format!("from element {}: {error}\n{}", message.source, error.debug)
        }
        other => format!("{other:?}"),
    }
}

/// One log line per event that matters, and its number.
fn note(at: Option<RunningTime>, source: &str, structure: &Structure, numbers: &mut Numbers) {
    let number = |field: &str| structure.get(field).and_then(|value| value.as_u64()).unwrap_or(0);
    let text = |field: &str| structure.str(field).unwrap_or("").to_owned();
    match structure.name() {
        "livesource-stats" => show::line(
            at,
            "camera",
            &format!("{} frames made, {} missed", number("generated"), number("missed")),
        ),
        "hls-segment" => {
            let duration = ClockTime::from_nanos(number("duration"));
            numbers.segmented += number("frames");
            numbers.frames.insert(text("name"), number("frames"));
            numbers.segments.push(duration);
            show::line(
                at,
                "segmenter",
                &format!(
                    "segment {} complete ({} frames, {:.3} s)",
                    number("index"),
                    number("frames"),
                    duration.seconds_f64()
                ),
            );
        }
        "object-stored" => {
            if text("role") == "playlist" {
                numbers.playlist = Some(text("name"));
            }
            numbers.stored += numbers.frames.remove(&text("name")).unwrap_or(0);
            show::line(
                at,
                "sink",
                &format!(
                    "{} stored ({}, {})",
                    text("name"),
                    show::bytes(number("bytes")),
                    show::time(number("delay"))
                ),
            );
        }
        "object-retry" => show::line(
            at,
            "sink",
            &format!(
                "{}: attempt {} failed: {}; again in {}",
                text("name"),
                number("attempt"),
                text("reason"),
                show::time(number("next-delay"))
            ),
        ),
        "hls-recording" => show::line(
            at,
            "segmenter",
            &format!(
                "the recording is {}{}",
                text("playlist"),
                match text("run-id").as_str() {
                    "" => String::new(),
                    run => format!(", run {run}: there is one here already"),
                }
            ),
        ),
        "sink-report" => {
            numbers.objects = number("objects");
            numbers.bytes = number("bytes");
            numbers.retries = number("retries");
            numbers.worst_delay = ClockTime::from_nanos(number("worst-delay"));
        }
        _ => show::line(at, source, &structure.to_string()),
    }
}

/// Collects the clock waits of the element called `sink`, and writes the trace if one is wanted.
fn watch_waits(file: Option<&std::path::Path>) -> Arc<Mutex<Vec<(RunningTime, i64)>>> {
    use std::io::Write;
    let waits = Arc::new(Mutex::new(Vec::new()));
    let found = waits.clone();
    let mut out = file.and_then(|path| match std::fs::File::create(path) {
        Ok(file) => Some(std::io::BufWriter::new(file)),
        Err(error) => {
            eprintln!("the trace cannot be written to {}: {error}", path.display());
            None
        }
    });
    gst_mini_core::tracer::trace_to(Some(Box::new(move |line| {
        if let Some(out) = &mut out {
            // A full disk ends the trace, not the recording.
            let _ = writeln!(out, "{line}");
        }
        if line.contains("\"element\":\"sink\"") && line.contains("\"what\":\"wake\"") {
            let number = |key: &str| {
                let at = line.find(key)? + key.len();
                let digits = line[at..].split([',', '}']).next()?;
                digits.parse::<i64>().ok()
            };
            if let (Some(running_time), Some(jitter)) =
                (number("\"running_time\":"), number("\"jitter\":"))
                && let Ok(mut found) = found.lock()
            {
                found.push((RunningTime::from_nanos(running_time.unsigned_abs()), jitter));
            }
        }
    })));
    waits
}

/// The first Ctrl-C asks for the end of the stream; a second one stops at once.
fn drain_on_ctrl_c(pipeline: &Bin) {
    let bus = pipeline.bus();
    let signals = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
    ]);
    let Ok(mut signals) = signals else { return };
    std::thread::spawn(move || {
        let mut first: Option<AbsoluteTime> = None;
        for _ in signals.forever() {
            let now = runtime::now();
            match first {
                // A process group may get one Ctrl-C twice.
                Some(first) if now.since(first) < ClockTime::from_millis(300) => continue,
                Some(_) => std::process::exit(130),
                None => first = Some(now),
            }
            let interrupt = Structure::new("interrupt");
            bus.post(Message::new("demo", MessageKind::Application(interrupt)));
        }
    });
}

fn tell_when_full(pipeline: &Bin, queue: &ElementRef) {
    let bus = pipeline.bus();
    let last = Mutex::new(None::<AbsoluteTime>);
    queue.connect("overrun", move |_| {
        // A full queue says so for every frame; once a second is enough to read.
        let now = runtime::now();
        let Ok(mut last) = last.lock() else { return };
        if last.is_none_or(|last| now.since(last) >= ClockTime::SECOND) {
            *last = Some(now);
            let full = Structure::new("queue-full");
            bus.post(Message::new("queue", MessageKind::Application(full)));
        }
    });
}
