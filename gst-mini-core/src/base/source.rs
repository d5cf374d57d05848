//! Around a [`Source`](crate::element::Source): its thread, negotiation, live waits, seeks and end.
//!
//! ```text
//!   task:  stream-start → caps → [live: wait for PLAYING] → create → segment → [live: wait until due] → push
//! ```
//!
//! Invariant: everything serialized leaves from the task, under the source pad's stream lock.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_loop`, `gst_base_src_perform_seek`).
//! Left out: pull mode, dynamic buffer sizes.

use crate::base::{Behavior, negotiate, position};
use crate::buffer::{Buffer, BufferFlags};
use crate::caps::Caps;
use crate::clock::ClockReturn;
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::{Event, EventKind, Seek, Seqnum, next_group_id, next_seqnum, stream_id};
use crate::handle::ElementRef;
use crate::host::context::{Context, drain};
use crate::host::core::ElementCore;
use crate::host::instance::Given;
use crate::message::{Message, MessageKind};
use crate::pad::{Pad, PadCore, PadHandler};
use crate::plugin::abi::GM_ROLE_SEEKABLE;
use crate::property::Live;
use crate::query::Query;
use crate::registry::factory::PropInfo;
use crate::runtime::{self, Monitor, Task};
use crate::segment::{Format, SeekFlags, Segment};
use crate::state::{StateReturn, Transition};
use crate::time::{ClockTime, RunningTime};
use crate::tracer;
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};
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
        super::prop(
            "num-buffers",
            "int",
            "Number of buffers to push before end of stream, -1: no limit",
            "",
            "-1",
        ),
        super::prop(
            "do-timestamp",
            "boolean",
            "Stamp buffers with the running time they were made at",
            "",
            "false",
        ),
    ]
}

pub(crate) struct SourceBase {
    core: Arc<ElementCore>,
    src: Arc<PadCore>,
    /// Touched by the task, or by who holds the source pad's stream lock while the task rests.
    streaming: UnsafeCell<Streaming>,
    control: Monitor<Control>,
    task: Mutex<Option<Task>>,
    live: AtomicBool,
    /// `num-buffers` and `do-timestamp` as the task reads them.
    num_buffers: Live<i64>,
    do_timestamp: Live<bool>,
    myself: Weak<SourceBase>,
}

// SAFETY: `streaming` is used under the source pad's stream lock alone.
unsafe impl Sync for SourceBase {}
// SAFETY: all parts may move between threads.
unsafe impl Send for SourceBase {}

struct Streaming {
    cx: Box<Context>,
    segment: Segment,
    segment_seqnum: Seqnum,
    started: bool,
    negotiated: bool,
    segment_sent: bool,
    discont: bool,
    pushed: u64,
    reached_end: bool,
}

#[derive(Default)]
struct Control {
    /// The task ends.
    stop: bool,
    /// The task rests: after the end, an error, or before it was started.
    rest: bool,
    /// A live source may make frames.
    playing: bool,
    /// The application asked for the end of the stream.
    end: Option<Seqnum>,
    /// A seek without flush, to be made between two buffers.
    seek: Option<(Seek, Seqnum)>,
}

impl SourceBase {
    pub fn new(core: Arc<ElementCore>, src: Arc<PadCore>) -> Arc<SourceBase> {
        Arc::new_cyclic(|myself| SourceBase {
            streaming: UnsafeCell::new(Streaming::new(Context::new(&core, Some(src.clone())))),
            control: Monitor::new(Control::default()),
            task: Mutex::new(None),
            live: AtomicBool::new(false),
            num_buffers: Live::new(core.number("num-buffers").unwrap_or(-1)),
            do_timestamp: Live::new(false),
            myself: myself.clone(),
            core,
            src,
        })
    }

    fn is_seekable(&self) -> bool {
        self.core.factory.role_flags & GM_ROLE_SEEKABLE != 0
    }

    fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// # Safety
    /// Under the source pad's stream lock.
    #[allow(clippy::mut_from_ref, reason = "the stream lock makes it sole")]
    unsafe fn streaming(&self) -> &mut Streaming {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.streaming.get() }
    }

    fn run(&self) {
        loop {
            {
                let mut control = self.control.lock();
                while control.rest && !control.stop {
                    control.wait("the source to be started again");
                }
                if control.stop {
                    return;
                }
            }
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
    unsafe fn step(&self) -> FlowResult {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        self.core.attend_if_needed(&s.cx);
        if self.src.is_flushing() {
            return Err(FlowError::Flushing);
        }
        if !s.started {
            s.started = true;
            let stream_id = stream_id(&self.core.name, next_seqnum());
            let group_id = Some(next_group_id());
            self.src.push_event(Event::new(EventKind::StreamStart { stream_id, group_id }));
        }
        let asked = std::mem::take(&mut self.control.lock().seek);
        if let Some((seek, seqnum)) = asked {
            // SAFETY: the caller's promise.
            unsafe { self.go_to(&seek, seqnum) };
        }
        if self.src.take_reconfigure() || !s.negotiated {
            negotiate::source(&self.core, &self.src, &s.cx)?;
            s.negotiated = true;
        }
        if self.is_live() {
            self.wait_playing()?;
        }
        if self.control.lock().end.is_some() {
            return Err(FlowError::Eos);
        }
        let limit = self.num_buffers.get();
        if limit >= 0 && s.pushed >= limit as u64 {
            return Err(FlowError::Eos);
        }
        let given = self.core.instance().create(&s.cx);
        if s.cx.has_outputs() {
            if let Some(segment) = s.cx.queued_segment() {
                // One of its own, in another format perhaps, stands for the base's.
                s.segment = segment;
                s.segment_sent = true;
            } else if !s.segment_sent && !s.cx.has_queued_caps() {
                // What belongs to the data, as tags do, comes behind the segment.
                s.segment_sent = true;
                self.src.push_event(Event::segment(s.segment).with_seqnum(s.segment_seqnum));
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
        unsafe { self.send(buf) }
    }

    /// # Safety
    /// Under the source pad's stream lock.
    unsafe fn send(&self, mut buf: Buffer) -> FlowResult {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        if self.do_timestamp.get() {
            let now = self.core.running_time_now().map(|now| ClockTime::from_nanos(now.nanos()));
            buf.set_dts(now);
            buf.set_pts(now);
        }
        if s.discont {
            s.discont = false;
            buf.set_flags(BufferFlags::DISCONT);
        }
        let position = buf.pts().map(ClockTime::nanos);
        // Downstream is told of the segment as it was before its first buffer.
        let announced = s.segment;
        if s.segment.format == Format::Time {
            if let (Some(stop), Some(position)) = (s.segment.stop, position)
                && s.segment.rate > 0.0
                && position >= stop
            {
                return Err(FlowError::Eos);
            }
            s.segment.position = position
                .map(|at| at + buf.duration().map_or(0, ClockTime::nanos))
                .or(s.segment.position);
        }
        if self.is_live()
            && let Err(flow) = self.wait_until_due(&s.segment, &buf)
        {
            self.core.instance().stopped(&s.cx, flow);
            return Err(flow);
        }
        if !s.segment_sent {
            s.segment_sent = true;
            let event = Event::segment(announced).with_seqnum(s.segment_seqnum);
            self.src.push_event(event);
        }
        s.pushed += 1;
        // SAFETY: the caller's promise.
        unsafe { self.src.push(buf) }
    }

    /// A live source makes nothing outside PLAYING.
    fn wait_playing(&self) -> FlowResult {
        let mut control = self.control.lock();
        loop {
            if self.src.is_flushing() || control.stop {
                return Err(FlowError::Flushing);
            }
            if control.playing {
                return Ok(());
            }
            if control.end.is_some() {
                return Err(FlowError::Eos);
            }
            control.wait("PLAYING, for a live source");
        }
    }

    /// A live buffer is not pushed before its running time.
    fn wait_until_due(&self, segment: &Segment, buf: &Buffer) -> FlowResult {
        loop {
            let lent = self.core.lent();
            let (Some(clock), Some(base_time)) = (lent.clock, lent.base_time) else {
                return Ok(());
            };
            // Whatever the segment counts in; a source of bytes may well stamp its buffers.
            let due = buf.pts().and_then(|pts| segment.running_time_of(pts.nanos()));
            let Some(due) = due.map(RunningTime::from_nanos) else {
                return Ok(());
            };
            if tracer::is_on() {
                tracer::wait(&self.core.name, buf.pts(), Some(due.nanos()), due.at(base_time));
            }
            let waited = clock.wait_until(due.at(base_time), &self.core.clock_wait);
            if tracer::is_on() {
                tracer::wake(&self.core.name, buf.pts(), Some(due.nanos()), waited.jitter);
            }
            if waited.result != ClockReturn::Unscheduled {
                return Ok(());
            }
            // A flush, a stop or a pause; after a pause the frame is due at the same running time.
            self.wait_playing()?;
            if self.control.lock().end.is_some() {
                return Err(FlowError::Eos);
            }
        }
    }

    /// The task rests; downstream and the application are told why.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    unsafe fn finish(&self, flow: FlowError) {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        let seqnum = {
            let mut control = self.control.lock();
            control.rest = true;
            let asked = control.end.take();
            drop(control);
            if asked.is_some() && !self.src.is_flushing() {
                self.core.interrupt(false);
            }
            asked.unwrap_or(s.segment_seqnum)
        };
        match flow {
            FlowError::Flushing | FlowError::CustomSuccess => return,
            FlowError::Eos if s.segment.flags.contains(crate::segment::SegmentFlags::SEGMENT) => {
                let position = s.segment.position.unwrap_or(0);
                let format = s.segment.format;
                let done = MessageKind::SegmentDone { format, position };
                self.core
                    .post_message(Message::new(self.core.name.as_str(), done).with_seqnum(seqnum));
                let event = Event::new(EventKind::SegmentDone { format, position });
                self.src.push_event(event.with_seqnum(seqnum));
                return;
            }
            FlowError::Eos => {}
            other => self.tell(other),
        }
        s.reached_end = true;
        if !s.segment_sent && flow == FlowError::Eos {
            s.segment_sent = true;
            self.src.push_event(Event::segment(s.segment).with_seqnum(s.segment_seqnum));
        }
        self.src.push_event(Event::eos().with_seqnum(seqnum));
    }

    /// Posts what stopped the stream, if the element that refused first has not.
    fn tell(&self, flow: FlowError) {
        let told = self.core.told_error.load(Ordering::Relaxed)
            || self.core.lent().messages.is_some_and(|messages| messages.told_error());
        if told {
            return;
        }
        // The refusal came up through every pad on its way: the last one that has it is where it began.
        let mut at = self.src.clone();
        while let Some(next) = at
            .linked_peer()
            .and_then(|peer| peer.onward().into_iter().find(|next| next.last_flow() == Err(flow)))
        {
            at = next;
        }
        let text = match (flow, at.linked_peer()) {
            (FlowError::NotLinked, None) => format!(
                "{} is not linked, so the stream from {} goes nowhere; link it, or end it in a fakesink",
                at.path(),
                self.core.name
            ),
            (_, Some(peer)) => format!(
                "the stream from {} stopped at {}: reason {} ({})",
                self.core.name,
                peer.path(),
                flow,
                flow.code()
            ),
            _ => format!(
                "the stream from {} stopped: reason {} ({})",
                self.core.name,
                flow,
                flow.code()
            ),
        };
        let kind = if flow == FlowError::NotNegotiated {
            ErrorKind::Negotiation
        } else {
            ErrorKind::Failed
        };
        self.core.post_error(ElementError::new(kind, text));
    }

    /// Takes a new segment and tells the element. `false` if it cannot.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    unsafe fn go_to(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        let mut segment = s.segment;
        let moved = segment.do_seek(
            seek.rate,
            seek.flags,
            seek.start_type,
            seek.start,
            seek.stop_type,
            seek.stop,
        );
        if moved.is_none() || !self.core.instance().seek(&s.cx, &segment) {
            return false;
        }
        segment.flags = crate::segment::SegmentFlags::of_seek(seek.flags);
        s.segment = segment;
        s.segment_seqnum = seqnum;
        s.segment_sent = false;
        s.discont = true;
        s.reached_end = false;
        s.pushed = 0;
        if segment.flags.contains(crate::segment::SegmentFlags::SEGMENT) {
            let position = segment.position.unwrap_or(segment.start);
            let start = MessageKind::SegmentStart { format: segment.format, position };
            self.core
                .post_message(Message::new(self.core.name.as_str(), start).with_seqnum(seqnum));
        }
        true
    }

    fn seek(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        // A source that cannot seek says so before anything is flushed.
        if seek.format != Format::Time || !self.is_seekable() || self.is_live() {
            return false;
        }
        if !seek.flags.contains(SeekFlags::FLUSH) {
            // Waiting for the task could wait for a prerolled sink; the task makes the seek itself.
            let mut control = self.control.lock();
            control.seek = Some((seek.clone(), seqnum));
            control.rest = false;
            control.notify_all();
            return true;
        }
        self.src.push_event(Event::flush_start().with_seqnum(seqnum));
        self.core.interrupt(true);
        let Ok(_streaming) = self.src.stream_lock().lock() else { return false };
        self.core.interrupt(false);
        self.src.push_event(Event::flush_stop(true).with_seqnum(seqnum));
        // SAFETY: the lock above.
        let done = unsafe { self.go_to(seek, seqnum) };
        if !done {
            // The flush took the segment away; the old one goes on.
            // SAFETY: the lock above.
            unsafe { self.streaming() }.segment_sent = false;
        }
        let mut control = self.control.lock();
        control.rest = false;
        control.notify_all();
        done
    }

    fn start(&self) -> StateReturn {
        let cx = Context::detached(&self.core);
        self.live.store(self.core.instance().is_live(&cx), Ordering::Relaxed);
        self.core.interrupt(false);
        let Ok(_streaming) = self.src.stream_lock().lock() else { return StateReturn::Failure };
        // SAFETY: the lock above.
        let s = unsafe { self.streaming() };
        *s = Streaming::new(Context::new(&self.core, Some(self.src.clone())));
        self.core.attend_if_needed(&s.cx);
        if let Err(flow) = self.core.instance().start(&s.cx) {
            self.core.explain(flow, "start");
            return StateReturn::Failure;
        }
        *self.control.lock() = Control::default();
        self.src.activate();
        let Some(myself) = self.myself.upgrade() else { return StateReturn::Failure };
        match runtime::spawn(&format!("{}:src", self.core.name), move || myself.run()) {
            Ok(task) => *self.task.lock() = Some(task),
            Err(error) => {
                self.core.post_error(error);
                return StateReturn::Failure;
            }
        }
        if self.is_live() { StateReturn::NoPreroll } else { StateReturn::Success }
    }

    fn stop(&self) -> StateReturn {
        self.src.start_flushing();
        self.control.lock().stop = true;
        self.control.notify_all();
        self.core.interrupt(true);
        let task = self.task.lock().take();
        match task {
            // An element that stops its own pipeline from its streaming thread: the thread ends when
            // it gets back to its loop.
            Some(task) if runtime::in_task(&task) => {}
            Some(task) => {
                task.join();
            }
            None => {}
        }
        self.src.deactivate();
        let cx = Context::detached(&self.core);
        if let Err(flow) = self.core.instance().stop(&cx) {
            self.core.explain(flow, "stop");
            return StateReturn::Failure;
        }
        StateReturn::Success
    }
}

