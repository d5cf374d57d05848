//! What is in a queue: items in order, how much that is, and from when to when.
//!
//! Invariant: once settled, buffers and bytes are those of the items; time is the distance in running time between
//! what came in last and what went out last.
//! In GStreamer: `plugins/elements/gstqueue.c` (`gst_queue_locked_enqueue_buffer`, `update_time_level`).
//! Left out: nothing.

use crate::queued::{Amount, Item, Questions, end_of, running_time};
use gst_mini_core::element_prelude::*;
use gst_mini_core::prefetch;
use std::collections::VecDeque;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Fewer at a time are not worth the visit, unless the queue holds few more.
const FEW: usize = 32;
/// The buffer this far behind the one that goes out is fetched from the core that made it.
const AHEAD: usize = 3;
/// Places so far behind the one that is read or written next are fetched from the other core.
const PLACES_AHEAD: usize = 2 * PLACES_IN_LINE;
const PLACES_IN_LINE: usize = 4;
/// So often it is shown what was sent, as each look of upstream's thread takes the line from who writes to it; each time in a
/// queue so small that upstream waits for every place.
const SHOWN_EVERY: usize = 16;

/// One end of the queue: the segment there, with the position of what passed last.
#[derive(Default)]
struct End {
    segment: Option<Segment>,
}

/// The contents, and what becomes of the next item. What both ends touch comes first, in the two cache lines of the lock.
#[repr(C)]
pub struct Contents {
    /// What came behind the front.
    items: VecDeque<Item>,
    /// Buffers and bytes that are known to be sent.
    known: (u64, u64),
    level: Amount,
    /// Signed running times of the ends' positions; that of the source end as it was last told.
    sink_reached: Option<i64>,
    src_reached: Option<i64>,
    /// A segment that came while the queue was empty counts at the source end at once.
    is_segment_known: bool,
    /// More than one item was handed over at a time: there are no waits between them.
    is_in_flow: bool,
    /// The next buffer in (tail) or out (head) follows a hole.
    pub tail_discont: bool,
    head_discont: bool,
    /// Sticky events that were thrown away with the data around them: the source pad still tells them.
    untold: Vec<Event>,
    /// Those among the items.
    pub questions: Questions,
    sink: End,
}

/// The front of the line, which the task has taken over to send one by one.
pub struct Front {
    items: VecDeque<Item>,
    /// How many items were taken over last.
    taken_over: usize,
    /// Where the next ones are put in.
    next_places: usize,
    /// Buffers and bytes of all fronts that were sent.
    sent: (u64, u64),
    src: End,
    src_reached: Option<i64>,
    /// Buffers may go out without a look at the contents.
    pub is_plain: bool,
}

/// What the task has sent of its fronts in all, and how far it is, as last shown. Written under the lock of the task, read by
/// anybody.
pub struct Sent {
    buffers: AtomicU64,
    bytes: AtomicU64,
    /// Signed running time of the source end.
    reached: AtomicI64,
}

/// No running time.
const NOWHERE: i64 = i64::MIN;

impl Default for Sent {
    fn default() -> Self {
        let (buffers, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Sent { buffers, bytes, reached: AtomicI64::new(0) }
    }
}

impl Sent {
    /// Shows how much was sent, and how far the source end is. Under the lock of the task: nobody else writes.
    #[inline]
    pub fn show(&self, front: &Front) {
        self.reached.store(front.src_reached.unwrap_or(NOWHERE), Ordering::Release);
        self.bytes.store(front.sent.1, Ordering::Release);
        self.buffers.store(front.sent.0, Ordering::Release);
    }

    /// How many buffers it shows.
    #[inline]
    pub fn buffers(&self) -> u64 {
        self.buffers.load(Ordering::Relaxed)
    }

