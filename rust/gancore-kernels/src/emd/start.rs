//! The first tree: a greedy plan of real arcs.
//!
//! Row after row is served by the cheapest columns left, on costs from which each column's least cost is taken off.
//! Each arc exhausts a row or a column, never both (see `masses.rs`), so the n + m - 1 arcs span all nodes. No
//! artificial arc is needed, whose cost would have to exceed all others and would drown them.

use super::flow::Flow;
use super::masses::Masses;
use super::pricing::{Costs, RowLeast};
use super::tree::Arc;
use crate::error::Result;
use crate::num::Real;
use crate::pool::Interrupt;
use crate::simd::{self, Op};

/// A greedy plan; `w` holds minus the columns' potentials by which cheapness is judged, inf for those without mass.
pub fn greedy<T: Real, F: Flow>(
    costs: Costs<'_, T>,
    masses: &Masses<F>,
    rows: &[u32],
    mut w: Vec<f64>,
    interrupt: &Interrupt,
) -> Result<Vec<Arc<F>>> {
    let mut open = masses.b.clone();
    let mut arcs = Vec::with_capacity(costs.n + costs.m);
    for &row in rows {
        interrupt.check()?;
        let mut supply = masses.a[row as usize];
        while supply > F::ZERO {
            let (_, column) = simd::dispatch(RowLeast { row: costs.row(row as usize), w: &w });
            let flow = supply.min(open[column]);
            arcs.push(Arc { row, column: column as u32, flow });
            supply = supply.minus(flow);
            open[column] = open[column].minus(flow);
            if open[column] == F::ZERO {
                w[column] = f64::INFINITY;
            }
        }
    }
    Ok(arcs)
}

/// Minus the least cost of each column among the rows that have mass.
pub fn column_reduction<T: Real>(
    costs: Costs<'_, T>,
    rows: &[u32],
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    let mut w = vec![f64::NEG_INFINITY; costs.m];
    for &row in rows {
        interrupt.check()?;
        simd::dispatch(Lower { row: costs.row(row as usize), u: 0.0, w: &mut w });
    }
    Ok(w)
}

/// Raise w_j to u - c_j where it is below.
pub struct Lower<'a, T> {
    pub row: &'a [T],
    pub u: f64,
    pub w: &'a mut [f64],
}

impl<T: Real> Op for Lower<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (w, &c) in self.w.iter_mut().zip(self.row) {
            let x = self.u - c.into();
            *w = if x > *w { x } else { *w };
        }
    }
}
