//! Programs that others made judge what the project makes: players, and a store with signatures.
//!
//! Invariant: a judge decides by its own reading of the result; nothing of ours is asked.
//! Left out: Apple's validator, which runs on its own systems only.

use crate::process::find_program;
use crate::test::{Step, Verdict, run_quietly};

/// All judges, those that need least first.
pub fn steps() -> Vec<Step> {
    vec![Step {
        name: "recordings",
        repeat: "cargo test --package gst-mini-elements --test hls_players -- --ignored".to_owned(),
        run: Box::new(|workspace| {
            if let Some(missing) = missing(&["ffmpeg", "ffprobe", "gst-launch-1.0"]) {
                return Ok(missing);
            }
            let mut command = workspace.cargo();
            command.args(["test", "--package", "gst-mini-elements", "--test", "hls_players"]);
            command.args(["--", "--ignored"]);
            run_quietly(command)
        }),
    }]
}

/// The verdict if one of these programs is not there.
fn missing(programs: &[&str]) -> Option<Verdict> {
    let absent = programs.iter().find(|name| find_program([**name]).is_none())?;
    Some(Verdict::Skipped(format!("{absent} is not installed")))
}
