//! `clocksync` holds each buffer until its time has come.
//!
//! Invariant: nothing is changed but when it leaves.
//! In GStreamer: `plugins/elements/gstclocksync.c`.
//! Left out: providing the system clock, which a pipeline uses anyway.
//!
//! ```text
//! fakesrc num-buffers=3 format=time datarate=100 sizetype=fixed sizemax=10 ! clocksync ! fakesink
//! ```

use gst_mini_core::element_prelude::*;
use std::sync::Arc;

const SRC: PadId = SECOND_PAD;

pub struct ClockSync {
    sync: Live<bool>,
    ts_offset: Live<i64>,
    sync_to_first: Live<bool>,
    is_first: bool,
    segment: Option<Segment>,
    latency: Arc<Latency>,
}

/// How late data comes from upstream.
struct Latency(Live<u64>);

impl Shared for Latency {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        if cx.pad() != SRC || !matches!(query, Query::Latency { .. }) || !cx.query_default(query) {
            return false;
        }
        if let Query::Latency { live, min, max } = query {
            let syncs = cx.property_as("sync").unwrap_or(true);
            if syncs && max.is_some_and(|max| max < *min) {
                let text = "upstream needs more latency than it can hold; put a queue there";
                cx.warning(ErrorKind::Core, text);
            }
            self.0.set(if *live { min.nanos() } else { 0 });
            if !*live {
                *max = None;
            }
            *live |= syncs;
        }
        true
    }
}

impl Default for ClockSync {
    fn default() -> Self {
        ClockSync {
            sync: Live::new(true),
            ts_offset: Live::new(0),
            sync_to_first: Live::new(false),
            is_first: true,
            segment: None,
            latency: Arc::new(Latency(Live::new(0))),
        }
    }
}

impl Element for ClockSync {
    const NAME: &str = "clocksync";
    const SUMMARY: &str = "Synchronise buffers to the clock";
    const LONG_NAME: &str = "ClockSync";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::live("sync", types::BOOLEAN, "Synchronize to pipeline clock", |e: &Self| &e.sync),
        Prop::live(
            "ts-offset",
            types::INT64,
            "Timestamp offset for synchronisation, negative for earlier sync",
            |e: &Self| &e.ts_offset,
        )
        .unit("ns"),
        Prop::live(
            "sync-to-first",
            types::BOOLEAN,
            "Set ts-offset so that the first buffer is due when it comes",
            |e: &Self| &e.sync_to_first,
        ),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.latency.clone())
    }

    fn change_state(cx: &Cx, transition: Transition) -> Result<StateReturn, ElementError> {
        let syncs = || cx.property_as("sync").unwrap_or(true);
        let paused = transition.to == State::Paused;
        Ok(if paused && syncs() { StateReturn::NoPreroll } else { StateReturn::Success })
    }
}

impl ClockSync {
    fn wait(&self, cx: &Cx, running_time: u64) -> FlowResult {
        if !self.sync.get() {
            return Ok(());
        }
        let latency = i64::try_from(self.latency.0.get()).unwrap_or(i64::MAX);
        cx.sync(RunningTime::from_nanos(running_time), self.ts_offset.get().saturating_add(latency))
    }

    fn offset_to_first(&mut self, cx: &Cx, running_time: u64) {
        if !self.sync_to_first.get() || !self.is_first || !self.sync.get() {
            return;
        }
        let Some(now) = cx.running_time() else { return };
        self.is_first = false;
        let offset = now.diff(RunningTime::from_nanos(running_time));
        if offset != self.ts_offset.get() {
            self.ts_offset.set(offset);
            cx.publish("ts-offset", offset);
        }
    }
}

impl Transform for ClockSync {
    const QOS: bool = false;

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.is_first, self.segment) = (true, None);
        Ok(())
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            EventKind::Segment(segment) => self.segment = Some(*segment),
            EventKind::Gap { pts, .. } => {
                let segment = self.segment.filter(|segment| segment.format == Format::Time);
                if let Some(segment) = segment {
                    self.wait(cx, segment.running_time_of(pts.nanos()).unwrap_or(0))?;
                }
            }
            _ => {}
        }
        Ok(true)
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some(segment) = self.segment.filter(|segment| segment.format == Format::Time) else {
            return Ok(Some(buf));
        };
        // Played backwards a buffer is due at its end.
        let length = buf.duration().filter(|_| segment.rate < 0.0).unwrap_or(ClockTime::ZERO);
        let at = |time: Option<ClockTime>| segment.running_time_of((time? + length).nanos());
        let running_time = at(buf.dts()).or_else(|| at(buf.pts())).unwrap_or(0);
        self.offset_to_first(cx, running_time);
        self.wait(cx, running_time)?;
        Ok(Some(buf))
    }

    fn flush(&mut self, _: &mut Cx) {
        (self.is_first, self.segment) = (true, None);
    }
}
