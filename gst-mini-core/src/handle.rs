//! An [`ElementRef`] is an application's handle on an element: properties, pads, state, queries, signals.
//!
//! Invariant: state changes of one element come one at a time, and a handle keeps what it names alive.
//! In GStreamer: `gst/gstelement.c` (`gst_element_set_state_func`, `gst_element_continue_state`, `gst_element_lost_state`).
//! Left out: per-element control bindings, contexts.

mod state;
mod weak;

pub(crate) use state::Committed;
use state::StateData;
pub use state::StateHook;
pub use weak::WeakElement;

use crate::base::Behavior;
use crate::base::multi::MultiBase;
use crate::base::sink::{self, SinkBase};
use crate::base::source::{self, SourceBase};
use crate::base::transform::{self, TransformBase};
use crate::cx::PadId;
use crate::element::{Action, Direction};
use crate::error::FlowResult;
use crate::event::{Event, Seek};
use crate::host::context::Context;
use crate::host::core::ElementCore;
use crate::host::instance::Instance;
use crate::host::props::{PropertyError, shown};
use crate::host::signals::{PAD_ADDED, PAD_REMOVED};
use crate::pad::{LinkError, Pad, PadCore};
use crate::query::Query;
use crate::registry::factory::{FactoryInfo, Presence, RoleKind};
use crate::runtime::{Monitor, StreamLock};
use crate::structure::Structure;
use crate::time::ClockTime;
use crate::value::Value;
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};

/// A counted handle on an element.
#[derive(Clone)]
pub struct ElementRef(Arc<ElementInner>);

/// The element behind handles.
pub struct ElementInner {
    pub(crate) core: Arc<ElementCore>,
    pub(crate) behavior: Arc<dyn Behavior>,
    /// Elements whose pads can come and go.
    multi: Option<Arc<MultiBase>>,
    state: Monitor<StateData>,
    state_hook: RwLock<Option<Arc<StateHook>>>,
    /// One state change at a time; may be held across waits.
    pub(crate) state_lock: StreamLock,
    /// The task that holds it, or held it last.
    changed_by: Mutex<Option<Arc<str>>>,
    locked: AtomicBool,
    /// The number of the next request pad that is asked for without one.
    next_number: AtomicU32,
}

/// Why an element could not be made, linked or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// No pad of that name, or none free.
    #[error("element \"{element}\" has no {what}{}", crate::host::props::hint(near))]
    NoPad {
        /// The element.
        element: String,
        /// What was looked for.
        what: String,
        /// The nearest names.
        near: Vec<String>,
    },
    /// Two pads could not be linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The factory could not make an instance.
    #[error("element \"{element}\" could not be made: {why}")]
    Create {
        /// The factory.
        element: String,
        /// What it said.
        why: String,
    },
    /// Something with that name is there already.
    #[error("\"{bin}\" has an element \"{name}\" already; give one of them another name")]
    NameTaken {
        /// The bin.
        bin: String,
        /// The name.
        name: String,
    },
    /// It is in a bin already.
    #[error("\"{name}\" is in \"{parent}\" already; take it out there first")]
    HasParent {
        /// The element.
        name: String,
        /// The bin it is in.
        parent: String,
    },
    /// A bin in itself.
    #[error("\"{0}\" cannot be put into itself, or into a bin that it contains")]
    InItself(String),
    /// A pad with that name is there already.
    #[error("\"{element}\" has a pad \"{name}\" already; give one of them another name")]
    PadNameTaken {
        /// The element.
        element: String,
        /// The pad's name.
        name: String,
    },
    /// It is not in that bin.
    #[error("\"{name}\" is not in \"{bin}\"")]
    NotHere {
        /// The bin.
        bin: String,
        /// The name.
        name: String,
    },
}

impl From<Arc<ElementInner>> for ElementRef {
    fn from(inner: Arc<ElementInner>) -> Self {
        ElementRef(inner)
    }
}

impl std::fmt::Debug for ElementRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name())
    }
}

