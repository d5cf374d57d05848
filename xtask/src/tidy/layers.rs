//! Which module of core may use which: its own layer and lower ones.
//!
//! Invariant: every module of core stands in exactly one layer, and a new one must be placed here.
//! What that forbids: words, data and notes never use a thread, a clock, a pad or the host; an
//! element's author needs none of those either; a pad never sees a handle, a base class or a bin.
//! Left out: `super::` paths, which stay within one module; the order within a layer.

use std::collections::BTreeSet;

use super::source::{line_of, word_offsets};
use super::{File, Finding};

const SRC: &str = "gst-mini-core/src/";

/// The layers from the bottom up: what they are, and their modules.
///
/// `plugin/abi` is a part of `plugin` with a place of its own; what has none counts with its parent.
const LAYERS: &[(&str, &[&str])] = &[
    ("words", &["time", "error", "state", "suggest", "names", "prefetch", "plugin/abi"]),
    (
        "data",
        &[
            "value",
            "structure",
            "caps",
            "segment",
            "buffer",
            "memory",
            "pool",
            "object",
            "crossing",
        ],
    ),
    ("notes", &["event", "query", "message", "advice"]),
    (
        "the author's side",
        &["property", "cx", "element", "flow_combiner", "plugin", "plugin/export"],
    ),
    ("machines", &["runtime", "clock", "bus", "log", "tracer"]),
    ("pads and what is known of elements", &["pad", "registry/factory"]),
    (
        "the host",
        &[
            "host",
            "base",
            "handle",
            "bin",
            "pipeline",
            "registry",
            "launch",
            "plugin/loader",
            "plugin/scanner",
            "plugin/cache",
        ],
    ),
    ("doors", &["diagnosis", "prelude", "element_prelude", "harness"]),
];

/// What a module may use beyond its own parts when its layer alone would allow too much.
const ONLY: &[(&str, &[&str], &str)] = &[
    (
        "runtime",
        &["time", "error", "prefetch"],
        "everything waits through it, so it must not know what for",
    ),
    ("clock", &["time", "error", "runtime"], "time is told without knowing who asks"),
    ("launch/lexer", &[], "a syntax is read without knowing elements"),
    ("launch/parser", &["suggest", "caps"], "a syntax is read without knowing elements"),
];

/// Checks every `crate::` path of core outside of tests.
pub fn check(files: &[File]) -> Vec<Finding> {
    let core: Vec<&File> = files.iter().filter(|file| file.path.starts_with(SRC)).collect();
    let modules: BTreeSet<String> = core.iter().filter_map(|file| module_of(&file.path)).collect();
    let tops: BTreeSet<&str> = modules.iter().filter_map(|name| name.split('/').next()).collect();
    let mut findings = Vec::new();
    for file in &core {
        let (Some(module), Some(source)) = (module_of(&file.path), &file.source) else { continue };
        let Some(own) = layer(&module) else {
            let text =
                format!("module {module} is in no layer: place it in xtask's tidy/layers.rs");
            findings.push(Finding::new(&file.path, 1, text));
            continue;
        };
        for (offset, path) in crate_paths(&source.shipped) {
            // An item of the crate's root, or a macro, belongs to no layer.
            if path.first().is_none_or(|top| !tops.contains(top.as_str())) {
                continue;
            }
            if let Some(reason) = refusal(&module, own, &path) {
                findings.push(Finding::new(&file.path, line_of(&source.shipped, offset), reason));
            }
        }
    }
    findings
}

fn refusal(module: &str, own: usize, path: &[String]) -> Option<String> {
    let shown = format!("crate::{}", path.join("::"));
    let used = path.join("/");
    let top = |name: &str| name.split('/').next().map(str::to_owned);
    if let Some((_, allowed, why)) = ONLY.iter().find(|(name, ..)| is_within(module, name)) {
        let is_own = top(module) == top(&used);
        let is_allowed = allowed.iter().any(|name| is_within(&used, name));
        return (!is_own && !is_allowed)
            .then(|| format!("{shown}: {module} uses only {}: {why}", allowed.join(", ")));
    }
    let other = layer(&used)?;
    (other > own).then(|| {
        let (own, other) = (LAYERS[own].0, LAYERS[other].0);
        format!("{shown} ({other}) stands above {module} ({own}): nothing uses a higher layer")
    })
}

/// The layer of a module or of a path into it; the longest entry decides.
fn layer(path: &str) -> Option<usize> {
    let entries = LAYERS.iter().enumerate().flat_map(|(index, (_, modules))| {
        modules.iter().filter(|name| is_within(path, name)).map(move |name| (name.len(), index))
    });
    entries.max().map(|(_, index)| index)
}

fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `gst-mini-core/src/pad/flow.rs` is `pad/flow`, `pad/mod.rs` is `pad`; the root is no module.
fn module_of(path: &str) -> Option<String> {
    let name = path.strip_prefix(SRC)?.strip_suffix(".rs")?;
    let name = name.strip_suffix("/mod").unwrap_or(name);
    (name != "lib").then(|| name.to_owned())
}

/// Every path that starts at the crate's root, with groups taken apart.
fn crate_paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut paths = Vec::new();
    for offset in word_offsets(code, "crate") {
        // In a macro, `$crate` is what its users see.
        if code[..offset].ends_with('$') {
            continue;
        }
        if let Some(rest) = code[offset + "crate".len()..].trim_start().strip_prefix("::") {
            expand(rest, Vec::new(), offset, &mut paths);
        }
    }
    paths
}

/// Reads one path or group and gives what follows it.
fn expand<'a>(
    code: &'a str,
    mut path: Vec<String>,
    offset: usize,
    paths: &mut Vec<(usize, Vec<String>)>,
) -> &'a str {
    let mut rest = code.trim_start();
    loop {
        if let Some(mut inside) = rest.strip_prefix('{') {
            loop {
                inside = inside.trim_start().trim_start_matches(',').trim_start();
                let before = inside.len();
                if inside.is_empty() {
                    return inside;
                }
                if let Some(after) = inside.strip_prefix('}') {
                    return after;
                }
                inside = expand(inside, path.clone(), offset, paths);
                // `as name`, or anything else that is no path: on to the next entry.
                let end = inside.find([',', '}']).unwrap_or(inside.len());
                inside = &inside[end..];
                if inside.len() == before {
                    return "";
                }
            }
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        path.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
        match rest.strip_prefix("::") {
            Some(after) => rest = after.trim_start(),
            None => break,
        }
    }
    paths.push((offset, path));
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(path: &str, code: &str) -> Vec<File> {
        let all = LAYERS.iter().flat_map(|(_, modules)| modules.iter());
        let mut files: Vec<File> =
            all.map(|name| File::new(&format!("{SRC}{name}.rs"), "//! A.\n")).collect();
        files.retain(|file| file.path != path);
        files.push(File::new(path, &format!("//! A.\n{code}\n")));
        files
    }

    #[track_caller]
    fn refused(path: &str, code: &str, part: &str) {
        let found = check(&tree(path, code));
        assert!(found.iter().any(|f| f.path == path && f.text.contains(part)), "{found:?}");
    }

    #[track_caller]
    fn allowed(path: &str, code: &str) {
        assert_eq!(check(&tree(path, code)), []);
    }

    #[test]
    fn note_that_uses_the_runtime_is_refused() {
        refused("gst-mini-core/src/event.rs", "use crate::runtime::Monitor;", "(machines)");
        refused(
            "gst-mini-core/src/buffer.rs",
            "use crate::pad::Pad;",
            "stands above buffer (data)",
        );
        allowed("gst-mini-core/src/event.rs", "use crate::caps::Caps;");
    }

    #[test]
    fn pad_that_sees_a_handle_is_refused_wherever_it_stands() {
        let path = "gst-mini-core/src/pad/flow.rs";
        refused(path, "use crate::{buffer::Buffer, handle::{self, ElementRef}};", "crate::handle");
        refused(path, "fn f() { crate::bin::g() }", "crate::bin::g");
        refused(path, "pub(crate) use crate::base::*;", "crate::base");
        allowed(path, "use crate::{buffer::Buffer, event::{Event, EventKind as Kind}, tracer};");
    }

    #[test]
    fn module_with_a_place_of_its_own_is_judged_by_it() {
        allowed("gst-mini-core/src/buffer.rs", "use crate::plugin::abi::GmBuffer;");
        refused("gst-mini-core/src/buffer.rs", "use crate::plugin::export::Factory;", "author");
        refused("gst-mini-core/src/pad.rs", "use crate::registry::make;", "(the host)");
        allowed("gst-mini-core/src/pad.rs", "use crate::registry::factory::FactoryInfo;");
    }

    #[test]
    fn runtime_uses_words_only_and_its_own_parts() {
        let path = "gst-mini-core/src/runtime/sim.rs";
        allowed(path, "use crate::time::ClockTime;\nuse crate::runtime::Monitor;");
        refused(path, "use crate::buffer::Buffer;", "runtime/sim uses only time, error");
    }

    #[test]
    fn tests_macros_and_items_of_the_root_belong_to_no_layer() {
        let path = "gst-mini-core/src/event.rs";
        allowed(path, "#[cfg(test)]\nmod tests { use crate::pipeline::Pipeline; }");
        allowed(path, "macro_rules! m { () => { $crate::pipeline::f() } }");
        allowed(path, "use crate::PropertyError;\npub(crate) fn f() {}");
    }

    #[test]
    fn module_in_no_layer_must_be_placed() {
        refused("gst-mini-core/src/novelty.rs", "", "is in no layer");
    }
}
