//! Exact Wasserstein distances between samples on the line, row by row.
//!
//! On the line the optimal coupling is monotone, so with quantile functions F^-1 and G^-1
//!
//! ```text
//! W_p(x, y)^p = integral over u in (0, 1) of |F^-1(u) - G^-1(u)|^p      Villani 2003, theorem 2.18
//! ```
//!
//! and both quantile functions are steps: of width 1/n and 1/m for samples of n and m points. The widths of the common
//! steps are kept as integers, in units of 1/(n m), so no level is ever rounded. Differences are divided by the largest
//! of them before they are raised to the power p, so no p overflows or underflows. W_inf is the largest difference.

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::num::{self, Compensated, Map2, Real};
use crate::pool::{self, Interrupt};
use crate::simd;

/// Rows of samples of two distributions.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a, T> {
    /// Points of the first argument, row after row.
    pub x: &'a [T],
    /// Points of the second argument, row after row.
    pub y: &'a [T],
    /// How many points a row of `x` has.
    pub n: usize,
    /// How many points a row of `y` has.
    pub m: usize,
    /// How many rows there are.
    pub rows: usize,
}

/// W_p of each row, for p in [1, inf].
pub fn wasserstein_1d<T: Real>(samples: Samples<'_, T>, p: f64, interrupt: &Interrupt) -> Result<Vec<f64>> {
    let Samples { x, y, n, m, rows } = samples;
    if p.is_nan() || p < 1.0 {
        return Err(Error::domain("p", "be at least 1", p.to_string()));
    }
    for (argument, points, width) in [("x", x, n), ("y", y, m)] {
        if width == 0 {
            return Err(Error::shape(argument, "at least one point on the last axis", "none"));
        }
        if points.len() != rows * width {
            return Err(Error::shape(argument, format!("{} points", rows * width), points.len().to_string()));
        }
    }
    if rows == 1 {
        return Ok(vec![of_pair(sorted_pair(x, y, 2, interrupt)?, p)]);
    }
    let mut out = vec![0.0; rows];
    // A row is a task: sorting it takes long enough to pay for that from some hundred points on.
    let per_task = (1 << 12) / (n + m) + 1;
    pool::for_each_chunk_mut(&mut out, per_task, |task, values| {
        for (i, value) in values.iter_mut().enumerate() {
            let row = task * per_task + i;
            let (x, y) = (&x[row * n..(row + 1) * n], &y[row * m..(row + 1) * m]);
            *value = of_pair(sorted_pair(x, y, usize::MAX, interrupt)?, p);
        }
        Ok(())
    })?;
    Ok(out)
}

/// Both samples in order, sorted side by side if `serial_below` allows it.
fn sorted_pair<T: Real>(
    x: &[T],
    y: &[T],
    serial_below: usize,
    interrupt: &Interrupt,
) -> Result<[Vec<f64>; 2]> {
    interrupt.check()?;
    let mut both =
        pool::map_indexed(2, serial_below, |i| if i == 0 { sorted("x", x) } else { sorted("y", y) })?
            .into_iter();
    match (both.next(), both.next()) {
        (Some(x), Some(y)) => Ok([x?, y?]),
        _ => Err(Error::Backend("two samples must give two orders".into())),
    }
}

/// The points in order. Doubles are sorted as integers of the same order, which compare faster.
fn sorted<T: Real>(argument: &'static str, points: &[T]) -> Result<Vec<f64>> {
    const SIGN: u64 = 1 << 63;
    let mut keys = Vec::with_capacity(points.len());
    for (index, &point) in points.iter().enumerate() {
        let value: f64 = point.into();
        if !value.is_finite() {
            return Err(Error::domain(argument, "have finite points", format!("{value} at index {index}")));
        }
        let bits = value.to_bits();
        keys.push(bits ^ if bits & SIGN == 0 { SIGN } else { u64::MAX });
    }
    keys.sort_unstable();
    Ok(keys
        .into_iter()
        .map(|key| f64::from_bits(key ^ if key & SIGN == 0 { u64::MAX } else { SIGN }))
        .collect())
}

