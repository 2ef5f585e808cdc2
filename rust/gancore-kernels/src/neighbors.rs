//! Nearest-neighbour distances, and how many samples lie in balls: exact, ties and duplicates included.
//!
//! ```text
//! d(x, y)  = sqrt sum_c (x_c - y_c)^2, from the differences, in float64: symmetric, and 0 for equal rows
//! radius_i = k-th smallest of d(x_i, x_j) over j != i                  Kynkäänniemi et al. 2019, section 3
//! ball i   = { y : d(x_i, y) <= radius_i }                             the same, eq. 1; Naeem et al. 2020, eq. 4: <
//! ```
//!
//! All results are those of these float64 distances, as if each had been computed. What is computed of every pair is a
//! float32 product of moved rows a, b, within e = g / (1 - g), g = (d + 32) 2^-24, of |a| |b| of the truth (Higham 2002,
//! eq. 3.5; the slack pays for the rounding of rows and thresholds), and so, as 2 |a| |b| <= |a|^2 + |b|^2, bounds
//!
//! ```text
//! (1 - e)(|a|^2 + |b|^2) - 2 a.b  <=  d^2  <=  (1 + e)(|a|^2 + |b|^2) - 2 a.b
//! ```
//!
//! Only pairs that the bounds do not settle are computed from their differences. Results are the same on any threads.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::linalg::product::{self, BLOCK, Factor, Rows, Shifted, TILE};
use crate::num::Real;
use crate::pool::{self, Interrupt};
use crate::simd;

/// Entries of a tile that are looked at together.
const LOOK: usize = 32;

/// Distances of each row to its k nearest others, ascending: n rows of k.
pub fn knn_distances<T: Real>(x: &[T], d: usize, k: usize, interrupt: &Interrupt) -> Result<Vec<f64>> {
    let rows = Rows::new("x", x, d, 2, interrupt)?;
    let n = rows.len();
    if k == 0 || k >= n {
        return Err(Error::domain(
            "k",
            format!("be from 1 to {}, one less than the rows", n - 1),
            k.to_string(),
        ));
    }
    let center = product::center(&rows, &rows, interrupt)?;
    let bounds = Bounds::new(&rows, &center, scale(&[&rows]), interrupt)?;
    let states: Vec<Mutex<Vec<Nearest>>> = (0..bounds.rows.blocks())
        .map(|b| Mutex::new(bounds.rows.span(b).map(|_| Nearest::new(k)).collect()))
        .collect();
    let tasks: Vec<(usize, usize)> = (0..states.len()).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
    let done = pool::map_indexed(tasks.len(), 2, |task| {
        let (i, j) = tasks[task];
        let search = |state: &mut Nearest, own: usize, other: usize, bound: (f32, f32)| {
            if own != other {
                state.offer(bound, other, || {
                    rows.squared_distance(own, &rows, other) * bounds.squared_scale()
                });
            }
        };
        bounds.tiles(i, &bounds, j, i == j, interrupt, |tile| {
            let (at_row, at_column) = (tile.first_row - i * BLOCK, tile.first_column - j * BLOCK);
            let mut state = lock(&states[i]);
            for r in 0..tile.row_low.len() {
                let own = &mut state[at_row + r];
                tile.look_along_row(r, own.threshold, |column, low, high| {
                    search(own, tile.first_row + r, tile.first_column + column, (low, high));
                    own.threshold
                });
            }
            // Both orders of a pair stand in the tiles of a block on the diagonal, unless they stand below it.
            if tile.first_row == tile.first_column {
                return Ok(());
            }
            if i != j {
                drop(state);
                state = lock(&states[j]);
            }
            let mut thresholds: Vec<f32> =
                state[at_column..at_column + tile.column_low.len()].iter().map(|s| s.threshold).collect();
            for r in 0..tile.row_low.len() {
                tile.look_across(r, &mut thresholds, |column, low, high| {
                    let own = &mut state[at_column + column];
                    search(own, tile.first_column + column, tile.first_row + r, (low, high));
                    own.threshold
                });
            }
            Ok(())
        })
    })?;
    done.into_iter().collect::<Result<()>>()?;
    let mut out = vec![0.0; n * k];
    let over = 1.0 / bounds.squared_scale();
    pool::for_each_chunk_mut(&mut out, BLOCK * k, |b, distances| {
        let mut state = lock(&states[b]);
        for (r, (own, distances)) in state.iter_mut().zip(distances.chunks_exact_mut(k)).enumerate() {
            interrupt.check()?;
            own.settle(|other| rows.squared_distance(b * BLOCK + r, &rows, other) * bounds.squared_scale());
            for (distance, &square) in distances.iter_mut().zip(&own.exact) {
                *distance = (square * over).sqrt();
            }
        }
        Ok(())
    })?;
    Ok(out)
}

