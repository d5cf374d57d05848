//! One queue between a source pad and a sink pad of ours.
//!
//! Invariant: the queue is the real one, on the simulator; after every op everything runs until all tasks
//! wait.
//! Left out: nothing of the format.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst_mini_core::buffer::{Buffer, BufferFlags, BufferList};
use gst_mini_core::element::Direction;
use gst_mini_core::error::{FlowError, FlowResult};
use gst_mini_core::event::{Event, EventKind};
use gst_mini_core::handle::ElementRef;
use gst_mini_core::pad::{PadCore, PadHandler};
use gst_mini_core::query::Query;
use gst_mini_core::registry::make;
use gst_mini_core::runtime::{self, Monitor, Task};
use gst_mini_core::state::State;
use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Difference, compare_step};
use crate::words::{buffer_of, event_of, flow_of, json_of_event, name_of_flow};

const SIGNALS: [&str; 4] = ["overrun", "underrun", "running", "pushing"];

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let outcome = case.sim().run(|| {
        let bench = Bench::new(&case.json["config"]).map_err(Difference::impossible)?;
        let result = bench.steps(&case.json);
        bench.stop();
        result
    });
    outcome.unwrap_or_else(|dead| Err(Difference::impossible(dead.to_string())))
}

/// The sink pad's owner: it notes what comes, and each buffer waits for a credit.
struct End {
    state: Monitor<EndState>,
}

#[derive(Default)]
struct EndState {
    out: Vec<Json>,
    credits: u64,
    in_chain: Option<u64>,
    flow: FlowResultOf,
    stop: bool,
}

struct FlowResultOf(FlowResult);

impl Default for FlowResultOf {
    fn default() -> Self {
        FlowResultOf(Ok(()))
    }
}

impl PadHandler for End {
    fn chain(&self, pad: &PadCore, buf: Buffer) -> FlowResult {
        // The recorder's own code took a while here.
        runtime::give_way();
        let mut state = self.state.lock();
        let mut note = json!({"buffer": buf.offset()});
        if buf.has(BufferFlags::DISCONT) {
            note["discont"] = json!(true);
        }
        state.out.push(note);
        state.in_chain = buf.offset();
        while state.credits == 0 && !pad.is_flushing() && !state.stop {
            state.wait("a credit");
        }
        state.in_chain = None;
        if pad.is_flushing() || state.stop {
            return Err(FlowError::Flushing);
        }
        state.credits -= 1;
        state.flow.0
    }
    fn event(&self, _: &PadCore, event: Event) -> FlowResult {
        runtime::give_way();
        let mut state = self.state.lock();
        state.out.push(json_of_event(&event));
        state.notify_all();
        Ok(())
    }
    fn query(&self, _: &PadCore, _: &mut Query) -> bool {
        false
    }
}

/// The source pad's owner: nothing is asked of it.
struct Feed;

impl PadHandler for Feed {
    fn chain(&self, _: &PadCore, _: Buffer) -> FlowResult {
        Err(FlowError::NotSupported)
    }
    fn event(&self, _: &PadCore, _: Event) -> FlowResult {
        Ok(())
    }
    fn query(&self, _: &PadCore, _: &mut Query) -> bool {
        false
    }
}

enum Push {
    Buffer(Buffer),
    List(BufferList),
    Event(Event),
}

/// A thread that pushes, one thing at a time.
struct Pusher {
    mail: Monitor<Mail>,
}

#[derive(Default)]
struct Mail {
    todo: VecDeque<Push>,
    results: VecDeque<Json>,
    stop: bool,
}

impl Pusher {
    fn spawn(name: &str, pad: Arc<PadCore>) -> Result<(Arc<Pusher>, Task), String> {
        let pusher = Arc::new(Pusher { mail: Monitor::default() });
        let own = pusher.clone();
        let task =
            runtime::spawn(name, move || own.run(&pad)).map_err(|error| error.to_string())?;
        Ok((pusher, task))
    }

    fn run(&self, pad: &PadCore) {
        loop {
            let push = {
                let mut mail = self.mail.lock();
                loop {
                    if mail.stop {
                        return;
                    }
                    match mail.todo.pop_front() {
                        Some(push) => break push,
                        None => mail.wait("something to push"),
                    }
                }
            };
            let result = match push {
                Push::Buffer(buf) => json!(name_of_flow(pad.push_buffer(buf))),
                Push::List(list) => json!(name_of_flow(pad.push_buffer_list(list))),
                Push::Event(event) => json!(pad.push_event(event)),
            };
            self.mail.lock().results.push_back(result);
        }
    }

    fn ask(&self, push: Push) {
        let mut mail = self.mail.lock();
        mail.todo.push_back(push);
        mail.notify_all();
    }

    fn result(&self) -> Option<Json> {
        self.mail.lock().results.pop_front()
    }

    fn stop(&self) {
        let mut mail = self.mail.lock();
        mail.stop = true;
        mail.notify_all();
    }
}

struct Bench {
    queue: ElementRef,
    feed: Arc<PadCore>,
    sink: Arc<PadCore>,
    end: Arc<End>,
    _feed_owner: Arc<Feed>,
    streaming: (Arc<Pusher>, Task),
    beside: (Arc<Pusher>, Task),
    counts: Arc<[AtomicU64; 4]>,
}

