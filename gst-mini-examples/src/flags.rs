//! The demos' flags: the experiments of the tour, one switch each.

use clap::Parser;
use gst_mini_core::registry::registry;
use gst_mini_core::time::ClockTime;

/// Flags every recording demo takes.
#[derive(Parser, Clone, Debug)]
#[command(about = "Records a live picture as HLS; every flag is an experiment of docs/tour.md")]
pub struct Flags {
    /// How long to record, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub duration: Option<ClockTime>,
    /// Frames a second: 30, or 30000/1001
    #[arg(long, default_value = "30", value_parser = rate)]
    pub fps: String,
    /// Picture size
    #[arg(long, default_value = "1280x720", value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: (u32, u32),
    /// Bits a second
    #[arg(long, default_value_t = 4_000_000)]
    pub bitrate: u32,
    /// Length of a segment, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub target_duration: Option<ClockTime>,
    /// How many frames the queue holds
    #[arg(long, default_value_t = 60, value_name = "FRAMES")]
    pub queue_size: u32,
    /// What a full queue does: no (the camera waits), upstream (drops the new frame), downstream (drops the oldest)
    #[arg(long, default_value = "upstream", value_parser = ["no", "upstream", "downstream"])]
    pub leaky: String,
    /// Link the camera straight to the encoder
    #[arg(long)]
    pub no_queue: bool,
    /// Whether the sink waits for the clock before it stores an object
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub sink_sync: bool,
    /// Where objects go: s3sink (any store), dirsink (a directory, no plugin), fakesink (nowhere), auto (the object sink
    /// of the highest rank, which GST_MINI_PLUGIN_FEATURE_RANK sets)
    #[arg(long, default_value = "s3sink", value_parser = ["s3sink", "dirsink", "fakesink", "auto"])]
    pub sink: String,
    /// A URL for s3sink, a directory for dirsink; default: target/demo/NAME/
    #[arg(long)]
    pub location: Option<String>,
    /// Make every store request take this much longer: 500ms, 2s
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub store_delay: Option<ClockTime>,
    /// Leave the latency out that the segmenter declares, to see every object come late
    #[arg(long)]
    pub no_latency: bool,
    /// Run on simulated time: the same numbers at once, and the same every time for one seed
    #[arg(long, value_name = "SEED", num_args = 0..=1, default_missing_value = "1")]
    pub sim: Option<u64>,
    /// Write what happened when, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub trace: Option<std::path::PathBuf>,
}

fn seconds(text: &str) -> Result<ClockTime, String> {
    match text.trim_end_matches('s').parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds < 1e6 => {
            Ok(ClockTime::from_nanos((seconds * 1e9).round() as u64))
        }
        _ => Err("a number of seconds above 0".to_owned()),
    }
}

fn length(text: &str) -> Result<ClockTime, String> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let scale = match unit {
        "ms" => 1e6,
        "s" => 1e9,
        "us" => 1e3,
        _ => return Err("a time such as 500ms or 2s".to_owned()),
    };
    match number.parse::<f64>() {
        Ok(number) if (0.0..1e6).contains(&number) => {
            Ok(ClockTime::from_nanos((number * scale) as u64))
        }
        _ => Err("a time such as 500ms or 2s".to_owned()),
    }
}

fn rate(text: &str) -> Result<String, String> {
    let (num, den) = text.split_once('/').unwrap_or((text, "1"));
    match (num.parse::<u32>(), den.parse::<u32>()) {
        (Ok(1..=1_000_000), Ok(1..=1_000_000)) => Ok(format!("{num}/{den}")),
        _ => Err("a frame rate such as 30 or 30000/1001".to_owned()),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match parsed {
        Some((w, h)) if (2..=8192).contains(&w) && (2..=8192).contains(&h) => Ok((w, h)),
        _ => Err("a size such as 1280x720".to_owned()),
    }
}

impl Flags {
    /// The flags without any given.
    pub fn none() -> Flags {
        Flags::parse_from(["demo"])
    }

    /// With the sink that `auto` stands for.
    ///
    /// # Errors
    /// A sentence when there is none.
    pub fn with_sink(&self) -> Result<Flags, String> {
        if self.sink != "auto" {
            return Ok(self.clone());
        }
        let best = registry().best(&["Sink", "Object"]);
        let best = best.ok_or("no object sink has a rank; give one with --sink")?;
        println!("the object sink of the highest rank is {} ({})", best.name, best.rank);
        Ok(Flags { sink: best.name, ..self.clone() })
    }

    /// Frames a second as a fraction.
    pub fn fraction(&self) -> (u64, u64) {
        let (num, den) = self.fps.split_once('/').unwrap_or((&self.fps, "1"));
        (num.parse().unwrap_or(30), den.parse().unwrap_or(1))
    }
}
