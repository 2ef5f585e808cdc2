//! Products of rows X Y^T in tiles, and the blocks of shifted rows that they are taken of.
//!
//! A tile is one product on the calling thread; who wants more threads spreads tiles over [`pool`]. As for all of faer,
//! another machine may round differently; the number of threads changes nothing.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::traits::ComplexField;
use faer::{Accum, MatMut, MatRef, Par};

use crate::error::{Error, Result};
use crate::num::{Map2, Real, sum_map2};
use crate::pool::{self, Interrupt};
use crate::simd;

/// Rows of a block: moving them costs little beside the products that are taken of them.
pub const BLOCK: usize = 1024;

/// Rows and columns of a tile, which stays in the second cache.
pub const TILE: usize = 256;

/// Rows that one task checks or sums.
const STRETCH: usize = 256;

/// An element type whose products are taken.
pub trait Factor: Real + ComplexField {
    /// Unit roundoff.
    const UNIT: f64;
    /// One.
    const ONE: Self;
}

impl Factor for f32 {
    const UNIT: f64 = 0.5 * f32::EPSILON as f64;
    const ONE: Self = 1.0;
}

impl Factor for f64 {
    const UNIT: f64 = 0.5 * f64::EPSILON;
    const ONE: Self = 1.0;
}

/// X Y^T of two blocks of rows of length d, row by row.
pub fn tile<T: Factor>(x: &[T], y: &[T], d: usize, out: &mut Vec<T>) {
    let (n, m) = (x.len() / d, y.len() / d);
    out.resize(n * m, T::round(0.0));
    matmul(
        MatMut::from_row_major_slice_mut(out, n, m),
        Accum::Replace,
        MatRef::from_row_major_slice(x, n, d),
        MatRef::from_row_major_slice(y, m, d).transpose(),
        T::ONE,
        Par::Seq,
    );
}

/// The lower triangle of X X^T, diagonal included; what is above it is of no meaning.
pub fn lower_tile<T: Factor>(x: &[T], d: usize, out: &mut Vec<T>) {
    let n = x.len() / d;
    out.resize(n * n, T::round(0.0));
    let rows = MatRef::from_row_major_slice(x, n, d);
    triangular::matmul(
        MatMut::from_row_major_slice_mut(out, n, n),
        BlockStructure::TriangularLower,
        Accum::Replace,
        rows,
        BlockStructure::Rectangular,
        rows.transpose(),
        BlockStructure::Rectangular,
        T::ONE,
        Par::Seq,
    );
}

/// Rows of finite numbers, all of one length.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    data: &'a [T],
    d: usize,
    /// Largest absolute value.
    pub largest: f64,
}

impl<'a, T: Real> Rows<'a, T> {
    /// Take rows of length d, at least `least` of them, and look for what is not finite.
    pub fn new(
        argument: &'static str,
        data: &'a [T],
        d: usize,
        least: usize,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        if d == 0 {
            return Err(Error::shape(argument, "at least one feature in a row", "none"));
        }
        let n = data.len() / d;
        if n < least {
            return Err(Error::shape(argument, format!("at least {least} rows"), n.to_string()));
        }
        let stretches = pool::map_indexed(n.div_ceil(STRETCH), 2, |i| {
            interrupt.check()?;
            Ok(simd::dispatch(Largest(&data[i * STRETCH * d..((i + 1) * STRETCH * d).min(data.len())])))
        })?;
        let mut largest = 0.0_f64;
        for stretch in stretches {
            let stretch: f64 = stretch?;
            largest = largest.max(stretch);
        }
        if largest.is_infinite() {
            let at = data.iter().position(|&v| !Into::<f64>::into(v).is_finite()).unwrap_or(0);
            return Err(Error::domain(
                argument,
                "be finite",
                format!("{} in row {}, column {}", Into::<f64>::into(data[at]), at / d, at % d),
            ));
        }
        if largest > 1e150 {
            return Err(Error::domain(
                argument,
                "be at most 1e150, for its squares to be finite",
                format!("{largest:e}"),
            ));
        }
        Ok(Self { data, d, largest })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.data.len() / self.d
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Length of a row.
    pub fn dim(&self) -> usize {
        self.d
    }

    /// One row.
    #[inline(always)]
    pub fn row(&self, i: usize) -> &'a [T] {
        &self.data[i * self.d..(i + 1) * self.d]
    }

    /// Squared distance to a row of other rows, from the differences: it is symmetric, and 0 if and only if the rows
    /// are equal (as far as squares do not underflow).
    pub fn squared_distance(&self, i: usize, other: &Rows<'_, T>, j: usize) -> f64 {
        simd::dispatch(SumOf2(self.row(i), other.row(j), SquaredDifference))
    }

    /// Sum of the rows, in stretches of fixed size.
    fn sum(&self, interrupt: &Interrupt) -> Result<Vec<f64>> {
        let stretches = pool::map_indexed(self.len().div_ceil(STRETCH), 2, |i| {
            interrupt.check()?;
            let mut total = vec![0.0; self.d];
            for row in i * STRETCH..((i + 1) * STRETCH).min(self.len()) {
                simd::dispatch(AddTo(&mut total, self.row(row)));
            }
            Ok(total)
        })?;
        let mut total = vec![0.0; self.d];
        for stretch in stretches {
            for (sum, value) in total.iter_mut().zip(stretch?) {
                *sum += value;
            }
        }
        Ok(total)
    }
}

