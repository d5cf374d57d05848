//! The way of a buffer through a row of transforms, walked in one loop instead of nested calls.
//!
//! ```text
//!   nested   src ▶ sink[A]src ▶ sink[B]src ▶ sink[C]        a frame of the stack for each, all there until C returns
//!   route    src │ A │ B ▶ sink[C]                          one loop; what each gives back is the next one's input
//! ```
//!
//! A role gives its output back instead of pushing it, so the host can go on with it itself. Whoever begins a
//! stretch (the task of a source or a queue, a tee's branch) keeps the row of transforms behind its pad, with
//! the C function of each, and makes for each step the same checks that the nested way makes: the link is
//! still that one, no bit of attention is set on either pad or on the element, the sink pad's stream lock is
//! free. An element without a role that lets buffers pass (a tee with one branch) is a step too, which is not called and
//! takes the lock of its source pad besides. Where anything at all is unusual the loop ends and the rest of the way is
//! nested, so each rare case exists once. All stream locks are held until the last one downstream has returned, as in nested calls.
//! Where nothing is unusual for a while, a cover stands for all these checks: see `covered`.
//!
//! Invariant: a route decides nothing; a buffer that is walked arrives with the same effects as one that is pushed.
//! In GStreamer: none; `gst_pad_push` nests.
//! Left out: lists, which are rare and nested; and simulations, in which a stream lock never leans, so that each lock
//! is a place where tasks switch.

mod covered;

use super::{PadCore, PadHandler, attention};
use crate::buffer::Buffer;
use crate::error::{FlowError, FlowResult};
use crate::plugin::abi::{GmBuffer, GmCx, GmFlowBuf};
use crate::runtime::{self, Attention, Me};
use crate::time::AbsoluteTime;
use covered::Covered;
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A transform's function, as the boundary has it.
pub(crate) type StageFn =
    unsafe extern "C" fn(*mut c_void, *const GmCx, *mut GmBuffer) -> GmFlowBuf;

/// What a route does in place of a handler's `chain`, and what tells that it may.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Call(Call),
    Forward(Forward),
}

/// A transform is called.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// The element's own function, its object and its context.
    pub call: StageFn,
    pub obj: *mut c_void,
    pub cx: *const GmCx,
    /// Not zero: properties or events wait for the element.
    pub attention: *const Attention,
    /// Of that context.
    pub state: *const StageState,
}

/// An element without a role lets buffers pass through its only source pad, of which the lock is taken too.
#[derive(Clone, Copy)]
pub(crate) struct Forward {
    /// Counts what may have changed that, and what it was when the element said so.
    pub changes: *const AtomicU32,
    pub seen: u32,
    /// A cover over this is torn after each such change.
    pub attention: *const Attention,
}

impl Forward {
    /// Whether the element would still say so.
    ///
    /// # Safety
    /// The element is alive.
    unsafe fn is_current(&self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { &*self.changes }.load(Ordering::Acquire) == self.seen
    }
}

/// What the owner of a called stage and a route tell each other. Under the sink pad's stream lock.
#[derive(Default)]
pub(crate) struct StageState {
    /// A call queued output, which is to go first.
    pub has_output: Cell<bool>,
    /// The next buffer needs nothing but the call.
    pub is_plain: Cell<bool>,
    /// How often the count began anew.
    restarts: AtomicU32,
    /// Buffers that came through it.
    processed: AtomicU64,
}

impl StageState {
    /// Buffers that came through, but for those of walks that nothing interrupted since.
    pub fn processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed)
    }

    /// Some more came. Streaming.
    #[inline]
    pub fn came(&self, buffers: u64) {
        self.processed.store(self.processed() + buffers, Ordering::Relaxed);
    }

    /// None has come.
    pub fn restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.processed.store(0, Ordering::Relaxed);
        self.is_plain.set(false);
    }
}

/// Walks in a row with nothing unusual before a cover is laid over a row; doubled for each cover that was torn.
const HABIT: u32 = if cfg!(gst_mini_shuttle) { 1 } else { 32 };
const MOST_HABIT: u32 = if cfg!(gst_mini_shuttle) { 1 } else { 1 << 12 };
/// Walks farther apart than this, ns, gain nothing by a cover: what it spares is less than what a wait costs.
const SELDOM: u64 = 1_000_000;

