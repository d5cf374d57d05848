//! A [`Pace`] decides which frames fill a regular grid of times: which are dropped, which are sent twice.
//!
//! ```text
//!   in    |a     |b |c          |d
//!   grid  0    1    2    3    4
//!   out   a    a    c    c    d       each grid point takes the nearer of two frames
//! ```
//!
//! Invariant: with a rate, frame `n` of a segment is sent at the segment's start + `n / rate`, rounded
//! down, however late or early its picture was.
//! In GStreamer: `gst/videorate/gstvideorate.c` (`gst_video_rate_transform_ip`, `gst_video_rate_push_buffer`).
//! Left out: going back to the earlier format to close a segment that ended with new caps.

use super::average::Average;
use gst_mini_core::element_prelude::*;

const SECOND: i128 = 1_000_000_000;
/// Frames sent for one gap; more are refused, for they are all held at once.
const MOST_FILLED: u64 = 200_000;

/// What the user chose; see the properties of `videorate`.
#[derive(Clone)]
pub struct Settings {
    pub skip_to_first: bool,
    pub drop_only: bool,
    /// 0: never averaged.
    pub average_period: u64,
    pub max_duplication_time: u64,
    /// `u64::MAX`: without limit.
    pub max_closing_duplication: u64,
    pub rate: f64,
}

/// Frames so far.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    pub taken: u64,
    pub sent: u64,
    pub dropped: u64,
    pub duplicated: u64,
}

/// Why a frame was refused.
#[derive(Debug, PartialEq)]
pub enum Refusal {
    /// It has no time, and none can be derived.
    NoTime,
    /// Filling the gap before it would need that many frames.
    Gap(u64),
}

/// Times in nanoseconds; signed and wide, so that no input overflows.
pub struct Pace {
    /// Numerator and denominator of the output's rate; 0/1 passes times on.
    to: (u64, u64),
    segment: Segment,
    held: Option<Buffer>,
    held_time: i128,
    next_time: Option<i128>,
    last_time: Option<i128>,
    base_time: i128,
    /// Frames sent since `base_time`.
    frames: u64,
    average: Average,
    discont: bool,
    rate: f64,
    pub counts: Counts,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            to: (0, 1),
            segment: Segment::time(),
            held: None,
            held_time: 0,
            next_time: None,
            last_time: None,
            base_time: 0,
            frames: 0,
            average: Average::default(),
            discont: true,
            rate: 1.0,
            counts: Counts::default(),
        }
    }
}

impl Pace {
    /// A flush: everything but the rate is forgotten.
    pub fn flush(&mut self) {
        *self = Pace {
            to: self.to,
            average: Average { mean: 0, ..self.average },
            rate: self.rate,
            ..Pace::default()
        };
    }

    /// Another output rate from the next frame on.
    pub fn set_rate(&mut self, to: (u64, u64)) {
        self.base_time += self.grid(self.frames + u64::from(self.is_backwards() && self.to.0 > 0));
        self.frames = 0;
        self.to = to;
    }

    /// The input's format changed: frames of the old one are not mixed with those of the new.
    pub fn forget_held(&mut self) {
        self.held = None;
        self.last_time = None;
        self.average.mean = 0;
    }

    /// The picture waiting for its successor.
    pub fn held(&self) -> Option<&Buffer> {
        self.held.as_ref()
    }

    fn is_backwards(&self) -> bool {
        self.segment.rate < 0.0
    }

    fn base(&self) -> i128 {
        i128::from(self.segment.base)
    }

    fn stop(&self) -> Option<i128> {
        self.segment.stop.map(i128::from)
    }

    /// Time of `count` frames.
    fn grid(&self, count: u64) -> i128 {
        match self.to {
            (0, _) => 0,
            (num, den) => i128::from(count) * i128::from(den) * SECOND / i128::from(num),
        }
    }

