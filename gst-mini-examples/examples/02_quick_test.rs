//! The main job in eight seconds, with segments of three.
//!
//! Watch for: two whole segments and a last one of two seconds; everything due before the end is in.

use clap::Parser;
use gst_mini_core::time::ClockTime;
use gst_mini_examples::{flags::Flags, job::Demo, show};

fn main() {
    let demo = Demo {
        name: "quick-test",
        duration: ClockTime::from_secs(8),
        target_duration: ClockTime::from_secs(3),
        queue: true,
    };
    let flags = Flags::parse();
    show::opening(include_str!("02_quick_test.rs"));
    std::process::exit(demo.main(&flags));
}
