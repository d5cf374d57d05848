//! A [`Structure`] is a name and a few named values: one format, one message, one event.
//!
//! ```
//! use gst_mini_core::structure::Structure;
//! let progress = Structure::new("progress").with("percent", 40).with("mode", "live");
//! assert_eq!(progress.to_string(), "progress, percent=(int)40, mode=(string)live;");
//! assert_eq!(progress.int("percent"), Some(40));
//! assert_eq!(progress.to_string().parse(), Ok(progress));
//! ```
//!
//! Invariant: each field name occurs once; fields keep the order in which they were first set.
//! In GStreamer: `gst/gststructure.c` (`gst_structure_from_string`, `gst_structure_to_string`).
//! Left out: names interned as quarks; structures are small, and their names, which they share, are compared as text.

mod fixate;
mod ops;

use parking_lot::Mutex;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use crate::caps::Caps;
use crate::names;
use crate::value::parse::{Cursor, ParseError};

use crate::value::{Fraction, Nested, Value, push_quoted};

/// A name and ordered, named values.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    name: Arc<str>,
    fields: Vec<(Arc<str>, Value)>,
}

impl Structure {
    /// An empty structure. A name that is to be read back from text starts with a letter and goes
    /// on with letters, digits and `/-_.:+`.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self { name: names::shared(name.as_ref()), fields: Vec::new() }
    }

    /// With `field` set to `value`.
    #[must_use]
    pub fn with(mut self, field: impl AsRef<str>, value: impl Into<Value>) -> Self {
        self.set(field.as_ref(), value);
        self
    }

    /// Sets `field`; a new one goes last.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        match self.get_mut(field) {
            Some(old) => *old = value.into(),
            None => self.fields.push((names::shared(field), value.into())),
        }
    }

    /// Takes `field` out.
    pub fn remove(&mut self, field: &str) -> Option<Value> {
        let at = self.fields.iter().position(|(name, _)| **name == *field)?;
        Some(self.fields.remove(at).1)
    }

    /// The name; in caps the media type.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of `field`.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| **name == *field).map(|(_, value)| value)
    }

    /// The value of `field`, to be changed.
    pub fn get_mut(&mut self, field: &str) -> Option<&mut Value> {
        self.fields.iter_mut().find(|(name, _)| **name == *field).map(|(_, value)| value)
    }

    /// Whether there is such a field.
    pub fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// The fields, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (&**name, value))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The boolean in `field`.
    pub fn bool(&self, field: &str) -> Option<bool> {
        self.get(field)?.as_bool()
    }

    /// The integer in `field`, if it fits.
    pub fn int(&self, field: &str) -> Option<i32> {
        self.get(field)?.as_i32()
    }

    /// The integer in `field`, if it fits.
    pub fn int64(&self, field: &str) -> Option<i64> {
        self.get(field)?.as_i64()
    }

    /// The integer in `field`, if it is not negative.
    pub fn uint64(&self, field: &str) -> Option<u64> {
        self.get(field)?.as_u64()
    }

    /// The number in `field`.
    pub fn double(&self, field: &str) -> Option<f64> {
        self.get(field)?.as_f64()
    }

    /// The string in `field`.
    pub fn str(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_str()
    }

    /// The fraction in `field`.
    pub fn fraction(&self, field: &str) -> Option<Fraction> {
        self.get(field)?.as_fraction()
    }

    /// The whole text, `;` included.
    pub(crate) fn print(&self, nested: Nested) -> String {
        let mut text = String::from(&*self.name);
        self.print_fields(&mut text, nested);
        text
    }

    /// What follows the name, `;` included.
    pub(crate) fn print_fields(&self, text: &mut String, nested: Nested) {
        for (name, value) in self.fields() {
            print_field(text, name, value, nested);
        }
        text.push(';');
    }

    /// Reads a name.
    pub(crate) fn parse_name(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        cursor.skip_escaped_spaces();
        let at = cursor.clone();
        let name = match cursor.peek() {
            b'"' => {
                let quoted = cursor.word_or_quoted()?;
                plain_unquote(quoted)
            }
            _ => cursor.word().to_owned(),
        };
        if name.is_empty() {
            return Err(at.error(format!("expected a name{}", at.found())));
        }
        if !is_valid_name(&name) {
            return Err(at.error(format!("{name:?} is not a valid name")));
        }
        Ok(Self::new(name))
    }

    /// Reads fields up to a `;` or the end.
    pub(crate) fn parse_fields(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        if self.fields.is_empty() {
            // In one piece: what a list outgrows, the allocator keeps with the thread.
            self.fields.reserve_exact(fields_ahead(cursor.rest()));
        }
        loop {
            cursor.skip_escaped_spaces();
            if ends_here(cursor) {
                return Ok(());
            }
            if cursor.peek() != b',' {
                return Err(cursor.error(format!("expected ',' or ';'{}", cursor.found())));
            }
            cursor.advance(1);
            cursor.skip_escaped_spaces();
            if ends_here(cursor) {
                return Ok(());
            }
            let field = cursor.word();
            if field.is_empty() {
                return Err(cursor.error(format!("expected a field name{}", cursor.found())));
            }
            cursor.skip_escaped_spaces();
            if cursor.peek() != b'=' {
                let found = cursor.found();
                return Err(cursor.error(format!("expected '=' after {field}{found}")));
            }
            cursor.advance(1);
            let value = cursor.any_value()?;
            self.set(field, value);
        }
    }
}

