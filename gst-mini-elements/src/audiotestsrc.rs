//! `audiotestsrc` makes test tones and noises.
//!
//! Invariant: sample `n` is heard at `n / rate`, whatever was sought before it, and a buffer ends where the
//! next one begins.
//! In GStreamer: `gst/audiotestsrc/gstaudiotestsrc.c` (`gst_audio_test_src_fill`, `gst_audio_test_src_do_seek`).
//! Left out: pull mode, the convert query, controlled properties; a buffer whose timestamp would be below zero has none.
//!
//! ```text
//! audiotestsrc wave=ticks num-buffers=100 ! audio/x-raw,rate=48000 ! fakesink
//! ```

use crate::audio::info::{self, AudioInfo, fallback_mask};
use crate::audio::wave::{Oscillator, Ticks, Tone, Wave};
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

const WAVE: &str = "enum:sine=0:Sine,square=1:Square,saw=2:Saw,triangle=3:Triangle,silence=4:Silence,\
    white-noise=5:White uniform noise,pink-noise=6:Pink noise,sine-table=7:Sine table,\
    ticks=8:Periodic Ticks,gaussian-noise=9:White Gaussian noise,red-noise=10:Red (brownian) noise,\
    blue-noise=11:Blue noise,violet-noise=12:Violet noise";
const KEPT_BUFFERS: usize = 16;
/// A larger buffer is taken for a mistake.
const LARGEST: u64 = 1 << 30;

pub struct AudioTestSrc {
    tone: Tone,
    wave: i32,
    sizes: Arc<Sizes>,
    samples_per_buffer: SamplesPerBuffer,
    is_live: bool,
    timestamp_offset: i64,
    can_activate_push: bool,
    can_activate_pull: bool,
    next_sample: u64,
    /// Of `next_sample`; the one after a seek is rounded, the others are cut.
    next_time: u64,
    /// Where the segment ends, in the direction of play.
    end: Option<u64>,
    is_reverse: bool,
    is_over: bool,
    has_tagged: bool,
    oscillator: Oscillator,
    output: Option<(AudioInfo, BufferPool)>,
    latency: Arc<Latency>,
}

/// How much goes into a buffer. Setting the samples sets the bytes, as the last word.
struct Sizes {
    samples: Live<i32>,
    /// The property `blocksize`; `u32::MAX`: what the samples come to.
    bytes: Live<u32>,
    /// Of one sample in all channels; 0 before there is a format.
    frame_bytes: Live<u32>,
}

struct SamplesPerBuffer(Arc<Sizes>);

impl Sizes {
    /// The bytes of so many samples; none without a format.
    fn apply_samples(&self) {
        let samples = self.samples.get().max(1).cast_unsigned();
        self.bytes.set(samples.wrapping_mul(self.frame_bytes.get()));
    }
}

impl LiveField for SamplesPerBuffer {
    fn set_text(&self, text: &str) -> Result<(), String> {
        self.0.samples.set_text(text)?;
        self.0.apply_samples();
        Ok(())
    }
    fn text(&self) -> String {
        self.0.samples.text()
    }
}

/// What the latency query is answered from, on any thread.
#[derive(Default)]
struct Latency {
    rate: Live<u32>,
    samples: Live<u64>,
    is_live: Live<bool>,
}

impl Shared for Latency {
    fn query(&self, _: &Cx, query: &mut Query) -> bool {
        if let Query::Scheduling(way) = query {
            (way.seekable, way.push) = (true, true);
            return true;
        }
        let Query::Latency { live, min, max } = query else { return false };
        let second = ClockTime::SECOND.nanos();
        let Some(buffer) =
            gst_mini_core::time::scale(self.samples.get(), second, u64::from(self.rate.get()))
        else {
            return false;
        };
        (*live, *min, *max) = (self.is_live.get(), ClockTime::from_nanos(buffer), None);
        true
    }
}

impl Default for AudioTestSrc {
    fn default() -> Self {
        let ticks = Ticks {
            interval: ClockTime::SECOND.nanos(),
            periods: 10,
            marker_period: 0,
            marker_volume: 1.0,
            ramp: false,
        };
        let sizes = Arc::new(Sizes {
            samples: Live::new(1024),
            bytes: Live::new(u32::MAX),
            frame_bytes: Live::new(0),
        });
        AudioTestSrc {
            tone: Tone { wave: Wave::Sine, freq: 440.0, volume: 0.8, ticks },
            wave: 0,
            samples_per_buffer: SamplesPerBuffer(sizes.clone()),
            sizes,
            is_live: false,
            timestamp_offset: 0,
            can_activate_push: true,
            can_activate_pull: false,
            next_sample: 0,
            next_time: 0,
            end: None,
            is_reverse: false,
            is_over: false,
            has_tagged: false,
            oscillator: Oscillator::new(0),
            output: None,
            latency: Arc::default(),
        }
    }
}

