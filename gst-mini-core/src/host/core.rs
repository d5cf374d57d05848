//! What every element has, whatever its role: name, pads, properties, signals, and what it is lent.
//!
//! Invariant: nothing here points to a parent; clock, base time and the way to the bus are lent.
//! In GStreamer: `gst/gstelement.h` (`struct _GstElement`).
//! Left out: contexts.

use crate::caps::Caps;
use crate::clock::{Clock, ClockReturn, ClockWait, ReadClock};
use crate::cx::{Level, PadId};
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind, FlowError};
use crate::event::Event;
use crate::host::context::Context;
use crate::host::instance::Instance;
pub(crate) use crate::host::lent::{Lent, LentLock, Pads};
use crate::host::props::{PropStore, PropertyError, shown};
use crate::host::signals::{Handler, Signals};
use crate::host::waiters::Waiters;
use crate::log;
use crate::message::{Message, MessageKind, StreamStatus};
use crate::pad::{Pad, PadCore};
use crate::plugin::abi::{GM_PROP_LIVE, GM_PROP_SECRET};
use crate::query::Query;
use crate::registry::factory::specs::Specs;
use crate::registry::factory::{FactoryInfo, PropInfo};
use crate::runtime::{self, Attention};
use crate::state::State;
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use crate::tracer;
use crate::value::Value;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// Where an element's messages go: its bin, or the test that owns it.
pub(crate) trait MessageSink: Send + Sync {
    /// Any thread; may take the bin's locks, so the caller holds none of its own.
    fn post(&self, message: Message);
    /// Whether somebody wants to hear of every property that changes.
    fn wants_notify(&self) -> bool {
        false
    }
    /// Where the bin behind this is, or is going.
    fn wanted_state(&self) -> Option<State> {
        None
    }
    /// Whether an error was posted since the pipeline left READY.
    fn told_error(&self) -> bool {
        false
    }
}

/// Who can add pads to an element while it runs: the base of elements with several pads.
pub(crate) trait PadOwner: Send + Sync {
    /// Streaming or control thread, no lock held.
    fn add_pad(&self, template: &str, name: &str, events: Vec<Event>) -> Option<PadId>;
    /// As above; waits for a push through the pad.
    fn remove_pad(&self, id: PadId) -> bool;
    /// Starts the task of a pad again that rests. Any thread.
    fn start_task(&self, id: PadId) -> bool;
}

/// Bits of [`ElementCore::attention`]: what a streaming call must see to first.
pub(crate) const PENDING_PROPS: u32 = 1;
pub(crate) const PENDING_EVENTS: u32 = 2;
/// A handler was connected, or taken away.
const CHANGED_HANDLERS: u32 = 8;

pub(crate) struct ElementCore {
    pub name: Arc<str>,
    pub factory: Arc<FactoryInfo>,
    /// The element itself; bins have none.
    pub instance: Option<Instance>,
    pub props: PropStore,
    pub pads: Pads,
    pub lent: LentLock,
    /// The four waiters of `Cx::wait`.
    pub waiters: Waiters,
    /// The clock wait a streaming callback is in.
    pub clock_wait: ClockWait,
    /// The waits of `Cx::sync`, each used once.
    syncs: Mutex<Vec<Arc<ClockWait>>>,
    /// Whether the element is PLAYING. Kept by the bases that let elements ask for `Cx::sync`.
    playing: AtomicBool,
    pub signals: Signals,
    next_pad: AtomicU32,
    pub pad_owner: OnceLock<Weak<dyn PadOwner>>,
    /// The clock it provides, as long as it is the same one.
    provided: Mutex<Option<Arc<dyn Clock>>>,
    /// What the element itself adds to the latency.
    pub latency: Mutex<(ClockTime, Option<ClockTime>)>,
    pub attention: Attention,
    /// How often what an element without a role says of letting buffers pass may have changed.
    pub passing_changes: AtomicU32,
    /// Upstream events for a role element, until its next streaming call.
    pub upstream: Mutex<VecDeque<Event>>,
    /// Whether an error was posted since the last state change from READY.
    pub told_error: AtomicBool,
    /// Why the element dropped a buffer last, for who asks why none arrives.
    last_drop: Mutex<Option<Box<str>>>,
}

