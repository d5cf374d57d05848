//! Turns an author's Rust element into the C factory and functions of the boundary.
//!
//! Every function here is an `extern "C"` thunk whose body cannot unwind: a panic is caught, told on
//! the bus, and the instance takes no further calls. Linked and loaded elements use the same thunks.
//!
//! Invariant: no panic leaves a thunk; a failed instance is only destroyed.
//! In GStreamer: `gst/gstelementfactory.c` (`gst_element_register`).
//! Left out: aggregators.

use crate::buffer::{Buffer, BufferList};
use crate::caps::Caps;
use crate::cx::Cx;
use crate::element::{
    Action, Direction, Element, MultiPad, PadTemplate, Shared, Signal, Sink, Source, Transform,
};
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::message::MessageKind;
use crate::plugin::abi::*;
use crate::property::Prop;
use crate::query::Query;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What can make elements of one kind.
#[derive(Clone, Copy)]
pub struct Factory(pub &'static GmFactory);

impl Factory {
    /// A factory of sources.
    pub const fn source<E: Source>() -> Factory {
        Factory(<Role<E>>::SOURCE)
    }
    /// A factory of transforms.
    pub const fn transform<E: Transform>() -> Factory {
        Factory(<Role<E>>::TRANSFORM)
    }
    /// A factory of sinks.
    pub const fn sink<E: Sink>() -> Factory {
        Factory(<Role<E>>::SINK)
    }
    /// A factory of elements with several pads or threads.
    pub const fn multi_pad<E: MultiPad>() -> Factory {
        Factory(<Role<E>>::MULTI)
    }
}

/// An instance as the host holds it.
struct Object<E> {
    element: UnsafeCell<E>,
    shared: Option<Arc<dyn Shared>>,
    failed: AtomicBool,
}

impl<E: Element> Object<E> {
    /// # Safety
    /// `obj` must be an instance of this factory that is not destroyed.
    unsafe fn of<'a>(obj: *mut c_void) -> &'a Object<E> {
        // SAFETY: the caller's promise.
        unsafe { &*obj.cast::<Object<E>>() }
    }

    /// # Safety
    /// Only from streaming and control calls, which the host makes one at a time.
    #[allow(clippy::mut_from_ref, reason = "the host's serialization is what makes it sole")]
    unsafe fn exclusive(&self) -> &mut E {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.element.get() }
    }

    /// Runs a callback so that no panic leaves; after one, nothing is called any more.
    fn guard<R>(&self, cx: *const GmCx, panicked: R, call: impl FnOnce() -> R) -> R {
        if self.failed.load(Ordering::Relaxed) {
            return panicked;
        }
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(value) => value,
            Err(payload) => {
                self.failed.store(true, Ordering::Relaxed);
                let text = panic_text(&*payload);
                // The payload's own drop could panic again.
                std::mem::forget(payload);
                // SAFETY: the host's context is valid for the call we are in.
                if let Some(cx) = unsafe { Cx::from_raw(cx) } {
                    cx.post(MessageKind::Error(ElementError::new(
                        ErrorKind::Panic,
                        format!("panicked: {text}; the element is stopped"),
                    )));
                }
                panicked
            }
        }
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without text".to_owned())
}

/// Runs a class function so that no panic leaves.
fn guard_class<R>(fallback: R, call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        std::mem::forget(payload);
        fallback
    })
}

fn code(result: FlowResult) -> i32 {
    match result {
        Ok(()) => GM_FLOW_OK,
        Err(error) => error.code(),
    }
}

fn flow_buf(result: FlowResult<Option<Buffer>>) -> GmFlowBuf {
    match result {
        Ok(Some(buf)) => GmFlowBuf { code: i64::from(GM_FLOW_OK), buf: buf.into_raw() },
        Ok(None) => GmFlowBuf { code: i64::from(GM_FLOW_DROPPED), buf: std::ptr::null_mut() },
        Err(error) => GmFlowBuf { code: i64::from(error.code()), buf: std::ptr::null_mut() },
    }
}

/// What a callback without a result gives back when it may not be called.
const NOTHING: () = ();
const PANICKED: GmFlowBuf = GmFlowBuf { code: GM_FLOW_PANICKED as i64, buf: std::ptr::null_mut() };

