//! `input-selector` lets one of its sink pads through, and drops what comes at the others.
//!
//! With `sync-streams` the others wait until the active stream, or the clock, has got to where they are; so
//! a switch goes on at the same time.
//!
//! Invariant: what leaves came through the active pad, after that pad's sticky events; the first buffer
//! after a hole carries DISCONT.
//! In GStreamer: `plugins/elements/gstinputselector.c`.
//! Left out: the properties of its pads (`always-ok` is as if true); ends of groups of streams.
//!
//! ```text
//! input-selector name=s ! fakesink fakesrc num-buffers=3 ! s. fakesrc num-buffers=3 ! s.
//! ```

mod inputs;

use gst_mini_core::element_prelude::*;
use inputs::{Input, Inputs, State, end_time};
use parking_lot::MutexGuard;

const SYNC_MODE: &str = "enum:active-segment=0,clock=1";
const CLOCK: i32 = 1;
const SRC: PadId = FIRST_PAD;
/// Waiter: the active pad, its time or an end has changed.
const CHANGE: u32 = 0;

pub struct InputSelector {
    sync_streams: Live<bool>,
    sync_mode: Live<i32>,
    cache_buffers: Live<bool>,
    drop_backwards: Live<bool>,
    n_pads: Live<u32>,
    inputs: Inputs,
}

impl Default for InputSelector {
    fn default() -> Self {
        let no = || Live::new(false);
        InputSelector {
            sync_streams: Live::new(true),
            sync_mode: Live::new(0),
            cache_buffers: no(),
            drop_backwards: no(),
            n_pads: Live::new(0),
            inputs: Inputs::default(),
        }
    }
}

impl Element for InputSelector {
    const NAME: &str = "input-selector";
    const SUMMARY: &str = "N-to-1 input stream selector";
    const LONG_NAME: &str = "Input selector";
    const PADS: &[PadTemplate] =
        &[PadTemplate::src(ANY), PadTemplate::request_sink("sink_%u", ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("active-pad", types::PAD, "Name of the sink pad let through", |e: &Self| {
            &e.inputs
        }),
        Prop::live("n-pads", types::UINT, "The number of sink pads", |e: &Self| &e.n_pads)
            .read_only(),
        Prop::live(
            "sync-streams",
            types::BOOLEAN,
            "Inactive streams wait for the running time of the active one, or for the clock",
            |e: &Self| &e.sync_streams,
        )
        .ready_only(),
        Prop::live("sync-mode", SYNC_MODE, "What inactive streams wait for", |e: &Self| {
            &e.sync_mode
        })
        .ready_only(),
        Prop::live(
            "cache-buffers",
            types::BOOLEAN,
            "Keep what the active pad sent, to go on with it after a switch",
            |e: &Self| &e.cache_buffers,
        )
        .ready_only(),
        Prop::live(
            "drop-backwards",
            types::BOOLEAN,
            "Drop buffers that would go back in time after a switch",
            |e: &Self| &e.drop_backwards,
        )
        .ready_only(),
    ];
}

impl InputSelector {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.inputs.0.lock()
    }

    fn running_time_now(cx: &Cx) -> Option<u64> {
        cx.running_time().map(RunningTime::nanos)
    }

    /// Waits until the active stream has passed this buffer, or this pad is active.
    fn wait(&self, cx: &Cx, buf: &Buffer) -> FlowResult {
        loop {
            let mut state = self.lock();
            let active = state.active();
            let Some(segment) = state.input(cx.pad()).map(|input| input.segment) else {
                return Ok(());
            };
            let in_time = buf.pts().is_some() && segment.format == Format::Time;
            let Some(end) = in_time.then(|| end_time(&segment, buf)).flatten() else {
                return Ok(());
            };
            if active == Some(cx.pad()) || state.ended {
                return Ok(());
            }
            if self.sync_mode.get() == CLOCK {
                let latency = i64::try_from(state.upstream_latency).unwrap_or(i64::MAX);
                drop(state);
                return cx.sync(RunningTime::from_nanos(end), latency);
            }
            let theirs = active.and_then(|active| Some(state.input(active)?.segment.format));
            if !matches!(theirs, Some(Format::Time | Format::Undefined) | None) {
                return Ok(());
            }
            if state.active_time().is_some_and(|now| end < now) {
                return Ok(());
            }
            let ticket = cx.ticket(CHANGE);
            drop(state);
            cx.wait(CHANGE, ticket, None)?;
        }
    }

    /// Sends the sticky events of this call's pad.
    fn introduce(&self, cx: &Cx) {
        let (grouped, own) = {
            let mut state = self.lock();
            let grouped = state.grouped;
            let own = state.input(cx.pad()).map(|input| {
                input.owes_events = false;
                Event::segment(input.segment).with_seqnum(input.seqnum)
            });
            (grouped, own)
        };
        for event in cx.sticky_events(cx.pad()) {
            match &event.kind {
                EventKind::Segment(_) => {
                    if let Some(own) = &own {
                        cx.push_event(SRC, own);
                    }
                }
                // Streams that do not say that they belong together are told as one.
                EventKind::StreamStart { .. } if !grouped && !cx.sticky_events(SRC).is_empty() => {}
                EventKind::Eos => {}
                _ => {
                    cx.push_event(SRC, &event);
                }
            }
        }
    }

