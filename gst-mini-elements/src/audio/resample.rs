//! Samples at one rate from samples at another: a windowed sinc, one set of taps for each phase.
//!
//! ```text
//!   history  ░░░░▓▓▓▓▓▓▓▓▓▓▓   out[n] = Σ taps[phase] · history[index ..]
//!                └ index         index and phase advance by in/out for each sample
//! ```
//!
//! No crate: how many samples come out of how many, and how late, must be as in GStreamer.
//!
//! Invariant: from `n` samples, and the filter's latency in silence after them, come as many as lie
//! between the first and the last of them: `(n - 1) · out / in` rounded down, and one.
//! In GStreamer: `gst-libs/gst/audio/audio-resampler.c` (`gst_audio_resampler_get_out_frames`, `calculate_kaiser_params`).
//! Left out: integer arithmetic; all is done in doubles. So how much of a filter's table is kept in memory changes
//! no sample, only how it is interpolated does.

use std::f64::consts::PI;

/// What the filter is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The sample before.
    Nearest,
    /// On the line between two.
    Linear,
    /// A cubic B-spline over four.
    Cubic,
    /// A sinc in a Blackman-Nuttall window.
    BlackmanNuttall,
    /// A sinc in a Kaiser window.
    #[default]
    Kaiser,
}

impl Method {
    /// In the order of GStreamer's numbers.
    pub const ALL: [Method; 5] =
        [Method::Nearest, Method::Linear, Method::Cubic, Method::BlackmanNuttall, Method::Kaiser];
}

/// Whether the taps of a sinc are computed for each phase, or interpolated between a few.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// Computed.
    None,
    /// On the line between two.
    Linear,
    /// On a cubic through four. The output is late by a fraction of a sample, as GStreamer's is.
    #[default]
    Cubic,
}

impl Interpolation {
    /// In the order of GStreamer's numbers.
    pub const ALL: [Interpolation; 3] =
        [Interpolation::None, Interpolation::Linear, Interpolation::Cubic];
}

/// Two rates so far apart that the filter would be too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} Hz cannot become {1} Hz: the rates are too far apart")]
pub struct TooFar(pub u32, pub u32);

/// Cutoff, its factor when the rate goes down, attenuation in dB, width of the transition: a row for
/// each quality.
const KAISER: [(f64, f64, f64, f64); 11] = [
    (0.860, 0.96511, 60.0, 0.7),
    (0.880, 0.96591, 65.0, 0.29),
    (0.910, 0.96923, 70.0, 0.145),
    (0.920, 0.97600, 80.0, 0.105),
    (0.940, 0.97979, 85.0, 0.087),
    (0.940, 0.98085, 95.0, 0.077),
    (0.945, 0.99471, 100.0, 0.068),
    (0.950, 1.0, 105.0, 0.055),
    (0.960, 1.0, 110.0, 0.045),
    (0.968, 1.0, 115.0, 0.039),
    (0.975, 1.0, 120.0, 0.0305),
];

/// Taps and cutoff: a row for each quality.
const BLACKMAN: [(u64, f64); 11] = [
    (8, 0.5),
    (16, 0.6),
    (24, 0.72),
    (32, 0.8),
    (48, 0.85),
    (64, 0.90),
    (80, 0.92),
    (96, 0.933),
    (128, 0.950),
    (148, 0.955),
    (160, 0.960),
];

/// Between how many computed phases the others are interpolated: one for each quality.
const OVERSAMPLE: [usize; 11] = [4, 4, 4, 8, 8, 16, 16, 16, 16, 32, 32];

const MOST_TAPS: u64 = 1 << 20;
/// Numbers in all tables of one resampler together, about.
const TABLE: usize = 1 << 20;

/// A filter as a function of the distance from its middle.
struct Kernel {
    method: Method,
    taps: usize,
    cutoff: f64,
    beta: f64,
}

