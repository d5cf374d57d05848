//! Choosing one value for a field that offers several.
//!
//! Invariant: the value chosen is one of those offered.
//! In GStreamer: `gst/gststructure.c` (`gst_structure_fixate_field_nearest_int`).
//! Left out: choosing from ranges inside of a list; only its plain members are looked at. Distances
//! beyond 31 bits, which overflow in GStreamer, count as what they are.

use super::Structure;
use crate::value::{Fraction, Value};

impl Structure {
    /// Chooses the preferred value of every field: the low end of a range, the first of a list.
    pub fn fixate(&mut self) {
        for (_, value) in &mut self.fields {
            if let Some(fixed) = value.fixate() {
                *value = fixed;
            }
        }
    }

    /// [`Structure::fixate`] of a copy, into which nothing goes that is not chosen.
    pub(crate) fn fixated(&self) -> Structure {
        let chosen = |value: &Value| value.fixate().unwrap_or_else(|| value.clone());
        let fields = self.fields.iter().map(|(name, value)| (name.clone(), chosen(value)));
        Structure { name: self.name.clone(), fields: fields.collect() }
    }

    /// Chooses the preferred value of one field. Says whether it chose.
    pub fn fixate_field(&mut self, field: &str) -> bool {
        self.choose(field, Value::fixate)
    }

    /// Chooses the int nearest to `target`; the first of two equally near ones. Says whether it
    /// chose, which it does not where the field is missing, fixed or offers no ints.
    pub fn fixate_field_nearest_int(&mut self, field: &str, target: i32) -> bool {
        self.choose(field, |value| match *value {
            Value::IntRange { min, max, step } => {
                let mut nearest = target.max(min).min(max);
                let rest = nearest % step.max(1);
                nearest -= rest;
                if rest > step / 2 {
                    nearest = nearest.saturating_add(step);
                }
                Some(Value::Int(nearest))
            }
            Value::List(ref values) => {
                let ints = values.iter().filter(|value| matches!(value, Value::Int(_)));
                let distance = |value: &&Value| {
                    value.as_i64().map_or(u64::MAX, |value| value.abs_diff(target.into()))
                };
                ints.min_by_key(distance).cloned()
            }
            _ => None,
        })
    }

    /// Chooses the double nearest to `target`, as [`Structure::fixate_field_nearest_int`] does.
    pub fn fixate_field_nearest_double(&mut self, field: &str, target: f64) -> bool {
        self.choose(field, |value| match *value {
            Value::DoubleRange { min, max } => Some(Value::Double(target.max(min).min(max))),
            Value::List(ref values) => nearest(values, target, |value| match *value {
                Value::Double(value) => Some(value),
                _ => None,
            }),
            _ => None,
        })
    }

    /// Chooses the fraction nearest to `target`, as [`Structure::fixate_field_nearest_int`] does.
    pub fn fixate_field_nearest_fraction(&mut self, field: &str, target: Fraction) -> bool {
        self.choose(field, |value| match *value {
            Value::FractionRange { min, max } => Some(Value::Fraction(target.max(min).min(max))),
            Value::List(ref values) => nearest(values, target.to_f64(), |value| match *value {
                Value::Fraction(value) => Some(value.to_f64()),
                _ => None,
            }),
            _ => None,
        })
    }

    /// Chooses `target` if the field's list has it, else the list's first string. Says whether it
    /// chose.
    pub fn fixate_field_string(&mut self, field: &str, target: &str) -> bool {
        self.choose_listed(field, |value| match value {
            Value::String(_) => Some(value.as_str() == Some(target)),
            _ => None,
        })
    }

    /// Chooses `target` if the field's list has it, else the list's first boolean. Says whether it
    /// chose.
    pub fn fixate_field_bool(&mut self, field: &str, target: bool) -> bool {
        self.choose_listed(field, |value| value.as_bool().map(|value| value == target))
    }

    fn choose(&mut self, field: &str, choice: impl FnOnce(&Value) -> Option<Value>) -> bool {
        let Some(value) = self.get_mut(field) else {
            return false;
        };
        choice(value).map(|chosen| *value = chosen).is_some()
    }

    /// Chooses a member that is the target, else the first that could have been.
    fn choose_listed(&mut self, field: &str, is_target: impl Fn(&Value) -> Option<bool>) -> bool {
        self.choose(field, |value| match value {
            Value::List(values) => {
                let target = values.iter().find(|value| is_target(value) == Some(true));
                target.or_else(|| values.iter().find(|v| is_target(v).is_some())).cloned()
            }
            _ => None,
        })
    }
}

fn nearest(values: &[Value], target: f64, number: impl Fn(&Value) -> Option<f64>) -> Option<Value> {
    let mut best: Option<(f64, &Value)> = None;
    for value in values {
        let Some(distance) = number(value).map(|number| (target - number).abs()) else {
            continue;
        };
        if best.is_none_or(|(shortest, _)| distance < shortest) {
            best = Some((distance, value));
        }
    }
    best.map(|(_, value)| value.clone())
}
