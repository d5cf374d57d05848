//! What the runtime asks of the operating system beyond `std`: clocks, one core, a barrier.
//!
//! Invariant: every `unsafe` call of the runtime is here, but for stacks of fibers and a pointer to what they need (`shared`); a call that fails is a missing nicety, never an error.
//! In GStreamer: `gst/gstsystemclock.c` (`gst_system_clock_get_internal_time`).
//! Left out: real-time priorities.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since the Unix epoch; zero if the system's clock is set before it.
pub(super) fn utc_nanos() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(target_os = "linux")]
pub(super) use linux::*;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::*;

#[cfg(target_os = "linux")]
mod linux {
    use std::mem;
    use std::sync::OnceLock;
    use std::sync::atomic::{Ordering, fence};

    /// `CLOCK_MONOTONIC`, read directly so that other programs' readings can be compared with ours.
    pub(in super::super) fn monotonic_nanos() -> u64 {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` is a valid place for one timespec.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
        (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
    }

    /// The pages from that address on are not needed as they are; touched again they are zero.
    ///
    /// # Safety
    /// They must be the caller's own, and nothing on them be in use. Both numbers are multiples of a page; where pages
    /// are larger the call fails, and nothing is given back.
    pub(in super::super) unsafe fn give_back(address: usize, length: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let from = std::ptr::with_exposed_provenance_mut(address);
            libc::madvise(from, length, libc::MADV_DONTNEED);
        }
    }

    const MEMBARRIER_CMD_PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes three integers and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Whether [`barrier_of_all`] works here: the kernel knows it, and no sandbox forbids it.
    pub(in super::super) fn has_barrier_of_all() -> bool {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        // Under Shuttle one thread runs at a time, and all see all.
        cfg!(gst_mini_shuttle)
            || *REGISTERED.get_or_init(|| {
                membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
                    && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)
            })
    }

    /// A full fence on every thread of this process that runs now; the others have had theirs. About a
    /// microsecond. Only where [`has_barrier_of_all`].
    pub(in super::super) fn barrier_of_all() {
        fence(Ordering::SeqCst);
        if !cfg!(gst_mini_shuttle) {
            // It worked when it was registered, and is for the whole life of the process.
            membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
        }
    }

    /// What the scheduler knows of this thread, if it is of the usual kind.
    fn scheduling() -> Option<libc::sched_attr> {
        let size = mem::size_of::<libc::sched_attr>() as libc::c_uint;
        // SAFETY: an all-zero sched_attr is a valid one; the call gets its size and fills in no more; 0 names the
        // calling thread.
        unsafe {
            let mut known: libc::sched_attr = mem::zeroed();
            let is_known = libc::syscall(libc::SYS_sched_getattr, 0, &mut known, size, 0) == 0;
            (is_known && known.sched_policy == libc::SCHED_OTHER as u32).then_some(known)
        }
    }

    /// Asks that this thread, once it runs, be run for so many nanoseconds before others have their turn; zero: as every
    /// thread. Who is woken goes before who asked for more (Linux 6.12). What it was before; zero where nobody tells.
    pub(in super::super) fn ask_for_slice(nanos: u64) -> u64 {
        let Some(mut wanted) = scheduling() else { return 0 };
        let before = mem::replace(&mut wanted.sched_runtime, nanos);
        // SAFETY: the attributes are as the kernel gave them but for one number, and their first field is their size.
        unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &wanted, 0) };
        before
    }

    /// The slice of this thread in nanoseconds.
    #[cfg(test)]
    pub(in super::super) fn slice() -> Option<u64> {
        scheduling().map(|known| known.sched_runtime)
    }

    /// How many memory mappings this process may have; each thread takes four.
    pub(in super::super) fn max_mappings() -> Option<usize> {
        std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok()
    }

    /// The lowest address of this thread's stack.
    pub(in super::super) fn stack_end() -> Option<usize> {
        // SAFETY: an all-zero attribute is overwritten by the first call if that succeeds, and read and given back
        // only then; the places live for the calls.
        unsafe {
            let mut attributes: libc::pthread_attr_t = mem::zeroed();
            if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
                return None;
            }
            let (mut end, mut size) = (std::ptr::null_mut(), 0);
            let known = libc::pthread_attr_getstack(&attributes, &mut end, &mut size) == 0;
            libc::pthread_attr_destroy(&mut attributes);
            known.then(|| end.addr())
        }
    }

    /// The number that the system knows this thread by.
    pub(in super::super) fn thread_number() -> u32 {
        // SAFETY: takes nothing and cannot fail.
        unsafe { libc::gettid() as u32 }
    }

    /// The core that this thread is on.
    pub(in super::super) fn core() -> Option<usize> {
        // SAFETY: takes nothing.
        usize::try_from(unsafe { libc::sched_getcpu() }).ok()
    }

    /// Cores that a thread may be run on.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Cores(libc::cpu_set_t);

    impl Cores {
        const SIZE: usize = mem::size_of::<libc::cpu_set_t>();

        /// Those of a thread; 0 is this one.
        pub(in super::super) fn of(thread: u32) -> Option<Self> {
            // SAFETY: a cpu_set_t is an array of integers, for which zero is a value; the call gets its size.
            unsafe {
                let mut cores: libc::cpu_set_t = mem::zeroed();
                (libc::sched_getaffinity(thread as i32, Self::SIZE, &mut cores) == 0)
                    .then_some(Cores(cores))
            }
        }

        /// One of these alone.
        pub(in super::super) fn only(&self, core: usize) -> Option<Self> {
            let is_one = core < libc::CPU_SETSIZE as usize
                // SAFETY: the number is within the set's size.
                && unsafe { libc::CPU_ISSET(core, &self.0) };
            is_one.then(|| {
                // SAFETY: as above, and in `of`.
                unsafe {
                    let mut only: libc::cpu_set_t = mem::zeroed();
                    libc::CPU_SET(core, &mut only);
                    Cores(only)
                }
            })
        }

        /// They are those of a thread from now on; 0 is this one. One that sleeps is moved when it is woken.
        pub(in super::super) fn give(&self, thread: u32) -> bool {
            // SAFETY: the call gets the set's size, and only reads it.
            unsafe { libc::sched_setaffinity(thread as i32, Self::SIZE, &self.0) == 0 }
        }
    }

    impl PartialEq for Cores {
        fn eq(&self, other: &Self) -> bool {
            // SAFETY: both are whole sets.
            unsafe { libc::CPU_EQUAL(&self.0, &other.0) }
        }
    }

    impl std::fmt::Debug for Cores {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            // SAFETY: the numbers are within the set's size.
            let is_in = |core: &usize| unsafe { libc::CPU_ISSET(*core, &self.0) };
            f.debug_list().entries((0..libc::CPU_SETSIZE as usize).filter(is_in)).finish()
        }
    }

    /// The thread stays on the core it is on until this is dropped; threads it starts inherit that.
    pub(in super::super) struct Pinned {
        before: Cores,
    }

    impl Pinned {
        pub(in super::super) fn here() -> Option<Self> {
            let before = Cores::of(0)?;
            before.only(core()?)?.give(0).then_some(Self { before })
        }
    }

    impl Drop for Pinned {
        fn drop(&mut self) {
            self.before.give(0);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::sync::OnceLock;
    use std::time::Instant;

    pub(in super::super) fn monotonic_nanos() -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        let elapsed = START.get_or_init(Instant::now).elapsed();
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }

    pub(in super::super) fn has_barrier_of_all() -> bool {
        false
    }

    pub(in super::super) fn barrier_of_all() {}

    pub(in super::super) fn ask_for_slice(_nanos: u64) -> u64 {
        0
    }

    /// There is no such call here.
    ///
    /// # Safety
    /// As on Linux.
    pub(in super::super) unsafe fn give_back(_: usize, _: usize) {}

    pub(in super::super) fn max_mappings() -> Option<usize> {
        None
    }

    pub(in super::super) fn stack_end() -> Option<usize> {
        None
    }

    pub(in super::super) fn thread_number() -> u32 {
        0
    }

    pub(in super::super) fn core() -> Option<usize> {
        None
    }

    #[derive(Clone, Copy)]
    pub(in super::super) struct Cores;

    impl Cores {
        pub(in super::super) fn of(_thread: u32) -> Option<Self> {
            None
        }

        pub(in super::super) fn only(&self, _core: usize) -> Option<Self> {
            None
        }

        pub(in super::super) fn give(&self, _thread: u32) -> bool {
            false
        }
    }

    pub(in super::super) struct Pinned;

    impl Pinned {
        pub(in super::super) fn here() -> Option<Self> {
            None
        }
    }
}

/// Lets another thread have this core, if one wants it.
pub(super) fn yield_core() {
    std::thread::yield_now();
}

/// Writes what must be read although nothing works any more: why a simulation stands still.
#[allow(clippy::print_stderr, reason = "the process is about to end, or hangs; no log is left")]
pub(super) fn last_words(text: &str) {
    eprintln!("{text}");
}
