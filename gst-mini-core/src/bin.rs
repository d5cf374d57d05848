//! A bin is an element made of elements; a pipeline is the bin at the top.
//!
//! ```text
//!   set_state(PLAYING):   sinks first ◀────────────── then what feeds them ◀─────── then sources
//!   messages:             sinks ──EOS──▶ bin counts them ──EOS──▶ bus, when all have said it
//! ```
//!
//! The pipeline at the top also chooses the clock, decides the base time when PLAYING begins, and
//! keeps running time still while PAUSED.
//!
//! Invariant: children never reach up; they post to what they were lent, and the bin draws the
//! conclusions.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_change_state_func`, `gst_bin_handle_message_func`), `gst/gstpipeline.c` (`gst_pipeline_change_state`).
//! Left out: clock providers among children.

pub(crate) mod ghosts;
mod order;

use crate::base::Behavior;
use crate::bus::Bus;
use crate::clock::{Clock, SystemClock};
use crate::cx::Level;
use crate::error::{ElementError, ErrorKind};
use crate::event::{Event, EventKind};
use crate::handle::{ElementInner, ElementRef, HandleError};
use crate::host::core::{ElementCore, Lent, MessageSink};
use crate::message::{Message, MessageKind};
use crate::query::Query;
use crate::registry;
use crate::runtime;
use crate::state::{State, StateReturn, Transition};
use crate::time::{ClockTime, RunningTime};
use parking_lot::{Mutex, RwLock};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// The part of a bin that its handle and its children's messages reach.
pub struct BinCore {
    core: Arc<ElementCore>,
    children: RwLock<Vec<ElementRef>>,
    /// Names of children.
    progress: Mutex<Progress>,
    handle: OnceLock<Weak<ElementInner>>,
    top: Option<Top>,
    told_error: AtomicBool,
    notify: AtomicBool,
}

/// What only the bin at the top has.
struct Top {
    bus: Arc<Bus>,
    /// Chosen by the application.
    forced_clock: Mutex<Option<Arc<dyn Clock>>>,
    forced_latency: Mutex<Option<ClockTime>>,
    /// The running time at which PLAYING last began: a base time is for one such time.
    last_start_time: Mutex<Option<RunningTime>>,
}

/// Where the children are in something they must all do.
#[derive(Default)]
struct Progress {
    /// Children in an async state change.
    busy: HashSet<String>,
    /// A change of the bin's own state is under way in `set_state`.
    changing: bool,
    eos: HashSet<String>,
    started: HashSet<String>,
    /// Sources that play a segment, to its end.
    segments: HashSet<String>,
}

/// What children are lent as a way to the bus.
struct Upward(Weak<ElementInner>);

impl MessageSink for Upward {
    fn post(&self, message: Message) {
        if let Some(inner) = self.0.upgrade()
            && let Some(bin) = inner.behavior.as_bin()
        {
            bin.handle_message(message);
        }
    }
    fn wants_notify(&self) -> bool {
        self.0.upgrade().is_some_and(|inner| {
            inner.behavior.as_bin().is_some_and(|bin| bin.notify.load(Ordering::Relaxed))
        })
    }
    fn told_error(&self) -> bool {
        self.0.upgrade().is_some_and(|inner| {
            inner.behavior.as_bin().is_some_and(|bin| bin.told_error.load(Ordering::Relaxed))
        })
    }
}

/// The bin behind a handle; one wrapper so that the bin's parts can be borrowed through the handle.
struct BinBase(Arc<BinCore>);