impl ElementCore {
    pub fn new(
        name: Arc<str>,
        factory: Arc<FactoryInfo>,
        instance: Option<Instance>,
        base_props: impl FnOnce() -> Vec<PropInfo>,
    ) -> ElementCore {
        runtime::when_settled(forget_texts);
        // An element may state another default for a property of its base.
        let specs =
            factory.specs.get_or_init(|| Arc::new(Specs::new(&factory.props, base_props())));
        let props =
            PropStore::new(specs.clone(), |spec| instance.as_ref()?.get_property(&spec.name));
        // Pads that are always there have their template's number.
        let next_pad = factory.pads.len() as u32;
        ElementCore {
            name,
            factory,
            instance,
            props,
            pads: Pads::default(),
            lent: LentLock::default(),
            waiters: Waiters::default(),
            clock_wait: ClockWait::new(),
            syncs: Mutex::default(),
            playing: AtomicBool::new(false),
            signals: Signals::default(),
            next_pad: AtomicU32::new(next_pad),
            pad_owner: OnceLock::new(),
            provided: Mutex::new(None),
            latency: Mutex::new((ClockTime::ZERO, Some(ClockTime::ZERO))),
            attention: Attention::new(0),
            passing_changes: AtomicU32::new(0),
            upstream: Mutex::default(),
            told_error: AtomicBool::new(false),
            last_drop: Mutex::new(None),
        }
    }

    /// The instance of an element that is no bin.
    pub fn instance(&self) -> &Instance {
        self.instance.as_ref().expect("only elements with an instance have a base that calls it")
    }

    pub fn pad(&self, id: PadId) -> Option<Arc<PadCore>> {
        self.pads.read().iter().find(|pad| pad.id() == id).cloned()
    }

    pub fn pad_named(&self, name: &str) -> Option<Arc<PadCore>> {
        self.pads.read().iter().find(|pad| pad.name() == name).cloned()
    }

    pub fn pads_of(&self, direction: Direction) -> Vec<Arc<PadCore>> {
        self.pads.read().iter().filter(|pad| pad.direction() == direction).cloned().collect()
    }

    /// Where what arrives at `pad` goes on: the pads of the other direction, or of paired ones the one
    /// with the same number.
    pub fn pads_beyond(&self, pad: &PadCore) -> Vec<Arc<PadCore>> {
        let other = pad.direction().opposite();
        let template = self.factory.template_for(pad.name());
        let Some(template) = template.filter(|template| template.paired) else {
            return self.pads_of(other);
        };
        let number = template.number_of(pad.name());
        let is_beyond = |beyond: &Arc<PadCore>| {
            let template = self.factory.template_for(beyond.name());
            beyond.direction() == other
                && template.and_then(|template| template.number_of(beyond.name())) == number
        };
        self.pads.read().iter().filter(|pad| is_beyond(pad)).cloned().collect()
    }

    pub fn lent(&self) -> Lent {
        self.lent.read().clone()
    }

