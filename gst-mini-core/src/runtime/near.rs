//! [`Near`]: on which core a thread that takes what others bring is woken.
//!
//! ```text
//!   woken 8 times in a row on another core than that of who woke it     bring it here: woken, it may run on this core
//!                                                                       only; running, where it could before
//!   then not running, or who woke it not going on, within 100 µs        as the system likes, for 10 ms; twice as long
//!                                                                       each time, at most 1 s
//! ```
//!
//! A system wakes a thread on an idle core, if there is one, so that both can run. Of a live stream one sleeps before the
//! other has done much, and what is paid for that is the waking of a core that halts: of a virtual one 12 µs at the
//! median and 200 at 99 %, where a thread on the same core takes 3 and 10. So it is woken where its data is.
//! Only threads that wait long are (see [`prompt`]): they have a short slice, and go first.
//! Where both have much to do they must not share a core, which is what the second rule finds out.
//!
//! Invariant: what is right does not depend on it. A thread runs with the cores that it had when it was woken, whoever
//! chose them; only asleep it may have fewer, and never one that it had not.
//! In GStreamer: none.
//! Left out: choosing a core that is idle but awake, which nobody but the system knows; leaving real-time threads alone.

use std::cell::Cell;

use super::os::{self, Cores};
use super::prompt;

const FAR_WAKES: u32 = 8;
const LATE: u64 = 100_000;
const LEAST_BAN: u64 = 10_000_000;
const MOST_BAN: u64 = 1_000_000_000;

thread_local! {
    /// How often in a row this thread was woken on another core.
    static FAR: Cell<u32> = const { Cell::new(0) };
}

/// What who wakes has to know, and who is woken; under the lock of the wait.
#[derive(Default)]
pub(super) struct Near(Option<Box<Sleeper>>);

/// A thread that waits long, for what others bring.
#[derive(Default)]
struct Sleeper {
    /// Its number, while it is blocked; zero: it is not.
    thread: u32,
    /// It is to be brought to who wakes it.
    comes: bool,
    /// By whom it was woken: on which core, and when, ns.
    woken: Option<(usize, u64)>,
    /// What it may run on otherwise, where it was brought.
    usual: Option<Cores>,
    /// Length of the last ban, and when it ends, ns.
    ban: u64,
    banned_until: u64,
}

impl std::fmt::Debug for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Near").field(&self.0.as_ref().map(|sleeper| sleeper.thread)).finish()
    }
}

impl Near {
    pub const fn new() -> Self {
        Near(None)
    }

    /// This thread is about to be blocked. Whether it is the one that is seen to here: then [`Self::gets_up`] must follow.
    pub fn lies_down(&mut self, now: u64) -> bool {
        // Under Shuttle orders are what is explored, and its threads are none.
        if !prompt::is_prompt() || cfg!(gst_mini_shuttle) {
            return false;
        }
        let sleeper = self.0.get_or_insert_default();
        if sleeper.thread != 0 {
            return false;
        }
        sleeper.thread = os::thread_number();
        sleeper.comes = FAR.get() >= FAR_WAKES && now >= sleeper.banned_until;
        sleeper.woken = None;
        sleeper.thread != 0
    }

    /// The thread that lay down is awake, and has the cores that it had.
    pub fn gets_up(&mut self) {
        let Some(sleeper) = self.0.as_deref_mut() else { return };
        sleeper.thread = 0;
        let usual = sleeper.usual.take();
        if let Some(usual) = &usual {
            usual.give(0);
        }
        let Some((core, woken)) = sleeper.woken else { return };
        if usual.is_some() {
            sleeper.judge(woken);
        } else {
            let is_far = os::core().is_some_and(|here| here != core);
            FAR.set(if is_far { FAR.get().saturating_add(1) } else { 0 });
        }
    }

