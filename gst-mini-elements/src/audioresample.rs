//! `audioresample` changes how many samples there are in a second.
//!
//! Invariant: sample `n` behind a discontinuity is heard `n / rate` after it, and as many come out as lie
//! between the first and the last that went in.
//! In GStreamer: `gst/audioresample/gstaudioresample.c` (`gst_audio_resample_process`, `gst_audio_resample_push_drain`).
//! Left out: planar samples; the shortcut for gaps, which are resampled as the silence they are; what the filter
//! holds when the format changes.
//!
//! ```text
//! audiotestsrc num-buffers=100 ! audioresample ! audio/x-raw,rate=48000 ! fakesink
//! ```

use crate::audio::clip::clip;
use crate::audio::convert::{read_samples, write_samples};
use crate::audio::info::RAW_BY_PRECISION;
use crate::audio::resample::{Interpolation, Method, Resampler};
use crate::audio::{AudioFormat, AudioInfo};
use gst_mini_core::element_prelude::*;
use gst_mini_core::time::scale_round;
use std::sync::Arc;

const METHOD: &str = "enum:nearest=0,linear=1,cubic=2,blackman-nuttall=3,kaiser=4";
const FILTER_MODE: &str = "enum:interpolated=0,full=1,auto=2";
const INTERPOLATION: &str = "enum:none=0,linear=1,cubic=2";
const KEPT_BUFFERS: usize = 8;

pub struct AudioResample {
    quality: i32,
    method: i32,
    filter_mode: i32,
    interpolation: i32,
    threshold: u32,
    segment: Segment,
    input: Option<AudioInfo>,
    /// None while the input is passed on.
    work: Option<Work>,
    latency: Arc<Latency>,
}

struct Work {
    resampler: Resampler,
    from: u32,
    to: u32,
    output: AudioInfo,
    samples: Vec<f64>,
    resampled: Vec<f64>,
    pool: BufferPool,
    /// Time and number of the first sample behind the last discontinuity.
    begin: Option<ClockTime>,
    offset: Option<u64>,
    frames_in: u64,
    frames_out: u64,
    has_jumped: bool,
    /// The next buffer is the first behind a discontinuity.
    is_discont: bool,
}

/// How late the output is, for the latency query on any thread.
#[derive(Default)]
struct Latency(Live<u64>);

impl Shared for Latency {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        if !matches!(query, Query::Latency { .. }) || !cx.peer_query(FIRST_PAD, query) {
            return false;
        }
        if let Query::Latency { min, max, .. } = query {
            let own = ClockTime::from_nanos(self.0.get());
            *min += own;
            *max = max.map(|max| max + own);
        }
        true
    }
}

impl Default for AudioResample {
    fn default() -> Self {
        AudioResample {
            quality: 4,
            method: 4,
            filter_mode: 2,
            interpolation: 2,
            threshold: 1 << 20,
            segment: Segment::time(),
            input: None,
            work: None,
            latency: Arc::default(),
        }
    }
}

impl Element for AudioResample {
    const NAME: &str = "audioresample";
    const SUMMARY: &str = "Resamples audio";
    const LONG_NAME: &str = "Audio resampler";
    const CLASS: &str = "Filter/Converter/Audio";
    const RANK: u32 = 128;
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(RAW_BY_PRECISION), PadTemplate::src(RAW_BY_PRECISION)];
    const PROPS: &[Prop<Self>] = &[
        Prop::int("quality", "0 is the fastest, 10 the best", |e: &mut Self| &mut e.quality)
            .range("0", "10")
            .ready_only(),
        Prop::choice("resample-method", METHOD, "What the filter is like", |e: &mut Self| {
            &mut e.method
        })
        .ready_only(),
        Prop::uint(
            "sinc-filter-auto-threshold",
            "Up to this size the table of a filter is full, if sinc-filter-mode is auto",
            |e: &mut Self| &mut e.threshold,
        )
        .unit("bytes")
        .ready_only(),
        Prop::choice(
            "sinc-filter-interpolation",
            INTERPOLATION,
            "How the table of a sinc filter is filled in",
            |e: &mut Self| &mut e.interpolation,
        )
        .ready_only(),
        Prop::choice(
            "sinc-filter-mode",
            FILTER_MODE,
            "Whether the table of a sinc filter has every phase",
            |e: &mut Self| &mut e.filter_mode,
        )
        .ready_only(),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.latency.clone())
    }
}

