//! A transform in pull mode: driving its input itself, or handing through ranges that downstream asks for.
//!
//! ```text
//!   PULLS:   own task ─ next_range ─▶ pull ─▶ transform() ─▶ push        the element sees what it would be pushed
//!   RANGES:  downstream asks ─▶ pull ─▶ transform() ─▶ given back
//! ```
//!
//! Invariant: the element is not held while a range is pulled.
//! In GStreamer: `libs/gst/base/gstbasetransform.c` (`gst_base_transform_getrange`); `gst/wavparse/gstwavparse.c` (`gst_wavparse_loop`).
//! Left out: events among ranges that are handed through.

use super::TransformBase;
use crate::base::pull::{self, PullTask, Puller};
use crate::base::refusal;
use crate::buffer::{Buffer, BufferFlags};
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind, Seek, Seqnum, next_group_id, next_seqnum, stream_id};
use crate::host::context::{Context, Output, drain};
use crate::host::core::ElementCore;
use crate::host::instance::Given;
use crate::message::{Message, MessageKind};
use crate::pad::{PadCore, PadMode, attention};
use crate::plugin::abi::GM_ROLE_RANGES;
use crate::query::{Query, Scheduling};
use crate::segment::{Format, SeekFlags, Segment, SegmentFlags};
use crate::state::StateReturn;
use std::collections::VecDeque;
use std::sync::Arc;

/// What the streaming thread keeps in pull mode.
pub(super) struct Pulled {
    /// The part of the input to be pulled, in bytes, and how far it is.
    segment: Segment,
    /// Cause of the segment, and of what ends it.
    seqnum: Seqnum,
    /// The stream was announced downstream.
    is_begun: bool,
    /// What comes next does not follow what came last.
    jumped: bool,
    /// Made of a range, and not asked for yet.
    kept: VecDeque<Buffer>,
}

impl Pulled {
    pub fn new() -> Pulled {
        Pulled {
            segment: Segment { position: Some(0), ..Segment::new(Format::Bytes) },
            seqnum: next_seqnum(),
            is_begun: false,
            jumped: true,
            kept: VecDeque::new(),
        }
    }
}

impl super::Streaming {
    fn pulled(&mut self) -> &mut Pulled {
        self.pulled.get_or_insert_with(|| Box::new(Pulled::new()))
    }
}

impl TransformBase {
    fn hands_through(&self) -> bool {
        self.core.factory.role_flags & GM_ROLE_RANGES != 0
    }

    /// How its output can be had: as its input, by those that hand ranges through.
    pub(super) fn scheduling_query(&self, query: &mut Query) -> bool {
        if self.core.instance().pulls() || !self.sink.ask_peer(query) {
            return false;
        }
        if let Query::Scheduling(way) = query {
            way.pull &= self.hands_through();
        }
        true
    }

    /// Downstream begins or ends to pull.
    pub(super) fn switch_mode(&self, pad: &PadCore, mode: PadMode, active: bool) -> bool {
        if mode != PadMode::Pull || pad.id() != self.src.id() {
            return true;
        }
        if !active {
            self.core.interrupt(true);
            self.sink.activate_mode(PadMode::Pull, false);
            return self.close() == StateReturn::Success;
        }
        if !self.hands_through() || !self.sink.activate_mode(PadMode::Pull, true) {
            return false;
        }
        let opened = self.open();
        if !opened {
            self.sink.activate_mode(PadMode::Pull, false);
        }
        opened
    }

    /// Pulls from now on if it likes to and can; otherwise it is pushed to.
    pub(super) fn begin_input(&self) -> StateReturn {
        let pulls = self.core.instance().pulls();
        if !pulls || !pull::activate(&self.sink, Scheduling::pulls_anywhere) {
            self.sink.activate();
            return StateReturn::Success;
        }
        let Some(myself) = self.myself.upgrade() else { return StateReturn::Failure };
        match pull::begin(&myself) {
            Ok(()) => StateReturn::Success,
            Err(error) => {
                self.core.post_error(error);
                StateReturn::Failure
            }
        }
    }

    /// A range that downstream asks for.
    pub(super) fn range(&self, mut offset: u64, size: u32) -> FlowResult<Buffer> {
        let Ok(_streaming) = self.sink.stream_lock().lock() else { return Err(FlowError::Error) };
        loop {
            // SAFETY: the lock above; nothing of it is kept while the element or a pad is called.
            if let Some(buf) = unsafe { self.streaming() }.pulled().kept.pop_front() {
                return Ok(buf);
            }
            let buf = self.sink.pull_range(offset, size)?;
            offset = offset.saturating_add(buf.size() as u64);
            // SAFETY: the lock above.
            let s = unsafe { self.streaming() };
            self.core.attend_if_needed(&s.cx);
            s.cx.stage.came(1);
            let given = self.core.instance().transform(&s.cx, buf);
            for output in s.cx.take_outputs() {
                if let Output::Buffer(_, buf) = output {
                    s.pulled().kept.push_back(buf);
                }
            }
            match given.map_err(|flow| self.core.explain(flow, "transform"))? {
                Given::Buffer(buf) => s.pulled().kept.push_back(buf),
                Given::Nothing => {}
            }
        }
    }

