//! The way of a buffer through a row of transforms, walked in one loop instead of nested calls.
//!
//! ```text
//!   nested   src ▶ sink[A]src ▶ sink[B]src ▶ sink[C]        a frame of the stack for each, all there until C returns
//!   route    src │ A │ B │ ─ nested from here: C            one loop; what each gives back is the next one's input
//! ```
//!
//! A role gives its output back instead of pushing it, so the host can go on with it itself. Whoever begins a
//! stretch (the task of a source or a queue, a tee's branch) keeps the row of transforms behind its pad, with
//! the C function of each, and makes for each step the same checks that the nested way makes: the link is
//! still that one, no bit of attention is set on either pad or on the element, the sink pad's stream lock is
//! free. Where anything at all is unusual the loop ends and the rest of the way is nested, so each rare case
//! exists once. All stream locks are held until the last one downstream has returned, as in nested calls.
//!
//! Invariant: a route decides nothing; a buffer that is walked arrives with the same effects as one that is pushed.
//! In GStreamer: none; `gst_pad_push` nests.
//! Left out: lists, which are rare and nested; sinks and queues, which end a route; and simulations, in which a
//! stream lock never leans, so that each lock is a place where tasks switch.

use super::{PadCore, PadHandler, attention};
use crate::buffer::Buffer;
use crate::error::{FlowError, FlowResult};
use crate::plugin::abi::{GmBuffer, GmCx, GmFlowBuf};
use crate::runtime::{Attention, Cover, Me, Walk};
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::hint::cold_path;
use std::sync::Arc;

/// A transform's function, as the boundary has it.
pub(crate) type StageFn =
    unsafe extern "C" fn(*mut c_void, *const GmCx, *mut GmBuffer) -> GmFlowBuf;

/// What a route calls in place of a handler's `chain`, and what tells that it may.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    /// The element's own function, its object and its context.
    pub call: StageFn,
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
    /// Buffers that were given to the element.
    pub processed: Cell<u64>,
}

/// Walks in a row with nothing unusual before a cover is laid over a row; doubled for each cover that was torn.
const HABIT: u32 = if cfg!(gst_mini_shuttle) { 1 } else { 32 };
const MOST_HABIT: u32 = if cfg!(gst_mini_shuttle) { 1 } else { 1 << 12 };

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

/// What a walk under a cover needs of a [`Stage`].
struct Step {
    call: StageFn,
    obj: *mut c_void,
    cx: *const GmCx,
    state: *const StageState,
}

impl Step {
    fn of(hop: &Hop) -> Step {
        let Stage { call, obj, cx, state, .. } = hop.stage;
        Step { call, obj, cx, state }
    }
}

/// A row of transforms behind a source pad.
pub(super) struct Route {
    hops: Box<[Hop]>,
    /// Keep what the hops point to.
    owners: Box<[(Arc<PadCore>, Arc<dyn PadHandler>, Arc<PadCore>)]>,
    /// Of the thread that walks.
    covering: UnsafeCell<Covering>,
}

