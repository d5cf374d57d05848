//! `imagefreeze` makes a stream of one picture, repeated at the rate that downstream takes.
//!
//! Invariant: frame `n` is shown from `n / rate` on, whatever was sought before; the picture is never copied.
//! In GStreamer: `gst/imagefreeze/gstimagefreeze.c` (`gst_image_freeze_src_loop`).
//! Left out: `is-live`, which is refused; seeks in frames.
//!
//! ```text
//! videotestsrc num-buffers=1 ! imagefreeze num-buffers=10 ! video/x-raw,framerate=25/1 ! fakesink
//! ```

use gst_mini_core::element_prelude::*;
use gst_mini_core::event::Seek;
use gst_mini_core::message::MessageKind;
use gst_mini_core::segment::{SeekFlags, SegmentFlags};
use parking_lot::Mutex;

const SINK: PadId = FIRST_PAD;
const SRC: PadId = SECOND_PAD;
/// Something to send: a picture, or a seek.
const WORK: u32 = 0;

pub struct ImageFreeze {
    num_buffers: Live<i32>,
    allow_replace: Live<bool>,
    is_live: Live<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// As they came last; and those of the picture.
    caps: Option<Caps>,
    picture_caps: Option<Caps>,
    picture: Option<Buffer>,
    /// The picture's format is new.
    negotiate: bool,
    rate: Option<(u64, u64)>,
    segment: Segment,
    seqnum: Option<u32>,
    segment_sent: bool,
    frame: u64,
    /// Frames still to be sent; `None`: no limit.
    left: Option<u64>,
    over: bool,
}

impl Default for ImageFreeze {
    fn default() -> Self {
        ImageFreeze {
            num_buffers: Live::new(-1),
            allow_replace: Live::new(false),
            is_live: Live::new(false),
            state: Mutex::default(),
        }
    }
}

impl Element for ImageFreeze {
    const NAME: &str = "imagefreeze";
    const SUMMARY: &str = "Generates a still frame stream from an image";
    const LONG_NAME: &str = "Still frame stream generator";
    const CLASS: &str = "Filter/Video";
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink("video/x-raw(ANY)"), PadTemplate::src("video/x-raw(ANY)").with_task()];
    const PROPS: &[Prop<Self>] = &[
        Prop::live(
            "num-buffers",
            types::INT,
            "Number of buffers to output before sending EOS, -1: no limit",
            |e: &Self| &e.num_buffers,
        )
        .range("-1", "2147483647"),
        Prop::live(
            "allow-replace",
            types::BOOLEAN,
            "Allow replacing the input buffer and always output the latest",
            |e: &Self| &e.allow_replace,
        ),
        Prop::live("is-live", types::BOOLEAN, "Not supported: only false", |e: &Self| &e.is_live)
            .ready_only(),
    ];
}

impl State {
    fn reset(&mut self, limit: i32) {
        *self = State { left: u64::try_from(limit).ok(), ..State::default() };
    }

    /// Time of frame `n` where there is a rate.
    fn at(&self, frame: u64) -> u64 {
        match self.rate {
            Some((num, den)) if num > 0 => ClockTime::of_frame(frame, num, den).nanos(),
            _ => self.segment.start,
        }
    }

    fn frame_at(&self, time: u64) -> u64 {
        let Some((num, den)) = self.rate else { return 0 };
        let second = ClockTime::SECOND.nanos();
        gst_mini_core::time::scale(time, num, den.saturating_mul(second)).unwrap_or(0)
    }

    /// The next frame; `Ok(None)` if it lies outside of the segment.
    fn next(&mut self, is_first: bool) -> FlowResult<Option<Buffer>> {
        if self.over {
            return Err(FlowError::Eos);
        }
        match &mut self.left {
            Some(0) => return Err(FlowError::Eos),
            Some(left) => *left -= 1,
            None => {}
        }
        let Some(mut buf) = self.picture.clone() else { return Ok(None) };
        let (frame, still) = (self.frame, self.rate.is_none_or(|(num, _)| num == 0));
        let start = self.at(frame);
        let stop = if still { None } else { Some(self.at(frame.saturating_add(1))) };
        let segment = &self.segment;
        let forwards = segment.rate >= 0.0;
        self.over = (still && frame > 0)
            || (forwards && segment.stop.is_some_and(|end| start > end))
            || (!forwards && (frame == 0 || stop.is_some_and(|stop| stop < segment.start)));
        let inside = match still && frame > 0 {
            true => None,
            false => segment.clip(Some(start), stop),
        };
        self.frame = if forwards { frame + 1 } else { frame.saturating_sub(1) };
        let Some((Some(start), stop)) = inside else { return Ok(None) };
        self.segment.position = if forwards { stop } else { Some(start) };
        buf.set_dts(None);
        buf.set_pts(Some(ClockTime::from_nanos(start)));
        buf.set_duration(stop.map(|stop| ClockTime::from_nanos(stop.saturating_sub(start))));
        buf.set_offset(Some(frame));
        buf.set_offset_end(Some(frame + 1));
        match is_first {
            true => buf.set_flags(BufferFlags::DISCONT),
            false => buf.unset_flags(BufferFlags::DISCONT),
        }
        Ok(Some(buf))
    }
}