    /// A flush from downstream, in pull mode, on its way up.
    pub(super) fn flush_ranges(&self, event: &Event) {
        match event.kind {
            EventKind::FlushStart => self.core.interrupt(true),
            EventKind::FlushStop { .. } => {
                self.core.interrupt(false);
                if let Ok(_streaming) = self.sink.stream_lock().lock() {
                    // SAFETY: the lock above.
                    let s = unsafe { self.streaming() };
                    self.core.instance().flush(&s.cx);
                    s.pulled().kept.clear();
                }
            }
            _ => {}
        }
    }

    /// A seek from downstream while the element drives its input.
    pub(super) fn seek_input(&self, event: Event) -> FlowResult {
        let cx = Context::new(&self.core, Some(self.src.clone()));
        let refused = FlowError::NotSupported;
        let EventKind::Seek(asked) = event.kind.clone() else { return Err(refused) };
        let onward = self.core.instance().seek_through(&cx, event);
        let onward = onward.ok_or(refused)?;
        let (EventKind::Seek(seek), seqnum) = (&onward.kind, onward.seqnum) else {
            return Err(refused);
        };
        let possible = seek.format == Format::Bytes
            && seek.rate > 0.0
            && !seek.flags.contains(SeekFlags::INSTANT_RATE_CHANGE);
        if !possible || !pull::seek(self, seek, seqnum) {
            return Err(refused);
        }
        if asked.flags.contains(SeekFlags::SEGMENT) {
            let format = asked.format;
            let position = u64::try_from(asked.start).unwrap_or(0);
            let start = MessageKind::SegmentStart { format, position };
            let message = Message::new(&*self.core.name, start);
            self.core.post_message(message.with_seqnum(seqnum));
        }
        Ok(())
    }

    /// What an element makes of the end of a part that was asked for: the same in its own unit.
    ///
    /// # Safety
    /// Under the sink pad's stream lock.
    unsafe fn segment_done(&self) {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        let segment = &s.pulled().segment;
        let position = segment.stop.or(segment.position).unwrap_or(0);
        let done = EventKind::SegmentDone { format: Format::Bytes, position };
        let event = Event::new(done).with_seqnum(s.pulled().seqnum);
        let forward = self.core.instance().sink_event(&s.cx, &event);
        let event = s.cx.take_segment_done().or(forward.unwrap_or(false).then_some(event));
        // What was held goes before it. A refusal has told its story.
        // SAFETY: the caller's promise.
        let _ = unsafe { drain(&self.core, &s.cx) };
        let Some(event) = event else { return };
        if let EventKind::SegmentDone { format, position } = event.kind {
            let done = MessageKind::SegmentDone { format, position };
            let message = Message::new(&*self.core.name, done);
            self.core.post_message(message.with_seqnum(event.seqnum));
        }
        self.src.push_event(event);
    }
}

impl Puller for TransformBase {
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
        self.core.attend_if_needed(&s.cx);
        if self.sink.is_flushing() {
            return Err(FlowError::Flushing);
        }
        if !std::mem::replace(&mut s.pulled().is_begun, true) {
            let stream_id = stream_id(&self.core.name, next_seqnum());
            let group_id = Some(next_group_id());
            self.src.push_event(Event::new(EventKind::StreamStart { stream_id, group_id }));
        }
        if self.src.has(attention::EOS) {
            // Nothing follows the end but a flush.
            return Err(FlowError::CustomSuccess);
        }
        let next = s.pulled().segment.position.unwrap_or(s.pulled().segment.start);
        let (offset, size) = self.core.instance().next_range(&s.cx, next)?;
        let left = s.pulled().segment.stop.map(|stop| stop.saturating_sub(offset));
        let size = left.map_or(size, |left| u32::try_from(left).unwrap_or(u32::MAX).min(size));
        if size == 0 {
            return Err(FlowError::Eos);
        }
        let mut buf = self.sink.pull_range(offset, size)?;
        // SAFETY: see above.
        let pulled = unsafe { self.streaming() }.pulled();
        pulled.segment.position = Some(offset.saturating_add(buf.size() as u64));
        if std::mem::take(&mut pulled.jumped) {
            buf.set_flags(BufferFlags::DISCONT);
        }
        self.flow(buf)
    }

    unsafe fn ended(&self, why: FlowError) {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        let is_part = s.pulled().segment.flags.contains(SegmentFlags::SEGMENT);
        let end = Event::eos().with_seqnum(s.pulled().seqnum);
        match why {
            FlowError::Flushing | FlowError::CustomSuccess => {}
            // SAFETY: the caller's promise.
            FlowError::Eos if is_part => unsafe { self.segment_done() },
            FlowError::Eos => {
                // A refusal has told its story.
                let _ = self.sink_event(end);
            }
            other => {
                refusal::tell(&self.core, &self.src, other);
                self.src.push_event(end);
            }
        }
    }

    unsafe fn go(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        // SAFETY: the caller's promise.
        let pulled = unsafe { self.streaming() }.pulled();
        let mut segment = pulled.segment;
        let types = (seek.start_type, seek.stop_type);
        let Some(_) =
            segment.do_seek(seek.rate, seek.flags, types.0, seek.start, types.1, seek.stop)
        else {
            return false;
        };
        (pulled.segment, pulled.seqnum, pulled.jumped) = (segment, seqnum, true);
        self.sink_event(Event::segment(segment).with_seqnum(seqnum)).is_ok()
    }
}
