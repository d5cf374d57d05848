//! A [`Worker`]: a thread that runs fibers, one after another, each until it waits.
//!
//! ```text
//!   mail (any thread)     new tasks, wakes        ──┐
//!   timers (this thread)  deadlines, earliest first ┼─▶ ready ─▶ run each once ─▶ look again; none: sleep
//!   wakes (this thread)                           ──┘
//! ```
//!
//! Invariant: mail and timers are looked at by the worker alone and never while a fiber runs, so whoever wakes a fiber
//! that is about to be suspended finds it suspended.
//! In GStreamer: `gst/gsttaskpool.c` (`shared_task_data`).
//! Left out: stealing from other workers.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::mem;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};

use corosensei::{Coroutine, CoroutineResult, Yielder};
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use super::fiber::Fiber;
use super::stacks::FiberStack;
use crate::prefetch;
use crate::runtime::cover::Walks;
use crate::runtime::stack::{self, Bounds};
use crate::runtime::threads::{self, Me};
use crate::runtime::{os, place};
use crate::time::{AbsoluteTime, ClockTime};

/// How long a fiber runs before it lets others.
const SLICE: u64 = 1_000_000;
/// How many buffers pass between two looks at the clock for that.
const LOOKS: u32 = 16;
/// How many stacks of ended tasks are kept for new ones.
const SPARE: usize = 64;
/// Bytes of its stack that a fiber touches first when it goes on, and how many of them are below where it stopped.
const STACK_AROUND: usize = 768;
const STACK_BELOW: usize = 128;

/// How many timers before its own what a worker knows of a fiber is fetched.
const AHEAD: usize = 4;

/// Asks for these bytes to be fetched into the nearest cache; no access, so any address will do.
fn fetch(start: usize, length: usize) {
    for line in (start..start + length).step_by(64) {
        prefetch::to_read(std::ptr::without_provenance::<u8>(line));
    }
}

thread_local! {
    /// This thread is a worker.
    static HERE: RefCell<Option<Rc<Local>>> = const { RefCell::new(None) };
}

/// What any thread knows of a worker.
pub(super) struct Worker {
    grain: ClockTime,
    /// What any thread writes to it.
    mailbox: Sender<Mail>,
    mail: Receiver<Mail>,
    /// Fibers that have not ended.
    load: AtomicUsize,
    /// Stacks of tasks that ended.
    spare: Mutex<Vec<FiberStack>>,
    /// The thread itself, and whether it sleeps or is about to.
    thread: OnceLock<std::thread::Thread>,
    is_parked: AtomicBool,
}

enum Mail {
    Newcomer(Box<Newcomer>),
    /// May go on.
    Woken(Arc<Fiber>),
    /// Nobody spawns here from outside any more.
    Closed,
}

/// A task that begins.
pub(super) struct Newcomer {
    pub fiber: Arc<Fiber>,
    pub me: Me,
    pub stack: FiberStack,
    pub body: Box<dyn FnOnce() + Send>,
}

impl Worker {
    /// A worker that looks at what is due at multiples of `grain`, and at once if that is zero.
    pub fn new(grain: ClockTime) -> Worker {
        let (mailbox, mail) = unbounded();
        Worker {
            grain,
            mailbox,
            mail,
            load: AtomicUsize::new(0),
            spare: Mutex::default(),
            thread: OnceLock::new(),
            is_parked: AtomicBool::new(false),
        }
    }

    fn on_grain(&self, due: AbsoluteTime) -> AbsoluteTime {
        let next = due.nanos().checked_next_multiple_of(self.grain.nanos().max(1));
        AbsoluteTime::from_nanos(next.unwrap_or(u64::MAX))
    }

    /// Fibers that have not ended.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// The worker ends when its fibers have. Nobody spawns on it from outside any more.
    pub fn close(&self) {
        self.post(Mail::Closed);
    }

    /// A stack for a new fiber.
    pub fn stack(&self) -> io::Result<FiberStack> {
        let spare = self.spare.lock().pop();
        spare.map_or_else(FiberStack::new, Ok)
    }

    /// Begins a task. Any thread.
    pub fn adopt(self: &Arc<Self>, newcomer: Newcomer) {
        self.load.fetch_add(1, Ordering::Relaxed);
        self.post(Mail::Newcomer(Box::new(newcomer)));
    }

