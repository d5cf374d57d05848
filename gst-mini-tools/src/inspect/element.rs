//! The page of one element.

use super::{facts, plugin_facts};
use crate::output::heading;
use gst_mini_core::caps::Caps;
use gst_mini_core::element::Direction;
use gst_mini_core::handle::ElementRef;
use gst_mini_core::pad::Pad;
use gst_mini_core::plugin::abi;
use gst_mini_core::property::{enum_values, types};
use gst_mini_core::registry::Registry;
use gst_mini_core::registry::factory::{FactoryInfo, Presence, PropInfo};
use std::fmt::Write as _;

/// How far the second column of a property's description is indented.
const INDENT: &str = "                        ";

/// The whole page.
///
/// # Errors
/// A sentence when the element's plugin cannot be loaded.
pub fn page(registry: &Registry, name: &str) -> Result<String, String> {
    let info = registry.factory(name).map_err(|error| error.to_string())?;
    let element =
        ElementRef::make(&info, &format!("{name}0")).map_err(|error| error.to_string())?;
    let rank = rank(info.rank);
    let mut parts = vec![facts(
        "Factory Details:",
        &[
            ("Rank", &rank),
            ("Long-name", &info.long_name),
            ("Klass", &info.klass),
            ("Description", &info.description),
            ("Author", &info.author),
        ],
    )];
    let loaded = registry.plugins().list().iter().find(|plugin| plugin.info.name == info.plugin);
    parts.push(match loaded {
        Some(plugin) => plugin_facts(&plugin.info, &plugin.file),
        None => facts(
            "Plugin Details:",
            &[("Name", &info.plugin), ("Filename", "(linked into this program)")],
        ),
    });
    parts.push(templates(&info));
    parts.push(pads(&element, &info));
    parts.push(properties(&element));
    parts.push(signals(&info, false));
    parts.push(signals(&info, true));
    parts.retain(|part| !part.is_empty());
    Ok(parts.join("\n"))
}

fn rank(rank: u32) -> String {
    let name = match rank {
        0 => "none",
        64 => "marginal",
        128 => "secondary",
        256 => "primary",
        _ => return rank.to_string(),
    };
    format!("{name} ({rank})")
}

fn upper(direction: Direction) -> &'static str {
    match direction {
        Direction::Src => "SRC",
        Direction::Sink => "SINK",
    }
}

fn templates(info: &FactoryInfo) -> String {
    let blocks: Vec<String> = info
        .pads
        .iter()
        .map(|pad| {
            let when = match pad.presence {
                Presence::Always => "Always",
                Presence::Sometimes => "Sometimes",
                Presence::Request => "On request",
            };
            format!(
                "  {} template: '{}'\n    Availability: {when}\n    Capabilities:\n{}",
                upper(pad.direction),
                pad.name,
                caps_block(&pad.caps)
            )
        })
        .collect();
    if blocks.is_empty() {
        return String::new();
    }
    format!("{}\n{}", heading("Pad Templates:"), blocks.join("\n"))
}

/// Each structure's name, and its fields below it.
fn caps_block(caps: &Caps) -> String {
    let text = caps.to_string();
    if text == "ANY" || text == "EMPTY" {
        return format!("      {text}\n");
    }
    let mut out = String::new();
    for structure in caps.structures() {
        let _ = writeln!(out, "      {}", structure.name());
        for (field, value) in structure.fields() {
            let _ = writeln!(out, "        {field:>18}: {value}");
        }
    }
    out
}

fn pads(element: &ElementRef, info: &FactoryInfo) -> String {
    let pads = element.pads();
    if pads.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", heading("Pads:"));
    for pad in pads {
        let _ = writeln!(out, "  {}: '{}'", upper(pad.direction()), pad.name());
        if let Some(template) = info.template_for(pad.name()) {
            let _ = writeln!(out, "    Pad Template: '{}'", template.name);
        }
    }
    out
}

fn properties(element: &ElementRef) -> String {
    let mut specs: Vec<&PropInfo> = element.properties().iter().collect();
    specs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = format!("{}\n", heading("Element Properties:"));
    for spec in specs {
        out.push_str(&property(element, spec));
    }
    out
}

fn property(element: &ElementRef, spec: &PropInfo) -> String {
    let default = element.get_shown(&spec.name).unwrap_or_default();
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
        other => other,
    };
    let _ = write!(out, "{INDENT}{word}.");
    if let Some((least, most)) = range(spec) {
        let _ = write!(out, " Range: {least} - {most}");
    }
    match (word, default.as_str()) {
        ("String" | "Caps" | "Structure", "") => out.push_str(" Default: null"),
        ("String", text) => {
            let _ = write!(out, " Default: \"{text}\"");
        }
        (_, "") => {}
        (_, text) => {
            let _ = write!(out, " Default: {text}");
        }
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
        .filter(|(flag, _)| *flag != abi::GM_PROP_LIVE || spec.has(abi::GM_PROP_WRITABLE))
        .map(|(_, word)| *word)
        .collect();
    set.join(", ")
}

fn signals(info: &FactoryInfo, actions: bool) -> String {
    let list: Vec<_> = info.signals.iter().filter(|signal| signal.action == actions).collect();
    if list.is_empty() {
        return String::new();
    }
    let title = if actions { "Element Actions:" } else { "Element Signals:" };
    let mut out = format!("{}\n", heading(title));
    for signal in list {
        let _ = writeln!(out, "  \"{}\" : {}", signal.name, signal.blurb);
    }
    out
}
