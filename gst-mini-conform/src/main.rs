//! `gst-mini-conform [DIR] [--kind K] [--id ID] [--seed N] [--show]`: the program behind `cargo xtask conform`.
//!
//! Exit codes: 0 all pass but the known ones, 1 others failed, 2 wrong usage or nothing to read.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gst_mini_conform::case::{Case, Difference};
use gst_mini_conform::kinds;
use gst_mini_conform::report::{Excuses, Report};

// The elements register themselves; an unnamed crate would not be linked.
use gst_mini_elements as _;

const USAGE: &str = "usage: cargo xtask conform [DIR] [--kind K] [--id ID] [--seed N] [--show]
  DIR        folder with *.jsonl files (default: tests/vectors)
  --kind K   only this kind
  --id ID    only the case of that name, and show it
  --seed N   choose with this seed which thread goes on (default: each in turn, until it waits)
  --show     print expected against got for every case that failed";

#[derive(Default)]
struct Wanted {
    folder: Option<PathBuf>,
    kind: Option<String>,
    id: Option<String>,
    seed: Option<u64>,
    show: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|word| word == "-h" || word == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match wanted(&arguments).and_then(|wanted| run(&wanted)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("conform: {text}");
            ExitCode::from(2)
        }
    }
}

fn wanted(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or(format!("{word} needs a value\n{USAGE}"));
        match word.as_str() {
            "--kind" => wanted.kind = Some(value()?),
            "--id" => wanted.id = Some(value()?),
            "--seed" => {
                let text = value()?;
                let seed = text.parse().map_err(|_| format!("\"{text}\" is no seed"))?;
                wanted.seed = Some(seed);
            }
            "--show" => wanted.show = true,
            word if word.starts_with('-') || wanted.folder.is_some() => {
                return Err(format!("\"{word}\" is not understood\n{USAGE}"));
            }
            folder => wanted.folder = Some(folder.into()),
        }
    }
    if let Some(kind) = wanted.kind.as_deref().filter(|kind| kinds::find(kind).is_none()) {
        let known: Vec<&str> = kinds::KINDS.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no kind \"{kind}\"; there are: {}", known.join(", ")));
    }
    Ok(wanted)
}

fn run(wanted: &Wanted) -> Result<bool, String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let folder = wanted.folder.clone().unwrap_or(own);
    let excuses = Excuses::read(include_str!("../known.txt"));
    // A case that panics is a case that failed; its text is in the report.
    std::panic::set_hook(Box::new(|_| ()));
    let mut report = Report::default();
    let mut any = false;
    for file in files(&folder)? {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut case = Case::read(line, &stem)
                .map_err(|error| format!("{}, line {}: {error}", file.display(), at + 1))?;
            let is_other = |wanted: &Option<String>, own: &str| {
                wanted.as_deref().is_some_and(|wanted| wanted != own)
            };
            if is_other(&wanted.kind, &case.kind) || is_other(&wanted.id, &case.id) {
                continue;
            }
            any = true;
            case.seed = wanted.seed;
            let outcome: Result<(), Difference> = case.replay();
            let show = wanted.show || wanted.id.is_some();
            if let Some(text) = report.note(&case, &outcome, &excuses, show) {
                println!("{text}");
            }
        }
    }
    if !any {
        return Err(format!("{}: no case was found that was asked for", folder.display()));
    }
    report.lines().iter().for_each(|line| println!("{line}"));
    Ok(report.is_good())
}

/// The recordings of a folder, in the order of the kinds.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    let place = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known = kinds::KINDS.iter().position(|(name, _)| *name == stem);
        (known.unwrap_or(usize::MAX), stem)
    };
    files.sort_by_key(place);
    Ok(files)
}
