//! Says which task has the baton when a simulation stands still in real time.
//!
//! A task that blocks outside `runtime` stops its simulation for ever, and a hanging test says nothing.
//!
//! Invariant: it looks, and never changes anything.
//! In GStreamer: nothing.
//! Left out: ending the process; the test's own limit does that.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::schedule::State;

/// Far longer than any task computes between two waits.
const PATIENCE: Duration = Duration::from_secs(10);

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

struct Watched {
    state: Weak<Mutex<State>>,
    /// The pick at the last look, and whether that was already told.
    seen: Option<(u64, bool)>,
}

pub(super) fn watch(state: &Arc<Mutex<State>>) {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let started = *STARTED.get_or_init(|| {
        std::thread::Builder::new()
            .name("sim-watchdog".to_owned())
            .spawn(|| {
                loop {
                    std::thread::park_timeout(PATIENCE);
                    look();
                }
            })
            .is_ok()
    });
    if started {
        WATCHED.lock().push(Watched { state: Arc::downgrade(state), seen: None });
    }
}

fn look() {
    WATCHED.lock().retain_mut(|watched| {
        let Some(state) = watched.state.upgrade() else { return false };
        let state = state.lock();
        if state.tasks.get(state.main).is_none_or(|main| main.finished) {
            return false;
        }
        let told = match watched.seen {
            Some((picks, told)) if picks == state.picks => {
                if !told {
                    super::os::last_words(&complaint(&state.tasks[state.running].name));
                }
                true
            }
            _ => false,
        };
        watched.seen = Some((state.picks, told));
        true
    });
}

fn complaint(task: &str) -> String {
    format!(
        "The simulation stands still: task {task} has had the baton for {} s of real time. It \
         computes, or it blocks outside gst_mini_core::runtime: on a plain mutex that another task \
         holds across a wait, on a channel, in foreign work.",
        PATIENCE.as_secs()
    )
}
