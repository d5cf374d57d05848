//! Writing to standard output without caring whether somebody still reads it.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU8, Ordering};

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

/// Whether headings are bold: 0 as the terminal is, 1 never, 2 always.
static COLORS: AtomicU8 = AtomicU8::new(0);

/// Takes colors on or off whatever standard output is.
pub fn set_colors(always: bool, never: bool) {
    COLORS.store(if never { 1 } else { 2 * u8::from(always) }, Ordering::Relaxed);
}

/// A heading: bold on a terminal, plain in a pipe or where NO_COLOR is set.
pub fn heading(text: &str) -> String {
    let is_plain = match COLORS.load(Ordering::Relaxed) {
        0 => {
            !std::io::stdout().is_terminal()
                || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        }
        forced => forced == 1,
    };
    if is_plain {
        return text.to_owned();
    }
    let bold = anstyle::Style::new().bold();
    format!("{bold}{text}{bold:#}")
}