impl Kernel {
    fn new(method: Method, quality: usize, from: u32, to: u32) -> Result<Kernel, TooFar> {
        let quality = quality.min(KAISER.len() - 1);
        let (mut taps, mut cutoff, mut beta) = match method {
            Method::Nearest => (2, 1.0, 0.0),
            Method::Linear => (2, 1.0, 0.0),
            Method::Cubic => (4, 1.0, 0.0),
            Method::BlackmanNuttall => (BLACKMAN[quality].0, BLACKMAN[quality].1, 0.0),
            Method::Kaiser => (0, 0.0, 0.0),
        };
        let is_sinc = matches!(method, Method::BlackmanNuttall | Method::Kaiser);
        if method == Method::Kaiser {
            let (usual, lower, attenuation, width) = KAISER[quality];
            cutoff = if to < from { usual * lower } else { usual };
            beta = 0.1102 * (attenuation - 8.7);
            taps = ((attenuation - 8.0) / (2.285 * 2.0 * PI * width)) as u64 + 1;
        }
        if to < from && method != Method::Nearest {
            cutoff = cutoff * f64::from(to) / f64::from(from);
            taps = taps * u64::from(from) / u64::from(to);
        }
        if is_sinc {
            taps = taps.next_multiple_of(8);
        }
        if taps > MOST_TAPS {
            return Err(TooFar(from, to));
        }
        Ok(Kernel { method, taps: taps.max(2) as usize, cutoff, beta })
    }

    fn at(&self, x: f64) -> f64 {
        let taps = self.taps as f64;
        let sinc = || match PI * x {
            0.0 => self.cutoff,
            y => (y * self.cutoff).sin() / y,
        };
        match self.method {
            Method::Nearest => 0.0,
            Method::Linear => self.taps.div_ceil(2) as f64 - x.abs(),
            Method::Cubic => match (x * 4.0).abs() / taps {
                a if a <= 1.0 => (3.0 * a * a * a - 6.0 * a * a + 4.0) / 6.0,
                a if a <= 2.0 => (2.0 - a).powi(3) / 6.0,
                _ => 0.0,
            },
            Method::BlackmanNuttall => {
                let w = 2.0 * PI * x / taps + PI;
                let window = 0.363_581_9 - 0.489_177_5 * w.cos() + 0.136_599_5 * (2.0 * w).cos()
                    - 0.010_641_1 * (3.0 * w).cos();
                sinc() * window
            }
            Method::Kaiser => {
                let w = 2.0 * x / taps;
                sinc() * bessel(self.beta * (1.0 - w * w).max(0.0).sqrt())
            }
        }
    }

    /// The taps whose sum is one, the first of them `first` away from the middle.
    fn taps(&self, first: f64, taps: &mut Vec<f64>) {
        taps.clear();
        if self.method == Method::Nearest {
            taps.extend([1.0, 0.0]);
            return;
        }
        taps.extend((0..self.taps).map(|tap| self.at(first + tap as f64)));
        let sum: f64 = taps.iter().sum();
        if sum != 0.0 {
            taps.iter_mut().for_each(|tap| *tap /= sum);
        }
    }
}

/// Where the taps of a phase come from.
struct Taps {
    kernel: Kernel,
    interpolation: Interpolation,
    /// Computed phases, and how many there are to a sample.
    computed: Vec<Vec<f64>>,
    oversample: usize,
}

impl Taps {
    fn new(
        kernel: Kernel,
        interpolation: Interpolation,
        quality: usize,
        from: u32,
        to: u32,
    ) -> Taps {
        let is_sinc = matches!(kernel.method, Method::BlackmanNuttall | Method::Kaiser);
        let interpolation = if is_sinc { interpolation } else { Interpolation::None };
        let mut oversample = OVERSAMPLE[quality.min(OVERSAMPLE.len() - 1)];
        // The lower the rate, the smoother the filter.
        let mut lower = 2 * u64::from(to);
        while oversample > 1 && lower < u64::from(from) {
            (lower, oversample) = (lower * 2, oversample / 2);
        }
        let more = match interpolation {
            Interpolation::None => 0,
            Interpolation::Linear => {
                oversample *= 11;
                2
            }
            Interpolation::Cubic => 4,
        };
        let count = if more == 0 { 0 } else { oversample + more };
        let middle = (kernel.taps / 2) as f64;
        let computed = (0..count).map(|phase| {
            let mut taps = Vec::new();
            kernel.taps(phase as f64 / oversample as f64 - middle, &mut taps);
            taps
        });
        Taps { computed: computed.collect(), interpolation, oversample, kernel }
    }

