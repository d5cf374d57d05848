//! Steps of `cargo xtask test` that prove the plugin boundary from outside: C, another compiler, other versions.
//!
//! ```text
//! abi      header and layout are fresh, and the header is C11 and C++17 without a warning
//! c        four plugins in C, in one pipeline with built-in elements
//! growth   the suite of linked and loaded elements, with a newer plugin and with a newer host
//! compiler the same suite, the plugin built by another rustc
//! linking  two plugins in one program, a program in C over a static library, and a program that names nothing
//! abort    a plugin built with panic=abort is told as one, and ends the program as it says
//! ```
//!
//! Invariant: what is missing is a failure that names it; only another compiler may be missing, and not in the CI.
//! Left out: other compilers of C; the layout assertions in the header are for any of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure, find_program, read_text};
use crate::test::{Step, Verdict, run_quietly};
use crate::workspace::{Profile, Workspace};
use crate::{abi, demo};

const LIMIT: Duration = Duration::from_secs(15 * 60);
const STRICT: &[&str] = &["-Wall", "-Wextra", "-pedantic", "-Werror"];
const FIXTURE: &str = "gst-mini-plugin-fixture";
/// Makes core add a field to the end of every growable struct.
const NEXT: &str = "--cfg gst_mini_abi_next";

pub fn steps() -> Vec<Step> {
    let step = |name, run: fn(&Workspace) -> Result<Verdict, Failure>| Step {
        name,
        repeat: format!("cargo xtask plugins && cargo xtask test --only {name}"),
        run: Box::new(run),
    };
    vec![
        step("abi", header),
        step("c", c),
        step("growth", growth),
        step("compiler", compiler),
        step("linking", linking),
        step("abort", abort),
    ]
}

