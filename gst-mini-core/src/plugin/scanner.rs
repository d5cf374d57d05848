//! Examines a plugin in a child process, so that one that crashes, hangs or ends its process harms nobody.
//!
//! ```text
//! program                                   gst-mini-scanner
//!   socket pair, one end is the child's ───▶ standard input, which it hides before it
//!   nonce and the file's identity ────────▶ opens the library; standard output goes to the error output
//!   reads until the end mark, 5 s ◀──────── version, nonce, length, checksum, report, end mark
//!   kills the child and its children
//! ```
//!
//! Invariant: only a complete answer with the right nonce and checksum counts; an exit code proves
//! nothing.
//! In GStreamer: `gst/gstpluginloader.c`, `libs/gst/helpers/gst-plugin-scanner.c`.
//! Left out: several plugins for one child; starting one takes under a millisecond.

use crate::plugin::loader::files::{self, FileId};
use crate::plugin::loader::library;
use crate::plugin::loader::report::{self, Outcome};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

/// Name of the program that examines.
pub const PROGRAM: &str = "gst-mini-scanner";
/// How long one examination may take, ms.
const LIMIT_MS: u64 = 5000;
/// How often a child is looked after whose channel is silent, ms.
const STEP_MS: u64 = 10;
/// A longer answer is not read to its end.
const MAX_ANSWER: usize = 4 << 20;
const OPENING: &str = "gst-mini-scanner";
const END: &str = "end of report\n";
/// The argument that says that standard input is the channel.
const PRIVATE: &str = "--answer";

/// Why there is no outcome that could be remembered: the file is not to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotExamined(pub String);

/// Finds the examiner: where GST_MINI_PLUGIN_SCANNER says, beside this program, one folder up, on PATH.
///
/// # Errors
/// The sentence for plugins that are not examined for want of it.
pub fn find() -> Result<PathBuf, NotExamined> {
    let missing = || {
        NotExamined(format!(
            "the helper {PROGRAM} was not found (GST_MINI_PLUGIN_SCANNER); new plugins are not examined"
        ))
    };
    if let Some(named) = files::variable("GST_MINI_PLUGIN_SCANNER").map(PathBuf::from) {
        return if named.is_file() { Ok(named) } else { Err(missing()) };
    }
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let near = [beside, beside.and_then(Path::parent)].into_iter().flatten();
    let on_path =
        files::variable("PATH").map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let mut places = near.map(Path::to_path_buf).chain(on_path.unwrap_or_default());
    places
        .find_map(|folder| Some(folder.join(PROGRAM)).filter(|file| file.is_file()))
        .ok_or_else(missing)
}

/// Examines a file that passed [`files::check`] in a child process.
///
/// # Errors
/// When the examiner cannot be used; what is wrong with the plugin is in the outcome.
pub fn examine(examiner: &Path, file: &Path, id: FileId) -> Result<Outcome, NotExamined> {
    let cannot = |what: &str, error: std::io::Error| {
        NotExamined(format!("the helper {} cannot be {what}: {error}", examiner.display()))
    };
    let (mut ours, theirs) = UnixStream::pair().map_err(|error| cannot("reached", error))?;
    let noise =
        std::io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from);
    let child = Command::new(examiner)
        .arg(PRIVATE)
        .arg(file)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(noise)
        .process_group(0)
        .spawn()
        .map_err(|error| cannot("started", error))?;
    let mut child = Examination { child, reaped: false };
    let nonce = nonce();
    ours.write_all(format!("{nonce}\n{}\n", id.to_text()).as_bytes())
        .and_then(|()| ours.set_nonblocking(true))
        .map_err(|error| cannot("reached", error))?;
    match child.listen(&mut ours, &nonce) {
        Answer::Whole(outcome) => Ok(outcome),
        Answer::OtherVersion(theirs) => Err(NotExamined(format!(
            "the helper {} is of version {theirs}, this program needs {}",
            examiner.display(),
            env!("CARGO_PKG_VERSION")
        ))),
        Answer::None => Ok(Err(child.ending())),
    }
}