    /// The taps for an output sample that lies `phase / phases` behind an input sample.
    fn make(&self, phase: u64, phases: u64, taps: &mut Vec<f64>) {
        let place = phase * self.oversample as u64;
        let first = (self.oversample - 1).saturating_sub((place / phases) as usize);
        let x = (place % phases) as f64 / phases as f64;
        match (self.interpolation, self.computed.get(first..)) {
            (Interpolation::Linear, Some([a, b, ..])) => {
                taps.clear();
                taps.extend(a.iter().zip(b).map(|(a, b)| (a - b) * x + b));
            }
            (Interpolation::Cubic, Some([a, b, c, d, ..])) => {
                let (x2, x3) = (x * x, x * x * x);
                // GStreamer's constants, in single precision.
                let (sixth, third) = (f64::from(0.16667f32), f64::from(0.33333f32));
                let fa = sixth * (x3 - x);
                let fb = x + 0.5 * (x2 - x3);
                let fd = -third * x + 0.5 * x2 - sixth * x3;
                let fc = 1.0 - fa - fb - fd;
                taps.clear();
                let rows = a.iter().zip(b).zip(c).zip(d);
                taps.extend(rows.map(|(((a, b), c), d)| a * fa + b * fb + c * fc + d * fd));
            }
            _ => {
                let middle = (self.kernel.taps / 2) as f64;
                self.kernel.taps(1.0 - middle - phase as f64 / phases as f64, taps);
            }
        }
    }
}

