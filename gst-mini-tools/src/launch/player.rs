//! Drives one pipeline from its first state to its last, and tells what happens.
//!
//! ```text
//! PAUSED ─▶ prerolled? ─▶ PLAYING ─▶ EOS, an error, or Ctrl-C (which asks the sources to end) ─▶ NULL
//! ```
//!
//! Invariant: it only ever waits on the bus; a signal becomes a message on it.
//! In GStreamer: `tools/gst-launch.c` (`bus_handler`, `do_initial_play`).
//! Left out: buffering, which no element here does; progress messages.

use super::Options;
use crate::narrate;
use crate::output::{line, text};
use gst_mini_core::prelude::*;
use gst_mini_core::segment::Format;
use gst_mini_core::time::AbsoluteTime;
use gst_mini_core::{diagnosis, runtime};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::IsTerminal;
use std::sync::Arc;

/// How long to wait for preroll before saying who is waited for.
const PREROLL_PATIENCE: ClockTime = ClockTime::from_secs(5);
/// How often the position is printed.
const POSITION_INTERVAL: ClockTime = ClockTime::from_nanos(100_000_000);
/// Name of the message a signal becomes.
const INTERRUPT: &str = "GstLaunchInterrupt";

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Eos,
    Failed,
    Stopped,
}

pub struct Player<'a> {
    options: &'a Options,
    pipeline: Bin,
    target: State,
    /// When it began to play.
    began: Option<AbsoluteTime>,
    /// How much longer to wait for preroll in silence.
    patience: Option<AbsoluteTime>,
    shows_position: bool,
    interrupted: bool,
    is_live: bool,
    /// Elements gather data; the pipeline waits in PAUSED.
    is_buffering: bool,
}