impl AudioResample {
    /// Whether the filter's table has every phase.
    fn is_full(&self, resampler: &Resampler, info: &AudioInfo) -> bool {
        // GStreamer works on 16-bit samples as they are, on other integers in 32 bits.
        let bytes = match info.format.bytes() {
            bytes if info.format.is_float() => bytes,
            2 if info.format == AudioFormat::S16LE => 2,
            _ => 4,
        };
        match self.filter_mode {
            0 => false,
            1 => true,
            _ => (resampler.numbers() * bytes as u64) < u64::from(self.threshold),
        }
    }
}

impl Work {
    fn forget(&mut self) {
        self.resampler.reset();
        (self.begin, self.offset) = (None, None);
        (self.frames_in, self.frames_out) = (0, 0);
        self.has_jumped = true;
    }

    /// Whether a buffer is not where the one before it ended.
    fn is_jump(&self, buf: &Buffer) -> bool {
        let (Some(pts), Some(begin)) = (buf.pts(), self.begin) else {
            return buf.has(BufferFlags::DISCONT);
        };
        let since = pts.nanos().saturating_sub(begin.nanos());
        let frame = scale_round(since, u64::from(self.from), ClockTime::SECOND.nanos());
        // Sources round; a thirty-second of a second is left to the sink.
        let is_away =
            frame.is_none_or(|frame| frame.abs_diff(self.frames_in) > u64::from(self.from >> 5));
        buf.has(BufferFlags::DISCONT) || is_away || pts < begin
    }

    /// Begins anew at this buffer.
    fn jump_to(&mut self, buf: &Buffer) {
        (self.frames_in, self.frames_out) = (0, 0);
        self.begin = buf.pts();
        self.offset = buf
            .offset()
            .and_then(|offset| scale_round(offset, u64::from(self.to), u64::from(self.from)));
    }

    fn resample(&mut self, frames_in: usize) -> Option<Buffer> {
        self.resampled.clear();
        self.resampler.push(&self.samples, &mut self.resampled);
        self.frames_in += frames_in as u64;
        let frames = self.resampled.len() / self.output.channels as usize;
        if frames == 0 {
            return None;
        }
        let bytes = frames * self.output.frame_bytes();
        if self.pool.size() < bytes {
            self.pool = BufferPool::new(bytes, KEPT_BUFFERS);
        }
        let mut out = self.pool.acquire();
        out.truncate(bytes);
        write_samples(self.output.format, &self.resampled, out.data_mut());
        let (first, end) = (self.frames_out, self.frames_out + frames as u64);
        self.frames_out = end;
        let time =
            |frame| scale_round(frame, ClockTime::SECOND.nanos(), u64::from(self.to)).unwrap_or(0);
        out.set_pts(self.begin.map(|begin| begin + ClockTime::from_nanos(time(first))));
        out.set_duration(self.begin.map(|_| ClockTime::from_nanos(time(end) - time(first))));
        out.set_offset(self.offset.map(|offset| offset + first));
        out.set_offset_end(self.offset.map(|offset| offset + end));
        Some(out)
    }

    /// What the filter still holds, by silence behind it.
    fn drain(&mut self) -> Option<Buffer> {
        // Nothing came since it was emptied.
        self.begin?;
        let frames = self.resampler.latency();
        self.samples.clear();
        self.samples.resize(frames * self.output.channels as usize, 0.0);
        self.resample(frames)
    }
}

impl Transform for AudioResample {
    fn transform_caps(_: &Cx, _: Direction, caps: &Caps) -> Caps {
        if caps.is_any() {
            return Caps::any();
        }
        let mut possible = Caps::empty();
        for (structure, features) in caps.iter() {
            let this = Caps::with_features(structure.clone(), features.clone());
            if !possible.is_empty() && this.is_subset_of(&possible) {
                continue;
            }
            let mut any_rate = structure.clone();
            any_rate.set("rate", Value::int_range(1, i32::MAX));
            // A rate that somebody names is wanted; a range is not.
            if !matches!(structure.get("rate"), None | Some(Value::IntRange { .. })) {
                possible.push(structure.clone(), features.clone());
            }
            possible.push(any_rate, features.clone());
        }
        possible
    }

