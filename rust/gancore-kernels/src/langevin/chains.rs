//! Whole chains on a mixture: all steps of a tile of chains, without leaving the first-level cache.
//!
//! With Metropolis' test (MALA) the proposal z' from z is accepted with probability min(1, r), where at temperature T
//!
//! ```text
//! ln r = (E - E')/T + (|z' - z + eta g|^2 - |z - z' + eta g'|^2) / (4 eta T)
//!      = (E - E' + <(z' - z)/2 - (eta/4)(g' - g), g' + g>) / T
//! ```
//!
//! The second form is the first with the squares multiplied out: nothing large is left to cancel, nothing is divided by
//! eta, and one gradient a step is enough. Without the test (ULA) every proposal is taken.

use super::mixture::{GaussianMixture, Scratch, Tile};
use super::{Dynamics, Noise, TASK};
use crate::error::{Error, Result};
use crate::num::{self, Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};
use crate::simd::{self, LANES};

/// Steps that all tiles take before their energies are added up: it bounds the memory that recording needs.
const BLOCK: u64 = 128;

/// What chains do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Step size and temperature; the temperature is positive if `metropolis`.
    pub dynamics: Dynamics,
    /// Accept or reject each proposal (MALA) instead of taking all (ULA).
    pub metropolis: bool,
    /// How many steps.
    pub steps: u64,
    /// Seed, first step, and first chain: chains that go on from a later step draw what they would have drawn.
    pub noise: Noise,
    /// Average the energy over the chains at each step.
    pub record_energy: bool,
}

/// What chains did.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Proposals that were accepted, of all chains and steps.
    pub accepted: u64,
    /// Mean energy over the chains after each step, if recorded.
    pub energies: Vec<f64>,
}

impl GaussianMixture {
    /// Run chains from the rows of `states`, which become the final ones. The arithmetic is float64 throughout; the
    /// final states are rounded once.
    pub fn langevin<T: Real>(
        &self,
        states: &mut [T],
        schedule: Schedule,
        interrupt: &Interrupt,
    ) -> Result<Outcome> {
        schedule.dynamics.check()?;
        if schedule.metropolis && schedule.dynamics.temperature == 0.0 {
            return Err(Error::domain("temperature", "be positive where metropolis is", "0"));
        }
        self.check_points("initial", states, interrupt)?;
        let chains = states.len() / self.dim();
        if chains == 0 {
            return Err(Error::shape("initial", "at least one row", "none"));
        }
        let width = self.width(chains);
        let mut groups: Vec<Group> =
            states.chunks(width * self.dim()).map(|rows| Group::new(rows, self.dim(), width)).collect();
        let (mut done, mut energies) = (0, Vec::new());
        while done < schedule.steps {
            let steps = BLOCK.min(schedule.steps - done);
            let work = steps as usize * width * self.dim() * self.components();
            let per_task = (TASK / work).max(1);
            pool::for_each_chunk_mut(&mut groups, per_task, |task, groups| {
                groups.iter_mut().enumerate().try_for_each(|(i, group)| {
                    let row = (task * per_task + i) * width;
                    simd::dispatch(Advance { mixture: self, schedule, row, done, steps, group, interrupt })
                })
            })?;
            if schedule.record_energy {
                for step in 0..steps as usize {
                    let mut sum = Compensated::default();
                    for group in &groups {
                        sum.add(group.sums[step]);
                    }
                    energies.push(sum.value() / chains as f64);
                }
            }
            done += steps;
        }
        for (rows, group) in states.chunks_mut(width * self.dim()).zip(&groups) {
            Tile::store(&group.tile.x, self.dim(), rows);
        }
        Ok(Outcome { accepted: groups.iter().map(|group| group.accepted).sum(), energies })
    }
}

/// Chains that advance side by side.
struct Group {
    /// How many there are; the tile may be wider.
    chains: usize,
    tile: Tile,
    accepted: u64,
    /// Sums of the energies over the chains, step by step of the current block.
    sums: Vec<f64>,
}

impl Group {
    fn new<T: Real>(rows: &[T], dim: usize, width: usize) -> Self {
        Self { chains: rows.len() / dim, tile: Tile::load(rows, dim, width), accepted: 0, sums: Vec::new() }
    }

    /// The first chain whose energy is not finite, so that it cannot go on.
    #[inline(always)]
    fn lost(&self) -> Option<usize> {
        let energies = &self.tile.energy[..self.chains];
        let mut finite = true;
        for energy in energies {
            finite &= energy.is_finite();
        }
        if finite { None } else { energies.iter().position(|energy| !energy.is_finite()) }
    }
}

/// The steps of one block that one group takes.
struct Advance<'a> {
    mixture: &'a GaussianMixture,
    schedule: Schedule,
    /// Number of the group's first row.
    row: usize,
    done: u64,
    steps: u64,
    group: &'a mut Group,
    interrupt: &'a Interrupt,
}

