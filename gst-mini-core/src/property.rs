//! A [`Prop`] ties a property's public face to a field of the element that has it.
//!
//! One table serves launch lines, `inspect`, sets and gets. The host keeps the values: a set is
//! visible to a get at once, and reaches the field before the element's next streaming call. A
//! [`Live`] field is reached at once, also while a buffer is held.
//!
//! Invariant: a value that does not parse, or is out of its range, leaves the field as it was.
//! In GStreamer: `GParamSpec` and `g_object_set_property`, `gst/gstutils.c` (`gst_util_set_object_arg`).
//! Left out: property bindings and controllers.

use crate::caps::Caps;
use crate::plugin::abi::{
    GM_PROP_LIVE, GM_PROP_READABLE, GM_PROP_READY_ONLY, GM_PROP_SECRET, GM_PROP_VOLATILE,
    GM_PROP_WRITABLE, GmPropSpec, GmStr,
};
use crate::time::ClockTime;
use crate::value::{Fraction, Value};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Type names as they stand in a property's specification.
pub mod types {
    /// `true` or `false`.
    pub const BOOLEAN: &str = "boolean";
    /// 32-bit signed.
    pub const INT: &str = "int";
    /// 32-bit unsigned.
    pub const UINT: &str = "uint";
    /// 64-bit signed.
    pub const INT64: &str = "int64";
    /// 64-bit unsigned.
    pub const UINT64: &str = "uint64";
    /// Double precision.
    pub const DOUBLE: &str = "double";
    /// Single precision.
    pub const FLOAT: &str = "float";
    /// A pad of the element, by its name.
    pub const PAD: &str = "pad";
    /// Text.
    pub const STRING: &str = "string";
    /// Numerator and denominator.
    pub const FRACTION: &str = "fraction";
    /// Caps.
    pub const CAPS: &str = "caps";
    /// A structure, as statistics are.
    pub const STRUCTURE: &str = "structure";
    /// All of them; choices and flags list theirs behind `enum:` and `flags:`.
    pub const ALL: &[&str] =
        &[BOOLEAN, INT, UINT, INT64, UINT64, DOUBLE, FLOAT, PAD, STRING, FRACTION, CAPS, STRUCTURE];
}

/// A property of element `E`.
pub struct Prop<E: 'static> {
    /// Its public face, first so that the boundary can point at it.
    pub(crate) spec: GmPropSpec,
    field: Field<E>,
}

enum Field<E: 'static> {
    Bool(fn(&mut E) -> &mut bool),
    I32(fn(&mut E) -> &mut i32),
    U32(fn(&mut E) -> &mut u32),
    I64(fn(&mut E) -> &mut i64),
    U64(fn(&mut E) -> &mut u64),
    F64(fn(&mut E) -> &mut f64),
    Time(fn(&mut E) -> &mut ClockTime),
    Text(fn(&mut E) -> &mut String),
    Fraction(fn(&mut E) -> &mut Fraction),
    Caps(fn(&mut E) -> &mut Caps),
    Live(fn(&E) -> &dyn LiveField),
    /// The host keeps it: what the element publishes with `Cx::publish`.
    Published,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident $variant:ident $ty:ty, $type_name:expr;)*) => {$(
        $(#[$doc])*
        pub const fn $name(
            name: &'static str,
            blurb: &'static str,
            field: fn(&mut E) -> &mut $ty,
        ) -> Self {
            Self::with_field(name, $type_name, blurb, Field::$variant(field))
        }
    )*};
}

