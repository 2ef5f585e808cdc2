//! Langevin dynamics: one step on anybody's gradient, and whole chains on the energy of a Gaussian mixture.
//!
//! ```text
//! z' = z - eta grad E(z) + sqrt(2 eta T) xi, xi ~ N(0, I)      samples exp(-E/T) as eta -> 0
//! ```
//!
//! Rossky, Doll and Friedman 1978; Roberts and Tweedie, *Exponential convergence of Langevin distributions and their
//! discrete approximations* (Bernoulli 2, 1996), section 1.4, with their h = 2 eta and a temperature. The noise of a
//! row is a function of (seed, step, number of the chain) alone, so rows may be split among calls and threads at will.
//!
//! State may be float32 or float64, and is drawn for and moved in its own arithmetic: float32 normals are those of
//! float64 within 2e-6. Energies and ratios of whole chains are float64 (see `near.rs`).

mod apart;
mod chains;
mod far;
mod field;
mod mixture;
mod mlp;
mod near;
mod number;
mod tile;
mod underdamped;

pub use chains::{Outcome, Schedule};
pub use mixture::GaussianMixture;
pub use mlp::{Activation, Course, Journey, Layer, MlpEnergy, Prior};

use crate::error::{Error, Result};
use crate::num::Real;
use crate::pool::{self, Interrupt};
use crate::rng::{Address, Stream};
use crate::simd;

/// Numbers that one task works through: some 100 microseconds.
const TASK: usize = 1 << 14;

/// Normals drawn at a time: they stay in the first-level cache.
const DRAWN: usize = 1 << 10;

/// Step size and temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dynamics {
    /// eta: finite, positive.
    pub step_size: f64,
    /// T: finite, not negative; 0 is gradient descent.
    pub temperature: f64,
}

/// An element type of states: normals are drawn, and steps are taken, in its own arithmetic.
pub trait State: Real + Default {
    /// Standard normals for rows of `dim` numbers; to be marked `#[inline(always)]`, as is the other.
    fn normals(address: Address, first_lane: u64, dim: usize, out: &mut [Self]);

    /// z - eta g + `scale` xi.
    #[must_use]
    fn moved(self, slope: Self, step_size: f64, scale: f64, normal: Self) -> Self;
}

impl State for f32 {
    #[inline(always)]
    fn normals(address: Address, first_lane: u64, dim: usize, out: &mut [f32]) {
        address.normals_single(first_lane, dim, out);
    }

    #[inline(always)]
    fn moved(self, slope: f32, step_size: f64, scale: f64, normal: f32) -> f32 {
        (self - step_size as f32 * slope) + scale as f32 * normal
    }
}

impl State for f64 {
    #[inline(always)]
    fn normals(address: Address, first_lane: u64, dim: usize, out: &mut [f64]) {
        address.normals(first_lane, dim, out);
    }

    #[inline(always)]
    fn moved(self, slope: f64, step_size: f64, scale: f64, normal: f64) -> f64 {
        (self - step_size * slope) + scale * normal
    }
}

impl Dynamics {
    fn check(self) -> Result<()> {
        if !(self.step_size > 0.0 && self.step_size < f64::INFINITY) {
            return Err(Error::domain("step_size", "be finite and positive", self.step_size.to_string()));
        }
        if !(self.temperature >= 0.0 && self.temperature < f64::INFINITY) {
            return Err(Error::domain("temperature", "be finite and >= 0", self.temperature.to_string()));
        }
        Ok(())
    }

    /// Standard deviation of a step's noise.
    fn noise(self) -> f64 {
        (2.0 * self.step_size * self.temperature).sqrt()
    }
}

/// Which noise chains get: row `i` is chain `first_chain + i`, of which the low 32 bits are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise {
    /// Seed.
    pub seed: u64,
    /// Number of the step.
    pub step: u64,
    /// Number of the first row's chain.
    pub first_chain: u64,
}

/// Take one step of chains of `dim` coordinates: from `z`, or in place where there is none, into `out`.
///
/// Nothing is written if a number of `z` or `grad` is not finite.
pub fn step<T: State>(
    out: &mut [T],
    z: Option<&[T]>,
    grad: &[T],
    dim: usize,
    dynamics: Dynamics,
    noise: Noise,
    interrupt: &Interrupt,
) -> Result<()> {
    dynamics.check()?;
    let dim = dim.max(1);
    for (argument, length) in [("grad", grad.len()), ("z", z.map_or(out.len(), <[T]>::len))] {
        if length != out.len() {
            return Err(Error::shape(argument, format!("{} numbers", out.len()), length.to_string()));
        }
    }
    refuse_non_finite("grad", grad, dim, interrupt)?;
    refuse_non_finite("z", z.unwrap_or(out), dim, interrupt)?;
    let rows_per_task = (TASK / dim).max(1);
    let per_task = rows_per_task * dim;
    pool::for_each_chunk_mut(out, per_task, |task, out| {
        interrupt.check()?;
        let start = task * per_task;
        let span = start..start + out.len();
        simd::dispatch(Rows {
            z: z.map(|z| &z[span.clone()]),
            grad: &grad[span],
            out,
            dim,
            dynamics,
            address: Address { seed: noise.seed, stream: Stream::Proposal, step: noise.step },
            first_lane: noise.first_chain.wrapping_add((task * rows_per_task) as u64),
        });
        Ok(())
    })
}