/// Examines the file in this process: for debugging, with everything that can happen.
pub fn examine_here(file: &Path, id: FileId) -> Outcome {
    library::open(file, id).map(|loaded| loaded.info)
}

/// Not to be guessed by what prints into every descriptor it finds.
fn nonce() -> String {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw())
}

/// A child under examination. Dropping it kills it and what it started.
struct Examination {
    child: Child,
    reaped: bool,
}

impl Examination {
    /// Reads until the answer is whole, until the child is gone, or until its time is over. An end mark
    /// alone proves nothing: anybody can write one.
    fn listen(&mut self, channel: &mut UnixStream, nonce: &str) -> Answer {
        let deadline = real_millis() + LIMIT_MS;
        let (mut answer, mut open) = (Vec::new(), true);
        let mut piece = [0; 4096];
        loop {
            let alive = self.is_alive();
            // What a child left behind when it ended is still read.
            while open {
                match channel.read(&mut piece) {
                    Ok(0) => open = false,
                    Ok(length) => answer.extend_from_slice(&piece[..length]),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    Err(_) => open = false,
                }
                if answer.len() > MAX_ANSWER {
                    open = false;
                }
            }
            let read = read_answer(&answer, nonce);
            if !matches!(read, Answer::None) || !alive || real_millis() >= deadline {
                return read;
            }
            wait_readable(open.then_some(&*channel));
        }
    }

    /// Whether the child has not ended. It is not reaped, so that its number stays its own.
    fn is_alive(&self) -> bool {
        // SAFETY: all zero is a value of this struct, and the place is valid.
        unsafe {
            let mut found: libc::siginfo_t = std::mem::zeroed();
            let how = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            libc::waitid(libc::P_PID, self.child.id(), &mut found, how) == 0 && found.si_pid() == 0
        }
    }

    /// Ends the child and all it started, and gives the sentence about one without a complete answer.
    fn ending(&mut self) -> String {
        let in_time = !self.is_alive();
        match self.end().filter(|_| in_time) {
            None => format!(
                "did not finish within {} s; skipped until the file changes",
                LIMIT_MS / 1000
            ),
            Some(status) => match status.signal() {
                Some(signal) => format!(
                    "crashed while being examined (signal {signal}, {}); it is skipped until the file changes",
                    signal_name(signal)
                ),
                None => format!(
                    "ended without a complete answer (exit code {}); skipped",
                    status.code().unwrap_or(-1)
                ),
            },
        }
    }

