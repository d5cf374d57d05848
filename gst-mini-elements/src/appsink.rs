//! `appsink` hands the stream to the application: what arrives is kept until it is pulled.
//!
//! ```text
//!   streaming thread ─render─▶ [ buffer with its caps and segment ] ─pull-sample─▶ application
//! ```
//!
//! [`AppSink`](crate::app::AppSink) makes the actions plain calls. A sample is the action's buffer; its
//! answer has `caps` and `segment` in text. `try-pull-sample` takes `timeout` in ns, and gives no buffer
//! when it passed. The end of the stream, and a pipeline that does not run, are Eos.
//!
//! Invariant: samples are pulled in stream order; what is queued can be pulled after the end.
//! In GStreamer: `gst-libs/gst/app/gstappsink.c` (`gst_app_sink_render_common`, `gst_app_sink_try_pull_sample`).
//! Left out: `buffer-list`, `new-serialized-event`, `try-pull-object`, `try-pull-preroll`.
//!
//! ```text
//! fakesrc num-buffers=3 ! appsink name=sink
//! ```

use gst_mini_core::element_prelude::*;
use gst_mini_core::property::LiveField;
use gst_mini_core::runtime::EventCount;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Waiters: a sample for the application, room for the streaming thread.
const SAMPLE: u32 = 0;
const ROOM: u32 = 1;

pub struct AppSink {
    caps: Caps,
    inner: Arc<Inner>,
}

impl Default for AppSink {
    fn default() -> Self {
        AppSink { caps: Caps::any(), inner: Arc::default() }
    }
}

/// What the streaming thread and the application's threads share.
struct Inner {
    drop: Live<bool>,
    max_buffers: Live<u32>,
    emit_signals: Live<bool>,
    wait_on_eos: Live<bool>,
    queue: Mutex<Queue>,
    /// From the start of a flush or stop to its end.
    interrupted: AtomicBool,
    /// Woken at that end: the element's own waiters refuse to wait in a flush.
    resumed: EventCount,
}

impl Default for Inner {
    fn default() -> Self {
        Inner {
            drop: Live::new(false),
            max_buffers: Live::new(0),
            emit_signals: Live::new(false),
            wait_on_eos: Live::new(true),
            queue: Mutex::default(),
            interrupted: AtomicBool::new(false),
            resumed: EventCount::new(),
        }
    }
}

#[derive(Default)]
struct Queue {
    samples: VecDeque<Sample>,
    preroll: Option<Sample>,
    caps: Option<Caps>,
    segment: Option<Segment>,
    started: bool,
    eos: bool,
}

#[derive(Clone)]
struct Sample {
    buf: Buffer,
    caps: Option<Caps>,
    segment: Option<Segment>,
}

impl Queue {
    fn sample(&self, buf: Buffer) -> Sample {
        Sample { buf, caps: self.caps.clone(), segment: self.segment }
    }

    fn flush(&mut self) {
        self.samples.clear();
        self.preroll = None;
        self.eos = false;
    }
}

impl Inner {
    fn pull(
        &self,
        cx: &Cx,
        timeout: Option<ClockTime>,
        take: impl Fn(&mut Queue) -> Option<Sample>,
    ) -> FlowResult<Option<Sample>> {
        let deadline = timeout.map(|timeout| cx.runtime_now() + timeout);
        loop {
            let mut queue = self.queue.lock();
            if !queue.started {
                return Err(FlowError::Eos);
            }
            if let Some(sample) = take(&mut queue) {
                drop(queue);
                cx.wake(ROOM);
                return Ok(Some(sample));
            }
            if queue.eos {
                return Err(FlowError::Eos);
            }
            let ticket = cx.ticket(SAMPLE);
            drop(queue);
            if deadline.is_some_and(|deadline| cx.runtime_now() >= deadline) {
                return Ok(None);
            }
            // Taken before the look at what kind of interruption it is.
            let ticket_after = self.resumed.ticket();
            match cx.wait(SAMPLE, ticket, deadline) {
                Ok(_) => {}
                Err(_) if self.goes_on(cx) => {
                    self.resumed.wait(ticket_after, deadline, "the end of a flush");
                }
                Err(_) => return Err(FlowError::Eos),
            }
        }
    }

    /// Whether a pad that takes nothing now is in a flush, or is only just being stopped. A stopped
    /// one has no segment.
    fn goes_on(&self, cx: &Cx) -> bool {
        self.interrupted.load(Ordering::SeqCst) || cx.pad_segment(FIRST_PAD).is_some()
    }

    fn signal(&self, cx: &Cx, name: &str) {
        if self.emit_signals.get() {
            cx.emit(name, None);
        }
    }
}

impl LiveField for Inner {
    fn set_text(&self, _: &str) -> Result<(), String> {
        Err("it is read-only".to_owned())
    }

    /// The property `eos`.
    fn text(&self) -> String {
        let queue = self.queue.lock();
        (!queue.started || queue.eos && queue.samples.is_empty()).to_string()
    }
}

impl Shared for Inner {
    fn unlock(&self, on: bool) {
        self.interrupted.store(on, Ordering::SeqCst);
        if !on {
            self.resumed.wake();
        }
    }

