//! Products of rows, entry by entry, and the bound of their rounding errors.

/// x.y and |x|.|y| of each row of x with each of y.
pub fn products(x: &[Vec<f64>], y: &[Vec<f64>], depth: usize) -> Vec<Vec<(f64, f64)>> {
    let sum = |a: &[f64], b: &[f64]| {
        let terms = a.iter().zip(b).take(depth).map(|(a, b)| a * b);
        terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()))
    };
    x.iter().map(|a| y.iter().map(|b| sum(a, b)).collect()).collect()
}
