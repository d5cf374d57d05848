//! What others ask of a source: states, events and queries.
//!
//! Invariant: what is serialized is left to the task, or pushed while the task is kept out.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_change_state`, `gst_base_src_send_event`, `gst_base_src_default_query`).
//! Left out: conversions between formats.

use super::{Control, SourceBase, Streaming};
use crate::base::{Behavior, negotiate};
use crate::buffer::Buffer;
use crate::caps::Caps;
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::handle::ElementRef;
use crate::host::context::Context;
use crate::message::StreamStatus;
use crate::pad::{PadCore, PadHandler, PadMode};
use crate::query::Query;
use crate::runtime;
use crate::segment::Segment;
use crate::state::{StateReturn, Transition};
use std::sync::atomic::Ordering;

impl SourceBase {
    /// Makes everything ready for the first buffer, or the first range. It says itself what goes wrong.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    pub(super) unsafe fn open(&self) -> bool {
        let cx = Context::detached(&self.core);
        self.live.store(self.core.instance().is_live(&cx), Ordering::Relaxed);
        self.core.interrupt(false);
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        *s = Streaming::new(Context::new(&self.core, Some(self.src.clone())));
        self.core.attend_if_needed(&s.cx);
        if let Err(flow) = self.core.instance().start(&s.cx) {
            self.core.explain(flow, "start");
            return false;
        }
        *self.change() = Control::default();
        let info = self.info();
        s.segment = Segment::new(info.format);
        s.segment.duration = info.duration;
        let limit: i64 = self.core.number("num-buffers").unwrap_or(-1);
        s.left = u64::try_from(limit).ok();
        self.show(&s.segment);
        true
    }

    fn start(&self) -> StateReturn {
        let no_preroll =
            || if self.is_live() { StateReturn::NoPreroll } else { StateReturn::Success };
        if self.is_pulled() {
            // Downstream did it.
            return no_preroll();
        }
        if !self.core.instance().modes(&Context::detached(&self.core)).0 {
            let text = "it may not push, and downstream does not pull";
            self.core.post_error(ElementError::new(ErrorKind::Core, text));
            return StateReturn::Failure;
        }
        let Ok(_streaming) = self.src.stream_lock().lock() else { return StateReturn::Failure };
        // SAFETY: the lock above.
        if !unsafe { self.open() } {
            return StateReturn::Failure;
        }
        // SAFETY: the lock above.
        let s = unsafe { self.streaming() };
        self.src.activate();
        if !self.seek_first(s) {
            let text = "the seek that was asked for in READY could not be made";
            self.core.post_error(ElementError::new(ErrorKind::Failed, text));
            self.src.deactivate();
            // It says itself what goes wrong with that.
            let _ = self.core.instance().stop(&s.cx);
            return StateReturn::Failure;
        }
        let Some(myself) = self.myself.upgrade() else { return StateReturn::Failure };
        self.core.post_status(&self.src, StreamStatus::Create);
        let body = move || {
            myself.core.post_status(&myself.src, StreamStatus::Enter);
            myself.run();
            myself.core.post_status(&myself.src, StreamStatus::Leave);
        };
        match runtime::spawn(&format!("{}:src", self.core.name), body) {
            Ok(task) => *self.task.lock() = Some(task),
            Err(error) => {
                self.core.post_error(error);
                return StateReturn::Failure;
            }
        }
        no_preroll()
    }

    /// A flush that the application made around this source ends: it goes on where it was.
    fn end_flush(&self, event: Event) -> bool {
        let Ok(_streaming) = self.src.stream_lock().lock() else { return false };
        self.core.interrupt(false);
        let sent = self.src.push_event(event);
        // SAFETY: the lock above.
        unsafe { self.streaming() }.segment_sent = false;
        let mut control = self.change();
        control.rest = false;
        control.notify_all();
        sent
    }

    pub(super) fn stop(&self) -> StateReturn {
        self.src.start_flushing();
        *self.pending_seek.lock() = None;
        self.change().stop = true;
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
        if let Ok(_streaming) = self.src.stream_lock().lock() {
            // SAFETY: the lock above.
            unsafe { self.streaming() }.cx.supply.agree(None);
        }
        let cx = Context::detached(&self.core);
        if let Err(flow) = self.core.instance().stop(&cx) {
            self.core.explain(flow, "stop");
            return StateReturn::Failure;
        }
        StateReturn::Success
    }
}

