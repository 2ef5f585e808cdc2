//! Energies and gradients in two passes over the components, wherever points lie and for any dimension.
//!
//! The first pass writes down l_k and keeps the largest, m = max_k l_k; the second takes shares 2^(l_k - m), of which
//! the largest is 1. Components whose share falls below the smallest power of two weigh nothing.

use super::field::{BLOCK, Field};
use super::mixture::WIDTH;
use super::number::Number;
use super::tile::{Column, Sums, Tile};

/// Coordinates that one pass over the points takes together, so that less is written down between passes.
const SIDE: usize = 4;

impl<N: Number> Tile<N> {
    /// Energies and, if asked for, gradients; `logits` is scratch space.
    #[inline(always)]
    pub(super) fn far(&mut self, field: &Field<N>, gradients: bool, logits: &mut Vec<Column<N>>) {
        let dim = self.x.len();
        logits.resize(field.blocks.len() * BLOCK, Column::all(N::default()));
        let mut sums = Sums::default();
        let blocks = field.blocks.iter().zip(field.means.chunks(dim * BLOCK));
        for ((first, logits), (block, means)) in
            (0..).step_by(BLOCK).zip(logits.as_chunks_mut::<BLOCK>().0).zip(blocks)
        {
            let constants = block.halves.iter().zip(block.offsets).zip(means.chunks(dim));
            for (place, ((&half, offset), mean)) in logits.iter_mut().zip(constants) {
                // Written to apart, so that the compiler need not ask whether it is one of the coordinates.
                let mut logit = Column::all(offset);
                // Components that fill up a block weigh nothing anywhere.
                if offset == N::NEVER {
                    *place = logit;
                    continue;
                }
                for (x, mean) in self.x.chunks(SIDE).zip(mean.chunks(SIDE)) {
                    match x.len() {
                        1 => squares::<N, 1>(x, mean, half, &mut logit),
                        2 => squares::<N, 2>(x, mean, half, &mut logit),
                        3 => squares::<N, 3>(x, mean, half, &mut logit),
                        _ => squares::<N, SIDE>(x, mean, half, &mut logit),
                    }
                }
                *place = logit;
            }
            for i in 0..WIDTH {
                let mut here = [N::default(); BLOCK];
                for k in 0..BLOCK {
                    here[k] = logits[k][i];
                }
                sums.attain(i, first, &here);
            }
        }
        sums.taken_out = sums.largest;
        if gradients {
            self.gradient.fill(Column::all(N::default()));
        }
        let parts = field.precisions.as_chunks::<BLOCK>().0.iter().zip(field.means.chunks(dim * BLOCK));
        for (logits, (precisions, means)) in logits.as_chunks_mut::<BLOCK>().0.iter_mut().zip(parts) {
            shares(logits, *precisions, &mut sums);
            if gradients {
                self.pull(logits, means);
            }
        }
        if gradients {
            sums.divide(&mut self.gradient);
        }
        sums.energies(field, &self.x, &mut self.energy);
        for i in 0..WIDTH {
            // The largest share is 1, unless all of them overflowed.
            self.energy[i] = if sums.total[i].into() >= 1.0 { self.energy[i] } else { f64::INFINITY };
        }
    }

    /// Add the weighted differences from the means of a block.
    #[inline(always)]
    fn pull(&mut self, pulls: &[Column<N>; BLOCK], means: &[N]) {
        let dim = self.x.len();
        for (j, (gradient, x)) in self.gradient.iter_mut().zip(&self.x).enumerate() {
            let mut mean = [N::default(); BLOCK];
            for (k, mean) in mean.iter_mut().enumerate() {
                *mean = means[k * dim + j];
            }
            let mut sum = *gradient;
            for i in 0..WIDTH {
                for k in 0..BLOCK {
                    sum[i] += pulls[k][i] * (x[i] - mean[k]);
                }
            }
            *gradient = sum;
        }
    }
}

/// Subtract `half` times the squared distances to a mean in D coordinates.
#[inline(always)]
fn squares<N: Number, const D: usize>(x: &[Column<N>], mean: &[N], half: N, logit: &mut Column<N>) {
    let (Some(x), Some(mean)) = (x.first_chunk::<D>(), mean.first_chunk::<D>()) else { return };
    for i in 0..WIDTH {
        let mut square = N::default();
        for j in 0..D {
            square += (x[j][i] - mean[j]) * (x[j][i] - mean[j]);
        }
        logit[i] = logit[i] - half * square;
    }
}

/// Turn the logits of a block into shares, add them up, and leave them times 1 / s^2.
#[inline(always)]
fn shares<N: Number>(logits: &mut [Column<N>; BLOCK], precisions: [N; BLOCK], sums: &mut Sums<N>) {
    for i in 0..WIDTH {
        let mut exponents = [N::default(); BLOCK];
        for k in 0..BLOCK {
            exponents[k] = logits[k][i] - sums.taken_out[i];
        }
        let shares = N::shares(exponents);
        let mut total = sums.total[i];
        for k in 0..BLOCK {
            total += shares[k];
            logits[k][i] = shares[k] * precisions[k];
        }
        sums.total[i] = total;
    }
}
