//! Rounding samples to fewer bits, with noise that hides what rounding does.
//!
//! Invariant: after `apply` the bits below the depth are zero; where the pieces of a stream are cut makes no
//! difference to what comes out.
//! In GStreamer: `gst-libs/gst/audio/audio-quantize.c` (`gst_audio_quantize_samples`).
//! Left out: quantizing to steps that are no power of two.

/// What noise is added before rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dither {
    /// None.
    None,
    /// All values are as likely.
    Rpdf,
    /// Small values are more likely.
    #[default]
    Tpdf,
    /// The same, with more of it in the treble.
    TpdfHf,
}

/// How the error of rounding is carried on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shaping {
    /// Not at all.
    #[default]
    None,
    /// Taken off the next sample.
    ErrorFeedback,
    /// Filtered with 2 coefficients.
    Simple,
    /// Filtered with 5 coefficients (Lipshitz, Vanderkooy, Wannamaker: Minimally Audible Noise Shaping).
    Medium,
    /// Filtered with 8 coefficients.
    High,
}

impl Dither {
    /// In the order of GStreamer's numbers.
    pub const ALL: [Dither; 4] = [Dither::None, Dither::Rpdf, Dither::Tpdf, Dither::TpdfHf];
}

impl Shaping {
    /// In the order of GStreamer's numbers.
    pub const ALL: [Shaping; 5] =
        [Shaping::None, Shaping::ErrorFeedback, Shaping::Simple, Shaping::Medium, Shaping::High];

    /// The oldest error first.
    const fn coefficients(self) -> &'static [f64] {
        match self {
            Shaping::None | Shaping::ErrorFeedback => &[],
            Shaping::Simple => &[-0.5, 1.0],
            Shaping::Medium => &[0.6149, -1.590, 1.959, -2.165, 2.033],
            Shaping::High => {
                &[-0.340122, 0.876066, -1.72008, 2.61339, -3.31399, 3.27918, -2.92975, 2.08484]
            }
        }
    }
}

/// Precision of the coefficients, and of the errors that are kept.
const COEFFICIENT_BITS: u32 = 10;
const ERROR_BITS: u32 = 8;

/// Rounds 32-bit samples of interleaved channels.
pub struct Quantizer {
    dither: Dither,
    shaping: Shaping,
    channels: usize,
    bias: i32,
    mask: i32,
    /// Half the span of one random number, a power of two.
    span: i32,
    random: Random,
    /// The last random number of each channel.
    last: Vec<i32>,
    coefficients: Vec<i32>,
    /// The errors of each channel, oldest first, as many as there are coefficients, or one.
    errors: Vec<i32>,
}

/// Xorshift over 32 bits of state, worked on in 64; GStreamer's seed, so the noise is the same.
struct Random(u32);

impl Random {
    fn next(&mut self) -> i32 {
        let mut x = u64::from(self.0);
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.0 = x as u32;
        self.0 as i32
    }
    /// From `-span` to `span`, without the latter.
    fn within(&mut self, span: i32) -> i32 {
        (self.next() & (span << 1).wrapping_sub(1)).wrapping_sub(span)
    }
}

impl Quantizer {
    /// For samples of `depth` bits, 1 to 31.
    pub fn new(dither: Dither, shaping: Shaping, channels: usize, depth: u32) -> Quantizer {
        let shift = 32 - depth.clamp(1, 31);
        let one = f64::from(1 << COEFFICIENT_BITS);
        let coefficients: Vec<i32> =
            shaping.coefficients().iter().map(|c| (c * one + 0.5).floor() as i32).collect();
        Quantizer {
            dither,
            shaping,
            channels,
            bias: 1 << (shift - 1),
            mask: -1 << shift,
            span: if dither == Dither::Rpdf {
                1 << shift.min(30)
            } else {
                1 << (shift - 1).min(30)
            },
            random: Random(0xc2d6_038f),
            last: vec![0; channels],
            errors: vec![0; channels * coefficients.len().max(1)],
            coefficients,
        }
    }

    /// Rounds whole frames in place.
    pub fn apply(&mut self, samples: &mut [i32]) {
        for frame in samples.chunks_exact_mut(self.channels.max(1)) {
            for (channel, sample) in frame.iter_mut().enumerate() {
                *sample = match self.shaping {
                    Shaping::None => sample.saturating_add(self.noise(channel)) & self.mask,
                    Shaping::ErrorFeedback => self.feed_back(channel, *sample),
                    _ => self.shape(channel, *sample),
                };
            }
        }
    }

    /// What is added before the lower bits are cut off.
    fn noise(&mut self, channel: usize) -> i32 {
        match self.dither {
            // With an error that is carried on there is nothing to be rounded to the nearest.
            Dither::None if self.shaping != Shaping::None => 0,
            Dither::None => self.bias,
            Dither::Rpdf => self.bias.wrapping_add(self.random.within(self.span)),
            Dither::Tpdf => {
                let (one, other) = (self.random.within(self.span), self.random.within(self.span));
                self.bias.wrapping_add(one).wrapping_add(other)
            }
            Dither::TpdfHf => {
                let random = self.random.within(self.span);
                let last = std::mem::replace(&mut self.last[channel], random);
                self.bias.wrapping_add(random).wrapping_sub(last)
            }
        }
    }

    fn feed_back(&mut self, channel: usize, sample: i32) -> i32 {
        let noise = self.noise(channel);
        let error = &mut self.errors[channel];
        let rounded = sample.saturating_add(noise.wrapping_sub(*error)) & self.mask;
        *error = error.wrapping_add(rounded.wrapping_sub(sample));
        rounded
    }

    fn shape(&mut self, channel: usize, sample: i32) -> i32 {
        let noise = self.noise(channel);
        let count = self.coefficients.len();
        let errors = &mut self.errors[channel * count..][..count];
        let filtered = errors
            .iter()
            .zip(&self.coefficients)
            .fold(0i32, |sum, (error, factor)| sum.wrapping_sub(error.wrapping_mul(*factor)));
        let rest = COEFFICIENT_BITS - ERROR_BITS;
        let wanted = sample.saturating_add(filtered.wrapping_add(1 << (rest - 1)) >> rest);
        let rounded = wanted.saturating_add(noise) & self.mask;
        let error = rounded.wrapping_sub(wanted).wrapping_add(1 << (ERROR_BITS - 1)) >> ERROR_BITS;
        errors.rotate_left(1);
        errors[count - 1] = error;
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_below_the_depth_are_zero_and_pieces_make_no_difference() {
        for dither in Dither::ALL {
            for shaping in Shaping::ALL {
                let samples: Vec<i32> =
                    (0..600).map(|n: i32| n.wrapping_mul(0x0123_4567)).collect();
                let mut whole = samples.clone();
                Quantizer::new(dither, shaping, 2, 12).apply(&mut whole);
                assert!(whole.iter().all(|sample| sample & 0xf_ffff == 0));
                let mut pieces = samples;
                let mut quantizer = Quantizer::new(dither, shaping, 2, 12);
                pieces.chunks_mut(34).for_each(|piece| quantizer.apply(piece));
                assert_eq!(pieces, whole, "{dither:?} {shaping:?}");
            }
        }
    }

    #[test]
    fn without_noise_a_sample_is_rounded_to_the_nearest() {
        let mut samples = [0x7fff, 0x8000, -0x8000, -0x8001, i32::MAX];
        Quantizer::new(Dither::None, Shaping::None, 1, 16).apply(&mut samples);
        assert_eq!(samples, [0, 0x1_0000, 0, -0x1_0000, 0x7fff_0000]);
    }
}
