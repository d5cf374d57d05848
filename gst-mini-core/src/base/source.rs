//! Around a [`Source`](crate::element::Source): its thread, negotiation, live waits, seeks and end.
//!
//! ```text
//!   task:  stream-start → caps → [live: wait for PLAYING] → create → segment → [live: wait until due] → push
//! ```
//!
//! Invariant: everything serialized leaves from the task, under the source pad's stream lock.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_loop`, `gst_base_src_get_range`).
//! Left out: dynamic buffer sizes.

mod outside;
mod pull;
mod seek;
mod stamp;

use crate::base::{negotiate, refusal};
use crate::buffer::{Buffer, BufferFlags};
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind, Seek, Seqnum, next_group_id, next_seqnum, stream_id};
use crate::host::context::{Context, drain};
use crate::host::core::ElementCore;
use crate::host::instance::{Given, SourceInfo};
use crate::message::{Message, MessageKind};
use crate::pad::{PadCore, attention};
use crate::plugin::abi::GM_ROLE_SEEKABLE;
use crate::property::Live;
use crate::registry::factory::PropInfo;
use crate::runtime::{self, Monitor, MonitorGuard, Task};
use crate::segment::{Format, Segment, SegmentFlags};
use crate::time::ClockTime;
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// Properties every source has.
pub(crate) fn base_props() -> Vec<PropInfo> {
    vec![
        super::prop(
            "blocksize",
            "uint",
            "Size of the buffers of a source that reads bytes",
            "bytes",
            "4096",
        ),
        super::ranged(
            super::prop(
                "num-buffers",
                "int",
                "Number of buffers to push before end of stream, -1: no limit",
                "",
                "-1",
            ),
            "-1",
            "2147483647",
        ),
        super::prop(
            "do-timestamp",
            "boolean",
            "Stamp buffers with the running time they were made at",
            "",
            "false",
        ),
        super::prop("typefind", "boolean", "Has no effect, as in GStreamer", "", "false"),
    ]
}

/// What the task of a source waits for when its stream has ended.
pub(crate) const SOURCE_RESTS: &str = "the source to be started again";

pub(crate) struct SourceBase {
    core: Arc<ElementCore>,
    src: Arc<PadCore>,
    /// Touched by the task, or by who holds the source pad's stream lock while the task rests.
    streaming: UnsafeCell<Streaming>,
    control: Monitor<Control>,
    /// There may be something in `control` for the task to do. Raised under its lock by who changes it.
    called: AtomicBool,
    task: Mutex<Option<Task>>,
    live: AtomicBool,
    do_timestamp: Live<bool>,
    /// A seek that was asked for before the source was started.
    pending_seek: Mutex<Option<(Seek, Seqnum)>>,
    /// The segment as queries see it; its position is `position`.
    shown: Mutex<Segment>,
    position: AtomicU64,
    myself: Weak<SourceBase>,
}

// SAFETY: `streaming` is used under the source pad's stream lock alone.
unsafe impl Sync for SourceBase {}
// SAFETY: all parts may move between threads.
unsafe impl Send for SourceBase {}

struct Streaming {
    cx: Box<Context>,
    segment: Segment,
    /// Cause of the segment, and of what ends it.
    seqnum: Seqnum,
    started: bool,
    negotiated: bool,
    segment_sent: bool,
    discont: bool,
    /// No buffer was stamped since the source was started.
    first: bool,
    /// Buffers to the end, with `num-buffers`.
    left: Option<u64>,
    /// The next buffer needs nothing but to be made, stamped and pushed, unless somebody asks for something.
    is_plain: bool,
}

#[derive(Default)]
struct Control {
    /// The task ends.
    stop: bool,
    /// The task rests: after the end, an error, or before it was started.
    rest: bool,
    /// The source is in PLAYING. A live one may make frames.
    playing: bool,
    /// The application asked for the end of the stream.
    end: Option<Seqnum>,
    /// A seek without flush, to be made between two buffers.
    seek: Option<(Seek, Seqnum)>,
    /// Seeks made of those, and how the last one went.
    seeks_made: u64,
    seek_worked: bool,
    /// Serialized events of the application, to be sent before the next buffer.
    events: Vec<Event>,
}

impl SourceBase {
    pub fn new(core: Arc<ElementCore>, src: Arc<PadCore>) -> Arc<SourceBase> {
        Arc::new_cyclic(|myself| SourceBase {
            streaming: UnsafeCell::new(Streaming::new(Context::new(&core, Some(src.clone())))),
            control: Monitor::new(Control::default()),
            called: AtomicBool::new(true),
            task: Mutex::new(None),
            live: AtomicBool::new(false),
            do_timestamp: Live::new(core.number("do-timestamp").unwrap_or(false)),
            pending_seek: Mutex::new(None),
            shown: Mutex::new(Segment::time()),
            position: AtomicU64::new(u64::MAX),
            myself: myself.clone(),
            core,
            src,
        })
    }

