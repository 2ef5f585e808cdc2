//! Common steps of two quantile functions: the monotone coupling, cell by cell.

use super::exact::{Double, Number, total};

/// Call `step(i, j, width)` for each common step of quantile functions of n and m points, in units of 1/(n m).
///
/// Integers: no level is ever rounded, so equal levels meet and no step of the width of a rounding error appears.
#[inline(always)]
pub(super) fn each_step(n: usize, m: usize, mut step: impl FnMut(usize, usize, f64)) {
    let (mut i, mut j, mut rest_x, mut rest_y) = (0, 0, m, n);
    while i < n && j < m {
        let width = rest_x.min(rest_y);
        step(i, j, width as f64);
        rest_x -= width;
        rest_y -= width;
        if rest_x == 0 {
            i += 1;
            rest_x = m;
        }
        if rest_y == 0 {
            j += 1;
            rest_y = n;
        }
    }
}

/// Call `step(i, j, mass)` for each common step of quantile functions of masses x and y, the latter times `ratio`.
///
/// What is left of the two masses at hand is kept in two doubles, never a cumulative sum of all: steps as narrow as the
/// smallest mass keep their digits, and what rounding leaves of a level, far below a rounding of the masses, is no step.
/// A mass too small to be felt in the others goes with the last atom of the other side. Only where masses are zero are
/// steps empty.
#[inline(always)]
pub(super) fn each_mass<N: Number>(masses: &Masses<N>, step: impl FnMut(usize, usize, f64)) {
    let excess = masses.ratio() - Double::from(1.0);
    if excess == Double::default() {
        staircase(masses, Double::from, step);
    } else if excess.high.abs() < 1e-12 {
        // Totals that differ by rounding, the usual case: what the excess lacks of two doubles is not felt.
        staircase(masses, |mass| Double::sum_of(mass, mass * excess.high), step);
    } else {
        let ratio = masses.ratio();
        staircase(masses, |mass| ratio * mass, step);
    }
}

/// Masses of two samples, neither of them empty, and their totals.
pub(super) struct Masses<N> {
    pub x: N,
    pub y: N,
    pub n: usize,
    pub m: usize,
    pub total_x: Double,
    pub total_y: Double,
}

impl<'a, V> Masses<&'a [V]>
where
    &'a [V]: Number,
{
    pub fn new(x: &'a [V], y: &'a [V]) -> Self {
        let (n, m) = (x.len(), y.len());
        Self { x, y, n, m, total_x: total(n, x), total_y: total(m, y) }
    }
}

impl<N> Masses<N> {
    /// What turns masses of y into the unit of those of x.
    pub fn ratio(&self) -> Double {
        if self.total_x == self.total_y { Double::from(1.0) } else { self.total_x.over(self.total_y) }
    }
}

#[inline(always)]
fn staircase<N: Number>(
    masses: &Masses<N>,
    scaled: impl Fn(f64) -> Double,
    mut step: impl FnMut(usize, usize, f64),
) {
    let &Masses { ref x, ref y, n, m, .. } = masses;
    if n == 0 || m == 0 {
        return;
    }
    // One rounding of two doubles for each step taken.
    let slack = (n + m) as f64 * 4.930_380_657_631_324e-32;
    let (mut i, mut j) = (0, 0);
    let (mut rest_x, mut rest_y) = (Double::from(x.at(0)), scaled(y.at(0)));
    let mut atom_y = rest_y.high;
    loop {
        let mut ahead = rest_x.minus_roughly(rest_y);
        // Where much cancelled the parts are put in order, and what may be rounding is taken for a tie.
        let mut tie = false;
        if ahead.cancelled(rest_x.high.max(rest_y.high)) {
            ahead = ahead.in_order();
            tie = ahead.high.abs() <= slack * x.at(i).max(atom_y);
        }
        if tie {
            step(i, j, rest_x.value());
            (i, j) = (i + 1, j + 1);
            if i == n || j == m {
                break;
            }
            (rest_x, rest_y) = (Double::from(x.at(i)), scaled(y.at(j)));
            atom_y = rest_y.high;
        } else if ahead.high > 0.0 {
            step(i, j, rest_y.value());
            j += 1;
            if j == m {
                i += 1;
                break;
            }
            (rest_x, rest_y) = (ahead, scaled(y.at(j)));
            atom_y = rest_y.high;
        } else {
            step(i, j, rest_x.value());
            i += 1;
            if i == n {
                j += 1;
                break;
            }
            (rest_x, rest_y) = (Double::from(x.at(i)), -ahead);
        }
    }
    for i in i..n {
        step(i, m - 1, x.at(i));
    }
    for j in j..m {
        step(n - 1, j, scaled(y.at(j)).high);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_tile_the_levels() {
        for (n, m) in [(1, 1), (2, 3), (4, 6), (5, 5), (1, 7)] {
            let (mut sum, mut count) = (0.0, 0);
            each_step(n, m, |i, j, width| {
                assert!(i < n && j < m && width > 0.0);
                sum += width;
                count += 1;
            });
            assert_eq!(sum, (n * m) as f64);
            assert!(count < n + m);
        }
    }

    fn steps(x: &[f64], y: &[f64]) -> Vec<(usize, usize, f64)> {
        let mut steps = Vec::new();
        each_mass(&Masses::new(x, y), |i, j, mass| {
            if mass > 0.0 {
                steps.push((i, j, mass));
            }
        });
        steps
    }

    #[test]
    fn levels_that_are_equal_in_theory_meet() {
        let (thirds, ninths) = (vec![1.0 / 3.0; 3], vec![1.0 / 9.0; 9]);
        assert_eq!(steps(&thirds, &ninths).len(), 9);
        let (tenths, sevenths) = (vec![0.1; 1000], vec![1.0 / 7.0; 700]);
        assert_eq!(steps(&tenths, &sevenths).len(), 1600);
    }

    #[test]
    fn masses_that_no_sum_could_hold_are_matched() {
        assert_eq!(steps(&[1.0, 1e-300], &[1.0]), [(0, 0, 1.0), (1, 0, 1e-300)]);
        assert_eq!(steps(&[1e-300, 1.0], &[1.0]), [(0, 0, 1e-300), (1, 0, 1.0)]);
        assert_eq!(steps(&[1.0, 1e-300], &[1.0, 1e-300]), [(0, 0, 1.0), (1, 1, 1e-300)]);
        assert_eq!(steps(&[0.5, 1e-40, 0.5], &[0.5, 0.5]), [(0, 0, 0.5), (1, 1, 1e-40), (2, 1, 0.5)]);
    }
}