impl BinCore {
    /// A bin without children; with `top`, a pipeline.
    pub(crate) fn make(name: &str, top: bool) -> ElementRef {
        let factory = registry::bin_factory(top);
        let core = Arc::new(ElementCore::new(name.to_owned(), factory, None, Vec::new()));
        let bin = Arc::new(BinCore {
            core: core.clone(),
            children: RwLock::default(),
            progress: Mutex::default(),
            handle: OnceLock::new(),
            top: top.then(|| Top {
                bus: Arc::new(Bus::default()),
                forced_clock: Mutex::new(None),
                forced_latency: Mutex::new(None),
                last_start_time: Mutex::new(None),
            }),
            told_error: AtomicBool::new(false),
            notify: AtomicBool::new(false),
        });
        let made = ElementRef::wrap(core, Arc::new(BinBase(bin.clone())), None);
        let _ = bin.handle.set(Arc::downgrade(made.inner()));
        if top {
            // The pipeline's own messages go the same way as its children's.
            let upward = Arc::new(Upward(Arc::downgrade(made.inner())));
            bin.core.lent.write().messages = Some(upward);
        }
        made
    }

    /// The elements in it, in the order they were added.
    pub fn children(&self) -> Vec<ElementRef> {
        self.children.read().clone()
    }

    pub(crate) fn bus(&self) -> Option<Arc<Bus>> {
        self.top.as_ref().map(|top| top.bus.clone())
    }

    pub(crate) fn set_notify(&self, on: bool) {
        self.notify.store(on, Ordering::Relaxed);
    }

    pub(crate) fn force_clock(&self, clock: Option<Arc<dyn Clock>>) {
        if let Some(top) = &self.top {
            *top.forced_clock.lock() = clock;
        }
    }

    pub(crate) fn force_latency(&self, latency: Option<ClockTime>) {
        if let Some(top) = &self.top {
            *top.forced_latency.lock() = latency;
        }
    }

