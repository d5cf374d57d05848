//! Log lines, chosen by `GST_MINI_DEBUG` as `GST_DEBUG` chooses them: `queue:5,*:2`, `4`, `h264*:LOG`.
//!
//! Invariant: a line that is not wanted costs one relaxed load; this file alone prints.
//! In GStreamer: `gst/gstinfo.c` (`gst_debug_set_threshold_from_string`).
//! Left out: log functions of the application's own, ring buffers.

use crate::cx::Level;
use crate::runtime;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

struct Rules(Vec<(String, u32)>);

/// The highest level any rule asks for; until it is read, everything asks the rules.
static HIGHEST: AtomicU32 = AtomicU32::new(u32::MAX);
static RULES: OnceLock<Rules> = OnceLock::new();

impl Rules {
    fn parse(text: &str) -> Rules {
        let level = |word: &str| match word.to_ascii_uppercase().as_str() {
            "NONE" => Some(0),
            "ERROR" => Some(1),
            "WARN" | "WARNING" => Some(2),
            "FIXME" => Some(3),
            "INFO" => Some(4),
            "DEBUG" => Some(5),
            "LOG" => Some(6),
            "TRACE" => Some(7),
            "MEMDUMP" => Some(9),
            number => number.parse().ok(),
        };
        let rule = |entry: &str| match entry.trim().rsplit_once(':') {
            Some((pattern, word)) => Some((pattern.to_owned(), level(word)?)),
            None => Some(("*".to_owned(), level(entry.trim())?)),
        };
        Rules(text.split(',').filter(|entry| !entry.trim().is_empty()).filter_map(rule).collect())
    }

    /// The last rule that fits wins, as in GStreamer.
    fn level_of(&self, category: &str) -> u32 {
        let fits = |pattern: &str| match pattern.split_once('*') {
            Some((before, after)) => {
                category.len() >= before.len() + after.len()
                    && category.starts_with(before)
                    && category.ends_with(after)
            }
            None => pattern == category,
        };
        self.0.iter().rev().find(|(pattern, _)| fits(pattern)).map_or(0, |(_, level)| *level)
    }
}

/// Takes these rules instead of those in `GST_MINI_DEBUG`. `false` if a line was written, or asked for,
/// already; a program calls it first.
pub fn choose(rules: &str) -> bool {
    let rules = Rules::parse(rules);
    let highest = rules.0.iter().map(|(_, level)| *level).max().unwrap_or(0);
    let taken = RULES.set(rules).is_ok();
    if taken {
        HIGHEST.store(highest, Ordering::Relaxed);
    }
    taken
}

fn rules() -> &'static Rules {
    RULES.get_or_init(|| {
        let rules = Rules::parse(&std::env::var("GST_MINI_DEBUG").unwrap_or_default());
        let highest = rules.0.iter().map(|(_, level)| *level).max().unwrap_or(0);
        HIGHEST.store(highest, Ordering::Relaxed);
        rules
    })
}

/// Whether a line of this level under this category is wanted.
pub fn enabled(category: &str, level: Level) -> bool {
    let highest = HIGHEST.load(Ordering::Relaxed);
    level as u32 <= highest && level as u32 <= rules().level_of(category)
}

/// Writes a line to standard error: time, level, category, thread, object, text.
#[allow(clippy::print_stderr, reason = "this file is where lines are printed")]
pub fn write(category: &str, level: Level, object: &str, text: &str) {
    let now = crate::time::ClockTime::from_nanos(runtime::now().nanos());
    let name = match level {
        Level::Error => "ERROR",
        Level::Warning => "WARN ",
        Level::Fixme => "FIXME",
        Level::Info => "INFO ",
        Level::Debug => "DEBUG",
        Level::Log => "LOG  ",
        Level::Trace => "TRACE",
    };
    let task = runtime::task_name();
    let object = if object.is_empty() { String::new() } else { format!("<{object}> ") };
    eprintln!("{now} {name} {category:>16} {task:<16} {object}{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_fits_decides() {
        let rules = Rules::parse("*:2,queue:5, hls*:LOG ,queue:bad,3:x");
        assert_eq!(rules.level_of("queue"), 5);
        assert_eq!(rules.level_of("hlssegmenter"), 6);
        assert_eq!(rules.level_of("fakesink"), 2);
        assert_eq!(Rules::parse("4").level_of("anything"), 4);
        assert_eq!(Rules::parse("").level_of("anything"), 0);
    }
}
