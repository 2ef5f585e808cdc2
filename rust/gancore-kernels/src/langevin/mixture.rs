//! The energy of a mixture of isotropic Gaussians, its gradient, and draws from it.
//!
//! ```text
//! E(x) = -ln sum_k w_k N(x; mu_k, s_k^2 I) = -(m + ln sum_k exp(l_k - m)),  m = max_k l_k
//! l_k  = ln w_k - d ln s_k - (d/2) ln 2 pi - |x - mu_k|^2 / (2 s_k^2)
//! grad E(x) = sum_k r_k (x - mu_k) / s_k^2,  r_k = exp(l_k - m) / sum_j exp(l_j - m)
//! ```
//!
//! Taking out the largest l_k keeps energies right however far x lies from every mean.

use super::{TASK, refuse_non_finite};
use crate::error::{Error, Result};
use crate::num::{self, Real};
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};
use crate::simd::{self, LANES};

/// How far the sum of the weights may be from 1.
const SUM_TOLERANCE: f64 = 1e-6;

/// Components that weigh less than e^-60 = 9e-27 of the largest are taken for zero: they cannot change a float64, and
/// arithmetic on the subnormal numbers further down is slow.
const NEGLIGIBLE: f64 = -60.0;

/// Numbers that evaluating a tile writes down: they stay in the first-level cache.
const SCRATCH: usize = 1 << 11;

/// A mixture of Gaussians with covariances s_k^2 I.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    dim: usize,
    means: Vec<f64>,
    stds: Vec<f64>,
    /// 1 / s_k^2.
    precisions: Vec<f64>,
    /// What of l_k does not depend on x.
    offsets: Vec<f64>,
    /// Sums of the weights up to each component; the last is exactly 1.
    cumulative: Vec<f64>,
}

impl GaussianMixture {
    /// A mixture from its means, row after row of `dim` numbers, one standard deviation and one weight a component.
    pub fn new(means: &[f64], dim: usize, stds: &[f64], weights: &[f64]) -> Result<Self> {
        let components = means.len().checked_div(dim).unwrap_or(0);
        if components == 0 || components * dim != means.len() {
            return Err(Error::shape(
                "means",
                "shape (k, d) with k, d >= 1",
                format!("{} numbers for d = {dim}", means.len()),
            ));
        }
        for (argument, values) in [("stds", stds), ("weights", weights)] {
            if values.len() != components {
                return Err(Error::shape(
                    argument,
                    format!("{components} numbers, one a component"),
                    values.len().to_string(),
                ));
            }
        }
        refuse_non_finite("means", means, dim, &Interrupt::new())?;
        // Within these bounds a square and its inverse are normal numbers.
        refuse("stds", "be between 1e-150 and 1e150", stds, |s| (1e-150..=1e150).contains(&s))?;
        refuse("weights", "be positive and finite", weights, |w| w > 0.0 && w < f64::INFINITY)?;
        let total = num::sum(weights);
        if (total - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::domain("weights", "sum to 1", format!("sum {total}")));
        }
        let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
        let mut running = 0.0;
        Ok(Self {
            dim,
            means: means.to_vec(),
            stds: stds.to_vec(),
            precisions: stds.iter().map(|s| 1.0 / (s * s)).collect(),
            offsets: stds
                .iter()
                .zip(weights)
                .map(|(&s, &w)| num::ln(w / total) - dim as f64 * (num::ln(s) + half_ln_tau))
                .collect(),
            cumulative: weights
                .iter()
                .enumerate()
                .map(|(k, w)| {
                    running += w / total;
                    if k + 1 == components { 1.0 } else { running.min(1.0) }
                })
                .collect(),
        })
    }

    /// Coordinates of a point.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of components.
    pub fn components(&self) -> usize {
        self.stds.len()
    }

    /// E of each row of `x`; infinite where the squared distances pass the largest float64.
    pub fn energies<T: Real>(&self, x: &[T], interrupt: &Interrupt) -> Result<Vec<f64>> {
        self.check_points("x", x, interrupt)?;
        let mut energies = vec![0.0; x.len() / self.dim];
        let rows = self.rows_per_task();
        pool::for_each_chunk_mut(&mut energies, rows, |task, energies| {
            interrupt.check()?;
            let start = task * rows * self.dim;
            let x = &x[start..start + energies.len() * self.dim];
            simd::dispatch(Energies { mixture: self, x, out: energies });
            Ok(())
        })?;
        Ok(energies)
    }

    /// grad E of each row of `x`.
    pub fn gradients<T: Real>(&self, x: &[T], interrupt: &Interrupt) -> Result<Vec<T>> {
        self.check_points("x", x, interrupt)?;
        let mut gradients = x.to_vec();
        let per_task = self.rows_per_task() * self.dim;
        pool::for_each_chunk_mut(&mut gradients, per_task, |task, gradients| {
            interrupt.check()?;
            let x = &x[task * per_task..task * per_task + gradients.len()];
            simd::dispatch(Gradients { mixture: self, x, out: gradients });
            Ok(())
        })?;
        match gradients.iter().position(|&g| !g.into().is_finite()) {
            None => Ok(gradients),
            Some(i) => Err(Error::domain(
                "x",
                "be so near the means that squared distances are finite",
                format!("{} in row {}", x[i].into(), i / self.dim),
            )),
        }
    }

    /// Fill rows with draws: component and place of row `i` are those of chain `i`.
    pub fn sample(&self, out: &mut [f64], seed: u64, interrupt: &Interrupt) -> Result<()> {
        let rows = (TASK / self.dim).max(1);
        pool::for_each_chunk_mut(out, rows * self.dim, |task, points| {
            interrupt.check()?;
            simd::dispatch(Draw { mixture: self, seed, first_lane: (task * rows) as u64, points });
            Ok(())
        })
    }

    /// Refuse points that are not finite or have another number of coordinates.
    pub(super) fn check_points<T: Real>(
        &self,
        argument: &'static str,
        x: &[T],
        interrupt: &Interrupt,
    ) -> Result<()> {
        if !x.len().is_multiple_of(self.dim) {
            let expected = format!("{} numbers a row", self.dim);
            return Err(Error::shape(argument, expected, format!("{} numbers", x.len())));
        }
        refuse_non_finite(argument, x, self.dim, interrupt)
    }

    fn rows_per_task(&self) -> usize {
        (TASK / (self.dim * self.components())).max(1).next_multiple_of(LANES)
    }

    /// How many points are evaluated side by side where there are `points`.
    pub(super) fn width(&self, points: usize) -> usize {
        let fitting = SCRATCH / (self.components() + 2 * self.dim) / (2 * LANES) * (2 * LANES);
        fitting.clamp(LANES, 8 * LANES).min(points.max(1).next_multiple_of(LANES))
    }
}

