//! The rules that look at one file at a time, and the one about names of elements.
//!
//! Invariant: a rule names what to do instead, and where it does not apply.
//! Left out: which module may use which: `layers`.

use std::collections::BTreeSet;

use super::source::{line_of, word_offsets};
use super::{File, Finding};

/// Above this a file probably holds two concepts; above the second it certainly does.
const LINES_WARN: usize = 500;
const LINES_FAIL: usize = 900;

/// The only place that may block, spawn or read time, so that the simulator can replace it.
const RUNTIME: &str = "gst-mini-core/src/runtime/";

/// Words that only the runtime may say.
const RUNTIME_WORDS: &[&str] = &["std::thread", "Instant", "SystemTime", "Condvar"];

/// The parts of a concept file's explanation, after what it is.
const LABELS: &[&str] = &["Invariant:", "In GStreamer:", "Left out:"];

/// Files directly in core's `src` that explain no concept: they list what others do.
const NO_CONCEPT: &[&str] = &["lib.rs", "prelude.rs", "element_prelude.rs"];

/// Names that core may say although an element bears them, with the reason.
const NAMES_OF_CORE: &[(&str, &str)] =
    &[("capsfilter", "caps between two ! of a launch line are one")];

/// Programs that a page shows whole: the page, and the file that the tests compile and run.
const SHOWN_PROGRAMS: &[(&str, &str)] = &[("README.md", "tests/embedding/src/main.rs")];

/// A program shown in a page is the one that is tested, but for its `//!` lines.
pub fn shown_programs(files: &[File]) -> Vec<Finding> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| &file.text);
    let missing = |(page, program): &&(&str, &str)| {
        let (Some(shown), Some(tested)) = (text(page), text(program)) else { return false };
        let code: Vec<&str> = tested.lines().filter(|line| !line.starts_with("//!")).collect();
        !shown.contains(code.join("\n").trim())
    };
    let finding = |(page, program): &(&str, &str)| {
        Finding::new(page, 1, format!("shows {program}, but not as it is now; copy it again"))
    };
    SHOWN_PROGRAMS.iter().filter(missing).map(finding).collect()
}

/// All rules that look at one file.
pub fn check(file: &File) -> Vec<Finding> {
    let mut findings = text_rules(file);
    if file.path.ends_with(".rs") {
        findings.extend(opening(file));
        findings.extend(size(file));
        findings.extend(runtime_words(file));
        findings.extend(sleeps(file));
    }
    findings
}

fn opening(file: &File) -> Vec<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    let mut findings = Vec::new();
    if !first.starts_with("//!") && !first.contains("@generated") {
        findings.push(Finding::new(&file.path, 1, "the first line must be //! and say what it is"));
    }
    let concept = file.path.strip_prefix("gst-mini-core/src/");
    if concept.is_some_and(|name| !name.contains('/') && !NO_CONCEPT.contains(&name)) {
        let doc: Vec<&str> = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
        for label in LABELS {
            let labeled = format!("//! {label}");
            if !doc.iter().any(|line| line.starts_with(&labeled)) {
                let text = format!("the explanation of a concept has a part \"{label}\"");
                findings.push(Finding::new(&file.path, 1, text));
            }
        }
    }
    findings
}

fn size(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    let text = format!(
        "{lines} lines: split by concept (warned above {LINES_WARN}, refused above {LINES_FAIL})"
    );
    let is_warning = lines <= LINES_FAIL;
    (lines > LINES_WARN).then(|| Finding { is_warning, ..Finding::new(&file.path, 1, text) })
}

fn runtime_words(file: &File) -> Vec<Finding> {
    let is_bound = ["gst-mini-core/src/", "gst-mini-elements/src/"]
        .iter()
        .any(|folder| file.path.starts_with(folder));
    let Some(source) = file.source.as_ref().filter(|_| is_bound) else { return Vec::new() };
    if file.path.starts_with(RUNTIME) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for word in RUNTIME_WORDS {
        for offset in word_offsets(&source.shipped, word) {
            let text = format!(
                "{word}: in core and elements only {RUNTIME} blocks, spawns and reads time, so that \
                 a simulator can; use gst_mini_core::runtime (tests are exempt)"
            );
            findings.push(Finding::new(&file.path, line_of(&source.shipped, offset), text));
        }
    }
    findings
}

