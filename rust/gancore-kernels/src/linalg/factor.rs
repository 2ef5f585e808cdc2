//! Factors of positive semi-definite matrices: Cholesky's algorithm, plain and with diagonal pivoting.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::{llt, llt_pivoting};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::prelude::{IntoConst, default};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::{multiply, multiply_lower};
use crate::error::Result;
use crate::pool::{self, Interrupt};

/// Columns that are eliminated together, and rows that one task works on.
const BLOCK: usize = 128;

/// A factor L of a positive semi-definite matrix A = L L^T.
#[derive(Debug, Clone)]
pub struct Factor {
    rows: Vec<f64>,
    dim: usize,
    rank: usize,
    triangular: bool,
}

impl Factor {
    /// A factor from its rows, `dim` of them.
    pub fn from_rows(rows: Vec<f64>, dim: usize) -> Self {
        let rank = rows.len() / dim.max(1);
        Self { rows, dim, rank, triangular: false }
    }

    /// How many rows L has: the order of A.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many columns L has.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Whether L is lower triangular, so that column k begins in row k.
    pub fn is_triangular(&self) -> bool {
        self.triangular
    }

    /// ln det L, for a triangular L.
    pub fn log_determinant(&self) -> f64 {
        self.rows.iter().step_by(self.dim + 1).map(|x| x.ln()).sum()
    }

    pub(super) fn view(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.rows, self.dim, self.rank)
    }
}

/// Cholesky's factor of a symmetric matrix A, or nothing where A, scaled to a diagonal of ones, has an eigenvalue below
/// `least`: rounding may have made some pivot. The eigenvalue is estimated by inverse iteration with the factor, which
/// sees what the ratio of the pivots does not.
pub fn cholesky(a: &[f64], dim: usize, least: f64, interrupt: &Interrupt) -> Result<Option<Factor>> {
    let mut rows = a.to_vec();
    let roots: Vec<f64> = a.iter().step_by(dim + 1).map(|x| x.sqrt()).collect();
    if !roots.iter().all(|&root| root > 0.0) || !eliminate(&mut rows, dim, interrupt)? {
        return Ok(None);
    }
    for (i, row) in rows.chunks_exact_mut(dim).enumerate() {
        row[i + 1..].fill(0.0);
    }
    let factor = Factor { rows, dim, rank: dim, triangular: true };
    Ok((growth(factor.view(), &roots) * least <= 1.0).then_some(factor))
}

/// Cholesky's algorithm in place, by blocks of columns; false if a pivot is not positive.
fn eliminate(rows: &mut [f64], dim: usize, interrupt: &Interrupt) -> Result<bool> {
    for first in (0..dim).step_by(BLOCK) {
        interrupt.check()?;
        let wide = BLOCK.min(dim - first);
        let (above, below) = rows.split_at_mut((first + wide) * dim);
        let band = MatMut::from_row_major_slice_mut(&mut above[first * dim..], wide, dim);
        let (done, rest) = band.split_at_col_mut(first);
        let (done, mut corner) = (done.into_const(), rest.subcols_mut(0, wide));
        multiply_lower(corner.as_mut(), done, done.transpose(), -1.0);
        let scratch = llt::factor::cholesky_in_place_scratch::<f64>(wide, Par::Seq, default());
        let mut memory = MemBuffer::new(scratch);
        let stack = MemStack::new(&mut memory);
        if llt::factor::cholesky_in_place(corner.as_mut(), default(), Par::Seq, stack, default()).is_err() {
            return Ok(false);
        }
        let corner = corner.into_const();
        pool::for_each_chunk_mut(below, BLOCK * dim, |_, band| {
            let height = band.len() / dim;
            let band = MatMut::from_row_major_slice_mut(band, height, dim);
            let (before, rest) = band.split_at_col_mut(first);
            let mut panel = rest.subcols_mut(0, wide);
            multiply(panel.as_mut(), Accum::Add, before.into_const(), done.transpose(), -1.0);
            solve_lower_triangular_in_place(corner, panel.transpose_mut(), Par::Seq);
            Ok(())
        })?;
    }
    Ok(true)
}

