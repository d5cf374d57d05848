//! A walk of a row of transforms under a cover: what it does at each step was found when the cover was laid.
//!
//! ```text
//!   Call    enter the pad, call the element's function
//!   Pass    enter so many locks, count for those elements that want it: none is called
//!   Probe   run the probes of the source pad that were there
//!   end     enter the last pad, give its owner the buffer
//! ```
//!
//! Invariant: a step is what the looking walk would come to as long as nobody tears the cover; who does is seen when the
//! next pad is entered, and the rest of the way is nested.
//! In GStreamer: none; the nearest is a `GstBaseTransform` in passthrough (`libs/gst/base/gstbasetransform.c`).
//! Left out: probes that block, and probes of sink pads; there no cover is laid.

use super::{Call, Hop, Route, Stage, StageFn, StageState};
use crate::buffer::{Buffer, count_passed};
use crate::error::FlowResult;
use crate::pad::probe::{Outcome, Probe};
use crate::pad::{PadCore, PadHandler, ProbeData, ProbeType, attention};
use crate::plugin::abi::{GM_PASSED_UNCOUNTED, GmBuffer, GmCx, GmFlowBuf, GmPassed};
use crate::runtime::{Cover, Me, Walk};
use std::cell::Cell;
use std::ffi::c_void;
use std::hint::cold_path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a walk under a cover does next.
enum Step {
    /// Calls an element.
    Call { call: StageFn, obj: *mut c_void, cx: *const GmCx, state: *const StageState },
    /// Goes through elements that need not be called, by so many locks, and counts for those that want it.
    Pass { places: usize, counted: Vec<*mut GmPassed> },
    /// Runs the probes of a source pad.
    Probe { src: *const PadCore, probes: Arc<[Probe]> },
}

impl Step {
    /// Adds what is done at one more hop.
    fn add(steps: &mut Vec<Step>, stage: &Stage, passed: *mut GmPassed) {
        if let Stage::Call(Call { call, obj, cx, state, .. }) = *stage
            && passed.is_null()
        {
            steps.push(Step::Call { call, obj, cx, state });
            return;
        }
        if !matches!(steps.last(), Some(Step::Pass { .. })) {
            steps.push(Step::Pass { places: 0, counted: Vec::new() });
        }
        if let Some(Step::Pass { places, counted }) = steps.last_mut() {
            *places += stage.locks();
            let is_counted = !passed.is_null() && passed.addr() != GM_PASSED_UNCOUNTED;
            counted.extend(is_counted.then_some(passed));
        }
    }
}

/// How far a walk is: in so many places, with this buffer.
struct Way {
    depth: usize,
    buf: *mut GmBuffer,
    /// The probes of the source pad that it came to have seen it.
    is_probed: bool,
}

/// A cover, and all that a walk under it touches.
pub(super) struct Covered {
    pub(super) cover: Arc<Cover>,
    steps: Vec<Step>,
    /// The end of the row; `owners` and `end` of the route keep it.
    end: Option<(*const PadCore, *const dyn PadHandler)>,
    /// Walks through all of the row, of which the hops do not know yet.
    walked: Cell<u64>,
    /// Of each hop [`StageState::restarts`] when the cover was laid.
    restarts: Vec<u32>,
}

