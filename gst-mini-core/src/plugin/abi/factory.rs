//! What a plugin says of its elements before any exists.
//!
//! Invariant: everything here is immutable and lives as long as the process; lists are lists of pointers, because
//! what they point to may grow.
//! In GStreamer: `gst/gstelementfactory.h`, `gst/gstpadtemplate.h`, `GParamSpec`.
//! Left out: uri protocols.

use super::element::{GmElement, GmElementVTable};
use super::plugin::GmHost;
use super::words::{GmStr, GmText};

/// A pad before it exists.
#[repr(C)]
pub struct GmPadTemplate {
    /// Of this struct.
    pub struct_size: u32,
    /// `GM_PAD_SRC` or `GM_PAD_SINK`.
    pub direction: u32,
    /// `GM_PRESENCE_…`.
    pub presence: u32,
    /// `GM_TEMPLATE_…`.
    pub flags: u32,
    /// Name, with `%u` for a number in request pads.
    pub name: GmStr,
    /// Caps text.
    pub caps: GmStr,
    /// What GStreamer calls such a pad; empty: `GstPad`.
    pub pad_type: GmStr,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: u64,
}

/// A property's specification. Bounds and default are texts; an empty one is absent, an absent
/// default is read from a fresh instance.
#[repr(C)]
pub struct GmPropSpec {
    /// Of this struct.
    pub struct_size: u32,
    /// `GM_PROP_…`.
    pub flags: u32,
    /// Name, kebab-case.
    pub name: GmStr,
    /// `boolean int uint int64 uint64 double float string fraction caps structure pad`, or
    /// `enum:nick,nick,…`.
    pub type_name: GmStr,
    /// One sentence.
    pub blurb: GmStr,
    /// Unit: `ns`, `bytes`, `bit/s`, or empty.
    pub unit: GmStr,
    /// Smallest value.
    pub min: GmStr,
    /// Largest value.
    pub max: GmStr,
    /// Default.
    pub default_value: GmStr,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: u64,
}

/// A signal or an action an element has.
#[repr(C)]
pub struct GmSignalSpec {
    /// Of this struct.
    pub struct_size: u32,
    /// 1 for an action.
    pub action: u32,
    /// Name, kebab-case.
    pub name: GmStr,
    /// One sentence.
    pub blurb: GmStr,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: u64,
}

/// What can make elements of one kind. Lists are lists of pointers.
#[repr(C)]
pub struct GmFactory {
    /// Of this struct.
    pub struct_size: u32,
    /// `GM_ROLE_…`.
    pub role: u32,
    /// Rank.
    pub rank: u32,
    /// `GM_ROLE_SYNC` and the like.
    pub role_flags: u32,
    /// Factory name.
    pub name: GmStr,
    /// A few words.
    pub long_name: GmStr,
    /// `Source/Video` and the like.
    pub klass: GmStr,
    /// One sentence.
    pub description: GmStr,
    /// Who wrote it.
    pub author: GmStr,
    /// Names of upstream events a role element takes, separated by commas.
    pub upstream_events: GmStr,
    /// How many pad templates.
    pub n_pads: u32,
    /// How many properties.
    pub n_props: u32,
    /// How many signals and actions.
    pub n_signals: u32,
    /// Zero.
    pub reserved: u32,
    /// Pad templates.
    pub pads: *const *const GmPadTemplate,
    /// Properties.
    pub props: *const *const GmPropSpec,
    /// Signals and actions.
    pub signals: *const *const GmSignalSpec,
    /// Makes an instance; 1 on success, else the reason is written.
    pub create: Option<
        unsafe extern "C" fn(host: *const GmHost, out: *mut GmElement, why: *mut GmText) -> u8,
    >,
    /// Class functions callable without an instance; valid for ever.
    pub vtable: *const GmElementVTable,
    /// Writes what GStreamer calls such an element, as `GstFakeSink`.
    pub type_name: Option<unsafe extern "C" fn(out: *mut GmText)>,
    /// What the next version adds; only compiled to prove that both sides may be older.
    #[cfg(gst_mini_abi_next)]
    pub next: u64,
}

// SAFETY: all of these are immutable data whose pointers point to other immutable statics.
unsafe impl Sync for GmFactory {}
// SAFETY: as above.
unsafe impl Sync for GmPadTemplate {}
// SAFETY: as above.
unsafe impl Sync for GmPropSpec {}
// SAFETY: as above.
unsafe impl Sync for GmSignalSpec {}
