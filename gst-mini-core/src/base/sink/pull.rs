//! A sink in pull mode: it reads upstream from its beginning, `blocksize` bytes at a time.
//!
//! Only sinks that say so pull, and only where upstream can be pulled from and leaves the format open; the
//! others are pushed to.
//!
//! Invariant: what is pulled is held, waited for and rendered like what is pushed.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_pad_activate`, `gst_base_sink_loop`). There in 1.22 a
//! first buffer at time 0 sends the reader back to byte 0 for ever; here it goes on.
//! Left out: seeks in another unit than bytes, a format of the sink's own choice.

use super::SinkBase;
use crate::base::pull::{self, PullTask, Puller};
use crate::base::{negotiate, refusal};
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::{Event, EventKind, Seek, Seqnum};
use crate::host::context::Context;
use crate::host::core::ElementCore;
use crate::message::{Message, MessageKind};
use crate::pad::{PadCore, PadMode};
use crate::segment::{Format, Segment, SegmentFlags};
use std::sync::Arc;

impl SinkBase {
    /// Decides on a mode. `Ok(true)`: the pad is in pull mode, and waits for the task; `Ok(false)`: it is to
    /// be activated in push mode.
    pub(super) fn activate_input(&self) -> Result<bool, ElementError> {
        let (can_push, can_pull) = self.core.instance().modes(&Context::detached(&self.core));
        if can_pull
            && negotiate::peer_caps(&self.sink, &negotiate::own_caps(&self.core, &self.sink))
                .is_any()
            && pull::activate(&self.sink, |way| way.pull)
        {
            return Ok(true);
        }
        if !can_push {
            let text = "it may not be pushed to, and there is nothing to pull from";
            return Err(ElementError::new(ErrorKind::Core, text));
        }
        Ok(false)
    }

    /// Begins to pull from the start of the stream.
    pub(super) fn begin_pull(&self) -> Result<(), ElementError> {
        if let Ok(_streaming) = self.sink.stream_lock().lock() {
            // SAFETY: the lock above.
            let s = unsafe { self.streaming() };
            // No segment comes.
            s.segment = Segment { position: Some(0), ..Segment::new(Format::Bytes) };
            s.pulled_to = 0;
            s.have_segment = true;
            self.shown.set_segment(s.segment);
        }
        let gone = || ElementError::new(ErrorKind::Core, "it is being taken away");
        pull::begin(&self.myself.upgrade().ok_or_else(gone)?)
    }

    pub(super) fn is_pulling(&self) -> bool {
        self.sink.mode() == PadMode::Pull
    }

    /// A seek of the application, in pull mode.
    pub(super) fn seek(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        seek.format == Format::Bytes && seek.rate > 0.0 && pull::seek(self, seek, seqnum)
    }
}

impl Puller for SinkBase {
    fn core(&self) -> &ElementCore {
        &self.core
    }

    fn pad(&self) -> &Arc<PadCore> {
        &self.sink
    }

    fn task(&self) -> &PullTask {
        &self.pull
    }

    unsafe fn pull(&self) -> FlowResult {
        // SAFETY: the caller's promise, here and below.
        let s = unsafe { self.streaming() };
        if self.preroll.lock().told_eos.is_some() {
            // Nothing follows the end but a flush.
            return Err(FlowError::CustomSuccess);
        }
        let offset = s.pulled_to;
        let size = match self.settings.blocksize.get() {
            0 => u32::MAX,
            size => size,
        };
        let left = s.segment.stop.map(|stop| stop.saturating_sub(offset));
        let size = left.map_or(size, |left| u32::try_from(left).unwrap_or(u32::MAX).min(size));
        if size == 0 {
            return Err(FlowError::Eos);
        }
        let buf = self.sink.pull_range(offset, size)?;
        // SAFETY: see above.
        unsafe { self.streaming() }.pulled_to = offset.saturating_add(buf.size() as u64);
        self.render(buf)
    }

    unsafe fn ended(&self, why: FlowError) {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        let seqnum = s.pull_seqnum;
        let end = match why {
            FlowError::Flushing | FlowError::CustomSuccess => return,
            FlowError::Eos if s.segment.flags.contains(SegmentFlags::SEGMENT) => {
                let (format, position) = (Format::Bytes, s.pulled_to);
                let done = MessageKind::SegmentDone { format, position };
                let message = Message::new(&*self.core.name, done);
                self.core.post_message(message.with_seqnum(seqnum));
                Event::new(EventKind::SegmentDone { format, position })
            }
            FlowError::Eos => Event::eos(),
            other => {
                refusal::tell_pulled(&self.core, &self.sink, other);
                Event::eos()
            }
        };
        // A flush may end the hold at the end.
        let _ = self.sink_event(end.with_seqnum(seqnum));
    }

    unsafe fn go(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        let mut segment = s.segment;
        if segment.format != Format::Bytes {
            // The flush took it away.
            segment = Segment::new(Format::Bytes);
        }
        segment.position = Some(s.pulled_to);
        let types = (seek.start_type, seek.stop_type);
        let done = segment
            .do_seek(seek.rate, seek.flags, types.0, seek.start, types.1, seek.stop)
            .is_some();
        s.segment = segment;
        s.have_segment = true;
        self.shown.set_segment(segment);
        if done {
            s.pulled_to = segment.position.unwrap_or(segment.start);
            s.pull_seqnum = seqnum;
            if segment.flags.contains(SegmentFlags::SEGMENT) {
                let start =
                    MessageKind::SegmentStart { format: Format::Bytes, position: s.pulled_to };
                let message = Message::new(&*self.core.name, start);
                self.core.post_message(message.with_seqnum(seqnum));
            }
        }
        done
    }
}
