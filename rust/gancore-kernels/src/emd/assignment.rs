//! Equal masses, as many rows as columns: an optimal plan is a permutation, found by Jonker and Volgenant 1987.
//!
//! Column reduction, reduction transfer and augmenting row reduction assign most rows in a few scans each; each row
//! left is assigned along a shortest augmenting path (Dijkstra on reduced costs). That wins where few rows are left,
//! as for points in many dimensions. In the plane half of them are, and the network simplex method is faster: the
//! number of rows left decides: a tenth after the first round, or a fortieth after the last, is too many. Potentials are w = -v, as in `pricing.rs`.

use super::pricing::{Costs, RowLeast, RowTwoLeast, least_of};
use crate::error::Result;
use crate::num::Real;
use crate::pool::Interrupt;
use crate::simd::{self, Op};

/// Rounds of augmenting row reduction: later ones leave few rows less.
const ROUNDS: usize = 4;

/// Scans of a round, for each row: a row whose column was taken may take one at once, and so on.
const SCANS: usize = 4;

/// One row in so many may be left by the first round; otherwise the others are not worth their time.
const MANY: usize = 10;

/// One row in so many may be left to augmenting paths.
const FEW: usize = 40;

const FREE: u32 = u32::MAX;

/// An optimal assignment.
pub struct Assigned {
    /// The column of each row.
    pub columns: Vec<u32>,
    pub w: Vec<f64>,
    /// How many paths were augmented.
    pub paths: u64,
}

struct Assignment<'a, T> {
    costs: Costs<'a, T>,
    w: Vec<f64>,
    column_of: Vec<u32>,
    row_of: Vec<u32>,
    interrupt: &'a Interrupt,
}

/// Solve a square problem of equal masses, unless the reductions leave too many rows.
pub fn solve<T: Real>(costs: Costs<'_, T>, interrupt: &Interrupt) -> Result<Option<Assigned>> {
    let n = costs.n;
    let mut work = Assignment {
        costs,
        w: vec![f64::NEG_INFINITY; n],
        column_of: vec![FREE; n],
        row_of: vec![FREE; n],
        interrupt,
    };
    work.reduce_columns()?;
    let mut free: Vec<u32> = (0..n as u32).filter(|&i| work.column_of[i as usize] == FREE).collect();
    for _ in 0..ROUNDS {
        free = work.reduce_rows(&free)?;
        if free.len() > n / MANY + 1 {
            return Ok(None);
        }
    }
    if free.len() > n / FEW + 1 {
        return Ok(None);
    }
    let mut search = PathSearch::new(n);
    for &row in &free {
        search.augment(&mut work, row)?;
    }
    Ok(Some(Assigned { columns: work.column_of, w: work.w, paths: free.len() as u64 }))
}

impl<T: Real> Assignment<'_, T> {
    /// Each column takes its cheapest row, if no column before did.
    fn reduce_columns(&mut self) -> Result<()> {
        let n = self.costs.n;
        let mut cheapest = vec![0_u32; n];
        for i in 0..n {
            self.interrupt.check()?;
            let row = self.costs.row(i);
            simd::dispatch(Cheapest { row, number: i as u32, w: &mut self.w, rows: &mut cheapest });
        }
        let mut wanted = vec![0_u32; n];
        for (j, &i) in cheapest.iter().enumerate() {
            wanted[i as usize] += 1;
            if self.column_of[i as usize] == FREE {
                self.column_of[i as usize] = j as u32;
                self.row_of[j] = i;
            }
        }
        // Reduction transfer: what a row with a column of its own could save elsewhere, it leaves to the others.
        for i in (0..n).filter(|&i| wanted[i] == 1) {
            self.interrupt.check()?;
            let (first, second, column) = self.two_least(i);
            if second.is_finite() && column == self.column_of[i] as usize {
                self.w[column] += second - first;
            }
        }
        Ok(())
    }

    fn two_least(&self, i: usize) -> (f64, f64, usize) {
        simd::dispatch(RowTwoLeast { row: self.costs.row(i), w: &self.w })
    }

    /// A column as cheap as the least of a row, where there is one.
    fn other(&mut self, i: usize, column: usize, least: f64) -> usize {
        let own = std::mem::replace(&mut self.w[column], f64::INFINITY);
        let (second, other) = simd::dispatch(RowLeast { row: self.costs.row(i), w: &self.w });
        self.w[column] = own;
        if second == least { other } else { column }
    }

    /// Give each free row its cheapest column, at the price at which it would as well take the second. The rows left.
    fn reduce_rows(&mut self, free: &[u32]) -> Result<Vec<u32>> {
        let mut left = Vec::new();
        let mut scans = SCANS * self.costs.n;
        for &start in free {
            let mut row = start;
            loop {
                self.interrupt.check()?;
                if scans == 0 {
                    left.push(row);
                    break;
                }
                scans -= 1;
                let (first, second, mut column) = self.two_least(row as usize);
                let rises = first < second && second.is_finite();
                if rises {
                    self.w[column] += second - first;
                } else if self.row_of[column] != FREE {
                    column = self.other(row as usize, column, second);
                }
                let loser = std::mem::replace(&mut self.row_of[column], row);
                self.column_of[row as usize] = column as u32;
                if loser == FREE {
                    break;
                }
                self.column_of[loser as usize] = FREE;
                if !rises {
                    left.push(loser);
                    break;
                }
                row = loser;
            }
        }
        Ok(left)
    }
}

