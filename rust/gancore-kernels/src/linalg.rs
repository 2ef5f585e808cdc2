//! Dense symmetric linear algebra: the one file that knows faer.
//!
//! Matrices are square, row-major slices; of symmetric ones the lower triangle is read. faer runs on the calling thread
//! (its own threads wait by spinning); what is parallel here is so by bands of fixed rows through [`pool`], and gives
//! the same bits for any number of threads. faer chooses its instruction set itself, so another machine may round
//! differently.

pub mod tiles;

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::{cholesky, evd, svd};
use faer::prelude::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::error::{Error, Result};
use crate::pool::{self, Interrupt};

/// Rows of a symmetric product that one task computes.
const BAND: usize = 128;

/// Add X^T X to the lower triangle of a d x d matrix, for X of `rows` rows and d columns.
pub fn add_gram(scatter: &mut [f64], block: &[f64], d: usize, interrupt: &Interrupt) -> Result<()> {
    let x = MatRef::from_row_major_slice(block, block.len() / d.max(1), d);
    pool::for_each_chunk_mut(scatter, BAND * d, |band, target| {
        interrupt.check()?;
        let (first, height) = (band * BAND, target.len() / d);
        let mut target = MatMut::from_row_major_slice_mut(target, height, d);
        let columns = x.subcols(first, height);
        matmul(
            target.rb_mut().subcols_mut(0, first),
            BlockStructure::Rectangular,
            Accum::Add,
            columns.transpose(),
            BlockStructure::Rectangular,
            x.subcols(0, first),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        matmul(
            target.subcols_mut(first, height),
            BlockStructure::TriangularLower,
            Accum::Add,
            columns.transpose(),
            BlockStructure::Rectangular,
            columns,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        Ok(())
    })
}

/// A factor C of d rows with C C^T = A, from Cholesky's algorithm.
#[derive(Debug, Clone)]
pub struct Factor {
    columns: Mat<f64>,
    /// Smallest pivot over largest: how far A is from singular, roughly the inverse of its condition number.
    pub pivot_ratio: f64,
}

impl Factor {
    /// How many columns the factor has: the numerical rank of A.
    pub fn rank(&self) -> usize {
        self.columns.ncols()
    }
}

/// The lower triangular factor of A, or None if A is not positive definite beyond rounding.
pub fn cholesky(a: &[f64], d: usize) -> Option<Factor> {
    let mut columns = MatRef::from_row_major_slice(a, d, d).to_owned();
    let scratch = cholesky::llt::factor::cholesky_in_place_scratch::<f64>(d, Par::Seq, faer::Spec::default());
    cholesky::llt::factor::cholesky_in_place(
        columns.as_mut(),
        cholesky::llt::factor::LltRegularization::default(),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        faer::Spec::default(),
    )
    .ok()?;
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for i in 0..d {
        let pivot = columns[(i, i)] * columns[(i, i)];
        (low, high) = (low.min(pivot), high.max(pivot));
        for j in i + 1..d {
            columns[(i, j)] = 0.0;
        }
    }
    Some(Factor { columns, pivot_ratio: low / high })
}

/// A factor with as many columns as the numerical rank of A, by Cholesky's algorithm with diagonal pivoting.
///
/// A pivot below d eps max diag A ends it (Higham, *Accuracy and Stability of Numerical Algorithms* (2002), section
/// 10.3.2). What is left of A then must be rounding, or A is not positive semi-definite.
pub fn pivoted_cholesky(argument: &'static str, a: &[f64], d: usize) -> Result<Factor> {
    let largest = (0..d).map(|i| a[i * d + i]).fold(0.0, f64::max);
    let tolerance = d as f64 * f64::EPSILON * largest;
    // The remainder after k steps, on and below the diagonal; rows are permuted only in the mind.
    let mut remainder: Vec<f64> = (0..d).map(|i| a[i * d + i]).collect();
    let mut columns = Mat::<f64>::zeros(d, d);
    let mut done = vec![false; d];
    let (mut rank, mut lowest_pivot) = (0, largest);
    while rank < d {
        let (mut pivot_at, mut pivot) = (0, f64::NEG_INFINITY);
        for i in 0..d {
            if !done[i] && remainder[i] > pivot {
                (pivot_at, pivot) = (i, remainder[i]);
            }
        }
        if pivot <= tolerance {
            break;
        }
        lowest_pivot = lowest_pivot.min(pivot);
        let root = pivot.sqrt();
        let mut column: Vec<f64> =
            (0..d).map(|i| if i >= pivot_at { a[i * d + pivot_at] } else { a[pivot_at * d + i] }).collect();
        for k in 0..rank {
            let weight = columns[(pivot_at, k)];
            if weight != 0.0 {
                for (value, factor) in column.iter_mut().zip(columns.col(k).iter()) {
                    *value -= weight * factor;
                }
            }
        }
        for i in 0..d {
            let value = if done[i] { 0.0 } else { column[i] / root };
            columns[(i, rank)] = value;
            remainder[i] -= value * value;
        }
        columns[(pivot_at, rank)] = root;
        done[pivot_at] = true;
        rank += 1;
    }
    let columns = columns.subcols(0, rank).to_owned();
    check_remainder(argument, a, d, &columns, 10.0 * tolerance)?;
    Ok(Factor { columns, pivot_ratio: lowest_pivot / largest })
}

/// Refuse A if A - C C^T has an entry beyond rounding.
fn check_remainder(
    argument: &'static str,
    a: &[f64],
    d: usize,
    columns: &Mat<f64>,
    tolerance: f64,
) -> Result<()> {
    let mut remainder = MatRef::from_row_major_slice(a, d, d).to_owned();
    matmul(
        remainder.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Add,
        columns,
        BlockStructure::Rectangular,
        columns.transpose(),
        BlockStructure::Rectangular,
        -1.0,
        Par::Seq,
    );
    for i in 0..d {
        for j in 0..=i {
            if remainder[(i, j)].abs() > tolerance {
                return Err(Error::NotPositiveDefinite {
                    argument,
                    got: format!(
                        "a remainder of {:e} at ({i}, {j}) after {} pivots",
                        remainder[(i, j)],
                        columns.ncols()
                    ),
                });
            }
        }
    }
    Ok(())
}

/// Eigenvalues of L^T B L for a factor L and a symmetric B, in ascending order.
pub fn eigenvalues_of_congruence(factor: &Factor, b: &[f64], d: usize) -> Result<Vec<f64>> {
    let b = MatRef::from_row_major_slice(b, d, d);
    let full = Mat::from_fn(d, d, |i, j| if i >= j { b[(i, j)] } else { b[(j, i)] });
    let (lower, rank) = (&factor.columns, factor.rank());
    let structure = if rank == d { BlockStructure::TriangularLower } else { BlockStructure::Rectangular };
    let mut product = Mat::<f64>::zeros(d, rank);
    matmul(
        product.as_mut(),
        BlockStructure::Rectangular,
        Accum::Replace,
        full.as_ref(),
        BlockStructure::Rectangular,
        lower.as_ref(),
        structure,
        1.0,
        Par::Seq,
    );
    let mut congruence = Mat::<f64>::zeros(rank, rank);
    matmul(
        congruence.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        lower.transpose(),
        if rank == d { BlockStructure::TriangularUpper } else { BlockStructure::Rectangular },
        product.as_ref(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    let mut values = Diag::<f64>::zeros(rank);
    let scratch = evd::self_adjoint_evd_scratch::<f64>(
        rank,
        evd::ComputeEigenvectors::No,
        Par::Seq,
        faer::Spec::default(),
    );
    evd::self_adjoint_evd(
        congruence.as_ref(),
        values.as_mut(),
        None,
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        faer::Spec::default(),
    )
    .map_err(|_| Error::Convergence {
        algorithm: "the eigenvalue iteration",
        got: format!("order {rank}"),
    })?;
    Ok(values.column_vector().iter().copied().collect())
}

/// Singular values of C^T D for two factors, in descending order.
pub fn singular_values_of_product(left: &Factor, right: &Factor) -> Result<Vec<f64>> {
    let (m, n) = (left.rank(), right.rank());
    let mut product = Mat::<f64>::zeros(m, n);
    matmul(
        product.as_mut(),
        BlockStructure::Rectangular,
        Accum::Replace,
        left.columns.transpose(),
        BlockStructure::Rectangular,
        right.columns.as_ref(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    let mut values = Diag::<f64>::zeros(m.min(n));
    let none = svd::ComputeSvdVectors::No;
    let scratch = svd::svd_scratch::<f64>(m, n, none, none, Par::Seq, faer::Spec::default());
    svd::svd(
        product.as_ref(),
        values.as_mut(),
        None,
        None,
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        faer::Spec::default(),
    )
    .map_err(|_| Error::Convergence {
        algorithm: "the singular value iteration",
        got: format!("order {m} x {n}"),
    })?;
    Ok(values.column_vector().iter().copied().collect())
}
