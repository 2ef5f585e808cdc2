//! The Fréchet distance between Gaussians, and the trace of the root of a product that makes it hard.
//!
//! ```text
//! d^2 = |m1 - m2|^2 + tr A + tr B - 2 tr (A B)^(1/2)        Dowson and Landau 1982, eq. 4; FID: Heusel et al. 2017, eq. 6
//! ```
//!
//! for means m1, m2 and covariances A, B. With any factors A = K K^T and B = L L^T the eigenvalues of A B are those of
//! K^T B K, and their roots the singular values of K^T L, so no root of a matrix and no complex number is formed:
//!
//! 1. Coordinates in which A or B vanishes add nothing and are left out.
//! 2. Each matrix is factored by Cholesky's method. Where the matrix, scaled to a diagonal of ones, has an eigenvalue
//!    below 4 d eps (d at least 16), rounding may have made it, and it is factored again with diagonal pivoting, which
//!    stops at the numerical rank.
//! 3. If both have full rank, tr (A B)^(1/2) is the sum of the roots of the eigenvalues of K^T B K, provided that their
//!    product is det A det B, known from the factors, as closely as the sum must be known. Else it is the sum of the
//!    singular values of K^T L, which takes longer, but noise enters these as it is and not as its root.
//!
//! From samples (see [`features`]) a side of at most d rows is its own factor: the centred rows over (n - 1)^(1/2).
//! Nothing is ever added to a diagonal. The arguments are put in a fixed order first, so the trace is symmetric to the
//! last bit.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::linalg::{self, Factor};
use crate::num::{self, Map2};
use crate::pool::{self, Interrupt};

pub mod features;
mod side;

pub use features::{Rows, distance_from_features};
use side::Side;

/// Relative accuracy that a sum of roots of eigenvalues must show.
const ACCURACY: f64 = 1e-11;

/// Shift of the sum of logarithms beyond which some eigenvalue is noise, and errors do not follow from it.
const NOISE: f64 = 0.5;

/// Orders below which a matrix is factored sooner than a thread is woken.
const SERIAL_BELOW: usize = 128;

/// A negative distance within this part of the traces is rounding.
const CLIPPED: f64 = 1e-10;

/// Mean and covariance of a Gaussian, under the name of the argument that gave them.
#[derive(Debug, Clone)]
pub struct Gaussian {
    /// Name of the argument.
    pub argument: &'static str,
    /// Mean, d numbers.
    pub mean: Vec<f64>,
    /// Covariance, d x d.
    pub covariance: Vec<f64>,
}

/// A positive semi-definite matrix, under the name of the argument that gave it.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// Name of the argument.
    pub argument: &'static str,
    /// Entries, d x d.
    pub entries: &'a [f64],
}

/// Which way a trace was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Roots of the eigenvalues of K^T B K.
    Eigenvalues,
    /// Singular values of K^T L.
    SingularValues,
}

impl Way {
    /// The name of the way.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eigenvalues => "eigenvalues",
            Self::SingularValues => "singular values",
        }
    }
}

/// A value, the way it was computed, and the numerical ranks of both matrices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The trace or the distance.
    pub value: f64,
    /// The way of the trace.
    pub way: Way,
    /// Ranks of the first matrix and of the second.
    pub ranks: [usize; 2],
}

/// tr (A B)^(1/2) of positive semi-definite matrices of order `dim`, which may be singular.
///
/// `rounding` is the relative precision that the entries were rounded to: how far they may be from symmetric and
/// positive.
pub fn trace_sqrt_product(
    a: Matrix<'_>,
    b: Matrix<'_>,
    dim: usize,
    rounding: f64,
    interrupt: &Interrupt,
) -> Result<Outcome> {
    let mut sides = both(dim, |i| Side::new([a, b][i], dim, rounding))?;
    let scale = sides[0].root_scale() * sides[1].root_scale();
    let kept: Vec<usize> = (0..dim).filter(|&i| sides.iter().all(|s| s.diagonal(i) > 0.0)).collect();
    let mut ranks = [None, None];
    for (side, rank) in sides.iter_mut().zip(&mut ranks) {
        if side.live() > kept.len() {
            // What the other matrix makes no use of must be positive all the same.
            *rank = Some(side.factor(interrupt)?.0.rank());
        }
        side.restrict(&kept);
    }
    if kept.is_empty() {
        let ranks = ranks.map(|rank| rank.unwrap_or(0));
        return Ok(Outcome { value: 0.0, way: Way::SingularValues, ranks });
    }
    let swap = sides[0].order(&sides[1]) == Ordering::Greater;
    let [one, two] = if swap { [&sides[1], &sides[0]] } else { [&sides[0], &sides[1]] };
    let [(k, full), (l, also_full)] = both(kept.len(), |i| [one, two][i].factor(interrupt))?;
    let found = if swap { [l.rank(), k.rank()] } else { [k.rank(), l.rank()] };
    let ranks = [ranks[0].unwrap_or(found[0]), ranks[1].unwrap_or(found[1])];
    interrupt.check()?;
    if full && also_full {
        let mut congruent = linalg::congruence(&k, two.entries(), interrupt)?;
        let squares = linalg::eigenvalues(&mut congruent, kept.len(), interrupt)?;
        if let Some(value) = sum_of_roots(&squares, 2.0 * (k.log_determinant() + l.log_determinant())) {
            return Ok(Outcome { value: value * scale, way: Way::Eigenvalues, ranks });
        }
    }
    let value = nuclear_norm(&k, &l, interrupt)?;
    Ok(Outcome { value: value * scale, way: Way::SingularValues, ranks })
}

