//! A [`FactoryInfo`] is a factory's description, read once from the boundary and checked.
//!
//! Invariant: after `read` every text is UTF-8, every name is well formed and every caps text parses.
//! In GStreamer: `gst/gstelementfactory.c` (`gst_element_factory_get_static_pad_templates`).
//! Left out: uri protocols.

pub(crate) mod growth;
pub(crate) mod specs;

use crate::caps::Caps;
use crate::element::Direction;
use crate::plugin::abi::*;
use crate::property::types;
use specs::Specs;
use std::sync::{Arc, OnceLock};

/// How a pad comes to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// With the element.
    Always,
    /// When the stream is known.
    Sometimes,
    /// When asked for.
    Request,
}

/// A pad template as read.
#[derive(Clone, Debug)]
pub struct TemplateInfo {
    /// Name, or pattern with `%u`.
    pub name: String,
    /// Direction.
    pub direction: Direction,
    /// Presence.
    pub presence: Presence,
    /// Formats.
    pub caps: Caps,
    /// Whether the host runs a task for it.
    pub task: bool,
    /// Whether its caps are unrelated to those of the element's other pads.
    pub own_caps: bool,
    /// Whether what passes it passes the pad of the same number on the other side, and no other.
    pub paired: bool,
    /// What comes in goes out unchanged, so allocation is asked of those beyond.
    pub allocation: bool,
    /// What GStreamer calls such a pad.
    pub pad_type: String,
}

impl TemplateInfo {
    /// What stands for `%u` in the name of a pad of this template.
    pub fn number_of(&self, pad: &str) -> Option<u32> {
        let (before, after) = self.name.split_once("%u")?;
        let number = pad.strip_prefix(before)?.strip_suffix(after)?;
        number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())?
    }
}

/// A property's specification as read.
#[derive(Clone, Debug)]
pub struct PropInfo {
    /// Name.
    pub name: String,
    /// See [`crate::property::types`].
    pub type_name: String,
    /// One sentence.
    pub blurb: String,
    /// Unit, or empty.
    pub unit: String,
    /// Smallest value, or empty.
    pub min: String,
    /// Largest value, or empty.
    pub max: String,
    /// Default, or empty: read from an instance.
    pub default: String,
    /// `GM_PROP_…`.
    pub flags: u32,
}

impl PropInfo {
    /// Whether the flag is set.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// A signal or action as read.
#[derive(Clone, Debug)]
pub struct SignalInfo {
    /// Name.
    pub name: String,
    /// One sentence.
    pub blurb: String,
    /// Whether it is an action.
    pub action: bool,
}

/// Which base runs around the element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// Several pads or threads.
    MultiPad,
    /// Source.
    Source,
    /// Transform.
    Transform,
    /// Sink.
    Sink,
}

/// A factory's description.
#[derive(Clone)]
pub struct FactoryInfo {
    /// Factory name.
    pub name: String,
    /// What GStreamer calls the element's type, as `GstFakeSink`.
    pub type_name: String,
    /// A few words.
    pub long_name: String,
    /// Class words.
    pub klass: String,
    /// One sentence.
    pub description: String,
    /// Author.
    pub author: String,
    /// Rank.
    pub rank: u32,
    /// Role.
    pub role: RoleKind,
    /// `sync`, `async` defaults of sinks.
    pub role_flags: u32,
    /// Upstream events a role element takes.
    pub upstream_events: Vec<String>,
    /// Pad templates.
    pub pads: Vec<TemplateInfo>,
    /// Properties of the element itself; the base's come after them.
    pub props: Vec<PropInfo>,
    /// Signals and actions.
    pub signals: Vec<SignalInfo>,
    /// Name of the plugin it is from.
    pub plugin: String,
    /// All properties with those of the base, once an element was made.
    pub(crate) specs: OnceLock<Arc<Specs>>,
    pub(crate) raw: &'static GmFactory,
    /// Its functions, completed if the plugin is older.
    pub(crate) vtable: &'static GmElementVTable,
}

