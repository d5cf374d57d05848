//! `cargo xtask bench --plot`: how costs grow, one SVG each, for docs/performance.md.
//!
//! Invariant: both axes are logarithmic, so a straight line that rises by one decade a decade is linear cost
//! and a flat one is cost that does not depend on the number.
//! Left out: confidence bands; a point is the median of three runs.

use std::fmt::Write as _;

use super::list::{chain, tee};
use super::sides::{Side, Sides};
use crate::process::Failure;
use crate::workspace::Workspace;

/// One drawing.
struct Growth {
    file: &'static str,
    title: &'static str,
    across: &'static str,
    up: &'static str,
    at: &'static [u64],
    /// The cost at one point.
    cost: fn(&Sides, Side, u64) -> Result<f64, Failure>,
}

const GROWTHS: &[Growth] = &[
    Growth {
        file: "chain",
        title: "A buffer through a chain of identities",
        across: "identities",
        up: "ns a buffer",
        at: &[1, 3, 10, 30, 100, 300, 1000],
        cost: |sides, side, count| {
            // So many that what a stream does while it begins is little of it.
            let buffers = (8_000_000 / (count + 10)).clamp(20_000, 400_000);
            let source = format!("fakesrc num-buffers={buffers}");
            run(sides, side, buffers, &chain(&source, count as usize, "fakesink"))
        },
    },
    Growth {
        file: "tee",
        title: "A buffer to the branches of a tee, a queue in each",
        across: "branches",
        up: "ns a buffer",
        at: &[1, 2, 4, 8, 16, 32, 64],
        cost: |sides, side, count| {
            let buffers = (200_000 / count).max(3_000);
            let branches = tee(count as usize);
            run(sides, side, buffers, &format!("fakesrc num-buffers={buffers} ! {branches}"))
        },
    },
    Growth {
        file: "size",
        title: "A buffer through tee, queue and identity, by its size",
        across: "bytes (0 drawn at 1)",
        up: "ns a buffer",
        at: &[0, 1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 23],
        cost: |sides, side, size| {
            // One buffer again and again where the source allows it: making bytes is not what is asked.
            let line = format!(
                "fakesrc num-buffers=20000 sizetype=fixed sizemax={size} filltype=nothing ! tee ! \
                 queue ! identity silent=true ! fakesink"
            );
            run(sides, side, 20_000, &line)
        },
    },
    Growth {
        file: "streams",
        title: "Live pipelines of 30 fps in one process",
        across: "pipelines",
        up: "% of a core",
        at: &[1, 10, 100, 300, 1000],
        cost: |sides, side, count| {
            let words = ["streams", &count.to_string(), "3", "0", super::list::LIVE];
            sides.figure(side, &words, "cpu_percent")
        },
    },
];

fn run(sides: &Sides, side: Side, buffers: u64, line: &str) -> Result<f64, Failure> {
    sides.figure(side, &["run", &buffers.to_string(), line], "ns")
}

/// Whether there is a drawing of that name.
pub fn is_known(name: &str) -> bool {
    GROWTHS.iter().any(|growth| growth.file == name)
}

/// Measures and draws what is named, or everything.
pub fn draw(workspace: &Workspace, sides: &Sides, names: &[&str]) -> Result<(), Failure> {
    let folder = workspace.root.join("docs/performance");
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let is_wanted = |growth: &&Growth| names.is_empty() || names.contains(&growth.file);
    for growth in GROWTHS.iter().filter(is_wanted) {
        let mut lines = Vec::new();
        for (side, name) in [(Side::GstMini, "GstMini"), (Side::GStreamer, "GStreamer")] {
            if !sides.has(side) {
                continue;
            }
            let mut points = Vec::new();
            for at in growth.at {
                let mut costs = Vec::new();
                for _ in 0..3 {
                    costs.push((growth.cost)(sides, side, *at)?);
                }
                costs.sort_by(f64::total_cmp);
                println!(
                    r#"{{"growth":"{}","side":"{name}","at":{at},"cost":{:.3}}}"#,
                    growth.file, costs[1]
                );
                points.push((*at as f64, costs[1]));
            }
            lines.push((name, points));
        }
        let path = folder.join(format!("{}.svg", growth.file));
        std::fs::write(&path, drawing(growth, &lines)).map_err(failed)?;
        eprintln!("{}", path.display());
    }
    Ok(())
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// The whole decades around some values.
fn decades(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let logs: Vec<f64> = values.map(|value| value.max(1.0).log10()).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
    (low, high.max(low + 1.0))
}

fn drawing(growth: &Growth, lines: &[(&str, Vec<(f64, f64)>)]) -> String {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let (left, right) = decades(points().map(|point| point.0));
    let (low, high) = decades(points().map(|point| point.1));
    let x = |value: f64| {
        LEFT + (value.max(1.0).log10() - left) / (right - left) * (WIDTH - LEFT - RIGHT)
    };
    let y = |value: f64| {
        HEIGHT - BOTTOM - (value.max(1.0).log10() - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{}</text>\n",
        growth.title
    );
    // Writing into a String cannot fail.
    for decade in left as i32..=right as i32 {
        let at = x(10f64.powi(decade));
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{:.1}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 18.0,
            10f64.powi(decade)
        );
    }
    for decade in low as i32..=high as i32 {
        let at = y(10f64.powi(decade));
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            10f64.powi(decade)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate(16 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 10.0,
        growth.across,
        (TOP + HEIGHT - BOTTOM) / 2.0,
        growth.up
    );
    for ((name, points), color) in lines.iter().zip(["#c4521a", "#4a6fa5"]) {
        let path: Vec<String> =
            points.iter().map(|(a, b)| format!("{:.1} {:.1}", x(*a), y(*b))).collect();
        let _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
            path.join("L")
        );
        if let Some((a, b)) = points.last() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{color}\">{name}</text>",
                x(*a) + 8.0,
                y(*b) + 4.0
            );
        }
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_hold_all_values_and_are_never_empty() {
        assert_eq!(decades([3.0, 120.0].into_iter()), (0.0, 3.0));
        assert_eq!(decades([10.0, 10.0].into_iter()), (1.0, 2.0));
        assert_eq!(decades([0.0].into_iter()), (0.0, 1.0));
    }
}