/// Column minima, as -w, with the rows that have them.
struct Cheapest<'a, T> {
    row: &'a [T],
    number: u32,
    w: &'a mut [f64],
    rows: &'a mut [u32],
}

impl<T: Real> Op for Cheapest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((w, at), &c) in self.w.iter_mut().zip(self.rows).zip(self.row) {
            let x = -c.into();
            let better = x > *w;
            *w = if better { x } else { *w };
            *at = if better { self.number } else { *at };
        }
    }
}

/// Dijkstra's search for a free column, with its memory kept from path to path.
struct PathSearch {
    /// Distances of columns that are not scanned; inf for those that are.
    distance: Vec<f64>,
    /// Potentials of columns that are not scanned; inf for those that are.
    open: Vec<f64>,
    /// The row before a column on the way.
    before: Vec<u32>,
    /// Columns scanned, with their distances.
    visited: Vec<(u32, f64)>,
}

impl PathSearch {
    fn new(n: usize) -> Self {
        Self {
            distance: vec![0.0; n],
            open: vec![0.0; n],
            before: vec![0; n],
            visited: Vec::with_capacity(n),
        }
    }

    fn augment<T: Real>(&mut self, work: &mut Assignment<'_, T>, start: u32) -> Result<()> {
        self.distance.fill(f64::INFINITY);
        self.open.copy_from_slice(&work.w);
        self.visited.clear();
        let (mut row, mut gone) = (start, 0.0);
        let (end, length) = loop {
            work.interrupt.check()?;
            let (distance, column) = simd::dispatch(Relax {
                row: work.costs.row(row as usize),
                number: row,
                gone,
                open: &self.open,
                distance: &mut self.distance,
                before: &mut self.before,
            });
            let next = work.row_of[column];
            if next == FREE {
                break (column, distance);
            }
            self.visited.push((column as u32, distance));
            self.distance[column] = f64::INFINITY;
            // The arc that assigns a row has the least reduced cost, u, of its row: distances go on from there.
            gone = work.costs.at(next as usize, column) + self.open[column] - distance;
            self.open[column] = f64::INFINITY;
            row = next;
        };
        for &(column, distance) in &self.visited {
            work.w[column as usize] += length - distance;
        }
        let mut column = end as u32;
        loop {
            let row = self.before[column as usize];
            work.row_of[column as usize] = row;
            std::mem::swap(&mut work.column_of[row as usize], &mut column);
            if row == start {
                return Ok(());
            }
        }
    }
}

/// Distances by way of a row; the least of all, and its column.
struct Relax<'a, T> {
    row: &'a [T],
    number: u32,
    gone: f64,
    open: &'a [f64],
    distance: &'a mut [f64],
    before: &'a mut [u32],
}

impl<T: Real> Op for Relax<'_, T> {
    type Output = (f64, usize);

    #[inline(always)]
    fn run(self) -> (f64, usize) {
        let ways = self.row.iter().zip(self.open);
        for ((&c, &w), (distance, before)) in ways.zip(self.distance.iter_mut().zip(self.before)) {
            let x = (c.into() + w) - self.gone;
            let better = x < *distance;
            *distance = if better { x } else { *distance };
            *before = if better { self.number } else { *before };
        }
        least_of(self.distance)
    }
}
