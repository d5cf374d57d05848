//! State changes of real elements in a real pipeline, on a clock that is moved by hand.
//!
//! Invariant: each step of an element that is no bin is heard through its hook, in the order they end.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_change_state_func`), `gst/gstelement.c` (`gst_element_set_state_func`).
//! Left out: what follows a transition that failed, which the recordings give for information.

use std::sync::Arc;

use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Difference, compare_step};
use crate::scenario::{Log, put, state_of, state_return};

const INPUTS: [&str; 5] = ["op", "element", "state", "to", "locked"];

struct Bench {
    pipeline: Bin,
    clock: Arc<TestClock>,
    calls: Log,
    messages: Log,
}

impl Bench {
    fn new(case: &Json) -> Result<Bench, String> {
        let clock = Arc::new(TestClock::new(time(&case["clock_start"])));
        let pipeline = Bin::pipeline("pipeline");
        pipeline.use_clock(Some(clock.clone()));
        let bench = Bench { pipeline, clock, calls: Log::default(), messages: Log::default() };
        let heard = bench.messages.clone();
        bench.pipeline.bus().set_sync_handler(move |message| {
            if let Some((key, text)) = note(message) {
                heard.add(json!([key, text]));
            }
            true
        });
        for described in case["elements"].as_array().into_iter().flatten() {
            bench.add(described, &case["fail"])?;
        }
        // A bin that is linked shows the source pad of its "mid"; others hold whole chains.
        for bin in bench.pipeline.children().iter().filter_map(Bin::from_element) {
            let Some(mid) = bin.by_name("mid").and_then(|mid| mid.static_pad("src")) else {
                continue;
            };
            bin.add_ghost_pad("src", &mid).map_err(|error| error.to_string())?;
        }
        for link in case["links"].as_array().into_iter().flatten() {
            let (from, to) = (bench.element(&link[0])?, bench.element(&link[1])?);
            from.link(&to).map_err(|error| error.to_string())?;
        }
        Ok(bench)
    }

    fn add(&self, described: &Json, fail: &Json) -> Result<(), String> {
        let name = described["name"].as_str().unwrap_or_default();
        let factory = match described["type"].as_str().unwrap_or_default() {
            "src" => "fakesrc",
            "sink" => "fakesink",
            other => other,
        };
        let parent = match &described["bin"] {
            Json::Null => self.pipeline.clone(),
            bin => Bin::from_element(&self.element(bin)?).ok_or("no bin")?,
        };
        let element = match factory {
            "bin" => Bin::inner(name).element().clone(),
            _ => make(factory, Some(name)).map_err(|error| error.to_string())?,
        };
        let keys = [
            ("num_buffers", "num-buffers"),
            ("live", "is-live"),
            ("sync", "sync"),
            ("async", "async"),
        ];
        for (key, property) in keys {
            if !described[key].is_null() {
                element.set(property, &described[key]).map_err(|error| error.to_string())?;
            }
        }
        if factory != "bin" {
            let fails = if fail["element"] == name { fail["transition"].as_str() } else { None };
            let (calls, name, fails) =
                (self.calls.clone(), name.to_owned(), fails.map(str::to_owned));
            element.hook_state(move |transition, go| {
                let transition = transition.to_string();
                let result = match fails.as_deref() {
                    Some(wanted) if wanted == transition => StateReturn::Failure,
                    _ => go(),
                };
                calls.note(json!([name, transition, state_return(result)]));
                result
            });
        }
        parent.add(&element).map_err(|error| error.to_string())
    }

    fn element(&self, name: &Json) -> Result<ElementRef, String> {
        match name.as_str().unwrap_or_default() {
            "pipeline" => Ok(self.pipeline.element().clone()),
            name => self.pipeline.by_name(name).ok_or(format!("no element \"{name}\"")),
        }
    }

