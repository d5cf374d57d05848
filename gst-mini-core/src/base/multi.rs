//! Around a [`MultiPad`](crate::element::MultiPad): its tasks, pads, flushes, and nothing in between.
//!
//! ```text
//!    thread A                        │                 task of a source pad
//!    push ──▶ sink ──▶ chain() ──▶ element's own state ──▶ produce() ──▶ src ──▶ push
//! ```
//!
//! Invariant: `produce` of a pad is called by that pad's task alone; a flush ends the task's waits
//! before it waits for the task.
//! In GStreamer: `plugins/elements/gstqueue.c` (`gst_queue_loop`), `gst/gsttask.c`.
//! Left out: tasks on sink pads (pull mode).

use crate::base::{Behavior, default, negotiate};
use crate::buffer::{Buffer, BufferList};
use crate::caps::Caps;
use crate::cx::{Level, PadId};
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::{Event, EventKind};
use crate::handle::ElementRef;
use crate::host::context::{Context, drain};
use crate::host::core::{ElementCore, PadOwner};
use crate::host::instance::Given;
use crate::host::signals::{PAD_ADDED, PAD_REMOVED};
use crate::message::StreamStatus;
use crate::pad::route::{Forward, Stage};
use crate::pad::{Pad, PadCore, PadHandler};
use crate::query::Query;
use crate::registry::factory::Presence;
use crate::runtime::{self, Monitor, MonitorGuard, Task};
use crate::state::{StateReturn, Transition};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// What the task of a pad waits for when its stream has ended.
pub(crate) const PAD_RESTS: &str = "the pad's task to be started again";

pub(crate) struct MultiBase {
    core: Arc<ElementCore>,
    /// One for each source pad whose template has a task.
    tasks: Mutex<HashMap<PadId, Arc<PadTask>>>,
    active: AtomicBool,
    myself: Weak<MultiBase>,
}

struct PadTask {
    pad: Arc<PadCore>,
    control: Monitor<Control>,
    /// There may be something new in `control`. Raised under its lock by who changes it.
    called: AtomicBool,
    thread: Mutex<Option<Task>>,
}

#[derive(Default)]
struct Control {
    stop: bool,
    rest: bool,
    /// How often it was started; a start during a call of `produce` that fails is not lost.
    starts: u64,
}

impl MultiBase {
    pub fn new(core: Arc<ElementCore>) -> Arc<MultiBase> {
        let base = Arc::new_cyclic(|myself| MultiBase {
            core,
            tasks: Mutex::default(),
            active: AtomicBool::new(false),
            myself: myself.clone(),
        });
        // The first base an element has is the only one.
        let _ = base.core.pad_owner.set(base.myself.clone() as _);
        base
    }

    /// Refuses a format that the pad does not take, or that nobody beyond it takes, before the element
    /// hears of it.
    fn check_caps(&self, pad: &PadCore, caps: &Caps) -> FlowResult {
        let mut query = Query::accept_caps(caps.clone());
        let answered = PadHandler::query(self, pad, &mut query);
        if !answered || !matches!(query, Query::AcceptCaps { accepted: false, .. }) {
            return Ok(());
        }
        let possible = default::proxied_caps(&self.core, pad, None);
        let from = pad.peer().map_or_else(|| "nothing".to_owned(), |peer| peer.path());
        let story = negotiate::mismatch(&from, caps, "comes out", &pad.path(), &possible);
        self.core.post_error(story);
        Err(FlowError::NotNegotiated)
    }

    fn is_sometimes(&self, pad: &PadCore) -> bool {
        let template = self.core.factory.template_for(pad.name());
        template.is_some_and(|template| template.presence == Presence::Sometimes)
    }

    fn has_task(&self, pad: &PadCore) -> bool {
        self.core.factory.template_for(pad.name()).is_some_and(|template| template.task)
    }