/// Points side by side, coordinate by coordinate, and what is computed of them: loops over slices of many points are
/// what the compiler vectorises.
#[derive(Clone)]
pub(super) struct Tile {
    width: usize,
    /// Row j holds coordinate j of every point.
    pub(super) x: Vec<f64>,
    /// grad E, as `x`.
    pub(super) gradient: Vec<f64>,
    /// E of every point.
    pub(super) energy: Vec<f64>,
}

/// Room for the l_k of a tile, their maximum, and one row more.
pub(super) struct Scratch {
    logits: Vec<f64>,
    largest: Vec<f64>,
    row: Vec<f64>,
}

impl Scratch {
    pub(super) fn new(mixture: &GaussianMixture, width: usize) -> Self {
        let row = vec![0.0; width];
        Self { logits: vec![0.0; width * mixture.components()], largest: row.clone(), row }
    }
}

impl Tile {
    /// Rows of points as a tile; where there are fewer than `width`, the first is repeated.
    #[inline(always)]
    pub(super) fn load<T: Real>(points: &[T], dim: usize, width: usize) -> Self {
        let mut x = vec![0.0; dim * width];
        for i in 0..width {
            let at = if (i + 1) * dim <= points.len() { i * dim } else { 0 };
            for (j, &value) in points[at..at + dim].iter().enumerate() {
                x[j * width + i] = value.into();
            }
        }
        Self { width, gradient: x.clone(), energy: vec![0.0; width], x }
    }

