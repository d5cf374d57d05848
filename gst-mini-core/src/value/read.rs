//! One single value from text of a known type: what properties are set from.
//!
//! Invariant: no input panics; text that is not wholly a value of the type is none.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_deserialize`).
//! Left out: fractions of -2^31, which GStreamer accepts with a critical warning and turns into zero.

use super::choice::{ENUMS, FLAGS};
use super::number::{read_double, read_integer, scan_i32};
use super::{EnumType, FlagsType, Fraction, Value};
use crate::caps::Caps;
use crate::structure::Structure;

/// A type that text can be read as.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Bool,
    Int,
    UInt,
    Int64,
    UInt64,
    Float,
    Double,
    String,
    Fraction,
    Bitmask,
    FlagSet,
    Enum(&'static EnumType),
    Flags(&'static FlagsType),
    Structure,
    Caps,
    /// Lists, arrays and ranges: known by name, but written with their brackets only.
    Container,
}

impl Type {
    /// The name that errors use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Type::Bool => "boolean",
            Type::Int => "int",
            Type::UInt => "uint",
            Type::Int64 => "gint64",
            Type::UInt64 => "guint64",
            Type::Float => "float",
            Type::Double => "double",
            Type::String => "string",
            Type::Fraction => "fraction",
            Type::Bitmask => "bitmask",
            Type::FlagSet => "flagset",
            Type::Enum(kind) => kind.name,
            Type::Flags(kind) => kind.name,
            Type::Structure => "structure",
            Type::Caps => "GstCaps",
            Type::Container => "list, array or range",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "int" | "i" | "gint" => Type::Int,
            "uint" | "u" | "guint" => Type::UInt,
            "float" | "f" | "gfloat" => Type::Float,
            "double" | "d" | "gdouble" => Type::Double,
            "fraction" | "GstFraction" => Type::Fraction,
            "boolean" | "bool" | "b" | "gboolean" => Type::Bool,
            "string" | "str" | "s" | "gchararray" => Type::String,
            "structure" | "GstStructure" => Type::Structure,
            "bitmask" | "GstBitmask" => Type::Bitmask,
            "flagset" | "GstFlagSet" => Type::FlagSet,
            "gint64" => Type::Int64,
            "guint64" => Type::UInt64,
            "GstCaps" => Type::Caps,
            "array" | "list" | "GstValueArray" | "GstValueList" | "GstIntRange"
            | "GstInt64Range" | "GstDoubleRange" | "GstFractionRange" => Type::Container,
            _ => {
                let flags = || FLAGS.iter().find(|kind| kind.name == name).map(|k| Type::Flags(k));
                let kind = ENUMS.iter().find(|kind| kind.name == name);
                return kind.map(|kind| Type::Enum(kind)).or_else(flags);
            }
        })
    }
}

/// The types an untyped value is tried as, in this order.
const GUESSES: [Type; 6] =
    [Type::Int, Type::Double, Type::Fraction, Type::FlagSet, Type::Bool, Type::String];

/// Reads the whole of `text` as one value of a type.
pub(super) fn read(kind: Type, text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    match kind {
        Type::Bool => read_bool(text).map(Value::Bool),
        Type::Int => read_int(text, i32::MIN.into(), i32::MAX.into(), true)
            .map(|value| Value::Int(value as i32)),
        Type::Int64 => read_int(text, i64::MIN, i64::MAX, false).map(Value::Int64),
        Type::UInt => {
            read_int(text, 0, u32::MAX.into(), false).map(|value| Value::UInt(value as u32))
        }
        Type::UInt64 => read_int(text, 0, -1, false).map(|value| Value::UInt64(value as u64)),
        Type::Double => read_float(text, f64::MAX).map(Value::Double),
        Type::Float => {
            let value = read_float(text, f32::MAX.into())?;
            (value.is_nan() || value.abs() <= f32::MAX.into()).then_some(Value::Float(value as f32))
        }
        Type::String => match text {
            "NULL" => Some(Value::String(None)),
            _ if text.starts_with('"') && text.ends_with('"') => unquote(text).map(Value::from),
            _ => Some(Value::from(text)),
        },
        Type::Fraction => read_fraction(text).map(Value::Fraction),
        Type::Bitmask => {
            let read = read_integer(bytes, 16);
            (read.end > 0 && !read.overflow).then_some(Value::Bitmask(read.value))
        }
        Type::FlagSet => read_flag_set(bytes),
        Type::Enum(kind) => kind.parse(text).map(|value| Value::Enum(kind, value)),
        Type::Flags(kind) => kind.parse(text).map(|bits| Value::Flags(kind, bits)),
        Type::Structure => match text.starts_with('"') {
            true => unquote(text)?.parse::<Structure>().ok().map(Value::from),
            false => text.parse::<Structure>().ok().map(Value::from),
        },
        Type::Caps => match text.starts_with('"') {
            true => unquote(text)?.parse::<Caps>().ok().map(Value::from),
            false => text.parse::<Caps>().ok().map(Value::from),
        },
        Type::Container => None,
    }
}

