//! Samples of one format and set of channels into another.
//!
//! ```text
//!   read ─▶ 32-bit integers ─┬──────────────────────────▶ mix ─▶ round ─▶ write
//!           or doubles       └─ doubles if one side has them ─▲
//! ```
//!
//! Invariant: a steady stream allocates nothing; sample rates are not touched.
//! In GStreamer: `gst-libs/gst/audio/audio-converter.c` (`gst_audio_converter_new`, `converter_generic`).
//! Left out: resampling, which is `audioresample`'s; planar samples.

use super::dither::{Dither, Quantizer, Shaping};
use super::format::AudioFormat;
use super::info::AudioInfo;
use super::mix::{Matrix, MixError};

/// How to convert.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Noise that is added before rounding.
    pub dither: Dither,
    /// How the error of rounding is carried on.
    pub shaping: Shaping,
    /// Formats of more bits than this are rounded without noise.
    pub threshold: u32,
    /// Rows of factors, one for each output channel. Empty rows: each channel to the one of its number.
    pub matrix: Option<Vec<Vec<f32>>>,
}

/// Converts whole frames.
pub struct Converter {
    from: AudioFormat,
    to: AudioFormat,
    way: Way,
    matrix: Option<Matrix>,
    quantizer: Option<Quantizer>,
    ints: Vec<i32>,
    reals: Vec<f64>,
    mixed_ints: Vec<i32>,
    mixed_reals: Vec<f64>,
}

/// What samples are while they are worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Only the order of bytes changes.
    Swap,
    /// 32 bits.
    Ints,
    /// 16 bits all the way.
    Shorts,
    /// Doubles at both ends.
    Reals,
    /// Single precision all the way.
    Singles,
    /// Integers become doubles.
    IntsToReals,
    /// Doubles become integers.
    RealsToInts,
}

/// Full scale of a 32-bit sample.
const FULL: f64 = 2_147_483_648.0;
/// Bits behind the point of a factor for integers.
const FACTOR_BITS: u32 = 10;

impl Converter {
    /// `Ok(None)`: there is nothing to convert.
    pub fn new(
        input: &AudioInfo,
        output: &AudioInfo,
        settings: &Settings,
    ) -> Result<Option<Converter>, MixError> {
        let matrix = match &settings.matrix {
            Some(rows) => Matrix::from_rows(rows, input, output)?,
            None => Matrix::between(input, output)?,
        };
        let (from, to) = (input.format, output.format);
        if matrix.is_none() && from == to {
            return Ok(None);
        }
        let is_swap = from != to
            && matrix.is_none()
            && (from.kind(), from.width(), from.depth()) == (to.kind(), to.width(), to.depth());
        let way = match (from.is_float(), to.is_float()) {
            _ if is_swap => Way::Swap,
            (false, false) if from == to && from == AudioFormat::S16LE => Way::Shorts,
            (false, false) => Way::Ints,
            (true, true) if from == to && from == AudioFormat::F32LE => Way::Singles,
            (true, true) => Way::Reals,
            (false, true) => Way::IntsToReals,
            (true, false) => Way::RealsToInts,
        };
        let is_rounded = matches!(way, Way::Ints | Way::RealsToInts) && to.depth() < 32;
        let quantizer = is_rounded.then(|| {
            let (dither, shaping) = match to.depth() > settings.threshold {
                true => (Dither::None, Shaping::None),
                // At low rates the shaped noise would be moved to where it is heard.
                false if settings.shaping != Shaping::None && output.rate < 32_000 => {
                    (settings.dither, Shaping::ErrorFeedback)
                }
                false => (settings.dither, settings.shaping),
            };
            Quantizer::new(dither, shaping, output.channels as usize, to.depth())
        });
        Ok(Some(Converter {
            from,
            to,
            way,
            matrix,
            quantizer,
            ints: Vec::new(),
            reals: Vec::new(),
            mixed_ints: Vec::new(),
            mixed_reals: Vec::new(),
        }))
    }

