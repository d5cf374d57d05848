//! Another sink while the camera runs: directory, object store, and back.
//!
//! Watch for: each recording ends with a whole segment and ENDLIST, and the next begins with init.mp4 and its first
//! frame is the one after the last; the camera never waits; the table, where the frames of the three recordings
//! are the frames the camera made. Back in the first directory the names get a run id: nothing is overwritten.
//!
//! Try: `--target-duration 1`, `--duration 30`, `--sim`.

use clap::Parser;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use gst_mini_examples::{flags::Flags, job::Demo, show};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Parser)]
#[command(about = "Puts one sink in the place of another while the camera runs")]
struct Options {
    /// How long to record, in seconds; the sinks change at one third and at two thirds
    #[arg(long, default_value_t = 12.0, value_name = "SECONDS")]
    duration: f64,
    /// Length of a segment, in seconds
    #[arg(long, default_value_t = 2.0, value_name = "SECONDS")]
    target_duration: f64,
    /// Run on simulated time: the same numbers at once, and the same every time for one seed
    #[arg(long, value_name = "SEED", num_args = 0..=1, default_missing_value = "1")]
    sim: Option<u64>,
}

/// What one sink got.
#[derive(Default)]
struct Recorded {
    frames: u64,
    segments: u64,
    playlist: String,
}

#[derive(Default)]
struct Numbers {
    made: u64,
    missed: u64,
    dropped: u64,
    recorded: [Recorded; 3],
    /// How long each exchange took, ns; the camera went on meanwhile.
    exchanges: Vec<u64>,
    error: Option<String>,
}

const DEMO: Demo = Demo {
    name: "swap-sink",
    duration: ClockTime::from_secs(12),
    target_duration: ClockTime::from_secs(2),
    queue: true,
};
/// The sinks one after the other, as they are called and as they are described.
const SINKS: [(&str, &str); 3] =
    [("sink", "dirsink"), ("second", "s3sink"), ("third", "dirsink again")];

fn main() {
    let options = Options::parse();
    show::opening(include_str!("05_swap_sink.rs"));
    std::process::exit(run(&options));
}

fn run(options: &Options) -> i32 {
    gst_mini_elements::register();
    let (directory, store) = match folders() {
        Ok(folders) => folders,
        Err(error) => {
            eprintln!("the folders for the recordings cannot be made: {error}");
            return 1;
        }
    };
    let mut flags = Flags { sink: "dirsink".to_owned(), ..Flags::none() };
    flags.target_duration = Some(ClockTime::from_nanos((options.target_duration * 1e9) as u64));
    let line = DEMO.launch_line(&flags, &directory.display().to_string());
    println!("gst-mini launch {line}");
    let third = ClockTime::from_nanos((options.duration * 1e9 / 3.0) as u64);
    let job = || record(&line, third, &directory, &store);
    let numbers = match options.sim {
        Some(seed) => Sim::new(seed).run(job).unwrap_or_else(|deadlock| Numbers {
            error: Some(deadlock.to_string()),
            ..Numbers::default()
        }),
        None => job(),
    };
    tables(&numbers, &directory, &store);
    if let Some(error) = &numbers.error {
        eprintln!("error: {error}");
        return 1;
    }
    let stored: u64 = numbers.recorded.iter().map(|recorded| recorded.frames).sum();
    if stored + numbers.dropped != numbers.made {
        eprintln!("error: {} frames were lost at a seam", numbers.made - numbers.dropped - stored);
        return 1;
    }
    0
}

/// Two empty folders, this demo's own, under `target`.
fn folders() -> std::io::Result<(PathBuf, PathBuf)> {
    let root = DEMO.default_folder();
    if root.exists() {
        std::fs::remove_dir_all(&root)?;
    }
    let make = |name: &str| {
        std::fs::create_dir_all(root.join(name))?;
        root.join(name).canonicalize()
    };
    Ok((make("directory")?, make("store")?))
}

fn record(line: &str, third: ClockTime, directory: &Path, store: &Path) -> Numbers {
    let mut numbers = Numbers::default();
    if let Err(error) = try_record(line, third, directory, store, &mut numbers) {
        numbers.error = Some(error);
    }
    numbers
}

fn try_record(
    line: &str,
    third: ClockTime,
    directory: &Path,
    store: &Path,
    numbers: &mut Numbers,
) -> Result<(), String> {
    let pipeline = parse_launch(line).map_err(|error| error.to_string())?;
    let mut next = Vec::new();
    for (name, factory, location) in [
        (SINKS[1].0, "s3sink", format!("file://{}", store.display())),
        (SINKS[2].0, "dirsink", directory.display().to_string()),
    ] {
        let sink = make(factory, Some(name)).map_err(|error| error.to_string())?;
        sink.set("location", location).map_err(|error| error.to_string())?;
        next.push(sink);
    }
    let started = runtime::now();
    pipeline.set_state(State::Playing);
    let exchanger = {
        let pipeline = pipeline.clone();
        runtime::spawn("exchanger", move || exchange(&pipeline, next, started, third))
            .map_err(|error| error.to_string())?
    };
    follow(&pipeline, started + times(third, 3), numbers);
    exchanger.join();
    let count = |name: &str, property: &str| {
        pipeline.by_name(name).and_then(|element| element.get_as(property)).unwrap_or(0)
    };
    (numbers.made, numbers.missed) = (count("camera", "generated"), count("camera", "missed"));
    numbers.dropped = count("queue", "dropped");
    pipeline.set_state(State::Null);
    numbers.error.take().map_or(Ok(()), Err)
}

