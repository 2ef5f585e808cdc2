//! Streaming mean and covariance of rows, in float64 and without cancellation.
//!
//! A set of n rows x is kept as n, its mean m and its scatter S = sum (x - m)(x - m)^T. Sets A and B join as
//!
//! ```text
//! n = n_A + n_B,   delta = m_B - m_A,   m = m_A + delta n_B / n
//! S = S_A + S_B + delta delta^T n_A n_B / n
//! ```
//!
//! (Chan, Golub and LeVeque 1979, for one variable; Pébay 2008, for covariances). Rows are gathered into a block of 1151
//! and joined to the rest as one set: the block is centred on its own mean, and the last term is one row more,
//! delta (n_A n_B / n)^(1/2), so that S grows by a single symmetric product and only ever by positive terms. Rows are
//! kept relative to the first one, which takes a large common mean out before anything is rounded.
//!
//! The state depends on the sequence of rows alone, not on how it was cut into batches.

use crate::error::{Error, Result};
use crate::linalg;
use crate::linalg::product::Factor;
use crate::num::{self, Real};
use crate::pool::{self, Interrupt};
use crate::simd::{self, LANES};
use block::Block;

mod block;

/// Rows that are gathered before they are joined; the block has one more, for the difference of the means.
pub const ROWS: usize = 12 * <f64 as Factor>::STRETCH - 1;

/// Elements that one task looks through for nan and infinity.
const TASK: usize = 1 << 16;

/// Mean and scatter of the rows seen so far.
#[derive(Debug, Clone)]
pub struct Moments {
    dim: usize,
    joined: u64,
    origin: Vec<f64>,
    offset: Vec<f64>,
    scatter: Vec<f64>,
    block: Block,
    gathered: usize,
}

/// A state as plain numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// How many rows offset and scatter are of.
    pub joined: u64,
    /// What all rows are relative to: the first one.
    pub origin: Vec<f64>,
    /// Mean of the joined rows, relative to the origin.
    pub offset: Vec<f64>,
    /// Scatter of the joined rows, d x d, row after row; the lower triangle is read.
    pub scatter: Vec<f64>,
    /// Rows that are not joined yet, relative to the origin.
    pub pending: Vec<f64>,
}

impl Moments {
    /// The state before the first row of `dim` features.
    pub fn new(dim: usize) -> Result<Self> {
        if dim == 0 {
            return Err(Error::domain("dim", "be at least 1", "0"));
        }
        // The largest first, so that what cannot be had is refused before anything is filled.
        let scatter = zeros(dim, dim)?;
        let block = Block::new(dim);
        Ok(Self {
            dim,
            joined: 0,
            origin: zeros(dim, 1)?,
            offset: zeros(dim, 1)?,
            scatter,
            block,
            gathered: 0,
        })
    }

    /// Features of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Rows seen so far.
    pub fn count(&self) -> u64 {
        self.joined + self.gathered as u64
    }

    /// Elementary operations of an [`Moments::insert`] of so many rows.
    pub fn work(&self, rows: usize) -> usize {
        let joins = self.gathered.saturating_add(rows) / ROWS;
        let of_joins = joins.saturating_mul(ROWS).saturating_mul(self.dim).saturating_mul(self.dim);
        of_joins.saturating_add(rows.saturating_mul(self.dim))
    }

    /// Take rows in, `dim` numbers each. Nothing is taken in if one of them is not finite; after an interrupt
    /// [`Moments::count`] says how many were.
    pub fn insert<T: Real>(&mut self, rows: &[T], interrupt: &Interrupt) -> Result<()> {
        let dim = self.dim;
        if !rows.len().is_multiple_of(dim) {
            return Err(Error::shape("features", format!("rows of {dim} numbers"), rows.len().to_string()));
        }
        check_finite(rows, dim)?;
        if self.count() == 0 {
            for (origin, &x) in self.origin.iter_mut().zip(rows) {
                *origin = x.into();
            }
        }
        let mut rest = rows;
        while !rest.is_empty() {
            interrupt.check()?;
            let taken = (rest.len() / dim).min(ROWS - self.gathered);
            let (now, later) = rest.split_at(taken * dim);
            self.gather(now)?;
            if self.gathered == ROWS {
                self.join()?;
            }
            rest = later;
        }
        Ok(())
    }

    /// The state of the rows of both.
    pub fn combine(&self, other: &Self) -> Result<Self> {
        if other.dim != self.dim {
            let expected = format!("{} features, as these moments have,", self.dim);
            return Err(Error::shape("other", expected, other.dim.to_string()));
        }
        if self.count() == 0 {
            return Ok(other.clone());
        }
        let (mut one, mut two) = (self.clone(), other.clone());
        if two.count() == 0 {
            return Ok(one);
        }
        one.join()?;
        two.join()?;
        let (n, m) = (one.joined as f64, two.joined as f64);
        let (share, weight) = (m / (n + m), (n * m / (n + m)).sqrt());
        let mut row = vec![0.0; one.dim];
        for (j, row) in row.iter_mut().enumerate() {
            let delta = (two.origin[j] - one.origin[j]) + (two.offset[j] - one.offset[j]);
            one.offset[j] += delta * share;
            *row = delta * weight;
        }
        for (mine, theirs) in one.scatter.iter_mut().zip(&two.scatter) {
            *mine += theirs;
        }
        linalg::add_gram(&mut one.scatter, &row, 1, 1, &Interrupt::new())?;
        one.joined += two.joined;
        Ok(one)
    }

    /// Mean of the rows; refused for none.
    pub fn mean(&self) -> Result<Vec<f64>> {
        if self.count() == 0 {
            return Err(Error::domain("count", "be at least 1 for a mean", "0"));
        }
        let share = self.gathered as f64 / self.count() as f64;
        let mut mean = self.origin.clone();
        for ((mean, &offset), centre) in
            mean.iter_mut().zip(&self.offset).zip(self.block.means(self.gathered))
        {
            *mean += offset + (centre - offset) * share;
        }
        finite(mean)
    }