/// Reports what `start` or `stop` gave back.
fn started(cx: &Cx, result: Result<(), ElementError>) -> i32 {
    match result {
        Ok(()) => GM_FLOW_OK,
        Err(error) => {
            cx.post(MessageKind::Error(error));
            FlowError::Error.code()
        }
    }
}

/// # Safety
/// `text` must be readable for the call.
unsafe fn parse_caps(text: GmStr) -> Option<Caps> {
    // SAFETY: the caller's promise.
    Caps::parse(unsafe { text.to_str() }?).ok()
}

/// # Safety
/// `text` must be readable for the call.
unsafe fn parse_event(text: GmStr) -> Option<Event> {
    // SAFETY: the caller's promise.
    Event::from_text(unsafe { text.to_str() }?)
}

/// Answers a query in text with a function on the parsed one.
///
/// # Safety
/// `query` must be readable and `out` null or a live place.
unsafe fn answer(query: GmStr, out: *mut GmText, call: impl FnOnce(&mut Query) -> bool) -> u8 {
    // SAFETY: the caller's promise.
    let Some(mut query) = unsafe { query.to_str() }.and_then(Query::from_text) else { return 0 };
    let answered = call(&mut query);
    if answered {
        // SAFETY: the caller's promise.
        unsafe { GmText::put(out, &query.to_text()) };
    }
    u8::from(answered)
}

/// Performs an action in text with a function on the parsed one.
///
/// # Safety
/// `raw` must point to a live action.
unsafe fn perform(raw: *mut GmAction, call: impl FnOnce(&mut Action) -> FlowResult) -> i32 {
    // SAFETY: the caller's promise; the texts live for the call and the buffer's reference moves.
    let (mut action, place) = unsafe {
        let Some(raw) = raw.as_mut() else { return FlowError::Error.code() };
        let buf = Buffer::from_raw(std::mem::replace(&mut raw.buf, std::ptr::null_mut()));
        let args = raw.args.to_str().and_then(|text| text.parse().ok());
        let name = raw.name.to_str().unwrap_or("").to_owned();
        (Action { name, args, buf, answer: None }, raw)
    };
    let result = call(&mut action);
    if let Some(answer) = action.answer {
        // SAFETY: the caller's promise.
        unsafe { GmText::put(place.answer, &answer.to_string()) };
    }
    place.buf = action.buf.map_or(std::ptr::null_mut(), Buffer::into_raw);
    code(result)
}

const MAX_PADS: usize = 16;
const MAX_PROPS: usize = 64;
const MAX_SIGNALS: usize = 32;

/// The thunks for element `E`. SAFETY of all of them: the host calls with an `obj` that `create`
/// made, a context and texts valid for the call, and keeps the threading rules of [`GmElementVTable`].
struct Role<E>(PhantomData<E>);

impl<E: Element> Role<E> {
    const PAD_PTRS: [*const GmPadTemplate; MAX_PADS] = {
        let pads: &'static [PadTemplate] = E::PADS;
        assert!(pads.len() <= MAX_PADS, "an element has at most 16 pad templates");
        let mut list = [std::ptr::null(); MAX_PADS];
        let mut i = 0;
        while i < pads.len() {
            list[i] = &raw const pads[i].0;
            i += 1;
        }
        list
    };
    const PROP_PTRS: [*const GmPropSpec; MAX_PROPS] = {
        let props: &'static [Prop<E>] = E::PROPS;
        assert!(props.len() <= MAX_PROPS, "an element has at most 64 properties");
        let mut list = [std::ptr::null(); MAX_PROPS];
        let mut i = 0;
        while i < props.len() {
            list[i] = &raw const props[i].spec;
            i += 1;
        }
        list
    };
    const SIGNAL_PTRS: [*const GmSignalSpec; MAX_SIGNALS] = {
        let signals: &'static [Signal] = E::SIGNALS;
        assert!(signals.len() <= MAX_SIGNALS, "an element has at most 32 signals");
        let mut list = [std::ptr::null(); MAX_SIGNALS];
        let mut i = 0;
        while i < signals.len() {
            list[i] = &raw const signals[i].0;
            i += 1;
        }
        list
    };

