//! Energies and gradients where components lie apart: at any point few of them count.
//!
//! A first pass writes down every l_k and marks those above [`Number::FAINT`], one bit each. What is marked is then taken
//! point by point, the lowest bit of each first, so that the costly part, the shares, is computed side by side for
//! different components: in as many rounds as the point with the most marks has of them, mostly one. Sums are those of
//! `near.rs` without the terms that cannot be missed.

use super::field::{BLOCK, Block, Field};
use super::mixture::WIDTH;
use super::number::Number;
use super::tile::{Column, Sums, Tile};

/// Components that are marked together: as whole blocks they fit 32 bits.
const GROUP: usize = 6 * BLOCK;

impl<N: Number> Tile<N> {
    /// What [`Tile::near`] gives, by rounds.
    #[inline(always)]
    pub(super) fn pick<const D: usize, const NEAREST: bool>(
        &mut self,
        field: &Field<N>,
        logits: &mut Vec<Column<N>>,
        sums: &mut Sums<N>,
    ) {
        // Copies: that nothing written to can be one of them lets the compiler vectorise the loops without a check.
        let Some(&x) = self.x.first_chunk::<D>() else { return };
        let mut gradient = [Column::all(N::default()); D];
        logits.resize(GROUP, Column::all(N::default()));
        let parts = field.precisions.chunks(GROUP).zip(field.means.chunks(GROUP * D));
        let groups = field.blocks.chunks(GROUP / BLOCK).zip(parts);
        for (first, (blocks, (precisions, means))) in (0..).step_by(GROUP).zip(groups) {
            let means = means.as_chunks::<D>().0;
            let mut marks = mark(&x, blocks, means, logits);
            while marks.iter().fold(0, |all, marks| all | marks) != 0 {
                // A point without a mark left picks a component that weighs nothing, where it stands.
                let (mut logit, mut precision) = (Column::all(N::NEVER), Column::all(N::default()));
                let (mut mean, mut which) = (x, Column::all(0));
                for i in 0..WIDTH {
                    let k = marks[i].trailing_zeros() as usize;
                    marks[i] &= marks[i].wrapping_sub(1);
                    which[i] = first + k as u32;
                    if let (Some(row), Some(&rate), Some(place)) =
                        (logits.get(k), precisions.get(k), means.get(k))
                    {
                        logit[i] = row[i];
                        precision[i] = rate;
                        for j in 0..D {
                            mean[j][i] = place[j];
                        }
                    }
                }
                for i in 0..WIDTH {
                    if NEAREST {
                        sums.attain(i, which[i], &[logit[i]]);
                    }
                    let [share] = N::shares([logit[i]]);
                    sums.total[i] += share;
                    let pull = share * precision[i];
                    for j in 0..D {
                        gradient[j][i] += pull * (x[j][i] - mean[j][i]);
                    }
                }
            }
        }
        sums.divide(&mut gradient);
        self.gradient.copy_from_slice(&gradient);
    }
}

/// Write the logits of a group of components down; which of them count at each point.
#[inline(always)]
fn mark<N: Number, const D: usize>(
    x: &[Column<N>; D],
    blocks: &[Block<N>],
    means: &[[N; D]],
    logits: &mut [Column<N>],
) -> Column<u64> {
    let (x, mut narrow) = (*x, Column::all(N::Bits::default()));
    let places = means.as_chunks::<BLOCK>().0.iter().zip(logits.as_chunks_mut::<BLOCK>().0);
    for (first, (block, (means, logits))) in (0..).step_by(BLOCK).zip(blocks.iter().zip(places)) {
        let (block, means) = (*block, *means);
        for i in 0..WIDTH {
            let mut marks = narrow[i];
            for (bit, k) in (first..).zip(0..BLOCK) {
                let mut away = [N::default(); D];
                for j in 0..D {
                    away[j] = x[j][i] - means[k][j];
                }
                logits[k][i] = block.logit(k, away);
                marks = marks | logits[k][i].mark(bit);
            }
            narrow[i] = marks;
        }
    }
    let mut marks = Column::all(0);
    for i in 0..WIDTH {
        marks[i] = narrow[i].into();
    }
    marks
}
