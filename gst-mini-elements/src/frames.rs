//! What elements that read whole pictures offer to whoever makes them: a pool of buffers of one picture.
//!
//! Invariant: a size is offered for formats that can be read, and no meta that would not be looked at.
//! In GStreamer: `gst-libs/gst/video/gstvideofilter.c` (`gst_video_filter_propose_allocation`).
//! Left out: the video meta, so pictures lie without gaps.

use crate::video::caps;
use gst_mini_core::element_prelude::*;

/// The part of such an element that answers.
pub struct Frames;

impl Shared for Frames {
    fn query(&self, _: &Cx, query: &mut Query) -> bool {
        let Query::Allocation(asked) = query else { return false };
        let Some(info) = asked.caps.as_ref().and_then(|format| caps::read(format).ok()) else {
            return false;
        };
        asked.pools.push(PoolOffer { pool: None, size: info.size(), min: 0, max: 0 });
        true
    }
}
