//! Divergences of discrete distributions, row by row, in nats.
//!
//! With the masses normalised exactly, p' = p / sum p and q' = q / sum q,
//!
//! ```text
//! KL(p, q)  = sum p' ln(p'/q')                       Kullback and Leibler 1951, eq. 2.4
//! JSD(p, q) = KL(p, m)/2 + KL(q, m)/2, m = (p'+q')/2  Lin 1991, eq. 4.1 with equal weights
//! TV(p, q)  = sum |p' - q'| / 2
//! ```
//!
//! KL is summed as p' ln(p'/q') - p' + q' >= 0: the added terms cancel over a row, and no term is negative, so the
//! result is never negative. Where p' and q' are close a term is written with d = p' - q' and s = d / (p' + q') as
//! d (s + (1 + s)(atanh(s)/s - 1)), which keeps full relative accuracy when p and q differ in the last digits.
//!
//! Conventions: 0 ln 0 = 0; q = 0 < p gives infinity. Results do not depend on threads or instruction set.

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::num::{self, Map2, Real};
use crate::pool::{self, Interrupt};
use crate::simd;

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

/// Kullback-Leibler divergence of each row.
pub fn kl<T: Real>(rows: Rows<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    each_row::<T, Kl>(rows, interrupt)
}

/// Jensen-Shannon divergence of each row; in [0, ln 2].
pub fn jensen_shannon<T: Real>(rows: Rows<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    each_row::<T, JensenShannon>(rows, interrupt)
}

/// Total variation distance of each row; in [0, 1].
pub fn total_variation<T: Real>(rows: Rows<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    each_row::<T, TotalVariation>(rows, interrupt)
}

/// A divergence as the sum of a term over the bins.
trait Divergence: Send + Sync {
    /// The term of normalised masses p and q with d = p - q, the difference known better than from p and q.
    fn term(p: f64, q: f64, d: f64) -> f64;

    /// The divergence, from the sum of the terms.
    fn finish(sum: f64) -> f64;
}

struct Kl;

impl Divergence for Kl {
    #[inline(always)]
    fn term(p: f64, q: f64, d: f64) -> f64 {
        kl_term(p, q, d)
    }

    fn finish(sum: f64) -> f64 {
        sum
    }
}

struct JensenShannon;

impl Divergence for JensenShannon {
    #[inline(always)]
    fn term(p: f64, q: f64, d: f64) -> f64 {
        let (mean, half) = (0.5 * (p + q), 0.5 * d);
        kl_term(p, mean, half) + kl_term(q, mean, -half)
    }

    /// A row of disjoint supports may round one ulp above the bound that the divergence never passes.
    fn finish(sum: f64) -> f64 {
        (0.5 * sum).min(std::f64::consts::LN_2)
    }
}

struct TotalVariation;

impl Divergence for TotalVariation {
    #[inline(always)]
    fn term(_: f64, _: f64, d: f64) -> f64 {
        d.abs()
    }

    fn finish(sum: f64) -> f64 {
        (0.5 * sum).min(1.0)
    }
}

/// p ln(p/q) - p + q for p, q >= 0 and d = p - q, without cancellation.
#[inline(always)]
fn kl_term(p: f64, q: f64, d: f64) -> f64 {
    let s = d / (p + q);
    let z = s * s;
    // atanh(s)/s - 1 = z/3 + z^2/5 + ...; where it is used z < 0.03, and the terms left out are below 1e-17.
    let mut tail = 1.0 / 23.0;
    for c in
        [1.0 / 21.0, 1.0 / 19.0, 1.0 / 17.0, 1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 0.2]
    {
        tail = tail * z + c;
    }
    let near = d * (s + (1.0 + s) * (z * (tail * z + 1.0 / 3.0)));
    let far = p * num::ln(p / q) - d;
    let value = if s.abs() < 0.17 { near } else { far };
    let value = if p == 0.0 { q } else { value };
    if d == 0.0 { 0.0 } else { value }
}

/// A row with its sums; run, the sum of a divergence's terms.
struct RowSum<'a, T, D> {
    p: &'a [T],
    q: &'a [T],
    sum_p: f64,
    sum_q: f64,
    divergence: PhantomData<D>,
}

