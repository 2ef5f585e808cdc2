//! What of a mixture chains read: its parameters in units of ln 2, in blocks of components.

use super::mixture::GaussianMixture;
use super::number::Number;

/// Components that one pass over the points takes together: sums are written down once for all of them, and their
/// exponentials are computed side by side.
pub(super) const BLOCK: usize = 5;

/// Coordinates up to which [`super::near`] has a pass of its own.
pub(super) const NEAR: usize = 4;

/// Parameters of a mixture, filled up to whole blocks by components that weigh nothing.
pub(super) struct Field<'a, N> {
    pub(super) exact: &'a GaussianMixture,
    /// The largest offset, in natural units: the others are counted from it.
    pub(super) top: f64,
    /// Whether shares may be taken without the largest of them, where that is exact enough.
    pub(super) near: bool,
    /// Whether at most a third of the components count at the mean of any, so that shares are best taken of those alone.
    pub(super) apart: bool,
    /// Means, row after row.
    pub(super) means: Vec<N>,
    /// 1 / s_k^2.
    pub(super) precisions: Vec<N>,
    /// What multiplies |x - mu_k|^2 and what does not depend on x.
    pub(super) blocks: Vec<Block<N>>,
}

/// Constants of a block: l_k / ln 2 is `offset` - `half` |x - mu_k|^2.
#[derive(Clone, Copy)]
pub(super) struct Block<N> {
    pub(super) halves: [N; BLOCK],
    pub(super) offsets: [N; BLOCK],
}

impl<N: Number> Block<N> {
    /// l_k / ln 2 of component `k` of the block, from the differences to its mean.
    #[inline(always)]
    pub(super) fn logit<const D: usize>(&self, k: usize, away: [N; D]) -> N {
        let mut square = away[0] * away[0];
        for j in 1..D {
            square += away[j] * away[j];
        }
        self.offsets[k] - self.halves[k] * square
    }
}

impl<'a, N: Number> Field<'a, N> {
    pub(super) fn new(exact: &'a GaussianMixture) -> Self {
        let top = exact.offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let nothing = Block { halves: [N::default(); BLOCK], offsets: [N::NEVER; BLOCK] };
        let mut blocks = vec![nothing; exact.components().div_ceil(BLOCK)];
        let log2 = |value: f64| N::round(value * std::f64::consts::LOG2_E);
        for (k, (&precision, &offset)) in exact.precisions.iter().zip(&exact.offsets).enumerate() {
            let (block, k) = (&mut blocks[k / BLOCK], k % BLOCK);
            block.halves[k] = log2(0.5 * precision);
            block.offsets[k] = log2(offset - top);
        }
        let mut means: Vec<N> = exact.means.iter().map(|&mean| N::round(mean)).collect();
        means.resize(blocks.len() * BLOCK * exact.dim(), N::default());
        let mut precisions: Vec<N> = exact.precisions.iter().map(|&p| N::round(p)).collect();
        precisions.resize(blocks.len() * BLOCK, N::default());
        let gentle = |p: &f64| (1.0 / N::STEEPEST..=N::STEEPEST).contains(p);
        let near = exact.dim() <= NEAR && exact.precisions.iter().all(gentle);
        let apart = near && apart::<N>(exact, top);
        Self { exact, top, near, apart, means, precisions, blocks }
    }
}

/// Means of a mixture that are asked which components count there.
const ASKED: usize = 64;

fn apart<N: Number>(exact: &GaussianMixture, top: f64) -> bool {
    let (dim, components) = (exact.dim(), exact.components());
    let faint = N::FAINT.into() * std::f64::consts::LN_2;
    exact.means.chunks(dim).step_by(components.div_ceil(ASKED)).all(|x| {
        let constants = exact.precisions.iter().zip(&exact.offsets);
        let counting = exact.means.chunks(dim).zip(constants).filter(|(mean, (precision, offset))| {
            let square: f64 = mean.iter().zip(x).map(|(mean, x)| (x - mean) * (x - mean)).sum();
            **offset - top - 0.5 * **precision * square > faint
        });
        3 * counting.count() <= components
    })
}
