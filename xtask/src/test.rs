//! `cargo xtask test`: everything that must hold, cheapest first.
//!
//! Invariant: this list is the only one; `.ci/run` and the README call it. The first failure ends
//! it with the command that repeats that step, and the last line counts the steps. Where `CI=true`
//! the steps after it are run too, so that one run tells all that is wrong.
//! Left out: installing anything; a step whose program is missing is skipped with a sentence, and
//! fails where `CI=true` says that nothing may be skipped.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{self, Failure, seconds};
use crate::workspace::{Profile, Workspace};
use crate::{bench, boundary, conform, demo, fuzz, judges, new_plugin, pages, plugins, tidy};

/// How a step ended that did not fail.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It holds; a few words on what was counted, or none.
    Passed(String),
    /// It could not be looked at: what is missing.
    Skipped(String),
}

/// What a step does.
type Action = Box<dyn FnOnce(&Workspace) -> Result<Verdict, Failure>>;

/// One thing that must hold.
pub struct Step {
    pub name: &'static str,
    /// What to type to see it fail again.
    pub repeat: String,
    pub run: Action,
}

/// The longest a step of Cargo's may take: tests that hang must not hold a machine for hours.
pub const LIMIT: Duration = Duration::from_secs(30 * 60);

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let workspace = Workspace::open()?;
    let steps = chosen(arguments, steps(&workspace))?;
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    run_steps(&workspace, steps, is_ci)
}

/// All steps, or those that `--only STEP`, which may be repeated, names.
fn chosen(arguments: &[String], mut steps: Vec<Step>) -> Result<Vec<Step>, Failure> {
    let mut only = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let names = || steps.iter().map(|step| step.name);
        match (word.as_str(), words.next()) {
            ("--only", Some(name)) if names().any(|known| known == name) => only.push(name),
            ("--only", Some(name)) => {
                let known: Vec<&str> = names().collect();
                let text = format!("there is no step \"{name}\"; there are: {}", known.join(", "));
                return Err(Failure::Usage(text));
            }
            _ => {
                let text = "test takes no arguments but --only STEP (the word at a line's start)";
                return Err(Failure::Usage(text.to_owned()));
            }
        }
    }
    steps.retain(|step| only.is_empty() || only.iter().any(|name| *name == step.name));
    Ok(steps)
}

fn run_steps(workspace: &Workspace, steps: Vec<Step>, is_ci: bool) -> Result<(), Failure> {
    let (mut passed, mut failed) = (0, Vec::new());
    for Step { name, repeat, run } in steps {
        let began = Instant::now();
        println!("{name} ...");
        // A log shows what is running now, also when it is a pipe.
        let _ = std::io::stdout().flush();
        let verdict = match run(workspace) {
            Ok(Verdict::Skipped(missing)) if is_ci => {
                Err(Failure::new(format!("{missing}, and CI=true allows no skipping")))
            }
            other => other,
        };
        let took = seconds(began.elapsed());
        match verdict {
            Ok(Verdict::Passed(note)) => {
                passed += 1;
                let note = if note.is_empty() { note } else { format!(" ({note})") };
                println!("{name}: passed in {took}{note}");
            }
            Ok(Verdict::Skipped(missing)) => {
                println!("{name}: skipped: {missing} (the CI installs it)");
            }
            Err(failure) => {
                println!("{failure}\n{name}: failed after {took}; again: {repeat}");
                failed.push(name);
                if !is_ci {
                    break;
                }
            }
        }
    }
    println!("{passed} passed, {} failed", failed.len());
    if failed.is_empty() {
        return Ok(());
    }
    if is_ci {
        println!("failed: {}", failed.join(", "));
    }
    Err(Failure::Told)
}