    pub(crate) fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.core.clock()
    }

    /// Running time now, as long as there is a clock and a base time.
    pub(crate) fn running_time(&self) -> Option<RunningTime> {
        self.core.running_time_now()
    }

    pub(crate) fn add(&self, element: &ElementRef) -> Result<(), HandleError> {
        let mut children = self.children.write();
        if children.iter().any(|child| child.name() == element.name()) {
            return Err(HandleError::NameTaken {
                bin: self.core.name.clone(),
                name: element.name().to_owned(),
            });
        }
        let upward = self.handle.get().map(|handle| Arc::new(Upward(handle.clone())) as Arc<_>);
        let ours = self.core.lent();
        *element.core().lent.write() = Lent { messages: upward, ..ours };
        children.push(element.clone());
        Ok(())
    }

    pub(crate) fn remove(&self, element: &ElementRef) -> Result<(), HandleError> {
        let mut children = self.children.write();
        let at = children.iter().position(|child| child.is_same(element)).ok_or_else(|| {
            HandleError::NotHere { bin: self.core.name.clone(), name: element.name().to_owned() }
        })?;
        children.remove(at);
        drop(children);
        for pad in element.pads() {
            pad.detach();
        }
        element.core().lent.write().messages = None;
        self.forget(element.name());
        Ok(())
    }

    /// A child that left is no longer waited for.
    fn forget(&self, name: &str) {
        let ready = {
            let mut progress = self.progress.lock();
            progress.eos.remove(name);
            progress.started.remove(name);
            progress.busy.remove(name) && progress.busy.is_empty() && !progress.changing
        };
        if ready {
            self.all_done();
        }
    }

    /// Children so that each comes after all it feeds, the newest sink first.
    fn sinks_first(&self) -> Vec<ElementRef> {
        order::sinks_first(self.children())
    }

    fn lend_to_children(&self) {
        let ours = self.core.lent();
        for child in self.children() {
            {
                let mut lent = child.core().lent.write();
                lent.clock = ours.clock.clone();
                lent.base_time = ours.base_time;
                lent.start_time = ours.start_time;
            }
            if let Some(bin) = child.behavior().as_bin() {
                bin.lend_to_children();
            }
        }
    }

    fn change_children(&self, transition: Transition) -> StateReturn {
        let mut result = StateReturn::Success;
        let mut moved: Vec<ElementRef> = Vec::new();
        for child in self.sinks_first() {
            if child.is_locked_state() {
                continue;
            }
            match child.set_state(transition.to) {
                StateReturn::Failure => {
                    self.core.log(Level::Info, || format!("{} failed {transition}", child.name()));
                    self.tell_failure(&child, transition);
                    for child in moved {
                        child.set_state(transition.from);
                    }
                    return StateReturn::Failure;
                }
                StateReturn::NoPreroll => result = StateReturn::NoPreroll,
                StateReturn::Async if result == StateReturn::Success => result = StateReturn::Async,
                _ => {}
            }
            moved.push(child);
        }
        result
    }

    /// A failed state change has a reason; if nobody told it, this much can be said.
    fn tell_failure(&self, child: &ElementRef, transition: Transition) {
        let told = self.told_error.load(Ordering::Relaxed)
            || child.core().told_error.load(Ordering::Relaxed);
        if !told {
            child.core().post_error(ElementError::new(
                ErrorKind::Failed,
                format!("could not go from {} to {}", transition.from, transition.to),
            ));
        }
    }

    fn change_state(&self, transition: Transition) -> StateReturn {
        self.progress.lock().changing = true;
        match transition {
            Transition::READY_TO_PAUSED => {
                self.told_error.store(false, Ordering::Relaxed);
                let mut progress = self.progress.lock();
                progress.eos.clear();
                progress.started.clear();
                progress.segments.clear();
                drop(progress);
                if self.top.is_some() {
                    self.reset_start_time(RunningTime::ZERO);
                    // A clock from the beginning, so that live elements can look at it.
                    self.choose_clock();
                    self.lend_to_children();
                }
            }
            Transition::PAUSED_TO_PLAYING if self.top.is_some() => {
                self.choose_clock();
                self.start_running_time();
                self.lend_to_children();
                self.recalculate_latency();
            }
            _ => {}
        }
        let mut result = self.change_children(transition);
        match transition {
            Transition::PLAYING_TO_PAUSED if self.top.is_some() => {
                let running_time = self.running_time();
                if let Some(running_time) = running_time {
                    self.reset_start_time(running_time);
                }
                self.lend_to_children();
            }
            Transition::READY_TO_NULL => {
                if let Some(top) = &self.top {
                    top.bus.set_flushing(true);
                    top.bus.set_flushing(false);
                }
                self.core.lent.write().clock = None;
                self.core.lent.write().base_time = None;
                self.lend_to_children();
            }
            Transition::PAUSED_TO_READY => {
                self.progress.lock().busy.clear();
                if self.top.is_some() {
                    self.reset_start_time(RunningTime::ZERO);
                }
            }
            _ => {}
        }
        let all_done = {
            let mut progress = self.progress.lock();
            progress.changing = false;
            progress.busy.is_empty()
        };
        if result == StateReturn::Async && all_done {
            // The last child was done before this loop was.
            result = StateReturn::Async;
            self.all_done();
        }
        result
    }

    fn choose_clock(&self) {
        let Some(top) = &self.top else { return };
        let clock = top.forced_clock.lock().clone().unwrap_or_else(SystemClock::obtain);
        let name = clock.name().to_owned();
        let changed = {
            let mut lent = self.core.lent.write();
            let same = lent.clock.as_ref().is_some_and(|old| Arc::ptr_eq(old, &clock));
            lent.clock = Some(clock);
            !same
        };
        if changed {
            self.core.post(MessageKind::NewClock(name));
        }
    }

    /// Running time goes on where it stood. After a flush that kept it, it never stopped.
    fn start_running_time(&self) {
        let start_time = self.core.lent.read().start_time;
        let last = self
            .top
            .as_ref()
            .and_then(|top| std::mem::replace(&mut *top.last_start_time.lock(), start_time));
        if last.is_some() && last == start_time {
            return;
        }
        let mut lent = self.core.lent.write();
        if let (Some(clock), Some(start_time)) = (lent.clock.clone(), lent.start_time) {
            let now = clock.now();
            let base = now.nanos().saturating_sub(start_time.nanos());
            lent.base_time = Some(crate::time::AbsoluteTime::from_nanos(base));
        }
    }

    /// PLAYING begins at `running_time` the next time.
    fn reset_start_time(&self, running_time: RunningTime) {
        self.core.lent.write().start_time = Some(running_time);
        if let Some(top) = &self.top {
            *top.last_start_time.lock() = None;
        }
    }

    /// Asks all sinks how late data gets to them, and tells all of them the largest.
    pub(crate) fn recalculate_latency(&self) -> bool {
        let mut query = Query::latency();
        let mut latency = ClockTime::ZERO;
        let mut possible = true;
        if self.latency_of_sinks(&mut query)
            && let Query::Latency { live: true, min, max } = query
        {
            latency = min;
            if let Some(max) = max.filter(|max| min > *max) {
                possible = false;
                self.core.post(MessageKind::Warning(ElementError::new(
                    ErrorKind::Core,
                    format!(
                        "latency: at least {min} is needed, but only {max} can be held; add queues where it is short"
                    ),
                )));
            }
        }
        if let Some(forced) = self.top.as_ref().and_then(|top| *top.forced_latency.lock()) {
            latency = forced;
        }
        self.core.log(Level::Info, || format!("latency {latency}"));
        self.send_event(Event::new(EventKind::Latency(latency))) && possible
    }

    fn latency_of_sinks(&self, query: &mut Query) -> bool {
        let (mut any, mut is_live) = (false, false);
        let (mut least, mut most) = (ClockTime::ZERO, None::<ClockTime>);
        for sink in self.children().iter().filter(|child| child.is_sink()) {
            let mut ask = Query::latency();
            if !sink.query(&mut ask) {
                continue;
            }
            let Query::Latency { live, min, max } = ask else { continue };
            any = true;
            if live {
                is_live = true;
                least = least.max(min);
                most = match (most, max) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        *query = Query::Latency { live: is_live, min: least, max: most };
        any
    }

    /// A child's message, on the child's thread.
    fn handle_message(&self, message: Message) {
        match &message.kind {
            MessageKind::AsyncStart if message.source != self.core.name => {
                let lost = {
                    let mut progress = self.progress.lock();
                    let first = progress.busy.is_empty();
                    progress.busy.insert(message.source.clone());
                    progress.eos.remove(&message.source);
                    first && !progress.changing
                };
                if lost && let Some(handle) = self.this() {
                    // A flush took a sink's data: the bin is on its way to PAUSED again.
                    handle.lost_state();
                }
                return;
            }
            MessageKind::AsyncDone { .. } if message.source != self.core.name => {
                let ready = {
                    let mut progress = self.progress.lock();
                    progress.busy.remove(&message.source);
                    progress.busy.is_empty() && !progress.changing
                };
                if ready {
                    self.all_done();
                }
                return;
            }
            MessageKind::Eos if message.source != self.core.name => {
                if self.gathered(&message, |progress| &mut progress.eos) {
                    self.post_own(MessageKind::Eos, &message);
                }
                return;
            }
            MessageKind::StreamStart if message.source != self.core.name => {
                self.progress.lock().eos.remove(&message.source);
                if self.gathered(&message, |progress| &mut progress.started) {
                    self.post_own(MessageKind::StreamStart, &message);
                }
                return;
            }
            MessageKind::SegmentStart { .. } if message.source != self.core.name => {
                let is_first = {
                    let mut progress = self.progress.lock();
                    let is_first = progress.segments.is_empty();
                    progress.segments.insert(message.source.clone());
                    is_first
                };
                // The application asked for it; the bin around this one did not.
                if is_first && self.top.is_none() {
                    self.post_own(message.kind.clone(), &message);
                }
                return;
            }
            MessageKind::SegmentDone { .. } if message.source != self.core.name => {
                let all_done = {
                    let mut progress = self.progress.lock();
                    progress.segments.remove(&message.source);
                    progress.segments.is_empty()
                };
                if all_done {
                    self.post_own(message.kind.clone(), &message);
                }
                return;
            }
            MessageKind::ResetTime(to) if self.top.is_some() => self.reset_start_time(*to),
            MessageKind::Latency if self.top.is_some() && self.is_playing() => {
                self.recalculate_latency();
            }
            MessageKind::Error(_) => self.told_error.store(true, Ordering::Relaxed),
            _ => {}
        }
        self.forward(message);
    }

    /// The message goes on to the bus, or to the bin around this one.
    fn forward(&self, message: Message) {
        match &self.top {
            Some(top) => top.bus.post(message),
            None => {
                let sink = self.core.lent.read().messages.clone();
                if let Some(sink) = sink {
                    sink.post(message);
                }
            }
        }
    }

    fn post_own(&self, kind: MessageKind, cause: &Message) {
        self.forward(Message::new(self.core.name.as_str(), kind).with_seqnum(cause.seqnum));
    }

    /// Notes that a sink has done something; `true` when all sinks have.
    fn gathered(
        &self,
        message: &Message,
        part: impl Fn(&mut Progress) -> &mut HashSet<String>,
    ) -> bool {
        let sinks: Vec<_> = self.children().into_iter().filter(ElementRef::is_sink).collect();
        let mut progress = self.progress.lock();
        let set = part(&mut progress);
        set.insert(message.source.clone());
        sinks.iter().all(|sink| set.contains(sink.name()))
    }

    fn is_playing(&self) -> bool {
        self.this().is_some_and(|handle| handle.current_state() == State::Playing)
    }

    fn this(&self) -> Option<ElementRef> {
        self.handle.get().and_then(Weak::upgrade).map(ElementRef::from)
    }

    /// No child is in an async change any more: the bin's own change goes on, in a thread of its own
    /// because this one is a child's streaming thread.
    fn all_done(&self) {
        let Some(handle) = self.this() else { return };
        let name = format!("{}:continue", self.core.name);
        let spawned = runtime::spawn(&name, move || {
            handle.continue_change(|| {
                // A change that came first may have set children going again.
                handle.behavior().as_bin().is_some_and(|bin| {
                    let progress = bin.progress.lock();
                    progress.busy.is_empty() && !progress.changing
                })
            });
        });
        if let Err(error) = spawned {
            self.core.post_error(error);
        }
    }

    fn send_event(&self, event: Event) -> bool {
        let upstream = event.is_upstream()
            && !matches!(event.kind, EventKind::FlushStart | EventKind::FlushStop { .. });
        let mut taken = false;
        for child in self.children() {
            let wanted = if upstream { child.is_sink() } else { child.is_source() };
            if wanted {
                taken |= child.send_event(event.clone());
            }
        }
        taken
    }

    fn query(&self, query: &mut Query) -> bool {
        if matches!(query, Query::Latency { .. }) {
            return self.latency_of_sinks(query);
        }
        if let Query::Duration { duration, format } = query {
            // The longest of all sinks.
            let mut longest = None;
            for sink in self.children().iter().filter(|child| child.is_sink()) {
                let mut ask = Query::Duration { format: *format, duration: None };
                if sink.query(&mut ask)
                    && let Query::Duration { duration: Some(theirs), .. } = ask
                {
                    longest = longest.max(Some(theirs));
                }
            }
            *duration = longest;
            return longest.is_some();
        }
        self.children().iter().filter(|child| child.is_sink()).any(|sink| sink.query(query))
    }

    /// The last handle is gone: whatever still runs is stopped.
    pub(crate) fn shut_down(&self) {
        for child in self.sinks_first() {
            if child.current_state() != State::Null {
                child.set_state(State::Null);
            }
        }
    }
}

impl Behavior for BinBase {
    fn change_state(&self, _: &ElementRef, transition: Transition) -> StateReturn {
        self.0.change_state(transition)
    }
    fn send_event(&self, event: Event) -> bool {
        self.0.send_event(event)
    }
    fn query(&self, query: &mut Query) -> bool {
        self.0.query(query)
    }
    fn as_bin(&self) -> Option<&BinCore> {
        Some(&self.0)
    }
}
