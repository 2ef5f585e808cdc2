//! Streaming mean and covariance of feature vectors.
//!
//! The state is count n, mean m and scatter S = sum (x - m)(x - m)^T. A block of b rows with mean m_b is centred by its
//! own mean (two passes over the block, so no digits are lost however far the mean is from zero) and combined by
//!
//! ```text
//! delta = m_b - m,   m' = m + delta b/(n + b),   S' = S + S_b + delta delta^T n b/(n + b)
//! ```
//!
//! Chan, Golub and LeVeque, *Updating formulae and a pairwise algorithm for computing sample variances* (1979), eq. 2.1,
//! in its matrix form (Pébay 2008, eq. 3.12). S_b and the rank-one term are one symmetric product: sqrt(n b/(n + b)) delta
//! is simply one more row of the centred block. Rows wait until a block is full, so small batches cost no pass over S.
//! Results do not depend on the number of threads.

use crate::error::{Error, Result};
use crate::linalg;
use crate::num::Real;
use crate::pool::Interrupt;

/// Rows of a block: enough to turn the update of S into a matrix product, few enough to stay small beside S.
const BLOCK: usize = 1024;

/// Count, mean and scatter of the rows seen so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    dim: usize,
    count: u64,
    mean: Vec<f64>,
    scatter: Vec<f64>,
    pending: Vec<f64>,
}

/// The parts of a state, as they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// Rows combined into mean and scatter.
    pub count: u64,
    /// Mean of those rows.
    pub mean: Vec<f64>,
    /// Scatter of those rows: the lower triangle, row after row.
    pub scatter: Vec<f64>,
    /// Rows that wait for a block to fill.
    pub pending: Vec<f64>,
}

impl Moments {
    /// Nothing seen yet, of `dim` features.
    pub fn new(dim: usize) -> Result<Self> {
        if dim == 0 {
            return Err(Error::domain("dim", "be at least 1", "0"));
        }
        // A matrix that does not fit into memory is an error of the caller's, not the end of the process.
        let mut scatter = Vec::new();
        let room = dim.checked_mul(dim).filter(|&entries| scatter.try_reserve_exact(entries).is_ok());
        let Some(entries) = room else {
            return Err(Error::domain("dim", "leave room for a dim x dim matrix in memory", dim.to_string()));
        };
        scatter.resize(entries, 0.0);
        Ok(Self { dim, count: 0, mean: vec![0.0; dim], scatter, pending: Vec::new() })
    }

    /// A state from its parts.
    pub fn from_parts(dim: usize, parts: Parts) -> Result<Self> {
        let Parts { count, mean, scatter, pending } = parts;
        if dim == 0 || mean.len() != dim || scatter.len() != dim * dim || !pending.len().is_multiple_of(dim) {
            return Err(Error::shape(
                "state",
                format!("a mean of {dim} entries, a scatter of {dim} x {dim}, and whole pending rows"),
                format!("{}, {} and {} entries", mean.len(), scatter.len(), pending.len()),
            ));
        }
        if !mean.iter().chain(&scatter).chain(&pending).all(|v| v.is_finite()) {
            return Err(Error::domain("state", "have finite entries", "nan or inf"));
        }
        Ok(Self { dim, count, mean, scatter, pending })
    }

    /// The parts of the state; a state made of them goes on as this one would.
    pub fn parts(&self) -> Parts {
        Parts {
            count: self.count,
            mean: self.mean.clone(),
            scatter: self.scatter.clone(),
            pending: self.pending.clone(),
        }
    }

    /// How many features a row has.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many rows were seen.
    pub fn count(&self) -> u64 {
        self.count + (self.pending.len() / self.dim) as u64
    }

