//! Chains side by side on a mixture, in the arithmetic of float64 or of float32.

use std::ops::{Deref, DerefMut};

use super::Dynamics;
use super::field::Field;
use super::mixture::WIDTH;
use super::number::Number;
use crate::num::{self, Real};
use crate::rng::Address;
use crate::simd;

/// One number of each point of a tile. Vectors of 64 bytes are read and written fastest within one line of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Column<N>([N; WIDTH]);

impl<N: Copy> Column<N> {
    #[inline(always)]
    pub(super) fn all(value: N) -> Self {
        Self([value; WIDTH])
    }
}

impl<N> Deref for Column<N> {
    type Target = [N; WIDTH];

    #[inline(always)]
    fn deref(&self) -> &[N; WIDTH] {
        &self.0
    }
}

impl<N> DerefMut for Column<N> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [N; WIDTH] {
        &mut self.0
    }
}

/// Points side by side, coordinate by coordinate, and what is computed of them.
#[derive(Clone)]
pub(super) struct Tile<N> {
    /// Row j holds coordinate j of every point.
    pub(super) x: Vec<Column<N>>,
    /// grad E, as `x`.
    pub(super) gradient: Vec<Column<N>>,
    /// E of every point.
    pub(super) energy: Column<f64>,
}

/// What an evaluation is to find out. Gradients not asked for may be missing; energies not asked for are finite where
/// the true ones are.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) gradients: bool,
    pub(super) energies: bool,
}

impl<N: Number> Tile<N> {
    /// Rows of points; where there are fewer than [`WIDTH`], the first is repeated.
    pub(super) fn load<T: Real>(points: &[T], dim: usize) -> Self {
        let mut x = vec![Column::all(N::default()); dim];
        for i in 0..WIDTH {
            let at = if (i + 1) * dim <= points.len() { i * dim } else { 0 };
            for (row, &value) in x.iter_mut().zip(&points[at..]) {
                row[i] = N::round(value.into());
            }
        }
        Self { gradient: x.clone(), energy: Column::all(0.0), x }
    }

    /// Write coordinates or gradients back to as many rows as there are.
    pub(super) fn store<T: Real>(values: &[Column<N>], rows: &mut [T]) {
        for (i, row) in rows.chunks_mut(values.len()).enumerate() {
            for (value, column) in row.iter_mut().zip(values) {
                *value = T::round(column[i].into());
            }
        }
    }

    /// Compute energies and gradients; `logits` is scratch space, empty at first.
    ///
    /// Compiled once for all that call it.
    #[inline(never)]
    pub(super) fn evaluate(&mut self, field: &Field<N>, wanted: Wanted, logits: &mut Vec<Column<N>>) {
        simd::dispatch(Evaluate { tile: self, field, wanted, logits });
    }

    /// Write z - eta g + sqrt(2 eta T) xi to `proposal`.
    #[inline(always)]
    pub(super) fn propose(&self, dynamics: Dynamics, address: Address, first: u64, proposal: &mut Self) {
        let (size, scale) = (N::round(dynamics.step_size), N::round(dynamics.noise()));
        let lanes = lanes(first);
        let here = self.x.chunks(4).zip(self.gradient.chunks(4));
        for ((block, proposal), (state, gradient)) in (0..).zip(proposal.x.chunks_mut(4)).zip(here) {
            let normals = if state.len() <= 2 {
                N::normals::<1>(address, &[block; WIDTH], &lanes)
            } else {
                N::normals::<2>(address, &[block; WIDTH], &lanes)
            };
            for (((to, from), slope), normal) in proposal.iter_mut().zip(state).zip(gradient).zip(&normals) {
                for i in 0..WIDTH {
                    to[i] = (from[i] - size * slope[i]) + scale * normal[i];
                }
            }
        }
    }

    /// <(z' - z)/2 - (eta/4)(g' - g), g' + g>, where `quarter` is eta/4.
    #[inline(always)]
    pub(super) fn gain(&self, proposal: &Self, quarter: f64) -> Column<f64> {
        let mut gain = Column::all(0.0);
        let coordinates = self.x.iter().zip(&proposal.x);
        for ((from, to), (here, there)) in coordinates.zip(self.gradient.iter().zip(&proposal.gradient)) {
            for i in 0..WIDTH {
                let (here, there): (f64, f64) = (here[i].into(), there[i].into());
                let half = 0.5 * (to[i].into() - from[i].into()) - quarter * (there - here);
                gain[i] += half * (there + here);
            }
        }
        gain
    }

