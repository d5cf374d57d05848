//! `appsrc` is fed by the application: what it pushes is what comes out.
//!
//! ```text
//!   application ─push-buffer─▶ [ caps, buffers ] ─create─▶ streaming thread
//!               ◀─need-data───                 (the queue is empty)
//!               ◀─enough-data─                 (the queue is full)
//!               ◀─seek-data───                 (a seek; only with `stream-type=seekable`)
//! ```
//!
//! [`AppSrc`](crate::app::AppSrc) makes the actions plain calls. The signal `need-data` carries `length`,
//! `seek-data` carries `offset` in the unit of `format`, and its handler answers whether it goes there.
//!
//! Invariant: buffers and changes of caps leave in the order they were pushed and set.
//! In GStreamer: `gst-libs/gst/app/gstappsrc.c` (`gst_app_src_push_internal`, `gst_app_src_create`).
//! Left out: `push-sample`, random access by pulling. A push that
//! would block before the element is in PAUSED is refused with Flushing instead.
//!
//! ```text
//! appsrc name=src format=time caps="video/x-raw,format=I420" ! fakesink
//! ```

use gst_mini_core::element_prelude::*;
use gst_mini_core::property::LiveField;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

const LEAKY: &str = "enum:none=0,upstream=1,downstream=2";
const LEAKY_UPSTREAM: i32 = 1;
const LEAKY_DOWNSTREAM: i32 = 2;
const FORMAT: &str = "enum:bytes=2,time=3";
const FORMAT_BYTES: i32 = 2;
const STREAM_TYPE: &str = "enum:stream=0,seekable=1,random-access=2";
/// Waiters: data for the streaming thread, room for the application.
const DATA: u32 = 0;
const ROOM: u32 = 1;

pub struct AppSrc {
    format: i32,
    is_live: bool,
    min_latency: i64,
    max_latency: i64,
    stream_type: i32,
    size: i64,
    duration: u64,
    inner: Arc<Inner>,
}

impl Default for AppSrc {
    fn default() -> Self {
        AppSrc {
            format: FORMAT_BYTES,
            is_live: false,
            min_latency: -1,
            max_latency: -1,
            stream_type: 0,
            size: -1,
            duration: u64::MAX,
            inner: Arc::default(),
        }
    }
}

/// What the application's threads and the streaming thread share.
struct Inner {
    block: Live<bool>,
    emit_signals: Live<bool>,
    max_bytes: Live<u64>,
    max_buffers: Live<u64>,
    max_time: Live<u64>,
    min_percent: Live<u32>,
    leaky: Live<i32>,
    level_bytes: Live<u64>,
    level_buffers: Live<u64>,
    level_time: Live<u64>,
    queue: Mutex<Queue>,
}

impl Default for Inner {
    fn default() -> Self {
        Inner {
            block: Live::new(false),
            emit_signals: Live::new(true),
            max_bytes: Live::new(200_000),
            max_buffers: Live::new(0),
            max_time: Live::new(0),
            min_percent: Live::new(0),
            leaky: Live::new(0),
            level_bytes: Live::new(0),
            level_buffers: Live::new(0),
            level_time: Live::new(0),
            queue: Mutex::default(),
        }
    }
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    buffers: u64,
    bytes: u64,
    /// Where the newest buffer ends.
    newest: Option<ClockTime>,
    /// What was set last; announced again when the stream begins again.
    caps: Option<Caps>,
    eos: bool,
    flushing: bool,
    /// The stream has begun: nothing is taken while its pad is flushing, either.
    runs: bool,
    /// A buffer was dropped before the next one.
    discont: bool,
}

enum Item {
    Buffer(Buffer),
    Caps(Caps),
}

impl Queue {
    fn clear(&mut self) {
        self.items.clear();
        (self.buffers, self.bytes, self.newest) = (0, 0, None);
        self.items.extend(self.caps.clone().map(Item::Caps));
    }

    fn time_level(&self) -> u64 {
        let oldest = self.items.iter().find_map(|item| match item {
            Item::Buffer(buf) => buf.dts_or_pts(),
            Item::Caps(_) => None,
        });
        self.newest.zip(oldest).map_or(0, |(newest, oldest)| newest.since(oldest).nanos())
    }

