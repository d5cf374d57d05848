//! `gst-mini launch`: builds a pipeline and drives it to its end, telling what happens.
//!
//! Exit codes: 0 it played to its end; 1 it could not be built, or failed; 2 wrong options, or stopped
//! before its end.
//!
//! Invariant: [`player`] is the same on threads and simulated; only who runs it differs.
//! In GStreamer: `tools/gst-launch.c`.
//! Left out: tables of contents, buffering.

mod hunt;
mod options;
mod player;
mod trace;

pub use options::Options;

use crate::output::line;
use gst_mini_core::diagnosis;
use gst_mini_core::launch;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime::Shared;
use player::{End, Player};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

pub fn run(options: Options) -> ExitCode {
    if let Some(why) = options.refused() {
        eprintln!("ERROR: {why}");
        return ExitCode::from(2);
    }
    if options.wants_version() {
        line(&format!("gst-mini launch version {}", env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    if let Some(rules) = options.log_rules() {
        gst_mini_core::log::choose(&rules);
    }
    if let Err(why) = set_clock(&options.clock) {
        eprintln!("ERROR: --clock: {why}");
        return ExitCode::from(2);
    }
    if options.runtime == "shared" {
        match Shared::new(0) {
            Ok(shared) => shared.install(),
            Err(why) => {
                eprintln!("ERROR: --runtime shared: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    let options = Arc::new(options);
    match options.seeds {
        Some(seeds) => hunt::run(&options, seeds),
        None => once(&options),
    }
}

/// Sets properties of the clock that pipelines without another take.
fn set_clock(properties: &[String]) -> Result<(), String> {
    let clock = SystemClock::obtain();
    properties.iter().try_for_each(|property| {
        let (name, value) = property
            .split_once('=')
            .ok_or_else(|| format!("\"{property}\" is no PROPERTY=VALUE"))?;
        clock.set_property(name, value)
    })
}

fn once(options: &Arc<Options>) -> ExitCode {
    let trace = match options.trace.as_deref().map(trace::start).transpose() {
        Ok(trace) => trace,
        Err(why) => {
            eprintln!("ERROR: {why}");
            return ExitCode::FAILURE;
        }
    };
    let end = if options.sim { simulated(options) } else { play(options, |_| {}) };
    let mut code = match end {
        End::Eos => ExitCode::SUCCESS,
        End::Failed => ExitCode::FAILURE,
        End::Stopped => ExitCode::from(2),
    };
    if let Some(Err(why)) = trace.map(trace::Trace::end) {
        eprintln!("ERROR: {why}");
        code = ExitCode::FAILURE;
    }
    code
}

fn simulated(options: &Arc<Options>) -> End {
    let shown = Arc::new(Mutex::new(None));
    let (inside, out) = (options.clone(), shown.clone());
    // On a thread of its own, so that after a deadlock everything stays as it is and can be looked at.
    let ended = Sim::new(options.seed).run_apart(move || {
        play(&inside, |pipeline| {
            if let Ok(mut shown) = out.lock() {
                *shown = Some(pipeline.clone());
            }
        })
    });
    ended.unwrap_or_else(|deadlock| {
        let pipeline = shown.lock().ok().and_then(|mut shown| shown.take());
        eprintln!("ERROR: {}", explain(pipeline.as_ref(), &deadlock));
        // Destructors would wait for tasks that never run again.
        std::mem::forget(pipeline);
        End::Failed
    })
}

fn explain(pipeline: Option<&Bin>, deadlock: &gst_mini_core::runtime::Deadlock) -> String {
    match pipeline {
        Some(pipeline) => diagnosis::deadlock(pipeline, deadlock),
        None => deadlock.to_string(),
    }
}

/// The launch line as one text.
fn text(options: &Options) -> String {
    // One argument is a whole line in quotes; of several, each is a word.
    match options.pipeline.as_slice() {
        [line] => line.clone(),
        words => launch::split_args(words),
    }
}

/// Builds the pipeline, shows it to `built`, and plays it.
fn play(options: &Options, built: impl FnOnce(&Bin)) -> End {
    match parse_launch(&text(options)) {
        Ok(pipeline) => {
            built(&pipeline);
            Player::new(options, pipeline).run(|_, _| {})
        }
        Err(error) => {
            eprintln!("ERROR: pipeline could not be constructed: {error}");
            End::Failed
        }
    }
}
