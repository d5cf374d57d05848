//! `cargo xtask conform`: recorded behaviour of GStreamer replayed; the program is `gst-mini-conform`.
//!
//! Invariant: arguments, output and exit code are that program's own.
//! Left out: how a case is replayed.

use std::process::Command;

use crate::plugins;
use crate::process::Failure;
use crate::workspace::{Profile, Workspace};

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let workspace = Workspace::open()?;
    crate::demo::become_program(prepare(&workspace)?.args(arguments))
}

/// Builds the program and gives the command that runs it.
pub fn prepare(workspace: &Workspace) -> Result<Command, Failure> {
    let mut build = workspace.cargo();
    build.args(["build", "--package", "gst-mini-conform"]);
    plugins::step("gst-mini-conform", build)?;
    let name = format!("gst-mini-conform{}", std::env::consts::EXE_SUFFIX);
    Ok(Command::new(workspace.programs(Profile::Dev).join(name)))
}
