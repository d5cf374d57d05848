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
//! free. Under a cover, an element that said it only passes buffers on is not even called: they are counted for it. Where anything at all is unusual the loop ends and the rest of the way is nested, so each rare case
//! exists once. All stream locks are held until the last one downstream has returned, as in nested calls.
//!
//! Invariant: a route decides nothing; a buffer that is walked arrives with the same effects as one that is pushed.
//! In GStreamer: none; `gst_pad_push` nests.
//! Left out: lists, which are rare and nested; and simulations, in which a stream lock never leans, so that each lock
//! is a place where tasks switch.

use super::probe::{Outcome, Probe};
use super::{PadCore, PadHandler, ProbeData, ProbeType, attention};
use crate::buffer::{Buffer, count_passed};
use crate::error::{FlowError, FlowResult};
use crate::plugin::abi::{GM_PASSED_UNCOUNTED, GmBuffer, GmCx, GmFlowBuf, GmPassed};
use crate::runtime::{self, Attention, Cover, Me, Walk};
use crate::time::AbsoluteTime;
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::hint::cold_path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A transform's function, as the boundary has it.
pub(crate) type StageFn =
    unsafe extern "C" fn(*mut c_void, *const GmCx, *mut GmBuffer) -> GmFlowBuf;

/// What asks a transform whether the host may pass buffers on by itself, as the boundary has it.
pub(crate) type PassesFn = unsafe extern "C" fn(*mut c_void, *const GmCx) -> *mut GmPassed;

/// What a route calls in place of a handler's `chain`, and what tells that it may.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    /// The element's own function, its object and its context.
    pub call: StageFn,
    pub passes: Option<PassesFn>,
    pub obj: *mut c_void,
    pub cx: *const GmCx,
    /// Not zero: properties or events wait for the element.
    pub attention: *const Attention,
    /// Of that context.
    pub state: *const StageState,
}

/// What the owner of a stage and a route tell each other. Under the sink pad's stream lock.
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

/// One transform.
struct Hop {
    sink: *const PadCore,
    src: *const PadCore,
    stage: Stage,
}

/// What a walk under a cover does next.
enum Step {
    /// Calls an element.
    Call { call: StageFn, obj: *mut c_void, cx: *const GmCx, state: *const StageState },
    /// Goes through `hops` elements that need not be called, and counts for those that want it.
    Pass { hops: usize, counted: Vec<*mut GmPassed> },
    /// Runs the probes of a source pad.
    Probe { src: *const PadCore, probes: Arc<[Probe]> },
}

impl Step {
    /// Adds what is done at one more hop.
    fn add(
        steps: &mut Vec<Step>,
        Stage { call, obj, cx, state, .. }: Stage,
        passed: *mut GmPassed,
    ) {
        if passed.is_null() {
            steps.push(Step::Call { call, obj, cx, state });
            return;
        }
        if !matches!(steps.last(), Some(Step::Pass { .. })) {
            steps.push(Step::Pass { hops: 0, counted: Vec::new() });
        }
        if let Some(Step::Pass { hops, counted }) = steps.last_mut() {
            *hops += 1;
            counted.extend((passed.addr() != GM_PASSED_UNCOUNTED).then_some(passed));
        }
    }
}

