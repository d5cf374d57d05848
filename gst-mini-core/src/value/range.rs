//! Stepped integer ranges, 32 and 64 bits alike, computed with room to spare.
//!
//! Invariant: `min <= max`, `step >= 1`, and both ends are multiples of the step.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_intersect_int_range_int_range`).
//! Left out: nothing; where 32-bit arithmetic of GStreamer overflows, the true result is given.

use super::Value;

/// A stepped range of integers of some width.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Integers {
    pub min: i128,
    pub max: i128,
    pub step: i128,
    /// The width of the type in bits, 32 or 64.
    pub bits: u32,
}

impl Integers {
    /// The range or single integer in `value`, with what it is a single integer of.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let (min, max, step, bits) = match *value {
            Value::Int(only) => (only.into(), only.into(), 1, 32),
            Value::Int64(only) => (only.into(), only.into(), 1, 64),
            Value::IntRange { min, max, step } => (min.into(), max.into(), step.into(), 32),
            Value::Int64Range { min, max, step } => (min.into(), max.into(), step.into(), 64),
            _ => return None,
        };
        Some(Self { min, max, step: step.max(1), bits })
    }

    /// The value for this set; a single integer where the ends meet, `None` if they crossed.
    pub(super) fn to_value(self) -> Option<Value> {
        if self.min > self.max {
            return None;
        }
        Some(match self.bits {
            32 => {
                let (min, max) = (i32::try_from(self.min).ok()?, i32::try_from(self.max).ok()?);
                match min == max {
                    true => Value::Int(min),
                    false => Value::IntRange { min, max, step: i32::try_from(self.step).ok()? },
                }
            }
            _ => {
                let (min, max) = (i64::try_from(self.min).ok()?, i64::try_from(self.max).ok()?);
                match min == max {
                    true => Value::Int64(min),
                    false => Value::Int64Range { min, max, step: i64::try_from(self.step).ok()? },
                }
            }
        })
    }

    /// The smallest and largest number of the type.
    pub(super) fn limits(self) -> (i128, i128) {
        match self.bits {
            32 => (i32::MIN.into(), i32::MAX.into()),
            _ => (i64::MIN.into(), i64::MAX.into()),
        }
    }

    pub(super) fn holds(self, number: i128) -> bool {
        (self.min..=self.max).contains(&number) && number % self.step == 0
    }

    /// How many numbers there are.
    pub(super) fn count(self) -> i128 {
        self.max / self.step - self.min / self.step + 1
    }

    /// The common numbers of two ranges. The ends are rounded towards zero, as in GStreamer, which
    /// can let in a number just outside of a negative end.
    pub(super) fn intersect(self, other: Self) -> Option<Self> {
        let step = self.step / gcd(self.step, other.step) * other.step;
        if step > self.limits().1 {
            return None;
        }
        let min = (self.min.max(other.min) + step - 1) / step * step;
        let max = self.max.min(other.max) / step * step;
        (min <= max).then_some(Self { min, max, step, bits: self.bits })
    }

    /// Whether a range lies in another, by ends and by steps that divide one another; GStreamer
    /// does not ask which of the steps is the finer one.
    pub(super) fn is_subset_of(self, other: Self) -> bool {
        let inside = self.min >= other.min && self.max <= other.max;
        inside && gcd(self.step, other.step) == self.step.min(other.step)
    }

    /// The union of two ranges, if it is a range.
    pub(super) fn union(self, other: Self) -> Option<Self> {
        if self.is_subset_of(other) {
            return Some(other);
        }
        if other.is_subset_of(self) {
            return Some(self);
        }
        let step = self.step;
        let touch = self.min <= other.max + step && other.min <= self.max + step;
        (step == other.step && touch).then_some(Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            ..self
        })
    }

    /// The range with `number` added at one of its ends, or itself if it holds it already.
    pub(super) fn union_number(self, number: i128) -> Option<Self> {
        if self.holds(number) {
            Some(self)
        } else if number == self.min - self.step {
            Some(Self { min: number, ..self })
        } else if number == self.max + self.step {
            Some(Self { max: number, ..self })
        } else {
            None
        }
    }

    /// What is left without `number`: up to two ranges.
    ///
    /// At the very ends of the type GStreamer takes away the neighbor too; so does this.
    pub(super) fn subtract_number(self, number: i128) -> [Option<Value>; 2] {
        let (lowest, highest) = self.limits();
        let (mut min, mut max, mut number) = (self.min, self.max, number);
        if number > highest - self.step {
            max -= self.step;
            number -= self.step;
        }
        if number < lowest + self.step {
            min += self.step;
            number += self.step;
        }
        self.parts(min, number - self.step, number + self.step, max)
    }

    /// What is left without `other`, a range of the same step: up to two ranges.
    pub(super) fn subtract(self, other: Self) -> [Option<Value>; 2] {
        let below = self.max.min(other.min - self.step);
        let above = self.min.max(other.max + self.step);
        self.parts(self.min, below, above, self.max)
    }

    fn parts(self, min1: i128, max1: i128, min2: i128, max2: i128) -> [Option<Value>; 2] {
        [
            Self { min: min1, max: max1, ..self }.to_value(),
            Self { min: min2, max: max2, ..self }.to_value(),
        ]
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs().max(1)
}
