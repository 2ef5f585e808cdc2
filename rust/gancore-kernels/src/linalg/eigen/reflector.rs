//! Householder reflectors H = I - tau v v^T of a fixed length, applied to blocks of a band.
//!
//! In the band's storage (see [`super::chase`]) the entries of a block of B columns lie as in a matrix of leading
//! dimension 2 B - 1: entry (k, i) at k + i (2 B - 1).

/// Below this sum of squares, of a matrix of norm about 1, what is to be annihilated is dropped: it is far below the
/// rounding of the matrix.
pub const NEGLIGIBLE: f64 = 1e-290;

/// I - tau v v^T with v[0] = 1.
#[derive(Debug, Clone, Copy)]
pub struct Reflector<const B: usize> {
    v: [f64; B],
    tau: f64,
}

/// a b + c, fused or not.
#[inline(always)]
pub fn multiply_add<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Scalar product in eight stripes.
#[inline(always)]
fn dot<const B: usize, const FUSED: bool>(x: &[f64; B], y: &[f64; B]) -> f64 {
    let mut sums = [0.0; 8];
    for start in (0..B).step_by(8) {
        for lane in 0..8 {
            sums[lane] = multiply_add::<FUSED>(x[start + lane], y[start + lane], sums[lane]);
        }
    }
    let half = [sums[0] + sums[4], sums[1] + sums[5], sums[2] + sums[6], sums[3] + sums[7]];
    (half[0] + half[2]) + (half[1] + half[3])
}

#[inline(always)]
fn load<const B: usize>(from: &[f64]) -> [f64; B] {
    let mut out = [0.0; B];
    out.copy_from_slice(&from[..B]);
    out
}

impl<const B: usize> Reflector<B> {
    /// The reflector that changes nothing.
    pub const fn identity() -> Self {
        Self { v: [0.0; B], tau: 0.0 }
    }

    /// The reflector that annihilates all of x but its first entry; applies it to x.
    #[inline(always)]
    pub fn annihilate<const FUSED: bool>(x: &mut [f64]) -> Self {
        let mut v: [f64; B] = load(x);
        let alpha = v[0];
        v[0] = 0.0;
        let squares = dot::<B, FUSED>(&v, &v);
        x[..B].fill(0.0);
        if squares < NEGLIGIBLE {
            x[0] = alpha;
            return Self::identity();
        }
        let beta = -(alpha * alpha + squares).sqrt().copysign(alpha);
        let inverse = 1.0 / (alpha - beta);
        for k in 0..B {
            v[k] *= inverse;
        }
        v[0] = 1.0;
        x[0] = beta;
        Self { v, tau: (beta - alpha) / beta }
    }
}

/// A <- H A H for the symmetric block on the diagonal, of which the lower triangle is held.
#[inline(always)]
pub fn two_sided<const B: usize, const FUSED: bool>(reflector: &Reflector<B>, block: &mut [f64]) {
    let Reflector { v, tau } = reflector;
    if *tau == 0.0 {
        return;
    }
    // Four columns at a time: a triangle, then whole groups of four rows.
    let mut w = [0.0; B];
    for i in (0..B).step_by(4) {
        let column = |c: usize| (i + c) * (2 * B - 1);
        let mut mirrored = [[0.0; 4]; 4];
        for k in (i + 4..B).step_by(4) {
            let mut sums: [f64; 4] = load(&w[k..]);
            let weights: [f64; 4] = load(&v[k..]);
            for c in 0..4 {
                let entries: [f64; 4] = load(&block[column(c) + k..]);
                for lane in 0..4 {
                    sums[lane] = multiply_add::<FUSED>(entries[lane], v[i + c], sums[lane]);
                    mirrored[c][lane] =
                        multiply_add::<FUSED>(entries[lane], weights[lane], mirrored[c][lane]);
                }
            }
            w[k..k + 4].copy_from_slice(&sums);
        }
        for c in 0..4 {
            let mut sum = (mirrored[c][0] + mirrored[c][2]) + (mirrored[c][1] + mirrored[c][3]);
            sum = multiply_add::<FUSED>(block[column(c) + i + c], v[i + c], sum);
            for k in c + 1..4 {
                let entry = block[column(c) + i + k];
                sum = multiply_add::<FUSED>(entry, v[i + k], sum);
                w[i + k] = multiply_add::<FUSED>(entry, v[i + c], w[i + k]);
            }
            w[i + c] += sum;
        }
    }
    // w = tau A v - (tau^2 v^T A v / 2) v; then A - v w^T - w v^T.
    let half = -0.5 * tau * tau * dot::<B, FUSED>(&w, v);
    for k in 0..B {
        w[k] = multiply_add::<FUSED>(half, v[k], tau * w[k]);
    }
    for i in (0..B).step_by(4) {
        for c in 0..4 {
            let (v_i, w_i) = (v[i + c], w[i + c]);
            let column = (i + c) * (2 * B - 1);
            for k in c..4 {
                let entry = &mut block[column + i + k];
                *entry = multiply_add::<FUSED>(-v_i, w[i + k], multiply_add::<FUSED>(-w_i, v[i + k], *entry));
            }
            for k in (i + 4..B).step_by(4) {
                let mut entries: [f64; 4] = load(&block[column + k..]);
                for lane in 0..4 {
                    entries[lane] = multiply_add::<FUSED>(
                        -v_i,
                        w[k + lane],
                        multiply_add::<FUSED>(-w_i, v[k + lane], entries[lane]),
                    );
                }
                block[column + k..column + k + 4].copy_from_slice(&entries);
            }
        }
    }
}

/// The block below the diagonal one takes H from the right; the reflector that then annihilates its first column is
/// applied to it from the left, and returned.
#[inline(always)]
pub fn pass_on<const B: usize, const FUSED: bool>(
    reflector: &Reflector<B>,
    block: &mut [f64],
) -> Reflector<B> {
    let Reflector { v, tau } = reflector;
    let column = |i: usize| B + i * (2 * B - 1);
    let mut w = [0.0; B];
    for i in 0..B {
        let entries: [f64; B] = load(&block[column(i)..]);
        for k in 0..B {
            w[k] = multiply_add::<FUSED>(v[i], entries[k], w[k]);
        }
    }
    for k in 0..B {
        w[k] *= -tau;
    }
    for k in 0..B {
        let entry = &mut block[column(0) + k];
        *entry = multiply_add::<FUSED>(v[0], w[k], *entry);
    }
    let next = Reflector::annihilate::<FUSED>(&mut block[column(0)..column(0) + B]);
    for i in 1..B {
        let place = &mut block[column(i)..column(i) + B];
        let mut entries: [f64; B] = load(place);
        for k in 0..B {
            entries[k] = multiply_add::<FUSED>(v[i], w[k], entries[k]);
        }
        let weight = -next.tau * dot::<B, FUSED>(&next.v, &entries);
        for k in 0..B {
            entries[k] = multiply_add::<FUSED>(weight, next.v[k], entries[k]);
        }
        place.copy_from_slice(&entries);
    }
    next
}
