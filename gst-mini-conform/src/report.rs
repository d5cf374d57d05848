//! What is printed: a line for each kind, differences where asked for, the sum.
//!
//! Invariant: the sum counts every case that is no information, excused or not.
//! Left out: exit codes, which are main's.

use std::collections::BTreeMap;

use crate::case::{Case, Difference};

/// Cases that differ for a reason that is written down: `ID reason` on each line, `#` begins a comment.
#[derive(Default)]
pub struct Excuses(BTreeMap<String, String>);

impl Excuses {
    /// Reads the list.
    pub fn read(text: &str) -> Excuses {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once(char::is_whitespace));
        Excuses(pairs.map(|(id, why)| (id.to_owned(), why.trim().to_owned())).collect())
    }

    fn of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    is_information: bool,
}

/// The counts of a run.
#[derive(Default)]
pub struct Report {
    order: Vec<String>,
    counts: BTreeMap<String, Count>,
    excused: usize,
}

impl Report {
    /// Counts a case; the text to print about it, if there is anything to tell.
    pub fn note(
        &mut self,
        case: &Case,
        outcome: &Result<(), Difference>,
        excuses: &Excuses,
        show: bool,
    ) -> Option<String> {
        let kind = case.counted_as();
        if !self.counts.contains_key(&kind) {
            self.order.push(kind.clone());
        }
        let count = self.counts.entry(kind).or_default();
        count.is_information = case.is_information();
        let Err(difference) = outcome else {
            count.passed += 1;
            return None;
        };
        count.failed += 1;
        let excuse = excuses.of(&case.id);
        if excuse.is_some() && !count.is_information {
            self.excused += 1;
        }
        let excuse = excuse.map(|why| format!("\n  known: {why}")).unwrap_or_default();
        (show && !count.is_information).then(|| {
            format!(
                "{}: {}\n  expected {}\n  got      {}{excuse}",
                case.id, difference.at, difference.expected, difference.got
            )
        })
    }

    /// Passed and failed, information not counted.
    pub fn sums(&self) -> (usize, usize) {
        let counted = self.counts.values().filter(|count| !count.is_information);
        counted
            .fold((0, 0), |(passed, failed), count| (passed + count.passed, failed + count.failed))
    }

    /// Whether every failure is on the list of excuses, and they are at most one in a hundred.
    pub fn is_good(&self) -> bool {
        let (passed, failed) = self.sums();
        failed == self.excused && failed * 100 <= passed + failed
    }

    /// The lines at the end.
    pub fn lines(&self) -> Vec<String> {
        let of_kind = |kind: &String| {
            let count = &self.counts[kind];
            format!("{kind}: {} passed, {} failed", count.passed, count.failed)
        };
        let mut lines: Vec<String> = self.order.iter().map(of_kind).collect();
        if self.excused > 0 {
            lines.push(format!("{} of the failures are known, each with its reason", self.excused));
        }
        let (passed, failed) = self.sums();
        lines.push(format!("{passed} passed, {failed} failed"));
        lines
    }
}
