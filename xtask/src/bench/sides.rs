//! The two sides of a bench: their programs, built once, and how a sample is asked for.
//!
//! Invariant: both sides get the same words.
//! Left out: what the words mean; `gst-mini-bench` says that.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::demo;
use crate::plugins;
use crate::process::{self, Failure, find_program};
use crate::workspace::{Profile, Workspace};

/// The longest one sample may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Whose figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    GstMini,
    GStreamer,
}

/// Programs that measure.
pub struct Sides {
    ours: PathBuf,
    launch: PathBuf,
    environment: [(&'static str, PathBuf); 2],
    theirs: Option<PathBuf>,
    /// Where what a bench makes is kept.
    pub scratch: PathBuf,
    pub workspace: Workspace,
}

impl Sides {
    /// Builds both, optimised; says what is missing for GStreamer's.
    pub fn build(workspace: &Workspace) -> Result<Sides, Failure> {
        plugins::build(workspace, Profile::Release)?;
        plugins::build_plugin(workspace, Profile::Release, "fixture")?;
        let ours = build_ours(workspace)?;
        let theirs = build_twin(workspace);
        if let Err(missing) = &theirs {
            eprintln!("without GStreamer's column: {missing}");
        }
        Ok(Sides {
            ours,
            launch: program(workspace, "gst-mini"),
            environment: demo::environment(workspace, Profile::Release),
            theirs: theirs.ok(),
            scratch: workspace.target.join("bench"),
            workspace: workspace.clone(),
        })
    }

    /// Whether figures of that side can be had.
    pub fn has(&self, side: Side) -> bool {
        side == Side::GstMini || self.theirs.is_some()
    }

    /// The program `gst-mini` as it is shipped.
    pub fn tool(&self) -> &PathBuf {
        &self.launch
    }

    /// Bytes of the program `gst-mini` without its symbols.
    pub fn stripped_size(&self) -> Result<u64, Failure> {
        let stripped = self.launch.with_extension("stripped");
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(&stripped).arg(&self.launch);
        process::read(strip, LIMIT)?;
        let length = std::fs::metadata(&stripped).map(|metadata| metadata.len());
        length.map_err(|error| Failure::new(format!("{}: {error}", stripped.display())))
    }

    /// One measurement: its figures by name.
    pub fn measure(&self, side: Side, words: &[&str]) -> Result<Vec<(String, f64)>, Failure> {
        self.measure_with(side, words, [])
    }

    /// One measurement in an environment with more in it.
    pub fn measure_with<const N: usize>(
        &self,
        side: Side,
        words: &[&str],
        more: [(&str, PathBuf); N],
    ) -> Result<Vec<(String, f64)>, Failure> {
        let program = match (side, &self.theirs) {
            (Side::GstMini, _) => &self.ours,
            (Side::GStreamer, Some(theirs)) => theirs,
            (Side::GStreamer, None) => return Err(Failure::new("GStreamer is not there")),
        };
        let mut command = Command::new(program);
        command.args(words).envs(self.environment.clone()).envs(more);
        Ok(figures(&process::read(command, LIMIT)?))
    }

    /// One figure of a measurement.
    pub fn figure(&self, side: Side, words: &[&str], name: &str) -> Result<f64, Failure> {
        let figures = self.measure(side, words)?;
        let found = figures.into_iter().find(|(figure, _)| figure == name);
        found.map(|(_, value)| value).ok_or_else(|| Failure::new(format!("no figure \"{name}\"")))
    }

    /// A whole process with a launch line: milliseconds from its start to its end.
    pub fn launch(&self, side: Side, line: &str) -> Result<f64, Failure> {
        let mut command = match side {
            Side::GstMini => {
                let mut command = Command::new(&self.launch);
                command.arg("launch").envs(self.environment.clone());
                command
            }
            Side::GStreamer => Command::new("gst-launch-1.0"),
        };
        command.arg("-q").args(line.split(' '));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let shown = process::shown(&command);
        let began = Instant::now();
        let status = command.status();
        let took = began.elapsed();
        if status.is_ok_and(|status| status.success()) {
            return Ok(took.as_secs_f64() * 1e3);
        }
        Err(Failure::new(format!("{shown} failed")))
    }
}

fn program(workspace: &Workspace, name: &str) -> PathBuf {
    let folder = workspace.programs(Profile::Release);
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Builds the program that measures GstMini, optimised.
fn build_ours(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--package", "gst-mini-bench"]);
    plugins::step("gst-mini-bench", build)?;
    Ok(program(workspace, "gst-mini-bench"))
}

fn build_twin(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let missing = || {
        let text = "apt-get install libgstreamer1.0-dev gstreamer1.0-tools \
                    gstreamer1.0-plugins-base pkg-config gcc";
        Failure::new(text)
    };
    for program in ["pkg-config", "cc", "gst-launch-1.0"] {
        find_program([program]).ok_or_else(missing)?;
    }
    let mut ask = Command::new("pkg-config");
    ask.args(["--cflags", "--libs", "gstreamer-1.0"]);
    let flags = process::read(ask, LIMIT).map_err(|_| missing())?;
    let folder = workspace.target.join("bench");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let program = folder.join("measure-gstreamer");
    let mut compile = Command::new("cc");
    compile.arg("-O2").arg(workspace.root.join("gst-mini-bench/gstreamer/measure.c"));
    compile.arg("-o").arg(&program).args(flags.split_whitespace());
    process::read(compile, LIMIT)?;
    Ok(program)
}

/// Figures that stand one to a line, each behind its name.
pub fn figures(text: &str) -> Vec<(String, f64)> {
    let figure = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_line_by_line() {
        let both = figures("p50_us 12.500\np99_us 100\nnot a figure\n");
        assert_eq!(both, [("p50_us".to_owned(), 12.5), ("p99_us".to_owned(), 100.0)]);
    }
}
