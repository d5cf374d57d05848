//! `cargo xtask bench [NAME…] [--rounds N] [--plot] [--instructions]`: what GstMini costs, beside GStreamer in the same run.
//!
//! Both sides are programs: `gst-mini-bench` and, built from `gst-mini-bench/gstreamer/measure.c` where GStreamer's
//! headers are installed, its twin; whole processes are `gst-mini launch` and `gst-launch-1.0`. They take turns,
//! so that a machine that slows down slows both, and medians are compared.
//!
//! Invariant: standard output is one JSON object a figure and nothing else; the table goes to standard error.
//! Left out: absolute targets. They drift with the machine, and a ratio does not.

pub mod instructions;
mod job;
mod list;
mod plot;
mod plugins;
mod sides;

use std::io::Write;

use crate::process::Failure;
use crate::workspace::Workspace;
use list::{BENCHES, Bench};
use sides::{Side, Sides};

const USAGE: &str =
    "usage: cargo xtask bench [NAME…] [--rounds N] [--list] [--plot [DRAWING…]] [--instructions [--update]]
  no NAME: all of them; --plot: how costs grow, drawn into docs/performance; DRAWING: chain, tee, size, streams
  --instructions: those of the hot paths, against the baseline; --update: make them the baseline";

/// Rounds of each side unless `--rounds` says otherwise: an odd number has a median.
const ROUNDS: usize = 5;

/// What one figure of one bench came to.
struct Row {
    bench: &'static str,
    figure: String,
    ours: f64,
    theirs: Option<f64>,
    target: Option<f64>,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.theirs.map(|theirs| self.ours / theirs)
    }

    fn json(&self, rounds: usize) -> String {
        let number = |value: Option<f64>| value.map_or("null".to_owned(), |v| format!("{v:.4}"));
        format!(
            r#"{{"bench":"{}","figure":"{}","gst_mini":{:.4},"gstreamer":{},"ratio":{},"target":{},"rounds":{rounds}}}"#,
            self.bench,
            self.figure,
            self.ours,
            number(self.theirs),
            number(self.ratio()),
            number(self.target),
        )
    }
}

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let (mut names, mut rounds, mut is_plot) = (Vec::new(), ROUNDS, false);
    let (mut counts, mut updates, mut drawings) = (false, false, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-h" | "--help" => {
                println!("{USAGE}");
                return Ok(());
            }
            "--list" => {
                for bench in BENCHES {
                    println!("{:<20} {}", bench.name, bench.about);
                }
                return Ok(());
            }
            "--plot" => is_plot = true,
            "--instructions" => counts = true,
            "--update" => updates = true,
            "--rounds" => {
                let count = words.next().and_then(|word| word.parse().ok()).filter(|n| *n > 0);
                rounds = count.ok_or_else(|| Failure::Usage("--rounds needs a number".into()))?;
            }
            drawing if is_plot && plot::is_known(drawing) => drawings.push(drawing),
            name => names.push(known(name)?),
        }
    }
    if updates && !counts {
        return Err(Failure::Usage("--update goes with --instructions".to_owned()));
    }
    let workspace = Workspace::open()?;
    if counts {
        return instructions::run(&workspace, updates);
    }
    let sides = Sides::build(&workspace)?;
    if is_plot {
        return plot::draw(&workspace, &sides, &drawings);
    }
    let chosen = BENCHES.iter().filter(|b| names.is_empty() || names.contains(&b.name));
    let mut rows = Vec::new();
    for bench in chosen {
        for row in measured(bench, &sides, rounds)? {
            println!("{}", row.json(rounds));
            // A reader of a pipe sees each figure when it is there.
            let _ = std::io::stdout().flush();
            rows.push(row);
        }
    }
    eprint!("{}", table(&rows, rounds));
    Ok(())
}

fn known(name: &str) -> Result<&'static str, Failure> {
    let names = || BENCHES.iter().map(|bench| bench.name);
    names().find(|known| *known == name).ok_or_else(|| {
        let names: Vec<&str> = names().collect();
        Failure::Usage(format!("there is no bench \"{name}\"; there are: {}", names.join(", ")))
    })
}

/// Both sides in turn, `rounds` times; the median of every figure.
fn measured(bench: &Bench, sides: &Sides, rounds: usize) -> Result<Vec<Row>, Failure> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push((bench.sample)(sides, Side::GstMini)?);
        if sides.has(Side::GStreamer) && bench.is_comparable {
            theirs.push((bench.sample)(sides, Side::GStreamer)?);
        }
    }
    let names: Vec<String> = ours[0].iter().map(|(name, _)| name.clone()).collect();
    let median_of = |samples: &[list::Sample], name: &str| {
        let of_name = |sample: &list::Sample| sample.iter().find(|(n, _)| n == name).map(|p| p.1);
        let mut values: Vec<f64> = samples.iter().filter_map(of_name).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let row = |figure: String| Row {
        bench: bench.name,
        ours: median_of(&ours, &figure).unwrap_or(f64::NAN),
        theirs: median_of(&theirs, &figure),
        target: bench.targets.iter().find(|(name, _)| *name == figure).map(|(_, ratio)| *ratio),
        figure,
    };
    Ok(names.into_iter().map(row).collect())
}

fn table(rows: &[Row], rounds: usize) -> String {
    let mut text = format!("\nmedians of {rounds} alternating runs\n");
    text += &format!(
        "{:<20} {:<12} {:>12} {:>12} {:>9} {:>9}\n",
        "bench", "figure", "GstMini", "GStreamer", "ratio", "to reach"
    );
    for row in rows {
        let theirs = row.theirs.map_or("-".to_owned(), |value| format!("{value:.1}"));
        let target = row.target.map_or(String::new(), share);
        let missed = matches!((row.ratio(), row.target), (Some(is), Some(to)) if is > to);
        let mark = if missed { "  missed" } else { "" };
        text += &format!(
            "{:<20} {:<12} {:>12.1} {theirs:>12} {:>9} {target:>9}{mark}\n",
            row.bench,
            row.figure,
            row.ours,
            row.ratio().map_or("-".to_owned(), share),
        );
    }
    text
}

/// A ratio as one says it: `1/12.5` below a half, a factor above.
fn share(ratio: f64) -> String {
    if ratio < 0.5 { format!("1/{:.1}", 1.0 / ratio) } else { format!("{ratio:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_is_written_as_it_is_said() {
        assert_eq!(share(0.025), "1/40.0");
        assert_eq!(share(0.75), "0.75");
    }

    #[test]
    fn row_missing_its_target_is_marked() {
        let row = |ours| Row {
            bench: "hop-10",
            figure: "ns".to_owned(),
            ours,
            theirs: Some(100.0),
            target: Some(0.1),
        };
        assert!(table(&[row(11.0)], 5).contains("missed"));
        assert!(!table(&[row(9.0)], 5).contains("missed"));
        assert!(row(9.0).json(5).contains(r#""ratio":0.0900"#));
    }
}
