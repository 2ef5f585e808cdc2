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

use super::field::Field;
use super::mixture::{GaussianMixture, WIDTH};
use super::number::Number;
use super::tile::{Column, Tile, Wanted};
use super::underdamped::Glide;
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
    /// Run chains from the rows of `states`, which become the final ones.
    ///
    /// States of float32 stay so, with shares and gradients of components in float32, energies and Metropolis' ratios
    /// in float64; a mixture beyond the range of float32 is computed on in float64, its final states rounded once.
    pub fn langevin<T: Real>(
        &self,
        states: &mut [T],
        schedule: Schedule,
        interrupt: &Interrupt,
    ) -> Result<Outcome> {
        if schedule.metropolis && schedule.dynamics.temperature == 0.0 {
            return Err(Error::domain("temperature", "be positive where metropolis is", "0"));
        }
        self.start(states, None, schedule, interrupt)
    }

    /// Run chains with velocities (BAOAB), which become the final ones as the states do; at a positive temperature.
    ///
    /// `friction` is the rate at which velocities are forgotten; they are in units of the root of the temperature.
    pub fn underdamped<T: Real>(
        &self,
        states: &mut [T],
        velocities: &mut [T],
        friction: f64,
        schedule: Schedule,
        interrupt: &Interrupt,
    ) -> Result<Outcome> {
        if !(friction > 0.0 && friction < f64::INFINITY) {
            return Err(Error::domain("friction", "be finite and positive", friction.to_string()));
        }
        if schedule.dynamics.temperature == 0.0 {
            return Err(Error::domain("temperature", "be positive where chains have velocities", "0"));
        }
        if velocities.len() != states.len() {
            let expected = format!("{} numbers, as `initial` has", states.len());
            return Err(Error::shape("velocity", expected, velocities.len().to_string()));
        }
        self.check_points("velocity", velocities, interrupt)?;
        let schedule = Schedule { metropolis: false, ..schedule };
        self.start(states, Some((velocities, friction)), schedule, interrupt)
    }

    fn start<T: Real>(
        &self,
        states: &mut [T],
        velocities: Option<(&mut [T], f64)>,
        schedule: Schedule,
        interrupt: &Interrupt,
    ) -> Result<Outcome> {
        schedule.dynamics.check()?;
        self.check_points("initial", states, interrupt)?;
        let chains = states.len() / self.dim();
        if chains == 0 {
            return Err(Error::shape("initial", "at least one row", "none"));
        }
        if size_of::<T>() == size_of::<f32>() && self.fits_single() {
            self.walk::<T, f32>(states, velocities, schedule, interrupt)
        } else {
            self.walk::<T, f64>(states, velocities, schedule, interrupt)
        }
    }

    /// Whether no parameter, nor a square of one, comes near the ends of float32's range.
    fn fits_single(&self) -> bool {
        let within = |values: &[f64], least: f64, most: f64| {
            values.iter().all(|v| v.abs() == 0.0 || (least..=most).contains(&v.abs()))
        };
        within(&self.means, 0.0, 1e12)
            && within(&self.precisions, 1e-12, 1e12)
            && within(&self.offsets, 0.0, 1e6)
    }

    fn walk<T: Real, N: Number>(
        &self,
        states: &mut [T],
        velocities: Option<(&mut [T], f64)>,
        schedule: Schedule,
        interrupt: &Interrupt,
    ) -> Result<Outcome> {
        let field = Field::<N>::new(self);
        let (chains, tile) = (states.len() / self.dim(), WIDTH * self.dim());
        let mut groups: Vec<Group<N>> =
            states.chunks(tile).map(|rows| Group::new(rows, self.dim())).collect();
        let glide = velocities.as_ref().map(|(_, friction)| Glide::new(schedule.dynamics, *friction));
        if let Some((velocities, _)) = &velocities {
            for (rows, group) in velocities.chunks(tile).zip(&mut groups) {
                group.velocity = Tile::load(rows, self.dim()).x;
            }
        }
        let (mut done, mut energies) = (0, Vec::new());
        while done < schedule.steps {
            let steps = BLOCK.min(schedule.steps - done);
            let per_task = (TASK / (steps as usize * tile * self.components())).max(1);
            pool::for_each_chunk_mut(&mut groups, per_task, |task, groups| {
                groups.iter_mut().enumerate().try_for_each(|(i, group)| {
                    let row = (task * per_task + i) * WIDTH;
                    let field = &field;
                    let advance = Advance { field, schedule, glide, row, done, steps, group, interrupt };
                    simd::dispatch(advance)
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
        if let Some((velocities, _)) = velocities {
            for (rows, group) in velocities.chunks_mut(tile).zip(&groups) {
                Tile::store(&group.velocity, rows);
            }
        }
        Ok(Outcome { accepted: groups.iter().map(|group| group.accepted).sum(), energies })
    }
}

/// Chains that advance side by side.
struct Group<N> {
    /// How many there are; the tile may be wider.
    chains: usize,
    tile: Tile<N>,
    /// Velocities, coordinate by coordinate; none without them.
    velocity: Vec<Column<N>>,
    accepted: u64,
    /// Sums of the energies over the chains, step by step of the current block.
    sums: Vec<f64>,
}

impl<N: Number> Group<N> {
    fn new<T: Real>(rows: &[T], dim: usize) -> Self {
        let tile = Tile::load(rows, dim);
        Self { chains: rows.len() / dim, tile, velocity: Vec::new(), accepted: 0, sums: Vec::new() }
    }

    /// The first chain whose energy is not finite, so that it cannot go on.
    #[inline(always)]
    fn lost(&self) -> Option<usize> {
        let mut finite = true;
        for i in 0..WIDTH {
            finite &= self.tile.energy[i].is_finite();
        }
        if finite {
            None
        } else {
            self.tile.energy[..self.chains].iter().position(|energy| !energy.is_finite())
        }
    }
}

/// The steps of one block that one group takes.
struct Advance<'a, N> {
    field: &'a Field<'a, N>,
    schedule: Schedule,
    glide: Option<Glide<N>>,
    /// Number of the group's first row.
    row: usize,
    done: u64,
    steps: u64,
    group: &'a mut Group<N>,
    interrupt: &'a Interrupt,
}

impl<N: Number> simd::Op for Advance<'_, N> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { field, schedule, glide, row, done, steps, group, interrupt } = self;
        let Schedule { dynamics, metropolis, noise, record_energy, .. } = schedule;
        let wanted = Wanted { gradients: true, energies: metropolis || record_energy };
        let mut logits = Vec::new();
        if done == 0 {
            group.tile.evaluate(field, wanted, &mut logits);
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
            if let Some(glide) = glide {
                let Tile { x, gradient, .. } = &mut group.tile;
                glide.advance(x, &mut group.velocity, gradient, address(Stream::Proposal), first);
                group.tile.evaluate(field, wanted, &mut logits);
                glide.kick(&mut group.velocity, &group.tile.gradient);
            } else {
                group.tile.propose(dynamics, address(Stream::Proposal), first, &mut proposal);
                proposal.evaluate(field, wanted, &mut logits);
            }
            if metropolis {
                let taken = choose(&mut group.tile, &proposal, dynamics, address(Stream::Accept), first);
                for moved in &taken[..group.chains] {
                    group.accepted += moved & 1;
                }
            } else {
                if glide.is_none() {
                    std::mem::swap(&mut group.tile, &mut proposal);
                }
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
            if record_energy {
                group.sums.push(num::sum(&group.tile.energy[..group.chains]));
            }
        }
        Ok(())
    }
}

/// Move each chain to its proposal where ln u < ln r, not where the ratio is nan; all bits are set where it moved.
#[inline(always)]
fn choose<N: Number>(
    tile: &mut Tile<N>,
    proposal: &Tile<N>,
    dynamics: Dynamics,
    address: Address,
    first: u64,
) -> [u64; WIDTH] {
    let gain = tile.gain(proposal, 0.25 * dynamics.step_size);
    let mut uniform = [0.0; WIDTH];
    address.uniform_lanes(first, &mut uniform);
    let (here, there) = (&tile.energy, &proposal.energy);
    let mut taken = [0; WIDTH];
    for i in 0..WIDTH {
        let log_ratio = ((here[i] - there[i]) + gain[i]) / dynamics.temperature;
        taken[i] = if num::ln_normal(uniform[i]) < log_ratio { u64::MAX } else { 0 };
    }
    tile.take(proposal, &taken);
    taken
}