    /// What the element says of its stream, with the present property values.
    fn info(&self) -> SourceInfo {
        let cx = Context::detached(&self.core);
        let info = self.core.instance().source_info(&cx).unwrap_or(SourceInfo {
            format: Format::Time,
            seekable: self.core.factory.role_flags & GM_ROLE_SEEKABLE != 0,
            duration: None,
        });
        if self.do_timestamp.get() && info.format != Format::Time {
            // Stamped by the clock it counts time, and cannot go where another unit says.
            return SourceInfo { format: Format::Time, seekable: false, duration: None };
        }
        info
    }

    /// Lets queries see the segment.
    fn show(&self, segment: &Segment) {
        *self.shown.lock() = *segment;
        self.position.store(segment.position.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// # Safety
    /// Under the source pad's stream lock.
    #[allow(clippy::mut_from_ref, reason = "the stream lock makes it sole")]
    unsafe fn streaming(&self) -> &mut Streaming {
        // SAFETY: the caller's promise.
        let s = unsafe { &mut *self.streaming.get() };
        s.is_plain = false;
        s
    }

    /// The lock of what others want of the task, which will look.
    fn change(&self) -> MonitorGuard<'_, Control> {
        let control = self.control.lock();
        self.called.store(true, Ordering::Release);
        control
    }

    fn run(&self) {
        loop {
            if self.called.load(Ordering::Acquire) {
                let mut control = self.control.lock();
                while control.rest && !control.stop {
                    runtime::at(&self.core.name, || control.wait(SOURCE_RESTS));
                }
                if control.stop {
                    return;
                }
            }
            runtime::breathe();
            let Ok(_streaming) = self.src.stream_lock().lock() else { return };
            // SAFETY: the lock above.
            if let Err(flow) = unsafe { self.step() } {
                // SAFETY: the lock above.
                unsafe { self.finish(flow) };
            }
        }
    }

    /// One buffer.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    #[inline]
    unsafe fn step(&self) -> FlowResult {
        const ASKED: u32 = attention::FLUSHING | attention::EOS | attention::RECONFIGURE;
        // SAFETY: the caller's promise.
        let s = unsafe { &mut *self.streaming.get() };
        let is_asked = self.called.load(Ordering::Acquire)
            || self.core.attention.get() != 0
            || self.src.has(ASKED);
        if !s.is_plain || is_asked {
            // SAFETY: the caller's promise.
            return unsafe { self.step_looking() };
        }
        if let Some(left) = &mut s.left {
            if *left == 0 {
                return Err(FlowError::Eos);
            }
            *left -= 1;
        }
        match self.core.instance().create(&s.cx) {
            Ok(Given::Buffer(mut buf)) if !s.cx.has_outputs() => {
                self.stamp(s, &mut buf);
                // SAFETY: the caller's promise.
                unsafe { self.push(s, buf) }
            }
            // SAFETY: the caller's promise.
            given => unsafe { self.go_on(self.streaming(), given, false) },
        }
    }

    /// [`SourceBase::step`] where something is to be seen to.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    #[inline(never)]
    unsafe fn step_looking(&self) -> FlowResult {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        self.core.attend_if_needed(&s.cx);
        if self.src.is_flushing() {
            return Err(FlowError::Flushing);
        }
        let (mut seek, mut end, mut has_events) = (None, false, false);
        if self.called.load(Ordering::Acquire) {
            let mut control = self.control.lock();
            (seek, end, has_events) =
                (control.seek.take(), control.end.is_some(), !control.events.is_empty());
            // What stays is looked at again.
            self.called.store(end || has_events || control.rest || control.stop, Ordering::Release);
        }
        if !s.started {
            s.started = true;
            let stream_id = stream_id(&self.core.name, next_seqnum());
            let group_id = Some(next_group_id());
            self.src.push_event(Event::new(EventKind::StreamStart { stream_id, group_id }));
        }
        if let Some((seek, seqnum)) = seek {
            // SAFETY: the caller's promise.
            unsafe { self.seek_left(&seek, seqnum) };
        }
        if self.src.has(attention::EOS) {
            // Nothing follows the end but a flush.
            self.change().rest = true;
            return Ok(());
        }
        if self.src.take_reconfigure() || !s.negotiated {
            negotiate::source(&self.core, &self.src, &s.cx)?;
            s.negotiated = true;
        }
        if self.is_live() {
            self.wait_playing()?;
        }
        if end || (self.is_live() && self.control.lock().end.is_some()) {
            return Err(FlowError::Eos);
        }
        match &mut s.left {
            Some(0) => return Err(FlowError::Eos),
            Some(left) => *left -= 1,
            None => {}
        }
        let given = self.core.instance().create(&s.cx);
        // SAFETY: the caller's promise.
        unsafe { self.go_on(s, given, has_events) }?;
        let is_settled = s.started && s.negotiated && s.segment_sent && !s.discont;
        s.is_plain = is_settled && !self.is_live() && s.segment.rate >= 0.0;
        Ok(())
    }

    /// What comes behind the call of the element.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    unsafe fn go_on(
        &self,
        s: &mut Streaming,
        given: FlowResult<Given>,
        has_events: bool,
    ) -> FlowResult {
        if s.cx.has_outputs() {
            if let Some(segment) = s.cx.queued_segment() {
                // One of its own, in another format perhaps, stands for the base's.
                s.segment = segment;
                s.segment_sent = true;
            } else if !s.segment_sent && !s.cx.has_queued_caps() {
                // What belongs to the data, as tags do, comes behind the segment.
                s.segment_sent = true;
                self.src.push_event(Event::segment(s.segment).with_seqnum(s.seqnum));
            }
            // SAFETY: the caller's promise.
            unsafe { drain(&self.core, &s.cx) }?;
        }
        if matches!(given, Err(FlowError::Flushing)) && self.control.lock().end.is_some() {
            return Err(FlowError::Eos);
        }
        let buf = match given.map_err(|flow| self.core.explain(flow, "create"))? {
            Given::Buffer(buf) => buf,
            Given::Nothing => return Ok(()),
        };
        // SAFETY: the caller's promise.
        unsafe { self.send(s, buf, has_events) }
    }