    const fn factory(role: u32, role_flags: u32, vtable: &'static GmElementVTable) -> GmFactory {
        GmFactory {
            struct_size: size_of::<GmFactory>() as u32,
            role,
            rank: E::RANK,
            role_flags,
            name: GmStr::new(E::NAME),
            long_name: GmStr::new(E::LONG_NAME),
            klass: GmStr::new(E::CLASS),
            description: GmStr::new(E::SUMMARY),
            author: GmStr::new(E::AUTHOR),
            upstream_events: GmStr::new(E::UPSTREAM_EVENTS),
            n_pads: E::PADS.len() as u32,
            n_props: E::PROPS.len() as u32,
            n_signals: E::SIGNALS.len() as u32,
            reserved: 0,
            pads: const { &Self::PAD_PTRS }.as_ptr(),
            props: const { &Self::PROP_PTRS }.as_ptr(),
            signals: const { &Self::SIGNAL_PTRS }.as_ptr(),
            create: None,
            vtable,
            type_name: Some(Self::type_name),
        }
    }

    unsafe extern "C" fn type_name(out: *mut GmText) {
        guard_class((), || {
            let path = std::any::type_name::<E>().split('<').next().unwrap_or_default();
            let own = path.rsplit("::").next().unwrap_or(path);
            let name = if E::TYPE_NAME.is_empty() { &format!("Gst{own}") } else { E::TYPE_NAME };
            // SAFETY: see the type.
            unsafe { GmText::put(out, name) };
        });
    }

    const COMMON: GmElementVTable = GmElementVTable {
        struct_size: size_of::<GmElementVTable>() as u32,
        reserved: 0,
        destroy: Some(Self::destroy),
        start: None,
        stop: None,
        unlock: Some(Self::unlock),
        set_property: Some(Self::set_property),
        get_property: Some(Self::get_property),
        pad_caps: None,
        transform_caps: None,
        fixate: None,
        set_caps: None,
        create: None,
        seek: None,
        transform: None,
        preroll: None,
        render: None,
        chain: None,
        produce: None,
        stopped: None,
        sink_event: None,
        source_info: None,
        seek_through: None,
        event_arrives: None,
        src_event: None,
        query: Some(Self::shared_query),
        flush: None,
        action: Some(Self::shared_action),
        pad_added: None,
        pad_removed: None,
        is_live: None,
        oob_event: None,
        pad_name: None,
        chain_list: None,
    };

    unsafe fn make(vtable: &'static GmElementVTable, out: *mut GmElement) -> u8 {
        let made = catch_unwind(|| {
            let element = E::default();
            let shared = element.shared();
            Box::new(Object {
                element: UnsafeCell::new(element),
                shared,
                failed: AtomicBool::new(false),
            })
        });
        match made {
            Ok(object) if !out.is_null() => {
                // SAFETY: the host passes a place for the instance.
                unsafe { *out = GmElement { obj: Box::into_raw(object).cast(), vtable } };
                1
            }
            Ok(_) => 0,
            Err(payload) => {
                std::mem::forget(payload);
                0
            }
        }
    }

    unsafe extern "C" fn destroy(obj: *mut c_void) {
        guard_class((), || {
            // SAFETY: `make` boxed it; the host destroys once.
            drop(unsafe { Box::from_raw(obj.cast::<Object<E>>()) });
        });
    }

    unsafe extern "C" fn unlock(obj: *mut c_void, on: u8) {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.guard(std::ptr::null(), (), || {
            if let Some(shared) = &object.shared {
                shared.unlock(on != 0);
            }
        });
    }

    unsafe extern "C" fn set_property(
        obj: *mut c_void,
        cx: *const GmCx,
        name: GmStr,
        value: GmStr,
        why: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.guard(cx, 0, || {
            // SAFETY: see the type.
            let (name, value) = unsafe { (name.to_str(), value.to_str()) };
            let (Some(name), Some(value)) = (name, value) else { return 0 };
            let Some(prop) = E::PROPS.iter().find(|prop| prop.name() == name) else { return 0 };
            let done = if prop.is_live() {
                // SAFETY: only a shared reference; live fields are for any thread.
                prop.set_live(unsafe { &*object.element.get() }, value)
            } else {
                // SAFETY: the host sets other properties between streaming calls only.
                prop.set(unsafe { object.exclusive() }, value)
            };
            match done {
                Ok(()) => 1,
                Err(reason) => {
                    // SAFETY: see the type.
                    unsafe { GmText::put(why, &reason) };
                    0
                }
            }
        })
    }

