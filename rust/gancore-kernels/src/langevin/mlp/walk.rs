//! Chains on the energy of a pair: all steps of a tile of chains before the next.
//!
//! ```text
//! u' = u - eta grad E(u) + sqrt(2 eta noise) xi
//! ln r = E - E' + <(u' - u)/2 - (eta/4)(g' - g), g' + g> / noise
//! ```
//!
//! With noise = 1 this is the plain step; with 1 - eta/2 the one that solves the prior's part exactly (Cotter, Roberts,
//! Stuart and White 2013, section 4.3). The ratio is that of `chains.rs`, without cancellation.

use pulp::Simd;

use super::pass::Scratch;
use super::prior::dot;
use super::{MlpEnergy, Row, Stream, WIDTH, ZEROS};
use crate::error::{Error, Result};
use crate::langevin::{Dynamics, Noise};
use crate::num;
use crate::pool::{self, Interrupt};
use crate::rng::Address;
use crate::simd;

/// What chains do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Step size, and the variance of the noise over twice that as the temperature: positive if `metropolis`.
    pub dynamics: Dynamics,
    /// Accept or reject each proposal instead of taking all.
    pub metropolis: bool,
    /// How many steps.
    pub steps: u64,
    /// Seed, first step, and first chain.
    pub noise: Noise,
}

/// How chains went.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey {
    /// Energies (steps + 1, chains), at the start and after each step.
    pub energies: Vec<f64>,
    /// Sum of the acceptance probabilities over chains and steps; without Metropolis' test, of the steps taken.
    pub accepted: f64,
    /// The step, from 1 on, at which each chain left the finite numbers and stopped, 0 at the start; -1 if it did not.
    pub stopped: Vec<i64>,
}

impl MlpEnergy {
    /// E and grad E of each row; what is not finite comes through.
    pub fn value_and_grad(&self, u: &[f32], interrupt: &Interrupt) -> Result<(Vec<f64>, Vec<f32>)> {
        self.check_states("u", u, interrupt)?;
        let course = Course {
            dynamics: Dynamics { step_size: 1.0, temperature: 1.0 },
            metropolis: false,
            steps: 0,
            noise: Noise { seed: 0, step: 0, first_chain: 0 },
        };
        let groups = self.groups(u, course, interrupt)?;
        let mut gradients = vec![0.0; u.len()];
        for (rows, group) in gradients.chunks_mut(WIDTH * self.dim()).zip(&groups) {
            store(&group.here.gradient, rows);
        }
        Ok((collect(&groups, 0, u.len() / self.dim()), gradients))
    }

    /// Run chains from the rows of `states`, which become the final ones.
    ///
    /// A chain whose energy or gradient is not finite after a step stops where it was; with Metropolis' test such a
    /// proposal is turned down.
    pub fn langevin(&self, states: &mut [f32], course: Course, interrupt: &Interrupt) -> Result<Journey> {
        course.dynamics.check()?;
        if course.metropolis && course.dynamics.temperature == 0.0 {
            return Err(Error::domain("noise", "be positive where metropolis is", "0"));
        }
        self.check_states("initial", states, interrupt)?;
        let groups = self.groups(states, course, interrupt)?;
        for (rows, group) in states.chunks_mut(WIDTH * self.dim()).zip(&groups) {
            store(&group.here.u, rows);
        }
        let chains = states.len() / self.dim();
        let mut journey = Journey { energies: Vec::new(), accepted: 0.0, stopped: Vec::new() };
        for step in 0..=course.steps as usize {
            journey.energies.append(&mut collect(&groups, step, chains));
        }
        for group in &groups {
            journey.accepted += group.accepted;
            journey.stopped.extend(&group.stopped[..group.chains]);
        }
        Ok(journey)
    }

    fn groups(&self, u: &[f32], course: Course, interrupt: &Interrupt) -> Result<Vec<Group>> {
        let dim = self.dim();
        let mut groups: Vec<Group> =
            u.chunks(WIDTH * dim).enumerate().map(|(i, rows)| Group::new(rows, dim, i * WIDTH)).collect();
        pool::for_each_chunk_mut(&mut groups, 1, |_, groups| {
            groups.iter_mut().try_for_each(|group| {
                simd::dispatch_vectors(Advance { energy: self, course, group, interrupt })
            })
        })?;
        Ok(groups)
    }
}

/// Where chains are.
#[derive(Clone)]
struct Place {
    u: Vec<Row>,
    gradient: Vec<Row>,
    energy: [f64; WIDTH],
}

/// Chains that advance side by side.
struct Group {
    /// How many there are; the tile may be wider.
    chains: usize,
    /// Number of the first one's row.
    row: usize,
    here: Place,
    /// Energies step by step.
    energies: Vec<[f64; WIDTH]>,
    accepted: f64,
    stopped: [i64; WIDTH],
}

