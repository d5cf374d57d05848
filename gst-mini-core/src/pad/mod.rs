//! A [`Pad`] is where an element's data goes in or out; two of them, linked, are one step of a stream.
//!
//! ```text
//!        element A                                   element B
//!   ┌──────────────┐  push   ┌─────┐       ┌──────┐  chain  ┌─────────────┐
//!   │ its callback ├────────▶│ src ├──────▶│ sink ├────────▶│ its handler │
//!   └──────────────┘         └─────┘ link  └──────┘ stream  └─────────────┘
//!                              sticky        lock, sticky
//! ```
//!
//! A source pad remembers its sticky events and replays them to whoever is linked. A sink pad has
//! the stream lock: one buffer or serialized event at a time goes through it. Whatever is rare is a
//! bit in one attention word, read once per push.
//!
//! Invariant: a pad does not know elements exist; it calls a [`PadHandler`]. Flushing is a flag
//! outside the stream lock, so it reaches a thread that is blocked under it.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_push`, `gst_pad_chain_data_unchecked`, `gst_pad_send_event_unchecked`).
//! Left out: nothing.

mod activation;
mod events;
mod flow;
mod ghost;
mod link;
mod moved;
mod probe;
mod pull;
pub(crate) mod route;
mod sticky;

pub use link::LinkError;
pub use probe::{ProbeCallback, ProbeData, ProbeId, ProbeReturn, ProbeType};

use crate::buffer::{Buffer, BufferList};
use crate::caps::Caps;
use crate::cx::PadId;
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::Event;
use crate::plugin::abi::{GmFlowBuf, GmPassed};
use crate::query::Query;
use crate::runtime::prim::Mutex;
use crate::runtime::{self, Attention, Monitor, StreamLock};
use crate::segment::Segment;
use route::{Route, Stage};
use std::any::Any;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// What a pad's owner does with what arrives. Called by pads; implemented by the bases.
#[allow(private_interfaces, reason = "a stage is between the bases and this module")]
pub trait PadHandler: Send + Sync {
    /// A buffer arrived at a sink pad. Streaming thread, stream lock held.
    fn chain(&self, pad: &PadCore, buf: Buffer) -> FlowResult;
    /// Buffers arrived in one go. As `chain`; what does not care gets them one by one.
    fn chain_list(&self, pad: &PadCore, list: BufferList) -> FlowResult {
        pad.chain_each(list, |buf| self.chain(pad, buf))
    }
    /// An event arrived: downstream at a sink pad (stream lock held if it is serialized), upstream
    /// at a source pad (any thread).
    fn event(&self, pad: &PadCore, event: Event) -> FlowResult;
    /// A query arrived at a pad. Any thread.
    fn query(&self, pad: &PadCore, query: &mut Query) -> bool;
    /// A range of bytes is wanted from a source pad in pull mode. Short only at the end; nothing there:
    /// Eos. Thread of who pulls, stream lock of the pad held.
    fn get_range(&self, pad: &PadCore, offset: u64, size: u32) -> FlowResult<Buffer> {
        let _ = (pad, offset, size);
        Err(FlowError::NotSupported)
    }
    /// [`PadCore::activate_mode`] reached the pad: what its owner has to do for it, before it is active and
    /// after it stopped to be. `false` refuses. Control.
    fn switch(&self, pad: &PadCore, mode: PadMode, active: bool) -> bool {
        mode == PadMode::Push || !active || pad.direction() == Direction::Sink
    }
    /// The pad has a new format: a source pad before downstream hears of it, a sink pad after its element
    /// took it. Streaming thread.
    fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        let _ = (pad, caps);
    }
    /// What may be done in place of `chain`, with the pad through which goes on what comes of it; `None`:
    /// nothing. Stream lock held.
    fn stage(&self, pad: &PadCore) -> Option<(Stage, Arc<PadCore>)> {
        let _ = pad;
        None
    }
    /// Where the host counts what it passes on in place of a call of the stage; null: it is to call. Stream lock held.
    fn passing(&self, pad: &PadCore) -> *mut GmPassed {
        let _ = pad;
        std::ptr::null_mut()
    }
    /// Goes on behind a call of the stage that gave back something unusual. Stream lock held.
    fn resume(&self, pad: &PadCore, given: GmFlowBuf) -> FlowResult {
        let _ = (pad, given);
        Err(FlowError::NotSupported)
    }
    /// Something is wrong that only the pad can see; its owner says so in its own name.
    fn report(&self, error: ElementError) {
        let _ = error;
    }
    /// Where what arrives at a sink pad goes on, to follow a refusal to where it began.
    fn onward(&self, pad: &PadCore) -> Vec<Arc<PadCore>> {
        let _ = pad;
        Vec::new()
    }
}

