//! Log-likelihood of points under Gaussian Parzen windows around samples, for several bandwidths at once.
//!
//! ```text
//! ln p_h(x) = ln (1/n) sum_i exp(-|x - s_i|^2 / (2 h^2)) - (d/2) ln(2 pi h^2)        Breuleux et al. 2011, eq. 2
//! ```
//!
//! Squared distances come from block products, |x|^2 + |s|^2 - 2 x.s, with the mean of the samples taken away first. They
//! are shared by all bandwidths, and only one block of them exists at a time: the exponentials are summed relative to
//! the nearest sample so far, and rescaled when a nearer one comes. A point so near a sample that the product form would
//! cancel visibly is computed again from differences.
//!
//! Where the windows are narrow, all but a few samples weigh nothing beside the nearest one, even together. Products in
//! float32, with a bound on their error, find the few, whose distances are then sums of squared differences in float64
//! (file `screen`); a block of points for which they are many goes on with products in float64.
//!
//! The products are dense linear algebra and round as that does; the result does not depend on the number of threads.

mod screen;

use crate::error::{Error, Result};
use crate::linalg::product::{self, TILE};
use crate::num::{self, Compensated, Map2, Real};
use crate::pool::{self, Interrupt};
use crate::simd;
use screen::Screen;

/// What all samples that are left out may add up to, beside the nearest one's 1: exp of it is below a rounding.
const NOTHING: f64 = -38.0;

/// Largest error in nats that the product form is allowed, unless it is below 1e-12 of the exponent.
const TOLERANCE: f64 = 1e-10;

/// Rows of `dim` numbers.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    /// Numbers, row after row.
    pub values: &'a [T],
    /// How many a row has.
    pub dim: usize,
}

/// ln p_h(x) for each bandwidth h and, within, each point x.
pub fn log_likelihood<T: Real>(
    samples: Matrix<'_, T>,
    points: Matrix<'_, T>,
    bandwidths: &[f64],
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    check(samples, points, bandwidths)?;
    let dim = samples.dim;
    let centre = mean(samples);
    let samples = centred("samples", samples, &centre, 0)?;
    let sample_norms = norms(&samples, dim);
    let windows: Vec<f64> = bandwidths.iter().map(|h| 0.5 / h / h).collect();
    let count = (sample_norms.len() as f64).ln();
    let constants: Vec<f64> =
        bandwidths.iter().map(|h| count + dim as f64 * (0.5 * std::f64::consts::TAU.ln() + h.ln())).collect();
    let narrowest = windows.iter().copied().fold(f64::INFINITY, f64::min);
    let screen = Screen::new(&samples, &sample_norms, (count - NOTHING) / narrowest, dim);
    let problem = Problem { samples: &samples, norms: &sample_norms, windows: &windows, screen, dim };
    let many = bandwidths.len();
    let mut by_point = vec![0.0; points.values.len() / dim * many];
    pool::for_each_chunk_mut(&mut by_point, TILE * many, |block, out| {
        let first = block * TILE;
        let rows = Matrix { values: &points.values[first * dim..first * dim + out.len() / many * dim], dim };
        let rows = centred("points", rows, &centre, first)?;
        problem.solve(&rows, out, interrupt)
    })?;
    let mut out = Vec::with_capacity(by_point.len());
    for (at, constant) in constants.iter().enumerate() {
        out.extend(by_point.chunks(many).map(|point| point[at] - constant));
    }
    Ok(out)
}

fn check<T: Real>(samples: Matrix<'_, T>, points: Matrix<'_, T>, bandwidths: &[f64]) -> Result<()> {
    for (argument, matrix) in [("samples", samples), ("points", points)] {
        if matrix.dim == 0 || matrix.values.is_empty() {
            return Err(Error::shape(argument, "at least one row and one column", "none"));
        }
    }
    if samples.dim != points.dim {
        return Err(Error::shape("points", format!("{} columns", samples.dim), points.dim.to_string()));
    }
    if bandwidths.is_empty() {
        return Err(Error::shape("bandwidth", "at least one number", "none"));
    }
    match bandwidths.iter().position(|&h| !(h > 0.0 && (0.5 / h / h).is_finite() && h.is_finite())) {
        Some(at) => Err(Error::domain(
            "bandwidth",
            "be positive, finite, and not so small that its square vanishes",
            format!("{} at index {at}", bandwidths[at]),
        )),
        None => Ok(()),
    }
}

