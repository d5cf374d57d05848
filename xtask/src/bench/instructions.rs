//! `cargo xtask bench --instructions [--update]`: how many instructions the hot paths take, against a baseline.
//!
//! Counted by `valgrind --tool=callgrind`, so the figures do not depend on the machine's speed or on what else runs
//! there: they move with the code, the compiler and, a little, the C library. A figure is the difference of two runs
//! of a line, one with more buffers, so what it takes to start and stop is not in it.
//!
//! Invariant: a figure above its baseline by more than its limit fails, and so does one that has none.
//! Left out: cycles, cache misses; callgrind only models those.

use std::path::Path;
use std::process::Command;

use super::sides;
use crate::process::{self, Failure, find_program};
use crate::test::{LIMIT, Step, Verdict};
use crate::workspace::Workspace;

/// Where the baseline is, from the workspace's root.
const BASELINE: &str = "gst-mini-bench/instructions.txt";

/// One figure: what the first line costs for a buffer more than the second.
struct Count {
    name: &'static str,
    /// `N` stands for the number of buffers.
    line: &'static str,
    /// What is not to be counted.
    without: Option<&'static str>,
    /// The figure is the difference over this many.
    parts: f64,
    /// Buffers of the shorter and of the longer run.
    buffers: [u64; 2],
    /// How many percent more than its baseline it may take.
    limit: f64,
}

const MANY: [u64; 2] = [2_000, 12_000];
const PAIR: &str = "fakesrc num-buffers=N ! fakesink";

const COUNTS: &[Count] = &[
    Count { name: "pair", line: PAIR, without: None, parts: 1.0, buffers: MANY, limit: 5.0 },
    Count {
        name: "hop",
        line: "fakesrc num-buffers=N ! identity silent=true ! identity silent=true ! identity silent=true ! \
               identity silent=true ! identity silent=true ! identity silent=true ! identity silent=true ! \
               identity silent=true ! identity silent=true ! identity silent=true ! fakesink",
        without: Some(PAIR),
        parts: 10.0,
        buffers: MANY,
        limit: 5.0,
    },
    Count {
        name: "queue-crossing",
        line: "fakesrc num-buffers=N ! queue ! fakesink",
        without: Some(PAIR),
        parts: 1.0,
        buffers: MANY,
        limit: 5.0,
    },
    // One buffer in two milliseconds, so that each of them is waited for. The last microseconds of a wait are spent
    // reading the clock, and how often depends on when the system woke the thread.
    Count {
        name: "clock-wait",
        line: "fakesrc num-buffers=N sizetype=fixed sizemax=1000 format=time datarate=500000 ! fakesink sync=true",
        without: Some(
            "fakesrc num-buffers=N sizetype=fixed sizemax=1000 format=time datarate=500000 ! fakesink",
        ),
        parts: 1.0,
        buffers: [100, 600],
        limit: 25.0,
    },
];

/// The step of `cargo xtask test`.
pub fn step() -> Step {
    Step {
        name: "instructions",
        repeat: "cargo xtask bench --instructions".to_owned(),
        run: Box::new(|workspace| {
            if let Some(missing) = missing() {
                return Ok(Verdict::Skipped(missing));
            }
            let figures = measured(workspace)?;
            judged(&baseline(workspace)?, &figures).map(Verdict::Passed)
        }),
    }
}

/// The command: shows the figures, and either keeps them as the baseline or compares them with it.
pub fn run(workspace: &Workspace, update: bool) -> Result<(), Failure> {
    if let Some(missing) = missing() {
        return Err(Failure::new(missing));
    }
    let figures = measured(workspace)?;
    if update {
        let path = workspace.root.join(BASELINE);
        let failed = |error| Failure::new(format!("{}: {error}", path.display()));
        std::fs::write(&path, text(&figures)).map_err(failed)?;
        eprintln!("{}", path.display());
        return Ok(());
    }
    println!("{}", judged(&baseline(workspace)?, &figures)?);
    Ok(())
}