/// What came of a walk.
pub(super) enum Walked {
    /// The buffer is gone. `is_current`: the links are as they were when the route was found.
    Done { flow: FlowResult, is_current: bool },
    /// The first step is not to be made in the loop.
    NotBegun { buf: Buffer, is_current: bool },
}

/// One element that is walked through.
struct Hop {
    sink: *const PadCore,
    src: *const PadCore,
    stage: Stage,
    /// How many locks come before its own in the row.
    place: usize,
}

/// What came of entering a hop.
#[derive(PartialEq)]
enum Entry {
    Entered,
    /// Something is unusual. No lock is taken.
    Unusual,
    /// It does not lead there any more. No lock is taken.
    Stale,
}

/// A row of transforms behind a source pad, and what comes behind them.
pub(super) struct Route {
    hops: Box<[Hop]>,
    /// Keep what the hops point to.
    owners: Box<[(Arc<PadCore>, Arc<dyn PadHandler>, Arc<PadCore>)]>,
    /// Where the row ends: a sink, a queue, whatever has to be pushed to.
    end: Option<(Arc<PadCore>, Arc<dyn PadHandler>)>,
    /// The locks of all hops.
    places: usize,
    /// Of the thread that walks.
    covering: UnsafeCell<Covering>,
}

/// Whether the row has a cover, or will have one.
struct Covering {
    covered: Option<Covered>,
    /// Walks in a row that met nothing unusual.
    walks: u32,
    /// How many there must be.
    wanted: u32,
    /// When the count began.
    counted_at: AbsoluteTime,
}

impl Covering {
    /// The next cover is for later.
    fn put_off(&mut self) {
        self.wanted = self.wanted.saturating_mul(2).min(MOST_HABIT);
        self.walks = 0;
    }
}

/// Longer rows are walked piece by piece: the rest is nested, and begins a route of its own nowhere.
const LONGEST: usize = 1 << 16;

impl Route {
    /// The row behind `root`, as far as its links are settled. Under the locks of who pushes through `root`.
    pub fn find(root: &PadCore) -> Route {
        let (mut hops, mut owners, mut held) = (Vec::new(), Vec::new(), Vec::new());
        let (mut end, mut places) = (None, 0);
        let mut from: *const PadCore = root;
        while hops.len() < LONGEST {
            // SAFETY: `root`, or kept by `owners`.
            let src = unsafe { &*from };
            if src.has(!(attention::RECONFIGURE | attention::PROBES)) {
                break;
            }
            // SAFETY: who pushes through it is this thread, or holds the lock of the pad before, which is `held`.
            let Some(link) = (unsafe { &*src.link.get() }) else { break };
            // Whoever is in there is not us: it is looked at again another time.
            let Some(streaming) = link.peer.stream_lock.try_lock() else { break };
            let sink = Arc::as_ptr(&link.peer);
            if hops.iter().any(|hop: &Hop| ptr::eq(hop.sink, sink)) {
                break;
            }
            let Some((stage, onward)) = link.handler.stage(&link.peer) else {
                end = Some((link.peer.clone(), link.handler.clone()));
                break;
            };
            let src = Arc::as_ptr(&onward);
            if matches!(stage, Stage::Forward(_)) {
                // SAFETY: `owners` keeps it longer than this is held.
                let Some(pushing) = (unsafe { &*src }).stream_lock.try_lock() else { break };
                held.push(pushing);
            }
            held.push(streaming);
            hops.push(Hop { sink, src, stage, place: places });
            owners.push((link.peer.clone(), link.handler.clone(), onward));
            places += stage.locks();
            from = src;
        }
        let covering = UnsafeCell::new(Covering {
            covered: None,
            walks: 0,
            wanted: HABIT,
            counted_at: runtime::now(),
        });
        Route { hops: hops.into(), owners: owners.into(), end, places, covering }
    }

