//! Turns an author's Rust element into the C factory and functions of the boundary.
//!
//! Every function here is an `extern "C"` thunk whose body cannot unwind: a panic is caught, told on
//! the bus, and the instance takes no further calls. Linked and loaded elements use the same thunks.
//!
//! Invariant: no panic leaves a thunk; a failed instance is only destroyed.
//! In GStreamer: `gst/gstelementfactory.c` (`gst_element_register`).
//! Left out: aggregators.

mod common;
mod multi;
mod object;
mod sink;
mod source;
mod transform;

use crate::cx::Cx;
use crate::element::{Element, MultiPad, PadTemplate, Signal, Sink, Source, Transform};
use crate::plugin::abi::*;
use crate::property::Prop;
use crate::state::{State, StateReturn, Transition};
use common::*;
use object::*;
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::atomic::AtomicBool;

#[cfg(feature = "host")]
pub(crate) use object::list_of;

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
            #[cfg(gst_mini_abi_next)]
            next: NEXT,
        }
    }

    unsafe extern "C" fn type_name(out: *mut GmText) {
        // SAFETY: see the type.
        unsafe { put_type_name(std::any::type_name::<E>(), E::TYPE_NAME, out) }
    }

    const COMMON: GmElementVTable = GmElementVTable {
        struct_size: size_of::<GmElementVTable>() as u32,
        reserved: 0,
        destroy: Some(Self::destroy),
        start: None,
        stop: None,
        unlock: Some(unlock),
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
        query: Some(shared_query),
        flush: None,
        action: Some(shared_action),
        pad_added: None,
        pad_removed: None,
        is_live: None,
        oob_event: None,
        change_state: Some(Self::change_state),
        pad_name: None,
        chain_list: None,
        provide_clock: Some(provide_clock),
        clock_now: Some(clock_now),
        instance_caps: None,
        get_range: None,
        next_range: None,
        modes: None,
        passes: None,
        #[cfg(gst_mini_abi_next)]
        next: Some(next),
    };

    unsafe extern "C" fn change_state(cx: *const GmCx, from: u32, to: u32) -> i32 {
        guard_class(cx, "common_change_state", GM_FLOW_PANICKED, || {
            // SAFETY: see the type.
            let Some(cx) = (unsafe { Cx::from_raw(cx) }) else { return GM_FLOW_OK };
            let states = [State::Null, State::Ready, State::Paused, State::Playing];
            let state = |raw: u32| states.get(raw as usize).copied();
            let (Some(from), Some(to)) = (state(from), state(to)) else { return GM_FLOW_OK };
            match E::change_state(&cx, Transition { from, to }) {
                Ok(StateReturn::NoPreroll) => 1,
                Ok(_) => GM_FLOW_OK,
                Err(error) => cx.fail(error).code(),
            }
        })
    }

    unsafe fn make(
        vtable: &'static GmElementVTable,
        host: *const GmHost,
        out: *mut GmElement,
        why: *mut GmText,
    ) -> u8 {
        match made::<E>() {
            Ok((element, shared)) if !out.is_null() => {
                let object = Box::new(Object {
                    common: Common {
                        shared,
                        passing: UnsafeCell::default(),
                        failed: AtomicBool::new(false),
                        story: Mutex::new(String::new()),
                        told: AtomicBool::new(false),
                        host,
                        name: E::NAME,
                    },
                    element: UnsafeCell::new(element),
                });
                // SAFETY: the host passes a place for the instance.
                unsafe { *out = GmElement { obj: Box::into_raw(object).cast(), vtable } };
                1
            }
            Ok(_) => 0,
            Err(text) => {
                // SAFETY: see the type.
                unsafe { GmText::put(why, &text) };
                0
            }
        }
    }

    unsafe extern "C" fn destroy(obj: *mut c_void) {
        // SAFETY: see the type; the host destroys once.
        unsafe { destroy::<E>(obj) }
    }

    fn prop(name: &str) -> Option<&'static Prop<E>> {
        let specs = const { &Self::PROP_PTRS };
        E::PROPS.get(place_of(&specs[..E::PROPS.len()], name)?)
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
        let mut set = |name: &str, value: &str| {
            let prop = Self::prop(name)?;
            if prop.is_live() {
                // SAFETY: only a shared reference; live fields are for any thread.
                let element = unsafe { &*object.element.get() };
                return Some(prop.set_live(element, value).map(|()| true));
            }
            // SAFETY: the host sets other properties between streaming calls only.
            let element = unsafe { object.exclusive() };
            let done = prop.set(element, value);
            if done.is_ok() {
                element.property_set(name);
            }
            Some(done.map(|()| false))
        };
        // SAFETY: see the type.
        unsafe { object.common.set_property(cx, (name, value), why, &mut set) }
    }

    unsafe extern "C" fn get_property(obj: *mut c_void, name: GmStr, out: *mut GmText) -> u8 {
        // SAFETY: see the type.
        let object = unsafe { Object::<E>::of(obj) };
        let mut get = |name: &str| {
            let prop = Self::prop(name)?;
            if prop.is_live() {
                // SAFETY: only a shared reference; live fields are for any thread.
                return prop.get_live(unsafe { &*object.element.get() });
            }
            // SAFETY: a control call.
            prop.get(unsafe { object.exclusive() })
        };
        // SAFETY: see the type.
        unsafe { object.common.get_property(name, out, &mut get) }
    }
}

