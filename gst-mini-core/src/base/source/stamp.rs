//! Timestamps that a source did not give, and the wait of a live source for each buffer's time.
//!
//! Invariant: a time that a buffer has is left as it is.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_do_sync`).
//! Left out: the offset that makes up for a late start of a live source.

use super::{SourceBase, Streaming};
use crate::buffer::Buffer;
use crate::clock::ClockReturn;
use crate::error::{FlowError, FlowResult};
use crate::runtime;
use crate::segment::{Format, Segment};
use crate::time::{ClockTime, RunningTime};
use crate::tracer;

impl SourceBase {
    /// Gives a buffer the times it lacks, as far as the base knows them.
    #[inline(always)]
    pub(super) fn stamp(&self, s: &mut Streaming, buf: &mut Buffer) {
        let segment = &s.segment;
        let at_start = segment.format == Format::Bytes && segment.position == Some(0);
        if at_start && segment.time == Some(0) && buf.dts().is_none() && !self.is_live() {
            buf.set_dts(Some(ClockTime::ZERO));
        }
        if s.first || self.do_timestamp.get() {
            self.stamp_first(s, buf);
        } else if buf.pts().is_none()
            && buf.dts().is_some()
            // Without a base time nothing has ever played.
            && self.core.lent.has_running_time()
        {
            buf.set_pts(buf.dts());
        }
    }

    /// [`SourceBase::stamp`] of the first buffer, and of all where the clock stamps them.
    #[cold]
    fn stamp_first(&self, s: &mut Streaming, buf: &mut Buffer) {
        let is_first = std::mem::take(&mut s.first);
        if !self.core.lent.has_running_time() {
            return;
        }
        if buf.dts().is_none() {
            if self.do_timestamp.get() {
                let Some(now) = self.core.running_time_now() else { return };
                buf.set_dts(Some(ClockTime::from_nanos(now.nanos())));
            } else if is_first && buf.pts().is_none() {
                buf.set_dts(Some(ClockTime::from_nanos(s.segment.start)));
            }
        }
        if buf.pts().is_none() {
            buf.set_pts(buf.dts());
        }
    }

    /// A live source makes nothing outside PLAYING.
    pub(super) fn wait_playing(&self) -> FlowResult {
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
            runtime::at(&self.core.name, || control.wait("PLAYING, for a live source"));
        }
    }

    /// A live buffer is not pushed before its running time.
    pub(super) fn wait_until_due(&self, segment: &Segment, buf: &Buffer) -> FlowResult {
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
            let waited = runtime::at(&self.core.name, || {
                clock.wait_until(due.at(base_time), &self.core.clock_wait)
            });
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
}