/// Caps at any rate.
fn at_any_rate(mut caps: Caps) -> Caps {
    let any = Value::fraction_range(Fraction::new(0, 1), Fraction::new(i32::MAX, 1));
    caps.structures_mut().iter_mut().for_each(|structure| structure.set("framerate", any.clone()));
    caps
}

impl ImageFreeze {
    /// Announces the picture's format, at the rate decided before or at one near 25/1.
    fn negotiate(&self, cx: &Cx, mut caps: Caps, decided: Option<(u64, u64)>) -> FlowResult {
        // The rate goes to the end, where GStreamer puts it.
        caps.structures_mut().iter_mut().for_each(|structure| {
            structure.remove("framerate");
        });
        if let Some((num, den)) = decided {
            let mut caps = caps;
            let part = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
            caps.set("framerate", Fraction::new(part(num), part(den)));
            cx.output_event(SRC, Event::caps(caps));
            return Ok(());
        }
        let caps = at_any_rate(caps);
        let mut query = Query::caps(Some(caps.clone()));
        let possible = match (cx.peer_query(SRC, &mut query), query) {
            (true, Query::Caps { result: Some(theirs), .. }) => theirs,
            _ => caps,
        };
        for (structure, features) in possible.iter() {
            let mut one = structure.clone();
            one.fixate_field_nearest_fraction("framerate", Fraction::new(25, 1));
            let Some(rate) = one.fraction("framerate") else { continue };
            let mut chosen = Caps::empty();
            chosen.push(one, features.clone());
            if let (Ok(num), Ok(den), true) =
                (u64::try_from(rate.num), u64::try_from(rate.den), chosen.is_fixed())
            {
                self.state.lock().rate = Some((num, den.max(1)));
                cx.output_event(SRC, Event::caps(chosen));
                return Ok(());
            }
        }
        Err(cx.error(ErrorKind::Negotiation, "downstream takes the picture at no rate".to_owned()))
    }

    fn seek(&self, cx: &Cx, seek: &Seek, seqnum: u32) -> bool {
        if seek.format != Format::Time {
            return false;
        }
        let flush = seek.flags.contains(SeekFlags::FLUSH);
        if flush {
            cx.push_event(SRC, &Event::flush_start().with_seqnum(seqnum));
        }
        let (done, position) = {
            let mut state = self.state.lock();
            let mut segment = state.segment;
            let done = segment.do_seek(
                seek.rate,
                seek.flags,
                seek.start_type,
                seek.start,
                seek.stop_type,
                seek.stop,
            );
            if done.is_some() {
                state.segment = segment;
                (state.segment_sent, state.over, state.seqnum) = (false, false, Some(seqnum));
            } else if flush {
                state.segment_sent = false;
            }
            (done.is_some(), segment.position.unwrap_or(segment.start))
        };
        if flush {
            cx.push_event(SRC, &Event::flush_stop(true).with_seqnum(seqnum));
        }
        if done && seek.flags.contains(SeekFlags::SEGMENT) {
            cx.post(MessageKind::SegmentStart { format: Format::Time, position });
        }
        cx.wake(WORK);
        cx.start_task(SRC);
        done
    }

    /// Tells downstream that the part that was asked for is over.
    fn finish(&self, cx: &Cx) {
        let (segment, seqnum) = {
            let state = self.state.lock();
            (state.segment, state.seqnum)
        };
        let stamped = |event: Event| match seqnum {
            Some(seqnum) => event.with_seqnum(seqnum),
            None => event,
        };
        if !segment.flags.contains(SegmentFlags::SEGMENT) {
            cx.push_event(SRC, &stamped(Event::eos()));
            return;
        }
        let end = if segment.rate >= 0.0 { segment.stop } else { Some(segment.start) };
        let (format, position) = (Format::Time, end.unwrap_or(0));
        cx.post(MessageKind::SegmentDone { format, position });
        cx.push_event(SRC, &stamped(Event::new(EventKind::SegmentDone { format, position })));
    }
}