    /// Take in rows of features. If one is not finite nothing is taken in.
    pub fn insert<T: Real>(&mut self, features: &[T], interrupt: &Interrupt) -> Result<()> {
        let d = self.dim;
        if !features.len().is_multiple_of(d) {
            return Err(Error::shape("features", format!("rows of {d} entries"), features.len().to_string()));
        }
        if let Some(at) = features.iter().position(|&v| !Into::<f64>::into(v).is_finite()) {
            let value: f64 = features[at].into();
            let got = format!("{value} in row {}, column {}", at / d, at % d);
            return Err(Error::domain("features", "be finite", got));
        }
        for rows in features.chunks(BLOCK * d) {
            interrupt.check()?;
            self.pending.extend(rows.iter().map(|&v| Into::<f64>::into(v)));
            while self.pending.len() >= BLOCK * d {
                let rest = self.pending.split_off(BLOCK * d);
                let block = std::mem::replace(&mut self.pending, rest);
                self.combine_block(block, &Interrupt::new())?;
            }
        }
        Ok(())
    }

    /// The state of all rows of both.
    pub fn combine(&self, other: &Self) -> Result<Self> {
        if other.dim != self.dim {
            return Err(Error::shape("other", format!("{} features", self.dim), other.dim.to_string()));
        }
        let (left, right) = (self.settled()?, other.settled()?);
        if left.count == 0 || right.count == 0 {
            return Ok(if left.count == 0 { right } else { left });
        }
        let (n, m) = (left.count as f64, right.count as f64);
        let mut merged = left;
        let mut delta = vec![0.0; merged.dim];
        for ((delta, mean), other) in delta.iter_mut().zip(&mut merged.mean).zip(&right.mean) {
            let gap = other - *mean;
            *mean += gap * (m / (n + m));
            *delta = gap * (n * m / (n + m)).sqrt();
        }
        for (sum, other) in merged.scatter.iter_mut().zip(&right.scatter) {
            *sum += other;
        }
        linalg::add_gram(&mut merged.scatter, &delta, merged.dim, &Interrupt::new())?;
        merged.count += right.count;
        Ok(merged)
    }

    /// Mean of all rows.
    pub fn mean(&self) -> Result<Vec<f64>> {
        match self.count() {
            0 => Err(Error::domain("count", "be at least 1 to have a mean", "0")),
            _ => Ok(self.settled()?.mean),
        }
    }

    /// Covariance of all rows, with denominator n - 1, row after row.
    pub fn covariance(&self) -> Result<Vec<f64>> {
        let count = self.count();
        if count < 2 {
            return Err(Error::domain("count", "be at least 2 to have a covariance", count.to_string()));
        }
        let (d, mut full) = (self.dim, self.settled()?.scatter);
        let over = 1.0 / (count - 1) as f64;
        for i in 0..d {
            for j in 0..=i {
                let value = full[i * d + j] * over;
                full[i * d + j] = value;
                full[j * d + i] = value;
            }
        }
        Ok(full)
    }

    /// The same state with no rows waiting.
    fn settled(&self) -> Result<Self> {
        let mut state = self.clone();
        let block = std::mem::take(&mut state.pending);
        state.combine_block(block, &Interrupt::new())?;
        Ok(state)
    }

    fn combine_block(&mut self, mut block: Vec<f64>, interrupt: &Interrupt) -> Result<()> {
        let d = self.dim;
        let rows = block.len() / d;
        if rows == 0 {
            return Ok(());
        }
        let (n, b) = (self.count as f64, rows as f64);
        let mean = centre(&mut block, d);
        if self.count > 0 {
            let weight = (n * b / (n + b)).sqrt();
            block.extend(mean.iter().zip(&self.mean).map(|(block, mean)| weight * (block - mean)));
        }
        linalg::add_gram(&mut self.scatter, &block, d, interrupt)?;
        for (mean, block) in self.mean.iter_mut().zip(&mean) {
            *mean += (block - *mean) * (b / (n + b));
        }
        self.count += rows as u64;
        Ok(())
    }
}

/// Subtract from each column its mean; return the means. The second pass takes what rounding left of the first.
fn centre(block: &mut [f64], d: usize) -> Vec<f64> {
    let rows = (block.len() / d) as f64;
    let mut means = vec![0.0; d];
    for _ in 0..2 {
        let mut sums = vec![0.0; d];
        for row in block.chunks(d) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
        for (sum, mean) in sums.iter_mut().zip(&mut means) {
            *sum /= rows;
            *mean += *sum;
        }
        for row in block.chunks_mut(d) {
            for (value, shift) in row.iter_mut().zip(&sums) {
                *value -= shift;
            }
        }
    }
    means
}