    /// Covariance of the rows, S / (n - 1), both triangles; refused for fewer than two.
    pub fn covariance(&self) -> Result<Vec<f64>> {
        if self.count() < 2 {
            return Err(Error::domain("count", "be at least 2 for a covariance", self.count().to_string()));
        }
        let mut all = self.clone();
        all.join()?;
        let (dim, over) = (all.dim, 1.0 / (all.joined - 1) as f64);
        for value in &mut all.scatter {
            *value *= over;
        }
        linalg::mirror(&mut all.scatter, dim);
        finite(all.scatter)
    }

    /// The state as plain numbers, from which [`Moments::from_parts`] goes on as if nothing had happened.
    pub fn parts(&self) -> Parts {
        Parts {
            joined: self.joined,
            origin: self.origin.clone(),
            offset: self.offset.clone(),
            scatter: self.scatter.clone(),
            pending: (0..self.gathered).flat_map(|row| self.block.row(row)).collect(),
        }
    }

    /// The state that [`Moments::parts`] gave.
    pub fn from_parts(parts: &Parts) -> Result<Self> {
        let mut state = Self::new(parts.origin.len())?;
        let dim = state.dim;
        for (name, values, expected) in
            [("offset", &parts.offset, dim), ("scatter", &parts.scatter, state.scatter.len())]
        {
            if values.len() != expected {
                return Err(Error::shape(name, format!("{expected} numbers"), values.len().to_string()));
            }
        }
        if !parts.pending.len().is_multiple_of(dim) || parts.pending.len() / dim >= ROWS {
            let expected = format!("fewer than {ROWS} rows of {dim} numbers");
            return Err(Error::shape("pending", expected, format!("{} numbers", parts.pending.len())));
        }
        for (name, values) in [
            ("origin", &parts.origin),
            ("offset", &parts.offset),
            ("scatter", &parts.scatter),
            ("pending", &parts.pending),
        ] {
            if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                return Err(Error::domain(name, "be finite", format!("{} at {at}", values[at])));
            }
        }
        state.gather(&parts.pending)?;
        state.joined = parts.joined;
        state.origin.copy_from_slice(&parts.origin);
        state.offset.copy_from_slice(&parts.offset);
        state.scatter.copy_from_slice(&parts.scatter);
        Ok(state)
    }

    /// Write rows into the block, relative to the origin.
    fn gather<T: Real>(&mut self, rows: &[T]) -> Result<()> {
        self.block.write(self.gathered, rows, &self.origin)?;
        self.gathered += rows.len() / self.dim;
        Ok(())
    }

    /// Join the gathered rows to the rest, as one set.
    fn join(&mut self) -> Result<()> {
        let gathered = self.gathered;
        if gathered == 0 {
            return Ok(());
        }
        self.block.centre(gathered)?;
        let (n, m) = (self.joined as f64, gathered as f64);
        let (share, weight) = (m / (n + m), (n * m / (n + m)).sqrt());
        let centre: Vec<f64> = self.block.row(gathered).collect();
        for (j, (mean, centre)) in self.offset.iter_mut().zip(centre).enumerate() {
            let delta = centre - *mean;
            *mean += delta * share;
            self.block.set(gathered, j, delta * weight);
        }
        // Not to be stopped half-way: the state must stay that of whole blocks.
        linalg::add_gram_of_bands(&mut self.scatter, self.block.bands(), gathered + 1, &Interrupt::new())?;
        self.joined += gathered as u64;
        self.gathered = 0;
        Ok(())
    }
}

fn zeros(dim: usize, columns: usize) -> Result<Vec<f64>> {
    num::zeros(dim.checked_mul(columns))
        .ok_or_else(|| Error::domain("dim", "leave room for a dim x dim matrix in memory", dim.to_string()))
}

fn finite(values: Vec<f64>) -> Result<Vec<f64>> {
    if values.iter().all(|x| x.is_finite()) {
        return Ok(values);
    }
    Err(Error::domain("features", "be small enough for their squares to be float64 numbers", "an overflow"))
}

fn check_finite<T: Real>(rows: &[T], dim: usize) -> Result<()> {
    let tasks = rows.len().div_ceil(TASK);
    let bad = pool::map_indexed(tasks, 2, |task| {
        let span = &rows[task * TASK..rows.len().min((task + 1) * TASK)];
        let all = simd::dispatch(AllFinite(span));
        let wrong = |&x: &T| !Into::<f64>::into(x).is_finite();
        if all { None } else { span.iter().position(wrong).map(|at| task * TASK + at) }
    })?;
    match bad.into_iter().flatten().next() {
        None => Ok(()),
        Some(at) => {
            let got = format!("{} in row {}, column {}", rows[at].into(), at / dim, at % dim);
            Err(Error::domain("features", "be finite", got))
        }
    }
}

struct AllFinite<'a, T>(&'a [T]);

impl<T: Real> simd::Op for AllFinite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        // 0 x is zero for finite numbers and nan for others; sums of zeros vectorise, comparisons that stop do not.
        let (whole, rest) = self.0.as_chunks::<LANES>();
        let mut differences = [0.0; LANES];
        for chunk in whole {
            for (sum, &x) in differences.iter_mut().zip(chunk) {
                let x: f64 = x.into();
                *sum += x * 0.0;
            }
        }
        for (sum, &x) in differences.iter_mut().zip(rest) {
            let x: f64 = x.into();
            *sum += x * 0.0;
        }
        differences.iter().all(|&sum| sum == 0.0)
    }
}