/// Norm of (D^-1 L L^T D^-1)^-1, for a diagonal D of roots, from below: three steps of inverse iteration.
fn growth(l: MatRef<'_, f64>, roots: &[f64]) -> f64 {
    // A few directions that no matrix from practice is orthogonal to, together, since reading L costs most.
    const DIRECTIONS: usize = 4;
    let dim = roots.len();
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let scale = |x: &mut [f64], by: f64| x.iter_mut().zip(roots).for_each(|(x, root)| *x *= by * root);
    let mut x: Vec<f64> =
        (0..DIRECTIONS * dim).map(|at| ((at * (at / dim + 3)) as f64).sin() + 0.1).collect();
    let mut growth = 0.0;
    for _ in 0..3 {
        x.chunks_exact_mut(dim).for_each(|x| scale(x, 1.0 / norm(x)));
        let mut columns = MatMut::from_column_major_slice_mut(&mut x, dim, DIRECTIONS);
        solve_lower_triangular_in_place(l, columns.as_mut(), Par::Seq);
        solve_upper_triangular_in_place(l.transpose(), columns, Par::Seq);
        x.chunks_exact_mut(dim).for_each(|x| scale(x, 1.0));
        // All of them have turned to the largest by now; an overflow comes through the sum as infinity or nan.
        growth = x.chunks_exact(dim).map(norm).sum::<f64>() / DIRECTIONS as f64;
    }
    growth
}

/// A factor found by pivoting, and what it leaves of the matrix.
#[derive(Debug, Clone)]
pub struct Pivoted {
    /// The factor; its rank is the matrix's numerical one.
    pub factor: Factor,
    /// Largest entry of A - L L^T by absolute value. Where A is positive semi-definite this is rounding alone.
    pub remainder: f64,
}

/// Cholesky's factor by diagonal pivoting in blocks (Lucas, LAPACK Working Note 161, 2004) of a symmetric matrix scaled
/// to a diagonal of ones, stopped where no entry of the diagonal that is left reaches `least`, which is at least
/// dim eps; both triangles are given. `None` if an entry of the diagonal is negative.
pub fn pivoted_cholesky(a: &[f64], dim: usize, least: f64, interrupt: &Interrupt) -> Result<Option<Pivoted>> {
    let roots: Vec<f64> = a.iter().step_by(dim + 1).map(|x| x.sqrt()).collect();
    if !roots.iter().any(|&root| root > 0.0) {
        let factor = Factor { rows: Vec::new(), dim, rank: 0, triangular: false };
        return Ok(Some(Pivoted { factor, remainder: largest(a) }));
    }
    let over: Vec<f64> = roots.iter().map(|&root| if root == 0.0 { 0.0 } else { 1.0 / root }).collect();
    let mut lower: Vec<f64> = (0..dim * dim).map(|at| a[at] * over[at / dim] * over[at % dim]).collect();
    let (mut order, mut place) = (vec![0_usize; dim], vec![0_usize; dim]);
    let scratch = llt_pivoting::factor::cholesky_in_place_scratch::<usize, f64>(dim, Par::Seq, default());
    let mut memory = MemBuffer::new(scratch);
    let outcome = llt_pivoting::factor::cholesky_in_place(
        MatMut::from_column_major_slice_mut(&mut lower, dim, dim),
        &mut order,
        &mut place,
        Par::Seq,
        MemStack::new(&mut memory),
        default(),
    );
    let Ok((info, _)) = outcome else { return Ok(None) };
    // Pivots only ever fall, so what comes after one too small is smaller still.
    let rank = (0..info.rank).take_while(|&j| lower[j * dim + j].powi(2) >= least).count();
    let mut rows = vec![0.0; dim * rank];
    for (j, column) in lower.chunks_exact(dim).take(rank).enumerate() {
        for i in j..dim {
            rows[order[i] * rank + j] = column[i] * roots[order[i]];
        }
    }
    let factor = Factor { rows, dim, rank, triangular: false };
    let remainder = remainder(a, &factor, &order[rank..], interrupt)?;
    Ok(Some(Pivoted { factor, remainder }))
}