    /// Whether it leads anywhere.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty() && self.end.is_none()
    }

    /// Walks a buffer from `root`, whose own attention was looked at, where no cover lies. Lays one if it is time to.
    ///
    /// # Safety
    /// As [`PadCore::push`] on `root`.
    #[cold]
    pub unsafe fn walk(&self, root: &PadCore, buf: Buffer) -> Walked {
        self.look_up();
        self.cover_if_due();
        // SAFETY: the caller's promise.
        unsafe {
            match self.walk_covered(buf) {
                Ok(flow) => Walked::Done { flow, is_current: true },
                Err(buf) => self.walk_looking(root, buf),
            }
        }
    }

    /// A walk that met nothing unusual begins or is over: after some of them a cover is laid.
    #[inline]
    fn was_usual(&self) {
        // SAFETY: of the thread that walks; nothing of it is borrowed.
        unsafe { &mut *self.covering.get() }.walks += 1;
    }

    /// Lays a cover if there were enough usual walks.
    fn cover_if_due(&self) {
        // SAFETY: of the thread that walks; nothing of it is borrowed.
        let covering = unsafe { &mut *self.covering.get() };
        if let Some(covered) = &covering.covered {
            if covered.cover.is_whole() {
                return;
            }
            covering.covered = None;
            covering.put_off();
        }
        if covering.walks < covering.wanted {
            return;
        }
        let now = runtime::now();
        let took = now.since(covering.counted_at).nanos();
        (covering.walks, covering.counted_at) = (0, now);
        if took > SELDOM * u64::from(covering.wanted) && !cfg!(gst_mini_shuttle) {
            return;
        }
        covering.covered = self.lay();
        if covering.covered.is_none() {
            covering.put_off();
        }
    }

    /// Walks a buffer, looking at each pad on the way.
    ///
    /// # Safety
    /// As [`Route::walk`].
    unsafe fn walk_looking(&self, root: &PadCore, buf: Buffer) -> Walked {
        if self.hops.is_empty() {
            self.was_usual();
            return Walked::NotBegun { buf, is_current: true };
        }
        let me = Me::here();
        let mut entered = Entered { route: self, hops: 0 };
        let mut buf = buf;
        let mut src = root;
        let mut is_current = true;
        let mut is_probed = false;
        let flow = loop {
            let bits = src.attention.get() & !attention::RECONFIGURE;
            if entered.hops > 0 && bits == attention::PROBES {
                let stopped = src.probe_pushed(&mut buf);
                if let Err(flow) = stopped {
                    src.remember(flow);
                    break flow;
                }
                is_probed = true;
            }
            let Some(hop) = self.hops.get(entered.hops) else {
                // SAFETY: the lock of the pad before is held.
                break unsafe { if is_probed { src.push_probed(buf) } else { src.push(buf) } };
            };
            // SAFETY: the link is for who pushes through `src`, which is this thread.
            is_current = unsafe { src.leads_to(hop.sink) };
            // SAFETY: `owners` keeps what a hop points to; the links were looked at.
            let entry = if is_current { unsafe { hop.enter(src, me) } } else { Entry::Stale };
            is_current = entry != Entry::Stale;
            if entry != Entry::Entered {
                if entered.hops == 0 {
                    // A push through `root` may change its link, which keeps this route.
                    return Walked::NotBegun { buf, is_current };
                }
                // SAFETY: the lock of the pad before is held.
                break unsafe { if is_probed { src.push_probed(buf) } else { src.push(buf) } };
            }
            entered.hops += 1;
            is_probed = false;
            let Stage::Call(stage) = &hop.stage else {
                // SAFETY: `owners` keeps it.
                src = unsafe { &*hop.src };
                continue;
            };
            // SAFETY: an object of its factory with its own context, under the stream lock; the buffer's
            // reference moves.
            let given = unsafe { (stage.call)(stage.obj, stage.cx, buf.into_raw()) };
            // SAFETY: of the context, which `owners` keeps.
            if given.code == 0 && !unsafe { &*stage.state }.has_output.get() {
                // SAFETY: with code 0 the buffer is ours.
                if let Some(given) = unsafe { Buffer::from_raw(given.buf) } {
                    // SAFETY: `owners` keeps it.
                    (buf, src) = (given, unsafe { &*hop.src });
                    continue;
                }
            }
            let (sink, handler, _) = &self.owners[entered.hops - 1];
            break handler.resume(sink, given);
        };
        let is_usual = entered.hops == self.hops.len() && flow.is_ok();
        entered.leave(flow);
        if is_usual {
            self.was_usual();
        }
        Walked::Done { flow, is_current }
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        self.look_up();
    }
}

