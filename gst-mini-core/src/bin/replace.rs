//! Putting one element in the place of another while the stream goes on.
//!
//! ```text
//!   new is started, out of the stream ─▶ upstream is held ─▶ what old holds goes on ─▶ the links move
//!     ─▶ new goes with the bin ─▶ upstream goes on ─▶ a sink that left is told the end ─▶ old to NULL, and out
//! ```
//!
//! What can fail comes first: until the new element runs and its formats fit, nothing has happened to the old
//! one. The rest is what an application would do itself: probes that block, events that end a stream,
//! links, which tell sticky events again, and states.
//!
//! Where somebody upstream makes objects of the stream, the place where one sink ends and the other
//! begins is its choice: it is asked with the upstream event [`OBJECT_SEAM`], ends what it records, and marks the
//! place with a serialized event of the same name and `serial`. The stream is held at that mark.
//!
//! Invariant: a buffer that left upstream is taken by the old element or by the new one, never by both and
//! never by none.
//! In GStreamer: none; its application manual (`pipeline-manipulation`) has the steps by hand.
//! Left out: pads that come and go by themselves; elements in different bins; links that are pulled through, which are
//! refused.

mod places;
mod seam;
mod way;

use super::BinCore;
use super::messages::Upward;
use crate::event::{CustomKind, Event, EventKind, next_seqnum};
use crate::handle::{ElementRef, HandleError};
use crate::message::MessageKind;
use crate::object::OBJECT_SEAM;
use crate::pad::{LinkError, PadMode, attention};
use crate::query::Query;
use crate::segment::Format;
use crate::state::{State, StateReturn};
use crate::structure::Structure;
use crate::time::ClockTime;
use places::Place;
use seam::{End, Hold};
use std::sync::Arc;
use way::Way;

/// How long a stream may take to come to a place where elements can be exchanged.
pub(crate) const PATIENCE: ClockTime = ClockTime::from_secs(30);

/// Why an element was not put in the place of another. The old one stays, and the stream goes on through it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// They cannot be exchanged: a name, a parent, a pad.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// The new element must be fresh.
    #[error("\"{0}\" is in use already; give replace an element in NULL that is in no bin")]
    InUse(String),
    /// The new element did not start.
    #[error("\"{new}\" did not start, so \"{old}\" stays: {why}")]
    Start {
        /// The element that was to leave.
        old: String,
        /// The element that was to come.
        new: String,
        /// What it said.
        why: String,
    },
    /// The new element does not take what the old one took, or gives something else.
    #[error("\"{new}\" does not fit in the place of \"{old}\", which stays: {why}")]
    Fit {
        /// The element that was to leave.
        old: String,
        /// The element that was to come.
        new: String,
        /// What differs.
        why: Box<LinkError>,
    },
    /// Nothing follows the end of a stream.
    #[error("the stream through \"{0}\" has ended; there is nothing to go on with")]
    Ended(String),
    /// The stream did not come to a place where they can be exchanged.
    #[error(
        "\"{old}\" stays: within {seconds} s the stream did not come to a place to exchange it at; it waits in \
         \"{old}\" or behind it{held}"
    )]
    Stuck {
        /// The element that was to leave.
        old: String,
        /// How long was waited.
        seconds: u64,
        /// What could be done.
        held: &'static str,
    },
    /// Data goes through the links of the old element only because somebody asks for it.
    #[error(
        "\"{0}\" stays: data is pulled through it, and only where it is pushed elements can be exchanged"
    )]
    Pulled(String),
    /// The pipeline was stopped meanwhile.
    #[error("\"{0}\" stays: the stream was stopped meanwhile")]
    Stopped(String),
    /// Asked for from inside another replacement.
    #[error("another element of \"{0}\" is being replaced by this very thread")]
    Nested(String),
}

/// One exchange: what it needs from its beginning to its end.
struct Exchange<'a> {
    bin: &'a BinCore,
    this: ElementRef,
    old: ElementRef,
    new: ElementRef,
    /// Where the pads of the old one are linked, and the pads of the new one for these places.
    ins: Vec<Place>,
    outs: Vec<Place>,
    wanted: State,
    old_was_locked: bool,
}

