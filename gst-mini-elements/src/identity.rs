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
    passing: Passing,
    segment: Option<Segment>,
    /// The single segment was sent.
    sent_segment: bool,
    random: u64,
}

/// What a buffer touches that is only passed on; in one cache line, as chains of such elements are long.
#[repr(align(64))]
struct Passing {
    /// Buffers that came since the start.
    came: i64,
    previous: Previous,
    shared: Arc<Told>,
    signal_handoffs: bool,
    /// A property asks for more than passing on.
    is_busy: bool,
}

/// The buffer before, to be compared with. All ones: none, as in a buffer, so that noting one is four copies.
#[derive(Clone, Copy)]
struct Previous {
    pts: u64,
    duration: u64,
    offset: u64,
    offset_end: u64,
}

impl Default for Previous {
    fn default() -> Self {
        Previous { pts: u64::MAX, duration: u64::MAX, offset: u64::MAX, offset_end: u64::MAX }
    }
}

impl Previous {
    #[inline]
    fn of(buf: &Buffer) -> Previous {
        Previous {
            pts: number(buf.pts()),
            duration: number(buf.duration()),
            offset: buf.offset().unwrap_or(u64::MAX),
            offset_end: buf.offset_end().unwrap_or(u64::MAX),
        }
    }
}

/// What others ask for: `stats`, and how late data comes.
struct Told {
    bytes: Live<u64>,
    buffers: Live<u64>,
    upstream_latency: Live<u64>,
}

impl LiveField for Told {
    fn set_text(&self, _: &str) -> Result<(), String> {
        Err("it is read-only".to_owned())
    }
    fn text(&self) -> String {
        Structure::new("application/x-identity-stats")
            .with("num-bytes", self.bytes.get())
            .with("num-buffers", self.buffers.get())
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
            passing: Passing {
                came: 0,
                previous: Previous::default(),
                shared: Arc::new(Told {
                    bytes: Live::new(0),
                    buffers: Live::new(0),
                    upstream_latency: Live::new(0),
                }),
                signal_handoffs: true,
                is_busy: false,
            },
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
            |e: &mut Self| &mut e.passing.signal_handoffs,
        ),
        Prop::live("stats", types::STRUCTURE, "Bytes and buffers that passed", |e: &Self| {
            &*e.passing.shared
        })
        .read_only(),
    ];
    const SIGNALS: &[Signal] = &[Signal::emitted("handoff", "A buffer passes")];

    fn property_set(&mut self, _: &str) {
        self.passing.is_busy = self.sleep_time > 0
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
        Some(self.passing.shared.clone())
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
        let before = self.passing.previous;
        let facts = |structure: Structure| {
            structure
                .with("prev-timestamp", before.pts)
                .with("prev-duration", before.duration)
                .with("prev-offset", before.offset)
                .with("prev-offset-end", before.offset_end)
                .with("cur-timestamp", number(buf.pts()))
                .with("cur-duration", number(buf.duration()))
                .with("cur-offset", buf.offset().unwrap_or(u64::MAX))
                .with("cur-offset-end", buf.offset_end().unwrap_or(u64::MAX))
        };
        let time = |nanos: u64| (nanos != u64::MAX).then(|| ClockTime::from_nanos(nanos));
        let times = time(before.pts).zip(time(before.duration));
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
            && before.offset_end != u64::MAX
            && before.offset_end != offset
        {
            cx.post_element(facts(Structure::new("imperfect-offset")));
        }
        self.passing.previous = Previous::of(buf);
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
        let latency = i64::try_from(self.passing.shared.upstream_latency.get()).unwrap_or(i64::MAX);
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
        self.passing.came = 0;
        (self.segment, self.sent_segment) = (None, false);
        self.passing.previous = Previous::default();
        self.passing.shared.bytes.set(0);
        self.passing.shared.buffers.set(0);
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
                self.passing.previous = Previous::default();
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

    // Inlined into what the host calls: for a chain of such elements that call is half of the work.
    #[inline(always)]
    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.passing.came += 1;
        // All that calls anything is in there, so that what is only passed on sets up no frame.
        if self.passing.is_busy || self.passing.signal_handoffs && cx.is_heard() {
            return self.work(cx, buf);
        }
        self.passing.previous = Previous::of(&buf);
        self.count(&buf);
        Ok(Some(buf))
    }

    fn flush(&mut self, _: &mut Cx) {
        (self.segment, self.sent_segment) = (None, false);
    }
}

impl Identity {
    /// A buffer passed.
    #[inline]
    fn count(&self, buf: &Buffer) {
        let stats = &self.passing.shared;
        stats.bytes.set(stats.bytes.get() + buf.size() as u64);
        stats.buffers.set(stats.buffers.get() + 1);
    }

    /// Out of line, so that what is passed on sets up nothing for it.
    #[inline(never)]
    fn work(&mut self, cx: &mut Cx, mut buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.compare(cx, &buf);
        if self.error_after > 0 && self.passing.came == i64::from(self.error_after) {
            let text = "Failed after iterations as requested.";
            return Err(cx.error(ErrorKind::Failed, text));
        }
        if self.eos_after > 0 && self.passing.came == i64::from(self.eos_after) {
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
            let passed = self.passing.shared.bytes.get();
            buf.set_pts(at(passed));
            buf.set_dts(at(passed));
            buf.set_duration(at(size));
        }
        if self.passing.signal_handoffs {
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
        self.count(&buf);
        Ok(Some(buf))
    }
}
