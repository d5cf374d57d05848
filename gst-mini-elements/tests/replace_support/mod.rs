//! What tests of exchanges share: a camera, and a list of what came to its sinks.

#![allow(dead_code, reason = "each test file uses a part of it")]

use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use std::sync::{Arc, Mutex};

/// A camera that counts its buffers, one each 10 ms.
pub const CAMERA: &str = "fakesrc name=camera is-live=true sync=true format=time datarate=10000 \
                      sizetype=fixed sizemax=100";
/// The same for a stream that is as fast as its sink lets it.
pub const FILE: &str = "fakesrc name=camera format=time datarate=10000 sizetype=fixed sizemax=100";

/// What came to the sinks, in the order it came: the sink's name and the buffer's number.
#[derive(Clone, Default)]
pub struct Arrivals(pub Arc<Mutex<Vec<(String, u64)>>>);

impl Arrivals {
    pub fn watch(&self, sink: &ElementRef) {
        let (list, name) = (self.0.clone(), sink.name().to_owned());
        sink.set("signal-handoffs", true).unwrap();
        sink.static_pad("sink").unwrap().add_probe(
            ProbeType::BUFFER,
            Box::new(move |data| {
                if let ProbeData::Buffer(buf) = data {
                    list.lock().unwrap().push((name.clone(), number(buf)));
                }
                ProbeReturn::Ok
            }),
        );
    }

    pub fn sink(&self, name: &str) -> ElementRef {
        let sink = make("fakesink", Some(name)).unwrap();
        sink.set("sync", true).unwrap();
        self.watch(&sink);
        sink
    }

    pub fn numbers(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|(_, number)| *number).collect()
    }

    /// How many buffers the first and the last element got, and that none is missing or there twice.
    pub fn assert_whole(&self, what: &str) -> usize {
        let numbers = self.numbers();
        let wanted: Vec<u64> = (0..numbers.len() as u64).collect();
        assert_eq!(numbers, wanted, "{what}");
        numbers.len()
    }
}

/// The place of a buffer in its stream, which has one each 10 ms.
pub fn number(buf: &Buffer) -> u64 {
    (buf.pts().unwrap().nanos() + 5_000_000) / 10_000_000
}

pub fn pause(micros: u64) {
    runtime::sleep_until(runtime::now() + ClockTime::from_micros(micros));
}

pub fn end(pipeline: &Bin) {
    pipeline.send_event(Event::eos());
    let ended = pipeline.wait_for_end(Some(ClockTime::from_secs(60)));
    assert!(matches!(ended.as_ref().map(|ended| &ended.kind), Some(MessageKind::Eos)), "{ended:?}");
    assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
}

pub fn assert_gone(pipeline: &Bin, old: &ElementRef) {
    assert_eq!(old.current_state(), State::Null);
    assert!(old.pads().iter().all(|pad| !pad.is_linked()));
    assert!(!pipeline.children().iter().any(|child| child.is_same(old)));
}
