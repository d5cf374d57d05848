//! Caps as sets of formats: what two have in common, what one has on top, which one to choose.
//!
//! Invariant: none of these change their operands; order says preference and is kept as in GStreamer.
//! In GStreamer: `gst/gstcaps.c` (`gst_caps_intersect_full`, `gst_caps_is_subset`, `gst_caps_subtract`).
//! Left out: nothing.

use super::{Caps, CapsFeatures, common};
use crate::structure::Structure;
use crate::value::{Fraction, Value};

impl Caps {
    /// The formats of both. The order weighs the preferences of both sides equally.
    pub fn intersect(&self, other: &Caps) -> Caps {
        match self.all_of_one(other) {
            Some(whole) => whole.clone(),
            None => self.intersect_in(other, zigzag(self.size(), other.size())),
        }
    }

    /// The formats of both, in the order of `self`.
    pub fn intersect_first(&self, other: &Caps) -> Caps {
        if let Some(whole) = self.all_of_one(other) {
            return whole.clone();
        }
        common::of(self, other, || {
            let width = other.size();
            let order = (0..self.size()).flat_map(|at| (0..width).map(move |b| (at, b)));
            self.intersect_in(other, order)
        })
    }

    fn intersect_in(&self, other: &Caps, order: impl Iterator<Item = (usize, usize)>) -> Caps {
        let mut common = Caps::empty();
        for (at, other_at) in order {
            let Some((left, right)) = self.pair(at, other, other_at) else {
                continue;
            };
            if left.1.is_equal(right.1)
                && let Some(structure) = left.0.intersect(right.0)
            {
                let features = if left.1.is_any() { right.1 } else { left.1 };
                common.merge_one(structure, features.clone());
            }
        }
        // One that takes all of the other gives it back, and with it the text it may have already.
        [self, other].into_iter().find(|whole| **whole == common).cloned().unwrap_or(common)
    }

    /// The one of two that is what both have in common, where a look tells.
    fn all_of_one<'a>(&'a self, other: &'a Caps) -> Option<&'a Caps> {
        if self.is_same(other) || other.is_any() {
            Some(self)
        } else if self.is_any() {
            Some(other)
        } else {
            self.one_within(other)
        }
    }

    /// The one of two with one structure each that is what both have in common, where a look at each field
    /// tells that: most often in a negotiation, where a format comes by the same filter again.
    fn one_within<'a>(&'a self, other: &'a Caps) -> Option<&'a Caps> {
        let ([left], [right]) = (self.structures(), other.structures()) else { return None };
        if self.features(0) != other.features(0) {
            return None;
        }
        if left.is_intersection_with(right) {
            Some(self)
        } else if right.is_intersection_of(left) {
            Some(other)
        } else {
            None
        }
    }

    /// Whether some format is in both.
    pub fn can_intersect(&self, other: &Caps) -> bool {
        if self.is_empty() || other.is_empty() {
            return false;
        }
        self.is_any()
            || other.is_any()
            || self.is_same(other)
            || self.iter().any(|(structure, features)| {
                other.iter().any(|(other_structure, other_features)| {
                    features.is_equal(other_features) && structure.can_intersect(other_structure)
                })
            })
    }

    /// Whether every format of `self` is in `superset`. Structures are compared one by one: two that
    /// cover a third only together do not count.
    pub fn is_subset_of(&self, superset: &Caps) -> bool {
        if self.is_empty() || superset.is_any() {
            return true;
        }
        if self.is_any() || superset.is_empty() {
            return false;
        }
        self.iter().all(|(structure, features)| superset.covers(structure, features))
    }

    /// Whether a link offering `self` can be given to a peer that takes `other`.
    pub fn is_always_compatible(&self, other: &Caps) -> bool {
        self.is_subset_of(other)
    }

    /// Whether both are the same set of formats.
    pub fn is_equal(&self, other: &Caps) -> bool {
        if self.is_same(other) {
            return true;
        }
        if self.is_fixed() && other.is_fixed() {
            return self.is_equal_in_order(other);
        }
        self.is_subset_of(other) && other.is_subset_of(self)
    }