/// The largest counts that are believed.
const MAX_LIST: u32 = 256;

/// The longest text that is believed, bytes.
const MAX_TEXT: usize = 1 << 20;

/// What stands there, completed if its maker is older; kept for ever, as it would be otherwise.
///
/// # Safety
/// As [`growth::read`].
unsafe fn whole<T: Growable>(raw: *const T, what: &str) -> Result<&'static T, String> {
    // SAFETY: the caller's promise.
    let read = unsafe { growth::read(raw) };
    read.map(growth::Whole::leak)
        .ok_or_else(|| format!("{what} has a size that cannot be; refused"))
}

/// # Safety
/// `text` must be readable for ever.
unsafe fn text(text: GmStr, what: &str) -> Result<String, String> {
    if text.len > MAX_TEXT {
        return Err(format!("{what} is {} bytes long: not believable", text.len));
    }
    // SAFETY: the caller's promise.
    let text = unsafe { text.to_str() }.ok_or_else(|| format!("{what} is not UTF-8"))?;
    Ok(text.to_owned())
}

/// Whether a name is usable: lower-case letters, digits, `-`, `_` and, in patterns, `%u`.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_%".contains(c))
}

/// Whether a property may be of that type.
fn is_type(name: &str) -> bool {
    match name.split_once(':') {
        Some(("enum" | "flags", choices)) => !choices.is_empty(),
        Some(_) => false,
        None => types::ALL.contains(&name),
    }
}

/// What GStreamer calls the type, or the factory's name in that style.
///
/// # Safety
/// `raw` and all it points to must be readable for ever.
unsafe fn type_name(raw: &'static GmFactory, factory: &str) -> Result<String, String> {
    let mut name = String::new();
    if let Some(write) = raw.type_name {
        let mut place = GmText::for_string(&mut name);
        // SAFETY: the factory's function, called with a text place that outlives the call.
        unsafe { write(&raw mut place) };
    }
    if name.is_empty() {
        let words = factory.split(['-', '_']);
        name = words.fold("Gst".to_owned(), |name, word| {
            let (first, rest) = word.split_at(word.len().min(1));
            name + &first.to_ascii_uppercase() + rest
        });
    }
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'+') {
        Ok(name)
    } else {
        Err(format!("element \"{factory}\": its type's name \"{name}\" is invalid"))
    }
}

/// # Safety
/// `list` must be null or point to `count` pointers that live for ever.
unsafe fn list<T>(
    list: *const *const T,
    count: u32,
    what: &str,
) -> Result<Vec<&'static T>, String> {
    if count > MAX_LIST {
        return Err(format!("{count} {what}: not believable"));
    }
    if list.is_null() && count > 0 {
        return Err(format!("the list of {what} is missing"));
    }
    (0..count as usize)
        .map(|i| {
            // SAFETY: the caller's promise; each entry is checked for null.
            unsafe { (*list.add(i)).as_ref() }
                .ok_or_else(|| format!("entry {i} of {what} is missing"))
        })
        .collect()
}

