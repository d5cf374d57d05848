//! What the compiler must agree to: sizes and offsets of the boundary. Made by `cargo xtask abi`.
//!
//! Invariant: equal to `include/gst_mini.h`, which makes C compilers check the same numbers.
//! In GStreamer: `gst/gstabi.c` in its tests.
//! Left out: machines whose pointers are not 64 bits wide.

use super::*;
use std::mem::offset_of;

// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmMeta {
    const BASE: usize = 56;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmCx {
    const BASE: usize = 24;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmCxVTable {
    const BASE: usize = 336;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmPosterVTable {
    const BASE: usize = 56;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmAction {
    const BASE: usize = 56;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmElementVTable {
    const BASE: usize = 320;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmSourceInfo {
    const BASE: usize = 24;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmPadTemplate {
    const BASE: usize = 64;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmPropSpec {
    const BASE: usize = 120;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmSignalSpec {
    const BASE: usize = 40;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmFactory {
    const BASE: usize = 176;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmHost {
    const BASE: usize = 72;
}
// SAFETY: the layout below; integers, pointers and functions may all be zero.
unsafe impl Growable for GmPluginDesc {
    const BASE: usize = 152;
    const SIZE_AT: usize = 12;
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<GmStr>() == 16);
    assert!(offset_of!(GmStr, ptr) == 0);
    assert!(offset_of!(GmStr, len) == 8);
    assert!(size_of::<GmText>() == 16);
    assert!(offset_of!(GmText, obj) == 0);
    assert!(offset_of!(GmText, write) == 8);
    assert!(size_of::<GmBuffer>() == 144);
    assert!(offset_of!(GmBuffer, refcount) == 0);
    assert!(offset_of!(GmBuffer, flags) == 8);
    assert!(offset_of!(GmBuffer, reserved0) == 12);
    assert!(offset_of!(GmBuffer, free) == 16);
    assert!(offset_of!(GmBuffer, owner) == 24);
    assert!(offset_of!(GmBuffer, parent) == 32);
    assert!(offset_of!(GmBuffer, data) == 40);
    assert!(offset_of!(GmBuffer, len) == 48);
    assert!(offset_of!(GmBuffer, cap) == 56);
    assert!(offset_of!(GmBuffer, pts) == 64);
    assert!(offset_of!(GmBuffer, dts) == 72);
    assert!(offset_of!(GmBuffer, duration) == 80);
    assert!(offset_of!(GmBuffer, offset) == 88);
    assert!(offset_of!(GmBuffer, offset_end) == 96);
    assert!(offset_of!(GmBuffer, metas) == 104);
    assert!(offset_of!(GmBuffer, reserved) == 112);
    assert!(size_of::<GmMeta>() >= 56);
    assert!(offset_of!(GmMeta, struct_size) == 0);
    assert!(offset_of!(GmMeta, flags) == 4);
    assert!(offset_of!(GmMeta, id) == 8);
    assert!(offset_of!(GmMeta, data) == 24);
    assert!(offset_of!(GmMeta, free) == 40);
    assert!(offset_of!(GmMeta, next) == 48);
    assert!(size_of::<GmFlowBuf>() == 16);
    assert!(offset_of!(GmFlowBuf, code) == 0);
    assert!(offset_of!(GmFlowBuf, buf) == 8);
    assert!(size_of::<GmPassed>() >= 64);
    assert!(offset_of!(GmPassed, buffers) == 0);
    assert!(offset_of!(GmPassed, bytes) == 8);
    assert!(offset_of!(GmPassed, pts) == 16);
    assert!(offset_of!(GmPassed, dts) == 24);
    assert!(offset_of!(GmPassed, duration) == 32);
    assert!(offset_of!(GmPassed, offset) == 40);
    assert!(offset_of!(GmPassed, offset_end) == 48);
    assert!(offset_of!(GmPassed, reserved) == 56);
    assert!(size_of::<GmCx>() >= 32);
    assert!(offset_of!(GmCx, struct_size) == 0);
    assert!(offset_of!(GmCx, pad) == 4);
    assert!(offset_of!(GmCx, obj) == 8);
    assert!(offset_of!(GmCx, vtable) == 16);
    assert!(offset_of!(GmCx, listeners) == 24);
    assert!(size_of::<GmCxVTable>() >= 336);
    assert!(offset_of!(GmCxVTable, struct_size) == 0);
    assert!(offset_of!(GmCxVTable, reserved) == 4);
    assert!(offset_of!(GmCxVTable, output) == 8);
    assert!(offset_of!(GmCxVTable, output_event) == 16);
    assert!(offset_of!(GmCxVTable, push) == 24);
    assert!(offset_of!(GmCxVTable, push_event) == 32);
    assert!(offset_of!(GmCxVTable, event_default) == 40);
    assert!(offset_of!(GmCxVTable, peer_query) == 48);
    assert!(offset_of!(GmCxVTable, query_default) == 56);
    assert!(offset_of!(GmCxVTable, post) == 64);
    assert!(offset_of!(GmCxVTable, log) == 72);
    assert!(offset_of!(GmCxVTable, log_enabled) == 80);
    assert!(offset_of!(GmCxVTable, property) == 88);
    assert!(offset_of!(GmCxVTable, publish) == 96);
    assert!(offset_of!(GmCxVTable, emit) == 104);
    assert!(offset_of!(GmCxVTable, clock_now) == 112);
    assert!(offset_of!(GmCxVTable, base_time) == 120);
    assert!(offset_of!(GmCxVTable, utc_now) == 128);
    assert!(offset_of!(GmCxVTable, simulated) == 136);
    assert!(offset_of!(GmCxVTable, clock_wait) == 144);
    assert!(offset_of!(GmCxVTable, sleep) == 152);
    assert!(offset_of!(GmCxVTable, ticket) == 160);
    assert!(offset_of!(GmCxVTable, wait) == 168);
    assert!(offset_of!(GmCxVTable, wake) == 176);
    assert!(offset_of!(GmCxVTable, runtime_now) == 184);
    assert!(offset_of!(GmCxVTable, pad_caps) == 192);
    assert!(offset_of!(GmCxVTable, pad_segment) == 200);
    assert!(offset_of!(GmCxVTable, pads) == 208);
    assert!(offset_of!(GmCxVTable, set_latency) == 216);
    assert!(offset_of!(GmCxVTable, flushing) == 224);
    assert!(offset_of!(GmCxVTable, foreign) == 232);
    assert!(offset_of!(GmCxVTable, poster) == 240);
    assert!(offset_of!(GmCxVTable, add_pad) == 248);
    assert!(offset_of!(GmCxVTable, remove_pad) == 256);
    assert!(offset_of!(GmCxVTable, no_more_pads) == 264);
    assert!(offset_of!(GmCxVTable, emit_for) == 272);
    assert!(offset_of!(GmCxVTable, sync) == 280);
    assert!(offset_of!(GmCxVTable, sticky_event) == 288);
    assert!(offset_of!(GmCxVTable, push_list) == 296);
    assert!(offset_of!(GmCxVTable, store_event) == 304);
    assert!(offset_of!(GmCxVTable, start_task) == 312);
    assert!(offset_of!(GmCxVTable, dropped) == 320);
    assert!(offset_of!(GmCxVTable, acquire) == 328);
    assert!(size_of::<GmPoster>() == 16);
    assert!(offset_of!(GmPoster, obj) == 0);
    assert!(offset_of!(GmPoster, vtable) == 8);
    assert!(size_of::<GmPosterVTable>() >= 56);
    assert!(offset_of!(GmPosterVTable, struct_size) == 0);
    assert!(offset_of!(GmPosterVTable, reserved) == 4);
    assert!(offset_of!(GmPosterVTable, post) == 8);
    assert!(offset_of!(GmPosterVTable, log) == 16);
    assert!(offset_of!(GmPosterVTable, publish) == 24);
    assert!(offset_of!(GmPosterVTable, wake) == 32);
    assert!(offset_of!(GmPosterVTable, clone) == 40);
    assert!(offset_of!(GmPosterVTable, unref) == 48);
    assert!(size_of::<GmAction>() >= 56);
    assert!(offset_of!(GmAction, struct_size) == 0);
    assert!(offset_of!(GmAction, reserved) == 4);
    assert!(offset_of!(GmAction, name) == 8);
    assert!(offset_of!(GmAction, args) == 24);
    assert!(offset_of!(GmAction, buf) == 40);
    assert!(offset_of!(GmAction, answer) == 48);
    assert!(size_of::<GmElement>() == 16);
    assert!(offset_of!(GmElement, obj) == 0);
    assert!(offset_of!(GmElement, vtable) == 8);
    assert!(size_of::<GmElementVTable>() >= 328);
    assert!(offset_of!(GmElementVTable, struct_size) == 0);
    assert!(offset_of!(GmElementVTable, reserved) == 4);
    assert!(offset_of!(GmElementVTable, destroy) == 8);
    assert!(offset_of!(GmElementVTable, start) == 16);
    assert!(offset_of!(GmElementVTable, stop) == 24);
    assert!(offset_of!(GmElementVTable, unlock) == 32);
    assert!(offset_of!(GmElementVTable, set_property) == 40);
    assert!(offset_of!(GmElementVTable, get_property) == 48);
    assert!(offset_of!(GmElementVTable, pad_caps) == 56);
    assert!(offset_of!(GmElementVTable, transform_caps) == 64);
    assert!(offset_of!(GmElementVTable, fixate) == 72);
    assert!(offset_of!(GmElementVTable, set_caps) == 80);
    assert!(offset_of!(GmElementVTable, create) == 88);
    assert!(offset_of!(GmElementVTable, seek) == 96);
    assert!(offset_of!(GmElementVTable, transform) == 104);
    assert!(offset_of!(GmElementVTable, preroll) == 112);
    assert!(offset_of!(GmElementVTable, render) == 120);
    assert!(offset_of!(GmElementVTable, chain) == 128);
    assert!(offset_of!(GmElementVTable, produce) == 136);
    assert!(offset_of!(GmElementVTable, stopped) == 144);
    assert!(offset_of!(GmElementVTable, sink_event) == 152);
    assert!(offset_of!(GmElementVTable, src_event) == 160);
    assert!(offset_of!(GmElementVTable, query) == 168);
    assert!(offset_of!(GmElementVTable, flush) == 176);
    assert!(offset_of!(GmElementVTable, action) == 184);
    assert!(offset_of!(GmElementVTable, pad_added) == 192);
    assert!(offset_of!(GmElementVTable, pad_removed) == 200);
    assert!(offset_of!(GmElementVTable, is_live) == 208);
    assert!(offset_of!(GmElementVTable, source_info) == 216);
    assert!(offset_of!(GmElementVTable, seek_through) == 224);
    assert!(offset_of!(GmElementVTable, event_arrives) == 232);
    assert!(offset_of!(GmElementVTable, oob_event) == 240);
    assert!(offset_of!(GmElementVTable, change_state) == 248);
    assert!(offset_of!(GmElementVTable, pad_name) == 256);
    assert!(offset_of!(GmElementVTable, chain_list) == 264);
    assert!(offset_of!(GmElementVTable, provide_clock) == 272);
    assert!(offset_of!(GmElementVTable, clock_now) == 280);
    assert!(offset_of!(GmElementVTable, instance_caps) == 288);
    assert!(offset_of!(GmElementVTable, get_range) == 296);
    assert!(offset_of!(GmElementVTable, next_range) == 304);
    assert!(offset_of!(GmElementVTable, modes) == 312);
    assert!(offset_of!(GmElementVTable, passes) == 320);
    assert!(size_of::<GmSourceInfo>() >= 24);
    assert!(offset_of!(GmSourceInfo, struct_size) == 0);
    assert!(offset_of!(GmSourceInfo, format) == 4);
    assert!(offset_of!(GmSourceInfo, seekable) == 8);
    assert!(offset_of!(GmSourceInfo, reserved) == 12);
    assert!(offset_of!(GmSourceInfo, duration) == 16);
    assert!(size_of::<GmPadTemplate>() >= 64);
    assert!(offset_of!(GmPadTemplate, struct_size) == 0);
    assert!(offset_of!(GmPadTemplate, direction) == 4);
    assert!(offset_of!(GmPadTemplate, presence) == 8);
    assert!(offset_of!(GmPadTemplate, flags) == 12);
    assert!(offset_of!(GmPadTemplate, name) == 16);
    assert!(offset_of!(GmPadTemplate, caps) == 32);
    assert!(offset_of!(GmPadTemplate, pad_type) == 48);
    assert!(size_of::<GmPropSpec>() >= 120);
    assert!(offset_of!(GmPropSpec, struct_size) == 0);
    assert!(offset_of!(GmPropSpec, flags) == 4);
    assert!(offset_of!(GmPropSpec, name) == 8);
    assert!(offset_of!(GmPropSpec, type_name) == 24);
    assert!(offset_of!(GmPropSpec, blurb) == 40);
    assert!(offset_of!(GmPropSpec, unit) == 56);
    assert!(offset_of!(GmPropSpec, min) == 72);
    assert!(offset_of!(GmPropSpec, max) == 88);
    assert!(offset_of!(GmPropSpec, default_value) == 104);
    assert!(size_of::<GmSignalSpec>() >= 40);
    assert!(offset_of!(GmSignalSpec, struct_size) == 0);
    assert!(offset_of!(GmSignalSpec, action) == 4);
    assert!(offset_of!(GmSignalSpec, name) == 8);
    assert!(offset_of!(GmSignalSpec, blurb) == 24);
    assert!(size_of::<GmFactory>() >= 176);
    assert!(offset_of!(GmFactory, struct_size) == 0);
    assert!(offset_of!(GmFactory, role) == 4);
    assert!(offset_of!(GmFactory, rank) == 8);
    assert!(offset_of!(GmFactory, role_flags) == 12);
    assert!(offset_of!(GmFactory, name) == 16);
    assert!(offset_of!(GmFactory, long_name) == 32);
    assert!(offset_of!(GmFactory, klass) == 48);
    assert!(offset_of!(GmFactory, description) == 64);
    assert!(offset_of!(GmFactory, author) == 80);
    assert!(offset_of!(GmFactory, upstream_events) == 96);
    assert!(offset_of!(GmFactory, n_pads) == 112);
    assert!(offset_of!(GmFactory, n_props) == 116);
    assert!(offset_of!(GmFactory, n_signals) == 120);
    assert!(offset_of!(GmFactory, reserved) == 124);
    assert!(offset_of!(GmFactory, pads) == 128);
    assert!(offset_of!(GmFactory, props) == 136);
    assert!(offset_of!(GmFactory, signals) == 144);
    assert!(offset_of!(GmFactory, create) == 152);
    assert!(offset_of!(GmFactory, vtable) == 160);
    assert!(offset_of!(GmFactory, type_name) == 168);
    assert!(size_of::<GmHost>() >= 72);
    assert!(offset_of!(GmHost, struct_size) == 0);
    assert!(offset_of!(GmHost, abi_major) == 4);
    assert!(offset_of!(GmHost, abi_minor) == 6);
    assert!(offset_of!(GmHost, log) == 8);
    assert!(offset_of!(GmHost, get_extension) == 16);
    assert!(offset_of!(GmHost, buffer_new) == 24);
    assert!(offset_of!(GmHost, buffer_writable) == 32);
    assert!(offset_of!(GmHost, buffer_add_meta) == 40);
    assert!(offset_of!(GmHost, pool_new) == 48);
    assert!(offset_of!(GmHost, pool_acquire) == 56);
    assert!(offset_of!(GmHost, pool_free) == 64);
    assert!(size_of::<GmPluginDesc>() >= 152);
    assert!(offset_of!(GmPluginDesc, magic) == 0);
    assert!(offset_of!(GmPluginDesc, abi_major) == 8);
    assert!(offset_of!(GmPluginDesc, abi_minor) == 10);
    assert!(offset_of!(GmPluginDesc, struct_size) == 12);
    assert!(offset_of!(GmPluginDesc, min_host_minor) == 16);
    assert!(offset_of!(GmPluginDesc, flags) == 20);
    assert!(offset_of!(GmPluginDesc, name) == 24);
    assert!(offset_of!(GmPluginDesc, version) == 40);
    assert!(offset_of!(GmPluginDesc, license) == 56);
    assert!(offset_of!(GmPluginDesc, source) == 72);
    assert!(offset_of!(GmPluginDesc, build_info) == 88);
    assert!(offset_of!(GmPluginDesc, description) == 104);
    assert!(offset_of!(GmPluginDesc, n_factories) == 120);
    assert!(offset_of!(GmPluginDesc, reserved) == 124);
    assert!(offset_of!(GmPluginDesc, factories) == 128);
    assert!(offset_of!(GmPluginDesc, init) == 136);
    assert!(offset_of!(GmPluginDesc, deinit) == 144);
};