    /// Whether both have equal structures with the same features, in the same order.
    pub fn is_strictly_equal(&self, other: &Caps) -> bool {
        if self.is_same(other) {
            return true;
        }
        let features_alike =
            self.iter().zip(other.iter()).all(|(own, other)| own.1.is_any() == other.1.is_any());
        self.is_any() == other.is_any() && features_alike && self.is_equal_in_order(other)
    }

    fn is_equal_in_order(&self, other: &Caps) -> bool {
        self.size() == other.size()
            && self.iter().zip(other.iter()).all(|((structure, features), other)| {
                features.is_equal(other.1) && structure.is_equal(other.0)
            })
    }

    /// One format: the first structure, with the preferred value of each field. EMPTY stays EMPTY.
    #[must_use]
    pub fn fixate(&self) -> Caps {
        if self.is_fixed() {
            // Nothing is left to choose, so the content is shared, and its text with it.
            return self.clone();
        }
        let Some((structure, features)) = self.iter().next() else { return self.clone() };
        let features = if features.is_any() { CapsFeatures::default() } else { features.clone() };
        Caps::with_features(structure.fixated(), features)
    }

    /// Adds the structures of `other` that no structure here covers yet.
    pub fn merge(&mut self, other: &Caps) {
        if other.is_any() {
            *self = Caps::any();
        }
        for (structure, features) in other.iter() {
            self.merge_one(structure.clone(), features.clone());
        }
    }

    /// Adds the structures of `other` behind the own ones.
    pub fn append(&mut self, other: &Caps) {
        if other.is_any() {
            *self = Caps::any();
        }
        for (structure, features) in other.iter() {
            self.push(structure.clone(), features.clone());
        }
    }

    fn merge_one(&mut self, structure: Structure, features: CapsFeatures) {
        if !self.covers(&structure, &features) {
            self.push(structure, features);
        }
    }

    fn covers(&self, structure: &Structure, features: &CapsFeatures) -> bool {
        self.iter().any(|(own, own_features)| {
            (!features.is_any() || own_features.is_any())
                && features.is_equal(own_features)
                && structure.is_subset_of(own)
        })
    }

    /// The formats of `self` that are not in `other`, simplified.
    #[must_use]
    pub fn subtract(&self, other: &Caps) -> Caps {
        if other.is_any() {
            return Caps::empty();
        }
        if self.is_any() || self.is_empty() || other.is_empty() {
            return self.clone();
        }
        let mut rest = self.clone();
        for (hole, hole_features) in other.iter() {
            let mut next = Caps::empty();
            for (structure, features) in rest.iter() {
                let meet = structure.name() == hole.name()
                    && !features.is_any()
                    && features.is_equal(hole_features);
                match meet.then(|| structure.subtract(hole)).flatten() {
                    Some(parts) => {
                        parts.into_iter().for_each(|part| next.push(part, features.clone()));
                    }
                    None => next.push(structure.clone(), features.clone()),
                }
            }
            if next.is_empty() {
                return next;
            }
            rest = next;
        }
        rest.simplify()
    }

    /// The same formats without lists: one structure for each member.
    #[must_use]
    pub fn normalize(&self) -> Caps {
        let mut caps = self.clone();
        let mut at = 0;
        while let Some(structure) = caps.structure(at) {
            let first_list = structure.fields().find_map(|(name, value)| match value {
                Value::List(values) if !values.is_empty() => {
                    Some((name.to_owned(), values.clone()))
                }
                _ => None,
            });
            let Some((field, values)) = first_list else {
                at += 1;
                continue;
            };
            let (structure, features) = (structure.clone(), caps.features(at).cloned());
            for value in values.iter().skip(1) {
                let mut variant = structure.clone();
                variant.set(&field, value.clone());
                caps.push(variant, features.clone().unwrap_or_default());
            }
            if let (Some(structure), Some(value)) = (caps.structure_mut(at), values.first()) {
                structure.set(&field, value.clone());
            }
        }
        caps
    }