    /// Converts as many frames as both sides have room for.
    pub fn convert(&mut self, input: &[u8], output: &mut [u8]) {
        match self.way {
            Way::Swap => {
                let bytes = self.from.bytes();
                for (from, to) in input.chunks_exact(bytes).zip(output.chunks_exact_mut(bytes)) {
                    to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
                }
                return;
            }
            Way::Ints | Way::Shorts | Way::IntsToReals => {
                read_ints(self.from, input, &mut self.ints)
            }
            Way::Reals | Way::Singles | Way::RealsToInts => {
                read_reals(self.from, input, &mut self.reals);
            }
        }
        if self.way == Way::IntsToReals {
            self.reals.clear();
            self.reals.extend(self.ints.iter().map(|sample| f64::from(*sample) / FULL));
        }
        if let Some(matrix) = &self.matrix {
            match self.way {
                Way::Ints => mix_ints(matrix, &self.ints, &mut self.mixed_ints, 0),
                Way::Shorts => mix_ints(matrix, &self.ints, &mut self.mixed_ints, 16),
                Way::Singles => mix_singles(matrix, &self.reals, &mut self.mixed_reals),
                _ => mix_reals(matrix, &self.reals, &mut self.mixed_reals),
            }
            std::mem::swap(&mut self.ints, &mut self.mixed_ints);
            std::mem::swap(&mut self.reals, &mut self.mixed_reals);
        }
        if self.way == Way::RealsToInts {
            self.ints.clear();
            self.ints.extend(self.reals.iter().map(|sample| (sample * FULL) as i32));
        }
        if let Some(quantizer) = &mut self.quantizer {
            quantizer.apply(&mut self.ints);
        }
        match self.way {
            Way::Ints | Way::Shorts | Way::RealsToInts => write_ints(self.to, &self.ints, output),
            _ => write_reals(self.to, &self.reals, output),
        }
    }
}

/// Reads integer samples, sign bit on top.
fn read_ints(format: AudioFormat, input: &[u8], samples: &mut Vec<i32>) {
    samples.clear();
    let bytes = format.bytes();
    // The usual ones have loops of their own, which the compiler makes fast.
    match format {
        AudioFormat::S16LE => samples.extend(
            input.chunks_exact(2).map(|s| i32::from(i16::from_le_bytes([s[0], s[1]])) << 16),
        ),
        AudioFormat::S32LE => samples
            .extend(input.chunks_exact(4).map(|s| i32::from_le_bytes([s[0], s[1], s[2], s[3]]))),
        AudioFormat::S24LE => {
            samples.extend(input.chunks_exact(3).map(|s| i32::from_le_bytes([0, s[0], s[1], s[2]])))
        }
        AudioFormat::U8 => samples.extend(input.iter().map(|s| (i32::from(*s) - 128) << 24)),
        _ => samples.extend(input.chunks_exact(bytes).map(|stored| format.get_i32(stored))),
    }
}

fn write_ints(format: AudioFormat, samples: &[i32], output: &mut [u8]) {
    let bytes = format.bytes();
    match format {
        AudioFormat::S16LE => {
            for (stored, sample) in output.chunks_exact_mut(2).zip(samples) {
                stored.copy_from_slice(&((sample >> 16) as i16).to_le_bytes());
            }
        }
        AudioFormat::S32LE => {
            for (stored, sample) in output.chunks_exact_mut(4).zip(samples) {
                stored.copy_from_slice(&sample.to_le_bytes());
            }
        }
        AudioFormat::S24LE => {
            for (stored, sample) in output.chunks_exact_mut(3).zip(samples) {
                stored.copy_from_slice(&sample.to_le_bytes()[1..]);
            }
        }
        _ => {
            for (stored, sample) in output.chunks_exact_mut(bytes).zip(samples) {
                format.put_i32(*sample, stored);
            }
        }
    }
}

fn read_reals(format: AudioFormat, input: &[u8], samples: &mut Vec<f64>) {
    samples.clear();
    match format {
        AudioFormat::F32LE => samples.extend(
            input.chunks_exact(4).map(|s| f64::from(f32::from_le_bytes([s[0], s[1], s[2], s[3]]))),
        ),
        _ => samples.extend(input.chunks_exact(format.bytes()).map(|s| format.get_f64(s))),
    }
}

fn write_reals(format: AudioFormat, samples: &[f64], output: &mut [u8]) {
    match format {
        AudioFormat::F32LE => {
            for (stored, sample) in output.chunks_exact_mut(4).zip(samples) {
                stored.copy_from_slice(&(*sample as f32).to_le_bytes());
            }
        }
        _ => {
            for (stored, sample) in output.chunks_exact_mut(format.bytes()).zip(samples) {
                format.put_f64(*sample, stored);
            }
        }
    }
}

/// Samples of any format as doubles, full scale is 1.
pub fn read_samples(format: AudioFormat, input: &[u8], samples: &mut Vec<f64>) {
    if format.is_float() {
        return read_reals(format, input, samples);
    }
    samples.clear();
    let stored = input.chunks_exact(format.bytes());
    samples.extend(stored.map(|stored| f64::from(format.get_i32(stored)) / FULL));
}

/// Doubles as samples of any format: rounded to the nearest, and clipped at full scale.
pub fn write_samples(format: AudioFormat, samples: &[f64], output: &mut [u8]) {
    if format.is_float() {
        return write_reals(format, samples, output);
    }
    let step = f64::from(1u32 << (32 - format.depth()).min(31));
    for (stored, sample) in output.chunks_exact_mut(format.bytes()).zip(samples) {
        format.put_i32(((sample * FULL / step).round() * step) as i32, stored);
    }
}

