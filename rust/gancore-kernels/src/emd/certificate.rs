//! The certificate: feasible duals in one pass over the costs, and the gap between plan and duals.

use super::pricing::{Costs, RowLeast};
use super::start::Lower;
use crate::error::Result;
use crate::num::{Compensated, Real};
use crate::pool::Interrupt;
use crate::simd;

/// Duals u_i + v_j <= c_ij.
pub struct Duals {
    pub a: Vec<f64>,
    pub b: Vec<f64>,
}

/// Feasible duals from the potentials w = -v of the columns that have mass.
///
/// u_i = min_j c_ij - v_j over these columns; then v_j = min_i c_ij - u_i for columns without mass, and at last
/// u_i = min_j c_ij - v_j over all columns for rows without: the rates at which the cost grows with a mass there.
pub fn duals<T: Real>(
    costs: Costs<'_, T>,
    a: &[f64],
    b: &[f64],
    mut w: Vec<f64>,
    interrupt: &Interrupt,
) -> Result<Duals> {
    let mut u = vec![f64::NAN; costs.n];
    let least = |i: usize, w: &[f64]| simd::dispatch(RowLeast { row: costs.row(i), w }).0;
    for i in (0..costs.n).filter(|&i| a[i] > 0.0) {
        interrupt.check()?;
        u[i] = least(i, &w);
    }
    if b.contains(&0.0) {
        let mut lowered = vec![f64::NEG_INFINITY; costs.m];
        for i in (0..costs.n).filter(|&i| a[i] > 0.0) {
            interrupt.check()?;
            simd::dispatch(Lower { row: costs.row(i), u: u[i], w: &mut lowered });
        }
        for j in (0..costs.m).filter(|&j| b[j] == 0.0) {
            w[j] = lowered[j];
        }
    }
    for i in (0..costs.n).filter(|&i| a[i] == 0.0) {
        interrupt.check()?;
        u[i] = least(i, &w);
    }
    Ok(Duals { a: u, b: w.into_iter().map(|w| -w).collect() })
}

/// An entry of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub row: u32,
    pub column: u32,
    pub mass: f64,
}

/// The constant to move from rows to columns so that each side carries half of the cost, a.u = b.v: found from the
/// entries of the plan, each of which has u_i = c_ij + w_j. It is a multiple of the rounding of the largest numbers
/// here: a finer one would only blur the duals.
pub fn imbalance<T: Real>(costs: Costs<'_, T>, entries: &[Entry], w: &[f64]) -> f64 {
    let (mut excess, mut total) = (Compensated::default(), Compensated::default());
    let mut largest = 0.0_f64;
    for &Entry { row, column, mass } in entries {
        let (c, w) = (costs.at(row as usize, column as usize), w[column as usize]);
        largest = largest.max(c.abs()).max(w.abs());
        excess.add(mass * (c + 2.0 * w));
        total.add(2.0 * mass);
    }
    let grain = f64::EPSILON * largest;
    if grain == 0.0 { 0.0 } else { (excess.value() / total.value() / grain).round() * grain }
}

/// Cost of a plan, and its gap: cost minus a.u + b.v, as the sum of mass times slack, in which nothing cancels.
pub fn primal_and_gap<T: Real>(costs: Costs<'_, T>, entries: &[Entry], duals: &Duals) -> (f64, f64) {
    let (mut cost, mut gap) = (Compensated::default(), Compensated::default());
    for &Entry { row, column, mass } in entries {
        let (row, column) = (row as usize, column as usize);
        let c = costs.at(row, column);
        cost.add(mass * c);
        gap.add(mass * ((c - duals.b[column]) - duals.a[row]));
    }
    (cost.value(), gap.value())
}
