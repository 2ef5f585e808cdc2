//! The energy of a mixture of isotropic Gaussians, its gradient, and draws from it.
//!
//! ```text
//! E(x) = -ln sum_k w_k N(x; mu_k, s_k^2 I) = -(m + ln sum_k exp(l_k - m)),  for any m
//! l_k  = ln w_k - d ln s_k - (d/2) ln 2 pi - |x - mu_k|^2 / (2 s_k^2)
//! grad E(x) = sum_k r_k (x - mu_k) / s_k^2,  r_k = exp(l_k - m) / sum_j exp(l_j - m)
//! ```
//!
//! With m the largest l_k energies are right however far x lies from every mean (`far.rs`); near them a constant m does
//! (`near.rs`).

use super::field::Field;
use super::tile::{Tile, Wanted};
use super::{TASK, refuse_non_finite};
use crate::error::{Error, Result};
use crate::num::{self, Real};
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};
use crate::simd::{self, LANES};

/// How far the sum of the weights may be from 1.
const SUM_TOLERANCE: f64 = 1e-6;

/// How many points are evaluated side by side: loops over rows of so many are what the compiler vectorises.
pub(super) const WIDTH: usize = 8 * LANES;

/// A mixture of Gaussians with covariances s_k^2 I.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    dim: usize,
    pub(super) means: Vec<f64>,
    stds: Vec<f64>,
    /// 1 / s_k^2.
    pub(super) precisions: Vec<f64>,
    /// What of l_k does not depend on x.
    pub(super) offsets: Vec<f64>,
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
        let (field, rows) = (Field::<f64>::new(self), self.rows_per_task());
        let wanted = Wanted { gradients: false, energies: true };
        pool::for_each_chunk_mut(&mut energies, rows, |task, energies| {
            interrupt.check()?;
            let start = task * rows * self.dim;
            let x = &x[start..start + energies.len() * self.dim];
            let mut logits = Vec::new();
            for (points, out) in x.chunks(WIDTH * self.dim).zip(energies.chunks_mut(WIDTH)) {
                let mut tile = Tile::load(points, self.dim);
                tile.evaluate(&field, wanted, &mut logits);
                out.copy_from_slice(&tile.energy[..out.len()]);
            }
            Ok(())
        })?;
        Ok(energies)
    }

    /// grad E of each row of `x`.
    pub fn gradients<T: Real>(&self, x: &[T], interrupt: &Interrupt) -> Result<Vec<T>> {
        self.check_points("x", x, interrupt)?;
        let mut gradients = x.to_vec();
        let (field, tile) = (Field::<f64>::new(self), WIDTH * self.dim);
        let per_task = self.rows_per_task() * self.dim;
        let wanted = Wanted { gradients: true, energies: false };
        pool::for_each_chunk_mut(&mut gradients, per_task, |task, gradients| {
            interrupt.check()?;
            let x = &x[task * per_task..task * per_task + gradients.len()];
            let mut logits = Vec::new();
            for (points, out) in x.chunks(tile).zip(gradients.chunks_mut(tile)) {
                let mut tile = Tile::load(points, self.dim);
                tile.evaluate(&field, wanted, &mut logits);
                Tile::store(&tile.gradient, out);
            }
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
        (TASK / (self.dim * self.components())).max(1).next_multiple_of(WIDTH)
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
