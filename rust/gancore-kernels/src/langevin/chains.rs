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
use super::single::{SingleMixture, SingleTile};
use super::underdamped::{Glide, Number};
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

/// One coordinate of the chains of a tile.
pub(super) type Column<N> = [N; WIDTH];

/// Positions, to be moved, and gradients.
pub(super) type Columns<'a, N> = (&'a mut [Column<N>], &'a [Column<N>]);

/// Chains side by side on a mixture, in the arithmetic of float64 or of float32.
pub(super) trait Walkers: Clone + Send + Sync {
    /// The mixture, made ready for that arithmetic.
    type Field: Sync;

    /// Scratch space of an evaluation.
    type Scratch;

    /// In whose arithmetic they walk.
    type Number: Number;

    /// Scratch space for a mixture of so many components.
    fn scratch(components: usize) -> Self::Scratch;

    /// Rows of points; where there are fewer than [`WIDTH`], the first is repeated.
    fn load<T: Real>(points: &[T], dim: usize) -> Self;

    /// Write back as many points as there are rows.
    fn store<T: Real>(&self, rows: &mut [T]);

    /// Compute energies and their gradient.
    fn evaluate(&mut self, field: &Self::Field, scratch: &mut Self::Scratch);

    /// Write z - eta g + sqrt(2 eta T) xi to `proposal`.
    fn propose(&self, dynamics: Dynamics, address: Address, first: u64, proposal: &mut Self);

    /// <(z' - z)/2 - (eta/4)(g' - g), g' + g>, where `quarter` is eta/4.
    fn gain(&self, proposal: &Self, quarter: f64) -> Row;

    /// Become the proposal where all bits of `taken` are set.
    fn take(&mut self, proposal: &Self, taken: &[u64; WIDTH]);

    /// E of every chain.
    fn energies(&self) -> &Row;

    /// Positions and gradients, coordinate by coordinate.
    fn columns(&mut self) -> Columns<'_, Self::Number>;
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
        match SingleMixture::new(self) {
            Some(field) if size_of::<T>() == size_of::<f32>() => {
                self.walk::<T, SingleTile>(&field, states, velocities, schedule, interrupt)
            }
            _ => self.walk::<T, Tile>(self, states, velocities, schedule, interrupt),
        }
    }

    fn walk<T: Real, W: Walkers>(
        &self,
        field: &W::Field,
        states: &mut [T],
        velocities: Option<(&mut [T], f64)>,
        schedule: Schedule,
        interrupt: &Interrupt,
    ) -> Result<Outcome> {
        let (chains, tile) = (states.len() / self.dim(), WIDTH * self.dim());
        let mut groups: Vec<Group<W>> =
            states.chunks(tile).map(|rows| Group::new(rows, self.dim())).collect();
        let glide = velocities.as_ref().map(|(_, friction)| Glide::new(schedule.dynamics, *friction));
        if let Some((velocities, _)) = &velocities {
            for (rows, group) in velocities.chunks(tile).zip(&mut groups) {
                group.velocity = W::load(rows, self.dim()).columns().0.to_vec();
            }
        }
        let (mut done, mut energies) = (0, Vec::new());
        while done < schedule.steps {
            let steps = BLOCK.min(schedule.steps - done);
            let per_task = (TASK / (steps as usize * tile * self.components())).max(1);
            pool::for_each_chunk_mut(&mut groups, per_task, |task, groups| {
                groups.iter_mut().enumerate().try_for_each(|(i, group)| {
                    let row = (task * per_task + i) * WIDTH;
                    let components = self.components();
                    let advance =
                        Advance { field, components, schedule, glide, row, done, steps, group, interrupt };
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
            group.tile.store(rows);
        }
        if let Some((velocities, _)) = velocities {
            for (rows, group) in velocities.chunks_mut(tile).zip(&mut groups) {
                group.tile.columns().0.copy_from_slice(&group.velocity);
                group.tile.store(rows);
            }
        }
        Ok(Outcome { accepted: groups.iter().map(|group| group.accepted).sum(), energies })
    }
}

/// Chains that advance side by side.
struct Group<W: Walkers> {
    /// How many there are; the tile may be wider.
    chains: usize,
    tile: W,
    /// Velocities, coordinate by coordinate; none without them.
    velocity: Vec<Column<W::Number>>,
    accepted: u64,
    /// Sums of the energies over the chains, step by step of the current block.
    sums: Vec<f64>,
}

impl<W: Walkers> Group<W> {
    fn new<T: Real>(rows: &[T], dim: usize) -> Self {
        let tile = W::load(rows, dim);
        Self { chains: rows.len() / dim, tile, velocity: Vec::new(), accepted: 0, sums: Vec::new() }
    }

    /// The first chain whose energy is not finite, so that it cannot go on.
    #[inline(always)]
    fn lost(&self) -> Option<usize> {
        let energies = &self.tile.energies()[..self.chains];
        let mut finite = true;
        for energy in energies {
            finite &= energy.is_finite();
        }
        if finite { None } else { energies.iter().position(|energy| !energy.is_finite()) }
    }
}

/// The steps of one block that one group takes.
struct Advance<'a, W: Walkers> {
    field: &'a W::Field,
    components: usize,
    schedule: Schedule,
    glide: Option<Glide<W::Number>>,
    /// Number of the group's first row.
    row: usize,
    done: u64,
    steps: u64,
    group: &'a mut Group<W>,
    interrupt: &'a Interrupt,
}

impl<W: Walkers> simd::Op for Advance<'_, W> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { field, components, schedule, glide, row, done, steps, group, interrupt } = self;
        let Schedule { dynamics, metropolis, noise, .. } = schedule;
        let mut scratch = W::scratch(components);
        if done == 0 {
            group.tile.evaluate(field, &mut scratch);
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
                let (x, gradient) = group.tile.columns();
                glide.advance(x, &mut group.velocity, gradient, address(Stream::Proposal), first);
                group.tile.evaluate(field, &mut scratch);
                glide.kick(&mut group.velocity, group.tile.columns().1);
            } else {
                group.tile.propose(dynamics, address(Stream::Proposal), first, &mut proposal);
                proposal.evaluate(field, &mut scratch);
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
            group.sums.push(num::sum(&group.tile.energies()[..group.chains]));
        }
        Ok(())
    }
}

