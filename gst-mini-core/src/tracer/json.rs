//! What happened, as JSON lines: the form that people read and compare.
//!
//! ```text
//! {"t":40000000,"task":"queue0:src","element":"fakesink0","pad":"sink","what":"buffer","pts":40000000,"running_time":40000000,…}
//! ```
//!
//! Invariant: one seed gives the same bytes on any machine: no addresses, no wall clock, no order of a hash.
//! In GStreamer: `gst/gsttracerrecord.c`, whose records are structures in the log.
//! Left out: choosing what to trace; `grep` does that.

use super::{LineFn, Seen, What};
use crate::event::EventKind;
use crate::message::MessageKind;
use crate::runtime;
use crate::time::ClockTime;

/// Writes lines, each into the same memory.
pub(super) struct Lines {
    line: String,
    to: LineFn,
}

impl Lines {
    pub fn new(to: LineFn) -> Lines {
        Lines { line: String::with_capacity(512), to }
    }

    pub fn write(&mut self, seen: &Seen<'_>) {
        if matches!(seen.what, What::Refused(_)) {
            // Told by what follows from it; on the way up each pad would say so again.
            return;
        }
        self.line.clear();
        self.line.push_str("{\"t\":");
        digits(&mut self.line, seen.at.nanos());
        runtime::with_task_name(|task| text(&mut self.line, "task", task));
        text(&mut self.line, "element", seen.element);
        text(&mut self.line, "pad", seen.pad);
        content(&mut self.line, &seen.what);
        self.line.push('}');
        (self.to)(&self.line);
    }
}

/// What every line has: kind, pts and running time.
fn head(line: &mut String, what: &str, pts: Option<u64>, running_time: Option<u64>) {
    text(line, "what", what);
    number(line, "pts", pts);
    number(line, "running_time", running_time);
}

fn content(line: &mut String, what: &What<'_>) {
    let nanos = |time: &Option<ClockTime>| time.map(ClockTime::nanos);
    match what {
        What::Buffer { buf, segment } => {
            let pts = buf.pts();
            let running_time = pts.zip(*segment).and_then(|(pts, s)| s.to_running_time(pts));
            head(line, "buffer", nanos(&pts), running_time.map(|time| time.nanos()));
            number(line, "duration", nanos(&buf.duration()));
            number(line, "size", Some(buf.size() as u64));
            if buf.flags().0 == 0 {
                text(line, "flags", "");
            } else {
                text(line, "flags", &buf.flags().to_string());
            }
        }
        What::Event(event) => {
            head(line, "event", None, None);
            text(line, "event", event.name());
            match &event.kind {
                EventKind::Caps(caps) => text(line, "caps", &caps.to_string()),
                EventKind::Segment(segment) => text(line, "segment", &segment.to_string()),
                EventKind::Latency(latency) => number(line, "latency", Some(latency.nanos())),
                _ => {}
            }
        }
        What::Wait { pts, running_time, until } => {
            head(line, "wait", nanos(pts), *running_time);
            number(line, "until", Some(until.nanos()));
        }
        What::Wake { pts, running_time, jitter } => {
            head(line, "wake", nanos(pts), *running_time);
            line.push_str(",\"jitter\":");
            if *jitter < 0 {
                line.push('-');
            }
            digits(line, jitter.unsigned_abs());
        }
        What::State(state) => {
            head(line, "state", None, None);
            text(line, "state", state.name());
        }
        What::Drop { buf, why } => {
            head(line, "drop", nanos(&buf.pts()), None);
            text(line, "why", why);
        }
        What::Message(message) => {
            head(line, "message", None, None);
            text(line, "message", message.name());
            match &message.kind {
                MessageKind::Error(error) | MessageKind::Warning(error) => {
                    text(line, "text", &error.text);
                }
                MessageKind::Element(structure) => text(line, "structure", &structure.to_string()),
                _ => {}
            }
        }
        What::Refused(_) => {}
    }
}

fn text(line: &mut String, key: &str, value: &str) {
    line.push_str(",\"");
    line.push_str(key);
    line.push_str("\":\"");
    if value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        line.push_str(value);
    } else {
        escaped(line, value);
    }
    line.push('"');
}

#[cold]
fn escaped(line: &mut String, value: &str) {
    use std::fmt::Write as _;
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                line.push('\\');
                line.push(c);
            }
            c if c < ' ' => {
                let _ = write!(line, "\\u{:04x}", c as u32);
            }
            c => line.push(c),
        }
    }
}

fn number(line: &mut String, key: &str, value: Option<u64>) {
    line.push_str(",\"");
    line.push_str(key);
    line.push_str("\":");
    match value {
        Some(value) => digits(line, value),
        None => line.push_str("null"),
    }
}

/// A number in decimal. The formatting machinery takes several times as long, and a trace is mostly numbers.
fn digits(line: &mut String, mut value: u64) {
    let mut place = [0_u8; 20];
    let mut at = place.len();
    loop {
        at -= 1;
        place[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    line.push_str(std::str::from_utf8(&place[at..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_json() {
        let mut line = String::new();
        digits(&mut line, 0);
        digits(&mut line, u64::MAX);
        assert_eq!(line, "018446744073709551615");
        line.clear();
        text(&mut line, "why", "a \"b\"\\\n\u{1}ü");
        assert_eq!(line, ",\"why\":\"a \\\"b\\\"\\\\\\u000a\\u0001ü\"");
    }
}