    fn take(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        if let Item::Buffer(buf) = &item {
            self.buffers -= 1;
            self.bytes -= buf.size() as u64;
        }
        Some(item)
    }

    fn drop_oldest(&mut self) {
        let oldest = self.items.iter().position(|item| matches!(item, Item::Buffer(_)));
        if let Some(Item::Buffer(buf)) = oldest.and_then(|at| self.items.remove(at)) {
            self.buffers -= 1;
            self.bytes -= buf.size() as u64;
        }
    }
}

impl Inner {
    fn is_full(&self, queue: &Queue) -> bool {
        let over = |level: u64, max: u64| max > 0 && level >= max;
        queue.buffers > 0
            && (over(queue.buffers, self.max_buffers.get())
                || over(queue.bytes, self.max_bytes.get())
                || over(queue.time_level(), self.max_time.get()))
    }

    /// Whether it is emptier than the application wishes it to be.
    fn is_low(&self, queue: &Queue) -> bool {
        let percent = u128::from(self.min_percent.get());
        let under =
            |level: u64, max: u64| max > 0 && u128::from(level) * 100 / u128::from(max) <= percent;
        percent > 0
            && (under(queue.bytes, self.max_bytes.get())
                || under(queue.buffers, self.max_buffers.get())
                || under(queue.time_level(), self.max_time.get()))
    }

    fn show_levels(&self, queue: &Queue) {
        self.level_buffers.set(queue.buffers);
        self.level_bytes.set(queue.bytes);
        self.level_time.set(queue.time_level());
    }

    fn signal(&self, cx: &Cx, name: &str, args: Option<&Structure>) {
        if self.emit_signals.get() {
            cx.emit(name, args);
        }
    }

    fn push(&self, cx: &Cx, mut buf: Buffer) -> FlowResult {
        let mut told = false;
        loop {
            let mut queue = self.queue.lock();
            if queue.flushing || (queue.runs && cx.is_flushing()) {
                return Err(FlowError::Flushing);
            }
            if queue.eos {
                return Err(FlowError::Eos);
            }
            if self.is_full(&queue) {
                if !std::mem::replace(&mut told, true) {
                    drop(queue);
                    self.signal(cx, "enough-data", None);
                    continue;
                }
                match self.leaky.get() {
                    LEAKY_UPSTREAM => {
                        queue.discont = true;
                        return Ok(());
                    }
                    LEAKY_DOWNSTREAM => {
                        while self.is_full(&queue) {
                            queue.drop_oldest();
                        }
                        queue.discont = true;
                    }
                    _ if self.block.get() => {
                        let ticket = cx.ticket(ROOM);
                        drop(queue);
                        cx.wait(ROOM, ticket, None)?;
                        continue;
                    }
                    // The signal was the warning; nothing is lost.
                    _ => {}
                }
            }
            if std::mem::take(&mut queue.discont) {
                buf.set_flags(BufferFlags::DISCONT);
            }
            queue.buffers += 1;
            queue.bytes += buf.size() as u64;
            if let Some(start) = buf.dts_or_pts() {
                queue.newest = Some(start + buf.duration().unwrap_or(ClockTime::ZERO));
            }
            queue.items.push_back(Item::Buffer(buf));
            self.show_levels(&queue);
            drop(queue);
            cx.wake(DATA);
            return Ok(());
        }
    }
}

impl LiveField for Inner {
    /// The property `caps`: in its place among the buffers.
    fn set_text(&self, text: &str) -> Result<(), String> {
        let caps = Caps::parse(text).map_err(|error| error.to_string())?;
        let caps = (!caps.is_any()).then_some(caps);
        if caps.as_ref().is_some_and(|caps| !caps.is_fixed()) {
            return Err("the stream's caps are one format, each field with one value".to_owned());
        }
        let mut queue = self.queue.lock();
        if caps != queue.caps {
            queue.caps = caps.clone();
            queue.items.extend(caps.map(Item::Caps));
        }
        Ok(())
    }

