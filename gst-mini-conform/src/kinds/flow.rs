//! Pads that are linked and pushed through, tee's branches, and the flow combiner.
//!
//! Invariant: pads and combiner are the real ones; what a recording's test program did in its own pad
//! functions (return what it was told to) is all that is done here.
//! Left out: nothing of the format.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gst_mini_core::buffer::Buffer;
use gst_mini_core::cx::PadId;
use gst_mini_core::element::Direction;
use gst_mini_core::error::FlowResult;
use gst_mini_core::event::Event;
use gst_mini_core::flow_combiner::FlowCombiner;
use gst_mini_core::pad::{Pad, PadCore, PadHandler};
use gst_mini_core::query::Query;
use gst_mini_core::registry::make;
use gst_mini_core::state::State;
use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Difference, compare_step};
use crate::words::{buffer_of, event_of, flow_of, json_of_event, name_of_event, name_of_flow};

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let carry_out = match case.json["test"].as_str() {
        Some("pads") => pads,
        Some("tee") => tee,
        Some("combiner") => combiner,
        _ => return Err(Difference::impossible("no such test")),
    };
    let outcome = case.sim().run(|| carry_out(&case.json));
    outcome.unwrap_or_else(|dead| Err(Difference::impossible(dead.to_string())))
}

fn steps(case: &Json) -> impl Iterator<Item = (usize, &Json)> {
    case["steps"].as_array().into_iter().flatten().enumerate()
}

