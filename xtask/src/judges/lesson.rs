//! The lesson of the queue on real threads, beside its exact figures on simulated time.
//!
//! Invariant: what the tour says of threads ("close to these") is measured, not assumed.
//! Left out: the experiments, which are asserted on simulated time alone.

use std::time::Duration;

use crate::demo;
use crate::process::{self, Failure};
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(120);
/// A store that takes half a second longer for each object, for ten seconds in segments of three.
const FLAGS: &[&str] = &["--store-delay", "500ms", "--duration", "10", "--target-duration", "3"];
/// Frames that threads may miss more or fewer than simulated ones: a tenth, and what a busy machine costs.
const SLACK: u64 = 3;

/// Runs both demos in both forms; what the camera missed.
pub fn holds(workspace: &Workspace) -> Result<String, Failure> {
    let [exact, without] = both(workspace, "without-queue")?;
    let [none, with] = both(workspace, "full-pipeline")?;
    let text = format!(
        "missed without a queue {without} (simulated {exact}), with one {with} (simulated {none})"
    );
    let is_close = without.abs_diff(exact) <= exact / 10 + SLACK;
    match none == 0 && exact > 30 && is_close && with <= SLACK {
        true => Ok(text),
        false => Err(Failure::new(format!("{text}: that is not close"))),
    }
}

/// What the camera of a demo misses on simulated time, and on threads.
fn both(workspace: &Workspace, name: &str) -> Result<[u64; 2], Failure> {
    let demo = demo::find(workspace.demos()?, name)?;
    let run = |more: &[&str]| {
        let mut command = demo::prepare(workspace, &demo)?;
        command.args(FLAGS).args(more);
        let printed = process::read(command, LIMIT)?;
        missed(&printed).ok_or_else(|| {
            Failure::new(format!("{printed}\nthe table of {name} has no line with frames missed"))
        })
    };
    Ok([run(&["--sim"])?, run(&[])?])
}

/// The number in the table's line about the frames missed.
fn missed(printed: &str) -> Option<u64> {
    let line = printed.lines().rev().find(|line| line.contains("the camera missed"))?;
    line.split_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_missed_are_read_from_the_table() {
        let printed = "  frames the camera made      499\n  frames the camera missed    101\nx\n";
        assert_eq!(missed(printed), Some(101));
        assert_eq!(missed("frames"), None);
    }
}
