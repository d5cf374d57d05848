//! `cargo xtask`: the project's own commands, one file each.
//!
//! Invariant: standard library only, and no crate of the workspace, so that it is compiled in
//! seconds and works while they do not.
//! Left out: everything an application or `gst-mini` does; this is for working on the project.

mod abi;
mod bench;
mod boundary;
mod ci;
mod conform;
mod demo;
mod fuzz;
mod judges;
mod new_plugin;
mod pages;
mod plugins;
mod process;
// Core's file, not a copy and not a dependency.
#[path = "../../gst-mini-core/src/suggest.rs"]
mod suggest;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use process::Failure;

/// One command: its name, its arguments, one line about it, and the code.
struct Command {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "[NAME] [flags]",
        summary: "build the plugins and run a demo; no NAME: full-pipeline; --list",
        run: demo::run,
    },
    Command {
        name: "test",
        arguments: "[--only STEP]",
        summary: "everything that must hold: fmt, tidy, clippy, tests, docs, players",
        run: test::run,
    },
    Command {
        name: "conform",
        arguments: "[DIR] [--kind K] [--id ID] [--show]",
        summary: "replay what GStreamer did; per kind and in all: N passed, N failed",
        run: conform::run,
    },
    Command {
        name: "bench",
        arguments: "[NAME…] [--rounds N] [--plot]",
        summary: "what a buffer costs, beside GStreamer; one JSON object a figure",
        run: bench::run,
    },
    Command {
        name: "new-plugin",
        arguments: "NAME [--path DIR]",
        summary: "a plugin crate that builds, loads and has a test",
        run: new_plugin::run,
    },
    Command {
        name: "fuzz",
        arguments: "[TARGET] [--seconds N]",
        summary: "random input for caps, values, launch lines and media files",
        run: fuzz::run,
    },
    Command {
        name: "plugins",
        arguments: "[--release]",
        summary: "build each plugin crate into target/<profile>/plugins",
        run: plugins::run,
    },
    Command {
        name: "abi",
        arguments: "[--check]",
        summary: "the C header and the pinned layout of the plugin boundary",
        run: abi::run,
    },
    Command {
        name: "tidy",
        arguments: "",
        summary: "the house rules that no compiler checks",
        run: tidy::run,
    },
    Command {
        name: "ci",
        arguments: "",
        summary: "install what the tests need (apt, npm), then test: runs .ci/run",
        run: ci::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        None => {
            println!("{}", help());
            Ok(())
        }
        Some((word, _)) if matches!(word.as_str(), "-h" | "--help" | "help") => {
            println!("{}", help());
            Ok(())
        }
        Some((word, rest)) => match COMMANDS.iter().find(|command| command.name == word) {
            Some(command) => (command.run)(rest),
            None => Err(Failure::Usage(unknown_command(word))),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // `test` ends with its count, whatever happened.
            if failure != Failure::Told {
                eprintln!("xtask: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn help() -> String {
    let mut text = String::from("usage: cargo xtask COMMAND\n");
    for command in COMMANDS {
        let usage = format!("{} {}", command.name, command.arguments);
        text.push_str(&format!("\n  {usage:<22} {}", command.summary));
    }
    text
}

fn unknown_command(word: &str) -> String {
    let names = || COMMANDS.iter().map(|command| command.name);
    let near = suggest::nearest(word, names());
    match near.first() {
        Some(near) => format!("there is no command \"{word}\"; did you mean \"{near}\"?"),
        None => {
            let names: Vec<&str> = names().collect();
            format!("there is no command \"{word}\"; there are: {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_command() {
        for command in COMMANDS {
            assert!(help().contains(&format!("\n  {} ", command.name)), "{}", command.name);
        }
    }

    #[test]
    fn command_misspelled_is_answered_with_the_one_meant() {
        assert!(unknown_command("plugin").contains("did you mean \"plugins\""));
        assert!(unknown_command("frobnicate").contains("there are: demo, test"));
    }
}