    /// A new segment; what the old one still misses is added to `out`.
    pub fn new_segment(&mut self, settings: &Settings, segment: Segment, out: &mut Vec<Buffer>) {
        if segment != self.segment && self.held.is_some() {
            let count = self.close(settings, out);
            self.counts.duplicated += count.saturating_sub(1);
            self.held = None;
        }
        self.base_time = 0;
        self.frames = 0;
        self.next_time = None;
        self.segment = segment;
    }

    /// The end of the stream: the picture that waits is sent, as often as the segment still needs it.
    pub fn finish(&mut self, settings: &Settings, out: &mut Vec<Buffer>) {
        let mut count = 0;
        if self.segment.stop.is_some() {
            count = self.close(settings, out);
        } else if !settings.drop_only && self.held.is_some() {
            self.send_held(settings, false, None, out);
            count = 1;
        }
        if count > 1 {
            self.counts.duplicated += count - 1;
        } else if count == 0 && self.segment.stop.is_none() {
            self.counts.dropped += 1;
        }
    }

    /// Repeats the held picture up to the end of the segment; how often it was sent.
    fn close(&mut self, settings: &Settings, out: &mut Vec<Buffer>) -> u64 {
        let last_input = self.held_time;
        let mut count = 0;
        if settings.drop_only || self.held.is_none() {
            return 0;
        }
        while count < MOST_FILLED && self.closing_needs(settings, last_input, count == 0) {
            self.send_held(settings, count > 0, None, out);
            count += 1;
        }
        count
    }

    fn closing_needs(&self, settings: &Settings, last_input: i128, is_first: bool) -> bool {
        let Some(next) = self.next_time else { return false };
        let in_segment = next - self.base();
        let ahead = if self.is_backwards() {
            if in_segment < i128::from(self.segment.start) {
                return false;
            }
            last_input - next
        } else {
            let Some(stop) = self.stop() else { return is_first };
            if in_segment >= stop {
                return false;
            }
            next - last_input
        };
        let limit = settings.max_closing_duplication;
        limit == u64::MAX || ahead < 0 || ahead < i128::from(limit)
    }

    fn send_held(
        &mut self,
        settings: &Settings,
        duplicate: bool,
        next_input: Option<i128>,
        out: &mut Vec<Buffer>,
    ) {
        if let Some(buf) = self.held.clone() {
            self.send(settings, buf, duplicate, next_input, out);
        }
    }

    fn send(
        &mut self,
        settings: &Settings,
        mut buf: Buffer,
        duplicate: bool,
        next_input: Option<i128>,
        out: &mut Vec<Buffer>,
    ) {
        buf.set_offset(Some(self.counts.sent));
        buf.set_offset_end(Some(self.counts.sent + 1));
        let mut flag = |on, flag| if on { buf.set_flags(flag) } else { buf.unset_flags(flag) };
        flag(std::mem::take(&mut self.discont), BufferFlags::DISCONT);
        flag(duplicate, BufferFlags::GAP);
        let time = self.next_time;
        self.counts.sent += 1;
        self.frames += 1;
        let has_rate = self.to.0 > 0;
        if self.is_backwards() {
            if has_rate {
                let stop = self.stop().unwrap_or(0);
                let next = self.base() + stop - self.base_time - self.grid(self.frames + 1);
                self.next_time = (next >= 0).then_some(next);
                buf.set_duration(length(self.grid(self.frames) - self.grid(self.frames - 1)));
            } else if next_input.is_some() {
                self.next_time = next_input;
            }
        } else if has_rate {
            let start = self.base() + i128::from(self.segment.start);
            let next = start + self.base_time + self.grid(self.frames);
            buf.set_duration(length(next - time.unwrap_or(next)));
            self.next_time = Some(next);
        } else if let (Some(pts), Some(duration)) = (buf.pts(), buf.duration()) {
            self.next_time = Some(i128::from(pts.nanos()) + i128::from(duration.nanos()));
        }
        if !settings.drop_only
            && let Some(time) = time
        {
            buf.set_pts(length(time - self.base()));
        }
        out.push(buf);
    }

