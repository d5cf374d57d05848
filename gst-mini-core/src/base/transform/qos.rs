//! What a transform does about a sink that is too slow: it drops what would come too late anyway.
//!
//! Invariant: a buffer costs nothing here until a QoS event came, and then only with `qos` switched on.
//! In GStreamer: `libs/gst/base/gstbasetransform.c` (`gst_base_transform_update_qos`, `default_submit_input_buffer`).
//! Left out: telling the element of the proportion, which it gets with `UPSTREAM_EVENTS`.

use super::{Streaming, TransformBase};
use crate::base::prop;
use crate::buffer::Buffer;
use crate::event::{Event, EventKind};
use crate::message::MessageKind;
use crate::plugin::abi::GM_ROLE_NO_QOS;
use crate::registry::factory::{FactoryInfo, PropInfo};
use crate::segment::Format;
use crate::time::RunningTime;

/// Bit of [`crate::host::core::ElementCore::attention`]: a QoS event came.
const PENDING_QOS: u32 = 1 << 16;

/// What the sink said last.
#[derive(Clone, Copy)]
pub(super) struct Report {
    /// Running time, ns: what is due by then comes too late.
    earliest: u64,
    proportion: f64,
}

/// Properties every transform has that does not say otherwise.
pub(crate) fn base_props(factory: &FactoryInfo) -> Vec<PropInfo> {
    if factory.role_flags & GM_ROLE_NO_QOS != 0 {
        return Vec::new();
    }
    vec![prop("qos", "boolean", "Drop what would come too late, as QoS events tell", "", "false")]
}

impl TransformBase {
    /// A QoS event on its way upstream. Any thread.
    pub(super) fn note_qos(&self, event: &Event) {
        let EventKind::Qos { proportion, diff, timestamp: Some(timestamp), .. } = event.kind else {
            return;
        };
        if self.qos.get() {
            let earliest = timestamp.nanos().saturating_add_signed(diff);
            *self.report.lock() = Some(Report { earliest, proportion });
            self.core.attention.raise(PENDING_QOS);
        }
    }

    /// A flush or a new segment: what was said is about other data.
    pub(super) fn forget_qos(&self, s: &mut Streaming) {
        *self.report.lock() = None;
        s.is_behind = false;
    }

    /// Whether the sink has said anything since the segment began.
    pub(super) fn has_report(&self) -> bool {
        self.report.lock().is_some()
    }

    /// Whether a buffer is not worth the work. If so the application is told.
    pub(super) fn is_late(&self, s: &mut Streaming, buf: &Buffer) -> bool {
        let report = (*self.report.lock()).filter(|_| self.qos.get());
        let segment = self.sink.segment().filter(|segment| segment.format == Format::Time);
        let Some(((report, segment), pts)) = report.zip(segment).zip(buf.pts()) else {
            return false;
        };
        let Some(due) = segment.running_time_of(pts.nanos()) else { return false };
        if due > report.earliest {
            return false;
        }
        s.dropped += 1;
        s.discont = true;
        self.core.post(MessageKind::Qos {
            live: false,
            running_time: Some(RunningTime::from_nanos(due)),
            stream_time: segment.stream_time_of(pts.nanos()),
            timestamp: Some(pts),
            duration: buf.duration(),
            jitter: i64::try_from(report.earliest - due).unwrap_or(i64::MAX),
            proportion: report.proportion,
            processed: s.cx.stage.processed(),
            dropped: s.dropped,
        });
        true
    }
}
