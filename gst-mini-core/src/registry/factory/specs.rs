//! The properties of a factory's elements, and the texts of their values.
//!
//! Invariant: a text that is kept is canonical; elements that begin with the same value share its text.
//! In GStreamer: `g_object_class_list_properties`, `gst/gstvalue.c` (`gst_value_deserialize`).
//! Left out: values that are others than the first element had, which each element keeps.

use super::PropInfo;
use crate::property::{enum_long_name, enum_values, flags_text, flags_value};
use crate::value::Value;
use std::sync::{Arc, OnceLock};

/// What all elements of a factory share: the properties, and the texts of their first values.
pub(crate) struct Specs {
    infos: Box<[PropInfo]>,
    /// As the first element had them: what it gave, and the canonical text of that.
    first: Box<[OnceLock<(String, Arc<str>)>]>,
}

impl Specs {
    /// The element's own properties, then those of its base that it does not state itself.
    pub fn new(own: &[PropInfo], base: Vec<PropInfo>) -> Specs {
        let is_own = |base: &PropInfo| own.iter().any(|own| own.name == base.name);
        let base = base.into_iter().filter(|base| !is_own(base));
        let infos: Box<[PropInfo]> = own.iter().cloned().chain(base).collect();
        let first = infos.iter().map(|_| OnceLock::new()).collect();
        Specs { infos, first }
    }

    /// All of them.
    pub fn infos(&self) -> &[PropInfo] {
        &self.infos
    }

    /// The canonical text of the value that an element begins with, if it is another one than the first element had.
    pub fn other_first(&self, index: usize, raw: &str) -> Option<Arc<str>> {
        let canonical = || -> Arc<str> {
            canonical(&self.infos[index], raw).map_or_else(|_| raw.into(), Arc::from)
        };
        let known = self.first[index].get_or_init(|| (raw.to_owned(), canonical()));
        (known.0 != raw).then(canonical)
    }

    /// The canonical text of the value that the first element began with.
    pub fn first(&self, index: usize) -> Arc<str> {
        self.first[index].get().map_or_else(|| "".into(), |(_, text)| text.clone())
    }
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
