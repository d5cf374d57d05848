//! The runtime's promises, in both forms wherever a promise is made for both.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gst_mini_core::runtime::{self, EventCount, Monitor, Reentered, Sim, StreamLock};
use gst_mini_core::time::{AbsoluteTime, ClockTime};

/// Runs one body on OS threads and on the simulator under several seeds.
#[track_caller]
fn both_forms(body: impl Fn()) {
    body();
    for seed in 0..50 {
        Sim::new(seed).run(&body).unwrap_or_else(|deadlock| panic!("seed {seed}: {deadlock}"));
    }
}

fn after_ms(ms: u64) -> AbsoluteTime {
    runtime::now() + ClockTime::from_millis(ms)
}

#[test]
fn handing_items_through_a_monitor_loses_none_and_keeps_their_order() {
    both_forms(|| {
        let slot = Arc::new(Monitor::new(None));
        let to_fill = slot.clone();
        let producer = runtime::spawn("producer", move || {
            for item in 0..100 {
                let mut slot = to_fill.lock();
                while slot.is_some() {
                    slot.wait("room");
                }
                *slot = Some(item);
                slot.notify_all();
            }
        })
        .unwrap();
        for item in 0..100 {
            let mut slot = slot.lock();
            while slot.is_none() {
                slot.wait("an item");
            }
            assert_eq!(slot.take(), Some(item));
            slot.notify_all();
        }
        assert_eq!(producer.join(), None);
    });
}

#[test]
fn waiting_until_a_deadline_nobody_meets_times_out_no_earlier() {
    both_forms(|| {
        let quiet = Monitor::new(());
        let deadline = after_ms(5);
        let mut guard = quiet.lock();
        while guard.wait_until(deadline, "nothing") {}
        assert!(runtime::now() >= deadline);
    });
}

#[test]
fn a_panic_ends_its_task_alone_and_join_tells_its_text() {
    both_forms(|| {
        let bad = runtime::spawn("bad", || panic!("out of cheese")).unwrap();
        let good = runtime::spawn("good", || {}).unwrap();
        assert_eq!(bad.join().as_deref(), Some("out of cheese"));
        assert_eq!(good.join(), None);
    });
}

#[test]
fn a_task_knows_its_name_and_that_it_is_itself() {
    both_forms(|| {
        assert_eq!(runtime::task_name(), "main");
        let own = Arc::new(Monitor::new(None::<runtime::Task>));
        let inside = own.clone();
        let seen = Arc::new(Monitor::new(None));
        let report = seen.clone();
        let mut guard = own.lock();
        *guard = Some(
            runtime::spawn("q:src", move || {
                let is_self = inside.lock().as_ref().is_some_and(runtime::in_task);
                let mut report = report.lock();
                *report = Some((runtime::task_name(), is_self));
                report.notify_all();
            })
            .unwrap(),
        );
        assert!(!guard.as_ref().is_some_and(runtime::in_task));
        drop(guard);
        let mut seen = seen.lock();
        while seen.is_none() {
            seen.wait("the report");
        }
        assert_eq!(*seen, Some(("q:src".to_owned(), true)));
    });
}

#[test]
fn a_stream_lock_lets_one_in_across_waits_and_refuses_its_own_thread() {
    both_forms(|| {
        let lock = Arc::new(StreamLock::new());
        let inside = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (lock, inside) = (lock.clone(), inside.clone());
                runtime::spawn("worker", move || {
                    for _ in 0..5 {
                        let guard = lock.lock().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        assert!(matches!(lock.lock(), Err(Reentered)));
                        runtime::sleep_until(runtime::now() + ClockTime::from_micros(10));
                        inside.fetch_sub(1, Ordering::Relaxed);
                        drop(guard);
                    }
                })
                .unwrap()
            })
            .collect();
        for task in tasks {
            assert_eq!(task.join(), None);
        }
        assert!(lock.try_lock().is_some());
    });
}

#[test]
fn an_event_count_misses_no_wake_between_ticket_and_wait() {
    both_forms(|| {
        let count = Arc::new(EventCount::new());
        let ticket = count.ticket();
        count.wake();
        assert!(count.wait(ticket, None, "a wake that has been"));
        assert!(!count.wait(count.ticket(), Some(after_ms(1)), "a wake that never comes"));

        let flag = Arc::new(AtomicUsize::new(0));
        let (waker, raised) = (count.clone(), flag.clone());
        let task = runtime::spawn("waker", move || {
            raised.store(1, Ordering::Relaxed);
            waker.wake();
        })
        .unwrap();
        loop {
            let ticket = count.ticket();
            if flag.load(Ordering::Relaxed) == 1 {
                break;
            }
            count.wait(ticket, None, "the flag");
        }
        assert_eq!(task.join(), None);
    });
}
