//! The terms of the measures, free of cancellation and of branches.
//!
//! With 2^k the power nearest to p/q, s = (p 2^-k - q) / (p 2^-k + q) and |s| <= 0.2,
//!
//! ```text
//! ln(p/q) = k ln 2 + 2 s (1 + T),   T = atanh(s)/s - 1 = s^2/3 + s^4/5 + ...
//! p ln(p/q) - p + q = d (s + (1 + s) T)                   where k = 0
//!                   = p ln(p/q) - d                       elsewhere, where nothing cancels
//! q f_a(p/q) = (p e L^2 phi(e L) + p L - p + q) / a       L = ln(p/q), e = a - 1, phi(x) = (exp x - 1 - x)/x^2
//! ```
//!
//! The last is summed for orders a >= 1/2; smaller ones are A_a(p, q) = A_(1-a)(q, p).

use crate::error::{Error, Result};
use crate::num;

/// 2^60: masses are multiplied by it, so that a normalised subnormal number is still normal. Sums are divided by it.
pub const SCALE: f64 = 1_152_921_504_606_846_976.0;

const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-01;
const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
/// 2^52 + 2^51: adding it rounds a double to an integer in its low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// A measure as the sum of a term over the bins.
pub trait Term: Send + Sync {
    /// The term of normalised masses times [`SCALE`], with d = p - q known better than from p and q.
    fn term(&self, p: f64, q: f64, d: f64) -> f64;

    /// The measure, from the sum of the terms.
    fn finish(&self, sum: f64) -> f64 {
        sum
    }
}

pub struct Kl;
pub struct ReverseKl;
pub struct JensenShannon;
pub struct Gan;
pub struct TotalVariation;
pub struct SquaredHellinger;
pub struct Hellinger;
pub struct Pearson;
pub struct Neyman;
pub struct Entropy;
pub struct CrossEntropy;

impl Term for Kl {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        kl_term(p, q, d)
    }
}

impl Term for ReverseKl {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        kl_term(q, p, -d)
    }
}

impl Term for JensenShannon {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        let (mean, half) = (0.5 * (p + q), 0.5 * d);
        kl_term(p, mean, half) + kl_term(q, mean, -half)
    }

    /// A row of disjoint supports may round one ulp above the bound that the divergence never passes.
    fn finish(&self, sum: f64) -> f64 {
        (0.5 * sum).min(std::f64::consts::LN_2)
    }
}

impl Term for Gan {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        JensenShannon.term(p, q, d)
    }

    fn finish(&self, sum: f64) -> f64 {
        sum.min(2.0 * std::f64::consts::LN_2) - 2.0 * std::f64::consts::LN_2
    }
}

impl Term for TotalVariation {
    #[inline(always)]
    fn term(&self, _: f64, _: f64, d: f64) -> f64 {
        d.abs()
    }

    fn finish(&self, sum: f64) -> f64 {
        (0.5 * sum).min(1.0)
    }
}

impl Term for SquaredHellinger {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        let root = d / (p.sqrt() + q.sqrt());
        if d == 0.0 { 0.0 } else { root * root }
    }

    fn finish(&self, sum: f64) -> f64 {
        sum.min(2.0)
    }
}

impl Term for Hellinger {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        SquaredHellinger.term(p, q, d)
    }

    fn finish(&self, sum: f64) -> f64 {
        (0.5 * sum).sqrt().min(1.0)
    }
}

impl Term for Pearson {
    #[inline(always)]
    fn term(&self, _: f64, q: f64, d: f64) -> f64 {
        // A division by zero is the infinity that is meant.
        let value = d * (d / q);
        if d == 0.0 { 0.0 } else { value }
    }
}

impl Term for Neyman {
    #[inline(always)]
    fn term(&self, p: f64, _: f64, d: f64) -> f64 {
        let value = d * (d / p);
        if d == 0.0 { 0.0 } else { value }
    }
}

impl Term for Entropy {
    #[inline(always)]
    fn term(&self, p: f64, _: f64, _: f64) -> f64 {
        if p == 0.0 { 0.0 } else { -p * ln_mass(p) }
    }

    /// A row of one mass may have a quotient one ulp above 1.
    fn finish(&self, sum: f64) -> f64 {
        if sum > 0.0 { sum } else { 0.0 }
    }
}

impl Term for CrossEntropy {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, _: f64) -> f64 {
        if p == 0.0 { 0.0 } else { -p * ln_mass(q) }
    }

    fn finish(&self, sum: f64) -> f64 {
        if sum > 0.0 { sum } else { 0.0 }
    }
}

/// The alpha divergence, for orders from 1/2 on the pair as it is, for smaller ones on the swapped pair.
pub struct Alpha {
    order: f64,
    swap: bool,
}

impl Alpha {
    pub fn new(order: f64) -> Result<Self> {
        if !order.is_finite() {
            return Err(Error::domain("alpha", "be finite", order.to_string()));
        }
        let swap = order < 0.5;
        Ok(Self { order: if swap { 1.0 - order } else { order }, swap })
    }
}

