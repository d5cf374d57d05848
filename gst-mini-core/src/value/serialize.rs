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
            Value::Caps(caps) => write_quoted(out, caps.text()),
            Value::String(Some(text)) => write_quoted(out, text),
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
    let mut quoted = String::new();
    push_quoted(&mut quoted, text);
    quoted
}

fn write_quoted(out: &mut dyn fmt::Write, text: &str) -> fmt::Result {
    match needs_quotes(text) {
        true => out.write_str(&quote(text)),
        false => out.write_str(text),
    }
}

/// Adds [`quote`] of `text`.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    if !needs_quotes(text) {
        out.push_str(text);
        return;
    }
    let mut bytes = std::mem::take(out).into_bytes();
    bytes.reserve(text.len() + text.len() / 2 + 2);
    bytes.push(b'"');
    for byte in text.bytes() {
        match byte {
            _ if is_plain(byte) => bytes.push(byte),
            b' '..=b'~' => bytes.extend([b'\\', byte]),
            _ => bytes.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    bytes.push(b'"');
    *out = String::from_utf8(bytes).expect("what is added is ASCII");
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty() || text == "NULL" || !text.bytes().all(is_plain)
}

/// The characters that need no quotes.
pub(crate) fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let (mut plain, mut byte) = ([false; 256], 0);
        while byte < 256 {
            plain[byte] = matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'+' | b'/' | b':' | b'.');
            byte += 1;
        }
        plain
    };
    PLAIN[usize::from(byte)]
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