impl MultiPad for ImageFreeze {
    fn start(&self, _: &Cx) -> Result<(), ElementError> {
        self.state.lock().reset(self.num_buffers.get());
        if self.is_live.get() {
            let text = "is-live is not supported; put `identity sync=true` behind imagefreeze";
            return Err(ElementError::new(ErrorKind::Settings, text));
        }
        Ok(())
    }

    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        self.state.lock().reset(-1);
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let replaces = self.allow_replace.get();
        {
            let mut state = self.state.lock();
            if state.picture.is_some() && !replaces {
                return Err(FlowError::Eos);
            }
            if state.caps.is_none() {
                return Err(FlowError::NotNegotiated);
            }
            state.negotiate |= state.picture_caps != state.caps;
            state.picture_caps = state.caps.clone();
            state.picture = Some(buf);
        }
        cx.wake(WORK);
        // One picture is enough, and upstream may stop.
        if replaces { Ok(()) } else { Err(FlowError::Eos) }
    }

    fn produce(&self, cx: &Cx) -> FlowResult<Option<Buffer>> {
        let ticket = cx.ticket(WORK);
        let new_format = {
            let mut state = self.state.lock();
            if state.picture.is_none() {
                drop(state);
                cx.wait(WORK, ticket, None)?;
                return Ok(None);
            }
            let wanted = std::mem::take(&mut state.negotiate);
            wanted.then(|| (state.picture_caps.clone().unwrap_or_default(), state.rate))
        };
        if let Some((caps, rate)) = new_format
            && let Err(flow) = self.negotiate(cx, caps, rate)
        {
            self.state.lock().negotiate = true;
            return Err(flow);
        }
        let mut state = self.state.lock();
        let is_first = !std::mem::replace(&mut state.segment_sent, true);
        if is_first {
            let end = if state.segment.rate >= 0.0 {
                Some(state.segment.start)
            } else {
                state.segment.stop
            };
            state.frame = state.frame_at(end.unwrap_or(0));
        }
        let (segment, seqnum) = (state.segment, state.seqnum);
        let next = state.next(is_first);
        drop(state);
        if is_first {
            let event = Event::segment(segment);
            let event = if let Some(seqnum) = seqnum { event.with_seqnum(seqnum) } else { event };
            cx.output_event(SRC, event);
        }
        next
    }

    fn stopped(&self, cx: &Cx, why: FlowError) {
        if why == FlowError::Eos {
            return self.finish(cx);
        }
        cx.error(ErrorKind::Failed, format!("the stream of the picture stopped: reason {why}"));
        cx.push_event(SRC, &Event::eos());
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        match &event.kind {
            EventKind::Caps(caps) => {
                self.state.lock().caps = Some(caps.clone());
                Ok(())
            }
            // The picture has times of its own, and lasts longer than the stream it came from.
            EventKind::Segment(_) => Ok(()),
            EventKind::Eos if self.state.lock().picture.is_some() => Ok(()),
            _ => {
                cx.event_default(&event);
                Ok(())
            }
        }
    }

    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        match &event.kind {
            EventKind::Seek(seek) => self.seek(cx, seek, event.seqnum),
            EventKind::Qos { .. } | EventKind::Latency(_) => true,
            EventKind::Reconfigure => true,
            _ => cx.event_default(event),
        }
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        if let Query::Caps { filter, result } = query {
            let other = if cx.pad() == SRC { SINK } else { SRC };
            let filter = filter.clone().map(at_any_rate);
            let mut ask = Query::caps(filter.clone());
            let caps = match (cx.peer_query(other, &mut ask), ask) {
                (true, Query::Caps { result: Some(theirs), .. }) => theirs,
                _ => filter.unwrap_or_else(Caps::any),
            };
            let template = Caps::parse("video/x-raw(ANY)").unwrap_or_default();
            *result = Some(at_any_rate(caps.intersect(&template)));
            return true;
        }
        if let Query::AcceptCaps { caps, accepted } = query {
            // The rate on this side is no matter of the other one.
            let mut possible = Query::caps(None);
            *accepted = self.query(cx, &mut possible)
                && matches!(&possible, Query::Caps { result: Some(any), .. } if caps.is_subset_of(any));
            return true;
        }
        if cx.pad() != SRC {
            return false;
        }
        let state = self.state.lock();
        match query {
            Query::Position { format: Format::Time, position } => {
                *position = state.segment.position;
                true
            }
            Query::Duration { format: Format::Time, duration } => {
                *duration = state.segment.stop;
                true
            }
            Query::Seeking { format, seekable, start, end } => {
                (*seekable, *start, *end) = (*format == Format::Time, 0, None);
                true
            }
            Query::Latency { live, min, max } => {
                (*live, *min, *max) = (false, ClockTime::ZERO, None);
                true
            }
            _ => false,
        }
    }

    fn flush(&self, _: &Cx) {
        self.state.lock().reset(self.num_buffers.get());
    }
}
