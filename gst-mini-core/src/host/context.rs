//! The host's side of [`Cx`](crate::cx::Cx): the table of functions an element calls.
//!
//! Invariant: no function here unwinds into the element, and none holds a lock while it calls out.
//! In GStreamer: none; elements call libgstreamer directly.
//! Left out: nothing.

mod pushes;

use crate::base::default;
use crate::buffer::Buffer;
use crate::clock::ClockReturn;
use crate::cx::{Level, PadId};
use crate::element::Direction;
use crate::error::{ErrorKind, FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::host::core::ElementCore;
use crate::host::signals::NO_MORE_PADS;
use crate::host::supply::Supply;
use crate::host::table::{MAX_LEN, guarded};
use crate::log;
use crate::message::{Message, MessageKind};
use crate::pad::route::StageState;
use crate::pad::{Pad, PadCore};
use crate::plugin::abi::*;
use crate::query::Query;
use crate::runtime;
use crate::segment::Segment;
use crate::structure::Structure;
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use crate::tracer;
use pushes::{KnownPads, push, push_list};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// What a callback queued, to be sent when it has returned.
pub(crate) enum Output {
    Buffer(PadId, Buffer),
    Event(PadId, Event),
}

/// One element's context, for one streaming half or for one call. What each buffer touches lies in one cache line.
#[repr(C, align(64))]
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

// SAFETY of all functions below: the element passes its context, texts readable for the call, and
// buffers whose reference it gives away.

unsafe extern "C" fn output(cx: *const GmCx, pad: u32, buf: *mut GmBuffer) {
    // SAFETY: see above.
    let Some(buf) = (unsafe { Buffer::from_raw(buf) }) else { return };
    with(cx, (), |cx| cx.queue(Output::Buffer(PadId(pad), buf)));
}

unsafe extern "C" fn output_event(cx: *const GmCx, pad: u32, event: GmStr) {
    with(cx, (), |cx| {
        // SAFETY: see above.
        if let Some(event) = Event::from_text(unsafe { read(event) }) {
            cx.queue(Output::Event(PadId(pad), event));
        }
    });
}

unsafe extern "C" fn store_event(cx: *const GmCx, pad: u32, event: GmStr) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: see above.
        let event = Event::from_text(unsafe { read(event) });
        let Some((pad, event)) = cx.core().pad(PadId(pad)).zip(event) else { return 0 };
        u8::from(pad.store_sticky(&event).is_ok())
    })
}

unsafe extern "C" fn start_task(cx: *const GmCx, pad: u32) -> u8 {
    with(cx, 0, |cx| u8::from(cx.core().start_task(PadId(pad))))
}

unsafe extern "C" fn push_event(cx: *const GmCx, pad: u32, event: GmStr) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: see above.
        let event = Event::from_text(unsafe { read(event) });
        let Some((pad, event)) = cx.core().pad(PadId(pad)).zip(event) else { return 0 };
        if matches!(event.kind, EventKind::FlushStop { .. }) && pad.direction() == Direction::Src {
            // The pad's task came out of its call at flush-start; what it was about to send is over then.
            drop(pad.stream_lock().lock());
        }
        u8::from(pad.push_event(event))
    })
}

unsafe extern "C" fn event_default(cx: *const GmCx, pad: u32, event: GmStr) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: see above.
        let event = Event::from_text(unsafe { read(event) });
        let Some((pad, event)) = cx.core().pad(PadId(pad)).zip(event) else { return 0 };
        u8::from(default::event(cx.core(), &pad, event).is_ok())
    })
}

fn query(
    cx: &Context,
    pad: u32,
    text: &str,
    ask: impl FnOnce(&PadCore, &mut Query) -> bool,
) -> Option<Rc<str>> {
    let pad = cx.core().pad(PadId(pad))?;
    let mut query = Query::from_text(text)?;
    ask(&pad, &mut query).then(|| query.to_text())
}

unsafe extern "C" fn peer_query(cx: *const GmCx, pad: u32, text: GmStr, out: *mut GmText) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: see above.
        let answer = query(cx, pad, unsafe { read(text) }, |pad, query| pad.peer_query(query));
        // SAFETY: see above.
        answer.map_or(0, |text| unsafe {
            GmText::put(out, &text);
            1
        })
    })
}

