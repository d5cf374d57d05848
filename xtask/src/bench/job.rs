//! The main job: what a recording takes, what its encoder takes alone, and what is left for the framework.
//!
//! ```text
//!   job        livesource ! queue ! openh264enc ! hlssegmenter ! s3sink     a pipeline in real time
//!   encoder    the same frames through the encoder at the same times        the plugin's example encoder_alone
//!   camera     livesource ! fakesink                                        drawing its frames
//!   framework  job less encoder less camera: hand-offs, waits, muxing, the store
//! ```
//!
//! Invariant: all are percent of one core while the media plays, of one build of the codec.
//! Left out: GStreamer, which has no such line without its own encoder, segmenter and store.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::list::Sample;
use super::sides::{Side, Sides, figures};
use crate::plugins;
use crate::process::{self, Failure};
use crate::workspace::Profile;

const LIMIT: Duration = Duration::from_secs(300);
const SIZE: [&str; 3] = ["1280", "720", "30"];
const BITRATE: &str = "2000000";
const GOP: &str = "180";
const SECONDS: &str = "10";

/// What the codec's fast loops are made with.
#[derive(Clone, Copy)]
pub enum Assembler {
    Nasm,
    None,
}

/// One sample.
pub fn sample(sides: &Sides, assembler: Assembler) -> Result<Sample, Failure> {
    let (plugins, alone) = build(sides, assembler)?;
    let [width, height, fps] = SIZE;
    let camera = format!("livesource width={width} height={height} fps={fps}");
    let store = sides.scratch.join("main-job");
    // Left over from a round before.
    let _ = std::fs::remove_dir_all(&store);
    let job = format!(
        "{camera} ! queue ! openh264enc bitrate={BITRATE} gop-size={GOP} ! hlssegmenter target-duration=6 \
         ! s3sink name=s location=\"file://{}\"",
        store.display()
    );
    let cpu = |line: &str| {
        let words = ["streams", "1", SECONDS, "0", line];
        let more = [("GST_MINI_PLUGIN_PATH", plugins.clone())];
        let found = sides.measure_with(Side::GstMini, &words, more)?;
        found
            .into_iter()
            .find(|(name, _)| name == CPU)
            .map(|(_, value)| value)
            .ok_or_else(no_figure)
    };
    let (job, camera) = (cpu(&job)?, cpu(&format!("{camera} ! fakesink name=s"))?);
    let mut command = Command::new(alone);
    command.args([width, height, fps, BITRATE, GOP]);
    let encoder = figures(&process::read(command, LIMIT)?);
    let encoder = encoder.first().map(|(_, value)| *value).ok_or_else(no_figure)?;
    let all = [
        ("job_percent", job),
        ("encoder_percent", encoder),
        ("camera_percent", camera),
        ("job_per_encoder", job / encoder),
        ("framework_percent", job - encoder - camera),
    ];
    Ok(all.map(|(name, value)| (name.to_owned(), value)).into())
}

const CPU: &str = "cpu_percent";

fn no_figure() -> Failure {
    Failure::new(format!("no figure \"{CPU}\""))
}

/// The folder with the plugins, and the program that only encodes.
fn build(sides: &Sides, assembler: Assembler) -> Result<(PathBuf, PathBuf), Failure> {
    let workspace = &sides.workspace;
    let name = match assembler {
        Assembler::Nasm => "main-job",
        Assembler::None => "main-job-plain",
    };
    // A codec that was built one way is not built anew because its environment changed.
    let target = workspace.target.join("bench-build").join(name);
    let build = |what: &[&str]| {
        let mut command = workspace.cargo();
        command.args(["build", "--release", "--package", "gst-mini-plugin-openh264"]).args(what);
        command.arg("--target-dir").arg(&target);
        if matches!(assembler, Assembler::None) {
            command.env("OPENH264_NO_ASM", "1");
        }
        if let Some(compiler) = plugins::cxx_or_sentence()? {
            command.env("CXX", compiler);
        }
        plugins::step(&format!("{} for {name}", what.join(" ")), command)
    };
    if matches!(assembler, Assembler::Nasm) && process::find_program(["nasm"]).is_none() {
        let text =
            "nasm is not installed (apt-get install nasm); main-job-plain is for machines without";
        return Err(Failure::new(text));
    }
    build(&["--lib"])?;
    let folder = sides.scratch.join(format!("{name}-plugins"));
    plugins::install_built(
        "gst-mini-plugin-openh264",
        "openh264",
        &target.join("release"),
        &folder,
    )?;
    let s3 = plugins::plugin_file("s3");
    plugins::install(&workspace.plugins(Profile::Release).join(&s3), &folder.join(&s3))?;
    build(&["--example", "encoder_alone"])?;
    let program = format!("encoder_alone{}", std::env::consts::EXE_SUFFIX);
    Ok((folder, target.join("release/examples").join(program)))
}