    /// Makes a pad work: the task of a source pad begins.
    fn activate_pad(&self, pad: &Arc<PadCore>) -> Result<(), ElementError> {
        pad.activate();
        if pad.direction() == Direction::Src && self.has_task(pad) {
            let task = Arc::new(PadTask {
                pad: pad.clone(),
                control: Monitor::new(Control::default()),
                called: AtomicBool::new(true),
                thread: Mutex::new(None),
            });
            let (base, own) = (self.myself.clone(), task.clone());
            let name = format!("{}:{}", self.core.name, pad.name());
            self.core.post_status(pad, StreamStatus::Create);
            let thread = runtime::spawn(&name, move || {
                if let Some(base) = base.upgrade() {
                    base.core.post_status(&own.pad, StreamStatus::Enter);
                    base.run(&own);
                    base.core.post_status(&own.pad, StreamStatus::Leave);
                }
            })?;
            *task.thread.lock() = Some(thread);
            self.tasks.lock().insert(pad.id(), task);
        }
        Ok(())
    }

    fn deactivate_pad(&self, pad: &Arc<PadCore>) {
        pad.start_flushing();
        self.core.wake_all();
        let task = self.tasks.lock().remove(&pad.id());
        if let Some(task) = task {
            task.change().stop = true;
            task.control.notify_all();
            let thread = task.thread.lock().take();
            if let Some(thread) = thread.filter(|thread| !runtime::in_task(thread)) {
                thread.join();
            }
        }
        pad.deactivate();
    }

    fn run(&self, task: &PadTask) {
        let cx = Context::of_task(&self.core, task.pad.clone());
        let mut starts = 0;
        loop {
            if task.called.load(Ordering::Acquire) {
                let mut control = task.control.lock();
                task.called.store(false, Ordering::Relaxed);
                while control.rest && !control.stop {
                    crate::runtime::at(&self.core.name, || control.wait(PAD_RESTS));
                }
                if control.stop {
                    return;
                }
                starts = control.starts;
            }
            crate::runtime::breathe();
            let Ok(_streaming) = task.pad.stream_lock().lock() else { return };
            // SAFETY: the lock above.
            if let Err(flow) = unsafe { self.step(task, &cx) } {
                self.core.log(Level::Info, || format!("{} rests: {flow}", task.pad.path()));
                {
                    let mut control = task.change();
                    control.rest = control.starts == starts;
                }
                if flow != FlowError::Flushing {
                    self.core.instance().stopped(&cx, flow);
                }
                self.core.wake_all();
            }
        }
    }

    /// # Safety
    /// Under the pad's stream lock.
    unsafe fn step(&self, task: &PadTask, cx: &Context) -> FlowResult {
        if task.pad.is_flushing() {
            return Err(FlowError::Flushing);
        }
        let given = self.core.instance().produce(cx);
        if cx.has_outputs() {
            // SAFETY: the caller's promise.
            unsafe { drain(&self.core, cx) }?;
        }
        match given {
            // SAFETY: the caller's promise.
            Ok(Given::Buffer(buf)) => unsafe { task.pad.push_along(buf) },
            Ok(Given::Nothing) => Ok(()),
            Err(FlowError::Error) => Err(self.own_fault(FlowError::Error, "produce")),
            Err(flow) => Err(flow),
        }
    }

    /// Starts the tasks of these pads again after a flush.
    fn restart(&self, pads: &[Arc<PadCore>]) {
        let is_one = |id: &PadId| pads.iter().any(|pad| pad.id() == *id);
        let tasks: Vec<_> = {
            let tasks = self.tasks.lock();
            tasks.iter().filter(|(id, _)| is_one(id)).map(|(_, task)| task.clone()).collect()
        };
        for task in tasks {
            task.start();
        }
    }

    fn flush_start(&self, pad: &PadCore, event: Event) {
        for pad in self.core.pads_beyond(pad) {
            // Sets this pad's own flag first, so that the task's waits end.
            pad.push_event(event.clone());
        }
        self.core.wake_all();
    }

