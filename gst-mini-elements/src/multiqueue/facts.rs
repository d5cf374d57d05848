//! What `multiqueue` says of itself, and its callbacks.
//!
//! Invariant: every callback finds the queue of its pad anew, as pads come and go.
//! In GStreamer: `plugins/elements/gstmultiqueue.c` (`gst_multi_queue_class_init`, `gst_single_queue_new`).
//! Left out: as in the module above.

use super::*;

/// The property `stats`.
#[derive(Default)]
pub struct Stats(Arc<Mutex<State>>);

impl LiveField for Stats {
    fn set_text(&self, _: &str) -> Result<(), String> {
        Err("it is read-only".to_owned())
    }
    fn text(&self) -> String {
        let of_one = |single: &Single| {
            let level = single.level();
            let stats = Structure::new(format!("queue_{}", single.id))
                .with("buffers", u32::try_from(level.buffers).unwrap_or(u32::MAX))
                .with("bytes", u32::try_from(level.bytes).unwrap_or(u32::MAX))
                .with("time", level.time);
            Value::Structure(Box::new(stats))
        };
        let queues: Vec<Value> = self.0.lock().queues.iter().map(of_one).collect();
        let stats = Structure::new("application/x-gst-multi-queue-stats");
        match queues.is_empty() {
            true => stats.to_string(),
            false => stats.with("queues", Value::Array(queues)).to_string(),
        }
    }
}

impl Default for MultiQueue {
    fn default() -> Self {
        let state = Arc::<Mutex<State>>::default();
        MultiQueue { settings: Settings::default(), stats: Stats(state.clone()), state }
    }
}

const GROWS: &str = "Has no effect, as in GStreamer";

impl Element for MultiQueue {
    const NAME: &str = "multiqueue";
    const SUMMARY: &str = "Multiple data queue";
    const LONG_NAME: &str = "MultiQueue";
    const PADS: &[PadTemplate] = &[
        PadTemplate::request_sink("sink_%u", ANY).paired().of_type("GstMultiQueuePad"),
        PadTemplate::sometimes_src("src_%u", ANY).paired().with_task().of_type("GstMultiQueuePad"),
    ];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("extra-size-buffers", types::UINT, GROWS, |e: &Self| &e.settings.extra_buffers),
        Prop::live("extra-size-bytes", types::UINT, GROWS, |e: &Self| &e.settings.extra_bytes)
            .unit("bytes"),
        Prop::live("extra-size-time", types::UINT64, GROWS, |e: &Self| &e.settings.extra_time)
            .unit("ns"),
        Prop::live("high-percent", types::INT, "Buffering ends there", |e: &Self| {
            &e.settings.high.percent
        })
        .unit("%")
        .range("0", "100"),
        Prop::live("high-watermark", types::DOUBLE, "Buffering ends there", |e: &Self| {
            &e.settings.high.watermark
        })
        .range("0", "1"),
        Prop::live("low-percent", types::INT, "Buffering begins below", |e: &Self| {
            &e.settings.low.percent
        })
        .unit("%")
        .range("0", "100"),
        Prop::live("low-watermark", types::DOUBLE, "Buffering begins below", |e: &Self| {
            &e.settings.low.watermark
        })
        .range("0", "1"),
        Prop::live(
            "max-size-buffers",
            types::UINT,
            "Most buffers in a queue while none is empty, 0: no limit",
            |e: &Self| &e.settings.max_buffers,
        ),
        Prop::live(
            "max-size-bytes",
            types::UINT,
            "Most bytes in a queue, 0: no limit",
            |e: &Self| &e.settings.max_bytes,
        )
        .unit("bytes"),
        Prop::live(
            "max-size-time",
            types::UINT64,
            "Most time in a queue, 0: no limit",
            |e: &Self| &e.settings.max_time,
        )
        .unit("ns"),
        Prop::live(
            "min-interleave-time",
            types::UINT64,
            "Least time to hold with use-interleave",
            |e: &Self| &e.settings.min_interleave_time,
        )
        .unit("ns"),
        Prop::live("stats", types::STRUCTURE, "Levels of the queues", |e: &Self| &e.stats)
            .read_only(),
        Prop::live(
            "sync-by-running-time",
            types::BOOLEAN,
            "Streams that nobody takes wait by running time",
            |e: &Self| &e.settings.sync_by_running_time,
        ),
        Prop::live(
            "unlinked-cache-time",
            types::UINT64,
            "By how much those are ahead with sync-by-running-time",
            |e: &Self| &e.settings.unlinked_cache_time,
        )
        .unit("ns"),
        Prop::live(
            "use-buffering",
            types::BOOLEAN,
            "Post messages about how full the queues are",
            |e: &Self| &e.settings.use_buffering,
        ),
        Prop::live(
            "use-interleave",
            types::BOOLEAN,
            "Hold as much time as the streams are apart",
            |e: &Self| &e.settings.use_interleave,
        ),
    ];
    const SIGNALS: &[Signal] = &[
        Signal::emitted("underrun", "All queues are empty"),
        Signal::emitted("overrun", "A queue is full, and none is empty"),
    ];
}