    /// As at the beginning, with contents that know of nothing sent. Under both locks.
    pub fn clear(&self) {
        self.buffers.store(0, Ordering::Release);
        self.bytes.store(0, Ordering::Release);
        self.reached.store(0, Ordering::Release);
    }
}

impl End {
    #[inline]
    fn segment(&mut self) -> &mut Segment {
        self.segment.get_or_insert_with(|| Segment { position: Some(0), ..Segment::time() })
    }

    /// Signed running time of the position; negative before the segment.
    #[inline]
    fn running_time(&mut self) -> Option<i64> {
        let segment = self.segment();
        running_time(segment, segment.position)
    }

    fn set_segment(&mut self, segment: &Segment) {
        // What counts in other units takes no time.
        *self.segment() = match segment.format {
            Format::Time => *segment,
            _ => Segment { position: segment.position, ..Segment::time() },
        };
    }

    /// An item passed: the position is where it ends. One without a time follows what was before.
    #[inline]
    fn pass(&mut self, item: &Item) -> bool {
        let position = &mut self.segment().position;
        match item {
            Item::Buffer(buf) => *position = end_of(buf, *position),
            Item::List(list) => {
                *position = list.iter().fold(*position, |position, buf| end_of(buf, position));
            }
            Item::Event(event) => {
                let EventKind::Gap { pts, duration } = &event.kind else { return false };
                *position = Some(pts.nanos() + duration.map_or(0, ClockTime::nanos));
            }
            Item::Query(_) => return false,
        }
        true
    }
}

impl Default for Contents {
    fn default() -> Self {
        Contents {
            items: VecDeque::new(),
            level: Amount::default(),
            known: (0, 0),
            // Both ends stand at the beginning.
            sink_reached: Some(0),
            src_reached: Some(0),
            is_segment_known: false,
            is_in_flow: false,
            tail_discont: false,
            head_discont: false,
            untold: Vec::new(),
            questions: Questions::default(),
            sink: End::default(),
        }
    }
}

impl Default for Front {
    fn default() -> Self {
        Front {
            items: VecDeque::new(),
            taken_over: 0,
            next_places: 0,
            sent: (0, 0),
            src: End::default(),
            src_reached: Some(0),
            is_plain: false,
        }
    }
}

impl Front {
    /// Whether little was taken over last, of a queue that holds so many buffers.
    #[inline]
    pub fn had_few(&self, limit: usize) -> bool {
        self.taken_over < FEW && self.taken_over < limit / 2
    }

    /// Begins to bring what was put in to this core: three cache lines of places; further ones are asked for as it goes on.
    #[inline]
    pub fn fetch_places(&self) {
        if self.taken_over > 1 {
            let places: *const Item = ptr::without_provenance(self.next_places);
            for place in (0..3 * PLACES_IN_LINE).step_by(PLACES_IN_LINE) {
                prefetch::to_read(places.wrapping_add(place));
            }
        }
    }

    /// Begins to bring the first buffers to this core.
    #[inline]
    pub fn fetch_first(&self) {
        for item in self.items.iter().take(AHEAD) {
            if let Item::Buffer(buf) = item {
                buf.prefetch();
            }
        }
    }

    /// Whether nothing is left of it.
    #[inline]
    pub fn is_used_up(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes the oldest item out if it is a buffer, and what the contents last heard of levels stays no lower than they
    /// are: only when time does not go back. `limit`: how many buffers the queue holds.
    #[inline]
    pub fn next_buffer(&mut self, sent: &Sent, limit: usize) -> Option<Buffer> {
        if !self.is_plain {
            return None;
        }
        let shows = limit < 2 * SHOWN_EVERY || self.items.len().is_multiple_of(SHOWN_EVERY);
        if shows {
            prefetch::to_write(sent);
        }
        if let Some(Item::Buffer(later)) = self.items.get(AHEAD) {
            later.prefetch();
        }
        let first = self.items.front()?;
        if self.items.len() > PLACES_AHEAD {
            prefetch::to_read(ptr::from_ref(first).wrapping_add(PLACES_AHEAD));
        }
        let Item::Buffer(buf) = first else { return None };
        let size = buf.size() as u64;
        let segment = self.src.segment();
        let position = end_of(buf, segment.position);
        let reached = running_time(segment, position);
        let goes_on = match (self.src_reached, reached) {
            (Some(before), Some(now)) => before <= now,
            (before, now) => before.is_none() && now.is_none(),
        };
        if !goes_on {
            return None;
        }
        segment.position = position;
        self.src_reached = reached;
        self.sent = (self.sent.0.wrapping_add(1), self.sent.1.wrapping_add(size));
        if shows {
            sent.show(self);
        }
        match self.items.pop_front() {
            Some(Item::Buffer(buf)) => Some(buf),
            _ => None,
        }
    }
}

impl Contents {
    /// How much is inside.
    pub fn level(&self) -> Amount {
        self.level
    }