impl FactoryInfo {
    /// Reads and checks a factory's description. The error says what is wrong with it.
    ///
    /// # Safety
    /// `raw` and all it points to must be readable for ever.
    pub unsafe fn read(raw: &'static GmFactory, plugin: &str) -> Result<FactoryInfo, String> {
        // SAFETY: the caller's promise, for all texts and lists below.
        unsafe {
            let raw = whole(raw, "a factory's description")?;
            let name = text(raw.name, "the factory's name")?;
            if !is_name(&name) {
                return Err(format!("the factory's name \"{name}\" is invalid"));
            }
            let role = match raw.role {
                GM_ROLE_MULTI => RoleKind::MultiPad,
                GM_ROLE_SOURCE => RoleKind::Source,
                GM_ROLE_TRANSFORM => RoleKind::Transform,
                GM_ROLE_SINK => RoleKind::Sink,
                other => return Err(format!("element \"{name}\": role {other} is unknown")),
            };
            if raw.vtable.is_null() {
                return Err(format!("element \"{name}\": its functions are missing"));
            }
            let vtable = whole(raw.vtable, "the table of an element's functions")?;
            let mandatory = match role {
                RoleKind::Source => ("create", vtable.create.is_some()),
                RoleKind::Transform => ("transform", vtable.transform.is_some()),
                RoleKind::Sink => ("render", vtable.render.is_some()),
                RoleKind::MultiPad => ("destroy", vtable.destroy.is_some()),
            };
            if !mandatory.1 || raw.create.is_none() {
                let missing = if raw.create.is_none() { "create" } else { mandatory.0 };
                return Err(format!(
                    "element \"{name}\": the plugin does not provide `{missing}`; refused"
                ));
            }
            let mut info = FactoryInfo {
                type_name: type_name(raw, &name)?,
                long_name: text(raw.long_name, "the long name")?,
                klass: text(raw.klass, "the class")?,
                description: text(raw.description, "the description")?,
                author: text(raw.author, "the author")?,
                rank: raw.rank,
                role,
                role_flags: raw.role_flags,
                upstream_events: text(raw.upstream_events, "the list of upstream events")?
                    .split(',')
                    .filter(|event| !event.is_empty())
                    .map(str::to_owned)
                    .collect(),
                pads: Vec::new(),
                props: Vec::new(),
                signals: Vec::new(),
                plugin: plugin.to_owned(),
                specs: OnceLock::new(),
                raw,
                vtable,
                name,
            };
            for pad in list(raw.pads, raw.n_pads, "pad templates")? {
                info.pads.push(info.read_template(pad)?);
            }
            for prop in list(raw.props, raw.n_props, "properties")? {
                info.props.push(info.read_property(prop)?);
            }
            for signal in list(raw.signals, raw.n_signals, "signals")? {
                let signal = whole(signal, "a signal's description")?;
                let name = text(signal.name, "a signal's name")?;
                if !is_name(&name) {
                    return Err(format!(
                        "element \"{}\": the signal \"{name}\" is invalid",
                        info.name
                    ));
                }
                info.signals.push(SignalInfo {
                    name,
                    blurb: text(signal.blurb, "a signal's blurb")?,
                    action: signal.action != 0,
                });
            }
            info.has_what_it_needs()?;
            Ok(info)
        }
    }

    /// Each name once, and the pads that a role has.
    fn has_what_it_needs(&self) -> Result<(), String> {
        let twice = |what: &str, names: Vec<&str>| {
            let again = |index: usize| names[..index].contains(&names[index]);
            match (0..names.len()).find(|index| again(*index)) {
                Some(index) => Err(format!(
                    "element \"{}\": {what} \"{}\" is given twice",
                    self.name, names[index]
                )),
                None => Ok(()),
            }
        };
        twice("pad", self.pads.iter().map(|pad| pad.name.as_str()).collect())?;
        twice("property", self.props.iter().map(|prop| prop.name.as_str()).collect())?;
        twice("signal", self.signals.iter().map(|signal| signal.name.as_str()).collect())?;
        let needed: &[Direction] = match self.role {
            RoleKind::Source => &[Direction::Src],
            RoleKind::Transform => &[Direction::Sink, Direction::Src],
            RoleKind::Sink => &[Direction::Sink],
            RoleKind::MultiPad => &[],
        };
        let has = |direction: Direction| {
            let always = self.pads.iter().filter(|pad| pad.presence == Presence::Always);
            always.map(|pad| pad.direction).any(|other| other == direction)
        };
        match needed.iter().find(|direction| !has(**direction)) {
            Some(direction) => {
                let direction = direction.name();
                Err(format!("element \"{}\": it needs a {direction} pad for its role", self.name))
            }
            None => Ok(()),
        }
    }

