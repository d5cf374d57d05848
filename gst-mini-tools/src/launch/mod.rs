//! `gst-mini launch`: builds a pipeline and drives it to its end, telling what happens.
//!
//! ```text
//! PAUSED ─▶ prerolled? ─▶ PLAYING ─▶ EOS, an error, or Ctrl-C (which asks the sources to end) ─▶ NULL
//! ```
//!
//! Exit codes: 0 it played to its end; 1 it could not be built, or failed; 2 wrong options, or stopped
//! before its end.
//!
//! Invariant: it only ever waits on the bus; a signal becomes a message on it.
//! In GStreamer: `tools/gst-launch.c`.
//! Left out: tables of contents, the position line, buffering.

mod options;

pub use options::Options;

use crate::narrate;
use crate::output::line;
use gst_mini_core::prelude::*;
use gst_mini_core::{launch, runtime, tracer};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// How long to wait for preroll before saying who is waited for.
const PREROLL_PATIENCE: ClockTime = ClockTime::from_secs(5);
/// Name of the message a signal becomes.
const INTERRUPT: &str = "interrupt";

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Eos,
    Failed,
    Stopped,
}

pub fn run(options: &Options) -> ExitCode {
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
    let trace = match options.trace.as_deref().map(start_trace).transpose() {
        Ok(trace) => trace,
        Err(why) => {
            eprintln!("ERROR: {why}");
            return ExitCode::FAILURE;
        }
    };
    let end = if options.sim {
        Sim::new(options.seed).run(|| play(options)).unwrap_or_else(|deadlock| {
            eprintln!("ERROR: {deadlock}");
            End::Failed
        })
    } else {
        play(options)
    };
    let mut code = match end {
        End::Eos => ExitCode::SUCCESS,
        End::Failed => ExitCode::FAILURE,
        End::Stopped => ExitCode::from(2),
    };
    if let Some(file) = trace {
        tracer::trace_to(None);
        if let Err(error) = file.lock().map_or(Ok(()), |mut file| file.flush()) {
            eprintln!("ERROR: the trace could not be written: {error}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

type TraceFile = Arc<Mutex<BufWriter<std::fs::File>>>;

fn start_trace(place: &Path) -> Result<TraceFile, String> {
    let file = std::fs::File::create(place)
        .map_err(|error| format!("the trace {} cannot be written: {error}", place.display()))?;
    let file: TraceFile = Arc::new(Mutex::new(BufWriter::new(file)));
    let writer = file.clone();
    tracer::trace_to(Some(Box::new(move |text| {
        if let Ok(mut file) = writer.lock() {
            // What cannot be written is found again by the flush at the end.
            let _ = writeln!(file, "{text}");
        }
    })));
    Ok(file)
}

fn play(options: &Options) -> End {
    // One argument is a whole line in quotes; of several, each is a word.
    let text = match options.pipeline.as_slice() {
        [line] => line.clone(),
        words => launch::split_args(words),
    };
    let pipeline = match parse_launch(&text) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            eprintln!("ERROR: pipeline could not be constructed: {error}");
            return End::Failed;
        }
    };
    let mut player = Player { options, pipeline, interrupted: false };
    // A foreign thread can wake no task of a simulation; there Ctrl-C simply ends the program.
    if !options.sim
        && let Err(error) = listen_to_signals(player.pipeline.bus())
    {
        eprintln!("WARNING: Ctrl-C will not end the stream first: {error}");
    }
    let end = player.play();
    player.say("Setting pipeline to NULL ...");
    player.statistics();
    player.pipeline.set_state(State::Null);
    player.say("Freeing pipeline ...");
    end
}

/// Turns signals into messages; the thread lives as long as the program.
fn listen_to_signals(bus: Arc<Bus>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let listener = move || {
        for _ in signals.forever() {
            let what = MessageKind::Application(Structure::new(INTERRUPT));
            bus.post(Message::new("gst-mini", what));
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listener).map(drop)
}

struct Player<'a> {
    options: &'a Options,
    pipeline: Bin,
    interrupted: bool,
}

impl Player<'_> {
    fn say(&self, text: &str) {
        if !self.options.quiet {
            line(text);
        }
    }

    fn play(&mut self) -> End {
        self.pipeline.watch_properties(self.options.verbose);
        self.say("Setting pipeline to PAUSED ...");
        match self.pipeline.set_state(State::Paused) {
            StateReturn::Failure => {
                eprintln!("ERROR: Pipeline doesn't want to pause.");
                self.tell_what_is_left();
                return End::Failed;
            }
            StateReturn::NoPreroll => {
                self.say("Pipeline is live and does not need PREROLL ...");
            }
            StateReturn::Async => {
                self.say("Pipeline is PREROLLING ...");
                if let Some(end) = self.preroll() {
                    return end;
                }
            }
            StateReturn::Success => {}
        }
        self.say("Pipeline is PREROLLED ...");
        self.say("Setting pipeline to PLAYING ...");
        if self.pipeline.set_state(State::Playing) == StateReturn::Failure {
            eprintln!("ERROR: pipeline doesn't want to play.");
            self.tell_what_is_left();
            return End::Failed;
        }
        let began = runtime::now();
        let end = self.until_the_end();
        self.say(&format!("Execution ended after {}", runtime::now().since(began)));
        end
    }

    /// Waits until all sinks have their first buffer; the end, if it comes to that first.
    fn preroll(&mut self) -> Option<End> {
        let mut patience = Some(PREROLL_PATIENCE);
        loop {
            let Some(message) = self.pipeline.bus().timed_pop(patience) else {
                patience = None;
                self.tell_who_waits();
                continue;
            };
            self.tell(&message);
            match message.kind {
                MessageKind::AsyncDone { .. } if message.source == self.pipeline.name() => {
                    return None;
                }
                MessageKind::Error(_) => {
                    eprintln!("ERROR: pipeline doesn't want to preroll.");
                    return Some(End::Failed);
                }
                MessageKind::Application(what) if what.name() == INTERRUPT => {
                    self.say("Interrupt: Stopping pipeline ...");
                    return Some(End::Stopped);
                }
                _ => {}
            }
        }
    }

    /// A pipeline that does not preroll is the most common riddle; the names are half of the answer.
    fn tell_who_waits(&self) {
        let mut names = Vec::new();
        waiting(&self.pipeline, &mut names);
        let names =
            if names.is_empty() { "none of its elements".to_owned() } else { names.join(", ") };
        eprintln!(
            "Pipeline has not prerolled after {} s; it waits for {names}. A sink waits for its first buffer: \
             does data reach it? A branch after a tee needs a queue of its own.",
            PREROLL_PATIENCE.nanos() / 1_000_000_000
        );
    }

    fn until_the_end(&mut self) -> End {
        loop {
            let Some(message) = self.pipeline.bus().timed_pop(None) else { continue };
            self.tell(&message);
            match message.kind {
                MessageKind::Eos => {
                    self.say(&format!("Got EOS from element \"{}\".", message.source));
                    if self.interrupted || self.options.eos_on_shutdown {
                        self.say("EOS received - stopping pipeline...");
                    }
                    return End::Eos;
                }
                MessageKind::Error(_) => return End::Failed,
                MessageKind::ClockLost(_) => {
                    self.say("Clock lost, selecting a new one");
                    self.pipeline.set_state(State::Paused);
                    self.pipeline.set_state(State::Playing);
                }
                MessageKind::RequestState(state) => {
                    let from = &message.source;
                    self.say(&format!("Setting state to {state} as requested by {from}..."));
                    self.pipeline.set_state(state);
                }
                MessageKind::Application(what) if what.name() == INTERRUPT => {
                    if self.interrupted {
                        self.say("Interrupt: Stopping pipeline at once ...");
                        return End::Stopped;
                    }
                    self.interrupted = true;
                    self.say("handling interrupt.\nInterrupt: Stopping pipeline ...");
                    self.say("EOS on shutdown enabled -- Forcing EOS on the pipeline");
                    self.say("Waiting for EOS... (again to stop at once)");
                    self.pipeline.send_event(Event::new(EventKind::Eos));
                }
                _ => {}
            }
        }
    }

    /// Messages that came before a state change failed say why it did.
    fn tell_what_is_left(&self) {
        while let Some(message) = self.pipeline.bus().pop() {
            self.tell(&message);
        }
    }

    fn tell(&self, message: &Message) {
        let options = self.options;
        if options.messages {
            self.say(&narrate::message(&self.pipeline, message));
        }
        let place = || narrate::source_path(&self.pipeline, &message.source);
        match &message.kind {
            MessageKind::Error(error) => eprintln!("{}", narrate::story("ERROR", &place(), error)),
            MessageKind::Warning(error) => {
                eprintln!("{}", narrate::story("WARNING", &place(), error))
            }
            MessageKind::Info(error) => self.say(&narrate::story("INFO", &place(), error)),
            MessageKind::PropertyNotify { name, value }
                if options.verbose && !options.exclude.contains(name) =>
            {
                self.say(&narrate::property(&place(), name, value.as_ref()));
            }
            MessageKind::NewClock(clock) => self.say(&format!("New clock: {clock}")),
            MessageKind::Latency => self.say("Redistribute latency..."),
            MessageKind::Tag(tags) if options.tags => {
                let from = narrate::from(&self.pipeline, &message.source);
                self.say(&format!("FOUND TAG      : found by {from}."));
                for (tag, value) in tags.fields() {
                    self.say(&narrate::tag(tag, value));
                }
            }
            _ => {}
        }
    }

    /// What elements counted: every number among their read-only properties.
    fn statistics(&self) {
        if !self.options.stats {
            return;
        }
        line("Statistics:");
        let mut elements = Vec::new();
        leaves(&self.pipeline, &mut elements);
        for element in elements {
            for spec in element.properties() {
                let is_told = spec.name != "last-message"
                    && !spec.has(gst_mini_core::plugin::abi::GM_PROP_WRITABLE);
                let value = element.get_shown(&spec.name).unwrap_or_default();
                if is_told && !value.is_empty() {
                    let unit = if spec.unit.is_empty() { "" } else { " " };
                    line(&format!(
                        "  {:<16} {:<24} {value}{unit}{}",
                        element.name(),
                        spec.name,
                        spec.unit
                    ));
                }
            }
        }
    }
}

/// The elements whose state change has not ended, in bins too.
fn waiting(bin: &Bin, names: &mut Vec<String>) {
    for child in bin.children() {
        match Bin::from_element(&child) {
            Some(inner) => waiting(&inner, names),
            None if child.state(Some(ClockTime::ZERO)).0 == StateReturn::Async => {
                names.push(child.name().to_owned());
            }
            None => {}
        }
    }
}

/// All elements that are no bins.
fn leaves(bin: &Bin, elements: &mut Vec<ElementRef>) {
    for child in bin.children() {
        match Bin::from_element(&child) {
            Some(inner) => leaves(&inner, elements),
            None => elements.push(child),
        }
    }
}
