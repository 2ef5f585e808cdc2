//! Divergences of discrete distributions, row by row, in nats.
//!
//! With the masses normalised exactly, p' = p / sum p and q' = q / sum q,
//!
//! ```text
//! KL(p, q)      = sum p' ln(p'/q')                          Kullback and Leibler 1951, eq. 2.4
//! JSD(p, q)     = KL(p, m)/2 + KL(q, m)/2, m = (p'+q')/2     Lin 1991, eq. 4.1 with equal weights
//! GAN(p, q)     = 2 JSD(p, q) - ln 4                        Nowozin et al. 2016, table 1
//! TV(p, q)      = sum |p' - q'| / 2
//! H2(p, q)      = sum (sqrt p' - sqrt q')^2
//! Pearson       = sum (p' - q')^2 / q',  Neyman = sum (p' - q')^2 / p'
//! A_a(p, q)     = (sum p'^a q'^(1-a) - 1) / (a (a - 1))     Cichocki and Amari 2010, eq. 10
//! R_a(p, q)     = ln(sum p'^a q'^(1-a)) / (a - 1)           Renyi 1961, eq. 3.3; see `renyi.rs`
//! H(p)          = -sum p' ln p',  H(p, q) = -sum p' ln q'   Shannon 1948
//! I(joint)      = KL(joint, product of its marginals)
//! ```
//!
//! Every divergence is summed in terms that are never negative, so it is never negative itself; a term is written with
//! the difference d = p' - q', which is known to full accuracy where p and q are close (see `terms.rs`).
//!
//! A row is read from memory once: checks and sums in one pass, the terms in another over what the cache still holds.
//! Conventions: 0 ln 0 = 0; q = 0 < p gives infinity where the limit is infinite. Results do not depend on threads or
//! instruction set.

mod information;
mod renyi;
mod survey;
mod terms;

pub use information::mutual_information;
pub use renyi::renyi;

use crate::error::{Error, Result};
use crate::num::{self, Map2, Real};
use crate::pool::{self, Interrupt};
use crate::simd;
use survey::{Sums, survey};
use terms::{SCALE, Term};

/// How far a sum of masses may be from 1.
pub const SUM_TOLERANCE: f64 = 1e-6;

/// Elements that one task works through: long enough to pay for its dispatch, short enough to hear an interrupt.
const TASK: usize = 1 << 15;

/// Rows of two arrays of distributions, `width` masses a row.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    /// Masses of the first argument, row after row.
    pub p: &'a [T],
    /// Masses of the second argument, row after row.
    pub q: &'a [T],
    /// How many masses a row has.
    pub width: usize,
    /// Rescale rows to sum 1 instead of refusing those that do not.
    pub normalize: bool,
}

/// What is computed of each row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// KL(p, q).
    Kl,
    /// KL(q, p).
    ReverseKl,
    /// The Jensen-Shannon divergence, in [0, ln 2].
    JensenShannon,
    /// Twice the Jensen-Shannon divergence less ln 4: the value of the game of Goodfellow et al. (2014).
    Gan,
    /// The total variation distance, in [0, 1].
    TotalVariation,
    /// The sum of squared differences of roots, in [0, 2].
    SquaredHellinger,
    /// The root of half of it, in [0, 1].
    Hellinger,
    /// Pearson's chi-square.
    Pearson,
    /// Neyman's chi-square.
    Neyman,
    /// The alpha divergence of an order.
    Alpha(f64),
    /// The Renyi divergence of an order >= 0, infinity among them.
    Renyi(f64),
    /// The entropy of p; q is not read.
    Entropy,
    /// The cross entropy of q relative to p.
    CrossEntropy,
}

/// A measure of each row.
pub fn divergence<T: Real>(measure: Measure, rows: Rows<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    match measure {
        Measure::Kl => each_row(rows, &terms::Kl, interrupt),
        Measure::ReverseKl => each_row(rows, &terms::ReverseKl, interrupt),
        Measure::JensenShannon => each_row(rows, &terms::JensenShannon, interrupt),
        Measure::Gan => each_row(rows, &terms::Gan, interrupt),
        Measure::TotalVariation => each_row(rows, &terms::TotalVariation, interrupt),
        Measure::SquaredHellinger => each_row(rows, &terms::SquaredHellinger, interrupt),
        Measure::Hellinger => each_row(rows, &terms::Hellinger, interrupt),
        Measure::Pearson => each_row(rows, &terms::Pearson, interrupt),
        Measure::Neyman => each_row(rows, &terms::Neyman, interrupt),
        Measure::Alpha(order) => each_row(rows, &terms::Alpha::new(order)?, interrupt),
        Measure::Renyi(order) => renyi(order, rows, interrupt),
        Measure::Entropy => each_row(Rows { q: rows.p, ..rows }, &terms::Entropy, interrupt),
        Measure::CrossEntropy => each_row(rows, &terms::CrossEntropy, interrupt),
    }
}

