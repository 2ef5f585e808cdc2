//! Mean and covariance in two passes, entry by entry.

pub fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    let n = rows.len() as f64;
    (0..rows[0].len()).map(|j| rows.iter().map(|r| r[j]).sum::<f64>() / n).collect()
}

pub fn covariance(rows: &[Vec<f64>]) -> Vec<f64> {
    let mean = mean(rows);
    let (n, d) = (rows.len() as f64, mean.len());
    let entry = |i: usize, j: usize| {
        rows.iter().map(|r| (r[i] - mean[i]) * (r[j] - mean[j])).sum::<f64>() / (n - 1.0)
    };
    (0..d * d).map(|at| entry(at / d, at % d)).collect()
}
