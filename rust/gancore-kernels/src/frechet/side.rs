//! One of the two matrices: checked, restricted to the coordinates that matter, and factored.

use std::cmp::Ordering;

use super::Matrix;
use crate::error::{Error, Result};
use crate::linalg::{self, Factor};
use crate::pool::Interrupt;

/// Symmetry and positivity may be violated by this many units of rounding times the dimension.
const UNITS: f64 = 16.0;

/// Rounding in matrices of a lower order than this is taken to be as in those of this order.
const SMALL: usize = 16;

/// How far, against its largest diagonal entry, a matrix of such entries may be from symmetric and positive.
pub(super) fn slack(dim: usize, rounding: f64) -> f64 {
    UNITS * dim.max(SMALL) as f64 * rounding
}

/// A symmetric matrix that is finite and may be positive semi-definite; what is not is refused here and by `factor`.
pub(super) struct Side {
    argument: &'static str,
    entries: Vec<f64>,
    dim: usize,
    slack: f64,
    /// Root of the power of four that was taken out of the entries, so that no product of them overflows or vanishes.
    root_scale: f64,
}

impl Side {
    pub(super) fn new(matrix: Matrix<'_>, dim: usize, rounding: f64) -> Result<Self> {
        let Matrix { argument, entries } = matrix;
        if entries.len() != dim * dim || dim == 0 {
            let got = format!("{} entries", entries.len());
            return Err(Error::shape(argument, format!("shape ({dim}, {dim})"), got));
        }
        if let Some(at) = entries.iter().position(|x| !x.is_finite()) {
            let got = format!("{} at ({}, {})", entries[at], at / dim, at % dim);
            return Err(Error::domain(argument, "be finite", got));
        }
        let largest = entries.iter().step_by(dim + 1).fold(0.0_f64, |most, x| most.max(x.abs()));
        let slack = slack(dim, rounding) * largest;
        let mut side = Self { argument, entries: entries.to_vec(), dim, slack, root_scale: 1.0 };
        side.symmetrize()?;
        side.check_diagonal()?;
        if largest > 0.0 {
            side.root_scale = (0.5 * largest.log2()).floor().exp2();
            for x in &mut side.entries {
                *x = *x / side.root_scale / side.root_scale;
            }
            side.slack = side.slack / side.root_scale / side.root_scale;
        }
        Ok(side)
    }

    pub(super) fn diagonal(&self, i: usize) -> f64 {
        self.entries[i * self.dim + i]
    }

    /// Coordinates that vary.
    pub(super) fn live(&self) -> usize {
        (0..self.dim).filter(|&i| self.diagonal(i) > 0.0).count()
    }

    /// What a root of the entries must be multiplied by.
    pub(super) fn root_scale(&self) -> f64 {
        self.root_scale
    }

    pub(super) fn entries(&self) -> &[f64] {
        &self.entries
    }

    fn symmetrize(&mut self) -> Result<()> {
        // Tiles, as the two entries of a pair are far apart.
        const TILE: usize = 32;
        let (dim, slack) = (self.dim, self.slack);
        for top in (0..dim).step_by(TILE) {
            for left in (0..=top).step_by(TILE) {
                for i in top..(top + TILE).min(dim) {
                    for j in left..(left + TILE).min(i) {
                        let (x, y) = (self.entries[i * dim + j], self.entries[j * dim + i]);
                        if (x - y).abs() > slack {
                            let got = format!("{x} at ({i}, {j}) and {y} at ({j}, {i})");
                            return Err(Error::domain(self.argument, "be symmetric", got));
                        }
                        // The sum of halves of equal numbers is that number, unless it is the smallest there is.
                        let mean = if x == y { x } else { 0.5 * x + 0.5 * y };
                        self.entries[i * dim + j] = mean;
                        self.entries[j * dim + i] = mean;
                    }
                }
            }
        }
        Ok(())
    }

    /// Refuse a negative variance, and a variance of zero whose covariances are not.
    fn check_diagonal(&self) -> Result<()> {
        for (i, row) in self.entries.chunks_exact(self.dim).enumerate() {
            if row[i] < -self.slack {
                return Err(self.not_positive(format!("{:e} on the diagonal, in row {i}", row[i])));
            }
            let most = row.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            if row[i] <= 0.0 && most > self.slack {
                return Err(self.not_positive(format!("{most:e} beside a zero on the diagonal, in row {i}")));
            }
        }
        Ok(())
    }

    pub(super) fn restrict(&mut self, kept: &[usize]) {
        if kept.len() < self.dim {
            let rows = kept.iter().flat_map(|&i| kept.iter().map(move |&j| (i, j)));
            self.entries = rows.map(|(i, j)| self.entries[i * self.dim + j]).collect();
            self.dim = kept.len();
        }
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        let pairs = self.entries.iter().zip(&other.entries);
        pairs.map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// A factor, and whether it is that of a matrix of full rank.
    pub(super) fn factor(&self, interrupt: &Interrupt) -> Result<(Factor, bool)> {
        interrupt.check()?;
        let noise = self.dim.max(SMALL) as f64 * f64::EPSILON;
        if let Some(factor) = linalg::cholesky(&self.entries, self.dim, 4.0 * noise, interrupt)? {
            return Ok((factor, true));
        }
        match linalg::pivoted_cholesky(&self.entries, self.dim, noise, interrupt)? {
            Some(pivoted) if pivoted.remainder <= self.slack => Ok((pivoted.factor, false)),
            Some(pivoted) => Err(self.not_positive(format!(
                "{:e} left over beyond rank {}",
                pivoted.remainder,
                pivoted.factor.rank()
            ))),
            None => Err(self.not_positive("a negative pivot".to_owned())),
        }
    }

    fn not_positive(&self, got: String) -> Error {
        Error::NotPositiveDefinite { argument: self.argument, got }
    }
}
