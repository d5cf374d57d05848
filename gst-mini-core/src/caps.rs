//! [`Caps`] say which formats a pad can handle: structures, best first, each with its features.
//!
//! ```
//! use gst_mini_core::caps::Caps;
//! let offered: Caps = "video/x-raw, format={ I420, RGBA }, width=[ 1, max ]".parse()?;
//! let wanted: Caps = "video/x-raw, format=RGBA, width=320".parse()?;
//! assert_eq!(offered.intersect(&wanted), wanted);
//! assert_eq!(wanted.to_string(), "video/x-raw, format=(string)RGBA, width=(int)320");
//! assert!(wanted.is_fixed() && wanted.is_subset_of(&offered));
//! # Ok::<(), gst_mini_core::caps::CapsParseError>(())
//! ```
//!
//! Invariant: there are as many features as structures; ANY has no structures.
//! In GStreamer: `gst/gstcaps.c` (`gst_caps_intersect`, `gst_caps_from_string`).
//! Left out: operations on ANY that GStreamer answers with a critical warning: here fixating ANY and
//! subtracting from it leave it as it is.

mod common;
mod difference;
mod features;
mod memo;
mod ops;
mod parse;
mod simplify;

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::structure::{ScratchText, Structure};
use crate::value::{Nested, Value, push_quoted};

pub use crate::value::ParseError as CapsParseError;
pub use difference::first_difference;
pub use features::CapsFeatures;

/// A set of media formats. Cloning shares; changing copies first if the content is shared.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    any: bool,
    /// `None` stands for no structures, so that ANY and EMPTY are constants.
    content: Option<Arc<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    structures: Vec<Structure>,
    features: Vec<CapsFeatures>,
    /// The text, once somebody has asked for it.
    text: OnceLock<Box<str>>,
    /// The text as it stands in another: a caps event has a number of its own at each element.
    quoted: OnceLock<Box<str>>,
}

impl Clone for Content {
    /// A copy is made to be changed: it has no text yet.
    fn clone(&self) -> Self {
        let (structures, features) = (self.structures.clone(), self.features.clone());
        Content { structures, features, text: OnceLock::new(), quoted: OnceLock::new() }
    }
}

impl Content {
    /// The content, to be changed in place. Copies it first if it is shared.
    fn change(shared: &mut Arc<Content>) -> &mut Content {
        let content = Arc::make_mut(shared);
        content.text.take();
        content.quoted.take();
        content
    }
}

impl Caps {
    /// Every format.
    pub const fn any() -> Self {
        Self { any: true, content: None }
    }

    /// No format.
    pub const fn empty() -> Self {
        Self { any: false, content: None }
    }

    /// The formats of one structure, in system memory.
    pub fn new(structure: Structure) -> Self {
        Self::with_features(structure, CapsFeatures::default())
    }

    /// The formats of one structure, in memory with `features`.
    pub fn with_features(structure: Structure, features: CapsFeatures) -> Self {
        let mut caps = Self::empty();
        caps.push(structure, features);
        caps
    }

    /// Reads caps; an error says what was wrong and at which column.
    pub fn parse(text: &str) -> Result<Self, CapsParseError> {
        text.parse()
    }

    /// Whether this is ANY.
    pub fn is_any(&self) -> bool {
        self.any
    }

    /// Whether this is EMPTY.
    pub fn is_empty(&self) -> bool {
        !self.any && self.is_without_structures()
    }

    /// Whether this is exactly one format: one structure, whose fields have one value each.
    pub fn is_fixed(&self) -> bool {
        match (self.structures(), self.features(0)) {
            ([only], Some(features)) => !features.is_any() && only.is_fixed(),
            _ => false,
        }
    }

    /// How many structures there are; 0 for ANY and for EMPTY.
    pub fn size(&self) -> usize {
        self.structures().len()
    }

    /// The structures, best first.
    pub fn structures(&self) -> &[Structure] {
        self.content.as_ref().map_or(&[], |content| &content.structures)
    }

    /// The structures, to be changed in place. Copies them first if they are shared.
    pub fn structures_mut(&mut self) -> &mut [Structure] {
        match &mut self.content {
            Some(content) => &mut Content::change(content).structures,
            None => &mut [],
        }
    }

    /// The structure at `index`.
    pub fn structure(&self, index: usize) -> Option<&Structure> {
        self.structures().get(index)
    }

    /// The structure at `index`, to be changed in place. Copies first if the content is shared.
    pub fn structure_mut(&mut self, index: usize) -> Option<&mut Structure> {
        self.structures_mut().get_mut(index)
    }

