//! The benches: name, what is measured, the ratio to reach, and one sample of a side.
//!
//! Invariant: a sample is a difference wherever something else would be in it: a hop is a chain less
//! an empty chain, a conversion is a line less the line without it.
//! Left out: growth, which `plot` draws.

use super::job::{self, Assembler};
use super::plugins;
use super::sides::{Side, Sides};
use crate::process::Failure;

/// Figures by name.
pub type Sample = Vec<(String, f64)>;

/// One bench.
pub struct Bench {
    pub name: &'static str,
    pub about: &'static str,
    /// GStreamer's figure times this is what is to be reached.
    pub targets: &'static [(&'static str, f64)],
    /// Whether GStreamer has such a figure.
    pub is_comparable: bool,
    pub sample: fn(&Sides, Side) -> Result<Sample, Failure>,
}

const fn bench(
    name: &'static str,
    about: &'static str,
    targets: &'static [(&'static str, f64)],
    sample: fn(&Sides, Side) -> Result<Sample, Failure>,
) -> Bench {
    Bench { name, about, targets, is_comparable: true, sample }
}

const NS: &str = "ns";

/// All of them, in the order of the table.
pub const BENCHES: &[Bench] = &[
    bench(
        "hop-10",
        "each identity of a chain of 10, a buffer",
        &[(NS, 1.0 / 40.0)],
        |sides, side| hop(sides, side, 10, 300_000),
    ),
    bench("hop-100", "each identity of a chain of 100", &[(NS, 1.0 / 40.0)], |sides, side| {
        hop(sides, side, 100, 50_000)
    }),
    bench("hop-1000", "each identity of a chain of 1000", &[(NS, 1.0 / 40.0)], |sides, side| {
        hop(sides, side, 1000, 20_000)
    }),
    bench(
        "hop-nested",
        "each identity of 10 in bins in a bin",
        &[(NS, 1.0 / 15.0)],
        |sides, side| {
            let half = ["identity silent=true"; 5].join(" ! ");
            let line = format!("bin. ( bin. ( {half} ) ! bin. ( {half} ) ) ! fakesink");
            beside(sides, side, "fakesink", &line, 10)
        },
    ),
    bench(
        "hop-branching",
        "each identity of 10 in each of a tee's two branches",
        &[(NS, 1.0 / 15.0)],
        |sides, side| {
            let branches = |row: &str| {
                let branch = format!(" t. ! {row}fakesink async=false");
                format!("tee name=t{branch}{branch}")
            };
            let row = "identity silent=true ! ".repeat(10);
            beside(sides, side, &branches(""), &branches(&row), 20)
        },
    ),
    bench(
        "hop-tee",
        "each tee with one branch of a chain of 10",
        &[(NS, 1.0 / 15.0)],
        |sides, side| added(sides, side, "run", "tee", 10, 300_000),
    ),
    bench(
        "hop-probed",
        "each identity of a chain of 10, with a probe on its source pad",
        &[(NS, 1.0 / 15.0)],
        |sides, side| added(sides, side, "probed", "identity silent=true", 10, 300_000),
    ),
    bench("pair", "fakesrc ! fakesink, a buffer", &[(NS, 0.1)], |sides, side| {
        run(sides, side, 1_000_000, "fakesink")
    }),
    bench("queue", "fakesrc ! queue ! fakesink, a buffer", &[(NS, 0.1)], |sides, side| {
        run(sides, side, LONG, "queue ! fakesink")
    }),
    bench("queue-10", "the same, max-size-buffers=10", &[(NS, 0.1)], |sides, side| {
        run(sides, side, LONG, "queue max-size-buffers=10 ! fakesink")
    }),
    bench("tee-2", "tee to 2 queues, a buffer", &[(NS, 1.0 / 8.0)], |sides, side| {
        run(sides, side, LONG, &tee(2))
    }),
    bench("tee-8", "tee to 8 queues, a buffer", &[(NS, 1.0 / 8.0)], |sides, side| {
        run(sides, side, LONG / 5, &tee(8))
    }),
    bench(
        "handoff",
        "an idle queue, one buffer a millisecond: from its sink pad to its source pad",
        &[("p50_us", 2.0 / 3.0), ("p99_us", 2.0 / 3.0)],
        |sides, side| {
            let line =
                "fakesrc num-buffers=5000 ! identity sleep-time=1000 ! queue name=q ! fakesink";
            sides.measure(side, &["handoff", line])
        },
    ),
    bench(
        "clock-wait",
        "how late a 60 fps sink behind a queue is woken",
        &[("p50_us", 0.6)],
        |sides, side| sides.measure(side, &["lateness", "0", SIXTY]),
    ),
    bench(
        "clock-wait-spin",
        "the same with 100 us of spinning, beside GStreamer's sleeping; the wait itself (to reach at half: 2)",
        &[("p99_us", 1.0)],
        |sides, side| sides.measure(side, &["lateness", "100000", SIXTY]),
    ),
    bench(
        "streams-100",
        "100 live pipelines of 30 fps in one process",
        &[("cpu_percent", 1.0), ("rss_mb", 0.5)],
        |sides, side| sides.measure(side, &["streams", "100", "4", "0", LIVE]),
    ),
    bench(
        "streams-1000",
        "1000 live pipelines of 30 fps in one process",
        &[("cpu_percent", 1.0), ("rss_mb", 0.5)],
        |sides, side| sides.measure(side, &["streams", "1000", "4", "0", LIVE]),
    ),
    bench(
        "streams-1000-grid",
        "the same with waits on a grid of 4 ms, beside GStreamer's exact ones",
        &[("cpu_percent", 1.0), ("rss_mb", 0.5)],
        |sides, side| sides.measure(side, &["streams", "1000", "4", "4000000", LIVE]),
    ),
    bench(
        "streams-1000-shared",
        "the same with tasks that share a thread for each core, beside GStreamer's threads",
        &[("cpu_percent", 1.0 / 3.0), ("rss_mb", 0.5)],
        |sides, side| streams_shared(sides, side, "1000"),
    ),
    bench(
        "start",
        "the whole process `launch fakesrc num-buffers=1 ! fakesink`, plugins present (to reach: 3)",
        &[],
        |sides, side| {
            let mut all = Vec::new();
            for _ in 0..9 {
                all.push(sides.launch(side, "fakesrc num-buffers=1 ! fakesink")?);
            }
            all.sort_by(f64::total_cmp);
            Ok(vec![("ms".to_owned(), all[all.len() / 2])])
        },
    ),
    bench(
        "to-rgba",
        "videoconvert of a 720p frame, I420 to RGBA",
        &[("us", 1.0)],
        |sides, side| convert(sides, side, "I420", "RGBA"),
    ),
    bench(
        "to-i420",
        "videoconvert of a 720p frame, RGBA to I420",
        &[("us", 1.0)],
        |sides, side| convert(sides, side, "RGBA", "I420"),
    ),
    bench(
        "states-1000",
        "NULL to PLAYING to NULL of 1000 elements",
        &[("us", 0.5)],
        |sides, side| {
            let line = chain("fakesrc num-buffers=1", 998, "fakesink");
            sides.measure(side, &["states", "5", &line])
        },
    ),
    bench(
        "negotiate-50",
        "READY to the first buffer through 50 capsfilters",
        &[("us", 0.5)],
        |sides, side| {
            let filters =
                "capsfilter caps=video/x-raw,format=I420,width=16,height=16 ! ".repeat(50);
            let line = format!("videotestsrc num-buffers=2 ! {filters}fakesink name=s");
            sides.measure(side, &["negotiate", "9", &line])
        },
    ),
    Bench {
        name: "main-job",
        about: "live 720p30, queue, openh264enc with nasm, HLS, a local store: CPU of one core (job at most 1.15 encoders, framework at most 3)",
        targets: &[],
        is_comparable: false,
        sample: |sides, _| job::sample(sides, Assembler::Nasm),
    },
    Bench {
        name: "main-job-plain",
        about: "the same with the codec built without nasm",
        targets: &[],
        is_comparable: false,
        sample: |sides, _| job::sample(sides, Assembler::None),
    },
    Bench {
        name: "plugin-hop",
        about: "each of 10 elements that do nothing, a buffer: linked, and loaded from a plugin",
        targets: &[],
        is_comparable: false,
        sample: plugins::hop,
    },
    Bench {
        name: "plugin-start",
        about: "the whole process `inspect fakesrc`, which looks for plugins, with 0, 10 and 100 of them",
        targets: &[],
        is_comparable: false,
        sample: plugins::start,
    },
    Bench {
        name: "size",
        about: "the program gst-mini, stripped, without plugins (to reach: 5)",
        targets: &[],
        is_comparable: false,
        sample: |sides, _| Ok(vec![("mb".to_owned(), sides.stripped_size()? as f64 / 1e6)]),
    },
];

