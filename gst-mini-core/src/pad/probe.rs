//! Probes: functions that look at what passes a pad, drop it, replace it, or hold it.
//!
//! ```text
//!   data ─▶ blocking probes: each once; the stream waits until one of them lets it go
//!        ─▶ the others: each once, in the order they were added
//!        ─▶ across the link, and idle probes when nothing is under way any more
//! ```
//!
//! Invariant: a callback runs without any lock of the pad but the stream lock, if the data is serialized;
//! it may add and remove probes, link and unlink.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_add_probe`, `do_probe_callbacks`, `probe_hook_marshal`), design page `probes`.
//! Left out: probes without a callback (a callback that returns `Ok` is one).

use super::{PadCore, attention};
use crate::buffer::{Buffer, BufferList};
use crate::element::Direction;
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::query::Query;
use crate::runtime::{Me, StreamLock};
use std::cell::UnsafeCell;
use std::num::NonZeroUsize;
use std::ops::BitOr;
use std::sync::Arc;

/// What a probe wants to see. Without a kind of data: everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeType(pub u32);

impl ProbeType {
    /// Be called once nothing is under way through the pad, and hold what comes then while it runs.
    pub const IDLE: ProbeType = ProbeType(1);
    /// Hold the stream until the probe is removed. Together with what it is to be held at.
    pub const BLOCK: ProbeType = ProbeType(2);
    /// Buffers.
    pub const BUFFER: ProbeType = ProbeType(16);
    /// Buffer lists. One that the peer takes apart is seen as buffers there.
    pub const BUFFER_LIST: ProbeType = ProbeType(32);
    /// Downstream events, but for flushes.
    pub const EVENT_DOWNSTREAM: ProbeType = ProbeType(64);
    /// Upstream events.
    pub const EVENT_UPSTREAM: ProbeType = ProbeType(128);
    /// Flush-start and flush-stop, which only who asks for them sees.
    pub const EVENT_FLUSH: ProbeType = ProbeType(256);
    /// Queries that go downstream.
    pub const QUERY_DOWNSTREAM: ProbeType = ProbeType(512);
    /// Queries that go upstream.
    pub const QUERY_UPSTREAM: ProbeType = ProbeType(1024);
    /// Queries both ways.
    pub const QUERY: ProbeType = ProbeType(512 | 1024);
    /// What is pushed. Neither this nor `PULL`: both.
    pub const PUSH: ProbeType = ProbeType(4096);
    /// What is pulled, and answers to queries on their way back.
    pub const PULL: ProbeType = ProbeType(8192);
    /// Buffers, lists and downstream events.
    pub const DATA_DOWNSTREAM: ProbeType = ProbeType(16 | 32 | 64);
    /// Everything but flushes.
    pub const ALL: ProbeType = ProbeType(16 | 32 | 64 | 128 | 512 | 1024);

    const BLOCKING: ProbeType = ProbeType(1 | 2);
    const SCHEDULING: ProbeType = ProbeType(4096 | 8192);
    const ALL_DATA: ProbeType = ProbeType(Self::ALL.0 | 256);

    fn meets(self, other: ProbeType) -> bool {
        self.0 & other.0 != 0
    }

    /// What kind an event is that is on its way.
    pub(super) fn of_event(event: &Event, upstream: bool) -> ProbeType {
        let way = if upstream { Self::EVENT_UPSTREAM } else { Self::EVENT_DOWNSTREAM };
        let is_flush = matches!(event.kind, EventKind::FlushStart | EventKind::FlushStop { .. });
        let flush = if is_flush { Self::EVENT_FLUSH.0 } else { 0 };
        way | Self::PUSH | ProbeType(flush)
    }
}

impl BitOr for ProbeType {
    type Output = ProbeType;
    fn bitor(self, other: ProbeType) -> ProbeType {
        ProbeType(self.0 | other.0)
    }
}

