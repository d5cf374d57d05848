//! A bin is an element made of elements; a pipeline is the bin at the top.
//!
//! ```text
//!   set_state(PLAYING):   sinks first ◀────────────── then what feeds them ◀─────── then sources
//!   messages:             sinks ──EOS──▶ bin counts them ──EOS──▶ bus, when all have said it
//! ```
//!
//! What a bin does with its children is told apart by concept: `order` and `change` for states,
//! `messages` for what they post, `queries` for what they are asked, `clocks` that they provide, `ghosts`
//! for pads in its wall, `replace` for one element in the place of another, and `top` for what only a
//! pipeline does.
//!
//! Invariant: children never reach up; they post to what they were lent, and the bin draws the
//! conclusions.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_add_func`, `gst_bin_remove_func`).
//! Left out: `message-forward`, suppressed flags, contexts.

mod change;
mod clocks;
pub(crate) mod ghosts;
mod messages;
mod order;
mod queries;
pub(crate) mod replace;
mod top;

use crate::base::{Behavior, prop};
use crate::bus::Bus;
use crate::event::Event;
use crate::handle::{ElementInner, ElementRef, HandleError};
use crate::host::core::{ElementCore, Lent};
use crate::query::Query;
use crate::registry;
use crate::runtime::StreamLock;
use crate::state::{State, StateReturn, Transition};
use clocks::Provided;
use messages::{Told, Upward};
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use top::Top;

/// The part of a bin that its handle and its children's messages reach.
pub struct BinCore {
    core: Arc<ElementCore>,
    children: RwLock<Vec<ElementRef>>,
    /// Another one whenever a child comes or goes: a state change under way looks again.
    structure: AtomicU32,
    /// What children have told.
    told: Mutex<Told>,
    provided: Mutex<Provided>,
    handle: OnceLock<Weak<ElementInner>>,
    /// Pipelines only.
    top: Option<Top>,
    told_error: AtomicBool,
    notify: AtomicBool,
    /// Whether it counts as a sink and as a source. What is told of them is what they were when they
    /// were put in: a bin that becomes one later, inside another, does not make that one into one.
    has_sink: AtomicBool,
    has_source: AtomicBool,
    /// One exchange of elements at a time.
    replacing: OnceLock<Box<StreamLock>>,
}

/// The bin behind a handle; one wrapper so that the bin's parts can be borrowed through the handle.
struct BinBase(Arc<BinCore>);

impl BinCore {
    /// A bin without children; with `top`, a pipeline.
    pub(crate) fn make(name: &str, top: bool) -> ElementRef {
        let factory = registry::bin_factory(top);
        let props = || {
            let mut props = vec![prop(
                "async-handling",
                "boolean",
                "The bin sees to async changes of its children itself, whatever contains it",
                "",
                "false",
            )];
            if top {
                props.extend(top::props());
            }
            props
        };
        let core = Arc::new(ElementCore::new(name.into(), factory, None, props));
        let bin = Arc::new(BinCore {
            core: core.clone(),
            children: RwLock::default(),
            structure: AtomicU32::new(0),
            told: Mutex::default(),
            provided: Mutex::default(),
            handle: OnceLock::new(),
            top: top.then(Top::default),
            told_error: AtomicBool::new(false),
            notify: AtomicBool::new(false),
            has_sink: AtomicBool::new(false),
            has_source: AtomicBool::new(false),
            replacing: OnceLock::new(),
        });
        let made = ElementRef::wrap(core, Arc::new(BinBase(bin.clone())), None);
        let _ = bin.handle.set(Arc::downgrade(made.inner()));
        if top {
            bin.core.lent.write().messages = Some(Arc::new(Upward::own(made.inner())));
        }
        made
    }

    /// The elements in it, in the order they were added.
    pub fn children(&self) -> Vec<ElementRef> {
        self.children.read().clone()
    }

    /// Whether streams end in it.
    pub(crate) fn is_sink(&self) -> bool {
        self.has_sink.load(Ordering::Acquire)
    }

    /// Whether streams begin in it.
    pub(crate) fn is_source(&self) -> bool {
        self.has_source.load(Ordering::Acquire)
    }

    pub(crate) fn bus(&self) -> Option<Arc<Bus>> {
        self.top.as_ref().map(|top| top.bus.clone())
    }

    pub(crate) fn set_notify(&self, on: bool) {
        self.notify.store(on, Ordering::Relaxed);
    }

    fn this(&self) -> Option<ElementRef> {
        self.handle.get().and_then(Weak::upgrade).map(ElementRef::from)
    }

