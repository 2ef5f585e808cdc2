//! The pass that checks a pair of rows and sums them.

use super::SUM_TOLERANCE;
use crate::error::{Error, Result};
use crate::num::{Compensated, Real};
use crate::simd::{self, LANES};

/// Terms that are summed before the compensation is told.
const BLOCK: usize = 64 * LANES;

/// Sums of a pair of rows; `excess` is sum q - sum p, summed by difference.
#[derive(Debug, Clone, Copy)]
pub struct Sums {
    pub p: f64,
    pub q: f64,
    pub excess: f64,
}

/// Sums of rows whose masses are all finite, not negative and, unless rescaled, of sum 1.
pub fn survey<T: Real>(p: &[T], q: &[T], row: usize, normalize: bool) -> Result<Sums> {
    let (sums, lowest) = simd::dispatch(Look { p, q });
    let fine =
        |sum: f64| sum > 0.0 && sum < f64::INFINITY && (normalize || (sum - 1.0).abs() <= SUM_TOLERANCE);
    if lowest < 0.0 || !fine(sums.p) || !fine(sums.q) {
        refuse("p", p, sums.p, row, normalize)?;
        refuse("q", q, sums.q, row, normalize)?;
    }
    Ok(sums)
}

struct Look<'a, T> {
    p: &'a [T],
    q: &'a [T],
}

impl<T: Real> simd::Op for Look<'_, T> {
    type Output = (Sums, f64);

    #[inline(always)]
    fn run(self) -> (Sums, f64) {
        let mut totals = [Compensated::default(); 3];
        let mut lowest = [0.0_f64; LANES];
        for (p, q) in self.p.chunks(BLOCK).zip(self.q.chunks(BLOCK)) {
            let mut stripes = [[0.0_f64; LANES]; 3];
            let ((p, p_rest), (q, q_rest)) = (p.as_chunks::<LANES>(), q.as_chunks::<LANES>());
            for (p, q) in p.iter().zip(q) {
                for lane in 0..LANES {
                    take(p[lane], q[lane], lane, &mut stripes, &mut lowest);
                }
            }
            for (lane, (&p, &q)) in p_rest.iter().zip(q_rest).enumerate() {
                take(p, q, lane, &mut stripes, &mut lowest);
            }
            for (total, stripe) in totals.iter_mut().zip(stripes) {
                total.add(fold(stripe));
            }
        }
        let sums = Sums { p: totals[0].value(), q: totals[1].value(), excess: totals[2].value() };
        (sums, lowest.into_iter().fold(0.0, f64::min))
    }
}

#[inline(always)]
fn take<T: Real>(p: T, q: T, lane: usize, stripes: &mut [[f64; LANES]; 3], lowest: &mut [f64; LANES]) {
    let (p, q): (f64, f64) = (p.into(), q.into());
    stripes[0][lane] += p;
    stripes[1][lane] += q;
    stripes[2][lane] += q - p;
    // Comparisons pass over nan, which the sums show.
    let low = if p < q { p } else { q };
    lowest[lane] = if low < lowest[lane] { low } else { lowest[lane] };
    lowest[lane] = if p < lowest[lane] { p } else { lowest[lane] };
}

#[inline(always)]
fn fold(x: [f64; LANES]) -> f64 {
    ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
}

/// Say what is wrong with one argument's row, if anything is.
fn refuse<T: Real>(
    argument: &'static str,
    masses: &[T],
    sum: f64,
    row: usize,
    normalize: bool,
) -> Result<()> {
    let wrong = masses.iter().position(|&m| !(Into::<f64>::into(m) >= 0.0 && m.into() < f64::INFINITY));
    if let Some(at) = wrong {
        return Err(Error::domain(
            argument,
            "have finite masses >= 0 on the last axis",
            format!("{} at row {row}, index {at}", Into::<f64>::into(masses[at])),
        ));
    }
    if sum == 0.0 {
        return Err(Error::domain(argument, "have positive total mass", format!("0 in row {row}")));
    }
    if sum.is_infinite() || sum.is_nan() {
        return Err(Error::domain(
            argument,
            "have a total mass that float64 can hold",
            format!("inf in row {row}"),
        ));
    }
    if !normalize && (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(Error::domain(
            argument,
            "sum to 1 on the last axis (or pass normalize=True)",
            format!("sum {sum} in row {row}"),
        ));
    }
    Ok(())
}
