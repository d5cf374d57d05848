//! The common values of two values.
//!
//! Invariant: the result is never an empty list; order is that of the first list that takes part.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_intersect`, `gst_value_can_intersect`).
//! Left out: sub-types of flag sets.

use std::mem::discriminant;

use super::Value;
use super::ops::{basic, merge};
use super::range::Integers;

impl Value {
    /// What both have in common, or `None`.
    pub fn intersect(&self, other: &Value) -> Option<Value> {
        use Value::{
            Array, Double, DoubleRange, FlagSet, Fraction, FractionRange, Int, Int64, Int64Range,
            IntRange, List,
        };
        match (self, other) {
            (List(left), List(right)) => intersect_lists(self, left, other, right),
            (List(list), single) | (single, List(list)) => intersect_members(list, single),
            _ if self.is_equal(other) => Some(self.clone()),
            (IntRange { .. }, IntRange { .. }) | (Int64Range { .. }, Int64Range { .. }) => {
                Integers::of(self)?.intersect(Integers::of(other)?)?.to_value()
            }
            (Int(number), range @ IntRange { .. }) | (range @ IntRange { .. }, Int(number)) => {
                Integers::of(range)?.holds((*number).into()).then_some(Int(*number))
            }
            (Int64(number), range @ Int64Range { .. })
            | (range @ Int64Range { .. }, Int64(number)) => {
                Integers::of(range)?.holds((*number).into()).then_some(Int64(*number))
            }
            (DoubleRange { min: min1, max: max1 }, DoubleRange { min: min2, max: max2 }) => {
                let (min, max) = (min1.max(*min2), max1.min(*max2));
                match min == max {
                    true => Some(Double(min)),
                    false => (min < max).then_some(DoubleRange { min, max }),
                }
            }
            (Double(number), DoubleRange { min, max })
            | (DoubleRange { min, max }, Double(number)) => {
                (min <= number && number <= max).then_some(Double(*number))
            }
            (FractionRange { min: min1, max: max1 }, FractionRange { min: min2, max: max2 }) => {
                let (min, max) = (*min1.max(min2), *max1.min(max2));
                (min <= max).then(|| Value::fraction_range(min, max))
            }
            (Fraction(number), FractionRange { min, max })
            | (FractionRange { min, max }, Fraction(number)) => {
                (min <= number && number <= max).then_some(Fraction(*number))
            }
            (Array(left), Array(right)) if left.len() == right.len() => {
                let pairs = left.iter().zip(right);
                pairs.map(|(a, b)| a.intersect(b)).collect::<Option<_>>().map(Array)
            }
            (FlagSet { flags: f1, mask: m1 }, FlagSet { flags: f2, mask: m2 }) => {
                let common = m1 & m2;
                let flags = (f1 & m1) | (f2 & m2);
                (f1 & common == f2 & common).then_some(FlagSet { flags, mask: m1 | m2 })
            }
            (Value::Structure(left), Value::Structure(right)) => {
                left.intersect(right).map(Value::from)
            }
            _ => None,
        }
    }

    /// Whether two values of these types could have something in common.
    pub fn can_intersect(&self, other: &Value) -> bool {
        use Value::{
            Double, DoubleRange, Fraction, FractionRange, Int, Int64, Int64Range, IntRange, List,
        };
        discriminant(self) == discriminant(other)
            || matches!(
                (self, other),
                (List(_), _)
                    | (_, List(_))
                    | (Int(_), IntRange { .. })
                    | (IntRange { .. }, Int(_))
                    | (Int64(_), Int64Range { .. })
                    | (Int64Range { .. }, Int64(_))
                    | (Double(_), DoubleRange { .. })
                    | (DoubleRange { .. }, Double(_))
                    | (Fraction(_), FractionRange { .. })
                    | (FractionRange { .. }, Fraction(_))
            )
    }
}

/// Pairs each member of one list with the first unpaired member of the other that it meets. Lists
/// whose first members differ in type, be it an int and a range of ints, have nothing in common.
fn intersect_lists(left: &Value, ones: &[Value], right: &Value, others: &[Value]) -> Option<Value> {
    let (first, other_first) = (basic(left)?, basic(right)?);
    if first.type_name() != other_first.type_name() {
        return None;
    }
    let mut paired = vec![false; others.len()];
    let mut common = Vec::with_capacity(ones.len().min(others.len()));
    for one in ones {
        let meeting = others.iter().enumerate().filter(|(at, _)| !paired[*at]);
        let mut met = meeting.filter_map(|(at, other)| Some((at, one.intersect(other)?)));
        if let Some((at, value)) = met.next() {
            drop(met);
            paired[at] = true;
            common.push(value);
        }
    }
    match common.len() {
        0 => None,
        1 => common.pop(),
        _ => Some(Value::List(common)),
    }
}

/// The members that have something in common with `single`. Equal results become one only while
/// there is no list yet.
fn intersect_members(list: &[Value], single: &Value) -> Option<Value> {
    let mut result = None;
    for value in list.iter().filter_map(|member| member.intersect(single)) {
        result = Some(match result {
            None => value,
            Some(Value::List(mut values)) => {
                values.push(value);
                Value::List(values)
            }
            Some(first) => merge(first, value),
        });
    }
    result
}