    /// Who is blocked is about to be woken. When that began, where it matters how long it takes.
    pub fn is_woken(&mut self) -> Option<u64> {
        let sleeper = self.0.as_deref_mut().filter(|sleeper| sleeper.thread != 0)?;
        let core = os::core()?;
        let now = os::monotonic_nanos();
        sleeper.woken.get_or_insert((core, now));
        if !sleeper.comes || sleeper.usual.is_some() {
            return None;
        }
        let usual = Cores::of(sleeper.thread)?;
        if usual.only(core)?.give(sleeper.thread) {
            sleeper.usual = Some(usual);
        }
        Some(now)
    }

    /// Who woke goes on. Whether that took too long.
    pub fn went_on(began: u64) -> bool {
        os::monotonic_nanos().saturating_sub(began) > LATE
    }

    /// Who woke was kept from going on.
    pub fn was_in_the_way(&mut self) {
        if let Some(sleeper) = &mut self.0 {
            sleeper.forbid(os::monotonic_nanos());
        }
    }
}

impl Sleeper {
    fn judge(&mut self, woken: u64) {
        let now = os::monotonic_nanos();
        if now.saturating_sub(woken) > LATE {
            self.forbid(now);
        }
    }

    fn forbid(&mut self, now: u64) {
        self.ban = (self.ban * 2).clamp(LEAST_BAN, MOST_BAN);
        self.banned_until = now + self.ban;
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::runtime::patience;

    fn on_a_thread_of_its_own(check: impl FnOnce() + Send + 'static) {
        std::thread::spawn(check).join().expect("its assertions hold");
    }

    fn waits_long() {
        (0..100).for_each(|_| prompt::blocked_for(patience::SHORT));
    }

    /// A wait that somebody on this very thread ends; where the thread could run when it was woken.
    fn wait(near: &mut Near) -> Option<Cores> {
        let lies = near.lies_down(os::monotonic_nanos());
        near.is_woken();
        let woken = Cores::of(0);
        if lies {
            near.gets_up();
        }
        woken
    }

    #[test]
    fn who_is_woken_far_away_again_and_again_is_brought_near_and_has_its_cores_back() {
        on_a_thread_of_its_own(|| {
            let usual = Cores::of(0);
            let mut near = Near::new();
            assert_eq!(wait(&mut near), usual, "its waits are not long");
            waits_long();
            assert_eq!(wait(&mut near), usual, "it is near as it is");
            FAR.set(FAR_WAKES);
            let brought = wait(&mut near);
            let ones = (0..1024).filter_map(|core| usual?.only(core));
            assert!(ones.map(Some).any(|one| brought == one), "{brought:?} of {usual:?}");
            assert_eq!(Cores::of(0), usual);
        });
    }

    #[test]
    fn who_was_in_the_way_is_left_alone_for_a_while_and_longer_each_time() {
        on_a_thread_of_its_own(|| {
            waits_long();
            FAR.set(FAR_WAKES);
            let mut near = Near::new();
            wait(&mut near);
            let now = os::monotonic_nanos();
            near.was_in_the_way();
            assert!(near.lies_down(now));
            assert_eq!(near.is_woken(), None);
            near.gets_up();
            near.was_in_the_way();
            FAR.set(FAR_WAKES);
            assert!(near.lies_down(now + LEAST_BAN));
            assert_eq!(near.is_woken(), None, "the second time is longer");
            near.gets_up();
            FAR.set(FAR_WAKES);
            assert!(near.lies_down(now + 4 * MOST_BAN));
            assert!(near.is_woken().is_some());
            near.gets_up();
        });
    }

    #[test]
    fn of_two_that_wait_for_the_same_one_is_seen_to_and_each_has_its_own_cores() {
        on_a_thread_of_its_own(|| {
            waits_long();
            FAR.set(FAR_WAKES);
            let mut near = Near::new();
            assert!(near.lies_down(os::monotonic_nanos()));
            let second = std::thread::scope(|scope| {
                let other = scope.spawn(|| {
                    waits_long();
                    near.lies_down(os::monotonic_nanos())
                });
                other.join().expect("it does not panic")
            });
            assert!(!second);
            let usual = Cores::of(0);
            near.is_woken();
            near.gets_up();
            assert_eq!(Cores::of(0), usual);
            assert!(near.lies_down(os::monotonic_nanos()), "the place is free again");
            near.gets_up();
        });
    }
}
