//! What must never be done, kept so that the test of it can fail: a lock that code of two images operates.
//!
//! Invariant: nothing but `tests/negative.rs` calls this.
//! In GStreamer: nothing; its locks live in one library.
//! Left out: conditions, channels and wakers, which fail for the same reason.

use parking_lot::RawMutex;
use parking_lot::lock_api::RawMutex as _;

/// Takes the lock, and lets it go again.
///
/// # Safety
/// `lock` must point to a lock that stays where it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gst_mini_fixture_pass(lock: *const RawMutex) {
    // SAFETY: the caller's promise; it was locked in the line before.
    unsafe {
        let guard = (*lock).lock();
        (*lock).unlock(guard);
    }
}
