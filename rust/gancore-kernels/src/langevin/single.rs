//! Chains of float32 states: positions, shares and gradients in float32, energies and ratios in float64.
//!
//! With l_k in units of ln 2 the shares are 2^(l_k - m), m = max_k l_k. The component k* that attains m is kept with
//! each point, so that E = -(l_k*(x) + ln sum_k 2^(l_k - m)) has its large part in float64. What is left is the
//! rounding of shares: at most 1e-6 where the largest l_k is above -10, in proportion to it further out.

use super::Dynamics;
use super::chains::{Walkers, lanes, select};
use super::mixture::{GaussianMixture, Row, WIDTH};
use crate::num::{self, Real};
use crate::rng::Address;

/// One float32 of each point.
type Single = [f32; WIDTH];

/// Components that weigh less than 2^-80 = 8e-25 of the largest are taken for that: they cannot change a sum.
const NEGLIGIBLE: f32 = -80.0;

/// Components that one pass over the points takes together, so that less is written down between passes.
const BLOCK: usize = 5;

/// What of a mixture chains read.
pub(super) struct SingleMixture {
    exact: GaussianMixture,
    /// Means, row after row.
    means: Vec<f32>,
    /// 1 / s_k^2.
    precisions: Vec<f32>,
    /// log2(e) / (2 s_k^2).
    halves: Vec<f32>,
    /// What of l_k / ln 2 does not depend on x.
    offsets: Vec<f32>,
}

impl SingleMixture {
    /// Nothing for a mixture whose parameters, or squares of them, come near the ends of float32's range.
    pub(super) fn new(exact: &GaussianMixture) -> Option<Self> {
        let within = |values: &[f64], least: f64, most: f64| {
            values.iter().all(|v| v.abs() == 0.0 || (least..=most).contains(&v.abs()))
        };
        let fits = within(&exact.means, 0.0, 1e12)
            && within(&exact.precisions, 1e-12, 1e12)
            && within(&exact.offsets, 0.0, 1e6);
        let log2 = |values: &[f64], factor: f64| {
            values.iter().map(|v| (v * factor * std::f64::consts::LOG2_E) as f32).collect()
        };
        fits.then(|| Self {
            exact: exact.clone(),
            means: exact.means.iter().map(|&v| v as f32).collect(),
            precisions: exact.precisions.iter().map(|&v| v as f32).collect(),
            halves: log2(&exact.precisions, 0.5),
            offsets: log2(&exact.offsets, 1.0),
        })
    }
}

/// Points side by side, coordinate by coordinate, and what is computed of them.
#[derive(Clone)]
pub(super) struct SingleTile {
    x: Vec<Single>,
    gradient: Vec<Single>,
    energy: Row,
}

/// What an evaluation writes down: l_k and then the pulls of components, and per point m, k* and the sum of shares.
pub(super) struct Scratch {
    logits: Vec<Single>,
    largest: Single,
    nearest: [u32; WIDTH],
    sum: Single,
}

impl Walkers for SingleTile {
    type Field = SingleMixture;
    type Scratch = Scratch;
    type Number = f32;

    fn scratch(components: usize) -> Scratch {
        Scratch {
            logits: vec![[0.0; WIDTH]; components],
            largest: [0.0; WIDTH],
            nearest: [0; WIDTH],
            sum: [0.0; WIDTH],
        }
    }

    fn load<T: Real>(points: &[T], dim: usize) -> Self {
        let mut x = vec![[0.0; WIDTH]; dim];
        for i in 0..WIDTH {
            let at = if (i + 1) * dim <= points.len() { i * dim } else { 0 };
            for (row, &value) in x.iter_mut().zip(&points[at..]) {
                row[i] = value.into() as f32;
            }
        }
        Self { gradient: x.clone(), energy: [0.0; WIDTH], x }
    }

    fn store<T: Real>(&self, rows: &mut [T]) {
        for (i, row) in rows.chunks_mut(self.x.len()).enumerate() {
            for (value, column) in row.iter_mut().zip(&self.x) {
                *value = T::round(column[i].into());
            }
        }
    }

