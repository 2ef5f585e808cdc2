//! The innermost part of a product: a few rows by a few vectors of columns, all sums in registers.

use pulp::Simd;

use super::Factor;

/// How many vectors of those left a corner of at most `most` takes: no single one stays behind if that can be helped.
#[inline(always)]
pub(super) fn vectors(most: usize, left: usize) -> usize {
    if left == most + 1 && most > 2 { most - 1 } else { left.min(most) }
}

/// Write (or add) the products over `depth` of R rows with the first `vectors` vectors of columns to a matrix, given
/// with the distance between its rows.
///
/// # Safety
///
/// Each x can be read at multiples of `PANEL` below `depth` times it, each of the vectors of y likewise, and R rows of
/// that many vectors can be written.
#[inline(always)]
pub(super) unsafe fn compute<S: Simd, P: Factor, const R: usize, const V: usize>(
    simd: S,
    depth: usize,
    x: [*const P; R],
    y: [*const P; V],
    vectors: usize,
    to: (*mut P, usize),
    add: bool,
) {
    // SAFETY: that of this function; `vectors` is at most V.
    unsafe {
        match vectors {
            1 => sums::<S, P, R, V, 1>(simd, depth, x, y, to, add),
            2 => sums::<S, P, R, V, 2>(simd, depth, x, y, to, add),
            3 => sums::<S, P, R, V, 3>(simd, depth, x, y, to, add),
            _ => sums::<S, P, R, V, V>(simd, depth, x, y, to, add),
        }
    }
}

/// The same for a number of vectors known to the compiler, which so keeps all sums in registers; N is at most V.
#[inline(always)]
unsafe fn sums<S: Simd, P: Factor, const R: usize, const V: usize, const N: usize>(
    simd: S,
    depth: usize,
    x: [*const P; R],
    y: [*const P; V],
    (to, stride): (*mut P, usize),
    add: bool,
) {
    if N > V {
        return;
    }
    let lanes = size_of::<P::Vector<S>>() / size_of::<P>();
    let zero = P::default().splat(simd);
    let mut sums = [[zero; N]; R];
    // SAFETY: that of `compute`.
    unsafe {
        for k in 0..depth {
            let mut vectors = [zero; N];
            for n in 0..N {
                vectors[n] = y[n].add(k * P::PANEL).cast::<P::Vector<S>>().read_unaligned();
            }
            for r in 0..R {
                let value = (*x[r].add(k * P::PANEL)).splat(simd);
                for n in 0..N {
                    sums[r][n] = P::multiply_add(simd, value, vectors[n], sums[r][n]);
                }
            }
        }
        for r in 0..R {
            for n in 0..N {
                let at = to.add(r * stride + n * lanes).cast::<P::Vector<S>>();
                let sum = if add { P::add(simd, at.read_unaligned(), sums[r][n]) } else { sums[r][n] };
                at.write_unaligned(sum);
            }
        }
    }
}
