//! [`Cx`] is what the host lends an element for one call: clock, bus, pads, waits and its own name.
//!
//! The calls for data are here; those for pads, telling, time and the element's own threads in a file each.
//!
//! Invariant: it holds no lock and keeps nothing; it is a table of functions of the host.
//! In GStreamer: what an element reaches through `GST_ELEMENT_CLOCK`, `gst_element_post_message` and its pads.
//! Left out: the parent; an element never sees what it is part of.

mod pads;
mod poster;
mod tell;
mod time;

use crate::buffer::{Buffer, BufferList};
use crate::error::{FlowError, FlowResult};
use crate::event::Event;
use crate::plugin::abi::{GmBuffer, GmCx, GmCxVTable, GmStr, GmText};
use crate::query::Query;

pub use poster::Poster;

/// A pad's number within its element: template order for those that are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PadId(pub u32);

/// Log levels, with GStreamer's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is wrong, but it goes on.
    Warning = 2,
    /// A known gap was met.
    Fixme = 3,
    /// Something that happens once.
    Info = 4,
    /// What an element's author wants to see.
    Debug = 5,
    /// Each buffer.
    Log = 6,
    /// Everything.
    Trace = 7,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Somebody called `wake`.
    Woken,
    /// The deadline came.
    TimedOut,
}

/// What the host lends for one call. Not to be kept.
pub struct Cx<'a> {
    raw: &'a GmCx,
}

impl<'a> Cx<'a> {
    /// Wraps what crossed the boundary.
    ///
    /// # Safety
    /// `raw` must point to a context that stays valid for `'a`.
    #[inline]
    pub unsafe fn from_raw(raw: *const GmCx) -> Option<Cx<'a>> {
        // SAFETY: the caller's promise.
        unsafe { raw.as_ref() }.filter(|raw| !raw.vtable.is_null()).map(|raw| Cx { raw })
    }

    #[inline]
    fn vtable(&self) -> &GmCxVTable {
        // SAFETY: checked for null in `from_raw`; the host's table lives for the process.
        unsafe { &*self.raw.vtable }
    }

    fn text(&self, write: impl FnOnce(*mut GmText) -> u8) -> Option<String> {
        let mut text = String::new();
        let answered = write(&mut GmText::for_string(&mut text)) != 0;
        answered.then_some(text)
    }

    /// What a host of the next version answers; `None` from one of this version.
    #[cfg(gst_mini_abi_next)]
    pub(crate) fn next(&self) -> Option<u32> {
        // SAFETY: the host's own context.
        crate::plugin::abi::tail!(self.vtable(), GmCxVTable, next).map(|f| unsafe { f(self.raw) })
    }

    /// The pad this call is about.
    pub fn pad(&self) -> PadId {
        PadId(self.raw.pad)
    }

    /// A buffer of `size` bytes for what goes out: from the pool agreed on with downstream where its buffers are
    /// large enough, otherwise from one of this element's own. Its bytes are those of its last use. For
    /// the streaming calls of a [`Source`](crate::element::Source) or [`Transform`](crate::element::Transform).
    pub fn acquire(&self, size: usize) -> Buffer {
        // SAFETY: the host's own context; what it gives is ours.
        let given =
            self.vtable().acquire.and_then(|f| unsafe { Buffer::from_raw(f(self.raw, size)) });
        given.unwrap_or_else(|| Buffer::from_vec(vec![0; size]))
    }

    /// Queues a buffer; the host pushes it from source pad `pad` when the callback has returned,
    /// before a buffer that the callback returns.
    pub fn output(&self, pad: PadId, buf: Buffer) {
        if let Some(output) = self.vtable().output {
            // SAFETY: `raw` is the host's own context; the buffer's reference moves.
            unsafe { output(self.raw, pad.0, buf.into_raw()) }
        }
    }

    /// Queues an event; the host sends it when the callback has returned: from a source pad
    /// downstream, from a sink pad upstream.
    pub fn output_event(&self, pad: PadId, event: Event) {
        if let Some(output_event) = self.vtable().output_event {
            let text = event.text();
            // SAFETY: the text lives for the call.
            unsafe { output_event(self.raw, pad.0, GmStr::new(&text)) }
        }
    }

    /// Pushes a buffer now. Only for [`MultiPad`](crate::element::MultiPad), holding no lock; in `produce`
    /// also through the task's own pad.
    pub fn push(&self, pad: PadId, buf: Buffer) -> FlowResult {
        let Some(push) = self.vtable().push else { return Err(FlowError::NotSupported) };
        // SAFETY: the buffer's reference moves.
        FlowError::from_code(unsafe { push(self.raw, pad.0, buf.into_raw()) })
    }

    /// Pushes buffers now, in one go. As [`Cx::push`].
    pub fn push_list(&self, pad: PadId, list: BufferList) -> FlowResult {
        let Some(push_list) = self.vtable().push_list else { return Err(FlowError::NotSupported) };
        let raw: Vec<*mut GmBuffer> = list.into_iter().map(Buffer::into_raw).collect();
        // SAFETY: the buffers' references move; the array lives for the call.
        let code = unsafe { push_list(self.raw, pad.0, raw.as_ptr(), raw.len() as u32) };
        FlowError::from_code(code)
    }

    /// Sends an event from pad `pad` now. Only for [`MultiPad`](crate::element::MultiPad), holding no lock.
    pub fn push_event(&self, pad: PadId, event: &Event) -> bool {
        let Some(push_event) = self.vtable().push_event else { return false };
        let text = event.text();
        // SAFETY: the text lives for the call.
        unsafe { push_event(self.raw, pad.0, GmStr::new(&text)) != 0 }
    }

    /// The host's default handling of an event that arrived at `self.pad()`.
    pub fn event_default(&self, event: &Event) -> bool {
        let Some(event_default) = self.vtable().event_default else { return false };
        let text = event.text();
        // SAFETY: the text lives for the call.
        unsafe { event_default(self.raw, self.raw.pad, GmStr::new(&text)) != 0 }
    }

    /// Asks the peer of `pad`; `false` if nobody answered.
    pub fn peer_query(&self, pad: PadId, query: &mut Query) -> bool {
        let Some(peer_query) = self.vtable().peer_query else { return false };
        let text = query.text();
        // SAFETY: text and place live for the call.
        let answer =
            self.text(|out| unsafe { peer_query(self.raw, pad.0, GmStr::new(&text), out) });
        self.take_answer(query, answer)
    }

    /// The host's default answer to a query that arrived at `self.pad()`.
    pub fn query_default(&self, query: &mut Query) -> bool {
        let Some(query_default) = self.vtable().query_default else { return false };
        let text = query.text();
        // SAFETY: text and place live for the call.
        let answer = self
            .text(|out| unsafe { query_default(self.raw, self.raw.pad, GmStr::new(&text), out) });
        self.take_answer(query, answer)
    }

    fn take_answer(&self, query: &mut Query, answer: Option<String>) -> bool {
        match answer.as_deref().and_then(Query::from_text) {
            Some(answered) => {
                *query = answered;
                true
            }
            None => false,
        }
    }

    /// Whether the pad of this call is flushing, so that a long loop should return.
    pub fn is_flushing(&self) -> bool {
        // SAFETY: the host's own context.
        self.vtable().flushing.is_some_and(|f| unsafe { f(self.raw) } != 0)
    }
}
