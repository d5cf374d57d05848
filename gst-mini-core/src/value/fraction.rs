//! A [`Fraction`] is an exact ratio of two 32-bit integers: frame rates and pixel shapes.
//!
//! ```
//! use gst_mini_core::value::Fraction;
//! assert_eq!(Fraction::new(50, 2).to_string(), "25/1");
//! assert!(Fraction::new(30000, 1001) < Fraction::new(30, 1));
//! ```
//!
//! Invariant: reduced, and the denominator is positive.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_set_fraction`), `gst/gstutils.c` (`gst_util_fraction_multiply`).
//! Left out: numerators and denominators of -2^31, which GStreamer refuses too.

use std::cmp::Ordering;
use std::fmt;

/// An exact ratio, always reduced, with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fraction {
    /// The numerator; it carries the sign.
    pub num: i32,
    /// The denominator, at least 1. Build with [`Fraction::new`], which sees to that.
    pub den: i32,
}

impl Fraction {
    /// The largest fraction, `2147483647/1`; "max" in a range.
    pub const MAX: Self = Self { num: i32::MAX, den: 1 };
    /// The smallest fraction, `-2147483647/1`; "min" in a range.
    pub const MIN: Self = Self { num: -i32::MAX, den: 1 };

    /// `num/den`, reduced. What has no meaning (`den` 0, or -2^31 anywhere) gives `0/1`, as in
    /// GStreamer; where the numbers are input, use [`Fraction::checked`].
    pub const fn new(num: i32, den: i32) -> Self {
        match Self::checked(num, den) {
            Some(fraction) => fraction,
            None => Self { num: 0, den: 1 },
        }
    }

    /// `num/den`, reduced, or `None` if `den` is 0 or either number is -2^31.
    pub const fn checked(num: i32, den: i32) -> Option<Self> {
        if den == 0 || num == i32::MIN || den == i32::MIN {
            return None;
        }
        let divisor = gcd(num, den);
        let (num, den) = (num / divisor, den / divisor);
        Some(if den < 0 { Self { num: -num, den: -den } } else { Self { num, den } })
    }

    /// The product, or `None` if it does not fit.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let num = i64::from(self.num) * i64::from(other.num);
        let den = i64::from(self.den) * i64::from(other.den);
        let divisor = gcd64(num, den);
        let num = i32::try_from(num / divisor).ok()?;
        Self::checked(num, i32::try_from(den / divisor).ok()?)
    }

    /// The sum, or `None` when the product of the numerators or of the denominators does not fit.
    ///
    /// Those two products are all that GStreamer checks: the sum itself wraps. Results agree with
    /// it bit for bit, so mind sums of very large fractions.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.num == 0 {
            return Some(other);
        }
        if other.num == 0 {
            return Some(self);
        }
        self.num.checked_abs()?.checked_mul(other.num.checked_abs()?)?;
        let den = self.den.checked_mul(other.den)?;
        let num = self.num.wrapping_mul(other.den).wrapping_add(self.den.wrapping_mul(other.num));
        Self::checked(num, den)
    }

    /// The difference, under the same limits as [`Fraction::checked_add`].
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { num: other.num.wrapping_neg(), den: other.den })
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// The simplest fraction that reads as `value`, by continued fractions. What is too large gives
    /// [`Fraction::MAX`] or [`Fraction::MIN`]; not-a-number gives `0/1`.
    pub fn from_f64(value: f64) -> Self {
        const MAX_TERMS: usize = 30;
        const SMALLEST_REST: f64 = 1.0e-10;
        const CLOSE_ENOUGH: f64 = 1.0e-20;
        if value.is_nan() {
            return Self::new(0, 1);
        }
        let target = value.abs();
        if target >= f64::from(i32::MAX) {
            return if value < 0.0 { Self::MIN } else { Self::MAX };
        }
        let mut rest = target;
        let (mut last, mut before) = ((1i64, 0i64), (0i64, 1i64));
        let mut best = (1i64, 1i64);
        for _ in 0..MAX_TERMS {
            let term = rest as i32;
            rest -= f64::from(term);
            let term = i64::from(term);
            let next = (last.0 * term + before.0, last.1 * term + before.1);
            if next.0 > i64::from(i32::MAX) || next.1 > i64::from(i32::MAX) {
                break;
            }
            best = next;
            before = last;
            last = next;
            let error = (target - best.0 as f64 / best.1 as f64).abs();
            if rest < SMALLEST_REST || error < CLOSE_ENOUGH {
                break;
            }
            rest = 1.0 / rest;
        }
        let num = i32::try_from(best.0).unwrap_or(i32::MAX);
        let den = i32::try_from(best.1).unwrap_or(i32::MAX);
        Self::new(if value < 0.0 { -num } else { num }, den)
    }
}

impl Default for Fraction {
    fn default() -> Self {
        Self { num: 0, den: 1 }
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i64::from(self.num) * i64::from(other.den);
        left.cmp(&(i64::from(other.num) * i64::from(self.den)))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

impl From<i32> for Fraction {
    fn from(whole: i32) -> Self {
        Self::new(whole, 1)
    }
}

const fn gcd(a: i32, b: i32) -> i32 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a < 0 { -a } else { a }
}

fn gcd64(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs().max(1)
}
