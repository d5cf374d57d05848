//! `--sim --seeds FIRST..LAST`: the same line under many schedules, until one of them goes wrong.
//!
//! Invariant: what is found with a seed is found again with that seed, on any machine.
//! In GStreamer: none; `stress` tests and `GST_GL`-style sleeps are tried until something breaks.
//! Left out: making a schedule that fails shorter.

use super::player::{End, Player};
use super::{Options, explain, text, trace};
use crate::output::line;
use gst_mini_core::diagnosis;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime::{self, Deadlock};
use gst_mini_core::tracer::{self, audit::Audit};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long one run may take of real time. A line of a hunt should be short.
const PATIENCE: Duration = Duration::from_secs(60);

/// Seeds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    last: u64,
}

impl std::str::FromStr for Seeds {
    type Err = String;
    fn from_str(text: &str) -> Result<Seeds, String> {
        let number =
            |text: &str| text.parse().map_err(|_| format!("\"{text}\" is no number of a seed"));
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(text)?, number(text)?),
        };
        if first > last {
            return Err(format!("{first}..{last} is empty; write the smaller seed first"));
        }
        Ok(Seeds { first, last })
    }
}

/// What one run shows while it goes on.
#[derive(Default)]
struct Shown {
    pipeline: Option<Bin>,
    audit: Audit,
}

pub fn run(options: &Arc<Options>, seeds: Seeds) -> ExitCode {
    // What is told of a good run would be told a thousand times.
    let mut inside = Options::clone(options);
    (inside.quiet, inside.verbose, inside.messages, inside.stats) = (true, false, false, false);
    let inside = Arc::new(inside);
    if let Err(error) = parse_launch(&text(options)) {
        eprintln!("ERROR: pipeline could not be constructed: {error}");
        return ExitCode::FAILURE;
    }
    let runs = Arc::new(AtomicU64::new(0));
    watch_the_clock(runs.clone());
    let (mut fewest, mut most) = (u64::MAX, 0);
    for seed in seeds.first..=seeds.last {
        runs.store(seed.wrapping_add(1), Ordering::Relaxed);
        let trace = match options.trace.as_deref().map(trace::start).transpose() {
            Ok(trace) => trace,
            Err(why) => {
                eprintln!("ERROR: {why}");
                return ExitCode::FAILURE;
            }
        };
        let (choices, fault) = one(&inside, seed);
        tracer::watch(None);
        if let Some(Err(why)) = trace.map(trace::Trace::end) {
            eprintln!("ERROR: {why}");
            return ExitCode::FAILURE;
        }
        if let Some(fault) = fault {
            eprintln!("Seed {seed}: {fault}");
            eprintln!(
                "Again: gst-mini launch --sim --seeds {seed} --trace FILE {}",
                quoted(options)
            );
            return ExitCode::FAILURE;
        }
        (fewest, most) = (fewest.min(choices), most.max(choices));
    }
    let count = seeds.last - seeds.first + 1;
    line(&format!(
        "{count} seeds, {fewest} to {most} choices in each run: no deadlock, no buffer lost or doubled, no time that \
         runs backwards, no event out of order."
    ));
    if most == 0 {
        line("There was never more than one task to choose, so all of these were the same run.");
    }
    ExitCode::SUCCESS
}

/// Runs the line once. How often there was a choice, and what went wrong.
fn one(options: &Arc<Options>, seed: u64) -> (u64, Option<String>) {
    let shown = Arc::new(Mutex::new(Shown::default()));
    let watched = shown.clone();
    tracer::watch(Some(Box::new(move |seen| {
        if let Ok(mut shown) = watched.lock() {
            shown.audit.see(seen);
        }
    })));
    let sim = Sim::new(seed);
    let (inside, out) = (options.clone(), shown.clone());
    let end = sim.run_apart(move || play(&inside, &out));
    let choices = sim.choices();
    let mut text = Vec::new();
    if let Ok(shown) = shown.lock() {
        text.extend(shown.audit.findings().first().map(ToString::to_string));
    }
    match end {
        Ok(End::Eos) => {}
        Ok(_) => text.push("the pipeline failed, see above.".to_owned()),
        Err(deadlock) => text.push(stuck(&shown, &deadlock)),
    }
    (choices, (!text.is_empty()).then(|| text.join("\n")))
}

fn stuck(shown: &Mutex<Shown>, deadlock: &Deadlock) -> String {
    let pipeline = shown.lock().ok().and_then(|mut shown| shown.pipeline.take());
    let text = explain(pipeline.as_ref(), deadlock);
    // Destructors would wait for tasks that never run again.
    std::mem::forget(pipeline);
    text
}

fn play(options: &Options, shown: &Mutex<Shown>) -> End {
    let Ok(pipeline) = parse_launch(&text(options)) else { return End::Failed };
    let topology = diagnosis::topology(&pipeline);
    if let Ok(mut shown) = shown.lock() {
        shown.audit = Audit::new(topology);
        shown.pipeline = Some(pipeline.clone());
    }
    let end = Player::new(options, pipeline).run(|_, end| {
        let now = runtime::now();
        if let Ok(mut shown) = shown.lock()
            && end == End::Eos
        {
            shown.audit.ended(now);
        }
    });
    // The last handle goes in here, where its destructor belongs.
    drop(shown.lock().ok().and_then(|mut shown| shown.pipeline.take()));
    end
}

/// A line that never ends would be hunted through for ever.
fn watch_the_clock(runs: Arc<AtomicU64>) {
    let look = move || {
        let mut before = 0;
        loop {
            std::thread::park_timeout(PATIENCE);
            let now = runs.load(Ordering::Relaxed);
            if now == before {
                eprintln!(
                    "Seed {}: the run has not ended after {} s of real time. Does the line end? Sources have num-buffers.",
                    now.wrapping_sub(1),
                    PATIENCE.as_secs()
                );
                std::process::exit(2);
            }
            before = now;
        }
    };
    // Without it, an endless line is simply endless.
    let _ = std::thread::Builder::new().name("patience".to_owned()).spawn(look);
}

/// The line as a shell takes it.
fn quoted(options: &Options) -> String {
    format!("'{}'", text(options).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_number_or_a_range_with_both_ends() {
        let read = |text: &str| text.parse::<Seeds>();
        assert_eq!(read("1..1000"), Ok(Seeds { first: 1, last: 1000 }));
        assert_eq!(read("7"), Ok(Seeds { first: 7, last: 7 }));
        assert!(read("5..1").unwrap_err().contains("smaller seed first"));
        assert!(read("a..b").is_err());
    }
}
