//! Numbers in two doubles: cumulative weights to about 104 bits.
//!
//! Dekker, *A floating-point technique for extending the available precision* (1971). No fused multiply-add is used.

use std::ops::{Add, Mul, Neg, Sub};

use crate::simd::{self, LANES};

/// An unevaluated sum of two doubles that do not overlap.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Double {
    /// The number rounded to a double.
    pub high: f64,
    low: f64,
}

impl Double {
    /// Both parts.
    pub fn parts(self) -> [f64; 2] {
        [self.high, self.low]
    }

    /// The number rounded to a double, also where the parts overlap.
    #[inline(always)]
    pub fn value(self) -> f64 {
        self.high + self.low
    }

    /// The difference, of parts that may overlap: one subtraction after the other needs the high part alone, soon.
    #[inline(always)]
    pub fn minus_roughly(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, -other.high);
        Self { high, low: error + (self.low - other.low) }
    }

    /// Whether the difference of numbers up to `largest` lost so much that its low part may count.
    #[inline(always)]
    pub fn cancelled(self, largest: f64) -> bool {
        self.high.abs() <= 1e-6 * largest || self.low.abs() > 1e-6 * self.high.abs()
    }

    /// The same number in parts that do not overlap.
    #[inline(always)]
    pub fn in_order(self) -> Self {
        let (high, low) = two_sum(self.high, self.low);
        Self { high, low }
    }

    /// a + b, for a the larger in absolute value.
    #[inline(always)]
    pub fn sum_of(a: f64, b: f64) -> Self {
        Self::renormalised(a, b)
    }

    #[inline(always)]
    fn renormalised(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }

    /// The quotient.
    pub fn over(self, divisor: Self) -> Self {
        let first = self.high / divisor.high;
        let rest = self - divisor * first;
        let second = rest.high / divisor.high;
        let rest = rest - divisor * second;
        Self::renormalised(first, second) + Self::from(rest.high / divisor.high)
    }
}

impl From<f64> for Double {
    #[inline(always)]
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let shadow = sum - a;
    (sum, (a - (sum - shadow)) + (b - shadow))
}

#[inline(always)]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0;
    let split = |x: f64| {
        let scaled = SPLITTER * x;
        let high = scaled - (scaled - x);
        (high, x - high)
    };
    let product = a * b;
    let ((a1, a2), (b1, b2)) = (split(a), split(b));
    (product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2)
}

impl Add for Double {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        Self::renormalised(high, error + (self.low + other.low))
    }
}

impl Add<f64> for Double {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: f64) -> Self {
        let (high, error) = two_sum(self.high, other);
        Self::renormalised(high, error + self.low)
    }
}

impl Neg for Double {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for Double {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul<f64> for Double {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        let (product, error) = two_product(self.high, factor);
        Self::renormalised(product, error + self.low * factor)
    }
}

/// The sum of numbers, in [`LANES`] stripes.
pub(super) fn total(count: usize, number: impl Number) -> Double {
    struct Total<N>(usize, N);
    impl<N: Number> simd::Op for Total<N> {
        type Output = Double;

        #[inline(always)]
        fn run(self) -> Double {
            let mut stripes = [Double::default(); LANES];
            let whole = self.0 / LANES * LANES;
            for at in (0..whole).step_by(LANES) {
                for (lane, stripe) in stripes.iter_mut().enumerate() {
                    *stripe = *stripe + self.1.at(at + lane);
                }
            }
            for (at, stripe) in (whole..self.0).zip(&mut stripes) {
                *stripe = *stripe + self.1.at(at);
            }
            stripes.into_iter().fold(Double::default(), Add::add)
        }
    }
    simd::dispatch(Total(count, number))
}

/// Numbers by index.
pub(super) trait Number {
    /// One of them; to be marked `#[inline(always)]`.
    fn at(&self, index: usize) -> f64;
}

impl Number for &[f64] {
    #[inline(always)]
    fn at(&self, index: usize) -> f64 {
        self[index]
    }
}

impl Number for &[(f64, f64)] {
    #[inline(always)]
    fn at(&self, index: usize) -> f64 {
        self[index].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_and_products_have_twice_the_digits() {
        let third = Double::from(1.0).over(Double::from(3.0));
        let rest = third * 3.0 - Double::from(1.0);
        assert!(rest.high.abs() < 1e-31, "{rest:?}");
        assert_eq!(third.high, 1.0 / 3.0);
    }

    #[test]
    fn sums_of_a_tenth_stay_exact() {
        let sum = total(1 << 20, &vec![0.1; 1 << 20][..]);
        assert_eq!(sum - Double::from(0.1) * f64::from(1 << 20), Double::from(0.0));
    }
}