/// Buffers through queues: so many that it does not count for how long the scheduler keeps both threads on one core,
/// which it does for some milliseconds of some runs.
const LONG: u64 = 1_000_000;

/// GStreamer has no such runtime for these elements, and runs as ever.
fn streams_shared(sides: &Sides, side: Side, count: &str) -> Result<Sample, Failure> {
    let words = ["--shared", "streams", count, "4", "0", LIVE];
    sides.measure(side, if side == Side::GstMini { &words } else { &words[1..] })
}

const SIXTY: &str = "videotestsrc num-buffers=240 ! video/x-raw,width=16,height=16,framerate=60/1 \
                     ! queue ! fakesink name=s sync=true";
pub const LIVE: &str = "videotestsrc is-live=true ! video/x-raw,width=16,height=16,framerate=30/1 \
                    ! queue ! fakesink name=s sync=true";

/// A line with `count` identities.
pub fn chain(source: &str, count: usize, sink: &str) -> String {
    format!("{source} ! {}{sink}", "identity silent=true ! ".repeat(count))
}

/// `count` branches, each with a queue and a sink.
pub fn tee(count: usize) -> String {
    format!("tee name=t{}", " t. ! queue ! fakesink".repeat(count))
}

/// Nanoseconds a buffer that a line costs, from a fakesrc to its end.
pub fn nanos(sides: &Sides, side: Side, buffers: u64, rest: &str) -> Result<f64, Failure> {
    let line = format!("fakesrc num-buffers={buffers} ! {rest}");
    sides.figure(side, &["run", &buffers.to_string(), &line], "ns")
}