    /// Whether there is nothing at all.
    pub fn is_void(&self, front: &Front) -> bool {
        front.items.is_empty() && self.items.is_empty()
    }

    /// Whether the newest item is data.
    pub fn ends_in_data(&self, front: &Front) -> bool {
        self.items.back().or(front.items.back()).is_some_and(Item::is_data)
    }

    /// Whether buffers may go out as they are.
    pub fn is_plain(&self) -> bool {
        !self.head_discont && self.untold.is_empty()
    }

    /// Makes everything that is behind the front, which is used up, the front. `false` if there is nothing.
    #[inline]
    pub fn hand_over(&mut self, front: &mut Front) -> bool {
        // Emptied, it begins at its first place, so that few places are in use.
        front.items.clear();
        mem::swap(&mut front.items, &mut self.items);
        front.taken_over = front.items.len();
        self.is_in_flow = front.taken_over > 1;
        front.next_places = self.items.as_slices().0.as_ptr().addr();
        !front.items.is_empty()
    }

    /// Takes note of what was shown to be sent. While the task goes on the levels come out no lower than they are.
    #[inline]
    pub fn settle(&mut self, sent: &Sent) {
        let buffers = sent.buffers.load(Ordering::Acquire);
        let bytes = sent.bytes.load(Ordering::Acquire);
        let reached = sent.reached.load(Ordering::Acquire);
        // What the task itself has told may be more.
        if buffers.wrapping_sub(self.known.0) as i64 > 0 {
            self.note_sent((buffers, bytes), Some(reached).filter(|reached| *reached != NOWHERE));
        }
    }

    /// Takes note of what was sent from the front: the levels are exact.
    #[inline]
    pub fn settle_with(&mut self, front: &Front) {
        if front.sent != self.known {
            self.note_sent(front.sent, front.src_reached);
        }
    }

    #[inline]
    fn note_sent(&mut self, sent: (u64, u64), reached: Option<i64>) {
        self.lower((sent.0.wrapping_sub(self.known.0), sent.1.wrapping_sub(self.known.1)));
        self.known = sent;
        self.src_reached = reached;
        self.measure();
        // What is empty holds no time, whatever the last timestamps were.
        if self.level.buffers == 0 {
            self.level.time = 0;
        }
    }

    /// So many buffers and bytes are gone.
    #[inline]
    fn lower(&mut self, (buffers, bytes): (u64, u64)) {
        self.level.buffers -= buffers;
        self.level.bytes -= bytes;
    }

    /// An end went out: what counts is what began behind it, mostly nothing. (GStreamer takes it for nothing.)
    #[cold]
    fn recount(&mut self, front: &Front) {
        let left = front.items.iter().chain(&self.items).map(Item::amount);
        let (buffers, bytes) = left.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        self.level = Amount { buffers, bytes, time: 0 };
        if buffers > 0 {
            self.measure();
        }
    }

    /// The time between the two ends.
    #[inline]
    fn measure(&mut self) {
        let ends = self.sink_reached.zip(self.src_reached);
        let distance = ends.and_then(|(sink, src)| sink.checked_sub(src));
        self.level.time = distance.and_then(|distance| u64::try_from(distance).ok()).unwrap_or(0);
    }