impl<'a> Player<'a> {
    pub fn new(options: &'a Options, pipeline: Bin) -> Player<'a> {
        let wanted = options.force_position || std::io::stdout().is_terminal();
        let shows_position = wanted && !(options.no_position || options.sim || options.quiet);
        Player {
            options,
            pipeline,
            target: State::Paused,
            began: None,
            patience: None,
            shows_position,
            interrupted: false,
            is_live: false,
            is_buffering: false,
        }
    }

    /// Plays. `ended` is called between the end and the way down to NULL.
    pub fn run(mut self, ended: impl FnOnce(&Bin, End)) -> End {
        // A foreign thread can wake no task of a simulation; there Ctrl-C simply ends the program.
        if !self.options.sim
            && let Err(error) = listen_to_signals(self.pipeline.bus())
        {
            eprintln!("WARNING: Ctrl-C will not end the stream first: {error}");
        }
        let end = self.play();
        if let Some(began) = self.began {
            self.say(&format!("Execution ended after {}", runtime::now().since(began)));
        }
        ended(&self.pipeline, end);
        // Caps that go away on the way down are noise.
        self.pipeline.watch_properties(false);
        self.statistics();
        self.say("Setting pipeline to NULL ...");
        self.pipeline.set_state(State::Null);
        self.say("Freeing pipeline ...");
        end
    }

    fn say(&self, text: &str) {
        if !self.options.quiet {
            line(text);
        }
    }

    fn play(&mut self) -> End {
        self.pipeline.watch_properties(self.options.verbose);
        // Should it not preroll, who waits for what is known.
        runtime::note_waits(!self.options.sim);
        self.say("Setting pipeline to PAUSED ...");
        match self.pipeline.set_state(State::Paused) {
            StateReturn::Failure => {
                self.tell_what_is_left();
                eprintln!("Failed to set pipeline to PAUSED.");
                return End::Failed;
            }
            StateReturn::NoPreroll => {
                self.is_live = true;
                self.say("Pipeline is live and does not need PREROLL ...");
            }
            StateReturn::Async => {
                self.say("Pipeline is PREROLLING ...");
                self.patience = Some(runtime::now() + PREROLL_PATIENCE);
            }
            StateReturn::Success => {}
        }
        loop {
            let message = self.pipeline.bus().timed_pop(self.how_long());
            let Some(message) = message else {
                self.pass_time();
                continue;
            };
            self.tell(&message);
            if let Some(end) = self.react(message) {
                return end;
            }
        }
    }

    fn how_long(&self) -> Option<ClockTime> {
        if self.began.is_some() && self.shows_position {
            return Some(POSITION_INTERVAL);
        }
        self.patience.map(|patience| patience.since(runtime::now()))
    }

    /// Nothing happened for a while.
    fn pass_time(&mut self) {
        if let Some(patience) = self.patience
            && runtime::now() >= patience
        {
            self.patience = None;
            let seconds = PREROLL_PATIENCE.nanos() / 1_000_000_000;
            eprintln!("Pipeline has not prerolled after {seconds} s.");
            if let Some(why) = diagnosis::preroll(&self.pipeline) {
                eprintln!("{why}");
            }
        } else if self.began.is_some() && self.shows_position {
            self.tell_position();
        }
    }

    fn tell_position(&self) {
        let mut position = Query::Position { format: Format::Time, position: None };
        let mut duration = Query::Duration { format: Format::Time, duration: None };
        self.pipeline.query(&mut position);
        self.pipeline.query(&mut duration);
        let Query::Position { position: Some(position), .. } = position else { return };
        let duration = match duration {
            Query::Duration { duration, .. } => duration,
            _ => None,
        };
        let end = if std::io::stdout().is_terminal() { '\r' } else { '\n' };
        text(&format!("{}{end}", narrate::position(position, duration)));
    }

    /// What follows from a message; the end, if it does.
    fn react(&mut self, message: Message) -> Option<End> {
        let is_own = message.source == self.pipeline.name();
        match message.kind {
            MessageKind::StateChanged { new: State::Paused, .. }
                if is_own && self.target == State::Paused =>
            {
                self.patience = None;
                if self.is_buffering {
                    self.say("Prerolled, waiting for buffering to finish...");
                    return None;
                }
                self.say("Pipeline is PREROLLED ...");
                return self.start_playing();
            }
            MessageKind::Buffering { percent } => return self.buffer(percent),
            MessageKind::Eos => {
                self.say(&format!("Got EOS from element \"{}\".", message.source));
                if self.interrupted || self.options.eos_on_shutdown {
                    self.say("EOS received - stopping pipeline...");
                }
                return Some(End::Eos);
            }
            MessageKind::Error(_) => {
                if self.interrupted {
                    self.say("An error happened while waiting for EOS");
                }
                self.tell_what_is_left();
                return Some(End::Failed);
            }
            MessageKind::ClockLost(_) => {
                self.say("Clock lost, selecting a new one");
                self.pipeline.set_state(State::Paused);
                self.pipeline.set_state(State::Playing);
            }
            MessageKind::Latency => {
                self.say("Redistribute latency...");
                self.pipeline.recalculate_latency();
            }
            MessageKind::RequestState(state) => {
                let from = narrate::source_path(&self.pipeline, &message.source);
                let state_name = state.name().to_ascii_uppercase();
                self.say(&format!("Setting state to {state_name} as requested by {from}..."));
                self.pipeline.set_state(state);
            }
            MessageKind::Application(what) if what.name() == INTERRUPT => return self.interrupt(),
            _ => {}
        }
        None
    }

    fn start_playing(&mut self) -> Option<End> {
        self.patience = None;
        runtime::note_waits(false);
        self.say("Setting pipeline to PLAYING ...");
        self.target = State::Playing;
        self.began = Some(runtime::now());
        if self.pipeline.set_state(State::Playing) == StateReturn::Failure {
            eprintln!("ERROR: pipeline doesn't want to play.");
            self.tell_what_is_left();
            return Some(End::Failed);
        }
        None
    }

    /// A pipeline that is not live waits until all it gathers is there.
    fn buffer(&mut self, percent: i32) -> Option<End> {
        if !self.options.quiet {
            text(&format!("buffering... {percent}%  \r"));
        }
        if self.is_live {
            return None;
        }
        let was_buffering = std::mem::replace(&mut self.is_buffering, percent < 100);
        match (self.is_buffering, self.target) {
            (false, State::Paused) => return self.start_playing(),
            (false, _) => {
                self.say("Done buffering, setting pipeline to PLAYING ...");
                self.pipeline.set_state(State::Playing);
            }
            (true, State::Playing) if !was_buffering => {
                self.say("Buffering, setting pipeline to PAUSED ...");
                self.pipeline.set_state(State::Paused);
            }
            _ => {}
        }
        None
    }

    /// Ctrl-C: the stream is brought to its end; the second time, or before it plays, it is left where it is.
    fn interrupt(&mut self) -> Option<End> {
        self.say("handling interrupt.");
        if self.interrupted {
            self.say("Interrupt while waiting for EOS - stopping pipeline...");
            return Some(End::Stopped);
        }
        self.say("Interrupt: Stopping pipeline ...");
        if self.target < State::Playing {
            return Some(End::Stopped);
        }
        self.interrupted = true;
        self.say("EOS on shutdown enabled -- Forcing EOS on the pipeline");
        self.pipeline.send_event(Event::new(EventKind::Eos));
        self.say("Waiting for EOS...");
        None
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
            MessageKind::Error(error) => {
                eprintln!("{}", narrate::story("ERROR", &place(), error));
                if self.target == State::Paused {
                    eprintln!("ERROR: pipeline doesn't want to preroll.");
                }
            }
            MessageKind::Warning(error) => {
                self.say(&narrate::story("WARNING", &place(), error));
            }
            MessageKind::Info(error) => self.say(&narrate::story("INFO", &place(), error)),
            MessageKind::PropertyNotify { name, value }
                if options.verbose && !options.exclude.contains(name) =>
            {
                self.say(&narrate::property(&place(), name, value.as_ref()));
            }
            MessageKind::NewClock(clock) => self.say(&format!("New clock: {clock}")),
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
                    let (name, property) = (element.name(), &spec.name);
                    line(&format!("  {name:<16} {property:<24} {value}{unit}{}", spec.unit));
                }
            }
        }
    }
}

/// Turns signals into messages; the thread lives as long as the program.
fn listen_to_signals(bus: Arc<Bus>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let listener = move || {
        for _ in signals.forever() {
            let what = MessageKind::Application(
                Structure::new(INTERRUPT).with("message", "Pipeline interrupted"),
            );
            bus.post(Message::new("gst-mini", what));
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listener).map(drop)
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
