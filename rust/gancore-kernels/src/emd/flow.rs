//! Flows as integers, so that every flow of a spanning tree is exact.
//!
//! A flow is a difference of sums of masses. In floating point a mass of 1e-17 beside masses of 1 would drown; as
//! integer multiples of a power of two nothing is ever rounded. 128 bits hold all ordinary masses; masses that span
//! more powers of two than that take the wide form, which holds every double.

/// A flow: a natural number of units.
pub trait Flow: Copy + Ord + Send + Sync {
    /// No flow.
    const ZERO: Self;
    /// More than any flow.
    const MAX: Self;
    /// How many bits it has.
    const BITS: i32;
    /// mass / 2^unit, rounded down.
    fn new(mass: f64, unit: i32) -> Self;
    /// A small number of units.
    fn count(units: u64) -> Self;
    /// Sum.
    fn plus(self, other: Self) -> Self;
    /// Difference; `other` is not larger.
    fn minus(self, other: Self) -> Self;
    /// 2^bits times this.
    fn raised(self, bits: u32) -> Self;
    /// This over 2^bits, rounded down.
    fn lowered(self, bits: u32) -> Self;
    /// This times 2^unit, rounded to nearest.
    fn value(self, unit: i32) -> f64;
}

impl Flow for u128 {
    const ZERO: Self = 0;
    const MAX: Self = Self::MAX;
    const BITS: i32 = 128;

    fn new(mass: f64, unit: i32) -> Self {
        let (digits, exponent) = parts(mass);
        let shift = exponent - unit;
        if shift >= 0 {
            Self::from(digits) << shift
        } else {
            Self::from(digits.checked_shr(shift.unsigned_abs()).unwrap_or(0))
        }
    }

    fn count(units: u64) -> Self {
        Self::from(units)
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn raised(self, bits: u32) -> Self {
        self << bits
    }

    fn lowered(self, bits: u32) -> Self {
        self >> bits
    }

    fn value(self, unit: i32) -> f64 {
        scaled(self as f64, unit)
    }
}

const LIMBS: usize = 36;

/// A natural number below 2^2304, lowest limb last, so that the derived order is that of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wide([u64; LIMBS]);

impl Flow for Wide {
    const ZERO: Self = Self([0; LIMBS]);
    const MAX: Self = Self([u64::MAX; LIMBS]);
    const BITS: i32 = 2304;

    fn new(mass: f64, unit: i32) -> Self {
        let (digits, exponent) = parts(mass);
        let shift = exponent - unit;
        let digits = Self::count(digits);
        if shift >= 0 { digits.raised(shift.unsigned_abs()) } else { digits.lowered(shift.unsigned_abs()) }
    }

    fn count(units: u64) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[LIMBS - 1] = units;
        Self(limbs)
    }

    fn plus(mut self, other: Self) -> Self {
        let mut carry = false;
        for (x, y) in self.0.iter_mut().zip(other.0).rev() {
            let (sum, over) = x.overflowing_add(y);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            (*x, carry) = (sum, over || again);
        }
        self
    }

    fn minus(mut self, other: Self) -> Self {
        let mut borrow = false;
        for (x, y) in self.0.iter_mut().zip(other.0).rev() {
            let (rest, under) = x.overflowing_sub(y);
            let (rest, again) = rest.overflowing_sub(u64::from(borrow));
            (*x, borrow) = (rest, under || again);
        }
        self
    }

    fn raised(self, bits: u32) -> Self {
        let (limbs, bits) = ((bits / 64) as usize, bits % 64);
        let at = |i: usize| u128::from(self.0.get(i).copied().unwrap_or(0));
        Self(std::array::from_fn(|i| ((((at(i + limbs) << 64) | at(i + limbs + 1)) << bits) >> 64) as u64))
    }

    fn lowered(self, bits: u32) -> Self {
        let (limbs, bits) = ((bits / 64) as usize, bits % 64);
        let at = |i: Option<usize>| i.map_or(0, |i| u128::from(self.0[i]));
        Self(std::array::from_fn(|i| {
            let low = i.checked_sub(limbs);
            let high = low.and_then(|i| i.checked_sub(1));
            (((at(high) << 64) | at(low)) >> bits) as u64
        }))
    }

    fn value(self, unit: i32) -> f64 {
        let zeros = self.0.iter().take_while(|&&limb| limb == 0).count();
        let above = Self::BITS - 64 * (zeros as u32 + 1).cast_signed();
        // The two highest limbs, with a bit for whatever stands below them: it breaks ties as the whole would.
        let drop = (above - 64).max(0);
        let high = self.lowered(drop.unsigned_abs());
        let rest = high.raised(drop.unsigned_abs()) != self;
        let digits = u128::from(high.0[LIMBS - 2]) << 64 | u128::from(high.0[LIMBS - 1]);
        scaled((digits | u128::from(rest)) as f64, unit + drop)
    }
}

/// (digits, exponent) with mass = digits 2^exponent, for a finite mass >= 0.
pub fn parts(mass: f64) -> (u64, i32) {
    let bits = mass.to_bits();
    let (digits, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
    if exponent == 0 { (digits, -1074) } else { (digits | 1 << 52, exponent - 1075) }
}

/// x 2^exponent, with one rounding at most.
fn scaled(x: f64, exponent: i32) -> f64 {
    let power = |k: i32| f64::from_bits(((k + 1023) as u64) << 52);
    // Raised first: only the last factor can reach the subnormal numbers and round.
    let (mut x, mut left) = (x, exponent);
    while left > 1023 {
        (x, left) = (x * power(1023), left - 1023);
    }
    while left < -1022 {
        let step = if left < -2044 { -1022 } else { left + 1022 };
        let step = step.min(-1);
        (x, left) = (x * power(step), left - step);
    }
    x * power(left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn masses_come_back_as_they_were(mass in prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL, extra in 0..60) {
            let mass = mass.abs();
            let unit = parts(mass).1 - extra;
            prop_assert_eq!(<u128 as Flow>::new(mass, unit).value(unit), mass);
            prop_assert_eq!(Wide::new(mass, unit).value(unit), mass);
            prop_assert_eq!(Wide::new(mass, -1074 - 90).value(-1074 - 90), mass);
        }

        #[test]
        fn wide_numbers_count_as_narrow_ones(x in 0..u128::MAX / 4, y in 0..u128::MAX / 4, bits in 0_u32..64) {
            let wide = |x: u128| Wide::count((x >> 64) as u64).raised(64).plus(Wide::count(x as u64));
            let (low, high) = (x.min(y), x.max(y));
            prop_assert_eq!(wide(x).plus(wide(y)), wide(x + y));
            prop_assert_eq!(wide(high).minus(wide(low)), wide(high - low));
            prop_assert_eq!(wide(x).cmp(&wide(y)), x.cmp(&y));
            prop_assert_eq!(wide(x).lowered(bits), wide(x >> bits));
            prop_assert_eq!(wide(x).raised(bits).lowered(bits), wide(x));
            prop_assert_eq!(wide(x).value(-3), x.value(-3));
        }
    }
}
