//! Metas: named bytes that travel with a buffer.
//!
//! Invariant: a meta is freed once, by the image that made it; the list is changed by a sole owner only.
//! In GStreamer: `gst/gstmeta.c` (`gst_buffer_add_meta`), there typed structs.
//! Left out: transforms of metas; tags that say which survive a copy.

use super::Buffer;
use crate::plugin::abi::{GmMeta, GmStr};

/// # Safety
/// Nobody may use the list afterwards.
pub(crate) unsafe fn free_metas(mut meta: *mut GmMeta) {
    while !meta.is_null() {
        // SAFETY: the list is alive until its `free` is called, and `next` is read before.
        let (next, free) = unsafe { ((*meta).next, (*meta).free) };
        if let Some(free) = free {
            // SAFETY: each meta is freed once, by its maker's function.
            unsafe { free(meta) };
        }
        meta = next;
    }
}

/// A meta with its text, made by this image.
#[repr(C)]
struct OwnedMeta {
    meta: GmMeta,
    id: String,
    data: Vec<u8>,
}

unsafe extern "C" fn free_meta(meta: *mut GmMeta) {
    // SAFETY: `set_meta` made it from a box of `OwnedMeta`, whose first field this is.
    drop(unsafe { Box::from_raw(meta.cast::<OwnedMeta>()) });
}

impl Buffer {
    /// All metas: id and content.
    pub fn metas(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut next = self.header().metas;
        std::iter::from_fn(move || {
            // SAFETY: the list lives as long as the header and is changed by a sole owner only.
            let meta = unsafe { next.as_ref()? };
            next = meta.next;
            // SAFETY: id and data live as long as their meta.
            unsafe {
                let id = meta.id.to_str().unwrap_or("");
                let data = if meta.data.ptr.is_null() {
                    &[][..]
                } else {
                    std::slice::from_raw_parts(meta.data.ptr, meta.data.len)
                };
                Some((id, data))
            }
        })
    }

    /// The content of the meta `id`.
    pub fn meta(&self, id: &str) -> Option<&[u8]> {
        self.metas().find(|(name, _)| *name == id).map(|(_, data)| data)
    }

    /// Adds a meta; one of the same id is hidden by it.
    pub fn set_meta(&mut self, id: &str, data: Vec<u8>) {
        let header = self.header_mut();
        let mut owned = Box::new(OwnedMeta {
            meta: GmMeta {
                struct_size: size_of::<GmMeta>() as u32,
                flags: 0,
                id: GmStr::EMPTY,
                data: GmStr::EMPTY,
                free: Some(free_meta),
                next: header.metas,
            },
            id: id.to_owned(),
            data,
        });
        owned.meta.id = GmStr::new(&owned.id);
        owned.meta.data = GmStr { ptr: owned.data.as_ptr(), len: owned.data.len() };
        header.metas = Box::into_raw(owned).cast();
    }
}
