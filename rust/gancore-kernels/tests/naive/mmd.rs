//! The definition, pair by pair.

use gancore_kernels::mmd::Kernel;

fn value(a: &[f64], b: &[f64], kernel: &Kernel) -> f64 {
    let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    match kernel {
        Kernel::Polynomial { degree, gamma, coef0 } => {
            (gamma * product + coef0).powi(i32::try_from(*degree).unwrap_or(i32::MAX))
        }
        Kernel::Rbf(widths) => widths.iter().map(|s| (-square / (2.0 * s * s)).exp()).sum(),
        Kernel::RationalQuadratic(alphas) => alphas.iter().map(|a| (1.0 + square / (2.0 * a)).powf(-a)).sum(),
    }
}

pub fn mmd2(x: &[Vec<f64>], y: &[Vec<f64>], kernel: &Kernel, unbiased: bool) -> f64 {
    let within = |rows: &[Vec<f64>]| {
        let (mut sum, n) = (0.0, rows.len() as f64);
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                if i != j || !unbiased {
                    sum += value(a, b, kernel);
                }
            }
        }
        sum / if unbiased { n * (n - 1.0) } else { n * n }
    };
    let between: f64 = x.iter().flat_map(|a| y.iter().map(move |b| value(a, b, kernel))).sum();
    within(x) + within(y) - 2.0 * between / (x.len() * y.len()) as f64
}
