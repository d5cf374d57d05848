//! The stacks of fibers: mapped memory with a guard below, used again by the next task.
//!
//! ```text
//!   lowest address │ guard: 64 KB that nobody may touch │ stack, from the top down; untouched pages take no memory │
//! ```
//!
//! Invariant: a call that needs more than is left hits the guard, and the process dies of it, whatever it wrote last.
//! In GStreamer: none; the system's threads have theirs.
//! Left out: stacks that grow.

use std::io;
use std::num::NonZeroUsize;
use std::ptr;

use corosensei::stack::{Stack, StackPointer};

use crate::runtime::STACK_SIZE;

/// Larger than any frame that is entered without touching all of its pages.
const GUARD: usize = 64 << 10;
/// Bytes of stack of a fiber.
pub(super) const SIZE: usize = STACK_SIZE / 8;

/// A mapping of [`GUARD`] and [`SIZE`] bytes.
#[derive(Debug)]
pub(super) struct FiberStack {
    lowest: NonZeroUsize,
}

impl FiberStack {
    pub fn new() -> io::Result<FiberStack> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping wherever the system likes; it is given back below or in `drop`, nowhere else.
        let lowest =
            unsafe { libc::mmap(ptr::null_mut(), GUARD + SIZE, libc::PROT_NONE, flags, -1, 0) };
        let known = NonZeroUsize::new(lowest.expose_provenance());
        let Some(address) = known.filter(|_| lowest != libc::MAP_FAILED) else {
            return Err(io::Error::last_os_error());
        };
        let stack = FiberStack { lowest: address };
        // SAFETY: it lies within the mapping above, which nobody else knows.
        let opened = unsafe {
            libc::mprotect(lowest.byte_add(GUARD), SIZE, libc::PROT_READ | libc::PROT_WRITE)
        };
        if opened == 0 { Ok(stack) } else { Err(io::Error::last_os_error()) }
    }

    /// The lowest address that may be touched.
    pub fn end(&self) -> usize {
        self.lowest.get() + GUARD
    }
}

impl Drop for FiberStack {
    fn drop(&mut self) {
        let lowest = ptr::with_exposed_provenance_mut(self.lowest.get());
        // SAFETY: the mapping is this one's, and no fiber is on it: corosensei owns the stack of a living one.
        unsafe { libc::munmap(lowest, GUARD + SIZE) };
    }
}

// SAFETY: there is a guard below, and far more than the least size above it; both ends are multiples of a page.
unsafe impl Stack for FiberStack {
    fn base(&self) -> StackPointer {
        self.lowest.saturating_add(GUARD + SIZE)
    }

    fn limit(&self) -> StackPointer {
        self.lowest
    }
}
