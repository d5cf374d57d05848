//! What an element without a role pushes itself, through a pad whose lock makes its threads one.
//!
//! Invariant: a push looks no pad up under a lock, once it has looked.
//! In GStreamer: none; elements call `gst_pad_push`.
//! Left out: nothing.

use super::{Context, code, with};
use crate::buffer::Buffer;
use crate::cx::PadId;
use crate::error::{FlowError, FlowResult};
use crate::host::core::ElementCore;
use crate::pad::PadCore;
use crate::plugin::abi::*;
use crate::plugin::export::list_of;
use std::sync::Arc;

// SAFETY of all functions below: as in the module around.

/// Pushes through a source pad that several threads may push through: its own lock makes them one.
#[inline]
fn push_through(cx: &Context, pad: u32, push: impl FnOnce(&PadCore) -> FlowResult) -> FlowResult {
    if let Some(own) = cx.task_pad().filter(|own| own.id().0 == pad) {
        // A push from within a push of the same callback finds the way taken, like any other.
        return cx.while_pushing(|| push(own)).unwrap_or(Err(FlowError::Error));
    }
    let core = cx.core();
    let present = core.pads.changed();
    let known = cx.pads.borrow();
    let pad = match known.of(present, pad) {
        // Borrowed for the push: nothing else of this context changes what is known meanwhile.
        Some(pad) => pad,
        None => {
            drop(known);
            if let Ok(mut known) = cx.pads.try_borrow_mut() {
                known.look_up(present, core);
            }
            let pad = core.pad(PadId(pad)).ok_or(FlowError::NotLinked)?;
            let _streaming = pad.stream_lock().lock().map_err(|_| FlowError::Error)?;
            return push(&pad);
        }
    };
    let _streaming = pad.stream_lock().lock().map_err(|_| FlowError::Error)?;
    push(pad)
}

/// The pads of an element as a context found them, so that a push looks none up under a lock.
#[derive(Default)]
pub(super) struct KnownPads {
    /// [`Pads::changed`](super::core::Pads::changed) at that time.
    at: u32,
    pads: Vec<Arc<PadCore>>,
}

impl KnownPads {
    fn of(&self, present: u32, id: u32) -> Option<&PadCore> {
        let is_current = self.at == present && !self.pads.is_empty();
        let mut pads = self.pads.iter().filter(|_| is_current);
        pads.find(|pad| pad.id().0 == id).map(|pad| &**pad)
    }

    fn look_up(&mut self, present: u32, core: &ElementCore) {
        self.at = present;
        self.pads.clone_from(&core.pads.read());
    }
}

pub(super) unsafe extern "C" fn push(cx: *const GmCx, pad: u32, buf: *mut GmBuffer) -> i32 {
    // SAFETY: see above.
    let Some(buf) = (unsafe { Buffer::from_raw(buf) }) else { return GM_FLOW_OK };
    with(cx, FlowError::Error.code(), |cx| {
        // SAFETY: under the pad's stream lock.
        code(push_through(cx, pad, |pad| unsafe { pad.push_along(buf) }))
    })
}

pub(super) unsafe extern "C" fn push_list(
    cx: *const GmCx,
    pad: u32,
    bufs: *const *mut GmBuffer,
    n: u32,
) -> i32 {
    // SAFETY: see above.
    let list = unsafe { list_of(bufs, n) };
    with(cx, FlowError::Error.code(), |cx| {
        // SAFETY: under the pad's stream lock.
        code(push_through(cx, pad, |pad| unsafe { pad.push_list(list) }))
    })
}