/// Balls around each row of one side: families of radii, one after the other; a negative radius is an empty ball.
#[derive(Debug, Clone, Copy)]
pub struct Balls<'a, T> {
    /// Centres, row after row.
    pub centers: &'a [T],
    /// As many radii as centres, or a multiple.
    pub radii: &'a [f64],
}

/// Counts of one side against the other, family after family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// For each ball, how many rows of the other side lie in it.
    pub holds: Vec<i64>,
    /// For each row of the other side, in how many balls it lies.
    pub held: Vec<i64>,
}

/// Counts in closed balls around x of y, and around y of x, in one pass over all pairs.
pub fn ball_counts<T: Real>(
    x: Balls<'_, T>,
    y: Balls<'_, T>,
    d: usize,
    interrupt: &Interrupt,
) -> Result<(Counts, Counts)> {
    let x_rows = Rows::new("x", x.centers, d, 1, interrupt)?;
    let y_rows = Rows::new("y", y.centers, d, 1, interrupt)?;
    let center = product::center(&x_rows, &y_rows, interrupt)?;
    let scale = scale(&[&x_rows, &y_rows]);
    let (xs, ys) =
        (Bounds::new(&x_rows, &center, scale, interrupt)?, Bounds::new(&y_rows, &center, scale, interrupt)?);
    let x_families = families("x_radii", x.radii, &xs, y_rows.len())?;
    let y_families = families("y_radii", y.radii, &ys, x_rows.len())?;
    let columns = ys.rows.blocks();
    let done = pool::map_indexed(xs.rows.blocks() * columns, 2, |task| {
        xs.tiles(task / columns, &ys, task % columns, false, interrupt, |tile| {
            interrupt.check()?;
            let exact =
                |r, c| x_rows.squared_distance(tile.first_row + r, &y_rows, tile.first_column + c).sqrt();
            for family in &x_families {
                for r in 0..tile.row_low.len() {
                    let ball = tile.first_row + r;
                    let surely_out = family.surely_out[ball];
                    tile.look_along_row(r, surely_out, |c, _, high| {
                        family.count(ball, tile.first_column + c, high, || exact(r, c));
                        surely_out
                    });
                }
            }
            for family in &y_families {
                let span = tile.first_column..tile.first_column + tile.column_low.len();
                let mut surely_out = family.surely_out[span].to_vec();
                for r in 0..tile.row_low.len() {
                    tile.look_across(r, &mut surely_out, |c, _, high| {
                        let ball = tile.first_column + c;
                        family.count(ball, tile.first_row + r, high, || exact(r, c));
                        family.surely_out[ball]
                    });
                }
            }
            Ok(())
        })
    })?;
    done.into_iter().collect::<Result<()>>()?;
    Ok((collect(x_families), collect(y_families)))
}

/// One radius for each ball, and what was counted.
struct Family<'a> {
    radii: &'a [f64],
    /// A pair whose square is certainly above this lies out; certainly below that, in.
    surely_out: Vec<f32>,
    surely_in: Vec<f32>,
    holds: Vec<AtomicI64>,
    held: Vec<AtomicI64>,
}

impl Family<'_> {
    fn count(&self, ball: usize, row: usize, high: f32, exact: impl Fn() -> f64) {
        if high < self.surely_in[ball] || exact() <= self.radii[ball] {
            self.holds[ball].fetch_add(1, Ordering::Relaxed);
            self.held[row].fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn families<'a, T: Real>(
    argument: &'static str,
    radii: &'a [f64],
    bounds: &Bounds<'_, T>,
    others: usize,
) -> Result<Vec<Family<'a>>> {
    let n = bounds.rows.len();
    if !radii.len().is_multiple_of(n) {
        return Err(Error::shape(argument, format!("{n} radii"), radii.len().to_string()));
    }
    if let Some(at) = radii.iter().position(|r| r.is_nan()) {
        return Err(Error::domain(argument, "not be nan", format!("nan at index {}", at % n)));
    }
    let zeros = |n| (0..n).map(|_| AtomicI64::new(0)).collect();
    let scaled = |r: f64, slack: f64| {
        if r < 0.0 { f32::NEG_INFINITY } else { (r * r * bounds.squared_scale() * slack) as f32 }
    };
    Ok(radii
        .chunks_exact(n)
        .map(|radii| Family {
            radii,
            surely_out: radii.iter().map(|&r| scaled(r, 1.0 + 1e-6)).collect(),
            surely_in: radii.iter().map(|&r| scaled(r, 1.0 - 1e-6)).collect(),
            holds: zeros(n),
            held: zeros(others),
        })
        .collect())
}

