//! Variance of the unbiased estimate, from sums over distinct indices; the formulas are on top of `mmd.rs`.

use super::problem::{Sums, Within, total};

/// Unbiased estimates of products of means of the kernel within one sample.
struct Moments {
    /// E k(x, x')^2
    square: f64,
    /// E k(x, x') k(x, x'')
    shared: f64,
    /// (E k(x, x'))^2
    apart: f64,
}

impl Moments {
    fn of(within: &Within) -> Self {
        let n = within.rows.len() as f64;
        let (sum, squares) = (total(&within.rows), dot(&within.rows, &within.rows));
        let pairs = n * (n - 1.0);
        Self {
            square: within.squares / pairs,
            shared: (squares - within.squares) / (pairs * (n - 2.0)),
            apart: (sum * sum - 4.0 * squares + 2.0 * within.squares) / (pairs * (n - 2.0) * (n - 3.0)),
        }
    }

    /// E of the square of the doubly centred kernel.
    fn second_order(&self) -> f64 {
        (self.square - 2.0 * self.shared + self.apart).max(0.0)
    }
}

/// The variance, at least 0; nan where a sample has fewer than 4 members.
///
/// The parts are not negative in truth; an estimate that is, as it may be by chance where it is next to nothing, counts
/// as 0.
pub fn of_unbiased(sums: &Sums) -> f64 {
    let (n, m) = (sums.x_rows.len() as f64, sums.y_rows.len() as f64);
    if n < 4.0 || m < 4.0 {
        return f64::NAN;
    }
    let (x, y) = (Moments::of(&sums.x), Moments::of(&sums.y));
    let sum = total(&sums.x_rows);
    let by_x = dot(&sums.x_rows, &sums.x_rows);
    let by_y = dot(&sums.y_rows, &sums.y_rows);
    let square = sums.squares / (n * m);
    let shared_x = (by_x - sums.squares) / (n * m * (m - 1.0));
    let shared_y = (by_y - sums.squares) / (n * m * (n - 1.0));
    let apart = (sum * sum - by_x - by_y + sums.squares) / (n * m * (n - 1.0) * (m - 1.0));
    let first = |within: &Within, cross: &[f64], moments: &Moments, shared: f64, n: f64, m: f64| {
        let mixed = dot(&within.rows, cross);
        let together = mixed / (n * (n - 1.0) * m);
        let separate = (total(&within.rows) * sum - 2.0 * mixed) / (n * (n - 1.0) * (n - 2.0) * m);
        let variance = (moments.shared - moments.apart) - 2.0 * (together - separate) + (shared - apart);
        variance.max(0.0)
    };
    4.0 / n * first(&sums.x, &sums.x_rows, &x, shared_x, n, m)
        + 4.0 / m * first(&sums.y, &sums.y_rows, &y, shared_y, m, n)
        + 2.0 / (n * (n - 1.0)) * x.second_order()
        + 2.0 / (m * (m - 1.0)) * y.second_order()
        + 4.0 / (n * m) * (square - shared_x - shared_y + apart).max(0.0)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = crate::num::Compensated::default();
    for (a, b) in a.iter().zip(b) {
        sum.add(a * b);
    }
    sum.value()
}
