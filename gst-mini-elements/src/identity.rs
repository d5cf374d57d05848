//! `identity` passes data on, and can look, wait, drop, stamp or fail on the way.
//!
//! Invariant: the bytes that go on are those that came.
//! In GStreamer: `plugins/elements/gstidentity.c`.
//! Left out: `qos`; a segment of a seek behind `single-segment`.
//!
//! ```text
//! fakesrc num-buffers=3 ! identity sleep-time=1000 ! fakesink
//! ```

use crate::{dump, last_message};
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

const BUFFER_FLAGS: &str = "flags:live=16:GST_BUFFER_FLAG_LIVE,decode-only=32:GST_BUFFER_FLAG_DECODE_ONLY,\
discont=64:GST_BUFFER_FLAG_DISCONT,resync=128:GST_BUFFER_FLAG_RESYNC,\
corrupted=256:GST_BUFFER_FLAG_CORRUPTED,marker=512:GST_BUFFER_FLAG_MARKER,\
header=1024:GST_BUFFER_FLAG_HEADER,gap=2048:GST_BUFFER_FLAG_GAP,\
droppable=4096:GST_BUFFER_FLAG_DROPPABLE,delta-unit=8192:GST_BUFFER_FLAG_DELTA_UNIT,\
tag-memory=16384:GST_BUFFER_FLAG_TAG_MEMORY,sync-after=32768:GST_BUFFER_FLAG_SYNC_AFTER,\
non-droppable=65536:GST_BUFFER_FLAG_NON_DROPPABLE,last=1048576:GST_BUFFER_FLAG_LAST";
const SRC: PadId = SECOND_PAD;

pub struct Identity {
    sleep_time: u32,
    error_after: i32,
    eos_after: i32,
    drop_probability: f64,
    drop_buffer_flags: u32,
    datarate: i32,
    silent: bool,
    dump: bool,
    single_segment: bool,
    sync: bool,
    ts_offset: i64,
    check_imperfect_timestamp: bool,
    check_imperfect_offset: bool,
    drop_allocation: bool,
    signal_handoffs: bool,
    /// A property asks for more than passing on.
    is_busy: bool,
    /// Buffers that came since the start and did not go on.
    kept_back: u64,
    shared: Arc<Told>,
    segment: Option<Segment>,
    /// The single segment was sent.
    sent_segment: bool,
    random: u64,
}

/// What others ask for: `stats`, and how late data comes.
struct Told {
    passed: Passed,
    upstream_latency: Live<u64>,
}

impl LiveField for Told {
    fn set_text(&self, _: &str) -> Result<(), String> {
        Err("it is read-only".to_owned())
    }
    fn text(&self) -> String {
        Structure::new("application/x-identity-stats")
            .with("num-bytes", self.passed.bytes())
            .with("num-buffers", self.passed.buffers())
            .to_string()
    }
}

impl Shared for Told {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        if cx.pad() != SRC || !matches!(query, Query::Latency { .. }) || !cx.query_default(query) {
            return false;
        }
        if let Query::Latency { live, min, max } = query {
            let syncs = cx.property_as("sync").unwrap_or(false);
            self.upstream_latency.set(if *live { min.nanos() } else { 0 });
            if !*live {
                *max = None;
            }
            *live |= syncs;
        }
        true
    }
}

impl Default for Identity {
    fn default() -> Self {
        Identity {
            sleep_time: 0,
            error_after: -1,
            eos_after: -1,
            drop_probability: 0.0,
            drop_buffer_flags: 0,
            datarate: 0,
            silent: true,
            dump: false,
            single_segment: false,
            sync: false,
            ts_offset: 0,
            check_imperfect_timestamp: false,
            check_imperfect_offset: false,
            drop_allocation: false,
            segment: None,
            sent_segment: false,
            random: 0x2545_f491_4f6c_dd1d,
            signal_handoffs: true,
            is_busy: false,
            kept_back: 0,
            shared: Arc::new(Told { passed: Passed::default(), upstream_latency: Live::new(0) }),
        }
    }
}