fn collect(families: Vec<Family<'_>>) -> Counts {
    let mut counts = Counts::default();
    for family in families {
        counts.holds.extend(family.holds.into_iter().map(AtomicI64::into_inner));
        counts.held.extend(family.held.into_iter().map(AtomicI64::into_inner));
    }
    counts
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A power of two that brings all rows below 1/4, so that float32 products neither overflow nor vanish.
fn scale<T: Real>(sets: &[&Rows<'_, T>]) -> f64 {
    let largest = sets.iter().map(|rows| rows.largest).fold(0.0, f64::max);
    if largest < 1e-150 {
        return 1.0;
    }
    (-largest.log2().ceil() - 3.0).exp2()
}

/// Rows of one side with the bounds of their squares.
struct Bounds<'a, T> {
    rows: Shifted<'a, T>,
    /// (1 - e) |a|^2 and (1 + e) |a|^2, rounded away from the truth.
    low: Vec<f32>,
    high: Vec<f32>,
}

impl<'a, T: Real> Bounds<'a, T> {
    fn new(rows: &'a Rows<'a, T>, center: &'a [f64], scale: f64, interrupt: &Interrupt) -> Result<Self> {
        let rows = Shifted { rows, center, scale, chosen: None };
        let g = (rows.rows.dim() as f64 + 32.0) * f32::UNIT;
        if g >= 0.5 {
            return Err(Error::shape("x", "at most 8 million features", rows.rows.dim().to_string()));
        }
        let relative = g / (1.0 - g);
        // What products below the range of float32 may lack.
        let absolute = rows.rows.dim() as f64 * 1e-36;
        let measured = rows.squares_and_projections(interrupt)?;
        let low = measured.iter().map(|(s, _)| (s * (1.0 - relative) - absolute) as f32).collect();
        let high = measured.iter().map(|(s, _)| (s * (1.0 + relative) + absolute) as f32).collect();
        Ok(Self { rows, low, high })
    }

    fn squared_scale(&self) -> f64 {
        self.rows.scale * self.rows.scale
    }

    /// Give out the tiles of a pair of blocks; of a block with itself those on and below the diagonal.
    fn tiles(
        &self,
        i: usize,
        other: &Self,
        j: usize,
        same: bool,
        interrupt: &Interrupt,
        mut visit: impl FnMut(Tile<'_>) -> Result<()>,
    ) -> Result<()> {
        let d = self.rows.rows.dim();
        let (mut x, mut y, mut products) = (Vec::<f32>::new(), Vec::<f32>::new(), Vec::new());
        self.rows.block(i, &mut x);
        if !same {
            other.rows.block(j, &mut y);
        }
        let y = if same { &x } else { &y };
        for (a, x) in x.chunks(TILE * d).enumerate() {
            for (b, y) in y.chunks(TILE * d).enumerate().take(if same { a + 1 } else { usize::MAX }) {
                interrupt.check()?;
                product::tile(x, y, d, &mut products);
                let (first_row, first_column) = (i * BLOCK + a * TILE, j * BLOCK + b * TILE);
                let rows = first_row..first_row + x.len() / d;
                let columns = first_column..first_column + y.len() / d;
                visit(Tile {
                    products: &products,
                    first_row,
                    first_column,
                    row_low: &self.low[rows.clone()],
                    row_high: &self.high[rows],
                    column_low: &other.low[columns.clone()],
                    column_high: &other.high[columns],
                })?;
            }
        }
        Ok(())
    }
}

/// Products of some rows with others, and what turns them into bounds of squared distances.
struct Tile<'a> {
    products: &'a [f32],
    first_row: usize,
    first_column: usize,
    row_low: &'a [f32],
    row_high: &'a [f32],
    column_low: &'a [f32],
    column_high: &'a [f32],
}

impl Tile<'_> {
    fn row(&self, r: usize) -> &[f32] {
        let width = self.column_low.len();
        &self.products[r * width..(r + 1) * width]
    }

    fn bounds(&self, r: usize, c: usize, product: f32) -> (f32, f32) {
        (
            self.row_low[r] + self.column_low[c] - 2.0 * product,
            self.row_high[r] + self.column_high[c] - 2.0 * product,
        )
    }

    /// Call `hit` with each column of a row whose lower bound is not above the threshold, which is what it returned last.
    fn look_along_row(&self, r: usize, mut threshold: f32, mut hit: impl FnMut(usize, f32, f32) -> f32) {
        let row = self.row(r);
        for (chunk, (products, low)) in row.chunks(LOOK).zip(self.column_low.chunks(LOOK)).enumerate() {
            if simd::dispatch(Any { products, low, threshold: threshold - self.row_low[r] }) {
                for (c, &product) in products.iter().enumerate() {
                    let (low, high) = self.bounds(r, chunk * LOOK + c, product);
                    if low <= threshold {
                        threshold = hit(chunk * LOOK + c, low, high);
                    }
                }
            }
        }
    }

    /// The same with a threshold for each column.
    fn look_across(&self, r: usize, thresholds: &mut [f32], mut hit: impl FnMut(usize, f32, f32) -> f32) {
        let row = self.row(r);
        for (chunk, ((products, low), thresholds)) in
            row.chunks(LOOK).zip(self.column_low.chunks(LOOK)).zip(thresholds.chunks_mut(LOOK)).enumerate()
        {
            if simd::dispatch(AnyOf { products, low, row_low: self.row_low[r], thresholds }) {
                for (c, &product) in products.iter().enumerate() {
                    let (low, high) = self.bounds(r, chunk * LOOK + c, product);
                    if low <= thresholds[c] {
                        thresholds[c] = hit(chunk * LOOK + c, low, high);
                    }
                }
            }
        }
    }
}

