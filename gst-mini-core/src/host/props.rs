//! The values of an element's properties, kept by the host.
//!
//! A set is visible to a get at once. It reaches a live field at once too; any other field before the
//! next streaming call, for which the element is marked.
//!
//! Invariant: a get never waits for a buffer.
//! In GStreamer: `g_object_set_property`, `gst/gstutils.c` (`gst_util_set_object_arg`).
//! Left out: notifications without somebody who asked for them.

use crate::plugin::abi::{GM_PROP_READABLE, GM_PROP_SECRET, GM_PROP_VOLATILE, GM_PROP_WRITABLE};
use crate::registry::factory::PropInfo;
use crate::registry::factory::specs::{Specs, canonical};
use crate::suggest::nearest;
use crate::value::Value;
use parking_lot::Mutex;
use std::sync::Arc;

/// Why a property could not be set or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// There is none of that name.
    #[error("no property \"{name}\" in element \"{element}\"{}", hint(near))]
    Unknown {
        /// The element.
        element: String,
        /// The name asked for.
        name: String,
        /// The nearest names there are.
        near: Vec<String>,
    },
    /// It cannot be set.
    #[error("property \"{name}\" of \"{element}\" is read-only")]
    ReadOnly {
        /// The element.
        element: String,
        /// The property.
        name: String,
    },
    /// The value is of the right type, but too small or too large.
    #[error("property \"{name}\" of \"{element}\" cannot be {value}: {why}")]
    OutOfRange {
        /// The element.
        element: String,
        /// The property.
        name: String,
        /// The text.
        value: String,
        /// The bounds.
        why: String,
    },
    /// The text is no value of its type.
    #[error("could not set property \"{name}\" in element \"{element}\" to \"{value}\": {why}")]
    Invalid {
        /// The element.
        element: String,
        /// The property.
        name: String,
        /// The text; `***` for secrets.
        value: String,
        /// What would do.
        why: String,
    },
}

/// `; did you mean …?` for a list of near names; nothing for none.
pub(crate) fn hint(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [one] => format!("; did you mean \"{one}\"?"),
        more => format!("; did you mean one of \"{}\"?", more.join("\", \"")),
    }
}

pub(crate) struct PropStore {
    specs: Arc<Specs>,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    /// What is not as all elements of the factory begin with.
    own: Vec<Slot>,
    pending: Vec<usize>,
}

struct Slot {
    index: usize,
    text: Arc<str>,
    /// Whether the text is none at all, which an empty one is not.
    is_absent: bool,
}

impl Slots {
    fn find(&self, index: usize) -> Option<&Slot> {
        self.own.iter().find(|slot| slot.index == index)
    }

    /// Puts a text in the place of the one there is.
    fn put(&mut self, index: usize, text: Arc<str>, is_absent: bool) {
        match self.own.iter_mut().find(|slot| slot.index == index) {
            Some(slot) => (slot.text, slot.is_absent) = (text, is_absent),
            None => {
                // Few properties of an element are ever set.
                self.own.reserve_exact(1);
                self.own.push(Slot { index, text, is_absent });
            }
        }
    }
}

impl PropStore {
    pub fn new(specs: Arc<Specs>, read: impl Fn(&PropInfo) -> Option<String>) -> PropStore {
        let mut slots = Slots::default();
        for (index, spec) in specs.infos().iter().enumerate() {
            let text = if spec.default.is_empty() { read(spec) } else { None };
            let text = text.as_deref().unwrap_or(&spec.default);
            if let Some(other) = specs.other_first(index, text) {
                let is_absent = other.is_empty();
                slots.put(index, other, is_absent);
            }
        }
        PropStore { specs, slots: Mutex::new(slots) }
    }

    pub fn specs(&self) -> &[PropInfo] {
        self.specs.infos()
    }

