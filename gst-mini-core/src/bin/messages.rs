//! What a bin makes of its children's messages.
//!
//! ```text
//!   end of stream, stream start, segment done:   collected; posted once, when all sinks have
//!   async start and done:                        the bin's own state waits for them
//!   clocks:                                      the next choice of a clock
//!   everything else:                             passed on
//! ```
//!
//! Invariant: what is collected is posted with the sequence number of the last one that came.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_handle_message_func`, `bin_do_eos`, `is_stream_start`).
//! Left out: contexts, structure changes, stream collections.

use super::BinCore;
use crate::event::Seqnum;
use crate::handle::{ElementInner, ElementRef};
use crate::host::core::MessageSink;
use crate::message::{Message, MessageKind};
use crate::state::State;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

/// What children have told, by their names.
#[derive(Default)]
pub(super) struct Told {
    ended: HashMap<String, Seqnum>,
    /// With the group of the stream.
    started: HashMap<String, (Seqnum, Option<u32>)>,
    /// Who began a segment and has not ended it.
    in_segment: HashSet<String>,
    /// The application knows that the bin is in PLAYING: only then may it hear of the end.
    is_playing: bool,
}

impl Told {
    /// PAUSED or less begins: the end has not come, and with `anew` nothing has.
    pub fn begin(&mut self, anew: bool) {
        self.ended.clear();
        if anew {
            self.started.clear();
            self.in_segment.clear();
        }
    }
}

/// What children are lent as a way to the bus; what a pipeline uses itself.
pub(super) struct Upward {
    bin: Weak<ElementInner>,
    /// The pipeline's own: nothing is made of them.
    is_own: bool,
}

impl Upward {
    pub fn of_child(bin: &Arc<ElementInner>) -> Upward {
        Upward { bin: Arc::downgrade(bin), is_own: false }
    }
    pub fn own(bin: &Arc<ElementInner>) -> Upward {
        Upward { bin: Arc::downgrade(bin), is_own: true }
    }

    fn ask<R>(&self, question: impl FnOnce(&BinCore) -> R) -> Option<R> {
        self.ask_with(|_, bin| question(bin))
    }

    fn ask_with<R>(&self, question: impl FnOnce(&ElementRef, &BinCore) -> R) -> Option<R> {
        // Its last handle may be given up meanwhile; then this is the last.
        let this = ElementRef::from(self.bin.upgrade()?);
        Some(question(&this, this.behavior().as_bin()?))
    }
}

impl MessageSink for Upward {
    fn post(&self, message: Message) {
        self.ask_with(|this, bin| match self.is_own {
            true => bin.forward(message),
            false => bin.handle_message(this, message),
        });
    }
    fn wants_notify(&self) -> bool {
        self.ask(|bin| {
            bin.notify.load(Ordering::Relaxed)
                || bin.above().is_some_and(|above| above.wants_notify())
        }) == Some(true)
    }
    fn told_error(&self) -> bool {
        self.ask(|bin| {
            bin.told_error.load(Ordering::Relaxed)
                || bin.above().is_some_and(|above| above.told_error())
        }) == Some(true)
    }
    fn wanted_state(&self) -> Option<State> {
        let at = self.ask(|bin| bin.this().map(|this| this.standing()))??;
        Some(at.pending.unwrap_or(at.current))
    }
}

impl BinCore {
    /// The way on from a pipeline that nothing contains: its bus.
    pub(super) fn own_way(&self) -> Option<Arc<dyn MessageSink>> {
        let inner = self.handle.get()?.upgrade()?;
        self.top.is_some().then(|| Arc::new(Upward::own(&inner)) as Arc<_>)
    }

    /// What contains this bin.
    fn above(&self) -> Option<Arc<dyn MessageSink>> {
        let lent = self.core.lent.read();
        if lent.parent.is_some() { lent.messages.clone() } else { None }
    }