    unsafe extern "C" fn get_property(obj: *mut c_void, name: GmStr, out: *mut GmText) -> u8 {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.guard(std::ptr::null(), 0, || {
            // SAFETY: see the type.
            let Some(name) = (unsafe { name.to_str() }) else { return 0 };
            let Some(prop) = E::PROPS.iter().find(|prop| prop.name() == name) else { return 0 };
            let text = if prop.is_live() {
                // SAFETY: only a shared reference; live fields are for any thread.
                prop.get_live(unsafe { &*object.element.get() })
            } else {
                // SAFETY: a control call.
                prop.get(unsafe { object.exclusive() })
            };
            match text {
                Some(text) => {
                    // SAFETY: see the type.
                    unsafe { GmText::put(out, &text) };
                    1
                }
                None => 0,
            }
        })
    }

    unsafe extern "C" fn shared_query(
        obj: *mut c_void,
        cx: *const GmCx,
        query: GmStr,
        out: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.guard(cx, 0, || {
            // SAFETY: see the type.
            let (Some(shared), Some(cx)) = (&object.shared, unsafe { Cx::from_raw(cx) }) else {
                return 0;
            };
            // SAFETY: see the type.
            unsafe { answer(query, out, |query| shared.query(&cx, query)) }
        })
    }

    unsafe extern "C" fn shared_action(
        obj: *mut c_void,
        cx: *const GmCx,
        action: *mut GmAction,
    ) -> i32 {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.guard(cx, GM_FLOW_PANICKED, || {
            // SAFETY: see the type.
            let (Some(shared), Some(cx)) = (&object.shared, unsafe { Cx::from_raw(cx) }) else {
                return FlowError::NotSupported.code();
            };
            // SAFETY: see the type.
            unsafe { perform(action, |action| shared.action(&cx, action)) }
        })
    }
}

/// A thunk of a streaming or control callback: `thunk!(name(args) -> ret, panicked, |e, cx| body)`.
macro_rules! thunk {
    ($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty, $panicked:expr, |$e:ident, $cx:ident| $body:expr) => {
        unsafe extern "C" fn $name(obj: *mut c_void, cx: *const GmCx $(, $arg: $ty)*) -> $ret {
            // SAFETY: see the type.
            let object = unsafe { Object::<E>::of(obj) };
            object.guard(cx, $panicked, || {
                // SAFETY: see the type.
                let Some(mut $cx) = (unsafe { Cx::from_raw(cx) }) else { return $panicked };
                let $cx = &mut $cx;
                // SAFETY: a streaming or control call of an element with a role.
                let $e = unsafe { object.exclusive() };
                $body
            })
        }
    };
}

/// As `thunk!`, for elements without a role: through a shared reference.
macro_rules! shared_thunk {
    ($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty, $panicked:expr, |$e:ident, $cx:ident| $body:expr) => {
        unsafe extern "C" fn $name(obj: *mut c_void, cx: *const GmCx $(, $arg: $ty)*) -> $ret {
            // SAFETY: see the type.
            let object = unsafe { Object::<E>::of(obj) };
            object.guard(cx, $panicked, || {
                // SAFETY: see the type.
                let Some($cx) = (unsafe { Cx::from_raw(cx) }) else { return $panicked };
                let $cx = &$cx;
                // SAFETY: an element without a role is only ever reached through `&E`, and is `Sync`.
                let $e = unsafe { &*object.element.get() };
                $body
            })
        }
    };
}

fn buffer_of(raw: *mut GmBuffer) -> Option<Buffer> {
    // SAFETY: the host passes a reference that the callback takes.
    unsafe { Buffer::from_raw(raw) }
}

