//! Models of the hand-offs: the framework's real code, run again and again with its threads in another order.
//!
//! ```text
//!   cd tests/models; cargo test
//! ```
//!
//! Compiled with `--cfg gst_mini_shuttle`, `runtime` takes its threads, locks and conditions from Shuttle, which
//! runs one at a time and switches at each of their calls. Time stands still and no deadline comes, so a
//! wait that nobody ends is a deadlock, and Shuttle tells it. What it prints of a failure repeats that run.
//!
//! Invariant: nothing here is a copy of what is tested; `queue` and `tee` are the elements' own files.
//! Left out: weak memory, and orders inside a section under a plain lock, which never switches.

use gst_mini_core::element_prelude::{ANY, Cx, Element, Factory, PadTemplate, Prop, Sink, Source, Transform};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

#[allow(dead_code, missing_docs, reason = "what elements share that tell what came last")]
mod last_message;
#[allow(dead_code, missing_docs, reason = "an element's file, for its crate")]
mod queue;
#[allow(dead_code, missing_docs, reason = "what queues share")]
mod queued;
#[allow(dead_code, missing_docs, reason = "an element's file, for its crate")]
mod tee;

register![
    Factory::multi_pad::<queue::Queue>(),
    Factory::multi_pad::<tee::Tee>(),
    Factory::source::<Numbers>(),
    Factory::transform::<Pass>(),
    Factory::sink::<Counted>()
];

/// Gives buffers numbered from 0.
#[derive(Default)]
pub struct Numbers {
    count: u32,
    given: u32,
}

impl Element for Numbers {
    const NAME: &str = "numbers";
    const SUMMARY: &str = "Numbered buffers";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::uint("count", "Buffers before the end", |e: &mut Self| &mut e.count)];
}

impl Source for Numbers {
    fn start(&mut self, _: &mut Cx) -> Result<(), gst_mini_core::element_prelude::ElementError> {
        self.given = 0;
        Ok(())
    }
    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        if self.given == self.count {
            return Err(FlowError::Eos);
        }
        let mut buf = Buffer::from_vec(vec![0; 4]);
        buf.set_offset(Some(u64::from(self.given)));
        self.given += 1;
        Ok(buf)
    }
}

/// Passes them on, one at a time.
#[derive(Default)]
pub struct Pass {
    is_inside: AtomicBool,
    offset: u64,
}

impl Element for Pass {
    const NAME: &str = "pass";
    const SUMMARY: &str = "Passes buffers on, renumbered";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::uint64("offset", "Added to each number", |e: &mut Self| &mut e.offset)];
}

impl Transform for Pass {
    fn transform(&mut self, _: &mut Cx, mut buf: Buffer) -> FlowResult<Option<Buffer>> {
        assert!(!self.is_inside.swap(true, Ordering::SeqCst), "one at a time");
        shuttle::thread::yield_now();
        buf.set_offset(buf.offset().map(|number| number + self.offset));
        self.is_inside.store(false, Ordering::SeqCst);
        Ok(Some(buf))
    }
}

/// Wants them in order.
#[derive(Default)]
pub struct Counted {
    next: u64,
    seen: u32,
}

impl Element for Counted {
    const NAME: &str = "counted";
    const SUMMARY: &str = "Counts what comes in order";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::published("seen", gst_mini_core::element_prelude::types::UINT, "Buffers", "0")];
}

impl Sink for Counted {
    fn start(&mut self, cx: &mut Cx) -> Result<(), gst_mini_core::element_prelude::ElementError> {
        (self.next, self.seen) = (0, 0);
        cx.publish("seen", 0);
        Ok(())
    }
    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        let number = buf.offset().unwrap_or(u64::MAX);
        assert!(number >= self.next, "{number} after {}", self.next);
        self.next = number + 1;
        self.seen += 1;
        cx.publish("seen", self.seen);
        Ok(())
    }
}

/// How many buffers the sink `out` has rendered since it was started.
pub fn seen(pipeline: &Bin) -> u32 {
    pipeline.by_name("out").and_then(|out| out.get_as("seen")).unwrap_or(u32::MAX)
}

/// A pipeline from a launch line.
#[track_caller]
pub fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Runs a model in `count` orders by chance, and in as many in which few threads are held back long.
pub fn explore(count: usize, model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(AtomicU32::new(0));
    let model = Arc::new(model);
    let mut config = shuttle::Config::new();
    // Chains of elements are deep.
    config.stack_size = 1 << 20;
    config.max_steps = shuttle::MaxSteps::FailAfter(200_000);
    let counted = |model: Arc<dyn Fn() + Send + Sync>, runs: Arc<AtomicU32>| {
        move || {
            runs.fetch_add(1, Ordering::Relaxed);
            model();
        }
    };
    let by_chance = RandomScheduler::new_from_seed(1, count);
    shuttle::Runner::new(by_chance, config.clone()).run(counted(model.clone(), runs.clone()));
    let held_back = PctScheduler::new_from_seed(1, 3, count);
    shuttle::Runner::new(held_back, config).run(counted(model, runs.clone()));
    assert_eq!(runs.load(Ordering::Relaxed) as usize, 2 * count);
}
