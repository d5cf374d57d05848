//! `gst-mini-scanner` opens one plugin in its own process and says what is in it.
//!
//! It links no element: what is examined is the file's, not this program's.

use gst_mini_core::plugin::scanner;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    scanner::run(&arguments)
}
