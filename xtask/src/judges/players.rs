//! Three players that share no code: FFmpeg, GStreamer, and hls.js in Chromium.
//!
//! Invariant: each must show every frame of a recording that ended, without a complaint.
//! Left out: playing while the recording grows; the recording here is complete.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::serve::serve;
use crate::process::{self, Failure, find_program};
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(180);

/// FFmpeg decodes all frames and prints no warning. `playlist` is a path or a URL.
pub fn ffmpeg(playlist: &str, frames: u64) -> Result<(), Failure> {
    let counted = count_frames(playlist)?;
    if counted != frames {
        let text = format!("ffprobe -count_frames {playlist}: {counted} frames, not {frames}");
        return Err(Failure::new(text));
    }
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "warning", "-i", playlist, "-f", "null", "-"]);
    let shown = process::shown(&command);
    let finished = process::collect(command, LIMIT, || ())?;
    if finished.success() && finished.output().trim().is_empty() {
        return Ok(());
    }
    let text = process::tail(&finished.output(), 20);
    Err(Failure::new(format!("{text}\n{shown}: {} and should say nothing", finished.ending())))
}

/// The frames that ffprobe decodes.
pub fn count_frames(playlist: &str) -> Result<u64, Failure> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-count_frames", "-select_streams", "v:0"]);
    command.args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", playlist]);
    let text = process::read(command, LIMIT)?;
    // A playlist's stream is listed twice: once in its program.
    let first = text.split([',', '\n', '\r']).find(|word| !word.trim().is_empty());
    first.and_then(|word| word.trim().parse().ok()).ok_or_else(|| {
        Failure::new(format!("ffprobe -count_frames {playlist} gave no number: {text}"))
    })
}

/// GStreamer's `playbin3` plays to the end of stream, over HTTP: its demuxer takes nothing else.
pub fn gstreamer(folder: &Path, playlist: &str) -> Result<(), Failure> {
    let address = serve(vec![folder.to_owned()])?;
    let mut command = Command::new("gst-launch-1.0");
    command.args(["playbin3", &format!("uri=http://{address}/{playlist}")]);
    command.args(["video-sink=fakesink", "audio-sink=fakesink"]);
    let shown = process::shown(&command);
    let finished = process::collect(command, LIMIT, || ())?;
    let output = finished.output();
    let complains = ["WARNING", "ERROR", "CRITICAL"].iter().any(|word| output.contains(word));
    if finished.success() && output.contains("EOS") && !complains {
        return Ok(());
    }
    let text = process::tail(&output, 20);
    Err(Failure::new(format!("{text}\n{shown}: {} and should reach EOS", finished.ending())))
}

/// What hls.js needs: Chromium, Node and the packages that `.ci/run` installs; or what is missing.
pub fn browser_missing(workspace: &Workspace) -> Option<String> {
    if find_program(["node"]).is_none() {
        return Some("node is not installed".to_owned());
    }
    if chromium().is_none() {
        return Some("chromium is not installed".to_owned());
    }
    let packages = ["hls.js", "puppeteer-core"];
    let modules = judges_folder(workspace).join("node_modules");
    let absent = packages.iter().find(|name| !modules.join(name).is_dir())?;
    Some(format!("npm's {absent} is not in {}", modules.display()))
}

/// hls.js in headless Chromium shows every frame and drops none.
pub fn browser(
    workspace: &Workspace,
    folder: &Path,
    playlist: &str,
    frames: u64,
) -> Result<(), Failure> {
    let chromium = chromium().ok_or_else(|| Failure::new("chromium is not installed"))?;
    let judges = judges_folder(workspace);
    // Node looks for packages from the script's folder upwards.
    let script = judges.join("player.mjs");
    write(&script, include_str!("player.mjs"))?;
    write(&judges.join("player.html"), include_str!("player.html"))?;
    let library = judges.join("node_modules/hls.js/dist");
    let address = serve(vec![folder.to_owned(), judges, library])?;
    let mut command = Command::new("node");
    command.arg(&script).arg(&chromium);
    command.arg(format!("http://{address}/player.html?playlist={playlist}"));
    command.arg((LIMIT.as_secs() - 30).to_string());
    let line = process::read(command, LIMIT)?;
    let expected = [
        format!("\"shown\":{frames},"),
        "\"dropped\":0,".to_owned(),
        "\"ended\":true".to_owned(),
        "\"failure\":null".to_owned(),
    ];
    match expected.iter().find(|part| !line.contains(part.as_str())) {
        None => Ok(()),
        Some(part) => Err(Failure::new(format!("hls.js: {}: should have {part}", line.trim()))),
    }
}

/// Where `.ci/run` puts what the judges need.
pub fn judges_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("judges")
}

fn chromium() -> Option<PathBuf> {
    find_program(["chromium", "chromium-browser", "google-chrome"])
}

/// Writes a file, or says why not.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}
