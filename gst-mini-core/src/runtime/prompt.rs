//! Whether the thread of a task that takes what others bring runs at once when it is woken.
//!
//! ```text
//!   blocked 8 times in a row, each for 250 µs or more     ask for a short slice: woken, it goes before who woke it
//!   blocked for less once                                 the slice that it had
//! ```
//!
//! A live queue's thread sleeps for most of its life. Woken on the core of who fills the queue, as a hypervisor's guest
//! often is, it used to wait until that one went to sleep. Since Linux 6.12 a thread that asks for a shorter slice than the
//! running one has goes first; the share of the core it may use stays what it was. Older kernels take the number and ignore
//! it. An idle queue's hand-off at 1 kHz, 99 %: 18 to 29 µs without, 7 to 10 with.
//!
//! In full flow it would be wrong: a tee to eight queues on two cores takes 10 µs a buffer so, where it takes 4, since every
//! waking is a switch. There waits are short, and nothing is asked for. Who brings asks for nothing either, or both
//! were equal again.
//!
//! Invariant: what is right does not depend on it. Threads of another policy than the usual one are left alone.
//! In GStreamer: none.
//! Left out: real-time priorities, which need a permission.

use std::cell::Cell;

use super::{os, patience};

/// The shortest that Linux gives, ns.
const SLICE: u64 = 100_000;
/// Long waits in a row until the slice is asked for.
const LONG_WAITS: u32 = 8;

thread_local! {
    /// Long waits in a row of this thread; from [`LONG_WAITS`] on its slice is short.
    static LONG: Cell<u32> = const { Cell::new(0) };
    /// The slice that it had before, which whoever started the program may have chosen.
    static USUAL: Cell<u64> = const { Cell::new(0) };
}

/// A wait in which this thread blocked for what others bring is over.
pub(super) fn blocked_for(nanos: u64) {
    let before = LONG.get();
    let now = if nanos < patience::SHORT { 0 } else { (before + 1).min(LONG_WAITS) };
    if now != before {
        LONG.set(now);
        if now == LONG_WAITS {
            USUAL.set(os::ask_for_slice(SLICE));
        } else if before == LONG_WAITS {
            os::ask_for_slice(USUAL.get());
        }
    }
}

/// Whether this thread's waits are long.
pub(super) fn is_prompt() -> bool {
    LONG.get() == LONG_WAITS
}

/// What a thread that this one starts calls first, as it has the slice of who starts it.
pub(super) fn for_new_thread() -> impl FnOnce() + Send + use<> {
    let usual = is_prompt().then(|| USUAL.get());
    move || {
        if let Some(usual) = usual {
            os::ask_for_slice(usual);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_waits_long_asks_for_a_short_slice_until_it_waits_shortly() {
        let check = || {
            // As somebody chose it who started the program.
            os::ask_for_slice(5_000_000);
            let usual = os::slice();
            (1..LONG_WAITS).for_each(|_| blocked_for(patience::SHORT));
            assert_eq!(os::slice(), usual, "one wait too few");
            blocked_for(1_000_000_000);
            // Kernels before 6.12 give every thread the same.
            let asked = os::slice();
            assert!(asked == Some(SLICE) || asked == usual, "{asked:?}");
            let begin = for_new_thread();
            let inner = std::thread::spawn(move || {
                begin();
                os::slice()
            });
            assert_eq!(inner.join().unwrap(), usual);
            blocked_for(patience::SHORT - 1);
            assert_eq!(os::slice(), usual);
        };
        // A thread of its own: what the harness runs next here is not to have a short slice.
        std::thread::spawn(check).join().unwrap();
    }
}
