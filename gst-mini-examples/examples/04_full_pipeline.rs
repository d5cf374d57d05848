//! The main job: a camera, a queue, H.264, HLS, a store.
//!
//! Watch for: frames made steadily, once a second, whatever the store does; a segment every six
//! seconds; the sink waiting for the clock in the queue's thread, not the camera's; and the table at
//! the end, where frames stored are frames made.
//!
//! Try: `--store-delay 500ms`, `--queue-size 3`, `--leaky downstream`, `--fps 60 --target-duration 2`,
//! `--sink dirsink`, `--sink-sync false`, `--no-latency`, `--sim`, and Ctrl-C half way.

use clap::Parser;
use gst_mini_core::time::ClockTime;
use gst_mini_examples::{flags::Flags, job::Demo, show};

fn main() {
    let demo = Demo {
        name: "full-pipeline",
        duration: ClockTime::from_secs(20),
        target_duration: ClockTime::from_secs(6),
        queue: true,
    };
    let flags = Flags::parse();
    show::opening(include_str!("04_full_pipeline.rs"));
    std::process::exit(demo.main(&flags));
}
