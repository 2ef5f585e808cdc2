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

use super::mixture::{GaussianMixture, Row, Tile, WIDTH};
use super::{Dynamics, Noise, TASK};
use crate::error::{Error, Result};
use crate::num::{self, Compensated, Real};
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};
use crate::simd;

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
        let tile = WIDTH * self.dim();
        let mut groups: Vec<Group> = states.chunks(tile).map(|rows| Group::new(rows, self.dim())).collect();
        let (mut done, mut energies) = (0, Vec::new());
        while done < schedule.steps {
            let steps = BLOCK.min(schedule.steps - done);
            let per_task = (TASK / (steps as usize * tile * self.components())).max(1);
            pool::for_each_chunk_mut(&mut groups, per_task, |task, groups| {
                groups.iter_mut().enumerate().try_for_each(|(i, group)| {
                    let row = (task * per_task + i) * WIDTH;
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
        for (rows, group) in states.chunks_mut(tile).zip(&groups) {
            Tile::store(&group.tile.x, rows);
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
    fn new<T: Real>(rows: &[T], dim: usize) -> Self {
        Self { chains: rows.len() / dim, tile: Tile::load(rows, dim), accepted: 0, sums: Vec::new() }
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
        let mut logits = vec![[0.0; WIDTH]; mixture.components()];
        if done == 0 {
            group.tile.evaluate::<true>(mixture, &mut logits);
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
        group.sums.clear();
        for step in done..done + steps {
            interrupt.check()?;
            let address = |stream| Address { seed: noise.seed, stream, step: noise.step.wrapping_add(step) };
            propose(&group.tile, dynamics, address(Stream::Proposal), first, &mut proposal);
            proposal.evaluate::<true>(mixture, &mut logits);
            if metropolis {
                let taken = choose(&mut group.tile, &proposal, dynamics, address(Stream::Accept), first);
                for moved in &taken[..group.chains] {
                    group.accepted += moved & 1;
                }
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
    let mut lanes = [first; WIDTH];
    for (i, lane) in lanes.iter_mut().enumerate() {
        *lane = lane.wrapping_add(i as u64);
    }
    let here = tile.x.chunks(4).zip(tile.gradient.chunks(4));
    for ((block, proposal), (state, gradient)) in (0..).zip(proposal.x.chunks_mut(4)).zip(here) {
        let normals = if state.len() <= 2 {
            address.normal_block::<1, WIDTH>(&[block; WIDTH], &lanes)
        } else {
            address.normal_block::<2, WIDTH>(&[block; WIDTH], &lanes)
        };
        for (((to, from), slope), normal) in proposal.iter_mut().zip(state).zip(gradient).zip(&normals) {
            for i in 0..WIDTH {
                to[i] = (from[i] - size * slope[i]) + scale * normal[i];
            }
        }
    }
}

/// Move each chain to its proposal where ln u < ln r, not where the ratio is nan; all bits are set where it moved.
#[inline(always)]
fn choose(
    tile: &mut Tile,
    proposal: &Tile,
    dynamics: Dynamics,
    address: Address,
    first: u64,
) -> [u64; WIDTH] {
    let quarter = 0.25 * dynamics.step_size;
    let mut gain = [0.0; WIDTH];
    let coordinates = tile.x.iter().zip(&proposal.x);
    for ((from, to), (here, there)) in coordinates.zip(tile.gradient.iter().zip(&proposal.gradient)) {
        for i in 0..WIDTH {
            let half = 0.5 * (to[i] - from[i]) - quarter * (there[i] - here[i]);
            gain[i] += half * (there[i] + here[i]);
        }
    }
    let mut uniform = [0.0; WIDTH];
    address.uniform_lanes(first, &mut uniform);
    let mut taken = [0; WIDTH];
    for i in 0..WIDTH {
        let log_ratio = ((tile.energy[i] - proposal.energy[i]) + gain[i]) / dynamics.temperature;
        taken[i] = if num::ln_normal(uniform[i]) < log_ratio { u64::MAX } else { 0 };
    }
    select(&mut tile.energy, &proposal.energy, &taken);
    for (here, there) in tile.x.iter_mut().zip(&proposal.x) {
        select(here, there, &taken);
    }
    for (here, there) in tile.gradient.iter_mut().zip(&proposal.gradient) {
        select(here, there, &taken);
    }
    taken
}

/// Bit by bit: a choice would become a masked store, which some processors are slow at.
#[inline(always)]
fn select(here: &mut Row, there: &Row, taken: &[u64; WIDTH]) {
    for i in 0..WIDTH {
        here[i] = f64::from_bits(here[i].to_bits() & !taken[i] | there[i].to_bits() & taken[i]);
    }
}
