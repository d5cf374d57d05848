//! Follows a page of docs/: types its commands, and looks for the output it shows.
//!
//! ```text
//!   ```sh … ```      typed, all in one shell, which stops at the first command that fails
//!   ```text … ```    every line of it must be in the output of the commands above it
//! ```
//!
//! Invariant: what is run is what stands on the page; the home folder alone is another one.
//! Left out: blocks of other languages, but for the first `rust` block, which must be what the page's own commands made.

use std::path::PathBuf;

use crate::process::{self, Failure, read_text};
use crate::test::{LIMIT, Step, Verdict};
use crate::workspace::Workspace;

const PAGE: &str = "docs/writing-an-element.md";
/// Stands in the output where the commands of the next block begin.
const MARK: &str = "@@@ block";

/// Commands, and lines that must come of them.
#[derive(Debug, Default, PartialEq)]
struct Block {
    commands: String,
    shown: Vec<String>,
}

/// The step of `cargo xtask test`.
pub fn step() -> Step {
    let repeat = "cargo xtask test --only page".to_owned();
    Step { name: "page", repeat, run: Box::new(follow) }
}

fn follow(workspace: &Workspace) -> Result<Verdict, Failure> {
    if process::find_program(["bash"]).is_none() {
        return Ok(Verdict::Skipped("bash is not installed".to_owned()));
    }
    let text = read_text(&workspace.root.join(PAGE))?;
    let blocks = blocks(&text);
    let home = workspace.target.join("page");
    // What an earlier run left is in the way of a newcomer.
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(&home)
        .map_err(|error| Failure::new(format!("{} cannot be made: {error}", home.display())))?;
    let old_home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let kept = |name: &str, folder: &str| {
        std::env::var_os(name).map_or_else(|| old_home.join(folder), PathBuf::from)
    };
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &script(&blocks)]).current_dir(&workspace.root);
    shell.env("CARGO_HOME", kept("CARGO_HOME", ".cargo"));
    shell.env("RUSTUP_HOME", kept("RUSTUP_HOME", ".rustup"));
    shell.env("HOME", &home).env_remove("CARGO_TARGET_DIR").env_remove("XDG_DATA_HOME");
    for name in ["PATH", "SYSTEM_PATH", "SCANNER"] {
        shell.env_remove(format!("GST_MINI_PLUGIN_{name}"));
    }
    let finished = process::collect(shell, LIMIT, || ())?;
    if !finished.success() {
        let output = process::tail(&finished.output(), 60);
        return Err(Failure::new(format!("{output}\na command of {PAGE} failed")));
    }
    compare(&blocks, &finished.stdout)?;
    let code = rust_block(&text);
    let made = read_text(&workspace.root.join("xtask/templates/plugin/lib.rs.txt"))?;
    let made = made.replace("{{element}}", "tsshift").replace("{{Type}}", "TsShift");
    if !code.is_some_and(|code| made.starts_with(code)) {
        return Err(Failure::new(format!("the code in {PAGE} is not what new-plugin makes")));
    }
    let commands: usize = blocks.iter().map(|block| block.commands.lines().count()).sum();
    Ok(Verdict::Passed(format!("{} blocks, {commands} lines typed", blocks.len())))
}

/// The commands of a page in order, each with the output shown below it.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside: Option<&str> = None;
    for line in page.lines() {
        match (inside, line.strip_prefix("```")) {
            (None, Some(language)) => {
                inside = Some(language);
                if language == "sh" {
                    blocks.push(Block::default());
                }
            }
            (Some(_), Some("")) => inside = None,
            (Some("sh"), _) => {
                if let Some(block) = blocks.last_mut() {
                    block.commands += line;
                    block.commands.push('\n');
                }
            }
            (Some("text"), _) => {
                if let Some(block) = blocks.last_mut() {
                    block.shown.push(line.to_owned());
                }
            }
            _ => {}
        }
    }
    blocks
}

/// The first block of Rust, as it stands there.
fn rust_block(page: &str) -> Option<&str> {
    Some(page.split_once("```rust\n")?.1.split_once("```")?.0)
}

fn script(blocks: &[Block]) -> String {
    let mut script = "set -eo pipefail\n".to_owned();
    for block in blocks {
        script += &format!("echo '{MARK}'\n{}", block.commands);
    }
    script
}

fn compare(blocks: &[Block], output: &str) -> Result<(), Failure> {
    let outputs = output.split(MARK).skip(1);
    for (block, output) in blocks.iter().zip(outputs) {
        for line in &block.shown {
            if !output.lines().any(|found| found.trim_end() == line.trim_end()) {
                let commands = &block.commands;
                let text = format!(
                    "{PAGE} shows \"{line}\", and it does not come of\n{commands}\n{output}"
                );
                return Err(Failure::new(text));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A\n```sh\ncd x\n```\nwords\n```sh\necho one\necho two\n```\n```text\none\n```\n```rust\nfn a() {}\n```\n";

    #[test]
    fn commands_of_a_page_are_found_with_the_output_below_them() {
        let found = blocks(PAGE);
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[1],
            Block { commands: "echo one\necho two\n".into(), shown: vec!["one".into()] }
        );
        assert_eq!(rust_block(PAGE), Some("fn a() {}\n"));
    }

    #[test]
    fn line_that_is_shown_must_come_of_its_own_commands() {
        let found = blocks(PAGE);
        assert!(compare(&found, &format!("{MARK}\n{MARK}\none\ntwo\n")).is_ok());
        let error = compare(&found, &format!("{MARK}\none\n{MARK}\ntwo\n")).expect_err("not there");
        assert!(error.to_string().contains("shows \"one\""), "{error}");
    }
}
