//! Fewer structures for the same formats.
//!
//! Invariant: the set of formats stays the same; the order does not.
//! In GStreamer: `gst/gstcaps.c` (`gst_caps_simplify`, `gst_caps_structure_subtract`).
//! Left out: nothing.

use super::{Caps, CapsFeatures};
use crate::structure::Structure;
use crate::value::Value;

impl Caps {
    /// The same formats in as few structures as can be found by comparing each two. Structures come
    /// out sorted by media type, those with most fields first.
    #[must_use]
    pub fn simplify(&self) -> Caps {
        if self.size() < 2 {
            return self.clone();
        }
        let mut entries: Vec<(Structure, CapsFeatures)> =
            self.iter().map(|(s, f)| (s.clone(), f.clone())).collect();
        entries.sort_by(|(left, _), (right, _)| {
            left.name().cmp(right.name()).then(right.len().cmp(&left.len()))
        });
        // `last` is the end of the run of equal media types and features that `at` is in.
        let mut last = entries.len() - 1;
        for at in (0..entries.len()).rev() {
            if !is_alike(&entries[at], &entries[last]) {
                last = at;
            }
            for with in (0..=last).rev().filter(|&with| with != at) {
                if !is_alike(&entries[at], &entries[with]) {
                    break;
                }
                let mut kept = entries[with].0.clone();
                match simplify_one(&entries[at].0, &mut kept) {
                    Simpler::Unchanged => {}
                    Simpler::Smaller(smaller) => entries[at].0 = smaller,
                    Simpler::Gone => {
                        entries[with].0 = kept;
                        entries.remove(at);
                        last = last.saturating_sub(1);
                        break;
                    }
                }
            }
        }
        let mut caps = Caps::empty();
        for (structure, features) in entries {
            caps.push(structure, features);
        }
        caps
    }
}

impl Structure {
    /// What is left without the formats of `hole`: for each field the values `hole` does not have.
    /// `None` if the two have nothing in common, or `hole` has a field that is missing here, so
    /// that no part can be taken away.
    pub(super) fn subtract(&self, hole: &Structure) -> Option<Vec<Structure>> {
        let mut parts = Vec::new();
        for (field, value) in hole.fields() {
            let own = self.get(field)?;
            let Some(rest) = own.subtract(value) else {
                continue;
            };
            if rest.is_equal(own) {
                return None;
            }
            let mut part = self.clone();
            part.set(field, rest);
            parts.push(part);
        }
        parts.reverse();
        Some(parts)
    }
}

enum Simpler {
    Unchanged,
    Smaller(Structure),
    Gone,
}

fn is_alike(left: &(Structure, CapsFeatures), right: &(Structure, CapsFeatures)) -> bool {
    left.0.name() == right.0.name() && left.1.is_equal(&right.1)
}

/// Takes out of `structure` what `kept` has, or joins it into `kept`.
fn simplify_one(structure: &Structure, kept: &mut Structure) -> Simpler {
    match structure.subtract(kept) {
        Some(parts) if parts.len() < 2 => {
            return parts.into_iter().next().map_or(Simpler::Gone, Simpler::Smaller);
        }
        _ => {}
    }
    match only_difference(structure, kept) {
        Some((field, union)) if structure.len() == kept.len() => {
            kept.set(&field, union);
            Simpler::Gone
        }
        _ => Simpler::Unchanged,
    }
}

/// The one field in which the structures differ, with the union of its values.
fn only_difference(structure: &Structure, kept: &Structure) -> Option<(String, Value)> {
    let mut difference = None;
    for (field, value) in structure.fields() {
        let other = kept.get(field)?;
        if !other.is_equal(value) && difference.replace((field, other, value)).is_some() {
            return None;
        }
    }
    let (field, other, value) = difference?;
    Some((field.to_owned(), other.union(value)?))
}
