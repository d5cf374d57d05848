//! Latency queries and their redistribution, between sources and filters that say what they are told.
//!
//! Invariant: queue, tee and sink are the real ones.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_do_latency_func`), `libs/gst/base/gstbasesink.c` (`gst_base_sink_query_latency`).
//! Left out: nothing of the format.

use gst_mini_core::element_prelude::{
    self as author, Cx, Element, ElementError, Factory, PadTemplate, Prop, Source, Transform,
};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use gst_mini_core::runtime;
use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Difference, compare_step};
use crate::scenario::{state_of, state_return};

/// Gives one buffer, and says what latency it has.
#[derive(Default)]
struct LatencySrc {
    live: bool,
    min: u64,
    max: i64,
    given: bool,
}

/// A latency as two properties: the largest is -1 for none.
fn say(cx: &Cx, min: u64, max: i64) {
    let max = u64::try_from(max).ok().map(ClockTime::from_nanos);
    cx.set_latency(ClockTime::from_nanos(min), max);
}

impl Element for LatencySrc {
    const NAME: &str = "latencysrc";
    const SUMMARY: &str = "Says what latency it is told";
    const PADS: &[PadTemplate] = &[PadTemplate::src(author::ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::boolean("live", "Whether it is live", |e: &mut Self| &mut e.live),
        Prop::uint64("min", "Least latency", |e: &mut Self| &mut e.min),
        Prop::int64("max", "Largest latency, -1: none", |e: &mut Self| &mut e.max),
    ];
}

impl Source for LatencySrc {
    fn is_live(cx: &Cx) -> bool {
        cx.property_as("live").unwrap_or(false)
    }
    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        self.given = false;
        say(cx, self.min, self.max);
        Ok(())
    }
    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        while std::mem::replace(&mut self.given, true) {
            cx.wait(0, cx.ticket(0), None)?;
        }
        let mut buf = Buffer::from_vec(Vec::new());
        buf.set_pts(Some(ClockTime::ZERO));
        buf.set_duration(Some(ClockTime::from_millis(1)));
        Ok(buf)
    }
}

/// Passes everything on, and says what latency it adds.
#[derive(Default)]
struct LatencyFilter {
    min: u64,
    max: i64,
}

impl Element for LatencyFilter {
    const NAME: &str = "latencyfilter";
    const SUMMARY: &str = "Adds the latency it is told";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(author::ANY), PadTemplate::src(author::ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint64("min", "Added to the least", |e: &mut Self| &mut e.min),
        Prop::int64("max", "Added to the largest, -1: it becomes none", |e: &mut Self| &mut e.max),
    ];
}

impl Transform for LatencyFilter {
    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        say(cx, self.min, self.max);
        Ok(())
    }
    fn transform(&mut self, _: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        Ok(Some(buf))
    }
}

register![Factory::source::<LatencySrc>(), Factory::transform::<LatencyFilter>()];

fn build(case: &Json) -> Result<Bin, String> {
    let pipeline = Bin::pipeline("pipeline");
    for described in case["elements"].as_array().into_iter().flatten() {
        let name = described["name"].as_str().unwrap_or_default();
        let factory = match described["type"].as_str().unwrap_or_default() {
            "src" => "latencysrc",
            "filter" => "latencyfilter",
            "sink" => "fakesink",
            other => other,
        };
        let element = make(factory, Some(name)).map_err(|error| error.to_string())?;
        let properties = described.as_object().into_iter().flatten();
        for (key, value) in properties.filter(|(key, _)| *key != "name" && *key != "type") {
            let key = key.strip_prefix("add_").unwrap_or(key);
            let value = match value {
                Json::Null => "-1".to_owned(),
                Json::String(word) => word.clone(),
                other => other.to_string(),
            };
            element.set(key, value).map_err(|error| error.to_string())?;
        }
        pipeline.add(&element).map_err(|error| error.to_string())?;
    }
    for link in case["links"].as_array().into_iter().flatten() {
        let of = |name: &Json| pipeline.by_name(name.as_str()?);
        let (Some(from), Some(to)) = (of(&link[0]), of(&link[1])) else {
            return Err(format!("no elements for the link {link}"));
        };
        pipeline.link(&[&from, &to]).map_err(|error| error.to_string())?;
    }
    if let Some(latency) = case["pipeline_latency"].as_u64() {
        pipeline.set_latency(Some(ClockTime::from_nanos(latency)));
    }
    Ok(pipeline)
}

fn ask(element: &ElementRef) -> Json {
    let mut query = Query::latency();
    match (element.query(&mut query), query) {
        (true, Query::Latency { live, min, max }) => {
            json!({"ok": true, "live": live, "min": min.nanos(), "max": max.map(ClockTime::nanos)})
        }
        _ => json!({"ok": false}),
    }
}

fn outputs(pipeline: &Bin, state: &Json) -> Map<String, Json> {
    let mut out = Map::new();
    let result = pipeline.set_state(state_of(state));
    runtime::settle();
    out.insert("set_state".into(), state_return(result));
    out.insert("pipeline".into(), ask(pipeline.element()));
    while pipeline.bus().pop().is_some() {}
    out.insert("recalculate".into(), json!(pipeline.recalculate_latency()));
    let mut warnings = 0;
    while let Some(message) = pipeline.bus().pop() {
        warnings += u32::from(matches!(message.kind, MessageKind::Warning(_)));
    }
    out.insert("warnings".into(), json!(warnings));
    let mut sinks = Map::new();
    for sink in pipeline.children().iter().filter(|child| child.is_sink()) {
        let configured = sink.configured_latency().map(ClockTime::nanos);
        sinks.insert(sink.name().to_owned(), json!({"query": ask(sink), "configured": configured}));
    }
    out.insert("sinks".into(), Json::Object(sinks));
    out
}

fn run(case: &Json) -> Result<(), Difference> {
    let pipeline = build(case).map_err(Difference::impossible)?;
    let got = outputs(&pipeline, &case["state"]);
    pipeline.set_state(State::Null);
    compare_step(0, &case["expect"], &[], &got)
}

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    gst_mini_elements::register();
    case.sim()
        .run(|| run(&case.json))
        .unwrap_or_else(|deadlock| Err(Difference::impossible(deadlock.to_string())))
}
