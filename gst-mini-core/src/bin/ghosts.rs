//! Ghost pads of a bin, and links that cross the walls of bins.
//!
//! ```text
//!   bin0 { a.src ┄▶ bin0.ghost0 } ───────▶ bin1 { bin1.ghost1 ┄▶ b.sink }
//! ```
//!
//! Invariant: after [`BinCore::link_across`] every wall between the two pads has a ghost pad of its own,
//! or nothing has changed.
//! In GStreamer: `gst/gstutils.c` (`pad_link_maybe_ghosting`, `ghost_up`), `gst/gstghostpad.c`.
//! Left out: ghost pads made from a bin's pad templates; bins have none.

use super::BinCore;
use crate::caps::Caps;
use crate::element::Direction;
use crate::handle::{ElementRef, HandleError};
use crate::host::signals::{PAD_ADDED, PAD_REMOVED};
use crate::pad::{LinkError, Pad, PadCore};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// One end of a link: an element somewhere in a bin, and a pad of it.
pub type LinkEnd<'a> = (&'a ElementRef, &'a Arc<PadCore>);

impl BinCore {
    /// Adds a ghost pad, which stands for `target` from now on, or for nothing yet.
    pub(crate) fn add_ghost(
        &self,
        name: &str,
        direction: Direction,
        target: Option<&Arc<PadCore>>,
    ) -> Result<Arc<PadCore>, HandleError> {
        let taken = || HandleError::PadNameTaken {
            element: self.core.name.to_string(),
            name: name.to_owned(),
        };
        let has = |pads: &[Arc<PadCore>]| pads.iter().any(|pad| pad.name() == name);
        if has(&self.core.pads.read()) {
            return Err(taken());
        }
        let id = self.core.next_pad_id();
        let caps = target.map_or_else(Caps::any, |target| target.template_caps());
        let ghost = PadCore::new_ghost(id, self.core.name.clone(), name, direction, caps);
        if target.is_some() {
            ghost.set_ghost_target(target)?;
        }
        // A target takes locks of pads, so it is set under none of ours; the name may be taken by now.
        let mut pads = self.core.pads.write();
        if has(&pads) {
            drop(pads);
            ghost.set_ghost_target(None)?;
            return Err(taken());
        }
        pads.push(ghost.clone());
        drop(pads);
        self.core.signals.emit_pad(PAD_ADDED, name);
        Ok(ghost)
    }

    /// Takes a ghost pad away: its links and its target are free again.
    pub(crate) fn remove_ghost(&self, pad: &Arc<PadCore>) -> bool {
        let mut pads = self.core.pads.write();
        let Some(at) = pads.iter().position(|other| Arc::ptr_eq(other, pad)) else { return false };
        pads.remove(at);
        drop(pads);
        pad.detach();
        let freed = pad.set_ghost_target(None).is_ok();
        self.core.signals.emit_pad(PAD_REMOVED, pad.name());
        freed
    }

    /// The bins between this one and `element`, outermost first; `None` if it is not in here.
    pub(crate) fn way_to(&self, element: &ElementRef) -> Option<Vec<ElementRef>> {
        self.children().iter().find_map(|child| {
            if child.is_same(element) {
                return Some(Vec::new());
            }
            let mut way = child.behavior().as_bin()?.way_to(element)?;
            way.insert(0, child.clone());
            Some(way)
        })
    }

    /// Links two pads of elements anywhere below this bin. Where a wall of a bin is between them, it
    /// gets a ghost pad, named by `name`, the source's side first and from the inside outwards.
    pub(crate) fn link_across(
        &self,
        from: LinkEnd<'_>,
        to: LinkEnd<'_>,
        name: &mut dyn FnMut() -> String,
    ) -> Result<(), HandleError> {
        let way = |element: &ElementRef| {
            self.way_to(element).ok_or_else(|| HandleError::NotHere {
                bin: self.core.name.to_string(),
                name: element.name().to_owned(),
            })
        };
        let (mut from_way, mut to_way) = (way(from.0)?, way(to.0)?);
        let shared = from_way.iter().zip(&to_way).take_while(|(a, b)| a.is_same(b)).count();
        from_way.drain(..shared);
        to_way.drain(..shared);
        let mut made = Vec::new();
        let linked = ghost_up(&from_way, from.1, name, &mut made).and_then(|src| {
            let sink = ghost_up(&to_way, to.1, name, &mut made)?;
            Ok(src.link(&sink)?)
        });
        if linked.is_err() {
            for (bin, ghost) in made.iter().rev() {
                let _ = bin.behavior().as_bin().is_some_and(|bin| bin.remove_ghost(ghost));
            }
        }
        linked
    }
}

/// The pad outside of all these bins through which `pad` is reached.
fn ghost_up(
    way: &[ElementRef],
    pad: &Arc<PadCore>,
    name: &mut dyn FnMut() -> String,
    made: &mut Vec<(ElementRef, Arc<PadCore>)>,
) -> Result<Arc<PadCore>, HandleError> {
    let mut outer = pad.clone();
    for element in way.iter().rev() {
        if let Some(other) = outer.peer() {
            return Err(LinkError::WasLinked(outer.path(), other.path()).into());
        }
        let Some(bin) = element.behavior().as_bin() else { continue };
        let ghost = loop {
            match bin.add_ghost(&name(), outer.direction(), Some(&outer)) {
                // An application's own pad may be called so.
                Err(HandleError::PadNameTaken { .. }) => continue,
                other => break other?,
            }
        };
        made.push((element.clone(), ghost.clone()));
        outer = ghost;
    }
    Ok(outer)
}

/// `ghost0`, `ghost1`, …: as GStreamer, one count for the whole process.
pub(crate) fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("ghost{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
