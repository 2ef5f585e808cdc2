//! The discrete Fourier transform of series in lanes, in place, without putting frequencies in order.
//!
//! Decimation in frequency takes series to frequencies in bit-reversed order, decimation in time takes those back
//! (Cooley and Tukey 1965; Gentleman and Sande 1966): what is done to each frequency by itself needs no order.

use super::series::Row;
use crate::num;
use crate::simd::{self, LANES};

/// Roots of unity for transforms of one length, a power of two.
pub(super) struct Plan {
    /// exp(-2 pi i k / length) for k below half of it.
    roots: Vec<(f64, f64)>,
}

impl Plan {
    pub(super) fn new(length: usize) -> Self {
        let root = |k: usize| {
            let (sine, cosine) = num::sin_cos_turn(k as f64 / length as f64);
            (cosine, -sine)
        };
        Self { roots: (0..length / 2).map(root).collect() }
    }

    pub(super) fn length(&self) -> usize {
        2 * self.roots.len()
    }

    /// Add the squared magnitudes of the transform of `real` + i `imaginary`, which are used up, to `power`.
    pub(super) fn add_power(&self, real: &mut [Row], imaginary: &mut [Row], power: &mut [Row]) {
        simd::dispatch(AddPower { plan: self, real, imaginary, power });
    }

    /// Replace a power spectrum by the real part of its inverse transform: sums of lagged products.
    pub(super) fn lagged(&self, power: &mut [Row], scratch: &mut [Row]) {
        scratch.fill([0.0; LANES]);
        simd::dispatch(Lagged { plan: self, power, scratch });
    }
}

struct AddPower<'a> {
    plan: &'a Plan,
    real: &'a mut [Row],
    imaginary: &'a mut [Row],
    power: &'a mut [Row],
}

impl simd::Op for AddPower<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut half = self.real.len() / 2;
        while half > 0 {
            let blocks = self.real.chunks_exact_mut(2 * half).zip(self.imaginary.chunks_exact_mut(2 * half));
            for (real, imaginary) in blocks {
                let (real, real_far) = real.split_at_mut(half);
                let (imaginary, imaginary_far) = imaginary.split_at_mut(half);
                let near = real.iter_mut().zip(imaginary);
                let far = real_far.iter_mut().zip(imaginary_far);
                let roots = self.plan.roots.iter().step_by(self.plan.roots.len() / half);
                for (((a, b), (c, d)), &(cosine, sine)) in near.zip(far).zip(roots) {
                    // Copies, for the compiler cannot know that the four rows do not overlap.
                    let (p, q, r, s) = (*a, *b, *c, *d);
                    let mut out = [[0.0; LANES]; 4];
                    for i in 0..LANES {
                        let (x, y) = (p[i] - r[i], q[i] - s[i]);
                        out[0][i] = p[i] + r[i];
                        out[1][i] = q[i] + s[i];
                        out[2][i] = x * cosine - y * sine;
                        out[3][i] = x * sine + y * cosine;
                    }
                    [*a, *b, *c, *d] = out;
                }
            }
            half /= 2;
        }
        for ((power, real), imaginary) in self.power.iter_mut().zip(self.real).zip(self.imaginary) {
            for i in 0..LANES {
                power[i] += real[i] * real[i] + imaginary[i] * imaginary[i];
            }
        }
    }
}

struct Lagged<'a> {
    plan: &'a Plan,
    power: &'a mut [Row],
    scratch: &'a mut [Row],
}

impl simd::Op for Lagged<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut half = 1;
        while 2 * half <= self.power.len() {
            let blocks = self.power.chunks_exact_mut(2 * half).zip(self.scratch.chunks_exact_mut(2 * half));
            for (real, imaginary) in blocks {
                let (real, real_far) = real.split_at_mut(half);
                let (imaginary, imaginary_far) = imaginary.split_at_mut(half);
                let near = real.iter_mut().zip(imaginary);
                let far = real_far.iter_mut().zip(imaginary_far);
                let roots = self.plan.roots.iter().step_by(self.plan.roots.len() / half);
                for (((a, b), (c, d)), &(cosine, sine)) in near.zip(far).zip(roots) {
                    let (p, q, r, s) = (*a, *b, *c, *d);
                    let mut out = [[0.0; LANES]; 4];
                    for i in 0..LANES {
                        let x = r[i] * cosine + s[i] * sine;
                        let y = s[i] * cosine - r[i] * sine;
                        out[0][i] = p[i] + x;
                        out[1][i] = q[i] + y;
                        out[2][i] = p[i] - x;
                        out[3][i] = q[i] - y;
                    }
                    [*a, *b, *c, *d] = out;
                }
            }
            half *= 2;
        }
        let scale = 1.0 / self.power.len() as f64;
        for row in self.power {
            for i in 0..LANES {
                row[i] *= scale;
            }
        }
    }
}
