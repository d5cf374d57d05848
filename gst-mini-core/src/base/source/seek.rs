//! Seeks: a source goes to another part of its stream, with or without dropping what is on its way.
//!
//! ```text
//!   flushing:      flush-start ─▶ every push returns ─▶ new segment ─▶ flush-stop ─▶ task goes on
//!   not flushing:  the push under way returns ─▶ new segment, after the running time reached ─▶ task goes on
//! ```
//!
//! A seek without flush comes back when it was made. In PAUSED the push under way may wait for
//! PLAYING, and its caller may be who would say so: there the seek is left to the task.
//!
//! Invariant: a source that cannot seek says so before anything is flushed.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_perform_seek`, `gst_base_src_send_event`).
//! Left out: seeks in another format than the source's, seeks of live sources, instant rate changes.

use super::{SourceBase, Streaming};
use crate::event::{Event, Seek, Seqnum};
use crate::host::instance::SourceInfo;
use crate::message::{Message, MessageKind};
use crate::runtime;
use crate::segment::{SeekFlags, Segment, SegmentFlags};

impl SourceBase {
    /// Carries out a seek; `false` if it cannot be made.
    pub(super) fn seek(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        let info = self.info();
        let refused = self.is_pulled()
            || seek.format != info.format
            || !info.seekable
            || self.is_live()
            || seek.rate == 0.0
            || seek.flags.contains(SeekFlags::INSTANT_RATE_CHANGE);
        if refused {
            return false;
        }
        if seek.flags.contains(SeekFlags::FLUSH) {
            self.seek_flushing(seek, seqnum)
        } else {
            self.seek_in_order(seek, seqnum)
        }
    }

    fn seek_flushing(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        if self.src.stream_lock().is_mine() {
            // The streaming thread cannot wait for itself to return.
            return false;
        }
        self.src.push_event(Event::flush_start().with_seqnum(seqnum));
        self.core.interrupt(true);
        let Ok(_streaming) = self.src.stream_lock().lock() else { return false };
        self.core.interrupt(false);
        // SAFETY: the lock above.
        let s = unsafe { self.streaming() };
        let segment = self.prepare(s, seek);
        self.src.push_event(Event::flush_stop(true).with_seqnum(seqnum));
        let done = segment.is_some();
        match segment {
            Some(segment) => self.adopt(s, segment, seqnum),
            // The flush took the segment away; the old one goes on.
            None => s.segment_sent = false,
        }
        s.discont = true;
        let mut control = self.change();
        control.end = None;
        control.events.clear();
        control.rest = false;
        control.notify_all();
        done
    }

    fn seek_in_order(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        let is_mine = self.src.stream_lock().is_mine();
        if !is_mine && let Some(_streaming) = self.src.stream_lock().try_lock() {
            // SAFETY: the lock above.
            let done = unsafe { self.seek_now(seek, seqnum) };
            let mut control = self.change();
            control.rest = false;
            control.notify_all();
            return done;
        }
        let mut control = self.change();
        let number = control.seeks_made;
        control.seek = Some((seek.clone(), seqnum));
        control.rest = false;
        control.notify_all();
        while !is_mine && control.playing && !control.stop && control.seeks_made == number {
            let why = "the push under way to return, for a seek";
            runtime::at(&self.core.name, || control.wait(why));
        }
        if control.stop {
            return false;
        }
        // One that was left to the task will do what it can.
        control.seeks_made == number || control.seek_worked
    }

    /// Makes a seek that was left to the task.
    ///
    /// # Safety
    /// Under the source pad's stream lock.
    pub(super) unsafe fn seek_left(&self, seek: &Seek, seqnum: Seqnum) {
        // SAFETY: the caller's promise.
        let done = unsafe { self.seek_now(seek, seqnum) };
        let mut control = self.change();
        control.seeks_made += 1;
        control.seek_worked = done;
        control.notify_all();
    }

    /// # Safety
    /// Under the source pad's stream lock.
    unsafe fn seek_now(&self, seek: &Seek, seqnum: Seqnum) -> bool {
        // SAFETY: the caller's promise.
        let s = unsafe { self.streaming() };
        s.discont = true;
        match self.prepare(s, seek) {
            Some(segment) => {
                self.adopt(s, segment, seqnum);
                true
            }
            None => false,
        }
    }

    /// A seek that was asked for in READY, before the task starts. `false` if it cannot be made.
    pub(super) fn seek_first(&self, s: &mut Streaming) -> bool {
        let Some((seek, seqnum)) = self.pending_seek.lock().take() else { return true };
        let flush = seek.flags.contains(SeekFlags::FLUSH);
        if flush {
            self.src.push_event(Event::flush_start().with_seqnum(seqnum));
        }
        let segment = self.prepare(s, &seek);
        if flush {
            self.src.push_event(Event::flush_stop(true).with_seqnum(seqnum));
        }
        let done = segment.is_some();
        if let Some(segment) = segment {
            self.adopt(s, segment, seqnum);
        }
        done
    }

    /// The segment that a seek asks for, once the element has gone there.
    fn prepare(&self, s: &Streaming, seek: &Seek) -> Option<Segment> {
        let info: SourceInfo = self.info();
        let mut segment = s.segment;
        segment.duration = info.duration;
        if seek.format != segment.format || !info.seekable {
            return None;
        }
        segment.do_seek(
            seek.rate,
            seek.flags,
            seek.start_type,
            seek.start,
            seek.stop_type,
            seek.stop,
        )?;
        self.core.attend_if_needed(&s.cx);
        self.core.instance().seek(&s.cx, &segment).then_some(segment)
    }

    fn adopt(&self, s: &mut Streaming, segment: Segment, seqnum: Seqnum) {
        s.segment = segment;
        s.seqnum = seqnum;
        s.segment_sent = false;
        self.show(&segment);
        if segment.flags.contains(SegmentFlags::SEGMENT) {
            let position = segment.position.unwrap_or(segment.start);
            let start = MessageKind::SegmentStart { format: segment.format, position };
            let message = Message::new(&*self.core.name, start);
            self.core.post_message(message.with_seqnum(seqnum));
        }
    }
}
