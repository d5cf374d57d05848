//! `cargo xtask bench --instructions [--update]`: how many instructions the hot paths take, against a baseline.
//!
//! Counted by `valgrind --tool=callgrind`, so the figures do not depend on the machine's speed or on what else runs
//! there: they move with the code, the compiler and, a little, the C library. A figure is the difference of two runs
//! of `gst-mini launch`, one with more buffers, so what it takes to start and stop is not in it.
//!
//! Invariant: a figure above its baseline by more than [`LIMIT_PERCENT`] fails, and so does one that has none.
//! One above it is counted twice more, and the least counts: a thread that the system woke at an odd moment
//! only adds to it.
//! Left out: cycles, cache misses; callgrind only models those.

use std::path::Path;
use std::process::Command;

use super::sides;
use crate::plugins;
use crate::process::{self, Failure, find_program};
use crate::test::{LIMIT, Step, Verdict};
use crate::workspace::{Profile, Workspace};

/// How many percent more than its baseline a figure may take.
const LIMIT_PERCENT: f64 = 5.0;

/// How often a figure is counted at most.
const TIMES: u32 = 3;

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
}

const MANY: [u64; 2] = [2_000, 12_000];
const PAIR: &str = "fakesrc num-buffers=N ! fakesink";

const COUNTS: &[Count] = &[
    Count { name: "pair", line: PAIR, without: None, parts: 1.0, buffers: MANY },
    Count {
        name: "hop",
        line: "fakesrc num-buffers=N ! identity silent=true ! identity silent=true ! identity silent=true ! \
               identity silent=true ! identity silent=true ! identity silent=true ! identity silent=true ! \
               identity silent=true ! identity silent=true ! identity silent=true ! fakesink",
        without: Some(PAIR),
        parts: 10.0,
        buffers: MANY,
    },
    Count {
        name: "queue-crossing",
        line: "fakesrc num-buffers=N ! queue ! fakesink",
        without: Some(PAIR),
        parts: 1.0,
        buffers: MANY,
    },
    // One buffer in two milliseconds, so that each of them is waited for.
    Count {
        name: "clock-wait",
        line: "fakesrc num-buffers=N sizetype=fixed sizemax=1000 format=time datarate=500000 ! fakesink sync=true",
        without: Some(
            "fakesrc num-buffers=N sizetype=fixed sizemax=1000 format=time datarate=500000 ! fakesink",
        ),
        parts: 1.0,
        buffers: [100, 600],
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
            let kept = baseline(workspace)?;
            let figures = measured(workspace, &kept)?;
            judged(&kept, &figures).map(Verdict::Passed)
        }),
    }
}

/// The command: shows the figures, and either keeps them as the baseline or compares them with it.
pub fn run(workspace: &Workspace, update: bool) -> Result<(), Failure> {
    if let Some(missing) = missing() {
        return Err(Failure::new(missing));
    }
    let kept = baseline(workspace)?;
    let figures = measured(workspace, if update { &[] } else { &kept })?;
    if update {
        let path = workspace.root.join(BASELINE);
        let failed = |error| Failure::new(format!("{}: {error}", path.display()));
        std::fs::write(&path, text(&figures)).map_err(failed)?;
        eprintln!("{}", path.display());
        return Ok(());
    }
    println!("{}", judged(&kept, &figures)?);
    Ok(())
}

/// What is missing for counting.
fn missing() -> Option<String> {
    find_program(["valgrind"]).is_none().then(|| {
        "valgrind, which counts the instructions of hot paths, is not installed (apt-get install valgrind)".to_owned()
    })
}

/// All figures; those above what was kept are counted again.
fn measured(
    workspace: &Workspace,
    kept: &[(String, f64)],
) -> Result<Vec<(&'static str, f64)>, Failure> {
    plugins::build_programs(workspace, Profile::Release)?;
    let program = workspace.programs(Profile::Release).join("gst-mini");
    let is_over = |name: &str, figure: f64| {
        let before = kept.iter().find(|(known, _)| known == name);
        before.is_some_and(|(_, before)| figure > before * (1.0 + LIMIT_PERCENT / 100.0))
    };
    let one = |count: &Count| -> Result<f64, Failure> {
        let whole = per_buffer(&program, count.line, count.buffers)?;
        let rest =
            count.without.map_or(Ok(0.0), |line| per_buffer(&program, line, count.buffers))?;
        Ok((whole - rest) / count.parts)
    };
    let least = |count: &Count| -> Result<(&'static str, f64), Failure> {
        let mut least = one(count)?;
        for _ in 1..TIMES {
            if is_over(count.name, least) {
                least = least.min(one(count)?);
            }
        }
        Ok((count.name, least))
    };
    COUNTS.iter().map(least).collect()
}

fn per_buffer(program: &Path, line: &str, [few, many]: [u64; 2]) -> Result<f64, Failure> {
    let took = |buffers: u64| -> Result<f64, Failure> {
        let line = line.replace('N', &buffers.to_string());
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes"]);
        command.arg(program).args(["launch", "-q"]).args(line.split_whitespace());
        // No plugin, so nothing depends on whether the cache was written.
        command.env("GST_MINI_PLUGIN_PATH", "").env("GST_MINI_PLUGIN_SYSTEM_PATH", "");
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
        is_over |= more > LIMIT_PERCENT;
        is_lower |= more < -LIMIT_PERCENT;
        told.push(format!("{name} {figure:.0} ({more:+.1} %)"));
    }
    let told = told.join(", ");
    let update = "`cargo xtask bench --instructions --update` makes these the baseline";
    match (is_over, is_lower) {
        (true, _) => Err(Failure::new(format!(
            "{told}\nmore than {LIMIT_PERCENT} % above {BASELINE}; if that is meant, {update}"
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
        assert!(judge(421.0).unwrap_err().to_string().contains("more than 5 % above"));
        assert!(judge(200.0).unwrap().contains("--update"));
        assert!(judged(&kept, &[("wait", 1.0)]).unwrap_err().to_string().contains("no baseline"));
    }
}
