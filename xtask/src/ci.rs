//! `cargo xtask ci`: what the project's checks do on a fresh machine, `.ci/run`.
//!
//! Invariant: there is one list of steps, `test.rs`; the script only installs what they need.
//! Left out: machines without apt; there, install the programs that the skipped steps name.

use std::process::Command;

use crate::process::Failure;
use crate::workspace::Workspace;

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::Usage("ci takes no arguments".to_owned()));
    }
    let script = Workspace::open()?.root.join(".ci/run");
    let status = Command::new(&script)
        .status()
        .map_err(|error| Failure::new(format!("{} cannot be run: {error}", script.display())))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!(".ci/run: {status}"))) }
}
