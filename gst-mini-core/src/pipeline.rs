//! [`Pipeline`] is what an application drives: elements, links, states, bus, clock, seeks.
//!
//! ```
//! use gst_mini_core::prelude::*;
//! let pipeline = Bin::pipeline("demo");
//! assert_eq!(pipeline.set_state(State::Paused), StateReturn::Success);
//! assert_eq!(pipeline.set_state(State::Null), StateReturn::Success);
//! ```
//!
//! Its code is the bin's, and the same on threads and on simulated time: inside
//! [`Sim::run`](crate::runtime::Sim::run) every wait and every thread is the simulator's.
//!
//! Invariant: dropping the last handle stops everything.
//! In GStreamer: `gst/gstpipeline.c`, `gst/gstbin.c` (`gst_bin_add`, `gst_bin_get_by_name`).
//! Left out: nothing of `GstPipeline`'s properties.

pub use crate::bin::ghosts::LinkEnd;
pub use crate::bin::replace::ReplaceError;
use crate::bin::{BinCore, ghosts};
use crate::bus::Bus;
use crate::clock::Clock;
use crate::element::Direction;
use crate::event::{Event, EventKind, Seek};
use crate::handle::{ElementRef, HandleError};
use crate::message::{Message, MessageKind};
use crate::pad::PadCore;
use crate::query::Query;
use crate::state::{State, StateReturn};
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use std::ops::Deref;
use std::sync::Arc;

/// What an application drives.
pub trait Pipeline {
    /// Puts an element in; its name must be free.
    fn add(&self, element: &ElementRef) -> Result<(), HandleError>;
    /// Takes an element out; it keeps its state.
    fn remove(&self, element: &ElementRef) -> Result<(), HandleError>;
    /// Links elements in a row. Between elements of different bins below this one, ghost pads called
    /// `ghost0`, `ghost1`, … are made.
    fn link(&self, elements: &[&ElementRef]) -> Result<(), HandleError>;
    /// Puts `new` in the place of `old` while the stream goes on, in any state: a sink, a filter or a source. `new`
    /// is fresh, in NULL and in no bin; afterwards it is linked as `old` was and in the pipeline's state, and
    /// `old` is drained, in NULL and out. Every buffer goes through one of the two. Returns when all that
    /// is done; a sink that leaves has then finished (an object sink has stored everything), while the
    /// new one has long been going on. Not from a streaming thread.
    ///
    /// A source that is not live goes on at the running time where the old one stopped. Upstream of an object
    /// sink, `hlssegmenter` ends its recording at the next key frame and begins another for the new sink. In PAUSED
    /// a sink renders what it holds before it leaves; a source or filter whose buffer a sink holds cannot be
    /// exchanged before PLAYING.
    ///
    /// # Errors
    /// If `new` does not start or does not fit, or the stream does not come to a place to exchange them at within
    /// 30 s. Then `old` stays, and the stream goes on through it.
    fn replace(&self, old: &ElementRef, new: &ElementRef) -> Result<(), ReplaceError>;
    /// Elements, in the order they were added.
    fn children(&self) -> Vec<ElementRef>;
    /// The element of that name.
    fn by_name(&self, name: &str) -> Option<ElementRef>;
    /// Goes towards a state. See [`StateReturn`].
    fn set_state(&self, state: State) -> StateReturn;
    /// Waits at most `timeout` for a state change to end (`None`: for ever).
    fn state(&self, timeout: Option<ClockTime>) -> (StateReturn, State, Option<State>);
    /// Where messages arrive.
    fn bus(&self) -> Arc<Bus>;
    /// The clock in use.
    fn clock(&self) -> Option<Arc<dyn Clock>>;
    /// Uses this clock from the next choice on, which is when PLAYING begins; `None`: no clock at all, so
    /// that nothing waits and everything runs as fast as it can.
    fn use_clock(&self, clock: Option<Arc<dyn Clock>>);
    /// Chooses a clock itself again: one that an element provides, or the system's.
    fn auto_clock(&self);
    /// Adds this to the base time, from the next time PLAYING begins: for elements that take so long to
    /// begin.
    fn set_delay(&self, delay: ClockTime);
    /// Whether going to NULL throws away the messages on the bus; it does at first.
    fn set_auto_flush_bus(&self, on: bool);
    /// The clock's reading at running time 0.
    fn base_time(&self) -> Option<AbsoluteTime>;
    /// Sets the base time here and below; for an application that set the start time to none.
    fn set_base_time(&self, base_time: AbsoluteTime);
    /// The running time at which PLAYING begins, or was last left.
    fn start_time(&self) -> Option<RunningTime>;
    /// Sets it; `None`: the application decides the base time from now on.
    fn set_start_time(&self, start_time: Option<RunningTime>);
    /// How long it has been playing.
    fn running_time(&self) -> Option<RunningTime>;
    /// Uses this latency whatever the elements say; `None`: theirs.
    fn set_latency(&self, latency: Option<ClockTime>);
    /// Asks all elements for their latency again and tells the sinks the sum. A pipeline does so by itself
    /// when PLAYING begins; after that it is for the application, when a message
    /// [`Latency`](MessageKind::Latency) says that one has changed.
    fn recalculate_latency(&self) -> bool;
    /// Plays another part.
    fn seek(&self, seek: Seek) -> bool;
    /// Sends an event to all sinks (upstream events) or sources.
    fn send_event(&self, event: Event) -> bool;
    /// Asks the sinks.
    fn query(&self, query: &mut Query) -> bool;
    /// Posts a message for every property and caps that change.
    fn watch_properties(&self, on: bool);
}

