//! Lists: all elements, the files that are not used, and the page of a plugin.
//!
//! Invariant: no library is opened.
//! In GStreamer: `tools/gst-inspect.c` (`print_element_list`, `print_plugin_features`, `print_blacklist`).
//! Left out: features other than elements.

use crate::output::heading;
use gst_mini_core::plugin::loader::{FoundPlugin, report::PluginInfo};
use gst_mini_core::registry::Registry;
use std::fmt::Write as _;
use std::path::Path;

/// Name and long name of the built-in elements of a crate.
pub fn builtin_of(registry: &Registry, plugin: &str) -> Vec<(String, String)> {
    let own = registry.builtin().iter().filter(|info| info.plugin == plugin);
    own.map(|info| (info.name.clone(), info.long_name.clone())).collect()
}

/// A feature of the list: its plugin, its name, its line.
struct Line {
    plugin: String,
    text: String,
}

/// Every element whose class has all `types`, by plugin and name unless `sorted` is off.
pub fn everything(registry: &Registry, types: &[&str], sorted: bool) -> String {
    let mut out = String::new();
    let fits = |klass: &str| types.iter().all(|word| klass.contains(word));
    let line = |plugin: &str, name: &str, long: &str| Line {
        plugin: plugin.to_owned(),
        text: format!("{name}: {long}"),
    };
    let (mut lines, mut plugins, mut features) = (Vec::new(), Vec::new(), 0);
    for info in registry.builtin() {
        plugins.push(info.plugin.clone());
        features += 1;
        if fits(&info.klass) {
            lines.push(line(&info.plugin, &info.name, &info.long_name));
        }
    }
    for FoundPlugin { info, .. } in registry.plugins().list() {
        plugins.push(info.name.clone());
        for element in &info.elements {
            features += 1;
            if fits(&element.klass) {
                lines.push(line(&info.name, &element.name, &element.long_name));
            }
        }
    }
    if sorted {
        lines.sort_by(|a, b| (&a.plugin, &a.text).cmp(&(&b.plugin, &b.text)));
    }
    plugins.sort();
    plugins.dedup();
    for Line { plugin, text } in &lines {
        let _ = writeln!(out, "{}:  {text}", heading(plugin));
    }
    let refused = registry.plugins().refusals().len();
    let without = if refused > 0 { format!(" ({refused} not loaded)") } else { String::new() };
    let _ = writeln!(
        out,
        "\nTotal count: {}{without}, {}",
        count(plugins.len(), "plugin"),
        count(features, "feature")
    );
    for text in registry.shadowed() {
        let _ = writeln!(out, "\n{text}");
    }
    out.push_str(&not_loaded(registry));
    if refused > 0 {
        out.push('\n');
    }
    out
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The files that are not used, with the reason.
pub fn blacklist(registry: &Registry) -> String {
    let refusals = registry.plugins().refusals();
    let mut out = format!("{}\n", heading("Blacklisted files:"));
    for refusal in refusals {
        let _ = writeln!(out, "  {}: {}", refusal.file.display(), refusal.why);
    }
    let _ = writeln!(out, "\nTotal count: {}", count(refusals.len(), "blacklisted file"));
    out
}

/// The sentences about plugins that are not used.
pub fn not_loaded(registry: &Registry) -> String {
    let refused = registry.plugins().refused();
    if refused.is_empty() {
        return String::new();
    }
    format!("\n\n{}\n  {}", heading("Plugins that were not loaded:"), refused.join("\n  "))
}

/// What a plugin says about itself, and its elements.
pub fn plugin_details(info: &PluginInfo, file: &Path) -> String {
    let mut out = plugin_facts(info, file);
    out.push('\n');
    let elements: Vec<_> =
        info.elements.iter().map(|e| (e.name.clone(), e.long_name.clone())).collect();
    out.push_str(&features(&elements));
    out
}

/// The section of a plugin's own facts.
pub fn plugin_facts(info: &PluginInfo, file: &Path) -> String {
    let file = file.display().to_string();
    let panics = if info.aborts_on_panic { "end the program" } else { "stop the element" };
    facts(
        "Plugin Details:",
        &[
            ("Name", &info.name),
            ("Description", &info.description),
            ("Filename", &file),
            ("Version", &info.version),
            ("License", &info.license),
            ("Source module", &info.source),
            ("Built with", &info.build_info),
            ("Plugin ABI", &info.abi),
            ("Panics", panics),
        ],
    )
}

pub fn builtin_details(name: &str, elements: &[(String, String)]) -> String {
    let mut out = facts(
        "Plugin Details:",
        &[
            ("Name", name),
            ("Description", "Elements linked into this program"),
            ("Version", env!("CARGO_PKG_VERSION")),
            ("License", env!("CARGO_PKG_LICENSE")),
        ],
    );
    out.push('\n');
    out.push_str(&features(elements));
    out
}

fn features(elements: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, long_name) in elements {
        let _ = writeln!(out, "  {name}: {long_name}");
    }
    let plural =
        |word: &str| if elements.len() == 1 { word.to_owned() } else { format!("{word}s") };
    let _ = writeln!(out, "\n  {} {}:", elements.len(), plural("feature"));
    let _ = writeln!(out, "  +-- {} {}", elements.len(), plural("element"));
    out
}

/// A section of names and values; empty values are left out.
pub fn facts(title: &str, lines: &[(&str, &str)]) -> String {
    let mut out = format!("{}\n", heading(title));
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(out, "  {name:<24} {value}");
    }
    out
}
