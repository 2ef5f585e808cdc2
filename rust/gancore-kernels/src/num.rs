//! Numbers: element types, sums of fixed shape, and elementary functions that the compiler can vectorise.
//!
//! The functions are branch-free, use no fused multiply-add (so every instruction set gives the same bits) and follow
//! the classical reductions: ln by m = (1 + s)/(1 - s), exp by x = k ln 2 + r, sine and cosine of quarter turns. The
//! constants of ln, sine and cosine are those of fdlibm (Sun Microsystems, 1993).

pub mod single;

use crate::simd::LANES;

/// An element type that kernels read: float32 or float64. All arithmetic is done in float64.
pub trait Real: Copy + Send + Sync + Into<f64> + 'static {
    /// Round a float64 to this type.
    fn round(value: f64) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn round(value: f64) -> Self {
        value as f32
    }
}

impl Real for f64 {
    #[inline(always)]
    fn round(value: f64) -> Self {
        value
    }
}

/// Terms that are summed before the compensation is told.
const BLOCK: usize = 64 * LANES;

/// A function of two numbers that the compiler can inline into vectorised loops, as it need not a closure.
pub trait Map2<A, B> {
    /// The value; to be marked `#[inline(always)]`.
    fn map(&self, a: A, b: B) -> f64;
}

/// Sum of a slice, in the fixed shape of [`sum_map2`].
#[inline(always)]
pub fn sum<A: Real>(a: &[A]) -> f64 {
    let mut total = Compensated::default();
    for block in a.chunks(BLOCK) {
        total.add(striped(block));
    }
    total.value()
}

/// So many zeros, if their number fits and there is room for them.
pub fn zeros(numbers: Option<usize>) -> Option<Vec<f64>> {
    let (numbers, mut zeros) = (numbers?, Vec::new());
    zeros.try_reserve_exact(numbers).ok()?;
    zeros.resize(numbers, 0.0);
    Some(zeros)
}

/// Sum of f(x, y) over two slices of one length, in a fixed shape: [`LANES`] stripes within blocks of 512 terms,
/// Neumaier's compensation (ZAMM 54, 1974) over blocks.
///
/// The error stays near one rounding of the result plus that of short stripes, for any length. The terms of a block
/// are written down before they are added, so that the compiler vectorises `f` whatever it is.
#[inline(always)]
pub fn sum_map2<A: Copy, B: Copy>(a: &[A], b: &[B], f: &impl Map2<A, B>) -> f64 {
    let mut total = Compensated::default();
    let mut terms = [0.0; BLOCK];
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let terms = &mut terms[..a.len()];
        for ((term, &x), &y) in terms.iter_mut().zip(a).zip(b) {
            *term = f.map(x, y);
        }
        total.add(striped(terms));
    }
    total.value()
}

/// Sum of the terms of a block.
#[inline(always)]
fn striped<A: Real>(terms: &[A]) -> f64 {
    let (whole, rest) = terms.as_chunks::<LANES>();
    let mut stripes = [0.0; LANES];
    for chunk in whole {
        for (stripe, &term) in stripes.iter_mut().zip(chunk) {
            *stripe += term.into();
        }
    }
    for (stripe, &term) in stripes.iter_mut().zip(rest) {
        *stripe += term.into();
    }
    fold(stripes)
}

#[inline(always)]
fn fold(x: [f64; LANES]) -> f64 {
    ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
}

/// A sum with Neumaier's compensation: the error does not grow with the number of terms.
#[derive(Debug, Clone, Copy, Default)]
pub struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    /// Add a term.
    #[inline(always)]
    pub fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }

    /// The sum of all terms; infinities and nan come through.
    #[inline(always)]
    pub fn value(self) -> f64 {
        let corrected = self.sum + self.lost;
        if corrected.is_nan() { self.sum } else { corrected }
    }
}

const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-01;
const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
/// 2^52 + 2^51: adding it rounds a double to an integer in its low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Natural logarithm, within 1 ulp for positive normal numbers; 0 gives -inf, negative numbers and nan give nan.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = if subnormal { x * 18_014_398_509_481_984.0 } else { x };
    let value = ln_scaled(scaled, if subnormal { -54.0 } else { 0.0 });
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    let value = if x == f64::INFINITY { x } else { value };
    if x < 0.0 || x.is_nan() { f64::NAN } else { value }
}

/// [`ln`] of what is known to be positive, normal and finite.
#[inline(always)]
pub fn ln_normal(x: f64) -> f64 {
    ln_scaled(x, 0.0)
}

