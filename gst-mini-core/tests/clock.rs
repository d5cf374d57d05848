//! Waiting for a time, on the system's clock, on a simulation's and on one moved by hand.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use std::sync::Arc;

use gst_mini_core::clock::{Clock, ClockReturn, ClockWait, ClockWaited, SystemClock, TestClock};
use gst_mini_core::runtime::{self, Monitor, Sim, Task};
use gst_mini_core::time::{AbsoluteTime, ClockTime};

/// Runs one body on OS threads and on the simulator under several seeds.
#[track_caller]
fn both_forms(body: impl Fn()) {
    body();
    for seed in 0..50 {
        Sim::new(seed).run(&body).unwrap_or_else(|deadlock| panic!("seed {seed}: {deadlock}"));
    }
}

const fn at(nanos: u64) -> AbsoluteTime {
    AbsoluteTime::from_nanos(nanos)
}

/// Waits on `clock` in a task of its own; the result appears in the monitor.
fn waiter(
    clock: Arc<dyn Clock>,
    target: AbsoluteTime,
    wait: &ClockWait,
) -> (Task, Arc<Monitor<Option<ClockWaited>>>) {
    let result = Arc::new(Monitor::new(None));
    let (store, wait) = (result.clone(), wait.clone());
    let task = runtime::spawn("waiter", move || {
        let waited = clock.wait_until(target, &wait);
        *store.lock() = Some(waited);
    });
    (task.expect("one more task is allowed"), result)
}

#[test]
fn system_clock_waits_for_its_target_and_reports_how_long_there_was() {
    for clock in [SystemClock::new(), SystemClock::with_spin(ClockTime::from_millis(2))] {
        both_forms(|| {
            let target = clock.now() + ClockTime::from_millis(3);
            let waited = clock.wait_until(target, &ClockWait::new());
            // A busy machine may take longer than that to get here.
            let in_time = waited.jitter <= 0;
            assert_eq!(waited.result, if in_time { ClockReturn::Ok } else { ClockReturn::Early });
            assert!(waited.jitter >= -3_000_000, "{}", waited.jitter);
            assert!(clock.now() >= target);
        });
    }
}

#[test]
fn system_clock_target_in_the_past_is_early_with_the_lateness_as_jitter() {
    both_forms(|| {
        let clock = SystemClock::new();
        runtime::sleep_until(clock.now() + ClockTime::from_micros(50));
        let target = clock.now().saturating_sub(ClockTime::from_micros(20));
        let waited = clock.wait_until(target, &ClockWait::new());
        assert_eq!(waited.result, ClockReturn::Early);
        assert!(waited.jitter >= 20_000);
    });
}

#[test]
fn unscheduling_ends_a_wait_and_sticks_until_reset() {
    for clock in [SystemClock::new(), SystemClock::with_spin(ClockTime::from_secs(4000))] {
        let clock = Arc::new(clock);
        both_forms(|| {
            let wait = ClockWait::new();
            let target = clock.now() + ClockTime::from_secs(3600);
            let (task, result) = waiter(clock.clone(), target, &wait);
            runtime::settle();
            wait.unschedule();
            assert_eq!(task.join(), None);
            let waited = result.lock().unwrap();
            assert_eq!(waited.result, ClockReturn::Unscheduled);
            assert!(clock.now() < target);

            assert_eq!(clock.wait_until(target, &wait).result, ClockReturn::Unscheduled);
            wait.reset();
            let soon = clock.now() + ClockTime::from_micros(10);
            assert_ne!(clock.wait_until(soon, &wait).result, ClockReturn::Unscheduled);
        });
    }
}

#[test]
fn system_clock_in_a_simulation_waits_an_hour_in_no_time_and_exactly() {
    Sim::new(1)
        .run(|| {
            let clock = SystemClock::obtain();
            let target = at(3_600_000_000_000);
            assert_eq!(clock.wait_until(target, &ClockWait::new()).jitter, -3_600_000_000_000);
            assert_eq!(clock.now(), target);
        })
        .unwrap();
}

#[test]
fn gridded_waits_end_at_the_next_multiple_and_never_early() {
    Sim::new(1)
        .run(|| {
            let clock = Arc::new(SystemClock::with_grid(ClockTime::from_millis(1)));
            let targets = [1, 400_000, 999_999, 1_000_000, 1_000_001];
            let waits: Vec<_> = targets
                .map(|target| {
                    let clock = clock.clone();
                    let woke_at = Arc::new(Monitor::new(None));
                    let result = woke_at.clone();
                    let task = runtime::spawn("waiter", move || {
                        clock.wait_until(at(target), &ClockWait::new());
                        *woke_at.lock() = Some(clock.now());
                    });
                    (task.expect("one more task is allowed"), result)
                })
                .into();
            let woke_at = waits.into_iter().map(|(task, result)| {
                assert_eq!(task.join(), None);
                result.lock().map(AbsoluteTime::nanos)
            });
            let millis = [1, 1, 1, 1, 2].map(|millis| Some(millis * 1_000_000));
            assert_eq!(woke_at.collect::<Vec<_>>(), millis);
            // What is due already is not held back.
            clock.wait_until(at(1_500_000), &ClockWait::new());
            assert_eq!(clock.now(), at(2_000_000));
        })
        .unwrap();
}

