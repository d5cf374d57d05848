//! A plugin's descriptor, and what the host gives a plugin once.
//!
//! Invariant: the first four fields of the descriptor never change, whatever the version.
//! In GStreamer: `gst/gstplugin.h` (`GstPluginDesc`).
//! Left out: unloading.

use super::buffer::GmBuffer;
use super::factory::GmFactory;
use super::words::{GmStr, GmText};
use std::ffi::c_void;

/// What the host gives a plugin once, valid for the process.
#[repr(C)]
pub struct GmHost {
    /// Of this struct.
    pub struct_size: u32,
    /// The host's ABI.
    pub abi_major: u16,
    /// The host's ABI.
    pub abi_minor: u16,
    /// Writes to the host's log under a category.
    pub log: Option<unsafe extern "C" fn(level: u32, category: GmStr, text: GmStr)>,
    /// Extensions by id; null if unknown.
    pub get_extension: Option<unsafe extern "C" fn(id: GmStr) -> *const c_void>,
    /// A buffer of `len` bytes, all zero, without times. Any thread.
    pub buffer_new: Option<unsafe extern "C" fn(len: usize) -> *mut GmBuffer>,
    /// Takes a buffer and gives back one whose header and data nobody else sees: the same, or a copy.
    /// Any thread.
    pub buffer_writable: Option<unsafe extern "C" fn(buf: *mut GmBuffer) -> *mut GmBuffer>,
    /// Adds a meta of `len` bytes, which are copied, to a buffer nobody else sees. Any thread.
    pub buffer_add_meta: Option<
        unsafe extern "C" fn(buf: *mut GmBuffer, id: GmStr, data: *const c_void, len: usize),
    >,
    /// A pool of buffers of `len` bytes that keeps `keep` of them when they come back. Any thread.
    pub pool_new: Option<unsafe extern "C" fn(len: usize, keep: usize) -> *mut c_void>,
    /// A buffer of the pool; its bytes are those of its last use. Any thread.
    pub pool_acquire: Option<unsafe extern "C" fn(pool: *mut c_void) -> *mut GmBuffer>,
    /// Gives the pool back; buffers that are out live on. Any thread, once.
    pub pool_free: Option<unsafe extern "C" fn(pool: *mut c_void)>,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: u64,
}

/// Exported as data under `gst_mini_plugin_<name>`. The first four fields are frozen for ever.
#[repr(C)]
pub struct GmPluginDesc {
    /// `GM_MAGIC`.
    pub magic: u64,
    /// Built against.
    pub abi_major: u16,
    /// Built against.
    pub abi_minor: u16,
    /// Of this struct.
    pub struct_size: u32,
    /// Oldest minor of a host it works with.
    pub min_host_minor: u32,
    /// `GM_PLUGIN_…`.
    pub flags: u32,
    /// As in the symbol.
    pub name: GmStr,
    /// Of the plugin.
    pub version: GmStr,
    /// SPDX.
    pub license: GmStr,
    /// Where it comes from.
    pub source: GmStr,
    /// Compiler and target.
    pub build_info: GmStr,
    /// One sentence.
    pub description: GmStr,
    /// How many factories.
    pub n_factories: u32,
    /// Zero.
    pub reserved: u32,
    /// Pointers to factories.
    pub factories: *const *const GmFactory,
    /// Called once before the first create; 1 on success, else the reason is written.
    pub init: Option<unsafe extern "C" fn(host: *const GmHost, why: *mut GmText) -> u8>,
    /// Reserved; null.
    pub deinit: Option<unsafe extern "C" fn()>,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: u64,
}

// SAFETY: immutable data whose pointers point to other immutable statics.
unsafe impl Sync for GmPluginDesc {}
// SAFETY: a table of functions of the host, which never changes.
unsafe impl Sync for GmHost {}
