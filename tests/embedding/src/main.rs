//! Frames from a launch line: their count and times.

use gst_mini_core::prelude::*;
use gst_mini_elements::app::AppSink;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    gst_mini_elements::register();
    let pipeline = parse_launch("livesource num-buffers=10 ! queue ! appsink name=frames")?;
    let sink = pipeline.by_name("frames").ok_or("no element of that name")?;
    let frames = AppSink::from(&sink).ok_or("no appsink")?;
    pipeline.set_state(State::Playing);
    let times: Vec<_> = frames.samples().filter_map(|frame| frame.buffer.pts()).collect();
    pipeline.set_state(State::Null);
    println!("{} frames:", times.len());
    times.iter().for_each(|pts| println!("  {pts}"));
    if times.len() == 10 { Ok(()) } else { Err("the camera sent 10 frames".into()) }
}
