//! A Rust file taken apart: code without comments and texts, and without what only tests compile.
//!
//! Invariant: every part keeps its line, so that a finding in one is a place in the file.
//! Left out: parsing; the rules look for words.

use std::ops::Range;

/// The parts of a file that rules look at.
pub struct Source {
    /// The code, with comments and the insides of literals blank.
    pub code: String,
    /// The same, with everything under `#[cfg(test)]` blank too.
    pub shipped: String,
    /// String literals outside of tests: line and content.
    pub literals: Vec<(usize, String)>,
}

impl Source {
    /// Takes a file apart; `is_test` is one that only tests compile as a whole.
    pub fn new(text: &str, is_test: bool) -> Source {
        let mut scan = Scan { text, at: 0, code: text.as_bytes().to_vec(), literals: Vec::new() };
        scan.run();
        let Scan { code, literals, .. } = scan;
        // Only whole ranges between ASCII delimiters were overwritten, and only with spaces.
        let code = String::from_utf8_lossy(&code).into_owned();
        let whole = 0..code.len();
        let tests = if is_test { vec![whole] } else { test_regions(&code) };
        let shipped = blanked(&code, &tests);
        let literals = literals
            .into_iter()
            .filter(|range| !tests.iter().any(|test| test.contains(&range.start)))
            .map(|range| (line_of(text, range.start), text[range].to_owned()))
            .collect();
        Source { code, shipped, literals }
    }
}

/// The line of a byte offset, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Offsets at which `word` stands as a word of its own.
pub fn word_offsets<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |letter: Option<char>| letter.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).map(|(offset, _)| offset).filter(move |offset| {
        let before = code[..*offset].chars().next_back();
        let after = code[offset + word.len()..].chars().next();
        !is_part(before) && !is_part(after)
    })
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    code: Vec<u8>,
    literals: Vec<Range<usize>>,
}

impl Scan<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at).copied() {
            let rest = &self.text[self.at..];
            if rest.starts_with("//") {
                let end = rest.find('\n').unwrap_or(rest.len());
                self.blank(self.at..self.at + end);
                self.at += end;
            } else if rest.starts_with("/*") {
                self.block_comment();
            } else if let Some(hashes) = raw_string(rest, self.text[..self.at].chars().next_back())
            {
                let opening = rest.find('"').unwrap_or(0) + 1;
                let closing = format!("\"{}", "#".repeat(hashes));
                self.literal(opening, rest[opening..].find(&closing), closing.len());
            } else if byte == b'"' {
                self.literal(1, closing_quote(&rest[1..]), 1);
            } else if let Some(length) = char_literal(rest) {
                self.blank(self.at + 1..self.at + length - 1);
                self.at += length;
            } else {
                self.at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
    }

    /// A text that begins `opening` bytes on; `None` is one without an end.
    fn literal(&mut self, opening: usize, length: Option<usize>, closing: usize) {
        let start = self.at + opening;
        let end = length.map_or(self.text.len(), |length| start + length);
        self.literals.push(start..end);
        self.blank(start..end);
        self.at = (end + closing).min(self.text.len());
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0;
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    break;
                }
            } else {
                self.at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        self.blank(start..self.at);
    }

    fn blank(&mut self, range: Range<usize>) {
        for byte in &mut self.code[range] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
}

/// The number of hashes if a raw string begins here: `r"`, `r#"`, `br"`.
fn raw_string(rest: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
        return None;
    }
    let after = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// The length of a character literal, which a lifetime is not.
fn char_literal(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let mut letters = inside.char_indices();
    let (_, first) = letters.next()?;
    if first == '\\' {
        letters.next()?;
        return letters.find(|(_, letter)| *letter == '\'').map(|(offset, _)| offset + 2);
    }
    letters.next().filter(|(_, letter)| *letter == '\'').map(|(offset, _)| offset + 2)
}

/// What stands under `#[cfg(test)]`, up to the end of the item.
fn test_regions(code: &str) -> Vec<Range<usize>> {
    let mut regions: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        if regions.last().is_some_and(|last| last.contains(&start)) {
            continue;
        }
        let mut depth = 0_usize;
        let end = code[start..].char_indices().find(|(_, letter)| match letter {
            '{' => {
                depth += 1;
                false
            }
            '}' => {
                depth = depth.saturating_sub(1);
                depth == 0
            }
            ';' => depth == 0,
            _ => false,
        });
        regions.push(start..end.map_or(code.len(), |(offset, _)| start + offset + 1));
    }
    regions
}

fn blanked(code: &str, regions: &[Range<usize>]) -> String {
    let inside = |offset| regions.iter().any(|region| region.contains(&offset));
    code.char_indices()
        .map(|(offset, letter)| if letter != '\n' && inside(offset) { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let words: Vec<String> =
            Source::new(text, false).code.split_whitespace().map(str::to_owned).collect();
        words.join(" ")
    }

    #[test]
    fn comments_and_literals_leave_no_code() {
        assert_eq!(code("a(); // Instant\nb();"), "a(); b();");
        assert_eq!(code("a /* x /* y */ z */ b"), "a b");
        assert_eq!(code(r#"a("Instant \" {"); b"#), r#"a(" "); b"#);
        assert_eq!(code("a(r#\"x \" {\"#); b"), "a(r#\" \"#); b");
        assert_eq!(
            code("m('{', '\\'', b'\"'); fn f<'a>(x: &'a str)"),
            "m(' ', ' ', b' '); fn f<'a>(x: &'a str)"
        );
    }

    #[test]
    fn literals_are_told_with_their_line() {
        let source = Source::new("a\nb(\"queue\", r\"tee\")", false);
        assert_eq!(source.literals, [(2, "queue".to_owned()), (2, "tee".to_owned())]);
    }

    #[test]
    fn tests_are_no_part_of_what_is_shipped() {
        let text = "use a;\n#[cfg(test)]\nmod tests {\n fn f() { x(\"}\") }\n}\nfn after() {}\n";
        let source = Source::new(text, false);
        assert!(source.shipped.contains("use a") && source.shipped.contains("fn after"));
        assert!(!source.shipped.contains("fn f") && source.code.contains("fn f"));
        assert!(source.literals.is_empty());
        assert_eq!(source.shipped.lines().count(), text.lines().count());
    }

    #[test]
    fn test_module_in_another_file_ends_at_its_semicolon() {
        let source = Source::new("#[cfg(test)]\nmod tests;\nfn after() {}", false);
        assert!(source.shipped.contains("fn after") && !source.shipped.contains("mod tests"));
    }

    #[test]
    fn word_is_found_as_a_word_only() {
        let found: Vec<usize> =
            word_offsets("Instant InstantX x_Instant Instant::now", "Instant").collect();
        assert_eq!(found, [0, 27]);
    }
}