    /// A fiber of this worker whose wait was ended goes on. Any thread.
    pub fn ready(self: Arc<Self>, fiber: Arc<Fiber>) {
        match local().filter(|local| Arc::ptr_eq(&local.worker, &self)) {
            Some(local) => local.make_ready(&fiber),
            None => self.post(Mail::Woken(fiber)),
        }
    }

    fn post(&self, mail: Mail) {
        // It has the other end itself, so that end is there.
        let _ = self.mailbox.send(mail);
        // Who sleeps says so before it looks for mail, and this looks whether it does after the mail is there.
        fence(Ordering::SeqCst);
        if self.is_parked.load(Ordering::Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Sleeps until there is mail, or the time has come; maybe for no reason. On its thread. The channel's own wait would
    /// look a dozen times first, and give the core away as often: for a worker that sleeps a thousand times a second
    /// that is time lost.
    fn park_until(&self, due: Option<AbsoluteTime>) {
        self.is_parked.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.mail.is_empty() {
            match due {
                Some(due) => {
                    let left = due.since(crate::runtime::now());
                    std::thread::park_timeout(std::time::Duration::from_nanos(left.nanos()));
                }
                None => std::thread::park(),
            }
        }
        self.is_parked.store(false, Ordering::Relaxed);
    }
}

/// What belongs to a task and lies in places of the thread while the task runs.
struct Own {
    me: Option<Me>,
    mark: usize,
    bounds: Bounds,
    place: String,
    walks: Walks,
}

impl Own {
    /// Exchanges it with what the thread has.
    fn swap(&mut self) {
        self.me = threads::become_task(self.me.take());
        self.mark = threads::set_mark(self.mark);
        self.bounds = stack::swap_bounds(self.bounds);
        self.place = place::swap(mem::take(&mut self.place));
        self.walks.swap();
    }
}

/// A fiber with its stack, on its worker.
struct Strand {
    fiber: Arc<Fiber>,
    coroutine: RefCell<Option<Coroutine<(), (), (), FiberStack>>>,
    /// The way back to the worker; on the stack of the fiber, and valid while its body runs.
    yielder: Cell<*const Yielder<(), ()>>,
    own: RefCell<Own>,
    stack_end: usize,
    /// About where on its stack it is suspended.
    suspended_at: Cell<usize>,
    /// Addresses of what it looks at first when it goes on.
    looks_at: Cell<[usize; 2]>,
    waits: Cell<u32>,
    /// When it began to run, ns, and how often it was asked since then whether it should give way.
    began: Cell<u64>,
    asked: Cell<u32>,
}

struct Timer {
    due: AbsoluteTime,
    /// Those due at one time go on in the order they came.
    number: u64,
    fiber: Arc<Fiber>,
    ticket: u64,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Timer {}
impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

/// What the worker alone touches. No borrow of it lives across a switch.
struct Local {
    worker: Arc<Worker>,
    strands: RefCell<Vec<Option<Rc<Strand>>>>,
    free_slots: RefCell<Vec<usize>>,
    ready: RefCell<VecDeque<Rc<Strand>>>,
    timers: RefCell<BinaryHeap<Reverse<Timer>>>,
    /// Those that are due, while they are seen to.
    fired: RefCell<Vec<Timer>>,
    timer_number: Cell<u64>,
    running: RefCell<Option<Rc<Strand>>>,
    /// Nobody spawns here from outside any more.
    is_closed: Cell<bool>,
}

fn local() -> Option<Rc<Local>> {
    HERE.try_with(|here| here.borrow().clone()).ok().flatten()
}

fn running() -> Option<(Rc<Local>, Rc<Strand>)> {
    let local = local()?;
    let running = local.running.borrow().clone()?;
    Some((local, running))
}

/// Whether a fiber asks.
pub(super) fn is_here() -> bool {
    HERE.try_with(|here| here.borrow().is_some()).unwrap_or(false)
}

/// The worker of the fiber that asks.
pub(super) fn here() -> Option<Arc<Worker>> {
    local().map(|local| local.worker.clone())
}

/// Lends the fiber that asks.
pub(super) fn with_current(f: impl FnOnce(&Arc<Fiber>)) {
    if let Some((_, strand)) = running() {
        f(&strand.fiber);
    }
}

/// Suspends this fiber until its ticket is used, or the deadline comes; whether it was woken. `announce` is called
/// in between, with what wakes it. It gives locks back and takes none that another fiber may hold. `looks_at`: addresses
/// of what the fiber looks at first when it goes on.
pub(super) fn wait(
    deadline: Option<AbsoluteTime>,
    looks_at: [usize; 2],
    announce: impl FnOnce(&Arc<Fiber>, u64),
) -> bool {
    let (local, strand) = running().expect("only fibers are suspended");
    let ticket = strand.fiber.begin_wait();
    strand.looks_at.set(looks_at);
    if let Some(due) = deadline {
        local.add_timer(due, &strand.fiber, ticket);
    }
    announce(&strand.fiber, ticket);
    drop(local);
    strand.suspend();
    !strand.fiber.timed_out()
}

/// Lets the other fibers that are ready run.
pub(super) fn give_way() {
    if let Some((local, strand)) = running() {
        local.ready.borrow_mut().push_back(strand.clone());
        drop(local);
        strand.suspend();
    }
}

pub(super) fn breathe() {
    let Some((_, strand)) = running() else { return };
    strand.asked.set(strand.asked.get() + 1);
    if strand.asked.get() % LOOKS == 0 && os::monotonic_nanos() - strand.began.get() > SLICE {
        drop(strand);
        give_way();
    }
}

impl Strand {
    fn suspend(&self) {
        self.waits.set(self.waits.get().saturating_add(1));
        if self.waits.get() == stack::SETTLED {
            stack::give_back(self.stack_end);
        }
        let yielder = self.yielder.get();
        self.suspended_at.set(std::ptr::from_ref(&yielder).addr());
        // SAFETY: this is the fiber that runs, so its body is not over, and the yielder it was lent lives that long.
        unsafe { (*yielder).suspend(()) }
    }

    /// Asks for what it touches first when it goes on.
    fn fetch(&self) {
        let at = self.suspended_at.get();
        fetch(at.saturating_sub(STACK_BELOW), if at == 0 { 0 } else { STACK_AROUND });
        for place in self.looks_at.get().into_iter().filter(|place| *place != 0) {
            prefetch::to_write(std::ptr::without_provenance::<u8>(place));
        }
    }

    /// Runs it until it waits or ends; whether it ended.
    fn run(&self) -> bool {
        self.began.set(os::monotonic_nanos());
        self.asked.set(0);
        let mut coroutine = self.coroutine.borrow_mut();
        let Some(coroutine) = &mut *coroutine else { return true };
        self.own.borrow_mut().swap();
        let result = coroutine.resume(());
        self.own.borrow_mut().swap();
        matches!(result, CoroutineResult::Return(()))
    }
}

impl Local {
    fn add_timer(&self, due: AbsoluteTime, fiber: &Arc<Fiber>, ticket: u64) {
        let number = self.timer_number.get();
        self.timer_number.set(number + 1);
        let mut timers = self.timers.borrow_mut();
        if timers.len() > 64 + 4 * self.worker.load() {
            // Of waits that were over sooner.
            timers.retain(|Reverse(timer)| timer.fiber.waits(timer.ticket));
        }
        timers.push(Reverse(Timer { due, number, fiber: fiber.clone(), ticket }));
    }

    fn make_ready(&self, fiber: &Fiber) {
        let strand = self.strands.borrow()[fiber.slot.load(Ordering::Relaxed)].clone();
        let strand = strand.expect("a fiber that waits has not ended");
        self.ready.borrow_mut().push_back(strand);
    }

    fn begin(&self, newcomer: Newcomer) {
        let Newcomer { fiber, me, stack, body } = newcomer;
        let bounds = stack::bounds_above(stack.end());
        let (mark, stack_end) = (fiber.mark(), stack.end());
        let strand = Rc::new(Strand {
            fiber: fiber.clone(),
            coroutine: RefCell::new(None),
            yielder: Cell::new(std::ptr::null()),
            own: RefCell::new(Own {
                me: Some(me),
                mark,
                bounds,
                place: String::new(),
                walks: Walks::NONE,
            }),
            stack_end,
            suspended_at: Cell::new(0),
            looks_at: Cell::new([0; 2]),
            waits: Cell::new(0),
            began: Cell::new(0),
            asked: Cell::new(0),
        });
        let in_fiber = Rc::downgrade(&strand);
        *strand.coroutine.borrow_mut() = Some(Coroutine::with_stack(stack, move |yielder, ()| {
            if let Some(strand) = in_fiber.upgrade() {
                strand.yielder.set(yielder);
            }
            drop(in_fiber);
            body();
        }));
        let mut strands = self.strands.borrow_mut();
        let slot = self.free_slots.borrow_mut().pop().unwrap_or(strands.len());
        fiber.slot.store(slot, Ordering::Relaxed);
        if slot == strands.len() {
            strands.push(None);
        }
        strands[slot] = Some(strand.clone());
        self.ready.borrow_mut().push_back(strand);
    }

    fn end(&self, strand: &Strand) {
        let slot = strand.fiber.slot.load(Ordering::Relaxed);
        self.strands.borrow_mut()[slot] = None;
        self.free_slots.borrow_mut().push(slot);
        self.worker.load.fetch_sub(1, Ordering::Relaxed);
        let stack = strand.coroutine.borrow_mut().take().map(Coroutine::into_stack);
        let mut spare = self.worker.spare.lock();
        if spare.len() < SPARE {
            spare.extend(stack);
        }
    }

    fn read(&self, mail: Mail) {
        match mail {
            Mail::Newcomer(newcomer) => self.begin(*newcomer),
            Mail::Woken(fiber) => self.make_ready(&fiber),
            Mail::Closed => self.is_closed.set(true),
        }
    }

    fn read_mail(&self) {
        if !self.worker.mail.is_empty() {
            self.worker.mail.try_iter().for_each(|mail| self.read(mail));
        }
    }

    fn fire_timers(&self) {
        let mut timers = self.timers.borrow_mut();
        let Some(Reverse(first)) = timers.peek() else { return };
        let now = crate::runtime::now();
        if first.due > now {
            return;
        }
        let mut fired = self.fired.borrow_mut();
        while timers.peek().is_some_and(|Reverse(first)| first.due <= now) {
            if let Some(Reverse(timer)) = timers.pop() {
                prefetch::to_write(Arc::as_ptr(&timer.fiber));
                fired.push(timer);
            }
        }
        drop(timers);
        for at in 0..fired.len() {
            if let Some(later) = fired.get(at + AHEAD) {
                self.fetch_strand(&later.fiber);
            }
            let Timer { fiber, ticket, .. } = &fired[at];
            if fiber.time_out(*ticket) {
                self.make_ready(fiber);
            }
        }
        fired.clear();
    }

    fn fetch_strand(&self, fiber: &Fiber) {
        if let Some(Some(strand)) = self.strands.borrow().get(fiber.slot.load(Ordering::Relaxed)) {
            prefetch::to_write(Rc::as_ptr(strand));
        }
    }

    /// Has what the next fibers will touch first fetched while this one runs: it has been cold since they ran, for as long
    /// as a picture is shown. What tells of the rest has to be there before.
    fn fetch_ahead(&self) {
        let ready = self.ready.borrow();
        if let Some(third) = ready.get(2) {
            fetch(Rc::as_ptr(third).addr(), size_of::<Strand>());
        }
        if let Some(second) = ready.get(1) {
            second.fetch();
        }
    }

    /// Runs each of the fibers that are ready now once.
    fn run_ready(&self) {
        let count = self.ready.borrow().len();
        // Nobody runs before these.
        self.ready.borrow().iter().take(2).for_each(|first| first.fetch());
        for _ in 0..count {
            let Some(strand) = self.ready.borrow_mut().pop_front() else { return };
            self.fetch_ahead();
            *self.running.borrow_mut() = Some(strand.clone());
            let has_ended = strand.run();
            *self.running.borrow_mut() = None;
            if has_ended {
                self.end(&strand);
            }
        }
    }

    /// Sleeps until there is mail or something is due; whether the worker's work is over instead.
    fn sleep(&self) -> bool {
        let due = self.timers.borrow().peek().map(|Reverse(first)| self.worker.on_grain(first.due));
        if self.is_closed.get() && self.worker.load() == 0 && self.worker.mail.is_empty() {
            return true;
        }
        self.worker.park_until(due);
        false
    }
}

/// The life of a worker.
pub(super) fn work(worker: &Arc<Worker>) {
    let local = Rc::new(Local {
        worker: worker.clone(),
        strands: RefCell::default(),
        free_slots: RefCell::default(),
        ready: RefCell::default(),
        timers: RefCell::default(),
        fired: RefCell::default(),
        timer_number: Cell::new(0),
        running: RefCell::new(None),
        is_closed: Cell::new(false),
    });
    let _ = worker.thread.set(std::thread::current());
    HERE.with(|here| *here.borrow_mut() = Some(local.clone()));
    loop {
        local.read_mail();
        local.fire_timers();
        local.run_ready();
        if local.ready.borrow().is_empty() && local.sleep() {
            break;
        }
    }
    HERE.with(|here| *here.borrow_mut() = None);
    worker.spare.lock().clear();
}