#[test]
fn clock_properties_are_read_by_the_next_wait_and_others_are_refused() {
    let clock = SystemClock::new();
    assert_eq!(clock.property("spin").as_deref(), Some("0"));
    clock.set_property("grid", "250000").unwrap();
    assert_eq!(clock.property("grid").as_deref(), Some("250000"));
    let refused = clock.set_property("clock-type", "realtime").unwrap_err();
    assert!(refused.contains("no property \"clock-type\"; it has spin and grid"), "{refused}");
    assert!(clock.set_property("spin", "-1").unwrap_err().starts_with("spin=-1: nanoseconds"));
    let refused = TestClock::default().set_property("spin", "1").unwrap_err();
    assert_eq!(refused, "GstTestClock has no property \"spin\"");
}

#[test]
fn test_clock_releases_the_waits_it_passes_and_no_others() {
    both_forms(|| {
        let clock = Arc::new(TestClock::new(at(10)));
        let waits = [ClockWait::new(), ClockWait::new(), ClockWait::new()];
        let [first, second, third] = [40, 20, 90].map(at);
        let (first, first_result) = waiter(clock.clone(), first, &waits[0]);
        let (second, second_result) = waiter(clock.clone(), second, &waits[1]);
        let (third, third_result) = waiter(clock.clone(), third, &waits[2]);
        clock.wait_for_waits(3);
        assert_eq!(clock.waits(), [at(20), at(40), at(90)]);

        clock.advance(ClockTime::from_nanos(50));
        assert_eq!((first.join(), second.join()), (None, None));
        assert_eq!(first_result.lock().unwrap().result, ClockReturn::Ok);
        assert_eq!(second_result.lock().unwrap().jitter, -10);
        assert_eq!(clock.peek_next_wait(), Some(at(90)));

        waits[2].unschedule();
        assert_eq!(third.join(), None);
        assert_eq!(third_result.lock().unwrap().result, ClockReturn::Unscheduled);
        assert_eq!(clock.peek_next_wait(), None);
    });
}

#[test]
fn test_clock_crank_steps_from_wait_to_wait() {
    both_forms(|| {
        let clock = Arc::new(TestClock::default());
        let ticking = clock.clone();
        let ticker = runtime::spawn("ticker", move || {
            let wait = ClockWait::new();
            for tick in 1..=5 {
                let waited = ticking.wait_until(at(tick * 40), &wait);
                assert_eq!(waited, ClockWaited { result: ClockReturn::Ok, jitter: -40 });
            }
        })
        .unwrap();
        for tick in 1..=5 {
            assert_eq!(clock.crank(), at(tick * 40));
        }
        assert_eq!(ticker.join(), None);
        assert_eq!(clock.try_crank(), None);
    });
}

#[test]
fn a_clock_that_goes_backwards_makes_the_same_wait_longer() {
    both_forms(|| {
        let clock = Arc::new(TestClock::new(at(100)));
        clock.set_time(at(50));
        assert_eq!(clock.now(), at(100), "not by accident");
        assert_eq!(clock.wait_until(at(99), &ClockWait::new()).result, ClockReturn::Early);
        let just_in_time = clock.wait_until(at(100), &ClockWait::new());
        assert_eq!((just_in_time.result, just_in_time.jitter), (ClockReturn::Ok, 0));

        clock.set_time_back(at(30));
        let (task, result) = waiter(clock.clone(), at(100), &ClockWait::new());
        clock.wait_for_waits(1);
        clock.set_time(at(99));
        runtime::settle();
        assert_eq!(*result.lock(), None);
        clock.set_time(at(100));
        assert_eq!(task.join(), None);
        assert_eq!(result.lock().unwrap().jitter, -70);
    });
}

/// How late a wait ends, asleep and with the last 100 µs spun.
#[test]
#[ignore = "a measurement"]
fn lateness_of_the_system_clock() {
    for spin in [0, 100] {
        let clock = SystemClock::with_spin(ClockTime::from_micros(spin));
        let task = runtime::spawn("late", move || {
            let wait = ClockWait::new();
            let mut late: Vec<_> = (0..500)
                .map(|_| {
                    let target = clock.now() + ClockTime::from_millis(4);
                    clock.wait_until(target, &wait);
                    clock.now().diff(target)
                })
                .collect();
            late.sort_unstable();
            eprintln!("spin {spin} µs: p50 {} ns, p99 {} ns late", late[250], late[495]);
        });
        assert_eq!(task.expect("one more task is allowed").join(), None);
    }
}
