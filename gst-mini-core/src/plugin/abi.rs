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
mod layout;
mod plugin;
mod words;

pub use buffer::*;
pub use cx::*;
pub use element::*;
pub use factory::*;
pub use plugin::*;
pub use words::*;

/// A struct that begins with its size and whose maker may be of an older or a newer version.
///
/// # Safety
/// `repr(C)`; the first [`Growable::BASE`] bytes are there in every version of this major and minor, with
/// the size as a `u32` at [`Growable::SIZE_AT`]; and zeros are a value of every field.
pub unsafe trait Growable: Sized {
    /// Bytes of it that every version has.
    const BASE: usize;
    /// Where its size stands.
    const SIZE_AT: usize = 0;
}

/// A field that came after the first version of a table: `None` if the table's maker did not know it.
#[cfg(gst_mini_abi_next)]
macro_rules! tail {
    ($table:expr, $ty:ty, $field:ident) => {{
        let table: &$ty = $table;
        let end = std::mem::offset_of!($ty, $field) + 8;
        if end <= table.struct_size as usize { table.$field } else { None }
    }};
}
#[cfg(gst_mini_abi_next)]
pub(crate) use tail;

/// A value that no older version has in its place.
#[cfg(gst_mini_abi_next)]
pub(crate) const NEXT: u64 = 0x6e65_7874;
