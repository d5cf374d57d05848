//! A [`Value`] is what a caps field or a property holds: one thing, or several possible ones.
//!
//! ```
//! use gst_mini_core::value::Value;
//! let rates = Value::parse_typed("(int)[ 8000, 48000 ]")?;
//! let list = Value::parse_typed("{ 44100, 96000 }")?;
//! assert_eq!(rates.intersect(&list), Some(Value::Int(44100)));
//! assert_eq!(rates.serialize_typed(), "(int)[ 8000, 48000 ]");
//! # Ok::<(), gst_mini_core::value::ParseError>(())
//! ```
//!
//! Invariant: a range is not empty and not a single value; its ends are multiples of its step.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_intersect`, `gst_value_serialize`).
//! Left out: dates, buffers, samples, tag lists and `long`. A value may hold a structure or caps, so the
//! three modules name each other; everything else in them points one way.

mod choice;
mod fraction;
mod intersect;
pub(crate) mod number;
mod ops;
pub(crate) mod parse;
mod range;
mod read;
mod serialize;
mod subtract;

use std::sync::Arc;

use crate::caps::Caps;
use crate::structure::Structure;
use crate::time::ClockTime;

pub use choice::{Choice, EnumType, FORMAT, FlagsType, SEEK_FLAGS, SEEK_TYPE, STATE};
pub use fraction::Fraction;
pub use parse::ParseError;
pub use serialize::quote;
pub(crate) use serialize::{Nested, push_quoted};