unsafe extern "C" fn query_default(cx: *const GmCx, pad: u32, text: GmStr, out: *mut GmText) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: see above.
        let answer = query(cx, pad, unsafe { read(text) }, |pad, query| {
            default::query(cx.core(), pad, query)
        });
        cx.was_refused.set(answer.is_none());
        // SAFETY: see above.
        answer.map_or(0, |text| unsafe {
            GmText::put(out, &text);
            1
        })
    })
}

unsafe extern "C" fn post(cx: *const GmCx, message: GmStr) {
    with(cx, (), |cx| {
        // SAFETY: see above.
        if let Some(kind) = MessageKind::from_text(unsafe { read(message) }) {
            cx.core().post(with_origin(cx.core(), kind));
        }
    });
}

/// A panic is the plugin's, so the message names it too.
fn with_origin(core: &ElementCore, kind: MessageKind) -> MessageKind {
    match kind {
        MessageKind::Error(mut error) if error.kind == ErrorKind::Panic => {
            let (element, plugin) = (&core.factory.name, &core.factory.plugin);
            error.text = format!("{} (element {element} of plugin {plugin})", error.text);
            MessageKind::Error(error)
        }
        other => other,
    }
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

unsafe extern "C" fn write_log(cx: *const GmCx, level: u32, text: GmStr) {
    with(cx, (), |cx| {
        // SAFETY: see above.
        let text = unsafe { read(text) };
        cx.core().log(level_of(level), || text.to_owned());
    });
}

unsafe extern "C" fn log_enabled(cx: *const GmCx, level: u32) -> u8 {
    with(cx, 0, |cx| u8::from(log::enabled(&cx.core().factory.name, level_of(level))))
}

unsafe extern "C" fn property(cx: *const GmCx, name: GmStr, out: *mut GmText) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: see above.
        let name = unsafe { read(name) };
        if name == "name" {
            // SAFETY: see above.
            unsafe { GmText::put(out, &cx.core().name) };
            return 1;
        }
        let Ok(index) = cx.core().props.index(&cx.core().name, name) else { return 0 };
        let text = cx.core().props.shared_text(index);
        // SAFETY: see above.
        unsafe { GmText::put(out, &text) };
        1
    })
}

unsafe extern "C" fn publish(cx: *const GmCx, name: GmStr, value: GmStr) {
    // SAFETY: see above.
    with(cx, (), |cx| cx.core().publish(unsafe { read(name) }, unsafe { read(value) }));
}

unsafe extern "C" fn emit(cx: *const GmCx, signal: GmStr, args: GmStr) {
    with(cx, (), |cx| {
        // Reading two texts is most of what a signal nobody hears would cost.
        if cx.core().signals.has_listeners() {
            // SAFETY: see above.
            unsafe { cx.core().signals.emit(read(signal), read(args)) }
        }
    });
}

unsafe extern "C" fn clock_now(cx: *const GmCx) -> u64 {
    with(cx, GM_TIME_NONE, |cx| cx.core().clock().map_or(GM_TIME_NONE, |clock| clock.now().nanos()))
}

unsafe extern "C" fn base_time(cx: *const GmCx) -> u64 {
    with(cx, GM_TIME_NONE, |cx| cx.core().base_time().map_or(GM_TIME_NONE, AbsoluteTime::nanos))
}

unsafe extern "C" fn utc_now(_: *const GmCx) -> u64 {
    runtime::utc_now()
}

unsafe extern "C" fn simulated(_: *const GmCx) -> u8 {
    u8::from(runtime::is_simulated())
}

unsafe extern "C" fn runtime_now(_: *const GmCx) -> u64 {
    runtime::now().nanos()
}

unsafe extern "C" fn clock_wait(cx: *const GmCx, target: u64) -> i32 {
    with(cx, GM_FLOW_OK, |cx| {
        let core = cx.core();
        let Some(clock) = core.clock() else { return GM_FLOW_OK };
        loop {
            if cx.is_flushing() {
                return FlowError::Flushing.code();
            }
            let target = AbsoluteTime::from_nanos(target);
            let waited = runtime::at(&core.name, || clock.wait_until(target, &core.clock_wait));
            if waited.result != ClockReturn::Unscheduled {
                return GM_FLOW_OK;
            }
            if !cx.is_flushing() && cx.flush_pad.is_some() {
                // A pause: the wait is over, and what to do next is the caller's to decide.
                return FlowError::Flushing.code();
            }
        }
    })
}

