//! What plugins cost: a hop through a loaded element beside a linked one, and a start with many of them.
//!
//! Invariant: linked and loaded elements are of one source, in one line, in one program.
//! Left out: GStreamer, whose elements are all loaded, and the disk: the files were read before.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::list::Sample;
use super::sides::{Side, Sides};
use crate::process::{self, Failure, find_program};

const HOPS: usize = 10;
const BUFFERS: &str = "200000";

/// What each of ten elements that do nothing adds, in both forms.
pub fn hop(sides: &Sides, side: Side) -> Result<Sample, Failure> {
    let line = |hops: &str| format!("fakesrc num-buffers={BUFFERS} ! {hops}fakesink");
    let (none, all) = (line(""), line(&"fixturethrough ! ".repeat(HOPS)));
    let per_hop = |first: &[&str]| {
        let run = |line: &str| sides.figure(side, &[first, &["run", BUFFERS, line]].concat(), "ns");
        Ok::<f64, Failure>((run(&all)? - run(&none)?) / HOPS as f64)
    };
    let (linked, loaded) = (per_hop(&["--linked"])?, per_hop(&[])?);
    Ok(vec![("linked_ns".to_owned(), linked), ("loaded_ns".to_owned(), loaded)])
}

/// Medians of whole processes: with every plugin to be examined, and with all of them remembered.
pub fn start(sides: &Sides, _: Side) -> Result<Sample, Failure> {
    let mut figures = Sample::new();
    for count in [0, 10, 100] {
        let folder = sides.scratch.join(format!("plugins-{count}"));
        make(&sides.workspace.root, &folder, count)?;
        let cache = folder.join("registry.bin");
        let mut cold = Vec::new();
        let mut cached = Vec::new();
        for _ in 0..5 {
            let _ = std::fs::remove_file(&cache);
            cold.push(inspect(sides, &folder, &cache)?);
            cached.push(inspect(sides, &folder, &cache)?);
        }
        for (name, mut times) in [("cold", cold), ("cached", cached)] {
            times.sort_by(f64::total_cmp);
            figures.push((format!("{name}_{count}_ms"), times[times.len() / 2]));
        }
    }
    Ok(figures)
}

fn inspect(sides: &Sides, folder: &Path, cache: &Path) -> Result<f64, Failure> {
    let mut command = Command::new(sides.tool());
    // A line of elements that are linked in looks for no plugin; this names them all.
    command.args(["inspect", "fakesrc"]);
    command.env("GST_MINI_PLUGIN_PATH", folder).env("GST_MINI_PLUGIN_SYSTEM_PATH", folder);
    command.env("GST_MINI_REGISTRY", cache).env_remove("GST_MINI_PLUGIN_SCANNER");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status();
    let took = began.elapsed();
    match status.is_ok_and(|status| status.success()) {
        true => Ok(took.as_secs_f64() * 1e3),
        false => Err(Failure::new(format!("{} failed", process::shown(&command)))),
    }
}

/// So many plugins, each with an element of its own; those that are there stay.
fn make(root: &Path, folder: &Path, count: usize) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let compiler = find_program(["cc", "gcc", "clang"])
        .ok_or_else(|| Failure::new("no C compiler was found; apt-get install gcc"))?;
    for number in 0..count {
        let file = folder.join(format!("libgstminip{number}.so"));
        if file.is_file() {
            continue;
        }
        let mut command = Command::new(&compiler);
        command.args(["-shared", "-fPIC", "-I"]).arg(root.join("include"));
        command.arg(format!("-DNAME=p{number}")).arg(format!("-DNAME_TEXT=\"p{number}\""));
        command.arg(root.join("gst-mini-tools/tests/support/element.c")).arg("-o").arg(&file);
        process::read(command, Duration::from_secs(60))?;
    }
    Ok(())
}