    pub fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.lent.read().clock.clone()
    }

    /// The clock the element can provide now.
    pub fn provide_clock(self: &Arc<Self>) -> Option<Arc<dyn Clock>> {
        let name = self.instance.as_ref()?.provide_clock();
        let mut provided = self.provided.lock();
        let Some(name) = name else {
            *provided = None;
            return None;
        };
        if let Some(clock) = provided.as_ref().filter(|clock| clock.name() == name) {
            return Some(clock.clone());
        }
        // A clock may be held longer than its element; then it stands still.
        let (core, last) = (Arc::downgrade(self), AtomicU64::new(0));
        let clock: Arc<dyn Clock> = Arc::new(ReadClock::new(name, move || {
            if let Some(core) = core.upgrade() {
                let now = core.instance.as_ref().map_or(0, Instance::clock_now);
                last.fetch_max(now, Ordering::Relaxed);
            }
            AbsoluteTime::from_nanos(last.load(Ordering::Relaxed))
        }));
        *provided = Some(clock.clone());
        Some(clock)
    }

    /// The clock it provided is gone; the next one is another.
    pub fn forget_clock(&self) {
        *self.provided.lock() = None;
    }

    pub fn base_time(&self) -> Option<AbsoluteTime> {
        self.lent.read().base_time
    }

    pub fn running_time_now(&self) -> Option<RunningTime> {
        let lent = self.lent();
        Some(lent.clock?.now().running_time(lent.base_time?))
    }

    /// Posts a message; no lock of this element may be held.
    pub fn post(&self, kind: MessageKind) {
        self.post_message(Message::new(&*self.name, kind));
    }

    pub fn post_message(&self, message: Message) {
        if matches!(message.kind, MessageKind::Error(_)) {
            self.told_error.store(true, Ordering::Relaxed);
        }
        if tracer::is_on() {
            tracer::message(&message);
        }
        let sink = self.lent.read().messages.clone();
        match sink {
            Some(sink) => sink.post(message),
            None => self.log(Level::Info, || format!("posted without a bus: {}", message.name())),
        }
    }

    /// Tells what became of the task that works for a pad.
    pub fn post_status(&self, pad: &PadCore, status: StreamStatus) {
        let kind = MessageKind::StreamStatus { status, owner: self.name.to_string() };
        self.post_message(Message::new(format!("{}.{}", self.name, pad.name()), kind));
    }

    pub fn post_error(&self, error: ElementError) {
        self.post(MessageKind::Error(error));
    }

    /// The element dropped a buffer. A new text is rare, many drops are not.
    pub fn note_drop(&self, why: &str) {
        let mut last = self.last_drop.lock();
        if last.as_deref() != Some(why) {
            *last = Some(why.into());
        }
    }

    /// Why it dropped a buffer last; `None`: it dropped none.
    pub fn last_drop(&self) -> Option<String> {
        self.last_drop.lock().as_deref().map(str::to_owned)
    }

    /// Sees to it that a failing callback has told its story.
    pub fn explain(&self, flow: FlowError, doing: &str) -> FlowError {
        if flow == FlowError::Error && !self.told_error.swap(true, Ordering::Relaxed) {
            self.post_error(ElementError::new(
                ErrorKind::Failed,
                format!("failed in {doing} and did not say why"),
            ));
        }
        flow
    }

    pub fn log(&self, level: Level, text: impl FnOnce() -> String) {
        if log::enabled(&self.factory.name, level) {
            log::write(&self.factory.name, level, &self.name, &text());
        }
    }

    /// Sets a property from text.
    pub fn set_text(&self, name: &str, text: &str) -> Result<(), PropertyError> {
        let index = self.props.index(&self.name, name)?;
        let mut canonical = self.props.check(&self.name, index, text)?;
        let spec = &self.props.specs()[index];
        // GStreamer's word for no text.
        let is_absent = spec.type_name == "string" && text == "NULL";
        if is_absent {
            canonical.clear();
        }
        let own = index < self.factory.props.len();
        let live = spec.has(GM_PROP_LIVE);
        if !(own && live) {
            self.props.store(index, canonical.clone(), own);
        }
        if own && live {
            if let Some(instance) = &self.instance {
                let cx = Context::detached(self);
                instance.set_property(&cx, name, &canonical).map_err(|why| {
                    let value = shown(spec, text);
                    PropertyError::Invalid {
                        element: self.name.to_string(),
                        name: name.to_owned(),
                        value,
                        why,
                    }
                })?;
                // What the element did not take is not stored.
                self.props.store(index, canonical.clone(), false);
                // A limit that changed may end a wait.
                self.wake_all();
                self.passing_changed();
            }
        } else if own {
            self.attention.raise(PENDING_PROPS);
        }
        if is_absent {
            self.props.set_absent(index);
        }
        self.notify(name, &canonical);
        Ok(())
    }

    /// A property's present value as text; secrets too, so what prints it uses [`shown`].
    pub fn get_text(&self, name: &str) -> Result<String, PropertyError> {
        let index = self.props.index(&self.name, name)?;
        if self.props.is_volatile(index)
            && let Some(text) = self.instance.as_ref().and_then(|i| i.get_property(name))
        {
            return Ok(self.props.canonical(index, text));
        }
        Ok(self.props.text(index))
    }

    /// A property's present value in its own type.
    pub fn get_value(&self, name: &str) -> Result<Value, PropertyError> {
        let index = self.props.index(&self.name, name)?;
        let text = self.get_text(name)?;
        if text.is_empty() && self.props.is_absent(index) {
            return Ok(Value::String(None));
        }
        let type_name = &self.props.specs()[index].type_name;
        Ok(Value::parse(type_name, &text).unwrap_or_else(|_| Value::from(text.as_str())))
    }

    /// A property of the base, read as a number or switch.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.props.text(self.props.index(&self.name, name).ok()?).parse().ok()
    }

    /// Stores the present value of a read-only property; nobody is told.
    pub fn keep(&self, name: &str, value: String) {
        if let Ok(index) = self.props.index(&self.name, name) {
            self.props.store(index, value, false);
        }
    }

    /// Publishes a read-only value.
    pub fn publish(&self, name: &str, value: &str) {
        if let Ok(index) = self.props.index(&self.name, name) {
            self.props.store(index, value.to_owned(), false);
            self.notify(name, value);
        }
    }

    /// Tells whoever listens that a property (or a pad's caps) has a new value.
    pub fn notify(&self, name: &str, value: &str) {
        let sink = self.lent.read().messages.clone();
        let Some(sink) = sink.filter(|sink| sink.wants_notify()) else { return };
        let secret =
            self.props.specs().iter().any(|spec| spec.name == name && spec.has(GM_PROP_SECRET));
        let value = (!secret).then(|| Value::from(value));
        let kind = MessageKind::PropertyNotify { name: name.to_owned(), value };
        sink.post(Message::new(&*self.name, kind));
    }

    /// Adds a handler of a signal; the number is for [`ElementCore::disconnect`].
    pub fn connect(&self, signal: &str, handler: Handler) -> u64 {
        let id = self.signals.connect(signal, handler);
        // Whoever let buffers pass because nobody listens is asked again.
        self.attention.raise(CHANGED_HANDLERS);
        self.passing_changed();
        id
    }

    /// What an element without a role said of letting buffers pass may not be so any more. Any thread.
    pub fn passing_changed(&self) {
        self.passing_changes.fetch_add(1, Ordering::Release);
        // Who relies on it has put a cover there.
        self.attention.retract(0);
    }

    /// Takes a handler away.
    pub fn disconnect(&self, id: u64) {
        self.signals.disconnect(id);
        self.attention.raise(CHANGED_HANDLERS);
        self.passing_changed();
    }

    /// Applies sets and upstream events that came since the last streaming call. Streaming.
    #[cold]
    pub fn attend(&self, cx: &Context) {
        let bits = self.attention.clear(u32::MAX);
        if bits & PENDING_PROPS != 0 {
            for (index, text) in self.props.take_pending() {
                let name = &self.props.specs()[index].name;
                if let Err(why) = self.instance().set_property(cx, name, &text) {
                    let text = format!("property \"{name}\" was not taken: {why}");
                    let error = ElementError::new(ErrorKind::Settings, text);
                    self.post(MessageKind::Warning(error));
                }
            }
        }
        if bits & PENDING_EVENTS != 0 {
            let events = std::mem::take(&mut *self.upstream.lock());
            for event in events {
                self.instance().src_event(cx, &event);
            }
        }
    }

    /// [`ElementCore::attend`] if there is anything.
    #[inline]
    pub fn attend_if_needed(&self, cx: &Context) {
        if self.attention.get() != 0 {
            self.attend(cx);
        }
    }

    /// Keeps an upstream event for the element's next streaming call, if it is one it takes.
    pub fn take_upstream(&self, event: &Event) -> bool {
        let takes = self.factory.upstream_events.iter().any(|name| name == event.name());
        if takes {
            self.upstream.lock().push_back(event.clone());
            self.attention.raise(PENDING_EVENTS);
        }
        takes
    }

    /// Wakes whatever a streaming callback of this element waits in.
    pub fn interrupt(&self, on: bool) {
        if let Some(instance) = &self.instance {
            instance.unlock(on);
        }
        if on {
            self.clock_wait.unschedule();
            self.wake_all();
        } else {
            self.clock_wait.reset();
        }
    }

    /// The element begins or ends to be PLAYING: clock waits end, and begin again when it plays.
    pub fn set_playing(&self, playing: bool) {
        self.playing.store(playing, Ordering::Release);
        self.wake_all();
    }

    /// Waits for PLAYING, then until that running time, moved by `offset`; Flushing as soon as
    /// `is_flushing` says so and somebody woke it.
    pub fn sync(
        &self,
        running_time: RunningTime,
        offset: i64,
        is_flushing: impl Fn() -> bool,
    ) -> Result<(), FlowError> {
        loop {
            let ticket = self.waiters.ticket(3);
            let wait = Arc::new(ClockWait::new());
            self.syncs.lock().push(wait.clone());
            // Whoever changes one of these unschedules what is in the list afterwards.
            let (flushing, playing) = (is_flushing(), self.playing.load(Ordering::Acquire));
            let lent = self.lent();
            let mut done = false;
            if playing && !flushing {
                done = match (lent.clock, lent.base_time) {
                    (Some(clock), Some(base_time)) => {
                        let due =
                            i128::from(running_time.at(base_time).nanos()) + i128::from(offset);
                        let due = u64::try_from(due.max(0)).unwrap_or(u64::MAX);
                        let waited = clock.wait_until(AbsoluteTime::from_nanos(due), &wait);
                        waited.result != ClockReturn::Unscheduled
                    }
                    _ => true,
                };
            }
            self.syncs.lock().retain(|other| !Arc::ptr_eq(other, &wait));
            if flushing || is_flushing() {
                return Err(FlowError::Flushing);
            }
            if done {
                return Ok(());
            }
            if !playing {
                self.waiters.wait(3, ticket, None, "PLAYING, to wait for the clock");
            }
        }
    }

    pub fn wake_all(&self) {
        // No lock is held while a wait is ended.
        let waits = self.syncs.lock().clone();
        waits.iter().for_each(|wait| wait.unschedule());
        self.waiters.wake_all();
    }

    /// Adds a pad at run time; `None` if this element cannot, or may not have that one.
    pub fn add_sometimes_pad(
        &self,
        template: &str,
        name: &str,
        events: Vec<Event>,
    ) -> Option<PadId> {
        self.pad_owner.get()?.upgrade()?.add_pad(template, name, events)
    }

    /// Takes a pad away that was added at run time.
    pub fn remove_sometimes_pad(&self, id: PadId) -> bool {
        self.pad_owner.get().and_then(Weak::upgrade).is_some_and(|owner| owner.remove_pad(id))
    }

    /// Starts the task of a pad again that rests.
    pub fn start_task(&self, id: PadId) -> bool {
        self.pad_owner.get().and_then(Weak::upgrade).is_some_and(|owner| owner.start_task(id))
    }

    /// A number for one more pad.
    pub fn next_pad_id(&self) -> PadId {
        PadId(self.next_pad.fetch_add(1, Ordering::Relaxed))
    }

    /// Caps of a new stream on a pad: logged, and told to who listens.
    pub fn caps_changed(&self, pad: &PadCore, caps: &Caps) {
        self.log(Level::Info, || format!("{}: caps {caps}", pad.path()));
        let sink = self.lent.read().messages.clone();
        if let Some(sink) = sink.filter(|sink| sink.wants_notify()) {
            let caps = caps.to_string();
            let tell = |source: String| {
                let value = Some(Value::from(caps.as_str()));
                let kind = MessageKind::PropertyNotify { name: "caps".to_owned(), value };
                sink.post(Message::new(source, kind));
            };
            // Data comes in through a ghost pad's inner side, and goes out through its outer side first.
            let own = format!("{}.{}", self.name, pad.name());
            let ghosts = pad.ghost_names();
            if pad.direction() == Direction::Sink {
                ghosts.iter().rev().for_each(|(_, inner)| tell(inner.clone()));
                tell(own);
                ghosts.into_iter().for_each(|(outer, _)| tell(outer));
            } else {
                tell(own);
                ghosts.into_iter().for_each(|(outer, inner)| {
                    tell(outer);
                    tell(inner);
                });
            }
        }
    }
}

/// What a task remembers of texts while it waits is memory that the next one would have to ask for.
fn forget_texts() {
    Event::forget_text();
    Query::forget_text();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn a_task_gives_up_the_texts_of_its_last_crossings_before_it_waits() {
        runtime::when_settled(forget_texts);
        let task = runtime::spawn("writer", || {
            let event = Rc::downgrade(&Event::eos().text());
            let question = Query::Latency { live: true, min: ClockTime::ZERO, max: None };
            let question = Rc::downgrade(&question.text());
            assert!(event.upgrade().is_some() && question.upgrade().is_some(), "not remembered");
            let nobody = runtime::Monitor::new(());
            nobody.lock().wait_until(runtime::now(), "nobody");
            assert!(event.upgrade().is_none() && question.upgrade().is_none(), "still there");
        });
        assert_eq!(task.unwrap().join(), None);
    }
}