impl ElementRef {
    /// Makes an element of a factory.
    pub fn make(factory: &Arc<FactoryInfo>, name: &str) -> Result<ElementRef, HandleError> {
        let instance = Instance::make(factory)
            .map_err(|why| HandleError::Create { element: factory.name.clone(), why })?;
        let base_props = || match factory.role {
            RoleKind::Source => source::base_props(),
            RoleKind::Sink => sink::base_props(factory),
            RoleKind::Transform => transform::base_props(factory),
            RoleKind::MultiPad => Vec::new(),
        };
        let core =
            Arc::new(ElementCore::new(name.into(), factory.clone(), Some(instance), base_props));
        for (number, template) in (0..).zip(&factory.pads) {
            if template.presence == Presence::Always {
                let pad = PadCore::new(
                    PadId(number),
                    core.name.clone(),
                    &template.name,
                    template.direction,
                    template.caps.clone(),
                );
                core.pads.write().push(pad);
            }
        }
        let first = |direction: Direction| {
            core.pads_of(direction).into_iter().next().ok_or_else(|| HandleError::NoPad {
                element: factory.name.clone(),
                what: format!("{} pad, which its role needs", direction.name()),
                near: Vec::new(),
            })
        };
        let handled = |handler: Weak<dyn crate::pad::PadHandler>| {
            for pad in core.pads.read().iter() {
                pad.set_handler(handler.clone());
            }
        };
        let (behavior, multi, sink_base): (Arc<dyn Behavior>, _, _) = match factory.role {
            RoleKind::Source => {
                let base = SourceBase::new(core.clone(), first(Direction::Src)?);
                handled(Arc::downgrade(&base) as _);
                (base, None, None)
            }
            RoleKind::Transform => {
                let (sink, src) = (first(Direction::Sink)?, first(Direction::Src)?);
                let base = TransformBase::new(core.clone(), sink, src);
                handled(Arc::downgrade(&base) as _);
                (base, None, None)
            }
            RoleKind::Sink => {
                let base = SinkBase::new(core.clone(), first(Direction::Sink)?);
                handled(Arc::downgrade(&base) as _);
                (base.clone(), None, Some(base))
            }
            RoleKind::MultiPad => {
                let base = MultiBase::new(core.clone());
                handled(Arc::downgrade(&base) as _);
                (base.clone(), Some(base), None)
            }
        };
        let made = ElementRef::wrap(core, behavior, multi);
        if let Some(base) = sink_base {
            base.set_handle(Arc::downgrade(&made.0));
        }
        Ok(made)
    }

    pub(crate) fn wrap(
        core: Arc<ElementCore>,
        behavior: Arc<dyn Behavior>,
        multi: Option<Arc<MultiBase>>,
    ) -> ElementRef {
        ElementRef(Arc::new(ElementInner {
            core,
            behavior,
            multi,
            state: Monitor::new(StateData::default()),
            state_hook: RwLock::new(None),
            state_lock: StreamLock::new(),
            changed_by: Mutex::default(),
            locked: AtomicBool::new(false),
            next_number: AtomicU32::new(0),
        }))
    }

    pub(crate) fn inner(&self) -> &Arc<ElementInner> {
        &self.0
    }

    pub(crate) fn core(&self) -> &Arc<ElementCore> {
        &self.0.core
    }

    pub(crate) fn behavior(&self) -> &dyn Behavior {
        &*self.0.behavior
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.core.name
    }

    /// What made it.
    pub fn factory(&self) -> &FactoryInfo {
        &self.0.core.factory
    }

    /// Whether two handles name the same element.
    pub fn is_same(&self, other: &ElementRef) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether streams end here; a bin is a sink when one was put into it.
    pub fn is_sink(&self) -> bool {
        match self.0.behavior.as_bin() {
            Some(bin) => bin.is_sink(),
            None => self.factory().role == RoleKind::Sink,
        }
    }

    /// Whether streams begin here; a bin is a source when one was put into it.
    pub fn is_source(&self) -> bool {
        match self.0.behavior.as_bin() {
            Some(bin) => bin.is_source(),
            None => self.factory().role == RoleKind::Source,
        }
    }

    /// Sets a property from its text form. Never waits for a buffer.
    pub fn set(&self, name: &str, value: impl ToString) -> Result<(), PropertyError> {
        self.0.core.set_text(name, &value.to_string())?;
        self.0.behavior.base_property_changed(name);
        Ok(())
    }

