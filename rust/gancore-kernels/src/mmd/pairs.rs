//! Sums of a kernel over all pairs of rows, block by block and tile by tile.

use super::kernel::Value;
use super::problem::{Measures, Sums, Within};
use crate::error::Result;
use crate::linalg::desk::{Desk, Desks};
use crate::linalg::product::{self, Factor, Packed, TILE};
use crate::linalg::shifted::Shifted;
use crate::num::{Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::simd::{self, LANES};

/// Tasks whose sums are kept before they are added up.
const ROUND: usize = 256;

/// Rows of one sample, their terms and squares, and the kernel.
pub(super) struct Side<'a, T, K> {
    pub rows: Shifted<'a, T>,
    pub measures: &'a Measures,
    pub kernel: K,
}

/// Sums of one pair of blocks: by rows, by columns, of squares.
struct BlockSums(Vec<f64>, Vec<f64>, f64);

/// All sums of two samples. Those of a block each are packed once for all three products.
pub(super) fn all<T: Real, P: Factor, K: Value>(
    x: &Side<'_, T, K>,
    y: &Side<'_, T, K>,
    desk: &mut Desk<P>,
    interrupt: &Interrupt,
) -> Result<Sums> {
    let (within_x, within_y, BlockSums(x_rows, y_rows, squares)) = if x.rows.blocks() == 1
        && y.rows.blocks() == 1
    {
        desk.forget();
        let (x_tiles, y_tiles, products) = desk.lay((&x.rows, 0), Some((&y.rows, 0)));
        (
            x.tiles(0, x_tiles, None, products, interrupt)?,
            y.tiles(0, y_tiles, None, products, interrupt)?,
            x.tiles(0, x_tiles, Some((y, 0, y_tiles)), products, interrupt)?,
        )
    } else {
        (x.pairs::<P>(None, interrupt)?, y.pairs::<P>(None, interrupt)?, x.pairs::<P>(Some(y), interrupt)?)
    };
    Ok(Sums { x: x.within(within_x), y: y.within(within_y), x_rows, y_rows, squares })
}