impl Element for Identity {
    const NAME: &str = "identity";
    const SUMMARY: &str = "Pass data without modification";
    const LONG_NAME: &str = "Identity";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("sleep-time", "Time to sleep between buffers", |e: &mut Self| &mut e.sleep_time)
            .unit("us"),
        Prop::int("error-after", "Error after N buffers, -1: never", |e: &mut Self| {
            &mut e.error_after
        })
        .range("-1", "2147483647"),
        Prop::int("eos-after", "End of stream after N buffers, -1: never", |e: &mut Self| {
            &mut e.eos_after
        })
        .range("-1", "2147483647"),
        Prop::float("drop-probability", "The probability a buffer is dropped", |e: &mut Self| {
            &mut e.drop_probability
        })
        .range("0", "1"),
        Prop::flags(
            "drop-buffer-flags",
            BUFFER_FLAGS,
            "Drop buffers that have any of these flags",
            |e: &mut Self| &mut e.drop_buffer_flags,
        ),
        Prop::int(
            "datarate",
            "Stamps buffers with number of bytes per second, 0: leaves them",
            |e: &mut Self| &mut e.datarate,
        )
        .unit("bytes/s")
        .range("0", "2147483647"),
        Prop::boolean("silent", "Don't produce last-message", |e: &mut Self| &mut e.silent),
        Prop::published("last-message", types::STRING, "What the last buffer was", ""),
        Prop::boolean("dump", "Dump buffer contents to stdout", |e: &mut Self| &mut e.dump),
        Prop::boolean(
            "single-segment",
            "Stamp buffers with running times and hide the segments",
            |e: &mut Self| &mut e.single_segment,
        ),
        Prop::boolean("sync", "Synchronize to the pipeline's clock", |e: &mut Self| &mut e.sync),
        Prop::int64("ts-offset", "Added to the time synchronized to", |e: &mut Self| {
            &mut e.ts_offset
        })
        .unit("ns"),
        Prop::boolean(
            "check-imperfect-timestamp",
            "Post a message where timestamps and durations do not match up",
            |e: &mut Self| &mut e.check_imperfect_timestamp,
        ),
        Prop::boolean(
            "check-imperfect-offset",
            "Post a message where offset and offset_end do not match up",
            |e: &mut Self| &mut e.check_imperfect_offset,
        ),
        Prop::boolean(
            "drop-allocation",
            "Don't forward allocation queries; there are none here",
            |e: &mut Self| &mut e.drop_allocation,
        ),
        Prop::boolean(
            "signal-handoffs",
            "Send a signal before pushing a buffer",
            |e: &mut Self| &mut e.signal_handoffs,
        ),
        Prop::live("stats", types::STRUCTURE, "Bytes and buffers that passed", |e: &Self| {
            &*e.shared
        })
        .read_only(),
    ];
    const SIGNALS: &[Signal] = &[Signal::emitted("handoff", "A buffer passes")];

    fn property_set(&mut self, _: &str) {
        self.is_busy = self.sleep_time > 0
            || self.error_after > 0
            || self.eos_after > 0
            || self.drop_probability > 0.0
            || self.drop_buffer_flags != 0
            || self.datarate > 0
            || !self.silent
            || self.dump
            || self.single_segment
            || self.sync
            || self.check_imperfect_timestamp
            || self.check_imperfect_offset;
    }

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.shared.clone())
    }

    fn change_state(cx: &Cx, transition: Transition) -> Result<StateReturn, ElementError> {
        let syncs = || cx.property_as("sync").unwrap_or(false);
        let paused = transition.to == State::Paused;
        Ok(if paused && syncs() { StateReturn::NoPreroll } else { StateReturn::Success })
    }
}

fn number(time: Option<ClockTime>) -> u64 {
    time.map_or(u64::MAX, ClockTime::nanos)
}

impl Identity {
    fn tell(&self, cx: &Cx, what: &str, buf: &Buffer) {
        let pad = last_message::pad_of(cx, "sink");
        cx.publish("last-message", last_message::passed(what, &pad, buf));
    }

