//! `gst-mini`: runs launch lines, shows elements and plugins, explains why a plugin is refused.
//!
//! Invariant: everything it does is core's; here are options, words and exit codes.
//! In GStreamer: `tools/gst-launch.c`, `tools/gst-inspect.c`.
//! Left out: `typefind`, `stats`, a position line while it plays.

mod inspect;
mod launch;
mod narrate;
mod output;
mod scan;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Runs and explains media pipelines.
#[derive(Parser)]
#[command(name = "gst-mini", version, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds a pipeline from a launch line and plays it to its end
    Launch(Box<launch::Options>),
    /// Lists all elements, or shows a plugin or an element
    Inspect(inspect::Options),
    /// Explains why a plugin file is taken or refused
    Scan(scan::Options),
}

fn main() -> ExitCode {
    gst_mini_elements::register();
    match Arguments::parse().command {
        Command::Launch(options) => launch::run(*options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Scan(options) => scan::run(&options),
    }
}