fn mean<T: Real>(matrix: Matrix<'_, T>) -> Vec<f64> {
    let mut sums = vec![Compensated::default(); matrix.dim];
    for row in matrix.values.chunks(matrix.dim) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            sum.add(value.into());
        }
    }
    let rows = (matrix.values.len() / matrix.dim) as f64;
    // A sum that overflows says that centring would not help; what is not finite is refused after.
    sums.into_iter().map(|sum| sum.value() / rows).map(|m| if m.is_finite() { m } else { 0.0 }).collect()
}

/// Finite rows less the centre; `first` is the index of the first one.
fn centred<T: Real>(
    argument: &'static str,
    matrix: Matrix<'_, T>,
    centre: &[f64],
    first: usize,
) -> Result<Vec<f64>> {
    let mut out = Vec::with_capacity(matrix.values.len());
    for (row, values) in matrix.values.chunks(matrix.dim).enumerate() {
        out.extend(values.iter().zip(centre).map(|(&value, middle)| value.into() - middle));
        if let Some(column) = values.iter().position(|&value| !Into::<f64>::into(value).is_finite()) {
            return Err(Error::domain(
                argument,
                "have finite numbers",
                format!("{} at row {}, column {column}", Into::<f64>::into(values[column]), first + row),
            ));
        }
    }
    Ok(out)
}

fn norms(rows: &[f64], dim: usize) -> Vec<f64> {
    rows.chunks(dim).map(|row| simd::dispatch(Distance { a: row, b: None })).collect()
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

struct Problem<'a> {
    samples: &'a [f64],
    norms: &'a [f64],
    windows: &'a [f64],
    screen: Option<Screen>,
    dim: usize,
}

impl Problem<'_> {
    /// ln of the sum of exponentials, for each point and, within, each bandwidth.
    fn solve(&self, points: &[f64], out: &mut [f64], interrupt: &Interrupt) -> Result<()> {
        let norms = norms(points, self.dim);
        let mut sums = vec![0.0; out.len()];
        let mut nearest = vec![f64::INFINITY; norms.len()];
        let mut tile = Vec::new();
        let mut near_ones = Vec::new();
        let mut packed_points = None;
        let mut screened = self.screen.as_ref().and_then(|screen| screen.of(points, &norms));
        for (at, (samples, sample_norms)) in
            self.samples.chunks(TILE * self.dim).zip(self.norms.chunks(TILE)).enumerate()
        {
            interrupt.check()?;
            let found = screened.as_mut().map(|screened| screened.candidates(at)).transpose()?;
            if let Some(found) = found.flatten() {
                for of_point in found.chunk_by(|a, b| a.0 == b.0) {
                    let point = of_point[0].0 as usize;
                    let values = &points[point * self.dim..][..self.dim];
                    near_ones.clear();
                    near_ones.extend(of_point.iter().map(|&(_, sample)| {
                        let sample = &samples[sample as usize * self.dim..][..self.dim];
                        simd::dispatch(Distance { a: values, b: Some(sample) })
                    }));
                    let sums = &mut sums[point * self.windows.len()..][..self.windows.len()];
                    self.absorb(&near_ones, least(&near_ones), &mut nearest[point], sums);
                }
                continue;
            }
            screened = None;
            let points = packed_points.get_or_insert_with(|| screen::packed::<f64>(points, self.dim));
            product::tile(points, &screen::packed(samples, self.dim), false, &mut tile)?;
            for (point, row) in tile.chunks_mut(sample_norms.len()).enumerate() {
                let sums = &mut sums[point * self.windows.len()..][..self.windows.len()];
                let near = simd::dispatch(Squares { row, norms: sample_norms, norm: norms[point] });
                self.absorb(row, near, &mut nearest[point], sums);
            }
        }
        if screened.is_none() {
            self.mend(points, &norms, (&mut nearest, &mut sums), interrupt)?;
        }
        for (point, (out, sums)) in
            out.chunks_mut(self.windows.len()).zip(sums.chunks(self.windows.len())).enumerate()
        {
            for ((out, sum), window) in out.iter_mut().zip(sums).zip(self.windows) {
                *out = sum.ln() - nearest[point] * window;
            }
        }
        Ok(())
    }

    /// Compute from differences what the product form has lost to cancellation.
    fn mend(
        &self,
        points: &[f64],
        norms: &[f64],
        (nearest, sums): (&mut [f64], &mut [f64]),
        interrupt: &Interrupt,
    ) -> Result<()> {
        let widest = self.windows.iter().copied().fold(0.0, f64::max);
        let largest = self.norms.iter().copied().fold(0.0, f64::max);
        for (point, values) in points.chunks(self.dim).enumerate() {
            let sums = &mut sums[point * self.windows.len()..][..self.windows.len()];
            let lost = 8.0 * f64::EPSILON * (norms[point] + largest);
            if lost * widest > TOLERANCE && lost > 1e-12 * nearest[point] {
                interrupt.check()?;
                nearest[point] = f64::INFINITY;
                sums.fill(0.0);
                let mut row = vec![0.0; TILE];
                for samples in self.samples.chunks(TILE * self.dim) {
                    let row = &mut row[..samples.len() / self.dim];
                    for (square, sample) in row.iter_mut().zip(samples.chunks(self.dim)) {
                        *square = simd::dispatch(Distance { a: values, b: Some(sample) });
                    }
                    self.absorb(row, least(row), &mut nearest[point], sums);
                }
            }
        }
        Ok(())
    }

    /// Add the exponentials of a block of squared distances, the least of them `near`.
    fn absorb(&self, row: &[f64], near: f64, nearest: &mut f64, sums: &mut [f64]) {
        let moved = (*nearest - near).max(0.0);
        let base = nearest.min(near);
        for (sum, &window) in sums.iter_mut().zip(self.windows) {
            if moved > 0.0 {
                *sum *= (-moved * window).exp();
            }
            *sum += simd::dispatch(Exponentials { row, base, window });
        }
        *nearest = base;
    }
}