impl Behavior for SourceBase {
    fn change_state(&self, _: &ElementRef, transition: Transition) -> StateReturn {
        match transition {
            Transition::READY_TO_PAUSED => self.start(),
            Transition::PAUSED_TO_PLAYING => {
                if self.is_live() {
                    self.core.clock_wait.reset();
                }
                self.change().playing = true;
                self.control.notify_all();
                StateReturn::Success
            }
            Transition::PLAYING_TO_PAUSED => {
                self.change().playing = false;
                self.control.notify_all();
                if !self.is_live() {
                    return StateReturn::Success;
                }
                // The frame that is being waited for waits on, until PLAYING.
                self.core.clock_wait.unschedule();
                StateReturn::NoPreroll
            }
            Transition::PAUSED_TO_READY if self.is_pulled() => self.stop_ranges(&self.src),
            // Downstream, which pulled, has stopped it.
            Transition::PAUSED_TO_READY if !self.src.is_active() && self.task.lock().is_none() => {
                StateReturn::Success
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
                    let mut control = self.change();
                    control.end = Some(event.seqnum);
                    control.notify_all();
                }
                // A wait of a live source, or a blocking read, must not delay it. The task takes the
                // interruption back when it has seen the end.
                self.core.interrupt(true);
                true
            }
            EventKind::Seek(seek) if self.task.lock().is_none() => {
                *self.pending_seek.lock() = Some((seek.clone(), event.seqnum));
                true
            }
            EventKind::Seek(seek) => self.seek(seek, event.seqnum),
            EventKind::FlushStart => {
                let sent = self.src.push_event(event);
                self.core.interrupt(true);
                sent
            }
            EventKind::FlushStop { .. } => self.end_flush(event),
            // Among the data one of its own would break the times of what follows.
            EventKind::Segment(_) => false,
            _ if event.is_upstream() => self.src.receive_event(event).is_ok(),
            _ if event.is_serialized() => {
                self.change().events.push(event);
                true
            }
            _ => self.src.push_event(event),
        }
    }

    fn query(&self, query: &mut Query) -> bool {
        PadHandler::query(self, &self.src, query)
    }

    fn base_property_changed(&self, _: &str) {
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
            EventKind::Reconfigure | EventKind::Latency(_) | EventKind::Qos { .. } => {
                self.core.take_upstream(&event);
                true
            }
            EventKind::FlushStart | EventKind::FlushStop { .. } => {
                if self.is_pulled() {
                    self.core.interrupt(matches!(event.kind, EventKind::FlushStart));
                }
                true
            }
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
            Query::Caps { .. } | Query::AcceptCaps { .. } => {
                negotiate::answer(&self.core, pad, query)
            }
            Query::Latency { live, min, max } => {
                let (own_min, own_max) = *self.core.latency.lock();
                (*live, *min, *max) = (self.is_live(), own_min, own_max);
                true
            }
            Query::Position { format, position } => {
                let segment = *self.shown.lock();
                let at = self.position.load(Ordering::Relaxed);
                *position = segment.stream_time_of(at);
                *format == segment.format
            }
            Query::Duration { format, duration } => {
                let info = self.info();
                *duration = info.duration;
                *format == info.format
            }
            Query::Seeking { format, seekable, start, end } => {
                let info = self.info();
                *seekable = info.seekable && !self.is_live();
                (*start, *end) = (0, info.duration);
                *format == info.format
            }
            Query::Scheduling(way) => {
                *way = self.scheduling();
                true
            }
            _ => false,
        }
    }

    fn get_range(&self, _: &PadCore, offset: u64, size: u32) -> FlowResult<Buffer> {
        self.range(offset, size)
    }

    fn switch(&self, _: &PadCore, mode: PadMode, active: bool) -> bool {
        self.switch_mode(mode, active)
    }

    fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        self.core.caps_changed(pad, caps);
    }

    fn report(&self, error: ElementError) {
        self.core.post_error(error);
    }
}
