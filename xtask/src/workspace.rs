//! Where things are: the workspace's root, its target directory, its plugins and demos.
//!
//! Invariant: whatever is listed is found in the tree, so a new plugin or demo needs no entry here.
//! Left out: reading Cargo's metadata in full; two facts of it are enough.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure};

const PLUGIN_PREFIX: &str = "gst-mini-plugin-";

/// How a crate is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    Dev,
    Release,
}

impl Profile {
    /// The name of its folder below `target`.
    pub fn folder(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }

    /// What Cargo is told.
    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Profile::Dev => &[],
            Profile::Release => &["--release"],
        }
    }
}

/// The workspace this program was compiled in.
#[derive(Clone)]
pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's target directory, which the user may have put elsewhere.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the root from the place of xtask's sources, and asks Cargo for the rest.
    pub fn open() -> Result<Workspace, Failure> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().unwrap_or(Path::new(".")).to_owned();
        let mut workspace = Workspace { root, target: PathBuf::new() };
        let mut ask = workspace.cargo();
        ask.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata = process::read(ask, Duration::from_secs(120))?;
        let target = json_string(&metadata, "target_directory");
        workspace.target = target
            .map(PathBuf::from)
            .ok_or_else(|| Failure::new("cargo metadata names no target_directory"))?;
        Ok(workspace)
    }

    /// A cargo call at the workspace's root, without what the call that runs us has set.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.current_dir(&self.root);
        // Build scripts that watch these would run again for each of our calls.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Where the programs of a profile are.
    pub fn programs(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.folder())
    }

    /// Where the plugins of a profile are loaded from.
    pub fn plugins(&self, profile: Profile) -> PathBuf {
        self.programs(profile).join("plugins")
    }

    /// The names of all plugin crates of the workspace, by alphabet.
    pub fn plugin_names(&self) -> Result<Vec<String>, Failure> {
        let mut names: Vec<String> = list(&self.root)?
            .iter()
            .filter(|path| path.join("Cargo.toml").is_file())
            .filter_map(|path| plugin_name(path.file_name()?.to_str()?))
            .collect();
        names.sort();
        Ok(names)
    }

    /// All demos, by file name; a number in front orders them.
    pub fn demos(&self) -> Result<Vec<Demo>, Failure> {
        let folder = self.root.join("gst-mini-examples/examples");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut demos: Vec<Demo> = list(&folder)?.into_iter().filter_map(Demo::at).collect();
        demos.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(demos)
    }
}

/// One example of gst-mini-examples.
#[derive(Debug, PartialEq)]
pub struct Demo {
    /// What the user types: `full-pipeline`.
    pub name: String,
    /// What Cargo calls it: `03_full_pipeline`.
    pub target: String,
    /// The file its explanation opens.
    pub source: PathBuf,
}

impl Demo {
    /// The example at a path: a file, or a folder with `main.rs`.
    fn at(path: PathBuf) -> Option<Demo> {
        let is_file = path.extension().is_some_and(|extension| extension == "rs");
        let source = if is_file { path.clone() } else { path.join("main.rs") };
        if !source.is_file() {
            return None;
        }
        let target = path.file_stem()?.to_str()?.to_owned();
        Some(Demo { name: demo_name(&target), target, source })
    }

    /// The first line of its explanation.
    pub fn summary(&self) -> String {
        let text = std::fs::read_to_string(&self.source).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        first.trim_start_matches("//!").trim().to_owned()
    }
}

/// `gst-mini-plugin-my-codec` is `my_codec`; anything else is no plugin.
fn plugin_name(folder: &str) -> Option<String> {
    let name = folder.strip_prefix(PLUGIN_PREFIX)?;
    (!name.is_empty()).then(|| name.replace('-', "_"))
}

/// The package of a plugin: the reverse of [`plugin_name`].
pub fn plugin_package(name: &str) -> String {
    format!("{PLUGIN_PREFIX}{}", name.replace('_', "-"))
}

/// `03_full_pipeline` is `full-pipeline`: the number orders files and is not typed.
pub fn demo_name(target: &str) -> String {
    let unnumbered = target.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let unnumbered = unnumbered.trim_start_matches(['_', '-']);
    let name = if unnumbered.is_empty() { target } else { unnumbered };
    name.replace('_', "-")
}

/// What is in a folder, in any order.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| Failure::new(format!("{} cannot be listed: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(cannot)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(cannot)).collect()
}

/// The string value of the first field called `name`; enough for a path in Cargo's metadata.
fn json_string(json: &str, name: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    let mut value = String::new();
    let mut letters = rest.chars();
    loop {
        match letters.next()? {
            '"' => return Some(value),
            '\\' => value.push(letters.next()?),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_name_drops_the_number_and_uses_dashes() {
        assert_eq!(demo_name("03_full_pipeline"), "full-pipeline");
        assert_eq!(demo_name("full_pipeline"), "full-pipeline");
        assert_eq!(demo_name("12-s3_hls"), "s3-hls");
        assert_eq!(demo_name("42"), "42");
    }

    #[test]
    fn plugin_name_turns_dashes_into_underscores_and_back() {
        assert_eq!(plugin_name("gst-mini-plugin-openh264").as_deref(), Some("openh264"));
        assert_eq!(plugin_name("gst-mini-plugin-my-codec").as_deref(), Some("my_codec"));
        assert_eq!(plugin_name("gst-mini-plugin-"), None);
        assert_eq!(plugin_name("gst-mini-core"), None);
        assert_eq!(plugin_package("my_codec"), "gst-mini-plugin-my-codec");
    }

    #[test]
    fn json_string_is_unescaped_and_absent_is_none() {
        let json = r#"{"packages":[],"target_directory":"/a \"b\"\\c","version":1}"#;
        assert_eq!(json_string(json, "target_directory").as_deref(), Some(r#"/a "b"\c"#));
        assert_eq!(json_string(json, "no_such_field"), None);
    }

    #[test]
    fn plugins_of_this_workspace_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent").to_owned();
        let workspace = Workspace { root, target: PathBuf::new() };
        let names = workspace.plugin_names().expect("the root can be listed");
        assert!(names.contains(&"s3".to_owned()) && names.contains(&"openh264".to_owned()));
    }
}