/// Largest entry of A - L L^T in the rows that were never a pivot; in the others it is zero.
fn remainder(a: &[f64], factor: &Factor, left: &[usize], interrupt: &Interrupt) -> Result<f64> {
    let (dim, count) = (factor.dim, left.len());
    let mut rest: Vec<f64> = left.iter().flat_map(|&i| left.iter().map(move |&j| a[i * dim + j])).collect();
    let l = Mat::from_fn(factor.rank, count, |k, i| factor.rows[left[i] * factor.rank + k]);
    pool::for_each_chunk_mut(&mut rest, BLOCK * count, |band, target| {
        interrupt.check()?;
        let mine = l.subcols(band * BLOCK, target.len() / count).transpose();
        let target = MatMut::from_row_major_slice_mut(target, mine.nrows(), count);
        multiply(target, Accum::Add, mine, l.as_ref(), -1.0);
        Ok(())
    })?;
    Ok(largest(&rest))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| x.abs().max(most))
}

#[cfg(test)]
mod tests {
    use super::super::{add_gram, mirror};
    use super::*;

    fn wave(count: usize) -> Vec<f64> {
        (0..count).map(|at| ((at * at) as f64 * 0.37 + 1.0).sin()).collect()
    }

    fn gram(n: usize, rank: usize) -> Vec<f64> {
        let mut a = vec![0.0; n * n];
        add_gram(&mut a, &wave(rank * n), rank, rank, &Interrupt::new()).unwrap();
        mirror(&mut a, n);
        a
    }

    fn gives_back(factor: &Factor, a: &[f64], n: usize) {
        let l = factor.view();
        for i in 0..n {
            for j in 0..n {
                let entry: f64 = (0..factor.rank()).map(|k| l[(i, k)] * l[(j, k)]).sum();
                assert!((entry - a[i * n + j]).abs() <= 1e-11 * n as f64, "{i} {j}");
            }
        }
    }

    #[test]
    fn pivoting_finds_the_rank_and_gives_the_matrix_back() {
        for (n, rank) in [(1, 1), (5, 2), (40, 7), (300, 150), (300, 300)] {
            let a = gram(n, rank);
            let pivoted = pivoted_cholesky(&a, n, 1e-13, &Interrupt::new()).unwrap().unwrap();
            assert_eq!(pivoted.factor.rank(), rank);
            assert!(pivoted.remainder <= 1e-11, "{}", pivoted.remainder);
            gives_back(&pivoted.factor, &a, n);
        }
    }

    #[test]
    fn blocks_give_the_matrix_back_on_any_threads() {
        for n in [1, 2, 127, 128, 129, 300] {
            let a = gram(n, 3 * n);
            let [one, three] = [1, 3].map(|threads| {
                pool::set_num_threads(threads).unwrap();
                cholesky(&a, n, 1e-13, &Interrupt::new()).unwrap().unwrap()
            });
            assert_eq!(one.rows, three.rows);
            gives_back(&one, &a, n);
        }
    }

    #[test]
    fn what_pivoting_leaves_tells_an_indefinite_matrix() {
        let pivoted = |a: [f64; 4]| pivoted_cholesky(&a, 2, 1e-15, &Interrupt::new()).unwrap().unwrap();
        let indefinite = pivoted([1.0, 2.0, 2.0, 1.0]);
        assert_eq!((indefinite.factor.rank(), indefinite.remainder), (1, 3.0));
        let hollow = pivoted([0.0, 1.0, 1.0, 0.0]);
        assert_eq!((hollow.factor.rank(), hollow.remainder), (0, 1.0));
    }

    #[test]
    fn a_pivot_that_rounding_made_is_not_taken_for_one() {
        // Singular, but the last pivot may come out as a few units of rounding.
        let a = [0.1, 0.3, 0.3, 0.9];
        assert!(cholesky(&a, 2, 1e-14, &Interrupt::new()).unwrap().is_none());
        assert_eq!(pivoted_cholesky(&a, 2, 1e-14, &Interrupt::new()).unwrap().unwrap().factor.rank(), 1);
    }
}