fn run(sides: &Sides, side: Side, buffers: u64, rest: &str) -> Result<Sample, Failure> {
    Ok(vec![(NS.to_owned(), nanos(sides, side, buffers, rest)?)])
}

/// What each of `count` identities adds.
pub fn hop(sides: &Sides, side: Side, count: usize, buffers: u64) -> Result<Sample, Failure> {
    added(sides, side, "run", "identity silent=true", count, buffers)
}

/// What each of the `count` elements adds that a line has more than another.
fn beside(
    sides: &Sides,
    side: Side,
    without: &str,
    with: &str,
    count: usize,
) -> Result<Sample, Failure> {
    const BUFFERS: u64 = 300_000;
    let (none, all) = (nanos(sides, side, BUFFERS, without)?, nanos(sides, side, BUFFERS, with)?);
    Ok(vec![(NS.to_owned(), (all - none) / count as f64)])
}

/// What each of `count` elements in a row adds, measured as the word says.
fn added(
    sides: &Sides,
    side: Side,
    word: &str,
    element: &str,
    count: usize,
    buffers: u64,
) -> Result<Sample, Failure> {
    let none = nanos(sides, side, buffers.max(100_000), "fakesink")?;
    let row = format!("{element} ! ").repeat(count);
    let line = format!("fakesrc num-buffers={buffers} ! {row}fakesink");
    let all = sides.figure(side, &[word, &buffers.to_string(), &line], NS)?;
    Ok(vec![(NS.to_owned(), (all - none) / count as f64)])
}

/// Frames that are not filled: a source that draws would be most of the time.
fn convert(sides: &Sides, side: Side, from: &str, to: &str) -> Result<Sample, Failure> {
    let size = if from == "RGBA" { 1280 * 720 * 4 } else { 1280 * 720 * 3 / 2 };
    let format =
        |name: &str| format!("video/x-raw,format={name},width=1280,height=720,framerate=30/1");
    let source = format!(
        "fakesrc num-buffers=300 sizetype=fixed sizemax={size} filltype=nothing format=time ! {}",
        format(from)
    );
    let line = |rest: &str| format!("{source} ! {rest}fakesink");
    let without = sides.figure(side, &["run", "300", &line("")], "ns")?;
    let converted = line(&format!("videoconvert ! {} ! ", format(to)));
    let with = sides.figure(side, &["run", "300", &converted], "ns")?;
    Ok(vec![("us".to_owned(), (with - without) / 1e3)])
}