impl simd::Op for Advance<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { mixture, schedule, row, done, steps, group, interrupt } = self;
        let Schedule { dynamics, metropolis, noise, .. } = schedule;
        let mut scratch = Scratch::new(mixture, group.tile.energy.len());
        if done == 0 {
            group.tile.evaluate::<true>(mixture, &mut scratch);
            if let Some(i) = group.lost() {
                return Err(Error::domain(
                    "initial",
                    "be so near the means that squared distances are finite",
                    format!("row {}", row + i),
                ));
            }
        }
        let first = noise.first_chain.wrapping_add(row as u64);
        let mut proposal = group.tile.clone();
        let mut moves = Moves::new(group.tile.energy.len());
        group.sums.clear();
        for step in done..done + steps {
            interrupt.check()?;
            let address = |stream| Address { seed: noise.seed, stream, step: noise.step.wrapping_add(step) };
            propose(&group.tile, dynamics, address(Stream::Proposal), first, &mut proposal);
            proposal.evaluate::<true>(mixture, &mut scratch);
            if metropolis {
                group.accepted += moves.choose(
                    &mut group.tile,
                    &proposal,
                    dynamics,
                    address(Stream::Accept),
                    first,
                    group.chains,
                );
            } else {
                std::mem::swap(&mut group.tile, &mut proposal);
                group.accepted += group.chains as u64;
                if let Some(i) = group.lost() {
                    return Err(Error::domain(
                        "step_size",
                        "be so small that no chain leaves the finite numbers",
                        format!(
                            "{}: the chain of row {} is lost at step {step}",
                            dynamics.step_size,
                            row + i
                        ),
                    ));
                }
            }
            group.sums.push(num::sum(&group.tile.energy[..group.chains]));
        }
        Ok(())
    }
}

/// Write z - eta g + sqrt(2 eta T) xi to `proposal`.
#[inline(always)]
fn propose(tile: &Tile, dynamics: Dynamics, address: Address, first: u64, proposal: &mut Tile) {
    let (size, scale) = (dynamics.step_size, dynamics.noise());
    let width = tile.energy.len();
    let dim = tile.x.len() / width;
    for block in 0..dim.div_ceil(4) {
        for start in (0..width).step_by(LANES) {
            let mut lanes = [first.wrapping_add(start as u64); LANES];
            for (i, lane) in lanes.iter_mut().enumerate() {
                *lane = lane.wrapping_add(i as u64);
            }
            let normals = if dim - 4 * block <= 2 {
                address.normal_block::<1>([block as u64; LANES], lanes)
            } else {
                address.normal_block::<2>([block as u64; LANES], lanes)
            };
            for (j, normals) in (4 * block..dim).zip(&normals) {
                let span = j * width + start..j * width + start + LANES;
                proposal.x[span].copy_from_slice(normals);
            }
        }
    }
    for ((to, &from), &slope) in proposal.x.iter_mut().zip(&tile.x).zip(&tile.gradient) {
        *to = (from - size * slope) + scale * *to;
    }
}

/// Metropolis' test of a group.
struct Moves {
    gain: Vec<f64>,
    uniform: Vec<f64>,
    /// All bits set where the proposal is taken.
    taken: Vec<f64>,
}

impl Moves {
    fn new(width: usize) -> Self {
        Self { gain: vec![0.0; width], uniform: vec![0.0; width], taken: vec![0.0; width] }
    }

    /// Move each chain to its proposal where ln u < ln r, not where the ratio is nan; how many of `chains` moved.
    #[inline(always)]
    fn choose(
        &mut self,
        tile: &mut Tile,
        proposal: &Tile,
        dynamics: Dynamics,
        address: Address,
        first: u64,
        chains: usize,
    ) -> u64 {
        let Self { gain, uniform, taken } = self;
        let width = gain.len();
        let (quarter, temperature) = (0.25 * dynamics.step_size, dynamics.temperature);
        for (lane, uniform) in (first..).zip(&mut *uniform) {
            *uniform = address.uniform(lane);
        }
        gain.fill(0.0);
        let coordinates = tile.x.chunks(width).zip(proposal.x.chunks(width));
        let slopes = tile.gradient.chunks(width).zip(proposal.gradient.chunks(width));
        for ((from, to), (here, there)) in coordinates.zip(slopes) {
            let points = from.iter().zip(to).zip(here.iter().zip(there));
            for (gain, ((&from, &to), (&here, &there))) in gain.iter_mut().zip(points) {
                *gain += (0.5 * (to - from) - quarter * (there - here)) * (there + here);
            }
        }
        let energies = tile.energy.iter().zip(&proposal.energy);
        for (((taken, &uniform), &gain), (&here, &there)) in
            taken.iter_mut().zip(&*uniform).zip(&*gain).zip(energies)
        {
            let log_ratio = ((here - there) + gain) / temperature;
            *taken = if num::ln_normal(uniform) < log_ratio { 1.0 } else { 0.0 };
        }
        select(&mut tile.energy, &proposal.energy, taken);
        for (from, to) in tile.x.chunks_mut(width).zip(proposal.x.chunks(width)) {
            select(from, to, taken);
        }
        for (from, to) in tile.gradient.chunks_mut(width).zip(proposal.gradient.chunks(width)) {
            select(from, to, taken);
        }
        num::sum(&taken[..chains]) as u64
    }
}

#[inline(always)]
fn select(here: &mut [f64], there: &[f64], taken: &[f64]) {
    for ((here, &there), &taken) in here.iter_mut().zip(there).zip(taken) {
        *here = if taken > 0.0 { there } else { *here };
    }
}