impl Streaming {
    fn new(cx: Box<Context>) -> Streaming {
        Streaming {
            cx,
            segment: Segment::time(),
            segment_seqnum: next_seqnum(),
            started: false,
            negotiated: false,
            segment_sent: false,
            discont: true,
            pushed: 0,
            reached_end: false,
        }
    }
}

impl Behavior for SourceBase {
    fn change_state(&self, _: &ElementRef, transition: Transition) -> StateReturn {
        match transition {
            Transition::READY_TO_PAUSED => self.start(),
            Transition::PAUSED_TO_PLAYING if self.is_live() => {
                self.core.clock_wait.reset();
                self.control.lock().playing = true;
                self.control.notify_all();
                StateReturn::Success
            }
            Transition::PLAYING_TO_PAUSED if self.is_live() => {
                self.control.lock().playing = false;
                // The frame that is being waited for waits on, until PLAYING.
                self.core.clock_wait.unschedule();
                StateReturn::NoPreroll
            }
            Transition::PAUSED_TO_READY => self.stop(),
            _ => StateReturn::Success,
        }
    }

    fn send_event(&self, event: Event) -> bool {
        match &event.kind {
            // The end is put between two buffers by the task.
            EventKind::Eos => {
                {
                    let mut control = self.control.lock();
                    control.end = Some(event.seqnum);
                    control.notify_all();
                }
                // A wait of a live source, or a blocking read, must not delay it. The task takes the
                // interruption back when it has seen the end.
                self.core.interrupt(true);
                true
            }
            EventKind::Seek(seek) => self.seek(seek, event.seqnum),
            _ if event.is_upstream() => self.src.receive_event(event).is_ok(),
            _ => self.src.push_event(event),
        }
    }

