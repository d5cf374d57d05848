//! What encoding alone takes, for `cargo xtask bench main-job`: the frames of the demo's camera, made before, through
//! the encoder without a pipeline, each when the camera would give it: what waits between two frames finds its caches
//! cold, as in a recording.
//!
//! ```text
//!   cargo run --release -p gst-mini-plugin-openh264 --example encoder_alone -- <width> <height> <fps> <bit/s> <gop>
//! ```
//!
//! It prints `cpu_percent`, processor time of a frame in percent of the time that the frame is shown.

use gst_mini_core::prelude::*;
use gst_mini_core::runtime::{self, Sim};
use gst_mini_plugin_openh264::encoder::{Effort, H264Encoder, I420Frame, Matrix, Settings};
use std::error::Error;
use std::sync::{Arc, Mutex};

/// Five seconds at 30 frames a second; 207 MB at 720p.
const FRAMES: u32 = 150;

/// The camera's frames; in a simulation, so that nobody waits for them.
fn frames(width: u32, height: u32, fps: u32) -> Result<Vec<Buffer>, Box<dyn Error>> {
    gst_mini_elements::register();
    let line = format!(
        "livesource width={width} height={height} fps={fps} num-buffers={FRAMES} ! fakesink name=s"
    );
    let made = Sim::new(1).run(|| {
        let pipeline = parse_launch(&line).map_err(|error| error.to_string())?;
        let sink = pipeline.by_name("s").and_then(|sink| sink.static_pad("sink"));
        let sink = sink.ok_or("the sink has no pad")?;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let kept = frames.clone();
        let keep = move |data: ProbeData<'_>| {
            if let ProbeData::Buffer(buf) = data {
                kept.lock().expect("no panic in a probe").push(buf.clone());
            }
            ProbeReturn::Ok
        };
        sink.add_probe(ProbeType::BUFFER, Box::new(keep));
        pipeline.set_state(State::Playing);
        pipeline.wait_for_end(None);
        pipeline.set_state(State::Null);
        Ok::<_, String>(std::mem::take(&mut *frames.lock().expect("no panic in a probe")))
    });
    Ok(made.map_err(|deadlock| deadlock.to_string())??)
}

/// Seconds of processor time of this process.
fn processor_time() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos: f64 = stat.split_whitespace().next().ok_or("an empty schedstat")?.parse()?;
    Ok(nanos / 1e9)
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<u32> =
        std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let [width, height, fps, bitrate, gop_size] = words[..] else {
        return Err("width, height, fps, bit/s and gop are wanted".into());
    };
    let frames = frames(width, height, fps)?;
    let settings = Settings {
        width,
        height,
        fps: (i32::try_from(fps)?, 1),
        bitrate,
        gop_size,
        matrix: Matrix::Bt709,
        effort: Effort::default(),
    };
    let mut encoder = H264Encoder::new(settings)?;
    let (luma, chroma) = ((width * height) as usize, (width * height / 4) as usize);
    let began = processor_time()?;
    let mut due = runtime::now();
    for frame in &frames {
        runtime::sleep_until(due);
        due += ClockTime::from_nanos(1_000_000_000 / u64::from(fps));
        let (y, rest) = frame.data().split_at(luma);
        let (u, v) = rest.split_at(chroma);
        let strides = [width as usize, width as usize / 2, width as usize / 2];
        encoder.encode(I420Frame { planes: [y, u, v], strides }, false)?;
    }
    let took = processor_time()? - began;
    println!("cpu_percent {}", took / (frames.len() as f64 / f64::from(fps)) * 100.0);
    Ok(())
}
