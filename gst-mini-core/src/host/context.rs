//! The host's side of [`Cx`](crate::cx::Cx): what is kept for an element from call to call. What it calls is in `calls`.
//!
//! Invariant: one call at a time uses a context, and what it queued leaves in order when the call has returned.
//! In GStreamer: none; elements call libgstreamer directly.
//! Left out: nothing.

mod calls;
mod poster;
mod pushes;

use crate::buffer::Buffer;
use crate::cx::{Level, PadId};
use crate::error::{FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::host::core::ElementCore;
use crate::host::supply::Supply;
use crate::host::table::guarded;
use crate::pad::route::StageState;
use crate::pad::{Pad, PadCore};
use crate::plugin::abi::*;
use crate::segment::Segment;
use crate::tracer;
pub(crate) use calls::OF_AN_ELEMENT;
use calls::TABLE;
use pushes::KnownPads;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// What a callback queued, to be sent when it has returned.
pub(crate) enum Output {
    Buffer(PadId, Buffer),
    Event(PadId, Event),
}

/// One element's context, for one streaming half or for one call. What each buffer touches comes first.
#[repr(C)]
pub(crate) struct Context {
    raw: GmCx,
    /// What a row of transforms and the element's base tell each other, and whether there are outputs.
    pub stage: StageState,
    /// The element; it outlives every call made with this context.
    core: *const ElementCore,
    /// Whose flushing ends the waits of this call.
    flush_pad: Option<Arc<PadCore>>,
    outputs: RefCell<Vec<Output>>,
    /// Whether this context's calls hold the stream lock of `flush_pad`, as a task's do.
    holds_pad: bool,
    is_pushing: Cell<bool>,
    /// The element threw a buffer away.
    has_dropped: Cell<bool>,
    /// The default answer that the element asked for was none.
    was_refused: Cell<bool>,
    /// Where output buffers come from.
    pub supply: Supply,
    pads: RefCell<KnownPads>,
}

// SAFETY: a context is used by one call at a time, as the bases see to; `core` is shared data.
unsafe impl Send for Context {}

impl Context {
    /// A context for the calls about `pad`. Boxed: the raw part points back at it.
    #[inline(never)]
    pub fn new(core: &ElementCore, pad: Option<Arc<PadCore>>) -> Box<Context> {
        let mut cx = Box::new(Context::made(core, pad));
        cx.raw.obj = (&raw mut *cx).cast();
        cx
    }

    /// Makes one call about `pad`, or about none, with a context that lives only as long.
    pub fn lend<R>(
        core: &ElementCore,
        pad: Option<Arc<PadCore>>,
        call: impl FnOnce(&Context) -> R,
    ) -> R {
        let mut cx = Context::made(core, pad);
        // It does not move from here on.
        cx.raw.obj = (&raw mut cx).cast();
        call(&cx)
    }

    /// A context whose raw part does not know yet where it is.
    fn made(core: &ElementCore, pad: Option<Arc<PadCore>>) -> Context {
        Context {
            raw: GmCx {
                struct_size: size_of::<GmCx>() as u32,
                pad: pad.as_ref().map_or(0, |pad| pad.id().0),
                obj: std::ptr::null_mut(),
                vtable: &TABLE,
                listeners: core.signals.listeners(),
            },
            core,
            flush_pad: pad,
            outputs: RefCell::default(),
            stage: StageState::default(),
            holds_pad: false,
            is_pushing: Cell::new(false),
            has_dropped: Cell::new(false),
            was_refused: Cell::new(false),
            supply: Supply::default(),
            pads: RefCell::default(),
        }
    }

    /// A context for the calls of the task of source pad `pad`, made under its stream lock.
    pub fn of_task(core: &ElementCore, pad: Arc<PadCore>) -> Box<Context> {
        let mut cx = Context::new(core, Some(pad));
        cx.holds_pad = true;
        cx
    }

    /// The pad whose stream lock this context's calls hold.
    fn task_pad(&self) -> Option<&PadCore> {
        self.flush_pad.as_deref().filter(|_| self.holds_pad)
    }

    /// Runs a push through the task's own pad, unless one is under way.
    #[inline]
    fn while_pushing<R>(&self, push: impl FnOnce() -> R) -> Option<R> {
        if self.is_pushing.replace(true) {
            return None;
        }
        let result = push();
        self.is_pushing.set(false);
        Some(result)
    }

    /// A context for a call that is about no pad.
    pub fn detached(core: &ElementCore) -> Box<Context> {
        Context::new(core, None)
    }

    #[inline]
    pub fn raw(&self) -> *const GmCx {
        &raw const self.raw
    }

    fn core(&self) -> &ElementCore {
        // SAFETY: a context is owned by a base that owns the core too, or lives for one call.
        unsafe { &*self.core }
    }

    /// Whether the element asked for the default answer in vain, so that asking again would be, too.
    pub fn was_refused(&self) -> bool {
        self.was_refused.get()
    }

    /// Whether the element threw a buffer away since this was asked last.
    pub fn take_dropped(&self) -> bool {
        self.has_dropped.take()
    }

    #[inline]
    pub fn has_outputs(&self) -> bool {
        self.stage.has_output.get()
    }

    /// The segment among what was queued, if the element sends its own.
    pub fn queued_segment(&self) -> Option<Segment> {
        self.outputs.borrow().iter().rev().find_map(|output| match output {
            Output::Event(_, event) => match event.kind {
                EventKind::Segment(segment) => Some(segment),
                _ => None,
            },
            Output::Buffer(..) => None,
        })
    }

    /// Takes out the end of a part of the stream, if it is among what was queued.
    pub fn take_segment_done(&self) -> Option<Event> {
        let mut outputs = self.outputs.borrow_mut();
        let is_done = |output: &Output| matches!(output, Output::Event(_, event) if matches!(event.kind, EventKind::SegmentDone { .. }));
        let at = outputs.iter().position(is_done)?;
        let done = outputs.remove(at);
        self.stage.has_output.set(!outputs.is_empty());
        match done {
            Output::Event(_, event) => Some(event),
            Output::Buffer(..) => None,
        }
    }

    /// Whether a format is among what was queued; it goes before the segment.
    pub fn has_queued_caps(&self) -> bool {
        let is_caps = |output: &Output| matches!(output, Output::Event(_, event) if matches!(event.kind, EventKind::Caps(_)));
        self.outputs.borrow().iter().any(is_caps)
    }

    pub fn take_outputs(&self) -> Vec<Output> {
        self.stage.has_output.set(false);
        std::mem::take(&mut self.outputs.borrow_mut())
    }

    fn queue(&self, output: Output) {
        self.outputs.borrow_mut().push(output);
        self.stage.has_output.set(true);
    }

    fn is_flushing(&self) -> bool {
        self.flush_pad.as_ref().is_some_and(|pad| pad.is_flushing())
    }
}

/// The context behind `cx`, guarded: a panic of the host becomes `fallback`.
#[inline]
fn with<R>(cx: *const GmCx, fallback: R, call: impl FnOnce(&Context) -> R) -> R {
    // SAFETY: elements hand back the pointer they were given, during the call.
    let context = unsafe { cx.as_ref().and_then(|cx| cx.obj.cast::<Context>().as_ref()) };
    let Some(context) = context else { return fallback };
    guarded(fallback, || call(context))
}

/// # Safety
/// `text` must be readable for the call.
pub(super) unsafe fn read<'a>(text: GmStr) -> &'a str {
    // SAFETY: the caller's promise.
    unsafe { text.to_str() }.unwrap_or("")
}

fn code(flow: FlowResult) -> i32 {
    flow.map_or_else(FlowError::code, |()| GM_FLOW_OK)
}

pub(super) fn level_of(raw: u32) -> Level {
    match raw {
        1 => Level::Error,
        2 => Level::Warning,
        3 => Level::Fixme,
        4 => Level::Info,
        5 => Level::Debug,
        6 => Level::Log,
        _ => Level::Trace,
    }
}

/// Sends what a callback queued, in its order. The first refusal of a buffer is returned, the rest is
/// dropped.
///
/// # Safety
/// As [`PadCore::push`], for every source pad of the element.
pub(crate) unsafe fn drain(core: &ElementCore, cx: &Context) -> FlowResult {
    for output in cx.take_outputs() {
        match output {
            Output::Buffer(id, buf) => {
                let pad = core.pad(id).ok_or(FlowError::NotLinked)?;
                // SAFETY: the caller's promise.
                unsafe { pad.push(buf) }?;
            }
            Output::Event(id, event) => {
                if let Some(pad) = core.pad(id) {
                    pad.push_event(event);
                }
            }
        }
    }
    Ok(())
}

/// Tells the tracer of a dropped buffer.
pub(crate) fn trace_drop(core: &ElementCore, pad: &PadCore, buf: &Buffer, why: &str) {
    if tracer::is_on() {
        tracer::dropped(&core.name, pad.name(), buf, why);
    }
}
