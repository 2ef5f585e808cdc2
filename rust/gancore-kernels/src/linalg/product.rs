//! Products of rows X Y^T on the calling thread, in blocks that fit the caches (Goto and van de Geijn 2008; Van Zee and
//! van de Geijn 2015).
//!
//! Rows are brought once into the order in which they are multiplied ([`Packed`]). A product walks over stretches of the
//! depth; for each it holds a few rows of X in the first cache, all of Y in the second, and a corner of the product of
//! these few rows with as many columns as registers hold (file `corner`).
//!
//! This is dense linear algebra: multiply and add are fused where the instruction set can, and the sums are cut as its
//! registers are, so that another machine may round differently. An entry is a sum of d products in some order, within
//! g / (1 - g) of |x|.|y| for g = d u, u the unit roundoff (Higham 2002, eq. 3.5). The number of threads changes nothing.

use pulp::Simd;

use crate::error::{Error, Result};
use crate::num::Real;
use crate::simd;

mod ahead;
mod corner;
mod packed;

use ahead::Ahead;
pub use packed::Packed;

/// Rows of a tile: two of them and their product stay in the second cache, stretch by stretch.
pub const TILE: usize = 240;

/// An element type whose products are taken.
pub trait Factor: Real + Default + std::fmt::Debug {
    /// Unit roundoff.
    const UNIT: f64;
    /// Rows that lie side by side in a [`Packed`]: as many numbers as a cache line holds.
    const PANEL: usize;
    /// Depth of a stretch: those of two tiles and of the next two, and the product, fill the second cache.
    const STRETCH: usize;
    /// A vector of an instruction set.
    type Vector<S: Simd>: Copy;

    /// The same number in each lane.
    fn splat<S: Simd>(self, simd: S) -> Self::Vector<S>;
    /// a b + c, fused if that is one instruction.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// a + b
    fn add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
}

macro_rules! factor {
    ($type:ident, $vector:ident, $panel:literal, $stretch:literal, $splat:ident, $multiply_add:ident, $add:ident) => {
        impl Factor for $type {
            const UNIT: f64 = 0.5 * $type::EPSILON as f64;
            const PANEL: usize = $panel;
            const STRETCH: usize = $stretch;
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(self, simd: S) -> S::$vector {
                simd.$splat(self)
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$multiply_add(a, b, c)
            }

            #[inline(always)]
            fn add<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
        }
    };
}

factor!(f32, f32s, 16, 160, splat_f32s, mul_add_e_f32s, add_f32s);
factor!(f64, f64s, 8, 96, splat_f64s, mul_add_e_f64s, add_f64s);

/// Which entries of a product are computed, and what becomes of those that were there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// The lower triangle alone, diagonal included; what is above it is of no meaning.
    pub lower: bool,
    /// Add to what is there.
    pub add: bool,
}

/// X Y^T over the first `depth` numbers of each row, into a row-major matrix whose rows begin `stride` numbers apart.
pub fn multiply<P: Factor>(
    x: &Packed<P>,
    y: &Packed<P>,
    depth: usize,
    way: Way,
    out: &mut [P],
    stride: usize,
) -> Result<()> {
    if x.depth() != y.depth() || depth > x.depth() {
        return Err(Error::shape("y", format!("rows of {} numbers", x.depth()), y.depth().to_string()));
    }
    if x.rows() == 0 || y.rows() == 0 {
        return Ok(());
    }
    if stride < y.rows() || out.len() < (x.rows() - 1) * stride + y.rows() {
        let expected = format!("room for {} x {} numbers", x.rows(), y.rows());
        return Err(Error::shape("out", expected, out.len().to_string()));
    }
    if depth == 0 && !way.add {
        for row in out.chunks_mut(stride).take(x.rows()) {
            row[..y.rows()].fill(P::default());
        }
    }
    simd::dispatch_vectors(Multiply { x, y, depth, way, out, stride });
    Ok(())
}

/// X Y^T (or its lower triangle) of two tiles, row by row.
pub fn tile<P: Factor>(x: &Packed<P>, y: &Packed<P>, lower: bool, out: &mut Vec<P>) -> Result<()> {
    out.resize(x.rows() * y.rows(), P::default());
    multiply(x, y, x.depth(), Way { lower, add: false }, out, y.rows())
}

/// Columns of the widest corner.
const SPARE: usize = 48;

struct Multiply<'a, P> {
    x: &'a Packed<P>,
    y: &'a Packed<P>,
    depth: usize,
    way: Way,
    out: &'a mut [P],
    stride: usize,
}

impl<P: Factor> pulp::WithSimd for Multiply<'_, P> {
    type Output = ();

    /// Corners have as many sums as registers hold beside what they are made of: more of them would be spilled, fewer
    /// would have the next multiplication wait for the last.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.walk::<S, 8, 3>(simd);
        } else if S::IS_SCALAR {
            self.walk::<S, 4, 4>(simd);
        } else {
            self.walk::<S, 6, 2>(simd);
        }
    }
}

impl<P: Factor> Multiply<'_, P> {
    /// Corner after corner of R rows and V vectors.
    #[inline(always)]
    fn walk<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let lanes = size_of::<P::Vector<S>>() / size_of::<P>();
        let (rows, columns) = (self.x.rows(), self.y.rows());
        let mut spare = [P::default(); 8 * SPARE];
        for from in (0..self.depth).step_by(P::STRETCH) {
            let depth = P::STRETCH.min(self.depth - from);
            let add = self.way.add || from > 0;
            let corners = rows.div_ceil(R) * columns.div_ceil(V * lanes);
            let corners = if self.way.lower { corners.div_ceil(2) } else { corners };
            let mut ahead = Ahead::new(self.x, self.y, from, corners);
            for i in (0..rows).step_by(R) {
                let high = R.min(rows - i);
                let end = if self.way.lower { columns.min(i + R) } else { columns };
                let mut x = [self.x.at(i, from).as_ptr(); R];
                for r in 1..high {
                    x[r] = self.x.at(i + r, from).as_ptr();
                }
                let mut j = 0;
                while j < end {
                    let vectors = corner::vectors(V, (end - j).div_ceil(lanes));
                    let mut y = [x[0]; V];
                    for v in 0..vectors {
                        y[v] = self.y.at(j + v * lanes, from).as_ptr();
                    }
                    let wide = (vectors * lanes).min(columns - j);
                    ahead.step();
                    let at = i * self.stride + j;
                    let whole = high == R && wide == vectors * lanes;
                    let (to, stride, add_here) = if whole {
                        (self.out[at..].as_mut_ptr(), self.stride, add)
                    } else {
                        (spare.as_mut_ptr(), SPARE, false)
                    };
                    // SAFETY: each pointer of x and of y is that of a row in a panel at depth `from`, of y the first of
                    // a vector, and `Packed` has `depth` more numbers PANEL apart from there. A whole corner lies
                    // within `out`, whose size `multiply` has checked; any fits into `spare`.
                    unsafe { corner::compute(simd, depth, x, y, vectors, (to, stride), add_here) };
                    if !whole {
                        for r in 0..high {
                            let target = &mut self.out[at + r * self.stride..][..wide];
                            for (value, &sum) in target.iter_mut().zip(&spare[r * SPARE..]) {
                                *value = if add { P::round((*value).into() + sum.into()) } else { sum };
                            }
                        }
                    }
                    j += vectors * lanes;
                }
            }
        }
    }
}
