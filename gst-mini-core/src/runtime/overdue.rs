//! Tells when something that should be over soon is not: on threads nobody sees that all of them wait.
//!
//! Invariant: it tells once, on a thread of its own, and changes nothing. In a simulation it does nothing: there a
//! deadlock is found, and told as a graph.
//! In GStreamer: nothing.
//! Left out: ending what hangs.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::sim;
use crate::time::ClockTime;

type Tell = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Desk {
    expected: Mutex<List>,
    changed: Condvar,
}

#[derive(Default)]
struct List {
    entries: Vec<(u64, Instant, Tell)>,
    last_id: u64,
    /// When the thread that watches looks again by itself; `None`: not before it is told.
    looks_at: Option<Instant>,
}

/// What is expected to be dropped in time.
#[must_use = "what is dropped at once is never late"]
pub struct Expected {
    /// `None` where nobody watches.
    id: Option<u64>,
}

static DESK: OnceLock<Option<&'static Desk>> = OnceLock::new();

fn desk() -> Option<&'static Desk> {
    *DESK.get_or_init(|| {
        let desk: &'static Desk = Box::leak(Box::default());
        let watching =
            std::thread::Builder::new().name("overdue".to_owned()).spawn(move || desk.watch());
        watching.is_ok().then_some(desk)
    })
}

/// Calls `tell` if what this gives is not dropped within `limit`.
pub fn expect_within(limit: ClockTime, tell: impl FnOnce() + Send + 'static) -> Expected {
    if cfg!(gst_mini_shuttle) || sim::current().is_some() {
        return Expected { id: None };
    }
    let Some(desk) = desk() else { return Expected { id: None } };
    let due = Instant::now() + Duration::from_nanos(limit.nanos());
    let mut list = desk.expected.lock();
    list.last_id += 1;
    let id = list.last_id;
    list.entries.push((id, due, Box::new(tell)));
    // What was in time leaves its alarm behind, so that the next one seldom has to wake a thread.
    if list.looks_at.is_none_or(|at| due < at) {
        list.looks_at = Some(due);
        desk.changed.notify_one();
    }
    Expected { id: Some(id) }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let (Some(id), Some(desk)) = (self.id, desk()) {
            desk.expected.lock().entries.retain(|(other, ..)| *other != id);
        }
    }
}

impl Desk {
    fn watch(&self) {
        let mut list = self.expected.lock();
        loop {
            let now = Instant::now();
            if let Some(at) = list.entries.iter().position(|(_, due, _)| *due <= now) {
                let (_, _, tell) = list.entries.remove(at);
                drop(list);
                tell();
                list = self.expected.lock();
                continue;
            }
            list.looks_at = list.entries.iter().map(|(_, due, _)| *due).min();
            match list.looks_at {
                Some(due) => {
                    self.changed.wait_until(&mut list, due);
                }
                None => self.changed.wait(&mut list),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_is_late_is_told_once_and_what_is_in_time_is_not() {
        let (said, heard) = mpsc::channel();
        let (late, punctual) = (said.clone(), said.clone());
        let in_time = expect_within(ClockTime::from_secs(60), move || {
            let _ = punctual.send("punctual");
        });
        let expected = expect_within(ClockTime::from_millis(1), move || {
            let _ = late.send("late");
        });
        assert_eq!(heard.recv_timeout(Duration::from_secs(30)), Ok("late"));
        // The alarm of what was in time is still set.
        drop(expect_within(ClockTime::from_secs(50), || ()));
        let later = said.clone();
        let _expected = expect_within(ClockTime::from_millis(1), move || {
            let _ = later.send("later");
        });
        assert_eq!(heard.recv_timeout(Duration::from_secs(30)), Ok("later"));
        drop((in_time, expected, said));
        assert!(heard.recv_timeout(Duration::from_secs(30)).is_err(), "nothing else is told");
    }
}
