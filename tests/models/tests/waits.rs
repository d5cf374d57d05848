//! Waiting and waking: monitors, event counts, clocks.

use gst_mini_core::clock::{Clock, ClockReturn, ClockWait, SystemClock, TestClock};
use gst_mini_core::runtime::{self, EventCount, Monitor};
use gst_mini_core::time::{AbsoluteTime, ClockTime};
use models::explore;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_change_of_a_monitor_reaches_all_who_wait_for_it() {
    explore(2000, || {
        let level = Arc::new(Monitor::new(0_u32));
        let waiters: Vec<_> = (1..=2)
            .map(|wanted| {
                let level = level.clone();
                let task = runtime::spawn("waiter", move || {
                    let mut level = level.lock();
                    while *level < wanted {
                        level.wait("the level");
                    }
                });
                task.expect("a task")
            })
            .collect();
        for _ in 0..2 {
            let mut level = level.lock();
            *level += 1;
            level.notify_all();
        }
        assert!(waiters.into_iter().all(|task| task.join().is_none()));
    });
}

/// Says that the change is made before it is.
#[test]
#[should_panic(expected = "deadlock")]
fn a_wake_before_the_change_is_found() {
    explore(2000, || {
        let done = Arc::new(Monitor::new(false));
        let changed = done.clone();
        let task = runtime::spawn("changer", move || {
            changed.notify_all();
            *changed.lock() = true;
        });
        let mut done = done.lock();
        while !*done {
            done.wait("the change");
        }
        drop(done);
        task.expect("a task").join();
    });
}

fn hand_over(ticket_first: bool) {
    let shared = Arc::new((AtomicBool::new(false), EventCount::new()));
    let theirs = shared.clone();
    let task = runtime::spawn("changer", move || {
        theirs.0.store(true, Ordering::SeqCst);
        theirs.1.wake();
    });
    let (done, changes) = &*shared;
    loop {
        let early = changes.ticket();
        shuttle::thread::yield_now();
        let is_done = done.load(Ordering::SeqCst);
        shuttle::thread::yield_now();
        if is_done {
            break;
        }
        let ticket = if ticket_first { early } else { changes.ticket() };
        changes.wait(ticket, None, "the change");
    }
    task.expect("a task").join();
}

#[test]
fn a_ticket_taken_before_the_look_misses_no_wake() {
    explore(3000, || hand_over(true));
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_ticket_taken_after_the_look_is_found() {
    explore(3000, || hand_over(false));
}

#[test]
fn a_wait_for_the_clock_ends_whenever_it_is_unscheduled() {
    explore(2000, || {
        let clock = SystemClock::new();
        let wait = ClockWait::new();
        let theirs = wait.clone();
        let task = runtime::spawn("waiter", move || {
            let target = clock.now() + ClockTime::from_secs(3600);
            let waited = clock.wait_until(target, &theirs);
            assert_eq!(waited.result, ClockReturn::Unscheduled);
        });
        wait.unschedule();
        assert_eq!(task.expect("a task").join(), None);
    });
}

#[test]
fn a_clock_that_is_moved_and_a_wait_that_is_unscheduled_meet() {
    explore(3000, || {
        let clock = Arc::new(TestClock::new(AbsoluteTime::ZERO));
        let wait = ClockWait::new();
        let (theirs, waiting) = (clock.clone(), wait.clone());
        let task = runtime::spawn("waiter", move || {
            let first = theirs.wait_until(AbsoluteTime::from_nanos(10), &waiting);
            waiting.reset();
            let second = theirs.wait_until(AbsoluteTime::from_nanos(20), &waiting);
            assert_ne!((first.result, second.result), (ClockReturn::Ok, ClockReturn::Early));
        });
        clock.set_time(AbsoluteTime::from_nanos(10));
        wait.unschedule();
        clock.set_time(AbsoluteTime::from_nanos(20));
        assert_eq!(task.expect("a task").join(), None);
    });
}
