//! Roots of symmetric matrices by Jacobi's rotations, and the trace by its definition tr (A^(1/2) B A^(1/2))^(1/2).

type Matrix = Vec<Vec<f64>>;

pub fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let d = a.len();
    let entry = |i: usize, j: usize| (0..d).map(|k| a[i][k] * b[k][j]).sum();
    (0..d).map(|i| (0..d).map(|j| entry(i, j)).collect()).collect()
}

/// Eigenvalues, and eigenvectors as columns.
pub fn eigen(mut a: Matrix) -> (Vec<f64>, Matrix) {
    let d = a.len();
    let mut v: Matrix = (0..d).map(|i| (0..d).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..60 {
        for p in 0..d {
            for q in p + 1..d {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
                let (s, c) = theta.sin_cos();
                for row in a.iter_mut().chain(&mut v) {
                    let (x, y) = (row[p], row[q]);
                    (row[p], row[q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..d {
                    let (x, y) = (a[p][k], a[q][k]);
                    (a[p][k], a[q][k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    ((0..d).map(|i| a[i][i]).collect(), v)
}

pub fn sqrtm(a: &Matrix) -> Matrix {
    let d = a.len();
    let (values, v) = eigen(a.clone());
    let entry = |i: usize, j: usize| (0..d).map(|k| v[i][k] * values[k].max(0.0).sqrt() * v[j][k]).sum();
    (0..d).map(|i| (0..d).map(|j| entry(i, j)).collect()).collect()
}

pub fn trace_sqrt_product(a: &Matrix, b: &Matrix) -> f64 {
    let root = sqrtm(a);
    let inner = product(&product(&root, b), &root);
    eigen(inner).0.into_iter().map(|v| v.max(0.0).sqrt()).sum()
}