/// A handle on a bin. A pipeline is made with [`Bin::pipeline`].
#[derive(Clone, Debug)]
pub struct Bin(ElementRef);

impl Bin {
    /// A pipeline: a bin with a bus, a clock and a base time.
    pub fn pipeline(name: &str) -> Bin {
        Bin(BinCore::make(name, true))
    }

    /// A bin to be put into another.
    pub fn inner(name: &str) -> Bin {
        Bin(BinCore::make(name, false))
    }

    /// The bin behind an element handle, if it is one.
    pub fn from_element(element: &ElementRef) -> Option<Bin> {
        element.behavior().as_bin().map(|_| Bin(element.clone()))
    }

    /// The bin as an element.
    pub fn element(&self) -> &ElementRef {
        &self.0
    }

    /// Whether it has a bus, a clock and a base time of its own.
    pub fn is_pipeline(&self) -> bool {
        self.core().bus().is_some()
    }

    fn core(&self) -> &BinCore {
        self.0.behavior().as_bin().expect("a Bin is made around a bin only")
    }

    /// Adds a ghost pad: `target`, a pad of an element in here, is reached from outside by this name.
    ///
    /// ```
    /// # use gst_mini_core::prelude::*;
    /// let inside = Bin::inner("inside");
    /// let ghost = inside.add_ghost_pad_without_target("src", Direction::Src).unwrap();
    /// assert!(ghost.is_ghost() && ghost.ghost_target().is_none());
    /// ```
    ///
    /// # Errors
    /// If the bin has a pad of that name, or `target` is linked or has a ghost pad already.
    pub fn add_ghost_pad(
        &self,
        name: &str,
        target: &Arc<PadCore>,
    ) -> Result<Arc<PadCore>, HandleError> {
        use crate::pad::Pad as _;
        self.core().add_ghost(name, target.direction(), Some(target))
    }

    /// Adds a ghost pad that stands for nothing yet; see [`PadCore::set_ghost_target`].
    ///
    /// # Errors
    /// If the bin has a pad of that name.
    pub fn add_ghost_pad_without_target(
        &self,
        name: &str,
        direction: Direction,
    ) -> Result<Arc<PadCore>, HandleError> {
        self.core().add_ghost(name, direction, None)
    }

    /// Takes a ghost pad away; its peer and its target are free again. `false` if it is not here.
    pub fn remove_ghost_pad(&self, pad: &Arc<PadCore>) -> bool {
        self.core().remove_ghost(pad)
    }

    /// Links a source pad to a sink pad of elements anywhere below this bin. Each bin that one of
    /// them is in, and the other is not, gets a ghost pad; `name` is asked for its name, first from the
    /// source pad outwards, then from the sink pad outwards.
    ///
    /// # Errors
    /// If the two cannot be linked; then no ghost pad is left over.
    pub fn link_across(
        &self,
        from: LinkEnd<'_>,
        to: LinkEnd<'_>,
        name: &mut dyn FnMut() -> String,
    ) -> Result<(), HandleError> {
        self.core().link_across(from, to, name)
    }