    fn flush_stop(&self, pad: &PadCore, event: &Event) {
        // The tasks came out of their waits at flush-start; when their locks are free they rest.
        let beyond = self.core.pads_beyond(pad);
        for pad in beyond.iter().filter(|pad| self.has_task(pad)) {
            drop(pad.stream_lock().lock());
        }
        let cx = Context::new(&self.core, self.core.pad(pad.id()));
        if !self.core.instance().oob_event(&cx, event) {
            self.core.instance().flush(&cx);
            return;
        }
        for pad in &beyond {
            pad.push_event(event.clone());
        }
        self.core.instance().flush(&cx);
        self.restart(&beyond);
    }

    fn start(&self) -> StateReturn {
        let cx = Context::detached(&self.core);
        if let Err(flow) = self.core.instance().start(&cx) {
            self.core.explain(flow, "start");
            return StateReturn::Failure;
        }
        self.active.store(true, Ordering::Release);
        for direction in [Direction::Src, Direction::Sink] {
            for pad in self.core.pads_of(direction) {
                if let Err(error) = self.activate_pad(&pad) {
                    self.core.post_error(error);
                    self.stop();
                    return StateReturn::Failure;
                }
            }
        }
        StateReturn::Success
    }

    fn stop(&self) -> StateReturn {
        self.active.store(false, Ordering::Release);
        let pads: Vec<_> = self.core.pads.read().clone();
        // All flags first: a chain call may wait for room that only a task can make.
        for pad in &pads {
            pad.start_flushing();
        }
        self.core.interrupt(true);
        for pad in &pads {
            self.deactivate_pad(pad);
        }
        let cx = Context::detached(&self.core);
        let stopped = self.core.instance().stop(&cx);
        self.core.interrupt(false);
        match stopped {
            Ok(()) => StateReturn::Success,
            Err(flow) => {
                self.core.explain(flow, "stop");
                StateReturn::Failure
            }
        }
    }

    /// A request pad was added to the element.
    pub fn pad_added(&self, pad: &Arc<PadCore>) -> bool {
        let cx = Context::new(&self.core, Some(pad.clone()));
        let is_active = self.active.load(Ordering::Acquire);
        if is_active {
            // Once the element knows the pad it pushes through it, and may not be told that it flushes.
            pad.activate();
        }
        if !self.core.instance().pad_added(&cx, pad.name()) {
            pad.deactivate();
            return false;
        }
        if is_active && let Err(error) = self.activate_pad(pad) {
            self.core.post_error(ElementError::new(ErrorKind::Core, error.text));
            return false;
        }
        self.core.passing_changed();
        true
    }

    /// A request pad was released.
    pub fn pad_removed(&self, pad: &Arc<PadCore>) {
        self.deactivate_pad(pad);
        let cx = Context::new(&self.core, Some(pad.clone()));
        self.core.instance().pad_removed(&cx);
        self.core.passing_changed();
    }
}

impl MultiBase {
    /// The context for buffers that arrive at a pad, made once for each time it is active.
    ///
    /// # Safety
    /// Under the pad's stream lock.
    #[inline]
    unsafe fn kept_cx<'a>(&self, pad: &'a PadCore) -> &'a Context {
        // SAFETY: the caller's promise; a call that comes back to this pad is refused by that lock.
        let kept = unsafe { pad.scratch() };
        let kept = kept.get_or_insert_with(|| Context::new(&self.core, self.core.pad(pad.id())));
        debug_assert!(kept.is::<Context>());
        // SAFETY: nothing else is put there.
        unsafe { &*(&raw const **kept).cast::<Context>() }
    }
}

impl PadTask {
    /// The lock of what others want of the task, which will look.
    fn change(&self) -> MonitorGuard<'_, Control> {
        let control = self.control.lock();
        self.called.store(true, Ordering::Release);
        control
    }

    fn start(&self) {
        let mut control = self.change();
        control.rest = false;
        control.starts += 1;
        control.notify_all();
    }
}

