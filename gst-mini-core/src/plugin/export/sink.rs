//! The thunks of a [`Sink`](crate::element::Sink).
//!
//! Invariant: as in the module around: no panic leaves a thunk.
//! Left out: what all roles share: `export`, `object`.

use super::Role;
use super::object::*;
use crate::cx::Cx;
use crate::element::Sink;
use crate::error::FlowError;
use crate::plugin::abi::*;
use std::mem::ManuallyDrop;

impl<E: Sink> Role<E> {
    const SINK_VT: &'static GmElementVTable = &GmElementVTable {
        start: Some(Self::sink_start),
        stop: Some(Self::sink_stop),
        pad_caps: Some(Self::sink_caps),
        set_caps: Some(Self::sink_set_caps),
        preroll: Some(Self::sink_preroll),
        render: Some(Self::sink_render),
        sink_event: Some(Self::sink_sink_event),
        event_arrives: Some(Self::sink_event_arrives),
        flush: Some(Self::sink_flush),
        modes: Some(Self::sink_modes),
        ..Self::COMMON
    };
    pub(super) const SINK: &'static GmFactory = &GmFactory {
        create: Some(Self::sink_make),
        ..Self::factory(
            GM_ROLE_SINK,
            (E::SYNC as u32 * GM_ROLE_SYNC) | (E::ASYNC as u32 * GM_ROLE_ASYNC),
            Self::SINK_VT,
        )
    };
    unsafe extern "C" fn sink_make(
        host: *const GmHost,
        out: *mut GmElement,
        why: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::SINK_VT, host, out, why) }
    }
    thunk!(sink_start() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.start(cx); started(cx, r) });
    thunk!(sink_stop() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.stop(cx); started(cx, r) });
    unsafe extern "C" fn sink_caps(cx: *const GmCx, _: u32, out: *mut GmText) -> u8 {
        guard_class(cx, "sink_caps", 0, || {
            // SAFETY: see the type.
            unsafe { put_caps(Cx::from_raw(cx).and_then(|cx| E::caps(&cx)), out) }
        })
    }
    unsafe extern "C" fn sink_modes(cx: *const GmCx) -> u32 {
        guard_class(cx, "sink_modes", GM_MODE_PUSH, || {
            // SAFETY: see the type.
            let Some(cx) = (unsafe { Cx::from_raw(cx) }) else { return GM_MODE_PUSH };
            mode_bits(E::can_push(&cx), E::can_pull(&cx))
        })
    }
    thunk!(sink_set_caps(input: GmStr, _output: GmStr) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_caps(input) } {
            Some(caps) => code(e.set_caps(cx, &caps)),
            None => FlowError::NotNegotiated.code(),
        }
    });
    thunk!(sink_preroll(buf: *mut GmBuffer) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // The host lent it: also a panic must not give it back.
        match buffer_of(buf).map(ManuallyDrop::new) {
            Some(buf) => code(e.preroll(cx, &buf)),
            None => FlowError::Error.code(),
        }
    });
    thunk!(sink_render(buf: *mut GmBuffer) -> i32, GM_FLOW_PANICKED, |e, cx| {
        match buffer_of(buf) {
            Some(buf) => code(e.render(cx, buf)),
            None => FlowError::Error.code(),
        }
    });
    thunk!(sink_event_arrives(event: GmStr) -> (), NOTHING, |e, cx| {
        // SAFETY: see the type.
        if let Some(event) = unsafe { parse_event(event) } {
            e.event_arrives(cx, &event);
        }
    });
    thunk!(sink_sink_event(event: GmStr) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_event(event) } {
            Some(event) => code(e.sink_event(cx, &event)),
            None => GM_FLOW_OK,
        }
    });
    thunk!(sink_flush() -> (), NOTHING, |e, cx| e.flush(cx));
}
