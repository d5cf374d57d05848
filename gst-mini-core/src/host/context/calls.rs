//! The functions that an element calls through its context, and their table.
//!
//! Invariant: no function here unwinds into the element, and none holds a lock while it calls out.
//! In GStreamer: none; elements call libgstreamer directly.
//! Left out: what pushes, in `pushes`, and what outlives a context, in `poster`.

use super::poster::poster;
use super::pushes::{push, push_list};
use super::{Context, Output, code, level_of, read, with};
use crate::base::default;
use crate::buffer::Buffer;
use crate::clock::ClockReturn;
use crate::cx::PadId;
use crate::element::Direction;
use crate::error::{ErrorKind, FlowError};
use crate::event::{Event, EventKind};
use crate::host::core::ElementCore;
use crate::host::signals::NO_MORE_PADS;
use crate::host::table::MAX_LEN;
use crate::log;
use crate::message::MessageKind;
use crate::pad::{Pad, PadCore};
use crate::plugin::abi::*;
use crate::query::Query;
use crate::runtime;
use crate::structure::{ScratchText, Structure};
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use crate::tracer;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::rc::Rc;
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
) -> Option<Rc<ScratchText>> {
    let pad = cx.core().pad(PadId(pad))?;
    let mut query = Query::from_text(text)?;
    ask(&pad, &mut query).then(|| query.text())
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
            let ticket = cx.core().waiters.ticket(3);
            if cx.is_flushing() {
                return FlowError::Flushing.code();
            }
            if runtime::now() >= deadline {
                return GM_FLOW_OK;
            }
            runtime::at(&cx.core().name, || {
                cx.core().waiters.wait(3, ticket, Some(deadline), "a sleep to end")
            });
        }
    })
}

unsafe extern "C" fn ticket(cx: *const GmCx, n: u32) -> u64 {
    with(cx, 0, |cx| cx.core().waiters.ticket(n as usize % 4))
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
        let is_task = cx.task_pad().is_some();
        let woken = runtime::at(&core.name, || match is_task {
            true => core.waiters.wait_to_take(n, ticket, deadline, WHY[n]),
            false => core.waiters.wait(n, ticket, deadline, WHY[n]),
        });
        if cx.is_flushing() { FlowError::Flushing.code() } else { i32::from(woken) }
    })
}

unsafe extern "C" fn wake(cx: *const GmCx, n: u32) {
    with(cx, (), |cx| cx.core().waiters.wake(n as usize % 4));
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
            GmText::put(out, &event.text());
            1
        })
    })
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

/// What an element calls.
pub(super) static TABLE: GmCxVTable = GmCxVTable {
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