/// The mean of all rows of two sets, rounded to float32 so that differences from it are rounded once.
pub fn center<T: Real>(x: &Rows<'_, T>, y: &Rows<'_, T>, interrupt: &Interrupt) -> Result<Vec<f64>> {
    let over = 1.0 / (x.len() + y.len()) as f64;
    let (x, y) = (x.sum(interrupt)?, y.sum(interrupt)?);
    Ok(x.iter()
        .zip(&y)
        .map(|(x, y)| {
            let mean = (x + y) * over;
            if mean.abs() < 1e30 { f64::from(mean as f32) } else { mean }
        })
        .collect())
}

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
        self.len().div_ceil(BLOCK)
    }

    /// Positions of the rows of a block.
    pub fn span(&self, block: usize) -> Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.len())
    }

    /// Where the row at a position stands in the whole.
    #[inline(always)]
    pub fn at(&self, position: usize) -> usize {
        self.chosen.map_or(position, |chosen| chosen[position])
    }

    /// Write the rows of a block, rounded to the type of the product.
    pub fn block<P: Factor>(&self, block: usize, out: &mut Vec<P>) {
        let (d, span) = (self.rows.d, self.span(block));
        out.resize(span.len() * d, P::round(0.0));
        for (target, i) in out.chunks_exact_mut(d).zip(span) {
            let row = self.rows.row(self.at(i));
            simd::dispatch(Shift { target, row, center: self.center, scale: self.scale });
        }
    }

    /// Square of the length of row i of the whole, after shift and scale.
    pub fn square(&self, i: usize) -> f64 {
        let square = simd::dispatch(SumOf2(self.rows.row(i), self.center, SquaredDifference));
        square * self.scale * self.scale
    }

    /// For each row, in the order of the whole: the square of its length after shift and scale, and its product, as
    /// it is, with the centre.
    pub fn squares_and_projections(&self, interrupt: &Interrupt) -> Result<Vec<(f64, f64)>> {
        let mut out = vec![(0.0, 0.0); self.rows.len()];
        pool::for_each_chunk_mut(&mut out, STRETCH, |i, values| {
            interrupt.check()?;
            for (offset, value) in values.iter_mut().enumerate() {
                let row = self.rows.row(i * STRETCH + offset);
                let projection = simd::dispatch(SumOf2(row, self.center, Product));
                *value = (self.square(i * STRETCH + offset), projection);
            }
            Ok(())
        })?;
        Ok(out)
    }
}

struct Largest<'a, T>(&'a [T]);

impl<T: Real> simd::Op for Largest<'_, T> {
    type Output = f64;

    /// Infinite if anything is not finite: a nan is turned into one, for maxima pass it by.
    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0_f64; simd::LANES];
        let (whole, rest) = self.0.as_chunks::<{ simd::LANES }>();
        for chunk in whole {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                let size = Into::<f64>::into(value).abs();
                // Also true of a nan.
                *lane = if size <= *lane {
                    *lane
                } else if size <= f64::MAX {
                    size
                } else {
                    f64::INFINITY
                };
            }
        }
        for (lane, &value) in lanes.iter_mut().zip(rest) {
            let size = Into::<f64>::into(value).abs();
            *lane = if size <= *lane {
                *lane
            } else if size <= f64::MAX {
                size
            } else {
                f64::INFINITY
            };
        }
        lanes.into_iter().fold(0.0, f64::max)
    }
}

struct AddTo<'a, T>(&'a mut [f64], &'a [T]);

impl<T: Real> simd::Op for AddTo<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sum, &value) in self.0.iter_mut().zip(self.1) {
            *sum += value.into();
        }
    }
}

struct SumOf2<'a, A, B, F>(&'a [A], &'a [B], F);

impl<A: Real, B: Real, F: Map2<A, B>> simd::Op for SumOf2<'_, A, B, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        sum_map2(self.0, self.1, &self.2)
    }
}

struct SquaredDifference;

impl<A: Real, B: Real> Map2<A, B> for SquaredDifference {
    #[inline(always)]
    fn map(&self, a: A, b: B) -> f64 {
        let difference = a.into() - b.into();
        difference * difference
    }
}

struct Product;

impl<A: Real, B: Real> Map2<A, B> for Product {
    #[inline(always)]
    fn map(&self, a: A, b: B) -> f64 {
        a.into() * b.into()
    }
}

struct Shift<'a, T, P> {
    target: &'a mut [P],
    row: &'a [T],
    center: &'a [f64],
    scale: f64,
}

impl<T: Real, P: Real> simd::Op for Shift<'_, T, P> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((target, &value), &center) in self.target.iter_mut().zip(self.row).zip(self.center) {
            *target = P::round((value.into() - center) * self.scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_holds_the_products_of_rows() {
        let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, -1.0, 2.0, 1.0, 0.5]);
        let mut out = Vec::new();
        tile::<f64>(&x, &y, 3, &mut out);
        assert_eq!(out, [-2.0, 5.5, -2.0, 16.0]);
    }

    #[test]
    fn what_is_not_finite_is_found_wherever_it_stands() {
        for at in [0, 7, 8, 4095, 4099] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut data = vec![1.0_f32; 4100];
                data[at] = bad;
                let error = Rows::new("x", &data, 4, 1, &Interrupt::new()).unwrap_err().to_string();
                assert!(error.contains(&format!("row {}, column {}", at / 4, at % 4)), "{error}");
            }
        }
    }
}