    fn action(&self, cx: &Cx, action: &mut Action) -> FlowResult {
        let arg = |name: &str| action.args.as_ref()?.uint64(name);
        let sample = match action.name.as_str() {
            "pull-sample" => self.pull(cx, None, |queue| queue.samples.pop_front())?,
            "try-pull-sample" => {
                let timeout = arg("timeout").map(ClockTime::from_nanos);
                self.pull(cx, timeout, |queue| queue.samples.pop_front())?
            }
            "pull-preroll" => self.pull(cx, None, |queue| queue.preroll.take())?,
            _ => return Err(FlowError::NotSupported),
        };
        let Some(sample) = sample else { return Ok(()) };
        let mut facts = Structure::new("sample");
        if let Some(caps) = sample.caps {
            facts.set("caps", caps.to_string());
        }
        if let Some(segment) = sample.segment {
            facts.set("segment", segment.to_string());
        }
        action.buf = Some(sample.buf);
        action.answer = Some(facts);
        Ok(())
    }
}

impl Element for AppSink {
    const NAME: &str = "appsink";
    const SUMMARY: &str = "Allow the application to get access to raw buffer";
    const LONG_NAME: &str = "AppSink";
    const CLASS: &str = "Generic/Sink";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::caps("caps", "The formats that are taken", |e: &mut Self| &mut e.caps).ready_only(),
        Prop::live("max-buffers", types::UINT, "Most buffers to queue, 0: no limit", |e: &Self| {
            &e.inner.max_buffers
        }),
        Prop::live(
            "drop",
            types::BOOLEAN,
            "Drop the oldest buffer when the queue is full",
            |e: &Self| &e.inner.drop,
        ),
        Prop::live(
            "emit-signals",
            types::BOOLEAN,
            "Emit new-preroll and new-sample",
            |e: &Self| &e.inner.emit_signals,
        ),
        Prop::live(
            "wait-on-eos",
            types::BOOLEAN,
            "At the end, wait until all was pulled",
            |e: &Self| &e.inner.wait_on_eos,
        ),
        Prop::live("eos", types::BOOLEAN, "Whether nothing more is to be pulled", |e: &Self| {
            &*e.inner
        })
        .read_only(),
    ];
    const SIGNALS: &[Signal] = &[
        Signal::emitted("new-sample", "A sample can be pulled"),
        Signal::emitted("new-preroll", "A preroll sample can be pulled"),
        Signal::emitted("eos", "The stream has ended"),
        Signal::action("pull-sample", "Waits for a sample, or the end"),
        Signal::action("try-pull-sample", "Waits for a sample, the end, or `timeout` ns"),
        Signal::action("pull-preroll", "Waits for the preroll sample, or the end"),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.inner.clone())
    }
}

impl Sink for AppSink {
    fn caps(cx: &Cx) -> Option<Caps> {
        let text = cx.property("caps").filter(|text| !text.is_empty())?;
        Caps::parse(&text).ok().filter(|caps| !caps.is_any())
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        *self.inner.queue.lock() = Queue { started: true, ..Queue::default() };
        Ok(())
    }

    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        *self.inner.queue.lock() = Queue::default();
        cx.wake(SAMPLE);
        Ok(())
    }

    fn set_caps(&mut self, _: &mut Cx, caps: &Caps) -> FlowResult {
        self.inner.queue.lock().caps = Some(caps.clone());
        Ok(())
    }

    fn preroll(&mut self, cx: &mut Cx, buf: &Buffer) -> FlowResult {
        {
            let mut queue = self.inner.queue.lock();
            queue.preroll = Some(queue.sample(buf.clone()));
        }
        cx.wake(SAMPLE);
        self.inner.signal(cx, "new-preroll");
        Ok(())
    }

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        loop {
            let mut queue = self.inner.queue.lock();
            let most = self.inner.max_buffers.get() as usize;
            if most > 0 && queue.samples.len() >= most {
                if self.inner.drop.get() {
                    queue.samples.pop_front();
                } else {
                    let ticket = cx.ticket(ROOM);
                    drop(queue);
                    cx.wait(ROOM, ticket, None)?;
                }
                continue;
            }
            let sample = queue.sample(buf);
            queue.samples.push_back(sample);
            break;
        }
        cx.wake(SAMPLE);
        self.inner.signal(cx, "new-sample");
        Ok(())
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult {
        match &event.kind {
            EventKind::StreamStart { .. } => self.inner.queue.lock().eos = false,
            EventKind::Segment(segment) => self.inner.queue.lock().segment = Some(*segment),
            EventKind::Eos => {
                self.inner.queue.lock().eos = true;
                cx.wake(SAMPLE);
                loop {
                    let queue = self.inner.queue.lock();
                    if queue.samples.is_empty() || !self.inner.wait_on_eos.get() {
                        break;
                    }
                    let ticket = cx.ticket(ROOM);
                    drop(queue);
                    cx.wait(ROOM, ticket, None)?;
                }
                self.inner.signal(cx, "eos");
            }
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self, _: &mut Cx) {
        self.inner.queue.lock().flush();
    }
}