fn times(length: ClockTime, count: u64) -> ClockTime {
    ClockTime::from_nanos(length.nanos() * count)
}

/// Puts each sink in the place of the one before it, at its time.
fn exchange(pipeline: &Bin, next: Vec<ElementRef>, started: AbsoluteTime, third: ClockTime) {
    let mut old = pipeline.by_name(SINKS[0].0);
    for (number, new) in next.into_iter().enumerate() {
        runtime::sleep_until(started + times(third, number as u64 + 1));
        let Some(leaving) = old.take() else { return };
        let began = runtime::now();
        let done = pipeline.replace(&leaving, &new);
        let mut told = Structure::new("exchanged")
            .with("took", runtime::now().since(began))
            .with("to", new.name());
        if let Err(error) = &done {
            told.set("error", error.to_string());
        }
        pipeline.bus().post(Message::new("demo", MessageKind::Application(told)));
        old = Some(if done.is_ok() { new } else { leaving });
    }
}

/// Prints and counts what the elements tell, until the end.
fn follow(pipeline: &Bin, end: AbsoluteTime, numbers: &mut Numbers) {
    let bus = pipeline.bus();
    let mut frames: HashMap<(usize, String), u64> = HashMap::new();
    let (mut ending, mut recordings) = (false, 0);
    loop {
        let left = if ending { None } else { Some(end.since(runtime::now())) };
        let Some(message) = bus.timed_pop(left) else {
            show::line(pipeline.running_time(), "demo", "the time is up; draining");
            pipeline.send_event(Event::eos());
            ending = true;
            continue;
        };
        let say = |who: &str, what: &str| show::line(pipeline.running_time(), who, what);
        match &message.kind {
            MessageKind::Eos => return,
            MessageKind::Error(error) => {
                numbers.error = Some(format!("from element {}: {error}", message.source));
                return;
            }
            MessageKind::Application(told) if told.name() == "exchanged" => {
                let took = told.get("took").and_then(|value| value.as_u64()).unwrap_or(0);
                match told.str("error") {
                    Some(error) => numbers.error = Some(error.to_owned()),
                    None => numbers.exchanges.push(took),
                }
                let to = told.str("to").unwrap_or("");
                say("demo", &format!("replaced by \"{to}\" in {}", show::time(took)));
            }
            MessageKind::Element(told) => {
                let number = |field| told.get(field).and_then(|value| value.as_u64()).unwrap_or(0);
                let name = told.str("name").unwrap_or("").to_owned();
                let sink = SINKS.iter().position(|(name, _)| *name == message.source);
                match (told.name(), sink) {
                    ("hls-recording", _) => {
                        let playlist = told.str("playlist").unwrap_or("").to_owned();
                        say("segmenter", &format!("a recording begins: {playlist}"));
                        if let Some(recorded) = numbers.recorded.get_mut(recordings) {
                            recorded.playlist = playlist;
                        }
                        recordings += 1;
                    }
                    ("hls-segment", _) => {
                        frames.insert((recordings.saturating_sub(1), name), number("frames"));
                    }
                    ("object-stored", Some(sink)) => {
                        let held = frames.remove(&(sink, name.clone()));
                        say(
                            &message.source,
                            &match held {
                                Some(frames) => format!("{name} stored ({frames} frames)"),
                                None => format!("{name} stored"),
                            },
                        );
                        numbers.recorded[sink].frames += held.unwrap_or(0);
                        numbers.recorded[sink].segments += u64::from(held.is_some());
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn tables(numbers: &Numbers, directory: &Path, store: &Path) {
    let stored: u64 = numbers.recorded.iter().map(|recorded| recorded.frames).sum();
    let mut rows = vec![
        ("frames the camera made", numbers.made.to_string()),
        ("frames the camera missed", numbers.missed.to_string()),
        ("frames the queue dropped", numbers.dropped.to_string()),
    ];
    for ((_, sink), recorded) in SINKS.iter().zip(&numbers.recorded) {
        rows.push((sink, format!("{} frames in {} segments", recorded.frames, recorded.segments)));
    }
    rows.push(("frames stored in all", stored.to_string()));
    rows.push(("lost or doubled at the seams", {
        (numbers.made as i64 - numbers.dropped as i64 - stored as i64).to_string()
    }));
    for (took, what) in numbers.exchanges.iter().zip(["dirsink → s3sink", "s3sink → dirsink"]) {
        rows.push((what, format!("{}, the wait for a key frame included", show::time(*took))));
    }
    show::table("swap-sink: one stream, three recordings", &rows);
    println!("\nThe recordings:");
    for (folder, recorded) in [directory, store, directory].iter().zip(&numbers.recorded) {
        println!("{}", folder.join(&recorded.playlist).display());
    }
}