/// What is missing for counting.
fn missing() -> Option<String> {
    find_program(["valgrind"]).is_none().then(|| {
        "valgrind, which counts the instructions of hot paths, is not installed (apt-get install valgrind)".to_owned()
    })
}

fn measured(workspace: &Workspace) -> Result<Vec<(&'static str, f64)>, Failure> {
    let program = sides::build_ours(workspace)?;
    COUNTS
        .iter()
        .map(|count| {
            let whole = per_buffer(&program, count.line, count.buffers)?;
            let rest =
                count.without.map_or(Ok(0.0), |line| per_buffer(&program, line, count.buffers))?;
            Ok((count.name, (whole - rest) / count.parts))
        })
        .collect()
}

fn per_buffer(program: &Path, line: &str, [few, many]: [u64; 2]) -> Result<f64, Failure> {
    let took = |buffers: u64| -> Result<f64, Failure> {
        let number = buffers.to_string();
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes"]);
        command.arg(program).args(["run", &number, &line.replace('N', &number)]);
        let shown = process::shown(&command);
        let finished = process::collect(command, LIMIT, || ())?;
        match (finished.success(), collected(&finished.stderr)) {
            (true, Some(count)) => Ok(count),
            _ => {
                let text = process::tail(&finished.output(), 40);
                Err(Failure::new(format!("{text}\n{shown}: {}", finished.ending())))
            }
        }
    };
    Ok((took(many)? - took(few)?) / (many - few) as f64)
}

/// The number in callgrind's line `==123== Collected : 4567`.
fn collected(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.split_whitespace().next_back()?.parse().ok()
}

/// The baseline as it is kept.
fn text(figures: &[(&str, f64)]) -> String {
    let mut text = "# Instructions a buffer, by callgrind; `cargo xtask bench --instructions --update` writes this file.\n"
        .to_owned();
    for (name, figure) in figures {
        text += &format!("{name} {figure:.0}\n");
    }
    text
}

fn baseline(workspace: &Workspace) -> Result<Vec<(String, f64)>, Failure> {
    let path = workspace.root.join(BASELINE);
    let read = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(sides::figures(&read))
}

/// A line on all figures; an error if one of them is too high.
fn judged(baseline: &[(String, f64)], figures: &[(&str, f64)]) -> Result<String, Failure> {
    let (mut told, mut is_over, mut is_lower) = (Vec::new(), false, false);
    for (name, figure) in figures {
        let Some((_, before)) = baseline.iter().find(|(known, _)| known == name) else {
            is_over = true;
            told.push(format!("{name} {figure:.0}, and no baseline"));
            continue;
        };
        let more = (figure / before - 1.0) * 100.0;
        let limit =
            COUNTS.iter().find(|count| count.name == *name).map_or(5.0, |count| count.limit);
        is_over |= more > limit;
        is_lower |= more < -limit;
        told.push(format!("{name} {figure:.0} ({more:+.1} %)"));
    }
    let told = told.join(", ");
    let update = "`cargo xtask bench --instructions --update` makes these the baseline";
    match (is_over, is_lower) {
        (true, _) => Err(Failure::new(format!(
            "{told}\nmore above {BASELINE} than is allowed; if that is meant, {update}"
        ))),
        (_, true) => Ok(format!("{told}; {update}")),
        _ => Ok(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrinds_total_is_read() {
        let text = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(collected(text), Some(123_456.0));
        assert_eq!(collected("==7== \n"), None);
    }

    #[test]
    fn a_figure_above_its_limit_or_without_a_baseline_fails() {
        let kept = sides::figures(&text(&[("hop", 400.0), ("pair", 1000.0)]));
        let judge = |hop: f64| judged(&kept, &[("hop", hop), ("pair", 1000.0)]);
        assert_eq!(judge(419.0), Ok("hop 419 (+4.8 %), pair 1000 (+0.0 %)".to_owned()));
        assert!(judge(421.0).unwrap_err().to_string().contains("more above"));
        assert!(judge(200.0).unwrap().contains("--update"));
        assert!(judged(&kept, &[("wait", 1.0)]).unwrap_err().to_string().contains("no baseline"));
    }
}
