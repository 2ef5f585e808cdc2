//! First stage: from a full to a band matrix, by panels.
//!
//! The QR decomposition of the panel below the band, Q = I - V T V^T (Schreiber and Van Loan 1989), turns the trailing
//! matrix into Q^T A Q = A - V W^T - W V^T with X = A V, S = T^T V^T X T, W = X T - V S / 2 (Dongarra, Sorensen and
//! Hammarling 1989; Bischof, Lang and Sun, *A framework for symmetric band reduction* (2000), section 3.1). All but the
//! panel is products of matrices.
//!
//! The trailing matrix is held in bands of fixed rows: the columns up to the diagonal block, and that block whole. X and
//! the update are computed band by band on the pool; no sum depends on the number of threads.

use faer::linalg::matmul::matmul;
use faer::prelude::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::chase::Band;
use super::panel;
use crate::error::Result;
use crate::pool::{self, Interrupt};

/// Rows of the trailing matrix that one task works on.
const ROWS: usize = 128;

/// A band matrix of the same eigenvalues, from the lower triangle of a row-major matrix, which is destroyed.
pub fn reduce<const B: usize>(a: &mut [f64], n: usize, interrupt: &Interrupt) -> Result<Band<B>> {
    let mut band = Band::zeros(n);
    mirror_diagonal_blocks(a, n);
    // Columns [V W V] of the panel at hand.
    let mut factors = vec![0.0; 3 * B * n];
    let mut product = vec![0.0; B * n];
    let mut start = 0;
    while start < n {
        interrupt.check()?;
        let end = (start + B).min(n);
        for j in start..end {
            for i in j..end {
                band.set(j, i - j, a[i * n + j]);
            }
        }
        let m = n - end;
        if m == 0 {
            break;
        }
        let factors = &mut factors[..3 * B * m];
        for i in 0..m {
            for (k, &entry) in a[(end + i) * n + start..(end + i) * n + end].iter().enumerate() {
                factors[k * m + i] = entry;
            }
        }
        let taus = panel::factor::<B>(&mut factors[..B * m], m);
        for k in 0..B {
            for i in 0..m.min(k + 1) {
                band.set(start + k, B - k + i, factors[k * m + i]);
            }
            for (i, entry) in factors[k * m..(k + 1) * m].iter_mut().take(k + 1).enumerate() {
                *entry = f64::from(u8::from(i == k));
            }
        }
        let product = &mut product[..B * m];
        multiply::<B>(a, n, end, &factors[..B * m], product, interrupt)?;
        second_factor::<B>(factors, product, &taus, m);
        update::<B>(a, n, end, factors, interrupt)?;
        start = end;
    }
    Ok(band)
}

/// Fill the upper halves of the diagonal blocks of the bands.
fn mirror_diagonal_blocks(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in i + 1..n.min((i / ROWS + 1) * ROWS) {
            a[i * n + j] = a[j * n + i];
        }
    }
}

/// X = A V for the trailing matrix that begins at row `end`; X is row-major.
fn multiply<const B: usize>(
    a: &[f64],
    n: usize,
    end: usize,
    v: &[f64],
    product: &mut [f64],
    interrupt: &Interrupt,
) -> Result<()> {
    let a = MatRef::from_row_major_slice(a, n, n);
    let v = MatRef::from_column_major_slice(v, n - end, B);
    // The first band is what is left of a band of the whole matrix.
    let mut bands: Vec<(usize, &mut [f64])> = Vec::with_capacity((n - end).div_ceil(ROWS) + 1);
    let (mut rest, mut first) = (product, end);
    while first < n {
        let last = n.min((first / ROWS + 1) * ROWS);
        let (band, others) = rest.split_at_mut((last - first) * B);
        bands.push((first, band));
        (rest, first) = (others, last);
    }
    pool::for_each_chunk_mut(&mut bands, 1, |_, bands| {
        for (first, out) in bands {
            interrupt.check()?;
            let (first, height) = (*first, out.len() / B);
            let last = first + height;
            let mut out = MatMut::from_row_major_slice_mut(out, height, B);
            let left = a.submatrix(first, end, height, last - end);
            matmul(out.rb_mut(), Accum::Replace, left, v.subrows(0, last - end), 1.0, Par::Seq);
            let below = a.submatrix(last, first, n - last, height);
            matmul(
                out.rb_mut(),
                Accum::Add,
                below.transpose(),
                v.subrows(last - end, n - last),
                1.0,
                Par::Seq,
            );
        }
        Ok(())
    })
}

/// From [V . .] and X = A V make [V W V].
fn second_factor<const B: usize>(factors: &mut [f64], product: &[f64], taus: &[f64; B], m: usize) {
    let x = MatRef::from_row_major_slice(product, m, B);
    let (first, others) = factors.split_at_mut(B * m);
    let (second, third) = others.split_at_mut(B * m);
    third.copy_from_slice(first);
    let v = MatRef::from_column_major_slice(first, m, B);
    let mut gram = Mat::<f64>::zeros(B, B);
    matmul(gram.as_mut(), Accum::Replace, v.transpose(), v, 1.0, Par::Seq);
    // T column by column: T[..k, k] = -tau_k T[..k, ..k] (V^T v_k)[..k].
    let mut t = Mat::<f64>::zeros(B, B);
    for k in 0..B {
        for i in 0..k {
            t[(i, k)] = -taus[k] * (i..k).map(|l| t[(i, l)] * gram[(l, k)]).sum::<f64>();
        }
        t[(k, k)] = taus[k];
    }
    let mut inner = Mat::<f64>::zeros(B, B);
    matmul(inner.as_mut(), Accum::Replace, v.transpose(), x, 1.0, Par::Seq);
    let s = t.transpose() * inner * &t;
    let mut w = MatMut::from_column_major_slice_mut(second, m, B);
    matmul(w.rb_mut(), Accum::Replace, x, t.as_ref(), 1.0, Par::Seq);
    matmul(w, Accum::Add, v, s.as_ref(), -0.5, Par::Seq);
}

/// A <- A - V W^T - W V^T for the trailing matrix that begins at row `end`.
fn update<const B: usize>(
    a: &mut [f64],
    n: usize,
    end: usize,
    factors: &[f64],
    interrupt: &Interrupt,
) -> Result<()> {
    let factors = MatRef::from_column_major_slice(factors, n - end, 3 * B);
    let (left, right) = (factors.subcols(0, 2 * B), factors.subcols(B, 2 * B));
    let skipped = end / ROWS;
    pool::for_each_chunk_mut(&mut a[skipped * ROWS * n..], ROWS * n, |band, rows| {
        interrupt.check()?;
        let (top, bottom) = ((skipped + band) * ROWS, (skipped + band) * ROWS + rows.len() / n);
        let first = top.max(end);
        let target = MatMut::from_row_major_slice_mut(rows, bottom - top, n);
        let target = target.submatrix_mut(first - top, end, bottom - first, bottom - end);
        matmul(
            target,
            Accum::Add,
            left.subrows(first - end, bottom - first),
            right.subrows(0, bottom - end).transpose(),
            -1.0,
            Par::Seq,
        );
        Ok(())
    })
}