    fn text(&self) -> String {
        self.queue.lock().caps.clone().unwrap_or_else(Caps::any).to_string()
    }
}

impl Shared for Inner {
    fn unlock(&self, on: bool) {
        self.queue.lock().flushing = on;
    }

    fn query(&self, _: &Cx, query: &mut Query) -> bool {
        if let Query::Scheduling(way) = query {
            (way.seekable, way.push) = (true, true);
            return true;
        }
        let Query::Caps { filter, result } = query else { return false };
        let Some(caps) = self.queue.lock().caps.clone() else { return false };
        *result = Some(match filter {
            Some(filter) => filter.intersect_first(&caps),
            None => caps,
        });
        true
    }

    fn action(&self, cx: &Cx, action: &mut Action) -> FlowResult {
        match action.name.as_str() {
            "push-buffer" => match action.buf.take() {
                Some(buf) => self.push(cx, buf),
                None => Err(FlowError::Error),
            },
            "end-of-stream" => {
                {
                    let mut queue = self.queue.lock();
                    if queue.flushing {
                        return Err(FlowError::Flushing);
                    }
                    queue.eos = true;
                }
                cx.wake(DATA);
                cx.wake(ROOM);
                Ok(())
            }
            _ => Err(FlowError::NotSupported),
        }
    }
}

impl Element for AppSrc {
    const NAME: &str = "appsrc";
    const SUMMARY: &str = "Allow the application to feed buffers to a pipeline";
    const LONG_NAME: &str = "AppSrc";
    const CLASS: &str = "Generic/Source";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("caps", types::CAPS, "The format of what is pushed from now on", |e: &Self| {
            &*e.inner
        }),
        Prop::choice("stream-type", STREAM_TYPE, "The type of the stream", |e: &mut Self| {
            &mut e.stream_type
        }),
        Prop::int64("size", "Length of a stream of bytes, -1: unknown", |e: &mut Self| &mut e.size)
            .unit("bytes")
            .range("-1", "9223372036854775807"),
        Prop::uint64(
            "duration",
            "Length of a stream in time, all ones: unknown",
            |e: &mut Self| &mut e.duration,
        )
        .unit("ns"),
        Prop::choice("format", FORMAT, "The format of the segment", |e: &mut Self| &mut e.format)
            .ready_only(),
        Prop::live(
            "block",
            types::BOOLEAN,
            "Block push-buffer when the queue is full",
            |e: &Self| &e.inner.block,
        ),
        Prop::live("max-bytes", types::UINT64, "Most bytes to queue, 0: no limit", |e: &Self| {
            &e.inner.max_bytes
        })
        .unit("bytes"),
        Prop::live(
            "max-buffers",
            types::UINT64,
            "Most buffers to queue, 0: no limit",
            |e: &Self| &e.inner.max_buffers,
        ),
        Prop::live("max-time", types::UINT64, "Most time to queue, 0: no limit", |e: &Self| {
            &e.inner.max_time
        })
        .unit("ns"),
        Prop::live(
            "min-percent",
            types::UINT,
            "Emit need-data when no more than this much of a limit is queued, 0: when empty",
            |e: &Self| &e.inner.min_percent,
        )
        .unit("%")
        .range("0", "100"),
        Prop::live("leaky-type", LEAKY, "What to drop once the queue is full", |e: &Self| {
            &e.inner.leaky
        }),
        Prop::live("emit-signals", types::BOOLEAN, "Emit need-data and enough-data", |e: &Self| {
            &e.inner.emit_signals
        }),
        Prop::boolean("is-live", "Act as a live source", |e: &mut Self| &mut e.is_live)
            .ready_only(),
        Prop::int64("min-latency", "The least latency, -1: none", |e: &mut Self| {
            &mut e.min_latency
        })
        .unit("ns")
        .range("-1", "9223372036854775807"),
        Prop::int64("max-latency", "The most latency, -1: no limit", |e: &mut Self| {
            &mut e.max_latency
        })
        .unit("ns")
        .range("-1", "9223372036854775807"),
        Prop::live("current-level-bytes", types::UINT64, "Bytes queued", |e: &Self| {
            &e.inner.level_bytes
        })
        .unit("bytes")
        .read_only(),
        Prop::live("current-level-buffers", types::UINT64, "Buffers queued", |e: &Self| {
            &e.inner.level_buffers
        })
        .read_only(),
        Prop::live("current-level-time", types::UINT64, "Time queued", |e: &Self| {
            &e.inner.level_time
        })
        .unit("ns")
        .read_only(),
    ];
    const SIGNALS: &[Signal] = &[
        Signal::emitted("need-data", "The queue is empty; push buffers, now or later"),
        Signal::emitted("enough-data", "The queue is full; stop pushing until need-data"),
        Signal::emitted(
            "seek-data",
            "What is pushed next is to begin at `offset`; true if it will",
        ),
        Signal::action("push-buffer", "Queues the buffer"),
        Signal::action("end-of-stream", "No more buffers will be pushed"),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.inner.clone())
    }
}