impl Stage {
    /// Bits of its source pad that mean nothing to it: an element without a role does not negotiate.
    fn usual(&self) -> u32 {
        match self {
            Stage::Call(_) => 0,
            Stage::Forward(_) => attention::RECONFIGURE,
        }
    }

    /// How many stream locks it takes.
    fn locks(&self) -> usize {
        match self {
            Stage::Call(_) => 1,
            Stage::Forward(_) => 2,
        }
    }
}

impl Hop {
    /// Makes the checks of a push through `from` into this element, and takes its locks.
    ///
    /// # Safety
    /// What the hop points to is alive, and this thread streams through `from`.
    #[inline]
    unsafe fn enter(&self, from: &PadCore, me: Me) -> Entry {
        if from.attention.get() & !(attention::RECONFIGURE | attention::PROBES) != 0 {
            return Entry::Unusual;
        }
        // SAFETY: the caller's promise.
        let (sink, src) = unsafe { (&*self.sink, &*self.src) };
        if !sink.stream_lock.enter(me) {
            return Entry::Unusual;
        }
        let behind = src.attention.get() & !self.stage.usual();
        let bits = sink.attention.get() | behind & !attention::PROBES;
        let entry = match &self.stage {
            _ if bits != 0 => Entry::Unusual,
            Stage::Call(stage) => {
                // SAFETY: the caller's promise; under the stream lock.
                let (waiting, state) = unsafe { (&*stage.attention, &*stage.state) };
                if waiting.get() == 0 && state.is_plain.get() {
                    state.came(1);
                    return Entry::Entered;
                }
                Entry::Unusual
            }
            // SAFETY: the caller's promise.
            Stage::Forward(stage) if !unsafe { stage.is_current() } => Entry::Stale,
            Stage::Forward(_) if src.stream_lock.enter(me) => return Entry::Entered,
            Stage::Forward(_) => Entry::Unusual,
        };
        sink.stream_lock.leave();
        entry
    }

    /// Gives its locks back.
    ///
    /// # Safety
    /// What the hop points to is alive, and this thread is in it.
    #[inline]
    unsafe fn leave(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Stage::Forward(_) = self.stage {
                (*self.src).stream_lock.leave();
            }
            (*self.sink).stream_lock.leave();
        }
    }
}

impl PadCore {
    /// Whether the streaming thread pushes to that pad.
    ///
    /// # Safety
    /// For who pushes through this pad.
    #[inline]
    unsafe fn leads_to(&self, sink: *const PadCore) -> bool {
        // SAFETY: the caller's promise.
        unsafe { &*self.link.get() }.as_ref().is_some_and(|link| Arc::as_ptr(&link.peer) == sink)
    }
}

/// The hops whose stream locks are held.
struct Entered<'a> {
    route: &'a Route,
    hops: usize,
}

impl Entered<'_> {
    /// What each pad does after a push, the last first. The last one's own pad has done it: its push was nested.
    #[inline]
    fn leave(mut self, flow: FlowResult) {
        let code = flow.map_or_else(FlowError::code, |()| 0);
        let route = self.route;
        let Some((last, others)) = route.hops[..self.hops].split_last() else { return };
        // SAFETY: `owners` keeps what a hop points to.
        unsafe { last.leave() };
        self.hops -= 1;
        for hop in others.iter().rev() {
            // SAFETY: as above.
            let src = unsafe { &*hop.src };
            src.remember_code(code);
            // An application's probe may panic in there: then `drop` does the rest.
            src.after_push();
            // SAFETY: as above.
            unsafe { hop.leave() };
            self.hops -= 1;
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // A panic of the host itself: the locks must not stay.
        for hop in self.route.hops[..self.hops].iter().rev() {
            // SAFETY: `owners` keeps them.
            unsafe { hop.leave() };
        }
    }
}
