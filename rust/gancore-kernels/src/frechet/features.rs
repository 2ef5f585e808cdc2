//! The Fréchet distance from the samples themselves.
//!
//! The trace is the nuclear norm of K^T L for the sides' factors. A side of n <= d rows is its own factor, K = X_c^T /
//! (n - 1)^(1/2) for the centred rows X_c, so K^T L is small and no d x d matrix is formed for it; this is exact where a
//! covariance would be singular. Two sides of more than d rows are compared by their covariances.

use super::side::{self, Side};
use super::{Gaussian, Matrix, Outcome, Way, assemble, both, distance, nuclear_norm, trace};
use crate::error::{Error, Result};
use crate::linalg::Factor;
use crate::moments::Moments;
use crate::num::Real;
use crate::pool::Interrupt;

/// Samples, row after row, under the name of the argument that gave them.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    /// Name of the argument.
    pub argument: &'static str,
    /// Features of the samples.
    pub features: &'a [T],
}

/// Squared Fréchet distance of the Gaussians that fit two sets of samples of `dim` features; never negative.
pub fn distance_from_features<T: Real>(
    real: Rows<'_, T>,
    fake: Rows<'_, T>,
    dim: usize,
    interrupt: &Interrupt,
) -> Result<Outcome> {
    for Rows { argument, features } in [real, fake] {
        if dim == 0 || !features.len().is_multiple_of(dim) {
            return Err(Error::shape(argument, format!("rows of {dim} numbers"), features.len().to_string()));
        }
        let rows = features.len() / dim;
        if rows < 2 {
            return Err(Error::domain(argument, "have at least 2 rows for a covariance", rows.to_string()));
        }
        if let Some(at) = features.iter().position(|&x| !x.into().is_finite()) {
            let got = format!("{} in row {}, column {}", features[at].into(), at / dim, at % dim);
            return Err(Error::domain(argument, "be finite", got));
        }
    }
    let many = |side: Rows<'_, T>| side.features.len() / dim > dim;
    if many(real) && many(fake) {
        return distance(
            &gaussian(real, dim, interrupt)?,
            &gaussian(fake, dim, interrupt)?,
            f64::EPSILON,
            interrupt,
        );
    }
    let [one, two] = both(dim, |i| Sample::new([real, fake][i], dim, interrupt))?;
    let root = nuclear_norm(&one.factor, &two.factor, interrupt)? * (one.scale * two.scale);
    let slack = side::slack(dim, f64::EPSILON);
    let value = assemble(&one.mean, &two.mean, one.trace + two.trace, root, slack)?;
    Ok(Outcome {
        value,
        way: Way::SingularValues,
        ranks: [one.factor.rank(), two.factor.rank()].map(|r| r.min(dim)),
    })
}

fn gaussian<T: Real>(rows: Rows<'_, T>, dim: usize, interrupt: &Interrupt) -> Result<Gaussian> {
    let mut state = Moments::new(dim)?;
    state.insert(rows.features, interrupt)?;
    Ok(Gaussian { argument: rows.argument, mean: state.mean()?, covariance: state.covariance()? })
}

/// Mean, trace of the covariance, and a factor of it.
struct Sample {
    mean: Vec<f64>,
    trace: f64,
    factor: Factor,
    /// What the factor must be multiplied by.
    scale: f64,
}

impl Sample {
    fn new<T: Real>(rows: Rows<'_, T>, dim: usize, interrupt: &Interrupt) -> Result<Self> {
        let n = rows.features.len() / dim;
        if n > dim {
            let Gaussian { argument, mean, covariance } = gaussian(rows, dim, interrupt)?;
            let matrix = Matrix { argument, entries: &covariance };
            let side = Side::new(matrix, dim, f64::EPSILON)?;
            let (factor, _) = side.factor(interrupt)?;
            return Ok(Self { mean, trace: trace(&covariance, dim), factor, scale: side.root_scale() });
        }
        interrupt.check()?;
        let mut columns = vec![0.0; dim * n];
        let (mut mean, mut trace) = (vec![0.0; dim], 0.0);
        let root = ((n - 1) as f64).sqrt();
        for (j, column) in columns.chunks_exact_mut(n).enumerate() {
            for (x, &feature) in column.iter_mut().zip(rows.features.iter().skip(j).step_by(dim)) {
                *x = feature.into();
            }
            // Relative to the first row, and centred twice: a large common mean costs no digits.
            let origin = column[0];
            for x in column.iter_mut() {
                *x -= origin;
            }
            mean[j] = origin;
            for _ in 0..2 {
                let centre = column.iter().sum::<f64>() / n as f64;
                for x in column.iter_mut() {
                    *x -= centre;
                }
                mean[j] += centre;
            }
            for x in column.iter_mut() {
                *x /= root;
            }
            trace += column.iter().map(|x| x * x).sum::<f64>();
        }
        Ok(Self { mean, trace, factor: Factor::from_rows(columns, dim), scale: 1.0 })
    }
}