impl Route {
    /// Walks a buffer from `root`, whose own attention was looked at, if a cover lies over the row: nothing in it is
    /// unusual until that is torn. The error gives the buffer back: nothing was done.
    ///
    /// # Safety
    /// As [`PadCore::push`] on `root`, whose route this is.
    #[inline]
    pub(in crate::pad) unsafe fn walk_covered(&self, buf: Buffer) -> Result<FlowResult, Buffer> {
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
            let places = match step {
                Step::Call { .. } => 1,
                Step::Pass { places, .. } => *places,
                Step::Probe { .. } => 0,
            };
            if !walk.enter(depth, depth + places) {
                break;
            }
            depth += places;
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
                        return Some(self.resume(&covered.cover, depth, given));
                    }
                    buf = given.buf;
                }
            }
        }
        *way = Way { depth, buf, is_probed };
        None
    }

    /// A walk under a cover came through the first `depth` places.
    #[inline]
    fn count_walk(&self, covered: &Covered, depth: usize) {
        if depth >= self.places {
            covered.walked.set(covered.walked.get() + 1);
        } else {
            self.came(&covered.restarts[..self.hops_within(depth)], 1);
        }
    }

    /// How many hops have all their locks among the first `depth`.
    #[cold]
    fn hops_within(&self, depth: usize) -> usize {
        self.hops.partition_point(|hop| hop.place + hop.stage.locks() <= depth)
    }

    /// The hops whose source pads did not see themselves how a push from there went, `depth` locks being taken: all but
    /// the one before the last lock.
    fn behind(&self, depth: usize) -> &[Hop] {
        let is_at_end = depth > self.places;
        &self.hops[..if is_at_end { self.hops.len() } else { self.hops_within(depth) - 1 }]
    }

    /// So many buffers came through the first hops, since the cover was laid.
    #[cold]
    fn came(&self, restarts: &[u32], buffers: u64) {
        for (hop, restarts) in self.hops.iter().zip(restarts) {
            let Stage::Call(stage) = &hop.stage else { continue };
            // SAFETY: `owners` keeps it.
            let state = unsafe { &*stage.state };
            if state.restarts.load(Ordering::Relaxed) == *restarts {
                state.processed.fetch_add(buffers, Ordering::Relaxed);
            }
        }
    }

    /// Lets each hop know what came through it on walks under a cover, before a buffer goes another way.
    pub(in crate::pad) fn look_up(&self) {
        // SAFETY: of the thread that walks, which is not walking now.
        if let Some(covered) = unsafe { &(*self.covering.get()).covered } {
            self.came(&covered.restarts, covered.walked.take());
        }
    }

    /// Pushes on what came through some hops.
    fn push_on(&self, way: &Way, buf: Buffer) -> FlowResult {
        // SAFETY: `owners` keeps it.
        let src = unsafe { &*self.hops[self.hops_within(way.depth) - 1].src };
        // SAFETY: the lock of the pad before is held.
        unsafe { if way.is_probed { src.push_probed(buf) } else { src.push(buf) } }
    }

    /// Goes on behind a call of the last of the first `depth` places that gave back something unusual.
    #[cold]
    fn resume(&self, cover: &Cover, depth: usize, given: GmFlowBuf) -> FlowResult {
        let at = self.hops_within(depth) - 1;
        let (sink, handler, _) = &self.owners[at];
        let flow = handler.resume(sink, given);
        if let Stage::Call(stage) = &self.hops[at].stage {
            // SAFETY: `owners` keeps it; under the stream lock.
            if !unsafe { &*stage.state }.is_plain.get() {
                cover.tear();
            }
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
            for hop in self.behind(depth).iter().rev() {
                // SAFETY: `owners` keeps it.
                unsafe { &*hop.src }.after_push();
            }
        }
    }

    /// As [`Entered::leave`].
    #[cold]
    fn leave_looking(&self, walk: &Walk<'_>, depth: usize, flow: FlowResult) {
        let behind = self.behind(depth);
        walk.leave(behind.last().map_or(0, |last| last.place + last.stage.locks()));
        for hop in behind.iter().rev() {
            // SAFETY: `owners` keeps it.
            let src = unsafe { &*hop.src };
            src.remember(flow);
            src.after_push();
            walk.leave(hop.place);
        }
    }

    /// Lays a cover over the row, and finds the steps of a walk under it.
    #[cold]
    pub(super) fn lay(&self) -> Option<Covered> {
        let (mut steps, mut restarts) = (Vec::new(), Vec::new());
        let mut locks = Vec::new();
        for hop in &self.hops {
            // SAFETY: `owners` keeps what hops point to.
            let (sink, src) = unsafe { (&*hop.sink, &*hop.src) };
            locks.push(sink.stream_lock.address());
            locks.extend((hop.stage.locks() > 1).then(|| src.stream_lock.address()));
        }
        locks.extend(self.end.as_ref().map(|(end, _)| end.stream_lock.address()));
        let cover = Arc::new(Cover::new(locks.into()));
        let me = Me::here();
        let mut before: Option<&Hop> = None;
        for (hop, (_, handler, _)) in self.hops.iter().zip(&self.owners) {
            // SAFETY: as above.
            let (sink, src) = unsafe { (&*hop.sink, &*hop.src) };
            let mut passed = ptr::null_mut();
            let mut restarted = 0;
            // Called under the stream lock.
            let is_plain = || {
                let Stage::Call(stage) = &hop.stage else { return true };
                // SAFETY: as above.
                let state = unsafe { &*stage.state };
                restarted = state.restarts.load(Ordering::Relaxed);
                if state.is_plain.get() {
                    passed = handler.passing(sink);
                }
                state.is_plain.get()
            };
            let is_usual = sink.stream_lock.lay(me, &cover, hop.place, is_plain)
                && sink.attention.lay(&cover) == 0
                // SAFETY: as above.
                && unsafe {
                    match &hop.stage {
                        Stage::Call(stage) => (*stage.attention).lay(&cover) == 0,
                        Stage::Forward(stage) => {
                            (*stage.attention).lay(&cover);
                            stage.is_current()
                                && src.stream_lock.lay(me, &cover, hop.place + 1, || true)
                        }
                    }
                }
                // SAFETY: as above.
                && before.is_none_or(|before| unsafe { (*before.src).leads_to(hop.sink) });
            let probes = match src.attention.lay(&cover) & !hop.stage.usual() {
                0 => Some(None),
                attention::PROBES => src.passing_probes().map(Some),
                _ => None,
            };
            let Some(probes) = probes.filter(|_| is_usual) else {
                cover.tear();
                return None;
            };
            Step::add(&mut steps, &hop.stage, passed);
            steps.extend(probes.map(|probes| Step::Probe { src, probes }));
            restarts.push(restarted);
            before = Some(hop);
        }
        let leads_to = |end| {
            // SAFETY: as above.
            before.is_none_or(|before| unsafe { (*before.src).leads_to(end) })
        };
        let is_usual = self.end.as_ref().is_none_or(|(end, _)| {
            end.stream_lock.lay(me, &cover, self.places, || true)
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