    /// # Safety
    /// Under the source pad's stream lock.
    unsafe fn send(&self, s: &mut Streaming, mut buf: Buffer, has_events: bool) -> FlowResult {
        self.stamp(s, &mut buf);
        if self.is_live()
            && let Err(flow) = self.wait_until_due(&s.segment, &buf)
        {
            self.core.instance().stopped(&s.cx, flow);
            return Err(flow);
        }
        if !s.segment_sent {
            s.segment_sent = true;
            self.src.push_event(Event::segment(s.segment).with_seqnum(s.seqnum));
        }
        if has_events {
            let events = std::mem::take(&mut self.control.lock().events);
            for event in events {
                self.src.push_event(event);
            }
        }
        // Played backwards no buffer follows the one before it.
        if std::mem::take(&mut s.discont) || s.segment.rate < 0.0 {
            buf.set_flags(BufferFlags::DISCONT);
        }
        // SAFETY: the caller's promise.
        unsafe { self.push(s, buf) }
    }

    /// # Safety
    /// Under the source pad's stream lock.
    #[inline]
    unsafe fn push(&self, s: &mut Streaming, buf: Buffer) -> FlowResult {
        let is_last = self.advance(s, &buf);
        // SAFETY: the caller's promise.
        match unsafe { self.src.push_along(buf) } {
            // Downstream asked for another format, and gets the next buffer in it.
            Err(FlowError::NotNegotiated) if self.src.has(attention::RECONFIGURE) => Ok(()),
            Ok(()) if is_last && s.segment_sent => Err(FlowError::Eos),
            flow => flow,
        }
    }

    /// Moves the position to behind the buffer; `true` if the segment ends there.
    #[inline]
    fn advance(&self, s: &mut Streaming, buf: &Buffer) -> bool {
        let segment = &mut s.segment;
        let forwards = segment.rate >= 0.0;
        let position = match segment.format {
            Format::Time => {
                let start = buf.pts().map(ClockTime::nanos).or(segment.position);
                let length = buf.duration().filter(|_| forwards).map_or(0, ClockTime::nanos);
                start.map(|start| start.saturating_add(length))
            }
            Format::Bytes => segment.position.map(|at| at.saturating_add(buf.size() as u64)),
            _ => {
                if forwards {
                    buf.offset_end()
                } else {
                    buf.offset()
                }
            }
        };
        let Some(position) = position else { return false };
        let end = if forwards { segment.stop } else { Some(segment.start) };
        let ended = end.filter(|end| if forwards { position >= *end } else { position <= *end });
        segment.position = ended.or(Some(position));
        self.position.store(ended.unwrap_or(position), Ordering::Relaxed);
        ended.is_some()
    }

    /// The task rests; downstream and the application are told why.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    unsafe fn finish(&self, flow: FlowError) {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        let forced = {
            let mut control = self.change();
            // A seek that was left to the task is still to be made, but not in a flush.
            control.rest = control.seek.is_none() || flow == FlowError::Flushing;
            control.end.take()
        };
        if forced.is_some() && !self.src.is_flushing() {
            self.core.interrupt(false);
        }
        let seqnum = forced.unwrap_or(s.seqnum);
        match flow {
            FlowError::Flushing | FlowError::CustomSuccess => return,
            FlowError::Eos
                if forced.is_none() && s.segment.flags.contains(SegmentFlags::SEGMENT) =>
            {
                let position = s.segment.position.unwrap_or(0);
                let format = s.segment.format;
                let done = MessageKind::SegmentDone { format, position };
                let message = Message::new(&*self.core.name, done);
                self.core.post_message(message.with_seqnum(seqnum));
                let event = Event::new(EventKind::SegmentDone { format, position });
                self.src.push_event(event.with_seqnum(seqnum));
                return;
            }
            FlowError::Eos => {}
            other => refusal::tell(&self.core, &self.src, other),
        }
        self.src.push_event(Event::eos().with_seqnum(seqnum));
    }
}

impl Streaming {
    fn new(cx: Box<Context>) -> Streaming {
        Streaming {
            cx,
            segment: Segment::time(),
            seqnum: next_seqnum(),
            started: false,
            negotiated: false,
            segment_sent: false,
            discont: true,
            first: true,
            left: None,
            is_plain: false,
        }
    }
}
