//! The page of one element.

use super::list::{facts, plugin_facts};
use super::property::properties;
use crate::output::heading;
use gst_mini_core::caps::Caps;
use gst_mini_core::element::Direction;
use gst_mini_core::handle::ElementRef;
use gst_mini_core::pad::Pad;
use gst_mini_core::registry::Registry;
use gst_mini_core::registry::factory::{FactoryInfo, Presence};
use gst_mini_core::registry::rank::RANKS;
use std::fmt::Write as _;

/// The whole page.
///
/// # Errors
/// A sentence when the element's plugin cannot be loaded.
pub fn page(registry: &Registry, name: &str) -> Result<String, String> {
    let info = registry.factory(name).map_err(|error| error.to_string())?;
    // As the first one is called.
    let called = format!("{}0", name.replace('-', ""));
    let element = ElementRef::make(&info, &called).map_err(|error| error.to_string())?;
    let own = rank(info.rank);
    let rank = match registry.rank(name, info.rank) {
        wanted if wanted == info.rank => own,
        wanted => format!("{}, by GST_MINI_PLUGIN_FEATURE_RANK; its own is {own}", rank(wanted)),
    };
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
    parts.push("Element has no URI handling capabilities.\n".to_owned());
    parts.push(pads(&element, &info));
    parts.push(properties(&element));
    parts.push(signals(&info, false));
    parts.push(signals(&info, true));
    let shadowed = registry.shadowed();
    let hidden: Vec<&str> = shadowed
        .iter()
        .filter(|text| text.starts_with(&format!("element \"{name}\" ")))
        .map(String::as_str)
        .collect();
    parts.push(hidden.join("\n"));
    parts.retain(|part| !part.is_empty());
    Ok(parts.join("\n"))
}

fn rank(rank: u32) -> String {
    match RANKS.iter().find(|(_, number)| *number == rank) {
        Some((name, _)) => format!("{name} ({rank})"),
        None => rank.to_string(),
    }
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