fn program(names: &[&'static str], what: &str, package: &str) -> Result<PathBuf, Failure> {
    find_program(names.iter().copied()).ok_or_else(|| {
        Failure::new(format!(
            "no {what} was found ({}); install one: apt-get install {package} (Debian, Ubuntu)",
            names.join(", ")
        ))
    })
}

fn header(workspace: &Workspace) -> Result<Verdict, Failure> {
    abi::check(&workspace.root)?;
    let folder = workspace.target.join("boundary");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let compilers = [
        (program(&["cc", "gcc", "clang"], "C compiler", "gcc")?, "c", "-std=c11"),
        (program(&["c++", "g++", "clang++"], "C++ compiler", "g++")?, "c++", "-std=c++17"),
    ];
    for (compiler, language, standard) in compilers {
        let mut command = Command::new(compiler);
        command.args([standard, "-x", language, "-fsyntax-only"]).args(STRICT);
        command.arg("-include").arg(workspace.root.join(abi::HEADER)).arg("/dev/null");
        process::read(command, LIMIT)?;
    }
    Ok(Verdict::Passed("C11 and C++17".to_owned()))
}

/// The frames and the loudest sample are those that source and filter were asked for.
fn c(workspace: &Workspace) -> Result<Verdict, Failure> {
    let built = workspace.target.join("boundary/c");
    let mut make = Command::new(program(&["make", "gmake"], "make", "make")?);
    make.arg("-C").arg(workspace.root.join("examples/c")).arg("all");
    make.arg(format!("OUT={}", built.display()));
    make.arg(format!("CC={}", program(&["cc", "gcc", "clang"], "C compiler", "gcc")?.display()));
    process::read(make, LIMIT)?;
    let line = "ctonesrc num-buffers=25 frequency=441 ! audioconvert ! cgain gain=0.5 ! cthrough ! identity ! cpeaksink";
    let mut launch = Command::new(workspace.programs(Profile::Dev).join("gst-mini"));
    launch.args(["launch", "-m"]).args(line.split(' '));
    launch.envs(demo::environment(workspace, Profile::Dev)).env("GST_MINI_PLUGIN_PATH", &built);
    let said = process::read(launch, Duration::from_secs(60))?;
    let wanted = "peak, value=(int)8192, buffers=(int)25";
    if said.contains(wanted) {
        return Ok(Verdict::Passed("a source, two filters and a sink".to_owned()));
    }
    Err(Failure::new(format!("{}\n{line}: no \"{wanted}\"", process::tail(&said, 20))))
}

fn growth(workspace: &Workspace) -> Result<Verdict, Failure> {
    let ours = workspace.plugins(Profile::Dev).join("libgstminifixture.so");
    let mut cargo = workspace.cargo();
    cargo.env("RUSTFLAGS", NEXT);
    let newer = fixture(cargo, &workspace.target.join("boundary/next"))?;
    suite(workspace, &newer, None)?;
    let host = workspace.target.join("boundary/next-host");
    suite(workspace, &ours, Some(&host))?;
    Ok(Verdict::Passed("newer plugin, newer host".to_owned()))
}

fn compiler(workspace: &Workspace) -> Result<Verdict, Failure> {
    let Some((rustc, version)) = other_rustc() else {
        let text = "no other Rust compiler was found (Debian: apt-get install rustc-web; or name one in \
                    GST_MINI_OTHER_RUSTC)";
        return Ok(Verdict::Skipped(text.to_owned()));
    };
    let mut cargo = workspace.cargo();
    cargo.env("RUSTC", &rustc).env_remove("RUSTUP_TOOLCHAIN");
    let plugin = fixture(cargo, &workspace.target.join("boundary/other-compiler"))?;
    let bytes = std::fs::read(&plugin).unwrap_or_default();
    if !bytes.windows(version.len()).any(|window| window == version.as_bytes()) {
        let text = format!("{} does not say that it was built by {version}", plugin.display());
        return Err(Failure::new(text));
    }
    suite(workspace, &plugin, None)?;
    Ok(Verdict::Passed(version))
}

/// What is linked is there, however it is linked, if it is named.
fn linking(workspace: &Workspace) -> Result<Verdict, Failure> {
    let manifest = workspace.root.join("tests/embedding/Cargo.toml");
    let target = workspace.target.join("embedding");
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--package", "linking", "--manifest-path"]).arg(&manifest);
    cargo.arg("--target-dir").arg(&target);
    process::read(cargo, LIMIT)?;
    let built = target.join("debug");
    let alone = |program: PathBuf| {
        let mut program = Command::new(program);
        program
            .env("GST_MINI_PLUGIN_PATH", "")
            .env("GST_MINI_PLUGIN_SYSTEM_PATH", built.join("none"));
        process::read(program, Duration::from_secs(60))
    };
    alone(built.join("both"))?;
    alone(built.join("unnamed"))?;
    let in_c = built.join("linking-in-c");
    let mut cc = Command::new(program(&["cc", "gcc", "clang"], "C compiler", "gcc")?);
    cc.arg(workspace.root.join("tests/embedding/linking/main.c")).arg(built.join("liblinking.a"));
    cc.args(["-lpthread", "-ldl", "-lm", "-o"]).arg(&in_c);
    process::read(cc, LIMIT)?;
    let said = alone(in_c)?;
    let list = read_text(&workspace.root.join("gst-mini-elements/src/lib.rs"))?;
    let wanted = format!("{} elements, 0", list.matches("        Factory::").count());
    match said.trim() == wanted {
        true => Ok(Verdict::Passed(format!("two plugins; in C {wanted}"))),
        false => Err(Failure::new(format!("a program in C has {said}, not {wanted}"))),
    }
}

/// The warning comes before anything of it runs; then a panic is the end, and the log says where it was.
fn abort(workspace: &Workspace) -> Result<Verdict, Failure> {
    let target = workspace.target.join("boundary/abort");
    let mut cargo = workspace.cargo();
    cargo.env("CARGO_PROFILE_DEV_PANIC", "abort");
    let plugin = fixture(cargo, &target)?;
    let program = |arguments: &[&str]| {
        let mut program = Command::new(workspace.programs(Profile::Dev).join("gst-mini"));
        program.args(arguments).envs(demo::environment(workspace, Profile::Dev));
        program.env("GST_MINI_PLUGIN_PATH", &target).env("GST_MINI_DEBUG", "registry:2,plugin:1");
        process::collect(program, Duration::from_secs(60), || ())
    };
    let has = |said: String, wanted: &str| match said.contains(wanted) {
        true => Ok(()),
        false => Err(Failure::new(format!("{}\nno \"{wanted}\"", process::tail(&said, 20)))),
    };
    let warning = format!(
        "plugin \"{}\": built with panic=abort; a panic in it ends this program",
        plugin.display()
    );
    has(program(&["inspect", "fixture"])?.output(), &warning)?;
    let line = |trouble| {
        let line = format!("fixturesrc num-buffers=3 ! fixturexor trouble={trouble} ! fixturesink");
        program(&[&["launch"][..], &line.split(' ').collect::<Vec<_>>()].concat())
    };
    let whole = line("none")?;
    if !whole.success() {
        return Err(Failure::new(format!("{}\nit {}", whole.output(), whole.ending())));
    }
    let ended = line("panic")?;
    has(ended.output(), "gst-mini-plugin-fixture/src/lib.rs:")?;
    has(ended.ending(), "signal 6")?;
    Ok(Verdict::Passed("warned of, and ended by signal 6".to_owned()))
}

/// A compiler that is not the one this project is built with, and what it calls itself.
fn other_rustc() -> Option<(PathBuf, String)> {
    let version = |program: &Path| {
        let mut command = Command::new(program);
        command.arg("--version");
        process::read(command, LIMIT).ok().map(|said| said.trim().to_owned())
    };
    let own = version(Path::new("rustc"));
    let named = std::env::var_os("GST_MINI_OTHER_RUSTC").map(PathBuf::from);
    let places = named.into_iter().chain([PathBuf::from("/usr/bin/rustc")]);
    places
        .filter_map(|path| Some((version(&path)?, path)))
        .find_map(|(version, path)| (Some(&version) != own.as_ref()).then_some((path, version)))
}

/// Builds the fixture with this Cargo call, in a target directory of its own.
fn fixture(mut cargo: Command, target: &Path) -> Result<PathBuf, Failure> {
    cargo.args(["build", "--quiet", "--lib", "--package", FIXTURE, "--target-dir"]).arg(target);
    process::read(cargo, LIMIT)?;
    let made = target.join("debug/libgst_mini_plugin_fixture.so");
    let file = target.join("libgstminifixture.so");
    std::fs::copy(&made, &file)
        .map_err(|error| Failure::new(format!("{}: {error}", made.display())))?;
    Ok(file)
}

/// Runs the suites over linked elements and those of this file; `newer`: with a newer host, built there.
fn suite(workspace: &Workspace, plugin: &Path, newer: Option<&Path>) -> Result<Verdict, Failure> {
    let mut tests = workspace.cargo();
    tests.args(["test", "--package", FIXTURE, "--tests"]);
    tests.env("GST_MINI_TEST_FIXTURE", plugin).envs(demo::environment(workspace, Profile::Dev));
    if let Some(target) = newer {
        tests.env("RUSTFLAGS", NEXT).arg("--target-dir").arg(target);
    }
    run_quietly(tests)
}
