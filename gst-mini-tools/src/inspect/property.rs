//! The properties of an element, as `inspect` shows them.
//!
//! Invariant: a secret is never printed.
//! In GStreamer: `tools/gst-inspect.c` (`print_object_properties_info`).
//! Left out: names of enum types, and what each of their values is for.

use crate::output::heading;
use gst_mini_core::handle::ElementRef;
use gst_mini_core::plugin::abi;
use gst_mini_core::property::{enum_values, types};
use gst_mini_core::registry::factory::PropInfo;
use std::fmt::Write as _;

/// How far the second column of a property's description is indented.
const INDENT: &str = "                        ";

/// All of them, by name.
pub fn properties(element: &ElementRef) -> String {
    let mut specs: Vec<&PropInfo> = element.properties().iter().collect();
    specs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut lines: Vec<(&str, String)> =
        specs.into_iter().map(|spec| (spec.name.as_str(), property(element, spec))).collect();
    // Every element has a name, which launch lines set; it is no property of the element's own.
    if lines.iter().all(|(name, _)| *name != "name") {
        let text = format!(
            "  {:<20}: The name of the element\n{INDENT}flags: readable, writable\n{INDENT}String. Default: \"{}\"\n",
            "name",
            element.name()
        );
        lines.push(("name", text));
        lines.sort_by(|a, b| a.0.cmp(b.0));
    }
    let texts: String = lines.into_iter().map(|(_, text)| text).collect();
    format!("{}\n{texts}", heading("Element Properties:"))
}

fn property(element: &ElementRef, spec: &PropInfo) -> String {
    let current = element.get_shown(&spec.name).unwrap_or_default();
    // What nobody states is what a new element has.
    let stated = !spec.default.is_empty() && !spec.has(abi::GM_PROP_SECRET);
    let default = if stated { spec.default.clone() } else { current.clone() };
    let mut out = format!("  {:<20}: {}\n{INDENT}flags: {}\n", spec.name, spec.blurb, flags(spec));
    let choices = enum_values(&spec.type_name);
    if !choices.is_empty() {
        let number = choices.iter().find(|(nick, _)| *nick == default).map_or(0, |(_, n)| *n);
        let _ = writeln!(out, "{INDENT}Enum. Default: {number}, \"{default}\"");
        for (nick, number) in choices {
            let _ = writeln!(out, "{INDENT}   ({number}): {nick}");
        }
        return out;
    }
    if let Some(bits) = spec.type_name.strip_prefix("flags:") {
        let shown = if default.is_empty() || default == "0" { "(none)" } else { &default };
        let _ = writeln!(out, "{INDENT}Flags. Default: \"{shown}\"");
        for bit in bits.split(',') {
            let (nick, number) = bit.split_once('=').unwrap_or((bit, ""));
            let (number, long) = number.split_once(':').unwrap_or((number, ""));
            let number: u64 = number.parse().unwrap_or(0);
            let _ = writeln!(out, "{INDENT}   (0x{number:08x}): {nick:<16} - {long}");
        }
        return out;
    }
    let word = match spec.type_name.as_str() {
        types::BOOLEAN => "Boolean",
        types::INT => "Integer",
        types::UINT => "Unsigned Integer",
        types::INT64 => "Integer64",
        types::UINT64 => "Unsigned Integer64",
        types::DOUBLE => "Double",
        types::STRING => "String",
        types::FRACTION => "Fraction",
        types::CAPS => "Caps",
        types::STRUCTURE => "Structure",
        "float" => "Float",
        other => other,
    };
    let _ = write!(out, "{INDENT}{word}.");
    if let Some((least, most)) = range(spec) {
        let _ = write!(out, " Range: {least} - {most}");
    }
    let shown = |text: &str| match word {
        "String" | "Caps" | "Structure" if text.is_empty() => "null".to_owned(),
        "String" => format!("\"{text}\""),
        _ => text.to_owned(),
    };
    if !shown(&default).is_empty() {
        let _ = write!(out, " Default: {}", shown(&default));
    }
    let is_same = current == default
        || current.parse::<f64>().is_ok_and(|number| default.parse() == Ok(number));
    if !is_same && spec.has(abi::GM_PROP_READABLE) {
        let _ = write!(out, " Current: {}", shown(&current));
    }
    if !spec.unit.is_empty() {
        let _ = write!(out, " Unit: {}", spec.unit);
    }
    out.push('\n');
    out
}

/// The bounds that are stated, else those of the type.
fn range(spec: &PropInfo) -> Option<(String, String)> {
    let (least, most) = match spec.type_name.as_str() {
        types::INT => (i32::MIN.to_string(), i32::MAX.to_string()),
        types::UINT => ("0".to_owned(), u32::MAX.to_string()),
        types::INT64 => (i64::MIN.to_string(), i64::MAX.to_string()),
        types::UINT64 => ("0".to_owned(), u64::MAX.to_string()),
        types::DOUBLE => ("-1.797693e+308".to_owned(), "1.797693e+308".to_owned()),
        types::FRACTION if !spec.min.is_empty() => (String::new(), String::new()),
        _ => return None,
    };
    let or = |stated: &str, own: String| if stated.is_empty() { own } else { stated.to_owned() };
    Some((or(&spec.min, least), or(&spec.max, most)))
}

fn flags(spec: &PropInfo) -> String {
    let words = [
        (abi::GM_PROP_READABLE, "readable"),
        (abi::GM_PROP_WRITABLE, "writable"),
        (abi::GM_PROP_SECRET, "secret (never printed)"),
        (abi::GM_PROP_READY_ONLY, "changeable only in NULL or READY state"),
        (abi::GM_PROP_LIVE, "changeable in NULL, READY, PAUSED or PLAYING state"),
    ];
    let set: Vec<&str> = words
        .iter()
        .filter(|(flag, _)| spec.has(*flag))
        // Read at once and not to be changed: the latter counts.
        .filter(|(flag, _)| {
            let may_change = spec.has(abi::GM_PROP_WRITABLE) && !spec.has(abi::GM_PROP_READY_ONLY);
            *flag != abi::GM_PROP_LIVE || may_change
        })
        .map(|(_, word)| *word)
        .collect();
    set.join(", ")
}