    fn drop(&self, cx: &Cx, buf: &Buffer) -> FlowResult<Option<Buffer>> {
        if !self.silent {
            self.tell(cx, "dropping", buf);
        }
        cx.dropped(buf, "as asked");
        if let Some(pts) = buf.pts() {
            cx.output_event(SRC, Event::new(EventKind::Gap { pts, duration: buf.duration() }));
        }
        Ok(None)
    }

    fn is_unlucky(&mut self) -> bool {
        if self.drop_probability <= 0.0 {
            return false;
        }
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((self.random >> 11) as f64 / (1u64 << 53) as f64) < self.drop_probability
    }

    /// Posts what does not follow from the buffer before.
    fn compare(&mut self, cx: &Cx, buf: &Buffer) {
        let before = self.shared.passed.last();
        let unit = |offset: Option<u64>| offset.unwrap_or(u64::MAX);
        let facts = |structure: Structure| {
            structure
                .with("prev-timestamp", number(before.pts))
                .with("prev-duration", number(before.duration))
                .with("prev-offset", unit(before.offset))
                .with("prev-offset-end", unit(before.offset_end))
                .with("cur-timestamp", number(buf.pts()))
                .with("cur-duration", number(buf.duration()))
                .with("cur-offset", unit(buf.offset()))
                .with("cur-offset-end", unit(buf.offset_end()))
        };
        let times = before.pts.zip(before.duration);
        let expected = times.map(|(pts, duration)| pts + duration);
        if self.check_imperfect_timestamp
            && let (Some(expected), Some(pts)) = (expected, buf.pts())
            && expected != pts
        {
            let delta = pts.diff(expected);
            cx.post_element(facts(Structure::new("imperfect-timestamp").with("delta", delta)));
        }
        if self.check_imperfect_offset
            && let Some(offset) = buf.offset()
            && before.offset_end.is_some_and(|end| end != offset)
        {
            cx.post_element(facts(Structure::new("imperfect-offset")));
        }
    }

    /// The running time of a time in the present segment; of the end of a buffer that is played backwards.
    fn running_time(&self, at: Option<ClockTime>, buf: &Buffer) -> Option<ClockTime> {
        let segment = self.segment.filter(|segment| segment.format == Format::Time)?;
        let length = buf.duration().filter(|_| segment.rate < 0.0).unwrap_or(ClockTime::ZERO);
        let running_time = segment.to_running_time(at? + length)?;
        Some(ClockTime::from_nanos(running_time.nanos()))
    }

    fn wait(&self, cx: &Cx, running_time: Option<ClockTime>) -> FlowResult {
        let in_time = self.segment.is_some_and(|segment| segment.format == Format::Time);
        if !self.sync || !in_time {
            return Ok(());
        }
        let due = RunningTime::from_nanos(running_time.unwrap_or(ClockTime::ZERO).nanos());
        let latency = i64::try_from(self.shared.upstream_latency.get()).unwrap_or(i64::MAX);
        cx.sync(due, self.ts_offset.saturating_add(latency))
    }

    /// The place of a gap in the single segment; `None` if it is outside the stream's own.
    fn single_gap(&self, pts: ClockTime, duration: Option<ClockTime>) -> Option<EventKind> {
        let segment = self.segment?;
        if let Some(start) = segment.to_running_time(pts) {
            return Some(EventKind::Gap { pts: ClockTime::from_nanos(start.nanos()), duration });
        }
        let end = (pts + duration?).nanos();
        let (start, stop) = segment.clip(Some(pts.nanos()), Some(end))?;
        let (start, stop) = (start?, stop?);
        let duration = Some(ClockTime::from_nanos(stop.saturating_sub(start)));
        Some(EventKind::Gap { pts: ClockTime::from_nanos(start), duration })
    }
}

