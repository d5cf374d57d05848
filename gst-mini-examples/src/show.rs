//! Log lines while a demo runs, and the table of numbers at its end.
//!
//! Colors appear on a terminal and vanish in a pipe.

use anstyle::{AnsiColor, Style};
use gst_mini_core::prelude::*;
use std::io::IsTerminal;

fn style(color: AnsiColor) -> Style {
    if std::io::stdout().is_terminal() {
        Style::new().fg_color(Some(color.into()))
    } else {
        Style::new()
    }
}

/// Prints `[12.033s] who: what`, at a running time.
pub fn line(at: Option<RunningTime>, who: &str, what: &str) {
    let (time, name) = (style(AnsiColor::BrightBlack), style(color_of(who)));
    let at = at.map_or(0.0, RunningTime::seconds_f64);
    println!("{time}[{at:.3}s]{time:#} {name}{who}{name:#}: {what}");
}

fn color_of(who: &str) -> AnsiColor {
    match who {
        "camera" => AnsiColor::Green,
        "queue" => AnsiColor::Yellow,
        "segmenter" => AnsiColor::Cyan,
        "sink" => AnsiColor::Magenta,
        "error" => AnsiColor::Red,
        _ => AnsiColor::Blue,
    }
}

/// Prints a heading.
pub fn heading(text: &str) {
    let bold = if std::io::stdout().is_terminal() { Style::new().bold() } else { Style::new() };
    println!("\n{bold}{text}{bold:#}");
}

/// Prints what an example's file opens with: what to watch for, and what to try.
pub fn opening(source: &str) {
    let dim = if std::io::stdout().is_terminal() { Style::new().dimmed() } else { Style::new() };
    for line in opening_lines(source) {
        println!("{dim}{line}{dim:#}");
    }
    println!();
}

/// The text of a file's first comment.
fn opening_lines(source: &str) -> impl Iterator<Item = &str> {
    let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
    comment.map(|line| line.strip_prefix(' ').unwrap_or(line))
}

/// Prints rows of a name and a value, in columns.
pub fn table(title: &str, rows: &[(&str, String)]) {
    heading(title);
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in rows {
        println!("  {name:width$}  {value}");
    }
}

/// A time as people read it: `6.000 s`, `12.3 ms`, `45 us`.
pub fn time(nanos: u64) -> String {
    match nanos {
        0..1_000_000 => format!("{} us", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanos as f64 / 1e6),
        _ => format!("{:.3} s", nanos as f64 / 1e9),
    }
}

/// Bytes as people read them.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..10_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.2} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_opens_with_what_its_file_opens_with() {
        let source = "//! A job.\n//!\n//! Watch for: `this`.\n\nuse other;\n//! not this\n";
        let lines: Vec<&str> = opening_lines(source).collect();
        assert_eq!(lines, ["A job.", "", "Watch for: `this`."]);
    }
}
