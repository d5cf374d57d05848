//! A link of a launch line whose source pad appears later, when its element knows the stream.
//!
//! Invariant: a delayed link is made once, by the first new pad that fits (one with `:` by every one that
//! fits), and keeps no element alive.
//! In GStreamer: `gst/parse/grammar.y.in` (`gst_parse_perform_delayed_link`, `gst_parse_found_pad`, `gst_parse_no_more_pads`).
//! Left out: nothing.

use super::connect::{Linker, Names, Side};
use crate::caps::Caps;
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind};
use crate::handle::{ElementRef, WeakElement};
use crate::host::signals::{NO_MORE_PADS, PAD_ADDED};
use crate::message::MessageKind;
use crate::pad::Pad;
use crate::registry::factory::Presence;
use crate::structure::Structure;
use parking_lot::Mutex;
use std::sync::Arc;

/// What is to be linked when a pad appears.
struct Delayed {
    root: WeakElement,
    from: WeakElement,
    from_pad: Option<String>,
    to: WeakElement,
    to_pad: Option<String>,
    caps: Option<Caps>,
    /// Goes on after the first.
    all_pads: bool,
    /// The two handlers; empty once the link is made.
    handlers: Mutex<Vec<u64>>,
}

/// Links the sides when a pad of the first one appears; `false` if none of its pads ever does.
pub(super) fn link(
    root: &ElementRef,
    from: Side<'_>,
    to: Side<'_>,
    caps: Option<&Caps>,
    all_pads: bool,
) -> bool {
    let can_appear = from.element.factory().pads.iter().any(|template| {
        template.direction == Direction::Src && template.presence == Presence::Sometimes
    });
    if !can_appear {
        return false;
    }
    let delayed = Arc::new(Delayed {
        root: root.downgrade(),
        from: from.element.downgrade(),
        from_pad: from.pad.map(str::to_owned),
        to: to.element.downgrade(),
        to_pad: to.pad.map(str::to_owned),
        caps: caps.cloned(),
        all_pads,
        handlers: Mutex::default(),
    });
    let (found, none) = (delayed.clone(), delayed.clone());
    let found = from.element.connect(PAD_ADDED, move |args| found.try_pad(args));
    let none = from.element.connect(NO_MORE_PADS, move |_| none.give_up());
    delayed.handlers.lock().extend([found, none]);
    true
}

impl Delayed {
    fn try_pad(&self, args: Option<&Structure>) {
        let (Some(root), Some(from), Some(to)) =
            (self.root.upgrade(), self.from.upgrade(), self.to.upgrade())
        else {
            return;
        };
        let Some(name) = args.and_then(|args| args.str("pad")) else { return };
        let is_other = |wanted: &String| {
            let template = from.factory().template_for(name);
            wanted != name && template.is_none_or(|template| template.name != *wanted)
        };
        let src = from.static_pad(name);
        let is_free = src.is_some_and(|p| !p.is_linked() && p.direction() == Direction::Src);
        if !is_free || self.from_pad.as_ref().is_some_and(is_other) {
            return;
        }
        if self.handlers.lock().is_empty() {
            return;
        }
        let mut linker = Linker { root: &root, names: &mut Names::Process };
        let (ours, theirs) = (
            Side { element: &from, pad: Some(name) },
            Side { element: &to, pad: self.to_pad.as_deref() },
        );
        if linker.link(ours, theirs, self.caps.as_ref()).is_ok() && !self.all_pads {
            for handler in std::mem::take(&mut *self.handlers.lock()) {
                from.disconnect(handler);
            }
        }
    }

    fn give_up(&self) {
        let Some(from) = self.from.upgrade() else { return };
        if self.all_pads || self.handlers.lock().is_empty() {
            return;
        }
        let to = self.to.upgrade();
        let to = to.as_ref().map_or("an element that is gone", |to| to.name());
        let text = format!(
            "no pad appeared that could be linked to {to}; the link in the launch line was not made"
        );
        from.core().post(MessageKind::Warning(ElementError::new(ErrorKind::Core, text)));
    }
}
