//! Running other programs: quietly, with a limit, and with a sentence when they fail.
//!
//! Invariant: a program's output is shown when it failed, and kept out of the way when it did not.
//! Left out: process groups of our own; Ctrl-C on the terminal reaches every child by itself.

use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Why a command of xtask ends with another exit code than 0.
#[derive(Debug, PartialEq)]
pub enum Failure {
    /// The command line was wrong: exit code 2.
    Usage(String),
    /// What was asked for did not work: exit code 1.
    Failed(String),
    /// The same, and all that is to say was printed already.
    Told,
}

impl Failure {
    /// A failure of the work itself.
    pub fn new(text: impl Into<String>) -> Failure {
        Failure::Failed(text.into())
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Failed(_) | Failure::Told => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) | Failure::Failed(text) => out.write_str(text),
            Failure::Told => Ok(()),
        }
    }
}

/// What a finished program left behind.
pub struct Finished {
    /// `None`: it was stopped because it exceeded its limit.
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Finished {
    /// Exit code 0, within the limit.
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Both streams, the errors last.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// How it ended, for a sentence.
    pub fn ending(&self) -> String {
        match self.status {
            None => format!("was stopped after {}", seconds(self.took)),
            Some(status) => match status.code() {
                Some(code) => format!("ended with exit code {code}"),
                None => ended_by(status),
            },
        }
    }
}

#[cfg(unix)]
fn ended_by(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    format!("was ended by signal {}", status.signal().unwrap_or_default())
}

#[cfg(not(unix))]
fn ended_by(_: ExitStatus) -> String {
    "was ended by a signal".to_owned()
}

/// Runs `command` to its end or to `limit`, collecting what it prints.
///
/// `patience` is called once if the program is still running after two seconds.
pub fn collect(
    mut command: Command,
    limit: Duration,
    patience: impl FnOnce(),
) -> Result<Finished, Failure> {
    let began = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_run(&command, &error))?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let id = child.id();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(child.wait()));

    let slow = Duration::from_secs(2).min(limit);
    let mut ending = ended.recv_timeout(slow);
    if ending.is_err() {
        patience();
        ending = ended.recv_timeout(limit.saturating_sub(began.elapsed()));
    }
    let status = match ending {
        Ok(status) => Some(status.map_err(|error| cannot_run(&command, &error))?),
        Err(_) => {
            kill_with_children(id);
            // The status of a killed program says nothing; the wait only keeps it from lingering.
            let _ = ended.recv();
            None
        }
    };
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
    };
    Ok(Finished { status, stdout: text(stdout), stderr: text(stderr), took: began.elapsed() })
}

/// Runs `command` and gives its standard output, or a sentence with its last lines.
pub fn read(command: Command, limit: Duration) -> Result<String, Failure> {
    let shown = shown(&command);
    let finished = collect(command, limit, || ())?;
    if finished.success() {
        return Ok(finished.stdout);
    }
    let text = tail(&finished.output(), 40);
    Err(Failure::new(format!("{shown}\n{text}\n{shown}: {}", finished.ending())))
}

/// Reads a stream to its end in a thread of its own: a full pipe would stop the program.
fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What arrived before an error is all there is to show.
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Ends a program and all it started: a test that hangs is a grandchild of ours.
fn kill_with_children(id: u32) {
    let mut doomed = vec![id];
    let mut next = 0;
    while let Some(parent) = doomed.get(next).copied() {
        next += 1;
        doomed.extend(children(parent));
    }
    let ids: Vec<String> = doomed.iter().map(u32::to_string).collect();
    // A program that ended in the meantime makes `kill` complain; nothing else can be done.
    let _ = Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status();
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| parent_of(*id) == Some(parent))
        .collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The program's name stands in parentheses and may contain anything, spaces included.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// The first of `names` that is a program on PATH, or a path to one.
pub fn find_program<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.into_iter().find_map(|name| {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| path.is_file());
        }
        folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    })
}

/// The command as one would type it, without the environment.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(quoted).collect();
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The last `count` lines.
pub fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// A duration as it stands at the end of a step's line.
pub fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// A file's text, or a sentence that names it.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))
}

fn cannot_run(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    Failure::new(format!("{program} cannot be run: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn program_that_fails_is_told_with_its_output_and_code() {
        let failure = read(shell("echo the reason >&2; exit 3"), Duration::from_secs(60));
        let text = failure.expect_err("exit code 3").to_string();
        assert!(text.contains("the reason") && text.contains("exit code 3"), "{text}");
    }

    #[test]
    fn program_beyond_its_limit_ends_together_with_what_it_started() {
        // The inner shell holds the output open: without its end, `collect` would never return.
        let script = shell("sh -c 'while :; do sleep 1; done'; true");
        let finished = collect(script, Duration::from_millis(300), || ()).expect("sh is there");
        assert!(finished.status.is_none());
        assert!(finished.took < Duration::from_secs(30));
    }

    #[test]
    fn program_not_there_is_a_sentence() {
        let failure = read(Command::new("no-such-program"), Duration::from_secs(1));
        assert!(failure.expect_err("absent").to_string().contains("no-such-program cannot be run"));
    }

    #[test]
    fn command_is_shown_as_it_can_be_typed() {
        let mut command = Command::new("cargo");
        command.args(["test", "-p", "a b", "it's"]);
        assert_eq!(shown(&command), r"cargo test -p 'a b' 'it'\''s'");
    }
}
