//! Test tones and noises, sample by sample.
//!
//! Invariant: apart from the noises, samples are those that GStreamer makes from the same settings and the
//! same position; what a noise is made of depends on the seed alone.
//! In GStreamer: `gst/audiotestsrc/gstaudiotestsrc.c` (`gst_audio_test_src_create_sine_int16` and its siblings).
//! Left out: the wrap-around of Gaussian peaks beyond full scale; they are clipped.

use super::format::AudioFormat;
use super::info::AudioInfo;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Wave {
    Sine,
    Square,
    Saw,
    Triangle,
    Silence,
    WhiteNoise,
    PinkNoise,
    /// A sine out of a table of 1024 values.
    SineTable,
    /// A few periods of a sine every now and then.
    Ticks,
    GaussianNoise,
    /// Brownian.
    RedNoise,
    /// Pink with the spectrum turned around.
    BlueNoise,
    /// Red with the spectrum turned around.
    VioletNoise,
}

impl Wave {
    /// In the order of GStreamer's numbers.
    pub const ALL: [Wave; 13] = [
        Wave::Sine,
        Wave::Square,
        Wave::Saw,
        Wave::Triangle,
        Wave::Silence,
        Wave::WhiteNoise,
        Wave::PinkNoise,
        Wave::SineTable,
        Wave::Ticks,
        Wave::GaussianNoise,
        Wave::RedNoise,
        Wave::BlueNoise,
        Wave::VioletNoise,
    ];
}

/// The settings of a tone.
#[derive(Clone, Debug, PartialEq)]
pub struct Tone {
    /// What is drawn.
    pub wave: Wave,
    /// Periods a second.
    pub freq: f64,
    /// 0 to 1.
    pub volume: f64,
    /// For [`Wave::Ticks`].
    pub ticks: Ticks,
}

/// When ticks come and what they are like.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    /// From the start of one to the start of the next, ns.
    pub interval: u64,
    /// Length of a tick in periods of the sine.
    pub periods: u32,
    /// Every such tick is louder or softer; 0: none is.
    pub marker_period: u32,
    /// The volume of those.
    pub marker_volume: f64,
    /// Whether a tick rises and falls, a period long.
    pub ramp: bool,
}

const TABLE: usize = 1024;
const PINK_ROWS: usize = 12;

/// What the next sample depends on, besides the settings.
pub struct Oscillator {
    phase: f64,
    ticks_begun: u32,
    table: Vec<f64>,
    /// The volume that is in the table.
    table_volume: f64,
    pink: Pink,
    red: f64,
    /// Sign of the next blue or violet sample.
    flip: f64,
    random: Random,
    wave: Option<Wave>,
}

#[derive(Default)]
struct Pink {
    index: u32,
    rows: [i64; PINK_ROWS],
    sum: i64,
}

/// SplitMix64, by Sebastiano Vigna, public domain.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// 0 to 1, without 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// -1 to 1, without 1.
    fn signed(&mut self) -> f64 {
        self.unit() * 2.0 - 1.0
    }
    /// -32768 to 32768, whole.
    fn short(&mut self) -> i64 {
        (32_768.0 - 65_536.0 * self.unit()) as i64
    }
}

impl Pink {
    /// Voss and McCartney: row `n` changes at every 2^n-th sample, after Phil Burk's public domain code.
    fn next(&mut self, random: &mut Random) -> f64 {
        self.index = (self.index + 1) % (1 << PINK_ROWS);
        if self.index != 0 {
            let row = &mut self.rows[self.index.trailing_zeros() as usize % PINK_ROWS];
            self.sum -= *row;
            *row = random.short();
            self.sum += *row;
        }
        let most = (PINK_ROWS as i64 + 1) << 23;
        (self.sum + random.short()) as f64 / most as f64
    }
}

/// How samples of one kind are stored.
struct Store {
    /// Full scale of the number that is computed.
    scale: f64,
    /// The number that comes next to a real one.
    cut: fn(f64) -> f64,
    /// Stores each value in so many samples.
    put: fn(AudioFormat, &[f64], usize, &mut [u8]),
}