/// Whether any lower bound is not above one threshold.
struct Any<'a> {
    products: &'a [f32],
    low: &'a [f32],
    threshold: f32,
}

impl simd::Op for Any<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut any = 0_u32;
        for (&product, &low) in self.products.iter().zip(self.low) {
            any |= u32::from(low - 2.0 * product <= self.threshold);
        }
        any != 0
    }
}

/// Whether any lower bound is not above the threshold of its column.
struct AnyOf<'a> {
    products: &'a [f32],
    low: &'a [f32],
    row_low: f32,
    thresholds: &'a [f32],
}

impl simd::Op for AnyOf<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut any = 0_u32;
        for ((&product, &low), &threshold) in self.products.iter().zip(self.low).zip(self.thresholds) {
            any |= u32::from(self.row_low + low - 2.0 * product <= threshold);
        }
        any != 0
    }
}

/// The search of one row for its k nearest.
struct Nearest {
    k: usize,
    /// No pair of a higher lower bound can be among the k nearest.
    threshold: f32,
    /// The k lowest upper bounds, ascending.
    upper: Vec<f32>,
    /// Who may be among them, with lower bounds.
    candidates: Vec<(f32, usize)>,
    /// The k smallest squares among those computed, ascending.
    exact: Vec<f64>,
    room: usize,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self {
            k,
            threshold: f32::INFINITY,
            upper: Vec::new(),
            candidates: Vec::new(),
            exact: Vec::new(),
            room: 4 * k + 16,
        }
    }

    fn offer(&mut self, (low, high): (f32, f32), other: usize, exact: impl FnOnce() -> f64) {
        if self.room == 0 {
            // So many were alike that bounds do not pay: from here on each is computed.
            return self.take(exact());
        }
        self.candidates.push((low, other));
        let at = self.upper.partition_point(|&bound| bound <= high);
        if at < self.k {
            self.upper.truncate(self.k - 1);
            self.upper.insert(at, high);
            if self.upper.len() == self.k {
                self.threshold = self.threshold.min(self.upper[self.k - 1]);
            }
        }
        if self.candidates.len() >= self.room {
            let threshold = self.threshold;
            self.candidates.retain(|&(low, _)| low <= threshold);
            if self.candidates.len() > self.room / 2 {
                self.room = if self.room > 16 * self.k + 64 { 0 } else { 2 * self.room };
            }
        }
    }

    /// Take the square of one distance into account.
    fn take(&mut self, square: f64) {
        let at = self.exact.partition_point(|&s| s <= square);
        if at < self.k {
            self.exact.truncate(self.k - 1);
            self.exact.insert(at, square);
            if self.exact.len() == self.k {
                let last = self.exact[self.k - 1];
                // Nothing is nearer than 0.
                let bound = if last == 0.0 { f32::NEG_INFINITY } else { (last * (1.0 + 1e-6)) as f32 };
                self.threshold = self.threshold.min(bound);
            }
        }
    }

    /// Compute the squares of the candidates that are left.
    fn settle(&mut self, exact: impl Fn(usize) -> f64) {
        for (low, other) in std::mem::take(&mut self.candidates) {
            if low <= self.threshold {
                self.take(exact(other));
            }
        }
    }
}
