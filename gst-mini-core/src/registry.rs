//! The [`Registry`] knows every factory: those linked in, and those that plugins bring.
//!
//! Built-in factories are found through `inventory` when the first one is asked for. A crate of
//! elements that nothing names is not linked at all; so such a crate has a `register()` that programs
//! call.
//!
//! Invariant: the first factory of a name wins; the others are listed as shadowed.
//! In GStreamer: `gst/gstregistry.c` (`gst_registry_lookup_feature`), `gst/gstelementfactory.c` (`gst_element_factory_make`).
//! Left out: features other than element factories.

pub mod factory;
pub mod rank;

use crate::bin::BinCore;
use crate::buffer::Buffer;
use crate::caps::Caps;
use crate::cx::PadId;
use crate::element::Direction;
use crate::error::{FlowError, FlowResult};
use crate::event::Event;
use crate::handle::{ElementRef, HandleError};
use crate::pad::{Pad, PadCore, PadHandler};
use crate::plugin::abi::{GmElementVTable, GmFactory, GmStr};
use crate::plugin::export::Factory;
use crate::plugin::loader::{self, Plugins};
use crate::query::Query;
use crate::runtime;
use crate::suggest::nearest;
use factory::{FactoryInfo, RoleKind};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

inventory::collect!(Factory);

/// Why an element could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// Nobody makes elements of that name.
    #[error("no element \"{name}\"{}", explain_missing(near, refused, *empty, *no_plugins))]
    NoSuchElement {
        /// The name asked for.
        name: String,
        /// The nearest names there are.
        near: Vec<String>,
        /// Plugins that were not loaded, with the reason.
        refused: Vec<String>,
        /// Whether no built-in element is linked at all.
        empty: bool,
        /// Whether there is no plugin at all.
        no_plugins: bool,
    },
    /// A plugin that has the element cannot be loaded.
    #[error("element \"{name}\": {why}")]
    Plugin {
        /// The name asked for.
        name: String,
        /// What the loader says.
        why: String,
    },
    /// The factory failed.
    #[error(transparent)]
    Handle(#[from] HandleError),
}

fn explain_missing(near: &[String], refused: &[String], empty: bool, no_plugins: bool) -> String {
    let mut text = crate::host::props::hint(near);
    if !refused.is_empty() {
        text.push_str("; plugins that were not loaded:\n  ");
        text.push_str(&refused.join("\n  "));
    } else if near.is_empty() && no_plugins {
        text.push_str(
            "; if it is in a plugin, set GST_MINI_PLUGIN_PATH to the folder of plugins: none was found",
        );
    }
    if empty {
        text.push_str(
            "; no built-in element is linked: the program must call gst_mini_elements::register()",
        );
    }
    text
}

/// A factory that is linked into the program. Its description is read when somebody wants it: of all the elements there
/// are, a program makes a few.
struct Linked {
    name: &'static str,
    raw: &'static GmFactory,
    info: OnceLock<Option<Arc<FactoryInfo>>>,
}

impl Linked {
    fn new(factory: &Factory) -> Linked {
        // SAFETY: linked factories are statics made by `Factory`'s constructors.
        let name = unsafe { factory.0.name.to_str() }.unwrap_or("");
        Linked { name, raw: factory.0, info: OnceLock::new() }
    }

    /// `None`: the description is refused, which was logged.
    fn info(&self) -> Option<&Arc<FactoryInfo>> {
        let read = || {
            // SAFETY: as in `new`.
            unsafe { FactoryInfo::read(self.raw, "gst-mini-elements") }
                .inspect_err(|why| {
                    crate::log::write("registry", crate::cx::Level::Error, "", why);
                })
                .ok()
                .map(Arc::new)
        };
        self.info.get_or_init(read).as_ref()
    }
}

/// All factories of this process.
pub struct Registry {
    /// By name.
    linked: Vec<Linked>,
    /// Those of them that are in order, once all are asked for.
    builtin: OnceLock<Vec<Arc<FactoryInfo>>>,
    /// Looked for when something is asked for that is not linked.
    plugins: OnceLock<Plugins>,
    /// What the user says of ranks.
    ranks: HashMap<String, u32>,
    /// How many elements of each factory were named automatically.
    numbers: Mutex<HashMap<String, u32>>,
}

/// The registry of this process, made at first use.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(Registry::new)
}

/// Lists of factories that a program named, for who has no inventory.
static NAMED: Mutex<Vec<&'static [Factory]>> = Mutex::new(Vec::new());