impl MultiPad for MultiQueue {
    fn start(&self, cx: &Cx) -> Result<(), ElementError> {
        let mut state = self.state.lock();
        let limit = self.settings.limit();
        state.front.time = None;
        for at in 0..state.queues.len() {
            state.queues[at].reset(limit.buffers);
            state.queues[at].forget_groups();
            state.update_buffering(at, &self.settings);
        }
        self.unlock(cx, state);
        Ok(())
    }

    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        let mut state = self.state.lock();
        let limit = self.settings.limit();
        state.queues.iter_mut().for_each(|single| single.reset(limit.buffers));
        state.forget_interleave();
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let mut state = self.state.lock();
        let at = state.of_sink(cx.pad())?;
        if state.queues[at].is_eos {
            return Err(FlowError::Eos);
        }
        state.queues[at].is_active = true;
        let (id, step) = (state.next_id(), Step::of_buffer(&buf));
        state.look_ahead(at, &step, &self.settings);
        let (mut state, at) = self.put(cx, state, Item::Buffer(buf), id)?;
        state.came_in(at, &step, &self.settings);
        let result = state.queues[at].result;
        self.unlock(cx, state);
        result
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        let mut state = self.state.lock();
        let at = state.of_sink(cx.pad())?;
        let (id, step) = (state.next_id(), Step::of_event(&event));
        match step {
            Step::Stream(_) => {
                state.queues[at].thread = gst_mini_core::runtime::task_number();
                state.queues[at].is_eos = false;
                state.queues[at].moves_in(&step);
            }
            Step::Segment(_) => state.queues[at].is_segment_done = false,
            Step::Gap(..) => state.look_ahead(at, &step, &self.settings),
            _ => {}
        }
        if state.queues[at].is_eos {
            return Err(FlowError::Eos);
        }
        let is_end = matches!(event.kind, EventKind::Eos);
        let is_done = matches!(event.kind, EventKind::SegmentDone { .. });
        let (mut state, at) = self.put(cx, state, Item::Event(Box::new(event)), id)?;
        match step {
            Step::Segment(_) => {
                state.came_in(at, &step, &self.settings);
                // Downstream's end was that of the segment before.
                let single = &mut state.queues[at];
                if single.result == Err(FlowError::Eos) {
                    single.result = Ok(());
                }
            }
            Step::Gap(..) => {
                state.queues[at].is_active = true;
                state.came_in(at, &step, &self.settings);
            }
            _ => {}
        }
        if is_end || is_done {
            state.queues[at].is_eos |= is_end;
            state.queues[at].is_segment_done |= is_done;
            self.filled(cx, state, at);
        } else {
            self.unlock(cx, state);
        }
        Ok(())
    }

    fn oob_event(&self, cx: &Cx, event: &Event) -> bool {
        if matches!(event.kind, EventKind::FlushStart) {
            let mut state = self.state.lock();
            if let Ok(at) = state.of_sink(cx.pad()) {
                let single = &mut state.queues[at];
                (single.result, single.is_flushing) = (Err(FlowError::Flushing), true);
                state.close(at);
            }
            self.unlock(cx, state);
        }
        true
    }

    fn flush(&self, cx: &Cx) {
        let mut state = self.state.lock();
        let Ok(at) = state.of_sink(cx.pad()) else { return };
        let untold = state.queues[at].clear();
        state.queues[at].reset(self.settings.limit().buffers);
        state.front.time = None;
        state.update_buffering(at, &self.settings);
        let src = state.queues[at].src;
        self.unlock(cx, state);
        if let Some(src) = src {
            tell_untold(cx, src, untold);
        }
    }

    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        if matches!(event.kind, EventKind::Reconfigure) {
            let mut state = self.state.lock();
            if let Some(at) = state.of_src(cx.pad())
                && state.queues[at].result == Err(FlowError::NotLinked)
            {
                // It is linked now, so it is tried again.
                state.queues[at].result = Ok(());
                state.wakes.turn = true;
            }
            self.unlock(cx, state);
        }
        cx.event_default(event)
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        if matches!(query, Query::Allocation(_)) {
            // Data of other streams may be on its way too, so nothing is offered.
            return true;
        }
        // At a sink pad; a source pad is asked nothing that keeps its place.
        query.is_serialized()
            && self.ask(cx, query).ok().flatten().map(|answer| *query = answer).is_some()
    }

    fn produce(&self, cx: &Cx) -> FlowResult<Option<Buffer>> {
        match self.send_next(cx) {
            Ok(()) => Ok(None),
            Err(why) => {
                self.give_up(cx);
                Err(why)
            }
        }
    }

    fn pad_name(&self, _: &Cx, wanted: &str) -> Option<String> {
        let number = wanted.strip_prefix("sink_").and_then(|number| number.parse::<u32>().ok());
        if number.is_some() {
            return None;
        }
        let state = self.state.lock();
        let is_free = |id: &u32| state.queues.iter().all(|single| single.id != *id);
        (0..).find(is_free).map(|id| format!("sink_{id}"))
    }

    fn pad_added(&self, cx: &Cx, name: &str) -> bool {
        let number = name.strip_prefix("sink_").and_then(|number| number.parse().ok());
        let Some(id) = number else { return false };
        {
            let mut state = self.state.lock();
            let at = state.queues.partition_point(|single| single.id < id);
            state.queues.insert(at, Single::new(id, cx.pad(), self.settings.limit()));
        }
        let src = cx.add_pad("src_%u", &format!("src_{id}"), &[]);
        let mut state = self.state.lock();
        match src {
            Some(_) => {
                if let Ok(at) = state.of_sink(cx.pad()) {
                    state.queues[at].src = src;
                }
                // Its task may be there already.
                state.wakes.item = true;
            }
            None => state.queues.retain(|single| single.sink != cx.pad()),
        }
        self.unlock(cx, state);
        src.is_some()
    }

    fn pad_removed(&self, cx: &Cx) {
        let mut state = self.state.lock();
        let Ok(at) = state.of_sink(cx.pad()) else { return };
        let single = state.queues.remove(at);
        state.wakes = Wakes::ALL;
        self.unlock(cx, state);
        if let Some(src) = single.src {
            cx.remove_pad(src);
        }
    }

    fn property_changed(&self, cx: &Cx, name: &str) {
        let settings = &self.settings;
        let mut state = self.state.lock();
        let limit = settings.limit();
        match name {
            "max-size-buffers" => {
                for single in &mut state.queues {
                    let level = single.level().buffers;
                    // One that has grown does not shrink below what it holds.
                    single.limit.buffers = match (limit.buffers, single.limit.buffers) {
                        (0, _) => 0,
                        (new, 0) => new.max(level),
                        (new, _) if new > level => new,
                        (_, old) => old,
                    };
                }
            }
            "max-size-bytes" => {
                state.queues.iter_mut().for_each(|single| single.limit.bytes = limit.bytes);
            }
            "max-size-time" => state.set_max_time(limit.time, settings),
            "use-buffering" | "low-percent" | "high-percent" | "low-watermark"
            | "high-watermark" => state.recheck_buffering(settings),
            "min-interleave-time" if settings.use_interleave.get() => {
                state.calculate_interleave(None, settings);
            }
            _ => {}
        }
        if name.starts_with("max-size-") {
            for at in 0..state.queues.len() {
                state.update_buffering(at, settings);
            }
        }
        // A new limit may end a wait.
        state.wakes = Wakes { item: false, answer: false, ..Wakes::ALL };
        self.unlock(cx, state);
    }
}
