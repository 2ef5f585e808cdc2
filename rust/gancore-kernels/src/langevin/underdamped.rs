//! Chains with velocities: underdamped dynamics, split into kick, drift, friction, drift, kick (BAOAB).
//!
//! ```text
//! dx = sqrt(T) v dt,  dv = -grad E(x) / sqrt(T) dt - gamma v dt + sqrt(2 gamma) dW    over a time h = sqrt(2 eta)
//! v <- v - (h/2) g / sqrt(T);  x <- x + (h/2) sqrt(T) v;  v <- e^(-gamma h) v + sqrt(1 - e^(-2 gamma h)) xi;
//! x <- x + (h/2) sqrt(T) v;    v <- v - (h/2) g' / sqrt(T)
//! ```
//!
//! Leimkuhler and Matthews, *Rational construction of stochastic numerical methods for molecular sampling* (2013),
//! section 2. Velocities are in units of the root of the temperature: N(0, I) when stationary. Positions of a Gaussian
//! have its variance at any stable step.

use super::Dynamics;
use super::mixture::WIDTH;
use super::number::Number;
use super::tile::{Column, lanes};
use crate::num;
use crate::rng::Address;

/// Factors of a step.
#[derive(Clone, Copy)]
pub(super) struct Glide<N> {
    /// (h/2) / sqrt(T).
    kick: N,
    /// (h/2) sqrt(T).
    drift: N,
    /// e^(-gamma h).
    keep: N,
    /// sqrt(1 - e^(-2 gamma h)).
    fresh: N,
}

impl<N: Number> Glide<N> {
    pub(super) fn new(dynamics: Dynamics, friction: f64) -> Self {
        let time = (2.0 * dynamics.step_size).sqrt();
        let (half, root) = (0.5 * time, dynamics.temperature.sqrt());
        let keep = num::exp(-friction * time);
        Self {
            kick: N::round(half / root),
            drift: N::round(half * root),
            keep: N::round(keep),
            fresh: N::round((1.0 - keep * keep).sqrt()),
        }
    }

    /// Everything but the last kick: velocities and positions, coordinate by coordinate, from the gradients there.
    #[inline(always)]
    pub(super) fn advance(
        self,
        x: &mut [Column<N>],
        velocity: &mut [Column<N>],
        gradient: &[Column<N>],
        address: Address,
        first: u64,
    ) {
        self.kick(velocity, gradient);
        let lanes = lanes(first);
        for ((block, x), velocity) in (0..).zip(x.chunks_mut(4)).zip(velocity.chunks_mut(4)) {
            let normals = if x.len() <= 2 {
                N::normals::<1>(address, &[block; WIDTH], &lanes)
            } else {
                N::normals::<2>(address, &[block; WIDTH], &lanes)
            };
            for ((x, v), normal) in x.iter_mut().zip(velocity).zip(&normals) {
                for i in 0..WIDTH {
                    let middle = x[i] + self.drift * v[i];
                    v[i] = self.keep * v[i] + self.fresh * normal[i];
                    x[i] = middle + self.drift * v[i];
                }
            }
        }
    }

    /// Half a step of the force.
    #[inline(always)]
    pub(super) fn kick(self, velocity: &mut [Column<N>], gradient: &[Column<N>]) {
        for (v, slope) in velocity.iter_mut().zip(gradient) {
            for i in 0..WIDTH {
                v[i] = v[i] - self.kick * slope[i];
            }
        }
    }
}