/// What built this image, for `inspect`.
pub const BUILD_INFO: &str =
    concat!("gst-mini-core ", env!("CARGO_PKG_VERSION"), ", ", env!("GST_MINI_COMPILER"));

/// What `plugin!` writes, with what only the plugin's own crate knows.
pub struct About {
    /// As in the symbol.
    pub name: &'static str,
    /// Of the plugin.
    pub version: &'static str,
    /// SPDX.
    pub license: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Whether a panic in it ends the process.
    pub aborts_on_panic: bool,
}

/// A plugin's descriptor. `factories` must point to `count` pointers that live for ever.
pub const fn descriptor(
    about: About,
    factories: *const *const GmFactory,
    count: usize,
) -> GmPluginDesc {
    GmPluginDesc {
        magic: GM_MAGIC,
        abi_major: GM_ABI_MAJOR,
        abi_minor: GM_ABI_MINOR,
        struct_size: size_of::<GmPluginDesc>() as u32,
        min_host_minor: GM_ABI_MINOR as u32,
        flags: if about.aborts_on_panic { GM_PLUGIN_PANIC_ABORT } else { 0 },
        name: GmStr::new(about.name),
        version: GmStr::new(about.version),
        license: GmStr::new(about.license),
        source: GmStr::new(about.source),
        build_info: GmStr::new(BUILD_INFO),
        description: GmStr::new(about.description),
        n_factories: count as u32,
        reserved: 0,
        factories,
        init: Some(init),
        deinit: None,
        #[cfg(gst_mini_abi_next)]
        next: NEXT,
    }
}

#[cfg(gst_mini_abi_next)]
unsafe extern "C" fn next(_: *mut c_void) -> u32 {
    NEXT as u32
}

/// Called once by the host before the first instance of a loaded plugin is made.
///
/// Panics inside a loaded plugin do not reach the host's panic hook; this image's own hook writes
/// their place to the host's log instead.
unsafe extern "C" fn init(host: *const GmHost, _: *mut GmText) -> u8 {
    // SAFETY: the host passes its table, valid for the process.
    let Some(host) = (unsafe { host.as_ref() }) else { return 0 };
    let Some(log) = host.log else { return 1 };
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.to_string();
        // SAFETY: the host's function, with texts that live for the call.
        unsafe { log(GM_LOG_ERROR, GmStr::new("plugin"), GmStr::new(&text)) }
    }));
    1
}