fn steps(workspace: &Workspace) -> Vec<Step> {
    let plugins_of = |profile| demo::environment(workspace, profile);
    let mut steps = vec![
        cargo(workspace, "fmt", &["fmt", "--all", "--check", "--", "--files-with-diff"]),
        Step {
            name: "tidy",
            repeat: "cargo xtask tidy".to_owned(),
            run: Box::new(|_| tidy::run(&[]).map(|()| Verdict::Passed(String::new()))),
        },
        cargo(
            workspace,
            "clippy",
            &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
        ),
        Step {
            name: "plugins",
            repeat: "cargo xtask plugins".to_owned(),
            run: Box::new(|workspace| {
                plugins::build(workspace, Profile::Dev).map(|()| Verdict::Passed(String::new()))
            }),
        },
    ];
    // Tests load the files of the step before, never what this call compiles: see plugins.rs.
    let mut tests = workspace.cargo();
    tests.args(["test", "--workspace", "--lib", "--bins", "--tests"]);
    tests.args(["--no-fail-fast"]).envs(plugins_of(Profile::Dev));
    steps.push(from_command("tests", tests));
    let mut doc_tests = workspace.cargo();
    doc_tests.args(["test", "--workspace", "--doc"]).envs(plugins_of(Profile::Dev));
    steps.push(from_command("doc-tests", doc_tests));
    steps.extend(boundary::steps());
    steps.push(Step {
        name: "conform",
        repeat: "cargo xtask conform --show".to_owned(),
        run: Box::new(|workspace| {
            let mut told = Vec::new();
            for folder in ["tests/vectors", "tests/vectors/more"] {
                let mut program = conform::prepare(workspace)?;
                program.arg(workspace.root.join(folder));
                let finished = process::collect(program, LIMIT, || ())?;
                let counts = format!("{folder}: {}", finished.stdout.trim_end());
                if !finished.success() {
                    return Err(Failure::new(format!("{counts}\nit {}", finished.ending())));
                }
                told.push(counts.replace('\n', "; "));
            }
            Ok(Verdict::Passed(told.join("; ")))
        }),
    });
    let mut docs = workspace.cargo();
    docs.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    steps.push(from_command("docs", docs));
    steps.push(cargo(
        workspace,
        "examples",
        &["build", "--package", "gst-mini-examples", "--examples"],
    ));
    let embedding = workspace.root.join("tests/embedding/Cargo.toml");
    if embedding.is_file() {
        for (name, program_name) in [("embedding", "embedding"), ("by hand", "by_hand")] {
            let mut program = workspace.cargo();
            program.args(["run", "--bin", program_name, "--manifest-path"]).arg(&embedding);
            program.env("CARGO_TARGET_DIR", workspace.target.join("embedding"));
            program.envs(plugins_of(Profile::Dev));
            steps.push(from_command(name, program));
        }
    }
    steps.push(pages::step());
    steps.push(new_plugin::step());
    // Compiled with other threads and locks, in a target directory of their own.
    let mut models = workspace.cargo();
    models.args(["test", "--manifest-path"]).arg(workspace.root.join("tests/models/Cargo.toml"));
    models.env("CARGO_TARGET_DIR", workspace.target.join("models"));
    models.env("RUSTFLAGS", "--cfg gst_mini_shuttle");
    steps.push(from_command("models", models));
    steps.push(bench::instructions::step());
    steps.push(cargo(
        workspace,
        "package",
        &[
            "package",
            "--workspace",
            "--exclude=xtask",
            "--exclude=gst-mini-bench",
            "--no-verify",
            "--allow-dirty",
        ],
    ));
    steps.push(fuzz());
    steps.push(deny());
    steps.extend(judges::steps());
    steps
}

fn cargo(workspace: &Workspace, name: &'static str, arguments: &[&str]) -> Step {
    let mut command = workspace.cargo();
    command.args(arguments);
    from_command(name, command)
}

fn from_command(name: &'static str, command: Command) -> Step {
    let repeat = repeat(&command);
    Step { name, repeat, run: Box::new(move |_| run_quietly(command)) }
}

/// Runs a command; shows its output only if it fails, and counts tests if it ran any.
pub fn run_quietly(command: Command) -> Result<Verdict, Failure> {
    let finished = process::collect(command, LIMIT, || ())?;
    if finished.success() {
        return Ok(Verdict::Passed(test_count(&finished.stdout)));
    }
    let output = match failed_tests(&finished.stdout) {
        Some(failed) => format!("{}\n{failed}", process::tail(&finished.stderr, 60)),
        None => process::tail(&finished.output(), 200),
    };
    Err(Failure::new(format!("{output}\nit {}", finished.ending())))
}

/// Each target for a few seconds; `cargo xtask fuzz --seconds 600` is a search.
fn fuzz() -> Step {
    let run: Action = Box::new(|workspace| {
        let names = fuzz::targets(workspace)?;
        fuzz::all(workspace, &names, 5).map(|lines| Verdict::Passed(lines.join("; ")))
    });
    Step { name: "fuzz", repeat: "cargo xtask fuzz".to_owned(), run }
}

/// cargo-deny reads licences, bans and sources; its advisories need a database from the network.
fn deny() -> Step {
    let repeat = "cargo deny check licenses bans sources".to_owned();
    let run: Action = Box::new(|workspace| {
        if process::find_program(["cargo-deny"]).is_none() {
            return Ok(Verdict::Skipped("cargo-deny is not installed".to_owned()));
        }
        let mut command = workspace.cargo();
        command.args(["deny", "check", "licenses", "bans", "sources"]);
        run_quietly(command)
    });
    Step { name: "deny", repeat, run }
}

/// The command with the variables that matter, to be typed in the workspace's root.
fn repeat(command: &Command) -> String {
    let is_ours = |name: &str| name.starts_with("GST_MINI_") || name == "RUSTDOCFLAGS";
    let variables = command.get_envs().filter_map(|(name, value)| {
        let (name, value) = (name.to_str()?, value?.to_string_lossy());
        is_ours(name).then(|| format!("{name}='{value}' "))
    });
    let line: String = variables.collect();
    let shown = process::shown(command);
    let program = command.get_program().to_string_lossy();
    // Cargo gives its own path, which nobody types.
    line + &shown.replacen(program.as_ref(), "cargo", 1)
}