fn read_bool(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("yes") || is("t") || text == "1" {
        Some(true)
    } else if is("false") || is("no") || is("f") || text == "0" {
        Some(false)
    } else {
        None
    }
}

/// Any integer, modulo 2^64. `narrow` refuses what 32 bits cannot hold, signed or unsigned; the
/// other types wrap.
fn read_int(text: &str, min: i64, max: i64, narrow: bool) -> Option<i64> {
    let read = read_integer(text.as_bytes(), 0);
    if read.overflow {
        return None;
    }
    let value = if read.end == text.len() {
        read.value as i64
    } else {
        match text.to_ascii_lowercase().as_str() {
            "little_endian" | "byte_order" => 1234,
            "big_endian" => 4321,
            "min" => min,
            "max" => max,
            _ => return None,
        }
    };
    let fits = (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&value);
    (!narrow || fits).then_some(value)
}

fn read_float(text: &str, max: f64) -> Option<f64> {
    let (value, end) = read_double(text.as_bytes());
    if end == text.len() {
        Some(value)
    } else if text.eq_ignore_ascii_case("min") {
        Some(-max)
    } else if text.eq_ignore_ascii_case("max") {
        Some(max)
    } else {
        None
    }
}

fn read_fraction(text: &str) -> Option<Fraction> {
    let bytes = text.as_bytes();
    if let Some((num, at)) = scan_i32(bytes, 0) {
        if at == bytes.len() {
            return Fraction::checked(num, 1);
        }
        if bytes[at] == b'/'
            && let Some((den, end)) = scan_i32(bytes, at + 1)
        {
            return (end == bytes.len()).then(|| Fraction::checked(num, den)).flatten();
        }
    }
    match text.to_ascii_lowercase().as_str() {
        "1/max" => Some(Fraction::new(1, i32::MAX)),
        "min" => Some(Fraction::MIN),
        "max" => Some(Fraction::MAX),
        _ => None,
    }
}

/// `flags:mask` in hexadecimal, perhaps followed by `:+name/name`. The colon may be missing, which
/// is how `"a b"` becomes a flag set.
fn read_flag_set(text: &[u8]) -> Option<Value> {
    let flags = read_integer(text, 16);
    let rest = &text[flags.end..];
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let mask = read_integer(rest, 16);
    if flags.end == 0 || mask.end == 0 {
        return None;
    }
    let names = &rest[mask.end..];
    if !names.is_empty() && !names.strip_prefix(b":").is_some_and(are_flag_names) {
        return None;
    }
    let mask = mask.value as u32;
    Some(Value::FlagSet { flags: flags.value as u32 & mask, mask })
}

fn are_flag_names(text: &[u8]) -> bool {
    let mut words = text.split(|byte| matches!(byte, b'+' | b'/'));
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let is_word = |word: &[u8]| !word.is_empty() && word.iter().all(is_name);
    words.next().is_some_and(<[u8]>::is_empty) && text.len() > 1 && words.all(is_word)
}

/// The content of a string in double quotes: `\ooo` is an octal byte, `\x` is x. `None` if the
/// closing quote is not at the end or the bytes are not UTF-8.
fn unquote(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().strip_prefix(b"\"")?.iter();
    let mut content = Vec::with_capacity(text.len());
    loop {
        match *bytes.next()? {
            b'"' => break,
            b'\\' => match *bytes.next()? {
                high @ b'0'..=b'3' => {
                    let middle = octal_digit(*bytes.next()?)?;
                    content.push((high - b'0') << 6 | middle << 3 | octal_digit(*bytes.next()?)?);
                }
                other => content.push(other),
            },
            other => content.push(other),
        }
    }
    bytes.next().is_none().then(|| String::from_utf8(content).ok()).flatten()
}

fn octal_digit(byte: u8) -> Option<u8> {
    (b'0'..=b'7').contains(&byte).then(|| byte - b'0')
}

/// Reads an untyped value. What is in quotes is tried without them too, except as a string.
pub(super) fn guess(text: &str) -> Option<Value> {
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    GUESSES.into_iter().find_map(|kind| match (kind, inside) {
        (Type::String, _) | (_, None) => read(kind, text),
        (_, Some(inside)) => read(kind, inside),
    })
}
