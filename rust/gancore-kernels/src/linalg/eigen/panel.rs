//! QR decomposition of a tall panel of B columns, by Householder reflectors.

use super::reflector::{NEGLIGIBLE, multiply_add};
use crate::simd::{self, Isa};

/// Factor a column-major panel of m rows: R above and on the diagonal, below it the reflectors v (v[0] = 1 is not
/// stored); their scalars tau.
pub fn factor<const B: usize>(panel: &mut [f64], m: usize) -> [f64; B] {
    let mut taus = [0.0; B];
    for k in 0..B.min(m) {
        let (done, rest) = panel.split_at_mut((k + 1) * m);
        let column = &mut done[k * m + k..];
        taus[k] = match simd::isa() {
            Isa::Scalar => simd::dispatch(Step::<false> { column, rest, m, k }),
            Isa::V3 | Isa::V4 => simd::dispatch(Step::<true> { column, rest, m, k }),
        };
    }
    taus
}

/// Make the reflector of a column and apply it to the columns after it.
struct Step<'a, const FUSED: bool> {
    column: &'a mut [f64],
    rest: &'a mut [f64],
    m: usize,
    k: usize,
}

impl<const FUSED: bool> simd::Op for Step<'_, FUSED> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Self { column, rest, m, k } = self;
        let Some((head, v)) = column.split_first_mut() else { return 0.0 };
        let squares = dot::<FUSED>(v, v);
        if squares < NEGLIGIBLE {
            v.fill(0.0);
            return 0.0;
        }
        let alpha = *head;
        let beta = -(alpha * alpha + squares).sqrt().copysign(alpha);
        let inverse = 1.0 / (alpha - beta);
        for x in v.iter_mut() {
            *x *= inverse;
        }
        *head = beta;
        let tau = (beta - alpha) / beta;
        for other in rest.chunks_exact_mut(m) {
            let Some((head, tail)) = other[k..].split_first_mut() else { continue };
            let weight = -tau * (*head + dot::<FUSED>(v, tail));
            *head += weight;
            axpy::<FUSED>(weight, v, tail);
        }
        tau
    }
}

/// Scalar product in sixteen stripes.
#[inline(always)]
fn dot<const FUSED: bool>(x: &[f64], y: &[f64]) -> f64 {
    const WIDE: usize = 16;
    let mut sums = [0.0; WIDE];
    let (xs, ys) = (x.chunks_exact(WIDE), y.chunks_exact(WIDE));
    let (x_tail, y_tail) = (xs.remainder(), ys.remainder());
    for (x, y) in xs.zip(ys) {
        for lane in 0..WIDE {
            sums[lane] = multiply_add::<FUSED>(x[lane], y[lane], sums[lane]);
        }
    }
    let mut sum: f64 = x_tail.iter().zip(y_tail).map(|(x, y)| x * y).sum();
    for width in [8, 4, 2, 1] {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    sum += sums[0];
    sum
}

#[inline(always)]
fn axpy<const FUSED: bool>(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = multiply_add::<FUSED>(a, *x, *y);
    }
}
