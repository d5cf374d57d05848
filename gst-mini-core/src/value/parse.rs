//! Text into values: typed property text, and caps fields whose type may have to be guessed.
//!
//! Invariant: no input panics or recurses without bound; an error names the place it was found at.
//! In GStreamer: `gst/gstvalue.c` (`_priv_gst_value_parse_value`, `gst_value_deserialize`).
//! Left out: ranges whose ends are in the wrong order and fractions of -2^31, which GStreamer
//! accepts with a critical warning and turns into zeros; here they are errors.

use super::choice::{ENUMS, FLAGS};
use super::number::{is_space, read_double, read_integer, scan_i32};
use super::serialize::is_plain;
use super::{EnumType, FlagsType, Fraction, Value};
use crate::caps::Caps;
use crate::structure::Structure;

/// What was wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at column {column}")]
pub struct ParseError {
    /// What was wrong, in words.
    pub what: String,
    /// The column where it was found, counted in characters from 1.
    pub column: usize,
}

/// A type that text can be read as.
#[derive(Clone, Copy)]
pub(crate) enum Type {
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
    pub(crate) fn from_name(name: &str) -> Option<Self> {
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

impl Value {
    /// Reads property text as a value of the named type: `int`, `uint`, `int64`, `uint64`,
    /// `boolean`, `double`, `float`, `string`, `fraction`, or any name that caps accept in
    /// parentheses. Numbers are read as in C: `0x1f` is hexadecimal, `010` octal, and empty text
    /// is 0.
    pub fn parse(type_name: &str, text: &str) -> Result<Self, ParseError> {
        let kind = match type_name {
            "int64" => Some(Type::Int64),
            "uint64" => Some(Type::UInt64),
            name => Type::from_name(name),
        };
        let kind = kind.ok_or_else(|| ParseError::new(format!("no type {type_name:?}"), 1))?;
        read(kind, text)
            .ok_or_else(|| ParseError::new(format!("{text:?} is not of type {type_name}"), 1))
    }

    /// Reads a value as it stands in caps: `(int)[ 1, 2 ]`, `{ a, b }`, `30/1`. A missing type is
    /// guessed.
    pub fn parse_typed(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text)?;
        let value = cursor.value(None)?;
        cursor.skip_spaces();
        match cursor.peek() {
            0 => Ok(value),
            _ => Err(cursor.error("more text than one value")),
        }
    }
}

impl ParseError {
    pub(crate) fn new(what: impl Into<String>, column: usize) -> Self {
        Self { what: what.into(), column }
    }
}

/// Reads the whole of `text` as one value of a type.
pub(crate) fn read(kind: Type, text: &str) -> Option<Value> {
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
            _ if text.starts_with('"') && text.ends_with('"') => {
                unquote(text).map(|value| Value::String(Some(value)))
            }
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
pub(crate) fn unquote(text: &str) -> Option<String> {
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

/// A place in a text that is being read.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    /// Brackets in brackets beyond this are refused: they would exhaust the stack.
    const MAX_DEPTH: u32 = 16;
    /// The same for structures in structures, which are tried in several ways at each level.
    const MAX_NESTED: u32 = 8;

    pub(crate) fn new(text: &'a str) -> Result<Self, ParseError> {
        let cursor = Self { text, at: 0, depth: 0 };
        match text.find('\0') {
            Some(at) => Err(Self { at, ..cursor }.error("a NUL character")),
            None => Ok(cursor),
        }
    }

    /// The byte here; 0 at the end.
    pub(crate) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The text from here on.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over `count` bytes of ASCII.
    pub(crate) fn advance(&mut self, count: usize) {
        self.at = (self.at + count).min(self.text.len());
    }

    pub(crate) fn skip_spaces(&mut self) {
        while is_space(self.peek()) {
            self.at += 1;
        }
    }

    /// As [`Cursor::skip_spaces`], and over backslashes before spaces.
    pub(crate) fn skip_escaped_spaces(&mut self) {
        loop {
            let next = self.text.as_bytes().get(self.at + 1).copied().unwrap_or(0);
            if is_space(self.peek()) {
                self.at += 1;
            } else if self.peek() == b'\\' && is_space(next) {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    pub(crate) fn error(&self, what: impl Into<String>) -> ParseError {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        ParseError::new(what, before.chars().count() + 1)
    }

    /// A run of characters that need no quotes; empty if there is none.
    pub(crate) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().take_while(|&byte| is_plain(byte)).count();
        self.at += length;
        &rest[..length]
    }

    /// A word, or a quoted string with its quotes still on.
    pub(crate) fn word_or_quoted(&mut self) -> Result<&'a str, ParseError> {
        if self.peek() != b'"' {
            return match self.word() {
                "" => Err(self.error(format!("expected a value{}", self.found()))),
                word => Ok(word),
            };
        }
        let rest = self.rest();
        let mut escaped = false;
        for (at, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.at += at + 1;
                    return Ok(&rest[..=at]);
                }
                _ => {}
            }
        }
        Err(self.error("a quoted string without its closing quote"))
    }

    /// `, found 'x'`, or that the text ended here.
    pub(crate) fn found(&self) -> String {
        match self.rest().chars().next() {
            Some(found) => format!(", found '{found}'"),
            None => ", but the text ends here".to_owned(),
        }
    }

    /// A value, `kind` being what it is unless it says otherwise.
    pub(crate) fn value(&mut self, kind: Option<Type>) -> Result<Value, ParseError> {
        self.skip_spaces();
        let kind = match self.peek() {
            b'(' => Some(self.type_in_parentheses()?),
            _ => kind,
        };
        self.skip_spaces();
        if !matches!(self.peek(), b'[' | b'{' | b'<') {
            return self.single(kind);
        }
        if self.depth == Self::MAX_DEPTH {
            return Err(self.error("brackets too deep"));
        }
        self.depth += 1;
        let value = match self.peek() {
            b'[' => self.range_or_nested(kind),
            b'{' => self.members(kind, b'}').map(Value::List),
            _ => self.members(kind, b'>').map(Value::Array),
        };
        self.depth -= 1;
        value
    }

    fn type_in_parentheses(&mut self) -> Result<Type, ParseError> {
        self.advance(1);
        self.skip_spaces();
        let start = self.at;
        let name = self.word();
        if name.is_empty() {
            return Err(self.error(format!("expected a type name{}", self.found())));
        }
        self.skip_spaces();
        if self.peek() != b')' {
            return Err(self.error(format!("expected ')' after the type{}", self.found())));
        }
        self.advance(1);
        Type::from_name(name).ok_or_else(|| {
            let here = Self { text: self.text, at: start, depth: 0 };
            here.error(format!("no type {name:?}"))
        })
    }

    fn single(&mut self, kind: Option<Type>) -> Result<Value, ParseError> {
        let start = self.at;
        let text = self.word_or_quoted()?;
        let value = match kind {
            Some(kind) => read(kind, text),
            None => guess(text),
        };
        value.ok_or_else(|| {
            self.at = start;
            self.error(format!("{text} does not fit its type"))
        })
    }

    fn members(&mut self, kind: Option<Type>, close: u8) -> Result<Vec<Value>, ParseError> {
        self.advance(1);
        self.skip_spaces();
        let mut values = Vec::new();
        while self.peek() != close {
            if self.peek() == b',' {
                self.advance(1);
                self.skip_spaces();
                if self.peek() == b',' {
                    return Err(self.error("two commas in a row"));
                }
                continue;
            }
            values.push(self.value(kind)?);
            self.skip_spaces();
            if self.peek() != b',' && self.peek() != close {
                let close = char::from(close);
                return Err(self.error(format!("expected ',' or '{close}'{}", self.found())));
            }
        }
        self.advance(1);
        Ok(values)
    }

    /// What starts with `[`: a range, or a structure or caps in a field.
    fn range_or_nested(&mut self, kind: Option<Type>) -> Result<Value, ParseError> {
        match kind {
            Some(kind @ (Type::Structure | Type::Caps)) => self.nested(kind),
            Some(_) => self.range(kind),
            None => {
                let start = self.at;
                self.range(None).or_else(|error| {
                    self.at = start;
                    let structure = self.nested(Type::Structure);
                    structure.or_else(|_| self.nested(Type::Caps)).map_err(|_| error)
                })
            }
        }
    }

    fn nested(&mut self, kind: Type) -> Result<Value, ParseError> {
        let mut open = 0u32;
        for (at, byte) in self.rest().bytes().enumerate() {
            open = match byte {
                b'[' => open + 1,
                b']' => open - 1,
                _ => open,
            };
            if open > Self::MAX_NESTED {
                return Err(self.error("brackets too deep"));
            }
            if open == 0 {
                let inside = &self.rest()[1..at];
                let named =
                    inside.trim_ascii_start().starts_with(|c: char| c.is_ascii_alphabetic());
                let value = named.then(|| read(kind, inside)).flatten();
                let value =
                    value.ok_or_else(|| self.error("what is in brackets does not parse"))?;
                self.advance(at + 1);
                return Ok(value);
            }
        }
        Err(self.error("a '[' without its ']'"))
    }

    fn range(&mut self, kind: Option<Type>) -> Result<Value, ParseError> {
        let start = self.at;
        self.advance(1);
        let min = self.value(kind)?;
        self.skip_spaces();
        if self.peek() != b',' {
            return Err(self.error(format!("expected ',' in a range{}", self.found())));
        }
        self.advance(1);
        let max = self.value(kind)?;
        self.skip_spaces();
        let mut step = None;
        if self.peek() == b',' && matches!(min, Value::Int(_) | Value::Int64(_)) {
            self.advance(1);
            step = Some(self.value(kind)?);
            self.skip_spaces();
        }
        if self.peek() != b']' {
            return Err(self.error(format!("expected ']'{}", self.found())));
        }
        self.advance(1);
        make_range(min, max, step).map_err(|what| {
            self.at = start;
            self.error(what)
        })
    }
}

fn make_range(min: Value, max: Value, step: Option<Value>) -> Result<Value, &'static str> {
    let range = match (min, max, step) {
        (Value::Int(min), Value::Int(max), None) => Value::IntRange { min, max, step: 1 },
        (Value::Int(min), Value::Int(max), Some(Value::Int(step))) => {
            Value::IntRange { min, max, step }
        }
        (Value::Int64(min), Value::Int64(max), None) => Value::Int64Range { min, max, step: 1 },
        (Value::Int64(min), Value::Int64(max), Some(Value::Int64(step))) => {
            Value::Int64Range { min, max, step }
        }
        (Value::Double(min), Value::Double(max), None) => Value::DoubleRange { min, max },
        (Value::Fraction(min), Value::Fraction(max), None) => Value::FractionRange { min, max },
        _ => return Err("a range needs ends of one type: int, int64, double or fraction"),
    };
    let (ordered, stepped) = match &range {
        Value::IntRange { min, max, step } => {
            (min < max, *step > 0 && min % step == 0 && max % step == 0)
        }
        Value::Int64Range { min, max, step } => {
            (min < max, *step > 0 && min % step == 0 && max % step == 0)
        }
        Value::DoubleRange { min, max } => (min < max, true),
        Value::FractionRange { min, max } => (min < max, true),
        _ => (false, false),
    };
    match (ordered, stepped) {
        (false, _) => Err("a range must start below its end"),
        (_, false) => Err("both ends of a range must be multiples of its step"),
        _ => Ok(range),
    }
}

/// Reads an untyped value. What is in quotes is tried without them too, except as a string.
fn guess(text: &str) -> Option<Value> {
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    GUESSES.into_iter().find_map(|kind| match (kind, inside) {
        (Type::String, _) | (_, None) => read(kind, text),
        (_, Some(inside)) => read(kind, inside),
    })
}
