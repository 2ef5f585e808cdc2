//! Exact optimal transport between discrete measures: the network simplex method, with a certificate.
//!
//! For masses a_i, b_j >= 0 of equal total and any finite costs c_ij,
//!
//! ```text
//! min sum_ij c_ij x_ij   over x >= 0 with row sums a and column sums b        Kantorovich 1942
//!   = max a.u + b.v      over u_i + v_j <= c_ij                               the dual
//! ```
//!
//! Basic solutions are spanning trees of rows and columns (Dantzig 1951). A pivot lets an arc of negative reduced cost
//! c_ij - u_i - v_j into the tree and takes out the arc of least flow on the cycle that it closes.
//!
//! What sets this implementation apart: flows are integers, exact for any masses (`flow.rs`, `masses.rs`), perturbed so that no
//! pivot is degenerate; the first tree is greedy and of real arcs (`start.rs`); arcs are priced a stretch of a row at
//! a time by vectorised scans (`pricing.rs`); the potentials are computed anew from the final tree, each with one
//! rounding; and one pass over all costs then makes the duals feasible and measures the gap (`certificate.rs`), so
//! that no value is ever returned without its proof.
//!
//! Equal masses with n = m may be an easier problem, an assignment: `assignment.rs` tries that first, and gives up soon
//! where the simplex method is faster.

mod assignment;
mod certificate;
mod flow;
mod masses;
mod pricing;
mod simplex;
mod start;
mod tree;

use crate::error::{Error, Result};
use crate::num::Real;
use crate::pool::{self, Interrupt};
use crate::simd;

use assignment::Assigned;
use certificate::Entry;
use flow::{Flow, Wide};
use masses::Masses;
use pricing::{Costs, Magnitude};
use simplex::Simplex;

/// How far totals of float64 masses may differ, relatively: the rounding of some million of them.
pub const TOLERANCE_F64: f64 = 1e-9;

/// How far totals may differ where masses were rounded to float32.
pub const TOLERANCE_F32: f64 = 1e-6;

/// Costs must stay below this, so that potentials, sums of up to n + m of them, stay finite.
const LARGEST_COST: f64 = f64::from_bits((1000 + 1023) << 52);

/// What the gap may be, relative to the largest cost times the total mass.
const GAP: f64 = 1e-9;

/// What the gap of an assignment may be, relative to the sizes of cost and duals that it weighs.
const FINE: f64 = 16.0 * f64::EPSILON;

/// Entries of a plan that are smaller than this share of both masses they join only make up for rounded masses.
const NOISE: f64 = 64.0 * f64::EPSILON;

/// A transport problem.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a, T> {
    /// Masses of the rows.
    pub a: &'a [f64],
    /// Masses of the columns.
    pub b: &'a [f64],
    /// Costs, row after row.
    pub cost: &'a [T],
    /// How far the totals may differ, relatively; the lighter side is then scaled up.
    pub tolerance: f64,
    /// Rescale both sides to total 1 instead.
    pub normalize: bool,
    /// How many pivots are allowed.
    pub max_iterations: Option<u64>,
}

impl<'a, T: Real> Problem<'a, T> {
    fn costs(&self) -> Costs<'a, T> {
        Costs { values: self.cost, n: self.a.len(), m: self.b.len() }
    }

    /// Whether all masses of each side are equal, and as many. A limit of pivots asks for pivots.
    fn is_assignment(&self) -> bool {
        let equal = |masses: &[f64]| masses.iter().all(|&mass| mass == masses[0]);
        self.a.len() == self.b.len() && self.max_iterations.is_none() && equal(self.a) && equal(self.b)
    }
}

/// An optimal plan with its proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Sum of cost times mass.
    pub cost: f64,
    /// Rows of the support, in order.
    pub rows: Vec<i64>,
    /// Columns of the support, in order within a row.
    pub columns: Vec<i64>,
    /// Masses of the support.
    pub mass: Vec<f64>,
    /// Duals u of the rows.
    pub dual_a: Vec<f64>,
    /// Duals v of the columns; u_i + v_j <= c_ij, and a.u = b.v.
    pub dual_b: Vec<f64>,
    /// Cost of the plan minus that of the duals.
    pub gap: f64,
    /// Pivots taken.
    pub iterations: u64,
}

