//! Dense linear algebra: products of rows are our own ([`product`]), all else is on faer.
//!
//! Matrices are row-major slices; of symmetric ones the lower triangle is read. faer runs on the calling thread (its own
//! threads wait by spinning); what is parallel here is so by bands of fixed rows through [`pool`], and gives the same
//! bits for any number of threads. faer chooses its instruction set itself and fuses multiply and add, so another
//! machine may round differently.

use faer::linalg::matmul::{matmul, triangular};
use faer::{Accum, MatMut, MatRef, Par};

use crate::error::Result;
use crate::pool::{self, Interrupt};

pub mod desk;
pub mod eigen;
pub mod factor;
pub mod product;
pub mod rows;
pub mod shifted;
pub mod spectrum;

use product::{Packed, TILE, Way};

pub use eigen::symmetric_eigenvalues as eigenvalues;
pub use factor::{Factor, Pivoted, cholesky, pivoted_cholesky};
pub use spectrum::{congruence, product_singular_values, singular_vectors};

/// Rows of a product that one task computes.
const BAND: usize = 128;

/// Add X^T X to the lower triangle of a matrix, for X of `rows` rows whose columns begin `stride` numbers apart; what is
/// above the diagonal is of no meaning then.
pub fn add_gram(
    sum: &mut [f64],
    columns: &[f64],
    rows: usize,
    stride: usize,
    interrupt: &Interrupt,
) -> Result<()> {
    let dim = columns.len() / stride.max(1);
    let zeros = vec![0.0; rows];
    let bands = pool::map_indexed(dim.div_ceil(TILE), 2, |band| {
        let (mut packed, first) = (Packed::default(), band * TILE);
        let column = |j| &columns[(first + j) * stride..][..rows];
        packed.pack(TILE.min(dim - first), column, &zeros, 1.0);
        packed
    })?;
    add_gram_of_bands(sum, &bands, rows, interrupt)
}

/// The same for columns that are packed in bands of [`TILE`], as far as their first `rows` numbers go.
pub fn add_gram_of_bands(
    sum: &mut [f64],
    bands: &[Packed<f64>],
    rows: usize,
    interrupt: &Interrupt,
) -> Result<()> {
    let dim: usize = bands.iter().map(Packed::rows).sum();
    pool::for_each_chunk_mut(sum, TILE * dim, |i, target| {
        for (j, other) in bands[..=i].iter().enumerate() {
            interrupt.check()?;
            let way = Way { lower: i == j, add: true };
            product::multiply(&bands[i], other, rows, way, &mut target[j * TILE..], dim)?;
        }
        Ok(())
    })
}

/// Copy the lower triangle of a square matrix to the upper one.
pub fn mirror(a: &mut [f64], dim: usize) {
    // Tiles, because walking down a column of a large matrix misses the cache at every step.
    const TILE: usize = 32;
    for top in (0..dim).step_by(TILE) {
        for left in (0..=top).step_by(TILE) {
            for i in top..(top + TILE).min(dim) {
                for j in left..(left + TILE).min(i) {
                    a[j * dim + i] = a[i * dim + j];
                }
            }
        }
    }
}

/// Target = (or +=) weight A B, on the calling thread.
fn multiply(target: MatMut<'_, f64>, how: Accum, a: MatRef<'_, f64>, b: MatRef<'_, f64>, weight: f64) {
    matmul(target, how, a, b, weight, Par::Seq);
}

/// Lower triangle of the target += weight A B, on the calling thread.
fn multiply_lower(target: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, weight: f64) {
    let (half, full) = (triangular::BlockStructure::TriangularLower, triangular::BlockStructure::Rectangular);
    triangular::matmul(target, half, Accum::Add, a, full, b, full, weight, Par::Seq);
}