/// ln (x 2^exponent) for positive normal x.
#[inline(always)]
fn ln_scaled(x: f64, exponent: f64) -> f64 {
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
    let bits = x.to_bits();
    let k = bits.wrapping_sub(SQRT_HALF_BITS).cast_signed() >> 52;
    let f = f64::from_bits(bits.wrapping_sub((k << 52).cast_unsigned())) - 1.0;
    // An integer below 2^51 becomes a double through the bits of ROUNDER: AVX2 has no such conversion.
    let k = f64::from_bits(k.cast_unsigned().wrapping_add(ROUNDER.to_bits())) - ROUNDER + exponent;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let odd = w
        * (3.999_999_999_940_941_908e-01
            + w * (2.222_219_843_214_978_396e-01 + w * 1.531_383_769_920_937_332e-01));
    let even = z
        * (6.666_666_666_666_735_130e-01
            + w * (2.857_142_874_366_239_149e-01
                + w * (1.818_357_216_161_805_012e-01 + w * 1.479_819_860_511_658_591e-01)));
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + (odd + even)) + k * LN2_LOW)) - f)
}

/// Exponential, within 2 ulp; underflows to 0 below -745.2, overflows to inf above 709.8.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let clamped = if x > 1000.0 { 1000.0 } else { x };
    let clamped = if clamped < -1000.0 { -1000.0 } else { clamped };
    let (value, k) = exp_reduced(clamped);
    // 2^k in two factors, since k reaches beyond the exponents of doubles on both sides.
    let half = k >> 1;
    value * power_of_two(half) * power_of_two(k - half)
}

/// [`exp`] of what is known to lie between -700 and 700.
#[inline(always)]
pub fn exp_normal(x: f64) -> f64 {
    let (value, k) = exp_reduced(x);
    value * power_of_two(k)
}

/// 2^x of K numbers for -1022 <= x <= 1023, within 2 ulp, step by step side by side as [`single::exp2_normals`] takes
/// them; 0 at -1023, and at most 2^-1022 between the two.
#[inline(always)]
pub fn exp2_normals<const K: usize>(x: [f64; K]) -> [f64; K] {
    // Taylor to degree 13, as in [`exp`].
    const C: [f64; 14] = powers_of_ln2_by_factorials();
    let (mut shifted, mut r, mut z, mut value) = ([0.0; K], [0.0; K], [0.0; K], [0.0; K]);
    for k in 0..K {
        shifted[k] = x[k] + ROUNDER;
    }
    for k in 0..K {
        r[k] = x[k] - (shifted[k] - ROUNDER);
    }
    for k in 0..K {
        z[k] = r[k] * r[k];
    }
    for k in 0..K {
        value[k] = C[12] + r[k] * C[13];
    }
    for k in 0..K {
        value[k] = (C[10] + r[k] * C[11]) + z[k] * value[k];
    }
    for k in 0..K {
        value[k] = (C[8] + r[k] * C[9]) + z[k] * value[k];
    }
    for k in 0..K {
        value[k] = (C[6] + r[k] * C[7]) + z[k] * value[k];
    }
    for k in 0..K {
        value[k] = (C[4] + r[k] * C[5]) + z[k] * value[k];
    }
    for k in 0..K {
        value[k] = (C[2] + r[k] * C[3]) + z[k] * value[k];
    }
    for k in 0..K {
        value[k] = 1.0 + (r[k] * C[1] + z[k] * value[k]);
    }
    for k in 0..K {
        // What is left above the exponent falls off: adding to it is multiplying by a power of two.
        value[k] = f64::from_bits(value[k].to_bits().wrapping_add(shifted[k].to_bits() << 52));
    }
    value
}

const fn powers_of_ln2_by_factorials() -> [f64; 14] {
    let mut values = [1.0; 14];
    let mut n = 1;
    while n < values.len() {
        values[n] = values[n - 1] * std::f64::consts::LN_2 / n as f64;
        n += 1;
    }
    values
}

/// (v, k) with exp x = v 2^k and v near 1.
#[inline(always)]
fn exp_reduced(x: f64) -> (f64, i64) {
    let shifted = x * std::f64::consts::LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    // Taylor to degree 13: the remainder on |r| <= ln 2 / 2 is below 5e-18. Even and odd powers apart are two chains
    // of operations that the processor runs side by side.
    let z = r * r;
    let mut even = 1.0 / 479_001_600.0;
    for c in [1.0 / 3_628_800.0, 1.0 / 40_320.0, 1.0 / 720.0, 1.0 / 24.0, 0.5] {
        even = even * z + c;
    }
    let mut odd = 1.0 / 6_227_020_800.0;
    for c in [1.0 / 39_916_800.0, 1.0 / 362_880.0, 1.0 / 5_040.0, 1.0 / 120.0, 1.0 / 6.0] {
        odd = odd * z + c;
    }
    (1.0 + (r + z * (even + r * odd)), shifted.to_bits().wrapping_sub(ROUNDER.to_bits()).cast_signed())
}

#[inline(always)]
fn power_of_two(k: i64) -> f64 {
    f64::from_bits((k + 1023).cast_unsigned() << 52)
}