/// Adds factories that are linked into this program, such as a plugin's `FACTORIES`; to be called before the first element
/// is made. It works where [`register!`](crate::register) does not: a static library that is linked into a program of
/// another language keeps only what is named.
pub fn link(factories: &'static [Factory]) {
    runtime::prepare();
    let mut named = NAMED.lock();
    if !named.iter().any(|known| std::ptr::eq(*known, factories)) {
        named.push(factories);
    }
}

/// A pad's owner that takes these caps and nothing else.
pub(crate) struct Wanted(pub Caps);

impl PadHandler for Wanted {
    fn chain(&self, _: &PadCore, _: Buffer) -> FlowResult {
        Err(FlowError::NotSupported)
    }
    fn event(&self, _: &PadCore, _: Event) -> FlowResult {
        Err(FlowError::NotSupported)
    }
    fn query(&self, _: &PadCore, query: &mut Query) -> bool {
        let Query::Caps { filter, result } = query else { return false };
        *result =
            Some(filter.as_ref().map_or(self.0.clone(), |filter| filter.intersect_first(&self.0)));
        true
    }
}

impl Registry {
    fn new() -> Registry {
        runtime::prepare();
        crate::advice::set_converters(Registry::converter);
        let named = NAMED.lock().clone();
        let all = inventory::iter::<Factory>.into_iter().chain(named.into_iter().flatten());
        let mut linked: Vec<Linked> = all.map(Linked::new).collect();
        linked.sort_by_key(|linked| linked.name);
        linked.dedup_by_key(|linked| linked.name);
        Registry {
            linked,
            builtin: OnceLock::new(),
            plugins: OnceLock::new(),
            ranks: rank::of_environment(),
            numbers: Mutex::default(),
        }
    }

    /// The linked element that, put between these caps, has a format for both sides. Each candidate is
    /// made and asked, so that what it answers is what it would do.
    fn converter(from: &Caps, to: &Caps) -> Option<String> {
        let is_transform = |info: &&Arc<FactoryInfo>| info.role == RoleKind::Transform;
        let mut candidates: Vec<_> = registry().builtin().iter().filter(is_transform).collect();
        // One that is there to convert, before one that could.
        let is_made_for_it = |info: &FactoryInfo| {
            ["Converter", "Scaler"].iter().any(|word| info.klass.contains(word))
        };
        candidates.sort_by_key(|info| {
            let rank = registry().rank(&info.name, info.rank);
            (!is_made_for_it(info), std::cmp::Reverse(rank))
        });
        let would_do = |info: &&&Arc<FactoryInfo>| {
            let Ok(element) = make(&info.name, Some("candidate")) else { return false };
            let (Some(sink), Some(src)) = (element.static_pad("sink"), element.static_pad("src"))
            else {
                return false;
            };
            let end = PadCore::new(PadId(0), "candidate", "end", Direction::Sink, to.clone());
            let wanted: Arc<dyn PadHandler> = Arc::new(Wanted(to.clone()));
            end.set_handler(Arc::downgrade(&wanted));
            let mut query = Query::caps(None);
            let fits = src.link(&end).is_ok()
                && sink.query(&mut query)
                && matches!(&query, Query::Caps { result: Some(caps), .. } if caps.can_intersect(from));
            src.unlink();
            fits
        };
        candidates.iter().find(would_do).map(|info| info.name.clone())
    }

    /// Factories that are linked into the program, by name.
    pub fn builtin(&self) -> &[Arc<FactoryInfo>] {
        self.builtin.get_or_init(|| self.linked.iter().filter_map(Linked::info).cloned().collect())
    }

    /// What was found in the plugin path, which is looked through when this, or an element that is not linked, is asked for
    /// first.
    pub fn plugins(&self) -> &Plugins {
        self.plugins.get_or_init(loader::discover)
    }

    /// A sentence for each plugin, and each element of a plugin, that is hidden by an earlier one of its name; those
    /// linked into the program come first.
    pub fn shadowed(&self) -> Vec<String> {
        let mut told = self.plugins().shadowed().to_vec();
        for plugin in self.plugins().list() {
            let elements = plugin.info.elements.iter();
            let own = |name: &str| self.builtin().iter().any(|info| info.name == name);
            told.extend(elements.filter(|element| own(&element.name)).map(|element| {
                format!(
                    "element \"{}\" from {} is hidden by the one linked into this program; remove the plugin, or give \
                     the element another name",
                    element.name,
                    plugin.file.display()
                )
            }));
        }
        told
    }