impl Element for AudioTestSrc {
    const NAME: &str = "audiotestsrc";
    const SUMMARY: &str = "Creates audio test signals of given frequency and volume";
    const LONG_NAME: &str = "Audio test source";
    const CLASS: &str = "Source/Audio";
    const PADS: &[PadTemplate] = &[PadTemplate::src(info::RAW)];
    const PROPS: &[Prop<Self>] = &[
        Prop::boolean("apply-tick-ramp", "Let ticks rise and fall", |e: &mut Self| {
            &mut e.tone.ticks.ramp
        }),
        Prop::boolean("can-activate-pull", "Can be read by who asks for it", |e: &mut Self| {
            &mut e.can_activate_pull
        })
        .ready_only(),
        Prop::boolean("can-activate-push", "Can push by itself", |e: &mut Self| {
            &mut e.can_activate_push
        })
        .ready_only(),
        Prop::double("freq", "Frequency of the tone", |e: &mut Self| &mut e.tone.freq)
            .unit("Hz")
            .range("0", "1073741823.5"),
        Prop::boolean("is-live", "Whether to act as a live source", |e: &mut Self| &mut e.is_live)
            .ready_only(),
        Prop::uint(
            "marker-tick-period",
            "Every such tick has marker-tick-volume, 0: none",
            |e: &mut Self| &mut e.tone.ticks.marker_period,
        ),
        Prop::double("marker-tick-volume", "Volume of marker ticks", |e: &mut Self| {
            &mut e.tone.ticks.marker_volume
        })
        .range("0", "1"),
        Prop::live(
            "blocksize",
            types::UINT,
            "Bytes in a buffer; samplesperbuffer and each new format set it",
            |e: &Self| &e.sizes.bytes,
        )
        .unit("bytes"),
        Prop::live(
            "samplesperbuffer",
            types::INT,
            "Samples of each channel in a buffer",
            |e: &Self| &e.samples_per_buffer,
        )
        .range("1", "2147483647"),
        Prop::uint(
            "sine-periods-per-tick",
            "Length of a tick in periods of its sine",
            |e: &mut Self| &mut e.tone.ticks.periods,
        )
        .range("1", "4294967295"),
        Prop::uint64(
            "tick-interval",
            "From the start of one tick to the start of the next",
            |e: &mut Self| &mut e.tone.ticks.interval,
        )
        .unit("ns")
        .range("1", "18446744073709551615"),
        Prop::int64("timestamp-offset", "An offset added to timestamps", |e: &mut Self| {
            &mut e.timestamp_offset
        })
        .unit("ns"),
        Prop::double("volume", "Volume of the tone", |e: &mut Self| &mut e.tone.volume)
            .range("0", "1"),
        Prop::choice("wave", WAVE, "What the tone is like", |e: &mut Self| &mut e.wave),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.latency.clone())
    }
}

impl AudioTestSrc {
    /// Bytes of a buffer with this many samples of each channel.
    fn buffer_bytes(&self, cx: &Cx, format: &AudioInfo, samples: u64) -> FlowResult<usize> {
        let bytes = samples.saturating_mul(format.frame_bytes() as u64);
        if bytes > LARGEST {
            let text = format!(
                "a buffer of {samples} samples in {} channels would have {bytes} bytes; make samplesperbuffer smaller",
                format.channels
            );
            return Err(cx.error(ErrorKind::Settings, text));
        }
        Ok(bytes as usize)
    }

    /// Samples in a buffer that no end cuts short.
    fn full_buffer(&self) -> u64 {
        let frame_bytes = self.sizes.frame_bytes.get().max(1);
        match self.sizes.bytes.get() {
            u32::MAX => self.sizes.samples.get().max(1) as u64,
            bytes => u64::from(bytes / frame_bytes).max(1),
        }
    }

    /// How many samples come next, and which one comes after them.
    fn span(&mut self) -> (u64, u64) {
        let (from, full) = (self.next_sample, self.full_buffer());
        match (self.end, self.is_reverse) {
            (Some(end), false) if end > from && end < from + full => {
                self.is_over = true;
                (end - from, end)
            }
            (Some(end), true) if end + full >= from => {
                self.is_over = true;
                (from.saturating_sub(end), end)
            }
            (_, false) => (full, from.saturating_add(full)),
            (_, true) => (full.min(from), from.saturating_sub(full)),
        }
    }
}

impl Source for AudioTestSrc {
    const SEEKABLE: bool = true;

    fn is_live(cx: &Cx) -> bool {
        cx.property_as("is-live").unwrap_or(false)
    }