fn of_pair([mut x, mut y]: [Vec<f64>; 2], p: f64) -> f64 {
    let bound = |points: &[f64]| points[0].abs().max(points[points.len() - 1].abs());
    // Halved points cannot overflow in a difference; they are only where they must be, for halving rounds subnormals.
    let doubling = if (bound(&x) + bound(&y)).is_finite() { 1.0 } else { 2.0 };
    if doubling > 1.0 {
        x.iter_mut().chain(&mut y).for_each(|point| *point *= 0.5);
    }
    let largest = if x.len() == y.len() {
        simd::dispatch(Largest { x: &x, y: &y })
    } else {
        let mut largest = 0.0_f64;
        each_step(x.len(), y.len(), |i, j, _| largest = largest.max((x[i] - y[j]).abs()));
        largest
    };
    if p == f64::INFINITY || largest == 0.0 {
        return doubling * largest;
    }
    let mean = if p == 1.0 {
        mean_power::<Identity>(&x, &y, 1.0, p)
    } else if p == 2.0 {
        mean_power::<Square>(&x, &y, largest, p)
    } else {
        mean_power::<Power>(&x, &y, largest, p)
    };
    doubling * if p == 1.0 { mean } else { largest * mean.powf(1.0 / p) }
}

/// Call `step(i, j, width)` for each common step of quantile functions of n and m points, in units of 1/(n m).
fn each_step(n: usize, m: usize, mut step: impl FnMut(usize, usize, u128)) {
    let (wide_n, wide_m) = (n as u128, m as u128);
    let (mut i, mut j, mut at) = (0, 0, 0_u128);
    while i < n && j < m {
        let (end_x, end_y) = ((i as u128 + 1) * wide_m, (j as u128 + 1) * wide_n);
        let end = end_x.min(end_y);
        step(i, j, end - at);
        at = end;
        i += usize::from(end == end_x);
        j += usize::from(end == end_y);
    }
}

struct Largest<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl simd::Op for Largest<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut stripes = [0.0_f64; simd::LANES];
        let (x, rest_x) = self.x.as_chunks::<{ simd::LANES }>();
        let (y, rest_y) = self.y.as_chunks::<{ simd::LANES }>();
        for (x, y) in x.iter().zip(y) {
            for ((stripe, x), y) in stripes.iter_mut().zip(x).zip(y) {
                *stripe = stripe.max((x - y).abs());
            }
        }
        let rest = rest_x.iter().zip(rest_y).map(|(x, y)| (x - y).abs());
        stripes.into_iter().chain(rest).fold(0.0, f64::max)
    }
}

/// A power of a difference that lies in [0, 1], or its first power.
trait Cost: Send + Sync {
    fn cost(difference: f64, p: f64) -> f64;
}

struct Identity;

impl Cost for Identity {
    #[inline(always)]
    fn cost(difference: f64, _: f64) -> f64 {
        difference.abs()
    }
}

struct Square;

impl Cost for Square {
    #[inline(always)]
    fn cost(difference: f64, _: f64) -> f64 {
        difference * difference
    }
}

struct Power;

impl Cost for Power {
    #[inline(always)]
    fn cost(difference: f64, p: f64) -> f64 {
        difference.abs().powf(p)
    }
}

struct Term<C> {
    scale: f64,
    p: f64,
    cost: PhantomData<C>,
}

impl<C: Cost> Map2<f64, f64> for Term<C> {
    #[inline(always)]
    fn map(&self, x: f64, y: f64) -> f64 {
        C::cost((x - y) / self.scale, self.p)
    }
}

struct Sum<'a, C> {
    x: &'a [f64],
    y: &'a [f64],
    term: Term<C>,
}

impl<C: Cost> simd::Op for Sum<'_, C> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        num::sum_map2(self.x, self.y, &self.term)
    }
}

/// Mean over the levels of the cost of (x - y) / scale.
fn mean_power<C: Cost>(x: &[f64], y: &[f64], scale: f64, p: f64) -> f64 {
    let term = Term { scale, p, cost: PhantomData::<C> };
    if x.len() == y.len() {
        return simd::dispatch(Sum { x, y, term }) / x.len() as f64;
    }
    let mut sum = Compensated::default();
    each_step(x.len(), y.len(), |i, j, width| sum.add(width as f64 * term.map(x[i], y[j])));
    sum.value() / (x.len() as f64 * y.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_tile_the_levels() {
        for (n, m) in [(1, 1), (2, 3), (4, 6), (5, 5), (1, 7)] {
            let (mut total, mut count) = (0, 0);
            each_step(n, m, |i, j, width| {
                assert!(i < n && j < m && width > 0);
                total += width;
                count += 1;
            });
            assert_eq!(total, (n * m) as u128);
            assert!(count < n + m);
        }
    }

    #[test]
    fn sorting_agrees_with_the_order_of_doubles() {
        let points = [0.5, -0.0, f64::MAX, -1e-310, 3.0, -7.5, f64::MIN, 0.0];
        let mut expected = points.to_vec();
        expected.sort_unstable_by(f64::total_cmp);
        let ours = sorted("x", &points).unwrap();
        assert!(ours.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