impl BinCore {
    /// Puts `new` in the place of `old`, which ends in NULL and outside. See [`crate::pipeline::Pipeline::replace`].
    pub(crate) fn replace(&self, old: &ElementRef, new: &ElementRef) -> Result<(), ReplaceError> {
        let children = self.children();
        if !children.iter().any(|child| child.is_same(old)) {
            let inside = children.iter().filter_map(|child| child.behavior().as_bin());
            return match inside.into_iter().find(|bin| bin.way_to(old).is_some()) {
                Some(bin) => bin.replace(old, new),
                None => {
                    let (bin, name) = (self.core.name.to_string(), old.name().to_owned());
                    Err(HandleError::NotHere { bin, name }.into())
                }
            };
        }
        let Some(this) = self.this() else { return Err(ReplaceError::Stopped(old.name().into())) };
        let one_at_a_time = self.replacing.get_or_init(Box::default);
        let Ok(_one_at_a_time) = one_at_a_time.lock() else {
            return Err(ReplaceError::Nested(self.core.name.to_string()));
        };
        let is_child = self.children().iter().any(|child| child.is_same(new));
        if is_child || new.is_same(old) || new.current_state() != State::Null {
            return Err(ReplaceError::InUse(new.name().to_owned()));
        }
        let (ins, outs) = places::pair(old, new)?;
        if ins.iter().chain(&outs).any(|place| place.old.mode() == PadMode::Pull) {
            return Err(ReplaceError::Pulled(old.name().to_owned()));
        }
        let at = this.standing();
        if at.pending.is_some() && at.last == StateReturn::Async && at.pending != Some(at.current) {
            this.state(Some(PATIENCE));
        }
        let at = this.standing();
        let wanted = at.pending.unwrap_or(at.current);
        let (old, new) = (old.clone(), new.clone());
        let old_was_locked = old.is_locked_state();
        Exchange { bin: self, this, old, new, ins, outs, wanted, old_was_locked }.run()
    }
}

