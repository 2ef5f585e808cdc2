//! Rows on their way into the scatter, in the order in which products read them.

use super::ROWS;
use crate::error::Result;
use crate::linalg::product::{Factor, Packed, TILE};
use crate::num::Real;
use crate::pool;
use crate::simd;

const WIDE: usize = <f64 as Factor>::PANEL;
const STRETCH: usize = <f64 as Factor>::STRETCH;

/// Elements below which a batch is copied where it is.
const TASK: usize = 1 << 16;

/// Rows that are copied together: their features, a cache line each, then follow one another.
const TOGETHER: usize = 8;

/// [`ROWS`] rows and one more, in bands of features; what products call a row is a feature here, their depth a row.
#[derive(Debug, Clone)]
pub(super) struct Block {
    bands: Vec<Packed<f64>>,
    dim: usize,
}

impl Block {
    pub fn new(dim: usize) -> Self {
        let bands =
            (0..dim).step_by(TILE).map(|left| Packed::zeros(TILE.min(dim - left), ROWS + 1)).collect();
        Self { bands, dim }
    }

    pub fn bands(&self) -> &[Packed<f64>] {
        &self.bands
    }

    pub fn set(&mut self, row: usize, feature: usize, value: f64) {
        self.bands[feature / TILE].set(feature % TILE, row, value);
    }

    pub fn row(&self, row: usize) -> impl Iterator<Item = f64> {
        (0..self.dim).map(move |j| self.bands[j / TILE].get(j % TILE, row))
    }

    /// Write rows, relative to the origin, from one on.
    pub fn write<T: Real>(&mut self, first: usize, rows: &[T], origin: &[f64]) -> Result<()> {
        let dim = self.dim;
        let write = |b: usize, band: &mut Packed<f64>| {
            let left = b * TILE;
            let origin = &origin[left..][..band.rows()];
            simd::dispatch(Write { rows, dim, left, origin, band, first });
        };
        if rows.len() < TASK {
            for (b, band) in self.bands.iter_mut().enumerate() {
                write(b, band);
            }
            return Ok(());
        }
        pool::for_each_chunk_mut(&mut self.bands, 1, |b, bands| {
            for band in bands {
                write(b, band);
            }
            Ok(())
        })
    }

    /// Mean of each feature over the first rows; zero for none.
    pub fn means(&self, rows: usize) -> Vec<f64> {
        self.bands.iter().flat_map(|band| means(band, rows)).collect()
    }

    /// Take the means of the first rows away from them, and write them as the row after.
    pub fn centre(&mut self, rows: usize) -> Result<()> {
        pool::for_each_chunk_mut(&mut self.bands, 1, |_, bands| {
            for band in bands {
                let means = means(band, rows);
                simd::dispatch(Shift { band, rows, means: &means });
                for (feature, mean) in means.into_iter().enumerate() {
                    band.set(feature, rows, mean);
                }
            }
            Ok(())
        })
    }
}

fn means(band: &Packed<f64>, rows: usize) -> Vec<f64> {
    let mut means = vec![0.0; band.rows()];
    simd::dispatch(Means { band, rows, out: &mut means });
    means
}

struct Write<'a, T> {
    rows: &'a [T],
    dim: usize,
    left: usize,
    origin: &'a [f64],
    band: &'a mut Packed<f64>,
    first: usize,
}

impl<T: Real> simd::Op for Write<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut first = self.first;
        for rows in self.rows.chunks(TOGETHER * self.dim) {
            for (p, origin) in self.origin.chunks(WIDE).enumerate() {
                for (r, row) in rows.chunks_exact(self.dim).enumerate() {
                    let k = first + r;
                    let to = &mut self.band.span_mut(p, k / STRETCH)[k % STRETCH * WIDE..][..WIDE];
                    let from = &row[self.left + p * WIDE..][..origin.len()];
                    for ((to, &x), origin) in to.iter_mut().zip(from).zip(origin) {
                        *to = x.into() - origin;
                    }
                }
            }
            first += rows.len() / self.dim;
        }
    }
}

struct Means<'a> {
    band: &'a Packed<f64>,
    rows: usize,
    out: &'a mut [f64],
}

impl simd::Op for Means<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (p, means) in self.out.chunks_mut(WIDE).enumerate() {
            let mut total = [0.0; WIDE];
            for from in (0..self.rows).step_by(STRETCH) {
                let span = self.band.span(p, from / STRETCH);
                let (lines, _) = span[..STRETCH.min(self.rows - from) * WIDE].as_chunks::<WIDE>();
                // Short sums first, so that rounding grows with neither number.
                let mut sums = [0.0; WIDE];
                for line in lines {
                    for (sum, x) in sums.iter_mut().zip(line) {
                        *sum += x;
                    }
                }
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total += sum;
                }
            }
            for (mean, total) in means.iter_mut().zip(total) {
                *mean = total / self.rows.max(1) as f64;
            }
        }
    }
}

struct Shift<'a> {
    band: &'a mut Packed<f64>,
    rows: usize,
    means: &'a [f64],
}

impl simd::Op for Shift<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (p, means) in self.means.chunks(WIDE).enumerate() {
            let mut wide = [0.0; WIDE];
            wide[..means.len()].copy_from_slice(means);
            for from in (0..self.rows).step_by(STRETCH) {
                let span = self.band.span_mut(p, from / STRETCH);
                let (lines, _) = span[..STRETCH.min(self.rows - from) * WIDE].as_chunks_mut::<WIDE>();
                for line in lines {
                    for (x, mean) in line.iter_mut().zip(&wide) {
                        *x -= mean;
                    }
                }
            }
        }
    }
}