    /// The features of the structure at `index`.
    pub fn features(&self, index: usize) -> Option<&CapsFeatures> {
        self.content.as_ref().and_then(|content| content.features.get(index))
    }

    /// Sets the features of the structure at `index`, if there is one.
    pub fn set_features(&mut self, index: usize, features: CapsFeatures) {
        if let Some(content) = &mut self.content
            && let Some(old) = Content::change(content).features.get_mut(index)
        {
            *old = features;
        }
    }

    /// Structures with their features.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Structure, &CapsFeatures)> + Clone {
        let features = self.content.as_ref().map_or(&[][..], |content| &content.features);
        self.structures().iter().zip(features)
    }

    /// Sets `field` in every structure.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        let value = value.into();
        for structure in self.structures_mut() {
            structure.set(field, value.clone());
        }
    }

    /// Adds a structure behind the others; ANY stays ANY.
    pub fn push(&mut self, structure: Structure, features: CapsFeatures) {
        if self.any {
            return;
        }
        let content = Content::change(self.content.get_or_insert_default());
        content.structures.push(structure);
        content.features.push(features);
    }

    /// Takes out the structure at `index`, if there is one.
    pub fn remove(&mut self, index: usize) -> Option<Structure> {
        if index >= self.size() {
            return None;
        }
        let content = Content::change(self.content.as_mut()?);
        content.features.remove(index);
        Some(content.structures.remove(index))
    }

    /// Keeps the first `length` structures.
    pub fn truncate(&mut self, length: usize) {
        if self.size() > length
            && let Some(content) = &mut self.content
        {
            let content = Content::change(content);
            content.structures.truncate(length);
            content.features.truncate(length);
        }
    }

    /// The text, with nested structures in brackets or, one level further down, in quotes; the two
    /// take turns in GStreamer.
    pub(crate) fn print(&self, nested: Nested) -> String {
        let mut text = String::new();
        self.print_to(&mut text, nested);
        text
    }

    /// [`Caps::print`] behind what `text` has.
    fn print_to(&self, text: &mut String, nested: Nested) {
        if self.any {
            text.push_str("ANY");
            return;
        }
        if self.is_empty() {
            text.push_str("EMPTY");
            return;
        }
        let began = text.len();
        let inside = match nested {
            Nested::Quoted => Nested::Bracketed,
            Nested::Bracketed => Nested::Quoted,
        };
        for (structure, features) in self.iter() {
            if text.len() > began {
                text.push(' ');
            }
            text.push_str(structure.name());
            if !features.is_system_memory() {
                *text += &format!("({features})");
            }
            structure.print_fields(text, inside);
        }
        text.pop();
    }

    /// [`Caps::to_string`], lent: content keeps its text.
    pub(crate) fn text(&self) -> &str {
        match &self.content {
            Some(content) => content.text.get_or_init(|| {
                let mut text = ScratchText::new();
                self.print_to(text.text_mut(), Nested::Quoted);
                Box::from(&*text)
            }),
            None if self.any => "ANY",
            None => "EMPTY",
        }
    }

    /// [`quote`](crate::value::quote) of [`Caps::text`].
    pub(crate) fn quoted(&self) -> &str {
        match &self.content {
            Some(content) => content.quoted.get_or_init(|| {
                let mut text = ScratchText::new();
                push_quoted(text.text_mut(), self.text());
                Box::from(&*text)
            }),
            None => self.text(),
        }
    }

    fn is_without_structures(&self) -> bool {
        self.structures().is_empty()
    }

    /// Whether two caps share their content, so that no comparison is needed.
    fn is_same(&self, other: &Caps) -> bool {
        match (&self.content, &other.content) {
            (Some(content), Some(other)) => Arc::ptr_eq(content, other),
            _ => false,
        }
    }
}

impl PartialEq for Caps {
    /// Identity of all parts, in order. [`Caps::is_equal`] asks whether the formats are the same.
    fn eq(&self, other: &Self) -> bool {
        self.any == other.any && (self.is_same(other) || self.iter().eq(other.iter()))
    }
}

impl fmt::Display for Caps {
    /// GStreamer's text for caps, which reads back as the same caps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl From<Structure> for Caps {
    fn from(structure: Structure) -> Self {
        Self::new(structure)
    }
}

impl FromIterator<Structure> for Caps {
    fn from_iter<I: IntoIterator<Item = Structure>>(structures: I) -> Self {
        let mut caps = Self::empty();
        for structure in structures {
            caps.push(structure, CapsFeatures::default());
        }
        caps
    }
}
