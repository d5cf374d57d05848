//! What is in a queue: items in order, how much that is, and from when to when.
//!
//! Invariant: buffers and bytes are those of the items; time is the distance in running time between what
//! came in last and what went out last.
//! In GStreamer: `plugins/elements/gstqueue.c` (`gst_queue_locked_enqueue_buffer`, `update_time_level`).
//! Left out: nothing.

use crate::queued::{Amount, Item, Questions, end_of, running_time};
use gst_mini_core::element_prelude::*;
use std::collections::VecDeque;

/// One end of the queue: the segment there, with the position of what passed last. The thread of that end alone writes
/// it, so it has cache lines of its own.
#[derive(Default)]
#[repr(align(64))]
struct End {
    segment: Option<Segment>,
}

/// The contents, and what becomes of the next item. What both threads write for every item lies together, at the
/// beginning.
#[repr(C)]
pub struct Contents {
    items: VecDeque<Item>,
    level: Amount,
    /// Signed running times of the ends' positions.
    sink_reached: Option<i64>,
    src_reached: Option<i64>,
    sink: End,
    src: End,
    /// A segment that came while the queue was empty counts at the source end at once.
    is_segment_known: bool,
    /// The next buffer in (tail) or out (head) follows a hole.
    pub tail_discont: bool,
    head_discont: bool,
    /// Sticky events that were thrown away with the data around them: the source pad still tells them.
    untold: Vec<Event>,
    /// Those among the items.
    pub questions: Questions,
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
            Item::Query(..) => return false,
        }
        true
    }
}

impl Default for Contents {
    fn default() -> Self {
        Contents {
            items: VecDeque::new(),
            level: Amount::default(),
            // Both ends stand at the beginning.
            sink_reached: Some(0),
            src_reached: Some(0),
            sink: End::default(),
            src: End::default(),
            is_segment_known: false,
            tail_discont: false,
            head_discont: false,
            untold: Vec::new(),
            questions: Questions::default(),
        }
    }
}

impl Contents {
    /// How much is inside.
    pub fn level(&self) -> Amount {
        self.level
    }

    /// Whether there is nothing at all.
    pub fn is_void(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether the newest item is data.
    pub fn ends_in_data(&self) -> bool {
        self.items.back().is_some_and(Item::is_data)
    }

    /// The time between the two ends.
    #[inline]
    fn measure(&mut self) {
        let ends = self.sink_reached.zip(self.src_reached);
        let distance = ends.and_then(|(sink, src)| sink.checked_sub(src));
        self.level.time = distance.and_then(|distance| u64::try_from(distance).ok()).unwrap_or(0);
    }

    /// Adds an item at the end.
    #[inline]
    pub fn put(&mut self, mut item: Item) {
        if item.is_data() && std::mem::take(&mut self.tail_discont) {
            item.set_discont();
        }
        let (buffers, bytes) = item.amount();
        self.level.buffers += buffers;
        self.level.bytes += bytes;
        if self.sink.pass(&item) {
            self.sink_reached = self.sink.running_time();
            self.measure();
        }
        if let Item::Event(event) = &item
            && let EventKind::Segment(segment) = &event.kind
        {
            self.sink.set_segment(segment);
            self.sink_reached = self.sink.running_time();
            if self.is_void() {
                self.src.set_segment(segment);
                self.src_reached = self.src.running_time();
                self.is_segment_known = true;
            }
            self.measure();
        }
        self.items.push_back(item);
    }

    /// Takes the oldest item out of those that nobody takes any more.
    pub fn take_in_vain(&mut self) -> Option<Item> {
        let item = self.take_any()?;
        if let Item::Query(number, _) = item {
            self.questions.answer(number, None);
        }
        Some(item)
    }

    #[inline]
    fn take_any(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        let (buffers, bytes) = item.amount();
        self.level.buffers -= buffers;
        self.level.bytes -= bytes;
        if self.src.pass(&item) {
            self.src_reached = self.src.running_time();
            self.measure();
        }
        match &item {
            Item::Event(event) => match &event.kind {
                EventKind::Eos => self.level = Amount::default(),
                EventKind::Segment(segment) if !std::mem::take(&mut self.is_segment_known) => {
                    self.src.set_segment(segment);
                    self.src_reached = self.src.running_time();
                    self.measure();
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
    pub fn take(&mut self) -> Option<Item> {
        let mut item = self.take_any()?;
        if item.is_data() && std::mem::take(&mut self.head_discont) {
            item.set_discont();
        }
        Some(item)
    }

    /// Takes the oldest item out to throw it away.
    pub fn leak(&mut self) -> Option<Item> {
        let item = self.take_in_vain()?;
        if let Item::Event(event) = &item
            && event.is_sticky()
        {
            self.untold.push(Event::clone(event));
        }
        self.head_discont = true;
        Some(item)
    }

    /// Throws everything away but what the source pad has to tell all the same.
    pub fn clear(&mut self) {
        let mut untold = std::mem::take(&mut self.untold);
        untold.extend(self.items.drain(..).filter_map(Item::into_kept_event));
        let mut questions = std::mem::take(&mut self.questions);
        questions.give_up();
        *self = Contents { untold, questions, ..Contents::default() };
    }

    /// Whether there are any for [`Contents::take_untold`].
    #[inline]
    pub fn has_untold(&self) -> bool {
        !self.untold.is_empty()
    }

    /// Sticky events for the source pad, to be stored before anything is pushed.
    pub fn take_untold(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.untold)
    }
}
