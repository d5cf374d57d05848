//! `cargo xtask new-plugin NAME [--path DIR]`: a plugin crate that builds, loads and has a test.
//!
//! Without `--path` it becomes a member of this workspace; with it, a crate of its own in `DIR/gst-mini-plugin-NAME`
//! that depends on this checkout by path.
//!
//! Invariant: nothing that exists is written over, and what is made is whole or not there.
//! Left out: questions; the templates are `xtask/templates/plugin`.

mod inside;

pub use inside::step;

use std::path::{Path, PathBuf};

use crate::process::{Failure, read_text};
use crate::workspace::{Workspace, plugin_package};

const USAGE: &str = "usage: cargo xtask new-plugin NAME [--path DIR]\n
  NAME        lower-case letters, digits and dashes, a letter first: ts-shift
  --path DIR  outside this workspace: makes DIR/gst-mini-plugin-NAME";

/// What a name becomes in the places where it stands.
struct Names {
    /// `ts-shift`: in the package's name.
    dashed: String,
    /// `ts_shift`: the plugin's name, part of a symbol and of the file's name.
    plugin: String,
    /// `tsshift`: the element's.
    element: String,
    /// `TsShift`.
    ty: String,
}

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut name = None;
    let mut outside = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-h" | "--help" => {
                println!("{USAGE}");
                return Ok(());
            }
            "--path" => {
                let folder = words.next().ok_or_else(|| Failure::Usage(USAGE.to_owned()))?;
                outside = Some(PathBuf::from(folder));
            }
            word if !word.starts_with('-') && name.is_none() => name = Some(word),
            _ => return Err(Failure::Usage(USAGE.to_owned())),
        }
    }
    let name = name.ok_or_else(|| Failure::Usage(USAGE.to_owned()))?;
    println!("{}", make(&Workspace::open()?, name, outside)?);
    Ok(())
}

/// Makes the crate; what to do next.
fn make(workspace: &Workspace, name: &str, outside: Option<PathBuf>) -> Result<String, Failure> {
    let names = Names::of(name)?;
    let package = plugin_package(&names.dashed);
    let folder = outside.as_ref().unwrap_or(&workspace.root).join(&package);
    if folder.exists() {
        let text = format!("{} exists; take another name or remove it", folder.display());
        return Err(Failure::new(text));
    }
    let commands = commands(&names, workspace, outside.is_some());
    let fill =
        |template: &str| names.fill(template, &workspace.root).replace("{{commands}}", &commands);
    let manifest = match outside {
        Some(_) => include_str!("../templates/plugin/Cargo.outside.toml"),
        None => include_str!("../templates/plugin/Cargo.inside.toml"),
    };
    // The crate's name is the library's, which differs outside so that its file loads as it is.
    let crate_name = match outside {
        Some(_) => format!("gstmini{}", names.plugin),
        None => package.replace('-', "_"),
    };
    let test = include_str!("../templates/plugin/test.rs.txt").replace("{{crate}}", &crate_name);
    let mut files = vec![
        ("Cargo.toml".to_owned(), fill(manifest)),
        ("README.md".to_owned(), fill(include_str!("../templates/plugin/README.md"))),
        ("src/lib.rs".to_owned(), fill(include_str!("../templates/plugin/lib.rs.txt"))),
        (format!("tests/{}.rs", names.plugin), fill(&test)),
    ];
    if outside.is_some() {
        // The templates are laid out as this project lays out code.
        files.push(("rustfmt.toml".to_owned(), read_text(&workspace.root.join("rustfmt.toml"))?));
    }
    let written = files.iter().try_for_each(|(name, text)| write(&folder.join(name), text));
    let written = match outside {
        None => written.and_then(|()| join_workspace(&workspace.root.join("Cargo.toml"), &package)),
        Some(_) => written,
    };
    if written.is_err() {
        // Half a crate would be in the way of the next try.
        let _ = std::fs::remove_dir_all(&folder);
    }
    written?;
    Ok(format!("{} is there. Next:\n\n{commands}", folder.display()))
}

impl Names {
    fn of(name: &str) -> Result<Names, Failure> {
        let parts: Vec<&str> = name.split('-').collect();
        let is_word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !begins || !parts.iter().all(is_word) {
            return Err(Failure::Usage(format!("\"{name}\" cannot be a plugin's name\n{USAGE}")));
        }
        let capital = |part: &&str| part[..1].to_uppercase() + &part[1..];
        Ok(Names {
            dashed: name.to_owned(),
            plugin: parts.join("_"),
            element: parts.concat(),
            ty: parts.iter().map(capital).collect(),
        })
    }

    fn fill(&self, template: &str, root: &Path) -> String {
        template
            .replace("{{dashed}}", &self.dashed)
            .replace("{{plugin}}", &self.plugin)
            .replace("{{element}}", &self.element)
            .replace("{{Type}}", &self.ty)
            .replace("{{root}}", &root.display().to_string())
    }
}

/// What to type, from the new crate's point of view.
fn commands(names: &Names, workspace: &Workspace, is_outside: bool) -> String {
    let Names { dashed, element, .. } = names;
    let line =
        format!("'videotestsrc num-buffers=3 ! {element} offset=50000000 ! fakesink silent=false'");
    if !is_outside {
        return format!(
            "cargo test --package gst-mini-plugin-{dashed}
cargo xtask plugins
GST_MINI_PLUGIN_PATH=target/debug/plugins target/debug/gst-mini inspect {element}
GST_MINI_PLUGIN_PATH=target/debug/plugins target/debug/gst-mini launch -v {line}"
        );
    }
    let root = workspace.root.display();
    format!(
        "cargo test
cargo build --release
cargo build --release --manifest-path {root}/Cargo.toml --package gst-mini-tools
GST_MINI_PLUGIN_PATH=target/release {root}/target/release/gst-mini inspect {element}
GST_MINI_PLUGIN_PATH=target/release {root}/target/release/gst-mini launch -v {line}"
    )
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}

/// Adds the package to the members of the workspace.
fn join_workspace(manifest: &Path, package: &str) -> Result<(), Failure> {
    let text = read_text(manifest)?;
    let changed = text.replacen("members = [\n", &format!("members = [\n    \"{package}\",\n"), 1);
    if changed == text {
        let text = "Cargo.toml has no list of members to put it into";
        return Err(Failure::new(text));
    }
    write(manifest, &changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_becomes_all_the_names_that_are_needed() {
        let names = Names::of("ts-shift2").expect("a good name");
        let all = (&*names.dashed, &*names.plugin, &*names.element, &*names.ty);
        assert_eq!(all, ("ts-shift2", "ts_shift2", "tsshift2", "TsShift2"));
    }

    #[test]
    fn name_that_cannot_be_one_is_wrong_usage() {
        for name in ["", "Ts", "ts_shift", "-ts", "ts-", "2ts", "ts--x", "té", "../x"] {
            let failure = Names::of(name).err().expect(name);
            assert_eq!(failure.exit_code(), 2, "{name}");
        }
    }

    #[test]
    fn templates_have_no_hole_left() {
        let names = Names::of("ts-shift").expect("a good name");
        for template in [
            include_str!("../templates/plugin/Cargo.inside.toml"),
            include_str!("../templates/plugin/Cargo.outside.toml"),
            include_str!("../templates/plugin/lib.rs.txt"),
        ] {
            assert!(!names.fill(template, Path::new("/r")).contains("{{"), "{template}");
        }
    }
}
