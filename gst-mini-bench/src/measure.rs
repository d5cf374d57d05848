//! The measurements.
//!
//! Invariant: nothing is printed or allocated between two readings of the clock but by what is measured.

use gst_mini_core::clock::{ClockReturn, ClockWait, ClockWaited};
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Names with what was measured.
pub type Figures = Vec<(&'static str, f64)>;

/// Carries out the measurement that the words name.
pub fn named(words: &[String]) -> Result<Figures, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", buffers, line] => run(number(buffers)?, &pipeline(line)?),
        ["probed", buffers, line] => probed(number(buffers)?, line),
        ["states", rounds, line] => states(number(rounds)?, line),
        ["negotiate", rounds, line] => negotiate(number(rounds)?, line),
        ["handoff", line] => handoff(line),
        ["lateness", spin, line] => lateness(number(spin)?, line),
        ["streams", count, seconds, grid, line] => {
            SystemClock::obtain().set_property("grid", grid)?;
            streams(number(count)?, number(seconds)?, line)
        }
        _ => Err("no such measurement, or too few words".to_owned()),
    }
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("\"{word}\" is not a whole number"))
}

fn pipeline(line: &str) -> Result<Bin, String> {
    parse_launch(line).map_err(|error| error.to_string())
}

fn element(pipeline: &Bin, name: &str) -> Result<ElementRef, String> {
    pipeline.by_name(name).ok_or_else(|| format!("no element \"{name}\" in the line"))
}

/// Waits for the end and says what went wrong, if something did.
fn finish(pipeline: &Bin) -> Result<(), String> {
    match pipeline.wait_for_end(None).map(|message| message.kind) {
        Some(MessageKind::Eos) => Ok(()),
        other => Err(format!("ended with {other:?}")),
    }
}

fn paused(pipeline: &Bin) -> Result<(), String> {
    pipeline.set_state(State::Paused);
    match pipeline.state(None).0 {
        StateReturn::Failure => Err("does not go to PAUSED".to_owned()),
        _ => Ok(()),
    }
}

/// As [`run`], with a probe that lets pass on the source pad of each identity.
fn probed(buffers: u64, line: &str) -> Result<Figures, String> {
    let pipeline = pipeline(line)?;
    let identities = (0..).map_while(|n| pipeline.by_name(&format!("identity{n}")));
    for pad in identities.filter_map(|identity| identity.static_pad("src")) {
        pad.add_probe(ProbeType::BUFFER, Box::new(|_| ProbeReturn::Ok));
    }
    run(buffers, &pipeline)
}

fn run(buffers: u64, pipeline: &Bin) -> Result<Figures, String> {
    paused(pipeline)?;
    let before = runtime::now();
    pipeline.set_state(State::Playing);
    finish(pipeline)?;
    let took = runtime::now().since(before);
    pipeline.set_state(State::Null);
    Ok(vec![("ns", took.nanos() as f64 / buffers as f64)])
}

fn states(rounds: u64, line: &str) -> Result<Figures, String> {
    let pipeline = pipeline(line)?;
    let mut all = Vec::new();
    for _ in 0..rounds {
        let before = runtime::now();
        pipeline.set_state(State::Playing);
        pipeline.state(None);
        pipeline.set_state(State::Null);
        all.push(runtime::now().since(before).nanos() as f64 / 1e3);
    }
    Ok(vec![("us", percentile(&mut all, 0.5))])
}

fn negotiate(rounds: u64, line: &str) -> Result<Figures, String> {
    let pipeline = pipeline(line)?;
    let pad = element(&pipeline, "s")?.static_pad("sink").ok_or("the sink has no pad")?;
    let first = Arc::new(AtomicI64::new(0));
    let seen = first.clone();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            let now = runtime::now().nanos() as i64;
            // Only the first one counts; a failed exchange is a later one.
            let _ = seen.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
            ProbeReturn::Ok
        }),
    );
    let mut all = Vec::new();
    for _ in 0..rounds {
        pipeline.set_state(State::Ready);
        first.store(0, Ordering::Relaxed);
        let before = runtime::now().nanos() as i64;
        paused(&pipeline)?;
        all.push((first.load(Ordering::Relaxed) - before) as f64 / 1e3);
    }
    pipeline.set_state(State::Null);
    Ok(vec![("us", percentile(&mut all, 0.5))])
}

fn handoff(line: &str) -> Result<Figures, String> {
    let pipeline = pipeline(line)?;
    let queue = element(&pipeline, "q")?;
    let entered = Arc::new(AtomicU64::new(0));
    let waited = Arc::new(Mutex::new(Vec::with_capacity(100_000)));
    let pad = queue.static_pad("sink").ok_or("the queue has no sink pad")?;
    let entry = entered.clone();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            entry.store(runtime::now().nanos(), Ordering::Release);
            ProbeReturn::Ok
        }),
    );
    let pad = queue.static_pad("src").ok_or("the queue has no source pad")?;
    let list = waited.clone();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |_| {
            let took = runtime::now().nanos() - entered.load(Ordering::Acquire);
            list.lock().expect("no panic in a probe").push(took as f64 / 1e3);
            ProbeReturn::Ok
        }),
    );
    pipeline.set_state(State::Playing);
    finish(&pipeline)?;
    pipeline.set_state(State::Null);
    Ok(both(&mut waited.lock().expect("no panic in a probe")))
}

