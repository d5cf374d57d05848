//! `gst-mini inspect`: all elements, one plugin, one element, or one plugin file.
//!
//! Invariant: listing opens no plugin's library; only an element's own page does.
//! In GStreamer: `tools/gst-inspect.c`.
//! Left out: URI handlers, presets, type hierarchies.

mod element;

use crate::output::{self, heading};
use gst_mini_core::plugin::loader::{self, FoundPlugin, report::PluginInfo};
use gst_mini_core::registry::{Registry, registry};
use gst_mini_core::suggest::nearest;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// An element, a plugin, or a plugin's file; everything without it
    name: Option<String>,
}

pub fn run(options: &Options) -> ExitCode {
    let registry = registry();
    let Some(name) = &options.name else {
        output::text(&everything(registry));
        return ExitCode::SUCCESS;
    };
    if is_path(name) {
        return match loader::explain(Path::new(name)) {
            Ok(info) => show(&plugin_details(&info, Path::new(name))),
            Err(refusal) => fail(&refusal.to_string()),
        };
    }
    if registry.names().iter().any(|known| known == name) {
        return match element::page(registry, name) {
            Ok(page) => show(&page),
            Err(why) => fail(&why),
        };
    }
    if let Some(plugin) = registry.plugins().list().iter().find(|found| found.info.name == *name) {
        return show(&plugin_details(&plugin.info, &plugin.file));
    }
    let own: Vec<(String, String)> = builtin_of(registry, name);
    if !own.is_empty() {
        return show(&builtin_details(name, &own));
    }
    let refused: Vec<String> = (registry.plugins().refusals().iter())
        .filter(|refusal| loader::files::name_of(&refusal.file) == Some(name))
        .map(ToString::to_string)
        .collect();
    if !refused.is_empty() {
        return fail(&refused.join("\n"));
    }
    fail(&unknown(registry, name))
}

fn show(text: &str) -> ExitCode {
    output::text(text);
    ExitCode::SUCCESS
}

fn fail(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::FAILURE
}

fn is_path(name: &str) -> bool {
    name.contains('/') || name.ends_with(std::env::consts::DLL_SUFFIX)
}

fn unknown(registry: &Registry, name: &str) -> String {
    let mut names = registry.names();
    names.extend(registry.plugins().list().iter().map(|plugin| plugin.info.name.clone()));
    let near = nearest(name, names.iter().map(String::as_str));
    let mut text = format!("No such element or plugin '{name}'");
    if !near.is_empty() {
        let _ = write!(text, "; did you mean {}?", near.join(", "));
    }
    text.push_str(&not_loaded(registry));
    text
}

/// Name and long name of the built-in elements of a crate.
fn builtin_of(registry: &Registry, plugin: &str) -> Vec<(String, String)> {
    let own = registry.builtin().iter().filter(|info| info.plugin == plugin);
    own.map(|info| (info.name.clone(), info.long_name.clone())).collect()
}

fn everything(registry: &Registry) -> String {
    let mut out = String::new();
    let mut lines: Vec<(String, String)> = registry
        .builtin()
        .iter()
        .map(|info| (info.plugin.clone(), format!("{}: {}", info.name, info.long_name)))
        .collect();
    let mut plugins: Vec<String> = lines.iter().map(|(plugin, _)| plugin.clone()).collect();
    for FoundPlugin { info, .. } in registry.plugins().list() {
        plugins.push(info.name.clone());
        for element in &info.elements {
            lines.push((info.name.clone(), format!("{}: {}", element.name, element.long_name)));
        }
    }
    lines.sort();
    plugins.sort();
    plugins.dedup();
    for (plugin, text) in &lines {
        let _ = writeln!(out, "{}:  {text}", heading(plugin));
    }
    let refused = registry.plugins().refusals().len();
    let without = if refused > 0 { format!(" ({refused} not loaded)") } else { String::new() };
    let count =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let _ = writeln!(
        out,
        "\nTotal count: {}{without}, {}",
        count(plugins.len(), "plugin"),
        count(lines.len(), "feature")
    );
    for text in registry.plugins().shadowed() {
        let _ = writeln!(out, "\n{text}");
    }
    out.push_str(&not_loaded(registry));
    if refused > 0 {
        out.push('\n');
    }
    out
}

fn not_loaded(registry: &Registry) -> String {
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

fn builtin_details(name: &str, elements: &[(String, String)]) -> String {
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