    #[inline(always)]
    fn evaluate(&mut self, field: &SingleMixture, scratch: &mut Scratch) {
        let (dim, chunk) = (self.x.len(), self.x.len() * BLOCK);
        scratch.largest = [f32::NEG_INFINITY; WIDTH];
        scratch.nearest = [0; WIDTH];
        scratch.sum = [0.0; WIDTH];
        let constants = field.means.chunks(chunk).zip(field.halves.chunks(BLOCK));
        let constants = constants.zip(field.offsets.chunks(BLOCK));
        for ((at, logits), ((means, halves), offsets)) in
            (0..).step_by(BLOCK).zip(scratch.logits.chunks_mut(BLOCK)).zip(constants)
        {
            for ((logit, mean), (&half, &offset)) in
                logits.iter_mut().zip(means.chunks(dim)).zip(halves.iter().zip(offsets))
            {
                logit.fill(offset);
                for (x, mean) in self.x.chunks(4).zip(mean.chunks(4)) {
                    match x.len() {
                        1 => squares::<1>(x, mean, half, logit),
                        2 => squares::<2>(x, mean, half, logit),
                        3 => squares::<3>(x, mean, half, logit),
                        _ => squares::<4>(x, mean, half, logit),
                    }
                }
            }
            match logits.first_chunk::<BLOCK>() {
                Some(logits) => attain(at, logits, &mut scratch.largest, &mut scratch.nearest),
                None => {
                    for (k, logit) in (at..).zip(logits.iter()) {
                        attain(k, &[*logit], &mut scratch.largest, &mut scratch.nearest);
                    }
                }
            }
        }
        self.gradient.fill([0.0; WIDTH]);
        let constants = field.means.chunks(chunk).zip(field.precisions.chunks(BLOCK));
        for (logits, (means, precisions)) in scratch.logits.chunks_mut(BLOCK).zip(constants) {
            if let (Some(logits), Some(precisions)) =
                (logits.first_chunk_mut::<BLOCK>(), precisions.first_chunk::<BLOCK>())
            {
                shares(logits, precisions, &scratch.largest, &mut scratch.sum);
                self.pull(logits, means);
                continue;
            }
            for ((logit, mean), &precision) in logits.iter().zip(means.chunks(dim)).zip(precisions) {
                let mut single = [*logit];
                shares(&mut single, &[precision], &scratch.largest, &mut scratch.sum);
                self.pull(&single, mean);
            }
        }
        for gradient in &mut self.gradient {
            for i in 0..WIDTH {
                gradient[i] /= scratch.sum[i];
            }
        }
        self.energies_of(&field.exact, scratch);
    }

    #[inline(always)]
    fn propose(&self, dynamics: Dynamics, address: Address, first: u64, proposal: &mut Self) {
        let (size, scale) = (dynamics.step_size as f32, dynamics.noise() as f32);
        let lanes = lanes(first);
        let here = self.x.chunks(4).zip(self.gradient.chunks(4));
        for ((block, proposal), (state, gradient)) in (0..).zip(proposal.x.chunks_mut(4)).zip(here) {
            let normals = if state.len() <= 2 {
                address.normal_block_single::<1, WIDTH>(&[block; WIDTH], &lanes)
            } else {
                address.normal_block_single::<2, WIDTH>(&[block; WIDTH], &lanes)
            };
            for (((to, from), slope), normal) in proposal.iter_mut().zip(state).zip(gradient).zip(&normals) {
                for i in 0..WIDTH {
                    to[i] = (from[i] - size * slope[i]) + scale * normal[i];
                }
            }
        }
    }

    #[inline(always)]
    fn gain(&self, proposal: &Self, quarter: f64) -> Row {
        let mut gain = [0.0; WIDTH];
        let coordinates = self.x.iter().zip(&proposal.x);
        for ((from, to), (here, there)) in coordinates.zip(self.gradient.iter().zip(&proposal.gradient)) {
            for i in 0..WIDTH {
                let (here, there) = (f64::from(here[i]), f64::from(there[i]));
                let half = 0.5 * (f64::from(to[i]) - f64::from(from[i])) - quarter * (there - here);
                gain[i] += half * (there + here);
            }
        }
        gain
    }

