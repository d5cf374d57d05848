//! What is left of a value when the values of another are taken away.
//!
//! Invariant: the result holds nothing that was not there before.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_subtract`).
//! Left out: open ends, so a single number in a continuous range stays; ranges with different
//! steps, which stop GStreamer with an assertion, leave the first as it is unless they cover it.

use super::Value;
use super::ops::concat;
use super::range::Integers;

impl Value {
    /// The values of `self` that are not in `other`, or `None` if nothing is left.
    pub fn subtract(&self, other: &Value) -> Option<Value> {
        use Value::{
            Double, DoubleRange, Fraction, FractionRange, Int, Int64, Int64Range, IntRange, List,
        };
        match (self, other) {
            (List(values), _) => subtract_from_members(values, other),
            (_, List(values)) => {
                values.iter().try_fold(self.clone(), |rest, value| rest.subtract(value))
            }
            (Int(_), IntRange { .. }) | (Int64(_), Int64Range { .. }) => {
                let number = Integers::of(self)?.min;
                (!Integers::of(other)?.holds(number)).then(|| self.clone())
            }
            (IntRange { .. }, Int(_)) | (Int64Range { .. }, Int64(_)) => {
                let (range, number) = (Integers::of(self)?, Integers::of(other)?.min);
                match range.holds(number) {
                    true => join(range.subtract_number(number)),
                    false => Some(self.clone()),
                }
            }
            (IntRange { .. }, IntRange { .. }) | (Int64Range { .. }, Int64Range { .. }) => {
                let (range, hole) = (Integers::of(self)?, Integers::of(other)?);
                match range.step == hole.step {
                    true => join(range.subtract(hole)),
                    false => (!range.is_subset_of(hole)).then(|| self.clone()),
                }
            }
            (Double(number), DoubleRange { min, max }) => {
                (number < min || number > max).then(|| self.clone())
            }
            (Fraction(number), FractionRange { min, max }) => {
                (number < min || number > max).then(|| self.clone())
            }
            (DoubleRange { .. }, Double(_)) | (FractionRange { .. }, Fraction(_)) => {
                Some(self.clone())
            }
            (DoubleRange { min, max }, DoubleRange { min: from, max: to }) => {
                let (below, above) = (from.min(*max), to.max(*min));
                let part = |min, max| (min < max).then_some(DoubleRange { min, max });
                join([part(*min, below), part(above, *max)])
            }
            (FractionRange { min, max }, FractionRange { min: from, max: to }) => {
                let (below, above) = (*from.min(max), *to.max(min));
                let part = |min, max| (min < max).then_some(FractionRange { min, max });
                join([part(*min, below), part(above, *max)])
            }
            _ => (!self.is_equal(other)).then(|| self.clone()),
        }
    }
}

fn subtract_from_members(values: &[Value], other: &Value) -> Option<Value> {
    let mut result = None;
    for rest in values.iter().filter_map(|value| value.subtract(other)) {
        result = Some(match (result, rest) {
            (None, rest) => rest,
            (Some(left), rest) => concat(left, rest),
        });
    }
    result
}

fn join(parts: [Option<Value>; 2]) -> Option<Value> {
    match parts {
        [Some(below), Some(above)] => Some(concat(below, above)),
        [below, above] => below.or(above),
    }
}
