//! The same job with the camera linked straight to the encoder: one thread does everything.
//!
//! Watch for: with `--store-delay 500ms` the camera waits while an object is stored, and misses the
//! frames that fall due meanwhile. `full-pipeline --store-delay 500ms` misses none: the queue's
//! thread does the waiting. Add `--sim` to both for the exact numbers.

use clap::Parser;
use gst_mini_core::time::ClockTime;
use gst_mini_examples::{flags::Flags, job::Demo, show};

fn main() {
    let demo = Demo {
        name: "without-queue",
        duration: ClockTime::from_secs(20),
        target_duration: ClockTime::from_secs(6),
        queue: false,
    };
    let flags = Flags::parse();
    show::opening(include_str!("03_without_queue.rs"));
    std::process::exit(demo.main(&flags));
}