/// What source pads and sink pads share.
pub trait Pad: Send + Sync {
    /// Name within its element.
    fn name(&self) -> &str;
    /// `element:pad`, as logs and errors show it.
    fn path(&self) -> String;
    /// Which way data goes through it.
    fn direction(&self) -> Direction;
    /// The formats it could ever have.
    fn template_caps(&self) -> Caps;
    /// The format it has now.
    fn current_caps(&self) -> Option<Caps>;
    /// The pad it is linked to; for the target of a ghost pad, that ghost pad.
    fn peer(&self) -> Option<Arc<PadCore>>;
    /// Asks this pad's owner. Any thread.
    fn query(&self, query: &mut Query) -> bool;
    /// Asks the owner of the pad this one is linked to. Any thread.
    fn peer_query(&self, query: &mut Query) -> bool;
    /// Looks at, drops or blocks what passes.
    fn add_probe(&self, mask: ProbeType, callback: ProbeCallback) -> ProbeId;
    /// Takes a probe away; a thread blocked by it goes on.
    fn remove_probe(&self, id: ProbeId);
}

/// Bits of the attention word.
pub(crate) mod attention {
    /// Nothing passes: inactive or flushing.
    pub const FLUSHING: u32 = 1;
    /// EOS went through.
    pub const EOS: u32 = 2;
    /// There are probes.
    pub const PROBES: u32 = 4;
    /// A sticky event has not been taken by the peer.
    pub const STICKY: u32 = 8;
    /// The link changed since the streaming thread looked.
    pub const RELINK: u32 = 16;
    /// Downstream asked for a new format.
    pub const RECONFIGURE: u32 = 32;
    /// There are probes that wait for the pad to be idle.
    pub const IDLE: u32 = 64;
    /// The link was moved to another pad: who comes here by the old one turns round.
    pub const MOVED: u32 = 128;
    /// The pad was given back: who pushes through it still finds nobody behind it.
    pub const RELEASED: u32 = 256;
}

/// How data goes through a pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PadMode {
    /// Not at all: the pad is not active.
    None = 0,
    /// The source pad pushes.
    Push = 1,
    /// The sink pad pulls.
    Pull = 2,
}

impl PadMode {
    const fn from_raw(raw: u8) -> PadMode {
        match raw {
            1 => PadMode::Push,
            2 => PadMode::Pull,
            _ => PadMode::None,
        }
    }

    /// GStreamer's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            PadMode::None => "none",
            PadMode::Push => "push",
            PadMode::Pull => "pull",
        }
    }
}

/// The far end of a link as the streaming thread uses it.
struct Link {
    peer: Arc<PadCore>,
    handler: Arc<dyn PadHandler>,
    /// The row of transforms from here on, for a pad that begins one.
    route: Option<Box<Route>>,
    /// Pushes since there was one, or none was found.
    since: u32,
    /// When they were last found to be enough, in about milliseconds; it wraps.
    counted_at: u32,
}

