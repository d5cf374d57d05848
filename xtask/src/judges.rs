//! Programs that others made judge what the project makes: players, and a store with signatures.
//!
//! Invariant: a judge decides by its own reading of the result; nothing of ours is asked.
//! Left out: Apple's validator, which runs on its own systems only.

mod clips;
mod differential;
mod lesson;
mod outage;
mod players;
mod recording;
mod serve;
mod store;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{self, Failure, find_program};
use crate::test::{Step, Verdict, run_quietly};
use crate::workspace::{Profile, Workspace};
use crate::{demo, plugins};
use recording::Recording;

/// The demo that the players judge, the main job; its rate, and the seconds of its segments.
const DEMO: &str = "full-pipeline";
const DEMO_RATE: recording::Rate = (30, 1);
const DEMO_TARGET: f64 = 6.0;
/// What its camera gives in its 20 seconds.
const DEMO_FRAMES: u64 = 600;

/// All judges, those that need least first.
pub fn steps() -> Vec<Step> {
    let recordings =
        "cargo test --package gst-mini-elements --test hls_players -- --ignored".to_owned();
    vec![
        judge("differential", |workspace| match missing(&["gst-launch-1.0"]) {
            Some(missing) => Ok(missing),
            None => {
                plugins::build_programs(workspace, Profile::Dev)?;
                let only = std::env::var("DIFFERENTIAL").ok();
                differential::all(workspace, only.as_deref()).map(Verdict::Passed)
            }
        }),
        Step {
            name: "recordings",
            repeat: recordings,
            run: Box::new(|workspace| {
                if let Some(missing) = missing(&["ffmpeg", "ffprobe", "gst-launch-1.0"]) {
                    return Ok(missing);
                }
                let mut command = workspace.cargo();
                command.args(["test", "--package", "gst-mini-elements", "--test", "hls_players"]);
                command.args(["--", "--ignored"]);
                run_quietly(command)
            }),
        },
        judge("demo", |workspace| match missing(&["ffmpeg", "ffprobe"]) {
            Some(missing) => Ok(missing),
            None => in_time(|| demo_is_whole(workspace)),
        }),
        judge("gstreamer", |workspace| match missing(&["gst-launch-1.0"]) {
            Some(missing) => Ok(missing),
            None => {
                let recording = demo_recording(workspace)?;
                players::gstreamer(&recording.folder, &recording.playlist)?;
                Ok(Verdict::Passed("playbin3 to EOS".to_owned()))
            }
        }),
        judge("hls.js", |workspace| match players::browser_missing(workspace) {
            Some(missing) => Ok(Verdict::Skipped(missing)),
            None => {
                let recording = demo_recording(workspace)?;
                let frames = players::count_frames(&recording.path())?;
                let (folder, playlist) = (&recording.folder, &recording.playlist);
                in_time(|| players::browser(workspace, folder, playlist, frames))?;
                Ok(Verdict::Passed(format!("{frames} frames shown, 0 dropped")))
            }
        }),
        judge("lesson", |workspace| in_time(|| lesson::holds(workspace)).map(Verdict::Passed)),
        judge("clips", |workspace| match missing(&["ffmpeg", "ffprobe"]) {
            Some(missing) => Ok(missing),
            None => {
                plugins::build(workspace, Profile::Release)?;
                clips::all(workspace).map(Verdict::Passed)
            }
        }),
        judge("s3-server", |workspace| match store::missing(workspace) {
            Some(missing) => Ok(Verdict::Skipped(missing)),
            None => {
                plugins::build(workspace, Profile::Release)?;
                store::signed_upload(workspace).map(Verdict::Passed)
            }
        }),
    ]
}

/// Runs what happens in real time: a machine that is busy with something else for a moment misses frames, which
/// says nothing of the program. Holding once in three times is holding; each failure is told.
fn in_time<T>(run: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    const TIMES: u32 = 3;
    for _ in 1..TIMES {
        match run() {
            Ok(done) => return Ok(done),
            Err(failure) => println!("{failure}\nonce more, as it is about real time"),
        }
    }
    run()
}

fn judge(
    name: &'static str,
    run: impl FnOnce(&Workspace) -> Result<Verdict, Failure> + 'static,
) -> Step {
    let repeat = match name {
        "gstreamer" | "hls.js" => format!("cargo xtask test --only demo --only {name}"),
        _ => format!("cargo xtask test --only {name}"),
    };
    Step { name, repeat, run: Box::new(run) }
}

/// Runs the demo and checks what it stored against what it says, frame by frame.
fn demo_is_whole(workspace: &Workspace) -> Result<Verdict, Failure> {
    let demo = demo::find(workspace.demos()?, DEMO)?;
    clips::fresh(&demo_folder(workspace))?;
    let command = demo::prepare(workspace, &demo)?;
    let printed = process::read(command, Duration::from_secs(120))?;
    let stored = stored_frames(&printed).ok_or_else(|| {
        Failure::new(format!("{printed}\nthe demo's table has no line with the frames stored"))
    })?;
    if stored.abs_diff(DEMO_FRAMES) > 2 {
        let text = format!("{printed}\n{stored} frames stored, not {DEMO_FRAMES}");
        return Err(Failure::new(text));
    }
    let recording = demo_recording(workspace)?;
    let whole = players::judges_folder(workspace).join("demo.mp4");
    let counted = recording.check_times(DEMO_RATE, DEMO_TARGET, &whole)?;
    if counted != stored {
        let text = format!("{}: {counted} frames, the table says {stored}", recording.path());
        return Err(Failure::new(text));
    }
    players::ffmpeg(&recording.path(), stored)?;
    Ok(Verdict::Passed(format!("{stored} frames, {} segments", recording.segments.len())))
}

fn demo_recording(workspace: &Workspace) -> Result<Recording, Failure> {
    Recording::open(&find_playlist(&demo_folder(workspace))?)
}

fn demo_folder(workspace: &Workspace) -> PathBuf {
    demo::folder(workspace).join(DEMO)
}

/// The playlist below a folder: a demo may store into a bucket's folder there.
fn find_playlist(folder: &Path) -> Result<PathBuf, Failure> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in crate::workspace::list(&folder)? {
            if path.extension().is_some_and(|extension| extension == "m3u8") {
                return Ok(path);
            }
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    Err(Failure::new(format!("{} holds no playlist: run the demo first", folder.display())))
}

/// The number in the table's line about the frames stored.
fn stored_frames(printed: &str) -> Option<u64> {
    let is_it = |line: &&str| line.contains("frames stored");
    let line = printed.lines().rev().find(is_it)?;
    line.split(|letter: char| !letter.is_ascii_digit()).find_map(|word| word.parse().ok())
}

/// The verdict if one of these programs is not there.
fn missing(programs: &[&str]) -> Option<Verdict> {
    let absent = programs.iter().find(|name| find_program([**name]).is_none())?;
    Some(Verdict::Skipped(format!("{absent} is not installed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_stored_are_read_from_the_table() {
        let printed = "frames captured   241\nframes stored     240   in 3 segments\n";
        assert_eq!(stored_frames(printed), Some(240));
        assert_eq!(stored_frames("frames captured 241\n"), None);
    }

    #[test]
    fn program_missing_is_named() {
        let verdict = missing(&["sh", "no-such-player"]);
        assert_eq!(verdict, Some(Verdict::Skipped("no-such-player is not installed".to_owned())));
        assert_eq!(missing(&["sh"]), None);
    }
}
