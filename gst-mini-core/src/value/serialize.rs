//! Values as text, in the spelling GStreamer prints and reads back.
//!
//! Invariant: what [`Value::serialize_typed`] prints, [`Value::parse_typed`] reads as the same value,
//! as long as the members of each list are of one type and no string is `NULL`.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_serialize`), `gst/gststructure.c` (`gst_structure_to_string`).
//! Left out: nothing.

use std::fmt;

use super::Value;
use super::number::print_double;

/// How nested structures and caps are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nested {
    /// `[foo, a=(int)1;]`
    Bracketed,
    /// `"foo\,\ a\=\(int\)1\;"`
    Quoted,
}

impl Value {
    /// As [`Display`](fmt::Display), with the type in front: `(int)[ 1, 2 ]`. This is the text of
    /// a caps field.
    pub fn serialize_typed(&self) -> String {
        format!("({}){self}", self.element_type_name())
    }

    /// The text of a property of this type: as [`Display`](fmt::Display), except that the members
    /// of a list carry their types and nested structures and caps are quoted.
    pub fn serialize(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail, here and below.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Value::List(values) => write_members(out, values, ("{ ", " }"), true, Nested::Quoted),
            Value::Array(values) => write_members(out, values, ("< ", " >"), true, Nested::Quoted),
            Value::Structure(structure) => write_quoted(out, &structure.to_string()),
            Value::Caps(caps) => write_quoted(out, &caps.to_string()),
            single => write!(out, "{single}"),
        }
    }

    /// Writes the text of a field in a structure, without its type.
    pub(crate) fn write_field(&self, out: &mut dyn fmt::Write, nested: Nested) -> fmt::Result {
        match (self, nested) {
            (Value::List(values), _) => write_members(out, values, ("{ ", " }"), false, nested),
            (Value::Array(values), _) => write_members(out, values, ("< ", " >"), false, nested),
            (Value::Structure(inner), Nested::Bracketed) => {
                write!(out, "[{}]", inner.print(nested))
            }
            (Value::Caps(inner), Nested::Bracketed) => write!(out, "[{}]", inner.print(nested)),
            _ => self.write(out),
        }
    }
}

impl fmt::Display for Value {
    /// GStreamer's text for the value, without its type; as in a caps field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::UInt(value) => write!(f, "{value}"),
            Value::Int64(value) => write!(f, "{value}"),
            Value::UInt64(value) => write!(f, "{value}"),
            Value::Float(value) => f.write_str(&print_double(f64::from(*value))),
            Value::Double(value) => f.write_str(&print_double(*value)),
            Value::String(None) => f.write_str("NULL"),
            Value::String(Some(value)) => write_quoted(f, value),
            Value::Fraction(value) => write!(f, "{value}"),
            Value::Bitmask(value) => write!(f, "0x{value:016x}"),
            Value::FlagSet { flags, mask } => write!(f, "{flags:x}:{mask:x}"),
            Value::Enum(kind, value) => match kind.nick(*value) {
                Some(nick) => f.write_str(nick),
                None => write!(f, "{value}"),
            },
            Value::Flags(kind, bits) => f.write_str(&kind.print(*bits)),
            Value::IntRange { min, max, step: 1 } => write!(f, "[ {min}, {max} ]"),
            Value::IntRange { min, max, step } => write!(f, "[ {min}, {max}, {step} ]"),
            Value::Int64Range { min, max, step: 1 } => write!(f, "[ {min}, {max} ]"),
            Value::Int64Range { min, max, step } => write!(f, "[ {min}, {max}, {step} ]"),
            Value::DoubleRange { min, max } => {
                write!(f, "[ {}, {} ]", print_double(*min), print_double(*max))
            }
            Value::FractionRange { min, max } => write!(f, "[ {min}, {max} ]"),
            Value::List(_) | Value::Array(_) | Value::Structure(_) | Value::Caps(_) => {
                self.write_field(f, Nested::Bracketed)
            }
        }
    }
}

/// `text` as GStreamer writes a string: as it is if it is made of letters, digits and `_-+/:.`
/// alone, otherwise in double quotes, with backslashes and octal bytes.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    let _ = write_quoted(&mut quoted, text);
    quoted
}

fn write_quoted(out: &mut dyn fmt::Write, text: &str) -> fmt::Result {
    if !text.is_empty() && text != "NULL" && text.bytes().all(is_plain) {
        return out.write_str(text);
    }
    out.write_char('"')?;
    // What is plain goes out in pieces; what is not is a byte.
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
        if plain > 0 {
            out.write_str(&rest[..plain])?;
        }
        let Some(next) = rest[plain..].chars().next() else { break };
        let after = plain + next.len_utf8();
        match next {
            ' '..='~' => {
                out.write_char('\\')?;
                out.write_char(next)?;
            }
            _ => rest[plain..after].bytes().try_for_each(|byte| write!(out, "\\{byte:03o}"))?,
        }
        rest = &rest[after..];
    }
    out.write_char('"')
}

/// The characters that need no quotes.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+/:.".contains(&byte)
}

fn write_members(
    out: &mut dyn fmt::Write,
    values: &[Value],
    (open, close): (&str, &str),
    typed: bool,
    nested: Nested,
) -> fmt::Result {
    out.write_str(open)?;
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.write_str(", ")?;
        }
        if typed {
            write!(out, "({})", value.type_name())?;
        }
        match value {
            Value::Structure(_) | Value::Caps(_) => value.write_field(out, nested)?,
            _ => value.write(out)?,
        }
    }
    out.write_str(close)
}
