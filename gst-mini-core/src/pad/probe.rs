//! Probes: functions that look at what passes a pad, drop it, or hold it.
//!
//! Invariant: a callback runs without any lock of the pad; it may add and remove probes.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_add_probe`, `do_probe_callbacks`), design page `probes`.
//! Left out: pull probes; a callback that takes the buffer over.

use super::{PadCore, attention};
use crate::buffer::Buffer;
use crate::error::{FlowError, FlowResult};
use crate::event::Event;
use crate::query::Query;
use parking_lot::Mutex;
use std::ops::BitOr;
use std::sync::Arc;

/// What a probe wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeType(pub u32);

impl ProbeType {
    /// Hold the stream until the probe is removed. Together with what it is to be held at.
    pub const BLOCK: ProbeType = ProbeType(2);
    /// Buffers.
    pub const BUFFER: ProbeType = ProbeType(16);
    /// Serialized and other downstream events.
    pub const EVENT_DOWNSTREAM: ProbeType = ProbeType(64);
    /// Upstream events.
    pub const EVENT_UPSTREAM: ProbeType = ProbeType(128);
    /// Queries.
    pub const QUERY: ProbeType = ProbeType(512);
    /// Buffers and downstream events.
    pub const DATA_DOWNSTREAM: ProbeType = ProbeType(16 | 64);

    fn meets(self, other: ProbeType) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for ProbeType {
    type Output = ProbeType;
    fn bitor(self, other: ProbeType) -> ProbeType {
        ProbeType(self.0 | other.0)
    }
}

/// What passes.
pub enum ProbeData<'a> {
    /// A buffer; it may be replaced.
    Buffer(&'a mut Buffer),
    /// An event.
    Event(&'a Event),
    /// A query on its way out.
    Query(&'a Query),
}

/// What is to happen with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeReturn {
    /// Nothing special; a blocking probe keeps holding it.
    Ok,
    /// Throw it away; the sender sees success.
    Drop,
    /// Let it pass, and take this probe away.
    Remove,
    /// Let it pass although this probe blocks.
    Pass,
}

/// Names a probe on its pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeId(u64);

impl ProbeId {
    pub(super) fn new(id: u64) -> ProbeId {
        ProbeId(id)
    }
}

pub(super) type Callback = Arc<Mutex<Box<dyn FnMut(ProbeData<'_>) -> ProbeReturn + Send>>>;

#[derive(Clone)]
struct Probe {
    id: ProbeId,
    mask: ProbeType,
    callback: Callback,
}

#[derive(Default)]
pub(super) struct List {
    probes: Vec<Probe>,
    last_id: u64,
}

impl PadCore {
    pub(super) fn install_probe(&self, mask: ProbeType, callback: Callback) -> ProbeId {
        let mut list = self.probes.lock();
        list.last_id += 1;
        let id = ProbeId(list.last_id);
        list.probes.push(Probe { id, mask, callback });
        self.raise(attention::PROBES);
        id
    }

    pub(super) fn uninstall_probe(&self, id: ProbeId) {
        let mut list = self.probes.lock();
        list.probes.retain(|probe| probe.id != id);
        if list.probes.is_empty() {
            self.clear(attention::PROBES);
        }
        drop(list);
        self.wake_blocked();
    }

    pub(super) fn wake_blocked(&self) {
        *self.blocked.lock() += 1;
        self.blocked.notify_all();
    }

    /// Runs the probes that want to see `what`. `Ok(false)`: it was dropped.
    pub(super) fn run_probes(&self, what: ProbeType, mut data: ProbeData<'_>) -> FlowResult<bool> {
        let present = self.probes.lock().probes.clone();
        let mut pass = false;
        let mut holding = Vec::new();
        for probe in present.iter().filter(|probe| probe.mask.meets(what)) {
            let lent = match &mut data {
                ProbeData::Buffer(buf) => ProbeData::Buffer(buf),
                ProbeData::Event(event) => ProbeData::Event(event),
                ProbeData::Query(query) => ProbeData::Query(query),
            };
            match (probe.callback.lock())(lent) {
                ProbeReturn::Ok if probe.mask.meets(ProbeType::BLOCK) => holding.push(probe.id),
                ProbeReturn::Ok => {}
                ProbeReturn::Pass => pass = true,
                ProbeReturn::Drop => return Ok(false),
                ProbeReturn::Remove => self.uninstall_probe(probe.id),
            }
        }
        if !pass {
            self.hold(&holding)?;
        }
        Ok(true)
    }

    /// Waits until none of these probes is left, or the pad flushes.
    fn hold(&self, holding: &[ProbeId]) -> FlowResult {
        let mut blocked = self.blocked.lock();
        loop {
            if self.is_flushing() {
                return Err(FlowError::Flushing);
            }
            let list = self.probes.lock();
            if !list.probes.iter().any(|probe| holding.contains(&probe.id)) {
                return Ok(());
            }
            drop(list);
            blocked.wait("a blocking probe to be removed");
        }
    }
}
