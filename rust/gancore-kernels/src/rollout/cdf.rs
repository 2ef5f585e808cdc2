//! The distribution function of a row of logits, in blocks that each know their largest logit.
//!
//! A row is read once: of each block of 128 logits the largest, m, and the sum of exp((l - m) / T). Blocks are then put
//! on one scale in float64. To draw is to find the block, then to walk through it; its weights are made again, bit for
//! bit, which is cheaper than to have kept those of all blocks. Weights below exp(-87) of their block's largest are 0.

use crate::num::{self, Real};
use crate::simd::{self, Op};

/// Logits of a block: small to walk through, large enough that what is done once a block costs little.
const BLOCK: usize = 128;
/// Logits worked on at once: a full AVX-512 register of float32.
const WIDTH: usize = 16;

/// An element type of logits.
pub trait Logit: Real + PartialOrd {
    /// Minus infinity: a token that is never drawn.
    const NEVER: Self;
    /// The lowest finite number.
    const LOWEST: Self;

    /// exp((self - top) pace) for self <= top.
    fn weight(self, top: Self, pace: f64) -> f64;
    /// An order of all values, nan among them.
    fn compare(&self, other: &Self) -> std::cmp::Ordering;
}

impl Logit for f32 {
    const NEVER: Self = f32::NEG_INFINITY;
    const LOWEST: Self = f32::MIN;

    #[inline(always)]
    fn weight(self, top: Self, pace: f64) -> f64 {
        f64::from(exp32((self - top) * pace as f32))
    }

    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.total_cmp(other)
    }
}

impl Logit for f64 {
    const NEVER: Self = f64::NEG_INFINITY;
    const LOWEST: Self = f64::MIN;

    #[inline(always)]
    fn weight(self, top: Self, pace: f64) -> f64 {
        num::exp((self - top) * pace)
    }

    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.total_cmp(other)
    }
}

/// Exponential of a float32 that is not positive, within 2 ulp; 0 below -87.
#[inline(always)]
pub fn exp32(x: f32) -> f32 {
    // 2^23 + 2^22: adding it rounds to an integer in the low bits.
    const ROUNDER: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_375;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = if x < -87.0 { -87.0 } else { x };
    let shifted = clamped * std::f32::consts::LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let r = (clamped - k * LN2_HIGH) - k * LN2_LOW;
    let z = r * r;
    let even = 0.5 + z * (1.0 / 24.0 + z * (1.0 / 720.0));
    let odd = 1.0 / 6.0 + z * (1.0 / 120.0 + z * (1.0 / 5040.0));
    let value = 1.0 + (r + z * (even + r * odd));
    let bits = shifted.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(127) << 23;
    if x < -87.0 { 0.0 } else { value * f32::from_bits(bits) }
}

/// Which logits take part and how sharply: those that are at least `least`, at 1 / temperature.
#[derive(Debug, Clone, Copy)]
pub struct Lens<T> {
    /// 1 / T.
    pub pace: f64,
    /// The least logit that can be drawn.
    pub least: T,
}

impl<T: Logit> Lens<T> {
    #[inline(always)]
    fn weight(&self, logit: T, top: T) -> f64 {
        let weight = logit.weight(top, self.pace);
        if logit < self.least { 0.0 } else { weight }
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A logit is nan.
    Nan,
    /// A logit is +inf.
    Infinite,
    /// No logit is finite.
    Empty,
}

/// The distribution function of one row at a time.
#[derive(Debug)]
pub struct Cdf<T> {
    tops: Vec<T>,
    sums: Vec<f64>,
    /// Mass of all blocks up to and with each.
    cumulative: Vec<f64>,
}

impl<T: Logit> Cdf<T> {
    /// Room for rows of so many logits.
    pub fn new(vocabulary: usize) -> Self {
        let blocks = vocabulary.div_ceil(BLOCK);
        Self { tops: vec![T::LOWEST; blocks], sums: vec![0.0; blocks], cumulative: vec![0.0; blocks] }
    }