impl<E: 'static> Prop<E> {
    constructors! {
        /// A switch.
        boolean Bool bool, types::BOOLEAN;
        /// A 32-bit signed number.
        int I32 i32, types::INT;
        /// A 32-bit unsigned number.
        uint U32 u32, types::UINT;
        /// A 64-bit signed number.
        int64 I64 i64, types::INT64;
        /// A 64-bit unsigned number.
        uint64 U64 u64, types::UINT64;
        /// A real number.
        double F64 f64, types::DOUBLE;
        /// A real number of which single precision is kept.
        float F64 f64, types::FLOAT;
        /// Text.
        string Text String, types::STRING;
        /// A fraction.
        fraction Fraction Fraction, types::FRACTION;
        /// Caps.
        caps Caps Caps, types::CAPS;
    }

    /// A length of time, in ns.
    pub const fn time(
        name: &'static str,
        blurb: &'static str,
        field: fn(&mut E) -> &mut ClockTime,
    ) -> Self {
        Self::with_field(name, types::UINT64, blurb, Field::Time(field)).unit("ns")
    }

    /// Any of several bits. `type_name` is `flags:nick=1:LONG_NAME,other-nick=2:OTHER_NAME`; the field
    /// holds the bits.
    pub const fn flags(
        name: &'static str,
        type_name: &'static str,
        blurb: &'static str,
        field: fn(&mut E) -> &mut u32,
    ) -> Self {
        Self::with_field(name, type_name, blurb, Field::U32(field))
    }

    /// A choice among names. `type_name` is `enum:nick=0,other-nick=1`, or with long names that are taken
    /// too, `enum:nick=0:LONG_NAME`; the field holds the number.
    pub const fn choice(
        name: &'static str,
        type_name: &'static str,
        blurb: &'static str,
        field: fn(&mut E) -> &mut i32,
    ) -> Self {
        Self::with_field(name, type_name, blurb, Field::I32(field))
    }

    /// A field that is read and written from any thread, at once. See [`types`] for `type_name`.
    pub const fn live(
        name: &'static str,
        type_name: &'static str,
        blurb: &'static str,
        field: fn(&E) -> &dyn LiveField,
    ) -> Self {
        let mut prop = Self::with_field(name, type_name, blurb, Field::Live(field));
        prop.spec.flags |= GM_PROP_LIVE | GM_PROP_VOLATILE;
        prop
    }

    /// A read-only value that the element publishes with [`Cx::publish`](crate::cx::Cx::publish).
    pub const fn published(
        name: &'static str,
        type_name: &'static str,
        blurb: &'static str,
        default: &'static str,
    ) -> Self {
        let mut prop = Self::with_field(name, type_name, blurb, Field::Published).read_only();
        prop.spec.default_value = GmStr::new(default);
        prop
    }

    const fn with_field(
        name: &'static str,
        type_name: &'static str,
        blurb: &'static str,
        field: Field<E>,
    ) -> Self {
        let spec = GmPropSpec {
            struct_size: size_of::<GmPropSpec>() as u32,
            flags: GM_PROP_READABLE | GM_PROP_WRITABLE,
            name: GmStr::new(name),
            type_name: GmStr::new(type_name),
            blurb: GmStr::new(blurb),
            unit: GmStr::EMPTY,
            min: GmStr::EMPTY,
            max: GmStr::EMPTY,
            default_value: GmStr::EMPTY,
            #[cfg(gst_mini_abi_next)]
            next: crate::plugin::abi::NEXT,
        };
        Prop { spec, field }
    }

    /// States the unit: `ns`, `bytes`, `bit/s`.
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.spec.unit = GmStr::new(unit);
        self
    }
    /// States the bounds, in the property's own text form.
    pub const fn range(mut self, min: &'static str, max: &'static str) -> Self {
        self.spec.min = GmStr::new(min);
        self.spec.max = GmStr::new(max);
        self
    }
    /// Cannot be set.
    pub const fn read_only(mut self) -> Self {
        self.spec.flags &= !GM_PROP_WRITABLE;
        self
    }
    /// Is never printed.
    pub const fn secret(mut self) -> Self {
        self.spec.flags |= GM_PROP_SECRET;
        self
    }
    /// Takes effect only when set before the element leaves READY.
    pub const fn ready_only(mut self) -> Self {
        self.spec.flags |= GM_PROP_READY_ONLY;
        self
    }

    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.field, Field::Live(_))
    }

    /// Sets a live field from text.
    pub(crate) fn set_live(&self, element: &E, text: &str) -> Result<(), String> {
        match self.field {
            Field::Live(field) => Place::Live(field(element)).set(&self.spec, text),
            _ => Err("it can only be set between buffers".to_owned()),
        }
    }

    /// Sets the field from text.
    pub(crate) fn set(&self, element: &mut E, text: &str) -> Result<(), String> {
        self.place(element).set(&self.spec, text)
    }

    /// Reads the field as text. `None` for published ones.
    pub(crate) fn get(&self, element: &mut E) -> Option<String> {
        self.place(element).get(&self.spec)
    }

    /// Reads a live field as text.
    pub(crate) fn get_live(&self, element: &E) -> Option<String> {
        match self.field {
            Field::Live(field) => Place::Live(field(element)).get(&self.spec),
            _ => None,
        }
    }

    #[inline(never)]
    fn place<'a>(&self, element: &'a mut E) -> Place<'a> {
        match self.field {
            Field::Bool(field) => Place::Bool(field(element)),
            Field::I32(field) => Place::I32(field(element)),
            Field::U32(field) => Place::U32(field(element)),
            Field::I64(field) => Place::I64(field(element)),
            Field::U64(field) => Place::U64(field(element)),
            Field::F64(field) => Place::F64(field(element)),
            Field::Time(field) => Place::Time(field(element)),
            Field::Text(field) => Place::Text(field(element)),
            Field::Fraction(field) => Place::Fraction(field(element)),
            Field::Caps(field) => Place::Caps(field(element)),
            Field::Live(field) => Place::Live(field(element)),
            Field::Published => Place::Published,
        }
    }
}

