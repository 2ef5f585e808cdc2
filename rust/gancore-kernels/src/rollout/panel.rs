//! Products of float32 rows with a matrix that is packed once: rows of four, outputs of sixteen.
//!
//! Multiplications and additions stay apart, so every instruction set gives the same bits; sums run over the depth in
//! order, in float32, as in any dense float32 product.

use crate::simd::{self, Op};

/// Outputs worked on at once: a full AVX-512 register.
pub const WIDTH: usize = 16;
/// Rows worked on at once: their sums are as many chains of additions as hide the latency of one.
pub const HEIGHT: usize = 4;

/// Sixteen outputs.
pub type Lane = [f32; WIDTH];
/// A number of each of four rows.
pub type Quad = [f32; HEIGHT];

/// A matrix (outputs, depth) and a bias, in tiles of sixteen outputs.
#[derive(Debug)]
pub struct Panels {
    weights: Vec<Lane>,
    bias: Vec<Lane>,
    depth: usize,
}

impl Panels {
    /// Pack a matrix whose rows are `depth` long, and the bias of each row.
    pub fn pack(matrix: &[f32], depth: usize, bias: &[f32]) -> Self {
        let tiles = bias.len().div_ceil(WIDTH);
        let mut packed =
            Self { weights: vec![[0.0; WIDTH]; tiles * depth], bias: vec![[0.0; WIDTH]; tiles], depth };
        for (output, (row, &bias)) in matrix.chunks_exact(depth.max(1)).zip(bias).enumerate() {
            let (tile, lane) = (output / WIDTH, output % WIDTH);
            packed.bias[tile][lane] = bias;
            for (k, &weight) in row.iter().enumerate() {
                packed.weights[tile * depth + k][lane] = weight;
            }
        }
        packed
    }

    /// How far apart rows of the product stand.
    pub fn stride(&self) -> usize {
        self.bias.len() * WIDTH
    }

    /// The weights, (depth, 16), and the bias of each tile.
    #[inline(always)]
    pub fn tiles(&self) -> impl Iterator<Item = (&[Lane], &Lane)> {
        self.weights.chunks_exact(self.depth).zip(&self.bias)
    }

    /// Rows times the matrix plus the bias, into rows that stand a stride apart.
    pub fn product(&self, rows: &[f32], out: &mut [f32]) {
        let groups: Vec<Vec<Quad>> = quads(rows, self.depth);
        simd::dispatch(Product { panels: self, groups: &groups, out });
    }
}

/// Rows in groups of four, number by number; what is missing from the last group is 0.
pub fn quads(rows: &[f32], depth: usize) -> Vec<Vec<Quad>> {
    rows.chunks(HEIGHT * depth)
        .map(|four| {
            let mut group = vec![[0.0; HEIGHT]; depth];
            for (place, row) in four.chunks_exact(depth).enumerate() {
                for (quad, &x) in group.iter_mut().zip(row) {
                    quad[place] = x;
                }
            }
            group
        })
        .collect()
}

struct Product<'a> {
    panels: &'a Panels,
    groups: &'a [Vec<Quad>],
    out: &'a mut [f32],
}

impl Op for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stride = self.panels.stride();
        for (tile, (weights, bias)) in self.panels.tiles().enumerate() {
            for (group, out) in self.groups.iter().zip(self.out.chunks_mut(HEIGHT * stride)) {
                let sums = accumulate(group, weights, *bias);
                for (sums, out) in sums.iter().zip(out.chunks_exact_mut(stride)) {
                    out[tile * WIDTH..][..WIDTH].copy_from_slice(sums);
                }
            }
        }
    }
}

/// Sixteen outputs of four rows.
#[inline(always)]
pub fn accumulate(group: &[Quad], weights: &[Lane], start: Lane) -> [Lane; HEIGHT] {
    let mut sums = [start; HEIGHT];
    for (x, weights) in group.iter().zip(weights) {
        for (sums, &x) in sums.iter_mut().zip(x) {
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum += x * weight;
            }
        }
    }
    sums
}