    /// One buffer, its own or one that was kept.
    fn pass(&self, cx: &Cx, before: Option<PadId>, mut buf: Buffer) -> FlowResult {
        let sync = self.sync_streams.get();
        if sync {
            self.wait(cx, &buf)?;
        }
        let mut state = self.lock();
        let active = state.active();
        let Some(input) = state.input(cx.pad()) else { return Err(FlowError::Flushing) };
        if let Some(pts) = buf.pts() {
            input.segment.position = Some(pts.nanos());
        }
        if active != Some(cx.pad()) {
            input.discont = true;
            return Ok(());
        }
        let (owes, discont, segment) = (input.owes_events, input.discont, input.segment);
        drop(state);
        if sync {
            cx.wake(CHANGE);
        }
        if before != active {
            self.tell(cx);
        }
        if owes || before != active {
            self.introduce(cx);
        }
        let at = buf.dts_or_pts().filter(|_| segment.format == Format::Time);
        let at = at.and_then(|at| segment.running_time_of(at.nanos()));
        if discont {
            let mut state = self.lock();
            let is_back = at.zip(state.last_output).is_some_and(|(at, last)| at < last);
            if sync && self.drop_backwards.get() && is_back {
                return Ok(());
            }
            if let Some(input) = state.input(cx.pad()) {
                input.discont = false;
            }
            drop(state);
            buf.set_flags(BufferFlags::DISCONT);
        }
        self.lock().last_output = at;
        let keeps = sync && self.cache_buffers.get();
        let kept = keeps.then(|| buf.clone());
        let flow = cx.push(SRC, buf);
        let now = Self::running_time_now(cx).filter(|_| self.sync_mode.get() == CLOCK);
        let mut state = self.lock();
        let is_active = state.active() == Some(cx.pad());
        if let Some(input) = state.input(cx.pad()) {
            input.pushed |= is_active || !keeps;
            if let Some(kept) = kept.filter(|_| input.segment.format == Format::Time) {
                let segment = input.segment;
                input.cached.push_back((kept, segment));
            }
        }
        if keeps {
            let now = if self.sync_mode.get() == CLOCK { now } else { state.active_time() };
            state.forget_old(now);
        }
        flow
    }

    /// Says which pad is active now.
    fn tell(&self, cx: &Cx) {
        let name = self.inputs.text();
        cx.publish("active-pad", name);
    }

    /// What was kept of this pad is sent once more, after a switch to it.
    fn pass_kept(&self, cx: &Cx, before: Option<PadId>) {
        let (kept, own) = {
            let mut state = self.lock();
            let active = state.active();
            let Some(input) = state.input(cx.pad()) else { return };
            if input.cached.is_empty() || (active == Some(input.id) && input.pushed) {
                return;
            }
            (std::mem::take(&mut input.cached), input.segment)
        };
        for (buf, segment) in kept {
            {
                let mut state = self.lock();
                if state.ended || cx.is_flushing() {
                    break;
                }
                if let Some(input) = state.input(cx.pad()) {
                    (input.segment, input.owes_events) = (segment, true);
                }
            }
            // Each is a buffer of its own; what became of one says nothing of the next.
            let _ = self.pass(cx, before, buf);
        }
        if let Some(input) = self.lock().input(cx.pad()) {
            (input.segment, input.owes_events) = (own, true);
        }
    }

    /// The stream of this call's pad has ended: it waits here until all have, and sends the end when it
    /// is, or becomes, the active one.
    fn end(&self, cx: &Cx, event: &Event) -> FlowResult {
        {
            let mut state = self.lock();
            if let Some(input) = state.input(cx.pad()) {
                input.ended = true;
            }
            if state.pads.iter().all(|input| input.ended) {
                state.ended = true;
                let is_active = state.active() == Some(cx.pad());
                let owes = state.input(cx.pad()).is_some_and(|input| input.owes_events);
                drop(state);
                cx.wake(CHANGE);
                if is_active {
                    if owes {
                        self.introduce(cx);
                    }
                    cx.push_event(SRC, event);
                }
                return Ok(());
            }
        }
        loop {
            let mut state = self.lock();
            if state.ended {
                return Ok(());
            }
            let active = state.active();
            let Some(input) = state.input(cx.pad()) else { return Ok(()) };
            if active == Some(input.id) && !input.end_sent {
                input.end_sent = true;
                let owes = input.owes_events;
                drop(state);
                if owes {
                    self.introduce(cx);
                }
                cx.push_event(SRC, event);
                cx.wake(CHANGE);
                continue;
            }
            let ticket = cx.ticket(CHANGE);
            drop(state);
            cx.wait(CHANGE, ticket, None)?;
        }
    }
}