    /// # Safety
    /// As [`FactoryInfo::read`].
    unsafe fn read_template(&self, raw: &'static GmPadTemplate) -> Result<TemplateInfo, String> {
        // SAFETY: the caller's promise.
        let raw = unsafe { whole(raw, "a pad template") }?;
        // SAFETY: the caller's promise.
        let (name, caps) =
            unsafe { (text(raw.name, "a pad's name")?, text(raw.caps, "a pad's caps")?) };
        let element = &self.name;
        if !is_name(&name) {
            return Err(format!("element \"{element}\": the pad name \"{name}\" is invalid"));
        }
        let direction = match raw.direction {
            GM_PAD_SRC => Direction::Src,
            GM_PAD_SINK => Direction::Sink,
            other => {
                return Err(format!("element \"{element}\": pad \"{name}\" has direction {other}"));
            }
        };
        let presence = match raw.presence {
            GM_PRESENCE_ALWAYS => Presence::Always,
            GM_PRESENCE_SOMETIMES => Presence::Sometimes,
            GM_PRESENCE_REQUEST => Presence::Request,
            other => {
                return Err(format!("element \"{element}\": pad \"{name}\" has presence {other}"));
            }
        };
        let caps = Caps::parse(&caps)
            .map_err(|error| format!("element \"{element}\": caps of pad \"{name}\": {error}"))?;
        // SAFETY: the caller's promise.
        let mut pad_type = unsafe { text(raw.pad_type, "a pad's type")? };
        if pad_type.is_empty() {
            "GstPad".clone_into(&mut pad_type);
        }
        Ok(TemplateInfo {
            pad_type,
            name,
            direction,
            presence,
            caps,
            task: raw.flags & GM_TEMPLATE_TASK != 0,
            own_caps: raw.flags & GM_TEMPLATE_OWN_CAPS != 0,
            paired: raw.flags & GM_TEMPLATE_PAIRED != 0,
            allocation: raw.flags & GM_TEMPLATE_ALLOCATION != 0,
        })
    }

    /// # Safety
    /// As [`FactoryInfo::read`].
    unsafe fn read_property(&self, raw: &'static GmPropSpec) -> Result<PropInfo, String> {
        // SAFETY: the caller's promise.
        unsafe {
            let raw = whole(raw, "a property's description")?;
            let name = text(raw.name, "a property's name")?;
            if !is_name(&name) {
                return Err(format!("element \"{}\": property \"{name}\" is invalid", self.name));
            }
            let type_name = text(raw.type_name, "a property's type")?;
            if !is_type(&type_name) {
                return Err(format!(
                    "element \"{}\": property \"{name}\" has the type \"{type_name}\", which is none",
                    self.name
                ));
            }
            Ok(PropInfo {
                type_name,
                blurb: text(raw.blurb, "a property's blurb")?,
                unit: text(raw.unit, "a property's unit")?,
                min: text(raw.min, "a property's minimum")?,
                max: text(raw.max, "a property's maximum")?,
                default: text(raw.default_value, "a property's default")?,
                flags: raw.flags,
                name,
            })
        }
    }

    /// The template of that name, or whose pattern fits that pad name.
    pub fn template_for(&self, pad: &str) -> Option<&TemplateInfo> {
        self.pads
            .iter()
            .find(|template| template.name == pad)
            .or_else(|| self.pads.iter().find(|template| template.fits(pad)))
    }
}

impl TemplateInfo {
    /// Whether a pad of this template may have that name: the template's own, or with a number in
    /// the place of `%u` and `%d`, or any text in the place of `%s`.
    pub fn fits(&self, pad: &str) -> bool {
        if !is_name(pad) || pad.contains('%') {
            return false;
        }
        let middle = |mark: &str| {
            let (before, after) = self.name.split_once(mark)?;
            pad.strip_prefix(before)?.strip_suffix(after)
        };
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        self.name == pad
            || middle("%u").or_else(|| middle("%d")).is_some_and(is_number)
            || middle("%s").is_some_and(|text| !text.is_empty())
    }
}