    /// Become the other where all bits of `taken` are set.
    #[inline(always)]
    pub(super) fn take(&mut self, other: &Self, taken: &[u64; WIDTH]) {
        for i in 0..WIDTH {
            self.energy[i] = self.energy[i].select(other.energy[i], taken[i]);
        }
        let rows = self.x.iter_mut().zip(&other.x);
        for (here, there) in rows.chain(self.gradient.iter_mut().zip(&other.gradient)) {
            for i in 0..WIDTH {
                here[i] = here[i].select(there[i], taken[i]);
            }
        }
    }
}

struct Evaluate<'a, N: Number> {
    tile: &'a mut Tile<N>,
    field: &'a Field<'a, N>,
    wanted: Wanted,
    logits: &'a mut Vec<Column<N>>,
}

impl<N: Number> simd::Op for Evaluate<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { tile, field, wanted, logits } = self;
        if !field.near {
            return tile.far(field, wanted.gradients, logits);
        }
        let total = tile.near(field, wanted.energies, logits);
        let mut enough = true;
        for i in 0..WIDTH {
            enough &= total[i] >= N::LEAST;
        }
        if !enough {
            let near = tile.clone();
            tile.far(field, wanted.gradients, logits);
            let mut kept = [0; WIDTH];
            for i in 0..WIDTH {
                kept[i] = if total[i] >= N::LEAST { u64::MAX } else { 0 };
            }
            tile.take(&near, &kept);
        }
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

/// What a pass over the components adds up or keeps of each point.
pub(super) struct Sums<N> {
    /// The sum of shares.
    pub(super) total: Column<N>,
    /// What has been taken out of l_k before shares were taken.
    pub(super) taken_out: Column<N>,
    /// The largest l_k, and the component that attains it, where they are kept.
    pub(super) largest: Column<N>,
    nearest: Column<u32>,
}

impl<N: Number> Default for Sums<N> {
    #[inline(always)]
    fn default() -> Self {
        Self {
            total: Column::all(N::default()),
            taken_out: Column::all(N::default()),
            largest: Column::all(N::NEVER),
            nearest: Column::all(0),
        }
    }
}

impl<N: Number> Sums<N> {
    /// Keep the largest of the logits of one point from component `first` on, and the number of its component if that will be needed.
    #[inline(always)]
    pub(super) fn attain<const K: usize>(&mut self, i: usize, first: u32, logits: &[N; K]) {
        let (mut most, mut which) = (self.largest[i], self.nearest[i]);
        for (k, logit) in (first..).zip(logits) {
            which = if *logit > most { k } else { which };
            most = logit.or_more(most);
        }
        self.largest[i] = most;
        if N::COARSE {
            self.nearest[i] = which;
        }
    }

    /// Divide what has been added up with the shares by their sum.
    #[inline(always)]
    pub(super) fn divide(&self, gradient: &mut [Column<N>]) {
        let mut inverse = Column::all(N::default());
        for i in 0..WIDTH {
            inverse[i] = N::round(1.0) / self.total[i];
        }
        for gradient in gradient {
            for i in 0..WIDTH {
                gradient[i] = gradient[i] * inverse[i];
            }
        }
    }

    /// E, where the sum of shares is a positive normal number.
    #[inline(always)]
    pub(super) fn energies(&self, field: &Field<N>, x: &[Column<N>], energy: &mut Column<f64>) {
        let mut taken_out = [0.0; WIDTH];
        if N::COARSE {
            self.attained(field, x, energy);
            for i in 0..WIDTH {
                taken_out[i] = self.taken_out[i].into() - self.largest[i].into();
            }
        } else {
            *energy = Column::all(field.top);
            for i in 0..WIDTH {
                taken_out[i] = self.taken_out[i].into();
            }
        }
        for i in 0..WIDTH {
            let log = num::ln_normal(self.total[i].into()) + taken_out[i] * std::f64::consts::LN_2;
            energy[i] = -(energy[i] + log);
        }
    }

    /// The l_k that has been kept, in float64.
    #[inline(always)]
    fn attained(&self, field: &Field<N>, x: &[Column<N>], out: &mut Column<f64>) {
        let (mixture, dim) = (field.exact, x.len());
        for i in 0..WIDTH {
            let k = self.nearest[i] as usize;
            let mut square = 0.0;
            for (x, mean) in x.iter().zip(&mixture.means[k * dim..]) {
                let away = x[i].into() - mean;
                square += away * away;
            }
            out[i] = mixture.offsets[k] - 0.5 * mixture.precisions[k] * square;
        }
    }
}
