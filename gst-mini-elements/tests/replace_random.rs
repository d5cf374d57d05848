//! Exchanges of sinks, filters and sources at random moments, thousands of them: every buffer in one of the two.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod replace_support;
mod routing_support;

use gst_mini_core::prelude::*;
use replace_support::{Arrivals, CAMERA, FILE, assert_gone, end, pause};
use routing_support::launch;
use std::sync::{Arc, Mutex};

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn on_seed<R>(seed: u64, f: impl FnOnce() -> R) -> R {
    Sim::new(seed).run(f).unwrap_or_else(|deadlock| panic!("seed {seed}: {deadlock}"))
}

/// `count` exchanges of sinks, filters and sources at random moments; gives back how many buffers came.
fn exchange(seed: u64, count: u64) -> usize {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let source = [CAMERA, FILE][dice.roll(2) as usize];
    let filters = [
        "identity",
        "queue max-size-buffers=4",
        "queue max-size-buffers=2",
        "queue max-size-buffers=4 min-threshold-buffers=2",
    ];
    let before = ["", " ! queue name=q max-size-buffers=4"][dice.roll(2) as usize];
    let line = format!("{source}{before} ! identity name=f ! fakesink name=s sync=true");
    let pipeline = launch(&line);
    let arrivals = Arrivals::default();
    let (mut sink, mut filter) = (pipeline.by_name("s").unwrap(), pipeline.by_name("f").unwrap());
    arrivals.watch(&sink);
    pipeline.set_state(State::Playing);
    for number in 0..count {
        pause(dice.roll(25_000));
        if dice.roll(2) == 0 {
            let new = arrivals.sink(&format!("s{number}"));
            // What is not live is as fast as its sink.
            new.set("sync", source == FILE || dice.roll(2) == 0).unwrap();
            pipeline.replace(&sink, &new).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_gone(&pipeline, &sink);
            sink = new;
        } else {
            let kind = filters[dice.roll(filters.len() as u64) as usize];
            let (factory, props) = kind.split_once(' ').unwrap_or((kind, ""));
            let new = make(factory, Some(&format!("f{number}"))).unwrap();
            for (name, value) in props.split(' ').filter_map(|prop| prop.split_once('=')) {
                new.set(name, value).unwrap();
            }
            pipeline.replace(&filter, &new).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_gone(&pipeline, &filter);
            filter = new;
        }
    }
    end(&pipeline);
    arrivals.assert_whole(&format!("seed {seed}: {line}"))
}

/// `count` exchanges of live cameras at random moments.
fn exchange_cameras(seed: u64, count: u64) -> u64 {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let camera = |name: &str| {
        let camera = make("livesource", Some(name)).unwrap();
        for (name, value) in [("fps", "100"), ("width", "16"), ("height", "16")] {
            camera.set(name, value).unwrap();
        }
        camera
    };
    let pipeline = launch("identity name=f ! fakesink name=s");
    let mut old = camera("camera");
    pipeline.add(&old).unwrap();
    pipeline.link(&[&old, &pipeline.by_name("f").unwrap()]).unwrap();
    let arrivals = Arrivals::default();
    arrivals.watch(&pipeline.by_name("s").unwrap());
    pipeline.set_state(State::Playing);
    let mut made = 0;
    for number in 0..count {
        pause(dice.roll(35_000));
        let new = camera(&format!("c{number}"));
        pipeline.replace(&old, &new).unwrap();
        assert_gone(&pipeline, &old);
        made += old.get_as::<u64>("generated").unwrap();
        old = new;
    }
    pause(50_000);
    end(&pipeline);
    made += old.get_as::<u64>("generated").unwrap();
    let numbers = arrivals.numbers();
    assert!(numbers.windows(2).all(|pair| pair[0] <= pair[1]), "seed {seed}: {numbers:?}");
    assert_eq!(made, numbers.len() as u64, "seed {seed}");
    made
}

/// `count` exchanges of sources that count from zero at random moments: each goes on where the one before it stopped.
fn exchange_files(seed: u64, count: u64) -> usize {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let queue = ["", " ! queue max-size-buffers=3"][dice.roll(2) as usize];
    let pipeline = launch(&format!("{FILE}{queue} ! fakesink name=s sync=true"));
    let times = Arc::new(Mutex::new(Vec::new()));
    let (seen, pad) = (times.clone(), pipeline.by_name("s").unwrap().static_pad("sink").unwrap());
    let own = pad.clone();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |data| {
            if let ProbeData::Buffer(buf) = data {
                let at = own.segment().unwrap().to_running_time(buf.pts().unwrap());
                seen.lock().unwrap().push(at.unwrap().nanos() / 10_000_000);
            }
            ProbeReturn::Ok
        }),
    );
    pipeline.set_state(State::Playing);
    let mut old = pipeline.by_name("camera").unwrap();
    for number in 0..count {
        pause(dice.roll(35_000));
        let new = make("fakesrc", Some(&format!("c{number}"))).unwrap();
        for name in ["format", "datarate", "sizetype", "sizemax"] {
            new.set(name, old.get_shown(name).unwrap()).unwrap();
        }
        pipeline.replace(&old, &new).unwrap();
        assert_gone(&pipeline, &old);
        old = new;
    }
    pause(30_000);
    end(&pipeline);
    let times = times.lock().unwrap();
    let wanted: Vec<u64> = (0..times.len() as u64).collect();
    assert_eq!(*times, wanted, "seed {seed}");
    times.len()
}

fn on_seeds(seeds: std::ops::Range<u64>, each: u64) -> (u64, usize) {
    let (mut done, mut buffers) = (0, 0);
    for seed in seeds {
        let of_sources = each / 5;
        buffers += on_seed(seed, || exchange(seed, each - 2 * of_sources));
        buffers += on_seed(seed, || exchange_cameras(seed, of_sources)) as usize;
        buffers += on_seed(seed, || exchange_files(seed, of_sources));
        done += each;
    }
    (done, buffers)
}

/// Seeds for a process of its own: the simulator is one for a process.
const SEEDS: &str = "GST_MINI_TEST_SEEDS";

#[test]
fn ten_thousand_exchanges_lose_and_double_nothing() {
    if let Some((from, to)) = std::env::var(SEEDS).ok().and_then(|seeds| {
        let (from, to) = seeds.split_once("..")?;
        Some((from.parse().ok()?, to.parse().ok()?))
    }) {
        let (done, buffers) = on_seeds(from..to, 50);
        println!("{done} exchanges, {buffers} buffers");
        return;
    }
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get() as u64).min(8);
    let share = 200 / workers + 1;
    let start = |worker: u64| {
        let seeds = (1000 + worker * share).min(1200)..(1000 + (worker + 1) * share).min(1200);
        let name = "ten_thousand_exchanges_lose_and_double_nothing";
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(SEEDS, format!("{}..{}", seeds.start, seeds.end))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running: Vec<_> = (0..workers).map(start).collect();
    let mut done = 0;
    for worker in running {
        let ran = worker.wait_with_output().unwrap();
        let (said, errors) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{said}{errors}");
        let count =
            said.lines().find_map(|line| line.split_once(" exchanges, ")?.0.parse::<u64>().ok());
        done += count.unwrap_or(0);
    }
    assert_eq!(done, 10_000);
}

#[test]
fn two_hundred_exchanges_on_threads_lose_and_double_nothing() {
    let mut buffers = 0;
    for seed in 1..5 {
        buffers += exchange(seed, 34);
        buffers += exchange_cameras(seed, 8) as usize;
        buffers += exchange_files(seed, 8);
    }
    assert!(buffers > 200, "{buffers}");
}
