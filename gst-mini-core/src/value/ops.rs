//! Comparing, joining and choosing values.
//!
//! Invariant: nothing here fails; what cannot be compared is unordered.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_compare`, `gst_value_is_subset`, `gst_value_union`, `gst_value_fixate`).
//! Left out: comparing the members of a list as if they all had the type of the first, for which a
//! list of fractions and their ranges does not equal itself in GStreamer.

use std::cmp::Ordering;
use std::mem::discriminant;

use super::Value;
use super::range::Integers;

impl Value {
    /// Which value is the larger. `None` if they have no order: values of different types, or two
    /// different ranges or lists. A list of one compares as its member, and a list of all the
    /// numbers of a range equals it.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::List(left), Value::List(right)) => same_members(left, right),
            (Value::List(list), single) | (single, Value::List(list)) => compare_list(list, single),
            _ => compare_single(self, other),
        }
    }

    /// Whether [`Value::compare`] says equal.
    pub fn is_equal(&self, other: &Value) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }

    /// Whether all values of `self` are among those of `other`, and `other` has more. Equal values
    /// are not subsets here; caps ask for equality first.
    pub fn is_subset_of(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::IntRange { .. }, Value::IntRange { .. })
            | (Value::Int64Range { .. }, Value::Int64Range { .. }) => {
                match (Integers::of(self), Integers::of(other)) {
                    (Some(sub), Some(sup)) => sub.is_subset_of(sup),
                    _ => false,
                }
            }
            (Value::FlagSet { flags: f1, mask: m1 }, Value::FlagSet { flags: f2, mask: m2 }) => {
                f1 & m1 == f2 & m1 & m2
            }
            (Value::Structure(sub), Value::Structure(sup)) => sub.is_subset_of(sup),
            (Value::List(sub), Value::List(sup)) => {
                let found = |value: &Value| sup.iter().any(|other| value.is_equal(other));
                sub.len() <= sup.len() && sub.iter().all(found)
            }
            (single, Value::List(sup)) => sup.iter().any(|other| single.is_equal(other)),
            _ => self.subtract(other).is_none() && other.subtract(self).is_some(),
        }
    }

    /// Whether this is a plain value that equals another exactly if the two are the same: no number with a
    /// fractional part, and nothing with parts.
    pub(crate) fn is_single(&self) -> bool {
        matches!(
            self,
            Value::Bool(_)
                | Value::Int(_)
                | Value::UInt(_)
                | Value::Int64(_)
                | Value::UInt64(_)
                | Value::Fraction(_)
                | Value::String(Some(_))
        )
    }

    /// Whether this is one value, not a choice of several.
    pub fn is_fixed(&self) -> bool {
        match self {
            Value::IntRange { .. }
            | Value::Int64Range { .. }
            | Value::DoubleRange { .. }
            | Value::FractionRange { .. }
            | Value::List(_) => false,
            Value::FlagSet { mask, .. } => *mask == u32::MAX,
            Value::Array(values) => values.iter().all(Value::is_fixed),
            Value::Structure(structure) => structure.is_fixed(),
            _ => true,
        }
    }

    /// The preferred value: the low end of a range, the first member of a list, and so inside
    /// arrays and structures. `None` if there is nothing to choose, or nothing to choose from.
    pub fn fixate(&self) -> Option<Value> {
        match self {
            Value::IntRange { min, .. } => Some(Value::Int(*min)),
            Value::DoubleRange { min, .. } => Some(Value::Double(*min)),
            Value::FractionRange { min, .. } => Some(Value::Fraction(*min)),
            Value::List(values) => {
                values.first().map(|first| first.fixate().unwrap_or_else(|| first.clone()))
            }
            Value::Array(values) => {
                let fixed: Vec<_> = values.iter().map(Value::fixate).collect();
                fixed.iter().any(Option::is_some).then(|| {
                    let pairs = fixed.into_iter().zip(values);
                    Value::Array(
                        pairs.map(|(fix, old)| fix.unwrap_or_else(|| old.clone())).collect(),
                    )
                })
            }
            Value::FlagSet { mask: u32::MAX, .. } => None,
            Value::FlagSet { flags, .. } => Some(Value::FlagSet { flags: *flags, mask: u32::MAX }),
            Value::Structure(structure) => {
                let mut structure = structure.clone();
                structure.fixate();
                Some(Value::Structure(structure))
            }
            _ => None,
        }
    }

    /// The values of both as one value: one range where ranges touch, else a list. `None` if an int
    /// does not adjoin its range, ranges do not touch, or the types do not mix.
    pub fn union(&self, other: &Value) -> Option<Value> {
        if !basic_types_mix(self, other) {
            return None;
        }
        match (self, other) {
            (Value::IntRange { .. }, Value::IntRange { .. }) => {
                Integers::of(self)?.union(Integers::of(other)?)?.to_value()
            }
            (Value::Int(number), range @ Value::IntRange { .. })
            | (range @ Value::IntRange { .. }, Value::Int(number)) => {
                Integers::of(range)?.union_number((*number).into())?.to_value()
            }
            (Value::FlagSet { flags: f1, mask: m1 }, Value::FlagSet { flags: f2, mask: m2 }) => {
                let common = m1 & m2;
                let flags = (f1 & !m2) | (f2 & m2);
                (f1 & common == f2 & common).then_some(Value::FlagSet { flags, mask: m1 | m2 })
            }
            (Value::Structure(left), Value::Structure(right)) if left.name() == right.name() => {
                let mut joined = left.clone();
                for (name, value) in right.fields() {
                    let value = match left.get(name) {
                        Some(old) => old.union(value)?,
                        None => value.clone(),
                    };
                    joined.set(name, value);
                }
                Some(Value::Structure(joined))
            }
            _ => Some(concat(self.clone(), other.clone())),
        }
    }
}