impl<T: Real, D: Divergence> simd::Op for RowSum<'_, T, D> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let excess = num::sum_map2(self.p, self.q, &Excess);
        let term = Term {
            over_p: 1.0 / self.sum_p,
            over_q: 1.0 / self.sum_q,
            sum_q: self.sum_q,
            excess,
            alike: excess.abs() <= 0.5 * self.sum_p.min(self.sum_q),
            divergence: self.divergence,
        };
        num::sum_map2(self.p, self.q, &term)
    }
}

struct Excess;

impl<T: Real> Map2<T, T> for Excess {
    #[inline(always)]
    fn map(&self, p: T, q: T) -> f64 {
        q.into() - p.into()
    }
}

/// A divergence's term of masses that are not normalised yet.
struct Term<D> {
    over_p: f64,
    over_q: f64,
    sum_q: f64,
    excess: f64,
    alike: bool,
    divergence: PhantomData<D>,
}

impl<T: Real, D: Divergence> Map2<T, T> for Term<D> {
    #[inline(always)]
    fn map(&self, p: T, q: T) -> f64 {
        let (p, q): (f64, f64) = (p.into(), q.into());
        // p' - q' = ((p - q) sum_q + q (sum_q - sum_p)) / (sum_p sum_q): where the sums are alike this keeps the digits
        // of p - q, which is exact where p and q are close; where they are not, it would cancel.
        let exact = ((p - q) * self.sum_q + q * self.excess) * self.over_p * self.over_q;
        let (p, q) = (p * self.over_p, q * self.over_q);
        D::term(p, q, if self.alike { exact } else { p - q })
    }
}

fn each_row<T: Real, D: Divergence>(rows: Rows<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
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
            let sum_p = check_masses("p", p, row, rows.normalize)?;
            let sum_q = check_masses("q", q, row, rows.normalize)?;
            *value = D::finish(simd::dispatch(RowSum { p, q, sum_p, sum_q, divergence: PhantomData::<D> }));
        }
        Ok(())
    })?;
    Ok(out)
}

/// Sum of a row whose masses are all finite, not negative and, unless rescaled, of sum 1.
fn check_masses<T: Real>(argument: &'static str, masses: &[T], row: usize, normalize: bool) -> Result<f64> {
    let (sum, lowest) = simd::dispatch(SumAndLowest(masses));
    if lowest < 0.0 || !sum.is_finite() {
        let at = masses.iter().position(|&m| !(Into::<f64>::into(m) >= 0.0 && m.into() < f64::INFINITY));
        let (at, value) = at.map_or((0, sum), |i| (i, masses[i].into()));
        return Err(Error::domain(
            argument,
            "have finite masses >= 0 on the last axis",
            format!("{value} at row {row}, index {at}"),
        ));
    }
    if sum == 0.0 {
        return Err(Error::domain(argument, "have positive total mass", format!("0 in row {row}")));
    }
    if !normalize && (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(Error::domain(
            argument,
            "sum to 1 on the last axis (or pass normalize=True)",
            format!("sum {sum} in row {row}"),
        ));
    }
    Ok(sum)
}

struct SumAndLowest<'a, T>(&'a [T]);

impl<T: Real> simd::Op for SumAndLowest<'_, T> {
    type Output = (f64, f64);

    #[inline(always)]
    fn run(self) -> (f64, f64) {
        let mut lowest = 0.0_f64;
        for &mass in self.0 {
            lowest = lowest.min(mass.into());
        }
        (num::sum(self.0), lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_keeps_its_accuracy_when_p_and_q_almost_agree() {
        // d^2/2q (1 - d/3q + ...) from the series of (1 + r) ln(1 + r) - r.
        for exponent in 1..12 {
            let r = 10_f64.powi(-exponent);
            let q = 0.25;
            let d = q * r;
            let exact: f64 = (2..30).map(|k| q * (-r).powi(k) / f64::from(k * (k - 1))).rev().sum();
            let term = kl_term(q + d, q, d);
            assert!((term - exact).abs() <= 1e-14 * exact, "{r}: {term:e} {exact:e}");
        }
    }

    #[test]
    fn the_two_branches_meet() {
        for s in [0.169_999_9_f64, 0.170_000_1, -0.169_999_9, -0.170_000_1] {
            let (p, q) = (0.5 * (1.0 + s), 0.5 * (1.0 - s));
            let direct = p * (p / q).ln() - (p - q);
            assert!((kl_term(p, q, p - q) - direct).abs() < 1e-16);
        }
    }
}
