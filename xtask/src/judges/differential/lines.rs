//! The list of launch lines, and the differences that are meant.
//!
//! ```text
//! # a remark
//! ! caps, flags: why these two differ on the next line
//! fakesrc num-buffers=3 ! fakesink
//! ```
//!
//! Invariant: no difference without a reason.
//! Left out: lines that go on in the next one.

use std::collections::BTreeMap;

/// What can be listed as differing.
pub const FIELDS: [&str; 11] = [
    "outcome",
    "files",
    "caps",
    "count",
    "size",
    "pts",
    "dts",
    "duration",
    "offset",
    "offset-end",
    "flags",
];

/// One launch line.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// As it stands in the list.
    pub text: String,
    /// Fields that differ, with the reason.
    pub known: BTreeMap<&'static str, String>,
}

impl Line {
    /// The line with sinks that tell what they get.
    pub fn told(&self) -> String {
        let word = |word: &str| match word {
            "fakesink" => "fakesink silent=false".to_owned(),
            other => other.to_owned(),
        };
        self.text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}

/// Reads the whole list.
pub fn read(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    let mut known = BTreeMap::new();
    for (index, line) in text.lines().map(str::trim).enumerate() {
        let number = index + 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(listed) = line.strip_prefix("! ") else {
            lines.push(Line { text: line.to_owned(), known: std::mem::take(&mut known) });
            continue;
        };
        let (names, reason) = listed
            .split_once(':')
            .filter(|(_, reason)| !reason.trim().is_empty())
            .ok_or_else(|| format!("line {number}: a known difference needs a reason"))?;
        for name in names.split(',').map(str::trim) {
            let field = FIELDS
                .into_iter()
                .find(|field| *field == name)
                .ok_or_else(|| format!("line {number}: {name} is none of {}", FIELDS.join(" ")))?;
            known.insert(field, reason.trim().to_owned());
        }
    }
    match known.keys().next() {
        None => Ok(lines),
        Some(field) => Err(format!("the difference in {field} at the end belongs to no line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_differences_belong_to_the_next_line() {
        let lines = read("# x\n! caps, flags: so\na ! b\n\nc ! d\n").expect("a list");
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].known.keys().copied().collect::<Vec<_>>(), ["caps", "flags"]);
        assert!(lines[1].known.is_empty());
    }

    #[test]
    fn a_difference_without_reason_or_of_an_unknown_field_is_refused() {
        assert!(read("! caps:\na\n").is_err_and(|why| why.contains("reason")));
        assert!(read("! color: so\na\n").is_err_and(|why| why.contains("color")));
        assert!(read("a\n! caps: so\n").is_err());
    }

    #[test]
    fn sinks_are_made_to_tell() {
        let lines = read("a ! fakesink name=out\n").expect("a list");
        assert_eq!(lines[0].told(), "a ! fakesink silent=false name=out");
    }

    #[test]
    fn the_committed_list_can_be_read_and_is_long_enough() {
        let lines = read(include_str!("../../../differential/lines.txt")).expect("the list");
        assert!(lines.len() >= 120, "{} lines", lines.len());
    }
}