/// What the pads' owner returns, and what reached them.
#[derive(Default)]
struct Owner {
    flows: Mutex<HashMap<String, Vec<FlowResult>>>,
    refuses: Mutex<HashMap<String, bool>>,
    received: Mutex<Vec<Json>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Owner {
    fn receive(&self, pad: &PadCore, mut what: Json) {
        what["pad"] = json!(pad.name());
        lock(&self.received).push(what);
    }
}

impl PadHandler for Owner {
    /// The next of the results it was told to return; the last one for ever.
    fn chain(&self, pad: &PadCore, buf: Buffer) -> FlowResult {
        self.receive(pad, json!({"buffer": buf.offset()}));
        match lock(&self.flows).get_mut(pad.name()) {
            Some(flows) if flows.len() > 1 => flows.remove(0),
            Some(flows) => flows.first().copied().unwrap_or(Ok(())),
            None => Ok(()),
        }
    }
    fn event(&self, pad: &PadCore, event: Event) -> FlowResult {
        if pad.direction() == Direction::Sink {
            self.receive(pad, json_of_event(&event));
        }
        let refuses = lock(&self.refuses).get(pad.name()).copied().unwrap_or(false);
        if refuses { Err(event.refusal()) } else { Ok(()) }
    }
    fn query(&self, _: &PadCore, _: &mut Query) -> bool {
        false
    }
}

fn pads(case: &Json) -> Result<(), Difference> {
    let owner = Arc::new(Owner::default());
    let pad = |name: &str, direction| {
        let pad = PadCore::bare(name, direction);
        pad.set_handler(Arc::downgrade(&owner) as _);
        pad
    };
    let a = pad("A", Direction::Src);
    let sinks = [pad("B", Direction::Sink), pad("C", Direction::Sink)];
    let named = |name: &Json| {
        let all = [&a, &sinks[0], &sinks[1]];
        let found = all.into_iter().find(|pad| name.as_str() == Some(pad.name()));
        found.ok_or_else(|| Difference::impossible(format!("no pad {name}")))
    };
    for (number, step) in steps(case) {
        let mut got = Map::new();
        let mut result = |value: Json| got.insert("result".into(), value);
        match step["op"].as_str().unwrap_or_default() {
            "set_active" => named(&step["pad"])?.set_active(step["active"] == true),
            "link" => {
                let linked = a.link(named(&step["to"])?);
                result(linked.map_or_else(|error| json!(error.name()), |()| json!("ok")));
            }
            "unlink" => {
                result(json!(a.unlink()));
            }
            "push_event" => {
                let event = event_of(step).map_err(Difference::impossible)?;
                result(json!(a.push_event(event)));
            }
            "push_buffer" => {
                result(json!(name_of_flow(a.push_buffer(buffer_of(step)))));
            }
            "set_flow" => {
                let flow = flow_of(&step["flow"]).map_err(Difference::impossible)?;
                let name = named(&step["pad"])?.name().to_owned();
                lock(&owner.flows).insert(name, vec![flow]);
            }
            "set_event_result" => {
                let name = named(&step["pad"])?.name().to_owned();
                lock(&owner.refuses).insert(name, step["value"] == false);
            }
            other => return Err(Difference::impossible(format!("no op {other}"))),
        }
        let received = std::mem::take(&mut *lock(&owner.received));
        if !received.is_empty() {
            got.insert("received".into(), Json::Array(received));
        }
        let sticky = [&a, &sinks[0], &sinks[1]].map(|pad| {
            let events = pad.sticky_events();
            let names: Vec<&str> = events.iter().map(name_of_event).collect();
            (pad.name().to_owned(), json!(names))
        });
        got.insert("sticky".into(), Json::Object(sticky.into_iter().collect()));
        got.insert("last_flow".into(), json!(name_of_flow(a.last_flow())));
        compare_step(number, step, &INPUTS, &got)?;
    }
    Ok(())
}

/// The keys of a step that are no output.
const INPUTS: [&str; 16] = [
    "op",
    "pad",
    "active",
    "to",
    "event",
    "stream_id",
    "caps",
    "segment",
    "pts",
    "duration",
    "title",
    "name",
    "reset_time",
    "id",
    "flow",
    "value",
];

fn tee(case: &Json) -> Result<(), Difference> {
    let impossible = |why: &str| Difference::impossible(why);
    let tee = make("tee", None).map_err(|error| Difference::impossible(error.to_string()))?;
    tee.set("allow-not-linked", case["allow_not_linked"] == true)
        .map_err(|error| Difference::impossible(error.to_string()))?;
    let owner = Arc::new(Owner::default());
    let mut ends = Vec::new();
    for (number, branch) in case["branches"].as_array().into_iter().flatten().enumerate() {
        let src = tee.request_pad("src_%u").map_err(|error| impossible(&error.to_string()))?;
        if branch["linked"] == true {
            let end = PadCore::bare(&number.to_string(), Direction::Sink);
            end.set_handler(Arc::downgrade(&owner) as _);
            end.set_active(true);
            src.link(&end).map_err(|error| impossible(&error.to_string()))?;
            let flows = branch["returns"].as_array().into_iter().flatten().map(flow_of);
            let flows: Result<Vec<_>, _> = flows.collect();
            lock(&owner.flows)
                .insert(end.name().to_owned(), flows.map_err(Difference::impossible)?);
            ends.push(end);
        }
    }
    let feed = PadCore::bare("feed", Direction::Src);
    feed.set_handler(Arc::downgrade(&owner) as _);
    feed.set_active(true);
    let sink = tee.static_pad("sink").ok_or_else(|| impossible("tee has no sink pad"))?;
    feed.link(&sink).map_err(|error| impossible(&error.to_string()))?;
    tee.set_state(State::Playing);
    feed.push_event(Event::stream_start("s"));
    feed.push_event(Event::segment(gst_mini_core::segment::Segment::time()));
    let mut got = Vec::new();
    for id in 0..3 {
        lock(&owner.received).clear();
        let flow = feed.push_buffer(buffer_of(&json!({"id": id})));
        let reached = lock(&owner.received)
            .iter()
            .filter(|what| what.get("buffer").is_some())
            .filter_map(|what| what["pad"].as_str()?.parse::<u64>().ok())
            .collect::<Vec<_>>();
        got.push(json!({"flow": name_of_flow(flow), "reached": reached}));
    }
    tee.set_state(State::Null);
    let got = Json::Array(got);
    if got == case["expect"] {
        return Ok(());
    }
    Err(Difference { at: "tee".into(), expected: case["expect"].clone(), got })
}

fn combiner(case: &Json) -> Result<(), Difference> {
    let mut combiner = FlowCombiner::new();
    let mut pads: HashMap<u32, Arc<PadCore>> = HashMap::new();
    for (number, step) in steps(case) {
        let id = step["pad"].as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
        let flow = || flow_of(&step["flow"]).map_err(Difference::impossible);
        let mut got = Map::new();
        match step["op"].as_str().unwrap_or_default() {
            "add_pad" => {
                let pad = pads
                    .entry(id)
                    .or_insert_with(|| PadCore::bare(&id.to_string(), Direction::Src));
                combiner.add_pad_with(PadId(id), pad.last_flow());
            }
            "remove_pad" => combiner.remove_pad(PadId(id)),
            "reset" => combiner.reset(),
            "update_flow" => {
                got.insert("expect".into(), json!(name_of_flow(combiner.update_flow(flow()?))));
            }
            "update_pad_flow" => {
                let combined = combiner.update_pad_flow(PadId(id), flow()?);
                got.insert("expect".into(), json!(name_of_flow(combined)));
            }
            other => return Err(Difference::impossible(format!("no op {other}"))),
        }
        compare_step(number, step, &["op", "pad", "flow"], &got)?;
    }
    Ok(())
}