/// A pad. What each buffer touches comes first, so that it lies in one cache line or two. (Aligned to a line a pad took up a
/// sixth more, and hops were no faster for it.)
#[repr(C)]
pub struct PadCore {
    attention: Attention,
    last_flow: AtomicI32,
    /// Source pads only: what `push` goes through. Touched by the streaming thread alone; `peer` is
    /// the truth, and RELINK says that this copy is old.
    link: UnsafeCell<Option<Link>>,
    /// Sink pads: held during chain and serialized events. Source pads of elements without a role:
    /// held during their pushes.
    stream_lock: StreamLock,
    id: PadId,
    mode: AtomicU8,
    direction: Direction,
    /// Without a template: what it has had first is all it can have.
    is_bare: bool,
    name: Arc<str>,
    owner: Arc<str>,
    template_caps: Caps,
    handler: OnceLock<Weak<dyn PadHandler>>,
    /// What is added to the running time of what passes, ns.
    offset: AtomicI64,
    peer: Mutex<Peer>,
    stored: Mutex<sticky::Store>,
    probes: Mutex<probe::List>,
    /// Threads held by a blocking probe wait here; a flush or a removal bumps it.
    blocked: Monitor<u64>,
    /// Pads of bins only.
    ghost: Option<Box<ghost::Ghost>>,
    /// What the owner keeps from one streaming call to the next, so that none has to make it anew.
    scratch: UnsafeCell<Option<Box<dyn Any + Send>>>,
}

/// A source pad keeps its peer alive, not the other way round: so no cycle.
enum Peer {
    None,
    Sink(Arc<PadCore>),
    Src(Weak<PadCore>),
    /// The ghost pad that stands for this one: the link goes on where that one's does.
    Ghost(Weak<PadCore>),
}

// SAFETY: `link` is only touched by `push`, whose contract is one streaming thread at a time, and
// `scratch` only under the stream lock.
unsafe impl Sync for PadCore {}
// SAFETY: as above; all other parts are `Send`.
unsafe impl Send for PadCore {}

impl PadCore {
    /// A pad of element `owner`, inactive and unlinked.
    pub fn new(
        id: PadId,
        owner: impl Into<Arc<str>>,
        name: &str,
        direction: Direction,
        template_caps: Caps,
    ) -> Arc<PadCore> {
        Arc::new(PadCore::make(id, owner.into(), name, direction, template_caps))
    }

    /// A pad without a template, of no element: it can have any format until it has one.
    pub fn bare(name: &str, direction: Direction) -> Arc<PadCore> {
        let any = Caps::any();
        let mut pad = PadCore::make(PadId(0), "".into(), name, direction, any);
        pad.is_bare = true;
        Arc::new(pad)
    }

    fn make(
        id: PadId,
        owner: Arc<str>,
        name: &str,
        direction: Direction,
        template_caps: Caps,
    ) -> PadCore {
        PadCore {
            id,
            name: crate::names::shared(name),
            owner,
            direction,
            template_caps,
            is_bare: false,
            handler: OnceLock::new(),
            attention: Attention::new(attention::FLUSHING),
            last_flow: AtomicI32::new(FlowError::Flushing.code()),
            mode: AtomicU8::new(PadMode::None as u8),
            offset: AtomicI64::new(0),
            link: UnsafeCell::new(None),
            peer: Mutex::new(Peer::None),
            stored: Mutex::default(),
            probes: Mutex::default(),
            blocked: Monitor::new(0),
            stream_lock: StreamLock::new(),
            ghost: None,
            scratch: UnsafeCell::new(None),
        }
    }

    /// Says who handles what arrives; once, before the pad is activated.
    pub fn set_handler(&self, handler: Weak<dyn PadHandler>) {
        // A second handler would mean two owners; the first one stays.
        let _ = self.handler.set(handler);
    }

    fn handler(&self) -> Option<Arc<dyn PadHandler>> {
        self.handler.get()?.upgrade()
    }

    /// Number within its element.
    pub fn id(&self) -> PadId {
        self.id
    }

    /// Name of the element it belongs to.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Whether there is stack for one more nested call; says so if there is not.
    fn may_go_deeper(&self) -> bool {
        runtime::has_stack() || self.is_too_deep()
    }