impl Plan {
    /// Mass times the magnitudes of the duals that meet there.
    fn size(&self) -> f64 {
        let ends = self.rows.iter().zip(&self.columns).zip(&self.mass);
        ends.map(|((&i, &j), mass)| mass * (self.dual_a[i as usize].abs() + self.dual_b[j as usize].abs()))
            .sum()
    }
}

/// Solve a transport problem exactly.
pub fn solve<T: Real>(problem: Problem<'_, T>, interrupt: &Interrupt) -> Result<Plan> {
    let (total_a, total_b) = (masses::check("a", problem.a)?, masses::check("b", problem.b)?);
    let largest = check_costs(&problem)?;
    interrupt.check()?;
    if problem.normalize {
        let a: Vec<f64> = problem.a.iter().map(|mass| mass / total_a).collect();
        let b: Vec<f64> = problem.b.iter().map(|mass| mass / total_b).collect();
        return by_masses(&Problem { a: &a, b: &b, ..problem }, largest, interrupt);
    }
    let apart = (total_a - total_b).abs();
    if apart > problem.tolerance * total_a.max(total_b) {
        return Err(Error::domain(
            "b",
            "have the total mass of `a` (or pass normalize=True)",
            format!("total {total_b}, where that of `a` is {total_a}"),
        ));
    }
    by_masses(&problem, largest, interrupt)
}

/// Problems of one size, one after the other in memory.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    /// Masses, costs and settings; `cost` may be that of a single problem, which then is that of all.
    pub problems: Problem<'a, T>,
    /// How many rows a problem has.
    pub n: usize,
    /// How many columns a problem has.
    pub m: usize,
}

/// The costs alone of many problems, which are solved side by side.
pub fn costs<T: Real>(batch: Batch<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    let Batch { problems: Problem { a, b, cost, .. }, n, m } = batch;
    for (argument, length) in [("a", n), ("b", m)] {
        if length == 0 {
            return Err(Error::shape(argument, "at least one mass on the last axis", "none"));
        }
    }
    let count = a.len() / n;
    if b.len() != count * m {
        return Err(Error::shape("b", format!("{} masses", count * m), b.len().to_string()));
    }
    if cost.len() != n * m && cost.len() != count * n * m {
        return Err(Error::shape("cost", format!("{} costs", count * n * m), cost.len().to_string()));
    }
    let shared = cost.len() == n * m;
    let solved = pool::map_indexed(count, 2, |k| {
        let from = if shared { 0 } else { k * n * m };
        let one = Problem {
            a: &a[k * n..(k + 1) * n],
            b: &b[k * m..(k + 1) * m],
            cost: &cost[from..from + n * m],
            ..batch.problems
        };
        solve(one, interrupt).map(|plan| plan.cost).map_err(|error| match error {
            Error::Domain { argument, expected, got } if count > 1 => {
                Error::Domain { argument, expected, got: format!("{got} of problem {k}") }
            }
            other => other,
        })
    })?;
    solved.into_iter().collect()
}

/// Magnitude of the largest cost, all of them being finite and as many as there must be.
fn check_costs<T: Real>(problem: &Problem<'_, T>) -> Result<f64> {
    let (n, m) = (problem.a.len(), problem.b.len());
    if problem.cost.len() != n * m {
        return Err(Error::shape(
            "cost",
            format!("shape ({n}, {m})"),
            format!("{} costs", problem.cost.len()),
        ));
    }
    let largest = simd::dispatch(Magnitude(problem.cost));
    if largest < LARGEST_COST {
        return Ok(largest);
    }
    let right = |c: f64| (-LARGEST_COST..LARGEST_COST).contains(&c);
    let at = problem.cost.iter().position(|&c| !right(c.into())).unwrap_or(0);
    let (i, j, value): (_, _, f64) = (at / m, at % m, problem.cost[at].into());
    let expected = if value.is_finite() {
        "stay below 2^1000 in magnitude"
    } else {
        "be finite (give a forbidden pair a large finite cost)"
    };
    Err(Error::domain("cost", expected, format!("{value:e} at ({i}, {j})")))
}

