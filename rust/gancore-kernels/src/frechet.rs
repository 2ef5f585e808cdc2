//! The Fréchet distance between Gaussians, and the trace that makes it hard.
//!
//! ```text
//! d^2 = |m1 - m2|^2 + tr A + tr B - 2 tr (A B)^(1/2)        Dowson and Landau 1982, eq. 4; FID: Heusel et al. 2017, eq. 6
//! ```
//!
//! A B is similar to L^T B L for A = L L^T, which is symmetric positive semi-definite, so no complex number and no
//! non-symmetric root ever appears. With M = L^T B L, tr (A B)^(1/2) = sum sqrt(lambda(M)); with B = K K^T it is also
//! the sum of the singular values of L^T K. Which way is taken:
//!
//! - *eigenvalues of M*, where both matrices are safely positive definite: the product of their pivot ratios is at
//!   least 1e-10, so that an eigenvalue's rounding, eps lambda_max, is below 1e-11 of its root;
//! - *singular values of L^T K*, where they are not: L and K come from pivoted Cholesky, with as many columns as the
//!   rank, and no root is taken of a rounding error. This is the accurate way, about twice as long.
//!
//! Nothing is ever added to a diagonal: that would change the distance.

use crate::error::{Error, Result};
use crate::linalg;
use crate::pool::Interrupt;

/// How far from symmetric a matrix may be, against its largest diagonal entry.
const ASYMMETRY: f64 = 1e-8;

/// Product of the pivot ratios from which on eigenvalues are taken.
const SAFELY_DEFINITE: f64 = 1e-10;

/// How far below zero rounding may carry the distance, against the traces.
const NEGATIVE: f64 = 1e-10;

/// tr (A B)^(1/2) of symmetric positive semi-definite d x d matrices.
pub fn trace_sqrt_product(a: &[f64], b: &[f64], d: usize, interrupt: &Interrupt) -> Result<f64> {
    let (a, scale_a) = prepare("a", a, d)?;
    let (b, scale_b) = prepare("b", b, d)?;
    interrupt.check()?;
    if scale_a == 0.0 || scale_b == 0.0 {
        return Ok(0.0);
    }
    let trace = match (linalg::cholesky(&a, d), linalg::cholesky(&b, d)) {
        (Some(left), Some(right)) if left.pivot_ratio * right.pivot_ratio >= SAFELY_DEFINITE => {
            interrupt.check()?;
            let values = linalg::eigenvalues_of_congruence(&left, &b, d)?;
            values.into_iter().rev().map(|v| v.max(0.0).sqrt()).sum()
        }
        _ => {
            let left = linalg::pivoted_cholesky("a", &a, d)?;
            interrupt.check()?;
            let right = linalg::pivoted_cholesky("b", &b, d)?;
            interrupt.check()?;
            linalg::singular_values_of_product(&left, &right)?.into_iter().sum::<f64>()
        }
    };
    Ok(trace * scale_a.sqrt() * scale_b.sqrt())
}

/// A Gaussian: its mean and its covariance, row after row.
#[derive(Debug, Clone, Copy)]
pub struct Gaussian<'a> {
    /// Mean, of d entries.
    pub mean: &'a [f64],
    /// Covariance, of d x d entries.
    pub covariance: &'a [f64],
}

/// The squared Fréchet distance, as the FID reports it.
pub fn frechet_distance(real: Gaussian<'_>, fake: Gaussian<'_>, interrupt: &Interrupt) -> Result<f64> {
    let d = real.mean.len();
    if fake.mean.len() != d {
        return Err(Error::shape(
            "fake",
            format!("a mean of {d} entries, as `real` has"),
            fake.mean.len().to_string(),
        ));
    }
    for (argument, gaussian) in [("real", real), ("fake", fake)] {
        if let Some(i) = gaussian.mean.iter().position(|m| !m.is_finite()) {
            return Err(Error::domain(
                argument,
                "have a finite mean",
                format!("{} at index {i}", gaussian.mean[i]),
            ));
        }
    }
    let root = trace_sqrt_product(real.covariance, fake.covariance, d, interrupt)?;
    let trace = |m: &[f64]| (0..d).map(|i| m[i * d + i]).sum::<f64>();
    let apart: f64 = real.mean.iter().zip(fake.mean).map(|(x, y)| (x - y) * (x - y)).sum();
    let traces = trace(real.covariance) + trace(fake.covariance);
    let distance = apart + (traces - 2.0 * root);
    if distance < -NEGATIVE * traces {
        return Err(Error::Convergence {
            algorithm: "the Fréchet distance",
            got: format!("{distance:e}, negative beyond the rounding of traces {traces:e}"),
        });
    }
    Ok(distance.max(0.0))
}

/// The lower triangle of a symmetric matrix, divided by a power of two near its largest diagonal entry.
fn prepare(argument: &'static str, matrix: &[f64], d: usize) -> Result<(Vec<f64>, f64)> {
    if matrix.len() != d * d || d == 0 {
        return Err(Error::shape(argument, format!("{d} x {d} entries"), matrix.len().to_string()));
    }
    if let Some(at) = matrix.iter().position(|v| !v.is_finite()) {
        return Err(Error::domain(
            argument,
            "have finite entries",
            format!("{} at ({}, {})", matrix[at], at / d, at % d),
        ));
    }
    let largest = (0..d).map(|i| matrix[i * d + i]).fold(0.0, f64::max);
    if let Some(i) = (0..d).find(|i| matrix[i * d + i] < -ASYMMETRY * largest) {
        return Err(Error::NotPositiveDefinite {
            argument,
            got: format!("{} at ({i}, {i}) of the diagonal", matrix[i * d + i]),
        });
    }
    for i in 0..d {
        for j in 0..i {
            let (low, high) = (matrix[i * d + j], matrix[j * d + i]);
            if (low - high).abs() > ASYMMETRY * largest {
                return Err(Error::domain(
                    argument,
                    "be symmetric",
                    format!("{low} at ({i}, {j}), {high} across"),
                ));
            }
            if low.abs() > (1.0 + ASYMMETRY) * largest {
                return Err(Error::NotPositiveDefinite {
                    argument,
                    got: format!("{low} at ({i}, {j}), above every entry of the diagonal"),
                });
            }
        }
    }
    if largest == 0.0 {
        return Ok((Vec::new(), 0.0));
    }
    let scale = largest.log2().floor().exp2();
    let mut scaled = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            scaled[i * d + j] = 0.5 * (matrix[i * d + j] / scale + matrix[j * d + i] / scale);
        }
    }
    Ok((scaled, scale))
}
