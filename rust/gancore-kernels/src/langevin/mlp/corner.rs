//! The innermost part of a layer: a panel of outputs for two vectors of chains, all sums in registers.

use pulp::Simd;

use super::{PANEL, Row, WIDTH};

/// Vectors of chains that are worked on at once.
const VECTORS: usize = 2;

/// What becomes of sums before they are written.
#[derive(Clone, Copy)]
pub(super) enum Finish<'a> {
    /// Nothing.
    Keep,
    /// Negative ones are multiplied by this.
    Rectify(f32),
    /// They are multiplied by this where these numbers, row by row, are not positive.
    Gate(f32, &'a [Row]),
}

/// Write panels of W x + b, finished, for all chains of a tile; `out` has a row each output, up to whole panels.
#[inline(always)]
pub(super) fn product<S: Simd>(
    simd: S,
    panels: &[[f32; PANEL]],
    bias: &[[f32; PANEL]],
    x: &[Row],
    out: &mut [Row],
    finish: Finish<'_>,
) {
    for (i, (panel, out)) in panels.chunks_exact(x.len()).zip(out.as_chunks_mut::<PANEL>().0).enumerate() {
        let start = bias.get(i).copied().unwrap_or([0.0; PANEL]);
        for group in (0..WIDTH).step_by(VECTORS * S::F32_LANES) {
            let mut sums = accumulate(simd, panel, start, x, group);
            match finish {
                Finish::Keep => {}
                Finish::Rectify(slope) => {
                    let zero = simd.splat_f32s(0.0);
                    for sums in &mut sums {
                        for sum in sums {
                            let negative = simd.less_than_f32s(*sum, zero);
                            *sum = simd.select_f32s(negative, damped(simd, slope, *sum), *sum);
                        }
                    }
                }
                Finish::Gate(slope, values) => {
                    let zero = simd.splat_f32s(0.0);
                    for (sums, value) in sums.iter_mut().zip(&values[i * PANEL..]) {
                        let value = vectors::<S>(value, group);
                        for (sum, &value) in sums.iter_mut().zip(value) {
                            let positive = simd.less_than_f32s(zero, value);
                            *sum = simd.select_f32s(positive, *sum, damped(simd, slope, *sum));
                        }
                    }
                }
            }
            for (row, sums) in out.iter_mut().zip(&sums) {
                let (row, _) = S::as_mut_simd_f32s(&mut row.0[group..]);
                for (place, &sum) in row.iter_mut().zip(sums) {
                    *place = sum;
                }
            }
        }
    }
}

/// A multiple of a vector: 0 times infinity is 0 here, as it is where a rectifier cuts.
#[inline(always)]
fn damped<S: Simd>(simd: S, slope: f32, x: S::f32s) -> S::f32s {
    if slope == 0.0 { simd.splat_f32s(0.0) } else { simd.mul_f32s(simd.splat_f32s(slope), x) }
}

/// The vectors of a row from a chain on.
#[inline(always)]
fn vectors<S: Simd>(row: &Row, group: usize) -> &[S::f32s] {
    S::as_simd_f32s(&row.0[group..]).0
}

#[inline(always)]
fn accumulate<S: Simd>(
    simd: S,
    panel: &[[f32; PANEL]],
    start: [f32; PANEL],
    x: &[Row],
    group: usize,
) -> [[S::f32s; VECTORS]; PANEL] {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; PANEL];
    for (sums, start) in sums.iter_mut().zip(start) {
        *sums = [simd.splat_f32s(start); VECTORS];
    }
    for (weights, x) in panel.iter().zip(x) {
        let Some(x) = vectors::<S>(x, group).first_chunk::<VECTORS>() else { break };
        for r in 0..PANEL {
            let weight = simd.splat_f32s(weights[r]);
            for n in 0..VECTORS {
                sums[r][n] = simd.mul_add_e_f32s(weight, x[n], sums[r][n]);
            }
        }
    }
    sums
}
