//! A source in pull mode: downstream says which bytes, on a thread of its own.
//!
//! Invariant: there is no task, no segment and no event of the stream; ranges come one at a time.
//! In GStreamer: `libs/gst/base/gstbasesrc.c` (`gst_base_src_get_range`, `gst_base_src_update_length`, `gst_base_src_activate_pull`).
//! Left out: filling a buffer of the caller's.

use super::{SourceBase, Streaming};
use crate::buffer::Buffer;
use crate::error::{FlowError, FlowResult};
use crate::host::context::Context;
use crate::host::instance::Given;
use crate::pad::{PadCore, PadMode};
use crate::query::Scheduling;
use crate::segment::Format;
use crate::state::StateReturn;
use std::sync::atomic::Ordering;

impl SourceBase {
    /// How its data can be had.
    pub(super) fn scheduling(&self) -> Scheduling {
        let instance = self.core.instance();
        let (_, pull) = instance.modes(&Context::detached(&self.core));
        let has_ranges = instance.has_ranges();
        Scheduling {
            seekable: has_ranges,
            sequential: !has_ranges,
            push: true,
            pull,
            ..Scheduling::default()
        }
    }

    /// Downstream begins or ends to pull.
    pub(super) fn switch_mode(&self, mode: PadMode, active: bool) -> bool {
        match (mode, active) {
            (PadMode::Pull, true) => self.scheduling().pull && self.open_for_ranges(),
            (PadMode::Pull, false) => self.stop() == StateReturn::Success,
            _ => true,
        }
    }

    fn open_for_ranges(&self) -> bool {
        // Who pulls goes where it likes.
        *self.pending_seek.lock() = None;
        let Ok(_streaming) = self.src.stream_lock().lock() else { return false };
        // SAFETY: the lock above.
        unsafe { self.open() }
    }

    /// A range for downstream.
    pub(super) fn range(&self, offset: u64, size: u32) -> FlowResult<Buffer> {
        // SAFETY: a range is asked for under the source pad's stream lock.
        let s = unsafe { self.streaming() };
        self.core.attend_if_needed(&s.cx);
        if self.is_live() {
            self.wait_playing()?;
        }
        let size = self.within(s, offset, size)?;
        if s.segment.format == Format::Bytes {
            s.segment.position = Some(offset);
            self.position.store(offset, Ordering::Relaxed);
        }
        match &mut s.left {
            Some(0) => return Err(FlowError::Eos),
            Some(left) => *left -= 1,
            None => {}
        }
        if self.control.lock().end.is_some() {
            return Err(FlowError::Eos);
        }
        let given = self.core.instance().get_range(&s.cx, offset, size);
        // Nothing goes beside ranges.
        s.cx.take_outputs();
        if self.control.lock().end.is_some() {
            return Err(FlowError::Eos);
        }
        let given = given.map_err(|flow| self.core.explain(flow, "get_range"))?;
        let Given::Buffer(mut buf) = given else { return Err(FlowError::Error) };
        self.stamp(s, &mut buf);
        if self.is_live()
            && let Err(flow) = self.wait_until_due(&s.segment, &buf)
        {
            self.core.instance().stopped(&s.cx, flow);
            return Err(flow);
        }
        Ok(buf)
    }

    /// How much of a range is there.
    fn within(&self, s: &mut Streaming, offset: u64, size: u32) -> FlowResult<u32> {
        if s.segment.format != Format::Bytes {
            return Ok(size);
        }
        let behind = offset.saturating_add(u64::from(size));
        if s.segment.duration.is_some_and(|length| behind >= length) {
            // It may have grown.
            s.segment.duration = self.info().duration;
        }
        let Some(length) = s.segment.duration else { return Ok(size) };
        match length.checked_sub(offset) {
            None | Some(0) => Err(FlowError::Eos),
            Some(left) => Ok(u32::try_from(left).map_or(size, |left| left.min(size))),
        }
    }

    /// Whether ranges of it are pulled now.
    pub(super) fn is_pulled(&self) -> bool {
        self.src.mode() == PadMode::Pull
    }

    /// Takes the pad out of pull mode, if downstream has not.
    pub(super) fn stop_ranges(&self, pad: &PadCore) -> StateReturn {
        if pad.activate_mode(PadMode::Pull, false) {
            StateReturn::Success
        } else {
            StateReturn::Failure
        }
    }
}
