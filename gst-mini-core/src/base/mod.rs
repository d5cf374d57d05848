//! The bases: what the host runs around an element's callbacks, once for each role.
//!
//! Invariant: every wait, negotiation and push of an element with a role happens here, after the
//! callback has returned.
//! In GStreamer: `libs/gst/base`.
//! Left out: aggregator.

pub(crate) mod default;
pub(crate) mod multi;
pub(crate) mod negotiate;
pub(crate) mod pull;
pub(crate) mod refusal;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod transform;

use crate::event::Event;
use crate::handle::ElementRef;
use crate::query::Query;
use crate::state::{StateReturn, Transition};

/// What a handle asks of the base behind it.
pub(crate) trait Behavior: Send + Sync {
    /// Carries out one step. Control: one at a time for an element.
    fn change_state(&self, element: &ElementRef, transition: Transition) -> StateReturn;
    /// An event from the application.
    fn send_event(&self, event: Event) -> bool;
    /// A query from the application.
    fn query(&self, query: &mut Query) -> bool;
    /// A property of the base was set. Any thread.
    fn base_property_changed(&self, name: &str) {
        let _ = name;
    }
    /// The present value of a property that the base alone knows. Any thread.
    fn base_property(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
    /// The latency a sink was told to add; `None` for other elements.
    fn configured_latency(&self) -> Option<crate::time::ClockTime> {
        None
    }
    /// The bin behind the handle, if it is one.
    fn as_bin(&self) -> Option<&crate::bin::BinCore> {
        None
    }
}

/// [`prop`] with a smallest and a largest value.
fn ranged(
    mut prop: crate::registry::factory::PropInfo,
    min: &str,
    max: &str,
) -> crate::registry::factory::PropInfo {
    (prop.min, prop.max) = (min.into(), max.into());
    prop
}

/// A property of a base, as `inspect` shows it.
pub(crate) fn prop(
    name: &str,
    type_name: &str,
    blurb: &str,
    unit: &str,
    default: &str,
) -> crate::registry::factory::PropInfo {
    use crate::plugin::abi::{GM_PROP_READABLE, GM_PROP_WRITABLE};
    crate::registry::factory::PropInfo {
        name: name.into(),
        type_name: type_name.into(),
        blurb: blurb.into(),
        unit: unit.into(),
        min: String::new(),
        max: String::new(),
        default: default.into(),
        flags: GM_PROP_READABLE | GM_PROP_WRITABLE,
    }
}
