//! Products with factors, and their singular values.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{self, ComputeSvdVectors};
use faer::prelude::{ReborrowMut, default};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::{BAND, Factor, multiply};
use crate::error::{Error, Result};
use crate::pool::{self, Interrupt};

/// Columns of a product with a triangular matrix that are computed together, with no regard to its zeros.
const COLUMNS: usize = 256;

/// The lower triangle of L^T B L for a triangular L and a symmetric B of the same order, in n^3 operations.
///
/// With B = H + H^T for H lower triangular, T = H L is lower triangular too, and L^T B L = L^T T + T^T L: no product is
/// of full matrices.
pub fn congruence(factor: &Factor, b: &[f64], interrupt: &Interrupt) -> Result<Vec<f64>> {
    let n = factor.dim();
    let l = factor.view();
    let mut half = vec![0.0; n * n];
    pool::for_each_chunk_mut(&mut half, BAND * n, |band, target| {
        for (i, row) in (band * BAND..).zip(target.chunks_exact_mut(n)) {
            row[..i].copy_from_slice(&b[i * n..i * n + i]);
            row[i] = 0.5 * b[i * n + i];
        }
        Ok(())
    })?;
    let h = MatRef::from_row_major_slice(&half, n, n);
    let mut product = vec![0.0; n * n];
    pool::for_each_chunk_mut(&mut product, BAND * n, |band, target| {
        interrupt.check()?;
        let (first, height) = (band * BAND, target.len() / n);
        let mut target = MatMut::from_row_major_slice_mut(target, height, n);
        let end = first + height;
        for left in (0..end).step_by(COLUMNS) {
            let wide = COLUMNS.min(end - left);
            let (a, b) =
                (h.submatrix(first, left, height, end - left), l.submatrix(left, left, end - left, wide));
            multiply(target.rb_mut().subcols_mut(left, wide), Accum::Replace, a, b, 1.0);
        }
        Ok(())
    })?;
    let t = MatRef::from_row_major_slice(&product, n, n);
    let mut congruent = vec![0.0; n * n];
    pool::for_each_chunk_mut(&mut congruent, BAND * n, |band, target| {
        interrupt.check()?;
        let (first, height) = (band * BAND, target.len() / n);
        let target = MatMut::from_row_major_slice_mut(target, height, n);
        let mut target = target.subcols_mut(0, first + height);
        for (how, one, two) in [(Accum::Replace, l, t), (Accum::Add, t, l)] {
            let a = one.submatrix(first, first, n - first, height).transpose();
            let b = two.submatrix(first, 0, n - first, first + height);
            multiply(target.rb_mut(), how, a, b, 1.0);
        }
        Ok(())
    })?;
    Ok(congruent)
}

/// Singular values of K^T L for two factors of one order, in descending order.
pub fn product_singular_values(one: &Factor, two: &Factor, interrupt: &Interrupt) -> Result<Vec<f64>> {
    let (dim, rows, columns) = (one.dim(), one.rank(), two.rank());
    let mut product = vec![0.0; rows * columns];
    pool::for_each_chunk_mut(&mut product, BAND * columns.max(1), |band, target| {
        interrupt.check()?;
        let (first, height) = (band * BAND, target.len() / columns);
        let above = if one.is_triangular() { first } else { 0 };
        let a = one.view().submatrix(above, first, dim - above, height).transpose();
        let b = two.view().subrows(above, dim - above);
        multiply(MatMut::from_row_major_slice_mut(target, height, columns), Accum::Replace, a, b, 1.0);
        Ok(())
    })?;
    interrupt.check()?;
    let mut values = Diag::<f64>::zeros(rows.min(columns));
    let no = ComputeSvdVectors::No;
    let mut memory = MemBuffer::new(svd::svd_scratch::<f64>(rows, columns, no, no, Par::Seq, default()));
    let stack = MemStack::new(&mut memory);
    let product = MatRef::from_row_major_slice(&product, rows, columns);
    svd::svd(product, values.as_mut(), None, None, Par::Seq, stack, default())
        .map_err(|_| no_convergence("the singular value iteration", rows.min(columns)))?;
    Ok(values.column_vector().iter().copied().collect())
}

/// Left singular vectors, as columns of a row-major matrix, and singular values of a factor.
pub fn singular_vectors(factor: &Factor, interrupt: &Interrupt) -> Result<(Vec<f64>, Vec<f64>)> {
    interrupt.check()?;
    let (dim, rank) = (factor.dim(), factor.rank());
    let mut values = Diag::<f64>::zeros(rank);
    let mut vectors = Mat::<f64>::zeros(dim, rank);
    let (thin, no) = (ComputeSvdVectors::Thin, ComputeSvdVectors::No);
    let mut memory = MemBuffer::new(svd::svd_scratch::<f64>(dim, rank, thin, no, Par::Seq, default()));
    let stack = MemStack::new(&mut memory);
    svd::svd(factor.view(), values.as_mut(), Some(vectors.as_mut()), None, Par::Seq, stack, default())
        .map_err(|_| no_convergence("the singular value iteration", rank))?;
    let rows = (0..dim).flat_map(|i| vectors.row(i).iter().copied().collect::<Vec<_>>()).collect();
    Ok((rows, values.column_vector().iter().copied().collect()))
}

fn no_convergence(algorithm: &'static str, order: usize) -> Error {
    Error::Convergence { algorithm, got: format!("order {order}") }
}

#[cfg(test)]
mod tests {
    use super::super::{cholesky, eigenvalues};
    use super::*;

    /// The second difference: eigenvalues 2 - 2 cos(k pi / (n + 1)), k = 1, ..., n.
    fn second_difference(n: usize) -> (Vec<f64>, Vec<f64>) {
        let entry = |at: usize| match (at / n).abs_diff(at % n) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let value = |k: usize| 2.0 - 2.0 * (k as f64 * std::f64::consts::PI / (n + 1) as f64).cos();
        ((0..n * n).map(entry).collect(), (1..=n).map(value).collect())
    }

    fn close(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (x, y) in got.iter().zip(expected) {
            assert!((x - y).abs() <= 1e-13, "{x} {y}");
        }
    }

    #[test]
    fn eigenvalues_and_singular_values_are_the_known_ones() {
        let never = Interrupt::new();
        for n in [1, 2, 3, 17, 64, 200, 300] {
            let (a, exact) = second_difference(n);
            let identity: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at % (n + 1) == 0))).collect();
            let one = cholesky(&identity, n, 0.0, &never).unwrap().unwrap();
            let mut same = congruence(&one, &a, &never).unwrap();
            close(&eigenvalues(&mut same, n, &never).unwrap(), &exact);
            let factor = cholesky(&a, n, 0.0, &never).unwrap().unwrap();
            let mut squared = congruence(&factor, &a, &never).unwrap();
            let squares: Vec<f64> = exact.iter().map(|x| x * x).collect();
            close(&eigenvalues(&mut squared, n, &never).unwrap(), &squares);
            let roots: Vec<f64> = exact.iter().rev().map(|x| x.sqrt()).collect();
            close(&product_singular_values(&factor, &one, &never).unwrap(), &roots);
            close(&product_singular_values(&one, &factor, &never).unwrap(), &roots);
            close(&singular_vectors(&factor, &never).unwrap().1, &roots);
        }
    }
}
