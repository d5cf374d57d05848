//! The C boundary: every struct and constant that host and plugin both look at.
//!
//! One representation serves linked and loaded elements alike. Growable structs begin with their
//! size and are only ever reached through pointers; frozen ones are read without a check. Buffers
//! and flow codes are binary because they are hot. Caps, events, queries, messages and property
//! values cross as canonical text: they are rare, and text has no layout to break.
//!
//! Invariant: nothing here has behavior; fixed-width integers, raw pointers and `Option`s of
//! `extern "C"` functions only. A lock is operated only by the image that made it.
//! In GStreamer: `gst/gstplugin.h` (`GstPluginDesc`), `gst/gstelement.h` (`GstElementClass`).
//! Left out: unloading. A plugin stays mapped until the process ends.

mod buffer;
mod cx;
mod element;
mod factory;
mod plugin;
mod words;

pub use buffer::*;
pub use cx::*;
pub use element::*;
pub use factory::*;
pub use plugin::*;
pub use words::*;

// The hot structs are frozen: a change of these numbers is a change of the major.
const _: () = {
    assert!(size_of::<GmBuffer>() == 144);
    assert!(std::mem::offset_of!(GmBuffer, data) == 40);
    assert!(std::mem::offset_of!(GmBuffer, pts) == 64);
    assert!(std::mem::offset_of!(GmBuffer, metas) == 104);
    assert!(size_of::<GmFlowBuf>() == 16);
    assert!(size_of::<GmStr>() == 16);
    assert!(size_of::<GmElement>() == 16);
    assert!(std::mem::offset_of!(GmPluginDesc, struct_size) == 12);
};
