//! Text into values: caps fields, with or without their type, brackets and all.
//!
//! Invariant: no input panics or recurses without bound; an error names the place it was found at.
//! In GStreamer: `gst/gstvalue.c` (`_priv_gst_value_parse_value`).
//! Left out: ranges whose ends are in the wrong order, which GStreamer accepts with a critical
//! warning and turns into zeros; here they are errors.

use super::Value;
use super::number::is_space;
use super::read::{Type, guess, read};
use super::serialize::is_plain;

/// What was wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at column {column}")]
pub struct ParseError {
    /// What was wrong, in words.
    pub what: String,
    /// The column where it was found, counted in characters from 1.
    pub column: usize,
}

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
        let value = cursor.any_value()?;
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

    /// A value, its type as it says, or guessed.
    pub(crate) fn any_value(&mut self) -> Result<Value, ParseError> {
        self.value(None)
    }

    /// A value, `kind` being what it is unless it says otherwise.
    fn value(&mut self, kind: Option<Type>) -> Result<Value, ParseError> {
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
            let kind = kind.map_or("any known type", Type::name);
            self.error(format!("{text} is not of type {kind}"))
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
