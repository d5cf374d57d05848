//! Hints that bring memory to this core before it is used.
//!
//! What another core wrote last takes fifty to a hundred nanoseconds to get, more than most of what a buffer costs. Asked for
//! early enough, it comes while other work is done.
//!
//! Invariant: hints only: nothing is accessed, nothing waits, any address will do.
//! In GStreamer: none.
//! Left out: processors other than x86-64, where these do nothing.

/// Begins to bring the cache line at `place`, to read it.
#[inline(always)]
pub fn to_read<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, at any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Begins to bring the cache line at `place`, to write to it: other cores lose it.
#[inline(always)]
pub fn to_write<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, at any address; a processor that does not know it does nothing.
    unsafe {
        std::arch::asm!(
            "prefetchw [{place}]",
            place = in(reg) place, options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
