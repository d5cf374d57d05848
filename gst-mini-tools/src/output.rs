//! Writing to standard output without caring whether somebody still reads it.

use std::io::{IsTerminal, Write};

/// Writes a line; a reader that went away, as `head` does, is no error.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}

/// Writes a text as it is.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// A heading: bold on a terminal, plain in a pipe or where NO_COLOR is set.
pub fn heading(text: &str) -> String {
    let is_plain = !std::io::stdout().is_terminal()
        || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if is_plain {
        return text.to_owned();
    }
    let bold = anstyle::Style::new().bold();
    format!("{bold}{text}{bold:#}")
}
