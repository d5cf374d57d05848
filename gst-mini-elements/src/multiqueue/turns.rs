//! Who may go on: a stream that nobody takes must not run ahead of those that somebody does.
//!
//! With `sync-by-running-time` a stream whose pushes end in not-linked waits until the farthest of the linked
//! ones has got to its running time. Otherwise it waits by the numbers that items get as they come in, over all
//! streams: those that nobody takes go on one by one, the hindmost first. As in GStreamer a linked one holds them
//! up by number only while it is choosing its own next item.
//!
//! Invariant: the one that is behind goes on, so somebody always does.
//! In GStreamer: `plugins/elements/gstmultiqueue.c` (`compute_high_id`, `compute_high_time`, `wake_up_next_non_linked`).
//! Left out: groups of streams: all are of one.

use super::State;
use gst_mini_core::element_prelude::*;

/// Where a stream is in the order.
#[derive(Clone, Copy, Default)]
pub struct Place {
    /// The number it wants to send; only while it asks for its turn.
    next: Option<u64>,
    /// The number it sent last, as others see it.
    old: u64,
    /// The number it sent last; `None` since a flush.
    pub last: Option<u64>,
    /// Running time of what it wants to send, with the time by which it may be ahead.
    next_time: Option<i64>,
    /// Running time of the end of what it sent last.
    pub last_time: Option<i64>,
}

/// How far the farthest is.
#[derive(Clone, Copy, Default)]
pub struct Front {
    /// `None`: nobody is anywhere, so nobody waits.
    pub id: Option<u64>,
    pub time: Option<i64>,
}

const NOT_LINKED: FlowResult = Err(FlowError::NotLinked);

impl State {
    /// Whether the order matters for what is sent next: it is not linked, or others may have waited for it.
    pub fn concerns_others(&self, at: usize, id: u64) -> bool {
        let single = &self.queues[at];
        let is_next = single.place.last.is_some_and(|last| id == last + 1);
        let is_ahead =
            self.front.id.zip(single.place.last).is_some_and(|(front, last)| last > front);
        single.result == NOT_LINKED || !is_next || is_ahead
    }

    /// A stream asks for its turn.
    pub fn ask_turn(&mut self, at: usize, id: u64, time: Option<i64>, cache_time: u64) {
        let cache_time = i64::try_from(cache_time).unwrap_or(i64::MAX);
        let place = &mut self.queues[at].place;
        place.next = Some(id);
        place.next_time = time.map(|time| time.saturating_add(cache_time));
        if let Some(last) = place.last {
            place.old = last;
        }
    }

    /// It has had its turn.
    pub fn end_turn(&mut self, at: usize) {
        let place = &mut self.queues[at].place;
        (place.next, place.next_time) = (None, None);
    }

    /// Whether a stream that is not linked has to wait.
    pub fn must_wait(&self, at: usize, id: u64, by_time: bool) -> bool {
        if self.queues[at].result != NOT_LINKED {
            return false;
        }
        if !by_time {
            return self.front.id.is_some_and(|front| id > front);
        }
        let next = self.queues[at].place.next_time;
        next.is_some_and(|next| self.front.time.is_none_or(|front| next > front))
    }

    /// Finds out anew how far the farthest linked stream is, or the hindmost if none is linked.
    pub fn find_front(&mut self, by_time: bool) {
        let (mut lowest, mut highest) = (None::<u64>, None::<u64>);
        for single in self.queues.iter().filter(|single| single.src.is_some()) {
            let Some(next) = single.place.next else { continue };
            if single.result == NOT_LINKED {
                lowest = Some(lowest.map_or(next, |lowest| lowest.min(next)));
            } else if !single.has_ended && single.result != Err(FlowError::Eos) {
                highest = highest.max(Some(single.place.old));
            }
        }
        self.front.id = match (lowest, highest) {
            (Some(lowest), Some(highest)) => Some(lowest.min(highest)),
            (lowest, highest) => highest.or(lowest),
        };
        if by_time {
            self.find_time_front();
        }
    }

    fn find_time_front(&mut self) {
        let (mut lowest, mut highest) = (None::<i64>, None::<i64>);
        for single in self.queues.iter().filter(|single| single.src.is_some()) {
            if single.result == NOT_LINKED {
                if let Some(next) = single.place.next_time {
                    lowest = Some(lowest.map_or(next, |lowest| lowest.min(next)));
                }
            } else if !single.has_ended && single.result != Err(FlowError::Eos) {
                highest = highest.max(single.place.last_time);
            }
        }
        self.front.time = highest.or(lowest);
    }

    /// A stream gets to a running time.
    pub fn reach(&mut self, at: usize, time: i64, by_time: bool) {
        let place = &mut self.queues[at].place;
        place.last_time = place.last_time.max(Some(time));
        if self.front.time.is_none_or(|front| front <= time) {
            self.front.time = Some(time);
            self.wake_unlinked(by_time);
        }
    }

    /// Wakes the streams that may go on now.
    pub fn wake_unlinked(&mut self, by_time: bool) {
        let front = self.front;
        let may_go = |place: &Place| match front.time.filter(|_| by_time) {
            Some(front) => place.next_time.is_some_and(|next| next <= front),
            None => place.next.is_some_and(|next| front.id.is_none_or(|front| next <= front)),
        };
        let wakes = self.queues.iter().any(|single| {
            single.waits_turn && single.result == NOT_LINKED && may_go(&single.place)
        });
        self.wakes.turn |= wakes;
    }

    /// A stream lost its taker: those that wait try whether they have one now.
    pub fn lost_taker(&mut self) {
        if !self.queues.iter().any(|single| single.waits_turn) {
            return;
        }
        for single in self.queues.iter_mut().filter(|single| single.result == NOT_LINKED) {
            (single.has_pushed, single.result) = (false, Ok(()));
        }
        self.wakes.turn = true;
    }
}
