//! The primal network simplex method on the tree of `tree.rs`, priced by `pricing.rs`.

use super::flow::Flow;
use super::pricing::{Costs, Entering, Search, Walk};
use super::tree::{Arc, NONE, Tree};
use crate::error::Result;
use crate::num::Real;
use crate::pool::Interrupt;
use crate::simd;

/// How negative a reduced cost must be at first, relative to the potentials: their shifts lose a few roundings.
const COARSE: f64 = 64.0 * f64::EPSILON;

/// How often the last, cautious search may begin anew; one round is the rule. The certificate has the last word.
const ROUNDS: usize = 32;

/// A basic solution on its way to the best one.
pub struct Simplex<'a, T, F> {
    costs: Costs<'a, T>,
    rows: &'a [u32],
    tree: Tree<F>,
    /// u of the rows, then w of the columns.
    potentials: Vec<f64>,
    walk: Walk,
    pivots: u64,
    limit: u64,
    interrupt: &'a Interrupt,
}

/// Why the search for better arcs ended.
enum Stop {
    Optimal,
    /// As many pivots as there are nodes have shifted the potentials: time to compute them anew.
    Stale,
    Limit,
}

/// What the simplex method leaves.
pub struct Solved<F> {
    pub arcs: Vec<Arc<F>>,
    /// w of the columns; inf for those without mass.
    pub w: Vec<f64>,
    pub pivots: u64,
    /// Whether the limit of pivots, not optimality, ended the search.
    pub cut_short: bool,
}

impl<'a, T: Real, F: Flow> Simplex<'a, T, F> {
    pub fn new(
        costs: Costs<'a, T>,
        rows: &'a [u32],
        arcs: &[Arc<F>],
        limit: u64,
        interrupt: &'a Interrupt,
    ) -> Self {
        let root = arcs.first().map_or(0, |arc| costs.n as u32 + arc.column);
        let (tree, potentials) = hang(costs, arcs, root);
        let walk = Walk::new(rows.len(), costs.m);
        Self { costs, rows, tree, potentials, walk, pivots: 0, limit, interrupt }
    }

    /// Pivot until no arc prices below zero by more than rounding.
    pub fn solve(mut self) -> Result<Solved<F>> {
        // Potentials shrink when the last arc of a huge cost has left, and with them the rounding to be allowed for.
        let mut scale = f64::INFINITY;
        while self.scale() < 0.25 * scale {
            loop {
                // They may also grow from a start near zero, beyond what was allowed for there.
                scale = self.scale();
                let stop = self.improve(COARSE * scale, false)?;
                self.renew();
                match stop {
                    Stop::Optimal => break,
                    Stop::Stale => {}
                    Stop::Limit => return Ok(self.solved(true)),
                }
            }
        }
        for _ in 0..ROUNDS {
            let before = self.pivots;
            if matches!(self.improve(0.0, true)?, Stop::Limit) {
                return Ok(self.solved(true));
            }
            if self.pivots == before {
                break;
            }
            self.renew();
        }
        Ok(self.solved(false))
    }

    fn solved(mut self, cut_short: bool) -> Solved<F> {
        let arcs = self.tree.arcs();
        Solved { arcs, w: self.potentials.split_off(self.costs.n), pivots: self.pivots, cut_short }
    }

    fn improve(&mut self, tolerance: f64, cautious: bool) -> Result<Stop> {
        let stale = self.pivots + (self.costs.n + self.costs.m) as u64;
        while let Some(Entering { row, column, reduced }) = self.search(tolerance, cautious) {
            if self.pivots == self.limit {
                return Ok(Stop::Limit);
            }
            if self.pivots == stale {
                return Ok(Stop::Stale);
            }
            if self.pivots.is_multiple_of(64) {
                self.interrupt.check()?;
            }
            self.pivots += 1;
            let (row, column) = (row as u32, (self.costs.n + column) as u32);
            let leaving = self.tree.leaving(row, column);
            self.tree.pivot(row, column, leaving, reduced, &mut self.potentials);
        }
        self.interrupt.check()?;
        Ok(Stop::Optimal)
    }

    fn search(&mut self, tolerance: f64, cautious: bool) -> Option<Entering> {
        let (u, w) = self.potentials.split_at(self.costs.n);
        let (costs, rows, walk) = (self.costs, self.rows, &mut self.walk);
        simd::dispatch(Search { costs, rows, u, w, tolerance, cautious, walk })
    }

    /// Largest finite potential.
    fn scale(&self) -> f64 {
        self.potentials.iter().map(|x| x.abs()).filter(|x| x.is_finite()).fold(0.0, f64::max)
    }

    /// Hang the tree anew, at the column of middle potential, and compute the potentials from the costs: no trace of
    /// the shifts is left, and what is far from the rest does not offset it.
    fn renew(&mut self) {
        let columns = self.costs.n as u32..(self.costs.n + self.costs.m) as u32;
        let mut inside: Vec<u32> = columns.filter(|&x| self.potentials[x as usize].is_finite()).collect();
        let middle = inside.len() / 2;
        let by_potential = |x: &u32, y: &u32| {
            self.potentials[*x as usize].total_cmp(&self.potentials[*y as usize]).then(x.cmp(y))
        };
        let root = *inside.select_nth_unstable_by(middle, by_potential).1;
        (self.tree, self.potentials) = hang(self.costs, &self.tree.arcs(), root);
    }
}

/// A tree with potentials that price its arcs to zero: sums of costs along its paths, each rounded once.
fn hang<T: Real, F: Flow>(costs: Costs<'_, T>, arcs: &[Arc<F>], root: u32) -> (Tree<F>, Vec<f64>) {
    let Costs { n, m, .. } = costs;
    let mut potentials = vec![f64::INFINITY; n + m];
    let mut lost = vec![0.0; n + m];
    let tree = Tree::hang(n, m, arcs, root, |node, parent| {
        let (at, above) = (node as usize, parent as usize);
        let (sum, rest) = match (parent, at < n) {
            (NONE, _) => (0.0, 0.0),
            (_, true) => two_sum(potentials[above], costs.at(at, above - n)),
            (_, false) => two_sum(potentials[above], -costs.at(above, at - n)),
        };
        let rest = rest + if parent == NONE { 0.0 } else { lost[above] };
        potentials[at] = sum + rest;
        lost[at] = rest - (potentials[at] - sum);
    });
    (tree, potentials)
}

/// x + y and what rounding took from it (Knuth, TAOCP 2, theorem 4.2.2B).
fn two_sum(x: f64, y: f64) -> (f64, f64) {
    let sum = x + y;
    let part = sum - x;
    (sum, (x - (sum - part)) + (y - part))
}