    fn step(&self, step: &Json) -> Result<Map<String, Json>, String> {
        let mut out = Map::new();
        match step["op"].as_str().unwrap_or_default() {
            "set_state" => {
                let result = self.element(&step["element"])?.set_state(state_of(&step["state"]));
                out.insert("ret".into(), state_return(result));
            }
            "advance" => self.clock.set_time(time(&step["to"])),
            "set_locked" => {
                let locked = step["locked"].as_bool().unwrap_or_default();
                self.element(&step["element"])?.set_locked_state(locked);
            }
            other => return Err(format!("no op \"{other}\"")),
        }
        runtime::settle();
        put(&mut out, "calls", self.calls.take());
        put(&mut out, "messages", self.messages.take().map(by_source));
        let (result, state, pending) = self.pipeline.state(Some(ClockTime::ZERO));
        let pending = pending.map_or("void", State::name);
        out.insert("after".into(), json!([state_return(result), state.name(), pending]));
        out.insert("base_time".into(), json!(self.pipeline.base_time().map(AbsoluteTime::nanos)));
        out.insert("start_time".into(), json!(self.pipeline.start_time().map(RunningTime::nanos)));
        out.insert(
            "running_time".into(),
            json!(self.pipeline.running_time().map(RunningTime::nanos)),
        );
        Ok(out)
    }
}

fn time(json: &Json) -> AbsoluteTime {
    AbsoluteTime::from_nanos(json.as_u64().unwrap_or_default())
}

/// The key and the text under which a message is recorded.
fn note(message: &Message) -> Option<(String, String)> {
    let source = message.source.clone();
    Some(match &message.kind {
        MessageKind::StateChanged { old, new, pending } => {
            let pending = pending.map_or("void", State::name);
            (source, format!("state {} {} {pending}", old.name(), new.name()))
        }
        MessageKind::StreamStart { .. } | MessageKind::Latency | MessageKind::Warning(_) => {
            (format!("{source}/{}", message.name()), message.name().to_owned())
        }
        MessageKind::AsyncDone { .. }
        | MessageKind::Eos
        | MessageKind::NewClock(_)
        | MessageKind::Error(_) => (source, message.name().to_owned()),
        _ => return None,
    })
}

fn by_source(messages: Json) -> Json {
    let mut sorted: Map<String, Json> = Map::new();
    for message in messages.as_array().into_iter().flatten() {
        let key = message[0].as_str().unwrap_or_default();
        if let Json::Array(list) = sorted.entry(key).or_insert_with(|| json!([])) {
            list.push(message[1].clone());
        }
    }
    Json::Object(sorted)
}

/// The place of the first call that failed.
fn failure(calls: &Json) -> Option<usize> {
    calls.as_array()?.iter().position(|call| call[2] == "failure")
}

/// A step in which a transition failed: what it returned, and the calls up to the failure.
fn until_failure(outputs: &Map<String, Json>, at: usize) -> Map<String, Json> {
    let calls = outputs.get("calls").and_then(Json::as_array);
    let calls: Vec<_> = calls.into_iter().flatten().take(at + 1).cloned().collect();
    let mut kept = Map::new();
    kept.insert("ret".into(), outputs.get("ret").cloned().unwrap_or(Json::Null));
    kept.insert("calls".into(), Json::Array(calls));
    kept
}

fn run(case: &Json) -> Result<(), Difference> {
    let bench = Bench::new(case).map_err(Difference::impossible)?;
    let steps = case["steps"].as_array().cloned().unwrap_or_default();
    let mut outcome = Ok(());
    for (number, step) in steps.iter().enumerate() {
        let got = bench.step(step).map_err(Difference::impossible)?;
        if let Some(at) = failure(&step["calls"]) {
            let mut recorded = until_failure(step.as_object().unwrap_or(&Map::new()), at);
            recorded.insert("op".into(), step["op"].clone());
            outcome =
                compare_step(number, &Json::Object(recorded), &INPUTS, &until_failure(&got, at));
            break;
        }
        outcome = compare_step(number, step, &INPUTS, &got);
        if outcome.is_err() {
            break;
        }
    }
    // A locked sink would hold the thread of a source that is to stop.
    for described in case["elements"].as_array().into_iter().flatten() {
        bench.element(&described["name"]).map_err(Difference::impossible)?.set_locked_state(false);
    }
    bench.pipeline.set_state(State::Null);
    outcome
}

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    gst_mini_elements::register();
    case.sim()
        .run(|| run(&case.json))
        .unwrap_or_else(|deadlock| Err(Difference::impossible(deadlock.to_string())))
}