    /// A child's message, on the child's thread.
    fn handle_message(&self, this: &ElementRef, message: Message) {
        let child = message.source.as_str();
        match &message.kind {
            MessageKind::Error(_) => {
                self.told_error.store(true, Ordering::Relaxed);
                this.child_failed();
            }
            MessageKind::Eos => {
                self.told.lock().ended.insert(child.to_owned(), message.seqnum);
                return self.tell_end();
            }
            MessageKind::StreamStart { group_id } => {
                self.told.lock().started.insert(child.to_owned(), (message.seqnum, *group_id));
                return self.tell_start();
            }
            MessageKind::SegmentStart { .. } => {
                let is_first = {
                    let mut told = self.told.lock();
                    let is_first = told.in_segment.is_empty();
                    told.in_segment.insert(child.to_owned());
                    is_first
                };
                if is_first && !self.is_toplevel() {
                    self.forward(self.own(message.kind, message.seqnum));
                }
                return;
            }
            MessageKind::SegmentDone { .. } => {
                let all = {
                    let mut told = self.told.lock();
                    told.in_segment.remove(child);
                    told.in_segment.is_empty()
                };
                if all {
                    self.forward(self.own(message.kind, message.seqnum));
                }
                return;
            }
            MessageKind::AsyncStart => {
                if self.children().iter().any(|other| other.name() == child) {
                    this.child_began(child, self.sees_to_async());
                }
                return;
            }
            MessageKind::AsyncDone { running_time } => {
                return this.child_done(child, *running_time, self.sees_to_async());
            }
            MessageKind::ClockProvide(_) => {
                self.look_for_clock_again();
                // The application hears of the choice, not of the offer.
                if self.is_toplevel() {
                    return;
                }
            }
            MessageKind::ClockLost(_) if !self.lost_clock(this, child) => return,
            MessageKind::ResetTime(to) if self.top.is_some() => self.reset_start_time(*to),
            _ => {}
        }
        self.forward(message);
    }

    /// The message goes on to the bus, or to the bin around this one.
    pub(super) fn forward(&self, message: Message) {
        match (self.above(), &self.top) {
            (Some(above), _) => above.post(message),
            (None, Some(top)) => top.bus.post(message),
            (None, None) => {}
        }
    }

    fn own(&self, kind: MessageKind, seqnum: Seqnum) -> Message {
        Message::new(&*self.core.name, kind).with_seqnum(seqnum)
    }

    fn sinks(&self) -> Vec<ElementRef> {
        self.children().into_iter().filter(ElementRef::is_sink).collect()
    }

    /// Tells the end of the stream if all sinks have, and the bin is known to be in PLAYING.
    pub(super) fn tell_end(&self) {
        let Some(this) = self.this() else { return };
        if !this.rests_in_playing() {
            return;
        }
        let sinks = self.sinks();
        let seqnum = {
            let mut told = self.told.lock();
            let seqnum = sinks.iter().rev().find_map(|sink| told.ended.get(sink.name()).copied());
            let all = sinks.iter().all(|sink| told.ended.contains_key(sink.name()));
            let Some(seqnum) = seqnum.filter(|_| all && told.is_playing) else { return };
            // A new end, after a seek, is told again.
            told.ended.clear();
            seqnum
        };
        self.forward(self.own(MessageKind::Eos, seqnum));
    }

    /// Tells the start of the streams if all sinks have, and the streams belong together.
    fn tell_start(&self) {
        let sinks = self.sinks();
        let (seqnum, group_id) = {
            let mut told = self.told.lock();
            let starts: Option<Vec<_>> =
                sinks.iter().map(|sink| told.started.get(sink.name()).copied()).collect();
            let Some(starts) = starts else { return };
            let Some((seqnum, first)) = starts.first().copied() else { return };
            let groups = starts.iter().map(|(_, group)| *group);
            let known = groups.clone().all(|group| group.is_some());
            if known && groups.clone().any(|group| group != first) {
                return;
            }
            told.started.clear();
            (seqnum, first.filter(|_| known))
        };
        self.forward(self.own(MessageKind::StreamStart { group_id }, seqnum));
    }

    /// The bin has told that it is in a state. What a child's thread tells of PAUSED may come late, when
    /// another thread has brought the bin to PLAYING and told so.
    pub(crate) fn told_state(&self, this: &ElementRef, new: State, pending: Option<State>) {
        if new == State::Playing && pending.is_none() {
            self.told.lock().is_playing = true;
            self.tell_end();
        } else if !this.rests_in_playing() {
            self.told.lock().is_playing = false;
        }
    }

    /// A child that left is no longer waited for. Whether the end of its stream had come.
    pub(super) fn forget(&self, name: &str) -> bool {
        let mut told = self.told.lock();
        told.started.remove(name);
        told.in_segment.remove(name);
        told.ended.remove(name).is_some()
    }
}