/// Mixes integers whose lower `unused` bits are zero, and keeps those zero.
fn mix_ints(matrix: &Matrix, input: &[i32], output: &mut Vec<i32>, unused: u32) {
    output.clear();
    let one = (1 << FACTOR_BITS) as f32;
    let (least, most) = (i64::from(i32::MIN >> unused), i64::from(i32::MAX >> unused));
    for frame in input.chunks_exact(matrix.inputs()) {
        output.extend(matrix.rows().map(|row| {
            let sum = frame.iter().zip(row).fold(0i64, |sum, (sample, factor)| {
                sum + i64::from(sample >> unused) * i64::from((factor * one) as i32)
            });
            let rounded = (sum + (1 << (FACTOR_BITS - 1))) >> FACTOR_BITS;
            (rounded.clamp(least, most) as i32) << unused
        }));
    }
}

fn mix_reals(matrix: &Matrix, input: &[f64], output: &mut Vec<f64>) {
    output.clear();
    for frame in input.chunks_exact(matrix.inputs()) {
        output.extend(matrix.rows().map(|row| {
            frame
                .iter()
                .zip(row)
                .fold(0.0, |sum, (sample, factor)| sum + sample * f64::from(*factor))
        }));
    }
}

fn mix_singles(matrix: &Matrix, input: &[f64], output: &mut Vec<f64>) {
    output.clear();
    for frame in input.chunks_exact(matrix.inputs()) {
        output.extend(matrix.rows().map(|row| {
            let add = |sum: f32, (sample, factor): (&f64, &f32)| sum + *sample as f32 * factor;
            f64::from(frame.iter().zip(row).fold(0.0, add))
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact() -> Settings {
        Settings { dither: Dither::None, threshold: 20, ..Settings::default() }
    }

    /// Converts mono samples there and back.
    fn there_and_back(samples: &[u8], from: AudioFormat, to: AudioFormat) -> Vec<u8> {
        let (a, b) = (AudioInfo::new(from, 48_000, 1), AudioInfo::new(to, 48_000, 1));
        let step = |from: &AudioInfo, to: &AudioInfo, samples: &[u8]| {
            let Some(mut converter) = Converter::new(from, to, &exact()).unwrap() else {
                return samples.to_vec();
            };
            let mut out = vec![0; samples.len() / from.frame_bytes() * to.frame_bytes()];
            converter.convert(samples, &mut out);
            out
        };
        step(&b, &a, &step(&a, &b, samples))
    }

    #[test]
    fn nothing_is_lost_on_the_way_to_a_wider_format_and_back() {
        for from in AudioFormat::all().filter(|format| !format.is_float()) {
            let bytes = from.bytes();
            let mut samples: Vec<u8> = (0..=255u8).flat_map(|n| vec![n; bytes]).collect();
            // Only what the depth has room for.
            for stored in samples.chunks_exact_mut(bytes) {
                let sample = from.get_i32(stored);
                from.put_i32(sample, stored);
            }
            for to in AudioFormat::all().filter(|to| to.is_float() || to.depth() >= from.depth()) {
                if to.is_float() && to.depth() == 32 && from.depth() > 24 {
                    continue;
                }
                assert_eq!(there_and_back(&samples, from, to), samples, "{from} {to}");
            }
        }
    }

    #[test]
    fn floats_beyond_full_scale_are_clipped() {
        let (from, to) = (AudioFormat::F32LE, AudioFormat::S16LE);
        let (from, to) = (AudioInfo::new(from, 8000, 1), AudioInfo::new(to, 8000, 1));
        let samples: Vec<u8> =
            [2.0f32, -2.0, 1.0, f32::NAN, 0.0].into_iter().flat_map(f32::to_le_bytes).collect();
        let mut out = [0; 10];
        Converter::new(&from, &to, &exact()).unwrap().unwrap().convert(&samples, &mut out);
        assert_eq!(out, [0xff, 0x7f, 0, 0x80, 0xff, 0x7f, 0, 0, 0, 0]);
    }

    #[test]
    fn five_one_becomes_stereo_without_overflow() {
        let from = AudioInfo::new(AudioFormat::S16LE, 8000, 6);
        let to = AudioInfo::new(AudioFormat::S16LE, 8000, 2);
        let mut out = [0; 4];
        let mut converter = Converter::new(&from, &to, &exact()).unwrap().unwrap();
        converter.convert(&[0xff, 0x7f].repeat(6), &mut out);
        let left = i16::from_le_bytes([out[0], out[1]]);
        assert!(left > 32_600, "{left}");
    }
}
