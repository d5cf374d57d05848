//! The values of an element's properties, kept by the host.
//!
//! A set is visible to a get at once. It reaches a live field at once too; any other field before the
//! next streaming call, for which the element is marked.
//!
//! Invariant: a get never waits for a buffer.
//! In GStreamer: `g_object_set_property`, `gst/gstutils.c` (`gst_util_set_object_arg`).
//! Left out: notifications without somebody who asked for them.

use crate::plugin::abi::{GM_PROP_READABLE, GM_PROP_SECRET, GM_PROP_VOLATILE, GM_PROP_WRITABLE};
use crate::property::{enum_long_name, enum_values, flags_text, flags_value};
use crate::registry::factory::PropInfo;
use crate::suggest::nearest;
use crate::value::Value;
use parking_lot::Mutex;

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
    specs: Vec<PropInfo>,
    slots: Mutex<Slots>,
}

struct Slots {
    values: Vec<String>,
    /// Texts that are none at all, which an empty one is not.
    absent: Vec<bool>,
    pending: Vec<usize>,
}

impl PropStore {
    pub fn new(specs: Vec<PropInfo>, read: impl Fn(&PropInfo) -> Option<String>) -> PropStore {
        let value = |spec: &PropInfo| {
            let text =
                if spec.default.is_empty() { read(spec) } else { Some(spec.default.clone()) };
            let text = text.unwrap_or_default();
            canonical(spec, &text).unwrap_or(text)
        };
        let values: Vec<String> = specs.iter().map(value).collect();
        let absent = values.iter().map(String::is_empty).collect();
        PropStore { specs, slots: Mutex::new(Slots { values, absent, pending: Vec::new() }) }
    }

    pub fn specs(&self) -> &[PropInfo] {
        &self.specs
    }

    pub fn index(&self, element: &str, name: &str) -> Result<usize, PropertyError> {
        self.specs.iter().position(|spec| spec.name == name).ok_or_else(|| PropertyError::Unknown {
            element: element.to_owned(),
            name: name.to_owned(),
            near: nearest(name, self.specs.iter().map(|spec| spec.name.as_str()))
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
    }

    /// A text the element gave, as a set of it would be kept.
    pub fn canonical(&self, index: usize, text: String) -> String {
        canonical(&self.specs[index], &text).unwrap_or(text)
    }

    /// The present value's text.
    pub fn text(&self, index: usize) -> String {
        self.slots.lock().values[index].clone()
    }

    /// Stores a text that was checked; `true` if it is to be applied later.
    pub fn store(&self, index: usize, text: String, apply_later: bool) {
        let mut slots = self.slots.lock();
        slots.values[index] = text;
        slots.absent[index] = false;
        if apply_later && !slots.pending.contains(&index) {
            slots.pending.push(index);
        }
    }

    /// Notes that the text stored last is none at all.
    pub fn set_absent(&self, index: usize) {
        self.slots.lock().absent[index] = true;
    }

    /// Whether a text was never set, or set to none at all.
    pub fn is_absent(&self, index: usize) -> bool {
        let spec = &self.specs[index];
        spec.type_name == "string" && (self.is_volatile(index) || self.slots.lock().absent[index])
    }

    /// What is to be applied to the instance, taken.
    pub fn take_pending(&self) -> Vec<(usize, String)> {
        let mut slots = self.slots.lock();
        let pending = std::mem::take(&mut slots.pending);
        pending.into_iter().map(|index| (index, slots.values[index].clone())).collect()
    }

    /// Whether a read is to be asked of the instance.
    pub fn is_volatile(&self, index: usize) -> bool {
        self.specs[index].has(GM_PROP_VOLATILE)
    }

    /// Reads `text` as a value of the property's type and gives its canonical text.
    pub fn check(&self, element: &str, index: usize, text: &str) -> Result<String, PropertyError> {
        let spec = &self.specs[index];
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

/// The canonical text of a value of the property's type.
pub(crate) fn canonical(spec: &PropInfo, text: &str) -> Result<String, String> {
    let nicks = enum_values(&spec.type_name);
    if !nicks.is_empty() {
        let by_nick = nicks.iter().find(|(nick, _)| *nick == text);
        let by_number = || {
            let number = enum_long_name(&spec.type_name, text).map(i64::from);
            let number = number.or_else(|| Value::parse("int", text).ok()?.as_i64())?;
            nicks.iter().find(|(_, other)| i64::from(*other) == number)
        };
        return match by_nick.or_else(by_number) {
            Some((nick, _)) => Ok((*nick).to_owned()),
            None => {
                let names: Vec<_> = nicks.iter().map(|(nick, _)| *nick).collect();
                Err(format!("it is one of {}", names.join(", ")))
            }
        };
    }
    if spec.type_name.starts_with("flags:") {
        return match flags_value(&spec.type_name, text) {
            Some(bits) => Ok(flags_text(&spec.type_name, bits)),
            None => Err("it takes names of flags joined by \"+\"".to_owned()),
        };
    }
    let article = if spec.type_name.starts_with(['i', 'u']) { "an" } else { "a" };
    let kind = || format!("it takes {article} {}", spec.type_name);
    match spec.type_name.as_str() {
        "string" | "pad" => return Ok(text.to_owned()),
        "caps" => {
            let caps = crate::caps::Caps::parse(text).map_err(|error| error.to_string())?;
            return Ok(caps.to_string());
        }
        "structure" => {
            let structure: crate::structure::Structure =
                text.parse().map_err(|error| format!("{error}"))?;
            return Ok(structure.to_string());
        }
        _ => {}
    }
    let value = Value::parse(&spec.type_name, text).map_err(|_| kind())?;
    Ok(value.to_string())
}

/// Whether a value may be shown, and how: secrets are stars.
pub(crate) fn shown(spec: &PropInfo, text: &str) -> String {
    match (spec.has(GM_PROP_SECRET), spec.has(GM_PROP_READABLE), text.is_empty()) {
        (true, _, false) => "***".to_owned(),
        (_, false, _) => String::new(),
        _ => text.to_owned(),
    }
}
