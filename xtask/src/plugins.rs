//! `cargo xtask plugins`: every plugin crate, built as its users will get it, put where it is loaded.
//!
//! Invariant: each plugin is built in a Cargo call and target directory of its own, because a call
//! that builds several crates gives them all the union of their features; and it appears in the
//! plugin folder whole or not at all, because a mapped file that changes crashes its users.
//! Left out: targets other than the machine's own.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure, find_program, seconds};
use crate::workspace::{Profile, Workspace, plugin_package};

/// Plugins whose crates compile C++.
const NEEDS_CXX: &[&str] = &["openh264"];

/// Plugins that only the tests load, and those are not optimised.
const FOR_TESTS: &[&str] = &["fixture"];

/// The longest a single build may take: the largest needs two minutes on two slow cores.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

pub const NO_CXX: &str = "no C++ compiler was found, so the plugin openh264 (openh264enc) \
cannot be built.\n  Install one: apt-get install g++ (Debian, Ubuntu), dnf install gcc-c++ (Fedora), \
or set CXX.\n  Without it: cargo xtask demo simple-sync or hop, and every launch line without that codec.";

const NO_NASM: &str = "nasm is not installed; it is optional, but the codec is three times slower \
without it (apt-get install nasm)";

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut profile = Profile::Dev;
    for argument in arguments {
        match argument.as_str() {
            "--release" => profile = Profile::Release,
            "-h" | "--help" => {
                println!("usage: cargo xtask plugins [--release]");
                return Ok(());
            }
            other => {
                let text = format!("plugins takes --release and nothing else, not \"{other}\"");
                return Err(Failure::Usage(text));
            }
        }
    }
    let workspace = Workspace::open()?;
    let built = build(&workspace, profile);
    println!("{}", workspace.plugins(profile).display());
    built
}

/// Builds all plugins that somebody uses in this profile, and the programs that examine and use them.
///
/// A plugin that fails does not keep the others from being built; its failure is the result.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let mut note = |outcome: Result<(), Failure>| {
        if let Err(failure) = outcome {
            failures.push(failure.to_string());
        }
    };
    note(build_programs(workspace, profile));
    let is_wanted = |name: &String| profile == Profile::Dev || !FOR_TESTS.contains(&name.as_str());
    for name in workspace.plugin_names()?.into_iter().filter(is_wanted) {
        note(build_plugin(workspace, profile, &name));
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::new(failures.join("\n\n"))) }
}

/// Builds the programs alone, for lines that need no plugin.
pub fn build_programs(workspace: &Workspace, profile: Profile) -> Result<(), Failure> {
    let mut tools = workspace.cargo();
    tools.args(["build", "--package", "gst-mini-tools", "--bins"]).args(profile.flags());
    step("gst-mini and gst-mini-scanner", tools)
}

/// Builds one plugin.
pub fn build_plugin(workspace: &Workspace, profile: Profile, name: &str) -> Result<(), Failure> {
    let mut command = workspace.cargo();
    let target = workspace.target.join("plugin-build").join(name);
    let package = plugin_package(name);
    command.args(["build", "--lib", "--package", &package]).args(profile.flags());
    command.arg("--target-dir").arg(&target);
    if NEEDS_CXX.contains(&name) {
        if let Some(compiler) = cxx_or_sentence()? {
            command.env("CXX", compiler);
        }
        if find_program(["nasm"]).is_none() {
            eprintln!("{NO_NASM}");
        }
    }
    step(&format!("plugin {name}"), command)?;
    install_built(&package, name, &target.join(profile.folder()), &workspace.plugins(profile))
}

/// Puts the library of a package, which cargo made in `made`, into a folder of plugins.
pub fn install_built(package: &str, name: &str, made: &Path, folder: &Path) -> Result<(), Failure> {
    install(&made.join(crate_file(package)), &folder.join(plugin_file(name)))
}

/// What to put into `CXX`, if anything; without a compiler the sentence that says what to install.
pub fn cxx_or_sentence() -> Result<Option<&'static str>, Failure> {
    let wanted = std::env::var("CXX").ok();
    cxx(wanted.as_deref(), find_program).ok_or_else(|| Failure::new(NO_CXX))
}

/// Finds the C++ compiler: `Some(None)` is the one that build scripts take by themselves.
///
/// They know `CXX` and `c++`; a machine may have only a compiler of another name.
fn cxx(
    wanted: Option<&str>,
    find: impl Fn([&'static str; 1]) -> Option<PathBuf>,
) -> Option<Option<&'static str>> {
    if wanted.is_some_and(|line| !line.trim().is_empty()) || find(["c++"]).is_some() {
        return Some(None);
    }
    ["g++", "clang++"].into_iter().find(|name| find([name]).is_some()).map(Some)
}

/// What Cargo calls the library of a package.
fn crate_file(package: &str) -> String {
    format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.replace('-', "_"))
}

