//! A link of a launch line whose source pad appears later, when its element knows the stream.
//!
//! Invariant: a delayed link is made once, by the first new pad that fits, and keeps no element alive.
//! In GStreamer: `gst/parse/grammar.y.in` (`gst_parse_perform_delayed_link`, `gst_parse_found_pad`, `gst_parse_no_more_pads`).
//! Left out: delayed links that take every pad that appears (`:`).

use super::build::pick;
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind};
use crate::handle::{ElementRef, WeakElement};
use crate::host::signals::{NO_MORE_PADS, PAD_ADDED};
use crate::message::MessageKind;
use crate::registry::factory::Presence;
use crate::structure::Structure;
use parking_lot::Mutex;
use std::sync::Arc;

/// What is to be linked when a pad appears.
struct Delayed {
    from: WeakElement,
    from_pad: Option<String>,
    to: WeakElement,
    to_pad: Option<String>,
    /// The two handlers; empty once the link is made.
    handlers: Mutex<Vec<u64>>,
}

/// Links `from` to `to` when a pad of `from` appears; `false` if none of its pads ever does.
pub(super) fn link(
    from: &ElementRef,
    from_pad: Option<&String>,
    to: &ElementRef,
    to_pad: Option<&String>,
) -> bool {
    let can_appear = from.factory().pads.iter().any(|template| {
        template.direction == Direction::Src
            && template.presence == Presence::Sometimes
            && from_pad.is_none_or(|name| template.name == *name || template.fits(name))
    });
    if !can_appear {
        return false;
    }
    let delayed = Arc::new(Delayed {
        from: from.downgrade(),
        from_pad: from_pad.cloned(),
        to: to.downgrade(),
        to_pad: to_pad.cloned(),
        handlers: Mutex::default(),
    });
    let (found, none) = (delayed.clone(), delayed.clone());
    let found = from.connect(PAD_ADDED, move |args| found.try_pad(args));
    let none = from.connect(NO_MORE_PADS, move |_| none.give_up());
    delayed.handlers.lock().extend([found, none]);
    true
}

impl Delayed {
    fn try_pad(&self, args: Option<&Structure>) {
        let (Some(from), Some(to)) = (self.from.upgrade(), self.to.upgrade()) else { return };
        let Some(name) = args.and_then(|args| args.str("pad")) else { return };
        let is_other = |wanted: &String| {
            let template = from.factory().template_for(name);
            wanted != name && template.is_none_or(|template| template.name != *wanted)
        };
        let src = from.static_pad(name).filter(|src| !src.is_linked());
        let Some(src) = src.filter(|_| !self.from_pad.as_ref().is_some_and(is_other)) else {
            return;
        };
        if self.handlers.lock().is_empty() {
            return;
        }
        let before = to.pads().len();
        let Ok(sink) = pick(&to, self.to_pad.as_ref(), Direction::Sink) else { return };
        if src.link(&sink).is_ok() {
            for handler in std::mem::take(&mut *self.handlers.lock()) {
                from.disconnect(handler);
            }
        } else if to.pads().len() > before {
            to.release_pad(&sink);
        }
    }

    fn give_up(&self) {
        let Some(from) = self.from.upgrade() else { return };
        if self.handlers.lock().is_empty() {
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
