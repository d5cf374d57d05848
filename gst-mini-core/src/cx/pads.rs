//! What an element sees of its pads, and adds to them.
//!
//! Invariant: what is read of a pad is a copy; the pad may be another way already.
//! In GStreamer: `gst/gstpad.c` (`gst_pad_get_current_caps`, `gst_pad_store_sticky_event`), `gst/gstelement.c`
//! (`gst_element_add_pad`).
//! Left out: links; who is beyond a pad is the pipeline's business.

use super::{Cx, PadId};
use crate::caps::Caps;
use crate::event::Event;
use crate::plugin::abi::{GmStr, GmText};
use crate::segment::Segment;
use std::rc::Rc;

impl Cx<'_> {
    /// Remembers a sticky event on source pad `pad` without sending it: it goes out before the next
    /// buffer or serialized event there. `false` if the pad is not active or has ended.
    pub fn store_event(&self, pad: PadId, event: &Event) -> bool {
        let Some(store_event) = self.vtable().store_event else { return false };
        let text = event.text();
        // SAFETY: the text lives for the call.
        unsafe { store_event(self.raw, pad.0, GmStr::new(&text)) != 0 }
    }

    /// Starts the task of source pad `pad` again, which rests since
    /// [`MultiPad::produce`](crate::element::MultiPad::produce) gave back an error. Not lost when it is about to
    /// rest. Any thread, holding no lock.
    pub fn start_task(&self, pad: PadId) -> bool {
        // SAFETY: the host's own context.
        self.vtable().start_task.is_some_and(|f| unsafe { f(self.raw, pad.0) } != 0)
    }

    /// Adds a pad of the [`PadTemplate::sometimes_src`](crate::element::PadTemplate::sometimes_src)
    /// template `template` (its name as written there, such as `src_%u`) under the name `name`.
    ///
    /// The pad is active when the element is. The sticky `events` (stream-start, caps, segment) are
    /// stored on it first, so that whoever is told of it can see its format and is sent them before
    /// the first buffer. Then handlers of `pad-added` run on this thread; they may link it, and a
    /// delayed link of a launch line does. `None`: refused, because the template is no *sometimes*
    /// template or the name is taken.
    ///
    /// Only for [`MultiPad`](crate::element::MultiPad), holding no lock. Streaming or control thread.
    pub fn add_pad(&self, template: &str, name: &str, events: &[Event]) -> Option<PadId> {
        let add_pad = self.vtable().add_pad?;
        let texts: Vec<Rc<str>> = events.iter().map(Event::to_text).collect();
        let texts: Vec<GmStr> = texts.iter().map(|text| GmStr::new(text)).collect();
        let (template, name, count) = (GmStr::new(template), GmStr::new(name), texts.len() as u32);
        // SAFETY: all texts live for the call.
        let id = unsafe { add_pad(self.raw, template, name, texts.as_ptr(), count) };
        (id != u32::MAX).then_some(PadId(id))
    }

    /// Takes away a pad that [`Cx::add_pad`] made: it is deactivated and unlinked, then handlers of
    /// `pad-removed` run on this thread. `false` if there is no such pad.
    ///
    /// Waits for a push through it to come back, so never from within one. Holding no lock.
    pub fn remove_pad(&self, pad: PadId) -> bool {
        // SAFETY: the host's own context.
        self.vtable().remove_pad.is_some_and(|f| unsafe { f(self.raw, pad.0) } != 0)
    }

    /// Tells handlers of `no-more-pads` that all *sometimes* pads of this stream are there. A
    /// delayed link that still waits for one is told on the bus as a warning.
    pub fn no_more_pads(&self) {
        if let Some(no_more_pads) = self.vtable().no_more_pads {
            // SAFETY: the host's own context.
            unsafe { no_more_pads(self.raw) }
        }
    }

    /// Caps of a pad.
    pub fn pad_caps(&self, pad: PadId) -> Option<Caps> {
        let pad_caps = self.vtable().pad_caps?;
        // SAFETY: the place lives for the call.
        let text = self.text(|out| unsafe { pad_caps(self.raw, pad.0, out) })?;
        Caps::parse(&text).ok()
    }

    /// Segment of a pad.
    pub fn pad_segment(&self, pad: PadId) -> Option<Segment> {
        let pad_segment = self.vtable().pad_segment?;
        // SAFETY: the place lives for the call.
        self.text(|out| unsafe { pad_segment(self.raw, pad.0, out) })?.parse().ok()
    }

    /// The sticky events of a pad, in their order.
    pub fn sticky_events(&self, pad: PadId) -> Vec<Event> {
        let Some(sticky_event) = self.vtable().sticky_event else { return Vec::new() };
        (0..)
            // SAFETY: the place lives for the call.
            .map_while(|n| self.text(|out| unsafe { sticky_event(self.raw, pad.0, n, out) }))
            .filter_map(|text| Event::from_text(&text))
            .collect()
    }

    /// All pads of this element with their names and directions (`true`: source).
    pub fn pads(&self) -> Vec<(PadId, String, bool)> {
        let Some(pads) = self.vtable().pads else { return Vec::new() };
        let mut text = String::new();
        // SAFETY: the place lives for the call.
        unsafe { pads(self.raw, &mut GmText::for_string(&mut text)) };
        text.lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let id = words.next()?.parse().ok()?;
                Some((PadId(id), words.next()?.to_owned(), words.next()? == "src"))
            })
            .collect()
    }
}