/// The modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 && k < 200.0 {
        term *= (x / 2.0 / k) * (x / 2.0 / k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Converts interleaved samples from one rate to another.
pub struct Resampler {
    channels: usize,
    /// Both rates without their common divisor.
    from: u64,
    to: u64,
    taps: Taps,
    /// Taps by phase, made when first needed; none if there are too many.
    kept: Vec<Vec<f64>>,
    made: Vec<f64>,
    history: Vec<f64>,
    /// Frame of the history where the next window begins; it can lie behind its end.
    index: usize,
    phase: u64,
}

impl Resampler {
    /// `quality` is 0 to 10.
    pub fn new(
        method: Method,
        interpolation: Interpolation,
        quality: usize,
        channels: usize,
        from: u32,
        to: u32,
    ) -> Result<Resampler, TooFar> {
        let kernel = Kernel::new(method, quality, from, to)?;
        let common = divisor(from, to).max(1);
        let taps = Taps::new(kernel, interpolation, quality, from, to);
        let (from, to) = (u64::from(from / common), u64::from(to / common));
        let is_small = to <= (TABLE / taps.kernel.taps).max(64) as u64;
        let mut resampler = Resampler {
            channels: channels.max(1),
            from,
            to,
            taps,
            kept: vec![Vec::new(); if is_small { to as usize } else { 0 }],
            made: Vec::new(),
            history: Vec::new(),
            index: 0,
            phase: 0,
        };
        resampler.reset();
        Ok(resampler)
    }

    /// Forgets what it holds.
    pub fn reset(&mut self) {
        let before = self.latency() - 1;
        self.history.clear();
        self.history.resize(before * self.channels, 0.0);
        (self.index, self.phase) = (0, 0);
    }

    /// Frames of the input by which the output is late.
    pub fn latency(&self) -> usize {
        self.taps.kernel.taps / 2
    }

    /// How many taps all phases have together.
    pub fn numbers(&self) -> u64 {
        self.to * self.taps.kernel.taps as u64
    }

    /// How many frames come out when so many go in.
    pub fn out_frames(&self, frames: usize) -> usize {
        let there = self.history.len() / self.channels + frames;
        let Some(spare) = there.checked_sub(self.taps.kernel.taps + self.index) else { return 0 };
        let Some(steps) = (spare as u64 * self.to).checked_sub(self.phase) else { return 0 };
        (steps / self.from + 1) as usize
    }

    /// Takes frames and adds what comes out to `output`.
    pub fn push(&mut self, input: &[f64], output: &mut Vec<f64>) {
        self.history.extend_from_slice(input);
        for _ in 0..self.out_frames(0) {
            self.step(output);
        }
        let used = self.index.min(self.history.len() / self.channels);
        self.history.drain(..used * self.channels);
        self.index -= used;
    }

    fn step(&mut self, output: &mut Vec<f64>) {
        let taps = match self.kept.get_mut(self.phase as usize) {
            Some(kept) => {
                if kept.is_empty() {
                    self.taps.make(self.phase, self.to, kept);
                }
                kept
            }
            None => {
                self.taps.make(self.phase, self.to, &mut self.made);
                &mut self.made
            }
        };
        let taps = &*taps;
        let window = &self.history[self.index * self.channels..][..taps.len() * self.channels];
        for channel in 0..self.channels {
            let samples = window.iter().skip(channel).step_by(self.channels);
            output.push(samples.zip(taps).fold(0.0, |sum, (sample, tap)| sum + sample * tap));
        }
        let next = self.phase + self.from;
        self.index += (next / self.to) as usize;
        self.phase = next % self.to;
    }
}

fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resample(
        method: Method,
        quality: usize,
        from: u32,
        to: u32,
        input: &[f64],
        piece: usize,
    ) -> Vec<f64> {
        let mut resampler =
            Resampler::new(method, Interpolation::None, quality, 1, from, to).unwrap();
        let mut out = Vec::new();
        let silence = vec![0.0; resampler.latency()];
        for piece in input.chunks(piece).chain([&silence[..]]) {
            let (before, promised) = (out.len(), resampler.out_frames(piece.len()));
            resampler.push(piece, &mut out);
            assert_eq!(out.len() - before, promised);
        }
        out
    }

    fn sine(freq: f64, rate: u32, count: usize) -> Vec<f64> {
        (0..count).map(|n| (2.0 * PI * freq * n as f64 / f64::from(rate)).sin()).collect()
    }

    #[test]
    fn as_many_samples_come_out_as_the_rates_say_in_pieces_of_any_size() {
        for (from, to) in
            [(44_100, 48_000), (48_000, 44_100), (8000, 44_100), (44_100, 44_099), (3, 1000)]
        {
            let input = sine(0.1, 1, 1000);
            let whole = resample(Method::Kaiser, 4, from, to, &input, 1000);
            let expected = 999 * u64::from(to) / u64::from(from) + 1;
            assert_eq!(whole.len() as u64, expected, "{from} {to}");
            assert_eq!(resample(Method::Kaiser, 4, from, to, &input, 7), whole);
        }
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_place() {
        for (from, to) in [(44_100, 48_000), (48_000, 44_100), (44_100, 44_099), (8000, 48_000)] {
            for quality in [4, 10] {
                let count = 4000;
                let out =
                    resample(Method::Kaiser, quality, from, to, &sine(997.0, from, count), 512);
                let expected = sine(997.0, to, out.len());
                // At the ends the tone begins and stops at once.
                for (n, (got, wanted)) in
                    out.iter().zip(&expected).enumerate().skip(300).take(out.len() - 600)
                {
                    assert!(
                        (got - wanted).abs() < 1e-3,
                        "{from} {to} {quality} {n}: {got} {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone() {
        let out = resample(Method::Kaiser, 4, 48_000, 8000, &sine(6000.0, 48_000, 9600), 480);
        let loudest = out[100..out.len() - 100].iter().fold(0.0f64, |most, s| most.max(s.abs()));
        assert!(loudest < 1e-3, "{loudest}");
    }

    #[test]
    fn every_method_keeps_a_constant() {
        for method in Method::ALL {
            for (from, to) in [(44_100, 48_000), (48_000, 8000)] {
                let out = resample(method, 4, from, to, &[0.5; 2000], 100);
                assert!(
                    out[60..200].iter().all(|s| (s - 0.5).abs() < 1e-3),
                    "{method:?} {from} {to}"
                );
            }
        }
    }

    #[test]
    fn rates_that_are_too_far_apart_are_refused() {
        assert!(
            Resampler::new(Method::Kaiser, Interpolation::Cubic, 4, 1, 2_000_000_000, 1).is_err()
        );
        assert!(
            Resampler::new(Method::Kaiser, Interpolation::Cubic, 4, 1, 1, 2_000_000_000).is_ok()
        );
    }
}