    pub fn index(&self, element: &str, name: &str) -> Result<usize, PropertyError> {
        let specs = self.specs();
        specs.iter().position(|spec| spec.name == name).ok_or_else(|| PropertyError::Unknown {
            element: element.to_owned(),
            name: name.to_owned(),
            near: nearest(name, specs.iter().map(|spec| spec.name.as_str()))
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
    }

    /// A text the element gave, as a set of it would be kept.
    pub fn canonical(&self, index: usize, text: String) -> String {
        canonical(&self.specs()[index], &text).unwrap_or(text)
    }

    /// The present value's text.
    pub fn text(&self, index: usize) -> String {
        self.shared_text(index).as_ref().to_owned()
    }

    /// [`PropStore::text`] without a copy.
    pub fn shared_text(&self, index: usize) -> Arc<str> {
        let own = self.slots.lock().find(index).map(|slot| slot.text.clone());
        own.unwrap_or_else(|| self.specs.first(index))
    }

    /// Stores a text that was checked; `true` if it is to be applied later.
    pub fn store(&self, index: usize, text: String, apply_later: bool) {
        let mut slots = self.slots.lock();
        slots.put(index, text.into(), false);
        if apply_later && !slots.pending.contains(&index) {
            slots.pending.push(index);
        }
    }

    /// Notes that the text stored last is none at all.
    pub fn set_absent(&self, index: usize) {
        let text = self.shared_text(index);
        self.slots.lock().put(index, text, true);
    }

    /// Whether a text was never set, or set to none at all.
    pub fn is_absent(&self, index: usize) -> bool {
        if self.specs()[index].type_name != "string" {
            return false;
        }
        let own = || self.slots.lock().find(index).map(|slot| slot.is_absent);
        self.is_volatile(index) || own().unwrap_or_else(|| self.specs.first(index).is_empty())
    }

    /// What is to be applied to the instance, taken.
    pub fn take_pending(&self) -> Vec<(usize, String)> {
        let pending = std::mem::take(&mut self.slots.lock().pending);
        pending.into_iter().map(|index| (index, self.text(index))).collect()
    }

    /// Whether a read is to be asked of the instance.
    pub fn is_volatile(&self, index: usize) -> bool {
        self.specs()[index].has(GM_PROP_VOLATILE)
    }

    /// Reads `text` as a value of the property's type and gives its canonical text.
    pub fn check(&self, element: &str, index: usize, text: &str) -> Result<String, PropertyError> {
        let spec = &self.specs()[index];
        if !spec.has(GM_PROP_WRITABLE) {
            let (element, name) = (element.to_owned(), spec.name.clone());
            return Err(PropertyError::ReadOnly { element, name });
        }
        let shown = if spec.has(GM_PROP_SECRET) { "***" } else { text };
        let invalid = |why: String| PropertyError::Invalid {
            element: element.to_owned(),
            name: spec.name.clone(),
            value: shown.to_owned(),
            why,
        };
        let canonical = canonical(spec, text).map_err(invalid)?;
        match out_of_range(spec, &canonical) {
            None => Ok(canonical),
            Some(why) => Err(PropertyError::OutOfRange {
                element: element.to_owned(),
                name: spec.name.clone(),
                value: shown.to_owned(),
                why,
            }),
        }
    }
}

/// The bounds, if the value is outside them.
fn out_of_range(spec: &PropInfo, text: &str) -> Option<String> {
    use std::cmp::Ordering;
    // An empty text reads as 0, but an empty bound is none.
    let read = |text: &str| {
        (!text.is_empty()).then(|| Value::parse(&spec.type_name, text).ok()?.as_f64()).flatten()
    };
    let value = read(text)?;
    let is = |bound: &str, order: Ordering| {
        read(bound).is_some_and(|bound| value.partial_cmp(&bound) == Some(order))
    };
    if !is(&spec.min, Ordering::Less) && !is(&spec.max, Ordering::Greater) {
        return None;
    }
    let unit = if spec.unit.is_empty() { String::new() } else { format!(" {}", spec.unit) };
    Some(match (spec.min.is_empty(), spec.max.is_empty()) {
        (false, true) => format!("it must be at least {}{unit}", spec.min),
        (true, false) => format!("it must be at most {}{unit}", spec.max),
        _ => format!("it must be between {} and {}{unit}", spec.min, spec.max),
    })
}

/// Whether a value may be shown, and how: secrets are stars.
pub(crate) fn shown(spec: &PropInfo, text: &str) -> String {
    match (spec.has(GM_PROP_SECRET), spec.has(GM_PROP_READABLE), text.is_empty()) {
        (true, _, false) => "***".to_owned(),
        (_, false, _) => String::new(),
        _ => text.to_owned(),
    }
}