/// What passes. All of it may be replaced in place.
pub enum ProbeData<'a> {
    /// A buffer.
    Buffer(&'a mut Buffer),
    /// Buffers in one go.
    List(&'a mut BufferList),
    /// An event.
    Event(&'a mut Event),
    /// A query: on its way out, and for probes of `PULL` on its way back.
    Query(&'a mut Query),
    /// A range is about to be pulled, in bytes. A probe that drops it ends the stream, unless it put a
    /// buffer there instead.
    Range {
        /// First byte.
        offset: u64,
        /// How many.
        size: u32,
        /// What the probe gives in place of what would be pulled.
        buf: &'a mut Option<Buffer>,
    },
    /// Nothing: the pad is idle.
    Idle,
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
    /// The probe has seen to it: it goes no further, and the sender gets this result. A query counts
    /// as answered if the result is a success.
    Handled(FlowResult),
}

/// Names a probe on its pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeId(u64);

impl ProbeId {
    pub(super) fn new(id: u64) -> ProbeId {
        ProbeId(id)
    }
}

/// What a probe calls.
pub type ProbeCallback = Box<dyn FnMut(ProbeData<'_>) -> ProbeReturn + Send>;

/// What the probes of a pad came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It goes on.
    Go,
    /// It was thrown away.
    Dropped,
    /// A probe has seen to it.
    Handled(FlowResult),
}

#[derive(Clone)]
pub(super) struct Probe {
    id: ProbeId,
    mask: ProbeType,
    callback: Arc<Callback>,
}

/// A callback that one thread at a time is in; it may wait and push, so the lock is one that allows it.
pub(super) struct Callback {
    one_at_a_time: StreamLock,
    /// Touched under that lock alone, which its own thread does not get twice.
    function: UnsafeCell<ProbeCallback>,
}

// SAFETY: the function is `Send`, and one thread at a time is at it.
unsafe impl Sync for Callback {}

#[derive(Default)]
pub(super) struct List {
    /// Changed as a whole: who runs them keeps those that were there.
    probes: Arc<[Probe]>,
    last_id: u64,
    /// The mark of who calls the idle probes: what is pushed meanwhile waits, but for what that thread does itself.
    idle_caller: Option<NonZeroUsize>,
    /// Another thread would have called them all meanwhile.
    is_idle_again: bool,
}

impl PadCore {
    pub(super) fn install_probe(&self, mask: ProbeType, callback: Arc<Callback>) -> ProbeId {
        let mut mask = mask;
        if !mask.meets(ProbeType::ALL_DATA) {
            mask = mask | ProbeType::ALL;
        }
        if !mask.meets(ProbeType::SCHEDULING) {
            mask = mask | ProbeType::SCHEDULING;
        }
        let mut list = self.probes.lock();
        list.last_id += 1;
        let id = ProbeId(list.last_id);
        let new = Probe { id, mask, callback };
        list.probes = list.probes.iter().cloned().chain([new]).collect();
        let is_idle = mask.meets(ProbeType::IDLE);
        self.raise(attention::PROBES | if is_idle { attention::IDLE } else { 0 });
        drop(list);
        // A thread that is blocked looks at the new probe too.
        self.wake_blocked();
        if is_idle {
            self.run_idle_probes(Some(id));
        }
        id
    }

    pub(super) fn uninstall_probe(&self, id: ProbeId) {
        let mut list = self.probes.lock();
        // Dropped when the lock is free again: a callback may do anything then.
        let before = list.probes.clone();
        list.probes = before.iter().filter(|probe| probe.id != id).cloned().collect();
        // Whoever kept those that were there looks again.
        self.attention.retract(if list.probes.is_empty() { attention::PROBES } else { 0 });
        self.clear_idle(&list);
        drop(list);
        self.wake_blocked();
    }

    pub(super) fn wake_blocked(&self) {
        *self.blocked.lock() += 1;
        self.blocked.notify_all();
    }

    /// Runs the probes that want to see what passes: those that block first.
    pub(super) fn probe(&self, what: ProbeType, data: &mut ProbeData<'_>) -> FlowResult<Outcome> {
        let blocking = what | ProbeType::BLOCK;
        let present = self.probes.lock().probes.clone();
        let is_flush = what.meets(ProbeType::EVENT_FLUSH);
        let may_hold =
            self.has(attention::IDLE) || present.iter().any(|probe| probe.wants(blocking));
        if is_flush || !may_hold {
            return Ok(self.run_passing(&present, what, data));
        }
        match self.run_blocking(blocking, data)? {
            Outcome::Go => self.run_probes(what, data),
            done => Ok(done),
        }
    }

    pub(super) fn run_probes(
        &self,
        what: ProbeType,
        data: &mut ProbeData<'_>,
    ) -> FlowResult<Outcome> {
        if what.meets(ProbeType::BLOCK) {
            return self.run_blocking(what, data);
        }
        let present = self.probes.lock().probes.clone();
        Ok(self.run_passing(&present, what, data))
    }

    /// What runs for each buffer that is pushed through this source pad, if none of it can hold the stream. Until the
    /// attention of this pad is raised or retracted.
    pub(super) fn passing_probes(&self) -> Option<Arc<[Probe]>> {
        let present = self.probes.lock().probes.clone();
        let holds = |probe: &Probe| probe.mask.meets(ProbeType::BLOCKING);
        (!present.iter().any(holds)).then_some(present)
    }

    /// Those that hold nothing: each once.
    pub(super) fn run_passing(
        &self,
        present: &[Probe],
        what: ProbeType,
        data: &mut ProbeData<'_>,
    ) -> Outcome {
        for probe in present.iter().filter(|probe| probe.wants(what)) {
            match probe.call(data) {
                ProbeReturn::Ok | ProbeReturn::Pass => {}
                ProbeReturn::Drop => return Outcome::Dropped,
                ProbeReturn::Handled(flow) => return Outcome::Handled(flow),
                ProbeReturn::Remove => self.uninstall_probe(probe.id),
            }
        }
        Outcome::Go
    }

    /// Those that hold the stream: each once, and again whenever the probes changed, until one lets go or none is left.
    fn run_blocking(&self, what: ProbeType, data: &mut ProbeData<'_>) -> FlowResult<Outcome> {
        let mut called: Vec<ProbeId> = Vec::new();
        let mut pass = false;
        // What has no place in the stream, such as the wish for another format that a new link sends, goes by idle probes.
        let is_serialized = match data {
            ProbeData::Event(event) => {
                what.meets(ProbeType::EVENT_DOWNSTREAM) && event.is_serialized()
            }
            ProbeData::Query(query) => {
                what.meets(ProbeType::QUERY_DOWNSTREAM) && query.is_serialized()
            }
            _ => true,
        };
        loop {
            let seen = *self.blocked.lock();
            if is_serialized && self.is_idle_elsewhere() {
                self.wait_changed(seen)?;
                continue;
            }
            let present = self.probes.lock().probes.clone();
            let mut holding = false;
            for probe in present.iter().filter(|probe| probe.wants(what)) {
                if called.contains(&probe.id) {
                    holding |= self.has_probe(probe.id);
                    continue;
                }
                called.push(probe.id);
                match probe.call(data) {
                    ProbeReturn::Ok => holding = true,
                    ProbeReturn::Pass => pass = true,
                    ProbeReturn::Drop => return Ok(Outcome::Dropped),
                    ProbeReturn::Handled(flow) => return Ok(Outcome::Handled(flow)),
                    ProbeReturn::Remove => self.uninstall_probe(probe.id),
                }
            }
            if pass || !holding {
                return Ok(Outcome::Go);
            }
            self.wait_changed(seen)?;
        }
    }

    fn has_probe(&self, id: ProbeId) -> bool {
        self.probes.lock().probes.iter().any(|probe| probe.id == id)
    }

    /// Whether another thread calls the idle probes.
    fn is_idle_elsewhere(&self) -> bool {
        let caller = if self.has(attention::IDLE) { self.probes.lock().idle_caller } else { None };
        caller.is_some() && caller != Me::here().mark()
    }

    /// Waits until the probes changed after `seen`, or the pad flushes.
    fn wait_changed(&self, seen: u64) -> FlowResult {
        let mut blocked = self.blocked.lock();
        loop {
            if self.has(attention::RELEASED) {
                return Err(FlowError::NotLinked);
            }
            if self.is_flushing() {
                return Err(FlowError::Flushing);
            }
            if *blocked != seen {
                return Ok(());
            }
            blocked.wait("a blocking probe to be removed");
        }
    }

    /// After a push: probes that waited for the pad to be idle have their turn.
    #[inline]
    pub(super) fn after_push(&self) {
        if self.has(attention::IDLE) {
            self.run_idle_probes(None);
        }
    }

    /// Calls the idle probes, unless something is under way through the pad, or another thread calls them: that one sees
    /// to those that are added meanwhile. A source pad is idle when nobody streams in its peer; a sink pad only pulls
    /// and sends events up, which is not waited for.
    #[cold]
    fn run_idle_probes(&self, only: Option<ProbeId>) {
        let peer = match self.direction {
            Direction::Src => self.linked_peer(),
            Direction::Sink => None,
        };
        {
            let _streaming = match peer.as_ref().map(|peer| peer.stream_lock.try_lock()) {
                // Whoever is in there comes by here afterwards.
                Some(None) => return,
                Some(held) => held,
                None => None,
            };
            let mut list = self.probes.lock();
            let me = Me::here().mark();
            if let Some(caller) = list.idle_caller {
                list.is_idle_again |= only.is_none() && Some(caller) != me;
                return;
            }
            list.idle_caller = me;
        }
        let mut last = only.map_or(0, |only| only.0 - 1);
        loop {
            let next = {
                let mut list = self.probes.lock();
                let idle = list.probes.iter().filter(|probe| probe.mask.meets(ProbeType::IDLE));
                let next = idle.filter(|probe| probe.id.0 > last).min_by_key(|probe| probe.id.0);
                let next = next.cloned();
                if next.is_none() {
                    if std::mem::take(&mut list.is_idle_again) {
                        last = 0;
                        continue;
                    }
                    list.idle_caller = None;
                    self.clear_idle(&list);
                }
                next
            };
            let Some(probe) = next else { break };
            last = probe.id.0;
            if probe.call(&mut ProbeData::Idle) == ProbeReturn::Remove {
                self.uninstall_probe(probe.id);
            }
        }
        self.wake_blocked();
    }

    /// Takes the attention back that nothing asks for any more.
    fn clear_idle(&self, list: &List) {
        let is_idle = |probe: &Probe| probe.mask.meets(ProbeType::IDLE);
        if list.idle_caller.is_none() && !list.probes.iter().any(is_idle) {
            self.clear(attention::IDLE);
        }
    }
}

impl Probe {
    #[inline]
    fn wants(&self, what: ProbeType) -> bool {
        let kinds = ProbeType(what.0 & ProbeType::ALL_DATA.0);
        let is_flush = what.meets(ProbeType::EVENT_FLUSH);
        // A pull blocks before there is data to look at.
        let is_any_pull = what.meets(ProbeType::PULL) && what.meets(ProbeType::BLOCK);
        self.mask.meets(ProbeType(what.0 & ProbeType::SCHEDULING.0))
            && (is_any_pull || self.mask.meets(kinds))
            && (!is_flush || self.mask.meets(ProbeType::EVENT_FLUSH))
            && if what.meets(ProbeType::BLOCK) {
                self.mask.meets(ProbeType::BLOCK)
            } else {
                !self.mask.meets(ProbeType::BLOCKING)
            }
    }

    fn call(&self, data: &mut ProbeData<'_>) -> ProbeReturn {
        let lent = match data {
            ProbeData::Buffer(buf) => ProbeData::Buffer(buf),
            ProbeData::List(list) => ProbeData::List(list),
            ProbeData::Event(event) => ProbeData::Event(event),
            ProbeData::Query(query) => ProbeData::Query(query),
            ProbeData::Range { offset, size, buf } => {
                ProbeData::Range { offset: *offset, size: *size, buf }
            }
            ProbeData::Idle => ProbeData::Idle,
        };
        self.callback.call(lent)
    }
}

impl Callback {
    pub(super) fn new(function: ProbeCallback) -> Arc<Callback> {
        Arc::new(Callback { one_at_a_time: StreamLock::new(), function: UnsafeCell::new(function) })
    }

    pub(super) fn call(&self, data: ProbeData<'_>) -> ProbeReturn {
        // What the callback itself sends through the pad it is not asked about.
        let Ok(_mine) = self.one_at_a_time.lock() else { return ProbeReturn::Pass };
        // SAFETY: the lock above.
        (unsafe { &mut *self.function.get() })(data)
    }
}