    /// Take up a row, of as many logits as there is room for.
    pub fn survey(&mut self, row: &[T], lens: Lens<T>) -> Result<(), Fault> {
        if simd::dispatch(Survey { row, lens, tops: &mut self.tops, sums: &mut self.sums }) {
            return Err(Fault::Nan);
        }
        let top = self.tops.iter().fold(f64::MIN, |top, &block| top.max(block.into()));
        if top == f64::INFINITY {
            return Err(Fault::Infinite);
        }
        let mut total = 0.0;
        for ((&block, sum), cumulative) in self.tops.iter().zip(&mut self.sums).zip(&mut self.cumulative) {
            // From here on `sums` holds the factor that brings a block to the scale of the row.
            let factor = num::exp((block.into() - top) * lens.pace);
            total += factor * *sum;
            *sum = factor;
            *cumulative = total;
        }
        if total > 0.0 { Ok(()) } else { Err(Fault::Empty) }
    }

    /// The token that a number in [0, 1) falls on, given the row and the lens that were taken up.
    pub fn draw(&self, row: &[T], lens: Lens<T>, uniform: f64) -> usize {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        // Rounding may lift u total to the total itself, where no block would be found: then it is the last with mass.
        let target = uniform * total;
        let found = self.cumulative.partition_point(|&mass| mass <= target);
        let block = found.min(self.cumulative.partition_point(|&mass| mass < total));
        let before = if block == 0 { 0.0 } else { self.cumulative[block - 1] };
        let within = (target - before) / self.sums[block];
        let (start, top) = (block * BLOCK, self.tops[block]);
        let mut mass = 0.0;
        let mut last = start;
        for (token, &logit) in row.iter().enumerate().skip(start).take(BLOCK) {
            let weight = lens.weight(logit, top);
            mass += weight;
            if weight > 0.0 {
                last = token;
                if mass > within {
                    break;
                }
            }
        }
        last
    }
}

/// Largest logit and sum of weights of each block; run, whether any logit is nan.
struct Survey<'a, T> {
    row: &'a [T],
    lens: Lens<T>,
    tops: &'a mut [T],
    sums: &'a mut [f64],
}

impl<T: Logit> Op for Survey<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut strange = [0_u32; WIDTH];
        for ((block, top), sum) in self.row.chunks(BLOCK).zip(self.tops).zip(self.sums) {
            let (whole, rest) = block.as_chunks::<WIDTH>();
            let mut last = [T::NEVER; WIDTH];
            last[..rest.len()].copy_from_slice(rest);
            let mut tops = [T::LOWEST; WIDTH];
            for chunk in whole {
                largest(chunk, &mut tops, &mut strange);
            }
            largest(&last, &mut tops, &mut strange);
            *top = fold(tops);
            let mut sums = [0.0; WIDTH];
            for chunk in whole {
                add(chunk, *top, self.lens, &mut sums);
            }
            if !rest.is_empty() {
                add(&last, *top, self.lens, &mut sums);
            }
            *sum = sums.iter().sum();
        }
        strange.iter().any(|&s| s != 0)
    }
}

#[inline(always)]
fn largest<T: Logit>(chunk: &[T; WIDTH], tops: &mut [T; WIDTH], strange: &mut [u32; WIDTH]) {
    for i in 0..WIDTH {
        let x = chunk[i];
        tops[i] = if x > tops[i] { x } else { tops[i] };
        #[expect(clippy::eq_op, reason = "what differs from itself is nan")]
        let nan = x != x;
        strange[i] |= u32::from(nan);
    }
}

#[inline(always)]
fn fold<T: Logit>(tops: [T; WIDTH]) -> T {
    let mut top = tops[0];
    for x in tops {
        top = if x > top { x } else { top };
    }
    top
}

#[inline(always)]
fn add<T: Logit>(chunk: &[T; WIDTH], top: T, lens: Lens<T>, sums: &mut [f64; WIDTH]) {
    for i in 0..WIDTH {
        sums[i] += lens.weight(chunk[i], top);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_exponential_is_right_to_two_ulp() {
        for i in 0..87_000 {
            let x = -(i as f32) * 1e-3;
            let (ours, exact) = (f64::from(exp32(x)), f64::from(x).exp());
            assert!((ours - exact).abs() <= 1.5e-7 * exact, "{x}: {ours:e} vs {exact:e}");
        }
        assert_eq!((exp32(0.0), exp32(-88.0), exp32(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
    }
}