    #[inline(always)]
    fn take(&mut self, proposal: &Self, taken: &[u64; WIDTH]) {
        select(&mut self.energy, &proposal.energy, taken);
        let rows = self.x.iter_mut().zip(&proposal.x);
        for (here, there) in rows.chain(self.gradient.iter_mut().zip(&proposal.gradient)) {
            for i in 0..WIDTH {
                let mask = taken[i] as u32;
                here[i] = f32::from_bits(here[i].to_bits() & !mask | there[i].to_bits() & mask);
            }
        }
    }

    #[inline(always)]
    fn energies(&self) -> &Row {
        &self.energy
    }

    #[inline(always)]
    fn columns(&mut self) -> (&mut [Single], &[Single]) {
        (&mut self.x, &self.gradient)
    }
}

impl SingleTile {
    /// Add the weighted differences from the means of K components.
    #[inline(always)]
    fn pull<const K: usize>(&mut self, pulls: &[Single; K], means: &[f32]) {
        let dim = self.x.len();
        for (j, (gradient, x)) in self.gradient.iter_mut().zip(&self.x).enumerate() {
            let mut mean = [0.0; K];
            for (k, mean) in mean.iter_mut().enumerate() {
                *mean = means[k * dim + j];
            }
            for i in 0..WIDTH {
                let mut sum = gradient[i];
                for k in 0..K {
                    sum += pulls[k][i] * (x[i] - mean[k]);
                }
                gradient[i] = sum;
            }
        }
    }

    /// Write E, its large part in float64.
    #[inline(always)]
    fn energies_of(&mut self, mixture: &GaussianMixture, scratch: &Scratch) {
        let dim = self.x.len();
        let mut square = [0.0; WIDTH];
        let mut mean = [0.0; WIDTH];
        for (j, x) in self.x.iter().enumerate() {
            for (mean, &k) in mean.iter_mut().zip(&scratch.nearest) {
                *mean = mixture.means[k as usize * dim + j];
            }
            for i in 0..WIDTH {
                let away = f64::from(x[i]) - mean[i];
                square[i] += away * away;
            }
        }
        for i in 0..WIDTH {
            let k = scratch.nearest[i] as usize;
            square[i] = mixture.offsets[k] - 0.5 * mixture.precisions[k] * square[i];
        }
        for i in 0..WIDTH {
            // The largest share is 1, so the sum is a normal number, or nan where every l_k overflows.
            self.energy[i] = -(square[i] + num::ln_normal(scratch.sum[i].into()));
        }
        for i in 0..WIDTH {
            let energy = self.energy[i];
            self.energy[i] = if scratch.sum[i] >= 1.0 { energy } else { f64::INFINITY };
        }
    }
}

/// Subtract `half` times the squared distances to a mean in N coordinates.
#[inline(always)]
fn squares<const N: usize>(x: &[Single], mean: &[f32], half: f32, logit: &mut Single) {
    let (Some(x), Some(mean)) = (x.first_chunk::<N>(), mean.first_chunk::<N>()) else { return };
    for i in 0..WIDTH {
        let mut square = 0.0;
        for j in 0..N {
            square += (x[j][i] - mean[j]) * (x[j][i] - mean[j]);
        }
        logit[i] -= half * square;
    }
}

/// Keep the largest of logits and the number of its component, of K from `at` on.
#[inline(always)]
fn attain<const K: usize>(at: u32, logits: &[Single; K], largest: &mut Single, nearest: &mut [u32; WIDTH]) {
    for i in 0..WIDTH {
        let (mut most, mut which) = (largest[i], nearest[i]);
        for (k, logit) in (at..).zip(logits) {
            which = if logit[i] > most { k } else { which };
            most = most.max(logit[i]);
        }
        largest[i] = most;
        nearest[i] = which;
    }
}

/// Turn the logits of K components into shares, add them up, and leave them times 1 / s^2.
#[inline(always)]
fn shares<const K: usize>(
    logits: &mut [Single; K],
    precisions: &[f32; K],
    largest: &Single,
    total: &mut Single,
) {
    for i in 0..WIDTH {
        let mut sum = total[i];
        for k in 0..K {
            let log = logits[k][i] - largest[i];
            let share = num::single::exp2_normal(if log < NEGLIGIBLE { NEGLIGIBLE } else { log });
            sum += share;
            logits[k][i] = share * precisions[k];
        }
        total[i] = sum;
    }
}
