//! Dense products of blocks of rows, on the calling thread.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// out = A B^T for row-major A and B whose rows have `d` numbers; `out` has a row for each row of A.
pub fn rows_by_rows(out: &mut [f64], a: &[f64], b: &[f64], d: usize) {
    let (m, n) = (a.len() / d.max(1), b.len() / d.max(1));
    matmul(
        MatMut::from_row_major_slice_mut(out, m, n),
        Accum::Replace,
        MatRef::from_row_major_slice(a, m, d),
        MatRef::from_row_major_slice(b, n, d).transpose(),
        1.0,
        Par::Seq,
    );
}
