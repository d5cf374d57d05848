//! The options of `gst-mini launch`, at any place before, in or after the launch line.
//!
//! Invariant: an option of `gst-launch-1.0` means the same here, or is refused with a sentence.
//! In GStreamer: `tools/gst-launch.c` (`real_main`), `gst/gst.c` (`gst_init_get_option_group`).
//! Left out: what is refused in [`Options::refused`].

use std::path::PathBuf;

#[derive(Clone, clap::Args)]
pub struct Options {
    /// Output status information and property notifications
    #[arg(short, long)]
    pub verbose: bool,
    /// Output messages
    #[arg(short, long)]
    pub messages: bool,
    /// Output tags (also known as metadata)
    #[arg(short, long)]
    pub tags: bool,
    /// Do not print any progress information
    #[arg(short, long)]
    pub quiet: bool,
    /// Do not output status information for this property if verbose output is enabled; can be
    /// used several times
    #[arg(short = 'X', long, value_name = "PROPERTY")]
    pub exclude: Vec<String>,
    /// End the stream before shutting down on Ctrl-C. It is always done; a second Ctrl-C stops at once
    #[arg(short, long)]
    pub eos_on_shutdown: bool,
    /// Do not install a fault handler. There never is one
    #[arg(short = 'f', long)]
    pub no_fault: bool,
    /// Do not print the position in the stream, which is done where standard output is a terminal
    #[arg(long)]
    pub no_position: bool,
    /// Print the position in the stream even where standard output is no terminal
    #[arg(long)]
    pub force_position: bool,
    /// Print the version and exit
    #[arg(long)]
    pub version: bool,
    /// Run on simulated time: one task at a time, and no waiting
    #[arg(long)]
    pub sim: bool,
    /// Decides what the simulation leaves open; the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 0, requires = "sim")]
    pub seed: u64,
    /// Run the line once for each of these seeds, and stop at the first run in which something goes wrong: a
    /// deadlock, a buffer lost or doubled, time that runs backwards, events out of order
    #[arg(long, value_name = "FIRST..LAST", requires = "sim", conflicts_with = "seed")]
    pub seeds: Option<super::hunt::Seeds>,
    /// Write what happened when to a file, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Set a property of the system clock, in ns: spin=100000 burns the last 100 us of each wait for the
    /// sake of exactness, grid=1000000 ends waits at whole milliseconds so that they share wake-ups; can be
    /// used several times
    #[arg(long, value_name = "PROPERTY=VALUE")]
    pub clock: Vec<String>,
    /// What tasks run on: threads, one for each task, or shared, one for each core, on which tasks wait and wake
    /// without the system; for very many live streams. A task that blocks in a file or the network holds up others then
    #[arg(long, value_name = "FORM", value_parser = ["threads", "shared"], default_value = "threads",
          conflicts_with = "sim")]
    pub runtime: String,
    /// At the end, print what the elements counted
    #[arg(long)]
    pub stats: bool,
    #[command(flatten)]
    gst: GstOptions,
    /// The launch line: elements and properties, separated by `!`
    #[arg(value_name = "PIPELINE")]
    pub pipeline: Vec<String>,
}

/// The options every GStreamer program has.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Options of every GStreamer program")]
struct GstOptions {
    /// Print the version and exit
    #[arg(long)]
    gst_version: bool,
    /// Log lines to write, as GST_MINI_DEBUG: queue:5,*:2
    #[arg(long, value_name = "LIST")]
    gst_debug: Option<String>,
    /// Level of the log lines to write, for all categories, from 1 (only error) to 9 or 0 for none
    #[arg(long, value_name = "LEVEL")]
    gst_debug_level: Option<u32>,
    /// Write no log lines
    #[arg(long)]
    gst_debug_disable: bool,
    /// Do not color log lines. They never are
    #[arg(long)]
    gst_debug_no_color: bool,
    /// Whether to color log lines: off, disable or auto
    #[arg(long, value_name = "MODE")]
    gst_debug_color_mode: Option<String>,
    /// Do not trap segmentation faults. It is never done
    #[arg(long)]
    gst_disable_segtrap: bool,
    #[arg(long, hide = true)]
    gst_debug_help: bool,
    #[arg(long, hide = true)]
    gst_fatal_warnings: bool,
    #[arg(long, hide = true)]
    gst_plugin_spew: bool,
    #[arg(long, hide = true, value_name = "PATHS")]
    gst_plugin_path: Option<String>,
    #[arg(long, hide = true, value_name = "PLUGINS")]
    gst_plugin_load: Option<String>,
    #[arg(long, hide = true)]
    gst_disable_registry_update: bool,
    #[arg(long, hide = true)]
    gst_disable_registry_fork: bool,
    #[arg(short = 'c', long, hide = true)]
    toc: bool,
}

impl Options {
    /// Whether only the version is asked for.
    pub fn wants_version(&self) -> bool {
        self.version || self.gst.gst_version
    }

    /// The log rules asked for, in the form of `GST_MINI_DEBUG`.
    pub fn log_rules(&self) -> Option<String> {
        if self.gst.gst_debug_disable {
            return Some("0".to_owned());
        }
        let level = self.gst.gst_debug_level.map(|level| level.to_string());
        let rules: Vec<String> = level.into_iter().chain(self.gst.gst_debug.clone()).collect();
        (!rules.is_empty()).then(|| rules.join(","))
    }

    /// Why an option that GStreamer knows is not taken here.
    pub fn refused(&self) -> Option<&'static str> {
        let gst = &self.gst;
        let colors = gst.gst_debug_color_mode.as_deref();
        let rules = [
            (self.gst.toc, "--toc: no element here makes tables of contents"),
            (
                gst.gst_debug_help,
                "--gst-debug-help: log categories are the names of elements; see gst-mini inspect",
            ),
            (
                gst.gst_fatal_warnings,
                "--gst-fatal-warnings: log lines do not end the program; an element's errors do",
            ),
            (
                gst.gst_plugin_spew,
                "--gst-plugin-spew: gst-mini scan FILE tells of one plugin, gst-mini inspect of all",
            ),
            (
                gst.gst_plugin_path.is_some(),
                "--gst-plugin-path: set the environment variable GST_MINI_PLUGIN_PATH",
            ),
            (
                gst.gst_plugin_load.is_some(),
                "--gst-plugin-load: a plugin is loaded when an element of it is used",
            ),
            (
                gst.gst_disable_registry_update,
                "--gst-disable-registry-update: a plugin is examined once for each change",
            ),
            (
                gst.gst_disable_registry_fork,
                "--gst-disable-registry-fork: plugins are always examined in a child process",
            ),
            (
                colors.is_some_and(|mode| !["off", "disable", "auto"].contains(&mode)),
                "--gst-debug-color-mode: log lines have no colors; off, disable and auto are taken",
            ),
            (
                self.sim && self.force_position,
                "--force-position: on simulated time nobody waits for a position; use --trace",
            ),
            (
                self.pipeline.is_empty() && !self.wants_version(),
                "no launch line; write elements separated by `!`, as in: gst-mini launch videotestsrc num-buffers=10 ! fakesink",
            ),
        ];
        rules.into_iter().find(|(is_given, _)| *is_given).map(|(_, why)| why)
    }
}