impl PadOwner for MultiBase {
    fn start_task(&self, id: PadId) -> bool {
        let task = self.tasks.lock().get(&id).cloned();
        task.as_ref().map(|task| task.start()).is_some()
    }

    fn add_pad(&self, template: &str, name: &str, events: Vec<Event>) -> Option<PadId> {
        let known = self.core.factory.pads.iter().find(|known| known.name == template);
        let known = known.filter(|known| known.presence == Presence::Sometimes)?;
        let is_sticky = |event: &Event| event.is_sticky() && event.is_downstream();
        if !known.fits(name) || !events.iter().all(is_sticky) {
            return None;
        }
        let id = self.core.next_pad_id();
        let owner = self.core.name.clone();
        let pad = PadCore::new(id, owner, name, known.direction, known.caps.clone());
        pad.set_handler(self.myself.clone() as _);
        {
            let mut pads = self.core.pads.write();
            if pads.iter().any(|other| other.name() == name) {
                return None;
            }
            pads.push(pad.clone());
        }
        if self.active.load(Ordering::Acquire)
            && let Err(error) = self.activate_pad(&pad)
        {
            self.core.post_error(error);
            self.core.pads.write().retain(|other| other.id() != id);
            return None;
        }
        self.core.passing_changed();
        for event in events {
            if let EventKind::Caps(caps) = &event.kind {
                self.core.caps_changed(&pad, caps);
            }
            pad.push_event(event);
        }
        self.core.signals.emit_pad(PAD_ADDED, name);
        Some(id)
    }

    fn remove_pad(&self, id: PadId) -> bool {
        let Some(pad) = self.core.pad(id).filter(|pad| self.is_sometimes(pad)) else {
            return false;
        };
        self.deactivate_pad(&pad);
        match pad.direction() {
            Direction::Src => {
                pad.unlink();
            }
            Direction::Sink => {
                if let Some(peer) = pad.peer() {
                    peer.unlink();
                }
            }
        }
        self.core.pads.write().retain(|other| other.id() != id);
        self.core.passing_changed();
        self.core.signals.emit_pad(PAD_REMOVED, pad.name());
        true
    }
}

impl PadHandler for MultiBase {
    fn chain(&self, pad: &PadCore, buf: Buffer) -> FlowResult {
        // SAFETY: a buffer comes under the pad's stream lock.
        let flow = self.core.instance().chain(unsafe { self.kept_cx(pad) }, buf);
        flow.map_err(
            |flow| if flow == FlowError::Error { self.own_fault(flow, "chain") } else { flow },
        )
    }

    fn stage(&self, pad: &PadCore) -> Option<(Stage, Arc<PadCore>)> {
        if !self.core.instance().can_pass() {
            return None;
        }
        let seen = self.core.passing_changes.load(Ordering::Acquire);
        // SAFETY: the pad's stream lock is held.
        let passed = self.core.instance().passes(unsafe { self.kept_cx(pad) });
        let mut sources = self.core.pads_of(Direction::Src).into_iter();
        let (Some(src), None) = (sources.next(), sources.next()) else { return None };
        let forward = Forward {
            changes: &raw const self.core.passing_changes,
            seen,
            attention: &raw const self.core.attention,
        };
        (!passed.is_null() && !self.has_task(&src)).then_some((Stage::Forward(forward), src))
    }

    fn chain_list(&self, pad: &PadCore, list: BufferList) -> FlowResult {
        if !self.core.instance().takes_lists() {
            return pad.chain_each(list, |buf| self.chain(pad, buf));
        }
        if crate::tracer::is_on() {
            pad.trace_list(&list);
        }
        // SAFETY: as above.
        let flow = self.core.instance().chain_list(unsafe { self.kept_cx(pad) }, list);
        flow.map_err(
            |flow| if flow == FlowError::Error { self.own_fault(flow, "chain") } else { flow },
        )
    }

