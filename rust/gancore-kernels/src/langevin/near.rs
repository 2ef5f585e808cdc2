//! Energies and gradients in one pass over the components: shares without the largest of them taken out.
//!
//! ```text
//! S = sum_k 2^(l_k - t),  grad E = sum_k 2^(l_k - t) (x - mu_k) / s_k^2 / S,  t the largest offset (l_k in units of ln 2)
//! ```
//!
//! Where S is at least [`Number::LEAST`], what fell below the smallest power is less than 2^-80 of it a component, and
//! nothing is lost: the rounding of a share is that of l_k, whether or not the largest is taken out afterwards. That
//! is 32 nats below t in float32, and 208 in float64. In float64 then E = -(t + ln S). In float32 the rounding of l_k
//! would show in E, so the component k* that attains the largest is kept where energies are asked for, and
//! E = -(l_k*(x) + ln (S 2^(t - l_k*))) has its large part in float64: what is left is at most 1e-6 where the largest
//! l_k is within 5 nats of t, in proportion to it further out. The other points go [`super::far`]; which way one goes
//! depends on that point alone.

use super::field::{BLOCK, Field};
use super::mixture::WIDTH;
use super::number::Number;
use super::tile::{Column, Sums, Tile};

impl<N: Number> Tile<N> {
    /// Gradients, and energies if asked for, else zeros: of no use where the sum of shares, given back, is too small.
    #[inline(always)]
    pub(super) fn near(&mut self, field: &Field<N>, energies: bool) -> Column<N> {
        let mut sums = Sums::default();
        match (self.x.len(), N::COARSE && energies) {
            (1, false) => self.pass::<1, false>(field, &mut sums),
            (1, true) => self.pass::<1, true>(field, &mut sums),
            (2, false) => self.pass::<2, false>(field, &mut sums),
            (2, true) => self.pass::<2, true>(field, &mut sums),
            (3, false) => self.pass::<3, false>(field, &mut sums),
            (3, true) => self.pass::<3, true>(field, &mut sums),
            (_, false) => self.pass::<4, false>(field, &mut sums),
            (_, true) => self.pass::<4, true>(field, &mut sums),
        }
        self.energy = Column::all(0.0);
        if energies {
            sums.energies(field, &self.x, &mut self.energy);
        }
        sums.total
    }

    #[inline(always)]
    fn pass<const D: usize, const NEAREST: bool>(&mut self, field: &Field<N>, sums: &mut Sums<N>) {
        // Copies: that nothing written to can be one of them lets the compiler vectorise the loops without a check.
        let Some(&x) = self.x.first_chunk::<D>() else { return };
        let mut gradient = [Column::all(N::default()); D];
        let means = field.means.as_chunks::<D>().0.as_chunks::<BLOCK>().0;
        for ((first, block), means) in (0..).step_by(BLOCK).zip(&field.blocks).zip(means) {
            let (block, means) = (*block, *means);
            for i in 0..WIDTH {
                let mut away = [[N::default(); D]; BLOCK];
                let mut logits = [N::default(); BLOCK];
                for k in 0..BLOCK {
                    away[k][0] = x[0][i] - means[k][0];
                    let mut square = away[k][0] * away[k][0];
                    for j in 1..D {
                        away[k][j] = x[j][i] - means[k][j];
                        square += away[k][j] * away[k][j];
                    }
                    logits[k] = block.offsets[k] - block.halves[k] * square;
                }
                if NEAREST {
                    sums.attain(i, first, &logits);
                }
                for k in 0..BLOCK {
                    logits[k] = logits[k].or_more(N::FLOOR);
                }
                let shares = N::powers(logits);
                let mut total = sums.total[i];
                let mut slope = [N::default(); D];
                for j in 0..D {
                    slope[j] = gradient[j][i];
                }
                for k in 0..BLOCK {
                    total += shares[k];
                    let pull = shares[k] * block.precisions[k];
                    for j in 0..D {
                        slope[j] += pull * away[k][j];
                    }
                }
                sums.total[i] = total;
                for j in 0..D {
                    gradient[j][i] = slope[j];
                }
            }
        }
        sums.divide(&mut gradient);
        self.gradient.copy_from_slice(&gradient);
    }
}
