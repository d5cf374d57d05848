//! What the tests share: run a line with a sink named `out`, and look at everything that arrives there.

// Test code outside of `#[test]` functions, of which each test file uses a part.
#![allow(clippy::unwrap_used, dead_code)]

use std::sync::{Arc, Mutex};

use gst_mini_core::object::ObjectMeta;
use gst_mini_core::prelude::*;
use gst_mini_elements::hls::rules::{Checker, Fetched};

gst_mini_core::register![gst_mini_plugin_openh264::FACTORIES[0]];

/// What arrived, in order.
#[derive(Clone)]
pub enum Seen {
    Buffer(Buffer),
    Event(Event),
}

pub struct Run {
    pub seen: Vec<Seen>,
    /// Everything that was posted, up to the end.
    pub messages: Vec<Message>,
    pub pipeline: Bin,
}

impl Run {
    pub fn buffers(&self) -> Vec<&Buffer> {
        self.seen
            .iter()
            .filter_map(|seen| match seen {
                Seen::Buffer(buf) => Some(buf),
                Seen::Event(_) => None,
            })
            .collect()
    }
    pub fn events(&self) -> Vec<&Event> {
        self.seen
            .iter()
            .filter_map(|seen| match seen {
                Seen::Event(event) => Some(event),
                Seen::Buffer(_) => None,
            })
            .collect()
    }
    pub fn caps(&self) -> Vec<Structure> {
        let caps = |event: &&Event| match &event.kind {
            EventKind::Caps(caps) => caps.structure(0).cloned(),
            _ => None,
        };
        self.events().iter().filter_map(caps).collect()
    }
    pub fn error(&self) -> Option<&str> {
        self.messages.iter().find_map(|message| match &message.kind {
            MessageKind::Error(error) => Some(error.text.as_str()),
            _ => None,
        })
    }
    pub fn reports(&self, name: &str) -> Vec<&Structure> {
        let report = |message| match message {
            &Message { kind: MessageKind::Element(ref structure), .. } => Some(structure),
            _ => None,
        };
        self.messages.iter().filter_map(report).filter(|report| report.name() == name).collect()
    }
    /// Numbers of the buffers that are key frames.
    pub fn key_frames(&self) -> Vec<usize> {
        let buffers = self.buffers();
        (0..buffers.len()).filter(|n| !buffers[*n].has(BufferFlags::DELTA_UNIT)).collect()
    }
    /// The objects that arrived; every version of the playlist is judged.
    #[track_caller]
    pub fn objects(&self) -> Vec<(ObjectMeta, Vec<u8>)> {
        let (mut checker, mut stored) = (Checker::new(), Vec::<(ObjectMeta, Vec<u8>)>::new());
        for buf in self.buffers() {
            let meta = ObjectMeta::of(buf).expect("a named object");
            if meta.name.ends_with(".m3u8") {
                let at = buf.pts().unwrap_or_default() + buf.duration().unwrap_or_default();
                let text = std::str::from_utf8(buf.data()).unwrap();
                checker.publish(text, at, |uri| {
                    match stored.iter().find(|(meta, _)| meta.name == uri) {
                        Some((_, bytes)) => Fetched::Bytes(bytes.clone()),
                        None => Fetched::Missing,
                    }
                });
            } else {
                assert!(stored.iter().all(|(old, _)| old.name != meta.name), "{} again", meta.name);
            }
            stored.push((meta, buf.data().to_vec()));
        }
        assert_eq!(checker.violations(), []);
        stored
    }
    /// The last playlist.
    #[track_caller]
    pub fn playlist(&self) -> String {
        let objects = self.objects();
        let (_, bytes) = objects.iter().rfind(|(meta, _)| meta.name.ends_with(".m3u8")).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }
}

/// Makes the pipeline of a line, with these elements known.
#[track_caller]
pub fn make(line: &str) -> Bin {
    gst_mini_elements::register();
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Runs until the end or an error; `during` is called with each message.
#[track_caller]
pub fn run_with(line: &str, mut during: impl FnMut(&Bin, &Message)) -> Run {
    let pipeline = make(line);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let pad = pipeline.by_name("out").expect("a sink named out").pad("sink").unwrap();
    let into = seen.clone();
    let probe = pad.add_probe(
        ProbeType::DATA_DOWNSTREAM,
        Box::new(move |data| {
            match data {
                ProbeData::Buffer(buf) => into.lock().unwrap().push(Seen::Buffer(buf.clone())),
                ProbeData::Event(event) => into.lock().unwrap().push(Seen::Event(event.clone())),
                _ => {}
            }
            ProbeReturn::Ok
        }),
    );
    pipeline.set_state(State::Playing);
    let bus = pipeline.bus();
    let mut messages = Vec::new();
    loop {
        let message = bus
            .timed_pop_filtered(Some(ClockTime::from_secs(36_000)), |_| true)
            .expect("an end in ten hours");
        let ends = matches!(message.kind, MessageKind::Eos | MessageKind::Error(_));
        during(&pipeline, &message);
        messages.push(message);
        if ends {
            break;
        }
    }
    pipeline.set_state(State::Null);
    pad.remove_probe(probe);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    Run { seen, messages, pipeline }
}

/// The same on simulated time.
#[track_caller]
pub fn run(line: &str) -> Run {
    simulated(1, || run_with(line, |_, _| {}))
}

#[track_caller]
pub fn simulated<R: Send + 'static>(seed: u64, job: impl FnOnce() -> R + Send) -> R {
    Sim::new(seed).run(job).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"))
}