    /// Compute E and, if asked for, grad E.
    #[inline(always)]
    pub(super) fn evaluate<const GRADIENT: bool>(
        &mut self,
        mixture: &GaussianMixture,
        scratch: &mut Scratch,
    ) {
        let Self { width, x, gradient, energy } = self;
        let Scratch { logits, largest, row } = scratch;
        let (width, dim) = (*width, mixture.dim);
        largest.fill(f64::NEG_INFINITY);
        let components = mixture.means.chunks(dim).zip(&mixture.precisions).zip(&mixture.offsets);
        for (((mean, &precision), &offset), logits) in components.zip(logits.chunks_mut(width)) {
            row.fill(0.0);
            for (x, &mean) in x.chunks(width).zip(mean) {
                for (square, &x) in row.iter_mut().zip(x) {
                    *square += (x - mean) * (x - mean);
                }
            }
            let half = 0.5 * precision;
            for ((logit, &square), largest) in logits.iter_mut().zip(&*row).zip(&mut *largest) {
                *logit = offset - half * square;
                *largest = if *logit > *largest { *logit } else { *largest };
            }
        }
        row.fill(0.0);
        if GRADIENT {
            gradient.fill(0.0);
        }
        let components = mixture.means.chunks(dim).zip(&mixture.precisions);
        for ((mean, &precision), shares) in components.zip(logits.chunks_mut(width)) {
            for ((share, &largest), sum) in shares.iter_mut().zip(&*largest).zip(&mut *row) {
                let log = *share - largest;
                let value = num::exp_normal(if log > NEGLIGIBLE { log } else { NEGLIGIBLE });
                *share = if log >= NEGLIGIBLE { value } else { 0.0 };
                *sum += *share;
            }
            if GRADIENT {
                for ((gradient, x), &mean) in gradient.chunks_mut(width).zip(x.chunks(width)).zip(mean) {
                    for ((gradient, &x), &share) in gradient.iter_mut().zip(x).zip(&*shares) {
                        *gradient += (share * precision) * (x - mean);
                    }
                }
            }
        }
        if GRADIENT {
            for gradient in gradient.chunks_mut(width) {
                for (gradient, &sum) in gradient.iter_mut().zip(&*row) {
                    *gradient /= sum;
                }
            }
        }
        for ((energy, &largest), &sum) in energy.iter_mut().zip(&*largest).zip(&*row) {
            let value = -(largest + num::ln(sum));
            *energy = if largest == f64::NEG_INFINITY { f64::INFINITY } else { value };
        }
    }

    /// Write coordinates or gradients back to as many rows as there are.
    #[inline(always)]
    pub(super) fn store<T: Real>(values: &[f64], dim: usize, rows: &mut [T]) {
        let width = values.len() / dim;
        for (i, row) in rows.chunks_mut(dim).enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                *value = T::round(values[j * width + i]);
            }
        }
    }
}

/// Refuse numbers that a condition does not hold for, naming the first.
fn refuse(
    argument: &'static str,
    expected: &'static str,
    values: &[f64],
    holds: impl Fn(f64) -> bool,
) -> Result<()> {
    match values.iter().enumerate().find(|&(_, &v)| !holds(v)) {
        Some((i, value)) => Err(Error::domain(argument, expected, format!("{value} at index {i}"))),
        None => Ok(()),
    }
}

struct Energies<'a, T> {
    mixture: &'a GaussianMixture,
    x: &'a [T],
    out: &'a mut [f64],
}

impl<T: Real> simd::Op for Energies<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (dim, width) = (self.mixture.dim, self.mixture.width(self.out.len()));
        let mut scratch = Scratch::new(self.mixture, width);
        for (points, out) in self.x.chunks(width * dim).zip(self.out.chunks_mut(width)) {
            let mut tile = Tile::load(points, dim, width);
            tile.evaluate::<false>(self.mixture, &mut scratch);
            out.copy_from_slice(&tile.energy[..out.len()]);
        }
    }
}

struct Gradients<'a, T> {
    mixture: &'a GaussianMixture,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> simd::Op for Gradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let dim = self.mixture.dim;
        let width = self.mixture.width(self.out.len() / dim);
        let mut scratch = Scratch::new(self.mixture, width);
        for (points, out) in self.x.chunks(width * dim).zip(self.out.chunks_mut(width * dim)) {
            let mut tile = Tile::load(points, dim, width);
            tile.evaluate::<true>(self.mixture, &mut scratch);
            Tile::store(&tile.gradient, dim, out);
        }
    }
}

struct Draw<'a> {
    mixture: &'a GaussianMixture,
    seed: u64,
    first_lane: u64,
    points: &'a mut [f64],
}

impl simd::Op for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let GaussianMixture { dim, means, stds, cumulative, .. } = self.mixture;
        let at = |stream| Address { seed: self.seed, stream, step: 0 };
        at(Stream::Initial).normals(self.first_lane, *dim, self.points);
        for (lane, point) in (self.first_lane..).zip(self.points.chunks_mut(*dim)) {
            let u = at(Stream::Component).uniform(lane);
            let k = cumulative.partition_point(|&c| c < u);
            for (value, mean) in point.iter_mut().zip(&means[k * dim..]) {
                *value = mean + stds[k] * *value;
            }
        }
    }
}
