//! The count of references to a buffer: how many there are, and who is the last.
//!
//! ```text
//! one more     relaxed: who takes it has one already
//! one less     release; whoever makes it zero acquires, and sees all that was done with the buffer
//! the only one acquire: what the others did before they let go has happened
//! ```
//!
//! Invariant: `is_last` is true exactly once, after everything every holder did.
//! In GStreamer: `gst/gstminiobject.c` (`gst_mini_object_ref`, `gst_mini_object_unref`).
//! Left out: weak references. The same in C is in `include/gst_mini.h`; `tests/models/tests/count.rs` runs this file
//! through all orders that the memory model allows.

use super::atomic::{AtomicUsize, Ordering, fence};

/// One more.
#[inline]
pub(super) fn take(count: &AtomicUsize) {
    let before = count.fetch_add(1, Ordering::Relaxed);
    if before > usize::MAX / 2 {
        // A count that overflows would free memory in use.
        std::process::abort();
    }
}

/// One less; whether it was the last.
#[inline]
pub(super) fn is_last(count: &AtomicUsize) -> bool {
    // A sole owner needs no read-modify-write: nobody else can be counting.
    if is_sole(count) {
        return true;
    }
    if count.fetch_sub(1, Ordering::Release) != 1 {
        return false;
    }
    fence(Ordering::Acquire);
    true
}

/// Whether there is one only, which is the caller's.
#[inline]
pub(super) fn is_sole(count: &AtomicUsize) -> bool {
    count.load(Ordering::Acquire) == 1
}
