//! Deciding on one format: for a source with its downstream, for a transform with both sides.
//!
//! Invariant: a refusal names both pads, both caps, the first thing that differs and, where one would
//! do, the converter; it is posted once, by the element that refused first.
//! In GStreamer: `gstbasesrc.c` (`gst_base_src_default_negotiate`), `gstbasetransform.c` (`gst_base_transform_find_transform`).
//! Left out: nothing.

use crate::advice::converter;
use crate::caps::{Caps, first_difference};
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::Event;
use crate::host::context::Context;
use crate::host::core::ElementCore;
use crate::pad::{Pad, PadCore};
use crate::query::Query;

/// What an element can make or take with its present properties, in its template.
pub(crate) fn own_caps(core: &ElementCore, pad: &PadCore) -> Caps {
    let own = Context::lend(core, None, |cx| core.instance().pad_caps(cx, pad.id().0));
    match own {
        Some(caps) => caps.intersect_first(&pad.template_caps()),
        None => pad.template_caps(),
    }
}

/// Answers a question for formats at the pad of an element that has one side only.
pub(crate) fn answer(core: &ElementCore, pad: &PadCore, query: &mut Query) -> bool {
    match query {
        Query::Caps { filter, result } => {
            let own = own_caps(core, pad);
            *result = Some(match filter {
                Some(filter) => filter.intersect_first(&own),
                None => own,
            });
            true
        }
        Query::AcceptCaps { caps, accepted } => {
            *accepted = caps.is_subset_of(&own_caps(core, pad));
            true
        }
        _ => false,
    }
}

/// What the peer of `pad` would take of `caps`; `caps` itself without a peer or an answer.
pub(crate) fn peer_caps(pad: &PadCore, caps: &Caps) -> Caps {
    let mut query = Query::caps(Some(caps.clone()));
    if pad.peer_query(&mut query)
        && let Query::Caps { result: Some(theirs), .. } = query
    {
        return theirs;
    }
    caps.clone()
}

/// Whether the peer of `pad` takes `caps`; nobody objects without a peer or an answer.
fn peer_accepts(pad: &PadCore, caps: &Caps) -> bool {
    let mut query = Query::accept_caps(caps.clone());
    !pad.peer_query(&mut query) || !matches!(query, Query::AcceptCaps { accepted: false, .. })
}

/// Decides a source's format and announces it. `Ok(None)`: anything goes, nothing is announced.
pub(crate) fn source(core: &ElementCore, pad: &PadCore, cx: &Context) -> FlowResult<Option<Caps>> {
    let caps = source_caps(core, pad, cx)?;
    allocation(pad, cx, pad.current_caps());
    Ok(caps)
}

/// Asks downstream where buffers of a format should come from, and agrees on it.
fn allocation(src: &PadCore, cx: &Context, caps: Option<Caps>) {
    let mut query = Query::allocation(caps, true);
    let answered = src.peer_query(&mut query);
    let Query::Allocation(answer) = query else { return };
    cx.supply.agree(answered.then_some(answer));
}

fn source_caps(core: &ElementCore, pad: &PadCore, cx: &Context) -> FlowResult<Option<Caps>> {
    let own = own_caps(core, pad);
    if own.is_any() {
        return Ok(None);
    }
    let possible = peer_caps(pad, &own).intersect_first(&own);
    if possible.is_empty() {
        return Err(refuse(core, pad, &own, "this source can make"));
    }
    if possible.is_any() {
        return Ok(None);
    }
    let fixed = core.instance().fixate(cx, None, &possible);
    if !fixed.is_fixed() {
        core.post_error(ElementError::new(
            ErrorKind::Negotiation,
            format!("{} could not decide on one format of {possible}", pad.path()),
        ));
        return Err(FlowError::NotNegotiated);
    }
    announce(core, pad, cx, None, &fixed)?;
    Ok(Some(fixed))
}