    /// The source end has moved.
    fn measure_from(&mut self, front: &mut Front) {
        front.src_reached = front.src.running_time();
        self.src_reached = front.src_reached;
        self.measure();
    }

    /// Adds an item at the end.
    pub fn put(&mut self, front: &mut Front, item: Item) {
        if let Item::Event(event) = &item
            && let EventKind::Segment(segment) = &event.kind
        {
            self.sink.set_segment(segment);
            self.sink_reached = self.sink.running_time();
            if self.is_void(front) {
                front.src.set_segment(segment);
                front.src_reached = front.src.running_time();
                self.src_reached = front.src_reached;
                self.is_segment_known = true;
            }
            self.measure();
        }
        self.put_behind(item);
    }

    /// Adds an item that is no segment, without a look at the front.
    #[inline]
    pub fn put_behind(&mut self, mut item: Item) {
        if item.is_data() && mem::take(&mut self.tail_discont) {
            item.set_discont();
        }
        let (buffers, bytes) = item.amount();
        self.level.buffers += buffers;
        self.level.bytes += bytes;
        if self.sink.pass(&item) {
            self.sink_reached = self.sink.running_time();
            self.measure();
        }
        self.items.push_back(item);
        if self.is_in_flow
            && let Some(last) = self.items.back()
        {
            prefetch::to_write(ptr::from_ref(last).wrapping_add(PLACES_AHEAD));
            if self.items.len() == 1 {
                prefetch::to_write(ptr::from_ref(last).wrapping_add(PLACES_IN_LINE));
            }
        }
    }

    /// Takes the oldest item out of those that nobody takes any more.
    pub fn take_in_vain(&mut self, front: &mut Front) -> Option<Item> {
        let item = self.take_any(front)?;
        if let Item::Query(question) = &item {
            self.questions.answer(question.number, None);
        }
        Some(item)
    }

    #[inline]
    fn take_any(&mut self, front: &mut Front) -> Option<Item> {
        if front.is_used_up() {
            self.hand_over(front);
        }
        let item = front.items.pop_front()?;
        self.lower(item.amount());
        if front.src.pass(&item) {
            self.measure_from(front);
        }
        match &item {
            Item::Event(event) => match &event.kind {
                EventKind::Eos => self.recount(front),
                EventKind::Segment(segment) if !mem::take(&mut self.is_segment_known) => {
                    front.src.set_segment(segment);
                    self.measure_from(front);
                }
                _ => {}
            },
            // What is empty holds no time, whatever the last timestamps were.
            _ if self.level.buffers == 0 => self.level.time = 0,
            _ => {}
        }
        Some(item)
    }

    /// Takes the oldest item out.
    pub fn take(&mut self, front: &mut Front) -> Option<Item> {
        let mut item = self.take_any(front)?;
        if item.is_data() && mem::take(&mut self.head_discont) {
            item.set_discont();
        }
        Some(item)
    }

    /// Takes the oldest item out to throw it away.
    pub fn leak(&mut self, front: &mut Front) -> Option<Item> {
        let item = self.take_in_vain(front)?;
        if let Item::Event(event) = &item
            && event.is_sticky()
        {
            self.untold.push(Event::clone(event));
        }
        self.head_discont = true;
        Some(item)
    }

    /// Throws everything away but what the source pad has to tell all the same.
    pub fn clear(&mut self, front: &mut Front) {
        let mut untold = mem::take(&mut self.untold);
        let thrown = front.items.drain(..).chain(self.items.drain(..));
        untold.extend(thrown.filter_map(Item::into_kept_event));
        let mut questions = mem::take(&mut self.questions);
        questions.give_up();
        *self = Contents { untold, questions, ..Contents::default() };
        *front = Front::default();
    }

    /// Sticky events for the source pad, to be stored before anything is pushed.
    pub fn take_untold(&mut self) -> Vec<Event> {
        mem::take(&mut self.untold)
    }
}