fn sleeps(file: &File) -> Vec<Finding> {
    let Some(source) = file.source.as_ref().filter(|_| !file.path.starts_with(RUNTIME)) else {
        return Vec::new();
    };
    word_offsets(&source.code, "thread::sleep")
        .map(|offset| {
            let text = "thread::sleep: nothing can interrupt it, in tests neither; wait on the \
                        runtime, on a channel with a timeout, or turn a simulated clock";
            Finding::new(&file.path, line_of(&source.code, offset), text)
        })
        .collect()
}

fn text_rules(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut note = |text: String| findings.push(Finding::new(&file.path, index + 1, text));
        if line.ends_with([' ', '\t']) {
            note("space at the end of the line".to_owned());
        }
        if let Some(reference) = line_reference(line) {
            note(format!("{reference}: cite a path and a symbol; line numbers move"));
        }
        if let Some(path) = machine_path(line) {
            note(format!("{path}: a path of one machine"));
        }
    }
    findings
}

/// A citation like `gstpad.c` with a colon and a line number.
fn line_reference(line: &str) -> Option<String> {
    [".c:", ".h:", ".y:", ".py:", ".in:"].iter().find_map(|ending| {
        line.match_indices(ending).find_map(|(offset, _)| {
            let after = &line[offset + ending.len()..];
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            let name = line[..offset].rsplit(|c: char| !(c.is_alphanumeric() || "_-/".contains(c)));
            let name = name.into_iter().next().unwrap_or_default();
            let is_reference = !digits.is_empty() && !name.is_empty();
            is_reference.then(|| format!("{name}{ending}{digits}"))
        })
    })
}

/// A path below a folder that only some machines have.
fn machine_path(line: &str) -> Option<String> {
    // Put together here, or this file would be a finding.
    ["work", "root", "farm", "home", "Users"].iter().find_map(|top| {
        let path = format!("/{top}/");
        line.match_indices(&path).find_map(|(offset, _)| {
            let before = line[..offset].chars().next_back();
            let stands_first = !before.is_some_and(|c| c.is_alphanumeric() || "_-.*}".contains(c));
            stands_first.then(|| path.clone())
        })
    })
}

/// Core knows no element by name: a name in a literal of core is a special case in the making.
pub fn element_names_in_core(files: &[File]) -> Vec<Finding> {
    let names = element_names(files);
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("gst-mini-core/src/")) {
        let Some(source) = &file.source else { continue };
        for (line, literal) in &source.literals {
            let is_granted = NAMES_OF_CORE.iter().any(|(name, _)| name == literal);
            if names.contains(literal.as_str()) && !is_granted {
                let text = format!("\"{literal}\" is an element: core knows no element by name");
                findings.push(Finding::new(&file.path, *line, text));
            }
        }
    }
    findings
}