impl Term for Alpha {
    #[inline(always)]
    fn term(&self, p: f64, q: f64, d: f64) -> f64 {
        let (p, q, d) = if self.swap { (q, p, -d) } else { (p, q, d) };
        let e = self.order - 1.0;
        let log = ln_ratio(p, q, d);
        let x = e * log;
        // In two factors, for p exp x may be finite where exp x is not.
        let root = num::exp(0.5 * x);
        let far = ((p * root) * root - p - p * x) / e;
        let near = p * (e * log * log) * phi(x);
        let extra = if x.abs() < 1.0 { near } else { far };
        let at_no_q = if e < 0.0 { p / -e } else { f64::INFINITY };
        let value = (extra + kl_term(p, q, d)) / self.order;
        let value = if q == 0.0 { at_no_q } else { value };
        let value = if p == 0.0 { q / self.order } else { value };
        // Rounding of a tiny term may leave it below zero.
        let value = if value < 0.0 { 0.0 } else { value };
        if d == 0.0 { 0.0 } else { value }
    }
}

/// (exp x - 1 - x) / x^2 for |x| < 1, by its series; what is left out is below 1e-17.
#[inline(always)]
fn phi(x: f64) -> f64 {
    // Products by inverses: divisions would cost more than all the rest.
    const INVERSES: [f64; 16] = [
        1.0 / 18.0,
        1.0 / 17.0,
        1.0 / 16.0,
        1.0 / 15.0,
        1.0 / 14.0,
        1.0 / 13.0,
        1.0 / 12.0,
        1.0 / 11.0,
        0.1,
        1.0 / 9.0,
        0.125,
        1.0 / 7.0,
        1.0 / 6.0,
        0.2,
        0.25,
        1.0 / 3.0,
    ];
    let mut sum = 1.0;
    for inverse in INVERSES {
        sum = 1.0 + sum * (x * inverse);
    }
    0.5 * sum
}

/// (k, s): ln(p/q) = k ln 2 + 2 atanh s, with s = d / (p + q) where k = 0; of positive normal masses.
#[inline(always)]
fn reduce(p: f64, q: f64, d: f64) -> (f64, f64) {
    const HALF: i64 = 1 << 51;
    // The bits of a double are its logarithm to base 2, to within 0.09.
    let gap = p.to_bits().wrapping_sub(q.to_bits()).cast_signed();
    let k = gap.wrapping_add(HALF) >> 52;
    let shifted = f64::from_bits(p.to_bits().wrapping_sub((k << 52).cast_unsigned()));
    let top = if k == 0 { d } else { shifted - q };
    // An integer below 2^51 becomes a double through the bits of ROUNDER: AVX2 has no such conversion.
    (f64::from_bits(k.cast_unsigned().wrapping_add(ROUNDER.to_bits())) - ROUNDER, top / (shifted + q))
}

/// atanh(s)/s - 1 for |s| <= 0.21; what is left out is below 1e-17.
#[inline(always)]
fn tail(s: f64) -> f64 {
    let z = s * s;
    let mut sum = 1.0 / 23.0;
    for c in
        [1.0 / 21.0, 1.0 / 19.0, 1.0 / 17.0, 1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 0.2]
    {
        sum = sum * z + c;
    }
    z * (sum * z + 1.0 / 3.0)
}

/// ln(p/q) for positive masses times [`SCALE`].
#[inline(always)]
pub fn ln_ratio(p: f64, q: f64, d: f64) -> f64 {
    let (k, s) = reduce(p, q, d);
    k * LN2_HIGH + (2.0 * s * (1.0 + tail(s)) + k * LN2_LOW)
}

/// p ln(p/q) - p + q for masses times [`SCALE`] and d = p - q, without cancellation.
#[inline(always)]
pub fn kl_term(p: f64, q: f64, d: f64) -> f64 {
    let (k, s) = reduce(p, q, d);
    let tail = tail(s);
    let near = d * (s + (1.0 + s) * tail);
    let far = p * (k * LN2_HIGH + (2.0 * s * (1.0 + tail) + k * LN2_LOW)) - d;
    let value = if k == 0.0 { near } else { far };
    let value = if q == 0.0 { f64::INFINITY } else { value };
    let value = if p == 0.0 { q } else { value };
    if d == 0.0 { 0.0 } else { value }
}

/// ln of a normalised mass that is given times [`SCALE`].
#[inline(always)]
fn ln_mass(mass: f64) -> f64 {
    // Dividing a tiny mass by the scale would leave the normal numbers; taking the logarithm of a large one with the
    // scale in it would cancel.
    let tiny = mass < 1.0;
    let value = num::ln(if tiny { mass } else { mass / SCALE });
    value - if tiny { 60.0 * std::f64::consts::LN_2 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_keeps_its_accuracy_when_p_and_q_almost_agree() {
        // d^2/2q (1 - d/3q + ...) from the series of (1 + r) ln(1 + r) - r.
        for exponent in 1..12 {
            let r = 10_f64.powi(-exponent);
            let q = 0.25;
            let d = q * r;
            let exact: f64 = (2..30).map(|k| q * (-r).powi(k) / f64::from(k * (k - 1))).rev().sum();
            let term = kl_term(q + d, q, d);
            assert!((term - exact).abs() <= 1e-14 * exact, "{r}: {term:e} {exact:e}");
        }
    }

    #[test]
    fn the_logarithm_of_a_ratio_agrees_with_std() {
        for i in 0..4000 {
            let (p, q) = (1.0 + f64::from(i % 61) / 61.0, 10_f64.powf(f64::from(i) / 100.0 - 20.0));
            let (ours, std) = (ln_ratio(p, q, p - q), p.ln() - q.ln());
            assert!((ours - std).abs() <= 4e-16 * (1.0 + std.abs()) * 4.0, "{p} {q}: {ours} {std}");
        }
    }
}
