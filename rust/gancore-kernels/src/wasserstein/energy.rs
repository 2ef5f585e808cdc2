//! Energy distance of clouds of points in any dimension.
//!
//! ```text
//! D(x, y)^2 = 2 E|X - Y| - E|X - X'| - E|Y - Y'|            Székely and Rizzo 2013, definition 1
//! ```
//!
//! over all pairs, equal ones included, so D is a metric on empirical measures. On the line D^2 = 2 Cramér^2, which sums
//! squares and needs a sort alone. Elsewhere distances are taken from differences of coordinates, and each point meets
//! both samples in the same order of summation: samples that are the same cancel to the last bit.

use super::Row;
use super::line;
use super::order::{self, Place};
use super::sliced::Clouds;
use crate::error::Result;
use crate::num::{Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::simd::{self, LANES};

/// Distances that one task computes, about.
const TASK: usize = 1 << 18;

/// The energy distance: the root of D^2, as SciPy's.
pub fn energy_distance<T: Real>(clouds: Clouds<'_, T>, interrupt: &Interrupt) -> Result<f64> {
    clouds.check()?;
    let place = Place { row: None };
    order::survey("x", clouds.x, place)?;
    order::survey("y", clouds.y, place)?;
    if clouds.dim == 1 {
        let row = Row { x: clouds.x, y: clouds.y, x_weights: None, y_weights: None, place };
        return Ok(std::f64::consts::SQRT_2 * line::cramer(&row.atoms(false, interrupt)?));
    }
    let largest = clouds.x.iter().chain(clouds.y).fold(0.0_f64, |most, &v| most.max(v.into().abs()));
    if largest == 0.0 {
        return Ok(0.0);
    }
    // A power of two near the largest coordinate: no square overflows, and none that counts underflows.
    let unit = f64::from_bits(largest.to_bits() & 0x7ff0_0000_0000_0000).max(f64::MIN_POSITIVE);
    let (x, y) = (Packed::new(clouds.x, clouds.dim, unit), Packed::new(clouds.y, clouds.dim, unit));
    let against = |points: &[T], own: &Packed, other: &Packed| -> Result<f64> {
        let rows = points.len() / clouds.dim;
        let per_task = (TASK / (own.count + other.count)).max(1);
        let mut sums = vec![0.0; rows.div_ceil(per_task)];
        pool::for_each_chunk_mut(&mut sums, 1, |task, sum| {
            interrupt.check()?;
            let first = task * per_task;
            let points = &points[first * clouds.dim..(first + per_task).min(rows) * clouds.dim];
            let mut excess = Compensated::default();
            for point in points.chunks(clouds.dim) {
                let point: Vec<f64> = point.iter().map(|&v| v.into() / unit).collect();
                let far = simd::dispatch(Distances { point: &point, cloud: other }) / other.count as f64;
                excess.add(far - simd::dispatch(Distances { point: &point, cloud: own }) / own.count as f64);
            }
            sum[0] = excess.value();
            Ok(())
        })?;
        let total = sums.into_iter().fold(Compensated::default(), |mut total, sum| {
            total.add(sum);
            total
        });
        Ok(total.value() / rows as f64)
    };
    let square = against(clouds.x, &x, &y)? + against(clouds.y, &y, &x)?;
    Ok(square.max(0.0).sqrt() * unit.sqrt())
}

/// Points in groups of [`LANES`], coordinate by coordinate; the last group is filled up with its last point.
struct Packed {
    groups: Vec<[f64; LANES]>,
    dim: usize,
    count: usize,
}

impl Packed {
    fn new<T: Real>(points: &[T], dim: usize, unit: f64) -> Self {
        let count = points.len() / dim;
        let mut groups = vec![[0.0; LANES]; count.div_ceil(LANES) * dim];
        for (at, group) in groups.chunks_mut(dim).enumerate() {
            for (k, lanes) in group.iter_mut().enumerate() {
                for (lane, value) in lanes.iter_mut().enumerate() {
                    let point = (at * LANES + lane).min(count - 1);
                    *value = points[point * dim + k].into() / unit;
                }
            }
        }
        Self { groups, dim, count }
    }
}

/// Sum of the distances of a point to all points of a cloud.
struct Distances<'a> {
    point: &'a [f64],
    cloud: &'a Packed,
}

impl simd::Op for Distances<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut total = Compensated::default();
        let mut left = self.cloud.count;
        let mut sums = [0.0; LANES];
        for (number, group) in self.cloud.groups.chunks_exact(self.cloud.dim).enumerate() {
            let mut squares = [0.0; LANES];
            for (&coordinate, lanes) in self.point.iter().zip(group) {
                for (square, lane) in squares.iter_mut().zip(lanes) {
                    let difference = coordinate - lane;
                    *square += difference * difference;
                }
            }
            let valid = left.min(LANES);
            left -= valid;
            for (lane, (sum, square)) in sums.iter_mut().zip(squares).enumerate() {
                *sum += if lane < valid { square.sqrt() } else { 0.0 };
            }
            if number % 64 == 63 {
                for sum in &mut sums {
                    total.add(std::mem::take(sum));
                }
            }
        }
        for sum in sums {
            total.add(sum);
        }
        total.value()
    }
}
