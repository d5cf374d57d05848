//! One measurement of GstMini: `gst-mini-bench MEASUREMENT [WORDS]`, figures as lines `name value`.
//!
//! `cargo xtask bench` runs it alternating with `gstreamer/measure.c`, which has the same measurements, words
//! and figures, so what is compared is one launch line in two frameworks.
//!
//! Invariant: a figure is measured from outside, through what every application can use.
//! Left out: medians and ratios, which are xtask's.

mod measure;

use gst_mini_core::runtime::Shared;
use std::process::ExitCode;

const USAGE: &str = "usage: gst-mini-bench [--linked] [--shared] MEASUREMENT WORDS
  --linked                with the elements of the test plugin in this program
  --shared                with tasks that share a thread for each core
  run BUFFERS LINE        ns: from PLAYING to the end, a buffer
  probed BUFFERS LINE     the same with a probe on the source pad of each identity
  states ROUNDS LINE      us: NULL to PLAYING to NULL
  negotiate ROUNDS LINE   us: READY to the first buffer at the sink \"s\"
  handoff LINE            p50_us, p99_us: from the sink pad to the source pad of the queue \"q\"
  lateness SPIN_NS LINE   p50_us, p99_us: behind the clock when the sink \"s\" renders
  streams COUNT SECONDS GRID_NS LINE   cpu_percent, rss_mb, per_second (buffers at all sinks \"s\")";

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    gst_mini_elements::register();
    if words.first().is_some_and(|word| word == "--linked") {
        words.remove(0);
        // What is linked comes before what is loaded.
        gst_mini_core::registry::link(gst_mini_plugin_fixture::FACTORIES);
    }
    if words.first().is_some_and(|word| word == "--shared") {
        words.remove(0);
        match Shared::new(0) {
            Ok(shared) => shared.install(),
            Err(error) => {
                eprintln!("gst-mini-bench: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    match measure::named(&words) {
        Ok(figures) => {
            for (name, value) in figures {
                println!("{name} {value:.3}");
            }
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("gst-mini-bench: {sentence}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