unsafe extern "C" fn sleep(cx: *const GmCx, nanos: u64) -> i32 {
    with(cx, GM_FLOW_OK, |cx| {
        let deadline = runtime::now() + ClockTime::from_nanos(nanos);
        loop {
            // Every flush and stop wakes all waiters, so one of them serves for sleeping.
            let ticket = cx.core().waiters[3].ticket();
            if cx.is_flushing() {
                return FlowError::Flushing.code();
            }
            if runtime::now() >= deadline {
                return GM_FLOW_OK;
            }
            runtime::at(&cx.core().name, || {
                cx.core().waiters[3].wait(ticket, Some(deadline), "a sleep to end")
            });
        }
    })
}

unsafe extern "C" fn ticket(cx: *const GmCx, n: u32) -> u64 {
    with(cx, 0, |cx| cx.core().waiters[n as usize % 4].ticket())
}

/// How the waits of an element's four waiters end in reports.
pub(crate) const OF_AN_ELEMENT: &str = "of an element";

unsafe extern "C" fn wait(cx: *const GmCx, n: u32, ticket: u64, deadline: u64) -> i32 {
    with(cx, FlowError::Error.code(), |cx| {
        if cx.is_flushing() {
            return FlowError::Flushing.code();
        }
        let deadline = (deadline != GM_TIME_NONE).then(|| AbsoluteTime::from_nanos(deadline));
        const WHY: [&str; 4] = [
            "waiter 0 of an element",
            "waiter 1 of an element",
            "waiter 2 of an element",
            "waiter 3 of an element",
        ];
        let n = n as usize % 4;
        let core = cx.core();
        let woken = runtime::at(&core.name, || core.waiters[n].wait(ticket, deadline, WHY[n]));
        if cx.is_flushing() { FlowError::Flushing.code() } else { i32::from(woken) }
    })
}

unsafe extern "C" fn wake(cx: *const GmCx, n: u32) {
    with(cx, (), |cx| cx.core().waiters[n as usize % 4].wake());
}

unsafe extern "C" fn pad_caps(cx: *const GmCx, pad: u32, out: *mut GmText) -> u8 {
    with(cx, 0, |cx| {
        let caps = cx.core().pad(PadId(pad)).and_then(|pad| pad.current_caps());
        // SAFETY: see above.
        caps.map_or(0, |caps| unsafe {
            GmText::put(out, caps.text());
            1
        })
    })
}

unsafe extern "C" fn pad_segment(cx: *const GmCx, pad: u32, out: *mut GmText) -> u8 {
    with(cx, 0, |cx| {
        let segment = cx.core().pad(PadId(pad)).and_then(|pad| pad.segment());
        // SAFETY: see above.
        segment.map_or(0, |segment| unsafe {
            GmText::put(out, &segment.to_string());
            1
        })
    })
}

unsafe extern "C" fn pads(cx: *const GmCx, out: *mut GmText) {
    with(cx, (), |cx| {
        let list: Vec<_> = cx
            .core()
            .pads
            .read()
            .iter()
            .map(|pad| format!("{} {} {}", pad.id().0, pad.name(), pad.direction().name()))
            .collect();
        // SAFETY: see above.
        unsafe { GmText::put(out, &list.join("\n")) };
    });
}

unsafe extern "C" fn set_latency(cx: *const GmCx, min: u64, max: u64) {
    with(cx, (), |cx| {
        let max = (max != GM_TIME_NONE).then(|| ClockTime::from_nanos(max));
        let new = (ClockTime::from_nanos(min), max);
        let changed = std::mem::replace(&mut *cx.core().latency.lock(), new) != new;
        if changed {
            cx.core().post(MessageKind::Latency);
        }
    });
}

unsafe extern "C" fn flushing(cx: *const GmCx) -> u8 {
    with(cx, 0, |cx| u8::from(cx.is_flushing()))
}

unsafe extern "C" fn foreign(
    _: *const GmCx,
    virtual_ns: u64,
    call: Option<unsafe extern "C" fn(data: *mut c_void)>,
    data: *mut c_void,
) {
    if let Some(call) = call {
        // SAFETY: the element says what to call with what, once, before this returns.
        runtime::foreign(ClockTime::from_nanos(virtual_ns), || unsafe { call(data) });
    }
}

