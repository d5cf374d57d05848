//! What only the bin at the top does: choose the clock, decide the base time, own the bus.
//!
//! ```text
//!   running time:   0 ───────────▶ 7.2 s │ PAUSED: stands still │ 7.2 s ────────▶
//!   base time:      chosen at PLAYING                            moved by the length of the pause
//! ```
//!
//! Invariant: running time goes on in PLAYING where it stood in PAUSED, whatever clock is chosen then.
//! In GStreamer: `gst/gstpipeline.c` (`gst_pipeline_change_state`, `gst_pipeline_provide_clock_func`).
//! Left out: instant rate changes.

use super::BinCore;
use crate::base::prop;
use crate::bus::Bus;
use crate::clock::{Clock, SystemClock};
use crate::message::MessageKind;
use crate::registry::factory::PropInfo;
use crate::state::{StateReturn, Transition};
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use parking_lot::Mutex;
use std::sync::Arc;

/// What only a pipeline has.
pub(super) struct Top {
    pub bus: Arc<Bus>,
    times: Mutex<Times>,
}

/// How the pipeline comes to its clock and base time.
struct Times {
    choice: Choice,
    /// A clock is to be chosen when PLAYING begins.
    choose_anew: bool,
    /// The start time for which the base time was decided.
    decided_for: Option<Option<RunningTime>>,
}

/// Whose clock it is.
#[derive(Clone)]
enum Choice {
    /// The one an element provides, or the system's.
    Auto,
    /// The application's; `None`: no clock at all.
    Fixed(Option<Arc<dyn Clock>>),
}

impl Default for Top {
    fn default() -> Self {
        Top {
            bus: Arc::new(Bus::default()),
            times: Mutex::new(Times { choice: Choice::Auto, choose_anew: true, decided_for: None }),
        }
    }
}

/// A pipeline's own properties.
pub(super) fn props() -> Vec<PropInfo> {
    vec![
        prop(
            "auto-flush-bus",
            "boolean",
            "Going to NULL throws away what is on the bus",
            "",
            "true",
        ),
        prop("delay", "uint64", "Added to the base time, for what is slow to begin", "ns", "0"),
        prop(
            "latency",
            "uint64",
            "The latency, whatever the elements say; 2^64-1: theirs",
            "ns",
            "18446744073709551615",
        ),
    ]
}

impl BinCore {
    pub(crate) fn use_clock(&self, clock: Option<Arc<dyn Clock>>) {
        self.with_times(|times| times.choice = Choice::Fixed(clock));
    }

    pub(crate) fn auto_clock(&self) {
        self.with_times(|times| times.choice = Choice::Auto);
    }

    /// The latency that the application wants whatever the elements say.
    pub(super) fn forced_latency(&self) -> Option<ClockTime> {
        let nanos = self.core.number::<u64>("latency").filter(|nanos| *nanos != u64::MAX);
        nanos.map(ClockTime::from_nanos)
    }

    fn with_times(&self, change: impl FnOnce(&mut Times)) {
        if let Some(top) = &self.top {
            change(&mut top.times.lock());
        }
    }

    pub(crate) fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.core.clock()
    }

    /// Running time now, as long as there is a clock and a base time.
    pub(crate) fn running_time(&self) -> Option<RunningTime> {
        self.core.running_time_now()
    }

    pub(crate) fn base_time(&self) -> Option<AbsoluteTime> {
        self.core.base_time()
    }

    pub(crate) fn set_base_time(&self, base_time: AbsoluteTime) {
        self.core.lent.write().base_time = Some(base_time);
        self.lend_to_children();
    }

    pub(crate) fn start_time(&self) -> Option<RunningTime> {
        self.core.lent.read().start_time
    }

    pub(crate) fn set_start_time(&self, start_time: Option<RunningTime>) {
        self.core.lent.write().start_time = start_time;
        self.lend_to_children();
    }

    pub(super) fn before_step(&self, top: &Top, transition: Transition) {
        match transition {
            Transition::NULL_TO_READY => top.bus.set_flushing(false),
            Transition::READY_TO_PAUSED => {
                top.times.lock().choose_anew = true;
                self.reset_start_time(RunningTime::ZERO);
            }
            Transition::PAUSED_TO_PLAYING if self.is_toplevel() => self.begin_playing(top),
            Transition::PLAYING_TO_PAUSED => self.stop_running_time(top),
            Transition::PAUSED_TO_READY => self.reset_start_time(RunningTime::ZERO),
            _ => {}
        }
    }

    pub(super) fn after_step(&self, top: &Top, transition: Transition, _: StateReturn) {
        match transition {
            // Once more, as the children took their time.
            Transition::PLAYING_TO_PAUSED => self.stop_running_time(top),
            Transition::READY_TO_NULL if self.core.number("auto-flush-bus").unwrap_or(true) => {
                top.bus.set_flushing(true);
            }
            _ => {}
        }
    }

    /// Chooses the clock and the base time, if what they were chosen for has changed.
    fn begin_playing(&self, top: &Top) {
        let start_time = self.start_time();
        let (choose_anew, delay) = {
            let mut times = top.times.lock();
            let decided_for = times.decided_for.replace(start_time);
            let choose_anew = std::mem::take(&mut times.choose_anew);
            if !choose_anew && decided_for == Some(start_time) {
                return;
            }
            (choose_anew, self.core.number::<u64>("delay").unwrap_or(0))
        };
        let current = self.core.clock();
        let clock = if choose_anew { self.choose_clock(top) } else { current.clone() };
        let is_new = match (&current, &clock) {
            (Some(current), Some(clock)) => !Arc::ptr_eq(current, clock),
            (current, clock) => current.is_some() || clock.is_some(),
        };
        let now = clock.as_ref().map(|clock| clock.now());
        if is_new {
            let name = clock.as_ref().map_or("none", |clock| clock.name()).to_owned();
            self.core.lent.write().clock = clock;
            self.lend_to_children();
            self.core.post(MessageKind::NewClock(name));
        }
        if let (Some(now), Some(start_time)) = (now, start_time) {
            let base = now.nanos().wrapping_sub(start_time.nanos()).wrapping_add(delay);
            self.core.lent.write().base_time = Some(AbsoluteTime::from_nanos(base));
        }
    }

    fn choose_clock(&self, top: &Top) -> Option<Arc<dyn Clock>> {
        let choice = top.times.lock().choice.clone();
        match choice {
            Choice::Fixed(clock) => clock,
            Choice::Auto => Some(self.provided_clock().unwrap_or_else(SystemClock::obtain)),
        }
    }

    /// Running time stands still from here on.
    fn stop_running_time(&self, top: &Top) {
        let mut lent = self.core.lent.write();
        let Some(clock) = lent.clock.clone() else { return };
        let (Some(_), Some(base)) = (lent.start_time, lent.base_time) else { return };
        drop(lent);
        // A clock may be an element's: none of our locks while it is asked.
        let now = clock.now();
        lent = self.core.lent.write();
        lent.start_time = Some(RunningTime::from_nanos(now.nanos().wrapping_sub(base.nanos())));
        drop(lent);
        top.times.lock().choose_anew = true;
    }

    /// PLAYING begins at `running_time` the next time, unless the application keeps the time itself.
    pub(super) fn reset_start_time(&self, running_time: RunningTime) {
        let Some(top) = &self.top else { return };
        {
            let mut lent = self.core.lent.write();
            if lent.start_time.is_none() {
                return;
            }
            lent.start_time = Some(running_time);
        }
        top.times.lock().decided_for = None;
    }
}
