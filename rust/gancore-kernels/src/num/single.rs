//! Elementary functions of float32, for lanes twice as many: branch-free, without fused multiply-add, within 3 ulp.
//!
//! The polynomials are those of Moshier's Cephes library, single precision (1992).

/// 2^23 + 2^22: adding it rounds a float to an integer in its low bits.
const ROUNDER: f32 = 12_582_912.0;

/// 2^x for -126 <= x <= 127; 0 at -127, and at most 2^-126 between the two.
#[inline(always)]
pub fn exp2_normal(x: f32) -> f32 {
    exp2_normals([x])[0]
}

/// [`exp2_normal`] of K numbers, step by step side by side: a processor looks too few operations ahead to see for
/// itself that one does not wait for the other.
#[inline(always)]
pub fn exp2_normals<const K: usize>(x: [f32; K]) -> [f32; K] {
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
        value[k] =
            (9.618_437_357_674_640e-3 + r[k] * 1.339_887_440_266_574e-3) + z[k] * 1.535_336_188_319_500e-4;
    }
    for k in 0..K {
        let low = r[k] * 6.931_472_028_550_421e-1
            + z[k] * (2.402_264_791_363_012e-1 + r[k] * 5.550_332_471_162_809e-2);
        value[k] = 1.0 + (low + z[k] * z[k] * value[k]);
    }
    for k in 0..K {
        // What is left above the exponent falls off: adding to it is multiplying by a power of two.
        value[k] = f32::from_bits(value[k].to_bits().wrapping_add(shifted[k].to_bits() << 23));
    }
    value
}

/// Natural logarithm of (word + 1/2) / 2^32, within 3 ulp also where that is close to 1.
#[inline(always)]
pub fn ln_unit_word(word: u32) -> f32 {
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
    // Of the distances to 0 and to 1 the smaller one, which fits a signed word: AVX2 converts no other.
    let high = word >> 31 == 1;
    let near = if high { !word } else { word };
    let t = (near.cast_signed() as f32 + 0.5) * (1.0 / 4_294_967_296.0);
    let bits = if high { 1.0 - t } else { t }.to_bits();
    let k = bits.wrapping_sub(SQRT_HALF_BITS).cast_signed() >> 23;
    let f = f32::from_bits(bits.wrapping_sub((k << 23).cast_unsigned())) - 1.0;
    let f = if high && k == 0 { -t } else { f };
    let k = k as f32;
    let z = f * f;
    let mut value = 7.037_683_629_2e-2;
    for c in [
        -1.151_461_031_0e-1,
        1.167_699_874_0e-1,
        -1.242_014_084_6e-1,
        1.424_932_278_7e-1,
        -1.666_805_766_5e-1,
        2.000_071_476_5e-1,
        -2.499_999_399_3e-1,
        3.333_333_117_4e-1,
    ] {
        value = value * f + c;
    }
    (f - (0.5 * z - (value * f * z + k * -2.121_944_4e-4))) + k * 0.693_359_375
}

/// Sine and cosine of 2 pi (word + 1/2) / 2^32, within 2e-7.
#[inline(always)]
pub fn sin_cos_word(word: u32) -> (f32, f32) {
    let quarter = word.wrapping_add(1 << 29) >> 30;
    let r = word.wrapping_sub(quarter << 30).cast_signed() as f32 + 0.5;
    let r = r * (std::f32::consts::FRAC_PI_2 / 1_073_741_824.0);
    let z = r * r;
    let sine = r + r * z * (-1.666_665_461_1e-1 + z * (8.332_160_873_6e-3 + z * -1.951_529_589_1e-4));
    let cosine = (1.0 - 0.5 * z)
        + z * z * (4.166_664_568_298_827e-2 + z * (-1.388_731_625_493_765e-3 + z * 2.443_315_711_809_948e-5));
    let swap = quarter & 1 == 1;
    let (s, c) = if swap { (cosine, sine) } else { (sine, cosine) };
    // Quarters 2, 3 negate the sine; quarters 1, 2 negate the cosine.
    let sine_sign = (quarter >> 1) << 31;
    let cosine_sign = (quarter.wrapping_add(1) >> 1) << 31;
    (f32::from_bits(s.to_bits() ^ sine_sign), f32::from_bits(c.to_bits() ^ cosine_sign))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ulps(a: f32, b: f64) -> f64 {
        (f64::from(a) - b).abs() / (b.abs() * f64::from(f32::EPSILON))
    }

    proptest! {
        #[test]
        fn powers_of_two_agree_with_std(x in -126.0_f32..127.0) {
            prop_assert!(ulps(exp2_normal(x), f64::from(x).exp2()) <= 1.5, "{x}");
        }

        #[test]
        fn small_powers_of_two_fade_to_zero(x in -127.0_f32..-126.0) {
            prop_assert_eq!(exp2_normal(-127.0).to_bits(), 0);
            prop_assert!((0.0..=f32::MIN_POSITIVE).contains(&exp2_normal(x)), "{x}");
        }

        #[test]
        fn logarithms_agree_with_std(word: u32, shift in 0_u32..32, flip: bool) {
            let word = if flip { !(word >> shift) } else { word >> shift };
            let exact = if flip {
                (-(f64::from(!word) + 0.5) / 4_294_967_296.0).ln_1p()
            } else {
                ((f64::from(word) + 0.5) / 4_294_967_296.0).ln()
            };
            prop_assert!(ulps(ln_unit_word(word), exact) <= 3.0, "{word}");
        }

        #[test]
        fn sine_and_cosine_agree_with_std(word: u32) {
            let (s, c) = sin_cos_word(word);
            let (s0, c0) = (std::f64::consts::TAU * (f64::from(word) + 0.5) / 4_294_967_296.0).sin_cos();
            prop_assert!((f64::from(s) - s0).abs() <= 2e-7 && (f64::from(c) - c0).abs() <= 2e-7, "{word}");
        }
    }
}
