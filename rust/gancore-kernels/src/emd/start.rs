//! The first tree: a greedy plan of real arcs.
//!
//! Row after row is served by the cheapest columns left, on costs from which each column's least cost is taken off. Two
//! orders of the rows are tried, the given one and that of falling regret (what a row pays if it misses its cheapest
//! column, as Vogel's rule asks: Reinfeld and Vogel 1958), and the cheaper plan is taken: ordered points and costs like
//! i j can make the one the worst plan of all where the other is the best.
//! Each arc exhausts a row or a column, never both (see `masses.rs`), so the n + m - 1 arcs span all nodes. No
//! artificial arc is needed, whose cost would have to exceed all others and would drown them.

use super::flow::Flow;
use super::masses::Masses;
use super::pricing::{Costs, RowLeast, RowTwoLeast};
use super::tree::Arc;
use crate::error::Result;
use crate::num::{Compensated, Real};
use crate::pool::Interrupt;
use crate::simd::{self, Op};

/// How many columns a row must serve on average for sorting them to be less work than a search for each.
const LONG: usize = 64;

/// The cheaper of two greedy plans; `w` holds minus the columns' potentials by which cheapness is judged, inf for those
/// without mass.
pub fn greedy<T: Real, F: Flow>(
    costs: Costs<'_, T>,
    masses: &Masses<F>,
    rows: &[u32],
    w: Vec<f64>,
    interrupt: &Interrupt,
) -> Result<Vec<Arc<F>>> {
    let given = in_order(costs, masses, rows, w.clone(), interrupt)?;
    if costs.m > LONG * costs.n {
        return Ok(given);
    }
    let regrets: Vec<f64> = rows
        .iter()
        .map(|&i| simd::dispatch(RowTwoLeast { row: costs.row(i as usize), w: &w }))
        .map(|(least, next, _)| if next < f64::INFINITY { next - least } else { 0.0 })
        .collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&i, &k| regrets[k].total_cmp(&regrets[i]));
    let rows: Vec<u32> = order.into_iter().map(|i| rows[i]).collect();
    let by_regret = in_order(costs, masses, &rows, w, interrupt)?;
    let price = |arcs: &[Arc<F>]| {
        let mut sum = Compensated::default();
        for arc in arcs {
            sum.add(masses.mass(arc.flow) * costs.at(arc.row as usize, arc.column as usize));
        }
        sum.value()
    };
    Ok(if price(&by_regret) < price(&given) { by_regret } else { given })
}

fn in_order<T: Real, F: Flow>(
    costs: Costs<'_, T>,
    masses: &Masses<F>,
    rows: &[u32],
    mut w: Vec<f64>,
    interrupt: &Interrupt,
) -> Result<Vec<Arc<F>>> {
    let mut open = masses.b.clone();
    let mut arcs = Vec::with_capacity(costs.n + costs.m);
    let mut order = Vec::new();
    for &row in rows {
        interrupt.check()?;
        let mut supply = masses.a[row as usize];
        if costs.m > LONG * costs.n {
            cheapest_last(costs.row(row as usize), &w, &mut order);
        }
        while supply > F::ZERO {
            let column = match order.pop() {
                Some(column) => column as usize,
                None => simd::dispatch(RowLeast { row: costs.row(row as usize), w: &w }).1,
            };
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

/// Columns that still take mass, the cheapest last, and the first of equals after the others.
fn cheapest_last<T: Real>(row: &[T], w: &[f64], order: &mut Vec<u32>) {
    let price = |j: &u32| row[*j as usize].into() + w[*j as usize];
    order.clear();
    order.extend((0..row.len() as u32).filter(|j| w[*j as usize] < f64::INFINITY));
    order.sort_unstable_by(|x, y| price(y).total_cmp(&price(x)).then(y.cmp(x)));
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
