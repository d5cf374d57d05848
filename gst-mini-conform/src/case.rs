//! One line of a recording, and how its replay ended.
//!
//! Invariant: nothing in a line makes the program panic; a case that cannot be read has failed.
//! Left out: what the fields mean, which is each kind's own business.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gst_mini_core::runtime::Sim;
use serde_json::Value as Json;

use crate::kinds;

/// A line of a recording.
pub struct Case {
    /// Unique among all recordings.
    pub id: String,
    /// Which replay carries it out.
    pub kind: String,
    /// The line as it stands in the file: doubles are read from here where every digit counts.
    pub line: String,
    /// The same, parsed.
    pub json: Json,
    /// Decides which task goes on where more than one could.
    pub seed: Option<u64>,
}

/// What a replay came to that is not what was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where: a step's number and operation, or the field that differs.
    pub at: String,
    /// As recorded.
    pub expected: Json,
    /// As it came out here.
    pub got: Json,
}

impl Difference {
    /// A case that cannot be carried out at all.
    pub fn impossible(reason: impl Into<String>) -> Difference {
        Difference { at: "the case".into(), expected: Json::Null, got: Json::String(reason.into()) }
    }
}

impl Case {
    /// Reads a line. `kind` is what the file's name says; the line's own goes before it.
    ///
    /// # Errors
    /// A sentence, if the line is no JSON object.
    pub fn read(line: &str, kind: &str) -> Result<Case, String> {
        let json: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if !json.is_object() {
            return Err("a case is a JSON object".into());
        }
        let word = |key: &str, other: &str| json[key].as_str().unwrap_or(other).to_owned();
        Ok(Case {
            id: word("id", "?"),
            kind: word("kind", kind),
            line: line.to_owned(),
            json,
            seed: None,
        })
    }

    /// The kind under which it is counted: caps with random edits are information only.
    pub fn counted_as(&self) -> String {
        match self.json["group"].as_str() {
            Some("mutated") => format!("{} (mutated, information)", self.kind),
            _ => self.kind.clone(),
        }
    }

    /// What a scenario runs in.
    pub(crate) fn sim(&self) -> Sim {
        self.seed.map_or_else(Sim::in_turn, Sim::new)
    }

    /// Whether it counts in neither number.
    pub fn is_information(&self) -> bool {
        self.json["group"] == "mutated"
    }

    /// Carries it out.
    ///
    /// # Errors
    /// The first difference; also for a kind nobody knows, and for a panic.
    pub fn replay(&self) -> Result<(), Difference> {
        let Some(replay) = kinds::find(&self.kind) else {
            return Err(Difference::impossible(format!("there is no kind \"{}\"", self.kind)));
        };
        catch_unwind(AssertUnwindSafe(|| replay(self))).unwrap_or_else(|cause| {
            let text = cause.downcast_ref::<String>().cloned();
            let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| text.to_string()));
            Err(Difference::impossible(format!("panicked: {}", text.unwrap_or_default())))
        })
    }
}

/// Compares what one step put out with what was recorded, key by key: a key that only one of the
/// two has is a difference. `inputs` are the step's keys that are no output.
///
/// # Errors
/// The first key that differs.
pub fn compare_step(
    number: usize,
    step: &Json,
    inputs: &[&str],
    got: &serde_json::Map<String, Json>,
) -> Result<(), Difference> {
    let empty = serde_json::Map::new();
    let recorded = step.as_object().unwrap_or(&empty);
    let at = |key: &str| format!("step {number} ({}), {key}", step["op"].as_str().unwrap_or("?"));
    for (key, expected) in recorded.iter().filter(|(key, _)| !inputs.contains(&key.as_str())) {
        let found = got.get(key).cloned().unwrap_or(Json::Null);
        if !same(expected, &found) {
            return Err(Difference { at: at(key), expected: expected.clone(), got: found });
        }
    }
    match got.iter().find(|(key, value)| !recorded.contains_key(*key) && !value.is_null()) {
        Some((key, value)) => {
            Err(Difference { at: at(key), expected: Json::Null, got: value.clone() })
        }
        None => Ok(()),
    }
}

/// Equal, with doubles to one part in a million.
pub fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Json::Number(a), Json::Number(b)) if a.is_f64() || b.is_f64() => {
            let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else { return false };
            (a - b).abs() <= 1e-6 * a.abs().max(1.0)
        }
        _ => a == b,
    }
}