    /// Asks the base for what it alone knows.
    fn refresh(&self, name: &str) {
        if let Some(text) = self.0.behavior.base_property(name) {
            self.0.core.keep(name, text);
        }
    }

    /// A property's present value. Never waits for a buffer.
    pub fn get(&self, name: &str) -> Result<Value, PropertyError> {
        self.refresh(name);
        self.0.core.get_value(name)
    }

    /// A property's present value, read as a number, switch or text.
    pub fn get_as<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.refresh(name);
        self.0.core.get_text(name).ok()?.parse().ok()
    }

    /// A property's present value as it may be shown: secrets as stars.
    pub fn get_shown(&self, name: &str) -> Result<String, PropertyError> {
        self.refresh(name);
        let index = self.0.core.props.index(self.name(), name)?;
        Ok(shown(&self.0.core.props.specs()[index], &self.0.core.get_text(name)?))
    }

    /// All properties, those of the base last.
    pub fn properties(&self) -> &[crate::registry::factory::PropInfo] {
        self.0.core.props.specs()
    }

    /// Calls `handler` on every emission of a signal, on the thread that emits it.
    pub fn connect(
        &self,
        signal: &str,
        handler: impl Fn(Option<&Structure>) + Send + Sync + 'static,
    ) -> u64 {
        let silent = move |args: Option<&Structure>| {
            handler(args);
            None
        };
        self.0.core.connect(signal, Arc::new(silent))
    }

    /// [`ElementRef::connect`] for a signal that asks: what `handler` gives back goes to the element;
    /// of several handlers' answers the last one counts.
    pub fn connect_answering(
        &self,
        signal: &str,
        handler: impl Fn(Option<&Structure>) -> Option<Value> + Send + Sync + 'static,
    ) -> u64 {
        self.0.core.connect(signal, Arc::new(handler))
    }

    /// Ends what [`ElementRef::connect`] began.
    pub fn disconnect(&self, id: u64) {
        self.0.core.disconnect(id);
    }

    /// Asks the element to perform an action.
    pub fn act(&self, action: &mut Action) -> FlowResult {
        let pad = self.0.core.pads.read().first().cloned();
        let cx = Context::new(&self.0.core, pad);
        match &self.0.core.instance {
            Some(instance) => instance.action(&cx, action),
            None => Err(crate::error::FlowError::NotSupported),
        }
    }

    /// Its pads.
    pub fn pads(&self) -> Vec<Arc<PadCore>> {
        self.0.core.pads.read().clone()
    }

    /// The pad of that name, if it exists.
    pub fn static_pad(&self, name: &str) -> Option<Arc<PadCore>> {
        self.0.core.pad_named(name)
    }

    /// The pad of that name: one that exists, or a new one if a request template fits. A template's
    /// own name (`src_%u`) asks for the next number.
    pub fn pad(&self, name: &str) -> Result<Arc<PadCore>, HandleError> {
        if let Some(pad) = self.static_pad(name) {
            return Ok(pad);
        }
        self.request_pad(name)
    }

    /// Makes a pad of a request template. The element may call it otherwise than it was asked for.
    pub fn request_pad(&self, name: &str) -> Result<Arc<PadCore>, HandleError> {
        self.request_pad_numbered(name, &mut |_| None)
    }

    /// The lowest number that a pad of that pattern may have.
    fn next_number(&self, pattern: &str) -> u32 {
        let first = self.0.next_number.load(Ordering::Relaxed);
        let taken = |n: &u32| self.static_pad(&pattern.replace("%u", &n.to_string())).is_some();
        (first..).find(|n| !taken(n)).unwrap_or(first)
    }

    /// [`ElementRef::request_pad`]; `number` may have numbers for names that are not a template's.
    pub(crate) fn request_pad_numbered(
        &self,
        name: &str,
        number: &mut dyn FnMut(&str) -> Option<u32>,
    ) -> Result<Arc<PadCore>, HandleError> {
        let core = &self.0.core;
        let no_pad = || {
            let names: Vec<_> = core.factory.pads.iter().map(|pad| pad.name.as_str()).collect();
            HandleError::NoPad {
                element: self.name().to_owned(),
                what: format!("pad \"{name}\""),
                near: crate::suggest::nearest(name, names).into_iter().map(str::to_owned).collect(),
            }
        };
        let template = core
            .factory
            .template_for(name)
            .filter(|template| template.presence == Presence::Request)
            .ok_or_else(no_pad)?;
        let multi = self.0.multi.as_ref().ok_or_else(no_pad)?;
        let cx = Context::detached(core);
        let name = core.instance().pad_name(&cx, name).unwrap_or_else(|| name.to_owned());
        let name = if name.contains("%u") {
            let own = template.name == name;
            let given = if own { None } else { number(&name) };
            let number = given.unwrap_or_else(|| self.next_number(&name));
            name.replace("%u", &number.to_string())
        } else {
            name
        };
        if core.pad_named(&name).is_some() {
            return Err(no_pad());
        }
        // What was numbered once is not numbered again, as tee counts.
        if let Some(number) = template.number_of(&name) {
            self.0.next_number.fetch_max(number.saturating_add(1), Ordering::Relaxed);
        }
        let id = core.next_pad_id();
        let pad =
            PadCore::new(id, core.name.clone(), &name, template.direction, template.caps.clone());
        let handler = Arc::downgrade(multi);
        pad.set_handler(handler as _);
        core.pads.write().push(pad.clone());
        if !multi.pad_added(&pad) {
            core.pads.write().retain(|other| other.id() != id);
            return Err(no_pad());
        }
        core.signals.emit_pad(PAD_ADDED, pad.name());
        Ok(pad)
    }

    /// Gives a request pad back.
    pub fn release_pad(&self, pad: &Arc<PadCore>) {
        pad.release();
        let _ = pad.is_ghost() && pad.set_ghost_target(None).is_ok();
        if let Some(multi) = &self.0.multi {
            multi.pad_removed(pad);
        }
        self.0.core.pads.write().retain(|other| other.id() != pad.id());
        self.0.core.signals.emit_pad(PAD_REMOVED, pad.name());
    }

    /// Links a free source pad of this element to a free sink pad of `next`, asking for pads where
    /// there are request templates.
    pub fn link(&self, next: &ElementRef) -> Result<(), HandleError> {
        let src = self.free_pad(Direction::Src)?;
        let sink = next.free_pad(Direction::Sink)?;
        Ok(src.link(&sink)?)
    }

    /// A pad without a peer, or a new one.
    pub(crate) fn free_pad(&self, direction: Direction) -> Result<Arc<PadCore>, HandleError> {
        if let Some(pad) = self.0.core.pads_of(direction).into_iter().find(|pad| !pad.is_linked()) {
            return Ok(pad);
        }
        let request = self.factory().pads.iter().find(|template| {
            template.direction == direction && template.presence == Presence::Request
        });
        match request {
            Some(template) => self.request_pad(&template.name.clone()),
            None => Err(HandleError::NoPad {
                element: self.name().to_owned(),
                what: format!("free {} pad", direction.name()),
                near: Vec::new(),
            }),
        }
    }

    /// The latency that the pipeline told a sink: how much later than its running time it renders.
    /// `None` for elements that are no sinks.
    pub fn configured_latency(&self) -> Option<ClockTime> {
        self.0.behavior.configured_latency()
    }

    /// Sends an event: upstream ones from its sinks on, downstream ones from its sources on.
    pub fn send_event(&self, event: Event) -> bool {
        self.0.behavior.send_event(event)
    }

    /// Plays another part.
    pub fn seek(&self, seek: Seek) -> bool {
        self.send_event(Event::new(crate::event::EventKind::Seek(seek)))
    }

    /// Asks a question.
    pub fn query(&self, query: &mut Query) -> bool {
        self.0.behavior.query(query)
    }
}

impl Drop for ElementInner {
    fn drop(&mut self) {
        if let Some(bin) = self.behavior.as_bin() {
            bin.shut_down();
        }
        for pad in self.core.pads.read().iter() {
            pad.detach();
        }
    }
}
