//! What happens to an event or query that nobody handles: it goes on through the element.
//!
//! Invariant: an event leaves through every pad of the other direction, in pad order.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_event_default`, `gst_pad_query_default`).
//! Left out: internal links other than "all pads of the other direction" and pairs of one number.

use crate::caps::Caps;
use crate::element::Direction;
use crate::error::{FlowError, FlowResult};
use crate::event::Event;
use crate::host::core::ElementCore;
use crate::pad::{Pad, PadCore};
use crate::query::Query;
use crate::registry::factory::Presence;
use crate::time::ClockTime;

/// Sends an event that arrived at `pad` on through the pads of the other direction. Succeeds when
/// any of them took it, or when there is none.
pub(crate) fn event(core: &ElementCore, pad: &PadCore, event: Event) -> FlowResult {
    let onward = core.pads_beyond(pad);
    let mut result = if onward.is_empty() { Ok(()) } else { Err(FlowError::NotLinked) };
    for other in onward {
        let sent = other.push_event_full(event.clone());
        result = match (result, sent) {
            (Ok(()), _) | (_, Ok(())) => Ok(()),
            (_, sent) => sent,
        };
    }
    result
}

/// Answers a query at `pad`, or passes it on.
pub(crate) fn query(core: &ElementCore, pad: &PadCore, query: &mut Query) -> bool {
    match query {
        Query::Caps { filter, result } => {
            *result = Some(proxied_caps(core, pad, filter.as_ref()));
            true
        }
        Query::AcceptCaps { caps, accepted } => {
            *accepted = caps.is_subset_of(&proxied_caps(core, pad, Some(caps)));
            true
        }
        Query::Latency { .. } => latency(core, pad, query),
        Query::Allocation(_) => {
            let passes = |pad: &PadCore| {
                core.factory.template_for(pad.name()).is_some_and(|template| template.allocation)
            };
            pad.direction() == Direction::Sink
                && passes(pad)
                && core.pads_beyond(pad).first().is_some_and(|src| src.peer_query(query))
        }
        // How it can be had elsewhere says nothing of how it can be had here.
        Query::Scheduling(_) => false,
        _ => core.pads_beyond(pad).iter().any(|other| other.peer_query(query)),
    }
}

/// What `pad` can have when everything passes the element unchanged: its template, and what the
/// peers beyond the element can have.
pub(crate) fn proxied_caps(core: &ElementCore, pad: &PadCore, filter: Option<&Caps>) -> Caps {
    let has_own = |pad: &PadCore| {
        core.factory.template_for(pad.name()).is_some_and(|template| template.own_caps)
    };
    // What a source pad that came with its stream can have is what it has.
    let appeared = core.factory.template_for(pad.name()).is_some_and(|template| {
        template.presence == Presence::Sometimes
            && template.direction == Direction::Src
            && !template.paired
    });
    let (is_own, present) = (has_own(pad), pad.current_caps());
    let decided = present.filter(|_| appeared || is_own && pad.direction() == Direction::Src);
    let is_decided = decided.is_some();
    let possible = decided.unwrap_or_else(|| pad.template_caps());
    let mut caps = match filter {
        Some(filter) => filter.intersect_first(&possible),
        None => possible,
    };
    if is_decided || is_own {
        return caps;
    }
    for other in core.pads_beyond(pad) {
        if has_own(&other) {
            continue;
        }
        let mut query = Query::caps(Some(caps.clone()));
        if other.peer_query(&mut query)
            && let Query::Caps { result: Some(theirs), .. } = query
        {
            caps = theirs.intersect_first(&caps);
        }
        caps = caps.intersect_first(&other.template_caps());
    }
    caps
}

/// The latency upstream of the element, over all its linked sink pads, and what the element adds. One that
/// knows none has the last word; pads without a peer have none.
fn latency(core: &ElementCore, pad: &PadCore, query: &mut Query) -> bool {
    let mut answered = true;
    let (mut is_live, mut least, mut most) = (false, ClockTime::ZERO, None::<ClockTime>);
    for other in core.pads_beyond(pad) {
        let mut ask = Query::latency();
        if !other.peer_query(&mut ask) {
            answered &= !other.is_linked();
            continue;
        }
        let Query::Latency { live, min, max } = ask else { continue };
        if live {
            is_live = true;
            least = least.max(min);
            most = match (most, max) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    if answered {
        let (own_min, own_max) = *core.latency.lock();
        if is_live {
            least += own_min;
            most = most.zip(own_max).map(|(most, own)| most + own);
        }
        *query = Query::Latency { live: is_live, min: least, max: most };
    }
    answered
}
