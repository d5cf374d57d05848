//! `cargo xtask tidy`: the house rules that no compiler checks.
//!
//! Invariant: a rule is here or it is not a rule; each says what it forbids and what to do instead.
//! Left out: everything clippy and rustfmt already see.

mod layers;
mod links;
mod rules;
mod source;

use std::path::{Path, PathBuf};

use crate::process::{Failure, read_text};
use crate::workspace::{self, Workspace};
use source::Source;

/// One thing to mend.
#[derive(Debug, PartialEq)]
pub struct Finding {
    /// From the workspace's root, with slashes.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    pub text: String,
    /// A warning is printed and does not fail.
    pub is_warning: bool,
}

impl Finding {
    /// A finding that fails the check.
    pub fn new(path: &str, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, text: text.into(), is_warning: false }
    }
}

/// A file of the tree, as the rules see it.
pub struct File {
    /// From the workspace's root, with slashes.
    pub path: String,
    pub text: String,
    /// The parts of a Rust file.
    pub source: Option<Source>,
}

impl File {
    /// A file of that path and text; Rust by its ending.
    pub fn new(path: &str, text: &str) -> File {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_test = name.ends_with("tests.rs") || path.contains("/tests/");
        let source = path.ends_with(".rs").then(|| Source::new(text, is_test));
        File { path: path.to_owned(), text: text.to_owned(), source }
    }
}

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::Usage("tidy takes no arguments".to_owned()));
    }
    let root = Workspace::open()?.root;
    let files = read_tree(&root)?;
    let mut findings = check(&files);
    findings.extend(links::check(&files, |path| root.join(path).exists()));
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        let kind = if finding.is_warning { "warning: " } else { "" };
        println!("{}:{}: {kind}{}", finding.path, finding.line, finding.text);
    }
    match findings.iter().filter(|finding| !finding.is_warning).count() {
        0 => {
            println!("tidy: {} files, nothing to mend", files.len());
            Ok(())
        }
        count => Err(Failure::new(format!("tidy: {count} to mend in {} files", files.len()))),
    }
}

/// All rules about what stands in files.
fn check(files: &[File]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(rules::check).collect();
    findings.extend(layers::check(files));
    findings.extend(rules::element_names_in_core(files));
    findings.extend(rules::shown_programs(files));
    findings
}

/// Every file that a person writes.
fn read_tree(root: &Path) -> Result<Vec<File>, Failure> {
    let mut paths = Vec::new();
    collect(root, &mut paths)?;
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
            Ok(File::new(&relative.replace('\\', "/"), &read_text(path)?))
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for path in workspace::list(folder)? {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if path.is_dir() {
            let is_ours = !name.starts_with('.') || name == ".ci";
            if is_ours && name != "target" && name != "node_modules" {
                collect(&path, paths)?;
            }
        } else if [".rs", ".md", ".toml", ".mjs"].iter().any(|end| name.ends_with(end))
            || path.ends_with(".ci/run")
        {
            paths.push(path);
        }
    }
    Ok(())
}
