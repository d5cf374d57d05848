//! The same pipeline, put together element by element.

use gst_mini_core::prelude::*;
use gst_mini_elements::app::AppSink;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    gst_mini_elements::register();
    let pipeline = Bin::pipeline("camera");
    let [camera, queue, sink] =
        [make("livesource", None)?, make("queue", None)?, make("appsink", None)?];
    camera.set("num-buffers", 10)?;
    [&camera, &queue, &sink].into_iter().try_for_each(|element| pipeline.add(element))?;
    pipeline.link(&[&camera, &queue, &sink])?;
    let frames = AppSink::from(&sink).ok_or("no appsink")?;
    pipeline.set_state(State::Playing);
    let times: Vec<_> = frames.samples().filter_map(|frame| frame.buffer.pts()).collect();
    pipeline.set_state(State::Null);
    println!("{} frames:", times.len());
    times.iter().for_each(|pts| println!("  {pts}"));
    if times.len() == 10 { Ok(()) } else { Err("the camera sent 10 frames".into()) }
}
