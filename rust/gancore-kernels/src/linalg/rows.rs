//! Rows of finite numbers, checked once, and what is computed of each of them.

use crate::error::{Error, Result};
use crate::num::{Map2, Real, sum_map2};
use crate::pool::{self, Interrupt};
use crate::simd;

/// Rows that one task checks or sums.
pub(super) const STRETCH: usize = 256;

/// Numbers that stay in the first cache.
const CACHED: usize = 4096;

/// Rows of finite numbers, all of one length.
#[derive(Debug, Clone)]
pub struct Rows<'a, T> {
    data: &'a [T],
    d: usize,
    /// Largest absolute value.
    pub largest: f64,
    /// Sum of the rows, in stretches of fixed size.
    sum: Vec<f64>,
}

impl<'a, T: Real> Rows<'a, T> {
    /// Take rows of length d, at least `least` of them, and look for what is not finite.
    pub fn new(
        argument: &'static str,
        data: &'a [T],
        d: usize,
        least: usize,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        if d == 0 {
            return Err(Error::shape(argument, "at least one feature in a row", "none"));
        }
        let n = data.len() / d;
        if n < least {
            return Err(Error::shape(argument, format!("at least {least} rows"), n.to_string()));
        }
        let stretches = pool::map_indexed(n.div_ceil(STRETCH), 2, |i| {
            interrupt.check()?;
            let stretch = &data[i * STRETCH * d..((i + 1) * STRETCH * d).min(n * d)];
            let (mut largest, mut sum) = (0.0_f64, vec![0.0; d]);
            // Some rows at a time, which are summed while they are in the first cache.
            for some in stretch.chunks(d * (CACHED / d).max(1)) {
                largest = largest.max(simd::dispatch(Largest(some)));
                for row in some.chunks_exact(d) {
                    simd::dispatch(AddTo(&mut sum, row));
                }
            }
            Ok((largest, sum))
        })?;
        let (mut largest, mut sum) = (0.0_f64, vec![0.0; d]);
        for stretch in stretches {
            let (most, part): (f64, Vec<f64>) = stretch?;
            largest = largest.max(most);
            for (sum, value) in sum.iter_mut().zip(part) {
                *sum += value;
            }
        }
        if largest.is_infinite() {
            let at = data.iter().position(|&v| !Into::<f64>::into(v).is_finite()).unwrap_or(0);
            return Err(Error::domain(
                argument,
                "be finite",
                format!("{} in row {}, column {}", Into::<f64>::into(data[at]), at / d, at % d),
            ));
        }
        if largest > 1e150 {
            return Err(Error::domain(
                argument,
                "be at most 1e150, for its squares to be finite",
                format!("{largest:e}"),
            ));
        }
        Ok(Self { data, d, largest, sum })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.data.len() / self.d
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Length of a row.
    pub fn dim(&self) -> usize {
        self.d
    }

    /// One row.
    #[inline(always)]
    pub fn row(&self, i: usize) -> &'a [T] {
        &self.data[i * self.d..(i + 1) * self.d]
    }

    /// Squared distance to a row of other rows, from the differences: it is symmetric, and 0 if and only if the rows
    /// are equal (as far as squares do not underflow).
    pub fn squared_distance(&self, i: usize, other: &Rows<'_, T>, j: usize) -> f64 {
        simd::dispatch(SumOf2(self.row(i), other.row(j), SquaredDifference))
    }
}

/// The mean of all rows of some sets, rounded to float32 so that differences from it are rounded once.
pub fn center<T: Real>(sets: &[&Rows<'_, T>]) -> Vec<f64> {
    let over = 1.0 / sets.iter().map(|rows| rows.len()).sum::<usize>() as f64;
    let mut total = vec![0.0; sets.first().map_or(0, |rows| rows.dim())];
    for rows in sets {
        for (total, sum) in total.iter_mut().zip(&rows.sum) {
            *total += sum;
        }
    }
    total
        .into_iter()
        .map(|sum| {
            let mean = sum * over;
            if mean.abs() < 1e30 { f64::from(mean as f32) } else { mean }
        })
        .collect()
}

struct Largest<'a, T>(&'a [T]);

impl<T: Real> simd::Op for Largest<'_, T> {
    type Output = f64;

    /// Infinite if anything is not finite: a nan is turned into one, for maxima pass it by.
    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0_f64; simd::LANES];
        let (whole, rest) = self.0.as_chunks::<{ simd::LANES }>();
        for chunk in whole {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                let size = Into::<f64>::into(value).abs();
                // Also true of a nan.
                *lane = if size <= *lane {
                    *lane
                } else if size <= f64::MAX {
                    size
                } else {
                    f64::INFINITY
                };
            }
        }
        for (lane, &value) in lanes.iter_mut().zip(rest) {
            let size = Into::<f64>::into(value).abs();
            *lane = if size <= *lane {
                *lane
            } else if size <= f64::MAX {
                size
            } else {
                f64::INFINITY
            };
        }
        lanes.into_iter().fold(0.0, f64::max)
    }
}

struct AddTo<'a, T>(&'a mut [f64], &'a [T]);

impl<T: Real> simd::Op for AddTo<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sum, &value) in self.0.iter_mut().zip(self.1) {
            *sum += value.into();
        }
    }
}

pub(super) struct SumOf2<'a, A, B, F>(pub &'a [A], pub &'a [B], pub F);

impl<A: Real, B: Real, F: Map2<A, B>> simd::Op for SumOf2<'_, A, B, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        sum_map2(self.0, self.1, &self.2)
    }
}

pub(super) struct SquaredDifference;

impl<A: Real, B: Real> Map2<A, B> for SquaredDifference {
    #[inline(always)]
    fn map(&self, a: A, b: B) -> f64 {
        let difference = a.into() - b.into();
        difference * difference
    }
}

pub(super) struct Product;

impl<A: Real, B: Real> Map2<A, B> for Product {
    #[inline(always)]
    fn map(&self, a: A, b: B) -> f64 {
        a.into() * b.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn what_is_not_finite_is_found_wherever_it_stands() {
        for at in [0, 7, 8, 4095, 4099] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut data = vec![1.0_f32; 4100];
                data[at] = bad;
                let error = Rows::new("x", &data, 4, 1, &Interrupt::new()).unwrap_err().to_string();
                assert!(error.contains(&format!("row {}, column {}", at / 4, at % 4)), "{error}");
            }
        }
    }
}
