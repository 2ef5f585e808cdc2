//! Bounds of the squares of all distances, from float32 products.

use crate::error::{Error, Result};
use crate::linalg::desk::Desks;
use crate::linalg::product::{self, Factor, TILE};
use crate::linalg::rows::Rows;
use crate::linalg::shifted::Shifted;
use crate::num::Real;
use crate::pool::Interrupt;
use crate::simd;

/// Entries of a tile that are looked at together.
const LOOK: usize = 32;

/// A power of two that brings all rows below 1/4, so that float32 products neither overflow nor vanish.
pub(super) fn scale<T: Real>(sets: &[&Rows<'_, T>]) -> f64 {
    let largest = sets.iter().map(|rows| rows.largest).fold(0.0, f64::max);
    if largest < 1e-150 {
        return 1.0;
    }
    (-largest.log2().ceil() - 3.0).exp2()
}

/// Rows of one side with the bounds of their squares.
pub(super) struct Bounds<'a, T> {
    pub rows: Shifted<'a, T>,
    /// (1 - e) |a|^2 and (1 + e) |a|^2, rounded away from the truth.
    low: Vec<f32>,
    high: Vec<f32>,
}

impl<'a, T: Real> Bounds<'a, T> {
    pub fn new(rows: &'a Rows<'a, T>, center: &'a [f64], scale: f64, interrupt: &Interrupt) -> Result<Self> {
        let rows = Shifted { rows, center, scale, chosen: None };
        let g = (rows.rows.dim() as f64 + 32.0) * f32::UNIT;
        if g >= 0.5 {
            return Err(Error::shape("x", "at most 8 million features", rows.rows.dim().to_string()));
        }
        let relative = g / (1.0 - g);
        // What products below the range of float32 may lack.
        let absolute = rows.rows.dim() as f64 * 1e-36;
        let squares = rows.squares(interrupt)?;
        let low = squares.iter().map(|s| (s * (1.0 - relative) - absolute) as f32).collect();
        let high = squares.iter().map(|s| (s * (1.0 + relative) + absolute) as f32).collect();
        Ok(Self { rows, low, high })
    }

    pub fn squared_scale(&self) -> f64 {
        self.rows.scale * self.rows.scale
    }

    /// Give out the tiles of a block with one of another side; of a block with itself, without another, what is below
    /// the diagonal. Tasks on the same two sides share desks.
    pub fn tiles(
        &self,
        i: usize,
        other: Option<(&Self, usize)>,
        desks: &Desks<f32>,
        interrupt: &Interrupt,
        mut visit: impl FnMut(Tile<'_>) -> Result<()>,
    ) -> Result<()> {
        let same = other.is_none();
        let (to, j) = other.unwrap_or((self, i));
        let (first_row, first_column) = (self.rows.span(i).start, to.rows.span(j).start);
        desks.at(i, |desk| {
            let (x, y, products) = desk.lay((&self.rows, i), other.map(|(to, j)| (&to.rows, j)));
            for (a, x) in x.iter().enumerate() {
                for (b, y) in y.iter().enumerate().take(if same { a + 1 } else { usize::MAX }) {
                    interrupt.check()?;
                    let lower = same && a == b;
                    product::tile(x, y, lower, products)?;
                    let (first_row, first_column) = (first_row + a * TILE, first_column + b * TILE);
                    let rows = first_row..first_row + x.rows();
                    let columns = first_column..first_column + y.rows();
                    visit(Tile {
                        products,
                        lower,
                        first_row,
                        first_column,
                        row_low: &self.low[rows.clone()],
                        row_high: &self.high[rows],
                        column_low: &to.low[columns.clone()],
                        column_high: &to.high[columns],
                    })?;
                }
            }
            Ok(())
        })
    }
}

/// Products of some rows with others, and what turns them into bounds of squared distances.
pub(super) struct Tile<'a> {
    products: &'a [f32],
    /// Of the tile with itself, what is below the diagonal.
    lower: bool,
    pub first_row: usize,
    pub first_column: usize,
    pub row_low: &'a [f32],
    row_high: &'a [f32],
    pub column_low: &'a [f32],
    column_high: &'a [f32],
}

impl Tile<'_> {
    fn row(&self, r: usize) -> &[f32] {
        let width = self.column_low.len();
        &self.products[r * width..][..if self.lower { r } else { width }]
    }

    fn bounds(&self, r: usize, c: usize, product: f32) -> (f32, f32) {
        (
            self.row_low[r] + self.column_low[c] - 2.0 * product,
            self.row_high[r] + self.column_high[c] - 2.0 * product,
        )
    }

    /// Call `hit` with each column of a row whose lower bound is not above the threshold, which is what it returned last.
    pub fn look_along_row(&self, r: usize, mut threshold: f32, mut hit: impl FnMut(usize, f32, f32) -> f32) {
        let (row, mut from) = (self.row(r), 0);
        while let Some(found) = simd::dispatch(Find {
            products: &row[from..],
            low: &self.column_low[from..],
            threshold: threshold - self.row_low[r],
        }) {
            let to = row.len().min(from + found + LOOK);
            for c in from + found..to {
                let (low, high) = self.bounds(r, c, row[c]);
                if low <= threshold {
                    threshold = hit(c, low, high);
                }
            }
            from = to;
        }
    }

    /// The same with a threshold for each column.
    pub fn look_across(&self, r: usize, thresholds: &mut [f32], mut hit: impl FnMut(usize, f32, f32) -> f32) {
        let (row, mut from) = (self.row(r), 0);
        while let Some(found) = simd::dispatch(FindOf {
            products: &row[from..],
            low: &self.column_low[from..],
            row_low: self.row_low[r],
            thresholds: &thresholds[from..],
        }) {
            let to = row.len().min(from + found + LOOK);
            for c in from + found..to {
                let (low, high) = self.bounds(r, c, row[c]);
                if low <= thresholds[c] {
                    thresholds[c] = hit(c, low, high);
                }
            }
            from = to;
        }
    }
}

/// Where the first [`LOOK`] entries begin with any lower bound not above one threshold.
struct Find<'a> {
    products: &'a [f32],
    low: &'a [f32],
    threshold: f32,
}

impl simd::Op for Find<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run(self) -> Option<usize> {
        let chunks = self.products.chunks(LOOK).zip(self.low.chunks(LOOK));
        for (chunk, (products, low)) in chunks.enumerate() {
            let mut any = 0_u32;
            for (&product, &low) in products.iter().zip(low) {
                any |= u32::from(low - 2.0 * product <= self.threshold);
            }
            if any != 0 {
                return Some(chunk * LOOK);
            }
        }
        None
    }
}

/// The same with a threshold for each column.
struct FindOf<'a> {
    products: &'a [f32],
    low: &'a [f32],
    row_low: f32,
    thresholds: &'a [f32],
}

impl simd::Op for FindOf<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run(self) -> Option<usize> {
        let columns = self.low.chunks(LOOK).zip(self.thresholds.chunks(LOOK));
        for (chunk, (products, (low, thresholds))) in self.products.chunks(LOOK).zip(columns).enumerate() {
            let mut any = 0_u32;
            for ((&product, &low), &threshold) in products.iter().zip(low).zip(thresholds) {
                any |= u32::from(self.row_low + low - 2.0 * product <= threshold);
            }
            if any != 0 {
                return Some(chunk * LOOK);
            }
        }
        None
    }
}