/// Whether the row has a cover, or will have one.
struct Covering {
    cover: Option<Arc<Cover>>,
    /// With a cover: of each hop what a walk under it touches, close together.
    steps: Box<[Step]>,
    /// Walks in a row that met nothing unusual.
    walks: u32,
    /// How many there must be.
    wanted: u32,
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
        let mut from: *const PadCore = root;
        while hops.len() < LONGEST {
            // SAFETY: `root`, or kept by `owners`.
            let src = unsafe { &*from };
            if src.has(!attention::RECONFIGURE) {
                break;
            }
            // SAFETY: who pushes through it is this thread, or holds the lock of the pad before, which is `held`.
            let Some(link) = (unsafe { &*src.link.get() }) else { break };
            // Whoever is in there is not us: it is looked at again another time.
            let Some(streaming) = link.peer.stream_lock.try_lock() else { break };
            let Some((stage, onward)) = link.handler.stage(&link.peer) else { break };
            let (sink, src) = (Arc::as_ptr(&link.peer), Arc::as_ptr(&onward));
            if hops.iter().any(|hop: &Hop| std::ptr::eq(hop.sink, sink)) {
                break;
            }
            hops.push(Hop { sink, src, stage });
            owners.push((link.peer.clone(), link.handler.clone(), onward));
            from = src;
            held.push(streaming);
        }
        let covering = UnsafeCell::new(Covering {
            cover: None,
            steps: Box::default(),
            walks: 0,
            wanted: HABIT,
        });
        Route { hops: hops.into(), owners: owners.into(), covering }
    }

    /// Whether it leads anywhere.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty()
    }

    /// Walks a buffer from `root`, whose own attention was looked at.
    ///
    /// # Safety
    /// As [`PadCore::push`] on `root`.
    #[inline]
    pub unsafe fn walk(&self, root: &PadCore, buf: Buffer) -> Walked {
        // SAFETY: of the thread that walks, which comes back here only when it is through.
        let covering = unsafe { &*self.covering.get() };
        if let Some(cover) = &covering.cover
            && cover.is_whole()
            // SAFETY: the caller's promise.
            && unsafe { root.leads_to(self.hops[0].sink) }
        {
            // SAFETY: the caller's promise.
            return unsafe { self.walk_covered(cover, &covering.steps, root, buf) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.walk_looking(root, buf) }
    }

    /// Walks a buffer under a cover: nothing in the row is unusual until it is torn.
    ///
    /// # Safety
    /// As [`PadCore::push`] on `root`, which leads to the first hop.
    #[inline]
    unsafe fn walk_covered(
        &self,
        cover: &Cover,
        steps: &[Step],
        root: &PadCore,
        buf: Buffer,
    ) -> Walked {
        Walk::along(cover, |walk| {
            let mut buf = buf.into_raw();
            let mut depth = 0;
            let flow = loop {
                let Some(step) = steps.get(depth) else { break self.push_on(root, depth, buf) };
                if !walk.enter(depth + 1) {
                    if depth > 0 {
                        break self.push_on(root, depth, buf);
                    }
                    // SAFETY: nobody else was given it.
                    let buf = unsafe { Buffer::from_raw(buf) };
                    let buf = buf.expect("what is walked is there");
                    return Walked::NotBegun { buf, is_current: true };
                }
                depth += 1;
                // SAFETY: `owners` keeps it; under the stream lock.
                let state = unsafe { &*step.state };
                state.processed.set(state.processed.get() + 1);
                // SAFETY: an object of its factory with its own context, under the stream lock; the buffer's
                // reference moves.
                let given = unsafe { (step.call)(step.obj, step.cx, buf) };
                if given.code != 0 || given.buf.is_null() || state.has_output.get() {
                    cold_path();
                    break self.resume(cover, depth - 1, given);
                }
                buf = given.buf;
            };
            self.leave(cover, walk, depth, flow);
            Walked::Done { flow, is_current: true }
        })
    }

    /// Pushes on what came through the first `depth` hops. Out of line for the sake of the loop's registers.
    #[inline(never)]
    fn push_on(&self, root: &PadCore, depth: usize, buf: *mut GmBuffer) -> FlowResult {
        let last = depth.checked_sub(1).map(|at| self.hops[at].src);
        // SAFETY: `owners` keeps it, and the lock of the pad before is held; the reference is ours.
        unsafe {
            let buf = Buffer::from_raw(buf).expect("what is walked is there");
            last.map_or(root, |src| &*src).push(buf)
        }
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

    /// A walk that met nothing unusual is over: after some of them a cover is laid.
    #[inline]
    fn was_usual(&self) {
        // SAFETY: of the thread that walks; nothing of it is borrowed.
        let covering = unsafe { &mut *self.covering.get() };
        if covering.cover.take().is_some() {
            // It was torn, or it would have been used.
            covering.put_off();
        }
        covering.walks += 1;
        if covering.walks < covering.wanted {
            return;
        }
        covering.walks = 0;
        covering.steps = self.hops.iter().map(Step::of).collect();
        covering.cover = self.lay();
        if covering.cover.is_none() {
            covering.put_off();
        }
    }

    /// Lays a cover over the row.
    #[cold]
    fn lay(&self) -> Option<Arc<Cover>> {
        // SAFETY: `owners` keeps what hops point to.
        let sinks = self.hops.iter().map(|hop| unsafe { &*hop.sink });
        let cover = Arc::new(Cover::new(sinks.map(|sink| sink.stream_lock.address()).collect()));
        let me = Me::here();
        let mut before: Option<&Hop> = None;
        for (place, hop) in self.hops.iter().enumerate() {
            // SAFETY: `owners` keeps what hops point to.
            let is_usual = unsafe {
                (*hop.sink).stream_lock.lay(me, &cover, place, || (*hop.stage.state).is_plain.get())
                    && (*hop.sink).attention.lay(&cover)
                    && (*hop.src).attention.lay(&cover)
                    && (*hop.stage.attention).lay(&cover)
                    && before.is_none_or(|before| (*before.src).leads_to(hop.sink))
            };
            if !is_usual {
                cover.tear();
                return None;
            }
            before = Some(hop);
        }
        Some(cover)
    }

    /// Walks a buffer, looking at each pad on the way.
    ///
    /// # Safety
    /// As [`Route::walk`].
    unsafe fn walk_looking(&self, root: &PadCore, buf: Buffer) -> Walked {
        let me = Me::here();
        let mut entered = Entered { route: self, hops: 0 };
        let mut buf = buf;
        let mut src = root;
        let mut is_current = true;
        let flow = loop {
            let Some(hop) = self.hops.get(entered.hops) else {
                // SAFETY: the lock of the pad before is held.
                break unsafe { src.push(buf) };
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
                break unsafe { src.push(buf) };
            }
            entered.hops += 1;
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

impl Hop {
    /// Makes the checks of a push through `from` into this transform, and takes the stream lock; `false`, and
    /// no lock: something is unusual.
    ///
    /// # Safety
    /// What the hop points to is alive, and this thread streams through `from`.
    #[inline]
    unsafe fn enter(&self, from: &PadCore, me: Me) -> bool {
        if from.attention.get() & !attention::RECONFIGURE != 0 {
            return false;
        }
        // SAFETY: the caller's promise.
        let (sink, src, waiting) = unsafe { (&*self.sink, &*self.src, &*self.stage.attention) };
        if !sink.stream_lock.enter(me) {
            return false;
        }
        let bits = sink.attention.get() | src.attention.get() | waiting.get();
        // SAFETY: the caller's promise; under the stream lock.
        let state = unsafe { &*self.stage.state };
        if bits != 0 || !state.is_plain.get() {
            sink.stream_lock.leave();
            return false;
        }
        state.processed.set(state.processed.get() + 1);
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
