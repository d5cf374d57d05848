//! `concat` plays its sink pads one after the other, in the order in which they were asked for.
//!
//! Invariant: one sink pad sends at a time; the others wait at their first event or buffer. With
//! `adjust-base` the running time of a stream begins where that of the one before ended.
//! In GStreamer: `plugins/elements/gstconcat.c`.
//! Left out: queries kept in order with the data. Going on with the pad it stopped at, or with none, when
//! it is started again: it begins with the first.
//!
//! ```text
//! concat name=c ! fakesink fakesrc num-buffers=3 ! c. fakesrc num-buffers=3 ! c.
//! ```

use crate::routing::fixed_caps;
use gst_mini_core::element_prelude::*;
use gst_mini_core::message::MessageKind;
use parking_lot::Mutex;

const SRC: PadId = FIRST_PAD;
const TURN: u32 = 0;

pub struct Concat {
    adjust_base: Live<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those that were asked for, in that order.
    pads: Vec<Input>,
    current: Option<PadId>,
    /// How many pads were ever named.
    named: u32,
    /// Whether it is PAUSED or PLAYING.
    runs: bool,
    /// Of all streams; the first segment decides.
    format: Option<Format>,
    /// What the streams before the present one came to: running time, or bytes.
    offset: u64,
    /// Where the present stream has got to.
    last_stop: Option<u64>,
}

struct Input {
    id: PadId,
    name: String,
    segment: Option<Segment>,
}

impl Default for Concat {
    fn default() -> Self {
        Concat { adjust_base: Live::new(true), state: Mutex::default() }
    }
}

impl Element for Concat {
    const NAME: &str = "concat";
    const SUMMARY: &str = "Concatenate multiple streams";
    const LONG_NAME: &str = "Concat";
    const PADS: &[PadTemplate] = &[
        PadTemplate::src(ANY),
        PadTemplate::request_sink("sink_%u", ANY).with_allocation().of_type("GstConcatPad"),
    ];
    const PROPS: &[Prop<Self>] = &[
        Prop::published("active-pad", types::PAD, "Name of the sink pad that sends", ""),
        Prop::live(
            "adjust-base",
            types::BOOLEAN,
            "Adjust the base value of segments to ensure they are adjacent",
            |e: &Self| &e.adjust_base,
        ),
    ];
}

impl State {
    fn input(&mut self, id: PadId) -> Option<&mut Input> {
        self.pads.iter_mut().find(|input| input.id == id)
    }

    fn current_name(&self) -> String {
        let current = self.pads.iter().find(|input| Some(input.id) == self.current);
        current.map(|input| input.name.clone()).unwrap_or_default()
    }

    /// A pad takes the place of one that is over only when there is no other.
    fn is_sole(&self) -> bool {
        self.pads.len() == 1
    }

    /// The pad whose turn is next.
    fn next(&self) -> Option<&Input> {
        let at = self.pads.iter().position(|input| Some(input.id) == self.current)?;
        self.pads.get(at + 1)
    }

    fn next_name(&self) -> String {
        self.next().map(|input| input.name.clone()).unwrap_or_default()
    }

    /// The present stream is over: the next pad sends. `false` if there is none.
    fn switch(&mut self) -> bool {
        let Some(at) = self.pads.iter().position(|input| Some(input.id) == self.current) else {
            return false;
        };
        if let Some(segment) = self.pads[at].segment {
            let reached = self.last_stop.or(segment.stop).unwrap_or(segment.start);
            let reached = segment.stop.map_or(reached, |stop| reached.min(stop));
            let length = match segment.format {
                Format::Time => segment.running_time_of(reached).unwrap_or(0),
                _ => reached.saturating_add(segment.start),
            };
            self.offset = self.offset.saturating_add(length);
        }
        self.current = self.pads.get(at + 1).map(|input| input.id);
        self.last_stop = None;
        self.current.is_some()
    }

    fn reset(&mut self) {
        (self.format, self.offset, self.last_stop) = (None, 0, None);
        self.pads.iter_mut().for_each(|input| input.segment = None);
    }

    /// How far a buffer of this pad brings the stream.
    fn advance(&mut self, id: PadId, buf: &Buffer) {
        let start = self.input(id).and_then(|input| input.segment).map_or(0, |s| s.start);
        let reached = self.last_stop.unwrap_or(start);
        self.last_stop = Some(match (self.format, buf.pts()) {
            (Some(Format::Time), Some(pts)) => {
                reached.max((pts + buf.duration().unwrap_or(ClockTime::ZERO)).nanos())
            }
            (Some(Format::Time), None) => reached,
            _ => reached.saturating_add(buf.size() as u64),
        });
    }
}

impl Concat {
    /// Waits until the pad of this call is the one that sends.
    fn wait(&self, cx: &Cx) -> FlowResult {
        loop {
            let mut state = self.state.lock();
            if state.current.is_none() && state.is_sole() {
                state.current = Some(cx.pad());
            }
            if state.current == Some(cx.pad()) {
                return Ok(());
            }
            let ticket = cx.ticket(TURN);
            drop(state);
            cx.wait(TURN, ticket, None)?;
        }
    }

    /// The present stream is over. The next one's name is shown before its turn comes, as its thread may
    /// be through with it before this one goes on. `false` if there is no next.
    fn switch(&self, cx: &Cx) -> bool {
        let mut name = self.state.lock().next_name();
        loop {
            cx.publish("active-pad", &name);
            let mut state = self.state.lock();
            let now = state.next_name();
            if now == name {
                return state.switch();
            }
            name = now;
        }
    }

