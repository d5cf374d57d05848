//! Pull mode: a sink pad asks the source pad it is linked to for a range of bytes.
//!
//! ```text
//!        element A                                   element B
//!   ┌──────────────┐ get_range ┌─────┐      ┌──────┐ pull_range ┌────────────┐
//!   │ its handler  │◀──────────┤ src │◀─────┤ sink │◀───────────┤ its task   │
//!   └──────────────┘           └─────┘ link └──────┘            └────────────┘
//! ```
//!
//! Who pulls decides where to go and when to end, so no segment and no end of stream come down such a link.
//!
//! Invariant: a range crosses a link only if both pads are in pull mode; a flush of either ends it.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_pull_range`, `gst_pad_get_range_unchecked`).
//! Left out: filling a buffer of the caller's.

use super::probe::Outcome;
use super::{PadCore, PadMode, ProbeData, ProbeType, attention};
use crate::buffer::Buffer;
use crate::error::{FlowError, FlowResult};
use crate::tracer;

impl PadCore {
    /// Pulls a range through this sink pad: `size` bytes from `offset`, fewer at the end of the stream, and
    /// [`FlowError::Eos`] behind it. Blocks as long as upstream does. By whoever activated the pad in pull
    /// mode, one call at a time.
    pub fn pull_range(&self, offset: u64, size: u32) -> FlowResult<Buffer> {
        if let Some(target) = self.ghost_target() {
            return target.pull_range(offset, size);
        }
        let pulled = self.ranged(offset, size, || {
            let peer = self.linked_peer().ok_or(FlowError::NotLinked)?;
            let pulled = peer.get_range(offset, size);
            if self.has(attention::IDLE) {
                self.after_push();
            }
            pulled
        });
        if tracer::is_on()
            && let Ok(buf) = &pulled
        {
            tracer::buffer(&self.owner, &self.name, buf, self.segment());
        }
        pulled
    }

    /// Asks the owner of this source pad for a range, as its peer does.
    pub fn get_range(&self, offset: u64, size: u32) -> FlowResult<Buffer> {
        if let Some(target) = self.ghost_target() {
            return target.get_range(offset, size);
        }
        let Ok(_streaming) = self.stream_lock.lock() else { return Err(FlowError::Error) };
        self.ranged(offset, size, || {
            let handler = self.handler().ok_or(FlowError::NotSupported)?;
            handler.get_range(self, offset, size)
        })
    }

    /// What both sides look at around a range.
    fn ranged(
        &self,
        offset: u64,
        size: u32,
        pull: impl FnOnce() -> FlowResult<Buffer>,
    ) -> FlowResult<Buffer> {
        let pulled = self.probed_range(offset, size, pull);
        self.remember(match &pulled {
            Ok(_) => Ok(()),
            Err(flow) => Err(*flow),
        });
        pulled
    }

    fn probed_range(
        &self,
        offset: u64,
        size: u32,
        pull: impl FnOnce() -> FlowResult<Buffer>,
    ) -> FlowResult<Buffer> {
        if self.is_flushing() {
            return Err(FlowError::Flushing);
        }
        if self.mode() != PadMode::Pull {
            return Err(FlowError::Error);
        }
        if !self.has(attention::PROBES) {
            return pull();
        }
        let mut given = None;
        let what = ProbeType::PULL | ProbeType::BLOCK;
        let asked = {
            let mut range = ProbeData::Range { offset, size, buf: &mut given };
            self.run_probes(what, &mut range)?
        };
        let mut buf = match (asked, given) {
            (Outcome::Handled(Err(flow)), _) => return Err(flow),
            (Outcome::Go, _) => pull()?,
            (Outcome::Dropped | Outcome::Handled(Ok(())), Some(buf)) => buf,
            // Nothing in its place is the end.
            (Outcome::Dropped | Outcome::Handled(Ok(())), None) => return Err(FlowError::Eos),
        };
        let what = ProbeType::PULL | ProbeType::BUFFER;
        match self.run_probes(what, &mut ProbeData::Buffer(&mut buf))? {
            Outcome::Go | Outcome::Handled(Ok(())) => Ok(buf),
            Outcome::Handled(Err(flow)) => Err(flow),
            Outcome::Dropped => Err(FlowError::Eos),
        }
    }
}
