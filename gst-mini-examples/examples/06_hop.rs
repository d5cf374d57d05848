//! What passing one element costs a buffer, beside GStreamer where it is installed.
//!
//! Watch for: the difference between a chain of identities and none, divided by their number. Both
//! programs run `fakesrc ! identity … ! fakesink` on the same machine, alternating, medians of five.

use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use gst_mini_examples::show;
use std::process::Command;

const BUFFERS: u64 = 300_000;
const HOPS: usize = 50;

fn main() {
    show::opening(include_str!("06_hop.rs"));
    gst_mini_elements::register();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let gst = Command::new("gst-launch-1.0").arg("--version").output().is_ok();
    for _ in 0..5 {
        ours.push((run_ours(0), run_ours(HOPS)));
        if gst {
            theirs.push((run_theirs(0), run_theirs(HOPS)));
        }
    }
    let mut rows = Vec::new();
    let (ours_pair, ours_hop) = medians(&mut ours);
    rows.push(("fakesrc ! fakesink, a buffer", format!("{ours_pair:.0} ns")));
    rows.push(("each identity, a buffer", format!("{ours_hop:.1} ns")));
    if gst {
        let (pair, hop) = medians(&mut theirs);
        rows.push(("fakesrc ! fakesink in GStreamer", format!("{pair:.0} ns")));
        rows.push(("each identity in GStreamer", format!("{hop:.1} ns")));
        rows.push(("ratio of a hop", format!("1/{:.1}", hop / ours_hop)));
    } else {
        rows.push(("GStreamer", "not installed: apt-get install gstreamer1.0-tools".to_owned()));
    }
    show::table("hop: medians of five alternating runs", &rows);
}

/// Nanoseconds a buffer for the bare pair, and for each hop more.
fn medians(runs: &mut [(f64, f64)]) -> (f64, f64) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let pair = median(runs.iter().map(|(none, _)| *none).collect());
    let hop = median(runs.iter().map(|(none, some)| (some - none) / HOPS as f64).collect());
    (pair, hop)
}

fn line(hops: usize) -> String {
    let identities = "identity silent=true ! ".repeat(hops);
    format!("fakesrc num-buffers={BUFFERS} ! {identities}fakesink")
}

fn run_ours(hops: usize) -> f64 {
    let Ok(pipeline) = parse_launch(&line(hops)) else { return f64::NAN };
    let before = runtime::now();
    pipeline.set_state(State::Playing);
    pipeline.wait_for_end(None);
    let took = runtime::now().since(before);
    pipeline.set_state(State::Null);
    took.nanos() as f64 / BUFFERS as f64
}

/// The whole process; its start, some milliseconds, is spread over the buffers and cancels in a hop.
fn run_theirs(hops: usize) -> f64 {
    let before = runtime::now();
    let line = line(hops);
    let done = Command::new("gst-launch-1.0").arg("-q").args(line.split(' ')).status();
    let took = runtime::now().since(before);
    if done.is_ok_and(|status| status.success()) {
        took.nanos() as f64 / BUFFERS as f64
    } else {
        f64::NAN
    }
}
