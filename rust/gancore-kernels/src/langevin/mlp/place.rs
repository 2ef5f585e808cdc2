//! Where the chains of a tile are, where they would go, and by what ratio they are let.

use pulp::Simd;

use super::pass::Scratch;
use super::prior::dot;
use super::{MlpEnergy, Row, WIDTH};
use crate::langevin::Dynamics;
use crate::rng::Address;

/// Where chains are.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) u: Vec<Row>,
    pub(super) gradient: Vec<Row>,
    pub(super) energy: [f64; WIDTH],
}

impl Place {
    /// Compute the energy and its gradient.
    #[inline(always)]
    pub(super) fn evaluate<S: Simd>(&mut self, simd: S, energy: &MlpEnergy, scratch: &mut Scratch) {
        energy.prior.push(&self.u, &mut scratch.codes);
        let score = scratch.forward(simd, energy);
        let slopes = scratch.backward(simd, energy, energy.scale as f32);
        energy.prior.pull(&self.u, slopes);
        for ((gradient, u), slope) in self.gradient.iter_mut().zip(&self.u).zip(slopes) {
            for i in 0..WIDTH {
                gradient.0[i] = u.0[i] - slope.0[i];
            }
        }
        let square = dot(&self.u, &self.u);
        for i in 0..WIDTH {
            self.energy[i] = 0.5 * square[i] - (energy.scale * f64::from(score.0[i]) + energy.shift);
        }
    }

    /// All bits are set where energy and gradient are finite.
    #[inline(always)]
    pub(super) fn finite(&self) -> [u64; WIDTH] {
        let mut sum = [0.0_f32; WIDTH];
        for gradient in &self.gradient {
            for i in 0..WIDTH {
                // 0 or nan.
                sum[i] += 0.0 * gradient.0[i];
            }
        }
        let mut finite = [0; WIDTH];
        for i in 0..WIDTH {
            let zero = 0.0 * self.energy[i] + f64::from(sum[i]);
            finite[i] = if zero == 0.0 { u64::MAX } else { 0 };
        }
        finite
    }

    /// Write the proposal of a step.
    #[inline(always)]
    pub(super) fn propose(&self, dynamics: Dynamics, address: Address, first: u64, proposal: &mut Self) {
        let (size, scale) = (dynamics.step_size as f32, dynamics.noise() as f32);
        let mut lanes = [first; WIDTH];
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane = lane.wrapping_add(i as u64);
        }
        let here = self.u.chunks(4).zip(self.gradient.chunks(4));
        for ((block, proposal), (state, gradient)) in (0..).zip(proposal.u.chunks_mut(4)).zip(here) {
            let normals = if state.len() <= 2 {
                address.normal_block_single::<1, WIDTH>(&[block; WIDTH], &lanes)
            } else {
                address.normal_block_single::<2, WIDTH>(&[block; WIDTH], &lanes)
            };
            for (((to, from), slope), normal) in proposal.iter_mut().zip(state).zip(gradient).zip(&normals) {
                for i in 0..WIDTH {
                    to.0[i] = (from.0[i] - size * slope.0[i]) + scale * normal[i];
                }
            }
        }
    }

    /// ln r of a proposal, minus infinity where it is not finite.
    #[inline(always)]
    pub(super) fn log_ratio(&self, proposal: &Self, dynamics: Dynamics) -> [f64; WIDTH] {
        let quarter = 0.25 * dynamics.step_size;
        let mut gain = [0.0; WIDTH];
        let coordinates = self.u.iter().zip(&proposal.u);
        for ((from, to), (here, there)) in coordinates.zip(self.gradient.iter().zip(&proposal.gradient)) {
            for i in 0..WIDTH {
                let (here, there) = (f64::from(here.0[i]), f64::from(there.0[i]));
                let half = 0.5 * (f64::from(to.0[i]) - f64::from(from.0[i])) - quarter * (there - here);
                gain[i] += half * (there + here);
            }
        }
        let finite = proposal.finite();
        for i in 0..WIDTH {
            let ratio = (self.energy[i] - proposal.energy[i]) + gain[i] / dynamics.temperature;
            gain[i] = if finite[i] != 0 && ratio.is_finite() { ratio } else { f64::NEG_INFINITY };
        }
        gain
    }

    /// Become the proposal where all bits of `taken` are set.
    #[inline(always)]
    pub(super) fn take(&mut self, proposal: &Self, taken: &[u64; WIDTH]) {
        for i in 0..WIDTH {
            let (here, there) = (self.energy[i].to_bits(), proposal.energy[i].to_bits());
            self.energy[i] = f64::from_bits(here & !taken[i] | there & taken[i]);
        }
        let rows = self.u.iter_mut().zip(&proposal.u);
        for (here, there) in rows.chain(self.gradient.iter_mut().zip(&proposal.gradient)) {
            for i in 0..WIDTH {
                let mask = taken[i] as u32;
                here.0[i] = f32::from_bits(here.0[i].to_bits() & !mask | there.0[i].to_bits() & mask);
            }
        }
    }
}