/// Sine and cosine of 2 pi t for t in [0, 1], within 1 ulp of 1.
#[inline(always)]
pub fn sin_cos_turn(t: f64) -> (f64, f64) {
    let shifted = 4.0 * t + ROUNDER;
    let quarter = shifted.to_bits();
    let r = (4.0 * t - (shifted - ROUNDER)) * std::f64::consts::FRAC_PI_2;
    let z = r * r;
    let sine = r + r
        * z
        * (-1.666_666_666_666_663_243e-01
            + z * (8.333_333_333_322_489_461e-03
                + z * (-1.984_126_982_985_794_931e-04
                    + z * (2.755_731_370_707_006_767e-06
                        + z * (-2.505_076_025_340_686_341e-08 + z * 1.589_690_995_211_550_102e-10)))));
    let cosine = 1.0 - 0.5 * z
        + z * z
            * (4.166_666_666_666_660_190e-02
                + z * (-1.388_888_888_887_410_957e-03
                    + z * (2.480_158_728_947_672_941e-05
                        + z * (-2.755_731_435_139_066_330e-07
                            + z * (2.087_572_321_298_174_828e-09 + z * -1.135_964_755_778_819_482e-11)))));
    let swap = quarter & 1 == 1;
    let (s, c) = if swap { (cosine, sine) } else { (sine, cosine) };
    // Quarters 2, 3 negate the sine; quarters 1, 2 negate the cosine.
    let sine_sign = (quarter >> 1) << 63;
    let cosine_sign = (quarter.wrapping_add(1) >> 1) << 63;
    (f64::from_bits(s.to_bits() ^ sine_sign), f64::from_bits(c.to_bits() ^ cosine_sign))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ulps(a: f64, b: f64) -> f64 {
        if a == b || (a.is_nan() && b.is_nan()) {
            return 0.0;
        }
        (a - b).abs() / (b.abs().max(f64::MIN_POSITIVE) * f64::EPSILON)
    }

    proptest! {
        #[test]
        fn ln_agrees_with_std(x in prop::num::f64::POSITIVE) {
            prop_assert!(ulps(ln(x), x.ln()) <= 1.0, "{x:e}: {:e} vs {:e}", ln(x), x.ln());
        }

        #[test]
        fn ln_is_sharp_around_one(x in 0.5..2.0) {
            prop_assert!(ulps(ln(x), x.ln()) <= 1.0);
        }

        #[test]
        fn exp_agrees_with_std(x in -745.0..710.0) {
            let (ours, std) = (exp(x), x.exp());
            prop_assert!(ulps(ours, std) <= 2.0 || (ours - std).abs() <= 5e-324, "{x}: {ours:e} vs {std:e}");
        }

        #[test]
        fn powers_of_two_agree_with_std(x in -1022.0..1023.0, y in -1.0..1.0) {
            let powers = exp2_normals([x, y]);
            prop_assert!(ulps(powers[0], x.exp2()) <= 2.0 && ulps(powers[1], y.exp2()) <= 2.0, "{x}, {y}");
        }

        #[test]
        fn small_powers_of_two_fade_to_zero(x in -1023.0..-1022.0) {
            let powers = exp2_normals([-1023.0, x]);
            prop_assert_eq!(powers[0].to_bits(), 0);
            prop_assert!((0.0..=f64::MIN_POSITIVE).contains(&powers[1]), "{x}");
        }

        #[test]
        fn sine_and_cosine_agree_with_std(t in 0.0..1.0) {
            let (s, c) = sin_cos_turn(t);
            let (s0, c0) = (std::f64::consts::TAU * t).sin_cos();
            prop_assert!((s - s0).abs() <= 1e-15 && (c - c0).abs() <= 1e-15, "{t}: {s} {s0} {c} {c0}");
        }

        #[test]
        fn sums_agree_with_exact_integers(xs in prop::collection::vec(-(1_i64 << 40)..(1_i64 << 40), 0..3000)) {
            let exact: i64 = xs.iter().sum();
            let xs: Vec<f64> = xs.into_iter().map(|x| x as f64).collect();
            prop_assert_eq!(sum(&xs), exact as f64);
        }
    }

    #[test]
    fn special_values() {
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert_eq!(ln(1.0), 0.0);
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan());
        assert_eq!(exp(-800.0), 0.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f64::NAN).is_nan());
        assert_eq!(sin_cos_turn(0.0), (0.0, 1.0));
    }

    #[test]
    fn infinite_terms_come_through() {
        let xs = [1.0, f64::INFINITY, 2.0];
        assert_eq!(sum(&xs), f64::INFINITY);
    }

    #[test]
    fn the_error_does_not_grow_with_the_length() {
        // 64 additions a stripe, each off by half an ulp at most.
        for n in [1_000, 1_000_000] {
            let (total, exact) = (sum(&vec![0.1; n]), n as f64 / 10.0);
            assert!((total - exact).abs() <= 32.0 * exact * f64::EPSILON, "{total:e}");
        }
    }
}
