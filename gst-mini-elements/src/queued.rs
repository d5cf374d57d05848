//! What waits in a `queue` or `multiqueue`: a step of a stream, how much that is, and who asked.
//!
//! Invariant: an item is what came in, unchanged; only data counts in an [`Amount`].
//! In GStreamer: `plugins/elements/gstqueue.c` (`GstQueueItem`), `gstmultiqueue.c` (`GstMultiQueueItem`).
//! Left out: nothing.

use gst_mini_core::element_prelude::*;

/// One step of the stream. What is large and rare is boxed: a buffer's way through a queue moves it six times, in two
/// registers.
pub enum Item {
    Buffer(Buffer),
    List(Box<BufferList>),
    Event(Box<Event>),
    /// A question that keeps its place.
    Query(Box<Question>),
}

/// A question in line, and its number.
pub struct Question {
    pub number: u64,
    pub query: Query,
}

/// Questions in line: who asks waits until one is answered, so there is one at a time.
#[derive(Default)]
pub struct Questions {
    asked: u64,
    answered: Option<Box<(u64, Option<Query>)>>,
}

impl Questions {
    /// The number of a new question.
    pub fn ask(&mut self) -> u64 {
        self.asked += 1;
        self.answered = None;
        self.asked
    }

    /// `None`: nobody could answer.
    pub fn answer(&mut self, number: u64, answer: Option<Query>) {
        self.answered = Some(Box::new((number, answer)));
    }

    /// Nobody will answer the one that is open.
    pub fn give_up(&mut self) {
        self.answered.get_or_insert_with(|| Box::new((self.asked, None)));
    }

    pub fn is_answered(&self) -> bool {
        self.answered.is_some()
    }

    /// What became of a question; `None`: it still waits.
    pub fn take(&mut self, number: u64) -> Option<Option<Query>> {
        self.answered.take_if(|answered| answered.0 == number).map(|answered| answered.1)
    }
}

/// How much there is, or may be. In limits 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub buffers: u64,
    pub bytes: u64,
    /// ns
    pub time: u64,
}

impl Amount {
    /// Whether one of the limits is reached.
    pub fn reaches(&self, limit: &Amount) -> bool {
        reaches(self.buffers, limit.buffers)
            || reaches(self.bytes, limit.bytes)
            || reaches(self.time, limit.time)
    }
}

/// Whether there is a limit and it is reached.
pub fn reaches(level: u64, limit: u64) -> bool {
    limit > 0 && level >= limit
}

impl Item {
    pub fn question(number: u64, query: &Query) -> Item {
        Item::Query(Box::new(Question { number, query: query.clone() }))
    }

    /// Buffers and bytes.
    pub fn amount(&self) -> (u64, u64) {
        match self {
            Item::Buffer(buf) => (1, buf.size() as u64),
            Item::List(list) => (list.len() as u64, list.size() as u64),
            Item::Event(_) | Item::Query(_) => (0, 0),
        }
    }

    pub fn set_discont(&mut self) {
        match self {
            Item::Buffer(buf) => buf.set_flags(BufferFlags::DISCONT),
            Item::List(list) => {
                if let Some(first) = list.iter_mut().next() {
                    first.set_flags(BufferFlags::DISCONT);
                }
            }
            Item::Event(_) | Item::Query(_) => {}
        }
    }

    /// The buffers in it.
    pub fn buffers(&self) -> &[Buffer] {
        match self {
            Item::Buffer(buf) => std::slice::from_ref(buf),
            Item::List(list) => list.as_slice(),
            Item::Event(_) | Item::Query(_) => &[],
        }
    }

    /// Whether it is data.
    pub fn is_data(&self) -> bool {
        matches!(self, Item::Buffer(_) | Item::List(_))
    }

    /// What the source pad has to tell all the same when the item is thrown away in a flush.
    pub fn into_kept_event(self) -> Option<Event> {
        let Item::Event(event) = self else { return None };
        let is_kept =
            event.is_sticky() && !matches!(event.kind, EventKind::Segment(_) | EventKind::Eos);
        is_kept.then_some(*event)
    }
}

/// Where a buffer ends that begins at `position` unless it says otherwise, ns.
pub fn end_of(buf: &Buffer, position: Option<u64>) -> Option<u64> {
    let start = buf.dts_or_pts().map(ClockTime::nanos).or(position)?;
    Some(start.saturating_add(buf.duration().map_or(0, ClockTime::nanos)))
}

/// The running time of a position, ns; negative before the segment.
#[inline]
pub fn running_time(segment: &Segment, position: Option<u64>) -> Option<i64> {
    let position = position?;
    // At normal speed and not before the segment it is two additions; this is asked twice for each buffer.
    if segment.rate == 1.0
        && segment.format == Format::Time
        && position != u64::MAX
        && let Some(first) = segment.start.checked_add(segment.offset)
        && let Some(distance) = position.checked_sub(first)
        && let Some(time) = distance.checked_add(segment.base)
        && let Ok(time) = i64::try_from(time)
    {
        return Some(time);
    }
    let (sign, time) = segment.to_running_time_full(ClockTime::from_nanos(position));
    let time = i64::try_from(time).ok()?;
    (sign != 0).then_some(i64::from(sign) * time)
}

/// Hands sticky events that lost their place to the source pad.
#[inline]
pub fn tell_untold(cx: &Cx, src: PadId, untold: Vec<Event>) {
    // An iterator over nothing is more work than this look.
    if untold.is_empty() {
        return;
    }
    for event in untold {
        cx.store_event(src, &event);
    }
}

/// Nobody upstream is there any more to tell of a failure. One that an element made itself it has told
/// itself.
pub fn complain(cx: &Cx, why: FlowError) {
    if !matches!(why, FlowError::Error | FlowError::NotNegotiated) {
        let _ = cx.error(ErrorKind::Failed, format!("the stream stopped: reason {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_times_are_those_of_the_segment_also_on_the_short_way() {
        let edges = [0, 1, 7, 1_000, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        let edge = |number: usize, place: u32| edges[number / edges.len().pow(place) % edges.len()];
        for number in 0..edges.len().pow(4) {
            let (start, offset) = (edge(number, 0), edge(number, 1));
            let (base, position) = (edge(number, 2), edge(number, 3));
            for rate in [1.0, 2.0] {
                let segment = Segment { start, offset, base, rate, ..Segment::time() };
                let (sign, time) = segment.to_running_time_full(ClockTime::from_nanos(position));
                let whole = i64::try_from(time).ok().filter(|_| sign != 0);
                let wanted = whole.map(|time| i64::from(sign) * time);
                let found = running_time(&segment, Some(position));
                assert_eq!(found, wanted, "{segment:?} at {position}");
            }
        }
    }
}