/// |a - b|^2, or |a|^2.
struct Distance<'a> {
    a: &'a [f64],
    b: Option<&'a [f64]>,
}

struct SquareOfDifference;
struct Square;

impl Map2<f64, f64> for SquareOfDifference {
    #[inline(always)]
    fn map(&self, a: f64, b: f64) -> f64 {
        (a - b) * (a - b)
    }
}

impl Map2<f64, f64> for Square {
    #[inline(always)]
    fn map(&self, a: f64, _: f64) -> f64 {
        a * a
    }
}

impl simd::Op for Distance<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        match self.b {
            Some(b) => num::sum_map2(self.a, b, &SquareOfDifference),
            None => num::sum_map2(self.a, self.a, &Square),
        }
    }
}

/// Turn products of a point with samples into squared distances; the least of them.
struct Squares<'a> {
    row: &'a mut [f64],
    norms: &'a [f64],
    norm: f64,
}

impl simd::Op for Squares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut least = [f64::INFINITY; simd::LANES];
        let (row, row_rest) = self.row.as_chunks_mut::<{ simd::LANES }>();
        let (norms, norms_rest) = self.norms.as_chunks::<{ simd::LANES }>();
        for (values, norms) in row.iter_mut().zip(norms) {
            for lane in 0..simd::LANES {
                square(&mut values[lane], norms[lane], self.norm, &mut least[lane]);
            }
        }
        for (lane, (value, norm)) in row_rest.iter_mut().zip(norms_rest).enumerate() {
            square(value, *norm, self.norm, &mut least[lane]);
        }
        least.into_iter().fold(f64::INFINITY, f64::min)
    }
}

#[inline(always)]
fn square(value: &mut f64, norm: f64, other: f64, least: &mut f64) {
    let squared = (norm + other) - 2.0 * *value;
    // Rounding may leave the distance of a point to itself below zero.
    *value = if squared > 0.0 { squared } else { 0.0 };
    *least = if *value < *least { *value } else { *least };
}

/// The sum of exp(-(x - base) window) for x >= base.
struct Exponentials<'a> {
    row: &'a [f64],
    base: f64,
    window: f64,
}

struct Exponential {
    base: f64,
    window: f64,
}

impl Map2<f64, f64> for Exponential {
    #[inline(always)]
    fn map(&self, x: f64, _: f64) -> f64 {
        // Beside the nearest sample's 1 whatever is below exp(-700) is nothing.
        let exponent = (self.base - x) * self.window;
        num::exp_normal(if exponent > -700.0 { exponent } else { -700.0 })
    }
}

impl simd::Op for Exponentials<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        num::sum_map2(self.row, self.row, &Exponential { base: self.base, window: self.window })
    }
}