/// A system clock that notes by how much each of its waits ended late, in microseconds.
struct Noting {
    clock: SystemClock,
    late: Mutex<Vec<f64>>,
}

impl Clock for Noting {
    fn now(&self) -> AbsoluteTime {
        self.clock.now()
    }

    fn wait_until(&self, target: AbsoluteTime, wait: &ClockWait) -> ClockWaited {
        let waited = self.clock.wait_until(target, wait);
        let late = self.now().diff(target) as f64 / 1e3;
        if waited.result == ClockReturn::Ok && waited.jitter < 0 {
            self.late.lock().expect("nobody panics with it").push(late);
        }
        waited
    }

    fn name(&self) -> &str {
        self.clock.name()
    }
}

/// How late a sink's handler is called, and how late the waits for the clock before it end.
fn lateness(spin: u64, line: &str) -> Result<Figures, String> {
    let pipeline = pipeline(line)?;
    let clock = Arc::new(Noting {
        clock: SystemClock::with_spin(ClockTime::from_nanos(spin)),
        late: Mutex::new(Vec::with_capacity(100_000)),
    });
    pipeline.use_clock(Some(clock.clone()));
    let sink = element(&pipeline, "s")?;
    sink.set("signal-handoffs", true).map_err(|error| error.to_string())?;
    let due = Arc::new(AtomicI64::new(0));
    let late = Arc::new(Mutex::new(Vec::with_capacity(100_000)));
    let pad = sink.static_pad("sink").ok_or("the sink has no pad")?;
    let next = due.clone();
    pad.add_probe(
        ProbeType::BUFFER,
        Box::new(move |data| {
            if let ProbeData::Buffer(buffer) = data {
                let pts = buffer.pts().map_or(0, |pts| pts.nanos() as i64);
                next.store(pts, Ordering::Relaxed);
            }
            ProbeReturn::Ok
        }),
    );
    paused(&pipeline)?;
    let list = late.clone();
    let bin = pipeline.clone();
    sink.connect("handoff", move |_| {
        let (Some(clock), Some(base)) = (bin.clock(), bin.base_time()) else { return };
        let now = clock.now().nanos() as i64 - base.nanos() as i64;
        let behind = (now - due.load(Ordering::Relaxed)) as f64 / 1e3;
        list.lock().expect("no panic in a handler").push(behind);
    });
    pipeline.set_state(State::Playing);
    finish(&pipeline)?;
    pipeline.set_state(State::Null);
    let mut late = late.lock().expect("no panic in a handler");
    // The first one was prerolled.
    late.remove(0);
    let mut waits = clock.late.lock().expect("nobody panics with it");
    let mut figures = both(&mut late);
    figures.push(("wait_p50_us", percentile(&mut waits, 0.5)));
    figures.push(("wait_p99_us", percentile(&mut waits, 0.99)));
    Ok(figures)
}

fn streams(count: u64, seconds: u64, line: &str) -> Result<Figures, String> {
    let rendered = Arc::new(AtomicU64::new(0));
    let mut all = Vec::new();
    for _ in 0..count {
        let pipeline = pipeline(line)?;
        let pad = element(&pipeline, "s")?.static_pad("sink").ok_or("the sink has no pad")?;
        let counter = rendered.clone();
        pad.add_probe(
            ProbeType::BUFFER,
            Box::new(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
                ProbeReturn::Ok
            }),
        );
        if pipeline.set_state(State::Playing) == StateReturn::Failure {
            return Err(format!("pipeline {} does not play", all.len()));
        }
        all.push(pipeline);
    }
    let pause = |seconds| runtime::sleep_until(runtime::now() + ClockTime::from_secs(seconds));
    pause(2);
    let (before, cpu, had) = (runtime::now(), processor_time(), rendered.load(Ordering::Relaxed));
    pause(seconds);
    let took = runtime::now().since(before).nanos() as f64;
    let used = processor_time() - cpu;
    let made = rendered.load(Ordering::Relaxed) - had;
    let memory = resident_megabytes();
    for pipeline in &all {
        pipeline.set_state(State::Null);
    }
    Ok(vec![
        ("cpu_percent", used * 1e9 / took * 100.0),
        ("rss_mb", memory),
        ("per_second", made as f64 * 1e9 / took),
    ])
}

/// Seconds of processor time that this process used, in user and in kernel mode.
fn processor_time() -> f64 {
    // SAFETY: an all-zero rusage is a valid one; getrusage only writes into it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}

fn both(values: &mut [f64]) -> Figures {
    vec![("p50_us", percentile(values, 0.5)), ("p99_us", percentile(values, 0.99))]
}

fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    values.get(index.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
