//! Structs of a plugin that knew fewer fields: completed with zeros, so that the host reads one shape.
//!
//! A field exists when it lies within `struct_size`; a zero is "absent" for every field there is. Done once
//! for each struct when a factory is read, so that no call pays for it.
//!
//! Invariant: nothing beyond the stated size is read, and fields that this program does not know are ignored.
//! In GStreamer: `gst/gst.h` (`GST_PADDING`), reserved space in every struct.
//! Left out: unloading; what was completed lives as long as what it was made from.

use crate::plugin::abi::Growable;
use std::mem::MaybeUninit;

/// The largest size that is believed, bytes.
pub(crate) const MAX_SIZE: usize = 4096;

/// A struct of a plugin, as long as this program knows it.
pub(crate) enum Whole<T: 'static> {
    /// The plugin's own.
    Given(&'static T),
    /// A copy with zeros behind it.
    Completed(Box<T>),
}

impl<T> Whole<T> {
    /// The same for ever.
    pub fn leak(self) -> &'static T {
        match self {
            Whole::Given(given) => given,
            Whole::Completed(completed) => Box::leak(completed),
        }
    }
}

/// What stands at `raw`; `None` if it is null or its size cannot be.
///
/// # Safety
/// `raw` must be null or point to a `T` of this or another version, readable for ever as far as it says.
pub(crate) unsafe fn read<T: Growable>(raw: *const T) -> Option<Whole<T>> {
    if raw.is_null() || !raw.is_aligned() {
        return None;
    }
    // SAFETY: the size stands in the part that every version has.
    let size = unsafe { *raw.byte_add(T::SIZE_AT).cast::<u32>() } as usize;
    if size < T::BASE || size > MAX_SIZE || !size.is_multiple_of(8) {
        return None;
    }
    if size >= size_of::<T>() {
        // SAFETY: the caller's promise, and all that we know is there.
        return Some(Whole::Given(unsafe { &*raw }));
    }
    let mut copy = Box::new(MaybeUninit::<T>::zeroed());
    // SAFETY: `size` bytes are readable there and fit here; zeros are a value of every field.
    let completed = unsafe {
        std::ptr::copy_nonoverlapping(raw.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), size);
        copy.assume_init()
    };
    Some(Whole::Completed(completed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands for a struct that grew by its last two fields.
    #[repr(C)]
    struct Grown {
        struct_size: u32,
        first: u32,
        second: Option<extern "C" fn()>,
        third: u64,
    }

    // SAFETY: begins with its size, and zeros are a value of every field.
    unsafe impl Growable for Grown {
        const BASE: usize = 8;
    }

    fn of_size(struct_size: u32) -> Option<&'static Grown> {
        extern "C" fn garbage() {}
        let grown = Grown { struct_size, first: 1, second: Some(garbage), third: 2 };
        // SAFETY: a whole struct stands there.
        unsafe { read(Box::leak(Box::new(grown))) }.map(Whole::leak)
    }

    #[test]
    fn fields_beyond_the_size_are_absent_whatever_stands_there() {
        let of = |size| {
            let whole = of_size(size).expect("a good size");
            (whole.first, whole.second.is_some(), whole.third)
        };
        assert_eq!(of(8), (1, false, 0));
        assert_eq!(of(16), (1, true, 0));
        assert_eq!(of(24), (1, true, 2));
        assert_eq!(of(64), (1, true, 2));
    }

    #[test]
    fn a_size_that_cannot_be_is_refused() {
        for size in [0, 1, 4, 7, 9, 20, 4104, u32::MAX] {
            assert!(of_size(size).is_none(), "{size}");
        }
        // SAFETY: null is allowed.
        assert!(unsafe { read(std::ptr::null::<Grown>()) }.is_none());
    }
}
