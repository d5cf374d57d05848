//! Clocks and waits of an element; what it does while time is simulated.
//!
//! Invariant: every wait ends with a flush of the pad of the call, and with a stop.
//! In GStreamer: `gst/gstclock.c` (`gst_clock_id_wait`), `libs/gst/base/gstbasesink.c` (`gst_base_sink_wait`).
//! Left out: waits that call back.

use super::{Cx, Woken};
use crate::error::{FlowError, FlowResult};
use crate::plugin::abi::{GM_FLOW_OK, GM_TIME_NONE};
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use std::ffi::c_void;

impl Cx<'_> {
    /// What the pipeline's clock reads.
    pub fn clock_now(&self) -> Option<AbsoluteTime> {
        // SAFETY: the host's own context.
        let nanos = self.vtable().clock_now.map(|f| unsafe { f(self.raw) })?;
        (nanos != GM_TIME_NONE).then(|| AbsoluteTime::from_nanos(nanos))
    }

    /// The clock reading at which running time was zero.
    pub fn base_time(&self) -> Option<AbsoluteTime> {
        // SAFETY: the host's own context.
        let nanos = self.vtable().base_time.map(|f| unsafe { f(self.raw) })?;
        (nanos != GM_TIME_NONE).then(|| AbsoluteTime::from_nanos(nanos))
    }

    /// Running time now.
    pub fn running_time(&self) -> Option<RunningTime> {
        Some(self.clock_now()?.running_time(self.base_time()?))
    }

    /// Wall-clock time in ns since the Unix epoch; simulated under simulation.
    pub fn utc_now(&self) -> u64 {
        // SAFETY: the host's own context.
        self.vtable().utc_now.map_or(0, |f| unsafe { f(self.raw) })
    }

    /// Whether time is simulated: then no thread of the element's own may be left at work when a
    /// call returns; do it in [`Cx::foreign`].
    pub fn is_simulated(&self) -> bool {
        // SAFETY: the host's own context.
        self.vtable().simulated.is_some_and(|f| unsafe { f(self.raw) } != 0)
    }

    /// Waits on the pipeline's clock; `Err(Flushing)` when a flush or a stop interrupts.
    pub fn wait_clock(&self, target: AbsoluteTime) -> FlowResult {
        // SAFETY: the host's own context.
        let code = self.vtable().clock_wait.map(|f| unsafe { f(self.raw, target.nanos()) });
        FlowError::from_code(code.unwrap_or(GM_FLOW_OK))
    }

    /// Holds until PLAYING, then waits until that running time, moved by `offset` ns, on the clock; a pause
    /// holds again. `Err(Flushing)` when a flush or a stop interrupts. For elements that are no
    /// source and no sink; at once without a clock.
    pub fn sync(&self, running_time: RunningTime, offset: i64) -> FlowResult {
        // SAFETY: the host's own context.
        let code = self.vtable().sync.map(|f| unsafe { f(self.raw, running_time.nanos(), offset) });
        FlowError::from_code(code.unwrap_or(GM_FLOW_OK))
    }

    /// Waits that long; `Err(Flushing)` when a flush or a stop interrupts.
    pub fn sleep(&self, length: ClockTime) -> FlowResult {
        // SAFETY: the host's own context.
        let code = self.vtable().sleep.map(|f| unsafe { f(self.raw, length.nanos()) });
        FlowError::from_code(code.unwrap_or(GM_FLOW_OK))
    }

    /// A ticket of this element's waiter `n` (0 to 3). Take it while the state you wait for is
    /// locked, then unlock, then [`Cx::wait`]: a wake in between is not lost.
    pub fn ticket(&self, n: u32) -> u64 {
        // SAFETY: the host's own context.
        self.vtable().ticket.map_or(0, |f| unsafe { f(self.raw, n) })
    }

    /// Waits until waiter `n` was woken after `ticket`, or until `deadline` of [`Cx::runtime_now`];
    /// `Err(Flushing)` when the pad of this call is flushing. May wake for no reason.
    pub fn wait(&self, n: u32, ticket: u64, deadline: Option<AbsoluteTime>) -> FlowResult<Woken> {
        let Some(wait) = self.vtable().wait else { return Err(FlowError::NotSupported) };
        let deadline = deadline.map_or(GM_TIME_NONE, AbsoluteTime::nanos);
        // SAFETY: the host's own context.
        match unsafe { wait(self.raw, n, ticket, deadline) } {
            0 => Ok(Woken::TimedOut),
            1.. => Ok(Woken::Woken),
            code => Err(FlowError::from_code(code).err().unwrap_or(FlowError::Error)),
        }
    }

    /// Wakes everybody who waits on waiter `n`.
    pub fn wake(&self, n: u32) {
        if let Some(wake) = self.vtable().wake {
            // SAFETY: the host's own context.
            unsafe { wake(self.raw, n) }
        }
    }

    /// The runtime's monotonic time, for deadlines.
    pub fn runtime_now(&self) -> AbsoluteTime {
        // SAFETY: the host's own context.
        AbsoluteTime::from_nanos(self.vtable().runtime_now.map_or(0, |f| unsafe { f(self.raw) }))
    }

    /// Work outside the framework that may block: an upload, a slow disk. Under simulation it is
    /// finished before anything else runs, and takes `virtual_time`. A panic of `work` goes on here.
    pub fn foreign<R>(&self, virtual_time: ClockTime, work: impl FnOnce() -> R) -> Option<R> {
        struct Job<F, R>(Option<F>, Option<Result<R, Box<dyn std::any::Any + Send>>>);
        unsafe extern "C" fn call<F: FnOnce() -> R, R>(data: *mut c_void) {
            // SAFETY: `data` is the job below, alive for the call.
            let job = unsafe { &mut *data.cast::<Job<F, R>>() };
            if let Some(work) = job.0.take() {
                job.1 = Some(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)));
            }
        }
        fn thunk<F: FnOnce() -> R, R>(_: &Job<F, R>) -> unsafe extern "C" fn(*mut c_void) {
            call::<F, R>
        }
        let mut job = Job(Some(work), None);
        match self.vtable().foreign {
            Some(foreign) => {
                let call = thunk(&job);
                // SAFETY: the job lives for the call, which is synchronous.
                unsafe {
                    let data = (&raw mut job).cast();
                    foreign(self.raw, virtual_time.nanos(), Some(call), data);
                }
                // Not through the host's frames, but on from here.
                job.1.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            }
            None => job.0.take().map(|work| work()),
        }
    }
}