/// # Safety
/// `bufs` must point to `n` buffers whose references the callee takes.
pub(crate) unsafe fn list_of(bufs: *const *mut GmBuffer, n: u32) -> BufferList {
    // SAFETY: the caller's promise.
    (0..n as usize).filter_map(|i| unsafe { Buffer::from_raw(*bufs.add(i)) }).collect()
}

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
        source_info: Some(Self::source_source_info),
        ..Self::COMMON
    };
    const SOURCE: &'static GmFactory = &GmFactory {
        create: Some(Self::source_make),
        ..Self::factory(GM_ROLE_SOURCE, E::SEEKABLE as u32 * GM_ROLE_SEEKABLE, Self::SOURCE_VT)
    };
    unsafe extern "C" fn source_make(_: *const GmHost, out: *mut GmElement) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::SOURCE_VT, out) }
    }
    thunk!(source_start() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.start(cx); started(cx, r) });
    thunk!(source_stop() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.stop(cx); started(cx, r) });
    unsafe extern "C" fn source_caps(cx: *const GmCx, _: u32, out: *mut GmText) -> u8 {
        guard_class(0, || {
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
        guard_class(0, || {
            // SAFETY: see the type.
            unsafe {
                let fixed = Cx::from_raw(cx).zip(parse_caps(caps)).map(|(cx, c)| E::fixate(&cx, c));
                put_caps(fixed, out)
            }
        })
    }
    unsafe extern "C" fn source_source_info(cx: *const GmCx, out: *mut GmSourceInfo) -> u8 {
        guard_class(0, || {
            // SAFETY: see the type; the host lends a place of the size it states.
            let (cx, out) = unsafe { (Cx::from_raw(cx), out.as_mut()) };
            let (Some(cx), Some(out)) = (cx, out) else { return 0 };
            if (out.struct_size as usize) < size_of::<GmSourceInfo>() {
                return 0;
            }
            out.format = E::format(&cx).number();
            out.seekable = u32::from(E::is_seekable(&cx));
            out.duration = E::duration(&cx).unwrap_or(GM_TIME_NONE);
            1
        })
    }
    unsafe extern "C" fn source_is_live(cx: *const GmCx) -> u8 {
        // SAFETY: see the type.
        guard_class(0, || unsafe { Cx::from_raw(cx) }.map_or(0, |cx| u8::from(E::is_live(&cx))))
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

/// # Safety
/// `out` must be null or a live place.
unsafe fn put_caps(caps: Option<Caps>, out: *mut GmText) -> u8 {
    match caps {
        Some(caps) => {
            // SAFETY: the caller's promise.
            unsafe { GmText::put(out, &caps.to_string()) };
            1
        }
        None => 0,
    }
}

impl<E: Transform> Role<E> {
    const TRANSFORM_VT: &'static GmElementVTable = &GmElementVTable {
        start: Some(Self::transform_start),
        stop: Some(Self::transform_stop),
        transform_caps: Some(Self::transform_transform_caps),
        fixate: Some(Self::transform_fixate),
        set_caps: Some(Self::transform_set_caps),
        transform: Some(Self::transform_transform),
        seek_through: Some(Self::transform_seek_through),
        sink_event: Some(Self::transform_sink_event),
        event_arrives: Some(Self::transform_event_arrives),
        src_event: Some(Self::transform_src_event),
        flush: Some(Self::transform_flush),
        ..Self::COMMON
    };
    const TRANSFORM: &'static GmFactory = &GmFactory {
        create: Some(Self::transform_make),
        ..Self::factory(
            GM_ROLE_TRANSFORM,
            !E::PREFER_PASSTHROUGH as u32 * GM_ROLE_OWN_ORDER,
            Self::TRANSFORM_VT,
        )
    };
    unsafe extern "C" fn transform_make(_: *const GmHost, out: *mut GmElement) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::TRANSFORM_VT, out) }
    }
    unsafe extern "C" fn transform_seek_through(
        obj: *mut c_void,
        cx: *const GmCx,
        event: GmStr,
        out: *mut GmText,
    ) -> u8 {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        object.guard(cx, 0, || {
            // SAFETY: see the type.
            let (event, cx) = unsafe { (parse_event(event), Cx::from_raw(cx)) };
            let (Some(mut event), Some(cx)) = (event, cx) else { return 0 };
            let EventKind::Seek(seek) = &event.kind else { return 0 };
            let onward = match &object.shared {
                Some(shared) => shared.seek(&cx, seek, event.seqnum),
                None => Some(seek.clone()),
            };
            let Some(onward) = onward else { return 0 };
            event.kind = EventKind::Seek(onward);
            // SAFETY: see the type.
            unsafe { GmText::put(out, &event.to_text()) };
            1
        })
    }
    thunk!(transform_start() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.start(cx); started(cx, r) });
    thunk!(transform_stop() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.stop(cx); started(cx, r) });
    unsafe extern "C" fn transform_transform_caps(
        cx: *const GmCx,
        direction: u32,
        caps: GmStr,
        out: *mut GmText,
    ) -> u8 {
        guard_class(0, || {
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
    unsafe extern "C" fn transform_fixate(
        cx: *const GmCx,
        input: GmStr,
        caps: GmStr,
        out: *mut GmText,
    ) -> u8 {
        guard_class(0, || {
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
        ..Self::COMMON
    };
    const SINK: &'static GmFactory = &GmFactory {
        create: Some(Self::sink_make),
        ..Self::factory(
            GM_ROLE_SINK,
            (E::SYNC as u32 * GM_ROLE_SYNC) | (E::ASYNC as u32 * GM_ROLE_ASYNC),
            Self::SINK_VT,
        )
    };
    unsafe extern "C" fn sink_make(_: *const GmHost, out: *mut GmElement) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::SINK_VT, out) }
    }
    thunk!(sink_start() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.start(cx); started(cx, r) });
    thunk!(sink_stop() -> i32, GM_FLOW_PANICKED, |e, cx| { let r = e.stop(cx); started(cx, r) });
    unsafe extern "C" fn sink_caps(cx: *const GmCx, _: u32, out: *mut GmText) -> u8 {
        guard_class(0, || {
            // SAFETY: see the type.
            unsafe { put_caps(Cx::from_raw(cx).and_then(|cx| E::caps(&cx)), out) }
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
        match buffer_of(buf) {
            Some(buf) => {
                let result = e.preroll(cx, &buf);
                // The host lent it.
                let _ = buf.into_raw();
                code(result)
            }
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

impl<E: MultiPad> Role<E> {
    const MULTI_VT: &'static GmElementVTable = &GmElementVTable {
        start: Some(Self::multi_start),
        stop: Some(Self::multi_stop),
        chain: Some(Self::multi_chain),
        chain_list: if E::TAKES_LISTS { Some(Self::multi_chain_list) } else { None },
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
    const MULTI: &'static GmFactory = &GmFactory {
        create: Some(Self::multi_make),
        ..Self::factory(GM_ROLE_MULTI, 0, Self::MULTI_VT)
    };
    unsafe extern "C" fn multi_make(_: *const GmHost, out: *mut GmElement) -> u8 {
        // SAFETY: see the type.
        unsafe { Self::make(Self::MULTI_VT, out) }
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
        unsafe { answer(query, out, |query| e.query(cx, query)) }
    });
    shared_thunk!(multi_flush() -> (), NOTHING, |e, cx| e.flush(cx));
    shared_thunk!(multi_action(action: *mut GmAction) -> i32, GM_FLOW_PANICKED, |e, cx| {
        // SAFETY: see the type.
        unsafe { perform(action, |action| e.action(cx, action)) }
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
        object.guard(cx, 0, || {
            // SAFETY: see the type.
            if let Some(cx) = unsafe { Cx::from_raw(cx) }.filter(|_| done != 0) {
                // SAFETY: a shared reference.
                unsafe { &*object.element.get() }.property_changed(&cx, name);
            }
            done
        })
    }
}

/// What built this image, for `inspect`.
pub const BUILD_INFO: &str = concat!("gst-mini-core ", env!("CARGO_PKG_VERSION"));

/// Called once by the host before the first instance of a loaded plugin is made.
///
/// Panics inside a loaded plugin do not reach the host's panic hook; this image's own hook writes
/// their place to the host's log instead.
///
/// # Safety
/// `host` must be null or valid for the process.
pub unsafe fn init(host: *const GmHost) -> u8 {
    // SAFETY: the caller's promise.
    let Some(host) = (unsafe { host.as_ref() }) else { return 0 };
    let Some(log) = host.log else { return 1 };
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.to_string();
        // SAFETY: the host's function, with texts that live for the call.
        unsafe { log(1, GmStr::new("plugin"), GmStr::new(&text)) }
    }));
    1
}