unsafe extern "C" fn add_pad(
    cx: *const GmCx,
    template: GmStr,
    name: GmStr,
    events: *const GmStr,
    n_events: u32,
) -> u32 {
    with(cx, u32::MAX, |cx| {
        // SAFETY: see above.
        let (template, name) = unsafe { (read(template), read(name)) };
        let texts = match n_events {
            0 => &[][..],
            // SAFETY: the element passes that many texts.
            n => unsafe { std::slice::from_raw_parts(events, n as usize) },
        };
        // SAFETY: see above.
        let events = texts.iter().map(|text| Event::from_text(unsafe { read(*text) }));
        let Some(events) = events.collect::<Option<Vec<_>>>() else { return u32::MAX };
        cx.core().add_sometimes_pad(template, name, events).map_or(u32::MAX, |id| id.0)
    })
}

unsafe extern "C" fn remove_pad(cx: *const GmCx, pad: u32) -> u8 {
    with(cx, 0, |cx| u8::from(cx.core().remove_sometimes_pad(PadId(pad))))
}

unsafe extern "C" fn no_more_pads(cx: *const GmCx) {
    with(cx, (), |cx| cx.core().signals.emit(NO_MORE_PADS, ""));
}

unsafe extern "C" fn emit_for(cx: *const GmCx, signal: GmStr, args: GmStr, out: *mut GmText) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: see above.
        let answer = unsafe { cx.core().signals.emit_for(read(signal), read(args)) };
        answer.map_or(0, |value| {
            let answer = Structure::new("return").with("value", value);
            // SAFETY: see above.
            unsafe { GmText::put(out, &answer.to_string()) };
            1
        })
    })
}

unsafe extern "C" fn sync(cx: *const GmCx, running_time: u64, offset: i64) -> i32 {
    with(cx, FlowError::Error.code(), |cx| {
        let due = RunningTime::from_nanos(running_time);
        code(cx.core().sync(due, offset, || cx.is_flushing()))
    })
}

unsafe extern "C" fn sticky_event(cx: *const GmCx, pad: u32, n: u32, out: *mut GmText) -> u8 {
    with(cx, 0, |cx| {
        let event = cx.core().pad(PadId(pad)).and_then(|pad| pad.sticky_event(n as usize));
        // SAFETY: see above.
        event.map_or(0, |event| unsafe {
            GmText::put(out, &event.to_text());
            1
        })
    })
}

/// What a poster keeps: enough to post, without keeping the element alive.
struct PosterCore {
    core: Weak<ElementCore>,
    name: String,
    /// Whether it was said that a thread outlived the element.
    told: AtomicBool,
}

static POSTER: GmPosterVTable = GmPosterVTable {
    struct_size: size_of::<GmPosterVTable>() as u32,
    reserved: 0,
    post: Some(poster_post),
    log: Some(poster_log),
    publish: Some(poster_publish),
    wake: Some(poster_wake),
    clone: Some(poster_clone),
    unref: Some(poster_unref),
};

unsafe extern "C" fn poster(cx: *const GmCx, out: *mut GmPoster) -> u8 {
    with(cx, 0, |cx| {
        // SAFETY: every core lives in an `Arc`, see `handle.rs`; this adds a weak reference.
        let core = unsafe {
            Arc::increment_strong_count(cx.core);
            Arc::downgrade(&Arc::from_raw(cx.core))
        };
        let owner = Arc::new(PosterCore {
            core,
            name: cx.core().name.clone(),
            told: AtomicBool::new(false),
        });
        let obj = Arc::into_raw(owner).cast_mut().cast();
        let poster = GmPoster { obj, vtable: &POSTER };
        // SAFETY: the element passes a place for the poster.
        unsafe { out.write(poster) };
        1
    })
}

fn with_poster(obj: *mut c_void, call: impl FnOnce(&ElementCore)) {
    // SAFETY: `obj` is a counted `PosterCore`, alive while the poster is.
    let Some(poster) = (unsafe { obj.cast::<PosterCore>().as_ref() }) else { return };
    match poster.core.upgrade() {
        Some(core) => guarded((), || call(&core)),
        None if log::enabled("plugin", Level::Warning)
            && !poster.told.swap(true, Ordering::Relaxed) =>
        {
            let text = "a thread of this element still runs although the element is gone; \
                its plugin must join its threads before NULL is reached";
            log::write("plugin", Level::Warning, &poster.name, text);
        }
        None => {}
    }
}

