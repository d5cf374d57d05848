//! `cargo xtask demo`: one of the examples, optimised, with the plugins it loads.
//!
//! Invariant: standard output, the exit code and Ctrl-C are the demo's own; on Unix this process
//! becomes it, so there is nobody in between. What the build says goes to standard error.
//! Left out: the demo's flags, which it reads itself.

use std::path::PathBuf;
use std::process::Command;

use crate::plugins;
use crate::process::Failure;
use crate::suggest::nearest;
use crate::workspace::{Demo, Profile, Workspace};

/// The demo that runs when none is named: the main job.
const DEFAULT: &str = "full-pipeline";

/// Demos that load no plugin, and therefore run on a machine without a C++ compiler.
const WITHOUT_PLUGINS: &[&str] = &["simple-sync", "hop"];

/// Where demos record, if not in `demo` below Cargo's target directory.
const FOLDER: &str = "GST_MINI_DEMO_DIR";

const USAGE: &str = "usage: cargo xtask demo [NAME] [flags]\n
  no NAME: full-pipeline, the main job\n  --list     the demos, with a line about each
  flags are the demo's own; cargo xtask demo NAME --help shows them";

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let first = arguments.first().map_or("", String::as_str);
    if matches!(first, "-h" | "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let workspace = Workspace::open()?;
    if first == "--list" {
        for demo in workspace.demos()? {
            println!("{:<20} {}", demo.name, demo.summary());
        }
        return Ok(());
    }
    let (name, flags) = split(arguments);
    let demo = find(workspace.demos()?, name)?;
    let is_help = flags.iter().any(|flag| matches!(flag.as_str(), "-h" | "--help"));
    let mut program = if is_help { build(&workspace, &demo)? } else { prepare(&workspace, &demo)? };
    become_program(program.args(flags))
}

/// Builds what a demo needs and gives the command that runs it.
pub fn prepare(workspace: &Workspace, demo: &Demo) -> Result<Command, Failure> {
    if !WITHOUT_PLUGINS.contains(&demo.name.as_str()) {
        // Every other demo records H.264; that it cannot is better said before minutes of building.
        plugins::cxx_or_sentence()?;
        plugins::build(workspace, Profile::Release)?;
    }
    build(workspace, demo)
}

/// Builds the demo alone, which is enough to ask for its flags.
fn build(workspace: &Workspace, demo: &Demo) -> Result<Command, Failure> {
    let profile = Profile::Release;
    let mut build = workspace.cargo();
    build.args(["build", "--package", "gst-mini-examples", "--example", &demo.target]);
    build.args(profile.flags());
    plugins::step(&format!("demo {}", demo.name), build)?;

    let programs = workspace.programs(profile);
    let program = format!("{}{}", demo.target, std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(programs.join("examples").join(program));
    // In the caller's directory: relative paths in flags mean what they say.
    command.envs(environment(workspace, profile));
    command.env(FOLDER, folder(workspace));
    Ok(command)
}

/// Where demos record, each in a folder of its name.
pub fn folder(workspace: &Workspace) -> PathBuf {
    std::env::var_os(FOLDER).map_or_else(|| workspace.target.join("demo"), PathBuf::from)
}

/// Where a program finds the plugins of a profile and their examiner.
pub fn environment(workspace: &Workspace, profile: Profile) -> [(&'static str, PathBuf); 2] {
    let scanner = format!("gst-mini-scanner{}", std::env::consts::EXE_SUFFIX);
    [
        ("GST_MINI_PLUGIN_PATH", workspace.plugins(profile)),
        ("GST_MINI_PLUGIN_SCANNER", workspace.programs(profile).join(scanner)),
    ]
}

/// The demo of a name, or a sentence with the names near it.
pub fn find(demos: Vec<Demo>, name: &str) -> Result<Demo, Failure> {
    let names: Vec<String> = demos.iter().map(|demo| demo.name.clone()).collect();
    demos.into_iter().find(|demo| demo.name == name || demo.target == name).ok_or_else(|| {
        let near = nearest(name, names.iter().map(String::as_str));
        let hint = match (near.is_empty(), names.is_empty()) {
            (false, _) => format!("did you mean {}?", near.join(" or ")),
            (true, false) => format!("there are: {}", names.join(", ")),
            (true, true) => "there are none in gst-mini-examples/examples".to_owned(),
        };
        Failure::Usage(format!("there is no demo \"{name}\"; {hint}"))
    })
}

/// Splits NAME from the demo's flags; a flag in its place means the default demo.
fn split(arguments: &[String]) -> (&str, &[String]) {
    match arguments.split_first() {
        Some((name, flags)) if !name.starts_with('-') => (name, flags),
        _ => (DEFAULT, arguments),
    }
}

#[cfg(unix)]
pub fn become_program(command: &mut Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(Failure::new(format!("{} cannot be run: {error}", command.get_program().display())))
}

#[cfg(not(unix))]
pub fn become_program(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().to_owned();
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => Err(Failure::new(format!("{} cannot be run: {error}", program.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demos() -> Vec<Demo> {
        ["01_simple_sync", "02_quick_test", "03_full_pipeline"]
            .map(|target| Demo {
                name: crate::workspace::demo_name(target),
                target: target.to_owned(),
                source: PathBuf::new(),
            })
            .into()
    }

    #[test]
    fn demo_is_found_by_its_name_and_by_its_file() {
        assert_eq!(
            find(demos(), "full-pipeline").map(|demo| demo.target).unwrap(),
            "03_full_pipeline"
        );
        assert_eq!(find(demos(), "02_quick_test").map(|demo| demo.name).unwrap(), "quick-test");
    }

    #[test]
    fn demo_misspelled_is_wrong_usage_with_the_nearest_name() {
        let failure = find(demos(), "ful-pipeline").unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().ends_with("did you mean full-pipeline?"), "{failure}");
        let failure = find(demos(), "zebra").unwrap_err();
        assert!(failure.to_string().contains("there are: simple-sync, "), "{failure}");
    }

    #[test]
    fn flag_without_a_name_belongs_to_the_default_demo() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(split(&[]), ("full-pipeline", &[] as &[String]));
        let line = words("--fps 25");
        assert_eq!(split(&line), ("full-pipeline", &line[..]));
        let line = words("quick-test --fps 25");
        assert_eq!(split(&line), ("quick-test", &line[1..]));
    }

    #[test]
    fn demos_without_plugins_are_those_the_plugin_sentence_promises() {
        for name in WITHOUT_PLUGINS {
            assert!(plugins::NO_CXX.contains(name), "{name}");
        }
    }
}