/// Sets the format on the element and sends it downstream, unless it is the one there is.
fn announce(
    core: &ElementCore,
    pad: &PadCore,
    cx: &Context,
    input: Option<&Caps>,
    output: &Caps,
) -> FlowResult {
    if input.is_none() && pad.current_caps().as_ref() == Some(output) {
        return Ok(());
    }
    core.instance()
        .set_caps(cx, input, Some(output))
        .map_err(|flow| core.explain(flow, "set_caps"))?;
    if pad.current_caps().as_ref() == Some(output) {
        return Ok(());
    }
    match pad.push_event_full(Event::caps(output.clone())) {
        Err(FlowError::NotNegotiated | FlowError::Error) => Err(FlowError::NotNegotiated),
        _ => Ok(()),
    }
}

/// Decides a transform's output format for fixed input caps, sets both and announces the output.
pub(crate) fn transform(
    core: &ElementCore,
    sink: &PadCore,
    src: &PadCore,
    cx: &Context,
    input: &Caps,
) -> FlowResult {
    let possible = core
        .instance()
        .transform_caps(cx, Direction::Sink, input)
        .intersect_first(&src.template_caps());
    if possible.is_empty() {
        core.post_error(ElementError::new(
            ErrorKind::Negotiation,
            format!("{} cannot make anything of {input}", sink.path()),
        ));
        return Err(FlowError::NotNegotiated);
    }
    // Where nothing is left to choose, the peer need not say what it would like; whether it takes that is
    // asked below.
    let wanted = match possible.is_fixed() {
        true => possible.clone(),
        false => peer_caps(src, &possible).intersect_first(&possible),
    };
    if wanted.is_empty() {
        return Err(refuse(core, src, &possible, "comes out here"));
    }
    // The element may add fields to what is fixed already.
    let output = core.instance().fixate(cx, Some(input), &wanted);
    // The same format is the same text too, whatever order its fields came out in.
    let output = if output.is_equal(input) { input.clone() } else { output };
    if !output.is_fixed() {
        // What comes out is only known from the stream; the element announces it itself.
        return core
            .instance()
            .set_caps(cx, Some(input), Some(&output))
            .map_err(|flow| core.explain(flow, "set_caps"));
    }
    if !peer_accepts(src, &output) {
        return Err(refuse(core, src, &output, "comes out here"));
    }
    announce(core, src, cx, Some(input), &output)?;
    // What is passed on has its memory.
    if output == *input {
        cx.supply.agree(None);
    } else {
        allocation(src, cx, Some(output));
    }
    Ok(())
}

/// Posts why nothing that `pad` can have is taken on the other side.
fn refuse(core: &ElementCore, pad: &PadCore, own: &Caps, what: &str) -> FlowError {
    let (path, theirs) = match pad.linked_peer() {
        Some(peer) => {
            let mut query = Query::caps(None);
            let caps = match (peer.query(&mut query), query) {
                (true, Query::Caps { result: Some(caps), .. }) => caps,
                _ => peer.template_caps(),
            };
            (peer.path(), caps)
        }
        None => ("nothing".to_owned(), Caps::any()),
    };
    core.post_error(mismatch(&pad.path(), own, what, &path, &theirs));
    FlowError::NotNegotiated
}

/// The sentence about two caps that do not fit, for links and negotiations alike.
pub(crate) fn mismatch(
    src: &str,
    src_caps: &Caps,
    what: &str,
    sink: &str,
    sink_caps: &Caps,
) -> ElementError {
    let difference = first_difference(src_caps, sink_caps).unwrap_or_default();
    let advice = converter(src_caps, sink_caps)
        .map_or(String::new(), |element| format!("; put `{element}` between them"));
    ElementError::new(
        ErrorKind::Negotiation,
        format!("{src} and {sink} have no format in common: {difference}{advice}"),
    )
    .with_debug(format!("{src}: {src_caps} ({what})\n{sink}: {sink_caps} (is taken there)"))
}
