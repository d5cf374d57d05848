//! The thunks of a [`MultiPad`](crate::element::MultiPad).
//!
//! Invariant: as in the module around: no panic leaves a thunk.
//! Left out: what all roles share: `export`, `object`.

use super::Role;
use super::object::*;
use crate::cx::Cx;
use crate::element::MultiPad;
use crate::error::FlowError;
use crate::plugin::abi::*;
use std::ffi::c_void;

impl<E: MultiPad> Role<E> {
    const MULTI_VT: &'static GmElementVTable = &GmElementVTable {
        start: Some(Self::multi_start),
        stop: Some(Self::multi_stop),
        chain: Some(Self::multi_chain),
        chain_list: if E::TAKES_LISTS { Some(Self::multi_chain_list) } else { None },
        passes: Some(Self::multi_passes),
        produce: Some(Self::multi_produce),
        stopped: Some(Self::multi_stopped),
        sink_event: Some(Self::multi_sink_event),
        src_event: Some(Self::multi_src_event),
        query: Some(Self::multi_query),
        flush: Some(Self::multi_flush),
        action: Some(Self::multi_action),
        set_property: Some(Self::multi_set_property),
        pad_added: Some(Self::multi_pad_added),
        pad_removed: Some(Self::multi_pad_removed),
        oob_event: Some(Self::multi_oob_event),
        pad_name: Some(Self::multi_pad_name),
        ..Self::COMMON
    };
    pub(super) const MULTI: &'static GmFactory = &GmFactory {
        create: Some(Self::multi_make),
        ..Self::factory(GM_ROLE_MULTI, 0, Self::MULTI_VT)
    };
    unsafe extern "C" fn multi_make(
        host: *const GmHost,
        out: *mut GmElement,
        why: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::MULTI_VT, host, out, why) }
    }
    shared_thunk!(multi_start() -> i32, GM_FLOW_PANICKED, |e, cx| started(cx, e.start(cx)));
    shared_thunk!(multi_stop() -> i32, GM_FLOW_PANICKED, |e, cx| started(cx, e.stop(cx)));
    shared_thunk!(multi_chain(buf: *mut GmBuffer) -> i32, GM_FLOW_PANICKED, |e, cx| {
        match buffer_of(buf) {
            Some(buf) => code(e.chain(cx, buf)),
            None => FlowError::Error.code(),
        }
    });
    shared_thunk!(multi_chain_list(bufs: *const *mut GmBuffer, n: u32) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        code(e.chain_list(cx, unsafe { list_of(bufs, n) }))
    });
    shared_thunk!(multi_passes() -> *mut GmPassed, std::ptr::null_mut(), |e, cx| {
        if e.passes(cx) { std::ptr::without_provenance_mut(GM_PASSED_UNCOUNTED) } else { std::ptr::null_mut() }
    });
    shared_thunk!(multi_produce() -> GmFlowBuf, PANICKED, |e, cx| flow_buf(e.produce(cx)));
    shared_thunk!(multi_stopped(why: i32) -> (), NOTHING, |e, cx| {
        if let Err(why) = FlowError::from_code(why) {
            e.stopped(cx, why);
        }
    });
    shared_thunk!(multi_sink_event(event: GmStr) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_event(event) } {
            Some(event) => code(e.sink_event(cx, event)),
            None => FlowError::Error.code(),
        }
    });
    shared_thunk!(multi_src_event(event: GmStr) -> u8, 0, |e, cx| {
        // SAFETY: see the type.
        unsafe { parse_event(event) }.map_or(0, |event| u8::from(e.src_event(cx, &event)))
    });
    shared_thunk!(multi_query(query: GmStr, out: *mut GmText) -> u8, 0, |e, cx| {
        // SAFETY: see the type.
        unsafe { answer(query, out, &mut |query| e.query(cx, query)) }
    });
    shared_thunk!(multi_flush() -> (), NOTHING, |e, cx| e.flush(cx));
    shared_thunk!(multi_action(action: *mut GmAction) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        unsafe { perform(action, &mut |action| e.action(cx, action)) }
    });
    shared_thunk!(multi_pad_added(name: GmStr) -> u8, 0, |e, cx| {
        // SAFETY: see the type.
        u8::from(e.pad_added(cx, unsafe { name.to_str() }.unwrap_or("")))
    });
    shared_thunk!(multi_pad_removed() -> (), NOTHING, |e, cx| e.pad_removed(cx));
    shared_thunk!(multi_oob_event(event: GmStr) -> u8, 1, |e, cx| {
        // SAFETY: see the type.
        unsafe { parse_event(event) }.map_or(1, |event| u8::from(e.oob_event(cx, &event)))
    });
    shared_thunk!(multi_pad_name(wanted: GmStr, out: *mut GmText) -> u8, 0, |e, cx| {
        // SAFETY: see the type.
        match e.pad_name(cx, unsafe { wanted.to_str() }.unwrap_or("")) {
            Some(name) => {
                // SAFETY: see the type.
                unsafe { GmText::put(out, &name) };
                1
            }
            None => 0,
        }
    });
    unsafe extern "C" fn multi_set_property(
        obj: *mut c_void,
        cx: *const GmCx,
        name: GmStr,
        value: GmStr,
        why: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        let done = unsafe { Self::set_property(obj, cx, name, value, why) };
        // SAFETY: see the type.
        let (object, name) = unsafe { (Object::<E>::of(obj), name.to_str().unwrap_or("")) };
        object.common.guard(cx, "multi_set_property", 0, || {
            // SAFETY: see the type.
            if let Some(cx) = unsafe { Cx::from_raw(cx) }.filter(|_| done != 0) {
                // SAFETY: a shared reference.
                unsafe { &*object.element.get() }.property_changed(&cx, name);
            }
            done
        })
    }
}