    /// Whether nothing contains this bin.
    fn is_toplevel(&self) -> bool {
        self.core.lent.read().parent.is_none()
    }

    /// Whether this bin goes on by itself when its children's async changes are done.
    fn sees_to_async(&self) -> bool {
        self.is_toplevel() || self.handles_async()
    }

    fn handles_async(&self) -> bool {
        self.core.number("async-handling").unwrap_or(false)
    }

    /// Puts an element in. It keeps its state, and loses its links.
    pub(crate) fn add(&self, element: &ElementRef) -> Result<(), HandleError> {
        let Some(this) = self.this() else { return Ok(()) };
        let is_inside = |bin: &BinCore| bin.way_to(&this).is_some();
        if element.is_same(&this) || element.behavior().as_bin().is_some_and(is_inside) {
            return Err(HandleError::InItself(self.core.name.to_string()));
        }
        {
            let mut children = self.children.write();
            if children.iter().any(|child| child.name() == element.name()) {
                return Err(HandleError::NameTaken {
                    bin: self.core.name.to_string(),
                    name: element.name().to_owned(),
                });
            }
            let ours = self.core.lent();
            let mut theirs = element.core().lent.write();
            if let Some(parent) = &theirs.parent {
                return Err(HandleError::HasParent {
                    name: element.name().to_owned(),
                    parent: parent.to_string(),
                });
            }
            *theirs = Lent {
                messages: Some(Arc::new(Upward::of_child(this.inner()))),
                parent: Some(self.core.name.clone()),
                ..ours
            };
            drop(theirs);
            self.has_sink.fetch_or(element.is_sink(), Ordering::AcqRel);
            self.has_source.fetch_or(element.is_source(), Ordering::AcqRel);
            children.push(element.clone());
        }
        self.structure.fetch_add(1, Ordering::AcqRel);
        if let Some(bin) = element.behavior().as_bin() {
            bin.lend_to_children();
        }
        self.provider_came(element);
        for pad in element.pads() {
            pad.detach();
        }
        this.child_added(element, self.sees_to_async());
        Ok(())
    }

    /// Takes an element out. It keeps its state, and loses its links and what it was lent.
    pub(crate) fn remove(&self, element: &ElementRef) -> Result<(), HandleError> {
        let others = {
            let mut children = self.children.write();
            let at = children.iter().position(|child| child.is_same(element)).ok_or_else(|| {
                HandleError::NotHere {
                    bin: self.core.name.to_string(),
                    name: element.name().to_owned(),
                }
            })?;
            children.remove(at);
            if element.is_sink() {
                self.has_sink.store(children.iter().any(ElementRef::is_sink), Ordering::Release);
            }
            if element.is_source() {
                let others = children.iter().any(ElementRef::is_source);
                self.has_source.store(others, Ordering::Release);
            }
            children.clone()
        };
        self.structure.fetch_add(1, Ordering::AcqRel);
        let had_ended = self.forget(element.name());
        let no_preroll = others.iter().any(|child| child.last_return() == StateReturn::NoPreroll);
        if let Some(this) = self.this() {
            this.child_removed(element.name(), no_preroll, self.sees_to_async());
        }
        {
            let mut theirs = element.core().lent.write();
            theirs.messages = element.behavior().as_bin().and_then(BinCore::own_way);
            theirs.parent = None;
            theirs.clock = None;
        }
        if let Some(bin) = element.behavior().as_bin() {
            bin.lend_to_children();
        }
        // It may have been the last one that the end of the stream was waited for from.
        if !had_ended && element.is_sink() {
            self.tell_end();
        }
        self.provider_left(element);
        for pad in element.pads() {
            pad.detach();
        }
        Ok(())
    }

    /// Children so that each comes after all it feeds, the newest sink first.
    fn sinks_first(&self) -> Vec<ElementRef> {
        order::sinks_first(self.children())
    }

    /// What this bin was lent, all the way down.
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

    /// The last handle is gone: whatever still runs is stopped, one that is locked or refuses too, as
    /// a sink that kept its buffer would hold the thread of a queue that is to end.
    pub(crate) fn shut_down(&self) {
        for child in self.sinks_first() {
            if let Some(bin) = child.behavior().as_bin() {
                bin.shut_down();
            }
            if child.current_state() != State::Null {
                child.set_state(State::Null);
                child.stop_anyway();
            }
        }
    }
}

impl Behavior for BinBase {
    fn change_state(&self, element: &ElementRef, transition: Transition) -> StateReturn {
        self.0.change_state(element, transition)
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
