//! `cargo xtask fuzz [TARGET] [--seconds N]`: random input for what reads text or bytes from outside.
//!
//! The targets are `fuzz/targets/*.rs`, built with the coverage instrumentation that LLVM's libFuzzer
//! follows; the stable compiler can do that. New inputs are kept in `target/fuzz/corpus/TARGET`, and
//! an input that fails in `target/fuzz/TARGET-crash-…`; its path given as an argument of the program repeats it.
//!
//! Invariant: a run begins with the seeds in `fuzz/seeds` and what earlier runs found.
//! Left out: sanitizers, which want the nightly compiler: `cargo +nightly fuzz run TARGET` has them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::plugins;
use crate::process::{self, Failure, read_text};
use crate::workspace::{self, Workspace};

/// How long each target runs unless `--seconds` says otherwise: a look, not a search.
const SECONDS: u64 = 10;

/// What the compiler must put in for libFuzzer to see which edges an input reaches.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let workspace = Workspace::open()?;
    let known = targets(&workspace)?;
    let (mut chosen, mut seconds) = (known.clone(), SECONDS);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => {
                let number = words.next().and_then(|word| word.parse().ok());
                seconds =
                    number.ok_or_else(|| Failure::Usage("--seconds needs a number".into()))?;
            }
            name if known.iter().any(|known| known == name) => chosen = vec![name.to_owned()],
            other => {
                let text = format!(
                    "fuzz takes a target and --seconds N, not \"{other}\"; targets: {}",
                    known.join(", ")
                );
                return Err(Failure::Usage(text));
            }
        }
    }
    all(&workspace, &chosen, seconds).map(|lines| lines.iter().for_each(|line| println!("{line}")))
}

/// The names of all targets.
pub fn targets(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let files = workspace::list(&workspace.root.join("fuzz/targets"))?;
    let stem = |path: &PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    Ok(files.iter().filter_map(stem).collect())
}

/// Builds the targets and runs each for a while: a line about each, or the first that fails.
pub fn all(workspace: &Workspace, names: &[String], seconds: u64) -> Result<Vec<String>, Failure> {
    let place = workspace.target.join("fuzz");
    let host = host()?;
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--target", &host, "--manifest-path"]);
    build.arg(workspace.root.join("fuzz/Cargo.toml")).arg("--target-dir").arg(&place);
    build.env("RUSTFLAGS", INSTRUMENTATION).env_remove("CARGO_TARGET_DIR");
    plugins::step("fuzz targets", build)?;
    let programs = place.join(&host).join("release");
    names.iter().map(|name| one(workspace, &programs, &place, name, seconds)).collect()
}

fn one(
    workspace: &Workspace,
    programs: &Path,
    place: &Path,
    name: &str,
    seconds: u64,
) -> Result<String, Failure> {
    let corpus = place.join("corpus").join(name);
    seed(&workspace.root.join("fuzz/seeds"), name, &corpus)?;
    let mut command = Command::new(programs.join(name));
    command.arg(&corpus).args(["-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/{name}-", place.display()));
    let limit = Duration::from_secs(seconds + 120);
    let finished = process::collect(command, limit, || ())?;
    if !finished.success() {
        let output = process::tail(&finished.output(), 60);
        return Err(Failure::new(format!("{output}\nfuzz {name}: it {}", finished.ending())));
    }
    let runs = finished
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    Ok(format!("{name}: {} inputs, no finding", runs.map_or("?", str::trim)))
}

/// Puts the seeds into the corpus: a line of `NAME.txt` each (`\n` stands for a line break), and the files of `NAME/`.
fn seed(seeds: &Path, name: &str, corpus: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", corpus.display()));
    std::fs::create_dir_all(corpus).map_err(failed)?;
    let lines = seeds.join(format!("{name}.txt"));
    if lines.is_file() {
        for (at, line) in read_text(&lines)?.lines().enumerate() {
            let path = corpus.join(format!("seed{at}"));
            std::fs::write(path, line.replace("\\n", "\n")).map_err(failed)?;
        }
    }
    let folder = seeds.join(name);
    if folder.is_dir() {
        for path in workspace::list(&folder)? {
            let file = path.file_name().unwrap_or_default();
            std::fs::copy(&path, corpus.join(file)).map_err(failed)?;
        }
    }
    Ok(())
}

/// What the compiler calls this machine: instrumentation is for a named target only, or build scripts
/// would get it too.
fn host() -> Result<String, Failure> {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.arg("-vV");
    let text = process::read(command, Duration::from_secs(60))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("rustc -vV names no host"))
}
