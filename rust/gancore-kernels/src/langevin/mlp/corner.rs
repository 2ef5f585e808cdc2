//! The innermost part of a layer: a panel of outputs for two vectors of chains, all sums in registers.

use pulp::Simd;

use super::{PANEL, Row, WIDTH};

/// Outputs up to which a panel is narrow: with four vectors of chains their sums fill the registers as well.
const NARROW: usize = 3;

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

/// Write W x + b, finished, for all chains of a tile; `out` has a row each output.
#[inline(always)]
pub(super) fn product<S: Simd>(
    simd: S,
    panels: &[[f32; PANEL]],
    bias: &[[f32; PANEL]],
    x: &[Row],
    out: &mut [Row],
    finish: Finish<'_>,
) {
    let wide = WIDTH >= 4 * S::F32_LANES;
    for (i, (panel, out)) in panels.chunks_exact(x.len()).zip(out.chunks_mut(PANEL)).enumerate() {
        let start = bias.get(i).copied().unwrap_or([0.0; PANEL]);
        let finish = match finish {
            Finish::Gate(slope, values) => Finish::Gate(slope, &values[i * PANEL..]),
            other => other,
        };
        match (out.len(), wide) {
            (1, true) => part::<S, 1, 4>(simd, panel, start, x, out, finish),
            (2, true) => part::<S, 2, 4>(simd, panel, start, x, out, finish),
            (NARROW, true) => part::<S, NARROW, 4>(simd, panel, start, x, out, finish),
            (1..=NARROW, false) => part::<S, NARROW, 2>(simd, panel, start, x, out, finish),
            _ => part::<S, PANEL, 2>(simd, panel, start, x, out, finish),
        }
    }
}

/// The first R outputs of a panel, or as many as there are rows, for V vectors of chains at once.
#[inline(always)]
fn part<S: Simd, const R: usize, const V: usize>(
    simd: S,
    panel: &[[f32; PANEL]],
    start: [f32; PANEL],
    x: &[Row],
    out: &mut [Row],
    finish: Finish<'_>,
) {
    for group in (0..WIDTH).step_by(V * S::F32_LANES) {
        let mut sums = accumulate::<S, R, V>(simd, panel, start, x, group);
        match finish {
            Finish::Keep => {}
            Finish::Rectify(slope) => {
                for sums in &mut sums {
                    for sum in sums {
                        *sum = rectified(simd, slope, *sum);
                    }
                }
            }
            Finish::Gate(slope, values) => {
                let zero = simd.splat_f32s(0.0);
                for (sums, value) in sums.iter_mut().zip(values) {
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

/// A vector whose negative numbers are multiplied by `slope`; nan stays nan.
#[inline(always)]
fn rectified<S: Simd>(simd: S, slope: f32, x: S::f32s) -> S::f32s {
    let low = damped(simd, slope, x);
    if S::F32_LANES > 1 && (0.0..=1.0).contains(&slope) {
        // Vectors, unlike single numbers, give the second where one of the two is nan.
        simd.max_f32s(low, x)
    } else {
        simd.select_f32s(simd.less_than_f32s(x, simd.splat_f32s(0.0)), low, x)
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
fn accumulate<S: Simd, const R: usize, const V: usize>(
    simd: S,
    panel: &[[f32; PANEL]],
    start: [f32; PANEL],
    x: &[Row],
    group: usize,
) -> [[S::f32s; V]; R] {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (sums, start) in sums.iter_mut().zip(start) {
        *sums = [simd.splat_f32s(start); V];
    }
    for (weights, x) in panel.iter().zip(x) {
        let Some(x) = vectors::<S>(x, group).first_chunk::<V>() else { break };
        for r in 0..R {
            let weight = simd.splat_f32s(weights[r]);
            for n in 0..V {
                sums[r][n] = simd.mul_add_e_f32s(weight, x[n], sums[r][n]);
            }
        }
    }
    sums
}