impl AppSrc {
    fn need_data(&self, cx: &Cx) {
        let length = crate::filesrc::blocksize(cx) as u32;
        let args = Structure::new("need-data").with("length", length);
        self.inner.signal(cx, "need-data", Some(&args));
    }
}

impl Source for AppSrc {
    fn is_live(cx: &Cx) -> bool {
        cx.property_as("is-live").unwrap_or(false)
    }

    fn format(cx: &Cx) -> Format {
        cx.property_as("format").unwrap_or(Format::Bytes)
    }

    fn is_seekable(cx: &Cx) -> bool {
        cx.property("stream-type").is_some_and(|kind| kind != "stream")
    }

    fn duration(cx: &Cx) -> Option<u64> {
        match Self::format(cx) {
            Format::Time => cx.property_as("duration").filter(|length| *length != u64::MAX),
            _ => cx.property_as("size"),
        }
    }

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        self.inner.queue.lock().flushing = false;
        let nanos = |latency: i64| u64::try_from(latency).ok().map(ClockTime::from_nanos);
        let min = nanos(self.min_latency).unwrap_or(ClockTime::ZERO);
        // A source that states no latency holds nothing back, and nothing up.
        let max = nanos(self.max_latency).or((self.min_latency < 0).then_some(min));
        cx.set_latency(min, max);
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        let mut queue = self.inner.queue.lock();
        queue.clear();
        queue.eos = false;
        // Until the next start nobody takes what is pushed.
        (queue.flushing, queue.runs) = (true, false);
        self.inner.show_levels(&queue);
        Ok(())
    }

    /// The application pushes from there on, if it says so. What is queued is from elsewhere.
    fn seek(&mut self, cx: &mut Cx, segment: &Segment) -> bool {
        let offset = segment.position.unwrap_or(segment.start);
        {
            let mut queue = self.inner.queue.lock();
            queue.clear();
            queue.eos = false;
            self.inner.show_levels(&queue);
        }
        cx.wake(ROOM);
        let args = Structure::new("seek-data").with("offset", offset);
        let answer = cx.emit_for("seek-data", Some(&args));
        answer.is_some_and(|answer| answer.as_bool() == Some(true))
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let mut asked = false;
        loop {
            let mut queue = self.inner.queue.lock();
            if queue.flushing {
                return Err(FlowError::Flushing);
            }
            queue.runs = true;
            let item = queue.take();
            self.inner.show_levels(&queue);
            match item {
                Some(Item::Caps(caps)) => {
                    drop(queue);
                    cx.output_event(FIRST_PAD, Event::caps(caps));
                }
                Some(Item::Buffer(buf)) => {
                    let is_low = self.inner.is_low(&queue);
                    drop(queue);
                    if is_low {
                        self.need_data(cx);
                    }
                    cx.wake(ROOM);
                    return Ok(buf);
                }
                None if queue.eos => return Err(FlowError::Eos),
                None if !asked => {
                    asked = true;
                    drop(queue);
                    self.need_data(cx);
                }
                None => {
                    let ticket = cx.ticket(DATA);
                    drop(queue);
                    cx.wait(DATA, ticket, None)?;
                }
            }
        }
    }
}
