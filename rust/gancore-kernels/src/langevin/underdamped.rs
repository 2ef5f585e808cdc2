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

use std::ops::{Add, Mul, Sub};

use super::Dynamics;
use super::chains::lanes;
use super::mixture::WIDTH;
use crate::num;
use crate::rng::Address;

/// A number of a tile, in whose arithmetic chains walk.
pub(super) trait Number:
    Copy + Default + Send + Sync + Add<Output = Self> + Mul<Output = Self> + Sub<Output = Self>
{
    /// Round a float64 to this type; to be marked `#[inline(always)]`, as is the other.
    fn of(value: f64) -> Self;

    /// [`Address::normal_block`] in this arithmetic.
    fn normals<const PAIRS: usize>(
        address: Address,
        block: &[u64; WIDTH],
        lane: &[u64; WIDTH],
    ) -> [[Self; WIDTH]; 4];
}

impl Number for f64 {
    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn normals<const PAIRS: usize>(
        address: Address,
        block: &[u64; WIDTH],
        lane: &[u64; WIDTH],
    ) -> [[f64; WIDTH]; 4] {
        address.normal_block::<PAIRS, WIDTH>(block, lane)
    }
}

impl Number for f32 {
    #[inline(always)]
    fn of(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn normals<const PAIRS: usize>(
        address: Address,
        block: &[u64; WIDTH],
        lane: &[u64; WIDTH],
    ) -> [[f32; WIDTH]; 4] {
        address.normal_block_single::<PAIRS, WIDTH>(block, lane)
    }
}

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
            kick: N::of(half / root),
            drift: N::of(half * root),
            keep: N::of(keep),
            fresh: N::of((1.0 - keep * keep).sqrt()),
        }
    }

    /// Everything but the last kick: velocities and positions, coordinate by coordinate, from the gradients there.
    #[inline(always)]
    pub(super) fn advance(
        self,
        x: &mut [[N; WIDTH]],
        velocity: &mut [[N; WIDTH]],
        gradient: &[[N; WIDTH]],
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
    pub(super) fn kick(self, velocity: &mut [[N; WIDTH]], gradient: &[[N; WIDTH]]) {
        for (v, slope) in velocity.iter_mut().zip(gradient) {
            for i in 0..WIDTH {
                v[i] = v[i] - self.kick * slope[i];
            }
        }
    }
}
