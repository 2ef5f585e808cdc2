//! Pricing: which arc enters the tree.
//!
//! Potentials are kept as u_i of rows and w_j = -v_j of columns, so that the reduced cost is c_ij + w_j - u_i and the
//! least one of a row takes one addition and one comparison an arc. Columns without mass have w_j = inf and are never
//! least. Arcs in the tree price to zero, so no state is kept of arcs at all.

use crate::num::Real;
use crate::simd::Op;

/// Accumulators of a scan: enough to hide the latency of the comparison.
const STRIPES: usize = 32;

/// A matrix of costs, row after row.
#[derive(Debug, Clone, Copy)]
pub struct Costs<'a, T> {
    pub values: &'a [T],
    pub n: usize,
    pub m: usize,
}

impl<'a, T: Real> Costs<'a, T> {
    #[inline(always)]
    pub fn row(&self, i: usize) -> &'a [T] {
        &self.values[i * self.m..(i + 1) * self.m]
    }

    #[inline(always)]
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.m + j].into()
    }
}

/// What a scan minimises, for one arc of cost `c` to a column of potential `w`.
trait Price {
    fn of(&self, c: f64, w: f64) -> f64;
}

/// c + w.
struct Plain;

impl Price for Plain {
    #[inline(always)]
    fn of(&self, c: f64, w: f64) -> f64 {
        c + w
    }
}

/// c alone.
struct Bare;

impl Price for Bare {
    #[inline(always)]
    fn of(&self, c: f64, _: f64) -> f64 {
        c
    }
}

/// c + w, and what rounding could have taken from it.
struct Cautious;

/// Roundings of potentials and costs that a reduced cost must exceed to count as negative.
pub const ROUNDINGS: f64 = 4.0 * f64::EPSILON;

impl Price for Cautious {
    #[inline(always)]
    fn of(&self, c: f64, w: f64) -> f64 {
        (c + w) + ROUNDINGS * (c.abs() + w.abs())
    }
}

#[inline(always)]
fn least<T: Real>(row: &[T], w: &[f64], price: &impl Price) -> f64 {
    let (costs, costs_rest) = row.as_chunks::<STRIPES>();
    let (potentials, potentials_rest) = w.as_chunks::<STRIPES>();
    let mut stripes = [f64::INFINITY; STRIPES];
    for (c, w) in costs.iter().zip(potentials) {
        for lane in 0..STRIPES {
            let x = price.of(c[lane].into(), w[lane]);
            stripes[lane] = if x < stripes[lane] { x } else { stripes[lane] };
        }
    }
    let mut best = f64::INFINITY;
    for x in stripes {
        best = if x < best { x } else { best };
    }
    for (&c, &w) in costs_rest.iter().zip(potentials_rest) {
        let x = price.of(c.into(), w);
        best = if x < best { x } else { best };
    }
    best
}

/// The first arc of the row that has the price `best`.
#[inline(always)]
fn find<T: Real>(row: &[T], w: &[f64], best: f64, price: &impl Price) -> usize {
    for (chunk, (c, w)) in row.chunks(STRIPES).zip(w.chunks(STRIPES)).enumerate() {
        let mut hit = false;
        for (&c, &w) in c.iter().zip(w) {
            hit |= price.of(c.into(), w) == best;
        }
        if hit {
            let lane = c.iter().zip(w).position(|(&c, &w)| price.of(c.into(), w) == best);
            return chunk * STRIPES + lane.unwrap_or(0);
        }
    }
    0
}

/// Least c_ij + w_j of a row, and its column.
pub struct RowLeast<'a, T> {
    pub row: &'a [T],
    pub w: &'a [f64],
}

impl<T: Real> Op for RowLeast<'_, T> {
    type Output = (f64, usize);

    #[inline(always)]
    fn run(self) -> (f64, usize) {
        let best = least(self.row, self.w, &Plain);
        (best, find(self.row, self.w, best, &Plain))
    }
}

/// Least and second least c_ij + w_j of a row, and the column of the least.
pub struct RowTwoLeast<'a, T> {
    pub row: &'a [T],
    pub w: &'a [f64],
}