    fn fixate(cx: &Cx, mut caps: Caps) -> Caps {
        let freq = cx.property_as::<f64>("freq").unwrap_or(0.0);
        if let Some(structure) = caps.structure_mut(0) {
            structure.fixate_field_nearest_int("rate", (freq * 2.0).max(44_100.0) as i32);
            structure.fixate_field_string("layout", "interleaved");
            structure.fixate_field_nearest_int("channels", 1);
            let channels = structure.int("channels").unwrap_or(1);
            if channels > 2 && !matches!(structure.get("channel-mask"), Some(Value::Bitmask(_))) {
                structure.set("channel-mask", Value::Bitmask(fallback_mask(channels as u32)));
            }
        }
        caps.fixate()
    }

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let refused = |text: &str| Err(ElementError::new(ErrorKind::Settings, text));
        if self.can_activate_pull {
            return refused("can-activate-pull=true is not supported: this source only pushes");
        }
        if !self.can_activate_push {
            return refused(
                "with can-activate-push=false nothing is left that this source could do",
            );
        }
        (self.next_sample, self.next_time, self.end) = (0, 0, None);
        (self.is_reverse, self.is_over, self.has_tagged) = (false, false, false);
        // Two sources started at different times make different noise.
        self.oscillator = Oscillator::new(cx.utc_now());
        self.latency.is_live.set(self.is_live);
        self.latency.samples.set(self.sizes.samples.get().max(1) as u64);
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.output = None;
        self.latency.rate.set(0);
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, format: &Caps) -> FlowResult {
        let format = AudioInfo::from_caps(format)
            .map_err(|error| cx.error(ErrorKind::Negotiation, error.to_string()))?;
        self.sizes.frame_bytes.set(format.frame_bytes() as u32);
        self.sizes.apply_samples();
        let bytes = self.buffer_bytes(cx, &format, self.sizes.samples.get().max(1) as u64)?;
        self.output = Some((format, BufferPool::new(bytes, KEPT_BUFFERS)));
        self.latency.rate.set(format.rate);
        Ok(())
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let Some(format) = self.output.as_ref().map(|(format, _)| *format) else {
            return Err(FlowError::NotNegotiated);
        };
        if !std::mem::replace(&mut self.has_tagged, true) {
            let tags = Structure::new("taglist").with("description", "audiotest wave");
            cx.output_event(FIRST_PAD, Event::new(EventKind::Tag(tags)));
        }
        if self.is_over {
            return Err(FlowError::Eos);
        }
        let from = self.next_sample;
        let (samples, next) = self.span();
        if samples == 0 {
            return Err(FlowError::Eos);
        }
        let bytes = self.buffer_bytes(cx, &format, samples)?;
        let is_enough = self.output.as_ref().is_some_and(|(_, pool)| pool.size() >= bytes);
        if !is_enough {
            // samplesperbuffer was raised.
            self.output = Some((format, BufferPool::new(bytes, KEPT_BUFFERS)));
        }
        let Some((_, pool)) = &self.output else { return Err(FlowError::NotNegotiated) };
        let mut buf = pool.acquire();
        buf.truncate(bytes);
        let next_time = format.time_of(next).map_or(0, ClockTime::nanos);
        let begin = if self.is_reverse { next_time } else { self.next_time };
        buf.set_pts(begin.checked_add_signed(self.timestamp_offset).map(ClockTime::from_nanos));
        buf.set_duration(Some(ClockTime::from_nanos(next_time.abs_diff(self.next_time))));
        buf.set_offset(Some(from));
        buf.set_offset_end(Some(next));
        (self.next_sample, self.next_time) = (next, next_time);
        self.latency.samples.set(samples);
        self.tone.wave = Wave::ALL.get(self.wave.max(0) as usize).copied().unwrap_or(Wave::Sine);
        // Ticks are counted from the end of the buffer, as GStreamer does.
        self.oscillator.fill(&self.tone, &format, next, buf.data_mut());
        if self.tone.wave == Wave::Silence || self.tone.volume == 0.0 {
            buf.set_flags(BufferFlags::GAP);
        }
        Ok(buf)
    }

    fn seek(&mut self, _: &mut Cx, segment: &Segment) -> bool {
        let rate = self.output.as_ref().map_or(0, |(format, _)| u64::from(format.rate));
        let second = ClockTime::SECOND.nanos();
        let position = segment.position.unwrap_or(segment.start);
        let nearest = |at| gst_mini_core::time::scale_round(at, rate, second).unwrap_or(0);
        if segment.rate < 0.0 && segment.stop.is_none() {
            return false;
        }
        self.is_reverse = segment.rate < 0.0;
        // The sample that is heard at the position, which began before it.
        self.next_sample = gst_mini_core::time::scale(position, rate, second).unwrap_or(0);
        let next_time = gst_mini_core::time::scale_round(self.next_sample, second, rate);
        self.next_time = next_time.unwrap_or(0);
        self.end = match self.is_reverse {
            true => Some(nearest(segment.start)),
            false => segment.stop.map(nearest),
        };
        self.is_over = false;
        true
    }
}