impl<T: Real, K: Value> Side<'_, T, K> {
    /// Sums over all i != j, from those over i > j.
    fn within(&self, BlockSums(mut rows, columns, squares): BlockSums) -> Within {
        for (row, column) in rows.iter_mut().zip(columns) {
            *row += column;
        }
        let mut diagonal = Compensated::default();
        for position in 0..self.rows.len() {
            let i = self.rows.at(position);
            let Measures { terms, squares } = self.measures;
            diagonal.add(self.kernel.value(squares[i], terms[i], terms[i]));
        }
        Within { rows, squares: 2.0 * squares, diagonal: diagonal.value() }
    }

    /// Sums over all pairs with another side; within this one if there is none, over i > j.
    fn pairs<P: Factor>(&self, other: Option<&Self>, interrupt: &Interrupt) -> Result<BlockSums> {
        let to = other.unwrap_or(self);
        let tasks: Vec<(usize, usize)> = (0..self.rows.blocks())
            .flat_map(|i| (0..if other.is_some() { to.rows.blocks() } else { i + 1 }).map(move |j| (i, j)))
            .collect();
        let (mut rows, mut columns) = (vec![0.0; self.rows.len()], vec![0.0; to.rows.len()]);
        let (desks, mut squares) = (Desks::<P>::default(), Compensated::default());
        for round in tasks.chunks(ROUND) {
            let outcomes = pool::map_indexed(round.len(), 2, |task| {
                let (i, j) = round[task];
                let pair = other.is_some() || i != j;
                desks.at(i, |desk| {
                    let (x, y, products) = desk.lay((&self.rows, i), pair.then_some((&to.rows, j)));
                    self.tiles(i, x, pair.then_some((to, j, y)), products, interrupt)
                })
            })?;
            for (&(i, j), outcome) in round.iter().zip(outcomes) {
                let BlockSums(by_row, by_column, square) = outcome?;
                for (sum, value) in rows[self.rows.span(i)].iter_mut().zip(by_row) {
                    *sum += value;
                }
                for (sum, value) in columns[to.rows.span(j)].iter_mut().zip(by_column) {
                    *sum += value;
                }
                squares.add(square);
            }
        }
        Ok(BlockSums(rows, columns, squares.value()))
    }

    /// Sums over a packed block with another of another side; with itself if there is none, over i > j.
    fn tiles<P: Factor>(
        &self,
        i: usize,
        x: &[Packed<P>],
        other: Option<(&Self, usize, &[Packed<P>])>,
        products: &mut Vec<P>,
        interrupt: &Interrupt,
    ) -> Result<BlockSums> {
        let triangle = other.is_none();
        let (to, j, y) = other.unwrap_or((self, i, x));
        let terms = |side: &Self, block| -> Vec<f64> {
            side.rows.span(block).map(|position| side.measures.terms[side.rows.at(position)]).collect()
        };
        let (x_terms, y_terms) = (terms(self, i), terms(to, j));
        let mut sums = BlockSums(vec![0.0; x_terms.len()], vec![0.0; y_terms.len()], 0.0);
        let mut squares = Compensated::default();
        for (a, x) in x.iter().enumerate() {
            for (b, y) in y.iter().enumerate().take(if triangle { a + 1 } else { usize::MAX }) {
                interrupt.check()?;
                let lower = triangle && a == b;
                product::tile(x, y, lower, products)?;
                let (rows, columns) = (a * TILE..a * TILE + x.rows(), b * TILE..b * TILE + y.rows());
                squares.add(simd::dispatch(TileSums {
                    kernel: self.kernel,
                    values: products,
                    lower,
                    x_terms: &x_terms[rows.clone()],
                    y_terms: &y_terms[columns.clone()],
                    by_row: &mut sums.0[rows],
                    by_column: &mut sums.1[columns],
                }));
            }
        }
        sums.2 = squares.value();
        Ok(sums)
    }
}

/// Adds a tile's kernel values by rows and by columns; run, the sum of their squares. Of a lower tile, what is below
/// the diagonal.
struct TileSums<'a, P, K> {
    kernel: K,
    values: &'a [P],
    lower: bool,
    x_terms: &'a [f64],
    y_terms: &'a [f64],
    by_row: &'a mut [f64],
    by_column: &'a mut [f64],
}

impl<P: Real, K: Value> simd::Op for TileSums<'_, P, K> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut squares = [0.0; LANES];
        for (i, ((row, &x), sum)) in
            self.values.chunks_exact(self.y_terms.len()).zip(self.x_terms).zip(self.by_row).enumerate()
        {
            let width = if self.lower { i } else { row.len() };
            let (row, rest) = row[..width].as_chunks::<LANES>();
            let (terms, rest_terms) = self.y_terms[..width].as_chunks::<LANES>();
            let (columns, rest_columns) = self.by_column[..width].as_chunks_mut::<LANES>();
            let mut sums = [0.0; LANES];
            for ((products, terms), columns) in row.iter().zip(terms).zip(columns) {
                let mut wide = [0.0; LANES];
                for l in 0..LANES {
                    wide[l] = products[l].into();
                }
                let values = self.kernel.values(wide, x, *terms);
                for l in 0..LANES {
                    sums[l] += values[l];
                    columns[l] += values[l];
                    squares[l] += values[l] * values[l];
                }
            }
            if !rest.is_empty() {
                let (mut wide, mut terms) = ([0.0; LANES], [0.0; LANES]);
                for l in 0..rest.len() {
                    wide[l] = rest[l].into();
                    terms[l] = rest_terms[l];
                }
                let values = self.kernel.values(wide, x, terms);
                for l in 0..rest.len() {
                    sums[l] += values[l];
                    rest_columns[l] += values[l];
                    squares[l] += values[l] * values[l];
                }
            }
            *sum += ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
        }
        squares.iter().sum()
    }
}