fn by_masses<T: Real>(problem: &Problem<'_, T>, largest: f64, interrupt: &Interrupt) -> Result<Plan> {
    if problem.is_assignment()
        && let Some(Assigned { columns, w, paths }) = assignment::solve(problem.costs(), interrupt)?
    {
        let mass = problem.a[0].max(problem.b[0]);
        let entries: Vec<Entry> =
            (0..).zip(columns).map(|(row, column)| Entry { row, column, mass }).collect();
        // Unlike a tree's, these potentials are sums of differences: where costs are so mixed that they lost their
        // digits, the simplex method has the next word.
        match certify(problem, &entries, (w, paths, false), largest, interrupt) {
            Ok(plan) if plan.gap <= FINE * plan.size() => return Ok(plan),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            _ => {}
        }
    }
    if let Some(masses) = Masses::<u128>::new(problem.a, problem.b) {
        return by_simplex(problem, &masses, largest, interrupt);
    }
    match Masses::<Wide>::new(problem.a, problem.b) {
        Some(masses) => by_simplex(problem, &masses, largest, interrupt),
        None => Err(Error::Backend("masses do not fit in 2304 bits".into())),
    }
}

fn by_simplex<T: Real, F: Flow>(
    problem: &Problem<'_, T>,
    masses: &Masses<F>,
    largest: f64,
    interrupt: &Interrupt,
) -> Result<Plan> {
    let costs = problem.costs();
    let rows: Vec<u32> = (0..costs.n as u32).filter(|&i| problem.a[i as usize] > 0.0).collect();
    let mut w = start::column_reduction(costs, &rows, interrupt)?;
    for (w, _) in w.iter_mut().zip(problem.b).filter(|(_, mass)| **mass == 0.0) {
        *w = f64::INFINITY;
    }
    let arcs = start::greedy(costs, masses, &rows, w, interrupt)?;
    let limit = problem.max_iterations.unwrap_or(u64::MAX);
    let solved = Simplex::new(costs, &rows, &arcs, limit, interrupt).solve()?;
    let mut entries: Vec<Entry> = solved
        .arcs
        .iter()
        .map(|arc| {
            let mass = masses.mass(arc.flow);
            Entry { row: arc.row, column: arc.column, mass }
        })
        .filter(|e| e.mass > NOISE * problem.a[e.row as usize].min(problem.b[e.column as usize]))
        .collect();
    entries.sort_unstable_by_key(|entry| (entry.row, entry.column));
    certify(problem, &entries, (solved.w, solved.pivots, solved.cut_short), largest, interrupt)
}

/// The plan with its certificate, if it holds.
fn certify<T: Real>(
    problem: &Problem<'_, T>,
    entries: &[Entry],
    (mut w, iterations, cut_short): (Vec<f64>, u64, bool),
    largest: f64,
    interrupt: &Interrupt,
) -> Result<Plan> {
    let costs = problem.costs();
    let shift = certificate::imbalance(costs, entries, &w);
    for w in &mut w {
        *w -= shift;
    }
    let duals = certificate::duals(costs, problem.a, problem.b, w, interrupt)?;
    let (cost, gap) = certificate::primal_and_gap(costs, entries, &duals);
    let total: f64 = entries.iter().map(|entry| entry.mass).sum();
    if cut_short || gap.is_nan() || gap > GAP * largest * total {
        return Err(Error::Convergence {
            algorithm: "the network simplex method",
            got: format!(
                "after {iterations} pivots the cost is {cost:e}, and the gap to its lower bound {gap:e}"
            ),
        });
    }
    Ok(Plan {
        cost,
        rows: entries.iter().map(|entry| entry.row.into()).collect(),
        columns: entries.iter().map(|entry| entry.column.into()).collect(),
        mass: entries.iter().map(|entry| entry.mass).collect(),
        dual_a: duals.a,
        dual_b: duals.b,
        gap,
        iterations,
    })
}