    /// All names that can be made.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.builtin().iter().map(|info| info.name.clone()).collect();
        names.extend(self.plugins().element_names());
        names.sort();
        names.dedup();
        names
    }

    /// The factory of that name; loads its plugin if it is in one.
    pub fn factory(&self, name: &str) -> Result<Arc<FactoryInfo>, MakeError> {
        let linked = self.linked.iter().find(|linked| linked.name == name);
        if let Some(info) = linked.and_then(Linked::info) {
            return Ok(info.clone());
        }
        if let BIN | PIPELINE = name {
            return Ok(bin_factory(name == PIPELINE));
        }
        if let Some(found) = self.plugins().factory(name) {
            return found.map_err(|why| MakeError::Plugin { name: name.to_owned(), why });
        }
        let names = self.names();
        Err(MakeError::NoSuchElement {
            name: name.to_owned(),
            near: nearest(name, names.iter().map(String::as_str))
                .into_iter()
                .map(str::to_owned)
                .collect(),
            refused: self.plugins().refused(),
            empty: self.linked.is_empty(),
            no_plugins: self.plugins().list().is_empty(),
        })
    }

    /// Makes an element; without a name it is called after its factory, with a number.
    pub fn make(&self, factory: &str, name: Option<&str>) -> Result<ElementRef, MakeError> {
        let info = self.factory(factory)?;
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.number(factory),
        };
        match factory {
            BIN => Ok(BinCore::make(&name, false)),
            PIPELINE => Ok(BinCore::make(&name, true)),
            _ => Ok(ElementRef::make(&info, &name)?),
        }
    }

    /// The next automatic name of a factory.
    pub(crate) fn number(&self, factory: &str) -> String {
        let mut numbers = self.numbers.lock();
        let stem = factory.replace('-', "");
        let number = numbers.entry(stem.clone()).or_default();
        let name = format!("{stem}{number}");
        *number += 1;
        name
    }
}

/// Makes an element with the registry of this process.
pub fn make(factory: &str, name: Option<&str>) -> Result<ElementRef, MakeError> {
    registry().make(factory, name)
}

/// The two kinds of bins, which this module makes itself.
const BIN: &str = "bin";
const PIPELINE: &str = "pipeline";

/// Bins are not made by a factory of the boundary; this stands in their place.
pub(crate) fn bin_factory(top: bool) -> Arc<FactoryInfo> {
    static MADE: [OnceLock<Arc<FactoryInfo>>; 2] = [const { OnceLock::new() }; 2];
    MADE[usize::from(top)].get_or_init(|| make_bin_factory(top)).clone()
}

fn make_bin_factory(top: bool) -> Arc<FactoryInfo> {
    static NONE: GmFactory = GmFactory {
        struct_size: size_of::<GmFactory>() as u32,
        role: 0,
        rank: 0,
        role_flags: 0,
        name: GmStr::EMPTY,
        long_name: GmStr::EMPTY,
        klass: GmStr::EMPTY,
        description: GmStr::EMPTY,
        author: GmStr::EMPTY,
        upstream_events: GmStr::EMPTY,
        n_pads: 0,
        n_props: 0,
        n_signals: 0,
        reserved: 0,
        pads: std::ptr::null(),
        props: std::ptr::null(),
        signals: std::ptr::null(),
        create: None,
        vtable: std::ptr::null(),
        type_name: None,
        #[cfg(gst_mini_abi_next)]
        next: 0,
    };
    // SAFETY: a table without functions: its integers are zero and its functions absent.
    static NO_FUNCTIONS: GmElementVTable = unsafe { std::mem::zeroed() };
    let (name, type_name) = if top { (PIPELINE, "GstPipeline") } else { (BIN, "GstBin") };
    Arc::new(FactoryInfo {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        long_name: "Generic bin".to_owned(),
        klass: "Generic/Bin".to_owned(),
        description: "Contains other elements".to_owned(),
        author: "The GstMini developers".to_owned(),
        rank: 0,
        role: RoleKind::MultiPad,
        role_flags: 0,
        upstream_events: Vec::new(),
        pads: Vec::new(),
        props: Vec::new(),
        signals: Vec::new(),
        plugin: "core".to_owned(),
        specs: OnceLock::new(),
        raw: &NONE,
        vtable: &NO_FUNCTIONS,
    })
}
