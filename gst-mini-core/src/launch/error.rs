//! What can be wrong with a launch line, shown with a caret under the place.
//!
//! Invariant: an error names its place and shows no secret: passwords in URIs, and the values of
//! properties whose names sound like one, are blotted out.
//! In GStreamer: `gst/gstparse.h` (`GstParseError`), whose classes these are.
//! Left out: several errors at once; the first one is told.

use super::{Span, lexer};
use std::fmt;

/// Why a line gives no pipeline. The variant is the class; each holds its sentence and place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// The words do not form a pipeline.
    #[error("syntax error: {0}")]
    Syntax(Fault),
    /// No factory, or no element, of that name.
    #[error("{0}")]
    NoSuchElement(Fault),
    /// The element has no such property.
    #[error("{0}")]
    NoSuchProperty(Fault),
    /// Two things cannot be linked.
    #[error("{0}")]
    Link(Fault),
    /// The property does not take that value.
    #[error("{0}")]
    CouldNotSetProperty(Fault),
    /// A bin without elements.
    #[error("{0}")]
    EmptyBin(Fault),
    /// Nothing at all.
    #[error("{0}")]
    Empty(Fault),
    /// A part of the language that is not there.
    #[error("{0}")]
    Other(Fault),
}

impl LaunchError {
    /// The class in GStreamer's words.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "syntax",
            Self::NoSuchElement(_) => "no-such-element",
            Self::NoSuchProperty(_) => "no-such-property",
            Self::Link(_) => "link",
            Self::CouldNotSetProperty(_) => "could-not-set-property",
            Self::EmptyBin(_) => "empty-bin",
            Self::Empty(_) => "empty",
            Self::Other(_) => "other",
        }
    }

    /// The sentence and the place.
    pub const fn fault(&self) -> &Fault {
        match self {
            Self::Syntax(fault)
            | Self::NoSuchElement(fault)
            | Self::NoSuchProperty(fault)
            | Self::Link(fault)
            | Self::CouldNotSetProperty(fault)
            | Self::EmptyBin(fault)
            | Self::Empty(fault)
            | Self::Other(fault) => fault,
        }
    }
}

/// A sentence about a place in a launch text. Displays as the sentence, the line and a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, and what was expected.
    pub message: String,
    /// The bytes of the text it is about.
    pub span: Span,
    line: String,
    carets: String,
}

impl Fault {
    /// `span` is in bytes of `text`; ends that do not fit are moved to where they do.
    pub fn new(message: impl Into<String>, text: &str, span: Span) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end).max(start);
        let from = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let to = text[start..].find('\n').map_or(text.len(), |newline| start + newline);

        // Blotting keeps the number of characters, so columns are counted in the original.
        let shown: Vec<char> = blot_secrets(text)
            .chars()
            .skip(text[..from].chars().count())
            .take(text[from..to].chars().count())
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        let column = text[from..start].chars().count();
        let width = text[start..end.clamp(start, to)].chars().count().max(1);

        let cut = column.saturating_sub(WINDOW / 2);
        let kept: String = shown.iter().skip(cut).take(WINDOW).collect();
        let head = if cut > 0 { "..." } else { "" };
        let tail = if shown.len() > cut + WINDOW { "..." } else { "" };
        Self {
            message: message.into(),
            span: start..end,
            line: format!("{head}{kept}{tail}"),
            carets: " ".repeat(head.len() + column - cut)
                + &"^".repeat(width.min(WINDOW.saturating_sub(column - cut).max(1))),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}\n  {}", self.message, self.line.trim_end(), self.carets)
    }
}

/// How many characters of a long line are shown around the place.
const WINDOW: usize = 96;

/// Parts of property names whose values are shown to no one.
const SECRET_WORDS: [&str; 8] =
    ["secret", "passw", "passphrase", "token", "credential", "access-key", "api-key", "user-pw"];

/// `text` with every character of a secret replaced by `*`.
fn blot_secrets(text: &str) -> String {
    let mut secret = vec![false; text.len()];
    for token in lexer::tokens(text) {
        if let lexer::Kind::Assignment { name, value } = token.kind {
            let name = text[name].to_ascii_lowercase().replace('_', "-");
            if SECRET_WORDS.iter().any(|word| name.contains(word)) {
                secret[value].fill(true);
            }
        }
    }
    let mut from = 0;
    while let Some(scheme) = text[from..].find("://") {
        from += scheme + 3;
        let authority = text[from..].find(|letter: char| letter == '/' || letter.is_whitespace());
        let end = authority.map_or(text.len(), |length| from + length);
        if let Some(at) = text[from..end].rfind('@') {
            secret[from..from + at].fill(true);
        }
    }
    text.char_indices()
        .map(|(index, letter)| if secret[index] && letter != '\n' { '*' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_display_puts_the_caret_under_the_place() {
        let fault = Fault::new("odd word", "fakesrc !\n queue x\n ! fakesink", 17..18);
        assert_eq!(fault.to_string(), "odd word\n   queue x\n         ^");
    }

    #[test]
    fn error_display_of_a_long_line_shows_the_part_around_the_place() {
        let text = "identity ! ".repeat(100) + "? fakesink" + &" ! identity".repeat(100);
        let shown = Fault::new("odd", &text, 1100..1101).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let column = lines[2].find('^').expect("a caret");
        assert!(lines[1].len() < 120 && lines[1].as_bytes()[column] == b'?', "{shown}");
    }

    #[test]
    fn error_display_shows_no_secret() {
        let text = "s3sink secret-key=hush location=s3://me:hush@host/x My_Token=\"hush hush\" ?";
        let shown = Fault::new("odd", text, text.len() - 1..text.len()).to_string();
        assert!(!shown.contains("hush") && shown.contains("host/x"), "{shown}");
    }
}