    fn event(&self, pad: &PadCore, event: Event) -> FlowResult {
        if pad.direction() == Direction::Src {
            let taken = Context::lend(&self.core, self.core.pad(pad.id()), |cx| {
                self.core.instance().src_event(cx, &event)
            });
            return match taken {
                Some(true) => Ok(()),
                Some(false) => Err(FlowError::NotSupported),
                None => default::event(&self.core, pad, event),
            };
        }
        match event.kind {
            EventKind::FlushStart => {
                self.core.wake_all();
                let cx = Context::new(&self.core, self.core.pad(pad.id()));
                if self.core.instance().oob_event(&cx, &event) {
                    self.flush_start(pad, event);
                }
                Ok(())
            }
            EventKind::FlushStop { .. } => {
                self.flush_stop(pad, &event);
                Ok(())
            }
            _ if !event.is_serialized() => {
                let cx = Context::new(&self.core, self.core.pad(pad.id()));
                if !self.core.instance().oob_event(&cx, &event) {
                    return Ok(());
                }
                default::event(&self.core, pad, event)
            }
            _ => {
                if let EventKind::Caps(caps) = &event.kind {
                    self.check_caps(pad, caps)?;
                }
                Context::lend(&self.core, self.core.pad(pad.id()), |cx| {
                    self.core.instance().sink_event(cx, &event).map(|_| ())
                })
            }
        }
    }

    fn query(&self, pad: &PadCore, query: &mut Query) -> bool {
        let pad_of_call = self.core.pad(pad.id());
        if Context::lend(&self.core, pad_of_call, |cx| self.core.instance().query(cx, query)) {
            return true;
        }
        // What keeps its place among the data does not overtake what waits in the element.
        let waits = query.is_serialized()
            && pad.direction() == Direction::Sink
            && self.core.pads_beyond(pad).iter().any(|pad| self.has_task(pad));
        !waits && default::query(&self.core, pad, query)
    }

    fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        self.core.caps_changed(pad, caps);
    }

    fn report(&self, error: ElementError) {
        self.core.post_error(error);
    }

    fn onward(&self, pad: &PadCore) -> Vec<Arc<PadCore>> {
        self.core.pads_beyond(pad)
    }
}

impl MultiBase {
    /// An error that came from downstream was told there; one of the element's own must be told here.
    fn own_fault(&self, flow: FlowError, doing: &str) -> FlowError {
        let from_downstream = self
            .core
            .pads_of(Direction::Src)
            .iter()
            .any(|pad| pad.last_flow() == Err(FlowError::Error));
        if from_downstream { flow } else { self.core.explain(flow, doing) }
    }
}

impl Behavior for MultiBase {
    fn change_state(&self, _: &ElementRef, transition: Transition) -> StateReturn {
        match transition {
            Transition::READY_TO_PAUSED => {
                self.core.interrupt(false);
                self.start()
            }
            Transition::PAUSED_TO_READY => self.stop(),
            Transition::PAUSED_TO_PLAYING => {
                self.core.set_playing(true);
                StateReturn::Success
            }
            Transition::PLAYING_TO_PAUSED => {
                self.core.set_playing(false);
                StateReturn::Success
            }
            _ => StateReturn::Success,
        }
    }

    fn send_event(&self, event: Event) -> bool {
        let direction = if event.is_upstream() { Direction::Src } else { Direction::Sink };
        let pad = self.core.pads_of(direction).into_iter().next();
        pad.is_some_and(|pad| pad.receive_event(event).is_ok())
    }

    fn query(&self, query: &mut Query) -> bool {
        let pad = self
            .core
            .pads_of(Direction::Src)
            .into_iter()
            .chain(self.core.pads_of(Direction::Sink))
            .next();
        pad.is_some_and(|pad| PadHandler::query(self, &pad, query))
    }
}