/// What follows `const NAME: &str =` in the crates that hold elements.
fn element_names(files: &[File]) -> BTreeSet<&str> {
    let holds_elements = |file: &&File| {
        let top = file.path.split('/').next().unwrap_or_default();
        top == "gst-mini-elements" || top.starts_with("gst-mini-plugin-")
    };
    files
        .iter()
        .filter(holds_elements)
        .flat_map(|file| file.text.split("const NAME: &str = \"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn findings(path: &str, text: &str) -> Vec<(usize, String)> {
        let found = check(&File::new(path, text));
        found.into_iter().map(|finding| (finding.line, finding.text)).collect()
    }

    #[track_caller]
    fn finds(path: &str, text: &str, line: usize, part: &str) {
        let found = findings(path, text);
        assert!(found.iter().any(|(at, text)| *at == line && text.contains(part)), "{found:?}");
    }

    #[track_caller]
    fn finds_nothing(path: &str, text: &str) {
        assert_eq!(findings(path, text), []);
    }

    const CONCEPT: &str =
        "//! A pad.\n//!\n//! Invariant: a.\n//! In GStreamer: b.\n//! Left out: c.\n";

    #[test]
    fn file_without_an_explanation_is_found() {
        finds("gst-mini-tools/src/main.rs", "fn main() {}\n", 1, "must be //!");
        finds_nothing("gst-mini-tools/src/main.rs", "//! The program.\nfn main() {}\n");
        finds_nothing("gst-mini-tools/src/table.rs", "// @generated\nfn main() {}\n");
    }

    #[test]
    fn concept_without_one_of_its_labels_is_found() {
        finds_nothing("gst-mini-core/src/pad.rs", CONCEPT);
        for label in LABELS {
            let text = CONCEPT.replace(label, "Else:");
            finds("gst-mini-core/src/pad.rs", &text, 1, label);
            finds_nothing("gst-mini-core/src/pad/flow.rs", &text);
            finds_nothing("gst-mini-core/src/prelude.rs", &text);
        }
    }

    #[test]
    fn time_and_threads_outside_the_runtime_are_found() {
        for code in
            ["std::thread::spawn(f)", "Instant::now()", "SystemTime::now()", "Condvar::new()"]
        {
            let text = format!("{CONCEPT}fn f() {{ {code}; }}\n");
            finds("gst-mini-core/src/pad.rs", &text, 6, "runtime");
            finds("gst-mini-elements/src/queue.rs", &text, 6, "runtime");
            finds_nothing("gst-mini-core/src/runtime/os.rs", &text);
            finds_nothing("gst-mini-core/tests/pad.rs", &text);
            finds_nothing("gst-mini-plugin-s3/src/lib.rs", &text);
            let test = format!("{CONCEPT}#[cfg(test)]\nmod tests {{\n fn f() {{ {code}; }}\n}}\n");
            finds_nothing("gst-mini-core/src/pad.rs", &test);
            let comment = format!("{CONCEPT}// {code}\n");
            finds_nothing("gst-mini-core/src/pad.rs", &comment);
        }
    }

    #[test]
    fn program_that_a_page_shows_must_be_the_tested_one() {
        let tested = File::new("tests/embedding/src/main.rs", "//! Doc.\n\nfn main() {}\n");
        let page = |code: &str| File::new("README.md", &format!("# A\n```rust\n{code}\n```\n"));
        assert!(shown_programs(&[page("fn main() {}"), tested]).is_empty());
        let changed = File::new("tests/embedding/src/main.rs", "//! Doc.\n\nfn main() { f(); }\n");
        assert_eq!(shown_programs(&[page("fn main() {}"), changed]).len(), 1);
    }

    #[test]
    fn sleep_in_a_test_is_found() {
        let text = "//! A test.\nfn f() { std::thread::sleep(d); }\n";
        finds("gst-mini-elements/tests/queue.rs", text, 2, "thread::sleep");
        finds("gst-mini-examples/examples/a.rs", text, 2, "thread::sleep");
        finds_nothing("gst-mini-core/src/runtime/os.rs", text);
    }

    #[test]
    fn file_of_several_concepts_is_warned_about_then_refused() {
        let lines = |count: usize| format!("//! Long.\n{}", "fn f() {}\n".repeat(count - 1));
        let long = |count| size(&File::new("xtask/src/a.rs", &lines(count)));
        assert_eq!(long(500), None);
        assert!(long(501).is_some_and(|finding| finding.is_warning));
        assert!(long(901).is_some_and(|finding| !finding.is_warning));
    }

    #[test]
    fn citation_by_line_number_is_found() {
        // Put together here, or this file would be a finding.
        let cited = |name: &str, line: u32| format!("{name}:{line}");
        let line = format!("see {}, the push", cited("gst/gstpad.c", 12));
        assert_eq!(line_reference(&line), Some(cited("gst/gstpad.c", 12)));
        let line = format!("as in {}.", cited("pad.py", 7));
        assert_eq!(line_reference(&line), Some(cited("pad.py", 7)));
        assert_eq!(line_reference("`gst/gstpad.c`: the pad; a.c: 12"), None);
        assert_eq!(line_reference("t.c:x and .c:9"), None);
    }

    #[test]
    fn path_of_one_machine_is_found_and_a_url_is_not() {
        let path = |top: &str, rest: &str| format!("open(\"/{top}/{rest}\")");
        assert!(machine_path(&path("work", "x")).is_some());
        assert!(machine_path(&path("home", "me/x")).is_some());
        assert_eq!(machine_path(&path("tmp", "x")), None);
        assert_eq!(machine_path(&format!("s3://bucket/{}/x", "work")), None);
        assert_eq!(machine_path(&format!("/{}x/", "work")), None);
    }

    #[test]
    fn space_at_the_end_of_a_line_is_found() {
        finds("README.md", "a\nb \n", 2, "space at the end");
        finds_nothing("README.md", "a\nb\n");
    }

    #[test]
    fn element_named_in_core_is_found_but_for_what_the_syntax_needs() {
        let element =
            File::new("gst-mini-elements/src/queue.rs", "    const NAME: &str = \"queue\";");
        let filter = File::new("gst-mini-elements/src/f.rs", "const NAME: &str = \"capsfilter\";");
        let core = File::new(
            "gst-mini-core/src/bin.rs",
            "//! A.\nfn f() { g(\"queue\", \"capsfilter\", \"a queue\") }",
        );
        let found = element_names_in_core(&[element, filter, core]);
        let places: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(places, [2]);
    }
}
