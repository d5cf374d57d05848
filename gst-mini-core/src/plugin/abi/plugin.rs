//! A plugin's descriptor, and what the host gives a plugin once.
//!
//! Invariant: the first four fields of the descriptor never change, whatever the version.
//! In GStreamer: `gst/gstplugin.h` (`GstPluginDesc`).
//! Left out: unloading.

use super::factory::GmFactory;
use super::words::GmStr;
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
}

/// Exported as data under `gst_mini_plugin_<name>`. The first four fields are frozen for ever.
#[repr(C)]
pub struct GmPluginDesc {
    /// [`GM_MAGIC`].
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
    /// Called once before the first create; 1 on success.
    pub init: Option<unsafe extern "C" fn(host: *const GmHost) -> u8>,
    /// Reserved.
    pub deinit: Option<unsafe extern "C" fn()>,
}

// SAFETY: immutable data whose pointers point to other immutable statics.
unsafe impl Sync for GmPluginDesc {}
// SAFETY: a table of functions of the host, which never changes.
unsafe impl Sync for GmHost {}
