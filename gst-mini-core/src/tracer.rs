//! What happened when, as JSON lines: buffers, events, waits, states and messages, in the order they
//! happened.
//!
//! ```text
//! {"t":40000000,"task":"queue0:src","element":"fakesink0","pad":"sink","what":"buffer","pts":40000000,"running_time":40000000,"size":3}
//! ```
//!
//! Invariant: off, it costs one relaxed load; on, it takes copies and ids, never objects.
//! In GStreamer: `gst/gsttracerutils.c`, `plugins/tracers`.
//! Left out: hooks that change what they see.

use crate::buffer::Buffer;
use crate::event::{Event, EventKind};
use crate::message::{Message, MessageKind};
use crate::runtime;
use crate::segment::Segment;
use crate::state::Transition;
use crate::time::{AbsoluteTime, ClockTime};
use parking_lot::Mutex;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

static ON: AtomicBool = AtomicBool::new(false);
static LINES: Mutex<Option<Box<dyn FnMut(&str) + Send>>> = Mutex::new(None);

/// Starts tracing: `line` is called with each line, without its end, on the thread it happened on.
/// One trace at a time in a process; `None` ends it.
pub fn trace_to(line: Option<Box<dyn FnMut(&str) + Send>>) {
    ON.store(line.is_some(), Ordering::Release);
    *LINES.lock() = line;
}

/// Whether somebody traces.
#[inline]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

struct Line(String);

impl Line {
    fn new(
        element: &str,
        pad: &str,
        what: &str,
        pts: Option<u64>,
        running_time: Option<u64>,
    ) -> Line {
        let mut line = Line(String::with_capacity(160));
        let _ = write!(line.0, "{{\"t\":{}", runtime::now().nanos());
        line.text("task", &runtime::task_name());
        line.text("element", element);
        line.text("pad", pad);
        line.text("what", what);
        line.number("pts", pts);
        line.number("running_time", running_time);
        line
    }
    fn text(&mut self, key: &str, value: &str) {
        let _ = write!(self.0, ",\"{key}\":\"");
        for c in value.chars() {
            match c {
                '"' | '\\' => {
                    self.0.push('\\');
                    self.0.push(c);
                }
                c if c < ' ' => {
                    let _ = write!(self.0, "\\u{:04x}", c as u32);
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
    fn number(&mut self, key: &str, value: Option<u64>) {
        match value {
            Some(value) => {
                let _ = write!(self.0, ",\"{key}\":{value}");
            }
            None => {
                let _ = write!(self.0, ",\"{key}\":null");
            }
        }
    }
    fn send(mut self) {
        self.0.push('}');
        if let Some(line) = &mut *LINES.lock() {
            line(&self.0);
        }
    }
}

/// A buffer arrived at a sink pad.
#[cold]
pub(crate) fn buffer(element: &str, pad: &str, buf: &Buffer, segment: Option<Segment>) {
    let running_time = buf
        .pts()
        .zip(segment)
        .and_then(|(pts, segment)| segment.to_running_time(pts))
        .map(|running_time| running_time.nanos());
    let pts = buf.pts().map(ClockTime::nanos);
    let mut line = Line::new(element, pad, "buffer", pts, running_time);
    line.number("duration", buf.duration().map(ClockTime::nanos));
    line.number("size", Some(buf.size() as u64));
    line.text("flags", &buf.flags().to_string());
    line.send();
}

/// An event arrived at a pad.
#[cold]
pub(crate) fn event(element: &str, pad: &str, event: &Event) {
    let mut line = Line::new(element, pad, "event", None, None);
    line.text("event", event.name());
    match &event.kind {
        EventKind::Caps(caps) => line.text("caps", &caps.to_string()),
        EventKind::Segment(segment) => line.text("segment", &segment.to_string()),
        EventKind::Latency(latency) => line.number("latency", Some(latency.nanos())),
        _ => {}
    }
    line.send();
}

/// A sink or live source begins to wait for the clock.
#[cold]
pub(crate) fn wait(
    element: &str,
    pts: Option<ClockTime>,
    running_time: Option<u64>,
    until: AbsoluteTime,
) {
    let mut line = Line::new(element, "", "wait", pts.map(ClockTime::nanos), running_time);
    line.number("until", Some(until.nanos()));
    line.send();
}

/// The wait is over; `jitter` is how late it began, ns.
#[cold]
pub(crate) fn wake(element: &str, pts: Option<ClockTime>, running_time: Option<u64>, jitter: i64) {
    let mut line = Line::new(element, "", "wake", pts.map(ClockTime::nanos), running_time);
    let _ = write!(line.0, ",\"jitter\":{jitter}");
    line.send();
}

/// An element entered a state.
#[cold]
pub(crate) fn state(element: &str, transition: Transition) {
    let mut line = Line::new(element, "", "state", None, None);
    line.text("state", transition.to.name());
    line.send();
}

/// An element threw a buffer away.
#[cold]
pub(crate) fn dropped(element: &str, pad: &str, buf: &Buffer, why: &str) {
    let mut line = Line::new(element, pad, "drop", buf.pts().map(ClockTime::nanos), None);
    line.text("why", why);
    line.send();
}

/// A message was posted.
#[cold]
pub(crate) fn message(message: &Message) {
    let mut line = Line::new(&message.source, "", "message", None, None);
    line.text("message", message.name());
    match &message.kind {
        MessageKind::Error(error) | MessageKind::Warning(error) => line.text("text", &error.text),
        MessageKind::Element(structure) => line.text("structure", &structure.to_string()),
        _ => {}
    }
    line.send();
}