    /// Takes one frame; what is to be sent now is added to `out`.
    pub fn take(
        &mut self,
        settings: &Settings,
        buf: Buffer,
        out: &mut Vec<Buffer>,
    ) -> Result<(), Refusal> {
        let skip = self.switch_mode(settings);
        if self.average.period > 0 {
            self.take_averaging(buf, out);
            return Ok(());
        }
        self.apply_speed(settings);
        let last = self.last_time;
        let own = match buf.pts() {
            Some(pts) => Some(i128::from(pts.nanos())),
            None if self.is_backwards() => None,
            None => last,
        };
        let Some(own) = own else { return Err(Refusal::NoTime) };
        let length_known = buf.duration().filter(|_| !self.is_backwards());
        self.last_time = Some(own + length_known.map_or(0, |d| i128::from(d.nanos())));
        let time = own + self.base();
        if self.held.is_none() || settings.drop_only {
            self.take_first(settings, buf, (own, time, last), skip, out);
            return Ok(());
        }
        self.take_second(settings, buf, time, out)
    }

    /// The first frame of a segment waits for the next; one that may only be dropped waits for nothing.
    fn take_first(
        &mut self,
        settings: &Settings,
        mut buf: Buffer,
        (own, time, last): (i128, i128, Option<i128>),
        skip: bool,
        out: &mut Vec<Buffer>,
    ) {
        if self.is_backwards() && buf.duration().is_none() {
            buf.set_duration(length(last.or(self.stop()).unwrap_or(own) - own));
        }
        self.counts.taken += 1;
        if self.next_time.is_none() {
            self.next_time = Some(self.first_time(settings, own, time, skip));
        }
        if !settings.drop_only {
            (self.held, self.held_time) = (Some(buf), time);
            return;
        }
        let due = self.next_time.unwrap_or(time);
        self.held_time = time;
        if if self.is_backwards() { time <= due } else { time >= due } {
            self.send(settings, buf, false, None, out);
        }
        self.held = None;
    }

    /// Where the grid begins.
    fn first_time(&mut self, settings: &Settings, own: i128, time: i128, skip: bool) -> i128 {
        let start = i128::from(self.segment.start);
        if settings.skip_to_first || skip {
            self.base_time = match self.is_backwards() {
                true => self.stop().unwrap_or(own) - own,
                false => own - start,
            };
            self.frames = 0;
            return time;
        }
        if !self.is_backwards() {
            return start + self.base();
        }
        match (self.to.0, self.stop()) {
            (0, _) | (_, None) => time,
            (_, Some(stop)) => start.max(stop + self.base() - self.grid(1)),
        }
    }

    /// Two frames are there: the held one is sent for as many grid points as it is the nearer one to.
    fn take_second(
        &mut self,
        settings: &Settings,
        mut buf: Buffer,
        time: i128,
        out: &mut Vec<Buffer>,
    ) -> Result<(), Refusal> {
        let held_time = self.held_time;
        self.counts.taken += 1;
        if if self.is_backwards() { time > held_time } else { time < held_time } {
            self.counts.dropped += 1;
            return Ok(());
        }
        let limit = i128::from(settings.max_duplication_time);
        let mut count: u64 = 0;
        if limit > 0 && (time - held_time).abs() > limit {
            self.jump(settings, buf, time, out);
            return Ok(());
        }
        let gap = (time - held_time).unsigned_abs();
        let frame = self.grid(1).unsigned_abs();
        if frame > 0 && gap / frame > u128::from(MOST_FILLED) {
            return Err(Refusal::Gap(u64::try_from(gap / frame).unwrap_or(u64::MAX)));
        }
        loop {
            if self.apply_speed(settings) {
                return Ok(());
            }
            let Some((held_distance, distance)) = self.distances(&mut buf, time) else { break };
            if held_distance <= distance {
                count += 1;
                self.send_held(settings, count > 1, Some(time), out);
            }
            if held_distance >= distance {
                break;
            }
        }
        match count {
            0 => self.counts.dropped += 1,
            _ => self.counts.duplicated += count - 1,
        }
        (self.held, self.held_time) = (Some(buf), time);
        Ok(())
    }

