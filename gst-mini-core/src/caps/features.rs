//! [`CapsFeatures`] say in which kind of memory a format comes, and what travels with it.
//!
//! ```
//! use gst_mini_core::caps::CapsFeatures;
//! let dmabuf: CapsFeatures = "memory:DMABuf".parse()?;
//! assert!(dmabuf.contains("memory:DMABuf") && !dmabuf.is_system_memory());
//! # Ok::<(), gst_mini_core::caps::CapsParseError>(())
//! ```
//!
//! Invariant: names are valid (`memory:DMABuf`) and occur once; none at all means system memory.
//! In GStreamer: `gst/gstcapsfeatures.c` (`gst_caps_features_is_equal`).
//! Left out: nothing. Names that are not valid are skipped, as in GStreamer.

use std::fmt;
use std::str::FromStr;

use super::CapsParseError;

const SYSTEM_MEMORY: &str = "memory:SystemMemory";

/// The memory features of one structure in caps. The default is system memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapsFeatures {
    any: bool,
    names: Vec<String>,
}

impl CapsFeatures {
    /// Any features at all.
    pub const fn any() -> Self {
        Self { any: true, names: Vec::new() }
    }

    /// Features of these names. Those that are not valid are skipped.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut features = Self::default();
        for name in names {
            features.add(name);
        }
        features.normalized()
    }

    /// Whether this stands for all features.
    pub fn is_any(&self) -> bool {
        self.any
    }

    /// Whether this is plain system memory, which caps do not print.
    pub fn is_system_memory(&self) -> bool {
        !self.any && self.names.is_empty()
    }

    /// The names; none for system memory and for [`CapsFeatures::any`].
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether `name` is among the features.
    pub fn contains(&self, name: &str) -> bool {
        match self.names.is_empty() {
            true => self.any || name == SYSTEM_MEMORY,
            false => self.names.iter().any(|own| own == name),
        }
    }

    /// Whether both have the same names, in any order. Any features equal all others.
    pub fn is_equal(&self, other: &CapsFeatures) -> bool {
        let same = || self.names.iter().all(|name| other.contains(name));
        self.any || other.any || (self.names.len() == other.names.len() && same())
    }

    fn add(&mut self, name: &str) {
        if is_valid(name) && !self.names.iter().any(|own| own == name) {
            self.names.push(name.to_owned());
        }
    }

    /// System memory alone is written as no name, so that there is one form of it.
    fn normalized(mut self) -> Self {
        if self.names == [SYSTEM_MEMORY] {
            self.names.clear();
        }
        self
    }
}

impl fmt::Display for CapsFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.any {
            true => f.write_str("ANY"),
            false if self.names.is_empty() => f.write_str(SYSTEM_MEMORY),
            false => f.write_str(&self.names.join(", ")),
        }
    }
}

impl FromStr for CapsFeatures {
    type Err = CapsParseError;

    /// Reads what stands between the parentheses.
    fn from_str(text: &str) -> Result<Self, CapsParseError> {
        match text {
            "" => return Ok(Self::default()),
            "ANY" => return Ok(Self::any()),
            _ => {}
        }
        let mut features = Self::default();
        let mut column = 1;
        for (at, part) in split_at_commas(text).enumerate() {
            // Spaces are taken after a comma, and nowhere else.
            let name = if at == 0 { part } else { part.trim_start_matches(' ') };
            if name.is_empty() || name.contains(' ') {
                return Err(CapsParseError::new("expected names of features with commas", column));
            }
            features.add(name);
            column += part.chars().count() + 1;
        }
        Ok(features.normalized())
    }
}

/// The parts between commas; a backslash protects a comma.
fn split_at_commas(text: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |letter| {
        let splits = letter == ',' && !escaped;
        escaped = letter == '\\';
        splits
    })
}

/// Letters, a colon, then a letter and more letters or digits.
fn is_valid(name: &str) -> bool {
    name.split_once(':').is_some_and(|(kind, detail)| {
        kind.bytes().all(|byte| byte.is_ascii_alphabetic())
            && detail.starts_with(|first: char| first.is_ascii_alphabetic())
            && detail.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