impl Group {
    /// Where there are fewer rows than [`WIDTH`], the first is repeated.
    fn new(rows: &[f32], dim: usize, row: usize) -> Self {
        let mut u = vec![ZEROS; dim];
        for i in 0..WIDTH {
            let at = if (i + 1) * dim <= rows.len() { i * dim } else { 0 };
            for (column, &value) in u.iter_mut().zip(&rows[at..]) {
                column.0[i] = value;
            }
        }
        Self {
            chains: rows.len() / dim,
            row,
            here: Place { gradient: u.clone(), u, energy: [0.0; WIDTH] },
            energies: Vec::new(),
            accepted: 0.0,
            stopped: [-1; WIDTH],
        }
    }
}

/// The energies of all chains at a step.
fn collect(groups: &[Group], step: usize, chains: usize) -> Vec<f64> {
    let mut energies = Vec::with_capacity(chains);
    for group in groups {
        energies.extend(group.energies.get(step).into_iter().flat_map(|row| &row[..group.chains]));
    }
    energies
}

fn store(columns: &[Row], rows: &mut [f32]) {
    for (i, row) in rows.chunks_mut(columns.len()).enumerate() {
        for (value, column) in row.iter_mut().zip(columns) {
            *value = column.0[i];
        }
    }
}

impl Place {
    /// Compute the energy and its gradient.
    #[inline(always)]
    fn evaluate<S: Simd>(&mut self, simd: S, energy: &MlpEnergy, scratch: &mut Scratch) {
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
    fn finite(&self) -> [u64; WIDTH] {
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
    fn propose(&self, dynamics: Dynamics, address: Address, first: u64, proposal: &mut Self) {
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
    fn log_ratio(&self, proposal: &Self, dynamics: Dynamics) -> [f64; WIDTH] {
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
    fn take(&mut self, proposal: &Self, taken: &[u64; WIDTH]) {
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

/// All steps of one group.
struct Advance<'a> {
    energy: &'a MlpEnergy,
    course: Course,
    group: &'a mut Group,
    interrupt: &'a Interrupt,
}

impl pulp::WithSimd for Advance<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<()> {
        let Self { energy, course, group, interrupt } = self;
        let Course { dynamics, metropolis, steps, noise } = course;
        let (mut scratch, mut proposal) = (Scratch::new(energy), group.here.clone());
        let first = noise.first_chain.wrapping_add(group.row as u64);
        // The first evaluation is of where chains start, and is always kept.
        for step in 0..=steps {
            interrupt.check()?;
            let at = noise.step.wrapping_add(step).wrapping_sub(1);
            let address = |stream| Address { seed: noise.seed, stream, step: at };
            if step > 0 {
                group.here.propose(dynamics, address(Stream::Proposal), first, &mut proposal);
            }
            proposal.evaluate(simd, energy, &mut scratch);
            let taken = if step == 0 {
                group.here.take(&proposal, &[u64::MAX; WIDTH]);
                let finite = proposal.finite();
                group.stop(&finite, 0);
                [0; WIDTH]
            } else if metropolis {
                let log_ratio = group.here.log_ratio(&proposal, dynamics);
                group.choose(&log_ratio, address(Stream::Accept), first)
            } else {
                group.go_on(&proposal.finite(), step)
            };
            group.here.take(&proposal, &taken);
            group.energies.push(group.here.energy);
        }
        Ok(())
    }
}

impl Group {
    /// Stop the chains that are not finite at a step.
    #[inline(always)]
    fn stop(&mut self, finite: &[u64; WIDTH], step: u64) {
        for (stopped, &finite) in self.stopped.iter_mut().zip(finite) {
            if finite == 0 && *stopped < 0 {
                *stopped = step.cast_signed();
            }
        }
    }

    /// Which chains take a step without a test: those that have not stopped, also not at it.
    #[inline(always)]
    fn go_on(&mut self, finite: &[u64; WIDTH], step: u64) -> [u64; WIDTH] {
        self.stop(finite, step);
        let mut taken = *finite;
        for i in 0..WIDTH {
            taken[i] = if self.stopped[i] < 0 { taken[i] } else { 0 };
        }
        for taken in &taken[..self.chains] {
            self.accepted += f64::from((taken & 1) as u32);
        }
        taken
    }

    /// Which chains take a step whose ratio is given.
    #[inline(always)]
    fn choose(&mut self, log_ratio: &[f64; WIDTH], address: Address, first: u64) -> [u64; WIDTH] {
        let (mut uniform, mut taken, mut acceptance) = ([0.0; WIDTH], [0; WIDTH], [0.0; WIDTH]);
        address.uniform_lanes(first, &mut uniform);
        for i in 0..WIDTH {
            taken[i] = if num::ln_normal(uniform[i]) < log_ratio[i] { u64::MAX } else { 0 };
            acceptance[i] = num::exp(if log_ratio[i] < 0.0 { log_ratio[i] } else { 0.0 });
        }
        for acceptance in &acceptance[..self.chains] {
            self.accepted += acceptance;
        }
        taken
    }
}
