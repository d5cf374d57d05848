//! One queue of a `multiqueue`: the items of one stream, its levels, and how far each end of it is.
//!
//! Invariant: buffers and bytes are those of the items; time is the distance in running time between what
//! came in last and what went out last.
//! In GStreamer: `plugins/elements/gstmultiqueue.c` (`GstSingleQueue`, `update_time_level`, `apply_segment`).
//! Left out: sparse streams, which no event tells of here.

use super::turns::Place;
use crate::queued::{Amount, Item, Questions, running_time};
use gst_mini_core::element_prelude::*;
use std::collections::VecDeque;

pub struct Single {
    /// The number in the names of its pads.
    pub id: u32,
    pub sink: PadId,
    /// Missing until the pad is made.
    pub src: Option<PadId>,
    /// What the last push came to: what upstream is told.
    pub result: FlowResult,
    /// A buffer was pushed, so that `result` tells something.
    pub has_pushed: bool,
    items: VecDeque<(Item, u64)>,
    /// Those among the items.
    pub questions: Questions,
    level: Amount,
    /// Of this queue alone: it grows while another one is empty.
    pub limit: Amount,
    pub input: End,
    output: End,
    /// Running time of what came last, before it is in the queue.
    pub input_time: Option<i64>,
    /// The end of the stream, or of a segment, is in the queue: nothing fits in behind it.
    pub is_eos: bool,
    pub is_segment_done: bool,
    /// The end left through the source pad.
    pub has_ended: bool,
    /// Nothing comes in or goes out: a flush, or downstream failed.
    pub is_closed: bool,
    pub is_flushing: bool,
    /// Data or a gap came since the last flush.
    pub is_active: bool,
    /// Where it is in the order of the streams.
    pub place: Place,
    /// The thread that brings the stream, and the interleave of those that it brings.
    pub thread: u64,
    pub interleave: u64,
    /// Whether the chain waits for room, the task for an item or its turn.
    pub waits_room: bool,
    pub waits_item: bool,
    pub waits_turn: bool,
}

/// One end: the segment there, with the position of what passed last.
pub struct End {
    /// Missing until one came.
    segment: Option<Segment>,
    running_time: Option<i64>,
    /// The position moved.
    is_tainted: bool,
    group: Option<u32>,
    group_changed: bool,
}

impl End {
    fn new() -> End {
        End {
            segment: None,
            running_time: None,
            is_tainted: true,
            group: None,
            group_changed: false,
        }
    }

    /// The segment; one from 0 if none came.
    pub fn segment(&self) -> Segment {
        self.segment.unwrap_or(START)
    }

    fn stream_starts(&mut self, group: Option<u32>) {
        if let Some(group) = group {
            self.group_changed |= self.group.is_some_and(|before| before != group);
            self.group = Some(group);
        }
    }

    fn set_segment(&mut self, segment: &Segment) {
        // A stream of another group goes on where this one got to.
        let before = self.segment();
        let base = (before.rate > 0.0 && std::mem::take(&mut self.group_changed))
            .then(|| before.position.and_then(|at| before.running_time_of(at)))
            .flatten();
        let mut segment = match segment.format {
            Format::Time => *segment,
            // What counts in other units takes no time.
            _ => Segment { rate: segment.rate, ..START },
        };
        if let Some(base) = base.filter(|base| *base > 0) {
            segment.base = base;
        }
        segment.position = if segment.rate > 0.0 { Some(segment.start) } else { segment.stop };
        self.segment = Some(segment);
        self.is_tainted = true;
    }

    fn move_to(&mut self, position: Option<u64>) {
        self.segment = Some(Segment { position, ..self.segment() });
        self.is_tainted = true;
    }

    /// Where a step of the stream moves it.
    fn pass(&mut self, item: &Step) {
        match item {
            Step::Data(start, duration) => {
                let start = start.or(self.segment().position);
                self.move_to(start.map(|start| start.saturating_add(duration.unwrap_or(0))));
            }
            Step::Gap(start, duration) => {
                self.move_to(Some(start.saturating_add(duration.unwrap_or(0))));
            }
            Step::Segment(segment) => self.set_segment(segment),
            Step::Stream(group) => self.stream_starts(*group),
            Step::Other => {}
        }
    }
}

const START: Segment = Segment { position: Some(0), ..Segment::time() };

/// What matters of an item for the times at both ends.
#[derive(Clone, Copy)]
pub enum Step {
    /// Start and duration, ns.
    Data(Option<u64>, Option<u64>),
    Gap(u64, Option<u64>),
    Segment(Segment),
    /// A stream begins; its group.
    Stream(Option<u32>),
    Other,
}

impl Step {
    pub fn of_buffer(buf: &Buffer) -> Step {
        let duration = buf.duration().map(ClockTime::nanos);
        Step::Data(buf.dts_or_pts().map(ClockTime::nanos), duration)
    }

