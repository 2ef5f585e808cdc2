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
use super::place::Place;
use super::{MlpEnergy, Row, Stream, WIDTH, ZEROS};
use crate::error::{Error, Result};
use crate::langevin::{Dynamics, Noise};
use crate::num;
use crate::pool::{self, Interrupt};
use crate::rng::Address;
use crate::simd;

/// Into how many tasks groups are cut: enough for threads to have about as much to do, and few to make room for.
const TASKS: usize = 64;

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
        let (groups, energies) = self.walk(u, course, interrupt)?;
        let mut gradients = vec![0.0; u.len()];
        for (rows, group) in gradients.chunks_mut(WIDTH * self.dim()).zip(&groups) {
            store(&group.here.gradient, rows);
        }
        Ok((energies, gradients))
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
        let (groups, energies) = self.walk(states, course, interrupt)?;
        for (rows, group) in states.chunks_mut(WIDTH * self.dim()).zip(&groups) {
            store(&group.here.u, rows);
        }
        Ok(Journey {
            energies,
            accepted: groups.iter().map(|group| group.accepted).sum(),
            stopped: groups.iter().flat_map(|group| &group.stopped[..group.chains]).copied().collect(),
        })
    }

    /// Groups where they end, and energies (steps + 1, chains) on the way.
    fn walk(&self, u: &[f32], course: Course, interrupt: &Interrupt) -> Result<(Vec<Group>, Vec<f64>)> {
        let (dim, rows) = (self.dim(), (course.steps as usize).checked_add(1));
        let chains = u.len() / dim;
        let mut energies = num::zeros(rows.and_then(|rows| rows.checked_mul(chains))).ok_or_else(|| {
            let expected = "leave room for the energies of all steps in memory";
            Error::domain("steps", expected, format!("{} for {chains} chains", course.steps))
        })?;
        let start = |(i, rows)| (Group::new(rows, dim, i * WIDTH), Vec::new());
        let mut tasks: Vec<(Group, Vec<&mut [f64]>)> = u.chunks(WIDTH * dim).enumerate().map(start).collect();
        for step in energies.chunks_mut(chains.max(1)) {
            for (place, (_, places)) in step.chunks_mut(WIDTH).zip(&mut tasks) {
                places.push(place);
            }
        }
        let per_task = (tasks.len() / TASKS).max(1);
        pool::for_each_chunk_mut(&mut tasks, per_task, |_, tasks| {
            let mut scratch = Scratch::new(self);
            tasks.iter_mut().try_for_each(|(group, energies)| {
                let scratch = &mut scratch;
                simd::dispatch_vectors(Advance { energy: self, course, group, energies, scratch, interrupt })
            })
        })?;
        Ok((tasks.into_iter().map(|(group, _)| group).collect(), energies))
    }
}

/// Chains that advance side by side.
struct Group {
    /// How many there are; the tile may be wider.
    chains: usize,
    /// Number of the first one's row.
    row: usize,
    here: Place,
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
            accepted: 0.0,
            stopped: [-1; WIDTH],
        }
    }
}

fn store(columns: &[Row], rows: &mut [f32]) {
    for (i, row) in rows.chunks_mut(columns.len()).enumerate() {
        for (value, column) in row.iter_mut().zip(columns) {
            *value = column.0[i];
        }
    }
}

/// All steps of one group.
struct Advance<'a, 'b> {
    energy: &'a MlpEnergy,
    course: Course,
    group: &'a mut Group,
    /// Where energies go, step by step.
    energies: &'a mut [&'b mut [f64]],
    scratch: &'a mut Scratch,
    interrupt: &'a Interrupt,
}

impl pulp::WithSimd for Advance<'_, '_> {
    type Output = Result<()>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Result<()> {
        let Self { energy, course, group, energies, scratch, interrupt } = self;
        let Course { dynamics, metropolis, noise, .. } = course;
        let mut proposal = group.here.clone();
        let first = noise.first_chain.wrapping_add(group.row as u64);
        // The first evaluation is of where chains start, and is always kept.
        for (step, out) in (0..).zip(energies) {
            interrupt.check()?;
            let at = noise.step.wrapping_add(step).wrapping_sub(1);
            let address = |stream| Address { seed: noise.seed, stream, step: at };
            if step > 0 {
                group.here.propose(dynamics, address(Stream::Proposal), first, &mut proposal);
            }
            proposal.evaluate(simd, energy, scratch);
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
            out.copy_from_slice(&group.here.energy[..group.chains]);
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
