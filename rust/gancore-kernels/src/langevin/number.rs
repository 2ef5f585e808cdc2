//! In whose arithmetic chains walk: float64, or float32 with twice the lanes.

use std::ops::{Add, AddAssign, BitOr, Div, Mul, Sub};

use super::mixture::WIDTH;
use crate::num::{self, Real};
use crate::rng::Address;

/// A number of a tile. All methods are to be marked `#[inline(always)]`.
pub(super) trait Number:
    Real
    + Default
    + PartialOrd
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// Bits as wide as the number.
    type Bits: Copy + Default + BitOr<Output = Self::Bits> + Into<u64>;

    /// The exponent from which on downwards [`Number::shares`] gives 0.
    const FLOOR: Self;

    /// The exponent from which on downwards shares cannot be missed: at most 2^-80 of [`Number::LEAST`].
    const FAINT: Self;

    /// The logarithm of 0.
    const NEVER: Self;

    /// From which sum of shares on those below 2^[`Number::FAINT`] cannot be missed.
    const LEAST: Self;

    /// Within which bounds, and above their inverses, precisions keep products with shares normal numbers, and faint
    /// shares faint pulls.
    const STEEPEST: f64;

    /// Whether l_k is so coarse that energies need that of the nearest component in float64.
    const COARSE: bool;

    /// 2^x for FLOOR < x <= 0, and 0 where x is less or nan.
    fn shares<const K: usize>(exponents: [Self; K]) -> [Self; K];

    /// Bit `k` where x is above FAINT, else none.
    fn mark(self, k: u32) -> Self::Bits;

    /// [`Address::normal_block`] in this arithmetic.
    fn normals<const PAIRS: usize>(
        address: Address,
        block: &[u64; WIDTH],
        lane: &[u64; WIDTH],
    ) -> [[Self; WIDTH]; 4];

    /// The other number where all bits of the mask are set. Bit by bit: a choice would become a masked store, which
    /// some processors are slow at.
    #[must_use]
    fn select(self, other: Self, mask: u64) -> Self;

    /// The larger one; the second where the first is nan.
    #[inline(always)]
    #[must_use]
    fn or_more(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
}

impl Number for f64 {
    type Bits = u64;

    const FLOOR: f64 = -1023.0;
    const FAINT: f64 = -240.0;
    const NEVER: f64 = f64::NEG_INFINITY;
    const LEAST: f64 = 1.0 / (1_u128 << 100) as f64;
    const STEEPEST: f64 = 1e20;
    const COARSE: bool = false;

    #[inline(always)]
    fn shares<const K: usize>(mut exponents: [f64; K]) -> [f64; K] {
        for exponent in &mut exponents {
            *exponent = exponent.or_more(Self::FLOOR);
        }
        num::exp2_normals(exponents)
    }

    #[inline(always)]
    fn mark(self, k: u32) -> u64 {
        if self > Self::FAINT { 1 << k } else { 0 }
    }

    #[inline(always)]
    fn normals<const PAIRS: usize>(
        address: Address,
        block: &[u64; WIDTH],
        lane: &[u64; WIDTH],
    ) -> [[f64; WIDTH]; 4] {
        address.normal_block::<PAIRS, WIDTH>(block, lane)
    }

    #[inline(always)]
    fn select(self, other: f64, mask: u64) -> f64 {
        f64::from_bits(self.to_bits() & !mask | other.to_bits() & mask)
    }
}

impl Number for f32 {
    type Bits = u32;

    const FLOOR: f32 = -127.0;
    const FAINT: f32 = -127.0;
    const NEVER: f32 = f32::NEG_INFINITY;
    const LEAST: f32 = 1.0 / (1_u64 << 46) as f32;
    const STEEPEST: f64 = 1e12;
    const COARSE: bool = true;

    #[inline(always)]
    fn shares<const K: usize>(mut exponents: [f32; K]) -> [f32; K] {
        for exponent in &mut exponents {
            *exponent = exponent.or_more(Self::FLOOR);
        }
        num::single::exp2_normals(exponents)
    }

    #[inline(always)]
    fn mark(self, k: u32) -> u32 {
        if self > Self::FAINT { 1 << k } else { 0 }
    }

    #[inline(always)]
    fn normals<const PAIRS: usize>(
        address: Address,
        block: &[u64; WIDTH],
        lane: &[u64; WIDTH],
    ) -> [[f32; WIDTH]; 4] {
        address.normal_block_single::<PAIRS, WIDTH>(block, lane)
    }

    #[inline(always)]
    fn select(self, other: f32, mask: u64) -> f32 {
        let mask = mask as u32;
        f32::from_bits(self.to_bits() & !mask | other.to_bits() & mask)
    }
}