    /// A property of pipelines; bins have none of those, and no use for them.
    fn set_own(&self, name: &str, value: impl ToString) {
        let _ = self.0.set(name, value);
    }

    fn link_two(&self, from: &ElementRef, to: &ElementRef) -> Result<(), HandleError> {
        // Elements of nobody's, or of somebody else's, are linked as they are.
        if self.core().way_to(from).is_none() || self.core().way_to(to).is_none() {
            return from.link(to);
        }
        let src = from.free_pad(Direction::Src)?;
        let sink = to.free_pad(Direction::Sink)?;
        self.core().link_across((from, &src), (to, &sink), &mut ghosts::next_name)
    }

    /// Waits for the end of the stream or an error, at most `timeout`; the message that ended it.
    /// Other messages are thrown away, after what an application does about a latency that changed.
    pub fn wait_for_end(&self, timeout: Option<ClockTime>) -> Option<Message> {
        self.bus().timed_pop_filtered(timeout, |message| {
            if message.kind == MessageKind::Latency {
                self.recalculate_latency();
            }
            matches!(message.kind, MessageKind::Eos | MessageKind::Error(_))
        })
    }
}

impl Deref for Bin {
    type Target = ElementRef;
    fn deref(&self) -> &ElementRef {
        &self.0
    }
}

impl Pipeline for Bin {
    fn add(&self, element: &ElementRef) -> Result<(), HandleError> {
        self.core().add(element)
    }
    fn remove(&self, element: &ElementRef) -> Result<(), HandleError> {
        self.core().remove(element)
    }
    fn link(&self, elements: &[&ElementRef]) -> Result<(), HandleError> {
        elements.windows(2).try_for_each(|pair| self.link_two(pair[0], pair[1]))
    }
    fn replace(&self, old: &ElementRef, new: &ElementRef) -> Result<(), ReplaceError> {
        self.core().replace(old, new)
    }
    fn children(&self) -> Vec<ElementRef> {
        self.core().children()
    }
    fn by_name(&self, name: &str) -> Option<ElementRef> {
        self.core().children().into_iter().find_map(|child| {
            if child.name() == name {
                return Some(child);
            }
            Bin::from_element(&child).and_then(|bin| bin.by_name(name))
        })
    }
    fn set_state(&self, state: State) -> StateReturn {
        self.0.set_state(state)
    }
    fn state(&self, timeout: Option<ClockTime>) -> (StateReturn, State, Option<State>) {
        self.0.state(timeout)
    }
    fn bus(&self) -> Arc<Bus> {
        self.core().bus().unwrap_or_default()
    }
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.core().clock()
    }
    fn use_clock(&self, clock: Option<Arc<dyn Clock>>) {
        self.core().use_clock(clock);
    }
    fn auto_clock(&self) {
        self.core().auto_clock();
    }
    fn set_delay(&self, delay: ClockTime) {
        self.set_own("delay", delay.nanos());
    }
    fn set_auto_flush_bus(&self, on: bool) {
        self.set_own("auto-flush-bus", on);
    }
    fn base_time(&self) -> Option<AbsoluteTime> {
        self.core().base_time()
    }
    fn set_base_time(&self, base_time: AbsoluteTime) {
        self.core().set_base_time(base_time);
    }
    fn start_time(&self) -> Option<RunningTime> {
        self.core().start_time()
    }
    fn set_start_time(&self, start_time: Option<RunningTime>) {
        self.core().set_start_time(start_time);
    }
    fn running_time(&self) -> Option<RunningTime> {
        self.core().running_time()
    }
    fn set_latency(&self, latency: Option<ClockTime>) {
        self.set_own("latency", latency.map_or(u64::MAX, ClockTime::nanos));
    }
    fn recalculate_latency(&self) -> bool {
        self.core().recalculate_latency()
    }
    fn seek(&self, seek: Seek) -> bool {
        self.0.send_event(Event::new(EventKind::Seek(seek)))
    }
    fn send_event(&self, event: Event) -> bool {
        self.0.send_event(event)
    }
    fn query(&self, query: &mut Query) -> bool {
        self.0.query(query)
    }
    fn watch_properties(&self, on: bool) {
        self.core().set_notify(on);
    }
}