/// `f` of both sides at a time, as much of it is no work that threads could share; of two errors the first is returned.
fn both<T: Send>(dim: usize, f: impl Fn(usize) -> Result<T> + Sync + Send) -> Result<[T; 2]> {
    let serial_below = if dim < SERIAL_BELOW { 3 } else { 2 };
    let found: Vec<T> = pool::map_indexed(2, serial_below, f)?.into_iter().collect::<Result<_>>()?;
    found.try_into().map_err(|_| Error::Backend("a side of two was lost".to_owned()))
}

/// Sum of the singular values of K^T L.
fn nuclear_norm(k: &Factor, l: &Factor, interrupt: &Interrupt) -> Result<f64> {
    if k.rank() == 0 || l.rank() == 0 {
        return Ok(0.0);
    }
    Ok(num::sum(&linalg::product_singular_values(k, l, interrupt)?))
}

/// Sum of the roots of computed eigenvalues, or nothing if their product shows that they are not accurate enough.
///
/// Absolute errors alike of all eigenvalues x, of independent signs, shift the sum of ln x by e (sum x^-2)^(1/2) and the
/// sum of roots by e (sum x^-1)^(1/2) / 2. The first of these is measured, against `log_product`; it tells e as long as
/// e is below the least eigenvalue, that is while the shift is small.
fn sum_of_roots(squares: &[f64], log_product: f64) -> Option<f64> {
    let least = *squares.first()?;
    if least <= 0.0 {
        return None;
    }
    let of = |f: &dyn Fn(f64) -> f64| num::sum(&squares.iter().map(|&x| f(x)).collect::<Vec<_>>());
    let shift = of(&f64::ln) - log_product;
    if shift.abs() > NOISE {
        return None;
    }
    let share = (of(&|x| least / x) / of(&|x| (least / x).powi(2))).sqrt();
    let sum = of(&f64::sqrt);
    (0.5 * shift.abs() * least.sqrt() * share <= ACCURACY * sum).then_some(sum)
}

/// The root A^(1/2) of a positive semi-definite matrix, both triangles.
///
/// From the singular values s and left singular vectors U of a factor A = K K^T, as U diag(s) U^T: the roots of small
/// eigenvalues keep the digits that the eigenvalues themselves have lost.
pub fn sqrtm_psd(a: Matrix<'_>, dim: usize, rounding: f64, interrupt: &Interrupt) -> Result<Vec<f64>> {
    let side = Side::new(a, dim, rounding)?;
    let (factor, _) = side.factor(interrupt)?;
    let mut root = vec![0.0; dim * dim];
    if factor.rank() == 0 {
        return Ok(root);
    }
    let (mut vectors, values) = linalg::singular_vectors(&factor, interrupt)?;
    let roots: Vec<f64> = values.iter().map(|s| (s * side.root_scale()).sqrt()).collect();
    for row in vectors.chunks_exact_mut(roots.len()) {
        row.iter_mut().zip(&roots).for_each(|(x, root)| *x *= root);
    }
    linalg::add_gram(&mut root, &vectors, roots.len(), roots.len(), interrupt)?;
    linalg::mirror(&mut root, dim);
    Ok(root)
}

/// Squared Fréchet distance of two Gaussians; never negative.
pub fn distance(real: &Gaussian, fake: &Gaussian, rounding: f64, interrupt: &Interrupt) -> Result<Outcome> {
    let dim = real.mean.len();
    for side in [real, fake] {
        if let Some(i) = side.mean.iter().position(|x| !x.is_finite()) {
            let got = format!("{} at index {i}", side.mean[i]);
            return Err(Error::domain(side.argument, "have a finite mean", got));
        }
    }
    if fake.mean.len() != dim {
        let expected = format!("a mean of {dim} numbers, as `{}` has,", real.argument);
        return Err(Error::shape(fake.argument, expected, fake.mean.len().to_string()));
    }
    let [a, b] = [real, fake].map(|side| Matrix { argument: side.argument, entries: &side.covariance });
    let outcome = trace_sqrt_product(a, b, dim, rounding, interrupt)?;
    let traces = trace(a.entries, dim) + trace(b.entries, dim);
    let value = assemble(&real.mean, &fake.mean, traces, outcome.value, side::slack(dim, rounding))?;
    Ok(Outcome { value, ..outcome })
}

/// The distance from its parts; below zero it is 0 within `slack` of the traces, and an error beyond.
fn assemble(real: &[f64], fake: &[f64], traces: f64, root: f64, slack: f64) -> Result<f64> {
    let value = num::sum_map2(real, fake, &SquaredDifference) + (traces - 2.0 * root);
    if value.is_nan() || value < -CLIPPED.max(slack) * traces {
        let got = format!("a squared distance of {value:e} for traces of {traces:e}");
        return Err(Error::Convergence { algorithm: "the Fréchet distance", got });
    }
    Ok(value.max(0.0))
}

struct SquaredDifference;

impl Map2<f64, f64> for SquaredDifference {
    #[inline(always)]
    fn map(&self, x: f64, y: f64) -> f64 {
        (x - y) * (x - y)
    }
}

fn trace(entries: &[f64], dim: usize) -> f64 {
    let diagonal: Vec<f64> = entries.iter().step_by(dim + 1).copied().collect();
    num::sum(&diagonal)
}