impl<T: Real> Op for RowTwoLeast<'_, T> {
    type Output = (f64, f64, usize);

    #[inline(always)]
    fn run(self) -> (f64, f64, usize) {
        let (costs, costs_rest) = self.row.as_chunks::<STRIPES>();
        let (potentials, potentials_rest) = self.w.as_chunks::<STRIPES>();
        let (mut first, mut second) = ([f64::INFINITY; STRIPES], [f64::INFINITY; STRIPES]);
        for (c, w) in costs.iter().zip(potentials) {
            for lane in 0..STRIPES {
                let x = c[lane].into() + w[lane];
                let higher = if x < first[lane] { first[lane] } else { x };
                first[lane] = if x < first[lane] { x } else { first[lane] };
                second[lane] = if higher < second[lane] { higher } else { second[lane] };
            }
        }
        let (mut best, mut next) = (f64::INFINITY, f64::INFINITY);
        let rest = costs_rest.iter().zip(potentials_rest).map(|(&c, &w)| c.into() + w);
        for x in first.into_iter().chain(second).chain(rest) {
            next = if x < best {
                best
            } else if x < next {
                x
            } else {
                next
            };
            best = if x < best { x } else { best };
        }
        (best, next, find(self.row, self.w, best, &Plain))
    }
}

/// Least of some numbers, and where it stands first.
#[inline(always)]
pub fn least_of(numbers: &[f64]) -> (f64, usize) {
    let best = least(numbers, numbers, &Bare);
    (best, find(numbers, numbers, best, &Bare))
}

/// An arc that may enter the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entering {
    pub row: usize,
    pub column: usize,
    /// c + w - u, negative.
    pub reduced: f64,
}

/// Where a search goes on: it visits stretches of rows in turn, and takes the best arc of a block of them.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    at: usize,
    stretch: usize,
    block: usize,
}

impl Walk {
    /// Blocks of about sqrt(rows columns) arcs, whatever the shape: parts of long rows, or several short rows.
    pub fn new(rows: usize, columns: usize) -> Self {
        let arcs = ((rows as f64) * (columns as f64)).sqrt() as usize + 1;
        let parts = columns.div_ceil(arcs.max(STRIPES));
        let stretch = columns.div_ceil(parts).next_multiple_of(STRIPES);
        Self { at: 0, stretch, block: (arcs / columns).max(1) }
    }
}

/// Search for an entering arc once around all rows.
pub struct Search<'a, T> {
    pub costs: Costs<'a, T>,
    /// Rows with mass.
    pub rows: &'a [u32],
    pub u: &'a [f64],
    pub w: &'a [f64],
    /// How negative a reduced cost must be.
    pub tolerance: f64,
    /// Whether to allow for the rounding of each arc instead.
    pub cautious: bool,
    pub walk: &'a mut Walk,
}

impl<T: Real> Op for Search<'_, T> {
    type Output = Option<Entering>;

    #[inline(always)]
    fn run(self) -> Option<Entering> {
        if self.cautious { self.once_around(&Cautious) } else { self.once_around(&Plain) }
    }
}

impl<T: Real> Search<'_, T> {
    #[inline(always)]
    fn once_around(self, price: &impl Price) -> Option<Entering> {
        let parts = self.costs.m.div_ceil(self.walk.stretch);
        let stretches = self.rows.len() * parts;
        let mut left = stretches;
        let mut at = self.walk.at;
        while left > 0 {
            let (mut best, mut found) = (-self.tolerance, None);
            for _ in 0..self.walk.block.min(left) {
                let i = self.rows[at / parts] as usize;
                let from = at % parts * self.walk.stretch;
                let to = (from + self.walk.stretch).min(self.costs.m);
                let u = self.u[i];
                let limit = if self.cautious { u - ROUNDINGS * u.abs() } else { u };
                let lowest = least(&self.costs.row(i)[from..to], &self.w[from..to], price);
                if lowest - limit < best {
                    (best, found) = (lowest - limit, Some((i, from, to, lowest)));
                }
                at = if at + 1 == stretches { 0 } else { at + 1 };
                left -= 1;
            }
            if let Some((row, from, to, lowest)) = found {
                self.walk.at = at;
                let column = from + find(&self.costs.row(row)[from..to], &self.w[from..to], lowest, price);
                let reduced = (self.costs.at(row, column) + self.w[column]) - self.u[row];
                return Some(Entering { row, column, reduced });
            }
        }
        None
    }
}

/// Largest magnitude of costs, or nan if one is not finite.
pub struct Magnitude<'a, T>(pub &'a [T]);

impl<T: Real> Op for Magnitude<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut stripes = [0.0_f64; STRIPES];
        let mut wrong = [false; STRIPES];
        for chunk in self.0.chunks(STRIPES) {
            for (lane, &c) in chunk.iter().enumerate() {
                let x = Into::<f64>::into(c).abs();
                stripes[lane] = if x > stripes[lane] { x } else { stripes[lane] };
                wrong[lane] |= x.is_nan();
            }
        }
        if wrong.contains(&true) { f64::NAN } else { stripes.into_iter().fold(0.0, f64::max) }
    }
}