unsafe extern "C" fn poster_post(obj: *mut c_void, message: GmStr) {
    // SAFETY: see above.
    if let Some(kind) = MessageKind::from_text(unsafe { read(message) }) {
        with_poster(obj, |core| core.post_message(Message::new(core.name.as_str(), kind)));
    }
}
unsafe extern "C" fn poster_log(obj: *mut c_void, level: u32, text: GmStr) {
    // SAFETY: see above.
    let text = unsafe { read(text) };
    with_poster(obj, |core| core.log(level_of(level), || text.to_owned()));
}
unsafe extern "C" fn poster_publish(obj: *mut c_void, name: GmStr, value: GmStr) {
    // SAFETY: see above.
    let (name, value) = unsafe { (read(name), read(value)) };
    with_poster(obj, |core| core.publish(name, value));
}
unsafe extern "C" fn poster_wake(obj: *mut c_void, n: u32) {
    with_poster(obj, |core| core.waiters[n as usize % 4].wake());
}
unsafe extern "C" fn poster_clone(obj: *mut c_void) {
    // SAFETY: `obj` came from `Arc::into_raw`.
    unsafe { Arc::increment_strong_count(obj.cast::<PosterCore>()) }
}
unsafe extern "C" fn poster_unref(obj: *mut c_void) {
    // SAFETY: `obj` came from `Arc::into_raw`, and the poster gives its reference back once.
    unsafe { Arc::decrement_strong_count(obj.cast::<PosterCore>()) }
}

unsafe extern "C" fn dropped(cx: *const GmCx, buf: *mut GmBuffer, why: GmStr) {
    with(cx, (), |cx| {
        cx.has_dropped.set(true);
        // SAFETY: see above.
        cx.core().note_drop(unsafe { read(why) });
        if !tracer::is_on() {
            return;
        }
        // SAFETY: the element lends a buffer; the reference made here is not given back.
        let Some(buf) = (unsafe { Buffer::from_raw(buf) }).map(ManuallyDrop::new) else { return };
        let pad = cx.flush_pad.as_ref().map_or("", |pad| pad.name());
        // SAFETY: see above.
        tracer::dropped(&cx.core().name, pad, &buf, unsafe { read(why) });
    });
}

#[cfg(gst_mini_abi_next)]
unsafe extern "C" fn next(_: *const GmCx) -> u32 {
    crate::plugin::abi::NEXT as u32
}

unsafe extern "C" fn acquire(cx: *const GmCx, size: usize) -> *mut GmBuffer {
    if size > MAX_LEN {
        return std::ptr::null_mut();
    }
    with(cx, std::ptr::null_mut(), |cx| cx.supply.acquire(size).into_raw())
}

static TABLE: GmCxVTable = GmCxVTable {
    struct_size: size_of::<GmCxVTable>() as u32,
    reserved: 0,
    output: Some(output),
    output_event: Some(output_event),
    push: Some(push),
    push_event: Some(push_event),
    event_default: Some(event_default),
    peer_query: Some(peer_query),
    query_default: Some(query_default),
    post: Some(post),
    log: Some(write_log),
    log_enabled: Some(log_enabled),
    property: Some(property),
    publish: Some(publish),
    emit: Some(emit),
    clock_now: Some(clock_now),
    base_time: Some(base_time),
    utc_now: Some(utc_now),
    simulated: Some(simulated),
    clock_wait: Some(clock_wait),
    sleep: Some(sleep),
    ticket: Some(ticket),
    wait: Some(wait),
    wake: Some(wake),
    runtime_now: Some(runtime_now),
    pad_caps: Some(pad_caps),
    pad_segment: Some(pad_segment),
    pads: Some(pads),
    set_latency: Some(set_latency),
    flushing: Some(flushing),
    foreign: Some(foreign),
    poster: Some(poster),
    add_pad: Some(add_pad),
    remove_pad: Some(remove_pad),
    no_more_pads: Some(no_more_pads),
    emit_for: Some(emit_for),
    sync: Some(sync),
    sticky_event: Some(sticky_event),
    push_list: Some(push_list),
    store_event: Some(store_event),
    start_task: Some(start_task),
    dropped: Some(dropped),
    acquire: Some(acquire),
    #[cfg(gst_mini_abi_next)]
    next: Some(next),
};

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
