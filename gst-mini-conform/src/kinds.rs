//! How the cases of each kind are carried out: one file a kind.
//!
//! Invariant: the list here is the only one.
//! Left out: reading files, counting, printing.

pub mod caps;
pub mod flow;
pub mod latency;
pub mod launch;
pub mod queue;
pub mod seek;
pub mod segment;
pub mod sink_sync;
pub mod states;
pub mod value;

use crate::case::{Case, Difference};

/// Carries out one case and compares.
pub type Replay = fn(&Case) -> Result<(), Difference>;

/// All kinds, by the name that `--kind` takes and files have.
pub const KINDS: &[(&str, Replay)] = &[
    ("segment", segment::replay),
    ("caps", caps::replay),
    ("caps_features", caps::replay),
    ("value", value::replay),
    ("launch", launch::replay),
    ("queue", queue::replay),
    ("sink_sync", sink_sync::replay),
    ("states", states::replay),
    ("flow", flow::replay),
    ("latency", latency::replay),
    ("seek", seek::replay),
];

/// The replay of a kind.
pub fn find(kind: &str) -> Option<Replay> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, replay)| *replay)
}
