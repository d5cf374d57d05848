//! Which pad of the new element comes where, and whether its formats fit there.
//!
//! Invariant: looking changes no link of the old element.
//! In GStreamer: none.
//! Left out: pads that the new element would only add once it runs.

use crate::cx::PadId;
use crate::element::Direction;
use crate::handle::{ElementRef, HandleError};
use crate::pad::{LinkError, Pad, PadCore, PadHandler};
use crate::registry::Wanted;
use std::sync::Arc;

/// A pad of the old element that is linked, and the pad of the new one that takes its link.
pub(super) struct Place {
    pub old: Arc<PadCore>,
    pub new: Arc<PadCore>,
}

/// The places of sink pads, and those of source pads. Pads of the same name come first, then any that are free.
pub(super) fn pair(
    old: &ElementRef,
    new: &ElementRef,
) -> Result<(Vec<Place>, Vec<Place>), HandleError> {
    let (mut ins, mut outs): (Vec<Place>, Vec<Place>) = Default::default();
    for pad in old.pads().into_iter().filter(|pad| pad.is_linked()) {
        let places = match pad.direction() {
            Direction::Sink => &mut ins,
            Direction::Src => &mut outs,
        };
        let fits = |other: &Arc<PadCore>, places: &[Place]| {
            other.direction() == pad.direction()
                && !other.is_linked()
                && !places.iter().any(|place| Arc::ptr_eq(&place.new, other))
        };
        let same = new.pad(pad.name()).ok().filter(|other| fits(other, places));
        let free = || new.pads().into_iter().find(|other| fits(other, places));
        let other = match same.or_else(free) {
            Some(other) => other,
            None => new.free_pad(pad.direction())?,
        };
        if !fits(&other, places) {
            return Err(HandleError::NoPad {
                element: new.name().to_owned(),
                what: format!("pad for the place of {}", pad.path()),
                near: Vec::new(),
            });
        }
        places.push(Place { old: pad, new: other });
    }
    Ok((ins, outs))
}

/// Whether the new pads have a format in common with what is there. The source pads are linked to stand-ins
/// meanwhile, so that what the sink pads say is what they would say in the old element's place.
pub(super) fn check(ins: &[Place], outs: &[Place]) -> Result<(), LinkError> {
    let mut stand_ins: Vec<(Arc<PadCore>, Arc<dyn PadHandler>)> = Vec::new();
    let checked = (|| {
        for place in outs {
            let Some(next) = place.old.linked_peer() else { continue };
            place.new.check_formats(&next)?;
            let possible = next.possible_caps();
            let end = PadCore::new(PadId(0), next.owner(), next.name(), Direction::Sink, possible);
            let wanted: Arc<dyn PadHandler> = Arc::new(Wanted(end.template_caps()));
            end.set_handler(Arc::downgrade(&wanted));
            if let Some(real) = place.new.real() {
                real.link(&end)?;
                stand_ins.push((real, wanted));
            }
        }
        for place in ins {
            if let Some(feeding) = place.old.linked_peer() {
                feeding.check_formats(&place.new)?;
            }
        }
        Ok(())
    })();
    for (pad, _) in stand_ins {
        pad.unlink();
    }
    checked
}