    fn fixate(_: &Cx, input: &Caps, mut caps: Caps) -> Caps {
        caps.truncate(1);
        let rate = input.structure(0).and_then(|structure| structure.int("rate"));
        if let (Some(rate), Some(output)) = (rate, caps.structure_mut(0)) {
            output.fixate_field_nearest_int("rate", rate);
        }
        caps.fixate()
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.work, self.input) = (None, None);
        self.segment = Segment::time();
        self.latency.0.set(0);
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        let refused = |error: String| cx.error(ErrorKind::Negotiation, error);
        let from = AudioInfo::from_caps(input).map_err(|error| refused(error.to_string()))?;
        let to = AudioInfo::from_caps(output).map_err(|error| refused(error.to_string()))?;
        if self.input == Some(from) && self.work.as_ref().is_some_and(|work| work.output == to) {
            return Ok(());
        }
        self.input = Some(from);
        self.work = None;
        self.latency.0.set(0);
        if from == to {
            return Ok(());
        }
        let method = Method::ALL.get(self.method.max(0) as usize).copied().unwrap_or_default();
        let quality = self.quality.max(0) as usize;
        let at = self.interpolation.max(0) as usize;
        let wanted = Interpolation::ALL.get(at).copied().unwrap_or_default();
        let make = |how| {
            Resampler::new(method, how, quality, to.channels as usize, from.rate, to.rate)
                .map_err(|error| refused(error.to_string()))
        };
        let mut resampler = make(wanted)?;
        // Without every phase in the table there must be some way to the others.
        if wanted == Interpolation::None && !self.is_full(&resampler, &from) {
            resampler = make(Interpolation::Cubic)?;
        }
        let latency = scale_round(
            resampler.latency() as u64,
            ClockTime::SECOND.nanos(),
            u64::from(from.rate),
        );
        self.latency.0.set(latency.unwrap_or(0));
        self.work = Some(Work {
            resampler,
            from: from.rate,
            to: to.rate,
            output: to,
            samples: Vec::new(),
            resampled: Vec::new(),
            pool: BufferPool::new(0, KEPT_BUFFERS),
            begin: None,
            offset: None,
            frames_in: 0,
            frames_out: 0,
            has_jumped: true,
            is_discont: false,
        });
        Ok(())
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        if let EventKind::Segment(_) | EventKind::StreamStart { .. } | EventKind::Eos = &event.kind
            && let Some(work) = &mut self.work
        {
            if let Some(rest) = work.drain() {
                cx.output(SECOND_PAD, rest);
            }
            work.forget();
        }
        if let EventKind::Segment(segment) = &event.kind {
            self.segment = *segment;
        }
        Ok(true)
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some(input) = &self.input else { return Err(FlowError::NotNegotiated) };
        let Some(buf) = clip(buf, &self.segment, input.rate, input.frame_bytes()) else {
            return Ok(None);
        };
        let Some(work) = &mut self.work else { return Ok(Some(buf)) };
        let frames = buf.size() / input.frame_bytes();
        // A frame in may be many out.
        let out = work.resampler.out_frames(frames).checked_mul(work.output.frame_bytes());
        if out.is_none_or(|bytes| bytes > 1 << 30) {
            return Err(cx.error(ErrorKind::Failed, "a buffer would become too long"));
        }
        if work.is_jump(&buf) {
            if let Some(rest) = work.drain() {
                cx.output(SECOND_PAD, rest);
            }
            work.forget();
        }
        if std::mem::take(&mut work.has_jumped) {
            work.jump_to(&buf);
            work.is_discont = true;
        }
        read_samples(input.format, buf.data(), &mut work.samples);
        let Some(mut out) = work.resample(frames) else { return Ok(None) };
        if std::mem::take(&mut work.is_discont) {
            out.set_flags(BufferFlags::DISCONT);
        }
        Ok(Some(out))
    }

    fn flush(&mut self, _: &mut Cx) {
        if let Some(work) = &mut self.work {
            work.forget();
        }
    }
}