/// A row with its sums; run, the sum of a measure's terms.
struct RowSum<'a, T, D> {
    p: &'a [T],
    q: &'a [T],
    sums: Sums,
    term: &'a D,
}

impl<T: Real, D: Term> simd::Op for RowSum<'_, T, D> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        num::sum_map2(self.p, self.q, &Normalised { scales: Scales::new(self.sums), term: self.term })
    }
}

/// What turns masses into normalised ones times [`SCALE`], and their difference.
#[derive(Clone, Copy)]
struct Scales {
    lift_p: f64,
    lift_q: f64,
    over_p: f64,
    over_q: f64,
    slope: f64,
    offset: f64,
    alike: bool,
}

impl Scales {
    #[inline(always)]
    fn new(sums: Sums) -> Self {
        // The inverse of a sum below 2^-900 would overflow.
        let (lift_p, lift_q) = (lift(sums.p), lift(sums.q));
        let (over_p, over_q) = (SCALE / (sums.p * lift_p), SCALE / (sums.q * lift_q));
        Self {
            lift_p,
            lift_q,
            over_p,
            over_q,
            slope: over_p * lift_p,
            offset: sums.excess / sums.q * over_p * lift_p,
            alike: sums.excess.abs() <= 0.5 * sums.p.min(sums.q) && lift_p == 1.0 && lift_q == 1.0,
        }
    }

    /// Normalised masses and their difference, all times [`SCALE`].
    #[inline(always)]
    fn apply(&self, p: f64, q: f64) -> (f64, f64, f64) {
        // p' - q' = ((p - q) + q (sum_q - sum_p) / sum_q) / sum_p: where the sums are alike this keeps the digits of
        // p - q, which is exact where p and q are close; where they are not, it would cancel.
        let exact = (p - q) * self.slope + q * self.offset;
        let (p, q) = (p * self.lift_p * self.over_p, q * self.lift_q * self.over_q);
        (p, q, if self.alike { exact } else { p - q })
    }
}

#[inline(always)]
fn lift(sum: f64) -> f64 {
    if sum < 1e-270 { 1.606_938_044_258_990_3e60 } else { 1.0 }
}

struct Normalised<'a, D> {
    scales: Scales,
    term: &'a D,
}

impl<T: Real, D: Term> Map2<T, T> for Normalised<'_, D> {
    #[inline(always)]
    fn map(&self, p: T, q: T) -> f64 {
        let (p, q, d) = self.scales.apply(p.into(), q.into());
        self.term.term(p, q, d)
    }
}

fn each_row<T: Real, D: Term>(rows: Rows<'_, T>, term: &D, interrupt: &Interrupt) -> Result<Vec<f64>> {
    for_rows(rows, interrupt, |p, q, sums| {
        Ok(term.finish(simd::dispatch(RowSum { p, q, sums, term }) / SCALE))
    })
}

/// A value of each row, from its masses and sums, after the checks.
fn for_rows<T: Real>(
    rows: Rows<'_, T>,
    interrupt: &Interrupt,
    value_of: impl Fn(&[T], &[T], Sums) -> Result<f64> + Sync + Send,
) -> Result<Vec<f64>> {
    let width = rows.width;
    if width == 0 {
        return Err(Error::shape("p", "at least one mass on the last axis", "none"));
    }
    if rows.p.len() != rows.q.len() {
        return Err(Error::shape("q", format!("{} masses", rows.p.len()), rows.q.len().to_string()));
    }
    let mut out = vec![0.0; rows.p.len() / width];
    let per_task = (TASK / width).max(1);
    pool::for_each_chunk_mut(&mut out, per_task, |task, values| {
        interrupt.check()?;
        for (i, value) in values.iter_mut().enumerate() {
            let row = task * per_task + i;
            let span = row * width..(row + 1) * width;
            let (p, q) = (&rows.p[span.clone()], &rows.q[span]);
            *value = value_of(p, q, survey(p, q, row, rows.normalize)?)?;
        }
        Ok(())
    })?;
    Ok(out)
}
