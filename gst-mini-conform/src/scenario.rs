//! What scenarios share: a thread that does one thing at a time, what happened in order, and words.
//!
//! Invariant: nothing here holds a lock while it calls into the runtime.
//! In GStreamer: the harness the recordings were made with.
//! Left out: anything that belongs to one kind.

use std::sync::Arc;

use gst_mini_core::event::{Event, EventKind};
use gst_mini_core::handle::ElementRef;
use gst_mini_core::message::{Message, MessageKind};
use gst_mini_core::runtime::{self, Monitor, Task};
use gst_mini_core::state::{State, StateReturn};
use gst_mini_core::time::{ClockTime, RunningTime};
use serde_json::{Map, Value as Json, json};

use crate::words::json_of_event;

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<std::sync::Mutex<Vec<Json>>>);

impl Log {
    /// The recorder's own code, called from GStreamer, takes a while at such a place.
    pub fn add(&self, entry: Json) {
        runtime::give_way();
        self.note(entry);
    }

    /// What is noted on the way, in no time.
    pub fn note(&self, entry: Json) {
        self.0.lock().expect("nobody panics with it").push(entry);
    }

    /// What happened since the last call; `None` for nothing.
    pub fn take(&self) -> Option<Json> {
        let entries = std::mem::take(&mut *self.0.lock().expect("nobody panics with it"));
        (!entries.is_empty()).then_some(Json::Array(entries))
    }
}

type Job = Box<dyn FnOnce() -> Json + Send>;

#[derive(Default)]
struct Desk {
    job: Option<Job>,
    result: Option<Json>,
    quit: bool,
}

/// A task that does what it is told, and may block in it.
pub(crate) struct Worker {
    desk: Arc<Monitor<Desk>>,
    task: Option<Task>,
    busy: bool,
}

impl Worker {
    pub fn new(name: &str) -> Worker {
        let desk = Arc::new(Monitor::new(Desk::default()));
        let shared = desk.clone();
        let task = runtime::spawn(name, move || {
            loop {
                let mut desk = shared.lock();
                while desk.job.is_none() && !desk.quit {
                    desk.wait("something to do");
                }
                let Some(job) = desk.job.take() else { return };
                drop(desk);
                let result = job();
                shared.lock().result = Some(result);
            }
        });
        Worker { desk, task: task.ok(), busy: false }
    }

    /// Does it until everything rests; what it came to, or `"blocks"`.
    pub fn run(&mut self, job: impl FnOnce() -> Json + Send + 'static) -> Json {
        self.desk.lock().job = Some(Box::new(job));
        self.desk.notify_all();
        self.busy = true;
        runtime::settle();
        self.finished().unwrap_or_else(|| json!("blocks"))
    }

    /// What a job that blocked came to, once.
    pub fn finished(&mut self) -> Option<Json> {
        let result = self.desk.lock().result.take()?;
        self.busy = false;
        Some(result)
    }

    /// Ends it; whatever it is blocked in must have been ended before.
    pub fn quit(mut self) {
        self.desk.lock().quit = true;
        self.desk.notify_all();
        if let Some(task) = self.task.take() {
            task.join();
        }
    }
}

/// Outputs of a step: `null` is no output where a key may be absent.
pub(crate) fn put(out: &mut Map<String, Json>, key: &str, value: Option<Json>) {
    if let Some(value) = value {
        out.insert(key.to_owned(), value);
    }
}

pub(crate) fn state_of(word: &Json) -> State {
    match word.as_str() {
        Some("ready") => State::Ready,
        Some("paused") => State::Paused,
        Some("playing") => State::Playing,
        _ => State::Null,
    }
}

pub(crate) fn state_return(result: StateReturn) -> Json {
    json!(match result {
        StateReturn::Success => "success",
        StateReturn::Async => "async",
        StateReturn::NoPreroll => "no-preroll",
        StateReturn::Failure => "failure",
    })
}

/// `[current, pending]`.
pub(crate) fn states(element: &ElementRef) -> [Json; 3] {
    let (last, current, pending) = element.state(Some(ClockTime::ZERO));
    [state_return(last), json!(current.name()), json!(pending.map_or("void", State::name))]
}

/// An event as these recordings write it.
pub(crate) fn event_json(event: &Event) -> Json {
    match &event.kind {
        // A real source's name for its stream is its own.
        EventKind::StreamStart { .. } => json!({"event": "stream-start"}),
        EventKind::Qos { kind, proportion, diff, timestamp } => json!({
            "event": "qos", "type": kind.name(), "proportion": proportion, "diff": diff,
            "timestamp": timestamp.map(ClockTime::nanos)
        }),
        _ => json_of_event(event),
    }
}

/// A message of the pipeline as recordings write it; `None` for those that are not recorded.
pub(crate) fn message_json(message: &Message) -> Option<Json> {
    let nanos = |time: Option<RunningTime>| time.map(RunningTime::nanos);
    Some(match &message.kind {
        MessageKind::AsyncDone { running_time } => {
            json!({"message": "async-done", "running_time": nanos(*running_time)})
        }
        MessageKind::Eos => json!({"message": "eos"}),
        MessageKind::Warning(_) => json!({"message": "warning"}),
        MessageKind::Error(_) => json!({"message": "error"}),
        MessageKind::SegmentStart { position, .. } => {
            json!({"message": "segment-start", "position": position})
        }
        MessageKind::SegmentDone { position, .. } => {
            json!({"message": "segment-done", "position": position})
        }
        MessageKind::Qos {
            live,
            running_time,
            stream_time,
            timestamp,
            duration,
            jitter,
            proportion,
            processed,
            dropped,
        } => json!({
            "message": "qos", "live": live, "running_time": nanos(*running_time),
            "stream_time": stream_time, "timestamp": timestamp.map(ClockTime::nanos),
            "duration": duration.map(ClockTime::nanos), "jitter": jitter,
            "proportion": proportion, "processed": processed, "dropped": dropped
        }),
        _ => return None,
    })
}
