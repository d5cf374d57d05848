//! What surrounds an element's instance: its functions made safe to call, its properties, and what it
//! is lent.
//!
//! Invariant: an instance is reached through [`instance::Instance`] only, from one base.
//! In GStreamer: the parts of `gst/gstelement.c` and GObject that every element inherits.
//! Left out: nothing of its own.

pub(crate) mod context;
pub(crate) mod core;
pub(crate) mod instance;
pub(crate) mod lent;
pub(crate) mod props;
pub(crate) mod signals;
pub(crate) mod supply;
pub(crate) mod table;
pub(crate) mod waiters;