impl Bench {
    fn new(config: &Json) -> Result<Bench, String> {
        let queue = make("queue", None).map_err(|error| error.to_string())?;
        for (name, value) in config.as_object().into_iter().flatten() {
            set(&queue, name, value)?;
        }
        let counts = Arc::new([const { AtomicU64::new(0) }; 4]);
        for (number, signal) in SIGNALS.into_iter().enumerate() {
            let counts = counts.clone();
            queue.connect(signal, move |_| {
                counts[number].fetch_add(1, Ordering::Relaxed);
            });
        }
        let end = Arc::new(End { state: Monitor::default() });
        let feed_owner = Arc::new(Feed);
        let (feed, sink) =
            (PadCore::bare("feed", Direction::Src), PadCore::bare("end", Direction::Sink));
        feed.set_handler(Arc::downgrade(&feed_owner) as _);
        sink.set_handler(Arc::downgrade(&end) as _);
        let pad = |name: &str| queue.static_pad(name).ok_or(format!("queue has no pad {name}"));
        feed.set_active(true);
        sink.set_active(true);
        feed.link(&pad("sink")?).map_err(|error| error.to_string())?;
        pad("src")?.link(&sink).map_err(|error| error.to_string())?;
        queue.set_state(State::Playing);
        let streaming = Pusher::spawn("streaming", feed.clone())?;
        let beside = Pusher::spawn("beside", feed.clone())?;
        Ok(Bench { queue, feed, sink, end, _feed_owner: feed_owner, streaming, beside, counts })
    }

    fn stop(self) {
        {
            let mut end = self.end.state.lock();
            end.stop = true;
            end.notify_all();
        }
        self.sink.set_active(false);
        self.queue.set_state(State::Null);
        self.feed.set_active(false);
        for (pusher, task) in [self.streaming, self.beside] {
            pusher.stop();
            task.join();
        }
    }

    fn steps(&self, case: &Json) -> Result<(), Difference> {
        let mut is_blocked = false;
        let mut counted = [0; 4];
        for (number, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
            let mut got = Map::new();
            let asked = self.carry_out(step).map_err(Difference::impossible)?;
            runtime::run_until_idle();
            if is_blocked && let Some(result) = self.streaming.0.result() {
                got.insert("unblocked".into(), result);
                is_blocked = false;
            }
            if let Some(pusher) = asked {
                let result = pusher.result();
                is_blocked |= result.is_none();
                got.insert("result".into(), result.unwrap_or_else(|| json!("blocks")));
            }
            self.look(&mut got, &mut counted);
            compare_step(number, step, &INPUTS, &got)?;
        }
        Ok(())
    }

    /// Starts what a step says; who will have its result.
    fn carry_out(&self, step: &Json) -> Result<Option<&Pusher>, String> {
        match step["op"].as_str().unwrap_or_default() {
            "start" => {}
            "push_buffer" => {
                self.streaming.0.ask(Push::Buffer(buffer_of(step)));
                return Ok(Some(&self.streaming.0));
            }
            "push_list" => {
                let list = step["buffers"].as_array().into_iter().flatten().map(buffer_of);
                self.streaming.0.ask(Push::List(list.collect()));
                return Ok(Some(&self.streaming.0));
            }
            "push_event" => {
                let event = event_of(step)?;
                let is_flush_stop = matches!(event.kind, EventKind::FlushStop { .. });
                if is_flush_stop {
                    self.end.state.lock().credits = 0;
                }
                let is_flush = is_flush_stop || matches!(event.kind, EventKind::FlushStart);
                let pusher = match is_flush || !event.is_serialized() {
                    true => &self.beside.0,
                    false => &self.streaming.0,
                };
                pusher.ask(Push::Event(event));
                return Ok(Some(pusher));
            }
            "release" => {
                let mut end = self.end.state.lock();
                end.credits += step["n"].as_u64().unwrap_or(0);
                end.notify_all();
            }
            "set_property" => {
                set(&self.queue, step["name"].as_str().unwrap_or_default(), &step["value"])?;
            }
            "set_downstream_flow" => self.end.state.lock().flow.0 = flow_of(&step["flow"])?,
            other => return Err(format!("no op {other}")),
        }
        Ok(None)
    }

    /// What can be seen at rest.
    fn look(&self, got: &mut Map<String, Json>, counted: &mut [u64; 4]) {
        let mut end = self.end.state.lock();
        let out = std::mem::take(&mut end.out);
        got.insert("in_chain".into(), json!(end.in_chain));
        drop(end);
        if !out.is_empty() {
            got.insert("out".into(), Json::Array(out));
        }
        let level = |what: &str| self.queue.get_as::<u64>(&format!("current-level-{what}"));
        got.insert("levels".into(), json!([level("buffers"), level("bytes"), level("time")]));
        let mut signals = Map::new();
        for (number, signal) in SIGNALS.into_iter().enumerate() {
            let now = self.counts[number].load(Ordering::Relaxed);
            if now > counted[number] {
                signals.insert(signal.into(), json!(now - counted[number]));
            }
            counted[number] = now;
        }
        if !signals.is_empty() {
            got.insert("signals".into(), Json::Object(signals));
        }
    }
}

/// The keys of a step that are no output.
const INPUTS: [&str; 21] = [
    "op",
    "id",
    "pts",
    "dts",
    "duration",
    "size",
    "flags",
    "buffers",
    "event",
    "stream_id",
    "caps",
    "segment",
    "title",
    "name",
    "reset_time",
    "n",
    "value",
    "flow",
    "latency",
    "position",
    "type",
];

fn set(queue: &ElementRef, name: &str, value: &Json) -> Result<(), String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    queue.set(name, text).map_err(|error| error.to_string())
}
