//! Replays what GStreamer 1.22 did, line by line, against GstMini's public mechanisms.
//!
//! A *case* is one line of a recording: inputs, and what came out. A *kind* says how its inputs are
//! carried out here; the format is `tests/vectors/README.md`. Scenarios run on the simulator.
//!
//! Invariant: a kind carries out and compares; it holds no model of what GStreamer does, and an
//! output that was not recorded is as wrong as one that is missing.
//! In GStreamer: nothing; the recordings were made with programs against its library.
//! Left out: making recordings.

pub mod case;
pub mod kinds;
pub mod report;
mod scenario;
pub mod words;