impl MultiPad for InputSelector {
    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        let mut state = self.lock();
        if !state.chosen {
            state.active = None;
        }
        for input in &mut state.pads {
            *input = Input::new(input.id, &input.name);
        }
        (state.ended, state.grouped) = (false, true);
        (state.upstream_latency, state.last_output) = (0, None);
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let before = {
            let mut state = self.lock();
            let before = state.active;
            state.active();
            before
        };
        if self.sync_streams.get() && self.cache_buffers.get() {
            self.pass_kept(cx, before);
        }
        self.pass(cx, before, buf)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if matches!(event.kind, EventKind::Eos) {
            return self.end(cx, &event);
        }
        let (is_active, is_new) = {
            let mut state = self.lock();
            let before = state.active;
            let active = state.active();
            if matches!(event.kind, EventKind::StreamStart { group_id: None, .. }) {
                state.grouped = false;
            }
            if let Some(input) = state.input(cx.pad()) {
                match &event.kind {
                    EventKind::Segment(segment) => {
                        (input.segment, input.seqnum) = (*segment, event.seqnum);
                    }
                    EventKind::Gap { pts, duration } => {
                        let end = *pts + duration.unwrap_or(ClockTime::ZERO);
                        input.segment.position = Some(end.nanos());
                    }
                    _ => {}
                }
                if active != Some(input.id) && event.is_sticky() {
                    input.owes_events = true;
                }
            }
            (active == Some(cx.pad()), before != active)
        };
        if is_new {
            self.tell(cx);
        }
        if !is_active {
            return Ok(());
        }
        if self.sync_streams.get() && matches!(event.kind, EventKind::Gap { .. }) {
            cx.wake(CHANGE);
        }
        if cx.push_event(SRC, &event) { Ok(()) } else { Err(FlowError::Error) }
    }

    fn oob_event(&self, cx: &Cx, event: &Event) -> bool {
        let is_active = {
            let mut state = self.lock();
            match event.kind {
                EventKind::FlushStart => state.ended = false,
                EventKind::FlushStop { .. } => state.last_output = None,
                _ => {}
            }
            state.active() == Some(cx.pad())
        };
        cx.wake(CHANGE);
        is_active
    }

    fn flush(&self, cx: &Cx) {
        if let Some(input) = self.lock().input(cx.pad()) {
            *input = Input::new(input.id, &input.name);
        }
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        if cx.pad() != SRC {
            return false;
        }
        match query {
            Query::Caps { filter, result } => {
                let active = self.lock().active;
                let mut ask = Query::caps(filter.clone());
                let answered = active.is_some_and(|active| cx.peer_query(active, &mut ask));
                let caps = match ask {
                    Query::Caps { result: Some(caps), .. } if answered => caps,
                    _ => filter.clone().unwrap_or_else(Caps::any),
                };
                *result = Some(caps);
                true
            }
            Query::Latency { .. } => {
                if !cx.query_default(query) {
                    return false;
                }
                if let Query::Latency { live, min, .. } = query {
                    self.lock().upstream_latency = if *live { min.nanos() } else { 0 };
                    *live |= self.sync_mode.get() == CLOCK;
                }
                true
            }
            _ => false,
        }
    }

    fn property_changed(&self, cx: &Cx, name: &str) {
        if name != "active-pad" {
            return;
        }
        let (old, new) = {
            let mut state = self.lock();
            let Some(wanted) = state.wanted.take() else { return };
            state.chosen = wanted.is_some();
            let old = std::mem::replace(&mut state.active, wanted);
            if old == wanted {
                return;
            }
            if let Some(input) = old.and_then(|old| state.input(old)) {
                input.pushed = false;
            }
            if let Some(input) = wanted.and_then(|new| state.input(new)) {
                (input.pushed, input.owes_events) = (false, true);
                if input.ended {
                    input.end_sent = false;
                }
            }
            (old, wanted)
        };
        for pad in [old, new].into_iter().flatten() {
            cx.push_event(pad, &Event::new(EventKind::Reconfigure));
        }
        cx.wake(CHANGE);
    }

    fn pad_name(&self, _: &Cx, _: &str) -> Option<String> {
        // The order counts, not what was asked for.
        Some(format!("sink_{}", self.lock().named))
    }

    fn pad_added(&self, cx: &Cx, name: &str) -> bool {
        let mut state = self.lock();
        state.named += 1;
        state.pads.push(Input::new(cx.pad(), name));
        self.n_pads.set(state.pads.len() as u32);
        true
    }

    fn pad_removed(&self, cx: &Cx) {
        let was_active = {
            let mut state = self.lock();
            state.pads.retain(|input| input.id != cx.pad());
            self.n_pads.set(state.pads.len() as u32);
            let was_active = state.active == Some(cx.pad());
            if was_active {
                (state.active, state.chosen) = (None, false);
            }
            was_active
        };
        if was_active {
            self.tell(cx);
        }
        cx.wake(CHANGE);
    }
}
