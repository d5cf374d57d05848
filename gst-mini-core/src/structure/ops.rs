//! Structures as sets of formats: field by field, a missing field standing for anything.
//!
//! Invariant: structures of different names have nothing in common.
//! In GStreamer: `gst/gststructure.c` (`gst_structure_intersect`, `gst_structure_is_subset`).
//! Left out: nothing.

use super::Structure;
use crate::value::Value;

impl Structure {
    /// Whether every field has one value.
    pub fn is_fixed(&self) -> bool {
        self.fields().all(|(_, value)| value.is_fixed())
    }

    /// Whether names and fields are equal, in any order of fields.
    pub fn is_equal(&self, other: &Structure) -> bool {
        self.name() == other.name()
            && self.len() == other.len()
            && self.fields().all(|(name, value)| {
                other.get(name).is_some_and(|other_value| other_value.is_equal(value))
            })
    }

    /// Whether all that fits `self` fits `other`.
    pub fn is_subset_of(&self, other: &Structure) -> bool {
        self.name() == other.name()
            && other.len() <= self.len()
            && other.fields().all(|(name, superset)| {
                self.get(name).is_some_and(|value| match value.compare(superset) {
                    Some(order) => order.is_eq(),
                    None => value.is_subset_of(superset),
                })
            })
    }

    /// Whether something fits both.
    pub fn can_intersect(&self, other: &Structure) -> bool {
        self.name() == other.name() && self.first_conflict(other).is_none()
    }

    /// The first field that keeps two structures of one name apart, with its value in each.
    pub(crate) fn first_conflict<'a>(
        &'a self,
        other: &'a Structure,
    ) -> Option<(&'a str, &'a Value, &'a Value)> {
        self.fields().find_map(|(name, value)| {
            let other_value = other.get(name)?;
            let meet = value.can_intersect(other_value)
                && match value.compare(other_value) {
                    Some(order) => order.is_eq(),
                    None => value.intersect(other_value).is_some(),
                };
            (!meet).then_some((name, value, other_value))
        })
    }

    /// Whether `self.intersect(other)` is `self`, as far as values that are equal and single tell.
    pub(crate) fn is_intersection_with(&self, other: &Structure) -> bool {
        self.name == other.name
            && self.fields.len() >= other.fields.len()
            && other.fields().all(|(name, value)| {
                self.get(name).is_some_and(|own| own.is_single() && own == value)
            })
    }

    /// Whether `other.intersect(self)` is `self`, as far as values that are equal and single tell: its fields come
    /// first there, so they must here.
    pub(crate) fn is_intersection_of(&self, other: &Structure) -> bool {
        self.name == other.name
            && self.fields.len() >= other.fields.len()
            && self.fields.iter().zip(&other.fields).all(|((name, own), (other_name, value))| {
                name == other_name && own.is_single() && own == value
            })
    }

    /// What fits both; the fields of `self` first.
    pub fn intersect(&self, other: &Structure) -> Option<Structure> {
        if self.name() != other.name() {
            return None;
        }
        let fields = Vec::with_capacity(self.len().max(other.len()));
        let mut common = Structure { name: self.name.clone(), fields };
        for (name, value) in &self.fields {
            let value = match other.get(name) {
                Some(other_value) => value.intersect(other_value)?,
                None => value.clone(),
            };
            common.fields.push((name.clone(), value));
        }
        let missing = other.fields.iter().filter(|(name, _)| !self.has(name));
        common.fields.extend(missing.cloned());
        Some(common)
    }
}
