//! The thunks of a [`Source`](crate::element::Source).
//!
//! Invariant: as in the module around: no panic leaves a thunk.
//! Left out: what all roles share: `export`, `object`.

use super::Role;
use super::object::*;
use crate::cx::Cx;
use crate::element::Source;
use crate::error::FlowError;
use crate::plugin::abi::*;

impl<E: Source> Role<E> {
    const SOURCE_VT: &'static GmElementVTable = &GmElementVTable {
        start: Some(Self::source_start),
        stop: Some(Self::source_stop),
        pad_caps: Some(Self::source_caps),
        fixate: Some(Self::source_fixate),
        set_caps: Some(Self::source_set_caps),
        create: Some(Self::source_create),
        stopped: Some(Self::source_unsent),
        seek: Some(Self::source_seek),
        src_event: Some(Self::source_src_event),
        is_live: Some(Self::source_is_live),
        source_info: Some(Self::source_info),
        get_range: if E::RANGES { Some(Self::source_get_range) } else { None },
        modes: Some(Self::source_modes),
        ..Self::COMMON
    };
    pub(super) const SOURCE: &'static GmFactory = &GmFactory {
        create: Some(Self::source_make),
        ..Self::factory(GM_ROLE_SOURCE, E::SEEKABLE as u32 * GM_ROLE_SEEKABLE, Self::SOURCE_VT)
    };
    unsafe extern "C" fn source_make(
        host: *const GmHost,
        out: *mut GmElement,
        why: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::SOURCE_VT, host, out, why) }
    }
    thunk!(source_start() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.start(cx); started(cx, r) });
    thunk!(source_stop() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.stop(cx); started(cx, r) });
    unsafe extern "C" fn source_caps(cx: *const GmCx, _: u32, out: *mut GmText) -> u8 {
        guard_class(cx, "source_caps", 0, || {
            // SAFETY: see the type.
            unsafe { put_caps(Cx::from_raw(cx).and_then(|cx| E::caps(&cx)), out) }
        })
    }
    unsafe extern "C" fn source_fixate(
        cx: *const GmCx,
        _: GmStr,
        caps: GmStr,
        out: *mut GmText,
    ) -> u8 {
        guard_class(cx, "source_fixate", 0, || {
            // SAFETY: see the type.
            unsafe {
                let fixed = Cx::from_raw(cx).zip(parse_caps(caps)).map(|(cx, c)| E::fixate(&cx, c));
                put_caps(fixed, out)
            }
        })
    }
    unsafe extern "C" fn source_info(cx: *const GmCx, out: *mut GmSourceInfo) -> u8 {
        guard_class(cx, "source_info", 0, || {
            // SAFETY: see the type; the host lends a place of the size it states.
            let (cx, out) = unsafe { (Cx::from_raw(cx), out.as_mut()) };
            let (Some(cx), Some(out)) = (cx, out) else { return 0 };
            if (out.struct_size as usize) < GmSourceInfo::BASE {
                return 0;
            }
            out.format = E::format(&cx).number();
            out.seekable = u32::from(E::is_seekable(&cx));
            out.duration = E::duration(&cx).unwrap_or(GM_TIME_NONE);
            1
        })
    }
    unsafe extern "C" fn source_is_live(cx: *const GmCx) -> u8 {
        guard_class(cx, "source_is_live", 0, || {
            // SAFETY: see the type.
            unsafe { Cx::from_raw(cx) }.map_or(0, |cx| u8::from(E::is_live(&cx)))
        })
    }
    thunk!(source_set_caps(_input: GmStr, output: GmStr) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_caps(output) } {
            Some(caps) => code(e.set_caps(cx, &caps)),
            None => FlowError::NotNegotiated.code(),
        }
    });
    thunk!(source_unsent(_why: i32) -> (), NOTHING, |e, cx| e.unsent(cx));
    thunk!(source_create() -> GmFlowBuf, PANICKED, |e, cx| flow_buf(e.create(cx).map(Some)));
    thunk!(source_get_range(offset: u64, size: u32) -> GmFlowBuf, PANICKED, |e, cx| {
        flow_buf(e.get_range(cx, offset, size).map(Some))
    });
    unsafe extern "C" fn source_modes(cx: *const GmCx) -> u32 {
        guard_class(cx, "source_modes", GM_MODE_PUSH, || {
            // SAFETY: see the type.
            let Some(cx) = (unsafe { Cx::from_raw(cx) }) else { return GM_MODE_PUSH };
            mode_bits(E::can_push(&cx), E::RANGES && E::can_pull(&cx))
        })
    }
    thunk!(source_seek(segment: GmStr) -> u8, 0, |e, cx| {
        // SAFETY: see the type.
        match unsafe { segment.to_str() }.and_then(|text| text.parse().ok()) {
            Some(segment) => u8::from(e.seek(cx, &segment)),
            None => 0,
        }
    });
    thunk!(source_src_event(event: GmStr) -> u8, 0, |e, cx| {
        // SAFETY: see the type.
        match unsafe { parse_event(event) } {
            Some(event) => { e.src_event(cx, &event); 1 }
            None => 0,
        }
    });
}