    fn query(&self, query: &mut Query) -> bool {
        PadHandler::query(self, &self.src, query)
    }

    fn base_property_changed(&self, _: &str) {
        self.num_buffers.set(self.core.number("num-buffers").unwrap_or(-1));
        self.do_timestamp.set(self.core.number("do-timestamp").unwrap_or(false));
    }
}

impl PadHandler for SourceBase {
    fn chain(&self, _: &PadCore, _: Buffer) -> FlowResult {
        Err(FlowError::NotSupported)
    }

    fn event(&self, _: &PadCore, event: Event) -> FlowResult {
        let taken = match &event.kind {
            EventKind::Seek(seek) => self.seek(seek, event.seqnum),
            EventKind::Reconfigure | EventKind::Latency(_) => {
                self.core.take_upstream(&event);
                true
            }
            EventKind::FlushStart | EventKind::FlushStop { .. } => true,
            _ => self.core.take_upstream(&event),
        };
        if taken { Ok(()) } else { Err(FlowError::NotSupported) }
    }

    fn query(&self, pad: &PadCore, query: &mut Query) -> bool {
        let cx = Context::new(&self.core, Some(self.src.clone()));
        if self.core.instance().query(&cx, query) {
            return true;
        }
        match query {
            Query::Caps { filter, result } => {
                let own = negotiate::own_caps(&self.core, pad);
                *result = Some(match filter {
                    Some(filter) => filter.intersect_first(&own),
                    None => own,
                });
                true
            }
            Query::AcceptCaps { caps, accepted } => {
                *accepted = caps.is_subset_of(&negotiate::own_caps(&self.core, pad));
                true
            }
            Query::Latency { live, min, max } => {
                let (own_min, own_max) = *self.core.latency.lock();
                (*live, *min, *max) = (self.is_live(), own_min, own_max);
                true
            }
            Query::Position { format: Format::Time, position } => {
                *position = position::of_source(pad);
                position.is_some()
            }
            Query::Seeking { format, seekable, start, .. } => {
                *seekable = *format == Format::Time && !self.is_live() && self.is_seekable();
                *start = 0;
                true
            }
            _ => false,
        }
    }

    fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        self.core.caps_changed(pad, caps);
    }
}