/// A task of [`step`].
struct Rows<'a, T> {
    z: Option<&'a [T]>,
    grad: &'a [T],
    out: &'a mut [T],
    dim: usize,
    dynamics: Dynamics,
    address: Address,
    first_lane: u64,
}

impl<T: State> simd::Op for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        if let Some(z) = self.z {
            self.out.copy_from_slice(z);
        }
        let (size, scale) = (self.dynamics.step_size, self.dynamics.noise());
        let rows = (DRAWN / self.dim).max(1);
        let mut normals = vec![T::default(); (rows * self.dim).min(self.out.len())];
        let mut lane = self.first_lane;
        let grads = self.grad.chunks(normals.len().max(1));
        for (out, grad) in self.out.chunks_mut(normals.len().max(1)).zip(grads) {
            let normals = &mut normals[..out.len()];
            if scale > 0.0 {
                T::normals(self.address, lane, self.dim, normals);
            }
            for ((z, &grad), &normal) in out.iter_mut().zip(grad).zip(&*normals) {
                *z = z.moved(grad, size, scale, normal);
            }
            lane = lane.wrapping_add(rows as u64);
        }
    }
}

/// Refuse nan and infinities in rows of `dim` numbers, naming the first.
fn refuse_non_finite<T: Real>(
    argument: &'static str,
    values: &[T],
    dim: usize,
    interrupt: &Interrupt,
) -> Result<()> {
    let tasks = values.len().div_ceil(TASK);
    let finite = pool::map_indexed(tasks, 2, |task| {
        interrupt.check()?;
        Ok(simd::dispatch(AllFinite(&values[task * TASK..values.len().min((task + 1) * TASK)])))
    })?;
    for (task, finite) in finite.into_iter().enumerate() {
        if finite? {
            continue;
        }
        let rest = &values[task * TASK..];
        if let Some((i, &value)) = rest.iter().enumerate().find(|&(_, &v)| !v.into().is_finite()) {
            let (row, coordinate) = ((task * TASK + i) / dim, (task * TASK + i) % dim);
            let value: f64 = value.into();
            return Err(Error::domain(
                argument,
                "be finite",
                format!("{value} in row {row}, coordinate {coordinate}"),
            ));
        }
    }
    Ok(())
}

struct AllFinite<'a, T>(&'a [T]);

impl<T: Real> simd::Op for AllFinite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut wrong = false;
        for &value in self.0 {
            wrong |= !value.into().is_finite();
        }
        !wrong
    }
}

/// Fill rows of `dim` standard normals, drawn for `stream` at `noise`.
pub fn normals<T: State>(
    out: &mut [T],
    dim: usize,
    stream: Stream,
    noise: Noise,
    interrupt: &Interrupt,
) -> Result<()> {
    let dim = dim.max(1);
    let rows_per_task = (TASK / dim).max(1);
    pool::for_each_chunk_mut(out, rows_per_task * dim, |task, out| {
        interrupt.check()?;
        let address = Address { seed: noise.seed, stream, step: noise.step };
        let first_lane = noise.first_chain.wrapping_add((task * rows_per_task) as u64);
        simd::dispatch(Fill { out, dim, address, first_lane });
        Ok(())
    })
}

struct Fill<'a, T> {
    out: &'a mut [T],
    dim: usize,
    address: Address,
    first_lane: u64,
}

impl<T: State> simd::Op for Fill<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        T::normals(self.address, self.first_lane, self.dim, self.out);
    }
}

/// Fill with uniform numbers in (0, 1), one a chain, drawn for `stream` at `noise`.
pub fn uniforms(out: &mut [f64], stream: Stream, noise: Noise, interrupt: &Interrupt) -> Result<()> {
    let address = Address { seed: noise.seed, stream, step: noise.step };
    pool::for_each_chunk_mut(out, TASK, |task, out| {
        interrupt.check()?;
        for (lane, value) in (noise.first_chain.wrapping_add((task * TASK) as u64)..).zip(out) {
            *value = address.uniform(lane);
        }
        Ok(())
    })
}