/// A row of transforms behind a source pad, and what comes behind them.
pub(super) struct Route {
    hops: Box<[Hop]>,
    /// Keep what the hops point to.
    owners: Box<[(Arc<PadCore>, Arc<dyn PadHandler>, Arc<PadCore>)]>,
    /// Where the row ends: a sink, a queue, whatever is no transform.
    end: Option<(Arc<PadCore>, Arc<dyn PadHandler>)>,
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

/// How far a walk is: in so many places, with this buffer.
struct Way {
    depth: usize,
    buf: *mut GmBuffer,
    /// The probes of the source pad that it came to have seen it.
    is_probed: bool,
}

/// A cover, and all that a walk under it touches.
struct Covered {
    cover: Arc<Cover>,
    steps: Vec<Step>,
    /// The end of the row; `owners` and `end` of the route keep it.
    end: Option<(*const PadCore, *const dyn PadHandler)>,
    /// Walks through all of the row, of which the hops do not know yet.
    walked: Cell<u64>,
    /// Of each hop [`StageState::restarts`] when the cover was laid.
    restarts: Vec<u32>,
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
        let mut end = None;
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
            hops.push(Hop { sink, src, stage });
            owners.push((link.peer.clone(), link.handler.clone(), onward));
            from = src;
            held.push(streaming);
        }
        let covering = UnsafeCell::new(Covering {
            covered: None,
            walks: 0,
            wanted: HABIT,
            counted_at: runtime::now(),
        });
        Route { hops: hops.into(), owners: owners.into(), end, covering }
    }

    /// Whether it leads anywhere.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty() && self.end.is_none()
    }

    /// Walks a buffer from `root`, whose own attention was looked at, if a cover lies over the row: nothing in it is
    /// unusual until that is torn. The error gives the buffer back: nothing was done.
    ///
    /// # Safety
    /// As [`PadCore::push`] on `root`, whose route this is.
    #[inline]
    pub unsafe fn walk_covered(&self, buf: Buffer) -> Result<FlowResult, Buffer> {
        // SAFETY: of the thread that walks, which comes back here only when it is through.
        let Some(covered) = (unsafe { &(*self.covering.get()).covered }) else { return Err(buf) };
        let cover = &*covered.cover;
        if !cover.is_whole() {
            return Err(buf);
        }
        Walk::along(cover, |walk| {
            let mut way = Way { depth: 0, buf: buf.into_raw(), is_probed: false };
            let mut over = None;
            if !covered.steps.is_empty() {
                over = self.walk_steps(covered, walk, &mut way);
            }
            let flow = match over {
                Some(flow) => flow,
                None if covered.end.is_some() && walk.enter(way.depth, way.depth + 1) => {
                    way.depth += 1;
                    covered.arrive(way.buf)
                }
                None => {
                    cold_path();
                    // SAFETY: the reference is ours.
                    let buf = unsafe { Buffer::from_raw(way.buf) };
                    let buf = buf.expect("what is walked is there");
                    if way.depth == 0 {
                        return Err(buf);
                    }
                    self.push_on(&way, buf)
                }
            };
            self.count_walk(covered, way.depth);
            self.leave(cover, walk, way.depth, flow);
            Ok(flow)
        })
    }

    /// Walks through the transforms of the row, as far as the cover holds. `Some`: what it came to, as it does not go
    /// on from there.
    #[inline(never)]
    fn walk_steps(&self, covered: &Covered, walk: &Walk<'_>, way: &mut Way) -> Option<FlowResult> {
        let Way { mut depth, mut buf, .. } = *way;
        let mut is_probed = false;
        for step in &covered.steps {
            let hops = match step {
                Step::Call { .. } => 1,
                Step::Pass { hops, .. } => *hops,
                Step::Probe { .. } => 0,
            };
            if !walk.enter(depth, depth + hops) {
                break;
            }
            depth += hops;
            is_probed = false;
            match step {
                // SAFETY: the elements keep where they count; under the stream locks.
                Step::Pass { counted, .. } => unsafe { count_passed(counted, buf) },
                Step::Probe { src, probes } => {
                    // SAFETY: `owners` keeps it; the reference is ours.
                    let (src, mut lent) = unsafe { (&**src, Buffer::from_raw(buf)) };
                    let Some(probed) = &mut lent else { break };
                    let what = ProbeType::BUFFER | ProbeType::PUSH;
                    let outcome = src.run_passing(probes, what, &mut ProbeData::Buffer(probed));
                    let flow = match outcome {
                        Outcome::Go => None,
                        Outcome::Dropped => Some(Ok(())),
                        Outcome::Handled(flow) => Some(flow),
                    };
                    if let Some(flow) = flow {
                        src.remember(flow);
                        way.depth = depth;
                        return Some(flow);
                    }
                    buf = lent.map_or(ptr::null_mut(), Buffer::into_raw);
                    is_probed = true;
                }
                Step::Call { call, obj, cx, state } => {
                    // SAFETY: an object of its factory with its own context, under the stream lock; the buffer's
                    // reference moves.
                    let given = unsafe { call(*obj, *cx, buf) };
                    // SAFETY: `owners` keeps it; under the stream lock.
                    let has_output = unsafe { &**state }.has_output.get();
                    if given.code != 0 || given.buf.is_null() || has_output {
                        cold_path();
                        way.depth = depth;
                        return Some(self.resume(&covered.cover, depth - 1, given));
                    }
                    buf = given.buf;
                }
            }
        }
        *way = Way { depth, buf, is_probed };
        None
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

    /// A walk under a cover came through the first `depth` places.
    #[inline]
    fn count_walk(&self, covered: &Covered, depth: usize) {
        if depth >= self.hops.len() {
            covered.walked.set(covered.walked.get() + 1);
        } else {
            self.came(&covered.restarts[..depth], 1);
        }
    }

    /// So many buffers came through the first hops, since the cover was laid.
    #[cold]
    fn came(&self, restarts: &[u32], buffers: u64) {
        for (hop, restarts) in self.hops.iter().zip(restarts) {
            // SAFETY: `owners` keeps it.
            let state = unsafe { &*hop.stage.state };
            if state.restarts.load(Ordering::Relaxed) == *restarts {
                state.processed.fetch_add(buffers, Ordering::Relaxed);
            }
        }
    }

    /// Lets each hop know what came through it on walks under a cover, before a buffer goes another way.
    pub fn look_up(&self) {
        // SAFETY: of the thread that walks, which is not walking now.
        if let Some(covered) = unsafe { &(*self.covering.get()).covered } {
            self.came(&covered.restarts, covered.walked.take());
        }
    }

    /// Pushes on what came through some hops.
    fn push_on(&self, way: &Way, buf: Buffer) -> FlowResult {
        // SAFETY: `owners` keeps it.
        let src = unsafe { &*self.hops[way.depth - 1].src };
        // SAFETY: the lock of the pad before is held.
        unsafe { if way.is_probed { src.push_probed(buf) } else { src.push(buf) } }
    }

    /// Goes on behind a call of the hop `at` that gave back something unusual.
    #[cold]
    fn resume(&self, cover: &Cover, at: usize, given: GmFlowBuf) -> FlowResult {
        let (sink, handler, _) = &self.owners[at];
        let flow = handler.resume(sink, given);
        // SAFETY: `owners` keeps it; under the stream lock.
        if !unsafe { &*self.hops[at].stage.state }.is_plain.get() {
            cover.tear();
        }
        flow
    }

    /// Out of all pads of a walk under a cover. A walk that was good changes nothing that the one before did not.
    #[inline]
    fn leave(&self, cover: &Cover, walk: &Walk<'_>, depth: usize, flow: FlowResult) {
        if flow.is_err() {
            cover.tear();
        }
        if !cover.is_whole() {
            self.leave_looking(walk, depth, flow);
        } else if !walk.leave(0) {
            // Torn on the way out: somebody may have found the pads in use.
            for hop in self.hops[..depth - 1].iter().rev() {
                // SAFETY: `owners` keeps it.
                unsafe { &*hop.src }.after_push();
            }
        }
    }

    /// As [`Entered::leave`].
    #[cold]
    fn leave_looking(&self, walk: &Walk<'_>, depth: usize, flow: FlowResult) {
        walk.leave(depth - 1);
        for (at, hop) in self.hops[..depth - 1].iter().enumerate().rev() {
            // SAFETY: `owners` keeps it.
            let src = unsafe { &*hop.src };
            src.remember(flow);
            src.after_push();
            walk.leave(at);
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

    /// Lays a cover over the row, and finds the steps of a walk under it.
    #[cold]
    fn lay(&self) -> Option<Covered> {
        let (mut steps, mut restarts) = (Vec::new(), Vec::new());
        // SAFETY: `owners` keeps what hops point to.
        let sinks = self.hops.iter().map(|hop| unsafe { &*hop.sink });
        let all = sinks.chain(self.end.iter().map(|(pad, _)| &**pad));
        let cover = Arc::new(Cover::new(all.map(|sink| sink.stream_lock.address()).collect()));
        let me = Me::here();
        let mut before: Option<&Hop> = None;
        for (place, hop) in self.hops.iter().enumerate() {
            let Stage { passes, obj, cx, .. } = hop.stage;
            // SAFETY: as above.
            let state = unsafe { &*hop.stage.state };
            let mut passed = ptr::null_mut();
            // Called under the stream lock.
            let is_plain = || {
                if let Some(passes) = passes.filter(|_| state.is_plain.get()) {
                    // SAFETY: an object of its factory with its own context, under the stream lock.
                    passed = unsafe { passes(obj, cx) };
                }
                state.is_plain.get()
            };
            // SAFETY: `owners` keeps what hops point to.
            let is_usual = unsafe {
                (*hop.sink).stream_lock.lay(me, &cover, place, is_plain)
                    && (*hop.sink).attention.lay(&cover) == 0
                    && (*hop.stage.attention).lay(&cover) == 0
                    && before.is_none_or(|before| (*before.src).leads_to(hop.sink))
            };
            // SAFETY: as above.
            let src = unsafe { &*hop.src };
            let probes = match src.attention.lay(&cover) {
                0 => Some(None),
                attention::PROBES => src.passing_probes().map(Some),
                _ => None,
            };
            let Some(probes) = probes.filter(|_| is_usual) else {
                cover.tear();
                return None;
            };
            Step::add(&mut steps, hop.stage, passed);
            steps.extend(probes.map(|probes| Step::Probe { src, probes }));
            restarts.push(state.restarts.load(Ordering::Relaxed));
            before = Some(hop);
        }
        let leads_to = |end| {
            // SAFETY: as above.
            before.is_none_or(|before| unsafe { (*before.src).leads_to(end) })
        };
        let is_usual = self.end.as_ref().is_none_or(|(end, _)| {
            end.stream_lock.lay(me, &cover, self.hops.len(), || true)
                && end.attention.lay(&cover) == 0
                && leads_to(Arc::as_ptr(end))
        });
        if !is_usual {
            cover.tear();
            return None;
        }
        let end = self.end.as_ref().map(|(pad, handler)| (Arc::as_ptr(pad), Arc::as_ptr(handler)));
        Some(Covered { cover, steps, end, walked: Cell::new(0), restarts })
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
            if !is_current || !unsafe { hop.enter(src, me) } {
                if entered.hops == 0 {
                    // A push through `root` may change its link, which keeps this route.
                    return Walked::NotBegun { buf, is_current };
                }
                // SAFETY: the lock of the pad before is held.
                break unsafe { if is_probed { src.push_probed(buf) } else { src.push(buf) } };
            }
            entered.hops += 1;
            is_probed = false;
            let stage = &hop.stage;
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

impl Covered {
    /// Gives what came through all hops to the end of the row, which was entered.
    #[inline]
    fn arrive(&self, buf: *mut GmBuffer) -> FlowResult {
        // SAFETY: the reference is ours.
        let buf = unsafe { Buffer::from_raw(buf) };
        let (Some((pad, handler)), Some(buf)) = (self.end, buf) else { return Ok(()) };
        // SAFETY: `end` of the route keeps both; under the stream lock.
        unsafe { (*handler).chain(&*pad, buf) }
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        self.look_up();
    }
}

impl Hop {
    /// Makes the checks of a push through `from` into this transform, and takes the stream lock; `false`, and
    /// no lock: something is unusual.
    ///
    /// # Safety
    /// What the hop points to is alive, and this thread streams through `from`.
    #[inline]
    unsafe fn enter(&self, from: &PadCore, me: Me) -> bool {
        if from.attention.get() & !(attention::RECONFIGURE | attention::PROBES) != 0 {
            return false;
        }
        // SAFETY: the caller's promise.
        let (sink, src, waiting) = unsafe { (&*self.sink, &*self.src, &*self.stage.attention) };
        if !sink.stream_lock.enter(me) {
            return false;
        }
        let probes = src.attention.get() & !attention::PROBES;
        let bits = sink.attention.get() | probes | waiting.get();
        // SAFETY: the caller's promise; under the stream lock.
        let state = unsafe { &*self.stage.state };
        if bits != 0 || !state.is_plain.get() {
            sink.stream_lock.leave();
            return false;
        }
        state.came(1);
        true
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
        unsafe { &*last.sink }.stream_lock.leave();
        self.hops -= 1;
        for hop in others.iter().rev() {
            // SAFETY: as above.
            let (sink, src) = unsafe { (&*hop.sink, &*hop.src) };
            src.remember_code(code);
            // An application's probe may panic in there: then `drop` does the rest.
            src.after_push();
            sink.stream_lock.leave();
            self.hops -= 1;
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // A panic of the host itself: the locks must not stay.
        for hop in self.route.hops[..self.hops].iter().rev() {
            // SAFETY: `owners` keeps them.
            unsafe { &*hop.sink }.stream_lock.leave();
        }
    }
}
