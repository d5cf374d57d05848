//! The same launch lines through `gst-launch-1.0` and through `gst-mini launch`, buffer by buffer.
//!
//! Every `fakesink` is made to tell what it gets; its caps and each buffer's size, times, offsets and
//! flags must be those that GStreamer's has. Files that a line writes must be equal to the byte.
//!
//! Invariant: GStreamer decides; a difference that is meant is listed with its reason, and one that is
//! listed and gone fails too.
//! Left out: contents of what ends in a `fakesink`, and lines whose times depend on a clock.

mod lines;
mod printed;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{clips, players};
use crate::process::{self, Failure, Finished};
use crate::workspace::{Profile, Workspace};
use lines::Line;
use printed::Printed;

/// The committed list.
const LIST: &str = "xtask/differential/lines.txt";
const LIMIT: Duration = Duration::from_secs(30);
/// How often GStreamer is asked what a line does. It loses its word of a sink's caps in one run of
/// thirty behind two multiqueues, though the sink tells of the event.
const ASKED: u32 = 5;
/// Differences shown before the rest is only counted.
const SHOWN: usize = 100;

/// Runs the whole list, or the lines that contain `only`.
pub fn all(workspace: &Workspace, only: Option<&str>) -> Result<String, Failure> {
    let path = workspace.root.join(LIST);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))?;
    let lines = lines::read(&text).map_err(Failure::new)?;
    let folder = clips::fresh(&players::judges_folder(workspace).join("differential"))?;
    let theirs = Side::new("gst-launch-1.0 -v", clips::fresh(&folder.join("theirs"))?);
    let program = workspace.programs(Profile::Dev).join("gst-mini");
    let ours =
        Side::new(&format!("{} launch -v", program.display()), clips::fresh(&folder.join("ours"))?);
    let (mut alike, mut known, mut wrong) = (0, 0, Vec::new());
    for line in lines.iter().filter(|line| only.is_none_or(|only| line.text.contains(only))) {
        let found = compare(line, &theirs, &ours)?;
        let (expected, unexpected): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|difference| line.known.contains_key(difference.field));
        match (unexpected.first(), line.known.is_empty()) {
            (Some(difference), _) => wrong.push(format!("{}\n    {}", line.text, difference.text)),
            (None, true) => alike += 1,
            (None, false) => {
                let seen = |field: &&str| expected.iter().any(|one| one.field == *field);
                match line.known.keys().copied().find(|field| !seen(field)) {
                    None => known += 1,
                    Some(field) => wrong.push(format!(
                        "{}\n    {field} does not differ any more; take it out of {LIST}",
                        line.text
                    )),
                }
            }
        }
    }
    if wrong.is_empty() {
        return Ok(format!("{alike} lines alike, {known} with a known difference"));
    }
    let shown = wrong.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    Err(Failure::new(format!(
        "{shown}\n{} lines differ from GStreamer, {alike} do not, {known} differ as listed",
        wrong.len()
    )))
}

/// One of the two programs, and the folder its files go to.
struct Side {
    program: String,
    folder: PathBuf,
}

impl Side {
    fn new(program: &str, folder: PathBuf) -> Side {
        Side { program: program.to_owned(), folder }
    }

    fn run(&self, line: &Line) -> Result<Finished, Failure> {
        // A shell takes quotes and parentheses as it does where people type.
        let text = line.told().replace("{out}", &self.folder.display().to_string());
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("exec {} {text}", self.program));
        // No library of the machine may print colours or translate.
        command.env("LC_ALL", "C").env("GST_DEBUG_NO_COLOR", "1").env_remove("GST_DEBUG");
        process::collect(command, LIMIT, || ())
    }
}

/// One thing that is not the same.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// `outcome`, `caps`, `count`, `files` or a column of a buffer.
    pub field: &'static str,
    /// A sentence with both sides.
    pub text: String,
}

/// Runs `line` in both programs; GStreamer is asked again while its answer differs from ours in a
/// way that is not listed, as it does not always give the same one. Ours runs once.
fn compare(line: &Line, theirs: &Side, ours: &Side) -> Result<Vec<Difference>, Failure> {
    let (their_run, our_run) = thread::scope(|scope| {
        let their_run = scope.spawn(|| theirs.run(line));
        let our_run = ours.run(line);
        (their_run.join(), our_run)
    });
    let mut their_run = their_run.map_err(|_| Failure::new("a thread of the judge panicked"))??;
    let our_run = our_run?;
    let mut found = differences(&their_run, theirs, &our_run, ours)?;
    for _ in 1..ASKED {
        if found.iter().all(|difference| line.known.contains_key(difference.field)) {
            break;
        }
        their_run = theirs.run(line)?;
        found = differences(&their_run, theirs, &our_run, ours)?;
    }
    // The next line is not to be blamed for this line's files.
    if found.iter().any(|difference| difference.field == "files") {
        for path in crate::workspace::list(&theirs.folder)? {
            let Some(name) = path.file_name() else { continue };
            std::fs::copy(&path, ours.folder.join(name)).map_err(|error| {
                Failure::new(format!("{} cannot be copied: {error}", path.display()))
            })?;
        }
    }
    Ok(found)
}

/// What differs between two runs of a line.
fn differences(
    their_run: &Finished,
    theirs: &Side,
    our_run: &Finished,
    ours: &Side,
) -> Result<Vec<Difference>, Failure> {
    if their_run.success() != our_run.success() {
        let text = format!(
            "GStreamer {}, GstMini {}: {}",
            their_run.ending(),
            our_run.ending(),
            process::tail(if our_run.success() { &their_run.stderr } else { &our_run.stderr }, 3)
                .replace('\n', " ")
        );
        return Ok(vec![Difference { field: "outcome", text }]);
    }
    if !their_run.success() {
        // How far a stream got before it failed depends on threads.
        return Ok(Vec::new());
    }
    let mut found = Printed::read(&their_run.stdout).differences(&Printed::read(&our_run.stdout));
    found.extend(files(&theirs.folder, &ours.folder)?);
    Ok(found)
}

/// What differs among the files that were written so far.
fn files(theirs: &Path, ours: &Path) -> Result<Option<Difference>, Failure> {
    let read = |path: &Path| std::fs::read(path).unwrap_or_default();
    for path in crate::workspace::list(theirs)? {
        let Some(name) = path.file_name() else { continue };
        let (their, our) = (read(&path), read(&ours.join(name)));
        if their != our {
            let at = their.iter().zip(&our).position(|(a, b)| a != b);
            let text = format!(
                "{}: {} bytes against {}, the first that differs is {}",
                name.display(),
                their.len(),
                our.len(),
                at.unwrap_or(their.len().min(our.len()))
            );
            return Ok(Some(Difference { field: "files", text }));
        }
    }
    Ok(None)
}