    /// [`Structure::fixate_field_nearest_int`] on the first structure.
    pub fn fixate_field_nearest_int(&mut self, field: &str, target: i32) -> bool {
        self.structure_mut(0).is_some_and(|first| first.fixate_field_nearest_int(field, target))
    }

    /// [`Structure::fixate_field_nearest_fraction`] on the first structure.
    pub fn fixate_field_nearest_fraction(&mut self, field: &str, target: Fraction) -> bool {
        self.structure_mut(0)
            .is_some_and(|first| first.fixate_field_nearest_fraction(field, target))
    }

    /// [`Structure::fixate_field_nearest_double`] on the first structure.
    pub fn fixate_field_nearest_double(&mut self, field: &str, target: f64) -> bool {
        self.structure_mut(0).is_some_and(|first| first.fixate_field_nearest_double(field, target))
    }

    /// [`Structure::fixate_field_string`] on the first structure.
    pub fn fixate_field_string(&mut self, field: &str, target: &str) -> bool {
        self.structure_mut(0).is_some_and(|first| first.fixate_field_string(field, target))
    }

    /// [`Structure::fixate_field_bool`] on the first structure.
    pub fn fixate_field_bool(&mut self, field: &str, target: bool) -> bool {
        self.structure_mut(0).is_some_and(|first| first.fixate_field_bool(field, target))
    }

    fn pair<'a>(
        &'a self,
        at: usize,
        other: &'a Caps,
        other_at: usize,
    ) -> Option<((&'a Structure, &'a CapsFeatures), (&'a Structure, &'a CapsFeatures))> {
        Some((
            (self.structure(at)?, self.features(at)?),
            (other.structure(other_at)?, other.features(other_at)?),
        ))
    }
}

/// All pairs of two lists, those with the smallest sum of positions first, and of those the one
/// furthest in the first list first.
fn zigzag(length: usize, other_length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..(length + other_length).saturating_sub(1)).flat_map(move |sum| {
        let lowest = sum.saturating_sub(other_length.saturating_sub(1));
        let highest = sum.min(length.saturating_sub(1));
        (lowest..=highest).rev().map(move |at| (at, sum - at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_tells_is_what_intersecting_gives() {
        let texts = [
            "video/x-raw, width=(int)4",
            "video/x-raw, width=(int)4, height=(int)3",
            "video/x-raw, height=(int)3, width=(int)4",
            "video/x-raw, width=(int)4, rate=(fraction)[ 0/1, 30/1 ]",
            "video/x-raw, width=(int)4, height=(int)3, rate=(fraction)30/1",
            "video/x-raw, width=(int){ 4, 4 }, height=(int)3",
            "video/x-raw, width=(int)[ 4, 5 ]",
            "video/x-raw, gamma=(double)0.5",
            "video/x-raw, format=(string)I420, width=(int)4",
            "video/x-raw, format=(string)NV12, width=(int)4",
            "video/x-raw(memory:DMABuf), width=(int)4",
            "video/x-raw(ANY), width=(int)4",
            "audio/x-raw, width=(int)4",
            "video/x-raw; audio/x-raw, width=(int)4",
            "ANY",
            "EMPTY",
        ];
        let mut told = 0;
        for (left, right) in texts.iter().flat_map(|left| texts.map(|right| (left, right))) {
            let (left, right): (Caps, Caps) = (left.parse().unwrap(), right.parse().unwrap());
            if left.is_any() || right.is_any() {
                continue;
            }
            let pairs = (0..left.size()).flat_map(|at| (0..right.size()).map(move |b| (at, b)));
            let common = left.intersect_in(&right, pairs);
            if let Some(whole) = left.one_within(&right) {
                told += 1;
                assert_eq!(*whole, common, "{left} and {right}");
            }
            assert_eq!(left.intersect_first(&right), common, "{left} and {right}");
        }
        assert!(told > 20, "{told}");
    }
}
