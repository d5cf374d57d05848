//! `gst-mini scan FILE`: examines one plugin anew and says what came of it.

use crate::{inspect, output};
use gst_mini_core::plugin::loader;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// The plugin's file, such as libgstminis3.so
    file: PathBuf,
}

pub fn run(options: &Options) -> ExitCode {
    match loader::explain(&options.file) {
        Ok(info) => {
            output::text(&inspect::list::plugin_details(&info, &options.file));
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            eprintln!("{refusal}");
            ExitCode::FAILURE
        }
    }
}
