//! What pages point at must be there: files behind links, and demos that a reader is told to run.
//!
//! Invariant: a path is looked for from the page's own folder, as a reader's browser does.
//! Left out: addresses on the network; places within a page.

use std::path::{Component, Path, PathBuf};

use super::source::line_of;
use super::{File, Finding};
use crate::workspace::demo_name;

/// Pages whose links are right only where they are copied to.
const TEMPLATES: &str = "xtask/templates/";
const DEMO: &str = "cargo xtask demo ";
const EXAMPLES: &str = "gst-mini-examples/examples/";

/// All pages; `exists` is asked for paths from the workspace's root.
pub fn check(files: &[File], exists: impl Fn(&Path) -> bool) -> Vec<Finding> {
    let demos: Vec<String> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix(EXAMPLES)?.strip_suffix(".rs").map(demo_name))
        .collect();
    let mut findings = Vec::new();
    let is_page = |file: &&File| file.path.ends_with(".md") && !file.path.starts_with(TEMPLATES);
    for file in files.iter().filter(is_page) {
        let mut note = |offset, text| {
            findings.push(Finding::new(&file.path, line_of(&file.text, offset), text));
        };
        for (offset, target) in links(&file.text) {
            if !exists(&from_root(&file.path, target)) {
                note(offset, format!("{target}: a link to what is not there"));
            }
        }
        for (offset, name) in demos_named(&file.text) {
            if !demos.iter().any(|demo| demo == name) {
                note(offset, format!("there is no demo \"{name}\""));
            }
        }
    }
    findings
}

/// Where each link to a file stands, and its path.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("](").filter_map(|(offset, open)| {
        let rest = &text[offset + open.len()..];
        let target = rest[..rest.find(')')?].split('#').next()?;
        let is_file = !target.is_empty() && !target.contains([':', ' ', '\n']);
        is_file.then_some((offset, target))
    })
}

/// Where a demo is run, and which; flags and placeholders in capitals are none.
fn demos_named(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(DEMO).filter_map(|(offset, command)| {
        let rest = &text[offset + command.len()..];
        let is_letter = |c: char| c.is_ascii_lowercase() || c == '-';
        let name = &rest[..rest.find(|c| !is_letter(c)).unwrap_or(rest.len())];
        // What follows the command in a table or a sentence is no name either.
        (name.starts_with(|c: char| c.is_ascii_lowercase())).then_some((offset, name))
    })
}

/// A link's target from the workspace's root.
fn from_root(page: &str, target: &str) -> PathBuf {
    let mut path = Path::new(page).parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(page: &str, text: &str, expected: &[(usize, &str)]) {
        let files = [
            File::new(page, text),
            File::new("gst-mini-examples/examples/full_pipeline.rs", "//! The job.\n"),
        ];
        let there = ["docs/tour.md", "README.md", "docs"];
        let found = check(&files, |path| there.iter().any(|known| path == Path::new(known)));
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, (line, part)) in found.iter().zip(expected) {
            assert!(finding.line == *line && finding.text.contains(part), "{found:?}");
        }
    }

    #[test]
    fn link_to_what_is_not_there_is_found() {
        finds("README.md", "see [it](docs/tour.md) and\n[that](docs/gone.md)", &[(2, "gone.md")]);
        finds("docs/a.md", "[up](../README.md#top) [side](tour.md) [folder](../docs)", &[]);
        finds("docs/a.md", "[side](README.md)", &[(1, "README.md")]);
        finds("docs/a.md", "[net](https://a.b/c.md) [here](#place) a[0](x y)", &[]);
        finds("xtask/templates/plugin/README.md", "[code](src/lib.rs)", &[]);
    }

    #[test]
    fn demo_that_is_not_there_is_found() {
        finds("README.md", "`cargo xtask demo full-pipeline --sim`\ncargo xtask demo\n", &[]);
        finds("README.md", "`cargo xtask demo NAME`, `cargo xtask demo --list`", &[]);
        finds("README.md", "a\n`cargo xtask demo full-pipe`", &[(2, "full-pipe")]);
    }
}