    /// What the streams before took, if running times are moved by it.
    fn moved(&self) -> Option<u64> {
        let state = self.state.lock();
        (self.adjust_base.get() && state.format == Some(Format::Time)).then_some(state.offset)
    }

    fn refuse(&self, cx: &Cx, why: String) -> FlowResult {
        Err(cx.error(ErrorKind::Core, why))
    }

    /// The stream's own segment is replaced by one that begins where the last one ended.
    fn segment(&self, cx: &Cx, segment: Segment, seqnum: u32) -> FlowResult {
        {
            let mut state = self.state.lock();
            if let Some(input) = state.input(cx.pad()) {
                input.segment = Some(segment);
            }
            let format = *state.format.get_or_insert(segment.format);
            drop(state);
            if !matches!(segment.format, Format::Time | Format::Bytes) {
                self.state.lock().format = None;
                let why = format!("works in time or bytes, not in {}", segment.format.nick());
                return self.refuse(cx, why);
            }
            if format != segment.format {
                let (ours, theirs) = (format.nick(), segment.format.nick());
                let why =
                    format!("works in {ours}, as its first stream did, and this has {theirs}");
                return self.refuse(cx, why);
            }
        }
        self.wait(cx)?;
        let mut segment = segment;
        if self.adjust_base.get() {
            let offset = self.state.lock().offset;
            segment.duration = None;
            if segment.format == Format::Time {
                segment.base = segment.base.saturating_add(offset);
            } else {
                segment.start = segment.start.saturating_add(offset);
                segment.stop = segment.stop.map(|stop| stop.saturating_add(offset));
            }
        }
        let event = Event::segment(segment).with_seqnum(seqnum);
        if cx.event_default(&event) { Ok(()) } else { Err(FlowError::Error) }
    }

    /// The end of a stream is the end of all only when no pad is left.
    fn end(&self, cx: &Cx, event: &Event) -> FlowResult {
        self.wait(cx)?;
        let next = self.switch(cx);
        cx.wake(TURN);
        if next {
            cx.post(MessageKind::DurationChanged);
        } else {
            cx.event_default(event);
        }
        Ok(())
    }
}

impl MultiPad for Concat {
    fn start(&self, cx: &Cx) -> Result<(), ElementError> {
        let mut state = self.state.lock();
        state.reset();
        state.runs = true;
        // Streams begin anew, so the first one is first again.
        state.current = state.pads.first().map(|input| input.id);
        let name = state.current_name();
        drop(state);
        cx.publish("active-pad", name);
        Ok(())
    }

    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        self.state.lock().runs = false;
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        self.wait(cx)?;
        self.state.lock().advance(cx.pad(), &buf);
        cx.push(SRC, buf)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        match event.kind {
            EventKind::Segment(segment) => self.segment(cx, segment, event.seqnum),
            EventKind::Eos => self.end(cx, &event),
            _ => {
                self.wait(cx)?;
                if cx.event_default(&event) { Ok(()) } else { Err(FlowError::Error) }
            }
        }
    }

    fn oob_event(&self, cx: &Cx, event: &Event) -> bool {
        let mut state = self.state.lock();
        let goes_on = state.current == Some(cx.pad()) || state.is_sole();
        match event.kind {
            EventKind::FlushStart => goes_on,
            EventKind::FlushStop { reset_time } => {
                if goes_on && reset_time {
                    (state.offset, state.last_stop) = (0, None);
                }
                goes_on
            }
            _ => true,
        }
    }

    fn flush(&self, cx: &Cx) {
        if let Some(input) = self.state.lock().input(cx.pad()) {
            input.segment = None;
        }
    }

    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        let mut event = event.clone();
        let current = self.state.lock().current;
        let to = match &mut event.kind {
            EventKind::Seek(_) => {
                let state = self.state.lock();
                current.or_else(|| state.pads.first().filter(|_| state.is_sole()).map(|i| i.id))
            }
            EventKind::Qos { timestamp, .. } => {
                // Upstream counts running time from the beginning of its own stream.
                if let Some(moved) = self.moved() {
                    *timestamp = timestamp.map(|t| t.saturating_sub(ClockTime::from_nanos(moved)));
                }
                current
            }
            EventKind::FlushStop { reset_time } => {
                if *reset_time {
                    self.state.lock().offset = 0;
                }
                return cx.event_default(&event);
            }
            _ => return cx.event_default(&event),
        };
        to.is_some_and(|pad| cx.push_event(pad, &event))
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        fixed_caps(cx, SRC, query)
    }

    fn pad_name(&self, _: &Cx, _: &str) -> Option<String> {
        // The order counts, not what was asked for.
        Some(format!("sink_{}", self.state.lock().named))
    }

    fn pad_added(&self, cx: &Cx, name: &str) -> bool {
        let first = {
            let mut state = self.state.lock();
            state.named += 1;
            state.pads.push(Input { id: cx.pad(), name: name.to_owned(), segment: None });
            let first = state.current.is_none();
            if first {
                state.current = Some(cx.pad());
            }
            first
        };
        if first {
            cx.publish("active-pad", name);
        }
        true
    }

    fn pad_removed(&self, cx: &Cx) {
        let was_current = self.state.lock().current == Some(cx.pad());
        let next = was_current && self.switch(cx);
        let runs = {
            let mut state = self.state.lock();
            state.pads.retain(|input| input.id != cx.pad());
            state.runs
        };
        if !was_current {
            return;
        }
        cx.wake(TURN);
        match (runs, next) {
            (true, true) => cx.post(MessageKind::DurationChanged),
            (true, false) => {
                cx.push_event(SRC, &Event::eos());
            }
            (false, _) => {}
        }
    }
}