impl Transform for Identity {
    const RANGES: bool = true;

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.kept_back = 0;
        (self.segment, self.sent_segment) = (None, false);
        self.shared.passed.restart();
        Ok(())
    }

    fn event_arrives(&mut self, cx: &mut Cx, event: &Event) {
        if !self.silent {
            let pad = last_message::pad_of(cx, "sink");
            cx.publish("last-message", last_message::event(&pad, event));
        }
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            EventKind::Segment(segment) => {
                self.segment = Some(*segment);
                self.shared.passed.forget_last();
                if self.single_segment && !std::mem::replace(&mut self.sent_segment, true) {
                    let single = Event::segment(Segment::new(segment.format));
                    cx.output_event(SRC, single.with_seqnum(event.seqnum));
                }
                Ok(!self.single_segment)
            }
            EventKind::Gap { pts, duration }
                if self.segment.is_some_and(|segment| segment.format == Format::Time) =>
            {
                let start = self.segment.and_then(|segment| segment.to_running_time(*pts));
                self.wait(cx, start.map(|start| ClockTime::from_nanos(start.nanos())))?;
                if self.single_segment
                    && let Some(gap) = self.single_gap(*pts, *duration)
                {
                    cx.output_event(SRC, Event::new(gap).with_seqnum(event.seqnum));
                }
                Ok(!self.single_segment)
            }
            _ => Ok(true),
        }
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        if self.wants_each(cx) {
            return self.work(cx, buf);
        }
        self.shared.passed.count(&buf);
        Ok(Some(buf))
    }

    fn passes(&mut self, cx: &Cx) -> Passing {
        if self.wants_each(cx) {
            return Passing::No;
        }
        Passing::Counted(self.shared.passed.clone())
    }

    fn flush(&mut self, _: &mut Cx) {
        (self.segment, self.sent_segment) = (None, false);
    }
}

impl Identity {
    /// Whether there is more to do than to pass on.
    fn wants_each(&self, cx: &Cx) -> bool {
        self.is_busy || self.signal_handoffs && cx.is_heard()
    }

    /// Out of line, so that what is passed on sets up nothing for it.
    #[inline(never)]
    fn work(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.kept_back += 1;
        let passed = self.treat(cx, buf)?;
        if let Some(buf) = &passed {
            self.kept_back -= 1;
            self.shared.passed.add(buf);
        }
        Ok(passed)
    }

    fn treat(&mut self, cx: &mut Cx, mut buf: Buffer) -> FlowResult<Option<Buffer>> {
        // This one among them.
        let came = self.shared.passed.buffers() + self.kept_back;
        let is_nth = |n: i32| u64::try_from(n).is_ok_and(|n| n > 0 && n == came);
        self.compare(cx, &buf);
        self.shared.passed.note(&buf);
        if is_nth(self.error_after) {
            let text = "Failed after iterations as requested.";
            return Err(cx.error(ErrorKind::Failed, text));
        }
        if is_nth(self.eos_after) {
            return Err(FlowError::Eos);
        }
        if self.is_unlucky() {
            return self.drop(cx, &buf);
        }
        if self.drop_buffer_flags & buf.flags().0 != 0 {
            return self.drop(cx, &buf);
        }
        if self.dump {
            dump::dump(cx, &buf);
        }
        if !self.silent {
            self.tell(cx, "chain", &buf);
        }
        let size = buf.size() as u64;
        if self.datarate > 0 {
            let at = |bytes: u64| {
                ClockTime::from_nanos(bytes).mul_div(1_000_000_000, self.datarate as u64)
            };
            let passed = self.shared.passed.bytes();
            buf.set_pts(at(passed));
            buf.set_dts(at(passed));
            buf.set_duration(at(size));
        }
        if self.signal_handoffs {
            cx.emit("handoff", None);
        }
        let stamps = self.single_segment
            && self.segment.is_some_and(|segment| segment.format == Format::Time);
        if self.sync || stamps {
            let (dts, pts) =
                (self.running_time(buf.dts(), &buf), self.running_time(buf.pts(), &buf));
            self.wait(cx, dts.or(pts))?;
            if stamps {
                buf.set_dts(dts);
                buf.set_pts(pts);
                buf.set_offset(None);
                buf.set_offset_end(None);
            }
        }
        if self.sleep_time > 0 {
            cx.sleep(ClockTime::from_micros(u64::from(self.sleep_time)))?;
        }
        Ok(Some(buf))
    }
}