    pub fn of_event(event: &Event) -> Step {
        match &event.kind {
            EventKind::Gap { pts, duration } => {
                Step::Gap(pts.nanos(), duration.map(ClockTime::nanos))
            }
            EventKind::Segment(segment) => Step::Segment(*segment),
            EventKind::StreamStart { group_id, .. } => Step::Stream(*group_id),
            _ => Step::Other,
        }
    }

    pub fn of(item: &Item) -> Step {
        match item {
            Item::Buffer(buf) => Step::of_buffer(buf),
            Item::List(list) => list.iter().next_back().map_or(Step::Other, Step::of_buffer),
            Item::Event(event) => Step::of_event(event),
            Item::Query(_) => Step::Other,
        }
    }

    /// Running time of its start or end in `segment`; of a segment, of its own start.
    pub fn running_time(&self, segment: &Segment, is_end: bool) -> Option<i64> {
        match *self {
            Step::Data(start, duration) => {
                let length = duration.filter(|_| is_end).unwrap_or(0);
                running_time(segment, Some(start?.saturating_add(length)))
            }
            Step::Gap(start, duration) => {
                running_time(segment, Some(start.saturating_add(duration.unwrap_or(0))))
            }
            Step::Segment(new) if new.format == Format::Time => running_time(&new, Some(new.start)),
            _ => None,
        }
    }
}

impl Single {
    pub fn new(id: u32, sink: PadId, limit: Amount) -> Single {
        Single {
            id,
            sink,
            src: None,
            result: Ok(()),
            has_pushed: false,
            items: VecDeque::new(),
            questions: Questions::default(),
            level: Amount::default(),
            limit,
            input: End::new(),
            output: End::new(),
            input_time: None,
            is_eos: false,
            is_segment_done: false,
            has_ended: false,
            is_closed: false,
            is_flushing: false,
            is_active: false,
            place: Place::default(),
            thread: 0,
            interleave: 0,
            waits_room: false,
            waits_item: false,
            waits_turn: false,
        }
    }

    /// As new, after a flush; the groups of the streams are remembered.
    pub fn reset(&mut self, max_buffers: u64) {
        let groups = (self.input.group, self.output.group);
        let limit = Amount { buffers: max_buffers, ..self.limit };
        *self =
            Single { src: self.src, thread: self.thread, ..Single::new(self.id, self.sink, limit) };
        (self.input.group, self.output.group) = groups;
    }

    pub fn forget_groups(&mut self) {
        (self.input.group, self.output.group) = (None, None);
    }

    /// How much is inside.
    pub fn level(&self) -> Amount {
        self.level
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Why nothing can come in, for upstream.
    pub fn refusal(&self) -> FlowError {
        self.result.err().unwrap_or(FlowError::Flushing)
    }

    pub fn put(&mut self, item: Item, id: u64) {
        let (buffers, bytes) = item.amount();
        self.level.buffers += buffers;
        self.level.bytes += bytes;
        self.items.push_back((item, id));
    }

    pub fn take(&mut self) -> Option<(Item, u64)> {
        let (item, id) = self.items.pop_front()?;
        let (buffers, bytes) = item.amount();
        self.level.buffers -= buffers;
        self.level.bytes -= bytes;
        Some((item, id))
    }

    /// Throws everything away but what the source pad has to tell all the same.
    pub fn clear(&mut self) -> Vec<Event> {
        (self.level.buffers, self.level.bytes) = (0, 0);
        self.questions.give_up();
        self.items.drain(..).filter_map(|(item, _)| item.into_kept_event()).collect()
    }

    pub fn moves_in(&mut self, step: &Step) {
        self.input.pass(step);
    }

    pub fn moves_out(&mut self, step: &Step) {
        self.output.pass(step);
    }

    /// The segment at the output.
    pub fn output_segment(&self) -> Segment {
        self.output.segment()
    }

    /// The time inside, of which `true` says that the input's running time was found anew.
    pub fn measure(&mut self) -> bool {
        let mut has_input = false;
        if self.input.is_tainted {
            let segment = self.input.segment();
            self.input.running_time = running_time(&segment, segment.position);
            // Nothing left yet: as far as the others are concerned it is where it begins.
            self.place.last_time = self.place.last_time.or(self.input.running_time);
            has_input = self.input.running_time.is_some();
            self.input.is_tainted = !has_input;
        }
        if self.output.is_tainted {
            // Without a segment of its own the output is where the input was when it began.
            let segment = self.output.segment.unwrap_or_else(|| self.input.segment());
            self.output.running_time = running_time(&segment, segment.position);
            self.output.is_tainted = self.output.running_time.is_none();
        }
        let ends = self.input.running_time.zip(self.output.running_time);
        let distance = ends.and_then(|(input, output)| input.checked_sub(output));
        self.level.time = distance.and_then(|distance| u64::try_from(distance).ok()).unwrap_or(0);
        has_input
    }

    /// Running time at the input.
    pub fn input_running_time(&self) -> Option<i64> {
        self.input.running_time
    }
}
