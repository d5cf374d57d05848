//! What the host lends, all of it: an element that asks for each thing, and one with a task of its own that waits in
//! every way there is.
//!
//! Invariant: what is asked for is told on the bus, so that both forms can be compared.
//! In GStreamer: nothing.
//! Left out: what the elements beside this file use already.

use gst_mini_core::element_prelude::*;
use gst_mini_core::event::{CustomKind, Seek, Seqnum};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sends each third buffer on with a copy and an event before it, and throws each third away.
#[derive(Default)]
pub struct FixtureLent {
    seen: u32,
}

/// Lets seeks through, moved, and knows no more of caps than the class does.
struct Through;

impl Shared for Through {
    fn seek(&self, _: &Cx, seek: &Seek, _: Seqnum) -> Option<Seek> {
        Some(seek.clone())
    }
    fn transform_caps(&self, _: &Cx, _: Direction, caps: &Caps) -> Option<Caps> {
        Some(caps.clone())
    }
}

impl Element for FixtureLent {
    const NAME: &str = "fixturelent";
    const SUMMARY: &str = "Asks for everything there is to be asked for";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const UPSTREAM_EVENTS: &str = "hello";

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(Arc::new(Through))
    }
}

impl Transform for FixtureLent {
    const PREFER_PASSTHROUGH: bool = false;

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        self.seen = 0;
        cx.set_latency(ClockTime::from_millis(5), Some(ClockTime::from_millis(20)));
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.seen += 1;
        if self.seen.is_multiple_of(3) {
            cx.dropped(&buf, "each third");
            return Ok(None);
        }
        let mut copy = cx.acquire(buf.size());
        copy.data_mut().copy_from_slice(buf.data());
        copy.copy_header_from(&buf);
        if self.seen % 3 == 1 {
            let told = Structure::new("before").with("number", self.seen);
            cx.output_event(
                SECOND_PAD,
                Event::new(EventKind::Custom(CustomKind::Downstream, told)),
            );
            cx.output(SECOND_PAD, buf);
        }
        let or_none = |time: Option<AbsoluteTime>| time.map_or(u64::MAX, AbsoluteTime::nanos);
        cx.post_element(
            Structure::new("lent")
                .with("clock", or_none(cx.clock_now()))
                .with("base-time", or_none(cx.base_time()))
                .with("runtime", cx.runtime_now().nanos())
                .with("simulated", cx.is_simulated())
                .with("flushing", cx.is_flushing()),
        );
        Ok(Some(copy))
    }

    fn src_event(&mut self, cx: &mut Cx, event: &Event) {
        cx.post_element(Structure::new("heard").with("event", event.name()));
    }

    fn flush(&mut self, cx: &mut Cx) {
        cx.post_element(Structure::new("flushed"));
    }
}

/// What waits between two threads.
enum Item {
    Buffer(Buffer),
    Event(Event),
}

#[derive(Default)]
struct Held {
    items: VecDeque<Item>,
    sent: u32,
    is_stopped: bool,
}

/// Two threads and the least there can be between them. Its task waits by the clock, for a running time, for a
/// length of time and to be woken, in turn; it stops once by itself and is started again.
#[derive(Default)]
pub struct FixtureTask {
    held: Mutex<Held>,
}

/// Something is there to be sent.
const FILLED: u32 = 0;
/// There is room.
const EMPTIED: u32 = 1;

impl FixtureTask {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, cx: &Cx, item: Item) -> FlowResult {
        loop {
            let ticket = cx.ticket(EMPTIED);
            self.start_again(cx);
            if self.held().items.len() < 2 {
                break;
            }
            cx.wait(EMPTIED, ticket, None)?;
        }
        self.held().items.push_back(item);
        cx.wake(FILLED);
        Ok(())
    }

    fn start_again(&self, cx: &Cx) {
        if std::mem::take(&mut self.held().is_stopped) {
            let started = cx.start_task(SECOND_PAD);
            cx.post_element(Structure::new("restarted").with("done", started));
        }
    }

    /// Waits before a buffer as its number says.
    fn pause(cx: &Cx, number: u32, buf: &Buffer) -> FlowResult {
        let millis = ClockTime::from_millis;
        match number % 4 {
            0 => cx.sleep(millis(1)),
            1 => cx.clock_now().map_or(Ok(()), |now| cx.wait_clock(now + millis(2))),
            2 => {
                let segment = cx.pad_segment(FIRST_PAD);
                let due = segment.and_then(|segment| segment.to_running_time(buf.pts()?));
                due.map_or(Ok(()), |due| cx.sync(due, 3_000_000))
            }
            _ => {
                let until = cx.runtime_now() + millis(1);
                let woken = cx.wait(3, cx.ticket(3), Some(until))?;
                cx.post_element(Structure::new("woken").with("how", format!("{woken:?}")));
                Ok(())
            }
        }
    }
}

impl Element for FixtureTask {
    const NAME: &str = "fixturetask";
    const SUMMARY: &str = "Waits in every way there is";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY).with_task()];
}

impl MultiPad for FixtureTask {
    fn start(&self, _: &Cx) -> Result<(), ElementError> {
        *self.held() = Held::default();
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        self.put(cx, Item::Buffer(buf))
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if let EventKind::StreamStart { .. } = event.kind {
            let stored = cx.store_event(SECOND_PAD, &event);
            cx.post_element(Structure::new("stored").with("done", stored));
            return Ok(());
        }
        self.put(cx, Item::Event(event))
    }

    fn produce(&self, cx: &Cx) -> FlowResult<Option<Buffer>> {
        loop {
            let ticket = cx.ticket(FILLED);
            let (next, sent) = {
                let mut held = self.held();
                if held.sent == 3 {
                    // As at an end that is none: the task rests until it is started again.
                    held.sent += 1;
                    held.is_stopped = true;
                }
                match held.is_stopped {
                    true => (None, u32::MAX),
                    false => (held.items.pop_front(), held.sent),
                }
            };
            if sent == u32::MAX {
                cx.wake(EMPTIED);
                return Err(FlowError::Flushing);
            }
            match next {
                Some(Item::Buffer(buf)) => {
                    cx.wake(EMPTIED);
                    Self::pause(cx, sent, &buf)?;
                    self.held().sent += 1;
                    return Ok(Some(buf));
                }
                Some(Item::Event(event)) => {
                    cx.wake(EMPTIED);
                    cx.output_event(SECOND_PAD, event);
                    return Ok(None);
                }
                None => {
                    cx.wait(FILLED, ticket, None)?;
                }
            }
        }
    }

    fn flush(&self, _: &Cx) {
        self.held().items.clear();
    }
}