impl Store {
    fn of(format: AudioFormat) -> Store {
        if format == AudioFormat::S16LE {
            let put = |_, values: &[f64], times, out: &mut [u8]| {
                spread(values, times, 2, out, |v, out| {
                    out.copy_from_slice(&(v as i16).to_le_bytes())
                });
            };
            Store { scale: 32_767.0, cut: f64::trunc, put }
        } else if format.is_float() {
            let put = |format: AudioFormat, values: &[f64], times, out: &mut [u8]| {
                spread(values, times, format.bytes(), out, |v, out| format.put_f64(v, out));
            };
            let cut: fn(f64) -> f64 =
                if format == AudioFormat::F32LE { |v| f64::from(v as f32) } else { |v| v };
            Store { scale: 1.0, cut, put }
        } else {
            let put = |format: AudioFormat, values: &[f64], times, out: &mut [u8]| {
                spread(values, times, format.bytes(), out, |v, out| format.put_i32(v as i32, out));
            };
            Store { scale: 2_147_483_647.0, cut: f64::trunc, put }
        }
    }
}

fn spread(
    values: &[f64],
    times: usize,
    bytes: usize,
    out: &mut [u8],
    put: impl Fn(f64, &mut [u8]),
) {
    for (value, samples) in values.iter().zip(out.chunks_exact_mut(bytes * times)) {
        samples.chunks_exact_mut(bytes).for_each(|sample| put(*value, sample));
    }
}

impl Oscillator {
    /// At phase 0. `seed` is for the noises.
    pub fn new(seed: u64) -> Oscillator {
        Oscillator {
            phase: 0.0,
            ticks_begun: 0,
            table: Vec::new(),
            table_volume: 0.0,
            pink: Pink::default(),
            red: 0.0,
            flip: 1.0,
            random: Random(seed),
            wave: None,
        }
    }

    /// Fills whole frames. `at` is the number that tells ticks where they are.
    pub fn fill(&mut self, tone: &Tone, info: &AudioInfo, at: u64, out: &mut [u8]) {
        if self.wave != Some(tone.wave) {
            self.wave = Some(tone.wave);
            (self.pink, self.red) = (Pink::default(), 0.0);
        }
        let store = Store::of(info.format);
        let frames = Frames { info, store: &store };
        let step = TAU * tone.freq / f64::from(info.rate);
        let amp = tone.volume * store.scale;
        match tone.wave {
            Wave::Sine => self.periodic(&frames, step, out, |phase| phase.sin() * amp),
            Wave::Square => {
                self.periodic(&frames, step, out, |phase| if phase < PI { amp } else { -amp })
            }
            Wave::Saw => {
                let amp = amp / PI;
                self.periodic(&frames, step, out, |phase| {
                    if phase < PI { phase * amp } else { (TAU - phase) * -amp }
                })
            }
            Wave::Triangle => {
                let amp = amp / FRAC_PI_2;
                self.periodic(&frames, step, out, |phase| {
                    if phase < FRAC_PI_2 {
                        phase * amp
                    } else if phase < PI * 1.5 {
                        (phase - PI) * -amp
                    } else {
                        (TAU - phase) * -amp
                    }
                })
            }
            Wave::Silence => frames.each(out, |_| 0.0),
            Wave::SineTable => {
                self.make_table(tone.volume);
                let table = std::mem::take(&mut self.table);
                let scale = store.scale;
                self.periodic(&frames, step, out, |phase| scale * looked_up(&table, phase));
                self.table = table;
            }
            Wave::Ticks => self.ticks(&frames, tone, at, out),
            Wave::WhiteNoise => frames.each(out, |_| amp * self.random.signed()),
            Wave::PinkNoise => frames.each(out, |_| self.pink.next(&mut self.random) * amp),
            Wave::BlueNoise => frames.each(out, |channel| {
                let flip = self.flip_at(channel);
                self.pink.next(&mut self.random) * amp * flip
            }),
            Wave::RedNoise => frames.each(out, |_| amp * self.next_red()),
            Wave::VioletNoise => frames.each(out, |channel| {
                let flip = self.flip_at(channel);
                amp * self.next_red() * flip
            }),
            Wave::GaussianNoise => {
                // Box and Muller: two at a time, for two channels.
                let mut other = 0.0;
                frames.each(out, |channel| {
                    if channel % 2 == 1 {
                        return other;
                    }
                    let size = (-2.0 * (1.0 - self.random.unit()).ln()).sqrt();
                    let (sin, cos) = (self.random.unit() * TAU).sin_cos();
                    other = amp * size * sin;
                    amp * size * cos
                })
            }
        }
    }

    fn advance(&mut self, step: f64) {
        self.phase += step;
        if self.phase >= TAU {
            self.phase -= TAU;
        }
    }

    fn periodic(&mut self, frames: &Frames, step: f64, out: &mut [u8], value: impl Fn(f64) -> f64) {
        frames.same(out, |_| {
            self.advance(step);
            value(self.phase)
        });
    }