/// One value, or a set of possible values, as found in caps fields, properties and messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `boolean`
    Bool(bool),
    /// `int`
    Int(i32),
    /// `uint`
    UInt(u32),
    /// `gint64`
    Int64(i64),
    /// `guint64`
    UInt64(u64),
    /// `float`
    Float(f32),
    /// `double`
    Double(f64),
    /// `string`; `None` is written `NULL`
    String(Option<Arc<str>>),
    /// `fraction`
    Fraction(Fraction),
    /// `bitmask`: 64 independent bits, written as sixteen hexadecimal digits
    Bitmask(u64),
    /// `flagset`: bits, and a mask of the bits that matter
    FlagSet {
        /// The bits; those outside of the mask are 0.
        flags: u32,
        /// The bits that matter.
        mask: u32,
    },
    /// One of a closed list of names
    Enum(&'static EnumType, i32),
    /// Any of a list of named bits
    Flags(&'static FlagsType, u32),
    /// Every `step`th integer from `min` to `max`
    IntRange {
        /// The smallest value, a multiple of `step`.
        min: i32,
        /// The largest value, a multiple of `step` above `min`.
        max: i32,
        /// The distance between values, at least 1.
        step: i32,
    },
    /// Every `step`th 64-bit integer from `min` to `max`
    Int64Range {
        /// The smallest value, a multiple of `step`.
        min: i64,
        /// The largest value, a multiple of `step` above `min`.
        max: i64,
        /// The distance between values, at least 1.
        step: i64,
    },
    /// Every double from `min` to `max`, both included
    DoubleRange {
        /// The smallest value.
        min: f64,
        /// The largest value, above `min`.
        max: f64,
    },
    /// Every fraction from `min` to `max`, both included
    FractionRange {
        /// The smallest value.
        min: Fraction,
        /// The largest value, above `min`.
        max: Fraction,
    },
    /// Possible values, best first: `{ a, b }`. Repetitions stay.
    List(Vec<Value>),
    /// One value made of several, in order: `< a, b >`
    Array(Vec<Value>),
    /// A structure in a field
    Structure(Box<Structure>),
    /// Caps in a field
    Caps(Box<Caps>),
}

impl Value {
    /// The integers from `min` to `max`. Swapped ends are put in order; equal ends give the one
    /// integer.
    pub fn int_range(min: i32, max: i32) -> Self {
        match min == max {
            true => Value::Int(min),
            false => Value::IntRange { min: min.min(max), max: max.max(min), step: 1 },
        }
    }

    /// The fractions from `min` to `max`, treated as in [`Value::int_range`].
    pub fn fraction_range(min: Fraction, max: Fraction) -> Self {
        match min == max {
            true => Value::Fraction(min),
            false => Value::FractionRange { min: min.min(max), max: max.max(min) },
        }
    }

    /// The list of `values`, best first.
    pub fn list<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }

    /// The array of `values`.
    pub fn array<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        Value::Array(values.into_iter().map(Into::into).collect())
    }

    /// The type as GStreamer abbreviates it: `int`, `gint64`, `GstIntRange`, `list` and so on.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Bool(_) => "boolean",
            Value::Int(_) => "int",
            Value::UInt(_) => "uint",
            Value::Int64(_) => "gint64",
            Value::UInt64(_) => "guint64",
            Value::Float(_) => "float",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Fraction(_) => "fraction",
            Value::Bitmask(_) => "bitmask",
            Value::FlagSet { .. } => "flagset",
            Value::Enum(kind, _) => kind.name,
            Value::Flags(kind, _) => kind.name,
            Value::IntRange { .. } => "GstIntRange",
            Value::Int64Range { .. } => "GstInt64Range",
            Value::DoubleRange { .. } => "GstDoubleRange",
            Value::FractionRange { .. } => "GstFractionRange",
            Value::List(_) => "list",
            Value::Array(_) => "array",
            Value::Structure(_) => "structure",
            Value::Caps(_) => "GstCaps",
        }
    }

    /// The type of the single values inside: `int` for a range or a list of ints. An empty list
    /// says `int`.
    pub fn element_type_name(&self) -> &'static str {
        match self {
            Value::IntRange { .. } => "int",
            Value::Int64Range { .. } => "gint64",
            Value::DoubleRange { .. } => "double",
            Value::FractionRange { .. } => "fraction",
            Value::List(values) | Value::Array(values) => {
                values.first().map_or("int", Value::element_type_name)
            }
            single => single.type_name(),
        }
    }

    /// The boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The integer, of any integer type, if it fits.
    pub fn as_i32(&self) -> Option<i32> {
        self.as_i64().and_then(|value| i32::try_from(value).ok())
    }

    /// The integer, of any integer type, if it fits. Enums give their number.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Value::Int(value) | Value::Enum(_, value) => Some(value.into()),
            Value::UInt(value) | Value::Flags(_, value) => Some(value.into()),
            Value::Int64(value) => Some(value),
            Value::UInt64(value) => i64::try_from(value).ok(),
            _ => None,
        }
    }

    /// The integer, of any integer type, if it is not negative. Bit masks give their bits.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Value::UInt64(value) | Value::Bitmask(value) => Some(value),
            _ => self.as_i64().and_then(|value| u64::try_from(value).ok()),
        }
    }

    /// The number, of any numeric type, as the nearest double.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Value::Double(value) => Some(value),
            Value::Float(value) => Some(value.into()),
            Value::Fraction(value) => Some(value.to_f64()),
            Value::UInt64(value) => Some(value as f64),
            _ => self.as_i64().map(|value| value as f64),
        }
    }

    /// The string; `None` also for the `NULL` string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(value) => value.as_deref(),
            _ => None,
        }
    }

    /// The fraction; an int counts as a whole one.
    pub fn as_fraction(&self) -> Option<Fraction> {
        match *self {
            Value::Fraction(value) => Some(value),
            Value::Int(value) => Some(value.into()),
            _ => None,
        }
    }
}

macro_rules! value_from {
    ($($source:ty => |$value:ident| $result:expr;)*) => {$(
        impl From<$source> for Value {
            fn from($value: $source) -> Self {
                $result
            }
        }
    )*};
}

value_from! {
    bool => |value| Value::Bool(value);
    i32 => |value| Value::Int(value);
    u32 => |value| Value::UInt(value);
    i64 => |value| Value::Int64(value);
    u64 => |value| Value::UInt64(value);
    f32 => |value| Value::Float(value);
    f64 => |value| Value::Double(value);
    &str => |value| Value::String(Some(value.into()));
    String => |value| Value::String(Some(value.into()));
    Arc<str> => |value| Value::String(Some(value));
    Fraction => |value| Value::Fraction(value);
    ClockTime => |value| Value::UInt64(value.nanos());
    Structure => |value| Value::Structure(Box::new(value));
    Caps => |value| Value::Caps(Box::new(value));
}

/// `h:mm:ss.nnnnnnnnn`, or GStreamer's `99:99:99.999999999` for no time.
pub fn format_time(time: Option<ClockTime>) -> String {
    time.map_or_else(|| "99:99:99.999999999".to_owned(), |time| time.to_string())
}
