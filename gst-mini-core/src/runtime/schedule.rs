//! Who runs next in a simulation, and what everybody waits for. Pure bookkeeping behind one lock.
//!
//! Invariant: a task is in exactly one place: it runs, it is ready, it waits, or it has ended. Nothing
//! depends on addresses or on real time, so one seed gives one order.
//! In GStreamer: nothing; the kernel schedules.
//! Left out: priorities.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::prim::thread::{self, Thread};
use crate::time::AbsoluteTime;

/// Where a task waits for the baton.
#[derive(Default)]
pub(super) struct Slot {
    mine: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Slot {
    pub(super) fn set_thread(&self, thread: Thread) {
        // Set once per slot, by whoever started the thread, before the task can be chosen.
        let _ = self.thread.set(thread);
    }

    pub(super) fn pass_baton(&self) {
        self.mine.store(true, Ordering::Release);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(super) fn wait_for_baton(&self) {
        while !self.mine.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// What a task waits on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum On {
    Nothing,
    /// A monitor, by the address of its condition.
    Change(usize),
    /// A lock, by its address.
    Lock(usize),
    /// The end of a task.
    End(usize),
}

#[derive(Clone, Copy)]
pub(super) struct Wait {
    on: On,
    deadline: Option<u64>,
    why: &'static str,
}

impl Wait {
    pub(super) fn new(on: On, deadline: Option<AbsoluteTime>, why: &'static str) -> Self {
        Self { on, deadline: deadline.map(AbsoluteTime::nanos), why }
    }
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wakeup {
    Woken,
    TimedOut,
    /// It cannot end: deadlock. Only main is told.
    Never,
}

pub(super) struct Record {
    pub(super) name: Arc<str>,
    pub(super) slot: Arc<Slot>,
    pub(super) finished: bool,
    pub(super) panic: Option<String>,
    wait: Option<Wait>,
    /// The element it waits in; memory that is used again.
    place: String,
    wakeup: Wakeup,
}

pub(super) struct State {
    pub(super) now: u64,
    pub(super) limit: u64,
    pub(super) tasks: Vec<Record>,
    pub(super) main: usize,
    /// The task that has the baton.
    pub(super) running: usize,
    pub(super) ready: Vec<usize>,
    /// Tasks in `settle`: ready when nobody else is.
    pub(super) settling: Vec<usize>,
    /// Tasks in `run_until` and `run_until_idle`: ready when no timer is left up to their limit.
    pub(super) idling: Vec<(Option<u64>, usize)>,
    /// Which task has which lock, by the lock's address.
    pub(super) holders: HashMap<usize, usize, BuildHasherDefault<Spread>>,
    pub(super) choices: u64,
    pub(super) picks: u64,
    /// The first one found.
    pub(super) deadlock: Option<Deadlock>,
    /// Who is told of a deadlock when main is not unwound.
    pub(super) report: Option<Box<dyn FnOnce(Deadlock) + Send>>,
    waiting: HashMap<On, Vec<usize>, BuildHasherDefault<Spread>>,
    timers: BTreeSet<(u64, usize)>,
    /// Where the choices come from; without it, who was ready first goes first and runs until it waits.
    random: Option<SplitMix>,
}

impl State {
    pub(super) fn new(seed: Option<u64>) -> Self {
        Self {
            now: 0,
            limit: u64::MAX,
            tasks: Vec::new(),
            main: 0,
            running: 0,
            ready: Vec::new(),
            settling: Vec::new(),
            idling: Vec::new(),
            holders: HashMap::default(),
            choices: 0,
            picks: 0,
            deadlock: None,
            report: None,
            waiting: HashMap::default(),
            timers: BTreeSet::new(),
            random: seed.map(SplitMix),
        }
    }

    pub(super) fn add(&mut self, name: Arc<str>, slot: Arc<Slot>) -> usize {
        let wakeup = Wakeup::Woken;
        let place = String::new();
        let record = Record { name, slot, finished: false, panic: None, wait: None, place, wakeup };
        self.tasks.push(record);
        self.tasks.len() - 1
    }

    pub(super) fn start_wait(&mut self, task: usize, wait: Wait) {
        self.tasks[task].wait = Some(wait);
        let place = &mut self.tasks[task].place;
        place.clear();
        super::place::with(|here| place.push_str(here));
        self.tasks[task].wakeup = Wakeup::Woken;
        if wait.on != On::Nothing {
            self.waiting.entry(wait.on).or_default().push(task);
        }
        if let Some(deadline) = wait.deadline {
            self.timers.insert((deadline, task));
        }
    }

    pub(super) fn end_wait(&mut self, task: usize) -> Wakeup {
        self.tasks[task].wait = None;
        self.tasks[task].wakeup
    }

    pub(super) fn wake_all(&mut self, key: usize) {
        self.wake(On::Change(key));
    }

    pub(super) fn release(&mut self, key: usize, task: usize) {
        if self.holders.get(&key) == Some(&task) {
            self.holders.remove(&key);
            self.wake(On::Lock(key));
        }
    }

    pub(super) fn finish(&mut self, task: usize, panic: Option<String>) {
        self.tasks[task].finished = true;
        self.tasks[task].panic = panic;
        self.wake(On::End(task));
    }

    /// The task that gets the baton when the one that has it stops. Always finds one: in a deadlock, main.
    pub(super) fn next(&mut self) -> usize {
        loop {
            match self.ready.len() {
                0 => self.find_ready(),
                1 => break,
                _ => {
                    self.choices += 1;
                    break;
                }
            }
        }
        self.picks += 1;
        self.running = match &mut self.random {
            Some(random) => self.ready.swap_remove(random.below(self.ready.len())),
            None => self.ready.remove(0),
        };
        self.running
    }

    /// Another task to go on instead of `me`, or `None` to stay.
    pub(super) fn choose_or_stay(&mut self, me: usize) -> Option<usize> {
        let random = self.random.as_mut().filter(|_| !self.ready.is_empty())?;
        self.choices += 1;
        let index = random.below(self.ready.len() + 1);
        let next = *self.ready.get(index)?;
        self.picks += 1;
        self.ready[index] = me;
        self.running = next;
        Some(next)
    }

    /// Another task to go on instead of `me`, which is ready to go on itself; without a seed, who is first in
    /// the line of which `me` becomes the last.
    pub(super) fn choose_another(&mut self, me: usize) -> Option<usize> {
        if self.random.is_some() {
            return self.choose_or_stay(me);
        }
        if self.ready.is_empty() {
            return None;
        }
        let next = self.ready.remove(0);
        self.picks += 1;
        self.ready.push(me);
        self.running = next;
        Some(next)
    }

    /// Whether to offer a switch at an ordinary lock: at one in eight, for they are many.
    pub(super) fn may_preempt(&mut self) -> bool {
        let Some(random) = self.random.as_mut().filter(|_| !self.ready.is_empty()) else {
            return false;
        };
        random.below(8) == 0 && !std::thread::panicking()
    }

    fn find_ready(&mut self) {
        if !self.settling.is_empty() {
            return self.ready.append(&mut self.settling);
        }
        let timer = self.timers.first().map(|(deadline, _)| *deadline);
        let until = self.idling.iter().filter_map(|(limit, _)| *limit).min();
        match (timer, until) {
            (Some(timer), until) if until.is_none_or(|until| timer <= until) => {
                if timer > self.limit {
                    return self.doom("virtual time would pass its limit");
                }
                self.now = self.now.max(timer);
                self.release_timers();
            }
            (_, Some(until)) => {
                self.now = self.now.max(until);
                self.wake_idlers(|limit| limit.is_some_and(|limit| limit <= until));
            }
            _ if !self.idling.is_empty() => self.wake_idlers(|_| true),
            _ => self.doom("every task waits and none has a deadline"),
        }
    }

    fn release_timers(&mut self) {
        while let Some(&(deadline, task)) = self.timers.first() {
            if deadline > self.now {
                break;
            }
            self.stop_waiting(task);
            self.tasks[task].wakeup = Wakeup::TimedOut;
            self.ready.push(task);
        }
    }

    fn wake_idlers(&mut self, due: impl Fn(Option<u64>) -> bool) {
        let ready = &mut self.ready;
        self.idling.retain(|(limit, task)| {
            let due = due(*limit);
            if due {
                ready.push(*task);
            }
            !due
        });
    }

    fn wake(&mut self, on: On) {
        for task in self.waiting.remove(&on).unwrap_or_default() {
            self.stop_waiting(task);
            self.tasks[task].wakeup = Wakeup::Woken;
            self.ready.push(task);
        }
    }

    /// Takes a task out of everything it waits in. What it waited for stays on record until it runs.
    fn stop_waiting(&mut self, task: usize) {
        let Some(wait) = self.tasks[task].wait else { return };
        if let Some(deadline) = wait.deadline {
            self.timers.remove(&(deadline, task));
        }
        if let Some(others) = self.waiting.get_mut(&wait.on) {
            others.retain(|other| *other != task);
            if others.is_empty() {
                self.waiting.remove(&wait.on);
            }
        }
    }

    /// Nobody can go on: main is told, with the graph of who waits for whom.
    fn doom(&mut self, cause: &'static str) {
        if self.deadlock.is_none() {
            self.deadlock = Some(self.describe(cause));
        }
        let main = self.main;
        self.stop_waiting(main);
        self.idling.retain(|(_, task)| *task != main);
        self.tasks[main].wakeup = Wakeup::Never;
        self.ready.push(main);
    }

    /// Who waits for what now. A woken task's last wait is off the record once it runs.
    pub(super) fn describe(&self, cause: &'static str) -> Deadlock {
        let name = |task: usize| self.tasks[task].name.to_string();
        let waiting = self.tasks.iter().filter(|task| !task.finished);
        let waits = waiting.filter_map(|task| {
            let wait = task.wait?;
            let why = match wait.on {
                On::End(other) => format!("task {} to end", name(other)),
                _ => wait.why.to_owned(),
            };
            let holder = match wait.on {
                On::Lock(key) => self.holders.get(&key).map(|holder| name(*holder)),
                _ => None,
            };
            let deadline = wait.deadline.map(AbsoluteTime::from_nanos);
            let place = task.place.clone();
            Some(TaskWait { task: task.name.to_string(), place, why, holder, deadline })
        });
        Deadlock { cause, at: AbsoluteTime::from_nanos(self.now), waits: waits.collect() }
    }
}

/// All tasks of a simulation wait for each other. Printed, it is the graph of who waits for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlock {
    /// What was found.
    pub cause: &'static str,
    /// The virtual time at which it was found.
    pub at: AbsoluteTime,
    /// Every task that had not ended, in the order they were spawned.
    pub waits: Vec<TaskWait>,
}

/// What one task of a [`Deadlock`] waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskWait {
    /// The task.
    pub task: String,
    /// The element it waits in; empty when it is in none.
    pub place: String,
    /// What it waits for, in the words of who waits.
    pub why: String,
    /// Which task has it, where it is a lock.
    pub holder: Option<String>,
    /// When it would have given up, where only virtual time ran out.
    pub deadline: Option<AbsoluteTime>,
}

impl Deadlock {
    pub(super) fn at_start(cause: &'static str) -> Self {
        Self { cause, at: AbsoluteTime::ZERO, waits: Vec::new() }
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deadlock at {}: {}.", self.at, self.cause)?;
        for wait in &self.waits {
            write!(f, "\n  {wait}")?;
        }
        Ok(())
    }
}

impl fmt::Display for TaskWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waits", self.task)?;
        if !self.place.is_empty() {
            write!(f, " in {}", self.place)?;
        }
        write!(f, " for {}", self.why)?;
        if let Some(holder) = &self.holder {
            write!(f, ", held by {holder}")?;
        }
        if let Some(deadline) = self.deadline {
            write!(f, ", until {deadline}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Deadlock {}

/// Spreads addresses over a table. They are ours, so nobody chooses them to collide, and every lock of a
/// simulation is looked up by one.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(26) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// The seeded generator (splitmix64): one word of state, good enough to choose among a few tasks.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((u128::from(z) * n as u128) >> 64) as usize
    }
}