/// About how many fields stand in a text up to its end: commas outside of values in brackets or quotes.
fn fields_ahead(text: &str) -> usize {
    let (mut fields, mut depth, mut is_quoted) = (0, 0_usize, false);
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'{' | b'[' | b'<' | b'(' => depth += 1,
            b'}' | b']' | b'>' | b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => fields += 1,
            b';' if depth == 0 => break,
            _ => {}
        }
    }
    fields.min(16)
}

fn print_field(text: &mut String, name: &str, value: &Value, nested: Nested) {
    print_field_name(text, name, value.element_type_name());
    // Writing to a String cannot fail.
    let _ = value.write_field(text, nested);
}

fn print_field_name(text: &mut String, name: &str, type_name: &str) {
    for part in [", ", name, "=(", type_name, ")"] {
        text.push_str(part);
    }
}

/// Memory of texts, to be used again. Nobody keeps any: what a thread takes and gives back in many sizes, the allocator
/// keeps with the thread.
static WAITING: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Bytes of a new one: more than the allocator of Linux keeps with a thread. And the most of one that is used again.
const SHORT: usize = 2048;
const LONG: usize = 4096;
/// How many wait.
const MOST_WAITING: usize = 8;

/// A text that is only wanted for a while; its memory is used again.
pub(crate) struct ScratchText(String);

impl ScratchText {
    /// An empty one.
    pub fn new() -> Self {
        let used = WAITING.lock().pop();
        let mut text = used.unwrap_or_else(|| String::with_capacity(SHORT));
        text.clear();
        ScratchText(text)
    }

    /// To be written.
    pub fn text_mut(&mut self) -> &mut String {
        &mut self.0
    }
}

impl From<&str> for ScratchText {
    fn from(text: &str) -> Self {
        let mut copy = ScratchText::new();
        copy.0.push_str(text);
        copy
    }
}

impl Deref for ScratchText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for ScratchText {
    fn drop(&mut self) {
        if self.0.capacity() <= LONG {
            let mut waiting = WAITING.lock();
            if waiting.len() < MOST_WAITING {
                waiting.push(std::mem::take(&mut self.0));
            }
        }
    }
}

/// A structure that is only wanted as text: written field by field, each field once.
pub(crate) struct StructureText(ScratchText);

impl StructureText {
    /// The text of a structure without fields.
    pub fn new(name: &str) -> Self {
        StructureText(name.into())
    }

    /// Writes a field behind the others.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        print_field(&mut self.0.0, field, &value.into(), Nested::Quoted);
    }

    /// Writes a field that is a string.
    pub fn set_str(&mut self, field: &str, text: &str) {
        print_field_name(&mut self.0.0, field, "string");
        push_quoted(&mut self.0.0, text);
    }

    /// Writes a field that is a string and holds caps.
    pub fn set_caps(&mut self, field: &str, caps: &Caps) {
        print_field_name(&mut self.0.0, field, "string");
        self.0.0.push_str(caps.quoted());
    }

    /// The whole text, `;` included.
    pub fn end(mut self) -> ScratchText {
        self.0.0.push(';');
        self.0
    }
}

impl fmt::Display for Structure {
    /// As GStreamer prints it, with a `;` at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print(Nested::Quoted))
    }
}

impl FromStr for Structure {
    type Err = ParseError;

    /// Reads a structure. What follows its `;` is ignored, as in GStreamer.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text)?;
        let mut structure = Self::parse_name(&mut cursor)?;
        structure.parse_fields(&mut cursor)?;
        Ok(structure)
    }
}

/// Steps over a `;`, and says whether the structure ends here.
fn ends_here(cursor: &mut Cursor<'_>) -> bool {
    match cursor.peek() {
        b';' => {
            cursor.advance(1);
            true
        }
        0 => true,
        _ => false,
    }
}

fn is_valid_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.:+".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(is_letter)
}

/// A quoted name: unlike in a quoted string, a backslash only protects what follows.
fn plain_unquote(quoted: &str) -> String {
    let mut name = String::new();
    let mut escaped = false;
    for letter in quoted.trim_matches('"').chars() {
        match letter {
            '\\' if !escaped => escaped = true,
            _ => {
                escaped = false;
                name.push(letter);
            }
        }
    }
    name
}