/// A field of one instance. It names no element, so what reads and writes text is compiled once for all.
enum Place<'a> {
    Bool(&'a mut bool),
    I32(&'a mut i32),
    U32(&'a mut u32),
    I64(&'a mut i64),
    U64(&'a mut u64),
    F64(&'a mut f64),
    Time(&'a mut ClockTime),
    Text(&'a mut String),
    Fraction(&'a mut Fraction),
    Caps(&'a mut Caps),
    Live(&'a dyn LiveField),
    Published,
}

impl Place<'_> {
    fn set(self, spec: &GmPropSpec, text: &str) -> Result<(), String> {
        fn read<T: std::str::FromStr>(field: &mut T, text: &str) -> Result<(), String> {
            *field = text.parse().map_err(|_| format!("cannot read \"{text}\""))?;
            Ok(())
        }
        let text = &*number_of(type_name(spec), text);
        match self {
            Place::Bool(field) => read(field, text),
            Place::I32(field) => read(field, text),
            Place::U32(field) => read(field, text),
            Place::I64(field) => read(field, text),
            Place::U64(field) => read(field, text),
            Place::F64(field) => read(field, text),
            Place::Time(field) => {
                let nanos = text.parse().map_err(|_| format!("cannot read \"{text}\""))?;
                *field = ClockTime::from_nanos(nanos);
                Ok(())
            }
            Place::Text(field) => {
                *field = text.to_owned();
                Ok(())
            }
            Place::Fraction(field) => {
                let (num, den) = text.split_once('/').unwrap_or((text, "1"));
                let number = |n: &str| n.parse().map_err(|_| format!("cannot read \"{text}\""));
                *field = Fraction::new(number(num)?, number(den)?);
                Ok(())
            }
            Place::Caps(field) => {
                *field = Caps::parse(text).map_err(|error| error.to_string())?;
                Ok(())
            }
            Place::Live(field) => field.set_text(text),
            Place::Published => Err("it is read-only".to_owned()),
        }
    }

    fn get(self, spec: &GmPropSpec) -> Option<String> {
        let type_name = type_name(spec);
        Some(match self {
            Place::Bool(field) => field.to_string(),
            Place::I32(field) => nick_of(type_name, i64::from(*field)),
            Place::U32(field) => match type_name.starts_with(FLAGS) {
                true => flags_text(type_name, *field),
                false => field.to_string(),
            },
            Place::I64(field) => field.to_string(),
            Place::U64(field) => field.to_string(),
            Place::F64(field) => format!("{field:?}"),
            Place::Time(field) => field.nanos().to_string(),
            Place::Text(field) => field.clone(),
            Place::Fraction(field) => format!("{}/{}", field.num, field.den),
            Place::Caps(field) => field.to_string(),
            Place::Live(field) => {
                let text = field.text();
                match text.parse::<i64>() {
                    Ok(number) => nick_of(type_name, number),
                    Err(_) => text,
                }
            }
            Place::Published => return None,
        })
    }
}

fn type_name(spec: &GmPropSpec) -> &str {
    // SAFETY: made from a `&'static str` by `with_field`.
    unsafe { spec.type_name.to_str() }.unwrap_or("")
}

fn number_of<'a>(type_name: &str, text: &'a str) -> std::borrow::Cow<'a, str> {
    if let Some(bits) = flags_value(type_name, text) {
        return bits.to_string().into();
    }
    match enum_values(type_name).into_iter().find(|(nick, _)| *nick == text) {
        Some((_, number)) => number.to_string().into(),
        None => text.into(),
    }
}

fn nick_of(type_name: &str, number: i64) -> String {
    match enum_values(type_name).into_iter().find(|(_, n)| i64::from(*n) == number) {
        Some((nick, _)) => nick.to_owned(),
        None => number.to_string(),
    }
}

const FLAGS: &str = "flags:";

/// The names and numbers of an `enum:…` type name; empty for other types.
pub fn enum_values(type_name: &str) -> Vec<(&str, i32)> {
    let choices = type_name.strip_prefix("enum:").map(choices).unwrap_or_default();
    choices.into_iter().map(|(nick, number, _)| (nick, number)).collect()
}

/// The number of a choice that a long name stands for.
#[cfg(feature = "host")]
pub(crate) fn enum_long_name(type_name: &str, text: &str) -> Option<i32> {
    let choices = choices(type_name.strip_prefix("enum:")?);
    choices.into_iter().find(|(_, _, name)| *name == Some(text)).map(|(_, number, _)| number)
}

/// Nick, number and long name of each entry of `nick=number:LONG_NAME,…`.
fn choices(list: &str) -> Vec<(&str, i32, Option<&str>)> {
    let mut next = 0;
    list.split(',')
        .map(|entry| {
            let (nick, rest) = entry.split_once('=').unwrap_or((entry, ""));
            let (number, name) = match rest.split_once(':') {
                Some((number, name)) => (number, Some(name)),
                None => (rest, None),
            };
            let number: i32 = number.parse().unwrap_or(next);
            next = number.wrapping_add(1);
            (nick, number, name)
        })
        .collect()
}

/// The bits of a `flags:…` type that a text stands for: nicks, long names or numbers, joined by `+`.
pub(crate) fn flags_value(type_name: &str, text: &str) -> Option<u32> {
    let choices = choices(type_name.strip_prefix(FLAGS)?);
    text.split('+').try_fold(0, |bits, word| {
        let named = choices.iter().find(|(nick, _, name)| *nick == word || *name == Some(word));
        let value = match named {
            Some((_, number, _)) => number.cast_unsigned(),
            None => u32::try_from(Value::parse(types::UINT, word).ok()?.as_u64()?).ok()?,
        };
        Some(bits | value)
    })
}

/// The long names of bits, joined by `+`; `0` for none.
pub(crate) fn flags_text(type_name: &str, bits: u32) -> String {
    let choices = type_name.strip_prefix(FLAGS).map(choices).unwrap_or_default();
    let set = choices.iter().filter(|(_, number, _)| bits & number.cast_unsigned() != 0);
    let names: Vec<&str> = set.map(|(nick, _, name)| name.unwrap_or(nick)).collect();
    if names.is_empty() { "0".to_owned() } else { names.join("+") }
}

/// A field that may be read and written from any thread.
pub trait LiveField: Send + Sync {
    /// Sets it from text. Any thread.
    fn set_text(&self, text: &str) -> Result<(), String>;
    /// Reads it as text. Any thread.
    fn text(&self) -> String;
}

/// A number or switch that several threads read while another sets it.
#[derive(Default)]
pub struct Live<T> {
    bits: AtomicU64,
    kind: std::marker::PhantomData<fn() -> T>,
}

/// What fits into a [`Live`].
pub trait LiveNumber: Copy + std::fmt::Debug + std::str::FromStr {
    /// To 64 bits.
    fn to_bits(self) -> u64;
    /// From 64 bits.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! live_number {
    ($($ty:ty: $to:expr, $from:expr;)*) => {$(
        impl LiveNumber for $ty {
            fn to_bits(self) -> u64 {
                $to(self)
            }
            fn from_bits(bits: u64) -> Self {
                $from(bits)
            }
        }
    )*};
}

live_number! {
    bool: u64::from, |bits| bits != 0;
    u32: u64::from, |bits| bits as u32;
    u64: |n| n, |bits| bits;
    i32: |n| n as u32 as u64, |bits| bits as u32 as i32;
    i64: |n| n as u64, |bits| bits as i64;
    f64: |n: f64| n.to_bits(), f64::from_bits;
}

impl<T: LiveNumber> Live<T> {
    /// With a first value.
    pub fn new(value: T) -> Self {
        Live { bits: AtomicU64::new(value.to_bits()), kind: std::marker::PhantomData }
    }
    /// The present value. Any thread.
    pub fn get(&self) -> T {
        T::from_bits(self.bits.load(Ordering::Acquire))
    }
    /// Sets the value. Any thread.
    pub fn set(&self, value: T) {
        self.bits.store(value.to_bits(), Ordering::Release);
    }
}

impl<T: LiveNumber + Send + Sync> LiveField for Live<T> {
    fn set_text(&self, text: &str) -> Result<(), String> {
        self.set(text.parse().map_err(|_| format!("cannot read \"{text}\""))?);
        Ok(())
    }
    fn text(&self) -> String {
        format!("{:?}", self.get())
    }
}

impl LiveField for Mutex<String> {
    fn set_text(&self, text: &str) -> Result<(), String> {
        *self.lock() = text.to_owned();
        Ok(())
    }
    fn text(&self) -> String {
        self.lock().clone()
    }
}

impl LiveField for Mutex<Caps> {
    fn set_text(&self, text: &str) -> Result<(), String> {
        *self.lock() = Caps::parse(text).map_err(|error| error.to_string())?;
        Ok(())
    }
    fn text(&self) -> String {
        self.lock().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Thing {
        count: u32,
        mode: i32,
        limit: Live<u64>,
    }

    const PROPS: &[Prop<Thing>] = &[
        Prop::uint("count", "How many", |t| &mut t.count),
        Prop::choice("mode", "enum:slow,fast=5", "How", |t| &mut t.mode),
        Prop::live("limit", types::UINT64, "At most", |t| &t.limit),
    ];

    #[test]
    fn a_value_that_does_not_parse_leaves_the_field_alone() {
        let mut thing = Thing { count: 7, ..Thing::default() };
        assert!(PROPS[0].set(&mut thing, "-3").is_err());
        assert_eq!(PROPS[0].get(&mut thing).as_deref(), Some("7"));
    }

    #[test]
    fn choices_are_set_by_nick_and_read_by_nick() {
        let mut thing = Thing::default();
        PROPS[1].set(&mut thing, "fast").unwrap();
        assert_eq!((thing.mode, PROPS[1].get(&mut thing).as_deref()), (5, Some("fast")));
    }

    #[test]
    fn a_live_field_is_set_through_a_shared_reference() {
        let thing = Thing::default();
        PROPS[2].set_live(&thing, "12").unwrap();
        assert_eq!((thing.limit.get(), PROPS[2].get_live(&thing).as_deref()), (12, Some("12")));
    }
}
