//! The thunks of a [`Transform`](crate::element::Transform).
//!
//! Invariant: as in the module around: no panic leaves a thunk.
//! Left out: what all roles share: `export`, `object`.

use super::Role;
use super::common::Common;
use super::object::*;
use crate::buffer::raw_passing;
use crate::cx::Cx;
use crate::element::{Direction, Transform};
use crate::error::FlowError;
use crate::event::EventKind;
use crate::plugin::abi::*;
use std::ffi::c_void;

impl<E: Transform> Role<E> {
    const TRANSFORM_VT: &'static GmElementVTable = &GmElementVTable {
        start: Some(Self::transform_start),
        stop: Some(Self::transform_stop),
        transform_caps: Some(Self::transform_transform_caps),
        instance_caps: Some(Self::transform_instance_caps),
        fixate: Some(Self::transform_fixate),
        set_caps: Some(Self::transform_set_caps),
        transform: Some(Self::transform_transform),
        seek_through: Some(transform_seek_through),
        sink_event: Some(Self::transform_sink_event),
        event_arrives: Some(Self::transform_event_arrives),
        src_event: Some(Self::transform_src_event),
        flush: Some(Self::transform_flush),
        passes: Some(Self::transform_passes),
        next_range: if E::PULLS { Some(Self::transform_next_range) } else { None },
        ..Self::COMMON
    };
    pub(super) const TRANSFORM: &'static GmFactory = &GmFactory {
        create: Some(Self::transform_make),
        ..Self::factory(
            GM_ROLE_TRANSFORM,
            (!E::PREFER_PASSTHROUGH as u32 * GM_ROLE_OWN_ORDER)
                | (!E::QOS as u32 * GM_ROLE_NO_QOS)
                | (E::RANGES as u32 * GM_ROLE_RANGES),
            Self::TRANSFORM_VT,
        )
    };
    unsafe extern "C" fn transform_make(
        host: *const GmHost,
        out: *mut GmElement,
        why: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::TRANSFORM_VT, host, out, why) }
    }
    thunk!(transform_next_range(offset: *mut u64, size: *mut u32) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: the host lends both places for the call.
        let (Some(offset), Some(size)) = (unsafe { (offset.as_mut(), size.as_mut()) }) else {
            return FlowError::Error.code();
        };
        match e.next_range(cx, *offset) {
            Ok(range) => { (*offset, *size) = range; GM_FLOW_OK }
            Err(flow) => flow.code(),
        }
    });
    thunk!(transform_start() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.start(cx); started(cx, r) });
    thunk!(transform_stop() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.stop(cx); started(cx, r) });
    unsafe extern "C" fn transform_transform_caps(
        cx: *const GmCx,
        direction: u32,
        caps: GmStr,
        out: *mut GmText,
    ) -> u8 {
        guard_class(cx, "transform_transform_caps", 0, || {
            // SAFETY: see the type.
            unsafe {
                let direction = Direction::from_raw(direction);
                let other = Cx::from_raw(cx)
                    .zip(parse_caps(caps))
                    .map(|(cx, caps)| E::transform_caps(&cx, direction, &caps));
                put_caps(other, out)
            }
        })
    }
    unsafe extern "C" fn transform_instance_caps(
        obj: *mut c_void,
        cx: *const GmCx,
        direction: u32,
        caps: GmStr,
        out: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.common.guard(cx, "transform_transform_caps", 0, || {
            // SAFETY: see the type.
            unsafe {
                let direction = Direction::from_raw(direction);
                let other = Cx::from_raw(cx).zip(parse_caps(caps)).map(|(cx, caps)| {
                    let shared = object.common.shared.as_ref();
                    let own = shared.and_then(|own| own.transform_caps(&cx, direction, &caps));
                    own.unwrap_or_else(|| E::transform_caps(&cx, direction, &caps))
                });
                put_caps(other, out)
            }
        })
    }
    unsafe extern "C" fn transform_fixate(
        cx: *const GmCx,
        input: GmStr,
        caps: GmStr,
        out: *mut GmText,
    ) -> u8 {
        guard_class(cx, "transform_fixate", 0, || {
            // SAFETY: see the type.
            unsafe {
                let both = parse_caps(input).zip(parse_caps(caps));
                let fixed = Cx::from_raw(cx).zip(both).map(|(cx, (i, c))| E::fixate(&cx, &i, c));
                put_caps(fixed, out)
            }
        })
    }
    thunk!(transform_set_caps(input: GmStr, output: GmStr) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_caps(input).zip(parse_caps(output)) } {
            Some((input, output)) => code(e.set_caps(cx, &input, &output)),
            None => FlowError::NotNegotiated.code(),
        }
    });
    thunk!(transform_transform(buf: *mut GmBuffer) -> GmFlowBuf, PANICKED, |e, cx| {
        match buffer_of(buf) {
            Some(buf) => flow_buf(e.transform(cx, buf)),
            None => flow_buf(Err(FlowError::Error)),
        }
    });
    unsafe extern "C" fn transform_passes(obj: *mut c_void, cx: *const GmCx) -> *mut GmPassed {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.common.guard(cx, "transform_passes", std::ptr::null_mut(), || {
            // SAFETY: see the type.
            let Some(cx) = (unsafe { Cx::from_raw(cx) }) else { return std::ptr::null_mut() };
            // SAFETY: a streaming call of an element with a role.
            let (e, kept) = unsafe { (object.exclusive(), &mut *object.common.passing.get()) };
            *kept = e.passes(&cx);
            raw_passing(kept)
        })
    }
    thunk!(transform_event_arrives(event: GmStr) -> (), NOTHING, |e, cx| {
        // SAFETY: see the type.
        if let Some(event) = unsafe { parse_event(event) } {
            e.event_arrives(cx, &event);
        }
    });
    thunk!(transform_sink_event(event: GmStr) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_event(event) } {
            Some(event) => match e.sink_event(cx, &event) {
                Ok(true) => GM_FLOW_OK,
                Ok(false) => GM_FLOW_DROPPED,
                Err(error) => error.code(),
            },
            None => GM_FLOW_OK,
        }
    });
    thunk!(transform_src_event(event: GmStr) -> u8, 0, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_event(event) } {
            Some(event) => { e.src_event(cx, &event); 1 }
            None => 0,
        }
    });
    thunk!(transform_flush() -> (), NOTHING, |e, cx| e.flush(cx));
}

/// SAFETY: as of all thunks, see [`Role`].
unsafe extern "C" fn transform_seek_through(
    obj: *mut c_void,
    cx: *const GmCx,
    event: GmStr,
    out: *mut GmText,
) -> u8 {
    // SAFETY: see the type.
    let common = unsafe { Common::of(obj) };
    common.guard(cx, "transform_seek_through", 0, || {
        // SAFETY: see the type.
        let (event, cx) = unsafe { (parse_event(event), Cx::from_raw(cx)) };
        let (Some(mut event), Some(cx)) = (event, cx) else { return 0 };
        let EventKind::Seek(seek) = &event.kind else { return 0 };
        let onward = match &common.shared {
            Some(shared) => shared.seek(&cx, seek, event.seqnum),
            None => Some(seek.clone()),
        };
        let Some(onward) = onward else { return 0 };
        event.kind = EventKind::Seek(onward);
        // SAFETY: see the type.
        unsafe { GmText::put(out, &event.text()) };
        1
    })
}
