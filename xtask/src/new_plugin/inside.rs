//! The step that makes a plugin inside a copy of this workspace, tests it, loads it and plays a line with it.
//!
//! Invariant: the workspace itself is not touched.
//! Left out: a plugin outside; the page docs/writing-an-element.md makes one, and is followed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::plugins;
use crate::process::{self, Failure};
use crate::test::{LIMIT, Step, Verdict};
use crate::workspace::{Profile, Workspace, list, plugin_package};

const NAME: &str = "trial-run";
const ELEMENT: &str = "trialrun";

/// The step of `cargo xtask test`.
pub fn step() -> Step {
    let repeat = "cargo xtask plugins && cargo xtask test --only new-plugin".to_owned();
    Step { name: "new-plugin", repeat, run: Box::new(run) }
}

fn run(workspace: &Workspace) -> Result<Verdict, Failure> {
    let folder = workspace.target.join("new-plugin");
    let copy = Workspace { root: folder.join("workspace"), target: folder.join("target") };
    // What an earlier run left would be in the way; what it compiled would not.
    let _ = std::fs::remove_dir_all(&copy.root);
    duplicate(&workspace.root, &copy.root, &workspace.target)?;
    super::make(&copy, NAME, None)?;
    let mut tests = copy.cargo();
    tests.args(["test", "--package", &plugin_package(NAME), "--target-dir"]).arg(&copy.target);
    let tested = process::collect(tests, LIMIT, || ())?;
    if !tested.success() {
        let output = process::tail(&tested.output(), 60);
        return Err(Failure::new(format!("{output}\nthe new plugin's tests: {}", tested.ending())));
    }
    plugins::build_plugin(&copy, Profile::Dev, &NAME.replace('-', "_"))?;
    let mut launch = Command::new(workspace.programs(Profile::Dev).join("gst-mini"));
    let line =
        format!("videotestsrc num-buffers=3 ! {ELEMENT} offset=50000000 ! fakesink silent=false");
    launch.args(["launch", "-v"]).args(line.split(' '));
    launch.env("GST_MINI_PLUGIN_PATH", copy.plugins(Profile::Dev));
    let said = process::read(launch, Duration::from_secs(60))?;
    let wanted = "pts: 0:00:00.050000000";
    match said.contains(wanted) {
        true => Ok(Verdict::Passed("made, tested, loaded and played".to_owned())),
        false => Err(Failure::new(format!("{said}\n{line}: no \"{wanted}\""))),
    }
}

/// Copies a folder without what is built or versioned, and what links lead to.
fn duplicate(from: &Path, to: &Path, target: &Path) -> Result<(), Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("{} cannot be copied: {error}", path.display()))
    };
    std::fs::create_dir_all(to).map_err(|error| failed(to, error))?;
    for path in list(from)? {
        let name = path.file_name().unwrap_or_default();
        if path == target || name == "target" || name == ".git" {
            continue;
        }
        let place = to.join(name);
        if path.is_dir() {
            duplicate(&path, &place, target)?;
        } else {
            std::fs::copy(&path, &place).map_err(|error| failed(&path, error))?;
        }
    }
    Ok(())
}