    fn ticks(&mut self, frames: &Frames, tone: &Tone, at: u64, out: &mut [u8]) {
        let Frames { info, store } = *frames;
        let rate = info.rate;
        self.make_table(1.0);
        let table = std::mem::take(&mut self.table);
        let Ticks { interval, periods, marker_period, marker_volume, ramp } = tone.ticks;
        let rate_f = f64::from(rate);
        let step = TAU * tone.freq / rate_f;
        let apart = gst_mini_core::time::scale(interval, u64::from(rate), 1_000_000_000);
        let apart = apart.unwrap_or(1).max(1);
        let length = (rate_f * f64::from(periods) / tone.freq) as i64;
        let ramp_length = if ramp { (rate_f / tone.freq) as i64 } else { 0 };
        let loudness = |begun: u32| {
            let is_marker = marker_period > 0 && begun.is_multiple_of(marker_period);
            (store.cut)((if is_marker { marker_volume } else { tone.volume }) * store.scale)
        };
        let mut loud = loudness(self.ticks_begun);
        frames.same(out, |index| {
            let since = ((at + index) % apart) as i64;
            let value = if since == 0 {
                self.phase = 0.0;
                self.ticks_begun = self.ticks_begun.wrapping_add(1);
                loud = loudness(self.ticks_begun);
                0.0
            } else if since < length {
                let ramp = if ramp_length <= 0 {
                    1.0
                } else if since < ramp_length {
                    since as f64 / ramp_length as f64
                } else if since >= length - ramp_length {
                    (length - since) as f64 / ramp_length as f64
                } else {
                    1.0
                };
                let ramp = ramp.min(1.0);
                loud * (ramp * ramp * ramp) * looked_up(&table, self.phase)
            } else {
                0.0
            };
            self.advance(step);
            value
        });
        self.table = table;
    }

    fn make_table(&mut self, volume: f64) {
        if self.table.len() == TABLE && self.table_volume == volume {
            return;
        }
        self.table_volume = volume;
        // Added up, not multiplied: the last bits are GStreamer's.
        let mut angle = 0.0;
        self.table.clear();
        self.table.extend((0..TABLE).map(|_| {
            let value = f64::sin(angle) * volume;
            angle += TAU / TABLE as f64;
            value
        }));
    }

    fn next_red(&mut self) -> f64 {
        loop {
            let step = self.random.signed();
            if (-8.0..=8.0).contains(&(self.red + step)) {
                self.red += step;
                return self.red * 0.0625;
            }
        }
    }

    /// The sign for this frame: it turns with each first channel.
    fn flip_at(&mut self, channel: usize) -> f64 {
        if channel == 0 {
            self.flip = -self.flip;
        }
        self.flip
    }
}

fn looked_up(table: &[f64], phase: f64) -> f64 {
    // A frequency above the rate makes the phase run away.
    let index = (phase * (TABLE as f64 / TAU)) as usize % TABLE;
    table.get(index).copied().unwrap_or(0.0)
}

/// So many values are computed before they are stored: what computes them is compiled once, not for each kind of sample.
const BLOCK: usize = 64;

struct Frames<'a> {
    info: &'a AudioInfo,
    store: &'a Store,
}

impl Frames<'_> {
    /// One value for all channels of a frame; `value` is told the frame's number.
    fn same(&self, out: &mut [u8], value: impl FnMut(u64) -> f64) {
        let bytes = self.info.frame_bytes();
        self.blocks(out, bytes, bytes / self.info.format.bytes(), value);
    }

    /// A value for each sample; `value` is told the channel.
    fn each(&self, out: &mut [u8], mut value: impl FnMut(usize) -> f64) {
        let channels = self.info.frame_bytes() / self.info.format.bytes();
        let mut channel = channels - 1;
        self.blocks(out, self.info.format.bytes(), 1, |_| {
            channel = if channel + 1 == channels { 0 } else { channel + 1 };
            value(channel)
        });
    }

    /// `bytes`: those of the samples that have one value, which are `times`.
    fn blocks(
        &self,
        out: &mut [u8],
        bytes: usize,
        times: usize,
        mut value: impl FnMut(u64) -> f64,
    ) {
        let (mut values, mut number) = ([0.0; BLOCK], 0..);
        for block in out.chunks_mut(bytes * BLOCK) {
            let values = &mut values[..block.len() / bytes];
            values.iter_mut().zip(&mut number).for_each(|(place, number)| *place = value(number));
            (self.store.put)(self.info.format, values, times, block);
        }
    }
}