fn compare_single(left: &Value, right: &Value) -> Option<Ordering> {
    use Value::{
        Array, Bitmask, Caps, Double, Enum, Flags, Float, Fraction, Int, Int64, UInt, UInt64,
    };
    match (left, right) {
        (Int(left), Int(right)) => Some(left.cmp(right)),
        (UInt(left), UInt(right)) => Some(left.cmp(right)),
        (Int64(left), Int64(right)) => Some(left.cmp(right)),
        (UInt64(left), UInt64(right)) => Some(left.cmp(right)),
        (Float(left), Float(right)) => left.partial_cmp(right),
        (Double(left), Double(right)) => left.partial_cmp(right),
        (Fraction(left), Fraction(right)) => Some(left.cmp(right)),
        (Value::String(Some(left)), Value::String(Some(right))) => Some(left.cmp(right)),
        (Enum(kind, left), Enum(other, right)) if kind == other => Some(left.cmp(right)),
        (Flags(kind, left), Flags(other, right)) if kind == other => Some(left.cmp(right)),
        (Bitmask(left), Bitmask(right)) => equal_if(left == right),
        (Array(left), Array(right)) => {
            let mut pairs = left.iter().zip(right);
            equal_if(left.len() == right.len() && pairs.all(|(a, b)| a.is_equal(b)))
        }
        (Value::Structure(left), Value::Structure(right)) => equal_if(left.is_equal(right)),
        (Caps(left), Caps(right)) => equal_if(left.is_equal(right)),
        _ => equal_if(left == right),
    }
}

fn equal_if(equal: bool) -> Option<Ordering> {
    equal.then_some(Ordering::Equal)
}

/// Lists are equal if each member has its own partner, in any order.
fn same_members(left: &[Value], right: &[Value]) -> Option<Ordering> {
    if left.len() != right.len() {
        return None;
    }
    let mut taken = vec![false; right.len()];
    let all_found = left.iter().all(|value| {
        let is_partner = |&at: &usize| {
            let same_type = discriminant(value) == discriminant(&right[at]);
            !taken[at] && same_type && value.is_equal(&right[at])
        };
        let partner = (0..right.len()).find(is_partner);
        partner.map(|at| taken[at] = true).is_some()
    });
    equal_if(all_found)
}

fn compare_list(list: &[Value], single: &Value) -> Option<Ordering> {
    if equals_range(list, single) {
        return Some(Ordering::Equal);
    }
    match list {
        [only] => only.compare(single),
        _ => equal_if(!list.is_empty() && list.iter().all(|value| value.is_equal(single))),
    }
}

/// Whether a list of integers has as many members as a range, all of them in it.
fn equals_range(list: &[Value], range: &Value) -> bool {
    let numbers = match range {
        Value::IntRange { .. } | Value::Int64Range { .. } => Integers::of(range),
        _ => None,
    };
    let Some(numbers) = numbers else {
        return false;
    };
    let in_range = |value: &Value| match *value {
        Value::Int(number) => numbers.bits == 32 && numbers.holds(number.into()),
        Value::Int64(number) => numbers.bits == 64 && numbers.holds(number.into()),
        _ => false,
    };
    list.len() as i128 == numbers.count() && list.iter().all(in_range)
}

/// Both as one flat list.
pub(super) fn concat(left: Value, right: Value) -> Value {
    let mut values = into_members(left);
    values.extend(into_members(right));
    Value::List(values)
}

/// Both as one flat list, without those of `right` that `left` has; one value alone is no list.
pub(super) fn merge(left: Value, right: Value) -> Value {
    let mut values = into_members(left);
    let known = values.len();
    for value in into_members(right) {
        if !values[..known].iter().any(|old| old.is_equal(&value)) {
            values.push(value);
        }
    }
    match values.len() {
        1 => values.swap_remove(0),
        _ => Value::List(values),
    }
}

fn into_members(value: Value) -> Vec<Value> {
    match value {
        Value::List(values) => values,
        single => vec![single],
    }
}

/// The first single value or range inside of lists and arrays; `None` in an empty one.
pub(super) fn basic(value: &Value) -> Option<&Value> {
    match value {
        Value::List(values) | Value::Array(values) => values.first().and_then(basic),
        single => Some(single),
    }
}

/// Whether two values may stand in one list: of one type, or of a type and its range.
fn basic_types_mix(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (basic(left), basic(right)) else {
        return true;
    };
    let is_range = |value: &Value| {
        matches!(
            value,
            Value::IntRange { .. }
                | Value::Int64Range { .. }
                | Value::DoubleRange { .. }
                | Value::FractionRange { .. }
        )
    };
    left.type_name() == right.type_name()
        || (is_range(left) != is_range(right)
            && left.element_type_name() == right.element_type_name())
}
