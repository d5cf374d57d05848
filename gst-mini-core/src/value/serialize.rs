//! Values as text, in the spelling GStreamer prints and reads back.
//!
//! Invariant: what [`Value::serialize_typed`] prints, [`Value::parse_typed`] reads as the same value,
//! as long as the members of each list are of one type and no string is `NULL`.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_serialize`), `gst/gststructure.c` (`gst_structure_to_string`).
//! Left out: nothing.

use std::fmt;
use std::fmt::Write as _;

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
        match self {
            Value::List(values) => members(values, "{ ", " }", true, Nested::Quoted),
            Value::Array(values) => members(values, "< ", " >", true, Nested::Quoted),
            Value::Structure(structure) => quote(&structure.to_string()),
            Value::Caps(caps) => quote(&caps.to_string()),
            single => single.to_string(),
        }
    }

    /// The text of a field in a structure, without its type.
    pub(crate) fn print_field(&self, nested: Nested) -> String {
        match (self, nested) {
            (Value::List(values), _) => members(values, "{ ", " }", false, nested),
            (Value::Array(values), _) => members(values, "< ", " >", false, nested),
            (Value::Structure(inner), Nested::Bracketed) => format!("[{}]", inner.print(nested)),
            (Value::Caps(inner), Nested::Bracketed) => format!("[{}]", inner.print(nested)),
            _ => self.serialize(),
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
            Value::String(Some(value)) => f.write_str(&quote(value)),
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
                f.write_str(&self.print_field(Nested::Bracketed))
            }
        }
    }
}

/// `text` as GStreamer writes a string: as it is if it is made of letters, digits and `_-+/:.`
/// alone, otherwise in double quotes, with backslashes and octal bytes.
pub fn quote(text: &str) -> String {
    let plain = !text.is_empty() && text != "NULL" && text.bytes().all(is_plain);
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for byte in text.bytes() {
        if is_plain(byte) {
            quoted.push(char::from(byte));
        } else if (b' '..0x7f).contains(&byte) {
            quoted.push('\\');
            quoted.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(quoted, "\\{byte:03o}");
        }
    }
    quoted.push('"');
    quoted
}

/// The characters that need no quotes.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+/:.".contains(&byte)
}

fn members(values: &[Value], open: &str, close: &str, typed: bool, nested: Nested) -> String {
    let texts: Vec<String> = values
        .iter()
        .map(|value| {
            let text = match value {
                Value::Structure(_) | Value::Caps(_) => value.print_field(nested),
                _ => value.serialize(),
            };
            if typed { format!("({}){text}", value.type_name()) } else { text }
        })
        .collect();
    format!("{open}{}{close}", texts.join(", "))
}