    #[cold]
    fn is_too_deep(&self) -> bool {
        if let Some(handler) = self.handler() {
            let text = format!(
                "{} comes after more elements than fit the stack of one thread; make the chain shorter, or \
                 divide it among several pipelines",
                self.path()
            );
            handler.report(ElementError::new(ErrorKind::Core, text));
        }
        false
    }

    /// Whether the bits are set.
    pub(crate) fn has(&self, bits: u32) -> bool {
        self.attention.get() & bits != 0
    }

    fn raise(&self, bits: u32) {
        self.attention.raise(bits);
    }

    fn clear(&self, bits: u32) -> bool {
        self.attention.clear(bits) & bits != 0
    }

    /// Whether downstream asked for a new format since the last call.
    pub(crate) fn take_reconfigure(&self) -> bool {
        self.has(attention::RECONFIGURE) && self.clear(attention::RECONFIGURE)
    }

    /// Asks for a new negotiation before the next buffer.
    pub(crate) fn mark_reconfigure(&self) {
        self.raise(attention::RECONFIGURE);
    }

    /// What the last push from this pad came to; flushing while it is not active.
    pub fn last_flow(&self) -> FlowResult {
        if let Some(target) = self.ghost_target() {
            return target.last_flow();
        }
        FlowError::from_code(self.last_flow.load(Ordering::Relaxed))
    }

    /// The source pads through which what arrives here goes on.
    pub(crate) fn onward(&self) -> Vec<Arc<PadCore>> {
        self.handler().map_or(Vec::new(), |handler| handler.onward(self))
    }

    /// Segment this pad has now.
    pub fn segment(&self) -> Option<Segment> {
        if let Some(target) = self.ghost_target() {
            return target.segment();
        }
        self.stored.lock().segment()
    }

    /// The sticky events of this pad, in their order.
    pub fn sticky_events(&self) -> Vec<Event> {
        if let Some(target) = self.ghost_target() {
            return target.sticky_events();
        }
        self.stored.lock().events()
    }

    /// The sticky event in that place.
    pub(crate) fn sticky_event(&self, at: usize) -> Option<Event> {
        self.stored.lock().event(at)
    }

    /// A place for the owner's own things.
    ///
    /// # Safety
    /// Under the pad's stream lock, one use at a time.
    #[allow(clippy::mut_from_ref, reason = "the stream lock makes it sole")]
    pub(crate) unsafe fn scratch(&self) -> &mut Option<Box<dyn Any + Send>> {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.scratch.get() }
    }

    /// The lock that one streaming call at a time holds.
    pub(crate) fn stream_lock(&self) -> &StreamLock {
        &self.stream_lock
    }
}

impl Pad for PadCore {
    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> String {
        format!("{}:{}", self.owner, self.name)
    }
    fn direction(&self) -> Direction {
        self.direction
    }
    fn template_caps(&self) -> Caps {
        self.template_caps.clone()
    }
    fn current_caps(&self) -> Option<Caps> {
        if let Some(target) = self.ghost_target() {
            return target.current_caps();
        }
        self.stored.lock().caps()
    }
    fn peer(&self) -> Option<Arc<PadCore>> {
        self.nominal_peer()
    }
    fn query(&self, query: &mut Query) -> bool {
        self.answer(query)
    }
    fn peer_query(&self, query: &mut Query) -> bool {
        self.ask_peer(query)
    }
    fn add_probe(&self, mask: ProbeType, callback: ProbeCallback) -> ProbeId {
        let callback = probe::Callback::new(callback);
        match &self.ghost {
            Some(ghost) => self.install_ghost_probe(ghost, mask, callback),
            None => self.install_probe(mask, callback),
        }
    }
    fn remove_probe(&self, id: ProbeId) {
        match &self.ghost {
            Some(ghost) => self.uninstall_ghost_probe(ghost, id),
            None => self.uninstall_probe(id),
        }
    }
}
