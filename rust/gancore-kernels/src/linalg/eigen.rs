//! Eigenvalues alone of a dense symmetric matrix, by two-stage tridiagonalisation.
//!
//! ```text
//! full -> band of half-width b        panels, products of matrices      4/3 n^3 operations    eigen/band.rs
//! band -> tridiagonal                 bulges chased in cache            6 b n^2               eigen/chase.rs
//! tridiagonal -> eigenvalues          QL without square roots           about 10 n^2          eigen/tridiagonal.rs
//! ```
//!
//! Reducing to tridiagonal form at once spends half its operations in products of a matrix and a vector, at the speed of
//! memory; by way of a band nearly all of them are products of matrices, and what is left stays in cache (Bischof, Lang
//! and Sun, *The SBR toolbox*, ACM TOMS 26 (2000); Haidar, Ltaief and Dongarra, SC 2011). The price, two sets of
//! vectors to transform back, is not paid where only values are wanted.
//!
//! Backward stable: |lambda - exact| is of the order of eps ||A||. This file and its parts are dense linear algebra, which
//! is exempt from the rule against fused multiply-add: instruction sets may differ by rounding, threads do not.

mod band;
mod chase;
mod panel;
mod reflector;
mod tridiagonal;

use crate::error::{Error, Result};
use crate::pool::Interrupt;

/// Half-width of the band.
const WIDTH: usize = 32;

/// Eigenvalues, ascending, of the symmetric matrix whose lower triangle is given (row-major n x n; destroyed).
pub fn symmetric_eigenvalues(a: &mut [f64], n: usize, interrupt: &Interrupt) -> Result<Vec<f64>> {
    if a.len() != n * n {
        return Err(Error::shape("a", format!("{n} x {n} entries"), a.len().to_string()));
    }
    let mut largest = 0.0_f64;
    for i in 0..n {
        for (j, entry) in a[i * n..=i * n + i].iter().enumerate() {
            if !entry.is_finite() {
                return Err(Error::domain("a", "have finite entries", format!("{entry} at ({i}, {j})")));
            }
            largest = largest.max(entry.abs());
        }
    }
    if largest == 0.0 {
        return Ok(vec![0.0; n]);
    }
    let exponent = exponent(largest);
    scale(a, -exponent);
    let band = band::reduce::<WIDTH>(a, n, interrupt)?;
    let (diagonal, subdiagonal) = band.tridiagonal(interrupt)?;
    let mut values = tridiagonal::eigenvalues(diagonal, &subdiagonal, interrupt)?;
    scale(&mut values, exponent);
    Ok(values)
}

/// floor(log2 x) of a positive number.
fn exponent(x: f64) -> i32 {
    let field = |x: f64| ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    if x < f64::MIN_POSITIVE { field(x * 54_f64.exp2()) - 54 } else { field(x) }
}

/// Multiply by 2^k, exactly but for overflow and underflow of the result.
fn scale(values: &mut [f64], k: i32) {
    // Half at a time: 2^k alone may be out of range.
    let (half, rest) = (f64::from(k / 2).exp2(), f64::from(k - k / 2).exp2());
    for value in values {
        *value = *value * half * rest;
    }
}