/// "412 tests, 5 of them left to the players" from libtest's summaries.
fn test_count(output: &str) -> String {
    let number_before = |line: &str, word: &str| -> usize {
        let before = line.split(word).next().unwrap_or_default();
        before.split_whitespace().next_back().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    let summaries = || output.lines().filter(|line| line.starts_with("test result: ok."));
    let passed: usize = summaries().map(|line| number_before(line, " passed")).sum();
    let ignored: usize = summaries().map(|line| number_before(line, " ignored")).sum();
    match (summaries().count(), ignored) {
        (0, _) => String::new(),
        (_, 0) => format!("{passed} tests"),
        _ => format!("{passed} tests, {ignored} not run here"),
    }
}

/// What the tests that failed printed, of all test programs; `None` if no test failed.
fn failed_tests(output: &str) -> Option<String> {
    let mut failed = Vec::new();
    let mut is_inside = false;
    for line in output.lines() {
        is_inside = match line {
            "failures:" => true,
            line if line.starts_with("test result:") => {
                if line.starts_with("test result: FAILED") {
                    failed.push(line);
                }
                false
            }
            _ => is_inside,
        };
        if is_inside {
            failed.push(line);
        }
    }
    (!failed.is_empty()).then(|| process::tail(&failed.join("\n"), 400))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::PathBuf;
    use std::rc::Rc;

    use super::*;

    fn step(name: &'static str, outcome: Result<Verdict, Failure>) -> Step {
        Step { name, repeat: String::new(), run: Box::new(|_| outcome) }
    }

    fn outcome(steps: Vec<Step>, is_ci: bool) -> Result<(), Failure> {
        let workspace = Workspace { root: PathBuf::new(), target: PathBuf::new() };
        run_steps(&workspace, steps, is_ci)
    }

    #[test]
    fn step_that_fails_ends_the_run_and_fails_it() {
        let after: Action = Box::new(|_| panic!("ran after a failure"));
        let steps = vec![
            step("one", Ok(Verdict::Passed(String::new()))),
            step("two", Err(Failure::new("no"))),
            Step { name: "three", repeat: String::new(), run: after },
        ];
        assert_eq!(outcome(steps, false), Err(Failure::Told));
    }

    #[test]
    fn the_ci_runs_what_comes_after_a_failure_and_fails() {
        let ran = Rc::new(Cell::new(false));
        let told = Rc::clone(&ran);
        let after: Action = Box::new(move |_| {
            told.set(true);
            Ok(Verdict::Passed(String::new()))
        });
        let steps = vec![
            step("one", Err(Failure::new("no"))),
            Step { name: "two", repeat: String::new(), run: after },
        ];
        assert_eq!(outcome(steps, true), Err(Failure::Told));
        assert!(ran.get());
    }

    #[test]
    fn step_skipped_passes_at_home_and_fails_in_the_ci() {
        let skipped = || vec![step("one", Ok(Verdict::Skipped("x is not installed".into())))];
        assert_eq!(outcome(skipped(), false), Ok(()));
        assert_eq!(outcome(skipped(), true), Err(Failure::Told));
    }

    #[test]
    fn steps_are_chosen_by_name_and_an_unknown_one_is_wrong_usage() {
        let all =
            || ["a", "b", "c"].map(|name| step(name, Ok(Verdict::Passed(String::new())))).into();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let names = |line: &str| -> Vec<&str> {
            chosen(&words(line), all()).expect("known").iter().map(|step| step.name).collect()
        };
        assert_eq!(names(""), ["a", "b", "c"]);
        assert_eq!(names("--only c --only a"), ["a", "c"]);
        for wrong in ["--only", "--only d", "a", "--release"] {
            let failure = chosen(&words(wrong), all()).err().expect(wrong);
            assert_eq!(failure.exit_code(), 2);
        }
    }

    #[test]
    fn tests_of_all_programs_are_counted() {
        let output = "test result: ok. 40 passed; 0 failed; 2 ignored; 0 measured\n\
                      test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\n";
        assert_eq!(test_count(output), "42 tests, 2 not run here");
        assert_eq!(test_count("Checking a\n"), "");
    }

    #[test]
    fn failed_tests_are_shown_without_those_that_passed() {
        let output = "test a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\nthe reason\n\
                      \ntest result: FAILED. 1 passed; 1 failed\ntest c ... ok\ntest result: ok.\n";
        let shown = failed_tests(output).expect("one failed");
        assert!(shown.contains("the reason") && shown.ends_with("1 passed; 1 failed"), "{shown}");
        assert!(!shown.contains("test c"));
        assert_eq!(failed_tests("error: it does not compile\n"), None);
    }

    #[test]
    fn command_to_repeat_has_the_variables_that_matter() {
        let mut command = Command::new("/usr/lib/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env("OTHER", "1");
        assert_eq!(repeat(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }
}
