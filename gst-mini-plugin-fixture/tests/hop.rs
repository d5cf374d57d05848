//! What a hop through an element costs, linked and loaded. A measurement, and no test: run it alone, with
//! `--release -- --ignored --nocapture`, and with `GST_MINI_TEST_FIXTURE` naming a plugin built with `--release`.

mod support;

use gst_mini_core::prelude::*;
use std::time::Instant;
use support::{Form, element};

const BUFFERS: u32 = 200_000;
const HOPS: u32 = 10;

/// Nanoseconds for each buffer, through so many elements of that form.
fn per_buffer(form: Form, hops: u32) -> f64 {
    let pipeline = Bin::pipeline("hop");
    let src = element(Form::Linked, "fixturesrc", "src", &[("num-buffers", &BUFFERS.to_string())]);
    let sink = element(Form::Linked, "fixturethrough", "last", &[]);
    let end = element(Form::Linked, "fixturenull", "end", &[("sync", "false")]);
    let mut elements = vec![src];
    elements.extend((0..hops).map(|n| element(form, "fixturethrough", &format!("hop{n}"), &[])));
    elements.extend([sink, end]);
    let list: Vec<&ElementRef> = elements.iter().collect();
    for element in &list {
        pipeline.add(element).expect("a free name");
    }
    pipeline.link(&list).expect("they fit");
    pipeline.set_state(State::Paused);
    pipeline.state(None);
    let began = Instant::now();
    pipeline.set_state(State::Playing);
    pipeline.wait_for_end(None);
    let took = began.elapsed();
    pipeline.set_state(State::Null);
    took.as_secs_f64() * 1e9 / f64::from(BUFFERS)
}

#[test]
#[ignore = "a measurement; see above"]
fn a_hop_costs_the_same_linked_and_loaded() {
    let mut best = [f64::MAX; 3];
    for _ in 0..9 {
        let rounds = [
            per_buffer(Form::Linked, 0),
            per_buffer(Form::Linked, HOPS),
            per_buffer(Form::Loaded, HOPS),
        ];
        for (best, round) in best.iter_mut().zip(rounds) {
            *best = best.min(round);
        }
    }
    let per_hop = |with: f64| (with - best[0]) / f64::from(HOPS);
    println!(
        "linked {:.1} ns, loaded {:.1} ns a hop (best of 9)",
        per_hop(best[1]),
        per_hop(best[2])
    );
}