/// What the loader looks for.
pub fn plugin_file(name: &str) -> String {
    format!("{DLL_PREFIX}gstmini{name}{DLL_SUFFIX}")
}

/// Puts a file in its place by a rename.
///
/// One that has not changed stays as it is: the registry examines a file once per change.
pub fn install(made: &Path, place: &Path) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("{} cannot be written: {error}", place.display()));
    if std::fs::read(made).is_ok_and(|new| std::fs::read(place).is_ok_and(|old| old == new)) {
        return Ok(());
    }
    let folder = place.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    // The loader takes files by their ending, so an unfinished one must not have it.
    let unfinished = place.with_extension(format!("tmp{}", std::process::id()));
    std::fs::copy(made, &unfinished)
        .map_err(|error| Failure::new(format!("{} cannot be copied: {error}", made.display())))?;
    std::fs::rename(&unfinished, place).map_err(cannot)
}

/// Runs one Cargo call and prints a line with its time, and one before if it takes long; its own output only if it fails.
pub fn step(label: &str, command: Command) -> Result<(), Failure> {
    let shown = process::shown(&command);
    // What takes long is told before it is done; on a terminal the result is written over it.
    let is_terminal = std::io::stderr().is_terminal();
    let finished = process::collect(command, BUILD_LIMIT, || {
        let end = if is_terminal { "" } else { "\n" };
        eprint!("  {label}: building; the first time takes a minute or two{end}");
    })?;
    if is_terminal {
        eprint!("\r\x1b[K");
    }
    if finished.success() {
        eprintln!("  {label}: {}", seconds(finished.took));
        return Ok(());
    }
    let output = process::tail(&finished.output(), 60);
    let ending = finished.ending();
    Err(Failure::new(format!("{output}\n{label} cannot be built: {shown}\n  {ending}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine_with(present: &'static str) -> impl Fn([&'static str; 1]) -> Option<PathBuf> {
        move |[name]| (name == present).then(|| PathBuf::from(name))
    }

    #[test]
    fn cxx_of_another_name_is_handed_to_the_build() {
        assert_eq!(cxx(None, machine_with("c++")), Some(None));
        assert_eq!(cxx(None, machine_with("g++")), Some(Some("g++")));
        assert_eq!(cxx(None, machine_with("clang++")), Some(Some("clang++")));
        assert_eq!(cxx(Some("my-c++ -O2"), machine_with("nothing")), Some(None));
    }

    #[test]
    fn cxx_missing_is_found_out_before_cargo_is_called() {
        assert_eq!(cxx(None, machine_with("gcc")), None);
        assert_eq!(cxx(Some(" "), machine_with("gcc")), None);
    }

    #[test]
    fn plugin_file_is_named_as_the_loader_expects() {
        assert_eq!(plugin_file("my_codec"), format!("{DLL_PREFIX}gstminimy_codec{DLL_SUFFIX}"));
        let library = crate_file("gst-mini-plugin-s3");
        assert_eq!(library, format!("{DLL_PREFIX}gst_mini_plugin_s3{DLL_SUFFIX}"));
    }

    #[cfg(unix)]
    #[test]
    fn install_replaces_a_changed_file_and_leaves_an_equal_one() {
        use std::os::unix::fs::MetadataExt;
        let folder = std::env::temp_dir().join(format!("xtask-install-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let (made, place) = (folder.join("made"), folder.join("plugins/libgstminix.so"));
        let inode = || std::fs::metadata(&place).expect("installed").ino();

        std::fs::write(&made, "one").expect("writable");
        install(&made, &place).expect("installed");
        let first = inode();
        install(&made, &place).expect("installed again");
        assert_eq!(inode(), first);

        // Held open, as by a program that has it mapped: the old file must not change.
        let held = std::fs::File::open(&place).expect("readable");
        std::fs::write(&made, "two").expect("writable");
        install(&made, &place).expect("installed anew");
        assert_ne!(inode(), first);
        assert_eq!(std::io::read_to_string(held).expect("readable"), "one");
        assert_eq!(std::fs::read_to_string(&place).expect("readable"), "two");
        let files = std::fs::read_dir(folder.join("plugins")).expect("a folder").count();
        assert_eq!(files, 1);
        std::fs::remove_dir_all(&folder).expect("removable");
    }
}
