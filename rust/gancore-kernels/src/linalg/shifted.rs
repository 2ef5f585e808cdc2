//! Rows moved and scaled, given out in blocks that are ready for products.

use std::ops::Range;

use super::product::{Factor, Packed, TILE};
use super::rows::{Product, Rows, STRETCH, SquaredDifference, SumOf2};
use crate::error::Result;
use crate::num::Real;
use crate::pool::{self, Interrupt};
use crate::simd;

/// Numbers of a block: bringing them in order costs little beside the products that are taken of them, and a thread has
/// no more than two blocks.
const NUMBERS: usize = 1 << 23;

/// So few rows are no tile of their own behind others, but part of the last: to bring the others to them would cost as
/// much as for a whole tile.
const REST: usize = 48;

/// Tiles of a block at most.
const TILES: usize = 16;

/// Blocks that there are at least, for as many rows as make so many tiles: they are spread over threads.
const LEAST: usize = 4;

/// Rows moved by a centre and multiplied by a power of two, given out in blocks.
#[derive(Debug, Clone, Copy)]
pub struct Shifted<'a, T> {
    /// The rows as they are.
    pub rows: &'a Rows<'a, T>,
    /// What is subtracted from each.
    pub center: &'a [f64],
    /// What the difference is multiplied by.
    pub scale: f64,
    /// Which rows, in which order; all, if None.
    pub chosen: Option<&'a [usize]>,
}

impl<T: Real> Shifted<'_, T> {
    /// Rows of a block: whole tiles, and so many that neither memory nor the number of blocks is lacking. Chosen rows
    /// are work for one thread.
    fn height(&self) -> usize {
        let most = (NUMBERS / (TILE * self.rows.dim())).clamp(1, TILES);
        let tiles = self.len().div_ceil(TILE);
        let least = if self.chosen.is_some() { 1 } else { LEAST };
        tiles.div_ceil(tiles.div_ceil(most).max(least)) * TILE
    }

    /// How many rows are given out.
    pub fn len(&self) -> usize {
        self.chosen.map_or(self.rows.len(), <[usize]>::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> usize {
        self.len().div_ceil(self.height())
    }

    /// Positions of the rows of a block.
    pub fn span(&self, block: usize) -> Range<usize> {
        let height = self.height();
        block * height..((block + 1) * height).min(self.len())
    }

    /// Where the row at a position stands in the whole.
    #[inline(always)]
    pub fn at(&self, position: usize) -> usize {
        self.chosen.map_or(position, |chosen| chosen[position])
    }

    /// The rows of a block, rounded to the type of the product, tile by tile.
    pub fn block<P: Factor>(&self, block: usize, tiles: &mut Vec<Packed<P>>) {
        let span = self.span(block);
        tiles.resize_with(span.len().saturating_sub(REST).div_ceil(TILE).max(1), Packed::default);
        let count = tiles.len();
        for (i, (tile, first)) in tiles.iter_mut().zip(span.clone().step_by(TILE)).enumerate() {
            let rows = if i + 1 == count { span.end - first } else { TILE };
            tile.pack(rows, |r| self.rows.row(self.at(first + r)), self.center, self.scale);
        }
    }

    /// For each row, in the order of the whole: the square of its length after shift and scale.
    pub fn squares(&self, interrupt: &Interrupt) -> Result<Vec<f64>> {
        self.measure(interrupt, |row| self.square(row))
    }

    /// The same, and the row's product, as it is, with the centre.
    pub fn squares_and_projections(&self, interrupt: &Interrupt) -> Result<Vec<(f64, f64)>> {
        self.measure(interrupt, |row| (self.square(row), simd::dispatch(SumOf2(row, self.center, Product))))
    }

    fn square(&self, row: &[T]) -> f64 {
        simd::dispatch(SumOf2(row, self.center, SquaredDifference)) * self.scale * self.scale
    }

    fn measure<M: Default + Clone + Send>(
        &self,
        interrupt: &Interrupt,
        of: impl Fn(&[T]) -> M + Sync,
    ) -> Result<Vec<M>> {
        let mut out = vec![M::default(); self.rows.len()];
        pool::for_each_chunk_mut(&mut out, STRETCH, |i, values| {
            interrupt.check()?;
            for (offset, value) in values.iter_mut().enumerate() {
                *value = of(self.rows.row(i * STRETCH + offset));
            }
            Ok(())
        })?;
        Ok(out)
    }
}
