//! Third stage: eigenvalues of a tridiagonal matrix by the QL iteration without square roots.
//!
//! Pal, Walker and Kahan's variant (Parlett, *The Symmetric Eigenvalue Problem* (1998), section 8.15) with Wilkinson's
//! shift; it turns the diagonal and the squares of the subdiagonal. The two quotients of a step, 1/r and r/p, depend
//! only on what the step before left, so they overlap.

use crate::error::{Error, Result};
use crate::pool::Interrupt;

use super::reflector::NEGLIGIBLE;

/// QL steps allowed for each eigenvalue, on average; about 1.7 are taken.
const STEPS: usize = 30;

/// Eigenvalues, ascending, of the matrix of this diagonal and subdiagonal, which has entries of about 1 at most.
pub fn eigenvalues(mut d: Vec<f64>, e: &[f64], interrupt: &Interrupt) -> Result<Vec<f64>> {
    let n = d.len();
    let mut squares: Vec<f64> = e.iter().map(|e| e * e).collect();
    let largest = d.iter().chain(e).fold(0.0_f64, |m, x| m.max(x.abs()));
    // Dropping every such entry at once moves no eigenvalue by more than eps / 2 of the largest entry.
    let tolerance = (0.25 * f64::EPSILON * largest).powi(2).max(NEGLIGIBLE);
    let mut budget = STEPS * n;
    let mut first = 0;
    while first < n {
        let mut last = first;
        while last + 1 < n && squares[last] > tolerance {
            last += 1;
        }
        let (block, links) = (&mut d[first..=last], &mut squares[first..last]);
        if block[block.len() - 1].abs() < block[0].abs() {
            block.reverse();
            links.reverse();
        }
        iterate(block, links, tolerance, &mut budget, interrupt)?;
        first = last + 1;
    }
    d.sort_unstable_by(f64::total_cmp);
    Ok(d)
}

/// Eigenvalues of one unreduced block, in place of its diagonal.
fn iterate(
    d: &mut [f64],
    squares: &mut [f64],
    tolerance: f64,
    budget: &mut usize,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut low = 0;
    while low < d.len() {
        interrupt.check()?;
        let high = (low..squares.len()).find(|&i| squares[i] <= tolerance).unwrap_or(squares.len());
        if high == low {
            low += 1;
            continue;
        }
        if high == low + 1 {
            (d[low], d[high]) = pair(d[low], squares[low].sqrt(), d[high]);
            low += 2;
            continue;
        }
        if *budget == 0 {
            return Err(Error::Convergence {
                algorithm: "the QL iteration",
                got: format!("{} of {} eigenvalues of a block", low, d.len()),
            });
        }
        *budget -= 1;
        step(&mut d[low..=high], &mut squares[low..high]);
    }
    Ok(())
}

/// Eigenvalues of [[a, b], [b, c]].
fn pair(a: f64, b: f64, c: f64) -> (f64, f64) {
    let (mean, half) = (0.5 * (a + c), 0.5 * (a - c));
    let radius = half.hypot(b);
    // The one of larger modulus first; the other as a quotient, which does not cancel.
    let large = mean + radius.copysign(mean);
    if large == 0.0 {
        return (-radius, radius);
    }
    let (big, small) = if a.abs() >= c.abs() { (a, c) } else { (c, a) };
    (large, (big / large) * small - (b / large) * b)
}

/// One QL step with Wilkinson's shift.
fn step(d: &mut [f64], squares: &mut [f64]) {
    let last = squares.len();
    let root = squares[0].sqrt();
    let ratio = (d[1] - d[0]) / (2.0 * root);
    let shift = d[0] - root / (ratio + ratio.hypot(1.0).copysign(ratio));
    let (mut c, mut s) = (1.0, 0.0);
    let mut gamma = d[last] - shift;
    let mut p = gamma * gamma;
    for i in (0..last).rev() {
        let square = squares[i];
        let r = p + square;
        if i + 1 != last {
            squares[i + 1] = s * r;
        }
        let inverse = 1.0 / r;
        let before = c;
        s = square * inverse;
        c = p * inverse;
        let old = gamma;
        gamma = (p * (d[i] - shift) - square * old) * inverse;
        d[i + 1] = old + (d[i] - gamma);
        p = if p < NEGLIGIBLE { before * square } else { gamma * gamma * (r / p) };
    }
    squares[0] = s * p;
    d[0] = shift + gamma;
}
