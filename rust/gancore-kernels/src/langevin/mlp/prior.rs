//! Priors as push-forwards z = T(u) of standard normals, and gradients pulled back through them.
//!
//! ```text
//! normal  z = u        uniform  z = erf(u / sqrt 2), dz/du = sqrt(2/pi) e^(-u^2/2)
//! sphere  z = sqrt(d) u / |u|, J^T g = (sqrt(d) / |u|) (g - <g, u> u / |u|^2)
//! ```

use super::{Row, WIDTH};
use crate::num;

/// The distribution of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prior {
    /// N(0, 1) in each coordinate.
    Normal,
    /// U(-1, 1) in each coordinate.
    Uniform,
    /// Uniform on the sphere of radius sqrt(d).
    Sphere,
}

impl Prior {
    /// Carry normals to codes.
    #[inline(always)]
    pub(super) fn push(self, u: &[Row], z: &mut [Row]) {
        match self {
            Self::Normal => z.copy_from_slice(u),
            Self::Uniform => {
                for (z, u) in z.iter_mut().zip(u) {
                    for i in 0..WIDTH {
                        z.0[i] = erf(f64::from(u.0[i]) * std::f64::consts::FRAC_1_SQRT_2) as f32;
                    }
                }
            }
            Self::Sphere => {
                let square = dot(u, u);
                let root = (u.len() as f64).sqrt();
                for (z, u) in z.iter_mut().zip(u) {
                    for i in 0..WIDTH {
                        z.0[i] = (f64::from(u.0[i]) * (root / square[i].sqrt())) as f32;
                    }
                }
            }
        }
    }

    /// Carry gradients with respect to codes to those with respect to normals.
    #[inline(always)]
    pub(super) fn pull(self, u: &[Row], slopes: &mut [Row]) {
        match self {
            Self::Normal => {}
            Self::Uniform => {
                let factor = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
                for (slope, u) in slopes.iter_mut().zip(u) {
                    for i in 0..WIDTH {
                        let half = 0.5 * f64::from(u.0[i]) * f64::from(u.0[i]);
                        let density = num::exp_normal(-if half > 600.0 { 600.0 } else { half });
                        slope.0[i] = (f64::from(slope.0[i]) * (factor * density)) as f32;
                    }
                }
            }
            Self::Sphere => {
                let (square, along) = (dot(u, u), dot(u, slopes));
                let root = (u.len() as f64).sqrt();
                for (slope, u) in slopes.iter_mut().zip(u) {
                    for i in 0..WIDTH {
                        let across = f64::from(slope.0[i]) - along[i] / square[i] * f64::from(u.0[i]);
                        slope.0[i] = (root / square[i].sqrt() * across) as f32;
                    }
                }
            }
        }
    }
}

/// Products of columns.
#[inline(always)]
pub(super) fn dot(a: &[Row], b: &[Row]) -> [f64; WIDTH] {
    let mut sum = [0.0; WIDTH];
    for (a, b) in a.iter().zip(b) {
        for i in 0..WIDTH {
            sum[i] += f64::from(a.0[i]) * f64::from(b.0[i]);
        }
    }
    sum
}

/// erf x = 1 - e^(-x p(x)) for x >= 0, within 6e-9 of its value.
#[inline(always)]
fn erf(x: f64) -> f64 {
    // Where ln erfc is smooth: p interpolates it at the Chebyshev points of [0, 4.3], beyond which erf rounds to 1.
    let t = if x.abs() > 4.3 { 4.3 } else { x.abs() };
    let mut p = 5.234351543989e-10;
    for c in [
        -3.404816968849e-09,
        -1.688650091923e-07,
        3.634190163652e-06,
        -3.560028192303e-05,
        2.128304064162e-04,
        -8.268684183791e-04,
        1.899560661068e-03,
        -3.232294488967e-04,
        -1.908975802721e-02,
        1.027656836136e-01,
        6.366202646683e-01,
        1.128379161232e+00,
    ] {
        p = p * t + c;
    }
    (1.0 - num::exp_normal(-t * p)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::erf;

    #[test]
    fn erf_has_its_known_values() {
        // Abramowitz and Stegun, table 7.1.
        for (x, exact) in [(0.0, 0.0), (0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)]
        {
            assert!((erf(x) - exact).abs() < 5e-9 && (erf(-x) + exact).abs() < 5e-9, "{x}: {}", erf(x));
        }
        assert_eq!(erf(1e6) as f32, 1.0);
        assert!(erf(f64::NAN).is_nan());
    }
}