    /// How far the held frame and the new one are from the next grid point; `None`: there is none.
    fn distances(&mut self, buf: &mut Buffer, time: i128) -> Option<(i128, i128)> {
        let held_time = self.held_time;
        let next = self.next_time?;
        if !self.is_backwards() {
            if let Some(held) = self.held.as_mut().filter(|held| held.duration().is_none()) {
                held.set_duration(length(time - held_time));
            }
            let at = self.base_time + scaled(next - self.base_time, self.rate);
            return Some(((held_time - at).abs(), (time - at).abs()));
        }
        if buf.duration().is_none() {
            buf.set_duration(length(held_time - time));
        }
        let nanos = |buf: &Buffer| buf.duration().map_or(0, |d| i128::from(d.nanos()));
        let held_length = self.held.as_ref().map_or(0, nanos);
        let end = next + if self.to.0 > 0 { self.grid(1) } else { held_length };
        let origin = self.stop().unwrap_or(0) - self.base_time;
        let end = origin - scaled((origin - end).max(0), self.rate);
        Some(((held_time + held_length - end).abs(), (time + nanos(buf) - end).abs()))
    }

    /// A gap that is longer than what may be filled: the grid goes on after it.
    fn jump(&mut self, settings: &Settings, buf: Buffer, time: i128, out: &mut Vec<Buffer>) {
        let held_time = self.held_time;
        let mut count: u64 = 0;
        while count < MOST_FILLED
            && self.next_time.is_some_and(|next| {
                if self.is_backwards() { next > held_time } else { next <= held_time }
            })
        {
            let before = self.next_time;
            self.send_held(settings, count > 0, None, out);
            count += 1;
            if self.next_time == before {
                break;
            }
        }
        self.counts.duplicated += count.saturating_sub(1);
        self.discont = true;
        self.base_time += time - held_time;
        self.next_time = Some(time);
        (self.held, self.held_time) = (Some(buf), time);
    }

    /// Another speed takes the grid's origin along. Says whether there was one.
    fn apply_speed(&mut self, settings: &Settings) -> bool {
        if settings.rate == self.rate {
            return false;
        }
        self.base_time += self.grid(self.frames);
        self.rate = settings.rate;
        self.frames = 0;
        true
    }

    /// Averaging was switched on or off. `true`: the grid begins anew at the next frame.
    fn switch_mode(&mut self, settings: &Settings) -> bool {
        let wanted = settings.average_period;
        let is_on = self.average.period > 0;
        if (wanted > 0) == is_on {
            return false;
        }
        self.average = Average { period: wanted, mean: 0 };
        self.last_time = None;
        if wanted > 0 {
            self.held = None;
            return false;
        }
        self.next_time = None;
        true
    }

    /// Drops what the average has no room for; times stay.
    fn take_averaging(&mut self, buf: Buffer, out: &mut Vec<Buffer>) {
        self.counts.taken += 1;
        let wanted = u64::try_from(self.grid(1)).unwrap_or(0);
        if let (Some(pts), true) = (buf.pts(), wanted > 0) {
            let time = i128::from(pts.nanos());
            let since = self.last_time.map(|last| {
                let since = if self.is_backwards() { last - time } else { time - last };
                u64::try_from(since).unwrap_or(0)
            });
            if since.is_some_and(|since| !self.average.admits(since, wanted)) {
                return;
            }
            self.last_time = Some(time);
        }
        self.counts.sent += 1;
        out.push(buf);
    }
}

/// Without a detour through a float where nothing is to be scaled.
fn scaled(time: i128, rate: f64) -> i128 {
    if rate == 1.0 { time } else { (time as f64 * rate) as i128 }
}

fn length(nanos: i128) -> Option<ClockTime> {
    Some(ClockTime::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX - 1)))
}