impl Exchange<'_> {
    fn run(&self) -> Result<(), ReplaceError> {
        self.new.set_locked_state(true);
        if let Err(error) = self.bin.add(&self.new) {
            self.new.set_locked_state(false);
            return Err(error.into());
        }
        let arriving = Way::arriving(&self.this);
        self.new.core().lent.write().messages = Some(arriving.clone());
        // A source's first events wait at its pad until there is a link.
        let begins = self.ins.is_empty() && self.wanted >= State::Paused;
        let new_pads = self.outs.iter().filter(|_| begins).filter_map(|place| place.new.real());
        let first: Vec<Hold> = new_pads.map(|pad| Hold::now(&pad)).collect();
        let done = self.start(&arriving).and_then(|()| match self.wanted >= State::Paused {
            true => self.exchange(first),
            false => self.exchange_at_rest(),
        });
        if let Err(error) = done {
            self.new.set_state(State::Null);
            // It is here, because it was added.
            let _ = self.bin.remove(&self.new);
            self.new.set_locked_state(false);
            return Err(error);
        }
        Ok(())
    }

    /// The new element goes as far up as it can without a stream; whatever it needs is there then.
    fn start(&self, arriving: &Way) -> Result<(), ReplaceError> {
        let goes = |to: State| match self.new.set_state(to) {
            StateReturn::Failure => Err(ReplaceError::Start {
                old: self.old.name().to_owned(),
                new: self.new.name().to_owned(),
                why: arriving.error().unwrap_or_else(|| "it did not say why".to_owned()),
            }),
            _ => Ok(()),
        };
        if self.wanted >= State::Ready {
            goes(State::Ready)?;
        }
        places::check(&self.ins, &self.outs).map_err(|why| self.unfit(why))?;
        if self.wanted >= State::Paused {
            goes(State::Paused)?;
        }
        // A source plays when it is linked.
        if self.wanted == State::Playing && !self.ins.is_empty() {
            goes(State::Playing)?;
        }
        Ok(())
    }

    fn unfit(&self, why: LinkError) -> ReplaceError {
        let (old, new) = (self.old.name().to_owned(), self.new.name().to_owned());
        ReplaceError::Fit { old, new, why: Box::new(why) }
    }

    /// Nothing streams: links and states are all there is to it.
    fn exchange_at_rest(&self) -> Result<(), ReplaceError> {
        self.move_links()?;
        self.settle();
        self.dismiss();
        Ok(())
    }

    fn exchange(&self, first: Vec<Hold>) -> Result<(), ReplaceError> {
        let leaving = Way::leaving(&self.this);
        self.old.set_locked_state(true);
        self.old.core().lent.write().messages = Some(leaving.clone());
        let held = self.hold_upstream().and_then(|holds| {
            self.drain_onward()?;
            self.move_links()?;
            Ok(holds)
        });
        let holds = match held {
            Ok(holds) => holds,
            Err(error) => {
                self.take_back();
                return Err(error);
            }
        };
        self.settle();
        drop(holds);
        drop(first);
        if self.outs.is_empty() {
            self.drain(&leaving);
        }
        self.dismiss();
        if self.bin.is_toplevel() {
            self.bin.recalculate_latency();
        } else {
            self.bin.core.post(MessageKind::Latency);
        }
        Ok(())
    }

    /// Lets nothing more into the old element, and waits until what is on the way has gone in.
    fn hold_upstream(&self) -> Result<Vec<Hold>, ReplaceError> {
        let mut holds = Vec::new();
        for place in &self.ins {
            let Some(feeding) = place.old.linked_peer() else { continue };
            if feeding.has(attention::EOS) {
                return Err(ReplaceError::Ended(self.old.name().to_owned()));
            }
            holds.push(match self.outs.is_empty() {
                true => Hold::at_object_seam(&feeding, &place.old),
                false => Hold::now(&feeding),
            });
        }
        let is_sink = self.outs.is_empty() && !self.ins.is_empty();
        if is_sink && self.wanted == State::Paused && holds.iter().all(Hold::is_at_once) {
            // What it holds in PAUSED was its own before the other came: it renders it now, by no clock.
            self.old.core().lent.write().clock = None;
            if let Some(bin) = self.old.behavior().as_bin() {
                bin.lend_to_children();
            }
        }
        let mut may_wait = true;
        if is_sink && (self.wanted == State::Playing || holds.iter().all(Hold::is_at_once)) {
            self.old.set_state(State::Playing);
        } else if self.wanted == State::Paused {
            may_wait = false;
        }
        for hold in &holds {
            hold.wait(self.old.name(), may_wait)?;
        }
        for place in &self.ins {
            place.old.mark_moved(true);
        }
        Ok(holds)
    }

    /// Brings out what an element with source pads holds.
    fn drain_onward(&self) -> Result<(), ReplaceError> {
        if self.outs.is_empty() {
            return Ok(());
        }
        let ends: Vec<End> =
            self.outs.iter().filter_map(|place| Some(End::at(&place.old.real()?))).collect();
        if self.ins.is_empty() {
            if ends.iter().any(|end| end.is_past()) {
                return Err(ReplaceError::Ended(self.old.name().to_owned()));
            }
            let is_held =
                self.wanted == State::Paused && self.old.last_return() != StateReturn::NoPreroll;
            if is_held {
                return Err(seam::stuck(self.old.name()));
            }
            self.old.send_event(Event::eos());
            return ends.iter().try_for_each(|end| end.wait_while_active(self.old.name()));
        }
        for place in &self.ins {
            // An element that refuses it holds nothing that could still come.
            let _ = place.old.receive_event(Event::eos());
        }
        for end in &ends {
            if !end.wait() {
                self.bin.core.log(crate::cx::Level::Warning, || {
                    format!("{} did not let the end of its stream out", self.old.name())
                });
            }
        }
        Ok(())
    }

    /// The links of the old element become the new one's.
    fn move_links(&self) -> Result<(), ReplaceError> {
        if self.ins.is_empty() && self.wanted >= State::Paused {
            for place in &self.outs {
                self.continue_time(place);
            }
        }
        let mut moved: Vec<&Place> = Vec::new();
        for place in self.outs.iter().chain(&self.ins) {
            if let Err(why) = place.new.take_link_of(&place.old) {
                for place in moved {
                    // They were linked so a moment ago.
                    let _ = place.old.take_link_of(&place.new);
                }
                return Err(self.unfit(why));
            }
            moved.push(place);
        }
        Ok(())
    }

    /// A source that counts from 0 goes on where the one before it stopped; a live one counts as the clock does.
    fn continue_time(&self, place: &Place) {
        if self.new.last_return() == StateReturn::NoPreroll || place.new.offset() != 0 {
            return;
        }
        let mut query = Query::Position { format: Format::Time, position: None };
        let answered = self.old.query(&mut query);
        let Query::Position { position: Some(at), .. } = query else { return };
        let running_time = place.old.segment().filter(|_| answered).and_then(|segment| {
            let position = segment.position_from_stream_time(ClockTime::from_nanos(at))?;
            segment.to_running_time(position)
        });
        let nanos = running_time.and_then(|running_time| i64::try_from(running_time.nanos()).ok());
        if let Some(nanos) = nanos {
            place.new.set_offset(nanos.saturating_add(place.old.offset()));
        }
    }

    /// The new element is a child as any other from here on.
    fn settle(&self) {
        // Nobody changes the bin's state meanwhile. In a change of its own the thread has the lock already.
        let _alone = self.this.inner().state_lock.lock();
        {
            let ours = self.bin.core.lent();
            let mut lent = self.new.core().lent.write();
            lent.messages = Some(Arc::new(Upward::of_child(self.this.inner())));
            (lent.clock, lent.base_time, lent.start_time) =
                (ours.clock, ours.base_time, ours.start_time);
        }
        if let Some(bin) = self.new.behavior().as_bin() {
            bin.lend_to_children();
        }
        self.new.set_locked_state(self.old_was_locked);
        if self.old_was_locked {
            self.new.set_state(self.old.current_state());
        } else {
            self.new.sync_state_with_parent();
        }
        if self.wanted == State::Paused {
            // Before the stream goes on, so before it could be done.
            self.this.child_added(&self.new, self.bin.sees_to_async());
        }
    }

    /// A sink that is out of the stream finishes what it has taken.
    fn drain(&self, leaving: &Way) {
        let mut told = false;
        for place in &self.ins {
            told |= place.old.receive_event(Event::eos()).is_ok();
        }
        if told && !leaving.wait_ended() {
            self.bin.core.log(crate::cx::Level::Warning, || {
                format!("{} did not say that its stream had ended", self.old.name())
            });
        }
    }

    /// The old element goes to NULL, and out.
    fn dismiss(&self) {
        self.old.set_state(State::Null);
        // It may have been taken out by somebody else.
        let _ = self.bin.remove(&self.old);
        self.old.set_locked_state(self.old_was_locked);
    }

    /// The old element stays what it was.
    fn take_back(&self) {
        for place in &self.ins {
            place.old.mark_moved(false);
        }
        let _alone = self.this.inner().state_lock.lock();
        {
            let ours = self.bin.core.lent();
            let mut lent = self.old.core().lent.write();
            lent.messages = Some(Arc::new(Upward::of_child(self.this.inner())));
            lent.clock = ours.clock;
        }
        if let Some(bin) = self.old.behavior().as_bin() {
            bin.lend_to_children();
        }
        self.old.set_locked_state(self.old_was_locked);
        if !self.old_was_locked {
            self.old.sync_state_with_parent();
        }
    }
}

/// The question where to end, or that it is over.
fn ask(serial: u64, over: bool) -> Event {
    let mut asked = Structure::new(OBJECT_SEAM).with("serial", serial);
    if over {
        asked.set("over", true);
    }
    Event::new(EventKind::Custom(CustomKind::Upstream, asked))
}
