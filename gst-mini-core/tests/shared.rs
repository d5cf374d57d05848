//! Many tasks on few threads: waits and wakes in every direction, locks held across waits, stacks, ends.

use gst_mini_core::runtime::{self, EventCount, Monitor, Reentered, Shared, StreamLock, Task};
use gst_mini_core::time::{AbsoluteTime, ClockTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

fn one_worker() -> Shared {
    Shared::new(1).expect("a thread more")
}

fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> Task {
    runtime::spawn(name, f).expect("far from any limit")
}

fn soon() -> AbsoluteTime {
    runtime::now() + ClockTime::from_millis(3)
}

/// Sets a flag that others wait for.
#[derive(Default)]
struct Flag(Monitor<bool>);

impl Flag {
    fn set(&self) {
        *self.0.lock() = true;
        self.0.notify_all();
    }

    fn wait(&self) {
        let mut set = self.0.lock();
        while !*set {
            set.wait("a flag");
        }
    }
}

/// Two who take turns.
fn take_turns(turn: &Monitor<u32>, mine: u32, last: u32) {
    let mut now = turn.lock();
    loop {
        while *now % 2 != mine && *now < last {
            now.wait("a turn");
        }
        if *now >= last {
            return;
        }
        *now += 1;
        now.notify_all();
    }
}

#[test]
fn fibers_and_threads_wake_each_other_with_monitors() {
    let (one, other) = (one_worker(), one_worker());
    let turn = Arc::new(Monitor::new(0));
    let (a, b) = (turn.clone(), turn.clone());
    let fiber = one.run(|| spawn("odd", move || take_turns(&a, 1, 2_000)));
    take_turns(&turn, 0, 2_000);
    assert_eq!(fiber.join(), None);
    // On two workers, and on one.
    for second in [&other, &one] {
        *turn.lock() = 0;
        let (a, b) = (turn.clone(), b.clone());
        let odd = one.run(|| spawn("odd", move || take_turns(&a, 1, 2_000)));
        let even = second.run(|| spawn("even", move || take_turns(&b, 0, 2_000)));
        assert_eq!((odd.join(), even.join()), (None, None));
        assert_eq!(*turn.lock(), 2_000);
    }
}

#[test]
fn fibers_and_threads_wake_each_other_with_event_counts() {
    let shared = one_worker();
    let (asked, answered) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let bells = Arc::new([EventCount::new(), EventCount::new()]);
    let until = |bell: &EventCount, count: &AtomicU64, wanted: u64| {
        loop {
            let ticket = bell.ticket();
            if count.load(Ordering::Acquire) >= wanted {
                return;
            }
            bell.wait(ticket, None, "a number");
        }
    };
    let (questions, answers, their_bells) = (asked.clone(), answered.clone(), bells.clone());
    let fiber = shared.run(|| {
        spawn("answers", move || {
            for number in 1..=500 {
                until(&their_bells[0], &questions, number);
                answers.store(number, Ordering::Release);
                their_bells[1].wake();
            }
        })
    });
    for number in 1..=500 {
        asked.store(number, Ordering::Release);
        bells[0].wake();
        until(&bells[1], &answered, number);
    }
    assert_eq!(fiber.join(), None);
}

#[test]
fn a_deadline_ends_a_wait_and_not_before_and_a_wake_ends_it_sooner() {
    let shared = one_worker();
    let monitor = Arc::new(Monitor::new(false));
    let theirs = monitor.clone();
    let late = shared.run(|| {
        spawn("late", move || {
            for _ in 0..20 {
                let deadline = soon();
                let mut guard = theirs.lock();
                while guard.wait_until(deadline, "nothing") {}
                assert!(runtime::now() >= deadline);
                runtime::sleep_until(deadline + ClockTime::from_micros(100));
                assert!(runtime::now() >= deadline + ClockTime::from_micros(100));
            }
            // In the past: at once.
            assert!(!theirs.lock().wait_until(AbsoluteTime::ZERO, "nothing"));
        })
    });
    assert_eq!(late.join(), None);
    let theirs = monitor.clone();
    let woken = shared.run(|| {
        spawn("woken", move || {
            let mut guard = theirs.lock();
            let deadline = runtime::now() + ClockTime::from_secs(3_600);
            while !*guard {
                assert!(guard.wait_until(deadline, "an hour"));
            }
        })
    });
    *monitor.lock() = true;
    monitor.notify_all();
    assert_eq!(woken.join(), None);
}

/// A fiber holds the lock while it waits for one that begins after another one wants the lock.
fn held_across_a_wait(habit: u32) {
    let shared = one_worker();
    let (lock, go_on) = (Arc::new(StreamLock::new()), Arc::new(Flag::default()));
    let order = Arc::new(Monitor::new(Vec::new()));
    let (held, flag, told) = (lock.clone(), go_on.clone(), order.clone());
    let is_held = Arc::new(Flag::default());
    let now_held = is_held.clone();
    let holder = shared.run(|| {
        spawn("holder", move || {
            // Often in a row: then it leans to this task.
            (0..habit).for_each(|_| drop(held.lock()));
            let held = held.lock().expect("not held yet");
            now_held.set();
            flag.wait();
            told.lock().push("out");
            drop(held);
        })
    });
    is_held.wait();
    let wanting: Vec<_> = (0..2)
        .map(|_| {
            let (wanted, told) = (lock.clone(), order.clone());
            shared.run(|| {
                spawn("wanting", move || {
                    assert!(!wanted.is_mine(), "it is the other one's, on the same thread");
                    assert!(wanted.try_lock().is_none());
                    told.lock().push("wants");
                    let held = wanted.lock().expect("another one had it");
                    assert!(wanted.is_mine());
                    assert_eq!(wanted.lock().err(), Some(Reentered));
                    runtime::sleep_until(soon());
                    told.lock().push("in");
                    drop(held);
                })
            })
        })
        .collect();
    let told = order.clone();
    let waker = shared.run(|| {
        spawn("waker", move || {
            while told.lock().len() < 2 {
                runtime::give_way();
            }
            go_on.set();
        })
    });
    for task in wanting.into_iter().chain([holder, waker]) {
        assert_eq!(task.join(), None);
    }
    assert_eq!(*order.lock(), ["wants", "wants", "out", "in", "in"]);
    assert!(!lock.is_locked());
}

#[test]
fn who_wants_a_stream_lock_that_a_fiber_of_its_worker_holds_in_a_wait_lets_that_one_go_on() {
    held_across_a_wait(0);
}

#[test]
fn the_same_when_the_lock_leans_to_the_fiber_that_holds_it() {
    held_across_a_wait(200);
}

#[test]
fn who_waits_for_a_stream_lock_gets_it_though_another_takes_it_again_at_once() {
    let shared = one_worker();
    let lock = Arc::new(StreamLock::new());
    let (streams, stop) = (lock.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let streaming = shared.run(|| {
        spawn("streaming", move || {
            while !stopped.load(Ordering::Relaxed) {
                let _held = streams.lock().expect("not held by this task");
                runtime::sleep_until(runtime::now() + ClockTime::from_micros(100));
            }
        })
    });
    // A fiber of the same worker, one of another, and a thread.
    let control = |lock: Arc<StreamLock>| {
        move || {
            for _ in 0..20 {
                drop(lock.lock().expect("not held by this task"));
                runtime::sleep_until(runtime::now() + ClockTime::from_micros(300));
            }
        }
    };
    let other = one_worker();
    let same = shared.run(|| spawn("control", control(lock.clone())));
    let another = other.run(|| spawn("control", control(lock.clone())));
    control(lock)();
    assert_eq!((same.join(), another.join()), (None, None));
    stop.store(true, Ordering::Relaxed);
    assert_eq!(streaming.join(), None);
}

#[test]
fn a_fiber_waits_for_a_lock_of_a_thread_and_its_worker_goes_on() {
    let shared = one_worker();
    let lock = Arc::new(StreamLock::new());
    let held = lock.lock().expect("new");
    let wanted = lock.clone();
    let wants = shared.run(|| spawn("wants", move || drop(wanted.lock().expect("not mine"))));
    // It comes after the other one on the same worker.
    let goes_on = shared.run(|| spawn("goes on", || ()));
    assert_eq!(goes_on.join(), None);
    assert!(!wants.is_finished());
    drop(held);
    assert_eq!(wants.join(), None);
}

#[test]
fn fibers_join_fibers_and_threads_and_threads_join_fibers() {
    let shared = one_worker();
    let flag = Arc::new(Flag::default());
    let theirs = flag.clone();
    let thread = spawn("a thread", move || theirs.wait());
    let joined = Arc::new(AtomicU32::new(0));
    let count = joined.clone();
    let joins = shared.run(|| {
        spawn("joins", move || {
            let child = spawn("a child", || runtime::sleep_until(soon()));
            assert!(runtime::is_shared());
            assert_eq!(child.join(), None);
            count.fetch_add(1, Ordering::Relaxed);
            assert_eq!(thread.join(), None);
            count.fetch_add(1, Ordering::Relaxed);
        })
    });
    // Behind it on the worker that waits for a thread.
    let sets = shared.run(|| spawn("sets", move || flag.set()));
    assert_eq!((joins.join(), sets.join()), (None, None));
    assert_eq!(joined.load(Ordering::Relaxed), 2);
    assert!(!runtime::is_shared());
}

#[test]
fn a_panic_ends_its_task_alone_and_its_text_is_told() {
    let shared = one_worker();
    let flag = Arc::new(Flag::default());
    let theirs = flag.clone();
    let other = shared.run(|| spawn("other", move || theirs.wait()));
    let fails = shared.run(|| {
        spawn("fails", || {
            runtime::sleep_until(soon());
            panic!("of all {}", "things");
        })
    });
    assert_eq!(fails.join().as_deref(), Some("of all things"));
    assert!(!other.is_finished());
    flag.set();
    assert_eq!(other.join(), None);
}

#[test]
fn each_task_knows_who_it_is_whoever_ran_in_between() {
    let shared = one_worker();
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let name = format!("task {number}");
            let own = name.clone();
            shared.run(|| {
                spawn(&name, move || {
                    for _ in 0..20 {
                        assert_eq!(runtime::task_name(), own);
                        runtime::at(&own, || {
                            runtime::give_way();
                            runtime::sleep_until(runtime::now() + ClockTime::from_micros(50));
                        });
                    }
                })
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| assert_eq!(task.join(), None));
    assert_eq!(runtime::task_name(), "main");
}

#[test]
fn ten_thousand_tasks_sleep_on_two_threads_and_end_on_time() {
    let shared = Shared::new(2).expect("two threads more");
    let awake = Arc::new(AtomicU32::new(0));
    let deadline = runtime::now() + ClockTime::from_millis(400);
    let tasks: Vec<_> = (0..10_000_u32)
        .map(|number| {
            let awake = awake.clone();
            let due = deadline + ClockTime::from_micros(u64::from(number % 7) * 900);
            shared.run(|| {
                spawn("sleeper", move || {
                    runtime::sleep_until(due);
                    assert!(runtime::now() >= due);
                    awake.fetch_add(1, Ordering::Relaxed);
                })
            })
        })
        .collect();
    assert!(shared.tasks() <= 10_000);
    tasks.into_iter().for_each(|task| assert_eq!(task.join(), None));
    assert_eq!(awake.load(Ordering::Relaxed), 10_000);
    assert!((10_001..1_000_000).contains(&Shared::task_limit()), "{}", Shared::task_limit());
}

#[test]
fn tasks_outlive_the_handle_and_are_spawned_where_the_spawner_says() {
    let flag = Arc::new(Flag::default());
    let theirs = flag.clone();
    let shared = one_worker();
    let task = shared.run(|| spawn("outlives", move || theirs.wait()));
    assert!(!runtime::is_shared());
    let elsewhere = spawn("a thread", || assert!(!runtime::is_shared()));
    drop(shared);
    flag.set();
    assert_eq!((task.join(), elsewhere.join()), (None, None));
}

#[inline(never)]
fn dive(depth: u32, ends: fn() -> bool) -> u32 {
    // Something that is on the stack and not optimised away.
    let frame = std::hint::black_box([depth; 64]);
    if ends() { depth } else { dive(depth + 1, ends) + std::hint::black_box(frame[3]) % 2 }
}

#[test]
fn a_dive_ends_before_the_stack_does() {
    let shared = one_worker();
    let dives = shared.run(|| {
        spawn("dives", || {
            let left = runtime::stack_left().expect("a fiber's is known");
            assert!(left <= runtime::STACK_SIZE / 8 && left > runtime::STACK_SIZE / 16, "{left}");
            assert!(dive(0, || !runtime::has_stack()) > 500);
            runtime::sleep_until(soon());
            assert!(runtime::has_stack());
        })
    });
    assert_eq!(dives.join(), None);
}

/// Run by the test below in a process of its own, which it kills.
#[test]
#[ignore = "it ends its process"]
fn runs_out_of_stack() {
    let shared = one_worker();
    let falls = shared.run(|| spawn("falls", || assert!(dive(0, || false) > 0)));
    falls.join();
}

#[cfg(unix)]
#[test]
fn who_runs_out_of_stack_hits_the_guard() {
    use std::os::unix::process::ExitStatusExt;
    let mut child = std::process::Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", "runs_out_of_stack", "--ignored"]);
    let output = child.output().expect("it starts");
    let signal = output.status.signal();
    assert!(
        matches!(signal, Some(libc_signal::SEGV | libc_signal::ABRT | libc_signal::BUS)),
        "{output:?}"
    );
}

#[cfg(unix)]
mod libc_signal {
    pub const ABRT: i32 = 6;
    pub const BUS: i32 = 7;
    pub const SEGV: i32 = 11;
}