    fn end(&mut self) -> Option<ExitStatus> {
        self.reaped = true;
        if let Ok(group) = i32::try_from(self.child.id()) {
            // SAFETY: the child leads a group of its own, whose number is taken until it is reaped.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
        self.child.wait().ok()
    }
}

impl Drop for Examination {
    fn drop(&mut self) {
        // Once reaped, the number may be another's.
        if !self.reaped {
            self.end();
        }
    }
}

/// Milliseconds of the machine's own clock: a child is real, also when the program's time is simulated.
fn real_millis() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place for one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Waits until there is something to read, one step at most.
fn wait_readable(channel: Option<&UnixStream>) {
    let mut entry = libc::pollfd {
        fd: channel.map_or(-1, AsRawFd::as_raw_fd),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid entry; a negative descriptor is passed over.
    unsafe { libc::poll(&mut entry, 1, STEP_MS as i32) };
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGABRT => "SIGABRT",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGTERM => "SIGTERM",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTRAP => "SIGTRAP",
        _ => "a signal",
    }
}

enum Answer {
    Whole(Outcome),
    OtherVersion(String),
    None,
}

fn answer(outcome: &Outcome, nonce: &str) -> String {
    let body = report::to_text(outcome);
    let sum = report::checksum(body.as_bytes());
    format!(
        "{OPENING} {} {nonce} {} {sum:016x}\n{body}{END}",
        env!("CARGO_PKG_VERSION"),
        body.len()
    )
}

fn read_answer(bytes: &[u8], nonce: &str) -> Answer {
    let read = || {
        let (head, rest) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
        let words: Vec<&str> = head.split(' ').collect();
        let [OPENING, version, theirs, length, sum] = words[..] else { return None };
        if theirs != nonce {
            return None;
        }
        if version != env!("CARGO_PKG_VERSION") {
            return Some(Answer::OtherVersion(version.to_owned()));
        }
        let body = rest.strip_suffix(END)?;
        let is_whole = length.parse() == Ok(body.len())
            && u64::from_str_radix(sum, 16) == Ok(report::checksum(body.as_bytes()));
        let mut lines = body.lines();
        let outcome =
            report::from_lines(&mut lines).filter(|_| is_whole && lines.next().is_none())?;
        Some(Answer::Whole(outcome))
    };
    read().unwrap_or(Answer::None)
}

/// The whole of the program `gst-mini-scanner`. By hand (`gst-mini-scanner FILE`) it prints the outcome.
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a program of its own")]
pub fn run(arguments: &[std::ffi::OsString]) -> ExitCode {
    match arguments {
        [mode, file] if mode == PRIVATE => match serve(Path::new(file)) {
            Some(()) => ExitCode::SUCCESS,
            None => ExitCode::from(2),
        },
        [file] if !file.to_string_lossy().starts_with('-') => {
            let file = Path::new(file);
            match files::check(file).and_then(|id| examine_here(file, id)) {
                Ok(info) => {
                    print!("{}", report::to_text(&Ok(info)));
                    ExitCode::SUCCESS
                }
                Err(why) => {
                    eprintln!("plugin \"{}\": {why}", file.display());
                    ExitCode::FAILURE
                }
            }
        }
        _ => {
            eprintln!(
                "usage: {PROGRAM} FILE\nIt opens the plugin FILE in its own process; gst-mini starts it for each new plugin."
            );
            ExitCode::from(2)
        }
    }
}

fn serve(file: &Path) -> Option<()> {
    let mut channel = BufReader::new(private_channel()?);
    let mut line = || {
        let mut line = String::new();
        channel.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let (nonce, id) = (line()?, FileId::from_text(&line()?)?);
    let outcome = match FileId::at(file) {
        Some(now) if now == id => examine_here(file, id),
        _ => Err("changed on disk while it was examined; try again".to_owned()),
    };
    channel.into_inner().write_all(answer(&outcome, &nonce).as_bytes()).ok()
}

/// Moves the channel from standard input to a number nobody looks for, and makes the standard streams
/// harmless.
fn private_channel() -> Option<File> {
    // SAFETY: these calls change descriptors and limits of this process, which has one thread and owns
    // them; each result is checked before it is used.
    unsafe {
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
        // A plugin that crashes here is expected; it leaves no core file behind.
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        let channel = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 100);
        if channel < 0 {
            return None;
        }
        let channel = File::from_raw_fd(channel);
        let nothing = std::fs::File::open("/dev/null").ok()?;
        if libc::dup2(nothing.as_raw_fd(), 0) < 0 || libc::dup2(2, 1) < 0 {
            return None;
        }
        Some(channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_only_whole_and_with_its_nonce() {
        let outcome = Err("why \"not\"".to_owned());
        let text = answer(&outcome, "a1");
        assert!(
            matches!(read_answer(text.as_bytes(), "a1"), Answer::Whole(read) if read == outcome)
        );
        assert!(matches!(read_answer(text.as_bytes(), "a2"), Answer::None));
        for length in 0..text.len() {
            assert!(
                matches!(read_answer(&text.as_bytes()[..length], "a1"), Answer::None),
                "{length}"
            );
        }
        let changed = text.replace("why", "who");
        assert!(matches!(read_answer(changed.as_bytes(), "a1"), Answer::None));
        let other = text.replacen(env!("CARGO_PKG_VERSION"), "99.0.0", 1);
        assert!(matches!(read_answer(other.as_bytes(), "a1"), Answer::OtherVersion(_)));
    }
}