/// Numbers of the lanes of chains from `first` on.
#[inline(always)]
pub(super) fn lanes(first: u64) -> [u64; WIDTH] {
    let mut lanes = [first; WIDTH];
    for (i, lane) in lanes.iter_mut().enumerate() {
        *lane = lane.wrapping_add(i as u64);
    }
    lanes
}

/// Move each chain to its proposal where ln u < ln r, not where the ratio is nan; all bits are set where it moved.
#[inline(always)]
fn choose<W: Walkers>(
    tile: &mut W,
    proposal: &W,
    dynamics: Dynamics,
    address: Address,
    first: u64,
) -> [u64; WIDTH] {
    let gain = tile.gain(proposal, 0.25 * dynamics.step_size);
    let mut uniform = [0.0; WIDTH];
    address.uniform_lanes(first, &mut uniform);
    let (here, there) = (tile.energies(), proposal.energies());
    let mut taken = [0; WIDTH];
    for i in 0..WIDTH {
        let log_ratio = ((here[i] - there[i]) + gain[i]) / dynamics.temperature;
        taken[i] = if num::ln_normal(uniform[i]) < log_ratio { u64::MAX } else { 0 };
    }
    tile.take(proposal, &taken);
    taken
}

impl Walkers for Tile {
    type Field = GaussianMixture;
    type Scratch = Vec<Row>;
    type Number = f64;

    fn scratch(components: usize) -> Vec<Row> {
        vec![[0.0; WIDTH]; components]
    }

    #[inline(always)]
    fn load<T: Real>(points: &[T], dim: usize) -> Self {
        Self::load(points, dim)
    }

    #[inline(always)]
    fn store<T: Real>(&self, rows: &mut [T]) {
        Self::store(&self.x, rows);
    }

    #[inline(always)]
    fn evaluate(&mut self, field: &GaussianMixture, scratch: &mut Vec<Row>) {
        self.evaluate::<true>(field, scratch);
    }

    #[inline(always)]
    fn propose(&self, dynamics: Dynamics, address: Address, first: u64, proposal: &mut Self) {
        let (size, scale) = (dynamics.step_size, dynamics.noise());
        let lanes = lanes(first);
        let here = self.x.chunks(4).zip(self.gradient.chunks(4));
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

    #[inline(always)]
    fn gain(&self, proposal: &Self, quarter: f64) -> Row {
        let mut gain = [0.0; WIDTH];
        let coordinates = self.x.iter().zip(&proposal.x);
        for ((from, to), (here, there)) in coordinates.zip(self.gradient.iter().zip(&proposal.gradient)) {
            for i in 0..WIDTH {
                let half = 0.5 * (to[i] - from[i]) - quarter * (there[i] - here[i]);
                gain[i] += half * (there[i] + here[i]);
            }
        }
        gain
    }

    #[inline(always)]
    fn take(&mut self, proposal: &Self, taken: &[u64; WIDTH]) {
        select(&mut self.energy, &proposal.energy, taken);
        for (here, there) in self.x.iter_mut().zip(&proposal.x) {
            select(here, there, taken);
        }
        for (here, there) in self.gradient.iter_mut().zip(&proposal.gradient) {
            select(here, there, taken);
        }
    }

    #[inline(always)]
    fn columns(&mut self) -> (&mut [Row], &[Row]) {
        (&mut self.x, &self.gradient)
    }

    #[inline(always)]
    fn energies(&self) -> &Row {
        &self.energy
    }
}

/// Bit by bit: a choice would become a masked store, which some processors are slow at.
#[inline(always)]
pub(super) fn select(here: &mut Row, there: &Row, taken: &[u64; WIDTH]) {
    for i in 0..WIDTH {
        here[i] = f64::from_bits(here[i].to_bits() & !taken[i] | there[i].to_bits() & taken[i]);
    }
}
