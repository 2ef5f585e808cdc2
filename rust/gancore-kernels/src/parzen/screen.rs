//! Which samples matter to a point: products in float32 tell, for half the price of those in float64.
//!
//! With u the unit roundoff of float32, |x|^2 + |s|^2 - 2 x.s is off by at most (d + 8) u (|x|^2 + |s|^2) for rounded
//! rows and any order of summation (Higham 2002, section 3.1). So all samples that are farther than the nearest one by
//! twice that and by the reach are known to weigh nothing; the others are few, and their distances are computed anew.

use crate::error::Result;
use crate::linalg::product::{self, Factor, Packed, TILE};
use crate::num::Real;
use crate::simd;

/// Lanes of float32 that are compared at once.
const WIDTH: usize = 2 * simd::LANES;

/// A tile with more than one candidate in so many pairs is better taken in float64 as a whole.
const SPARSE: usize = 16;

/// Squares of lengths between which float32 neither overflows nor loses what matters.
const LEAST: f64 = 1e-20;
const LARGEST: f64 = 1e30;

/// Samples in float32, and half the squares of their lengths.
pub(super) struct Screen {
    /// Tile by tile.
    samples: Vec<Packed<f32>>,
    halves: Vec<f32>,
    largest: f64,
    reach: f64,
    dim: usize,
}

impl Screen {
    /// None if float32 cannot hold the samples. A sample farther by `reach` than the nearest one weighs nothing.
    pub fn new(samples: &[f64], norms: &[f64], reach: f64, dim: usize) -> Option<Self> {
        let largest = norms.iter().copied().fold(0.0, f64::max);
        ((LEAST..LARGEST).contains(&largest) && reach < LARGEST).then(|| Self {
            samples: samples.chunks(TILE * dim).map(|rows| packed(rows, dim)).collect(),
            halves: norms.iter().map(|&norm| <f32 as Real>::round(0.5 * norm)).collect(),
            largest,
            reach,
            dim,
        })
    }

    /// Begin with a block of points; None if float32 cannot hold them.
    pub fn of(&self, points: &[f64], norms: &[f64]) -> Option<Screened<'_>> {
        norms.iter().all(|&norm| norm < LARGEST).then(|| Screened {
            screen: self,
            points: packed(points, self.dim),
            slack: norms
                .iter()
                .map(|norm| (self.dim as f64 + 8.0) * f32::UNIT * (norm + self.largest) + 0.5 * self.reach)
                .collect(),
            least: vec![f64::INFINITY; norms.len()],
            tile: Vec::new(),
            found: Vec::new(),
        })
    }
}

/// Rows, ready for products.
pub(super) fn packed<P: Factor>(rows: &[f64], dim: usize) -> Packed<P> {
    let mut packed = Packed::default();
    packed.pack(rows.len() / dim, |i| &rows[i * dim..(i + 1) * dim], &vec![0.0; dim], 1.0);
    packed
}

/// A block of points on its way over the samples.
pub(super) struct Screened<'a> {
    screen: &'a Screen,
    points: Packed<f32>,
    /// How far above the least one a half of a squared distance may be.
    slack: Vec<f64>,
    /// Least half of a squared distance so far, less the point's own part.
    least: Vec<f64>,
    tile: Vec<f32>,
    found: Vec<(u32, u32)>,
}

impl Screened<'_> {
    /// Pairs (point, sample) that may matter in a tile of samples, point by point; samples are counted from the tile's
    /// first. None if they are many.
    pub fn candidates(&mut self, at: usize) -> Result<Option<&[(u32, u32)]>> {
        let samples = &self.screen.samples[at];
        let count = samples.rows();
        product::tile(&self.points, samples, false, &mut self.tile)?;
        let halves = &self.screen.halves[at * TILE..][..count];
        self.found.clear();
        for (point, row) in self.tile.chunks_exact_mut(count).enumerate() {
            let near = simd::dispatch(Halves { row, halves });
            self.least[point] = self.least[point].min(f64::from(near));
            let limit = self.least[point] + self.slack[point];
            // Rounding to float32 must not lower it.
            let limit = <f32 as Real>::round(limit + limit.abs() * f64::from(f32::EPSILON));
            if near <= limit {
                simd::dispatch(Select { row, limit, point: point as u32, found: &mut self.found });
            }
            if self.found.len() > (point + 1) * count / SPARSE + count {
                return Ok(None);
            }
        }
        Ok((self.found.len() <= self.tile.len() / SPARSE).then_some(&self.found))
    }
}

/// Turn products into halves of squared distances, less the point's own part; the least of them.
struct Halves<'a> {
    row: &'a mut [f32],
    halves: &'a [f32],
}

impl simd::Op for Halves<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let mut least = [f32::INFINITY; WIDTH];
        let (row, row_rest) = self.row.as_chunks_mut::<WIDTH>();
        let (halves, halves_rest) = self.halves.as_chunks::<WIDTH>();
        for (values, halves) in row.iter_mut().zip(halves) {
            for lane in 0..WIDTH {
                values[lane] = halves[lane] - values[lane];
                least[lane] = if values[lane] < least[lane] { values[lane] } else { least[lane] };
            }
        }
        for (lane, (value, half)) in row_rest.iter_mut().zip(halves_rest).enumerate() {
            *value = half - *value;
            least[lane] = if *value < least[lane] { *value } else { least[lane] };
        }
        least.into_iter().fold(f32::INFINITY, f32::min)
    }
}

/// Write down which entries of a row are within the limit.
struct Select<'a> {
    row: &'a [f32],
    limit: f32,
    point: u32,
    found: &'a mut Vec<(u32, u32)>,
}

impl simd::Op for Select<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (chunk, values) in self.row.chunks(WIDTH).enumerate() {
            let mut within = 0_u32;
            for &value in values {
                within |= u32::from(value <= self.limit);
            }
            if within != 0 {
                for (lane, &value) in values.iter().enumerate() {
                    if value <= self.limit {
                        self.found.push((self.point, (chunk * WIDTH + lane) as u32));
                    }
                }
            }
        }
    }
}
