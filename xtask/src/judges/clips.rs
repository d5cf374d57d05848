//! Clips the project did not make, through `gst-mini launch`, compared with what went in.
//!
//! Invariant: all frames, at exact times, and pictures that resemble the source.
//! Left out: sources with sound.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::players;
use super::recording::{Rate, Recording};
use crate::demo;
use crate::process::{self, Failure};
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(300);
const SECONDS: u64 = 5;
/// Seconds of a segment: two whole ones and a short last one.
const TARGET: u64 = 2;
const SSIM_AT_LEAST: f64 = 0.95;

struct Clip {
    size: &'static str,
    rate: Rate,
    /// The elements that read the clip, which comes as a path or on standard input.
    source: &'static str,
    sink: &'static str,
}

/// Rates that are no whole number of anything, a size that is no multiple of 16, both ways in, and
/// both sinks.
const CLIPS: &[Clip] = &[
    Clip { size: "642x358", rate: (24_000, 1001), source: "filesrc", sink: "s3sink" },
    Clip { size: "640x360", rate: (25, 1), source: "fdsrc", sink: "dirsink" },
    Clip { size: "1280x720", rate: (60, 1), source: "filesrc", sink: "dirsink" },
    Clip { size: "642x358", rate: (25, 1), source: "fdsrc", sink: "s3sink" },
];

/// Every clip through the main job's line, judged by ffprobe and by SSIM.
pub fn all(workspace: &Workspace) -> Result<String, Failure> {
    let mut worst: f64 = 1.0;
    for (index, clip) in CLIPS.iter().enumerate() {
        let folder = fresh(&players::judges_folder(workspace).join(format!("clip{index}")))?;
        worst = worst.min(record(workspace, clip, &folder)?);
    }
    odd_size(workspace)?;
    Ok(format!("{} clips, worst SSIM {worst:.3}", CLIPS.len()))
}

/// Records one clip and gives its SSIM.
fn record(workspace: &Workspace, clip: &Clip, folder: &Path) -> Result<f64, Failure> {
    let source = make_clip(folder, clip.size, clip.rate)?;
    let out = folder.join("out");
    let location = match clip.sink {
        "s3sink" => format!("file://{}", out.display()),
        _ => out.display().to_string(),
    };
    let read = match clip.source {
        "fdsrc" => "fdsrc fd=0".to_owned(),
        _ => format!("filesrc location={}", source.display()),
    };
    let line = line(&read, &format!("{} location={location} sync=false", clip.sink));
    process::read(launch(workspace, &line, Some(&source)), LIMIT)?;
    let recording = Recording::open(&out.join("index.m3u8"))?;
    let whole = folder.join("whole.mp4");
    let frames = recording.check_times(clip.rate, target_of(clip.rate), &whole)?;
    let expected = players::count_frames(&source.to_string_lossy())?;
    if frames != expected {
        let text = format!("{}: {frames} frames of {expected}", recording.path());
        return Err(Failure::new(text));
    }
    players::ffmpeg(&recording.path(), frames)?;
    let ssim = ssim(&whole, &source)?;
    if ssim < SSIM_AT_LEAST {
        let text = format!("{}: SSIM {ssim} is below {SSIM_AT_LEAST}", recording.path());
        return Err(Failure::new(text));
    }
    Ok(ssim)
}

/// H.264 in 4:2:0 has no odd sizes; the refusal must say what helps.
fn odd_size(workspace: &Workspace) -> Result<(), Failure> {
    let folder = fresh(&players::judges_folder(workspace).join("odd"))?;
    let source = make_clip(&folder, "641x359", (25, 1))?;
    let read = format!("filesrc location={}", source.display());
    let sink = format!("dirsink location={}", folder.join("out").display());
    let finished = process::collect(launch(workspace, &line(&read, &sink), None), LIMIT, || ())?;
    let code = finished.status.and_then(|status| status.code());
    if code == Some(1) && finished.output().contains("videoscale") {
        return Ok(());
    }
    let text = process::tail(&finished.output(), 20);
    Err(Failure::new(format!(
        "{text}\na clip of 641x359 {}; it should be refused with exit code 1 and name videoscale",
        finished.ending()
    )))
}

fn line(source: &str, sink: &str) -> String {
    format!(
        "{source} ! y4mdec ! queue ! openh264enc bitrate=4000000 ! \
         hlssegmenter target-duration={TARGET} ! {sink}"
    )
}

/// A segment ends with the first frame at or after the target.
fn target_of(rate: Rate) -> f64 {
    let frame = rate.1 as f64 / rate.0 as f64;
    (TARGET as f64 / frame).round() * frame
}

/// `gst-mini launch` of the optimised build; `input` goes through a pipe to its standard input.
pub fn launch(workspace: &Workspace, line: &str, input: Option<&Path>) -> Command {
    let programs = workspace.programs(Profile::Release);
    let program = programs.join(format!("gst-mini{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new("sh");
    // A real pipe, as from a camera: reads come short and cannot seek.
    command.args(["-c", "cat \"$INPUT\" | \"$0\" \"$@\""]).arg(program).args(["launch", "-q"]);
    command.args(line.split_whitespace());
    command.env("INPUT", input.unwrap_or(Path::new("/dev/null")));
    command.envs(demo::environment(workspace, Profile::Release));
    command
}

/// A moving test picture of FFmpeg's as YUV4MPEG2.
fn make_clip(folder: &Path, size: &str, (n, d): Rate) -> Result<PathBuf, Failure> {
    let path = folder.join("source.y4m");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"]);
    command.arg(format!("testsrc2=size={size}:rate={n}/{d}:duration={SECONDS}"));
    // The source rounds its size down to whole chroma samples; the scaler does not.
    command.arg("-vf").arg(format!("scale={}", size.replace('x', ":")));
    command.args(["-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe"]).arg(&path);
    process::read(command, LIMIT)?;
    Ok(path)
}

/// Likeness by frame number; the times were looked at before.
fn ssim(recorded: &Path, source: &Path) -> Result<f64, Failure> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "info", "-i"]).arg(recorded).arg("-i").arg(source);
    let graph = "[0:v]settb=1/1000,setpts=N[a];[1:v]settb=1/1000,setpts=N[b];[a][b]ssim";
    command.args(["-lavfi", graph, "-f", "null", "-"]);
    let shown = process::shown(&command);
    let finished = process::collect(command, LIMIT, || ())?;
    ssim_of(&finished.stderr).filter(|_| finished.success()).ok_or_else(|| {
        Failure::new(format!("{}\n{shown} gave no SSIM", process::tail(&finished.stderr, 20)))
    })
}

fn ssim_of(output: &str) -> Option<f64> {
    let (_, rest) = output.rsplit_once("All:")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// An empty folder at that path.
pub fn fresh(folder: &Path) -> Result<PathBuf, Failure> {
    let cannot = |error| Failure::new(format!("{} cannot be made: {error}", folder.display()));
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(cannot)?;
    }
    std::fs::create_dir_all(folder).map_err(cannot)?;
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssim_is_read_from_ffmpegs_summary() {
        let output =
            "x\n[Parsed_ssim_4 @ 0x1] SSIM Y:0.97 (15) U:0.98 (18) V:0.98 (18) All:0.975443 (16)\n";
        assert_eq!(ssim_of(output), Some(0.975443));
        assert_eq!(ssim_of("no such line"), None);
    }
}
