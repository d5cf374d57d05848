//! What happened when: buffers, events, waits, states, drops and messages, in the order they happened.
//!
//! Whoever wants to know is told of each on the thread it happens on, as a [`Seen`]; [`trace_to`] makes JSON
//! lines of them, [`audit`] checks what must hold in any run.
//!
//! Invariant: off, it costs one relaxed load; on, it changes nothing, so a simulated run takes the same course
//! with and without it.
//! In GStreamer: `gst/gsttracerutils.c`, `plugins/tracers`.
//! Left out: hooks that change what they see.

pub mod audit;
mod json;

use crate::buffer::Buffer;
use crate::error::FlowError;
use crate::event::Event;
use crate::message::Message;
use crate::runtime;
use crate::segment::Segment;
use crate::state::{State, Transition};
use crate::time::{AbsoluteTime, ClockTime};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

static ON: AtomicBool = AtomicBool::new(false);
static LISTENERS: Mutex<Listeners> = Mutex::new(Listeners { lines: None, watcher: None });

/// Takes one line, without its end.
pub type LineFn = Box<dyn FnMut(&str) + Send>;
/// Takes one thing that happened.
pub type WatchFn = Box<dyn FnMut(&Seen<'_>) + Send>;

struct Listeners {
    lines: Option<json::Lines>,
    watcher: Option<WatchFn>,
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What the runtime's clock read.
    pub at: AbsoluteTime,
    /// The element it happened in or to.
    pub element: &'a str,
    /// The element's pad, or empty.
    pub pad: &'a str,
    /// What it was.
    pub what: What<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A buffer arrived at a sink pad.
    Buffer {
        /// The buffer.
        buf: &'a Buffer,
        /// The segment of the pad.
        segment: Option<Segment>,
    },
    /// A buffer was refused at a sink pad: by the pad itself, by its element, or further on.
    Refused(FlowError),
    /// An event arrived at a pad.
    Event(&'a Event),
    /// A sink or live source begins to wait for the clock.
    Wait {
        /// Of the buffer.
        pts: Option<ClockTime>,
        /// Of the buffer, ns.
        running_time: Option<u64>,
        /// What the clock must read.
        until: AbsoluteTime,
    },
    /// The wait is over.
    Wake {
        /// Of the buffer.
        pts: Option<ClockTime>,
        /// Of the buffer, ns.
        running_time: Option<u64>,
        /// How late the wait began, ns.
        jitter: i64,
    },
    /// An element is about to enter a state.
    State(State),
    /// An element threw a buffer away.
    Drop {
        /// The buffer.
        buf: &'a Buffer,
        /// The element's reason.
        why: &'a str,
    },
    /// A message was posted.
    Message(&'a Message),
}

/// Starts tracing: `line` is called with each line, without its end, on the thread it happened on.
/// One trace at a time in a process; `None` ends it.
pub fn trace_to(line: Option<LineFn>) {
    let mut listeners = LISTENERS.lock();
    listeners.lines = line.map(json::Lines::new);
    listeners.switch();
}

/// Starts watching: `watcher` is called with all that happens, on the thread it happens on. It must not block, nor
/// call anything of the runtime. One watcher at a time in a process; `None` ends it.
pub fn watch(watcher: Option<WatchFn>) {
    let mut listeners = LISTENERS.lock();
    listeners.watcher = watcher;
    listeners.switch();
}

impl Listeners {
    fn switch(&self) {
        ON.store(self.lines.is_some() || self.watcher.is_some(), Ordering::Release);
    }
}

/// Whether somebody wants to know.
#[inline]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

#[cold]
fn tell(element: &str, pad: &str, what: What<'_>) {
    let seen = Seen { at: runtime::now(), element, pad, what };
    let mut listeners = LISTENERS.lock();
    if let Some(lines) = &mut listeners.lines {
        lines.write(&seen);
    }
    if let Some(watcher) = &mut listeners.watcher {
        watcher(&seen);
    }
}

/// A buffer arrived at a sink pad.
#[cold]
pub(crate) fn buffer(element: &str, pad: &str, buf: &Buffer, segment: Option<Segment>) {
    tell(element, pad, What::Buffer { buf, segment });
}

/// A buffer was refused at a sink pad.
#[cold]
pub(crate) fn refused(element: &str, pad: &str, flow: FlowError) {
    tell(element, pad, What::Refused(flow));
}

/// An event arrived at a pad.
#[cold]
pub(crate) fn event(element: &str, pad: &str, event: &Event) {
    tell(element, pad, What::Event(event));
}

/// A sink or live source begins to wait for the clock.
#[cold]
pub(crate) fn wait(
    element: &str,
    pts: Option<ClockTime>,
    running_time: Option<u64>,
    until: AbsoluteTime,
) {
    tell(element, "", What::Wait { pts, running_time, until });
}

/// The wait is over; `jitter` is how late it began, ns.
#[cold]
pub(crate) fn wake(element: &str, pts: Option<ClockTime>, running_time: Option<u64>, jitter: i64) {
    tell(element, "", What::Wake { pts, running_time, jitter });
}

/// An element enters a state.
#[cold]
pub(crate) fn state(element: &str, transition: Transition) {
    tell(element, "", What::State(transition.to));
}

/// An element threw a buffer away.
#[cold]
pub(crate) fn dropped(element: &str, pad: &str, buf: &Buffer, why: &str) {
    tell(element, pad, What::Drop { buf, why });
}

/// A message was posted.
#[cold]
pub(crate) fn message(message: &Message) {
    tell(&message.source, "", What::Message(message));
}
